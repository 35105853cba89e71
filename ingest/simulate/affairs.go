package simulate

import (
	"fmt"
	"slices"

	"zhiban/schemas"
)

// affairs makes what a legal aid centre, its bureau and its organs do beside
// the daily duty, and counts.
func (r *run) affairs(pl *place, day schemas.Day) {
	if (day + 1).Month() != day.Month() {
		r.subsidies(pl, day)
	}
	if !schemas.Holidays.Working(day) {
		return
	}
	// now is true on so many working days a year.
	now := func(aYear float64) bool { return r.chance(aYear / 247) }
	busy := min(r.config.Scale, 1)
	for _, s := range pl.stations {
		if !s.open(day) || !s.registered {
			continue
		}
		if now(1.5) {
			r.inspect(s, day)
		}
		if now(0.5) {
			f := file{r, s.source, pl.utc, schemas.CaseStation, "station/" + string(s.code)}
			r.follow(f, stationNoticed, entry{officeHours(r.dice, day), schemas.StationNoticed{Items: noticeItems}})
		}
		if now(2) {
			r.feedback(s, officeHours(r.dice, day), schemas.FeedbackGiven{
				Respondent: choose(r.dice, []choice[string]{{4, "court"}, {3, "procuratorate"}, {3, "police"}}), Score: choose(r.dice, scores),
			})
		}
		if now(7 * busy) {
			r.activity(desk{pl, s}, day, "publicity")
		}
		if now(8 * busy) {
			r.activity(desk{pl, s}, day, "other_task")
		}
	}
	if now(2) {
		r.activity(desk{pl, nil}, day, "publicity")
	}
	if now(2) {
		r.roster(pl, day)
	}
	if now(1.5) {
		appointed := schemas.ContactAppointed{
			Organ: pick(r.dice, []string{"court", "procuratorate", "police", "justice"}), Role: pick(r.dice, []string{"responsible", "liaison"}), From: day.String(),
		}
		at := officeHours(r.dice, day)
		r.begin(desk{pl, nil}, contactAppointed, entry{at, appointed}, func() entry {
			w := appointed
			w.Role = r.not(w.Role, "responsible", "liaison")
			return entry{at, w}
		})
	}
	if now(2.5) {
		r.train(pl, day)
	}
	if now(2.5) {
		r.meet(pl, day)
	}
	if now(1.2) {
		r.matter(pl, day)
	}
	if now(0.4) {
		r.conduct(pl, day)
	}
	if now(0.9) {
		r.honour(pl, day)
	}
	if now(0.3) {
		r.supervise(pl, day, schemas.SupervisionIssued{
			Organ: pick(r.dice, []string{"police", "court", "justice"}), Kind: pick(r.dice, []string{"not_appointed", "other"}),
		})
	}
}

// noticeItems are the items that a station must post (三(一)2).
var noticeItems = []string{"scope", "cases", "duties", "lawyers", "contact"}

// furnished is what a station must have (三(一)3).
var furnished = []string{"room", "desks", "computer", "printer", "copier", "signs", "plate", "material"}

func (r *run) inspect(s *station, day schemas.Day) {
	at := officeHours(r.dice, day)
	found := schemas.StationInspected{Met: slices.Clone(furnished)}
	if r.chance(0.2) {
		for range between(r.dice, 1, 3) {
			i := r.IntN(len(found.Met))
			found.Missing = append(found.Missing, found.Met[i])
			found.Met = slices.Delete(found.Met, i, i+1)
		}
	}
	f := file{r, s.source, s.place.utc, schemas.CaseStation, "station/" + string(s.code)}
	right, logged := entry{at, found}, at+r.promptly()+r.daysLate()
	switch what := r.Float64(); {
	case what < 0.02: // entered twice
		f.void(f.write(stationInspected, right, logged), logged+r.untilNoticed())
		return
	case what < 0.05: // the list was not complete
		wrong := schemas.StationInspected{Met: furnished[:4], Missing: furnished[4:]}
		f.writeMended(stationInspected, right, entry{r.wrongTime(at), wrong}, logged)
	default:
		f.write(stationInspected, right, logged)
	}
	d := desk{s.place, s}
	r.count.add(d, at, "", inspections, 1)
	if len(found.Missing) == 0 {
		r.count.add(d, at, "", inspectionsMet, 1)
	}
}

// activity is publicity or a task of the centre, by a lawyer or by nobody in
// particular.
func (r *run) activity(d desk, day schemas.Day, kind string) {
	at := officeHours(r.dice, day)
	data := schemas.ActivityHeld{Kind: kind}
	figure := otherTasks
	if kind == "publicity" {
		audience := 10 + int(r.ExpFloat64()*40)
		data.Audience, figure = &audience, publicitySessions
	}
	if d.station != nil && r.chance(0.8) {
		data.Lawyer = d.place.team.turn(r.dice, at).Licence
	}
	if _, stands := r.begin(d, activityHeld, entry{at, data}, func() entry {
		w := data
		w.Kind = r.not(kind, "publicity", "other_task")
		return entry{at, w}
	}); stands {
		r.count.add(d, at, data.Lawyer, figure, 1)
	}
}

