package report

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"zhiban/schemas"
)

// maxRows bounds an answer; a question that would give more is refused. maxNumbers
// bounds what it is added up from, when it is here.
const (
	maxRows    = 200_000
	maxNumbers = 10 * maxRows
)

// Statistics answers q within scope.
func (w *Warehouse) Statistics(ctx context.Context, scope Scope, q Query) (Statistics, error) {
	p, err := w.plan(ctx, scope, q)
	if err != nil {
		return Statistics{}, err
	}
	cells, err := p.answer(ctx)
	if err != nil {
		return Statistics{}, err
	}
	out := Statistics{Query: p.Query, Cut: p.cut, AsOf: p.asOf}
	for _, ind := range p.indicators {
		if !p.counted(ind.Code) {
			out.Hidden = append(out.Hidden, ind.Code)
		}
	}
	switch {
	case len(q.By) > 0:
	case len(q.Columns) > 0:
		for k := range q.Columns {
			p.want(cells, strconv.Itoa(k)+"\n", strconv.Itoa(k))
		}
	default:
		p.want(cells, "")
	}
	for _, c := range cells {
		row := Row{Key: c.key, Values: make([]*float64, len(p.indicators))}
		values := make([]float64, len(p.indicators)) // a row's values lie together: there are many
		empty := true
		for i := range p.figures {
			f := &p.figures[i]
			if v, ok := c.value(f); ok && p.shows(f.Code, v) {
				values[i], row.Values[i] = v, &values[i]
				empty = empty && v == 0 && !f.Divided()
			}
		}
		if !empty || len(q.By) == 0 { // corrections may have taken all of it away
			out.Rows = append(out.Rows, row)
		}
	}
	slices.SortFunc(out.Rows, func(a, b Row) int { return slices.Compare(a.Key, b.Key) })
	return out, nil
}

// answer asks until what was read has nothing of above the cut: mostly once.
func (p *plan) answer(ctx context.Context) (cells map[string]*cell, err error) {
	p.looks, p.divided = true, p.cut.above.known()
	for {
		rows, err := p.ask(ctx, slices.Concat(p.sums(), p.stocks(), p.distinct(), p.percentiles()))
		if err != nil {
			return nil, err
		}
		var above map[int]bool
		if err := together(ctx, func(context.Context) (err error) {
			cells, err = p.enter(rows)
			return err
		}, func(ctx context.Context) (err error) {
			above, err = p.w.above(ctx, p.cut)
			return err
		}); err != nil {
			return nil, err
		}
		if maps.DeleteFunc(above, func(partition int, _ bool) bool { return p.divided[partition] }); len(above) == 0 {
			return cells, nil
		}
		p.cut.above.add(above)
		maps.Copy(above, p.divided)
		p.divided = above
	}
}

// figure is an indicator that was asked for, with the slots of a cell that it is
// computed from.
type figure struct {
	schemas.Indicator
	slot, of, over int
}

// slotOf is an indicator's place in a cell.
func (p *plan) slotOf(code schemas.IndicatorCode) int {
	slot, ok := p.slots[code]
	if !ok {
		slot = len(p.slots)
		p.slots[code] = slot
	}
	return slot
}

// cell is one combination of dimension values with what was summed for it, by slot.
type cell struct {
	key       []string
	sums      []int64
	quantiles map[int]float64
}

// add puts a number in: its slot and its value, which is a whole one but for
// quantiles. first tells that the cell had nothing of it.
func (c *cell) add(of, value string, quantiles map[int]bool) (first bool, err error) {
	slot, err := strconv.Atoi(of)
	if err != nil {
		return false, err
	}
	if quantiles[slot] {
		v, err := strconv.ParseFloat(value, 64)
		if c.quantiles == nil {
			c.quantiles = map[int]float64{}
		}
		c.quantiles[slot] = v
		return true, err
	}
	n, err := strconv.ParseInt(value, 10, 64)
	first = c.sums[slot] == 0
	c.sums[slot] += n
	return first, err
}

