package desk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"zhiban/ingest"
	"zhiban/schemas"
	"zhiban/schemas/access"
)

// consult enters a consultation; button is sign or only.
func (b *browser) consult(person, button string) {
	b.t.Helper()
	b.click("#tab-consultation")
	b.choose(consultationForm, "channel", "phone", "person_role", "suspect")
	b.typed(consultationForm+` [name="person"]`, person)
	b.click(consultationForm + fmt.Sprintf(` [value=%q]`, button))
}

func (b *browser) waiting(n int) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`document.body.dataset.waiting === '%d'`, n))
}

// onDevice are the ids and times of the device's ledger, in its order.
func (b *browser) onDevice() (ids []string, times []time.Time) {
	b.t.Helper()
	text := eval[string](b, `import(document.querySelector('script[src$="desk.js"]').src.replace('desk.js', 'store.js')).then(s => s.all()).then(all => JSON.stringify(all.map(r => r.event)))`, chromedp.EvalAwaitPromise)
	var events []schemas.Envelope
	if err := json.Unmarshal([]byte(text), &events); err != nil {
		b.t.Fatal(err)
	}
	for _, e := range events {
		at, err := time.Parse(time.RFC3339, e.Time)
		if err != nil || !strings.HasSuffix(e.Time, "+08:00") {
			b.t.Errorf("time %q: %v", e.Time, err)
		}
		ids, times = append(ids, e.ID), append(times, at)
	}
	return ids, times
}

func TestEntriesMadeWithoutANetworkArriveOnceInOrderWithTheirTime(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	b.wait(`document.body.dataset.offline === 'ready'`)
	s.cut.Store(true)
	b.click("#shift-form button")
	b.waiting(1)
	b.consult("p-one", "sign")
	b.waiting(3)
	b.consult("p-two", "only")
	b.waiting(4)
	b.wait(`document.getElementById('unsent').textContent.includes('离线 · 待发送 4')`)
	b.look("offline")

	// Loaded anew without a network, the desk is there with all it had.
	b.do(chromedp.Reload())
	b.wait(ready)
	b.waiting(4)
	b.wait(`document.querySelectorAll('#entries [data-state="waiting"]').length === 4 && !document.getElementById('shift-open').hidden`)
	b.click("#sign-out")
	b.waiting(5)
	ids, times := b.onDevice()

	// The page is left; the next visit has a network.
	b.do(chromedp.Navigate("about:blank"))
	s.cut.Store(false)
	b.open("/desk")
	b.settled(5)
	events := s.stored()
	if got, want := types(events), "shift.signed_in consultation.recorded consultation.recorded consultation.signed shift.signed_out"; got != want {
		t.Fatalf("in the log: %s, expected %s: each case in its order", got, want)
	}
	for _, e := range events {
		i := slices.Index(ids, e.ID.String())
		if i < 0 || !times[i].Equal(e.Time) {
			t.Errorf("%s %s of %s is not as it was entered", e.Type.Name, e.ID, e.Time)
		}
	}
	b.wait(`document.getElementById('unsent').textContent === '全部已送达'`)
}

func TestTheNetworkComesBackWhileTheDeskIsOpen(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	s.cut.Store(true)
	b.consult("p-one", "sign")
	b.waiting(2)
	s.cut.Store(false)
	eval[bool](b, `window.dispatchEvent(new Event('online'))`)
	b.settled(2)
	if got := types(s.stored()); got != "consultation.recorded consultation.signed" {
		t.Errorf("in the log: %s", got)
	}
	b.clean("the network came back")
}

func TestTwoTabsAreOneDesk(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	ctx, stop := chromedp.NewContext(b.ctx)
	defer stop()
	other := &browser{t: t, ctx: ctx, base: s.url}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	other.set(s.ahead)
	other.open("/desk")
	s.cut.Store(true)
	b.consult("p-one", "only")
	other.waiting(1)
	other.consult("p-two", "only")
	b.waiting(2)
	s.cut.Store(false)
	eval[bool](b, `window.dispatchEvent(new Event('online'))`)
	eval[bool](other, `window.dispatchEvent(new Event('online'))`)
	b.settled(2)
	other.settled(2)
	if got := s.stored(); len(got) != 2 {
		t.Errorf("in the log: %s", types(got))
	}
	b.clean("two tabs")
}

