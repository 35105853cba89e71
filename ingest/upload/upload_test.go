package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/mux"

	"zhiban/ingest/ledger"
	"zhiban/schemas"
	"zhiban/schemas/access"
)

// platform stands for the server: it takes what is valid, once.
type platform struct {
	mu     sync.Mutex
	events map[string]schemas.Envelope
	sent   int
	away   bool
	by     []string // in whose name what was sent
}

func (p *platform) send(ctx context.Context, events []schemas.Envelope) ([]ledger.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by = append(p.by, access.From(ctx).Account)
	if p.away {
		return nil, errors.New("connection refused")
	}
	var out []ledger.Result
	for _, e := range events {
		p.events[e.ID] = e
		p.sent++
		out = append(out, ledger.Result{ID: e.ID, Accepted: true})
	}
	return out, nil
}

func (p *platform) known(_ context.Context, ids []string) (map[string]schemas.Envelope, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]schemas.Envelope{}
	for _, id := range ids {
		if e, ok := p.events[id]; ok {
			out[id] = e
		}
	}
	return out, nil
}

// site is the page on an address of its own.
func site(t *testing.T) (string, *platform) {
	t.Helper()
	p := &platform{events: map[string]schemas.Envelope{}}
	page := New(Config{Send: p.send, Known: p.known, Log: slog.New(slog.DiscardHandler)})
	r := mux.NewRouter()
	page.Register(r)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { // in place of the gate
		account := "clerk"
		if a, ok := req.Header["Account"]; ok {
			account = a[0]
		}
		r.ServeHTTP(w, req.WithContext(access.With(req.Context(), access.Identity{Account: account, Role: access.County, Scope: access.Scope{Division: "220182"}})))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, p
}

func county(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile("../ledger/testdata/yushu-court-2026-09.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// form is a multipart form with files.
func form(t *testing.T, station string, files map[string][]byte) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("station", station)
	for name, data := range files {
		f, err := w.CreateFormFile("files", name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write(data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b, w.FormDataContentType()
}

// answer is a response that was read.
type answer struct {
	*http.Response
	text string
}

func do(t *testing.T, method, url string, body io.Reader, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	jar, _ := cookiejar.New(nil)
	res, err := (&http.Client{Jar: jar}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res, string(b)}
}

func post(t *testing.T, url, station string, files map[string][]byte) answer {
	t.Helper()
	body, media := form(t, station, files)
	return do(t, http.MethodPost, url, body, "Content-Type", media)
}

func (a answer) want(t *testing.T, status int, texts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s %s: %s, want %d", a.Request.Method, a.Request.URL, a.Status, status)
	}
	for _, text := range texts {
		if !strings.Contains(a.text, text) {
			t.Errorf("%s does not hold %s:\n%s", a.Request.URL, text, a.text)
		}
	}
}

func TestAnUploadIsADryRunUntilItIsConfirmed(t *testing.T) {
	url, p := site(t)
	dry := post(t, url+Path, "", map[string][]byte{"榆树法院.xlsx": county(t)})
	dry.want(t, http.StatusOK, "<h1>试运行结果</h1>", `<b id="accepted">116</b>`, `<b id="repeated">2</b>`, `<b id="rejected">3</b>`, "<b>227</b>",
		"执业证号「22011999」不是 17 位数字（是 8 位）", `<td class="num">40</td>`, "与第5行相同，只计一次", "没有律师签字，导入后显示为未签字（第11、42、49、54、77行）", "确认导入")
	if p.sent > 0 {
		t.Fatalf("a dry run sent %d events", p.sent)
	}
	report := dry.Request.URL.String()
	marked := do(t, http.MethodGet, report+"/copy/0", nil)
	marked.want(t, http.StatusOK)
	if d := marked.Header.Get("Content-Disposition"); !strings.Contains(d, "filename*=UTF-8''%E6%A6%86%E6%A0%91%E6%B3%95%E9%99%A2.%E5%AF%BC%E5%85%A5%E7%BB%93%E6%9E%9C.xlsx") {
		t.Error(d)
	}
	l, err := ledger.Read("a.xlsx", strings.NewReader(marked.text), ledger.ReadOptions{})
	if err != nil || len(l.Events) != 227 {
		t.Errorf("the marked copy: %v", err)
	}

	sent := do(t, http.MethodPost, report, nil)
	sent.want(t, http.StatusOK, "<h1>导入结果</h1>", `<b id="accepted">116</b>`, `<b id="rejected">3</b>`, "服务器收下</dt><dd>227 条事件", "下载标注副本", "再导入别的文件")
	do(t, http.MethodPost, report, nil).want(t, http.StatusOK, "<h1>导入结果</h1>")
	if p.sent != 227 || len(p.events) != 227 {
		t.Errorf("%d events were sent, %d are there", p.sent, len(p.events))
	}
	do(t, http.MethodGet, report+"/copy/0", nil).want(t, http.StatusOK)
	do(t, http.MethodGet, report+"/progress", nil).want(t, http.StatusOK, `{"sending":false,"file":"榆树法院.xlsx","done":227,"total":227}`)

	// The same file a second time: all of it is there already.
	again := post(t, url+Path, "", map[string][]byte{"榆树法院.xlsx": county(t)})
	again.want(t, http.StatusOK, "将发送</dt><dd>0 条事件", "此前已导入</dt><dd>227 条事件", "这些行此前都已导入，没有要发送的。")
	do(t, http.MethodPost, again.Request.URL.String(), nil).want(t, http.StatusOK, "此前已导入</dt><dd>227 条事件")
	if p.sent != 227 {
		t.Errorf("%d events were sent", p.sent)
	}
}

func TestAnUploadIsItsAccountsAlone(t *testing.T) {
	url, p := site(t)
	report := post(t, url+Path, "", map[string][]byte{"榆树法院.xlsx": county(t)}).Request.URL.String()
	for _, other := range []string{"neighbour", "", "CLERK"} {
		for _, path := range []string{"", "/progress", "/copy/0"} {
			do(t, http.MethodGet, report+path, nil, "Account", other).want(t, http.StatusNotFound, "已过期或不存在")
		}
		do(t, http.MethodPost, report, nil, "Account", other).want(t, http.StatusNotFound, "已过期或不存在")
	}
	if p.sent > 0 {
		t.Fatalf("%d events were sent", p.sent)
	}
	do(t, http.MethodPost, report, nil).want(t, http.StatusOK, "<h1>导入结果</h1>")
	if len(p.events) != 227 || slices.ContainsFunc(p.by, func(by string) bool { return by != "clerk" }) {
		t.Errorf("%d events, by %v", len(p.events), p.by)
	}
	body, media := form(t, "", map[string][]byte{"榆树法院.xlsx": county(t)})
	do(t, http.MethodPost, url+Path, body, "Content-Type", media, "Account", "").want(t, http.StatusUnauthorized, "请重新登录")
}

func TestEveryRouteHasItsRule(t *testing.T) {
	router := mux.NewRouter()
	New(Config{}).Register(router)
	rules := Rules()
	if err := router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		methods, err := route.GetMethods()
		if err != nil {
			return nil // the subrouter
		}
		path, err := route.GetPathTemplate()
		for _, m := range methods {
			if _, ok := rules[m+" "+path]; !ok && m != http.MethodHead {
				t.Errorf("%s %s has no rule", m, path)
			}
			delete(rules, m+" "+path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for route := range rules {
		t.Errorf("there is no route %s", route)
	}
}

func TestAnImportThatBrokeOffGoesOn(t *testing.T) {
	url, p := site(t)
	report := post(t, url+Path, "", map[string][]byte{"a.xlsx": county(t)}).Request.URL.String()
	p.away = true
	do(t, http.MethodPost, report, nil).want(t, http.StatusOK, "没有全部发出", "connection refused", "继续导入")
	p.away = false
	do(t, http.MethodPost, report, nil).want(t, http.StatusOK, "服务器收下</dt><dd>227 条事件")
	if len(p.events) != 227 {
		t.Errorf("%d events", len(p.events))
	}
}

func TestWhatCannotBeReadIsSaidFileByFile(t *testing.T) {
	url, _ := site(t)
	a := post(t, url+Path, "220182-court", map[string][]byte{
		"签到.csv":                         []byte("日期,值班律师,执业证号,到岗时间,离岗时间,值班方式\n2026-09-01,王立新,12201201810123456,8:30,16:30,现场\n"),
		"<script>alert(1)</script>.xlsx": []byte("PK nothing"),
		`C:\Users\张三\Desktop\通讯录.xlsx`:   []byte("姓名,电话\n"),
	})
	a.want(t, http.StatusOK, `<b id="accepted">1</b>`, `<b id="unread">2</b>`, "script&gt;.xlsx", "没有找到台账的表头", "<dd>220182-court</dd>")
	if strings.Contains(a.text, "<script>alert") {
		t.Error("a file's name is markup")
	}
}

func TestWhatIsWrongWithARequestIsSaid(t *testing.T) {
	url, p := site(t)
	good := map[string][]byte{"a.xlsx": county(t)}
	many := map[string][]byte{}
	for i := range MaxFiles + 1 {
		many[fmt.Sprintf("%d.csv", i)] = []byte("日期")
	}
	post(t, url+Path, "", nil).want(t, http.StatusBadRequest, "没有选择文件。")
	post(t, url+Path, "", many).want(t, http.StatusBadRequest, "一次最多 20 个文件。")
	post(t, url+Path, "220182", good).want(t, http.StatusBadRequest, "工作站代码不对，应像 220182-court： 220182")
	post(t, url+Path, "", map[string][]byte{"a.csv": make([]byte, MaxBytes+1<<20)}).want(t, http.StatusRequestEntityTooLarge, "文件合计超过 20 MB")
	do(t, http.MethodPost, url+Path, strings.NewReader("x"), "Content-Type", "text/plain").want(t, http.StatusBadRequest, "上传没有完成")
	do(t, http.MethodGet, url+Path+"/nothing", nil).want(t, http.StatusNotFound, "已过期或不存在")
	do(t, http.MethodPost, url+Path+"/nothing", nil).want(t, http.StatusNotFound, "已过期或不存在")
	do(t, http.MethodGet, url+Path+"/templates/花名册", nil).want(t, http.StatusNotFound, "没有这种台账的模板")
	report := post(t, url+Path, "", good).Request.URL.String()
	do(t, http.MethodGet, report+"/copy/7", nil).want(t, http.StatusNotFound)
	for _, path := range []string{url + Path, report} { // a form of another site
		do(t, http.MethodPost, path, nil, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example").want(t, http.StatusForbidden, "来自别的网站")
	}
	if p.sent > 0 {
		t.Errorf("%d events were sent", p.sent)
	}
}

func TestThePageIsInTwoLanguagesAndLoadsOnlyItsOwn(t *testing.T) {
	url, _ := site(t)
	zh := do(t, http.MethodGet, url+Path, nil)
	zh.want(t, http.StatusOK, `<html lang="zh-CN">`, "台账导入", "签到簿", "补贴发放表", `href="/import?lang=en"`)
	en := do(t, http.MethodGet, url+Path+"?lang=en", nil)
	en.want(t, http.StatusOK, `<html lang="en">`, "Import ledgers", "sign-in book", `action="/import?lang=en"`)
	dry := post(t, url+Path+"?lang=en", "", map[string][]byte{"Yushu court.xlsx": county(t)})
	dry.want(t, http.StatusOK, "Dry run", "Confirm the import")
	if !strings.HasSuffix(dry.Request.URL.String(), "?lang=en") {
		t.Error(dry.Request.URL)
	}
	for _, a := range []answer{zh, en, dry} {
		if m := regexp.MustCompile(`>\s*([a-z]+\.[a-z.0-9]+)\s*<`).FindStringSubmatch(a.text); m != nil {
			t.Errorf("a message is missing: %s", m[1])
		}
		if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'; script-src 'self'") || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", a.Header)
		}
		for _, m := range regexp.MustCompile(`(?:src|href)="(/import/static/[^"]+)"`).FindAllStringSubmatch(a.text, -1) {
			f := do(t, http.MethodGet, url+m[1], nil)
			f.want(t, http.StatusOK)
			if !strings.Contains(f.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %v", m[1], f.Header)
			}
		}
	}
	for key, m := range messages {
		if m.ZH == "" || m.EN == "" {
			t.Errorf("%s is not in both languages", key)
		}
	}
}

func TestTemplatesCanBeHadFromThePage(t *testing.T) {
	url, _ := site(t)
	page := do(t, http.MethodGet, url+Path, nil)
	links := regexp.MustCompile(`href="(/import/templates/[^"]+)" download`).FindAllStringSubmatch(page.text, -1)
	if len(links) != len(ledger.Kinds()) {
		t.Errorf("%d templates", len(links))
	}
	for _, m := range links {
		a := do(t, http.MethodGet, url+m[1], nil)
		a.want(t, http.StatusOK)
		if !strings.HasPrefix(a.text, "PK") || !strings.Contains(a.Header.Get("Content-Disposition"), ".xlsx") {
			t.Errorf("%s: %v", m[1], a.Header)
		}
	}
}

func upload(size int) *entry {
	return &entry{sources: []ledger.Source{{Data: make([]byte, size)}}, report: &report{Events: 1}}
}

func TestWhatIsKeptExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(time.Minute, time.Now)
		s.put("a", upload(1<<20))
		time.Sleep(30 * time.Second) // of the bubble's clock
		s.put("b", upload(1<<20))
		if _, ok := s.get("a"); !ok {
			t.Error("a is gone early")
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		s.mu.Lock()
		left := fmt.Sprint(s.order, len(s.entries))
		s.mu.Unlock()
		if left != "[b] 1" {
			t.Errorf("left without being asked for: %s", left)
		}
		time.Sleep(time.Hour)
		if _, ok := s.get("b"); ok || s.bytes != 0 {
			t.Errorf("b stays; %d bytes", s.bytes)
		}
	})
}

func TestWhatIsKeptHasABound(t *testing.T) {
	s := newStore(time.Minute, time.Now)
	busy := upload(20 << 20)
	s.put("busy", busy)
	busy.begin()
	for i := range 10 {
		if !s.put(fmt.Sprint(i), upload(20<<20)) {
			t.Fatal("no room")
		}
	}
	if _, ok := s.get("busy"); !ok || s.bytes > maxKept || len(s.order) != 4 {
		t.Errorf("kept %v, %d bytes", s.order, s.bytes)
	}
	if _, ok := s.get("9"); !ok {
		t.Error("the newest is gone")
	}
	for _, e := range s.entries {
		e.begin()
	}
	if s.put("late", upload(30<<20)) {
		t.Error("there is room beside what is being sent")
	}
}

func TestWhoUploadsMuchMakesRoomOfTheirOwn(t *testing.T) {
	s := newStore(time.Minute, time.Now)
	s.put("other", upload(20<<20))
	for i := range 10 {
		e := upload(20 << 20)
		e.account = "much"
		if !s.put(fmt.Sprint(i), e) {
			t.Fatal("no room")
		}
	}
	if _, ok := s.get("other"); !ok || len(s.order) != 4 {
		t.Errorf("kept %v", s.order)
	}
}

func TestAnUploadIsSentOnceAtATime(t *testing.T) {
	e := upload(1)
	if !e.begin() || e.begin() {
		t.Error("twice at the same time")
	}
	e.end(nil)
	if !e.begin() {
		t.Error("not again after it was not sent")
	}
	e.end(&report{Sent: true, Events: 1, Failed: true})
	if !e.begin() || e.sources == nil {
		t.Error("not again after a failure")
	}
	e.end(&report{Sent: true, Events: 1})
	if e.begin() || e.sources != nil {
		t.Error("again after all was sent")
	}
}

func TestALineThatIsGoneLeadsToItsRecord(t *testing.T) {
	l := &ledger.Ledger{Gone: []ledger.Gone{{Kind: ledger.SignInBook, Event: "0199a1c2-7d1e-5c3a-9a55-0242ac120002", Time: time.Date(2026, 9, 1, 8, 31, 0, 0, schemas.Shanghai), Lawyer: "12201201810123456"}}}
	p := New(Config{})
	for lang, want := range map[string]string{"": "签到簿 2026-09-01 08:31，执业证号 12201201810123456", "?lang=en": "sign-in book 2026-09-01 08:31, licence 12201201810123456"} {
		w := httptest.NewRecorder()
		p.render(w, httptest.NewRequest(http.MethodGet, Path+"/x"+lang, nil), http.StatusOK, view{Report: newReport([]ledger.Source{{Name: "a.xlsx"}}, []ledger.Outcome{{Ledger: l}}, false)})
		for _, part := range []string{want, `href="/events/0199a1c2-7d1e-5c3a-9a55-0242ac120002`, map[string]string{"": "1 行曾导入、本次文件中没有", "?lang=en": "1 lines were imported before"}[lang]} {
			if !strings.Contains(w.Body.String(), part) {
				t.Errorf("%s: the page lacks %q", lang, part)
			}
		}
	}
}
