package posting

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"zhiban/schemas"
)

// ev makes an event of a case at Yushu's court. n is its id, day time in
// Shanghai as "09-01 08:30" of 2026.
func ev(t fataler, n int, typ, at, data string) schemas.Event {
	t.Helper()
	when, err := time.ParseInLocation("2006-01-02 15:04", "2026-"+at, schemas.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	kind, _, _ := strings.Cut(typ, ".")
	e, err := schemas.Envelope{
		SpecVersion: "1.0", ID: id(n), Source: "/stations/220182-court", Type: "zhiban." + typ + ".v1",
		Subject: kind + "/00000000-0000-7000-8000-000000000001", Time: when.Format(time.RFC3339), Data: json.RawMessage(data),
	}.Parse()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fataler is what a test, a benchmark and a property have in common.
type fataler interface {
	Helper()
	Fatal(...any)
}

func id(n int) string { return uuid.UUID{15: byte(n), 6: 0x70, 8: 0x80}.String() }

const (
	lawyer = `"lawyer":"12201201810123456"`
	in     = `{` + lawyer + `,"mode":"onsite"}`
	out    = `{` + lawyer + `}`
	asked  = `{` + lawyer + `,"channel":"phone","person":"p-1","person_role":"relative"}`
	visit  = `{` + lawyer + `,"channel":"visit","person":"p-1","person_role":"relative","guided_to_apply":true}`
)

func corrected(target int, data, more string) string {
	return fmt.Sprintf(`{"target":%q,"data":%s,"reason":"登记有误"%s}`, id(target), data, more)
}

// entered is an event that reached the log so long after it happened.
func entered(e schemas.Event, after time.Duration) schemas.Event {
	e.Recorded = e.Time.Add(after)
	return e
}

func voided(target int) string {
	return fmt.Sprintf(`{"target":%q,"reason":"重复登记"}`, id(target))
}

// ledger adds postings up to "indicator day mode|channel|organ -> quantity".
func ledger(postings []Posting) map[string]int64 {
	sums := map[string]int64{}
	for _, p := range postings {
		key := strings.TrimSpace(fmt.Sprintf("%s %s %s%s%s", p.Indicator, p.Day.String()[5:], p.Mode, p.Channel, p.Organ))
		sums[key] += p.Quantity
		if sums[key] == 0 {
			delete(sums, key)
		}
	}
	return sums
}

func TestPost(t *testing.T) {
	triggered := func(organ, trigger string, custody bool) string {
		return fmt.Sprintf(`{"organ":%q,"trigger":%q,"person":"p-1","in_custody":%t}`, organ, trigger, custody)
	}
	for name, c := range map[string]struct {
		events []schemas.Event
		want   map[string]int64
	}{
		"a sign-in is a shift that is open": {
			[]schemas.Event{ev(t, 1, "shift.signed_in", "09-01 08:30", in)},
			map[string]int64{"shifts 09-01 onsite": 1, "shifts_open 09-01 onsite": 1},
		},
		"minutes count on the day of the sign-in, over midnight too": {
			[]schemas.Event{ev(t, 1, "shift.signed_in", "09-01 20:00", in), ev(t, 2, "shift.signed_out", "09-02 02:30", out)},
			map[string]int64{"shifts 09-01 onsite": 1, "duty_minutes 09-01 onsite": 390},
		},
		"a sign-out may reach the log before its sign-in": {
			[]schemas.Event{ev(t, 2, "shift.signed_out", "09-01 16:30", out), ev(t, 1, "shift.signed_in", "09-01 08:30", in)},
			map[string]int64{"shifts 09-01 onsite": 1, "duty_minutes 09-01 onsite": 480},
		},
		"a sign-out alone counts nothing": {
			[]schemas.Event{ev(t, 2, "shift.signed_out", "09-01 16:30", out)}, map[string]int64{},
		},
		"a sign-out before its sign-in leaves the shift open": {
			[]schemas.Event{ev(t, 1, "shift.signed_in", "09-01 16:30", in), ev(t, 2, "shift.signed_out", "09-01 08:30", out)},
			map[string]int64{"shifts 09-01 onsite": 1, "shifts_open 09-01 onsite": 1},
		},
		"a corrected mode counts as if first recorded so": {
			[]schemas.Event{ev(t, 1, "shift.signed_in", "09-01 08:30", in), ev(t, 3, "shift.corrected", "09-03 10:00", corrected(1, strings.Replace(in, "onsite", "phone", 1), ""))},
			map[string]int64{"shifts 09-01 phone": 1, "shifts_open 09-01 phone": 1},
		},
		"a corrected time moves the shift to another month": {
			[]schemas.Event{ev(t, 1, "shift.signed_in", "09-01 08:30", in), ev(t, 3, "shift.corrected", "09-03 10:00", corrected(1, in, `,"time":"2026-08-31T08:30:00+08:00"`))},
			map[string]int64{"shifts 08-31 onsite": 1, "shifts_open 08-31 onsite": 1},
		},
		"a voided sign-in takes the shift away": {
			[]schemas.Event{ev(t, 1, "shift.signed_in", "09-01 08:30", in), ev(t, 2, "shift.signed_out", "09-01 16:30", out), ev(t, 3, "shift.voided", "09-03 10:00", voided(1))},
			map[string]int64{},
		},
		"a void of the void brings it back": {
			[]schemas.Event{ev(t, 1, "shift.signed_in", "09-01 08:30", in), ev(t, 3, "shift.voided", "09-03 10:00", voided(1)), ev(t, 4, "shift.voided", "09-03 11:00", voided(3))},
			map[string]int64{"shifts 09-01 onsite": 1, "shifts_open 09-01 onsite": 1},
		},
		"a consultation is unsigned until signed": {
			[]schemas.Event{ev(t, 1, "consultation.recorded", "09-01 09:00", visit)},
			map[string]int64{"consultations 09-01 visit": 1, "consultations_guided 09-01 visit": 1, "consultations_unsigned 09-01 visit": 1},
		},
		"a person who has a defender is consulted all the same, and counted": {
			[]schemas.Event{
				ev(t, 1, "consultation.recorded", "09-01 09:00", `{`+lawyer+`,"channel":"phone","person":"p-1","person_role":"suspect","has_defender":true}`),
				ev(t, 2, "consultation.signed", "09-01 09:10", out),
			},
			map[string]int64{"consultations 09-01 phone": 1, "with_defender 09-01 phone": 1},
		},
		"one without, or not asked, is not": {
			[]schemas.Event{
				ev(t, 1, "consultation.recorded", "09-01 09:00", `{`+lawyer+`,"channel":"phone","person":"p-1","person_role":"suspect","has_defender":true}`),
				ev(t, 2, "consultation.signed", "09-01 09:10", out),
				ev(t, 3, "consultation.corrected", "09-02 09:00", corrected(1, `{`+lawyer+`,"channel":"phone","person":"p-1","person_role":"suspect","has_defender":false}`, "")),
			},
			map[string]int64{"consultations 09-01 phone": 1},
		},
		"a signed consultation": {
			[]schemas.Event{ev(t, 1, "consultation.recorded", "09-01 09:00", visit), ev(t, 2, "consultation.signed", "09-01 09:10", out)},
			map[string]int64{"consultations 09-01 visit": 1, "consultations_guided 09-01 visit": 1},
		},
		"a consultation recorded 24 hours after it is not late": {
			[]schemas.Event{entered(ev(t, 1, "consultation.recorded", "09-01 09:00", asked), 24*time.Hour)},
			map[string]int64{"consultations 09-01 phone": 1, "consultations_unsigned 09-01 phone": 1},
		},
		"a moment later it is": {
			[]schemas.Event{entered(ev(t, 1, "consultation.recorded", "09-01 09:00", asked), 24*time.Hour+time.Millisecond)},
			map[string]int64{"consultations 09-01 phone": 1, "consultations_unsigned 09-01 phone": 1, "consultations_late_entry 09-01 phone": 1},
		},
		"a later correction of what it says does not make it late": {
			[]schemas.Event{
				entered(ev(t, 1, "consultation.recorded", "09-01 09:00", strings.Replace(asked, "phone", "visit", 1)), time.Hour),
				entered(ev(t, 2, "consultation.corrected", "09-20 09:00", corrected(1, asked, "")), 0),
			},
			map[string]int64{"consultations 09-01 phone": 1, "consultations_unsigned 09-01 phone": 1},
		},
		"a correction of its time to an earlier one does": {
			[]schemas.Event{
				entered(ev(t, 1, "consultation.recorded", "09-02 09:00", asked), time.Hour),
				entered(ev(t, 2, "consultation.corrected", "09-03 09:00", corrected(1, asked, `,"time":"2026-08-31T09:00:00+08:00"`)), 0),
			},
			map[string]int64{"consultations 08-31 phone": 1, "consultations_unsigned 08-31 phone": 1, "consultations_late_entry 08-31 phone": 1},
		},
		"one to a later time takes the lateness away": {
			[]schemas.Event{
				entered(ev(t, 1, "consultation.recorded", "08-01 09:00", asked), 31*24*time.Hour),
				entered(ev(t, 2, "consultation.corrected", "09-03 09:00", corrected(1, asked, `,"time":"2026-09-01T08:00:00+08:00"`)), 0),
			},
			map[string]int64{"consultations 09-01 phone": 1, "consultations_unsigned 09-01 phone": 1},
		},
		"a void takes a late one away": {
			[]schemas.Event{entered(ev(t, 1, "consultation.recorded", "08-01 09:00", asked), 48*time.Hour), ev(t, 2, "consultation.voided", "08-05 09:00", voided(1))},
			map[string]int64{},
		},
		"voided and entered anew after a week it is late": {
			[]schemas.Event{
				entered(ev(t, 1, "consultation.recorded", "08-01 09:00", asked), time.Hour), ev(t, 2, "consultation.voided", "08-08 09:00", voided(1)),
				entered(ev(t, 3, "consultation.recorded", "08-01 09:00", asked), 7*24*time.Hour),
			},
			map[string]int64{"consultations 08-01 phone": 1, "consultations_unsigned 08-01 phone": 1, "consultations_late_entry 08-01 phone": 1},
		},
		"sent again after a week it is not": {
			[]schemas.Event{
				entered(ev(t, 1, "consultation.recorded", "08-01 09:00", asked), time.Hour),
				entered(ev(t, 1, "consultation.recorded", "08-01 09:00", asked), 7*24*time.Hour),
			},
			map[string]int64{"consultations 08-01 phone": 1, "consultations_unsigned 08-01 phone": 1},
		},
		"nor by a signature after a week": {
			[]schemas.Event{
				entered(ev(t, 1, "consultation.recorded", "08-01 09:00", asked), time.Hour),
				entered(ev(t, 2, "consultation.signed", "08-01 09:30", out), 7*24*time.Hour),
			},
			map[string]int64{"consultations 08-01 phone": 1},
		},
		"a transfer after exactly 24 hours is in time": {
			[]schemas.Event{ev(t, 1, "application.received", "09-01 09:00", `{`+lawyer+`,"person":"p-1","in_custody":true}`), ev(t, 2, "application.transferred", "09-02 09:00", out)},
			map[string]int64{"applications_received 09-01": 1, "transfer_due_24h 09-01": 1, "transfer_met_24h 09-01": 1, "applications_transferred 09-02": 1},
		},
		"a transfer a minute later is not": {
			[]schemas.Event{ev(t, 1, "application.received", "09-01 09:00", `{`+lawyer+`,"person":"p-1","in_custody":true}`), ev(t, 2, "application.transferred", "09-02 09:01", out)},
			map[string]int64{"applications_received 09-01": 1, "transfer_due_24h 09-01": 1, "applications_transferred 09-02": 1},
		},
		"a court's notice with evidence on the third day is on time": {
			[]schemas.Event{ev(t, 1, "notification.triggered", "09-01 09:00", triggered("court", "accepted", true)), ev(t, 2, "notification.given", "09-04 23:59", `{"form":"written","evidence":"回执"}`)},
			map[string]int64{"notifications_due 09-01 court": 1, "notifications_on_time 09-01 court": 1},
		},
		"on the fourth it is late": {
			[]schemas.Event{ev(t, 1, "notification.triggered", "09-01 09:00", triggered("court", "accepted", true)), ev(t, 2, "notification.given", "09-05 00:00", `{"form":"written","evidence":"回执"}`)},
			map[string]int64{"notifications_due 09-01 court": 1, "notifications_late 09-01 court": 1},
		},
		"without evidence it is unevidenced, however early": {
			[]schemas.Event{ev(t, 1, "notification.triggered", "09-01 09:00", triggered("police", "interrogation", true)), ev(t, 2, "notification.given", "09-01 09:30", `{"form":"oral"}`)},
			map[string]int64{"notifications_due 09-01 police": 1, "notifications_unevidenced 09-01 police": 1},
		},
		"evidence that follows decides": {
			[]schemas.Event{ev(t, 1, "notification.triggered", "09-01 09:00", triggered("police", "interrogation", true)), ev(t, 2, "notification.given", "09-01 09:30", `{"form":"oral"}`), ev(t, 3, "notification.given", "09-01 10:30", `{"form":"oral","evidence":"笔录"}`)},
			map[string]int64{"notifications_due 09-01 police": 1, "notifications_on_time 09-01 police": 1},
		},
		"a last day in the National Day holiday moves, out of custody": {
			[]schemas.Event{ev(t, 1, "notification.triggered", "09-29 09:00", triggered("court", "accepted", false)), ev(t, 2, "notification.given", "10-08 17:00", `{"form":"written","evidence":"回执"}`)},
			map[string]int64{"notifications_due 09-29 court": 1, "notifications_on_time 09-29 court": 1},
		},
		"in custody it does not": {
			[]schemas.Event{ev(t, 1, "notification.triggered", "09-29 09:00", triggered("court", "accepted", true)), ev(t, 2, "notification.given", "10-08 17:00", `{"form":"written","evidence":"回执"}`)},
			map[string]int64{"notifications_due 09-29 court": 1, "notifications_late 09-29 court": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, ledger(Post(c.events))); diff != "" {
				t.Errorf("postings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want, ledger(stepwise(c.events))); diff != "" {
				t.Errorf("postings event by event (-want +got):\n%s", diff)
			}
		})
	}
}

// stepwise posts a history the way the projector does: one event at a time.
func stepwise(events []schemas.Event) []Posting {
	var all []Posting
	var c Case
	for _, e := range events {
		all = append(all, c.Enter(e)...)
	}
	return all
}

// genHistory makes histories of one case with everything that can happen:
// repeats, arrival in any order, corrections and voids of anything.
func genHistory(t *rapid.T) []schemas.Event {
	at := func(label string) string {
		return fmt.Sprintf("%02d-%02d %02d:%02d", rapid.IntRange(8, 9).Draw(t, label+" month"), rapid.IntRange(1, 30).Draw(t, label+" day"), rapid.IntRange(0, 23).Draw(t, label+" hour"), rapid.IntRange(0, 59).Draw(t, label+" minute"))
	}
	kinds := map[string][][2]string{
		"shift":        {{"shift.signed_in", in}, {"shift.signed_in", strings.Replace(in, "onsite", "online", 1)}, {"shift.signed_out", out}},
		"consultation": {{"consultation.recorded", visit}, {"consultation.recorded", strings.Replace(visit, "p-1", "p-2", 1)}, {"consultation.signed", out}},
		"application":  {{"application.received", `{` + lawyer + `,"person":"p-1","in_custody":true}`}, {"application.transferred", out}},
		"notification": {{"notification.triggered", `{"organ":"court","trigger":"retrial","person":"p-1","in_custody":false}`}, {"notification.given", `{"form":"oral"}`}, {"notification.given", `{"form":"oral","evidence":"笔录"}`}},
	}
	kind := rapid.SampledFrom([]string{"shift", "consultation", "application", "notification"}).Draw(t, "kind")
	n := rapid.IntRange(1, 7).Draw(t, "events")
	var events []schemas.Event
	for i := range n {
		target := rapid.IntRange(0, n-1).Draw(t, "target")
		plain := rapid.SampledFrom(kinds[kind]).Draw(t, "plain")
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0, 1:
			events = append(events, ev(t, i, kind+".corrected", at("corrected"), corrected(target, plain[1], "")))
		case 2:
			events = append(events, ev(t, i, kind+".voided", at("voided"), voided(target)))
		case 3:
			if i > 0 {
				events = append(events, events[rapid.IntRange(0, i-1).Draw(t, "repeat")])
				continue
			}
			fallthrough
		default:
			events = append(events, ev(t, i, plain[0], at("plain"), plain[1]))
		}
	}
	return events
}

// The books are the same however the events came: what was posted step by step
// adds up to what the whole history amounts to.
func TestStepsAddUpToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := genHistory(t)
		if diff := cmp.Diff(ledger(Post(events)), ledger(stepwise(events))); diff != "" {
			t.Fatalf("history %v (-whole +steps):\n%s", types(events), diff)
		}
	})
}

