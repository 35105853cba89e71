package report

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Warehouse answers questions from the tables that the projector fills.
type Warehouse struct {
	conn      driver.Conn
	now       func() time.Time
	registers *registers
}

// New reads through conn.
func New(conn driver.Conn) *Warehouse {
	return &Warehouse{conn: conn, now: time.Now, registers: newRegisters()}
}

const statusSQL = `SELECT
	(SELECT toInt64(sum(e)) FROM (SELECT argMax(events, epoch) AS e FROM batches GROUP BY kafka_partition, first_offset)),
	(SELECT toInt64(sum(e)) FROM (SELECT argMax(parked, epoch) AS e FROM batches GROUP BY kafka_partition, first_offset)),
	(SELECT max(recorded) FROM events WHERE toYear(recorded) = (SELECT max(toYear(recorded)) FROM batches WHERE events > 0)),
	(SELECT max(projected) FROM batches)`

// Status tells how far the projection has come.
func (w *Warehouse) Status(ctx context.Context) (Status, error) {
	cut, err := w.head(ctx)
	if err != nil {
		return Status{}, err
	}
	s := Status{Cut: cut}
	if err := w.conn.QueryRow(ctx, statusSQL).Scan(&s.Events, &s.Parked, &s.Recorded, &s.Projected); err != nil {
		return Status{}, unavailable("ask how far the projection has come", err)
	}
	if len(cut) == 0 {
		s.Recorded, s.Projected = time.Time{}, time.Time{}
	}
	return s, nil
}
