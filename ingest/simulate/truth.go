package simulate

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"zhiban/schemas"
)

// Figures are counts by indicator code, each in the unit of its figure:
// training in hours, subsidies in fen. Ratios are not among them, but both of
// their halves are.
type Figures map[schemas.IndicatorCode]int64

// Truth is what the figures must be once every event has been projected. Days
// are days in Asia/Shanghai, divisions as they were on the day ("as then").
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
	// Stations and lawyers are stocks at the end of the month. Of prefectures,
	// distinct counts are only in Persons and its like, with all below.
	Months map[string]map[schemas.DivisionCode]Figures `json:"months"`
	// Stations and Lawyers hold totals of the whole range, also for those that
	// are in no register. What a division records itself belongs to no station.
	Stations map[schemas.StationCode]Figures `json:"stations"`
	Lawyers  map[string]Figures              `json:"lawyers"`
	// By holds totals of the whole range for each mode, channel, person_role
	// and organ.
	By map[string]map[string]Figures `json:"by"`
	// Persons are distinct persons consulted, Helped those and whoever had legal
	// help; the others are distinct lawyers.
	Persons        Persons `json:"persons_consulted"`
	Helped         Persons `json:"persons_helped"`
	LawyersOnDuty  Persons `json:"lawyers_on_duty"`
	LawyersTrained Persons `json:"lawyers_trained"`
	// Responses are the times from requests for help to the calls of lawyers, by
	// division, at every level and with all below, in the whole range.
	Responses map[schemas.DivisionCode]Responses `json:"responses"`

	// LateOrgan is the organ that notifies late much more often than others.
	LateOrgan Organ `json:"late_organ"`
	// SelfAssigned is the lawyer who is often assigned the very cases taken
	// during detention-centre duty (三(四)1(2)).
	SelfAssigned Duty `json:"self_assigned"`
}

// Persons are distinct counts by division, at every level and with all below:
// in the whole range, and by month.
type Persons struct {
	Range  map[schemas.DivisionCode]int64            `json:"range"`
	Months map[string]map[schemas.DivisionCode]int64 `json:"months"`
}

// Responses are so many minutes: half of the requests waited no longer than
// Median, nine in ten no longer than P90, interpolated between two requests.
type Responses struct {
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
}

// Organ is an organ with a duty to notify, and where.
type Organ struct {
	Division schemas.DivisionCode `json:"division"`
	Organ    string               `json:"organ"`
}

// Duty is a lawyer at a station.
type Duty struct {
	Station schemas.StationCode `json:"station"`
	Lawyer  string              `json:"lawyer"`
}

// Truth is the count of the events streamed last, which must have been read to
// their end. Notifications that are still open are overdue, planned shifts to
// which nobody came are no-shows, and subsidies not paid in time are late, when
// their last day is before today. Nothing is entered late unless the events are
// stamped: whoever records the others does so when they come.
func (s *Simulation) Truth(today schemas.Day) *Truth {
	r := s.last
	if r == nil {
		r = newRun(s.config)
	}
	c := r.count
	t := &Truth{
		From: s.config.From, To: s.config.To, Seed: s.config.Seed, Scale: s.config.Scale, Today: today,
		AsOf:   "the whole log; overdue as of " + today.String(),
		Events: c.events, LogRecords: c.records,
		Total: figures(new(tally)), Months: map[string]map[schemas.DivisionCode]Figures{},
		Stations: map[schemas.StationCode]Figures{}, Lawyers: map[string]Figures{}, By: map[string]map[string]Figures{},
		Persons: persons(c.visits), Helped: persons(slices.Concat(c.visits, c.helped)), LawyersOnDuty: persons(c.duty), LawyersTrained: persons(c.training), Responses: c.waited(),
	}
	if late := r.province.late; late != nil {
		t.LateOrgan = Organ{late.division.Code, "court"}
	}

	if own := r.province.own; own != nil {
		t.SelfAssigned = Duty{own.station.code, own.lawyer.Licence}
	}

	for at, sums := range c.cells {
		t.month(at).addAll(sums)
		t.Total.addAll(sums)
	}
	for code, sums := range c.stations {
		t.Stations[code] = figures(sums)
	}
	for licence, sums := range c.lawyers {
		t.Lawyers[licence] = figures(sums)
	}
	for side, sums := range c.by {
		if t.By[side.dimension] == nil {
			t.By[side.dimension] = map[string]Figures{}
		}
		t.By[side.dimension][side.value] = figures(sums)
	}
	for _, p := range c.pending {
		if p.last >= today {
			continue
		}
		t.month(p.cell)[p.figure]++
		t.Total[p.figure]++
		if p.side.dimension != "" {
			t.By[p.side.dimension][p.side.value][p.figure]++
		}
		if p.station != "" {
			t.Stations[p.station][p.figure]++
		}
		if p.lawyer != "" {
			t.Lawyers[p.lawyer][p.figure]++
		}
	}
	for code, who := range t.distinct() {
		t.Total[code] = who.Range[schemas.Province]
		for month, divisions := range who.Months {
			for unit, sums := range t.Months[month] {
				if d, _ := schemas.Divisions.Get(unit); d.Level == schemas.LevelCounty {
					sums[code] = divisions[unit]
				}
			}
		}
	}
	t.stocks(schemas.Stations, c.founded)
	t.stocks(schemas.Lawyers, c.enrolled)
	return t
}

