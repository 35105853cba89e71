package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zhiban/schemas"
)

// Comparison is what figures are put beside.
type Comparison string

// The comparisons. They are like with like: of days that are not over yet only
// those so far are counted, in both periods.
const (
	YearOnYear Comparison = "yoy" // 同比: the same days of the year before
	// PeriodBefore (环比) is the month, quarter, year or day before when figures are
	// split by one. Else days that begin on the first of a month are compared by
	// months: October 1 to 12 with September 1 to 12, a quarter with the quarter
	// before; all others with as many days right before them.
	PeriodBefore Comparison = "mom"
	YearToDate   Comparison = "ytd" // 累计: from 1 January of the last day's year; a figure of its own, no change
)

// Comparisons lists them all.
var Comparisons = []Comparison{YearOnYear, PeriodBefore, YearToDate}

// ComparedStatistics are statistics with what they are compared with, all of one cut.
// Query.To is today at the latest; Unfinished says that it was asked for later.
type ComparedStatistics struct {
	Statistics
	Unfinished bool
	Ranges     map[Comparison]Range
	// Beside are, for each row, the figures compared with, in the order of
	// Query.Indicators. A row that only the other period has is among the rows.
	Beside []map[Comparison][]Beside
}

// Beside is a figure of the other period, how much was added since then, and
// that as a part of it: 0.25 for a quarter more. A figure that is not available
// is nil, as is a change from nothing; the change of a ratio is the difference.
type Beside struct {
	Value, Difference, Change *float64
}

// Cutter finds the cut of a moment, of now when it is zero.
type Cutter interface {
	Cut(ctx context.Context, asOf time.Time) (Cut, error)
}

// ReadCompared asks s for q and for what it is compared with, side by side. today is
// the day of the moment asked for.
func ReadCompared(ctx context.Context, s interface {
	Statistician
	Cutter
}, scope Scope, q Query, with []Comparison, today schemas.Day) (ComparedStatistics, error) {
	out := ComparedStatistics{Ranges: map[Comparison]Range{}}
	times := slices.DeleteFunc(slices.Clone(q.By), func(d Dimension) bool { return !isTime(d) })
	switch {
	case len(times) > 1 && len(with) > 0:
		return out, schemas.Errorf(schemas.Invalid, "by=%s and by=%s: figures that are compared can be split by one of day, month, quarter and year", times[0], times[1])
	case len(times) == 1 && slices.Contains(with, YearToDate):
		return out, schemas.Errorf(schemas.Invalid, "compare=ytd is one figure for the year so far; it cannot be split by %s", times[0])
	}
	if len(with) > 0 && q.From <= today && today < q.To {
		q.To, out.Unfinished = today, true
	}
	var bucket Dimension
	if len(times) == 1 {
		bucket = times[0]
	}
	var err error
	if q.Cut.IsZero() && len(with) > 0 {
		if q.Cut, err = s.Cut(ctx, q.AsOf); err != nil {
			return out, err
		}
	}
	others := make([]Statistics, len(with))
	asking := []func(context.Context) error{func(ctx context.Context) (err error) {
		out.Statistics, err = s.Statistics(ctx, scope, q)
		return err
	}}
	for i, c := range with {
		r := c.of(Range{q.From, q.To}, bucket)
		out.Ranges[c] = r
		asking = append(asking, func(ctx context.Context) (err error) {
			other := q
			other.From, other.To = r.From, r.To
			if others[i], err = s.Statistics(ctx, scope, other); err != nil {
				return fmt.Errorf("compare with %s to %s: %w", r.From, r.To, err)
			}
			return nil
		})
	}
	if err := together(ctx, asking...); err != nil {
		return out, err
	}
	out.Query = q
	out.Beside = make([]map[Comparison][]Beside, len(out.Rows))
	for i, c := range with {
		out.put(c, others[i], bucket)
	}
	out.sort()
	return out, nil
}

