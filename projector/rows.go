package projector

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/projector/posting"
	"zhiban/schemas"
)

// eventRows are rows of the events table, column by column.
type eventRows struct {
	partition                  []uint16
	offset                     []uint64
	epoch                      []uint32
	id                         []uuid.UUID
	typ, kind, key, source, by []string
	time, recorded             []time.Time
	data                       [][]byte
}

// newEventRows has room for n rows: growing a dozen columns row by row would cost
// more than filling them.
func newEventRows(n int) eventRows {
	text := func() []string { return make([]string, 0, n) }
	return eventRows{
		partition: make([]uint16, 0, n), offset: make([]uint64, 0, n), epoch: make([]uint32, 0, n), id: make([]uuid.UUID, 0, n),
		typ: text(), kind: text(), key: text(), source: text(), by: text(),
		time: make([]time.Time, 0, n), recorded: make([]time.Time, 0, n), data: make([][]byte, 0, n),
	}
}

func (r *eventRows) len() int { return len(r.offset) }

func (r *eventRows) add(partition int, offset int64, epoch uint32, e schemas.Event) {
	r.partition = append(r.partition, uint16(partition))
	r.offset = append(r.offset, uint64(offset))
	r.epoch = append(r.epoch, epoch)
	r.id = append(r.id, e.ID)
	r.typ = append(r.typ, e.Type.Name)
	r.kind = append(r.kind, string(e.Case.Kind))
	r.key = append(r.key, e.Case.Key)
	r.source = append(r.source, e.Source.Key())
	r.time = append(r.time, e.Time)
	r.recorded = append(r.recorded, e.Recorded)
	r.by = append(r.by, e.RecordedBy)
	r.data = append(r.data, e.Data)
}

func (r *eventRows) columns() []any {
	return []any{r.partition, r.offset, r.epoch, r.id, r.typ, r.kind, r.key, r.source, r.time, r.recorded, r.by, r.data}
}

const eventColumns = "kafka_partition, kafka_offset, epoch, id, type, case_kind, case_key, source, time, recorded, recorded_by, data"

// postingRows are rows of the postings table, column by column.
type postingRows struct {
	partition                                              []uint16
	offset                                                 []uint64
	epoch                                                  []uint32
	recorded                                               []time.Time
	indicator, source, mode, channel, role, organ, trigger []string
	day, due                                               []time.Time
	lawyer, person                                         []uint64
	quantity                                               []int64
}

// newPostingRows has room for n rows.
func newPostingRows(n int) postingRows {
	text := func() []string { return make([]string, 0, n) }
	return postingRows{
		partition: make([]uint16, 0, n), offset: make([]uint64, 0, n), epoch: make([]uint32, 0, n), recorded: make([]time.Time, 0, n),
		indicator: text(), source: text(), mode: text(), channel: text(), role: text(), organ: text(), trigger: text(),
		day: make([]time.Time, 0, n), due: make([]time.Time, 0, n), lawyer: make([]uint64, 0, n), person: make([]uint64, 0, n), quantity: make([]int64, 0, n),
	}
}

func (r *postingRows) len() int { return len(r.offset) }

func (r *postingRows) add(partition int, offset int64, epoch uint32, recorded time.Time, p posting.Posting) {
	r.partition = append(r.partition, uint16(partition))
	r.offset = append(r.offset, uint64(offset))
	r.epoch = append(r.epoch, epoch)
	r.recorded = append(r.recorded, recorded)
	r.indicator = append(r.indicator, string(p.Indicator))
	r.day = append(r.day, p.Day.Start())
	r.source = append(r.source, p.Source)
	r.lawyer = append(r.lawyer, uint64(p.Lawyer))
	r.mode = append(r.mode, p.Mode)
	r.channel = append(r.channel, p.Channel)
	r.role = append(r.role, p.PersonRole)
	r.organ = append(r.organ, p.Organ)
	r.trigger = append(r.trigger, p.Trigger)
	r.person = append(r.person, uint64(p.Person))
	r.due = append(r.due, p.Due.Start())
	r.quantity = append(r.quantity, p.Quantity)
}

func (r *postingRows) columns() []any {
	return []any{r.partition, r.offset, r.epoch, r.recorded, r.indicator, r.day, r.source, r.lawyer, r.mode, r.channel, r.role, r.organ, r.trigger, r.person, r.due, r.quantity}
}

const postingColumns = "kafka_partition, kafka_offset, epoch, recorded, indicator, day, source, lawyer, mode, channel, person_role, organ, trigger, person, due, quantity"

// canonical is the order of an event's postings: that of the columns.
func canonical(a, b posting.Posting) int {
	return cmp.Or(
		cmp.Compare(a.Indicator, b.Indicator), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Lawyer, b.Lawyer),
		cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.PersonRole, b.PersonRole), cmp.Compare(a.Organ, b.Organ),
		cmp.Compare(a.Trigger, b.Trigger), cmp.Compare(a.Person, b.Person), cmp.Compare(a.Due, b.Due), cmp.Compare(a.Quantity, b.Quantity),
	)
}

// parkedRows are rows of the parked table, column by column.
type parkedRows struct {
	partition                          []uint16
	offset                             []uint64
	epoch                              []uint32
	id                                 []uuid.UUID
	typ, source, subject, reason, keys []string
	recorded                           []time.Time
	value                              [][]byte
}

func (r *parkedRows) len() int { return len(r.offset) }

