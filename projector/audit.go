package projector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas"
	"zhiban/schemas/audit"
	"zhiban/schemas/kafkaconn"
)

const (
	auditBatch = 1000
	auditWait  = 200 * time.Millisecond // for more of a batch
	auditRetry = time.Second
)

// ProjectAudit copies the audit trail into the warehouse until ctx ends. It
// begins behind what is there; a record's place is its key, so what is copied
// twice, by a restart or by two projectors, is one. transport carries TLS
// and SASL; nil is plain TCP.
func ProjectAudit(ctx context.Context, brokers []string, transport *kafka.Transport, conn driver.Conn, log *slog.Logger) error {
	if len(brokers) == 0 {
		return errors.New("project the audit trail: name the brokers")
	}
	for {
		err := copyAudit(ctx, brokers, transport, conn)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // told to end, which is why it failed
		}
		log.Warn("the audit trail is not copied; trying again", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(auditRetry):
		}
	}
}

func copyAudit(ctx context.Context, brokers []string, transport *kafka.Transport, conn driver.Conn) error {
	var next int64
	if err := conn.QueryRow(ctx, `SELECT if(count() = 0, 0, toInt64(max(kafka_offset)) + 1) FROM audit`).Scan(&next); err != nil {
		return fmt.Errorf("find the end of the audit table: %w", err)
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: brokers, Topic: schemas.AuditTopic, Partition: 0, Dialer: kafkaconn.Dialer(transport), MinBytes: 1, MaxBytes: 4 << 20, MaxWait: 250 * time.Millisecond})
	defer r.Close()
	if err := r.SetOffset(next); err != nil {
		return fmt.Errorf("read the audit trail from %d: %w", next, err)
	}
	for {
		m, err := r.FetchMessage(ctx)
		if err != nil {
			return fmt.Errorf("read the audit trail: %w", err)
		}
		batch, err := conn.PrepareBatch(ctx, `INSERT INTO audit (kafka_offset, time, account, role, address, action, object, outcome, detail)`)
		if err != nil {
			return fmt.Errorf("write the audit table: %w", err)
		}
		more, stop := context.WithTimeout(ctx, auditWait)
		for rows := 0; err == nil; m, err = r.FetchMessage(more) {
			if m.Offset < next { // delivered again after reconnecting
				continue
			}
			next = m.Offset + 1
			x := auditRecord(m)
			if err = batch.Append(uint64(m.Offset), x.Time, x.Account, x.Role, x.Address, x.Action, x.Object, x.Outcome, x.Detail); err != nil {
				break
			}
			if rows++; rows >= auditBatch {
				break
			}
		}
		stop()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, io.EOF) {
			_ = batch.Abort()
			return fmt.Errorf("copy the audit trail: %w", err)
		}
		if err := batch.Send(); err != nil {
			return fmt.Errorf("write the audit table: %w", err)
		}
	}
}

// auditRecord reads a record of the trail; one that cannot be read is in the
// table all the same, as what it is.
func auditRecord(m kafka.Message) audit.Record {
	var x audit.Record
	if err := json.Unmarshal(m.Value, &x); err != nil || x.Action == "" {
		return audit.Record{Time: m.Time, Action: "unreadable", Outcome: "failed", Detail: string(m.Value[:min(len(m.Value), 2000)])}
	}
	if x.Time.IsZero() || x.Time.Year() < 1900 || x.Time.Year() > 2299 {
		x.Time = m.Time
	}
	return x
}