func TestAnAnswerThatIsLost(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	s.instead(func(_ http.ResponseWriter, r *http.Request) {
		s.serve(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler) // the log has it, the desk does not know
	})
	b.consult("p-one", "only")
	b.wait(`document.getElementById('unsent').textContent.includes('待发送 1')`)
	b.wait(`document.getElementById('unsent').textContent.includes('离线')`)
	s.instead(nil)
	b.click("#unsent")
	b.settled(1)
	events := s.stored()
	if len(events) < 2 {
		t.Fatalf("%d events in the log; the first answer was not lost", len(events))
	}
	for _, e := range events {
		if e.ID != events[0].ID || !e.Time.Equal(events[0].Time) || string(e.Data) != string(events[0].Data) {
			t.Errorf("sent again, the event is another: %+v and %+v", e, events[0])
		}
	}
}

func TestAClockThatIsNotSetIsTold(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	s.instead(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.now().Add(-2*time.Hour-10*time.Second).UTC().Format(http.TimeFormat))
		s.serve(w, r)
	})
	b.consult("p-one", "only")
	b.wait(`document.getElementById('clock').textContent.includes('快 2 小时 0 分')`)
	s.instead(nil)
	b.consult("p-two", "only")
	b.wait(`document.getElementById('clock').hidden`)
	b.clean("the clock")
}

func TestABusyServerIsAskedAgain(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	sent := 0
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"busy", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, `{"title":"Too Many Requests","status":429}`, http.StatusTooManyRequests)
		}, "服务器忙"},
		{"the log does not acknowledge", func(w http.ResponseWriter, r *http.Request) {
			refuse(w, r, http.StatusServiceUnavailable, func(schemas.Envelope) (bool, string, string) { return true, "event", "the log did not acknowledge it" })
		}, "服务器忙"},
		{"a page of somebody else", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>请登录网络</html>")) }, "服务器暂不可用"},
		{"not logged in", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "需要登录"},
	} {
		s.instead(tt.answer)
		b.consult("p-one", "sign")
		b.wait(`document.getElementById('unsent').textContent.includes(` + quote(tt.want) + `)`)
		b.waiting(2)
		s.instead(nil)
		sent += 2
		b.settled(sent) // by itself, after a pause
		if got := s.stored(); len(got) != sent || types(got[sent-2:]) != "consultation.recorded consultation.signed" {
			t.Errorf("%s: in the log: %s", tt.name, types(got))
		}
	}
	b.clean("a busy server")
}

func TestWhoIsLoggedOutLosesNothingAndSendsAfterTheLogin(t *testing.T) {
	for status, name := range map[int]string{http.StatusUnauthorized: "logged-out", http.StatusForbidden: "forbidden"} {
		t.Run(name, func(t *testing.T) {
			s := newStation(t)
			b := newBrowser(t, s)
			b.begin()
			s.instead(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(status)
				_, _ = w.Write([]byte(`{"detail":"log in"}`))
			})
			b.consult("p-one", "sign")
			b.wait(`!document.getElementById('login').hidden`)
			b.waiting(2)
			if got := b.text("#login"); !strings.Contains(got, "请重新登录") {
				t.Errorf("the page says %s", got)
			}
			b.look(name)
			b.accessible(name)
			b.size(390, 844, true)
			b.fits(name)
			b.look(name + "-390")
			b.do(chromedp.Reload())
			b.wait(ready)
			b.wait(`!document.getElementById('login').hidden`)
			b.waiting(2)
			if len(s.stored()) != 0 {
				t.Error("events reached the log")
			}
			if got := eval[string](b, `document.querySelector('#login a').getAttribute('href')`); got != "/login?next=%2Fdesk%2F220182-court" {
				t.Errorf("leads to %s", got)
			}
			eval[bool](b, `window.old = true`)
			b.click("#login a") // which leads back here
			b.wait(`!window.old && ` + ready)
			b.settled(2)
			b.wait(`document.getElementById('login').hidden`)
			if got := types(s.stored()); got != "consultation.recorded consultation.signed" {
				t.Errorf("in the log: %s", got)
			}
			b.clean(name)
		})
	}
}

