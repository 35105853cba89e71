package dashboard

import (
	"slices"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// figureGroup is key figures that an official reads together.
type figureGroup struct {
	title   string
	figures []keyFigure
}

// keyFigure is a figure of a group: of is what it is a share of, split what its
// parts are by.
type keyFigure struct {
	code, of schemas.IndicatorCode
	split    report.Dimension
}

// The groups of a division's page and of a station's. The first figure of a
// group stands out.
var (
	dutyGroup = figureGroup{"group.duty", []keyFigure{
		{code: schemas.Shifts, split: report.ByMode}, {code: schemas.DutyMinutes}, {code: schemas.ShiftsPlanned},
		{code: schemas.AttendanceRate}, {code: schemas.NoShows, of: schemas.ShiftsDue}, {code: schemas.SignOutRate}, {code: schemas.ShiftsOpen, of: schemas.Shifts}}}
	consultationGroup = figureGroup{"group.consultation", []keyFigure{
		{code: schemas.Consultations}, {code: schemas.PersonsConsulted}, {code: schemas.ConsultationsGuided, of: schemas.Consultations},
		{code: schemas.SignatureRate}, {code: schemas.ConsultationsUnsigned, of: schemas.Consultations},
		{code: schemas.LateEntryRate}, {code: schemas.ConsultationsLateEntry, of: schemas.Consultations}, {code: schemas.WithDefender, of: schemas.Consultations}}}
	applicationGroup = figureGroup{"group.application", []keyFigure{
		{code: schemas.ApplicationsReceived}, {code: schemas.ApplicationsTransferred}, {code: schemas.TransferredWithin24h},
		{code: schemas.ApplicationsAccepted}, {code: schemas.ApplicationsRefused}, {code: schemas.AssignmentConflicts}}}
	helpGroup = figureGroup{"group.help", []keyFigure{
		{code: schemas.PersonsHelped}, {code: schemas.PleaAssistance}, {code: schemas.Affidavits}, {code: schemas.ClientMeetings}, {code: schemas.FileReviews},
		{code: schemas.Opinions}, {code: schemas.OpinionsAdopted, of: schemas.Opinions}, {code: schemas.AdoptionRate}, {code: schemas.CoerciveMeasures}, {code: schemas.ProcedureChoices},
		{code: schemas.Complaints}, {code: schemas.PublicitySessions}, {code: schemas.OtherTasks}, {code: schemas.OutsideDuties}}}
	noticeGroup = figureGroup{"group.notice", []keyFigure{
		{code: schemas.NotificationsDue}, {code: schemas.NotificationsOnTime, of: schemas.NotificationsDue}, {code: schemas.NotifiedOnTimeRate},
		{code: schemas.NotificationsLate, of: schemas.NotificationsDue}, {code: schemas.NotificationsUnevid, of: schemas.NotificationsDue},
		{code: schemas.NotificationsOverdue, of: schemas.NotificationsDue}}}
	supervisionGroup = figureGroup{"group.supervision", []keyFigure{
		{code: schemas.HelpRequests}, {code: schemas.HelpRequestsDispatched, of: schemas.HelpRequests},
		{code: schemas.ResponseMedian}, {code: schemas.ResponseP90},
		{code: schemas.CorrectionsIssued}, {code: schemas.CorrectionsAnswered, of: schemas.CorrectionsIssued}, {code: schemas.CorrectionsAnsweredRate},
		{code: schemas.CorrectionsClosed, of: schemas.CorrectionsIssued}}}
	teamGroup = figureGroup{"group.team", []keyFigure{
		{code: schemas.Stations}, {code: schemas.Lawyers}, {code: schemas.LawyersOnDuty}, {code: schemas.SubsidiesDue}, {code: schemas.SubsidiesPaid},
		{code: schemas.SubsidiesLate, of: schemas.SubsidiesPayable}, {code: schemas.SubsidiesLateRate},
		{code: schemas.LawyersTrained}, {code: schemas.TrainingHours}, {code: schemas.Satisfaction}, {code: schemas.ConductUpheld}, {code: schemas.Honours}}}
	meetingGroup = figureGroup{"group.meeting", []keyFigure{
		{code: schemas.JointMeetings}, {code: schemas.MattersReported}, {code: schemas.MattersOpen, of: schemas.MattersReported},
		{code: schemas.RosterDeliveries}, {code: schemas.Inspections}, {code: schemas.InspectionPassRate}}}

	divisionGroups = []figureGroup{dutyGroup, consultationGroup, applicationGroup, helpGroup, noticeGroup, supervisionGroup, teamGroup, meetingGroup}
	stationGroups  = []figureGroup{dutyGroup, consultationGroup, applicationGroup, helpGroup, noticeGroup, supervisionGroup,
		{"group.quality", []keyFigure{{code: schemas.Satisfaction}, {code: schemas.Inspections}, {code: schemas.InspectionPassRate}}}}
)

// codesOf are the figures of groups and more, with what they are measured
// against: one question brings all of them.
func codesOf(groups []figureGroup, more ...schemas.IndicatorCode) []schemas.IndicatorCode {
	out := slices.Clone(more)
	add := func(codes ...schemas.IndicatorCode) {
		for _, code := range codes {
			if code != "" && !slices.Contains(out, code) {
				out = append(out, code)
			}
		}
	}
	for _, g := range groups {
		for _, f := range g.figures {
			add(f.code, f.of)
			if ind, err := schemas.Indicators.Lookup(f.code); err == nil && ind.Divided() {
				add(ind.Of, ind.Over)
			}
		}
	}
	return out
}

// block is a group of figures as it is shown.
type block struct {
	Title string
	Lines []line
}

// line is a key figure with what it is compared with.
type line struct {
	Code       schemas.IndicatorCode
	Title      string
	Definition string
	Value      cell
	Unit       string
	Notes      []link  // its share, its n, its parts
	Same, Prev *change // 同比, 环比; nil when the figure is not compared
	Year       string  // 本年累计
}

// blocks shows groups of figures. Stock figures have no sum of the year, what
// is overdue at the moment asked for has nothing to be compared with.
func (v *visit) blocks(o report.Overview, groups []figureGroup, division schemas.DivisionCode, filter ...string) []block {
	var out []block
	for _, g := range groups {
		b := block{Title: v.t(g.title)}
		for _, f := range g.figures {
			ind, err := schemas.Indicators.Lookup(f.code)
			if err != nil {
				continue
			}
			now := zero(f.code, o.Whole.Now[f.code])
			l := line{
				Code: f.code, Title: ind.Name.In(string(v.phrases)), Definition: ind.Definition.In(string(v.phrases)),
				Value: v.figure(f.code, now, division, o.Now, filter...), Unit: v.unit(ind), Notes: v.lineNotes(o, f, ind, division, filter...),
			}
			if l.Value.Href != "" || l.Value.Title == "" {
				l.Value.Title = v.t("figure.open", l.Title)
			}
			if ind.Kind != schemas.Overdue {
				same, prev := v.change(f.code, now, o.Whole.LastYear[f.code]), v.change(f.code, now, o.Whole.Previous[f.code])
				l.Same, l.Prev = &same, &prev
			}
			if ind.Kind != schemas.Stock {
				l.Year = v.amount(f.code, zero(f.code, o.Whole.Year[f.code])).Text
			}
			b.Lines = append(b.Lines, l)
		}
		out = append(out, b)
	}
	return out
}

// lineNotes say what stands behind a figure: what it is a share of, the two
// numbers of a ratio, the n of a mean and of a percentile, its parts.
func (v *visit) lineNotes(o report.Overview, f keyFigure, ind schemas.Indicator, division schemas.DivisionCode, filter ...string) []link {
	var out []link
	now := o.Whole.Now
	switch {
	case ind.Kind == schemas.Mean || ind.Kind == schemas.Percentile:
		out = append(out, link{Text: v.t("figure.n", v.amount(ind.Over, zero(ind.Over, now[ind.Over])).Text)})
	case ind.Divided():
		part := now.Of(ind.Of)
		if ind.Rest {
			part = now.Of(ind.Over) - part
		}
		out = append(out, link{Text: v.t("figure.parts", number(part), number(now.Of(ind.Over)))})
	case f.of != "" && now.Of(f.of) != 0:
		out = append(out, link{Text: v.t("figure.of", v.indicator(f.of), v.share(now.Of(f.code), now.Of(f.of)))})
	}
	st, ok := o.Splits[f.split]
	if !ok || f.split == "" {
		return out
	}
	for _, value := range closed[string(f.split)] {
		if row, ok := st.Find(value.Code); ok && st.Value(row, f.code) != 0 {
			n := st.Value(row, f.code)
			out = append(out, link{value.Name.In(string(v.phrases)) + " " + v.amount(f.code, &n).Text,
				v.details(f.code, division, o.Now, append(slices.Clone(filter), string(f.split), value.Code)...)})
		}
	}
	return out
}
