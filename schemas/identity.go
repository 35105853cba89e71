package schemas

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// EventID identifies an event for ever. The log may hold the same event twice
// (a produce that was retried); it is one event because its id is one.
type EventID = uuid.UUID

// CaseKind names a kind of small history: shift, consultation, application …
type CaseKind string

// The case kinds known to the catalogue (DOMAIN 3).
const (
	CaseStation      CaseKind = "station"
	CaseLawyer       CaseKind = "lawyer"
	CaseShift        CaseKind = "shift"
	CaseConsultation CaseKind = "consultation"
	CaseApplication  CaseKind = "application"
	CaseNotification CaseKind = "notification"
	CaseRoster       CaseKind = "roster"
	CaseContact      CaseKind = "contact"
	CaseAssistance   CaseKind = "assistance"
	CaseComplaint    CaseKind = "complaint"
	CaseActivity     CaseKind = "activity"
	CaseHelpRequest  CaseKind = "help_request"
	CaseSupervision  CaseKind = "supervision"
	CaseSubsidy      CaseKind = "subsidy"
	CaseTraining     CaseKind = "training"
	CaseConduct      CaseKind = "conduct"
	CaseHonour       CaseKind = "honour"
	CaseFeedback     CaseKind = "feedback"
	CaseMeeting      CaseKind = "meeting"
	CaseMatter       CaseKind = "matter"
	CaseReturn       CaseKind = "return"
)

// CaseID is the subject of an event: "<kind>/<key>", where key is a UUID, the
// station code, the lawyer's licence, or division and month of a return.
type CaseID struct {
	Kind CaseKind
	Key  string
}

func (c CaseID) String() string { return string(c.Kind) + "/" + c.Key }

// ParseCaseID reads "<kind>/<key>" and checks the key's form. UUIDs are
// normalised to lower case, so one case has one spelling.
func ParseCaseID(s string) (CaseID, error) {
	kind, key, ok := strings.Cut(s, "/")
	if !ok {
		return CaseID{}, fmt.Errorf("subject %q is not <case>/<id>, for example shift/0199a1c2-7d1e-7c3a-9a55-0242ac120001", s)
	}
	id := CaseID{CaseKind(kind), key}
	switch id.Kind {
	case CaseStation:
		if _, err := ParseStationCode(key); err != nil {
			return CaseID{}, fmt.Errorf("subject %q: %w", s, err)
		}
	case CaseLawyer:
		if _, err := ParseLicence(key); err != nil {
			return CaseID{}, fmt.Errorf("subject %q: %w", s, err)
		}
	case CaseReturn:
		if _, err := ParseReturnID(key); err != nil {
			return CaseID{}, fmt.Errorf("subject %q: %w", s, err)
		}
	default:
		u, err := uuid.Parse(key)
		if err != nil || len(key) != 36 {
			return CaseID{}, fmt.Errorf("subject %q: the id of a %s is a UUID", s, kind)
		}
		id.Key = u.String()
	}
	return id, nil
}

// DivisionCode is a division of divisions.tsv: GB/T 2260, or 22CBxx for the
// 长白山 unit, which has no national code.
type DivisionCode string

// Province is the root of the tree of divisions.
const Province DivisionCode = "220000"

// StationKind is where a station sits (三(一)1).
type StationKind string

// The three kinds of station.
const (
	Court           StationKind = "court"
	Procuratorate   StationKind = "procuratorate"
	DetentionCentre StationKind = "detention_centre"
)

// StationKinds lists the kinds in the order of the regulation's forms.
var StationKinds = []StationKind{Court, Procuratorate, DetentionCentre}

// Title returns the kind's name.
func (k StationKind) Title() Text {
	switch k {
	case Court:
		return Text{"法院", "Court"}
	case Procuratorate:
		return Text{"检察院", "Procuratorate"}
	case DetentionCentre:
		return Text{"看守所", "Detention centre"}
	}
	return Text{string(k), string(k)}
}

