package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"zhiban/schemas"
	"zhiban/schemas/ktable"
	"zhiban/schemas/seal"
)

const asked, told = "取保候审需要什么条件？\n问", "已告知 <条件> & 权利"

// consultation is the record of one, and its case.
func consultation(t testing.TB, person string) (schemas.Envelope, schemas.CaseID) {
	c := schemas.CaseID{Kind: schemas.CaseConsultation, Key: newID()}
	e := signIn("220182-court", 0)
	e.Type, e.Subject = "zhiban.consultation.recorded.v1", c.String()
	e.Data = mustJSON(t, schemas.ConsultationRecorded{Lawyer: "12201201810123456", Channel: "visit", Person: person, PersonRole: "suspect", Minutes: new(20), Question: asked, Answer: told})
	return e, c
}

func correction(t testing.TB, of schemas.Envelope, data any) schemas.Envelope {
	e := of
	e.ID, e.Type = newID(), "zhiban.consultation.corrected.v1"
	e.Data = mustJSON(t, map[string]any{"target": of.ID, "reason": "分钟数记错", "data": data})
	return e
}

func TestPersonsAndTextsAreNotInTheLog(t *testing.T) {
	cluster := newLog(t, 3)
	table, err := ktable.Open(t.Context(), ktable.Config{Brokers: cluster.ListenAddrs(), Topic: schemas.KeyTopic})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	keys := newKeys(t, table)
	s := newServer(t, cluster, func(c *Config) { c.Keys = keys })

	first, of := consultation(t, "p-one")
	application := signIn("220182-court", 0)
	application.Type, application.Subject = "zhiban.application.received.v1", "application/"+newID()
	application.Data = mustJSON(t, schemas.ApplicationReceived{Lawyer: "12201201810123456", Person: "p-one"})
	shift := signIn("220182-court", 0)
	if code, rs := postBatch(t, s, first, application, shift); code != 202 || statuses(rs) != "accepted accepted accepted " {
		t.Fatalf("answer %d %v", code, rs)
	}
	inLog := func() (events []schemas.Event) {
		for _, records := range stored(t, cluster) {
			for _, r := range records {
				for _, plain := range []string{"p-one", "取保", "权利", "p-other"} {
					if bytes.Contains(r.Value, []byte(plain)) {
						t.Errorf("%s can be read in the log: %s", plain, r.Value)
					}
				}
				ev, err := schemas.ParseEvent(r.Value)
				if err != nil {
					t.Fatal(err)
				}
				events = append(events, ev)
			}
		}
		return events
	}
	events := inLog()
	one := keys.Pseudonym("p-one")
	recorded := events[0].Payload.(*schemas.ConsultationRecorded)
	if recorded.Person != one || events[1].Payload.(*schemas.ApplicationReceived).Person != one || *recorded.Minutes != 20 {
		t.Errorf("in the log: %+v and %+v, expected the person %s", recorded, events[1].Payload, one)
	}
	opens := func(person, field, sealed, want string) {
		t.Helper()
		if got, err := keys.Unseal(t.Context(), person, of, field, sealed); err != nil || got != want {
			t.Errorf("%s opens as %q, %v; expected %q", field, got, err, want)
		}
	}
	opens("p-one", "question", recorded.Question, asked)
	opens("p-one", "answer", recorded.Answer, told)

	// What the platform showed comes back in a correction: keyed and sealed it stays
	// as it is, plain it is protected, and the order of fields does not matter.
	again := *recorded
	again.Minutes = new(30)
	again.Answer = "另有告知"
	another := map[string]any{"answer": told, "lawyer": "12201201810123456", "channel": "visit", "person": "p-other", "person_role": "other", "question": ""}
	if code, rs := postBatch(t, s, correction(t, first, again), correction(t, first, another)); code != 202 || statuses(rs) != "accepted accepted " {
		t.Fatalf("answer %d %v", code, rs)
	}
	events = inLog()
	var back, other schemas.ConsultationRecorded
	for i, to := range []*schemas.ConsultationRecorded{&back, &other} {
		if err := json.Unmarshal(events[3+i].Payload.(*schemas.Corrected).Data, to); err != nil {
			t.Fatal(err)
		}
	}
	if back.Person != one || back.Question != recorded.Question || *back.Minutes != 30 {
		t.Errorf("the correction is %+v", back)
	}
	opens("p-one", "answer", back.Answer, "另有告知")
	if other.Person != keys.Pseudonym("p-other") || other.Question != "" {
		t.Errorf("the other correction is %+v", other)
	}
	opens("p-other", "answer", other.Answer, told)
	if got := schemas.Effective(events); len(got) != 3 {
		t.Errorf("%d events count, expected 3", len(got))
	}
}

