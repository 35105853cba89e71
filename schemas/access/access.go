// Package access says who may see and do what: roles, the permissions that a
// role has, the scope that a person is bound to, and the gate in front of every
// route. Nothing is allowed that no table here allows.
//
// The table of roles is [Roles]. A person or a program is an [Identity]; the
// [Gate] finds out whose a request is, asks the route's [Rule] whether that
// role may, and hands the identity on in the request's context, [From] which
// handlers take it. What lies outside the scope is "not found" in report and
// refused in ingest.
package access

import (
	"context"
	"slices"

	"zhiban/schemas"
)

// Permission is something that a role may do.
type Permission string

// The permissions.
const (
	// Public is what everyone may, without login: the login itself, the files of
	// its page, the signs of life.
	Public Permission = "public"
	// Own is what everyone may who has logged in: their own account.
	Own Permission = "own"

	ReadFigures    Permission = "read-figures"    // statistics, pages and files of figures
	ReadDetails    Permission = "read-details"    // postings and events behind a figure
	ReadLawyers    Permission = "read-lawyers"    // lawyers' duty records
	ReadQuality    Permission = "read-quality"    // data quality, parked records, verification
	WriteEvents    Permission = "write-events"    // the desk, imports, the events API
	CloseMonth     Permission = "close-month"     // submit, return, accept and amend monthly returns
	Replay         Permission = "replay"          // append parked records to the log again
	Unseal         Permission = "unseal"          // read the texts of the consultation ledger
	ReadAudit      Permission = "read-audit"      // who did and saw what
	Monitor        Permission = "monitor"         // metrics
	ManageAccounts Permission = "manage-accounts" // accounts and tokens
)

// Role is an office's part.
type Role string

// The roles. Justice departments and bureaus are those of their level.
const (
	Administrator Role = "administrator" // accounts; sees no data
	Province      Role = "province"
	Prefecture    Role = "prefecture"
	County        Role = "county"
	Station       Role = "station"    // a station's lawyers and clerks
	Host          Role = "host"       // the organ in which a station sits (三(一)4)
	Bar           Role = "bar"        // the lawyers' association
	Procurator    Role = "procurator" // supervises notification (三(三)4(5))
	Auditor       Role = "auditor"
)

// RoleInfo is what a role is and may.
type RoleInfo struct {
	Role  Role
	Title schemas.Text
	May   []Permission
	// Writes are the kinds of case that the role may write events of; nil: all
	// but returns' (which CloseMonth writes).
	Writes []schemas.CaseKind
	// SmallCells: sees counts of complaints however small (justice and
	// procuratorate); others see none below [SmallCell].
	SmallCells bool
	// Undecided: sees conduct that nobody has decided upon yet (justice).
	Undecided bool
	// OneStation: the scope is one station, not a division.
	OneStation bool
}

// SmallCell is the smallest count of complaints that leaves justice and
// procuratorate.
const SmallCell = 5

