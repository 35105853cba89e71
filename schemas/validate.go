package schemas

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// FieldError is one thing that is wrong with an event: where, and what is
// expected there.
type FieldError struct {
	Location string `json:"location"` // "id", "source", "data.minutes"; "event" for the whole
	Message  string `json:"message"`
}

func (e FieldError) String() string { return e.Location + ": " + e.Message }

// maxFieldErrors bounds the answer to one event.
const maxFieldErrors = 50

// Events happen between these days; anything else is a slip of the pen or a
// clock that is not set.
var (
	earliestTime = time.Date(2000, 1, 1, 0, 0, 0, 0, Shanghai)
	latestTime   = time.Date(2100, 1, 1, 0, 0, 0, 0, Shanghai)
)

// Validate reads one event as it comes from outside and lists everything that
// is wrong with it. The envelope is the event as it was sent, as far as it can
// be read; the event is set only when nothing is wrong.
//
// An event that Validate passes can be read by [ParseEvent], its data by
// [EventType.Decode]; whoever reads the log may rely on it. What one event
// cannot show is not looked at: whether the target of a correction exists, or
// whether the station is registered.
func Validate(raw []byte) (Envelope, Event, []FieldError) {
	s := scanners.Get().(*scanner)
	defer s.release()
	s.scan(raw)
	ev := s.attributes()
	s.data(&ev)
	if len(s.errs) == 0 {
		return s.env, ev, nil
	}
	errs := s.errs
	if extra := len(errs) - maxFieldErrors; extra > 0 {
		errs = append(errs[:maxFieldErrors:maxFieldErrors], FieldError{"event", fmt.Sprintf("and %d more errors", extra)})
	}
	return s.env, Event{}, errs
}

// maxMembers bounds the attributes of an event and the fields of its data.
const maxMembers = 64

// scanner reads one event.
type scanner struct {
	dec    jsontext.Decoder
	buf    bytes.Buffer
	raw    string
	env    Envelope
	seen   []string // names of the attributes that are there, whatever they hold
	tree   any      // data: members, or what encoding/json would make of it
	broken bool     // the JSON ends somewhere in the middle
	errs   []FieldError
}

// members are the members of data in their order.
type members []member

type member struct {
	name  string
	value any
}

func (m members) find(name string) *member {
	for i := range m {
		if m[i].name == name {
			return &m[i]
		}
	}
	return nil
}

var scanners = sync.Pool{New: func() any { return new(scanner) }}

func (s *scanner) release() {
	s.buf = bytes.Buffer{}
	s.dec.Reset(&s.buf)
	clear(s.seen)
	s.raw, s.env, s.seen, s.tree, s.broken, s.errs = "", Envelope{}, s.seen[:0], nil, false, nil
	scanners.Put(s)
}

func (s *scanner) fail(location, format string, args ...any) {
	s.errs = append(s.errs, FieldError{location, fmt.Sprintf(format, args...)})
}

// scan takes the JSON apart. A fault in the JSON itself ends it.
func (s *scanner) scan(raw []byte) {
	s.raw = string(raw)
	s.buf = *bytes.NewBuffer(raw)
	s.dec.Reset(&s.buf, jsontext.AllowDuplicateNames(true)) // duplicates are reported with the rest
	if err := s.scanObject(); err != nil {
		s.broken = true
		msg := strings.TrimPrefix(err.Error(), "jsontext: ")
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			msg = "it ends too early"
		}
		s.fail("event", "is not JSON: %s", msg)
	}
}

func (s *scanner) scanObject() error {
	if kind := s.dec.PeekKind(); kind != '{' {
		if err := s.dec.SkipValue(); err != nil {
			return err
		}
		s.fail("event", "expected a JSON object, found %s", kindName(kind))
		s.broken = true
		return nil
	}
	if _, err := s.dec.ReadToken(); err != nil {
		return err
	}
	for s.dec.PeekKind() != '}' {
		name, err := s.scanString()
		if err != nil {
			return err
		}
		if err := s.scanAttribute(name); err != nil {
			return err
		}
	}
	if _, err := s.dec.ReadToken(); err != nil {
		return err
	}
	_, err := s.dec.ReadToken()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return errors.New("something follows the object")
	}
	return err
}

