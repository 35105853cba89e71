package schemas

import "encoding/json"

// The payloads: one struct an event type. The struct is the one definition;
// JSON Schema, validation and the published reference are made from its tags.
// A field without omitempty is required; itemMaxLength bounds the texts of a list.

// StationFounded opens a station (三(一)1–2). Its name must follow the pattern
// the regulation gives for its kind.
type StationFounded struct {
	Code      string   `json:"code" doc:"station code, the same as in subject and source" pattern:"^([0-9]{6}|22CB[0-9]{2})-(court|procuratorate|detention)(-[1-9][0-9]?)?$"`
	Kind      string   `json:"kind" enum:"court,procuratorate,detention_centre" doc:"where the station sits"`
	Name      string   `json:"name" minLength:"4" maxLength:"100" doc:"XX法律援助中心驻人民法院/人民检察院/看守所值班律师工作站"`
	Location  string   `json:"location" pattern:"^([0-9]{6}|22CB[0-9]{2})$" doc:"division in which the station lies"`
	Reporting string   `json:"reporting" pattern:"^([0-9]{6}|22CB[0-9]{2})$" doc:"division in whose monthly return the station counts"`
	Hosts     []string `json:"hosts,omitempty" maxItems:"20" itemMaxLength:"100" doc:"organs that host the station"`
}

// LawyerEnrolled puts a lawyer on the roster of duty lawyers (三(二)1).
type LawyerEnrolled struct {
	Licence  string `json:"licence" pattern:"^[0-9]{17}$" doc:"执业证号, the same as in subject"`
	Name     string `json:"name" minLength:"1" maxLength:"60"`
	Kind     string `json:"kind" enum:"private,legal_aid" doc:"社会律师 or 法援机构律师"`
	Firm     string `json:"firm" minLength:"1" maxLength:"100" doc:"law firm or legal aid centre"`
	Division string `json:"division" pattern:"^([0-9]{6}|22CB[0-9]{2})$" doc:"division whose centre posts the lawyer"`
}

// ShiftSignedIn is a line of the sign-in book (三(四)2(1), 2(3)).
type ShiftSignedIn struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$" doc:"licence of the lawyer on duty"`
	Mode   string `json:"mode" enum:"onsite,phone,online" doc:"现场, 电话 or 网络"`
	Badge  *bool  `json:"badge,omitempty" doc:"whether the badge was worn"`
}

// ShiftSignedOut ends the shift.
type ShiftSignedOut struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$" doc:"licence of the lawyer on duty"`
}

// ConsultationRecorded is a line of the consultation ledger (三(四)2(2)).
type ConsultationRecorded struct {
	Lawyer        string   `json:"lawyer" pattern:"^[0-9]{17}$"`
	Channel       string   `json:"channel" enum:"visit,phone,online,in_custody" doc:"来访, 来电, 网络 or 在押会见"`
	Person        string   `json:"person" pattern:"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$" doc:"pseudonym, never a name or an identity number"`
	PersonRole    string   `json:"person_role" enum:"suspect,defendant,relative,other" doc:"犯罪嫌疑人, 被告人, 近亲属 or 其他"`
	Shift         string   `json:"shift,omitempty" format:"uuid" doc:"id of the shift during which it was given"`
	Topics        []string `json:"topics,omitempty" maxItems:"20" itemMaxLength:"100"`
	Minutes       *int     `json:"minutes,omitempty" minimum:"0" maximum:"1440"`
	GuidedToApply bool     `json:"guided_to_apply,omitempty" doc:"whether the person was guided to apply for legal aid"`
	HasDefender   *bool    `json:"has_defender,omitempty"`
	Question      string   `json:"question,omitempty" maxLength:"20000"`
	Answer        string   `json:"answer,omitempty" maxLength:"20000"`
}

// ConsultationSigned is the lawyer's signature under the ledger line
// (三(四)2(3)).
type ConsultationSigned struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$"`
}

