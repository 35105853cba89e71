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
		p := part{Code: string(child.Code), Name: child.Name, Mark: child.Name, Href: v.toDivision(child.Code), Compared: o.Parts[string(child.Code)]}
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
		switch {
		case a.Own && !b.Own:
			return 1
		case b.Own && !a.Own:
			return -1
		}
		return cmp.Or(cmp.Compare(b.Now.Of(main), a.Now.Of(main)), strings.Compare(a.Code, b.Code))
	})
	return sorted
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
