package ledger

import (
	"fmt"
	"slices"
	"strings"
)

// field is what a column holds.
type field int

// The columns of the ledgers. colResult is the column that [Annotate] adds; it
// is known so that a marked copy can be mended and imported again.
const (
	colSeq field = iota
	colDate
	colLawyer
	colLicence
	colSignIn
	colSignOut
	colSpan // sign-in and sign-out in one cell
	colMode
	colBadge
	colAt
	colUntil
	colMinutes
	colRole
	colChannel
	colQuestion
	colAnswer
	colGuided
	colSignature
	colDefender
	colPerson
	colPersonID
	colRemark
	colCustody
	colApplicant // the applicant's role
	colThenDate  // day of what came of it: transfer, notice, payment
	colThenAt
	colPayableBy
	colAgency
	colOrgan
	colTrigger
	colForm
	colEvidence
	colTopic
	colHours
	colAmount
	colPaid
	colNumber // of the application or case
	colCourse
	colPlace
	colResult
	fieldCount
)

// column is a row of the synonyms table: the headings under which a field
// stands in a kind of ledger. A heading is compared without blanks,
// punctuation and anything in brackets; one of two lines as
// "<upper><lower>", then as the lower line alone.
type column struct {
	field    field
	kind     Kind     // of which ledger; empty for all
	names    []string // the first is the one shown to people
	contains []string // a heading that holds one of these is the field as well
	required bool     // without it no line of the ledger can be counted
	left     bool     // known, but never imported
}