// ApplicationReceived is an application for legal aid taken at the station
// (三(三)1(2)).
type ApplicationReceived struct {
	Lawyer    string `json:"lawyer" pattern:"^[0-9]{17}$" doc:"lawyer who took the application"`
	Person    string `json:"person" pattern:"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$" doc:"pseudonym of the applicant"`
	InCustody bool   `json:"in_custody"`
}

// ApplicationTransferred passes the application to the legal aid centre.
type ApplicationTransferred struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Agency string `json:"agency,omitempty" maxLength:"100" doc:"legal aid centre that it went to"`
}

// NotificationTriggered begins an organ's duty to notify (三(三)4(4)).
type NotificationTriggered struct {
	Organ     string `json:"organ" enum:"police,state_security,procuratorate,court"`
	Trigger   string `json:"trigger" enum:"interrogation,coercive_measure,review,accepted,retrial"`
	Person    string `json:"person" pattern:"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$" doc:"pseudonym of the person to be told"`
	InCustody bool   `json:"in_custody"`
}

// NotificationGiven is the notice itself. Without evidence — a signed
// transcript for an oral notice, a receipt for a written one — it is
// unevidenced, not late.
type NotificationGiven struct {
	Form     string `json:"form" enum:"oral,written,phone"`
	Evidence string `json:"evidence,omitempty" maxLength:"200" doc:"document that proves the notice"`
}

// StationNoticed is the public notice at the station (三(一)2): which of its items
// are posted.
type StationNoticed struct {
	Items []string `json:"items" enum:"scope,cases,duties,lawyers,contact" maxItems:"5" doc:"法律援助范围, 案件, 值班律师工作职责, 值班律师基本信息, 联系方式"`
}

// StationInspected is a visit with the checklist of 三(一)3: what was found in
// order, and what was missing.
type StationInspected struct {
	Met     []string `json:"met" enum:"room,desks,computer,printer,copier,signs,plate,material" maxItems:"8" doc:"办公用房, 桌椅, 电脑, 打印机, 复印机, 指引标识, 标识牌, 业务资料"`
	Missing []string `json:"missing,omitempty" enum:"room,desks,computer,printer,copier,signs,plate,material" maxItems:"8"`
}

// StationClosed ends a station.
type StationClosed struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500"`
}

// LawyerMoved is a change of firm or division.
type LawyerMoved struct {
	Firm     string `json:"firm" minLength:"1" maxLength:"100"`
	Division string `json:"division" pattern:"^([0-9]{6}|22CB[0-9]{2})$"`
}

// LawyerLeft takes a lawyer off the roster.
type LawyerLeft struct {
	Reason string `json:"reason,omitempty" maxLength:"500"`
}

// RosterDelivered is a version of the roster sent to organs (三(二)3).
type RosterDelivered struct {
	Version   string   `json:"version" minLength:"1" maxLength:"40"`
	Receivers []string `json:"receivers" enum:"court,procuratorate,police" minItems:"1" maxItems:"3"`
}

// ContactAppointed is a responsible person or liaison of an organ (三(二)2). To is
// empty while the appointment stands.
type ContactAppointed struct {
	Organ string `json:"organ" enum:"court,procuratorate,police,justice"`
	Role  string `json:"role" enum:"responsible,liaison" doc:"负责人 or 联络员"`
	From  string `json:"from" format:"date"`
	To    string `json:"to,omitempty" format:"date"`
}

// ShiftPlanned is a line of the duty plan (三(四)1(1)).
type ShiftPlanned struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Mode   string `json:"mode" enum:"onsite,phone,online"`
	Start  string `json:"start" format:"date-time"`
	End    string `json:"end" format:"date-time"`
}

// ApplicationGuided is the advice to apply for legal aid (三(三)1(2)).
type ApplicationGuided struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Person string `json:"person" pattern:"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$" doc:"pseudonym, never a name or an identity number"`
}

// ApplicationRegistered enters the application in the register.
type ApplicationRegistered struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Number string `json:"number,omitempty" maxLength:"60" doc:"number in the register"`
}