// value is the cell's figure; ok is false where it is not available.
func (c *cell) value(f *figure) (_ float64, ok bool) {
	if f.Kind == schemas.Percentile {
		v, ok := c.quantiles[f.slot]
		return v, ok
	}
	v := float64(c.sums[f.slot])
	if f.Divided() {
		over := c.sums[f.over]
		if over == 0 {
			return 0, false
		}
		v = float64(c.sums[f.of]) / float64(over)
		if f.Rest {
			v = float64(over-c.sums[f.of]) / float64(over)
		}
	}
	return v / float64(max(f.Parts, 1)), true
}

// plan is a query that has been checked, with its cut and register.
type plan struct {
	Query
	w          *Warehouse
	scope      Scope
	indicators []schemas.Indicator
	figures    []figure // of the indicators
	slots      map[schemas.IndicatorCode]int
	cut        Cut
	asOf       time.Time
	register   *register
	stock      bool         // while stocks are asked for
	ends       []int        // of which of the ranges, while stocks are asked for
	dayAs      string       // the SQL of a posting's day where it is not day
	looks      bool         // for what is above the cut, after the question
	divided    map[int]bool // partitions that may have postings above the cut, of which it divides a span
}

func (p *plan) day() string { return cmp.Or(p.dayAs, "day") }

// on is the plan where a posting's day is the SQL day.
func (p *plan) on(day string) *plan {
	there := *p
	there.dayAs = day
	return &there
}

// plan checks q, lists everything wrong with it, and finds its cut.
func (w *Warehouse) plan(ctx context.Context, scope Scope, q Query) (*plan, error) {
	if q.View == "" {
		q.View = schemas.ViewThen
	}
	for k, r := range q.Columns {
		if q.From = min(q.From, r.From); k == 0 {
			q.From = r.From
		}
		q.To = max(q.To, r.To)
	}
	p := &plan{Query: q, w: w, scope: scope, asOf: q.AsOf, slots: map[schemas.IndicatorCode]int{}}
	var wrong []string
	if q.From > q.To {
		wrong = append(wrong, fmt.Sprintf("from %s is after to %s", q.From, q.To))
	}
	if len(q.Indicators) == 0 {
		wrong = append(wrong, "no indicator is asked for")
	}
	for _, code := range q.Indicators {
		ind, err := schemas.Indicators.Lookup(code)
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		if ind.Kind == schemas.Stock && slices.ContainsFunc(q.By, isTime) {
			wrong = append(wrong, fmt.Sprintf("%s is a stock at the end of the range; it cannot be split by day, month, quarter or year", code))
		}
		f := figure{Indicator: ind, slot: p.slotOf(code)}
		if ind.Divided() {
			f.of, f.over = p.slotOf(ind.Of), p.slotOf(ind.Over)
		}
		p.indicators, p.figures = append(p.indicators, ind), append(p.figures, f)
	}
	for i, d := range q.By {
		if _, ok := dimensions[d]; !ok {
			wrong = append(wrong, fmt.Sprintf("by=%s is not a dimension; the dimensions are %s", d, strings.Join(DimensionNames(), ", ")))
		}
		if slices.Contains(q.By[:i], d) {
			wrong = append(wrong, fmt.Sprintf("by=%s stands twice", d))
		}
	}
	for d := range q.Filter {
		if !Filterable(d) {
			wrong = append(wrong, fmt.Sprintf("%s is not a filter", d))
		}
	}
	if q.View != schemas.ViewThen && q.View != schemas.ViewNow {
		wrong = append(wrong, fmt.Sprintf("view=%s is neither then nor now", q.View))
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return nil, schemas.Errorf(schemas.Invalid, "%s", strings.Join(wrong, "; "))
	}
	if err := admits(scope, q.Division); err != nil {
		return nil, err
	}
	var err error
	if p.cut = q.Cut; p.cut.IsZero() {
		if p.cut, err = w.Cut(ctx, q.AsOf); err != nil {
			return nil, err
		}
	}
	if p.register, err = w.register(ctx, p.cut); err != nil {
		return nil, err
	}
	for _, code := range q.Filter[ByStation] {
		if !knows(scope, p.register, schemas.StationCode(code), schemas.DayOf(w.now())) {
			return nil, noStation(schemas.StationCode(code))
		}
	}
	if p.asOf.IsZero() {
		p.asOf = w.now()
	}
	return p, nil
}

