package schemas

import (
	_ "embed"
	"fmt"
	"strings"
	"time"
)

// holidaysTSV holds the State Council's yearly notices (国务院办公厅节假日安排):
// days off (rest) and weekend days worked instead (work). A year is added by
// adding its lines, in order of days, as soon as its notice is out; the tests
// check their form. 2027 holds the statutory days alone (全国年节及纪念日放假办法),
// to be replaced by its notice.
//
//go:embed holidays.tsv
var holidaysTSV string

// Calendar knows which days are worked.
type Calendar struct {
	rest map[Day]bool // true: rest, false: worked although a weekend
}

// Holidays is the calendar of holidays.tsv.
var Holidays = mustCalendar(holidaysTSV)

func mustCalendar(tsv string) Calendar {
	c := Calendar{rest: map[Day]bool{}}
	for i, line := range strings.Split(strings.TrimRight(tsv, "\n"), "\n") {
		if i == 0 {
			continue
		}
		f := strings.Split(line, "\t")
		day, err := ParseDay(f[0])
		if err != nil || len(f) != 3 || f[1] != "rest" && f[1] != "work" {
			panic(fmt.Sprintf("holidays.tsv line %d: %q is not day, rest or work, holiday", i+1, line))
		}
		c.rest[day] = f[1] == "rest"
	}
	return c
}

// Working tells whether day is worked: not a weekend and not a public holiday,
// or a weekend day that is worked in exchange for one.
func (c Calendar) Working(day Day) bool {
	if rest, ok := c.rest[day]; ok {
		return !rest
	}
	w := day.Weekday()
	return w != time.Saturday && w != time.Sunday
}

// NotificationDue is the last day on which an organ may still give a notice
// whose duty arose on day trigger (三(三)4(4)).
//
// Investigation organs must tell the person at the first interrogation or
// coercive measure: the same day, which no holiday moves, since the duty is
// tied to the act and not to a period. Procuratorates and courts have 3 days;
// the trigger day is day 0, and a last day that is not worked moves to the next
// working day (刑事诉讼法第105条), except in custody.
func NotificationDue(organ string, trigger Day, inCustody bool) Day {
	if organ == "police" || organ == "state_security" {
		return trigger
	}
	due := trigger + 3
	for !inCustody && !Holidays.Working(due) {
		due++
	}
	return due
}
