package projector

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas/warehouse"
)

// checkedBatches is how many of a partition's last ledger rows are compared
// with the tables one by one when the partition is assigned. Of the others the
// sum is, and each only when that is wrong.
const checkedBatches = 16

// ledgerRow is what the ledger says of a batch.
type ledgerRow struct {
	batchRange
	rowCounts
}

// rowCounts is how many rows a range has in each table.
type rowCounts struct{ events, postings, parked uint64 }

func (b *batch) counts() rowCounts {
	return rowCounts{uint64(b.events.len()), uint64(b.postings.len()), uint64(b.parked.len())}
}

// recovery, on assignment of a partition:
//
//   - the ledger in the warehouse says where the projection stands; the group's
//     offset is compared with it, and differences are reported;
//   - a pending intent that follows the ledger is done again with the same
//     boundaries and tokens;
//   - rows beyond the ledger that no intent explains are removed;
//   - the ledger is compared with the tables, and a batch whose rows are not all
//     there, or are there twice, is rewritten under a new epoch;
//   - the roll-ups are compared with the tables that they are made of, and made again
//     where they differ;
//   - what is parked and can be read by now is appended to the log again.
//
// recover returns the offset to go on from.
func (w *worker) recover(ctx context.Context) (int64, error) {
	offset, metadata, err := w.committed(ctx)
	if err != nil {
		return 0, err
	}
	ledger, err := w.ledger(ctx)
	if err != nil {
		return 0, err
	}
	var head int64
	w.epoch = 1
	for _, row := range ledger {
		if row.first != head {
			w.log.Error("the ledger has a hole or an overlap; rebuild the tables: zhiban rebuild", "due", head, "range", row.String())
		}
		head = row.last + 1
		w.epoch = max(w.epoch, row.epoch)
	}

	var pending *batchRange
	if metadata != "" {
		r, err := parseRange(metadata)
		switch {
		case err != nil:
			w.log.Error("the group's offset carries metadata of another program; going by the ledger", "metadata", metadata)
		case r.first == head:
			pending, w.epoch = &r, max(w.epoch, r.epoch)
		}
	}
	if offset >= 0 && offset > head {
		w.log.Error("the warehouse is behind the group's offset, as after restoring a backup; projecting again from its ledger", "ledger", head, "offset", offset)
		w.epoch++ // the old tokens may still be remembered, the rows are not there
		pending = nil
	}
	if offset < head && head > 0 && metadata == "" {
		w.log.Warn("the group's offset is behind the ledger; going by the ledger", "ledger", head, "offset", offset)
	}

	if err := w.check(ctx, ledger); err != nil {
		return 0, err
	}
	next := head
	if pending != nil {
		if next, err = w.redo(ctx, *pending); err != nil {
			return 0, err
		}
	} else if err := w.removeBeyond(ctx, head); err != nil {
		return 0, err
	}
	if err := w.rollUp(ctx); err != nil {
		return 0, err
	}
	if err := w.historyAt(ctx, next); err != nil {
		return 0, err
	}
	return next, w.replay(ctx)
}

// rebuilding tells that the tables are those of a rebuild, which have no roll-ups yet.
func (w *worker) rebuilding() bool { return w.cfg.Tables.Version > 0 }

// rollUp makes what the roll-ups have of the partition again where rows were removed,
// and where it is not what the tables say.
func (w *worker) rollUp(ctx context.Context) error {
	if w.rebuilding() {
		return nil
	}
	if u := w.unrolled; u != nil {
		if err := warehouse.RollUp(ctx, w.conn, w.tables, w.partition, u.first, u.last); err != nil {
			return err
		}
		w.unrolled = nil
	}
	wrong, err := warehouse.Misrolled(ctx, w.conn, w.tables, w.partition)
	if err != nil {
		return err
	}
	for table, spans := range wrong {
		w.log.Error("a roll-up is damaged; making it again", "table", table, "first", spans.First, "last", spans.Last)
		if err := warehouse.RollUpAgain(ctx, w.conn, w.tables, table, w.partition, spans); err != nil {
			return err
		}
	}
	return nil
}