// ApplicationReviewed is the station's first review (初审).
type ApplicationReviewed struct {
	Lawyer  string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Outcome string `json:"outcome" enum:"fit,unfit,incomplete" doc:"符合, 不符合 or 材料不全"`
}

// ApplicationDecided is the legal aid centre's decision.
type ApplicationDecided struct {
	Agency  string `json:"agency" minLength:"1" maxLength:"100"`
	Outcome string `json:"outcome" enum:"accepted,refused" doc:"受理 or 不予受理"`
}

// ApplicationAssigned names the lawyer who takes the case: for a case transferred
// during detention-centre duty another one than took the application (三(四)1(2)).
type ApplicationAssigned struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$" doc:"the assigned lawyer"`
}

// AssistanceGiven is legal help (法律帮助). plea_leniency is of the 2018 rules
// (三(三)1(3)); the others are duties of later law.
type AssistanceGiven struct {
	Lawyer  string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Person  string `json:"person" pattern:"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$" doc:"pseudonym, never a name or an identity number"`
	Service string `json:"service" enum:"plea_leniency,affidavit,meeting,file_review,opinion,coercive_measure,procedure_choice" doc:"认罪认罚, 具结书在场, 会见, 阅卷, 书面意见, 变更强制措施申请 or 程序选择"`
	Stage   string `json:"stage,omitempty" enum:"investigation,prosecution,trial"`
	Adopted *bool  `json:"adopted,omitempty" doc:"whether the opinion or application was adopted, once known"`
}

// ComplaintLodged is a complaint or accusation on a person's behalf (三(三)1(4)).
type ComplaintLodged struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Person string `json:"person" pattern:"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$" doc:"pseudonym, never a name or an identity number"`
	Ground string `json:"ground" enum:"torture,illegal_evidence,other" doc:"刑讯逼供, 非法取证 or 其他"`
}

// ComplaintClosed ends it.
type ComplaintClosed struct {
	Outcome string `json:"outcome" enum:"upheld,dismissed,withdrawn"`
}

// ActivityHeld is publicity (三(三)1(5)) or another task of the centre (1(6)).
type ActivityHeld struct {
	Kind     string `json:"kind" enum:"publicity,other_task"`
	Audience *int   `json:"audience,omitempty" minimum:"0" maximum:"1000000"`
	Lawyer   string `json:"lawyer,omitempty" pattern:"^[0-9]{17}$"`
}

// HelpRequestReceived is a request for legal help that reached an organ, which
// must call a duty lawyer (三(三)4(4)).
type HelpRequestReceived struct {
	Organ  string `json:"organ" enum:"police,state_security,procuratorate,court"`
	Person string `json:"person" pattern:"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$" doc:"pseudonym, never a name or an identity number"`
}

// HelpRequestDispatched is the call.
type HelpRequestDispatched struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$" doc:"the lawyer called"`
}

// SupervisionIssued is a correction opinion of the procuratorate (三(三)4(5)).
type SupervisionIssued struct {
	Organ        string `json:"organ" enum:"police,state_security,procuratorate,court,justice"`
	Kind         string `json:"kind" enum:"not_notified,not_appointed,other" doc:"未履行告知, 未通知辩护 or 其他"`
	Notification string `json:"notification,omitempty" format:"uuid" doc:"the notification it is about"`
}

// SupervisionAnswered is the organ's answer.
type SupervisionAnswered struct {
	Accepted bool `json:"accepted" doc:"whether the organ accepts the opinion"`
}

// SupervisionClosed ends it.
type SupervisionClosed struct {
	Outcome string `json:"outcome" enum:"corrected,not_corrected"`
}

// SubsidyAccrued is a subsidy that became due (三(四)3(1)), in fen. The rules set
// no period for paying it; where somebody did, PayableBy says until when.
type SubsidyAccrued struct {
	Lawyer    string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Fen       int64  `json:"fen" minimum:"1" maximum:"100000000"`
	Shift     string `json:"shift,omitempty" format:"uuid"`
	PayableBy string `json:"payable_by,omitempty" format:"date" doc:"last day for paying it, where one is set"`
}

