package dashboard

import (
	"net/http"

	"zhiban/schemas"
)

// The contract of ingest, as its package documents it; a test holds the two
// together. The dashboard does not import ingest.
const (
	eventsPath     = "/api/v1/events"
	eventTypesPath = "/api/v1/event-types"
	eventMediaType = "application/cloudevents+json"
	batchMediaType = "application/cloudevents-batch+json"
	maxBatchEvents = 1000
	maxBatchBytes  = 4 << 20
)

// attributes are those of an event that its sender sets, and then those that
// the platform adds.
var attributes = []struct {
	name     string
	required bool
	form     schemas.Text
	meaning  schemas.Text
}{
	{"specversion", true, schemas.Text{ZH: `固定为 "1.0"`, EN: `always "1.0"`},
		schemas.Text{ZH: "CloudEvents 规范版本。", EN: "Version of the CloudEvents specification."}},
	{"id", true, schemas.Text{ZH: "UUID，36 个字符，建议第 7 版", EN: "UUID of 36 characters, version 7 preferred"},
		schemas.Text{ZH: "事件的身份。由发送方生成一次并随记录保存；重发必须使用同一 id，无论到达几次只计一次。", EN: "Identity of the event. The sender makes it once and keeps it with the record; sent again under the same id it counts once, however often it arrives."}},
	{"source", true, schemas.Text{ZH: "/stations/<工作站代码> 或 /divisions/<区划代码>", EN: "/stations/<station code> or /divisions/<division code>"},
		schemas.Text{ZH: "事件发生在哪里。同一案卷的全部事件必须使用同一 source。", EN: "Where it happened. All events of one case have the same source."}},
	{"type", true, schemas.Text{ZH: "zhiban.<案卷>.<动作>.v<版本>", EN: "zhiban.<case>.<verb>.v<version>"},
		schemas.Text{ZH: "事件类型，只能是本页所列的类型。", EN: "One of the types on this page."}},
	{"subject", true, schemas.Text{ZH: "<案卷>/<UUID>；工作站用代码，律师用执业证号", EN: "<case>/<UUID>; the code for a station, the licence for a lawyer"},
		schemas.Text{ZH: "案卷：事件所属的一段经过，例如一个班次的签到和签退。首个事件时由发送方生成，后续事件沿用。", EN: "The case: the small history to which the event belongs, such as sign-in and sign-out of one shift. The sender makes it with the first event and keeps to it."}},
	{"time", true, schemas.Text{ZH: "RFC 3339，带时区，如 2026-09-01T08:31:00+08:00", EN: "RFC 3339 with its zone, such as 2026-09-01T08:31:00+08:00"},
		schemas.Text{ZH: "事情发生的时间，不是发送时间；按北京时间计入当日。", EN: "When it happened, not when it is sent; it counts on its day in Beijing time."}},
	{"datacontenttype", false, schemas.Text{ZH: "application/json", EN: "application/json"},
		schemas.Text{ZH: "data 的媒体类型，可以省略。", EN: "Media type of data; may be left out."}},
	{"data", true, schemas.Text{ZH: "JSON 对象", EN: "JSON object"},
		schemas.Text{ZH: "登记的内容，字段见各类型。可选字段没有值时省略，不要发 null；不接受未列出的字段。", EN: "What is recorded; each type lists its fields. Leave an optional field out rather than send null; fields that are not listed are refused."}},
}

