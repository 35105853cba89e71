package report

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"zhiban/schemas"
)

// Figure is a cell of a document: a number, or the reason why there is none.
type Figure struct {
	Value  float64
	Status FigureStatus
	// Withheld: not available to who asks, who may not find out about few
	// complaints. Documents print ＊ for it, as pages do.
	Withheld bool
}

// withheld is a figure that is not for who asks.
var withheld = Figure{Status: NotAvailable, Withheld: true}

// FigureStatus says whether a cell holds a number.
type FigureStatus uint8

// Forms print these as the number (0 is "none"), X and N.
const (
	Known         FigureStatus = iota
	NotAvailable               // X: a ratio over nothing, or a time of which nothing is held
	NotApplicable              // N: the duty did not exist yet
)

// Value is one value of a dimension, with its name.
type Value struct {
	Code string
	Name schemas.Text
}

// The values of the dimensions that documents split by, in the order of the
// forms.
var (
	Modes = []Value{
		{"onsite", schemas.Text{ZH: "现场", EN: "On site"}},
		{"phone", schemas.Text{ZH: "电话", EN: "Phone"}},
		{"online", schemas.Text{ZH: "网络", EN: "Online"}},
	}
	Channels = []Value{
		{"visit", schemas.Text{ZH: "来访", EN: "Visit"}},
		{"phone", schemas.Text{ZH: "来电", EN: "Phone"}},
		{"online", schemas.Text{ZH: "网络", EN: "Online"}},
		{"in_custody", schemas.Text{ZH: "在押会见", EN: "In custody"}},
	}
	PersonRoles = []Value{
		{"suspect", schemas.Text{ZH: "犯罪嫌疑人", EN: "Suspect"}},
		{"defendant", schemas.Text{ZH: "被告人", EN: "Defendant"}},
		{"relative", schemas.Text{ZH: "近亲属", EN: "Relative"}},
		{"other", schemas.Text{ZH: "其他", EN: "Other"}},
	}
	Organs = []Value{
		{"police", schemas.Text{ZH: "公安机关", EN: "Police"}},
		{"state_security", schemas.Text{ZH: "国家安全机关", EN: "State security"}},
		{"procuratorate", schemas.Text{ZH: "人民检察院", EN: "Procuratorate"}},
		{"court", schemas.Text{ZH: "人民法院", EN: "Court"}},
	}
)

// Source is what documents need of the warehouse; [Warehouse] is one.
type Source interface {
	Statistician
	Stations(ctx context.Context, scope Scope, division schemas.DivisionCode, asOf time.Time) ([]Station, error)
	Lawyer(ctx context.Context, scope Scope, licence string, asOf time.Time) (Lawyer, error)
	Lawyers(ctx context.Context, scope Scope, division schemas.DivisionCode, asOf time.Time) ([]Lawyer, error)
}

// inquiry asks for all the figures of one document: as of one moment and of
// one cut.
type inquiry struct {
	w     Source
	scope Scope
	asOf  time.Time
	cut   Cut

	elsewhere map[schemas.DivisionCode]schemas.DivisionCode // Query.Elsewhere
}

// inquire fixes moment and cut of a document; zero asOf is now.
func (w *Warehouse) inquire(ctx context.Context, scope Scope, asOf time.Time) (inquiry, error) {
	cut, err := w.Cut(ctx, asOf)
	if asOf.IsZero() {
		asOf = w.now()
	}
	return inquiry{w: w, scope: scope, asOf: asOf, cut: cut}, err
}

func (i inquiry) statistics(ctx context.Context, q Query) (Statistics, error) {
	q.AsOf, q.Cut, q.Elsewhere = i.asOf, i.cut, i.elsewhere
	return i.w.Statistics(ctx, i.scope, q)
}

// documentParallel bounds the questions that one document has under way.
const documentParallel = 4

// together does things at the same time and gives the first error.
func together(ctx context.Context, do ...func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(documentParallel)
	for _, f := range do {
		g.Go(func() error { return f(ctx) })
	}
	return g.Wait()
}

// period is a column's range of days. Unheld says that nothing is held of it:
// it has not begun at the moment asked for, or, for a period that only serves
// to compare, it ended before the division's first record.
type period struct {
	Range
	unheld bool
}

func monthPeriod(m schemas.Month) period { return period{Range: Range{m.First(), m.Last()}} }

