package access

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"zhiban/schemas"
)

// Gate stands in front of every route. It finds out whose a request is, asks
// the route's [Rule] whether that role may, and hands the identity on in the
// request's context. A route without a rule is not there.
//
// Programs show a token, "Authorization: Bearer <token>"; people have a session.
// A credential that is no good is refused even on a public route and beside a
// good one, and none is ever taken from an address.
//
// All fields but Rules may be left out: who has no means to be known is nobody.
type Gate struct {
	// Rules by method and path template, "GET /divisions/{code}". HEAD goes by
	// GET's.
	Rules map[string]Rule
	// Session is who a request's session belongs to.
	Session func(*http.Request) (Identity, bool)
	// Token is who a token belongs to; schemas.Unauthenticated when it is not, or
	// no longer, good.
	Token func(secret string) (Identity, error)
	// Nobody is who stands behind a request that shows nothing; false: nobody does.
	Nobody func(*http.Request) (Identity, bool)
	// Audit records what was done or refused. A route whose rule names an action
	// is not called when that cannot be recorded.
	Audit func(context.Context, Entry) error
	// Deny answers people in a page; problem+json when nil. The error's kind is
	// one of package schemas, its text may be shown.
	Deny func(http.ResponseWriter, *http.Request, error)
	// Login is the address of the login page; "/login" when empty.
	Login string
	// Limits say how often; [DefaultLimits] when zero.
	Limits Limits
	// Proxies are whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Log gets what goes wrong; slog.Default when nil.
	Log *slog.Logger

	begin                   sync.Once
	address, account, guess *Limiter
	origin                  http.CrossOriginProtection
}

// Entry is what the gate and the login have to say to the audit trail; its
// fields are those of audit.Record.
type Entry struct {
	Time                                                    time.Time
	Account, Role, Address, Action, Object, Outcome, Detail string
}

// Middleware is the gate for the outermost router's Use: it runs after the
// match.
func (g *Gate) Middleware(next http.Handler) http.Handler {
	g.prepare()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, rule, err := g.admit(r)
		if err != nil {
			g.refuse(w, r, who, rule, err)
			return
		}
		ctx := With(r.Context(), who)
		ctx = context.WithValue(ctx, addressKey{}, g.addressOf(r))
		ctx = context.WithValue(ctx, credentialKey{}, credential{r.Header.Get("Authorization"), r.Header.Values("Cookie")})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Unmatched hands on who asks for what no route matches, where the gate does not
// stand; it may be nobody.
func (g *Gate) Unmatched(next http.Handler) http.Handler {
	g.prepare()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now, address := g.Now(), limitKey(g.addressOf(r))
		if err := tooMany(g.address.Take(now, address)); err != nil {
			g.refuse(w, r, Identity{}, Rule{}, err)
			return
		}
		who, err := g.identify(r, now, address)
		if err != nil {
			who = Identity{}
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), who)))
	})
}

func (g *Gate) prepare() {
	g.begin.Do(func() {
		if g.Limits == (Limits{}) {
			g.Limits = DefaultLimits
		}
		g.address, g.account, g.guess = NewLimiter(g.Limits.Address), NewLimiter(g.Limits.Account), NewLimiter(g.Limits.Guess)
		g.Login = cmp.Or(g.Login, "/login")
		if g.Now == nil {
			g.Now = time.Now
		}
		if g.Log == nil {
			g.Log = slog.Default()
		}
	})
}

// admit decides about a request; the identity and rule are as far as they are
// known when it is refused.
func (g *Gate) admit(r *http.Request) (who Identity, rule Rule, err error) {
	now, address := g.Now(), limitKey(g.addressOf(r))
	if err := tooMany(g.address.Take(now, address)); err != nil {
		return who, rule, err
	}
	rule, ok := g.rule(r)
	if !ok {
		return who, rule, schemas.Errorf(schemas.NotFound, "no such address")
	}
	if err := g.origin.Check(r); err != nil {
		return who, rule, schemas.Errorf(schemas.Forbidden, "the request comes from another site")
	}
	if rule.Guess {
		if err := tooMany(g.guess.Take(now, address)); err != nil {
			return who, rule, err
		}
	}
	if who, err = g.identify(r, now, address); err != nil {
		return who, rule, err
	}
	if who.Account == "" && rule.May != Public {
		return who, rule, schemas.Errorf(schemas.Unauthenticated, "log in, or send a token: Authorization: Bearer <token>")
	}
	if who.Account != "" {
		if err := tooMany(g.account.Take(now, who.Account)); err != nil {
			return who, rule, err
		}
	}
	if !who.May(rule.May) {
		return who, rule, schemas.Errorf(schemas.Forbidden, "not for this role")
	}
	if rule.Audit != "" {
		err := g.record(r, Entry{Account: who.Account, Role: string(who.Role), Action: rule.Audit, Object: r.URL.Path, Outcome: "allowed", Detail: r.URL.RawQuery})
		if err != nil {
			g.Log.ErrorContext(r.Context(), "refused, because the audit trail cannot be written", "action", rule.Audit, "error", err)
			return who, rule, schemas.Errorf(schemas.Unavailable, "this is recorded in the audit trail, which cannot be written now; try again")
		}
	}
	return who, rule, nil
}

