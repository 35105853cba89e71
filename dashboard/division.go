package dashboard

import (
	"context"
	"fmt"
	"slices"

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
	Blocks    []block
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

// rankFigures are the columns of a ranking beside the main figure.
var rankFigures = []schemas.IndicatorCode{
	schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.ApplicationsReceived, schemas.TransferredWithin24h, schemas.PleaAssistance, schemas.NotificationsOverdue,
}

// mainFigures can be put on the map, the ranking and the trend.
var mainFigures = []schemas.IndicatorCode{
	schemas.Consultations, schemas.PersonsConsulted, schemas.Shifts, schemas.DutyMinutes, schemas.ApplicationsReceived,
	schemas.TransferredWithin24h, schemas.PersonsHelped, schemas.PleaAssistance, schemas.Opinions, schemas.NotificationsDue, schemas.NotificationsOverdue,
	schemas.HelpRequests, schemas.CorrectionsIssued, schemas.NoShows, schemas.SubsidiesPaid, schemas.TrainingHours, schemas.Satisfaction, schemas.InspectionPassRate,
}

// organFigures are the states of a duty to notify, with their colours.
var organFigures = []struct {
	code  schemas.IndicatorCode
	color string
}{
	{schemas.NotificationsOnTime, green}, {schemas.NotificationsLate, orange}, {schemas.NotificationsUnevid, purple}, {schemas.NotificationsOverdue, red},
	{schemas.NotificationsOpen, grey}, // shown without those that are overdue
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
		Query: report.Query{Division: code, Indicators: codesOf(divisionGroups, v.main), AsOf: v.asOf, Cut: v.cut, View: v.view},
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
		Notes:  append(v.notes(o, d.Name), v.movedNote(d)...),
		Blocks: v.blocks(o, divisionGroups, code),
		Trend:  v.trendPanel(o, main, code),
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
	return page{Template: "overview", Title: name + " " + p.Month, Menu: "/", Crumbs: crumbs, Body: p}
}

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
			if href := v.toDivision(other); href != "" {
				n.Link = link{string(other), href}
			}
			return []note{n}
		}
	}
	return nil
}
