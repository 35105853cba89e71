package report

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// months is a log of work and of returns, in the making.
type months struct {
	t   *testing.T
	log []schemas.Envelope
}

// did records something done at a station at an hour of 2026-09-01; recorded when
// it happened.
func (m *months) did(station string, c int, typ, data, at string) {
	m.t.Helper()
	m.log = append(m.log, line{typ, data, at, at}.envelope(m.t, "/stations/"+station, caseKey(c), eventID(len(m.log)+1)))
}

// step records a step of a return at 9 o'clock of a day.
func (m *months) step(division, verb, day string, payload any) {
	m.t.Helper()
	data, err := json.Marshal(payload)
	if err != nil {
		m.t.Fatal(err)
	}
	at := morning(day).Format(schemas.WireTime)
	m.log = append(m.log, schemas.Envelope{SpecVersion: "1.0", ID: eventID(len(m.log) + 1).String(), Source: "/divisions/" + division, Type: "zhiban.return." + verb + ".v1",
		Subject: "return/" + division + "-2026-09", Time: at, RecordedTime: at, Data: data})
}

// on is a warehouse that holds the log so far, on a morning.
func (m *months) on(day string) *book {
	m.t.Helper()
	b := newBook(m.t)
	b.project(m.log)
	b.Clock = func() time.Time { return morning(day) }
	return b
}

