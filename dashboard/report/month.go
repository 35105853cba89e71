package report

import (
	"context"
	"slices"
	"time"

	"zhiban/schemas"
)

// DivisionMonth is a division's monthly return (值班律师工作统计表（月）).
type DivisionMonth struct {
	Division schemas.Division
	Unit     string // 填报单位
	Month    schemas.Month
	Due      schemas.Day // last day for reporting upward
	Form     string      // version of the form's rows
	AsOf     time.Time
	Cut      Cut
	Groups   []FormGroup

	// Of a prefecture or the province: one row for each child, and the whole,
	// which is counted anew (persons of several children are one person).
	ChildIndicators []schemas.Indicator
	Children        []FormChild
	Total           []Figure
}

// FormGroup is a block of lines under one heading.
type FormGroup struct {
	Title schemas.Text
	Lines []FormLine
}

// FormLine is one indicator, or the part of it with one value of a dimension.
type FormLine struct {
	Indicator schemas.Indicator
	By        Dimension    // empty for the whole
	Part      schemas.Text // the dimension value's name
	Month     Figure       // 本月
	Year      Figure       // 本年累计
	LastYear  Figure       // 上年同月
}

// FormChild is a child division's month, in the order of ChildIndicators. Own
// is the division's own stations (市本级).
type FormChild struct {
	Division schemas.Division
	Own      bool
	Figures  []Figure
}

// monthForm is the form's rows: data, since the form itself is not in the
// rules and changes with time. A changed form gets a new version. Figures of
// the catalogue that no group names follow in a last group.
var monthForm = struct {
	version string
	groups  []formGroup
}{"2026-2", []formGroup{
	{schemas.Text{ZH: "工作站与律师", EN: "Stations and lawyers"}, []formRow{
		{schemas.Stations, []Dimension{ByStationKind}}, {schemas.Lawyers, nil}}},
	{schemas.Text{ZH: "值班", EN: "Duty"}, []formRow{
		{schemas.ShiftsPlanned, nil}, {schemas.ShiftsAwaited, nil}, {schemas.NoShows, nil},
		{schemas.Shifts, []Dimension{ByMode}}, {schemas.DutyMinutes, []Dimension{ByMode}}, {schemas.ShiftsOpen, nil}}},
	{schemas.Text{ZH: "法律咨询", EN: "Consultations"}, []formRow{
		{schemas.Consultations, []Dimension{ByPersonRole, ByChannel}}, {schemas.PersonsConsulted, nil},
		{schemas.ConsultationsGuided, nil}, {schemas.ConsultationsUnsigned, nil}, {schemas.WithDefender, nil}}},
	{schemas.Text{ZH: "法律援助申请", EN: "Applications"}, []formRow{
		{schemas.ApplicationsReceived, nil}, {schemas.ApplicationsTransferred, nil},
		{schemas.TransferDue24h, nil}, {schemas.TransferMet24h, nil}, {schemas.TransferredWithin24h, nil},
		{schemas.ApplicationsAccepted, nil}, {schemas.ApplicationsRefused, nil}, {schemas.AssignmentConflicts, nil}}},
	{schemas.Text{ZH: "法律帮助", EN: "Legal help"}, []formRow{
		{schemas.PleaAssistance, nil}, {schemas.Affidavits, nil}, {schemas.ClientMeetings, nil}, {schemas.FileReviews, nil},
		{schemas.Opinions, nil}, {schemas.OpinionsAdopted, nil}, {schemas.CoerciveMeasures, nil}, {schemas.ProcedureChoices, nil}}},
	{schemas.Text{ZH: "申诉控告、宣传及其他工作", EN: "Complaints, publicity, other tasks"}, []formRow{
		{schemas.Complaints, nil}, {schemas.PublicitySessions, nil}, {schemas.OtherTasks, nil}, {schemas.OutsideDuties, nil}}},
	{schemas.Text{ZH: "告知", EN: "Notifications"}, []formRow{
		{schemas.NotificationsDue, nil}, {schemas.NotificationsOnTime, nil}, {schemas.NotificationsLate, nil},
		{schemas.NotificationsUnevid, nil}, {schemas.NotificationsOpen, nil}, {schemas.NotificationsOverdue, nil}}},
	{schemas.Text{ZH: "法律帮助请求", EN: "Help requests"}, []formRow{
		{schemas.HelpRequests, nil}, {schemas.HelpRequestsDispatched, nil}}},
	{schemas.Text{ZH: "补贴与培训", EN: "Subsidies and training"}, []formRow{
		{schemas.SubsidiesDue, nil}, {schemas.SubsidiesPaid, nil}, {schemas.TrainingHours, nil}}},
	{schemas.Text{ZH: "评价与奖惩", EN: "Opinions, conduct, honours"}, []formRow{
		{schemas.FeedbackCount, nil}, {schemas.FeedbackScore, nil}, {schemas.Satisfaction, nil},
		{schemas.ConductUpheld, nil}, {schemas.Honours, nil}}},
	{schemas.Text{ZH: "检察监督", EN: "Supervision"}, []formRow{
		{schemas.CorrectionsIssued, []Dimension{ByOrgan}}, {schemas.CorrectionsAnswered, nil}, {schemas.CorrectionsClosed, nil}}},
	{schemas.Text{ZH: "会议、事项与检查", EN: "Meetings, matters, inspections"}, []formRow{
		{schemas.JointMeetings, nil}, {schemas.MattersReported, nil}, {schemas.MattersOpen, nil}, {schemas.RosterDeliveries, nil},
		{schemas.Inspections, nil}, {schemas.InspectionsMet, nil}, {schemas.InspectionPassRate, nil}}},
}}

