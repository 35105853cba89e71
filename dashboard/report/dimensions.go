package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"zhiban/schemas"
)

// fragment is a piece of SQL with the values of its placeholders. SQL text is
// written in this package alone; whatever a person asks for is a value.
type fragment struct {
	sql  string
	args []any
}

func (f *fragment) and(g fragment) {
	switch {
	case g.sql == "":
	case f.sql == "":
		*f = g
	default:
		f.sql += " AND " + g.sql
		f.args = append(f.args, g.args...)
	}
}

// dimension says how a dimension's value is found in a row of postings. A
// filter on it compares the same value, so splitting and filtering agree.
type dimension struct {
	value   func(*plan) fragment
	columns []string // that the value is made of
	group   string   // of what the value is a text: the first day of a period, a number; of one column
	filter  bool
}

// dimensions is the table of all ways to split and filter.
var dimensions = map[Dimension]dimension{
	ByDivision:    {value: (*plan).child, columns: []string{"source", "day"}},
	ByCounty:      {value: (*plan).leaf, columns: []string{"source", "day"}},
	ByStation:     {value: text("if(position(source, '-') > 0, toString(source), '')"), columns: []string{"source"}, filter: true},
	ByStationKind: {value: text("multiIf(position(source, '-court') > 0, 'court', position(source, '-procuratorate') > 0, 'procuratorate', position(source, '-detention') > 0, 'detention_centre', '')"), columns: []string{"source"}, filter: true},
	ByLawyer:      {value: text("if(lawyer = 0, '', leftPad(toString(lawyer), 17, '0'))"), columns: []string{"lawyer"}, group: "lawyer", filter: true},
	ByFirm:        {value: (*plan).firm, columns: []string{"lawyer"}, filter: true},
	ByMode:        {value: text("toString(mode)"), columns: []string{"mode"}, filter: true},
	ByChannel:     {value: text("toString(channel)"), columns: []string{"channel"}, filter: true},
	ByPersonRole:  {value: text("toString(person_role)"), columns: []string{"person_role"}, filter: true},
	ByOrgan:       {value: text("toString(organ)"), columns: []string{"organ"}, filter: true},
	ByDay:         {value: ofDay("toString(day)"), columns: []string{"day"}, group: "day"},
	ByMonth:       {value: ofDay("formatDateTime(day, '%Y-%m')"), columns: []string{"day"}, group: "toStartOfMonth(day)"},
	ByQuarter:     {value: ofDay("concat(toString(toYear(day)), '-Q', toString(toQuarter(day)))"), columns: []string{"day"}, group: "toStartOfQuarter(day)"},
	ByYear:        {value: ofDay("toString(toYear(day))"), columns: []string{"day"}, group: "toStartOfYear(day)"},
}

func text(sql string) func(*plan) fragment {
	return func(*plan) fragment { return fragment{sql: sql} }
}

// ofDay is a text made of a posting's day.
func ofDay(sql string) func(*plan) fragment {
	return func(p *plan) fragment { return fragment{sql: strings.ReplaceAll(sql, "day", p.day())} }
}

func isTime(d Dimension) bool { return slices.Equal(dimensions[d].columns, []string{"day"}) }

// Filterable tells whether a dimension can be a filter.
func Filterable(d Dimension) bool { return dimensions[d].filter }

// DimensionNames lists the dimensions by name.
func DimensionNames() []string {
	var names []string
	for d := range dimensions {
		names = append(names, string(d))
	}
	slices.Sort(names)
	return names
}

