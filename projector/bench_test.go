package projector

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"

	"zhiban/ingest/simulate"
	"zhiban/schemas"
)

// BenchmarkProject projects a simulated log of about a million events, as it
// would be recorded over a year, from four partitions. One run is enough:
//
//	go test -run '^$' -bench Project -benchtime 1x ./projector
func BenchmarkProject(b *testing.B) {
	for range b.N {
		b.StopTimer()
		f, ctx := newFixture(b), b.Context()
		topic := f.topic + ".bench"
		res, err := f.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 4, ReplicationFactor: 1}}})
		if err != nil || res.Errors[topic] != nil {
			b.Fatal(err, res)
		}
		n := fillTopic(b, f, topic)
		p, err := New(Config{Brokers: []string{engines.Kafka()}, Group: topic, Topic: topic}, f.conn, slog.New(f.log))
		if err != nil {
			b.Fatal(err)
		}
		running, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		b.StartTimer()
		began := time.Now()
		go func() { done <- p.Run(running) }()
		f.until(n, "SELECT toInt64(sum(h)) FROM (SELECT max(last_offset) + 1 AS h FROM batches GROUP BY kafka_partition)")
		took := time.Since(began)
		b.StopTimer()
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
		b.StartTimer()
		b.ReportMetric(float64(n)/took.Seconds(), "events/s")
		b.ReportMetric(float64(n), "events")
		b.ReportMetric(float64(f.number("SELECT toInt64(count()) FROM postings"))/float64(n), "postings/event")
		b.ReportMetric(float64(f.number("SELECT toInt64(sum(bytes_on_disk)) FROM system.parts WHERE active AND database = currentDatabase()"))/float64(n), "bytes/event")
		b.ReportMetric(float64(f.number("SELECT toInt64(count()) FROM batches")), "batches")
	}
}

// fillTopic writes the simulated events and returns how many records the topic
// has.
func fillTopic(b *testing.B, f *fixture, topic string) (n int64) {
	sim, err := simulate.New(simulate.Config{From: schemas.Date(2025, 1, 1), To: schemas.Date(2025, 12, 31), Seed: 1, Scale: 3.25, Stamped: true})
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
	return n
}
