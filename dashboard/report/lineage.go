package report

import (
	"context"
	"fmt"
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
			for _, code := range []schemas.IndicatorCode{ind.Of, ind.Over} {
				if code != "" {
					add(lookup(code)[0])
				}
			}
		}
	}
	for _, ind := range p.indicators {
		add(ind)
	}
	return once(all), once(due)
}

// behind selects the postings behind the figures of the query.
func (p *plan) behind() fragment {
	from := p.From
	for _, ind := range p.indicators {
		if ind.Kind == schemas.Stock {
			from, p.stock = 0, true
		}
	}
	all, due := p.sources()
	f := p.where(once(slices.Concat(all, due)), from)
	if len(due) > 0 {
		f.and(fragment{"(indicator IN ? OR due < ?)", []any{append([]string{""}, names(all)...), date(schemas.DayOf(p.asOf))}})
	}
	return f
}

// Postings lists what makes up the figures of q, by day and then by place in
// the log: limit postings from offset on.
func (w *Warehouse) Postings(ctx context.Context, scope Scope, q Query, offset, limit int) (PostingPage, error) {
	p, err := w.plan(ctx, scope, q)
	if err != nil {
		return PostingPage{}, err
	}
	page := PostingPage{Cut: p.cut}
	where := p.behind()
	if err := w.conn.QueryRow(ctx, `SELECT toInt64(count()), sum(quantity) FROM `+p.cut.tables.Postings()+` WHERE `+where.sql, where.args...).Scan(&page.Total, &page.Sum); err != nil {
		return PostingPage{}, unavailable("count postings", err)
	}
	page.Postings, err = p.postings(ctx, where, `ORDER BY day, kafka_partition, kafka_offset, indicator LIMIT ? OFFSET ?`, limit, offset)
	if err != nil {
		return PostingPage{}, err
	}
	if next := offset + len(page.Postings); len(page.Postings) == limit && int64(next) < page.Total {
		page.Next = next
	}
	return page, nil
}

// postings reads postings and joins each with its event.
func (p *plan) postings(ctx context.Context, where fragment, tail string, tailArgs ...any) ([]Posting, error) {
	leaf := p.leaf()
	query := `SELECT toString(indicator), day, quantity, ` + leaf.sql + ` AS reporting, toString(source), lawyer, toString(mode), toString(channel), toString(person_role), toString(organ), due, kafka_partition, kafka_offset
		FROM ` + p.cut.tables.Postings() + ` WHERE ` + where.sql + ` ` + tail
	rows, err := p.w.conn.Query(ctx, query, slices.Concat(leaf.args, where.args, tailArgs)...)
	if err != nil {
		return nil, unavailable("list postings", err)
	}
	defer rows.Close()
	out := []Posting{}
	for rows.Next() {
		var (
			x                      Posting
			code, division, source string
			day, due               time.Time
			lawyer                 uint64
			partition              uint16
			place                  uint64
		)
		if err := rows.Scan(&code, &day, &x.Quantity, &division, &source, &lawyer, &x.Mode, &x.Channel, &x.PersonRole, &x.Organ, &due, &partition, &place); err != nil {
			return nil, unavailable("list postings", err)
		}
		x.Indicator, x.Division = schemas.IndicatorCode(code), schemas.DivisionCode(division)
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
	return out, p.w.name(ctx, p.cut, out)
}

// name fills in the events of postings.
func (w *Warehouse) name(ctx context.Context, cut Cut, postings []Posting) error {
	if len(postings) == 0 {
		return nil
	}
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
	reporting := e.Source.Division
	if e.Source.Station != "" {
		reporting = r.station(e.Source.Station).Reporting
	}
	if scope.admits(reporting) != nil || scope.Station != "" && scope.Station != e.Source.Station {
		return EventDetail{}, notFound
	}
	history, _, err := w.events(ctx, from+` AND case_kind = ? AND case_key = ? AND kafka_partition = ? ORDER BY kafka_offset`, string(e.Case.Kind), e.Case.Key, at[0])
	if err != nil {
		return EventDetail{}, err
	}
	d := EventDetail{Event: e.Envelope(), Partition: int(at[0]), Offset: at[1], Places: len(found), Status: status(e, history)}
	for _, h := range history {
		d.Case = append(d.Case, h.Envelope())
	}
	p := &plan{Query: Query{Division: schemas.Province, View: schemas.ViewThen}, w: w, scope: scope, cut: cut, asOf: w.now(), register: r}
	d.Postings, err = p.postings(ctx, fragment{`kafka_partition = ? AND kafka_offset = ? AND toYear(recorded) = toYear(fromUnixTimestamp64Milli(?, 'Asia/Shanghai'))`,
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
