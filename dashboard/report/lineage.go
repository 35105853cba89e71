package report

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// sources lists the indicators whose postings make up the figures asked for:
// those of which all postings count, and those that count after their due day.
func (p *plan) sources() (all, due []schemas.IndicatorCode) {
	var add func(ind schemas.Indicator)
	add = func(ind schemas.Indicator) {
		switch {
		case ind.Kind == schemas.Overdue:
			due = append(due, ind.Of)
		case ind.Of == "":
			all = append(all, ind.Code)
		default:
			for _, source := range lookup(ind.Sources()...) {
				add(source)
			}
		}
	}
	for _, ind := range p.indicators {
		add(ind)
	}
	return once(all), once(due)
}

// behind is the postings behind the figures of the query, as a source with its
// condition: what stands behind FROM.
func (p *plan) behind() fragment {
	since := p.From
	for _, ind := range p.indicators {
		if ind.Kind == schemas.Stock {
			since, p.stock = 0, true
		}
	}
	all, due := p.sources()
	f := p.where(once(slices.Concat(all, due)), since)
	if len(due) > 0 {
		f.and(fragment{"(indicator IN ? OR due < ?)", []any{append([]string{""}, names(all)...), date(schemas.DayOf(p.asOf))}})
	}
	from := p.cut.tables.Postings() + " WHERE " + f.sql
	if !p.Standing {
		return fragment{from, f.args}
	}
	// What a case is left with is at the place of the first event that posted it.
	const about = "indicator, day, source, lawyer, mode, channel, person_role, organ, due"
	return fragment{`(SELECT ` + about + `, kafka_partition, first AS kafka_offset, left AS quantity FROM (
			SELECT ` + about + `, kafka_partition, min(kafka_offset) AS first, sum(quantity) AS left
			FROM ` + p.cut.tables.Postings() + ` INNER JOIN (
				SELECT kafka_partition AS case_partition, kafka_offset AS case_offset, case_kind, case_key FROM ` + p.cut.tables.Events() + `
				WHERE (kafka_partition, kafka_offset) IN (SELECT kafka_partition, kafka_offset FROM ` + from + `)
			) AS of_case ON kafka_partition = case_partition AND kafka_offset = case_offset
			WHERE ` + f.sql + ` GROUP BY ` + about + `, trigger, person, kafka_partition, case_kind, case_key HAVING left != 0
		)) WHERE true`, slices.Concat(f.args, f.args)}
}

// Postings lists what makes up the figures of q, by day and then by place in
// the log: limit postings from offset on.
func (w *Warehouse) Postings(ctx context.Context, scope Scope, q Query, offset, limit int) (PostingPage, error) {
	p, err := w.plan(ctx, scope, q)
	if err != nil {
		return PostingPage{}, err
	}
	if err := p.openable(); err != nil {
		return PostingPage{}, err
	}
	page := PostingPage{Cut: p.cut}
	behind := p.behind()
	if err := w.conn.QueryRow(ctx, `SELECT toInt64(count()), sum(quantity) FROM `+behind.sql, behind.args...).Scan(&page.Total, &page.Sum); err != nil {
		return PostingPage{}, unavailable("count postings", err)
	}
	page.Postings, err = p.postings(ctx, behind, `ORDER BY day, kafka_partition, kafka_offset, indicator LIMIT ? OFFSET ?`, limit, offset)
	if err != nil {
		return PostingPage{}, err
	}
	if next := offset + len(page.Postings); len(page.Postings) == limit && int64(next) < page.Total {
		page.Next = next
	}
	return page, nil
}

// eachPage is how many postings EachPosting holds at a time, and how many events
// are looked up at once. What stands is found anew for each page, so its pages
// are larger.
const (
	eachPage     = 20_000
	standingPage = 10 * eachPage
)

// EachPosting hands all postings behind the figures of q to do, by day and then
// by place in the log, and all of one cut.
func (w *Warehouse) EachPosting(ctx context.Context, scope Scope, q Query, do func(Posting) error) error {
	p, err := w.plan(ctx, scope, q)
	if err != nil {
		return err
	}
	if err := p.openable(); err != nil {
		return err
	}
	behind := p.behind()
	size := eachPage
	if q.Standing {
		size = standingPage
	}
	after := fragment{}
	for {
		from := fragment{behind.sql + after.sql, slices.Concat(behind.args, after.args)}
		// An event can have several postings on a day; they come in one page.
		page, err := p.postings(ctx, from, `ORDER BY day, kafka_partition, kafka_offset LIMIT ? WITH TIES`, size)
		if err != nil {
			return err
		}
		for _, x := range page {
			if err := do(x); err != nil {
				return err
			}
		}
		if len(page) < size {
			return nil
		}
		last := page[len(page)-1]
		after = fragment{" AND (day, kafka_partition, kafka_offset) > (toDate(?), ?, ?)", []any{date(last.Day), last.Partition, last.Offset}}
	}
}

