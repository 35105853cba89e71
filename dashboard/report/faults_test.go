package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"zhiban/schemas"
)

// line is an event of a test: type without its frame (shift.signed_in), data,
// and the moments at which it happened and was recorded, in hours and minutes
// from 2026-09-01 0:00. The id of the n-th line of a case is eventID(n).
type line struct {
	typ, data    string
	at, recorded string
}

func eventID(n int) schemas.EventID {
	return uuid.MustParse(fmt.Sprintf("0199a1c2-7d1e-7c3a-9a55-%012d", n))
}

func moment(t testing.TB, text string) time.Time {
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, time.September, 1, 0, 0, 0, 0, schemas.Shanghai).Add(d)
}

// envelope is a line as it stands in the log.
func (l line) envelope(t testing.TB, source, key string, id schemas.EventID) schemas.Envelope {
	kind, _, _ := strings.Cut(l.typ, ".")
	return schemas.Envelope{SpecVersion: "1.0", ID: id.String(), Source: source, Type: "zhiban." + l.typ + ".v1", Subject: kind + "/" + key,
		Time: moment(t, l.at).Format(time.RFC3339Nano), RecordedTime: moment(t, l.recorded).Format(time.RFC3339Nano), Data: []byte(l.data)}
}

// target is the data of a void, or of a correction with new data and time.
func target(n int, data, at string) string {
	if data == "" {
		return `{"target":"` + eventID(n).String() + `","reason":"登记有误"}`
	}
	return `{"target":"` + eventID(n).String() + `","reason":"登记有误","data":` + data + `,"time":"` + at + `"}`
}

