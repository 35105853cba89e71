package report

import (
	"zhiban/schemas"
	"zhiban/schemas/access"
)

// Scope is what the person who asks may see: one division with all below it,
// or one station when Station is set. Every query takes one. What lies outside
// is not found, and no answer counts it.
type Scope = access.Scope

// ProvinceWide sees everything.
var ProvinceWide = access.ProvinceWide

// Home is the division whose figures are a scope's whole: the one that it is
// bound to, or that of its station, whose figures alone the station's are.
func Home(s Scope) schemas.DivisionCode {
	if s.Division == "" && s.Station != "" {
		return s.Station.Division()
	}
	return s.Division
}

// Whole tells whether a scope is the whole province.
func Whole(s Scope) bool { return s.Division == schemas.Province && s.Station == "" }

// admits tells whether the scope reaches a division. What lies outside is not
// found, so that nothing tells it exists. A station's scope reaches its own
// division, of which it has the station's part, and none below.
func admits(s Scope, division schemas.DivisionCode) error {
	_, ok := schemas.Divisions.Get(division)
	if ok && s.Station != "" {
		ok = division == Home(s)
	}
	if !ok || !schemas.Divisions.Within(division, Home(s)) {
		return schemas.Errorf(schemas.NotFound, "there is no division %s", division)
	}
	return nil
}

// whole refuses a scope that is a part of the province: what cannot be read
// belongs to no place that can be trusted, and a recount is of the whole log.
func whole(s Scope) error {
	if !Whole(s) {
		return schemas.Errorf(schemas.NotFound, "this is for who sees the whole province")
	}
	return nil
}

// reaches tells whether what reported to a division on a day is in the scope:
// under the tree of that day or of today, as the two views have it.
func reaches(s Scope, reporting schemas.DivisionCode, day, today schemas.Day) bool {
	return schemas.Divisions.Within(schemas.Divisions.On(reporting, day), s.Division) || schemas.Divisions.Within(schemas.Divisions.On(reporting, today), s.Division)
}

// holds tells whether what came from source on a day is in the scope.
func holds(s Scope, r *register, source schemas.Source, day, today schemas.Day) bool {
	if s.Station != "" {
		return s.Station == source.Station
	}
	if Whole(s) { // also what comes from a place that no register knows
		return true
	}
	return reaches(s, r.reporting(source), day, today)
}

// reporting is the division that a source reports to, as it was registered.
func (r *register) reporting(source schemas.Source) schemas.DivisionCode {
	if source.Station != "" {
		return r.station(source.Station).Reporting
	}
	return source.Division
}

// knows tells whether the scope ever had a station: who saw its figures when it
// reported there may know its name.
func knows(s Scope, r *register, code schemas.StationCode, today schemas.Day) bool {
	return holds(s, r, schemas.Source{Station: code, Division: code.Division()}, firstDay, today)
}
