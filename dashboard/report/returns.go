package report

import (
	"context"
	"maps"
	"slices"
	"time"

	"zhiban/schemas"
)

// MonthlyReturn is one division's close of a month: the form as the books are
// now, what stands in its way, and every step so far.
type MonthlyReturn struct {
	schemas.MonthlyReturn
	Live      DivisionMonth        // in the form of what stands; with last month for comparison
	Row       ReturnRow            // the return in the close grid
	Blockers  []Blocker            // of submitting it now
	Made      []ReturnRow          // the returns that it is made of
	Changes   []schemas.FormChange // from what stands to the live form
	ReportsTo schemas.DivisionCode // empty for the province
}

// ReturnRow is a return in the close grid. Days are Asia/Shanghai by the
// server's clock.
type ReturnRow struct {
	Division   schemas.DivisionCode  `json:"division"`
	Level      schemas.DivisionLevel `json:"level"`
	ReportsTo  schemas.DivisionCode  `json:"reports_to,omitempty"`
	State      schemas.ReturnState   `json:"state"`
	Due        schemas.Day           `json:"due"`
	Form       string                `json:"form,omitempty"`      // of what stands
	Version    int                   `json:"version,omitempty"`   // of what stands
	Amendments int                   `json:"amendments"`          // so far
	Event      string                `json:"event,omitempty"`     // that froze what stands
	SHA256     string                `json:"sha256,omitempty"`    // of the file that stands
	Filler     string                `json:"filler,omitempty"`    // of the last submission
	Submitted  *time.Time            `json:"submitted,omitempty"` // the last submission
	Accepted   *time.Time            `json:"accepted,omitempty"`
	Signer     string                `json:"signer,omitempty"`    // of the acceptance
	Reason     string                `json:"reason,omitempty"`    // for which it was sent back
	Overrides  int                   `json:"overrides,omitempty"` // blockers that it was submitted in spite of
	Late       bool                  `json:"late"`                // submitted after its day
	Missing    bool                  `json:"missing"`             // not submitted, or sent back, and its day has passed
	// Stale lists the returns it is made of that were frozen anew since.
	Stale []schemas.DivisionCode `json:"stale,omitempty"`
}

// CloseGrid is the close of a month for a division and all below it.
type CloseGrid struct {
	Division  schemas.DivisionCode   `json:"division"`
	Month     string                 `json:"month"`
	From      schemas.Day            `json:"from"`
	To        schemas.Day            `json:"to"`
	Rule      schemas.Text           `json:"rule"` // what the month stands for
	Cut       Cut                    `json:"cut"`
	AsOf      time.Time              `json:"as_of"`
	Rows      []ReturnRow            `json:"rows"` // a division, then those under it
	Late      []schemas.DivisionCode `json:"late"`
	Missing   []schemas.DivisionCode `json:"missing"`
	Reminders []Reminder             `json:"reminders"`
}

// Reminder names those who have still to report by a day that has not passed.
type Reminder struct {
	Due       schemas.Day            `json:"due"`
	DaysLeft  int                    `json:"days_left"` // 0: it is due today
	Divisions []schemas.DivisionCode `json:"divisions"`
}

// BlockerCode names what can stand in the way of submitting.
type BlockerCode string

// The blockers. PeriodRunning cannot be overridden.
const (
	PeriodRunning   BlockerCode = "period_running"
	UnsignedLines   BlockerCode = "consultations_unsigned"
	OpenShifts      BlockerCode = "shifts_open"
	MissingEvidence BlockerCode = "notifications_unevidenced"
	ParkedInTheWay  BlockerCode = "parked_events"
	ChildrenMissing BlockerCode = "children_missing"
	ChildrenChanged BlockerCode = "children_changed"
)

// blocking are the figures that block while they are not 0; each blocker has
// the code of its figure.
var blocking = []schemas.IndicatorCode{schemas.ConsultationsUnsigned, schemas.ShiftsOpen, schemas.NotificationsUnevid}

// Blocker is one thing that stands in the way of submitting.
type Blocker struct {
	Code  BlockerCode  `json:"code"`
	Title schemas.Text `json:"title"`
	Count int64        `json:"count"`
	// Indicator is the figure to open, over the days of the period.
	Indicator schemas.IndicatorCode `json:"indicator,omitempty"`
	// Divisions are the children that it is about.
	Divisions []schemas.DivisionCode `json:"divisions,omitempty"`
	Final     bool                   `json:"final"` // no reason helps
}

