package login

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"zhiban/schemas/access"
)

func TestALoginBeginsANewSession(t *testing.T) {
	p := newPlatform(t, nil)
	if p.login("nongan", password) != 303 || p.as() != "nongan" {
		t.Fatal("no entry")
	}
	before := p.cookie()
	if p.login("admin", password) != 303 || p.as() != "admin" || p.cookie() == before {
		t.Error("the session of before goes on")
	}
	if _, ok, _ := p.sessions.Find(before); ok {
		t.Error("the token of before is still good")
	}
	if p.do("/logout", url.Values{}); len(p.sessions.kept) != 0 {
		t.Error("the session is kept after the logout")
	}
	if status, _, to := p.do("/", nil); status != 303 || !strings.HasPrefix(to, "/login") {
		t.Errorf("%d to %s", status, to)
	}
}

func TestTheAnswerDoesNotTellWhatWasWrong(t *testing.T) {
	answers := map[string]string{}
	for _, name := range []string{"nongan", "nobody"} {
		p := newPlatform(t, nil)
		all := ""
		for range 7 {
			status, body, _ := p.do("/login", url.Values{"name": {name}, "password": {"secret guess"}})
			all += strings.ReplaceAll(body, name, "") + string(rune(status))
		}
		if strings.Contains(all, "secret guess") || !strings.Contains(all, "过于频繁") {
			t.Errorf("%s: %s", name, all)
		}
		answers[name] = all
		for _, e := range p.trail {
			if strings.Contains(e.Object+e.Detail, "secret guess") || name == "nobody" && e.Object == "nobody" {
				t.Errorf("%+v", e)
			}
		}
		p.later(time.Minute)
		if name == "nongan" && p.login(name, password) != 303 {
			t.Error("no entry after the pause")
		}
	}
	if answers["nongan"] != answers["nobody"] {
		t.Error("the answers differ")
	}
}

func TestASessionEnds(t *testing.T) {
	p := newPlatform(t, nil)
	p.login("nongan", password)
	for range 24 { // somebody works for 11 hours and 36 minutes
		if p.later(29 * time.Minute); p.as() != "nongan" {
			t.Fatal("it ended while its person worked")
		}
	}
	if p.later(29 * time.Minute); p.as() == "nongan" {
		t.Error("it outlives 12 hours")
	}
	p.later(time.Hour)
	p.login("nongan", password)
	if p.later(31 * time.Minute); p.as() == "nongan" {
		t.Error("it outlives 30 idle minutes")
	}
	p.login("nongan", password)
	if _ = p.dir.Disable(t.Context(), "nongan"); p.as() == "nongan" {
		t.Error("a disabled account goes on")
	}
}

func TestALinkWorksOnceAndByItsButtonAlone(t *testing.T) {
	p := newPlatform(t, nil)
	for range 2 {
		if status, body, _ := p.do("/login/link/first", nil); status != 200 || !strings.Contains(body, "登录平台") {
			t.Fatalf("%d %s", status, body)
		}
	}
	if status, _, to := p.do("/login/link/first", url.Values{}); status != 303 || to != "/account" || p.as() != "nongan.new" {
		t.Fatalf("%d to %s as %s", status, to, p.as())
	}
	if status, _, _ := p.do("/account/password", url.Values{"new": {"a new password"}, "again": {"a new password"}}); status != 303 {
		t.Errorf("password: %d", status)
	}
	if p.login("nongan.new", "a new password") != 303 {
		t.Error("the new password is no good")
	}
	if status, _, _ := p.do("/login/link/first", url.Values{}); status != 403 {
		t.Errorf("replayed: %d", status)
	}
	for _, e := range p.trail {
		if strings.Contains(e.Object+e.Detail, "first") {
			t.Errorf("%+v", e)
		}
	}
}

func TestALoginLeadsNowhereElse(t *testing.T) {
	p := newPlatform(t, nil)
	for next, want := range map[string]string{"//elsewhere.example": "/", "https://elsewhere.example": "/", "/details?x=1": "/details?x=1"} {
		if _, _, to := p.do("/login", url.Values{"name": {"admin"}, "password": {password}, "next": {next}}); to != want {
			t.Errorf("%s leads to %s", next, to)
		}
	}
}

