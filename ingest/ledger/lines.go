package ledger

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"zhiban/schemas"
)

// line is a line of a ledger that can be counted.
type line struct {
	sheet int // of Ledger.Sheets
	row   int

	lawyer  string // name as written, may be empty
	licence string
	start   time.Time // sign-in, the consultation, the receipt, …

	end   time.Time // sign-out, transfer, notice or payment; zero: not yet
	mode  string
	badge *bool

	role, channel    string
	question, answer string
	guided, signed   bool
	minutes          *int
	defender         *bool

	custody                        bool
	agency                         string // to which an application went
	organ, trigger, form, evidence string // of a notification
	person                         string // what tells people apart; never leaves the file
	topic                          string // of a training
	hours                          float64
	due, paid                      int64       // fen
	payableBy                      schemas.Day // 0: no last day is set

	rank  int            // among the different lines with the same key
	notes []schemas.Text // what the clerk should know if the line is imported
}

// saysShift is what a shift says beside its key, in an order that does not
// depend on the rows; so do the others.
func saysShift(n line) string {
	return fmt.Sprintf("%s|%d|%s", n.mode, n.end.Unix(), mark(n.badge))
}

func saysConsultation(n line) string {
	length := -1
	if n.minutes != nil {
		length = *n.minutes
	}
	return fmt.Sprintf("%s|%s|%q|%q|%v|%v|%d|%s", n.role, n.channel, n.question, n.answer, n.guided, n.signed, length, mark(n.defender))
}

func mark(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "1"
	}
	return "0"
}

// cells are the cells of a row that is being read, and what is wrong with
// them.
type cells struct {
	*reader
	row    int
	cells  []string
	faults []fault
	notes  []schemas.Text
}

type fault struct {
	code Code
	col  field
	text schemas.Text
}

func (c *cells) text(f field) string {
	i := c.layout.col[f]
	if i < 0 || i >= len(c.cells) {
		return ""
	}
	return fold(c.cells[i])
}

func (c *cells) fault(code Code, f field, format string, args ...any) {
	c.faults = append(c.faults, fault{code, f, tell(format, args...)})
}

// shift reads a line of the sign-in book.
func (c *cells) shift() line {
	n := c.who()
	n.mode = c.word(BadMode, colMode)
	n.badge = c.mark(colBadge)

	from, to, inCell, outCell := c.text(colSignIn), c.text(colSignOut), colSignIn, colSignOut
	if c.layout.has(colSpan) && from == "" && to == "" {
		from, inCell, outCell = c.text(colSpan), colSpan, colSpan
	}
	if a, b, ok := splitRange(from); ok && to == "" {
		from, to, outCell = a, b, inCell
	}
	in, inOK := c.start(inCell, from)
	if to == "" {
		c.note("没有离岗时间，只导入签到，班次记为未结束；补填后再导入一次即可")
	} else if out, ok := c.clock(outCell, to); ok && inOK {
		if !out.hasDay {
			out.day = in.day
		}
		n.end = out.time()
		switch {
		case n.end.Before(in.time()):
			c.fault(BadOrder, outCell, "%s %s 早于%s %s（如是次日离岗，请写“次日%s”）", c.layout.name(outCell), out.clock, c.layout.name(inCell), in.clock, out.clock)
		case n.end.Equal(in.time()):
			c.note("到岗与离岗是同一时刻，值班时长为 0")
		}
	}
	if inOK {
		n.start = in.time()
	}
	return n
}

// start reads the day from the date column and the time of day from text,
// which stands in the column timeCell. Either cell may hold both.
func (c *cells) start(timeCell field, text string) (moment, bool) {
	var when moment
	dated := c.text(colDate) != ""
	if dated {
		when = c.day(colDate)
	}
	if text != "" {
		t, ok := c.clock(timeCell, text)
		switch {
		case ok && t.hasDay && !dated:
			when.day, when.hasDay = t.day, true
		case ok && t.hasDay && when.hasDay && t.day != when.day:
			c.fault(BadDate, timeCell, "%s与%s不是同一天", c.layout.name(timeCell), c.layout.name(colDate))
		}
		when.clock, when.hasClock = t.clock, ok
	} else if !when.hasClock {
		c.fault(BadTime, timeCell, "没有填%s", c.layout.name(timeCell))
	}
	if !dated && !when.hasDay {
		c.fault(BadDate, colDate, "没有填%s", c.layout.name(colDate))
	}
	if p := c.period; when.hasDay && p.month != 0 && when.day.Month() != p.day().Month() {
		c.note("日期不在标题所写的 %d年%d月内，请核对", p.year, p.month)
	}
	return when, when.hasDay && when.hasClock
}

