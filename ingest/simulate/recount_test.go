package simulate

import (
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"zhiban/schemas"
)

// recount counts the events themselves, as a reader of the log would: it
// groups them by case, asks schemas.Effective what counts, and sums.
func recount(t testing.TB, c Config, today schemas.Day, events iter.Seq[schemas.Envelope]) *Truth {
	t.Helper()
	r := &recounter{
		Truth: &Truth{Total: Figures{}, Months: map[string]map[schemas.DivisionCode]Figures{}, Stations: map[schemas.StationCode]Figures{},
			Lawyers: map[string]Figures{}, By: map[string]map[string]Figures{}},
		config: c, today: today, reporting: map[schemas.StationCode]schemas.DivisionCode{}, people: map[schemas.IndicatorCode]map[string]map[string]bool{},
		waited: map[schemas.DivisionCode][]int64{},
	}
	histories, ids := map[schemas.File][]schemas.Event{}, map[schemas.EventID]bool{}
	for e := range events {
		ev, err := e.Parse()
		if err != nil {
			t.Fatalf("event %s: %v", e.ID, err)
		}
		histories[ev.File()] = append(histories[ev.File()], ev)
		ids[ev.ID] = true
		r.LogRecords++
		if p, ok := ev.Payload.(*schemas.StationFounded); ok {
			r.reporting[schemas.StationCode(p.Code)] = schemas.DivisionCode(p.Reporting)
		}
	}
	r.Events = len(ids)
	for _, h := range histories {
		r.add(schemas.Effective(h))
	}
	for into, code := range map[*Persons]schemas.IndicatorCode{
		&r.Persons: schemas.PersonsConsulted, &r.Helped: schemas.PersonsHelped, &r.LawyersOnDuty: schemas.LawyersOnDuty, &r.LawyersTrained: schemas.LawyersTrained,
	} {
		*into = r.different(code)
	}
	r.Responses = map[schemas.DivisionCode]Responses{}
	for code, minutes := range r.waited {
		slices.Sort(minutes)
		r.Responses[code] = Responses{interpolated(minutes, 0.5), interpolated(minutes, 0.9)}
	}
	r.inHours(t)
	return r.Truth
}

type recounter struct {
	*Truth
	config    Config
	today     schemas.Day
	reporting map[schemas.StationCode]schemas.DivisionCode
	people    map[schemas.IndicatorCode]map[string]map[string]bool // by month and division
	waited    map[schemas.DivisionCode][]int64                     // minutes
}

// see notes somebody of whom a distinct figure is made.
func (r *recounter) see(code schemas.IndicatorCode, e schemas.Event, who string) {
	groups := r.people[code]
	if groups == nil {
		groups = map[string]map[string]bool{}
		r.people[code] = groups
	}
	for _, d := range schemas.Divisions.Path(r.unit(e)) {
		for _, group := range []string{string(d.Code), schemas.DayOf(e.Time).Month().String() + string(d.Code)} {
			if groups[group] == nil {
				groups[group] = map[string]bool{}
			}
			groups[group][who] = true
		}
	}
}

// different counts those who were seen.
func (r *recounter) different(code schemas.IndicatorCode) Persons {
	out := Persons{Range: map[schemas.DivisionCode]int64{}, Months: map[string]map[schemas.DivisionCode]int64{}}
	for group, who := range r.people[code] {
		month, unit := group[:len(group)-6], schemas.DivisionCode(group[len(group)-6:])
		if month == "" {
			out.Range[unit] = int64(len(who))
			continue
		}
		if out.Months[month] == nil {
			out.Months[month] = map[schemas.DivisionCode]int64{}
		}
		out.Months[month][unit] = int64(len(who))
		if d, _ := schemas.Divisions.Get(unit); d.Level == schemas.LevelCounty {
			r.Months[month][unit][code] = int64(len(who))
		}
	}
	r.Total[code] = out.Range[schemas.Province]
	return out
}

