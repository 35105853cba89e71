package login

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }

// ownAccount is what the page of one's own account shows.
type ownAccount struct {
	HasPassword, External bool
	LastLogin             time.Time
}

func (l *Login) accountPage(w http.ResponseWriter, r *http.Request) {
	done := ""
	if r.URL.Query().Has("changed") {
		done = language(r).t("password.changed")
	}
	l.account(w, r, http.StatusOK, "", done)
}

func (l *Login) account(w http.ResponseWriter, r *http.Request, status int, wrong, done string) {
	who := access.From(r.Context())
	a, _ := l.cfg.Directory.Account(who.Account)
	l.show(w, r, status, "account", page{Title: language(r).t("account"), Error: wrong, Done: done,
		Body: ownAccount{a.HasPassword, strings.HasPrefix(who.Account, External), a.LastLogin}})
}

// changePassword asks for the old password, when there is one: an open page is
// not yet its person.
func (l *Login) changePassword(w http.ResponseWriter, r *http.Request) {
	ctx, lang, who := r.Context(), language(r), access.From(r.Context())
	a, ok := l.cfg.Directory.Account(who.Account)
	if err := r.ParseForm(); err != nil || !ok || who.Token || strings.HasPrefix(who.Account, External) {
		l.fail(w, r, schemas.Errorf(schemas.NotFound, "no password to change"))
		return
	}
	if r.PostForm.Get("new") != r.PostForm.Get("again") {
		l.account(w, r, http.StatusUnprocessableEntity, lang.t("password.differ"), "")
		return
	}
	if a.HasPassword {
		if wait := l.names.Take(l.now(), who.Account); wait > 0 {
			l.account(w, r, http.StatusTooManyRequests, lang.t("error.429", int(wait.Seconds())+1), "")
			return
		}
		if _, err := l.cfg.Directory.Login(ctx, who.Account, r.PostForm.Get("old")); err != nil {
			l.record(r, who, "account-password", who.Account, "refused", "the old password is wrong")
			l.account(w, r, http.StatusUnprocessableEntity, lang.t("password.wrong"), "")
			return
		}
	}
	if err := l.cfg.Directory.SetPassword(ctx, who.Account, r.PostForm.Get("new")); err != nil {
		status, text := l.explain(r, err)
		l.account(w, r, status, text, "")
		return
	}
	l.record(r, who, "account-password", who.Account, "done", "")
	if err := l.enter(w, r, who); err != nil {
		l.fail(w, r, err)
		return
	}
	goTo(w, r, "/account?changed=1")
}

// register is what the administrator's page shows.
type register struct {
	Accounts  []accountRow
	Tokens    []tokenRow
	Roles     []access.RoleInfo
	Divisions []schemas.Division
	Secret    secret
}

// secret is shown once.
type secret struct{ Title, For, Text, Note string }

type accountRow struct {
	Account
	Path, State      string
	Locked, Disabled bool
}

type tokenRow struct {
	Token
	Path, State string
	Good        bool
}

func (l *Login) accountsPage(w http.ResponseWriter, r *http.Request) {
	l.register(w, r, http.StatusOK, "", secret{})
}

func (l *Login) register(w http.ResponseWriter, r *http.Request, status int, wrong string, s secret) {
	lang, now := language(r), l.now()
	body := register{Roles: access.Roles, Secret: s}
	for _, d := range schemas.Divisions.All() {
		if d.Valid(schemas.DayOf(now)) {
			body.Divisions = append(body.Divisions, d)
		}
	}
	for _, a := range l.cfg.Directory.Accounts() {
		row := accountRow{Account: a, Path: "/accounts/" + url.PathEscape(a.Name), Locked: a.Locked.After(now), Disabled: a.Disabled, State: lang.t("state.good")}
		switch {
		case row.Disabled:
			row.State = lang.t("state.disabled")
		case row.Locked:
			row.State = lang.t("state.locked", when(a.Locked))
		}
		body.Accounts = append(body.Accounts, row)
	}
	for _, t := range l.cfg.Directory.Tokens() {
		row := tokenRow{Token: t, Path: "/tokens/" + url.PathEscape(t.ID), State: lang.t("state.good"), Good: true}
		switch {
		case !t.Revoked.IsZero():
			row.State, row.Good = lang.t("state.revoked", when(t.Revoked)), false
		case !t.Expires.After(now):
			row.State, row.Good = lang.t("state.expired"), false
		}
		body.Tokens = append(body.Tokens, row)
	}
	slices.SortFunc(body.Accounts, func(a, b accountRow) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(body.Tokens, func(a, b tokenRow) int { return b.Created.Compare(a.Created) })
	l.show(w, r, status, "accounts", page{Title: lang.t("accounts"), Error: wrong, Body: body})
}

// wrong shows the register with what was wrong.
func (l *Login) wrong(w http.ResponseWriter, r *http.Request, err error) {
	status, text := l.explain(r, err)
	l.register(w, r, status, text, secret{})
}

// bound reads role and scope of a form.
func bound(r *http.Request) (access.Role, access.Scope) {
	role := access.Role(r.PostForm.Get("role"))
	var scope access.Scope
	switch info, ok := role.Info(); {
	case !ok || role == access.Administrator:
	case info.OneStation:
		scope.Station = schemas.StationCode(strings.TrimSpace(r.PostForm.Get("station")))
	default:
		scope.Division = schemas.DivisionCode(r.PostForm.Get("division"))
	}
	return role, scope
}

// createAccount makes an account and its first one-time link.
func (l *Login) createAccount(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		l.wrong(w, r, schemas.Errorf(schemas.Invalid, "the form cannot be read"))
		return
	}
	name := strings.TrimSpace(r.PostForm.Get("name"))
	role, scope := bound(r)
	err := l.cfg.Directory.Create(r.Context(), Account{Name: name, Title: strings.TrimSpace(r.PostForm.Get("title")), Role: role, Scope: scope})
	l.did(r, "account-create", name, string(role)+" "+string(scope.Division)+string(scope.Station), err)
	if err != nil {
		l.wrong(w, r, err)
		return
	}
	l.link(w, r, name)
}

