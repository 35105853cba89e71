package dashboard

import (
	"encoding/json"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"zhiban/schemas"
)

// chart is a drawing beside a table with the same figures. JSON is data for
// static/app.js, never script: go-echarts only makes the options, its HTML is
// not used, since that writes names unescaped into script and runs values of
// the form __f__…__f__.
type chart struct {
	ID    string
	Label string
	Class string
	JSON  template.JS
}

// drawing is what app.js reads. A mark leads where the link with the same
// data-mark in the table leads. Colours that begin with -- are names of the
// style sheet's tokens, so one sheet holds them for light, dark and print.
type drawing struct {
	Table  string            `json:"table"`
	Unit   string            `json:"unit"`
	Map    string            `json:"map,omitempty"`   // address of the regions
	Names  map[string]string `json:"names,omitempty"` // of regions and pins, by code
	Option map[string]any    `json:"option"`
}

// The tokens of the palette.
const (
	blue   = "--series-1"
	orange = "--series-2"
	green  = "--series-3"
	purple = "--series-4"
	red    = "--series-5"
	grey   = "--series-6"
)

// option completes go-echarts' options and leaves out what app.js or the style
// sheet decides.
func option(label string, made map[string]any) map[string]any {
	for _, unused := range []string{"title", "toolbox", "color", "backgroundColor"} {
		delete(made, unused)
	}
	made["animation"] = false
	made["aria"] = opts.Aria{Enabled: opts.Bool(true), Label: &opts.AriaLabel{Description: label}}
	return made
}

func (d drawing) chart(id, class, label string) chart {
	b, err := json.Marshal(d) // escapes <, > and &
	if err != nil {
		panic(err) // numbers and strings alone
	}
	return chart{ID: id, Label: label, Class: class, JSON: template.JS(b)} // data for a script of type application/json, escaped above
}

// absent stands where a series has no point.
const absent = "-"

// trendChart draws a figure's months of this year over those of the year
// before. so far is the index of the month that is not over, or -1: the line
// that leads to it is dashed.
func (v *visit) trendChart(code schemas.IndicatorCode, year int, now, before [12]*float64, soFar int) chart {
	ind, _ := schemas.Indicators.Lookup(code)
	months := make([]string, 12)
	solid, dashed, last := make([]opts.LineData, 12), make([]opts.LineData, 12), make([]opts.LineData, 12)
	point := func(f *float64) opts.LineData {
		if f == nil {
			return opts.LineData{Value: absent}
		}
		return opts.LineData{Value: scaled(ind, *f)}
	}
	for i := range 12 {
		months[i] = v.t("month.number", i+1)
		solid[i], dashed[i], last[i] = point(now[i]), opts.LineData{Value: absent}, point(before[i])
		if soFar >= 0 && i == soFar {
			solid[i], dashed[i] = opts.LineData{Value: absent}, point(now[i])
		}
		if soFar > 0 && i == soFar-1 {
			dashed[i] = point(now[i])
		}
	}
	label := v.t("trend.label", ind.Name.In(string(v.phrases)))
	c := charts.NewLine()
	c.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis"}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(true), Top: "0", Right: "0"}),
		charts.WithGridOpts(opts.Grid{Left: "8", Right: "16", Top: "34", Bottom: "4", ContainLabel: opts.Bool(true)}),
	)
	c.SetXAxis(months)
	name := v.t("year", year)
	c.AddSeries(name, solid, charts.WithItemStyleOpts(opts.ItemStyle{Color: blue}), charts.WithLineStyleOpts(opts.LineStyle{Color: blue, Width: 2.5}), round)
	if soFar >= 0 {
		c.AddSeries(name+v.t("trend.so.far"), dashed, charts.WithItemStyleOpts(opts.ItemStyle{Color: blue}),
			charts.WithLineStyleOpts(opts.LineStyle{Color: blue, Width: 2.5, Type: "dashed"}), round)
	}
	c.AddSeries(v.t("year", year-1), last, charts.WithItemStyleOpts(opts.ItemStyle{Color: grey}), charts.WithLineStyleOpts(opts.LineStyle{Color: grey, Width: 1.5}), round)
	c.Validate()
	made := option(label, c.JSON())
	made["yAxis"] = v.valueAxis(v.unit(ind))
	return drawing{Table: "trend-table", Unit: v.unit(ind), Option: made}.chart("trend", "trend", label)
}

