package proof

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// partsMakeTheWhole splits a question once more, by a dimension that it is not
// split by yet: for each row, what adds up is the sum of its parts; what is
// distinct is at least its greatest part and at most their sum; a ratio and a
// percentile lie between their least part and their greatest.
func partsMakeTheWhole(t *testing.T, figures *report.Warehouse, q report.Query, random *rand.Rand) {
	t.Helper()
	by := []report.Dimension{report.ByDivision, report.ByCounty, report.ByStation, report.ByStationKind, report.ByLawyer, report.ByFirm, report.ByMode, report.ByChannel, report.ByPersonRole, report.ByOrgan,
		report.ByDay, report.ByMonth, report.ByQuarter, report.ByYear}
	times := []report.Dimension{report.ByDay, report.ByMonth, report.ByQuarter, report.ByYear}
	extra := by[random.IntN(len(by))]
	if slices.Contains(q.By, extra) {
		return
	}
	if slices.Contains(times, extra) {
		q.Indicators = slices.DeleteFunc(q.Indicators, func(c schemas.IndicatorCode) bool { return kindOf(t, c) == schemas.Stock })
	}
	whole, err := figures.Statistics(t.Context(), report.ProvinceWide, q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	split := q
	split.Cut, split.By = whole.Cut, append(slices.Clone(q.By), extra)
	parts, err := figures.Statistics(t.Context(), report.ProvinceWide, split)
	if err != nil {
		t.Fatalf("%+v: %v", split, err)
	}
	for i, code := range q.Indicators {
		kind := kindOf(t, code)
		for _, row := range whole.Rows {
			var of []float64
			for _, part := range parts.Rows {
				if slices.Equal(part.Key[:len(q.By)], row.Key) && part.Values[i] != nil {
					of = append(of, *part.Values[i])
				}
			}
			if err := consists(kind, row.Values[i], of); err != "" {
				t.Errorf("%s of %v: %s; by %s it is %v (%s, %s to %s, %v by %v)", code, row.Key, err, extra, of, q.Division, q.From, q.To, q.View, q.By)
			}
		}
	}
	for _, part := range parts.Rows { // nothing is in a part that is not in the whole
		if !slices.ContainsFunc(whole.Rows, func(r report.Row) bool { return slices.Equal(r.Key, part.Key[:len(q.By)]) }) {
			for i, v := range part.Values {
				if kindOf(t, q.Indicators[i]) == schemas.Distinct && v != nil && *v > 0 {
					t.Errorf("%s: %v has %v, and %v has no row", q.Indicators[i], part.Key, *v, part.Key[:len(q.By)])
				}
			}
		}
	}
}

// consists tells what is wrong with a whole that is made of parts.
func consists(kind schemas.IndicatorKind, whole *float64, parts []float64) string {
	sum := 0.0
	for _, p := range parts {
		sum += p
	}
	const fine = 1e-6
	switch {
	case whole == nil:
		if len(parts) > 0 {
			return "not available as a whole"
		}
	case kind == schemas.Additive || kind == schemas.Overdue || kind == schemas.Stock:
		if math.Abs(*whole-sum) > fine {
			return "the parts do not add up"
		}
	case kind == schemas.Distinct:
		if greatest := slices.Max(append(parts, 0)); *whole < greatest || *whole > sum {
			return "not between its greatest part and their sum"
		}
	case len(parts) == 0:
		return "no part has a value"
	case *whole < slices.Min(parts)-fine || *whole > slices.Max(parts)+fine:
		return "not between its parts"
	}
	return ""
}

func kindOf(t *testing.T, code schemas.IndicatorCode) schemas.IndicatorKind {
	t.Helper()
	ind, err := schemas.Indicators.Lookup(code)
	if err != nil {
		t.Fatal(err)
	}
	return ind.Kind
}

// postingsMakeTheFigure opens each figure of a question: its postings add up to
// it, all of them are listed once, and what still stands of them adds up to the
// same. Of what is still to be done there is a line for each, and nothing else.
func postingsMakeTheFigure(t *testing.T, figures *report.Warehouse, q report.Query) {
	t.Helper()
	q.By = nil
	for _, code := range q.Indicators {
		ind, _ := schemas.Indicators.Lookup(code)
		one := q
		one.Indicators = []schemas.IndicatorCode{code}
		s, err := figures.Statistics(t.Context(), report.ProvinceWide, one)
		if err != nil {
			t.Fatal(err)
		}
		one.Cut = s.Cut
		read := func(standing bool) (lines []report.Posting, sum int64) {
			one.Standing = standing
			page, err := figures.Postings(t.Context(), report.ProvinceWide, one, 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			if err := figures.EachPosting(t.Context(), report.ProvinceWide, one, func(p report.Posting) error {
				lines, sum = append(lines, p), sum+p.Quantity
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if page.Total != int64(len(lines)) || page.Sum != sum {
				t.Errorf("%s (standing %v): %d postings of %d are listed, which add up to %d of %d", code, standing, len(lines), page.Total, sum, page.Sum)
			}
			if !slices.IsSortedFunc(lines, func(a, b report.Posting) int {
				return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
			}) {
				t.Errorf("%s: the postings are not in the order of the days and the log", code)
			}
			for _, p := range lines {
				if p.Type == "" {
					t.Fatalf("%s: no event at %d:%d", code, p.Partition, p.Offset)
				}
			}
			return lines, sum
		}
		_, sum := read(false)
		standing, left := read(true)
		if sum != left {
			t.Errorf("%s: %d is posted and %d stands", code, sum, left)
		}
		if ind.Kind != schemas.Additive && ind.Kind != schemas.Overdue && ind.Kind != schemas.Stock {
			continue
		}
		if figure := s.Value(s.Rows[0], code) * float64(max(ind.Parts, 1)); math.Abs(figure-float64(sum)) > 1e-6 {
			t.Errorf("%s is %v, its postings add up to %d", code, figure, sum)
		}
		switch code {
		case schemas.ShiftsOpen, schemas.ConsultationsUnsigned, schemas.NotificationsOpen, schemas.NotificationsOverdue, schemas.ShiftsAwaited, schemas.NoShows, schemas.MattersOpen:
			if int64(len(standing)) != left {
				t.Errorf("%s: %d lines stand for %d", code, len(standing), left)
			}
		}
	}
}
