package dashboard

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// closing is a fake whose months can be closed: the steps that it is given are
// its log, folded by the contract's own rules; the figures are the fake's.
type closing struct {
	*fake

	stepping sync.Mutex
	steps    map[schemas.ReturnID][]schemas.Event
	blockers map[schemas.DivisionCode][]report.Blocker
	behind   bool // the projection does not get there
	refused  error
}

func newClosing() *closing {
	return &closing{fake: newFake(), steps: map[schemas.ReturnID][]schemas.Event{}, blockers: map[schemas.DivisionCode][]report.Blocker{}}
}

func (f *fake) ReturnRules() *schemas.ReturnRules { return cmp.Or(f.rules, schemas.Returns) }

// append is the log of the steps.
func (c *closing) append(_ context.Context, events []schemas.Envelope) error {
	c.stepping.Lock()
	defer c.stepping.Unlock()
	if c.refused != nil {
		return c.refused
	}
	for _, env := range events {
		raw, err := json.Marshal(env)
		if err != nil {
			return err
		}
		_, e, wrong := schemas.Validate(raw)
		if len(wrong) > 0 {
			return invalidStep(wrong)
		}
		e.Recorded = c.now.Add(time.Duration(len(c.steps)) * time.Minute)
		id, err := schemas.ParseReturnID(e.Case.Key)
		if err != nil {
			return err
		}
		if c.behind {
			continue
		}
		c.steps[id] = append(c.steps[id], e)
		c.mu.Lock()
		c.head++
		c.mu.Unlock()
	}
	return nil
}

func (c *closing) folded(id schemas.ReturnID) schemas.MonthlyReturn {
	c.stepping.Lock()
	defer c.stepping.Unlock()
	return schemas.FoldReturn(id, slices.Clone(c.steps[id]))
}

func (c *closing) ReturnHistory(_ context.Context, _ report.Scope, division schemas.DivisionCode, month schemas.Month) (schemas.MonthlyReturn, error) {
	return c.folded(schemas.ReturnID{Division: division, Month: month}), c.down
}

func (c *closing) row(id schemas.ReturnID) report.ReturnRow {
	d, _ := schemas.Divisions.Get(id.Division)
	r := c.folded(id)
	up, _ := schemas.Returns.ReportsTo(id)
	row := report.ReturnRow{Division: d.Code, Level: d.Level, ReportsTo: up.Division, State: r.State, Due: schemas.Returns.DueDay(d.Level, id.Month), Amendments: r.Amendments()}
	for _, s := range r.Steps {
		at := s.Recorded.In(schemas.Shanghai)
		switch s.Verb {
		case "submitted":
			row.Submitted, row.Filler = &at, s.By
		case "returned":
			row.Reason = s.Reason
		case "accepted":
			row.Accepted, row.Signer = &at, s.By
		}
	}
	passed := schemas.DayOf(c.now) > row.Due
	if v, ok := r.Standing(); ok {
		row.Version, row.SHA256, row.Overrides, row.Late = v.Version, v.SHA256, len(v.Overrides), passed
	} else {
		row.Missing = passed
	}
	return row
}

func (c *closing) Returns(_ context.Context, _ report.Scope, division schemas.DivisionCode, month schemas.Month) (report.CloseGrid, error) {
	from, to := schemas.Returns.Period(month)
	g := report.CloseGrid{Division: division, Month: month.String(), From: from, To: to, Rule: schemas.Returns.PeriodTitle(), AsOf: c.now}
	waiting := map[schemas.Day][]schemas.DivisionCode{}
	var walk func(schemas.ReturnID)
	walk = func(id schemas.ReturnID) {
		r := c.row(id)
		g.Rows = append(g.Rows, r)
		switch {
		case r.Late:
			g.Late = append(g.Late, r.Division)
		case r.Missing:
			g.Missing = append(g.Missing, r.Division)
		case r.Version == 0:
			waiting[r.Due] = append(waiting[r.Due], r.Division)
		}
		for _, child := range schemas.Returns.MadeOf(id) {
			walk(child)
		}
	}
	walk(schemas.ReturnID{Division: division, Month: month})
	for due, divisions := range waiting {
		g.Reminders = append(g.Reminders, report.Reminder{Due: due, DaysLeft: int(due - schemas.DayOf(c.now)), Divisions: divisions})
	}
	slices.SortFunc(g.Reminders, func(a, b report.Reminder) int { return int(a.Due - b.Due) })
	return g, c.down
}

