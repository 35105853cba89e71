package report

import (
	"maps"
	"slices"
	"strings"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// Who is neither of justice nor of the procuratorate (a scope without
// SmallCells) must not find out about a few complaints. One sees them as one
// number alone for each calendar year that is over, of all that one's scope holds,
// as the books are now, and not below access.SmallCell. There is no split,
// filter, shorter or longer range, other view, past moment or comparison that has
// a number for them, so no two numbers have a part in common and none can be
// taken from another. What else a single complaint shows in is not there either:
// its postings, its events, its findings, and the frozen returns that count it.

// smallIndicators are counted in small cells.
var smallIndicators = []schemas.IndicatorCode{schemas.Complaints}

// tellingIndicators have postings that show single complaints.
var tellingIndicators = []schemas.IndicatorCode{schemas.Complaints, schemas.OutsideDuties}

// closedKinds are the cases whose events only justice and procuratorate see. Of
// conduct what is decided is for all, and what is not for justice alone (a scope
// with Undecided).
var closedKinds = []schemas.CaseKind{schemas.CaseComplaint, schemas.CaseReturn}

// counted tells whether the question may be answered with an indicator: whether
// it has no small cells, or is asked by calendar years as above.
func (p *plan) counted(code schemas.IndicatorCode) bool {
	if p.scope.SmallCells || !slices.Contains(smallIndicators, code) {
		return true
	}
	byYear := slices.Equal(p.By, []Dimension{ByYear}) || len(p.By) == 0 && p.From.Year() == p.To.Year()
	return byYear && len(p.Columns) == 0 && p.From == schemas.Date(p.From.Year(), 1, 1) && p.To == schemas.Date(p.To.Year(), 12, 31) && p.To < schemas.DayOf(p.w.now()) &&
		len(p.Filter) == 0 && p.Division == Home(p.scope) && p.View == schemas.ViewThen && p.Query.AsOf.IsZero()
}

// shows tells whether the scope may see a figure of this value.
func (p *plan) shows(code schemas.IndicatorCode, value float64) bool {
	return p.scope.SmallCells || !slices.Contains(smallIndicators, code) || p.counted(code) && value >= access.SmallCell
}

// Suppressed tells whether a figure that is not available may be one that the
// scope must not see.
func Suppressed(s Scope, code schemas.IndicatorCode) bool {
	return !s.SmallCells && slices.Contains(smallIndicators, code)
}

// openable refuses the postings of what shows single complaints.
func (p *plan) openable() error {
	if p.scope.SmallCells {
		return nil
	}
	all, due := p.sources()
	for _, code := range slices.Concat(all, due) {
		if slices.Contains(tellingIndicators, code) {
			return schemas.Errorf(schemas.Forbidden, "the records behind %s are for justice and procuratorate alone", code)
		}
	}
	return nil
}

// open tells whether an event of a case with this history is for the scope:
// what is closed is not, nor conduct that nobody has decided upon.
func open(s Scope, history []schemas.Event) bool {
	if len(history) == 0 {
		return true
	}
	switch kind := history[0].Case.Kind; {
	case slices.Contains(closedKinds, kind):
		return s.SmallCells
	case kind == schemas.CaseConduct:
		return s.Undecided || slices.ContainsFunc(schemas.Effective(history), func(e schemas.Event) bool { return e.Type.Verb == "decided" })
	}
	return true
}

// openEvents is the condition that leaves out of the log what is not open; of
// conduct everything, for a row does not tell what was decided.
func openEvents(s Scope) string {
	var closed []string
	if !s.SmallCells {
		for _, kind := range closedKinds {
			closed = append(closed, "'"+string(kind)+"'")
		}
	}
	if !s.Undecided {
		closed = append(closed, "'"+string(schemas.CaseConduct)+"'")
	}
	if closed == nil {
		return ""
	}
	return " AND case_kind NOT IN (" + strings.Join(closed, ", ") + ")"
}

// counts tells whether a form's cell is of an indicator, or a part or a sum with
// it.
func counts(cell string, code schemas.IndicatorCode) bool {
	whole, _, _ := strings.Cut(cell, ".")
	return slices.Contains(strings.Split(whole, "+"), string(code))
}

// withoutSmall is a return as a scope may see it: without the cells that count
// complaints, and without the files that hold them.
func withoutSmall(s Scope, r schemas.MonthlyReturn) schemas.MonthlyReturn {
	if s.SmallCells {
		return r
	}
	small := func(cell string) bool {
		return slices.ContainsFunc(smallIndicators, func(code schemas.IndicatorCode) bool { return counts(cell, code) })
	}
	r.Versions = slices.Clone(r.Versions)
	none := schemas.FormValue{Mark: schemas.MarkNotAvailable}
	for i := range r.Versions {
		v := &r.Versions[i]
		v.File = nil
		v.Figures = slices.Clone(v.Figures)
		for k, f := range v.Figures {
			if small(f.Cell) {
				v.Figures[k] = schemas.FormFigure{Cell: f.Cell, Month: none, YTD: none, LastYear: none}
			}
		}
		v.Divisions = slices.Clone(v.Divisions)
		for k, d := range v.Divisions {
			v.Divisions[k].Month = maps.Clone(d.Month)
			maps.DeleteFunc(v.Divisions[k].Month, func(cell string, _ schemas.FormValue) bool { return small(cell) })
		}
		v.Changes = slices.DeleteFunc(slices.Clone(v.Changes), func(c schemas.FormChange) bool { return small(c.Cell) })
	}
	return r
}
