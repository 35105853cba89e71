package ingest

import (
	"cmp"
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
// their own recordedtime: a made-up past, in order of recording, with persons and
// texts protected by keys as those of every event. Events that happen now go
// through the [Server]. It returns when all are acknowledged by all in-sync
// replicas; written is told of each event that is under way.
func AppendRecorded(ctx context.Context, brokers []string, keys Keys, events iter.Seq[schemas.Envelope], written func(schemas.Envelope)) error {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	w := &kafka.Writer{
		Addr: kafka.TCP(brokers...), Topic: schemas.Topic, Transport: transport, RequiredAcks: kafka.RequireAll,
		Balancer: kafka.Murmur2Balancer{Consistent: true}, Compression: kafka.Lz4,
		BatchSize: 5000, BatchBytes: maxBatchBytes, BatchTimeout: time.Millisecond,
	}
	defer func() { _ = w.Close() }() // every batch was waited for
	var batch []schemas.Event
	flush := func() error {
		var wrong error
		if err := protect(ctx, keys, batch, func(i int, e schemas.FieldError) {
			wrong = fmt.Errorf("append event %s: %s", batch[i].ID, e)
		}); err != nil || wrong != nil {
			return cmp.Or(wrong, err)
		}
		messages := make([]kafka.Message, len(batch))
		for i, event := range batch {
			value, err := json.Marshal(event.Envelope())
			if err != nil {
				return fmt.Errorf("append event %s: %w", event.ID, err)
			}
			messages[i] = kafka.Message{Key: []byte(event.Source.Key()), Value: value, Time: event.Recorded}
		}
		if err := w.WriteMessages(ctx, messages...); err != nil {
			return fmt.Errorf("append %d recorded events: %w", len(messages), err)
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
		event.RecordedBy = cmp.Or(event.RecordedBy, "demo")
		batch = append(batch, event)
		written(e)
		if len(batch) == recordedBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
