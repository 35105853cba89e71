package schemas

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// DivisionLevel is a division's place in the hierarchy of reporting.
type DivisionLevel string

// The three levels of the monthly return.
const (
	LevelProvince   DivisionLevel = "province"
	LevelPrefecture DivisionLevel = "prefecture"
	LevelCounty     DivisionLevel = "county"
)

// Division is a reporting unit. ValidFrom and ValidTo bound the days on which
// it existed, from inclusive, to exclusive; zero means unbounded.
type Division struct {
	Code      DivisionCode
	Name      string
	Parent    DivisionCode
	Level     DivisionLevel
	Kind      string // gbt2260, nbs_devzone, or internal (长白山)
	ValidFrom Day
	ValidTo   Day
}

// Valid tells whether the division existed on day d.
func (d Division) Valid(day Day) bool {
	return (d.ValidFrom == 0 || day >= d.ValidFrom) && (d.ValidTo == 0 || day < d.ValidTo)
}

// DivisionMove is a division that went on under another code on a day:
// 公主岭市, 220381 of 四平 until 2020-06-01, 220184 of 长春 since.
type DivisionMove struct {
	Old, New DivisionCode
	On       Day
}

// DivisionView says which tree of divisions a figure is shown by.
type DivisionView string

// As then: each day's events under the tree of that day. As now: all under
// today's tree.
const (
	ViewThen DivisionView = "then"
	ViewNow  DivisionView = "now"
)

// DivisionRegister is the province's divisions with their validity.
type DivisionRegister struct {
	all    []Division
	byCode map[DivisionCode]int
	moves  []DivisionMove
}

//go:embed divisions.tsv
var divisionsTSV string

// Divisions is the register of divisions.tsv.
var Divisions = mustDivisions(divisionsTSV)

func mustDivisions(tsv string) *DivisionRegister {
	r, err := parseDivisions(tsv)
	if err != nil {
		panic(err) // the file is part of the program; a test reads it too
	}
	return r
}

// parseDivisions reads tab-separated code, name, parent, level, kind,
// valid_from, valid_to with a heading line. Two divisions of one name, one
// ending on the day the other begins, are one division that moved.
func parseDivisions(tsv string) (*DivisionRegister, error) {
	r := &DivisionRegister{byCode: map[DivisionCode]int{}}
	for i, line := range strings.Split(strings.TrimRight(tsv, "\n"), "\n") {
		if i == 0 {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 7 {
			return nil, fmt.Errorf("divisions.tsv line %d: %d fields instead of 7", i+1, len(f))
		}
		d := Division{Code: DivisionCode(f[0]), Name: f[1], Parent: DivisionCode(f[2]), Level: DivisionLevel(f[3]), Kind: f[4]}
		for j, p := range []*Day{&d.ValidFrom, &d.ValidTo} {
			if s := f[5+j]; s != "" {
				day, err := ParseDay(s)
				if err != nil {
					return nil, fmt.Errorf("divisions.tsv line %d: %w", i+1, err)
				}
				*p = day
			}
		}
		if _, ok := r.byCode[d.Code]; ok {
			return nil, fmt.Errorf("divisions.tsv line %d: code %s stands twice", i+1, d.Code)
		}
		r.byCode[d.Code] = len(r.all)
		r.all = append(r.all, d)
	}
	for _, d := range r.all {
		if _, ok := r.byCode[d.Parent]; !ok && d.Code != Province {
			return nil, fmt.Errorf("divisions.tsv: parent %s of %s is missing", d.Parent, d.Code)
		}
		for _, e := range r.all {
			if d.Name == e.Name && d.ValidTo != 0 && d.ValidTo == e.ValidFrom {
				r.moves = append(r.moves, DivisionMove{d.Code, e.Code, e.ValidFrom})
			}
		}
	}
	return r, nil
}

// All returns every division, in the register's order.
func (r *DivisionRegister) All() []Division { return slices.Clone(r.all) }

// Get finds a division by its code.
func (r *DivisionRegister) Get(code DivisionCode) (Division, bool) {
	i, ok := r.byCode[code]
	if !ok {
		return Division{}, false
	}
	return r.all[i], true
}

// Name is the division's name, or its code when it is unknown.
func (r *DivisionRegister) Name(code DivisionCode) string {
	if d, ok := r.Get(code); ok {
		return d.Name
	}
	return string(code)
}

// Moves lists the divisions that went on under another code.
func (r *DivisionRegister) Moves() []DivisionMove { return slices.Clone(r.moves) }

// Children lists the divisions directly under parent that existed on some day
// of from..to (both inclusive), in the register's order.
func (r *DivisionRegister) Children(parent DivisionCode, from, to Day) []Division {
	var out []Division
	for _, d := range r.all {
		if d.Parent == parent && (d.ValidFrom == 0 || to >= d.ValidFrom) && (d.ValidTo == 0 || from < d.ValidTo) {
			out = append(out, d)
		}
	}
	return out
}

// On follows moves: the code under which a division reported on day.
func (r *DivisionRegister) On(code DivisionCode, day Day) DivisionCode {
	for _, m := range r.moves {
		switch {
		case code == m.Old && day >= m.On:
			code = m.New
		case code == m.New && day < m.On:
			code = m.Old
		}
	}
	return code
}

// Path is the line of divisions from the province down to code.
func (r *DivisionRegister) Path(code DivisionCode) []Division {
	var out []Division
	for d, ok := r.Get(code); ok; d, ok = r.Get(d.Parent) {
		out = append(out, d)
	}
	slices.Reverse(out)
	return out
}

// Within tells whether code is div or lies somewhere under it.
func (r *DivisionRegister) Within(code, div DivisionCode) bool {
	for d, ok := r.Get(code); ok; d, ok = r.Get(d.Parent) {
		if d.Code == div {
			return true
		}
	}
	return false
}
