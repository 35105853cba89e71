package login

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/directory"
)

// private keeps pages out of caches and bounds what is sent to them. The address
// of a link page is a secret: no page tells where its reader comes from.
func private(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		next.ServeHTTP(w, r)
	})
}

func style(w http.ResponseWriter, _ *http.Request) {
	b, err := files.ReadFile("static/login.css")
	if err != nil {
		panic(err) // the file is part of the program
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(b)
}

// page is what every template gets.
type page struct {
	Title, Lang, Other, LangQuery string
	Who                           access.Identity
	RoleTitle, ScopeTitle         string
	Admin                         bool
	Error, Done                   string
	Body                          any
}

func parsePages() (map[string]*template.Template, error) {
	pages := map[string]*template.Template{}
	for _, lang := range []string{chinese, english} {
		for _, name := range []string{"login", "link", "account", "accounts", "message"} {
			t, err := template.New("").Funcs(template.FuncMap{
				"t": phrases(lang).t, "role": phrases(lang).role, "scope": phrases(lang).scope, "when": when,
			}).ParseFS(files, "templates/frame.html", "templates/"+name+".html")
			if err != nil {
				return nil, err
			}
			pages[lang+"/"+name] = t
		}
	}
	return pages, nil
}

func when(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return t.In(schemas.Shanghai).Format("2006-01-02 15:04")
}

func language(r *http.Request) phrases {
	if r.URL.Query().Get("lang") == english {
		return english
	}
	return chinese
}

// show answers with a page.
func (l *Login) show(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	lang := language(r)
	q := r.URL.Query()
	if lang == english {
		p.Lang, p.LangQuery = "en", "?lang=en"
		q.Del("lang")
	} else {
		p.Lang = "zh-CN"
		q.Set("lang", english)
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		p.Other = r.URL.Path
		if e := q.Encode(); e != "" {
			p.Other += "?" + e
		}
	}
	p.Who = access.From(r.Context())
	p.RoleTitle, p.ScopeTitle, p.Admin = lang.role(p.Who.Role), lang.scope(p.Who.Scope), p.Who.May(access.ManageAccounts)
	var b bytes.Buffer
	if err := l.pages[string(lang)+"/"+name].ExecuteTemplate(&b, "frame", p); err != nil {
		l.log.ErrorContext(r.Context(), "login page", "page", name, "error", err)
		http.Error(w, lang.t("error.500"), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", p.Lang)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// goTo leads to another page in the same language.
func goTo(w http.ResponseWriter, r *http.Request, path string) {
	if language(r) == english && !strings.Contains(path, "lang=") {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		path += sep + "lang=en"
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// fail is the page of what went wrong.
func (l *Login) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, text := l.explain(r, err)
	l.show(w, r, status, "message", page{Title: language(r).t("failed"), Error: text})
}

// explain is an error for its reader; what they may not see is logged.
func (l *Login) explain(r *http.Request, err error) (status int, text string) {
	lang := language(r)
	switch schemas.KindOf(err) {
	case schemas.Invalid:
		return http.StatusUnprocessableEntity, lang.t("error.422", directory.ErrorText(err).In(string(lang)))
	case schemas.Conflict:
		return http.StatusConflict, lang.t("error.409", directory.ErrorText(err).In(string(lang)))
	case schemas.NotFound:
		return http.StatusNotFound, lang.t("error.404")
	case schemas.Unavailable:
		l.log.ErrorContext(r.Context(), "login", "error", err, "cause", errors.Unwrap(err))
		return http.StatusServiceUnavailable, lang.t("error.503")
	case schemas.TooMany:
		return http.StatusTooManyRequests, lang.t("error.429", 60)
	case schemas.Unauthenticated, schemas.Forbidden:
		return http.StatusForbidden, lang.t("error.entry")
	}
	l.log.ErrorContext(r.Context(), "login", "error", err)
	return http.StatusInternalServerError, lang.t("error.500")
}

// loginForm is what the login page shows.
type loginForm struct {
	Name, Next string
	SSO        bool
}

func (l *Login) loginPage(w http.ResponseWriter, r *http.Request) {
	next := access.LocalPath(r.URL.Query().Get("next"))
	if who := access.From(r.Context()); who.Account != "" && !who.Sole {
		goTo(w, r, next)
		return
	}
	l.show(w, r, http.StatusOK, "login", page{Title: language(r).t("login"), Body: loginForm{Next: next, SSO: l.cfg.OIDC != nil}})
}

// longestName is how much of a name tells attempts apart: no account has a longer
// one, and what strangers type is not kept.
const longestName = 64

// logIn takes name and password. Whatever is wrong, the answer is the same; so
// is the number of attempts that a name has, whether there is such an account or
// not.
func (l *Login) logIn(w http.ResponseWriter, r *http.Request) {
	lang := language(r)
	if err := r.ParseForm(); err != nil {
		l.fail(w, r, schemas.Errorf(schemas.Invalid, "the form cannot be read"))
		return
	}
	name, next := strings.ToLower(strings.TrimSpace(r.PostForm.Get("name"))), access.LocalPath(r.PostForm.Get("next"))
	again := func(status int, text string) {
		l.show(w, r, status, "login", page{Title: lang.t("login"), Error: text, Body: loginForm{Name: name, Next: next, SSO: l.cfg.OIDC != nil}})
	}
	if wait := l.names.Take(l.now(), name[:min(len(name), longestName)]); wait > 0 {
		l.refused(r, name, "too many attempts")
		w.Header().Set("Retry-After", seconds(wait))
		again(http.StatusTooManyRequests, lang.t("error.429", int(wait.Seconds())+1))
		return
	}
	who, err := l.cfg.Directory.Login(r.Context(), name, r.PostForm.Get("password"))
	switch kind := schemas.KindOf(err); {
	case err == nil:
		l.welcome(w, r, who, "password", next)
	case kind == schemas.TooMany:
		l.refused(r, name, "locked")
		w.Header().Set("Retry-After", "60")
		again(http.StatusTooManyRequests, directory.ErrorText(err).In(string(lang)))
	case kind == schemas.Unavailable || kind == schemas.Internal:
		status, text := l.explain(r, err)
		again(status, text)
	default:
		l.refused(r, name, "name or password is wrong")
		again(http.StatusUnauthorized, lang.t("wrong"))
	}
}

// refused records a login that failed. What was typed as the name of no account
// may be a password in the wrong field: it is not kept.
func (l *Login) refused(r *http.Request, name, why string) {
	if _, ok := l.cfg.Directory.Account(name); !ok && !strings.HasPrefix(name, External) {
		name = "(unknown)"
	}
	l.record(r, access.Identity{}, "login-failed", name, "refused", why)
}

// welcome begins the session of whoever has shown who they are.
func (l *Login) welcome(w http.ResponseWriter, r *http.Request, who access.Identity, how, next string) {
	if err := l.enter(w, r, who); err != nil {
		l.fail(w, r, err)
		return
	}
	l.record(r, who, "login", who.Account, "done", how)
	goTo(w, r, access.LocalPath(next))
}

// noEntry answers those whose link or sign-on is no good.
func (l *Login) noEntry(w http.ResponseWriter, r *http.Request, name, why string) {
	l.record(r, access.Identity{}, "login-failed", name, "refused", why)
	l.show(w, r, http.StatusForbidden, "message", page{Title: language(r).t("failed"), Error: language(r).t("error.entry")})
}

// linkPage shows a button: what looks at links in messages must not use them up.
func (l *Login) linkPage(w http.ResponseWriter, r *http.Request) {
	l.show(w, r, http.StatusOK, "link", page{Title: language(r).t("link")})
}

func (l *Login) redeem(w http.ResponseWriter, r *http.Request) {
	who, err := l.cfg.Directory.Redeem(r.Context(), mux.Vars(r)["secret"])
	switch kind := schemas.KindOf(err); {
	case err == nil:
		next := "/"
		if a, ok := l.cfg.Directory.Account(who.Account); ok && !a.HasPassword {
			next = "/account" // to choose a password for the next time
		}
		l.welcome(w, r, who, "link", next)
	case kind == schemas.Unavailable || kind == schemas.Internal:
		l.fail(w, r, err)
	default:
		l.noEntry(w, r, "", "link: used, expired or unknown")
	}
}

func (l *Login) logOut(w http.ResponseWriter, r *http.Request) {
	who := access.From(r.Context())
	if err := l.leave(w, r); err != nil {
		l.fail(w, r, err)
		return
	}
	l.record(r, who, "logout", who.Account, "done", "")
	goTo(w, r, "/login")
}
