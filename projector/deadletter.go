package projector

import (
	"context"
	"fmt"
	"strconv"

	kafka "github.com/segmentio/kafka-go"
)

// deadLetter is a record of the log that cannot be read, with the reason.
type deadLetter struct {
	kafka.Message
	reason error
}

// bury appends records to the dead letters before their batch is written: the
// original value under the key "topic/partition/offset", with reason, topic,
// partition and offset as headers. A batch that is done again buries again;
// the key says that it is the same one. A rebuild only reads the log.
func (w *worker) bury(ctx context.Context, letters []deadLetter) error {
	if len(letters) == 0 || w.cfg.Tables.Version > 0 {
		return nil
	}
	out := &kafka.Writer{Addr: w.client.Addr, Topic: w.cfg.DeadLetters, RequiredAcks: kafka.RequireAll, Balancer: &kafka.Hash{}, BatchTimeout: 1, Transport: w.client.Transport}
	defer out.Close()
	msgs := make([]kafka.Message, len(letters))
	for i, l := range letters {
		partition, offset := strconv.Itoa(l.Partition), strconv.FormatInt(l.Offset, 10)
		msgs[i] = kafka.Message{
			Key: []byte(w.topic + "/" + partition + "/" + offset), Value: l.Value, Time: l.Time,
			Headers: []kafka.Header{
				{Key: "reason", Value: []byte(l.reason.Error())}, {Key: "topic", Value: []byte(w.topic)},
				{Key: "partition", Value: []byte(partition)}, {Key: "offset", Value: []byte(offset)},
			},
		}
		w.log.Warn("event parked in the dead letters", "offset", l.Offset, "reason", l.reason)
	}
	if err := out.WriteMessages(ctx, msgs...); err != nil {
		return fmt.Errorf("write %d dead letters of partition %d: %w", len(letters), w.partition, err)
	}
	return nil
}
