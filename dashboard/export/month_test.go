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

// A frozen form says who froze it, and an amendment shows what it changes.
func TestAFrozenFormCarriesItsStamp(t *testing.T) {
	m := sampleMonth("220182")
	m.Groups[0].Lines[0].Cell = "stations"
	m.Frozen = &report.Stamp{Version: 3, Amendment: 1, By: "赵国华", Reason: "补录9月28日咨询一件", Changes: []schemas.FormChange{
		{Cell: "stations", Column: schemas.ColumnYTD, Old: schemas.FormValue{Mark: schemas.MarkNotAvailable}, New: schemas.FormValue{Number: 3}}}}
	f, err := CountyMonth(m)
	if err != nil {
		t.Fatal(err)
	}
	show(t, "amended.xlsx", f)
	book := open(t, f.Body)
	describe(t, book)
	if got, _ := book.GetCellValue("月报表", "A4"); got != "第3版　第1次更正　签署人：赵国华　原因：补录9月28日咨询一件　冻结时间：2026-11-03 09:30:00　日志切点："+sampleCut.String() {
		t.Errorf("stamp %q", got)
	}
	rows, err := book.GetRows("更正对照")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"工作站（个）", "本年累计", "X", "3"}, rows[3]); diff != "" {
		t.Errorf("the change (-want +got):\n%s", diff)
	}
	m.Frozen = &report.Stamp{Version: 1, By: "李敏"}
	if f, err = CountyMonth(m); err != nil {
		t.Fatal(err)
	}
	book = open(t, f.Body)
	head, _ := book.GetCellValue("月报表", "A4")
	sheets := book.GetSheetList()
	if !strings.HasPrefix(head, "第1版　上报　填报人：李敏") || slices.Contains(sheets, "更正对照") {
		t.Errorf("a submission's stamp is %q, the sheets are %q", head, sheets)
	}
	signed, err := book.SearchSheet("月报表", "填表人：李敏", true)
	if err != nil || len(signed) != 1 {
		t.Errorf("the filler stands in %q (%v)", signed, err)
	}
}

// A layout with other columns in another order prints as it says.
func TestTheColumnsAreTheForms(t *testing.T) {
	m := sampleMonth("220182")
	m.Form.Columns = []schemas.FormHeading{{Column: schemas.ColumnLastYear, Title: schemas.Text{ZH: "去年"}}, {Column: schemas.ColumnMonth, Title: schemas.Text{ZH: "当月"}}}
	f, err := CountyMonth(m)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := open(t, f.Body).GetRows("月报表")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"类别", "序号", "指标", "", "单位", "去年", "当月", "依据"}, rows[3]); diff != "" {
		t.Errorf("headings (-want +got):\n%s", diff)
	}
	line := m.Groups[0].Lines[0]
	if got := rows[4][5:7]; got[0] != number(line.LastYear, line.Indicator) || got[1] != number(line.Month, line.Indicator) {
		t.Errorf("figures %q of %+v", got, line)
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
	f, err := CountyMonth(report.DivisionMonth{Division: division("220182"), Month: sampleNow, Form: schemas.Returns.FormOf(sampleNow), AsOf: sampleAsOf})
	if err != nil {
		t.Fatal(err)
	}
	parts(t, f.Body)
	describe(t, open(t, f.Body))
}
