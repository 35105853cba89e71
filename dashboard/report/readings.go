package report

import (
	"slices"
	"strings"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// A sum of postings is read from the roll-ups that lie with them, which hold sums
// of whole months and whole spans of the log, wherever these can tell it; what
// they have too much is read from the postings and taken away, what they lack is
// added. All of it is of one snapshot of the table, and the sum is the same as that
// of the postings one by one.

// reading is a part of what a sum is put together from: the postings of some days
// up to the cut, unless it is rolled or above.
type reading struct {
	from, to schemas.Day // a zero from is no lower bound
	rolled   bool        // of whole months: all spans of the log that begin below the cut
	above    bool        // what these spans hold above the cut
	minus    bool        // taken away instead of added
}

// readings puts the days from..to together from as few postings as may be. After
// today there are hardly any: a month that is not over is read whole.
func readings(from, to, today schemas.Day, monthly bool) []reading {
	as := []reading{{from: from, to: to}}
	if !monthly {
		return as
	}
	days := func(from, to schemas.Day) schemas.Day { return max(0, min(to, today)-from+1) }
	first, last := from.Month(), to.Month()
	several := from == 0 || first < last
	before, after := reading{from: first.First(), to: from - 1, minus: true}, reading{from: to + 1, to: last.Last(), minus: true}
	if !several && days(from, to) <= days(before.from, before.to)+days(after.from, after.to) {
		return as
	}
	var edges []reading
	switch part := (reading{from: from, to: first.Last()}); {
	case from == 0 || from == first.First():
	case several && days(part.from, part.to) <= days(before.from, before.to):
		edges, first = append(edges, part), first+1
	default:
		edges = append(edges, before)
	}
	switch part := (reading{from: last.First(), to: to}); {
	case to == last.Last():
	case several && days(part.from, part.to) <= days(after.from, after.to):
		edges, last = append(edges, part), last-1
	default:
		edges = append(edges, after)
	}
	if from != 0 && first > last {
		return as
	}
	begin := first.First()
	if from == 0 {
		begin = 0
	}
	return append([]reading{{from: begin, to: last.Last(), rolled: true}, {from: begin, to: last.Last(), above: true, minus: true}}, edges...)
}

// monthly tells whether roll-ups have what the question splits and filters by.
func (p *plan) monthly() bool {
	columns := p.columns()
	for d := range p.Filter {
		columns = append(columns, dimensions[d].columns...)
	}
	divided := func(r Range) bool { return r.From != r.From.Month().First() || r.To != r.To.Month().Last() }
	if slices.Contains(p.By, ByDay) || slices.ContainsFunc(p.Columns, divided) || slices.ContainsFunc(schemas.Divisions.Moves(), func(m schemas.DivisionMove) bool { return m.On != m.On.Month().First() }) {
		return false
	}
	return slices.ContainsFunc(warehouse.RolledColumns, func(rolled []string) bool {
		return !slices.ContainsFunc(columns, func(c string) bool { return c != "day" && !slices.Contains(rolled, c) })
	})
}

// columns are those of a posting that its place in the answer depends on.
func (p *plan) columns() []string {
	var out []string
	if len(p.Columns) > 0 {
		out = append(out, "day")
	}
	for _, d := range p.By {
		for _, c := range dimensions[d].columns {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// read is the sums of a reading, as rows of indicator, month or day (where it
// matters), the columns of the question, and n.
func (p *plan) read(codes []schemas.IndicatorCode, r reading, extra fragment, monthly bool) fragment {
	groups := []string{"indicator"}
	selected := slices.Clone(groups)
	for _, c := range p.columns() {
		switch {
		case c != "day":
			groups, selected = append(groups, c), append(selected, c)
		case monthly:
			groups, selected = append(groups, warehouse.MonthOf), append(selected, warehouse.MonthOf+" AS on_day")
		default:
			groups, selected = append(groups, c), append(selected, c+" AS on_day")
		}
	}
	n := "sum(quantity)"
	if r.minus {
		n = "-" + n
	}
	where := p.within(codes, r)
	where.and(extra)
	return fragment{`SELECT ` + strings.Join(selected, ", ") + `, ` + n + ` AS n FROM ` + p.cut.tables.Postings() + ` WHERE ` + where.sql + ` GROUP BY ` + strings.Join(groups, ", "), where.args}
}
