package report

import (
	"context"
	"slices"
	"time"

	"zhiban/schemas"
)

// Deck holds the figures of a joint meeting's slides: a division's month.
type Deck struct {
	Division schemas.Division
	Unit     string
	Periods  // the month, and what it is compared with
	AsOf     time.Time
	Cut      Cut

	Key []KeyFigure

	// The parts of the division in the order of PartIndicators, its children or
	// a county's stations, and the whole, counted anew.
	PartsAre       Dimension // ByDivision or ByStation
	PartIndicators []schemas.Indicator
	Parts          []DeckRow
	PartsAll       []Figure

	Trends []DeckTrend
	Splits []DeckSplit

	// Notices by organ in the order of NoticeIndicators, and all organs
	// together.
	NoticeIndicators []schemas.Indicator
	Notices          []DeckRow
	NoticesAll       []Figure
}

// KeyFigure is an indicator with what it is compared with: the month before
// (环比) and the same month of last year (同比).
type KeyFigure struct {
	Indicator               schemas.Indicator
	Now, Previous, LastYear Figure
}

// DeckRow is a named row of figures.
type DeckRow struct {
	Name    string
	Figures []Figure
}

// DeckTrend is an indicator's months, January to December, of the deck's year
// and of the year before.
type DeckTrend struct {
	Indicator schemas.Indicator
	Year      [12]Figure
	LastYear  [12]Figure
}

// DeckSplit is the month's figure of an indicator by the values of a
// dimension.
type DeckSplit struct {
	Indicator schemas.Indicator
	By        Dimension
	Values    []Value
	Figures   []Figure
}

var (
	deckKey = lookup(
		schemas.Stations, schemas.Lawyers, schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.PersonsConsulted,
		schemas.ApplicationsReceived, schemas.ApplicationsTransferred, schemas.TransferredWithin24h,
		schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsOverdue)
	deckParts = lookup(
		schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.PersonsConsulted,
		schemas.ApplicationsReceived, schemas.TransferredWithin24h, schemas.NotificationsDue, schemas.NotificationsOverdue)
	deckTrends  = lookup(schemas.Consultations, schemas.Shifts)
	deckNotices = lookup(
		schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsLate,
		schemas.NotificationsUnevid, schemas.NotificationsOverdue, schemas.NotificationsOpen)
	deckSplits = []struct {
		code schemas.IndicatorCode
		by   Dimension
	}{{schemas.Consultations, ByChannel}, {schemas.Consultations, ByPersonRole}, {schemas.Shifts, ByMode}}
)

// Indicators lists every indicator of the deck once, for its definitions.
func (d Deck) Indicators() []schemas.Indicator {
	var key []schemas.Indicator
	for _, k := range d.Key {
		key = append(key, k.Indicator)
	}
	return union(key, d.PartIndicators, d.NoticeIndicators)
}

// union lists each indicator of some lists once.
func union(lists ...[]schemas.Indicator) []schemas.Indicator {
	var out []schemas.Indicator
	for _, ind := range slices.Concat(lists...) {
		if !slices.ContainsFunc(out, func(o schemas.Indicator) bool { return o.Code == ind.Code }) {
			out = append(out, ind)
		}
	}
	return out
}

// Deck gathers the figures of the slides. All are of one cut; zero asOf is
// now.
func (w *Warehouse) Deck(ctx context.Context, scope Scope, division schemas.DivisionCode, month schemas.Month, asOf time.Time) (Deck, error) {
	i, err := w.inquire(ctx, scope, asOf)
	if err != nil {
		return Deck{}, err
	}
	return i.deck(ctx, division, month)
}

func (i inquiry) deck(ctx context.Context, code schemas.DivisionCode, month schemas.Month) (Deck, error) {
	division, err := documentDivision(i.scope, code)
	if err != nil {
		return Deck{}, err
	}
	first, err := i.firstRecord(ctx, code, month)
	if err != nil {
		return Deck{}, err
	}
	d := Deck{
		Division: division, Unit: reportingUnit(division), Periods: PeriodsOf(month, schemas.DayOf(i.asOf)), AsOf: i.asOf, Cut: i.cut,
		PartIndicators: deckParts, NoticeIndicators: deckNotices,
	}
	held := func(r Range) period {
		m := r.From.Month()
		return period{r, m < month && m < first}.begun(i.asOf)
	}
	now := held(d.Now)
	err = together(ctx,
		func(ctx context.Context) error { return d.addWhole(ctx, i, now, held(d.Previous), held(d.LastYear)) },
		func(ctx context.Context) error { return d.addParts(ctx, i, now) },
		func(ctx context.Context) error { return d.addTrends(ctx, i, held) },
		func(ctx context.Context) error { return d.addSplits(ctx, i, now) },
		func(ctx context.Context) error { return d.addNotices(ctx, i, now) },
	)
	return d, err
}

