package projector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// A parked record that can be read by now, as after an upgrade that knows its
// type, is not projected where it stands: figures of past moments were given
// without it. It is appended to the log again, in its own partition and with its
// own id, and counts from there on, like every event that comes late. Should it
// be appended twice, it counts once.

// Replayed is what replaying did.
type Replayed struct {
	Appended int   // records appended to the log again
	Left     int   // records that still cannot be read
	Reason   error // why the first of them cannot
}

// Replay appends what is parked in the current version of the tables and can be
// read by now to the log again. A record that already was is left alone.
func (p *Projector) Replay(ctx context.Context) (Replayed, error) {
	tables, err := p.current(ctx)
	if err != nil {
		return Replayed{}, err
	}
	return p.replay(ctx, tables, "true")
}

// replay does so for the worker's partition.
func (w *worker) replay(ctx context.Context) error {
	if w.cfg.Tables.Version > 0 {
		return nil // a rebuild only reads the log
	}
	done, err := w.Projector.replay(ctx, w.tables, fmt.Sprintf("kafka_partition = %d", w.partition))
	if done.Appended > 0 {
		w.log.Info("parked records can be read by now; appended to the log again", "records", done.Appended)
	}
	return err
}

func (p *Projector) replay(ctx context.Context, tables warehouse.Tables, where string) (Replayed, error) {
	parked, err := parkedRecords(ctx, p.conn, tables, where)
	if err != nil {
		return Replayed{}, err
	}
	var done Replayed
	for _, r := range parked {
		if r.Replayed {
			continue
		}
		if _, err := p.read(r.Value); err != nil {
			if done.Left++; done.Reason == nil {
				done.Reason = fmt.Errorf("offset %d of partition %d: %w", r.Offset, r.Partition, err)
			}
			continue
		}
		if err := p.appendAgain(ctx, r); err != nil {
			return done, fmt.Errorf("append offset %d of partition %d to the log again: %w", r.Offset, r.Partition, err)
		}
		done.Appended++
	}
	return done, nil
}

// ParkedRecord is a record of the log that could not be read.
type ParkedRecord struct {
	Partition             int
	Offset                int64
	ID                    schemas.EventID // zero when not even that can be read
	Type, Source, Subject string
	Recorded              time.Time
	Reason                string
	Key, Value            []byte
	Replayed              bool // its event stands in the log, readable, as well
}

// ParkedRecords lists what is parked in the current version of the tables, in the
// order of the log.
func ParkedRecords(ctx context.Context, conn driver.Conn) ([]ParkedRecord, error) {
	tables, err := warehouse.Current(ctx, conn)
	if err != nil {
		return nil, err
	}
	return parkedRecords(ctx, conn, tables, "true")
}

func parkedRecords(ctx context.Context, conn driver.Conn, tables warehouse.Tables, where string) ([]ParkedRecord, error) {
	rows, err := conn.Query(ctx, `SELECT kafka_partition, kafka_offset, id, type, source, subject, recorded, reason, key, value,
			id IN (SELECT id FROM `+tables.Events()+` WHERE id IN (SELECT id FROM `+tables.Parked()+`))
		FROM `+tables.Parked()+` WHERE `+where+` ORDER BY kafka_partition, kafka_offset`)
	if err != nil {
		return nil, fmt.Errorf("list what is parked: %w", err)
	}
	defer rows.Close()
	var out []ParkedRecord
	for rows.Next() {
		var r ParkedRecord
		var partition uint16
		var offset uint64
		var key, value string
		if err := rows.Scan(&partition, &offset, &r.ID, &r.Type, &r.Source, &r.Subject, &r.Recorded, &r.Reason, &key, &value, &r.Replayed); err != nil {
			return nil, fmt.Errorf("list what is parked: %w", err)
		}
		r.Partition, r.Offset, r.Key, r.Value = int(partition), int64(offset), []byte(key), []byte(value)
		out = append(out, r)
	}
	return out, rows.Err()
}

func (p *Projector) appendAgain(ctx context.Context, r ParkedRecord) error {
	res, err := p.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: p.cfg.Topic, Partition: r.Partition, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Key: kafka.NewBytes(r.Key), Value: kafka.NewBytes(r.Value)}),
	})
	if err != nil {
		return err
	}
	return errors.Join(res.Error, errors.Join(slices.Collect(maps.Values(res.RecordErrors))...))
}
