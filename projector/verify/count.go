package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"

	"zhiban/schemas"
)

// entry is one figure of a case: a quantity and what it is about.
type entry struct {
	indicator schemas.IndicatorCode
	day       schemas.Day
	source    string // station code, or division code
	sides
	n int64
}

// sides are what a figure can be split by besides its day and place.
type sides struct {
	lawyer                              schemas.Licence
	mode, channel, role, organ, trigger string
	person                              uint64
	due                                 schemas.Day
}

// of is the sides of what makes a person one who was helped: a consultation, or
// legal help. Persons are counted in nothing else, and named there alone.
func (s sides) of(pseudonym string) sides {
	s.person = person(pseudonym)
	return s
}

// tally collects what the facts of one case amount to.
type tally struct {
	facts []fact
	out   []entry
}

// count is what the facts of a case of some kind amount to in the end.
func count(kind schemas.CaseKind, facts []fact) []entry {
	t := &tally{facts: facts}
	switch kind {
	case schemas.CaseStation:
		t.station()
	case schemas.CaseLawyer:
		t.lawyer()
	case schemas.CaseShift:
		t.plan()
		t.shift()
	case schemas.CaseConsultation:
		t.consultation()
	case schemas.CaseApplication:
		t.application()
	case schemas.CaseNotification:
		t.notification()
	case schemas.CaseHelpRequest:
		t.helpRequest()
	case schemas.CaseSupervision:
		t.supervision()
	case schemas.CaseMatter:
		t.matter()
	case schemas.CaseSubsidy:
		t.subsidy()
	default:
		t.single()
	}
	return t.out
}

// the finds the first fact of a verb.
func (t *tally) the(verb string) (fact, bool) {
	for _, f := range t.facts {
		if f.verb == verb {
			return f, true
		}
	}
	return fact{}, false
}

func (t *tally) has(verb string) bool { _, ok := t.the(verb); return ok }

// add counts n of a figure on a day, at the place of f.
func (t *tally) add(code schemas.IndicatorCode, n int64, f fact, day schemas.Day, s sides) {
	t.out = append(t.out, entry{code, day, f.source.Key(), s, n})
}

// one counts one on the day of f.
func (t *tally) one(code schemas.IndicatorCode, f fact, s sides) { t.add(code, 1, f, f.day(), s) }

// flag counts work at a station that is no duty of its kind of station on its
// day (三(三)1–3), beside what it counts itself.
func (t *tally) flag(duty schemas.Duty, f fact, s sides) {
	at := f.source.Station
	if at != "" && !schemas.Duties.Has(at.Kind(), at.Division(), duty, f.day()) {
		t.one(schemas.OutsideDuties, f, s)
	}
}

// station: there from its founding until its closing; inspections one by one.
func (t *tally) station() {
	for _, f := range t.facts {
		if p, ok := f.payload.(*schemas.StationInspected); ok {
			t.one(schemas.Inspections, f, sides{})
			if len(p.Missing) == 0 {
				t.one(schemas.InspectionsMet, f, sides{})
			}
		}
	}
	if f, ok := t.the("founded"); ok {
		t.one(schemas.Stations, f, sides{})
		if closed, ok := t.the("closed"); ok {
			t.add(schemas.Stations, -1, closed, closed.day(), sides{})
		}
	}
}

// lawyer: on the roster of the enrolling place until leaving.
func (t *tally) lawyer() {
	f, ok := t.the("enrolled")
	if !ok {
		return
	}
	s := sides{lawyer: licence(f.payload.(*schemas.LawyerEnrolled).Licence)}
	t.one(schemas.Lawyers, f, s)
	if left, ok := t.the("left"); ok {
		t.add(schemas.Lawyers, -1, f, left.day(), s)
	}
}

// plan: a planned shift counts, and falls due, on the day it begins.
func (t *tally) plan() {
	f, ok := t.the("planned")
	if !ok {
		return
	}
	p := f.payload.(*schemas.ShiftPlanned)
	start, err := time.Parse(time.RFC3339, p.Start)
	if err != nil {
		return // no day to count it on
	}
	day := schemas.DayOf(start)
	s := sides{lawyer: licence(p.Lawyer), mode: p.Mode, due: day}
	t.add(schemas.ShiftsPlanned, 1, f, day, s)
	if !t.has("signed_in") {
		t.add(schemas.ShiftsAwaited, 1, f, day, s)
	}
}

// shift: everything on the day of the sign-in; whole minutes; a sign-out before
// the sign-in is none.
func (t *tally) shift() {
	in, ok := t.the("signed_in")
	if !ok {
		return
	}
	p := in.payload.(*schemas.ShiftSignedIn)
	s := sides{lawyer: licence(p.Lawyer), mode: p.Mode}
	t.one(schemas.Shifts, in, s)
	out, ended := t.the("signed_out")
	if ended = ended && !out.time.Before(in.time); ended {
		t.add(schemas.DutyMinutes, int64(out.time.Sub(in.time)/time.Minute), in, in.day(), s)
	} else {
		t.one(schemas.ShiftsOpen, in, s)
	}
}

