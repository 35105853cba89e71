package simulate

import (
	"zhiban/schemas"
)

// count is the independent count: plain sums over what really happened, made
// while the simulation goes. It knows nothing of events, corrections or log
// order.
type count struct {
	events, records int // distinct events, and places in the log
	cells           map[cell]*tally
	stations        map[schemas.StationCode]*tally
	lawyers         map[string]*tally
	by              map[side]*tally
	visits, helped  []visit // by persons consulted, and by those who had more than that
	duty, training  []visit // by lawyers
	responses       []response
	pending         []pending
	founded         []stock // stations
	enrolled        []stock // lawyers
}

// counted are the figures that are summed, by their place in a tally.
var counted = [...]schemas.IndicatorCode{
	schemas.Shifts, schemas.DutyMinutes, schemas.ShiftsOpen,
	schemas.Consultations, schemas.ConsultationsGuided, schemas.ConsultationsUnsigned,
	schemas.ApplicationsReceived, schemas.ApplicationsTransferred, schemas.TransferDue24h, schemas.TransferMet24h,
	schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsLate, schemas.NotificationsUnevid, schemas.NotificationsOpen,
	schemas.PleaAssistance, schemas.Affidavits, schemas.ClientMeetings, schemas.FileReviews, schemas.Opinions, schemas.OpinionsAdopted,
	schemas.CoerciveMeasures, schemas.ProcedureChoices, schemas.Complaints, schemas.PublicitySessions, schemas.OtherTasks,
	schemas.ApplicationsAccepted, schemas.ApplicationsRefused, schemas.AssignmentConflicts,
	schemas.HelpRequests, schemas.HelpRequestsDispatched, schemas.ResponseMinutes,
	schemas.CorrectionsIssued, schemas.CorrectionsAnswered, schemas.CorrectionsClosed,
	schemas.SubsidiesDue, schemas.SubsidiesPaid, schemas.TrainingHours, schemas.FeedbackCount, schemas.FeedbackScore,
	schemas.ConductUpheld, schemas.Honours, schemas.ShiftsPlanned, schemas.ShiftsAwaited,
	schemas.Inspections, schemas.InspectionsMet, schemas.RosterDeliveries, schemas.JointMeetings, schemas.MattersReported, schemas.MattersOpen,
	schemas.WithDefender, schemas.OutsideDuties, schemas.ConsultationsLateEntry, schemas.SubsidiesTimed, schemas.SubsidiesAwaited,
}

const (
	shifts = iota
	dutyMinutes
	shiftsOpen
	consultations
	consultationsGuided
	consultationsUnsigned
	applicationsReceived
	applicationsTransferred
	transferDue
	transferMet
	notificationsDue
	notificationsOnTime
	notificationsLate
	notificationsUnevidenced
	notificationsOpen
	pleaAssistance
	affidavits
	clientMeetings
	fileReviews
	opinions
	opinionsAdopted
	coerciveMeasures
	procedureChoices
	complaints
	publicitySessions
	otherTasks
	applicationsAccepted
	applicationsRefused
	assignmentConflicts
	helpRequests
	helpRequestsDispatched
	responseMinutes
	correctionsIssued
	correctionsAnswered
	correctionsClosed
	subsidiesDue
	subsidiesPaid
	trainingHours // in hours: a day's training is made of whole hours
	feedbackCount
	feedbackScore
	conductUpheld
	honours
	shiftsPlanned
	shiftsAwaited
	inspections
	inspectionsMet
	rosterDeliveries
	jointMeetings
	mattersReported
	mattersOpen
	withDefender
	outsideDuties
	consultationsLateEntry
	subsidiesTimed
	subsidiesAwaited
)

// tally is a number for each of counted.
type tally [len(counted)]int64

// cell is a month and the division that reports it, as then.
type cell struct {
	month schemas.Month
	unit  schemas.DivisionCode
}

// side is a value of one of the dimensions mode, channel, person_role, organ.
type side struct{ dimension, value string }

// visit is a person's consultation or help, or a lawyer's shift or training.
type visit struct {
	cell
	person uint64
}

// response is how long a request for help waited for the call of a lawyer.
type response struct {
	unit    schemas.DivisionCode
	minutes int64
}

// pending is what counts once its last day has passed: a duty to notify that
// nothing was done about, a planned shift, and one to which nobody came, a
// subsidy with a last day, and one that was not paid by then.
type pending struct {
	cell
	figure  schemas.IndicatorCode // that it then counts in
	station schemas.StationCode
	lawyer  string
	side    side
	last    schemas.Day
}

// stock is a station or lawyer that is there from a day on until another.
type stock struct {
	since, until schemas.Day          // until is the first without it; 0: never
	unit         schemas.DivisionCode // at that time or later
}

func (s stock) there(day schemas.Day) bool { return s.since <= day && (s.until == 0 || day < s.until) }

