package verify

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kafka "github.com/segmentio/kafka-go"
	"pgregory.net/rapid"

	"zhiban/projector/posting"
	"zhiban/schemas"
)

// A history is drawn without regard to sense: any types of a case in any order
// and from several places, repeated, corrected, voided, with corrections and
// voids of each other and of what comes later, or never.

var drawnLawyers = []string{"12201201810123456", "12201201511234567"}

// drawnTimes lie around midnights, a month's end, and the days later law began.
var drawnTimes = []string{
	"2026-08-31T23:59:59.999+08:00", "2026-09-01T00:00:00+08:00", "2026-09-01T08:30:00+08:00", "2026-09-01T16:29:59+08:00", "2026-09-02T08:30:00+08:00",
	"2026-09-02T08:30:01+08:00", "2026-09-05T12:00:00+08:00", "2026-09-30T18:00:00Z", "2021-12-31T23:00:00+08:00", "2022-01-01T09:00:00+08:00", "2020-08-19T10:00:00+08:00", "2018-10-26T00:00:00+08:00",
}

// drawData draws data of an event type from its payload's fields.
func drawData(t *rapid.T, typ *schemas.EventType) string {
	fields := reflect.TypeOf(typ.Payload()).Elem()
	data := map[string]any{}
	for i := range fields.NumField() {
		f := fields.Field(i)
		name, optional, _ := strings.Cut(f.Tag.Get("json"), ",")
		if optional != "" && rapid.Bool().Draw(t, "without "+name) {
			continue
		}
		enum := strings.Split(f.Tag.Get("enum"), ",")
		texts := []string{"a", "b"}
		switch {
		case enum[0] != "":
			texts = enum
		case name == "lawyer" || name == "licence":
			texts = drawnLawyers
		case f.Tag.Get("format") == "date-time":
			texts = drawnTimes
		case f.Tag.Get("format") == "date":
			texts = []string{"2026-08-31", "2026-09-01", "2026-09-02", "2026-09-31"}
		}
		switch f.Type.String() {
		case "string":
			data[name] = rapid.SampledFrom(texts).Draw(t, name)
		case "[]string":
			data[name] = texts[:rapid.IntRange(0, min(3, len(texts))).Draw(t, name)]
		case "bool", "*bool":
			data[name] = rapid.Bool().Draw(t, name)
		case "float64":
			data[name] = rapid.SampledFrom([]float64{0.5, 2, 7.25}).Draw(t, name)
		default:
			data[name] = rapid.IntRange(1, 5).Draw(t, name)
		}
	}
	b, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// drawHistory draws the envelopes of a case. ids and case are told apart by n.
func drawHistory(t *rapid.T, n int) []schemas.Envelope {
	kinds := slices.DeleteFunc(schemas.Catalogue.Cases(), func(k schemas.CaseKind) bool { return k == schemas.CaseReturn }) // never corrected, and posts nothing
	kind := rapid.SampledFrom(kinds).Draw(t, "case")
	subject := string(kind) + "/" + testID(n<<8)
	switch kind {
	case schemas.CaseStation:
		subject = fmt.Sprintf("station/220182-court-%d", n%90+10)
	case schemas.CaseLawyer:
		subject = fmt.Sprintf("lawyer/%017d", 12201201810000000+n)
	}
	types := schemas.Catalogue.Of(kind)
	primary := slices.DeleteFunc(slices.Clone(types), (*schemas.EventType).Meta)
	length := rapid.IntRange(1, 10).Draw(t, "events")
	var out []schemas.Envelope
	for i := range length {
		typ := rapid.SampledFrom(primary).Draw(t, "type")
		if i > 0 && rapid.IntRange(0, 2).Draw(t, "remark") > 0 {
			typ = rapid.SampledFrom(types[len(types)-2:]).Draw(t, "type") // corrected, voided: every case's last
		}
		id := i
		if rapid.IntRange(0, 9).Draw(t, "repeats") == 0 {
			id = rapid.IntRange(0, i).Draw(t, "id")
		}
		e := schemas.Envelope{
			SpecVersion: "1.0", ID: testID(n<<8 + id + 1), Type: typ.Name, Subject: subject, Time: rapid.SampledFrom(drawnTimes).Draw(t, "time"),
			Source:       rapid.SampledFrom([]string{"/stations/220182-court", "/stations/220182-court", "/stations/220182-detention", "/divisions/220182"}).Draw(t, "source"),
			RecordedTime: rapid.SampledFrom([]string{"2026-09-01T15:59:59.999Z", "2026-09-02T00:30:00.000Z", "2026-09-02T00:30:00.001Z", "2026-10-01T00:00:00.000Z"}).Draw(t, "recorded"),
		}
		if !typ.Meta() {
			e.Data = json.RawMessage(drawData(t, typ))
		} else {
			e.Data = json.RawMessage(drawRemark(t, typ, primary, n, length))
		}
		out = append(out, e)
	}
	return out
}

// drawRemark draws a correction or a void, of an event of the history or of none.
func drawRemark(t *rapid.T, typ *schemas.EventType, primary []*schemas.EventType, n, length int) string {
	target := rapid.SampledFrom([]string{"", "", "", "", "", "", "urn:uuid:", "not "}).Draw(t, "target's form") + testID(n<<8+rapid.IntRange(1, length).Draw(t, "target"))
	if typ.Verb == "voided" {
		return fmt.Sprintf(`{"target":%q,"reason":"r"}`, target)
	}
	data := drawData(t, rapid.SampledFrom(primary).Draw(t, "shape"))
	if rapid.IntRange(0, 7).Draw(t, "odd") == 0 {
		data = rapid.SampledFrom([]string{`{}`, `7`, `null`, `{"mood":"good"}`, `{"lawyer":""}`}).Draw(t, "data")
	}
	at := rapid.SampledFrom(append([]string{"", "", "", "soon"}, drawnTimes...)).Draw(t, "new time")
	return fmt.Sprintf(`{"target":%q,"data":%s,"time":%q,"reason":"r"}`, target, data, at)
}

// net adds up entries by what they are about.
func net(entries []entry) map[entry]int64 {
	out := map[entry]int64{}
	for _, e := range entries {
		n := e.n
		e.n = 0
		if out[e] += n; out[e] == 0 {
			delete(out, e)
		}
	}
	return out
}

func entryOf(p posting.Posting) entry {
	return entry{p.Indicator, p.Day, p.Source, sides{p.Lawyer, p.Mode, p.Channel, p.PersonRole, p.Organ, p.Trigger, uint64(p.Person), p.Due}, p.Quantity}
}

// parsed is a history as the projection takes it, and as the recount does.
func parsed(t interface{ Fatal(...any) }, envelopes []schemas.Envelope) (events []schemas.Event, records []record) {
	for i, env := range envelopes {
		e, err := env.Parse()
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
		records = append(records, record{int64(i), e.ID, e.Type, e.Source, e.Time, e.Recorded, e.Payload})
	}
	return events, records
}

// Whatever a history holds, the recount of it is what its postings add up to, to
// the last detail, and event by event.
func TestTheRecountIsWhatThePostingsAddUpTo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events, records := parsed(t, drawHistory(t, 1))
		kind := records[0].typ.Case
		var file posting.Case
		for i, recounted := range steps(kind, records) {
			var posted []entry
			for _, p := range file.Enter(events[i]) {
				posted = append(posted, entryOf(p))
			}
			if diff := cmp.Diff(net(posted), net(recounted), cmp.AllowUnexported(entry{}, sides{})); diff != "" {
				t.Fatalf("event %d (%s) posts (-), should by the recount (+):\n%s", i, events[i].Type.Name, diff)
			}
		}
	})
}

