package report

import (
	"testing"

	"zhiban/schemas"
)

func TestLawyerYear(t *testing.T) {
	const wang, li = "12201201810123456", "12201201810123457"
	of := func(lawyer string, f fact) fact {
		f.lawyer = lawyer
		return f
	}
	w := &world{
		lawyers: []Lawyer{{Licence: wang, Name: "王立新", Kind: "private", Firm: "吉林正阳律师事务所", Division: "220182", Registered: true}},
		facts: []fact{
			of(wang, consulted("2026-03-01", "220182", "a", "visit")),
			of(wang, consulted("2026-03-02", "220183", "a", "phone")), // sent to another county
			of(wang, consulted("2026-05-02", "220182", "a", "visit")),
			of(wang, consulted("2025-05-02", "220182", "a", "visit")),
			of(li, consulted("2026-03-02", "220182", "z", "visit")),
			{code: schemas.Shifts, day: "2026-03-01", division: "220182", lawyer: wang, value: "onsite"},
			{code: schemas.DutyMinutes, day: "2026-03-01", division: "220182", lawyer: wang, value: "onsite", n: 200},
			{code: schemas.DutyMinutes, day: "2026-04-01", division: "220182", lawyer: wang, value: "phone", n: 50},
		},
	}
	record := func(scope Scope) LawyerYear {
		y, err := w.inquiry(scope, "2026-10-12").lawyerYear(t.Context(), wang, 2026)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	y := record(ProvinceWide)
	march, total := y.Months[2], y.Total
	if march.Consultations != known(2) || march.Persons != known(1) || march.Channels[0] != known(1) || march.Channels[1] != known(1) || march.Roles[0] != known(2) {
		t.Errorf("March: %+v", march)
	}
	if total.Consultations != known(3) || total.Persons != known(1) {
		t.Errorf("the year: %v consultations of %v persons; a person is one person in all months", total.Consultations, total.Persons)
	}
	if total.Minutes[0] != known(200) || total.Minutes[1] != known(50) || total.MinutesAll != known(250) || total.Channels[0] != known(2) {
		t.Errorf("the year: %+v", total)
	}
	if march.Within24h != notAvailable {
		t.Errorf("a rate over nothing is %v", march.Within24h)
	}
	if y.Months[9].Shifts != known(0) || y.Months[10].Shifts != notAvailable || y.Months[11].Channels[0] != notAvailable {
		t.Errorf("October %v, November %v", y.Months[9].Shifts, y.Months[10].Shifts)
	}
	if y.Division != "榆树市" || y.Within != "吉林省" {
		t.Errorf("%s, within %s", y.Division, y.Within)
	}
	// A county sees what was done in the county, and the record says so.
	y = record(Scope{Division: "220182"})
	if y.Total.Consultations != known(2) || y.Within != "榆树市" {
		t.Errorf("%v consultations within %s", y.Total.Consultations, y.Within)
	}
}
