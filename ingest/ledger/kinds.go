package ledger

import (
	"fmt"
	"slices"
	"strings"

	"zhiban/schemas"
)

// Kind is which ledger a sheet is. It is also the kind of the cases that its
// lines are.
type Kind string

// The ledgers. Kinds are only ever added: they are part of the lines' identity.
const (
	SignInBook            Kind = "shift"        // 签到簿
	ConsultationsLedger   Kind = "consultation" // 咨询台账
	ApplicationsRegister  Kind = "application"  // 法律援助申请登记簿
	NotificationsRegister Kind = "notification" // 告知登记簿
	TrainingList          Kind = "training"     // 培训名单
	SubsidyList           Kind = "subsidy"      // 补贴发放表
)

// kindRow is a row of the table of kinds.
type kindRow struct {
	kind Kind
	schemas.Text
	names []string // what else it may be called on the command line

	// A heading is of this kind when it has at least need of the own columns,
	// and three together with the common ones.
	own, common []field
	need        int
	either      [][]field // of each of these at least one column is required

	read     func(*cells) line
	says     func(line) string            // what makes two lines with the same key different
	key      func(line) string            // whom it is about: with station and time the line's identity
	single   bool                         // there is one line of a key at most: another one contradicts it
	differs  func(a, b line) schemas.Text // names what two lines of a single kind differ in
	events   func(line, string) []lineEvent
	ofCentre bool // may be a legal aid centre's, which has no station
}

// lineEvent is an event of a line's case.
type lineEvent struct {
	verb    string
	second  bool // happened at the line's end, not at its start
	payload any
}

// kinds is the table of kinds, in the order in which a heading that could be
// two of them is decided.
var kinds = []*kindRow{
	{
		kind: SignInBook, Text: schemas.Text{ZH: "签到簿", EN: "sign-in book"}, names: []string{"值班签到簿", "sign-in", "signin"},
		own: []field{colSignIn, colSignOut, colSpan, colMode}, common: []field{colDate, colAt, colLawyer, colLicence}, need: 1, either: [][]field{{colSignIn, colSpan}},
		read: (*cells).shift, says: saysShift, key: byLicence, single: true, differs: shiftsDiffer,
		events: shiftEvents,
	}, {
		kind: ConsultationsLedger, Text: schemas.Text{ZH: "咨询台账", EN: "consultation ledger"}, names: []string{"法律咨询台账", "咨询登记簿", "consultations"},
		own: []field{colRole, colChannel, colQuestion, colAnswer, colGuided}, common: []field{colDate, colAt, colLawyer, colLicence}, need: 1, either: [][]field{{colDate, colAt}},
		read: (*cells).consultation, says: saysConsultation, key: byLicence,
		events: consultationEvents,
	}, {
		kind: ApplicationsRegister, Text: schemas.Text{ZH: "法律援助申请登记簿", EN: "application register"}, names: []string{"申请登记簿", "法律援助申请登记表", "申请台账", "applications"},
		own: []field{colCustody, colThenDate, colThenAt, colAgency, colApplicant}, common: []field{colDate, colAt, colLawyer, colLicence}, need: 2, either: [][]field{{colDate, colAt}},
		read: (*cells).application, says: saysApplication, key: byLicence,
		events: applicationEvents,
	}, {
		kind: NotificationsRegister, Text: schemas.Text{ZH: "告知登记簿", EN: "notification register"}, names: []string{"权利告知登记簿", "告知登记表", "告知台账", "notifications"},
		own: []field{colOrgan, colTrigger, colForm, colThenDate, colThenAt, colEvidence}, common: []field{colDate, colAt, colCustody}, need: 2, either: [][]field{{colDate, colAt}},
		read: (*cells).notification, says: saysNotification, key: byDuty,
		events: notificationEvents,
	}, {
		kind: TrainingList, Text: schemas.Text{ZH: "培训名单", EN: "training list"}, names: []string{"培训签到表", "培训登记表", "trainings"},
		own: []field{colTopic, colHours}, common: []field{colDate, colLawyer, colLicence}, need: 2, either: [][]field{{colDate}},
		read: (*cells).training, says: saysTraining, key: byTopic,
		events: trainingEvents, ofCentre: true,
	}, {
		kind: SubsidyList, Text: schemas.Text{ZH: "补贴发放表", EN: "subsidy list"}, names: []string{"补贴表", "值班补贴发放表", "subsidies"},
		own: []field{colAmount, colPaid}, common: []field{colDate, colLawyer, colLicence}, need: 1,
		read: (*cells).subsidy, says: saysSubsidy, key: byLicence,
		events: subsidyEvents, ofCentre: true,
	},
}

// row is the kind's row of the table.
func (k Kind) row() *kindRow {
	for _, r := range kinds {
		if r.kind == k {
			return r
		}
	}
	return &kindRow{kind: k, Text: schemas.Text{ZH: "未识别", EN: "not recognised"}}
}

// Title is the kind's Chinese name.
func (k Kind) Title() string { return k.row().ZH }

// Text is the kind's name in both languages.
func (k Kind) Text() schemas.Text { return k.row().Text }

// Kinds lists the kinds of ledgers.
func Kinds() []Kind {
	var out []Kind
	for _, r := range kinds {
		out = append(out, r.kind)
	}
	return out
}

// ParseKind reads a kind as people call it, in Chinese or English.
func ParseKind(s string) (Kind, error) {
	name := strings.ToLower(squeeze(s))
	var known []string
	for _, r := range kinds {
		if name == string(r.kind) || name == r.ZH || name == squeeze(r.EN) || name == strings.ReplaceAll(r.EN, " ", "-") || slices.Contains(r.names, name) {
			return r.kind, nil
		}
		known = append(known, fmt.Sprintf("%s（%s）", r.ZH, r.kind))
	}
	return "", schemas.Errorf(schemas.Invalid, "没有「%s」这种台账；可以是 %s", s, strings.Join(known, "、"))
}

func (r *kindRow) eventType(verb string) string {
	return "zhiban." + string(r.kind) + "." + verb + ".v1"
}

func byLicence(n line) string { return n.licence }
func byDuty(n line) string    { return n.organ + "/" + n.trigger }
func byTopic(n line) string   { return n.licence + "/" + n.topic }

// whose names what lines of a kind are told apart by beside their time.
func (k Kind) whose() schemas.Text {
	if k == NotificationsRegister {
		return tell("机关同一事由")
	}
	return tell("律师")
}