func newCount() *count {
	return &count{
		cells: map[cell]*tally{}, stations: map[schemas.StationCode]*tally{}, lawyers: map[string]*tally{}, by: map[side]*tally{},
	}
}

// sheet is where a figure is added: each of its tallies.
type sheet []*tally

func (s sheet) add(figure int, n int64) {
	for _, t := range s {
		t[figure] += n
	}
}

// sheet opens the tallies of what happened at a moment. station may be nil and
// lawyer empty.
func (c *count) sheet(at cell, s *station, lawyer string, sides ...side) sheet {
	out := sheet{tallyOf(c.cells, at)}
	if s != nil {
		out = append(out, tallyOf(c.stations, s.code))
	}
	if lawyer != "" {
		out = append(out, tallyOf(c.lawyers, lawyer))
	}
	for _, side := range sides {
		out = append(out, tallyOf(c.by, side))
	}
	return out
}

func tallyOf[K comparable](m map[K]*tally, k K) *tally {
	t := m[k]
	if t == nil {
		t = new(tally)
		m[k] = t
	}
	return t
}

// reported is the cell in which a division's work of a moment is reported.
func reported(by schemas.DivisionCode, at moment) cell {
	return cell{at.day().Month(), schemas.Divisions.On(by, at.day())}
}

func (c *count) station(s *station) {
	c.founded = append(c.founded, stock{s.founded.day(), dayOrNever(s.closed), s.reporting})
	tallyOf(c.stations, s.code)
}

func (c *count) lawyer(l *lawyer) {
	c.enrolled = append(c.enrolled, stock{l.enrolled.day(), dayOrNever(l.left), schemas.DivisionCode(l.Division)})
	tallyOf(c.lawyers, l.Licence)
}

// shift counts a tour of duty; out is nil when nobody signed out.
func (c *count) shift(s *station, in moment, out *moment, l *lawyer, mode string) {
	where := reported(s.reporting, in)
	sheet := c.sheet(where, s, l.Licence, side{"mode", mode})
	sheet.add(shifts, 1)
	c.duty = append(c.duty, visit{where, l.number()})
	if out == nil {
		sheet.add(shiftsOpen, 1)
	} else {
		sheet.add(dutyMinutes, int64((*out-in)/minute))
	}
}

func dayOrNever(m moment) schemas.Day {
	if m == 0 {
		return 0
	}
	return m.day()
}

// plan counts a line of the duty plan; came tells whether anybody did.
func (c *count) plan(s *station, p plan, came bool) {
	where, mode := reported(s.reporting, p.start), side{"mode", p.mode}
	sheet := c.sheet(where, s, p.lawyer.Licence, mode)
	sheet.add(shiftsPlanned, 1)
	due := pending{where, schemas.ShiftsDue, s.code, p.lawyer.Licence, mode, p.start.day()}
	c.pending = append(c.pending, due)
	if !came {
		sheet.add(shiftsAwaited, 1)
		due.figure = schemas.NoShows
		c.pending = append(c.pending, due)
	}
}

// subsidy counts one that became due and was paid, when it was, on paid. A zero
// last sets no day for that.
func (c *count) subsidy(d desk, at moment, lawyer string, fen int64, last, paid schemas.Day) {
	c.add(d, at, lawyer, subsidiesDue, fen)
	if last == 0 {
		return
	}
	c.add(d, at, lawyer, subsidiesTimed, 1)
	due := pending{cell: reported(d.reporting(), at), figure: schemas.SubsidiesPayable, lawyer: lawyer, last: last}
	c.pending = append(c.pending, due)
	if paid == 0 || paid > last {
		c.add(d, at, lawyer, subsidiesAwaited, 1)
		due.figure = schemas.SubsidiesLate
		c.pending = append(c.pending, due)
	}
}

// trained counts a lawyer's day of training.
func (c *count) trained(pl *place, at moment, l *lawyer, hours int64) {
	d := desk{pl, nil}
	c.add(d, at, l.Licence, trainingHours, hours)
	c.training = append(c.training, visit{reported(d.reporting(), at), l.number()})
}

// dispatched counts the call of a lawyer to a request for help.
func (c *count) dispatched(d desk, received, call moment, l *lawyer, organ side) {
	took := int64((call - received) / minute)
	c.add(d, received, l.Licence, helpRequestsDispatched, 1, organ)
	c.add(d, received, l.Licence, responseMinutes, took, organ)
	c.responses = append(c.responses, response{reported(d.reporting(), received).unit, took})
}

// number is the lawyer's licence as a number.
func (l *lawyer) number() uint64 {
	n, err := schemas.ParseLicence(l.Licence)
	if err != nil {
		panic(err) // the simulation made it
	}
	return uint64(n)
}

// add counts what needs no more than a place and a time.
func (c *count) add(d desk, at moment, lawyer string, figure int, n int64, sides ...side) {
	c.sheet(reported(d.reporting(), at), d.station, lawyer, sides...).add(figure, n)
}

