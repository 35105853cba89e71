package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

func (f *fake) waiting() int64 {
	n := int64(0)
	for _, r := range f.parked {
		if !r.Replayed {
			n++
		}
	}
	return n
}

func (f *fake) Parked(_ context.Context, _ report.Scope, cut report.Cut, offset, limit int) (report.ParkedPage, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.parked
	return report.ParkedPage{Cut: cut, Total: int64(len(all)), Waiting: f.waiting(), Records: slices.Clone(all[min(offset, len(all)):min(offset+limit, len(all))])}, f.down
}

func (f *fake) ParkedRecord(_ context.Context, _ report.Scope, _ report.Cut, partition int, offset int64) (report.Parked, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.parked {
		if r.Partition == partition && r.Offset == offset {
			return r, f.down
		}
	}
	return report.Parked{}, schemas.Errorf(schemas.NotFound, "nothing is parked at %d/%d", partition, offset)
}

// park makes up records that could not be read; the last was replayed.
func (f *fake) park() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.parked = []report.Parked{
		{Partition: 2, Offset: 4108, Recorded: f.now.Add(-time.Hour), Reason: "not a CloudEvent in JSON: jsontext: invalid character '<' at start of value", Bytes: 5120},
		{Partition: 0, Offset: 3977, ID: f.postings[0].Event, Type: "zhiban.shift.planned.v9", Source: "/stations/220182-court", Subject: "shift/0199a1c2-7d1e-7c3a-9a55-0242ac120001",
			Recorded: f.now.Add(-26 * time.Hour), Reason: `type "zhiban.shift.planned.v9" is not in the catalogue`, Fields: []string{"end", "lawyer", "mode", "start"}, Bytes: 412},
		{Partition: 1, Offset: 12, Type: "<script>alert(1)</script>", Source: "<b>", Subject: "no case", Recorded: f.now.Add(-50 * time.Hour), Reason: `id "<i>" is not a UUID`, Bytes: 33},
		{Partition: 1, Offset: 11, ID: f.postings[1].Event, Type: "zhiban.consultation.recorded.v1", Source: "/stations/220182-detention", Subject: "consultation/0199a1c2-7d1e-7c3a-9a55-0242ac120001",
			Recorded: f.now.Add(-99 * time.Hour), Reason: `data of zhiban.consultation.recorded.v1: json: cannot unmarshal JSON number … into Go int within "/minutes"`, Fields: []string{"minutes", "person"}, Bytes: 388, Replayed: true},
	}
}

