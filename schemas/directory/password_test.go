package directory

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"zhiban/schemas/access"
)

// realCost is the cost outside of tests, which hash a thousand times cheaper.
var realCost = *cost

func TestMain(m *testing.M) {
	cost.Memory = 64
	os.Exit(m.Run())
}

// OWASP's Password Storage Cheat Sheet asks of argon2id for 46 MiB in one pass at
// the least.
func TestAHashCostsEnough(t *testing.T) {
	if realCost.Memory*realCost.Iterations < 46<<10 || realCost.SaltLength < 16 || realCost.KeyLength < 16 {
		t.Errorf("%+v", realCost)
	}
}

func TestPasswords(t *testing.T) {
	for password, want := range map[string]string{
		"马车电池订书钉十二个字": "in", "correct horse battery": "in", "Nongan-2026-法援": "in", strings.Repeat("长短高低", 64) + "": "invalid",
		"短密码": "invalid", "ninechars": "invalid", "长长长长长长长长长长": "invalid", "1212121212": "invalid", "1234567890": "invalid", "QWERTYUIOP": "invalid",
		"Password1234": "invalid", "ｐａｓｓｗｏｒｄ１２３４": "invalid", "woaini1314": "invalid", "nongannongan": "invalid", "NONGAN2026!": "invalid", "": "invalid",
		strings.Repeat("abcdefgh", 32): "in", strings.Repeat("abcdefgh", 32) + "i": "invalid",
	} {
		err := checkPassword("nongan", password)
		if kind(err) != want {
			t.Errorf("%q: %v", password, err)
		}
		if err != nil && password != "" && strings.Contains(ErrorText(err).ZH+err.Error(), password) {
			t.Errorf("%q is told: %v", password, err)
		}
	}
	for p := range common {
		if checkPassword("nobody", p) == nil || len(p) < passwordMin || p != strings.ToLower(p) {
			t.Errorf("%q stands in the list for nothing", p)
		}
	}
}

func TestAPasswordIsWhatItLooksLike(t *testing.T) {
	d := open(t, newMemory(), newClock().time)
	nongan(t, d)
	const typed = "Ｚｈａｎｇ 三ｅ\u0301 2026"
	must(t, d.SetPassword(t.Context(), "nongan", typed))
	for password, want := range map[string]string{typed: "in", "Zhang 三é 2026": "in", "zhang 三é 2026": "no entry", "Zhang 三e 2026": "no entry"} {
		if _, err := d.Login(t.Context(), "nongan", password); kind(err) != want {
			t.Errorf("%q: %v", password, err)
		}
	}
	if err := d.SetPassword(t.Context(), "nobody", secretWord); kind(err) != "not found" {
		t.Error(err)
	}
}

func TestTheAnswerDoesNotTellWhatWasWrong(t *testing.T) {
	answers := map[string]string{}
	for _, name := range []string{"nongan", "nobody", "linked", "gone", "NO SUCH/NAME"} {
		c := newClock()
		d := open(t, newMemory(), c.time)
		nongan(t, d)
		must(t, d.Create(t.Context(), Account{Name: "linked", Title: "没有密码", Role: access.Administrator}))
		must(t, d.Create(t.Context(), Account{Name: "gone", Title: "已停用", Role: access.Administrator}))
		must(t, d.SetPassword(t.Context(), "gone", secretWord))
		must(t, d.Disable(t.Context(), "gone"))
		password := secretWord
		if name == "nongan" {
			password = "wrong " + secretWord
		}
		for range 2 {
			for range tries + 1 {
				_, err := d.Login(t.Context(), name, password)
				answers[name] += err.Error() + "\n"
			}
			c.later(time.Minute)
		}
	}
	for name, answer := range answers {
		if answer != answers["nongan"] || !strings.Contains(answer, locked.EN) || !strings.Contains(answer, noEntry.EN) {
			t.Errorf("%s:\n%s", name, answer)
		}
	}
}

func TestWrongPasswordsLock(t *testing.T) {
	table, c := newMemory(), newClock()
	d := open(t, table, c.time)
	nongan(t, d)
	try := func(password string) string {
		_, err := d.Login(t.Context(), "nongan", password)
		return kind(err)
	}
	for range tries {
		if got := try("wrong"); got != "no entry" {
			t.Fatal(got)
		}
	}
	d = open(t, table, c.time) // the lock outlives the process
	for i, minutes := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		a, _ := d.Account("nongan")
		if got := a.Locked.Sub(c.time()); got != time.Duration(minutes)*time.Minute {
			t.Errorf("lock %d is for %s", i+1, got)
		}
		c.later(time.Duration(minutes)*time.Minute - time.Second)
		for _, password := range []string{secretWord, "wrong"} {
			if got := try(password); got != "locked" {
				t.Errorf("lock %d, a second before its end: %s", i+1, got)
			}
		}
		c.later(time.Second)
		if got := try("wrong"); got != "no entry" {
			t.Errorf("after lock %d: %s", i+1, got)
		}
	}
	c.later(time.Hour)
	if got := try(secretWord); got != "in" {
		t.Errorf("after the lock: %s", got)
	}
	for i, want := range []string{"no entry", "no entry", "no entry", "no entry", "in", "no entry", "no entry", "no entry", "no entry", "in"} {
		password := "wrong"
		if want == "in" {
			password = secretWord
		}
		if got := try(password); got != want {
			t.Errorf("the right one ends the count: %d is %s", i, got)
		}
	}
	for range tries - 1 {
		try("wrong")
	}
	if c.later(forgetting); try("wrong") != "no entry" || try(secretWord) != "in" {
		t.Error("a day does not end the count")
	}
}

