package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// perPage is how many rows a list shows at once.
const perPage = 50

// listPage is a list with a form above it and pages below it.
type listPage struct {
	Heading string
	Intro   string
	Filter  filter
	Words   []fact // the filters in words
	Notes   []note
	Count   string
	Table   table
	Empty   string
	Shown   string
	Before  string
	After   string
	CSV     string
}

// lawyerColumns are the figures of the list of lawyers, which can be sorted by.
var lawyerColumns = []schemas.IndicatorCode{
	schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.PersonsConsulted, schemas.ConsultationsGuided,
	schemas.ApplicationsReceived, schemas.ApplicationsTransferred, schemas.TransferredWithin24h,
}

// lawyersPage lists a division's lawyers with the figures of a year.
func (s *Server) lawyersPage(ctx context.Context, v *visit) (page, error) {
	division := v.division()
	year := v.year("year", v.today().Year())
	search := v.text("search")
	sorted := schemas.IndicatorCode(v.choice("sort", codes[string](lawyerColumns)...))
	offset := v.number("offset", 0, 0, 1_000_000)
	if err := v.err(); err != nil {
		return page{}, err
	}
	r := yearRange(year, v.today())
	register, err := s.read.Lawyers(ctx, v.scope, division, v.asOf)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("lawyers of %s: %w", division, err))
	}
	st, err := s.read.Statistics(ctx, v.scope, report.Query{Division: division, From: r.From, To: r.To, By: []report.Dimension{report.ByLawyer},
		Indicators: lawyerColumns, AsOf: v.asOf, Cut: v.cut, View: v.view})
	if err != nil {
		return page{}, unavailable(fmt.Errorf("figures of lawyers of %s: %w", division, err))
	}
	rows := matching(join(register, st), search)
	slices.SortStableFunc(rows, func(a, b lawyerRow) int {
		return cmp.Or(cmp.Compare(b.Of(sorted), a.Of(sorted)), strings.Compare(a.Licence, b.Licence))
	})

	p := listPage{Heading: v.t("lawyers.title"), Filter: v.lawyerFilter(division, year, search, sorted), Empty: v.t("lawyers.none")}
	p.Table = table{ID: "lawyers", Class: "list",
		Caption: v.t("lawyers.caption", schemas.Divisions.Name(division), year, number(float64(len(rows))), v.indicator(sorted)),
		Head: []cell{headNum(v.t("rank.place")), head(v.t("lawyers.name")), head(v.t("lawyers.licence")), head(v.t("lawyers.kind")),
			head(v.t("lawyers.firm")), head(v.t("lawyers.division"))}}
	for _, code := range lawyerColumns {
		c := v.headOf(code)
		c.Href, c.Title = v.here("sort", string(code), "offset", ""), v.t("lawyers.sort", v.indicator(code))
		if code == sorted {
			c.Sort = "descending"
		}
		p.Table.Head = append(p.Table.Head, c)
	}
	for i := offset; i < len(rows) && i < offset+perPage; i++ {
		l := rows[i]
		cells := []cell{
			{Text: number(float64(i + 1)), Num: true, Muted: true},
			{Text: cmp.Or(l.Name, v.t("lawyers.unknown")), Href: v.link(lawyerPath(l.Licence), "year", strconv.Itoa(year)), Name: true},
			{Text: l.Licence}, {Text: v.lawyerKind(l.Kind)}, {Text: l.Firm}, {Text: schemas.Divisions.Name(l.Division)},
		}
		for _, code := range lawyerColumns {
			cells = append(cells, v.figure(code, zero(code, l.Values[code]), division, r, "lawyer", l.Licence))
		}
		p.Table.Rows = append(p.Table.Rows, cells)
	}
	v.pages(&p, offset, len(p.Table.Rows), int64(len(rows)))
	return page{Template: "list", Title: p.Heading, Menu: "/lawyers", Crumbs: v.crumbs(division, v.t("nav.people")), Body: p}, nil
}

// lawyerRow is a lawyer of the register, or one that only has figures.
type lawyerRow struct {
	report.Lawyer
	report.Values
}

func join(register []report.Lawyer, st report.Statistics) []lawyerRow {
	var out []lawyerRow
	seen := map[string]bool{}
	for _, l := range register {
		seen[l.Licence] = true
		row := lawyerRow{Lawyer: l}
		if r, ok := st.Find(l.Licence); ok {
			row.Values = st.ValuesOf(r)
		}
		out = append(out, row)
	}
	for _, r := range st.Rows {
		if licence := r.Key[0]; licence != "" && !seen[licence] {
			out = append(out, lawyerRow{report.Lawyer{Licence: licence}, st.ValuesOf(r)})
		}
	}
	return out
}

// matching keeps the lawyers whose name, firm or licence contains the words.
func matching(rows []lawyerRow, search string) []lawyerRow {
	if search == "" {
		return rows
	}
	search = strings.ToLower(search)
	return slices.DeleteFunc(rows, func(l lawyerRow) bool {
		return !strings.Contains(strings.ToLower(l.Name+"\n"+l.Firm+"\n"+l.Licence), search)
	})
}