// Each kind of figure has its own way to be counted: its branches, whose rows are
// a slot, a value as text, and the parts of the key. All branches of a question are
// one query.

// sums count everything that adds up: additive figures, both halves of ratios,
// and what is overdue.
func (p *plan) sums() []fragment {
	codes := map[schemas.IndicatorCode]bool{}
	overdue := map[schemas.IndicatorCode]schemas.IndicatorCode{} // source -> overdue figure
	need := func(ind schemas.Indicator) {
		if !p.counted(ind.Code) {
			return
		}
		switch ind.Kind {
		case schemas.Additive:
			codes[ind.Code] = true
		case schemas.Overdue:
			overdue[ind.Of] = ind.Code
		}
	}
	for _, ind := range p.indicators {
		need(ind)
		if ind.Kind == schemas.Ratio || ind.Kind == schemas.Mean {
			for _, half := range lookup(ind.Of, ind.Over) {
				need(half)
			}
		}
	}
	var out []fragment
	if len(codes) > 0 {
		out = append(out, p.sum(slices.Sorted(maps.Keys(codes)), nil, p.From, fragment{})...)
	}
	if len(overdue) > 0 {
		passed := fragment{"due < ?", []any{date(schemas.DayOf(p.asOf))}}
		out = append(out, p.sum(slices.Sorted(maps.Keys(overdue)), overdue, p.From, passed)...)
	}
	return out
}

// stocks count how many there are at the end of the range.
func (p *plan) stocks() []fragment {
	var codes []schemas.IndicatorCode
	for _, ind := range p.indicators {
		if ind.Kind == schemas.Stock {
			codes = append(codes, ind.Code)
		}
	}
	if len(codes) == 0 {
		return nil
	}
	stock := *p
	stock.stock = true
	if len(p.Columns) == 0 {
		return stock.sum(codes, nil, 0, fragment{})
	}
	// Columns at whose ends the same divisions had moved have one tree.
	trees := map[string][]int{}
	for k, r := range p.Columns {
		tree := ""
		for _, m := range schemas.Divisions.Moves() {
			tree += strconv.FormatBool(r.To < m.On)
		}
		trees[tree] = append(trees[tree], k)
	}
	var out []fragment
	for _, ends := range trees {
		stock.To, stock.ends = p.Columns[ends[0]].To, ends
		for _, k := range ends {
			stock.To = max(stock.To, p.Columns[k].To)
		}
		out = append(out, stock.sum(codes, nil, 0, fragment{})...)
	}
	return out
}

// sum adds the postings of some indicators, each of the readings that these are put
// together from apart; as renames them in the answer.
func (p *plan) sum(codes []schemas.IndicatorCode, as map[schemas.IndicatorCode]schemas.IndicatorCode, from schemas.Day, extra fragment) []fragment {
	sums, monthly := p.sumsTable()
	monthly = monthly && extra.sql == ""
	var out []fragment
	for _, r := range readings(from, p.To, schemas.DayOf(p.asOf), monthly) {
		if !r.rest || len(p.divided) > 0 {
			out = append(out, p.read(codes, as, r, extra, sums))
		}
	}
	return out
}

// slotsOf is the slot that a posting counts in: that of its indicator, or of what as
// makes of it.
func (p *plan) slotsOf(codes []schemas.IndicatorCode, as map[schemas.IndicatorCode]schemas.IndicatorCode) fragment {
	slots := make([]uint16, len(codes))
	for i, code := range codes {
		slots[i] = uint16(p.slotOf(cmp.Or(as[code], code)))
	}
	if one := slots[0]; !slices.ContainsFunc(slots, func(s uint16) bool { return s != one }) {
		return fragment{"toUInt16(?)", []any{one}} // by which nothing needs to be grouped
	}
	return fragment{"CAST(transform(indicator, ?, ?, 0), 'UInt16')", []any{names(codes), slots}}
}

