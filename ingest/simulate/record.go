package simulate

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"zhiban/schemas"
)

// run is one pass through the days. Each day makes the cases that begin on it,
// with all their events; an event waits until the day on which it reaches the
// log.
type run struct {
	dice
	config      Config
	province    *province
	start       moment // of the first day
	end         moment // the first that is not simulated
	count       *count
	tours       map[schemas.Day][]tour // planned or otherwise foreseen
	waiting     map[schemas.Day][]line
	lastWaiting schemas.Day // the last day with events waiting
}

// line is an event on its way to the log.
type line struct {
	recorded moment
	event    schemas.Envelope
}

// Events streams the events in log order. Only the days in flight are held in
// memory. Every call begins from the start with the same events; one call at a
// time.
func (s *Simulation) Events() iter.Seq[schemas.Envelope] {
	return func(yield func(schemas.Envelope) bool) {
		r := newRun(s.config)
		s.last = r
		r.register()
		for day := r.config.From - 1; day <= max(r.config.To, r.lastWaiting); day++ {
			if r.config.From <= day && day <= r.config.To {
				r.work(day)
			}
			if !r.flush(day, yield) {
				return
			}
		}
	}
}

func newRun(c Config) *run {
	return &run{
		dice: newDice(c.Seed, 2), config: c, province: newProvince(c), start: clock(c.From, 0, 0), end: clock(c.To+1, 0, 0),
		count: newCount(), tours: map[schemas.Day][]tour{}, waiting: map[schemas.Day][]line{},
	}
}

// flush passes on what reaches the log on a day.
func (r *run) flush(day schemas.Day, yield func(schemas.Envelope) bool) bool {
	lines := r.waiting[day]
	delete(r.waiting, day)
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(lines[a].recorded - lines[b].recorded) })
	for _, i := range order {
		e := lines[i].event
		if r.config.Stamped {
			e.RecordedTime, e.RecordedBy = min(lines[i].recorded, r.end-1).time().UTC().Format(schemas.WireTime), "simulate"
		}
		if !yield(e) {
			return false
		}
	}
	return true
}

// wait queues a line, which cannot reach the log before it is due.
func (r *run) wait(l line) {
	day := l.recorded.day()
	r.waiting[day] = append(r.waiting[day], l)
	r.lastWaiting = max(r.lastWaiting, day)
	r.count.records++
}

// register enters stations, lawyers and contacts: those that are there already
// before the first day, the others when they come.
func (r *run) register() {
	for _, pl := range r.province.places {
		for _, s := range pl.stations {
			if s.registered && s.founded < r.end {
				r.registerStation(s)
			}
		}
		for _, l := range pl.team.lawyers {
			if l.registered && l.enrolled < r.end {
				r.registerLawyer(pl, l)
			}
		}
		for _, organ := range []string{"court", "procuratorate", "police", "justice"} {
			for _, role := range []string{"responsible", "liaison"} {
				if r.chance(0.1) {
					continue // nobody yet
				}
				at := officeHours(r.dice, max(r.config.From-between[schemas.Day](r.dice, 1, 700), pl.division.ValidFrom))
				f := r.open(pl, pl.source, schemas.CaseContact, at)
				f.write(contactAppointed, entry{at, schemas.ContactAppointed{Organ: organ, Role: role, From: at.day().String()}}, max(at, r.start-1))
			}
		}
	}
}

// enter writes an event of the registers; what happened before the first day is
// entered just before it.
func (f file) enter(typ string, right, wrong entry) {
	if right.at >= f.run.end {
		return
	}
	logged := max(right.at, f.run.start-1)
	if f.run.chance(0.01) {
		f.writeMended(typ, right, wrong, logged)
		return
	}
	f.write(typ, right, logged)
}

func (r *run) registerStation(s *station) {
	f := file{r, s.source, false, schemas.CaseStation, "station/" + string(s.code)}
	founded := schemas.StationFounded{
		Code: string(s.code), Kind: string(s.kind), Name: s.name, Location: string(s.location), Reporting: string(s.reporting), Hosts: s.hosts,
	}
	misnamed := founded
	misnamed.Name = stationName("吉林", s.kind)
	f.enter(stationFounded, entry{s.founded, founded}, entry{s.founded, misnamed})
	r.count.station(s)

	posted := entry{officeHours(r.dice, s.founded.day()+between[schemas.Day](r.dice, 1, 20)), schemas.StationNoticed{Items: noticeItems}}
	partly := entry{posted.at, schemas.StationNoticed{Items: noticeItems[:between(r.dice, 2, 4)]}}
	if r.chance(0.15) {
		posted = partly
	}
	if s.closed == 0 || posted.at < s.closed {
		f.enter(stationNoticed, posted, partly)
	}
	if s.closed != 0 {
		closed := schemas.StationClosed{Reason: pick(r.dice, []string{"机构合并", "驻点撤并", "并入邻近工作站"})}
		f.enter(stationClosed, entry{s.closed, closed}, entry{s.closed - between[moment](r.dice, 1, 40)*oneDay, closed})
	}
}

