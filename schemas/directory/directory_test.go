package directory

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/ktable"
)

// memory is a table that several directories share, as processes share a topic.
type memory struct {
	mu      sync.Mutex
	content map[string][]byte
	refuse  error // what writing answers
	gone    error
}

func newMemory() *memory { return &memory{content: map[string][]byte{}} }

func (m *memory) Get(key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.content[key]
	return v, ok
}

func (m *memory) Put(ctx context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := cmp.Or(m.refuse, ctx.Err())
	if err == nil {
		m.content[key] = value
	}
	return err
}

func (m *memory) Delete(ctx context.Context, key string) error {
	_, err := m.Take(ctx, key)
	return err
}

func (m *memory) Take(ctx context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.content[key]
	err := cmp.Or(m.refuse, ctx.Err())
	if err == nil {
		delete(m.content, key)
	}
	return v, err
}

func (m *memory) Each(prefix string, do func(string, []byte) bool) {
	m.mu.Lock()
	content := maps.Clone(m.content)
	m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(content)) {
		if strings.HasPrefix(key, prefix) && !do(key, content[key]) {
			return
		}
	}
}

func (m *memory) Err() error { return m.gone }

func (m *memory) all() string {
	var b strings.Builder
	m.Each("", func(key string, value []byte) bool {
		b.WriteString(key + " " + string(value) + "\n")
		return true
	})
	return b.String()
}

