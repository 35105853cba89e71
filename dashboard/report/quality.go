package report

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// Quality finds what is wrong with the records of q's division and days; By,
// Indicators and Filter of q have no part in it. When list names a finding, up
// to limit of its items from offset on are in the answer.
//
// A finding is about events as they count. The engine counts late entries, times
// ahead and repeats, of which a ledger entered afterwards has as many as lines; it
// passes on the cases that were mended or that look wrong, and [faultsOf] judges
// those.
func (w *Warehouse) Quality(ctx context.Context, scope Scope, q Query, list FindingCode, offset, limit int) (Quality, error) {
	kinds := FindingKinds()
	if list != "" && !slices.ContainsFunc(kinds, func(k FindingKind) bool { return k.Code == list }) {
		return Quality{}, schemas.Errorf(schemas.Invalid, "%q is not a finding", list)
	}
	q.By, q.Filter, q.Indicators = []Dimension{ByDivision}, nil, nil
	for _, k := range kinds {
		if k.Indicator != "" {
			q.Indicators = append(q.Indicators, k.Indicator)
		}
	}
	p, err := w.plan(ctx, scope, q)
	if err != nil {
		return Quality{}, err
	}
	a := &audit{plan: p, list: list, want: offset + limit, found: map[FindingCode]*found{}}
	out := Quality{Cut: p.cut, AsOf: p.asOf.In(schemas.Shanghai), Division: p.Division, From: p.From, To: p.To, View: p.View}
	for _, k := range kinds {
		a.found[k.Code] = &found{divisions: map[schemas.DivisionCode]int64{}}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(overviewParallel)
	var folded []fault
	g.Go(func() (err error) { folded, err = a.fold(ctx); return err })
	g.Go(func() error { return a.singles(ctx) })
	g.Go(func() error { return a.unregistered(ctx, UnregisteredStations) })
	g.Go(func() error { return a.unregistered(ctx, UnregisteredLawyers) })
	g.Go(func() error { return a.indicators(ctx) })
	g.Go(func() error { return a.lag(ctx, &out) })
	if err := g.Wait(); err != nil {
		return Quality{}, err
	}
	a.add(folded)
	for _, k := range kinds {
		f := Finding{FindingKind: k, Count: a.found[k.Code].count, Divisions: []DivisionCount{}}
		for _, code := range slices.Sorted(maps.Keys(a.found[k.Code].divisions)) {
			f.Divisions = append(f.Divisions, DivisionCount{code, a.found[k.Code].divisions[code]})
		}
		out.Findings = append(out.Findings, f)
	}
	if list != "" {
		out.List = a.found[list].page(list, offset, limit)
	}
	return out, nil
}

// audit is one question after the quality of records.
type audit struct {
	*plan
	list  FindingCode
	want  int // how many items of the list the engine has to give
	found map[FindingCode]*found
}

// found is what was found of one kind. Each query has its own, so none waits
// for another.
type found struct {
	count     int64
	divisions map[schemas.DivisionCode]int64
	items     []FindingItem
}

func (f *found) page(code FindingCode, offset, limit int) *FindingPage {
	slices.SortFunc(f.items, func(a, b FindingItem) int {
		return cmp.Or(b.Recorded.Compare(a.Recorded), strings.Compare(a.Event.String(), b.Event.String()))
	})
	page := &FindingPage{Finding: code, Items: []FindingItem{}}
	if from := min(offset, len(f.items)); from < len(f.items) {
		page.Items = f.items[from:min(from+limit, len(f.items))]
	}
	if next := offset + len(page.Items); len(page.Items) == limit && int64(next) < f.count {
		page.Next = next
	}
	return page
}

// from is the log up to the cut.
func (a *audit) from() string {
	return ` FROM ` + a.cut.tables.Events() + ` WHERE ` + a.cut.condition() + openEvents(a.scope)
}

// here selects what reports to the division asked for on a row's day, and is in
// scope.
func (a *audit) here() fragment {
	f := fragment{sql: "true"}
	if a.Division != schemas.Province && a.scope.Station == "" {
		var within []uint64
		for _, d := range schemas.Divisions.All() {
			if schemas.Divisions.Within(d.Code, a.Division) {
				within = append(within, divisionNumber(d.Code))
			}
		}
		leaf := a.leaf()
		f.and(fragment{leaf.sql + " IN ?", append(leaf.args, within)})
	}
	if a.scope.Station != "" {
		f.and(fragment{"source = ?", []any{string(a.scope.Station)}})
	}
	return f
}

// alone are the findings that the engine makes of single events.
var alone = []FindingCode{LateEntry, AheadOfRecording, Repeated}

// rows are the findings that an event alone tells, each with its code and the
// day that it belongs to. An event that the log holds several times is as it
// came first; those of mended cases are judged by hand, but for being repeated.
func (a *audit) rows() fragment {
	seconds := func(d time.Duration) int { return int(d.Seconds()) }
	late := fragment{fmt.Sprintf("recorded > time + INTERVAL %d SECOND AND type IN ?", seconds(schemas.LateEntryAfter)), []any{typesOf(onTheSpot)}}
	early := fragment{fmt.Sprintf("time > recorded + INTERVAL %d SECOND AND NOT type IN ?", seconds(ahead)), []any{typesOf((*schemas.EventType).Meta)}}
	f := fragment{`SELECT id, type, source, time, recorded, data, places, arrayJoin(arrayFilter(x -> x.1 != '', [
			(if(NOT mended AND ` + late.sql + `, '` + string(LateEntry) + `', ''), toDate(time)),
			(if(NOT mended AND ` + early.sql + `, '` + string(AheadOfRecording) + `', ''), toDate(recorded)),
			(if(places > 1, '` + string(Repeated) + `', ''), toDate(time))])) AS finding, finding.1 AS code, finding.2 AS day
		FROM (
			SELECT id, argMin(t, at) AS type, argMin(s, at) AS source, argMin(happened, at) AS time, argMin(entered, at) AS recorded, argMin(d, at) AS data, argMin(m, at) AS mended, toInt64(count()) AS places
			FROM (
				SELECT id, toString(type) AS t, toString(source) AS s, time AS happened, recorded AS entered, data AS d, (kafka_partition, kafka_offset) AS at,
					(case_kind, case_key, source) IN (SELECT case_kind, case_key, source` + a.from() + ` AND type IN ?) AS m` +
		a.from() + ` AND (` + late.sql + ` OR ` + early.sql + ` OR id IN (SELECT id` + a.from() + ` GROUP BY id HAVING count() > 1)))
			GROUP BY id)`,
		slices.Concat(late.args, early.args, early.args, late.args, early.args)} // the types of corrections are those that mend
	f.sql = `SELECT * FROM (` + f.sql + `) WHERE true`
	f.and(fragment{"day >= ? AND day <= ?", []any{date(a.From), date(a.To)}})
	f.and(a.here())
	return f
}

// singles counts what events alone tell, and lists it when it is asked for.
func (a *audit) singles(ctx context.Context) error {
	rows, child := a.rows(), a.child()
	counts, err := a.w.conn.Query(ctx, `SELECT code, `+child.sql+` AS division, toInt64(count()) FROM (`+rows.sql+`) GROUP BY code, division`, slices.Concat(child.args, rows.args)...)
	if err != nil {
		return unavailable("count findings", err)
	}
	defer counts.Close()
	for counts.Next() {
		var code string
		var division uint64
		var n int64
		if err := counts.Scan(&code, &division, &n); err != nil {
			return unavailable("count findings", err)
		}
		into := a.found[FindingCode(code)]
		into.count += n
		into.divisions[divisionOf(division)] = n
	}
	if err := counts.Err(); err != nil {
		return unavailable("count findings", err)
	}
	if !slices.Contains(alone, a.list) {
		return nil
	}
	return a.items(ctx, a.found[a.list], rows)
}

func (a *audit) items(ctx context.Context, into *found, rows fragment) error {
	leaf := a.leaf()
	items, err := a.w.conn.Query(ctx, `SELECT id, toString(type), toString(source), time, recorded, JSONExtractString(data, 'lawyer'), places, `+leaf.sql+`
		FROM (`+rows.sql+`) WHERE code = ? ORDER BY recorded DESC, toString(id) LIMIT ?`, slices.Concat(leaf.args, rows.args, []any{string(a.list), a.want})...)
	if err != nil {
		return unavailable("list findings", err)
	}
	defer items.Close()
	for items.Next() {
		var x FindingItem
		var source string
		var division uint64
		var places int64
		if err := items.Scan(&x.Event, &x.Type, &source, &x.Time, &x.Recorded, &x.Lawyer, &places, &division); err != nil {
			return unavailable("list findings", err)
		}
		if a.list == Repeated {
			x.Places = int(places)
		}
		x.Station, x.Division = warehouse.SourceOf(source).Station, divisionOf(division)
		into.items = append(into.items, x)
	}
	if err := items.Err(); err != nil {
		return unavailable("list findings", err)
	}
	return nil
}

// unregistered finds the stations or lawyers that have figures in the range and
// are not in the register; each with its newest posting's event.
func (a *audit) unregistered(ctx context.Context, code FindingCode) error {
	who := fragment{sql: "toString(source)"}
	codes := schemas.Indicators.Postable()
	if !a.scope.SmallCells {
		codes = slices.DeleteFunc(slices.Clone(codes), func(c schemas.IndicatorCode) bool { return slices.Contains(tellingIndicators, c) })
	}
	where := a.where(codes, a.From)
	if code == UnregisteredStations {
		where.and(fragment{sql: "position(source, '-') > 0"})
		if known := slices.Sorted(maps.Keys(a.register.stations)); len(known) > 0 {
			where.and(fragment{"source NOT IN ?", []any{known}})
		}
	} else {
		who.sql = "leftPad(toString(lawyer), 17, '0')"
		where.and(fragment{sql: "lawyer != 0"})
		var known []uint64
		for l := range a.register.lawyers {
			if n, err := schemas.ParseLicence(l); err == nil {
				known = append(known, uint64(n))
			}
		}
		if len(known) > 0 {
			where.and(fragment{"lawyer NOT IN ?", []any{known}})
		}
	}
	child := a.child()
	rows, err := a.w.conn.Query(ctx, `SELECT who, division, kafka_partition, max(newest), argMax(of, newest) FROM (
			SELECT `+who.sql+` AS who, `+child.sql+` AS division, indicator, kafka_partition, sum(quantity) AS q, max(kafka_offset) AS newest, argMax(toString(source), kafka_offset) AS of
			FROM `+a.cut.tables.Postings()+` WHERE `+where.sql+` GROUP BY who, division, indicator, kafka_partition HAVING q != 0)
		GROUP BY who, division, kafka_partition ORDER BY who, division, kafka_partition`, slices.Concat(child.args, where.args)...)
	if err != nil {
		return unavailable("look for who is not registered", err)
	}
	defer rows.Close()
	into := a.found[code]
	var newest []Posting // of each, in each partition
	var whose []string
	lastKey, lastDivision := "", uint64(0)
	for rows.Next() {
		var key, source string
		var division uint64
		var partition uint16
		var place uint64
		if err := rows.Scan(&key, &division, &partition, &place, &source); err != nil {
			return unavailable("look for who is not registered", err)
		}
		if key != lastKey {
			into.count++
		}
		if key != lastKey || division != lastDivision {
			into.divisions[divisionOf(division)]++
		}
		lastKey, lastDivision = key, division
		newest = append(newest, Posting{Partition: int(partition), Offset: int64(place), Station: warehouse.SourceOf(source).Station})
		whose = append(whose, key)
	}
	if err := rows.Err(); err != nil {
		return unavailable("look for who is not registered", err)
	}
	if a.list != code || len(newest) == 0 {
		return nil
	}
	if err := a.w.name(ctx, a.cut, newest); err != nil {
		return err
	}
	// The partitions have no common order: which is the newest, their events tell.
	for i := 0; i < len(newest); {
		x, key := newest[i], whose[i]
		for ; i < len(newest) && whose[i] == key; i++ {
			if newest[i].Recorded.After(x.Recorded) {
				x = newest[i]
			}
		}
		item := FindingItem{Event: x.Event, Type: x.Type, Time: x.Time, Recorded: x.Recorded, Station: x.Station,
			Division: a.reporting(schemas.Source{Station: x.Station, Division: x.Station.Division()}, schemas.DayOf(x.Time))}
		if code == UnregisteredLawyers {
			item.Lawyer = key
		}
		into.items = append(into.items, item)
	}
	return nil
}

// indicators counts what figures count already.
func (a *audit) indicators(ctx context.Context) error {
	q := a.Query
	q.Cut = a.cut
	st, err := a.w.Statistics(ctx, a.scope, q)
	if err != nil {
		return err
	}
	for _, row := range st.Rows {
		for _, code := range q.Indicators {
			if n := int64(st.Value(row, code)); n != 0 {
				into := a.found[FindingCode(code)]
				into.count += n
				into.divisions[schemas.DivisionCode(row.Key[0])] = n
			}
		}
	}
	return nil
}

// lag tells how far the log has come at the cut, and how much of it is parked.
func (a *audit) lag(ctx context.Context, out *Quality) error {
	t, in := a.cut.tables, a.cut.condition()
	err := a.w.conn.QueryRow(ctx, `SELECT
		(SELECT max(recorded)`+a.from()+`),
		(SELECT max(projected) FROM (SELECT kafka_partition, first_offset AS kafka_offset, projected FROM `+t.Batches()+`) WHERE `+in+`)`).
		Scan(&out.Recorded, &out.Projected)
	if err != nil {
		return unavailable("ask how far the log has come", err)
	}
	if a.found[ParkedEvents].count, err = a.w.parkedIn(ctx, inquiry{scope: a.scope, cut: a.cut}, Home(a.scope)); err != nil {
		return err
	}
	if out.Recorded.Unix() == 0 { // the maximum of nothing
		out.Recorded, out.Projected = time.Time{}, time.Time{}
	}
	return nil
}

// fold judges the cases that were mended, and those that look wrong to the
// engine, which sees events as recorded.
func (a *audit) fold(ctx context.Context) ([]fault, error) {
	var firsts, later []string
	for kind, c := range courses {
		firsts = append(firsts, typesOf(func(t *schemas.EventType) bool { return t.Case == kind && t.Verb == c.first })...)
		later = append(later, typesOf(func(t *schemas.EventType) bool { return t.Case == kind && slices.Contains(c.later, t.Verb) })...)
	}
	mends := typesOf((*schemas.EventType).Meta)
	suspects := fragment{`SELECT case_kind, case_key, source` + a.from() + ` AND type IN ? GROUP BY case_kind, case_key, source
		HAVING countIf(type IN ?) > 0 OR countIf(type IN ?) > 0 AND (countIf(type IN ?) = 0 OR minIf(time, type IN ?) < maxIf(time, type IN ?))`,
		[]any{slices.Concat(firsts, later, mends), mends, later, firsts, later, firsts}}
	for _, r := range references {
		ref := `lower(JSONExtractString(data, '` + r.field + `'))`
		suspects.sql += ` UNION ALL SELECT case_kind, case_key, source` + a.from() + ` AND case_kind = ? AND ` + ref + ` != ''
			AND ` + ref + ` NOT IN (SELECT case_key` + a.from() + ` AND case_kind = ?)`
		suspects.args = append(suspects.args, string(r.kind), string(r.to))
	}
	events, _, err := a.w.events(ctx, `SELECT `+warehouse.EventColumns+`, kafka_partition, kafka_offset`+a.from()+` AND (case_kind, case_key, source) IN (`+suspects.sql+`)
		ORDER BY kafka_partition, kafka_offset`, suspects.args...)
	if err != nil {
		return nil, err
	}
	known, err := a.known(ctx, events)
	if err != nil {
		return nil, err
	}
	var out []fault
	for _, history := range byFile(events) {
		mended := slices.ContainsFunc(history, func(e schemas.Event) bool { return e.Type.Meta() })
		for _, f := range faultsOf(history, known) {
			if mended || !slices.Contains(alone, f.code) {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// known finds which of the cases that events name are in the log.
func (a *audit) known(ctx context.Context, events []schemas.Event) (func(schemas.CaseID) bool, error) {
	named := map[string]bool{}
	for _, history := range byFile(events) {
		for _, e := range schemas.Effective(history) {
			if ref, ok := referenceOf(e); ok {
				named[ref.Key] = true
			}
		}
	}
	there := map[string]bool{}
	if len(named) > 0 {
		ids, err := a.w.strings(ctx, `SELECT DISTINCT concat(toString(case_kind), '/', case_key)`+a.from()+` AND case_key IN ? SETTINGS max_query_size = 67108864`, slices.Collect(maps.Keys(named)))
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			there[id] = true
		}
	}
	return func(c schemas.CaseID) bool { return there[c.String()] }, nil
}

// add counts the faults in the range asked for with what the engine counted.
func (a *audit) add(faults []fault) {
	for _, f := range faults {
		day, e := f.day(), f.event
		division := a.reporting(e.Source, day)
		if day < a.From || day > a.To || !a.has(e.Source, division) {
			continue
		}
		into := a.found[f.code]
		into.count++
		into.divisions[a.under(division)]++
		if a.list != f.code {
			continue
		}
		x := FindingItem{Event: e.ID, Type: e.Type.Name, Time: e.Time, Recorded: e.Recorded, Division: division, Station: e.Source.Station, Missing: f.missing, Target: f.target}
		var by struct{ Lawyer string }
		if json.Unmarshal(e.Data, &by) == nil {
			x.Lawyer = by.Lawyer
		}
		if f.against != nil {
			x.Against = &Contradicted{f.against.ID, f.against.Type.Name, f.against.Time}
		}
		if f.reference.Key != "" {
			x.Reference = f.reference.String()
		}
		into.items = append(into.items, x)
	}
}

// has tells whether what came from source and reports to division is asked for.
func (a *audit) has(source schemas.Source, division schemas.DivisionCode) bool {
	if a.scope.Station != "" {
		return a.scope.Station == source.Station
	}
	return schemas.Divisions.Within(division, a.Division)
}

// reporting is the division to which what comes from source on a day reports:
// what [plan.leaf] is for the engine.
func (a *audit) reporting(source schemas.Source, day schemas.Day) schemas.DivisionCode {
	code := a.register.reporting(source)
	if a.View == schemas.ViewNow {
		day = schemas.DayOf(a.asOf)
	}
	return schemas.Divisions.On(code, day)
}

// under is the child of the division asked for that a division lies in: what
// [plan.child] is for the engine.
func (a *audit) under(division schemas.DivisionCode) schemas.DivisionCode {
	path := schemas.Divisions.Path(division)
	i := slices.IndexFunc(path, func(d schemas.Division) bool { return d.Code == a.Division })
	if i < 0 { // a station's, of when it reported elsewhere
		return a.Division
	}
	return path[min(i+1, len(path)-1)].Code
}
