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

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/projector/posting"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// rows are the rows of one batch, as columns of the three tables. They are
// filled anew for every batch: their memory is the projection's largest and is
// used again.
type rows struct {
	events   eventRows
	postings postingRows
	parked   parkedRows
}

// reset empties the rows for the next batch.
func (r *rows) reset() {
	r.events.reset()
	r.postings.reset()
	r.parked.reset()
}

// digest is the SHA-256 of the rows without their epoch, events in the order of
// the log, and then postings in that order and the canonical one: the same range
// projected again has the same digest, and so has whoever reads the rows from
// the tables. A row is its numbers as big-endian 64-bit integers and its texts
// each behind its length as a varint.
func (r *rows) digest() []byte {
	h, _ := r.events.hash.(hash.Cloner).Clone() // SHA-256 can always be
	h.Write(r.postings.plain)
	return h.Sum(nil)
}

// dictionary is a LowCardinality(String) column: ch-go's own takes a row's text
// through a map with a generic key and builds the dictionary only when it is
// sent.
type dictionary struct {
	proto.ColLowCardinalityRaw
	keys map[string]int
	last string // most texts are the one before
	key  int
}

func newDictionary() *dictionary {
	d := &dictionary{keys: map[string]int{}}
	d.Index, d.Key = new(proto.ColStr), proto.KeyUInt32
	d.reset()
	return d
}

func (d *dictionary) reset() {
	clear(d.keys)
	d.Index.Reset()
	d.Keys32 = d.Keys32[:0]
	d.keys[""] = 0
	d.last, d.key = "", 0
	d.Index.(*proto.ColStr).Append("")
}

func (d *dictionary) add(s string) {
	if s != d.last {
		key, ok := d.keys[s]
		if !ok {
			key = len(d.keys)
			d.keys[s] = key
			d.Index.(*proto.ColStr).Append(s)
		}
		d.last, d.key = s, key
	}
	d.Keys32 = append(d.Keys32, uint32(d.key))
}

// eventRows are rows of the events table.
type eventRows struct {
	hash                  hash.Hash // of the rows so far
	plain                 []byte    // a row as the digest takes it
	partition             proto.ColUInt16
	offset                proto.ColUInt64
	epoch                 proto.ColUInt32
	idStart, idRest       proto.ColUInt64
	typ, kind, source, by *dictionary
	key, data             proto.ColStr
	time, recorded        proto.ColDateTime64
}

func (r *eventRows) len() int { return r.offset.Rows() }

func (r *eventRows) reset() {
	if r.typ == nil {
		r.hash = sha256.New()
		r.typ, r.kind, r.source, r.by = newDictionary(), newDictionary(), newDictionary(), newDictionary()
		r.time.WithPrecision(proto.PrecisionMilli)
		r.recorded.WithPrecision(proto.PrecisionMilli)
	}
	r.hash.Reset()
	for _, c := range r.block() {
		c.Data.(proto.Resettable).Reset()
	}
	for _, d := range []*dictionary{r.typ, r.kind, r.source, r.by} {
		d.reset()
	}
}

func (r *eventRows) add(partition int, offset int64, epoch uint32, e *schemas.Event) {
	r.partition.Append(uint16(partition))
	r.offset.Append(uint64(offset))
	r.epoch.Append(epoch)
	start, rest := warehouse.SplitID(e.ID, e.Time)
	r.idStart.Append(start)
	r.idRest.Append(rest)
	r.typ.add(e.Type.Name)
	r.kind.add(string(e.Case.Kind))
	r.key.Append(e.Case.Key)
	r.source.add(e.Source.Key())
	at, recorded := e.Time.UnixMilli(), e.Recorded.UnixMilli()
	r.time.AppendRaw(proto.DateTime64(at))
	r.recorded.AppendRaw(proto.DateTime64(recorded))
	r.by.add(e.RecordedBy)
	r.data.AppendBytes(e.Data)

	r.plain = appendNumbers(r.plain[:0], uint64(offset), uint64(at), uint64(recorded))
	r.plain = append(r.plain, e.ID[:]...)
	r.plain = appendTexts(r.plain, e.Type.Name, e.Case.Key, e.Source.Key(), e.RecordedBy)
	r.plain = appendNumbers(r.plain, uint64(len(e.Data)))
	r.hash.Write(r.plain)
	r.hash.Write(e.Data)
}

