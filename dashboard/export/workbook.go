package export

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// workbook is a workbook under construction. The first error sticks and ends
// up in finish, so that the code that lays out a sheet reads like the sheet.
type workbook struct {
	f      *excelize.File
	styles map[look]int
	sheets int
	err    error
}

// look is a cell's style.
type look struct {
	family   string
	size     float64
	bold     bool
	colour   string // of the text
	fill     string
	format   string
	align    string // left, center, right
	indent   int    // from the side of align
	wrap     bool
	border   bool
	unlocked bool
}

// The looks that several sheets share.
var (
	titleLook = look{family: "黑体", size: 18, align: "center"}
	plainLook = look{size: 10.5}
	noteLook  = look{size: 9, wrap: true, colour: "404040"}
	headLook  = look{family: "黑体", size: 10.5, fill: "DCE6F1", align: "center", wrap: true, border: true}
	nameLook  = look{size: 10.5, align: "left", indent: 1, wrap: true, border: true}
	midLook   = look{size: 10.5, align: "center", wrap: true, border: true}
)

// Colours of the charts, the same as on the pages.
var series = []string{"1B4B8A", "E08A1E", "2F8F6B", "7A5EA8", "B3261E"}

func newWorkbook() *workbook {
	b := &workbook{f: excelize.NewFile(), styles: map[look]int{}}
	b.do(b.f.SetDefaultFont("宋体"))
	return b
}

func (b *workbook) do(err error) {
	if b.err == nil {
		b.err = err
	}
}

// sheet begins a sheet.
func (b *workbook) sheet(name string) *sheet {
	if b.sheets == 0 {
		b.do(b.f.SetSheetName("Sheet1", name))
	} else {
		_, err := b.f.NewSheet(name)
		b.do(err)
	}
	b.sheets++
	return &sheet{b: b, name: name}
}

func (b *workbook) style(l look) int {
	if id, ok := b.styles[l]; ok {
		return id
	}
	st := &excelize.Style{
		Font:       &excelize.Font{Family: l.family, Size: l.size, Bold: l.bold, Color: l.colour},
		Alignment:  &excelize.Alignment{Horizontal: l.align, Vertical: "center", Indent: l.indent, WrapText: l.wrap},
		Protection: &excelize.Protection{Locked: !l.unlocked},
	}
	if l.family == "" {
		st.Font.Family = "宋体"
	}
	if l.fill != "" {
		st.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{l.fill}}
	}
	if l.format != "" {
		st.CustomNumFmt = &l.format
	}
	if l.border {
		for _, side := range []string{"left", "right", "top", "bottom"} {
			st.Border = append(st.Border, excelize.Border{Type: side, Color: "7F8FA3", Style: 1})
		}
	}
	id, err := b.f.NewStyle(st)
	b.do(err)
	b.styles[l] = id
	return id
}

// finish writes the workbook. at stands for the moment of writing.
func (b *workbook) finish(name, title string, at time.Time) (File, error) {
	stamp := at.UTC().Format(time.RFC3339)
	b.do(b.f.SetDocProps(&excelize.DocProperties{Title: clean(title), Creator: "值班律师工作站统计分析平台", Language: "zh-CN", Created: stamp, Modified: stamp}))
	b.f.SetActiveSheet(0)
	if types := b.f.ContentTypes; types != nil { // a chart adds media types in random order
		sort.Slice(types.Defaults, func(i, j int) bool { return types.Defaults[i].Extension < types.Defaults[j].Extension })
	}
	var body bytes.Buffer
	if b.err == nil {
		_, b.err = b.f.WriteTo(&body)
	}
	if err := b.f.Close(); b.err == nil {
		b.err = err
	}
	if b.err != nil {
		return File{}, fmt.Errorf("workbook %s: %w", title, b.err)
	}
	return File{name, XLSX, body.Bytes()}, nil
}

// sheet writes cells by column and row, both from 1.
type sheet struct {
	b       *workbook
	name    string
	chars   []float64 // widths of the columns
	starred bool      // a figure is withheld
}

func cellName(col, row int) string {
	name, err := excelize.CoordinatesToCellName(col, row)
	if err != nil {
		panic(err) // rows and columns are counted here, not read
	}
	return name
}

func (s *sheet) text(col, row int, text string, l look) {
	s.b.do(s.b.f.SetCellStr(s.name, cellName(col, row), clean(text)))
	s.paint(col, row, col, row, l)
}

// head writes a heading of our own, which may have line breaks, into a merged
// block.
func (s *sheet) head(col, row, toCol, toRow int, text string) {
	s.span(col, row, toCol, toRow, text, headLook)
	s.b.do(s.b.f.SetCellStr(s.name, cellName(col, row), text))
}

