package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// overviewPage is the page of a division or a station: a month in figures, on
// the map, by part, through the year and by mode, channel and organ.
type overviewPage struct {
	Heading   string
	Month     string
	Filter    filter
	Downloads []link
	Notes     []note
	Facts     []fact // of a station
	Cards     []card
	Left      *panel // the map, or the bars of a county's stations, or a calendar
	Rank      *panel
	Own       *panel // stations of a prefecture's or the province's own
	Trend     panel
	Splits    []panel
	Lawyers   *panel // of a station
}

// panel is a chart, a table, or both side by side.
type panel struct {
	ID, Title string
	Chart     *chart
	Table     *table
	Wide      bool
}

// note is a remark above the figures, perhaps with a way on.
type note struct {
	Text string
	Link link
}

type fact struct{ Name, Value, Href string }

// card is a key figure with what it is compared with.
type card struct {
	Code       schemas.IndicatorCode
	Title      string
	Definition string
	Amount     amount
	Href, Open string
	Same, Prev *change // 同比, 环比; nil when the figure is not compared
	Year       string  // 本年累计
	Share      string
}

// cards are the key figures in the order of the page. Of is what a figure is a
// share of.
var cards = []struct {
	code, of schemas.IndicatorCode
}{
	{code: schemas.Stations}, {code: schemas.Lawyers}, {code: schemas.Shifts}, {code: schemas.DutyMinutes},
	{code: schemas.Consultations}, {code: schemas.PersonsConsulted}, {code: schemas.ConsultationsGuided},
	{code: schemas.ApplicationsReceived}, {code: schemas.ApplicationsTransferred}, {code: schemas.TransferredWithin24h},
	{code: schemas.NotificationsDue}, {code: schemas.NotificationsOnTime, of: schemas.NotificationsDue},
	{code: schemas.NotificationsLate, of: schemas.NotificationsDue}, {code: schemas.NotificationsOverdue, of: schemas.NotificationsDue},
}

// rankFigures are the columns of a ranking beside the main figure.
var rankFigures = []schemas.IndicatorCode{
	schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.ApplicationsReceived, schemas.TransferredWithin24h, schemas.NotificationsOverdue,
}

// mainFigures can be put on the map, the ranking and the trend.
var mainFigures = []schemas.IndicatorCode{
	schemas.Consultations, schemas.PersonsConsulted, schemas.Shifts, schemas.DutyMinutes, schemas.ApplicationsReceived,
	schemas.TransferredWithin24h, schemas.NotificationsDue, schemas.NotificationsOverdue,
}

// organFigures are the states of a duty to notify, with their colours.
var organFigures = []struct {
	code  schemas.IndicatorCode
	color string
}{
	{schemas.NotificationsOnTime, green}, {schemas.NotificationsLate, orange}, {schemas.NotificationsUnevid, purple}, {schemas.NotificationsOverdue, red},
	{schemas.NotificationsOpen, grey}, // shown without those that are overdue
}

// codesOf are the figures of cards, with what they are a share of and what tells
// whether there is anything at all.
func codesOf(which []struct{ code, of schemas.IndicatorCode }) []schemas.IndicatorCode {
	out := []schemas.IndicatorCode{schemas.Shifts, schemas.Consultations, schemas.NotificationsDue}
	for _, c := range which {
		if !slices.Contains(out, c.code) {
			out = append(out, c.code)
		}
	}
	return out
}

func (s *Server) provincePage(ctx context.Context, v *visit) (page, error) {
	return s.divisionOf(ctx, v, schemas.Province)
}

func (s *Server) divisionPage(ctx context.Context, v *visit) (page, error) {
	return s.divisionOf(ctx, v, schemas.DivisionCode(v.part("code")))
}

