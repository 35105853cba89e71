package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// summarySheet is the sheet that Annotate adds.
const summarySheet = "导入报告"

// The first words of a row's result; the marking's colours go by them.
const (
	resultRejected = "退回"
	resultRepeated = "重复"
	resultNotice   = "提示"
)

const (
	maxMarkedCells = 500  // cells marked on their own; the rows always are
	maxListed      = 5000 // rows listed in the summary; the sheets show all
)

// Annotate writes a copy of the file src, as it was read into l, in which the
// rows that were rejected, repeated, or need a look are marked: a column
// 导入结果 says why, and the row has a colour that goes by that column. The
// cells of the ledger, their styles and everything else stay as they are; a
// sheet 导入报告 sums up. A marked copy can be mended and imported again: the
// column and the sheet are known and written anew.
//
// The copy of a CSV file is one in UTF-8 with the column 导入结果 alone.
//
// Marking needs the whole file in memory. Of one that is too large for that
// (over 16 MiB a sheet, some 25 000 lines) the copy is the sheet 导入报告 alone.
func Annotate(src []byte, l *Ledger, w io.Writer) (err error) {
	defer func() {
		if p := recover(); p != nil { // see Read
			err = fmt.Errorf("标注 %s：%v", l.File, p)
		}
	}()
	if l.format == formatCSV {
		if err := l.annotateCSV(src, w); err != nil {
			return fmt.Errorf("标注 %s：%w", l.File, err)
		}
		return nil
	}
	var f *excelize.File
	if l.large {
		f = excelize.NewFile()
	} else if f, err = excelize.OpenReader(bytes.NewReader(src), excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxInMemory}); err != nil {
		return fmt.Errorf("标注 %s：%w", l.File, err)
	}
	defer f.Close()
	results := l.results()
	styles, err := newMarks(f)
	if err != nil {
		return fmt.Errorf("标注 %s：%w", l.File, err)
	}
	for i := range l.Sheets {
		if s := &l.Sheets[i]; s.Skipped.ZH == "" && !l.large {
			if err := l.markSheet(f, s, results[s.Name], styles); err != nil {
				return fmt.Errorf("标注 %s 的工作表「%s」：%w", l.File, s.Name, err)
			}
		}
	}
	if err := l.writeSummary(f, styles); err != nil {
		return fmt.Errorf("标注 %s：%w", l.File, err)
	}
	if l.large {
		if err := f.DeleteSheet("Sheet1"); err != nil {
			return fmt.Errorf("标注 %s：%w", l.File, err)
		}
	}
	_, err = f.WriteTo(w)
	return err
}

// results says for each sheet and row what became of it; rows that were simply
// accepted are left out.
func (l *Ledger) results() map[string]map[int]string {
	out := map[string]map[int]string{}
	set := func(sheet string, row int, text string) {
		rows := out[sheet]
		if rows == nil {
			rows = map[int]string{}
			out[sheet] = rows
		}
		if rows[row] != "" {
			text = rows[row] + "；" + strings.TrimPrefix(text, resultNotice+"：")
		}
		rows[row] = text
	}
	for _, r := range l.Rejections {
		set(r.Sheet, r.Row, resultRejected+"："+r.Reason.ZH)
	}
	for _, r := range l.Repeats {
		set(r.Sheet, r.Row, resultRepeated+"："+r.Text().ZH)
	}
	for _, n := range l.Notices {
		for _, row := range n.Rows {
			set(n.Sheet, row, resultNotice+"："+n.Text.ZH)
		}
	}
	return out
}

// marks are the styles of a marked copy.
type marks struct {
	heading, result, title, link, wrap, plain int
	rejected, repeated, notice, cell          *int // conditional
}

func newMarks(f *excelize.File) (m marks, err error) {
	style := func(s excelize.Style) int {
		id, e := f.NewStyle(&s)
		if e != nil && err == nil {
			err = e
		}
		return id
	}
	colour := func(fill, font string, bold bool) *int {
		s := excelize.Style{Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{fill}}}
		if font != "" {
			s.Font = &excelize.Font{Color: font, Bold: bold}
		}
		id, e := f.NewConditionalStyle(&s)
		if e != nil && err == nil {
			err = e
		}
		return &id
	}
	line := []excelize.Border{{Type: "left", Color: "999999", Style: 1}, {Type: "right", Color: "999999", Style: 1},
		{Type: "top", Color: "999999", Style: 1}, {Type: "bottom", Color: "999999", Style: 1}}
	m.heading = style(excelize.Style{Font: &excelize.Font{Bold: true}, Border: line, Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}})
	m.result = style(excelize.Style{Alignment: &excelize.Alignment{Vertical: "center"}})
	m.plain = style(excelize.Style{Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}})
	m.wrap = style(excelize.Style{Border: line, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}})
	m.title = style(excelize.Style{Font: &excelize.Font{Bold: true, Size: 14}})
	m.link = style(excelize.Style{Font: &excelize.Font{Color: "1B4B8A", Underline: "single"}, Border: line, Alignment: &excelize.Alignment{Vertical: "top"}})
	m.rejected = colour("F9D6D5", "", false)
	m.cell = colour("E57373", "000000", true)
	m.repeated = colour("DDDDDD", "", false)
	m.notice = colour("FFF3C4", "", false)
	return m, err
}

