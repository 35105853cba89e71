package report

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// OpenCases are the cases of a station that wait for their next step, as far as
// the projection has come: those that could go on at any desk of the station,
// wherever they were begun.
type OpenCases struct {
	Station schemas.StationCode `json:"station"`
	Cut     Cut                 `json:"cut"`
	Total   int                 `json:"total"` // the list holds the newest 500
	Cases   []OpenCase          `json:"cases"`
}

// OpenCase is one that waits: the event that began the waiting as it counts
// now, and the type of the one that would end it. Of what was recorded it has
// choices and pseudonyms alone, no text that somebody wrote.
type OpenCase struct {
	Subject string          `json:"subject"`
	Event   schemas.EventID `json:"event"`
	Type    string          `json:"type"`
	Time    time.Time       `json:"time"`
	Lawyer  string          `json:"lawyer,omitempty"`
	Missing string          `json:"missing"` // type of the event that is missing

	Mode       string `json:"mode,omitempty"`
	Channel    string `json:"channel,omitempty"`
	PersonRole string `json:"person_role,omitempty"`
	Person     string `json:"person,omitempty"` // pseudonym
	InCustody  *bool  `json:"in_custody,omitempty"`
	Organ      string `json:"organ,omitempty"`
	Trigger    string `json:"trigger,omitempty"`
}

// maxOpenCases bounds the list; a desk shows a few.
const maxOpenCases = 500

// steps are the kinds of case that wait: the event that begins the waiting and
// the one that ends it.
var steps = map[schemas.CaseKind]struct{ begins, ends string }{
	schemas.CaseShift:        {"signed_in", "signed_out"},
	schemas.CaseConsultation: {"recorded", "signed"},
	schemas.CaseApplication:  {"received", "transferred"},
	schemas.CaseNotification: {"triggered", "given"},
	schemas.CaseHelpRequest:  {"received", "dispatched"},
}

// OpenCases lists what waits at a station, newest first.
func (w *Warehouse) OpenCases(ctx context.Context, scope Scope, station schemas.StationCode) (OpenCases, error) {
	if _, err := schemas.ParseStationCode(string(station)); err != nil {
		return OpenCases{}, schemas.Errorf(schemas.NotFound, "%w", err)
	}
	r, cut, err := w.at(ctx, time.Time{})
	if err != nil {
		return OpenCases{}, err
	}
	today := schemas.DayOf(w.now())
	if !holds(scope, r, schemas.Source{Station: station, Division: station.Division()}, today, today) {
		return OpenCases{}, schemas.Errorf(schemas.NotFound, "there is no station %s", station)
	}
	// Most cases have ended, and are left out here by the names of their events;
	// a void may open one again, so its case is looked at whole.
	verb := `splitByChar('.', toString(type))[3]`
	var kinds, ends []string
	for kind, step := range steps {
		kinds, ends = append(kinds, string(kind)), append(ends, string(kind)+"."+step.ends)
	}
	from := ` FROM ` + cut.tables.Events() + ` WHERE case_kind IN (?) AND source = ? AND ` + cut.condition()
	events, _, err := w.events(ctx, `SELECT `+warehouse.EventColumns+`, kafka_partition, kafka_offset`+from+` AND (case_kind, case_key) IN (
		SELECT case_kind, case_key`+from+` GROUP BY case_kind, case_key
		HAVING countIf(has(?, concat(toString(case_kind), '.', `+verb+`))) = 0 OR countIf(`+verb+` = 'voided') > 0)
		ORDER BY kafka_partition, kafka_offset`, kinds, string(station), kinds, string(station), ends)
	if err != nil {
		return OpenCases{}, err
	}
	open := openCases(events)
	return OpenCases{station, cut, len(open), open[:min(len(open), maxOpenCases)]}, nil
}

// openCases are the cases in events that wait, newest first.
func openCases(events []schemas.Event) []OpenCase {
	open := []OpenCase{}
	for of, history := range byFile(events) {
		step := steps[of.Case.Kind]
		effective := schemas.Effective(history)
		if slices.ContainsFunc(effective, func(e schemas.Event) bool { return e.Type.Verb == step.ends }) {
			continue
		}
		if i := slices.IndexFunc(effective, func(e schemas.Event) bool { return e.Type.Verb == step.begins }); i >= 0 {
			open = append(open, openCase(effective[i], step.ends))
		}
	}
	slices.SortFunc(open, func(a, b OpenCase) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.Subject, b.Subject))
	})
	return open
}

func openCase(e schemas.Event, ends string) OpenCase {
	o := OpenCase{Subject: e.Case.String(), Event: e.ID, Type: e.Type.Name, Time: e.Time.In(schemas.Shanghai)}
	for _, t := range schemas.Catalogue.Of(e.Case.Kind) {
		if t.Verb == ends {
			o.Missing = t.Name // the newest version stands last
		}
	}
	switch p := e.Payload.(type) {
	case *schemas.ShiftSignedIn:
		o.Lawyer, o.Mode = p.Lawyer, p.Mode
	case *schemas.ConsultationRecorded:
		o.Lawyer, o.Channel, o.PersonRole, o.Person = p.Lawyer, p.Channel, p.PersonRole, p.Person
	case *schemas.ApplicationReceived:
		o.Lawyer, o.Person, o.InCustody = p.Lawyer, p.Person, &p.InCustody
	case *schemas.NotificationTriggered:
		o.Organ, o.Trigger, o.Person, o.InCustody = p.Organ, p.Trigger, p.Person, &p.InCustody
	case *schemas.HelpRequestReceived:
		o.Organ, o.Person = p.Organ, p.Person
	}
	return o
}
