package access

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Limit is how often something may be done: Burst times at once, then once
// Every so long.
type Limit struct {
	Every time.Duration
	Burst int
}

// Limits are the gate's.
type Limits struct {
	Address Limit // requests of one address: an office behind one router
	Account Limit // requests of one account or token
	Guess   Limit // of one address: logins, and credentials that were no good
}

// DefaultLimits let an office work and a program read, and make guessing slow.
var DefaultLimits = Limits{
	Address: Limit{Every: 10 * time.Millisecond, Burst: 1000},
	Account: Limit{Every: 20 * time.Millisecond, Burst: 500},
	Guess:   Limit{Every: 6 * time.Second, Burst: 20},
}

// Limiter keeps a Limit for each of many keys. It remembers the keys that were
// used last, so that making up keys does not fill the memory.
type Limiter struct {
	limit Limit
	mu    sync.Mutex
	keys  *lru.Cache[string, *rate.Limiter]
}

// keysKept is how many keys a Limiter remembers.
const keysKept = 20_000

// NewLimiter makes a Limiter.
func NewLimiter(l Limit) *Limiter {
	keys, err := lru.New[string, *rate.Limiter](keysKept)
	if err != nil {
		panic(err) // for a size that is not positive alone
	}
	return &Limiter{limit: l, keys: keys}
}

// Take does something once for a key; wait is how long it is too early, and
// then nothing was taken.
func (l *Limiter) Take(now time.Time, key string) (wait time.Duration) {
	taken := l.of(key).ReserveN(now, 1)
	if wait = taken.DelayFrom(now); wait > 0 {
		taken.CancelAt(now)
	}
	return wait
}

// Wait is how long a key has to wait before it may take; nothing is taken.
func (l *Limiter) Wait(now time.Time, key string) time.Duration {
	missing := 1 - l.of(key).TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing * float64(l.limit.Every))
}

func (l *Limiter) of(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.keys.Get(key)
	if !ok {
		one = rate.NewLimiter(rate.Every(l.limit.Every), l.limit.Burst)
		l.keys.Add(key, one)
	}
	return one
}
