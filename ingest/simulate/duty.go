package simulate

import (
	"fmt"
	"slices"

	"zhiban/schemas"
)

// tour is a lawyer's time on duty at a station.
type tour struct {
	station *station
	lawyer  *lawyer
	mode    string
	in, out moment
	late    moment // how much later than usual its papers are entered
	file    file
	plan    *plan // nil: nobody planned it
}

// plan is a line of the duty plan.
type plan struct {
	lawyer     *lawyer
	mode       string
	start, end moment
}

// ahead is how many days before a shift the plan is made.
const ahead = 4

// duties makes a station's shifts of a day, planned today.
func (r *run) duties(s *station, today, day schemas.Day) {
	if !s.open(day) {
		return
	}
	expected := s.duty[day.Weekday()]
	switch working := schemas.Holidays.Working(day); {
	case !working && s.kind == schemas.DetentionCentre:
		expected = 0.08 * s.duty[1+int(day)%5] // somebody can be called
	case !working:
		return
	case expected == 0 && (day.Weekday() == 0 || day.Weekday() == 6):
		expected = s.duty[1+int(day)%5] // a weekend worked for a holiday
	}
	for range r.some(expected * growth(day)) {
		if t := r.tour(s, day); r.schedule(&t, today) {
			r.tours[day] = append(r.tours[day], t)
		}
	}
}

// schedule writes the line of the duty plan, which most tours have. It returns
// false when the tour was called off.
func (r *run) schedule(t *tour, today schemas.Day) bool {
	if r.chance(0.12) { // not planned, or nobody wrote it down
		t.file = r.open(t.station.place, t.station.source, schemas.CaseShift, t.in)
		return true
	}
	at := min(officeHours(r.dice, today), t.in-between(r.dice, 10*minute, 90*minute))
	t.file = r.open(t.station.place, t.station.source, schemas.CaseShift, at)
	half := func(m moment) moment { return (m + 15*minute) / (30 * minute) * (30 * minute) }
	t.plan = &plan{t.lawyer, t.mode, half(t.in), half(t.out)}
	if r.chance(0.03) { // somebody else comes
		t.plan.lawyer = t.station.place.team.turn(r.dice, t.in)
	}
	if r.chance(0.02) {
		t.plan.mode = r.not(t.mode, "onsite", "phone", "online")
	}
	planned := func(p plan) entry {
		return entry{at, schemas.ShiftPlanned{Lawyer: p.lawyer.Licence, Mode: p.mode, Start: p.start.wire(false), End: p.end.wire(false)}}
	}
	right, logged := planned(*t.plan), at+r.promptly()
	switch what := r.Float64(); {
	case what < 0.008: // called off
		t.file.void(t.file.write(shiftPlanned, right, logged), logged+r.untilNoticed())
		return false
	case what < 0.020:
		wrong := *t.plan
		switch r.IntN(4) {
		case 0:
			wrong.lawyer = pick(r.dice, t.station.place.team.lawyers)
		case 1:
			wrong.mode = r.not(wrong.mode, "onsite", "phone", "online")
		default: // the wrong day, perhaps of another month
			days := pick(r.dice, []moment{-7, -1, 1, 7, 31}) * oneDay
			wrong.start, wrong.end = wrong.start+days, wrong.end+days
		}
		t.file.writeMended(shiftPlanned, right, planned(wrong), logged)
	case what < 0.024: // entered after the sign-in
		t.file.write(shiftPlanned, right, t.out+between(r.dice, minute, 3*oneDay))
	case what < 0.027: // planned twice: the first in the log counts
		t.file.write(shiftPlanned, right, logged)
		again := *t.plan
		again.lawyer = pick(r.dice, t.station.place.team.lawyers)
		t.file.write(shiftPlanned, planned(again), logged+between(r.dice, 1, hour))
	default:
		t.file.write(shiftPlanned, right, logged)
	}
	return true
}

// attend makes what becomes of a tour on its day.
func (r *run) attend(t tour) {
	attended := false
	if t.plan == nil || !r.chance(0.018) { // otherwise nobody comes
		attended = r.shift(t)
	}
	if t.plan != nil {
		r.count.plan(t.station, *t.plan, attended)
	}
	if attended {
		t.lawyer.shifts++
		r.consultations(t, t.file.id())
	}
}

