package report

import (
	"cmp"
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

	Kinds       DeckTable // by kind of station
	Supervision DeckTable // help requests and correction opinions by organ
	Team        []KeyFigure
	Firms       DeckTable // those with the most shifts, at most [DeckFirms]
	FirmCount   int       // all firms with figures
	Matters     DeckTable // meetings, matters and inspections, by the parts of the division
}

// DeckTable is rows of figures in the order of Indicators, and the whole,
// counted anew.
type DeckTable struct {
	Indicators []schemas.Indicator
	Rows       []DeckRow
	All        []Figure
}

// DeckFirms is how many firms a deck names.
const DeckFirms = 12

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
		schemas.ApplicationsReceived, schemas.TransferredWithin24h, schemas.PleaAssistance, schemas.Opinions,
		schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsOverdue)
	deckParts = lookup(
		schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.PersonsConsulted,
		schemas.ApplicationsReceived, schemas.TransferredWithin24h, schemas.NotificationsDue, schemas.NotificationsOverdue)
	deckTrends  = lookup(schemas.Consultations, schemas.Shifts)
	deckNotices = lookup(
		schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsLate,
		schemas.NotificationsUnevid, schemas.NotificationsOverdue, schemas.NotificationsOpen)
	deckKinds = lookup(
		schemas.Stations, schemas.Shifts, schemas.DutyMinutes, schemas.NoShows, schemas.Consultations, schemas.PersonsConsulted,
		schemas.ApplicationsReceived, schemas.PleaAssistance, schemas.Opinions, schemas.Satisfaction)
	deckSupervision = lookup(
		schemas.HelpRequests, schemas.HelpRequestsDispatched, schemas.CorrectionsIssued, schemas.CorrectionsAnswered, schemas.CorrectionsClosed)
	deckTeam = lookup(
		schemas.Lawyers, schemas.NoShows, schemas.SubsidiesDue, schemas.SubsidiesPaid, schemas.TrainingHours,
		schemas.FeedbackCount, schemas.Satisfaction, schemas.ConductUpheld, schemas.Honours)
	deckFirms = lookup(
		schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.PleaAssistance, schemas.Opinions, schemas.OpinionsAdopted, schemas.TrainingHours)
	deckMatters = lookup(
		schemas.JointMeetings, schemas.MattersReported, schemas.MattersOpen, schemas.RosterDeliveries,
		schemas.Inspections, schemas.InspectionsMet, schemas.InspectionPassRate)
	deckSplits = []struct {
		code schemas.IndicatorCode
		by   Dimension
	}{{schemas.Consultations, ByChannel}, {schemas.Consultations, ByPersonRole}, {schemas.Shifts, ByMode}}
)

// Indicators lists every indicator of the deck once, for its definitions.
func (d Deck) Indicators() []schemas.Indicator {
	var key []schemas.Indicator
	for _, k := range slices.Concat(d.Key, d.Team) {
		key = append(key, k.Indicator)
	}
	return union(key, d.PartIndicators, d.Kinds.Indicators, d.NoticeIndicators, d.Supervision.Indicators, d.Firms.Indicators, d.Matters.Indicators)
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
		Kinds: DeckTable{Indicators: deckKinds}, Supervision: DeckTable{Indicators: deckSupervision},
		Firms: DeckTable{Indicators: deckFirms}, Matters: DeckTable{Indicators: deckMatters},
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
		func(ctx context.Context) error { return d.addOrgans(ctx, i, now) },
		func(ctx context.Context) error { return d.addKinds(ctx, i, now) },
		func(ctx context.Context) error { return d.addFirms(ctx, i, now) },
	)
	return d, err
}

