package report

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// Warehouse answers questions from the tables that the projector fills.
type Warehouse struct {
	// Rules are how months are closed; schemas.Returns unless set before use.
	Rules *schemas.ReturnRules
	// Clock is time.Now unless set before use.
	Clock func() time.Time

	conn      driver.Conn
	registers *registers
	tables    atomic.Pointer[warehouse.Tables] // that were the current ones when last asked
}

// New reads through conn.
func New(conn driver.Conn) *Warehouse {
	return &Warehouse{Rules: schemas.Returns, Clock: time.Now, conn: conn, registers: newRegisters()}
}

func (w *Warehouse) now() time.Time { return w.Clock() }

// statusSQL counts as parked what was not read later: replaying appends the
// event to the log again, under its own id.
func statusSQL(cut Cut) string {
	t, in := cut.tables, cut.condition()
	return `SELECT
	(SELECT toInt64(sum(e)) FROM (SELECT argMax(events, epoch) AS e FROM ` + t.Batches() + ` GROUP BY kafka_partition, first_offset)),
	(SELECT toInt64(count()) FROM ` + t.Parked() + ` WHERE ` + in + ` AND id NOT IN (
		SELECT id FROM ` + t.Events() + ` WHERE ` + in + ` AND id IN (SELECT id FROM ` + t.Parked() + `))),
	(SELECT max(recorded) FROM ` + t.Events() + ` WHERE toYear(recorded) = (SELECT max(toYear(recorded)) FROM ` + t.Batches() + ` WHERE events > 0)),
	(SELECT max(projected) FROM ` + t.Batches() + `)`
}

// Status tells how far the projection has come.
func (w *Warehouse) Status(ctx context.Context) (Status, error) {
	cut, err := w.Cut(ctx, time.Time{})
	if err != nil {
		return Status{}, err
	}
	s := Status{Cut: cut}
	if err := w.conn.QueryRow(ctx, statusSQL(cut)).Scan(&s.Events, &s.Parked, &s.Recorded, &s.Projected); err != nil {
		return Status{}, unavailable("ask how far the projection has come", err)
	}
	if len(cut.Offsets) == 0 {
		s.Recorded, s.Projected = time.Time{}, time.Time{}
	}
	return s, nil
}
