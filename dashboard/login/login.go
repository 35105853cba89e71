// Package login is how people come in: the login page, one-time links, single
// sign-on by OpenID Connect, one's own account, and the accounts and tokens that
// an administrator keeps.
//
// A session is a random token in a cookie that no script reads. It says whose it
// is and since when; what the person may do is looked up on every request, so
// that a disabled account is out at once. It ends 30 minutes after the last
// thing its person did (an open page that looks for news does nothing), and 12
// hours after the login in any case.
package login

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/mux"

	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/directory"
)

const (
	idle     = 30 * time.Minute
	absolute = 12 * time.Hour
	// touch is how exactly idle is measured: a session is written that often.
	touch = time.Minute
	// linkValid is how long a one-time link waits to be used.
	linkValid = 24 * time.Hour
)

// Config is how people log in. Directory and Sessions are needed.
type Config struct {
	Directory Directory
	// Sessions keeps sessions; directory.Directory's.
	Sessions scs.CtxStore
	// Secure: people come by TLS. Cookies are then for TLS alone.
	Secure bool
	// Origin is the site's address, https://zhiban.example: in one-time links and
	// for single sign-on. What the request says when empty.
	Origin string
	// OIDC is single sign-on; nil: there is none.
	OIDC *OIDC
	// Audit records logins and changes of accounts.
	Audit func(context.Context, access.Entry) error
	// Log gets what goes wrong; slog.Default when nil.
	Log *slog.Logger
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

//go:embed templates static
var files embed.FS

// Login serves the pages and keeps the sessions.
type Login struct {
	cfg      Config
	log      *slog.Logger
	now      func() time.Time
	sessions *scs.SessionManager
	names    *access.Limiter // attempts at one account
	pages    map[string]*template.Template
	provider provider
}

// New makes a Login.
func New(c Config) (*Login, error) {
	if c.Directory == nil || c.Sessions == nil {
		return nil, errors.New("login: a directory and a store of sessions are needed")
	}
	l := &Login{cfg: c, log: c.Log, now: c.Now, names: access.NewLimiter(access.Limit{Every: time.Minute, Burst: 5})}
	if l.log == nil {
		l.log = slog.Default()
	}
	if l.now == nil {
		l.now = time.Now
	}
	if c.Origin != "" {
		u, err := url.Parse(c.Origin)
		if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("login: origin %q is no address such as https://zhiban.example", c.Origin)
		}
		l.cfg.Origin = u.Scheme + "://" + u.Host
	}
	if c.OIDC != nil {
		if err := c.OIDC.Validate(); err != nil {
			return nil, fmt.Errorf("login: %w", err)
		}
		if c.Origin == "" {
			return nil, errors.New("login: single sign-on needs the site's own address (origin), to which the provider sends people back")
		}
		l.provider.config = c.OIDC
	}
	s := scs.New()
	s.Store, s.Lifetime = c.Sessions, absolute
	s.Cookie.Name, s.Cookie.HttpOnly, s.Cookie.SameSite, s.Cookie.Persist, s.Cookie.Secure = "zhiban", true, http.SameSiteLaxMode, false, c.Secure
	if c.Secure {
		s.Cookie.Name = "__Host-zhiban"
	}
	l.sessions = s
	var err error
	l.pages, err = parsePages()
	return l, err
}

// routes is the table of routes with what each asks for.
func (l *Login) routes() []route {
	return []route{
		{"GET /login", access.Rule{May: access.Public}, l.loginPage},
		{"POST /login", access.Rule{May: access.Public, Guess: true}, l.logIn},
		{"GET /login/login.css", access.Rule{May: access.Public}, style},
		{"GET /login/link/{secret}", access.Rule{May: access.Public}, l.linkPage},
		{"POST /login/link/{secret}", access.Rule{May: access.Public, Guess: true}, l.redeem},
		{"GET /login/oidc", access.Rule{May: access.Public, Guess: true}, l.toProvider},
		{"GET /login/oidc/callback", access.Rule{May: access.Public, Guess: true}, l.fromProvider},
		{"POST /logout", access.Rule{May: access.Own}, l.logOut},
		{"GET /account", access.Rule{May: access.Own}, l.accountPage},
		{"POST /account/password", access.Rule{May: access.Own, Guess: true}, l.changePassword},
		{"GET /accounts", access.Rule{May: access.ManageAccounts}, l.accountsPage},
		{"POST /accounts", access.Rule{May: access.ManageAccounts}, l.createAccount},
		{"POST /accounts/{name}/{act:link|disable|enable}", access.Rule{May: access.ManageAccounts}, l.changeAccount},
		{"POST /tokens", access.Rule{May: access.ManageAccounts}, l.createToken},
		{"POST /tokens/{id}/revoke", access.Rule{May: access.ManageAccounts}, l.revokeToken},
	}
}