// Title is the blocker's name; of one that is not known any more, its code.
func (c BlockerCode) Title() schemas.Text {
	if t, ok := blockerTitles[c]; ok {
		return t
	}
	return schemas.Text{ZH: string(c), EN: string(c)}
}

var blockerTitles = map[BlockerCode]schemas.Text{
	PeriodRunning:   {ZH: "统计时段尚未结束", EN: "The period is not over"},
	UnsignedLines:   {ZH: "咨询台账未签字", EN: "Ledger lines are not signed"},
	OpenShifts:      {ZH: "值班未签退", EN: "Shifts have no sign-out"},
	MissingEvidence: {ZH: "告知缺少凭据", EN: "Notifications have no evidence"},
	ParkedInTheWay:  {ZH: "有待处理记录未入账", EN: "Records are parked and do not count"},
	ChildrenMissing: {ZH: "下级月报未接收", EN: "Returns below are not accepted"},
	ChildrenChanged: {ZH: "下级月报接收后账面有变，尚未更正", EN: "Accepted returns below differ from the books and are not amended"},
}

// Unanswered are the blockers that no override gives a reason for.
func Unanswered(blockers []Blocker, overrides []schemas.ReturnOverride) []Blocker {
	var out []Blocker
	for _, b := range blockers {
		if b.Final || !slices.ContainsFunc(overrides, func(o schemas.ReturnOverride) bool { return o.Blocker == string(b.Code) }) {
			out = append(out, b)
		}
	}
	return out
}

// Freeze is what a submission says: the live form, made into file. Overrides
// of what does not block are left out.
func Freeze(m MonthlyReturn, filler string, overrides []schemas.ReturnOverride, file []byte) schemas.ReturnSubmitted {
	p := schemas.ReturnSubmitted{
		Division: string(m.ID.Division), Month: m.ID.Month.String(), Form: m.Live.Form.Version, Cut: m.Live.Cut.Offsets,
		Figures: m.Live.Figures(), File: file, SHA256: schemas.SHA256(file), Filler: filler, Divisions: m.Live.divisions(),
	}
	for _, o := range overrides {
		if slices.ContainsFunc(m.Blockers, func(b Blocker) bool { return string(b.Code) == o.Blocker }) {
			p.Overrides = append(p.Overrides, o)
		}
	}
	for _, child := range m.Made {
		if child.State.Final() {
			p.Children = append(p.Children, child.Event)
		}
	}
	return p
}

// Amend is what an amendment says: what differs from what stands, and file.
func Amend(m MonthlyReturn, signer, reason string, file []byte) schemas.ReturnAmended {
	return schemas.ReturnAmended{
		Number: m.Amendments() + 1, Signer: signer, Reason: reason, Form: m.Live.Form.Version, Cut: m.Live.Cut.Offsets,
		Changes: m.Changes, Divisions: m.Live.divisions(), File: file, SHA256: schemas.SHA256(file),
	}
}

// Thaw is a frozen form as a document: live gives all but form and figures.
func Thaw(live DivisionMonth, form schemas.Form, v schemas.FrozenReturn) DivisionMonth {
	m := live
	m.Form, m.AsOf, m.Cut = form, v.Time, Cut{Offsets: v.Cut}
	m.Frozen = &Stamp{v.Version, v.Amendment, v.By, v.Reason, v.Changes}
	m.ChildIndicators, m.Children, m.Total = nil, nil, nil
	m.Groups = linesOf(form)
	cells := map[string]schemas.FormFigure{}
	for _, f := range v.Figures {
		cells[f.Cell] = f
	}
	for _, g := range m.Groups {
		for i := range g.Lines {
			l := &g.Lines[i]
			f, ok := cells[l.Cell]
			if !ok {
				l.Month, l.Year, l.LastYear, l.Before = Figure{Status: NotAvailable}, Figure{Status: NotAvailable}, Figure{Status: NotAvailable}, Figure{Status: NotAvailable}
				continue
			}
			l.Month, l.Year, l.LastYear, l.Before = Thawed(f.Month), Thawed(f.YTD), Thawed(f.LastYear), Figure{Status: NotAvailable}
		}
	}
	if len(v.Divisions) == 0 {
		return m
	}
	m.ChildIndicators = lookup(form.Children...)
	for _, ind := range m.ChildIndicators {
		m.Total = append(m.Total, Thawed(cells[string(ind.Code)].Month))
	}
	for _, row := range v.Divisions {
		d, _ := schemas.Divisions.Get(schemas.DivisionCode(row.Division))
		c := FormChild{Division: d, Own: d.Code == live.Division.Code}
		for _, ind := range m.ChildIndicators {
			f, ok := row.Month[string(ind.Code)]
			if !ok {
				f.Mark = schemas.MarkNotAvailable
			}
			c.Figures = append(c.Figures, Thawed(f))
		}
		m.Children = append(m.Children, c)
	}
	return m
}

