package upload

import (
	"sync"
	"time"

	"zhiban/ingest/ledger"
	"zhiban/schemas"
)

// maxKept bounds the bytes that are kept, of all uploads together.
const maxKept = 96 << 20

// store keeps uploads in memory until they expire, the oldest making room for
// new ones: those of the same account first, so that nobody crowds out others while
// something of theirs is left.
type store struct {
	keep time.Duration
	now  func() time.Time

	mu      sync.Mutex
	entries map[string]*entry
	order   []string // of entries, the oldest first
	bytes   int
}

func newStore(keep time.Duration, now func() time.Time) *store {
	return &store{keep: keep, now: now, entries: map[string]*entry{}}
}

// put keeps an upload; false when there is no room beside those that are being
// sent.
func (s *store) put(token string, e *entry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	size := e.size()
	for _, own := range []bool{true, false} {
		for i := 0; s.bytes+size > maxKept && i < len(s.order); {
			if old := s.order[i]; !s.entries[old].sending().Sending && (!own || s.entries[old].account == e.account) {
				s.drop(old)
			} else {
				i++
			}
		}
	}
	if s.bytes+size > maxKept {
		return false
	}
	e.kept, e.until = size, s.now().Add(s.keep)
	s.entries[token] = e
	s.order = append(s.order, token)
	s.bytes += size
	time.AfterFunc(s.keep+time.Second, func() { // also when nobody asks any more
		s.mu.Lock()
		defer s.mu.Unlock()
		s.expire()
	})
	return true
}

func (s *store) get(token string) (*entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	e, ok := s.entries[token]
	return e, ok
}

func (s *store) expire() {
	for len(s.order) > 0 && !s.now().Before(s.entries[s.order[0]].until) {
		s.drop(s.order[0])
	}
}

func (s *store) drop(token string) {
	s.bytes -= s.entries[token].kept
	delete(s.entries, token)
	for i, t := range s.order {
		if t == token {
			s.order = append(s.order[:i], s.order[i+1:]...)
			return
		}
	}
}

// entry is an upload that is kept.
type entry struct {
	account string // whose it is
	station schemas.StationCode
	sources []ledger.Source // until they are sent

	kept  int // bytes, as the store counts them
	until time.Time

	mu     sync.Mutex
	report *report
	state  progress
}

// progress is how far the sending is.
type progress struct {
	Sending bool   `json:"sending"`
	File    string `json:"file,omitempty"`
	Done    int    `json:"done"`
	Total   int    `json:"total"`
}

// size is an upload's size with its marked copies, which are made again when it
// is sent.
func (e *entry) size() int {
	n := 64 << 10 // the report
	for _, s := range e.sources {
		n += len(s.Data)
	}
	for _, f := range e.report.Files {
		n += len(f.copy)
	}
	return n
}

func (e *entry) current() *report {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.report
}

func (e *entry) sending() progress {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state
}

func (e *entry) progress(file string, done, total int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.File, e.state.Done, e.state.Total = file, done, total
}

// begin tells whether the upload is to be sent now.
func (e *entry) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state.Sending || e.report.Sent && !e.report.Failed || e.report.Events == 0 {
		return false
	}
	e.state = progress{Sending: true}
	return true
}

// end puts the report of the sending in the place of the dry run's; nil: it
// was not sent. What was sent completely needs its files no more.
func (e *entry) end(r *report) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.Sending = false
	if r == nil {
		return
	}
	e.report = r
	if !r.Failed {
		e.sources = nil
	}
}
