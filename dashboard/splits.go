package dashboard

import (
	"slices"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

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
