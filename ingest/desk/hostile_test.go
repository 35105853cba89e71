package desk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"zhiban/schemas"
)

// Whatever is asked of the desk, it answers: a page with no more elements than it
// should have, or that there is none, or that it takes no such request.
func FuzzAddresses(f *testing.F) {
	for _, path := range []string{"/desk", "/desk/220182-court", "/desk/999999-court", "/desk/static/0/desk.js", "/desk/static/0/../desk.go", "/desk/sw.js", "/desk/\x00", "/desk/<script>", "/desk//"} {
		f.Add(http.MethodGet, path, "lang=en", "")
	}
	f.Add(http.MethodGet, "/desk/220182-court", `lang="><script>alert(1)</script>&lang=en;%zz`, "")
	f.Add(http.MethodPost, "/desk", "", "station=220182-court&lawyer=%00")
	f.Add(http.MethodHead, "/desk/22CB00-detention-2", "lang=%ff", "")
	h := handler()
	scripts := func(page string) int { return strings.Count(page, "<script") }
	page := httptest.NewRecorder()
	h.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/desk", nil))
	f.Fuzz(func(t *testing.T, method, path, query, form string) {
		r := (&http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: http.NoBody, Host: "desk.test"}).WithContext(t.Context())
		if form != "" {
			r.Body = struct {
				*strings.Reader
				nothing
			}{strings.NewReader(form), nothing{}}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusMovedPermanently:
		default:
			t.Errorf("%s %q ?%q: %d %s", method, path, query, w.Code, w.Body)
		}
		if method != http.MethodGet && method != http.MethodHead && w.Code == http.StatusOK {
			t.Errorf("%s %q is answered with a page", method, path)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") && w.Body.Len() > 0 && (scripts(w.Body.String()) != scripts(page.Body.String()) || !bytes.Contains(w.Body.Bytes(), []byte("</html>"))) {
			t.Errorf("%s %q ?%q: the page is another one: %.2000s", method, path, query, w.Body)
		}
	})
}

type nothing struct{}

func (nothing) Close() error { return nil }

// plant writes records into the ledger of the device, past the page's script: good
// ones, between them one for every place of a good one with every hostile value
// there. It returns how many of each.
const plant = `(async () => {
  const url = document.querySelector('script[src$="desk.js"]').src;
  const [store, rules] = await Promise.all(['store.js', 'rules.js'].map(f => import(url.replace('desk.js', f))));
  await store.all(); // makes the ledger
  const good = () => ({ state: 'waiting', errors: [], event: { specversion: '1.0', id: rules.uuid7(), source: '/stations/220182-court', type: 'zhiban.consultation.recorded.v1',
    subject: 'consultation/' + rules.uuid7(), time: rules.shanghai(Date.now()), datacontenttype: 'application/json',
    data: { lawyer: '12201201810123456', channel: 'phone', person: 'p-1', person_role: 'suspect', topics: ['羁押期限'] } } });
  const circle = {}; circle.circle = circle;
  const values = [undefined, null, 0, -1, NaN, 1n, true, '', 'x', '<img src=x onerror=alert(1)>', '\u0000\ud800', '/', [], [[]], {}, { toString: 1 }, circle, new Date(0), 'y'.repeat(70000),
    '+275760-09-13T00:00:00Z', 'zhiban.shift.signed_in.v1', 'zhiban.consultation.corrected.v1', 'zhiban.consultation.voided.v1', 'zhiban.new.kind.v9', 'rejected', 'sent'];
  const places = [[], ['event'], ['state'], ['errors'], ['errors', 0], ...Object.keys(good().event).map(k => ['event', k]), ...Object.keys(good().event.data).map(k => ['event', 'data', k])];
  const records = [];
  let all = 0;
  for (const place of places) for (const v of values) {
    let r = good();
    if (place.length === 0) r = { event: v };
    else {
      let at = r;
      for (const k of place.slice(0, -1)) at = at[k];
      at[place.at(-1)] = v;
    }
    records.push(r);
    if (++all % 20 === 0) records.push({ ...good(), planted: true });
  }
  const db = await new Promise(done => { const q = indexedDB.open('zhiban-desk', 1); q.onsuccess = () => done(q.result); });
  const tx = db.transaction('events', 'readwrite');
  for (const r of records) tx.objectStore('events').add(r);
  await new Promise((done, failed) => { tx.oncomplete = done; tx.onabort = () => failed(tx.error); });
  db.close();
  return JSON.stringify({ good: records.filter(r => r.planted).map(r => r.event.id), all: records.length });
})()`

