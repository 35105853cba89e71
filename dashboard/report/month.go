package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"zhiban/schemas"
)

// DivisionMonth is a division's monthly return (值班律师工作统计表（月）).
type DivisionMonth struct {
	Division schemas.Division
	Unit     string // 填报单位
	Month    schemas.Month
	Period   Range        // the days that the month stands for
	Rule     schemas.Text // how they are found
	Due      schemas.Day  // last day for reporting upward
	Form     schemas.Form
	AsOf     time.Time
	Cut      Cut
	Groups   []FormGroup
	Frozen   *Stamp // of a form that is frozen; nil: it is live
	Moved    bool   // some division reports to another than the one above it: see Query.Elsewhere

	// Of a prefecture or the province: one row for each child, and the whole,
	// which is counted anew (persons of several children are one person).
	ChildIndicators []schemas.Indicator
	Children        []FormChild
	Total           []Figure

	blocking []int64 // the month's figures that block, in their order
}

// Stamp says who froze a form, and as which version.
type Stamp struct {
	Version   int
	Amendment int    // 0: a submission
	By        string // filler, or signer of the amendment
	Reason    string // of the amendment
	Changes   []schemas.FormChange
}

// FormGroup is a block of lines under one heading.
type FormGroup struct {
	Title schemas.Text
	Lines []FormLine
}

// FormLine is one figure, or the part of it with one value of a dimension.
type FormLine struct {
	Cell      string                  // its name in frozen figures
	Codes     []schemas.IndicatorCode // whose postings make it up
	Indicator schemas.Indicator
	By        Dimension    // empty for the whole
	Value     string       // the dimension's value
	Part      schemas.Text // the value's name
	Month     Figure       // 本月
	Year      Figure       // 本年累计
	LastYear  Figure       // 上年同月
	Before    Figure       // 上月: for comparison, not a column of the form
}

// Column is the line's figure in a column.
func (l FormLine) Column(c schemas.FormColumn) Figure {
	switch c {
	case schemas.ColumnYTD:
		return l.Year
	case schemas.ColumnLastYear:
		return l.LastYear
	}
	return l.Month
}

// Deviation is the change from last month as a part of last month's figure;
// false when there is nothing to compare with.
func (l FormLine) Deviation() (float64, bool) {
	if l.Month.Status != Known || l.Before.Status != Known || l.Before.Value == 0 {
		return 0, false
	}
	return l.Month.Value/l.Before.Value - 1, true
}

// Figures are the form's cells as they are frozen.
func (m DivisionMonth) Figures() []schemas.FormFigure {
	var out []schemas.FormFigure
	for _, g := range m.Groups {
		for _, l := range g.Lines {
			out = append(out, schemas.FormFigure{Cell: l.Cell, Month: l.Month.Frozen(), YTD: l.Year.Frozen(), LastYear: l.LastYear.Frozen()})
		}
	}
	return out
}

// divisions are the sheet of divisions as it is frozen.
func (m DivisionMonth) divisions() []schemas.FormDivision {
	var out []schemas.FormDivision
	for _, c := range m.Children {
		row := schemas.FormDivision{Division: string(c.Division.Code), Month: map[string]schemas.FormValue{}}
		for i, ind := range m.ChildIndicators {
			row.Month[string(ind.Code)] = c.Figures[i].Frozen()
		}
		out = append(out, row)
	}
	return out
}

// Frozen is the cell as it is frozen.
func (f Figure) Frozen() schemas.FormValue {
	switch f.Status {
	case NotAvailable:
		return schemas.FormValue{Mark: schemas.MarkNotAvailable}
	case NotApplicable:
		return schemas.FormValue{Mark: schemas.MarkNotApplicable}
	}
	return schemas.FormValue{Number: f.Value}
}

// Thawed is a frozen value as a cell of a document.
func Thawed(v schemas.FormValue) Figure {
	switch v.Mark {
	case schemas.MarkNotAvailable:
		return Figure{Status: NotAvailable}
	case schemas.MarkNotApplicable:
		return Figure{Status: NotApplicable}
	}
	return Figure{Value: v.Number}
}

// FormChild is a child division's month, in the order of ChildIndicators. Own
// is the division's own stations (市本级).
type FormChild struct {
	Division schemas.Division
	Own      bool
	Figures  []Figure
}

// valuesOf lists the values that a form shows of a dimension.
func valuesOf(by Dimension) []Value {
	switch by {
	case ByStationKind:
		var out []Value
		for _, k := range schemas.StationKinds {
			out = append(out, Value{string(k), k.Title()})
		}
		return out
	case ByMode:
		return Modes
	case ByChannel:
		return Channels
	case ByPersonRole:
		return PersonRoles
	case ByOrgan:
		return Organs
	}
	return nil
}

