package login

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/mux"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// fakeDirectory is a directory without secrets worth keeping.
type fakeDirectory struct {
	accounts  map[string]Account
	passwords map[string]string
	links     map[string]string
	tokens    []Token
}

var errNo = schemas.Errorf(schemas.Unauthenticated, "no")

func (d *fakeDirectory) Identity(name string) (access.Identity, bool) {
	a, ok := d.accounts[name]
	return access.Identity{Account: a.Name, Title: a.Title, Role: a.Role, Scope: a.Scope}, ok && !a.Disabled
}

func (d *fakeDirectory) enter(name string, ok bool) (access.Identity, error) {
	who, good := d.Identity(name)
	if !ok || !good {
		return access.Identity{}, errNo
	}
	return who, nil
}

func (d *fakeDirectory) Login(_ context.Context, name, password string) (access.Identity, error) {
	want, ok := d.passwords[name]
	return d.enter(name, ok && password == want)
}

func (d *fakeDirectory) External(_ context.Context, a Account) (access.Identity, error) {
	d.accounts[a.Name] = a
	return d.enter(a.Name, true)
}

func (d *fakeDirectory) Redeem(_ context.Context, secret string) (access.Identity, error) {
	name, ok := d.links[secret]
	delete(d.links, secret)
	return d.enter(name, ok)
}

func (d *fakeDirectory) Accounts() (out []Account) {
	for _, a := range d.accounts {
		out = append(out, a)
	}
	return out
}

func (d *fakeDirectory) Account(name string) (Account, bool) { a, ok := d.accounts[name]; return a, ok }

func (d *fakeDirectory) Create(_ context.Context, a Account) error {
	if strings.HasPrefix(a.Name, External) {
		return schemas.Errorf(schemas.Invalid, "a name of single sign-on")
	}
	if _, ok := d.accounts[a.Name]; ok {
		return schemas.Errorf(schemas.Conflict, "account %s is there already", a.Name)
	}
	d.accounts[a.Name] = a
	return nil
}

func (d *fakeDirectory) change(name string, do func(*Account)) error {
	a := d.accounts[name]
	do(&a)
	d.accounts[name] = a
	return nil
}

func (d *fakeDirectory) SetPassword(_ context.Context, name, password string) error {
	if len(password) < 10 {
		return schemas.Errorf(schemas.Invalid, "at least 10 characters")
	}
	d.passwords[name] = password
	return d.change(name, func(a *Account) { a.HasPassword = true })
}

func (d *fakeDirectory) Disable(_ context.Context, name string) error {
	return d.change(name, func(a *Account) { a.Disabled = true })
}

func (d *fakeDirectory) Enable(_ context.Context, name string) error {
	return d.change(name, func(a *Account) { a.Disabled, a.Locked = false, time.Time{} })
}

func (d *fakeDirectory) Link(_ context.Context, account string, _ time.Duration) (string, error) {
	secret := fmt.Sprintf("link-%d", len(d.links)+1)
	d.links[secret] = account
	return secret, nil
}

func (d *fakeDirectory) Tokens() []Token { return d.tokens }

func (d *fakeDirectory) NewToken(_ context.Context, t Token) (string, error) {
	t.ID = fmt.Sprint("t", len(d.tokens)+1)
	d.tokens = append(d.tokens, t)
	return "zb_" + t.ID + "_shown-once", nil
}

func (d *fakeDirectory) Revoke(_ context.Context, id string) error {
	for i := range d.tokens {
		if d.tokens[i].ID == id {
			d.tokens[i].Revoked = time.Now()
			return nil
		}
	}
	return schemas.Errorf(schemas.NotFound, "no token %s", id)
}

// fakeSessions keeps sessions in memory.
type fakeSessions struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (s *fakeSessions) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.kept[token]
	return b, ok, nil
}

func (s *fakeSessions) CommitCtx(_ context.Context, token string, b []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[token] = b
	return nil
}

