package schemas

import (
	"errors"
	"fmt"
	"slices"
)

// ReturnLine says to whom a division reports its returns from one month to
// another, both inclusive and zero for no bound, where that is not the division
// above it; an empty ReportsTo says that it has no return of its own: its work is
// in the return of the division above.
type ReturnLine struct {
	Division  DivisionCode
	ReportsTo DivisionCode
	From, To  Month
}

func (l ReturnLine) holds(m Month) bool { return l.From <= m && (l.To == 0 || m <= l.To) }

// line finds the line of a division in a month.
func (r *ReturnRules) line(d DivisionCode, m Month) (ReturnLine, bool) {
	i := slices.IndexFunc(r.lines, func(l ReturnLine) bool { return l.Division == d && l.holds(m) })
	if i < 0 {
		return ReturnLine{}, false
	}
	return r.lines[i], true
}

// Reports tells whether a division has returns of its own for a month: it existed
// at the month's end, and no line says that its work is in another's.
func (r *ReturnRules) Reports(id ReturnID) bool {
	d, ok := Divisions.Get(id.Division)
	line, stated := r.line(id.Division, id.Month)
	return ok && d.Valid(id.Month.Last()) && (!stated || line.ReportsTo != "")
}

// ReportsTo is who receives the return: whom its line names, else the nearest
// division above it that reports itself, by the tree of the month's last day. The
// province reports to nobody and signs its own.
func (r *ReturnRules) ReportsTo(id ReturnID) (ReturnID, bool) {
	if line, ok := r.line(id.Division, id.Month); ok && line.ReportsTo != "" {
		return ReturnID{line.ReportsTo, id.Month}, true
	}
	for d, ok := Divisions.Get(id.Division); ok && d.Parent != ""; d, ok = Divisions.Get(d.Parent) {
		if up := (ReturnID{d.Parent, id.Month}); r.Reports(up) {
			return up, true
		}
	}
	return ReturnID{}, false
}

// MadeOf are the returns that a division receives for the month, in the order of
// the register.
func (r *ReturnRules) MadeOf(id ReturnID) []ReturnID {
	var out []ReturnID
	for _, d := range Divisions.All() {
		child := ReturnID{d.Code, id.Month}
		if up, ok := r.ReportsTo(child); ok && up == id && r.Reports(child) {
			out = append(out, child)
		}
	}
	return out
}

// Elsewhere are the divisions that report to another than the division above them
// in a month, with whom they report to: the figures of returns follow.
func (r *ReturnRules) Elsewhere(m Month) map[DivisionCode]DivisionCode {
	out := map[DivisionCode]DivisionCode{}
	for _, l := range r.lines {
		if l.holds(m) && l.ReportsTo != "" {
			out[l.Division] = l.ReportsTo
		}
	}
	return out
}

// lineYAML is a line in close.yaml.
type lineYAML struct {
	Division  DivisionCode
	ReportsTo DivisionCode `yaml:"reports_to"`
	From, To  string
}

// noReturn stands for whom a division reports to that has no return of its own.
const noReturn = "none"

// readLines checks lines: their codes and months, that no two of a division meet,
// and that all lead to the province.
func readLines(lines []lineYAML) ([]ReturnLine, error) {
	var out []ReturnLine
	var errs []error
	for _, y := range lines {
		l := ReturnLine{Division: y.Division, ReportsTo: y.ReportsTo}
		fail := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("lines: %s: "+format, append([]any{y.Division}, args...)...))
		}
		if _, ok := Divisions.Get(l.Division); !ok || l.Division == Province {
			fail("it is no division below the province")
		}
		if l.ReportsTo == noReturn {
			l.ReportsTo = ""
		} else if _, ok := Divisions.Get(l.ReportsTo); !ok {
			fail("reports_to %q is neither the code of a division nor %s", l.ReportsTo, noReturn)
		}
		for _, m := range []struct {
			field, text string
			into        *Month
		}{{"from", y.From, &l.From}, {"to", y.To, &l.To}} {
			if m.text == "" {
				continue
			}
			var err error
			if *m.into, err = ParseMonth(m.text); err != nil {
				fail("%s: %w", m.field, err)
			}
		}
		if l.To != 0 && l.To < l.From {
			fail("from %s is after to %s", l.From, l.To)
		}
		for _, o := range out {
			if o.Division == l.Division && (o.To == 0 || l.From <= o.To) && (l.To == 0 || o.From <= l.To) {
				fail("two of its lines meet")
			}
		}
		out = append(out, l)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	r := &ReturnRules{lines: out}
	for _, l := range out { // whatever changes, changes in the first month of a line or after the last
		for _, m := range []Month{l.From, l.To + 1} {
			if m > 1 {
				errs = append(errs, r.checkLines(m))
			}
		}
		if l.From == 0 {
			errs = append(errs, r.checkLines(Date(2018, 1, 1).Month()))
		}
	}
	return out, errors.Join(errs...)
}

// checkLines checks that everyone who reports in a month reports to one who does,
// and in the end to the province.
func (r *ReturnRules) checkLines(m Month) error {
	for _, l := range r.lines {
		if !l.holds(m) || l.ReportsTo == "" {
			continue
		}
		for id, steps := (ReturnID{l.Division, m}), 0; id.Division != Province; steps++ {
			up, ok := r.ReportsTo(id)
			switch {
			case !ok || !r.Reports(up):
				return fmt.Errorf("lines: %s: in %s %s has no return", id.Division, m, up.Division)
			case steps > len(r.lines)+3:
				return fmt.Errorf("lines: %s: in %s it reports to itself by way of others", l.Division, m)
			}
			id = up
		}
	}
	return nil
}