// begun marks a period that has not begun at the moment asOf.
func (p period) begun(asOf time.Time) period {
	p.unheld = p.unheld || p.From.Start().After(asOf)
	return p
}

// query asks for a period's figures of a division.
func (p period) query(division schemas.DivisionCode, codes []schemas.IndicatorCode, by ...Dimension) Query {
	return Query{Division: division, From: p.From, To: p.To, By: by, Indicators: codes}
}

// figure is an indicator's cell in a period. value is nil when it is not
// available.
func (p period) figure(ind schemas.Indicator, value *float64) Figure {
	switch {
	case ind.Effective > p.To:
		return Figure{Status: NotApplicable}
	case value == nil:
		return Figure{Status: NotAvailable}
	case p.unheld && (ind.Kind != schemas.Stock || *value == 0):
		return Figure{Status: NotAvailable}
	}
	return Figure{Value: *value}
}

// cell is an indicator's figure in the row with this key. Where nothing was
// posted an amount is 0 and a ratio not available.
func (p period) cell(s Statistics, ind schemas.Indicator, key ...string) Figure {
	row, ok := s.Find(key...)
	if !ok && slices.Contains(s.Hidden, ind.Code) {
		return withheld
	}
	if !ok {
		if ind.Divided() {
			return p.figure(ind, nil)
		}
		return p.figure(ind, new(float64))
	}
	for i, code := range s.Query.Indicators {
		if code == ind.Code {
			if row.Values[i] == nil && slices.Contains(smallIndicators, code) { // a sum is there for who may see it
				return withheld
			}
			return p.figure(ind, row.Values[i])
		}
	}
	return Figure{Status: NotAvailable}
}

// cells are the figures of several indicators in one row.
func (p period) cells(s Statistics, inds []schemas.Indicator, key ...string) []Figure {
	out := make([]Figure, len(inds))
	for i, ind := range inds {
		out[i] = p.cell(s, ind, key...)
	}
	return out
}

// firstRecord is the first month in which a division recorded any work, up to
// the month last; the month after last when there is none.
func (i inquiry) firstRecord(ctx context.Context, division schemas.DivisionCode, last schemas.Month) (schemas.Month, error) {
	work := []schemas.IndicatorCode{schemas.Shifts, schemas.Consultations, schemas.ApplicationsReceived, schemas.NotificationsDue}
	s, err := i.statistics(ctx, Query{Division: division, From: firstDay, To: last.Last(), By: []Dimension{ByMonth}, Indicators: work})
	if err != nil {
		return 0, err
	}
	first := last + 1
	for _, row := range s.Rows {
		month, err := schemas.ParseMonth(row.Key[0])
		if err != nil {
			return 0, err
		}
		for _, v := range row.Values {
			if v != nil && *v != 0 && month < first {
				first = month
			}
		}
	}
	return first, nil
}

// firstDay is before the rules of 2018: nothing that counts is older.
var firstDay = schemas.Date(2018, 1, 1)

// lookup finds indicators that the forms name by their codes.
func lookup(codes ...schemas.IndicatorCode) []schemas.Indicator {
	out := make([]schemas.Indicator, len(codes))
	for i, code := range codes {
		ind, err := schemas.Indicators.Lookup(code)
		if err != nil {
			panic(err) // a form names a figure that does not exist; tests read every form
		}
		out[i] = ind
	}
	return out
}

func codesOf(inds []schemas.Indicator) []schemas.IndicatorCode {
	out := make([]schemas.IndicatorCode, len(inds))
	for i, ind := range inds {
		out[i] = ind.Code
	}
	return out
}

// documentDivision finds the division of a document. One station's own view is
// not its division's, so a station cannot have one.
func documentDivision(scope Scope, code schemas.DivisionCode) (schemas.Division, error) {
	d, ok := schemas.Divisions.Get(code)
	if !ok {
		return d, schemas.Errorf(schemas.NotFound, "division %q is not in the register", code)
	}
	if scope.Station != "" {
		return d, schemas.Errorf(schemas.NotFound, "a station has no document of %s", d.Name)
	}
	return d, nil
}

// reportingUnit is who fills the form (三(三)4(3)): a county's legal aid
// centre, a prefecture's justice bureau, the province's justice department.
func reportingUnit(d schemas.Division) string {
	switch d.Level {
	case schemas.LevelProvince:
		return d.Name + "司法厅"
	case schemas.LevelPrefecture:
		return d.Name + "司法局"
	}
	return d.Name + "法律援助中心"
}
