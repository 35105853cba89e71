package report

import (
	"testing"

	"zhiban/schemas"
)

func deckIn(t *testing.T, w *world, division schemas.DivisionCode, month, asOf string) Deck {
	t.Helper()
	d, err := w.inquiry(ProvinceWide, asOf).deck(t.Context(), division, monthOf(month))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d Deck) key(t *testing.T, code schemas.IndicatorCode) KeyFigure {
	t.Helper()
	for _, k := range d.Key {
		if k.Indicator.Code == code {
			return k
		}
	}
	t.Fatalf("%s is no key figure", code)
	return KeyFigure{}
}

var deckFacts = []fact{
	consulted("2025-08-05", "220182", "a", "visit"),
	consulted("2025-10-05", "220182", "a", "visit"),
	consulted("2025-10-25", "220182", "b", "visit"),
	consulted("2026-09-05", "220182", "a", "visit"),
	consulted("2026-09-29", "220182", "c", "phone"),
	consulted("2026-10-05", "220182", "a", "phone"),
	consulted("2026-10-05", "220183", "a", "phone"),
	{code: schemas.NotificationsDue, day: "2026-10-05", division: "220182", value: "police", n: 7},
	{code: schemas.NotificationsOnTime, day: "2026-10-05", division: "220182", value: "police", n: 6},
	{code: schemas.NotificationsDue, day: "2026-10-05", division: "220182", value: "court", n: 2},
}

func TestDeckOfAMonth(t *testing.T) {
	d := deckIn(t, &world{facts: deckFacts}, "220100", "2026-10", "2026-11-03")
	if k := d.key(t, schemas.Consultations); k.Now != known(2) || k.Previous != known(2) || k.LastYear != known(2) {
		t.Errorf("consultations %+v", k)
	}
	if k := d.key(t, schemas.PersonsConsulted); k.Now != known(1) || k.LastYear != known(2) {
		t.Errorf("persons %+v", k)
	}
	if d.PartsAre != ByDivision || d.Parts[0].Name != "南关区" || d.PartsAll[2] != known(2) || d.PartsAll[3] != known(1) {
		t.Errorf("parts by %s: %v; all %v", d.PartsAre, d.Parts, d.PartsAll)
	}
	trend := d.Trends[0]
	if trend.LastYear[6] != notAvailable || trend.LastYear[7] != known(1) || trend.LastYear[8] != known(0) || trend.LastYear[9] != known(2) {
		t.Errorf("last year's months %v: nothing is held of before August 2025", trend.LastYear)
	}
	if trend.Year[8] != known(2) || trend.Year[9] != known(2) || trend.Year[10] != notAvailable {
		t.Errorf("months %v", trend.Year)
	}
	if s := d.Splits[0]; s.By != ByChannel || s.Figures[0] != known(0) || s.Figures[1] != known(2) {
		t.Errorf("split %+v", s)
	}
	if d.Notices[0].Figures[0] != known(7) || d.Notices[0].Figures[1] != known(6) || d.Notices[3].Figures[0] != known(2) || d.NoticesAll[0] != known(9) {
		t.Errorf("notices %v, all %v", d.Notices, d.NoticesAll)
	}
	seen := map[schemas.IndicatorCode]bool{}
	for _, ind := range d.Indicators() {
		if seen[ind.Code] {
			t.Errorf("%s is defined twice", ind.Code)
		}
		seen[ind.Code] = true
	}
	if !seen[schemas.NotificationsLate] || !seen[schemas.Consultations] {
		t.Errorf("definitions of %v only", seen)
	}
}

// Of a month that is not over the same days are compared.
func TestDeckOfAnUnfinishedMonth(t *testing.T) {
	d := deckIn(t, &world{facts: deckFacts}, "220100", "2026-10", "2026-10-12")
	if k := d.key(t, schemas.Consultations); !d.Unfinished || k.Now != known(2) || k.Previous != known(1) || k.LastYear != known(1) {
		t.Errorf("unfinished %t, consultations %+v", d.Unfinished, k)
	}
	// The months of the trend are whole.
	if got := d.Trends[0].LastYear[9]; got != known(2) {
		t.Errorf("October 2025 %v", got)
	}
}

