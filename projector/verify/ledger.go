package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas"
)

// part is a partition as the ledger has it.
type part struct {
	partition int
	head      int64 // first offset that is not in the ledger
	batches   []*batch
	parked    map[int64]uint64 // hash of the value by offset
}

// batch is a row of the ledger, and what its range was found to hold.
type batch struct {
	first, last int64
	epoch       uint32
	says, holds counts
	digest      [32]byte
	foreign     int64    // rows of another epoch
	untrue      int64    // rows that disagree in what the digest leaves out
	hashed      [32]byte // what the rows hash to
	events      [32]byte // what the rows of events alone hash to
	logged      [32]byte // what the events in the log hash to
}

type counts struct{ events, postings, parked int64 }

// readLedger reads the ledger and checks that its ranges follow each other from
// offset 0 on. Of a range written again the latest epoch holds.
func (v *verifier) readLedger(ctx context.Context) error {
	rows, err := v.cfg.Conn.Query(ctx, `SELECT kafka_partition, toInt64(first_offset), toInt64(last_offset), epoch, toInt64(events), toInt64(postings), toInt64(parked), digest
		FROM `+v.cfg.Tables.Batches()+` ORDER BY kafka_partition, first_offset, epoch DESC`)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var partition uint16
		var digest string
		b := &batch{}
		if err := rows.Scan(&partition, &b.first, &b.last, &b.epoch, &b.says.events, &b.says.postings, &b.says.parked, &digest); err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		copy(b.digest[:], digest)
		p, ok := v.parts[int(partition)]
		if !ok {
			p = &part{partition: int(partition), parked: map[int64]uint64{}}
			v.parts[p.partition] = p
		}
		v.enter(p, b)
	}
	return rows.Err()
}

// enter adds the next row of the ledger to its partition.
func (v *verifier) enter(p *part, b *batch) {
	if n := len(p.batches); n > 0 && p.batches[n-1].first == b.first {
		if p.batches[n-1].epoch == b.epoch {
			v.damage(b.damage(p, text("台账中有重复的记载", "the ledger has this row twice")))
		}
		return // an earlier epoch, replaced
	}
	switch {
	case b.last < b.first:
		v.damage(b.damage(p, text("台账记载的区间首尾颠倒", "the range in the ledger ends before it begins")))
		return
	case b.first > p.head:
		v.damage(Damage{Partition: p.partition, First: p.head, Last: b.first - 1, What: text("台账缺少此区间的记载", "the ledger has no row for this range")})
	case b.first < p.head:
		v.damage(b.damage(p, text("台账中的区间与前一区间重叠", "the range in the ledger overlaps the one before")))
		p.head = max(p.head, b.last+1)
		return // its rows are those of another, too
	}
	p.batches = append(p.batches, b)
	p.head = b.last + 1
}

func (b *batch) damage(p *part, what schemas.Text) Damage {
	return Damage{Partition: p.partition, First: b.first, Last: b.last, Epoch: b.epoch, What: what}
}

// readParked reads which records the projection could not read.
func (v *verifier) readParked(ctx context.Context) error {
	rows, err := v.cfg.Conn.Query(ctx, `SELECT kafka_partition, toInt64(kafka_offset), epoch, value FROM `+v.cfg.Tables.Parked()+` ORDER BY kafka_partition, kafka_offset`)
	if err != nil {
		return fmt.Errorf("read what is parked: %w", err)
	}
	defer rows.Close()
	cursors := map[int]*cursor{}
	for rows.Next() {
		var partition uint16
		var offset int64
		var epoch uint32
		var value string
		if err := rows.Scan(&partition, &offset, &epoch, &value); err != nil {
			return fmt.Errorf("read what is parked: %w", err)
		}
		p, ok := v.parts[int(partition)]
		if !ok || offset >= p.head {
			continue // found by checkBeyond
		}
		p.parked[offset] = xxhash.Sum64String(value)
		if cursors[p.partition] == nil {
			cursors[p.partition] = &cursor{batches: p.batches}
		}
		if b, ok := cursors[p.partition].at(offset); ok {
			b.holds.parked++
			b.found(epoch)
		}
	}
	return rows.Err()
}

