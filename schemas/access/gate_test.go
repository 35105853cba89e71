package access

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"zhiban/schemas"
)

// site is a gate before a few routes, with a clock of its own.
type site struct {
	gate    *Gate
	router  *mux.Router
	now     time.Time
	trail   []Entry
	noTrail error
	reached Identity // whose request got through last
	asked   *http.Request
}

var (
	clerk    = Identity{Account: "clerk", Role: County, Scope: Scope{Division: "220122"}}
	barman   = Identity{Account: "bar", Role: Bar, Scope: Scope{Division: schemas.Province, SmallCells: true}}
	overseer = Identity{Account: "procurator", Role: Procurator, Scope: Scope{Division: "220122", Undecided: true}}
	program  = Identity{Account: "token:1", Role: Station, Scope: Scope{Station: "220122-court"}}
)

func newSite(limits Limits) *site {
	s := &site{now: time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)}
	s.gate = &Gate{
		Rules: map[string]Rule{
			"GET /login": {May: Public}, "POST /login": {May: Public, Guess: true}, "GET /account": {May: Own}, "GET /login/link/{secret}": {May: Public},
			"GET /divisions/{code}": {May: ReadFigures}, "GET /api/v1/figures": {May: ReadFigures}, "POST /api/v1/events": {May: WriteEvents},
			"GET /files/{code}": {May: ReadFigures, Audit: "export"}, "GET /empty": {}, "GET /accounts": {May: ManageAccounts}, "POST /parked": {May: Replay},
		},
		Session: func(r *http.Request) (Identity, bool) {
			c, err := r.Cookie("session")
			if err != nil {
				return Identity{}, false
			}
			who, ok := map[string]Identity{"clerk": clerk, "bar": barman, "procurator": overseer}[c.Value]
			return who, ok
		},
		Token: func(secret string) (Identity, error) {
			switch secret {
			case "good":
				return program, nil
			case "away":
				return Identity{}, schemas.Errorf(schemas.Unavailable, "the register does not answer")
			case "nobody":
				return Identity{}, nil
			}
			return Identity{}, schemas.Errorf(schemas.Unauthenticated, "expired on 2026-01-01")
		},
		Audit: func(_ context.Context, e Entry) error {
			s.trail = append(s.trail, e)
			return s.noTrail
		},
		Limits: limits,
		Now:    func() time.Time { return s.now },
	}
	s.router = mux.NewRouter()
	s.router.Use(s.gate.Middleware)
	ok := func(w http.ResponseWriter, r *http.Request) { s.reached, s.asked = From(r.Context()), r }
	for rule := range s.gate.Rules {
		method, path, _ := strings.Cut(rule, " ")
		methods := []string{method}
		if method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		s.router.HandleFunc(path, ok).Methods(methods...)
	}
	s.router.HandleFunc("/new", ok) // somebody forgot its rule
	return s
}

// ask sends a request with headers, name and value in turn.
func (s *site) ask(method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	s.reached = Identity{}
	w := httptest.NewRecorder()
	s.router.ServeHTTP(w, r)
	return w
}