// tour decides who is on duty when, and how.
func (r *run) tour(s *station, day schemas.Day) tour {
	about := func(h, m int) moment { return clock(day, h, m) + moment(r.NormFloat64()*float64(6*minute)) }
	t := tour{station: s, in: about(8, 30), out: about(16, 30), late: r.daysLate()}
	switch kind := r.Float64(); {
	case kind < 0.15:
		t.out = about(11, 35)
	case kind < 0.26:
		t.in = about(13, 25)
	case kind < 0.275 && s.kind == schemas.DetentionCentre: // through the night
		t.in, t.out = about(20, 30), about(20, 30)+12*hour
	}
	team := &s.place.team
	if s.remote > 0.3 && len(s.place.near) > 0 && r.chance(0.12) {
		team = &pick(r.dice, s.place.near).team // sent from nearby (三(四)3(2))
	}
	t.lawyer = team.turn(r.dice, t.in)
	if own := r.province.own; own != nil && own.station == s && own.lawyer.there(t.in) && r.chance(0.4) {
		t.lawyer = own.lawyer
	}
	t.mode = "onsite"
	if r.chance(s.remote) {
		t.mode = choose(r.dice, []choice[string]{{65, "phone"}, {35, "online"}})
	}
	return t
}

// shift writes the sign-in book and counts. It returns false when the lawyer
// was not there after all.
func (r *run) shift(t tour) (attended bool) {
	f := t.file
	badge := !r.chance(0.04)
	data := schemas.ShiftSignedIn{Lawyer: t.lawyer.Licence, Mode: t.mode, Badge: &badge}
	in, out := entry{t.in, data}, entry{t.out, schemas.ShiftSignedOut{Lawyer: t.lawyer.Licence}}
	inLogged, outLogged := t.in+r.promptly()+t.late, t.out+r.promptly()+t.late
	if t.out >= r.end {
		f.write(shiftSignedIn, in, inLogged) // still on duty when the simulation ends
		r.count.shift(t.station, t.in, nil, t.lawyer, t.mode)
		return true
	}

	signedOut := &t.out
	switch what := r.Float64(); {
	case what < 0.003: // nobody was on duty
		idIn := f.write(shiftSignedIn, in, inLogged)
		idOut := f.write(shiftSignedOut, out, outLogged)
		f.void(idIn, outLogged+r.untilNoticed())
		f.void(idOut, outLogged+r.untilNoticed())
		return false
	case what < 0.004: // the same, and the void overtakes the sign-in
		idIn := f.write(shiftSignedIn, in, inLogged+oneDay)
		f.void(idIn, inLogged)
		return false
	case what < 0.005: // the sign-in is void, its sign-out has been forgotten
		idIn := f.write(shiftSignedIn, in, inLogged)
		f.write(shiftSignedOut, out, outLogged)
		f.void(idIn, outLogged+r.untilNoticed())
		return false
	case what < 0.009: // signed in twice: the first in the log counts
		again := entry{t.in + between(r.dice, -5*minute, 15*minute), data}
		f.write(shiftSignedIn, in, inLogged)
		f.write(shiftSignedIn, again, max(inLogged, again.at)+between(r.dice, 1, 20*minute))
		f.write(shiftSignedOut, out, outLogged)
	case what < 0.012: // signed out twice
		f.write(shiftSignedIn, in, inLogged)
		f.write(shiftSignedOut, out, outLogged)
		f.write(shiftSignedOut, entry{min(t.out+between(r.dice, 1, 40*minute), r.end-1), out.data}, outLogged+hour)
	case what < 0.018: // the sign-out reaches the log first
		f.write(shiftSignedOut, out, outLogged)
		f.write(shiftSignedIn, in, outLogged+between(r.dice, 1, 30*minute))
	case what < 0.032: // nobody signed out
		f.write(shiftSignedIn, in, inLogged)
		signedOut = nil
	case what < 0.036: // the sign-out was forgotten and entered days later
		f.write(shiftSignedIn, in, inLogged)
		f.write(shiftSignedOut, out, outLogged+between[moment](r.dice, 1, 20)*oneDay)
	case what < 0.045: // something was wrong in the sign-in
		f.writeMended(shiftSignedIn, in, r.wrongSignIn(t, data), inLogged)
		f.write(shiftSignedOut, out, outLogged)
	case what < 0.050: // the hour of the sign-out was wrong, perhaps before the sign-in
		f.write(shiftSignedIn, in, inLogged)
		f.writeMended(shiftSignedOut, out, entry{max(t.out-between[moment](r.dice, 1, 10)*hour, r.start), out.data}, outLogged)
	case what < 0.052: // a clock was wrong and nobody noticed: out before in is not out
		f.write(shiftSignedIn, in, inLogged)
		f.write(shiftSignedOut, entry{max(t.in-between(r.dice, 10*minute, 9*hour), r.start), out.data}, outLogged)
		signedOut = nil
	default:
		f.write(shiftSignedIn, in, inLogged)
		f.write(shiftSignedOut, out, outLogged)
	}
	r.count.shift(t.station, t.in, signedOut, t.lawyer, t.mode)
	return true
}

