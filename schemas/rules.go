package schemas

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// payload checks data as the data of an event of type t: its schema, and the
// rules that tie fields to each other and to the envelope.
func (s *scanner) payload(at string, ev *Event, t *EventType, fields members) []FieldError {
	schema := payloadSchemas()[t]
	errs := schema.check(at, fields)
	fail := func(field, format string, args ...any) {
		errs = append(errs, FieldError{at + "." + field, fmt.Sprintf(format, args...)})
	}
	text := func(field string) string { // a sound text, or ""
		if m := fields.find(field); m != nil {
			v, _ := m.value.(string)
			return v
		}
		return ""
	}
	list := func(field string) []any { // a sound list, or none
		if m := fields.find(field); m != nil {
			v, _ := m.value.([]any)
			return v
		}
		return nil
	}
	switch schema.payload.(type) {
	case *StationFounded:
		code := StationCode(text("code"))
		if code == "" {
			break
		}
		if ev.Case.Key != "" && string(code) != ev.Case.Key {
			fail("code", "%q is not the station of the subject, %q", code, ev.Case.Key)
		}
		if kind := text("kind"); kind != "" && StationKind(kind) != code.Kind() {
			fail("kind", "%q does not agree with the code %s, which says %q", kind, code, code.Kind())
		}
		if name := text("name"); name != "" && !stationNames[code.Kind()].MatchString(name) {
			fail("name", "%q does not follow the pattern of 三(一)2: %s", shorten(name), stationName("XX", code.Kind()))
		}
	case *LawyerEnrolled:
		if licence := text("licence"); licence != "" && ev.Case.Key != "" && licence != ev.Case.Key {
			fail("licence", "%q is not the lawyer of the subject, %q", licence, ev.Case.Key)
		}
	case *NotificationTriggered:
		organ, trigger := text("organ"), text("trigger")
		if organ != "" && trigger != "" && !slices.Contains(organTriggers[organ], trigger) {
			fail("trigger", "%q is no duty of the organ %q; expected one of %s", trigger, organ, strings.Join(organTriggers[organ], " "))
		}
	case *ShiftPlanned:
		start, wrong := parseTime(text("start"))
		end, wrong2 := parseTime(text("end"))
		if wrong == "" && wrong2 == "" && !end.After(start) {
			fail("end", "%q is not after the start, %q", text("end"), text("start"))
		}
	case *StationInspected:
		missing := list("missing")
		for _, item := range list("met") {
			if slices.Contains(missing, item) {
				fail("missing", "%q is among those met too", item)
			}
		}
	case *SubsidyAccrued:
		checkDay("payable_by", text, fail)
	case *ContactAppointed:
		from, to := text("from"), text("to")
		checkDay("from", text, fail)
		checkDay("to", text, fail)
		if from != "" && to != "" && to < from {
			fail("to", "%q is before the first day, %q", to, from)
		}
	case *ReturnSubmitted, *ReturnAmended:
		checkReturn(ev, schema.payload, fields, fail)
	case *Corrected:
		s.corrected(at, ev, fields, text, fail)
	case *Voided:
		checkTarget(ev, text, fail)
	}
	return errs
}

// checkDay checks a day that may be left out.
func checkDay(field string, text func(string) string, fail func(field, format string, args ...any)) {
	if d, err := ParseDay(text(field)); err == nil && (d < DayOf(earliestTime) || d >= DayOf(latestTime)) {
		fail(field, "%q is not between the years 2000 and 2099", text(field))
	}
}

// The duties to notify by organ (三(三)4(4)).
var organTriggers = map[string][]string{
	"police":         {"interrogation", "coercive_measure"},
	"state_security": {"interrogation", "coercive_measure"},
	"procuratorate":  {"review"},
	"court":          {"accepted", "retrial"},
}

// stationName is the name that 三(一)2 gives to a station of the legal aid
// centre of a place.
func stationName(place string, kind StationKind) string {
	host := map[StationKind]string{Court: "人民法院", Procuratorate: "人民检察院", DetentionCentre: "看守所"}[kind]
	return place + "法律援助中心驻" + host + "值班律师工作站"
}

var stationNames = func() map[StationKind]*regexp.Regexp {
	m := map[StationKind]*regexp.Regexp{}
	for _, kind := range StationKinds {
		m[kind] = regexp.MustCompile(`^\S.*` + stationName("", kind) + `$`)
	}
	return m
}()

// checkTarget checks what corrections and voids point at.
func checkTarget(ev *Event, text func(string) string, fail func(field, format string, args ...any)) {
	v := text("target")
	if v == "" {
		return
	}
	target, ok := parseUUID(v)
	switch {
	case !ok:
		fail("target", "%q is not the id of an event, a UUID of 36 characters", shorten(v))
	case target == ev.ID:
		fail("target", "is this event itself; expected the id of an earlier event of the case")
	}
}

