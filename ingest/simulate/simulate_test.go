package simulate

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"zhiban/schemas"
)

var update = flag.Bool("update", false, "write the golden files anew")

func day(s string) schemas.Day {
	d, err := schemas.ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

func simulation(t testing.TB, c Config) *Simulation {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// whole is a year of the whole province.
var whole = Config{From: day("2025-01-01"), To: day("2025-12-31"), Seed: 7, Scale: 1, Stamped: true}

func TestTheSameConfigGivesTheSameBytes(t *testing.T) {
	c := Config{From: day("2026-01-28"), To: day("2026-03-03"), Seed: 42, Scale: 0.2, Stamped: true}
	var bytesOf [3]bytes.Buffer
	a, b := simulation(t, c), simulation(t, c)
	for i, s := range []*Simulation{a, a, b} {
		if _, err := WriteNDJSON(&bytesOf[i], s.Events()); err != nil {
			t.Fatal(err)
		}
		if err := s.Truth(day("2026-03-04")).Write(&bytesOf[i]); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(bytesOf[0].Bytes(), bytesOf[1].Bytes()) {
		t.Error("a second pass of the same simulation differs")
	}
	if !bytes.Equal(bytesOf[0].Bytes(), bytesOf[2].Bytes()) {
		t.Error("another simulation of the same config differs")
	}
	c.Seed++
	var other bytes.Buffer
	if _, err := WriteNDJSON(&other, simulation(t, c).Events()); err != nil {
		t.Fatal(err)
	}
	if bytes.HasPrefix(bytesOf[0].Bytes(), other.Bytes()) {
		t.Error("another seed gives the same province")
	}
}

// Every event must be one that ingest takes, lie within the range, and say
// exactly what its payload struct says.
func TestEveryEventIsValid(t *testing.T) {
	types := map[string]int{}
	for _, c := range []Config{
		{From: day("2018-03-01"), To: day("2018-04-15"), Seed: 1, Scale: 0.5},
		{From: day("2020-05-20"), To: day("2020-06-10"), Seed: 2, Scale: 0.5},
		{From: day("2026-01-01"), To: day("2026-02-28"), Seed: 3, Scale: 0.5},
		{From: day("2023-01-01"), To: day("2025-12-31"), Seed: 5, Scale: 0.1}, // little work, and all that is rare
	} {
		for e := range simulation(t, c).Events() {
			raw, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			_, ev, errs := schemas.Validate(raw)
			if len(errs) > 0 {
				t.Fatalf("%s: %v", raw, errs)
			}
			types[e.Type]++
			roster := slices.Contains([]schemas.CaseKind{schemas.CaseStation, schemas.CaseLawyer, schemas.CaseContact}, ev.Case.Kind)
			if d := schemas.DayOf(ev.Time); d > c.To || d < c.From && !roster {
				t.Fatalf("%s happens outside %s..%s", raw, c.From, c.To)
			}
			payload, err := ev.Type.Decode(e.Data)
			if err != nil {
				t.Fatal(err)
			}
			again, err := json.Marshal(payload)
			if err != nil || !bytes.Equal(again, e.Data) {
				t.Fatalf("data %s reads as %s (%v)", e.Data, again, err)
			}
		}
	}
	for _, et := range schemas.Catalogue.All() {
		if types[et.Name] == 0 && et.Case != schemas.CaseReturn { // a return freezes figures, which a simulation does not have
			t.Errorf("no %s", et.Name)
		}
	}
}

func TestTheLogIsInTheOrderOfRecording(t *testing.T) {
	c := Config{From: day("2026-01-28"), To: day("2026-03-03"), Seed: 42, Scale: 0.2, Stamped: true}
	var last string
	late, ahead, n := 0, 0, 0
	for e := range simulation(t, c).Events() {
		ev, err := e.Parse()
		if err != nil {
			t.Fatal(err)
		}
		if e.RecordedTime < last {
			t.Fatalf("recorded %s after %s", e.RecordedTime, last)
		}
		if ev.Recorded.Before(ev.Time) {
			ahead++
		}
		n++
		if ev.Recorded.Sub(ev.Time) > 24*time.Hour && ev.Time.After(c.From.Start()) {
			late++
		}
		last = e.RecordedTime
	}
	if share := float64(late) / float64(n); share < 0.01 || share > 0.10 {
		t.Errorf("%.1f %% of the events are recorded a day late or more", 100*share)
	}
	if share := float64(ahead) / float64(n); share == 0 || share > 0.001 {
		t.Errorf("%d of %d events are recorded before they happen, from clocks that are ahead", ahead, n)
	}
}

// What people and machines do to a log has to be in it, or nobody is tested.
func TestTheLogHoldsEveryKindOfTrouble(t *testing.T) {
	type place struct {
		at    int
		event schemas.Event
	}
	seen, cases := map[schemas.EventID]place{}, map[schemas.CaseID]map[string]int{}
	known := map[string]bool{}
	trouble := map[string]int{
		"exact repeat": 0, "sign-out before its sign-in": 0, "notice before its duty": 0, "void before its target": 0, "correction before its target": 0,
		"correction of a correction": 0, "void of a correction": 0, "void of a void": 0, "moved to another month": 0, "signed in twice": 0,
		"unknown station": 0, "unknown lawyer": 0, "recorded by a division": 0, "written in UTC": 0, "transfer after a day to the second": 0,
		"signed out before signing in": 0, "complaint at a court or procuratorate": 0, "person with a defender": 0, "consultation with its text": 0,
		"consultation on a shift that nobody recorded": 0, "opinion on a notification that nobody recorded": 0,
	}
	shiftsOf, about := map[string]int{}, map[string]int{} // references to shifts and to notifications
	signedIn := map[schemas.CaseID]time.Time{}
	var early []schemas.Event // corrections and voids, looked at when all is there
	n := 0
	received := map[schemas.CaseID]time.Time{}
	for e := range simulation(t, Config{From: day("2025-03-01"), To: day("2025-05-31"), Seed: 3, Scale: 1}).Events() {
		ev, err := e.Parse()
		if err != nil {
			t.Fatal(err)
		}
		n++
		if _, ok := seen[ev.ID]; ok {
			trouble["exact repeat"]++
			continue
		}
		seen[ev.ID] = place{n, ev}
		had := cases[ev.Case]
		if had == nil {
			had = map[string]int{}
			cases[ev.Case] = had
		}
		had[ev.Type.Verb]++
		if strings.HasSuffix(e.Time, "Z") {
			trouble["written in UTC"]++
		}
		switch p := ev.Payload.(type) {
		case *schemas.StationFounded:
			known[p.Code] = true
		case *schemas.LawyerEnrolled:
			known[p.Licence] = true
		case *schemas.ShiftSignedIn:
			if had["signed_in"] == 2 {
				trouble["signed in twice"]++
			}
			if had["signed_out"] > 0 {
				trouble["sign-out before its sign-in"]++
			}
			if !known[p.Lawyer] {
				trouble["unknown lawyer"]++
			}
			if !known[string(ev.Source.Station)] {
				trouble["unknown station"]++
			}
			signedIn[ev.Case] = ev.Time
		case *schemas.ShiftSignedOut:
			if in, ok := signedIn[ev.Case]; ok && ev.Time.Before(in) {
				trouble["signed out before signing in"]++
			}
		case *schemas.ConsultationRecorded:
			shiftsOf[p.Shift]++
			if p.HasDefender != nil && *p.HasDefender {
				trouble["person with a defender"]++
			}
			if p.Question != "" && p.Answer != "" {
				trouble["consultation with its text"]++
			}
		case *schemas.ComplaintLodged:
			if ev.Source.Station.Kind() != schemas.DetentionCentre {
				trouble["complaint at a court or procuratorate"]++
			}
		case *schemas.SupervisionIssued:
			if p.Notification != "" {
				about[p.Notification]++
			}
		case *schemas.NotificationTriggered:
			if had["given"] > 0 {
				trouble["notice before its duty"]++
			}
			if ev.Source.Station == "" {
				trouble["recorded by a division"]++
			}
		case *schemas.ApplicationReceived:
			received[ev.Case] = ev.Time
		case *schemas.ApplicationTransferred:
			if ev.Time.Sub(received[ev.Case]) == 24*time.Hour {
				trouble["transfer after a day to the second"]++
			}
		case *schemas.Corrected, *schemas.Voided:
			early = append(early, ev)
		}
	}
	for _, ev := range early {
		switch p := ev.Payload.(type) {
		case *schemas.Corrected:
			target := seen[uuid.MustParse(p.Target)]
			if target.at > seen[ev.ID].at {
				trouble["correction before its target"]++
			}
			if target.event.Type.Verb == "corrected" {
				trouble["correction of a correction"]++
			}
			if to, err := time.Parse(time.RFC3339, p.Time); err == nil && schemas.DayOf(to).Month() != schemas.DayOf(target.event.Time).Month() {
				trouble["moved to another month"]++
			}
		case *schemas.Voided:
			target := seen[uuid.MustParse(p.Target)]
			if target.at > seen[ev.ID].at {
				trouble["void before its target"]++
			}
			switch target.event.Type.Verb {
			case "corrected":
				trouble["void of a correction"]++
			case "voided":
				trouble["void of a void"]++
			}
		}
	}
	for id, n := range shiftsOf {
		if cases[schemas.CaseID{Kind: schemas.CaseShift, Key: id}] == nil {
			trouble["consultation on a shift that nobody recorded"] += n
		}
	}
	for id, n := range about {
		if cases[schemas.CaseID{Kind: schemas.CaseNotification, Key: id}] == nil {
			trouble["opinion on a notification that nobody recorded"] += n
		}
	}
	t.Log(trouble)
	for what, n := range trouble {
		if n == 0 {
			t.Errorf("no %s", what)
		}
	}
}

// The truth is counted without looking at the events; this looks at nothing
// else.
func TestTheTruthIsWhatTheEventsAmountTo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := Config{
			From:  day("2018-03-01") + schemas.Day(rapid.IntRange(0, 3200).Draw(rt, "from")),
			Seed:  rapid.Uint64().Draw(rt, "seed"),
			Scale: rapid.Float64Range(0.05, 2).Draw(rt, "scale"),

			Stamped: rapid.Bool().Draw(rt, "stamped"),
		}
		c.To = c.From + schemas.Day(rapid.IntRange(0, 45).Draw(rt, "days"))
		for _, d := range schemas.Divisions.All() {
			if d.Valid(c.From) && d.Kind != devZone && d.Level == schemas.LevelPrefecture && rapid.Uint8().Draw(rt, "only") < 40 {
				c.Division = d.Code
			}
		}
		if c.Division == "" {
			c.Scale /= 10
		}
		compare(rt, t, c, c.To+schemas.Day(rapid.IntRange(0, 5).Draw(rt, "today")))
	})
}

