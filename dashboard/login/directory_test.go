package login

import (
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"zhiban/schemas"
	"zhiban/schemas/directory"
	"zhiban/schemas/ktable"
)

// The pages with the directory that they are made for, on a broker.
func TestFromTheFirstLinkOn(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	table, err := ktable.Open(t.Context(), ktable.Config{Brokers: cluster.ListenAddrs(), Topic: schemas.AccessTopic})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	p := &platform{t: t}
	dir, err := directory.Open(table, p.now)
	if err != nil {
		t.Fatal(err)
	}
	first, err := dir.FirstAdministrator(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.serve(dir, dir, nil)
	here := p.jar
	there, _ := cookiejar.New(nil)
	change := func(old, new string) (int, string) {
		status, body, _ := p.do("/account/password", url.Values{"old": {old}, "new": {new}, "again": {new}})
		return status, body
	}

	if status, _, to := p.do("/login/link/"+first, url.Values{}); status != 303 || to != "/account" || p.as() != "admin" {
		t.Fatalf("%d to %s as %s", status, to, p.as())
	}
	if status, body := change("", "1234567890"); status != 422 || !strings.Contains(body, "太常见") {
		t.Errorf("a password that everybody tries: %d %s", status, body)
	}
	if status, _ := change("", password); status != 303 || p.as() != "admin" {
		t.Fatalf("the first password: %d", status)
	}
	if status, body, _ := p.do("/accounts?lang=en", url.Values{"name": {"dehui"}, "title": {"德惠市"}, "role": {"county"}, "division": {"220100"}}); status != 422 || !strings.Contains(body, "is not of the level of role County legal aid centre") {
		t.Errorf("a scope that does not fit: %d %s", status, body)
	}
	_, body, _ := p.do("/accounts", url.Values{"name": {"dehui"}, "title": {"德惠市"}, "role": {"county"}, "division": {"220183"}})
	_, link, _ := strings.Cut(body, "/login/link/")
	link, _, _ = strings.Cut(link, "<")

	p.client.Jar = there
	if p.login("admin", password) != 303 || p.as() != "admin" {
		t.Fatal("no entry by password")
	}
	if status, _ := change(password, password+" 2"); status != 303 || p.as() != "admin" {
		t.Fatalf("a new password: %d as %s", status, p.as())
	}
	p.client.Jar = here
	if p.as() == "admin" {
		t.Error("the other session outlives the password")
	}
	if status, _, _ := p.do("/login/link/"+link, url.Values{}); status != 303 || p.as() != "dehui" {
		t.Errorf("the new account's link: %d as %s", status, p.as())
	}
	p.client.Jar = there
	if status, _, _ := p.do("/accounts/dehui/disable", url.Values{}); status != 303 {
		t.Errorf("disable: %d", status)
	}
	if status, _, _ := p.do("/accounts/dehui/enable", url.Values{}); status != 303 {
		t.Errorf("enable: %d", status)
	}
	p.client.Jar = here
	if p.as() == "dehui" {
		t.Error("the session outlives its account's being disabled")
	}
}