// rule is that of the route that matched.
func (g *Gate) rule(r *http.Request) (Rule, bool) {
	route := mux.CurrentRoute(r)
	if route == nil {
		return Rule{}, false
	}
	template, err := route.GetPathTemplate()
	if err != nil {
		return Rule{}, false
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	rule, ok := g.Rules[method+" "+template]
	return rule, ok && rule.May != ""
}

// identify finds out whose a request is; the zero Identity is nobody's.
func (g *Gate) identify(r *http.Request, now time.Time, address string) (Identity, error) {
	shown := r.Header.Values("Authorization")
	if len(shown) == 0 {
		if g.Session != nil {
			if who, ok := g.Session(r); ok {
				return who.bound(false), nil
			}
		}
		if g.Nobody != nil {
			if who, ok := g.Nobody(r); ok {
				return who.bound(false), nil
			}
		}
		return Identity{}, nil
	}
	if err := tooMany(g.guess.Wait(now, address)); err != nil {
		return Identity{}, err
	}
	scheme, secret, _ := strings.Cut(shown[0], " ")
	if len(shown) == 1 && strings.EqualFold(scheme, "Bearer") && secret != "" && g.Token != nil {
		who, err := g.Token(secret)
		switch {
		case err == nil && who.Account != "":
			return who.bound(true), nil
		case err != nil && schemas.KindOf(err) != schemas.Unauthenticated:
			return Identity{}, err
		}
	}
	g.guess.Take(now, address)
	return Identity{}, errBadToken
}

var errBadToken = schemas.Errorf(schemas.Unauthenticated, "the token is not, or no longer, good")

// bound is the identity with what follows from its role and from how it showed
// itself.
func (i Identity) bound(token bool) Identity {
	info, _ := i.Role.Info()
	i.Scope.SmallCells, i.Scope.Undecided, i.Token = info.SmallCells, info.Undecided, token
	return i
}

// Rate is an error of schemas.TooMany that says how long to wait.
type Rate struct {
	Wait time.Duration
	error
}

func (e Rate) Unwrap() error { return e.error }

func tooMany(wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	return Rate{wait, schemas.Errorf(schemas.TooMany, "too many requests; try again in %d s", seconds(wait))}
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// statuses are the HTTP statuses of what the gate refuses.
var statuses = map[schemas.ErrorKind]int{
	schemas.NotFound: http.StatusNotFound, schemas.Unavailable: http.StatusServiceUnavailable, schemas.Unauthenticated: http.StatusUnauthorized,
	schemas.Forbidden: http.StatusForbidden, schemas.TooMany: http.StatusTooManyRequests,
}

// refuse answers a request that does not pass.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, who Identity, rule Rule, err error) {
	kind := schemas.KindOf(err)
	page := ForPeople(r)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if late, ok := errors.AsType[Rate](err); ok {
		h.Set("Retry-After", strconv.Itoa(seconds(late.Wait)))
	}
	if kind == schemas.Forbidden || errors.Is(err, errBadToken) {
		object := r.URL.Path
		if rule.May == Public {
			object = "" // the paths of login links hold a secret
		}
		detail := r.Method + ": " + err.Error()
		if e := g.record(r, Entry{Account: who.Account, Role: string(who.Role), Action: "denied", Object: object, Outcome: "refused", Detail: detail}); e != nil {
			g.Log.ErrorContext(r.Context(), "a refusal is not in the audit trail", "error", e)
		}
	}
	switch {
	case kind == schemas.Unauthenticated && page && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		to := g.Login + "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
		if lang := r.URL.Query().Get("lang"); lang == "en" {
			to += "&lang=en"
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	case kind == schemas.Unauthenticated:
		h.Set("WWW-Authenticate", `Bearer realm="zhiban"`)
	case page && g.Deny != nil:
		g.Deny(w, r.WithContext(With(r.Context(), who)), err)
		return
	}
	status, ok := statuses[kind]
	message := err.Error()
	if !ok {
		g.Log.ErrorContext(r.Context(), "gate", "error", err)
		status, message = http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "title": http.StatusText(status), "detail": message})
}

// ForPeople tells whether a request wants a page rather than data.
func ForPeople(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/api/") && r.Header.Get("Authorization") == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}

func (g *Gate) record(r *http.Request, e Entry) error {
	if g.Audit == nil {
		return nil
	}
	e.Time, e.Address = g.Now(), g.addressOf(r).String()
	return g.Audit(r.Context(), e)
}

// addressOf is where a request comes from: the last address that no proxy of
// ours has.
func (g *Gate) addressOf(r *http.Request) netip.Addr {
	port, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	at := port.Addr().Unmap()
	said := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(said) - 1; i >= 0 && g.ours(at); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(said[i]))
		if err != nil {
			break
		}
		at = before.Unmap()
	}
	return at
}

func (g *Gate) ours(at netip.Addr) bool {
	for _, p := range g.Proxies {
		if p.Contains(at) {
			return true
		}
	}
	return false
}

// limitKey is what limits go by: who has an IPv6 address has all of its /64.
func limitKey(at netip.Addr) string {
	if at.Is6() {
		if p, err := at.Prefix(64); err == nil {
			return p.String()
		}
	}
	return at.String()
}

// LocalPath is path when it leads to a page of this site, and "/" when it leads
// elsewhere or nowhere: what may follow a login.
func LocalPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		strings.ContainsFunc(path, func(c rune) bool { return c == '\\' || c < ' ' || c == 0x7f }) || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	return path
}

type addressKey struct{}

// Address is where the request of a context that has passed the gate comes from;
// empty elsewhere.
func Address(ctx context.Context) string {
	if at, ok := ctx.Value(addressKey{}).(netip.Addr); ok {
		return at.String()
	}
	return ""
}

type credentialKey struct{}

type credential struct {
	authorization string
	cookies       []string
}

// Forward lets a request to another part of the platform be made in the name of
// whose request the context is. It must not go elsewhere.
func Forward(ctx context.Context, to *http.Request) {
	c, ok := ctx.Value(credentialKey{}).(credential)
	switch {
	case !ok:
	case c.authorization != "":
		to.Header.Set("Authorization", c.authorization)
	default:
		to.Header["Cookie"] = c.cookies
	}
}