// 公主岭 moved in the middle of the range; the law began to ask for 24 hours.
func TestTheTruthAcrossTheDaysOfChange(t *testing.T) {
	for _, c := range []Config{
		{From: day("2020-05-01"), To: day("2020-07-10"), Seed: 5, Scale: 1, Division: "220381", Stamped: true},
		{From: day("2020-05-01"), To: day("2020-07-10"), Seed: 5, Scale: 0.3},
		{From: day("2021-12-01"), To: day("2022-01-31"), Seed: 5, Scale: 0.3},
	} {
		compare(t, t, c, c.To+1)
	}
}

func compare(r rapid.TB, t *testing.T, c Config, today schemas.Day) {
	s := simulation(t, c)
	want := recount(t, c, today, s.Events())
	if diff := cmp.Diff(bare(want), bare(s.Truth(today))); diff != "" {
		r.Fatalf("%+v: the events amount to (-), the truth says (+)\n%s", c, diff)
	}
}

func Test公主岭ReportsToItsPrefectureOfTheDay(t *testing.T) {
	s := simulation(t, Config{From: day("2020-05-01"), To: day("2020-06-30"), Seed: 5, Scale: 1})
	for e := range s.Events() {
		if strings.Contains(e.Source, "220184") {
			t.Fatalf("%s: founded under 220381, a station keeps its code", e.Source)
		}
	}
	truth := s.Truth(day("2020-07-01"))
	may, june := schemas.Date(2020, 5, 1).Month(), schemas.Date(2020, 6, 1).Month()
	for _, code := range []schemas.IndicatorCode{schemas.Shifts, schemas.Stations, schemas.Lawyers} {
		if truth.Lookup(may, "220381", code) == 0 || truth.Lookup(may, "220184", code) != 0 {
			t.Errorf("%s in May not under 220381", code)
		}
		if truth.Lookup(june, "220381", code) != 0 || truth.Lookup(june, "220184", code) == 0 {
			t.Errorf("%s in June not under 220184", code)
		}
	}
	for e := range simulation(t, Config{From: day("2026-05-01"), To: day("2026-05-05"), Seed: 5, Scale: 1}).Events() {
		if strings.Contains(e.Source, "220381") {
			t.Fatalf("%s is no division any more", e.Source)
		}
	}
}