// DivisionMonth gathers the monthly return of division, in the form of its
// month. All its figures are of one cut; zero asOf is now.
func (w *Warehouse) DivisionMonth(ctx context.Context, scope Scope, division schemas.DivisionCode, month schemas.Month, asOf time.Time) (DivisionMonth, error) {
	i, err := w.inquire(ctx, scope, asOf)
	if err != nil {
		return DivisionMonth{}, err
	}
	return i.divisionMonth(ctx, sheet{w.Rules, w.Rules.FormOf(month), division, month, false})
}

// sheet is a form to be filled: for whom and which month.
type sheet struct {
	rules    *schemas.ReturnRules
	form     schemas.Form
	division schemas.DivisionCode
	month    schemas.Month
	compared bool // with the month before
}

func (i inquiry) divisionMonth(ctx context.Context, of sheet) (DivisionMonth, error) {
	division, err := documentDivision(i.scope, of.division)
	if err != nil {
		return DivisionMonth{}, err
	}
	i.elsewhere = of.rules.Elsewhere(of.month)
	first, err := i.firstRecord(ctx, of.division, of.month)
	if err != nil {
		return DivisionMonth{}, err
	}
	held := func(m schemas.Month) period { // a month that only serves to compare
		from, to := of.rules.Period(m)
		return period{Range{from, to}, m < first}
	}
	now := held(of.month)
	now.unheld = false
	now = now.begun(i.asOf)
	from, to := of.rules.YearToDate(of.month)

	m := DivisionMonth{
		Division: division, Unit: reportingUnit(division), Month: of.month, Period: now.Range, Rule: of.rules.PeriodTitle(),
		Due: of.rules.DueDay(division.Level, of.month), Form: of.form, AsOf: i.asOf, Cut: i.cut, Moved: len(i.elsewhere) > 0,
	}
	columns := []column{{period: now}, {period: period{Range{from, to}, now.unheld}}, {period: held(of.month - 12)}}
	if of.compared {
		columns = append(columns, column{period: held(of.month - 1)})
	}
	var byChild Statistics
	asking := []func(context.Context) error{func(ctx context.Context) error { return i.fill(ctx, of, columns) }}
	shown := lookup(of.form.Children...)
	if division.Level != schemas.LevelCounty && len(shown) > 0 {
		asking = append(asking, func(ctx context.Context) (err error) {
			byChild, err = i.statistics(ctx, now.query(of.division, of.form.Children, ByDivision))
			return err
		})
	}
	if err := together(ctx, asking...); err != nil {
		return m, err
	}
	for _, code := range blocking {
		m.blocking = append(m.blocking, int64(columns[0].whole.Value(columns[0].whole.Rows[0], code)))
	}
	fill := func(l FormLine) FormLine {
		for k, into := range []*Figure{&l.Month, &l.Year, &l.LastYear, &l.Before}[:len(columns)] {
			*into = columns[k].cell(l)
		}
		return l
	}
	for _, group := range linesOf(of.form) {
		g := FormGroup{Title: group.Title}
		for _, l := range group.Lines {
			g.Lines = append(g.Lines, fill(l))
		}
		m.Groups = append(m.Groups, g)
	}
	if division.Level != schemas.LevelCounty && len(shown) > 0 {
		m.ChildIndicators = shown
		m.Children = i.children(byChild, division, now)
		m.Total = now.cells(columns[0].whole, shown)
	}
	return m, nil
}

// linesOf is a form's lines without figures.
func linesOf(form schemas.Form) []FormGroup {
	var out []FormGroup
	for _, group := range form.Groups {
		g := FormGroup{Title: group.Title}
		for _, row := range group.Rows {
			l := FormLine{Cell: row.Cell(), Codes: row.Indicators, Indicator: row.Figure()}
			g.Lines = append(g.Lines, l)
			for _, by := range row.By {
				for _, v := range valuesOf(Dimension(by)) {
					l.Cell, l.By, l.Value, l.Part = row.PartCell(by, v.Code), Dimension(by), v.Code, v.Name
					g.Lines = append(g.Lines, l)
				}
			}
		}
		out = append(out, g)
	}
	return out
}

// column is the answers behind one column of the form.
type column struct {
	period
	whole Statistics
	parts map[Dimension][]Statistics // those of figures that add up, and of others
}

