package report

import (
	"cmp"
	"encoding/binary"
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
	value   func(*plan) fragment // a number or a day, if it can be: these group in a third of the time that texts take
	text    string               // what is written for value, as SQL of it; itself when empty
	columns []string             // that the value is made of
	filter  bool
}

// dimensions is the table of all ways to split and filter.
var dimensions = map[Dimension]dimension{
	ByDivision:    {value: (*plan).child, text: divisionText, columns: []string{"source", "day"}},
	ByCounty:      {value: (*plan).leaf, text: divisionText, columns: []string{"source", "day"}},
	ByStation:     {value: expression("if(position(source, '-') > 0, toString(source), '')"), columns: []string{"source"}, filter: true},
	ByStationKind: {value: expression("multiIf(position(source, '-court') > 0, 'court', position(source, '-procuratorate') > 0, 'procuratorate', position(source, '-detention') > 0, 'detention_centre', '')"), columns: []string{"source"}, filter: true},
	ByLawyer:      {value: expression("lawyer"), text: "if(value = 0, '', leftPad(toString(value), 17, '0'))", columns: []string{"lawyer"}, filter: true},
	ByFirm:        {value: (*plan).firm, columns: []string{"lawyer"}, filter: true},
	ByMode:        {value: expression("toString(mode)"), columns: []string{"mode"}, filter: true},
	ByChannel:     {value: expression("toString(channel)"), columns: []string{"channel"}, filter: true},
	ByPersonRole:  {value: expression("toString(person_role)"), columns: []string{"person_role"}, filter: true},
	ByOrgan:       {value: expression("toString(organ)"), columns: []string{"organ"}, filter: true},
	ByDay:         {value: ofDay("day"), text: "toString(value)", columns: []string{"day"}},
	ByMonth:       {value: (*plan).month, text: "formatDateTime(value, '%Y-%m')", columns: []string{"day"}},
	ByQuarter:     {value: ofDay("toStartOfQuarter(day)"), text: "concat(toString(toYear(value)), '-Q', toString(toQuarter(value)))", columns: []string{"day"}},
	ByYear:        {value: ofDay("toYear(day)"), text: "toString(value)", columns: []string{"day"}},
}

// divisionText writes the number that stands for a division ([divisionNumber]).
const divisionText = "reinterpretAsString(value)"

// write is SQL for what a text says of a value.
func write(text, value string) string {
	return strings.ReplaceAll(cmp.Or(text, "value"), "value", value)
}

func expression(sql string) func(*plan) fragment {
	return func(*plan) fragment { return fragment{sql: sql} }
}

// ofDay is made of a posting's day.
func ofDay(sql string) func(*plan) fragment {
	return func(p *plan) fragment { return fragment{sql: strings.ReplaceAll(sql, "day", p.day())} }
}