func (v *visit) lawyerKind(kind string) string {
	if kind == "" {
		return ""
	}
	return v.value("lawyer_kind", kind)
}

func (v *visit) lawyerFilter(division schemas.DivisionCode, year int, search string, sorted schemas.IndicatorCode) filter {
	f := filter{Action: "/lawyers", Selects: []choiceField{v.divisionOptions(division), v.yearOptions(year)},
		Search: &textField{"search", v.t("filter.search"), "search", search, ""}}
	v.momentFields(&f)
	if sorted != lawyerColumns[0] {
		f.Hidden = append(f.Hidden, textField{Name: "sort", Value: string(sorted)})
	}
	return f
}

// divisionOptions offers the province, its prefectures, and the counties of the
// prefecture that is chosen.
func (v *visit) divisionOptions(chosen schemas.DivisionCode) choiceField {
	f := choiceField{Name: "division", Label: v.t("filter.division")}
	today := v.today()
	var add func(code schemas.DivisionCode, indent string)
	add = func(code schemas.DivisionCode, indent string) {
		f.Options = append(f.Options, choiceOption{string(code), indent + schemas.Divisions.Name(code), code == chosen})
		for _, child := range schemas.Divisions.Children(code, today, today) {
			if code == schemas.Province || schemas.Divisions.Within(chosen, code) {
				add(child.Code, indent+"　")
			}
		}
	}
	add(schemas.Province, "")
	return f
}

// pages says which rows are shown and leads to those before and after.
func (v *visit) pages(p *listPage, offset, shown int, total int64) {
	if shown == 0 {
		return
	}
	p.Shown = v.t("details.page", number(float64(offset+1)), number(float64(offset+shown)))
	if offset > 0 {
		p.Before = v.here("offset", strconv.Itoa(max(0, offset-perPage)))
		if offset <= perPage {
			p.Before = v.here("offset", "")
		}
	}
	if int64(offset+shown) < total {
		p.After = v.here("offset", strconv.Itoa(offset+shown))
	}
}

// yearRange is a year, up to today when it is not over.
func yearRange(year int, today schemas.Day) report.Range {
	r := report.Range{From: schemas.Date(year, time.January, 1), To: schemas.Date(year, time.December, 31)}
	if today >= r.From && today < r.To {
		r.To = today
	}
	return r
}

// lawyerPage is a lawyer's year.
type lawyerPage struct {
	Heading   string
	Filter    filter
	Downloads []link
	Notes     []note
	Facts     []fact
	Cards     []card
	Months    panel
	Legend    string
}

func (s *Server) lawyerPage(ctx context.Context, v *visit) (page, error) {
	year := v.year("year", v.today().Year())
	if err := v.err(); err != nil {
		return page{}, err
	}
	licence, err := schemas.ParseLicence(v.part("licence"))
	if err != nil {
		return page{}, schemas.Errorf(schemas.NotFound, "%w", err)
	}
	y, err := s.read.LawyerYear(ctx, v.scope, licence.String(), year, v.asOf)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("year %d of lawyer %s: %w", year, licence, err))
	}
	l := y.Lawyer
	name := cmp.Or(l.Name, licence.String())
	p := lawyerPage{
		Heading: v.t("lawyer.title", name, year), Filter: filter{Action: v.request.URL.Path, Selects: []choiceField{v.yearOptions(year)}},
		Downloads: []link{{v.t("download.record"), fileLink(fmt.Sprintf("/api/v1/lawyers/%s/record.xlsx?year=%d", licence, year), v.asOf)}},
		Facts:     []fact{{v.t("lawyers.licence"), licence.String(), ""}},
		Cards:     v.lawyerCards(y), Months: v.lawyerMonths(y), Legend: v.t("lawyer.legend"),
	}
	v.momentFields(&p.Filter)
	if l.Registered {
		p.Facts = append(p.Facts, fact{v.t("lawyers.kind"), v.lawyerKind(l.Kind), ""}, fact{v.t("lawyers.firm"), l.Firm, ""},
			fact{v.t("lawyers.division"), schemas.Divisions.Name(l.Division), v.link("/lawyers", "division", string(l.Division), "year", strconv.Itoa(year))})
	} else {
		p.Notes = append(p.Notes, note{Text: v.t("note.unenrolled")})
	}
	crumbs := []link{{v.t("nav.people"), v.link("/lawyers", "year", strconv.Itoa(year))}, {Text: name}}
	return page{Template: "lawyer", Title: p.Heading, Menu: "/lawyers", Crumbs: crumbs, Body: p}, nil
}

// written shows a figure of a document: the number, X or N.
func (v *visit) written(code schemas.IndicatorCode, f report.Figure) string {
	switch f.Status {
	case report.NotAvailable:
		return v.t("lawyer.na")
	case report.NotApplicable:
		return v.t("lawyer.notapply")
	}
	return v.amount(code, &f.Value).Text
}

