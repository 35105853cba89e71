package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	json2 "github.com/go-json-experiment/json"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas"
	"zhiban/schemas/kafkaconn"
)

// passRecords is about how many records' histories are kept at a time, over all
// partitions that are read at once.
const passRecords = 500_000

// mostAtOnce bounds how many partitions are read at once: each has its share of
// passRecords, and more processors would only mean more passes.
const mostAtOnce = 4

// checkLog makes sure that the log holds every offset below the cut.
func (v *verifier) checkLog(ctx context.Context) error {
	var asked []kafka.OffsetRequest
	for p := range v.parts {
		asked = append(asked, kafka.FirstOffsetOf(p), kafka.LastOffsetOf(p))
	}
	if len(asked) == 0 {
		return nil
	}
	client := &kafka.Client{Addr: kafka.TCP(v.cfg.Brokers...), Transport: v.cfg.Transport}
	res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{v.cfg.Topic: asked}})
	if err != nil {
		return fmt.Errorf("ask how far the log goes: %w", err)
	}
	var wrong []error
	for _, o := range res.Topics[v.cfg.Topic] {
		part := v.parts[o.Partition]
		switch {
		case o.Error != nil:
			wrong = append(wrong, fmt.Errorf("partition %d of the log: %w", o.Partition, o.Error))
		case o.FirstOffset > 0:
			wrong = append(wrong, fmt.Errorf("partition %d of the log begins at offset %d; its retention must be unlimited", o.Partition, o.FirstOffset))
		case o.LastOffset < part.head:
			wrong = append(wrong, fmt.Errorf("partition %d of the log ends at offset %d, the ledger at %d: records were lost, or the tables are those of another log", o.Partition, o.LastOffset, part.head))
		}
	}
	return errors.Join(wrong...)
}

// read calls do with every record of a partition from first to last, in order.
// A hole is an error, since what stood there would be missing from every figure.
func (v *verifier) read(ctx context.Context, partition int, first, last int64, do func(kafka.Message) error) error {
	if first > last {
		return nil
	}
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: v.cfg.Brokers, Topic: v.cfg.Topic, Partition: partition, Dialer: kafkaconn.Dialer(v.cfg.Transport),
		MinBytes: 1, MaxBytes: 4 << 20, MaxWait: 200 * time.Millisecond, QueueCapacity: 2000,
		ReadBackoffMin: 10 * time.Millisecond, ReadBackoffMax: time.Second,
	})
	defer r.Close()
	if err := r.SetOffset(first); err != nil {
		return fmt.Errorf("read partition %d from offset %d: %w", partition, first, err)
	}
	for next := first; next <= last; {
		m, err := r.FetchMessage(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("read offset %d of partition %d: %w", next, partition, err)
		case m.Offset < next: // delivered again after reconnecting
			continue
		case m.Offset > next:
			return fmt.Errorf("read offset %d of partition %d: the log goes on at %d; its retention must be unlimited", next, partition, m.Offset)
		}
		if err := do(m); err != nil {
			return err
		}
		next++
	}
	return nil
}

// passes is in how many passes a partition is read when some are read at once.
func (v *verifier) passes(p *part) int {
	room := int64(v.passRecords / v.atOnce)
	return int(max(1, (p.head+room-1)/room))
}

// cases reads a partition below the cut and calls do with every case's history
// as one source tells it: what two sources say of a case is not put together.
// seen, unless nil, is called once for every record: with its event, or with the
// reason why it is none, or with neither when it is parked.
func (v *verifier) cases(ctx context.Context, p *part, seen func(kafka.Message, *schemas.Event, error) error, do func(schemas.CaseID, []record)) error {
	passes := v.passes(p)
	for pass := range passes {
		type told struct {
			by schemas.Source
			of schemas.CaseID
		}
		cases := map[told][]record{}
		err := v.read(ctx, p.partition, 0, p.head-1, func(m kafka.Message) error {
			v.progress(1)
			looked := pass == 0 && seen != nil
			if _, parked := p.parked[m.Offset]; parked {
				if looked {
					return seen(m, nil, nil)
				}
				return nil
			}
			if !looked && passes > 1 && shardOf(m.Value, passes) != pass {
				return nil
			}
			e, err := schemas.ParseEvent(m.Value)
			if looked {
				if err := seen(m, &e, err); err != nil {
					return err
				}
			}
			if err != nil || shard(e.Case, passes) != pass {
				return nil //nolint:nilerr // what cannot be read was reported to seen
			}
			c := told{e.Source, e.Case}
			cases[c] = append(cases[c], record{m.Offset, e.ID, e.Type, e.Source, e.Time, m.Time, e.Payload})
			return nil
		})
		if err != nil {
			return err
		}
		for c, history := range cases {
			do(c.of, history)
		}
	}
	return nil
}

// shardOf finds a record's pass from its subject alone; -1 when it has none.
func shardOf(value []byte, passes int) int {
	var e struct {
		Subject string `json:"subject"`
	}
	if json2.Unmarshal(value, &e) != nil {
		return -1
	}
	c, err := schemas.ParseCaseID(e.Subject)
	if err != nil {
		return -1
	}
	return shard(c, passes)
}

func shard(c schemas.CaseID, passes int) int {
	if passes == 1 {
		return 0
	}
	return int(xxhash.Sum64String(c.String()) % uint64(passes))
}
