package export

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

var update = flag.Bool("update", false, "write the golden files anew")

// open reopens a workbook as a reader of it would.
func open(t *testing.T, body []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// parts unpacks a document and checks that each XML part is well-formed and
// that each relation leads to a part.
func parts(t *testing.T, body []byte) map[string][]byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range r.File {
		p, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := out[f.Name]; twice {
			t.Errorf("part %s stands twice", f.Name)
		}
		out[f.Name] = data
	}
	for name, data := range out {
		if path.Ext(name) != ".xml" && path.Ext(name) != ".rels" {
			continue
		}
		for d := xml.NewDecoder(bytes.NewReader(data)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%s is not well-formed: %v", name, err)
				break
			}
			relation, ok := token.(xml.StartElement)
			if !ok || relation.Name.Local != "Relationship" || attribute(relation, "TargetMode") == "External" {
				continue
			}
			target := attribute(relation, "Target")
			if strings.HasPrefix(target, "/") {
				target = target[1:]
			} else {
				target = path.Join(path.Dir(path.Dir(name)), target)
			}
			if _, ok := out[target]; !ok {
				t.Errorf("%s leads to %s, which is not there", name, target)
			}
		}
	}
	return out
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// describe writes down what makes a workbook: sheets, page set-up, protection,
// merged cells, values as stored and as shown.
func describe(t *testing.T, f *excelize.File) string {
	t.Helper()
	var b strings.Builder
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range f.GetSheetList() {
		layout, err := f.GetPageLayout(name)
		check(err)
		headers, err := f.GetHeaderFooter(name)
		check(err)
		protection, err := f.GetSheetProtection(name)
		check(err)
		panes, err := f.GetPanes(name)
		check(err)
		fmt.Fprintf(&b, "sheet %s\n  page size %d %s fit %dx%d\n  header %q\n  footer %q first %q\n", name,
			*layout.Size, *layout.Orientation, *layout.FitToWidth, *layout.FitToHeight, headers.OddHeader, headers.OddFooter, headers.FirstFooter)
		fmt.Fprintf(&b, "  frozen %d columns %d rows\n  locked: format cells %t insert rows %t select %t\n", panes.XSplit, panes.YSplit,
			!protection.FormatCells, !protection.InsertRows, protection.SelectLockedCells)
		for _, d := range f.GetDefinedName() {
			if d.Scope == name {
				fmt.Fprintf(&b, "  %s %s\n", d.Name, d.RefersTo)
			}
		}
		merged, err := f.GetMergeCells(name)
		check(err)
		var ranges []string
		for _, m := range merged {
			ranges = append(ranges, m.GetStartAxis()+":"+m.GetEndAxis())
		}
		slices.Sort(ranges)
		fmt.Fprintf(&b, "  merged %s\n", strings.Join(ranges, " "))
		rows, err := f.GetRows(name, excelize.Options{RawCellValue: true})
		check(err)
		for r, row := range rows {
			for c, raw := range row {
				cell := cellName(c+1, r+1)
				kind, err := f.GetCellType(name, cell)
				check(err)
				formula, err := f.GetCellFormula(name, cell)
				check(err)
				if formula != "" {
					t.Errorf("%s!%s holds the formula %s", name, cell, formula)
				}
				if raw == "" {
					continue
				}
				shown, err := f.GetCellValue(name, cell)
				check(err)
				id, err := f.GetCellStyle(name, cell)
				check(err)
				style, err := f.GetStyle(id)
				check(err)
				line := fmt.Sprintf("  %s %q", cell, shown)
				if kind != excelize.CellTypeSharedString {
					line = fmt.Sprintf("  %s %s = %s", cell, shown, raw)
				}
				if style.Protection != nil && !style.Protection.Locked {
					line += " unlocked"
				}
				b.WriteString(line + "\n")
			}
		}
	}
	return b.String()
}

// golden compares text with testdata/name; -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; when it should, run the tests with -update:\n%s", file, diff)
	}
}

// chartsOf lists the cells that the charts of a workbook draw.
func chartsOf(t *testing.T, body []byte) []string {
	t.Helper()
	var refs []string
	for name, data := range parts(t, body) {
		if !strings.HasPrefix(name, "xl/charts/chart") {
			continue
		}
		in := false
		for d := xml.NewDecoder(bytes.NewReader(data)); ; {
			token, err := d.Token()
			if err != nil {
				break
			}
			switch e := token.(type) {
			case xml.StartElement:
				in = e.Name.Local == "f"
			case xml.CharData:
				if in {
					refs = append(refs, string(e))
				}
			case xml.EndElement:
				in = false
			}
		}
	}
	slices.Sort(refs)
	return refs
}

