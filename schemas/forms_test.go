package schemas

import (
	"strings"
	"testing"
	"testing/fstest"
)

const (
	testClose = "period_begins: 26\ndue: {county: 5, prefecture: 8, province: 12}\n"
	testForm  = `version: 2027-1
from: 2027-01
title: {zh: 新表, en: New form}
columns:
  - {column: last_year, title: {zh: 去年, en: Last year}}
  - {column: month, title: {zh: 当月, en: Month}}
groups:
  - title: {zh: 帮助, en: Help}
    rows:
      - consultations
      - {sum: [affidavits, procedure_choices], label: {zh: 书面帮助, en: Written help}, unit: {zh: 份, en: papers}}
      - {indicator: shifts, by: [mode], label: {zh: 值班场次, en: Duties}}
children: [shifts]
`
)

func testRules(t *testing.T, files map[string]string) (*ReturnRules, error) {
	t.Helper()
	dir := fstest.MapFS{}
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return ReadReturnRules(dir)
}

// A new layout is a file: rows in another order, other headings, sums, other
// due days and another period, and no code.
func TestANewLayoutNeedsNoCode(t *testing.T) {
	old := strings.NewReplacer("2027-1", "2026-2", "2027-01", "2018-07", "当月", "本月").Replace(testForm)
	r, err := testRules(t, map[string]string{"close.yaml": testClose, "new.yaml": testForm, "old.yaml": old})
	if err != nil {
		t.Fatal(err)
	}
	month := func(s string) Month { m, _ := ParseMonth(s); return m }
	for m, want := range map[string]string{"2026-12": "2026-2", "2027-01": "2027-1", "2030-05": "2027-1", "2018-01": "2026-2"} {
		if got := r.FormOf(month(m)).Version; got != want {
			t.Errorf("%s is filled in in %s, want %s", m, got, want)
		}
	}
	f, err := r.Form("2027-1")
	if err != nil {
		t.Fatal(err)
	}
	row := f.Groups[0].Rows[1]
	if ind := row.Figure(); row.Cell() != "affidavits+procedure_choices" || ind.Name.ZH != "书面帮助" || ind.Unit.EN != "papers" || ind.Definition.ZH == "" {
		t.Errorf("the sum is %s, %+v", row.Cell(), ind)
	}
	if name := f.Groups[0].Rows[2].Figure().Name.EN; name != "Duties" {
		t.Errorf("the label is %s", name)
	}
	if f.Columns[0].Column != ColumnLastYear || f.Columns[1].Title.ZH != "当月" {
		t.Errorf("columns %v", f.Columns)
	}
	from, to := r.Period(month("2027-01"))
	year, end := r.YearToDate(month("2027-03"))
	if from.String() != "2026-12-26" || to.String() != "2027-01-25" || year != from || end.String() != "2027-03-25" {
		t.Errorf("period %s to %s, year %s to %s", from, to, year, end)
	}
	if due := r.DueDay(LevelPrefecture, month("2027-01")); due.String() != "2027-02-08" || r.PeriodTitle().ZH != "上月26日至本月25日" {
		t.Errorf("due %s, %s", due, r.PeriodTitle().ZH)
	}
}

func TestTheRulesThatComeWithTheProgram(t *testing.T) {
	m := Month(2026*12 + 8)
	from, to := Returns.Period(m)
	if from != m.First() || to != m.Last() {
		t.Errorf("September is from %s to %s", from, to)
	}
	for level, want := range map[DivisionLevel]string{LevelCounty: "2026-10-10", LevelPrefecture: "2026-10-15", LevelProvince: "2026-10-20"} {
		if due := Returns.DueDay(level, m); due.String() != want {
			t.Errorf("a %s reports until %s", level, due)
		}
	}
}

func TestWhatIsWrongWithALayoutIsSaid(t *testing.T) {
	for _, c := range []struct{ file, old, new, want string }{
		{"form.yaml", "- consultations", "- consultation", "consultation"},
		{"form.yaml", "- consultations", "- shifts", "shifts stands twice"},
		{"form.yaml", "[affidavits, procedure_choices]", "[affidavits, duty_minutes]", "in one unit"},
		{"form.yaml", "[affidavits, procedure_choices]", "[affidavits, persons_consulted]", "add up"},
		{"form.yaml", "[affidavits, procedure_choices]", "[affidavits]", "a sum of several"},
		{"form.yaml", "label: {zh: 书面帮助, en: Written help}, ", "", "a sum has a label"},
		{"form.yaml", "by: [mode]", "by: [lawyer]", "is none of"},
		{"form.yaml", "by: [mode]", "bye: [mode]", "a row has no bye"},
		{"form.yaml", "{column: month", "{column: week", "month is missing"},
		{"form.yaml", "{indicator: shifts", "{unit: {zh: 时, en: h}, indicator: duty_minutes", "shown in hours"},
		{"form.yaml", "en: New form", "en: ''", "has zh and en"},
		{"form.yaml", "from: 2027-01", "from: soon", "soon"},
		{"form.yaml", "children: [shifts]", "children: [shift]", "children"},
		{"form.yaml", "groups:", "group:", "group"},
		{"close.yaml", "period_begins: 26", "period_begins: 31", "period_begins 31"},
		{"close.yaml", "county: 5", "county: 9", "no earlier"},
		{"close.yaml", ", province: 12", "", "due.province"},
	} {
		files := map[string]string{"close.yaml": testClose, "form.yaml": testForm}
		changed := strings.Replace(files[c.file], c.old, c.new, 1)
		if changed == files[c.file] {
			t.Fatalf("%q is not in %s", c.old, c.file)
		}
		files[c.file] = changed
		if _, err := testRules(t, files); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s: %v does not say %q", c.new, err, c.want)
		}
	}
	if _, err := testRules(t, map[string]string{"form.yaml": testForm}); err == nil || !strings.Contains(err.Error(), "close.yaml is missing") {
		t.Errorf("without close.yaml: %v", err)
	}
	if _, err := testRules(t, map[string]string{"close.yaml": testClose}); err == nil || !strings.Contains(err.Error(), "no form") {
		t.Errorf("without a form: %v", err)
	}
	if _, err := testRules(t, map[string]string{"close.yaml": testClose, "a.yaml": testForm, "b.yaml": testForm}); err == nil || !strings.Contains(err.Error(), "same version") {
		t.Errorf("the same form twice: %v", err)
	}
}
