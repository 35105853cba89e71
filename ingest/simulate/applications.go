package simulate

import (
	"zhiban/schemas"
)

// guide makes what follows when a person was guided to apply for legal aid:
// often an application, sometimes only the note that they were told.
func (r *run) guide(t tour, who client, ends moment) {
	applies, noted := r.chance(0.45), r.chance(0.35)
	at := ends + between(r.dice, 0, 30*minute)
	if applies && at < r.end {
		r.application(t, who, ends, at, noted)
		return
	}
	if noted {
		f := r.open(t.station.place, t.station.source, schemas.CaseApplication, ends)
		f.write(applicationGuided, entry{ends, schemas.ApplicationGuided{Lawyer: t.lawyer.Licence, Person: who.pseudonym()}}, ends+r.promptly()+t.late)
	}
}

// application writes an application for legal aid and what becomes of it, and
// counts.
func (r *run) application(t tour, who client, told, at moment, noted bool) {
	data := schemas.ApplicationReceived{
		Lawyer: t.lawyer.Licence, Person: who.pseudonym(),
		InCustody: who.stand == party && (t.station.kind == schemas.DetentionCentre || r.chance(0.3)),
	}
	right, logged := entry{at, data}, at+r.promptly()+t.late
	f := r.open(t.station.place, t.station.source, schemas.CaseApplication, told)
	if noted {
		f.write(applicationGuided, entry{told, schemas.ApplicationGuided{Lawyer: t.lawyer.Licence, Person: who.pseudonym()}}, told+r.promptly()+t.late)
	}
	switch what := r.Float64(); {
	case what < 0.004: // entered by mistake
		f.void(f.write(applicationReceived, right, logged), logged+r.untilNoticed())
		return
	case what < 0.016:
		wrong := right
		switch w := data; r.IntN(3) {
		case 0:
			w.InCustody = !w.InCustody
			wrong.data = w
		case 1:
			w.Person = client{id: r.newPerson()}.pseudonym()
			wrong.data = w
		default:
			wrong.at = r.wrongTime(at)
		}
		f.writeMended(applicationReceived, right, wrong, logged)
	case what < 0.020: // received twice: the first in the log counts
		f.write(applicationReceived, right, logged)
		f.write(applicationReceived, entry{min(at+30*minute, r.end-1), data}, logged+hour)
	default:
		f.write(applicationReceived, right, logged)
	}
	if r.chance(0.95) {
		r.follow(f, applicationRegistered, entry{at + between(r.dice, 2*minute, hour), schemas.ApplicationRegistered{Lawyer: t.lawyer.Licence, Number: r.number("登", at)}})
	}
	if r.chance(0.93) {
		review := schemas.ApplicationReviewed{Lawyer: t.lawyer.Licence, Outcome: choose(r.dice, []choice[string]{{91, "fit"}, {3, "unfit"}, {6, "incomplete"}})}
		r.follow(f, applicationReviewed, entry{at + between(r.dice, 5*minute, 2*hour), review})
	}

	var passedOn *moment
	var out outcome
	by := t.lawyer
	if when, ok := r.transferTime(at); ok && when < r.end {
		passedOn = &when
		if r.chance(0.15) {
			by = t.station.place.team.turn(r.dice, when)
		}
		passing := entry{when, schemas.ApplicationTransferred{Lawyer: by.Licence, Agency: t.station.place.name + "法律援助中心"}}
		if logged := when + r.promptly() + t.late; r.chance(0.01) {
			wrong := passing
			wrong.at = r.wrongTime(when)
			f.writeMended(applicationTransferred, passing, wrong, logged)
		} else {
			f.write(applicationTransferred, passing, logged)
		}
		out = r.decide(f, t, when)
	}
	r.count.application(t.station, at, t.lawyer, passedOn, by, out)
}

// transferTime is when an application goes to the legal aid centre: mostly
// within hours, as the law asks (法律援助法第39条).
func (r *run) transferTime(received moment) (moment, bool) {
	switch what := r.Float64(); {
	case what < 0.80:
		return received + between(r.dice, 5*minute, 6*hour), true
	case what < 0.93:
		return received + between(r.dice, 6*hour, oneDay-1), true
	case what < 0.935:
		return received + oneDay + between[moment](r.dice, 0, 1), true // to the second, or one too late
	case what < 0.98:
		return received + oneDay + between(r.dice, hour, 5*oneDay), true
	}
	return 0, false
}

// outcome is what the legal aid centre made of an application.
type outcome struct {
	decided  *moment
	refused  bool
	assigned *moment
	to       *lawyer
}

// decide writes the centre's decision on an application it was passed, and the
// lawyer it assigns.
func (r *run) decide(f file, t tour, passedOn moment) (out outcome) {
	at := officeHours(r.dice, passedOn.day()+between[schemas.Day](r.dice, 1, 7))
	if at >= r.end || !r.chance(0.97) {
		return out
	}
	out.refused = r.chance(0.12)
	decision := func(refused bool) entry {
		word := map[bool]string{false: "accepted", true: "refused"}[refused]
		return entry{at, schemas.ApplicationDecided{Agency: t.station.place.name + "法律援助中心", Outcome: word}}
	}
	if r.chance(0.008) {
		f.writeMended(applicationDecided, decision(out.refused), decision(!out.refused), at+r.promptly())
	} else if !r.follow(f, applicationDecided, decision(out.refused)) {
		return out
	}
	out.decided = &at

	assigned := officeHours(r.dice, at.day()+between[schemas.Day](r.dice, 1, 3))
	if out.refused || assigned >= r.end || !r.chance(0.95) {
		return out
	}
	team := &t.station.place.team
	out.to = team.turn(r.dice, assigned)
	for try := 0; try < 20 && out.to == t.lawyer; try++ {
		out.to = team.turn(r.dice, assigned)
	}
	own := r.province.own
	if again := r.chance(0.01); again || own != nil && own.lawyer == t.lawyer && own.station == t.station && r.chance(0.8) {
		out.to = t.lawyer
	}
	right := entry{assigned, schemas.ApplicationAssigned{Lawyer: out.to.Licence}}
	if r.chance(0.012) {
		wrong := entry{assigned, schemas.ApplicationAssigned{Lawyer: pick(r.dice, []*lawyer{t.lawyer, pick(r.dice, team.lawyers)}).Licence}}
		f.writeMended(applicationAssigned, right, wrong, assigned+r.promptly())
	} else if !r.follow(f, applicationAssigned, right) {
		return out
	}
	out.assigned = &assigned
	return out
}
