package simulate

import (
	"slices"

	"zhiban/schemas"
)

// duty to notify: an organ's part in the work of a place.
type organ struct {
	name     string
	share    float64
	triggers []choice[string]
	custody  float64 // share of people in custody
	host     schemas.StationKind
}

var organs = []organ{
	{"police", 0.50, []choice[string]{{60, "interrogation"}, {40, "coercive_measure"}}, 0.70, schemas.DetentionCentre},
	{"procuratorate", 0.23, []choice[string]{{1, "review"}}, 0.55, schemas.Procuratorate},
	{"court", 0.27, []choice[string]{{97, "accepted"}, {3, "retrial"}}, 0.45, schemas.Court},
	{"state_security", 0.002, []choice[string]{{1, "interrogation"}}, 0.9, schemas.DetentionCentre},
}

// notices is how many duties to notify arise a year for ten thousand people.
const notices = 11

// notifications makes the duties to notify that arise in a place on a day. An
// organ's are entered at the station it hosts; where it hosts none yet, by the
// division itself.
func (r *run) notifications(pl *place, day schemas.Day, lateCourt bool) {
	working := schemas.Holidays.Working(day)
	for _, o := range organs {
		a := notice{desk{pl, pl.at(o.host, day)}, o, 0.035}
		if lateCourt && o.name == "court" {
			a.late = 0.45
		}
		mean := notices * pl.people * o.share / 365 * seasons[day.Month().Number()] * growth(day) * r.config.Scale
		switch investigates := o.host == schemas.DetentionCentre; {
		case !investigates && !working:
			continue
		case !investigates:
			mean *= 365.0 / 247
		case o.name == "state_security" && pl.centre != nil:
			continue
		}
		for range r.poisson(mean) {
			r.notify(a, day)
		}
	}
}

// notice is where duties to notify arise.
type notice struct {
	desk
	organ organ
	late  float64 // how likely it is late
}

// given is a notice that was given.
type given struct {
	at        moment
	evidenced bool
}

// notify makes one duty, and what becomes of it, and counts.
func (r *run) notify(n notice, day schemas.Day) {
	at := officeHours(r.dice, day)
	if n.organ.host == schemas.DetentionCentre && r.chance(0.25) {
		at = between(r.dice, clock(day, 0, 0), clock(day+1, 0, 0)-1) // investigation does not keep hours
	}
	who := r.client(n.place, party)
	data := schemas.NotificationTriggered{
		Organ: n.organ.name, Trigger: choose(r.dice, n.organ.triggers), Person: who.pseudonym(), InCustody: r.chance(n.organ.custody),
	}
	right, logged := entry{at, data}, at+r.promptly()+r.daysLate()
	f := r.open(n.place, n.source(), schemas.CaseNotification, at)
	arose := true
	switch what := r.Float64(); {
	case what < 0.003: // entered by mistake; what follows hangs in the air
		f.void(f.write(notificationTriggered, right, logged), logged+r.untilNoticed())
		arose = false
	case what < 0.012:
		wrong := right
		if w := data; r.chance(0.5) {
			w.InCustody = !w.InCustody
			wrong.data = w
		} else {
			wrong.at = r.wrongTime(at)
		}
		f.writeMended(notificationTriggered, right, wrong, logged)
	case what < 0.017: // entered after the notice
		f.write(notificationTriggered, right, logged+between[moment](r.dice, 1, 5)*oneDay)
	default:
		f.write(notificationTriggered, right, logged)
	}
	last := lastDay(n.organ.name, at.day(), data.InCustody)
	notices := r.give(f, n, at, last)
	if !arose {
		return
	}
	r.count.notification(n, at, data.InCustody, notices)
	kept := func(g given) bool { return g.evidenced && g.at.day() <= last }
	if n.organ.name != "procuratorate" && !slices.ContainsFunc(notices, kept) && r.chance(0.25) {
		about := f.id()
		if r.chance(0.04) {
			about = r.newID(at).String() // one that nobody recorded
		}
		r.supervise(n.place, last, schemas.SupervisionIssued{Organ: n.organ.name, Kind: "not_notified", Notification: about})
	}
}

