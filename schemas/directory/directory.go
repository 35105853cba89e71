package directory

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// Table is where all is kept: a map that all processes share. See ktable.Table.
type Table interface {
	Get(key string) (value []byte, ok bool)
	Put(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	Take(ctx context.Context, key string) ([]byte, error)
	Each(prefix string, do func(key string, value []byte) bool)
	// Err is why the table is not followed any more; nil while it is.
	Err() error
}

// The table's keys.
const (
	accountKey    = "account/"
	disabledKey   = "disabled/"
	passwordKey   = "password/"
	attemptsKey   = "attempts/"
	loginKey      = "login/"
	generationKey = "generation/"
	linkKey       = "link/"
	tokenKey      = "token/"
	sessionKey    = "session/"
	endedKey      = "ended/"
)

// Account is a person's or an office's.
type Account struct {
	Name, Title        string
	Role               access.Role
	Scope              access.Scope
	Disabled           bool
	Locked             time.Time // until; zero when it never was
	HasPassword        bool
	Created, LastLogin time.Time
}

func (a Account) identity() access.Identity {
	return access.Identity{Account: a.Name, Title: a.Title, Role: a.Role, Scope: a.Scope}
}

// The table's values.
type (
	accountRecord struct {
		Title   string       `json:"title"`
		Role    access.Role  `json:"role"`
		Scope   access.Scope `json:"scope"`
		Created time.Time    `json:"created"`
	}
	passwordRecord struct {
		Hash string `json:"hash"`
	}
	momentRecord struct {
		At time.Time `json:"at"`
	}
	generationRecord struct {
		N int `json:"n"`
	}
	linkRecord struct {
		Account string    `json:"account"`
		Expires time.Time `json:"expires"`
	}
)

// Directory is the accounts of all processes that share a table. It is safe for
// concurrent use. It is the Directory and the store of sessions of package login.
//
// Errors are of the kinds of package schemas: Unavailable when the table takes no
// change or is not followed any more, and nobody comes in then. Their texts are
// in both languages, [ErrorText].
type Directory struct {
	table   Table
	now     func() time.Time
	hashing chan struct{} // holds as many as there are hashings

	mu      sync.Mutex     // held while a count is read and written
	pending map[string]int // passwords under way, by account
	// strangers are the attempts at names that no account has, by the name's
	// SHA-256: they lock like an account.
	strangers *lru.Cache[[sha256.Size]byte, attemptsRecord]
}

// Open opens the directory that a table holds. It fails when the table holds
// something that this package does not read.
func Open(table Table, now func() time.Time) (*Directory, error) {
	strangers, err := lru.New[[sha256.Size]byte, attemptsRecord](strangersKept)
	if err != nil {
		return nil, fmt.Errorf("open the directory of accounts: %w", err)
	}
	d := &Directory{table: table, now: now, hashing: make(chan struct{}, hashings), pending: map[string]int{}, strangers: strangers}
	for prefix, into := range map[string]any{
		accountKey: &accountRecord{}, disabledKey: &momentRecord{}, passwordKey: &passwordRecord{}, attemptsKey: &attemptsRecord{}, loginKey: &momentRecord{},
		generationKey: &generationRecord{}, linkKey: &linkRecord{}, tokenKey: &tokenRecord{}, sessionKey: &sessionRecord{}, endedKey: &expiryRecord{},
	} {
		table.Each(prefix, func(key string, value []byte) bool {
			err = decode(key, value, into)
			return err == nil
		})
		if err != nil {
			return nil, fmt.Errorf("open the directory of accounts: %w", err)
		}
	}
	return d, nil
}

// Identity is who an account is now; ok is false for one that is not there, is
// disabled, or cannot be looked up.
func (d *Directory) Identity(account string) (access.Identity, bool) {
	a, ok, err := d.find(account)
	if err != nil || !ok || a.Disabled {
		return access.Identity{}, false
	}
	return a.identity(), true
}

// Account finds an account by its name.
func (d *Directory) Account(name string) (Account, bool) {
	a, ok, err := d.find(name)
	return a, ok && err == nil
}

// Accounts are all accounts, by name.
func (d *Directory) Accounts() []Account {
	var out []Account
	d.table.Each(accountKey, func(key string, _ []byte) bool {
		if a, ok := d.Account(strings.TrimPrefix(key, accountKey)); ok {
			out = append(out, a)
		}
		return true
	})
	return out
}

// Create makes an account of a's name, title, role and scope, which nobody can
// log in to before it has a link: Invalid when the scope does not fit the role,
// Conflict when the name is taken.
func (d *Directory) Create(ctx context.Context, a Account) error {
	if isExternalName(a.Name) {
		return refuse(schemas.Invalid, nameReserved, External)
	}
	if _, ok, err := d.find(a.Name); err != nil || ok {
		return cmp.Or(err, refuse(schemas.Conflict, accountExists, a.Name))
	}
	return d.write(ctx, a, d.moment())
}

// External is the login of an account of single sign-on, which it creates or
// changes to what the provider says now. Its name begins with [External], so that
// it is nobody else's.
func (d *Directory) External(ctx context.Context, a Account) (access.Identity, error) {
	if !isExternalName(a.Name) {
		return access.Identity{}, refuse(schemas.Invalid, nameExternal, a.Name, External)
	}
	a.Title = plainTitle(a.Title, a.Name)
	old, ok, err := d.find(a.Name)
	switch {
	case err != nil:
		return access.Identity{}, err
	case !ok:
		err = d.write(ctx, a, d.moment())
	case old.Title != a.Title || old.Role != a.Role || old.Scope != a.Scope:
		err = d.write(ctx, a, old.Created)
	}
	if err != nil {
		return access.Identity{}, err
	}
	return d.enter(ctx, a.Name)
}

// Disable shuts an account out: its sessions end, its links are void.
func (d *Directory) Disable(ctx context.Context, name string) error {
	if err := d.exists(name); err != nil {
		return err
	}
	if err := d.put(ctx, disabledKey+name, momentRecord{d.moment()}); err != nil {
		return err
	}
	if err := d.voidLinks(ctx, name); err != nil {
		return err
	}
	return d.EndSessions(ctx, name, "")
}

// Enable lets an account in again, and ends its lock.
func (d *Directory) Enable(ctx context.Context, name string) error {
	if err := d.exists(name); err != nil {
		return err
	}
	if err := d.remove(ctx, disabledKey+name); err != nil {
		return err
	}
	return d.remove(ctx, attemptsKey+name)
}

// find gathers what there is of an account.
func (d *Directory) find(name string) (a Account, ok bool, err error) {
	if !nameRule.MatchString(name) {
		return Account{}, false, d.table.Err()
	}
	r, ok, err := get[accountRecord](d, accountKey+name)
	if err != nil || !ok {
		return Account{}, false, err
	}
	a = Account{Name: name, Title: r.Title, Role: r.Role, Scope: r.Scope, Created: r.Created}
	_, a.Disabled = d.table.Get(disabledKey + name)
	_, a.HasPassword = d.table.Get(passwordKey + name)
	tried, _, err := get[attemptsRecord](d, attemptsKey+name)
	if err != nil {
		return Account{}, false, err
	}
	last, _, err := get[momentRecord](d, loginKey+name)
	a.Locked, a.LastLogin = tried.until(), last.At
	return a, err == nil, err
}

func (d *Directory) exists(name string) error {
	if _, ok, err := d.find(name); err != nil || !ok {
		return cmp.Or(err, refuse(schemas.NotFound, noAccount, name))
	}
	return nil
}

// write checks an account and keeps it.
func (d *Directory) write(ctx context.Context, a Account, created time.Time) error {
	if !nameRule.MatchString(a.Name) {
		return refuse(schemas.Invalid, nameForm, a.Name)
	}
	if err := checkTitle(a.Title); err != nil {
		return err
	}
	if err := checkScope(a.Role, a.Scope, schemas.DayOf(d.now())); err != nil {
		return err
	}
	return d.put(ctx, accountKey+a.Name, accountRecord{a.Title, a.Role, a.Scope, created})
}

// enter is the end of every way in.
func (d *Directory) enter(ctx context.Context, name string) (access.Identity, error) {
	a, ok, err := d.find(name)
	if err != nil || !ok || a.Disabled {
		return access.Identity{}, cmp.Or(err, refuse(schemas.Unauthenticated, noEntry))
	}
	if err := d.put(ctx, loginKey+name, momentRecord{d.moment()}); err != nil {
		return access.Identity{}, err
	}
	return a.identity(), nil
}

func (d *Directory) moment() time.Time { return d.now().UTC().Truncate(time.Second) }

// patience bounds a change. It is not the request's to end: of what belongs
// together, such as a new password and the end of sessions, no half is left by
// someone who closes the page.
const patience = 10 * time.Second

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}

func (d *Directory) put(ctx context.Context, key string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("keep %s: %w", key, err)
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	return d.table.Put(ctx, key, b)
}

// remove deletes a key that is there.
func (d *Directory) remove(ctx context.Context, key string) error {
	if _, ok := d.table.Get(key); !ok {
		return nil
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	return d.table.Delete(ctx, key)
}

// get reads a key's value; Unavailable when the table is not followed any more.
func get[T any](d *Directory, key string) (value T, ok bool, err error) {
	if err := d.table.Err(); err != nil {
		return value, false, schemas.Errorf(schemas.Unavailable, "the directory of accounts is not followed any more; start zhiban again: %w", err)
	}
	b, ok := d.table.Get(key)
	if !ok {
		return value, false, nil
	}
	err = decode(key, b, &value)
	return value, err == nil, err
}

func decode(key string, b []byte, into any) error {
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s in the table of accounts is not what this version of zhiban writes: %w", key, err)
	}
	return nil
}

// newSecret makes a secret and what is kept of it.
func newSecret() (secret, hash string) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, digest(secret)
}

func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