// An event that came before is the same event and posts nothing.
func TestARepeatedEventPostsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := genHistory(t)
		again := events[rapid.IntRange(0, len(events)-1).Draw(t, "again")]
		c := Open(events)
		if p := c.Enter(again); len(p) != 0 {
			t.Fatalf("history %v: repeating %s posted %v", types(events), again.Type.Name, p)
		}
	})
}

// A plain event and what corrects it may come in either order.
func TestACorrectionMayComeFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := genHistory(t)
		meta := slices.Clone(events)
		slices.SortStableFunc(meta, func(a, b schemas.Event) int {
			switch {
			case a.Type.Meta() == b.Type.Meta():
				return 0
			case a.Type.Meta():
				return -1
			}
			return 1
		})
		if diff := cmp.Diff(ledger(Post(events)), ledger(Post(meta))); diff != "" {
			t.Fatalf("history %v (-as it was +corrections first):\n%s", types(events), diff)
		}
	})
}

func types(events []schemas.Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Type.Name+" "+e.ID.String()[34:]+" "+string(e.Data))
	}
	return out
}

func TestPostIsPure(t *testing.T) {
	events := []schemas.Event{ev(t, 1, "shift.signed_in", "09-01 08:30", in), ev(t, 2, "shift.signed_out", "09-01 16:30", out)}
	one, two := Open(events[:1:1]), Open(events[:1:1])
	if diff := cmp.Diff(one.Enter(events[1]), two.Enter(events[1])); diff != "" {
		t.Error(diff)
	}
	if events[1].Data == nil {
		t.Error("Enter changed the event it was given")
	}
}

