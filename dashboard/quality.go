package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// qualityPage is what is wrong with the records of a division, and with a
// finding chosen the list of its events.
type qualityPage struct {
	listPage
	Panels []panel
	Parts  []fact // of the finding chosen, by division
}

// finding is the finding asked for, "" for none. Nothing lists parked events.
func (q *queryReader) finding() report.FindingCode {
	codes := []string{""}
	for _, k := range report.FindingKinds() {
		if k.Code != report.ParkedEvents {
			codes = append(codes, string(k.Code))
		}
	}
	return report.FindingCode(q.choice("finding", codes...))
}

func (s *Server) qualityPage(ctx context.Context, v *visit) (page, error) {
	q := report.Query{Division: v.division(), AsOf: v.asOf, View: v.view, Cut: v.cut}
	v.span(&q, v.now)
	if v.values.Get("from") == "" && v.values.Get("to") == "" && v.values.Get("month") != "" {
		q.From, q.To = v.month.First(), v.month.Last()
	}
	chosen := v.finding()
	offset := v.number("offset", 0, 0, maxQualityOffset)
	if err := v.err(); err != nil {
		return page{}, err
	}
	found, err := s.read.Quality(ctx, v.scope, q, chosen, offset, perPage)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("quality of records: %w", err))
	}
	p := qualityPage{listPage: listPage{Heading: v.t("quality.title"), Intro: v.t("quality.intro"), Filter: v.qualityFilter(q, chosen)}}
	if chosen == "" {
		p.Words = v.lag(found)
		p.Panels = append(p.Panels, panel{ID: "findings", Title: v.t("quality.findings"), Wide: true, Table: v.findingTable(found)})
		if parts := v.findingParts(found); slices.ContainsFunc(parts.Rows, func(row []cell) bool { return row[0].Href != "" }) {
			p.Panels = append(p.Panels, panel{ID: "parts", Title: v.t("rank.title"), Wide: true, Table: parts})
		}
	}
	crumbs, title := v.crumbs(q.Division, v.t("nav.quality")), p.Heading
	if chosen != "" {
		if err := s.findingList(ctx, v, &p, found, chosen, offset); err != nil {
			return page{}, err
		}
		crumbs[len(crumbs)-1].Href = v.here("finding", "", "offset", "")
		crumbs = append(crumbs, link{Text: p.Heading})
		title = p.Heading + " · " + title
	}
	return page{Template: "quality", Title: title, Menu: "/quality", Crumbs: crumbs, Body: p}, nil
}

// maxQualityOffset bounds how deep a list is read.
const maxQualityOffset = 1_000_000

// qualityFilter asks for division, days and moment; the finding stays.
func (v *visit) qualityFilter(q report.Query, chosen report.FindingCode) filter {
	f := filter{Action: "/quality", Selects: []choiceField{v.divisionOptions(q.Division)},
		Dates: []textField{{"from", v.t("filter.from"), "date", q.From.String(), ""}, {"to", v.t("filter.to"), "date", q.To.String(), ""}}}
	v.momentFields(&f)
	if chosen != "" {
		f.Hidden = append(f.Hidden, textField{Name: "finding", Value: string(chosen)})
	}
	return f
}

// lag says how far the log has come, and when that was in the books.
func (v *visit) lag(found report.Quality) []fact {
	if found.Recorded.IsZero() {
		return []fact{{v.t("quality.recorded"), v.t("fresh.none"), ""}}
	}
	return []fact{
		{v.t("quality.recorded"), clockSeconds(found.Recorded), ""},
		{v.t("quality.projected"), clockSeconds(found.Projected), ""},
		{v.t("quality.lag"), v.duration(max(0, found.Projected.Sub(found.Recorded))), v.link("/verification")},
	}
}

// duration says how long something took, in its two largest units.
func (v *visit) duration(d time.Duration) string {
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	switch {
	case days > 0:
		return v.t("quality.days", number(float64(days)), hours)
	case hours > 0:
		return v.t("quality.hours", hours, minutes)
	case minutes > 0:
		return v.t("quality.minutes", minutes, int(d/time.Second)%60)
	}
	return v.t("quality.seconds", fixed(d.Seconds()))
}

// open is the address of what makes up a finding of a division.
func (v *visit) open(f report.Finding, found report.Quality, division schemas.DivisionCode) string {
	switch r := (report.Range{From: found.From, To: found.To}); {
	case f.Indicator != "":
		return v.details(f.Indicator, division, r)
	case f.Code == report.ParkedEvents:
		return v.link("/parked")
	}
	return v.quality(found, division, "finding", string(f.Code))
}

// quality is the address of this page for a division and the same days.
func (v *visit) quality(found report.Quality, division schemas.DivisionCode, pairs ...string) string {
	if division == v.home {
		division = ""
	}
	return v.link("/quality", append([]string{"division", string(division), "from", found.From.String(), "to", found.To.String(), "month", "", "figure", ""}, pairs...)...)
}

// findingTable lists all findings: how many, what it means, what to do.
func (v *visit) findingTable(found report.Quality) *table {
	lang := string(v.phrases)
	t := &table{ID: "findings-table", Class: "list terms", Caption: v.t("quality.caption", schemas.Divisions.Name(found.Division), found.From.String(), found.To.String()),
		Head: []cell{head(v.t("quality.finding")), headNum(v.t("quality.count")), head(v.t("terms.unit")), head(v.t("quality.meaning")), head(v.t("quality.advice")), head(v.t("terms.clause"))}}
	for _, f := range found.Findings {
		count := cell{Text: number(float64(f.Count)), Num: true, Muted: f.Count == 0}
		if f.Count != 0 {
			count.Href = v.open(f, found, found.Division)
		}
		t.Rows = append(t.Rows, []cell{{Text: f.Name.In(lang), Name: true}, count, {Text: f.Unit.In(lang), Muted: true}, {Text: f.Meaning.In(lang)}, {Text: f.Advice.In(lang)}, {Text: f.Clause, Muted: true}})
	}
	return t
}