// stocks counts what is there at the end of each month.
func (t *Truth) stocks(code schemas.IndicatorCode, all []stock) {
	t.Total[code] = 0
	for _, s := range all {
		if s.there(t.To) {
			t.Total[code]++
		}
		for m := t.From.Month(); m <= t.To.Month(); m++ {
			if end := min(m.Last(), t.To); s.there(end) {
				t.month(cell{m, schemas.Divisions.On(s.unit, end)})[code]++
			}
		}
	}
}

// distinct are the counts of different people by figure.
func (t *Truth) distinct() map[schemas.IndicatorCode]Persons {
	return map[schemas.IndicatorCode]Persons{
		schemas.PersonsConsulted: t.Persons, schemas.PersonsHelped: t.Helped, schemas.LawyersOnDuty: t.LawyersOnDuty, schemas.LawyersTrained: t.LawyersTrained,
	}
}

// waited finds the times that requests waited.
func (c *count) waited() map[schemas.DivisionCode]Responses {
	minutes := map[schemas.DivisionCode][]int64{}
	for _, r := range c.responses {
		for _, d := range schemas.Divisions.Path(r.unit) {
			minutes[d.Code] = append(minutes[d.Code], r.minutes)
		}
	}
	out := map[schemas.DivisionCode]Responses{}
	for code, all := range minutes {
		slices.Sort(all)
		out[code] = Responses{quantile(all, 5), quantile(all, 9)}
	}
	return out
}

// quantile is the value so many tenths of the way from the first of sorted
// numbers to the last.
func quantile(sorted []int64, tenths int) float64 {
	at := tenths * (len(sorted) - 1)
	low, high := sorted[at/10], sorted[min(at/10+1, len(sorted)-1)]
	return float64(10*low+int64(at%10)*(high-low)) / 10
}

// persons counts different people.
func persons(visits []visit) Persons {
	p := Persons{Range: map[schemas.DivisionCode]int64{}, Months: map[string]map[schemas.DivisionCode]int64{}}
	seen := make(map[visit]bool, len(visits)*2)
	for _, level := range []schemas.DivisionLevel{schemas.LevelProvince, schemas.LevelPrefecture, schemas.LevelCounty} {
		// Everybody seen at this level, in the whole range (month 0) and in each month.
		clear(seen)
		for _, v := range visits {
			for _, d := range schemas.Divisions.Path(v.unit) {
				if d.Level == level {
					seen[visit{cell{v.month, d.Code}, v.person}] = true
					seen[visit{cell{0, d.Code}, v.person}] = true
				}
			}
		}
		for v := range seen {
			if v.month == 0 {
				p.Range[v.unit]++
				continue
			}
			month := v.month.String()
			if p.Months[month] == nil {
				p.Months[month] = map[schemas.DivisionCode]int64{}
			}
			p.Months[month][v.unit]++
		}
	}
	return p
}

// month is the figures of a cell, all there.
func (t *Truth) month(at cell) Figures {
	month := at.month.String()
	if t.Months[month] == nil {
		t.Months[month] = map[schemas.DivisionCode]Figures{}
	}
	f := t.Months[month][at.unit]
	if f == nil {
		f = figures(new(tally))
		f[schemas.Stations], f[schemas.Lawyers] = 0, 0
		t.Months[month][at.unit] = f
	}
	return f
}

func figures(sums *tally) Figures {
	f := Figures{schemas.NotificationsOverdue: 0, schemas.NoShows: 0, schemas.ShiftsDue: 0, schemas.SubsidiesPayable: 0, schemas.SubsidiesLate: 0}
	f.addAll(sums)
	return f
}

func (f Figures) addAll(sums *tally) {
	for i, code := range counted {
		f[code] += sums[i]
	}
}

// Lookup is a figure of a division with all below it, in one month or, with
// month 0, in the whole range. A stock is that at the end. It is in the
// figure's own unit (training_hours in hours, always whole, though a session
// may take half an hour more or less). Codes that are ratios of others are not
// here: divide.
func (t *Truth) Lookup(month schemas.Month, division schemas.DivisionCode, code schemas.IndicatorCode) int64 {
	if who, ok := t.distinct()[code]; ok {
		if month == 0 {
			return who.Range[division]
		}
		return who.Months[month.String()][division]
	}
	months := []string{month.String()}
	switch stock := code == schemas.Stations || code == schemas.Lawyers; {
	case month == 0 && stock:
		months = []string{t.To.Month().String()}
	case month == 0:
		months = slices.Collect(maps.Keys(t.Months))
	}
	var sum int64
	for _, m := range months {
		for unit, f := range t.Months[m] {
			if schemas.Divisions.Within(unit, division) {
				sum += f[code]
			}
		}
	}
	return sum
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
