package schemas

import (
	"slices"
	"time"
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
	PersonsHelped           IndicatorCode = "persons_helped"
	ConsultationsGuided     IndicatorCode = "consultations_guided"
	ConsultationsUnsigned   IndicatorCode = "consultations_unsigned"
	ConsultationsLateEntry  IndicatorCode = "consultations_late_entry"
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
	PleaAssistance          IndicatorCode = "plea_assistance"
	Affidavits              IndicatorCode = "affidavits"
	ClientMeetings          IndicatorCode = "client_meetings"
	FileReviews             IndicatorCode = "file_reviews"
	Opinions                IndicatorCode = "opinions"
	OpinionsAdopted         IndicatorCode = "opinions_adopted"
	CoerciveMeasures        IndicatorCode = "coercive_measure_applications"
	ProcedureChoices        IndicatorCode = "procedure_choices"
	Complaints              IndicatorCode = "complaints"
	PublicitySessions       IndicatorCode = "publicity_sessions"
	OtherTasks              IndicatorCode = "other_tasks"
	ApplicationsAccepted    IndicatorCode = "applications_accepted"
	ApplicationsRefused     IndicatorCode = "applications_refused"
	AssignmentConflicts     IndicatorCode = "assignment_conflicts"
	HelpRequests            IndicatorCode = "help_requests"
	HelpRequestsDispatched  IndicatorCode = "help_requests_dispatched"
	CorrectionsIssued       IndicatorCode = "corrections_issued"
	CorrectionsAnswered     IndicatorCode = "corrections_answered"
	CorrectionsClosed       IndicatorCode = "corrections_closed"
	SubsidiesDue            IndicatorCode = "subsidies_due"
	SubsidiesPaid           IndicatorCode = "subsidies_paid"
	SubsidiesTimed          IndicatorCode = "subsidies_timed"
	SubsidiesAwaited        IndicatorCode = "subsidies_awaited"
	SubsidiesPayable        IndicatorCode = "subsidies_payable"
	SubsidiesLate           IndicatorCode = "subsidies_late"
	SubsidiesLateRate       IndicatorCode = "subsidies_late_rate"
	TrainingHours           IndicatorCode = "training_hours"
	FeedbackCount           IndicatorCode = "feedback_count"
	FeedbackScore           IndicatorCode = "feedback_score"
	Satisfaction            IndicatorCode = "satisfaction"
	ConductUpheld           IndicatorCode = "conduct_upheld"
	Honours                 IndicatorCode = "honours"
	ShiftsPlanned           IndicatorCode = "shifts_planned"
	ShiftsAwaited           IndicatorCode = "shifts_awaited"
	NoShows                 IndicatorCode = "no_shows"
	Inspections             IndicatorCode = "inspections"
	InspectionsMet          IndicatorCode = "inspections_met"
	InspectionPassRate      IndicatorCode = "inspection_pass_rate"
	RosterDeliveries        IndicatorCode = "roster_deliveries"
	JointMeetings           IndicatorCode = "joint_meetings"
	MattersReported         IndicatorCode = "matters_reported"
	MattersOpen             IndicatorCode = "matters_open"
	WithDefender            IndicatorCode = "with_defender"
	OutsideDuties           IndicatorCode = "outside_duties"
	LawyersOnDuty           IndicatorCode = "lawyers_on_duty"
	LawyersTrained          IndicatorCode = "lawyers_trained"
	ShiftsDue               IndicatorCode = "shifts_due"
	AttendanceRate          IndicatorCode = "attendance_rate"
	SignOutRate             IndicatorCode = "sign_out_rate"
	SignatureRate           IndicatorCode = "signature_rate"
	LateEntryRate           IndicatorCode = "late_entry_rate"
	AdoptionRate            IndicatorCode = "adoption_rate"
	NotifiedOnTimeRate      IndicatorCode = "notified_on_time_rate"
	CorrectionsAnsweredRate IndicatorCode = "corrections_answered_rate"
	ResponseMinutes         IndicatorCode = "response_minutes"
	ResponseMedian          IndicatorCode = "response_median"
	ResponseP90             IndicatorCode = "response_p90"
)

// IndicatorKind says how a figure behaves when it is split or added.
type IndicatorKind string

