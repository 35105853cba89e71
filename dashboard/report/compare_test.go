package report

import (
	"context"
	"strings"
	"testing"
	"time"

	"zhiban/schemas"
)

func TestFiguresAreComparedLikeWithLike(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		bucket   Dimension
		with     Comparison
		want     string
	}{
		"a month with the month of the year before":               {"2026-10-01", "2026-10-31", "", YearOnYear, "2025-10-01 2025-10-31"},
		"a month with the month before":                           {"2026-10-01", "2026-10-31", "", PeriodBefore, "2026-09-01 2026-09-30"},
		"the days of a month so far with as many":                 {"2026-10-01", "2026-10-12", "", PeriodBefore, "2026-09-01 2026-09-12"},
		"and with those of the year before":                       {"2026-10-01", "2026-10-12", "", YearOnYear, "2025-10-01 2025-10-12"},
		"30 days of March with all of February":                   {"2026-03-01", "2026-03-30", "", PeriodBefore, "2026-02-01 2026-02-28"},
		"a whole February with a whole one that is longer":        {"2025-02-01", "2025-02-28", "", YearOnYear, "2024-02-01 2024-02-29"},
		"a part of February with the same days":                   {"2025-02-10", "2025-02-28", "", YearOnYear, "2024-02-10 2024-02-28"},
		"a quarter with the quarter before":                       {"2026-07-01", "2026-09-30", "", PeriodBefore, "2026-04-01 2026-06-30"},
		"a year with the year before":                             {"2026-01-01", "2026-12-31", "", PeriodBefore, "2025-01-01 2025-12-31"},
		"a week with the week before":                             {"2026-10-05", "2026-10-11", "", PeriodBefore, "2026-09-28 2026-10-04"},
		"months, each with the month before":                      {"2026-08-01", "2026-10-12", ByMonth, PeriodBefore, "2026-07-01 2026-09-12"},
		"quarters, each with the quarter before":                  {"2026-04-01", "2026-10-12", ByQuarter, PeriodBefore, "2026-01-01 2026-07-12"},
		"days, each with the day before":                          {"2026-10-01", "2026-10-12", ByDay, PeriodBefore, "2026-09-30 2026-10-11"},
		"the year so far":                                         {"2026-10-01", "2026-10-12", "", YearToDate, "2026-01-01 2026-10-12"},
		"a range over the new year: the year of its last day":     {"2025-12-01", "2026-02-28", "", YearToDate, "2026-01-01 2026-02-28"},
		"months of a range that begins on 15 August keep its day": {"2026-08-15", "2026-10-12", ByMonth, PeriodBefore, "2026-07-15 2026-09-12"},
	} {
		r := Range{parseDay(t, c.from), parseDay(t, c.to)}
		got := c.with.of(r, c.bucket)
		if text := got.From.String() + " " + got.To.String(); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}

func parseDay(t *testing.T, text string) schemas.Day {
	t.Helper()
	d, err := schemas.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// 29 February has no day to be compared with in the year before, nor has any
// other day it.
func TestLeapDaysAreComparedWithNothing(t *testing.T) {
	days := YearOnYear.buckets(Range{schemas.Date(2024, 2, 27), schemas.Date(2024, 3, 1)}, ByDay)
	if len(days) != 3 || days["2023-02-28"] != "2024-02-28" || days["2023-03-01"] != "2024-03-01" {
		t.Errorf("%v", days)
	}
	if months := YearOnYear.buckets(Range{schemas.Date(2024, 2, 1), schemas.Date(2024, 3, 31)}, ByMonth); len(months) != 2 || months["2023-02"] != "2024-02" {
		t.Errorf("%v", months)
	}
	if quarters := PeriodBefore.buckets(Range{schemas.Date(2026, 1, 1), schemas.Date(2026, 6, 30)}, ByQuarter); len(quarters) != 2 || quarters["2025-Q4"] != "2026-Q1" || quarters["2026-Q1"] != "2026-Q2" {
		t.Errorf("%v", quarters)
	}
}

// asked answers by the days of the question.
type asked map[string][]Row

func (a asked) Statistics(_ context.Context, _ Scope, q Query) (Statistics, error) {
	return Statistics{Query: q, Cut: Cut{Offsets: map[int]int64{0: 9}}, Rows: a[q.From.String()+" "+q.To.String()]}, nil
}

func (asked) Cut(context.Context, time.Time) (Cut, error) {
	return Cut{Offsets: map[int]int64{0: 9}}, nil
}

func TestWhatOnlyOnePeriodHasIsARow(t *testing.T) {
	row := func(kind string, n, rate float64) Row { return Row{[]string{kind}, []*float64{&n, &rate}} }
	from := asked{
		"2026-10-01 2026-10-12": {row("court", 10, 0.5), row("detention_centre", 4, 1)},
		"2026-09-01 2026-09-12": {row("court", 8, 0.75), row("procuratorate", 3, 1)},
		"2026-01-01 2026-10-12": {row("court", 100, 0.6)},
	}
	q := Query{Division: schemas.Province, From: schemas.Date(2026, 10, 1), To: schemas.Date(2026, 10, 31), By: []Dimension{ByStationKind},
		Indicators: []schemas.IndicatorCode{schemas.ApplicationsReceived, schemas.TransferredWithin24h}}
	s, err := ReadCompared(t.Context(), from, ProvinceWide, q, []Comparison{PeriodBefore, YearToDate}, schemas.Date(2026, 10, 12))
	if err != nil {
		t.Fatal(err)
	}
	if !s.Unfinished || s.Query.To != schemas.Date(2026, 10, 12) || len(s.Rows) != 3 {
		t.Fatalf("%+v", s)
	}
	court, detention, procuratorate := s.Beside[0][PeriodBefore], s.Beside[1][PeriodBefore], s.Beside[2][PeriodBefore]
	if *court[0].Value != 8 || *court[0].Difference != 2 || *court[0].Change != 0.25 || *court[1].Difference != -0.25 || court[1].Change != nil {
		t.Errorf("court: %+v", court)
	}
	if *detention[0].Value != 0 || *detention[0].Difference != 4 || detention[0].Change != nil || detention[1].Value != nil || detention[1].Difference != nil {
		t.Errorf("detention centre: %+v", detention)
	}
	if *s.Rows[2].Values[0] != 0 || s.Rows[2].Values[1] != nil || *procuratorate[0].Change != -1 {
		t.Errorf("procuratorate: %+v, %+v", s.Rows[2], procuratorate)
	}
	if year := s.Beside[0][YearToDate][0]; *year.Value != 100 || year.Difference != nil {
		t.Errorf("year to date: %+v", year)
	}
}

func TestComparisonsThatCannotBeAreRefused(t *testing.T) {
	q := Query{Division: schemas.Province, From: schemas.Date(2026, 1, 1), To: schemas.Date(2026, 3, 31), Indicators: []schemas.IndicatorCode{schemas.Shifts}}
	for _, c := range []struct {
		by   []Dimension
		with Comparison
		want string
	}{
		{[]Dimension{ByMonth, ByYear}, YearOnYear, "by=month and by=year"},
		{[]Dimension{ByDivision, ByMonth}, YearToDate, "cannot be split by month"},
	} {
		q.By = c.by
		if _, err := ReadCompared(t.Context(), asked{}, ProvinceWide, q, []Comparison{c.with}, schemas.Date(2026, 3, 31)); schemas.KindOf(err) != schemas.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("by %v with %s: %v", c.by, c.with, err)
		}
	}
}
