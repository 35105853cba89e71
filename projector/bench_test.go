package projector

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"zhiban/ingest/simulate"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// The benchmarks of this file write one simulated log of about two million events,
// as it would be recorded over a year, from four partitions into ClickHouse: by
// the projector, by a bare loop without any guarantee, and by ClickHouse's own
// Kafka engine. Each prints events and rows a second, and the CPU and memory of
// this process — the embedded broker is in it — and of ClickHouse:
//
//	go test -run '^$' -bench 'Project|BareLoop|KafkaEngine' -benchtime 1x ./projector
//
// The projector writes the log, what it amounts to and its ledger; the others
// write the log alone.

// BenchmarkProject projects, collecting garbage as the program does.
func BenchmarkProject(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(300))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(512 << 20))
	overTheLog(b, "SELECT toInt64(sum(h)) FROM (SELECT max(last_offset) + 1 AS h FROM batches_v1 GROUP BY kafka_partition)", []string{"events_v1", "postings_v1"},
		func(ctx context.Context, f *fixture, topic string) error {
			p, err := New(Config{Brokers: f.brokers, Group: topic, Topic: topic}, f.conn, slog.New(f.log))
			if err != nil {
				return err
			}
			return p.Run(ctx)
		})
}

// BenchmarkBareLoop reads, decodes and appends to one table, and that is all.
func BenchmarkBareLoop(b *testing.B) {
	overTheLog(b, "SELECT toInt64(count()) FROM events_v1", []string{"events_v1"}, func(ctx context.Context, f *fixture, topic string) error {
		group, ctx := errgroup.WithContext(ctx)
		for partition := range benchPartitions {
			group.Go(func() error { return bareLoop(ctx, f, topic, partition) })
		}
		return group.Wait()
	})
}