// distinct counts different persons, or lawyers: those for whom the postings of
// the range, of all that the figure is computed from, do not cancel out. What is
// left of a case is never less than nothing, so no case hides another. Figures of
// the same postings, and of persons and lawyers, are apart. Postings of nobody (0) are
// left out once they are one group, which takes less than looking at each of them.
func (p *plan) distinct() []fragment {
	type batch struct {
		lawyers bool
		codes   []schemas.IndicatorCode
		as      map[schemas.IndicatorCode]schemas.IndicatorCode
	}
	var batches []*batch
	for _, ind := range p.indicators {
		if ind.Kind != schemas.Distinct {
			continue
		}
		i := slices.IndexFunc(batches, func(b *batch) bool {
			return b.lawyers == ind.Lawyers && !slices.ContainsFunc(ind.Sources(), func(c schemas.IndicatorCode) bool { return b.as[c] != "" })
		})
		if i < 0 {
			i, batches = len(batches), append(batches, &batch{lawyers: ind.Lawyers, as: map[schemas.IndicatorCode]schemas.IndicatorCode{}})
		}
		for _, source := range ind.Sources() {
			batches[i].codes, batches[i].as[source] = append(batches[i].codes, source), ind.Code
		}
	}
	var out []fragment
	for _, b := range batches {
		who := "person"
		if b.lawyers {
			who = "lawyer"
		}
		slot, parts, where := p.slotsOf(b.codes, b.as), p.parts(), p.where(b.codes, p.From)
		out = append(out, fragment{`SELECT slot, toString(countIf(n > 0 AND who != 0)) AS value` + p.partNames() + ` FROM (
				SELECT ` + slot.sql + ` AS slot, ` + who + ` AS who, sum(quantity) AS n` + parts.sql + ` FROM ` + p.cut.tables.Postings() + ` WHERE ` + where.sql + ` GROUP BY slot, who` + p.partNames() + `
			) GROUP BY slot` + p.partNames(), slices.Concat(slot.args, parts.args, where.args)})
	}
	return out
}

// percentiles tell how long a part of the cases took at most. What a case took is
// the sum of its postings, which are of several events when it was corrected;
// postings of it that cancel out are of no case.
func (p *plan) percentiles() []fragment {
	type source struct {
		of, over schemas.IndicatorCode
		kind     schemas.CaseKind
	}
	var sources []source
	slots, quantiles := map[source][]uint16{}, map[source][]string{}
	for _, ind := range p.indicators {
		if ind.Kind != schemas.Percentile {
			continue
		}
		s := source{ind.Of, ind.Over, ind.Case}
		if slots[s] == nil {
			sources = append(sources, s)
		}
		slots[s], quantiles[s] = append(slots[s], uint16(p.slotOf(ind.Code))), append(quantiles[s], strconv.FormatFloat(ind.Quantile, 'f', -1, 64))
	}
	var out []fragment
	for _, s := range sources {
		parts := p.parts()
		where := p.where([]schemas.IndicatorCode{s.of, s.over}, p.From)
		out = append(out, fragment{`SELECT q.1 AS slot, toString(q.2) AS value` + p.partNames() + ` FROM (
				SELECT arrayJoin(arrayZip(?, quantilesExactInclusive(` + strings.Join(quantiles[s], ", ") + `)(took))) AS q` + p.partNames() + ` FROM (
					SELECT sumIf(quantity, indicator = ?) AS cases, sumIf(quantity, indicator = ?) AS took` + parts.sql + `
					FROM ` + p.cut.tables.Postings() + ` INNER JOIN (
						SELECT kafka_partition AS case_partition, kafka_offset AS case_offset, case_key, source AS case_source FROM ` + p.cut.tables.Events() + ` WHERE case_kind = ? AND ` + p.cut.condition() + `
					) AS of_case ON kafka_partition = case_partition AND kafka_offset = case_offset
					WHERE ` + where.sql + ` GROUP BY case_source, case_key` + p.partNames() + ` HAVING cases > 0
				) GROUP BY ALL HAVING count() > 0
			)`, slices.Concat([]any{slots[s], string(s.over), string(s.of)}, parts.args, []any{string(s.kind)}, where.args)})
	}
	return out
}