func (s *scanner) scanAttribute(name string) error {
	if slices.Contains(s.seen, name) {
		s.fail(attribute(name), "stands twice")
		return s.dec.SkipValue()
	}
	if len(s.seen) == maxMembers {
		return s.dec.SkipValue() // the first ones are reported
	}
	s.seen = append(s.seen, name)
	var text *string
	switch name {
	case "specversion":
		text = &s.env.SpecVersion
	case "id":
		text = &s.env.ID
	case "source":
		text = &s.env.Source
	case "type":
		text = &s.env.Type
	case "subject":
		text = &s.env.Subject
	case "time":
		text = &s.env.Time
	case "datacontenttype":
		text = &s.env.DataContentType
	case "data":
		return s.scanData()
	case "recordedtime", "recordedby":
		s.fail(name, "is set by the server when it records the event; leave it out")
	default:
		s.fail(attribute(name), "is not an attribute of an event; there are specversion, id, source, type, subject, time, datacontenttype and data")
	}
	kind := s.dec.PeekKind()
	switch {
	case text == nil || kind == 'n': // null is the same as absent
		return s.dec.SkipValue()
	case kind != '"':
		s.fail(name, "expected a string, found %s", kindName(kind))
		*text = unreadable
		return s.dec.SkipValue()
	}
	var err error
	*text, err = s.scanString()
	return err
}

// scanString reads a string or a name.
func (s *scanner) scanString() (string, error) {
	v, err := s.dec.ReadValue()
	if err != nil {
		return "", err
	}
	if bytes.IndexByte(v, '\\') < 0 {
		end := s.dec.InputOffset()
		return s.raw[end-int64(len(v))+1 : end-1], nil
	}
	text, err := jsontext.AppendUnquote(nil, v)
	return string(text), err
}

// attribute is the place of an attribute whatever it is called.
func attribute(name string) string { return cmp.Or(shorten(name), `""`) }

// unreadable stands for an attribute that was reported already. It cannot come
// from outside: JSON text is valid UTF-8.
const unreadable = "\xff"

func (s *scanner) scanData() error {
	start := s.dec.InputOffset()
	var tree any
	var err error
	if s.dec.PeekKind() == '{' {
		tree, err = s.scanFields()
	} else {
		tree, err = s.scanValue("data", 1)
	}
	if err != nil {
		return err
	}
	s.tree = tree
	s.env.Data = json.RawMessage(strings.TrimLeft(s.raw[start:s.dec.InputOffset()], ": \t\r\n"))
	return nil
}

// scanFields reads data.
func (s *scanner) scanFields() (members, error) {
	if _, err := s.dec.ReadToken(); err != nil {
		return nil, err
	}
	fields := make(members, 0, 12)
	for s.dec.PeekKind() != '}' {
		name, err := s.scanString()
		if err != nil {
			return nil, err
		}
		if len(fields) == maxMembers {
			if err := s.dec.SkipValue(); err != nil {
				return nil, err
			}
			continue
		}
		at := "data"
		if kind := s.dec.PeekKind(); kind == '{' || kind == '[' {
			at += "." + name
		}
		value, err := s.scanValue(at, 1)
		if err != nil {
			return nil, err
		}
		if fields.find(name) != nil {
			s.fail("data."+shorten(name), "stands twice")
			continue
		}
		fields = append(fields, member{name, value})
	}
	_, err := s.dec.ReadToken()
	return fields, err
}

// maxDepth bounds how deep data may be nested; payloads are flat.
const maxDepth = 16

// scanValue builds what encoding/json would, and reports names that stand
// twice.
func (s *scanner) scanValue(at string, depth int) (any, error) {
	switch kind := s.dec.PeekKind(); kind {
	case '"':
		return s.scanString()
	case '{', '[':
		if depth > maxDepth {
			s.fail(shorten(at), "is nested too deeply")
			return unsound{}, s.dec.SkipValue()
		}
		if _, err := s.dec.ReadToken(); err != nil {
			return nil, err
		}
		if kind == '{' {
			return s.scanObjectValue(at, depth)
		}
		items := []any{}
		for s.dec.PeekKind() != ']' {
			value, err := s.scanValue(at, depth+1)
			if err != nil {
				return nil, err
			}
			items = append(items, value)
		}
		_, err := s.dec.ReadToken()
		return items, err
	}
	token, err := s.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '0':
		return token.Float(), nil
	case 't', 'f':
		return token.Bool(), nil
	}
	return nil, nil
}

