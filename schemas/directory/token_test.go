package directory

import (
	"strings"
	"testing"
	"time"

	"zhiban/schemas/access"
)

func TestTokens(t *testing.T) {
	c := newClock()
	d := open(t, newMemory(), c.time)
	make := func(title string, station access.Scope, days int) string {
		secret, err := d.NewToken(t.Context(), Token{Title: title, Role: access.Station, Scope: station, Expires: c.now.AddDate(0, 0, days), By: "admin"})
		must(t, err)
		return secret
	}
	court, prison := access.Scope{Station: "220122-court"}, access.Scope{Station: "220182-detention"}
	good, other, short, revoked := make("接口", court, 30), make("接口", prison, 30), make("试用", court, 1), make("旧", court, 30)
	_, revokedID, _ := cut2(revoked)
	must(t, d.Revoke(t.Context(), revokedID))
	c.later(24 * time.Hour)
	_, id, secret := cut2(good)
	_, otherID, otherSecret := cut2(other)
	for name, token := range map[string]string{
		"expired": short, "revoked": revoked, "none": "", "the mark alone": "zb_", "the id alone": "zb_" + id, "no secret": "zb_" + id + "_", "no mark": id + "_" + secret,
		"another mark": "gh_" + id + "_" + secret, "forged": "zb_" + id + "_" + strings.Repeat("A", len(secret)), "of another": "zb_" + id + "_" + otherSecret,
		"for another": "zb_" + otherID + "_" + secret, "cut off": good[:len(good)-1], "longer": good + "A", "another id": "zb_000000000000_" + secret,
		"what is kept": "zb_" + id + "_" + digest(secret), "another key": "zb_/../" + id + "_" + secret,
	} {
		who, err := d.Check(token)
		if kind(err) != "no entry" || who != (access.Identity{}) || err.Error() != noToken.EN {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	for token, scope := range map[string]access.Scope{good: court, other: prison} {
		_, id, _ := cut2(token)
		want := access.Identity{Account: "token:" + id, Title: "接口", Role: access.Station, Scope: scope, Token: true}
		if who, err := d.Check(token); err != nil || who != want {
			t.Errorf("%+v, %v", who, err)
		}
	}
	if err := d.Revoke(t.Context(), "000000000000"); kind(err) != "not found" {
		t.Errorf("revoke what is not there: %v", err)
	}
	first := map[string]time.Time{}
	for _, token := range d.Tokens() {
		first[token.ID] = token.Revoked
	}
	if must(t, d.Revoke(t.Context(), revokedID)); len(first) != 4 || first[revokedID].IsZero() || !first[id].IsZero() {
		t.Errorf("%v", first)
	}
	for _, token := range d.Tokens() {
		if !token.Revoked.Equal(first[token.ID]) || token.By != "admin" || token.Created.IsZero() {
			t.Errorf("%+v", token)
		}
	}
	if _, err := d.NewToken(t.Context(), Token{Title: "旧", Role: access.Station, Scope: court, Expires: c.now}); kind(err) != "invalid" {
		t.Errorf("a token that is expired at once: %v", err)
	}
}

func BenchmarkCheck(b *testing.B) {
	d := open(b, newMemory(), time.Now)
	secret, err := d.NewToken(b.Context(), Token{Title: "接口", Role: access.Station, Scope: access.Scope{Station: "220122-court"}, Expires: time.Now().Add(time.Hour)})
	must(b, err)
	for b.Loop() {
		if _, err := d.Check(secret); err != nil {
			b.Fatal(err)
		}
	}
}
