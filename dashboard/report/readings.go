package report

import (
	"slices"

	"zhiban/schemas"
)

// A sum of postings is read from tables that hold sums of whole months and whole
// spans of the log, wherever these can tell it; what they have too much is read from
// the postings and taken away, what they lack is added. What is below a cut does not
// change, so the sum is the same as that of the postings one by one.

// reading is a part of what a sum is put together from: the postings of some days
// up to the cut, unless it is rolled or rest.
type reading struct {
	from, to schemas.Day // a zero from is no lower bound
	rolled   bool        // of whole months: the spans of the log below the cut
	rest     bool        // what the spans that the cut divides have below it
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
	return append([]reading{{from: begin, to: last.Last(), rolled: true}, {from: begin, to: last.Last(), rest: true}}, edges...)
}

// sumsTable is the table that has sums of what the question splits and filters by; ok
// is false when none has.
func (p *plan) sumsTable() (table string, ok bool) {
	columns := p.columns()
	for d := range p.Filter {
		columns = append(columns, dimensions[d].columns...)
	}
	divided := func(r Range) bool { return r.From != r.From.Month().First() || r.To != r.To.Month().Last() }
	if slices.Contains(p.By, ByDay) || slices.ContainsFunc(p.Columns, divided) || slices.ContainsFunc(schemas.Divisions.Moves(), func(m schemas.DivisionMove) bool { return m.On != m.On.Month().First() }) {
		return "", false
	}
	for _, t := range p.cut.tables.Sums() {
		if !slices.ContainsFunc(columns, func(c string) bool { return c != "day" && !slices.Contains(t.Columns, c) }) {
			return t.Table, true
		}
	}
	return "", false
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

// fine tells that the question splits sums so far that adding them up takes more
// than reading them one by one.
func (p *plan) fine() bool {
	return slices.Contains(p.By, ByMonth) && (slices.Contains(p.By, ByStation) || slices.Contains(p.By, ByLawyer))
}

// read is what a reading has of some indicators.
func (p *plan) read(codes []schemas.IndicatorCode, as map[schemas.IndicatorCode]schemas.IndicatorCode, r reading, extra fragment, sums string) fragment {
	n, groups := "sum(quantity)", " GROUP BY slot"+p.partNames()
	day, table := "day", p.cut.tables.Postings()
	if r.rolled {
		day, table = "month", sums
		if p.fine() {
			n, groups = "quantity", ""
		}
	}
	if r.minus {
		n = "-" + n
	}
	slot, parts, where := p.slotsOf(codes, as), p.on(day).parts(), p.within(codes, r)
	where.and(extra)
	return fragment{`SELECT ` + slot.sql + ` AS slot, toString(` + n + `) AS value` + parts.sql + ` FROM ` + table + ` WHERE ` + where.sql + groups, slices.Concat(slot.args, parts.args, where.args)}
}
