package schemas

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNotificationDue(t *testing.T) {
	for _, tt := range []struct {
		clause    string
		organ     string
		trigger   string
		inCustody bool
		want      string
	}{
		{"三(三)4(4): 公安 at the first interrogation, the same day", "police", "2026-09-08", false, "2026-09-08"},
		{"三(三)4(4): the same day, also on a holiday", "police", "2026-10-01", false, "2026-10-01"},
		{"三(三)4(4): 国安, the same day, also on a Sunday", "state_security", "2026-09-13", true, "2026-09-13"},

		{"三(三)4(4): 检察院 within 3 days, day 0 is the trigger", "procuratorate", "2026-09-07", false, "2026-09-10"},
		{"三(三)4(4): 法院 within 3 days", "court", "2026-09-07", false, "2026-09-10"},
		{"三(三)4(4): 3 days over the end of a month", "court", "2026-11-29", false, "2026-12-02"},

		{"刑诉法105: a last day on Saturday moves to Monday", "court", "2026-09-09", false, "2026-09-14"},
		{"刑诉法105: a last day on Sunday moves to Monday", "court", "2026-09-10", false, "2026-09-14"},
		{"刑诉法105: a weekend in the middle counts", "court", "2026-09-11", false, "2026-09-14"},

		{"刑诉法105: over National Day 2025 (Oct 1–8)", "court", "2025-09-29", false, "2025-10-09"},
		{"刑诉法105: over National Day 2025, triggered within", "procuratorate", "2025-10-04", false, "2025-10-09"},
		{"刑诉法105: over National Day 2026 (Oct 1–7)", "procuratorate", "2026-09-29", false, "2026-10-08"},
		{"刑诉法105: over New Year 2026 (Jan 1–3, 4 worked)", "court", "2025-12-30", false, "2026-01-04"},

		{"调休: a Sunday that is worked is a last day", "court", "2025-09-25", false, "2025-09-28"},
		{"调休: a Saturday that is worked is a last day", "court", "2026-10-07", false, "2026-10-10"},
		{"调休: a Saturday that is worked ends the holiday", "court", "2025-10-08", false, "2025-10-11"},

		{"刑诉法105: in custody nothing moves it, holiday", "court", "2025-09-29", true, "2025-10-02"},
		{"刑诉法105: in custody nothing moves it, weekend", "procuratorate", "2026-09-09", true, "2026-09-12"},
	} {
		trigger, err := ParseDay(tt.trigger)
		if err != nil {
			t.Fatal(err)
		}
		if got := NotificationDue(tt.organ, trigger, tt.inCustody); got.String() != tt.want {
			t.Errorf("%s: %s on %s, in custody %t: due %s, expected %s", tt.clause, tt.organ, tt.trigger, tt.inCustody, got, tt.want)
		}
	}
}

func TestNotificationDueProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		trigger := Day(rapid.IntRange(int(Date(2018, 1, 1)), int(Date(2026, 12, 31))).Draw(rt, "day"))
		organ := rapid.SampledFrom([]string{"procuratorate", "court"}).Draw(rt, "organ")
		custody := NotificationDue(organ, trigger, true)
		due := NotificationDue(organ, trigger, false)
		if custody != trigger+3 {
			rt.Errorf("%s in custody: due %s", trigger, custody)
		}
		if due < custody || due > trigger+15 || !Holidays.Working(due) {
			rt.Errorf("%s: due %s", trigger, due)
		}
		for d := custody; d < due; d++ {
			if Holidays.Working(d) {
				rt.Errorf("%s: due %s, although %s is worked", trigger, due, d)
			}
		}
	})
}

func TestHolidaysHangTogether(t *testing.T) {
	years := map[int]int{}
	for day, rest := range Holidays.rest {
		weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
		if !rest && !weekend {
			t.Errorf("%s is a %s; to say that it is worked is a slip", day, day.Weekday())
		}
		if rest {
			years[day.Year()]++
		}
	}
	for year := 2018; year <= 2026; year++ {
		if years[year] < 20 {
			t.Errorf("%d has %d days off; the year's notice is missing or incomplete", year, years[year])
		}
	}
}

func TestDays(t *testing.T) {
	for _, tt := range []struct{ instant, day, month string }{
		{"2026-08-31T15:59:59Z", "2026-08-31", "2026-08"},
		{"2026-08-31T16:00:00Z", "2026-09-01", "2026-09"},
		{"2025-12-31T23:59:59+08:00", "2025-12-31", "2025-12"},
		{"1969-12-31T15:59:59Z", "1969-12-31", "1969-12"},
	} {
		instant, err := time.Parse(time.RFC3339, tt.instant)
		if err != nil {
			t.Fatal(err)
		}
		if d := DayOf(instant); d.String() != tt.day || d.Month().String() != tt.month {
			t.Errorf("%s falls on %s in %s, expected %s", tt.instant, d, d.Month(), tt.day)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := Day(rapid.IntRange(-40_000, 60_000).Draw(rt, "day"))
		if back, err := ParseDay(d.String()); err != nil || back != d {
			rt.Errorf("%s reads back as %s, %v", d, back, err)
		}
		m := d.Month()
		if back, err := ParseMonth(m.String()); err != nil || back != m || d < m.First() || d > m.Last() || (m+1).First() != m.Last()+1 {
			rt.Errorf("%s: month %s from %s to %s, %v", d, m, m.First(), m.Last(), err)
		}
		if DayOf(d.Start()) != d || DayOf(d.Start().Add(-1)) != d-1 {
			rt.Errorf("%s starts at %s", d, d.Start())
		}
	})
}
