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

// maxRows bounds an answer; a question that would give more is refused.
const maxRows = 200_000

// Statistics answers q within scope.
func (w *Warehouse) Statistics(ctx context.Context, scope Scope, q Query) (Statistics, error) {
	p, err := w.plan(ctx, scope, q)
	if err != nil {
		return Statistics{}, err
	}
	cells, err := p.ask(ctx, slices.Concat(p.sums(), p.distinct(), p.percentiles(), p.stocks()))
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
			at(cells, []string{strconv.Itoa(k)})
		}
	default:
		at(cells, nil)
	}
	for _, c := range cells {
		row := Row{Key: c.key, Values: make([]*float64, len(p.indicators))}
		values := make([]float64, len(p.indicators)) // a row's values lie together: there are many
		empty := true
		for i := range p.indicators {
			ind := &p.indicators[i]
			if v, ok := c.value(ind); ok && p.shows(ind.Code, v) {
				values[i], row.Values[i] = v, &values[i]
				empty = empty && v == 0 && !ind.Divided()
			}
		}
		if !empty || len(q.By) == 0 { // corrections may have taken all of it away
			out.Rows = append(out.Rows, row)
		}
	}
	slices.SortFunc(out.Rows, func(a, b Row) int { return slices.Compare(a.Key, b.Key) })
	return out, nil
}

// cell is one combination of dimension values with what was summed for it, by the
// slot of the indicator.
type cell struct {
	key       []string
	sums      []int64
	quantiles map[schemas.IndicatorCode]float64
}

// slots are the places of all indicators in a cell.
var slots = func() map[schemas.IndicatorCode]int {
	out := map[schemas.IndicatorCode]int{}
	for i, ind := range schemas.Indicators.All() {
		out[ind.Code] = i
	}
	return out
}()

// add puts a number in: the figure and its value, which is a whole one but for
// quantiles.
func (c *cell) add(number string, quantiles []schemas.IndicatorCode) (err error) {
	figure, value, _ := strings.Cut(number, " ")
	code := schemas.IndicatorCode(figure)
	if slices.Contains(quantiles, code) {
		c.quantiles[code], err = strconv.ParseFloat(value, 64)
		return err
	}
	slot, ok := slots[code]
	if !ok {
		return fmt.Errorf("indicator %q is not in the catalogue", code)
	}
	n, err := strconv.ParseInt(value, 10, 64)
	c.sums[slot] += n
	return err
}

// value is the cell's figure of an indicator; ok is false where it is not available.
func (c *cell) value(ind *schemas.Indicator) (_ float64, ok bool) {
	if ind.Kind == schemas.Percentile {
		v, ok := c.quantiles[ind.Code]
		return v, ok
	}
	v := float64(c.sums[slots[ind.Code]])
	if ind.Divided() {
		over := c.sums[slots[ind.Over]]
		if over == 0 {
			return 0, false
		}
		v = float64(c.sums[slots[ind.Of]]) / float64(over)
		if ind.Rest {
			v = float64(over-c.sums[slots[ind.Of]]) / float64(over)
		}
	}
	return v / float64(max(ind.Parts, 1)), true
}

// plan is a query that has been checked, with its cut and register.
type plan struct {
	Query
	w          *Warehouse
	scope      Scope
	indicators []schemas.Indicator
	cut        Cut
	asOf       time.Time
	register   *register
	stock      bool   // while stocks are asked for
	ends       []int  // of which of the ranges, while stocks are asked for
	dayAs      string // the SQL of a posting's day where it is not day
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
	p := &plan{Query: q, w: w, scope: scope, asOf: q.AsOf}
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
		p.indicators = append(p.indicators, ind)
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

// Each kind of figure has its own way to be counted: its branches, whose rows
// are the indicator, the key, a sum, and a quantile. All branches of a question
// are one query.

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
		out = append(out, p.sum(slices.Sorted(maps.Keys(codes)), nil, p.From, fragment{}))
	}
	if len(overdue) > 0 {
		passed := fragment{"due < ?", []any{date(schemas.DayOf(p.asOf))}}
		out = append(out, p.sum(slices.Sorted(maps.Keys(overdue)), overdue, p.From, passed))
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
		return []fragment{stock.sum(codes, nil, 0, fragment{})}
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
		out = append(out, stock.sum(codes, nil, 0, fragment{}))
	}
	return out
}

// sum adds the postings of some indicators; as renames them in the answer.
func (p *plan) sum(codes []schemas.IndicatorCode, as map[schemas.IndicatorCode]schemas.IndicatorCode, from schemas.Day, extra fragment) fragment {
	name, parts := figureOf(codes, as), p.on("on_day").parts()
	monthly := extra.sql == "" && p.monthly()
	var reads []string
	var args []any
	for _, r := range readings(from, p.To, schemas.DayOf(p.asOf), monthly) {
		read := p.read(codes, r, extra, monthly)
		reads, args = append(reads, read.sql), append(args, read.args...)
	}
	return fragment{`SELECT ` + number(name.sql, "sum(n)") + parts.sql + ` FROM (` + strings.Join(reads, "\nUNION ALL\n") + `) GROUP BY indicator` + p.partNames(),
		slices.Concat(name.args, parts.args, args)}
}

// number is a figure and its value as a text.
func number(figure, value string) string {
	return `concat(` + figure + `, ' ', toString(` + value + `)) AS number`
}

