package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"zhiban/schemas"
)

// sealedRoom is the room that appendRecorded needs beside the name.
const sealedRoom = len(`,"recordedtime":"2026-09-01T00:31:02.417Z","recordedby":""}`) + 8

// newRecord puts an event into the form in which the log holds it, all but
// what is known only when its batch is cut.
func newRecord(ev schemas.Event, by string) *record {
	b := make([]byte, 0, 256+len(ev.Data)+sealedRoom+len(by))
	b = appendEvent(b, ev)
	return &record{key: ev.Source.Key(), value: b, by: by}
}

// appendEvent writes the event as [schemas.Event.Envelope] puts it, without
// the closing brace. The attributes are ids, codes and times: nothing in them
// needs quoting.
func appendEvent(b []byte, ev schemas.Event) []byte {
	b = append(b, `{"specversion":"1.0","id":"`...)
	b = append(b, ev.ID.String()...)
	b = append(b, `","source":"`...)
	b = append(b, ev.Source.String()...)
	b = append(b, `","type":"`...)
	b = append(b, ev.Type.Name...)
	b = append(b, `","subject":"`...)
	b = append(b, ev.Case.String()...)
	b = append(b, `","time":"`...)
	b = ev.Time.UTC().AppendFormat(b, schemas.WireTime)
	b = append(b, `","datacontenttype":"application/json","data":`...)
	return appendCompact(b, ev.Data)
}

// appendRecorded completes what appendEvent began.
func appendRecorded(b []byte, at time.Time, by string) []byte {
	b = append(b, `,"recordedtime":"`...)
	b = at.UTC().AppendFormat(b, schemas.WireTime)
	b = append(b, `","recordedby":`...)
	b, _ = jsontext.AppendQuote(b, by) // what is not UTF-8 is replaced
	return append(b, '}')
}

// appendCompact appends valid JSON without its white space.
func appendCompact(dst, src []byte) []byte {
	if !bytes.ContainsAny(src, " \t\r\n") {
		return append(dst, src...)
	}
	out := bytes.NewBuffer(dst)
	if err := json.Compact(out, src); err != nil {
		panic(fmt.Sprintf("ingest: data passed validation but is not JSON: %v", err))
	}
	return out.Bytes()
}