// add parks a record with as much of its attributes as can be read.
func (r *parkedRows) add(partition int, epoch uint32, m kafka.Message, reason error) {
	var env schemas.Envelope
	_ = json.Unmarshal(m.Value, &env) // whatever is wrong with it stands in reason
	id, _ := uuid.Parse(env.ID)
	r.partition = append(r.partition, uint16(partition))
	r.offset = append(r.offset, uint64(m.Offset))
	r.epoch = append(r.epoch, epoch)
	r.id = append(r.id, id)
	r.typ = append(r.typ, env.Type)
	r.source = append(r.source, env.Source)
	r.subject = append(r.subject, env.Subject)
	r.recorded = append(r.recorded, m.Time)
	r.reason = append(r.reason, reason.Error())
	r.keys = append(r.keys, string(m.Key))
	r.value = append(r.value, m.Value)
}

func (r *parkedRows) columns() []any {
	return []any{r.partition, r.offset, r.epoch, r.id, r.typ, r.source, r.subject, r.recorded, r.reason, r.keys, r.value}
}

const parkedColumns = "kafka_partition, kafka_offset, epoch, id, type, source, subject, recorded, reason, key, value"

// digest is the SHA-256 of the batch's rows without their epoch, events in the
// order of the log, and then postings in that order and the canonical one: the
// same range projected again has the same digest, and so has whoever reads the
// rows from the tables. A row is its numbers as big-endian 64-bit integers and
// its texts each behind its length as a varint.
func (b *batch) digest() string {
	h := sha256.New()
	e := &b.events
	for i := range e.len() {
		hashRow(h, e.offset[i], uint64(e.time[i].UnixMilli()), uint64(e.recorded[i].UnixMilli()))
		h.Write(e.id[i][:])
		hashTexts(h, e.typ[i], e.key[i], e.source[i], e.by[i])
		hashRow(h, uint64(len(e.data[i])))
		h.Write(e.data[i])
	}
	p := &b.postings
	for i := range p.len() {
		hashRow(h, p.offset[i], uint64(p.day[i].Unix()), uint64(p.due[i].Unix()), p.lawyer[i], p.person[i], uint64(p.quantity[i]))
		hashTexts(h, p.indicator[i], p.source[i], p.mode[i], p.channel[i], p.role[i], p.organ[i], p.trigger[i])
	}
	return string(h.Sum(nil))
}

func hashRow(h hash.Hash, numbers ...uint64) {
	var b [64]byte
	out := b[:0]
	for _, n := range numbers {
		out = binary.BigEndian.AppendUint64(out, n)
	}
	h.Write(out)
}

// hashTexts separates texts by their length, so that no two rows hash alike by
// where one text ends and the next begins.
func hashTexts(h hash.Hash, texts ...string) {
	var b [512]byte
	out := b[:0]
	for _, t := range texts {
		out = binary.AppendUvarint(out, uint64(len(t)))
		out = append(out, t...)
	}
	h.Write(out)
}

// insert writes the batch's rows and, after them, its ledger row: steps 3 and
// 4. After an error the outcome is unknown; doing it again with the same epoch
// is absorbed by the tokens.
func (w *worker) insert(ctx context.Context, b *batch) error {
	if b.parked.len() > 0 {
		if err := w.insertBlock(ctx, w.tables.Parked(), parkedColumns, b.batchRange, b.parked.columns()); err != nil {
			return err
		}
	}
	w.signal(Parked)
	if b.events.len() > 0 {
		if err := w.insertBlock(ctx, w.tables.Events(), eventColumns, b.batchRange, b.events.columns()); err != nil {
			return err
		}
	}
	w.signal(Evented)
	if b.postings.len() > 0 {
		if err := w.insertBlock(ctx, w.tables.Postings(), postingColumns, b.batchRange, b.postings.columns()); err != nil {
			return err
		}
	}
	w.signal(Posted)
	const columns = "kafka_partition, first_offset, last_offset, epoch, events, postings, parked, digest, recorded"
	err := w.insertBlock(ctx, w.tables.Batches(), columns, b.batchRange, []any{
		[]uint16{uint16(w.partition)}, []uint64{uint64(b.first)}, []uint64{uint64(b.last)}, []uint32{b.epoch},
		[]uint32{uint32(b.events.len())}, []uint32{uint32(b.postings.len())}, []uint32{uint32(b.parked.len())},
		[]string{b.digest()}, []time.Time{b.recorded},
	})
	if err == nil {
		w.signal(Ledgered)
	}
	return err
}

// insertBlock writes one block: one insert, one part, one token.
func (w *worker) insertBlock(ctx context.Context, table, columns string, r batchRange, values []any) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert": 0, "insert_deduplicate": 1, "deduplicate_blocks_in_dependent_materialized_views": 1,
		"insert_deduplication_token": fmt.Sprintf("%s:%s:%d:%s", table, w.topic, w.partition, r),
	}))
	block, err := w.conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+columns+")")
	if err != nil {
		return fmt.Errorf("begin insert of %s into %s: %w", r, table, err)
	}
	defer block.Close()
	for i, v := range values {
		if err := block.Column(i).Append(v); err != nil {
			return fmt.Errorf("fill column %d of %s: %w", i, table, err)
		}
	}
	if err := block.Send(); err != nil {
		return fmt.Errorf("insert %s into %s: %w", r, table, err)
	}
	return nil
}
