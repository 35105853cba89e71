package projector

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/bits-and-blooms/bloom/v3"
	"github.com/cespare/xxhash/v2"
	lru "github.com/hashicorp/golang-lru/v2"

	"zhiban/projector/posting"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// history knows what a partition's files were before the event at hand. Most
// events begin one, or follow soon after the one that did; so a Bloom filter
// says which cases have begun, a cache holds recent files, and only the rest is
// looked up. Lookups read offsets below the batch alone, so a batch that is done
// again sees what it saw the first time.
type history struct {
	conn      driver.Conn
	tables    warehouse.Tables
	partition int
	behind    int64 // the offset it is behind: it knows all events below
	begun     *bloom.BloomFilter
	recent    *lru.Cache[schemas.File, *posting.Case]
	batch     map[schemas.File]*posting.Case // of the batch at hand
	hashing   []byte
}

const (
	// lookupChunk is how many files one lookup asks for.
	lookupChunk = 10_000
	// indexedKeys is how many keys the index by case is asked for at most. It takes
	// one granule in a thousand for one that has a key, wrongly, and so most of all
	// granules when it is asked for a thousand keys.
	indexedKeys = 100
)

// newHistory reads which cases have begun below an offset.
func newHistory(ctx context.Context, conn driver.Conn, tables warehouse.Tables, partition int, below int64, cached int) (*history, error) {
	recent, err := lru.New[schemas.File, *posting.Case](cached)
	if err != nil {
		return nil, err
	}
	h := &history{conn: conn, tables: tables, partition: partition, behind: below, recent: recent, batch: map[schemas.File]*posting.Case{}}
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

// key is a case's key in the filter.
func (h *history) key(c schemas.CaseID) []byte {
	h.hashing = append(append(append(h.hashing[:0], c.Kind...), '/'), c.Key...)
	return hashKey(xxhash.Sum64(h.hashing))
}

// load makes the files of all events ready, one for each event; below
// is the first offset of the batch they are from.
func (h *history) load(ctx context.Context, events []schemas.Event, below int64) ([]*posting.Case, error) {
	h.settle()
	files := make([]*posting.Case, len(events))
	var unknown []schemas.File
	for i := range events {
		of := events[i].File()
		file, ok := h.batch[of]
		if !ok {
			if file, ok = h.recent.Get(of); !ok {
				file = &posting.Case{}
				if h.begun.Test(h.key(of.Case)) {
					unknown = append(unknown, of)
				}
			}
			h.batch[of] = file
		}
		files[i] = file
	}
	for len(unknown) > 0 {
		n := min(lookupChunk, len(unknown))
		found, err := h.lookup(ctx, unknown[:n], below)
		if err != nil {
			return nil, fmt.Errorf("look up %d files of partition %d: %w", n, h.partition, err)
		}
		for _, of := range unknown[:n] {
			*h.batch[of] = posting.Open(found[of])
		}
		unknown = unknown[n:]
	}
	return files, nil
}

// settle keeps the recent ones of the last batch's files and forgets the rest.
func (h *history) settle() {
	for of, file := range h.batch {
		h.recent.Add(of, file)
	}
	h.batch = map[schemas.File]*posting.Case{}
}

// lookup reads the histories of files; it may find others under the same keys.
func (h *history) lookup(ctx context.Context, files []schemas.File, below int64) (map[schemas.File][]schemas.Event, error) {
	keys, kinds := make([]string, len(files)), make([]string, 0, 1)
	for i, of := range files {
		keys[i] = of.Case.Key
		if kind := string(of.Case.Kind); !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	indices := 0
	if len(keys) <= indexedKeys {
		indices = 1
	}
	rows, err := h.conn.Query(ctx, fmt.Sprintf(`SELECT `+warehouse.EventColumns+` FROM `+h.tables.Events()+`
		WHERE kafka_partition = ? AND kafka_offset < ? AND case_kind IN ? AND case_key IN ?
		ORDER BY kafka_offset SETTINGS max_query_size = 16777216, use_skip_indexes = %d`, indices), h.partition, below, kinds, keys)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[schemas.File][]schemas.Event{}
	for rows.Next() {
		e, err := warehouse.ScanEvent(rows)
		if err != nil {
			return nil, err
		}
		e.Data = nil
		found[e.File()] = append(found[e.File()], e)
	}
	return found, rows.Err()
}

// enter makes e part of its case and returns what it changes.
func (h *history) enter(file *posting.Case, e schemas.Event) (change []posting.Posting) {
	if !file.Begun() {
		h.begun.Add(h.key(e.Case))
	}
	return file.Enter(e)
}
