package schemas

import (
	"slices"
	"strings"
	"testing"
)

// lines reads rules with these lines in close.yaml.
func lines(t *testing.T, text string) (*ReturnRules, error) {
	t.Helper()
	return testRules(t, map[string]string{"close.yaml": testClose + "lines:\n" + text, "form.yaml": testForm})
}

func codesOf(ids []ReturnID) []DivisionCode {
	var out []DivisionCode
	for _, id := range ids {
		out = append(out, id.Division)
	}
	return out
}

// A zone without a justice bureau has no return; 梅河口 goes to the province at a
// month and back at another.
func TestLinesOfReportingAreData(t *testing.T) {
	r, err := lines(t, `
  - {division: 220171, reports_to: none}
  - {division: 220581, reports_to: 220000, from: 2027-01, to: 2027-12}
  - {division: 22CB00, reports_to: none, from: 2028-01}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		month, division, to string
		reports             bool
	}{
		{"2026-12", "220581", "220500", true}, {"2027-01", "220581", "220000", true}, {"2027-12", "220581", "220000", true}, {"2028-01", "220581", "220500", true},
		{"2026-12", "220171", "220100", false}, {"2026-12", "220172", "220100", true},
		{"2027-12", "22CB01", "22CB00", true}, {"2028-01", "22CB01", "220000", true}, {"2028-01", "22CB00", "220000", false},
	} {
		m, err := ParseMonth(c.month)
		if err != nil {
			t.Fatal(err)
		}
		id := ReturnID{DivisionCode(c.division), m}
		up, ok := r.ReportsTo(id)
		if !ok || string(up.Division) != c.to || r.Reports(id) != c.reports {
			t.Errorf("%s reports to %s, %t, and has a return: %t", id, up, ok, r.Reports(id))
		}
		if got := r.MadeOf(up); slices.Contains(got, id) != c.reports {
			t.Errorf("%s is made of %v", up, codesOf(got))
		}
		if to := r.Elsewhere(m)["220581"]; to != "" != (m.Year() == 2027) {
			t.Errorf("in %s 梅河口 is counted with %q", m, to)
		}
	}
}

// With the lines that come with the program every division but the zones has a
// return, and each is received once.
func TestEveryReturnIsReceivedOnce(t *testing.T) {
	for _, m := range []Month{Date(2020, 5, 1).Month(), Date(2020, 6, 1).Month(), Date(2026, 9, 1).Month()} {
		all := []ReturnID{{Province, m}}
		for i := 0; i < len(all); i++ {
			all = append(all, Returns.MadeOf(all[i])...)
		}
		want := 0
		for _, d := range Divisions.All() {
			if d.Valid(m.Last()) && d.Kind != "nbs_devzone" {
				want++
				if n := len(slices.DeleteFunc(codesOf(all), func(c DivisionCode) bool { return c != d.Code })); n != 1 {
					t.Errorf("%s: %s %s stands %d times", m, d.Code, d.Name, n)
				}
			}
		}
		if len(all) != want {
			t.Errorf("%s: %d returns, want %d", m, len(all), want)
		}
	}
}

func TestLinesThatCannotBeAreNamed(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"  - {division: 229999, reports_to: none}", "229999: it is no division"},
		{"  - {division: 220000, reports_to: none}", "220000: it is no division below"},
		{"  - {division: 220581, reports_to: 229999}", `reports_to "229999"`},
		{"  - {division: 220581}", `reports_to ""`},
		{"  - {division: 220581, reports_to: none, from: soon}", "soon"},
		{"  - {division: 220581, reports_to: none, from: 2027-02, to: 2027-01}", "after"},
		{"  - {division: 220581, reports_to: none, to: 2027-01}\n  - {division: 220581, reports_to: 220000, from: 2027-01}", "meet"},
		{"  - {division: 220581, reports_to: 220582}\n  - {division: 220582, reports_to: 220581, from: 2027-01}", "reports to itself"},
		{"  - {division: 220581, reports_to: 220171}\n  - {division: 220171, reports_to: none, from: 2027-01}", "220171 has no return"},
		{"  - {division: 220581, reports_to: 220381, from: 2027-01}", "220381 has no return"}, // 公主岭 moved in 2020
		{"  - {division: 220581, reports_to: none, until: 2027-01}", "until"},
	} {
		if _, err := lines(t, c.lines+"\n"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v does not say %q", c.lines, err, c.want)
		}
	}
}
