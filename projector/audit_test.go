package projector

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas"
	"zhiban/schemas/audit"
)

// The trail is in the warehouse once, in its order, whatever stops and starts.
func TestTheAuditTrailIsCopiedOnce(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	if err := f.conn.Exec(ctx, "TRUNCATE TABLE audit"); err != nil {
		t.Fatal(err)
	}
	trail, err := audit.Open(ctx, audit.Config{Brokers: f.brokers})
	if err != nil {
		t.Fatal(err)
	}
	defer trail.Close()
	note := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			if err := trail.Record(ctx, audit.Record{Account: fmt.Sprintf("clerk-%d", i), Role: "county", Address: "10.0.0.1", Action: audit.Export, Object: "/api/v1/postings.csv"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	run := func() (stop func()) {
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- ProjectAudit(ctx, f.brokers, nil, f.least, slog.New(slog.DiscardHandler)) }()
		return func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	held := func(want uint64) {
		t.Helper()
		for {
			var n, offsets uint64
			if err := f.conn.QueryRow(ctx, "SELECT count(), uniqExact(kafka_offset) FROM audit FINAL").Scan(&n, &offsets); err != nil {
				t.Fatal(err)
			}
			if n != offsets || n > want {
				t.Fatalf("%d records at %d places, want %d", n, offsets, want)
			}
			if n == want {
				return
			}
			select {
			case <-ctx.Done():
				t.Fatal(ctx.Err())
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	note(0, 20)
	stop := run()
	held(20)
	stop()
	note(20, 30)
	w := &kafka.Writer{Addr: kafka.TCP(f.brokers...), Topic: schemas.AuditTopic, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Nanosecond}
	defer w.Close()
	if err := w.WriteMessages(ctx, kafka.Message{Value: []byte("not a record")}); err != nil {
		t.Fatal(err)
	}
	first, second := run(), run() // two at once
	held(31)
	note(30, 35)
	held(36)
	first()
	second()
	var action, detail string
	if err := f.conn.QueryRow(ctx, "SELECT action, detail FROM audit FINAL WHERE kafka_offset = 30").Scan(&action, &detail); err != nil || action != "unreadable" || detail != "not a record" {
		t.Errorf("%s %q %v", action, detail, err)
	}
	var account string
	if err := f.conn.QueryRow(ctx, "SELECT account FROM audit FINAL ORDER BY kafka_offset LIMIT 1 OFFSET 31").Scan(&account); err != nil || account != "clerk-30" {
		t.Errorf("%s %v", account, err)
	}
}