// Roles is the table of roles.
var Roles = []RoleInfo{
	{Role: Administrator, Title: schemas.Text{ZH: "系统管理员", EN: "Administrator"}, May: []Permission{ManageAccounts, Monitor, ReadAudit}},
	{Role: Province, Title: schemas.Text{ZH: "省级司法行政机关", EN: "Provincial justice department"}, SmallCells: true, Undecided: true,
		May: []Permission{ReadFigures, ReadDetails, ReadLawyers, ReadQuality, WriteEvents, CloseMonth, Replay}},
	{Role: Prefecture, Title: schemas.Text{ZH: "市（州）司法行政机关", EN: "Prefecture justice bureau"}, SmallCells: true, Undecided: true,
		May: []Permission{ReadFigures, ReadDetails, ReadLawyers, ReadQuality, WriteEvents, CloseMonth}},
	{Role: County, Title: schemas.Text{ZH: "县（市、区）法律援助机构", EN: "County legal aid centre"}, SmallCells: true, Undecided: true,
		May: []Permission{ReadFigures, ReadDetails, ReadLawyers, ReadQuality, WriteEvents, CloseMonth, Unseal}},
	{Role: Station, Title: schemas.Text{ZH: "值班律师工作站", EN: "Station"}, OneStation: true,
		May: []Permission{ReadFigures, ReadDetails, WriteEvents, Unseal}},
	{Role: Host, Title: schemas.Text{ZH: "驻在机关", EN: "Host organ"}, OneStation: true,
		May: []Permission{ReadFigures, ReadDetails}},
	{Role: Bar, Title: schemas.Text{ZH: "律师协会", EN: "Bar association"},
		May:    []Permission{ReadFigures, ReadDetails, ReadLawyers, WriteEvents},
		Writes: []schemas.CaseKind{schemas.CaseConduct, schemas.CaseHonour, schemas.CaseTraining}},
	{Role: Procurator, Title: schemas.Text{ZH: "检察机关", EN: "Procuratorate"}, SmallCells: true,
		May:    []Permission{ReadFigures, ReadDetails, ReadQuality, WriteEvents},
		Writes: []schemas.CaseKind{schemas.CaseSupervision}},
	{Role: Auditor, Title: schemas.Text{ZH: "审计", EN: "Auditor"},
		May: []Permission{ReadFigures, ReadDetails, ReadLawyers, ReadQuality, ReadAudit, Monitor}},
}

// Info is a role's row; ok is false for a role that there is not.
func (r Role) Info() (info RoleInfo, ok bool) {
	i := slices.IndexFunc(Roles, func(row RoleInfo) bool { return row.Role == r })
	if i < 0 {
		return RoleInfo{}, false
	}
	return Roles[i], true
}

// Scope is what an identity may see: one division with all below it, or one
// station when Station is set. The zero Scope sees nothing.
type Scope struct {
	Division schemas.DivisionCode `json:"division,omitempty"`
	Station  schemas.StationCode  `json:"station,omitempty"`
	// SmallCells lets counts of complaints be seen however small they are.
	SmallCells bool `json:"-"`
	// Undecided lets conduct be seen that nobody has decided upon yet.
	Undecided bool `json:"-"`
}

// ProvinceWide sees everything.
var ProvinceWide = Scope{Division: schemas.Province, SmallCells: true, Undecided: true}

// Identity is who asks: a person with an account, or a program with a token.
type Identity struct {
	Account string // unique name; what events and the audit trail say
	Title   string // name for people: of the person, or of the program
	Role    Role
	Scope   Scope
	Token   bool // a program's, not a session's
	// Sole is the user of a machine that nobody has claimed yet, who acts for
	// every office.
	Sole bool
}

// May tells whether the identity has a permission.
func (i Identity) May(p Permission) bool {
	if p == Public || p == Own && i.Account != "" {
		return true
	}
	info, ok := i.Role.Info()
	return ok && slices.Contains(info.May, p)
}

// MayWrite tells whether the identity may write events of a case kind.
func (i Identity) MayWrite(kind schemas.CaseKind) bool {
	info, ok := i.Role.Info()
	switch {
	case !ok:
		return false
	case kind == schemas.CaseReturn:
		return i.May(CloseMonth)
	}
	return i.May(WriteEvents) && (info.Writes == nil || slices.Contains(info.Writes, kind))
}

// Rule is what a route asks of who calls it.
type Rule struct {
	May Permission
	// Audit names the action that calling the route is in the audit trail, such
	// as "export"; empty: it is not recorded.
	Audit string
	// Guess: the route takes a secret that could be guessed, such as a password;
	// the gate lets an address try few a minute.
	Guess bool
}

type contextKey struct{}

// With puts an identity into a context.
func With(ctx context.Context, i Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, i)
}

// From is the identity of a context; the zero Identity, which may nothing, when
// there is none.
func From(ctx context.Context) Identity {
	i, _ := ctx.Value(contextKey{}).(Identity)
	return i
}