// interpolated is the value a part of the way through sorted minutes.
func interpolated(sorted []int64, part float64) float64 {
	way := part * float64(len(sorted)-1)
	before := math.Floor(way + 1e-9)
	v := float64(sorted[int(before)])
	if next := int(before) + 1; next < len(sorted) {
		v += (way - before) * (float64(sorted[next]) - v)
	}
	return math.Round(v*10) / 10
}

// first is the first event with a payload of type P.
func first[P any](events []schemas.Event) (*schemas.Event, *P) {
	for _, e := range events {
		if p, ok := e.Payload.(*P); ok {
			return &e, p
		}
	}
	return nil, nil
}

func (r *recounter) add(events []schemas.Event) {
	if e, p := first[schemas.StationFounded](events); e != nil {
		closed, _ := first[schemas.StationClosed](events)
		r.stock(schemas.Stations, *e, closed, p.Reporting)
	}
	if e, p := first[schemas.LawyerEnrolled](events); e != nil {
		left, _ := first[schemas.LawyerLeft](events)
		r.stock(schemas.Lawyers, *e, left, p.Division)
	}
	r.addWork(events)
	r.addAffairs(events)
	if e, p := first[schemas.ShiftPlanned](events); e != nil {
		start, _ := time.Parse(time.RFC3339, p.Start)
		e.Time = start
		post := r.poster(*e, p.Lawyer, "mode", p.Mode)
		post(schemas.ShiftsPlanned, 1)
		if schemas.DayOf(start) < r.today {
			post(schemas.ShiftsDue, 1)
		}
		if in, _ := first[schemas.ShiftSignedIn](events); in == nil {
			post(schemas.ShiftsAwaited, 1)
			if schemas.DayOf(start) < r.today {
				post(schemas.NoShows, 1)
			}
		}
	}
	if in, p := first[schemas.ShiftSignedIn](events); in != nil {
		post := r.poster(*in, p.Lawyer, "mode", p.Mode)
		post(schemas.Shifts, 1)
		r.see(schemas.LawyersOnDuty, *in, p.Lawyer)
		if out, _ := first[schemas.ShiftSignedOut](events); out != nil && !out.Time.Before(in.Time) {
			post(schemas.DutyMinutes, int64(out.Time.Sub(in.Time).Minutes()))
		} else {
			post(schemas.ShiftsOpen, 1)
		}
	}
	if e, p := first[schemas.ConsultationRecorded](events); e != nil {
		post := r.poster(*e, p.Lawyer, "channel", p.Channel, "person_role", p.PersonRole)
		post(schemas.Consultations, 1)
		if p.GuidedToApply {
			post(schemas.ConsultationsGuided, 1)
		}
		if p.HasDefender != nil && *p.HasDefender {
			post(schemas.WithDefender, 1)
		}
		if r.config.Stamped && e.Time.Add(24*time.Hour).Before(e.Recorded) {
			post(schemas.ConsultationsLateEntry, 1)
		}
		if signed, _ := first[schemas.ConsultationSigned](events); signed == nil {
			post(schemas.ConsultationsUnsigned, 1)
		}
		r.see(schemas.PersonsConsulted, *e, p.Person)
		r.see(schemas.PersonsHelped, *e, p.Person)
	}
	received, p := first[schemas.ApplicationReceived](events)
	transferred, q := first[schemas.ApplicationTransferred](events)
	if received != nil {
		post := r.poster(*received, p.Lawyer)
		post(schemas.ApplicationsReceived, 1)
		if received.Time.In(schemas.Shanghai).Year() >= 2022 {
			post(schemas.TransferDue24h, 1)
			if transferred != nil && !transferred.Time.Before(received.Time) && !transferred.Time.After(received.Time.Add(24*time.Hour)) {
				post(schemas.TransferMet24h, 1)
			}
		}
	}
	if transferred != nil {
		r.poster(*transferred, q.Lawyer)(schemas.ApplicationsTransferred, 1)
	}
	if e, p := first[schemas.NotificationTriggered](events); e != nil {
		post := r.poster(*e, "", "organ", p.Organ)
		post(schemas.NotificationsDue, 1)
		due := schemas.NotificationDue(p.Organ, schemas.DayOf(e.Time), p.InCustody)
		code := schemas.NotificationsOpen
		var proof time.Time
		for _, e := range events {
			if g, ok := e.Payload.(*schemas.NotificationGiven); ok {
				if code == schemas.NotificationsOpen {
					code = schemas.NotificationsUnevid
				}
				if g.Evidence != "" && (proof.IsZero() || e.Time.Before(proof)) {
					proof, code = e.Time, schemas.NotificationsLate
					if proof.Before((due + 1).Start()) {
						code = schemas.NotificationsOnTime
					}
				}
			}
		}
		post(code, 1)
		if code == schemas.NotificationsOpen && due < r.today {
			post(schemas.NotificationsOverdue, 1)
		}
	}
}

