// Package report answers with figures. It is the only package that reads the
// warehouse, and every question names a [Scope]: there is no way around it.
//
// A figure is a sum of postings up to a [Cut] of the log. The cut of "now" is
// the head of the projection's ledger; the cut of a past moment is the log as
// it was recorded by then. The same question with the same cut has the same
// answer for ever.
package report

import (
	"slices"
	"strconv"
	"time"

	"zhiban/schemas"
)

// Dimension is a way to split or filter a figure.
type Dimension string

// The dimensions. Division gives the children of the division asked for; a
// division's own stations (市本级) appear under its own code. County gives the
// division to which what was done reports itself, which mostly is a county.
const (
	ByDivision    Dimension = "division"
	ByCounty      Dimension = "county"
	ByStation     Dimension = "station"
	ByStationKind Dimension = "station_kind"
	ByLawyer      Dimension = "lawyer"
	ByFirm        Dimension = "firm"
	ByMode        Dimension = "mode"
	ByChannel     Dimension = "channel"
	ByPersonRole  Dimension = "person_role"
	ByOrgan       Dimension = "organ"
	ByDay         Dimension = "day"
	ByMonth       Dimension = "month"
	ByQuarter     Dimension = "quarter" // 2026-Q1
	ByYear        Dimension = "year"
)

// Query asks for figures. Zero AsOf is now; To is inclusive; zero View is as
// then. Filter maps station, station_kind, lawyer, firm, mode, channel,
// person_role and organ to the values wanted.
type Query struct {
	Division   schemas.DivisionCode
	From, To   schemas.Day
	By         []Dimension
	Indicators []schemas.IndicatorCode
	AsOf       time.Time
	View       schemas.DivisionView
	Filter     map[Dimension][]string
	// Columns asks for several ranges at once, in the place of From and To; the first
	// key of a row is the number of its range, from 0. See Statistics.Column.
	Columns []Range
	// Elsewhere puts divisions under another than the one above them, in all views:
	// that to which they report (schemas.ReturnRules).
	Elsewhere map[schemas.DivisionCode]schemas.DivisionCode
	// Cut fixes the place in the log for questions that belong together; when it
	// is zero the cut of AsOf is found anew.
	Cut Cut
	// Standing lists, of each case, what is left when its postings are set off
	// against each other, in the place of the postings themselves: what was done,
	// voided or corrected away is not there. It is not used by Statistics.
	Standing bool
}

// Statistics is the answer: one row for each combination of dimension values
// that has postings, in the order of By. Without By there is exactly one row.
type Statistics struct {
	Query Query
	Cut   Cut
	AsOf  time.Time // the moment the answer is for
	Rows  []Row
	// Hidden are the indicators that this question has no figures of for who asks.
	Hidden []schemas.IndicatorCode
}

// Row holds the dimension values in the order of Query.By and the figures in
// the order of Query.Indicators. A nil figure is not available (a ratio over
// nothing).
type Row struct {
	Key    []string
	Values []*float64
}

// Value is a row's figure of an indicator, 0 when there is none.
func (s Statistics) Value(row Row, code schemas.IndicatorCode) float64 {
	if i := slices.Index(s.Query.Indicators, code); i >= 0 && row.Values[i] != nil {
		return *row.Values[i]
	}
	return 0
}

// Find is the row with this key; ok is false when nothing was posted there.
func (s Statistics) Find(key ...string) (Row, bool) {
	for _, r := range s.Rows {
		if slices.Equal(r.Key, key) {
			return r, true
		}
	}
	return Row{}, false
}

// Column is the answer for one of the ranges of Query.Columns.
func (s Statistics) Column(n int) Statistics {
	out, number := s, strconv.Itoa(n)
	out.Query.From, out.Query.To, out.Query.Columns, out.Rows = s.Query.Columns[n].From, s.Query.Columns[n].To, nil, nil
	for _, r := range s.Rows {
		if r.Key[0] == number {
			out.Rows = append(out.Rows, Row{Key: r.Key[1:], Values: r.Values})
		}
	}
	return out
}

// Posting is one line behind a figure, with the event that made it.
type Posting struct {
	Indicator  schemas.IndicatorCode `json:"indicator"`
	Day        schemas.Day           `json:"day"`
	Quantity   int64                 `json:"quantity"`
	Division   schemas.DivisionCode  `json:"division"` // where it reports
	Station    schemas.StationCode   `json:"station,omitempty"`
	Lawyer     string                `json:"lawyer,omitempty"`
	Mode       string                `json:"mode,omitempty"`
	Channel    string                `json:"channel,omitempty"`
	PersonRole string                `json:"person_role,omitempty"`
	Organ      string                `json:"organ,omitempty"`
	Due        string                `json:"due,omitempty"` // last day of what falls due
	Event      schemas.EventID       `json:"event"`
	Type       string                `json:"type"`
	Time       time.Time             `json:"time"`
	Recorded   time.Time             `json:"recorded"`
	Partition  int                   `json:"partition"`
	Offset     int64                 `json:"offset"`
}

// PostingPage is a part of the postings behind a figure, newest log place
// last. Total counts all of them, Sum adds all their quantities. Next is the
// value of Offset for the following page, 0 at the end.
type PostingPage struct {
	Cut      Cut       `json:"cut"`
	Total    int64     `json:"total"`
	Sum      int64     `json:"sum"`
	Next     int       `json:"next,omitempty"`
	Postings []Posting `json:"postings"`
}

// EventDetail is everything known about one event: the event itself, where it
// stands in the log, the history of its case, and the postings it made.
type EventDetail struct {
	Event     schemas.Envelope   `json:"event"`
	Partition int                `json:"partition"`
	Offset    int64              `json:"offset"`
	Places    int                `json:"places"` // how often the log holds it; it counts once
	Status    string             `json:"status"` // effective; amended or void through a later event; corrected, voided: it does that to another
	Case      []schemas.Envelope `json:"case"`   // the whole case in log order, this event included
	Postings  []Posting          `json:"postings"`
}

// Station is a row of the register of stations. Registered is false for a
// station that has events but was never founded.
type Station struct {
	Code       schemas.StationCode  `json:"code"`
	Kind       schemas.StationKind  `json:"kind"`
	Name       string               `json:"name"`
	Location   schemas.DivisionCode `json:"location"`
	Reporting  schemas.DivisionCode `json:"reporting"`
	Registered bool                 `json:"registered"`
}

// Lawyer is a row of the register of duty lawyers. Registered is false for a
// licence that has events but was never enrolled.
type Lawyer struct {
	Licence    string               `json:"licence"`
	Name       string               `json:"name"`
	Kind       string               `json:"kind"`
	Firm       string               `json:"firm"`
	Division   schemas.DivisionCode `json:"division"`
	Registered bool                 `json:"registered"`
}

// Status is how far the projection has come.
type Status struct {
	Cut       Cut       `json:"cut"`
	Events    int64     `json:"events"`
	Parked    int64     `json:"parked"`    // events in the dead letters
	Recorded  time.Time `json:"recorded"`  // of the newest event that is in
	Projected time.Time `json:"projected"` // when it came in
}
