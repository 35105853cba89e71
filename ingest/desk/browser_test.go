package desk

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/gorilla/mux"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"zhiban/dashboard/assets/axe"
	"zhiban/ingest"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/ktable"
	"zhiban/schemas/seal"
)

// station is a desk beside a real ingest server and its log, behind a network
// that can be cut.
type station struct {
	t         *testing.T
	url       string
	cluster   *kfake.Cluster
	router    *mux.Router
	keys      *seal.Keyring
	cut       atomic.Bool
	loggedOut atomic.Bool   // the desk's own address leads to the login
	ahead     time.Duration // the clock of pages and server before the machine's
	cases     atomic.Bool   // whether the platform behind it knows cases
	who       atomic.Pointer[access.Identity]
	answer    atomic.Pointer[http.HandlerFunc] // answers to events in place of the server
}

func newStation(t *testing.T) *station {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, schemas.Topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	keys := keyring(t, cluster.ListenAddrs())
	in, err := ingest.New(ingest.Config{Brokers: cluster.ListenAddrs(), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	router := mux.NewRouter()
	in.Register(router)
	New(Config{}).Register(router)
	// It is ten in the morning: a test that runs at midnight is about one day too.
	now := time.Now()
	s := &station{t: t, cluster: cluster, router: router, keys: keys, ahead: schemas.DayOf(now).Start().Add(10 * time.Hour).Sub(now)}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.cut.Load() {
			panic(http.ErrAbortHandler) // the connection breaks off
		}
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		if s.cases.Load() && s.serveCases(w, r) {
			return
		}
		if s.loggedOut.Load() && r.URL.Path == Path {
			http.Redirect(w, r, "/login-page", http.StatusSeeOther)
			return
		}
		if r.URL.Path == "/login-page" {
			_, _ = w.Write([]byte("log in"))
			return
		}
		if r.URL.Path == "/login" { // which is not this package's: whoever goes there is logged in
			s.instead(nil)
			http.Redirect(w, r, access.LocalPath(r.URL.Query().Get("next")), http.StatusSeeOther)
			return
		}
		if r.URL.Path == "/api/v1/stations" { // the register is the dashboard's, which is elsewhere
			_, _ = w.Write([]byte(`{"stations":[]}`))
			return
		}
		if answer := s.answer.Load(); answer != nil && r.Method == http.MethodPost {
			(*answer)(w, r)
			return
		}
		s.serve(w, r)
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

// serve answers as behind the gate, in the name of the county's account unless
// another is logged in.
func (s *station) serve(w http.ResponseWriter, r *http.Request) {
	who := access.Identity{Account: "county", Role: access.County, Scope: access.Scope{Division: "220182"}}
	if other := s.who.Load(); other != nil {
		who = *other
	}
	s.router.ServeHTTP(w, r.WithContext(access.With(r.Context(), who)))
}

// keyring is one whose keys are in the log's cluster.
func keyring(t *testing.T, brokers []string) *seal.Keyring {
	t.Helper()
	table, err := ktable.Open(t.Context(), ktable.Config{Brokers: brokers, Topic: schemas.KeyTopic})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	file, err := seal.CreateKeyFile(filepath.Join(t.TempDir(), "keys.json"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.New(t.Context(), table, file, file.Pseudonyms())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// now is the time at the station.
func (s *station) now() time.Time { return time.Now().Add(s.ahead) }

// instead lets events be answered by answer; by the server again when nil.
func (s *station) instead(answer http.HandlerFunc) {
	if answer == nil {
		s.answer.Store(nil)
		return
	}
	s.answer.Store(&answer)
}

// stored is the log's content, every event once more validated as it came, in
// the order of the station's partition.
func (s *station) stored() []schemas.Event {
	s.t.Helper()
	events, err := s.log(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return events
}

func (s *station) log(ctx context.Context) ([]schemas.Event, error) {
	want := 0
	offsets := map[int32]kgo.Offset{}
	for _, p := range s.cluster.PartitionInfos(schemas.Topic) {
		want += int(p.HighWatermark - p.LogStartOffset)
		offsets[p.Partition] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(s.cluster.ListenAddrs()...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{schemas.Topic: offsets}))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var out []schemas.Event
	for len(out) < want {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			var env schemas.Envelope
			if err := json.Unmarshal(r.Value, &env); err != nil {
				s.t.Error(err)
			}
			env.RecordedTime, env.RecordedBy = "", ""
			raw, err := json.Marshal(env)
			if err != nil {
				s.t.Error(err)
			}
			_, ev, errs := schemas.Validate(raw)
			if len(errs) > 0 {
				s.t.Errorf("%s is not valid: %v", r.Value, errs)
			}
			out = append(out, ev)
		})
	}
	return out, nil
}

// types are the verbs of events, without the frame of their names.
func types(events []schemas.Event) string {
	var out []string
	for _, e := range events {
		out = append(out, string(e.Type.Case)+"."+e.Type.Verb)
	}
	return strings.Join(out, " ")
}

// browser is a tab of a headless Chromium, which keeps what no page may do:
// exceptions, what the policy refuses, and requests to anywhere else.
type browser struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu    sync.Mutex
	wrong []string
}

func newBrowser(t *testing.T, s *station) *browser {
	t.Helper()
	base := s.url
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Env("LANGUAGE=zh_CN", "TZ=America/New_York"), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900))
	alloc, stopAlloc := chromedp.NewExecAllocator(t.Context(), opts...)
	ctx, stop := chromedp.NewContext(alloc)
	b := &browser{t: t, ctx: ctx, base: base}
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		stop()
		stopAlloc()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // starts it, for as long as ctx lives
		t.Fatal(err)
	}
	b.set(s.ahead)
	err := chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			text := e.ExceptionDetails.Text
			if e.ExceptionDetails.Exception != nil {
				text += " " + e.ExceptionDetails.Exception.Description
			}
			b.note("exception: " + text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == "error" || e.Type == "warning" {
				b.note(fmt.Sprintf("console %s: %v", e.Type, e.Args))
			}
		case *cdplog.EventEntryAdded:
			// A request that failed is noted by the browser; that is what these tests do to it.
			if e.Entry.Level == "error" && e.Entry.Source != "network" {
				b.note("log: " + e.Entry.Text + " " + e.Entry.URL)
			}
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, base+"/") && !strings.HasPrefix(u, "data:") {
				b.note("request to another origin: " + u)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// set sets the clock of the tab's pages to be ahead of the machine's.
func (b *browser) set(ahead time.Duration) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, tg *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: fmt.Sprintf("{ const now = Date.now; Date.now = () => now() + %d; }", ahead.Milliseconds())})
		return err
	}))
}

