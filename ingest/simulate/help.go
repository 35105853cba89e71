package simulate

import (
	"zhiban/schemas"
)

// offered are the services given at each kind of station, as often as they are.
var offered = map[schemas.StationKind][]choice[string]{
	schemas.DetentionCentre: {{34, "plea_leniency"}, {28, "meeting"}, {14, "procedure_choice"}, {12, "coercive_measure"}, {8, "opinion"}, {4, "file_review"}},
	schemas.Procuratorate:   {{30, "affidavit"}, {26, "plea_leniency"}, {17, "file_review"}, {17, "opinion"}, {6, "procedure_choice"}, {4, "meeting"}},
	schemas.Court:           {{40, "plea_leniency"}, {22, "procedure_choice"}, {14, "file_review"}, {12, "opinion"}, {8, "affidavit"}, {4, "coercive_measure"}},
}

// helped is how likely a suspect or defendant gets more than an answer.
var helped = map[schemas.StationKind]float64{schemas.DetentionCentre: 0.62, schemas.Procuratorate: 0.8, schemas.Court: 0.5}

var stages = map[schemas.StationKind]string{schemas.DetentionCentre: "investigation", schemas.Procuratorate: "prosecution", schemas.Court: "trial"}

// help makes the legal help that follows a consultation, and now and then a
// complaint, and counts.
func (r *run) help(t tour, who client, ends moment) {
	kind := t.station.kind
	if who.stand != party {
		return
	}
	complains := 0.0018
	if kind == schemas.DetentionCentre {
		complains = 0.008
	}
	if r.chance(complains) {
		r.complaint(t, who, ends)
	}
	at := ends + between(r.dice, 0, hour)
	if at >= r.end || !r.chance(helped[kind]) {
		return
	}
	data := schemas.AssistanceGiven{Lawyer: t.lawyer.Licence, Person: who.pseudonym(), Service: choose(r.dice, offered[kind])}
	if at.day() < laterLaw[data.Service] && !r.chance(0.01) { // rarely the law is ahead of its time
		if r.chance(0.5) {
			return
		}
		data.Service = "plea_leniency"
	}
	if r.chance(0.9) {
		data.Stage = stages[kind]
	}
	if data.Service == "opinion" || data.Service == "coercive_measure" {
		if adopted := r.chance(0.42); r.chance(0.75) {
			data.Adopted = &adopted
		}
	}
	right := entry{at, data}
	_, stands := r.begin(desk{t.station.place, t.station}, assistanceGiven, right, func() entry {
		w := data
		switch r.IntN(4) {
		case 0:
			w.Adopted = nil // not known yet
			if w.Service != "opinion" {
				w.Service = r.not(w.Service, "plea_leniency", "opinion", "meeting", "file_review")
			}
		case 1:
			w.Service = r.not(w.Service, "plea_leniency", "opinion", "meeting", "file_review")
		case 2:
			w.Lawyer = pick(r.dice, t.station.place.team.lawyers).Licence
		default:
			return entry{r.wrongTime(at), w}
		}
		return entry{at, w}
	})
	if stands {
		r.count.assistance(t.station, at, who.id, data)
	}
}

// complaint lodges one on a person's behalf, and counts.
func (r *run) complaint(t tour, who client, at moment) {
	d := desk{t.station.place, t.station}
	data := schemas.ComplaintLodged{
		Lawyer: t.lawyer.Licence, Person: who.pseudonym(), Ground: choose(r.dice, []choice[string]{{2, "torture"}, {5, "illegal_evidence"}, {3, "other"}}),
	}
	f, stands := r.begin(d, complaintLodged, entry{at, data}, func() entry {
		w := data
		w.Lawyer = pick(r.dice, t.station.place.team.lawyers).Licence
		return entry{r.wrongTime(at), w}
	})
	if !stands {
		return
	}
	r.count.complaint(t.station, at, t.lawyer.Licence)
	if r.chance(0.8) {
		closed := officeHours(r.dice, at.day()+between[schemas.Day](r.dice, 10, 75))
		r.follow(f, complaintClosed, entry{closed, schemas.ComplaintClosed{Outcome: choose(r.dice, []choice[string]{{15, "upheld"}, {70, "dismissed"}, {15, "withdrawn"}})}})
	}
}

// scores are how content people are.
var scores = []choice[int]{{58, 5}, {31, 4}, {7, 3}, {2.5, 2}, {1.5, 1}}

// rate asks a person who was helped, now and then.
func (r *run) rate(t tour, ends moment) {
	if at := ends + between(r.dice, 5*minute, 3*oneDay); at < r.end && r.chance(0.08) {
		data := schemas.FeedbackGiven{Respondent: "person", Score: choose(r.dice, scores)}
		if r.chance(0.75) {
			data.Lawyer = t.lawyer.Licence
		}
		r.feedback(t.station, at, data)
	}
}

// feedback writes an opinion, and counts.
func (r *run) feedback(s *station, at moment, data schemas.FeedbackGiven) {
	d := desk{s.place, s}
	if _, stands := r.begin(d, feedbackGiven, entry{at, data}, func() entry {
		w := data
		w.Score = 6 - w.Score // read the wrong way round
		return entry{at, w}
	}); stands {
		r.count.add(d, at, data.Lawyer, feedbackCount, 1)
		r.count.add(d, at, data.Lawyer, feedbackScore, int64(data.Score))
	}
}

// requested is how many requests for help reach the organs a year for ten
// thousand people.
const requested = 3.5

// requests makes the requests for legal help that reach the organs of a place
// on a day, and the calls to a duty lawyer, and counts (三(三)4(4)).
func (r *run) requests(pl *place, day schemas.Day) {
	mean := requested * pl.people / 365 * seasons[day.Month().Number()] * growth(day) * r.config.Scale
	for range r.poisson(mean) {
		o := choose(r.dice, []choice[organ]{{55, organs[0]}, {20, organs[1]}, {25, organs[2]}})
		at := officeHours(r.dice, day)
		if o.host == schemas.DetentionCentre && r.chance(0.3) {
			at = between(r.dice, clock(day, 0, 0), clock(day+1, 0, 0)-1)
		}
		d := desk{pl, pl.at(o.host, day)}
		data := schemas.HelpRequestReceived{Organ: o.name, Person: r.client(pl, party).pseudonym()}
		f, stands := r.begin(d, helpRequestReceived, entry{at, data}, func() entry {
			w := data
			w.Organ = r.not(w.Organ, "police", "procuratorate", "court")
			return entry{pick(r.dice, []moment{at, r.wrongTime(at)}), w}
		})
		if !stands {
			continue
		}
		organ := side{"organ", o.name}
		r.count.add(d, at, "", helpRequests, 1, organ)
		call := at + between(r.dice, 2*minute, choose(r.dice, []choice[moment]{{6, 40 * minute}, {3, 4 * hour}, {1, 30 * hour}}))
		l := pl.team.turn(r.dice, call)
		if r.chance(0.95) && r.follow(f, helpRequestDispatched, entry{call, schemas.HelpRequestDispatched{Lawyer: l.Licence}}) {
			r.count.dispatched(d, at, call, l, organ)
		}
	}
}