func (r *eventRows) block() proto.Input {
	return proto.Input{
		{Name: "kafka_partition", Data: &r.partition}, {Name: "kafka_offset", Data: &r.offset}, {Name: "epoch", Data: &r.epoch}, {Name: "id_start", Data: &r.idStart}, {Name: "id_rest", Data: &r.idRest},
		{Name: "type", Data: r.typ}, {Name: "case_kind", Data: r.kind}, {Name: "case_key", Data: &r.key}, {Name: "source", Data: r.source},
		{Name: "time", Data: &r.time}, {Name: "recorded", Data: &r.recorded}, {Name: "recorded_by", Data: r.by}, {Name: "data", Data: &r.data},
	}
}

// postingRows are rows of the postings table. All that they have of the moment of
// recording is its year, by which the tables are partitioned: the moment is the
// event's, and would take a tenth of the postings' room.
type postingRows struct {
	plain                                                  []byte // the rows as the digest takes them
	partition                                              proto.ColUInt16
	offset                                                 proto.ColUInt64
	epoch                                                  proto.ColUInt32
	recorded                                               proto.ColDateTime64
	indicator, source, mode, channel, role, organ, trigger *dictionary
	day, due                                               proto.ColDate
	lawyer, person                                         proto.ColUInt64
	quantity                                               proto.ColInt64
}

func (r *postingRows) len() int { return r.offset.Rows() }

func (r *postingRows) reset() {
	if r.indicator == nil {
		r.indicator, r.source, r.mode, r.channel, r.role, r.organ, r.trigger = newDictionary(), newDictionary(), newDictionary(), newDictionary(), newDictionary(), newDictionary(), newDictionary()
		r.recorded.WithPrecision(proto.PrecisionMilli)
	}
	r.plain = r.plain[:0]
	for _, c := range r.block() {
		c.Data.(proto.Resettable).Reset()
	}
	for _, d := range []*dictionary{r.indicator, r.source, r.mode, r.channel, r.role, r.organ, r.trigger} {
		d.reset()
	}
}

func (r *postingRows) add(partition int, offset int64, epoch uint32, year time.Time, p *posting.Posting) {
	r.partition.Append(uint16(partition))
	r.offset.Append(uint64(offset))
	r.epoch.Append(epoch)
	r.recorded.AppendRaw(proto.DateTime64(year.UnixMilli()))
	r.indicator.add(string(p.Indicator))
	r.day = append(r.day, proto.Date(p.Day))
	r.source.add(p.Source)
	r.lawyer.Append(uint64(p.Lawyer))
	r.mode.add(p.Mode)
	r.channel.add(p.Channel)
	r.role.add(p.PersonRole)
	r.organ.add(p.Organ)
	r.trigger.add(p.Trigger)
	r.person.Append(uint64(p.Person))
	r.due = append(r.due, proto.Date(p.Due))
	r.quantity.Append(p.Quantity)

	r.plain = appendNumbers(r.plain, uint64(offset), uint64(p.Day.Start().Unix()), uint64(p.Due.Start().Unix()), uint64(p.Lawyer), uint64(p.Person), uint64(p.Quantity))
	r.plain = appendTexts(r.plain, string(p.Indicator), p.Source, p.Mode, p.Channel, p.PersonRole, p.Organ, p.Trigger)
}

func (r *postingRows) block() proto.Input {
	return proto.Input{
		{Name: "kafka_partition", Data: &r.partition}, {Name: "kafka_offset", Data: &r.offset}, {Name: "epoch", Data: &r.epoch}, {Name: "recorded", Data: &r.recorded},
		{Name: "indicator", Data: r.indicator}, {Name: "day", Data: &r.day}, {Name: "source", Data: r.source}, {Name: "lawyer", Data: &r.lawyer},
		{Name: "mode", Data: r.mode}, {Name: "channel", Data: r.channel}, {Name: "person_role", Data: r.role}, {Name: "organ", Data: r.organ}, {Name: "trigger", Data: r.trigger},
		{Name: "person", Data: &r.person}, {Name: "due", Data: &r.due}, {Name: "quantity", Data: &r.quantity},
	}
}

// canonical is the order of an event's postings: that of the columns.
func canonical(a, b posting.Posting) int {
	return cmp.Or(
		cmp.Compare(a.Indicator, b.Indicator), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Lawyer, b.Lawyer),
		cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.PersonRole, b.PersonRole), cmp.Compare(a.Organ, b.Organ),
		cmp.Compare(a.Trigger, b.Trigger), cmp.Compare(a.Person, b.Person), cmp.Compare(a.Due, b.Due), cmp.Compare(a.Quantity, b.Quantity),
	)
}