func TestTextThatLooksLikeAFormulaStaysText(t *testing.T) {
	for _, text := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", hostile} {
		y := sampleLawyer()
		y.Lawyer.Name, y.Lawyer.Firm, y.Division = text, text, text
		f, err := LawyerRecord(y)
		if err != nil {
			t.Fatal(err)
		}
		parts(t, f.Body)
		book := open(t, f.Body)
		for _, cell := range []string{"C2", "C3", "K3"} {
			kind, err := book.GetCellType("履职记录", cell)
			if err != nil {
				t.Fatal(err)
			}
			formula, err := book.GetCellFormula("履职记录", cell)
			if err != nil {
				t.Fatal(err)
			}
			value, err := book.GetCellValue("履职记录", cell)
			if err != nil {
				t.Fatal(err)
			}
			if kind != excelize.CellTypeSharedString || formula != "" || value != clean(text) {
				t.Errorf("%q became type %v, formula %q, value %q", text, kind, formula, value)
			}
		}
		describe(t, book)
	}
	if clean(hostile) != hostileShown {
		t.Errorf("clean(%q) = %q", hostile, clean(hostile))
	}
}

func TestHostileNamesBreakNoReturn(t *testing.T) {
	m := sampleMonth("220100")
	m.Unit, m.Division.Name, m.Children[0].Division.Name, m.Groups[0].Title.ZH = hostile, "&P&D\"<x>", hostile, hostile
	f, err := CountyMonth(m)
	if err != nil {
		t.Fatal(err)
	}
	parts(t, f.Body)
	book := open(t, f.Body)
	for cell, want := range map[string]string{"A2": "填报单位（盖章）：" + hostileShown, "A5": hostileShown} {
		if got, _ := book.GetCellValue("月报表", cell); got != want {
			t.Errorf("%s = %q, want %q", cell, got, want)
		}
	}
	h, err := book.GetHeaderFooter("月报表")
	if err != nil {
		t.Fatal(err)
	}
	if want := "&R&9值班律师工作统计表（月）　&&P&&D\"<x>　2026年10月"; h.OddHeader != want {
		t.Errorf("header %q, want %q: a name must not be read as codes", h.OddHeader, want)
	}
	if strings.ContainsAny(f.Name, `/\:*?"<>|`) {
		t.Errorf("file name %q", f.Name)
	}
}

func TestAPageHeaderHoldsANameOfAnyLength(t *testing.T) {
	y := sampleLawyer()
	y.Lawyer.Name = strings.Repeat("&", 300)
	f, err := LawyerRecord(y)
	if err != nil {
		t.Fatal(err)
	}
	parts(t, f.Body)
}

func TestTheFooterHoldsACutOfAnyLength(t *testing.T) {
	m := sampleMonth("220182")
	m.Cut = report.Cut{Offsets: map[int]int64{}}
	for p := range 200 {
		m.Cut.Offsets[p] = 1_000_000_000 + int64(p)
	}
	f, err := CountyMonth(m)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := open(t, f.Body).GetRows("指标口径")
	if err != nil {
		t.Fatal(err)
	}
	if last := rows[len(rows)-1][0]; !strings.Contains(last, m.Cut.String()) {
		t.Errorf("the whole cut is not on the sheet of definitions: %s", last)
	}
}

func TestFiguresOfTheSameCutGiveTheSameBytes(t *testing.T) {
	for name, make := range map[string]func() (File, error){
		"record":     func() (File, error) { return LawyerRecord(sampleLawyer()) },
		"county":     func() (File, error) { return CountyMonth(sampleMonth("220182")) },
		"prefecture": func() (File, error) { return CountyMonth(sampleMonth("220100")) },
		"deck":       func() (File, error) { return slides(t).Deck(t.Context(), sampleDeck("220100")) },
	} {
		first, err := make()
		if err != nil {
			t.Fatal(err)
		}
		second, err := make()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Body, second.Body) {
			t.Errorf("%s: two files differ", name)
		}
	}
}

func TestEveryUnitIsShown(t *testing.T) {
	for _, ind := range schemas.Indicators.All() {
		if show := showing(ind); show.unit == "" || show.scale == 0 || show.format == "" {
			t.Errorf("%s is shown as %+v", ind.Code, show)
		}
	}
}
