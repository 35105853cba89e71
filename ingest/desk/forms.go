package desk

import (
	"strings"

	"zhiban/schemas"
)

// Form is how an event is entered: its fields in the order of the page. The
// same form serves the entry, its correction and the mending of a refused
// event.
type Form struct {
	Type   string       `json:"type"` // zhiban.<case>.<verb>.v1
	Title  schemas.Text `json:"title"`
	Lawyer bool         `json:"lawyer"` // the data names the lawyer at the desk
	Fields []Field      `json:"fields"`
}

// Field is one field of an event's data.
type Field struct {
	Name     string       `json:"name"`
	Kind     FieldKind    `json:"kind"`
	Label    schemas.Text `json:"label"`
	Hint     schemas.Text `json:"hint,omitzero"`
	Required bool         `json:"required,omitempty"`
	Max      int          `json:"max,omitempty"`  // letters of a text, or the greatest number
	When     string       `json:"when,omitempty"` // shown only while another field has one of some values: field=value|value
	Options  []Option     `json:"options,omitempty"`
}

// Option is a value to choose.
type Option struct {
	Value   string       `json:"value"`
	Label   schemas.Text `json:"label"`
	When    string       `json:"when,omitempty"`
	Default bool         `json:"default,omitempty"`
}

// FieldKind is how a field is shown and what it holds.
type FieldKind string

// The kinds of field.
const (
	Choice  FieldKind = "choice"  // one of the options, a text
	YesNo   FieldKind = "yesno"   // one of the options true, false and, for not asked, none
	Flag    FieldKind = "flag"    // a tick: true or false
	Chips   FieldKind = "chips"   // any of the options, a list of texts
	Person  FieldKind = "person"  // a pseudonym
	Minutes FieldKind = "minutes" // a number, with the usual ones to tap
	Count   FieldKind = "count"   // a number up to Max
	Line    FieldKind = "line"    // a line of text
)

type text = schemas.Text

var (
	person  = Field{Name: "person", Kind: Person, Label: text{ZH: "人员代码", EN: "Person's code"}, Required: true, Max: 64}
	custody = Field{Name: "in_custody", Kind: YesNo, Label: text{ZH: "是否在押", EN: "In custody"}, Required: true, Options: []Option{
		{Value: "true", Label: text{ZH: "在押", EN: "In custody"}}, {Value: "false", Label: text{ZH: "未在押", EN: "Not in custody"}}}}
)