// parkedRows are rows of the parked table.
type parkedRows struct {
	partition                                 proto.ColUInt16
	offset                                    proto.ColUInt64
	epoch                                     proto.ColUInt32
	id                                        proto.ColUUID
	typ, source, subject, reason, keys, value proto.ColStr
	recorded                                  proto.ColDateTime64
}

func (r *parkedRows) len() int { return r.offset.Rows() }

func (r *parkedRows) reset() {
	r.recorded.WithPrecision(proto.PrecisionMilli)
	for _, c := range r.block() {
		c.Data.(proto.Resettable).Reset()
	}
}

// add parks a record with as much of its attributes as can be read.
func (r *parkedRows) add(partition int, epoch uint32, m kafka.Message, reason error) {
	var env schemas.Envelope
	_ = json.Unmarshal(m.Value, &env) // whatever is wrong with it stands in reason
	id, _ := uuid.Parse(env.ID)
	r.partition.Append(uint16(partition))
	r.offset.Append(uint64(m.Offset))
	r.epoch.Append(epoch)
	r.id.Append(id)
	r.typ.Append(env.Type)
	r.source.Append(env.Source)
	r.subject.Append(env.Subject)
	r.recorded.AppendRaw(proto.DateTime64(m.Time.UnixMilli()))
	r.reason.Append(reason.Error())
	r.keys.AppendBytes(m.Key)
	r.value.AppendBytes(m.Value)
}

func (r *parkedRows) block() proto.Input {
	return proto.Input{
		{Name: "kafka_partition", Data: &r.partition}, {Name: "kafka_offset", Data: &r.offset}, {Name: "epoch", Data: &r.epoch}, {Name: "id", Data: &r.id},
		{Name: "type", Data: &r.typ}, {Name: "source", Data: &r.source}, {Name: "subject", Data: &r.subject}, {Name: "recorded", Data: &r.recorded},
		{Name: "reason", Data: &r.reason}, {Name: "key", Data: &r.keys}, {Name: "value", Data: &r.value},
	}
}

func appendNumbers(out []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		out = binary.BigEndian.AppendUint64(out, n)
	}
	return out
}

// appendTexts separates texts by their length, so that no two rows are alike by
// where one text ends and the next begins.
func appendTexts(out []byte, texts ...string) []byte {
	for _, t := range texts {
		out = binary.AppendUvarint(out, uint64(len(t)))
		out = append(out, t...)
	}
	return out
}

// insert writes the batch's rows and, after them, its ledger row: steps 3 and
// 4. After an error the outcome is unknown; doing it again with the same epoch
// is absorbed by the tokens.
func (w *worker) insert(ctx context.Context, b *batch) error {
	for _, t := range []struct {
		table string
		rows  int
		block func() proto.Input
		done  Step
	}{
		{w.tables.Parked(), b.parked.len(), b.parked.block, Parked},
		{w.tables.Events(), b.events.len(), b.events.block, Evented},
		{w.tables.Postings(), b.postings.len(), b.postings.block, Posted},
		{w.tables.Batches(), 1, b.ledgerRow(w.partition), Ledgered},
	} {
		if t.rows > 0 {
			token := fmt.Sprintf("%s:%s:%d:%s", t.table, w.topic, w.partition, b.batchRange)
			if err := w.writer.Insert(ctx, t.table, token, t.block()); err != nil {
				return fmt.Errorf("write %s of partition %d: %w", b.batchRange, w.partition, err)
			}
		}
		w.signal(t.done)
	}
	return nil
}

// ledgerRow is the batch's row in the ledger.
func (b *batch) ledgerRow(partition int) func() proto.Input {
	return func() proto.Input {
		digest := &proto.ColFixedStr{Size: sha256.Size}
		digest.Append(b.digest())
		recorded := new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli)
		recorded.AppendRaw(proto.DateTime64(b.recorded.UnixMilli()))
		number := func(n int) *proto.ColUInt32 { return &proto.ColUInt32{uint32(n)} }
		return proto.Input{
			{Name: "kafka_partition", Data: &proto.ColUInt16{uint16(partition)}}, {Name: "first_offset", Data: &proto.ColUInt64{uint64(b.first)}}, {Name: "last_offset", Data: &proto.ColUInt64{uint64(b.last)}},
			{Name: "epoch", Data: &proto.ColUInt32{b.epoch}}, {Name: "events", Data: number(b.events.len())}, {Name: "postings", Data: number(b.postings.len())}, {Name: "parked", Data: number(b.parked.len())},
			{Name: "digest", Data: digest}, {Name: "recorded", Data: recorded},
		}
	}
}
