package report

import (
	"testing"

	"zhiban/schemas"
)

// find is the line of an indicator, or of its part of this name.
func (m DivisionMonth) find(t *testing.T, code schemas.IndicatorCode, part string) FormLine {
	t.Helper()
	for _, g := range m.Groups {
		for _, line := range g.Lines {
			if line.Indicator.Code == code && line.Part.ZH == part {
				return line
			}
		}
	}
	t.Fatalf("the form has no line %s %s", code, part)
	return FormLine{}
}

func TestTheFormHasEveryIndicatorOnce(t *testing.T) {
	m := monthIn(t, &world{}, "220182", "2026-10", "2026-11-03")
	times := map[schemas.IndicatorCode]int{}
	for _, g := range m.Groups {
		for _, line := range g.Lines {
			if line.By == "" {
				times[line.Indicator.Code]++
			}
		}
	}
	for _, ind := range schemas.Indicators.All() {
		if times[ind.Code] != 1 {
			t.Errorf("%s stands %d times in the newest form: give it a row in schemas/forms", ind.Code, times[ind.Code])
		}
	}
	if m.Unit != "榆树市法律援助中心" || m.Due.String() != "2026-11-10" || m.Form.Version == "" {
		t.Errorf("unit %s, due %s, form %q", m.Unit, m.Due, m.Form.Version)
	}
}

func consulted(day string, division schemas.DivisionCode, person, channel string) fact {
	return fact{code: schemas.Consultations, day: day, division: division, person: person, value: channel, role: "suspect"}
}

func TestColumnsOfTheForm(t *testing.T) {
	w := &world{facts: []fact{
		consulted("2025-10-31", "220182", "a", "visit"),
		consulted("2026-01-01", "220182", "a", "phone"),
		consulted("2026-09-30", "220182", "b", "phone"),
		consulted("2026-10-01", "220182", "a", "visit"),
		consulted("2026-10-31", "220182", "a", "in_custody"),
		consulted("2026-11-01", "220182", "c", "visit"),
		consulted("2026-10-10", "220183", "d", "visit"), // another county
		{code: schemas.Stations, day: "2019-05-01", division: "220182", value: "court"},
		{code: schemas.TransferDue24h, day: "2026-10-05", division: "220182", n: 4},
		{code: schemas.TransferMet24h, day: "2026-10-05", division: "220182", n: 3},
	}}
	m := monthIn(t, w, "220182", "2026-10", "2026-11-03")
	for _, c := range []struct {
		code                  schemas.IndicatorCode
		part                  string
		month, year, lastYear Figure
	}{
		{schemas.Consultations, "", known(2), known(4), known(1)},
		{schemas.Consultations, "来访", known(1), known(1), known(1)},
		{schemas.Consultations, "来电", known(0), known(2), known(0)},
		{schemas.Consultations, "犯罪嫌疑人", known(2), known(4), known(1)},
		{schemas.PersonsConsulted, "", known(1), known(2), known(1)}, // counted anew over the year
		{schemas.Stations, "", known(1), known(1), known(1)},
		{schemas.Stations, "法院", known(1), known(1), known(1)},
		{schemas.TransferredWithin24h, "", known(0.75), known(0.75), notAvailable}, // nothing was due last year
		{schemas.Shifts, "", known(0), known(0), known(0)},
	} {
		line := m.find(t, c.code, c.part)
		if line.Month != c.month || line.Year != c.year || line.LastYear != c.lastYear {
			t.Errorf("%s %s: %v %v %v, want %v %v %v", c.code, c.part, line.Month, line.Year, line.LastYear, c.month, c.year, c.lastYear)
		}
	}
	if m.Children != nil {
		t.Errorf("a county has children: %v", m.Children)
	}
}

func TestFiguresThatAreNotThere(t *testing.T) {
	w := &world{facts: []fact{
		consulted("2022-03-10", "220182", "a", "visit"),
		{code: schemas.Stations, day: "2019-05-01", division: "220182", value: "court"},
	}}
	m := monthIn(t, w, "220182", "2022-03", "2022-04-03")
	// Nothing is held of before the division's first record …
	if got := m.find(t, schemas.Consultations, "").LastYear; got != notAvailable {
		t.Errorf("last year %v", got)
	}
	if got := m.find(t, schemas.Consultations, "来访").LastYear; got != notAvailable {
		t.Errorf("last year's part %v", got)
	}
	// … but a station is known to have been there.
	if got := m.find(t, schemas.Stations, "").LastYear; got != known(1) {
		t.Errorf("stations last year %v", got)
	}
	// The 24 hours are of 2022.
	if got := m.find(t, schemas.TransferDue24h, "").LastYear; got != notApplicable {
		t.Errorf("24 h last year %v", got)
	}
	if got := m.find(t, schemas.TransferDue24h, "").Month; got != known(0) {
		t.Errorf("24 h this month %v", got)
	}
	// A month that has not begun has no figures.
	m = monthIn(t, w, "220182", "2022-05", "2022-04-03")
	if got := m.find(t, schemas.Consultations, "").Month; got != notAvailable {
		t.Errorf("a month to come %v", got)
	}
}

func TestChildrenOfAPrefecture(t *testing.T) {
	w := &world{facts: []fact{
		consulted("2026-10-01", "220182", "a", "visit"),
		consulted("2026-10-02", "220183", "a", "visit"), // the same person
		consulted("2026-10-03", "220100", "b", "visit"), // at the prefecture's own station
	}}
	m := monthIn(t, w, "220100", "2026-10", "2026-11-03")
	persons := -1
	for i, ind := range m.ChildIndicators {
		if ind.Code == schemas.PersonsConsulted {
			persons = i
		}
	}
	sum, rows := 0.0, map[schemas.DivisionCode]FormChild{}
	for _, c := range m.Children {
		sum += c.Figures[persons].Value
		rows[c.Division.Code] = c
	}
	if sum != 3 || m.Total[persons] != known(2) {
		t.Errorf("rows add up to %v persons, the whole is %v; want 3 and 2", sum, m.Total[persons])
	}
	if !rows["220100"].Own || rows["220182"].Own {
		t.Errorf("the prefecture's own stations are not told apart: %+v", m.Children)
	}
	if quiet, ok := rows["220122"]; !ok || quiet.Figures[persons] != known(0) {
		t.Errorf("a county without any event has no row of zeros: %v", quiet)
	}
	if last := m.Children[len(m.Children)-1]; !last.Own {
		t.Errorf("the own stations do not come last: %v", last.Division)
	}
	if _, moved := rows["220184"]; !moved {
		t.Error("公主岭 is not with 长春")
	}
	old := monthIn(t, w, "220300", "2020-05", "2026-11-03")
	if c := old.Children; len(c) == 0 || c[len(c)-1].Division.Code != "220381" && !hasChild(c, "220381") {
		t.Error("公主岭 was with 四平 in May 2020")
	}
}

func hasChild(children []FormChild, code schemas.DivisionCode) bool {
	for _, c := range children {
		if c.Division.Code == code {
			return true
		}
	}
	return false
}
