package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/deploy/embedded"
	"zhiban/ingest/simulate"
	"zhiban/projector"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// engines are shared by the tests of this package; each projection has a topic,
// a group and a version of the tables of its own.
var engines *embedded.Engines

func TestMain(m *testing.M) {
	embedded.ChildMain()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "zhiban-verify")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		ctx := context.Background()
		if engines, err = embedded.Start(ctx, embedded.Config{Dir: dir, Topics: map[string]int{schemas.DeadLetterTopic: 1}}); err == nil {
			defer engines.Close()
			err = warehouse.Migrate(ctx, engines.ClickHouse().DSN())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

var versions atomic.Int32

// projection is a log and the tables that a projector filled from it.
type projection struct {
	t      testing.TB
	conn   *warehouse.Conn
	topic  string
	tables warehouse.Tables
	sent   int64
}

func newProjection(t testing.TB, partitions int) *projection {
	t.Helper()
	ctx := context.Background()
	p := &projection{t: t}
	var err error
	if p.conn, err = warehouse.Open(ctx, engines.ClickHouse().DSN()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.conn.Close() })
	p.tables = p.newTables()
	p.topic = fmt.Sprintf("%s.test%d", schemas.Topic, p.tables.Version)
	transport := &kafka.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := &kafka.Client{Addr: kafka.TCP(engines.Kafka()), Transport: transport}
	res, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: p.topic, NumPartitions: partitions, ReplicationFactor: 1}}})
	if err != nil || res.Errors[p.topic] != nil {
		t.Fatal(err, res)
	}
	return p
}

func (p *projection) newTables() warehouse.Tables {
	p.t.Helper()
	tables := warehouse.Tables{Version: int(versions.Add(1)) + 1}
	if err := warehouse.Create(context.Background(), p.conn, warehouse.Tables{Version: 1}, tables); err != nil {
		p.t.Fatal(err)
	}
	if err := warehouse.MakeRollUps(context.Background(), p.conn, tables); err != nil {
		p.t.Fatal(err)
	}
	return tables
}

// put appends records to the log.
func (p *projection) put(msgs iter.Seq[kafka.Message]) {
	p.t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	w := &kafka.Writer{Addr: kafka.TCP(engines.Kafka()), Topic: p.topic, Transport: transport, RequiredAcks: kafka.RequireAll, Compression: kafka.Lz4,
		Balancer: kafka.Murmur2Balancer{Consistent: true}, BatchTimeout: time.Millisecond, BatchSize: 5000, BatchBytes: 900_000}
	defer w.Close()
	var some []kafka.Message
	flush := func() {
		if err := w.WriteMessages(context.Background(), some...); err != nil {
			p.t.Fatal(err)
		}
		p.sent += int64(len(some))
		some = some[:0]
	}
	for m := range msgs {
		if some = append(some, m); len(some) == 20_000 {
			flush()
		}
	}
	flush()
}

// simulated are a simulation's events as ingest would have appended them.
func simulated(t testing.TB, c simulate.Config) iter.Seq[kafka.Message] {
	c.Stamped = true
	sim, err := simulate.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(kafka.Message) bool) {
		for e := range sim.Events() {
			if !yield(message(t, e)) {
				return
			}
		}
	}
}

// message is an event's record in the log.
func message(t testing.TB, e schemas.Envelope) kafka.Message {
	event, err := e.Parse()
	if err != nil {
		t.Fatal(err)
	}
	value, err := json.Marshal(event.Envelope())
	if err != nil {
		t.Fatal(err)
	}
	return kafka.Message{Key: []byte(event.Source.Key()), Value: value, Time: event.Recorded}
}

