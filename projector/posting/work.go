package posting

import (
	"time"

	"zhiban/schemas"
)

// services are the figures of legal help by service, each from the day its duty
// took effect.
var services = map[string]schemas.IndicatorCode{
	"plea_leniency":    schemas.PleaAssistance,
	"affidavit":        schemas.Affidavits,
	"meeting":          schemas.ClientMeetings,
	"file_review":      schemas.FileReviews,
	"opinion":          schemas.Opinions,
	"coercive_measure": schemas.CoerciveMeasures,
	"procedure_choice": schemas.ProcedureChoices,
}

// postAssistance counts legal help on its day (三(三)1(3), and later law). Help
// given before a duty existed is counted in no figure of it; it is flagged.
func postAssistance(events []schemas.Event) []Posting {
	e, p, ok := first[schemas.AssistanceGiven](events)
	if !ok {
		return nil
	}
	entry := at(e)
	entry.Lawyer, entry.Person = licence(p.Lawyer), PersonOf(p.Person)
	out := entry.outside(e)
	code := services[p.Service]
	if ind, err := schemas.Indicators.Lookup(code); err != nil || entry.Day < ind.Effective {
		return out
	}
	out = append(out, entry.post(code, 1))
	if p.Service == "opinion" && p.Adopted != nil && *p.Adopted {
		out = append(out, entry.post(schemas.OpinionsAdopted, 1))
	}
	return out
}

// postHelpRequest counts a request, and whether and how soon a duty lawyer was
// called, on the day it reached the organ (三(三)4(4)).
func postHelpRequest(events []schemas.Event) []Posting {
	e, p, ok := first[schemas.HelpRequestReceived](events)
	if !ok {
		return nil
	}
	entry := at(e)
	entry.Organ = p.Organ
	out := []Posting{entry.post(schemas.HelpRequests, 1)}
	if call, d, ok := first[schemas.HelpRequestDispatched](events); ok {
		entry.Lawyer = licence(d.Lawyer)
		out = append(out, entry.post(schemas.HelpRequestsDispatched, 1))
		if minutes := int64(call.Time.Sub(e.Time) / time.Minute); minutes > 0 {
			out = append(out, entry.post(schemas.ResponseMinutes, minutes))
		}
	}
	return out
}

// postSupervision counts a correction opinion, and what became of it, on the day
// it was issued (三(三)4(5)).
func postSupervision(events []schemas.Event) []Posting {
	e, p, ok := first[schemas.SupervisionIssued](events)
	if !ok {
		return nil
	}
	entry := at(e)
	entry.Organ = p.Organ
	out := []Posting{entry.post(schemas.CorrectionsIssued, 1)}
	if _, _, ok := first[schemas.SupervisionAnswered](events); ok {
		out = append(out, entry.post(schemas.CorrectionsAnswered, 1))
	}
	if _, _, ok := first[schemas.SupervisionClosed](events); ok {
		out = append(out, entry.post(schemas.CorrectionsClosed, 1))
	}
	return out
}

// postSubsidy counts fen due and fen paid, each on its own day, and of a subsidy
// with a last day whether it was paid by then, on the day it became due
// (三(四)3(1)).
func postSubsidy(events []schemas.Event) []Posting {
	var out []Posting
	paid, payment, isPaid := first[schemas.SubsidyPaid](events)
	if e, p, ok := first[schemas.SubsidyAccrued](events); ok {
		entry := at(e)
		entry.Lawyer = licence(p.Lawyer)
		out = append(out, entry.post(schemas.SubsidiesDue, p.Fen))
		if last, err := schemas.ParseDay(p.PayableBy); err == nil {
			entry.Due = last
			out = append(out, entry.post(schemas.SubsidiesTimed, 1))
			if !isPaid || schemas.DayOf(paid.Time) > last {
				out = append(out, entry.post(schemas.SubsidiesAwaited, 1))
			}
		}
	}
	if isPaid {
		entry := at(paid)
		entry.Lawyer = licence(payment.Lawyer)
		out = append(out, entry.post(schemas.SubsidiesPaid, payment.Fen))
	}
	return out
}

// postFeedback counts an opinion and its score (三(二)3).
func postFeedback(events []schemas.Event) []Posting {
	e, p, ok := first[schemas.FeedbackGiven](events)
	if !ok {
		return nil
	}
	entry := at(e)
	entry.Lawyer = licence(p.Lawyer)
	return []Posting{entry.post(schemas.FeedbackCount, 1), entry.post(schemas.FeedbackScore, int64(p.Score))}
}

// postMatter counts a matter on the day it was reported, open until resolved.
func postMatter(events []schemas.Event) []Posting {
	e, _, ok := first[schemas.MatterReported](events)
	if !ok {
		return nil
	}
	out := []Posting{at(e).post(schemas.MattersReported, 1)}
	if _, _, ok := first[schemas.MatterResolved](events); !ok {
		out = append(out, at(e).post(schemas.MattersOpen, 1))
	}
	return out
}

// postSingle counts cases that are one fact: the first event of its kind, on its
// day. Conduct counts once decided and upheld: nothing undecided is a figure.
func postSingle(events []schemas.Event) []Posting {
	for _, e := range events {
		entry := at(e)
		switch p := e.Payload.(type) {
		case *schemas.ComplaintLodged:
			entry.Lawyer = licence(p.Lawyer)
			return append(entry.outside(e), entry.post(schemas.Complaints, 1))
		case *schemas.ActivityHeld:
			entry.Lawyer = licence(p.Lawyer)
			code := schemas.OtherTasks
			if p.Kind == "publicity" {
				code = schemas.PublicitySessions
			}
			return append(entry.outside(e), entry.post(code, 1))
		case *schemas.TrainingAttendedV2:
			entry.Lawyer = licence(p.Lawyer)
			return []Posting{entry.post(schemas.TrainingHours, int64(p.Minutes))}
		case *schemas.ConductDecided:
			if p.Outcome != "upheld" {
				return nil
			}
			entry.Lawyer = licence(p.Lawyer)
			return []Posting{entry.post(schemas.ConductUpheld, 1)}
		case *schemas.HonourAwarded:
			entry.Lawyer = licence(p.Lawyer)
			return []Posting{entry.post(schemas.Honours, 1)}
		case *schemas.RosterDelivered:
			return []Posting{entry.post(schemas.RosterDeliveries, int64(len(p.Receivers)))}
		case *schemas.MeetingHeld:
			return []Posting{entry.post(schemas.JointMeetings, 1)}
		}
	}
	return nil
}