func TestALockEnds(t *testing.T) {
	for name, end := range map[string]func(*Directory) error{
		"by an administrator": func(d *Directory) error { return d.Enable(t.Context(), "nongan") },
		"by a new password":   func(d *Directory) error { return d.SetPassword(t.Context(), "nongan", secretWord) },
		"by a link": func(d *Directory) error {
			link, err := d.Link(t.Context(), "nongan", time.Hour)
			if err != nil {
				return err
			}
			_, err = d.Redeem(t.Context(), link)
			return err
		},
	} {
		d := open(t, newMemory(), newClock().time)
		nongan(t, d)
		for range tries {
			_, _ = d.Login(t.Context(), "nongan", "wrong")
		}
		if _, err := d.Login(t.Context(), "nongan", secretWord); kind(err) != "locked" {
			t.Fatal(err)
		}
		must(t, end(d))
		if _, err := d.Login(t.Context(), "nongan", secretWord); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// blocking holds writing up until it is let go.
type blocking struct {
	*memory
	reached, goOn chan struct{}
}

func (b *blocking) Put(ctx context.Context, key string, value []byte) error {
	if strings.HasPrefix(key, attemptsKey) {
		b.reached <- struct{}{}
		<-b.goOn
	}
	return b.memory.Put(ctx, key, value)
}

func TestGuessesAtOnceCount(t *testing.T) {
	d := open(t, newMemory(), newClock().time)
	nongan(t, d)
	for _, name := range []string{"nongan", "nobody"} {
		kinds := map[string]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				_, err := d.Login(t.Context(), name, "wrong")
				mu.Lock()
				defer mu.Unlock()
				kinds[kind(err)]++
			})
		}
		if all.Wait(); kinds["no entry"] != tries || kinds["locked"] != 30-tries {
			t.Errorf("%s: %v", name, kinds)
		}
	}
}

func TestAGuessUnderWayCountsBeforeItIsWritten(t *testing.T) {
	table := &blocking{newMemory(), make(chan struct{}), make(chan struct{})}
	d := open(t, table, newClock().time)
	nongan(t, d)
	must(t, table.memory.Put(t.Context(), attemptsKey+"nongan", []byte(`{"wrong":4,"last":"2026-11-02T00:00:00Z"}`)))
	var all sync.WaitGroup
	all.Go(func() { _, _ = d.Login(t.Context(), "nongan", "wrong") })
	<-table.reached
	all.Go(func() {
		if _, err := d.Login(t.Context(), "nongan", secretWord); kind(err) != "locked" {
			t.Errorf("a sixth password while the fifth is under way: %v", err)
		}
	})
	close(table.goOn)
	all.Wait()
}

// meanwhile does something when a password is read for the second time.
type meanwhile struct {
	*memory
	reads int
	do    func()
}

func (m *meanwhile) Get(key string) ([]byte, bool) {
	if key == passwordKey+"nongan" && m.do != nil {
		if m.reads++; m.reads == 3 { // the account's, the comparison's, then the check
			do := m.do
			m.do = nil
			do()
		}
	}
	return m.memory.Get(key)
}

func TestAPasswordThatIsChangedMeanwhileIsOld(t *testing.T) {
	table := &meanwhile{memory: newMemory()}
	d := open(t, table, newClock().time)
	nongan(t, d)
	other := open(t, table.memory, newClock().time)
	table.do = func() { must(t, other.SetPassword(t.Context(), "nongan", "another one, "+secretWord)) }
	if _, err := d.Login(t.Context(), "nongan", secretWord); kind(err) != "no entry" || table.do != nil {
		t.Errorf("%v, changed: %v", err, table.do == nil)
	}
}

func TestWhoGivesUpWaitingIsToldSo(t *testing.T) {
	d := open(t, newMemory(), newClock().time)
	nongan(t, d)
	for range hashings {
		d.hashing <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Login(ctx, "nongan", secretWord); kind(err) != "unavailable" {
		t.Error(err)
	}
	for range hashings {
		<-d.hashing
	}
	if _, err := d.Login(t.Context(), "nongan", secretWord); err != nil {
		t.Error(err)
	}
}