// columns is the synonyms table. Where a heading could mean two fields the
// first row wins.
var columns = []column{
	{field: colSeq, names: []string{"序号", "编号", "行号", "顺序号", "登记号", "no"}, left: true},
	{field: colDate, kind: SignInBook, names: []string{"日期", "值班日期", "签到日期", "到岗日期", "登记日期", "年月日", "时间", "值班日"}, required: true},
	{field: colDate, kind: ConsultationsLedger, names: []string{"日期", "咨询日期", "登记日期", "接待日期", "来访日期", "年月日", "值班日期"}},
	{field: colLicence, kind: NotificationsRegister, names: []string{"执业证号"}, contains: []string{"执业证"}, left: true},
	{field: colLicence, names: []string{"执业证号", "律师执业证号码", "律师执业证号", "执业证号码", "执业证编号", "执业证书号", "执业证", "律师证号", "证号"}, contains: []string{"执业证"}, required: true},
	{field: colLawyer, kind: SignInBook, names: []string{"值班律师", "律师姓名", "值班律师姓名", "律师", "姓名", "值班人员", "值班人", "签到人"}},
	{field: colLawyer, kind: ConsultationsLedger, names: []string{"值班律师", "律师姓名", "值班律师姓名", "律师", "接待律师", "解答律师", "承办律师", "接待人", "解答人", "值班人员"}},

	{field: colSignIn, kind: SignInBook, names: []string{"到岗时间", "签到时间", "上班时间", "到岗", "签到", "上岗时间", "到达时间", "开始时间", "起始时间", "值班开始时间"}, contains: []string{"到岗时间", "签到时间", "上班时间"}},
	{field: colSignOut, kind: SignInBook, names: []string{"离岗时间", "签退时间", "下班时间", "离岗", "签退", "离开时间", "结束时间", "值班结束时间"}, contains: []string{"离岗时间", "签退时间", "下班时间"}},
	{field: colSpan, kind: SignInBook, names: []string{"值班时间", "值班时段", "值班起止时间", "起止时间", "在岗时间", "时段"}},
	{field: colMode, kind: SignInBook, names: []string{"值班方式", "方式", "值班形式", "值班类型", "值班类别", "形式"}, required: true},
	{field: colBadge, kind: SignInBook, names: []string{"是否佩戴工作牌", "佩戴工作牌", "是否佩戴胸牌", "工作牌", "胸牌", "是否挂牌"}, contains: []string{"工作牌", "胸牌"}},

	{field: colAt, kind: ConsultationsLedger, names: []string{"时间", "咨询时间", "接待时间", "解答时间", "来访时间", "登记时间", "开始时间", "起始时间", "时刻"}},
	{field: colUntil, kind: ConsultationsLedger, names: []string{"结束时间", "终止时间", "离开时间"}},
	{field: colMinutes, kind: ConsultationsLedger, names: []string{"时长", "咨询时长", "用时", "分钟", "时长分钟", "接待时长", "咨询用时"}, contains: []string{"时长"}},
	{field: colRole, kind: ConsultationsLedger, names: []string{"咨询人身份", "身份", "当事人身份", "来访人身份", "咨询人类别", "咨询人类型", "人员身份", "人员类别", "与当事人关系", "咨询人员身份"}, required: true},
	{field: colChannel, kind: ConsultationsLedger, names: []string{"咨询方式", "形式", "方式", "咨询形式", "接待方式", "咨询渠道", "渠道", "来访方式", "咨询途径"}, required: true},
	{field: colQuestion, kind: ConsultationsLedger, names: []string{"咨询问题", "咨询内容", "问题", "咨询事项", "事项", "内容", "咨询问题摘要", "案由", "咨询类别"}, contains: []string{"咨询问题", "咨询内容", "咨询事项"}},
	{field: colAnswer, kind: ConsultationsLedger, names: []string{"解答意见", "解答内容", "答复意见", "律师意见", "处理意见", "解答", "答复", "解答情况", "办理情况", "处理结果"}, contains: []string{"解答", "答复"}},
	{field: colGuided, kind: ConsultationsLedger, names: []string{"是否引导申请法律援助", "引导申请法律援助", "引导申请", "是否引导", "是否申请法律援助"}, contains: []string{"引导"}},
	{field: colSignature, kind: ConsultationsLedger, names: []string{"律师签字", "律师签名", "值班律师签字", "值班律师签名", "签字", "签名"}, contains: []string{"律师签字", "律师签名"}},
	{field: colSignature, kind: SignInBook, names: []string{"律师签字", "律师签名", "值班律师签字", "值班律师签名", "签字", "签名"}, left: true},
	{field: colDefender, kind: ConsultationsLedger, names: []string{"是否有辩护人", "有无辩护人", "是否委托辩护人", "辩护人"}, contains: []string{"辩护人"}},
	{field: colPerson, kind: ConsultationsLedger, names: []string{"咨询人姓名", "姓名", "咨询人", "当事人姓名", "当事人", "来访人", "来访人姓名", "来访者"}, left: true},
	{field: colPersonID, kind: ConsultationsLedger, names: []string{"身份证号", "身份证号码", "证件号码", "咨询人身份证号", "咨询人身份证号码", "联系电话", "联系方式", "电话", "住址", "地址"}, contains: []string{"身份证", "电话"}, left: true},
	{field: colDate, kind: ApplicationsRegister, names: []string{"接收日期", "日期", "申请日期", "登记日期", "收件日期", "收到日期", "提出日期", "年月日"}},
	{field: colAt, kind: ApplicationsRegister, names: []string{"接收时间", "时间", "申请时间", "登记时间", "收件时间", "收到时间", "提出时间", "时刻"}},
	{field: colApplicant, kind: ApplicationsRegister, names: []string{"申请人身份", "身份", "当事人身份", "申请人类别", "申请人类型", "与当事人关系"}, left: true},
	{field: colPerson, kind: ApplicationsRegister, names: []string{"申请人", "申请人姓名", "当事人", "当事人姓名", "受援人", "受援人姓名", "姓名"}, left: true},
	{field: colCustody, kind: ApplicationsRegister, names: []string{"是否在押", "在押", "是否羁押", "羁押状态", "在押情况", "羁押情况", "是否被羁押"}, contains: []string{"在押", "羁押"}, required: true},
	{field: colLawyer, kind: ApplicationsRegister, names: []string{"接收律师", "值班律师", "接收律师姓名", "值班律师姓名", "律师姓名", "律师", "接收人", "经办律师", "登记律师"}},
	{field: colThenDate, kind: ApplicationsRegister, names: []string{"转交日期", "移交日期", "转送日期", "报送日期"}},
	{field: colThenAt, kind: ApplicationsRegister, names: []string{"转交时间", "移交时间", "转送时间", "报送时间"}},
	{field: colAgency, kind: ApplicationsRegister, names: []string{"转交机构", "接收机构", "转交单位", "移交机构", "移交单位", "法律援助机构", "转交至"}},
	{field: colNumber, kind: ApplicationsRegister, names: []string{"申请编号", "申请号", "受理编号", "案号", "案件编号", "文号"}, left: true},
	{field: colSignature, kind: ApplicationsRegister, names: []string{"律师签字", "律师签名", "签字", "签名", "经办人签字"}, left: true},

	{field: colOrgan, kind: NotificationsRegister, names: []string{"办案机关", "告知机关", "办案单位", "告知单位", "机关", "单位"}, required: true},
	{field: colTrigger, kind: NotificationsRegister, names: []string{"告知事由", "触发情形", "告知情形", "情形", "事由", "诉讼阶段", "告知节点", "节点"}, required: true},
	{field: colDate, kind: NotificationsRegister, names: []string{"发生日期", "日期", "触发日期", "应告知日期", "起算日期"}},
	{field: colAt, kind: NotificationsRegister, names: []string{"发生时间", "触发时间", "时间", "情形发生时间", "事由发生时间", "起算时间"}},
	{field: colCustody, kind: NotificationsRegister, names: []string{"是否在押", "在押", "是否羁押", "羁押状态", "在押情况", "羁押情况", "是否被羁押"}, contains: []string{"在押", "羁押"}, required: true},
	{field: colThenDate, kind: NotificationsRegister, names: []string{"告知日期", "履行告知日期", "实际告知日期"}},
	{field: colThenAt, kind: NotificationsRegister, names: []string{"告知时间", "履行告知时间", "实际告知时间"}},
	{field: colForm, kind: NotificationsRegister, names: []string{"告知方式", "方式", "告知形式", "形式"}},
	{field: colEvidence, kind: NotificationsRegister, names: []string{"凭据", "告知凭据", "凭证", "告知凭证", "证明材料", "送达回执", "笔录或回执", "依据"}},
	{field: colPerson, kind: NotificationsRegister, names: []string{"被告知人", "被告知人姓名", "告知对象", "当事人", "当事人姓名", "姓名", "被告知人编号"}, left: true},
	{field: colNumber, kind: NotificationsRegister, names: []string{"案号", "案件编号", "文号", "案件文号"}, left: true},
	{field: colLawyer, kind: NotificationsRegister, names: []string{"值班律师", "律师", "告知人", "经办人", "承办人"}, left: true},

	{field: colDate, kind: TrainingList, names: []string{"培训日期", "日期", "培训时间", "参训日期", "参加日期", "时间", "年月日"}},
	{field: colLawyer, kind: TrainingList, names: []string{"律师姓名", "姓名", "律师", "值班律师", "参训律师", "参训人员", "参加人员", "参训律师姓名"}},
	{field: colTopic, kind: TrainingList, names: []string{"培训主题", "主题", "培训类别", "主题类别", "培训内容", "内容", "类别"}, contains: []string{"培训主题", "培训内容"}, required: true},
	{field: colCourse, kind: TrainingList, names: []string{"课程名称", "培训名称", "培训课程", "课程", "培训班", "培训项目"}, left: true},
	{field: colHours, kind: TrainingList, names: []string{"学时", "培训学时", "课时", "培训时长", "时长", "学时数", "小时"}, contains: []string{"学时", "课时"}, required: true},
	{field: colPlace, kind: TrainingList, names: []string{"单位", "律师事务所", "所在律所", "执业机构", "工作单位", "培训地点", "地点", "主办单位", "工作站"}, left: true},
	{field: colSignature, kind: TrainingList, names: []string{"签字", "签名", "律师签字", "本人签字", "签到"}, left: true},

	{field: colDate, kind: SubsidyList, names: []string{"应发日期", "补贴日期", "日期", "值班日期", "计发日期", "补贴月份", "所属月份", "月份", "计发月份"}},
	{field: colLawyer, kind: SubsidyList, names: []string{"律师姓名", "姓名", "律师", "值班律师", "领取人", "收款人", "值班律师姓名"}},
	{field: colAmount, kind: SubsidyList, names: []string{"应发金额", "补贴金额", "金额", "应发", "应发补贴", "值班补贴", "补贴", "应付金额", "应发数"}, contains: []string{"应发金额", "补贴金额"}, required: true},
	{field: colPayableBy, kind: SubsidyList, names: []string{"最迟发放日期", "最迟发放日", "发放期限", "发放截止日期", "付款期限", "支付期限"}},
	{field: colThenDate, kind: SubsidyList, names: []string{"发放日期", "支付日期", "实发日期", "发放时间", "支付时间", "付款日期", "转账日期"}},
	{field: colPaid, kind: SubsidyList, names: []string{"实发金额", "实发", "发放金额", "已发金额", "支付金额", "实付金额", "实发数"}, contains: []string{"实发金额"}},
	{field: colPlace, kind: SubsidyList, names: []string{"单位", "律师事务所", "所在律所", "执业机构", "工作站", "值班天数", "天数", "班次", "补贴标准", "标准", "开户行", "银行账号", "账号", "卡号"}, left: true},
	{field: colSignature, kind: SubsidyList, names: []string{"签字", "签名", "领取人签字", "本人签字", "签领"}, left: true},

	{field: colPersonID, kind: ApplicationsRegister, names: []string{"身份证号", "联系电话", "住址"}, contains: []string{"身份证", "电话", "住址"}, left: true},
	{field: colPersonID, kind: NotificationsRegister, names: []string{"身份证号", "联系电话"}, contains: []string{"身份证", "联系电话"}, left: true},
	{field: colPersonID, kind: SubsidyList, names: []string{"身份证号"}, contains: []string{"身份证", "电话"}, left: true},
	{field: colRemark, names: []string{"备注", "说明", "备考", "其他"}, left: true},
	{field: colResult, names: []string{resultHeading}, left: true},
}