type formGroup struct {
	title schemas.Text
	rows  []formRow
}

type formRow struct {
	code schemas.IndicatorCode
	by   []Dimension // its parts, shown below it
}

// childColumns are the columns of the sheet of children.
var childColumns = lookup(
	schemas.Stations, schemas.Lawyers, schemas.Shifts, schemas.DutyMinutes, schemas.NoShows, schemas.Consultations, schemas.PersonsConsulted,
	schemas.ApplicationsReceived, schemas.ApplicationsTransferred, schemas.TransferredWithin24h, schemas.PleaAssistance,
	schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsLate, schemas.NotificationsUnevid, schemas.NotificationsOverdue,
	schemas.HelpRequests, schemas.CorrectionsIssued, schemas.TrainingHours, schemas.Satisfaction,
)

// valuesOf lists the values that a form shows of a dimension.
func valuesOf(by Dimension) []Value {
	switch by {
	case ByStationKind:
		var out []Value
		for _, k := range schemas.StationKinds {
			out = append(out, Value{string(k), k.Title()})
		}
		return out
	case ByMode:
		return Modes
	case ByChannel:
		return Channels
	case ByPersonRole:
		return PersonRoles
	case ByOrgan:
		return Organs
	}
	return nil
}

// ReturnDue is the last day on which a division of this level reports its
// month. The rules name only the province's 20th (三(三)4(3)); the earlier days
// leave the prefectures time to aggregate.
func ReturnDue(level schemas.DivisionLevel, month schemas.Month) schemas.Day {
	day := schemas.Day(10)
	switch level {
	case schemas.LevelPrefecture:
		day = 15
	case schemas.LevelProvince:
		day = 20
	}
	return (month + 1).First() + day - 1
}

// DivisionMonth gathers the monthly return of division. All its figures are of
// one cut; zero asOf is now.
func (w *Warehouse) DivisionMonth(ctx context.Context, scope Scope, division schemas.DivisionCode, month schemas.Month, asOf time.Time) (DivisionMonth, error) {
	i, err := w.inquire(ctx, scope, asOf)
	if err != nil {
		return DivisionMonth{}, err
	}
	return i.divisionMonth(ctx, division, month)
}