// ask runs branches as one query. A row of the answer is a cell's text: a line for
// each value of its key, and one of its numbers, each of which is a slot and a value.
// A row of each number would take several times as long to read; and every query within
// a query takes the engine more than a millisecond to plan.
func (p *plan) ask(ctx context.Context, branches []fragment) ([]string, error) {
	if len(branches) == 0 {
		return nil, nil
	}
	var parts []string
	var args []any
	for _, b := range branches {
		parts, args = append(parts, b.sql+" LIMIT "+strconv.Itoa(maxNumbers+1)), append(args, b.args...)
	}
	row, groups := "arrayStringConcat(groupArray(concat(toString(slot), ' ', value)), ' ')", ""
	if keys := p.partNames(); keys != "" {
		row, groups = "concat("+strings.Join(p.partTexts(), `, '\n', `)+`, '\n', `+row+")", " GROUP BY "+strings.TrimPrefix(keys, ", ")
	}
	rows, err := p.w.strings(ctx, `SELECT `+row+` FROM (`+strings.Join(parts, "\nUNION ALL\n")+`)`+groups+` LIMIT `+strconv.Itoa(maxRows+1)+` SETTINGS max_query_size = 16777216`, args...)
	if len(rows) > maxRows {
		return nil, tooLarge()
	}
	return rows, err
}

func tooLarge() error {
	return schemas.Errorf(schemas.TooLarge, "the answer has more than %d rows; ask for fewer dimensions or a shorter range", maxRows)
}

// enter reads rows into cells.
func (p *plan) enter(rows []string) (map[string]*cell, error) {
	quantiles := map[int]bool{}
	for _, f := range p.figures {
		if f.Kind == schemas.Percentile {
			quantiles[f.slot] = true
		}
	}
	cells, numbers, entered := make(map[string]*cell, len(rows)), 0, 0
	for _, row := range rows {
		end := strings.LastIndexByte(row, '\n') + 1
		key, text := row[:end], row[end:]
		of, err := p.keyOf(key)
		if err != nil {
			return nil, unavailable("read statistics", err)
		}
		c := p.newCell(of)
		cells[key] = c
		for text != "" {
			var slot, value string
			slot, text, _ = strings.Cut(text, " ")
			value, text, _ = strings.Cut(text, " ")
			first, err := c.add(slot, value, quantiles)
			if err != nil {
				return nil, unavailable("read statistics", err)
			}
			if first {
				entered++
			}
			numbers++
		}
		if entered > maxRows || numbers > maxNumbers {
			return nil, tooLarge()
		}
	}
	return cells, nil
}

// keyOf is the combination of dimension values that lines hold.
func (p *plan) keyOf(lines string) ([]string, error) {
	if lines == "" {
		return nil, nil
	}
	key := strings.Split(strings.TrimSuffix(lines, "\n"), "\n")
	for i, d := range p.By {
		if at := len(key) - len(p.By) + i; d == ByFirm {
			var err error
			if key[at], err = strconv.Unquote(key[at]); err != nil {
				return nil, fmt.Errorf("firm %s: %w", key[at], err)
			}
		}
	}
	return key, nil
}

func (p *plan) newCell(key []string) *cell { return &cell{key: key, sums: make([]int64, len(p.slots))} }

// want makes a cell that an answer has even where there is nothing, unless it is there.
func (p *plan) want(cells map[string]*cell, lines string, key ...string) {
	if cells[lines] == nil {
		cells[lines] = p.newCell(key)
	}
}