func bareLoop(ctx context.Context, f *fixture, topic string, partition int) error {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: f.brokers, Topic: topic, Partition: partition, MinBytes: 1, MaxBytes: 2 << 20, MaxWait: time.Second, QueueCapacity: 2000})
	defer r.Close()
	for ctx.Err() == nil {
		block, err := f.conn.PrepareBatch(ctx, "INSERT INTO events_v1 (kafka_partition, kafka_offset, epoch, id_start, id_rest, type, case_kind, case_key, source, time, recorded, recorded_by, data)")
		if err != nil {
			return err
		}
		waiting, cancel := context.WithTimeout(ctx, time.Second)
		rows := 0
		for ; rows < 25_000; rows++ {
			m, err := r.FetchMessage(waiting)
			if err != nil {
				break // the log has no more, or none for a while
			}
			e, err := schemas.ParseEvent(m.Value)
			if err == nil {
				start, rest := warehouse.SplitID(e.ID, e.Time)
				err = block.Append(uint16(partition), uint64(m.Offset), uint32(1), start, rest, e.Type.Name, string(e.Case.Kind), e.Case.Key, e.Source.Key(), e.Time, m.Time, e.RecordedBy, string(e.Data))
			}
			if err != nil {
				cancel()
				return err
			}
		}
		cancel()
		if rows == 0 {
			err = block.Abort()
		} else {
			err = block.Send()
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// BenchmarkKafkaEngine lets ClickHouse read the log itself.
func BenchmarkKafkaEngine(b *testing.B) {
	overTheLog(b, "SELECT toInt64(count()) FROM events_v1", []string{"events_v1"}, func(ctx context.Context, f *fixture, topic string) error {
		for _, ddl := range []string{
			fmt.Sprintf(`CREATE TABLE bench_queue (message String) ENGINE = Kafka SETTINGS kafka_broker_list = '%s', kafka_topic_list = '%s', kafka_group_name = '%s.engine',
				kafka_format = 'JSONAsString', kafka_num_consumers = %d, kafka_thread_per_consumer = 1, kafka_max_block_size = 25000, kafka_poll_max_batch_size = 25000`, f.brokers[0], topic, topic, benchPartitions),
			`CREATE MATERIALIZED VIEW bench_view TO events_v1 AS WITH reinterpret(toUUID(JSONExtractString(message, 'id')), 'UInt128') AS whole SELECT
				_partition AS kafka_partition, _offset AS kafka_offset, 1 AS epoch,
				toUInt64(whole % bitShiftLeft(toUInt128(1), 64)) - 65536 * toUInt64(toUnixTimestamp64Milli(time)) AS id_start, toUInt64(bitShiftRight(whole, 64)) AS id_rest, JSONExtractString(message, 'type') AS type,
				splitByChar('/', JSONExtractString(message, 'subject'))[1] AS case_kind, splitByChar('/', JSONExtractString(message, 'subject'))[2] AS case_key,
				splitByChar('/', JSONExtractString(message, 'source'))[3] AS source, parseDateTime64BestEffort(JSONExtractString(message, 'time'), 3, 'Asia/Shanghai') AS time,
				_timestamp_ms AS recorded, JSONExtractString(message, 'recordedby') AS recorded_by, JSONExtractRaw(message, 'data') AS data FROM bench_queue`,
		} {
			if err := f.conn.Exec(ctx, ddl); err != nil {
				return err
			}
		}
		<-ctx.Done()
		for _, drop := range []string{"DROP VIEW bench_view SYNC", "DROP TABLE bench_queue SYNC"} {
			if err := f.conn.Exec(context.Background(), drop); err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkRebuild rebuilds the tables of five years, about ten million events,
// and compares them, when the merging of the tables in use has ended:
//
//	go test -run '^$' -bench Rebuild -benchtime 1x -timeout 30m ./projector
func BenchmarkRebuild(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(300))
	for range b.N {
		b.StopTimer()
		f, ctx := newFixture(b), b.Context()
		topic, n := benchTopic(b, f, 2021)
		cfg := Config{Brokers: f.brokers, Group: topic, Topic: topic}
		p, err := New(cfg, f.conn, slog.New(f.log))
		if err != nil {
			b.Fatal(err)
		}
		running, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- p.Run(running) }()
		for f.number("SELECT toInt64(sum(h)) FROM (SELECT max(last_offset) + 1 AS h FROM batches_v1 GROUP BY kafka_partition)") < n {
			time.Sleep(time.Second)
		}
		stop()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		for f.number("SELECT toInt64(count()) FROM system.merges") > 0 {
			time.Sleep(time.Second)
		}
		debug.FreeOSMemory()
		own, server := used(b)
		b.StartTimer()
		began := time.Now()
		r, err := NewRebuild(ctx, cfg, f.conn, false, slog.New(f.log))
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Fill(ctx, func(int64, int64) {}); err != nil {
			b.Fatal(err)
		}
		filled := time.Since(began).Seconds()
		compared, err := r.Compare(ctx)
		if err != nil || !compared.Equal() {
			b.Fatalf("compared %+v: %v", compared, err)
		}
		b.StopTimer()
		ownAfter, serverAfter := used(b)
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(n), "events")
		b.ReportMetric(float64(n)/filled, "events/s")
		b.ReportMetric(time.Since(began).Seconds()-filled, "s-to-compare")
		b.ReportMetric(ownAfter.cpu-own.cpu, "cpu-s")
		b.ReportMetric(serverAfter.cpu-server.cpu, "clickhouse-cpu-s")
		b.ReportMetric(float64(ownAfter.rss>>20), "MB")
		b.ReportMetric(float64(compared.Figures), "figures")
	}
}

// benchPartitions is how many partitions the log has.
const benchPartitions = 4

// overTheLog runs write until a query says that all is there.
func overTheLog(b *testing.B, arrived string, tables []string, write func(ctx context.Context, f *fixture, topic string) error) {
	for range b.N {
		b.StopTimer()
		f, ctx := newFixture(b), b.Context()
		topic, n := benchTopic(b, f, 2025)
		debug.FreeOSMemory()
		own, server := used(b)
		running, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		b.StartTimer()
		began := time.Now()
		go func() { done <- write(running, f, topic) }()
		var peak, serverPeak int64
		for f.number(arrived) < n {
			o, s := used(b)
			peak, serverPeak = max(peak, o.rss), max(serverPeak, s.rss)
			time.Sleep(50 * time.Millisecond)
		}
		took := time.Since(began).Seconds()
		b.StopTimer()
		ownAfter, serverAfter := used(b)
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
		b.StartTimer()
		rows := float64(0)
		for _, t := range tables {
			rows += float64(f.number("SELECT toInt64(count()) FROM " + t))
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(n), "events")
		b.ReportMetric(float64(n)/took, "events/s")
		b.ReportMetric(rows/took, "rows/s")
		b.ReportMetric(ownAfter.cpu-own.cpu, "cpu-s")
		b.ReportMetric(serverAfter.cpu-server.cpu, "clickhouse-cpu-s")
		b.ReportMetric(float64(peak>>20), "MB-peak")
		b.ReportMetric(float64(serverPeak>>20), "clickhouse-MB-peak")
		b.ReportMetric(float64(f.number("SELECT toInt64(sum(bytes_on_disk)) FROM system.parts WHERE active AND database = currentDatabase()"))/float64(n), "bytes/event")
	}
}

// usage is what a process used: CPU seconds, and bytes of memory now.
type usage struct {
	cpu float64
	rss int64
}

// used reads the usage of this process and of its child, ClickHouse.
func used(b *testing.B) (own, server usage) {
	read := func(pid string) (u usage, parent string) {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			return u, ""
		}
		field := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:])) // from the third on
		user, _ := strconv.ParseFloat(field[11], 64)
		system, _ := strconv.ParseFloat(field[12], 64)
		pages, _ := strconv.ParseInt(field[21], 10, 64)
		return usage{(user + system) / 100, pages * int64(os.Getpagesize())}, field[1]
	}
	me := strconv.Itoa(os.Getpid())
	own, _ = read(me)
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range processes {
		if u, parent := read(filepath.Base(p)); parent == me {
			server = u
		}
	}
	return own, server
}

