package dashboard

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

var update = flag.Bool("update", false, "write the golden files anew")

// newServer is a dashboard over a reader at the fake's time.
func newServer(t *testing.T, read Reader) *Server {
	t.Helper()
	s, err := New(Config{Poll: 100 * time.Millisecond, Now: func() time.Time { return fakeNow }, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, read)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks a server for an address.
func get(t *testing.T, s *Server, path string) (int, http.Header, string) {
	t.Helper()
	return getFrom(t, handler(s), path)
}

func getFrom(t *testing.T, h http.Handler, path string) (int, http.Header, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Header(), string(b)
}

// sitemap has an address of every page, by the name of its picture.
func sitemap(f *fake) map[string]string {
	county := schemas.DivisionCode("220182")
	lawyer := slices.IndexFunc(f.lawyers, func(l report.Lawyer) bool { return l.Division == county })
	event := slices.IndexFunc(f.postings, func(p fakePosting) bool {
		return p.Indicator == schemas.Consultations && p.Division == county
	})
	return map[string]string{
		"province":   "/?month=2026-10",
		"unfinished": "/",
		"past":       "/?as_of=2026-03-20",
		"prefecture": "/divisions/220100?month=2026-10&figure=shifts",
		"changbai":   "/divisions/22CB00?month=2026-10",
		"county":     "/divisions/220182?month=2026-10",
		"station":    "/stations/220182-detention?month=2026-10",
		"lawyers":    "/lawyers?division=220100&sort=consultations",
		"lawyer":     "/lawyers/" + f.lawyers[lawyer].Licence,
		"details":    "/details?indicator=consultations&division=220182&from=2026-10-01&to=2026-10-31&channel=visit",
		"ledger":     "/ledger?division=220182&from=2026-10-01&to=2026-10-31",
		"audit":      "/audit",
		"event":      "/events/" + f.postings[event].Event.String(),
		"indicators": "/docs/indicators",
		"quality":    "/quality?month=2026-10",
		"findings":   "/quality?from=2026-10-01&to=2026-10-31&finding=late_entry",
		"verified":   "/verification",
		"parked":     "/parked",
		"english":    "/?month=2026-10&lang=en",
	}
}

func TestEveryPageIsServedInBothLanguages(t *testing.T) {
	f := newFake()
	s := newServer(t, f)
	for name, path := range sitemap(f) {
		for _, lang := range languages {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			address := path + sep + "lang=" + lang
			if strings.Contains(path, "lang=") {
				address = path
			}
			code, header, body := get(t, s, address)
			if code != http.StatusOK || !strings.HasSuffix(strings.TrimSpace(body), "</html>") {
				t.Fatalf("%s %s: %d\n%.2000s", name, address, code, body)
			}
			if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") || strings.Contains(csp, "unsafe") {
				t.Errorf("%s: policy %q", name, csp)
			}
			if strings.Contains(body, "%!") || strings.Contains(body, "ZgotmplZ") || strings.Contains(body, "<no value>") {
				t.Errorf("%s: a phrase or a value is broken: %s", name, regexp.MustCompile(`.{60}(%!|ZgotmplZ|<no value>).{60}`).FindString(body))
			}
		}
	}
}

// Golden pages hold what is between <main> and </main>.
func TestPagesStayAsTheyAre(t *testing.T) {
	f := newFake()
	s := newServer(t, f)
	pages := sitemap(f)
	for _, name := range []string{"county", "details", "event", "english"} {
		_, _, body := get(t, s, pages[name])
		_, body, _ = strings.Cut(body, `<main id="main" tabindex="-1">`)
		body, _, _ = strings.Cut(body, "</main>")
		body = regexp.MustCompile(`(/assets/[^"]*\.)[0-9a-f]{8}\.`).ReplaceAllString(body, "${1}hash.")
		file := filepath.Join("testdata", name+".html")
		if *update {
			if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), body); diff != "" {
			t.Errorf("%s has changed (make golden writes it anew):\n%s", name, diff)
		}
	}
}