// markSheet writes the results of a table beside it.
func (l *Ledger) markSheet(f *excelize.File, s *Sheet, results map[int]string, m marks) error {
	col := s.layout.col[colResult]
	if col < 0 {
		col = max(s.layout.width, s.width)
	}
	name, err := excelize.ColumnNumberToName(col + 1)
	if err != nil {
		return err
	}
	cell := func(row int) string { return fmt.Sprintf("%s%d", name, row) }
	first, last := s.layout.row+s.layout.depth, max(s.lastRow, s.layout.row+s.layout.depth)

	if s.layout.has(colResult) {
		for row := first; row <= last; row++ {
			if old, err := f.GetCellValue(s.Name, cell(row)); err == nil && old != "" {
				if err := f.SetCellValue(s.Name, cell(row), nil); err != nil {
					return err
				}
			}
		}
	} else {
		if err := f.SetCellStr(s.Name, cell(s.layout.row), resultHeading); err != nil {
			return err
		}
		if s.layout.depth > 1 {
			if err := f.MergeCell(s.Name, cell(s.layout.row), cell(first-1)); err != nil {
				return err
			}
		}
		if err := f.SetCellStyle(s.Name, cell(s.layout.row), cell(first-1), m.heading); err != nil {
			return err
		}
		if err := f.SetColWidth(s.Name, name, name, 48); err != nil {
			return err
		}
	}
	for row, text := range results {
		if row < first || row > last {
			continue
		}
		if err := f.SetCellStr(s.Name, cell(row), text); err != nil {
			return err
		}
		if err := f.SetCellStyle(s.Name, cell(row), cell(row), m.result); err != nil {
			return err
		}
	}
	return l.colour(f, s, name, first, last, m)
}

// colour adds the rules that colour rows by their result, unless an earlier
// import has added them.
func (l *Ledger) colour(f *excelize.File, s *Sheet, result string, first, last int, m marks) error {
	rule := func(word string, row int, format *int) excelize.ConditionalFormatOptions {
		return excelize.ConditionalFormatOptions{Type: "formula", Criteria: fmt.Sprintf(`LEFT($%s%d,2)="%s"`, result, row, word), Format: format, StopIfTrue: true}
	}
	old, err := f.GetConditionalFormats(s.Name)
	if err != nil {
		return err
	}
	area := fmt.Sprintf("A%d:%s%d", first, result, last)
	whole := []excelize.ConditionalFormatOptions{rule(resultRejected, first, m.rejected), rule(resultRepeated, first, m.repeated), rule(resultNotice, first, m.notice)}
	for _, o := range old[area] {
		if o.Criteria == whole[0].Criteria {
			return nil
		}
	}
	marked := 0
	for _, r := range l.Rejections {
		if r.Sheet != s.Name || r.col < 0 || r.Row < first || r.Row > last || marked >= maxMarkedCells {
			continue
		}
		cell, err := excelize.CoordinatesToCellName(r.col+1, r.Row)
		if err != nil {
			return err
		}
		if err := f.SetConditionalFormat(s.Name, cell, []excelize.ConditionalFormatOptions{rule(resultRejected, r.Row, m.cell)}); err != nil {
			return err
		}
		marked++
	}
	return f.SetConditionalFormat(s.Name, area, whole)
}