// The kinds of figure.
const (
	Additive IndicatorKind = "additive" // 件, 人次: parts add to the whole
	Distinct IndicatorKind = "distinct" // 人: never adds up, every total is counted anew
	Ratio    IndicatorKind = "ratio"    // numerator over denominator, both of which add up; null when the denominator is 0
	Mean     IndicatorKind = "mean"     // like a ratio, in a unit of its own: a score
	Stock    IndicatorKind = "stock"    // how many there are at the end of the range
	Overdue  IndicatorKind = "overdue"  // additive, of that whose due day has passed at the moment asked for
	// Percentile is a value below which a part of the cases lies. It never adds
	// up; between two cases it is interpolated, as PERCENTILE.INC does.
	Percentile IndicatorKind = "percentile"
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
	// Of is the indicator whose postings a distinct, overdue, percentile or ratio
	// figure is computed from (a ratio's numerator); Over is a ratio's denominator,
	// or counts the cases of a percentile.
	Of   IndicatorCode `json:"of,omitempty"`
	Over IndicatorCode `json:"over,omitempty"`
	// With are what a distinct figure is computed from beside Of: somebody in the
	// postings of several is one.
	With []IndicatorCode `json:"with,omitempty"`
	// Rest says that a ratio is of what is left: 1 − Of/Over.
	Rest bool `json:"rest,omitempty"`
	// Lawyers says that a distinct figure is of lawyers; else it is of persons.
	Lawyers bool `json:"-"`
	// Quantile is the part of the cases that lies below a percentile, and Case
	// their kind.
	Quantile float64  `json:"quantile,omitempty"`
	Case     CaseKind `json:"-"`
	// Parts is how many units of its postings make one of the figure: training
	// is posted in minutes and shown in hours. Zero is one.
	Parts int64 `json:"-"`
}

// Divided tells whether the figure is of so many, and not available where they
// are none.
func (i Indicator) Divided() bool { return i.Over != "" }

// Sources are the indicators that the figure is computed from, the denominator
// last; none when it is posted itself.
func (i Indicator) Sources() []IndicatorCode {
	if i.Of == "" {
		return nil
	}
	out := append([]IndicatorCode{i.Of}, i.With...)
	if i.Over != "" {
		out = append(out, i.Over)
	}
	return out
}

// Shown is the unit in which people read the figure, and how many of the
// catalogue's units make one: hours for minutes, yuan for fen.
func (i Indicator) Shown() (unit Text, parts float64) {
	switch {
	case i.Kind == Percentile:
		return i.Unit, 1
	case i.Unit.EN == "minutes":
		return Text{"小时", "hours"}, 60
	case i.Unit.EN == "fen":
		return Text{"元", "yuan"}, 100
	}
	return i.Unit, 1
}

// IndicatorCatalogue is the table of figures.
type IndicatorCatalogue struct {
	rows   []Indicator
	byCode map[IndicatorCode]int
}

// LegalAidLaw is the day the Legal Aid Law (法律援助法) took effect; its art. 39
// gives the 24 hours for transferring an application.
var LegalAidLaw = Date(2022, 1, 1)

// Later law that added duties: the amended Criminal Procedure Law (刑事诉讼法) and
// the Measures for duty lawyers (法律援助值班律师工作办法).
var (
	ProcedureLaw2018   = Date(2018, 10, 26)
	DutyLawyerMeasures = Date(2020, 8, 20)
)

// LateEntryAfter is how long after it happened something is recorded late (补录):
// 三(四)2(2) asks for a record on the spot.
const LateEntryAfter = 24 * time.Hour