// addWhole asks for the division as a whole: the key figures of the three
// periods, and what the tables of parts and notices end with.
func (d *Deck) addWhole(ctx context.Context, i inquiry, now, previous, lastYear period) error {
	d.Key = make([]KeyFigure, len(deckKey))
	for n, p := range []period{now, previous, lastYear} {
		inds := deckKey
		if n == 0 {
			inds = union(deckKey, deckParts, deckNotices)
		}
		s, err := i.statistics(ctx, p.query(d.Division.Code, codesOf(inds)))
		if err != nil {
			return err
		}
		for k, ind := range deckKey {
			key := &d.Key[k]
			key.Indicator = ind
			*[]*Figure{&key.Now, &key.Previous, &key.LastYear}[n] = p.cell(s, ind)
		}
		if n == 0 {
			d.PartsAll, d.NoticesAll = p.cells(s, deckParts), p.cells(s, deckNotices)
		}
	}
	return nil
}

func (d *Deck) addParts(ctx context.Context, i inquiry, now period) error {
	d.PartsAre = ByDivision
	if d.Division.Level == schemas.LevelCounty {
		d.PartsAre = ByStation
	}
	s, err := i.statistics(ctx, now.query(d.Division.Code, codesOf(deckParts), d.PartsAre))
	if err != nil {
		return err
	}
	if d.PartsAre == ByDivision {
		for _, c := range children(s, d.Division, now) {
			name := c.Division.Name
			if c.Own {
				name = "本级"
			}
			d.Parts = append(d.Parts, DeckRow{name, c.Figures})
		}
		return nil
	}
	stations, err := i.w.Stations(ctx, i.scope, d.Division.Code, i.asOf)
	if err != nil {
		return err
	}
	for _, st := range stations {
		name := st.Name
		if name == "" {
			name = string(st.Code)
		}
		if !st.Registered {
			name += "（未登记）"
		}
		d.Parts = append(d.Parts, DeckRow{name, now.cells(s, deckParts, string(st.Code))})
	}
	if _, ok := s.Find(""); ok {
		d.Parts = append(d.Parts, DeckRow{"工作站以外", now.cells(s, deckParts, "")})
	}
	return nil
}

func (d *Deck) addTrends(ctx context.Context, i inquiry, held func(Range) period) error {
	january := d.Year.From.Month()
	all := period{Range: Range{(january - 12).First(), d.Now.To}}
	s, err := i.statistics(ctx, all.query(d.Division.Code, codesOf(deckTrends), ByMonth))
	if err != nil {
		return err
	}
	for _, ind := range deckTrends {
		t := DeckTrend{Indicator: ind}
		for k := range 12 {
			this := january + schemas.Month(k)
			last := this - 12
			t.LastYear[k] = held(Range{last.First(), last.Last()}).cell(s, ind, last.String())
			t.Year[k] = Figure{Status: NotAvailable}
			if this <= d.Month {
				t.Year[k] = held(Range{this.First(), this.Last()}).cell(s, ind, this.String())
			}
		}
		d.Trends = append(d.Trends, t)
	}
	return nil
}

func (d *Deck) addSplits(ctx context.Context, i inquiry, now period) error {
	for _, split := range deckSplits {
		s, err := i.statistics(ctx, now.query(d.Division.Code, []schemas.IndicatorCode{split.code}, split.by))
		if err != nil {
			return err
		}
		ds := DeckSplit{Indicator: lookup(split.code)[0], By: split.by, Values: valuesOf(split.by)}
		for _, v := range ds.Values {
			ds.Figures = append(ds.Figures, now.cell(s, ds.Indicator, v.Code))
		}
		d.Splits = append(d.Splits, ds)
	}
	return nil
}

func (d *Deck) addNotices(ctx context.Context, i inquiry, now period) error {
	s, err := i.statistics(ctx, now.query(d.Division.Code, codesOf(deckNotices), ByOrgan))
	if err != nil {
		return err
	}
	for _, organ := range Organs {
		d.Notices = append(d.Notices, DeckRow{organ.Name.ZH, now.cells(s, deckNotices, organ.Code)})
	}
	return nil
}
