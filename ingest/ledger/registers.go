package ledger

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"zhiban/schemas"
)

// The registers beside the two ledgers of the duty itself: what their lines
// are, when two of them are the same, and which events they become.
//
// Several people may be told, or apply, on one day without a time that tells
// their lines apart. The name, role and number that a register has for them do:
// they are compared (line.who) and never leave the file.

// application reads a line of the 法律援助申请登记簿.
func (c *cells) application() line {
	n := c.who()
	n.custody = c.custody()
	if when, ok := c.when(colDate, colAt, true); ok {
		n.start = when.time()
	}
	n.agency = c.short(colAgency, 100)
	n.person = c.whose(colApplicant, colPerson, colNumber)
	switch {
	case c.text(colThenDate) == "" && c.text(colThenAt) == "":
		c.note("没有转交日期，只导入接收；转交后补填再导入一次即可")
	default:
		c.then(&n, true)
	}
	return n
}

// then reads the day and time of what came of a line. Without a day column it
// is the line's own day.
func (c *cells) then(n *line, clockNeeded bool) {
	if c.text(colThenDate) == "" {
		// 转交时间 alone: with a day in it, or on the same day.
		if m, ok := c.moment(colThenAt, c.text(colThenAt)); ok && !m.hasDay && !n.start.IsZero() {
			m.day, m.hasDay = schemas.DayOf(n.start), true
			c.setEnd(n, m)
		} else if ok && m.hasDay && (m.hasClock || !clockNeeded) {
			c.setEnd(n, m)
		} else if ok && m.hasDay {
			c.fault(BadTime, colThenAt, "%s「%s」没有时刻，请写成 2026-09-01 9:30 的样子", c.layout.name(colThenAt), clip(c.text(colThenAt)))
		}
		return
	}
	if m, ok := c.when(colThenDate, colThenAt, clockNeeded); ok {
		c.setEnd(n, m)
	}
}

// setEnd sets a line's end. A day alone that is the start's is not before it.
func (c *cells) setEnd(n *line, m moment) {
	n.end = m.time()
	if n.start.IsZero() {
		return
	}
	if !m.hasClock && schemas.DayOf(n.start) == m.day {
		n.end = n.start
	}
	if n.end.Before(n.start) {
		col := colThenDate
		if !c.layout.has(col) {
			col = colThenAt
		}
		c.fault(BadOrder, col, "%s %s 早于%s %s", c.layout.name(col), n.end.In(schemas.Shanghai).Format("2006-01-02 15:04"), c.startName(), n.start.In(schemas.Shanghai).Format("2006-01-02 15:04"))
	}
}

// startName is the heading of the line's own day.
func (c *cells) startName() string {
	if c.layout.has(colDate) {
		return c.layout.name(colDate)
	}
	return c.layout.name(colAt)
}

// moment reads a cell that holds a day, a time, or both.
func (c *cells) moment(f field, text string) (moment, bool) {
	if m, err := parseMoment(c.book.dateText(text), c.period); err == nil && m.hasDay {
		if _, isClock := parseTime(text); isClock != nil || m.hasClock {
			return m, true
		}
		if _, isSerial := serial(c.book.dateText(text)); isSerial {
			return m, true
		}
	}
	return c.clock(f, text)
}

// when reads a day from one column and a time from another; either cell may
// hold both, and where no clock is needed the day is enough.
func (c *cells) when(date, at field, clockNeeded bool) (moment, bool) {
	var m moment
	dated := c.text(date) != ""
	if dated {
		m = c.day(date)
	}
	if text := c.text(at); text != "" {
		t, ok := c.moment(at, text)
		switch {
		case ok && dated:
			if t.hasDay && m.hasDay && t.day != m.day {
				c.fault(BadDate, at, "%s与%s不是同一天", c.layout.name(at), c.layout.name(date))
			}
			if t.hasClock {
				m.clock, m.hasClock = t.clock, true
			}
		case ok:
			m = t
		default:
			return m, false
		}
	}
	name := date
	if !c.layout.has(date) {
		name = at
	}
	switch {
	case !m.hasDay && !dated:
		c.fault(BadDate, name, "没有填%s", c.layout.name(name))
		return m, false
	case !m.hasDay:
		return m, false
	case clockNeeded && !m.hasClock:
		if !c.layout.has(at) {
			c.fault(BadTime, date, "%s「%s」没有时刻，请写成 2026-09-01 9:30 的样子，或加一列「%s」", c.layout.name(date), clip(c.text(date)), c.layout.name(at))
		} else {
			c.fault(BadTime, at, "没有填%s", c.layout.name(at))
		}
		return m, false
	}
	if p := c.period; date == colDate && p.month != 0 && (m.day.Month() != p.day().Month()) {
		c.note("日期不在标题所写的 %d年%d月内，请核对", p.year, p.month)
	}
	return m, true
}