func (r *run) registerLawyer(pl *place, l *lawyer) {
	f := file{r, pl.source, false, schemas.CaseLawyer, "lawyer/" + l.Licence}
	if l.moved == 0 {
		misspelt := l.LawyerEnrolled
		misspelt.Name += "丽"
		f.enter(lawyerEnrolled, entry{l.enrolled, l.LawyerEnrolled}, entry{l.enrolled, misspelt})
	} else {
		f.write(lawyerEnrolled, entry{l.enrolled, l.LawyerEnrolled}, max(l.enrolled, r.start-1))
		wrong := l.to
		wrong.Firm = "吉林省法律援助中心"
		f.enter(lawyerMoved, entry{l.moved, l.to}, entry{l.moved, wrong})
	}
	r.count.lawyer(l)
	left := schemas.LawyerLeft{Reason: pick(r.dice, []string{"转所", "转为专职", "本人申请", ""})}
	switch at := l.enrolled + between[moment](r.dice, 30, 1500)*oneDay; {
	case l.left != 0:
		f.enter(lawyerLeft, entry{l.left, left}, entry{l.left - between[moment](r.dice, 1, 40)*oneDay, left})
	case at < r.end && r.chance(0.01): // it was somebody else who left
		logged := max(at, r.start-1)
		f.void(f.write(lawyerLeft, entry{at, left}, logged), logged+r.untilNoticed())
	}
}

// work makes the cases that begin on a day.
func (r *run) work(day schemas.Day) {
	first := day + ahead
	if day == r.config.From {
		first = day
	}
	for d := first; d <= min(day+ahead, r.config.To); d++ {
		for _, pl := range r.province.places {
			for _, s := range pl.stations {
				r.duties(s, day, d)
			}
		}
	}
	for _, t := range r.tours[day] {
		r.attend(t)
	}
	delete(r.tours, day)
	for _, pl := range r.province.places {
		r.notifications(pl, day, pl == r.province.late)
		r.requests(pl, day)
		r.affairs(pl, day)
	}
}

// growth is the amount of work on a day against that of 2025: 8 % more every
// year.
func growth(day schemas.Day) float64 {
	return math.Pow(1.08, float64(day-schemas.Date(2025, time.July, 1))/365.25)
}

// seasons is the amount of work by month: little around the spring festival.
var seasons = [13]float64{0, 0.92, 0.72, 1.06, 1.04, 1.0, 1.02, 0.97, 0.95, 1.08, 1.02, 1.14, 1.08}

// The event types that are written.
const (
	stationFounded         = "zhiban.station.founded.v1"
	lawyerEnrolled         = "zhiban.lawyer.enrolled.v1"
	shiftSignedIn          = "zhiban.shift.signed_in.v1"
	shiftSignedOut         = "zhiban.shift.signed_out.v1"
	consultationRecorded   = "zhiban.consultation.recorded.v1"
	consultationSigned     = "zhiban.consultation.signed.v1"
	applicationReceived    = "zhiban.application.received.v1"
	applicationTransferred = "zhiban.application.transferred.v1"
	notificationTriggered  = "zhiban.notification.triggered.v1"
	notificationGiven      = "zhiban.notification.given.v1"
	stationNoticed         = "zhiban.station.noticed.v1"
	stationInspected       = "zhiban.station.inspected.v1"
	stationClosed          = "zhiban.station.closed.v1"
	lawyerMoved            = "zhiban.lawyer.moved.v1"
	lawyerLeft             = "zhiban.lawyer.left.v1"
	rosterDelivered        = "zhiban.roster.delivered.v1"
	contactAppointed       = "zhiban.contact.appointed.v1"
	shiftPlanned           = "zhiban.shift.planned.v1"
	applicationGuided      = "zhiban.application.guided.v1"
	applicationRegistered  = "zhiban.application.registered.v1"
	applicationReviewed    = "zhiban.application.reviewed.v1"
	applicationDecided     = "zhiban.application.decided.v1"
	applicationAssigned    = "zhiban.application.assigned.v1"
	assistanceGiven        = "zhiban.assistance.given.v1"
	complaintLodged        = "zhiban.complaint.lodged.v1"
	complaintClosed        = "zhiban.complaint.closed.v1"
	activityHeld           = "zhiban.activity.held.v1"
	helpRequestReceived    = "zhiban.help_request.received.v1"
	helpRequestDispatched  = "zhiban.help_request.dispatched.v1"
	supervisionIssued      = "zhiban.supervision.issued.v1"
	supervisionAnswered    = "zhiban.supervision.answered.v1"
	supervisionClosed      = "zhiban.supervision.closed.v1"
	subsidyAccrued         = "zhiban.subsidy.accrued.v1"
	subsidyPaid            = "zhiban.subsidy.paid.v1"
	trainingAttendedV1     = "zhiban.training.attended.v1"
	trainingAttended       = "zhiban.training.attended.v2"
	conductReported        = "zhiban.conduct.reported.v1"
	conductDecided         = "zhiban.conduct.decided.v1"
	honourAwarded          = "zhiban.honour.awarded.v1"
	feedbackGiven          = "zhiban.feedback.given.v1"
	meetingHeld            = "zhiban.meeting.held.v1"
	matterReported         = "zhiban.matter.reported.v1"
	matterResolved         = "zhiban.matter.resolved.v1"
)

