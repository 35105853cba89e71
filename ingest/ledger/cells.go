package ledger

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/width"

	"zhiban/schemas"
)

// fold brings a cell to one spelling: half-width digits and punctuation, no
// space around it, line breaks and exotic blanks as a plain space.
func fold(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] < ' ' {
			ascii = false
			break
		}
	}
	if !ascii {
		s = strings.Map(func(r rune) rune {
			switch r {
			case '\u00a0', '\u3000', '\t', '\n', '\r', '\u2002', '\u2003', '\u2009':
				return ' '
			case '\u200b', '\ufeff', '\u202a', '\u202c', '\u200e': // pasted from web pages and contact lists
				return -1
			case '\u2236', '\ufe30', '\ufe55': // ratio and presentation forms of the colon
				return ':'
			}
			return r
		}, width.Fold.String(s))
	}
	return strings.TrimSpace(s)
}

// squeeze is fold without any blanks.
func squeeze(s string) string {
	return strings.ReplaceAll(fold(s), " ", "")
}

// maxCell is the longest text, in bytes, that can be a date or a time.
const maxCell = 120

// period is the time that a ledger's title names: 2026年9月, or 2026年 with no
// month. Zero is unknown.
type period struct{ year, month int }

// Years that a ledger's dates may be of. The rules are of 2018; older dates are
// typing errors, and so are those far ahead.
const (
	firstYear = 2000
	lastYear  = 2099
)

var (
	errUnreadable = errorf("看不懂")
	errNoSuchDay  = errorf("不存在")
	errNoYear     = errorf("没有年份，表的标题里也没有")
	errNoMonth    = errorf("没有月份，表的标题里也没有")
)

var (
	weekday     = regexp.MustCompile(`[(\[]?(星期|周|礼拜)[一二三四五六日天][)\]]?$`)
	dateYMD     = regexp.MustCompile(`^(\d{4}|\d{2})[-./,、年](\d{1,2})[-./,、月](\d{1,2})[日号]?$`)
	dateMD      = regexp.MustCompile(`^(\d{1,2})[-./、月](\d{1,2})[日号]?$`)
	dateD       = regexp.MustCompile(`^(\d{1,2})[日号]?$`)
	dateCompact = regexp.MustCompile(`^(20\d{2})(\d{2})(\d{2})$`)
	number      = regexp.MustCompile(`^\d+(\.\d+)?([eE][-+]?\d+)?$`)
)

// parseDate reads a day as clerks write it: 2026-09-01, 2026.9.1, 2026/9/1,
// 2026年9月1日, 20260901, 二〇二六年九月一日, an Excel serial number (46266), and
// in a ledger whose title names the month also 9月1日, 9.1 and 1日. Full-width
// digits and a weekday behind are fine.
func parseDate(s string, title period) (schemas.Day, error) {
	if len(s) > maxCell {
		return 0, errUnreadable
	}
	s = arabic(weekday.ReplaceAllString(squeeze(s), ""))
	if m := dateCompact.FindStringSubmatch(s); m != nil {
		return dayOf(atoi(m[1]), atoi(m[2]), atoi(m[3]))
	}
	if m := dateYMD.FindStringSubmatch(s); m != nil {
		year := atoi(m[1])
		if len(m[1]) == 2 {
			// 26.9.1; 1.9.26 must not become the year 2001.
			if year += 2000; title.year != 0 && year != title.year || title.year == 0 && (year < 2018 || year > 2040) {
				return 0, errUnreadable
			}
		}
		return dayOf(year, atoi(m[2]), atoi(m[3]))
	}
	if m := dateMD.FindStringSubmatch(s); m != nil {
		if title.year == 0 {
			return 0, errNoYear
		}
		// The year that brings the date nearest to the title's month: 12月31日 in
		// a ledger of January is of the year before.
		month, year := atoi(m[1]), title.year
		switch d := month - title.month; {
		case title.month == 0:
		case d > 6:
			year--
		case d < -6:
			year++
		}
		return dayOf(year, month, atoi(m[2]))
	}
	if m := dateD.FindStringSubmatch(s); m != nil {
		if title.month == 0 {
			return 0, errNoMonth
		}
		return dayOf(title.year, title.month, atoi(m[1]))
	}
	if v, ok := serial(s); ok {
		day := serialDay(v)
		if y := day.Year(); y < firstYear || y > lastYear {
			return 0, errUnreadable
		}
		return day, nil
	}
	return 0, errUnreadable
}