// newReplayer is a dashboard that can have parked records read again.
func newReplayer(t *testing.T, f *fake, replay func(context.Context) (int, int, error)) *Server {
	t.Helper()
	s, err := New(Config{Poll: 100 * time.Millisecond, Now: func() time.Time { return fakeNow }, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Replay: replay}, f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// post sends an empty form from a site.
func post(t *testing.T, s *Server, path, site string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, nil)
	r.Header.Set("Sec-Fetch-Site", site)
	handler(s).ServeHTTP(w, r)
	return w
}

func TestParkedRecordsAreListedAndOpenedOneByOne(t *testing.T) {
	f := newFake()
	f.park()
	s := newServer(t, f)
	_, _, home := get(t, s, "/")
	if !strings.Contains(home, `<a href="/parked" class="alarm">3 条事件待处理</a>`) {
		t.Error("the pages do not lead to what is parked")
	}
	_, _, body := get(t, s, "/parked")
	if !strings.Contains(body, "共 4 条，其中暂存 3 条") || strings.Contains(body, "<script>alert") {
		t.Errorf("%s", body)
	}
	for _, r := range f.parked {
		path := "/parked/" + r.Place()
		if !strings.Contains(body, `<a href="`+path+`">`) {
			t.Errorf("no link %s", path)
		}
		code, _, one := get(t, s, path)
		words := append([]string{"zhiban deadletter show " + r.Place(), "只列属性和字段名"}, r.Fields...)
		for _, w := range words {
			if code != http.StatusOK || !strings.Contains(one, w) {
				t.Errorf("%s: %d, does not say %s", path, code, w)
			}
		}
		if opens := strings.Contains(one, `<a href="/events/`+r.ID.String()+`">查看补入的事件</a>`); opens != r.Replayed {
			t.Errorf("%s leads to its event: %v", path, opens)
		}
	}
	for _, path := range []string{"/parked/9/9", "/parked/99999/1", "/parked/a/b", "/parked/1"} {
		if code, _, _ := get(t, s, path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
}

func TestWithoutAWayToReplayThePageSaysTheCommand(t *testing.T) {
	f := newFake()
	s := newServer(t, f)
	if _, _, body := get(t, s, "/parked"); strings.Contains(body, "zhiban deadletter replay") || !strings.Contains(body, "没有待处理记录") {
		t.Error("nothing is parked, nothing is to be done")
	}
	f.park()
	if _, _, body := get(t, s, "/parked"); !strings.Contains(body, "<code>zhiban deadletter replay</code>") || strings.Contains(body, "<form") {
		t.Errorf("%s", body)
	}
	if w := post(t, s, "/parked", "same-origin"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("%d", w.Code)
	}
}

func TestReadingAgainTellsWhatCameOfIt(t *testing.T) {
	f := newFake()
	f.park()
	asked, fails := 0, error(nil)
	s := newReplayer(t, f, func(context.Context) (int, int, error) {
		asked++
		return 2, 1, fails
	})
	if _, _, body := get(t, s, "/parked?lang=en"); !strings.Contains(body, `<form class="do" method="post" action="/parked?lang=en">`) {
		t.Errorf("no button: %s", body)
	}
	w := post(t, s, "/parked?lang=en", "same-origin")
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || asked != 1 {
		t.Fatalf("%d to %q, asked %d times", w.Code, to, asked)
	}
	if _, _, body := get(t, s, to); !strings.Contains(body, "Read again: 2 appended, which count within seconds; 1 still cannot be read.") {
		t.Errorf("%s does not tell", to)
	}
	fails = errors.New("the log is at a secret address")
	w = post(t, s, "/parked", "same-origin")
	if _, _, body := get(t, s, w.Header().Get("Location")); asked != 2 || !strings.Contains(body, "重新读取没有完成") || strings.Contains(body, "secret") {
		t.Errorf("asked %d times: %s", asked, body)
	}
}

func TestAnotherSiteCannotHaveRecordsReadAgain(t *testing.T) {
	f := newFake()
	f.park()
	s := newReplayer(t, f, func(context.Context) (int, int, error) {
		t.Error("it could")
		return 0, 0, nil
	})
	if w := post(t, s, "/parked", "cross-site"); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "没有执行") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestFindingsLeadToWhatIsParkedAndToTheVerification(t *testing.T) {
	f := newFake()
	f.park()
	_, _, body := get(t, newServer(t, f), "/quality?month=2026-10")
	_, main, _ := strings.Cut(body, "<main")
	for _, link := range []string{`href="/parked?month=2026-10">3</a>`, `href="/verification?month=2026-10">`} {
		if !strings.Contains(main, link) {
			t.Errorf("no link %s", link)
		}
	}
}

// A clerk reads parked records again with the keyboard alone, and looks at what
// a verification found.
func TestParkedRecordsAndVerificationInABrowser(t *testing.T) {
	f := newFake()
	f.park()
	f.verify(9 * 24 * time.Hour)
	f.verify(30 * time.Hour)
	f.differ(f.verify(6 * time.Hour))
	s := newReplayer(t, f, func(context.Context) (int, int, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.parked[1].Replayed = true
		return 1, 2, nil
	})
	srv := httptest.NewServer(handler(s))
	t.Cleanup(srv.Close)
	b := newBrowser(t, srv.URL)
	pages := map[string]string{
		"differs": "/verification", "differs-english": "/verification?lang=en", "agrees": "/verification?as_of=2026-11-24T00:00:00Z",
		"waiting": "/parked", "waiting-english": "/parked?lang=en", "record": "/parked/0/3977", "replayed": "/parked/1/11",
	}
	look := func(suffix string, names ...string) {
		for _, name := range names {
			b.open(pages[name])
			b.look(name + suffix)
			b.fits(name + suffix)
			b.accessible(name + suffix)
			b.clean(name + suffix)
		}
	}
	look("", slices.Sorted(maps.Keys(pages))...)
	b.scheme("dark")
	look("-dark", "differs", "agrees", "waiting", "record")
	b.scheme("light")
	b.size(360, 780, true)
	look("-360", "differs", "waiting-english", "record")
	b.size(1440, 1000, false)
	b.open("/parked")
	b.do(chromedp.Focus("form.do button"), chromedp.KeyEvent("\r"))
	b.wait(`location.search.includes('replay=done') && document.querySelector('.note')?.textContent.includes('补入 1 条') === true`)
	b.look("read-again")
	b.clean("after reading again")
}
