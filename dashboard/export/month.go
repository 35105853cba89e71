package export

import (
	"cmp"
	"fmt"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// CountyMonth writes a division's monthly return, 值班律师工作统计表（月）, as a
// workbook of A4 landscape pages:
//
//   - 月报表: title, unit, division, period and due day (rows 1–3), on a frozen
//     form the stamp (row 4), headings (类别, 序号, 指标, 单位, the form's columns,
//     依据), one row a figure or a part of it, notes, the line for signatures
//     (the one unlocked cell), a chart of the consultations.
//   - 分地区 (prefecture and province): one row a child division, one column a
//     main indicator, 合计 counted anew; a chart of shifts and consultations.
//   - 更正对照 (amendment): every value that it changes, before and after.
//   - 指标口径: definition and clause of every indicator, moment and cut.
func CountyMonth(m report.DivisionMonth) (File, error) {
	b := newWorkbook()
	monthForm(b, m)
	if len(m.ChildIndicators) > 0 {
		monthChildren(b, m)
	}
	if m.Frozen != nil && len(m.Frozen.Changes) > 0 {
		monthChanges(b, m)
	}
	var inds []schemas.Indicator
	for _, g := range m.Groups {
		for _, line := range g.Lines {
			if line.By == "" {
				inds = append(inds, line.Indicator)
			}
		}
	}
	b.definitions(inds, monthRunning(m), m.AsOf, m.Cut)
	return b.finish(fileName(".xlsx", "值班律师工作统计表", m.Division.Name, m.Month.String()),
		monthRunning(m), m.AsOf)
}

// byTitle says what the parts of an indicator are by.
var byTitle = map[report.Dimension]string{
	report.ByStationKind: "按驻在机关",
	report.ByMode:        "按值班方式",
	report.ByPersonRole:  "按咨询对象",
	report.ByChannel:     "按咨询渠道",
	report.ByOrgan:       "按办案机关",
}

// The columns of 月报表.
const (
	colGroup = 1 + iota
	colNumber
	colIndicator
	colPart
	colUnit
	colFirst // of the form's columns; the clause comes after the last
)

const (
	monthRow  = 13.2  // height of a row in points
	monthPage = 500.0 // what a page holds, in points

	noteHeight = 48.0 // of the notes below the form, about
)

func monthForm(b *workbook, m report.DivisionMonth) {
	s := b.sheet("月报表")
	columns := m.Form.Columns
	clause := colFirst + len(columns)
	widths := []float64{14, 6, 22, 16, 8}
	for range columns {
		widths = append(widths, 42/float64(len(columns)))
	}
	s.widths(append(widths, 27)...)
	s.span(colGroup, 1, clause, 1, m.Form.Title.ZH, titleLook)
	s.height(1, 38)
	right, middle := plainLook, plainLook
	right.align, middle.align = "right", "center"
	row := 2
	for _, texts := range [][3]string{
		{"填报单位（盖章）：" + m.Unit, "报告期：" + m.Month.Title().ZH, "表式版本：" + m.Form.Version},
		{"行政区划：" + m.Division.Name + "（" + string(m.Division.Code) + "）",
			"统计时段：" + longDay(m.Period.From) + "至" + longDay(m.Period.To) + "（" + m.Rule.ZH + "）", "报送期限：" + longDay(m.Due) + "前"},
	} {
		s.span(colGroup, row, colPart, row, texts[0], plainLook)
		s.span(colUnit, row, clause-1, row, texts[1], middle)
		s.text(clause, row, texts[2], right)
		s.height(row, 20)
		row++
	}
	if m.Frozen != nil {
		s.stamp(row, clause, m)
		row++
	}
	head := row
	s.head(colGroup, head, colGroup, head, "类别")
	s.head(colNumber, head, colNumber, head, "序号")
	s.head(colIndicator, head, colPart, head, "指标")
	s.head(colUnit, head, colUnit, head, "单位")
	for i, c := range columns {
		s.head(colFirst+i, head, colFirst+i, head, c.Title.ZH)
	}
	s.head(clause, head, clause, head, "依据")
	s.height(head, 24)

	f := monthRows{s: s, columns: columns, row: head + 1, parts: map[report.Dimension]block{}}
	left := monthPage - 38 - 20*float64(head-2) - 24
	for _, g := range m.Groups {
		need := float64(len(g.Lines)) * monthRow
		if need > left { // a group is never torn
			b.do(b.f.InsertPageBreak(s.name, cellName(1, f.row)))
			left = monthPage - 24
		}
		left -= need
		f.group(g)
	}
	row = s.notes(f.row, basis(m.AsOf, m.Cut))
	s.span(colGroup, row, clause, row, signatures(m), look{size: 11, unlocked: true})
	s.height(row, 34)
	row++
	last := row + 11
	if left -= 34 + noteHeight; left < 12*chartRow {
		b.do(b.f.InsertPageBreak(s.name, cellName(1, row))) // nor is a chart
	}
	for _, half := range []struct {
		by       report.Dimension
		from, to int
		title    string
	}{{report.ByPersonRole, colGroup, colPart, "法律咨询按对象（人次）"}, {report.ByChannel, colUnit, clause, "法律咨询按渠道（人次）"}} {
		part, ok := f.parts[half.by]
		if !ok {
			continue
		}
		c := chart{title: m.Month.Title().ZH + half.title, categories: s.ref(colPart, part.from, colPart, part.to)}
		for i, h := range columns {
			col := colFirst + i
			if h.Column == schemas.ColumnYTD || h.Column == schemas.ColumnLastYear && !part.lastYear {
				continue
			}
			c.names = append(c.names, s.ref(col, head, col, head))
			c.values = append(c.values, s.ref(col, part.from, col, part.to))
		}
		s.chart(half.from, row, half.to, last, c)
	}
	s.printed(page{
		headFrom: head, headTo: head, frozen: colPart, lastCol: clause, lastRow: last,
		running: monthRunning(m), asOf: m.AsOf, cut: m.Cut,
	})
}

// signatures is the line to be signed; who filled a frozen form stands in it.
func signatures(m report.DivisionMonth) string {
	filler, day := "　　　　　　　　　", "　　　　年　　月　　日"
	if m.Frozen != nil {
		day = m.AsOf.In(schemas.Shanghai).Format("2006年1月2日")
		if m.Frozen.Amendment == 0 {
			filler = m.Frozen.By + "　　　"
		}
	}
	return "单位负责人：　　　　　　　　　审核人：　　　　　　　　　填表人：" + filler + "填报日期：" + day
}

// stamp writes who froze the form, when, and from which place in the log.
func (s *sheet) stamp(row, lastCol int, m report.DivisionMonth) {
	f := m.Frozen
	text := fmt.Sprintf("第%d版　上报　填报人：%s", f.Version, f.By)
	if f.Amendment > 0 {
		text = fmt.Sprintf("第%d版　第%d次更正　签署人：%s　原因：%s", f.Version, f.Amendment, f.By, f.Reason)
	}
	text += "　冻结时间：" + moment(m.AsOf) + "　日志切点：" + shortCut(m.Cut)
	total := 0.0
	for _, w := range s.chars {
		total += w
	}
	wrapped := plainLook
	wrapped.wrap = true
	s.span(1, row, lastCol, row, text, wrapped)
	s.height(row, 6+14*float64(linesOf(text, total)))
}

// shortCut is a cut for one line; the sheet of definitions has it whole.
func shortCut(c report.Cut) string {
	text := cutText(c)
	if len(text) > 60 {
		return text[:60] + "…"
	}
	return text
}

func monthRunning(m report.DivisionMonth) string {
	return m.Form.Title.ZH + "　" + m.Division.Name + "　" + m.Month.Title().ZH
}

// block is a run of rows. LastYear tells whether last year's are numbers.
type block struct {
	from, to int
	lastYear bool
}

// monthRows writes the rows of the form one after another and remembers where
// the parts of the consultations stand, for the charts.
type monthRows struct {
	s       *sheet
	columns []schemas.FormHeading
	row     int
	number  int
	parts   map[report.Dimension]block
}

func (f *monthRows) group(g report.FormGroup) {
	s, first := f.s, f.row
	small := nameLook
	small.size = 9
	for i, line := range g.Lines {
		f.number++
		value := look{size: 10.5, border: true, bold: line.By == ""}
		s.text(colNumber, f.row, fmt.Sprint(f.number), midLook)
		if line.By == "" {
			s.span(colIndicator, f.row, colPart, f.row, line.Indicator.Name.ZH, nameLook)
		} else {
			s.text(colPart, f.row, line.Part.ZH, nameLook)
			if next := i + 1; next == len(g.Lines) || g.Lines[next].By != line.By {
				start := i
				for start > 0 && g.Lines[start-1].By == line.By {
					start--
				}
				f.split(first+start, f.row, g.Lines[start:next])
			}
		}
		s.text(colUnit, f.row, showing(line.Indicator).unit, midLook)
		for i, c := range f.columns {
			s.figure(colFirst+i, f.row, line.Column(c.Column), line.Indicator, value)
		}
		s.text(colFirst+len(f.columns), f.row, line.Indicator.Clause, small)
		s.height(f.row, monthRow)
		f.row++
	}
	title := midLook
	title.family = "黑体"
	s.span(colGroup, first, colGroup, f.row-1, g.Title.ZH, title)
}

// split names what the parts in the rows from..to are by.
func (f *monthRows) split(from, to int, lines []report.FormLine) {
	f.s.span(colIndicator, from, colIndicator, to, byTitle[lines[0].By], midLook)
	if lines[0].Indicator.Code != schemas.Consultations {
		return
	}
	b := block{from, to, true}
	for _, line := range lines {
		b.lastYear = b.lastYear && line.LastYear.Status == report.Known
	}
	f.parts[lines[0].By] = b
}

const childHead = 3

// monthChildren writes 分地区: headings in row 3, a child a row, 合计 below.
func monthChildren(b *workbook, m report.DivisionMonth) {
	s := b.sheet("分地区")
	widths := []float64{25}
	last := 1 + len(m.ChildIndicators)
	for range m.ChildIndicators {
		widths = append(widths, 8.6)
	}
	s.widths(widths...)
	s.span(1, 1, last, 1, m.Form.Title.ZH+"分地区情况", titleLook)
	s.height(1, 38)
	right := plainLook
	right.align = "right"
	s.span(1, 2, last/2, 2, "填报单位："+m.Unit, plainLook)
	s.span(last/2+1, 2, last, 2, "报告期："+m.Month.Title().ZH, right)
	s.height(2, 20)
	s.head(1, childHead, 1, childHead, "地区")
	for i, ind := range m.ChildIndicators {
		s.head(2+i, childHead, 2+i, childHead, ind.Name.ZH+"\n（"+showing(ind).unit+"）")
	}
	s.height(childHead, 62)
	first := childHead + 1
	row := first
	for _, c := range m.Children {
		name := c.Division.Name
		if c.Own {
			name += "本级"
		}
		s.text(1, row, name, nameLook)
		for i, ind := range m.ChildIndicators {
			s.figure(2+i, row, c.Figures[i], ind, look{size: 10.5, border: true})
		}
		s.height(row, 19)
		row++
	}
	total := look{family: "黑体", size: 10.5, align: "left", indent: 1, fill: "F2F2F2", border: true}
	s.text(1, row, "合计", total)
	for i, ind := range m.ChildIndicators {
		s.figure(2+i, row, m.Total[i], ind, total)
	}
	s.height(row, 21)
	lastChild := row - 1
	row = s.notes(row+1, basis(m.AsOf, m.Cut))
	if lastChild >= first {
		c := chart{title: m.Month.Title().ZH + "各地区值班与咨询", categories: s.ref(1, first, 1, lastChild)}
		for i, ind := range m.ChildIndicators {
			if ind.Code == schemas.Shifts || ind.Code == schemas.Consultations {
				c.names = append(c.names, s.ref(2+i, childHead, 2+i, childHead))
				c.values = append(c.values, s.ref(2+i, first, 2+i, lastChild))
			}
		}
		s.chart(1, row, last, row+15, c)
		row += 16
	}
	s.printed(page{headFrom: childHead, headTo: childHead, frozen: 1, lastCol: last, lastRow: row - 1, running: monthRunning(m), asOf: m.AsOf, cut: m.Cut})
}

// monthChanges writes 更正对照: a row a value that the amendment changes.
func monthChanges(b *workbook, m report.DivisionMonth) {
	s := b.sheet("更正对照")
	s.widths(60, 18, 24, 24)
	s.span(1, 1, 4, 1, "更正对照", titleLook)
	s.height(1, 34)
	s.stamp(2, 4, m)
	for i, h := range []string{"指标", "栏目", "原值", "更正后"} {
		s.head(i+1, 3, i+1, 3, h)
	}
	s.height(3, 22)
	lines, headings := map[string]report.FormLine{}, map[schemas.FormColumn]string{}
	for _, g := range m.Groups {
		for _, line := range g.Lines {
			lines[line.Cell] = line
		}
	}
	for _, c := range m.Form.Columns {
		headings[c.Column] = c.Title.ZH
	}
	row := 4
	for _, c := range m.Frozen.Changes {
		line, known := lines[c.Cell]
		name := c.Cell
		if known {
			name = line.Indicator.Name.ZH + "（" + showing(line.Indicator).unit + "）"
			if line.By != "" {
				name += "：" + line.Part.ZH
			}
		}
		s.text(1, row, name, nameLook)
		s.text(2, row, cmp.Or(headings[c.Column], string(c.Column)), midLook)
		s.figure(3, row, report.Thawed(c.Old), line.Indicator, look{size: 10.5, border: true})
		s.figure(4, row, report.Thawed(c.New), line.Indicator, look{size: 10.5, border: true})
		s.height(row, 19)
		row++
	}
	s.printed(page{headFrom: 3, headTo: 3, lastCol: 4, lastRow: row - 1, running: monthRunning(m), asOf: m.AsOf, cut: m.Cut})
}