// answers are the statuses of POST /api/v1/events with what the sender does.
var answers = []struct {
	status        int
	meaning, todo schemas.Text
}{
	{http.StatusAccepted, schemas.Text{ZH: "至少一条已接受：已写入全部同步副本，不会丢失。", EN: "At least one event is accepted: written by all in-sync replicas, it will not be lost."},
		schemas.Text{ZH: "逐条看 results（顺序与发送一致）：accepted 的标记为已报送；rejected 且 retry 为 true 的原样重发；其余按 errors 改正后重发。", EN: "Read the results, which stand in the order sent: mark accepted ones as sent; send those with retry again as they are; mend the others by their errors."}},
	{http.StatusBadRequest, schemas.Text{ZH: "请求不是 JSON，或与媒体类型不符；一条也没有接受。", EN: "The body is not JSON or does not fit its media type; nothing is accepted."},
		schemas.Text{ZH: "改正程序，不要原样重发。", EN: "Mend the program; do not send it again as it is."}},
	{http.StatusRequestEntityTooLarge, schemas.Text{ZH: "超过条数或字节上限；一条也没有接受。", EN: "Over the limit of events or bytes; nothing is accepted."},
		schemas.Text{ZH: "拆成小批再发。", EN: "Split it into smaller batches."}},
	{http.StatusUnsupportedMediaType, schemas.Text{ZH: "媒体类型、字符集或压缩方式不支持；一条也没有接受。", EN: "The media type, charset or encoding is not supported; nothing is accepted."},
		schemas.Text{ZH: "使用上表的媒体类型、UTF-8、不压缩。", EN: "Use the media types above, UTF-8, no compression."}},
	{http.StatusUnprocessableEntity, schemas.Text{ZH: "全部事件有误，一条也没有接受。", EN: "Every event is wrong; nothing is accepted."},
		schemas.Text{ZH: "按 errors 的 location 和 message 改正后重发；未被接受过的 id 可以继续使用。", EN: "Mend them by the location and message of their errors; an id that was never accepted may be used again."}},
	{http.StatusTooManyRequests, schemas.Text{ZH: "等待写入的事件过多；本次一条也没有接受。", EN: "Too many events wait to be written; nothing of this request is accepted."},
		schemas.Text{ZH: "按 Retry-After 的秒数等待，原样重发。", EN: "Wait for the seconds of Retry-After and send it again as it is."}},
	{http.StatusInternalServerError, schemas.Text{ZH: "平台内部错误。", EN: "A fault of the platform."},
		schemas.Text{ZH: "稍后原样重发；持续出现时联系平台运维。", EN: "Send it again later as it is; if it stays, tell the operator."}},
	{http.StatusServiceUnavailable, schemas.Text{ZH: "日志没有确认写入。", EN: "The log did not acknowledge the events."},
		schemas.Text{ZH: "按 Retry-After 等待后原样重发，id 不变：即使其中有的已经写入也只计一次。", EN: "Wait for Retry-After and send it again under the same ids: what was written after all counts once."}},
}

// ofDivisions are the cases whose example comes from a division: they belong to
// no station.
var ofDivisions = map[schemas.CaseKind]bool{
	schemas.CaseLawyer: true, schemas.CaseRoster: true, schemas.CaseContact: true, schemas.CaseSupervision: true, schemas.CaseSubsidy: true,
	schemas.CaseTraining: true, schemas.CaseConduct: true, schemas.CaseHonour: true, schemas.CaseMeeting: true, schemas.CaseMatter: true,
	schemas.CaseReturn: true,
}

// typeRules are what the schema of one field cannot say.
var typeRules = map[string]schemas.Text{
	"zhiban.station.founded.v1": {
		ZH: "code 与 subject、source 中的代码相同，kind 与代码相符（代码中的 detention 即 detention_centre）；name 必须符合“XX法律援助中心驻人民法院/人民检察院/看守所值班律师工作站”。",
		EN: "code is that of subject and source, and kind agrees with it (detention in a code is detention_centre); name follows the pattern of the regulation."},
	"zhiban.lawyer.enrolled.v1":   {ZH: "licence 与 subject 中的执业证号相同。", EN: "licence is that of the subject."},
	"zhiban.shift.planned.v1":     {ZH: "end 晚于 start。", EN: "end is after start."},
	"zhiban.contact.appointed.v1": {ZH: "to 不早于 from。", EN: "to is not before from."},
	"zhiban.station.inspected.v1": {ZH: "同一项目不能既在 met 又在 missing 中，每项只写一次。", EN: "no item is both in met and in missing, and each stands once."},
	"zhiban.roster.delivered.v1":  {ZH: "receivers 中每个机关只写一次。", EN: "each organ stands once in receivers."},
	"zhiban.meeting.held.v1":      {ZH: "organs 中每个机关只写一次。", EN: "each organ stands once in organs."},
	"zhiban.return.submitted.v1": {
		ZH: "division、month 与 subject 中的相同；sha256 是 file 的校验和；同一单元格、同一障碍只写一次；figures 中没有数据写 \"X\"，职责尚未设立写 \"N\"。月报不更正、不作废，接收后以 return.amended 更正。",
		EN: "division and month are those of the subject; sha256 is that of file; a cell or a blocker stands once; X stands for a figure that is not available, N for a duty that did not exist. A return is never corrected or voided: once accepted it is amended."},
	"zhiban.return.amended.v1": {
		ZH: "sha256 是 file 的校验和；每处更正写明原值和新值，二者不同；number 接续上一次更正。",
		EN: "sha256 is that of file; every change has old and new value, which differ; number follows the last amendment's."},
	"zhiban.station.noticed.v1": {ZH: "items 中每项只写一次。", EN: "each item stands once."},
}