func TestWhatIsWrongWithACase(t *testing.T) {
	const shift = "0199a1c2-7d1e-7c3a-9a55-bbbb00000001" // known
	consulted := func(shift string) string {
		return `{"lawyer":"` + wang + `","channel":"visit","person":"p-1","person_role":"suspect","shift":"` + shift + `"}`
	}
	const received, got = `{"lawyer":"12201201810123456","person":"p-1","in_custody":true}`, `{"agency":"榆树市法律援助中心","outcome":"accepted"}`
	for name, c := range map[string]struct {
		lines []line
		want  string // findings, each with the number of its line
	}{
		"a shift as it should be":                  {[]line{{"shift.signed_in", in, "8h", "8h"}, {"shift.signed_out", by, "16h", "16h"}}, ""},
		"entered after exactly a day":              {[]line{{"shift.signed_in", in, "8h", "32h"}}, ""},
		"entered after more than a day":            {[]line{{"shift.signed_in", in, "8h", "32h1s"}}, "late_entry 1"},
		"a plan may be entered whenever":           {[]line{{"shift.planned", `{"lawyer":"` + wang + `","mode":"onsite","start":"2026-09-01T08:00:00+08:00","end":"2026-09-01T16:00:00+08:00"}`, "8h", "800h"}}, ""},
		"a register is loaded with its past":       {[]line{{"lawyer.left", `{}`, "8h", "800h"}}, ""},
		"clocks may differ by ten minutes":         {[]line{{"shift.signed_in", in, "8h10m", "8h"}}, ""},
		"a time after its recording":               {[]line{{"shift.signed_in", in, "8h10m1s", "8h"}}, "ahead_of_recording 1"},
		"a sign-out before its sign-in":            {[]line{{"shift.signed_in", in, "8h", "8h"}, {"shift.signed_out", by, "7h59m", "16h"}}, "out_of_order 2"},
		"a sign-out that arrived first":            {[]line{{"shift.signed_out", by, "16h", "16h"}, {"shift.signed_in", in, "8h", "17h"}}, ""},
		"a decision before receipt":                {[]line{{"application.received", received, "8h", "8h"}, {"application.transferred", by, "9h", "9h"}, {"application.decided", got, "7h", "10h"}}, "out_of_order 3"},
		"a sign-out alone":                         {[]line{{"shift.signed_out", by, "16h", "16h"}}, "without_first 1"},
		"a sign-out whose sign-in was voided":      {[]line{{"shift.signed_in", in, "8h", "8h"}, {"shift.signed_out", by, "16h", "16h"}, {"shift.voided", target(1, "", ""), "17h", "17h"}}, "without_first 2"},
		"both voided":                              {[]line{{"shift.signed_in", in, "8h", "8h"}, {"shift.signed_out", by, "7h", "16h"}, {"shift.voided", target(1, "", ""), "17h", "17h"}, {"shift.voided", target(2, "", ""), "17h", "17h"}}, ""},
		"a time put right":                         {[]line{{"shift.signed_in", in, "800h", "8h"}, {"shift.corrected", target(1, in, "2026-09-01T08:00:00+08:00"), "9h", "9h"}}, ""},
		"a time put wrong":                         {[]line{{"shift.signed_in", in, "8h", "8h"}, {"shift.corrected", target(1, in, "2026-08-01T08:00:00+08:00"), "9h", "9h"}}, "late_entry 1"},
		"a correction is no late entry":            {[]line{{"shift.signed_in", in, "8h", "8h"}, {"shift.corrected", target(1, in, "2026-09-01T08:01:00+08:00"), "9h", "800h"}}, ""},
		"a known shift":                            {[]line{{"consultation.recorded", consulted(shift), "8h", "8h"}}, ""},
		"a known shift in capitals":                {[]line{{"consultation.recorded", consulted(strings.ToUpper(shift)), "8h", "8h"}}, ""},
		"an unknown shift":                         {[]line{{"consultation.recorded", consulted("0199a1c2-7d1e-7c3a-9a55-bbbb00000002"), "8h", "8h"}}, "unknown_reference 1"},
		"an unknown shift put right":               {[]line{{"consultation.recorded", consulted("0199a1c2-7d1e-7c3a-9a55-bbbb00000002"), "8h", "8h"}, {"consultation.corrected", target(1, consulted(shift), "2026-09-01T08:00:00+08:00"), "9h", "9h"}}, ""},
		"an unknown notification":                  {[]line{{"supervision.issued", `{"organ":"court","kind":"not_notified","notification":"` + shift + `"}`, "8h", "8h"}}, "unknown_reference 1"},
		"a void of nothing":                        {[]line{{"shift.signed_in", in, "8h", "8h"}, {"shift.voided", target(9, "", ""), "9h", "9h"}}, "unknown_target 2"},
		"a correction before its target":           {[]line{{"shift.corrected", target(2, in, "2026-09-01T08:00:00+08:00"), "9h", "9h"}, {"shift.signed_in", in, "7h", "10h"}}, ""},
		"a correction of nothing, taken back":      {[]line{{"shift.corrected", target(9, in, "2026-09-01T08:00:00+08:00"), "9h", "9h"}, {"shift.voided", target(1, "", ""), "9h", "9h"}}, ""},
		"a payment before the subsidy was due":     {[]line{{"subsidy.accrued", `{"lawyer":"` + wang + `","fen":20000}`, "8h", "8h"}, {"subsidy.paid", `{"lawyer":"` + wang + `","fen":20000}`, "7h", "8h"}}, "out_of_order 2"},
		"a complaint closed before it was lodged":  {[]line{{"complaint.lodged", `{"lawyer":"` + wang + `","person":"p-1","ground":"torture"}`, "8h", "8h"}, {"complaint.closed", `{"outcome":"upheld"}`, "7h", "8h"}}, "out_of_order 2"},
		"a lawyer who left is judged by registers": {[]line{{"lawyer.left", `{}`, "8h", "8h"}}, ""},
	} {
		var history []schemas.Event
		for i, l := range c.lines {
			key := caseKey(1)
			if strings.HasPrefix(l.typ, "lawyer.") {
				key = wang
			}
			e, err := l.envelope(t, "/stations/"+court, key, eventID(i+1)).Parse()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			history = append(history, e)
		}
		var found []string
		for _, f := range faultsOf(history, func(id schemas.CaseID) bool { return id.String() == "shift/"+shift }) {
			i := slices.IndexFunc(history, func(e schemas.Event) bool { return e.ID == f.event.ID })
			found = append(found, fmt.Sprint(f.code, " ", i+1))
		}
		if got := strings.Join(found, ", "); got != c.want {
			t.Errorf("%s: %q, expected %q", name, got, c.want)
		}
	}
}

func TestEveryCourseIsOfTypesThatThereAre(t *testing.T) {
	for kind, c := range courses {
		for _, verb := range append([]string{c.first}, c.later...) {
			if len(typesOf(func(x *schemas.EventType) bool { return x.Case == kind && x.Verb == verb })) == 0 {
				t.Errorf("no type is %s.%s", kind, verb)
			}
		}
	}
}