func (t *tally) consultation() {
	f, ok := t.the("recorded")
	if !ok {
		return
	}
	p := f.payload.(*schemas.ConsultationRecorded)
	s := sides{lawyer: licence(p.Lawyer), channel: p.Channel, role: p.PersonRole}
	t.one(schemas.Consultations, f, s.of(p.Person))
	if p.GuidedToApply {
		t.one(schemas.ConsultationsGuided, f, s)
	}
	if !t.has("signed") {
		t.one(schemas.ConsultationsUnsigned, f, s)
	}
	if f.entered.After(f.time.Add(schemas.LateEntryAfter)) {
		t.one(schemas.ConsultationsLateEntry, f, s)
	}
	if p.HasDefender != nil && *p.HasDefender { // duty lawyers are for those who have none (二)
		t.one(schemas.WithDefender, f, s)
	}
	t.flag("consultation", f, s)
}

// application: each step on its own day, and the 24 hours of 法律援助法第39条 on
// the day of receipt. The lawyer who took it at a detention centre must not be
// the one it is assigned to (三(四)1(2)).
func (t *tally) application() {
	received, isReceived := t.the("received")
	transferred, isTransferred := t.the("transferred")
	var taker string
	if isReceived {
		p := received.payload.(*schemas.ApplicationReceived)
		taker = p.Lawyer
		s := sides{lawyer: licence(p.Lawyer)}
		t.one(schemas.ApplicationsReceived, received, s)
		t.flag("application", received, s)
		if inForce(schemas.TransferDue24h, received.day()) {
			t.one(schemas.TransferDue24h, received, s)
			latest := received.time.Add(24 * time.Hour)
			if isTransferred && !transferred.time.Before(received.time) && !transferred.time.After(latest) {
				t.one(schemas.TransferMet24h, received, s)
			}
		}
	}
	if isTransferred {
		t.one(schemas.ApplicationsTransferred, transferred, sides{lawyer: licence(transferred.payload.(*schemas.ApplicationTransferred).Lawyer)})
	}
	if f, ok := t.the("decided"); ok {
		if f.payload.(*schemas.ApplicationDecided).Outcome == "refused" {
			t.one(schemas.ApplicationsRefused, f, sides{})
		} else {
			t.one(schemas.ApplicationsAccepted, f, sides{})
		}
	}
	if f, ok := t.the("assigned"); ok && isReceived && received.source.Station.Kind() == schemas.DetentionCentre {
		if p := f.payload.(*schemas.ApplicationAssigned); p.Lawyer == taker {
			t.one(schemas.AssignmentConflicts, f, sides{lawyer: licence(p.Lawyer)})
		}
	}
}

// notification: a duty and its one state, on the day the duty arose (三(三)4(4)).
func (t *tally) notification() {
	f, ok := t.the("triggered")
	if !ok {
		return
	}
	p := f.payload.(*schemas.NotificationTriggered)
	s := sides{organ: p.Organ, trigger: p.Trigger, due: schemas.NotificationDue(p.Organ, f.day(), p.InCustody)}
	var given, proven, inTime bool
	for _, f := range t.facts {
		if g, ok := f.payload.(*schemas.NotificationGiven); ok {
			given = true
			proven = proven || g.Evidence != ""
			inTime = inTime || g.Evidence != "" && f.day() <= s.due
		}
	}
	t.one(schemas.NotificationsDue, f, s)
	switch {
	case inTime:
		t.one(schemas.NotificationsOnTime, f, s)
	case proven:
		t.one(schemas.NotificationsLate, f, s)
	case given:
		t.one(schemas.NotificationsUnevid, f, s)
	default:
		t.one(schemas.NotificationsOpen, f, s)
	}
}

// helpRequest: with the lawyer who was called, once one was, and the whole
// minutes that it took.
func (t *tally) helpRequest() {
	f, ok := t.the("received")
	if !ok {
		return
	}
	p := f.payload.(*schemas.HelpRequestReceived)
	s := sides{organ: p.Organ}
	t.one(schemas.HelpRequests, f, s)
	if called, ok := t.the("dispatched"); ok {
		s.lawyer = licence(called.payload.(*schemas.HelpRequestDispatched).Lawyer)
		t.one(schemas.HelpRequestsDispatched, f, s)
		if called.time.After(f.time) {
			t.add(schemas.ResponseMinutes, int64(called.time.Sub(f.time)/time.Minute), f, f.day(), s)
		}
	}
}

// supervision: what became of it also on the day of issue.
func (t *tally) supervision() {
	f, ok := t.the("issued")
	if !ok {
		return
	}
	s := sides{organ: f.payload.(*schemas.SupervisionIssued).Organ}
	t.one(schemas.CorrectionsIssued, f, s)
	if t.has("answered") {
		t.one(schemas.CorrectionsAnswered, f, s)
	}
	if t.has("closed") {
		t.one(schemas.CorrectionsClosed, f, s)
	}
}

