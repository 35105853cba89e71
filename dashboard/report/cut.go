package report

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// Cut is a place in the log: for each partition the offset of the first event
// that is not in. In JSON it is an object of these. It is tied to the version of
// the tables it was found in, so that questions that share a cut are answered
// from the same tables, whatever a rebuild switches meanwhile.
type Cut struct {
	Offsets map[int]int64
	tables  warehouse.Tables
	above   *partitions // that were found to go on above it, by all questions that share the cut
}

// partitions are a set of them; nil is one that nothing is added to.
type partitions struct {
	mu  sync.Mutex
	set map[int]bool
}

func (p *partitions) known() map[int]bool {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.set)
}

func (p *partitions) add(more map[int]bool) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(p.set, more)
}

// IsZero tells that no place was fixed.
func (c Cut) IsZero() bool { return c.Offsets == nil }

func (c Cut) String() string {
	parts := make([]string, 0, len(c.Offsets))
	for _, p := range slices.Sorted(maps.Keys(c.Offsets)) {
		parts = append(parts, strconv.Itoa(p)+":"+strconv.FormatInt(c.Offsets[p], 10))
	}
	return strings.Join(parts, ",")
}

// MarshalJSON writes the offsets alone.
func (c Cut) MarshalJSON() ([]byte, error) { return json.Marshal(c.Offsets) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Cut) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &c.Offsets) }

// Schema describes the JSON.
func (Cut) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}}
}

// key tells cuts of different versions of the tables apart, too.
func (c Cut) key() string { return c.tables.Events() + " " + c.String() }

// Cut is the cut of a moment, of now when t is zero.
func (w *Warehouse) Cut(ctx context.Context, t time.Time) (Cut, error) {
	cut, err := w.head(ctx)
	if err != nil || t.IsZero() {
		return cut, err
	}
	// The log as recorded by t.
	spans, err := w.offsets(ctx, spansAfter(cut.tables), t.UnixMilli())
	if err != nil || len(spans) == 0 {
		return cut, err
	}
	later, err := w.offsets(ctx, firstAfter(cut.tables, spans), t.UnixMilli())
	if err != nil {
		return Cut{}, err
	}
	offsets := maps.Clone(cut.Offsets)
	for p, o := range later {
		offsets[p] = min(offsets[p], o)
	}
	return cut.below(offsets), nil
}

// head is the head of the ledger: what is projected. The tables are mostly those of
// the question before, whose ledger is read while that is made sure.
func (w *Warehouse) head(ctx context.Context) (Cut, error) {
	ledger := func(ctx context.Context, t warehouse.Tables) (Cut, error) {
		offsets, err := w.offsets(ctx, `SELECT kafka_partition, toInt64(max(last_offset) + 1) FROM `+t.Batches()+` GROUP BY kafka_partition`)
		return Cut{offsets, t, &partitions{set: map[int]bool{}}}, err
	}
	var (
		cut    Cut
		tables warehouse.Tables
		failed error // which may be since the tables of before were dropped
	)
	err := together(ctx, func(ctx context.Context) (err error) {
		tables, err = warehouse.Current(ctx, w.conn)
		return err
	}, func(ctx context.Context) error {
		if t := w.tables.Load(); t != nil {
			cut, failed = ledger(ctx, *t)
		}
		return nil
	})
	if err != nil {
		return Cut{}, unavailable("find the tables to read", err)
	}
	if cut.tables == tables {
		return cut, failed
	}
	w.tables.Store(&tables)
	return ledger(ctx, tables)
}

// below is a cut of the same tables at offsets that are not above it.
func (c Cut) below(offsets map[int]int64) Cut {
	above := map[int]bool{}
	for p, o := range offsets {
		if o < c.Offsets[p] {
			above[p] = true
		}
	}
	return Cut{offsets, c.tables, &partitions{set: above}}
}

// spansAfter finds in each partition the first span with an event that was recorded
// after a moment.
func spansAfter(t warehouse.Tables) string {
	return `SELECT kafka_partition, toInt64(min(span)) FROM (
		SELECT kafka_partition, span FROM ` + t.Moments() + ` GROUP BY kafka_partition, span HAVING max(newest) > fromUnixTimestamp64Milli(?)
	) GROUP BY kafka_partition`
}

