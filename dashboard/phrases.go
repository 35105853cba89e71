package dashboard

import (
	"fmt"
	"strings"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// The languages of the interface; the first is the default.
const (
	chinese = "zh"
	english = "en"
)

var languages = []string{chinese, english}

// message is a phrase in every language.
type message struct{ zh, en string }

func (m message) in(p phrases) string {
	if p == english {
		return m.en
	}
	return m.zh
}

// phrases speaks one language.
type phrases string

// t is the phrase of a key, filled in with args.
func (p phrases) t(key string, args ...any) string {
	m, ok := messages[key]
	if !ok {
		return key
	}
	s := m.in(p)
	if len(args) > 0 {
		s = fmt.Sprintf(s, args...)
	}
	return s
}

// value is the name of a code of a closed set, such as onsite of mode; the code
// itself when the set has grown since.
func (p phrases) value(set, code string) string {
	if code == "" {
		return p.t("value.none")
	}
	for _, v := range closed[set] {
		if v.Code == code {
			return v.Name.In(string(p))
		}
	}
	if m, ok := messages[set+"."+code]; ok {
		return m.in(p)
	}
	return code
}

// enumerate joins words as the language does.
func (p phrases) enumerate(words []string) string { return strings.Join(words, p.t("or")) }

// closed are the dimensions with a closed set of values, in the order of the
// forms.
var closed = map[string][]report.Value{
	string(report.ByMode): report.Modes, string(report.ByChannel): report.Channels,
	string(report.ByPersonRole): report.PersonRoles, string(report.ByOrgan): report.Organs,
	string(report.ByStationKind): stationKinds(),
}

func stationKinds() []report.Value {
	var out []report.Value
	for _, k := range schemas.StationKinds {
		out = append(out, report.Value{Code: string(k), Name: k.Title()})
	}
	return out
}