func TestTheGate(t *testing.T) {
	const html, bearer, cookie = "text/html,*/*", "Authorization", "Cookie"
	for _, c := range []struct {
		name, method, path string
		headers            []string
		status             int
		reached            string // account that got through
	}{
		{"a page without login leads to the login", "GET", "/divisions/220122?month=2026-10", []string{"Accept", html}, 303, ""},
		{"so does HEAD", "HEAD", "/divisions/220122", []string{"Accept", html}, 303, ""},
		{"data without login", "GET", "/api/v1/figures", nil, 401, ""},
		{"data without login for a browser", "GET", "/api/v1/figures", []string{"Accept", html}, 401, ""},
		{"a page asked for by a program", "GET", "/divisions/220122", nil, 401, ""},
		{"writing without login", "POST", "/api/v1/events", []string{"Accept", html}, 401, ""},
		{"a session", "GET", "/divisions/220122", []string{cookie, "session=clerk"}, 200, "clerk"},
		{"HEAD like GET", "HEAD", "/divisions/220122", []string{cookie, "session=clerk"}, 200, "clerk"},
		{"a forged session", "GET", "/api/v1/figures", []string{cookie, "session=forged"}, 401, ""},
		{"a token", "POST", "/api/v1/events", []string{bearer, "Bearer good"}, 200, "token:1"},
		{"a token before a session", "GET", "/api/v1/figures", []string{bearer, "Bearer good", cookie, "session=clerk"}, 200, "token:1"},
		{"a token that has expired", "GET", "/api/v1/figures", []string{bearer, "Bearer expired"}, 401, ""},
		{"a bad token beside a good session", "GET", "/api/v1/figures", []string{bearer, "Bearer forged", cookie, "session=clerk"}, 401, ""},
		{"a bad token beside a good session on a page", "GET", "/divisions/220122", []string{bearer, "Bearer forged", cookie, "session=clerk", "Accept", html}, 401, ""},
		{"a bad token on a public page", "GET", "/login", []string{bearer, "Bearer forged"}, 401, ""},
		{"two tokens", "GET", "/api/v1/figures", []string{bearer, "Bearer good", bearer, "Bearer good"}, 401, ""},
		{"another scheme", "GET", "/api/v1/figures", []string{bearer, "Basic Z29vZA=="}, 401, ""},
		{"an empty token", "GET", "/api/v1/figures", []string{bearer, "Bearer "}, 401, ""},
		{"an empty header", "GET", "/api/v1/figures", []string{bearer, "", cookie, "session=clerk"}, 401, ""},
		{"a token of nobody", "GET", "/api/v1/figures", []string{bearer, "Bearer nobody"}, 401, ""},
		{"a token in the address", "GET", "/api/v1/figures?access_token=good&token=good&session=clerk", nil, 401, ""},
		{"the register of tokens is away", "GET", "/api/v1/figures", []string{bearer, "Bearer away"}, 503, ""},
		{"a token of another role", "GET", "/accounts", []string{bearer, "Bearer good"}, 403, ""},
		{"a session of another role", "POST", "/parked", []string{cookie, "session=clerk"}, 403, ""},
		{"one's own account", "GET", "/account", []string{cookie, "session=bar"}, 200, "bar"},
		{"one's own account without login", "GET", "/account", nil, 401, ""},
		{"the login", "GET", "/login", nil, 200, ""},
		{"a post from another site", "POST", "/api/v1/events", []string{cookie, "session=clerk", "Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"a post from another origin", "POST", "/api/v1/events", []string{cookie, "session=clerk", "Origin", "https://elsewhere.example"}, 403, ""},
		{"a post from a sandboxed page", "POST", "/api/v1/events", []string{cookie, "session=clerk", "Origin", "null"}, 403, ""},
		{"a login from another site", "POST", "/login", []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"a post from the same origin", "POST", "/api/v1/events", []string{cookie, "session=clerk", "Sec-Fetch-Site", "same-origin"}, 200, "clerk"},
		{"a link from another site", "GET", "/divisions/220122", []string{cookie, "session=clerk", "Sec-Fetch-Site", "cross-site"}, 200, "clerk"},
		{"a route that nobody knows", "GET", "/nowhere", []string{cookie, "session=clerk"}, 404, ""},
		{"a route without a rule", "GET", "/new", []string{cookie, "session=clerk"}, 404, ""},
		{"a rule that asks for nothing", "GET", "/empty", []string{cookie, "session=clerk"}, 404, ""},
		{"a method without a rule", "DELETE", "/new", []string{cookie, "session=clerk"}, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(DefaultLimits)
			w := s.ask(c.method, c.path, c.headers...)
			if w.Code != c.status || s.reached.Account != c.reached {
				t.Fatalf("%d, reached by %q; want %d and %q: %s", w.Code, s.reached.Account, c.status, c.reached, w.Body)
			}
			if c.status == 401 && w.Header().Get("WWW-Authenticate") == "" {
				t.Error("it does not say how to authenticate")
			}
			if c.status >= 400 && c.path != "/nowhere" && w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("content type %s", w.Header().Get("Content-Type"))
			}
			if strings.Contains(w.Body.String()+w.Header().Get("Location"), "expired on") {
				t.Error("it tells why a token is no good")
			}
		})
	}
}