// SubsidyPaid is its payment, in fen.
type SubsidyPaid struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Fen    int64  `json:"fen" minimum:"1" maximum:"100000000"`
}

// TrainingAttended is a lawyer's training (三(四)3(3)), version 1.
type TrainingAttended struct {
	Lawyer string  `json:"lawyer" pattern:"^[0-9]{17}$"`
	Topic  string  `json:"topic" enum:"duties,services,discipline,procedure,other" doc:"职责, 服务内容, 执业纪律, 刑事诉讼法律知识 or 其他"`
	Hours  float64 `json:"hours" minimum:"0.5" maximum:"200"`
}

// TrainingAttendedV2 says the length in minutes, and who held the training.
type TrainingAttendedV2 struct {
	Lawyer    string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Topic     string `json:"topic" enum:"duties,services,discipline,procedure,other" doc:"职责, 服务内容, 执业纪律, 刑事诉讼法律知识 or 其他"`
	Minutes   int    `json:"minutes" minimum:"10" maximum:"12000"`
	Organiser string `json:"organiser,omitempty" maxLength:"100"`
}

// ConductReported is a report about a lawyer's discipline (三(四)4(1)). It leaves
// the department only once decided.
type ConductReported struct {
	Lawyer string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Code   string `json:"code" enum:"misleading,soliciting,referral,fees,leak,other" doc:"误导诉讼信访, 招揽案源, 介绍有偿服务, 收取费用, 泄露秘密 or 其他"`
}

// ConductDecided is the decision.
type ConductDecided struct {
	Lawyer   string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Outcome  string `json:"outcome" enum:"upheld,dismissed"`
	Document string `json:"document" minLength:"1" maxLength:"100" doc:"document number"`
}

// HonourAwarded is a commendation (三(四)4(2)).
type HonourAwarded struct {
	Lawyer   string `json:"lawyer" pattern:"^[0-9]{17}$"`
	Kind     string `json:"kind" enum:"county,prefecture,province,national"`
	Document string `json:"document" minLength:"1" maxLength:"100" doc:"document number"`
}

// FeedbackGiven is an opinion collected from organs and from people helped
// (三(二)3), on the station of its source, or on a lawyer.
type FeedbackGiven struct {
	Respondent string `json:"respondent" enum:"court,procuratorate,police,person" doc:"人民法院, 人民检察院, 公安机关 or 受援人"`
	Score      int    `json:"score" minimum:"1" maximum:"5"`
	Lawyer     string `json:"lawyer,omitempty" pattern:"^[0-9]{17}$"`
}

// MeetingHeld is a joint meeting (四(二)).
type MeetingHeld struct {
	Organs []string `json:"organs" enum:"court,procuratorate,police,state_security,justice" minItems:"1" maxItems:"5" doc:"organs present"`
	Agenda string   `json:"agenda" minLength:"1" maxLength:"2000"`
}

// MatterReported is a major matter or an incident brought to the organs (四(二)).
type MatterReported struct {
	Kind string `json:"kind" enum:"major,incident,inspection" doc:"重大事项, 突发事件 or 检查督导"`
}

// MatterResolved ends it.
type MatterResolved struct {
	Outcome string `json:"outcome" enum:"rectified,referred,no_action" doc:"已整改, 已移送 or 无需处理"`
}

// Corrected replaces what an earlier event of the same case said. It counts
// from its own place in the log on; before it the old figure stands.
type Corrected struct {
	Target string          `json:"target" format:"uuid" doc:"id of the event that is corrected"`
	Data   json.RawMessage `json:"data" doc:"the whole new data, in the shape of the corrected event's type"`
	Time   string          `json:"time,omitempty" format:"date-time" doc:"the new time, when the time was wrong"`
	Reason string          `json:"reason" minLength:"1" maxLength:"500"`
}

// Voided takes an earlier event of the same case out of all figures.
type Voided struct {
	Target string `json:"target" format:"uuid" doc:"id of the event that is voided"`
	Reason string `json:"reason" minLength:"1" maxLength:"500"`
}