// time is the moment in Asia/Shanghai.
func (m moment) time() time.Time {
	return m.day.Start().Add(time.Duration(m.clock) * time.Second)
}

// consultation reads a line of the consultation ledger.
func (c *cells) consultation() line {
	n := c.who()
	n.role = c.word(BadRole, colRole)
	n.channel = c.word(BadChannel, colChannel)
	var ok bool
	if n.guided, ok = yesNo(c.text(colGuided)); !ok {
		c.fault(BadGuided, colGuided, "%s「%s」不认识，应为 是 或 否", c.layout.name(colGuided), clip(c.text(colGuided)))
	}
	from, until := c.text(colAt), c.text(colUntil)
	if a, b, ok := splitRange(from); ok {
		from = a
		if until == "" {
			until = b
		}
	}
	if when, ok := c.start(colAt, from); ok {
		n.start = when.time()
		n.minutes = c.length(when.clock, until)
	}
	n.defender = c.mark(colDefender)
	n.question, n.answer = c.topic(), c.text(colAnswer)
	n.signed = c.signature(n.lawyer)
	return n
}

// who reads the lawyer.
func (c *cells) who() line {
	n := line{row: c.row, lawyer: squeeze(c.text(colLawyer))}
	text := squeeze(c.text(colLicence))
	text = strings.TrimLeft(text, "'’‘")
	_, err := schemas.ParseLicence(text)
	heading := c.layout.name(colLicence)
	switch {
	case text == "" && n.lawyer == "":
		c.fault(NoLawyer, colLawyer, "没有填%s和%s", c.layout.name(colLawyer), heading)
	case text == "":
		c.fault(BadLicence, colLicence, "没有填%s", heading)
	case strings.ContainsAny(text, "eE") && number.MatchString(text), err == nil && strings.HasSuffix(text, "00") && c.isNumber(colLicence):
		c.fault(BadLicence, colLicence, "%s「%s」是按数字保存的，Excel 只保留 15 位，末两位已丢失；请把该列设为文本格式后重新填写", heading, clip(text))
	case err != nil:
		if strings.Trim(text, "0123456789") == "" { // too long or too short by little, which the eye does not see
			c.fault(BadLicence, colLicence, "%s「%s」不是 17 位数字（是 %d 位）", heading, clip(text), len(text))
			break
		}
		c.fault(BadLicence, colLicence, "%s「%s」不是 17 位数字", heading, clip(text))
	default:
		n.licence = text
		if n.lawyer == "" {
			c.note("没有填值班律师姓名，按执业证号计")
		}
	}
	return n
}

// day reads the date; the moment has no day after a fault.
func (c *cells) day(f field) moment {
	text, heading := c.text(f), c.layout.name(f)
	m, err := parseMoment(c.book.dateText(text), c.period)
	if err != nil {
		if errors.Is(err, errNoSuchDay) {
			c.fault(BadDate, f, "%s「%s」%v", heading, clip(text), err)
		} else {
			c.fault(BadDate, f, "%s「%s」%v，请写成 2026-09-01 的样子", heading, clip(text), err)
		}
	} else if p := ambiguousDay.FindStringSubmatch(text); p != nil && c.isNumber(f) {
		c.fault(BadDate, f, "%s「%s」是按数字保存的，分不清 %s 日和 %s0 日，请写成 2026-09-01 的样子", heading, text, p[1], p[1])
		return moment{}
	}
	return m
}

// ambiguousDay is 9.1 as a number: the first or the tenth, for Excel drops the
// last zero of 9.10.
var ambiguousDay = regexp.MustCompile(`^\d{1,2}\.([123])$`)