// valueAxis is an axis of figures: what is counted has no halves.
func (v *visit) valueAxis(unit string) opts.YAxis {
	axis := opts.YAxis{Type: "value"}
	if unit != "%" && unit != v.t("unit.hours") {
		axis.MinInterval = 1
	}
	return axis
}

var round = charts.WithLineChartOpts(opts.LineChart{Symbol: "circle", SymbolSize: 6, ShowSymbol: opts.Bool(true)})

// region is a division on the map.
type region struct {
	Code  schemas.DivisionCode
	Name  string
	Value float64
}

// mapChart colours a division's children by a figure. regions is the address
// of their borders, keyed by code.
func (v *visit) mapChart(code schemas.IndicatorCode, borders string, children []region) chart {
	ind, _ := schemas.Indicators.Lookup(code)
	name := ind.Name.In(string(v.phrases))
	label := v.t("map.label", name)
	d := drawing{Table: "rank", Unit: v.unit(ind), Map: borders, Names: map[string]string{}}
	areas := []opts.MapData{}
	var values []float64
	for _, r := range children {
		d.Names[string(r.Code)] = r.Name
		values = append(values, r.Value)
		areas = append(areas, opts.MapData{Name: string(r.Code), Value: r.Value})
	}
	c := charts.NewMap()
	c.RegisterMapType(string(schemas.Province)) // app.js names the map by its address
	c.AddSeries(name, areas)
	c.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}), charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}))
	c.Validate()
	d.Option = option(label, c.JSON())
	// What go-echarts has no words for: one geo for areas and pins, and classes
	// with labels. app.js moves those that the map has as points to the pins.
	d.Option["series"] = []map[string]any{
		{"type": types.ChartMap, "name": name, "geoIndex": 0, "data": areas},
		{"type": types.ChartScatter, "name": name, "coordinateSystem": types.ChartGeo, "symbol": "pin", "symbolSize": 28, "data": []any{}},
	}
	d.Option["geo"] = map[string]any{"nameProperty": "code", "roam": false, "top": 8, "bottom": 8, "left": 8, "right": 8}
	d.Option["visualMap"] = map[string]any{
		"type": "piecewise", "pieces": pieces(values), "left": 4, "bottom": 4, "itemWidth": 14, "itemHeight": 12, "itemGap": 4, "selectedMode": false,
		"seriesIndex": []int{0, 1}, "outOfRange": map[string]any{"color": "--map-none"},
	}
	return d.chart("map", "map", label)
}

// piece is a class of the map's colours: from Gte up to but not including Lt.
type piece struct {
	Gte   *float64 `json:"gte,omitempty"`
	Lt    *float64 `json:"lt,omitempty"`
	Label string   `json:"label"`
	Color string   `json:"color"`
}

// mapClasses is how many classes a map has at most: as many as the style sheet
// has --map- tokens.
const mapClasses = 5