// span writes text into a merged block.
func (s *sheet) span(col, row, toCol, toRow int, text string, l look) {
	s.text(col, row, text, l)
	s.paint(col, row, toCol, toRow, l)
	if col != toCol || row != toRow {
		s.b.do(s.b.f.MergeCell(s.name, cellName(col, row), cellName(toCol, toRow)))
	}
}

func (s *sheet) number(col, row int, v float64, l look) {
	s.b.do(s.b.f.SetCellFloat(s.name, cellName(col, row), v, -1, 64))
	s.paint(col, row, col, row, l)
}

// figure writes a number, or the letter that says why there is none.
func (s *sheet) figure(col, row int, f report.Figure, ind schemas.Indicator, l look) {
	if f.Status != report.Known {
		l.align, l.colour, s.starred = "center", "6B7685", s.starred || f.Withheld
		s.text(col, row, letter(f), l)
		return
	}
	show := showing(ind)
	l.align, l.indent, l.format = "right", 1, show.format
	s.number(col, row, f.Value*show.scale, l)
}

func (s *sheet) paint(col, row, toCol, toRow int, l look) {
	s.b.do(s.b.f.SetCellStyle(s.name, cellName(col, row), cellName(toCol, toRow), s.b.style(l)))
}

func (s *sheet) height(row int, points float64) { s.b.do(s.b.f.SetRowHeight(s.name, row, points)) }

// widths sets the columns' widths in characters, from the first on.
func (s *sheet) widths(chars ...float64) {
	s.chars = chars
	for i, w := range chars {
		col, err := excelize.ColumnNumberToName(i + 1)
		s.b.do(err)
		s.b.do(s.b.f.SetColWidth(s.name, col, col, w))
	}
}

// ref is an absolute reference to a block of the sheet.
func (s *sheet) ref(col, row, toCol, toRow int) string {
	from, err := excelize.CoordinatesToCellName(col, row, true)
	s.b.do(err)
	to, err := excelize.CoordinatesToCellName(toCol, toRow, true)
	s.b.do(err)
	if from == to {
		return "'" + s.name + "'!" + from
	}
	return "'" + s.name + "'!" + from + ":" + to
}

// page is how a sheet prints: A4 landscape in the page's width.
type page struct {
	headFrom, headTo int    // heading rows, repeated on every page and frozen
	frozen           int    // frozen columns
	lastCol, lastRow int    // of what is printed
	running          string // heading of the pages after the first
	asOf             time.Time
	cut              report.Cut
}

// printed sets the page up, with page numbers and the moment and cut of the
// figures in the footer, and locks the sheet. The lock is without a password:
// it guards against slips; the frozen return guards against more.
func (s *sheet) printed(p page) {
	f, name := s.b.f, s.name
	s.b.do(f.SetPageLayout(name, &excelize.PageLayoutOptions{Size: new(9), Orientation: new("landscape"), FitToWidth: new(1), FitToHeight: new(0)}))
	s.b.do(f.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: new(true)}))
	s.b.do(f.SetPageMargins(name, &excelize.PageLayoutMarginsOptions{
		Left: new(0.55), Right: new(0.55), Top: new(0.6), Bottom: new(0.6), Header: new(0.3), Footer: new(0.3), Horizontally: new(true),
	}))
	footer := footer(p.asOf, p.cut)
	s.b.do(f.SetHeaderFooter(name, &excelize.HeaderFooterOptions{
		DifferentFirst: true, FirstFooter: footer, OddFooter: footer, OddHeader: "&R&9" + margin(p.running),
	}))
	s.b.do(f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("'%s'!$%d:$%d", name, p.headFrom, p.headTo), Scope: name}))
	s.b.do(f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Area", RefersTo: s.ref(1, 1, p.lastCol, p.lastRow), Scope: name}))
	pane := "bottomRight"
	if p.frozen == 0 {
		pane = "bottomLeft"
	}
	s.b.do(f.SetPanes(name, &excelize.Panes{
		Freeze: true, XSplit: p.frozen, YSplit: p.headTo, TopLeftCell: cellName(p.frozen+1, p.headTo+1), ActivePane: pane,
	}))
	s.b.do(f.SetSheetView(name, 0, &excelize.ViewOptions{ShowGridLines: new(false)}))
	s.b.do(f.ProtectSheet(name, &excelize.SheetProtectionOptions{
		SelectLockedCells: true, SelectUnlockedCells: true, FormatColumns: true, FormatRows: true, EditObjects: true,
	}))
}

// margin makes text fit for a page header or footer: these hold 255 characters
// with their codes, and & begins a code.
func margin(text string) string {
	runes := []rune(clean(text))
	if len(runes) > 100 {
		runes = append(runes[:99], '…')
	}
	return strings.ReplaceAll(string(runes), "&", "&&")
}

// footer is the page footer. A cut of many partitions is cut short here; the
// sheet of definitions has it whole.
func footer(asOf time.Time, cut report.Cut) string {
	return "&L&9数据截至 " + moment(asOf) + "　切点 " + margin(cutText(cut)) + "&R&9第 &P 页，共 &N 页"
}