func (c *closing) MonthlyReturn(ctx context.Context, scope report.Scope, division schemas.DivisionCode, month schemas.Month, _ map[int]int64) (report.MonthlyReturn, error) {
	id := schemas.ReturnID{Division: division, Month: month}
	m := report.MonthlyReturn{MonthlyReturn: c.folded(id), Row: c.row(id)}
	m.ReportsTo = m.Row.ReportsTo
	var missing []schemas.DivisionCode
	for _, child := range schemas.Returns.MadeOf(id) {
		m.Made = append(m.Made, c.row(child))
		if !c.folded(child).State.Final() {
			missing = append(missing, child.Division)
		}
	}
	m.Blockers = append(m.Blockers, c.blockers[division]...)
	if len(missing) > 0 {
		m.Blockers = append(m.Blockers, report.Blocker{Code: report.ChildrenMissing, Title: schemas.Text{ZH: "下级月报未接收", EN: "Returns below are not accepted"}, Count: int64(len(missing)), Divisions: missing})
	}
	var err error
	m.Live, err = c.filled(ctx, scope, division, month)
	if standing, ok := m.Standing(); ok {
		m.Changes = schemas.Amendment(standing.Figures, m.Live.Figures())
	}
	return m, err
}

// filled is the form of the month: sums and parts that the fake can count;
// last year's of what later law added did not exist.
func (c *closing) filled(ctx context.Context, scope report.Scope, division schemas.DivisionCode, month schemas.Month) (report.DivisionMonth, error) {
	form := schemas.Returns.FormOf(month)
	d, _ := schemas.Divisions.Get(division)
	period := func(m schemas.Month) report.Range {
		from, to := schemas.Returns.Period(m)
		return report.Range{From: from, To: to}
	}
	yearFrom, yearTo := schemas.Returns.YearToDate(month)
	c.mu.Lock()
	cut := c.cut()
	c.mu.Unlock()
	live := report.DivisionMonth{Division: d, Unit: d.Name + "法律援助中心", Month: month, Period: period(month), Rule: schemas.Returns.PeriodTitle(),
		Due: schemas.Returns.DueDay(d.Level, month), Form: form, AsOf: c.now, Cut: cut, Moved: len(c.ReturnRules().Elsewhere(month)) > 0}
	var whole []schemas.IndicatorCode
	parts := map[report.Dimension][]schemas.IndicatorCode{}
	for _, g := range form.Groups {
		for _, row := range g.Rows {
			whole = append(whole, row.Indicators...)
			for _, by := range row.By {
				parts[report.Dimension(by)] = append(parts[report.Dimension(by)], row.Indicators...)
			}
		}
	}
	figures := func(r report.Range) (map[string]schemas.FormValue, error) {
		out := map[string]schemas.FormValue{}
		st, err := c.Statistics(ctx, scope, report.Query{Division: division, From: r.From, To: r.To, Indicators: whole})
		if err != nil {
			return nil, err
		}
		for i, code := range whole {
			out[string(code)] = schemas.FormValue{Mark: schemas.MarkNotAvailable}
			if v := zero(code, st.Rows[0].Values[i]); v != nil {
				out[string(code)] = schemas.FormValue{Number: *v}
			}
		}
		for by, of := range parts {
			if st, err = c.Statistics(ctx, scope, report.Query{Division: division, From: r.From, To: r.To, Indicators: of, By: []report.Dimension{by}}); err != nil {
				return nil, err
			}
			for _, code := range of {
				for _, v := range closed[string(by)] {
					row, _ := st.Find(v.Code)
					value := 0.0
					if row.Values != nil {
						value = st.Value(row, code)
					}
					out[schemas.FormRow{Indicators: []schemas.IndicatorCode{code}}.PartCell(string(by), v.Code)] = schemas.FormValue{Number: value}
				}
			}
		}
		return out, nil
	}
	var columns [4]map[string]schemas.FormValue
	for i, r := range []report.Range{period(month), {From: yearFrom, To: yearTo}, period(month - 12), period(month - 1)} {
		var err error
		if columns[i], err = figures(r); err != nil {
			return live, err
		}
	}
	columns[2]["procedure_choices"] = schemas.FormValue{Mark: schemas.MarkNotApplicable}
	var rows []schemas.FormFigure
	for cell := range columns[0] {
		rows = append(rows, schemas.FormFigure{Cell: cell, Month: columns[0][cell], YTD: columns[1][cell], LastYear: columns[2][cell]})
	}
	live = report.Thaw(live, form, schemas.FrozenReturn{Time: c.now, Cut: cut.Offsets, Figures: rows})
	live.Frozen = nil
	if d.Level != schemas.LevelCounty {
		whole, err := c.Statistics(ctx, scope, report.Query{Division: division, From: live.Period.From, To: live.Period.To, Indicators: form.Children})
		if err != nil {
			return live, err
		}
		parts, err := c.Statistics(ctx, scope, report.Query{Division: division, From: live.Period.From, To: live.Period.To, Indicators: form.Children, By: []report.Dimension{report.ByDivision}})
		if err != nil {
			return live, err
		}
		cells := func(row report.Row) []report.Figure {
			var out []report.Figure
			for i, code := range form.Children {
				f := report.Figure{Status: report.NotAvailable}
				var value *float64
				if row.Values != nil {
					value = row.Values[i]
				}
				if v := zero(code, value); v != nil {
					f = report.Figure{Value: *v}
				}
				out = append(out, f)
			}
			return out
		}
		for _, code := range form.Children {
			ind, err := schemas.Indicators.Lookup(code)
			if err != nil {
				return live, err
			}
			live.ChildIndicators = append(live.ChildIndicators, ind)
		}
		for _, child := range schemas.Divisions.Children(division, live.Period.From, live.Period.To) {
			row, _ := parts.Find(string(child.Code))
			live.Children = append(live.Children, report.FormChild{Division: child, Figures: cells(row)})
		}
		if row, ok := parts.Find(string(division)); ok {
			live.Children = append(live.Children, report.FormChild{Division: d, Own: true, Figures: cells(row)})
		}
		live.Total = cells(whole.Rows[0])
	}
	for _, g := range live.Groups {
		for i := range g.Lines {
			g.Lines[i].Before = report.Thawed(columns[3][g.Lines[i].Cell])
		}
	}
	return live, nil
}

// late is a consultation that is recorded after its month.
func (c *closing) late(station schemas.StationCode, day schemas.Day) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.post(fakePosting{person: 4002, Posting: report.Posting{Indicator: schemas.Consultations, Quantity: 1, Division: station.Division(), Station: station, Lawyer: c.lawyers[0].Licence,
		Day: day, Time: day.Start(), Recorded: c.now, Channel: "visit", PersonRole: "relative", Type: "zhiban.consultation.recorded.v1"}})
	slices.SortStableFunc(c.postings, func(a, b fakePosting) int { return int(a.Day - b.Day) })
}

// again puts the first step of a return into the log a second time, as another
// event.
func (c *closing) again(t *testing.T, id schemas.ReturnID) {
	t.Helper()
	c.stepping.Lock()
	defer c.stepping.Unlock()
	e := c.steps[id][0]
	e.ID[15]++
	c.steps[id] = append(c.steps[id], e)
	c.mu.Lock()
	c.head++
	c.mu.Unlock()
}