func (s *Server) divisionOf(ctx context.Context, v *visit, code schemas.DivisionCode) (page, error) {
	if err := v.err(); err != nil {
		return page{}, err
	}
	d, ok := schemas.Divisions.Get(code)
	if !ok {
		return page{}, schemas.Errorf(schemas.NotFound, "division %q is not in the register", code)
	}
	q := report.OverviewQuery{
		Query: report.Query{Division: code, Indicators: codesOf(append(plain([]schemas.IndicatorCode{v.main}), cards...)), AsOf: v.asOf, Cut: v.cut, View: v.view},
		Month: v.month, Main: v.main, Parts: report.Split{By: report.ByDivision, Indicators: with(v.main, rankFigures)},
		Splits: append(splitsOf(splitDims), report.Split{By: report.ByOrgan, Indicators: organCodes()}),
	}
	if d.Level == schemas.LevelCounty {
		q.Parts.By = report.ByStation
	}
	o, err := report.ReadOverview(ctx, s.read, v.scope, q, v.today())
	if err != nil {
		return page{}, unavailable(err)
	}
	stations, err := s.read.Stations(ctx, v.scope, code, v.asOf)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("stations of %s: %w", code, err))
	}

	main := v.main
	p := overviewPage{
		Heading: d.Name, Month: v.month.Title().In(string(v.phrases)), Filter: v.monthFilter(),
		Downloads: []link{
			{v.t("download.return"), fileLink("/api/v1/returns/"+string(code)+"/"+v.month.String()+".xlsx", v.asOf)},
			{v.t("download.slides"), fileLink("/api/v1/slides?division="+string(code)+"&period="+v.month.String(), v.asOf)},
		},
		Notes: append(v.notes(o, d.Name), v.movedNote(d)...),
		Cards: v.cards(o, cards, code),
		Trend: v.trendPanel(o, main, code),
	}
	for _, dim := range splitDims {
		p.Splits = append(p.Splits, v.splitPanel(o, dim, code))
	}
	p.Splits = append(p.Splits, v.organPanel(o, code))

	if d.Level == schemas.LevelCounty {
		parts := v.stationParts(o, stations)
		p.Rank = v.rankPanel(o, main, v.t("rank.stations"), v.t("rank.station"), parts, code, report.ByStation, false)
		p.Left = v.rankBars(main, parts)
		return v.overview(p, d.Name, v.crumbs(code, "")), nil
	}
	parts := v.divisionParts(o, d)
	borders := s.borders(code)
	p.Rank = v.rankPanel(o, main, v.t("rank.title"), v.t("rank.name"), parts, code, report.ByDivision, borders != "")
	p.Left = v.mapPanel(borders, main, d, parts)
	if p.Own, err = s.ownPanel(ctx, v, o, d, stations); err != nil {
		return page{}, err
	}
	return v.overview(p, d.Name, v.crumbs(code, "")), nil
}

// overview is the finished page.
func (v *visit) overview(p overviewPage, name string, crumbs []link) page {
	return page{Template: "overview", Title: name + " " + p.Month, Menu: v.link("/"), Crumbs: crumbs, Body: p}
}

// part is a member of a ranking.
type part struct {
	Code, Name, Sub string
	Mark            string // its name on a chart: unlike any other's, and short
	Href            string
	Own             bool // the whole's own stations
	*report.Compared
}

var nothing = &report.Compared{}

// divisionParts are a division's children in the month, and its own stations.
func (v *visit) divisionParts(o report.Overview, d schemas.Division) []part {
	var out []part
	from, to := o.Now.From, o.Now.To
	if v.view == schemas.ViewNow {
		from, to = v.today(), v.today()
	}
	for _, child := range schemas.Divisions.Children(d.Code, from, to) {
		p := part{Code: string(child.Code), Name: child.Name, Mark: child.Name, Href: v.link(divisionPath(child.Code)), Compared: o.Parts[string(child.Code)]}
		if p.Compared == nil {
			p.Compared = nothing
		}
		out = append(out, p)
	}
	if own := o.Parts[string(d.Code)]; own != nil {
		out = append(out, part{Code: string(d.Code), Name: v.t("rank.own.name", d.Name), Mark: v.t("rank.own.name", d.Name), Href: "#own", Own: true, Compared: own})
	}
	return out
}

