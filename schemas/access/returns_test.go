package access

import (
	"testing"

	"zhiban/schemas"
)

func TestAReturnIsSubmittedByItsOwnOfficeAndDecidedByTheOneAbove(t *testing.T) {
	var everyone []Identity
	for _, info := range Roles {
		for _, scope := range []Scope{{Division: "220182"}, {Division: "220100"}, {Division: "220183"}, {Division: schemas.Province}, {Division: "220182", Station: "220182-court"}, {}} {
			scope.SmallCells = info.SmallCells
			everyone = append(everyone, Identity{Account: "a", Role: info.Role, Scope: scope})
		}
	}
	type office struct {
		role     Role
		division schemas.DivisionCode
	}
	county, prefecture, province := office{County, "220182"}, office{Prefecture, "220100"}, office{Province, "220000"}
	for id, own := range map[schemas.ReturnID][2]office{
		{Division: "220182", Month: schemas.Date(2026, 9, 1).Month()}: {county, prefecture},
		{Division: "220100", Month: schemas.Date(2026, 9, 1).Month()}: {prefecture, province},
		{Division: "220000", Month: schemas.Date(2026, 9, 1).Month()}: {province, province},
	} {
		for verb, who := range map[string]office{"submitted": own[0], "amended": own[0], "accepted": own[1], "returned": own[1]} {
			for _, i := range everyone {
				want := i.Role == who.role && i.Scope.Division == who.division && i.Scope.Station == ""
				if got := i.MayStep(schemas.Returns, id, verb); got != want {
					t.Errorf("%s of %s by %s of %+v: %v", verb, id, i.Role, i.Scope, got)
				}
			}
		}
	}
	if (Identity{}).MayStep(schemas.Returns, schemas.ReturnID{}, "submitted") {
		t.Error("nobody may submit nothing")
	}
}