// custody reads 是否在押; blank is not an answer, for deadlines depend on it.
func (c *cells) custody() bool {
	text := strings.TrimRight(squeeze(c.text(colCustody)), "。.")
	if text == "" {
		c.fault(BadCustody, colCustody, "没有填%s", c.layout.name(colCustody))
		return false
	}
	switch text {
	case "在押", "羁押", "已羁押", "被羁押", "羁押中", "关押", "在押人员":
		return true
	case "非在押", "非羁押", "取保候审", "取保", "监视居住", "在外":
		return false
	}
	yes, ok := yesNo(text)
	if ok && !yes && strings.ContainsAny(text, "不未没") && text != "没有" && !strings.Contains(text, "押") {
		ok = false // 不详, 未知
	}
	if !ok {
		c.fault(BadCustody, colCustody, "%s「%s」不认识，应为 是 或 否", c.layout.name(colCustody), clip(text))
	}
	return yes
}

// whose is what a register has to tell people apart.
func (c *cells) whose(fields ...field) string {
	var out []string
	for _, f := range fields {
		out = append(out, squeeze(c.text(f)))
	}
	return strings.Join(out, "|")
}

// short is a text of at most n characters.
func (c *cells) short(f field, n int) string {
	text := strings.Join(strings.Fields(c.text(f)), " ")
	if r := []rune(text); len(r) > n {
		c.note("%s超过 %d 字，只导入前 %d 字", c.layout.name(f), n, n-1)
		return string(r[:n-1]) + "…"
	}
	return text
}

// duties are the duties to notify that the rules give each organ (三(三)4(4)).
var duties = map[string][]string{
	"police": {"interrogation", "coercive_measure"}, "state_security": {"interrogation", "coercive_measure"},
	"procuratorate": {"review"}, "court": {"accepted", "retrial"},
}

// notification reads a line of the 告知登记簿.
func (c *cells) notification() line {
	n := line{row: c.row, custody: c.custody()}
	n.organ = c.word(BadOrgan, colOrgan)
	n.trigger = c.word(BadTrigger, colTrigger)
	if n.organ != "" && n.trigger != "" && !slices.Contains(duties[n.organ], n.trigger) {
		var should []schemas.Text
		for _, t := range duties[n.organ] {
			should = append(should, schemas.Text{ZH: titleOf(colTrigger, t), EN: titleOf(colTrigger, t)})
		}
		c.fault(BadTrigger, colTrigger, "%s的告知事由应为 %s，不是 %s", titleOf(colOrgan, n.organ), join(should, " 或 ", " or "), titleOf(colTrigger, n.trigger))
	}
	if when, ok := c.when(colDate, colAt, false); ok {
		n.start = when.time()
	}
	n.person = c.whose(colOrgan, colPerson, colNumber)
	if c.text(colThenDate) == "" && c.text(colThenAt) == "" {
		if c.text(colForm) != "" || c.text(colEvidence) != "" {
			c.fault(BadDate, c.thenField(), "填了告知方式或凭据，但没有填%s", c.layout.name(c.thenField()))
			return n
		}
		c.note("没有告知时间，只导入告知义务，记为尚未告知；告知后补填再导入一次即可")
		return n
	}
	c.then(&n, false)
	n.form = c.word(BadForm, colForm)
	if n.evidence = c.evidence(); n.evidence == "" {
		c.note("没有凭据，导入后显示为已告知但无凭据")
	}
	return n
}

func (c *cells) thenField() field {
	if c.layout.has(colThenDate) {
		return colThenDate
	}
	return colThenAt
}