// writeSummary writes the sheet 导入报告.
func (l *Ledger) writeSummary(f *excelize.File, m marks) error {
	if slices.Contains(f.GetSheetList(), summarySheet) {
		if err := f.DeleteSheet(summarySheet); err != nil {
			return err
		}
	}
	index, err := f.NewSheet(summarySheet)
	if err != nil {
		return err
	}
	w := summary{f: f, row: 1}
	w.cells(m.title, "导入报告")
	w.text(m.plain, m.plain, "文件", filepath.Base(l.File))
	w.text(m.plain, m.plain, "工作站", l.StationText())
	w.text(m.plain, m.plain, "月份", l.MonthText().ZH)
	if l.large {
		w.text(m.plain, m.plain, "说明", "文件太大，没有逐行标注；要看的行列在下面。改正后把原文件再导入一次即可，已导入的行不会重复计。")
	} else {
		w.text(m.plain, m.plain, "说明", "有颜色的行见各表最右边的「"+resultHeading+"」：红色没有导入，灰色是重复的行（只计一次），黄色已导入但请看一看；没有颜色的行已导入。改正后把本文件或原文件再导入一次即可，已导入的行不会重复计。")
	}
	w.row++
	w.cells(m.heading, "工作表", "类别", "行数", "导入", "重复", "退回", "空行", "合计行", "其他")
	for _, s := range l.Sheets {
		if s.Skipped.ZH != "" {
			w.cells(m.wrap, s.Name, "没有读："+s.Skipped.ZH)
			continue
		}
		w.cells(m.wrap, s.Name, s.Kind.Title(), s.Rows, s.Accepted, s.Repeated, s.Rejected, s.Blank, s.Totals, s.Others)
	}
	links := 0
	list := func(title string, n int, item func(i int) (sheet string, row int, text string)) {
		if n == 0 {
			return
		}
		w.row++
		w.text(m.heading, m.heading, title, "行", "说明")
		for i := range n {
			if i == maxListed {
				w.cells(0, fmt.Sprintf("其余 %d 行没有列出", n-maxListed))
				break
			}
			sheet, row, text := item(i)
			if row == 0 {
				w.text(m.wrap, m.wrap, sheet, "", text)
				continue
			}
			w.text(m.wrap, m.wrap, sheet, row, text)
			if links++; links <= maxListed && !l.large {
				w.link(m.link, sheet, row)
			}
		}
	}
	list(fmt.Sprintf("退回（%d 行）", len(l.Rejections)), len(l.Rejections), func(i int) (string, int, string) {
		r := l.Rejections[i]
		return r.Sheet, r.Row, r.Reason.ZH
	})
	list(fmt.Sprintf("重复（%d 行）", len(l.Repeats)), len(l.Repeats), func(i int) (string, int, string) {
		r := l.Repeats[i]
		return r.Sheet, r.Row, r.Text().ZH
	})
	list("提示", len(l.Notices), func(i int) (string, int, string) {
		n := l.Notices[i]
		return n.Sheet, 0, n.Text.ZH + n.Where().ZH
	})
	if w.err != nil {
		return w.err
	}
	for i, width := range summaryColumns {
		col := string(rune('A' + i))
		if err := f.SetColWidth(summarySheet, col, col, width); err != nil {
			return err
		}
	}
	f.SetActiveSheet(index)
	return nil
}

// summaryColumns are the widths of the summary's columns in characters.
var summaryColumns = []float64{22, 12, 12, 12, 12, 12, 12, 12, 12}

// summary writes rows one below the other and keeps the first error.
type summary struct {
	f   *excelize.File
	row int
	err error
}

func (w *summary) cells(style int, values ...any) {
	if w.err != nil {
		return
	}
	from, to := fmt.Sprintf("A%d", w.row), ""
	if w.err = w.f.SetSheetRow(summarySheet, from, &values); w.err != nil {
		return
	}
	if style != 0 {
		if to, w.err = excelize.CoordinatesToCellName(len(values), w.row); w.err == nil {
			w.err = w.f.SetCellStyle(summarySheet, from, to, style)
		}
	}
	w.row++
}

// text writes values of which the last is a text that takes the rest of the
// row, as high as it needs.
func (w *summary) text(style, last int, values ...any) {
	row := w.row
	w.cells(style, values...)
	if w.err != nil {
		return
	}
	room := 0.0
	for _, width := range summaryColumns[len(values)-1:] {
		room += width
	}
	from, err := excelize.CoordinatesToCellName(len(values), row)
	to, err2 := excelize.CoordinatesToCellName(len(summaryColumns), row)
	lines := 1 + int(float64(cellWidth(fmt.Sprint(values[len(values)-1])))/(room-2))
	w.err = errors.Join(err, err2, w.f.MergeCell(summarySheet, from, to), w.f.SetCellStyle(summarySheet, from, to, last),
		w.f.SetRowHeight(summarySheet, row, min(400, 15*float64(lines))))
}

// link makes the number in the row just written lead to that row.
func (w *summary) link(style int, sheet string, row int) {
	if w.err != nil {
		return
	}
	cell := fmt.Sprintf("B%d", w.row-1)
	if w.err = w.f.SetCellHyperLink(summarySheet, cell, fmt.Sprintf("'%s'!A%d", strings.ReplaceAll(sheet, "'", "''"), row), "Location"); w.err == nil {
		w.err = w.f.SetCellStyle(summarySheet, cell, cell, style)
	}
}