// supervise makes the procuratorate's opinion on what an organ failed to do,
// and what the organ does about it, and counts (三(三)4(5)).
func (r *run) supervise(pl *place, failed schemas.Day, data schemas.SupervisionIssued) {
	at := officeHours(r.dice, failed+between[schemas.Day](r.dice, 1, 14))
	if at >= r.end {
		return
	}
	d := desk{pl, pl.at(schemas.Procuratorate, at.day())}
	f, stands := r.begin(d, supervisionIssued, entry{at, data}, func() entry {
		w := data
		w.Organ = r.not(data.Organ, "police", "court", "state_security")
		return entry{at, w}
	})
	if !stands {
		return
	}
	organ := side{"organ", data.Organ}
	r.count.add(d, at, "", correctionsIssued, 1, organ)
	answer := officeHours(r.dice, at.day()+between[schemas.Day](r.dice, 2, 20))
	if !r.chance(0.88) || !r.follow(f, supervisionAnswered, entry{answer, schemas.SupervisionAnswered{Accepted: r.chance(0.93)}}) {
		return
	}
	r.count.add(d, at, "", correctionsAnswered, 1, organ)
	closed := officeHours(r.dice, answer.day()+between[schemas.Day](r.dice, 1, 30))
	if r.chance(0.9) && r.follow(f, supervisionClosed, entry{closed, schemas.SupervisionClosed{Outcome: choose(r.dice, []choice[string]{{93, "corrected"}, {7, "not_corrected"}})}}) {
		r.count.add(d, at, "", correctionsClosed, 1, organ)
	}
}

// give writes the notices that are given for a duty that arose at some moment
// and must be met by the end of the last day.
func (r *run) give(f file, n notice, arose moment, last schemas.Day) (all []given) {
	write := func(g given) {
		if g.at >= r.end {
			return
		}
		form := choose(r.dice, []choice[string]{{55, "written"}, {42, "oral"}, {3, "phone"}})
		document := map[string]string{"written": "送达回执", "oral": "告知笔录", "phone": "电话记录"}[form]
		full := schemas.NotificationGiven{Form: form, Evidence: r.number(document, g.at)}
		bare := schemas.NotificationGiven{Form: form}
		logged := g.at + r.promptly() + r.daysLate()
		switch right := (entry{g.at, full}); {
		case !g.evidenced:
			f.write(notificationGiven, entry{g.at, bare}, logged)
		case r.chance(0.015): // the document is only put into the file later
			f.writeMended(notificationGiven, right, entry{g.at, bare}, logged)
		default:
			f.write(notificationGiven, right, logged)
		}
		all = append(all, g)
	}
	end := clock(last+1, 0, 0)
	// In time: soon after the duty arose, mostly in office hours.
	soon := min(officeHours(r.dice, between(r.dice, arose.day(), last)), end-1)
	if soon < arose {
		soon = min(arose+between(r.dice, 0, 4*hour), end-1)
	}
	tardy := officeHours(r.dice, last+between[schemas.Day](r.dice, 1, 9))

	if r.chance(n.late) {
		if r.chance(0.05) {
			tardy = end // a second too late
		}
		write(given{tardy, true})
		return all
	}
	switch what := r.Float64(); {
	case what < 0.005:
		write(given{end - 1, true}) // in the last second
	case what < 0.02: // never
	case what < 0.04:
		write(given{soon, false})
	case what < 0.045: // without evidence, then once more with it, but late
		write(given{soon, false})
		write(given{tardy, true})
	case what < 0.055: // told twice; the second may reach the log first
		write(given{soon, true})
		write(given{tardy, r.chance(0.7)})
	default:
		write(given{soon, true})
	}
	return all
}

// lastDay is the last day on which an organ may still notify, as the rules say
// it (三(三)4(4)): investigation organs on the day itself; the others within
// three days, not counting the first, and when the third is not worked and the
// person is free, on the next day that is.
func lastDay(organ string, arose schemas.Day, inCustody bool) schemas.Day {
	switch organ {
	case "procuratorate", "court":
		third := arose + 3
		if inCustody {
			return third
		}
		for !schemas.Holidays.Working(third) {
			third++
		}
		return third
	default:
		return arose
	}
}
