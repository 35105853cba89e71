package simulate

import (
	"encoding/json"
	"fmt"
	"io"

	"zhiban/schemas"
)

// Figures are counts by indicator code.
type Figures map[schemas.IndicatorCode]int64

// Truth is what the figures must be once every event has been projected. All
// days are days in Asia/Shanghai, all divisions as they were on the day.
type Truth struct {
	From  schemas.Day `json:"from"`
	To    schemas.Day `json:"to"`
	Seed  uint64      `json:"seed"`
	Scale float64     `json:"scale"`
	Today schemas.Day `json:"today"` // the day for which overdue is counted
	AsOf  string      `json:"as_of"` // the same in words

	Events     int `json:"events"`      // distinct ids
	LogRecords int `json:"log_records"` // with repeats

	// Total is the whole range and everything simulated.
	Total Figures `json:"total"`
	// Months holds the figures of each month and reporting unit. A prefecture's
	// code holds what its own stations report (市本级), not its counties.
	// Stations and lawyers are stocks at the end of the month.
	Months map[string]map[schemas.DivisionCode]Figures `json:"months"`
	// Stations and Lawyers hold totals of the whole range. What a division
	// records itself belongs to no station.
	Stations map[schemas.StationCode]Figures `json:"stations"`
	Lawyers  map[string]Figures              `json:"lawyers"`
	// By holds totals of the whole range for each mode, channel, person_role
	// and organ.
	By map[string]map[string]Figures `json:"by"`
	// Persons are distinct persons consulted.
	Persons Persons `json:"persons_consulted"`

	// LateOrgan is the organ that notifies late much more often than others.
	LateOrgan Organ `json:"late_organ"`
}

// Persons are distinct counts, by division at every level with all below it:
// in the whole range, and by month.
type Persons struct {
	Range  map[schemas.DivisionCode]int64            `json:"range"`
	Months map[string]map[schemas.DivisionCode]int64 `json:"months"`
}

// Organ is an organ with a duty to notify, and where.
type Organ struct {
	Division schemas.DivisionCode `json:"division"`
	Organ    string               `json:"organ"`
}

// Lookup is a figure of a division with all below it, in one month or, with
// month 0, the whole range. A stock is that at the end of it.
func (t *Truth) Lookup(month schemas.Month, division schemas.DivisionCode, code schemas.IndicatorCode) int64 {
	return 0
}

// Write writes the truth as JSON.
func (t *Truth) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	if err := e.Encode(t); err != nil {
		return fmt.Errorf("write the truth: %w", err)
	}
	return nil
}

// ReadTruth reads what Write wrote.
func ReadTruth(r io.Reader) (*Truth, error) {
	t := new(Truth)
	if err := json.NewDecoder(r).Decode(t); err != nil {
		return nil, fmt.Errorf("read the truth: %w", err)
	}
	return t, nil
}

// Truth is the count of the events streamed last, which must have been read to
// their end. Notifications that are still open are overdue when their last day
// is before today.
func (s *Simulation) Truth(today schemas.Day) *Truth {
	return &Truth{From: s.config.From, To: s.config.To, Seed: s.config.Seed, Scale: s.config.Scale, Today: today}
}

type count struct{}

func newCount() *count { return &count{} }
