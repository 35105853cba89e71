package projector

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	kafka "github.com/segmentio/kafka-go"

	rights "zhiban/deploy/clickhouse"
	"zhiban/deploy/embedded"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// engines are shared by the tests of this package; each test has a database, a
// topic and a group of its own.
var engines *embedded.Engines

func TestMain(m *testing.M) {
	embedded.ChildMain()
	if order := os.Getenv(childVariable); order != "" {
		runChild(order)
		return
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "zhiban-projector")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if engines, err = embedded.Start(context.Background(), embedded.Config{Dir: dir, Topics: map[string]int{schemas.DeadLetterTopic: 1}}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer engines.Close()
		return m.Run()
	}())
}

var named atomic.Int32

// v1 is the version of the tables that a fixture has.
var v1 = warehouse.Tables{Version: 1}

// fixture is one projection: its log, its warehouse and what it reported.
type fixture struct {
	t       testing.TB
	brokers []string
	topic   string
	conn    *warehouse.Conn // with all rights
	least   *warehouse.Conn // as a projector has it on a server
	client  *kafka.Client
	writer  *kafka.Writer
	log     *records
	sent    int64
}

// newFixture is a fixture on the embedded engines, with one partition.
func newFixture(t testing.TB) *fixture {
	t.Helper()
	return newFixtureAt(t, []string{engines.Kafka()}, 1)
}

func newFixtureAt(t testing.TB, brokers []string, partitions int) *fixture {
	t.Helper()
	ctx := context.Background()
	f := &fixture{t: t, brokers: brokers, topic: fmt.Sprintf("%s.test%d", schemas.Topic, named.Add(1)), log: &records{}}
	dsn := engines.ClickHouse().DSN()
	server, err := warehouse.Open(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	var all []string // views before what they are of
	if err := server.QueryRow(ctx, "SELECT groupArray(name) FROM (SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY endsWith(engine, 'View') DESC)").Scan(&all); err != nil {
		t.Fatal(err)
	}
	for _, table := range all {
		if err := server.Exec(ctx, "DROP TABLE IF EXISTS "+table+" SYNC"); err != nil {
			t.Fatal(err)
		}
	}
	if err := warehouse.Migrate(ctx, dsn); err != nil {
		t.Fatal(err)
	}
	if f.conn, err = warehouse.Open(ctx, dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.conn.Close() })
	if f.least, err = warehouse.Open(ctx, engines.ClickHouseAs(rights.Projector).DSN()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.least.Close() })
	transport := &kafka.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	f.client = &kafka.Client{Addr: kafka.TCP(brokers...), Transport: transport}
	res, err := f.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: f.topic, NumPartitions: partitions, ReplicationFactor: min(len(brokers), 3)}}})
	if err != nil || res.Errors[f.topic] != nil {
		t.Fatal(err, res)
	}
	f.writer = &kafka.Writer{Addr: f.client.Addr, Topic: f.topic, Transport: transport, Balancer: kafka.Murmur2Balancer{Consistent: true}, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond, BatchSize: 10_000, BatchBytes: 1 << 20}
	t.Cleanup(func() { f.writer.Close() })
	return f
}

// records is a log handler that keeps messages.
type records struct {
	lines atomic.Pointer[[]string]
}

func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *records) WithGroup(string) slog.Handler            { return r }
func (r *records) Handle(_ context.Context, rec slog.Record) error {
	line := rec.Level.String() + " " + rec.Message
	rec.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	for {
		old := r.lines.Load()
		var next []string
		if old != nil {
			next = append(next, *old...)
		}
		next = append(next, line)
		if r.lines.CompareAndSwap(old, &next) {
			return nil
		}
	}
}

func (r *records) has(part string) bool {
	lines := r.lines.Load()
	return lines != nil && strings.Contains(strings.Join(*lines, "\n"), part)
}

// put appends events of station 220182-court to the log.
func (f *fixture) put(values ...string) {
	f.t.Helper()
	msgs := make([]kafka.Message, len(values))
	for i, v := range values {
		msgs[i] = kafka.Message{Key: []byte("220182-court"), Value: []byte(v), Time: time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)}
	}
	if err := f.writer.WriteMessages(context.Background(), msgs...); err != nil {
		f.t.Fatal(err)
	}
	f.sent += int64(len(values))
}