func dayOf(y, m, d int) (schemas.Day, error) {
	day := schemas.Date(y, time.Month(m), d)
	t := day.Start()
	if y < firstYear || y > lastYear || t.Year() != y || int(t.Month()) != m || t.Day() != d {
		return 0, errNoSuchDay
	}
	return day, nil
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s) // the patterns let through a few digits only
	return n
}

// serial reads an Excel number that is a date: days since 1899-12-30.
func serial(s string) (float64, bool) {
	if !number.MatchString(s) {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && v >= 30000 && v < 80000
}

func serialDay(v float64) schemas.Day {
	const epoch = -25569 // 1899-12-30 as a Day
	return schemas.Day(int(math.Floor(v+0.5/86400)) + epoch)
}

// clock is a time of day in seconds since midnight. 24:00 and times of the
// next day (次日8:30) are beyond 86400.
type clock int

const nextDay clock = 24 * 60 * 60

func (c clock) String() string {
	day := ""
	if c > nextDay {
		day, c = "次日", c-nextDay
	}
	if c%60 != 0 {
		return fmt.Sprintf("%s%d:%02d:%02d", day, c/3600, c/60%60, c%60)
	}
	return fmt.Sprintf("%s%d:%02d", day, c/3600, c/60%60)
}

var (
	clockText    = regexp.MustCompile(`^(\d{1,2})(?:[:.](\d{2})(?:[:.](\d{2})(?:\.0+)?)?)$`)
	clockWords   = regexp.MustCompile(`^(\d{1,2})[时点](?:(半|整|[一13三]刻)|(\d{1,2})分?(?:(\d{1,2})秒)?)?$`)
	clockCompact = regexp.MustCompile(`^([01]?\d|2[0-4])([0-5]\d)$`)
)

// dayparts are the words before a time that say which half of the day it is.
var dayparts = []struct {
	word string
	half half
}{
	{"凌晨", morning}, {"清晨", morning}, {"早上", morning}, {"早晨", morning}, {"上午", morning}, {"早", morning}, {"am", morning},
	{"中午", noon}, {"下午", afternoon}, {"午后", afternoon}, {"傍晚", afternoon}, {"晚上", afternoon}, {"晚间", afternoon}, {"夜间", afternoon},
	{"晚", afternoon}, {"pm", afternoon},
}

type half int

const (
	unsaid half = iota
	morning
	noon
	afternoon
)

// parseTime reads a time of day as clerks write it: 8:30, 08：30, 8时30分, 11时,
// 8点半, 下午2:30, 2:30 PM, 8.30, 0830, an Excel fraction of a day (0.354167) or
// date and time in one number (46266.354167), and 次日8:30.
func parseTime(s string) (clock, error) {
	if len(s) > maxCell {
		return 0, errUnreadable
	}
	s = strings.ToLower(strings.ReplaceAll(fold(s), " ", ""))
	var add clock
	for _, w := range []string{"次日", "翌日", "第二天", "第二日", "隔日"} {
		if rest, ok := strings.CutPrefix(s, w); ok {
			s, add = rest, nextDay
			break
		}
	}
	s = strings.TrimPrefix(s, "当日")
	when := unsaid
	for _, d := range dayparts {
		rest, ok := strings.CutPrefix(s, d.word)
		if !ok && len(d.word) == 2 { // am, pm may stand behind
			rest, ok = strings.CutSuffix(s, d.word)
		}
		if ok {
			s, when = rest, d.half
			break
		}
	}
	if number.MatchString(s) && when == unsaid {
		if c, ok := fraction(s); ok {
			return c + add, nil
		}
	}
	s = arabic(s)
	var h, m, sec int
	switch {
	case match(clockText, s, func(p []string) { h, m, sec = atoi(p[1]), atoi(p[2]), atoi(p[3]) }):
	case match(clockCompact, s, func(p []string) { h, m = atoi(p[1]), atoi(p[2]) }):
	case match(clockWords, s, func(p []string) {
		h, m, sec = atoi(p[1]), atoi(p[3]), atoi(p[4])
		switch p[2] {
		case "半":
			m = 30
		case "一刻", "1刻":
			m = 15
		case "三刻", "3刻":
			m = 45
		}
	}):
	default:
		return 0, errUnreadable
	}
	switch {
	case when == morning && h == 12:
		h = 0
	case when == afternoon && h < 12, when == noon && h < 3:
		h += 12
	}
	c := clock(h*3600 + m*60 + sec)
	if m > 59 || sec > 59 || c > nextDay {
		return 0, errNoSuchDay
	}
	return c + add, nil
}

func match(re *regexp.Regexp, s string, use func(parts []string)) bool {
	p := re.FindStringSubmatch(s)
	if p == nil {
		return false
	}
	use(p)
	return true
}

// fraction reads the time of day in an Excel number: below one, or behind the
// point of a date. Other numbers are not times: 8.5 may be half past eight or
// ten to nine.
func fraction(s string) (clock, bool) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, false
	}
	if _, isDate := serial(s); !isDate && (v < 0 || v >= 1 || !strings.ContainsAny(s, ".eE")) {
		return 0, false
	}
	_, frac := math.Modf(v)
	return clock(math.Round(frac*86400)) % nextDay, true
}

