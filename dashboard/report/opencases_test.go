package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"zhiban/schemas"
)

const (
	wang = "12201201810123456"
	in   = `{"lawyer":"12201201810123456","mode":"onsite"}`
	by   = `{"lawyer":"12201201810123456"}`
)

// caseKey is the key of the n-th case of a test.
func caseKey(n int) string { return fmt.Sprintf("0199a1c2-7d1e-7c3a-9a55-aaaa%08d", n) }

// waiting lists the types that a station waits for, newest case first.
func (b *book) waiting(scope Scope, station schemas.StationCode) string {
	b.t.Helper()
	open, err := b.OpenCases(b.t.Context(), scope, station)
	if err != nil {
		b.t.Fatal(err)
	}
	if open.Total != len(open.Cases) || open.Station != station || open.Cut.IsZero() {
		b.t.Errorf("%+v", open)
	}
	var out []string
	for _, c := range open.Cases {
		out = append(out, c.Subject[len(c.Subject)-1:]+" "+strings.TrimSuffix(strings.TrimPrefix(c.Missing, "zhiban."), ".v1"))
	}
	return strings.Join(out, ", ")
}

func TestOpenCasesAreThoseWithoutTheirNextStep(t *testing.T) {
	b := newBook(t)
	const person = `"person":"p-1"`
	b.write(
		[4]string{court, "shift.signed_in", caseKey(1), in},
		[4]string{court, "shift.signed_in", caseKey(2), in},
		[4]string{court, "consultation.recorded", caseKey(3), `{"lawyer":"` + wang + `","channel":"phone","person_role":"suspect",` + person + `,"topics":["羁押期限"],"question":"SECRET"}`},
		[4]string{court, "application.received", caseKey(4), `{"lawyer":"` + wang + `",` + person + `,"in_custody":false}`},
		[4]string{court, "notification.triggered", caseKey(5), `{"organ":"court","trigger":"accepted",` + person + `,"in_custody":true}`},
		[4]string{court, "help_request.received", caseKey(6), `{"organ":"court",` + person + `}`},
		[4]string{court, "complaint.lodged", caseKey(7), `{"lawyer":"` + wang + `","ground":"torture",` + person + `}`}, // waits for nothing
		[4]string{centre, "shift.signed_in", caseKey(8), in},
	)
	if got, want := b.waiting(ProvinceWide, court), "6 help_request.dispatched, 5 notification.given, 4 application.transferred, 3 consultation.signed, 2 shift.signed_out, 1 shift.signed_out"; got != want {
		t.Errorf("waiting: %s\nexpected %s", got, want)
	}
	if got := b.waiting(ProvinceWide, centre); got != "8 shift.signed_out" {
		t.Errorf("at the other station: %s", got)
	}
	open, err := b.OpenCases(t.Context(), ProvinceWide, court)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(open)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "SECRET") || strings.Contains(string(text), "羁押期限") {
		t.Errorf("a text that somebody wrote is in the answer: %s", text)
	}
	for _, want := range []string{`"in_custody":false`, `"in_custody":true`, `"trigger":"accepted"`, `"lawyer":"` + wang + `"`, `"mode":"onsite"`, `"person":"p-1"`, `"cut":{"0":7,"1":1}`, `"time":"2026-09-01T08:01:00+08:00"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}

	b.write(
		[4]string{court, "shift.signed_out", caseKey(2), by},
		[4]string{court, "consultation.signed", caseKey(3), by},
		[4]string{court, "application.transferred", caseKey(4), by},
		[4]string{court, "notification.given", caseKey(5), `{"form":"oral"}`},
		[4]string{court, "help_request.dispatched", caseKey(6), by},
	)
	if got := b.waiting(ProvinceWide, court); got != "1 shift.signed_out" {
		t.Errorf("when the rest was done: %s", got)
	}
}

func TestAVoidOpensACaseAgainOrEndsIt(t *testing.T) {
	b := newBook(t)
	ids := b.write(
		[4]string{court, "shift.signed_in", caseKey(1), in},
		[4]string{court, "shift.signed_out", caseKey(1), by},
		[4]string{court, "shift.signed_in", caseKey(2), in},
		[4]string{court, "shift.signed_in", caseKey(3), in},
	)
	voids := func(id schemas.EventID) string { return `{"target":"` + id.String() + `","reason":"登记有误"}` }
	b.write(
		[4]string{court, "shift.voided", caseKey(1), voids(ids[1])},
		[4]string{court, "shift.voided", caseKey(2), voids(ids[2])},
		[4]string{court, "shift.corrected", caseKey(3), `{"target":"` + ids[3].String() + `","reason":"登记有误","time":"2026-08-31T09:00:00+08:00","data":{"lawyer":"` + wang + `","mode":"phone"}}`},
	)
	if got := b.waiting(ProvinceWide, court); got != "1 shift.signed_out, 3 shift.signed_out" {
		t.Errorf("waiting: %s", got)
	}
	open, err := b.OpenCases(t.Context(), ProvinceWide, court)
	if err != nil {
		t.Fatal(err)
	}
	if c := open.Cases[1]; c.Mode != "phone" || c.Time.Day() != 31 || c.Event != ids[3] {
		t.Errorf("the corrected sign-in is %+v", c)
	}
}

func TestOpenCasesStayWithinTheScope(t *testing.T) {
	b := newBook(t)
	b.write([4]string{court, "shift.signed_in", caseKey(1), in})
	for _, scope := range []Scope{{Division: "220183"}, {Division: "220182", Station: centre}} {
		if _, err := b.OpenCases(t.Context(), scope, court); schemas.KindOf(err) != schemas.NotFound {
			t.Errorf("%+v: %v", scope, err)
		}
	}
	if got := b.waiting(Scope{Division: "220182", Station: court}, court); got != "1 shift.signed_out" {
		t.Errorf("the station's own: %s", got)
	}
	if _, err := b.OpenCases(t.Context(), ProvinceWide, "nowhere"); schemas.KindOf(err) != schemas.NotFound {
		t.Errorf("no station: %v", err)
	}
}

func TestEffectiveEventsAreTheOnesThatCountAsTheyCount(t *testing.T) {
	b := newBook(t)
	ids := b.write(
		[4]string{court, "shift.signed_in", caseKey(1), in},
		[4]string{court, "shift.signed_in", caseKey(2), in},
		[4]string{centre, "shift.signed_in", caseKey(3), in},
		[4]string{court, "shift.signed_out", caseKey(1), by},
	)
	b.write(
		[4]string{court, "shift.voided", caseKey(2), `{"target":"` + ids[1].String() + `","reason":"登记有误"}`},
		[4]string{centre, "shift.corrected", caseKey(3), `{"target":"` + ids[2].String() + `","reason":"登记有误","data":{"lawyer":"` + wang + `","mode":"online"}}`},
	)
	found := func(scope Scope, asked ...schemas.EventID) string {
		t.Helper()
		answer, err := b.EffectiveEvents(t.Context(), scope, asked)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range answer.Events {
			i := slices.IndexFunc(ids, func(id schemas.EventID) bool { return id.String() == e.ID })
			out = append(out, fmt.Sprint(i)+" "+string(e.Data))
		}
		return strings.Join(out, "; ")
	}
	if got, want := found(ProvinceWide, ids[0], ids[1], ids[2], uuid.New()), `0 `+in+`; 2 {"lawyer":"`+wang+`","mode":"online"}`; got != want {
		t.Errorf("found %s\nexpected %s", got, want)
	}
	if got := found(Scope{Division: "220182", Station: court}, ids[0], ids[2]); got != "0 "+in {
		t.Errorf("of one station: %s", got)
	}
	// By station and days: the corrected sign-in has moved to another day.
	b.write([4]string{court, "shift.corrected", caseKey(1), `{"target":"` + ids[0].String() + `","reason":"登记有误","time":"2026-08-20T08:00:00+08:00","data":` + in + `}`})
	of := func(station schemas.StationCode, from, to schemas.Day) int {
		t.Helper()
		answer, err := b.EffectiveEventsOf(t.Context(), ProvinceWide, schemas.Source{Station: station, Division: station.Division()}, schemas.CaseShift, from, to)
		if err != nil {
			t.Fatal(err)
		}
		return len(answer.Events)
	}
	august, september := schemas.Date(2026, time.August, 1), schemas.Date(2026, time.September, 1)
	if a, s, other := of(court, august, september-1), of(court, september, september), of(centre, september, september); a != 1 || s != 1 || other != 1 {
		t.Errorf("%d in August, expected the corrected sign-in; %d in September, expected its sign-out; %d at the other station", a, s, other)
	}
	if got := found(ProvinceWide); got != "" {
		t.Errorf("asked for none: %s", got)
	}
}