// stationParts are a county's stations, also those without figures.
func (v *visit) stationParts(o report.Overview, stations []report.Station) []part {
	var out []part
	for _, s := range stations {
		p := part{Code: string(s.Code), Name: v.stationName(s), Href: v.link(stationPath(s.Code)), Compared: o.Parts[string(s.Code)]}
		if !s.Registered {
			p.Sub = v.t("station_kind.unregistered")
		}
		if p.Compared == nil {
			p.Compared = nothing
		}
		out = append(out, p)
	}
	for code, c := range o.Parts {
		station := schemas.StationCode(code)
		if code != "" && !slices.ContainsFunc(stations, func(s report.Station) bool { return s.Code == station }) {
			out = append(out, part{Code: code, Name: code, Sub: v.t("station_kind.unregistered"), Href: v.link(stationPath(station)), Compared: c})
		}
	}
	kinds := map[string]int{}
	for i := range out {
		kind := schemas.StationCode(out[i].Code).Kind().Title().In(string(v.phrases))
		out[i].Mark = kind
		if kinds[kind]++; kinds[kind] > 1 {
			out[i].Mark = v.t("unit.paren", kind, out[i].Code)
		}
	}
	return out
}

// stationName is a station's registered name, or what its code says.
func (v *visit) stationName(s report.Station) string {
	if s.Registered {
		return s.Name
	}
	return schemas.Divisions.Name(s.Code.Division()) + s.Code.Kind().Title().In(string(v.phrases)) + "（" + string(s.Code) + "）"
}

// ownPanel lists the stations that report to a division without a county
// between; nil when there is none.
func (s *Server) ownPanel(ctx context.Context, v *visit, o report.Overview, d schemas.Division, stations []report.Station) (*panel, error) {
	own := slices.DeleteFunc(slices.Clone(stations), func(s report.Station) bool { return s.Reporting != d.Code })
	if len(own) == 0 {
		return nil, nil
	}
	q := report.Query{Division: d.Code, From: o.Now.From, To: o.Now.To, By: []report.Dimension{report.ByStation}, Indicators: rankFigures, AsOf: v.asOf, Cut: v.cut, View: v.view,
		Filter: map[report.Dimension][]string{}}
	for _, st := range own {
		q.Filter[report.ByStation] = append(q.Filter[report.ByStation], string(st.Code))
	}
	st, err := s.read.Statistics(ctx, v.scope, q)
	if err != nil {
		return nil, unavailable(fmt.Errorf("own stations of %s: %w", d.Code, err))
	}
	t := &table{ID: "own-table", Caption: v.t("rank.own"), Head: []cell{head(v.t("rank.station")), head(v.t("station.kind"))}}
	for _, code := range rankFigures {
		t.Head = append(t.Head, v.headOf(code))
	}
	for _, station := range own {
		values := report.Values{}
		if row, ok := st.Find(string(station.Code)); ok {
			values = st.ValuesOf(row)
		}
		cells := []cell{{Text: v.stationName(station), Href: v.link(stationPath(station.Code)), Name: true}, {Text: station.Kind.Title().In(string(v.phrases))}}
		for _, code := range rankFigures {
			cells = append(cells, v.figure(code, zero(code, values[code]), d.Code, o.Now, "station", string(station.Code)))
		}
		t.Rows = append(t.Rows, cells)
	}
	return &panel{ID: "own", Title: v.t("rank.own"), Table: t, Wide: true}, nil
}