// evidence is the document that proves a notice; 无 is none. Names are blotted
// out as in topics.
func (c *cells) evidence() string {
	text := c.short(colEvidence, 200)
	if yes, ok := yesNo(text); ok {
		if !yes {
			return ""
		}
		return "有"
	}
	hidden := hideNames(text, c.text(colPerson))
	if hidden != text {
		c.note("%s中的姓名已遮盖后导入", c.layout.name(colEvidence))
	}
	return hidden
}

// training reads a line of the 培训名单.
func (c *cells) training() line {
	n := c.who()
	if when, ok := c.when(colDate, colAt, false); ok {
		n.start = when.day.Start()
	}
	n.topic = c.word(BadTopic, colTopic)
	n.person = c.whose(colCourse)
	text := c.text(colHours)
	bare := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(squeeze(text), "时"), "学"), "课"), "小")
	hours, err := strconv.ParseFloat(bare, 64)
	switch {
	case text == "":
		c.fault(BadHours, colHours, "没有填%s", c.layout.name(colHours))
	case err != nil || !(hours >= 0.5 && hours <= 200):
		c.fault(BadHours, colHours, "%s「%s」不是 0.5 至 200 的学时数，请写成 3 或 1.5 的样子", c.layout.name(colHours), clip(text))
	}
	n.hours = hours
	return n
}

// subsidy reads a line of the 补贴发放表. Its day is the month's first when only
// the month is known.
func (c *cells) subsidy() line {
	n := c.who()
	text := c.text(colDate)
	p := c.period
	if text != "" {
		p = titlePeriod(text)
		if rest := strings.TrimSuffix(squeeze(text), "月"); rest != squeeze(text) && p.month == 0 && atoi(rest) >= 1 && atoi(rest) <= 12 && c.period.year != 0 {
			p = period{c.period.year, atoi(rest)}
		}
	}
	day, err := parseMoment(c.book.dateText(text), c.period)
	switch {
	case text != "" && err == nil && day.hasDay:
		if day = c.day(colDate); day.hasDay {
			n.start = day.day.Start()
		}
	case p.month != 0:
		n.start = p.day().Start()
		c.note("只有月份没有日期，按当月 1 日计")
	case text == "":
		c.fault(BadDate, colDate, "没有填%s，表的标题里也没有月份", c.layout.name(colDate))
	default:
		c.day(colDate)
	}
	if c.text(colPayableBy) != "" {
		if last := c.day(colPayableBy); last.hasDay {
			n.payableBy = last.day
		}
	}
	n.due = c.yuan(colAmount, true)
	n.paid = c.yuan(colPaid, false)
	switch {
	case c.text(colThenDate) == "" && n.paid > 0:
		c.fault(BadDate, colThenDate, "填了%s，但没有填%s", c.layout.name(colPaid), c.layout.name(colThenDate))
	case c.text(colThenDate) == "":
		c.note("没有发放日期，只导入应发，记为尚未发放；发放后补填再导入一次即可")
	case n.paid == 0 && c.layout.has(colPaid) && c.text(colPaid) == "":
		c.fault(BadAmount, colPaid, "填了%s，但没有填%s", c.layout.name(colThenDate), c.layout.name(colPaid))
	default:
		if !c.layout.has(colPaid) {
			n.paid = n.due
		}
		if n.paid == 0 && c.text(colPaid) != "" {
			c.note("%s是 0，只导入应发，记为尚未发放", c.layout.name(colPaid))
		}
		if m, ok := c.when(colThenDate, colThenAt, false); ok && n.paid > 0 {
			n.end = m.day.Start()
			if !n.start.IsZero() && n.end.Before(n.start) {
				c.fault(BadOrder, colThenDate, "%s %s 早于%s %s", c.layout.name(colThenDate), m.day, c.layout.name(colDate), schemas.DayOf(n.start))
			}
		}
	}
	return n
}

var amount = regexp.MustCompile(`^[¥￥]?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?:元整?|圆整?)?$`)

// maxYuan is above any subsidy: more is a typing error.
const maxYuan = 1_000_000

