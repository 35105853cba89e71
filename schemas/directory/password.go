package directory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

const (
	// hashings at once, at 64 MiB each: more would let logins use up the memory.
	hashings = 2

	passwordMin = 10
	passwordMax = 256

	// tries are the wrong passwords that lock an account.
	tries      = 5
	lockMin    = time.Minute
	lockMax    = time.Hour
	forgetting = 24 * time.Hour
	// strangersKept is how many names without account are remembered.
	strangersKept = 20_000
)

// cost is that of a hash. OWASP's least for argon2id is 46 MiB in one pass.
var cost = &argon2id.Params{Memory: 64 << 10, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}

// attemptsRecord counts wrong passwords one after the other.
type attemptsRecord struct {
	Wrong int       `json:"wrong"`
	Last  time.Time `json:"last"`
}

// until is when the lock ends; zero when there is none.
func (a attemptsRecord) until() time.Time {
	if a.Wrong < tries {
		return time.Time{}
	}
	lock := lockMin
	for n := tries; n < a.Wrong && lock < lockMax; n++ {
		lock *= 2
	}
	return a.Last.Add(min(lock, lockMax))
}

// Login is the login with a password. It takes the same time whether the name is
// an account's or not: Unauthenticated when either is wrong, TooMany while the
// name is locked.
func (d *Directory) Login(ctx context.Context, name, password string) (access.Identity, error) {
	a, known, err := d.find(name)
	if err != nil {
		return access.Identity{}, err
	}
	done, err := d.begin(name, known)
	if err != nil {
		return access.Identity{}, err
	}
	defer done()
	kept, has, err := get[passwordRecord](d, passwordKey+name)
	if err != nil {
		return access.Identity{}, err
	}
	if !known || !has {
		kept.Hash = nobodys()
	}
	right, err := d.compare(ctx, password, kept.Hash)
	if err != nil {
		return access.Identity{}, err
	}
	if !right || !known || !has || a.Disabled {
		return access.Identity{}, cmp.Or(d.wrong(ctx, name, known), refuse(schemas.Unauthenticated, noEntry))
	}
	// It may have been changed meanwhile, and sessions of the old one ended.
	if now, _, err := get[passwordRecord](d, passwordKey+name); err != nil || now != kept {
		return access.Identity{}, cmp.Or(err, refuse(schemas.Unauthenticated, noEntry))
	}
	if err := d.remove(ctx, attemptsKey+name); err != nil {
		return access.Identity{}, err
	}
	return d.enter(ctx, name)
}

// SetPassword gives an account a password, ends its sessions and its lock, and
// voids its links: Invalid for a password that is too weak.
func (d *Directory) SetPassword(ctx context.Context, name, password string) error {
	if err := d.exists(name); err != nil {
		return err
	}
	if isExternalName(name) {
		return refuse(schemas.Conflict, isExternal, name)
	}
	if err := checkPassword(name, password); err != nil {
		return err
	}
	hash, err := d.hash(ctx, password)
	if err != nil {
		return err
	}
	if err := d.put(ctx, passwordKey+name, passwordRecord{hash}); err != nil {
		return err
	}
	if err := d.EndSessions(ctx, name, ""); err != nil {
		return err
	}
	if err := d.voidLinks(ctx, name); err != nil {
		return err
	}
	return d.remove(ctx, attemptsKey+name)
}

// begin lets a password be tried, of as many at once as are left; done is its
// end.
func (d *Directory) begin(name string, known bool) (done func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	tried, err := d.tried(name, known)
	if err != nil {
		return nil, err
	}
	if d.now().Before(tried.until()) || d.pending[name] >= max(tries-tried.Wrong, 1) {
		return nil, refuse(schemas.TooMany, locked)
	}
	d.pending[name]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.pending[name]--; d.pending[name] == 0 {
			delete(d.pending, name)
		}
	}, nil
}

