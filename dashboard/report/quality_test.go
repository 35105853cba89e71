package report

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zhiban/ingest/simulate"
	"zhiban/projector/posting"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// project writes a log into the tables, each event with the postings that its
// case amounts to with it, less those without.
func (b *book) project(log []schemas.Envelope) {
	b.t.Helper()
	ctx := b.t.Context()
	tables, err := warehouse.Current(ctx, b.conn)
	if err != nil {
		b.t.Fatal(err)
	}
	events, err := b.conn.PrepareBatch(ctx, "INSERT INTO "+tables.Events()+" (kafka_partition, kafka_offset, epoch, id_start, id_rest, type, case_kind, case_key, source, time, recorded, data, recorded_by)")
	if err != nil {
		b.t.Fatal(err)
	}
	postings, err := b.conn.PrepareBatch(ctx, "INSERT INTO "+tables.Postings()+" (kafka_partition, kafka_offset, epoch, recorded, indicator, day, source, lawyer, mode, channel, person_role, organ, person, due, quantity)")
	if err != nil {
		b.t.Fatal(err)
	}
	offsets, cases := map[uint16]uint64{}, map[schemas.File][]schemas.Event{}
	for _, env := range log {
		e, err := env.Parse()
		if err != nil {
			b.t.Fatal(err)
		}
		h := fnv.New32()
		h.Write([]byte(e.Source.Key()))
		p := uint16(h.Sum32() % 3)
		start, rest := warehouse.SplitID(e.ID, e.Time)
		if err := events.Append(p, offsets[p], uint32(1), start, rest, e.Type.Name, string(e.Case.Kind), e.Case.Key, e.Source.Key(), e.Time, e.Recorded, string(e.Data), "test"); err != nil {
			b.t.Fatal(err)
		}
		change := map[posting.Entry]int64{}
		for _, x := range posting.Post(cases[e.File()]) {
			change[x.Entry] -= x.Quantity
		}
		cases[e.File()] = append(cases[e.File()], e)
		for _, x := range posting.Post(cases[e.File()]) {
			change[x.Entry] += x.Quantity
		}
		for x, n := range change {
			if n == 0 {
				continue
			}
			if err := postings.Append(p, offsets[p], uint32(1), schemas.Date(schemas.DayOf(e.Recorded).Year(), time.January, 1).Start(), string(x.Indicator), x.Day.Start(), x.Source, uint64(x.Lawyer), x.Mode, x.Channel, x.PersonRole, x.Organ, uint64(x.Person), x.Due.Start(), n); err != nil {
				b.t.Fatal(err)
			}
		}
		offsets[p]++
	}
	if err := events.Send(); err != nil {
		b.t.Fatal(err)
	}
	if err := postings.Send(); err != nil {
		b.t.Fatal(err)
	}
	for p, next := range offsets {
		err := b.conn.Exec(ctx, "INSERT INTO "+tables.Batches()+" (kafka_partition, first_offset, last_offset, epoch, events, digest, recorded) VALUES (?, 0, ?, 1, ?, '', now64(3))", p, next-1, uint32(next))
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// september is what a test asks about.
var september = Query{Division: schemas.Province, From: schemas.Date(2026, time.September, 1), To: schemas.Date(2026, time.September, 30)}

// counts are the findings that there are, without those that figures count.
func (q Quality) counts() map[FindingCode]int64 {
	out := map[FindingCode]int64{}
	for _, f := range q.Findings {
		if f.Indicator == "" && f.Count > 0 {
			out[f.Code] = f.Count
		}
	}
	return out
}

func (b *book) quality(scope Scope, q Query, list FindingCode, offset, limit int) Quality {
	b.t.Helper()
	found, err := b.Quality(b.t.Context(), scope, q, list, offset, limit)
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

// broken is a log with faults of every kind, at a station in each of two
// prefectures and at an office, in the order of recording. Cases are numbered.
func broken(t testing.TB) []schemas.Envelope {
	const here, there, office = "/stations/" + court, "/stations/220281-court", "/divisions/220182"
	var log []schemas.Envelope
	at := func(source string, c int, l line) string {
		id := eventID(len(log) + 1)
		key := caseKey(c)
		if l.typ == "station.founded" {
			key = court
		}
		log = append(log, l.envelope(t, source, key, id))
		return `{"target":"` + id.String() + `","reason":"登记有误"}`
	}
	consulted := func(shift int) string {
		return `{"lawyer":"` + wang + `","channel":"visit","person":"p-1","person_role":"suspect","shift": "` + caseKey(shift) + `"}`
	}
	at(here, 0, line{"station.founded", `{"code":"` + court + `","kind":"court","name":"榆树市法律援助中心驻人民法院值班律师工作站","location":"220182","reporting":"220182"}`, "-20000h", "1h"})
	at(here, 1, line{"shift.signed_in", in, "8h", "8h"})
	at(here, 1, line{"shift.signed_out", by, "7h", "16h"}) // before its sign-in
	at(here, 2, line{"shift.voided", at(here, 2, line{"shift.signed_in", in, "8h", "100h"}), "101h", "101h"})
	at(there, 3, line{"shift.signed_in", in, "8h", "60h"})   // late
	at(there, 4, line{"shift.signed_in", in, "800h", "40h"}) // said to be in October
	put := at(there, 5, line{"shift.signed_in", in, "8h", "8h"})
	at(there, 5, line{"shift.corrected", put[:len(put)-1] + `,"data":` + in + `,"time":"2026-09-02T08:00:00+08:00"}`, "90h", "90h"}) // ahead only since
	at(there, 6, line{"consultation.signed", by, "9h", "9h"})                                                                        // of nothing
	at(there, 7, line{"consultation.recorded", consulted(99), "9h", "9h"})                                                           // in no shift
	at(here, 7+1, line{"consultation.recorded", consulted(1), "9h", "9h"})
	at(there, 9, line{"subsidy.accrued", `{"lawyer":"` + wang + `","fen":20000,"shift":"` + caseKey(99) + `"}`, "9h", "9h"})               // for no shift
	at(office, 10, line{"supervision.issued", `{"organ":"court","kind":"not_notified","notification":"` + caseKey(99) + `"}`, "9h", "9h"}) // about no notification
	at(office, 10, line{"supervision.voided", `{"target":"` + eventID(900).String() + `","reason":"登记有误"}`, "10h", "10h"})                 // of nothing
	at(there, 11, line{"shift.signed_in", in, "-100h", "9h"})                                                                              // late, in August
	log = append(log, log[1])                                                                                                              // again, as it came
	log[len(log)-1].RecordedTime = moment(t, "200h").Format(time.RFC3339Nano)
	slices.SortStableFunc(log, func(a, b schemas.Envelope) int { return recorded(a).Compare(recorded(b)) })
	return log
}

func recorded(e schemas.Envelope) time.Time {
	at, _ := time.Parse(time.RFC3339, e.RecordedTime)
	return at
}

func TestEveryKindOfFaultIsFoundOnce(t *testing.T) {
	b := newBook(t)
	b.project(broken(t))
	all := map[FindingCode]int64{LateEntry: 1, AheadOfRecording: 2, OutOfOrder: 1, WithoutFirst: 1, UnknownReference: 3, UnknownTarget: 1, Repeated: 1,
		UnregisteredStations: 1, UnregisteredLawyers: 1}
	q := b.quality(ProvinceWide, september, "", 0, 0)
	if diff := cmp.Diff(all, q.counts()); diff != "" {
		t.Errorf("the province (-expected +found):\n%s", diff)
	}
	if q.List != nil || q.Cut.IsZero() || !q.Recorded.Equal(moment(t, "200h")) || q.Projected.IsZero() {
		t.Errorf("%+v", q)
	}
	for _, f := range q.Findings {
		var parts int64
		for _, d := range f.Divisions {
			parts += d.Count
		}
		if parts != f.Count && f.Code != UnregisteredLawyers { // on duty in both prefectures
			t.Errorf("%s: the prefectures add up to %d of %d", f.Code, parts, f.Count)
		}
	}
	county := september
	county.Division = "220182"
	if diff := cmp.Diff(map[FindingCode]int64{OutOfOrder: 1, UnknownReference: 1, UnknownTarget: 1, Repeated: 1, UnregisteredLawyers: 1}, b.quality(ProvinceWide, county, "", 0, 0).counts()); diff != "" {
		t.Errorf("one county (-expected +found):\n%s", diff)
	}
	station := Scope{Division: "220182", Station: court}
	if diff := cmp.Diff(map[FindingCode]int64{OutOfOrder: 1, Repeated: 1, UnregisteredLawyers: 1}, b.quality(station, county, "", 0, 0).counts()); diff != "" {
		t.Errorf("one station (-expected +found):\n%s", diff)
	}
	if _, err := b.Quality(t.Context(), station, september, "", 0, 0); schemas.KindOf(err) != schemas.NotFound {
		t.Errorf("a station asks for the province: %v", err)
	}
	if _, err := b.Quality(t.Context(), ProvinceWide, september, "nonsense", 0, 0); schemas.KindOf(err) != schemas.Invalid {
		t.Errorf("a finding that there is not: %v", err)
	}
	august := september
	august.From, august.To = september.From-31, september.From-1
	if got := b.quality(ProvinceWide, august, "", 0, 0).counts()[LateEntry]; got != 1 {
		t.Errorf("%d late entries in August", got)
	}
}

func TestAFindingIsAsOfAMoment(t *testing.T) {
	b := newBook(t)
	b.project(broken(t))
	for _, c := range []struct {
		at   string
		want map[FindingCode]int64 // of three kinds
	}{
		{"30h", map[FindingCode]int64{}},
		{"50h", map[FindingCode]int64{AheadOfRecording: 1}},
		{"100h30m", map[FindingCode]int64{AheadOfRecording: 2, LateEntry: 2}}, // not voided yet
		{"150h", map[FindingCode]int64{AheadOfRecording: 2, LateEntry: 1}},
		{"300h", map[FindingCode]int64{AheadOfRecording: 2, LateEntry: 1, Repeated: 1}},
	} {
		q := september
		q.AsOf = moment(t, c.at)
		got := b.quality(ProvinceWide, q, "", 0, 0).counts()
		maps.DeleteFunc(got, func(k FindingCode, _ int64) bool { return k != AheadOfRecording && k != LateEntry && k != Repeated })
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("at %s (-expected +found):\n%s", c.at, diff)
		}
	}
}

func TestAFindingLeadsToItsEvents(t *testing.T) {
	b := newBook(t)
	b.project(broken(t))
	for code, want := range map[FindingCode]string{
		LateEntry:            "220281 zhiban.shift.signed_in.v1 60h0m0s",
		AheadOfRecording:     "220281 zhiban.shift.signed_in.v1 40h0m0s; 220281 zhiban.shift.signed_in.v1 8h0m0s",
		OutOfOrder:           "220182 zhiban.shift.signed_out.v1 16h0m0s before zhiban.shift.signed_in.v1",
		WithoutFirst:         "220281 zhiban.consultation.signed.v1 9h0m0s without zhiban.consultation.recorded.v1",
		UnknownReference:     "220281 zhiban.consultation.recorded.v1 9h0m0s shift/" + caseKey(99) + "; 220281 zhiban.subsidy.accrued.v1 9h0m0s shift/" + caseKey(99) + "; 220182 zhiban.supervision.issued.v1 9h0m0s notification/" + caseKey(99),
		UnknownTarget:        "220182 zhiban.supervision.voided.v1 10h0m0s target " + eventID(900).String(),
		Repeated:             "220182 zhiban.shift.signed_in.v1 8h0m0s 2 places",
		UnregisteredStations: "220281 zhiban.shift.corrected.v1 90h0m0s at 220281-court",
		UnregisteredLawyers:  "220182 zhiban.shift.voided.v1 101h0m0s of " + wang,
		ParkedEvents:         "",
	} {
		var got string
		for i, x := range b.quality(ProvinceWide, september, code, 0, 10).List.Items {
			if i > 0 {
				got += "; "
			}
			got += fmt.Sprint(x.Division, " ", x.Type, " ", x.Recorded.Sub(moment(t, "0h")))
			switch {
			case x.Against != nil:
				got += " before " + x.Against.Type
			case x.Missing != "":
				got += " without " + x.Missing
			case x.Reference != "":
				got += " " + x.Reference
			case x.Target != "":
				got += " target " + x.Target
			case x.Places > 0:
				got += fmt.Sprintf(" %d places", x.Places)
			case code == UnregisteredStations:
				got += " at " + string(x.Station)
			case code == UnregisteredLawyers:
				got += " of " + x.Lawyer
			}
		}
		if got != want {
			t.Errorf("%s: %s\nexpected %s", code, got, want)
		}
	}
	before := september // what is the lawyer's newest in the end, in another partition
	before.AsOf = moment(t, "95h")
	if items := b.quality(ProvinceWide, before, UnregisteredLawyers, 0, 10).List.Items; len(items) != 1 || !items[0].Recorded.Equal(moment(t, "90h")) {
		t.Errorf("the newest at 95h: %+v", items)
	}
	registered := september
	registered.Division = "220182"
	if items := b.quality(ProvinceWide, registered, UnregisteredStations, 0, 10).List.Items; len(items) != 0 {
		t.Errorf("unregistered in a county whose stations are registered: %+v", items)
	}
}

// firsts are the steps that others come after.
var firsts = map[string]string{
	"shift.signed_out": "shift.signed_in", "consultation.signed": "consultation.recorded", "notification.given": "notification.triggered",
	"application.registered": "application.received", "application.reviewed": "application.received", "application.transferred": "application.received",
	"application.decided": "application.received", "application.assigned": "application.received", "help_request.dispatched": "help_request.received",
	"supervision.answered": "supervision.issued", "supervision.closed": "supervision.issued", "subsidy.paid": "subsidy.accrued",
	"complaint.closed": "complaint.lodged", "conduct.decided": "conduct.reported", "matter.resolved": "matter.reported",
}

// recount finds by hand, from the whole log, what the engine finds through
// queries: it looks at every case, and at no table.
func recount(t testing.TB, log []schemas.Envelope, q Query) map[FindingCode]int64 {
	counts := map[FindingCode]int64{}
	add := func(code FindingCode, at time.Time) {
		if day := schemas.DayOf(at); day >= q.From && day <= q.To {
			counts[code]++
		}
	}
	places, first := map[schemas.EventID]int{}, map[schemas.EventID]time.Time{}
	cases := map[schemas.File][]schemas.Event{}
	for _, env := range log {
		e, err := env.Parse()
		if err != nil {
			t.Fatal(err)
		}
		cases[e.File()] = append(cases[e.File()], e)
		cases[e.File()] = append(cases[e.File()], e)
		if places[e.ID]++; places[e.ID] == 1 {
			first[e.ID] = e.Time
		}
	}
	for id, n := range places {
		if n > 1 {
			add(Repeated, first[id])
		}
	}
	name := func(e schemas.Event) string { return string(e.Case.Kind) + "." + e.Type.Verb }
	there := map[schemas.CaseID]bool{}
	for of := range cases {
		there[of.Case] = true
	}
	for of, history := range cases {
		id, effective := of.Case, schemas.Effective(history)
		begun := map[string]time.Time{}
		for _, e := range slices.Backward(effective) {
			begun[name(e)] = e.Time
		}
		for _, e := range effective {
			register := id.Kind == schemas.CaseStation || id.Kind == schemas.CaseLawyer || id.Kind == schemas.CaseContact
			if !register && name(e) != "shift.planned" && e.Recorded.After(e.Time.Add(24*time.Hour)) {
				add(LateEntry, e.Time)
			}
			if e.Time.After(e.Recorded.Add(10 * time.Minute)) {
				add(AheadOfRecording, e.Recorded)
			}
			if before := firsts[name(e)]; before != "" {
				switch at, ok := begun[before]; {
				case !ok:
					add(WithoutFirst, e.Time)
				case e.Time.Before(at):
					add(OutOfOrder, at)
				}
			}
			var refers struct{ Shift, Notification string }
			if err := json.Unmarshal(e.Data, &refers); err != nil {
				t.Fatal(err)
			}
			if refers.Shift != "" && !there[schemas.CaseID{Kind: "shift", Key: refers.Shift}] ||
				refers.Notification != "" && !there[schemas.CaseID{Kind: "notification", Key: refers.Notification}] {
				add(UnknownReference, e.Time)
			}
		}
	}
	return counts
}

// careless makes mistakes in what a simulation records: it sends twice, forgets,
// and writes wrong times.
func careless(events iter.Seq[schemas.Envelope]) []schemas.Envelope {
	var log []schemas.Envelope
	n := map[string]int{}
	for e := range events {
		n["all"]++
		n[e.Type]++
		switch {
		case e.Type == "zhiban.shift.signed_in.v1" && n[e.Type]%20 == 0:
			continue
		case e.Type == "zhiban.shift.signed_out.v1" && n[e.Type]%21 == 0:
			e.Time = recorded(e).Add(-20 * time.Hour).Format(time.RFC3339Nano)
		case n["all"]%97 == 0:
			log = append(log, e)
		case n["all"]%103 == 0:
			e.Time = recorded(e).Add(11 * time.Minute).Format(time.RFC3339Nano)
		}
		log = append(log, e)
	}
	return log
}

func TestFindingsOfASimulatedSeasonAreThoseCountedByHand(t *testing.T) {
	b := newBook(t)
	season := Query{Division: "222400", From: schemas.Date(2026, time.June, 10), To: schemas.Date(2026, time.July, 20)}
	sim, err := simulate.New(simulate.Config{From: schemas.Date(2026, time.June, 1), To: schemas.Date(2026, time.July, 31), Seed: 7, Scale: 0.5, Division: season.Division, Stamped: true})
	if err != nil {
		t.Fatal(err)
	}
	log := careless(sim.Events())
	b.project(log)
	want := recount(t, log, season)
	got := b.quality(ProvinceWide, season, "", 0, 0).counts()
	for _, code := range []FindingCode{LateEntry, AheadOfRecording, OutOfOrder, WithoutFirst, UnknownReference, Repeated} {
		if got[code] != want[code] || want[code] == 0 {
			t.Errorf("%s: %d, by hand %d", code, got[code], want[code])
		}
	}

	seen := map[schemas.EventID]bool{}
	last := moment(t, "9000h")
	for offset := 0; ; {
		page := b.quality(ProvinceWide, season, LateEntry, offset, int(want[LateEntry]+2)/3).List
		for _, x := range page.Items {
			if seen[x.Event] || x.Recorded.After(last) || x.Recorded.Sub(x.Time) <= schemas.LateEntryAfter {
				t.Errorf("at %d: %+v after %s", offset, x, last)
			}
			seen[x.Event], last = true, x.Recorded
		}
		if offset = page.Next; offset == 0 {
			break
		}
	}
	if int64(len(seen)) != want[LateEntry] {
		t.Errorf("the pages list %d late entries of %d", len(seen), want[LateEntry])
	}

	var sum int64
	all := b.quality(ProvinceWide, season, "", 0, 0)
	for _, county := range schemas.Divisions.Children(season.Division, season.From, season.To) {
		q := season
		q.Division = county.Code
		part := b.quality(ProvinceWide, q, "", 0, 0)
		for i, f := range part.Findings {
			if of := all.Findings[i].Of(county.Code); of != f.Count && f.Code != ParkedEvents {
				t.Errorf("%s: %s has %d, its prefecture says %d", f.Code, county.Name, f.Count, of)
			}
			sum += f.Count
		}
	}
	if sum == 0 {
		t.Error("no county has any")
	}
}

func TestNobodyIsRepeatedForAFigure(t *testing.T) {
	b := newBook(t)
	b.project(broken(t))
	q := september
	q.By, q.Indicators = []Dimension{ByDivision}, []schemas.IndicatorCode{schemas.ShiftsOpen, schemas.ConsultationsUnsigned}
	st, err := b.Statistics(t.Context(), ProvinceWide, q)
	if err != nil {
		t.Fatal(err)
	}
	found := b.quality(ProvinceWide, september, "", 0, 0)
	for _, code := range q.Indicators {
		i := slices.IndexFunc(found.Findings, func(f Finding) bool { return f.Indicator == code })
		for _, row := range st.Rows {
			if got := found.Findings[i].Of(schemas.DivisionCode(row.Key[0])); float64(got) != st.Value(row, code) || got == 0 {
				t.Errorf("%s of %s: %d, the figure is %v", code, row.Key[0], got, st.Value(row, code))
			}
		}
	}
}

// BenchmarkQualityOfAProvinceYear is to stay under a second.
func BenchmarkQualityOfAProvinceYear(b *testing.B) {
	book := newBook(b)
	year := Query{Division: schemas.Province, From: schemas.Date(2025, time.January, 1), To: schemas.Date(2025, time.December, 31)}
	sim, err := simulate.New(simulate.Config{From: year.From, To: year.To, Seed: 1, Scale: 0.45, Stamped: true})
	if err != nil {
		b.Fatal(err)
	}
	log := slices.Collect(sim.Events())
	book.project(log)
	for b.Loop() {
		book.quality(ProvinceWide, year, LateEntry, 0, 100)
	}
	b.ReportMetric(float64(len(log)), "events")
}