type route struct {
	name    string // method and path template
	rule    access.Rule
	handler http.HandlerFunc
}

// Rules are what the routes ask for; the gate enforces them.
func Rules() map[string]access.Rule {
	rules := map[string]access.Rule{}
	for _, r := range (*Login)(nil).routes() {
		rules[r.name] = r.rule
	}
	return rules
}

// Register adds the pages to a router, before which Middleware and the gate
// stand.
func (l *Login) Register(r *mux.Router) {
	own := r.NewRoute().Subrouter()
	own.Use(access.Headers, private)
	for _, route := range l.routes() {
		method, path, _ := strings.Cut(route.name, " ")
		methods := []string{method}
		if method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		own.HandleFunc(path, route.handler).Methods(methods...)
	}
}

// What a session holds; moments in Unix seconds.
const (
	keyAccount = directory.SessionAccount
	keyBegan   = "began"
	keySeen    = "seen"
)

// Middleware finds a request's session; it stands before the gate. What changes
// a session writes it: reading needs no log to write to.
func (l *Login) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := ""
		if c, err := r.Cookie(l.sessions.Cookie.Name); err == nil {
			token = c.Value
		}
		ctx, err := l.sessions.Load(r.Context(), token)
		if err != nil {
			l.log.ErrorContext(r.Context(), "sessions cannot be read", "error", err)
			http.Error(w, "登录服务暂不可用，请稍后再试。 Logins cannot be checked at the moment; try again.", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Session is who a request's session belongs to. It keeps the session alive when
// the request is something that a person did.
func (l *Login) Session(r *http.Request) (access.Identity, bool) {
	ctx := r.Context()
	account := l.sessions.GetString(ctx, keyAccount)
	if account == "" {
		return access.Identity{}, false
	}
	now, seen := l.now(), time.Unix(l.sessions.GetInt64(ctx, keySeen), 0)
	if now.Sub(seen) >= idle || now.Sub(time.Unix(l.sessions.GetInt64(ctx, keyBegan), 0)) >= absolute {
		return access.Identity{}, false
	}
	who, ok := l.cfg.Directory.Identity(account)
	if ok && now.Sub(seen) >= touch && !background(r) {
		l.sessions.Put(ctx, keySeen, now.Unix())
		if _, _, err := l.sessions.Commit(ctx); err != nil {
			l.log.WarnContext(ctx, "a session is not prolonged", "error", err)
		}
	}
	return who, ok
}

// background tells what an open page asks by itself from what a person does.
func background(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Dest") == "empty"
}

// enter begins a session under a new token, whatever token the browser came
// with.
func (l *Login) enter(w http.ResponseWriter, r *http.Request, who access.Identity) error {
	ctx := r.Context()
	if err := l.sessions.Clear(ctx); err != nil {
		return err
	}
	if err := l.sessions.RenewToken(ctx); err != nil {
		return err
	}
	now := l.now().Unix()
	l.sessions.Put(ctx, keyAccount, who.Account)
	l.sessions.Put(ctx, keyBegan, now)
	l.sessions.Put(ctx, keySeen, now)
	return l.save(w, r)
}

// save writes the session and gives its cookie out.
func (l *Login) save(w http.ResponseWriter, r *http.Request) error {
	token, expires, err := l.sessions.Commit(r.Context())
	if err != nil {
		return &schemas.Error{Kind: schemas.Unavailable, Message: "the session cannot be kept", Err: err}
	}
	l.sessions.WriteSessionCookie(r.Context(), w, token, expires)
	return nil
}

// leave ends the session.
func (l *Login) leave(w http.ResponseWriter, r *http.Request) error {
	if err := l.sessions.Destroy(r.Context()); err != nil {
		return &schemas.Error{Kind: schemas.Unavailable, Message: "the session cannot be ended", Err: err}
	}
	l.sessions.WriteSessionCookie(r.Context(), w, "", time.Time{})
	return nil
}

// record writes to the audit trail; who did it is in the request.
func (l *Login) record(r *http.Request, who access.Identity, action, object, outcome, detail string) {
	if l.cfg.Audit == nil {
		return
	}
	e := access.Entry{Time: l.now(), Account: who.Account, Role: string(who.Role), Address: access.Address(r.Context()), Action: action, Object: object, Outcome: outcome, Detail: detail}
	if err := l.cfg.Audit(context.WithoutCancel(r.Context()), e); err != nil {
		l.log.ErrorContext(r.Context(), "not in the audit trail", "action", action, "account", who.Account, "error", err)
	}
}