// findingParts shows the findings that there are by division.
func (v *visit) findingParts(found report.Quality) *table {
	t := &table{ID: "parts-table", Class: "list", Caption: v.t("quality.parts"), Head: []cell{head(v.t("rank.name"))}}
	var shown []report.Finding
	any := map[schemas.DivisionCode]bool{}
	for _, f := range found.Findings {
		if len(f.Divisions) == 0 {
			continue
		}
		shown = append(shown, f)
		t.Head = append(t.Head, headNum(f.Name.In(string(v.phrases))))
		for _, d := range f.Divisions {
			any[d.Division] = true
		}
	}
	for _, d := range schemas.Divisions.All() {
		if !any[d.Code] {
			continue
		}
		name := cell{Text: d.Name, Name: true, Href: v.quality(found, d.Code)}
		if d.Code == found.Division { // its own stations, which no page shows alone
			name = cell{Text: v.t("rank.own.name", d.Name), Name: true, Muted: true}
		}
		row := []cell{name}
		for _, f := range shown {
			c := cell{Text: number(float64(f.Of(d.Code))), Num: true, Muted: f.Of(d.Code) == 0}
			if !name.Muted && !c.Muted {
				c.Href = v.open(f, found, d.Code)
			}
			row = append(row, c)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// findingList fills in the list of one finding.
func (s *Server) findingList(ctx context.Context, v *visit, p *qualityPage, found report.Quality, chosen report.FindingCode, offset int) error {
	lawyers, err := s.lawyerNames(ctx, v)
	if err != nil {
		return err
	}
	stations, err := s.stationNames(ctx, v)
	if err != nil {
		return err
	}
	f := found.Findings[slices.IndexFunc(found.Findings, func(f report.Finding) bool { return f.Code == chosen })]
	lang := string(v.phrases)
	p.Heading, p.Intro, p.Empty = f.Name.In(lang), v.t("quality.what", f.Meaning.In(lang), f.Advice.In(lang)), v.t("quality.none")
	p.Count = v.t("quality.total", schemas.Divisions.Name(found.Division), found.From.String(), found.To.String(), number(float64(f.Count)), f.Unit.In(lang))
	for _, d := range f.Divisions {
		if d.Division != found.Division {
			p.Parts = append(p.Parts, fact{schemas.Divisions.Name(d.Division), number(float64(d.Count)), v.open(f, found, d.Division)})
		}
	}
	if href := v.open(f, found, found.Division); f.Indicator != "" {
		p.Notes, p.Empty = append(p.Notes, note{Text: v.t("quality.counted"), Link: link{v.t("figure.open", f.Name.In(lang)), href}}), ""
	}
	p.Table = table{ID: "items", Class: "list", Caption: v.t("quality.list"), Head: []cell{head(v.t("posting.event")), head(v.t("quality.problem")), head(v.t("posting.time")),
		head(v.t("posting.recorded")), head(v.t("posting.where")), head(v.t("posting.lawyer"))}}
	for _, x := range found.List.Items {
		where := cell{Text: schemas.Divisions.Name(x.Division), Href: v.toDivision(x.Division)}
		if x.Station != "" {
			where = cell{Text: cmp.Or(stations[string(x.Station)], string(x.Station)), Href: v.link(stationPath(x.Station)), Sub: where.Text}
		}
		lawyer := cell{}
		if x.Lawyer != "" {
			lawyer = cell{Text: cmp.Or(lawyers[x.Lawyer], x.Lawyer), Href: v.toLawyer(x.Lawyer)}
		}
		p.Table.Rows = append(p.Table.Rows, []cell{{Text: v.eventTitle(x.Type), Href: v.link("/events/" + x.Event.String()), Name: true}, v.trouble(chosen, x),
			{Text: clock(x.Time)}, {Text: clock(x.Recorded)}, where, lawyer})
	}
	v.pages(&p.listPage, offset, len(found.List.Items), f.Count)
	return nil
}

// trouble says in words what is wrong with an event.
func (v *visit) trouble(code report.FindingCode, x report.FindingItem) cell {
	switch {
	case code == report.LateEntry:
		return cell{Text: v.t("quality.late", v.duration(x.Recorded.Sub(x.Time)))}
	case code == report.AheadOfRecording:
		return cell{Text: v.t("quality.ahead", v.duration(x.Time.Sub(x.Recorded)))}
	case x.Against != nil:
		return cell{Text: v.t("quality.before", v.eventTitle(x.Against.Type), clock(x.Against.Time)), Href: v.link("/events/" + x.Against.Event.String())}
	case x.Missing != "":
		return cell{Text: v.t("quality.missing", v.eventTitle(x.Missing))}
	case x.Reference != "":
		return cell{Text: v.t("quality.unknown", v.caseTitle(x.Reference))}
	case x.Target != "":
		return cell{Text: v.t("quality.unknown", x.Target)}
	case x.Places > 0:
		return cell{Text: v.t("quality.places", x.Places)}
	}
	return cell{Text: strings.TrimSpace(cmp.Or(x.Lawyer, string(x.Station)))}
}