// figureOf is the figure that a posting counts in: its indicator, or what as
// makes of that.
func figureOf(codes []schemas.IndicatorCode, as map[schemas.IndicatorCode]schemas.IndicatorCode) fragment {
	if as == nil {
		return fragment{sql: "toString(indicator)"}
	}
	figures := make([]string, len(codes))
	for i, code := range codes {
		figures[i] = string(as[code])
	}
	if one := figures[0]; !slices.ContainsFunc(figures, func(f string) bool { return f != one }) {
		return fragment{"?", []any{one}}
	}
	return fragment{"transform(toString(indicator), ?, ?, '')", []any{names(codes), figures}}
}

// distinct counts different persons, or lawyers: those for whom the postings of
// the range, of all that the figure is computed from, do not cancel out. What is
// left of a case is never less than nothing, so no case hides another. Figures of
// the same postings, and of persons and lawyers, are apart.
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
		figure, parts, where := figureOf(b.codes, b.as), p.parts(), p.where(b.codes, p.From)
		out = append(out, fragment{`SELECT ` + number("figure", "countIf(n > 0)") + p.partNames() + ` FROM (
				SELECT ` + figure.sql + ` AS figure, ` + who + ` AS who, sum(quantity) AS n` + parts.sql + ` FROM ` + p.cut.tables.Postings() + ` WHERE who != 0 AND ` + where.sql + ` GROUP BY figure, who` + p.partNames() + `
			) GROUP BY figure` + p.partNames(), slices.Concat(figure.args, parts.args, where.args)})
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
	figures, quantiles := map[source][]string{}, map[source][]string{}
	for _, ind := range p.indicators {
		if ind.Kind != schemas.Percentile {
			continue
		}
		s := source{ind.Of, ind.Over, ind.Case}
		if figures[s] == nil {
			sources = append(sources, s)
		}
		figures[s], quantiles[s] = append(figures[s], string(ind.Code)), append(quantiles[s], strconv.FormatFloat(ind.Quantile, 'f', -1, 64))
	}
	var out []fragment
	for _, s := range sources {
		parts := p.parts()
		where := p.where([]schemas.IndicatorCode{s.of, s.over}, p.From)
		out = append(out, fragment{`SELECT ` + number("q.1", "q.2") + p.partNames() + ` FROM (
				SELECT arrayJoin(arrayZip(?, quantilesExactInclusive(` + strings.Join(quantiles[s], ", ") + `)(took))) AS q` + p.partNames() + ` FROM (
					SELECT sumIf(quantity, indicator = ?) AS cases, sumIf(quantity, indicator = ?) AS took` + parts.sql + `
					FROM ` + p.cut.tables.Postings() + ` INNER JOIN (
						SELECT kafka_partition AS case_partition, kafka_offset AS case_offset, case_key, source AS case_source FROM ` + p.cut.tables.Events() + ` WHERE case_kind = ? AND ` + p.cut.condition() + `
					) AS of_case ON kafka_partition = case_partition AND kafka_offset = case_offset
					WHERE ` + where.sql + ` GROUP BY case_source, case_key` + p.partNames() + ` HAVING cases > 0
				) GROUP BY ALL HAVING count() > 0
			)`, slices.Concat([]any{figures[s], string(s.over), string(s.of)}, parts.args, []any{string(s.kind)}, where.args)})
	}
	return out
}

// ask runs branches as one query and gathers their rows.
func (p *plan) ask(ctx context.Context, branches []fragment) (map[string]*cell, error) {
	cells := map[string]*cell{}
	if len(branches) == 0 {
		return cells, nil
	}
	var quantiles []schemas.IndicatorCode
	for _, ind := range p.indicators {
		if ind.Kind == schemas.Percentile {
			quantiles = append(quantiles, ind.Code)
		}
	}
	var parts []string
	var args []any
	for _, b := range branches {
		parts, args = append(parts, b.sql), append(args, b.args...)
	}
	// All numbers of a key come as one text, since reading a row costs far more than
	// reading a number. The readings of a sum are of one snapshot of the table.
	rows, err := p.w.conn.Query(ctx, `SELECT `+p.partKeys()+` AS key, arrayStringConcat(groupArray(number), '\n') FROM (`+strings.Join(parts, "\nUNION ALL\n")+`) GROUP BY ALL HAVING count() > 0 LIMIT ?
		SETTINGS enable_shared_storage_snapshot_in_query = 1, max_query_size = 16777216`, append(args, maxRows+1)...)
	if err != nil {
		return nil, unavailable("ask for statistics", err)
	}
	defer rows.Close()
	for count := 0; rows.Next(); {
		var key []string
		var numbers string
		if err := rows.Scan(&key, &numbers); err != nil {
			return nil, unavailable("ask for statistics", err)
		}
		c := at(cells, key)
		for number := range strings.SplitSeq(numbers, "\n") {
			if count++; count > maxRows {
				return nil, schemas.Errorf(schemas.TooLarge, "the answer has more than %d rows; ask for fewer dimensions or a shorter range", maxRows)
			}
			if err := c.add(number, quantiles); err != nil {
				return nil, unavailable("ask for statistics", err)
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("ask for statistics", err)
	}
	return cells, nil
}

func at(cells map[string]*cell, key []string) *cell {
	k := strings.Join(key, "\x00")
	c, ok := cells[k]
	if !ok {
		c = &cell{key, make([]int64, len(slots)), map[schemas.IndicatorCode]float64{}}
		cells[k] = c
	}
	return c
}
