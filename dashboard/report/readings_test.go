package report

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

func TestReadingsOfARange(t *testing.T) {
	day := func(month, day int) schemas.Day { return schemas.Date(2026, time.Month(month), day) }
	rolled := func(from, to schemas.Day) []reading {
		return []reading{{from: from, to: to, rolled: true}, {from: from, to: to, rest: true}}
	}
	for _, x := range []struct {
		name            string
		from, to, today schemas.Day
		daily           bool
		want            []reading
	}{
		{name: "whole months", from: day(1, 1), to: day(3, 31), today: day(11, 1), want: rolled(day(1, 1), day(3, 31))},
		{name: "everything up to the end of a month", to: day(3, 31), today: day(11, 1), want: rolled(0, day(3, 31))},
		{name: "what needs days", from: day(1, 1), to: day(3, 31), today: day(11, 1), daily: true, want: []reading{{from: day(1, 1), to: day(3, 31)}}},
		{name: "some days of a month", from: day(1, 8), to: day(1, 14), today: day(11, 1), want: []reading{{from: day(1, 8), to: day(1, 14)}}},
		{name: "a month but for a day", from: day(1, 2), to: day(1, 31), today: day(11, 1),
			want: append(rolled(day(1, 1), day(1, 31)), reading{from: day(1, 1), to: day(1, 1), minus: true})},
		{name: "up to a day early in a month that is over", from: day(1, 1), to: day(3, 5), today: day(11, 1),
			want: append(rolled(day(1, 1), day(2, 28)), reading{from: day(3, 1), to: day(3, 5)})},
		{name: "up to today", from: day(1, 1), to: day(3, 5), today: day(3, 5),
			want: append(rolled(day(1, 1), day(3, 31)), reading{from: day(3, 6), to: day(3, 31), minus: true})},
		{name: "days about the end of a month", from: day(1, 25), to: day(2, 5), today: day(11, 1), want: []reading{{from: day(1, 25), to: day(2, 5)}}},
	} {
		if got := readings(x.from, x.to, x.today, !x.daily); !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s: %+v, want %+v", x.name, got, x.want)
		}
	}
}

func TestReadingsHaveEveryDayOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.IntRange(int(schemas.Date(2023, 11, 1)), int(schemas.Date(2024, 4, 30)))
		from, to, today := schemas.Day(days.Draw(t, "from")), schemas.Day(days.Draw(t, "to")), schemas.Day(days.Draw(t, "today"))
		if from > to {
			from, to = to, from
		}
		if rapid.Bool().Draw(t, "all before") {
			from = 0
		}
		read := readings(from, to, today, true)
		for d := schemas.Date(2023, 10, 1); d <= schemas.Date(2024, 5, 31); d++ {
			times, want := 0, 0
			for _, r := range read {
				switch {
				case d < r.from || d > r.to || r.rest:
				case r.minus:
					times--
				default:
					times++
				}
			}
			if from <= d && d <= to {
				want = 1
			}
			if times != want {
				t.Fatalf("%s is read %d times, want %d: %+v", d, times, want, read)
			}
		}
		for _, r := range read {
			if r.rolled && (r.from != 0 && r.from != r.from.Month().First() || r.to != r.to.Month().Last()) {
				t.Fatalf("%+v is not of whole months", r)
			}
		}
	})
}

// posted is a posting of a test's own.
type posted struct {
	partition, offset                int64
	indicator                        schemas.IndicatorCode
	day                              schemas.Day
	source                           string
	lawyer                           uint64
	mode, channel, personRole, organ string
	person                           uint64
	quantity                         int64
}

func drawPosted(t *rapid.T) posted {
	const s = warehouse.SpanOffsets
	p := posted{
		partition: rapid.Int64Range(0, 1).Draw(t, "partition"),
		offset:    rapid.SampledFrom([]int64{0, 1, 2, 3, s - 2, s - 1, s, s + 1, s + 2, 2*s - 1, 2 * s, 2*s + 1, 3 * s}).Draw(t, "offset"),
		indicator: rapid.SampledFrom([]schemas.IndicatorCode{schemas.Shifts, schemas.Consultations, schemas.PleaAssistance, schemas.Lawyers}).Draw(t, "indicator"),
		day:       schemas.Day(rapid.IntRange(int(schemas.Date(2020, 3, 20)), int(schemas.Date(2020, 7, 10))).Draw(t, "day")),
		source:    rapid.SampledFrom([]string{"220182-court", "220381-court", "220381-detention", "220184-court", "22CB00-court", "22CB00", "220300"}).Draw(t, "source"),
		lawyer:    rapid.SampledFrom([]uint64{0, 12201200410000001, 12201200410000002}).Draw(t, "lawyer"),
		mode:      rapid.SampledFrom([]string{"", "on_site", "phone"}).Draw(t, "mode"),
		channel:   rapid.SampledFrom([]string{"", "window"}).Draw(t, "channel"),
		person:    rapid.Uint64Range(0, 3).Draw(t, "person"),
		quantity:  rapid.Int64Range(-2, 3).Draw(t, "quantity"),
	}
	if p.partition == 1 {
		p.organ, p.personRole = "court", "suspect"
	}
	return p
}