// corrected checks a correction. Its data must fit a type of the case; which
// one it corrects only the log knows. When it fits none, the errors are those
// of the type it comes closest to.
func (s *scanner) corrected(at string, ev *Event, fields members, text func(string) string, fail func(field, format string, args ...any)) {
	checkTarget(ev, text, fail)
	if v := text("time"); v != "" {
		if _, err := parseTime(v); err != "" {
			fail("time", "%s", err)
		}
	}
	m := fields.find("data")
	if m == nil || m.value == (any)(unsound{}) {
		return
	}
	object, ok := m.value.(map[string]any)
	if !ok {
		fail("data", "expected a JSON object, found %s", jsonName(m.value))
		return
	}
	var data members
	for _, name := range slices.Sorted(maps.Keys(object)) {
		data = append(data, member{name, object[name]})
	}
	var raw struct {
		Data jsontext.Value `json:"data"`
	}
	_ = json.Unmarshal(s.env.Data, &raw, jsontext.AllowDuplicateNames(true)) // what is wrong with the other fields is reported already
	var closest *EventType
	var least []FieldError
	for _, t := range factTypes(ev.Type.Case) {
		errs := s.payload(at+".data", ev, t, slices.Clone(data))
		if len(errs) == 0 {
			errs = decode(at+".data", raw.Data, t.Payload())
		}
		if len(errs) == 0 {
			return
		}
		if closest == nil || len(errs) < len(least) {
			closest, least = t, errs
		}
	}
	fail("data", "fits no type that a %s can have; closest is %s:", ev.Type.Case, closest.Name)
	for _, e := range least {
		fail(strings.TrimPrefix(e.Location, at+"."), "%s", e.Message)
	}
}

// decode fills payload from data that follows its schema. What can still be
// wrong is 25.0: an integer for JSON Schema, not for Go.
func decode(at string, data []byte, payload any) []FieldError {
	err := json.Unmarshal(data, payload)
	var mismatch *json.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mismatch):
		field := strings.ReplaceAll(string(mismatch.JSONPointer), "/", ".")
		return []FieldError{{at + field, fmt.Sprintf("expected a whole number without fraction or exponent, found %s", mismatch.JSONValue)}}
	default:
		return []FieldError{{at, err.Error()}}
	}
}

// parseTime reads RFC 3339 with a zone and says what is wrong. time.Parse alone
// would also take an hour of one digit and a comma before the fraction.
func parseTime(v string) (_ time.Time, wrong string) {
	t, err := time.Parse(time.RFC3339, v)
	if err != nil || v[13] != ':' || v[19] == ',' {
		return time.Time{}, fmt.Sprintf("%q is not RFC 3339 with a zone, for example 2026-09-01T08:31:00+08:00", shorten(v))
	}
	if t.Before(earliestTime) || !t.Before(latestTime) {
		return time.Time{}, fmt.Sprintf("%q is not between the years 2000 and 2099", shorten(v))
	}
	return t, ""
}

// looksLikeIdentityNumber tells whether s is written like an identity card
// number (公民身份号码): 18 digits of which the last may be X, or the old 15. As
// a part of something longer it is one when date and check digit are right.
func looksLikeIdentityNumber(s string) bool {
	if len(s) < 15 {
		return false
	}
	bare := pseudonymSeparators.Replace(s)
	if wholeIdentityNumber.MatchString(bare) {
		return true
	}
	for _, run := range digitRun.FindAllString(s, -1) {
		if len(run) == 18 && validIdentityNumber(run) {
			return true
		}
	}
	return false
}

var (
	pseudonymSeparators = strings.NewReplacer(".", "", "_", "", ":", "", "/", "", "-", "")
	wholeIdentityNumber = regexp.MustCompile(`^([0-9]{15}|[0-9]{17}[0-9Xx])$`)
	digitRun            = regexp.MustCompile(`[0-9]+[Xx]?`)
)

// validIdentityNumber checks the date of birth and the check digit (GB 11643).
func validIdentityNumber(s string) bool {
	if _, err := time.Parse("20060102", s[6:14]); err != nil {
		return false
	}
	sum := 0
	for i, weight := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(s[i]-'0') * weight
	}
	return "10X98765432"[sum%11] == strings.ToUpper(s)[17]
}

// shorten keeps a value that is repeated in a message readable.
func shorten(s string) string { return shortenTo(s, 64) }

func shortenTo(s string, n int) string {
	runes := 0
	for i := range s {
		if runes == n {
			return s[:i] + "…"
		}
		runes++
	}
	return s
}