// clock goes when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 2, 8, 0, 0, 0, schemas.Shanghai)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) later(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func open(t testing.TB, table Table, now func() time.Time) *Directory {
	t.Helper()
	d, err := Open(table, now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const secretWord = "马车 电池 订书钉 12"

// nongan is a county's account with a password.
func nongan(t testing.TB, d *Directory) {
	t.Helper()
	a := Account{Name: "nongan", Title: "农安县法律援助中心", Role: access.County, Scope: access.Scope{Division: "220122"}}
	must(t, d.Create(t.Context(), a))
	must(t, d.SetPassword(t.Context(), "nongan", secretWord))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func kind(err error) string {
	if err == nil {
		return "in"
	}
	return map[schemas.ErrorKind]string{
		schemas.Internal: "internal", schemas.Invalid: "invalid", schemas.NotFound: "not found", schemas.Unavailable: "unavailable",
		schemas.Conflict: "conflict", schemas.Unauthenticated: "no entry", schemas.TooMany: "locked",
	}[schemas.KindOf(err)]
}

// processes are directories over one topic of a broker, and what has one of them
// read all that was written before.
func processes(t *testing.T, now func() time.Time) (one, two *Directory, settle func(*Directory)) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	must(t, err)
	t.Cleanup(cluster.Close)
	start := func() *Directory {
		table, err := ktable.Open(t.Context(), ktable.Config{Brokers: cluster.ListenAddrs(), Topic: schemas.AccessTopic})
		must(t, err)
		t.Cleanup(func() { _ = table.Close() })
		return open(t, table, now)
	}
	return start(), start(), func(d *Directory) { t.Helper(); must(t, d.table.Delete(t.Context(), "nothing")) }
}

func TestProcessesSeeEachOthersChanges(t *testing.T) {
	c := newClock()
	one, two, settle := processes(t, c.time)
	nongan(t, one)
	settle(two)
	who, err := two.Login(t.Context(), "nongan", secretWord)
	if want := (access.Identity{Account: "nongan", Title: "农安县法律援助中心", Role: access.County, Scope: access.Scope{Division: "220122"}}); err != nil || who != want {
		t.Fatalf("%+v, %v", who, err)
	}
	settle(one)
	if a, _ := one.Account("nongan"); !a.LastLogin.Equal(c.now) || !a.HasPassword || !a.Created.Equal(c.now) {
		t.Errorf("%+v", a)
	}
	secret, err := one.NewToken(t.Context(), Token{Title: "接口", Role: access.Station, Scope: access.Scope{Station: "220122-court"}, Expires: c.now.Add(time.Hour), By: "admin"})
	must(t, err)
	settle(two)
	if who, err := two.Check(secret); err != nil || who.Scope.Station != "220122-court" {
		t.Errorf("%+v, %v", who, err)
	}
	must(t, two.Revoke(t.Context(), two.Tokens()[0].ID))
	settle(one)
	if _, err := one.Check(secret); kind(err) != "no entry" {
		t.Errorf("a token that was revoked elsewhere: %v", err)
	}
	for range tries {
		if _, err := one.Login(t.Context(), "nongan", "wrong"); kind(err) != "no entry" {
			t.Fatal(err)
		}
	}
	settle(two)
	if _, err := two.Login(t.Context(), "nongan", secretWord); kind(err) != "locked" {
		t.Errorf("an account that was locked elsewhere: %v", err)
	}
	must(t, two.Disable(t.Context(), "nongan"))
	settle(one)
	if _, ok := one.Identity("nongan"); ok {
		t.Error("an account that was disabled elsewhere is somebody")
	}
	must(t, one.Enable(t.Context(), "nongan"))
	settle(two)
	if _, err := two.Login(t.Context(), "nongan", secretWord); err != nil {
		t.Errorf("enabled elsewhere: %v", err)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	division := func(code schemas.DivisionCode) access.Scope { return access.Scope{Division: code} }
	station := func(code schemas.StationCode) access.Scope { return access.Scope{Station: code} }
	for _, c := range []struct {
		name, title string
		role        access.Role
		scope       access.Scope
		want        string
	}{
		{"li.fa-yuan_2", "李", access.County, division("220122"), "in"},
		{strings.Repeat("a", 64), strings.Repeat("长", 100), access.Bar, division("220100"), "in"},
		{"gongzhuling", "公主岭市", access.County, division("220184"), "in"},
		{"changbai", "长白山", access.Prefecture, division("22CB00"), "in"},
		{"old.station", "公主岭", access.Station, station("220381-court"), "in"}, // stations keep their codes
		{"root", "管理员", access.Administrator, access.Scope{}, "in"},
		{"nongan", "农安", access.County, division("220122"), "conflict"},
		{strings.Repeat("a", 65), "李", access.County, division("220122"), "invalid"},
		{"", "李", access.County, division("220122"), "invalid"},
		{"Li", "李", access.County, division("220122"), "invalid"},
		{"li/../admin", "李", access.County, division("220122"), "invalid"},
		{".unknown", "李", access.County, division("220122"), "invalid"},
		{"李", "李", access.County, division("220122"), "invalid"},
		{"li\n", "李", access.County, division("220122"), "invalid"},
		{"sso-42", "李", access.County, division("220122"), "invalid"},
		{"li", "", access.County, division("220122"), "invalid"},
		{"li", " 李", access.County, division("220122"), "invalid"},
		{"li", "李\n四", access.County, division("220122"), "invalid"},
		{"li", "\u202e李", access.County, division("220122"), "invalid"},
		{"li", strings.Repeat("长", 101), access.County, division("220122"), "invalid"},
		{"li", "李", "owner", division("220122"), "invalid"},
		{"li", "李", "", access.Scope{}, "invalid"},
		{"li", "李", access.County, access.Scope{}, "invalid"},
		{"li", "李", access.County, division("220100"), "invalid"},
		{"li", "李", access.County, division("220000"), "invalid"},
		{"li", "李", access.County, division("220381"), "invalid"},
		{"li", "李", access.County, division("110101"), "invalid"},
		{"li", "李", access.County, access.Scope{Division: "220122", Station: "220122-court"}, "invalid"},
		{"li", "李", access.Prefecture, division("220122"), "invalid"},
		{"li", "李", access.Province, division("220100"), "invalid"},
		{"li", "李", access.Station, division("220122"), "invalid"},
		{"li", "李", access.Station, station("220122-bank"), "invalid"},
		{"li", "李", access.Host, station("110101-court"), "invalid"},
		{"li", "李", access.Host, access.Scope{}, "invalid"},
		{"li", "李", access.Administrator, division("220000"), "invalid"},
	} {
		t.Run(c.name+" "+string(c.role), func(t *testing.T) {
			d := open(t, newMemory(), newClock().time)
			must(t, d.Create(t.Context(), Account{Name: "nongan", Title: "农安县", Role: access.County, Scope: access.Scope{Division: "220122"}}))
			err := d.Create(t.Context(), Account{Name: c.name, Title: c.title, Role: c.role, Scope: c.scope, HasPassword: true})
			if kind(err) != c.want {
				t.Fatalf("%v", err)
			}
			if a, ok := d.Account(c.name); (c.want == "in") != ok && c.want != "conflict" || a.HasPassword {
				t.Errorf("%+v, %v", a, ok)
			}
			if err != nil {
				if text := ErrorText(err); text.EN != err.Error() || text.ZH == text.EN || strings.Contains(text.ZH+text.EN, "%!") {
					t.Errorf("%+v", text)
				}
			}
			if c.name == "li" { // what is wrong is not the name
				if _, err := d.NewToken(t.Context(), Token{Title: c.title, Role: c.role, Scope: c.scope, Expires: newClock().now.Add(time.Hour)}); kind(err) != "invalid" {
					t.Errorf("a token is made: %v", err)
				}
			}
		})
	}
}

func TestSingleSignOnKeepsToItsOwnAccounts(t *testing.T) {
	table, c := newMemory(), newClock()
	d := open(t, table, c.time)
	nongan(t, d)
	county := access.Scope{Division: "220122"}
	if _, err := d.External(t.Context(), Account{Name: "nongan", Title: "假的", Role: access.Administrator}); kind(err) != "invalid" {
		t.Errorf("a local account is taken over: %v", err)
	}
	if a, _ := d.Account("nongan"); a.Role != access.County || a.Title == "假的" {
		t.Errorf("%+v", a)
	}
	if _, err := d.External(t.Context(), Account{Name: "sso-42", Title: "李", Role: access.County, Scope: access.Scope{Division: "999999"}}); kind(err) != "invalid" {
		t.Errorf("a scope that is none: %v", err)
	}
	who, err := d.External(t.Context(), Account{Name: "sso-42", Title: "李\u202e" + strings.Repeat("长", 200), Role: access.County, Scope: county})
	if err != nil || who.Title != "李"+strings.Repeat("长", 99) || who.Scope != county {
		t.Fatalf("%+v, %v", who, err)
	}
	c.later(time.Hour)
	who, err = d.External(t.Context(), Account{Name: "sso-42", Role: access.Station, Scope: access.Scope{Station: "220122-court"}})
	if a, _ := d.Account("sso-42"); err != nil || who.Role != access.Station || who.Title != "sso-42" || a.Scope.Station != "220122-court" || a.LastLogin.Sub(a.Created) != time.Hour {
		t.Errorf("%+v, %+v, %v", who, a, err)
	}
	if err := d.SetPassword(t.Context(), "sso-42", secretWord); kind(err) != "conflict" {
		t.Errorf("it gets a password: %v", err)
	}
	if _, err := d.Link(t.Context(), "sso-42", time.Hour); kind(err) != "conflict" {
		t.Errorf("it gets a link: %v", err)
	}
	must(t, d.Disable(t.Context(), "sso-42"))
	if _, err := d.External(t.Context(), Account{Name: "sso-42", Role: access.County, Scope: county}); kind(err) != "no entry" {
		t.Errorf("disabled, it enters: %v", err)
	}
	if _, ok := d.Identity("sso-42"); ok {
		t.Error("disabled, it is somebody")
	}
}

func TestNobodyComesInWhenTheTableIsNotFollowed(t *testing.T) {
	table, c := newMemory(), newClock()
	d := open(t, table, c.time)
	nongan(t, d)
	link, err := d.Link(t.Context(), "nongan", time.Hour)
	must(t, err)
	token, err := d.NewToken(t.Context(), Token{Title: "接口", Role: access.Auditor, Scope: access.Scope{Division: "220000"}, Expires: c.now.Add(time.Hour)})
	must(t, err)
	s := browser(t, d, "nongan")
	entries := map[string]func() error{
		"password": func() error { _, err := d.Login(t.Context(), "nongan", secretWord); return err },
		"link":     func() error { _, err := d.Redeem(t.Context(), link); return err },
		"single sign-on": func() error {
			_, err := d.External(t.Context(), Account{Name: "sso-1", Role: access.Administrator})
			return err
		},
		"a new password": func() error { return d.SetPassword(t.Context(), "nongan", secretWord+"!") },
		"disabling":      func() error { return d.Disable(t.Context(), "nongan") },
		"a new account": func() error {
			return d.Create(t.Context(), Account{Name: "li", Title: "李", Role: access.Administrator})
		},
		"administrator": func() error { _, err := d.FirstAdministrator(t.Context()); return err },
	}
	table.refuse = schemas.Errorf(schemas.Unavailable, "the broker is away")
	for name, enter := range entries {
		if err := enter(); kind(err) != "unavailable" {
			t.Errorf("%s while the broker is away: %v", name, err)
		}
	}
	if _, err := d.Check(token); err != nil {
		t.Errorf("what only reads goes on: %v", err)
	}
	table.refuse, table.gone = nil, errors.New("a stranger's record")
	entries["token"] = func() error { _, err := d.Check(token); return err }
	entries["session"] = func() error { _, _, err := d.Find(s); return err }
	for name, enter := range entries {
		if err := enter(); kind(err) != "unavailable" {
			t.Errorf("%s when the table is not followed: %v", name, err)
		}
	}
	if _, ok := d.Identity("nongan"); ok {
		t.Error("an account is somebody when the table is not followed")
	}
}

func TestAStrangeTableIsNotOpened(t *testing.T) {
	for _, key := range []string{"account/li", "disabled/li", "password/li", "attempts/li", "login/li", "generation/li", "link/00", "token/00", "session/00", "ended/00"} {
		table := newMemory()
		table.content[key] = []byte("{")
		if _, err := Open(table, time.Now); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestTheTableHasNoSecrets(t *testing.T) {
	table, c := newMemory(), newClock()
	d := open(t, table, c.time)
	nongan(t, d)
	link, err := d.Link(t.Context(), "nongan", time.Hour)
	must(t, err)
	token, err := d.NewToken(t.Context(), Token{Title: "接口", Role: access.Auditor, Scope: access.Scope{Division: "220000"}, Expires: c.now.Add(time.Hour)})
	must(t, err)
	_, _, tokenSecret := cut2(token)
	session := browser(t, d, "nongan")
	_, _ = d.Login(t.Context(), "nobody", "a password in the wrong field")
	_, _ = d.Login(t.Context(), "wrong-password", "wrong-password")
	for _, secret := range []string{secretWord, link, token, tokenSecret, session, "nobody", "wrong-password"} {
		if secret == "" || strings.Contains(table.all(), secret) {
			t.Errorf("%q is in the table:\n%s", secret, table.all())
		}
	}
	if !strings.Contains(table.all(), "$argon2id$v=19$m=64,t=1,p=2$") {
		t.Errorf("how a password is hashed:\n%s", table.all())
	}
}

func cut2(token string) (mark, id, secret string) {
	parts := strings.SplitN(token, "_", 3)
	return parts[0], parts[1], parts[2]
}