// clock reads a time, or a day and a time, from the text of a cell.
func (c *cells) clock(f field, text string) (moment, bool) {
	t, err := parseTime(text)
	if v, ok := serial(c.book.dateText(text)); ok && err == nil { // a day and a time in one number
		return moment{serialDay(v), t, true, true}, true
	}
	if err == nil {
		return moment{clock: t, hasClock: true}, true
	}
	if m, mErr := parseMoment(text, c.period); mErr == nil && m.hasClock {
		return m, true
	}
	if errors.Is(err, errUnreadable) {
		c.fault(BadTime, f, "%s「%s」%v，请写成 8:30 的样子", c.layout.name(f), clip(text), err)
	} else {
		c.fault(BadTime, f, "%s「%s」%v", c.layout.name(f), clip(text), err)
	}
	return moment{}, false
}

// word reads a cell that holds one of a few words.
func (c *cells) word(code Code, f field) string {
	text := c.text(f)
	says, ok := say(f, text)
	switch {
	case ok:
	case text == "":
		c.fault(code, f, "没有填%s", c.layout.name(f))
	default:
		c.fault(code, f, "%s「%s」不认识，应为 %s", c.layout.name(f), clip(text), choices(f))
	}
	return says
}

// mark reads a cell that may say yes or no and does not have to.
func (c *cells) mark(f field) *bool {
	text := c.text(f)
	if text == "" {
		return nil
	}
	yes, ok := yesNo(text)
	if !ok {
		c.note("%s「%s」不认识，这一项没有导入", c.layout.name(f), clip(text))
		return nil
	}
	return &yes
}

// length is how long a consultation took.
func (c *cells) length(start clock, until string) *int {
	if text := c.text(colMinutes); text != "" {
		if n, ok := parseMinutes(text); ok {
			return &n
		}
		c.note("%s「%s」看不懂，时长没有导入", c.layout.name(colMinutes), clip(text))
		return nil
	}
	if until == "" {
		return nil
	}
	if end, err := parseTime(until); err == nil && end >= start && end <= nextDay {
		n := int(end-start) / 60
		return &n
	}
	c.note("结束时间「%s」看不懂或早于开始时间，时长没有导入", clip(until))
	return nil
}

// maxTopic is the longest topic, in characters.
const maxTopic = 60

var longNumber = regexp.MustCompile(`\d(?:[ -]?\d){6,}[xX]?`)

// topic is the question as it leaves the file: short, and without what could
// name a person.
func (c *cells) topic() string {
	text := strings.Join(strings.Fields(c.text(colQuestion)), " ")
	if text == "" {
		return ""
	}
	hidden := longNumber.ReplaceAllString(text, "***")
	hidden = hideNames(hidden, c.text(colPerson))
	if hidden != text {
		c.note("%s中的姓名、长号码已遮盖后导入", c.layout.name(colQuestion))
	}
	if r := []rune(hidden); len(r) > maxTopic {
		hidden = string(r[:maxTopic-1]) + "…"
		c.note("%s超过 %d 字，只导入前 %d 字", c.layout.name(colQuestion), maxTopic, maxTopic-1)
	}
	return hidden
}

// signature tells whether the lawyer has signed the line.
func (c *cells) signature(lawyer string) bool {
	text := squeeze(c.text(colSignature))
	if yes, ok := yesNo(text); ok {
		return yes
	}
	rest, own := strings.CutPrefix(text, lawyer)
	if lawyer == "" || own && strings.Trim(rest, "0123456789.-/年月日") == "" {
		return true
	}
	c.note("签字「%s」不是值班律师 %s，按未签字计", clip(text), lawyer)
	return false
}

// note adds the row to a notice.
func (c *cells) note(format string, args ...any) { c.notes = append(c.notes, tell(format, args...)) }

// isNumber tells whether the cell holds a number. Where that is not known it
// is taken to be what it looks like: a date of one decimal is a number, a
// licence is not.
func (c *cells) isNumber(f field) bool {
	n, known := c.book.isNumber(c.name, c.row, c.layout.col[f])
	return n || !known && f == colDate
}

// clip shortens a cell's text for a message.
func clip(s string) string {
	if r := []rune(s); len(r) > 30 {
		return string(r[:29]) + "…"
	}
	return s
}
