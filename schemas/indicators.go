package schemas

import (
	"slices"
)

// IndicatorCode names a figure on every page, form, export and API.
type IndicatorCode string

// The indicators. Outside programs rely on the codes: they never change.
const (
	Stations                IndicatorCode = "stations"
	Lawyers                 IndicatorCode = "lawyers"
	Shifts                  IndicatorCode = "shifts"
	DutyMinutes             IndicatorCode = "duty_minutes"
	ShiftsOpen              IndicatorCode = "shifts_open"
	Consultations           IndicatorCode = "consultations"
	PersonsConsulted        IndicatorCode = "persons_consulted"
	ConsultationsGuided     IndicatorCode = "consultations_guided"
	ConsultationsUnsigned   IndicatorCode = "consultations_unsigned"
	ApplicationsReceived    IndicatorCode = "applications_received"
	ApplicationsTransferred IndicatorCode = "applications_transferred"
	TransferDue24h          IndicatorCode = "transfer_due_24h"
	TransferMet24h          IndicatorCode = "transfer_met_24h"
	TransferredWithin24h    IndicatorCode = "transferred_within_24h"
	NotificationsDue        IndicatorCode = "notifications_due"
	NotificationsOnTime     IndicatorCode = "notifications_on_time"
	NotificationsLate       IndicatorCode = "notifications_late"
	NotificationsUnevid     IndicatorCode = "notifications_unevidenced"
	NotificationsOpen       IndicatorCode = "notifications_open"
	NotificationsOverdue    IndicatorCode = "notifications_overdue"
)

// IndicatorKind says how a figure behaves when it is split or added.
type IndicatorKind string

// The kinds of figure.
const (
	Additive IndicatorKind = "additive" // 件, 人次: parts add to the whole
	Distinct IndicatorKind = "distinct" // 人: never adds up, every total is counted anew
	Ratio    IndicatorKind = "ratio"    // numerator over denominator, both additive; null when the denominator is 0
	Stock    IndicatorKind = "stock"    // how many there are at the end of the range
	Overdue  IndicatorKind = "overdue"  // additive, of what is still open after its due day at the moment asked for
)

// Indicator is a row of the catalogue of figures.
type Indicator struct {
	Code       IndicatorCode `json:"code"`
	Name       Text          `json:"name"`
	Unit       Text          `json:"unit"`
	Kind       IndicatorKind `json:"kind"`
	Definition Text          `json:"definition"`
	Clause     string        `json:"clause"`
	// Effective is the first day the duty existed; zero: since the 2018 rules.
	Effective Day `json:"-"`
	// Of is the indicator whose postings a distinct, overdue or ratio figure is
	// computed from (a ratio's numerator); Over is a ratio's denominator.
	Of   IndicatorCode `json:"of,omitempty"`
	Over IndicatorCode `json:"over,omitempty"`
}

// IndicatorCatalogue is the table of figures.
type IndicatorCatalogue struct {
	rows []Indicator
}

// LegalAidLaw is the day the Legal Aid Law (法律援助法) took effect; its art. 39
// gives the 24 hours for transferring an application.
var LegalAidLaw = Date(2022, 1, 1)

