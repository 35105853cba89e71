package ledger

import (
	"testing"
)

func TestADateIsReadInEveryStyle(t *testing.T) {
	september := period{2026, 9}
	january := period{2026, 1}
	for _, c := range []struct {
		in    string
		title period
		want  string // a day, or the error
	}{
		{"2026-09-01", period{}, "2026-09-01"},
		{"2026.9.1", period{}, "2026-09-01"},
		{"2026/9/1", period{}, "2026-09-01"},
		{"2026年9月1日", period{}, "2026-09-01"},
		{"2026年9月1号", period{}, "2026-09-01"},
		{"2026 年 9 月 1 日", period{}, "2026-09-01"},
		{"２０２６-０９-０１", period{}, "2026-09-01"},
		{"２０２６年９月１日", period{}, "2026-09-01"},
		{"2026、9、1", period{}, "2026-09-01"},
		{"20260901", period{}, "2026-09-01"},
		{"二〇二六年九月一日", period{}, "2026-09-01"},
		{"二○二六年九月三十日", period{}, "2026-09-30"},
		{"2026年十月廿一日", period{}, "2026-10-21"},
		{"2026年元月3日", period{}, "2026-01-03"},
		{"2026-09-01(星期二)", period{}, "2026-09-01"},
		{"2026年9月1日 周二", period{}, "2026-09-01"},
		{"46266", period{}, "2026-09-01"},
		{"46266.354166667", period{}, "2026-09-01"},
		{" 2026-09-01\n", period{}, "2026-09-01"},
		{"26.9.1", september, "2026-09-01"},
		{"26年9月1日", period{}, "2026-09-01"},
		{"9月1日", september, "2026-09-01"},
		{"九月一日", september, "2026-09-01"},
		{"9.1", september, "2026-09-01"},
		{"9/30", september, "2026-09-30"},
		{"1日", september, "2026-09-01"},
		{"15", september, "2026-09-15"},
		{"9月1日", period{year: 2026}, "2026-09-01"},
		{"12月31日", period{year: 2026}, "2026-12-31"},
		{"12月31日", january, "2025-12-31"},
		{"2024-02-29", period{}, "2024-02-29"},

		{"2026-02-29", period{}, "不存在"},
		{"2026年13月40日", period{}, "不存在"},
		{"2026-09-31", period{}, "不存在"},
		{"0026-09-01", period{}, "不存在"},
		{"9月31日", september, "不存在"},
		{"9月1日", period{}, "没有年份，表的标题里也没有"},
		{"1日", period{}, "没有月份，表的标题里也没有"},
		{"1日", period{year: 2026}, "没有月份，表的标题里也没有"},
		{"1.9.26", september, "看不懂"},
		{"9/1/2026", period{}, "看不懂"},
		{"", september, "看不懂"},
		{"今天", september, "看不懂"},
		{"99999", period{}, "看不懂"},
		{"30001", period{}, "看不懂"},
		{"#N/A", period{}, "看不懂"},
	} {
		day, err := parseDate(c.in, c.title)
		got := day.String()
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("parseDate(%q, %v) = %s, want %s", c.in, c.title, got, c.want)
		}
	}
}