// value is a dimension's value of a posting, counted by hand.
func (p posted) value(d Dimension) string {
	month := p.day.Month()
	switch d {
	case ByDivision:
		path := schemas.Divisions.Path(schemas.Divisions.On(schemas.DivisionCode(p.source[:6]), p.day))
		return string(path[min(slices.IndexFunc(path, func(x schemas.Division) bool { return x.Code == schemas.Province })+1, len(path)-1)].Code)
	case ByCounty:
		return string(schemas.Divisions.On(schemas.DivisionCode(p.source[:6]), p.day))
	case ByStation:
		if strings.Contains(p.source, "-") {
			return p.source
		}
		return ""
	case ByLawyer:
		return schemas.Licence(p.lawyer).String()
	case ByMode:
		return p.mode
	case ByChannel:
		return p.channel
	case ByOrgan:
		return p.organ
	case ByPersonRole:
		return p.personRole
	case ByDay:
		return p.day.String()
	case ByMonth:
		return month.String()
	case ByQuarter:
		return fmt.Sprintf("%d-Q%d", month.Year(), (month.Number()+2)/3)
	}
	return fmt.Sprint(month.Year())
}

// sumOf is the answer to q, counted by hand.
func sumOf(q Query, all []posted) map[string]map[schemas.IndicatorCode]int64 {
	out := map[string]map[schemas.IndicatorCode]int64{}
	persons := map[schemas.IndicatorCode]map[string]map[uint64]int64{schemas.PersonsConsulted: {}, schemas.PersonsHelped: {}}
	for _, p := range all {
		key := make([]string, len(q.By))
		for i, d := range q.By {
			if key[i] = p.value(d); (d == ByDivision || d == ByCounty) && p.indicator == schemas.Lawyers { // a stock stands at the end
				at := p
				at.day = q.To
				key[i] = at.value(d)
			}
		}
		k := strings.Join(key, "\x00")
		in := p.offset < q.Cut.Offsets[int(p.partition)] && p.day <= q.To && (p.day >= q.From || p.indicator == schemas.Lawyers) && slices.Contains(q.Indicators, p.indicator)
		for d, values := range q.Filter {
			in = in && slices.Contains(values, p.value(d))
		}
		if !in {
			continue
		}
		if out[k] == nil {
			out[k] = map[schemas.IndicatorCode]int64{}
			for _, each := range persons {
				each[k] = map[uint64]int64{}
			}
		}
		out[k][p.indicator] += p.quantity
		if p.person == 0 {
			continue
		}
		switch p.indicator {
		case schemas.Consultations:
			persons[schemas.PersonsConsulted][k][p.person] += p.quantity
			persons[schemas.PersonsHelped][k][p.person] += p.quantity
		case schemas.PleaAssistance:
			persons[schemas.PersonsHelped][k][p.person] += p.quantity
		}
	}
	for code, groups := range persons {
		for k, each := range groups {
			for _, n := range each {
				if n > 0 {
					out[k][code]++
				}
			}
		}
	}
	return out
}

func (b *book) post(t interface{ Fatal(...any) }, all []posted) {
	ctx := b.t.Context()
	tables, err := warehouse.Current(ctx, b.conn)
	if err != nil {
		t.Fatal(err)
	}
	events, err := b.conn.PrepareBatch(ctx, "INSERT INTO "+tables.Events()+" (kafka_partition, kafka_offset)")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if err := events.Append(uint16(p.partition), uint64(p.offset)); err != nil {
			t.Fatal(err)
		}
	}
	if err := events.Send(); err != nil {
		t.Fatal(err)
	}
	rows, err := b.conn.PrepareBatch(ctx, "INSERT INTO "+tables.Postings()+" (kafka_partition, kafka_offset, epoch, recorded, indicator, day, source, lawyer, mode, channel, person_role, organ, person, quantity)")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if err := rows.Append(uint16(p.partition), uint64(p.offset), uint32(1), p.day.Start(), string(p.indicator), p.day.Start(), p.source, p.lawyer, p.mode, p.channel, p.personRole, p.organ, p.person, p.quantity); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Send(); err != nil {
		t.Fatal(err)
	}
}