// historyAt makes the history one that is behind an offset.
func (w *worker) historyAt(ctx context.Context, offset int64) (err error) {
	if w.history != nil && w.history.behind == offset {
		return nil
	}
	w.history, err = newHistory(ctx, w.conn, w.tables, w.partition, offset, w.cfg.CachedCases)
	return err
}

// ledger reads the partition's ledger in the order of the log.
func (w *worker) ledger(ctx context.Context) ([]ledgerRow, error) {
	rows, err := w.conn.Query(ctx, `SELECT epoch, first_offset, last_offset, events, postings, parked FROM `+w.tables.Batches()+`
		WHERE kafka_partition = ? ORDER BY first_offset, epoch DESC LIMIT 1 BY first_offset`, w.partition)
	if err != nil {
		return nil, fmt.Errorf("read the ledger of partition %d: %w", w.partition, err)
	}
	defer rows.Close()
	var out []ledgerRow
	for rows.Next() {
		var epoch, events, postings, parked uint32
		var first, last uint64
		if err := rows.Scan(&epoch, &first, &last, &events, &postings, &parked); err != nil {
			return nil, err
		}
		out = append(out, ledgerRow{batchRange{epoch, int64(first), int64(last)}, rowCounts{uint64(events), uint64(postings), uint64(parked)}})
	}
	return out, rows.Err()
}

// counts is how many rows the tables hold of a range.
func (w *worker) counts(ctx context.Context, r batchRange) (n rowCounts, err error) {
	in := ` WHERE kafka_partition = {p:UInt16} AND kafka_offset BETWEEN {f:UInt64} AND {l:UInt64})`
	query := `SELECT (SELECT count() FROM ` + w.tables.Events() + in + `, (SELECT count() FROM ` + w.tables.Postings() + in + `, (SELECT count() FROM ` + w.tables.Parked() + in
	err = w.conn.QueryRow(ctx, query, namedRange(w.partition, r)...).Scan(&n.events, &n.postings, &n.parked)
	if err != nil {
		err = fmt.Errorf("count the rows of %s in partition %d: %w", r, w.partition, err)
	}
	return n, err
}

// check compares the ledger with the tables, the last rows one by one and the
// others in sum, and writes damaged batches again: the earliest first, since the
// later ones look up what it holds.
func (w *worker) check(ctx context.Context, ledger []ledgerRow) error {
	sum := func(rows []ledgerRow) (n rowCounts) {
		for _, r := range rows {
			n = rowCounts{n.events + r.events, n.postings + r.postings, n.parked + r.parked}
		}
		return n
	}
	old := ledger[:max(0, len(ledger)-checkedBatches)]
	if len(old) > 0 {
		n, err := w.counts(ctx, batchRange{last: old[len(old)-1].last})
		if err != nil {
			return err
		}
		if n == sum(old) {
			ledger = ledger[len(old):]
		}
	}
	for _, row := range ledger {
		n, err := w.counts(ctx, row.batchRange)
		if err != nil {
			return err
		}
		if n == row.rowCounts {
			continue
		}
		w.log.Error("a projected batch is damaged; writing it again", "range", row.String(), "rows", fmt.Sprintf("%+v", n), "expected", fmt.Sprintf("%+v", row.rowCounts))
		if err := w.rewrite(ctx, row.batchRange); err != nil {
			return err
		}
	}
	return nil
}

// redo does a pending batch again under its own tokens, and once more under a
// new epoch should its rows then not be what they must be.
func (w *worker) redo(ctx context.Context, r batchRange) (int64, error) {
	w.log.Info("doing a pending batch again", "range", r.String())
	b, err := w.again(ctx, r, r.epoch)
	if err != nil {
		return 0, err
	}
	if err := w.finish(ctx, b); err != nil {
		return 0, err
	}
	n, err := w.counts(ctx, r)
	if err != nil {
		return 0, err
	}
	if n != b.counts() {
		w.log.Error("a pending batch had landed in part; writing it again", "range", r.String())
		if err := w.rewrite(ctx, r); err != nil {
			return 0, err
		}
	}
	if err := w.removeBeyond(ctx, r.last+1); err != nil {
		return 0, err
	}
	return r.last + 1, nil
}

