package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/dashboard"
	"zhiban/dashboard/report"
	"zhiban/deploy/embedded"
	"zhiban/ingest"
	"zhiban/ingest/simulate"
	"zhiban/projector"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/ktable"
	"zhiban/schemas/seal"
	"zhiban/schemas/warehouse"
)

// The promise of the monthly close: a simulated province is closed month by
// month by clerks who work over the API, while events and corrections of closed
// months keep coming. Read back from the log alone, every frozen form is what a
// plain count of the events before its cut gives, its file is served byte for
// byte, and after the last amendments every form is the truth.
//
// It plays one prefecture for two months; with ZHIBAN_CLOSE_YEAR=1 the whole
// province for a year.
func TestAYearIsClosedMonthByMonth(t *testing.T) {
	config := simulate.Config{From: schemas.Date(2026, 1, 1), To: schemas.Date(2026, 2, 28), Seed: 11, Scale: 0.3, Division: "220400", Stamped: true}
	if os.Getenv("ZHIBAN_CLOSE_YEAR") != "" {
		config.To, config.Division, config.Scale = schemas.Date(2026, 12, 31), "", 0.1
	}
	c := startClose(t, config)
	places := []schemas.DivisionCode{"220400"}
	if config.Division == "" {
		places = nil
		for _, id := range schemas.Returns.MadeOf(schemas.ReturnID{Division: schemas.Province, Month: config.From.Month()}) {
			places = append(places, id.Division)
		}
	}
	for month := config.From.Month(); month <= config.To.Month(); month++ {
		c.closeMonth(month, places)
		t.Logf("%s is closed", month)
	}

	c.feed(config.To + 60)
	today := config.To + 20
	c.set(today, 9)
	for month := config.From.Month(); month <= config.To.Month(); month++ {
		for _, d := range append(below(places...), append(places, schemas.Province)...) {
			c.amend(d, month)
		}
		c.settle()
		t.Logf("%s is amended", month)
	}
	c.compareWithLog(places)
	c.compareWithTruth(places, c.sim.Truth(today))
}

// closeTest is a platform at work on a clock of its own.
type closeTest struct {
	t       *testing.T
	sim     *simulate.Simulation
	events  []schemas.Envelope // still to come, in order of recording
	kafka   string
	conn    driver.Conn
	figures *report.Warehouse
	keys    *seal.Keyring
	web     *httptest.Server
	clock   atomic.Pointer[time.Time]
	mu      sync.Mutex
	sent    int64
	refused int // submissions that blockers stopped
	amended int

	months    int // that were closed
	unamended int // returns that needed no amendment
	standing  map[schemas.ReturnID]schemas.FrozenReturn
}

func startClose(t *testing.T, config simulate.Config) *closeTest {
	t.Helper()
	ctx := t.Context()
	engines, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Topics: map[string]int{schemas.Topic: 3, schemas.DeadLetterTopic: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engines.Close() })
	if err := warehouse.Migrate(ctx, engines.ClickHouse().DSN()); err != nil {
		t.Fatal(err)
	}
	conn, err := warehouse.Open(ctx, engines.ClickHouse().DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	p, err := projector.New(projector.Config{Brokers: []string{engines.Kafka()}, Linger: time.Millisecond}, conn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	projecting, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- p.Run(projecting) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	c := &closeTest{t: t, kafka: engines.Kafka(), conn: conn, figures: report.New(conn), standing: map[schemas.ReturnID]schemas.FrozenReturn{}}
	c.keys = newKeys(t, c.kafka)
	if c.sim, err = simulate.New(config); err != nil {
		t.Fatal(err)
	}
	c.events = slices.Collect(c.sim.Events())
	c.set(config.From, 8)
	now := func() time.Time { return *c.clock.Load() }
	c.figures.Clock = now
	pages, err := dashboard.New(dashboard.Config{Now: now, Append: c.append, Log: slog.New(slog.DiscardHandler)}, c.figures)
	if err != nil {
		t.Fatal(err)
	}
	li := access.Identity{Account: "limin", Title: "李敏", Role: access.Province, Scope: access.ProvinceWide, Sole: true}
	c.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.Handler().ServeHTTP(w, r.WithContext(access.With(r.Context(), li)))
	}))
	t.Cleanup(c.web.Close)
	return c
}