// postings reads postings from a source with its condition, and joins each with
// its event.
func (p *plan) postings(ctx context.Context, from fragment, tail string, tailArgs ...any) ([]Posting, error) {
	leaf := p.leaf()
	query := `SELECT toString(indicator), day, quantity, ` + leaf.sql + ` AS reporting, toString(source), lawyer, toString(mode), toString(channel), toString(person_role), toString(organ), due, kafka_partition, kafka_offset
		FROM ` + from.sql + ` ` + tail
	rows, err := p.w.conn.Query(ctx, query, slices.Concat(leaf.args, from.args, tailArgs)...)
	if err != nil {
		return nil, unavailable("list postings", err)
	}
	defer rows.Close()
	out := []Posting{}
	for rows.Next() {
		var (
			x            Posting
			code, source string
			day, due     time.Time
			division     uint64
			lawyer       uint64
			partition    uint16
			place        uint64
		)
		if err := rows.Scan(&code, &day, &x.Quantity, &division, &source, &lawyer, &x.Mode, &x.Channel, &x.PersonRole, &x.Organ, &due, &partition, &place); err != nil {
			return nil, unavailable("list postings", err)
		}
		x.Indicator, x.Division = schemas.IndicatorCode(code), divisionOf(division)
		x.Day = schemas.Date(day.Date())
		if d := schemas.Date(due.Date()); d > 0 {
			x.Due = d.String()
		}
		x.Station = warehouse.SourceOf(source).Station
		x.Lawyer = schemas.Licence(lawyer).String()
		x.Partition, x.Offset = int(partition), int64(place)
		out = append(out, x)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("list postings", err)
	}
	for part := range slices.Chunk(out, eachPage) {
		if err := p.w.name(ctx, p.cut, part); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// name fills in the events of postings.
func (w *Warehouse) name(ctx context.Context, cut Cut, postings []Posting) error {
	byPlace := map[[2]int64][]int{}
	var places []string
	for i, x := range postings {
		at := [2]int64{int64(x.Partition), x.Offset}
		if len(byPlace[at]) == 0 {
			places = append(places, fmt.Sprintf("(%d,%d)", at[0], at[1]))
		}
		byPlace[at] = append(byPlace[at], i)
	}
	rows, err := w.conn.Query(ctx, `SELECT kafka_partition, kafka_offset, id, toString(type), time, recorded FROM `+cut.tables.Events()+`
		WHERE (kafka_partition, kafka_offset) IN (`+strings.Join(places, ",")+`) SETTINGS max_query_size = 16777216`)
	if err != nil {
		return unavailable("find the events behind postings", err)
	}
	defer rows.Close()
	for rows.Next() {
		var x Posting
		var partition uint16
		var place uint64
		if err := rows.Scan(&partition, &place, &x.Event, &x.Type, &x.Time, &x.Recorded); err != nil {
			return unavailable("find the events behind postings", err)
		}
		for _, i := range byPlace[[2]int64{int64(partition), int64(place)}] {
			p := &postings[i]
			p.Event, p.Type, p.Time, p.Recorded = x.Event, x.Type, x.Time, x.Recorded
		}
	}
	return rows.Err()
}

// Event opens one event.
func (w *Warehouse) Event(ctx context.Context, scope Scope, id schemas.EventID) (EventDetail, error) {
	notFound := schemas.Errorf(schemas.NotFound, "there is no event %s", id)
	r, cut, err := w.at(ctx, time.Time{})
	if err != nil {
		return EventDetail{}, err
	}
	from := `SELECT ` + warehouse.EventColumns + `, kafka_partition, kafka_offset FROM ` + cut.tables.Events() + ` WHERE ` + cut.condition()
	found, places, err := w.events(ctx, from+` AND id = ? ORDER BY kafka_partition, kafka_offset`, id.String())
	if err != nil {
		return EventDetail{}, err
	}
	if len(found) == 0 {
		return EventDetail{}, notFound
	}
	e, at := found[0], places[0]
	today := schemas.DayOf(w.now())
	seen := func(x schemas.Event) bool { return holds(scope, r, x.Source, schemas.DayOf(x.Time), today) }
	if !seen(e) {
		return EventDetail{}, notFound
	}
	history, _, err := w.events(ctx, from+` AND case_kind = ? AND case_key = ? AND source = ? AND kafka_partition = ? ORDER BY kafka_offset`, string(e.Case.Kind), e.Case.Key, e.Source.Key(), at[0])
	if err != nil {
		return EventDetail{}, err
	}
	if !open(scope, history) {
		return EventDetail{}, notFound
	}
	d := EventDetail{Event: e.Envelope(), Partition: int(at[0]), Offset: at[1], Places: len(found), Status: status(e, history)}
	for _, h := range history {
		if seen(h) {
			d.Case = append(d.Case, h.Envelope())
		}
	}
	p := &plan{Query: Query{Division: schemas.Province, To: math.MaxInt32, View: schemas.ViewThen}, w: w, scope: scope, cut: cut, asOf: w.now(), register: r}
	d.Postings, err = p.postings(ctx, fragment{cut.tables.Postings() + ` WHERE kafka_partition = ? AND kafka_offset = ? AND toYear(recorded) = toYear(fromUnixTimestamp64Milli(?, 'Asia/Shanghai'))`,
		[]any{at[0], at[1], e.Recorded.UnixMilli()}}, `ORDER BY indicator, day`)
	return d, err
}

// events reads events with their places in the log.
func (w *Warehouse) events(ctx context.Context, query string, args ...any) ([]schemas.Event, [][2]int64, error) {
	rows, err := w.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, nil, unavailable("find an event", err)
	}
	defer rows.Close()
	var events []schemas.Event
	var places [][2]int64
	for rows.Next() {
		var partition uint16
		var place uint64
		e, err := warehouse.ScanEvent(rows, &partition, &place)
		if err != nil {
			return nil, nil, err
		}
		events, places = append(events, e), append(places, [2]int64{int64(partition), int64(place)})
	}
	if err := rows.Err(); err != nil {
		return nil, nil, unavailable("find an event", err)
	}
	return events, places, nil
}

// status is what became of e in its case.
func status(e schemas.Event, history []schemas.Event) string {
	if e.Type.Meta() {
		return e.Type.Verb
	}
	for _, x := range schemas.Effective(history) {
		if x.ID != e.ID {
			continue
		}
		if string(x.Data) != string(e.Data) || !x.Time.Equal(e.Time) {
			return "amended"
		}
		return "effective"
	}
	return "void"
}