// desk is where something is recorded: a station, or the place itself.
type desk struct {
	place   *place
	station *station // nil: the division records it itself
}

func (d desk) source() string {
	if d.station != nil {
		return d.station.source
	}
	return d.place.source
}

// reporting is the division in whose return it counts.
func (d desk) reporting() schemas.DivisionCode {
	if d.station != nil {
		return d.station.reporting
	}
	return d.place.division.Code
}

// entry is what somebody writes down: when it happened, and what.
type entry struct {
	at   moment
	data any // a payload struct of schemas
}

// file is a case as it is written.
type file struct {
	run     *run
	source  string
	utc     bool
	kind    schemas.CaseKind
	subject string
}

// open begins a case with a new id, at a place whose station, or the place
// itself, is the source.
func (r *run) open(pl *place, source string, kind schemas.CaseKind, at moment) file {
	return file{r, source, pl.utc, kind, string(kind) + "/" + r.newID(at).String()}
}

// id is the case's id without its kind.
func (f file) id() string { return f.subject[len(f.kind)+1:] }

// write writes an event, which reaches the log at recorded, and returns its
// id. Now and then a sender repeats itself.
func (f file) write(typ string, e entry, recorded moment) string {
	data, err := json.Marshal(e.data)
	if err != nil {
		panic(fmt.Sprintf("payload of %s: %v", typ, err)) // plain structs of strings and numbers
	}
	l := line{recorded, schemas.Envelope{
		SpecVersion: "1.0", ID: f.run.newID(e.at).String(), Source: f.source, Type: typ, Subject: f.subject,
		Time: e.at.wire(f.utc), DataContentType: "application/json", Data: data,
	}}
	f.run.count.events++
	f.run.wait(l)
	if f.run.chance(0.002) {
		l.recorded += between(f.run.dice, 1, choose(f.run.dice, []choice[moment]{{8, minute}, {1, hour}, {1, 2 * oneDay}}))
		f.run.wait(l)
	}
	return l.event.ID
}

// correct replaces what target said. The new time is given when it is or was
// in question.
func (f file) correct(target string, now entry, timed bool, recorded moment) string {
	data, err := json.Marshal(now.data)
	if err != nil {
		panic(fmt.Sprintf("corrected payload: %v", err))
	}
	c := schemas.Corrected{Target: target, Data: data, Reason: pick(f.run.dice, []string{"登记有误", "核对签到簿后更正", "补录时选错", "台账复核更正"})}
	if timed {
		c.Time = now.at.wire(f.utc)
	}
	return f.write("zhiban."+string(f.kind)+".corrected.v1", entry{min(recorded, f.run.end-1), c}, recorded)
}

// void takes target out.
func (f file) void(target string, recorded moment) string {
	v := schemas.Voided{Target: target, Reason: pick(f.run.dice, []string{"重复登记", "误登记", "测试记录"})}
	return f.write("zhiban."+string(f.kind)+".voided.v1", entry{min(recorded, f.run.end-1), v}, recorded)
}

