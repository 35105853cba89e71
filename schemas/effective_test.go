package schemas

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// eventID is the n-th id of a history.
func eventID(n int) EventID {
	return uuid.MustParse(fmt.Sprintf("0199a1c2-7d1e-7c3a-9a55-%012x", n))
}

var eight = time.Date(2026, 9, 1, 8, 0, 0, 0, Shanghai)

// fataler is *testing.T or *rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

func event(t fataler, n int, verb, data string) Event {
	t.Helper()
	typ, err := Catalogue.Lookup("zhiban.shift." + verb + ".v1")
	if err != nil {
		t.Fatal(err)
	}
	payload, err := typ.Decode(json.RawMessage(data))
	if err != nil {
		t.Fatal(err)
	}
	return Event{ID: eventID(n), Type: typ, Case: CaseID{CaseShift, "k"}, Time: eight, Data: json.RawMessage(data), Payload: payload}
}

func in(mode string) string {
	return fmt.Sprintf(`{"lawyer":"12201201810123456","mode":%q}`, mode)
}

const out = `{"lawyer":"12201201810123456"}`

func correct(target int, data, at string) string {
	b, err := json.Marshal(Corrected{Target: eventID(target).String(), Data: json.RawMessage(data), Time: at, Reason: "r"})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func void(target int) string { return fmt.Sprintf(`{"target":%q,"reason":"r"}`, eventID(target)) }

// counts writes what counts, one event a word: id, mode of a sign-in, hour if
// it is not eight.
func counts(history []Event) string {
	var words []string
	for _, e := range Effective(history) {
		word := fmt.Sprintf("%x", e.ID[15])
		switch p := e.Payload.(type) {
		case *ShiftSignedIn:
			word += ":" + p.Mode
		case *ShiftSignedOut:
			word += ":out"
		}
		if !e.Time.Equal(eight) {
			word += e.Time.In(Shanghai).Format("@15")
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestEffective(t *testing.T) {
	e := func(n int, verb, data string) Event { return event(t, n, verb, data) }
	signedIn, signedOut := e(1, "signed_in", in("onsite")), e(2, "signed_out", out)
	for _, tt := range []struct {
		name    string
		history []Event
		want    string
	}{
		{"nothing", nil, ""},
		{"a sign-in and a sign-out", []Event{signedIn, signedOut}, "1:onsite 2:out"},
		{"the same event three times", []Event{signedIn, signedOut, signedIn, signedIn}, "1:onsite 2:out"},
		{"a correction", []Event{signedIn, e(3, "corrected", correct(1, in("phone"), ""))}, "1:phone"},
		{"a correction of the time", []Event{signedIn, e(3, "corrected", correct(1, in("onsite"), "2026-09-01T09:00:00+08:00"))}, "1:onsite@09"},
		{"a correction before its target", []Event{e(3, "corrected", correct(1, in("phone"), "")), signedIn}, "1:phone"},
		{"the last correction holds", []Event{signedIn, e(3, "corrected", correct(1, in("phone"), "2026-09-01T09:00:00+08:00")), e(4, "corrected", correct(1, in("online"), ""))}, "1:online"},
		{"a correction that does not fit", []Event{signedIn, e(3, "corrected", correct(1, out, "2026-09-01T09:00:00+08:00"))}, "1:onsite"},
		{"the last correction that fits holds", []Event{signedIn, e(3, "corrected", correct(1, in("phone"), "")), e(4, "corrected", correct(1, out, ""))}, "1:phone"},
		{"a void", []Event{signedIn, signedOut, e(3, "voided", void(1))}, "2:out"},
		{"a void before its target", []Event{e(3, "voided", void(1)), signedIn}, ""},
		{"a void of a void", []Event{signedIn, e(3, "voided", void(1)), e(4, "voided", void(3))}, "1:onsite"},
		{"a void of a void of a void", []Event{signedIn, e(3, "voided", void(1)), e(4, "voided", void(3)), e(5, "voided", void(4))}, ""},
		{"two voids of which one is voided", []Event{signedIn, e(3, "voided", void(1)), e(4, "voided", void(1)), e(5, "voided", void(3))}, ""},
		{"a void of a correction", []Event{signedIn, e(3, "corrected", correct(1, in("phone"), "")), e(4, "corrected", correct(1, in("online"), "")), e(5, "voided", void(4))}, "1:phone"},
		{"a correction of a void does nothing", []Event{signedIn, e(3, "voided", void(1)), e(4, "corrected", correct(3, in("phone"), ""))}, ""},
		{"a correction of a correction", []Event{signedIn, e(3, "corrected", correct(1, in("phone"), "2026-09-01T09:00:00+08:00")), e(4, "corrected", correct(3, in("online"), ""))}, "1:online@09"},
		{"a correction of a correction, with a time", []Event{signedIn, e(3, "corrected", correct(1, in("phone"), "2026-09-01T09:00:00+08:00")), e(4, "corrected", correct(3, in("online"), "2026-09-01T10:00:00+08:00"))}, "1:online@10"},
		{"a correction of a correction that is voided", []Event{signedIn, e(3, "corrected", correct(1, in("phone"), "")), e(4, "corrected", correct(3, in("online"), "")), e(5, "voided", void(4))}, "1:phone"},
		{"a correction of a correction that does not fit", []Event{signedIn, e(3, "corrected", correct(1, in("phone"), "")), e(4, "corrected", correct(3, out, "2026-09-01T09:00:00+08:00"))}, "1:phone"},
		{"corrections in a circle", []Event{signedIn, e(3, "corrected", correct(4, in("phone"), "")), e(4, "corrected", correct(3, in("online"), ""))}, "1:onsite"},
		{"a correction of itself", []Event{signedIn, e(3, "corrected", correct(3, in("phone"), ""))}, "1:onsite"},
		{"voids in a circle", []Event{signedIn, e(3, "voided", void(4)), e(4, "voided", void(3))}, "1:onsite"},
		{"a target that is not there", []Event{signedIn, e(3, "voided", void(9)), e(4, "corrected", correct(8, in("phone"), ""))}, "1:onsite"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := counts(tt.history); got != tt.want {
				t.Errorf("counts %q, expected %q", got, tt.want)
			}
		})
	}
}

func TestEffectiveGivesTheEventAsItCounts(t *testing.T) {
	at := "2026-09-01T09:00:00+08:00"
	history := []Event{event(t, 1, "signed_in", in("onsite")), event(t, 3, "corrected", correct(1, in("phone"), at))}
	history[0].RecordedBy = "desk"
	got := Effective(history)
	if len(got) != 1 {
		t.Fatalf("%d events count, expected 1", len(got))
	}
	want := history[0]
	want.Time, want.Data, want.Payload = time.Date(2026, 9, 1, 9, 0, 0, 0, Shanghai), json.RawMessage(in("phone")), &ShiftSignedIn{Lawyer: "12201201810123456", Mode: "phone"}
	if d := cmp.Diff(want.Envelope(), got[0].Envelope()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(want.Payload, got[0].Payload); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if history[0].Payload.(*ShiftSignedIn).Mode != "onsite" {
		t.Error("the history was changed")
	}
}

// draw makes a history with up to two facts, and corrections and voids of
// anything, circles and things that are not there included.
func draw(rt *rapid.T) []Event {
	events := []Event{event(rt, 1, "signed_in", in("onsite")), event(rt, 2, "signed_out", out)}
	metas := 3 + rapid.IntRange(0, 20).Draw(rt, "metas")
	for n := 3; n < metas; n++ {
		target := rapid.IntRange(1, 12).Draw(rt, "target")
		if rapid.Bool().Draw(rt, "void") {
			events = append(events, event(rt, n, "voided", void(target)))
			continue
		}
		data := rapid.SampledFrom([]string{in("onsite"), in("phone"), in("online"), out, `{}`, `7`}).Draw(rt, "data")
		at := rapid.SampledFrom([]string{"", "2026-09-01T09:00:00+08:00", "2026-09-01T10:00:00+08:00"}).Draw(rt, "time")
		events = append(events, event(rt, n, "corrected", correct(target, data, at)))
	}
	return rapid.Permutation(events).Draw(rt, "history")
}

func TestEffectiveProperties(t *testing.T) {
	const fresh = 200 // an id that nothing in a drawn history speaks about
	same := func(rt *rapid.T, what string, a, b []Event) {
		if x, y := counts(a), counts(b); x != y {
			rt.Errorf("%s: %q before, %q after", what, x, y)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		history := draw(rt)

		repeated := slices.Clone(history)
		i := rapid.IntRange(0, len(history)-1).Draw(rt, "repeat")
		j := rapid.IntRange(i+1, len(history)).Draw(rt, "repeat at")
		same(rt, "repeating an event", history, slices.Insert(repeated, j, history[i]))

		// Facts keep their order among themselves, and so do corrections and
		// voids; how the two interleave is irrelevant.
		var facts, metas []Event
		for _, e := range history {
			if e.Type.Meta() {
				metas = append(metas, e)
			} else {
				facts = append(facts, e)
			}
		}
		same(rt, "facts first", history, slices.Concat(facts, metas))
		same(rt, "corrections first", history, slices.Concat(metas, facts))

		target := rapid.IntRange(1, 12).Draw(rt, "voided twice")
		same(rt, "a void that is voided", history,
			append(slices.Clone(history), event(rt, fresh, "voided", void(target)), event(rt, fresh+1, "voided", void(fresh))))

		fact := rapid.IntRange(1, 2).Draw(rt, "corrected")
		same(rt, "a correction that is voided", history,
			append(slices.Clone(history), event(rt, fresh, "corrected", correct(fact, in("phone"), "")), event(rt, fresh+1, "voided", void(fresh))))
		same(rt, "a correction that does not fit", history,
			append(slices.Clone(history), event(rt, fresh, "corrected", correct(target, `{"lawyer":"12201201810123456","mood":"good"}`, "2026-09-01T11:00:00+08:00"))))

		before := Effective(history)
		at := "2026-09-01T12:00:00+08:00"
		after := Effective(append(slices.Clone(history), event(rt, fresh, "corrected", correct(1, in("online"), at))))
		again := Effective(append(slices.Clone(history), event(rt, fresh, "corrected", correct(1, in("phone"), "")), event(rt, fresh+1, "corrected", correct(fresh, in("online"), at))))
		if d := cmp.Diff(ids(before), ids(after)); d != "" {
			rt.Errorf("a correction changed which events count:\n%s", d)
		}
		for _, got := range [][]Event{after, again} {
			for _, e := range got {
				if p, ok := e.Payload.(*ShiftSignedIn); ok && (p.Mode != "online" || e.Time.Hour() != 12) {
					rt.Errorf("the last correction does not hold: %s at %s", p.Mode, e.Time)
				}
			}
		}

		for _, e := range before {
			if e.Type.Meta() {
				rt.Errorf("%s counts", e.Type.Name)
			}
			if _, ok := e.Type.fits(e.Data); !ok {
				rt.Errorf("%s counts with data %s", e.Type.Name, e.Data)
			}
		}
	})
}

func ids(events []Event) []string {
	out := []string{}
	for _, e := range events {
		out = append(out, e.ID.String())
	}
	return out
}