// forms is the table of what is entered at the desk.
var forms = []Form{
	{Type: "zhiban.shift.signed_in.v1", Lawyer: true, Fields: []Field{
		{Name: "mode", Kind: Choice, Label: text{ZH: "值班方式", EN: "Mode"}, Required: true, Options: []Option{
			{Value: "onsite", Label: text{ZH: "现场", EN: "On site"}, Default: true}, {Value: "phone", Label: text{ZH: "电话", EN: "Phone"}}, {Value: "online", Label: text{ZH: "网络", EN: "Online"}}}},
		{Name: "badge", Kind: Flag, Label: text{ZH: "已佩戴工作证件", EN: "Wearing the badge"}, When: "mode=onsite"},
	}},
	{Type: "zhiban.shift.signed_out.v1", Lawyer: true},
	{Type: "zhiban.consultation.recorded.v1", Lawyer: true, Fields: []Field{
		{Name: "channel", Kind: Choice, Label: text{ZH: "咨询渠道", EN: "Channel"}, Required: true, Options: []Option{
			{Value: "visit", Label: text{ZH: "来访", EN: "Visit"}}, {Value: "phone", Label: text{ZH: "来电", EN: "Phone"}},
			{Value: "online", Label: text{ZH: "网络", EN: "Online"}}, {Value: "in_custody", Label: text{ZH: "在押会见", EN: "In custody"}}}},
		{Name: "person_role", Kind: Choice, Label: text{ZH: "咨询人身份", EN: "Who asks"}, Required: true, Options: []Option{
			{Value: "suspect", Label: text{ZH: "犯罪嫌疑人", EN: "Suspect"}}, {Value: "defendant", Label: text{ZH: "被告人", EN: "Defendant"}},
			{Value: "relative", Label: text{ZH: "近亲属", EN: "Close relative"}}, {Value: "other", Label: text{ZH: "其他", EN: "Other"}}}},
		person,
		{Name: "topics", Kind: Chips, Label: text{ZH: "咨询事项（可多选）", EN: "Topics (any number)"}, Options: topics},
		{Name: "has_defender", Kind: YesNo, Label: text{ZH: "有无辩护人", EN: "Defender"}, Options: []Option{
			{Value: "false", Label: text{ZH: "无", EN: "None"}}, {Value: "true", Label: text{ZH: "有", EN: "Has one"}}, {Value: "", Label: text{ZH: "未询问", EN: "Not asked"}, Default: true}}},
		{Name: "minutes", Kind: Minutes, Label: text{ZH: "时长（分钟）", EN: "Minutes"}},
		{Name: "guided_to_apply", Kind: Flag, Label: text{ZH: "已引导申请法律援助", EN: "Guided to apply for legal aid"}},
	}},
	{Type: "zhiban.consultation.signed.v1", Lawyer: true},
	{Type: "zhiban.application.received.v1", Lawyer: true, Fields: []Field{person, custody}},
	{Type: "zhiban.application.transferred.v1", Lawyer: true, Fields: []Field{
		{Name: "agency", Kind: Line, Label: text{ZH: "转交至", EN: "Transferred to"}, Max: 100},
	}},
	{Type: "zhiban.notification.triggered.v1", Fields: []Field{
		{Name: "organ", Kind: Choice, Label: text{ZH: "告知机关", EN: "Organ"}, Required: true, Options: []Option{
			{Value: "police", Label: text{ZH: "公安机关", EN: "Police"}}, {Value: "state_security", Label: text{ZH: "国家安全机关", EN: "State security"}},
			{Value: "procuratorate", Label: text{ZH: "检察院", EN: "Procuratorate"}}, {Value: "court", Label: text{ZH: "法院", EN: "Court"}}}},
		{Name: "trigger", Kind: Choice, Label: text{ZH: "告知事由", EN: "Why it is due"}, Required: true, Options: []Option{
			{Value: "interrogation", Label: text{ZH: "第一次讯问", EN: "First interrogation"}, When: "organ=police|state_security"},
			{Value: "coercive_measure", Label: text{ZH: "采取强制措施", EN: "Coercive measure"}, When: "organ=police|state_security"},
			{Value: "review", Label: text{ZH: "收到审查起诉案件", EN: "Case received for review"}, When: "organ=procuratorate"},
			{Value: "accepted", Label: text{ZH: "受理案件", EN: "Case accepted"}, When: "organ=court"},
			{Value: "retrial", Label: text{ZH: "决定再审", EN: "Retrial decided"}, When: "organ=court"}}},
		person, custody,
	}},
	{Type: "zhiban.notification.given.v1", Fields: []Field{
		{Name: "form", Kind: Choice, Label: text{ZH: "告知方式", EN: "Form"}, Required: true, Options: []Option{
			{Value: "oral", Label: text{ZH: "口头", EN: "Oral"}}, {Value: "written", Label: text{ZH: "书面", EN: "Written"}}, {Value: "phone", Label: text{ZH: "电话", EN: "Phone"}}}},
		{Name: "evidence", Kind: Line, Label: text{ZH: "证据材料", EN: "Evidence"}, Max: 200, Hint: text{ZH: "口头：附卷笔录；书面：送达回执。填文号，勿填姓名。没有则计为“无证据”。",
			EN: "Oral: transcript in the file; written: receipt. Give its number, no names. Without it the notice counts as unevidenced."}},
	}},
	{Type: assistanceGiven, Lawyer: true, Fields: []Field{
		{Name: "service", Kind: Choice, Label: text{ZH: "帮助事项", EN: "Service"}, Required: true, Options: []Option{
			{Value: "plea_leniency", Label: text{ZH: "认罪认罚法律帮助", EN: "Plea leniency"}}, {Value: "affidavit", Label: text{ZH: "具结书签署在场", EN: "Present at affidavit"}},
			{Value: "meeting", Label: text{ZH: "会见", EN: "Meeting"}}, {Value: "file_review", Label: text{ZH: "阅卷", EN: "File review"}},
			{Value: "opinion", Label: text{ZH: "提出书面意见", EN: "Written opinion"}}, {Value: "coercive_measure", Label: text{ZH: "申请变更强制措施", EN: "Change of coercive measure"}},
			{Value: "procedure_choice", Label: text{ZH: "程序选择建议", EN: "Choice of procedure"}}}},
		person,
		{Name: "stage", Kind: Choice, Label: text{ZH: "诉讼阶段", EN: "Stage"}, Options: []Option{
			{Value: "investigation", Label: text{ZH: "侦查", EN: "Investigation"}}, {Value: "prosecution", Label: text{ZH: "审查起诉", EN: "Prosecution"}}, {Value: "trial", Label: text{ZH: "审判", EN: "Trial"}}}},
		{Name: "adopted", Kind: YesNo, Label: text{ZH: "意见或申请是否被采纳", EN: "Adopted"}, When: "service=opinion|coercive_measure|procedure_choice", Options: []Option{
			{Value: "true", Label: text{ZH: "已采纳", EN: "Adopted"}}, {Value: "false", Label: text{ZH: "未采纳", EN: "Not adopted"}}, {Value: "", Label: text{ZH: "尚未答复", EN: "No answer yet"}, Default: true}}},
	}},
	{Type: "zhiban.help_request.dispatched.v1", Lawyer: true},
	{Type: "zhiban.complaint.lodged.v1", Lawyer: true, Fields: []Field{
		{Name: "ground", Kind: Choice, Label: text{ZH: "申诉、控告事由", EN: "Ground"}, Required: true, Options: []Option{
			{Value: "torture", Label: text{ZH: "刑讯逼供", EN: "Torture"}}, {Value: "illegal_evidence", Label: text{ZH: "非法取证", EN: "Illegal evidence"}}, {Value: "other", Label: text{ZH: "其他", EN: "Other"}}}},
		person,
	}},
	{Type: "zhiban.activity.held.v1", Lawyer: true, Fields: []Field{
		{Name: "kind", Kind: Choice, Label: text{ZH: "工作内容", EN: "Kind"}, Required: true, Options: []Option{
			{Value: "publicity", Label: text{ZH: "法治宣传", EN: "Publicity"}}, {Value: "other_task", Label: text{ZH: "交办的其他工作", EN: "Other task"}}}},
		{Name: "audience", Kind: Count, Label: text{ZH: "参加人数", EN: "People present"}, Max: 1_000_000},
	}},
}