// roster sends a new version of the roster to organs (三(二)3).
func (r *run) roster(pl *place, day schemas.Day) {
	at := officeHours(r.dice, day)
	pl.rosters++
	receivers := []string{"court", "procuratorate", "police"}
	if r.chance(0.25) {
		receivers = receivers[:between(r.dice, 1, 2)]
	}
	data := schemas.RosterDelivered{Version: fmt.Sprintf("%d-%d", day.Year(), pl.rosters), Receivers: receivers}
	d := desk{pl, nil}
	if _, stands := r.begin(d, rosterDelivered, entry{at, data}, func() entry {
		w := data
		w.Receivers = []string{"police"}
		return entry{r.wrongTime(at), w}
	}); stands {
		r.count.add(d, at, "", rosterDeliveries, int64(len(receivers)))
	}
}

// train holds a day of training (三(四)3(3)): three hours and a half in the
// morning, two and a half after noon, so that a day is whole hours.
func (r *run) train(pl *place, day schemas.Day) {
	topic := pick(r.dice, []string{"duties", "services", "discipline", "procedure", "other"})
	morning, afternoon := clock(day, 12, 0), clock(day, 16, 30)
	for _, l := range pl.team.lawyers {
		if l.there(clock(day, 8, 0)) && r.chance(0.6) {
			r.session(pl, l, morning, topic, 210)
			r.session(pl, l, afternoon, topic, 150)
			r.count.trained(pl, morning, l, 6)
		}
	}
}

// session writes that a lawyer attended. Places with old software write the
// first version of the event, in hours.
func (r *run) session(pl *place, l *lawyer, ends moment, topic string, minutes int) {
	v2 := func(at moment, minutes int) entry {
		return entry{at, schemas.TrainingAttendedV2{Lawyer: l.Licence, Topic: topic, Minutes: minutes, Organiser: pl.name + "司法局"}}
	}
	version, typ := v2, trainingAttended
	if pl.old {
		typ = trainingAttendedV1
		version = func(at moment, minutes int) entry {
			return entry{at, schemas.TrainingAttended{Lawyer: l.Licence, Topic: topic, Hours: float64(minutes) / 60}}
		}
	}
	wrong := func() entry {
		return version(pick(r.dice, []moment{ends, r.wrongTime(ends)}), pick(r.dice, []int{30, 60, 240, 750}))
	}
	if pl.old && r.chance(0.01) { // put right with new software
		f := r.open(pl, pl.source, schemas.CaseTraining, ends)
		logged := ends + r.promptly()
		f.correct(f.write(typ, wrong(), logged), v2(ends, minutes), true, logged+r.untilNoticed())
		return
	}
	for stands := false; !stands; { // what was void is entered anew
		_, stands = r.begin(desk{pl, nil}, typ, version(ends, minutes), wrong)
	}
}

// meet holds a joint meeting of the organs (四(二)).
func (r *run) meet(pl *place, day schemas.Day) {
	d, at := desk{pl, nil}, officeHours(r.dice, day)
	data := schemas.MeetingHeld{
		Organs: []string{"court", "procuratorate", "police", "justice"},
		Agenda: pick(r.dice, []string{"值班律师工作季度通报", "告知义务履行情况", "认罪认罚案件值班律师衔接", "工作站规范化建设"}),
	}
	if r.chance(0.2) {
		data.Organs = append(data.Organs, "state_security")
	}
	if _, stands := r.begin(d, meetingHeld, entry{at, data}, func() entry { return entry{r.wrongTime(at), data} }); stands {
		r.count.add(d, at, "", jointMeetings, 1)
	}
}

// matter brings something to the organs, which mostly deal with it.
func (r *run) matter(pl *place, day schemas.Day) {
	d, at := desk{pl, nil}, officeHours(r.dice, day)
	if s := pl.at(schemas.DetentionCentre, day); s != nil && r.chance(0.4) {
		d.station = s
	}
	data := schemas.MatterReported{Kind: choose(r.dice, []choice[string]{{2, "major"}, {3, "incident"}, {5, "inspection"}})}
	f, stands := r.begin(d, matterReported, entry{at, data}, func() entry { return entry{r.wrongTime(at), data} })
	if !stands {
		return
	}
	r.count.add(d, at, "", mattersReported, 1)
	resolved := officeHours(r.dice, day+between[schemas.Day](r.dice, 3, 60))
	if !r.chance(0.9) || !r.follow(f, matterResolved, entry{resolved, schemas.MatterResolved{Outcome: choose(r.dice, []choice[string]{{7, "rectified"}, {1, "referred"}, {2, "no_action"}})}}) {
		r.count.add(d, at, "", mattersOpen, 1)
	}
}

