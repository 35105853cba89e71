package directory

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2"
	"pgregory.net/rapid"

	"zhiban/schemas/access"
)

func manager(d *Directory) *scs.SessionManager {
	s := scs.New()
	s.Store, s.Lifetime = d, 12*time.Hour
	return s
}

// browser is the token of a new session.
func browser(t testing.TB, d *Directory, account string) string {
	t.Helper()
	expires := time.Now().Add(12 * time.Hour)
	data, err := scs.GobCodec{}.Encode(expires, map[string]any{SessionAccount: account})
	must(t, err)
	token, _ := newSecret()
	must(t, d.Commit(token, data, expires))
	return token
}

// whose is the account of a token's session.
func whose(t testing.TB, d *Directory, token string) string {
	t.Helper()
	s := manager(d)
	ctx, err := s.Load(context.Background(), token)
	must(t, err)
	return s.GetString(ctx, SessionAccount)
}

// sessions is a directory with two accounts, without passwords.
func sessions(t testing.TB) *Directory {
	t.Helper()
	d := open(t, newMemory(), time.Now)
	for _, name := range []string{"li", "wang"} {
		must(t, d.Create(context.Background(), Account{Name: name, Title: name, Role: access.Administrator}))
	}
	return d
}

func TestWhatEndsSessions(t *testing.T) {
	for name, end := range map[string]func(*Directory) error{
		"a new password":   func(d *Directory) error { return d.SetPassword(t.Context(), "li", secretWord) },
		"being disabled":   func(d *Directory) error { return d.Disable(t.Context(), "li") },
		"an administrator": func(d *Directory) error { return d.EndSessions(t.Context(), "li", "") },
	} {
		t.Run(name, func(t *testing.T) {
			d := sessions(t)
			li, wang := browser(t, d, "li"), browser(t, d, "wang")
			s := manager(d)
			under, err := s.Load(t.Context(), li) // a request that is under way
			must(t, err)
			renewing, err := s.Load(t.Context(), li)
			must(t, err)
			must(t, end(d))
			s.Put(under, "seen", int64(1))
			if _, _, err := s.Commit(under); err != nil {
				t.Fatal(err)
			}
			must(t, s.RenewToken(renewing))
			renewed, _, err := s.Commit(renewing)
			must(t, err)
			must(t, d.Enable(t.Context(), "li"))
			for token, want := range map[string]string{li: "", renewed: "", wang: "wang", browser(t, d, "li"): "li"} {
				if got := whose(t, d, token); got != want {
					t.Errorf("a session of %q instead of %q", got, want)
				}
			}
		})
	}
}

// leaving is a table whose request ends with the first thing that it writes.
type leaving struct {
	*memory
	leave func()
}

func (l *leaving) Put(ctx context.Context, key string, value []byte) error {
	defer l.leave()
	return l.memory.Put(ctx, key, value)
}

func TestWhoLeavesDoesNotStopHalfWay(t *testing.T) {
	for name, change := range map[string]func(context.Context, *Directory) error{
		"password": func(ctx context.Context, d *Directory) error { return d.SetPassword(ctx, "li", secretWord) },
		"disable":  func(ctx context.Context, d *Directory) error { return d.Disable(ctx, "li") },
	} {
		d := sessions(t)
		li := browser(t, d, "li")
		ctx, leave := context.WithCancel(t.Context())
		if err := change(ctx, open(t, &leaving{d.table.(*memory), leave}, time.Now)); err != nil || ctx.Err() == nil {
			t.Errorf("%s: %v", name, err)
		}
		if must(t, d.Enable(t.Context(), "li")); whose(t, d, li) != "" {
			t.Errorf("%s: the session goes on", name)
		}
	}
}

func TestTheSessionAtHandGoesOn(t *testing.T) {
	d := sessions(t)
	here, there, wang := browser(t, d, "li"), browser(t, d, "li"), browser(t, d, "wang")
	must(t, d.EndSessions(t.Context(), "li", wang)) // another's is no exception, and no victim
	if whose(t, d, here) != "" || whose(t, d, wang) != "wang" {
		t.Error("the sessions of li have not ended")
	}
	here = browser(t, d, "li")
	for range 2 {
		must(t, d.EndSessions(t.Context(), "li", here))
		if whose(t, d, here) != "li" || whose(t, d, there) != "" {
			t.Error("the wrong one has ended")
		}
	}
	must(t, d.EndSessions(t.Context(), "li", there)) // an ended one does not begin again
	if whose(t, d, here) != "" || whose(t, d, there) != "" {
		t.Error("a session begins again")
	}
	if err := d.EndSessions(t.Context(), "nobody", ""); kind(err) != "not found" {
		t.Error(err)
	}
}

func TestALogoutIsNotUndone(t *testing.T) {
	d := sessions(t)
	li := browser(t, d, "li")
	s := manager(d)
	under, err := s.Load(t.Context(), li)
	must(t, err)
	out, err := s.Load(t.Context(), li)
	must(t, err)
	must(t, s.Destroy(out))
	if _, _, err := s.Commit(under); kind(err) != "no entry" || whose(t, d, li) != "" {
		t.Errorf("%v: a session of %q", err, whose(t, d, li))
	}
	// As of a process that has not yet read of the logout.
	hash := digest(li)
	must(t, d.put(t.Context(), sessionKey+hash, sessionRecord{Account: "li", Expires: time.Now().Add(time.Hour), Data: []byte{1}}))
	if whose(t, d, li) != "" {
		t.Error("the session is back")
	}
	must(t, d.Delete("a token that nobody has"))
}

