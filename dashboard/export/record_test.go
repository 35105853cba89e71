package export

import (
	"slices"
	"testing"

	"zhiban/dashboard/report"
)

func TestLawyerRecord(t *testing.T) {
	f, err := LawyerRecord(sampleLawyer())
	if err != nil {
		t.Fatal(err)
	}
	show(t, "record.xlsx", f)
	if f.Name != "值班律师履职记录-王立新-12201201810123456-2026.xlsx" || f.Type != XLSX {
		t.Errorf("file %q of type %q", f.Name, f.Type)
	}
	golden(t, "record.txt", describe(t, open(t, f.Body)))
	// December has not begun and is not drawn.
	refs := chartsOf(t, f.Body)
	for _, want := range []string{"'履职记录'!$A$7:$A$17", "'履职记录'!$B$7:$B$17", "'履职记录'!$I$7:$I$17"} {
		if !slices.Contains(refs, want) {
			t.Errorf("%s is not drawn: %q", want, refs)
		}
	}
}

func TestARecordOfNothingHasNoChart(t *testing.T) {
	y := report.LawyerYear{Lawyer: report.Lawyer{Licence: "12201201810123456"}, Within: "吉林省", Year: 2027, AsOf: sampleAsOf}
	none := report.Figure{Status: report.NotAvailable}
	row := report.LawyerMonth{
		Minutes: []report.Figure{none, none, none}, Channels: []report.Figure{none, none, none, none}, Roles: []report.Figure{none, none, none, none},
	}
	for i := range y.Months {
		y.Months[i] = row
	}
	y.Total = row
	f, err := LawyerRecord(y)
	if err != nil {
		t.Fatal(err)
	}
	if refs := chartsOf(t, f.Body); len(refs) > 0 {
		t.Errorf("drawn: %q", refs)
	}
	book := open(t, f.Body)
	for cell, want := range map[string]string{"C2": "（未登记）", "K2": "12201201810123456（未入册）", "B7": "X", "X19": "X"} {
		if got, _ := book.GetCellValue("履职记录", cell); got != want {
			t.Errorf("%s = %q, want %q", cell, got, want)
		}
	}
}