// pieces cuts values into classes of about equal count with round limits, the
// highest first, as the key shows them.
func pieces(values []float64) []piece {
	sorted := slices.Sorted(slices.Values(values))
	var limits []float64
	for i := 1; i < mapClasses && len(sorted) > 0; i++ {
		limit := rounded(sorted[len(sorted)*i/mapClasses])
		if limit > sorted[0] && limit <= sorted[len(sorted)-1] && (limits == nil || limit > limits[len(limits)-1]) {
			limits = append(limits, limit)
		}
	}
	if limits == nil {
		return []piece{{Label: "≥ 0", Gte: new(float64), Color: "--map-1"}}
	}
	out := []piece{{Lt: &limits[0], Label: "< " + number(limits[0]), Color: "--map-1"}}
	for i := range limits {
		p := piece{Gte: &limits[i], Label: "≥ " + number(limits[i]), Color: "--map-" + strconv.Itoa((i+1)*(mapClasses-1)/len(limits)+1)}
		if i+1 < len(limits) {
			p.Lt, p.Label = &limits[i+1], number(limits[i])+" – "+number(limits[i+1])
		}
		out = append(out, p)
	}
	slices.Reverse(out)
	return out
}

// rounded is v to two significant digits, so that limits are easy to read.
func rounded(v float64) float64 {
	s := strconv.FormatFloat(v, 'e', 1, 64)
	r, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return v
	}
	return r
}

// slice is a part of a whole.
type slice struct {
	Name  string
	Value float64
	Color string
}

// sliceColors are the colours of a closed set's values, in its order.
var sliceColors = []string{blue, orange, green, purple, red, grey}

// ringChart draws the parts of a whole; the table below it is its key.
func (v *visit) ringChart(id, title, unit string, parts []slice) chart {
	label := v.t("split.label", title)
	data := make([]opts.PieData, len(parts))
	for i, p := range parts {
		data[i] = opts.PieData{Name: p.Name, Value: p.Value, ItemStyle: &opts.ItemStyle{Color: p.Color}}
	}
	c := charts.NewPie()
	c.AddSeries(title, data,
		charts.WithPieChartOpts(opts.PieChart{Radius: []string{"42%", "66%"}, Center: []string{"50%", "50%"}}),
		charts.WithLabelOpts(opts.Label{Show: opts.Bool(true), Formatter: "{b}\n{d}%"}))
	c.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}), charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}))
	c.Validate()
	made := option(label, c.JSON())
	made["series"] = []any{struct {
		charts.SingleSeries
		Precision int `json:"percentPrecision"`
	}{c.MultiSeries[0], 1}}
	return drawing{Table: id + "-table", Unit: unit, Option: made}.chart(id, "ring", label)
}

// layer is a series of a bar chart.
type layer struct {
	Name   string
	Color  string
	Values []float64
}

// barChart draws bars, lying when names are long, upon each other when stacked.
func (v *visit) barChart(id, class, label, unit, table string, names []string, layers []layer, lying, stacked bool) chart {
	c := charts.NewBar()
	c.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis", AxisPointer: &opts.AxisPointer{Type: "shadow"}}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(len(layers) > 1), Top: "0", Right: "0"}),
		charts.WithGridOpts(opts.Grid{Left: "8", Right: "24", Top: strconv.Itoa(8 + 26*min(1, len(layers)-1)), Bottom: "4", ContainLabel: opts.Bool(true)}),
	)
	c.SetXAxis(names)
	for _, l := range layers {
		data := make([]opts.BarData, len(l.Values))
		for i, value := range l.Values {
			data[i] = opts.BarData{Value: value}
		}
		bar := opts.BarChart{BarCategoryGap: "35%"}
		if stacked {
			bar.Stack = "all"
		}
		c.AddSeries(l.Name, data, charts.WithBarChartOpts(bar), charts.WithItemStyleOpts(opts.ItemStyle{Color: l.Color}))
	}
	c.Validate()
	made := option(label, c.JSON())
	for i := range c.MultiSeries {
		c.MultiSeries[i].BarMaxWidth = "26"
	}
	made["yAxis"] = v.valueAxis(unit)
	if lying {
		made["xAxis"], made["yAxis"] = v.valueAxis(unit), map[string]any{"type": "category", "data": names, "inverse": true}
	}
	return drawing{Table: table, Unit: unit, Option: made}.chart(id, strings.TrimSpace("bars "+class), label)
}