// ReturnRules are the rules by which months are closed.
func (w *Warehouse) ReturnRules() *schemas.ReturnRules { return w.Rules }

// ReturnHistory is a division's return for a month without its live form: the
// steps so far, and what they froze.
func (w *Warehouse) ReturnHistory(ctx context.Context, scope Scope, division schemas.DivisionCode, month schemas.Month) (schemas.MonthlyReturn, error) {
	id, err := w.returnIn(scope, division, month)
	if err != nil {
		return schemas.MonthlyReturn{}, err
	}
	cut, err := w.Cut(ctx, time.Time{})
	if err != nil {
		return schemas.MonthlyReturn{}, err
	}
	all, err := w.returnsOf(ctx, cut, []schemas.ReturnID{id}, id)
	return withoutSmall(scope, historyOf(all, id)), err
}

// returnIn names a return that the scope reaches.
func (w *Warehouse) returnIn(scope Scope, division schemas.DivisionCode, month schemas.Month) (schemas.ReturnID, error) {
	if err := admits(scope, division); err != nil {
		return schemas.ReturnID{}, err
	}
	if _, err := documentDivision(scope, division); err != nil {
		return schemas.ReturnID{}, err
	}
	id, err := schemas.ParseReturnID(schemas.ReturnID{Division: division, Month: month}.String())
	if err != nil {
		return schemas.ReturnID{}, schemas.Errorf(schemas.NotFound, "%w", err)
	}
	if !w.Rules.Reports(id) {
		up, _ := w.Rules.ReportsTo(id)
		return schemas.ReturnID{}, schemas.Errorf(schemas.NotFound, "%s has no return of its own for %s: its work is in that of %s", schemas.Divisions.Name(division), month, schemas.Divisions.Name(up.Division))
	}
	return id, nil
}

// historyOf finds a return among those that have steps.
func historyOf(all map[schemas.ReturnID]schemas.MonthlyReturn, id schemas.ReturnID) schemas.MonthlyReturn {
	if r, ok := all[id]; ok {
		return r
	}
	return schemas.FoldReturn(id, nil)
}

// MonthlyReturn is a division's return for a month as it is now. Offsets, when
// given, are the cut that the live form is of: that of the page its clerk saw.
func (w *Warehouse) MonthlyReturn(ctx context.Context, scope Scope, division schemas.DivisionCode, month schemas.Month, offsets map[int]int64) (MonthlyReturn, error) {
	id, err := w.returnIn(scope, division, month)
	if err != nil {
		return MonthlyReturn{}, err
	}
	i, err := w.inquire(ctx, scope, time.Time{})
	if err != nil {
		return MonthlyReturn{}, err
	}
	all, err := w.returnsOf(ctx, i.cut, w.under(id), id)
	if err != nil {
		return MonthlyReturn{}, err
	}
	m := MonthlyReturn{MonthlyReturn: withoutSmall(scope, historyOf(all, id))}
	form := w.Rules.FormOf(month)
	standing, stands := m.Standing()
	if stands {
		if form, err = w.Rules.Form(standing.Form); err != nil {
			return MonthlyReturn{}, err
		}
	}
	live := i
	if offsets != nil {
		if live.cut, err = i.cut.back(offsets); err != nil {
			return MonthlyReturn{}, err
		}
	}
	if m.Live, err = live.divisionMonth(ctx, sheet{w.Rules, form, division, month, true}); err != nil {
		return MonthlyReturn{}, err
	}
	grid := closing{w.Rules, i.asOf, all}
	m.Row = grid.row(id)
	m.ReportsTo = m.Row.ReportsTo
	for _, child := range w.Rules.MadeOf(id) {
		m.Made = append(m.Made, grid.row(child))
	}
	if stands {
		m.Changes = schemas.Amendment(standing.Figures, m.Live.Figures())
	}
	m.Blockers, err = w.blockers(ctx, live, m, all)
	return m, err
}