// writeMended writes down something wrong that is put right later, in one of
// the ways in which people do that. In the end right stands, in a record that
// was entered at the moment it returns.
func (f file) writeMended(typ string, right, wrong entry, recorded moment) (entered moment) {
	timed := right.at != wrong.at
	half := entry{right.at, wrong.data} // still not quite right
	later := recorded + f.run.untilNoticed()
	again := later + f.run.untilNoticed()
	switch way := f.run.Float64(); {
	case way < 0.70:
		f.correct(f.write(typ, wrong, recorded), right, timed, later)
	case way < 0.78: // corrected twice
		id := f.write(typ, wrong, recorded)
		f.correct(id, half, timed, later)
		f.correct(id, right, timed, again)
	case way < 0.84: // the correction is corrected
		id := f.write(typ, wrong, recorded)
		f.correct(f.correct(id, half, timed, later), right, timed, again)
	case way < 0.90: // corrected although right, and the correction voided
		f.void(f.correct(f.write(typ, right, recorded), wrong, timed, later), again)
	case way < 0.95: // voided and written anew
		f.void(f.write(typ, wrong, recorded), later)
		later += between(f.run.dice, 5, 5*minute)
		f.write(typ, right, later)
		return later
	case way < 0.98: // the correction overtakes what it corrects
		after := recorded + between(f.run.dice, minute, oneDay)
		f.correct(f.write(typ, wrong, after), right, timed, recorded)
		return after
	default: // voided although right, and the void voided
		f.void(f.void(f.write(typ, right, recorded), later), again)
	}
	return recorded
}

// unpractised are the cases of which people seldom write one, and then with
// more mistakes.
var unpractised = map[schemas.CaseKind]bool{
	schemas.CaseRoster: true, schemas.CaseContact: true, schemas.CaseComplaint: true, schemas.CaseSupervision: true,
	schemas.CaseConduct: true, schemas.CaseHonour: true, schemas.CaseMeeting: true, schemas.CaseMatter: true,
}

// begin opens a case with its first event and the mistakes that people make.
// wrong is what somebody might write instead. It returns false when the case is
// one too many and comes to nothing.
func (r *run) begin(d desk, typ string, right entry, wrong func() entry) (file, bool) {
	kind := schemas.CaseKind(strings.Split(typ, ".")[1])
	f := r.open(d.place, d.source(), kind, right.at)
	logged := right.at + r.promptly() + r.daysLate()
	what := r.Float64()
	if unpractised[kind] {
		what /= 4
	}
	switch {
	case what < 0.003: // written down twice: this is the one too many
		f.void(f.write(typ, right, logged), logged+r.untilNoticed())
		return f, false
	case what < 0.004: // the same, and the void is there first
		f.void(f.write(typ, right, logged+between(r.dice, minute, oneDay)), logged)
		return f, false
	case what < 0.015:
		f.writeMended(typ, right, wrong(), logged)
	default:
		f.write(typ, right, logged)
	}
	return f, true
}

// follow writes what happens next in a case, and tells whether it did so
// before the simulation ends and stands in the end.
func (r *run) follow(f file, typ string, e entry) bool {
	if e.at >= r.end {
		return false
	}
	logged := e.at + r.promptly() + r.daysLate()
	id := f.write(typ, e, logged)
	if r.chance(0.003) { // it was meant for another case
		f.void(id, logged+r.untilNoticed())
		return false
	}
	return true
}

// untilNoticed is how long a mistake stands: mostly a day or so, sometimes
// until after the month has been closed.
func (r *run) untilNoticed() moment {
	return between(r.dice, 2*minute, choose(r.dice, []choice[moment]{{5, 8 * hour}, {3, 3 * oneDay}, {2, 35 * oneDay}}))
}

// promptly is how long it takes until an event is in the log.
func (r *run) promptly() moment {
	if r.chance(0.97) {
		return between(r.dice, 2, 3*minute)
	}
	return between(r.dice, minute, 8*hour)
}

// daysLate is what is added when something is only entered on a later day;
// mostly nothing.
func (r *run) daysLate() moment {
	if r.chance(0.975) {
		return 0
	}
	return between[moment](r.dice, 1, 6) * oneDay
}

// newID makes a UUID of version 7 with the time of what it stands for.
func (r *run) newID(at moment) uuid.UUID {
	var id uuid.UUID
	ms := uint64(at)*1000 + r.Uint64N(1000)
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	a, b := r.Uint64(), uint16(r.Uint32())
	id[6], id[7] = 0x70|byte(b>>8)&0x0f, byte(b)
	for i := range 8 {
		id[8+i] = byte(a >> (56 - 8*i))
	}
	id[8] = 0x80 | id[8]&0x3f
	return id
}