func (b *book) returned(division schemas.DivisionCode, cut map[int]int64) MonthlyReturn {
	b.t.Helper()
	r, err := b.MonthlyReturn(b.t.Context(), ProvinceWide, division, september.From.Month(), cut)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// submit freezes divisions' months as they stand on a day.
func (m *months) submit(day string, divisions ...schemas.DivisionCode) {
	m.t.Helper()
	b := m.on(day)
	for _, d := range divisions {
		m.step(string(d), "submitted", day, Freeze(b.returned(d, nil), "李敏", nil, []byte("PK00")))
	}
}

// codesOfBlockers lists what stands in the way, with its count.
func codesOfBlockers(blockers []Blocker) []string {
	out := []string{}
	for _, b := range blockers {
		out = append(out, fmt.Sprintf("%s %d", b.Code, b.Count))
	}
	return out
}

var accepted = schemas.ReturnAccepted{Signer: "赵国华"}

const consultation = `{"lawyer":"` + wang + `","channel":"visit","person":"p-1","person_role":"suspect"}`

func TestTheCloseOfAMonthFollowsItsReturns(t *testing.T) {
	m := &months{t: t}
	m.did(court, 1, "consultation.recorded", consultation, "9h")
	for _, c := range []struct {
		what string
		do   func()
		day  string
		want ReturnRow // what is told of 榆树市
	}{
		{"nothing has come", func() {}, "2026-10-10", ReturnRow{State: schemas.ReturnOpen}},
		{"its day has passed", func() {}, "2026-10-11", ReturnRow{State: schemas.ReturnOpen, Missing: true}},
		{"it comes late", func() { m.submit("2026-10-12", "220182") }, "2026-10-12", ReturnRow{State: schemas.ReturnIsIn, Late: true, Version: 1, Filler: "李敏"}},
		{"it is sent back", func() {
			m.step("220182", "returned", "2026-10-13", schemas.ReturnReturned{Signer: "赵国华", Reason: "漏报"})
		}, "2026-10-13",
			ReturnRow{State: schemas.ReturnSentBack, Missing: true, Filler: "李敏", Reason: "漏报"}},
		{"it comes again and is accepted", func() {
			m.submit("2026-10-13", "220182")
			m.step("220182", "accepted", "2026-10-14", accepted)
		}, "2026-10-14", ReturnRow{State: schemas.ReturnClosed, Late: true, Version: 2, Filler: "李敏", Signer: "赵国华"}},
		{"a late record is amended", func() {
			m.did(court, 2, "consultation.recorded", consultation, "10h")
			r := m.on("2026-10-16").returned("220182", nil)
			m.step("220182", "amended", "2026-10-16", Amend(r, "赵国华", "补录", []byte("PK01")))
		}, "2026-10-16", ReturnRow{State: schemas.ReturnIsAmended, Late: true, Version: 3, Amendments: 1, Filler: "李敏", Signer: "赵国华"}},
	} {
		c.do()
		grid, err := m.on(c.day).Returns(t.Context(), ProvinceWide, "220100", september.From.Month())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(grid.Rows, func(r ReturnRow) bool { return r.Division == "220182" })
		got := grid.Rows[i]
		if got.ReportsTo != "220100" || got.Due.String() != "2026-10-10" || (got.Version > 0) != (got.SHA256 != "" && got.Event != "") {
			t.Errorf("%s: %+v", c.what, got)
		}
		brief := ReturnRow{State: got.State, Late: got.Late, Missing: got.Missing, Version: got.Version, Amendments: got.Amendments, Filler: got.Filler, Signer: got.Signer, Reason: got.Reason}
		if diff := cmp.Diff(c.want, brief); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
		if slices.Contains(grid.Late, "220182") != c.want.Late || slices.Contains(grid.Missing, "220182") != c.want.Missing || slices.Contains(grid.Missing, "220171") {
			t.Errorf("%s: late %v, missing %v", c.what, grid.Late, grid.Missing)
		}
		waits := slices.ContainsFunc(grid.Reminders, func(r Reminder) bool { return slices.Contains(r.Divisions, "220182") })
		if waits != (c.day == "2026-10-10") {
			t.Errorf("%s: to be reminded are %+v", c.what, grid.Reminders)
		}
	}
}

// A prefecture's clerk is told what is wrong in the books, with the returns below,
// and with what cannot be read.
func TestWhatStandsInTheWay(t *testing.T) {
	m := &months{t: t}
	m.did(court, 1, "consultation.recorded", consultation, "9h")
	m.did(court, 2, "shift.signed_in", in, "8h")
	var below []schemas.DivisionCode
	for _, id := range schemas.Returns.MadeOf(schemas.ReturnID{Division: "220100", Month: september.From.Month()}) {
		if id.Division != "220183" {
			below = append(below, id.Division)
		}
	}
	m.submit("2026-10-08", below...)
	for _, d := range below {
		m.step(string(d), "accepted", "2026-10-09", accepted)
	}
	got := func(day string) []string { return codesOfBlockers(m.on(day).returned("220100", nil).Blockers) }
	want := []string{"consultations_unsigned 1", "shifts_open 1", "children_missing 1"}
	if diff := cmp.Diff(want, got("2026-10-10")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(append([]string{"period_running 3"}, want...), got("2026-09-28")); diff != "" {
		t.Errorf("before the month was over (-want +got):\n%s", diff)
	}

	before := m.on("2026-10-10").returned("220100", nil).Live.Cut.Offsets
	m.did(court, 1, "consultation.signed", by, "30h")
	m.did(court, 2, "shift.signed_out", by, "16h")
	m.did(court, 3, "help_request.received", `{"organ":"court","person":"p-2"}`, "9h")
	m.submit("2026-10-10", "220183")
	m.step("220183", "accepted", "2026-10-11", accepted)
	b := m.on("2026-10-12")
	r := b.returned("220100", nil)
	if diff := cmp.Diff([]string{"children_changed 1"}, codesOfBlockers(r.Blockers)); diff != "" || !slices.Equal(r.Blockers[0].Divisions, []schemas.DivisionCode{"220182"}) {
		t.Errorf("%v (-want +got):\n%s", r.Blockers, diff)
	}
	// Who submits the form of a page seen before is told what was wrong in it.
	if diff := cmp.Diff(want[:2], codesOfBlockers(b.returned("220100", before).Blockers)); diff != "" {
		t.Errorf("as of the cut of before (-want +got):\n%s", diff)
	}
	if r = b.returned("220182", nil); len(r.Blockers) > 0 || len(r.Changes) == 0 {
		t.Errorf("榆树市: %v, %d changes", r.Blockers, len(r.Changes))
	}

	// Parked records of a place are in its way and that of those above it.
	tables, err := warehouse.Current(t.Context(), b.conn)
	if err != nil {
		t.Fatal(err)
	}
	for k, source := range []string{"/stations/220183-court", "/stations/220281-court", "unknown"} {
		if err := b.conn.Exec(t.Context(), "INSERT INTO "+tables.Parked()+" (kafka_partition, kafka_offset, epoch, id, type, source, subject, recorded, reason, key, value) VALUES (0, ?, 1, ?, '', ?, '', ?, '', '', '')",
			uint64(k), eventID(900+k), source, b.at); err != nil {
			t.Fatal(err)
		}
	}
	for division, want := range map[schemas.DivisionCode]int64{"220182": 0, "220183": 1, "220100": 1, "220200": 1, schemas.Province: 3} {
		var parked int64
		for _, x := range b.returned(division, nil).Blockers {
			if x.Code == ParkedInTheWay {
				parked = x.Count
			}
		}
		if parked != want {
			t.Errorf("%s: %d records are parked, want %d", division, parked, want)
		}
	}
}

func TestBlockersAreAnsweredByReasons(t *testing.T) {
	blockers := []Blocker{{Code: PeriodRunning, Final: true}, {Code: OpenShifts}, {Code: UnsignedLines}}
	open := Unanswered(blockers, []schemas.ReturnOverride{{Blocker: string(PeriodRunning), Reason: "急"}, {Blocker: string(OpenShifts), Reason: "已核实"}})
	if diff := cmp.Diff([]string{"period_running 0", "consultations_unsigned 0"}, codesOfBlockers(open)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for code := range blockerTitles {
		if title := blockerTitles[code]; title.ZH == "" || title.EN == "" {
			t.Errorf("%s has no title", code)
		}
	}
}

// A city on a line of its own is in the province's sheet and out of its
// prefecture's, figures and all; a zone without a return is in its prefecture's.
func TestFiguresFollowTheLinesOfReporting(t *testing.T) {
	dir := fstest.MapFS{}
	for _, name := range []string{"close.yaml", "2026-2.yaml"} {
		text, err := os.ReadFile("../../schemas/forms/" + name)
		if err != nil {
			t.Fatal(err)
		}
		dir[name] = &fstest.MapFile{Data: text}
	}
	dir["close.yaml"].Data = append(dir["close.yaml"].Data, "  - {division: 220581, reports_to: 220000, from: 2026-09}\n"...)
	rules, err := schemas.ReadReturnRules(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := &months{t: t}
	for k, station := range []string{"220581-court", "220582-court", "220582-court", "220171-court"} {
		m.did(station, k, "consultation.recorded", consultation, "9h")
	}
	b := m.on("2026-10-03")
	listed := func(r MonthlyReturn, division schemas.DivisionCode) float64 { // behind the cell
		q := september
		q.Division, q.Indicators, q.Elsewhere = division, []schemas.IndicatorCode{schemas.Consultations}, b.Rules.Elsewhere(r.ID.Month)
		page, err := b.Postings(t.Context(), ProvinceWide, q, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return float64(page.Sum)
	}
	shown := func(division schemas.DivisionCode) (whole float64, rows map[schemas.DivisionCode]float64) {
		r := b.returned(division, nil)
		if n := r.Live.find(t, schemas.Consultations, "").Month.Value; listed(r, division) != n || r.Live.Moved != (b.Rules != schemas.Returns) {
			t.Errorf("of %v consultations of %s %v are listed; moved: %v", n, division, listed(r, division), r.Live.Moved)
		}
		rows = map[schemas.DivisionCode]float64{}
		for _, c := range r.Live.Children {
			k := slices.IndexFunc(r.Live.ChildIndicators, func(ind schemas.Indicator) bool { return ind.Code == schemas.Consultations })
			rows[c.Division.Code] = c.Figures[k].Value
			if n := listed(r, c.Division.Code); !c.Own && n != c.Figures[k].Value {
				t.Errorf("in the sheet of %s, %s has %v; %v are listed", division, c.Division.Code, c.Figures[k].Value, n)
			}
		}
		return r.Live.find(t, schemas.Consultations, "").Month.Value, rows
	}
	for _, c := range []struct {
		rules                             *schemas.ReturnRules
		tonghua, changchun, sheet, missed float64
		own                               bool
	}{{schemas.Returns, 3, 1, 3, 0, false}, {rules, 2, 1, 2, 1, true}} {
		b.Rules = c.rules
		whole, rows := shown(schemas.Province)
		city, own := rows["220581"]
		if whole != 4 || rows["220500"] != c.sheet || rows["220100"] != c.changchun || own != c.own || city != c.missed {
			t.Errorf("the province has %v, its sheet %v", whole, rows)
		}
		if whole, rows = shown("220500"); whole != c.tonghua || rows["220582"] != 2 {
			t.Errorf("通化 has %v, its sheet %v", whole, rows)
		} else if _, in := rows["220581"]; in == c.own {
			t.Errorf("通化's sheet is %v", rows)
		}
		if whole, rows = shown("220100"); whole != c.changchun || rows["220171"] != 1 {
			t.Errorf("长春 has %v, its sheet %v", whole, rows)
		}
		if up := b.returned("220581", nil).ReportsTo; (up == schemas.Province) != c.own {
			t.Errorf("梅河口 reports to %s", up)
		}
	}
	if _, err := b.MonthlyReturn(t.Context(), ProvinceWide, "220171", september.From.Month(), nil); schemas.KindOf(err) != schemas.NotFound || !strings.Contains(err.Error(), "长春市") {
		t.Errorf("a zone's return: %v", err)
	}
}

// The split that is added up from all of them at once is the one asked for alone.
func TestSplitsOfAFormAddUp(t *testing.T) {
	m := &months{t: t}
	for k, c := range []string{`"visit","person":"p-1","person_role":"suspect"`, `"visit","person":"p-2","person_role":"relative"`, `"phone","person":"p-1","person_role":"suspect"`, `"in_custody","person":"p-3","person_role":"defendant"`} {
		m.did([]string{court, centre}[k%2], k, "consultation.recorded", `{"lawyer":"`+wang+`","channel":`+c+`}`, "9h")
	}
	b := m.on("2026-10-03")
	q := september
	q.Indicators = []schemas.IndicatorCode{schemas.Consultations, schemas.ConsultationsUnsigned}
	ask := func(by ...Dimension) Statistics {
		q.By = by
		s, err := b.Statistics(t.Context(), ProvinceWide, q)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	joint := ask(ByChannel, ByPersonRole, ByStationKind)
	for _, by := range joint.Query.By {
		for _, row := range ask(by).Rows {
			got, ok := joint.over(by).Find(row.Key...)
			if diff := cmp.Diff(row, got); diff != "" || !ok {
				t.Errorf("%s %s (-want +got):\n%s", by, row.Key, diff)
			}
		}
	}
	form := b.returned("220182", nil).Live
	for part, want := range map[string]float64{"来访": 2, "来电": 1, "网络": 0, "在押会见": 1, "犯罪嫌疑人": 2, "近亲属": 1, "": 4} {
		if got := form.find(t, schemas.Consultations, part).Month; got != known(want) {
			t.Errorf("%s: %v, want %v", part, got, want)
		}
	}
}

// Several ranges at once are answered as one after the other; a rate asked for
// alone has its halves.
func TestColumnsAreTheirRanges(t *testing.T) {
	m := &months{t: t}
	for k, at := range []string{"9h", "33h", "57h", "700h"} {
		m.did(court, 10+k, "shift.planned", `{"lawyer":"`+wang+`","mode":"onsite","start":"2026-09-0`+strconv.Itoa(1+k)+`T08:00:00+08:00","end":"2026-09-0`+strconv.Itoa(1+k)+`T16:00:00+08:00"}`, at)
		m.did(court, k, "consultation.recorded", consultation, at)
	}
	m.did(court, 11, "shift.signed_in", in, "32h")
	founded := line{"station.founded", `{"code":"` + court + `","kind":"court","name":"榆树市法律援助中心驻人民法院值班律师工作站","location":"220182","reporting":"220182"}`, "-100000h", "1h"}
	m.log = append(m.log, founded.envelope(t, "/stations/"+court, court, eventID(len(m.log)+1))) // long before the rules of 2018
	m.did(court, 20, "help_request.received", `{"organ":"court","person":"p-2"}`, "9h")
	m.did(court, 20, "help_request.dispatched", `{"lawyer":"`+wang+`"}`, "10h")
	b := m.on("2026-10-03")
	var all []schemas.IndicatorCode
	for _, ind := range schemas.Indicators.All() {
		all = append(all, ind.Code)
	}
	ranges := []Range{{september.From, september.To}, {september.From, september.From + 1}, {september.From - 60, september.From - 31}, {schemas.Date(2026, 1, 1), september.To}, {schemas.Date(2020, 5, 1), schemas.Date(2020, 5, 31)}}
	ask := func(q Query) Statistics {
		q.Division = "220182"
		s, err := b.Statistics(t.Context(), ProvinceWide, q)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, by := range [][]Dimension{nil, {ByChannel}, {ByDivision, ByOrgan}} {
		together := ask(Query{Columns: ranges, By: by, Indicators: all})
		for k, r := range ranges {
			if diff := cmp.Diff(ask(Query{From: r.From, To: r.To, By: by, Indicators: all}).Rows, together.Column(k).Rows, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s to %s by %s (-alone +together):\n%s", r.From, r.To, by, diff)
			}
		}
	}
	whole := ask(Query{From: ranges[0].From, To: ranges[0].To, Indicators: all})
	for _, ind := range schemas.Indicators.All() {
		alone := ask(Query{From: ranges[0].From, To: ranges[0].To, Indicators: []schemas.IndicatorCode{ind.Code}})
		if diff := cmp.Diff(whole.Rows[0].Values[slices.Index(all, ind.Code)], alone.Rows[0].Values[0]); diff != "" {
			t.Errorf("%s (-with all +alone):\n%s", ind.Code, diff)
		}
	}
	for code, want := range map[schemas.IndicatorCode]float64{schemas.ShiftsDue: 4, schemas.NoShows: 3, schemas.AttendanceRate: 0.25, schemas.ResponseMedian: 60, schemas.PersonsConsulted: 1, schemas.LawyersOnDuty: 1, schemas.Stations: 1} {
		if got := whole.Value(whole.Rows[0], code); got != want {
			t.Errorf("%s is %v, want %v", code, got, want)
		}
	}
}

// counting counts what is asked of the warehouse.
type counting struct {
	driver.Conn
	queries atomic.Int64
}

func (c *counting) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	c.queries.Add(1)
	return c.Conn.Query(ctx, query, args...)
}

func (c *counting) QueryRow(ctx context.Context, query string, args ...any) driver.Row {
	c.queries.Add(1)
	return c.Conn.QueryRow(ctx, query, args...)
}

// A page must not ask once for every figure: one question for the four
// columns, one for their splits, one for the divisions below, and what is asked once;
// and after each whether there is anything above its cut.
func TestAReturnIsAskedForInFewQuestions(t *testing.T) {
	m := &months{t: t}
	m.did(court, 1, "consultation.recorded", consultation, "9h")
	b := m.on("2026-10-03")
	conn := &counting{Conn: b.conn}
	b.conn = conn
	b.returned(schemas.Province, nil) // reads the register
	conn.queries.Store(0)
	b.returned(schemas.Province, nil)
	if n := conn.queries.Load(); n > 8+4 {
		t.Errorf("%d queries", n)
	}
}

// The sheet of divisions is frozen with the form: what comes later is not in it.
func TestTheSheetOfDivisionsIsFrozen(t *testing.T) {
	m := &months{t: t}
	m.did(court, 1, "consultation.recorded", consultation, "9h")
	m.did("220100-court", 2, "consultation.recorded", consultation, "9h")
	m.submit("2026-10-08", "220100")
	m.did(court, 3, "consultation.recorded", consultation, "10h")
	r := m.on("2026-10-12").returned("220100", nil)
	standing, _ := r.Standing()
	then := Thaw(r.Live, r.Live.Form, standing)
	if len(then.Children) != len(r.Live.Children) || len(then.Children) < 10 {
		t.Fatalf("%d rows are frozen, %d live", len(then.Children), len(r.Live.Children))
	}
	at := slices.IndexFunc(then.ChildIndicators, func(ind schemas.Indicator) bool { return ind.Code == schemas.Consultations })
	for k, c := range then.Children {
		now := r.Live.Children[k]
		want := map[schemas.DivisionCode][2]float64{"220182": {1, 2}, "220100": {1, 1}}[c.Division.Code]
		if now.Division != c.Division || now.Own != c.Own || c.Own != (c.Division.Code == "220100") || c.Figures[at] != known(want[0]) || now.Figures[at] != known(want[1]) {
			t.Errorf("%s: frozen %v, live %v, want %v", c.Division.Name, c.Figures[at], now.Figures[at], want)
		}
	}
	if then.Total[at] != known(2) || r.Live.Total[at] != known(3) {
		t.Errorf("the whole is frozen at %v, live %v", then.Total[at], r.Live.Total[at])
	}
	if amended := Amend(r, "赵国华", "补录", nil); len(amended.Divisions) != len(then.Children) {
		t.Errorf("the amendment has the sheet %v", amended.Divisions)
	}
}
