package projector

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	kafka "github.com/segmentio/kafka-go"
)

// batchRange is an epoch and a range of offsets, both ends inclusive. Its text
// "epoch:first-last" is the metadata of an intent and the end of a
// deduplication token.
type batchRange struct {
	epoch       uint32
	first, last int64
}

func (r batchRange) String() string { return fmt.Sprintf("%d:%d-%d", r.epoch, r.first, r.last) }

func parseRange(s string) (batchRange, error) {
	var r batchRange
	epoch, offsets, ok := strings.Cut(s, ":")
	first, last, ok2 := strings.Cut(offsets, "-")
	e, err := strconv.ParseUint(epoch, 10, 32)
	f, err1 := strconv.ParseInt(first, 10, 64)
	l, err2 := strconv.ParseInt(last, 10, 64)
	if !ok || !ok2 || err != nil || err1 != nil || err2 != nil || f < 0 || l < f {
		return r, fmt.Errorf("offset metadata %q is not epoch:first-last", s)
	}
	r.epoch, r.first, r.last = uint32(e), f, l
	return r, nil
}

// fence commits offsets as the member of one generation. The broker refuses it
// once the group has moved on.
type fence struct {
	broker    *kafka.Client
	topic     string
	partition int
	gen       *kafka.Generation
}

// commit moves the group's offset; metadata names a pending batch or is empty.
func (f fence) commit(ctx context.Context, offset int64, metadata string) error {
	res, err := f.broker.OffsetCommit(ctx, &kafka.OffsetCommitRequest{
		GroupID: f.gen.GroupID, GenerationID: int(f.gen.ID), MemberID: f.gen.MemberID,
		Topics: map[string][]kafka.OffsetCommit{f.topic: {{Partition: f.partition, Offset: offset, Metadata: metadata}}},
	})
	if err == nil {
		for _, p := range res.Topics[f.topic] {
			if p.Error != nil {
				err = p.Error
			}
		}
	}
	if err != nil {
		return fmt.Errorf("commit offset %d of partition %d: %w", offset, f.partition, err)
	}
	return nil
}

// committed reads the group's offset, -1 when there is none, and its metadata.
func (f fence) committed(ctx context.Context) (int64, string, error) {
	res, err := f.broker.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: f.gen.GroupID, Topics: map[string][]int{f.topic: {f.partition}}})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return 0, "", fmt.Errorf("fetch the group's offset of partition %d: %w", f.partition, err)
	}
	for _, p := range res.Topics[f.topic] {
		if p.Partition == f.partition {
			return p.CommittedOffset, p.Metadata, p.Error
		}
	}
	return -1, "", nil
}
