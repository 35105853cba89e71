package report

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// register is who and what was registered at a cut: stations and lawyers, after
// corrections.
type register struct {
	stations map[schemas.StationCode]Station
	lawyers  map[string]Lawyer
}

// registers keeps registers that were read. Two cuts with the same number of
// register events in each partition have the same register, since the log only
// grows; and a page asks for one cut many times.
type registers struct {
	mu    sync.Mutex
	byCut *lru.Cache[string, *register]
	byLen *lru.Cache[string, *register]
}

func newRegisters() *registers {
	byCut, _ := lru.New[string, *register](64) // fails only for a size below 1
	byLen, _ := lru.New[string, *register](4)
	return &registers{byCut: byCut, byLen: byLen}
}

const registerKinds = `case_kind IN ('station', 'lawyer')`

// register reads the register of a cut, or finds it among those read before.
func (w *Warehouse) register(ctx context.Context, cut Cut) (*register, error) {
	w.registers.mu.Lock()
	defer w.registers.mu.Unlock()
	if r, ok := w.registers.byCut.Get(cut.key()); ok {
		return r, nil
	}
	offsets, err := w.offsets(ctx, `SELECT kafka_partition, toInt64(count()) FROM `+cut.tables.Events()+` WHERE `+registerKinds+` AND `+cut.condition()+` GROUP BY kafka_partition`)
	if err != nil {
		return nil, err
	}
	held := Cut{Offsets: offsets, tables: cut.tables}.key()
	r, ok := w.registers.byLen.Get(held)
	if !ok {
		if r, err = w.readRegister(ctx, cut); err != nil {
			return nil, err
		}
		w.registers.byLen.Add(held, r)
	}
	w.registers.byCut.Add(cut.key(), r)
	return r, nil
}

func (w *Warehouse) readRegister(ctx context.Context, cut Cut) (*register, error) {
	rows, err := w.conn.Query(ctx, `SELECT `+warehouse.EventColumns+` FROM `+cut.tables.Events()+` WHERE `+registerKinds+` AND `+cut.condition()+`
		ORDER BY recorded, kafka_partition, kafka_offset`)
	if err != nil {
		return nil, unavailable("read the registers", err)
	}
	defer rows.Close()
	files := map[schemas.File][]schemas.Event{}
	var order []schemas.File
	for rows.Next() {
		e, err := warehouse.ScanEvent(rows)
		if err != nil {
			return nil, err
		}
		of := e.File()
		if _, ok := files[of]; !ok {
			order = append(order, of)
		}
		files[of] = append(files[of], e)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("read the registers", err)
	}
	r := &register{map[schemas.StationCode]Station{}, map[string]Lawyer{}}
	for _, of := range order {
		effective := schemas.Effective(files[of])
		for _, e := range effective {
			switch p := e.Payload.(type) {
			case *schemas.StationFounded:
				code := schemas.StationCode(p.Code)
				r.stations[code] = Station{code, schemas.StationKind(p.Kind), p.Name, schemas.DivisionCode(p.Location), schemas.DivisionCode(p.Reporting), true}
			case *schemas.LawyerEnrolled:
				r.lawyers[p.Licence] = Lawyer{p.Licence, p.Name, p.Kind, p.Firm, schemas.DivisionCode(p.Division), true}
			}
		}
		for _, e := range effective { // a move holds wherever the enrolment stands in the log
			if p, ok := e.Payload.(*schemas.LawyerMoved); ok {
				if l, ok := r.lawyers[of.Case.Key]; ok {
					l.Firm, l.Division = p.Firm, schemas.DivisionCode(p.Division)
					r.lawyers[of.Case.Key] = l
				}
			}
		}
	}
	return r, nil
}

// station describes a station, from its code alone when it is unregistered.
func (r *register) station(code schemas.StationCode) Station {
	if s, ok := r.stations[code]; ok {
		return s
	}
	d := code.Division()
	return Station{Code: code, Kind: code.Kind(), Name: string(code), Location: d, Reporting: d}
}

// lawyer describes a lawyer; an unregistered one is a licence and no more.
func (r *register) lawyer(licence string) Lawyer {
	if l, ok := r.lawyers[licence]; ok {
		return l
	}
	return Lawyer{Licence: licence}
}

// at is the register and the cut of a moment, now when t is zero.
func (w *Warehouse) at(ctx context.Context, t time.Time) (*register, Cut, error) {
	cut, err := w.Cut(ctx, t)
	if err != nil {
		return nil, Cut{}, err
	}
	r, err := w.register(ctx, cut)
	return r, cut, err
}