// Histories without sense, through the log and the projector, verify clean.
func TestRandomHistoriesVerifyClean(t *testing.T) {
	histories := rapid.Custom(func(t *rapid.T) [][]schemas.Envelope {
		var out [][]schemas.Envelope
		for n := range 40 {
			out = append(out, drawHistory(t, n+1))
		}
		return out
	})
	p := newProjection(t, 2)
	var events int64
	p.put(func(yield func(kafka.Message) bool) {
		for seed := range 25 {
			all := histories.Example(seed)
			// Cases go on in turn, so that most of them lie across batches. Their ids
			// are made different from those of the other draws.
			for i := 0; len(all) > 0; i++ {
				all = slices.DeleteFunc(all, func(h []schemas.Envelope) bool { return len(h) <= i })
				for _, h := range all {
					e := h[i]
					mark := fmt.Sprintf("-9a%02x-", seed)
					e.ID, e.Subject = strings.Replace(e.ID, "-9a55-", mark, 1), strings.Replace(e.Subject, "-9a55-", mark, 1)
					e.Data = json.RawMessage(strings.ReplaceAll(string(e.Data), "-9a55-", mark))
					m := message(t, e)
					m.Key = []byte(e.Subject) // one case, one partition, wherever its events are from
					events++
					if !yield(m) {
						return
					}
				}
			}
		}
	})
	p.project(100)
	r := p.verify(700)
	if !r.OK() || r.Events != events {
		t.Errorf("of %d events:\n%s", events, say(r))
	}
	if moved := p.number("SELECT toInt64(countIf(quantity < 0)) FROM " + p.tables.Postings()); moved == 0 {
		t.Error("no correction or void changed anything")
	}
}

// A chain of corrections longer than is followed ends, and so do circles.
func TestChainsAndCirclesEnd(t *testing.T) {
	correction := func(n, target int, at time.Duration) schemas.Envelope {
		data, err := json.Marshal(schemas.Corrected{Target: testID(target), Data: json.RawMessage(signIn), Reason: "r",
			Time: time.Date(2026, 9, 1, 0, 0, 0, 0, schemas.Shanghai).Add(at * time.Hour).Format(time.RFC3339)})
		if err != nil {
			t.Fatal(err)
		}
		return schemas.Envelope{ID: testID(n), Source: "/stations/220182-court", Type: "zhiban.shift.corrected.v1", Subject: "shift/" + testID(0), Time: "2026-09-01T08:30:00+08:00", Data: data}
	}
	first := schemas.Envelope{ID: testID(1), Source: "/stations/220182-court", Type: "zhiban.shift.signed_in.v1", Subject: "shift/" + testID(0), Time: "2026-09-01T08:30:00+08:00", Data: json.RawMessage(signIn)}
	for _, length := range []int{1, 31, 32, 33, 34, 35, 40} {
		chain := []schemas.Envelope{first}
		for n := range length {
			chain = append(chain, correction(n+2, n+1, time.Duration(24*(n+1))))
		}
		circle := append(slices.Clone(chain), correction(length+2, length+1, 12), correction(length+3, length+2, 6))
		circle[1] = correction(2, length+3, 3)
		for name, history := range map[string][]schemas.Envelope{"chain": chain, "circle": circle} {
			events, records := parsed(t, history)
			var posted []entry
			for _, p := range posting.Post(events) {
				posted = append(posted, entryOf(p))
			}
			if diff := cmp.Diff(net(posted), net(count(schemas.CaseShift, facts(records))), cmp.AllowUnexported(entry{}, sides{})); diff != "" {
				t.Errorf("%s of %d: posted (-), recounted (+):\n%s", name, length, diff)
			}
		}
	}
}