// conduct reports a lawyer; only a decision that upholds it counts.
func (r *run) conduct(pl *place, day schemas.Day) {
	d, at := desk{pl, nil}, officeHours(r.dice, day)
	l := pl.team.turn(r.dice, at)
	report := schemas.ConductReported{Lawyer: l.Licence, Code: pick(r.dice, []string{"misleading", "soliciting", "referral", "fees", "leak", "other"})}
	f, stands := r.begin(d, conductReported, entry{at, report}, func() entry {
		w := report
		w.Code = r.not(w.Code, "soliciting", "fees", "other")
		return entry{at, w}
	})
	decided := officeHours(r.dice, day+between[schemas.Day](r.dice, 15, 70))
	if !stands || decided >= r.end || !r.chance(0.85) {
		return
	}
	outcome := choose(r.dice, []choice[string]{{4, "upheld"}, {6, "dismissed"}})
	data := schemas.ConductDecided{Lawyer: l.Licence, Outcome: outcome, Document: r.number("律协处", decided)}
	if r.chance(0.05) { // the words were mixed up
		w := data
		w.Outcome = r.not(outcome, "upheld", "dismissed")
		f.writeMended(conductDecided, entry{decided, data}, entry{decided, w}, decided+r.promptly())
	} else if !r.follow(f, conductDecided, entry{decided, data}) {
		return
	}
	if outcome == "upheld" {
		r.count.add(d, decided, l.Licence, conductUpheld, 1)
	}
}

// honour commends a lawyer (三(四)4(2)).
func (r *run) honour(pl *place, day schemas.Day) {
	d, at := desk{pl, nil}, officeHours(r.dice, day)
	l := pl.team.turn(r.dice, at)
	data := schemas.HonourAwarded{
		Lawyer: l.Licence, Kind: choose(r.dice, []choice[string]{{6, "county"}, {3, "prefecture"}, {1, "province"}, {0.1, "national"}}), Document: r.number("司发", at),
	}
	if _, stands := r.begin(d, honourAwarded, entry{at, data}, func() entry {
		w := data
		w.Lawyer = pick(r.dice, pl.team.lawyers).Licence
		return entry{at, w}
	}); stands {
		r.count.add(d, at, l.Licence, honours, 1)
	}
}

// subsidies makes the month's subsidies due on its last day, one a lawyer for
// all shifts, and pays them (三(四)3(1)): mostly within the next month. Half of
// the places have said until when.
func (r *run) subsidies(pl *place, last schemas.Day) {
	d := desk{pl, nil}
	var payable schemas.Day
	accrued := func(l *lawyer, fen int64) schemas.SubsidyAccrued {
		return schemas.SubsidyAccrued{Lawyer: l.Licence, Fen: fen}
	}
	if pl.subsidy/2500%2 == 0 {
		payable = last + 30
		accrued = func(l *lawyer, fen int64) schemas.SubsidyAccrued {
			return schemas.SubsidyAccrued{Lawyer: l.Licence, Fen: fen, PayableBy: payable.String()}
		}
	}
	for _, l := range pl.team.lawyers {
		fen := l.shifts * pl.subsidy
		l.shifts = 0
		if fen == 0 {
			continue
		}
		at := clock(last, 17, 0) + between(r.dice, 0, 2*hour)
		f, stands := r.begin(d, subsidyAccrued, entry{at, accrued(l, fen)}, func() entry {
			return entry{at, accrued(l, pick(r.dice, []int64{10 * fen, fen + pl.subsidy}))}
		})
		if stands {
			r.count.subsidy(d, at, l.Licence, fen, payable, r.pay(d, f, l, last, fen))
		}
	}
}

// pay pays a subsidy, and tells on which day; 0 for never.
func (r *run) pay(d desk, f file, l *lawyer, accrued schemas.Day, fen int64) schemas.Day {
	days := between[schemas.Day](r.dice, 5, 25)
	switch what := r.Float64(); {
	case what < 0.02:
		return 0
	case what < 0.08:
		days = between[schemas.Day](r.dice, 35, 90)
	}
	at, amount := officeHours(r.dice, accrued+days), fen
	if r.chance(0.006) {
		amount = (fen + 1) / 2
	}
	if !r.follow(f, subsidyPaid, entry{at, schemas.SubsidyPaid{Lawyer: l.Licence, Fen: amount}}) {
		return 0
	}
	r.count.add(d, at, l.Licence, subsidiesPaid, amount)
	return at.day()
}
