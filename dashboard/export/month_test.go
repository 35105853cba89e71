package export

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

func TestCountyMonthIsThePrintedForm(t *testing.T) {
	m := sampleMonth("220182")
	m.Groups[3].Lines[4].LastYear = report.Figure{Status: report.NotAvailable}
	m.Groups[3].Lines[4].Year = report.Figure{Status: report.NotApplicable}
	m.Groups[6].Lines[5].Month = report.Figure{}
	f, err := CountyMonth(m)
	if err != nil {
		t.Fatal(err)
	}
	show(t, "county.xlsx", f)
	if f.Name != "值班律师工作统计表-榆树市-2026-10.xlsx" || f.Type != XLSX {
		t.Errorf("file %q of type %q", f.Name, f.Type)
	}
	book := open(t, f.Body)
	golden(t, "county.txt", describe(t, book))
	props, err := book.GetDocProps()
	if err != nil {
		t.Fatal(err)
	}
	if props.Created != "2026-11-03T01:30:00Z" || props.Title != "值班律师工作统计表（月）　榆树市　2026年10月" {
		t.Errorf("properties %+v", props)
	}
	// Of each chart the headings, the categories, and the two series.
	want := []string{
		"'月报表'!$D$22:$D$25", "'月报表'!$D$22:$D$25", "'月报表'!$D$26:$D$29", "'月报表'!$D$26:$D$29",
		"'月报表'!$F$22:$F$25", "'月报表'!$F$26:$F$29", "'月报表'!$F$4", "'月报表'!$F$4",
		"'月报表'!$H$22:$H$25", "'月报表'!$H$26:$H$29", "'月报表'!$H$4", "'月报表'!$H$4",
	}
	if diff := cmp.Diff(want, chartsOf(t, f.Body)); diff != "" {
		t.Errorf("charts draw other cells (-want +got):\n%s", diff)
	}
}

// A chart draws X as 0, so a year of which nothing is held is not drawn.
func TestAYearThatIsNotAvailableIsNotDrawn(t *testing.T) {
	m := sampleMonth("220182")
	for g := range m.Groups {
		for l := range m.Groups[g].Lines {
			m.Groups[g].Lines[l].LastYear = report.Figure{Status: report.NotAvailable}
		}
	}
	f, err := CountyMonth(m)
	if err != nil {
		t.Fatal(err)
	}
	if refs := chartsOf(t, f.Body); slices.ContainsFunc(refs, func(r string) bool { return strings.Contains(r, "$H$") }) {
		t.Errorf("last year is drawn: %q", refs)
	}
}

func TestPrefectureMonthHasItsChildren(t *testing.T) {
	m := sampleMonth("220100")
	f, err := CountyMonth(m)
	if err != nil {
		t.Fatal(err)
	}
	show(t, "prefecture.xlsx", f)
	book := open(t, f.Body)
	golden(t, "prefecture.txt", describe(t, book))
	rows, err := book.GetRows("分地区")
	if err != nil {
		t.Fatal(err)
	}
	total := rows[3+len(m.Children)]
	if total[0] != "合计" {
		t.Fatalf("row of the whole is %q", total)
	}
	// Persons of several divisions are one person: the whole is what was counted,
	// not what the rows add up to.
	persons := slices.IndexFunc(m.ChildIndicators, func(ind schemas.Indicator) bool { return ind.Code == schemas.PersonsConsulted })
	if want := number(m.Total[persons], m.ChildIndicators[persons]); total[1+persons] != want {
		t.Errorf("persons of the whole %s, want %s", total[1+persons], want)
	}
	if refs := chartsOf(t, f.Body); !slices.Contains(refs, "'分地区'!$A$4:$A$19") {
		t.Errorf("no chart of the children: %q", refs)
	}
}

func TestProvinceMonth(t *testing.T) {
	f, err := CountyMonth(sampleMonth(schemas.Province))
	if err != nil {
		t.Fatal(err)
	}
	show(t, "province.xlsx", f)
	describe(t, open(t, f.Body))
}

func TestAMonthWithoutFiguresIsStillAForm(t *testing.T) {
	f, err := CountyMonth(report.DivisionMonth{Division: division("220182"), Month: sampleNow, AsOf: sampleAsOf})
	if err != nil {
		t.Fatal(err)
	}
	parts(t, f.Body)
	describe(t, open(t, f.Body))
}