// project runs a projector until it has everything that was put.
func (p *projection) project(batchRows int) {
	p.t.Helper()
	conn, err := warehouse.Open(context.Background(), engines.ClickHouse().DSN())
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close()
	pr, err := projector.New(projector.Config{
		Brokers: []string{engines.Kafka()}, Group: p.topic, Topic: p.topic, Tables: p.tables, BatchRows: batchRows, Linger: 20 * time.Millisecond, RebalanceTimeout: time.Second,
	}, conn, slog.New(slog.NewTextHandler(p.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- pr.Run(ctx) }()
	deadline := time.Now().Add(10 * time.Minute)
	for {
		n := p.number("SELECT toInt64(sum(n)) FROM (SELECT max(last_offset) + 1 AS n FROM " + p.tables.Batches() + " GROUP BY kafka_partition)")
		if n >= p.sent {
			break
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the projector has got to %d of %d records", n, p.sent)
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		p.t.Error(err)
	}
}

func (p *projection) number(query string) (n int64) {
	p.t.Helper()
	if err := p.conn.QueryRow(context.Background(), query).Scan(&n); err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func (p *projection) exec(query string) {
	p.t.Helper()
	ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{
		"lightweight_deletes_sync": 2, "mutations_sync": 2, "insert_deduplicate": 0}))
	if err := p.conn.Exec(ctx, query); err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
}

// copied is the same projection in tables of its own, which may be damaged.
func (p *projection) copied(t testing.TB) *projection {
	c := *p
	c.t = t
	c.tables = c.newTables()
	for _, pair := range [][2]string{{p.tables.Events(), c.tables.Events()}, {p.tables.Postings(), c.tables.Postings()}, {p.tables.Batches(), c.tables.Batches()}, {p.tables.Parked(), c.tables.Parked()}} {
		c.exec("INSERT INTO " + pair[1] + " SELECT * FROM " + pair[0])
	}
	return &c
}

// verify verifies, keeping some records' histories at a time.
func (p *projection) verify(passRecords int) Result {
	p.t.Helper()
	ctx := context.Background()
	v, err := newVerifier(ctx, Config{Brokers: []string{engines.Kafka()}, Topic: p.topic, Conn: p.conn, Tables: p.tables, Settle: time.Millisecond})
	if err != nil {
		p.t.Fatal(err)
	}
	defer v.own.CloseIdleConnections()
	v.passRecords = passRecords
	if err := v.run(ctx); err != nil {
		p.t.Fatal(err)
	}
	return v.Result
}

// say is the result in English, for messages of tests.
func say(r Result) string {
	var b strings.Builder
	if err := r.Text(&b, "en"); err != nil {
		panic(err)
	}
	return b.String()
}

func day(s string) schemas.Day {
	d, err := schemas.ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

// newYear is two months of a prefecture, over a turn of the year.
var newYear = simulate.Config{From: day("2025-12-01"), To: day("2026-01-31"), Seed: 5, Scale: 1, Division: "220200"}

func TestSimulatedMonthsVerifyClean(t *testing.T) {
	p := newProjection(t, 3)
	p.put(simulated(t, newYear))
	p.project(500)
	whole := p.verify(passRecords)
	if !whole.OK() {
		t.Fatal(say(whole))
	}
	batches := p.number("SELECT toInt64(count()) FROM " + p.tables.Batches())
	if whole.Records != p.sent || whole.Events != p.sent || whole.Parked != 0 || whole.Batches != batches || len(whole.Cut) != 3 {
		t.Errorf("%d records were put in %d batches:\n%s", p.sent, batches, say(whole))
	}
	cells := p.number("SELECT toInt64(count()) FROM (SELECT indicator, toYYYYMM(day) AS m, source FROM " + p.tables.Postings() + " GROUP BY ALL HAVING sum(quantity) != 0)")
	if whole.Figures < cells {
		t.Errorf("%d figures compared; %d by month and place alone are not zero", whole.Figures, cells)
	}

	some := p.verify(1000) // many passes give the same
	whole.Started, whole.Ended, some.Started, some.Ended = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	if diff := cmp.Diff(whole, some); diff != "" {
		t.Errorf("in one pass (-) and in many (+):\n%s", diff)
	}
}

func TestRunIsOfTheCurrentVersion(t *testing.T) {
	conn, err := warehouse.Open(t.Context(), engines.ClickHouse().DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r, err := Run(t.Context(), Config{Brokers: []string{engines.Kafka()}, Conn: conn})
	if err != nil || !r.OK() || r.Version != 1 || r.Records != 0 {
		t.Errorf("an empty warehouse: %v\n%s", err, say(r))
	}
}

// september is a log of one station with each kind of thing that can be damaged.
func september(t testing.TB) iter.Seq[kafka.Message] {
	return slices.Values(slices.Collect(func(yield func(kafka.Message) bool) {
		n := 0
		event := func(typ string, c int, at, data string) {
			n++
			kind, _, _ := strings.Cut(typ, ".")
			yield(message(t, schemas.Envelope{
				SpecVersion: "1.0", ID: testID(n), Source: "/stations/220182-court", Type: "zhiban." + typ + ".v1", Subject: kind + "/" + testID(1000+c),
				Time: "2026-09-" + at + ":00+08:00", Data: json.RawMessage(data), RecordedTime: "2026-09-30T12:00:00.000Z",
			}))
		}
		for i := range 10 {
			at := fmt.Sprintf("%02dT", i+1)
			event("shift.signed_in", i, at+"08:30", signIn)                                                         // offset 4i
			event("consultation.recorded", i, at+"09:00", strings.Replace(visit, "p-1", fmt.Sprintf("p-%d", i), 1)) // 4i+1
			event("notification.triggered", i, at+"10:00", trigger)                                                 // 4i+2
			event("shift.signed_out", i, at+"16:30", byLawyer)                                                      // 4i+3
		}
	}))
}

const (
	byLawyer = `{"lawyer":"12201201810123456"}`
	signIn   = `{"lawyer":"12201201810123456","mode":"onsite"}`
	visit    = `{"lawyer":"12201201810123456","channel":"visit","person":"p-1","person_role":"relative"}`
	trigger  = `{"organ":"court","trigger":"accepted","person":"p-1","in_custody":false}`
)

func testID(n int) string { return fmt.Sprintf("0199a1c2-7d1e-7c3a-9a55-%012x", n) }

// Whatever is done to the tables by hand is found and named.
func TestDamageIsFound(t *testing.T) {
	whole := newProjection(t, 1)
	whole.put(september(t))
	whole.project(16) // offsets 0-15, 16-31, 32-39
	if r := whole.verify(passRecords); !r.OK() || r.Batches != 3 {
		t.Fatal(say(r))
	}
	for _, c := range []struct {
		name    string
		damage  []string // of E, P and B, the tables' names
		differs string   // the figures that differ
		events  string   // the offsets named for them
		damaged []string // the ranges that are damaged, and in short how
		named   string   // the offsets named for these
	}{
		{name: "a posting is deleted", damage: []string{"DELETE FROM P WHERE kafka_offset = 20 AND indicator = 'shifts'"},
			differs: "shifts 2026-09 220182-court 10/9, shifts 2026-09 12201201810123456 10/9", events: "20", damaged: []string{"16-31 rows of events"}},
		{name: "a posting is doubled", damage: []string{"INSERT INTO P SELECT * FROM P WHERE kafka_offset = 20 AND indicator = 'shifts'"},
			differs: "shifts 2026-09 220182-court 10/11, shifts 2026-09 12201201810123456 10/11", events: "20", damaged: []string{"16-31 rows of events"}},
		{name: "a quantity is changed", damage: []string{"ALTER TABLE P UPDATE quantity = 60 WHERE kafka_offset = 23 AND indicator = 'duty_minutes'"},
			differs: "duty_minutes 2026-09 220182-court 4800/4380, duty_minutes 2026-09 12201201810123456 4800/4380", events: "23", damaged: []string{"16-31 postings, or the digest"}},
		{name: "two quantities are changed that cancel out", damage: []string{
			"ALTER TABLE P UPDATE quantity = 470 WHERE kafka_offset = 3 AND indicator = 'duty_minutes'", "ALTER TABLE P UPDATE quantity = 490 WHERE kafka_offset = 39 AND indicator = 'duty_minutes'"},
			differs: "duty_minutes 2026-09 220182-court 4800/4800", events: "3 39", damaged: []string{"0-15 postings, or the digest", "32-39 postings, or the digest"}},
		{name: "a posting goes to another day", damage: []string{
			"INSERT INTO P SELECT * REPLACE (day + 1 AS day) FROM ( SELECT * FROM P WHERE kafka_offset = 0 AND indicator = 'shifts' )", "DELETE FROM P WHERE kafka_offset = 0 AND indicator = 'shifts' AND day = '2026-09-01'"},
			differs: "shifts 2026-09 220182-court 10/10", events: "0", damaged: []string{"0-15 postings, or the digest"}},
		{name: "a posting goes to another station", damage: []string{
			"INSERT INTO P SELECT * REPLACE ('220182-detention' AS source) FROM ( SELECT * FROM P WHERE kafka_offset = 0 AND indicator = 'shifts' )", "DELETE FROM P WHERE kafka_offset = 0 AND indicator = 'shifts' AND source = '220182-court'"},
			differs: "shifts 2026-09 220182-court 10/9, shifts 2026-09 220182-detention 0/1", events: "0", damaged: []string{"0-15 postings, or the digest"}},
		{name: "a posting goes to another lawyer", damage: []string{
			"INSERT INTO P SELECT * REPLACE (12201201810123457 AS lawyer) FROM ( SELECT * FROM P WHERE kafka_offset = 0 AND indicator = 'shifts' )", "DELETE FROM P WHERE kafka_offset = 0 AND indicator = 'shifts' AND lawyer = 12201201810123456"},
			differs: "shifts 2026-09 220182-court 10/10, shifts 2026-09 12201201810123456 10/9, shifts 2026-09 12201201810123457 0/1", events: "0", damaged: []string{"0-15 postings, or the digest"}},
		{name: "two persons become one", damage: []string{
			"ALTER TABLE P UPDATE person = (SELECT any(person) FROM P WHERE kafka_offset = 1 AND indicator = 'consultations') WHERE kafka_offset = 5 AND indicator = 'consultations'"},
			differs: "consultations 2026-09 220182-court 10/10, persons_consulted 2026-09 220182-court 10/9, persons_helped 2026-09 220182-court 10/9", events: "5", damaged: []string{"0-15 postings, or the digest"}},
		{name: "a posting names a person where nobody is counted", damage: []string{"ALTER TABLE P UPDATE person = 7 WHERE kafka_offset = 2 AND indicator = 'notifications_due'"},
			differs: "notifications_due 2026-09 220182-court 10/10", events: "2", damaged: []string{"0-15 postings, or the digest"}},
		{name: "a last day is moved", damage: []string{"ALTER TABLE P UPDATE due = '2026-12-31' WHERE kafka_offset = 2 AND indicator = 'notifications_open'"},
			differs: "notifications_open 2026-09 220182-court 10/10, notifications_overdue 2026-09 220182-court due 2026-09-04 1/0, notifications_overdue 2026-09 220182-court due 2026-12-31 0/1", events: "2", damaged: []string{"0-15 postings, or the digest"}},
		{name: "an event is deleted", damage: []string{"DELETE FROM E WHERE kafka_offset = 17"}, damaged: []string{"16-31 rows of events"}, named: "17"},
		{name: "an event is doubled", damage: []string{"INSERT INTO E SELECT * FROM E WHERE kafka_offset = 17"}, damaged: []string{"16-31 rows of events"}, named: "17"},
		{name: "an event is changed", damage: []string{"ALTER TABLE E UPDATE data = replace(data, 'relative', 'suspect') WHERE kafka_offset = 17"}, damaged: []string{"16-31 events are not those of the log"}, named: "17"},
		{name: "an event goes to another kind of case", damage: []string{
			"INSERT INTO E SELECT * REPLACE ('shift' AS case_kind) FROM ( SELECT * FROM E WHERE kafka_offset = 17 )", "DELETE FROM E WHERE kafka_offset = 17 AND case_kind = 'consultation'"}, damaged: []string{"16-31 case kind"}},
		{name: "a posting was recorded in another year", damage: []string{
			"INSERT INTO P SELECT * REPLACE (recorded + INTERVAL 1 YEAR AS recorded) FROM ( SELECT * FROM P WHERE kafka_offset = 0 )", "DELETE FROM P WHERE kafka_offset = 0 AND toYear(recorded) = 2026"}, damaged: []string{"0-15 year of recording"}},
		{name: "a row is of another epoch", damage: []string{"ALTER TABLE P UPDATE epoch = 2 WHERE kafka_offset = 17 AND indicator = 'consultations'"}, damaged: []string{"16-31 another epoch"}},
		{name: "a ledger row is deleted", damage: []string{"DELETE FROM B WHERE first_offset = 16"}, damaged: []string{"16-31 no row for this range"}},
		{name: "the first ledger row is deleted", damage: []string{"DELETE FROM B WHERE first_offset = 0"}, damaged: []string{"0-15 no row for this range"}},
		{name: "the last ledger row is deleted", damage: []string{"DELETE FROM B WHERE first_offset = 32"}, damaged: []string{"32-39 beyond the ledger", "32-39 beyond the ledger"}},
		{name: "a ledger row is doubled", damage: []string{"INSERT INTO B SELECT * FROM B WHERE first_offset = 16"}, damaged: []string{"16-31 this row twice"}},
		{name: "a ledger row overlaps", damage: []string{"INSERT INTO B SELECT * REPLACE (14 AS first_offset, 15 AS last_offset, 2 AS events, 0 AS postings) FROM ( SELECT * FROM B WHERE first_offset = 0 )"},
			damaged: []string{"14-15 overlaps"}},
		{name: "a digest is changed", damage: []string{"ALTER TABLE B UPDATE digest = unhex('" + strings.Repeat("ab", 32) + "') WHERE first_offset = 16"}, damaged: []string{"16-31 postings, or the digest"}},
		{name: "a count is changed", damage: []string{"ALTER TABLE B UPDATE postings = postings + 1 WHERE first_offset = 16"}, damaged: []string{"16-31 rows of events"}},
		{name: "a posting is made up beyond the ledger", damage: []string{"INSERT INTO P SELECT * REPLACE (99 AS kafka_offset) FROM ( SELECT * FROM P WHERE kafka_offset = 0 AND indicator = 'shifts' )"}, damaged: []string{"99-99 beyond the ledger"}},
		{name: "an event is made up in a partition that is none", damage: []string{"INSERT INTO E SELECT * REPLACE (7 AS kafka_partition) FROM ( SELECT * FROM E WHERE kafka_offset = 3 )"}, damaged: []string{"3-3 beyond the ledger"}},
		{name: "a figure is made up", damage: []string{"INSERT INTO P SELECT * REPLACE ('bribes' AS indicator) FROM ( SELECT * FROM P WHERE kafka_offset = 2 AND indicator = 'notifications_due' )"},
			differs: "bribes 2026-09 220182-court 0/1", events: "2", damaged: []string{"0-15 rows of events"}},
		{name: "sums are deleted", damage: []string{"DELETE FROM M WHERE indicator = 'shifts'"}, damaged: []string{"0-39 roll-up monthly_v"}},
		{name: "sums are doubled", damage: []string{"INSERT INTO L SELECT * FROM L WHERE indicator = 'duty_minutes'"}, damaged: []string{"0-39 roll-up monthly_lawyers_v"}},
		{name: "sums go to another mode", damage: []string{"INSERT INTO M SELECT * REPLACE (-quantity AS quantity) FROM M", "INSERT INTO M SELECT * REPLACE ('phone' AS mode, -quantity AS quantity) FROM M WHERE quantity < 0"}, damaged: []string{"0-39 roll-up monthly_v"}},
		{name: "a moment is another", damage: []string{"INSERT INTO T SELECT * REPLACE (newest + INTERVAL 1 HOUR AS newest) FROM T"}, damaged: []string{"0-39 roll-up moments_v"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := whole.copied(t)
			for _, d := range c.damage {
				words := strings.Fields(d)
				for i, w := range words {
					switch w {
					case "E":
						words[i] = p.tables.Events()
					case "P":
						words[i] = p.tables.Postings()
					case "B":
						words[i] = p.tables.Batches()
					case "M":
						words[i] = p.tables.Sums()[0].Table
					case "L":
						words[i] = p.tables.Sums()[1].Table
					case "T":
						words[i] = p.tables.Moments()
					}
				}
				p.exec(strings.Join(words, " "))
			}
			r := p.verify(passRecords)
			if r.OK() {
				t.Fatal("it was not found")
			}
			if got := differs(r); got != c.differs {
				t.Errorf("figures that differ:\n got %s\nwant %s", got, c.differs)
			}
			for _, d := range r.Differences {
				if got := offsets(d.Events); got != c.events && !strings.Contains(" "+c.events+" ", " "+got+" ") {
					t.Errorf("%s: events %q, want %q", d.Indicator, got, c.events)
				}
			}
			if rollUp := func(what string) bool { return strings.Contains(what, "roll-up") }; !slices.ContainsFunc(c.damaged, rollUp) {
				r.Damaged = slices.DeleteFunc(r.Damaged, func(d Damage) bool { return rollUp(d.What.EN) }) // which are as the rows were
			}
			if diff := cmp.Diff(c.damaged, damages(r, c.damaged)); diff != "" {
				t.Errorf("damaged (-want +got):\n%s", diff)
			}
			var named []EventRef
			for _, d := range r.Damaged {
				named = append(named, d.Events...)
			}
			if got := offsets(named); got != c.named {
				t.Errorf("events named %q, want %q", got, c.named)
			}
		})
	}
}

// differs writes differences as "indicator month place recounted/projected".
func differs(r Result) string {
	var out []string
	for _, d := range r.Differences {
		s := fmt.Sprintf("%s %s %s%s", d.Indicator, d.Month, d.Source, d.Lawyer)
		if d.Due != "" {
			s += " due " + d.Due
		}
		out = append(out, fmt.Sprintf("%s %d/%d", s, d.Recounted, d.Projected))
	}
	return strings.Join(out, ", ")
}

func offsets(events []EventRef) string {
	var out []string
	for _, e := range events {
		if e.ID.String() != testID(int(e.Offset)+1) {
			return fmt.Sprintf("offset %d is named %s", e.Offset, e.ID)
		}
		out = append(out, fmt.Sprint(e.Offset))
	}
	return strings.Join(out, " ")
}

// damages writes each damage as "range what", shortened to what is wanted of it
// where that is in it.
func damages(r Result, want []string) (out []string) {
	for i, d := range r.Damaged {
		span, what := fmt.Sprintf("%d-%d ", d.First, d.Last), d.What.EN
		if i < len(want) {
			if part, ok := strings.CutPrefix(want[i], span); ok && strings.Contains(what, part) {
				what = part
			}
		}
		out = append(out, span+what)
	}
	return out
}

// Rows of a batch that is being written stand before its ledger row does.
func TestABatchThatIsBeingWrittenIsNoDamage(t *testing.T) {
	whole := newProjection(t, 1)
	whole.put(september(t))
	whole.project(16)
	p := whole.copied(t)
	p.exec("DELETE FROM " + p.tables.Batches() + " WHERE first_offset = 32")
	v, err := newVerifier(t.Context(), Config{Brokers: []string{engines.Kafka()}, Topic: p.topic, Conn: p.conn, Tables: p.tables})
	if err != nil {
		t.Fatal(err)
	}
	v.below = below(map[int]int64{0: 32})
	found, err := v.beyond(t.Context(), nil)
	if err != nil || len(found) != 2 {
		t.Fatalf("%v, %v", found, err)
	}
	p.exec("INSERT INTO " + p.tables.Batches() + " SELECT * FROM " + whole.tables.Batches() + " WHERE first_offset = 32")
	p.exec("INSERT INTO " + p.tables.Events() + " SELECT * REPLACE (40 AS kafka_offset) FROM (SELECT * FROM " + p.tables.Events() + " WHERE kafka_offset = 0)") // the next one's
	if left, err := v.beyond(t.Context(), found); err != nil || len(left) != 0 {
		t.Errorf("still beyond the ledger: %v, %v", left, err)
	}
}

func TestDamagedParkedRecords(t *testing.T) {
	whole := newProjection(t, 1)
	whole.put(september(t))
	whole.put(slices.Values([]kafka.Message{
		{Key: []byte("220182-court"), Value: []byte("garbage"), Time: time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)},
	}))
	whole.project(16)
	if r := whole.verify(passRecords); !r.OK() || r.Parked != 1 || r.Events != 40 || r.Records != 41 {
		t.Fatal(say(r))
	}
	for _, c := range []struct{ name, damage, says string }{
		{"what is parked was deleted", "DELETE FROM K WHERE 1", "is not parked either"},
		{"what is parked was changed", "ALTER TABLE K UPDATE value = 'nothing' WHERE 1", "not what the log holds"},
		{"an event was parked that counts", "INSERT INTO K SELECT * REPLACE (2 AS kafka_offset) FROM K", "the ledger says 16, "},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := whole.copied(t)
			p.exec(strings.ReplaceAll(c.damage, "K", p.tables.Parked()))
			if r := p.verify(passRecords); r.OK() || !strings.Contains(say(r), c.says) {
				t.Errorf("it should say %q:\n%s", c.says, say(r))
			}
		})
	}
}

func TestALogThatLacksRecordsIsRefused(t *testing.T) {
	p := newProjection(t, 1)
	p.put(september(t))
	p.project(16)
	p.exec("INSERT INTO " + p.tables.Batches() + " SELECT * REPLACE (40 AS first_offset, 47 AS last_offset) FROM (SELECT * FROM " + p.tables.Batches() + " WHERE first_offset = 32)")
	_, err := Run(t.Context(), Config{Brokers: []string{engines.Kafka()}, Topic: p.topic, Conn: p.conn, Tables: p.tables})
	if err == nil || !strings.Contains(err.Error(), "ends at offset 40, the ledger at 48") {
		t.Errorf("got %v", err)
	}
}

func TestResultText(t *testing.T) {
	p := newProjection(t, 1)
	p.put(september(t))
	p.project(16)
	p.exec("DELETE FROM " + p.tables.Postings() + " WHERE kafka_offset = 20 AND indicator = 'shifts'")
	r := p.verify(passRecords)
	for lang, wants := range map[string][]string{
		"zh": {"日志 40 条", "结论：不一致", "值班班次（shifts）2026-09 220182-court：重新计数 10，数据表 9", "事件 " + testID(21) + "（0/20）：应计 1，已计 0", "分区 0，位置 16 至 31"},
		"en": {"40 records of the log", "do not agree", "Duty shifts (shifts) 2026-09 220182-court: recounted 10, projected 9", "event " + testID(21) + " (0/20): should add 1, adds 0", "partition 0, offsets 16 to 31"},
	} {
		var b strings.Builder
		if err := r.Text(&b, lang); err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: lacks %q:\n%s", lang, want, b.String())
			}
		}
	}
}

func TestProgressEndsAtTheTotal(t *testing.T) {
	p := newProjection(t, 2)
	p.put(simulated(t, newYear))
	p.project(5000)
	var last, whole int64
	_, err := Run(t.Context(), Config{Brokers: []string{engines.Kafka()}, Topic: p.topic, Conn: p.conn, Tables: p.tables, Progress: func(done, total int64) {
		if done <= last {
			t.Errorf("%d after %d", done, last)
		}
		last, whole = done, total
	}})
	if err != nil || whole == 0 || last != whole {
		t.Errorf("%d of %d at the end, %v", last, whole, err)
	}
}

// The recount is worth something only as long as it is another one.
func TestNothingOfTheProjectorIsShared(t *testing.T) {
	deps, err := exec.Command("go", "list", "-deps", "zhiban/projector/verify").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range strings.Fields(string(deps)) {
		if d == "zhiban/projector" || d == "zhiban/projector/posting" {
			t.Errorf("verify depends on %s", d)
		}
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") && strings.Contains(string(source), "schemas.Effective") {
			t.Errorf("%s leaves corrections and voids to schemas", name)
		}
	}
}