// month is the first day of a posting's month, as what is rolled up has it.
func (p *plan) month() fragment {
	if p.day() == "month" {
		return fragment{sql: "month"}
	}
	return fragment{sql: "toStartOfMonth(" + p.day() + ")"}
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
// … behind a comma.
func (p *plan) parts() fragment {
	var f fragment
	if len(p.Columns) > 0 { // a posting is in every range that has its day
		var numbers []uint16
		var from, to []string
		for k, r := range p.Columns {
			if p.stock && !slices.Contains(p.ends, k) {
				continue
			}
			if p.stock {
				r.From = 0
			}
			numbers, from, to = append(numbers, uint16(k)), append(from, date(r.From)), append(to, date(r.To))
		}
		f = fragment{", arrayJoin(arrayFilter((number, since, until) -> " + p.day() + " >= since AND " + p.day() + " <= until, ?::Array(UInt16), ?::Array(Date), ?::Array(Date))) AS range", []any{numbers, from, to}}
	}
	for i, d := range p.By {
		v := dimensions[d].value(p)
		if d == ByFirm { // whose name can have anything in it
			v = p.firmAs(strconv.Quote)
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
		texts = append(texts, "toString(range)")
	}
	for i, d := range p.By {
		texts = append(texts, write(dimensions[d].text, "k"+strconv.Itoa(i)))
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
	case p.looks && len(p.divided) == 0:
		cut = "true"
	}
	p = p.on(day)
	f := fragment{"indicator IN ? AND " + day + " <= ?", []any{names(codes), date(r.to)}}
	if r.from != 0 {
		f.and(fragment{day + " >= ?", []any{date(r.from)}})
	}
	f.and(fragment{sql: cut})
	if p.Division != schemas.Province && p.scope.Station == "" {
		leaf := p.leaf()
		var within []uint64
		for _, d := range schemas.Divisions.All() {
			if slices.Contains(pathTo(d.Code, p.Elsewhere), p.Division) {
				within = append(within, divisionNumber(d.Code))
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

// leaf is the division to which a posting reports, as a number: the one stated in the
// station's registration, else the one in its code; under the tree of the posting's
// day, or of today. What is a stock stands at the end of the range.
func (p *plan) leaf() fragment {
	f := fragment{sql: "reinterpretAsUInt64(substring(source, 1, 6))"}
	var codes []string
	var away []int64
	for _, code := range slices.Sorted(maps.Keys(p.register.stations)) {
		if s := p.register.stations[code]; s.Reporting != code.Division() {
			codes, away = append(codes, string(code)), append(away, int64(divisionNumber(s.Reporting))-int64(divisionNumber(code.Division())))
		}
	}
	if len(codes) > 0 { // a function of source alone is worked out once for each source, not for each row
		f = fragment{"toUInt64(" + f.sql + " + transform(source, ?, ?, 0))", []any{codes, away}}
	}
	day := fragment{sql: p.day()}
	if p.stock {
		day = fragment{"toDate(?)", []any{date(p.To)}}
	}
	for _, m := range schemas.Divisions.Moves() {
		inner := f
		moved := func(from, to schemas.DivisionCode) fragment {
			return fragment{"transform(" + inner.sql + ", ?, ?)", append(slices.Clone(inner.args), []uint64{divisionNumber(from)}, []uint64{divisionNumber(to)})}
		}
		before, since := moved(m.New, m.Old), moved(m.Old, m.New)
		switch {
		case p.View == schemas.ViewNow:
			if schemas.DayOf(p.asOf) >= m.On {
				f = since
			}
		case !p.stock && p.From >= m.On: // which most questions have on one side of the move
			f = since
		case p.To < m.On:
			f = before
		default:
			f = fragment{"if(" + day.sql + " < ?, " + before.sql + ", " + since.sql + ")", slices.Concat(day.args, []any{date(m.On)}, before.args, since.args)}
		}
	}
	return fragment{"CAST(" + f.sql + ", 'UInt64')", f.args}
}

// divisionNumber is the number that stands for a division: its code's bytes, the first
// of which counts least, as ClickHouse reinterprets a text. No division is 0.
func divisionNumber(code schemas.DivisionCode) uint64 {
	var bytes [8]byte
	copy(bytes[:], code)
	return binary.LittleEndian.Uint64(bytes[:])
}

func divisionOf(number uint64) schemas.DivisionCode {
	bytes := binary.LittleEndian.AppendUint64(nil, number)
	return schemas.DivisionCode(strings.TrimRight(string(bytes), "\x00"))
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
		return fragment{"toUInt64(?)", []any{divisionNumber(p.Division)}}
	}
	leaf := p.leaf()
	var from, to []uint64
	for _, d := range schemas.Divisions.All() {
		path := pathTo(d.Code, p.Elsewhere)
		i := slices.Index(path, p.Division)
		if i < 0 {
			continue
		}
		from, to = append(from, divisionNumber(d.Code)), append(to, divisionNumber(path[min(i+1, len(path)-1)]))
	}
	return fragment{"transform(" + leaf.sql + ", ?, ?, 0)", append(leaf.args, from, to)}
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
