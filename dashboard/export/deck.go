package export

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// deckData is what deck.js lays out: finished texts, and beside them the
// numbers of the charts.
type deckData struct {
	Title       string      `json:"title"`
	Period      string      `json:"period"`
	Unit        string      `json:"unit"`
	AsOf        string      `json:"asOf"`
	Footer      string      `json:"footer"`
	Basis       string      `json:"basis"`
	Key         deckTable   `json:"key"`
	Parts       deckParts   `json:"parts"`
	Trends      []deckChart `json:"trends"`
	TrendNote   string      `json:"trendNote"`
	Splits      []deckSplit `json:"splits"`
	Notices     deckNotices `json:"notices"`
	Kinds       deckNotices `json:"kinds"`
	Supervision deckNotices `json:"supervision"`
	Team        deckTable   `json:"team"`
	Firms       deckTable   `json:"firms"`
	Matters     deckParts   `json:"matters"`
	Definitions [][]string  `json:"definitions"`
}

type deckTable struct {
	Head []string     `json:"head"`
	Rows [][]deckCell `json:"rows"`
	Note string       `json:"note"`
}

// starred tells whether a figure of the table is withheld.
func (t deckTable) starred() bool {
	return slices.ContainsFunc(t.Rows, func(row []deckCell) bool {
		return slices.ContainsFunc(row, func(c deckCell) bool { return c.Text == star })
	})
}

// deckCell is a text, with the tone of a change.
type deckCell struct {
	Text string `json:"t"`
	Tone string `json:"tone,omitempty"` // up or down
}

// deckChart holds a chart's numbers as decimal text, nil for none. As text a
// zero stays a zero: pptxgenjs takes the number 0 for none in the workbook
// behind a chart.
type deckChart struct {
	Title  string       `json:"title"`
	Any    bool         `json:"any"` // some number is not zero
	Labels []string     `json:"labels"`
	Series []deckSeries `json:"series"`
}

type deckSeries struct {
	Name   string    `json:"name"`
	Values []*string `json:"values"`
}

type deckParts struct {
	deckTable
	Title  string    `json:"title"`
	Chart  deckChart `json:"chart"`
	Rotate int       `json:"rotate"` // of the labels, in degrees
	Wide   bool      `json:"wide"`   // the names are long
}

type deckSplit struct {
	deckChart
	Unit string       `json:"unit"`
	Rows [][]deckCell `json:"rows"`
}

type deckNotices struct {
	deckTable
	Chart deckChart `json:"chart"`
}

func newDeckData(d report.Deck) deckData {
	data := deckData{
		Title:       d.Division.Name + "法律援助值班律师工作情况",
		Period:      d.Month.Title().ZH,
		Unit:        d.Unit,
		AsOf:        "数据截至 " + moment(d.AsOf) + "（北京时间）",
		Footer:      d.Unit + "　" + d.Month.Title().ZH + "　数据截至 " + moment(d.AsOf),
		Basis:       strings.Join(basis(d.AsOf, d.Cut), "\n"),
		Key:         keyTable(d, d.Key),
		Parts:       partsTable(d),
		Notices:     noticesTable(d),
		Kinds:       kindsTable(d),
		Supervision: supervisionTable(d),
		Team:        keyTable(d, d.Team),
		Firms:       firmsTable(d),
		Matters:     mattersTable(d),
		// The script goes through lists; none may be null.
		Trends: []deckChart{}, Splits: []deckSplit{}, Definitions: [][]string{},
	}
	for _, t := range d.Trends {
		data.Trends = append(data.Trends, trendChart(d, t))
	}
	data.TrendNote = "折线中断处为没有记载或尚未到期的月份。"
	if d.Unfinished {
		data.TrendNote = fmt.Sprintf("%s尚未结束，为1日至%d日数。", d.Month.Title().ZH, d.Now.To-d.Now.From+1) + data.TrendNote
	}
	for _, s := range d.Splits {
		data.Splits = append(data.Splits, splitChart(s))
	}
	for _, ind := range d.Indicators() {
		data.Definitions = append(data.Definitions, []string{ind.Name.ZH, showing(ind).unit, definition(ind), ind.Clause})
	}
	if data.Key.starred() || data.Team.starred() || data.Parts.starred() || data.Matters.starred() {
		data.Basis += "\n" + starLegend
	}
	data.clean()
	return data
}

