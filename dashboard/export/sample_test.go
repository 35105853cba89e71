package export

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

var out = flag.String("out", "", "folder into which tests write the files they make, to look at them")

// show writes a file into the folder of -out.
func show(t testing.TB, name string, f File) {
	t.Helper()
	if *out != "" {
		if err := os.WriteFile(filepath.Join(*out, name), f.Body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var (
	sampleAsOf = time.Date(2026, 11, 3, 9, 30, 0, 0, schemas.Shanghai)
	sampleCut  = report.Cut{Offsets: map[int]int64{0: 120345, 1: 98321, 2: 101877, 3: 99020, 4: 121, 5: 87331}}
	sampleNow  = schemas.Date(2026, 10, 1).Month()
)

const hostile = "=cmd|' /C calc'!A0<>&\"'\x0b\x00]]>\u202e\ufffe甲"

// hostileShown is what a document holds of hostile.
const hostileShown = "=cmd|' /C calc'!A0<>&\"']]>甲"

func indicator(code schemas.IndicatorCode) schemas.Indicator {
	ind, err := schemas.Indicators.Lookup(code)
	if err != nil {
		panic(err)
	}
	return ind
}

func division(code schemas.DivisionCode) schemas.Division {
	d, _ := schemas.Divisions.Get(code)
	return d
}

// figures draws figures that look like a month's, scaled by the size of a
// division.
type figures struct {
	*rand.Rand
	size float64
}

func newFigures(seed uint64, size float64) figures {
	return figures{rand.New(rand.NewPCG(seed, 1)), size}
}

func (f figures) of(ind schemas.Indicator) report.Figure {
	typical := map[schemas.IndicatorCode]float64{
		schemas.Stations: 3, schemas.Lawyers: 12, schemas.Shifts: 66, schemas.DutyMinutes: 66 * 240, schemas.Consultations: 210,
		schemas.PersonsConsulted: 180, schemas.ApplicationsReceived: 24, schemas.SubsidiesDue: 66 * 20_000, schemas.SubsidiesPaid: 60 * 20_000, schemas.NotificationsDue: 90, schemas.NotificationsOnTime: 80,
	}[ind.Code]
	switch ind.Kind {
	case schemas.Ratio:
		return report.Figure{Value: 0.85 + 0.15*f.Float64()}
	case schemas.Mean:
		return report.Figure{Value: 4 + f.Float64()}
	}
	if typical == 0 {
		typical = 4
	}
	return report.Figure{Value: float64(int(f.size * typical * (0.6 + 0.8*f.Float64())))}
}

func sampleLawyer() report.LawyerYear {
	y := report.LawyerYear{
		Lawyer:   report.Lawyer{Licence: "12201201810123456", Name: "王立新", Kind: "private", Firm: "吉林正阳律师事务所", Division: "220182", Registered: true},
		Division: "榆树市", Within: "榆树市", Year: 2026, AsOf: sampleAsOf, Cut: sampleCut,
	}
	f := newFigures(1, 1)
	for i := range y.Months {
		known := func(max int) report.Figure {
			if i > 10 { // December has not begun
				return report.Figure{Status: report.NotAvailable}
			}
			return report.Figure{Value: float64(f.IntN(max))}
		}
		parts := func(n, max int) (out []report.Figure, sum report.Figure) {
			for range n {
				p := known(max)
				out = append(out, p)
				sum = report.Figure{Value: sum.Value + p.Value, Status: p.Status}
			}
			return out, sum
		}
		m := &y.Months[i]
		m.Figures = map[schemas.IndicatorCode]report.Figure{}
		for _, ind := range report.RecordIndicators() {
			m.Figures[ind.Code] = known(12)
		}
		var consultations, minutes report.Figure
		m.Minutes, minutes = parts(3, 900)
		m.Channels, consultations = parts(4, 9)
		m.Roles, _ = parts(4, 9)
		m.Figures[schemas.DutyMinutes], m.Figures[schemas.Consultations] = minutes, consultations
		m.Figures[schemas.TransferredWithin24h], m.Figures[schemas.Satisfaction] = report.Figure{Status: report.NotAvailable}, report.Figure{Value: 4.5}
		if m.Of(schemas.ApplicationsReceived).Value > 0 {
			m.Figures[schemas.TransferredWithin24h] = report.Figure{Value: 0.875}
		}
	}
	add := func(total *report.Figure, part report.Figure) {
		if part.Status == report.Known {
			total.Value += part.Value
		}
	}
	y.Total = report.LawyerMonth{Figures: map[schemas.IndicatorCode]report.Figure{}, Minutes: make([]report.Figure, 3), Channels: make([]report.Figure, 4), Roles: make([]report.Figure, 4)}
	for _, m := range y.Months {
		for k := range m.Minutes {
			add(&y.Total.Minutes[k], m.Minutes[k])
		}
		for k := range m.Channels {
			add(&y.Total.Channels[k], m.Channels[k])
			add(&y.Total.Roles[k], m.Roles[k])
		}
		for code, part := range m.Figures {
			total := y.Total.Figures[code]
			add(&total, part)
			y.Total.Figures[code] = total
		}
	}
	for code, v := range map[schemas.IndicatorCode]float64{schemas.PersonsConsulted: 143, schemas.TransferredWithin24h: 0.875, schemas.Satisfaction: 4.5} {
		y.Total.Figures[code] = report.Figure{Value: v}
	}
	of := func(code, base schemas.IndicatorCode, rate string, v float64, county, whole report.Place) {
		e := report.Evidence{Indicator: indicator(code), Year: y.Total.Of(code), County: county, Whole: whole}
		if base != "" {
			e.Base, e.Of, e.Rate = new(indicator(base)), y.Total.Of(base), report.Figure{Status: report.NotAvailable}
		}
		if rate != "" {
			e.RateName.ZH, e.Rate = rate, report.Figure{Value: v}
		}
		y.Evidence = append(y.Evidence, e)
	}
	of(schemas.Shifts, "", "", 0, report.Place{Rank: 2, Of: 12}, report.Place{Rank: 11, Of: 86})
	of(schemas.DutyMinutes, "", "", 0, report.Place{Rank: 1, Of: 12}, report.Place{Rank: 9, Of: 86})
	of(schemas.ConsultationsUnsigned, schemas.Consultations, "台账签字率", 0.9625, report.Place{Rank: 3, Of: 12}, report.Place{Rank: 30, Of: 84})
	of(schemas.TransferredWithin24h, schemas.TransferDue24h, "", 0, report.Place{}, report.Place{Rank: 12, Of: 70})
	of(schemas.Satisfaction, schemas.FeedbackCount, "", 0, report.Place{}, report.Place{})
	of(schemas.TrainingHours, "", "", 0, report.Place{}, report.Place{Rank: 4, Of: 86})
	of(schemas.ConductUpheld, "", "", 0, report.Place{}, report.Place{})
	return y
}

// sampleMonth has every indicator of the catalogue and the splits of the form.
func sampleMonth(code schemas.DivisionCode) report.DivisionMonth {
	d := division(code)
	size := map[schemas.DivisionLevel]float64{schemas.LevelCounty: 1, schemas.LevelPrefecture: 9, schemas.LevelProvince: 80}[d.Level]
	f := newFigures(2, size)
	m := report.DivisionMonth{
		Division: d, Unit: d.Name + "法律援助中心", Month: sampleNow, Due: schemas.Date(2026, 11, 10), Form: schemas.Returns.FormOf(sampleNow), Period: report.Range{From: sampleNow.First(), To: sampleNow.Last()}, Rule: schemas.Returns.PeriodTitle(), AsOf: sampleAsOf, Cut: sampleCut,
	}
	line := func(g *report.FormGroup, ind schemas.Indicator, by report.Dimension, part schemas.Text) {
		l := report.FormLine{Indicator: ind, By: by, Part: part, Month: f.of(ind), Year: f.of(ind), LastYear: f.of(ind)}
		if !ind.Divided() {
			l.Year.Value *= 9
		}
		g.Lines = append(g.Lines, l)
	}
	for _, group := range []struct {
		title string
		codes []schemas.IndicatorCode
	}{
		{"工作站与律师", []schemas.IndicatorCode{schemas.Stations, schemas.Lawyers}},
		{"值班", []schemas.IndicatorCode{schemas.ShiftsPlanned, schemas.NoShows, schemas.Shifts, schemas.DutyMinutes, schemas.ShiftsOpen}},
		{"法律咨询", []schemas.IndicatorCode{schemas.Consultations, schemas.PersonsConsulted, schemas.ConsultationsGuided, schemas.ConsultationsUnsigned}},
		{"法律援助申请", []schemas.IndicatorCode{schemas.ApplicationsReceived, schemas.ApplicationsTransferred, schemas.TransferDue24h, schemas.TransferMet24h, schemas.TransferredWithin24h}},
		{"法律帮助", []schemas.IndicatorCode{schemas.PleaAssistance, schemas.Affidavits, schemas.ClientMeetings, schemas.FileReviews, schemas.Opinions, schemas.OpinionsAdopted, schemas.CoerciveMeasures, schemas.ProcedureChoices}},
		{"申诉控告、宣传及其他工作", []schemas.IndicatorCode{schemas.Complaints, schemas.PublicitySessions, schemas.OtherTasks}},
		{"告知", []schemas.IndicatorCode{schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsLate, schemas.NotificationsUnevid, schemas.NotificationsOpen, schemas.NotificationsOverdue}},
		{"补贴与培训", []schemas.IndicatorCode{schemas.SubsidiesDue, schemas.SubsidiesPaid, schemas.TrainingHours}},
		{"评价与奖惩", []schemas.IndicatorCode{schemas.FeedbackCount, schemas.Satisfaction, schemas.ConductUpheld, schemas.Honours}},
		{"检察监督", []schemas.IndicatorCode{schemas.CorrectionsIssued, schemas.CorrectionsAnswered, schemas.CorrectionsClosed}},
		{"会议、事项与检查", []schemas.IndicatorCode{schemas.JointMeetings, schemas.MattersReported, schemas.MattersOpen, schemas.RosterDeliveries, schemas.Inspections, schemas.InspectionPassRate}},
	} {
		g := report.FormGroup{Title: schemas.Text{ZH: group.title}}
		for _, c := range group.codes {
			line(&g, indicator(c), "", schemas.Text{})
			switch c {
			case schemas.Stations:
				for _, k := range schemas.StationKinds {
					line(&g, indicator(c), report.ByStationKind, k.Title())
				}
			case schemas.Shifts, schemas.DutyMinutes:
				for _, v := range report.Modes {
					line(&g, indicator(c), report.ByMode, v.Name)
				}
			case schemas.CorrectionsIssued:
				for _, v := range report.Organs {
					line(&g, indicator(c), report.ByOrgan, v.Name)
				}
			case schemas.Consultations:
				for _, v := range report.PersonRoles {
					line(&g, indicator(c), report.ByPersonRole, v.Name)
				}
				for _, v := range report.Channels {
					line(&g, indicator(c), report.ByChannel, v.Name)
				}
			}
		}
		m.Groups = append(m.Groups, g)
	}
	if d.Level != schemas.LevelCounty {
		for _, c := range []schemas.IndicatorCode{
			schemas.Stations, schemas.Lawyers, schemas.Shifts, schemas.DutyMinutes, schemas.NoShows, schemas.Consultations, schemas.PersonsConsulted,
			schemas.ApplicationsReceived, schemas.ApplicationsTransferred, schemas.TransferredWithin24h, schemas.PleaAssistance,
			schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsLate, schemas.NotificationsUnevid, schemas.NotificationsOverdue,
			schemas.HelpRequests, schemas.CorrectionsIssued, schemas.TrainingHours, schemas.Satisfaction,
		} {
			m.ChildIndicators = append(m.ChildIndicators, indicator(c))
			m.Total = append(m.Total, f.of(indicator(c)))
		}
		child := newFigures(3, size/9)
		row := func(d schemas.Division, own bool) {
			c := report.FormChild{Division: d, Own: own}
			for _, ind := range m.ChildIndicators {
				c.Figures = append(c.Figures, child.of(ind))
			}
			m.Children = append(m.Children, c)
		}
		for _, c := range schemas.Divisions.Children(code, m.Month.First(), m.Month.Last()) {
			row(c, false)
		}
		row(d, true)
	}
	return m
}

func sampleDeck(code schemas.DivisionCode) report.Deck {
	month := sampleMonth(code)
	f := newFigures(4, 9)
	d := report.Deck{Division: month.Division, Unit: month.Unit, Periods: report.PeriodsOf(sampleNow, schemas.DayOf(sampleAsOf)), AsOf: sampleAsOf, Cut: sampleCut, PartsAre: report.ByDivision}
	for _, c := range []schemas.IndicatorCode{
		schemas.Stations, schemas.Lawyers, schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.PersonsConsulted,
		schemas.ApplicationsReceived, schemas.TransferredWithin24h, schemas.PleaAssistance, schemas.Opinions,
		schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsOverdue,
	} {
		ind := indicator(c)
		d.Key = append(d.Key, report.KeyFigure{Indicator: ind, Now: f.of(ind), Previous: f.of(ind), LastYear: f.of(ind)})
	}
	d.Key[12].LastYear = report.Figure{Status: report.NotAvailable}
	for _, c := range []schemas.IndicatorCode{
		schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.PersonsConsulted,
		schemas.ApplicationsReceived, schemas.TransferredWithin24h, schemas.NotificationsDue, schemas.NotificationsOverdue,
	} {
		d.PartIndicators = append(d.PartIndicators, indicator(c))
		d.PartsAll = append(d.PartsAll, f.of(indicator(c)))
	}
	row := func(name string, inds []schemas.Indicator) report.DeckRow {
		r := report.DeckRow{Name: name}
		for _, ind := range inds {
			r.Figures = append(r.Figures, f.of(ind))
		}
		return r
	}
	for _, c := range month.Children {
		d.Parts = append(d.Parts, row(c.Division.Name, d.PartIndicators))
	}
	if len(d.Parts) > 1 {
		d.Parts[1].Figures[2].Value = 0 // a zero must stay a zero in the chart's workbook
	}
	for _, c := range []schemas.IndicatorCode{schemas.Consultations, schemas.Shifts} {
		t := report.DeckTrend{Indicator: indicator(c)}
		for i := range 12 {
			t.Year[i], t.LastYear[i] = f.of(t.Indicator), f.of(t.Indicator)
			if i > 9 {
				t.Year[i] = report.Figure{Status: report.NotAvailable}
			}
			if i < 3 {
				t.LastYear[i] = report.Figure{Status: report.NotAvailable}
			}
		}
		d.Trends = append(d.Trends, t)
	}
	for _, split := range []struct {
		code   schemas.IndicatorCode
		by     report.Dimension
		values []report.Value
	}{{schemas.Consultations, report.ByChannel, report.Channels}, {schemas.Consultations, report.ByPersonRole, report.PersonRoles}, {schemas.Shifts, report.ByMode, report.Modes}} {
		s := report.DeckSplit{Indicator: indicator(split.code), By: split.by, Values: split.values}
		for range split.values {
			s.Figures = append(s.Figures, f.of(s.Indicator))
		}
		d.Splits = append(d.Splits, s)
	}
	for _, c := range []schemas.IndicatorCode{
		schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsLate,
		schemas.NotificationsUnevid, schemas.NotificationsOverdue, schemas.NotificationsOpen,
	} {
		d.NoticeIndicators = append(d.NoticeIndicators, indicator(c))
	}
	notices := func(onTime, late, unevidenced, overdue, open float64) []report.Figure {
		var out []report.Figure
		for _, v := range []float64{onTime + late + unevidenced + open, onTime, late, unevidenced, overdue, open} {
			out = append(out, report.Figure{Value: v})
		}
		return out
	}
	d.Notices = []report.DeckRow{
		{Name: "公安机关", Figures: notices(390, 21, 14, 6, 9)}, {Name: "国家安全机关", Figures: notices(0, 0, 0, 0, 0)},
		{Name: "人民检察院", Figures: notices(183, 8, 3, 2, 6)}, {Name: "人民法院", Figures: notices(160, 12, 7, 4, 7)},
	}
	d.NoticesAll = notices(733, 41, 24, 12, 22)
	table := func(names []string, codes ...schemas.IndicatorCode) report.DeckTable {
		var t report.DeckTable
		for _, c := range codes {
			t.Indicators = append(t.Indicators, indicator(c))
		}
		for _, name := range names {
			t.Rows = append(t.Rows, row(name, t.Indicators))
		}
		t.All = row("", t.Indicators).Figures
		return t
	}
	var organs, parts []string
	for _, o := range report.Organs {
		organs = append(organs, o.Name.ZH)
	}
	for _, p := range d.Parts {
		parts = append(parts, p.Name)
	}
	d.Kinds = table([]string{"法院", "检察院", "看守所"}, schemas.Stations, schemas.Shifts, schemas.DutyMinutes, schemas.NoShows, schemas.Consultations, schemas.PersonsConsulted,
		schemas.ApplicationsReceived, schemas.PleaAssistance, schemas.Opinions, schemas.Satisfaction)
	d.Supervision = table(organs, schemas.HelpRequests, schemas.HelpRequestsDispatched, schemas.CorrectionsIssued, schemas.CorrectionsAnswered, schemas.CorrectionsClosed)
	for _, c := range []schemas.IndicatorCode{schemas.Lawyers, schemas.NoShows, schemas.SubsidiesDue, schemas.SubsidiesPaid, schemas.TrainingHours,
		schemas.FeedbackCount, schemas.Satisfaction, schemas.ConductUpheld, schemas.Honours} {
		ind := indicator(c)
		d.Team = append(d.Team, report.KeyFigure{Indicator: ind, Now: f.of(ind), Previous: f.of(ind), LastYear: f.of(ind)})
	}
	var firms []string
	for i := range report.DeckFirms {
		firms = append(firms, "吉林正阳（长春）第"+string([]rune("一二三四五六七八九十甲乙")[i])+"律师事务所")
	}
	d.Firms = table(firms, schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.PleaAssistance, schemas.Opinions, schemas.OpinionsAdopted, schemas.TrainingHours)
	d.FirmCount = 31
	d.Matters = table(parts, schemas.JointMeetings, schemas.MattersReported, schemas.MattersOpen, schemas.RosterDeliveries, schemas.Inspections, schemas.InspectionsMet, schemas.InspectionPassRate)
	return d
}