// Indicators lists every figure there is.
var Indicators = IndicatorCatalogue{[]Indicator{
	{Code: Shifts, Name: Text{"值班班次", "Duty shifts"}, Unit: Text{"人次", "shifts"}, Kind: Additive, Clause: "三(四)1(1)、2(3)",
		Definition: Text{"签到簿上的值班签到次数，计入签到当日。", "Sign-ins in the sign-in book, on the day of the sign-in."}},
	{Code: DutyMinutes, Name: Text{"值班时长", "Duty time"}, Unit: Text{"分钟", "minutes"}, Kind: Additive, Clause: "三(四)1(1)",
		Definition: Text{"签到至签退的整分钟数，计入签到当日；未签退的不计。", "Whole minutes from sign-in to sign-out, on the day of the sign-in; nothing without a sign-out."}},
	{Code: ShiftsOpen, Name: Text{"未签退班次", "Shifts without sign-out"}, Unit: Text{"人次", "shifts"}, Kind: Additive, Clause: "三(四)2(3)",
		Definition: Text{"已签到而没有有效签退的班次。", "Shifts signed in without a valid sign-out."}},
	{Code: Consultations, Name: Text{"法律咨询", "Consultations"}, Unit: Text{"人次", "person-times"}, Kind: Additive, Clause: "三(三)1(1)、三(四)2(2)",
		Definition: Text{"咨询台账上登记的咨询次数，计入咨询当日。", "Lines of the consultation ledger, on the day of the consultation."}},
	{Code: PersonsConsulted, Name: Text{"接受咨询人数", "Persons consulted"}, Unit: Text{"人", "persons"}, Kind: Distinct, Of: Consultations, Clause: "三(三)1(1)",
		Definition: Text{"所选范围内接受咨询的不同的人；各月、各地之数不可相加。", "Different persons consulted in the range asked for; months and divisions do not add up."}},
	{Code: ConsultationsGuided, Name: Text{"引导申请法律援助", "Guided to apply"}, Unit: Text{"人次", "person-times"}, Kind: Additive, Clause: "三(三)1(2)、三(四)2(2)",
		Definition: Text{"咨询时引导当事人申请法律援助的次数。", "Consultations in which the person was guided to apply for legal aid."}},
	{Code: ConsultationsUnsigned, Name: Text{"台账未签字", "Unsigned ledger lines"}, Unit: Text{"人次", "lines"}, Kind: Additive, Clause: "三(四)2(3)",
		Definition: Text{"已登记而律师尚未签字的咨询。", "Consultations recorded that the lawyer has not signed yet."}},
	{Code: ApplicationsReceived, Name: Text{"接收法律援助申请", "Applications received"}, Unit: Text{"件", "applications"}, Kind: Additive, Clause: "三(三)1(2)",
		Definition: Text{"工作站接收的法律援助申请，计入接收当日。", "Applications for legal aid received at the station, on the day of receipt."}},
	{Code: ApplicationsTransferred, Name: Text{"转交法律援助申请", "Applications transferred"}, Unit: Text{"件", "applications"}, Kind: Additive, Clause: "三(三)1(2)",
		Definition: Text{"转交法律援助机构的申请，计入转交当日。", "Applications passed to the legal aid centre, on the day of the transfer."}},
	{Code: TransferredWithin24h, Name: Text{"24小时内转交率", "Transferred within 24 h"}, Unit: Text{"%", "%"}, Kind: Ratio, Of: TransferMet24h, Over: TransferDue24h, Clause: "法律援助法第39条", Effective: LegalAidLaw,
		Definition: Text{"接收后24小时内转交的申请占同日接收申请的比例，计入接收当日；2022年1月1日起适用。", "Share of applications transferred within 24 hours of receipt, by the day of receipt; since 2022-01-01."}},
	{Code: TransferDue24h, Name: Text{"应在24小时内转交", "To be transferred within 24 h"}, Unit: Text{"件", "applications"}, Kind: Additive, Clause: "法律援助法第39条", Effective: LegalAidLaw,
		Definition: Text{"2022年1月1日起接收的申请。", "Applications received since 2022-01-01."}},
	{Code: TransferMet24h, Name: Text{"已在24小时内转交", "Transferred in 24 h"}, Unit: Text{"件", "applications"}, Kind: Additive, Clause: "法律援助法第39条", Effective: LegalAidLaw,
		Definition: Text{"其中接收后24小时内转交的。", "Those of them that were transferred within 24 hours."}},
	{Code: NotificationsDue, Name: Text{"应告知", "Notifications due"}, Unit: Text{"人次", "notices"}, Kind: Additive, Clause: "三(三)4(4)",
		Definition: Text{"办案机关告知义务发生的次数，各项告知均计入义务发生当日。", "Duties to notify that arose; all notification figures are on the day the duty arose."}},
	{Code: NotificationsOnTime, Name: Text{"按时告知", "Notified on time"}, Unit: Text{"人次", "notices"}, Kind: Additive, Clause: "三(三)4(4)",
		Definition: Text{"在期限最后一日结束前告知并有笔录或送达回执的。", "Given with its evidence by the end of the last day."}},
	{Code: NotificationsLate, Name: Text{"逾期告知", "Notified late"}, Unit: Text{"人次", "notices"}, Kind: Additive, Clause: "三(三)4(4)",
		Definition: Text{"有笔录或送达回执，但晚于期限最后一日的。", "Given with its evidence after the last day."}},
	{Code: NotificationsUnevid, Name: Text{"告知无凭据", "Notified without evidence"}, Unit: Text{"人次", "notices"}, Kind: Additive, Clause: "三(三)4(4)",
		Definition: Text{"已告知但没有笔录或送达回执的，既不算按时也不算逾期。", "Given without transcript or receipt: neither on time nor late."}},
	{Code: NotificationsOpen, Name: Text{"尚未告知", "Not notified yet"}, Unit: Text{"人次", "notices"}, Kind: Additive, Clause: "三(三)4(4)",
		Definition: Text{"告知义务已发生而尚未告知的，不论期限是否已过。", "Duties that arose and were not fulfilled, whether or not the deadline has passed."}},
	{Code: NotificationsOverdue, Name: Text{"逾期未告知", "Overdue notifications"}, Unit: Text{"人次", "notices"}, Kind: Overdue, Of: NotificationsOpen, Clause: "三(三)4(4)",
		Definition: Text{"查询时点期限已过而仍未告知的。", "Not notified although the last day has passed at the moment asked for."}},
	{Code: Stations, Name: Text{"工作站", "Stations"}, Unit: Text{"个", "stations"}, Kind: Stock, Clause: "三(一)1",
		Definition: Text{"期末已设立的工作站。", "Stations founded by the end of the range."}},
	{Code: Lawyers, Name: Text{"在册值班律师", "Lawyers on the roster"}, Unit: Text{"人", "lawyers"}, Kind: Stock, Clause: "三(二)1",
		Definition: Text{"期末在册的值班律师。", "Duty lawyers enrolled by the end of the range."}},
}}

// All lists the indicators in the catalogue's order.
func (c IndicatorCatalogue) All() []Indicator { return slices.Clone(c.rows) }

// Lookup finds an indicator by its code.
func (c IndicatorCatalogue) Lookup(code IndicatorCode) (Indicator, error) {
	for _, r := range c.rows {
		if r.Code == code {
			return r, nil
		}
	}
	return Indicator{}, Errorf(Invalid, "indicator %q is not in the catalogue; GET /api/v1/indicators lists the codes", code)
}

// Postable lists the codes that postings carry: every figure that is not
// computed from another's postings.
func (c IndicatorCatalogue) Postable() []IndicatorCode {
	var out []IndicatorCode
	for _, r := range c.rows {
		if r.Of == "" {
			out = append(out, r.Code)
		}
	}
	return out
}