// Returns is the close of a month for division and all below it.
func (w *Warehouse) Returns(ctx context.Context, scope Scope, division schemas.DivisionCode, month schemas.Month) (CloseGrid, error) {
	root, err := w.returnIn(scope, division, month)
	if err != nil {
		return CloseGrid{}, err
	}
	i, err := w.inquire(ctx, scope, time.Time{})
	if err != nil {
		return CloseGrid{}, err
	}
	all, err := w.returnsOf(ctx, i.cut, w.under(root), schemas.ReturnID{})
	if err != nil {
		return CloseGrid{}, err
	}
	return closing{w.Rules, i.asOf, all}.grid(root, i.cut), nil
}

// under lists a return with all that it is made of, directly or not.
func (w *Warehouse) under(id schemas.ReturnID) []schemas.ReturnID {
	out := []schemas.ReturnID{id}
	for i := 0; i < len(out); i++ {
		out = append(out, w.Rules.MadeOf(out[i])...)
	}
	return out
}

// returnsOf reads those of some returns that have steps; the files of one alone,
// for they are large.
func (w *Warehouse) returnsOf(ctx context.Context, cut Cut, ids []schemas.ReturnID, whole schemas.ReturnID) (map[schemas.ReturnID]schemas.MonthlyReturn, error) {
	keys := make([]string, len(ids))
	for k, id := range ids {
		keys[k] = id.String()
	}
	events, _, err := w.events(ctx, `SELECT id, type, case_kind, case_key, source, time, recorded,
			if(case_key = ?, data, replaceRegexpOne(data, '"file":"[A-Za-z0-9+/=]*"', '"file":""')) AS data, kafka_partition, kafka_offset
		FROM `+cut.tables.Events()+` WHERE case_kind = 'return' AND case_key IN ? AND `+cut.condition()+` ORDER BY kafka_partition, kafka_offset`,
		whole.String(), keys)
	if err != nil {
		return nil, err
	}
	out := map[schemas.ReturnID]schemas.MonthlyReturn{}
	for of, history := range byFile(events) {
		if id, err := schemas.ParseReturnID(of.Case.Key); err == nil && of.Source == string(id.Division) {
			out[id] = schemas.FoldReturn(id, history)
		}
	}
	return out, nil
}

// closing is the close of a month at a moment.
type closing struct {
	rules *schemas.ReturnRules
	now   time.Time
	all   map[schemas.ReturnID]schemas.MonthlyReturn
}

func (c closing) row(id schemas.ReturnID) ReturnRow {
	d, _ := schemas.Divisions.Get(id.Division)
	r := historyOf(c.all, id)
	up, _ := c.rules.ReportsTo(id)
	row := ReturnRow{Division: d.Code, Level: d.Level, ReportsTo: up.Division, State: r.State,
		Due: c.rules.DueDay(d.Level, id.Month), Amendments: r.Amendments()}
	for _, s := range r.Steps {
		at := s.Recorded.In(schemas.Shanghai)
		switch {
		case s.Ignored != (schemas.Text{}):
		case s.Verb == "submitted":
			row.Submitted, row.Filler, row.Reason = &at, s.By, ""
		case s.Verb == "returned":
			row.Reason = s.Reason
		case s.Verb == "accepted":
			row.Accepted, row.Signer = &at, s.By
		}
	}
	passed := schemas.DayOf(c.now) > row.Due
	if v, ok := r.Standing(); ok {
		row.Form, row.Version, row.Event, row.SHA256, row.Overrides = v.Form, v.Version, v.Event.String(), v.SHA256, len(v.Overrides)
		row.Late = row.Submitted != nil && schemas.DayOf(*row.Submitted) > row.Due
		for _, child := range c.rules.MadeOf(id) {
			if now, ok := c.all[child].Standing(); ok && now.Recorded.After(v.Recorded) {
				row.Stale = append(row.Stale, child.Division)
			}
		}
	} else {
		row.Missing = passed
	}
	return row
}

func (c closing) grid(root schemas.ReturnID, cut Cut) CloseGrid {
	from, to := c.rules.Period(root.Month)
	g := CloseGrid{Division: root.Division, Month: root.Month.String(), From: from, To: to, Rule: c.rules.PeriodTitle(), Cut: cut, AsOf: c.now.In(schemas.Shanghai),
		Late: []schemas.DivisionCode{}, Missing: []schemas.DivisionCode{}, Reminders: []Reminder{}}
	var walk func(schemas.ReturnID)
	walk = func(id schemas.ReturnID) {
		g.Rows = append(g.Rows, c.row(id))
		for _, child := range c.rules.MadeOf(id) {
			walk(child)
		}
	}
	walk(root)
	waiting := map[schemas.Day][]schemas.DivisionCode{}
	for _, r := range g.Rows {
		switch {
		case r.Late:
			g.Late = append(g.Late, r.Division)
		case r.Missing:
			g.Missing = append(g.Missing, r.Division)
		case r.Version == 0:
			waiting[r.Due] = append(waiting[r.Due], r.Division)
		}
	}
	for _, due := range slices.Sorted(maps.Keys(waiting)) {
		g.Reminders = append(g.Reminders, Reminder{due, int(due - schemas.DayOf(c.now)), waiting[due]})
	}
	return g
}