func TestATextSealedForAnotherPlaceIsRejected(t *testing.T) {
	cluster := newLog(t, 1)
	s := newServer(t, cluster, nil)
	keys := s.keys.(*seal.Keyring)
	e, of := consultation(t, "p-one")
	sealed := func(person string, of schemas.CaseID, field string) string {
		text, err := keys.Seal(t.Context(), person, of, field, asked)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	elsewhere := schemas.CaseID{Kind: schemas.CaseConsultation, Key: newID()}
	good := schemas.ConsultationRecorded{Lawyer: "12201201810123456", Channel: "visit", Person: "p-one", PersonRole: "suspect"}
	with := func(q string) schemas.ConsultationRecorded {
		d := good
		d.Question = q
		return d
	}
	for what, tt := range map[string]struct {
		question string
		want     Status
	}{
		"its own":          {sealed("p-one", of, "question"), Accepted},
		"another person's": {sealed("p-two", of, "question"), Rejected},
		"another case's":   {sealed("p-one", elsewhere, "question"), Rejected},
		"another field's":  {sealed("p-one", of, "answer"), Rejected},
		"made up":          {schemas.SealedPrefix + strings.Repeat("A", 60), Rejected},
		"changed":          {sealed("p-one", of, "question") + "A", Rejected},
	} {
		recorded := e
		recorded.ID, recorded.Data = newID(), mustJSON(t, with(tt.question))
		code, rs := postBatch(t, s, recorded, correction(t, e, with(tt.question)), signIn("220182-court", 0))
		if code != 202 || rs[2].Status != Accepted {
			t.Fatalf("%s: answer %d %v", what, code, rs)
		}
		for i, at := range []string{"data.question", "data.data.question"} {
			if rs[i].Status != tt.want || rs[i].Retry || tt.want == Rejected && (len(rs[i].Errors) != 1 || rs[i].Errors[0].Location != at) {
				t.Errorf("%s at %s: %+v", what, at, rs[i])
			}
		}
	}
}

func TestWithoutKeysNothingIsTakenForTheMoment(t *testing.T) {
	cluster := newLog(t, 1)
	table := &memory{content: map[string][]byte{}}
	s := newServer(t, cluster, func(c *Config) { c.Keys = newKeys(t, table) })
	table.refuse = errors.New("the broker is away")
	e, _ := consultation(t, "p-one")
	w := post(s, BatchMediaType, mustJSON(t, []schemas.Envelope{signIn("220182-court", 0), e}))
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("Content-Type") != "application/problem+json" || strings.Contains(w.Body.String(), "broker") {
		t.Errorf("answer %d %v %s", w.Code, w.Header(), w.Body)
	}
	if n := len(inLog(t, cluster)); n != 0 {
		t.Errorf("%d events in the log", n)
	}
	if code, _ := postBatch(t, s, signIn("220182-court", 0)); code != 202 {
		t.Errorf("answer %d to an event without texts", code)
	}
	table.refuse = nil
	if code, _ := postBatch(t, s, e); code != 202 {
		t.Errorf("answer %d once there are keys", code)
	}
}

func TestARecordedPastIsProtectedToo(t *testing.T) {
	cluster := newLog(t, 1)
	keys := newKeys(t, &memory{content: map[string][]byte{}})
	e, of := consultation(t, "p-one")
	e.RecordedTime = time.Date(2026, 9, 1, 0, 0, 1, 0, time.UTC).Format(schemas.WireTime)
	if err := AppendRecorded(t.Context(), cluster.ListenAddrs(), keys, slices.Values([]schemas.Envelope{e}), func(schemas.Envelope) {}); err != nil {
		t.Fatal(err)
	}
	ev, err := schemas.ParseEvent(stored(t, cluster)[0][0].Value)
	if err != nil {
		t.Fatal(err)
	}
	got := ev.Payload.(*schemas.ConsultationRecorded)
	plain, err := keys.Unseal(t.Context(), "p-one", of, "question", got.Question)
	if err != nil || plain != asked || got.Person != keys.Pseudonym("p-one") || bytes.Contains(ev.Data, []byte("p-one")) {
		t.Errorf("in the log %s, %q, %v", ev.Data, plain, err)
	}
}

// Whatever the spelling of the JSON, nothing but the protected members changes.
func TestRewritingKeepsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]any{}
		var b strings.Builder
		b.WriteString("{")
		for i, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"person", "question", "minutes", "topics", "a", "名"}), 0, 6, rapid.ID).Draw(t, "names") {
			value := rapid.SampledFrom([]any{"x", 7.5, nil, true, []any{"}", "\"", 1.0}, map[string]any{"person": "\\"}}).Draw(t, "value")
			spelled := string(mustMarshal(name))
			if rapid.Bool().Draw(t, "escaped") {
				spelled = `"`
				for _, r := range name {
					spelled += fmt.Sprintf(`\u%04x`, r)
				}
				spelled += `"`
			}
			space := rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space")
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(space + spelled + space + ":" + space + string(mustMarshal(value)) + space)
			want[name] = value
			if name == "person" || name == "question" {
				want[name] = "changed"
			}
		}
		b.WriteString("}")
		members, err := membersOf([]byte(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		out, err := rewrite([]byte(b.String()), members, func(name string, value jsontext.Value) (jsontext.Value, error) {
			if name == "person" || name == "question" {
				return jsontext.Value(`"changed"`), nil
			}
			return value, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s became %s: %v", b.String(), out, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s became %s:\n%s", b.String(), out, d)
		}
	})
}

func mustMarshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