func TestTheLoginComesBackToThePage(t *testing.T) {
	w := newSite(DefaultLimits).ask("GET", "/divisions/220122?month=2026-10&lang=en", "Accept", "text/html")
	if got := w.Header().Get("Location"); got != "/login?next=%2Fdivisions%2F220122%3Fmonth%3D2026-10%26lang%3Den&lang=en" {
		t.Error(got)
	}
}

func TestNextStaysOnTheSite(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/details?x=1": "/details?x=1", "/details?next=https://elsewhere.example": "/details?next=https://elsewhere.example",
		"": "/", "details": "/", "//elsewhere.example": "/", "///elsewhere.example": "/", `/\elsewhere.example`: "/", "https://elsewhere.example/": "/", "https:elsewhere": "/",
		"javascript:alert(1)": "/", "/\t/elsewhere.example": "/", "/\n/elsewhere.example": "/", "/%2f/elsewhere.example": "/", "/%2felsewhere.example": "/", "/%zz": "/", " //elsewhere.example": "/",
	} {
		if got := LocalPath(path); got != want {
			t.Errorf("%q leads to %q, not %q", path, got, want)
		}
	}
}

func TestWhatAScopeSeesComesFromTheRole(t *testing.T) {
	s := newSite(DefaultLimits)
	for account, want := range map[string]bool{"clerk": true, "bar": false} {
		if s.ask("GET", "/account", "Cookie", "session="+account); s.reached.Scope.SmallCells != want || s.reached.Scope.Undecided != want || s.reached.Token {
			t.Errorf("%s: %+v", account, s.reached)
		}
	}
	if s.ask("GET", "/account", "Cookie", "session=procurator"); !s.reached.Scope.SmallCells || s.reached.Scope.Undecided {
		t.Errorf("the procurator: %+v", s.reached)
	}
	if s.ask("GET", "/account", "Authorization", "Bearer good"); s.reached.Scope.SmallCells || !s.reached.Token {
		t.Errorf("%+v", s.reached)
	}
	for _, role := range Roles {
		if justice := role.Role == Province || role.Role == Prefecture || role.Role == County; role.Undecided != justice {
			t.Errorf("%s sees undecided conduct: %v", role.Role, role.Undecided)
		}
	}
}

func TestLimits(t *testing.T) {
	limits := Limits{Address: Limit{time.Second, 10}, Account: Limit{time.Second, 3}, Guess: Limit{time.Minute, 2}}
	from := func(n int) []string { return []string{"X-Forwarded-For", "203.0.113." + strconv.Itoa(n)} }
	for _, c := range []struct {
		name, method, path string
		headers            []string
		passes, status     int
		wait               string
	}{
		{"an account", "GET", "/account", []string{"Cookie", "session=clerk"}, 3, 200, "1"},
		{"a program", "GET", "/account", []string{"Authorization", "Bearer good"}, 3, 200, "1"},
		{"an address", "GET", "/login", nil, 10, 200, "1"},
		{"logins", "POST", "/login", nil, 2, 200, "60"},
		{"forged tokens", "GET", "/account", []string{"Authorization", "Bearer forged"}, 2, 401, "60"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(limits)
			s.gate.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // where httptest's requests come from
			for range c.passes {
				if w := s.ask(c.method, c.path, append(from(1), c.headers...)...); w.Code != c.status {
					t.Fatal(w.Code)
				}
			}
			w := s.ask(c.method, c.path, append(from(1), c.headers...)...)
			if w.Code != 429 || w.Header().Get("Retry-After") != c.wait {
				t.Errorf("%d, again after %s s", w.Code, w.Header().Get("Retry-After"))
			}
			other := s.ask(c.method, c.path, append(from(2), c.headers...)...)
			if ofAccount := c.name == "an account" || c.name == "a program"; (other.Code == 429) != ofAccount {
				t.Errorf("from another address %d", other.Code)
			}
			seconds, _ := strconv.Atoi(c.wait)
			s.now = s.now.Add(time.Duration(seconds) * time.Second)
			if w := s.ask(c.method, c.path, append(from(1), c.headers...)...); w.Code != c.status {
				t.Errorf("after %s s %d", c.wait, w.Code)
			}
		})
	}
}