// Whatever roll-ups a question is answered from, and wherever its cut divides
// them, the answer is the sum of the postings. What a repair removed is not in it.
func TestRollUpsSayWhatPostingsSay(t *testing.T) {
	b := newBook(t)
	tables, err := warehouse.Current(t.Context(), b.conn)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, table := range append(tables.RollUps(), tables.Postings(), tables.Events()) {
			if err := b.conn.Exec(b.t.Context(), "TRUNCATE TABLE "+table); err != nil {
				t.Fatal(err)
			}
		}
		var all []posted
		for range rapid.IntRange(1, 2).Draw(t, "parts") {
			part := rapid.SliceOfN(rapid.Custom(drawPosted), 1, 40).Draw(t, "postings")
			b.post(t, part)
			all = append(all, part...)
		}
		if rapid.IntRange(0, 3).Draw(t, "repair") == 0 {
			const first, last = 1, warehouse.SpanOffsets
			if _, _, err := warehouse.Unroll(b.t.Context(), b.conn, tables, 0, first, last); err != nil {
				t.Fatal(err)
			}
			err := b.conn.Exec(b.t.Context(), fmt.Sprintf("DELETE FROM %s WHERE kafka_partition = 0 AND kafka_offset BETWEEN %d AND %d SETTINGS lightweight_deletes_sync = 2", tables.Postings(), first, last))
			if err != nil {
				t.Fatal(err)
			}
			if err := warehouse.RollUp(b.t.Context(), b.conn, tables, 0, first, last); err != nil {
				t.Fatal(err)
			}
			all = slices.DeleteFunc(all, func(p posted) bool { return p.partition == 0 && first <= p.offset && p.offset <= last })
		}
		for range 3 {
			q := drawQuery(t, tables)
			answer, err := b.Statistics(b.t.Context(), ProvinceWide, q)
			if err != nil {
				t.Fatal(err)
			}
			want := sumOf(q, all)
			for _, row := range answer.Rows {
				sums := want[strings.Join(row.Key, "\x00")]
				for i, code := range q.Indicators {
					if *row.Values[i] != float64(sums[code]) {
						t.Fatalf("%v: %s is %v, want %d", row.Key, code, *row.Values[i], sums[code])
					}
				}
				delete(want, strings.Join(row.Key, "\x00"))
			}
			for key, sums := range want {
				for code, n := range sums {
					if n != 0 && slices.Contains(q.Indicators, code) {
						t.Fatalf("%q is not in the answer, want %s %d", key, code, n)
					}
				}
			}
		}
	})
}

func drawQuery(t *rapid.T, tables warehouse.Tables) Query {
	const s = warehouse.SpanOffsets
	offset := rapid.SampledFrom([]int64{0, 1, 3, s - 1, s, s + 1, 2 * s, 2*s + 1, 3*s + 1})
	day := rapid.SampledFrom([]schemas.Day{schemas.Date(2020, 3, 1), schemas.Date(2020, 3, 25), schemas.Date(2020, 4, 1), schemas.Date(2020, 4, 30), schemas.Date(2020, 5, 12), schemas.Date(2020, 5, 31), schemas.Date(2020, 6, 30), schemas.Date(2020, 7, 31)})
	q := Query{
		Division: schemas.Province, From: day.Draw(t, "from"), To: day.Draw(t, "to"),
		Indicators: []schemas.IndicatorCode{schemas.Shifts, schemas.Consultations, schemas.PersonsConsulted, schemas.PleaAssistance, schemas.PersonsHelped},
		By:         rapid.SliceOfNDistinct(rapid.SampledFrom([]Dimension{ByDivision, ByCounty, ByStation, ByLawyer, ByMode, ByChannel, ByOrgan, ByPersonRole, ByDay, ByMonth, ByQuarter, ByYear}), 0, 3, rapid.ID[Dimension]).Draw(t, "by"),
		Filter:     map[Dimension][]string{},
		Cut:        Cut{Offsets: map[int]int64{0: offset.Draw(t, "cut of 0"), 1: offset.Draw(t, "cut of 1")}, tables: tables},
	}
	if q.From > q.To {
		q.From, q.To = q.To, q.From
	}
	if rapid.Bool().Draw(t, "known to be below the head") {
		q.Cut = Cut{Offsets: map[int]int64{0: 4 * s, 1: 4 * s}, tables: tables}.below(q.Cut.Offsets)
	}
	filters := map[Dimension][]string{ByLawyer: {"12201200410000001", "122"}, ByMode: {"", "phone"}, ByStation: {"220381-court"}}
	for _, d := range slices.Sorted(maps.Keys(filters)) {
		if rapid.IntRange(0, 4).Draw(t, "filter by "+string(d)) == 0 {
			q.Filter[d] = filters[d]
		}
	}
	if !slices.ContainsFunc(q.By, isTime) {
		q.Indicators = append(q.Indicators, schemas.Lawyers)
	}
	return q
}
