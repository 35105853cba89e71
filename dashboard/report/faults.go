package report

import (
	"slices"
	"strings"
	"time"

	"zhiban/schemas"
)

// ahead is by how much clocks of stations may differ.
const ahead = 10 * time.Minute

// course is the order in which a kind of case goes on: what comes later cannot
// be without the first, nor before it.
type course struct {
	first string
	later []string
}

var courses = map[schemas.CaseKind]course{
	schemas.CaseShift:        {"signed_in", []string{"signed_out"}},
	schemas.CaseConsultation: {"recorded", []string{"signed"}},
	schemas.CaseApplication:  {"received", []string{"registered", "reviewed", "transferred", "decided", "assigned"}},
	schemas.CaseNotification: {"triggered", []string{"given"}},
	schemas.CaseHelpRequest:  {"received", []string{"dispatched"}},
	schemas.CaseSupervision:  {"issued", []string{"answered", "closed"}},
	schemas.CaseSubsidy:      {"accrued", []string{"paid"}},
	schemas.CaseComplaint:    {"lodged", []string{"closed"}},
	schemas.CaseConduct:      {"reported", []string{"decided"}},
	schemas.CaseMatter:       {"reported", []string{"resolved"}},
	schemas.CaseStation:      {"founded", []string{"closed"}},
	schemas.CaseLawyer:       {"enrolled", []string{"left"}},
}

// registered are the cases whose events may be entered long after their day: a
// register is loaded with its past.
var registered = []schemas.CaseKind{schemas.CaseStation, schemas.CaseLawyer, schemas.CaseContact}

// onTheSpot tells whether events of a type are to be recorded when they happen.
// A plan is made ahead.
func onTheSpot(t *schemas.EventType) bool {
	return !t.Meta() && !slices.Contains(registered, t.Case) && (t.Case != schemas.CaseShift || t.Verb != "planned")
}

// fault is a finding about one event.
type fault struct {
	code      FindingCode
	event     schemas.Event  // as it counts
	against   *schemas.Event // what it contradicts
	missing   string         // type of the step that should have come first
	reference schemas.CaseID // what it names and the log does not hold
	target    string         // the event that it should change and that is not there
}

// day is the one to which the finding belongs: that of the event. Where its time
// is what is wrong, it is the day of what it contradicts, or of recording.
func (f fault) day() schemas.Day {
	switch {
	case f.code == AheadOfRecording:
		return schemas.DayOf(f.event.Recorded)
	case f.against != nil:
		return schemas.DayOf(f.against.Time)
	}
	return schemas.DayOf(f.event.Time)
}

// faultsOf are the findings about one case, whose history is in log order: about
// its events as they count now, and about corrections and voids that change
// nothing. known tells whether the log holds a case.
func faultsOf(history []schemas.Event, known func(schemas.CaseID) bool) []fault {
	if len(history) == 0 {
		return nil
	}
	var out []fault
	effective := schemas.Effective(history)
	c := courses[history[0].Case.Kind]
	first := slices.IndexFunc(effective, func(e schemas.Event) bool { return c.first != "" && e.Type.Verb == c.first })
	for _, e := range effective {
		if onTheSpot(e.Type) && e.Recorded.Sub(e.Time) > schemas.LateEntryAfter {
			out = append(out, fault{code: LateEntry, event: e})
		}
		if e.Time.Sub(e.Recorded) > ahead {
			out = append(out, fault{code: AheadOfRecording, event: e})
		}
		if slices.Contains(c.later, e.Type.Verb) {
			switch {
			case first < 0 && !slices.Contains(registered, e.Case.Kind): // the registers list what they lack
				out = append(out, fault{code: WithoutFirst, event: e, missing: typeOf(e.Case.Kind, c.first)})
			case first >= 0 && e.Time.Before(effective[first].Time):
				out = append(out, fault{code: OutOfOrder, event: e, against: &effective[first]})
			}
		}
		if ref, ok := referenceOf(e); ok && !known(ref) {
			out = append(out, fault{code: UnknownReference, event: e, reference: ref})
		}
	}
	return append(out, astray(history)...)
}

// referenceOf is the other case that an event names.
func referenceOf(e schemas.Event) (schemas.CaseID, bool) {
	id := schemas.CaseID{Kind: schemas.CaseShift}
	switch p := e.Payload.(type) {
	case *schemas.ConsultationRecorded:
		id.Key = p.Shift
	case *schemas.SubsidyAccrued:
		id.Key = p.Shift
	case *schemas.SupervisionIssued:
		id = schemas.CaseID{Kind: schemas.CaseNotification, Key: p.Notification}
	}
	id.Key = strings.ToLower(id.Key) // as keys of cases stand in the log
	return id, id.Key != ""
}

// references are the fields that name another case, for the engine, which finds
// the cases to look at by them.
var references = []struct {
	kind  schemas.CaseKind
	field string
	to    schemas.CaseKind
}{
	{schemas.CaseConsultation, "shift", schemas.CaseShift},
	{schemas.CaseSubsidy, "shift", schemas.CaseShift},
	{schemas.CaseSupervision, "notification", schemas.CaseNotification},
}

// astray are the corrections and voids of what is not in the case. One that was
// itself voided is settled.
func astray(history []schemas.Event) []fault {
	var out []fault
	there, voided, seen := map[string]bool{}, map[string]bool{}, map[schemas.EventID]bool{}
	for _, e := range history {
		there[e.ID.String()] = true
		if p, ok := e.Payload.(*schemas.Voided); ok {
			voided[strings.ToLower(p.Target)] = true
		}
	}
	for _, e := range history {
		var target string
		switch p := e.Payload.(type) {
		case *schemas.Corrected:
			target = p.Target
		case *schemas.Voided:
			target = p.Target
		default:
			continue
		}
		if target = strings.ToLower(target); !there[target] && !voided[e.ID.String()] && !seen[e.ID] {
			out = append(out, fault{code: UnknownTarget, event: e, target: target})
		}
		seen[e.ID] = true
	}
	return out
}

// typeOf is the newest type of a verb.
func typeOf(kind schemas.CaseKind, verb string) string {
	names := typesOf(func(t *schemas.EventType) bool { return t.Case == kind && t.Verb == verb })
	return names[len(names)-1]
}

// typesOf lists the names of the types that pass a test, of every version.
func typesOf(pass func(*schemas.EventType) bool) []string {
	var names []string
	for _, t := range schemas.Catalogue.All() {
		if pass(t) {
			names = append(names, t.Name)
		}
	}
	return names
}
