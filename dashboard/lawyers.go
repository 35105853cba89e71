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
	"zhiban/schemas/access"
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
	XLSX    string
}

// lawyerColumns are the figures of the list of lawyers, which can be sorted by.
var lawyerColumns = []schemas.IndicatorCode{
	schemas.Shifts, schemas.DutyMinutes, schemas.NoShows, schemas.Consultations, schemas.PersonsConsulted, schemas.ConsultationsUnsigned, schemas.LateEntryRate,
	schemas.ApplicationsReceived, schemas.TransferredWithin24h, schemas.PersonsHelped, schemas.PleaAssistance, schemas.Opinions, schemas.OpinionsAdopted,
	schemas.Satisfaction, schemas.TrainingHours, schemas.ConductUpheld, schemas.Honours,
}

// baseOf is what a ratio or a mean of the list is over, "" for other figures.
func baseOf(code schemas.IndicatorCode) schemas.IndicatorCode {
	ind, err := schemas.Indicators.Lookup(code)
	if err != nil || !ind.Divided() {
		return ""
	}
	return ind.Over
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
	asked := slices.Clone(lawyerColumns)
	for _, code := range lawyerColumns {
		if base := baseOf(code); base != "" {
			asked = append(asked, base)
		}
	}
	st, err := s.read.Statistics(ctx, v.scope, report.Query{Division: division, From: r.From, To: r.To, By: []report.Dimension{report.ByLawyer},
		Indicators: asked, AsOf: v.asOf, Cut: v.cut, View: v.view})
	if err != nil {
		return page{}, unavailable(fmt.Errorf("figures of lawyers of %s: %w", division, err))
	}
	rows := matching(join(register, st), search)
	// Who has too few cases for a rate to mean anything comes last, without a
	// place.
	ranked := func(l lawyerRow) bool { return baseOf(sorted) == "" || l.Of(baseOf(sorted)) >= report.LeastBase }
	slices.SortStableFunc(rows, func(a, b lawyerRow) int {
		switch {
		case ranked(a) && !ranked(b):
			return -1
		case ranked(b) && !ranked(a):
			return 1
		}
		return cmp.Or(cmp.Compare(b.Of(sorted), a.Of(sorted)), strings.Compare(a.Licence, b.Licence))
	})

	p := listPage{Heading: v.t("lawyers.title"), Filter: v.lawyerFilter(division, year, search, sorted), Empty: v.t("lawyers.none")}
	p.Table = table{ID: "lawyers", Class: "list",
		Caption: v.t("lawyers.caption", schemas.Divisions.Name(division), year, number(float64(len(rows))), v.indicator(sorted)),
		Head: []cell{headNum(v.t("rank.place")), head(v.t("lawyers.name")), head(v.t("lawyers.licence")),
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
			{Text: cmp.Or(l.Name, v.t("lawyers.unknown")), Href: v.toLawyer(l.Licence, "year", strconv.Itoa(year)), Name: true},
			{Text: l.Licence}, {Text: l.Firm, Sub: v.lawyerKind(l.Kind)}, {Text: schemas.Divisions.Name(l.Division)},
		}
		if !ranked(l) {
			cells[0].Text = v.t("figure.none")
		}
		for _, code := range lawyerColumns {
			c := v.figure(code, zero(code, l.Values[code]), division, r, "lawyer", l.Licence)
			if base := baseOf(code); base != "" && l.Of(base) > 0 {
				c.Sub = v.t("figure.n", number(l.Of(base)))
			}
			cells = append(cells, c)
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
		Searches: []textField{{"search", v.t("filter.search"), "search", search, ""}}}
	v.momentFields(&f)
	if sorted != lawyerColumns[0] {
		f.Hidden = append(f.Hidden, textField{Name: "sort", Value: string(sorted)})
	}
	return f
}

// divisionOptions offers the visitor's division, those below it, and the
// counties of the prefecture that is chosen.
func (v *visit) divisionOptions(chosen schemas.DivisionCode) choiceField {
	f := choiceField{Name: "division", Label: v.t("filter.division")}
	today := v.today()
	var add func(code schemas.DivisionCode, indent string)
	add = func(code schemas.DivisionCode, indent string) {
		f.Options = append(f.Options, choiceOption{string(code), indent + schemas.Divisions.Name(code), code == chosen})
		for _, child := range schemas.Divisions.Children(code, today, today) {
			if code == schemas.Province || v.scope.Station == "" && schemas.Divisions.Within(chosen, code) {
				add(child.Code, indent+"　")
			}
		}
	}
	add(v.home, "")
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
	Evidence  panel
	Months    panel
	Help      panel
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
		Evidence:  v.lawyerEvidence(y), Months: v.lawyerMonths(y), Help: v.lawyerHelp(y),
		Legend: v.t("lawyer.legend", report.LeastPeers, report.LeastBase),
	}
	if y.Total.Of(schemas.Complaints).Withheld {
		p.Legend += " " + v.t("figure.small", access.SmallCell)
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

// lawyerEvidence is the year in figures: each with what it is measured against
// and its place among the lawyers of the county and of the prefecture.
func (v *visit) lawyerEvidence(y report.LawyerYear) panel {
	t := &table{ID: "evidence", Class: "evidence", Caption: v.t("lawyer.evidence"), Groups: []cell{{Span: 2}, {Text: v.t("lawyer.base"), Span: 2}, {Text: v.t("lawyer.rate"), Span: 2}, {Text: v.t("lawyer.places"), Span: 2}},
		Head: []cell{head(v.t("posting.indicator")), headNum(v.t("year", y.Year)), headNum(v.t("posting.indicator")), headNum(v.t("posting.quantity")), headNum(v.t("lawyer.rate.name")),
			headNum(v.t("lawyer.rate")), headNum(v.t("lawyer.county")), headNum(v.t("lawyer.prefecture"))}}
	r := yearRange(y.Year, v.today())
	opened := func(ind schemas.Indicator, f report.Figure) cell {
		c := cell{Text: v.written(ind.Code, f), Num: true}
		if f.Status == report.Known && f.Value != 0 {
			c.Href = v.details(ind.Code, v.home, r, "lawyer", y.Lawyer.Licence)
			c.Title = v.t("figure.open", ind.Name.In(string(v.phrases)))
		}
		return c
	}
	place := func(p report.Place) cell {
		if p.Rank == 0 {
			return cell{Text: v.t("figure.none"), Num: true, Muted: true}
		}
		return cell{Text: v.t("lawyer.place", p.Rank, p.Of), Num: true}
	}
	for _, e := range y.Evidence {
		row := []cell{{Text: e.Indicator.Name.In(string(v.phrases)), Sub: v.unit(e.Indicator), Name: true}, opened(e.Indicator, e.Year), {}, {Num: true}, {}, {Num: true}, place(e.County), place(e.Whole)}
		if e.Base != nil {
			row[2].Text, row[3] = e.Base.Name.In(string(v.phrases)), opened(*e.Base, e.Of)
		}
		if name := e.RateName.In(string(v.phrases)); name != "" {
			row[4].Text, row[5].Text = name, v.lettered(e.Rate)
			if e.Rate.Status == report.Known {
				row[5].Text = v.share(e.Rate.Value, 1)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return panel{ID: "year-evidence", Title: v.t("lawyer.evidence"), Table: t, Wide: true}
}

// lettered is the letter of a figure that is no number, "" for a number.
func (v *visit) lettered(f report.Figure) string {
	switch {
	case f.Withheld:
		return "＊"
	case f.Status == report.NotAvailable:
		return v.t("lawyer.na")
	case f.Status == report.NotApplicable:
		return v.t("lawyer.notapply")
	}
	return ""
}

// written shows a figure of a document: the number, X or N.
func (v *visit) written(code schemas.IndicatorCode, f report.Figure) string {
	if f.Status != report.Known {
		return v.lettered(f)
	}
	return v.amount(code, &f.Value).Text
}

// monthParts is a block of columns: an indicator by a closed set of values.
type monthParts struct {
	title  string
	code   schemas.IndicatorCode
	by     report.Dimension
	values []report.Value
	of     func(report.LawyerMonth) []report.Figure
}

// monthTable is columns of the record as a table, one row a month.
func (v *visit) monthTable(y report.LawyerYear, id, caption string, columns []schemas.Indicator, parts ...monthParts) *table {
	t := &table{ID: id, Class: "record", Caption: caption, Head: []cell{head(v.t("trend.month"))}}
	for _, ind := range columns {
		t.Head = append(t.Head, v.headOf(ind.Code))
	}
	if len(parts) > 0 {
		t.Groups = []cell{{Span: 1 + len(columns)}}
	}
	for _, g := range parts {
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
				c.Href = v.details(code, v.home, r, append(filter, "lawyer", y.Lawyer.Licence)...)
			}
			cells = append(cells, c)
		}
		for _, ind := range columns {
			fill(ind.Code, m.Of(ind.Code))
		}
		for _, g := range parts {
			for i, f := range g.of(m) {
				fill(g.code, f, string(g.by), g.values[i].Code)
			}
		}
		return cells
	}
	for i, m := range y.Months {
		month := schemas.Month(y.Year*12 + i)
		t.Rows = append(t.Rows, row(cell{Text: v.t("month.number", i+1), Name: true}, m, report.Range{From: month.First(), To: month.Last()}))
	}
	t.Foot = row(cell{Text: v.t("lawyer.total"), Name: true}, y.Total, report.Range{From: schemas.Date(y.Year, time.January, 1), To: schemas.Date(y.Year, time.December, 31)})
	return t
}

// lawyerMonths is the duty of the year month by month, as a table and drawn.
func (v *visit) lawyerMonths(y report.LawyerYear) panel {
	t := v.monthTable(y, "months", v.t("lawyer.months"), report.DutyIndicators(),
		monthParts{"lawyer.modes", schemas.DutyMinutes, report.ByMode, report.Modes, func(m report.LawyerMonth) []report.Figure { return m.Minutes }},
		monthParts{"lawyer.channels", schemas.Consultations, report.ByChannel, report.Channels, func(m report.LawyerMonth) []report.Figure { return m.Channels }},
		monthParts{"lawyer.roles", schemas.Consultations, report.ByPersonRole, report.PersonRoles, func(m report.LawyerMonth) []report.Figure { return m.Roles }})
	months := make([]string, 12)
	bars := []layer{{Name: v.indicator(schemas.Shifts), Color: blue}, {Name: v.indicator(schemas.Consultations), Color: orange}}
	for i, m := range y.Months {
		months[i] = v.t("month.number", i+1)
		bars[0].Values, bars[1].Values = append(bars[0].Values, m.Of(schemas.Shifts).Value), append(bars[1].Values, m.Of(schemas.Consultations).Value)
	}
	ind, _ := schemas.Indicators.Lookup(schemas.Shifts)
	c := v.barChart("year", "trend", v.t("lawyer.chart"), v.unit(ind), "months", months, bars, false, false)
	return panel{ID: "record", Title: v.t("lawyer.months"), Chart: &c, Table: t, Wide: true}
}

// lawyerHelp is everything else that was done, month by month.
func (v *visit) lawyerHelp(y report.LawyerYear) panel {
	return panel{ID: "help", Title: v.t("lawyer.help"), Table: v.monthTable(y, "help-months", v.t("lawyer.help"), report.HelpIndicators()), Wide: true}
}