func TestSessionsBeforeTheLogin(t *testing.T) {
	d := sessions(t)
	s := manager(d)
	ctx, err := s.Load(t.Context(), "")
	must(t, err)
	s.Put(ctx, "state", "xyz")
	token, _, err := s.Commit(ctx)
	must(t, err)
	ctx, err = s.Load(t.Context(), token)
	if err != nil || s.GetString(ctx, "state") != "xyz" {
		t.Error("what single sign-on began is lost", err)
	}
	if whose(t, d, browser(t, d, "nobody")) != "" {
		t.Error("a session of an account that is not there")
	}
}

// However requests, logouts and ends of sessions of two processes follow each
// other, no session of before an end is found after it, and all others are.
func TestNoSessionComesBack(t *testing.T) {
	type request struct {
		s     *scs.SessionManager
		ctx   context.Context
		token string
		ended bool // since it was read
	}
	rapid.Check(t, func(rt *rapid.T) {
		one := sessions(t)
		processes := []*scs.SessionManager{manager(one), manager(open(t, one.table, time.Now))}
		var tokens []string
		var requests []*request // under way
		alive := map[string]bool{}
		begun := func(token string, good bool) {
			tokens = append(tokens, token)
			alive[token] = good
		}
		for i := range rapid.IntRange(5, 40).Draw(rt, "steps") {
			act := rapid.SampledFrom([]string{"login", "load", "load", "commit", "renew", "logout", "end"}).Draw(rt, "act")
			s := rapid.SampledFrom(processes).Draw(rt, "process")
			var r *request
			switch {
			case act == "login":
				ctx, err := s.Load(t.Context(), "")
				must(t, err)
				s.Put(ctx, SessionAccount, "li")
				token, _, err := s.Commit(ctx)
				must(t, err)
				begun(token, true)
			case act == "end":
				must(t, one.EndSessions(t.Context(), "li", ""))
				clear(alive)
				for _, r := range requests {
					r.ended = true
				}
			case act == "load" && len(tokens) > 0:
				token := rapid.SampledFrom(tokens).Draw(rt, "token")
				ctx, err := s.Load(t.Context(), token)
				must(t, err)
				if alive[token] {
					requests = append(requests, &request{s, ctx, token, false})
				}
			case act != "load" && len(requests) > 0:
				r = rapid.SampledFrom(requests).Draw(rt, "request")
			}
			switch {
			case r == nil:
			case act == "commit":
				r.s.Put(r.ctx, "seen", int64(i))
				if _, _, err := r.s.Commit(r.ctx); alive[r.token] && err != nil {
					rt.Fatal(err)
				}
			case act == "renew":
				must(t, r.s.RenewToken(r.ctx))
				delete(alive, r.token)
				var err error
				r.token, _, err = r.s.Commit(r.ctx)
				must(t, err)
				begun(r.token, !r.ended)
			case act == "logout":
				must(t, r.s.Destroy(r.ctx))
				delete(alive, r.token)
				requests = slices.DeleteFunc(requests, func(other *request) bool { return other.token == r.token })
			}
			for _, token := range tokens {
				if got := whose(t, one, token); (got == "li") != alive[token] {
					rt.Fatalf("after step %d a session of %q, alive: %v", i, got, alive[token])
				}
			}
		}
	})
}

func TestTidying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sessions(t)
		table := d.table.(*memory)
		held := func() string {
			kinds := map[string]int{}
			for _, prefix := range []string{sessionKey, endedKey, linkKey, attemptsKey, tokenKey, accountKey} {
				table.Each(prefix, func(string, []byte) bool { kinds[prefix]++; return true })
			}
			return fmt.Sprint(kinds)
		}
		out := browser(t, d, "li")
		browser(t, d, "wang") // for 12 hours
		must(t, d.Delete(out))
		_, err := d.Link(t.Context(), "li", 90*time.Minute)
		must(t, err)
		must(t, d.put(t.Context(), attemptsKey+"wang", attemptsRecord{3, time.Now()}))
		_, err = d.NewToken(t.Context(), Token{Title: "接口", Role: access.Administrator, Expires: time.Now().Add(time.Minute)})
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		end := make(chan error)
		go func() { end <- d.Tidy(ctx) }()
		for _, step := range []struct {
			later time.Duration
			want  string
		}{
			{time.Second, "map[account/:2 attempts/:1 ended/:1 link/:1 session/:1 token/:1]"},
			{time.Hour + time.Minute, "map[account/:2 attempts/:1 ended/:1 link/:1 session/:1 token/:1]"},
			{time.Hour, "map[account/:2 attempts/:1 ended/:1 session/:1 token/:1]"},
			{11 * time.Hour, "map[account/:2 attempts/:1 token/:1]"},
			{12 * time.Hour, "map[account/:2 token/:1]"},
		} {
			time.Sleep(step.later) // of the test's own time, which takes none
			synctest.Wait()
			if got := held(); got != step.want {
				t.Errorf("after %s more: %s", step.later, got)
			}
		}
		cancel()
		if err := <-end; err != nil {
			t.Error(err)
		}
		table.gone = context.DeadlineExceeded
		if err := d.Tidy(t.Context()); err == nil {
			t.Error("it goes on without a table")
		}
	})
}

// What every request with a session pays.
func BenchmarkFind(b *testing.B) {
	d := sessions(b)
	token := browser(b, d, "li")
	for b.Loop() {
		if _, ok, err := d.Find(token); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
