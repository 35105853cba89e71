package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// detailsPage lists the postings behind a figure.
func (s *Server) detailsPage(ctx context.Context, v *visit) (page, error) {
	q := v.query(v.now)
	offset := v.number("offset", 0, 0, 1_000_000_000)
	q.Cut = v.cut
	lines := []string{linesAll, linesStanding}
	if !slices.ContainsFunc(q.Indicators, func(c schemas.IndicatorCode) bool { return !slices.Contains(outstanding, c) }) {
		slices.Reverse(lines) // of what is still to be done, what was done is not asked for
	}
	line := v.choice("lines", lines...)
	q.Standing, q.Elsewhere = line == linesStanding, s.elsewhere(&v.queryReader)
	if err := v.err(); err != nil {
		return page{}, err
	}
	found, err := s.read.Postings(ctx, v.scope, q, offset, perPage)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("postings: %w", err))
	}
	lawyers, err := s.lawyerNames(ctx, v)
	if err != nil {
		return page{}, err
	}
	stations, err := s.stationNames(ctx, v)
	if err != nil {
		return page{}, err
	}
	p := listPage{Heading: v.t("details.title"), Intro: v.t("details.intro"), Empty: v.t("details.none"), Words: v.words(q, lawyers, stations),
		Filter: v.detailsFilter(q, lines, line), Table: v.postingTable(found.Postings, v.t("details.caption"), stations, lawyers, true)}
	p.Count = v.counted(q, found)
	for _, code := range q.Indicators {
		ind, _ := schemas.Indicators.Lookup(code)
		name := ind.Name.In(string(v.phrases))
		switch {
		case ind.Lawyers:
			p.Notes = append(p.Notes, note{Text: v.t("details.lawyers", name)})
		case ind.Kind == schemas.Percentile:
			p.Notes = append(p.Notes, note{Text: v.t("details.percentile", name)})
		case ind.Kind == schemas.Distinct:
			p.Notes = append(p.Notes, note{Text: v.t("details.distinct", name)})
		case ind.Divided():
			p.Notes = append(p.Notes, note{Text: v.t("details.ratio", name)})
		case slices.Contains(outstanding, code) && !q.Standing:
			p.Notes = append(p.Notes, note{Text: v.t("details.outstanding", name)})
		}
	}
	v.pages(&p, offset, len(found.Postings), found.Total)
	if q.Standing {
		p.Notes = append(p.Notes, note{Text: v.t("details.standing")})
	}
	if len(q.Elsewhere) > 0 {
		p.Notes = append(p.Notes, note{Text: v.t("details.returns", v.values.Get("returns"))})
		p.Filter.Hidden = append(p.Filter.Hidden, textField{Name: "returns", Value: v.values.Get("returns")})
	}
	lined := maps.Clone(v.values)
	lined.Set("lines", line)
	p.CSV, p.XLSX = "/api/v1/postings.csv?"+apiQuery(lined), "/api/v1/postings.xlsx?"+apiQuery(lined)
	title := v.t("details.title")
	if len(q.Indicators) == 1 {
		title = v.indicator(q.Indicators[0]) + " · " + title
	}
	return page{Template: "list", Title: title, Menu: "/details", Crumbs: v.crumbs(q.Division, v.t("nav.detail")), Body: p}, nil
}

// outstanding are the figures of what is still to be done: doing it posts −1.
var outstanding = []schemas.IndicatorCode{schemas.ShiftsOpen, schemas.ConsultationsUnsigned, schemas.NotificationsOpen, schemas.NotificationsOverdue,
	schemas.ShiftsAwaited, schemas.NoShows, schemas.SubsidiesAwaited, schemas.SubsidiesLate, schemas.MattersOpen}

// counted says how many postings there are and what they add up to.
func (v *visit) counted(q report.Query, found report.PostingPage) string {
	sum, unit := number(float64(found.Sum)), ""
	if len(q.Indicators) == 1 {
		ind, _ := schemas.Indicators.Lookup(q.Indicators[0])
		unit = ind.Unit.In(string(v.phrases))
		sum = posted(ind, found.Sum)
		shown, parts := ind.Shown()
		switch {
		case parts != 1: // the exact sum in the unit of the postings, then as pages show it
			unit += v.t("details.shown", fixed(float64(found.Sum)/parts), shown.In(string(v.phrases)))
		case ind.Divided():
			unit = ""
		case len(ind.With) > 0: // of postings in several units
			unit = ""
		case ind.Kind == schemas.Distinct:
			of, _ := schemas.Indicators.Lookup(ind.Of)
			unit = of.Unit.In(string(v.phrases))
		}
	}
	return strings.TrimSpace(v.t("details.count", number(float64(found.Total)), sum, unit))
}

// posted writes a quantity of postings in the figure's unit: training is posted
// in minutes and counted in hours, of which 20 minutes are 0.33.
func posted(ind schemas.Indicator, quantity int64) string {
	if ind.Parts > 1 {
		return strconv.FormatFloat(math.Round(float64(quantity)/float64(ind.Parts)*100)/100, 'f', -1, 64)
	}
	return number(float64(quantity))
}

