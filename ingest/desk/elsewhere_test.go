package desk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"zhiban/schemas"
)

// ends are the verbs that end what waits.
var ends = map[string]string{"shift.signed_in": "signed_out", "consultation.recorded": "signed", "application.received": "transferred", "notification.triggered": "given", "help_request.received": "dispatched"}

// serveCases answers what the dashboard tells of cases, from the log alone. That
// the real answers look like this is the dashboard's own test.
func (s *station) serveCases(w http.ResponseWriter, r *http.Request) bool {
	cases := map[schemas.CaseID][]schemas.Event{}
	answer := func(v any) bool {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
		return true
	}
	id, isEvent := strings.CutPrefix(r.URL.Path, "/api/v1/events/")
	if r.URL.Path != "/api/v1/open-cases" && !isEvent {
		return false
	}
	var of schemas.CaseID
	events, err := s.log(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable) // the page was left
		return true
	}
	for _, e := range events {
		cases[e.Case] = append(cases[e.Case], e)
		if e.ID.String() == id {
			of = e.Case
		}
	}
	if isEvent {
		var history []schemas.Envelope
		for _, e := range cases[of] {
			history = append(history, e.Envelope())
		}
		if history == nil {
			http.NotFound(w, r)
			return true
		}
		return answer(map[string]any{"status": "effective", "case": history})
	}
	open := []map[string]any{}
	for _, history := range cases {
		effective := schemas.Effective(history)
		first := effective[0]
		missing := ends[string(first.Type.Case)+"."+first.Type.Verb]
		for _, e := range effective {
			if e.Type.Verb == missing {
				missing = ""
			}
		}
		if missing == "" || first.Source.Key() != r.FormValue("station") {
			continue
		}
		c := map[string]any{}
		if err := json.Unmarshal(first.Data, &c); err != nil {
			s.t.Error(err)
		}
		c["subject"], c["event"], c["type"], c["time"], c["missing"] = first.Case.String(), first.ID, first.Type.Name, first.Time, "zhiban."+string(first.Type.Case)+"."+missing+".v1"
		open = append(open, c)
	}
	return answer(map[string]any{"station": court, "cut": map[string]int{"0": len(cases)}, "total": len(open), "cases": open})
}

// looked waits until the page has asked what is open elsewhere.
func (b *browser) looked() {
	b.t.Helper()
	b.wait(`Number(document.getElementById('elsewhere').dataset.at) > 0 && document.getElementById('elsewhere').dataset.why === ''`)
}

// visit comes back to the page, which looks around.
func (b *browser) visit() {
	b.t.Helper()
	eval[bool](b, `document.dispatchEvent(new Event('visibilitychange'))`)
}

func TestAShiftBegunAtOneDeviceIsEndedAtAnother(t *testing.T) {
	s := newStation(t)
	s.cases.Store(true)
	a, b := newBrowser(t, s), newBrowser(t, s)
	a.begin()
	a.click("#shift-form button")
	a.settled(1)

	b.begin()
	b.looked()
	b.wait(`!document.getElementById('shift-open').hidden && document.getElementById('shift-form').hidden && !document.getElementById('shift-elsewhere').hidden`)
	b.look("elsewhere")
	b.consult("p-one", "sign")
	b.settled(2)
	b.click("#sign-out")
	b.settled(3)
	b.wait(`document.getElementById('shift-open').hidden`)
	b.visit()
	b.wait(`document.getElementById('shift-open').hidden && !document.getElementById('shift-form').hidden`)

	events := s.stored()
	if got, want := types(events), "shift.signed_in consultation.recorded consultation.signed shift.signed_out"; got != want {
		t.Fatalf("in the log: %s, expected %s", got, want)
	}
	if in, out := events[0], events[3]; in.Case != out.Case || out.Payload.(*schemas.ShiftSignedOut).Lawyer != lawyer || out.Source != in.Source {
		t.Errorf("the sign-out is %+v of %s", out.Payload, out.Case)
	}
	if c := events[1].Payload.(*schemas.ConsultationRecorded); c.Shift != events[0].Case.Key {
		t.Errorf("the consultation is of shift %q", c.Shift)
	}
	// The first device hears of it.
	a.wait(`!document.getElementById('shift-open').hidden`)
	a.visit()
	a.wait(`document.getElementById('shift-open').hidden && !document.getElementById('shift-form').hidden`)
	a.clean("device A")
	b.clean("device B")
}

