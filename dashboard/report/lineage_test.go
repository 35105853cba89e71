package report

import (
	"testing"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// A list of postings is read in pages of the log, and an event can have several
// postings on one day: each is listed once all the same.
func TestEveryPostingIsListedOnce(t *testing.T) {
	b := newBook(t)
	tables, err := warehouse.Current(t.Context(), b.conn)
	if err != nil {
		t.Fatal(err)
	}
	const events = eachPage + eachPage/2
	for _, fill := range []string{
		`INSERT INTO ` + tables.Events() + ` (kafka_partition, kafka_offset, epoch, id, type, case_kind, case_key, source, time, recorded, data)
			SELECT 1, number, 1, generateUUIDv4(number), 'zhiban.shift.signed_in.v1', 'shift', toString(number), '220182-court', '2026-09-01 08:00:00', '2026-09-01 08:00:00', '{}' FROM numbers(?)`,
		// Of each event one posting that goes and two that come, as of a correction.
		`INSERT INTO ` + tables.Postings() + ` (kafka_partition, kafka_offset, epoch, recorded, indicator, day, source, lawyer, quantity)
			SELECT 1, number, 1, '2026-09-01 08:00:00', 'shifts', toDate('2026-09-01') + number % 3, '220182-court', 12201201810000001 + n, if(n = 0, -1, 1) FROM numbers(?) ARRAY JOIN [0, 1, 2] AS n`,
	} {
		if err := b.conn.Exec(t.Context(), fill, events); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.conn.Exec(t.Context(), `INSERT INTO `+tables.Batches()+` (kafka_partition, first_offset, last_offset, epoch, events, digest, recorded) VALUES (1, 0, ?, 1, ?, '', now64(3))`, events-1, events); err != nil {
		t.Fatal(err)
	}
	q := Query{Division: schemas.Province, From: schemas.Date(2026, 9, 1), To: schemas.Date(2026, 9, 30), Indicators: []schemas.IndicatorCode{schemas.Shifts}}
	type line struct {
		offset int64
		lawyer string
	}
	for _, q.Standing = range []bool{false, true} {
		seen := map[line]int{}
		var sum int64
		if err := b.EachPosting(t.Context(), ProvinceWide, q, func(p Posting) error {
			seen[line{p.Offset, p.Lawyer}]++
			sum += p.Quantity
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(seen) != 3*events || sum != events {
			t.Errorf("standing %v: %d postings that add up to %d, want %d and %d", q.Standing, len(seen), sum, 3*events, events)
		}
		for l, n := range seen {
			if n != 1 {
				t.Fatalf("%+v is listed %d times", l, n)
			}
		}
	}
}
