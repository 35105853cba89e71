package report

import (
	"fmt"
	"testing"
	"time"

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
		`INSERT INTO ` + tables.Events() + ` (kafka_partition, kafka_offset, epoch, id_start, id_rest, type, case_kind, case_key, source, time, recorded, data)
			SELECT 1, number, 1, number, number, 'zhiban.shift.signed_in.v1', 'shift', toString(number), '220182-court', '2026-09-01 08:00:00', '2026-09-01 08:00:00', '{}' FROM numbers(?)`,
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

// People helped are those with a consultation or help of any kind, each once,
// and what is listed behind the figure is all of that.
func TestAPersonHelpedIsOne(t *testing.T) {
	m := &months{t: t}
	consulted := func(c int, person, at string) {
		m.did(court, c, "consultation.recorded", `{"lawyer":"`+wang+`","channel":"visit","person":"`+person+`","person_role":"suspect"}`, at)
	}
	helped := func(c int, person, service, at string) {
		m.did(court, c, "assistance.given", `{"lawyer":"`+wang+`","person":"`+person+`","service":"`+service+`"}`, at)
	}
	void := func(c, target int, kind, at string) {
		m.did(court, c, kind+".voided", `{"target":"`+eventID(target).String()+`","reason":"重复登记"}`, at)
	}
	consulted(1, "p-1", "9h") // event 1: consulted and helped twice
	helped(2, "p-1", "plea_leniency", "10h")
	helped(3, "p-1", "opinion", "11h")
	helped(4, "p-2", "meeting", "12h") // helped alone
	consulted(5, "p-3", "13h")         // event 5: voided, the help stands
	helped(6, "p-3", "file_review", "14h")
	consulted(7, "p-4", "15h") // event 7: nothing is left
	consulted(8, "p-5", "16h") // event 8: was somebody who is counted
	void(5, 5, "consultation", "17h")
	void(7, 7, "consultation", "18h")
	m.did(court, 8, "consultation.corrected", `{"target":"`+eventID(8).String()+`","data":`+consultation+`,"reason":"登记有误"}`, "19h")
	m.did(court, 9, "complaint.lodged", `{"lawyer":"`+wang+`","person":"p-6","ground":"torture"}`, "20h") // no help of these kinds
	b := m.on("2026-10-03")
	q := september
	q.Indicators = []schemas.IndicatorCode{schemas.PersonsHelped, schemas.PersonsConsulted}
	s, err := b.Statistics(t.Context(), ProvinceWide, q)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.ValuesOf(s.Rows[0]); got.Of(schemas.PersonsHelped) != 3 || got.Of(schemas.PersonsConsulted) != 1 {
		t.Errorf("%v were helped, %v consulted; want 3 and 1", got.Of(schemas.PersonsHelped), got.Of(schemas.PersonsConsulted))
	}
	q.Indicators = q.Indicators[:1]
	for standing, want := range map[bool]int{false: 12, true: 6} { // what stands: two consultations, four times help
		q.Standing = standing
		page, err := b.Postings(t.Context(), ProvinceWide, q, 0, 50)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Postings) != want || page.Sum != 6 {
			t.Errorf("standing %v: %d postings that add up to %d, want %d and 6", standing, len(page.Postings), page.Sum, want)
		}
	}
}

// Of subsidies with a last day those are late that were not paid by its end, once
// it has passed; before, and without a day, there is nothing to be late for.
func TestASubsidyIsLateOnceItsDayHasPassed(t *testing.T) {
	m := &months{t: t}
	accrued := func(c int, more string) {
		m.did(court, c, "subsidy.accrued", `{"lawyer":"`+wang+`","fen":20000`+more+`}`, "9h")
	}
	paid := func(c int, at string) {
		m.did(court, c, "subsidy.paid", `{"lawyer":"`+wang+`","fen":20000}`, at)
	}
	const by = `,"payable_by":"2026-09-10"`
	accrued(1, "") // no day
	accrued(2, by) // paid on the 10th
	accrued(3, by) // paid on the 11th
	accrued(4, by) // never
	accrued(5, `,"payable_by":"2026-12-31"`)
	paid(2, "230h")
	paid(3, "250h")
	b := m.on("2026-10-03")
	for _, c := range []struct {
		day                  string
		timed, payable, late float64
		rate                 string
	}{
		{"2026-09-10", 4, 0, 0, "none"},
		{"2026-09-11", 4, 3, 2, "0.67"},
		{"2026-10-03", 4, 3, 2, "0.67"},
	} {
		b.Clock = func() time.Time { return morning(c.day) }
		q := september
		q.Indicators = []schemas.IndicatorCode{schemas.SubsidiesTimed, schemas.SubsidiesPayable, schemas.SubsidiesLate, schemas.SubsidiesLateRate}
		s, err := b.Statistics(t.Context(), ProvinceWide, q)
		if err != nil {
			t.Fatal(err)
		}
		got, rate := s.ValuesOf(s.Rows[0]), "none"
		if r := s.Rows[0].Values[3]; r != nil {
			rate = fmt.Sprintf("%.2f", *r)
		}
		if got.Of(schemas.SubsidiesTimed) != c.timed || got.Of(schemas.SubsidiesPayable) != c.payable || got.Of(schemas.SubsidiesLate) != c.late || rate != c.rate {
			t.Errorf("on %s: of %v, %v were to be paid and %v were late, %s", c.day, got.Of(schemas.SubsidiesTimed), got.Of(schemas.SubsidiesPayable), got.Of(schemas.SubsidiesLate), rate)
		}
	}
	q := september
	q.Indicators, q.Standing = []schemas.IndicatorCode{schemas.SubsidiesLate}, true
	page, err := b.Postings(t.Context(), ProvinceWide, q, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range page.Postings {
		if p.Due != "2026-09-10" || p.Event != eventID(3) && p.Event != eventID(4) {
			t.Errorf("late is %s, due %s", p.Event, p.Due)
		}
	}
	if len(page.Postings) != 2 {
		t.Errorf("%d late ones are listed", len(page.Postings))
	}
}