// lawyerFigures are the columns of a record, with how to take them of a row.
var lawyerFigures = []struct {
	code schemas.IndicatorCode
	of   func(report.LawyerMonth) report.Figure
}{
	{schemas.Shifts, func(m report.LawyerMonth) report.Figure { return m.Shifts }},
	{schemas.ShiftsOpen, func(m report.LawyerMonth) report.Figure { return m.ShiftsOpen }},
	{schemas.DutyMinutes, func(m report.LawyerMonth) report.Figure { return m.MinutesAll }},
	{schemas.Consultations, func(m report.LawyerMonth) report.Figure { return m.Consultations }},
	{schemas.PersonsConsulted, func(m report.LawyerMonth) report.Figure { return m.Persons }},
	{schemas.ConsultationsGuided, func(m report.LawyerMonth) report.Figure { return m.Guided }},
	{schemas.ConsultationsUnsigned, func(m report.LawyerMonth) report.Figure { return m.Unsigned }},
	{schemas.ApplicationsReceived, func(m report.LawyerMonth) report.Figure { return m.Received }},
	{schemas.ApplicationsTransferred, func(m report.LawyerMonth) report.Figure { return m.Transferred }},
	{schemas.TransferredWithin24h, func(m report.LawyerMonth) report.Figure { return m.Within24h }},
}

func (v *visit) lawyerCards(y report.LawyerYear) []card {
	var out []card
	r := yearRange(y.Year, v.today())
	for _, f := range lawyerFigures {
		ind, err := schemas.Indicators.Lookup(f.code)
		if err != nil {
			continue
		}
		out = append(out, card{Code: f.code, Title: ind.Name.In(string(v.phrases)), Definition: ind.Definition.In(string(v.phrases)),
			Amount: amount{v.written(f.code, f.of(y.Total)), v.unit(ind)}, Open: v.t("figure.open", ind.Name.In(string(v.phrases))),
			Href: v.details(f.code, schemas.Province, r, "lawyer", y.Lawyer.Licence)})
	}
	return out
}

// lawyerMonths is the record as a table, one row a month, and drawn.
func (v *visit) lawyerMonths(y report.LawyerYear) panel {
	t := &table{ID: "months", Class: "record", Caption: v.t("lawyer.months"), Head: []cell{head(v.t("trend.month"))}}
	for _, f := range lawyerFigures {
		t.Head = append(t.Head, v.headOf(f.code))
	}
	t.Groups = []cell{{Span: 1 + len(lawyerFigures)}}
	groups := []struct {
		title  string
		code   schemas.IndicatorCode
		by     report.Dimension
		values []report.Value
		of     func(report.LawyerMonth) []report.Figure
	}{
		{"lawyer.modes", schemas.DutyMinutes, report.ByMode, report.Modes, func(m report.LawyerMonth) []report.Figure { return m.Minutes }},
		{"lawyer.channels", schemas.Consultations, report.ByChannel, report.Channels, func(m report.LawyerMonth) []report.Figure { return m.Channels }},
		{"lawyer.roles", schemas.Consultations, report.ByPersonRole, report.PersonRoles, func(m report.LawyerMonth) []report.Figure { return m.Roles }},
	}
	for _, g := range groups {
		t.Groups = append(t.Groups, cell{Text: v.t(g.title), Span: len(g.values)})
		for _, value := range g.values {
			t.Head = append(t.Head, headNum(value.Name.In(string(v.phrases))))
		}
	}
	row := func(name cell, m report.LawyerMonth, r report.Range) []cell {
		cells := []cell{name}
		fill := func(code schemas.IndicatorCode, f report.Figure, filter ...string) {
			c := cell{Text: v.written(code, f), Num: true}
			if f.Status == report.Known && f.Value != 0 {
				c.Href = v.details(code, schemas.Province, r, append(filter, "lawyer", y.Lawyer.Licence)...)
			}
			cells = append(cells, c)
		}
		for _, f := range lawyerFigures {
			fill(f.code, f.of(m))
		}
		for _, g := range groups {
			for i, f := range g.of(m) {
				fill(g.code, f, string(g.by), g.values[i].Code)
			}
		}
		return cells
	}
	months := make([]string, 12)
	bars := []layer{{Name: v.indicator(schemas.Shifts), Color: blue}, {Name: v.indicator(schemas.Consultations), Color: orange}}
	for i, m := range y.Months {
		month := schemas.Month(y.Year*12 + i)
		months[i] = v.t("month.number", i+1)
		t.Rows = append(t.Rows, row(cell{Text: months[i], Name: true}, m, report.Range{From: month.First(), To: month.Last()}))
		bars[0].Values, bars[1].Values = append(bars[0].Values, m.Shifts.Value), append(bars[1].Values, m.Consultations.Value)
	}
	t.Foot = row(cell{Text: v.t("lawyer.total"), Name: true}, y.Total, report.Range{From: schemas.Date(y.Year, time.January, 1), To: schemas.Date(y.Year, time.December, 31)})
	ind, _ := schemas.Indicators.Lookup(schemas.Shifts)
	c := v.barChart("year", "trend", v.t("lawyer.chart"), v.unit(ind), "months", months, bars, false, false)
	return panel{ID: "record", Title: v.t("lawyer.months"), Chart: &c, Table: t, Wide: true}
}