// moment is a day, a time of day, or both.
type moment struct {
	day      schemas.Day
	clock    clock
	hasDay   bool
	hasClock bool
}

var dayThenTime = regexp.MustCompile(`^(.*?(?:\d{1,4}[-./年]\d{1,2}[-./月]\d{1,2}|月\d{1,2})(?:[日号]|[ T]|\b))[ T,、]*(\d.*|[上下中早晚凌].*)$`)

// parseMoment reads 2026-09-01 14:53, 2026年9月1日14时53分, 46266.62, or the day
// alone.
func parseMoment(s string, title period) (moment, error) {
	s = fold(s)
	if v, ok := serial(s); ok {
		day, err := parseDate(s, title)
		m := moment{day: day, hasDay: err == nil}
		if _, frac := math.Modf(v); frac != 0 {
			m.clock, m.hasClock = fraction(s)
		}
		return m, err
	}
	day, err := parseDate(s, title)
	if err == nil {
		return moment{day: day, hasDay: true}, nil
	}
	if p := dayThenTime.FindStringSubmatch(s); p != nil {
		day, dayErr := parseDate(strings.TrimRight(p[1], " T"), title)
		clock, clockErr := parseTime(p[2])
		if dayErr == nil && clockErr == nil {
			return moment{day, clock, true, true}, nil
		}
	}
	return moment{}, err
}

var rangeMark = regexp.MustCompile(`\s*(?:-{1,2}|–|—{1,2}|~|～|〜|至|到)\s*`)

// splitRange splits 8:30-16:30 in its two times.
func splitRange(s string) (from, to string, ok bool) {
	s = fold(s)
	p := rangeMark.Split(s, -1)
	if len(p) != 2 || p[0] == "" || p[1] == "" {
		return "", "", false
	}
	if _, err := parseTime(p[0]); err != nil {
		return "", "", false
	}
	return p[0], p[1], true
}

// chinese are numerals as they stand in dates.
var chinese = strings.NewReplacer("〇", "0", "零", "0", "○", "0", "一", "1", "二", "2", "两", "2", "三", "3", "四", "4", "五", "5", "六", "6",
	"七", "7", "八", "8", "九", "9", "廿", "二十", "卅", "三十", "元", "1")

var tens = regexp.MustCompile(`(\d?)十(\d?)`)

// arabic writes the Chinese numerals of a date or time as digits.
func arabic(s string) string {
	if !strings.ContainsAny(s, "〇零○一二两三四五六七八九十廿卅元") {
		return s
	}
	s = chinese.Replace(chinese.Replace(s))
	return tens.ReplaceAllStringFunc(s, func(t string) string {
		p := tens.FindStringSubmatch(t)
		if p[1] == "" {
			p[1] = "1"
		}
		if p[2] == "" {
			p[2] = "0"
		}
		return p[1] + p[2]
	})
}

var (
	minutesText = regexp.MustCompile(`^(?:(\d{1,2})(?:个?小时|时|h)(半)?)?(?:(\d{1,4})(?:分钟|分|min|m)?)?$`)
	hoursText   = regexp.MustCompile(`^(\d{1,2}(?:\.\d+)?)(?:个?小时|h)$`)
)

// parseMinutes reads how long a consultation took: 25, 25分钟, 1小时20分,
// 半小时, 0.5小时.
func parseMinutes(s string) (int, bool) {
	s = strings.TrimPrefix(strings.ToLower(squeeze(s)), "约")
	switch s {
	case "":
		return 0, false
	case "半小时", "半个小时":
		return 30, true
	}
	n := -1
	if p := hoursText.FindStringSubmatch(s); p != nil {
		h, _ := strconv.ParseFloat(p[1], 64)
		n = int(math.Round(h * 60))
	} else if p := minutesText.FindStringSubmatch(s); p != nil {
		n = atoi(p[1])*60 + atoi(p[3])
		if p[2] != "" {
			n += 30
		}
	}
	return n, n >= 0 && n <= 1440
}
