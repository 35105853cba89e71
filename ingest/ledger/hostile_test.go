package ledger

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"zhiban/schemas"
)

// Files that were made to take all memory or time are refused in one line, which
// says what to do.
func TestAFileMadeToHarmIsRefused(t *testing.T) {
	good := book(t, signInSheet(shiftLine))
	const sheet1, strings1 = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
	entities := `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>`
	parts := map[string]string{"xl/workbook.xml": "<x/>"}
	for i := range maxParts {
		parts[fmt.Sprintf("xl/media/%d.png", i)] = ""
	}
	sheets := make([]sheet, maxSheets+1)
	for i := range sheets {
		sheets[i] = sheet{name: strconv.Itoa(i)}
	}
	merged := `<mergeCells>` + strings.Repeat(`<mergeCell ref="A1:B2"/>`, maxMerged+1) + `</mergeCells>`
	line := "1,2026-09-01,王立新," + wang + ",8:30,16:30,现场,\r\n"
	head := strings.Join(anyTexts(shiftHead), ",") + "\r\n"
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"many parts", zipped(t, parts), "个部件"},
		{"many sheets", book(t, sheets...), "张工作表"},
		{"many merged ranges", edited(t, good, sheet1, func(s string) string { return strings.Replace(s, "</sheetData>", "</sheetData>"+merged, 1) }), "合并单元格超过"},
		{"a cell of a million letters", edited(t, good, strings1, func(s string) string { return strings.Replace(s, "王立新", strings.Repeat("王", 1_000_000), 1) }), "超过 32767 字"},
		{"entities in a sheet", edited(t, good, sheet1, func(s string) string {
			return strings.Replace(strings.Replace(s, "<worksheet", entities+"<worksheet", 1), "</row>", `<c t="str"><v>&b;&c;</v></c></row>`, 1)
		}), "已损坏"},
		{"a CSV file with a quote that is never closed", []byte(head + `1,2026-09-01,"王立新` + strings.Repeat(line, 100_000)), "引号是否成对"},
		{"a CSV row of millions of fields", []byte(head + strings.Repeat(",", 5<<20)), "超过 2 MB"},
		{"a CSV row of millions of fields on many lines", []byte(head + `"` + strings.Repeat("\n\",\"", 2<<20)), "超过 2 MB"},
	} {
		l, err := Read("a.xlsx", bytes.NewReader(c.file), ReadOptions{})
		if l != nil || err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 500 {
			t.Errorf("%s: %v; expected %s", c.name, err, c.want)
		}
		if schemas.KindOf(err) != schemas.Invalid {
			t.Errorf("%s: kind %d", c.name, schemas.KindOf(err))
		}
	}
}

// Entities of a file's own are never resolved, wherever they stand.
func TestEntitiesAreNotResolved(t *testing.T) {
	const declared = `<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/passwd"><!ENTITY d "SECRET">]>`
	for _, part := range []string{"xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml"} {
		b := edited(t, book(t, signInSheet(shiftLine)), part, func(s string) string {
			i := strings.Index(s, "?>") + len("?>")
			return s[:i] + declared + strings.Replace(s[i:], "王立新", "&c;&d;", 1)
		})
		l, err := Read("a.xlsx", bytes.NewReader(b), ReadOptions{})
		if err != nil {
			continue
		}
		if text := fmt.Sprintf("%+v", l); strings.Contains(text, "root:") || strings.Contains(text, "SECRET") {
			t.Errorf("%s: an entity was resolved: %s", part, text)
		}
	}
}

