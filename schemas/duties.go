package schemas

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// Duty is a task of the lawyers on duty at a station: a case of that name, or
// one of its services or kinds, as in "assistance:meeting".
type Duty string

// duties are those that events can show, the words of a table of duties.
var duties = []Duty{
	"consultation", "application", "complaint",
	"assistance:plea_leniency", "assistance:affidavit", "assistance:meeting", "assistance:file_review",
	"assistance:opinion", "assistance:coercive_measure", "assistance:procedure_choice",
	"activity:publicity", "activity:other_task",
}

// DutyOf is the duty that a fact shows. False: the fact is no work of a lawyer
// on duty, or a further step of a case whose first shows it.
func DutyOf(payload any) (Duty, bool) {
	switch p := payload.(type) {
	case *ConsultationRecorded:
		return "consultation", true
	case *ApplicationReceived:
		return "application", true
	case *ComplaintLodged:
		return "complaint", true
	case *AssistanceGiven:
		return Duty("assistance:" + p.Service), true
	case *ActivityHeld:
		return Duty("activity:" + p.Kind), true
	}
	return "", false
}

// DutyCatalogue says what lawyers on duty at a station are there for, by kind
// of station and through time (三(三)1–3). Prefectures may add to it.
type DutyCatalogue struct {
	terms map[dutyOf][]dutyTerm
}

type dutyOf struct {
	kind StationKind
	duty Duty
}

// dutyTerm is where and when something is a duty: from inclusive, until
// exclusive, zero meaning unbounded.
type dutyTerm struct {
	division    DivisionCode
	from, until Day
}

//go:embed duties.tsv
var dutiesTSV string

// Duties is the catalogue of duties.tsv.
var Duties = mustDuties(dutiesTSV)

func mustDuties(tsv string) DutyCatalogue {
	c, err := ParseDuties(tsv)
	if err != nil {
		panic(err) // the file is part of the program; a test reads it too
	}
	return c
}

const dutiesHead = "station_kind\tduty\tdivision\tfrom\tuntil\tclause"

// ParseDuties reads a table of duties as duties.tsv describes it: lines of six
// tab-separated fields under a heading. Lines that begin with # are remarks.
// Errors name the line.
func ParseDuties(tsv string) (DutyCatalogue, error) {
	c := DutyCatalogue{terms: map[dutyOf][]dutyTerm{}}
	headed := false
	for i, line := range strings.Split(strings.TrimRight(tsv, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
		case !headed && line != dutiesHead:
			return DutyCatalogue{}, fmt.Errorf("duties.tsv line %d: expected the heading %q, found %q", i+1, dutiesHead, line)
		case !headed:
			headed = true
		default:
			if err := c.add(strings.Split(line, "\t")); err != nil {
				return DutyCatalogue{}, fmt.Errorf("duties.tsv line %d: %w", i+1, err)
			}
		}
	}
	if !headed {
		return DutyCatalogue{}, fmt.Errorf("duties.tsv: expected the heading %q", dutiesHead)
	}
	return c, nil
}

// add checks a row and enters it.
func (c DutyCatalogue) add(f []string) error {
	if len(f) != 6 {
		return fmt.Errorf("%d fields instead of 6", len(f))
	}
	of, term := dutyOf{StationKind(f[0]), Duty(f[1])}, dutyTerm{division: DivisionCode(f[2])}
	switch d, known := Divisions.Get(term.division); {
	case !slices.Contains(StationKinds, of.kind):
		return fmt.Errorf("%q is no kind of station; expected one of %v", f[0], StationKinds)
	case !slices.Contains(duties, of.duty):
		return fmt.Errorf("%q is no duty that events show; expected one of %v", f[1], duties)
	case term.division != "" && (!known || d.Level != LevelPrefecture):
		return fmt.Errorf("%q is no prefecture; only prefectures add duties (三(三)2(1), 三(三)3(1))", f[2])
	case f[5] == "":
		return fmt.Errorf("the clause is missing: where is it written that %s is a duty?", of.duty)
	}
	for j, p := range []*Day{&term.from, &term.until} {
		if s := f[3+j]; s != "" {
			day, err := ParseDay(s)
			if err != nil {
				return err
			}
			*p = day
		}
	}
	if term.until != 0 && term.until <= term.from {
		return fmt.Errorf("it ends on %s, before it begins", term.until)
	}
	for _, other := range c.terms[of] {
		if other.division == term.division && (other.until == 0 || term.from < other.until) && (term.until == 0 || other.from < term.until) {
			return fmt.Errorf("%s of a %s stands there already for some of these days", of.duty, of.kind)
		}
	}
	c.terms[of] = append(c.terms[of], term)
	return nil
}

// Has tells whether a duty was one of a kind of station in a division on a day:
// by the rules of the province, or by what the prefecture added to them.
func (c DutyCatalogue) Has(kind StationKind, division DivisionCode, duty Duty, day Day) bool {
	for _, t := range c.terms[dutyOf{kind, duty}] {
		if day >= t.from && (t.until == 0 || day < t.until) &&
			(t.division == "" || Divisions.Within(Divisions.On(division, day), t.division)) {
			return true
		}
	}
	return false
}

// Covers tells whether what an event records was a duty of its station on its
// day. What is no duty of lawyers, or happened at no station, is covered.
func (c DutyCatalogue) Covers(e Event) bool {
	duty, ok := DutyOf(e.Payload)
	station := e.Source.Station
	return !ok || station == "" || c.Has(station.Kind(), station.Division(), duty, DayOf(e.Time))
}
