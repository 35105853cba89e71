package report

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"zhiban/schemas"
)

// Statistician answers queries; [Warehouse] is one.
type Statistician interface {
	Statistics(ctx context.Context, scope Scope, q Query) (Statistics, error)
}

// Range is a run of days, both ends included.
type Range struct{ From, To schemas.Day }

// Periods are a month and the ranges that its figures are compared with, like
// with like: of a month that is not over yet only the days so far, and the same
// days of the month before and of the year before.
type Periods struct {
	Month      schemas.Month
	Now        Range
	Previous   Range // 环比
	LastYear   Range // 同比
	Year       Range // 本年累计: from 1 January to the end of Now
	Unfinished bool
}

// PeriodsOf finds the periods of month as they stand on day today.
func PeriodsOf(month schemas.Month, today schemas.Day) Periods {
	p := Periods{Month: month, Now: Range{month.First(), month.Last()}}
	if today >= p.Now.From && today < p.Now.To {
		p.Now.To, p.Unfinished = today, true
	}
	p.Year = Range{schemas.Date(month.Year(), time.January, 1), p.Now.To}
	p.Previous, p.LastYear = p.same(month-1), p.same(month-12)
	return p
}

// same is the days of Now in another month: all of it when Now is a whole
// month, else as many days as Now has and the month can give.
func (p Periods) same(month schemas.Month) Range {
	r := Range{month.First(), month.Last()}
	if p.Unfinished {
		r.To = min(r.To, r.From+(p.Now.To-p.Now.From))
	}
	return r
}

// OverviewQuery asks for everything that the page of a division or a station
// shows about a month. Indicators are those of the whole; From, To and By are
// not used.
type OverviewQuery struct {
	Query
	Month  schemas.Month
	Main   schemas.IndicatorCode // compared for every part, and followed through two years
	Parts  Split                 // what is ranked, nothing when By is empty
	Splits []Split
}

// Split is a set of figures by a dimension.
type Split struct {
	By         Dimension
	Indicators []schemas.IndicatorCode
}

// Overview is the answer to an [OverviewQuery].
type Overview struct {
	Periods
	Cut   Cut
	AsOf  time.Time
	Whole Compared
	Parts map[string]*Compared // by value of the dimension; only Main is compared
	// Trend is Main by month, from January of the year before to the end of Now.
	Trend  Statistics
	Splits map[Dimension]Statistics
}

// Compared is a set of figures of the month, of the periods that it is
// compared with, and of the year so far.
type Compared struct {
	Now, Previous, LastYear, Year Values
}

// Values are figures by indicator; nil is not available.
type Values map[schemas.IndicatorCode]*float64

// Of is a figure, 0 when it is absent or not available.
func (v Values) Of(code schemas.IndicatorCode) float64 {
	if f := v[code]; f != nil {
		return *f
	}
	return 0
}

// ValuesOf are a row's figures by indicator.
func (s Statistics) ValuesOf(row Row) Values {
	v := make(Values, len(row.Values))
	for i, code := range s.Query.Indicators {
		v[code] = row.Values[i]
	}
	return v
}

// overviewParallel bounds the queries that one page has under way.
const overviewParallel = 4

// ReadOverview asks s everything that an overview needs. today is the day on
// which the question is asked, in the log's time.
func ReadOverview(ctx context.Context, s Statistician, scope Scope, q OverviewQuery, today schemas.Day) (Overview, error) {
	o := Overview{Periods: PeriodsOf(q.Month, today), Splits: map[Dimension]Statistics{}}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(overviewParallel)
	ask := func(r Range, split Split, into *Statistics) {
		g.Go(func() (err error) {
			sub := q.Query
			sub.From, sub.To, sub.By, sub.Indicators = r.From, r.To, nil, split.Indicators
			if split.By != "" {
				sub.By = []Dimension{split.By}
			}
			if *into, err = s.Statistics(ctx, scope, sub); err != nil {
				return fmt.Errorf("figures of %s from %s to %s by %q: %w", q.Division, r.From, r.To, split.By, err)
			}
			return nil
		})
	}

	var whole, parts [4]Statistics
	main := []schemas.IndicatorCode{q.Main}
	for i, r := range [...]Range{o.Now, o.Previous, o.LastYear, o.Year} {
		ask(r, Split{Indicators: q.Indicators}, &whole[i])
		switch {
		case q.Parts.By == "" || i == len(parts)-1: // the year is of the whole alone
		case i == 0:
			ask(r, q.Parts, &parts[i])
		default:
			ask(r, Split{q.Parts.By, main}, &parts[i])
		}
	}
	ask(Range{schemas.Date(q.Month.Year()-1, time.January, 1), o.Now.To}, Split{ByMonth, main}, &o.Trend)
	splits := make([]Statistics, len(q.Splits))
	for i, split := range q.Splits {
		ask(o.Now, split, &splits[i])
	}
	if err := g.Wait(); err != nil {
		return Overview{}, err
	}

	o.Cut, o.AsOf = whole[0].Cut, whole[0].AsOf
	for i := range whole {
		for _, row := range whole[i].Rows {
			*o.Whole.slot(i) = whole[i].ValuesOf(row)
		}
	}
	if q.Parts.By != "" {
		o.Parts = map[string]*Compared{}
		for i := range parts {
			for _, row := range parts[i].Rows {
				c := o.Parts[row.Key[0]]
				if c == nil {
					c = new(Compared)
					o.Parts[row.Key[0]] = c
				}
				*c.slot(i) = parts[i].ValuesOf(row)
			}
		}
	}
	for i, split := range q.Splits {
		o.Splits[split.By] = splits[i]
	}
	return o, nil
}

// slot is the place for the figures of the i-th range of ReadOverview.
func (c *Compared) slot(i int) *Values {
	return [...]*Values{&c.Now, &c.Previous, &c.LastYear, &c.Year}[i]
}