// blockers are what stands in the way of submitting m: what is not in order at the
// cut of its live form, and the returns below as they stand now.
func (w *Warehouse) blockers(ctx context.Context, i inquiry, m MonthlyReturn, all map[schemas.ReturnID]schemas.MonthlyReturn) ([]Blocker, error) {
	out := []Blocker{}
	add := func(code BlockerCode, count int64, b Blocker) {
		if b.Code, b.Title, b.Count = code, code.Title(), count; count > 0 {
			out = append(out, b)
		}
	}
	add(PeriodRunning, int64(m.Live.Period.To-schemas.DayOf(i.asOf))+1, Blocker{Final: true})
	for k, code := range blocking {
		add(BlockerCode(code), m.Live.blocking[k], Blocker{Indicator: code})
	}
	i.elsewhere = w.Rules.Elsewhere(m.ID.Month)
	parked, err := w.parkedIn(ctx, i, m.ID.Division)
	if err != nil {
		return nil, err
	}
	add(ParkedInTheWay, parked, Blocker{})
	var missing, changed []schemas.DivisionCode
	for _, child := range w.Rules.MadeOf(m.ID) {
		switch r := all[child]; {
		case !r.State.Final():
			missing = append(missing, child.Division)
		case m.Live.differs(child.Division, r):
			changed = append(changed, child.Division)
		}
	}
	add(ChildrenMissing, int64(len(missing)), Blocker{Divisions: missing})
	add(ChildrenChanged, int64(len(changed)), Blocker{Divisions: changed})
	return out, nil
}

// differs tells whether a child's month, as far as the sheet of divisions shows
// it, is another than in its frozen return.
func (m DivisionMonth) differs(child schemas.DivisionCode, r schemas.MonthlyReturn) bool {
	v, ok := r.Standing()
	if !ok {
		return false
	}
	for _, c := range m.Children {
		if c.Own || c.Division.Code != child {
			continue
		}
		for k, ind := range m.ChildIndicators {
			for _, f := range v.Figures {
				if f.Cell == string(ind.Code) && f.Month != c.Figures[k].Frozen() {
					return true
				}
			}
		}
	}
	return false
}

// parkedIn counts the parked records of a division, those of no known place in
// the province; to a station those of its own.
func (w *Warehouse) parkedIn(ctx context.Context, i inquiry, division schemas.DivisionCode) (int64, error) {
	r, err := w.register(ctx, i.cut)
	if err != nil {
		return 0, err
	}
	t, in := i.cut.tables, i.cut.condition()
	rows, err := w.conn.Query(ctx, `SELECT source, toInt64(count()) FROM `+t.Parked()+` WHERE `+in+` AND id NOT IN (
		SELECT id FROM `+t.Events()+` WHERE `+in+` AND id IN (SELECT id FROM `+t.Parked()+`)) GROUP BY source`)
	if err != nil {
		return 0, unavailable("count what is parked", err)
	}
	defer rows.Close()
	var sum int64
	for rows.Next() {
		var from string
		var n int64
		if err := rows.Scan(&from, &n); err != nil {
			return 0, unavailable("count what is parked", err)
		}
		place := schemas.Province
		source, err := schemas.ParseSource(from)
		if err == nil {
			place = r.reporting(source)
		}
		if i.scope.Station != "" && (err != nil || source.Station != i.scope.Station) {
			continue
		}
		if slices.Contains(pathTo(place, i.elsewhere), division) {
			sum += n
		}
	}
	if err := rows.Err(); err != nil {
		return 0, unavailable("count what is parked", err)
	}
	return sum, nil
}

// back is a cut of the same tables at offsets, which the projection must have
// reached.
func (c Cut) back(offsets map[int]int64) (Cut, error) {
	for p, o := range offsets {
		if o < 0 || o > c.Offsets[p] {
			return Cut{}, schemas.Errorf(schemas.Invalid, "cut %d:%d: partition %d is projected to %d", p, o, p, c.Offsets[p])
		}
	}
	return c.below(offsets), nil
}