func TestEveryPhraseIsThereInBothLanguagesAndUsed(t *testing.T) {
	han := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	}
	for key, m := range messages {
		if m.zh == "" || m.en == "" {
			t.Errorf("%s lacks a language", key)
		}
		if key != "language" && han(m.en) {
			t.Errorf("%s: English is %q", key, m.en)
		}
		verbs := regexp.MustCompile(`%(\[\d+\])?[sd%]`)
		if len(verbs.FindAllString(m.zh, -1)) != len(verbs.FindAllString(m.en, -1)) {
			t.Errorf("%s: %q and %q take different values", key, m.zh, m.en)
		}
	}
	var source strings.Builder
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if name == "messages.go" || strings.HasSuffix(name, "_test.go") {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(b)
		}
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:\bt\(|\bt |problem\([^"\n]*|number\("[a-z]+",[^"\n]*|splitTitles.*|choice\(.*|list\(.*|"lawyer\.\w+", schemas\..*|\{report\.By\w+: *|By\w+: *)"([a-z_0-9]+(?:\.[a-z_0-9]+)+)"`).FindAllStringSubmatch(source.String(), -1) {
		used[m[1]] = true
	}
	for key := range used {
		if _, ok := messages[key]; !ok {
			t.Errorf("%s is used and not in the catalogue", key)
		}
	}
	// Sets whose keys are put together from a code.
	sets := []string{"trigger.", "form.", "lawyer_kind.", "value.", "field.", "dimension.", "weekday.", "case.", "kind.", "error.", "event.", "api.in.", "action.", "outcome."}
	for key := range messages {
		if !used[key] && !strings.Contains(source.String(), `"`+key+`"`) && !slices.ContainsFunc(sets, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("%s is never used", key)
		}
	}
}

func TestEveryWrongParameterIsNamedAtOnce(t *testing.T) {
	s := newServer(t, newFake())
	code, _, body := get(t, s, "/details?indicator=visits&from=2026-10-32&view=never&colour=red&lawyer=12")
	if code != http.StatusUnprocessableEntity {
		t.Errorf("status %d", code)
	}
	for _, word := range []string{"visits", "2026-10-32", "never", "colour", "<code>lawyer</code>", "不是指标代码", "不是日期", "没有这个参数"} {
		if !strings.Contains(body, word) {
			t.Errorf("the page does not name %s", word)
		}
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	s := newServer(t, newFake())
	for _, path := range []string{"/nothing", "/divisions/110000", "/stations/220182", "/stations/110101-court", "/lawyers/123", "/events/0199a1c2-7d1e-7c3a-9a55-0242ac120099"} {
		if code, _, body := get(t, s, path); code != http.StatusNotFound || !strings.Contains(body, "没有找到") {
			t.Errorf("%s: %d", path, code)
		}
	}
}

func TestProgramsAreToldInJSON(t *testing.T) {
	s := newServer(t, newFake())
	for _, path := range []string{"/api/v1/nothing", "/api/v1/events/0199a1c2-7d1e-7c3a-9a55-0242ac120099", "/api/v1/lawyers/123/record.xlsx"} {
		code, header, body := get(t, s, path)
		if code != http.StatusNotFound || header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"status":404`) {
			t.Errorf("%s: %d %s %s", path, code, header.Get("Content-Type"), body)
		}
	}
}

func TestWithoutTheWarehouseThePagesSaySo(t *testing.T) {
	f := newFake()
	s := newServer(t, f)
	f.down = schemas.Errorf(schemas.Unavailable, "the warehouse does not answer: secret address")
	for _, path := range []string{"/", "/details", "/lawyers"} {
		code, header, body := get(t, s, path)
		if code != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(body, "统计库暂不可用") || strings.Contains(body, "secret") {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	if code, _, _ := get(t, s, "/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d", code)
	}
	if code, _, _ := get(t, s, "/healthz"); code != http.StatusOK {
		t.Errorf("healthz: %d", code)
	}
	if _, _, body := get(t, s, "/metrics"); !strings.Contains(body, "zhiban_warehouse_up 0") {
		t.Error("metrics do not say that the warehouse is down")
	}
}

func TestMetricsTellRequestsAndProgress(t *testing.T) {
	f := newFake()
	s := newServer(t, f)
	get(t, s, "/docs/indicators")
	_, _, body := get(t, s, "/metrics")
	for _, want := range []string{`zhiban_dashboard_requests_total{code="200",route="/docs/indicators"} 1`, "zhiban_warehouse_up 1", "zhiban_projection_lag_seconds 1", fmt.Sprintf("zhiban_projected_events %g", float64(f.head))} {
		if !strings.Contains(body, want) {
			t.Errorf("metrics lack %s:\n%s", want, body)
		}
	}
}

// counting counts the questions that reach the reader.
type counting struct {
	Reader
	asked atomic.Int64
}

func (c *counting) Statistics(ctx context.Context, scope report.Scope, q report.Query) (report.Statistics, error) {
	c.asked.Add(1)
	return c.Reader.Statistics(ctx, scope, q)
}

func TestAPageIsMadeOnceForItsCut(t *testing.T) {
	f := newFake()
	c := &counting{Reader: f}
	s := newServer(t, c)
	get(t, s, "/divisions/220182")
	first := c.asked.Load()
	get(t, s, "/divisions/220182")
	if c.asked.Load() != first || first == 0 {
		t.Errorf("%d questions for the first, %d for the second", first, c.asked.Load()-first)
	}
	f.consult("220182-court")
	get(t, s, "/divisions/220182")
	if c.asked.Load() != 2*first {
		t.Errorf("%d questions for new data, want %d", c.asked.Load()-first, first)
	}
}

func TestAddressesKeepWhatTheReaderChose(t *testing.T) {
	v := newVisit(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?month=2026-09&view=now&lang=en&as_of=2026-10-01&figure=shifts", nil), fakeNow)
	for _, c := range []struct{ got, want string }{
		{v.link("/divisions/220100"), "/divisions/220100?as_of=2026-10-01&figure=shifts&lang=en&month=2026-09&view=now"},
		{v.link("/", "month", "", "figure", "", "as_of", "", "view", ""), "/?lang=en"},
		{v.here("month", "2026-08"), "/?as_of=2026-10-01&figure=shifts&lang=en&month=2026-08&view=now"},
		{v.here("lang", chinese), "/?as_of=2026-10-01&figure=shifts&month=2026-09&view=now"},
		{v.details(schemas.Shifts, "220100", report.Range{From: v.month.First(), To: v.month.Last()}, "mode", "phone"),
			"/details?as_of=2026-10-01&division=220100&from=2026-09-01&indicator=shifts&lang=en&mode=phone&to=2026-09-30&view=now"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
	if v.today() != schemas.Date(2026, time.October, 1) {
		t.Errorf("today is %s", v.today())
	}
}

func TestFiguresAreWrittenAsReadersDo(t *testing.T) {
	p := phrases(chinese)
	f := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		code schemas.IndicatorCode
		v    *float64
		want amount
	}{
		{schemas.Shifts, f(1234567), amount{"1,234,567", "人次"}},
		{schemas.Shifts, f(-1200), amount{"−1,200", "人次"}},
		{schemas.Shifts, f(0), amount{"0", "人次"}},
		{schemas.DutyMinutes, f(150), amount{"2.5", "小时"}},
		{schemas.DutyMinutes, f(60000), amount{"1,000.0", "小时"}},
		{schemas.TransferredWithin24h, f(0.9125), amount{"91.2", "%"}},
		{schemas.TransferredWithin24h, f(1), amount{"100.0", "%"}},
		{schemas.TransferredWithin24h, nil, amount{"—", "%"}},
	} {
		if got := p.amount(c.code, c.v); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.code, c.v, got, c.want)
		}
	}
	for _, c := range []struct {
		code      schemas.IndicatorCode
		now, base *float64
		want      change
	}{
		{schemas.Shifts, f(110), f(100), change{"up", "10.0%"}},
		{schemas.Shifts, f(90), f(100), change{"down", "10.0%"}},
		{schemas.Shifts, f(100), f(100), change{"flat", "0.0%"}},
		{schemas.Shifts, f(100), f(0), change{"none", "—"}},
		{schemas.Shifts, f(100), nil, change{"none", "—"}},
		{schemas.TransferredWithin24h, f(0.9), f(0.875), change{"up", "2.5个百分点"}},
		{schemas.TransferredWithin24h, nil, f(0.8), change{"none", "—"}},
		{schemas.NotificationsOverdue, f(3), f(2), change{"none", "—"}},
	} {
		if got := p.change(c.code, c.now, c.base); got != c.want {
			t.Errorf("%s: %q, want %q", c.code, got, c.want)
		}
	}
}

func TestADocumentsFigureWithoutANumberIsALetter(t *testing.T) {
	v := newVisit(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), fakeNow)
	for want, f := range map[string]report.Figure{"3": {Value: 3}, "X": {Status: report.NotAvailable}, "N": {Status: report.NotApplicable}, "＊": {Status: report.NotAvailable, Withheld: true}} {
		if got := v.written(schemas.Complaints, f); got != want {
			t.Errorf("%+v is written %s", f, got)
		}
	}
}

func TestMapClassesAreRoundAndOrdered(t *testing.T) {
	var values []float64
	for i := range 10 {
		values = append(values, float64(103*i*i))
	}
	got := ""
	for _, p := range pieces(values) {
		got += p.Label + " " + p.Color + "\n"
	}
	want := "≥ 6,600 --map-5\n3,700 – 6,600 --map-4\n1,600 – 3,700 --map-3\n410 – 1,600 --map-2\n< 410 --map-1\n"
	if got != want {
		t.Errorf("classes\n%swant\n%s", got, want)
	}
	if p := pieces([]float64{0, 0, 0}); len(p) != 1 || *p[0].Gte != 0 {
		t.Errorf("classes of nothing: %v", p)
	}
	if p := pieces(nil); len(p) != 1 {
		t.Errorf("classes of none: %v", p)
	}
}

func TestNamesInChartsStayData(t *testing.T) {
	v := newVisit(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), fakeNow)
	for _, name := range []string{"</script><script>alert(1)</script>", "__f__(alert(1))__f__", `"><img src=x onerror=alert(1)>`, "--series-1"} {
		charts := []chart{
			v.barChart("c", "", "label", "件", "t", []string{name}, []layer{{Name: name, Color: blue, Values: []float64{1}}}, true, false),
			v.ringChart("c", name, name, []slice{{name, 1, blue}}),
			v.mapChart(schemas.Shifts, "/map.json", []region{{"220100", name, 1}}),
		}
		for _, c := range charts {
			js := string(c.JSON)
			if strings.ContainsAny(js, "<>&") {
				t.Errorf("%s", js)
			}
			var d struct {
				Option map[string]any
				Names  map[string]string
			}
			if err := json.Unmarshal([]byte(js), &d); err != nil || !strings.Contains(fmt.Sprint(d), name) {
				t.Errorf("%s: %v: the name is not in the options as it is: %v", name, err, d)
			}
		}
	}
}