// tried is how often a name was tried; d.mu is held.
func (d *Directory) tried(name string, known bool) (tried attemptsRecord, err error) {
	if known {
		tried, _, err = get[attemptsRecord](d, attemptsKey+name)
	} else {
		tried, _ = d.strangers.Get(sha256.Sum256([]byte(name)))
	}
	if d.now().Sub(tried.Last) >= forgetting {
		tried = attemptsRecord{}
	}
	return tried, err
}

// wrong counts a wrong password.
func (d *Directory) wrong(ctx context.Context, name string, known bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	tried, err := d.tried(name, known)
	if err != nil {
		return err
	}
	tried = attemptsRecord{tried.Wrong + 1, d.moment()}
	if !known {
		d.strangers.Add(sha256.Sum256([]byte(name)), tried)
		name = ".unknown"
	}
	return d.put(ctx, attemptsKey+name, tried)
}

// compare tells whether a password is that of a hash.
func (d *Directory) compare(ctx context.Context, password, hash string) (right bool, err error) {
	end, err := d.beginHashing(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	right, err = argon2id.ComparePasswordAndHash(norm.NFKC.String(password), hash)
	if err != nil {
		return false, fmt.Errorf("a password's hash cannot be read: %w", err)
	}
	return right, nil
}

func (d *Directory) hash(ctx context.Context, password string) (string, error) {
	end, err := d.beginHashing(ctx)
	if err != nil {
		return "", err
	}
	defer end()
	return argon2id.CreateHash(norm.NFKC.String(password), cost)
}

func (d *Directory) beginHashing(ctx context.Context) (end func(), err error) {
	select {
	case d.hashing <- struct{}{}:
		return func() { <-d.hashing }, nil
	case <-ctx.Done():
		return nil, schemas.Errorf(schemas.Unavailable, "check a password: %w", ctx.Err())
	}
}

// nobodys is the hash that passwords of names without one are compared with.
var nobodys = sync.OnceValue(func() string {
	secret, _ := newSecret()
	hash, err := argon2id.CreateHash(secret, cost)
	if err != nil {
		panic(err) // for want of random bytes alone
	}
	return hash
})

// checkPassword tells why a password is too weak.
func checkPassword(name, password string) error {
	if n := utf8.RuneCountInString(password); n < passwordMin || n > passwordMax {
		return refuse(schemas.Invalid, passwordLength, passwordMin, passwordMax)
	}
	lower := strings.ToLower(norm.NFKC.String(password))
	if rest := strings.ReplaceAll(lower, name, ""); rest != lower && utf8.RuneCountInString(rest) < 6 {
		return refuse(schemas.Invalid, passwordName)
	}
	distinct := map[rune]bool{}
	for _, r := range lower {
		distinct[r] = true
	}
	if common[lower] || len(distinct) < 5 {
		return refuse(schemas.Invalid, passwordCommon)
	}
	return nil
}

// common are passwords of ten and more characters that head the lists of stolen
// ones, or that anybody would try here.
var common = func() map[string]bool {
	set := map[string]bool{}
	for _, p := range strings.Fields(`
		0123456789 1234567890 12345678910 123456789a 123456789q a123456789 1234567890a abc1234567 abc123456789 0987654321 9876543210 987654321a
		1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4t5 1qaz2wsx3edc 1qazxsw23edc qwertyuiop qwertyuiop123 qwerty12345 qwerty123456 asdfghjkl1 asdfghjkl123
		zaq12wsxcde3 password12 password123 password1234 passw0rd123 p@ssw0rd123 p@ssword123 admin12345 admin123456 administrator adminadmin1
		iloveyou12 woaini1314 woaini1314520 5201314520 aa123456789 qq123456789 welcome123 changeme123
		zhiban12345 zhiban123456 zhiban2026 falvyuanzhu falvyuanzhu123 zhibanlvshi zhibanlvshi123`) {
		set[p] = true
	}
	return set
}()