func TestDeckOfACountyIsByStation(t *testing.T) {
	facts := []fact{consulted("2026-10-05", "220182", "a", "visit")}
	facts[0].station = "220182-court"
	facts = append(facts, fact{code: schemas.NotificationsDue, day: "2026-10-07", division: "220182", value: "court"}) // told to the centre
	w := &world{facts: facts, stations: []Station{
		{Code: "220182-court", Name: "榆树市法律援助中心驻人民法院值班律师工作站", Registered: true}, {Code: "220182-detention"},
	}}
	d := deckIn(t, w, "220182", "2026-10", "2026-11-03")
	if d.PartsAre != ByStation || len(d.Parts) != 3 || d.Parts[0].Name != w.stations[0].Name || d.Parts[0].Figures[2] != known(1) {
		t.Errorf("parts %v", d.Parts)
	}
	if p := d.Parts[1]; p.Name != "220182-detention（未登记）" || p.Figures[2] != known(0) {
		t.Errorf("a station without events: %v", p)
	}
	if p := d.Parts[2]; p.Name != "工作站以外" || p.Figures[6] != known(1) {
		t.Errorf("what belongs to no station: %v", p)
	}
	// The county's records begin this month: there is nothing to compare with.
	if k := d.key(t, schemas.Consultations); k.Now != known(1) || k.Previous != notAvailable || k.LastYear != notAvailable {
		t.Errorf("consultations %+v", k)
	}
}

func TestDeckTellsOfSupervisionFirmsAndMatters(t *testing.T) {
	w := &world{
		lawyers: []Lawyer{{Licence: "a", Firm: "甲律师事务所"}, {Licence: "b", Firm: "乙律师事务所"}, {Licence: "c"}},
		facts: []fact{
			{code: schemas.HelpRequests, day: "2026-10-05", division: "220182", value: "police", n: 4},
			{code: schemas.HelpRequestsDispatched, day: "2026-10-05", division: "220182", value: "police", n: 3},
			{code: schemas.CorrectionsIssued, day: "2026-10-06", division: "220183", value: "court", n: 2},
			{code: schemas.Shifts, day: "2026-10-05", division: "220182", lawyer: "a", value: "detention_centre", n: 2},
			{code: schemas.Shifts, day: "2026-10-05", division: "220182", lawyer: "b", value: "court", n: 5},
			{code: schemas.Shifts, day: "2026-10-05", division: "220182", lawyer: "c", value: "court", n: 1}, // of no firm
			{code: schemas.FeedbackCount, day: "2026-10-05", division: "220182", n: 10},
			{code: schemas.FeedbackScore, day: "2026-10-05", division: "220182", n: 45},
			{code: schemas.Inspections, day: "2026-10-05", division: "220182", n: 4},
			{code: schemas.InspectionsMet, day: "2026-10-05", division: "220182", n: 3},
			{code: schemas.JointMeetings, day: "2026-10-05", division: "220100"},
		},
	}
	d := deckIn(t, w, "220100", "2026-10", "2026-11-03")
	if p := d.Supervision; p.Rows[0].Figures[0] != known(4) || p.Rows[0].Figures[1] != known(3) || p.Rows[3].Figures[2] != known(2) || p.All[2] != known(2) {
		t.Errorf("supervision %v, all %v", p.Rows, p.All)
	}
	if f := d.Firms; d.FirmCount != 2 || f.Rows[0].Name != "乙律师事务所" || f.Rows[1].Figures[0] != known(2) || f.All[0] != known(8) {
		t.Errorf("firms %v, all %v", f.Rows, f.All)
	}
	if k := d.Kinds; len(k.Rows) != 3 || k.All[1] != known(8) {
		t.Errorf("kinds %v, all %v", k.Rows, k.All)
	}
	for _, k := range d.Team {
		if k.Indicator.Code == schemas.Satisfaction && k.Now != known(4.5) {
			t.Errorf("satisfaction %v", k.Now)
		}
	}
	rows := map[string][]Figure{}
	for _, r := range d.Matters.Rows {
		rows[r.Name] = r.Figures
	}
	if rows["榆树市"][6] != known(0.75) || rows["本级"][0] != known(1) || rows["本级"][6] != notAvailable || d.Matters.All[4] != known(4) {
		t.Errorf("matters %v", d.Matters)
	}
}