// cards shows key figures. Stock figures have no sum of the year, what is
// overdue at the moment asked for has nothing to be compared with.
func (v *visit) cards(o report.Overview, which []struct{ code, of schemas.IndicatorCode }, division schemas.DivisionCode, filter ...string) []card {
	var out []card
	for _, w := range which {
		ind, err := schemas.Indicators.Lookup(w.code)
		if err != nil {
			continue
		}
		now := zero(w.code, o.Whole.Now[w.code])
		c := card{
			Code: w.code, Title: v.cardTitle(ind), Definition: ind.Definition.In(string(v.phrases)), Amount: v.amount(w.code, now),
			Href: v.details(w.code, division, o.Now, filter...), Open: v.t("figure.open", ind.Name.In(string(v.phrases))),
		}
		if w.of != "" {
			if whole := o.Whole.Now.Of(w.of); whole != 0 && now != nil {
				c.Share = v.t("figure.of", fixed(*now/whole*100))
			}
		}
		if ind.Kind != schemas.Overdue {
			same, prev := v.change(w.code, now, o.Whole.LastYear[w.code]), v.change(w.code, now, o.Whole.Previous[w.code])
			c.Same, c.Prev = &same, &prev
		}
		if ind.Kind != schemas.Stock {
			a := v.amount(w.code, zero(w.code, o.Whole.Year[w.code]))
			c.Year = a.Text
			if ind.Kind == schemas.Ratio && c.Year != v.t("figure.none") {
				c.Year += "%"
			}
		}
		out = append(out, c)
	}
	return out
}

// cardTitle is an indicator's name.
func (v *visit) cardTitle(ind schemas.Indicator) string { return ind.Name.In(string(v.phrases)) }

// notes are the remarks that the figures need.
func (v *visit) notes(o report.Overview, name string) []note {
	var out []note
	if o.Unfinished {
		out = append(out, note{Text: v.t("note.unfinished", int(o.Now.To-o.Now.From)+1)})
	}
	if o.Whole.Now.Of(schemas.Shifts)+o.Whole.Now.Of(schemas.Consultations)+o.Whole.Now.Of(schemas.NotificationsDue) == 0 {
		n := note{Text: v.t("note.empty", name+o.Month.Title().In(string(v.phrases)))}
		for _, row := range slices.Backward(o.Trend.Rows) {
			month, err := schemas.ParseMonth(row.Key[0])
			if err == nil && month != o.Month && o.Trend.Value(row, v.main) > 0 {
				n.Link = link{v.t("note.empty.last", month.Title().In(string(v.phrases))), v.here("month", month.String())}
				break
			}
		}
		out = append(out, n)
	}
	return out
}

// movedNote says that a division has another code at another time.
func (v *visit) movedNote(d schemas.Division) []note {
	for _, m := range schemas.Divisions.Moves() {
		if d.Code == m.Old || d.Code == m.New && v.month.First() < m.On {
			n := note{Text: v.t("note.moved", schemas.Divisions.Name(m.Old), string(m.Old), m.On.String(), schemas.Divisions.Name(m.New), string(m.New))}
			other := m.New
			if d.Code == m.New {
				other = m.Old
			}
			n.Link = link{string(other), v.link(divisionPath(other))}
			return []note{n}
		}
	}
	return nil
}

// mapPanel is the map of a division's children.
func (v *visit) mapPanel(borders string, main schemas.IndicatorCode, d schemas.Division, parts []part) *panel {
	if borders == "" {
		return v.rankBars(main, parts)
	}
	ind, _ := schemas.Indicators.Lookup(main)
	var regions []region
	for _, p := range parts {
		div, ok := schemas.Divisions.Get(schemas.DivisionCode(p.Code))
		if !ok || p.Own || div.Kind == "nbs_devzone" {
			continue // zones lie inside other divisions: they are in the table only
		}
		regions = append(regions, region{div.Code, shortName(div), scaled(ind, p.Now.Of(main))})
	}
	c := v.mapChart(main, borders, regions)
	return &panel{ID: "where", Title: v.t("map.title", d.Name, v.titled(main)), Chart: &c}
}

// shortName is a division's name without the peoples and offices in it, so that
// it fits on a map.
func shortName(d schemas.Division) string {
	if short, ok := shortNames[d.Code]; ok {
		return short
	}
	return d.Name
}

var shortNames = map[schemas.DivisionCode]string{"222400": "延边州", "22CB00": "长白山", "220323": "伊通县", "220623": "长白县", "220721": "前郭县"}

// borders is the address of the map of a division's children, "" when there is
// none.
func (s *Server) borders(code schemas.DivisionCode) string {
	address, err := s.assets.URL("map/" + string(code) + ".json")
	if err != nil {
		return ""
	}
	return address
}