// definitions adds the sheet that says what each figure counts: columns
// 指标, 单位, 口径, 依据, 起算日. Below stand the moment and the cut.
func (b *workbook) definitions(inds []schemas.Indicator, running string, asOf time.Time, cut report.Cut) {
	s := b.sheet("指标口径")
	s.widths(24, 10, 68, 26, 14)
	s.span(1, 1, 5, 1, "指标口径", titleLook)
	s.height(1, 34)
	for i, h := range []string{"指标", "单位", "口径", "依据", "起算日"} {
		s.head(i+1, 2, i+1, 2, h)
	}
	s.height(2, 22)
	row := 3
	for _, ind := range inds {
		definition := definition(ind)
		since := "2018年规定"
		if ind.Effective != 0 {
			since = ind.Effective.String()
		}
		s.text(1, row, ind.Name.ZH, nameLook)
		s.text(2, row, showing(ind).unit, midLook)
		s.text(3, row, definition, nameLook)
		s.text(4, row, ind.Clause, nameLook)
		s.text(5, row, since, midLook)
		s.height(row, 6+14*float64(max(linesOf(definition, 64), linesOf(ind.Clause, 23))))
		row++
	}
	row = s.notes(row, basis(asOf, cut))
	s.printed(page{headFrom: 2, headTo: 2, lastCol: 5, lastRow: row - 1, running: running, asOf: asOf, cut: cut})
}

// notes writes notes across the sheet from row on and returns the row after
// them.
func (s *sheet) notes(row int, notes []string) int {
	total := 0.0
	for _, w := range s.chars {
		total += w
	}
	if s.starred {
		notes = append(slices.Clone(notes), starLegend)
	}
	for _, note := range notes {
		s.span(1, row, len(s.chars), row, note, noteLook)
		s.height(row, 4+12*float64(linesOf(note, total*1.1))) // smaller type than the columns are measured in
		row++
	}
	return row
}

// basis are the notes that every document ends with.
func basis(asOf time.Time, cut report.Cut) []string {
	return []string{
		legend,
		"条款号指吉司联发〔2018〕2号；其后法律新设的职责自其起算日起统计。人数为去重数，各月、各地之数不可相加，合计均为重新统计。",
		"数据截至 " + moment(asOf) + "（北京时间），日志切点（分区:下一偏移量）" + cutText(cut) + "。按同一切点可重新得出相同数字。",
	}
}

// linesOf is how many lines text takes in a column of so many narrow
// characters; a Chinese character is two wide.
func linesOf(text string, chars float64) int {
	lines, used := 1, 0.0
	for _, r := range text {
		w := 1.05
		if r > 0x2E80 {
			w = 2.1
		}
		if used += w; used > chars {
			lines, used = lines+1, w
		}
	}
	return lines
}

// chart is a clustered column chart of cells of the sheet.
type chart struct {
	title         string
	categories    string   // references
	names, values []string // of each series
}

const chartRow = 15 // height of the rows under a chart, in points

// chart covers a block of cells with a chart.
func (s *sheet) chart(col, row, toCol, toRow int, c chart) {
	font := func(size float64, bold bool) *excelize.Font {
		return &excelize.Font{Family: "宋体", Size: size, Bold: bold, Color: "333333"}
	}
	width, height := 0, 0 // in the pixels that excelize counts
	for _, w := range s.chars[col-1 : toCol] {
		width += int(w*8 + 0.5)
	}
	for r := row; r <= toRow; r++ {
		s.height(r, chartRow)
		height += int(math.Ceil(chartRow * 4 / 3.4))
	}
	out := &excelize.Chart{
		Type:      excelize.Col,
		Title:     excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: clean(c.title), Font: font(12, true)}}},
		Legend:    excelize.ChartLegend{Position: "bottom", Font: font(9, false)},
		Dimension: excelize.ChartDimension{Width: uint(width - 8), Height: uint(height - 8)},
		PlotArea:  excelize.ChartPlotArea{ShowVal: true},
		XAxis:     excelize.ChartAxis{Font: *font(9, false)},
		YAxis:     excelize.ChartAxis{Font: *font(9, false), MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}, Minimum: new(0.0)},
		Border:    excelize.LineOptions{Type: excelize.LineNone},
		GapWidth:  new(uint(60)),
		Format:    excelize.GraphicOptions{AltText: clean(c.title), OffsetX: 4, OffsetY: 4},
	}
	for i, values := range c.values {
		out.Series = append(out.Series, excelize.ChartSeries{
			Name: c.names[i], Categories: c.categories, Values: values,
			Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{series[i%len(series)]}},
			DataLabel: excelize.ChartDataLabel{Font: *font(8, false)},
		})
	}
	s.b.do(s.b.f.AddChart(s.name, cellName(col, row), out))
}