func BenchmarkEnter(b *testing.B) {
	signIn, signOut := ev(b, 1, "shift.signed_in", "09-01 08:30", in), ev(b, 2, "shift.signed_out", "09-01 16:30", out)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			var c Case
			c.Enter(signIn)
		}
	})
	b.Run("second", func(b *testing.B) {
		history := []schemas.Event{signIn}[:1:1]
		for b.Loop() {
			c := Open(history)
			c.Enter(signOut)
		}
	})
}

func TestPostTheRestOfTheRegulation(t *testing.T) {
	evAt := func(n int, typ, station, day, data string) schemas.Event {
		e := ev(t, n, typ, day, data)
		src, err := schemas.ParseSource("/stations/" + station)
		if err != nil {
			t.Fatal(err)
		}
		e.Source = src
		return e
	}
	for name, c := range map[string]struct {
		events []schemas.Event
		want   map[string]int64
	}{
		"plea help": {
			[]schemas.Event{ev(t, 1, "assistance.given", "09-01 10:00", `{`+lawyer+`,"person":"p-1","service":"plea_leniency"}`)},
			map[string]int64{"plea_assistance 09-01": 1},
		},
		"an opinion that was adopted": {
			[]schemas.Event{ev(t, 1, "assistance.given", "09-01 10:00", `{`+lawyer+`,"person":"p-1","service":"opinion","adopted":true}`)},
			map[string]int64{"opinions 09-01": 1, "opinions_adopted 09-01": 1},
		},
		"a planned shift is awaited until it begins, whenever it was planned": {
			[]schemas.Event{ev(t, 1, "shift.planned", "08-20 10:00", `{`+lawyer+`,"mode":"phone","start":"2026-09-01T08:30:00+08:00","end":"2026-09-01T16:30:00+08:00"}`)},
			map[string]int64{"shifts_planned 09-01 phone": 1, "shifts_awaited 09-01 phone": 1},
		},
		"and then it is a shift": {
			[]schemas.Event{
				ev(t, 1, "shift.planned", "08-20 10:00", `{`+lawyer+`,"mode":"onsite","start":"2026-09-01T08:30:00+08:00","end":"2026-09-01T16:30:00+08:00"}`),
				ev(t, 2, "shift.signed_in", "09-01 08:31", in), ev(t, 3, "shift.signed_out", "09-01 16:31", out),
			},
			map[string]int64{"shifts_planned 09-01 onsite": 1, "shifts 09-01 onsite": 1, "duty_minutes 09-01 onsite": 480},
		},
		"a detention-centre case assigned to the lawyer who took it is a conflict": {
			[]schemas.Event{
				evAt(1, "application.received", "220182-detention", "09-01 09:00", `{`+lawyer+`,"person":"p-1","in_custody":true}`),
				evAt(2, "application.assigned", "220182-detention", "09-03 09:00", out),
			},
			map[string]int64{"applications_received 09-01": 1, "transfer_due_24h 09-01": 1, "assignment_conflicts 09-03": 1},
		},
		"a court's case is not": {
			[]schemas.Event{
				ev(t, 1, "application.received", "09-01 09:00", `{`+lawyer+`,"person":"p-1","in_custody":true}`), ev(t, 2, "application.assigned", "09-03 09:00", out),
			},
			map[string]int64{"applications_received 09-01": 1, "transfer_due_24h 09-01": 1},
		},
		"a refused application": {
			[]schemas.Event{ev(t, 1, "application.decided", "09-05 09:00", `{"agency":"榆树市法律援助中心","outcome":"refused"}`)},
			map[string]int64{"applications_refused 09-05": 1},
		},
		"a help request counts on its own day, with the call": {
			[]schemas.Event{ev(t, 1, "help_request.received", "09-01 09:00", `{"organ":"police","person":"p-1"}`), ev(t, 2, "help_request.dispatched", "09-02 09:00", out)},
			map[string]int64{"help_requests 09-01 police": 1, "help_requests_dispatched 09-01 police": 1, "response_minutes 09-01 police": 1440},
		},
		"a call before the request took no time": {
			[]schemas.Event{ev(t, 1, "help_request.received", "09-01 09:00", `{"organ":"police","person":"p-1"}`), ev(t, 2, "help_request.dispatched", "09-01 08:59", out)},
			map[string]int64{"help_requests 09-01 police": 1, "help_requests_dispatched 09-01 police": 1},
		},
		"a correction opinion answered and closed": {
			[]schemas.Event{
				ev(t, 1, "supervision.issued", "09-01 09:00", `{"organ":"court","kind":"not_notified"}`),
				ev(t, 2, "supervision.answered", "09-09 09:00", `{"accepted":true}`), ev(t, 3, "supervision.closed", "09-19 09:00", `{"outcome":"corrected"}`),
			},
			map[string]int64{"corrections_issued 09-01 court": 1, "corrections_answered 09-01 court": 1, "corrections_closed 09-01 court": 1},
		},
		"a subsidy due and paid": {
			[]schemas.Event{ev(t, 1, "subsidy.accrued", "09-01 09:00", `{`+lawyer+`,"fen":20000}`), ev(t, 2, "subsidy.paid", "10-08 09:00", `{`+lawyer+`,"fen":20000}`)},
			map[string]int64{"subsidies_due 09-01": 20000, "subsidies_paid 10-08": 20000},
		},
		"one with a last day is awaited until it is paid": {
			[]schemas.Event{ev(t, 1, "subsidy.accrued", "09-01 09:00", payable)},
			map[string]int64{"subsidies_due 09-01": 20000, "subsidies_timed 09-01": 1, "subsidies_awaited 09-01": 1},
		},
		"paid on the last day it was in time": {
			[]schemas.Event{ev(t, 1, "subsidy.accrued", "09-01 09:00", payable), ev(t, 2, "subsidy.paid", "09-30 23:59", `{`+lawyer+`,"fen":20000}`)},
			map[string]int64{"subsidies_due 09-01": 20000, "subsidies_timed 09-01": 1, "subsidies_paid 09-30": 20000},
		},
		"paid the day after it stays late": {
			[]schemas.Event{ev(t, 1, "subsidy.accrued", "09-01 09:00", payable), ev(t, 2, "subsidy.paid", "10-01 00:00", `{`+lawyer+`,"fen":20000}`)},
			map[string]int64{"subsidies_due 09-01": 20000, "subsidies_timed 09-01": 1, "subsidies_awaited 09-01": 1, "subsidies_paid 10-01": 20000},
		},
		"unless the payment was dated wrong": {
			[]schemas.Event{
				ev(t, 1, "subsidy.accrued", "09-01 09:00", payable), ev(t, 2, "subsidy.paid", "10-01 00:00", `{`+lawyer+`,"fen":20000}`),
				ev(t, 3, "subsidy.corrected", "10-08 09:00", corrected(2, `{`+lawyer+`,"fen":20000}`, `,"time":"2026-09-29T10:00:00+08:00"`)),
			},
			map[string]int64{"subsidies_due 09-01": 20000, "subsidies_timed 09-01": 1, "subsidies_paid 09-29": 20000},
		},
		"or the day was": {
			[]schemas.Event{
				ev(t, 1, "subsidy.accrued", "09-01 09:00", payable), ev(t, 2, "subsidy.paid", "10-01 00:00", `{`+lawyer+`,"fen":20000}`),
				ev(t, 3, "subsidy.corrected", "10-08 09:00", corrected(1, `{`+lawyer+`,"fen":20000}`, "")),
			},
			map[string]int64{"subsidies_due 09-01": 20000, "subsidies_paid 10-01": 20000},
		},
		"training is posted in minutes": {
			[]schemas.Event{ev(t, 1, "training.attended", "09-01 09:00", `{`+lawyer+`,"topic":"duties","hours":1.5}`)},
			map[string]int64{"training_hours 09-01": 90},
		},
		"whichever version recorded it": {
			[]schemas.Event{func() schemas.Event {
				e, err := schemas.Envelope{
					SpecVersion: "1.0", ID: id(1), Source: "/divisions/220182", Type: "zhiban.training.attended.v2", Subject: "training/00000000-0000-7000-8000-000000000001",
					Time: "2026-09-01T09:00:00+08:00", Data: json.RawMessage(`{` + lawyer + `,"topic":"duties","minutes":45}`),
				}.Parse()
				if err != nil {
					t.Fatal(err)
				}
				return e
			}()},
			map[string]int64{"training_hours 09-01": 45},
		},
		"a conduct report alone is no figure": {
			[]schemas.Event{ev(t, 1, "conduct.reported", "09-01 09:00", `{`+lawyer+`,"code":"fees"}`)}, map[string]int64{},
		},
		"nor is one that was dismissed": {
			[]schemas.Event{ev(t, 1, "conduct.reported", "09-01 09:00", `{`+lawyer+`,"code":"fees"}`), ev(t, 2, "conduct.decided", "09-20 09:00", `{`+lawyer+`,"outcome":"dismissed","document":"1号"}`)}, map[string]int64{},
		},
		"one upheld is": {
			[]schemas.Event{ev(t, 1, "conduct.reported", "09-01 09:00", `{`+lawyer+`,"code":"fees"}`), ev(t, 2, "conduct.decided", "09-20 09:00", `{`+lawyer+`,"outcome":"upheld","document":"1号"}`)},
			map[string]int64{"conduct_upheld 09-20": 1},
		},
		"feedback counts with its score": {
			[]schemas.Event{ev(t, 1, "feedback.given", "09-01 09:00", `{"respondent":"person","score":4}`)},
			map[string]int64{"feedback_count 09-01": 1, "feedback_score 09-01": 4},
		},
		"a complaint at a court is none of its duties: it counts and is flagged": {
			[]schemas.Event{ev(t, 1, "complaint.lodged", "09-01 09:00", `{`+lawyer+`,"person":"p-1","ground":"torture"}`)},
			map[string]int64{"complaints 09-01": 1, "outside_duties 09-01": 1},
		},
		"at a detention centre it is": {
			[]schemas.Event{evAt(1, "complaint.lodged", "220182-detention", "09-01 09:00", `{`+lawyer+`,"person":"p-1","ground":"torture"}`)},
			map[string]int64{"complaints 09-01": 1},
		},
		"a flag goes with the complaint that is void": {
			[]schemas.Event{
				ev(t, 1, "complaint.lodged", "09-01 09:00", `{`+lawyer+`,"person":"p-1","ground":"torture"}`), ev(t, 2, "complaint.voided", "09-02 09:00", voided(1)),
			},
			map[string]int64{},
		},
		"and to the day to which it is corrected": {
			[]schemas.Event{
				ev(t, 1, "complaint.lodged", "09-01 09:00", `{`+lawyer+`,"person":"p-1","ground":"torture"}`),
				ev(t, 2, "complaint.corrected", "09-03 09:00", corrected(1, `{`+lawyer+`,"person":"p-1","ground":"other"}`, `,"time":"2026-08-30T09:00:00+08:00"`)),
			},
			map[string]int64{"complaints 08-30": 1, "outside_duties 08-30": 1},
		},
		"publicity is everybody's duty": {
			[]schemas.Event{ev(t, 1, "activity.held", "09-01 09:00", `{"kind":"publicity"}`)}, map[string]int64{"publicity_sessions 09-01": 1},
		},
		"a matter is open until resolved": {
			[]schemas.Event{ev(t, 1, "matter.reported", "09-01 09:00", `{"kind":"incident"}`)},
			map[string]int64{"matters_reported 09-01": 1, "matters_open 09-01": 1},
		},
		"a roster counts for each receiver": {
			[]schemas.Event{ev(t, 1, "roster.delivered", "09-01 09:00", `{"version":"1","receivers":["court","police"]}`)},
			map[string]int64{"roster_deliveries 09-01": 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, ledger(Post(c.events))); diff != "" {
				t.Errorf("postings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want, ledger(stepwise(c.events))); diff != "" {
				t.Errorf("postings event by event (-want +got):\n%s", diff)
			}
		})
	}
}