// wrongSignIn is a sign-in with one thing wrong.
func (r *run) wrongSignIn(t tour, data schemas.ShiftSignedIn) entry {
	wrong := entry{at: t.in}
	switch r.IntN(5) {
	case 0, 1:
		data.Mode = r.not(t.mode, "onsite", "phone", "online")
	case 2, 3:
		data.Lawyer = pick(r.dice, t.station.place.team.lawyers).Licence
	default:
		wrong.at = r.wrongTime(t.in)
	}
	wrong.data = data
	return wrong
}

// wrongTime is a time as it is mistaken: an hour or a whole month early.
func (r *run) wrongTime(at moment) moment {
	wrong := at - between[moment](r.dice, 1, 3)*hour
	if r.chance(0.4) {
		wrong = at - 31*oneDay
	}
	return max(wrong, r.start)
}

// not is one of the values that is not right.
func (r *run) not(right string, values ...string) string {
	return pick(r.dice, slices.DeleteFunc(values, func(v string) bool { return v == right }))
}

// demand is how likely people come in an hour of the day.
var demand = [24]float64{0.1, 0.1, 0, 0, 0, 0, 0.1, 0.2, 0.6, 1, 1, 0.8, 0.2, 0.7, 0.9, 0.8, 0.5, 0.3, 0.3, 0.3, 0.4, 0.4, 0.3, 0.2}

// consultations makes what happens during a tour.
func (r *run) consultations(t tour, shift string) {
	whole := min(float64(t.out-t.in)/float64(8*hour), 1)
	for range r.poisson(t.station.visits * whole * seasons[t.in.day().Month().Number()]) {
		at := between(r.dice, t.in+5*minute, t.out-10*minute)
		for try := 0; try < 6 && !r.chance(demand[at.hourOfDay()]); try++ {
			at = between(r.dice, t.in+5*minute, t.out-10*minute)
		}
		if at < r.end {
			r.consultation(t, shift, at)
		}
	}
}

// who comes to each kind of station, in which role.
var visitors = map[schemas.StationKind][]choice[stand]{
	schemas.DetentionCentre: {{88, party}, {9, relative}, {3, other}},
	schemas.Court:           {{36, party}, {42, relative}, {22, other}},
	schemas.Procuratorate:   {{48, party}, {36, relative}, {16, other}},
}

// role is the word for a person's stand at a station: a suspect becomes a
// defendant when the case comes to court.
func (r *run) role(s stand, at schemas.StationKind) string {
	switch {
	case s == relative:
		return "relative"
	case s == other:
		return "other"
	case at == schemas.Court, at == schemas.DetentionCentre && r.chance(0.2):
		return "defendant"
	}
	return "suspect"
}

// channel is how a person is spoken to.
func channel(t tour, who client) string {
	switch {
	case t.mode != "onsite":
		return t.mode // phone and online are channels too
	case t.station.kind == schemas.DetentionCentre && who.stand == party:
		return "in_custody"
	}
	return "visit"
}