// laterLaw is when duties that are not of the 2018 rules began.
var laterLaw = map[string]schemas.Day{
	"affidavit": schemas.Date(2018, 10, 26), "opinion": schemas.Date(2018, 10, 26), "coercive_measure": schemas.Date(2018, 10, 26), "procedure_choice": schemas.Date(2018, 10, 26), // 刑事诉讼法
	"meeting": schemas.Date(2020, 8, 20), "file_review": schemas.Date(2020, 8, 20), // 法律援助值班律师工作办法
}

var services = map[string]int{
	"plea_leniency": pleaAssistance, "affidavit": affidavits, "meeting": clientMeetings, "file_review": fileReviews,
	"opinion": opinions, "coercive_measure": coerciveMeasures, "procedure_choice": procedureChoices,
}

// assistance counts legal help. Help of a kind that was no duty yet is no
// figure but outside the duties.
func (c *count) assistance(s *station, at moment, person uint64, is schemas.AssistanceGiven) {
	where := reported(s.reporting, at)
	sheet := c.sheet(where, s, is.Lawyer)
	if at.day() < laterLaw[is.Service] {
		sheet.add(outsideDuties, 1)
		return
	}
	sheet.add(services[is.Service], 1)
	c.helped = append(c.helped, visit{where, person})
	if is.Service == "opinion" && is.Adopted != nil && *is.Adopted {
		sheet.add(opinionsAdopted, 1)
	}
}

// complaint counts one, which only a detention centre's lawyers are there for
// (三(三)1(4)).
func (c *count) complaint(s *station, at moment, lawyer string) {
	sheet := c.sheet(reported(s.reporting, at), s, lawyer)
	sheet.add(complaints, 1)
	if s.kind != schemas.DetentionCentre {
		sheet.add(outsideDuties, 1)
	}
}

// consultation counts a line of the ledger. It is late when it was entered more
// than a day after.
func (c *count) consultation(s *station, is schemas.ConsultationRecorded, at moment, person uint64, signed, late bool) {
	where := reported(s.reporting, at)
	sheet := c.sheet(where, s, is.Lawyer, side{"channel", is.Channel}, side{"person_role", is.PersonRole})
	sheet.add(consultations, 1)
	if is.GuidedToApply {
		sheet.add(consultationsGuided, 1)
	}
	if !signed {
		sheet.add(consultationsUnsigned, 1)
	}
	if late {
		sheet.add(consultationsLateEntry, 1)
	}
	if is.HasDefender != nil && *is.HasDefender {
		sheet.add(withDefender, 1)
	}
	c.visits = append(c.visits, visit{where, person})
}

// application counts an application received by one lawyer and, if it was,
// passed on by another or the same, and what became of it.
func (c *count) application(s *station, received moment, taker *lawyer, passedOn *moment, passer *lawyer, out outcome) {
	receipt := c.sheet(reported(s.reporting, received), s, taker.Licence)
	receipt.add(applicationsReceived, 1)
	within := passedOn != nil && *passedOn <= received+oneDay
	if received.day() >= schemas.Date(2022, 1, 1) { // 法律援助法
		receipt.add(transferDue, 1)
		if within {
			receipt.add(transferMet, 1)
		}
	}
	if passedOn != nil {
		c.sheet(reported(s.reporting, *passedOn), s, passer.Licence).add(applicationsTransferred, 1)
	}
	d := desk{s.place, s}
	switch {
	case out.decided == nil:
	case out.refused:
		c.add(d, *out.decided, "", applicationsRefused, 1)
	default:
		c.add(d, *out.decided, "", applicationsAccepted, 1)
	}
	if out.assigned != nil && s.kind == schemas.DetentionCentre && out.to == taker { // 三(四)1(2)
		c.add(d, *out.assigned, taker.Licence, assignmentConflicts, 1)
	}
}

// notification counts a duty to notify by what was done about it.
func (c *count) notification(n notice, arose moment, inCustody bool, notices []given) {
	where := reported(n.reporting(), arose)
	sheet := c.sheet(where, n.station, "", side{"organ", n.organ.name})
	sheet.add(notificationsDue, 1)

	last := lastDay(n.organ.name, arose.day(), inCustody)
	inTime, late := false, false
	for _, g := range notices {
		inTime = inTime || g.evidenced && g.at.day() <= last
		late = late || g.evidenced && g.at.day() > last
	}
	switch {
	case inTime:
		sheet.add(notificationsOnTime, 1)
	case late:
		sheet.add(notificationsLate, 1)
	case len(notices) > 0:
		sheet.add(notificationsUnevidenced, 1)
	default:
		sheet.add(notificationsOpen, 1)
		p := pending{cell: where, figure: schemas.NotificationsOverdue, side: side{"organ", n.organ.name}, last: last}
		if n.station != nil {
			p.station = n.station.code
		}
		c.pending = append(c.pending, p)
	}
}
