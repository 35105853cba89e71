package ledger

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

func TestATemplateAsItIsNamesWhatIsMissing(t *testing.T) {
	for _, k := range Kinds() {
		b, err := Template(k)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Read("模板.xlsx", bytes.NewReader(b), ReadOptions{})
		if err == nil || !strings.Contains(err.Error(), "请补上标题") && !strings.Contains(err.Error(), "补上标题") {
			t.Errorf("%s: %v", k, err)
		}
	}
}

// Each template is filled in as its notes say: the title, and lines like the
// example.
func TestATemplateFilledInAsItSaysImportsWithoutRejection(t *testing.T) {
	for _, k := range Kinds() {
		t.Run(string(k), func(t *testing.T) {
			b, err := Template(k)
			if err != nil {
				t.Fatal(err)
			}
			f, err := excelize.OpenReader(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			sheet := k.Title()
			check := func(err error) {
				if err != nil {
					t.Helper()
					t.Fatal(err)
				}
			}
			check(f.SetCellStr(sheet, "A1", k.TitleExample()))
			rows, err := f.GetRows(sheet)
			check(err)
			if rows[2][0] != "示例" {
				t.Errorf("the example is %v", rows[2])
			}
			for i, cell := range rows[2][1:] { // the first line: everything, as typed
				name, _ := excelize.CoordinatesToCellName(i+2, 4)
				check(f.SetCellStr(sheet, name, cell))
			}
			check(f.SetCellInt(sheet, "A4", 1))
			// A line for each choice of each list, the required columns alone.
			row, choices := 5, 0
			lists, err := f.GetDataValidations(sheet)
			check(err)
			for i, c := range templates[k] {
				for _, choice := range dropDown(c.field) {
					choices++
					for j, other := range templates[k] {
						cell, _ := excelize.CoordinatesToCellName(j+2, row)
						value := other.example
						switch {
						case i == j:
							value = choice
						case other.field == colDate:
							value = fmt.Sprintf("2026-09-%02d", row-3)
						case (other.field == colThenDate || other.field == colThenAt || other.field == colForm || other.field == colEvidence || other.field == colPaid) && c.field != colForm:
							value = ""
						case other.field == colThenDate:
							value = fmt.Sprintf("2026-09-%02d", row-3)
						case other.field == colTrigger && c.field == colOrgan:
							value = map[string]string{"检察院": "审查起诉", "法院": "受理案件"}[choice]
							if value == "" {
								value = "首次讯问"
							}
						case other.field == colOrgan && c.field == colTrigger:
							value = map[string]string{"审查起诉": "检察院", "受理案件": "法院", "决定再审": "法院"}[choice]
							if value == "" {
								value = "公安机关"
							}
						}
						check(f.SetCellStr(sheet, cell, value))
					}
					row++
				}
			}
			if k != SubsidyList && choices == 0 || len(lists) == 0 {
				t.Errorf("%d choices in %d lists", choices, len(lists))
			}
			l := read(t, bytesOf(t, f), ReadOptions{})
			s := l.Sheets[0]
			if len(l.Rejections) > 0 || len(l.Repeats) > 0 || s.Accepted != row-4 || s.Others != 1 {
				t.Errorf("%+v\n%+v\n%+v", l.Rejections, l.Repeats, s)
			}
			if !hasNotice(l, "标为“示例”的行没有导入", 3) {
				t.Errorf("%+v", l.Notices)
			}
			for _, n := range l.Notices {
				if strings.Contains(n.Text.ZH, "不认识") {
					t.Errorf("%+v", n)
				}
			}
			if last := l.Sheets[len(l.Sheets)-1]; last.Name != "填写说明" || last.Skipped.ZH != "模板的说明" {
				t.Errorf("%+v", last)
			}
		})
	}
}