// parts are the values of the dimensions that a row belongs to, as columns k0, k1,
// … behind a comma; a period is its first day, a lawyer a number. Grouping by them takes
// a fraction of the time that texts take, which partTexts makes of them at the end.
func (p *plan) parts() fragment {
	var f fragment
	if len(p.Columns) > 0 { // a posting is in every range that has its day
		var numbers, from, to []string
		for k, r := range p.Columns {
			if p.stock && !slices.Contains(p.ends, k) {
				continue
			}
			if p.stock {
				r.From = 0
			}
			numbers, from, to = append(numbers, strconv.Itoa(k)), append(from, date(r.From)), append(to, date(r.To))
		}
		f = fragment{", arrayJoin(arrayFilter((number, since, until) -> " + p.day() + " >= since AND " + p.day() + " <= until, ?::Array(String), ?::Array(Date), ?::Array(Date))) AS range", []any{numbers, from, to}}
	}
	for i, d := range p.By {
		v := dimensions[d].value(p)
		if d == ByFirm { // whose name can have anything in it
			v = p.firmAs(strconv.Quote)
		}
		if group := dimensions[d].group; group != "" {
			v = fragment{sql: strings.ReplaceAll(group, "day", p.day())}
		}
		f.sql += ", " + v.sql + " AS k" + strconv.Itoa(i)
		f.args = append(f.args, v.args...)
	}
	return f
}

// partNames are the names of the parts, behind a comma.
func (p *plan) partNames() string {
	var names string
	if len(p.Columns) > 0 {
		names = ", range"
	}
	for i := range p.By {
		names += ", k" + strconv.Itoa(i)
	}
	return names
}

// partTexts are the texts of the values of the parts, none of which has a line break.
func (p *plan) partTexts() []string {
	var texts []string
	if len(p.Columns) > 0 {
		texts = append(texts, "range")
	}
	for i, d := range p.By {
		k := "k" + strconv.Itoa(i)
		text := k
		if of := dimensions[d]; of.group != "" {
			text = strings.ReplaceAll(of.value(p.on("day")).sql, of.columns[0], k)
		}
		texts = append(texts, text)
	}
	return texts
}

// where selects the postings of some indicators in the query's range, scope,
// division and filters, up to its cut. A zero from is no lower bound.
func (p *plan) where(codes []schemas.IndicatorCode, from schemas.Day) fragment {
	return p.within(codes, reading{from: from, to: p.To})
}

// within does so for a reading.
func (p *plan) within(codes []schemas.IndicatorCode, r reading) fragment {
	day, cut := "day", p.cut.condition()
	switch {
	case r.rolled:
		day, cut = "month", p.cut.spans(p.divided)
	case r.rest:
		cut = p.cut.rest(p.divided)
	}
	p = p.on(day)
	f := fragment{"indicator IN ? AND " + day + " <= ?", []any{names(codes), date(r.to)}}
	if r.from != 0 {
		f.and(fragment{day + " >= ?", []any{date(r.from)}})
	}
	f.and(fragment{sql: cut})
	if p.Division != schemas.Province && p.scope.Station == "" {
		leaf := p.leaf()
		var within []string
		for _, d := range schemas.Divisions.All() {
			if slices.Contains(pathTo(d.Code, p.Elsewhere), p.Division) {
				within = append(within, string(d.Code))
			}
		}
		f.and(fragment{leaf.sql + " IN ?", append(leaf.args, within)})
	}
	if p.scope.Station != "" {
		f.and(fragment{"source = ?", []any{string(p.scope.Station)}})
	}
	for _, d := range slices.Sorted(maps.Keys(p.Filter)) {
		if d == ByLawyer {
			f.and(fragment{"lawyer IN ?", []any{numbers(p.Filter[d])}})
			continue
		}
		v := dimensions[d].value(p)
		f.and(fragment{v.sql + " IN ?", append(v.args, p.Filter[d])})
	}
	return f
}

// numbers are the licences that some texts are; no text at all is no lawyer.
func numbers(licences []string) []uint64 {
	var out []uint64
	for _, text := range licences {
		if n, err := schemas.ParseLicence(text); err == nil && n.String() == text || text == "" {
			out = append(out, uint64(n))
		}
	}
	return out
}

func names(codes []schemas.IndicatorCode) []string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = string(c)
	}
	return out
}