// consultation writes a line of the ledger, its signature and perhaps an
// application, and counts.
func (r *run) consultation(t tour, shift string, at moment) {
	kind := t.station.kind
	who := r.client(t.station.place, choose(r.dice, visitors[kind]))
	minutes := 5 + min(int(r.ExpFloat64()*17), 100)
	data := schemas.ConsultationRecorded{
		Lawyer: t.lawyer.Licence, Channel: channel(t, who), Person: who.pseudonym(), PersonRole: r.role(who.stand, kind),
		Shift: shift, Topics: []string{pick(r.dice, topics[kind])}, Minutes: &minutes, GuidedToApply: r.chance(0.22),
	}
	if second := pick(r.dice, topics[kind]); second != data.Topics[0] && r.chance(0.25) {
		data.Topics = append(data.Topics, second)
	}
	if data.Channel == "visit" && r.chance(0.06) {
		data.Channel = "phone"
	}
	if who.stand == party {
		defended := r.chance(0.03)
		data.HasDefender = &defended
	}
	if r.chance(0.1) {
		data.Question, data.Answer = spoken(r.dice, data.Topics[0])
	}
	if r.chance(0.004) {
		data.Shift = r.newID(t.in).String() // that of a paper which was lost
	}
	ends := at + moment(minutes)*minute
	logged := ends + r.promptly() + t.late
	if t.late == 0 {
		logged += r.daysLate()
	}
	right := entry{at, data}
	f := r.open(t.station.place, t.station.source, schemas.CaseConsultation, at)

	switch what := r.Float64(); {
	case what < 0.003: // written down twice: this is the line too many
		f.void(f.write(consultationRecorded, right, logged), logged+r.untilNoticed())
		return
	case what < 0.004: // the same, and the void is there first
		f.void(f.write(consultationRecorded, right, logged+between(r.dice, minute, oneDay)), logged)
		return
	case what < 0.016:
		logged = f.writeMended(consultationRecorded, right, r.wrongConsultation(t, right, logged), logged)
	case what < 0.017: // the desk's clock is ahead: it is in the log before it happens
		logged = max(at-between(r.dice, 2*minute, 3*hour), r.start-1)
		f.write(consultationRecorded, right, logged)
	default:
		f.write(consultationRecorded, right, logged)
	}
	r.count.consultation(t.station, data, at, who.id, r.sign(f, t, ends), r.config.Stamped && min(logged, r.end-1) > at+oneDay)

	if ends >= r.end {
		return
	}
	if data.GuidedToApply {
		r.guide(t, who, ends)
	}
	r.help(t, who, ends)
	r.rate(t, ends)
}

// wrongConsultation is a ledger line with one thing wrong.
func (r *run) wrongConsultation(t tour, right entry, logged moment) entry {
	at, data := right.at, right.data.(schemas.ConsultationRecorded)
	switch r.IntN(9) {
	case 0:
		data.PersonRole = r.not(data.PersonRole, "suspect", "defendant", "relative", "other")
	case 1:
		data.Channel = r.not(data.Channel, "visit", "phone", "online", "in_custody")
	case 2:
		data.Person = client{id: r.newPerson()}.pseudonym()
	case 3:
		data.GuidedToApply = !data.GuidedToApply
	case 4:
		data.Lawyer = pick(r.dice, t.station.place.team.lawyers).Licence
	case 5:
		minutes := *data.Minutes * 10
		data.Minutes = &minutes
	case 6:
		if data.HasDefender != nil {
			defended := !*data.HasDefender
			data.HasDefender = &defended
		}
	case 7:
		at = min(logged, r.end) - minute // dated when it was entered, perhaps next month
	default:
		at = r.wrongTime(at)
	}
	return entry{at, data}
}

// sign puts the lawyer's signature under a line, mostly when the tour is over,
// and tells whether it is there in the end.
func (r *run) sign(f file, t tour, ends moment) bool {
	at := max(t.out, ends) + between(r.dice, 0, 25*minute)
	switch what := r.Float64(); {
	case what < 0.035:
		return false
	case what < 0.08:
		at += between[moment](r.dice, 1, 12) * oneDay
	case what < 0.55:
		at = ends + between(r.dice, 0, 5*minute)
	}
	if at >= r.end {
		return false
	}
	signature := entry{at, schemas.ConsultationSigned{Lawyer: t.lawyer.Licence}}
	id := f.write(consultationSigned, signature, at+r.promptly()+t.late)
	switch what := r.Float64(); {
	case what < 0.002: // the lawyer takes it back
		f.void(id, at+t.late+9*hour+r.untilNoticed())
		return false
	case what < 0.004: // signed twice
		f.write(consultationSigned, signature, at+r.promptly()+t.late)
	}
	return true
}

// number makes a document's number.
func (r *run) number(what string, at moment) string {
	return fmt.Sprintf("%s %d-%d", what, at.day().Year(), 1+r.IntN(2000))
}
