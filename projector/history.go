package projector

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/bits-and-blooms/bloom/v3"
	"github.com/cespare/xxhash/v2"
	lru "github.com/hashicorp/golang-lru/v2"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// history knows what a partition's cases were before the event at hand. Most
// events begin a case, or follow soon after the one that did; so a Bloom filter
// says which cases have begun, a cache holds recent ones, and only the rest is
// looked up. Lookups read offsets below the batch alone, so a batch that is done
// again sees what it saw the first time.
type history struct {
	conn      driver.Conn
	tables    warehouse.Tables
	partition int
	behind    int64 // the offset it is behind: it knows all events below
	begun     *bloom.BloomFilter
	recent    *lru.Cache[schemas.CaseID, []schemas.Event]
	batch     map[schemas.CaseID][]schemas.Event // of the cases in the batch at hand
}

// lookupChunk is how many cases one lookup asks for.
const lookupChunk = 1000

// newHistory reads which cases have begun below an offset.
func newHistory(ctx context.Context, conn driver.Conn, tables warehouse.Tables, partition int, below int64, cached int) (*history, error) {
	recent, err := lru.New[schemas.CaseID, []schemas.Event](cached)
	if err != nil {
		return nil, err
	}
	h := &history{conn: conn, tables: tables, partition: partition, behind: below, recent: recent, batch: map[schemas.CaseID][]schemas.Event{}}
	h.begun = bloom.NewWithEstimates(uint(max(1_000_000, 2*below)), 1e-4)
	rows, err := conn.Query(ctx, `SELECT xxHash64(concat(case_kind, '/', case_key)) FROM `+tables.Events()+`
		WHERE kafka_partition = ? AND kafka_offset < ?`, partition, below)
	if err != nil {
		return nil, fmt.Errorf("read the cases of partition %d: %w", partition, err)
	}
	defer rows.Close()
	for rows.Next() {
		var hash uint64
		if err := rows.Scan(&hash); err != nil {
			return nil, err
		}
		h.begun.Add(hashKey(hash))
	}
	return h, rows.Err()
}

func hashKey(hash uint64) []byte {
	return []byte{byte(hash), byte(hash >> 8), byte(hash >> 16), byte(hash >> 24), byte(hash >> 32), byte(hash >> 40), byte(hash >> 48), byte(hash >> 56)}
}

func caseHash(c schemas.CaseID) []byte { return hashKey(xxhash.Sum64String(c.String())) }

// load makes the histories of all cases in events ready; below is the first
// offset of the batch they are from.
func (h *history) load(ctx context.Context, events []schemas.Event, below int64) error {
	h.settle()
	var unknown []schemas.CaseID
	for _, e := range events {
		if _, ok := h.batch[e.Case]; ok {
			continue
		}
		past, ok := h.recent.Get(e.Case)
		if !ok && h.begun.Test(caseHash(e.Case)) {
			unknown = append(unknown, e.Case)
		}
		h.batch[e.Case] = past
	}
	for len(unknown) > 0 {
		n := min(lookupChunk, len(unknown))
		if err := h.lookup(ctx, unknown[:n], below); err != nil {
			return fmt.Errorf("look up %d cases of partition %d: %w", n, h.partition, err)
		}
		unknown = unknown[n:]
	}
	return nil
}

// settle keeps the recent ones of the last batch's cases and forgets the rest.
func (h *history) settle() {
	for c, past := range h.batch {
		h.recent.Add(c, past)
	}
	h.batch = map[schemas.CaseID][]schemas.Event{}
}

func (h *history) lookup(ctx context.Context, cases []schemas.CaseID, below int64) error {
	keys := make([]string, len(cases))
	for i, c := range cases {
		keys[i] = c.Key
	}
	rows, err := h.conn.Query(ctx, `SELECT `+warehouse.EventColumns+` FROM `+h.tables.Events()+`
		WHERE kafka_partition = ? AND kafka_offset < ? AND case_key IN ?
		ORDER BY kafka_offset SETTINGS max_query_size = 1048576`, h.partition, below, keys)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := warehouse.ScanEvent(rows)
		if err != nil {
			return err
		}
		if _, wanted := h.batch[e.Case]; wanted { // the same key may stand under another kind
			h.batch[e.Case] = append(h.batch[e.Case], e)
		}
	}
	return rows.Err()
}

// of is the history of a case before the event at hand.
func (h *history) of(c schemas.CaseID) []schemas.Event { return h.batch[c] }

// append makes e part of its case's history.
func (h *history) append(e schemas.Event) {
	e.Data = nil // the payload is enough, and the JSON is what takes the room
	past := h.batch[e.Case]
	if past == nil {
		h.begun.Add(caseHash(e.Case))
	}
	h.batch[e.Case] = append(past, e)
}
