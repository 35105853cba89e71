package ledger

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"zhiban/schemas"
)

// asCSV writes rows of texts and numbers as they would be saved.
func asCSV(t testing.TB, comma rune, rows ...[]string) string {
	t.Helper()
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = comma, true
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// countyCSV is a sheet of a county's ledger saved as CSV.
func countyCSV(t testing.TB, name, sheet string, comma rune) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".xlsx")
	if err != nil {
		t.Fatal(err)
	}
	f, err := openWorkbook(name, b)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.file.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if rows[i] == nil {
			rows[i] = []string{""}
		}
	}
	return asCSV(t, comma, rows...)
}

// What a county keeps says the same in every format there is.
func TestALedgerSaysTheSameAsXLSXAndAsCSVInEveryEncoding(t *testing.T) {
	for _, c := range []struct {
		name   string
		comma  rune
		encode func(string) ([]byte, error)
	}{
		{"UTF-8", ',', func(s string) ([]byte, error) { return []byte(s), nil }},
		{"UTF-8 with BOM", ';', func(s string) ([]byte, error) { return append(utf8BOM, s...), nil }},
		{"GB18030", ',', func(s string) ([]byte, error) { return simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s)) }},
		{"GB18030 with tabs", '\t', func(s string) ([]byte, error) { return simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s)) }},
		{"UTF-16", '\t', func(s string) ([]byte, error) {
			return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(s))
		}},
		{"old Macintosh line ends", ',', func(s string) ([]byte, error) { return []byte(strings.ReplaceAll(s, "\r\n", "\r")), nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole := readCounty(t, countyLedgers[0])
			var events []schemas.Envelope
			for i, sheet := range []string{"签到簿", "咨询台账"} {
				b, err := c.encode(countyCSV(t, countyLedgers[0], sheet, c.comma))
				if err != nil {
					t.Fatal(err)
				}
				l, err := Read("台账/"+sheet+".xlsx", bytes.NewReader(b), ReadOptions{}) // its extension lies
				if err != nil {
					t.Fatal(err)
				}
				events = append(events, l.Events...)
				want, got := whole.Sheets[i], l.Sheets[0]
				if got.Name != sheet || got.Rows != want.Rows || got.Accepted != want.Accepted || got.Repeated != want.Repeated || got.Blank != want.Blank || got.Totals != want.Totals {
					t.Errorf("%+v\nwant %+v", got, want)
				}
				for j, r := range l.Rejections {
					if w := whole.Rejections[j]; r.Row != w.Row || r.Reason != w.Reason || r.Column != w.Column {
						t.Errorf("%+v, want %+v", r, w)
					}
				}
			}
			if diff := cmp.Diff(ids(whole.Events), ids(events)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(count(t, whole.Events), count(t, events), cmp.AllowUnexported(figures{}), cmp.FilterPath(func(p cmp.Path) bool {
				return strings.HasSuffix(p.String(), "caseOfEvent") || strings.HasSuffix(p.String(), "personsCounted")
			}, cmp.Ignore())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestQuotedFieldsMayHoldSeparatorsQuotesAndLineBreaks(t *testing.T) {
	text := "\xEF\xBB\xBF\"榆树市法律援助中心驻人民法院值班律师工作站\r\n（2026年9月）\"\r\n\r\n" +
		"序号,日期,值班律师,执业证号,到岗时间,离岗时间,值班方式,备注\r\n" +
		"1,2026-09-01,王立新,\"=\"\"12201201810123456\"\"\",8:30,16:30,现场,\"早退, \"\"有事\"\"\n已报告\"\r\n" +
		"2,2026-09-02,王立新,=\"12201201810123456\",8:30,16:30,现场,\r\n" +
		"3,2026-09-03,王立新,1.22012E+16,8:30,16:30,现场,\r\n"
	l := read(t, []byte(text), ReadOptions{})
	if len(l.Events) != 4 || len(l.Rejections) != 1 || l.Rejections[0].Row != 6 || !strings.Contains(l.Rejections[0].Reason.ZH, "是按数字保存的") {
		t.Errorf("%d events, %+v", len(l.Events), l.Rejections)
	}
}

func TestTheMarkedCopyOfACSVIsOneWithAColumnMore(t *testing.T) {
	src, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(countyCSV(t, countyLedgers[0], "签到簿", ';')))
	if err != nil {
		t.Fatal(err)
	}
	l, marked := annotate(t, src)
	if !bytes.HasPrefix(marked, utf8BOM) {
		t.Error("no byte order mark")
	}
	golden(t, "marked.csv.golden", string(marked))
	again, twice := annotate(t, marked)
	if diff := cmp.Diff(string(marked), string(twice)); diff != "" {
		t.Errorf("a marked copy that is imported again is marked otherwise:\n%s", diff)
	}
	if diff := cmp.Diff(l.Rejections, again.Rejections, cmp.AllowUnexported(Rejection{})); diff != "" {
		t.Error(diff)
	}
}

func TestTheCopyIsNamedForWhatTheFileIs(t *testing.T) {
	lies := countyCSV(t, countyLedgers[0], "签到簿", ',')
	inDir(t, map[string][]byte{"a.xlsx": []byte(lies), "b.csv": book(t, signInSheet(shiftLine, shiftLine))})
	p := newPlatform(t)
	text, _ := runImport(t, Options{Files: []string{"a.xlsx", "b.csv"}, Send: p.Send})
	for _, want := range []string{"标注副本：a.导入结果.csv", "标注副本：b.导入结果.xlsx"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestALargeFileShowsHowFarItIs(t *testing.T) {
	inDir(t, map[string][]byte{"a.csv": []byte(countyCSV(t, countyLedgers[0], "咨询台账", ','))})
	var seen []Progress
	p := newPlatform(t)
	err := Import(context.Background(), Options{Files: []string{"a.csv"}, Send: p.Send, Out: &strings.Builder{}, Progress: func(p Progress) { seen = append(seen, p) }})
	if err != nil || len(seen) < 4 || seen[len(seen)-1].Stage != Ended {
		t.Fatalf("%v %v", err, seen)
	}
	if first, last := seen[0], seen[len(seen)-2]; first.Stage != Reading || first.Done != 0 || last.Stage != Sending || last.Done != last.Total || last.Total != p.sent || last.File != "a.csv" {
		t.Errorf("%+v … %+v", first, last)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("日期,执业证号\n"))
	f.Add([]byte("\xEF\xBB\xBF\"a\nb\";c\r\n\r\n\"="))
	f.Add([]byte(countyCSV(f, countyLedgers[0], "签到簿", ',')))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Read("a.csv", bytes.NewReader(b), court)
		if err != nil {
			return
		}
		validate(t, l.Events)
		if err := Annotate(b, l, &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestReadingStopsWhenItIsToldTo(t *testing.T) {
	b := []byte(countyCSV(t, countyLedgers[0], "咨询台账", ','))
	for _, after := range []int{0, 2, 50} {
		rows := 0
		_, err := Read("a.csv", bytes.NewReader(b), ReadOptions{Stop: func() error {
			if rows++; rows > after {
				return context.DeadlineExceeded
			}
			return nil
		}})
		if err == nil || err.Error() != "a.csv：读取中断，文件太大或机器太忙：context deadline exceeded" {
			t.Errorf("after %d rows: %v", after, err)
		}
	}
}