// chromium finds the browser, or says how to get it.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Chromium on this machine: run `make chromium`, or install it (Debian: apt-get install chromium)")
	return ""
}

func (b *browser) note(s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong = append(b.wrong, s)
}

// clean fails when the page did what none may.
func (b *browser) clean(where string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.wrong {
		b.t.Errorf("%s: %s", where, w)
	}
	b.wrong = nil
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *browser, js string, o ...chromedp.EvaluateOption) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, o...))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// wait is until an expression is true.
func (b *browser) wait(expression string) {
	b.t.Helper()
	for begun := time.Now(); !eval[bool](b, expression); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			b.clean("while waiting")
			b.look("failed")
			b.t.Fatalf("not within 20 s: %s; the page says %s", expression, eval[string](b, "document.body.innerText"))
		}
	}
}

// look keeps a picture of the page among the test's artifacts, when these are kept
// (go test -artifacts -outputdir DIR): making one takes about a second.
func (b *browser) look(name string) {
	b.t.Helper()
	if kept := flag.Lookup("test.artifacts"); kept == nil || kept.Value.String() != "true" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) size(width, height int64, mobile bool) {
	b.t.Helper()
	var opts []chromedp.EmulateViewportOption
	if mobile {
		opts = append(opts, chromedp.EmulateMobile)
	}
	b.do(chromedp.EmulateViewport(width, height, opts...))
}

func (b *browser) scheme(value string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, tg *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}})
		return err
	}))
}

const ready = `document.body?.dataset.ready === 'true'`

// open goes to a page of the desk and waits until it takes entries.
func (b *browser) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + path))
	b.wait(ready)
}

// begin opens the court's desk for the lawyer, chosen as people choose.
func (b *browser) begin() {
	b.t.Helper()
	b.open("/desk/" + court)
	b.typed("#setup-lawyer", lawyer)
	b.click("#setup-form button")
	b.wait(`!document.getElementById('desk').hidden`)
}

func (b *browser) click(selector string) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`(e => !!e && e.getClientRects().length > 0)(document.querySelector(%q))`, selector))
	eval[bool](b, fmt.Sprintf(`document.querySelector(%q).click(), true`, selector))
}

// typed puts text into a field as typing does.
func (b *browser) typed(selector, text string) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`(e => { e.value = %s; e.dispatchEvent(new Event('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true})); return true; })(document.querySelector(%q))`, quote(text), selector))
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// settled waits until n events of the device are with the server and none
// waits.
func (b *browser) settled(n int) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`document.body.dataset.waiting === '0' && document.querySelectorAll('#entries [data-state="sent"]').length === %d`, n))
}

// choose picks options of the form in a panel: name, value, name, value …
func (b *browser) choose(form string, pairs ...string) {
	b.t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		b.click(fmt.Sprintf(`%s [name="%s"][value="%s"]`, form, pairs[i], pairs[i+1]))
	}
}

func (b *browser) text(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ''`, selector))
}

// fits fails when the page is wider than the window.
func (b *browser) fits(where string) {
	b.t.Helper()
	if over := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
		b.t.Errorf("%s is %d px wider than the window: %s", where, over,
			eval[string](b, `[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map(e => e.tagName + '#' + e.id + '.' + e.className).join(' ')`))
	}
}

// accessible fails on what axe finds serious or critical.
func (b *browser) accessible(where string) {
	b.t.Helper()
	script, err := axe.Script()
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Evaluate[chromedp.Void](script))
	found := eval[string](b, `axe.run(document).then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.target.join(' ') + ': ' + n.failureSummary)}))))`, chromedp.EvalAwaitPromise)
	var violations []struct {
		ID, Impact string
		Nodes      []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		if v.Impact == "serious" || v.Impact == "critical" {
			b.t.Errorf("%s: %s (%s) at %d places, the first %s", where, v.ID, v.Impact, len(v.Nodes), v.Nodes[0])
		}
	}
}