// addWork counts what lawyers do beside consultations and applications' first
// steps, and what organs do.
func (r *recounter) addWork(events []schemas.Event) {
	if e, p := first[schemas.AssistanceGiven](events); e != nil {
		code, since := schemas.PleaAssistance, "2018-01-01"
		switch p.Service {
		case "affidavit":
			code, since = schemas.Affidavits, "2018-10-26"
		case "meeting":
			code, since = schemas.ClientMeetings, "2020-08-20"
		case "file_review":
			code, since = schemas.FileReviews, "2020-08-20"
		case "opinion":
			code, since = schemas.Opinions, "2018-10-26"
		case "coercive_measure":
			code, since = schemas.CoerciveMeasures, "2018-10-26"
		case "procedure_choice":
			code, since = schemas.ProcedureChoices, "2018-10-26"
		}
		if schemas.DayOf(e.Time).String() >= since {
			r.poster(*e, p.Lawyer)(code, 1)
			r.see(schemas.PersonsHelped, *e, p.Person)
			if code == schemas.Opinions && p.Adopted != nil && *p.Adopted {
				r.poster(*e, p.Lawyer)(schemas.OpinionsAdopted, 1)
			}
		} else {
			r.poster(*e, p.Lawyer)(schemas.OutsideDuties, 1)
		}
	}
	if e, p := first[schemas.ComplaintLodged](events); e != nil {
		r.poster(*e, p.Lawyer)(schemas.Complaints, 1)
		if !strings.Contains(string(e.Source.Station), "-detention") {
			r.poster(*e, p.Lawyer)(schemas.OutsideDuties, 1)
		}
	}
	if e, p := first[schemas.ActivityHeld](events); e != nil {
		code := map[string]schemas.IndicatorCode{"publicity": schemas.PublicitySessions, "other_task": schemas.OtherTasks}[p.Kind]
		r.poster(*e, p.Lawyer)(code, 1)
	}
	if e, p := first[schemas.ApplicationDecided](events); e != nil {
		code := map[string]schemas.IndicatorCode{"accepted": schemas.ApplicationsAccepted, "refused": schemas.ApplicationsRefused}[p.Outcome]
		r.poster(*e, "")(code, 1)
	}
	if e, p := first[schemas.ApplicationAssigned](events); e != nil {
		received, q := first[schemas.ApplicationReceived](events)
		if received != nil && p.Lawyer == q.Lawyer && strings.Contains(string(received.Source.Station), "-detention") {
			r.poster(*e, p.Lawyer)(schemas.AssignmentConflicts, 1)
		}
	}
	if e, p := first[schemas.HelpRequestReceived](events); e != nil {
		r.poster(*e, "", "organ", p.Organ)(schemas.HelpRequests, 1)
		if call, d := first[schemas.HelpRequestDispatched](events); d != nil {
			post := r.poster(*e, d.Lawyer, "organ", p.Organ)
			post(schemas.HelpRequestsDispatched, 1)
			minutes := int64(call.Time.Sub(e.Time).Minutes())
			post(schemas.ResponseMinutes, minutes)
			for _, d := range schemas.Divisions.Path(r.unit(*e)) {
				r.waited[d.Code] = append(r.waited[d.Code], minutes)
			}
		}
	}
	if e, p := first[schemas.SupervisionIssued](events); e != nil {
		post := r.poster(*e, "", "organ", p.Organ)
		post(schemas.CorrectionsIssued, 1)
		if answered, _ := first[schemas.SupervisionAnswered](events); answered != nil {
			post(schemas.CorrectionsAnswered, 1)
		}
		if closed, _ := first[schemas.SupervisionClosed](events); closed != nil {
			post(schemas.CorrectionsClosed, 1)
		}
	}
	if e, p := first[schemas.FeedbackGiven](events); e != nil {
		post := r.poster(*e, p.Lawyer)
		post(schemas.FeedbackCount, 1)
		post(schemas.FeedbackScore, int64(p.Score))
	}
}

