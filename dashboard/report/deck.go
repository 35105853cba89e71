package report

import (
	"context"
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
	var out []schemas.Indicator
	seen := map[schemas.IndicatorCode]bool{}
	add := func(ind schemas.Indicator) {
		if !seen[ind.Code] {
			seen[ind.Code] = true
			out = append(out, ind)
		}
	}
	for _, k := range d.Key {
		add(k.Indicator)
	}
	for _, inds := range [][]schemas.Indicator{d.PartIndicators, d.NoticeIndicators} {
		for _, ind := range inds {
			add(ind)
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
		func(ctx context.Context) error { return d.addKey(ctx, i, now, held(d.Previous), held(d.LastYear)) },
		func(ctx context.Context) error { return d.addParts(ctx, i, now) },
		func(ctx context.Context) error { return d.addTrends(ctx, i, held) },
		func(ctx context.Context) error { return d.addSplits(ctx, i, now) },
		func(ctx context.Context) error { return d.addNotices(ctx, i, now) },
	)
	return d, err
}

func (d *Deck) addKey(ctx context.Context, i inquiry, periods ...period) error {
	d.Key = make([]KeyFigure, len(deckKey))
	for n, p := range periods {
		s, err := i.statistics(ctx, p.query(d.Division.Code, codesOf(deckKey)))
		if err != nil {
			return err
		}
		for k, ind := range deckKey {
			d.Key[k].Indicator = ind
			*[]*Figure{&d.Key[k].Now, &d.Key[k].Previous, &d.Key[k].LastYear}[n] = p.cell(s, ind)
		}
	}
	return nil
}

func (d *Deck) addParts(ctx context.Context, i inquiry, now period) error {
	d.PartsAre = ByDivision
	if d.Division.Level == schemas.LevelCounty {
		d.PartsAre = ByStation
	}
	whole, err := i.statistics(ctx, now.query(d.Division.Code, codesOf(deckParts)))
	if err != nil {
		return err
	}
	d.PartsAll = now.cells(whole, deckParts)
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
	all, err := i.statistics(ctx, now.query(d.Division.Code, codesOf(deckNotices)))
	if err != nil {
		return err
	}
	d.NoticesAll = now.cells(all, deckNotices)
	return nil
}