// newKeys are keys in the log of a broker.
func newKeys(t testing.TB, broker string) *seal.Keyring {
	t.Helper()
	table, err := ktable.Open(t.Context(), ktable.Config{Brokers: []string{broker}, Topic: schemas.KeyTopic})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	file, err := seal.CreateKeyFile(filepath.Join(t.TempDir(), "keys"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.New(t.Context(), table, file, file.Pseudonyms())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// append writes events as recorded now.
func (c *closeTest) append(ctx context.Context, events []schemas.Envelope) error {
	for i := range events {
		events[i].RecordedTime, events[i].RecordedBy = c.clock.Load().UTC().Format(schemas.WireTime), "test"
	}
	if err := ingest.AppendRecorded(ctx, []string{c.kafka}, c.keys, slices.Values(events), func(schemas.Envelope) {}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent += int64(len(events))
	return nil
}

// set puts the clock to an hour of a day.
func (c *closeTest) set(day schemas.Day, hour int) {
	at := day.Start().Add(time.Duration(hour) * time.Hour)
	c.clock.Store(&at)
}

// feed records what is recorded before a day.
func (c *closeTest) feed(day schemas.Day) {
	c.t.Helper()
	n := 0
	for n < len(c.events) {
		at, err := time.Parse(time.RFC3339, c.events[n].RecordedTime)
		if err != nil {
			c.t.Fatal(err)
		}
		if !at.Before(day.Start()) {
			break
		}
		n++
	}
	if err := ingest.AppendRecorded(c.t.Context(), []string{c.kafka}, c.keys, slices.Values(c.events[:n]), func(schemas.Envelope) {}); err != nil {
		c.t.Fatal(err)
	}
	c.events, c.sent = c.events[n:], c.sent+int64(n)
	c.settle()
}

func (c *closeTest) settle() { c.t.Helper(); waitProjected(c.t, c.figures, c.sent) }

// returned is what the clerks read of a return.
type returned struct {
	Blockers []struct{ Code string }
	Changes  []schemas.FormChange
	Live     struct{ Cut map[int]int64 }
}

func (c *closeTest) read(d schemas.DivisionCode, month schemas.Month) (r returned) {
	c.t.Helper()
	c.get(fmt.Sprintf("/api/v1/returns/%s/%s", d, month), &r)
	return r
}

func (c *closeTest) get(path string, into any) {
	c.t.Helper()
	body := get(c.t, c.web.URL+path)
	if err := json.Unmarshal(body, into); err != nil {
		c.t.Fatalf("%s: %v: %.300s", path, err, body)
	}
}

// post does a step and returns the status with the answer.
func (c *closeTest) post(d schemas.DivisionCode, month schemas.Month, step string, body any) (int, string) {
	c.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.Post(fmt.Sprintf("%s/api/v1/returns/%s/%s/%s", c.web.URL, d, month, step), "application/json", bytes.NewReader(b))
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (c *closeTest) must(d schemas.DivisionCode, month schemas.Month, step string, body any) {
	c.t.Helper()
	if status, text := c.post(d, month, step, body); status != http.StatusAccepted {
		c.t.Fatalf("%s of %s for %s: %d %.600s", step, d, month, status, text)
	}
}

// submit is a clerk who gives a reason for every blocker, the first ones after
// being told so, and reports exactly the form that was on the screen.
func (c *closeTest) submit(d schemas.DivisionCode, month schemas.Month) {
	c.t.Helper()
	r := c.read(d, month)
	body := map[string]any{"cut": r.Live.Cut}
	if len(r.Blockers) > 0 && c.refused < 3 {
		if status, text := c.post(d, month, "submit", body); status != http.StatusConflict || !strings.Contains(text, "blockers."+r.Blockers[0].Code) {
			c.t.Fatalf("%s for %s was submitted in spite of %v: %d %.300s", d, month, r.Blockers, status, text)
		}
		c.refused++
	}
	var overrides []schemas.ReturnOverride
	for _, b := range r.Blockers {
		overrides = append(overrides, schemas.ReturnOverride{Blocker: b.Code, Reason: "已核实，次月补正"})
	}
	body["overrides"] = overrides
	c.must(d, month, "submit", body)
}

// amend amends a return that differs from the books.
func (c *closeTest) amend(d schemas.DivisionCode, month schemas.Month) {
	c.t.Helper()
	if r := c.read(d, month); len(r.Changes) > 0 {
		c.must(d, month, "amend", map[string]any{"reason": "补录、更正", "cut": r.Live.Cut})
		c.amended++
	} else if c.unamended++; c.unamended == 1 {
		if status, text := c.post(d, month, "amend", map[string]any{"reason": "无"}); status != http.StatusConflict {
			c.t.Fatalf("an amendment of nothing: %d %.300s", status, text)
		}
	}
}

func below(places ...schemas.DivisionCode) []schemas.DivisionCode {
	var out []schemas.DivisionCode
	for _, p := range places {
		for _, id := range schemas.Returns.MadeOf(schemas.ReturnID{Division: p, Month: schemas.Date(2026, 1, 1).Month()}) {
			out = append(out, id.Division)
		}
	}
	return out
}

// closeMonth plays a month: the counties report on the 3rd, one is sent back and
// one is late; prefectures accept and report on the 12th, the province on the
// 18th.
func (c *closeTest) closeMonth(month schemas.Month, places []schemas.DivisionCode) {
	t := c.t
	t.Helper()
	c.months++
	counties := below(places...)
	next := (month + 1).First()
	c.set(month.Last(), 20)
	if status, text := c.post(counties[0], month, "submit", map[string]any{"overrides": []schemas.ReturnOverride{{Blocker: "period_running", Reason: "急"}}}); status != http.StatusConflict || !strings.Contains(text, "period_running") {
		t.Fatalf("a month was closed before its end: %d %.300s", status, text)
	}

	c.feed(next + 2)
	c.set(next+2, 10)
	late, sentBack := counties[len(counties)-1], counties[0]
	for _, d := range counties[:len(counties)-1] {
		c.submit(d, month)
	}
	c.settle()
	if status, _ := c.post(sentBack, month, "submit", map[string]any{}); status != http.StatusConflict {
		t.Fatalf("submitted twice: %d", status)
	}
	c.must(sentBack, month, "return", map[string]any{"reason": "看守所班次与签到簿不符"})
	c.settle()
	c.submit(sentBack, month)
	c.settle()

	c.feed(next + 11)
	c.set(next+11, 9)
	var grid report.CloseGrid
	c.get("/api/v1/returns?month="+month.String(), &grid)
	if !slices.Contains(grid.Missing, late) || slices.Contains(grid.Missing, sentBack) || len(grid.Reminders) == 0 || grid.Reminders[0].DaysLeft != 3 || !slices.Contains(grid.Reminders[0].Divisions, places[0]) {
		t.Fatalf("on the 12th missing %v, to be reminded %v", grid.Missing, grid.Reminders)
	}
	c.submit(late, month)
	c.settle()
	for _, d := range counties {
		c.must(d, month, "accept", map[string]any{})
	}
	c.settle()
	for _, d := range counties { // what came in between the 3rd and the 12th
		c.amend(d, month)
	}
	c.settle()
	for _, p := range places {
		r := c.read(p, month)
		for _, b := range r.Blockers {
			if strings.HasPrefix(b.Code, "children_") {
				t.Fatalf("%s for %s: %s though all its counties agree with the books", p, month, b.Code)
			}
		}
		c.submit(p, month)
	}
	c.settle()
	for _, p := range places {
		c.must(p, month, "accept", map[string]any{})
	}
	c.settle()

	c.feed(next + 17)
	c.set(next+17, 9)
	c.submit(schemas.Province, month)
	c.settle()
	c.must(schemas.Province, month, "accept", map[string]any{})
	c.settle()
	c.get("/api/v1/returns?month="+month.String(), &grid)
	if !slices.Equal(grid.Late, []schemas.DivisionCode{late}) {
		t.Fatalf("late are %v, want %s", grid.Late, late)
	}
}

// placed is an event with its place in the log.
type placed struct {
	schemas.Event
	partition int
	offset    int64
}

// readLog reads the whole log from the broker.
func (c *closeTest) readLog() []placed {
	c.t.Helper()
	var out []placed
	for partition := range 3 {
		conn, err := kafka.DialLeader(c.t.Context(), "tcp", c.kafka, schemas.Topic, partition)
		if err != nil {
			c.t.Fatal(err)
		}
		last, err := conn.ReadLastOffset()
		if err != nil {
			c.t.Fatal(err)
		}
		_ = conn.Close()
		r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{c.kafka}, Topic: schemas.Topic, Partition: partition, MaxBytes: 16 << 20})
		for next := int64(0); next < last; {
			m, err := r.ReadMessage(c.t.Context())
			if err != nil {
				c.t.Fatal(err)
			}
			e, err := schemas.ParseEvent(m.Value)
			if err != nil {
				c.t.Fatal(err)
			}
			out = append(out, placed{e, partition, m.Offset})
			next = m.Offset + 1
		}
		_ = r.Close()
	}
	return out
}

// compareWithLog folds the returns from the log: all are closed, and every file is
// served as it was frozen.
func (c *closeTest) compareWithLog(places []schemas.DivisionCode) {
	t := c.t
	t.Helper()
	returns := c.compareVersions()
	for id, r := range returns {
		if !r.State.Final() {
			t.Errorf("%s is %s", id, r.State)
		}
		c.standing[id], _ = r.Standing()
		for _, v := range r.Versions {
			file := get(t, fmt.Sprintf("%s/api/v1/returns/%s/%s.xlsx?version=%d", c.web.URL, id.Division, id.Month, v.Version))
			if !bytes.Equal(file, v.File) || schemas.SHA256(file) != v.SHA256 {
				t.Errorf("%s version %d: the file that is served is not the frozen one", id, v.Version)
			}
		}
	}
	if want := c.months * (len(below(places...)) + len(places) + 1); len(returns) != want || c.refused == 0 || c.amended == 0 {
		t.Errorf("%d returns, want %d; %d submissions were stopped, %d amendments", len(returns), want, c.refused, c.amended)
	}
	t.Logf("%d submissions stopped by blockers, %d amendments", c.refused, c.amended)
}

// compareVersions folds the returns from the log and counts, for every version, the
// events before its cut in the plainest way.
func (c *closeTest) compareVersions() map[schemas.ReturnID]schemas.MonthlyReturn {
	t := c.t
	t.Helper()
	log := c.readLog()
	steps := map[schemas.ReturnID][]schemas.Event{}
	for _, e := range log {
		if id, err := schemas.ParseReturnID(e.Case.Key); e.Case.Kind == schemas.CaseReturn && err == nil {
			steps[id] = append(steps[id], e.Event)
		}
	}
	plain := newPlainLog(t, log)
	cells, versions := 0, 0
	returns := map[schemas.ReturnID]schemas.MonthlyReturn{}
	for id, history := range steps {
		r := schemas.FoldReturn(id, history)
		returns[id] = r
		for _, s := range r.Steps {
			if s.Ignored != (schemas.Text{}) {
				t.Errorf("%s: a step has no effect: %s", id, s.Ignored.EN)
			}
		}
		for _, v := range r.Versions {
			versions++
			for column, from := range map[schemas.FormColumn]schemas.Day{schemas.ColumnMonth: id.Month.First(), schemas.ColumnYTD: schemas.Date(id.Month.Year(), 1, 1)} {
				for cell, want := range plain.count(v.Cut, id.Division, from, id.Month.Last()) {
					k := slices.IndexFunc(v.Figures, func(f schemas.FormFigure) bool { return f.Cell == cell })
					if k < 0 {
						t.Fatalf("%s has no cell %s", id, cell)
					}
					cells++
					if got := *v.Figures[k].Value(column); got != (schemas.FormValue{Number: want}) {
						t.Errorf("%s version %d: %s of %s is %v, counted as of its cut %v", id, v.Version, column, cell, got, want)
					}
				}
			}
		}
	}
	t.Logf("%d returns, %d frozen versions, %d cells as counted from the log", len(steps), versions, cells)
	return returns
}

// A month of a made-up past is closed as if clerks had done it then: each form
// is of the log of its moment. Closing it again changes nothing.
func TestAMonthOfTheDemoIsClosed(t *testing.T) {
	c := startClose(t, simulate.Config{From: schemas.Date(2026, 1, 1), To: schemas.Date(2026, 2, 28), Seed: 11, Scale: 0.3, Division: "220400", Stamped: true})
	c.feed(schemas.Date(2026, 4, 1))
	until := schemas.Date(2026, 3, 27).Start()
	demo := func() map[schemas.ReturnID]schemas.MonthlyReturn {
		d := dashboard.DemoClose{Figures: report.New(c.conn), First: schemas.Date(2026, 2, 1).Month(), Until: until, Log: slog.New(slog.DiscardHandler),
			Append: func(ctx context.Context, events []schemas.Envelope) error {
				c.sent += int64(len(events))
				return ingest.AppendRecorded(ctx, []string{c.kafka}, c.keys, slices.Values(events), func(schemas.Envelope) {})
			}}
		if err := d.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.settle()
		return c.compareVersions()
	}
	returns := demo()
	states := map[schemas.ReturnState]int{}
	late, sentBack := 0, 0
	for id, r := range returns {
		states[r.State]++
		at := time.Time{}
		for _, s := range r.Steps {
			if s.Recorded.Before(at) || s.Recorded.After(until) {
				t.Errorf("%s was %s at %s, after what came at %s", id, s.Verb, s.Recorded, at)
			}
			at = s.Recorded
			if s.Verb == "returned" {
				sentBack++
			}
			if s.Verb == "submitted" && schemas.DayOf(s.Recorded) > schemas.Returns.DueDay(schemas.LevelCounty, id.Month) && len(below(id.Division)) == 0 {
				late++
			}
		}
	}
	if states[schemas.ReturnIsIn] == 0 || states[schemas.ReturnSentBack] == 0 || states[schemas.ReturnClosed]+states[schemas.ReturnIsAmended] < 50 || late == 0 || sentBack < 2 {
		t.Errorf("%v; %d late, %d sent back", states, late, sentBack)
	}
	if _, ok := returns[schemas.ReturnID{Division: schemas.Province, Month: schemas.Date(2026, 2, 1).Month()}]; ok {
		t.Error("the province has reported, and a prefecture has not")
	}
	steps := c.sent
	if again := demo(); c.sent != steps || len(again) != len(returns) {
		t.Errorf("closing it again took %d steps more", c.sent-steps)
	}
}

// counted is what a case adds to figures on a day at a place.
type counted struct {
	source schemas.Source
	day    schemas.Day
	cells  []string
	person string // of a consultation
}

// caseLog is a case with what it amounts to after each of its events.
type caseLog struct {
	events []placed
	after  [][]counted // by how many of the events are counted; nil: not asked for yet
}

// plainLog counts a log as of any cut: each case anew for every length of its
// history, and no case twice for one length.
type plainLog struct {
	cases    []*caseLog
	stations []*caseLog
}

func newPlainLog(t *testing.T, log []placed) plainLog {
	t.Helper()
	var l plainLog
	byFile := map[schemas.File]*caseLog{}
	for _, e := range log {
		if e.Case.Kind == schemas.CaseReturn {
			continue
		}
		c, ok := byFile[e.File()]
		if !ok {
			c = &caseLog{}
			byFile[e.File()] = c
			l.cases = append(l.cases, c)
			if e.Case.Kind == schemas.CaseStation {
				l.stations = append(l.stations, c)
			}
		} else if c.events[0].partition != e.partition {
			t.Fatalf("%s is in two partitions", e.Case)
		}
		c.events = append(c.events, e)
	}
	for _, c := range l.cases {
		c.after = make([][]counted, len(c.events)+1)
	}
	return l
}

// before is how many of the events are before a cut.
func (c *caseLog) before(cut map[int]int64) int {
	n := len(c.events)
	for n > 0 && c.events[n-1].offset >= cut[c.events[n-1].partition] {
		n--
	}
	return n
}

func (c *caseLog) effective(n int) []schemas.Event {
	var history []schemas.Event
	for _, e := range c.events[:n] {
		history = append(history, e.Event)
	}
	return schemas.Effective(history)
}

// count counts a few figures of the events before a cut.
func (l plainLog) count(cut map[int]int64, division schemas.DivisionCode, from, to schemas.Day) map[string]float64 {
	reporting := map[schemas.StationCode]schemas.DivisionCode{}
	for _, c := range l.stations {
		for _, e := range c.effective(c.before(cut)) {
			if p, ok := e.Payload.(*schemas.StationFounded); ok {
				reporting[schemas.StationCode(p.Code)] = schemas.DivisionCode(p.Reporting)
			}
		}
	}
	out := map[string]float64{"consultations": 0, "consultations.channel.visit": 0, "consultations.person_role.relative": 0, "consultations_unsigned": 0,
		"persons_consulted": 0, "shifts": 0, "shifts.mode.phone": 0, "applications_received": 0, "plea_assistance": 0, "publicity_sessions": 0, "notifications_due": 0, "help_requests": 0}
	persons := map[string]bool{}
	for _, c := range l.cases {
		n := c.before(cut)
		if c.after[n] == nil {
			c.after[n] = countCase(c.effective(n))
		}
		for _, x := range c.after[n] {
			place := x.source.Division
			if d, ok := reporting[x.source.Station]; ok {
				place = d
			}
			if x.day < from || x.day > to || !schemas.Divisions.Within(place, division) {
				continue
			}
			for _, cell := range x.cells {
				out[cell]++
			}
			if x.person != "" {
				persons[x.person] = true
			}
		}
	}
	out["persons_consulted"] = float64(len(persons))
	return out
}

// countCase is what the effective events of a case add.
func countCase(history []schemas.Event) []counted {
	out := []counted{}
	signed := slices.ContainsFunc(history, func(e schemas.Event) bool { return e.Type.Verb == "signed" })
	signedIn, received := false, false
	for _, e := range history {
		x := counted{source: e.Source, day: schemas.DayOf(e.Time)}
		add := func(cell string, counts bool) {
			if counts {
				x.cells = append(x.cells, cell)
			}
		}
		switch p := e.Payload.(type) {
		case *schemas.ConsultationRecorded:
			x.person = p.Person
			add("consultations", true)
			add("consultations.channel.visit", p.Channel == "visit")
			add("consultations.person_role.relative", p.PersonRole == "relative")
			add("consultations_unsigned", !signed)
		case *schemas.ShiftSignedIn:
			add("shifts", !signedIn) // a shift is one, however often it was signed in
			add("shifts.mode.phone", !signedIn && p.Mode == "phone")
			signedIn = true
		case *schemas.ApplicationReceived:
			add("applications_received", !received) // an application is one, however often it was received
			received = true
		case *schemas.AssistanceGiven:
			add("plea_assistance", p.Service == "plea_leniency")
		case *schemas.ActivityHeld:
			add("publicity_sessions", p.Kind == "publicity")
		case *schemas.NotificationTriggered:
			add("notifications_due", true)
		case *schemas.HelpRequestReceived:
			add("help_requests", true)
		}
		if len(x.cells) > 0 {
			out = append(out, x)
		}
	}
	return out
}

// compareWithTruth compares what stands, after all amendments, with what the
// simulation knows it did.
func (c *closeTest) compareWithTruth(places []schemas.DivisionCode, truth *simulate.Truth) {
	t := c.t
	t.Helper()
	cells := 0
	for month := truth.From.Month(); month <= truth.To.Month(); month++ {
		for _, d := range append(below(places...), append(places, schemas.Province)...) {
			for _, f := range c.standing[schemas.ReturnID{Division: d, Month: month}].Figures {
				ind, err := schemas.Indicators.Lookup(schemas.IndicatorCode(f.Cell))
				if err != nil || ind.Divided() {
					continue // a part, or a ratio of two that are compared
				}
				cells++
				if want := truth.Lookup(month, d, ind.Code); int64(f.Month.Number) != want || f.Month.Mark != "" {
					t.Errorf("%s of %s for %s stands at %v, the truth is %d", ind.Code, d, month, f.Month, want)
				}
			}
		}
	}
	t.Logf("%d cells that stand are the truth", cells)
}