// assistanceGiven is entered only where the catalogue has it.
const assistanceGiven = "zhiban.assistance.given.v1"

// topics are what people ask about most, in the words of the ledgers.
var topics = []Option{
	topic("认罪认罚从宽", "Plea leniency"), topic("取保候审条件", "Bail"), topic("羁押期限", "Length of custody"), topic("申请法律援助", "Legal aid"),
	topic("委托辩护人", "Engaging a defender"), topic("会见与通信", "Meetings and letters"), topic("量刑情节", "Sentencing"), topic("变更强制措施", "Coercive measures"),
	topic("诉讼程序", "Procedure"), topic("上诉与申诉", "Appeals"), topic("退赃退赔", "Restitution"), topic("其他", "Other"),
}

func topic(zh, en string) Option { return Option{Value: zh, Label: text{ZH: zh, EN: en}} }

// availableForms are the forms whose types are in the catalogue, with the
// catalogue's titles.
func availableForms() []Form {
	var out []Form
	for _, f := range forms {
		if t, err := schemas.Catalogue.Lookup(f.Type); err == nil {
			f.Title = t.Title
			f.Fields = append([]Field{}, f.Fields...) // none is [] for the script, not null
			out = append(out, f)
		}
	}
	return out
}

// panel is a tab of the page: the first event of a case.
type panel struct{ ID, Tab, Type string }

// panels are the tabs for which there is a form.
func panels(available []Form) []panel {
	var out []panel
	for _, f := range available {
		switch f.Type {
		case "zhiban.consultation.recorded.v1", "zhiban.application.received.v1", "zhiban.notification.triggered.v1", assistanceGiven, "zhiban.complaint.lodged.v1", "zhiban.activity.held.v1":
			kind := strings.Split(f.Type, ".")[1]
			out = append(out, panel{kind, "tab." + kind, f.Type})
		}
	}
	return out
}