// leaf is the division to which a posting reports: the one stated in the
// station's registration, else the one in its code; under the tree of the
// posting's day, or of today. What is a stock stands at the end of the range.
func (p *plan) leaf() fragment {
	day := fragment{sql: p.day()}
	if p.stock {
		day = fragment{"toDate(?)", []any{date(p.To)}}
	}
	f := fragment{sql: "substring(source, 1, 6)"}
	var codes, reporting []string
	for _, code := range slices.Sorted(maps.Keys(p.register.stations)) {
		if s := p.register.stations[code]; s.Reporting != code.Division() {
			codes, reporting = append(codes, string(code)), append(reporting, string(s.Reporting))
		}
	}
	if len(codes) > 0 {
		f = fragment{"transform(source, ?, ?, substring(source, 1, 6))", []any{codes, reporting}}
	}
	for _, m := range schemas.Divisions.Moves() {
		inner := f
		if p.View == schemas.ViewNow {
			if schemas.DayOf(p.asOf) >= m.On {
				f = fragment{"transform(" + inner.sql + ", ?, ?)", slices.Concat(inner.args, []any{[]string{string(m.Old)}, []string{string(m.New)}})}
			}
			continue
		}
		switch from, to := p.From, p.To; { // which most questions have on one side of the move
		case !p.stock && from >= m.On:
			f = fragment{"transform(" + inner.sql + ", ?, ?)", slices.Concat(inner.args, []any{[]string{string(m.Old)}, []string{string(m.New)}})}
			continue
		case to < m.On:
			f = fragment{"transform(" + inner.sql + ", ?, ?)", slices.Concat(inner.args, []any{[]string{string(m.New)}, []string{string(m.Old)}})}
			continue
		}
		f = fragment{
			"if(" + day.sql + " < ?, transform(" + inner.sql + ", ?, ?), transform(" + inner.sql + ", ?, ?))",
			slices.Concat(day.args, []any{date(m.On)},
				inner.args, []any{[]string{string(m.New)}, []string{string(m.Old)}},
				inner.args, []any{[]string{string(m.Old)}, []string{string(m.New)}}),
		}
	}
	return f
}

// pathTo is the line of divisions from the province down to code.
func pathTo(code schemas.DivisionCode, elsewhere map[schemas.DivisionCode]schemas.DivisionCode) []schemas.DivisionCode {
	var out []schemas.DivisionCode
	for d, ok := schemas.Divisions.Get(code); ok; d, ok = schemas.Divisions.Get(cmp.Or(elsewhere[d.Code], d.Parent)) {
		out = append(out, d.Code)
	}
	slices.Reverse(out)
	return out
}

// child is the division directly under the one asked for, or that one itself
// for what reports to it without a division between.
func (p *plan) child() fragment {
	if p.scope.Station != "" { // whose figures are of one place, wherever that reported
		return fragment{"toString(?)", []any{string(p.Division)}}
	}
	leaf := p.leaf()
	var from, to []string
	for _, d := range schemas.Divisions.All() {
		path := pathTo(d.Code, p.Elsewhere)
		i := slices.Index(path, p.Division)
		if i < 0 {
			continue
		}
		from, to = append(from, string(d.Code)), append(to, string(path[min(i+1, len(path)-1)]))
	}
	return fragment{"transform(" + leaf.sql + ", ?, ?, '')", slices.Concat(leaf.args, []any{from, to})}
}

// firm is the firm at which the lawyer is enrolled.
func (p *plan) firm() fragment { return p.firmAs(func(name string) string { return name }) }

// firmAs is what a function makes of its name.
func (p *plan) firmAs(text func(name string) string) fragment {
	licences, firms := []uint64{0}, []string{text("")}
	for _, l := range slices.Sorted(maps.Keys(p.register.lawyers)) {
		if n, err := schemas.ParseLicence(l); err == nil {
			licences, firms = append(licences, uint64(n)), append(firms, text(p.register.lawyers[l].Firm))
		}
	}
	return fragment{"transform(lawyer, ?, ?, ?)", []any{licences, firms, text("")}}
}

// date is a day as ClickHouse writes it.
func date(d schemas.Day) string { return d.String() }
