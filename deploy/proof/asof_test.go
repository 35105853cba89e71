package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/dashboard/report"
	"zhiban/deploy/embedded"
	"zhiban/ingest/simulate"
	"zhiban/projector"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// The promise that figures can be asked as of any past moment: a province's
// events arrive in portions, corrections, voids, late and doubled ones among
// them; behind each portion random questions are asked. Asked again at the end as
// of those moments, and once more from tables rebuilt from the log, they have
// the same answers.
func TestEveryPastMomentKeepsItsAnswers(t *testing.T) {
	ctx := t.Context()
	engines, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Topics: map[string]int{schemas.Topic: 3, schemas.DeadLetterTopic: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer engines.Close()
	if err := warehouse.Migrate(ctx, engines.ClickHouse().DSN()); err != nil {
		t.Fatal(err)
	}
	conn, err := warehouse.Open(ctx, engines.ClickHouse().DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	config := projector.Config{Brokers: []string{engines.Kafka()}, Linger: time.Millisecond}
	p, err := projector.New(config, conn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	projecting, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- p.Run(projecting) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()

	sim, err := simulate.New(simulate.Config{From: schemas.Date(2026, 1, 1), To: schemas.Date(2026, 3, 31), Seed: 7, Scale: 0.05, Stamped: true})
	if err != nil {
		t.Fatal(err)
	}
	events := slices.Collect(sim.Events())
	log := &kafka.Writer{Addr: kafka.TCP(engines.Kafka()), Topic: schemas.Topic, Balancer: kafka.Murmur2Balancer{Consistent: true}, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	defer log.Close()
	figures := report.New(conn)
	random := rand.New(rand.NewPCG(1, 2))

	type answer struct {
		query report.Query
		rows  []report.Row
	}
	var answers []answer
	sent := int64(0)
	var sofar time.Time
	for len(events) > 0 {
		portion := events[:min(len(events), 1+random.IntN(len(events)/2+50))]
		events = events[len(portion):]
		var messages []kafka.Message
		for _, e := range portion {
			event, err := e.Parse()
			if err != nil {
				t.Fatal(err)
			}
			if event.Recorded.After(sofar) {
				sofar = event.Recorded
			}
			value, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			messages = append(messages, kafka.Message{Key: []byte(event.Source.Key()), Value: value, Time: sofar})
		}
		if len(events) > 0 { // what comes next is recorded later
			for next, err := events[0].Parse(); err == nil && !next.Recorded.After(sofar); next, err = events[0].Parse() {
				value, _ := json.Marshal(events[0])
				messages = append(messages, kafka.Message{Key: []byte(next.Source.Key()), Value: value, Time: sofar})
				if events = events[1:]; len(events) == 0 {
					break
				}
			}
		}
		if err := log.WriteMessages(ctx, messages...); err != nil {
			t.Fatal(err)
		}
		sent += int64(len(messages))
		waitProjected(t, figures, sent)
		for range 6 {
			q := randomQuery(random, sofar)
			s, err := figures.Statistics(ctx, report.ProvinceWide, q)
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			answers = append(answers, answer{q, s.Rows})
		}
	}

	again := func(when string) {
		t.Helper()
		rows := 0
		for _, a := range answers {
			s, err := figures.Statistics(ctx, report.ProvinceWide, a.query)
			if err != nil {
				t.Fatal(err)
			}
			rows += len(s.Rows)
			if diff := cmp.Diff(a.rows, s.Rows); diff != "" {
				t.Fatalf("%s: as of %s, %v by %v (-then +now):\n%s", when, a.query.AsOf, a.query.Indicators, a.query.By, diff)
			}
		}
		t.Logf("%s: %d questions, %d rows the same", when, len(answers), rows)
	}
	again("from the tables as they grew")
	for range 20 {
		partsMakeTheWhole(t, figures, randomQuery(random, sofar), random)
	}
	for range 4 {
		postingsMakeTheFigure(t, figures, randomQuery(random, sofar))
	}

	rebuild, err := projector.NewRebuild(ctx, config, conn, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer rebuild.Close()
	if err := rebuild.Fill(ctx, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	if c, err := rebuild.Compare(ctx); err != nil || !c.Equal() {
		t.Fatalf("rebuilt: %+v %v", c, err)
	}
	if _, err := rebuild.Switch(ctx, time.Minute); err != nil {
		t.Fatal(err)
	}
	again("from rebuilt tables")
}

// waitProjected waits until the projection has n records.
func waitProjected(t *testing.T, figures *report.Warehouse, n int64) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		cut, err := figures.Cut(t.Context(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		var have int64
		for _, o := range cut.Offsets {
			have += o
		}
		if have == n {
			return
		}
	}
	t.Fatalf("waited in vain for %d records to be projected", n)
}

// randomQuery asks for a few figures, split by up to two dimensions, as of a
// moment.
func randomQuery(r *rand.Rand, asOf time.Time) report.Query {
	pick := func(n int) bool { return r.IntN(n) == 0 }
	q := report.Query{Division: schemas.Province, From: schemas.Date(2026, 1, 1+r.IntN(28)), To: schemas.Date(2026, 3, 1+r.IntN(31)), AsOf: asOf}
	if pick(2) {
		q.Division = []schemas.DivisionCode{"220100", "220200", "222400", "220182"}[r.IntN(4)]
	}
	if pick(3) {
		q.View = schemas.ViewNow
	}
	dimensions := []report.Dimension{report.ByDivision, report.ByCounty, report.ByStation, report.ByStationKind, report.ByLawyer, report.ByFirm, report.ByMode, report.ByChannel, report.ByPersonRole, report.ByOrgan, report.ByDay, report.ByMonth}
	for range r.IntN(3) {
		if d := dimensions[r.IntN(len(dimensions))]; !slices.Contains(q.By, d) {
			q.By = append(q.By, d)
		}
	}
	byTime := slices.Contains(q.By, report.ByDay) || slices.Contains(q.By, report.ByMonth)
	all := schemas.Indicators.All()
	for len(q.Indicators) < 6 {
		ind := all[r.IntN(len(all))]
		if (ind.Kind != schemas.Stock || !byTime) && !slices.Contains(q.Indicators, ind.Code) {
			q.Indicators = append(q.Indicators, ind.Code)
		}
	}
	return q
}

// While a rebuild switches to tables that say something else, whoever asks two
// questions of one cut has both answers from the same tables.
func TestNobodySeesHalfASwitch(t *testing.T) {
	ctx := t.Context()
	engines, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Topics: map[string]int{schemas.Topic: 1, schemas.DeadLetterTopic: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer engines.Close()
	if err := warehouse.Migrate(ctx, engines.ClickHouse().DSN()); err != nil {
		t.Fatal(err)
	}
	conn, err := warehouse.Open(ctx, engines.ClickHouse().DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	one, two := warehouse.Tables{Version: 1}, warehouse.Tables{Version: 2}
	if err := warehouse.Create(ctx, conn, one, two); err != nil {
		t.Fatal(err)
	}
	for v, tables := range []warehouse.Tables{one, two} {
		for _, fill := range []string{
			"INSERT INTO " + tables.Batches() + " (kafka_partition, first_offset, last_offset, epoch, events, postings, digest, recorded) VALUES (0, 0, 0, 1, 1, 1, '', '2026-09-01 09:00:00')",
			fmt.Sprintf("INSERT INTO %s (kafka_partition, kafka_offset, epoch, recorded, indicator, day, source, quantity) VALUES (0, 0, 1, '2026-09-01 09:00:00', 'shifts', '2026-09-01', '220182-court', %d)", tables.Postings(), v+1),
		} {
			if err := conn.Exec(ctx, fill); err != nil {
				t.Fatal(err)
			}
		}
	}
	figures := report.New(conn)
	ask := func(cut report.Cut) float64 {
		s, err := figures.Statistics(ctx, report.ProvinceWide, report.Query{Division: schemas.Province, From: schemas.Date(2026, 9, 1), To: schemas.Date(2026, 9, 30), Indicators: []schemas.IndicatorCode{schemas.Shifts}, Cut: cut})
		if err != nil {
			t.Error(err)
			return 0
		}
		return s.Value(s.Rows[0], schemas.Shifts)
	}
	switched := make(chan bool)
	seen := map[float64]int{}
	go func() {
		defer close(switched)
		for i := range 20 {
			if err := warehouse.Switch(ctx, conn, []warehouse.Tables{two, one}[i%2]); err != nil {
				t.Error(err)
			}
		}
	}()
	for going := true; going; {
		select {
		case <-switched:
			going = false
		default:
		}
		cut, err := figures.Cut(ctx, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		first, second := ask(cut), ask(cut)
		if first != second {
			t.Fatalf("two questions of one cut were answered %v and %v", first, second)
		}
		seen[first]++
	}
	if seen[1] == 0 || seen[2] == 0 {
		t.Errorf("the switch was not seen: %v", seen)
	}
}
