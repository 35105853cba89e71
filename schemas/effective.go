package schemas

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Record is an event as it counts: its payload decoded, after corrections.
type Record struct {
	Event   Event // as recorded, with Time and Data replaced by a correction
	Payload any   // pointer to the type's payload struct
}

// Effective says what a case's history, in log order, amounts to: the events
// that count, each as if first recorded the way its last correction put it.
//
//   - An event whose id came before is the same event again and is left out.
//   - A correction replaces data and, when it gives one, time of its target. Of
//     several corrections the last in the log holds.
//   - A void takes its target out. Voiding a correction restores what stood
//     before it; voiding a void brings the event back.
//   - A correction of a correction replaces what that one put in place.
//   - A correction or void may come before its target: it holds from the
//     moment both are there.
//   - A correction whose data does not fit its target's type has no effect.
//
// The order of the result is the log order of the targets.
func Effective(history []Event) []Record {
	h := index(history)
	var out []Record
	for _, e := range h.events {
		if e.Type.Meta() || h.voided(e.ID) {
			continue
		}
		if r, ok := h.record(e); ok {
			out = append(out, r)
		}
	}
	return out
}

// maxChain bounds how far corrections of corrections are followed, so that a
// circle of events that name each other ends.
const maxChain = 32

type caseIndex struct {
	events      []Event // without repeats
	corrections map[EventID][]correction
	voids       map[EventID][]EventID
	out         map[EventID]bool // answers of voided, false while being found
}

type correction struct {
	id   EventID
	data json.RawMessage
	time time.Time // zero: unchanged
}

func index(history []Event) caseIndex {
	h := caseIndex{corrections: map[EventID][]correction{}, voids: map[EventID][]EventID{}, out: map[EventID]bool{}}
	seen := make(map[EventID]bool, len(history))
	for _, e := range history {
		if seen[e.ID] {
			continue
		}
		seen[e.ID] = true
		h.events = append(h.events, e)
		if !e.Type.Meta() {
			continue
		}
		p, err := e.Type.Decode(e.Data)
		if err != nil {
			continue
		}
		switch p := p.(type) {
		case *Corrected:
			c := correction{id: e.ID, data: p.Data}
			if p.Time != "" {
				t, err := time.Parse(time.RFC3339, p.Time)
				if err != nil {
					continue
				}
				c.time = t
			}
			if target, err := uuid.Parse(p.Target); err == nil {
				h.corrections[target] = append(h.corrections[target], c)
			}
		case *Voided:
			if target, err := uuid.Parse(p.Target); err == nil {
				h.voids[target] = append(h.voids[target], e.ID)
			}
		}
	}
	return h
}

// voided tells whether an event is out: some void of it is itself not out.
// Voids that void each other in a circle count as not out where the circle
// closes; each event is looked at once.
func (h caseIndex) voided(id EventID) bool {
	if len(h.voids[id]) == 0 {
		return false
	}
	if out, known := h.out[id]; known {
		return out
	}
	h.out[id] = false
	for _, v := range h.voids[id] {
		if !h.voided(v) {
			h.out[id] = true
			break
		}
	}
	return h.out[id]
}

// record applies the corrections that hold to a target. Without a fitting
// correction it is the event as recorded.
func (h caseIndex) record(e Event) (Record, bool) {
	corrections := h.corrections[e.ID]
	for i := len(corrections) - 1; i >= 0; i-- {
		c := corrections[i]
		if h.voided(c.id) {
			continue
		}
		c = h.resolve(c, 0)
		if p, ok := e.Type.fits(c.data); ok {
			e.Data = c.data
			if !c.time.IsZero() {
				e.Time = c.time
			}
			return Record{e, p}, true
		}
	}
	p, err := e.Type.Decode(e.Data)
	return Record{e, p}, err == nil
}

// resolve follows corrections of the correction c itself.
func (h caseIndex) resolve(c correction, depth int) correction {
	if depth > maxChain {
		return c
	}
	own := h.corrections[c.id]
	for i := len(own) - 1; i >= 0; i-- {
		if !h.voided(own[i].id) {
			n := h.resolve(own[i], depth+1)
			if n.time.IsZero() {
				n.time = c.time
			}
			return n
		}
	}
	return c
}