// rewrite removes a range's rows and writes them again under a new epoch. When a
// rewriting was interrupted before, its tokens may be remembered although its
// rows were removed; then the next epoch is taken.
func (w *worker) rewrite(ctx context.Context, r batchRange) error {
	for {
		w.epoch++
		b, err := w.again(ctx, r, w.epoch)
		if err != nil {
			return err
		}
		if err := w.remove(ctx, r.first, r.last); err != nil {
			return err
		}
		if err := w.insert(ctx, b); err != nil {
			return err
		}
		n, err := w.counts(ctx, r)
		if err != nil || n == b.counts() {
			return err
		}
		w.log.Warn("rows that were written again are not there; writing them once more", "range", b.String())
	}
}

// again reads a range from the log and builds its batch. It leaves the history
// as it is behind the range.
func (w *worker) again(ctx context.Context, r batchRange, epoch uint32) (*batch, error) {
	if err := w.historyAt(ctx, r.first); err != nil {
		return nil, err
	}
	log := w.reader(r.first, 10*time.Millisecond) // it is all there
	defer log.Close()
	var msgs []kafka.Message
	for offset := r.first; offset <= r.last; offset++ {
		m, err := w.message(ctx, log, offset)
		if err != nil {
			return nil, fmt.Errorf("do %s again: %w", r, err)
		}
		msgs = append(msgs, m)
	}
	b, err := w.build(ctx, msgs, epoch)
	if err != nil {
		return nil, err
	}
	return b, w.bury(ctx, b.letters)
}

// removeBeyond removes what an interrupted batch of unknown boundaries left
// behind the ledger's head.
func (w *worker) removeBeyond(ctx context.Context, head int64) error {
	const end = 1<<63 - 1
	n, err := w.counts(ctx, batchRange{0, head, end})
	if err != nil || n == (rowCounts{}) {
		return err
	}
	w.log.Error("rows beyond the ledger that no intent explains; removing them", "from", head, "rows", fmt.Sprintf("%+v", n))
	w.epoch++
	return w.remove(ctx, head, end)
}

func (w *worker) remove(ctx context.Context, first, last int64) error {
	r := batchRange{0, first, last}
	n, err := w.counts(ctx, r)
	if err != nil {
		return err
	}
	if u := w.unrolled; !w.rebuilding() && (u == nil || first < u.first || u.last < last) {
		from, to, err := warehouse.Unroll(ctx, w.conn, w.tables, w.partition, first, last)
		if err != nil {
			return err
		}
		if u != nil {
			from, to = min(from, u.first), max(to, u.last)
		}
		w.unrolled = &batchRange{0, from, to}
	}
	for table, rows := range map[string]uint64{w.tables.Parked(): n.parked, w.tables.Events(): n.events, w.tables.Postings(): n.postings} {
		if rows == 0 {
			continue // deleting nothing takes as long as deleting
		}
		err := w.conn.Exec(ctx, `DELETE FROM `+table+` WHERE kafka_partition = {p:UInt16} AND kafka_offset BETWEEN {f:UInt64} AND {l:UInt64}
			SETTINGS lightweight_deletes_sync = 2`, namedRange(w.partition, r)...)
		if err != nil {
			return fmt.Errorf("remove offsets %d to %d of partition %d from %s: %w", first, last, w.partition, table, err)
		}
	}
	return nil
}

// namedRange are the parameters p, f and l of the queries above.
func namedRange(partition int, r batchRange) []any {
	return []any{
		clickhouse.Named("p", strconv.Itoa(partition)),
		clickhouse.Named("f", strconv.FormatInt(r.first, 10)),
		clickhouse.Named("l", strconv.FormatInt(r.last, 10)),
	}
}