// addAffairs counts what bureaus and legal aid centres do.
func (r *recounter) addAffairs(events []schemas.Event) {
	for _, e := range events {
		if p, ok := e.Payload.(*schemas.StationInspected); ok {
			r.poster(e, "")(schemas.Inspections, 1)
			if len(p.Missing) == 0 {
				r.poster(e, "")(schemas.InspectionsMet, 1)
			}
		}
	}
	if e, p := first[schemas.SubsidyAccrued](events); e != nil {
		post := r.poster(*e, p.Lawyer)
		post(schemas.SubsidiesDue, p.Fen)
		if p.PayableBy != "" {
			post(schemas.SubsidiesTimed, 1)
			passed := p.PayableBy < r.today.String()
			if passed {
				post(schemas.SubsidiesPayable, 1)
			}
			if paid, _ := first[schemas.SubsidyPaid](events); paid == nil || schemas.DayOf(paid.Time).String() > p.PayableBy {
				post(schemas.SubsidiesAwaited, 1)
				if passed {
					post(schemas.SubsidiesLate, 1)
				}
			}
		}
	}
	if e, p := first[schemas.SubsidyPaid](events); e != nil {
		r.poster(*e, p.Lawyer)(schemas.SubsidiesPaid, p.Fen)
	}
	if e, p := first[schemas.TrainingAttendedV2](events); e != nil {
		r.poster(*e, p.Lawyer)(schemas.TrainingHours, int64(p.Minutes)) // minutes until all are there
		r.see(schemas.LawyersTrained, *e, p.Lawyer)
	}
	if e, p := first[schemas.ConductDecided](events); e != nil && p.Outcome == "upheld" {
		r.poster(*e, p.Lawyer)(schemas.ConductUpheld, 1)
	}
	if e, p := first[schemas.HonourAwarded](events); e != nil {
		r.poster(*e, p.Lawyer)(schemas.Honours, 1)
	}
	if e, p := first[schemas.RosterDelivered](events); e != nil {
		r.poster(*e, "")(schemas.RosterDeliveries, int64(len(p.Receivers)))
	}
	if e, _ := first[schemas.MeetingHeld](events); e != nil {
		r.poster(*e, "")(schemas.JointMeetings, 1)
	}
	if e, _ := first[schemas.MatterReported](events); e != nil {
		r.poster(*e, "")(schemas.MattersReported, 1)
		if resolved, _ := first[schemas.MatterResolved](events); resolved == nil {
			r.poster(*e, "")(schemas.MattersOpen, 1)
		}
	}
}