// valueWords are the Chinese terms of values that no field's description lists.
var valueWords = map[string]string{
	"state_security": "国家安全机关", "procuratorate": "人民检察院", "court": "人民法院", "police": "公安机关", "justice": "司法行政机关",
	"investigation": "侦查阶段", "prosecution": "审查起诉阶段", "trial": "审判阶段",
	"upheld": "成立", "dismissed": "不成立", "withdrawn": "撤回", "corrected": "已纠正", "not_corrected": "未纠正",
	"publicity": "法治宣传", "other_task": "其他工作", "county": "县级", "prefecture": "市级", "province": "省级", "national": "国家级",
}

// docWords are the Chinese of sentences that the catalogue of events and the
// description of the API have in English only.
var docWords = map[string]string{
	"station code, the same as in subject and source":                            "工作站代码，与 subject、source 中的相同",
	"where the station sits":                                                     "工作站驻在哪类机关",
	"division in which the station lies":                                         "工作站所在地的区划代码",
	"division in whose monthly return the station counts":                        "工作站计入哪个地区的月报（区划代码）",
	"organs that host the station":                                               "派驻的机关",
	"执业证号, the same as in subject":                                               "执业证号，与 subject 中的相同",
	"law firm or legal aid centre":                                               "律师事务所或法律援助机构",
	"division whose centre posts the lawyer":                                     "由哪个地区的法律援助机构派驻（区划代码）",
	"licence of the lawyer on duty":                                              "值班律师的执业证号",
	"whether the badge was worn":                                                 "是否佩戴工牌",
	"pseudonym, never a name or an identity number":                              "化名，不得是姓名或身份证号",
	"id of the shift during which it was given":                                  "咨询所在班次的 UUID（班次 subject 中的）",
	"whether the person was guided to apply for legal aid":                       "是否引导当事人申请法律援助",
	"lawyer who took the application":                                            "接收申请的律师",
	"pseudonym of the applicant":                                                 "申请人的化名",
	"legal aid centre that it went to":                                           "接收转交的法律援助机构",
	"pseudonym of the person to be told":                                         "应被告知的人的化名",
	"document that proves the notice":                                            "证明已告知的笔录或送达回执",
	"last day for paying it, where one is set":                                   "最迟发放的日期，定有期限时填写",
	"number in the register":                                                     "登记簿上的编号",
	"the assigned lawyer":                                                        "被指派的律师",
	"whether the opinion or application was adopted, once known":                 "意见或申请是否被采纳，知道后填写",
	"the lawyer called":                                                          "被通知的律师",
	"the notification it is about":                                               "所针对的告知案卷的 UUID",
	"whether the organ accepts the opinion":                                      "办案机关是否接受纠正意见",
	"division whose return it is, the same as in subject and source":             "填报地区的区划代码，与 subject、source 中的相同",
	"month reported, the same as in subject":                                     "报告期，与 subject 中的相同",
	"version of the form":                                                        "表式版本",
	"by partition of the log, the offset of the first event that is not counted": "日志切点：每个分区第一条未计入事件的偏移量",
	"the cells of the form":                                                      "表内各单元格：本月、本年累计、上年同月",
	"the form as a workbook (XLSX), in base64":                                   "月报表文件（XLSX），base64 编码",
	"SHA-256 of the file":                                                        "文件的 SHA-256 校验和",
	"who filled the form":                                                        "填报人姓名",
	"what stood in the way, and why it was submitted all the same":               "上报时仍存在的障碍，以及仍然上报的理由",
	"ids of the events that froze the returns it is made of":                     "所汇总的下级月报（上报或更正事件的 id）",
	"who decided": "审核人姓名",
	"1 for the first amendment of the return":                       "第几次更正，从 1 起",
	"the sheet of divisions; none of a county":                      "分地区表；县（市、区）没有",
	"the sheet of divisions, of a return that has one":              "分地区表（有下级或本级工作站的月报）",
	"the sheet of divisions as it is now, of a return that has one": "更正后的分地区表（有下级或本级工作站的月报）",
	"figures by their cell of the form":                             "各指标的数字，以表格单元为名",
	"every cell that differs from what stood":                       "与原表不同的每一处",
	"document number":                   "文号",
	"organs present":                    "到会机关",
	"id of the event that is corrected": "被更正事件的 id",
	"the whole new data, in the shape of the corrected event's type":              "更正后的完整内容，字段与被更正事件的类型相同",
	"the new time, when the time was wrong":                                       "发生时间有误时的新时间",
	"id of the event that is voided":                                              "被作废事件的 id",
	"the 17 digits of a licence (执业证号)":                                           "17 位执业证号",
	"a station code, for example 220182-court":                                    "工作站代码，如 220182-court",
	"a division code, for example 220182":                                         "区划代码，如 220182",
	"a pseudonym: a letter or digit, then up to 63 letters, digits, or . _ : / -": "以字母或数字开头，其后最多 63 个字母、数字或 . _ : / -；不接受像身份证号的值",

	"The close of a month: who has reported, who is late or missing, who is to be reminded":       "月报报送情况：谁已报、谁迟报或未报、该提醒谁",
	"A division's monthly return: figures, state, what stands in the way, every version and step": "一个地区的月报：数据、状态、障碍、全部版本和经过",
	"A division's monthly return as a workbook: the frozen file byte for byte, or the live form":  "月报表工作簿：已冻结的文件（逐字节相同），或当前数据",
	"Freeze a month and report it upward":                                                         "冻结并上报月报",
	"Send a submitted return back":                                                                "退回已上报的月报",
	"Accept a submitted return":                                                                   "接收已上报的月报",
	"Amend an accepted return by what has changed since":                                          "按其后的变化更正已接收的月报",
	"who fills the form":        "谁填报",
	"what the month stands for": "报告期对应的统计时段",
	"steps that the asker may take now: submit, return, accept, amend": "询问者现在可做的步骤：submit 上报、return 退回、accept 接收、amend 更正",
	"the return in the close grid":                                     "该月报在报送情况表中的一行",
	"what stands in the way of submitting":                             "上报的障碍",
	"pages that show it":                                               "可查看的页面",
	"the returns of the divisions below":                               "下级地区的月报",
	"what was frozen, oldest first":                                    "冻结的各版，先后为序",
	"number of the amendment; 0: a submission":                         "第几次更正；0 为上报",
	"where the frozen file is":                                         "冻结文件的地址",
	"a number; X: not available; N: the duty did not exist":            "数字；X 为不可得，N 为职责尚未设立",
	"the form as the books are now":                                    "按当前数据填写的表",
	"of the catalogue, not of the printed form":                        "口径中的单位，不是表上显示的单位",
	"last month":                            "上月",
	"page of the postings behind the month": "构成本月数字的明细页面",
	"from last month, as a part of it":      "与上月相比的变化率",
	"from the version that stands to the live form: what an amendment would say":                       "现行版本与当前数据的差别，即更正的内容",
	"number of a frozen version, or live; what stands when left out, the live form while nothing does": "冻结版本号，或 live（当前数据）；省略时为现行版本，尚未上报时为当前数据",
	"RFC 3339, or a day for its end: the live form of then":                                            "RFC 3339 时间，或日期（当日结束时）：按当时数据填写的表",
	"the step, in the log":                                 "该步骤在日志中的事件",
	"after the step":                                       "该步骤之后的状态",
	"of the file that it froze":                            "所冻结文件的校验和",
	"of the form that it froze":                            "所冻结的版本",
	"of the form that the filler saw; now's when left out": "填报人所见数据的日志切点；省略时为当前",
	"of the form that the signer saw; now's when left out": "审核人所见数据的日志切点；省略时为当前",
	"why it is submitted in spite of a blocker":            "存在障碍仍然上报的理由",

	"Takes one event or a batch":                                   "报送一条或一批事件",
	"What every type of event holds, with JSON Schema and example": "全部事件类型，附 JSON Schema 和示例",
	"What every figure means":                                      "全部指标的口径",
	"Figures, split and filtered":                                  "统计数据，可分组、筛选",
	"The postings behind a figure":                                 "构成一个数字的分录",
	"What is wrong with the records: late entries, wrong times, what does not fit together": "登记中的问题：补录、时间有误、前后不符等",
	"code of the finding to list; none when left out":                                       "要列出清单的检查项代码；省略则不列清单",
	"how many to leave out; 0 when left out":                                                "跳过多少条；省略为 0",
	"at most 100; 100 when left out":                                                        "最多 100；省略为 100",
	"Those of some events that count, as they count now":                                    "一批事件中仍然有效的，按现在的内容（更正之后）",
	"Events of a station or division that count, as they count now":                         "一个工作站或地区仍然有效的事件，按现在的内容（更正之后）",
	"station or division code":                                                              "工作站代码或区划代码",
	"kind of case":                                                                          "案卷种类",
	"first day":                                                                             "起始日",
	"last day, inclusive":                                                                   "截止日（含当日）",
	"The cases of a station that wait for their next step":                                  "一个工作站尚未办结的事项：未签退、未签字、未转交、未告知、未派律师",
	"An event with its place in the log, its case and its postings":                         "一条事件：日志位置、案卷经过和分录",
	"How far the projection has come":                                                       "入账进度",
	"Lawyers posted by the centres of a division":                                           "一个地区的值班律师",
	"Stations that report to a division":                                                    "计入一个地区的工作站",
	"A lawyer's year as a workbook":                                                         "律师一年的履职记录（工作簿）",
	"A division's monthly return as a workbook":                                             "一个地区的月报表（工作簿）",
	"The slides of a division's joint meeting":                                              "一个地区联席会议的幻灯片",
	"division code; all that one may see when left out":                                     "区划代码；省略时为本人可见的全部",
	"division code":                                                                         "区划代码",
	"first day; the first of to's month when left out":                                      "起始日；省略时为截止日所在月的 1 日",
	"last day, inclusive; the day of as_of when left out":                                   "截止日（含）；省略时为 as_of 当日",
	"comma-separated codes of /api/v1/indicators":                                           "指标代码，用逗号分开，见 /api/v1/indicators",
	"RFC 3339, or a day for its end: the figures as they were in the books then; now when left out":      "数据时点：RFC 3339 时间，或日期（当日结束时）；按当时已入账的数据统计；省略时为现在",
	"RFC 3339, or a day for its end; now when left out":                                                  "数据时点：RFC 3339 时间，或日期（当日结束时）；省略时为现在",
	"then: each day under the divisions of that day (default); now: all under today's":                   "then：每日按当日区划（默认）；now：全部按现行区划",
	"comma-separated station codes":                                                                      "工作站代码，用逗号分开",
	"comma-separated: court, procuratorate, detention_centre":                                            "工作站类别，用逗号分开：court、procuratorate、detention_centre",
	"comma-separated licences of 17 digits":                                                              "17 位执业证号，用逗号分开",
	"comma-separated firms":                                                                              "执业机构，用逗号分开",
	"comma-separated: onsite, phone, online":                                                             "值班方式，用逗号分开：onsite、phone、online",
	"comma-separated: visit, phone, online, in_custody":                                                  "咨询渠道，用逗号分开：visit、phone、online、in_custody",
	"comma-separated: suspect, defendant, relative, other":                                               "当事人身份，用逗号分开：suspect、defendant、relative、other",
	"comma-separated: police, state_security, procuratorate, court":                                      "办案机关，用逗号分开：police、state_security、procuratorate、court",
	"comma-separated: division (the children of the division), day, month, quarter, year, or any filter": "分组方式，用逗号分开：division（下级地区）、day、month、quarter、year，或任一筛选项",
	"how many postings to leave out; 0 when left out":                                                    "跳过的分录数；省略时为 0",
	"Who did and saw what, the newest first":                                                             "谁做了什么、看了什么，新的在前",
	"Who did and saw what, all of it as CSV":                                                             "全部审计记录，CSV",
	"how many records to leave out; 0 when left out":                                                     "跳过的记录数；省略时为 0",
	"records that match":                                          "符合条件的记录数",
	"offset in the topic of the trail":                            "在审计日志中的位置",
	"offset of the next page; left out on the last":               "下一页的 offset；最后一页没有",
	"first day; from the first record when left out":              "起始日；省略时从第一条记录起",
	"last day, inclusive; up to now when left out":                "截止日（含）；省略时到现在",
	"name of the account":                                         "账号名",
	"what was done, such as login, export, unseal, denied":        "操作，如 login、export、unseal、denied",
	"done, allowed, refused or failed":                            "结果：done、allowed、refused 或 failed",
	"a part of what it was done to: a path, an event, an account": "对象的一部分：路径、事件或账号",
	"comma-separated: yoy (the same days of the year before), mom (the period before), ytd (the year so far); days that are not over yet are left out": "用逗号分开：yoy（同比）、mom（环比）、ytd（本年累计）；两期都只计已过的日子",
	"a month: divisions count where they report their returns of it, not by the tree":                                                                  "月份：各地区按该月月报的上报关系归集，不按区划隶属",
	"all: every posting (default); standing: of each record what is left when its postings are set off against each other":                             "all：全部分录（默认）；standing：每个案卷的分录相互冲销后的余额",
	"only the days so far are counted, for they are compared":                                                                                          "为便于比较，只计到今日",
	"yoy, mom or ytd":                            "yoy 同比、mom 环比或 ytd 本年累计",
	"All postings behind a figure as CSV":        "构成数字的全部分录（CSV）",
	"All postings behind a figure as a workbook": "构成数字的全部分录（XLSX）",
	"at most 1000; 100 when left out":            "最多 1000；省略时为 100",
	"17 digits":                                  "17 位执业证号",
	"this year when left out":                    "年度；省略时为本年",
	"such as 2026-10":                            "月份，如 2026-10",
	"month such as 2026-10; the last that is over when left out":            "月份，如 2026-10；省略时为最近一个已结束的月份",
	"first day of the duty, when it came after the 2018 rules":              "适用起始日（晚于 2018 年规定的）",
	"by partition, the offset of the first event that is not counted":       "各分区第一条未计入的事件的位置",
	"one object for each combination of dimension values that has postings": "每个有分录的分组一行",
	"codes of the indicators that an event of the type can change":          "这类事件能够影响的指标的代码",
	"JSON Schema of the data":                              "data 的 JSON Schema",
	"an example of the data":                               "data 的示例",
	"as it was sent":                                       "与发送的相同",
	"of the 2018 rules":                                    "2018 年规定的条款",
	"one for each event, in the order sent":                "每条事件一个，顺序与发送一致",
	"rejected for the moment only: send it again":          "只是暂时未写入，请原样重发",
	"the type's full name":                                 "类型全名",
	"what is wrong, and what is expected":                  "有什么错误，应当是什么",
	"where: id, source, data.minutes; event for the whole": "出错的位置，如 id、source、data.minutes；event 指整条",
	"the file": "文件",
	"The last 50 verifications: independent recounts of the log":                  "最近 50 次核对：对日志另行计数的结果",
	"The last verification whole: what differs, what is damaged, by which events": "最近一次核对的全部结果：哪些数字不同、哪里损坏、涉及哪些事件",
	"the newest first":                                               "新的在前",
	"whether everything agreed":                                      "是否全部一致",
	"version of the tables that were compared":                       "核对的数据表版本",
	"whether these are the tables that answer":                       "是否就是现用的数据表",
	"records of the log that were read":                              "读过的日志记录数",
	"figures that were compared":                                     "比对的数字个数",
	"batches whose rows were hashed":                                 "校验的批次数",
	"figures that differ":                                            "不同的数字",
	"ranges of the log that are damaged in the tables":               "数据表中损坏的日志区段",
	"by partition, the offset of the first record that was not read": "各分区第一条未读记录的位置",
	"of them events that were counted":                               "其中计数的事件数",
	"of them records that are parked":                                "其中待处理的记录数",
	"differences that are not listed":                                "未列出的差异数",
	"damages that are not listed":                                    "未列出的损坏数",
	"last day, of figures that fall due":                             "期限（有期限的指标）",
	"events at fault":                                                "涉及的事件",
	"events that are not listed":                                     "未列出的事件数",
	"of the ledger's row":                                            "批次账行的编号",
}
