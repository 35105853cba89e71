package report

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"zhiban/schemas"
)

// LedgerQuery asks for the consultation ledger (咨询台账) of one station, or of
// all that report to a division when Station is empty, of the days From to To.
type LedgerQuery struct {
	Division schemas.DivisionCode
	Station  schemas.StationCode
	From, To schemas.Day
}

// LedgerLine is a consultation as it counts now. What was asked and answered is
// not in it: see [LedgerTexts].
type LedgerLine struct {
	Event      schemas.EventID
	Time       time.Time
	Station    schemas.StationCode
	Lawyer     string // licence
	Channel    string
	Person     string // pseudonym
	PersonRole string
	Topics     []string
	Minutes    *int // nil: not written down
	Signed     bool // by the lawyer
	Texts      int  // how many of question and answer there are
	Sealed     int  // of them sealed
}

// LedgerPage is a part of a ledger, the newest first.
type LedgerPage struct {
	Cut   Cut
	Total int
	Lines []LedgerLine
}

// Ledger reads a ledger as it counts now.
func (w *Warehouse) Ledger(ctx context.Context, scope Scope, q LedgerQuery, offset, limit int) (LedgerPage, error) {
	var sources []string
	if q.Station != "" {
		s, err := w.Station(ctx, scope, q.Station, time.Time{})
		if err != nil {
			return LedgerPage{}, err
		}
		sources = append(sources, string(s.Code))
	} else {
		all, err := w.Stations(ctx, scope, q.Division, time.Time{})
		if err != nil {
			return LedgerPage{}, err
		}
		for _, s := range all {
			sources = append(sources, string(s.Code))
		}
	}
	r, cut, err := w.at(ctx, time.Time{})
	if err != nil {
		return LedgerPage{}, err
	}
	files, err := w.files(ctx, cut, sources, schemas.CaseConsultation, q.From, q.To)
	if err != nil {
		return LedgerPage{}, err
	}
	today := schemas.DayOf(w.now())
	var lines []LedgerLine
	for _, history := range files {
		effective := schemas.Effective(history)
		signed := slices.ContainsFunc(effective, func(e schemas.Event) bool { return e.Type.Verb == "signed" })
		for _, e := range effective {
			if day := schemas.DayOf(e.Time); q.From <= day && day <= q.To && holds(scope, r, e.Source, day, today) {
				if l, ok := ledgerLine(e); ok {
					l.Signed = signed
					lines = append(lines, l)
				}
			}
		}
	}
	if len(lines) > mostEffective {
		return LedgerPage{}, schemas.Errorf(schemas.TooLarge, "%d consultations are more than the %d of one answer; ask for fewer days or for one station", len(lines), mostEffective)
	}
	slices.SortFunc(lines, func(a, b LedgerLine) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.Event.String(), b.Event.String()))
	})
	return LedgerPage{cut, len(lines), lines[min(offset, len(lines)):min(offset+limit, len(lines))]}, nil
}

// ledgerLine is an event as a line; ok is false for one that is none.
func ledgerLine(e schemas.Event) (l LedgerLine, ok bool) {
	p, ok := e.Payload.(*schemas.ConsultationRecorded)
	if !ok {
		return LedgerLine{}, false
	}
	l = LedgerLine{Event: e.ID, Time: e.Time, Station: e.Source.Station, Lawyer: p.Lawyer, Channel: p.Channel, Person: p.Person, PersonRole: p.PersonRole, Topics: p.Topics, Minutes: p.Minutes}
	for _, text := range []string{p.Question, p.Answer} {
		if text != "" {
			l.Texts++
		}
		if schemas.IsSealed(text) {
			l.Sealed++
		}
	}
	return l, true
}

// LedgerTexts are what was asked and answered in a consultation, as it counts
// now: sealed, unless they came into the log before texts were.
type LedgerTexts struct {
	LedgerLine
	Case             schemas.CaseID
	Question, Answer string
}

// LedgerTexts finds the texts of a consultation in the scope. One that was voided
// has none.
func (w *Warehouse) LedgerTexts(ctx context.Context, scope Scope, id schemas.EventID) (LedgerTexts, error) {
	found, err := w.EffectiveEvents(ctx, scope, []schemas.EventID{id})
	if err != nil {
		return LedgerTexts{}, err
	}
	for _, env := range found.Events {
		e, err := env.Parse()
		if err != nil {
			return LedgerTexts{}, err
		}
		if l, ok := ledgerLine(e); ok && l.Texts > 0 {
			p := e.Payload.(*schemas.ConsultationRecorded)
			return LedgerTexts{l, e.Case, p.Question, p.Answer}, nil
		}
	}
	return LedgerTexts{}, schemas.Errorf(schemas.NotFound, "the ledger has no texts under %s", id)
}