// addWhole asks for the division as a whole: the key figures of the three
// periods, and what the tables end with.
func (d *Deck) addWhole(ctx context.Context, i inquiry, now, previous, lastYear period) error {
	d.Key, d.Team = make([]KeyFigure, len(deckKey)), make([]KeyFigure, len(deckTeam))
	for n, p := range []period{now, previous, lastYear} {
		inds := union(deckKey, deckTeam)
		if n == 0 {
			inds = union(inds, deckParts, deckNotices, deckKinds, deckSupervision, deckFirms, deckMatters)
		}
		s, err := i.statistics(ctx, p.query(d.Division.Code, codesOf(inds)))
		if err != nil {
			return err
		}
		put := func(inds []schemas.Indicator, into []KeyFigure) {
			for k, ind := range inds {
				into[k].Indicator = ind
				*[]*Figure{&into[k].Now, &into[k].Previous, &into[k].LastYear}[n] = p.cell(s, ind)
			}
		}
		put(deckKey, d.Key)
		put(deckTeam, d.Team)
		if n == 0 {
			d.PartsAll, d.NoticesAll = p.cells(s, deckParts), p.cells(s, deckNotices)
			d.Kinds.All, d.Supervision.All = p.cells(s, deckKinds), p.cells(s, deckSupervision)
			d.Firms.All, d.Matters.All = p.cells(s, deckFirms), p.cells(s, deckMatters)
		}
	}
	return nil
}

// addParts asks for the parts of the division: what they did, and their
// meetings, matters and inspections.
func (d *Deck) addParts(ctx context.Context, i inquiry, now period) error {
	d.PartsAre = ByDivision
	if d.Division.Level == schemas.LevelCounty {
		d.PartsAre = ByStation
	}
	s, err := i.statistics(ctx, now.query(d.Division.Code, codesOf(union(deckParts, deckMatters)), d.PartsAre))
	if err != nil {
		return err
	}
	add := func(name, key string) {
		d.Parts = append(d.Parts, DeckRow{name, now.cells(s, deckParts, key)})
		d.Matters.Rows = append(d.Matters.Rows, DeckRow{name, now.cells(s, deckMatters, key)})
	}
	if d.PartsAre == ByDivision {
		for _, c := range i.children(s, d.Division, now) {
			name := c.Division.Name
			if c.Own {
				name = "本级"
			}
			add(name, string(c.Division.Code))
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
		add(name, string(st.Code))
	}
	some := func(figures []Figure) bool {
		return slices.ContainsFunc(figures, func(f Figure) bool { return f.Value != 0 })
	}
	if rest := (DeckRow{"工作站以外", now.cells(s, deckParts, "")}); some(rest.Figures) {
		d.Parts = append(d.Parts, rest)
	}
	if rest := (DeckRow{"工作站以外", now.cells(s, deckMatters, "")}); some(rest.Figures) {
		d.Matters.Rows = append(d.Matters.Rows, rest)
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

func (d *Deck) addOrgans(ctx context.Context, i inquiry, now period) error {
	s, err := i.statistics(ctx, now.query(d.Division.Code, codesOf(union(deckNotices, deckSupervision)), ByOrgan))
	if err != nil {
		return err
	}
	for _, organ := range Organs {
		d.Notices = append(d.Notices, DeckRow{organ.Name.ZH, now.cells(s, deckNotices, organ.Code)})
		d.Supervision.Rows = append(d.Supervision.Rows, DeckRow{organ.Name.ZH, now.cells(s, deckSupervision, organ.Code)})
	}
	return nil
}

func (d *Deck) addKinds(ctx context.Context, i inquiry, now period) error {
	s, err := i.statistics(ctx, now.query(d.Division.Code, codesOf(deckKinds), ByStationKind))
	if err != nil {
		return err
	}
	for _, kind := range valuesOf(ByStationKind) {
		d.Kinds.Rows = append(d.Kinds.Rows, DeckRow{kind.Name.ZH, now.cells(s, deckKinds, kind.Code)})
	}
	return nil
}

// addFirms names the firms whose lawyers were on duty most.
func (d *Deck) addFirms(ctx context.Context, i inquiry, now period) error {
	s, err := i.statistics(ctx, now.query(d.Division.Code, codesOf(deckFirms), ByFirm))
	if err != nil {
		return err
	}
	rows := slices.DeleteFunc(slices.Clone(s.Rows), func(r Row) bool { return r.Key[0] == "" })
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(s.Value(b, schemas.Shifts), s.Value(a, schemas.Shifts)), cmp.Compare(s.Value(b, schemas.Consultations), s.Value(a, schemas.Consultations)),
			cmp.Compare(a.Key[0], b.Key[0]))
	})
	d.FirmCount = len(rows)
	for _, row := range rows[:min(len(rows), DeckFirms)] {
		d.Firms.Rows = append(d.Firms.Rows, DeckRow{row.Key[0], now.cells(s, deckFirms, row.Key[0])})
	}
	return nil
}
