package verify

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	json2 "github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"zhiban/schemas"
)

// record is an event of a case where it stands in the log.
type record struct {
	offset  int64
	id      schemas.EventID
	typ     *schemas.EventType
	source  schemas.Source
	time    time.Time
	entered time.Time // when the log took it in
	payload any
}

// fact is what a record says once it is known which corrections and voids hold.
type fact struct {
	verb    string
	source  schemas.Source
	time    time.Time
	entered time.Time // when it was first written, whatever was put right since
	payload any
}

func (f fact) day() schemas.Day { return schemas.DayOf(f.time) }

// facts are what a case's records, in log order, amount to. Each id counts once,
// where it stands first.
func facts(history []record) []fact {
	c := remarks{}
	var primary []record
	for _, r := range distinct(history) {
		if !r.typ.Meta() {
			primary = append(primary, r)
		} else if target, ok := r.target(); ok {
			if c.about == nil { // most cases have no remarks
				c = remarks{map[schemas.EventID][]record{}, map[schemas.EventID]bool{}}
			}
			c.about[target] = append(c.about[target], r)
		}
	}
	out := make([]fact, 0, len(primary))
	for _, r := range primary {
		if !c.stands(r.id) {
			continue
		}
		f := fact{r.typ.Verb, r.source, r.time, r.entered, r.payload}
		if said, ok := c.said(r.id, r.typ, longestChain); ok {
			f.payload = said.payload
			if !said.time.IsZero() {
				f.time = said.time
			}
		}
		out = append(out, f)
	}
	return out
}

// distinct leaves out what repeats an id.
func distinct(history []record) []record {
	if len(history) < 2 {
		return history
	}
	seen := make(map[schemas.EventID]bool, len(history))
	out := make([]record, 0, len(history))
	for _, r := range history {
		if !seen[r.id] {
			seen[r.id] = true
			out = append(out, r)
		}
	}
	return out
}

// target is the event that a correction or void is about.
func (r record) target() (schemas.EventID, bool) {
	var text string
	switch p := r.payload.(type) {
	case *schemas.Corrected:
		if _, err := time.Parse(time.RFC3339, p.Time); err != nil && p.Time != "" {
			return schemas.EventID{}, false
		}
		text = p.Target
	case *schemas.Voided:
		text = p.Target
	}
	id, err := uuid.Parse(text)
	return id, err == nil
}

// longestChain is how many corrections of corrections are followed: those of an
// event, theirs, and so on. Beyond it a correction says what it says itself.
const longestChain = 32

// remarks are the corrections and voids of a case.
type remarks struct {
	about    map[schemas.EventID][]record // by target, in log order
	standing map[schemas.EventID]bool     // what stands found out so far
}

// stands tells whether an event has not been voided: no void of it stands.
// Where voids void each other in a circle, the one that was asked about first
// stands while the others are looked at.
func (c remarks) stands(id schemas.EventID) bool {
	if len(c.about[id]) == 0 {
		return true
	}
	if known, ok := c.standing[id]; ok {
		return known
	}
	c.standing[id] = true
	for _, r := range c.about[id] {
		if _, void := r.payload.(*schemas.Voided); void && c.stands(r.id) {
			c.standing[id] = false
			return false
		}
	}
	return true
}

// statement is what a correction puts in its target's place; a zero time leaves
// the time as it was.
type statement struct {
	payload any
	time    time.Time
}

// said is what the corrections of an event put in its place: the last that
// stands and fits its type. A correction says what its own corrections made of
// it.
func (c remarks) said(id schemas.EventID, t *schemas.EventType, links int) (statement, bool) {
	if links < 0 {
		return statement{}, false
	}
	remarks := c.about[id]
	for i := len(remarks) - 1; i >= 0; i-- {
		p, ok := remarks[i].payload.(*schemas.Corrected)
		if !ok || !c.stands(remarks[i].id) {
			continue
		}
		at, _ := time.Parse(time.RFC3339, p.Time) // zero for none; checked by target
		if s, ok := c.said(remarks[i].id, t, links-1); ok {
			if s.time.IsZero() {
				s.time = at
			}
			return s, true
		}
		if payload, ok := fitting(t, p.Data); ok {
			return statement{payload, at}, true
		}
	}
	return statement{}, false
}

// fitting reads data as that of an event of type t, in any version: it must
// have no field that the version does not know, and every text it requires.
func fitting(t *schemas.EventType, data json.RawMessage) (any, bool) {
	for _, version := range schemas.Catalogue.Of(t.Case) {
		if version.Verb != t.Verb {
			continue
		}
		strict := version.Payload()
		if json2.Unmarshal(data, strict, json2.RejectUnknownMembers(true)) != nil || lacksText(strict) {
			continue
		}
		if payload, err := version.Read(data); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// lacksText tells whether a required text of a payload is empty.
func lacksText(payload any) bool {
	v := reflect.ValueOf(payload).Elem()
	for i := range v.NumField() {
		required := !strings.HasSuffix(v.Type().Field(i).Tag.Get("json"), ",omitempty")
		if text, ok := v.Field(i).Interface().(string); ok && required && text == "" {
			return true
		}
	}
	return false
}