// clean makes the texts that come from outside fit for XML.
func (d *deckData) clean() {
	d.Title, d.Unit, d.Footer = clean(d.Title), clean(d.Unit), clean(d.Footer)
	for _, row := range slices.Concat(d.Parts.Rows, d.Matters.Rows, d.Firms.Rows) {
		row[0].Text = clean(row[0].Text)
	}
	for i, label := range d.Parts.Chart.Labels {
		d.Parts.Chart.Labels[i] = clean(label)
	}
}

// number is a figure as text with thousands separated.
func number(f report.Figure, ind schemas.Indicator) string {
	if f.Status != report.Known {
		return letter(f)
	}
	show := showing(ind)
	v := f.Value * show.scale
	if ind.Kind == schemas.Ratio {
		return strconv.FormatFloat(v*100, 'f', show.digits, 64) + "%"
	}
	return thousands(v, show.digits)
}

func thousands(v float64, digits int) string {
	text := strconv.FormatFloat(math.Abs(v), 'f', digits, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if v < 0 && strings.Trim(text, "0.") != "" {
		whole = "-" + whole
	}
	return whole
}

// change says how a figure stands to an earlier one: in percent of it, for a
// ratio in percentage points.
func change(now, before report.Figure, ind schemas.Indicator) deckCell {
	if now.Withheld || before.Withheld {
		return deckCell{Text: star}
	}
	if now.Status != report.Known || before.Status != report.Known {
		return deckCell{Text: "X"}
	}
	by, unit := 0.0, "%"
	switch {
	case ind.Kind == schemas.Ratio:
		by, unit = (now.Value-before.Value)*100, "个百分点"
	case before.Value != 0:
		by = (now.Value/before.Value - 1) * 100
	case now.Value != 0:
		return deckCell{Text: "X"}
	}
	text := strconv.FormatFloat(math.Abs(by), 'f', 1, 64)
	switch {
	case text == "0.0":
		return deckCell{Text: "持平"}
	case by > 0:
		return deckCell{"↑ " + text + unit, "up"}
	}
	return deckCell{"↓ " + text + unit, "down"}
}

// plot is a figure's number for a chart.
func plot(f report.Figure, ind schemas.Indicator) *string {
	if f.Status != report.Known {
		return nil
	}
	text := strconv.FormatFloat(f.Value*showing(ind).scale, 'f', -1, 64)
	return &text
}

func (c *deckChart) add(name string, ind schemas.Indicator, figures ...report.Figure) {
	s := deckSeries{Name: name}
	for _, f := range figures {
		s.Values = append(s.Values, plot(f, ind))
		c.Any = c.Any || f.Status == report.Known && f.Value != 0
	}
	c.Series = append(c.Series, s)
}

func headOf(ind schemas.Indicator) string {
	return ind.Name.ZH + "（" + showing(ind).unit + "）"
}

// tableOf is rows of figures with the whole below them.
func tableOf(first string, t report.DeckTable, whole string) deckTable {
	out := deckTable{Head: []string{first}, Rows: [][]deckCell{}}
	for _, ind := range t.Indicators {
		out.Head = append(out.Head, ind.Name.ZH+"\n（"+showing(ind).unit+"）")
	}
	row := func(name string, figures []report.Figure) {
		cells := []deckCell{{Text: name}}
		for i, ind := range t.Indicators {
			cells = append(cells, deckCell{Text: number(figures[i], ind)})
		}
		out.Rows = append(out.Rows, cells)
	}
	for _, r := range t.Rows {
		row(r.Name, r.Figures)
	}
	if t.All != nil {
		row(whole, t.All)
	}
	return out
}

// drawn is a chart of some columns of a table, a row a label.
func drawn(title string, t report.DeckTable, codes ...schemas.IndicatorCode) deckChart {
	c := deckChart{Title: title, Labels: []string{}, Series: []deckSeries{}}
	for _, r := range t.Rows {
		c.Labels = append(c.Labels, r.Name)
	}
	for i, ind := range t.Indicators {
		if !slices.Contains(codes, ind.Code) {
			continue
		}
		var figures []report.Figure
		for _, r := range t.Rows {
			figures = append(figures, r.Figures[i])
		}
		c.add(ind.Name.ZH, ind, figures...)
	}
	return c
}

func kindsTable(d report.Deck) deckNotices {
	return deckNotices{tableOf("工作站类别", d.Kinds, "合计"),
		drawn(d.Month.Title().ZH+"各类工作站值班与咨询（人次）", d.Kinds, schemas.Shifts, schemas.Consultations)}
}

func supervisionTable(d report.Deck) deckNotices {
	n := deckNotices{tableOf("办案机关", d.Supervision, "合计"),
		drawn(d.Month.Title().ZH+"法律帮助请求与纠正意见（件）", d.Supervision, codesOf(d.Supervision.Indicators)...)}
	n.Note = "法律帮助请求及已通知值班律师计入收到请求当日；纠正意见及其答复、办结计入提出当日。纠正意见按被监督机关列示。"
	return n
}

func codesOf(inds []schemas.Indicator) []schemas.IndicatorCode {
	var out []schemas.IndicatorCode
	for _, ind := range inds {
		out = append(out, ind.Code)
	}
	return out
}

func firmsTable(d report.Deck) deckTable {
	t := tableOf("律师事务所", d.Firms, "全部")
	t.Note = fmt.Sprintf("按值班班次列前%d家，本期有履职记录的共%d家；“全部”包括未列出的机构和未登记执业机构的律师。", len(d.Firms.Rows), d.FirmCount)
	return t
}

func mattersTable(d report.Deck) deckParts {
	first := "地区"
	if d.PartsAre == report.ByStation {
		first = "工作站"
	}
	return deckParts{deckTable: tableOf(first, d.Matters, "合计"), Wide: d.PartsAre == report.ByStation}
}

func keyTable(d report.Deck, figures []report.KeyFigure) deckTable {
	t := deckTable{Head: []string{"指标", "单位", "本月", "上月", "环比", "上年同月", "同比"}, Rows: [][]deckCell{}}
	for _, k := range figures {
		ind := k.Indicator
		t.Rows = append(t.Rows, []deckCell{
			{Text: ind.Name.ZH}, {Text: showing(ind).unit},
			{Text: number(k.Now, ind)},
			{Text: number(k.Previous, ind)}, change(k.Now, k.Previous, ind),
			{Text: number(k.LastYear, ind)}, change(k.Now, k.LastYear, ind),
		})
	}
	t.Note = legend
	if d.Unfinished {
		days := d.Now.To - d.Now.From + 1
		t.Note = fmt.Sprintf("本月尚未结束：各列均为当月1日至%d日，环比、同比按相同天数比较。", days) + legend
	}
	if t.starred() {
		t.Note += starLegend
	}
	return t
}

func partsTable(d report.Deck) deckParts {
	p := deckParts{Title: "各地区工作情况"}
	first := "地区"
	if d.PartsAre == report.ByStation {
		p.Title, first = "各工作站工作情况", "工作站"
	}
	p.Head = []string{first}
	for _, ind := range d.PartIndicators {
		p.Head = append(p.Head, ind.Name.ZH+"\n（"+showing(ind).unit+"）")
	}
	row := func(name string, figures []report.Figure) {
		cells := []deckCell{{Text: name}}
		for i, ind := range d.PartIndicators {
			cells = append(cells, deckCell{Text: number(figures[i], ind)})
		}
		p.Rows = append(p.Rows, cells)
	}
	p.Chart.Title = d.Month.Title().ZH + strings.TrimSuffix(p.Title, "工作情况") + "法律咨询与值班班次（人次）"
	byIndicator := make([][]report.Figure, len(d.PartIndicators))
	short := shortNames(d.Parts)
	for n, part := range d.Parts {
		row(part.Name, part.Figures)
		p.Chart.Labels = append(p.Chart.Labels, short[n])
		for i, f := range part.Figures {
			byIndicator[i] = append(byIndicator[i], f)
		}
	}
	for _, code := range []schemas.IndicatorCode{schemas.Consultations, schemas.Shifts} {
		for i, ind := range d.PartIndicators {
			if ind.Code == code {
				p.Chart.add(ind.Name.ZH, ind, byIndicator[i]...)
			}
		}
	}
	row("合计", d.PartsAll)
	p.Wide = d.PartsAre == report.ByStation
	if utf8.RuneCountInString(strings.Join(short, "  ")) > 50 { // more than stand side by side
		p.Rotate = -40
	}
	return p
}

// shortNames are the names for the axis of a chart. A station's name begins with
// its centre's and ends with 值班律师工作站; what is between tells stations apart.
func shortNames(parts []report.DeckRow) []string {
	out := make([]string, len(parts))
	seen := map[string]bool{}
	for i, p := range parts {
		short := strings.TrimSuffix(p.Name, "值班律师工作站")
		if _, after, ok := strings.Cut(short, "法律援助中心驻"); ok && after != "" {
			short = after
		}
		if short == "" || seen[short] {
			short = p.Name
		}
		seen[short], out[i] = true, short
	}
	return out
}

func trendChart(d report.Deck, t report.DeckTrend) deckChart {
	c := deckChart{Title: headOf(t.Indicator)}
	for i := range 12 {
		c.Labels = append(c.Labels, fmt.Sprintf("%d月", i+1))
	}
	year := d.Month.Year()
	c.add(fmt.Sprintf("%d年", year), t.Indicator, t.Year[:]...)
	c.add(fmt.Sprintf("%d年", year-1), t.Indicator, t.LastYear[:]...)
	return c
}

// splitTitle names a split for its slide.
var splitTitle = map[report.Dimension]string{
	report.ByChannel:    "咨询渠道",
	report.ByPersonRole: "咨询对象",
	report.ByMode:       "值班方式",
}

func splitChart(s report.DeckSplit) deckSplit {
	out := deckSplit{Unit: showing(s.Indicator).unit}
	out.Title = splitTitle[s.By]
	sum := 0.0
	for _, f := range s.Figures {
		sum += f.Value
	}
	for i, v := range s.Values {
		out.Labels = append(out.Labels, v.Name.ZH)
		share := "X"
		if sum > 0 && s.Figures[i].Status == report.Known {
			share = strconv.FormatFloat(100*s.Figures[i].Value/sum, 'f', 1, 64) + "%"
		}
		out.Rows = append(out.Rows, []deckCell{{Text: v.Name.ZH}, {Text: number(s.Figures[i], s.Indicator)}, {Text: share}})
	}
	out.add(out.Title, s.Indicator, s.Figures...)
	return out
}

// noticesTable shows the duties to notify by organ. Its chart splits what was
// due into what became of it: not notified yet is overdue or still in time.
func noticesTable(d report.Deck) deckNotices {
	n := deckNotices{}
	column := func(figures []report.Figure, code schemas.IndicatorCode) report.Figure {
		for i, ind := range d.NoticeIndicators {
			if ind.Code == code {
				return figures[i]
			}
		}
		return report.Figure{Status: report.NotAvailable}
	}
	n.Head = []string{"办案机关"}
	for _, ind := range d.NoticeIndicators {
		n.Head = append(n.Head, ind.Name.ZH)
	}
	n.Head = append(n.Head, "按时占比")
	row := func(name string, figures []report.Figure) {
		cells := []deckCell{{Text: name}}
		for i, ind := range d.NoticeIndicators {
			cells = append(cells, deckCell{Text: number(figures[i], ind)})
		}
		share := "X"
		due, onTime := column(figures, schemas.NotificationsDue), column(figures, schemas.NotificationsOnTime)
		if due.Status == report.Known && due.Value > 0 {
			share = strconv.FormatFloat(100*onTime.Value/due.Value, 'f', 1, 64) + "%"
		}
		n.Rows = append(n.Rows, append(cells, deckCell{Text: share}))
	}
	states := []struct {
		name string
		of   func([]report.Figure) report.Figure
	}{
		{"按时告知", func(f []report.Figure) report.Figure { return column(f, schemas.NotificationsOnTime) }},
		{"逾期告知", func(f []report.Figure) report.Figure { return column(f, schemas.NotificationsLate) }},
		{"告知无凭据", func(f []report.Figure) report.Figure { return column(f, schemas.NotificationsUnevid) }},
		{"逾期未告知", func(f []report.Figure) report.Figure { return column(f, schemas.NotificationsOverdue) }},
		{"期限内待告知", func(f []report.Figure) report.Figure {
			open, overdue := column(f, schemas.NotificationsOpen), column(f, schemas.NotificationsOverdue)
			open.Value -= overdue.Value
			return open
		}},
	}
	var organs []report.DeckRow // a bar chart begins at the bottom
	for _, organ := range d.Notices {
		row(organ.Name, organ.Figures)
		organs = append([]report.DeckRow{organ}, organs...)
	}
	for _, organ := range organs {
		n.Chart.Labels = append(n.Chart.Labels, organ.Name)
	}
	row("合计", d.NoticesAll)
	n.Chart.Title = d.Month.Title().ZH + "各机关告知情况（人次）"
	for _, state := range states {
		var figures []report.Figure
		for _, organ := range organs {
			figures = append(figures, state.of(organ.Figures))
		}
		n.Chart.add(state.name, schemas.Indicator{}, figures...)
	}
	n.Note = "各项均计入告知义务发生当日。按时占比＝按时告知÷应告知；尚未告知包括逾期未告知和期限内待告知。"
	return n
}
