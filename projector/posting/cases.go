package posting

import (
	"time"

	"zhiban/schemas"
)

// postStation counts a station from the day it was founded until the day it was
// closed, and each inspection on its day.
func postStation(events []schemas.Event) []Posting {
	var out []Posting
	if e, _, ok := first[schemas.StationFounded](events); ok {
		out = append(out, at(e).post(schemas.Stations, 1))
		if e, _, ok := first[schemas.StationClosed](events); ok {
			out = append(out, at(e).post(schemas.Stations, -1))
		}
	}
	for _, e := range events {
		if p, ok := e.Payload.(*schemas.StationInspected); ok {
			out = append(out, at(e).post(schemas.Inspections, 1))
			if len(p.Missing) == 0 {
				out = append(out, at(e).post(schemas.InspectionsMet, 1))
			}
		}
	}
	return out
}

// postLawyer counts a lawyer from the day of enrolment until the day of leaving
// the roster. A lawyer who moves stays one lawyer.
func postLawyer(events []schemas.Event) []Posting {
	e, p, ok := first[schemas.LawyerEnrolled](events)
	if !ok {
		return nil
	}
	entry := at(e)
	entry.Lawyer = licence(p.Licence)
	out := []Posting{entry.post(schemas.Lawyers, 1)}
	if left, _, ok := first[schemas.LawyerLeft](events); ok {
		entry.Day = schemas.DayOf(left.Time)
		out = append(out, entry.post(schemas.Lawyers, -1))
	}
	return out
}

// postShift counts a shift and its minutes on the day of the sign-in. A
// sign-out without sign-in counts nothing; one before its sign-in leaves the
// shift open. A planned shift is awaited until it is signed in.
func postShift(events []schemas.Event) []Posting {
	in, p, signedIn := first[schemas.ShiftSignedIn](events)
	out := postPlan(events, signedIn)
	if signedIn {
		out = append(out, postDuty(events, in, p)...)
	}
	return out
}

// postPlan counts a planned shift on the day it begins. That day is also when
// it falls due.
func postPlan(events []schemas.Event, signedIn bool) []Posting {
	e, p, ok := first[schemas.ShiftPlanned](events)
	if !ok {
		return nil
	}
	start, err := time.Parse(time.RFC3339, p.Start)
	if err != nil {
		return nil // refused by ingest
	}
	entry := at(e)
	entry.Day, entry.Lawyer, entry.Mode = schemas.DayOf(start), licence(p.Lawyer), p.Mode
	entry.Due = entry.Day
	out := []Posting{entry.post(schemas.ShiftsPlanned, 1)}
	if !signedIn {
		out = append(out, entry.post(schemas.ShiftsAwaited, 1))
	}
	return out
}

func postDuty(events []schemas.Event, in schemas.Event, p *schemas.ShiftSignedIn) []Posting {
	entry := at(in)
	entry.Lawyer, entry.Mode = licence(p.Lawyer), p.Mode
	shift := entry.post(schemas.Shifts, 1)
	if out, _, ok := first[schemas.ShiftSignedOut](events); ok && !out.Time.Before(in.Time) {
		minutes := int64(out.Time.Sub(in.Time) / time.Minute)
		if minutes == 0 {
			return []Posting{shift}
		}
		return []Posting{shift, entry.post(schemas.DutyMinutes, minutes)}
	}
	return []Posting{shift, entry.post(schemas.ShiftsOpen, 1)}
}

// postConsultation counts a ledger line on its day, unsigned until the lawyer
// has signed, and late when it first reached the log more than a day after the
// time that stands (三(四)2(2)). Duty lawyers are for people without a defender
// (二): one who has one is counted.
func postConsultation(events []schemas.Event) []Posting {
	e, p, ok := first[schemas.ConsultationRecorded](events)
	if !ok {
		return nil
	}
	entry := at(e)
	entry.Lawyer, entry.Channel, entry.PersonRole, entry.Person = licence(p.Lawyer), p.Channel, p.PersonRole, PersonOf(p.Person)
	out := []Posting{entry.post(schemas.Consultations, 1)}
	if p.GuidedToApply {
		out = append(out, entry.post(schemas.ConsultationsGuided, 1))
	}
	if _, _, signed := first[schemas.ConsultationSigned](events); !signed {
		out = append(out, entry.post(schemas.ConsultationsUnsigned, 1))
	}
	if e.Recorded.Sub(e.Time) > schemas.LateEntryAfter {
		out = append(out, entry.post(schemas.ConsultationsLateEntry, 1))
	}
	if p.HasDefender != nil && *p.HasDefender {
		out = append(out, entry.post(schemas.WithDefender, 1))
	}
	return append(out, entry.outside(e)...)
}

// postApplication counts receipt and transfer each on its own day; whether the
// transfer came within 24 hours (法律援助法第39条) on the day of receipt.
func postApplication(events []schemas.Event) []Posting {
	var out []Posting
	received, r, isReceived := first[schemas.ApplicationReceived](events)
	transferred, t, isTransferred := first[schemas.ApplicationTransferred](events)
	if isReceived {
		entry := at(received)
		entry.Lawyer = licence(r.Lawyer)
		out = append(append(out, entry.post(schemas.ApplicationsReceived, 1)), entry.outside(received)...)
		if entry.Day >= schemas.LegalAidLaw {
			out = append(out, entry.post(schemas.TransferDue24h, 1))
			if took := transferred.Time.Sub(received.Time); isTransferred && took >= 0 && took <= 24*time.Hour {
				out = append(out, entry.post(schemas.TransferMet24h, 1))
			}
		}
	}
	if isTransferred {
		entry := at(transferred)
		entry.Lawyer = licence(t.Lawyer)
		out = append(out, entry.post(schemas.ApplicationsTransferred, 1))
	}
	if e, p, ok := first[schemas.ApplicationDecided](events); ok {
		code := schemas.ApplicationsAccepted
		if p.Outcome == "refused" {
			code = schemas.ApplicationsRefused
		}
		out = append(out, at(e).post(code, 1))
	}
	if e, p, ok := first[schemas.ApplicationAssigned](events); ok && isReceived && p.Lawyer == r.Lawyer &&
		received.Source.Station.Kind() == schemas.DetentionCentre {
		entry := at(e)
		entry.Lawyer = licence(p.Lawyer)
		out = append(out, entry.post(schemas.AssignmentConflicts, 1))
	}
	return out
}

// postNotification counts a duty to notify, and what became of it, on the day
// it arose (三(三)4(4)). Evidence decides: a notice with it by the end of the
// last day is on time, later it is late; a notice without is unevidenced.
func postNotification(events []schemas.Event) []Posting {
	triggered, p, ok := first[schemas.NotificationTriggered](events)
	if !ok {
		return nil
	}
	entry := at(triggered)
	entry.Organ, entry.Trigger = p.Organ, p.Trigger
	entry.Due = schemas.NotificationDue(p.Organ, entry.Day, p.InCustody)

	state := schemas.NotificationsOpen
	var proven schemas.Day
	for _, e := range events {
		given, ok := e.Payload.(*schemas.NotificationGiven)
		if !ok {
			continue
		}
		if state == schemas.NotificationsOpen {
			state = schemas.NotificationsUnevid
		}
		if day := schemas.DayOf(e.Time); given.Evidence != "" && (proven == 0 || day < proven) {
			proven = day
		}
	}
	switch {
	case proven == 0:
	case proven <= entry.Due:
		state = schemas.NotificationsOnTime
	default:
		state = schemas.NotificationsLate
	}
	return []Posting{entry.post(schemas.NotificationsDue, 1), entry.post(state, 1)}
}