// refuse answers events as ingest does, with what judge says of each: retry,
// location and message; accepted when there is no location.
func refuse(w http.ResponseWriter, r *http.Request, status int, judge func(schemas.Envelope) (retry bool, location, message string)) {
	var events []schemas.Envelope
	if err := json.NewDecoder(r.Body).Decode(&events); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	results := []ingest.Result{}
	for _, e := range events {
		retry, location, message := judge(e)
		result := ingest.Result{ID: e.ID, Status: ingest.Accepted}
		if location != "" {
			result = ingest.Result{ID: e.ID, Status: ingest.Rejected, Retry: retry, Errors: []schemas.FieldError{{Location: location, Message: message}}}
		}
		results = append(results, result)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"results": results})
}

func wrongMinutes(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, http.StatusUnprocessableEntity, func(schemas.Envelope) (bool, string, string) {
		return false, "data.minutes", "expected number <= 1440, found 9999"
	})
}

func TestARefusedEntryIsMended(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	s.instead(wrongMinutes)
	b.consult("p-one", "sign")
	b.wait(`document.body.dataset.rejected === '1' && document.body.dataset.waiting === '1'`) // what follows in the case waits
	if got := b.text("#entries .problems"); got != "时长（分钟）：超出允许的范围" {
		t.Errorf("why it was refused: %q", got)
	}
	b.look("refused")
	b.do(chromedp.Reload())
	b.wait(ready)
	b.wait(`document.body.dataset.rejected === '1' && !!document.querySelector('#entries .problems')`)
	ids, _ := b.onDevice()
	s.instead(nil)
	b.click(`#entries [data-act="mend"]`)
	b.wait(`document.querySelector('#edit [data-field="minutes"] .error').textContent === '超出允许的范围'`)
	b.look("mend")
	b.typed(`#edit [name="minutes"]`, "25")
	b.click(`#edit [data-role="save"]`)
	b.settled(2)
	events := s.stored()
	if got := types(events); got != "consultation.recorded consultation.signed" {
		t.Fatalf("in the log: %s", got)
	}
	if c := events[0].Payload.(*schemas.ConsultationRecorded); c.Minutes == nil || *c.Minutes != 25 || c.Person != s.keys.Pseudonym("p-one") || events[0].ID.String() != ids[0] {
		t.Errorf("mended: %+v with id %s, expected %s", c, events[0].ID, ids[0])
	}
	b.clean("mended")
}

func TestARefusedEntryIsDiscardedWhenAsked(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	s.instead(wrongMinutes)
	b.consult("p-one", "sign")
	b.wait(`document.body.dataset.rejected === '1'`)
	b.click(`#entries [data-act="discard"]`)
	b.wait(`document.getElementById('ask').open && document.getElementById('ask-text').textContent.includes('1 条也会一并放弃')`)
	// Whoever says no and asks again at once: the event that the dialog closed comes
	// when it is open for the second question, which it does not answer.
	eval[bool](b, `new Promise((closed) => {
		document.getElementById('ask').addEventListener('close', () => closed(true), { once: true });
		document.querySelector('#ask [value="no"]').click();
		document.querySelector('#entries [data-act="discard"]').click();
	})`, chromedp.EvalAwaitPromise)
	b.wait(`document.getElementById('ask').open && document.querySelectorAll('#entries > li').length === 2`)
	b.click("#ask-yes")
	b.wait(`document.querySelectorAll('#entries > li').length === 0 && document.body.dataset.rejected === '0' && document.body.dataset.waiting === '0'`)
	if events := s.stored(); len(events) != 0 {
		t.Errorf("in the log: %s", types(events))
	}
	b.clean("discarded")
}