// found counts a row that is of another epoch than its batch.
func (b *batch) found(epoch uint32) {
	if epoch != b.epoch {
		b.foreign++
	}
}

func (v *verifier) checkParked(p *part, m kafka.Message) {
	if p.parked[m.Offset] != xxhash.Sum64(m.Value) {
		v.damage(Damage{Partition: p.partition, First: m.Offset, Last: m.Offset, What: text(
			"待处理区的内容与日志不同", "what is parked is not what the log holds")})
	}
}

// cursor finds batches by offsets that do not decrease.
type cursor struct {
	batches []*batch
	i       int
}

// at is the batch an offset is in; false in a hole of the ledger.
func (c *cursor) at(offset int64) (*batch, bool) {
	for c.i+1 < len(c.batches) && c.batches[c.i+1].first <= offset {
		c.i++
	}
	if c.i == len(c.batches) || offset < c.batches[c.i].first || offset > c.batches[c.i].last {
		return nil, false
	}
	return c.batches[c.i], true
}

// checkBeyond looks for rows that no ledger row speaks for. Those of a batch
// that is being written are such for a moment, so what is found has time to
// settle.
func (v *verifier) checkBeyond(ctx context.Context) error {
	found, err := v.beyond(ctx, nil)
	if err != nil || len(found) == 0 {
		return err
	}
	settled := time.NewTimer(v.cfg.Settle)
	defer settled.Stop()
	for waiting := true; waiting; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-settled.C:
			waiting = false
		case <-time.After(v.cfg.Settle / 20):
		}
		if found, err = v.beyond(ctx, found); err != nil || len(found) == 0 {
			return err
		}
	}
	for at, rows := range found {
		v.damage(Damage{Partition: at.partition, First: rows.first, Last: rows.last, What: text(
			fmt.Sprintf("表 %s 有 %d 行超出台账末尾", at.table, rows.n), fmt.Sprintf("%d rows of %s lie beyond the ledger", rows.n, at.table))})
	}
	return nil
}

type beyondAt struct {
	table     string
	partition int
}

type beyondRows struct{ first, last, n int64 }

// beyond finds rows beyond the ledger as it is now, by table and partition; of
// those found before, unless nil, the ones that still are.
func (v *verifier) beyond(ctx context.Context, before map[beyondAt]beyondRows) (map[beyondAt]beyondRows, error) {
	out := map[beyondAt]beyondRows{}
	for _, table := range []string{v.cfg.Tables.Events(), v.cfg.Tables.Postings(), v.cfg.Tables.Parked()} {
		rows, err := v.cfg.Conn.Query(ctx, `WITH found AS (SELECT kafka_partition, toInt64(kafka_offset) AS place FROM `+table+` WHERE NOT `+v.below+`)
			SELECT kafka_partition, min(place), max(place), toInt64(count()) FROM found
			LEFT JOIN (SELECT kafka_partition, toInt64(max(last_offset)) AS ends FROM `+v.cfg.Tables.Batches()+` GROUP BY kafka_partition) AS ledger USING kafka_partition
			WHERE place > if(ledger.ends IS NULL, -1, ledger.ends) GROUP BY kafka_partition SETTINGS join_use_nulls = 1`)
		if err != nil {
			return nil, fmt.Errorf("look for rows beyond the ledger: %w", err)
		}
		for rows.Next() {
			var partition uint16
			var b beyondRows
			if err := rows.Scan(&partition, &b.first, &b.last, &b.n); err != nil {
				rows.Close()
				return nil, fmt.Errorf("look for rows beyond the ledger: %w", err)
			}
			at := beyondAt{table, int(partition)}
			was, known := before[at]
			if before == nil || known && b.first <= was.last {
				out[at] = b
			}
		}
		err = rows.Err()
		rows.Close()
		if err != nil {
			return nil, fmt.Errorf("look for rows beyond the ledger: %w", err)
		}
	}
	return out, nil
}
