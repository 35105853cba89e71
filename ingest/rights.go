package ingest

import (
	"fmt"
	"time"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// errNobody is the answer to who has no identity.
var errNobody = schemas.Errorf(schemas.Unauthenticated, "log in, or send a token: Authorization: Bearer <token>")

// notAllowed is why somebody may not write an event; empty when they may.
func notAllowed(who access.Identity, rules *schemas.ReturnRules, ev schemas.Event, now time.Time) []schemas.FieldError {
	wrong := func(location, format string, args ...any) []schemas.FieldError {
		return []schemas.FieldError{{Location: location, Message: fmt.Sprintf(format, args...)}}
	}
	if !who.MayWrite(ev.Case.Kind) {
		return wrong("type", "your account (%s) may not write events of a %s", who.Role, ev.Case.Kind)
	}
	if ev.Case.Kind == schemas.CaseReturn {
		// Validation has seen that the source is the return's division.
		if id, err := schemas.ParseReturnID(ev.Case.Key); err != nil || !who.MayStep(rules, id, ev.Type.Verb) {
			return wrong("type", "your account may not take this step of the return %s: its own office submits and amends it, the office above accepts it or sends it back", ev.Case.Key)
		}
		return nil
	}
	if !holds(who.Scope, ev.Source, schemas.DayOf(ev.Time), schemas.DayOf(now)) {
		return wrong("source", "your account may write for %s, not for %s", describe(who.Scope), ev.Source)
	}
	return nil
}

// holds tells whether a source is in a scope, under the tree of divisions of the
// day or of today: as report lets it be read.
func holds(s access.Scope, source schemas.Source, day, today schemas.Day) bool {
	if s.Station != "" {
		return s.Station == source.Station
	}
	within := func(day schemas.Day) bool {
		return schemas.Divisions.Within(schemas.Divisions.On(source.Division, day), s.Division)
	}
	return within(day) || within(today)
}

func describe(s access.Scope) string {
	switch {
	case s.Station != "":
		return "/stations/" + string(s.Station) + " alone"
	case s.Division != "":
		return "/divisions/" + string(s.Division) + " and what is under it"
	}
	return "no place"
}