func TestCorrectingAndVoiding(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	b.click("#shift-form button")
	b.settled(1)
	b.consult("p-one", "sign")
	b.settled(3)
	b.click(`#entries [data-type="zhiban.consultation.recorded.v1"] [data-act="correct"]`)
	b.choose("#edit", "person_role", "relative", "has_defender", "true")
	b.click(`#edit [data-role="save"]`)
	b.wait(`document.querySelector('#edit [data-field="reason"] .error').textContent === '请写明理由'`)
	b.typed("#edit-reason", "登记有误")
	b.click(`#edit [data-role="save"]`)
	b.settled(4)
	b.click("#sign-out")
	b.settled(5)
	b.click(`#entries [data-type="zhiban.shift.signed_out.v1"] [data-act="void"]`)
	b.click(`#edit [data-reason="重复登记"]`)
	b.click(`#edit [data-role="save"]`)
	b.settled(6)
	b.wait(`!document.getElementById('shift-open').hidden`) // the shift goes on
	b.look("corrected")
	events := s.stored()
	if got := types(events); got != "shift.signed_in consultation.recorded consultation.signed consultation.corrected shift.signed_out shift.voided" {
		t.Fatalf("in the log: %s", got)
	}
	c := events[3].Payload.(*schemas.Corrected)
	var data schemas.ConsultationRecorded
	if err := json.Unmarshal(c.Data, &data); err != nil {
		t.Fatal(err)
	}
	before := events[1].Payload.(*schemas.ConsultationRecorded)
	if c.Target != events[1].ID.String() || c.Reason != "登记有误" || c.Time != "" || events[3].Case != events[1].Case ||
		data.PersonRole != "relative" || data.HasDefender == nil || !*data.HasDefender || data.Person != s.keys.Pseudonym("p-one") || data.Lawyer != lawyer || data.Shift != before.Shift || data.Shift == "" {
		t.Errorf("the correction is %+v of %+v", c, data)
	}
	if v := events[5].Payload.(*schemas.Voided); v.Target != events[4].ID.String() || v.Reason != "重复登记" {
		t.Errorf("the void is %+v", v)
	}
	if row := b.text(`#entries [data-type="zhiban.consultation.recorded.v1"]`); !strings.Contains(row, "近亲属") || !strings.Contains(row, "已更正") || !strings.Contains(row, "更正：登记有误") {
		t.Errorf("the row says %q", row)
	}
	b.clean("corrected")
}

// At a quarter to nine somebody sees that yesterday's shift is still open and a
// line of it unsigned.
func TestYesterdayIsMadeGood(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	yesterday := s.now().Add(-24 * time.Hour).In(schemas.Shanghai).Format("2006-01-02T15:04:05")
	b.typed(`#shift-form [name="when"]`, yesterday)
	b.click("#shift-form .big")
	b.settled(1)
	b.consult("p-one", "only")
	b.settled(2)
	b.wait(`document.getElementById('shift-span').textContent.startsWith('24 小时 ')`)
	b.typed(`#sign-out-form [name="when"]`, "2020-01-01T08:00:00")
	b.click("#sign-out")
	b.wait(`document.querySelector('#sign-out-form .error').textContent.startsWith('不能早于签到时间')`)
	b.typed(`#sign-out-form [name="when"]`, "2099-01-01T08:00:00")
	b.click("#sign-out")
	b.wait(`document.querySelector('#sign-out-form .error').textContent.startsWith('时间还没有到')`)
	b.typed(`#sign-out-form [name="when"]`, yesterday)
	b.click("#sign-out")
	b.settled(3)
	events := s.stored()
	if in, out := events[0].Time, events[2].Time; !in.Equal(out) || in.In(schemas.Shanghai).Format("2006-01-02T15:04:05") != yesterday {
		t.Errorf("signed in %s, out %s, expected %s", in, out, yesterday)
	}
	// Another lawyer at the same device cannot sign for the first.
	b.click("#change")
	b.typed("#setup-lawyer", "12201201810654321")
	b.click("#setup-form button")
	b.wait(`document.getElementById('lawyer').textContent === '…654321' && !document.getElementById('desk').hidden`)
	b.wait(`!document.querySelector('#entries [data-act="sign"]') && !!document.querySelector('#entries .unsigned')`)
	b.clean("yesterday")
}