func TestWhatCannotBeReadLosesNoOtherEntry(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.begin()
	s.cut.Store(true)
	b.consult("p-before", "only")
	b.waiting(1)
	var planted struct {
		Good []string
		All  int
	}
	if err := json.Unmarshal([]byte(eval[string](b, plant, chromedp.EvalAwaitPromise)), &planted); err != nil {
		t.Fatal(err)
	}
	s.cut.Store(false)
	b.do(chromedp.Reload())
	b.wait(ready)
	b.consult("p-after", "only")
	b.waiting(0) // each is settled: sent, or refused with a reason
	b.wait(`document.body.dataset.rejected !== '0'`)
	sent := map[string]schemas.Event{}
	for _, e := range s.stored() {
		sent[e.ID.String()] = e
	}
	for _, id := range planted.Good {
		if _, ok := sent[id]; !ok {
			t.Errorf("entry %s was lost", id)
		}
	}
	persons := map[string]bool{}
	for _, e := range sent {
		if c, ok := e.Payload.(*schemas.ConsultationRecorded); ok {
			persons[c.Person] = true
		}
	}
	if !persons[s.keys.Pseudonym("p-before")] || !persons[s.keys.Pseudonym("p-after")] {
		t.Error("an entry of the page was lost")
	}
	left := eval[int](b, `import(document.querySelector('script[src$="desk.js"]').src.replace('desk.js', 'store.js')).then(s => s.all()).then(all => all.length)`, chromedp.EvalAwaitPromise)
	if left != planted.All+2 {
		t.Errorf("%d of %d records are left on the device", left, planted.All+2)
	}
	if got := b.text("#unreadable"); !strings.HasPrefix(got, "本机有 ") || !strings.Contains(got, "告知管理员") {
		t.Errorf("of what cannot be read the page says %q", got)
	}
	if eval[int](b, `[...document.querySelectorAll('#entries > li')].filter(li => li.querySelector('[data-state="rejected"]') && !li.querySelector('.problems li')).length`) > 0 {
		t.Error("an entry was refused without a reason")
	}
	if eval[bool](b, `document.querySelectorAll('img').length > 0`) {
		t.Error("text became an element")
	}
	b.clean("hostile records")
}

func TestSettingsThatCannotBeReadAreChosenAgain(t *testing.T) {
	s := newStation(t)
	b := newBrowser(t, s)
	b.open("/desk")
	for _, kept := range []string{``, `null`, `0`, `[]`, `"x"`, `{`, `{"names":null}`, `{"names":[1],"station":{},"lawyer":7}`, `{"station":"220182-court","lawyer":"12201201810123456","names":"x","mode":{},"agency":[],"stationNames":3}`,
		`{"station":"999999-court","lawyer":"0"}`, `{"names":{"12201201810123456":{"toString":1},"__proto__":"x"}}`, strings.Repeat("[", 5000)} {
		for _, key := range []string{"zhiban-desk", "zhiban-desk-open"} {
			eval[bool](b, fmt.Sprintf(`localStorage.clear(), localStorage.setItem(%q, %s), true`, key, quote(kept)))
			b.open("/desk/" + court)
			b.wait(`document.getElementById('main').hidden === false && (document.getElementById('setup').hidden !== document.getElementById('desk').hidden)`)
			b.clean(key + " " + kept)
		}
	}
	cases := `{"station":"220182-court","at":1,"total":2,"ended":[3],"cases":[null,{"subject":"shift/x","event":"0199a1c2-7d1e-7c3a-9a55-0242ac120001","type":"zhiban.shift.signed_in.v1","time":"2026-09-01T08:00:00Z","lawyer":{},"mode":[]},{"subject":"notification/y","event":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","type":"zhiban.notification.triggered.v1","time":"2026-09-01T08:00:00Z","organ":7}]}`
	eval[bool](b, `localStorage.clear(), localStorage.setItem('zhiban-desk', `+quote(`{"station":"220182-court","lawyer":"12201201810123456"}`)+`), localStorage.setItem('zhiban-desk-open', `+quote(cases)+`), true`)
	s.instead(nil)
	b.open("/desk")
	b.wait(`!document.getElementById('desk').hidden`)
	b.consult("p-one", "only")
	b.settled(1)
	b.clean("hostile cases")
}