// yuan reads an amount in yuan as fen.
func (c *cells) yuan(f field, needed bool) int64 {
	text, heading := c.text(f), c.layout.name(f)
	if text == "" {
		if needed {
			c.fault(BadAmount, f, "没有填%s", heading)
		}
		return 0
	}
	m := amount.FindStringSubmatch(strings.ReplaceAll(squeeze(text), "¥", ""))
	if m == nil || strings.Contains(c.layout.heading[f], "万") {
		c.fault(BadAmount, f, "%s「%s」看不懂，请以元为单位写成 200 或 200.50 的样子", heading, clip(text))
		return 0
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", "")+m[2], 64)
	fen := math.Round(v * 100)
	switch {
	case err != nil || v > maxYuan:
		c.fault(BadAmount, f, "%s「%s」超过 %d 元，请核对", heading, clip(text), maxYuan)
		return 0
	case math.Abs(v*100-fen) > 1e-6*max(1, v):
		c.fault(BadAmount, f, "%s「%s」不足一分", heading, clip(text))
		return 0
	case fen == 0 && needed:
		c.fault(BadAmount, f, "%s是 0", heading)
	}
	return int64(fen)
}

// hideNames blots out the names of a person cell in a text.
func hideNames(text, names string) string {
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return strings.ContainsRune(" ,;/、。()", r) }) {
		if n := len([]rune(name)); n >= 2 && n <= 20 {
			text = strings.ReplaceAll(text, name, "某某")
		}
	}
	return text
}

func saysApplication(n line) string {
	return fmt.Sprintf("%q|%v|%d|%q", n.person, n.custody, n.end.Unix(), n.agency)
}

func saysNotification(n line) string {
	return fmt.Sprintf("%q|%v|%d|%s|%q", n.person, n.custody, n.end.Unix(), n.form, n.evidence)
}

func saysTraining(n line) string { return fmt.Sprintf("%q|%g", n.person, n.hours) }

func saysSubsidy(n line) string {
	return fmt.Sprintf("%d|%d|%d|%d", n.due, n.paid, n.end.Unix(), n.payableBy)
}

func applicationEvents(n line, person string) []lineEvent {
	out := []lineEvent{{verb: "received", payload: schemas.ApplicationReceived{Lawyer: n.licence, Person: person, InCustody: n.custody}}}
	if !n.end.IsZero() {
		out = append(out, lineEvent{"transferred", true, schemas.ApplicationTransferred{Lawyer: n.licence, Agency: n.agency}})
	}
	return out
}

func notificationEvents(n line, person string) []lineEvent {
	out := []lineEvent{{verb: "triggered", payload: schemas.NotificationTriggered{Organ: n.organ, Trigger: n.trigger, Person: person, InCustody: n.custody}}}
	if !n.end.IsZero() {
		out = append(out, lineEvent{"given", true, schemas.NotificationGiven{Form: n.form, Evidence: n.evidence}})
	}
	return out
}

func trainingEvents(n line, _ string) []lineEvent {
	return []lineEvent{{verb: "attended", payload: schemas.TrainingAttended{Lawyer: n.licence, Topic: n.topic, Hours: n.hours}}}
}

func subsidyEvents(n line, _ string) []lineEvent {
	accrued := schemas.SubsidyAccrued{Lawyer: n.licence, Fen: n.due}
	if n.payableBy != 0 {
		accrued.PayableBy = n.payableBy.String()
	}
	out := []lineEvent{{verb: "accrued", payload: accrued}}
	if !n.end.IsZero() {
		out = append(out, lineEvent{"paid", true, schemas.SubsidyPaid{Lawyer: n.licence, Fen: n.paid}})
	}
	return out
}

// titleCentre finds the division of a legal aid centre in a title.
func titleCentre(title string) string {
	title = squeeze(title)
	for _, date := range []*regexp.Regexp{titleMonth, titleYear} {
		title = date.ReplaceAllString(title, "")
	}
	title = strings.TrimLeft(title, "度年关于()-_")
	if m := centreName.FindStringSubmatch(title); m != nil {
		return m[1]
	}
	return ""
}

var centreName = regexp.MustCompile(`^([^\s(《【:]{2,40}?)(?:法律援助|司法局)`)

// centreOf is the division of a centre's name on a day.
func centreOf(name string, on schemas.Day) (schemas.DivisionCode, error) {
	d, err := divisionByName(name, on)
	if err != nil {
		return "", err
	}
	return d.Code, nil
}