// Stations lists the stations that report to division or below it, those that
// have events without being registered included, by code.
func (w *Warehouse) Stations(ctx context.Context, scope Scope, division schemas.DivisionCode, asOf time.Time) ([]Station, error) {
	if err := admits(scope, division); err != nil {
		return nil, err
	}
	if scope.Station != "" {
		s, err := w.Station(ctx, scope, scope.Station, asOf)
		return []Station{s}, err
	}
	r, cut, err := w.at(ctx, asOf)
	if err != nil {
		return nil, err
	}
	codes, err := w.strings(ctx, `SELECT DISTINCT source FROM `+cut.tables.Postings()+` WHERE position(source, '-') > 0 AND `+cut.condition())
	if err != nil {
		return nil, err
	}
	all := map[schemas.StationCode]Station{}
	for code, s := range r.stations {
		all[code] = s
	}
	for _, c := range codes {
		all[schemas.StationCode(c)] = r.station(schemas.StationCode(c))
	}
	var out []Station
	for _, s := range all {
		if schemas.Divisions.Within(s.Reporting, division) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Station) int { return cmp.Compare(a.Code, b.Code) })
	return out, nil
}

// Station finds one station; an unregistered one is described by its code.
func (w *Warehouse) Station(ctx context.Context, scope Scope, code schemas.StationCode, asOf time.Time) (Station, error) {
	if _, err := schemas.ParseStationCode(string(code)); err != nil {
		return Station{}, schemas.Errorf(schemas.NotFound, "%w", err)
	}
	r, _, err := w.at(ctx, asOf)
	if err != nil {
		return Station{}, err
	}
	if !knows(scope, r, code, schemas.DayOf(w.now())) {
		return Station{}, noStation(code)
	}
	return r.station(code), nil
}

func noStation(code schemas.StationCode) error {
	return schemas.Errorf(schemas.NotFound, "there is no station %s", code)
}

// Lawyers lists the lawyers posted by centres of division or below it, by
// licence; to a station those who have figures there.
func (w *Warehouse) Lawyers(ctx context.Context, scope Scope, division schemas.DivisionCode, asOf time.Time) ([]Lawyer, error) {
	if err := admits(scope, division); err != nil {
		return nil, err
	}
	r, cut, err := w.at(ctx, asOf)
	if err != nil {
		return nil, err
	}
	var out []Lawyer
	if scope.Station != "" {
		licences, err := w.strings(ctx, `SELECT DISTINCT leftPad(toString(lawyer), 17, '0') AS licence FROM `+cut.tables.Postings()+` WHERE lawyer != 0 AND source = ? AND `+cut.condition()+` ORDER BY licence`, string(scope.Station))
		for _, licence := range licences {
			if l := r.lawyer(licence); l.Registered {
				out = append(out, l)
			}
		}
		return out, err
	}
	for _, l := range r.lawyers {
		if schemas.Divisions.Within(l.Division, division) {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b Lawyer) int { return cmp.Compare(a.Licence, b.Licence) })
	return out, nil
}

// Lawyer finds one lawyer; an unregistered one has a licence and nothing else.
func (w *Warehouse) Lawyer(ctx context.Context, scope Scope, licence string, asOf time.Time) (Lawyer, error) {
	number, err := schemas.ParseLicence(licence)
	if err != nil {
		return Lawyer{}, schemas.Errorf(schemas.NotFound, "%w", err)
	}
	r, cut, err := w.at(ctx, asOf)
	if err != nil {
		return Lawyer{}, err
	}
	l := r.lawyer(licence)
	today := schemas.DayOf(w.now())
	switch {
	case Whole(scope), l.Registered && scope.Station == "" && reaches(scope, l.Division, today, today):
		return l, nil
	case l.Registered && scope.Station == "":
		return Lawyer{}, noLawyer(licence)
	}
	// Nothing but what was done here tells of who is on no roster, or is on duty
	// at a station.
	sources, err := w.strings(ctx, `SELECT DISTINCT toString(source) FROM `+cut.tables.Postings()+` WHERE lawyer = ? AND `+cut.condition(), uint64(number))
	if err != nil {
		return Lawyer{}, err
	}
	for _, from := range sources {
		if holds(scope, r, warehouse.SourceOf(from), today, today) {
			return l, nil
		}
	}
	return Lawyer{}, noLawyer(licence)
}

func noLawyer(licence string) error {
	return schemas.Errorf(schemas.NotFound, "there is no lawyer with licence %s", licence)
}

func (w *Warehouse) strings(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := w.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, unavailable("read the warehouse", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, unavailable("read the warehouse", err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("read the warehouse", err)
	}
	return out, nil
}
