package directory

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

func TestALinkLetsExactlyOneIn(t *testing.T) {
	one, two, settle := processes(t, time.Now)
	nongan(t, one)
	link, err := one.Link(t.Context(), "nongan", time.Hour)
	must(t, err)
	settle(two)
	var entered atomic.Int32
	var all sync.WaitGroup
	for _, d := range []*Directory{one, two, one, two, one, two} {
		all.Go(func() {
			switch who, err := d.Redeem(t.Context(), link); {
			case err == nil && who.Account == "nongan":
				entered.Add(1)
			case kind(err) != "no entry" || who != access.Identity{}:
				t.Errorf("%+v, %v", who, err)
			}
		})
	}
	if all.Wait(); entered.Load() != 1 {
		t.Errorf("%d entered", entered.Load())
	}
	settle(two)
	if _, err := two.Redeem(t.Context(), link); kind(err) != "no entry" {
		t.Errorf("replayed: %v", err)
	}
}

func TestLinksThatAreNoGood(t *testing.T) {
	for name, spoil := range map[string]func(d *Directory, c *clock, link string) string{
		"expired":      func(_ *Directory, c *clock, link string) string { c.later(time.Hour); return link },
		"forged":       func(_ *Directory, _ *clock, link string) string { return link[:len(link)-1] + "_" },
		"none":         func(*Directory, *clock, string) string { return "" },
		"what is kept": func(_ *Directory, _ *clock, link string) string { return digest(link) },
		"superseded": func(d *Directory, _ *clock, link string) string {
			_, _ = d.Link(t.Context(), "nongan", time.Hour)
			return link
		},
		"of one disabled": func(d *Directory, _ *clock, link string) string { _ = d.Disable(t.Context(), "nongan"); return link },
		"of one back": func(d *Directory, _ *clock, link string) string {
			_ = d.Disable(t.Context(), "nongan")
			_ = d.Enable(t.Context(), "nongan")
			return link
		},
		"before a new one": func(d *Directory, _ *clock, link string) string {
			_ = d.SetPassword(t.Context(), "nongan", "another one, "+secretWord)
			return link
		},
		"used": func(d *Directory, _ *clock, link string) string { _, _ = d.Redeem(t.Context(), link); return link },
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			d := open(t, newMemory(), c.time)
			nongan(t, d)
			link, err := d.Link(t.Context(), "nongan", time.Hour)
			must(t, err)
			if _, err := d.Redeem(t.Context(), spoil(d, c, link)); kind(err) != "no entry" || err.Error() != noEntry.EN {
				t.Error(err)
			}
		})
	}
	d := open(t, newMemory(), newClock().time)
	nongan(t, d)
	if _, err := d.Link(t.Context(), "nobody", time.Hour); kind(err) != "not found" {
		t.Error(err)
	}
	if _, err := d.Link(t.Context(), "nongan", 0); kind(err) != "invalid" {
		t.Error(err)
	}
	must(t, d.Disable(t.Context(), "nongan"))
	if _, err := d.Link(t.Context(), "nongan", time.Hour); kind(err) != "conflict" {
		t.Error(err)
	}
}

func TestTheFirstAdministrator(t *testing.T) {
	table, c := newMemory(), newClock()
	d := open(t, table, c.time)
	nongan(t, d)
	first, err := d.FirstAdministrator(t.Context())
	must(t, err)
	second, err := d.FirstAdministrator(t.Context()) // the next start
	must(t, err)
	if _, err := d.Redeem(t.Context(), first); kind(err) != "no entry" {
		t.Errorf("the link of the start before: %v", err)
	}
	who, err := d.Redeem(t.Context(), second)
	if err != nil || who.Account != "admin" || who.Title != "系统管理员" || !who.May(access.ManageAccounts) {
		t.Fatalf("%+v, %v", who, err)
	}
	if secret, err := d.FirstAdministrator(t.Context()); secret != "" || err != nil {
		t.Errorf("after it was entered: %q, %v", secret, err)
	}

	for name, before := range map[string]func(*Directory) error{
		"one with a password": func(d *Directory) error {
			if err := d.Create(t.Context(), Account{Name: "root", Title: "管理员", Role: access.Administrator}); err != nil {
				return err
			}
			return d.SetPassword(t.Context(), "root", secretWord)
		},
		"one of single sign-on": func(d *Directory) error {
			_, err := d.External(t.Context(), Account{Name: "sso-1", Role: access.Administrator})
			return err
		},
		"one that waits for its link": func(d *Directory) error {
			return d.Create(t.Context(), Account{Name: "root", Title: "管理员", Role: access.Administrator})
		},
	} {
		d := open(t, newMemory(), c.time)
		must(t, before(d))
		secret, err := d.FirstAdministrator(t.Context())
		if _, made := d.Account("admin"); secret != "" || err != nil || made {
			t.Errorf("%s: %q, %v, made: %v", name, secret, err, made)
		}
	}
	taken := open(t, newMemory(), c.time)
	must(t, taken.Create(t.Context(), Account{Name: "admin", Title: "办公室", Role: access.County, Scope: access.Scope{Division: "220122"}}))
	if secret, err := taken.FirstAdministrator(t.Context()); kind(err) != "conflict" || secret != "" {
		t.Errorf("the name is another's: %q, %v", secret, err)
	}
}

func TestTheDemonstrationHasEveryRole(t *testing.T) {
	d := open(t, newMemory(), newClock().time)
	before, err := d.DemoAccounts(t.Context())
	must(t, err)
	must(t, d.Disable(t.Context(), "demo-bar"))
	must(t, d.SetPassword(t.Context(), "demo-county", secretWord))
	now, err := d.DemoAccounts(t.Context()) // the next start
	must(t, err)
	if len(before) != len(access.Roles) || len(now) != len(access.Roles)-1 || len(d.Accounts()) != len(access.Roles) {
		t.Fatalf("%d, then %d of %d roles", len(before), len(now), len(access.Roles))
	}
	for i, demo := range before {
		if demo.Role != access.Roles[i].Role {
			t.Errorf("%s instead of %s", demo.Role, access.Roles[i].Role)
		}
		if _, err := d.Redeem(t.Context(), demo.Secret); kind(err) != "no entry" {
			t.Errorf("%s: the link of the start before: %v", demo.Role, err)
		}
	}
	for _, demo := range now {
		who, err := d.Redeem(t.Context(), demo.Secret)
		if err != nil || who.Role != demo.Role || who.Account != demo.Account || who.Title != demo.Title {
			t.Errorf("%+v, %v", who, err)
		}
		if who.Scope.Division != "" && schemas.Divisions.Name(who.Scope.Division) == string(who.Scope.Division) {
			t.Errorf("%s is of no division that there is: %s", demo.Role, who.Scope.Division)
		}
	}
}
