package ledger

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

func annotate(t *testing.T, src []byte) (*Ledger, []byte) {
	t.Helper()
	l := read(t, src, ReadOptions{})
	var b bytes.Buffer
	if err := Annotate(src, l, &b); err != nil {
		t.Fatal(err)
	}
	return l, b.Bytes()
}

func open(t *testing.T, b []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b), excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestTheMarkedCopyLeavesEveryCellAsItWas(t *testing.T) {
	for _, name := range countyLedgers {
		src := county(t, name)
		_, marked := annotate(t, src)
		before, after := open(t, src), open(t, marked)
		if got, want := fmt.Sprint(after.GetSheetList()), fmt.Sprint(append(before.GetSheetList(), "导入报告")); got != want {
			t.Errorf("sheets %s, want %s", got, want)
		}
		for _, s := range before.GetSheetList() {
			rows, err := before.GetRows(s)
			if err != nil {
				t.Fatal(err)
			}
			for r, row := range rows {
				for c := range row {
					cell, _ := excelize.CoordinatesToCellName(c+1, r+1)
					for what, of := range map[string]func(f *excelize.File) (any, error){
						"value": func(f *excelize.File) (any, error) { return f.GetCellValue(s, cell) },
						"type":  func(f *excelize.File) (any, error) { return f.GetCellType(s, cell) },
						"style": func(f *excelize.File) (any, error) {
							id, err := f.GetCellStyle(s, cell)
							if err != nil {
								return nil, err
							}
							return f.GetStyle(id)
						},
					} {
						a, err1 := of(before)
						b, err2 := of(after)
						if diff := cmp.Diff(a, b); diff != "" || err1 != nil || err2 != nil {
							t.Errorf("%s %s %s: %v %v %s", s, cell, what, err1, err2, diff)
						}
					}
				}
			}
			a, _ := before.GetMergeCells(s)
			b, _ := after.GetMergeCells(s)
			for i := range a {
				if a[i].GetStartAxis() != b[i].GetStartAxis() || a[i].GetEndAxis() != b[i].GetEndAxis() {
					t.Errorf("%s: merged cells %v became %v", s, a, b)
				}
			}
		}
	}
}

func TestTheMarkedCopySaysWhyBesideTheRow(t *testing.T) {
	_, marked := annotate(t, county(t, countyLedgers[0]))
	f := open(t, marked)
	for cell, want := range map[string]string{
		"I4": "导入结果", "I5": "", "I6": "重复：与第5行相同，只计一次", "I40": "退回：执业证号「22011999」不是 17 位数字（是 8 位）",
		"I41": "退回：日期「2026年13月40日」不存在",
	} {
		if got, err := f.GetCellValue("签到簿", cell); err != nil || got != want {
			t.Errorf("%s = %q, %v, want %q", cell, got, err, want)
		}
	}
	if got, _ := f.GetCellValue("咨询台账", "L11"); got != "提示：没有律师签字，导入后显示为未签字" {
		t.Errorf("L11 = %q", got)
	}
	rules, err := f.GetConditionalFormats("签到簿")
	if err != nil || len(rules["A5:I42"]) != 3 || rules["A5:I42"][0].Criteria != `LEFT($I5,2)="退回"` || len(rules["D40"]) != 1 {
		t.Errorf("%v %+v", err, rules)
	}
	var text strings.Builder
	rows, err := f.GetRows(summarySheet)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		fmt.Fprintln(&text, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	golden(t, "summary.golden", text.String())
}

func TestAMarkedCopyCanBeMendedAndImportedAgain(t *testing.T) {
	src := book(t, signInSheet(shiftLine, shiftLine, with(with(shiftLine, 1, "2026-09-02"), 3, "1")), consultSheet(consultLine))
	l, marked := annotate(t, src)
	if again := read(t, marked, ReadOptions{}); !cmp.Equal(l.Events, again.Events) || len(again.Rejections) != 1 || len(again.Notices) != len(l.Notices) {
		t.Errorf("the copy reads differently:\n%s", cmp.Diff(l.Events, again.Events))
	}
	f := open(t, marked)
	if err := f.SetCellStr("签到簿", "D5", wang); err != nil {
		t.Fatal(err)
	}
	l, marked = annotate(t, bytesOf(t, f))
	if len(l.Rejections) != 0 || count(t, l.Events).Shifts != 2 {
		t.Errorf("%+v", l.Rejections)
	}
	f = open(t, marked)
	for cell, want := range map[string]string{"I2": "导入结果", "I4": "重复：与第3行相同，只计一次", "I5": "", "J2": ""} {
		if got, _ := f.GetCellValue("签到簿", cell); got != want {
			t.Errorf("%s = %q, want %q", cell, got, want)
		}
	}
	rules, err := f.GetConditionalFormats("签到簿")
	if err != nil || len(rules["A3:I5"]) != 3 {
		t.Errorf("%v %+v", err, rules)
	}
	if got := fmt.Sprint(f.GetSheetList()); got != "[签到簿 咨询台账 导入报告]" {
		t.Error(got)
	}
}

func TestOfAFileTooLargeToMarkTheCopyIsTheReportAlone(t *testing.T) {
	defer func(n int64) { maxInMemory = n }(maxInMemory)
	maxInMemory = 64 << 10
	src := largeBook(t, 600)
	l, marked := annotate(t, src)
	if !l.large || l.Accepted() != 600-600/50 {
		t.Fatalf("large %v, %d lines", l.large, l.Accepted())
	}
	f := open(t, marked)
	if got := fmt.Sprint(f.GetSheetList()); got != "[导入报告]" {
		t.Error(got)
	}
	if got, _ := f.GetCellValue(summarySheet, "C11"); got != "咨询人身份「?」不认识，应为 犯罪嫌疑人、被告人、近亲属、其他" {
		t.Error(got)
	}
}