func TestWhatOtherDevicesLeftOpenIsListedOnceAndGoesOn(t *testing.T) {
	s := newStation(t)
	s.cases.Store(true)
	a, b := newBrowser(t, s), newBrowser(t, s)
	a.begin()
	a.consult("p-one", "only")
	a.click("#tab-application")
	a.typed(applicationForm+` [name="person"]`, "p-two")
	a.choose(applicationForm, "in_custody", "true")
	a.click(applicationForm + " .actions button")
	a.click("#tab-notification")
	a.typed(notificationForm+` [name="person"]`, "p-three")
	a.choose(notificationForm, "organ", "court", "trigger", "accepted", "in_custody", "true")
	a.click(notificationForm + " .actions button")
	a.settled(3)
	s.request("p-four")
	a.visit()
	a.looked()
	a.wait(`document.querySelectorAll('#requests li').length === 1`)
	if n := eval[int](a, `document.querySelectorAll('#applications li, #notifications li, #unsigned li').length`); n != 2 {
		t.Errorf("device A lists %d cases, expected its own two, once", n)
	}

	b.begin()
	b.looked()
	b.wait(`['applications', 'notifications', 'unsigned', 'requests'].every(id => document.querySelectorAll('#' + id + ' > li').length === 1)`)
	for _, size := range []int64{1280, 360} {
		b.size(size, 800, size < 400)
		b.look(fmt.Sprintf("elsewhere-%d", size))
		b.fits("open cases of other devices")
		b.accessible("open cases of other devices")
	}
	if n := eval[int](b, `document.querySelectorAll('#entries > li').length`); n != 0 {
		t.Errorf("%d entries of others stand among today's of this device", n)
	}
	for list, sent := range map[string]int{"#applications": 0, "#notifications": 0, "#requests": 0} {
		b.click(list + " summary")
		if list == "#notifications" {
			b.choose(list, "form", "oral")
		}
		b.click(list + " form button:not([type])")
		b.wait(fmt.Sprintf(`document.querySelectorAll('%s > li').length === %d`, list, sent))
	}
	b.click(`#unsigned [data-act="sign"]`)
	b.settled(4)
	b.visit()
	b.wait(`document.querySelectorAll('#applications li, #notifications li, #unsigned li, #requests li').length === 0`)
	first := map[schemas.CaseID]bool{}
	for _, e := range s.stored() {
		if first[e.Case] && e.Type.Verb != "transferred" && e.Type.Verb != "given" && e.Type.Verb != "signed" && e.Type.Verb != "dispatched" {
			t.Errorf("%s of a case that had begun", e.Type.Name)
		}
		first[e.Case] = true
	}
	if len(first) != 4 || len(s.stored()) != 8 {
		t.Errorf("%d events of %d cases in the log", len(s.stored()), len(first))
	}
	b.clean("device B")
}

// request lets an organ ask for a lawyer, as its own system does.
func (s *station) request(person string) {
	s.t.Helper()
	event := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/stations/%s","type":"zhiban.help_request.received.v1","subject":"help_request/%s","time":%q,"data":{"organ":"court","person":%q}}`,
		uuid.NewString(), court, uuid.NewString(), s.now().Format("2006-01-02T15:04:05Z07:00"), person)
	res, err := http.Post(s.url+"/api/v1/events", "application/cloudevents+json", strings.NewReader(event))
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		s.t.Fatal(res.Status)
	}
}

func TestWithoutANetworkTheLastThatWasSeenStays(t *testing.T) {
	s := newStation(t)
	s.cases.Store(true)
	a, b := newBrowser(t, s), newBrowser(t, s)
	a.begin()
	a.click("#shift-form button")
	a.settled(1)
	b.begin()
	b.looked()
	b.wait(`document.body.dataset.offline === 'ready'`)
	s.cut.Store(true)
	b.do(chromedp.Reload())
	b.wait(ready)
	b.wait(`document.getElementById('elsewhere').textContent.startsWith('暂时连不上') && !document.getElementById('shift-open').hidden`)
	b.click("#sign-out")
	b.waiting(1)
	b.wait(`document.getElementById('shift-open').hidden`)
	s.cut.Store(false)
	eval[bool](b, `window.dispatchEvent(new Event('online'))`)
	b.settled(1)
	b.looked()
	if got := types(s.stored()); got != "shift.signed_in shift.signed_out" {
		t.Errorf("in the log: %s", got)
	}
}

func TestWhereNoCasesAreKnownTheDeskSaysSoAndWorks(t *testing.T) {
	s := newStation(t) // ingest alone
	b := newBrowser(t, s)
	b.begin()
	b.wait(`document.getElementById('elsewhere').dataset.why === 'alone'`)
	if got := b.text("#elsewhere"); got != messages["elsewhere.alone"].ZH {
		t.Errorf("the page says %q", got)
	}
	b.click("#shift-form button")
	b.settled(1)
	b.click("#sign-out")
	b.settled(2)
	b.clean("ingest alone")
}

func TestAShiftThatWasLeftOpenLongAgoDoesNotKeepFromSigningIn(t *testing.T) {
	s := newStation(t)
	s.cases.Store(true)
	a, b := newBrowser(t, s), newBrowser(t, s)
	a.begin()
	a.typed(`#shift-form [name="when"]`, s.now().AddDate(0, 0, -3).In(schemas.Shanghai).Format("2006-01-02T15:04:05"))
	a.click("#shift-form .big")
	a.settled(1)
	b.begin()
	b.looked()
	b.wait(`!document.getElementById('shift-open').hidden && !document.getElementById('shift-form').hidden`)
	b.look("left-open")
	b.click("#shift-form .big")
	b.settled(1)
	b.wait(`document.getElementById('shift-form').hidden && document.getElementById('shift-elsewhere').hidden`)
	b.click("#sign-out") // of today's
	b.settled(2)
	b.wait(`!document.getElementById('shift-open').hidden && !document.getElementById('shift-elsewhere').hidden`)
	b.click("#sign-out") // of the old one, which nobody did just now
	b.wait(`document.querySelector('#sign-out-form .error').textContent === '签到已过 24 小时，请补登实际的签退时间'`)
	events := s.stored()
	if got := types(events); got != "shift.signed_in shift.signed_in shift.signed_out" || events[1].Case != events[2].Case {
		t.Errorf("in the log: %s", got)
	}
}
