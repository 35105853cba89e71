package access

import "zhiban/schemas"

// MayStep tells whether the identity may take a step of a return, the verb of an
// event type: a division's own office submits and amends, the office to which it
// reports accepts and returns, each the office of its level and of that very
// division. The province reports to nobody and signs its own.
func (i Identity) MayStep(rules *schemas.ReturnRules, id schemas.ReturnID, verb string) bool {
	if !i.May(CloseMonth) {
		return false
	}
	if i.Sole {
		return true
	}
	office := id.Division
	if up, ok := rules.ReportsTo(id); ok && (verb == "accepted" || verb == "returned") {
		office = up.Division
	}
	d, ok := schemas.Divisions.Get(office)
	return ok && i.Scope == (Scope{Division: office, SmallCells: i.Scope.SmallCells}) && i.Role == Offices[d.Level]
}

// Offices are the roles of the offices of each level.
var Offices = map[schemas.DivisionLevel]Role{schemas.LevelProvince: Province, schemas.LevelPrefecture: Prefecture, schemas.LevelCounty: County}
