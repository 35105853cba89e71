package schemas

import "encoding/json"

// The payloads: one struct an event type. The struct is the one definition;
// JSON Schema, validation and the published reference are made from its tags.
// A field without omitempty is required.

// StationFounded opens a station (三(一)1–2). Its name must follow the pattern
// the regulation gives for its kind.
type StationFounded struct {
	Code      string   `json:"code" doc:"station code, the same as in subject and source" pattern:"^([0-9]{6}|22CB[0-9]{2})-(court|procuratorate|detention)(-[1-9][0-9]?)?$"`
	Kind      string   `json:"kind" enum:"court,procuratorate,detention_centre" doc:"where the station sits"`
	Name      string   `json:"name" minLength:"4" maxLength:"100" doc:"XX法律援助中心驻人民法院/人民检察院/看守所值班律师工作站"`
	Location  string   `json:"location" pattern:"^([0-9]{6}|22CB[0-9]{2})$" doc:"division in which the station lies"`
	Reporting string   `json:"reporting" pattern:"^([0-9]{6}|22CB[0-9]{2})$" doc:"division in whose monthly return the station counts"`
	Hosts     []string `json:"hosts,omitempty" maxItems:"20" doc:"organs that host the station"`
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
	Topics        []string `json:"topics,omitempty" maxItems:"20"`
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
