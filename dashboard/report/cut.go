package report

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"zhiban/schemas"
)

// Cut is the cut of a moment, of now when t is zero.
func (w *Warehouse) Cut(ctx context.Context, t time.Time) (Cut, error) {
	if t.IsZero() {
		return w.head(ctx)
	}
	return w.cutAt(ctx, t)
}

// head is the cut of now: what the projection's ledger holds.
func (w *Warehouse) head(ctx context.Context) (Cut, error) {
	return w.cut(ctx, `SELECT kafka_partition, toInt64(max(last_offset) + 1) FROM batches GROUP BY kafka_partition`)
}

// cutAt is the log as recorded by t: in each partition everything before the
// first event that was recorded later.
func (w *Warehouse) cutAt(ctx context.Context, t time.Time) (Cut, error) {
	cut, err := w.head(ctx)
	if err != nil {
		return nil, err
	}
	later, err := w.cut(ctx, `SELECT kafka_partition, toInt64(min(kafka_offset)) FROM events WHERE recorded > fromUnixTimestamp64Milli(?) GROUP BY kafka_partition`, t.UnixMilli())
	if err != nil {
		return nil, err
	}
	for p, o := range later {
		cut[p] = min(cut[p], o)
	}
	return cut, nil
}

func (w *Warehouse) cut(ctx context.Context, query string, args ...any) (Cut, error) {
	rows, err := w.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, unavailable("read the ledger", err)
	}
	defer rows.Close()
	cut := Cut{}
	for rows.Next() {
		var p uint16
		var o int64
		if err := rows.Scan(&p, &o); err != nil {
			return nil, unavailable("read the ledger", err)
		}
		cut[int(p)] = o
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("read the ledger", err)
	}
	return cut, nil
}

// condition is the cut as SQL over kafka_partition and kafka_offset. It is made
// of numbers alone.
func (c Cut) condition() string {
	if len(c) == 0 {
		return "false"
	}
	var parts []string
	for _, p := range slices.Sorted(maps.Keys(c)) {
		parts = append(parts, fmt.Sprintf("(kafka_partition = %d AND kafka_offset < %d)", p, c[p]))
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// unavailable wraps a failure of the warehouse.
func unavailable(doing string, err error) error {
	return schemas.Errorf(schemas.Unavailable, "%s: the warehouse does not answer as it should: %w", doing, err)
}