func TestATimeIsReadInEveryStyle(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"8:30", "8:30"},
		{"08:30", "8:30"},
		{"08:30:15", "8:30:15"},
		{"８：３０", "8:30"},
		{"08：30", "8:30"},
		{"8 : 30", "8:30"},
		{"8∶30", "8:30"},
		{"8时30分", "8:30"},
		{"8时05分", "8:05"},
		{"8时30", "8:30"},
		{"11时", "11:00"},
		{"11点", "11:00"},
		{"8点半", "8:30"},
		{"8点整", "8:00"},
		{"9点一刻", "9:15"},
		{"9点三刻", "9:45"},
		{"八点三十分", "8:30"},
		{"十一时", "11:00"},
		{"下午2:30", "14:30"},
		{"下午2点半", "14:30"},
		{"下午14:30", "14:30"},
		{"上午8：30", "8:30"},
		{"中午12:10", "12:10"},
		{"中午1点", "13:00"},
		{"凌晨12:10", "0:10"},
		{"晚上8点", "20:00"},
		{"2:30 PM", "14:30"},
		{"12:30 am", "0:30"},
		{"8.30", "8:30"},
		{"0830", "8:30"},
		{"830", "8:30"},
		{"1630", "16:30"},
		{"0.358333333333333", "8:36"},
		{"0.35833333333333334", "8:36"},
		{"0.6715277777777777", "16:07"},
		{"46266.671527778", "16:07"},
		{"3.5833333333333335E-1", "8:36"},
		{"24:00", "24:00"},
		{"次日8:30", "次日8:30"},
		{"次日上午8点半", "次日8:30"},

		{"", "看不懂"},
		{"9", "看不懂"},
		{"8.5", "看不懂"},
		{"8:5", "看不懂"},
		{"上班", "看不懂"},
		{"25:00", "不存在"},
		{"8:61", "不存在"},
		{"24:01", "不存在"},
		{"-8:30", "看不懂"},
		{"8:30-16:30", "看不懂"},
	} {
		clock, err := parseTime(c.in)
		got := clock.String()
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("parseTime(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestADayAndATimeMayShareACell(t *testing.T) {
	september := period{2026, 9}
	for _, c := range []struct{ in, day, clock string }{
		{"2026-09-01 14:53", "2026-09-01", "14:53"},
		{"2026-09-12 14:53:20", "2026-09-12", "14:53:20"},
		{"2026-09-01T14:53", "2026-09-01", "14:53"},
		{"2026年9月1日14时53分", "2026-09-01", "14:53"},
		{"2026.9.1 下午2:53", "2026-09-01", "14:53"},
		{"9月12日8点半", "2026-09-12", "8:30"},
		{"46266.62013888889", "2026-09-01", "14:53"},
		{"46266", "2026-09-01", ""},
		{"2026-09-12", "2026-09-12", ""},
		{"9.12", "2026-09-12", ""},
	} {
		m, err := parseMoment(c.in, september)
		clock := ""
		if m.hasClock {
			clock = m.clock.String()
		}
		if err != nil || m.day.String() != c.day || clock != c.clock {
			t.Errorf("parseMoment(%q) = %s %s, %v; want %s %s", c.in, m.day, clock, err, c.day, c.clock)
		}
	}
	for _, in := range []string{"8:30", "2026-09-31 8:30", "2026-09-01 25:00", ""} {
		if m, err := parseMoment(in, september); err == nil {
			t.Errorf("parseMoment(%q) = %v, want an error", in, m)
		}
	}
}

func TestARangeGivesTwoTimes(t *testing.T) {
	for _, in := range []string{"8:30-16:30", "8:30—16:30", "8:30——16:30", "８：３０～１６：３０", "8:30 至 16:30", "8:30到16:30"} {
		from, to, ok := splitRange(in)
		if !ok || from != "8:30" || to != "16:30" {
			t.Errorf("splitRange(%q) = %q, %q, %v", in, from, to, ok)
		}
	}
	for _, in := range []string{"8:30", "2026-09-01", "-", "8:30-", "a-b"} {
		if from, to, ok := splitRange(in); ok {
			t.Errorf("splitRange(%q) = %q, %q", in, from, to)
		}
	}
}

func TestMinutesAreReadInEveryStyle(t *testing.T) {
	for in, want := range map[string]int{
		"25": 25, "25分钟": 25, "２５分": 25, "1小时20分": 80, "1小时": 60, "半小时": 30, "0.5小时": 30, "1.5小时": 90, "约20分钟": 20, "1小时半": 90, "0": 0,
		"": -1, "很久": -1, "-5": -1, "9999": -1,
	} {
		n, ok := parseMinutes(in)
		if !ok {
			n = -1
		}
		if n != want {
			t.Errorf("parseMinutes(%q) = %d, want %d", in, n, want)
		}
	}
}

// A date that is read is a day of the years allowed, and reads the same again
// from its plain form.
func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-09-01", "２０２６年９月１日", "9.1", "46266.5", "二〇二六年九月卅日", "26.9.1", "15", "2026-09-01(周二)", "1e5", "9月1日8:30"} {
		f.Add(s)
	}
	september := period{2026, 9}
	f.Fuzz(func(t *testing.T, s string) {
		for _, title := range []period{{}, {2026, 9}, {2026, 0}} {
			day, err := parseDate(s, title)
			if err != nil {
				if day != 0 {
					t.Fatalf("parseDate(%q) gives both %s and %v", s, day, err)
				}
				continue
			}
			if y := day.Year(); y < firstYear || y > lastYear {
				t.Fatalf("parseDate(%q) = %s", s, day)
			}
			if again, err := parseDate(day.String(), period{}); err != nil || again != day {
				t.Fatalf("parseDate(%q) = %s, which reads as %s, %v", s, day, again, err)
			}
		}
		if m, err := parseMoment(s, september); err == nil && (!m.hasDay || m.clock < 0 || m.clock > 2*nextDay) {
			t.Fatalf("parseMoment(%q) = %+v", s, m)
		}
	})
}

// A time that is read lies within two days, and reads the same again from its
// plain form.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"8:30", "０８：３０", "8点半", "下午2:30", "0.354167", "46266.99999999", "次日8时", "2:30 PM", "0830", "十一时三刻", "NaN", "1e400", "上午12:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clock, err := parseTime(s)
		if err != nil {
			if clock != 0 {
				t.Fatalf("parseTime(%q) gives both %s and %v", s, clock, err)
			}
		} else if clock < 0 || clock > 2*nextDay {
			t.Fatalf("parseTime(%q) = %d", s, clock)
		} else if again, err := parseTime(clock.String()); err != nil || again != clock {
			t.Fatalf("parseTime(%q) = %s, which reads as %s, %v", s, clock, again, err)
		}
		parseMinutes(s)
		splitRange(s)
	})
}
