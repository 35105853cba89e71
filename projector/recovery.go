package projector

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas/warehouse"
)

// checkedBatches is how many of a partition's last ledger rows are compared
// with the tables when the partition is assigned.
const checkedBatches = 16

const (
	ledgerSQL = `SELECT epoch, first_offset, last_offset, events, postings FROM ` + warehouse.Batches + `
		WHERE kafka_partition = ? ORDER BY last_offset DESC, epoch DESC LIMIT 1 BY first_offset LIMIT ?`
	epochSQL  = `SELECT max(epoch) FROM ` + warehouse.Batches + ` WHERE kafka_partition = ?`
	countsSQL = `SELECT
		(SELECT count() FROM ` + warehouse.Events + ` WHERE kafka_partition = {p:UInt16} AND kafka_offset BETWEEN {f:UInt64} AND {l:UInt64}),
		(SELECT count() FROM ` + warehouse.Postings + ` WHERE kafka_partition = {p:UInt16} AND kafka_offset BETWEEN {f:UInt64} AND {l:UInt64})`
)

// ledgerRow is what the ledger says of a batch.
type ledgerRow struct {
	batchRange
	events, postings uint64
}

// recovery, on assignment of a partition:
//
//   - the ledger in the warehouse says where the projection stands; the group's
//     offset is compared with it, and differences are reported;
//   - a pending intent that follows the ledger is done again with the same
//     boundaries and tokens;
//   - rows beyond the ledger that no intent explains are removed;
//   - the last ledger rows are compared with the tables, and a batch whose rows
//     are not all there, or are there twice, is rewritten under a new epoch.
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
	if len(ledger) > 0 {
		head = ledger[0].last + 1
	}
	if err := w.conn.QueryRow(ctx, epochSQL, w.partition).Scan(&w.epoch); err != nil {
		return 0, fmt.Errorf("read the epoch of partition %d: %w", w.partition, err)
	}
	w.epoch = max(w.epoch, 1)

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

	for _, row := range ledger {
		if err := w.check(ctx, row); err != nil {
			return 0, err
		}
	}
	if pending != nil {
		return w.redo(ctx, *pending)
	}
	if err := w.removeBeyond(ctx, head); err != nil {
		return 0, err
	}
	w.history, err = newHistory(ctx, w.conn, w.partition, head, w.cfg.CachedCases)
	return head, err
}

func (w *worker) ledger(ctx context.Context) ([]ledgerRow, error) {
	rows, err := w.conn.Query(ctx, ledgerSQL, w.partition, checkedBatches)
	if err != nil {
		return nil, fmt.Errorf("read the ledger of partition %d: %w", w.partition, err)
	}
	defer rows.Close()
	var out []ledgerRow
	for rows.Next() {
		var epoch, events, postings uint32
		var first, last uint64
		if err := rows.Scan(&epoch, &first, &last, &events, &postings); err != nil {
			return nil, err
		}
		out = append(out, ledgerRow{batchRange{epoch, int64(first), int64(last)}, uint64(events), uint64(postings)})
	}
	return out, rows.Err()
}

// counts is how many rows the tables hold of a range.
func (w *worker) counts(ctx context.Context, r batchRange) (events, postings uint64, err error) {
	err = w.conn.QueryRow(ctx, countsSQL, namedRange(w.partition, r)...).Scan(&events, &postings)
	if err != nil {
		err = fmt.Errorf("count the rows of %s in partition %d: %w", r, w.partition, err)
	}
	return events, postings, err
}

// check compares a ledger row with the tables and rewrites its batch when they
// disagree.
func (w *worker) check(ctx context.Context, row ledgerRow) error {
	events, postings, err := w.counts(ctx, row.batchRange)
	if err != nil || events == row.events && postings == row.postings {
		return err
	}
	w.log.Error("a projected batch is damaged; writing it again",
		"range", row.String(), "events", events, "expected_events", row.events, "postings", postings, "expected_postings", row.postings)
	return w.rewrite(ctx, row.batchRange)
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
	events, postings, err := w.counts(ctx, r)
	if err != nil {
		return 0, err
	}
	if events != uint64(b.events.len()) || postings != uint64(b.postings.len()) {
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

// rewrite removes a range's rows and writes them again under a new epoch.
func (w *worker) rewrite(ctx context.Context, r batchRange) error {
	w.epoch++
	b, err := w.again(ctx, r, w.epoch)
	if err != nil {
		return err
	}
	if err := w.remove(ctx, r.first, r.last); err != nil {
		return err
	}
	return w.insert(ctx, b)
}

// again reads a range from the log and builds its batch. It leaves the history
// as it is behind the range.
func (w *worker) again(ctx context.Context, r batchRange, epoch uint32) (*batch, error) {
	var err error
	if w.history, err = newHistory(ctx, w.conn, w.partition, r.first, w.cfg.CachedCases); err != nil {
		return nil, err
	}
	log := w.reader(r.first)
	defer log.Close()
	var msgs []kafka.Message
	for offset := r.first; offset <= r.last; offset++ {
		m, err := w.read(ctx, log, offset)
		if err != nil {
			return nil, fmt.Errorf("do %s again: %w", r, err)
		}
		msgs = append(msgs, m)
	}
	b, err := w.build(ctx, msgs, epoch)
	if err != nil {
		return nil, err
	}
	return b, w.bury(ctx, b.parked)
}

// removeBeyond removes what an interrupted batch of unknown boundaries left
// behind the ledger's head.
func (w *worker) removeBeyond(ctx context.Context, head int64) error {
	const end = 1<<63 - 1
	events, postings, err := w.counts(ctx, batchRange{0, head, end})
	if err != nil || events == 0 && postings == 0 {
		return err
	}
	w.log.Error("rows beyond the ledger that no intent explains; removing them", "from", head, "events", events, "postings", postings)
	w.epoch++
	return w.remove(ctx, head, end)
}

func (w *worker) remove(ctx context.Context, first, last int64) error {
	for _, table := range []string{warehouse.Events, warehouse.Postings} {
		err := w.conn.Exec(ctx, `DELETE FROM `+table+` WHERE kafka_partition = {p:UInt16} AND kafka_offset BETWEEN {f:UInt64} AND {l:UInt64}
			SETTINGS lightweight_deletes_sync = 2`, namedRange(w.partition, batchRange{0, first, last})...)
		if err != nil {
			return errors.Join(fmt.Errorf("remove offsets %d to %d of partition %d from %s", first, last, w.partition, table), err)
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