func TestHostileTextIsText(t *testing.T) {
	const hostile = `"><img src=x onerror=alert(1)></script><script>alert(2)</script>%s$&`
	s := newStation(t)
	b := newBrowser(t, s)
	b.open("/desk/" + court)
	b.typed("#setup-lawyer", lawyer)
	b.typed(`#setup-form [name="name"]`, hostile[:20])
	b.click("#setup-form button")
	b.click("#tab-application")
	b.choose(applicationForm, "in_custody", "false")
	b.click(applicationForm + " .actions button")
	b.settled(1)
	b.click("#applications summary")
	b.typed(`#applications [name="agency"]`, hostile)
	b.click("#applications form button:not([type])")
	b.settled(2)
	b.click(`#entries [data-type="zhiban.application.transferred.v1"] [data-act="void"]`)
	b.typed("#edit-reason", hostile)
	b.click(`#edit [data-role="save"]`)
	b.settled(3)
	if got := b.text("#entries"); strings.Count(got, hostile) != 2 {
		t.Errorf("the page says %q", got)
	}
	if n := eval[int](b, `document.querySelectorAll('img, #entries script').length`); n != 0 {
		t.Errorf("%d elements came out of text", n)
	}
	events := s.stored()
	if a := events[1].Payload.(*schemas.ApplicationTransferred); a.Agency != hostile {
		t.Errorf("agency %q", a.Agency)
	}
	b.clean("hostile text")
	b.open("/desk/" + court + "?lang=%3Cscript%3E")
	b.clean("hostile address")
}

// press sends tabs until the element has the focus, which must be seen.
func (b *browser) press(selector string) {
	b.t.Helper()
	for range 40 {
		b.do(chromedp.KeyEvent("\t"))
		if eval[bool](b, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			return
		}
	}
	b.t.Fatalf("%s was not reached by the tab key", selector)
}

func TestSigningInWithKeysAlone(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.open("/desk/" + court)
	b.press("#setup-lawyer")
	b.do(chromedp.KeyEvent("1220"), chromedp.KeyEvent("\r"))
	b.wait(`document.getElementById('setup-lawyer-error').textContent === '执业证号是 17 位数字' && document.activeElement.id === 'setup-lawyer'`)
	b.do(chromedp.KeyEvent(lawyer[4:]), chromedp.KeyEvent("\r"))
	b.wait(`document.activeElement.name === 'mode'`)
	b.press(`[name="badge"]`)
	b.do(chromedp.KeyEvent(" "), chromedp.KeyEvent("\r"))
	b.settled(1)
	b.wait(`document.activeElement.id === 'sign-out'`)
	b.do(chromedp.KeyEvent("\r"))
	b.settled(2)
	events := s.stored()
	if got := types(events); got != "shift.signed_in shift.signed_out" {
		t.Errorf("in the log: %s", got)
	}
	if in := events[0].Payload.(*schemas.ShiftSignedIn); in.Lawyer != lawyer || in.Badge == nil || !*in.Badge {
		t.Errorf("signed in: %+v", in)
	}
	b.clean("keys alone")
}

func TestTheDeskRemembersAndSuggests(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.open("/desk")
	b.typed(`#setup-form [name="prefecture"]`, "220100")
	b.typed(`#setup-form [name="county"]`, "220182")
	b.click(`#setup-form [name="kind"][value="detention"]`)
	b.typed("#setup-lawyer", lawyer)
	b.click("#setup-form button")
	b.wait(`location.pathname === '/desk/220182-detention'`)
	b.wait(`document.querySelector('` + consultationForm + ` [value="in_custody"]').checked`) // what is usual in a detention centre
	b.consult("p-one", "only")
	b.settled(1)
	b.open("/desk")
	b.wait(`!document.getElementById('desk').hidden && location.pathname === '/desk/220182-detention'`)
	b.typed(consultationForm+` [data-role="again"]`, "p-one")
	b.wait(`document.querySelector('` + consultationForm + ` [name="person"]').value === 'p-one'`)
	b.wait(`document.querySelector('` + consultationForm + ` [data-warning]').hidden`)
	b.choose(consultationForm, "has_defender", "true")
	b.wait(`document.querySelector('` + consultationForm + ` [data-warning]').textContent.startsWith('已有辩护人')`)
	b.open("/desk/999999-court")
	b.wait(`document.getElementById('notice').textContent.includes('999999-court')`)
	b.clean("remembers")
}