func (t *tally) matter() {
	f, ok := t.the("reported")
	if !ok {
		return
	}
	t.one(schemas.MattersReported, f, sides{})
	if !t.has("resolved") {
		t.one(schemas.MattersOpen, f, sides{})
	}
}

// subsidy: fen on the days they became due and were paid. One with a last day is
// awaited until it is paid, for good when that came too late.
func (t *tally) subsidy() {
	paidOn := schemas.Day(math.MaxInt32)
	if f, ok := t.the("paid"); ok {
		p := f.payload.(*schemas.SubsidyPaid)
		t.add(schemas.SubsidiesPaid, p.Fen, f, f.day(), sides{lawyer: licence(p.Lawyer)})
		paidOn = f.day()
	}
	f, ok := t.the("accrued")
	if !ok {
		return
	}
	p := f.payload.(*schemas.SubsidyAccrued)
	s := sides{lawyer: licence(p.Lawyer)}
	t.add(schemas.SubsidiesDue, p.Fen, f, f.day(), s)
	last, err := time.Parse(time.DateOnly, p.PayableBy)
	if err != nil {
		return // no last day
	}
	s.due = schemas.Date(last.Date())
	t.one(schemas.SubsidiesTimed, f, s)
	if paidOn > s.due {
		t.one(schemas.SubsidiesAwaited, f, s)
	}
}

// helped are the figures of legal help by service.
var helped = map[string]schemas.IndicatorCode{
	"plea_leniency": schemas.PleaAssistance, "affidavit": schemas.Affidavits, "meeting": schemas.ClientMeetings, "file_review": schemas.FileReviews,
	"opinion": schemas.Opinions, "coercive_measure": schemas.CoerciveMeasures, "procedure_choice": schemas.ProcedureChoices,
}

// single counts the cases of which each step counts by itself, the first of
// each verb.
func (t *tally) single() {
	done := map[string]bool{}
	for _, f := range t.facts {
		if done[f.verb] {
			continue
		}
		done[f.verb] = true
		switch p := f.payload.(type) {
		case *schemas.AssistanceGiven:
			s := sides{lawyer: licence(p.Lawyer)}
			t.flag(schemas.Duty("assistance:"+p.Service), f, s)
			code, known := helped[p.Service]
			if !known || !inForce(code, f.day()) {
				continue
			}
			t.one(code, f, s.of(p.Person))
			if code == schemas.Opinions && p.Adopted != nil && *p.Adopted {
				t.one(schemas.OpinionsAdopted, f, s)
			}
		case *schemas.ComplaintLodged:
			s := sides{lawyer: licence(p.Lawyer)}
			t.one(schemas.Complaints, f, s)
			t.flag("complaint", f, s)
		case *schemas.ActivityHeld:
			code := schemas.OtherTasks
			if p.Kind == "publicity" {
				code = schemas.PublicitySessions
			}
			s := sides{lawyer: licence(p.Lawyer)}
			t.one(code, f, s)
			t.flag(schemas.Duty("activity:"+p.Kind), f, s)
		case *schemas.TrainingAttendedV2:
			t.add(schemas.TrainingHours, int64(p.Minutes), f, f.day(), sides{lawyer: licence(p.Lawyer)})
		case *schemas.ConductDecided:
			if p.Outcome == "upheld" { // what is dismissed leaves no trace
				t.one(schemas.ConductUpheld, f, sides{lawyer: licence(p.Lawyer)})
			}
		case *schemas.HonourAwarded:
			t.one(schemas.Honours, f, sides{lawyer: licence(p.Lawyer)})
		case *schemas.FeedbackGiven:
			s := sides{lawyer: licence(p.Lawyer)}
			t.one(schemas.FeedbackCount, f, s)
			t.add(schemas.FeedbackScore, int64(p.Score), f, f.day(), s)
		case *schemas.RosterDelivered:
			t.add(schemas.RosterDeliveries, int64(len(p.Receivers)), f, f.day(), sides{})
		case *schemas.MeetingHeld:
			t.one(schemas.JointMeetings, f, sides{})
		}
	}
}

// inForce tells whether the duty a figure counts existed on a day.
func inForce(code schemas.IndicatorCode, day schemas.Day) bool {
	ind, err := schemas.Indicators.Lookup(code)
	return err == nil && day >= ind.Effective
}

// licence is a lawyer's number; what is none is no lawyer.
func licence(text string) schemas.Licence {
	l, err := schemas.ParseLicence(text)
	if err != nil {
		return 0
	}
	return l
}

// person is the number that stands for a pseudonym.
func person(pseudonym string) uint64 {
	if pseudonym == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(pseudonym))
	return binary.BigEndian.Uint64(sum[:])
}
