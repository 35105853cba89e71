package upload

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/gorilla/mux"

	"zhiban/dashboard/assets/axe"
	"zhiban/schemas"
)

// browser is a tab of a headless Chromium that keeps what goes wrong in it.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu    sync.Mutex
	wrong []string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome", "headless-shell"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium on this machine: run `make chromium`, or install it (Debian: apt-get install chromium)")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900))
	alloc, stopAlloc := chromedp.NewExecAllocator(t.Context(), opts...)
	ctx, stop := chromedp.NewContext(alloc)
	b := &browser{t: t, ctx: ctx}
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		stop()
		stopAlloc()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // starts it, for as long as ctx lives
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, func(ev any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			b.wrong = append(b.wrong, "exception: "+e.ExceptionDetails.Text)
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == "error" || e.Entry.Level == "warning" {
				b.wrong = append(b.wrong, "log: "+e.Entry.Text+" "+e.Entry.URL)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *browser, js string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// clean fails when something went wrong in the tab.
func (b *browser) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.wrong {
		b.t.Error(w)
	}
	b.wrong = nil
}

// look keeps a picture (go test -artifacts -outputdir DIR).
func (b *browser) look(name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.readyState === 'complete' && document.body.offsetHeight > 0`)); err != nil {
		b.t.Fatal(err)
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
	if over := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
		b.t.Errorf("%s is %d px wider than the window", name, over)
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
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run(document).then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.target.join(' ') + ': ' + n.failureSummary)}))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
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

// drop drags files over the page and lets go.
func (b *browser) drop(files ...string) {
	b.t.Helper()
	at := eval[[]float64](b, `(r => [r.left + r.width / 2, r.top + r.height / 2])(document.getElementById('drop').getBoundingClientRect())`)
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for _, step := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
			if _, err := chromedp.Call(ctx, input.DispatchDragEvent, input.DispatchDragEventParams{Type: step, X: at[0], Y: at[1],
				Data: &input.DragData{Items: []*input.DragDataItem{}, Files: files, DragOperationsMask: 1}}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (b *browser) scheme(value string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}})
		return err
	}))
}

// ledgers writes the county's ledger, and a CSV beside it, where a browser can
// take them.
func ledgers(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	out := []string{filepath.Join(dir, "榆树法院2026年9月.xlsx"), filepath.Join(dir, "告知登记.csv")}
	text := "榆树市法律援助中心驻看守所值班律师工作站\n办案机关,告知事由,发生时间,是否在押,告知时间,告知方式,凭据\n" +
		"榆树市公安局,首次讯问,2026-09-03 10:00,是,2026-09-03 15:00,书面,送达回执 12\n榆树市公安局,首次讯问,2026-09-04 9:00,不知道,,,\n"
	for i, b := range [][]byte{county(t), []byte(text)} {
		if err := os.WriteFile(out[i], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestLedgersAreDroppedLookedAtAndConfirmed(t *testing.T) {
	url, p := site(t)
	b := newBrowser(t)
	b.do(chromedp.Navigate(url+Path), chromedp.WaitReady("#upload"))
	b.look("form")
	b.drop(ledgers(t)...)
	b.do(chromedp.WaitReady("#chosen li:nth-child(2)"))
	if got := eval[string](b, `document.getElementById('chosen').textContent`); !strings.Contains(got, "榆树法院2026年9月.xlsx") || !strings.Contains(got, "告知登记.csv") {
		t.Errorf("chosen: %s", got)
	}
	b.look("chosen")
	b.do(chromedp.Click("#upload button"), chromedp.WaitReady("#confirm"))
	if got := eval[[]string](b, `['accepted', 'repeated', 'rejected'].map(id => document.getElementById(id).textContent)`); strings.Join(got, " ") != "117 2 4" {
		t.Errorf("the dry run says %v", got)
	}
	if p.sent > 0 {
		t.Errorf("%d events were sent", p.sent)
	}
	b.look("dry")
	b.do(chromedp.Click("#confirm button"), chromedp.WaitReady("a.go"))
	if got := eval[string](b, `document.querySelector('h1').textContent`); got != "导入结果" || p.sent != 229 {
		t.Errorf("%s, %d events", got, p.sent)
	}
	b.look("sent")
	b.scheme("dark")
	b.look("sent-dark")
	b.accessible("the import in the dark")
	b.scheme("light")
	b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	b.look("sent-390")
	b.accessible("the import on a phone")
	b.do(chromedp.Navigate(url+Path+"?lang=en"), chromedp.WaitReady("#upload"))
	b.look("form-390-en")
	b.clean()
}

func TestThePageIsAccessibleAndSpeaksBothLanguages(t *testing.T) {
	b := newBrowser(t)
	for _, lang := range []string{"", "?lang=en"} {
		url, _ := site(t)
		b.do(chromedp.Navigate(url+Path+lang), chromedp.WaitReady("#upload"))
		b.accessible("the form" + lang)
		b.do(chromedp.SetUploadFiles("#files", ledgers(t)), chromedp.WaitReady("#chosen li:nth-child(2)"), chromedp.Click("#upload button"), chromedp.WaitReady("#confirm"))
		b.look("dry" + strings.TrimPrefix(lang, "?lang="))
		b.accessible("the dry run" + lang)
		want := map[string][]string{
			"":         {"是否在押「不知道」不认识，应为 是 或 否", "相同，只计一次", "2026年9月"},
			"?lang=en": {"是否在押 “不知道” is not known; it should be 是 (yes) or 否 (no)", "the same as row", "counts once", "September 2026"},
		}[lang]
		page := eval[string](b, `document.querySelector('main').innerText`)
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("the page%s lacks %q: %s", lang, text, page)
			}
		}
		b.do(chromedp.Click("#confirm button"), chromedp.WaitReady("a.go"))
		b.accessible("the import" + lang)
	}
	b.clean()
}

func TestWhatTheServerRefusesIsShownInThePage(t *testing.T) {
	url, _ := site(t)
	b := newBrowser(t)
	b.do(chromedp.Navigate(url+Path), chromedp.WaitReady("#upload"))
	b.drop(ledgers(t)...)
	b.do(chromedp.WaitReady("#chosen li"), chromedp.SendKeys("#station", "nowhere"), chromedp.Click("#upload button"), chromedp.WaitReady("#error:not(:empty)"))
	if got := eval[string](b, `document.getElementById('error').textContent`); got != "工作站代码不对，应像 220182-court： nowhere" {
		t.Error(got)
	}
	if eval[bool](b, `document.querySelector('#upload button').disabled || location.pathname !== '/import'`) {
		t.Error("the form cannot be sent again")
	}
}

func TestThePageWorksWithoutScript(t *testing.T) {
	url, p := site(t)
	b := newBrowser(t)
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}), chromedp.Navigate(url+Path), chromedp.SetUploadFiles("#files", ledgers(t)[:1]), chromedp.Click("#upload button"),
		chromedp.WaitReady("#confirm"), chromedp.Click("#confirm button"), chromedp.WaitReady("a.go"))
	if len(p.events) != 227 {
		t.Errorf("%d events", len(p.events))
	}
	b.clean()
}

func TestWhoIsLoggedOutMeanwhileIsLedToTheLogin(t *testing.T) {
	p := &platform{events: map[string]schemas.Envelope{}}
	router := mux.NewRouter()
	New(Config{Send: p.send, Known: p.known}).Register(router)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost { // as the gate answers
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"status":401,"detail":"log in"}`))
			return
		}
		router.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	b := newBrowser(t)
	for lang, want := range map[string]string{"": "登录已失效，没有处理。请重新登录后再试。 去登录 /login?next=%2Fimport", "?lang=en": "You are no longer logged in, and nothing was done. Log in and try again. Log in /login?next=%2Fimport%3Flang%3Den&lang=en"} {
		b.do(chromedp.Navigate(srv.URL+Path+lang), chromedp.WaitReady("#upload"), chromedp.SetUploadFiles("#files", ledgers(t)[:1]), chromedp.Click("#upload button"), chromedp.WaitReady("#error a"))
		if got := eval[string](b, `document.getElementById('error').textContent + ' ' + document.querySelector('#error a').getAttribute('href')`); got != want {
			t.Errorf("%s, expected %s", got, want)
		}
		b.look("logged-out" + strings.TrimPrefix(lang, "?lang="))
		b.accessible("logged out")
	}
}
