package directory

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// External is what the names of accounts of single sign-on begin with; no other
// account's name does.
const External = "sso-"

const titleLength = 100

var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,63}$`)

func isExternalName(name string) bool { return strings.HasPrefix(name, External) }

// levels are the levels of division that roles of one level are bound to; other
// roles may be of any.
var levels = map[access.Role]schemas.DivisionLevel{
	access.Province: schemas.LevelProvince, access.Prefecture: schemas.LevelPrefecture, access.County: schemas.LevelCounty,
}

func checkTitle(title string) error {
	odd := strings.ContainsFunc(title, func(r rune) bool { return !unicode.IsGraphic(r) })
	if n := utf8.RuneCountInString(title); n == 0 || n > titleLength || odd || strings.TrimSpace(title) != title {
		return refuse(schemas.Invalid, titleForm, titleLength)
	}
	return nil
}

// checkScope tells why a role cannot be bound to a scope on a day.
func checkScope(role access.Role, scope access.Scope, day schemas.Day) error {
	info, ok := role.Info()
	switch {
	case !ok:
		return refuse(schemas.Invalid, noRole, role)
	case role == access.Administrator:
		if scope.Division != "" || scope.Station != "" {
			return refuse(schemas.Invalid, noScope, info.Title)
		}
		return nil
	case info.OneStation:
		if scope.Station == "" || scope.Division != "" {
			return refuse(schemas.Invalid, needsStation, info.Title)
		}
		if _, err := schemas.ParseStationCode(string(scope.Station)); err != nil {
			return refuse(schemas.Invalid, stationForm, scope.Station)
		}
		return nil // a station keeps its code when its division moves
	case scope.Division == "" || scope.Station != "":
		return refuse(schemas.Invalid, needsDivision, info.Title)
	}
	division, ok := schemas.Divisions.Get(scope.Division)
	level, bound := levels[role]
	switch {
	case !ok:
		return refuse(schemas.Invalid, noDivision, scope.Division)
	case !division.Valid(day):
		return refuse(schemas.Invalid, oldDivision, scope.Division, schemas.Divisions.On(scope.Division, day))
	case bound && division.Level != level:
		return refuse(schemas.Invalid, wrongLevel, division.Code, division.Name, info.Title)
	}
	return nil
}

// plainTitle makes a title of what a provider says, which follows no rule here.
func plainTitle(said, name string) string {
	said = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, said)
	if runes := []rune(said); len(runes) > titleLength {
		said = string(runes[:titleLength])
	}
	if said = strings.TrimSpace(said); said == "" {
		return name
	}
	return said
}