// of is the days that r is compared with.
func (c Comparison) of(r Range, bucket Dimension) Range {
	months := 0
	switch {
	case c == YearToDate:
		return Range{schemas.Date(r.To.Year(), 1, 1), r.To}
	case c == YearOnYear:
		months = 12
	case bucket == ByDay:
		return Range{r.From - 1, r.To - 1}
	case bucket != "":
		months = map[Dimension]int{ByMonth: 1, ByQuarter: 3, ByYear: 12}[bucket]
	case r.From == r.From.Month().First():
		months = int(r.To.Month()-r.From.Month()) + 1
	default:
		n := r.To - r.From + 1
		return Range{r.From - n, r.From - 1}
	}
	out := Range{back(r.From, months), back(r.To, months)}
	if r.To == r.To.Month().Last() && r.From <= r.To.Month().First() { // a whole month, with a whole month
		out.To = out.To.Month().Last()
	}
	return out
}

// back is the same day some months before, or the last of its month.
func back(d schemas.Day, months int) schemas.Day {
	m := d.Month() - schemas.Month(months)
	return min(m.First()+(d-d.Month().First()), m.Last())
}

// bucketOf is the value of a dimension of time on a day.
func bucketOf(by Dimension, d schemas.Day) string {
	switch by {
	case ByDay:
		return d.String()
	case ByMonth:
		return d.Month().String()
	case ByQuarter:
		return fmt.Sprintf("%04d-Q%d", d.Year(), (d.Month().Number()+2)/3)
	}
	return fmt.Sprintf("%04d", d.Year())
}

// buckets are the values of a dimension of time in r, by those that they are
// compared with. 29 February is compared with nothing.
func (c Comparison) buckets(r Range, by Dimension) map[string]string {
	out := map[string]string{}
	for d := r.From; d <= r.To; d++ {
		other := c.of(Range{d, d}, by).From
		if by == ByDay && c == YearOnYear && other.Month().First()+(d-d.Month().First()) != other {
			continue
		}
		out[bucketOf(by, other)] = bucketOf(by, d)
	}
	return out
}

// put sets the figures of the other period beside the rows.
func (s *ComparedStatistics) put(c Comparison, other Statistics, bucket Dimension) {
	at := slices.Index(s.Query.By, bucket)
	var same map[string]string
	if at >= 0 {
		same = c.buckets(Range{s.Query.From, s.Query.To}, bucket)
	}
	inds := lookup(s.Query.Indicators...)
	found := map[string]Row{} // of the other period, by the key of the row asked for
	for _, row := range other.Rows {
		row.Key = slices.Clone(row.Key)
		if at >= 0 {
			asked, ok := same[row.Key[at]]
			if !ok {
				continue
			}
			row.Key[at] = asked
		}
		found[strings.Join(row.Key, "\x00")] = row
	}
	here := map[string]bool{}
	for _, row := range s.Rows {
		here[strings.Join(row.Key, "\x00")] = true
	}
	for key, row := range found {
		if !here[key] {
			s.Rows, s.Beside = append(s.Rows, nothing(row.Key, inds)), append(s.Beside, nil)
		}
	}
	for i, row := range s.Rows {
		was, ok := found[strings.Join(row.Key, "\x00")]
		if !ok {
			was = nothing(row.Key, inds)
		}
		if s.Beside[i] == nil {
			s.Beside[i] = map[Comparison][]Beside{}
		}
		for k, ind := range inds {
			b := Beside{Value: was.Values[k]}
			if now := row.Values[k]; c != YearToDate && now != nil && b.Value != nil {
				b.Difference = new(*now - *b.Value)
				if ind.Kind != schemas.Ratio && *b.Value != 0 {
					b.Change = new(*b.Difference / *b.Value)
				}
			}
			s.Beside[i][c] = append(s.Beside[i][c], b)
		}
	}
}

// nothing is the row of a place and time of which nothing was posted.
func nothing(key []string, inds []schemas.Indicator) Row {
	row := Row{Key: key, Values: make([]*float64, len(inds))}
	for i, ind := range inds {
		if !ind.Divided() {
			row.Values[i] = new(float64)
		}
	}
	return row
}

// sort puts the rows in the order of their keys.
func (s *ComparedStatistics) sort() {
	order := make([]int, len(s.Rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return slices.Compare(s.Rows[a].Key, s.Rows[b].Key) })
	rows, beside := make([]Row, len(order)), make([]map[Comparison][]Beside, len(order))
	for to, from := range order {
		rows[to], beside[to] = s.Rows[from], s.Beside[from]
	}
	s.Rows, s.Beside = rows, beside
}
