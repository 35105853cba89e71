package report

import (
	"context"
	"testing"
	"time"

	"zhiban/schemas"
)

func TestPeriodsCompareLikeWithLike(t *testing.T) {
	for _, c := range []struct {
		name, month, today                string
		now, previous, lastYear, thisYear string
		unfinished                        bool
	}{
		{"a month that is over", "2026-10", "2026-11-24", "2026-10-01 2026-10-31", "2026-09-01 2026-09-30", "2025-10-01 2025-10-31", "2026-01-01 2026-10-31", false},
		{"a month that is not over", "2026-11", "2026-11-24", "2026-11-01 2026-11-24", "2026-10-01 2026-10-24", "2025-11-01 2025-11-24", "2026-01-01 2026-11-24", true},
		{"its last day", "2026-11", "2026-11-30", "2026-11-01 2026-11-30", "2026-10-01 2026-10-31", "2025-11-01 2025-11-30", "2026-01-01 2026-11-30", false},
		{"more days than the month before has", "2026-03", "2026-03-30", "2026-03-01 2026-03-30", "2026-02-01 2026-02-28", "2025-03-01 2025-03-30", "2026-01-01 2026-03-30", true},
		{"January", "2026-01", "2026-01-05", "2026-01-01 2026-01-05", "2025-12-01 2025-12-05", "2025-01-01 2025-01-05", "2026-01-01 2026-01-05", true},
		{"29 February", "2024-02", "2024-03-09", "2024-02-01 2024-02-29", "2024-01-01 2024-01-31", "2023-02-01 2023-02-28", "2024-01-01 2024-02-29", false},
		{"a month to come", "2026-12", "2026-11-24", "2026-12-01 2026-12-31", "2026-11-01 2026-11-30", "2025-12-01 2025-12-31", "2026-01-01 2026-12-31", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			month, err := schemas.ParseMonth(c.month)
			if err != nil {
				t.Fatal(err)
			}
			today, err := schemas.ParseDay(c.today)
			if err != nil {
				t.Fatal(err)
			}
			p := PeriodsOf(month, today)
			for _, r := range []struct {
				what, want string
				got        Range
			}{{"now", c.now, p.Now}, {"previous", c.previous, p.Previous}, {"last year", c.lastYear, p.LastYear}, {"year", c.thisYear, p.Year}} {
				if got := r.got.From.String() + " " + r.got.To.String(); got != r.want {
					t.Errorf("%s: %s, want %s", r.what, got, r.want)
				}
			}
			if p.Unfinished != c.unfinished {
				t.Errorf("unfinished: %v", p.Unfinished)
			}
		})
	}
}

// days answers every figure with the number of days asked for.
type days struct{}

func (days) Statistics(_ context.Context, _ Scope, q Query) (Statistics, error) {
	v := float64(q.To - q.From + 1)
	row := Row{Values: []*float64{&v}}
	for range q.By {
		row.Key = append(row.Key, "x")
	}
	return Statistics{Query: q, Cut: Cut{Offsets: map[int]int64{0: 7}}, AsOf: time.Unix(0, 0), Rows: []Row{row}}, nil
}

func TestOverviewPutsEachAnswerInItsPlace(t *testing.T) {
	q := OverviewQuery{
		Query: Query{Division: schemas.Province, Indicators: []schemas.IndicatorCode{schemas.Shifts}},
		Month: schemas.Date(2026, time.March, 1).Month(), Main: schemas.Shifts,
		Parts: Split{ByDivision, []schemas.IndicatorCode{schemas.Shifts}}, Splits: []Split{{ByMode, []schemas.IndicatorCode{schemas.Shifts}}},
	}
	o, err := ReadOverview(t.Context(), days{}, ProvinceWide, q, schemas.Date(2026, time.March, 30))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Compared{o.Whole, *o.Parts["x"]} {
		if n, p, l := c.Now.Of(schemas.Shifts), c.Previous.Of(schemas.Shifts), c.LastYear.Of(schemas.Shifts); n != 30 || p != 28 || l != 30 {
			t.Errorf("days of now %v, previous %v, last year %v", n, p, l)
		}
	}
	if y := o.Whole.Year.Of(schemas.Shifts); y != 89 {
		t.Errorf("the year has %v days", y)
	}
	if got := o.Trend.Value(o.Trend.Rows[0], schemas.Shifts); got != 365+89 {
		t.Errorf("the trend covers %v days", got)
	}
	if got := o.Splits[ByMode]; got.Value(got.Rows[0], schemas.Shifts) != 30 {
		t.Errorf("the split is of %v", got.Query)
	}
	if o.Cut.String() != "0:7" {
		t.Errorf("cut %s", o.Cut)
	}
}
