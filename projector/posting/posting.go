// Package posting turns the history of a case into postings (分录), as a
// book-keeper would: each says which figure changes by how much, on which day,
// at which station, for which lawyer.
//
// Everything here is a pure function of events: no clock, no randomness, no
// I/O. What depends on the moment of asking, such as whether a notification is
// overdue, is left to the reader; a posting carries the due day for it.
package posting

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"zhiban/schemas"
)

// Posting is one change of one figure. Quantities add up.
type Posting struct {
	Entry
	Quantity int64
}

// Entry is what a posting is about; postings with equal entries are of one
// kind and can be netted.
type Entry struct {
	Indicator  schemas.IndicatorCode
	Day        schemas.Day
	Source     string // station code, or division code for events with no station
	Lawyer     schemas.Licence
	Mode       string
	Channel    string
	PersonRole string
	Organ      string
	Trigger    string
	Person     Person      // where persons are counted; 0 elsewhere
	Due        schemas.Day // last day of what falls due; 0 elsewhere
}

// Person is the first 64 bits of the SHA-256 of a pseudonym: enough to count
// distinct persons exactly (at ten million persons the chance that any two
// share one is below 1 in 300 000). Zero is no person.
type Person uint64

// PersonOf hashes a pseudonym.
func PersonOf(pseudonym string) Person {
	if pseudonym == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(pseudonym))
	return Person(binary.BigEndian.Uint64(sum[:8]))
}

// Post is what a case's history, in log order, amounts to.
func Post(history []schemas.Event) []Posting {
	return post(schemas.Effective(history))
}

// Case is a case's file: its history so far, and what that amounts to. The zero
// Case has not begun.
type Case struct {
	history []schemas.Event
	posted  []Posting
}

// Open is the file of a case with a history.
func Open(history []schemas.Event) Case { return Case{history, Post(history)} }

// Begun tells whether the case has a history.
func (c *Case) Begun() bool { return len(c.history) > 0 }

// Enter adds an event to the file and returns what it changes: Post of the
// history with it, less Post of the history without. That one rule covers first
// records, pairs, deadlines, arrival out of order, corrections and voids; an
// event that the history has already posts nothing. The event's Data is not kept.
// The postings may be put into another order, and are good until the next Enter.
func (c *Case) Enter(e schemas.Event) (change []Posting) {
	e.Data = nil // the payload is enough, and the JSON is what takes the room
	c.history = append(c.history, e)
	before := c.posted
	c.posted = Post(c.history)
	if len(before) == 0 {
		return c.posted
	}
	return difference(before, c.posted)
}

// difference nets after − before. The result is in a fixed order and holds no
// zero quantities.
func difference(before, after []Posting) []Posting {
	net := make([]Posting, 0, len(before)+len(after))
	add := func(p Posting, sign int64) {
		for i := range net {
			if net[i].Entry == p.Entry {
				net[i].Quantity += sign * p.Quantity
				return
			}
		}
		p.Quantity *= sign
		net = append(net, p)
	}
	for _, p := range after {
		add(p, 1)
	}
	for _, p := range before {
		add(p, -1)
	}
	net = slices.DeleteFunc(net, func(p Posting) bool { return p.Quantity == 0 })
	slices.SortStableFunc(net, func(a, b Posting) int {
		return cmp.Or(cmp.Compare(a.Indicator, b.Indicator), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Source, b.Source))
	})
	return net
}

// post dispatches on the case; events are those that count.
func post(events []schemas.Event) []Posting {
	if len(events) == 0 {
		return nil
	}
	switch events[0].Case.Kind {
	case schemas.CaseStation:
		return postStation(events)
	case schemas.CaseLawyer:
		return postLawyer(events)
	case schemas.CaseShift:
		return postShift(events)
	case schemas.CaseConsultation:
		return postConsultation(events)
	case schemas.CaseApplication:
		return postApplication(events)
	case schemas.CaseNotification:
		return postNotification(events)
	case schemas.CaseAssistance:
		return postAssistance(events)
	case schemas.CaseHelpRequest:
		return postHelpRequest(events)
	case schemas.CaseSupervision:
		return postSupervision(events)
	case schemas.CaseSubsidy:
		return postSubsidy(events)
	case schemas.CaseFeedback:
		return postFeedback(events)
	case schemas.CaseMatter:
		return postMatter(events)
	}
	return postSingle(events)
}

// first finds the first event with a payload of type *P.
func first[P any](events []schemas.Event) (schemas.Event, *P, bool) {
	for _, e := range events {
		if p, ok := e.Payload.(*P); ok {
			return e, p, true
		}
	}
	return schemas.Event{}, nil, false
}

// at begins an entry: the event's day and place.
func at(e schemas.Event) Entry {
	return Entry{Day: schemas.DayOf(e.Time), Source: e.Source.Key()}
}

func (e Entry) post(code schemas.IndicatorCode, quantity int64) Posting {
	e.Indicator = code
	if e.Person != 0 && !personal[code] {
		e.Person = 0
	}
	return Posting{e, quantity}
}

// personal are the figures whose postings name a person; nobody needs to be told
// apart in the others.
var personal = func() map[schemas.IndicatorCode]bool {
	out := map[schemas.IndicatorCode]bool{}
	for _, code := range schemas.Indicators.Personal() {
		out[code] = true
	}
	return out
}()

// outside flags what was no duty of its station (三(三)1–3). It is flagged beside
// its own figure, not instead.
func (e Entry) outside(ev schemas.Event) []Posting {
	if schemas.Duties.Covers(ev) {
		return nil
	}
	return []Posting{e.post(schemas.OutsideDuties, 1)}
}

func licence(s string) schemas.Licence {
	l, _ := schemas.ParseLicence(s) // checked by ingest; 0 stands for none
	return l
}
