package schemas

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestDivisionsHangTogether(t *testing.T) {
	levels := map[DivisionLevel]int{}
	parents := map[DivisionLevel]DivisionLevel{LevelPrefecture: LevelProvince, LevelCounty: LevelPrefecture}
	for _, d := range Divisions.All() {
		levels[d.Level]++
		if d.Name == "" || !slices.Contains([]string{"gbt2260", "nbs_devzone", "internal"}, d.Kind) {
			t.Errorf("%s: name %q, kind %q", d.Code, d.Name, d.Kind)
		}
		if d.ValidTo != 0 && d.ValidTo <= d.ValidFrom {
			t.Errorf("%s ends before it begins", d.Code)
		}
		if d.Code == Province {
			continue
		}
		parent, ok := Divisions.Get(d.Parent)
		if !ok || parent.Level != parents[d.Level] {
			t.Errorf("%s, a %s, lies in %q, a %s", d.Code, d.Level, d.Parent, parent.Level)
		}
		path := Divisions.Path(d.Code)
		if path[0].Code != Province || path[len(path)-1].Code != d.Code || !Divisions.Within(d.Code, Province) || !Divisions.Within(d.Code, d.Parent) {
			t.Errorf("%s: path %v", d.Code, path)
		}
	}
	if want := map[DivisionLevel]int{LevelProvince: 1, LevelPrefecture: 10, LevelCounty: 73}; !cmp.Equal(want, levels) {
		t.Errorf("levels %v, expected %v", levels, want)
	}
}

func TestGongzhulingMoved(t *testing.T) {
	const old, now, moved = DivisionCode("220381"), DivisionCode("220184"), "2020-06-01"
	day := func(s string) Day {
		d, err := ParseDay(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := cmp.Diff([]DivisionMove{{old, now, day(moved)}}, Divisions.Moves()); d != "" {
		t.Errorf("moves (-want +got):\n%s", d)
	}
	for _, tt := range []struct {
		code DivisionCode
		day  string
		want DivisionCode
	}{
		{old, "2020-05-31", old},
		{now, "2020-05-31", old},
		{old, moved, now},
		{now, moved, now},
		{old, "2026-09-01", now},
		{"220182", "2018-09-01", "220182"},
		{"999999", "2018-09-01", "999999"},
	} {
		if got := Divisions.On(tt.code, day(tt.day)); got != tt.want {
			t.Errorf("%s on %s: %s, expected %s", tt.code, tt.day, got, tt.want)
		}
	}
	for _, tt := range []struct {
		parent       DivisionCode
		from, to     string
		hasOld, hasN bool
	}{
		{"220300", "2020-01-01", "2020-05-31", true, false},
		{"220300", "2020-05-31", "2020-12-31", true, false},
		{"220300", moved, "2026-12-31", false, false},
		{"220100", "2020-01-01", "2020-05-31", false, false},
		{"220100", "2020-01-01", moved, false, true},
	} {
		var codes []DivisionCode
		for _, d := range Divisions.Children(tt.parent, day(tt.from), day(tt.to)) {
			codes = append(codes, d.Code)
		}
		if slices.Contains(codes, old) != tt.hasOld || slices.Contains(codes, now) != tt.hasN {
			t.Errorf("children of %s, %s to %s: %v", tt.parent, tt.from, tt.to, codes)
		}
	}
	was, _ := Divisions.Get(old)
	is, _ := Divisions.Get(now)
	if eve := day(moved) - 1; !was.Valid(eve) || is.Valid(eve) || was.Valid(day(moved)) || !is.Valid(day(moved)) {
		t.Errorf("%s and %s do not meet on %s", old, now, moved)
	}
	if !Divisions.Within(old, "220300") || Divisions.Within(old, "220100") || !Divisions.Within(now, "220100") {
		t.Error("公主岭 lies in the wrong prefecture")
	}
}

func TestDivisionProperties(t *testing.T) {
	codes := []DivisionCode{}
	for _, d := range Divisions.All() {
		codes = append(codes, d.Code)
	}
	rapid.Check(t, func(rt *rapid.T) {
		code := rapid.SampledFrom(codes).Draw(rt, "code")
		day := Day(rapid.IntRange(int(Date(2006, 1, 1)), int(Date(2030, 1, 1))).Draw(rt, "day"))
		on := Divisions.On(code, day)
		if d, ok := Divisions.Get(on); !ok || !d.Valid(day) {
			rt.Errorf("%s on %s is %s, which does not exist then", code, day, on)
		}
		if again := Divisions.On(on, day); again != on {
			rt.Errorf("%s on %s is %s, which is %s", code, day, on, again)
		}
		other := rapid.SampledFrom(codes).Draw(rt, "other")
		inPath := slices.ContainsFunc(Divisions.Path(code), func(d Division) bool { return d.Code == other })
		if Divisions.Within(code, other) != inPath {
			rt.Errorf("%s within %s: %t, but the path says %t", code, other, !inPath, inPath)
		}
	})
}

func TestDivisionsUnknown(t *testing.T) {
	if _, ok := Divisions.Get("110000"); ok || Divisions.Within("110000", Province) || Divisions.Path("110000") != nil {
		t.Error("Beijing is not in Jilin")
	}
	if name := Divisions.Name("110000"); name != "110000" {
		t.Errorf("an unknown division is called %q, expected its code", name)
	}
	if name := Divisions.Name("22CB00"); name != "长白山保护开发区" {
		t.Errorf("22CB00 is called %q", name)
	}
}

func TestDivisionsFileWithFaults(t *testing.T) {
	const head = "code\tname\tparent\tlevel\tkind\tvalid_from\tvalid_to\n220000\t吉林省\t\tprovince\tgbt2260\t\t\n"
	for line, want := range map[string]string{
		"220100\t长春市\t220000":                              "3 fields instead of 7",
		"220100\t长春市\t220001\tprefecture\tgbt2260\t\t":     "parent 220001 of 220100 is missing",
		"220000\t吉林省\t\tprovince\tgbt2260\t\t":             "stands twice",
		"220100\t长春市\t220000\tprefecture\tgbt2260\t2020\t": "line 3",
	} {
		if _, err := parseDivisions(head + line + "\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", line, err, want)
		}
	}
}
