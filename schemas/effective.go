package schemas

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Effective says what the history of a [File], in log order, amounts to: the
// events that count, each as if first recorded the way its last correction put it.
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
// The order of the result is the log order of the targets. It may be history
// itself.
func Effective(history []Event) []Event {
	if undisputed(history) {
		return history
	}
	h := index(history)
	out := make([]Event, 0, len(h.events))
	for _, e := range h.events {
		if !e.Type.Meta() && !h.voided(e.ID) {
			out = append(out, h.corrected(e))
		}
	}
	return out
}

// undisputed tells that every event of a short history counts as it is: most
// histories are so.
func undisputed(history []Event) bool {
	if len(history) > 8 {
		return false
	}
	for i, e := range history {
		if e.Type.Meta() || slices.ContainsFunc(history[:i], func(o Event) bool { return o.ID == e.ID }) {
			return false
		}
	}
	return true
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
	h := caseIndex{events: unrepeated(history)}
	for _, e := range h.events {
		if !e.Type.Meta() {
			continue
		}
		if h.out == nil { // most cases are never corrected
			h.corrections, h.voids, h.out = map[EventID][]correction{}, map[EventID][]EventID{}, map[EventID]bool{}
		}
		switch p := e.Payload.(type) {
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

// unrepeated leaves out events whose id came before.
func unrepeated(history []Event) []Event {
	out := make([]Event, 0, len(history))
	if len(history) <= 16 {
		for _, e := range history {
			if !slices.ContainsFunc(out, func(o Event) bool { return o.ID == e.ID }) {
				out = append(out, e)
			}
		}
		return out
	}
	seen := make(map[EventID]bool, len(history))
	for _, e := range history {
		if !seen[e.ID] {
			seen[e.ID] = true
			out = append(out, e)
		}
	}
	return out
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

// corrected applies the correction that holds. Without one it is the event as
// recorded.
func (h caseIndex) corrected(e Event) Event {
	if c, payload, ok := h.holding(e.ID, e.Type, 0); ok {
		e.Data, e.Payload = c.data, payload
		if !c.time.IsZero() {
			e.Time = c.time
		}
	}
	return e
}

// holding finds what the corrections of an event of type t put in its place:
// the last that is not voided and fits, each as its own corrections leave it.
func (h caseIndex) holding(id EventID, t *EventType, depth int) (correction, any, bool) {
	if depth > maxChain {
		return correction{}, nil, false
	}
	own := h.corrections[id]
	for i := len(own) - 1; i >= 0; i-- {
		c := own[i]
		if h.voided(c.id) {
			continue
		}
		if n, payload, ok := h.holding(c.id, t, depth+1); ok {
			if n.time.IsZero() {
				n.time = c.time
			}
			return n, payload, true
		}
		if payload, ok := t.fits(c.data); ok {
			return c, payload, true
		}
	}
	return correction{}, nil, false
}