func (l *Login) changeAccount(w http.ResponseWriter, r *http.Request) {
	name, act := mux.Vars(r)["name"], mux.Vars(r)["act"]
	if _, ok := l.cfg.Directory.Account(name); !ok {
		l.wrong(w, r, schemas.Errorf(schemas.NotFound, "no such account"))
		return
	}
	var err error
	switch act {
	case "link":
		l.link(w, r, name)
		return
	case "disable":
		if name == access.From(r.Context()).Account {
			err = schemas.Errorf(schemas.Conflict, "nobody disables their own account")
			break
		}
		err = l.cfg.Directory.Disable(r.Context(), name)
	case "enable":
		err = l.cfg.Directory.Enable(r.Context(), name)
	}
	l.did(r, "account-"+act, name, "", err)
	if err != nil {
		l.wrong(w, r, err)
		return
	}
	goTo(w, r, "/accounts")
}

// link shows a new one-time link.
func (l *Login) link(w http.ResponseWriter, r *http.Request, name string) {
	text, err := l.cfg.Directory.Link(r.Context(), name, linkValid)
	l.did(r, "account-link", name, "", err)
	if err != nil {
		l.wrong(w, r, err)
		return
	}
	lang := language(r)
	l.register(w, r, http.StatusOK, "", secret{lang.t("secret.link"), name, l.origin(r) + "/login/link/" + url.PathEscape(text), lang.t("secret.link.note", int(linkValid.Hours()))})
}

// origin is the site's address.
func (l *Login) origin(r *http.Request) string {
	switch {
	case l.cfg.Origin != "":
		return l.cfg.Origin
	case l.cfg.Secure:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// tokenDays are how long a token may live.
const tokenDays = 366

func (l *Login) createToken(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		l.wrong(w, r, schemas.Errorf(schemas.Invalid, "the form cannot be read"))
		return
	}
	days, err := strconv.Atoi(r.PostForm.Get("days"))
	if err != nil || days < 1 || days > tokenDays {
		l.wrong(w, r, schemas.Errorf(schemas.Invalid, "a token is valid from 1 to %d days", tokenDays))
		return
	}
	role, scope := bound(r)
	t := Token{Title: strings.TrimSpace(r.PostForm.Get("title")), Role: role, Scope: scope, Expires: l.now().AddDate(0, 0, days), By: access.From(r.Context()).Account}
	text, err := l.cfg.Directory.NewToken(r.Context(), t)
	l.did(r, "token-create", t.Title, string(role)+" "+string(scope.Division)+string(scope.Station), err)
	if err != nil {
		l.wrong(w, r, err)
		return
	}
	lang := language(r)
	l.register(w, r, http.StatusOK, "", secret{lang.t("secret.token"), t.Title, text, lang.t("secret.token.note")})
}

func (l *Login) revokeToken(w http.ResponseWriter, r *http.Request) {
	id := mux.Vars(r)["id"]
	err := l.cfg.Directory.Revoke(r.Context(), id)
	l.did(r, "token-revoke", id, "", err)
	if err != nil {
		l.wrong(w, r, err)
		return
	}
	goTo(w, r, "/accounts")
}

// did records what an administrator did, or tried to.
func (l *Login) did(r *http.Request, action, object, detail string, err error) {
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	l.record(r, access.From(r.Context()), action, object, outcome, strings.TrimSpace(detail))
}