// benchTopic is a topic with the simulated events of the years from first to 2025,
// two million each, and how many records it has.
func benchTopic(b *testing.B, f *fixture, first int) (topic string, n int64) {
	topic = f.topic + ".bench"
	res, err := f.client.CreateTopics(b.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: benchPartitions, ReplicationFactor: 1}}})
	if err != nil || res.Errors[topic] != nil {
		b.Fatal(err, res)
	}
	sim, err := simulate.New(simulate.Config{From: schemas.Date(first, 1, 1), To: schemas.Date(2025, 12, 31), Seed: 1, Scale: 4.65, Stamped: true})
	if err != nil {
		b.Fatal(err)
	}
	w := &kafka.Writer{Addr: f.client.Addr, Topic: topic, Transport: f.client.Transport, RequiredAcks: kafka.RequireAll, Compression: kafka.Lz4,
		Balancer: kafka.Murmur2Balancer{Consistent: true}, BatchTimeout: time.Millisecond, BatchSize: 5000, BatchBytes: 900_000}
	defer w.Close()
	var msgs []kafka.Message
	for e := range sim.Events() {
		event, err := e.Parse()
		if err != nil {
			b.Fatal(err)
		}
		value, err := json.Marshal(event.Envelope())
		if err != nil {
			b.Fatal(err)
		}
		msgs = append(msgs, kafka.Message{Key: []byte(event.Source.Key()), Value: value, Time: event.Recorded})
		n++
		if len(msgs) == 20_000 {
			if err := w.WriteMessages(b.Context(), msgs...); err != nil {
				b.Fatal(err)
			}
			msgs = msgs[:0]
		}
	}
	if err := w.WriteMessages(b.Context(), msgs...); err != nil {
		b.Fatal(err)
	}
	return topic, n
}