// event is an event in its wire form.
func event(typ, subject, at, data string) string {
	b, err := json.Marshal(schemas.Envelope{
		SpecVersion: "1.0", ID: uuid.NewString(), Source: "/stations/220182-court", Type: "zhiban." + typ + ".v1",
		Subject: subject, Time: at, Data: json.RawMessage(data), RecordedTime: "2026-09-30T12:00:00.000Z",
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// shift is a shift of eight hours on a day of September.
func shift(day int) (in, out string) {
	subject := "shift/" + uuid.NewString()
	return event("shift.signed_in", subject, fmt.Sprintf("2026-09-%02dT08:30:00+08:00", day), `{"lawyer":"12201201810123456","mode":"onsite"}`),
		event("shift.signed_out", subject, fmt.Sprintf("2026-09-%02dT16:30:00+08:00", day), `{"lawyer":"12201201810123456"}`)
}

// run starts a projector; the returned function stops it.
func (f *fixture) run() (stop func()) { return f.runWith(func(*Projector) {}) }

// runWith starts a projector after a change to it.
func (f *fixture) runWith(change func(*Projector)) (stop func()) {
	f.t.Helper()
	p, err := New(Config{
		Brokers: f.brokers, Group: f.topic, Topic: f.topic, BatchRows: 7, Linger: 20 * time.Millisecond,
		SessionTimeout: 6 * time.Second, RebalanceTimeout: time.Second,
	}, f.least, slog.New(f.log))
	if err != nil {
		f.t.Fatal(err)
	}
	change(p)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
	}
}

// until asks the warehouse until a query's number is want.
func (f *fixture) until(want int64, query string) {
	f.t.Helper()
	f.await(query, func(got int64) bool { return got == want })
}

// await asks the warehouse, which may be down for a while, until a query's
// number is as wanted.
func (f *fixture) await(query string, wanted func(int64) bool) {
	f.t.Helper()
	var got int64
	var err error
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = f.conn.QueryRow(context.Background(), query).Scan(&got); err == nil && wanted(got) {
			return
		}
	}
	f.t.Fatalf("%s is %d (%v), waited in vain\n%v", query, got, err, f.log.lines.Load())
}

func (f *fixture) number(query string) (n int64) {
	f.t.Helper()
	if err := f.conn.QueryRow(context.Background(), query).Scan(&n); err != nil {
		f.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// project runs a projector until it has everything that was put.
func (f *fixture) project() {
	f.t.Helper()
	stop := f.run()
	f.until(f.sent, "SELECT toInt64(max(last_offset) + 1) FROM batches")
	stop()
}

// books are the sums of all figures.
func (f *fixture) books() map[string]int64 {
	f.t.Helper()
	rows, err := f.conn.Query(context.Background(), "SELECT concat(toString(indicator), ' ', toString(day)), sum(quantity) AS n FROM postings GROUP BY 1 HAVING n != 0")
	if err != nil {
		f.t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var k string
		var n int64
		if err := rows.Scan(&k, &n); err != nil {
			f.t.Fatal(err)
		}
		out[k] = n
	}
	return out
}

// septemberBooks is what n shifts on days 1 to n amount to.
func septemberBooks(n int) map[string]int64 {
	out := map[string]int64{}
	for day := 1; day <= n; day++ {
		out[fmt.Sprintf("shifts 2026-09-%02d", day)] = 1
		out[fmt.Sprintf("duty_minutes 2026-09-%02d", day)] = 480
	}
	return out
}

// putSeptember appends n shifts, all sign-ins first, so that every sign-out
// finds its sign-in in an earlier batch.
func (f *fixture) putSeptember(n int) {
	var ins, outs []string
	for day := 1; day <= n; day++ {
		in, out := shift(day)
		ins, outs = append(ins, in), append(outs, out)
	}
	f.put(ins...)
	f.put(outs...)
}

func (f *fixture) expect(want map[string]int64) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.books()); diff != "" {
		f.t.Errorf("books (-want +got):\n%s", diff)
	}
	if double := f.number("SELECT toInt64(count() - uniqExact(kafka_offset)) FROM events"); double != 0 {
		f.t.Errorf("%d events stand twice", double)
	}
	if wrong, err := warehouse.Misrolled(context.Background(), f.conn, v1, 0); err != nil || len(wrong) > 0 {
		f.t.Errorf("roll-ups are otherwise than their tables: %v, %v", wrong, err)
	}
}

func TestEveryEventCountsOnce(t *testing.T) {
	f := newFixture(t)
	f.putSeptember(20)
	f.project()
	f.expect(septemberBooks(20))
	in, out := shift(21)
	f.put(in, in, out) // the log holds an event twice
	f.project()
	f.expect(septemberBooks(21))
}

// Another station whose events are in the same partition neither voids, corrects
// nor completes a case, whether it is in the batch at hand, in memory or looked
// up; what it sends under the case's name is its own.
func TestNobodyChangesWhatIsNotTheirs(t *testing.T) {
	f := newFixture(t)
	elsewhere := func(event string) string { return strings.Replace(event, "220182-court", "220182-detention", 1) }
	in, out := shift(1)
	var first schemas.Envelope
	if err := json.Unmarshal([]byte(in), &first); err != nil {
		t.Fatal(err)
	}
	attack := func(at string) {
		f.put(
			elsewhere(event("shift.voided", first.Subject, at, fmt.Sprintf(`{"target":%q,"reason":"r"}`, first.ID))),
			elsewhere(event("shift.corrected", first.Subject, at, fmt.Sprintf(`{"target":%q,"data":{"lawyer":"12201201511234567","mode":"phone"},"reason":"r"}`, first.ID))),
			elsewhere(event("shift.signed_out", first.Subject, at, `{"lawyer":"12201201810123456"}`)),
		)
		f.project()
	}
	f.put(in)
	attack("2026-09-01T09:00:00+08:00")
	f.put(out)
	f.putSeptember(5) // more batches
	attack("2026-09-01T17:00:00+08:00")
	own := f.number("SELECT toInt64(sum(quantity)) FROM postings WHERE indicator = 'shifts' AND source = '220182-court' AND day = '2026-09-01' AND lawyer = 12201201810123456 AND mode = 'onsite'")
	minutes := f.number("SELECT toInt64(sum(quantity)) FROM postings WHERE indicator = 'duty_minutes' AND source = '220182-court' AND day = '2026-09-01'")
	if own != 2 || minutes != 2*480 { // its own, and the first of putSeptember
		t.Errorf("the station has %d shifts of %d minutes, not 2 of 960", own, minutes)
	}
	// Its own station still may.
	f.put(event("shift.voided", first.Subject, "2026-09-02T09:00:00+08:00", fmt.Sprintf(`{"target":%q,"reason":"r"}`, first.ID)))
	f.project()
	if own := f.number("SELECT toInt64(sum(quantity)) FROM postings WHERE indicator = 'shifts' AND source = '220182-court'"); own != 5 {
		t.Errorf("%d shifts are left after the station has voided one of 6", own)
	}
}

func TestWhatCannotBeReadIsParked(t *testing.T) {
	f := newFixture(t)
	in, out := shift(1)
	f.put("garbage", in, strings.Replace(in, "shift.signed_in.v1", "shift.levitated.v9", 1), out)
	f.project()
	f.expect(septemberBooks(1))
	if n := f.number("SELECT toInt64(count()) FROM parked WHERE id NOT IN (SELECT id FROM events)"); n != 1 {
		t.Errorf("%d are parked and stand nowhere else; the levitated one has the id of another event", n)
	}
	if n := f.number("SELECT toInt64(sum(parked)) FROM batches"); n != 2 {
		t.Errorf("the ledger says %d parked, 2 were", n)
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{engines.Kafka()}, Topic: schemas.DeadLetterTopic, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	for {
		m, err := r.ReadMessage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Key) != f.topic+"/0/0" {
			continue
		}
		if string(m.Value) != "garbage" || len(m.Headers) != 4 || m.Headers[0].Key != "reason" {
			t.Errorf("dead letter %s: %q %v", m.Key, m.Value, m.Headers)
		}
		return
	}
}

// interrupted leaves a batch of four events as a projector does that dies after
// some of its steps, and then lets another projector go on.
func TestAnInterruptedBatchIsDoneAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		after func(f *fixture, w *worker, b *batch) error
		says  string
	}{
		{"after the intent", func(f *fixture, w *worker, b *batch) error { return nil }, "doing a pending batch again"},
		{"after the events", func(f *fixture, w *worker, b *batch) error {
			return w.write1(v1.Events(), b, b.events.block())
		}, "doing a pending batch again"},
		{"after the postings", func(f *fixture, w *worker, b *batch) error {
			if err := w.write1(v1.Events(), b, b.events.block()); err != nil {
				return err
			}
			return w.write1(v1.Postings(), b, b.postings.block())
		}, "doing a pending batch again"},
		{"after the ledger", func(f *fixture, w *worker, b *batch) error { return w.insert(context.Background(), b) }, ""},
		{"after the postings, and the group's offsets are lost", func(f *fixture, w *worker, b *batch) error {
			if err := w.write1(v1.Postings(), b, b.postings.block()); err != nil {
				return err
			}
			return w.commit(context.Background(), 0, "")
		}, "rows beyond the ledger"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.putSeptember(5)
			f.project()
			first := f.sent
			var ins, outs []string
			for day := 6; day <= 7; day++ {
				in, out := shift(day)
				ins, outs = append(ins, in), append(outs, out)
			}
			f.put(append(ins, outs...)...)
			f.dieAfter(first, first+3, c.after)
			f.project()
			f.expect(septemberBooks(7))
			if c.says != "" && !f.log.has(c.says) {
				t.Errorf("nothing was said of %q: %v", c.says, *f.log.lines.Load())
			}
		})
	}
}