// Indicators lists every figure there is.
var Indicators = catalogue([]Indicator{
	{Code: Shifts, Name: Text{"值班班次", "Duty shifts"}, Unit: Text{"人次", "shifts"}, Kind: Additive, Clause: "三(四)1(1)、2(3)",
		Definition: Text{"签到簿上的值班签到次数，计入签到当日。", "Sign-ins in the sign-in book, on the day of the sign-in."}},
	{Code: DutyMinutes, Name: Text{"值班时长", "Duty time"}, Unit: Text{"分钟", "minutes"}, Kind: Additive, Clause: "三(四)1(1)",
		Definition: Text{"签到至签退的整分钟数，计入签到当日；未签退的不计。", "Whole minutes from sign-in to sign-out, on the day of the sign-in; nothing without a sign-out."}},
	{Code: ShiftsOpen, Name: Text{"未签退班次", "Shifts without sign-out"}, Unit: Text{"人次", "shifts"}, Kind: Additive, Clause: "三(四)2(3)",
		Definition: Text{"已签到而没有有效签退的班次。", "Shifts signed in without a valid sign-out."}},
	{Code: SignOutRate, Name: Text{"签退率", "Signed out"}, Unit: Text{"%", "%"}, Kind: Ratio, Of: ShiftsOpen, Over: Shifts, Rest: true, Clause: "三(四)2(3)",
		Definition: Text{"有有效签退的班次占值班班次的比例。", "Share of the shifts that have a valid sign-out."}},
	{Code: LawyersOnDuty, Name: Text{"值班律师人数", "Lawyers on duty"}, Unit: Text{"人", "lawyers"}, Kind: Distinct, Of: Shifts, Lawyers: true, Clause: "三(二)1、三(四)1(1)",
		Definition: Text{"所选范围内签到值班的不同的律师；各月、各地之数不可相加。", "Different lawyers who signed in for duty in the range asked for; months and divisions do not add up."}},
	{Code: Consultations, Name: Text{"法律咨询", "Consultations"}, Unit: Text{"人次", "person-times"}, Kind: Additive, Clause: "三(三)1(1)、三(四)2(2)",
		Definition: Text{"咨询台账上登记的咨询次数，计入咨询当日。", "Lines of the consultation ledger, on the day of the consultation."}},
	{Code: PersonsConsulted, Name: Text{"接受咨询人数", "Persons consulted"}, Unit: Text{"人", "persons"}, Kind: Distinct, Of: Consultations, Clause: "三(三)1(1)",
		Definition: Text{"所选范围内接受咨询的不同的人；各月、各地之数不可相加。", "Different persons consulted in the range asked for; months and divisions do not add up."}},
	{Code: ConsultationsGuided, Name: Text{"引导申请法律援助", "Guided to apply"}, Unit: Text{"人次", "person-times"}, Kind: Additive, Clause: "三(三)1(2)、三(四)2(2)",
		Definition: Text{"咨询时引导当事人申请法律援助的次数。", "Consultations in which the person was guided to apply for legal aid."}},
	{Code: ConsultationsUnsigned, Name: Text{"台账未签字", "Unsigned ledger lines"}, Unit: Text{"人次", "lines"}, Kind: Additive, Clause: "三(四)2(3)",
		Definition: Text{"已登记而律师尚未签字的咨询。", "Consultations recorded that the lawyer has not signed yet."}},
	{Code: SignatureRate, Name: Text{"台账签字率", "Ledger signed"}, Unit: Text{"%", "%"}, Kind: Ratio, Of: ConsultationsUnsigned, Over: Consultations, Rest: true, Clause: "三(四)2(3)",
		Definition: Text{"律师已签字的咨询占法律咨询的比例。", "Share of the consultations that the lawyer has signed."}},
	{Code: ConsultationsLateEntry, Name: Text{"台账补录", "Ledger lines entered late"}, Unit: Text{"人次", "lines"}, Kind: Additive, Clause: "三(四)2(2)",
		Definition: Text{"咨询时间与首次录入平台的时间相差超过24小时的咨询，计入咨询当日。录入后的更正不算补录；更正了咨询时间的，按更正后的时间计；作废后重新登记的，按重新登记的录入时间计；由文件导入的，按导入时间计。",
			"Consultations first recorded here more than 24 hours after they took place, on the day of the consultation. A later correction is no late entry; one of the consultation's own time is counted by the new time; what was voided and entered anew, by when that was recorded; what came from a file, by when it was imported."}},
	{Code: LateEntryRate, Name: Text{"台账补录率", "Late-entry rate"}, Unit: Text{"%", "%"}, Kind: Ratio, Of: ConsultationsLateEntry, Over: Consultations, Clause: "三(四)2(2)",
		Definition: Text{"台账补录占法律咨询的比例。", "Share of the consultations that were entered late."}},
	{Code: WithDefender, Name: Text{"已有辩护人", "Persons with a defender"}, Unit: Text{"人次", "person-times"}, Kind: Additive, Clause: "二",
		Definition: Text{"咨询时当事人已有辩护人的次数；值班律师服务的对象是没有辩护人的人。", "Consultations of persons who have a defender; duty lawyers are there for those who have none."}},
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
	{Code: NotifiedOnTimeRate, Name: Text{"按时告知率", "Notified on time, rate"}, Unit: Text{"%", "%"}, Kind: Ratio, Of: NotificationsOnTime, Over: NotificationsDue, Clause: "三(三)4(4)",
		Definition: Text{"按时告知占应告知的比例；期限未到而尚未告知的也在应告知之内。", "Share of the duties to notify that were fulfilled on time; those whose deadline is still to come are among the duties."}},
	{Code: NotificationsOpen, Name: Text{"尚未告知", "Not notified yet"}, Unit: Text{"人次", "notices"}, Kind: Additive, Clause: "三(三)4(4)",
		Definition: Text{"告知义务已发生而尚未告知的，不论期限是否已过。", "Duties that arose and were not fulfilled, whether or not the deadline has passed."}},
	{Code: NotificationsOverdue, Name: Text{"逾期未告知", "Overdue notifications"}, Unit: Text{"人次", "notices"}, Kind: Overdue, Of: NotificationsOpen, Clause: "三(三)4(4)",
		Definition: Text{"查询时点期限已过而仍未告知的。", "Not notified although the last day has passed at the moment asked for."}},
	{Code: PleaAssistance, Name: Text{"认罪认罚法律帮助", "Plea-leniency help"}, Unit: Text{"件", "cases"}, Kind: Additive, Clause: "三(三)1(3)",
		Definition: Text{"为自愿认罪认罚的犯罪嫌疑人、被告人提供法律帮助的件数。", "Legal help given to those who plead guilty and accept punishment."}},
	{Code: Affidavits, Name: Text{"见证具结书", "Affidavits witnessed"}, Unit: Text{"件", "cases"}, Kind: Additive, Clause: "刑事诉讼法第174条", Effective: ProcedureLaw2018,
		Definition: Text{"签署认罪认罚具结书时在场的件数；2018年10月26日起适用。", "Affidavits signed in the presence of the lawyer; since 2018-10-26."}},
	{Code: ClientMeetings, Name: Text{"会见", "Meetings with persons"}, Unit: Text{"次", "meetings"}, Kind: Additive, Clause: "法律援助值班律师工作办法第6条", Effective: DutyLawyerMeasures,
		Definition: Text{"会见犯罪嫌疑人、被告人的次数；2020年8月20日起适用。", "Meetings with suspects and defendants; since 2020-08-20."}},
	{Code: FileReviews, Name: Text{"阅卷", "File reviews"}, Unit: Text{"次", "reviews"}, Kind: Additive, Clause: "法律援助值班律师工作办法第6条", Effective: DutyLawyerMeasures,
		Definition: Text{"查阅案卷材料的次数；2020年8月20日起适用。", "Reviews of case files; since 2020-08-20."}},
	{Code: Opinions, Name: Text{"提出书面意见", "Written opinions"}, Unit: Text{"件", "opinions"}, Kind: Additive, Clause: "刑事诉讼法第36条", Effective: ProcedureLaw2018,
		Definition: Text{"对案件处理提出意见的件数；2018年10月26日起适用。", "Opinions on the handling of the case; since 2018-10-26."}},
	{Code: OpinionsAdopted, Name: Text{"意见被采纳", "Opinions adopted"}, Unit: Text{"件", "opinions"}, Kind: Additive, Clause: "刑事诉讼法第36条", Effective: ProcedureLaw2018,
		Definition: Text{"其中已知被采纳的。", "Those known to be adopted."}},
	{Code: AdoptionRate, Name: Text{"意见采纳率", "Adoption rate"}, Unit: Text{"%", "%"}, Kind: Ratio, Of: OpinionsAdopted, Over: Opinions, Clause: "刑事诉讼法第36条", Effective: ProcedureLaw2018,
		Definition: Text{"已知被采纳的意见占所提书面意见的比例。", "Share of the written opinions known to be adopted."}},
	{Code: CoerciveMeasures, Name: Text{"申请变更强制措施", "Coercive-measure applications"}, Unit: Text{"件", "applications"}, Kind: Additive, Clause: "刑事诉讼法第36条", Effective: ProcedureLaw2018,
		Definition: Text{"申请变更强制措施的件数；2018年10月26日起适用。", "Applications to change a coercive measure; since 2018-10-26."}},
	{Code: ProcedureChoices, Name: Text{"程序选择建议", "Advice on procedure"}, Unit: Text{"件", "cases"}, Kind: Additive, Clause: "刑事诉讼法第36条", Effective: ProcedureLaw2018,
		Definition: Text{"就程序选择提出建议的件数；2018年10月26日起适用。", "Advice on the choice of procedure; since 2018-10-26."}},
	{Code: PersonsHelped, Name: Text{"帮助人数", "Persons helped"}, Unit: Text{"人", "persons"}, Kind: Distinct, Of: Consultations, Clause: "三(三)1(1)、1(3)",
		With: []IndicatorCode{PleaAssistance, Affidavits, ClientMeetings, FileReviews, Opinions, CoerciveMeasures, ProcedureChoices},
		Definition: Text{"所选范围内接受咨询或者任一项法律帮助（认罪认罚、见证具结书、会见、阅卷、书面意见、申请变更强制措施、程序选择）的不同的人，兼有几项的只计一人；各月、各地之数不可相加。",
			"Different persons who were given a consultation or legal help of any kind (plea leniency, affidavit, meeting, file review, opinion, coercive measure, choice of procedure) in the range asked for, each once; months and divisions do not add up."}},
	{Code: Complaints, Name: Text{"代理申诉、控告", "Complaints"}, Unit: Text{"件", "complaints"}, Kind: Additive, Clause: "三(三)1(4)",
		Definition: Text{"对刑讯逼供、非法取证等代理申诉、控告的件数。", "Complaints and accusations lodged on a person's behalf."}},
	{Code: PublicitySessions, Name: Text{"法治宣传", "Publicity sessions"}, Unit: Text{"次", "sessions"}, Kind: Additive, Clause: "三(三)1(5)",
		Definition: Text{"开展法治宣传的次数。", "Sessions of legal publicity."}},
	{Code: OtherTasks, Name: Text{"承办其他工作", "Other tasks"}, Unit: Text{"件", "tasks"}, Kind: Additive, Clause: "三(三)1(6)",
		Definition: Text{"承办法律援助机构交办的其他工作。", "Other tasks of the legal aid centre."}},
	{Code: OutsideDuties, Name: Text{"超出职责目录", "Outside the duties"}, Unit: Text{"人次", "person-times"}, Kind: Additive, Clause: "三(三)1–3",
		Definition: Text{"在工作站登记而不在该类工作站当日职责目录内的工作，计入工作当日；仍计入其本身的指标（职责生效前的除外）。", "Work recorded at a station that was no duty of its kind of station on that day; it still counts in its own figure, unless the duty did not exist yet."}},
	{Code: ApplicationsAccepted, Name: Text{"受理申请", "Applications accepted"}, Unit: Text{"件", "applications"}, Kind: Additive, Clause: "三(三)1(2)",
		Definition: Text{"法律援助机构决定受理的申请，计入决定当日。", "Applications the centre accepted, on the day of the decision."}},
	{Code: ApplicationsRefused, Name: Text{"不予受理申请", "Applications refused"}, Unit: Text{"件", "applications"}, Kind: Additive, Clause: "三(三)1(2)",
		Definition: Text{"法律援助机构决定不予受理的申请，计入决定当日。", "Applications the centre refused, on the day of the decision."}},
	{Code: AssignmentConflicts, Name: Text{"指派冲突", "Assignment conflicts"}, Unit: Text{"件", "cases"}, Kind: Additive, Clause: "三(四)1(2)",
		Definition: Text{"看守所值班期间转交的案件指派给了接收申请的同一律师，计入指派当日。", "Cases taken during detention-centre duty and assigned to the very lawyer who took them, on the day of the assignment."}},
	{Code: HelpRequests, Name: Text{"法律帮助请求", "Help requests"}, Unit: Text{"件", "requests"}, Kind: Additive, Clause: "三(三)4(4)",
		Definition: Text{"办案机关收到的法律帮助请求。", "Requests for legal help that reached an organ."}},
	{Code: HelpRequestsDispatched, Name: Text{"已通知值班律师", "Duty lawyers called"}, Unit: Text{"件", "requests"}, Kind: Additive, Clause: "三(三)4(4)",
		Definition: Text{"其中已通知值班律师的，计入收到请求当日。", "Those for which a duty lawyer was called, on the day of the request."}},
	{Code: ResponseMinutes, Name: Text{"法律帮助响应时间合计", "Response time"}, Unit: Text{"分钟", "minutes"}, Kind: Additive, Clause: "三(三)4(4)",
		Definition: Text{"从收到法律帮助请求至通知值班律师的整分钟数之和，计入收到请求当日；早于收到时间的通知按0分钟计。", "Whole minutes from a request for legal help to the call of a duty lawyer, on the day of the request; a call before it took 0 minutes."}},
	{Code: ResponseMedian, Name: Text{"响应时间中位数", "Median response time"}, Unit: Text{"分钟", "minutes"}, Kind: Percentile, Of: ResponseMinutes, Over: HelpRequestsDispatched, Quantile: 0.5, Case: CaseHelpRequest, Clause: "三(三)4(4)",
		Definition: Text{"已通知值班律师的请求，一半在这个时间内得到响应。", "Half of the requests for which a duty lawyer was called were answered within this time."}},
	{Code: ResponseP90, Name: Text{"响应时间九成位数", "Response time, 90 %"}, Unit: Text{"分钟", "minutes"}, Kind: Percentile, Of: ResponseMinutes, Over: HelpRequestsDispatched, Quantile: 0.9, Case: CaseHelpRequest, Clause: "三(三)4(4)",
		Definition: Text{"已通知值班律师的请求，九成在这个时间内得到响应。", "Nine in ten of the requests for which a duty lawyer was called were answered within this time."}},
	{Code: CorrectionsIssued, Name: Text{"提出纠正意见", "Correction opinions issued"}, Unit: Text{"件", "opinions"}, Kind: Additive, Clause: "三(三)4(5)",
		Definition: Text{"检察机关提出的纠正意见。", "Correction opinions issued by the procuratorate."}},
	{Code: CorrectionsAnswered, Name: Text{"纠正意见已答复", "Correction opinions answered"}, Unit: Text{"件", "opinions"}, Kind: Additive, Clause: "三(三)4(5)",
		Definition: Text{"其中已答复的，计入提出当日。", "Those answered, on the day of issue."}},
	{Code: CorrectionsAnsweredRate, Name: Text{"纠正意见答复率", "Correction opinions answered, rate"}, Unit: Text{"%", "%"}, Kind: Ratio, Of: CorrectionsAnswered, Over: CorrectionsIssued, Clause: "三(三)4(5)",
		Definition: Text{"已答复的占所提纠正意见的比例。", "Share of the correction opinions that were answered."}},
	{Code: CorrectionsClosed, Name: Text{"纠正意见已办结", "Correction opinions closed"}, Unit: Text{"件", "opinions"}, Kind: Additive, Clause: "三(三)4(5)",
		Definition: Text{"其中已办结的，计入提出当日。", "Those closed, on the day of issue."}},
	{Code: SubsidiesDue, Name: Text{"应发值班补贴", "Subsidies due"}, Unit: Text{"分（人民币）", "fen"}, Kind: Additive, Clause: "三(四)3(1)",
		Definition: Text{"应发放的值班补贴，单位为分。", "Subsidies that became due, in fen."}},
	{Code: SubsidiesPaid, Name: Text{"已发值班补贴", "Subsidies paid"}, Unit: Text{"分（人民币）", "fen"}, Kind: Additive, Clause: "三(四)3(1)",
		Definition: Text{"已发放的值班补贴，单位为分，计入发放当日。", "Subsidies paid, in fen, on the day of payment."}},
	{Code: SubsidiesTimed, Name: Text{"定有期限的补贴", "Subsidies with a last day"}, Unit: Text{"笔", "subsidies"}, Kind: Additive, Clause: "三(四)3(1)",
		Definition: Text{"应发时写明最迟发放日的补贴笔数，计入应发当日；规定未定期限，没有写明的不在按期发放的统计之内。", "Subsidies that became due with a last day for paying them, on the day they became due. The rules set no period: those without a stated day are in no figure of payment on time."}},
	{Code: SubsidiesAwaited, Name: Text{"期限内未发的补贴", "Subsidies not paid in time so far"}, Unit: Text{"笔", "subsidies"}, Kind: Additive, Clause: "三(四)3(1)",
		Definition: Text{"其中至最迟发放日终了未发放的，不论该日是否已过；以首次发放之日为准，不论金额。", "Those of them not paid by the end of that day, whether or not it has passed. The first payment counts, whatever its amount."}},
	{Code: SubsidiesPayable, Name: Text{"到期补贴", "Subsidies whose day has passed"}, Unit: Text{"笔", "subsidies"}, Kind: Overdue, Of: SubsidiesTimed, Clause: "三(四)3(1)",
		Definition: Text{"查询时点最迟发放日已过的补贴，不论是否发放。", "Subsidies whose last day has passed at the moment asked for, paid or not."}},
	{Code: SubsidiesLate, Name: Text{"补贴逾期", "Subsidies paid late or not at all"}, Unit: Text{"笔", "subsidies"}, Kind: Overdue, Of: SubsidiesAwaited, Clause: "三(四)3(1)",
		Definition: Text{"查询时点最迟发放日已过而当日终了前未发放的补贴，包括其后补发的和仍未发放的。", "Subsidies whose last day has passed at the moment asked for and that were not paid by its end: those paid later and those not paid yet."}},
	{Code: SubsidiesLateRate, Name: Text{"补贴逾期率", "Subsidies late, rate"}, Unit: Text{"%", "%"}, Kind: Ratio, Of: SubsidiesLate, Over: SubsidiesPayable, Clause: "三(四)3(1)",
		Definition: Text{"补贴逾期占到期补贴的比例。", "Share of the subsidies whose last day has passed that were not paid by its end."}},
	{Code: TrainingHours, Name: Text{"培训学时", "Training hours"}, Unit: Text{"小时", "hours"}, Kind: Additive, Clause: "三(四)3(3)", Parts: 60,
		Definition: Text{"值班律师参加业务培训的学时。", "Hours of training attended."}},
	{Code: LawyersTrained, Name: Text{"参训律师人数", "Lawyers trained"}, Unit: Text{"人", "lawyers"}, Kind: Distinct, Of: TrainingHours, Lawyers: true, Clause: "三(四)3(3)",
		Definition: Text{"所选范围内参加业务培训的不同的律师；各月、各地之数不可相加。", "Different lawyers who attended training in the range asked for; months and divisions do not add up."}},
	{Code: Satisfaction, Name: Text{"满意度", "Satisfaction"}, Unit: Text{"分", "points"}, Kind: Mean, Clause: "三(二)3", Of: FeedbackScore, Over: FeedbackCount,
		Definition: Text{"征求意见的平均分，满分5分；无意见时不适用。", "Mean score of the opinions collected, out of 5."}},
	{Code: FeedbackCount, Name: Text{"征求意见", "Opinions collected"}, Unit: Text{"份", "opinions"}, Kind: Additive, Clause: "三(二)3",
		Definition: Text{"收到的意见份数。", "Opinions collected."}},
	{Code: FeedbackScore, Name: Text{"征求意见总分", "Sum of scores"}, Unit: Text{"分", "points"}, Kind: Additive, Clause: "三(二)3",
		Definition: Text{"意见的总分。", "Sum of the scores."}},
	{Code: ConductUpheld, Name: Text{"违纪处理", "Discipline decisions"}, Unit: Text{"件", "decisions"}, Kind: Additive, Clause: "三(四)4(1)",
		Definition: Text{"查实并作出处理决定的违纪；未决定的不计。", "Breaches upheld by a decision; nothing undecided is counted."}},
	{Code: Honours, Name: Text{"表彰", "Commendations"}, Unit: Text{"次", "awards"}, Kind: Additive, Clause: "三(四)4(2)",
		Definition: Text{"值班律师受到的表彰。", "Commendations of duty lawyers."}},
	{Code: ShiftsPlanned, Name: Text{"排班班次", "Shifts planned"}, Unit: Text{"人次", "shifts"}, Kind: Additive, Clause: "三(四)1(1)",
		Definition: Text{"排定的值班班次，计入排班开始之日。", "Shifts planned, on the day they begin."}},
	{Code: ShiftsAwaited, Name: Text{"未到岗排班", "Planned shifts not begun"}, Unit: Text{"人次", "shifts"}, Kind: Additive, Clause: "三(四)1(1)",
		Definition: Text{"已排班而尚未签到的班次，不论是否到期。", "Shifts planned and not signed in, whether or not their day has passed."}},
	{Code: NoShows, Name: Text{"缺岗", "No-shows"}, Unit: Text{"人次", "shifts"}, Kind: Overdue, Clause: "三(四)1(1)", Of: ShiftsAwaited,
		Definition: Text{"排班之日已过而未签到的班次。", "Shifts planned and not signed in although their day has passed."}},
	{Code: ShiftsDue, Name: Text{"应到班次", "Shifts due"}, Unit: Text{"人次", "shifts"}, Kind: Overdue, Clause: "三(四)1(1)", Of: ShiftsPlanned,
		Definition: Text{"排班之日已过的排班班次，不论是否签到。", "Shifts planned whose day has passed, signed in or not."}},
	{Code: AttendanceRate, Name: Text{"到岗率", "Attendance"}, Unit: Text{"%", "%"}, Kind: Ratio, Of: NoShows, Over: ShiftsDue, Rest: true, Clause: "三(四)1(1)",
		Definition: Text{"应到班次中已签到的比例；排班之日未过的不计。", "Share of the shifts due that were signed in; a shift counts once its day has passed."}},
	{Code: InspectionPassRate, Name: Text{"达标率", "Inspection pass rate"}, Unit: Text{"%", "%"}, Kind: Ratio, Clause: "三(一)3", Of: InspectionsMet, Over: Inspections,
		Definition: Text{"检查中全部项目达标的比例。", "Share of inspections that found everything in order."}},
	{Code: Inspections, Name: Text{"工作站检查", "Inspections"}, Unit: Text{"次", "inspections"}, Kind: Additive, Clause: "三(一)3",
		Definition: Text{"对工作站的检查次数。", "Inspections of stations."}},
	{Code: InspectionsMet, Name: Text{"检查达标", "Inspections passed"}, Unit: Text{"次", "inspections"}, Kind: Additive, Clause: "三(一)3",
		Definition: Text{"其中全部项目达标的。", "Those that found everything in order."}},
	{Code: RosterDeliveries, Name: Text{"名册送达", "Rosters delivered"}, Unit: Text{"次", "deliveries"}, Kind: Additive, Clause: "三(二)3",
		Definition: Text{"值班律师名册送达各机关的次数（每个接收机关计一次）。", "Deliveries of the roster, one for each organ that received it."}},
	{Code: JointMeetings, Name: Text{"联席会议", "Joint meetings"}, Unit: Text{"次", "meetings"}, Kind: Additive, Clause: "四(二)",
		Definition: Text{"召开的联席会议。", "Joint meetings held."}},
	{Code: MattersReported, Name: Text{"重大事项、突发事件", "Matters reported"}, Unit: Text{"件", "matters"}, Kind: Additive, Clause: "四(二)",
		Definition: Text{"报告的重大事项、突发事件和检查督导事项。", "Major matters, incidents and inspections reported."}},
	{Code: MattersOpen, Name: Text{"未办结事项", "Matters open"}, Unit: Text{"件", "matters"}, Kind: Additive, Clause: "四(二)",
		Definition: Text{"其中尚未办结的。", "Those not resolved yet."}},
	{Code: Stations, Name: Text{"工作站", "Stations"}, Unit: Text{"个", "stations"}, Kind: Stock, Clause: "三(一)1",
		Definition: Text{"期末已设立的工作站。", "Stations founded by the end of the range."}},
	{Code: Lawyers, Name: Text{"在册值班律师", "Lawyers on the roster"}, Unit: Text{"人", "lawyers"}, Kind: Stock, Clause: "三(二)1",
		Definition: Text{"期末在册的值班律师。", "Duty lawyers enrolled by the end of the range."}},
})

