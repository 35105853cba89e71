package ledger

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is which ledger a sheet is.
type Kind string

// The two ledgers of 三(四)2.
const (
	SignInBook          Kind = "shift"        // 签到簿
	ConsultationsLedger Kind = "consultation" // 咨询台账
)

// Title is the kind's Chinese name.
func (k Kind) Title() string {
	switch k {
	case SignInBook:
		return "签到簿"
	case ConsultationsLedger:
		return "咨询台账"
	}
	return "未识别"
}

// field is what a column holds.
type field int

// The columns of both ledgers. colResult is the column that [Annotate] adds; it
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
	colResult
	fieldCount
)

// column is a row of the synonyms table: the headings under which a field
// stands in a kind of ledger. A heading is compared without blanks,
// punctuation and anything in brackets; one of two lines as
// "<upper><lower>", then as the lower line alone.
type column struct {
	field    field
	kind     Kind     // of which ledger; empty for both
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
		for _, k := range []Kind{SignInBook, ConsultationsLedger} {
			l := readHeading(rows[:depth], first, k, merged)
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
	own := 0
	mark := []field{colSignIn, colSignOut, colSpan, colMode}
	if l.kind == ConsultationsLedger {
		mark = []field{colRole, colChannel, colQuestion, colAnswer, colGuided}
	}
	for _, f := range mark {
		if l.has(f) {
			own++
		}
	}
	common := 0
	for _, f := range []field{colDate, colAt, colLawyer, colLicence} {
		if l.has(f) {
			common++
		}
	}
	return own >= 1 && common >= 1 && own+common >= 3
}

// missing names the headings without which no line can be counted.
func (l *layout) missing() []string {
	var out []string
	for _, c := range columns {
		if c.required && (c.kind == "" || c.kind == l.kind) && !l.has(c.field) {
			out = append(out, c.describe())
		}
	}
	if l.kind == SignInBook && !l.has(colSignIn) && !l.has(colSpan) {
		out = append(out, colSignIn.of(l.kind).describe())
	}
	if l.kind == ConsultationsLedger && !l.has(colDate) && !l.has(colAt) {
		out = append(out, colDate.of(l.kind).describe())
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

// wanted lists the headings that a kind is known by, for the message that none
// was found.
func wanted(k Kind) string {
	var out []string
	for _, c := range columns {
		if (c.kind == "" || c.kind == k) && !c.left {
			out = append(out, c.names[0])
		}
	}
	return strings.Join(out, "、")
}
