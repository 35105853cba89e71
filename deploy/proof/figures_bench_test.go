package proof

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"zhiban/dashboard/report"
	"zhiban/deploy/embedded"
	"zhiban/ingest"
	"zhiban/ingest/simulate"
	"zhiban/projector"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// BenchmarkFigures asks what people ask, of nine years of ZHIBAN_BENCH_EVENTS
// events (one million unless set), each question cold, without what ClickHouse
// keeps of its files in memory, and warm. ZHIBAN_BENCH_DIR keeps the tables for
// the next run with as many events:
//
//	ZHIBAN_BENCH_EVENTS=10000000 ZHIBAN_BENCH_DIR=/tmp/figures-10m go test -run '^$' -bench Figures -benchtime 1x -timeout 60m ./deploy/proof
//
// A million events are simulated and projected. More are copies of them made in
// ClickHouse, of other persons, lawyers and cases; copies lie near to each other and
// compress too well, so storage is that of the million.
func BenchmarkFigures(b *testing.B) {
	conn := nineYears(b)
	w := report.New(conn)
	for range b.N {
		for _, q := range questions(b, w) {
			measure(b, conn, q)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// copied is how many offsets that follow each other are copied at a time.
const copied = 2000

// nineYears are the tables to ask.
func nineYears(b *testing.B) *warehouse.Conn {
	ctx := b.Context()
	wanted := 1_000_000
	if s := os.Getenv("ZHIBAN_BENCH_EVENTS"); s != "" {
		var err error
		if wanted, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	dir := os.Getenv("ZHIBAN_BENCH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	engines, err := embedded.Start(ctx, embedded.Config{Dir: dir, Topics: map[string]int{schemas.Topic: 4, schemas.DeadLetterTopic: 1}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { engines.Close() })
	if err := warehouse.Migrate(ctx, engines.ClickHouse().DSN()); err != nil {
		b.Fatal(err)
	}
	conn, err := warehouse.Open(ctx, engines.ClickHouse().DSN())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	if tables, err := warehouse.Current(ctx, conn); err != nil || tables.Version > 1 {
		if err != nil {
			b.Fatal(err)
		}
		return conn
	}
	project(b, engines, conn)
	one, two := warehouse.Tables{Version: 1}, warehouse.Tables{Version: 2}
	for _, t := range append(one.RollUps(), one.Events(), one.Postings()) {
		run(b, conn, "OPTIMIZE TABLE "+t+" FINAL")
	}
	var events uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM "+one.Events()).Scan(&events); err != nil {
		b.Fatal(err)
	}
	columns(b, conn, one, events)
	if err := warehouse.Create(ctx, conn, one, two); err != nil {
		b.Fatal(err)
	}
	n := max(1, (wanted+int(events)/2)/int(events))
	place := fmt.Sprintf("intDiv(kafka_offset, %[1]d) * %[1]d * %[2]d + k * %[1]d + kafka_offset %% %[1]d", copied, n)
	for year := 2018; year <= 2026; year++ {
		from := fmt.Sprintf(" ARRAY JOIN range(%d) AS k WHERE toYear(recorded) = %d SETTINGS min_insert_block_size_rows = 2000000, min_insert_block_size_bytes = 1000000000, max_insert_threads = 1", n, year)
		run(b, conn, `INSERT INTO `+two.Events()+` (kafka_partition, kafka_offset, epoch, id_start, id_rest, type, case_kind, case_key, source, time, recorded, recorded_by, data)
			SELECT kafka_partition, `+place+`, epoch, id_start, if(k = 0, id_rest, cityHash64(id_rest, k)), type, case_kind, if(k = 0 OR length(case_key) != 36, case_key, toString(UUIDNumToString(sipHash128(case_key, k)))),
			source, time, recorded, recorded_by, data FROM `+one.Events()+from)
		run(b, conn, `INSERT INTO `+two.Postings()+` (kafka_partition, kafka_offset, epoch, recorded, indicator, day, source, lawyer, mode, channel, person_role, organ, trigger, person, due, quantity)
			SELECT kafka_partition, `+place+`, epoch, recorded, indicator, day, source, if(lawyer = 0, 0, lawyer + k % 5 * 1000), mode, channel, person_role, organ, trigger, if(person = 0 OR k = 0, person, cityHash64(person, k)), due, quantity FROM `+one.Postings()+from)
	}
	run(b, conn, fmt.Sprintf(`INSERT INTO %s (kafka_partition, first_offset, last_offset, epoch, events, postings, digest, recorded, projected)
		SELECT kafka_partition, min(first_offset), (intDiv(max(last_offset), %[3]d) + 1) * %[3]d * %[4]d - 1, 1, sum(events) * %[4]d, sum(postings) * %[4]d, '', min(recorded), max(projected) FROM %[2]s GROUP BY kafka_partition`,
		two.Batches(), one.Batches(), copied, n))
	if err := warehouse.Switch(ctx, conn, two); err != nil {
		b.Fatal(err)
	}
	for _, t := range two.RollUps() { // as an hour later by itself
		run(b, conn, "OPTIMIZE TABLE "+t+" FINAL")
	}
	return conn
}

func run(b *testing.B, conn *warehouse.Conn, sql string) {
	b.Helper()
	if err := conn.Exec(b.Context(), sql); err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
}

// project simulates a million events and projects them.
func project(b *testing.B, engines *embedded.Engines, conn *warehouse.Conn) {
	ctx := b.Context()
	sim, err := simulate.New(simulate.Config{From: schemas.Date(2018, 3, 1), To: schemas.Date(2026, 11, 30), Seed: 1, Scale: 0.27, Stamped: true})
	if err != nil {
		b.Fatal(err)
	}
	var sent int64
	if err := ingest.AppendRecorded(ctx, []string{engines.Kafka()}, newKeys(b, engines.Kafka()), sim.Events(), func(schemas.Envelope) { sent++ }); err != nil {
		b.Fatal(err)
	}
	p, err := projector.New(projector.Config{Brokers: []string{engines.Kafka()}}, conn, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	projecting, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- p.Run(projecting) }()
	figures := report.New(conn)
	for have := int64(0); have < sent; time.Sleep(100 * time.Millisecond) {
		cut, err := figures.Cut(ctx, time.Time{})
		if err != nil {
			b.Fatal(err)
		}
		have = 0
		for _, o := range cut.Offsets {
			have += o
		}
	}
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// columns prints what the tables take on disk, and each of their columns. In the
// compact parts of small tables a column has no size that the engine tells, so
// columns are those of a copy in wide parts, which take a little less.
func columns(b *testing.B, conn *warehouse.Conn, t warehouse.Tables, events uint64) {
	var wide []string
	for _, table := range []string{t.Events(), t.Postings()} {
		copied := table + "_wide"
		wide = append(wide, copied)
		run(b, conn, "CREATE TABLE "+copied+" AS "+table)
		run(b, conn, "ALTER TABLE "+copied+" MODIFY SETTING min_bytes_for_wide_part = 0")
		run(b, conn, "INSERT INTO "+copied+" SELECT * FROM "+table)
		run(b, conn, "OPTIMIZE TABLE "+copied+" FINAL")
		defer run(b, conn, "DROP TABLE "+copied+" SYNC")
	}
	rows, err := conn.Query(b.Context(), `SELECT name, sum(bytes) AS n FROM (
			SELECT table || '.' || column AS name, column_data_compressed_bytes AS bytes FROM system.parts_columns WHERE active AND database = currentDatabase() AND table IN (?)
			UNION ALL SELECT table || ' ' || name, data_compressed_bytes FROM system.data_skipping_indices WHERE database = currentDatabase() AND table IN (?)
			UNION ALL SELECT table, bytes_on_disk FROM system.parts WHERE active AND database = currentDatabase() AND table IN (?)
		) GROUP BY name HAVING n > 0 ORDER BY name`, wide, []string{t.Events(), t.Postings()}, append(t.RollUps(), t.Events(), t.Postings(), t.Batches(), t.Parked()))
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var n uint64
		if err := rows.Scan(&name, &n); err != nil {
			b.Fatal(err)
		}
		fmt.Printf("%-32s %6.2f bytes an event\n", name, float64(n)/float64(events))
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
}

// question is what is measured.
type question struct {
	name string
	ask  func(context.Context) (rows int, err error)
}

func questions(b testing.TB, w *report.Warehouse) []question {
	var additive []schemas.IndicatorCode
	for _, ind := range schemas.Indicators.All() {
		if ind.Kind == schemas.Additive {
			additive = append(additive, ind.Code)
		}
	}
	year := report.Query{Division: schemas.Province, From: schemas.Date(2025, 1, 1), To: schemas.Date(2025, 12, 31), Indicators: additive}
	statistics := func(name string, change func(*report.Query)) question {
		q := year
		change(&q)
		return question{name, func(ctx context.Context) (int, error) {
			s, err := w.Statistics(ctx, report.ProvinceWide, q)
			return len(s.Rows), err
		}}
	}
	rank := year
	rank.By, rank.Indicators = []report.Dimension{report.ByLawyer}, []schemas.IndicatorCode{schemas.Shifts, schemas.DutyMinutes, schemas.Consultations}
	ranking, err := w.Statistics(b.Context(), report.ProvinceWide, rank)
	if err != nil {
		b.Fatal(err)
	}
	lawyer := ranking.Rows[len(ranking.Rows)/2].Key[0]
	asOf := time.Date(2023, 7, 1, 0, 0, 0, 0, schemas.Shanghai)
	details := func(name string, offset int) question {
		q := year
		q.Division, q.Indicators = "220100", []schemas.IndicatorCode{schemas.Consultations}
		return question{name, func(ctx context.Context) (int, error) {
			p, err := w.Postings(ctx, report.ProvinceWide, q, min(offset, 1_000_000), 100)
			return len(p.Postings), err
		}}
	}
	return []question{
		statistics("month × county × indicator, a year", func(q *report.Query) { q.By = []report.Dimension{report.ByCounty, report.ByMonth} }),
		statistics("month × station × indicator, a year", func(q *report.Query) { q.By = []report.Dimension{report.ByStation, report.ByMonth} }),
		{"province with 同比", func(ctx context.Context) (int, error) {
			s, err := report.ReadCompared(ctx, w, report.ProvinceWide, year, []report.Comparison{report.YearOnYear}, year.To)
			return len(s.Rows), err
		}},
		statistics("one lawyer's year by month", func(q *report.Query) {
			q.By, q.Filter = []report.Dimension{report.ByMonth}, map[report.Dimension][]string{report.ByLawyer: {lawyer}}
		}),
		statistics("ranking of lawyers", func(q *report.Query) { q.By, q.Indicators = rank.By, rank.Indicators }),
		statistics("distinct persons, province", func(q *report.Query) { q.Indicators = []schemas.IndicatorCode{schemas.PersonsConsulted} }),
		statistics("distinct persons by month", func(q *report.Query) {
			q.By, q.Indicators = []report.Dimension{report.ByMonth}, []schemas.IndicatorCode{schemas.PersonsConsulted}
		}),
		details("details, first page", 0),
		details("details, page at 20 000", 20_000),
		statistics("as of mid 2023: month × prefecture", func(q *report.Query) {
			q.From, q.To, q.AsOf, q.By = schemas.Date(2022, 7, 1), schemas.Date(2023, 6, 30), asOf, []report.Dimension{report.ByDivision, report.ByMonth}
		}),
	}
}

// measure asks a question cold and warm and prints a line: median and 95th
// percentile of the time, what the engine read, and the CPU that the engine and
// this process took for one answer, which other work on the machine changes less.
func measure(b *testing.B, conn *warehouse.Conn, q question) {
	ctx := b.Context()
	var bytes, rows, cpu atomic.Int64
	counting := clickhouse.Context(ctx, clickhouse.WithProfileEvents(func(events []clickhouse.ProfileEvent) {
		for _, e := range events {
			switch e.Name {
			case "SelectedBytes":
				bytes.Add(e.Value)
			case "SelectedRows":
				rows.Add(e.Value)
			case "OSCPUVirtualTimeMicroseconds":
				cpu.Add(e.Value)
			}
		}
	}))
	var answer int
	times := func(n int, before func()) (median, p95 time.Duration) {
		var took []time.Duration
		for range n {
			before()
			began := time.Now()
			var err error
			if answer, err = q.ask(counting); err != nil {
				b.Fatalf("%s: %v", q.name, err)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[n/2], took[n*95/100]
	}
	cold, cold95 := times(3, func() {
		for _, cache := range []string{"MARK", "UNCOMPRESSED", "INDEX MARK", "INDEX UNCOMPRESSED"} {
			run(b, conn, "SYSTEM DROP "+cache+" CACHE")
		}
	})
	for _, n := range []*atomic.Int64{&bytes, &rows, &cpu} {
		n.Store(0)
	}
	const warms = 20
	own := ownCPU()
	warm, warm95 := times(warms, func() {})
	own = ownCPU() - own
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	fmt.Printf("%-38s %6d rows  cold %6.1f %6.1f ms  warm %6.1f %6.1f ms  CPU %6.1f + %5.1f ms  read %10d rows %7.2f MB\n", q.name, answer,
		ms(cold), ms(cold95), ms(warm), ms(warm95), float64(cpu.Load())/1000/warms, ms(own)/warms, rows.Load()/warms, float64(bytes.Load())/1e6/warms)
}

// ownCPU is the CPU time that this process has taken.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