// write1 writes one table's block of a batch.
func (w *worker) write1(table string, b *batch, block proto.Input) error {
	return w.writer.Insert(context.Background(), table, fmt.Sprintf("%s:%s:%d:%s", table, w.topic, w.partition, b.batchRange), block)
}

// dieAfter joins the group, commits the intent of a range, does some steps and
// leaves the group.
func (f *fixture) dieAfter(first, last int64, steps func(*fixture, *worker, *batch) error) {
	f.t.Helper()
	ctx := context.Background()
	w, leave := f.member()
	defer leave()
	var err error
	if w.history, err = newHistory(ctx, f.conn, v1, 0, first, 100); err != nil {
		f.t.Fatal(err)
	}
	b, err := w.again(ctx, batchRange{1, first, last}, 1)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := w.commit(ctx, first, b.String()); err != nil {
		f.t.Fatal(err)
	}
	if err := steps(f, w, b); err != nil {
		f.t.Fatal(err)
	}
}

// member joins the group and returns its worker.
func (f *fixture) member() (w *worker, leave func()) {
	f.t.Helper()
	p, err := New(Config{Brokers: []string{engines.Kafka()}, Group: f.topic, Topic: f.topic}, f.least, slog.New(f.log))
	if err != nil {
		f.t.Fatal(err)
	}
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: f.topic, Brokers: []string{engines.Kafka()}, Topics: []string{f.topic},
		SessionTimeout: 6 * time.Second, RebalanceTimeout: time.Second, HeartbeatInterval: 100 * time.Millisecond, JoinGroupBackoff: 50 * time.Millisecond,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	gen, err := group.Next(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	w = p.worker(gen, 0, v1)
	return w, func() {
		_ = w.writer.Close()
		_ = group.Close()
	}
}

// A projector whose generation has passed is refused at its next step.
func TestAStalledProjectorIsFenced(t *testing.T) {
	f := newFixture(t)
	f.putSeptember(3)
	stale, leave := f.member()
	leave() // the group goes on without it
	f.project()
	if err := stale.commit(context.Background(), 0, "1:0-5"); !fenced(err) {
		t.Errorf("a stale generation's intent was answered with %v", err)
	}
	f.expect(septemberBooks(3))
}

// A batch whose rows went missing is found at the next start, written again
// under a new epoch, and reported.
func TestDamageIsRepaired(t *testing.T) {
	damage := map[string]string{v1.Events(): "kafka_offset BETWEEN 8 AND 12", v1.Postings(): "kafka_offset BETWEEN 8 AND 12"}
	for _, table := range v1.RollUps() {
		damage[table] = "kafka_partition = 0"
	}
	for table, lost := range damage {
		t.Run(table, func(t *testing.T) {
			f := newFixture(t)
			f.putSeptember(10)
			f.project()
			ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"lightweight_deletes_sync": 2}))
			if err := f.conn.Exec(ctx, "DELETE FROM "+table+" WHERE "+lost); err != nil {
				t.Fatal(err)
			}
			in, out := shift(11)
			f.put(in, out)
			f.project()
			f.expect(septemberBooks(11))
			if !f.log.has("damaged") {
				t.Errorf("the damage was not reported: %v", *f.log.lines.Load())
			}
		})
	}
}

