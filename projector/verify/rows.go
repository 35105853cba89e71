package verify

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"strings"
	"time"

	"github.com/google/uuid"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas"
)

// eventRow is what the digest holds of an event.
type eventRow struct {
	offset                   int64
	time, recorded           int64 // ms since 1970
	id                       uuid.UUID
	typ, caseKey, source, by string
	data                     string
}

func numbers(b []byte, ns ...int64) []byte {
	for _, n := range ns {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

func texts(b []byte, all ...string) []byte {
	for _, t := range all {
		b = append(binary.AppendUvarint(b, uint64(len(t))), t...)
	}
	return b
}

// append adds the row as the digest has it.
func (r *eventRow) append(b []byte) []byte {
	b = numbers(b, r.offset, r.time, r.recorded)
	b = append(b, r.id[:]...)
	b = texts(b, r.typ, r.caseKey, r.source, r.by)
	b = numbers(b, int64(len(r.data)))
	return append(b, r.data...)
}

// loggedRow is the row that a record of the log must have become.
func loggedRow(m kafka.Message, e *schemas.Event) eventRow {
	return eventRow{m.Offset, e.Time.UnixMilli(), m.Time.UnixMilli(), e.ID, e.Type.Name, e.Case.Key, e.Source.Key(), e.RecordedBy, string(e.Data)}
}

// batchHashes hashes the events of the log batch by batch.
type batchHashes struct {
	part *part
	next int // the batch that is hashed
	hash hash.Hash
	buf  []byte
}

func (h *batchHashes) add(m kafka.Message, e *schemas.Event) {
	h.upTo(m.Offset)
	if h.next == len(h.part.batches) || m.Offset < h.part.batches[h.next].first {
		return // in a hole of the ledger
	}
	row := loggedRow(m, e)
	h.buf = row.append(h.buf[:0])
	h.hash.Write(h.buf)
}

// upTo ends the batches that lie before an offset.
func (h *batchHashes) upTo(offset int64) {
	if h.hash == nil {
		h.hash = sha256.New()
	}
	for h.next < len(h.part.batches) && h.part.batches[h.next].last < offset {
		h.hash.Sum(h.part.batches[h.next].logged[:0])
		h.hash.Reset()
		h.next++
	}
}

func (h *batchHashes) finish() { h.upTo(h.part.head) }

// chunkOffsets is how many offsets' rows are asked for at a time.
const chunkOffsets = 200_000

// checkTables compares every batch's rows with the ledger and the log.
func (v *verifier) checkTables(ctx context.Context) error {
	for _, p := range v.parts {
		for rest := p.batches; len(rest) > 0; {
			n := 1
			for n < len(rest) && rest[n].last-rest[0].first < chunkOffsets {
				n++
			}
			if err := v.readChunk(ctx, p, rest[:n]); err != nil {
				return fmt.Errorf("read offsets %d to %d of partition %d: %w", rest[0].first, rest[n-1].last, p.partition, err)
			}
			for _, b := range rest[:n] {
				if err := v.judge(ctx, p, b); err != nil {
					return err
				}
			}
			v.progress(rest[n-1].last + 1 - rest[0].first)
			rest = rest[n:]
		}
	}
	return nil
}

// readChunk reads the rows of some batches that follow each other, and hashes
// and counts them.
func (v *verifier) readChunk(ctx context.Context, p *part, batches []*batch) error {
	first, last := batches[0].first, batches[len(batches)-1].last
	hashes := map[*batch]hash.Hash{}
	for _, b := range batches {
		hashes[b] = sha256.New()
	}
	years := map[int64]int{} // of recording, by offset
	var buf []byte

	in := cursor{batches: batches}
	err := v.eachEvent(ctx, p.partition, first, last, func(r eventRow, epoch uint32, kind string) {
		b, ok := in.at(r.offset)
		if !ok {
			return
		}
		b.holds.events++
		b.found(epoch)
		if !strings.HasPrefix(r.typ, "zhiban."+kind+".") {
			b.untrue++
		}
		years[r.offset] = year(r.recorded)
		buf = r.append(buf[:0])
		hashes[b].Write(buf)
	})
	if err != nil {
		return err
	}
	for _, b := range batches {
		hashes[b].Sum(b.events[:0])
	}

	in = cursor{batches: batches}
	err = v.eachPosting(ctx, fmt.Sprintf("kafka_partition = %d AND kafka_offset BETWEEN %d AND %d ORDER BY %s", p.partition, first, last, digestOrder), func(r postingRow) {
		b, ok := in.at(r.offset)
		if !ok {
			return
		}
		b.holds.postings++
		b.found(r.epoch)
		if of, ok := years[r.offset]; ok && of != year(r.recorded) {
			b.untrue++
		}
		buf = r.append(buf[:0])
		hashes[b].Write(buf)
	})
	if err != nil {
		return err
	}
	for _, b := range batches {
		hashes[b].Sum(b.hashed[:0])
	}
	return nil
}

// year is the year of a time in ms since 1970, in Shanghai.
func year(ms int64) int { return time.UnixMilli(ms).In(schemas.Shanghai).Year() }

// eachEvent reads rows of events by offset.
func (v *verifier) eachEvent(ctx context.Context, partition int, first, last int64, do func(r eventRow, epoch uint32, kind string)) error {
	rows, err := v.cfg.Conn.Query(ctx, fmt.Sprintf(`SELECT toInt64(kafka_offset), epoch, id, toString(type), toString(case_kind), case_key, toString(source),
		toUnixTimestamp64Milli(time), toUnixTimestamp64Milli(recorded), toString(recorded_by), data FROM %s
		WHERE kafka_partition = %d AND kafka_offset BETWEEN %d AND %d ORDER BY kafka_offset`, v.cfg.Tables.Events(), partition, first, last))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r eventRow
		var epoch uint32
		var kind string
		if err := rows.Scan(&r.offset, &epoch, &r.id, &r.typ, &kind, &r.caseKey, &r.source, &r.time, &r.recorded, &r.by, &r.data); err != nil {
			return err
		}
		do(r, epoch, kind)
	}
	return rows.Err()
}

// postingRow is a row of the postings.
type postingRow struct {
	partition        int
	offset, recorded int64 // recorded: ms since 1970, of which the year is told
	epoch            uint32
	entry
}

// append adds the row as the digest has it.
func (r *postingRow) append(b []byte) []byte {
	b = numbers(b, r.offset, r.day.Start().Unix(), r.due.Start().Unix(), int64(r.lawyer), int64(r.person), r.n)
	return texts(b, string(r.indicator), r.source, r.mode, r.channel, r.role, r.organ, r.trigger)
}

// digestOrder is the order of postings in the digest.
const digestOrder = "kafka_offset, indicator, day, source, lawyer, mode, channel, person_role, organ, trigger, person, due, quantity"

// eachPosting reads the rows of postings where a condition holds, which an order
// may follow.
func (v *verifier) eachPosting(ctx context.Context, where string, do func(postingRow)) error {
	rows, err := v.cfg.Conn.Query(ctx, `SELECT kafka_partition, toInt64(kafka_offset), toUnixTimestamp64Milli(recorded), epoch, toString(indicator), toInt32(toUInt16(day)), toString(source), lawyer,
		toString(mode), toString(channel), toString(person_role), toString(organ), toString(trigger), person, toInt32(toUInt16(due)), quantity
		FROM `+v.cfg.Tables.Postings()+` WHERE `+where)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r postingRow
		var partition uint16
		var code string
		var day, due int32
		var lawyer uint64
		if err := rows.Scan(&partition, &r.offset, &r.recorded, &r.epoch, &code, &day, &r.source, &lawyer,
			&r.mode, &r.channel, &r.role, &r.organ, &r.trigger, &r.person, &due, &r.n); err != nil {
			return err
		}
		r.partition, r.indicator, r.lawyer = int(partition), schemas.IndicatorCode(code), schemas.Licence(lawyer)
		r.day, r.due = schemas.Day(day), schemas.Day(due)
		do(r)
	}
	return rows.Err()
}