func (s *fakeSessions) DeleteCtx(_ context.Context, token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, token)
	return nil
}

func (s *fakeSessions) Find(t string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), t)
}
func (s *fakeSessions) Delete(t string) error { return s.DeleteCtx(context.Background(), t) }
func (s *fakeSessions) Commit(t string, b []byte, at time.Time) error {
	return s.CommitCtx(context.Background(), t, b, at)
}

const password = "correct horse battery"

// platform is the login behind its gate, with a browser's cookies.
type platform struct {
	t        *testing.T
	url      string
	dir      *fakeDirectory
	sessions *fakeSessions
	trail    []access.Entry
	client   *http.Client
	jar      *cookiejar.Jar
	mu       sync.Mutex
	ahead    time.Duration
}

func (p *platform) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Add(p.ahead)
}

func (p *platform) later(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead += d
}

func newPlatform(t *testing.T, sso *OIDC) *platform {
	t.Helper()
	p := &platform{t: t, sessions: &fakeSessions{kept: map[string][]byte{}}, dir: &fakeDirectory{
		accounts: map[string]Account{
			"admin":      {Name: "admin", Title: "系统管理员", Role: access.Administrator, HasPassword: true, LastLogin: time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)},
			"nongan":     {Name: "nongan", Title: "农安县法律援助中心", Role: access.County, Scope: access.Scope{Division: "220122"}, HasPassword: true},
			"nongan.new": {Name: "nongan.new", Title: `<script>alert(1)</script>`, Role: access.Station, Scope: access.Scope{Station: "220122-court"}},
		},
		passwords: map[string]string{"admin": password, "nongan": password}, links: map[string]string{"first": "nongan.new"},
	}}
	p.serve(p.dir, p.sessions, sso)
	return p
}

// serve serves a directory's login.
func (p *platform) serve(dir Directory, sessions scs.CtxStore, sso *OIDC) {
	t := p.t
	t.Helper()
	router := mux.NewRouter()
	srv := httptest.NewServer(router)
	t.Cleanup(srv.Close)
	p.url = srv.URL
	audit := func(_ context.Context, e access.Entry) error { p.trail = append(p.trail, e); return nil }
	l, err := New(Config{Directory: dir, Sessions: sessions, Origin: srv.URL, OIDC: sso, Audit: audit, Now: p.now})
	if err != nil {
		t.Fatal(err)
	}
	gate := &access.Gate{Rules: Rules(), Session: l.Session, Audit: audit, Now: p.now}
	gate.Rules["GET /"] = access.Rule{May: access.Own}
	gate.Rules["GET /assets/{name}"] = access.Rule{May: access.Public}
	router.Use(l.Middleware, gate.Middleware)
	l.Register(router)
	router.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(access.From(r.Context()).Account)) })
	router.HandleFunc("/assets/{name}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "../static/"+mux.Vars(r)["name"]) })
	p.jar, _ = cookiejar.New(nil)
	p.client = &http.Client{Jar: p.jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// do asks; form nil is GET. The answer is status, body and where it leads.
func (p *platform) do(path string, form url.Values) (int, string, string) {
	p.t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	if !strings.HasPrefix(path, "http") {
		path = p.url + path
	}
	r, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", p.url)
	}
	w, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer w.Body.Close()
	var b strings.Builder
	buf := make([]byte, 64<<10)
	for {
		n, err := w.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break
		}
	}
	return w.StatusCode, b.String(), w.Header.Get("Location")
}

func (p *platform) login(name, password string) int {
	status, _, _ := p.do("/login", url.Values{"name": {name}, "password": {password}})
	return status
}

func (p *platform) cookie() string {
	at, _ := url.Parse(p.url)
	for _, c := range p.jar.Cookies(at) {
		return c.Value
	}
	return ""
}

func (p *platform) as() string { _, body, _ := p.do("/", nil); return body }