func (i inquiry) divisionMonth(ctx context.Context, code schemas.DivisionCode, month schemas.Month) (DivisionMonth, error) {
	division, err := documentDivision(i.scope, code)
	if err != nil {
		return DivisionMonth{}, err
	}
	first, err := i.firstRecord(ctx, code, month)
	if err != nil {
		return DivisionMonth{}, err
	}
	now := monthPeriod(month).begun(i.asOf)
	year := period{Range{schemas.Date(month.Year(), time.January, 1), now.To}, now.unheld}
	last := monthPeriod(month - 12)
	last.unheld = month-12 < first

	m := DivisionMonth{
		Division: division, Unit: reportingUnit(division), Month: month, Due: ReturnDue(division.Level, month),
		Form: monthForm.version, AsOf: i.asOf, Cut: i.cut,
	}
	columns := [3]column{{period: now}, {period: year}, {period: last}}
	var byChild Statistics
	asking := []func(context.Context) error{}
	for k := range columns {
		asking = append(asking, func(ctx context.Context) error { return columns[k].fill(ctx, i, code) })
	}
	if division.Level != schemas.LevelCounty {
		asking = append(asking, func(ctx context.Context) (err error) {
			byChild, err = i.statistics(ctx, now.query(code, codesOf(childColumns), ByDivision))
			return err
		})
	}
	if err := together(ctx, asking...); err != nil {
		return m, err
	}
	line := func(ind schemas.Indicator, by Dimension, v Value) FormLine {
		return FormLine{ind, by, v.Name, columns[0].cell(ind, by, v), columns[1].cell(ind, by, v), columns[2].cell(ind, by, v)}
	}
	for _, group := range formGroups() {
		g := FormGroup{Title: group.title}
		for _, row := range group.rows {
			ind := lookup(row.code)[0]
			g.Lines = append(g.Lines, line(ind, "", Value{}))
			for _, by := range row.by {
				for _, v := range valuesOf(by) {
					g.Lines = append(g.Lines, line(ind, by, v))
				}
			}
		}
		m.Groups = append(m.Groups, g)
	}
	if division.Level != schemas.LevelCounty {
		m.ChildIndicators = childColumns
		m.Children = children(byChild, division, now)
		m.Total = now.cells(columns[0].whole, childColumns)
	}
	return m, nil
}

// column is the answers behind one column of the form.
type column struct {
	period
	whole Statistics
	parts map[Dimension]Statistics
}

func (c *column) fill(ctx context.Context, i inquiry, code schemas.DivisionCode) (err error) {
	if c.whole, err = i.statistics(ctx, c.query(code, codesOf(schemas.Indicators.All()))); err != nil {
		return err
	}
	split := map[Dimension][]schemas.IndicatorCode{}
	var order []Dimension
	for _, g := range monthForm.groups {
		for _, row := range g.rows {
			for _, by := range row.by {
				if split[by] == nil {
					order = append(order, by)
				}
				split[by] = append(split[by], row.code)
			}
		}
	}
	c.parts = map[Dimension]Statistics{}
	for _, by := range order {
		if c.parts[by], err = i.statistics(ctx, c.query(code, split[by], by)); err != nil {
			return err
		}
	}
	return nil
}

func (c *column) cell(ind schemas.Indicator, by Dimension, v Value) Figure {
	if by == "" {
		return c.period.cell(c.whole, ind)
	}
	return c.period.cell(c.parts[by], ind, v.Code)
}

// formGroups is the form with what the catalogue has besides.
func formGroups() []formGroup {
	named := map[schemas.IndicatorCode]bool{}
	for _, g := range monthForm.groups {
		for _, row := range g.rows {
			named[row.code] = true
		}
	}
	rest := formGroup{title: schemas.Text{ZH: "其他", EN: "Other"}}
	for _, ind := range schemas.Indicators.All() {
		if !named[ind.Code] {
			rest.rows = append(rest.rows, formRow{code: ind.Code})
		}
	}
	if len(rest.rows) == 0 {
		return monthForm.groups
	}
	return append(slices.Clone(monthForm.groups), rest)
}

// children are the rows of the divisions under division in a period: all that
// existed, then division itself when its own stations have figures.
func children(s Statistics, division schemas.Division, p period) []FormChild {
	inds := lookup(s.Query.Indicators...)
	var out []FormChild
	for _, d := range schemas.Divisions.Children(division.Code, p.From, p.To) {
		out = append(out, FormChild{Division: d, Figures: p.cells(s, inds, string(d.Code))})
	}
	if _, ok := s.Find(string(division.Code)); ok {
		out = append(out, FormChild{Division: division, Own: true, Figures: p.cells(s, inds, string(division.Code))})
	}
	return out
}
