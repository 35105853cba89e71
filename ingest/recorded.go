package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/segmentio/kafka-go"

	"zhiban/schemas"
)

// recordedBatch is how many events AppendRecorded hands over at once.
const recordedBatch = 20_000

// AppendRecorded writes events to the log that were recorded before and carry
// their own recordedtime: a made-up past, in order of recording. Events that
// happen now go through the [Server]. It returns when all are acknowledged by
// all in-sync replicas; written is told of each event that is under way.
func AppendRecorded(ctx context.Context, brokers []string, events iter.Seq[schemas.Envelope], written func(schemas.Envelope)) error {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	w := &kafka.Writer{
		Addr: kafka.TCP(brokers...), Topic: schemas.Topic, Transport: transport, RequiredAcks: kafka.RequireAll,
		Balancer: kafka.Murmur2Balancer{Consistent: true}, Compression: kafka.Lz4,
		BatchSize: 5000, BatchBytes: maxBatchBytes, BatchTimeout: time.Millisecond,
	}
	defer func() { _ = w.Close() }() // every batch was waited for
	var batch []kafka.Message
	flush := func() error {
		if err := w.WriteMessages(ctx, batch...); err != nil {
			return fmt.Errorf("append %d recorded events: %w", len(batch), err)
		}
		batch = batch[:0]
		return nil
	}
	for e := range events {
		event, err := e.Parse()
		if err != nil {
			return fmt.Errorf("append event %s: %w", e.ID, err)
		}
		if event.Recorded.IsZero() {
			return fmt.Errorf("append event %s: it has no recordedtime", e.ID)
		}
		value, err := json.Marshal(event.Envelope())
		if err != nil {
			return fmt.Errorf("append event %s: %w", e.ID, err)
		}
		batch = append(batch, kafka.Message{Key: []byte(event.Source.Key()), Value: value, Time: event.Recorded})
		written(e)
		if len(batch) == recordedBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
