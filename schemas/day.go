package schemas

import (
	"fmt"
	"time"
)

// Shanghai is the zone in which days are counted. China has had no summer
// time since 1991, so a fixed zone needs no zone files on the machine.
var Shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// Day is a calendar day in Asia/Shanghai, as days since 1970-01-01. The zero
// Day stands for "none".
type Day int32

// DayOf is the day on which t falls in Asia/Shanghai.
func DayOf(t time.Time) Day {
	return Day(floorDiv(t.Unix()+8*60*60, 86400))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Date makes a day of a year, month and day of the month.
func Date(year int, month time.Month, day int) Day {
	return DayOf(time.Date(year, month, day, 0, 0, 0, 0, Shanghai))
}

// ParseDay reads 2026-09-01.
func ParseDay(s string) (Day, error) {
	t, err := time.ParseInLocation(time.DateOnly, s, Shanghai)
	if err != nil {
		return 0, fmt.Errorf("%q is not a day such as 2026-09-01", s)
	}
	return DayOf(t), nil
}

// Start is the first instant of the day.
func (d Day) Start() time.Time {
	return time.Unix(int64(d)*86400-8*60*60, 0).In(Shanghai)
}

// Month is the day's month.
func (d Day) Month() Month {
	t := d.Start()
	return Month(t.Year()*12 + int(t.Month()) - 1)
}

// Year is the day's year.
func (d Day) Year() int { return d.Start().Year() }

// Weekday is the day's place in the week.
func (d Day) Weekday() time.Weekday { return d.Start().Weekday() }

func (d Day) String() string { return d.Start().Format(time.DateOnly) }

// MarshalText writes 2026-09-01.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Day) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDay(string(b))
	return err
}

// Month is a calendar month, as year*12 + month-1.
type Month int32

// ParseMonth reads 2026-09.
func ParseMonth(s string) (Month, error) {
	t, err := time.ParseInLocation("2006-01", s, Shanghai)
	if err != nil {
		return 0, fmt.Errorf("%q is not a month such as 2026-09", s)
	}
	return DayOf(t).Month(), nil
}

// First is the month's first day.
func (m Month) First() Day { return Date(int(m)/12, time.Month(int(m)%12+1), 1) }

// Last is the month's last day.
func (m Month) Last() Day { return (m + 1).First() - 1 }

// Year is the month's year.
func (m Month) Year() int { return int(m) / 12 }

// Number is the month's place in its year, 1 to 12.
func (m Month) Number() int { return int(m)%12 + 1 }

func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m.Year(), m.Number()) }

// Title writes the month as its readers do.
func (m Month) Title() Text {
	return Text{fmt.Sprintf("%d年%d月", m.Year(), m.Number()), m.First().Start().Format("January 2006")}
}