func (s *scanner) scanObjectValue(at string, depth int) (any, error) {
	object := map[string]any{}
	for s.dec.PeekKind() != '}' {
		name, err := s.scanString()
		if err != nil {
			return nil, err
		}
		if _, ok := object[name]; ok {
			s.fail(shorten(at)+"."+shorten(name), "stands twice")
		}
		if object[name], err = s.scanValue(at, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := s.dec.ReadToken()
	return object, err
}

// attributes parses the envelope and returns what could be parsed.
func (s *scanner) attributes() Event {
	var ev Event
	var err error
	if v, ok := s.text("specversion", s.env.SpecVersion, `"1.0"`); ok && v != "1.0" {
		s.fail("specversion", `expected "1.0", found %q`, shorten(v))
	}
	if v, ok := s.text("id", s.env.ID, "a UUID"); ok {
		if ev.ID, ok = parseUUID(v); !ok {
			s.fail("id", "%q is not a UUID such as 0199a1c2-7d1e-7c3a-9a55-0242ac120002", shorten(v))
		}
	}
	if v, ok := s.text("source", s.env.Source, "/stations/<station code> or /divisions/<division code>"); ok {
		if ev.Source, err = ParseSource(v); err != nil {
			s.fail("source", "%s", shortenTo(err.Error(), 300))
		}
	}
	if v, ok := s.text("type", s.env.Type, "a type of the catalogue, see GET /api/v1/event-types"); ok {
		if ev.Type, err = Catalogue.Lookup(shorten(v)); err != nil {
			s.fail("type", "%s", err)
		}
	}
	if v, ok := s.text("subject", s.env.Subject, "<case>/<id>"); ok {
		s.subject(&ev, v)
	}
	if v, ok := s.text("time", s.env.Time, "RFC 3339, for example 2026-09-01T08:31:00+08:00"); ok {
		ev.Time = s.time("time", v)
	}
	if v := s.env.DataContentType; v != "" && v != "application/json" && v != unreadable {
		if media, params, err := mime.ParseMediaType(v); err != nil || media != "application/json" || len(params) > 1 ||
			len(params) == 1 && !strings.EqualFold(params["charset"], "utf-8") {
			s.fail("datacontenttype", "expected application/json, found %q", shorten(v))
		}
	}
	s.env = s.env.legible()
	return ev
}

// legible is the envelope without marks of unreadable attributes.
func (e Envelope) legible() Envelope {
	for _, p := range []*string{&e.SpecVersion, &e.ID, &e.Source, &e.Type, &e.Subject, &e.Time, &e.DataContentType} {
		if *p == unreadable {
			*p = ""
		}
	}
	return e
}

// text is a required attribute; ok says that there is something to parse.
func (s *scanner) text(name, value, expected string) (_ string, ok bool) {
	switch {
	case value == unreadable || value == "" && s.broken:
		return "", false
	case value == "":
		s.fail(name, "is required: %s", expected)
		return "", false
	}
	return value, true
}

// subject parses the case, and checks it against type and source: an event
// belongs where the whole case is, or its history would be torn apart.
func (s *scanner) subject(ev *Event, v string) {
	id, err := ParseCaseID(v)
	if err != nil {
		s.fail("subject", "%s", shortenTo(err.Error(), 300))
		return
	}
	if id.Key == uuid.Nil.String() {
		s.fail("subject", "%q: the id is all zeros; every case needs its own UUID", v)
		return
	}
	if ev.Type == nil {
		return
	}
	if id.Kind != ev.Type.Case {
		s.fail("subject", "%q does not belong to type %s; expected %s/<id>", shorten(v), ev.Type.Name, ev.Type.Case)
		return
	}
	ev.Case = id
	switch source := ev.Source; {
	case source == Source{}:
	case id.Kind == CaseStation && string(source.Station) != id.Key:
		s.fail("source", "expected /stations/%s, the station of the subject, found %q", id.Key, source)
	case id.Kind == CaseReturn:
		if r, err := ParseReturnID(id.Key); err == nil && source != (Source{Division: r.Division}) {
			s.fail("source", "expected /divisions/%s, whose return it is; found %q", r.Division, source)
		}
	case stationCases[id.Kind] && source.Station == "":
		s.fail("source", "expected /stations/<station code>, for a %s happens at a station; found %q", id.Kind, source)
	}
}

// stationCases are the cases that happen at a station, never in a division.
var stationCases = map[CaseKind]bool{CaseShift: true, CaseConsultation: true, CaseApplication: true, CaseAssistance: true, CaseComplaint: true}

func (s *scanner) time(at, v string) time.Time {
	t, wrong := parseTime(v)
	if wrong != "" {
		s.fail(at, "%s", wrong)
	}
	return t
}

// parseUUID reads the 36-character form. The nil UUID is nobody's id.
func parseUUID(s string) (uuid.UUID, bool) {
	id, err := uuid.Parse(s)
	return id, err == nil && len(s) == 36 && id != uuid.Nil
}

// data checks the payload and decodes it.
func (s *scanner) data(ev *Event) {
	if !slices.Contains(s.seen, "data") {
		if !s.broken {
			s.fail("data", "is required: a JSON object")
		}
		return
	}
	fields, ok := s.tree.(members)
	if !ok {
		if !s.broken {
			s.fail("data", "expected a JSON object, found %s", jsonName(s.tree))
		}
		return
	}
	if ev.Type == nil {
		return
	}
	s.errs = append(s.errs, s.payload("data", ev, ev.Type, fields)...)
	if len(s.errs) > 0 {
		return
	}
	ev.Data, ev.Payload = s.env.Data, ev.Type.Payload()
	s.errs = append(s.errs, decode("data", ev.Data, ev.Payload)...)
	ev.Payload = ev.Type.upcast(ev.Payload)
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "an array"
	case '{':
		return "an object"
	}
	return "nothing"
}

func jsonName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case float64:
		return "a number"
	case []any:
		return "an array"
	}
	return "an object"
}