// words are the filters of a question as a reader says them.
func (v *visit) words(q report.Query, lawyers, stations map[string]string) []fact {
	var names []string
	for _, code := range q.Indicators {
		names = append(names, v.indicator(code))
	}
	out := []fact{
		{v.t("posting.indicator"), v.enumerate(names), ""},
		{v.t("dimension.division"), schemas.Divisions.Name(q.Division), v.toDivision(q.Division)},
		{v.t("posting.day"), v.t("details.range", q.From.String(), q.To.String()), ""},
	}
	for _, d := range filterDimensions {
		values := q.Filter[d]
		if len(values) == 0 {
			continue
		}
		f := fact{Name: v.t("dimension." + string(d))}
		shown := slices.Clone(values)
		for i, value := range values {
			switch d {
			case report.ByStation:
				shown[i], f.Href = cmp.Or(stations[value], value), v.link(stationPath(schemas.StationCode(value)))
			case report.ByLawyer:
				shown[i], f.Href = cmp.Or(lawyers[value], value), v.toLawyer(value)
			case report.ByFirm:
			default:
				shown[i] = v.value(string(d), value)
			}
		}
		if len(values) > 1 {
			f.Href = ""
		}
		f.Value = v.enumerate(shown)
		out = append(out, f)
	}
	if v.view == schemas.ViewNow {
		out = append(out, fact{v.t("filter.view"), v.t("filter.view.now"), ""})
	}
	return out
}

// detailsFilter asks for figure, division, days and moment; the other filters
// of the address stay.
func (v *visit) detailsFilter(q report.Query, lines []string, line string) filter {
	figures := choiceField{Name: "indicator", Label: v.t("posting.indicator")}
	for _, ind := range schemas.Indicators.All() {
		figures.Options = append(figures.Options, choiceOption{string(ind.Code), ind.Name.In(string(v.phrases)), len(q.Indicators) == 1 && q.Indicators[0] == ind.Code})
	}
	if len(q.Indicators) != 1 {
		var all []string
		for _, code := range q.Indicators {
			all = append(all, string(code))
		}
		figures.Options = append([]choiceOption{{strings.Join(all, ","), v.t("details.several", len(all)), true}}, figures.Options...)
	}
	shown := choiceField{Name: "lines", Label: v.t("lines.title")}
	titles := map[string]string{linesAll: v.t("lines.all"), linesStanding: v.t("lines.standing")}
	for _, l := range lines {
		shown.Options = append(shown.Options, choiceOption{l, titles[l], l == line})
	}
	f := filter{Action: "/details", Selects: []choiceField{figures, v.divisionOptions(q.Division), shown},
		Dates: []textField{{"from", v.t("filter.from"), "date", q.From.String(), ""}, {"to", v.t("filter.to"), "date", q.To.String(), ""}}}
	v.momentFields(&f)
	for _, d := range filterDimensions {
		if values := q.Filter[d]; len(values) > 0 {
			f.Hidden = append(f.Hidden, textField{Name: string(d), Value: strings.Join(values, ",")})
		}
	}
	return f
}

// stationNames are the names of all stations by code.
func (s *Server) stationNames(ctx context.Context, v *visit) (map[string]string, error) {
	all, err := s.read.Stations(ctx, v.scope, v.home, v.asOf)
	if err != nil {
		return nil, unavailable(fmt.Errorf("names of stations: %w", err))
	}
	names := make(map[string]string, len(all))
	for _, st := range all {
		names[string(st.Code)] = v.stationName(st)
	}
	return names, nil
}

// postingTable lists postings, with the way to their events.
func (v *visit) postingTable(postings []report.Posting, caption string, stations, lawyers map[string]string, events bool) table {
	t := table{ID: "postings", Class: "list", Caption: caption, Head: []cell{head(v.t("posting.day")), head(v.t("posting.indicator")), headNum(v.t("posting.quantity")),
		head(v.t("posting.where")), head(v.t("posting.lawyer")), head(v.t("posting.attributes"))}}
	if events {
		t.Head = append(t.Head, head(v.t("posting.event")), head(v.t("posting.time")), head(v.t("posting.recorded")), head(v.t("posting.place")))
	}
	for _, p := range postings {
		ind, _ := schemas.Indicators.Lookup(p.Indicator)
		quantity := cell{Text: posted(ind, p.Quantity), Num: true, Sub: ind.Unit.In(string(v.phrases))}
		where := cell{Text: schemas.Divisions.Name(p.Division), Href: v.toDivision(p.Division)}
		if p.Station != "" {
			where = cell{Text: cmp.Or(stations[string(p.Station)], string(p.Station)), Href: v.link(stationPath(p.Station))}
		}
		lawyer := cell{}
		if p.Lawyer != "" {
			lawyer = cell{Text: cmp.Or(lawyers[p.Lawyer], p.Lawyer), Href: v.toLawyer(p.Lawyer)}
		}
		row := []cell{{Text: p.Day.String()}, {Text: v.indicator(p.Indicator)}, quantity, where, lawyer, {Text: v.enumerate(v.attributes(p))}}
		if events {
			row = append(row, cell{Text: v.eventTitle(p.Type), Href: v.link("/events/" + p.Event.String())},
				cell{Text: clock(p.Time)}, cell{Text: clock(p.Recorded)}, cell{Text: fmt.Sprintf("%d:%d", p.Partition, p.Offset), Muted: true})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// attributes are what else a posting says, in words.
func (v *visit) attributes(p report.Posting) []string {
	var out []string
	for _, a := range []struct{ set, code string }{{"mode", p.Mode}, {"channel", p.Channel}, {"person_role", p.PersonRole}, {"organ", p.Organ}} {
		if a.code != "" {
			out = append(out, v.value(a.set, a.code))
		}
	}
	if p.Due != "" {
		out = append(out, v.t("posting.due", p.Due))
	}
	return out
}

// eventTitle is the name of an event type.
func (v *visit) eventTitle(name string) string {
	t, err := schemas.Catalogue.Lookup(name)
	if err != nil {
		return name
	}
	title := t.Title.In(string(v.phrases))
	if t.Meta() {
		title = v.t("unit.paren", title, v.t("case."+string(t.Case)))
	}
	return title
}