// StationCode is "<division code>-<court|procuratorate|detention>", with "-2"
// and so on for a further station of the same kind in the same division.
type StationCode string

// ParseStationCode checks form and division; the station itself need not be
// registered.
func ParseStationCode(s string) (StationCode, error) {
	division, rest, ok := strings.Cut(s, "-")
	kind, number, numbered := strings.Cut(rest, "-")
	ok = ok && len(division) == 6 && (kind == "court" || kind == "procuratorate" || kind == "detention")
	if numbered {
		ok = ok && len(number) <= 2 && number != "" && number[0] != '0' && strings.Trim(number, "0123456789") == ""
	}
	if !ok {
		return "", fmt.Errorf("station code %q is not <division code>-<court|procuratorate|detention>, for example 220182-court", s)
	}
	if _, ok := Divisions.Get(DivisionCode(division)); !ok {
		return "", fmt.Errorf("station code %q: %s is not a division of the province", s, division)
	}
	return StationCode(s), nil
}

// Division is the division in the code: where an unregistered station reports.
func (c StationCode) Division() DivisionCode {
	d, _, _ := strings.Cut(string(c), "-")
	return DivisionCode(d)
}

// Kind is the kind of station in the code.
func (c StationCode) Kind() StationKind {
	_, rest, _ := strings.Cut(string(c), "-")
	suffix, _, _ := strings.Cut(rest, "-")
	if suffix == "detention" {
		return DetentionCentre
	}
	return StationKind(suffix)
}

// CodeSuffix is the part of a station code that says the kind.
func (k StationKind) CodeSuffix() string {
	if k == DetentionCentre {
		return "detention"
	}
	return string(k)
}

// Licence is a lawyer's 执业证号: 17 digits. Zero means no lawyer.
type Licence uint64

// ParseLicence reads 17 digits.
func ParseLicence(s string) (Licence, error) {
	if len(s) != 17 {
		return 0, fmt.Errorf("licence %q: a licence number (执业证号) has 17 digits", s)
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("licence %q: a licence number (执业证号) has 17 digits and nothing else", s)
	}
	return Licence(n), nil
}

func (l Licence) String() string {
	if l == 0 {
		return ""
	}
	return fmt.Sprintf("%017d", uint64(l))
}

// MarshalText writes the 17 digits.
func (l Licence) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (l *Licence) UnmarshalText(b []byte) (err error) {
	*l, err = ParseLicence(string(b))
	return err
}

// Source is where an event happened: a station, or a division for events that
// belong to none.
type Source struct {
	Station  StationCode  // empty for a division's own event
	Division DivisionCode // the division in the code, never empty
}

// ParseSource reads "/stations/<code>" or "/divisions/<code>".
func ParseSource(s string) (Source, error) {
	if code, ok := strings.CutPrefix(s, "/stations/"); ok {
		st, err := ParseStationCode(code)
		if err != nil {
			return Source{}, fmt.Errorf("source %q: %w", s, err)
		}
		return Source{st, st.Division()}, nil
	}
	if code, ok := strings.CutPrefix(s, "/divisions/"); ok {
		if _, ok := Divisions.Get(DivisionCode(code)); !ok {
			return Source{}, fmt.Errorf("source %q: %s is not a division of the province", s, code)
		}
		return Source{Division: DivisionCode(code)}, nil
	}
	return Source{}, fmt.Errorf("source %q is neither /stations/<station code> nor /divisions/<division code>", s)
}

func (s Source) String() string {
	if s.Station != "" {
		return "/stations/" + string(s.Station)
	}
	return "/divisions/" + string(s.Division)
}

// Key is the Kafka key: the station code, or the division code for events
// with no station, so one case is always in one partition.
func (s Source) Key() string {
	if s.Station != "" {
		return string(s.Station)
	}
	return string(s.Division)
}

// Text is a phrase in the two languages of the interface.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// In returns the phrase in the language asked for; Chinese is the default.
func (t Text) In(lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.ZH
}