// resultHeading is the column that Annotate adds.
const resultHeading = "导入结果"

// of returns the table's row for a field.
func (f field) of(k Kind) column {
	for _, c := range columns {
		if c.field == f && (c.kind == "" || c.kind == k) {
			return c
		}
	}
	return column{}
}

// headingKey is a heading as it is compared: no blanks, punctuation or
// brackets with what they hold.
func headingKey(s string) string {
	var b strings.Builder
	depth := 0
	for _, r := range strings.ToLower(squeeze(s)) {
		switch {
		case strings.ContainsRune("([【〔", r):
			depth++
		case strings.ContainsRune(")]】〕", r):
			depth = max(0, depth-1)
		case depth > 0 || strings.ContainsRune(`*:;,.、。/\|-_"'`, r):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// lookup finds the field of a heading in a kind of ledger.
func lookup(heading string, k Kind) (field, bool) {
	key := headingKey(heading)
	if key == "" || len(key) > 60 { // no heading has over twenty characters
		return 0, false
	}
	if f, ok := exactly(key, k); ok {
		return f, true
	}
	for _, c := range columns {
		if (c.kind == "" || c.kind == k) && slices.ContainsFunc(c.contains, func(s string) bool { return strings.Contains(key, s) }) {
			return c.field, true
		}
	}
	return 0, false
}

// exactly finds the field that a heading names word for word.
func exactly(key string, k Kind) (field, bool) {
	for _, c := range columns {
		if (c.kind == "" || c.kind == k) && slices.Contains(c.names, key) {
			return c.field, true
		}
	}
	return 0, false
}

// layout is where a table stands in a sheet: its kind, its heading rows and
// the column of each field.
type layout struct {
	kind     Kind
	row      int // first heading row, from 1
	depth    int // heading rows
	col      [fieldCount]int
	heading  [fieldCount]string // as written
	unknown  []string           // headings that are in no row of the table
	width    int                // columns that have a heading
	headings []string           // the folded heading of each column
}

// has tells whether the field has a column.
func (l *layout) has(f field) bool { return l.col[f] >= 0 }

// name is the field's heading as the sheet writes it.
func (l *layout) name(f field) string {
	if l.heading[f] != "" {
		return l.heading[f]
	}
	return f.of(l.kind).names[0]
}

// maxHeadingDepth is how many rows a heading may span.
const maxHeadingDepth = 3

// findLayout tells whether a table's heading begins with the first of rows,
// which is the sheet's row number first. The heading takes as many rows as give
// it the most fields.
func findLayout(rows [][]string, first int, merged *merges) (layout, bool) {
	var best layout
	found, most := false, 0
	for depth := 1; depth <= min(maxHeadingDepth, len(rows)); depth++ {
		if depth > 1 && !looksLikeHeading(rows[depth-1]) {
			break
		}
		for _, k := range kinds {
			l := readHeading(rows[:depth], first, k.kind, merged)
			if n := l.fields(); l.recognised() && n > most {
				best, found, most = l, true, n
			}
		}
	}
	if found && best.depth > 1 { // a title above the heading is not part of it
		if below := readHeading(rows[1:best.depth], first+1, best.kind, merged); below.fields() >= most {
			return layout{}, false
		}
	}
	return best, found
}

// looksLikeHeading tells whether a row below a heading can be its second line:
// some text, and no figure that only a record has.
func looksLikeHeading(row []string) bool {
	text := false
	for _, c := range row {
		c = squeeze(c)
		if c == "" {
			continue
		}
		if c[0] >= '0' && c[0] <= '9' {
			return false
		}
		text = true
	}
	return text
}

func readHeading(rows [][]string, first int, k Kind, merged *merges) layout {
	l := layout{kind: k, row: first, depth: len(rows)}
	for f := range l.col {
		l.col[f] = -1
	}
	for _, r := range rows {
		l.width = max(l.width, len(r))
	}
	l.headings = make([]string, l.width)
	type claim struct {
		field field
		known bool
		text  string
	}
	claims := make([]claim, l.width)
	for c := range l.width {
		var lines []string // of this column, from the top; a cell merged downwards once
		wide := false      // the last line is shared with the columns beside it
		for i, r := range rows {
			text, shared := merged.text(rows, i, c, first)
			if text == "" && c < len(r) {
				text = r[c]
			}
			if text = fold(text); text == "" || len(lines) > 0 && lines[len(lines)-1] == text {
				continue
			}
			lines, wide = append(lines, text), shared
		}
		if len(lines) == 0 {
			continue
		}
		last := lines[len(lines)-1]
		l.headings[c] = last
		cl := claim{text: last}
		if len(lines) > 1 {
			cl.field, cl.known = exactly(headingKey(strings.Join(lines, "")), k)
		}
		if !cl.known && (!wide || len(lines) > 1) {
			cl.field, cl.known = lookup(last, k)
		}
		claims[c] = cl
	}
	for c, cl := range claims {
		switch {
		case cl.text == "":
		case cl.known && l.col[cl.field] < 0:
			l.col[cl.field], l.heading[cl.field] = c, cl.text
		default:
			l.unknown = append(l.unknown, cl.text)
		}
	}
	// 值班时间 beside 到岗时间 is the day.
	if k == SignInBook && l.has(colSpan) && l.has(colSignIn) && !l.has(colDate) {
		l.col[colDate], l.heading[colDate] = l.col[colSpan], l.heading[colSpan]
		l.col[colSpan], l.heading[colSpan] = -1, ""
	}
	return l
}

// fields counts the columns that have a meaning.
func (l *layout) fields() int {
	n := 0
	for f := range l.col {
		if l.col[f] >= 0 {
			n++
		}
	}
	return n
}

// recognised tells whether the headings are those of the kind at all: what
// only that ledger has, and someone or some day it speaks of.
func (l *layout) recognised() bool {
	kind := l.kind.row()
	own, common := l.count(kind.own), l.count(kind.common)
	return own >= kind.need && common >= 1 && own+common >= 3
}

// count counts those of the fields that have a column.
func (l *layout) count(of []field) int {
	n := 0
	for _, f := range of {
		if l.has(f) {
			n++
		}
	}
	return n
}

// missing names the headings without which no line can be counted.
func (l *layout) missing() []string {
	var out []string
	for _, c := range columns {
		if c.required && (c.kind == "" || c.kind == l.kind) && !l.has(c.field) && !c.field.of(l.kind).left {
			out = append(out, c.describe())
		}
	}
	for _, one := range l.kind.row().either {
		if l.count(one) == 0 {
			out = append(out, one[0].of(l.kind).describe())
		}
	}
	return out
}

// describe names a column with some of its synonyms.
func (c column) describe() string {
	if len(c.names) == 1 {
		return fmt.Sprintf("「%s」", c.names[0])
	}
	return fmt.Sprintf("「%s」（或%s）", c.names[0], strings.Join(c.names[1:min(len(c.names), 4)], "、"))
}

// wanted lists for each kind the headings that it is known by, for the message
// that none was found.
func wanted() string {
	var out []string
	for _, k := range kinds {
		var names []string
		for _, c := range columns {
			if slices.Contains(k.own, c.field) && c.kind == k.kind {
				names = append(names, c.names[0])
			}
		}
		out = append(out, k.ZH+"（"+strings.Join(names, "、")+"）")
	}
	return strings.Join(out, "、")
}