const payable = `{` + lawyer + `,"fen":20000,"payable_by":"2026-09-30"}`

// What falls due carries the day on which it does: a subsidy with a last day in
// both its figures, and in no other.
func TestASubsidyFallsDueOnItsLastDay(t *testing.T) {
	for _, p := range Post([]schemas.Event{ev(t, 1, "subsidy.accrued", "09-01 09:00", payable)}) {
		want := schemas.Date(2026, 9, 30)
		if p.Indicator == schemas.SubsidiesDue {
			want = 0
		}
		if p.Due != want || p.Lawyer == 0 {
			t.Errorf("%s of %v is due on %s", p.Indicator, p.Lawyer, p.Due)
		}
	}
}

// A posting names a person where persons are counted, and nowhere else.
func TestAPostingNamesThePersonWhoIsCounted(t *testing.T) {
	of := func(typ, data string) (with, without []schemas.IndicatorCode) {
		for _, p := range Post([]schemas.Event{entered(ev(t, 1, typ, "09-01 10:00", data), 48*time.Hour)}) {
			switch p.Person {
			case PersonOf("p-1"):
				with = append(with, p.Indicator)
			case 0:
				without = append(without, p.Indicator)
			default:
				t.Errorf("%s of somebody else", p.Indicator)
			}
		}
		return with, without
	}
	for _, c := range []struct {
		typ, data     string
		with, without []schemas.IndicatorCode
	}{
		{"consultation.recorded", strings.Replace(visit, `}`, `,"has_defender":true}`, 1), []schemas.IndicatorCode{schemas.Consultations},
			[]schemas.IndicatorCode{schemas.ConsultationsGuided, schemas.ConsultationsUnsigned, schemas.ConsultationsLateEntry, schemas.WithDefender}},
		{"assistance.given", `{` + lawyer + `,"person":"p-1","service":"opinion","adopted":true}`, []schemas.IndicatorCode{schemas.Opinions}, []schemas.IndicatorCode{schemas.OpinionsAdopted}},
		{"complaint.lodged", `{` + lawyer + `,"person":"p-1","ground":"torture"}`, nil, []schemas.IndicatorCode{schemas.OutsideDuties, schemas.Complaints}},
		{"notification.triggered", `{"organ":"court","trigger":"accepted","person":"p-1","in_custody":true}`, nil, []schemas.IndicatorCode{schemas.NotificationsDue, schemas.NotificationsOpen}},
		{"application.received", `{` + lawyer + `,"person":"p-1","in_custody":true}`, nil, []schemas.IndicatorCode{schemas.ApplicationsReceived, schemas.TransferDue24h}},
		{"help_request.received", `{"organ":"police","person":"p-1"}`, nil, []schemas.IndicatorCode{schemas.HelpRequests}},
	} {
		with, without := of(c.typ, c.data)
		if !slices.Equal(with, c.with) || !slices.Equal(without, c.without) {
			t.Errorf("%s names the person in %v and not in %v", c.typ, with, without)
		}
	}
}

// Help given before its duty took effect is in no figure of it; it is flagged,
// with the lawyer.
func TestLaterLawIsNotMixedIntoEarlierFigures(t *testing.T) {
	e := ev(t, 1, "assistance.given", "09-01 10:00", `{`+lawyer+`,"person":"p-1","service":"affidavit"}`)
	e.Time = time.Date(2018, 10, 25, 12, 0, 0, 0, schemas.Shanghai)
	if p := Post([]schemas.Event{e}); len(p) != 1 || p[0].Indicator != schemas.OutsideDuties || p[0].Lawyer == 0 {
		t.Errorf("an affidavit of 2018-10-25 posted %v", p)
	}
	e.Time = e.Time.AddDate(0, 0, 1)
	if p := Post([]schemas.Event{e}); len(p) != 1 || p[0].Indicator != schemas.Affidavits {
		t.Errorf("an affidavit of 2018-10-26 posted %v", p)
	}
}
