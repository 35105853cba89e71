package report

import (
	"fmt"
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
	if march.Of(schemas.Consultations) != known(2) || march.Of(schemas.PersonsConsulted) != known(1) || march.Channels[0] != known(1) || march.Channels[1] != known(1) || march.Roles[0] != known(2) {
		t.Errorf("March: %+v", march)
	}
	if total.Of(schemas.Consultations) != known(3) || total.Of(schemas.PersonsConsulted) != known(1) {
		t.Errorf("the year: %v consultations of %v persons; a person is one person in all months", total.Of(schemas.Consultations), total.Of(schemas.PersonsConsulted))
	}
	if total.Minutes[0] != known(200) || total.Minutes[1] != known(50) || total.Of(schemas.DutyMinutes) != known(250) || total.Channels[0] != known(2) {
		t.Errorf("the year: %+v", total)
	}
	if march.Of(schemas.TransferredWithin24h) != notAvailable {
		t.Errorf("a rate over nothing is %v", march.Of(schemas.TransferredWithin24h))
	}
	if y.Months[9].Of(schemas.Shifts) != known(0) || y.Months[10].Of(schemas.Shifts) != notAvailable || y.Months[11].Channels[0] != notAvailable {
		t.Errorf("October %v, November %v", y.Months[9].Of(schemas.Shifts), y.Months[10].Of(schemas.Shifts))
	}
	if y.Division != "榆树市" || y.Within != "吉林省" {
		t.Errorf("%s, within %s", y.Division, y.Within)
	}
	// A county sees what was done in the county, and the record says so.
	y = record(Scope{Division: "220182"})
	if y.Total.Of(schemas.Consultations) != known(2) || y.Within != "榆树市" {
		t.Errorf("%v consultations within %s", y.Total.Of(schemas.Consultations), y.Within)
	}
}

// find is the line of evidence of an indicator.
func (y LawyerYear) find(t *testing.T, code schemas.IndicatorCode) Evidence {
	t.Helper()
	for _, e := range y.Evidence {
		if e.Indicator.Code == code {
			return e
		}
	}
	t.Fatalf("there is no evidence of %s", code)
	return Evidence{}
}

func TestEvidenceHasItsDenominatorAndItsPlaceAmongPeers(t *testing.T) {
	w := &world{}
	licence := func(n int) string { return fmt.Sprintf("122012018101234%02d", n) }
	add := func(n int, code schemas.IndicatorCode, count float64) {
		if count > 0 {
			w.facts = append(w.facts, fact{code: code, day: "2026-03-01", division: "220182", lawyer: licence(n), n: count})
		}
	}
	for n := range 8 { // four in the county, eight in the prefecture
		county := schemas.DivisionCode("220182")
		if n >= 4 {
			county = "220183"
		}
		w.lawyers = append(w.lawyers, Lawyer{Licence: licence(n), Division: county, Registered: true})
		add(n, schemas.Shifts, float64(10+n/2)) // pairs are equal
		add(n, schemas.Consultations, 10)
		add(n, schemas.ConsultationsUnsigned, float64(n))
		add(n, schemas.ConsultationsLateEntry, float64(n))
		add(n, schemas.Opinions, 8)
		add(n, schemas.OpinionsAdopted, float64(8-n))
		add(n, schemas.FeedbackCount, float64(2*n))
		add(n, schemas.FeedbackScore, float64(2*n*4))
		add(n, schemas.ConductUpheld, float64(n%2))
	}
	year := func(n int, scope Scope, asOf string) LawyerYear {
		y, err := w.inquiry(scope, asOf).lawyerYear(t.Context(), licence(n), 2026)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	y := year(3, ProvinceWide, "2026-10-12")
	for _, c := range []struct {
		name  string
		code  schemas.IndicatorCode
		of    Figure
		rate  Figure
		whole Place
	}{
		{"more shifts come first, equals share a place", schemas.Shifts, Figure{}, Figure{}, Place{5, 8}},
		{"of the unsigned the signed rate", schemas.ConsultationsUnsigned, known(10), known(1 - 3.0/10), Place{4, 8}},
		{"who enters the least late comes first", schemas.ConsultationsLateEntry, known(10), known(3.0 / 10), Place{4, 8}},
		{"opinions adopted are ranked by their share", schemas.OpinionsAdopted, known(8), known(5.0 / 8), Place{4, 8}},
		{"a mean has its n, and only who has enough of it is ranked", schemas.Satisfaction, known(6), notAvailable, Place{1, 5}},
		{"nobody is ranked by discipline", schemas.ConductUpheld, Figure{}, Figure{}, Place{}},
		{"a rate over nothing has no place", schemas.NoShows, known(0), notAvailable, Place{}},
	} {
		e := y.find(t, c.code)
		if e.Of != c.of || e.Rate != c.rate || e.Whole != c.whole {
			t.Errorf("%s: of %v, rate %v, place %v; want %v, %v, %v", c.name, e.Of, e.Rate, e.Whole, c.of, c.rate, c.whole)
		}
		if e.County != (Place{}) {
			t.Errorf("%s: ranked among four in the county: %v", c.name, e.County)
		}
	}
	if e := year(2, ProvinceWide, "2026-10-12").find(t, schemas.Satisfaction); e.Year != known(4) || e.Of != known(4) || e.Whole != (Place{}) {
		t.Errorf("ranked by four opinions: %+v", e)
	}
	if e := year(3, Scope{Division: "220182"}, "2026-10-12").find(t, schemas.Shifts); e.Year != known(11) || e.Whole != (Place{}) {
		t.Errorf("a county sees the prefecture's ranking: %+v", e)
	}
	if e := year(3, ProvinceWide, "2025-12-31").find(t, schemas.Shifts); e.Year != notAvailable || e.Whole != (Place{}) {
		t.Errorf("a year that has not begun is ranked: %+v", e)
	}
	for _, e := range y.Evidence {
		if e.Base != nil && e.Base.Code == e.Indicator.Code {
			t.Errorf("%s is measured against itself", e.Indicator.Code)
		}
	}
}
