package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// dayFigures are those of a day in the calendar, dutyFigures those of a lawyer at
// the station.
var (
	dayFigures  = []schemas.IndicatorCode{schemas.Shifts, schemas.DutyMinutes, schemas.Consultations}
	dutyFigures = []schemas.IndicatorCode{schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.PersonsConsulted, schemas.ApplicationsReceived, schemas.PleaAssistance}
)

// stationPage is a station's month: its figures, its days, its lawyers.
func (s *Server) stationPage(ctx context.Context, v *visit) (page, error) {
	if err := v.err(); err != nil {
		return page{}, err
	}
	code, err := schemas.ParseStationCode(v.part("code"))
	if err != nil {
		return page{}, schemas.Errorf(schemas.NotFound, "%w", err)
	}
	st, err := s.read.Station(ctx, v.scope, code, v.asOf)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("station %s: %w", code, err))
	}
	home := cmp.Or(st.Reporting, code.Division())
	// The figures are asked of all that the visitor sees: where a station reports
	// may change from one month to the other, what it did stays its own.
	filter := []string{"station", string(code)}
	q := report.OverviewQuery{
		Query: report.Query{Division: v.home, Indicators: codesOf(stationGroups, v.main), AsOf: v.asOf, Cut: v.cut, View: v.view,
			Filter: map[report.Dimension][]string{report.ByStation: {string(code)}}},
		Month: v.month, Main: v.main,
		Splits: append(splitsOf(splitDims), report.Split{By: report.ByDay, Indicators: dayFigures}, report.Split{By: report.ByLawyer, Indicators: dutyFigures}),
	}
	o, err := report.ReadOverview(ctx, s.read, v.scope, q, v.today())
	if err != nil {
		return page{}, unavailable(err)
	}
	lawyers, err := s.lawyerNames(ctx, v)
	if err != nil {
		return page{}, err
	}

	name := v.stationName(st)
	kind := cmp.Or(st.Kind, code.Kind())
	p := overviewPage{
		Heading: name, Month: v.month.Title().In(string(v.phrases)), Filter: v.monthFilter(), Notes: v.notes(o, name),
		Facts: []fact{
			{v.t("station.code"), string(code), ""},
			{v.t("station.kind"), kind.Title().In(string(v.phrases)), ""},
			{v.t("station.reporting"), schemas.Divisions.Name(home), v.toDivision(home)},
			{v.t("station.location"), schemas.Divisions.Name(cmp.Or(st.Location, code.Division())), ""},
		},
		Blocks: v.blocks(o, stationGroups, v.home, filter...),
		Left:   v.calendarPanel(o, v.home, filter...),
		Rank:   v.lawyersOnDuty(o, lawyers, filter...),
		Trend:  v.trendPanel(o, v.main, v.home, filter...),
	}
	if !st.Registered {
		p.Notes = append(p.Notes, note{Text: v.t("note.unknown", schemas.Divisions.Name(home))})
	}
	for _, dim := range splitDims {
		p.Splits = append(p.Splits, v.splitPanel(o, dim, v.home, filter...))
	}
	crumbs := append(v.crumbs(home, ""), link{Text: name})
	if n := len(crumbs); n > 1 {
		crumbs[n-2].Href = v.toDivision(home)
	}
	return v.overview(p, name, crumbs), nil
}

// lawyerNames are the names of all enrolled lawyers by licence.
func (s *Server) lawyerNames(ctx context.Context, v *visit) (map[string]string, error) {
	all, err := s.read.Lawyers(ctx, v.scope, v.home, v.asOf)
	if err != nil {
		return nil, unavailable(fmt.Errorf("names of lawyers: %w", err))
	}
	names := make(map[string]string, len(all))
	for _, l := range all {
		names[l.Licence] = l.Name
	}
	return names, nil
}

// calendarPanel is the month as a calendar: what each day held.
func (v *visit) calendarPanel(o report.Overview, division schemas.DivisionCode, filter ...string) *panel {
	st := o.Splits[report.ByDay]
	t := &table{ID: "days", Class: "calendar", Caption: v.t("calendar.caption", v.month.Title().In(string(v.phrases)))}
	for i := 1; i <= 7; i++ {
		t.Head = append(t.Head, head(v.t("weekday."+strconv.Itoa(i))))
	}
	first := o.Month.First()
	lead := (int(first.Weekday()) + 6) % 7 // Monday first
	week := make([]cell, lead, 7)
	for day := first; day <= o.Month.Last(); day++ {
		c := cell{Text: strconv.Itoa(int(day-first) + 1), Muted: !schemas.Holidays.Working(day)}
		if row, ok := st.Find(day.String()); ok {
			shifts, minutes, consultations := st.Value(row, schemas.Shifts), st.Value(row, schemas.DutyMinutes), st.Value(row, schemas.Consultations)
			if shifts != 0 || minutes != 0 || consultations != 0 {
				figure := schemas.Shifts
				if shifts == 0 {
					figure = schemas.Consultations
				}
				c.Lines = []string{v.t("calendar.shifts", number(shifts)), v.t("calendar.hours", number(minutes/60)), v.t("calendar.consults", number(consultations))}
				c.Title = day.String() + " " + strings.Join(c.Lines, " ")
				c.Href = v.details(figure, division, report.Range{From: day, To: day}, filter...)
			}
		}
		if week = append(week, c); len(week) == 7 {
			t.Rows, week = append(t.Rows, week), nil
		}
	}
	if len(week) > 0 {
		t.Rows = append(t.Rows, append(week, make([]cell, 7-len(week))...))
	}
	return &panel{ID: "calendar", Title: v.t("calendar.title"), Table: t}
}

// lawyersOnDuty lists who was on duty at a station.
func (v *visit) lawyersOnDuty(o report.Overview, names map[string]string, filter ...string) *panel {
	st := o.Splits[report.ByLawyer]
	t := &table{ID: "rank", Caption: v.t("station.lawyers"), Head: []cell{head(v.t("lawyers.name")), head(v.t("lawyers.licence"))}}
	for _, code := range dutyFigures {
		t.Head = append(t.Head, v.headOf(code))
	}
	rows := slices.Clone(st.Rows)
	slices.SortStableFunc(rows, func(a, b report.Row) int {
		return cmp.Or(cmp.Compare(st.Value(b, schemas.Shifts), st.Value(a, schemas.Shifts)), cmp.Compare(st.Value(b, schemas.Consultations), st.Value(a, schemas.Consultations)), cmp.Compare(a.Key[0], b.Key[0]))
	})
	for _, row := range rows {
		licence := row.Key[0]
		if licence == "" {
			continue
		}
		values := st.ValuesOf(row)
		cells := []cell{{Text: cmp.Or(names[licence], v.t("lawyers.unknown")), Href: v.toLawyer(licence), Name: true}, {Text: licence}}
		for _, code := range dutyFigures {
			cells = append(cells, v.figure(code, zero(code, values[code]), v.home, o.Now, append(slices.Clone(filter), "lawyer", licence)...))
		}
		t.Rows = append(t.Rows, cells)
	}
	return &panel{ID: "ranking", Title: v.t("station.lawyers"), Table: t}
}
