package schemas

import (
	"encoding/json"
	"strings"
	"testing"

	json2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// byLibrary reads an event by the JSON library alone.
func byLibrary(b []byte) (Event, error) {
	var e Envelope
	if err := json2.Unmarshal(b, &e); err != nil {
		return Event{}, err
	}
	return e.Parse()
}

// FuzzPlain holds the scanner against the library: what it takes, the library
// takes, and reads the same.
func FuzzPlain(f *testing.F) {
	for _, t := range Catalogue.All() {
		b, err := json.Marshal(Envelope{
			SpecVersion: "1.0", ID: "0199a1c2-7d1e-7c3a-9a55-0242ac120002", Source: "/stations/220182-court", Type: t.Name, Subject: string(t.Case) + "/0199a1c2-7d1e-7c3a-9a55-0242ac120001",
			Time: "2026-09-01T08:31:00+08:00", DataContentType: "application/json", Data: json.RawMessage(t.Example), RecordedTime: "2026-09-01T00:31:02.417Z", RecordedBy: "api",
		})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	const base = `{"id":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","source":"/divisions/220182","type":"zhiban.shift.signed_out.v1","subject":"shift/0199a1c2-7d1e-7c3a-9a55-0242ac120001","time":"2026-09-01T08:31:00Z","data":{"lawyer":"12201201810123456"}}`
	for _, other := range []string{
		"", " ", "\"time\":\"\",", `"specversion":1,`, `"x":{},`, `"data":{},`, `"id":"\u0030",`, "\"recordedby\":\"\xff\",", `"recordedtime":"2026-09-01T0:31:02,417Z",`, `"data":{"a":"\"}"},`,
	} {
		f.Add([]byte("{" + other + base[1:]))
		f.Add([]byte(strings.Replace(base, `"data":{`, `"data":{`+strings.Replace(other, "data", "a", 1), 1)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, ok := scanPlain(b)
		if !ok {
			return
		}
		got, ok := plain.parse()
		if !ok {
			return
		}
		want, err := byLibrary(b)
		if err != nil {
			t.Fatalf("the library refuses what the scanner takes: %v\n%s", err, b)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *EventType) bool { return a == b })); diff != "" {
			t.Errorf("(-library +scanner)\n%s\n%s", diff, b)
		}
	})
}

// What ingest writes is plain.
func TestWhatIngestWritesIsPlain(t *testing.T) {
	for _, typ := range Catalogue.All() {
		e := Event{ID: EventID{1}, Source: Source{Station: "220182-court", Division: "220182"}, Type: typ, Case: CaseID{typ.Case, "0199a1c2-7d1e-7c3a-9a55-0242ac120001"},
			Time: Date(2026, 9, 1).Start(), Recorded: Date(2026, 9, 2).Start(), RecordedBy: "api", Data: json.RawMessage(typ.Example)}
		b, err := json.Marshal(e.Envelope())
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := scanPlain(b); !ok {
			t.Errorf("%s", b)
		}
	}
}

func BenchmarkParseEvent(b *testing.B) {
	event := []byte(`{"specversion":"1.0","id":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","source":"/stations/220182-court","type":"zhiban.consultation.recorded.v1","subject":"consultation/0199a1c2-7d1e-7c3a-9a55-0242ac120001","time":"2026-09-01T08:31:00Z","datacontenttype":"application/json","data":{"lawyer":"12201201810123456","channel":"visit","person":"p-7f3a91","person_role":"relative","shift":"0199a1c2-7d1e-7c3a-9a55-0242ac120001","topics":["取保候审条件"],"minutes":25},"recordedtime":"2026-09-01T00:31:02.417Z","recordedby":"api"}`)
	for _, c := range []struct {
		name string
		read func([]byte) (Event, error)
	}{{"scanner", ParseEvent}, {"library", byLibrary}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.read(event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