// judge reports what is wrong with a batch whose rows have been read.
func (v *verifier) judge(ctx context.Context, p *part, b *batch) error {
	var wrong []schemas.Text
	say := func(zh, en string, args ...any) {
		wrong = append(wrong, text(fmt.Sprintf(zh, args...), fmt.Sprintf(en, args...)))
	}
	if length := b.last - b.first + 1; b.says.events+b.says.parked != length {
		say("台账记 %d 条事件、%d 条待处理，区间长 %d", "the ledger says %d events and %d parked, the range is %d long", b.says.events, b.says.parked, length)
	}
	if b.holds != b.says {
		say("事件、分录、待处理各有 %d、%d、%d 行，台账记 %d、%d、%d 行", "%d, %d and %d rows of events, postings and parked; the ledger says %d, %d and %d",
			b.holds.events, b.holds.postings, b.holds.parked, b.says.events, b.says.postings, b.says.parked)
	}
	if b.foreign > 0 {
		say("%d 行属于其他批次号", "%d rows are of another epoch", b.foreign)
	}
	if b.untrue > 0 {
		say("%d 行的事项类别或记录年份不符", "%d rows have a case kind or year of recording that is not their event's", b.untrue)
	}
	var events []EventRef
	if b.events != b.logged {
		say("事件表与日志不同", "the events are not those of the log")
		var err error
		if events, err = v.changed(ctx, p, b); err != nil {
			return err
		}
	} else if b.hashed != b.digest && b.holds.postings == b.says.postings {
		say("分录或台账的校验值被改动", "the postings, or the digest in the ledger, were changed")
	}
	if len(wrong) == 0 {
		return nil
	}
	all := wrong[0]
	for _, w := range wrong[1:] {
		all = text(all.ZH+"；"+w.ZH, all.EN+"; "+w.EN)
	}
	d := b.damage(p, all)
	d.Events = events
	v.damage(d)
	return nil
}