// fill asks for the whole of all columns, and once more by all the splits of figures
// that add up; each split is a sum of that. Other figures are asked for by each
// split.
func (i inquiry) fill(ctx context.Context, of sheet, columns []column) error {
	codes := slices.Concat(of.form.Children, blocking)
	split := map[Dimension][]schemas.IndicatorCode{}
	var adding []schemas.IndicatorCode
	var by []Dimension
	for _, g := range of.form.Groups {
		for _, row := range g.Rows {
			codes = append(codes, row.Indicators...)
			for _, d := range row.By {
				if addsUp(row.Indicators) {
					by, adding = append(by, Dimension(d)), append(adding, row.Indicators...)
				} else {
					split[Dimension(d)] = append(split[Dimension(d)], row.Indicators...)
				}
			}
		}
	}
	var ranges []Range
	for k := range columns {
		ranges, columns[k].parts = append(ranges, columns[k].Range), map[Dimension][]Statistics{}
	}
	ask := func(codes []schemas.IndicatorCode, by []Dimension, answer func(c *column, s Statistics)) error {
		s, err := i.statistics(ctx, Query{Division: of.division, Columns: ranges, By: by, Indicators: once(codes)})
		if err != nil {
			return err
		}
		for k := range columns {
			answer(&columns[k], s.Column(k))
		}
		return nil
	}
	if err := ask(codes, nil, func(c *column, s Statistics) { c.whole = s }); err != nil {
		return err
	}
	if by = once(by); len(by) > 0 {
		if err := ask(adding, by, func(c *column, s Statistics) {
			for _, d := range by {
				c.parts[d] = append(c.parts[d], s.over(d))
			}
		}); err != nil {
			return err
		}
	}
	for d, codes := range split {
		if err := ask(codes, []Dimension{d}, func(c *column, s Statistics) { c.parts[d] = append(c.parts[d], s) }); err != nil {
			return err
		}
	}
	return nil
}

// addsUp tells whether the parts of all these figures add up to the whole.
func addsUp(codes []schemas.IndicatorCode) bool {
	return !slices.ContainsFunc(lookup(codes...), func(ind schemas.Indicator) bool {
		return ind.Kind != schemas.Additive && ind.Kind != schemas.Stock && ind.Kind != schemas.Overdue
	})
}

// over adds up the rows that agree in one dimension; all figures must add up.
func (s Statistics) over(d Dimension) Statistics {
	at := slices.Index(s.Query.By, d)
	out := s
	out.Query.By, out.Rows = []Dimension{d}, nil
	rows := map[string]int{}
	for _, r := range s.Rows {
		k, ok := rows[r.Key[at]]
		if !ok {
			k, rows[r.Key[at]] = len(out.Rows), len(out.Rows)
			out.Rows = append(out.Rows, Row{Key: r.Key[at : at+1], Values: make([]*float64, len(r.Values))})
		}
		for i, v := range r.Values {
			if sum := &out.Rows[k].Values[i]; v != nil {
				if *sum == nil {
					*sum = new(float64)
				}
				**sum += *v
			}
		}
	}
	return out
}

func once[S ~string](codes []S) []S {
	return slices.Compact(slices.Sorted(slices.Values(codes)))
}

// cell is a line's figure. A sum is of what is known: a duty that did not exist
// yet adds nothing.
func (c *column) cell(l FormLine) Figure {
	s, key := c.whole, []string(nil)
	for _, part := range c.parts[l.By] {
		if slices.Contains(part.Query.Indicators, l.Codes[0]) {
			s, key = part, []string{l.Value}
		}
	}
	if len(l.Codes) == 1 {
		return c.period.cell(s, lookup(l.Codes...)[0], key...)
	}
	sum := Figure{Status: NotApplicable}
	for _, part := range c.period.cells(s, lookup(l.Codes...), key...) {
		switch {
		case part.Status == NotApplicable || part.Status == NotAvailable && sum.Status == Known:
		case part.Status == Known && sum.Status == Known:
			sum.Value += part.Value
		default:
			sum = part
		}
	}
	return sum
}

// children are the rows of the divisions under division in a period: those that
// report to it, those without a return of their own, then division itself when its
// own stations have figures.
func (i inquiry) children(s Statistics, division schemas.Division, p period) []FormChild {
	inds := lookup(s.Query.Indicators...)
	var out []FormChild
	for _, d := range schemas.Divisions.All() {
		existed := (d.ValidFrom == 0 || p.To >= d.ValidFrom) && (d.ValidTo == 0 || p.From < d.ValidTo)
		if up := cmp.Or(i.elsewhere[d.Code], d.Parent); existed && up == division.Code {
			out = append(out, FormChild{Division: d, Figures: p.cells(s, inds, string(d.Code))})
		}
	}
	if _, ok := s.Find(string(division.Code)); ok {
		out = append(out, FormChild{Division: division, Own: true, Figures: p.cells(s, inds, string(division.Code))})
	}
	return out
}
