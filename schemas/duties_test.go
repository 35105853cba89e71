package schemas

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// What 三(三)1–3 of the 2018 rules give to each kind of station, and nothing else.
func TestTheDutiesOfTheRules(t *testing.T) {
	of2018 := map[StationKind][]Duty{
		DetentionCentre: {"consultation", "application", "assistance:plea_leniency", "complaint", "activity:publicity", "activity:other_task"},
		Court:           {"consultation", "application", "activity:publicity", "assistance:plea_leniency", "activity:other_task"},
		Procuratorate:   {"consultation", "application", "activity:publicity", "assistance:plea_leniency", "activity:other_task"},
	}
	for _, kind := range StationKinds {
		for _, duty := range duties {
			if got, want := Duties.Has(kind, "220182", duty, Date(2018, 10, 25)), slices.Contains(of2018[kind], duty); got != want {
				t.Errorf("on 2018-10-25 %s is a duty of a %s: %t, expected %t", duty, kind, got, want)
			}
			if got, want := Duties.Has(kind, "220182", duty, Date(2020, 8, 20)), duty != "complaint" || kind == DetentionCentre; got != want {
				t.Errorf("under later law %s is a duty of a %s: %t, expected %t", duty, kind, got, want)
			}
		}
	}
}

// A service is a duty from the very day on which its figure begins.
func TestServicesAreDutiesFromTheDayOfTheirFigure(t *testing.T) {
	for duty, code := range map[Duty]IndicatorCode{
		"assistance:affidavit": Affidavits, "assistance:meeting": ClientMeetings, "assistance:file_review": FileReviews, "assistance:opinion": Opinions,
		"assistance:coercive_measure": CoerciveMeasures, "assistance:procedure_choice": ProcedureChoices,
	} {
		figure, err := Indicators.Lookup(code)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range StationKinds {
			if Duties.Has(kind, "220100", duty, figure.Effective-1) || !Duties.Has(kind, "220100", duty, figure.Effective) {
				t.Errorf("%s of a %s does not begin on %s", duty, kind, figure.Effective)
			}
		}
	}
}

// Every service and kind of activity that an event can have is a word of the table.
func TestTheTableOfDutiesKnowsEveryServiceAndActivity(t *testing.T) {
	var want []Duty
	for _, typ := range Catalogue.All() {
		switch typ.Payload().(type) {
		case *AssistanceGiven:
			for _, v := range JSONSchema(typ).Properties["service"].Enum {
				want = append(want, Duty("assistance:"+v.(string)))
			}
		case *ActivityHeld:
			for _, v := range JSONSchema(typ).Properties["kind"].Enum {
				want = append(want, Duty("activity:"+v.(string)))
			}
		default:
			if duty, ok := DutyOf(typ.Payload()); ok {
				want = append(want, duty)
			}
		}
	}
	got := slices.Clone(duties)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the words are %v, events show %v", got, want)
	}
}

func TestAPrefectureMayAddDuties(t *testing.T) {
	c, err := ParseDuties("# a table of a test\n" + dutiesHead + "\n" +
		"court\tconsultation\t\t\t\t三(三)2(1)\n" +
		"court\tcomplaint\t220300\t2019-01-01\t2021-01-01\t四平\n" +
		"court\tcomplaint\t220300\t2022-01-01\t\t四平\n" +
		"procuratorate\tcomplaint\t220100\t\t\t长春\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		kind     StationKind
		division DivisionCode
		duty     Duty
		day      Day
		want     bool
	}{
		{"the province's duty in a county", Court, "220182", "consultation", Date(2019, 5, 1), true},
		{"not of another kind of station", DetentionCentre, "220182", "consultation", Date(2019, 5, 1), false},
		{"a prefecture's own", Court, "220300", "complaint", Date(2019, 1, 1), true},
		{"and its counties'", Court, "220302", "complaint", Date(2019, 1, 1), true},
		{"not the day before", Court, "220302", "complaint", Date(2018, 12, 31), false},
		{"on the last day", Court, "220302", "complaint", Date(2020, 12, 31), true},
		{"not when it has ended", Court, "220302", "complaint", Date(2021, 1, 1), false},
		{"again later", Court, "220302", "complaint", Date(2022, 1, 1), true},
		{"not in another prefecture", Court, "220402", "complaint", Date(2022, 1, 1), false},
		{"公主岭 while it was of 四平", Court, "220381", "complaint", Date(2020, 5, 31), true},
		{"公主岭 of 长春", Court, "220381", "complaint", Date(2020, 6, 1), false},
		{"and what 长春 added", Procuratorate, "220381", "complaint", Date(2020, 6, 1), true},
		{"which was not its duty before", Procuratorate, "220184", "complaint", Date(2020, 5, 31), false},
	} {
		if got := c.Has(tt.kind, tt.division, tt.duty, tt.day); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

func TestCoversLooksAtStationsAndTheirWorkAlone(t *testing.T) {
	event := func(source string, payload any) Event {
		src, err := ParseSource(source)
		if err != nil {
			t.Fatal(err)
		}
		return Event{Source: src, Payload: payload, Time: time.Date(2026, 9, 1, 9, 0, 0, 0, Shanghai)}
	}
	for name, c := range map[string]struct {
		event Event
		want  bool
	}{
		"a complaint at a detention centre":   {event("/stations/220182-detention", &ComplaintLodged{}), true},
		"a complaint at a court":              {event("/stations/220182-court-2", &ComplaintLodged{}), false},
		"a complaint that a division records": {event("/divisions/220182", &ComplaintLodged{}), true},
		"the end of a complaint":              {event("/stations/220182-court", &ComplaintClosed{}), true},
		"a sign-in":                           {event("/stations/220182-court", &ShiftSignedIn{}), true},
	} {
		if got := Duties.Covers(c.event); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestATableOfDutiesWithFaults(t *testing.T) {
	for line, want := range map[string]string{
		"court\tconsultation\t\t\t三(三)2(1)":                              "5 fields instead of 6",
		"prison\tconsultation\t\t\t\t三(三)2(1)":                           `"prison" is no kind of station`,
		"court\tdefence\t\t\t\t三(三)2(1)":                                 `"defence" is no duty`,
		"court\tcomplaint\t220182\t\t\t榆树":                               `"220182" is no prefecture`,
		"court\tcomplaint\t999999\t\t\t?":                                `"999999" is no prefecture`,
		"court\tcomplaint\t220100\t2020\t\t长春":                           `"2020" is not a day`,
		"court\tcomplaint\t220100\t2020-01-02\t2020-01-02\t长春":           "ends on 2020-01-02",
		"court\tcomplaint\t220100\t\t\t":                                 "the clause is missing",
		"court\tcomplaint\t\t\t2020-01-01\tA\ncourt\tcomplaint\t\t\t\tB": "line 3: complaint of a court stands there already",
		"court\tcomplaint\t\t2021-01-01\t\tA\ncourt\tcomplaint\t\t\t\tB": "line 3: complaint of a court stands there already",
		"court\tcomplaint\t\t\t\tA\ncourt\tcomplaint\t\t2021-01-01\t\tB": "line 3: complaint of a court stands there already",
	} {
		if _, err := ParseDuties(dutiesHead + "\n" + line + "\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", line, err, want)
		}
	}
	if _, err := ParseDuties("court\tconsultation\t\t\t\t三(三)2(1)\n"); err == nil || !strings.Contains(err.Error(), "expected the heading") {
		t.Errorf("without a heading: %v", err)
	}
}