// inHours turns the minutes of training into hours, which must be whole.
func (r *recounter) inHours(t testing.TB) {
	all := []Figures{r.Total}
	for _, units := range r.Months {
		all = slices.AppendSeq(all, maps.Values(units))
	}
	all = slices.AppendSeq(all, maps.Values(r.Stations))
	all = slices.AppendSeq(all, maps.Values(r.Lawyers))
	for _, f := range all {
		if f[schemas.TrainingHours]%60 != 0 {
			t.Errorf("%d minutes of training are no whole hours", f[schemas.TrainingHours])
		}
		f[schemas.TrainingHours] /= 60
	}
}

// unit is the division that reports an event.
func (r *recounter) unit(e schemas.Event) schemas.DivisionCode {
	code := e.Source.Division
	if reporting, ok := r.reporting[e.Source.Station]; ok {
		code = reporting
	}
	return schemas.Divisions.On(code, schemas.DayOf(e.Time))
}

// poster adds what an event amounts to wherever it is summed.
func (r *recounter) poster(e schemas.Event, lawyer string, sides ...string) func(schemas.IndicatorCode, int64) {
	sheets := []Figures{r.Total, r.cell(schemas.DayOf(e.Time).Month(), r.unit(e))}
	if e.Source.Station != "" {
		sheets = append(sheets, figuresOf(r.Stations, e.Source.Station))
	}
	if lawyer != "" {
		sheets = append(sheets, figuresOf(r.Lawyers, lawyer))
	}
	for side := range slices.Chunk(sides, 2) {
		if r.By[side[0]] == nil {
			r.By[side[0]] = map[string]Figures{}
		}
		sheets = append(sheets, figuresOf(r.By[side[0]], side[1]))
	}
	return func(code schemas.IndicatorCode, n int64) {
		for _, s := range sheets {
			s[code] += n
		}
	}
}

func (r *recounter) stock(code schemas.IndicatorCode, e schemas.Event, gone *schemas.Event, division string) {
	since := schemas.DayOf(e.Time)
	there := func(day schemas.Day) bool { return gone == nil || day < schemas.DayOf(gone.Time) }
	if there(r.config.To) {
		r.Total[code]++
	}
	for m := max(since.Month(), r.config.From.Month()); m <= r.config.To.Month(); m++ {
		end := m.Last()
		if end > r.config.To {
			end = r.config.To
		}
		if there(end) {
			r.cell(m, schemas.Divisions.On(schemas.DivisionCode(division), end))[code]++
		}
	}
}

func (r *recounter) cell(m schemas.Month, unit schemas.DivisionCode) Figures {
	if r.Months[m.String()] == nil {
		r.Months[m.String()] = map[schemas.DivisionCode]Figures{}
	}
	return figuresOf(r.Months[m.String()], unit)
}

func figuresOf[K comparable](m map[K]Figures, k K) Figures {
	if m[k] == nil {
		m[k] = Figures{}
	}
	return m[k]
}

// bare leaves out the zeros, and what only says how the truth came about.
func bare(t *Truth) *Truth {
	out := &Truth{
		Events: t.Events, LogRecords: t.LogRecords, Total: nonzero(t.Total), Months: map[string]map[schemas.DivisionCode]Figures{},
		Stations: nonzeros(t.Stations), Lawyers: nonzeros(t.Lawyers), By: map[string]map[string]Figures{}, Persons: t.Persons, Helped: t.Helped,
		LawyersOnDuty: t.LawyersOnDuty, LawyersTrained: t.LawyersTrained, Responses: t.Responses,
	}
	for m, units := range t.Months {
		if units := nonzeros(units); len(units) > 0 {
			out.Months[m] = units
		}
	}
	for d, values := range t.By {
		out.By[d] = nonzeros(values)
	}
	return out
}

func nonzero(f Figures) Figures {
	f = maps.Clone(f)
	maps.DeleteFunc(f, func(_ schemas.IndicatorCode, n int64) bool { return n == 0 })
	return f
}

func nonzeros[K comparable](m map[K]Figures) map[K]Figures {
	out := map[K]Figures{}
	for k, f := range m {
		if f := nonzero(f); len(f) > 0 {
			out[k] = f
		}
	}
	return out
}