// rankBars draws the ranking where there is no map.
func (v *visit) rankBars(main schemas.IndicatorCode, parts []part) *panel {
	ind, _ := schemas.Indicators.Lookup(main)
	sorted := rankedBy(main, parts)
	if len(sorted) > 15 {
		sorted = sorted[:15]
	}
	var names []string
	bars := layer{Name: ind.Name.In(string(v.phrases)), Color: blue}
	for _, p := range sorted {
		names = append(names, p.Mark)
		bars.Values = append(bars.Values, scaled(ind, p.Now.Of(main)))
	}
	class := ""
	if len(sorted) <= 6 {
		class = "short"
	}
	c := v.barChart("bars", class, v.t("rank.label", bars.Name), v.unit(ind), "rank", names, []layer{bars}, true, false)
	return &panel{ID: "where", Title: v.titled(main), Chart: &c}
}

// rankedBy sorts parts by a figure, the highest first, a whole's own last.
func rankedBy(main schemas.IndicatorCode, parts []part) []part {
	sorted := slices.Clone(parts)
	slices.SortStableFunc(sorted, func(a, b part) int {
		if a.Own != b.Own {
			return cmp.Compare(b2i(a.Own), b2i(b.Own))
		}
		return cmp.Or(cmp.Compare(b.Now.Of(main), a.Now.Of(main)), strings.Compare(a.Code, b.Code))
	})
	return sorted
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rankPanel is the table of parts by the main figure, with the way down.
func (v *visit) rankPanel(o report.Overview, main schemas.IndicatorCode, title, partName string, parts []part, division schemas.DivisionCode, by report.Dimension, onMap bool) *panel {
	columns := with(main, rankFigures)[1:]
	t := &table{ID: "rank", Class: "rank by-" + string(by), Caption: v.t("rank.caption", v.month.Title().In(string(v.phrases)), v.indicator(main)),
		Head: []cell{headNum(v.t("rank.place")), head(partName), v.headOf(main), headNum(v.t("figure.same")), headNum(v.t("figure.prev"))}}
	for _, code := range columns {
		t.Head = append(t.Head, v.headOf(code))
	}
	sorted := rankedBy(main, parts)
	var highest float64
	for _, p := range sorted {
		highest = max(highest, p.Now.Of(main))
	}
	for i, p := range sorted {
		at, filter := schemas.DivisionCode(p.Code), []string(nil)
		switch {
		case by == report.ByStation:
			at, filter = division, []string{"station", p.Code}
		case p.Own:
			at = division
		}
		value := zero(main, p.Now[main])
		lead := v.figure(main, value, at, o.Now, filter...)
		if p.Own {
			lead.Href = "" // the address of the whole would show more than its own
		}
		if value != nil && highest > 0 {
			lead.Bar = int(*value/highest*100 + .5)
		}
		row := []cell{
			{Text: number(float64(i + 1)), Num: true, Muted: true},
			{Text: p.Name, Href: p.Href, Mark: p.Mark, Name: true, Sub: p.Sub}, lead,
			v.moved(main, value, p.LastYear[main]), v.moved(main, value, p.Previous[main]),
		}
		if onMap {
			row[1].Mark = p.Code
		}
		for _, code := range columns {
			c := v.figure(code, zero(code, p.Now[code]), at, o.Now, filter...)
			if p.Own {
				c.Href = ""
			}
			row = append(row, c)
		}
		t.Rows = append(t.Rows, row)
	}
	now := zero(main, o.Whole.Now[main])
	t.Foot = []cell{{}, {Text: v.t("rank.total"), Name: true}, v.figure(main, now, division, o.Now),
		v.moved(main, now, o.Whole.LastYear[main]), v.moved(main, now, o.Whole.Previous[main])}
	for _, code := range columns {
		t.Foot = append(t.Foot, v.figure(code, zero(code, o.Whole.Now[code]), division, o.Now))
	}
	return &panel{ID: "ranking", Title: title, Table: t}
}

// trendPanel is a figure through this year and the year before.
func (v *visit) trendPanel(o report.Overview, main schemas.IndicatorCode, division schemas.DivisionCode, filter ...string) panel {
	ind, _ := schemas.Indicators.Lookup(main)
	year := o.Month.Year()
	january := schemas.Month(year * 12)
	var now, before [12]*float64
	i := slices.Index(o.Trend.Query.Indicators, main)
	for _, row := range o.Trend.Rows {
		month, err := schemas.ParseMonth(row.Key[0])
		if err != nil || i < 0 {
			continue
		}
		if k := int(month - january); k >= 0 && k < 12 {
			now[k] = row.Values[i]
		} else if k >= -12 && k < 0 {
			before[k+12] = row.Values[i]
		}
	}
	soFar := -1
	if o.Unfinished {
		soFar = o.Month.Number() - 1
	}
	for k := range 12 {
		before[k] = zero(main, before[k])
		if january+schemas.Month(k) <= o.Month {
			now[k] = zero(main, now[k])
		}
	}
	c := v.trendChart(main, year, now, before, soFar)
	t := &table{ID: "trend-table", Class: "narrow", Caption: v.t("trend.title", v.titled(main)),
		Head: []cell{head(v.t("trend.month")), headNum(v.t("year", year)), headNum(v.t("year", year-1)), headNum(v.t("figure.same"))}}
	for k := range 12 {
		month := january + schemas.Month(k)
		row := []cell{{Text: v.t("month.number", k+1), Href: v.here("month", month.String()), Name: true, Mark: v.t("month.number", k+1)}}
		if month > o.Month {
			row = append(row, cell{Text: "", Num: true})
			row[0].Href = ""
		} else {
			row = append(row, v.figure(main, now[k], division, monthRange(month, o), filter...))
			if k == soFar {
				row[0].Sub = v.t("trend.so.far")
			}
		}
		row = append(row, v.figure(main, before[k], division, monthRange(month-12, o), filter...))
		switch {
		case month > o.Month:
			row = append(row, cell{Num: true})
		case k == soFar:
			row = append(row, v.moved(main, now[k], o.Whole.LastYear[main]))
		default:
			row = append(row, v.moved(main, now[k], before[k]))
		}
		t.Rows = append(t.Rows, row)
	}
	return panel{ID: "through", Title: v.t("trend.title", ind.Name.In(string(v.phrases))), Chart: &c, Table: t, Wide: true}
}

// monthRange is a month, or its days so far when it is the one asked for.
func monthRange(m schemas.Month, o report.Overview) report.Range {
	if m == o.Month {
		return o.Now
	}
	return report.Range{From: m.First(), To: m.Last()}
}

// splitDims are the dimensions that figures are split by, in the page's order.
var splitDims = []report.Dimension{report.ByMode, report.ByChannel, report.ByPersonRole}

func splitsOf(dims []report.Dimension) []report.Split {
	var out []report.Split
	for _, d := range dims {
		out = append(out, report.Split{By: d, Indicators: splitFigures[d]})
	}
	return out
}

func organCodes() []schemas.IndicatorCode {
	out := []schemas.IndicatorCode{schemas.NotificationsDue}
	for _, f := range organFigures {
		out = append(out, f.code)
	}
	return out
}

// with is codes with one more, once.
func with(code schemas.IndicatorCode, all []schemas.IndicatorCode) []schemas.IndicatorCode {
	return append([]schemas.IndicatorCode{code}, slices.DeleteFunc(slices.Clone(all), func(c schemas.IndicatorCode) bool { return c == code })...)
}

// splitFigures are what the splits show: the first is drawn.
var splitFigures = map[report.Dimension][]schemas.IndicatorCode{
	report.ByMode:       {schemas.Shifts, schemas.DutyMinutes},
	report.ByChannel:    {schemas.Consultations, schemas.PersonsConsulted},
	report.ByPersonRole: {schemas.Consultations, schemas.PersonsConsulted},
}

var splitTitles = map[report.Dimension]string{report.ByMode: "mode.title", report.ByChannel: "channel.title", report.ByPersonRole: "role.title"}

// splitPanel is a figure by a closed set of values.
func (v *visit) splitPanel(o report.Overview, by report.Dimension, division schemas.DivisionCode, filter ...string) panel {
	figures, title, st := splitFigures[by], v.t(splitTitles[by]), o.Splits[by]
	ind, _ := schemas.Indicators.Lookup(figures[0])
	t := &table{ID: string(by) + "-table", Caption: title, Head: []cell{head(v.t("dimension." + string(by)))}}
	for _, code := range figures {
		t.Head = append(t.Head, v.headOf(code))
	}
	t.Head = append(t.Head, headNum(v.t("split.share")))
	var parts []slice
	var whole float64
	for _, row := range st.Rows {
		whole += st.Value(row, figures[0])
	}
	for k, value := range closed[string(by)] {
		name := value.Name.In(string(v.phrases))
		values := report.Values{}
		if row, ok := st.Find(value.Code); ok {
			values = st.ValuesOf(row)
		}
		cells := []cell{{Text: name, Name: true, Mark: name, Href: v.details(figures[0], division, o.Now, append(slices.Clone(filter), string(by), value.Code)...)}}
		for _, code := range figures {
			cells = append(cells, v.figure(code, zero(code, values[code]), division, o.Now, append(slices.Clone(filter), string(by), value.Code)...))
		}
		if values.Of(figures[0]) == 0 {
			cells[0].Href = ""
		} else {
			parts = append(parts, slice{name, values.Of(figures[0]), sliceColors[k%len(sliceColors)]})
		}
		t.Rows = append(t.Rows, append(cells, cell{Text: v.share(values.Of(figures[0]), whole), Num: true}))
	}
	p := panel{ID: string(by) + "-split", Title: v.t("unit.paren", title, v.unit(ind)), Table: t}
	if len(parts) > 0 {
		c := v.ringChart(string(by), title, v.unit(ind), parts)
		p.Chart = &c
	}
	return p
}

// organPanel is how organs fulfilled their duties to notify.
func (v *visit) organPanel(o report.Overview, division schemas.DivisionCode, filter ...string) panel {
	st := o.Splits[report.ByOrgan]
	title := v.t("organ.title")
	t := &table{ID: "organ-table", Caption: title, Head: []cell{head(v.t("dimension.organ")), headNum(v.indicator(schemas.NotificationsDue))}}
	layers := make([]layer, len(organFigures))
	for i, f := range organFigures {
		name := v.indicator(f.code)
		if f.code == schemas.NotificationsOpen {
			name = v.t("organ.pending")
		}
		t.Head = append(t.Head, headNum(name))
		layers[i] = layer{Name: name, Color: f.color}
	}
	var names []string
	var any float64
	for _, value := range report.Organs {
		name := value.Name.In(string(v.phrases))
		names = append(names, name)
		values := report.Values{}
		if row, ok := st.Find(value.Code); ok {
			values = st.ValuesOf(row)
		}
		mine := append(slices.Clone(filter), "organ", value.Code)
		cells := []cell{{Text: name, Name: true, Mark: name}, v.figure(schemas.NotificationsDue, zero(schemas.NotificationsDue, values[schemas.NotificationsDue]), division, o.Now, mine...)}
		if cells[1].Href != "" {
			cells[0].Href = cells[1].Href
		}
		for i, f := range organFigures {
			n := values.Of(f.code)
			if f.code == schemas.NotificationsOpen {
				n -= values.Of(schemas.NotificationsOverdue)
			}
			layers[i].Values = append(layers[i].Values, n)
			cells = append(cells, v.figure(f.code, &n, division, o.Now, mine...))
		}
		any += values.Of(schemas.NotificationsDue)
		t.Rows = append(t.Rows, cells)
	}
	ind, _ := schemas.Indicators.Lookup(schemas.NotificationsDue)
	p := panel{ID: "organ-split", Title: v.t("unit.paren", title, v.unit(ind)), Table: t}
	if any > 0 {
		c := v.barChart("organ", "ring", v.t("split.label", title), v.unit(ind), "organ-table", names, layers, true, true)
		p.Chart = &c
	}
	return p
}