func TestRules(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.open("/desk")
	rule := func(call string) string {
		return eval[string](b, `import(document.querySelector('script[src$="desk.js"]').src.replace('desk.js', 'rules.js')).then(r => JSON.stringify(`+call+`))`, chromedp.EvalAwaitPromise)
	}
	for person, want := range map[string]string{
		"": "wrong.required", "p-7f3a91": "", "2026/118": "", "A": "", strings.Repeat("a", 64): "", strings.Repeat("a", 65): "wrong.person",
		"王立新": "wrong.person.name", "p-王": "wrong.person.name", "𠮷野": "wrong.person.name", "220182198001010013": "wrong.person.number", "22018219800101001X": "wrong.person.number",
		"220182-19800101-001x": "wrong.person.number", "220182800101001": "wrong.person.number", "id220182198001010013": "wrong.person.number", "a b": "wrong.person", "<b>": "wrong.person", "-a": "wrong.person",
	} {
		if got := rule("r.wrongPerson(" + quote(person) + ")"); got != quote(want) {
			t.Errorf("person %q: %s, expected %q", person, got, want)
		}
	}
	type duty struct {
		Organ     string      `json:"organ"`
		Day       schemas.Day `json:"day"`
		InCustody bool        `json:"in_custody"`
	}
	var duties []duty
	var want []schemas.Day
	for day := schemas.Date(2026, time.January, 1); day <= schemas.Date(2026, time.December, 31); day++ {
		for _, organ := range []string{"police", "state_security", "procuratorate", "court"} {
			for _, inCustody := range []bool{true, false} {
				duties = append(duties, duty{organ, day, inCustody})
				want = append(want, schemas.NotificationDue(organ, day, inCustody))
			}
		}
	}
	asked, err := json.Marshal(duties)
	if err != nil {
		t.Fatal(err)
	}
	days, err := json.Marshal(exceptions(schemas.Date(2025, time.December, 1), schemas.Date(2027, time.January, 31)))
	if err != nil {
		t.Fatal(err)
	}
	var got []schemas.Day
	if err := json.Unmarshal([]byte(rule(string(asked)+".map(d => r.lastDay(d.organ, d.day, d.in_custody, "+string(days)+"))")), &got); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%+v: the last day is %s, expected %s", duties[i], got[i], want[i])
		}
	}
	if ms := rule("r.moment('2026-09-01T08:31')"); ms != "1788222660000" {
		t.Errorf("2026-09-01 08:31 of the station is %s", ms)
	}
}

func TestAnotherStationsAccountIsTold(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	s.who.Store(&access.Identity{Account: "neighbour", Role: access.Station, Scope: access.Scope{Station: "220183-court"}})
	b.consult("p-one", "only")
	b.wait(`document.body.dataset.rejected === '1'`)
	if got := b.text("#entries .problems"); !strings.Contains(got, "请换用本站账号登录后重发") || strings.Contains(got, "your account") {
		t.Errorf("the page says %s", got)
	}
	b.look("neighbour")
	s.who.Store(nil)
	b.click(`#entries [data-act="mend"]`)
	b.click(`#edit [data-role="save"]`)
	b.settled(1)
	if got := types(s.stored()); got != "consultation.recorded" {
		t.Errorf("in the log: %s", got)
	}
	b.clean("another station's account")
}

// A worker that is installed when the login has just ended must not keep the
// login's page as the desk.
func TestTheLoginIsNeverKeptAsTheDesk(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	s.loggedOut.Store(true)
	b.open("/desk/" + court)
	if got := eval[string](b, `new Promise(async (done) => {
		const r = await navigator.serviceWorker.register('/desk/sw.js', { scope: '/desk' });
		const w = r.installing ?? r.waiting ?? r.active;
		const tell = () => { if (w.state !== 'installing') done(w.state); };
		w.addEventListener('statechange', tell);
		tell();
	})`, chromedp.EvalAwaitPromise); got != "redundant" {
		t.Errorf("the worker is %s, expected redundant", got)
	}
	s.loggedOut.Store(false)
	b.do(chromedp.Reload())
	b.wait(`document.body?.dataset.offline === 'ready'`)
	if got := eval[string](b, `caches.match('/desk').then(a => a.text())`, chromedp.EvalAwaitPromise); !strings.Contains(got, `id="desk"`) {
		t.Errorf("kept is %s", got)
	}
}