// changed names the events of a batch that do not stand in the table, once and
// as in the log.
func (v *verifier) changed(ctx context.Context, p *part, b *batch) ([]EventRef, error) {
	v.mu.Lock()
	enough := len(v.Damaged) >= listed
	v.mu.Unlock()
	if enough {
		return nil, nil
	}
	type place struct {
		row  [32]byte
		as   int64 // rows as in the log
		rows int64
		id   uuid.UUID
	}
	places := map[int64]*place{}
	err := v.read(ctx, p.partition, b.first, b.last, func(m kafka.Message) error {
		if _, parked := p.parked[m.Offset]; parked {
			return nil
		}
		if e, err := schemas.ParseEvent(m.Value); err == nil {
			row := loggedRow(m, &e)
			places[m.Offset] = &place{row: sha256.Sum256(row.append(nil)), id: e.ID}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = v.eachEvent(ctx, p.partition, b.first, b.last, func(r eventRow, _ uint32, _ string) {
		at, ok := places[r.offset]
		if !ok {
			at = &place{id: r.id}
			places[r.offset] = at
		}
		at.rows++
		if sha256.Sum256(r.append(nil)) == at.row {
			at.as++
		}
	})
	if err != nil {
		return nil, err
	}
	var out []EventRef
	for offset := b.first; offset <= b.last && len(out) < listedUnder; offset++ {
		at, ok := places[offset]
		if !ok || at.as == 1 && at.rows == 1 {
			continue
		}
		out = append(out, EventRef{Partition: p.partition, Offset: offset, ID: at.id, Recounted: 1, Projected: at.as})
	}
	return out, nil
}
