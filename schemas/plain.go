package schemas

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// plainEvent is an event in the form in which ingest writes them: one object
// without white space, its attributes ASCII texts without escapes, its data an
// object. The parts share the event's bytes.
type plainEvent struct {
	id, source, typ, subject, time, recorded, by, data []byte
}

// scanPlain takes a plain event apart. It refuses all others, right or wrong:
// those are for the JSON library, which takes five times as long. The data is
// only delimited; decoding it finds what is wrong with it.
func scanPlain(b []byte) (e plainEvent, ok bool) {
	var seen [len(plainAttributes)]bool
	if len(b) < 2 || b[0] != '{' {
		return e, false
	}
	for i := 1; ; i++ { // b[i] is the quote before a name
		name, next := plainText(b, i)
		if next < 0 || next >= len(b) || b[next] != ':' {
			return e, false
		}
		attribute, ok := plainAttribute(name)
		if !ok || seen[attribute] {
			return e, false
		}
		seen[attribute] = true
		var value []byte
		if attribute == attributeData {
			value, i = plainObject(b, next+1)
		} else {
			value, i = plainText(b, next+1)
		}
		if i < 0 || i >= len(b) {
			return e, false
		}
		switch attribute {
		case attributeID:
			e.id = value
		case attributeSource:
			e.source = value
		case attributeType:
			e.typ = value
		case attributeSubject:
			e.subject = value
		case attributeTime:
			e.time = value
		case attributeRecorded:
			e.recorded = value
		case attributeBy:
			e.by = value
		case attributeData:
			e.data = value
		}
		switch b[i] {
		case ',':
		case '}':
			return e, i == len(b)-1 && e.id != nil && e.source != nil && e.typ != nil && e.subject != nil && e.time != nil && e.data != nil
		default:
			return e, false
		}
	}
}

// The attributes of a plain event, by their place in plainAttributes.
const (
	attributeSpec = iota
	attributeID
	attributeSource
	attributeType
	attributeSubject
	attributeTime
	attributeContent
	attributeData
	attributeRecorded
	attributeBy
)

var plainAttributes = [...]string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data", "recordedtime", "recordedby"}

func plainAttribute(name []byte) (int, bool) {
	for i, a := range plainAttributes {
		if string(name) == a {
			return i, true
		}
	}
	return 0, false
}

// plainText is the text whose opening quote is at i, and the place behind its
// closing one; -1 when it is not plain.
func plainText(b []byte, i int) ([]byte, int) {
	if i >= len(b) || b[i] != '"' {
		return nil, -1
	}
	for j := i + 1; j < len(b); j++ {
		switch c := b[j]; {
		case c == '"':
			return b[i+1 : j], j + 1
		case c == '\\' || c < ' ' || c > '~':
			return nil, -1
		}
	}
	return nil, -1
}

// plainObject is the object that begins at i, and the place behind it.
func plainObject(b []byte, i int) ([]byte, int) {
	if i >= len(b) || b[i] != '{' {
		return nil, -1
	}
	depth := 0
	for j := i; j < len(b); j++ {
		switch b[j] {
		case '"':
			for j++; j < len(b) && b[j] != '"'; j++ {
				if b[j] == '\\' {
					j++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return b[i : j+1 : j+1], j + 1
			}
		}
	}
	return nil, -1
}

// parse turns the parts into types; false when anything is wrong with them.
func (e plainEvent) parse() (ev Event, ok bool) {
	var known bool
	if ev.Type, known = Catalogue.byName[string(e.typ)]; !known {
		return ev, false
	}
	var err error
	if ev.ID, err = uuid.ParseBytes(e.id); err != nil {
		return ev, false
	}
	if ev.Source, err = ParseSource(string(e.source)); err != nil {
		return ev, false
	}
	if ev.Case, err = ParseCaseID(string(e.subject)); err != nil || ev.Case.Kind != ev.Type.Case {
		return ev, false
	}
	if !plainTime(&ev.Time, e.time) || len(e.recorded) > 0 && !plainTime(&ev.Recorded, e.recorded) {
		return ev, false
	}
	ev.Time, ev.Recorded = ev.Time.Truncate(time.Millisecond), ev.Recorded.Truncate(time.Millisecond)
	ev.Data, ev.RecordedBy = json.RawMessage(e.data), string(e.by)
	ev.Payload, err = ev.Type.Read(ev.Data)
	return ev, err == nil
}

// plainTime reads strict RFC 3339.
func plainTime(t *time.Time, b []byte) bool {
	return !bytes.ContainsRune(b, ',') && t.UnmarshalText(b) == nil
}