func TestAYearOfTheProvinceIsPlausible(t *testing.T) {
	s := simulation(t, whole)
	var peak uint64
	n := 0
	before := heap()
	for range s.Events() {
		if n++; n%100_000 == 0 {
			peak = max(peak, heap()-min(before, heap()))
		}
	}
	truth := s.Truth(whole.To + 1)
	v := func(code schemas.IndicatorCode) float64 { return float64(truth.Total[code]) }
	t.Logf("%d events, %d records, %d MiB held: %v", truth.Events, truth.LogRecords, peak>>20, truth.Total)
	for _, band := range []struct {
		what      string
		value     float64
		low, high float64
	}{
		{"events", float64(truth.Events), 430_000, 600_000},
		{"records repeated", float64(truth.LogRecords-truth.Events) / float64(truth.Events), 0.001, 0.004},
		{"MiB held", float64(peak >> 20), 0, 100},
		{"stations", v(schemas.Stations), 180, 200},
		{"lawyers", v(schemas.Lawyers), 1300, 1600},
		{"hours a shift", v(schemas.DutyMinutes) / 60 / v(schemas.Shifts), 5.5, 8},
		{"shifts open", v(schemas.ShiftsOpen) / v(schemas.Shifts), 0.005, 0.03},
		{"consultations a shift", v(schemas.Consultations) / v(schemas.Shifts), 1.4, 2.6},
		{"consultations a person", v(schemas.Consultations) / v(schemas.PersonsConsulted), 1.15, 1.6},
		{"guided", v(schemas.ConsultationsGuided) / v(schemas.Consultations), 0.15, 0.3},
		{"unsigned", v(schemas.ConsultationsUnsigned) / v(schemas.Consultations), 0.02, 0.06},
		{"entered late", v(schemas.ConsultationsLateEntry) / v(schemas.Consultations), 0.02, 0.08},
		{"transferred", v(schemas.ApplicationsTransferred) / v(schemas.ApplicationsReceived), 0.95, 0.995},
		{"in 24 h", v(schemas.TransferMet24h) / v(schemas.TransferDue24h), 0.88, 0.96},
		{"on time", v(schemas.NotificationsOnTime) / v(schemas.NotificationsDue), 0.88, 0.95},
		{"late", v(schemas.NotificationsLate) / v(schemas.NotificationsDue), 0.03, 0.07},
		{"unevidenced", v(schemas.NotificationsUnevid) / v(schemas.NotificationsDue), 0.01, 0.04},
		{"overdue", v(schemas.NotificationsOverdue) / v(schemas.NotificationsDue), 0.005, 0.03},
		{"planned", v(schemas.ShiftsPlanned) / v(schemas.Shifts), 0.8, 0.95},
		{"no-shows", v(schemas.NoShows) / v(schemas.ShiftsPlanned), 0.01, 0.04},
		{"accepted", v(schemas.ApplicationsAccepted) / v(schemas.ApplicationsReceived), 0.7, 0.9},
		{"conflicts", v(schemas.AssignmentConflicts), 5, 100},
		{"plea help", v(schemas.PleaAssistance), 5_000, 20_000},
		{"opinions adopted", v(schemas.OpinionsAdopted) / v(schemas.Opinions), 0.2, 0.45},
		{"complaints", v(schemas.Complaints), 50, 400},
		{"outside the duties", v(schemas.OutsideDuties) / v(schemas.Complaints), 0.1, 0.6},
		{"with a defender", v(schemas.WithDefender) / v(schemas.Consultations), 0.01, 0.03},
		{"requests dispatched", v(schemas.HelpRequestsDispatched) / v(schemas.HelpRequests), 0.9, 0.99},
		{"corrections of failed notices", v(schemas.CorrectionsIssued) / (v(schemas.NotificationsDue) - v(schemas.NotificationsOnTime)), 0.1, 0.3},
		{"corrections answered", v(schemas.CorrectionsAnswered) / v(schemas.CorrectionsIssued), 0.7, 0.95},
		{"subsidies paid", v(schemas.SubsidiesPaid) / v(schemas.SubsidiesDue), 0.8, 1},
		{"subsidies late", v(schemas.SubsidiesLate) / v(schemas.SubsidiesPayable), 0.04, 0.15},
		{"helped of those consulted", v(schemas.PersonsHelped) / v(schemas.PersonsConsulted), 1, 1.01},
		{"yuan a shift", v(schemas.SubsidiesDue) / 100 / v(schemas.Shifts), 150, 300},
		{"hours of training a lawyer", v(schemas.TrainingHours) / v(schemas.Lawyers), 5, 15},
		{"score", v(schemas.FeedbackScore) / v(schemas.FeedbackCount), 4.2, 4.7},
		{"inspections passed", v(schemas.InspectionsMet) / v(schemas.Inspections), 0.7, 0.9},
		{"matters open", v(schemas.MattersOpen) / v(schemas.MattersReported), 0.05, 0.35},
	} {
		if band.value < band.low || band.value > band.high {
			t.Errorf("%s: %.3f is not between %g and %g", band.what, band.value, band.low, band.high)
		}
	}
	// 长春 does most; every county does something every month.
	for _, d := range schemas.Divisions.Children(schemas.Province, whole.From, whole.To) {
		if d.Code != "220100" && truth.Lookup(0, d.Code, schemas.Consultations) >= truth.Lookup(0, "220100", schemas.Consultations) {
			t.Errorf("%s is busier than 长春", d.Name)
		}
		for _, county := range schemas.Divisions.Children(d.Code, whole.From, whole.To) {
			for m := whole.From.Month(); m <= whole.To.Month(); m++ {
				if county.Kind == "gbt2260" && truth.Lookup(m, county.Code, schemas.Shifts) == 0 {
					t.Errorf("%s: no shifts in %s", county.Name, m)
				}
			}
		}
	}
	late := truth.LateOrgan
	known := func(code schemas.IndicatorCode) float64 { return float64(truth.Lookup(0, late.Division, code)) }
	if share := known(schemas.NotificationsLate) / known(schemas.NotificationsDue); share < 0.08 {
		t.Errorf("%s notifies %.0f %% late, not more than others", late.Division, 100*share)
	}
	// Persons come back, also elsewhere: they never add up.
	var sum int64
	for _, d := range schemas.Divisions.Children(schemas.Province, whole.From, whole.To) {
		sum += truth.Lookup(0, d.Code, schemas.PersonsConsulted)
	}
	if all := truth.Lookup(0, schemas.Province, schemas.PersonsConsulted); sum < all || truth.Lookup(0, "220100", schemas.PersonsConsulted) >= truth.Lookup(0, "220100", schemas.Consultations) {
		t.Errorf("persons: %d in the prefectures, %d in the province", sum, all)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestWorkGrowsByTheYear(t *testing.T) {
	var shifts [2]int64
	for i, from := range []schemas.Day{day("2024-03-01"), day("2025-03-01")} {
		s := simulation(t, Config{From: from, To: from + 90, Seed: 9, Scale: 1})
		for range s.Events() {
		}
		shifts[i] = s.Truth(from).Total[schemas.Consultations]
	}
	if growth := float64(shifts[1]) / float64(shifts[0]); growth < 1.02 || growth > 1.16 {
		t.Errorf("consultations grew by %.1f %%", 100*(growth-1))
	}
}

func TestDemo(t *testing.T) {
	for _, today := range []schemas.Day{day("2026-01-01"), day("2026-11-24")} {
		c := Demo(today)
		s := simulation(t, c)
		n := 0
		for range s.Events() {
			n++
		}
		if n < 150_000 || n > 250_000 || c.To != today-1 {
			t.Errorf("on %s the demo has %d events up to %s", today, n, c.To)
		}
	}
}

func TestWrongConfigsAreRefused(t *testing.T) {
	for _, c := range []Config{
		{},
		{From: day("2026-02-01"), To: day("2026-01-01"), Scale: 1},
		{From: day("2026-01-01"), To: day("2026-02-01")},
		{From: day("2026-01-01"), To: day("2026-02-01"), Scale: 1, Division: "990000"},
		{From: day("2026-01-01"), To: day("2026-02-01"), Scale: 1, Division: "220381"},
		{From: day("2026-01-01"), To: day("2026-02-01"), Scale: 1, Division: "220171"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

// A fortnight of one small county, to be read.
func TestGolden(t *testing.T) {
	s := simulation(t, Config{From: day("2026-02-09"), To: day("2026-02-28"), Seed: 1, Scale: 1, Division: "222424"})
	var events, truth bytes.Buffer
	if _, err := WriteNDJSON(&events, s.Events()); err != nil {
		t.Fatal(err)
	}
	if err := s.Truth(day("2026-03-01")).Write(&truth); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]*bytes.Buffer{"wangqing.ndjson": &events, "wangqing-truth.json": &truth} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got; -update writes it anew):\n%s", file, diff)
		}
	}
	read, err := ReadTruth(&truth)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Truth(day("2026-03-01")), read); diff != "" {
		t.Errorf("the truth reads back as another (-want +got):\n%s", diff)
	}
}

func BenchmarkEvents(b *testing.B) {
	c := whole
	c.To = c.From + 60
	n := 0
	for b.Loop() {
		for range simulation(b, c).Events() {
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkNDJSON(b *testing.B) {
	c := whole
	c.To = c.From + 60
	n := 0
	for b.Loop() {
		var sink bytes.Buffer
		k, err := WriteNDJSON(&sink, simulation(b, c).Events())
		if err != nil {
			b.Fatal(err)
		}
		n += k
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkTruth(b *testing.B) {
	s := simulation(b, whole)
	for range s.Events() {
	}
	for b.Loop() {
		s.Truth(whole.To + 1)
	}
}