func TestWhereARequestComesFrom(t *testing.T) {
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:5", "", "192.0.2.1"},
		{"198.51.100.7:5", "203.0.113.9", "198.51.100.7"}, // no proxy of ours: what it says counts for nothing
		{"192.0.2.1:5", "203.0.113.9", "203.0.113.9"},
		{"192.0.2.1:5", "10.0.0.1, 203.0.113.9, 192.0.2.8", "203.0.113.9"}, // the first was made up
		{"192.0.2.1:5", "nonsense", "192.0.2.1"},
		{"[::ffff:192.0.2.1]:5", "2001:db8::1", "2001:db8::1"},
	} {
		g := &Gate{Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := g.addressOf(r).String(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if a, b := limitKey(netip.MustParseAddr("2001:db8::1")), limitKey(netip.MustParseAddr("2001:db8::2:1")); a != b {
		t.Errorf("%s and %s are one network", a, b)
	}
}

func TestAnExportThatCannotBeRecordedIsRefused(t *testing.T) {
	s := newSite(DefaultLimits)
	if w := s.ask("GET", "/files/220122?month=2026-10", "Cookie", "session=clerk"); w.Code != 200 {
		t.Fatal(w.Code)
	}
	want := Entry{Time: s.now, Account: "clerk", Role: "county", Address: "192.0.2.1", Action: "export", Object: "/files/220122", Outcome: "allowed", Detail: "month=2026-10"}
	if len(s.trail) != 1 || s.trail[0] != want {
		t.Errorf("%+v", s.trail)
	}
	s.noTrail = errors.New("disk full")
	if w := s.ask("GET", "/files/220122", "Cookie", "session=clerk"); w.Code != 503 || s.reached.Account != "" || strings.Contains(w.Body.String(), "disk") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.ask("GET", "/divisions/220122", "Cookie", "session=clerk"); w.Code != 200 {
		t.Errorf("what is not recorded: %d", w.Code)
	}
}

func TestRefusalsAreRecordedWithoutSecrets(t *testing.T) {
	s := newSite(DefaultLimits)
	s.ask("GET", "/accounts", "Cookie", "session=clerk")
	s.ask("GET", "/login/link/secret-1", "Authorization", "Bearer secret-2")
	s.ask("POST", "/login?p=secret-3", "Sec-Fetch-Site", "cross-site")
	if len(s.trail) != 3 || s.trail[0].Account != "clerk" || s.trail[0].Object != "/accounts" {
		t.Fatalf("%+v", s.trail)
	}
	for _, e := range s.trail {
		if e.Action != "denied" || e.Outcome != "refused" || strings.Contains(e.Object+e.Detail, "secret") {
			t.Errorf("%+v", e)
		}
	}
}

func TestPeopleAreRefusedInAPage(t *testing.T) {
	s := newSite(DefaultLimits)
	s.gate.Deny = func(w http.ResponseWriter, _ *http.Request, err error) {
		w.WriteHeader(statuses[schemas.KindOf(err)])
		_, _ = w.Write([]byte("页面"))
	}
	if w := s.ask("GET", "/accounts", "Cookie", "session=clerk", "Accept", "text/html"); w.Code != 403 || w.Body.String() != "页面" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.ask("GET", "/accounts", "Cookie", "session=clerk"); w.Code != 403 || w.Body.String() == "页面" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestForwardPassesTheCredentialOn(t *testing.T) {
	s := newSite(DefaultLimits)
	for _, c := range [][2]string{{"Authorization", "Bearer good"}, {"Cookie", "session=clerk"}} {
		s.ask("GET", "/account", c[0], c[1])
		on := httptest.NewRequest(http.MethodPost, "/api/v1/events", nil)
		if Forward(s.asked.Context(), on); on.Header.Get(c[0]) != c[1] {
			t.Errorf("%s: %q", c[0], on.Header.Get(c[0]))
		}
		if Address(s.asked.Context()) != "192.0.2.1" {
			t.Error(Address(s.asked.Context()))
		}
	}
	bare := httptest.NewRequest(http.MethodPost, "/", nil)
	if Forward(context.Background(), bare); len(bare.Header) != 0 {
		t.Error(bare.Header)
	}
}
