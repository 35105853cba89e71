package report

import (
	"context"
	"slices"
	"strings"
	"time"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// EffectiveEvents are events as they count now: after their corrections, and
// without those that were voided.
type EffectiveEvents struct {
	Cut    Cut                `json:"cut"`
	Events []schemas.Envelope `json:"events"` // by id
}

// EffectiveEvents finds those of the events with these ids that count. An id
// that is not in the log, is out of scope or was voided is not in the answer.
func (w *Warehouse) EffectiveEvents(ctx context.Context, scope Scope, ids []schemas.EventID) (EffectiveEvents, error) {
	r, cut, err := w.at(ctx, time.Time{})
	if err != nil {
		return EffectiveEvents{}, err
	}
	asked := make(map[schemas.EventID]bool, len(ids))
	for _, id := range ids {
		asked[id] = true
	}
	// A file is in one partition, so its kind and key find all of it.
	from := ` FROM ` + cut.tables.Events() + ` WHERE ` + cut.condition()
	events, _, err := w.events(ctx, `SELECT `+warehouse.EventColumns+`, kafka_partition, kafka_offset`+from+`
		AND case_key IN (SELECT case_key`+from+` AND id IN (?)) ORDER BY kafka_partition, kafka_offset SETTINGS max_query_size = 16777216`, ids)
	if err != nil {
		return EffectiveEvents{}, err
	}
	out := EffectiveEvents{Cut: cut, Events: []schemas.Envelope{}}
	for _, history := range byFile(events) {
		if !open(scope, history) {
			continue
		}
		for _, e := range schemas.Effective(history) {
			if asked[e.ID] && holds(scope, r, e.Source, schemas.DayOf(e.Time), schemas.DayOf(w.now())) {
				out.Events = append(out.Events, e.Envelope())
			}
		}
	}
	slices.SortFunc(out.Events, func(a, b schemas.Envelope) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// mostEffective bounds the events of one answer.
const mostEffective = 20_000

// EffectiveEventsOf lists the events of a station or division and a kind of case
// that count and happened on the days from to to.
func (w *Warehouse) EffectiveEventsOf(ctx context.Context, scope Scope, source schemas.Source, kind schemas.CaseKind, from, to schemas.Day) (EffectiveEvents, error) {
	r, cut, err := w.at(ctx, time.Time{})
	if err != nil {
		return EffectiveEvents{}, err
	}
	today := schemas.DayOf(w.now())
	if !holds(scope, r, source, from, today) && !holds(scope, r, source, to, today) {
		return EffectiveEvents{}, schemas.Errorf(schemas.NotFound, "there is no station or division %s", source.Key())
	}
	files, err := w.files(ctx, cut, []string{source.Key()}, kind, from, to)
	if err != nil {
		return EffectiveEvents{}, err
	}
	out := EffectiveEvents{Cut: cut, Events: []schemas.Envelope{}}
	for _, history := range files {
		if !open(scope, history) {
			continue
		}
		for _, e := range schemas.Effective(history) {
			if day := schemas.DayOf(e.Time); from <= day && day <= to && holds(scope, r, e.Source, day, today) {
				out.Events = append(out.Events, e.Envelope())
			}
		}
	}
	if len(out.Events) > mostEffective {
		return EffectiveEvents{}, schemas.Errorf(schemas.TooLarge, "%d events are more than the %d of one answer; ask for fewer days", len(out.Events), mostEffective)
	}
	slices.SortFunc(out.Events, func(a, b schemas.Envelope) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// files are the histories, whole, of the cases of some sources that have an event
// on the days from to to, or may have one after their corrections.
func (w *Warehouse) files(ctx context.Context, cut Cut, sources []string, kind schemas.CaseKind, from, to schemas.Day) (map[schemas.File][]schemas.Event, error) {
	if len(sources) == 0 {
		return nil, nil
	}
	// A correction may have brought an event into these days, whenever either was
	// made: so cases with one are looked at whole.
	of := ` FROM ` + cut.tables.Events() + ` WHERE case_kind = ? AND source IN (?) AND ` + cut.condition()
	events, _, err := w.events(ctx, `SELECT `+warehouse.EventColumns+`, kafka_partition, kafka_offset`+of+` AND case_key IN (SELECT case_key`+of+`
		AND (time >= fromUnixTimestamp64Milli(?) AND time < fromUnixTimestamp64Milli(?) OR endsWith(type, '.corrected.v1'))) ORDER BY kafka_partition, kafka_offset`,
		string(kind), sources, string(kind), sources, from.Start().UnixMilli(), (to + 1).Start().UnixMilli())
	return byFile(events), err
}

// byFile sorts events into the histories of their files, which keep the order.
func byFile(events []schemas.Event) map[schemas.File][]schemas.Event {
	files := map[schemas.File][]schemas.Event{}
	for _, e := range events {
		files[e.File()] = append(files[e.File()], e)
	}
	return files
}