// The warehouse restored from an older backup is brought up to date from the
// log, although the tokens of the lost batches are still remembered.
func TestAnOlderWarehouseCatchesUp(t *testing.T) {
	f := newFixture(t)
	f.putSeptember(10)
	f.project()
	ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"lightweight_deletes_sync": 2}))
	for _, q := range []string{
		"DELETE FROM " + v1.Events() + " WHERE kafka_offset >= 7",
		"DELETE FROM " + v1.Postings() + " WHERE kafka_offset >= 7",
		"DELETE FROM " + v1.Batches() + " WHERE first_offset >= 7",
	} {
		if err := f.conn.Exec(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	f.project()
	f.expect(septemberBooks(10))
	if !f.log.has("behind the group's offset") {
		t.Errorf("it was not reported: %v", *f.log.lines.Load())
	}
}

// The same log projected into the same tables by another group adds nothing.
func TestTheSameLogTwiceAddsNothing(t *testing.T) {
	f := newFixture(t)
	f.putSeptember(8)
	f.project()
	p, err := New(Config{Brokers: []string{engines.Kafka()}, Group: f.topic + ".again", Topic: f.topic, Linger: 20 * time.Millisecond, RebalanceTimeout: time.Second}, f.conn, slog.New(f.log))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	in, out := shift(9)
	f.put(in, out)
	f.until(f.sent, "SELECT toInt64(max(last_offset) + 1) FROM batches")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	f.expect(septemberBooks(9))
}

// The digest in the ledger is of the rows alone: the same range projected again
// in another epoch has the same one.
func TestDigestIsOfTheRows(t *testing.T) {
	f := newFixture(t)
	f.putSeptember(3)
	w, leave := f.member()
	defer leave()
	one, err := w.again(context.Background(), batchRange{1, 0, 5}, 1)
	if err != nil {
		t.Fatal(err)
	}
	first := one.digest()
	two, err := w.again(context.Background(), batchRange{1, 0, 5}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, two.digest()) {
		t.Error("the same rows have two digests")
	}
	other, err := w.again(context.Background(), batchRange{1, 0, 4}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first, other.digest()) {
		t.Error("other rows have the same digest")
	}
}

func TestParseRange(t *testing.T) {
	r := batchRange{3, 120, 4711}
	if got, err := parseRange(r.String()); err != nil || got != r {
		t.Errorf("parseRange(%q) = %v, %v", r.String(), got, err)
	}
	for _, s := range []string{"", "1", "1:2", "1:5-2", "x:1-2", "1:-1-2", "1:2-3-4", "-1:2-3"} {
		if r, err := parseRange(s); err == nil {
			t.Errorf("parseRange(%q) = %v, want an error", s, r)
		}
	}
}

// A rewriting that was interrupted behind its inserts leaves tokens that are
// remembered and rows that are not looked for: the next one must not be absorbed.
func TestAnInterruptedRewritingIsNotAbsorbed(t *testing.T) {
	f := newFixture(t)
	f.putSeptember(3)
	f.project()
	w, leave := f.member()
	defer leave()
	ctx := context.Background()
	b, err := w.again(ctx, batchRange{2, 0, 5}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for table, block := range map[string]proto.Input{v1.Events(): b.events.block(), v1.Postings(): b.postings.block()} {
		if err := w.write1(table, b, block); err != nil {
			t.Fatal(err)
		}
	}
	w.epoch = 1 // as the ledger has it
	if err := w.rewrite(ctx, batchRange{1, 0, 5}); err != nil {
		t.Fatal(err)
	}
	if err := w.rollUp(ctx); err != nil {
		t.Fatal(err)
	}
	f.expect(septemberBooks(3))
}