// A sheet whose few cells stand far out is read as it is streamed: held in memory
// each of its rows would have 16384 cells.
func TestASheetThatIsSpreadOutIsNotHeldInMemory(t *testing.T) {
	far := func(rows int) []byte {
		return edited(t, book(t, signInSheet(shiftLine)), "xl/worksheets/sheet1.xml", func(s string) string {
			var b strings.Builder
			for i := range rows {
				fmt.Fprintf(&b, `<row r="%d"><c r="XFD%d"><v>1</v></c></row>`, 10+i, 10+i)
			}
			return strings.Replace(s, "</sheetData>", b.String()+"</sheetData>", 1)
		})
	}
	for rows, large := range map[int]bool{1: false, 2000: true} {
		l := read(t, far(rows), ReadOptions{})
		if l.large != large || l.Accepted() != 1 {
			t.Errorf("%d rows: large %v, %d lines", rows, l.large, l.Accepted())
		}
		var b bytes.Buffer
		if err := Annotate(far(rows), l, &b); err != nil {
			t.Error(err)
		}
	}
	low := edited(t, book(t, signInSheet(shiftLine)), "xl/worksheets/sheet1.xml", func(s string) string {
		return strings.Replace(s, "</sheetData>", `<row r="1048576"/></sheetData>`, 1)
	})
	if l := read(t, low, ReadOptions{}); l.large || l.Accepted() != 1 {
		t.Errorf("an empty last row: large %v, %d lines", l.large, l.Accepted())
	}
}

// formulas are what a spreadsheet would compute, or run, if it took it for one.
var formulas = []string{"=cmd|' /C calc'!A0", "=1+1", "+1+cmd|' /C calc'!A0", "-1+1", "@SUM(1)", " =1+1", "\t=1+1", "＝1+1", `=HYPERLINK("http://evil.example","点此")`, `="0431"&A1`}

func TestMarkedCopiesHoldNoFormulasThatAreNotTheFiles(t *testing.T) {
	var lines [][]any
	for i, f := range formulas {
		line := with(consultLine, 2, fmt.Sprintf("9:%02d", i))
		line = with(with(line, 5, f), 6, f)
		lines = append(lines, line, with(line, 3, f), line)
	}
	src := book(t, consultSheet(lines...))
	l, marked := annotate(t, src)
	if len(l.Rejections) != len(formulas) {
		t.Fatalf("%d rows are rejected", len(l.Rejections))
	}
	f := open(t, marked)
	for _, s := range f.GetSheetList() {
		rows, err := f.GetRows(s)
		if err != nil {
			t.Fatal(err)
		}
		for r, row := range rows {
			for c := range row {
				cell, _ := excelize.CoordinatesToCellName(c+1, r+1)
				if formula, err := f.GetCellFormula(s, cell); err != nil || formula != "" {
					t.Errorf("%s!%s is the formula %s, %v", s, cell, formula, err)
				}
			}
		}
	}

	rows := [][]string{anyTexts(courtTitle), anyTexts(consultHead)}
	for _, line := range lines {
		rows = append(rows, anyTexts(line))
	}
	text := []byte(asCSV(t, ',', rows...))
	own, err := Read("台账.csv", bytes.NewReader(text), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Annotate(text, own, &b); err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b.Bytes(), utf8BOM)))
	r.FieldsPerRecord = -1
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range record {
			if c = strings.TrimSpace(c); c != "" && strings.ContainsAny(c[:1], "=+-@") || strings.HasPrefix(c, "＝") {
				t.Errorf("the copy has the cell %q", c)
			}
		}
	}
	again, err := Read("台账.csv", bytes.NewReader(b.Bytes()), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(again.Events) != fmt.Sprint(own.Events) || len(own.Events) == 0 {
		t.Errorf("the copy says something else than the file:\n%v\n%v", again.Events, own.Events)
	}
}

func TestWhatIsOnlyANumberOrADashIsNoFormula(t *testing.T) {
	for _, s := range []string{"", "-", "+", "-5", "+86", "-1.5", `="12201201810123456"`, "王立新", "a=b", "'=1", "－5℃"[len("－"):]} {
		if isFormula(s) {
			t.Errorf("%q is taken for a formula", s)
		}
	}
	for _, s := range formulas {
		if !isFormula(s) {
			t.Errorf("%q is not taken for a formula", s)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if s := rapid.String().Draw(t, "text"); isFormula("'" + s) {
			t.Errorf("%q is a formula although it is marked as a text", s)
		}
	})
}

func anyTexts(row []any) []string {
	var out []string
	for _, v := range row {
		out = append(out, fmt.Sprint(v))
	}
	return out
}