func catalogue(rows []Indicator) IndicatorCatalogue {
	c := IndicatorCatalogue{rows, map[IndicatorCode]int{}}
	for i, r := range rows {
		c.byCode[r.Code] = i
	}
	return c
}

// All lists the indicators in the catalogue's order.
func (c IndicatorCatalogue) All() []Indicator { return slices.Clone(c.rows) }

// Lookup finds an indicator by its code.
func (c IndicatorCatalogue) Lookup(code IndicatorCode) (Indicator, error) {
	if i, ok := c.byCode[code]; ok {
		return c.rows[i], nil
	}
	return Indicator{}, Errorf(Invalid, "indicator %q is not in the catalogue; GET /api/v1/indicators lists the codes", code)
}

// Posted are the codes of the postings that a figure is computed from: its own
// when it is not computed from another's.
func (c IndicatorCatalogue) Posted(code IndicatorCode) []IndicatorCode {
	ind, err := c.Lookup(code)
	if err != nil || ind.Of == "" {
		return []IndicatorCode{code}
	}
	var out []IndicatorCode
	for _, source := range ind.Sources() {
		out = append(out, c.Posted(source)...)
	}
	return out
}

// Personal lists the codes whose postings name a person: those that a distinct
// figure of persons is computed from. All others are of nobody.
func (c IndicatorCatalogue) Personal() []IndicatorCode {
	var out []IndicatorCode
	for _, r := range c.rows {
		if r.Kind == Distinct && !r.Lawyers {
			for _, code := range r.Sources() {
				if !slices.Contains(out, code) {
					out = append(out, code)
				}
			}
		}
	}
	return out
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