// firstAfter finds in these spans the first event that was recorded after a moment.
func firstAfter(t warehouse.Tables, spans map[int]int64) string {
	var in []string
	for _, p := range slices.Sorted(maps.Keys(spans)) {
		in = append(in, fmt.Sprintf("kafka_partition = %d AND kafka_offset >= %d AND kafka_offset < %d", p, spans[p]*warehouse.MomentOffsets, (spans[p]+1)*warehouse.MomentOffsets))
	}
	return `SELECT kafka_partition, toInt64(min(kafka_offset)) FROM ` + t.Events() + ` WHERE recorded > fromUnixTimestamp64Milli(?) AND (` + strings.Join(in, " OR ") + `) GROUP BY kafka_partition`
}

// offsets runs a query whose rows are partition and offset.
func (w *Warehouse) offsets(ctx context.Context, query string, args ...any) (map[int]int64, error) {
	rows, err := w.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, unavailable("read the ledger", err)
	}
	defer rows.Close()
	offsets := map[int]int64{}
	for rows.Next() {
		var p uint16
		var o int64
		if err := rows.Scan(&p, &o); err != nil {
			return nil, unavailable("read the ledger", err)
		}
		offsets[int(p)] = o
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("read the ledger", err)
	}
	return offsets, nil
}

// condition is the cut as SQL over kafka_partition and kafka_offset. It is made
// of numbers alone.
func (c Cut) condition() string { return "kafka_offset < " + c.bound() }

// bound is each partition's offset, as SQL over kafka_partition: 0 for a partition
// that the cut does not have. An element of an array takes less to plan than a
// condition for each partition.
func (c Cut) bound() string {
	bounds := []int64{0}
	for p, o := range c.Offsets {
		bounds = append(bounds, make([]int64, max(0, p+1-len(bounds)))...)
		bounds[p] = o
	}
	return strings.ReplaceAll(fmt.Sprint(bounds), " ", ", ") + "[kafka_partition + 1]"
}

// A cut divides the span of the log that it is in, of whose sums nobody can tell
// what is below it, unless nothing is above it yet. That is so at the head of the
// ledger, but for the batch that is being written.

// spans is the condition of the spans that are below the cut: all of them when
// nothing is above it, else all but those that it divides.
func (c Cut) spans(divided map[int]bool) string {
	if len(divided) == 0 {
		return "true"
	}
	offsets := maps.Clone(c.Offsets)
	for p, o := range offsets {
		if !divided[p] {
			o += warehouse.SpanOffsets - 1
		}
		offsets[p] = o / warehouse.SpanOffsets
	}
	return "span < " + Cut{Offsets: offsets}.bound()
}

// rest is the condition of the postings below the cut that these spans lack.
func (c Cut) rest(divided map[int]bool) string {
	spans := maps.Clone(c.Offsets)
	for p, o := range spans {
		spans[p] = -1
		if divided[p] {
			spans[p] = o / warehouse.SpanOffsets
		}
	}
	return warehouse.SpanOf(warehouse.SpanOffsets) + " = " + Cut{Offsets: spans}.bound() + " AND " + c.condition()
}

// above asks in which partitions there are events above the cut, and so may be
// postings. What comes later has not been in what was read before.
func (w *Warehouse) above(ctx context.Context, cut Cut) (map[int]bool, error) {
	heads, err := w.offsets(ctx, `SELECT kafka_partition, toInt64(max(last)) FROM `+cut.tables.Moments()+` GROUP BY kafka_partition`)
	if err != nil {
		return nil, err
	}
	out := map[int]bool{}
	for p, last := range heads {
		if last >= cut.Offsets[p] {
			out[p] = true
		}
	}
	return out, nil
}

// unavailable wraps a failure of the warehouse.
func unavailable(doing string, err error) error {
	return schemas.Errorf(schemas.Unavailable, "%s: the warehouse does not answer as it should: %w", doing, err)
}
