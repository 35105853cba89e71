package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"zhiban/schemas"
)

// Parked is a record of the log that could not be read when its turn came. It
// says nothing of what the record's data holds, which may be about a person,
// beyond the names of its fields: the whole text is for the operator
// (zhiban deadletter show).
type Parked struct {
	Partition int
	Offset    int64
	ID        schemas.EventID // zero when not even that can be read
	Type      string          // these three as they stand there, or ""
	Source    string
	Subject   string
	Recorded  time.Time // when it came into the log
	Reason    string    // why it could not be read; values of its data are "…"
	Fields    []string  // names of the fields of its data, in order, at most 50
	Bytes     int       // how long it is
	Replayed  bool      // its event stands in the log again, readable, and counts
}

// Place is the record's place in the log, as partition/offset.
func (r Parked) Place() string { return fmt.Sprintf("%d/%d", r.Partition, r.Offset) }

// ParkedPage is a part of what is parked: what waits first, and of both the last
// recorded first.
type ParkedPage struct {
	Cut     Cut
	Total   int64
	Waiting int64 // of them not replayed
	Records []Parked
}

// Parked lists what of the log up to a cut, now's when it is zero, could not be
// read. It is for the whole province alone.
func (w *Warehouse) Parked(ctx context.Context, scope Scope, cut Cut, offset, limit int) (ParkedPage, error) {
	cut, err := w.parkedCut(ctx, scope, cut)
	if err != nil {
		return ParkedPage{}, err
	}
	out := ParkedPage{Cut: cut}
	err = w.conn.QueryRow(ctx, `SELECT toInt64(count()), toInt64(countIf(NOT replayed)) FROM (`+parkedSQL(cut, "id")+`)`).Scan(&out.Total, &out.Waiting)
	if err != nil {
		return ParkedPage{}, unavailable("count what is parked", err)
	}
	out.Records, err = w.parked(ctx, parkedSQL(cut, parkedColumns)+` ORDER BY replayed, recorded DESC, kafka_partition, kafka_offset DESC LIMIT ? OFFSET ?`, limit, offset)
	return out, err
}

// ParkedRecord is what is parked of a place in the log.
func (w *Warehouse) ParkedRecord(ctx context.Context, scope Scope, cut Cut, partition int, offset int64) (Parked, error) {
	cut, err := w.parkedCut(ctx, scope, cut)
	if err != nil {
		return Parked{}, err
	}
	found, err := w.parked(ctx, parkedSQL(cut, parkedColumns)+` AND kafka_partition = ? AND kafka_offset = ? LIMIT 1`, partition, offset)
	if err != nil {
		return Parked{}, err
	}
	if len(found) == 0 {
		return Parked{}, schemas.Errorf(schemas.NotFound, "nothing is parked at %d/%d", partition, offset)
	}
	return found[0], nil
}

func (w *Warehouse) parkedCut(ctx context.Context, scope Scope, cut Cut) (Cut, error) {
	if err := whole(scope); err != nil || !cut.IsZero() {
		return cut, err
	}
	return w.Cut(ctx, time.Time{})
}

const parkedColumns = `kafka_partition, kafka_offset, id, type, source, subject, recorded, reason, value`

// parkedSQL selects what is parked, and whether it was replayed by then.
func parkedSQL(cut Cut, columns string) string {
	t, in := cut.tables, cut.condition()
	return `SELECT ` + columns + `, id IN (SELECT id FROM ` + t.Events() + ` WHERE ` + in + ` AND id IN (SELECT id FROM ` + t.Parked() + `)) AS replayed
		FROM ` + t.Parked() + ` WHERE ` + in
}

func (w *Warehouse) parked(ctx context.Context, query string, args ...any) ([]Parked, error) {
	rows, err := w.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, unavailable("list what is parked", err)
	}
	defer rows.Close()
	var out []Parked
	for rows.Next() {
		var r Parked
		var partition uint16
		var offset uint64
		var value string
		var replayed uint8
		if err := rows.Scan(&partition, &offset, &r.ID, &r.Type, &r.Source, &r.Subject, &r.Recorded, &r.Reason, &value, &replayed); err != nil {
			return nil, unavailable("list what is parked", err)
		}
		r.Partition, r.Offset, r.Bytes, r.Replayed = int(partition), int64(offset), len(value), replayed != 0
		var record struct{ Data json.RawMessage }
		if json.Unmarshal([]byte(value), &record) == nil {
			var values []string
			r.Fields, values = dataOf(record.Data)
			r.Reason = masked(r.Reason, values)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("list what is parked", err)
	}
	return out, nil
}

// mostFields bounds the names of fields that a record shows.
const mostFields = 50

// dataOf takes data apart into the names of its fields and all values below
// them that could say something of a person.
func dataOf(data json.RawMessage) (fields, values []string) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var whole any
	if d.Decode(&whole) != nil {
		return nil, nil
	}
	if object, ok := whole.(map[string]any); ok {
		for name := range object {
			fields = append(fields, name)
		}
		slices.Sort(fields)
		fields = fields[:min(len(fields), mostFields)]
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		case string, json.Number:
			if text := fmt.Sprint(v); len(text) >= 3 { // one Chinese character, or a number of three digits
				values = append(values, text)
			}
		}
	}
	walk(whole)
	return fields, values
}

// masked is a reason without the values that it quotes, the longest first, as
// one may be part of another.
func masked(reason string, values []string) string {
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, v := range values {
		escaped, _ := json.Marshal(v) // a text always has a form in JSON
		for _, form := range []string{string(escaped[1 : len(escaped)-1]), v} {
			reason = strings.ReplaceAll(reason, form, "…")
		}
	}
	return reason
}