func TestAdministratorsKeepAccounts(t *testing.T) {
	p := newPlatform(t, nil)
	p.login("nongan", password)
	if status, _, _ := p.do("/accounts", nil); status != 403 {
		t.Errorf("a county sees accounts: %d", status)
	}
	p.login("admin", password)
	_, body, _ := p.do("/accounts", url.Values{"name": {"dehui"}, "title": {"德惠市"}, "role": {"county"}, "division": {"220183"}})
	if !strings.Contains(body, p.url+"/login/link/link-2") || p.dir.accounts["dehui"].Scope.Division != "220183" || strings.Contains(body, "<script>alert") {
		t.Error(body)
	}
	if status, _, _ := p.do("/accounts", url.Values{"name": {"sso-x"}, "title": {"x"}, "role": {"administrator"}}); status != 422 {
		t.Errorf("a local account of single sign-on: %d", status)
	}
	_, body, _ = p.do("/tokens", url.Values{"title": {"接口"}, "role": {"station"}, "station": {"220122-court"}, "days": {"30"}})
	if !strings.Contains(body, "zb_t1_shown-once") || p.dir.tokens[0].By != "admin" || p.dir.tokens[0].Scope.Station != "220122-court" {
		t.Error(body)
	}
	if _, body, _ = p.do("/accounts", nil); strings.Contains(body, "shown-once") || strings.Contains(body, "link-2") {
		t.Error("a secret is shown twice")
	}
	if status, _, _ := p.do("/tokens/t1/revoke", url.Values{}); status != 303 || p.dir.tokens[0].Revoked.IsZero() {
		t.Errorf("revoke: %d", status)
	}
	if status, _, _ := p.do("/accounts/admin/disable", url.Values{}); status != 409 || p.dir.accounts["admin"].Disabled {
		t.Errorf("one's own account: %d", status)
	}
	if p.do("/accounts/dehui/disable", url.Values{}); !p.dir.accounts["dehui"].Disabled {
		t.Error("not disabled")
	}
	var done []string
	for _, e := range p.trail {
		if strings.HasPrefix(e.Action, "account-") || strings.HasPrefix(e.Action, "token-") {
			done = append(done, e.Action+" "+e.Outcome)
		}
		if strings.Contains(e.Detail+e.Object, "shown-once") {
			t.Errorf("%+v", e)
		}
	}
	if got := strings.Join(done, ", "); got != "account-create done, account-link done, account-create failed, token-create done, token-revoke done, account-disable failed, account-disable done" {
		t.Error(got)
	}
}

func TestSingleSignOn(t *testing.T) {
	m, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Shutdown() })
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(m.ClientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPlatform(t, &OIDC{Issuer: m.Issuer(), ClientID: m.ClientID, SecretFile: secret, Scopes: []string{"profile", "groups"}, Title: "preferred_username",
		Rules: []ClaimRule{{Claim: "groups", Value: "county-nongan", Role: access.County, Division: "220122"}}})
	back := func(groups ...string) string {
		m.QueueUser(&mockoidc.MockUser{Subject: "42", PreferredUsername: "admin", Groups: groups})
		_, _, to := p.do("/login/oidc?next=/account", nil)
		_, _, to = p.do(to, nil)
		return to
	}
	if status, _, _ := p.do(back("strangers"), nil); status != 403 || p.as() != "" && strings.Contains(p.as(), "sso-") {
		t.Errorf("a stranger: %d", status)
	}
	to := back("others", "county-nongan")
	if status, _, next := p.do(to, nil); status != 303 || next != "/account" || p.as() != "sso-42" {
		t.Fatalf("%d %s as %s", status, next, p.as())
	}
	if a := p.dir.accounts["sso-42"]; a.Role != access.County || a.Scope.Division != "220122" || a.Title != "admin" {
		t.Errorf("%+v", a)
	}
	if status, _, _ := p.do(to, nil); status != 403 {
		t.Errorf("a replayed answer: %d", status)
	}
	forged, _ := url.Parse(back("county-nongan"))
	q := forged.Query()
	q.Set("state", "forged")
	forged.RawQuery = q.Encode()
	if status, _, _ := p.do(forged.String(), nil); status != 403 {
		t.Errorf("a forged state: %d", status)
	}
	used, _ := url.Parse(to)
	fresh, _ := url.Parse(back("county-nongan"))
	q = fresh.Query()
	q.Set("code", used.Query().Get("code"))
	fresh.RawQuery = q.Encode()
	if status, _, _ := p.do(fresh.String(), nil); status != 403 {
		t.Errorf("a replayed code: %d", status)
	}
}
