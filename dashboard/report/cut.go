package report

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
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
	tables, err := warehouse.Current(ctx, w.conn)
	if err != nil {
		return Cut{}, unavailable("find the tables to read", err)
	}
	// The head of the ledger: what is projected.
	cut := Cut{tables: tables}
	cut.Offsets, err = w.offsets(ctx, `SELECT kafka_partition, toInt64(max(last_offset) + 1) FROM `+tables.Batches()+` GROUP BY kafka_partition`)
	if err != nil || t.IsZero() {
		return cut, err
	}
	// The log as recorded by t.
	later, err := w.offsets(ctx, later(tables), t.UnixMilli(), t.UnixMilli())
	if err != nil {
		return Cut{}, err
	}
	for p, o := range later {
		cut.Offsets[p] = min(cut.Offsets[p], o)
	}
	return cut, nil
}

// later finds in each partition the first event that was recorded after a moment,
// which is asked for twice. It is in the first span of the log that has such a one.
func later(t warehouse.Tables) string {
	return `SELECT kafka_partition, toInt64(min(kafka_offset)) FROM ` + t.Events() + ` WHERE recorded > fromUnixTimestamp64Milli(?)
		AND (kafka_partition, ` + warehouse.MomentSpan + `) IN (
			SELECT kafka_partition, min(span) FROM (` + newestOfSpans(t) + `) WHERE newest > fromUnixTimestamp64Milli(?) GROUP BY kafka_partition)
		GROUP BY kafka_partition`
}

func newestOfSpans(t warehouse.Tables) string {
	return `SELECT kafka_partition, ` + warehouse.MomentSpan + ` AS span, max(recorded) AS newest FROM ` + t.Events() + ` GROUP BY kafka_partition, span`
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
func (c Cut) condition() string {
	return "kafka_offset < " + c.bound(func(o int64) int64 { return o })
}

// bound is what each partition's offset makes, as SQL over kafka_partition: 0 for a
// partition that the cut does not have. An element of an array takes less to
// plan than a condition for each partition.
func (c Cut) bound(of func(offset int64) int64) string {
	bounds := []int64{0}
	for p, o := range c.Offsets {
		bounds = append(bounds, make([]int64, max(0, p+1-len(bounds)))...)
		bounds[p] = of(o)
	}
	return strings.ReplaceAll(fmt.Sprint(bounds), " ", ", ") + "[kafka_partition + 1]"
}

// end is the place behind the span of the log that an offset is in.
func end(o int64) int64 { return spanned(o) * warehouse.SpanOffsets }

// spanned is how many spans of the log begin below an offset.
func spanned(o int64) int64 { return (o + warehouse.SpanOffsets - 1) / warehouse.SpanOffsets }

// spans is the condition of the spans of the log that begin below the cut.
func (c Cut) spans() string { return warehouse.SpanOf + " < " + c.bound(spanned) }

// above is the condition of what these spans hold above the cut. At the head of the
// ledger that is a batch half written, and mostly nothing, which is known without
// reading any. The lowest place of all partitions is what an index can look for.
func (c Cut) above() string {
	lowest := slices.Min(append(slices.Collect(maps.Values(c.Offsets)), math.MaxInt64))
	return fmt.Sprintf("(%s) AND kafka_offset >= %d AND %s AND kafka_offset < %s", c.anyAbove(), lowest,
		"kafka_offset >= "+c.bound(func(o int64) int64 { return o }), c.bound(end))
}

// anyAbove asks the newest places whether there are postings above the cut.
func (c Cut) anyAbove() string {
	return `SELECT countIf(newest >= ` + c.bound(func(o int64) int64 { return o }) + `) > 0
		FROM (SELECT kafka_partition, max(kafka_offset) AS newest FROM ` + c.tables.Postings() + ` GROUP BY kafka_partition)`
}

// unavailable wraps a failure of the warehouse.
func unavailable(doing string, err error) error {
	return schemas.Errorf(schemas.Unavailable, "%s: the warehouse does not answer as it should: %w", doing, err)
}
