package report

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	forms := schemas.Returns.Forms()
	newest := forms[len(forms)-1].From
	m := monthIn(t, &world{}, "220182", newest.String(), (newest + 1).First().String())
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
	if m.Unit != "榆树市法律援助中心" || m.Due != (newest+1).First()+9 || m.Form.Version != forms[len(forms)-1].Version {
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

// A directory with a form of its own from a month on changes what is filled in
// then, and nothing before.
func TestAMonthIsFilledInInItsOwnLayout(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../schemas/forms")); err != nil {
		t.Fatal(err)
	}
	const form = `version: 2026-11
from: 2026-11
title: {zh: 值班律师工作统计表（新）, en: New form}
columns:
  - {column: ytd, title: {zh: 累计, en: Year}}
  - {column: month, title: {zh: 当月, en: Month}}
groups:
  - title: {zh: 咨询, en: Consultations}
    rows:
      - {indicator: persons_consulted, by: [channel]}
      - {sum: [consultations, with_defender], label: {zh: 咨询合计, en: All}, by: [person_role]}
      - {indicator: consultations, by: [channel]}
children: [persons_consulted, consultations]
`
	if err := os.WriteFile(filepath.Join(dir, "new.yaml"), []byte(form), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := schemas.ReadReturnRules(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{facts: []fact{
		consulted("2026-10-03", "220182", "a", "phone"),
		consulted("2026-11-02", "220182", "a", "visit"), consulted("2026-11-03", "220182", "a", "visit"), consulted("2026-11-04", "220182", "a", "phone"),
		{code: schemas.WithDefender, day: "2026-11-04", division: "220182", role: "suspect"},
	}}
	fill := func(month string) DivisionMonth {
		m, err := w.inquiry(ProvinceWide, "2026-12-03").divisionMonth(t.Context(), sheet{rules, rules.FormOf(monthOf(month)), "220182", monthOf(month), false})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := fill("2026-11")
	got := map[string]Figure{}
	for _, line := range m.Groups[0].Lines {
		got[line.Indicator.Name.ZH+line.Part.ZH] = line.Month
	}
	want := map[string]Figure{
		"接受咨询人数": known(1), "接受咨询人数来访": known(1), "接受咨询人数来电": known(1), "接受咨询人数网络": known(0), "接受咨询人数在押会见": known(0), // of persons parts do not add up
		"咨询合计": known(4), "咨询合计犯罪嫌疑人": known(4), "咨询合计被告人": known(0), "咨询合计近亲属": known(0), "咨询合计其他": known(0),
		"法律咨询": known(3), "法律咨询来访": known(2), "法律咨询来电": known(1), "法律咨询网络": known(0), "法律咨询在押会见": known(0),
	}
	if diff := cmp.Diff(want, got); diff != "" || m.Form.Version != "2026-11" || m.Form.Columns[0].Column != schemas.ColumnYTD {
		t.Errorf("%s (-want +got):\n%s", m.Form.Version, diff)
	}
	if before := fill("2026-10"); before.Form.Version != "2026-2" || before.find(t, schemas.Consultations, "来电").Month != known(1) {
		t.Errorf("October is in the form %s", before.Form.Version)
	}
}
