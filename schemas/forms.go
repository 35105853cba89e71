package schemas

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ReturnRules are how months are closed: the period that a month stands for,
// when its returns are due, who reports to whom, and the forms. They are data, for the rules of 2018
// give neither form nor period, and of the days only the province's.
type ReturnRules struct {
	// PeriodBegins is the day of the month on which a month's period begins: 1
	// for the calendar month; 26: September is from 26 August to 25 September.
	PeriodBegins int
	// Due is the last day for reporting, in the month after, by level.
	Due   map[DivisionLevel]int
	lines []ReturnLine
	forms []Form // by their first month
}

// Form is a version of the monthly form (值班律师工作统计表（月）). Versions are
// only ever added: a frozen return names its own.
type Form struct {
	Version  string
	From     Month // the first month that it is filled in for
	Title    Text
	Columns  []FormHeading
	Groups   []FormGroup
	Children []IndicatorCode // what the sheet of divisions shows of each
}

// FormHeading is a column with its heading.
type FormHeading struct {
	Column FormColumn
	Title  Text
}

// FormGroup is a block of rows under one heading.
type FormGroup struct {
	Title Text
	Rows  []FormRow
}

// FormRow is a figure, or the sum of several, with the splits that are shown
// below it.
type FormRow struct {
	Indicators []IndicatorCode
	Label      Text // empty: the indicator's name
	Unit       Text // empty: the indicator's unit
	By         []string
}

// Cell is the row's name in frozen figures: consultations, or affidavits+opinions
// for a sum.
func (r FormRow) Cell() string {
	names := make([]string, len(r.Indicators))
	for i, code := range r.Indicators {
		names[i] = string(code)
	}
	return strings.Join(names, "+")
}

// PartCell is the name of a part of the row: consultations.channel.visit.
func (r FormRow) PartCell(by, value string) string { return r.Cell() + "." + by + "." + value }

// Figure is the indicator as the row shows it. A sum is one of its own.
func (r FormRow) Figure() Indicator {
	ind, err := Indicators.Lookup(r.Indicators[0])
	if err != nil {
		panic(err) // forms are checked when they are read
	}
	if len(r.Indicators) > 1 {
		var zh, en []string
		effective := ind.Effective // of the sum: since the first of its parts
		for _, code := range r.Indicators {
			part, _ := Indicators.Lookup(code)
			zh, en = append(zh, part.Name.ZH), append(en, part.Name.EN)
			effective = min(effective, part.Effective)
		}
		ind = Indicator{Code: IndicatorCode(r.Cell()), Unit: ind.Unit, Kind: Additive, Clause: ind.Clause, Effective: effective, Parts: ind.Parts,
			Definition: Text{strings.Join(zh, "、") + "之和", "sum of " + strings.Join(en, ", ")}}
	}
	if r.Label != (Text{}) {
		ind.Name = r.Label
	}
	if r.Unit != (Text{}) {
		ind.Unit = r.Unit
	}
	return ind
}

// FormSplits are the dimensions that a row may be split by.
var FormSplits = []string{"station_kind", "mode", "channel", "person_role", "organ"}

// Period is the days that a month stands for, both inclusive.
func (r *ReturnRules) Period(m Month) (from, to Day) {
	if r.PeriodBegins == 1 {
		return m.First(), m.Last()
	}
	begins := Day(r.PeriodBegins - 1)
	return (m - 1).First() + begins, m.First() + begins - 1
}

// YearToDate is the days from the beginning of the month's year to its end.
func (r *ReturnRules) YearToDate(m Month) (from, to Day) {
	from, _ = r.Period(m - Month(m.Number()-1))
	_, to = r.Period(m)
	return from, to
}

// DueDay is the last day on which a division of the level reports the month.
func (r *ReturnRules) DueDay(level DivisionLevel, m Month) Day {
	return (m + 1).First() + Day(r.Due[level]) - 1
}

// PeriodTitle says what a month stands for.
func (r *ReturnRules) PeriodTitle() Text {
	if r.PeriodBegins == 1 {
		return Text{"自然月", "calendar month"}
	}
	return Text{fmt.Sprintf("上月%d日至本月%d日", r.PeriodBegins, r.PeriodBegins-1),
		fmt.Sprintf("day %d of the month before to day %d", r.PeriodBegins, r.PeriodBegins-1)}
}

// FormOf is the form that a month is filled in.
func (r *ReturnRules) FormOf(m Month) Form {
	form := r.forms[0]
	for _, f := range r.forms {
		if f.From <= m {
			form = f
		}
	}
	return form
}

// Form finds a form by its version.
func (r *ReturnRules) Form(version string) (Form, error) {
	for _, f := range r.forms {
		if f.Version == version {
			return f, nil
		}
	}
	return Form{}, Errorf(NotFound, "there is no form %q", version)
}

// Forms lists the forms by their first month.
func (r *ReturnRules) Forms() []Form { return slices.Clone(r.forms) }

//go:embed forms/*.yaml
var formFiles embed.FS

// Returns are the rules that come with the program.
var Returns = func() *ReturnRules {
	dir, err := fs.Sub(formFiles, "forms")
	if err != nil {
		panic(err) // the name stands above
	}
	rules, err := ReadReturnRules(dir)
	if err != nil {
		panic(err) // the files are part of the program; a test reads them too
	}
	return rules
}()

// closeFile holds period, due days and lines of reporting; every other file is a form.
const closeFile = "close.yaml"

// ReadReturnRules reads close.yaml and the forms, every other .yaml file of a
// directory, and says everything that is wrong with them.
func ReadReturnRules(dir fs.FS) (*ReturnRules, error) {
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, err
	}
	r := &ReturnRules{}
	var errs []error
	for _, name := range names {
		b, err := fs.ReadFile(dir, name)
		if err == nil {
			err = r.read(name, b)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	if r.PeriodBegins == 0 && !slices.Contains(names, closeFile) {
		errs = append(errs, errors.New(closeFile+" is missing"))
	}
	if len(r.forms) == 0 {
		errs = append(errs, errors.New("there is no form"))
	}
	slices.SortStableFunc(r.forms, func(a, b Form) int { return cmp.Compare(a.From, b.From) })
	for i, f := range r.forms {
		for _, o := range r.forms[:i] {
			if f.Version == o.Version || f.From == o.From {
				errs = append(errs, fmt.Errorf("forms %s and %s have the same version or first month", o.Version, f.Version))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("forms of the monthly return: %w", err)
	}
	return r, nil
}

func (r *ReturnRules) read(name string, b []byte) error {
	if name == closeFile {
		var c closeYAML
		if err := strictYAML(b, &c); err != nil {
			return err
		}
		r.PeriodBegins, r.Due = c.PeriodBegins, c.Due
		var err error
		r.lines, err = readLines(c.Lines)
		return errors.Join(c.check(), err)
	}
	var f formYAML
	if err := strictYAML(b, &f); err != nil {
		return err
	}
	form, err := f.form()
	r.forms = append(r.forms, form)
	return err
}

func strictYAML(b []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	return d.Decode(into)
}

type closeYAML struct {
	PeriodBegins int                   `yaml:"period_begins"`
	Due          map[DivisionLevel]int `yaml:"due"`
	Lines        []lineYAML            `yaml:"lines"`
}

func (c closeYAML) check() error {
	var errs []error
	if c.PeriodBegins < 1 || c.PeriodBegins > 28 {
		errs = append(errs, fmt.Errorf("period_begins %d is not a day from 1 to 28", c.PeriodBegins))
	}
	for _, level := range []DivisionLevel{LevelCounty, LevelPrefecture, LevelProvince} {
		if day := c.Due[level]; day < 1 || day > 28 {
			errs = append(errs, fmt.Errorf("due.%s %d is not a day from 1 to 28", level, day))
		}
	}
	if len(c.Due) > 3 {
		errs = append(errs, errors.New("due: the levels are county, prefecture and province"))
	}
	if c.Due[LevelCounty] > c.Due[LevelPrefecture] || c.Due[LevelPrefecture] > c.Due[LevelProvince] {
		errs = append(errs, errors.New("due: a level reports no earlier than the one below it"))
	}
	return errors.Join(errs...)
}

type formYAML struct {
	Version string
	From    string
	Title   Text
	Columns []struct {
		Column FormColumn
		Title  Text
	}
	Groups []struct {
		Title Text
		Rows  []rowYAML
	}
	Children []IndicatorCode
}

// rowYAML is a code alone, or a mapping.
type rowYAML struct {
	Indicator   IndicatorCode
	Sum         []IndicatorCode
	Label, Unit Text
	By          []string
}

// UnmarshalYAML reads either.
func (r *rowYAML) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&r.Indicator)
	}
	for i := 0; i+1 < len(n.Content); i += 2 { // a node does not know of strictness
		if key := n.Content[i].Value; !slices.Contains([]string{"indicator", "sum", "label", "unit", "by"}, key) {
			return fmt.Errorf("line %d: a row has no %s", n.Content[i].Line, key)
		}
	}
	type plain rowYAML
	return n.Decode((*plain)(r))
}

var formVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)

// form checks the layout against the catalogue of indicators.
func (y formYAML) form() (Form, error) {
	f := Form{Version: y.Version, Title: y.Title, Children: y.Children}
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !formVersion.MatchString(y.Version) {
		fail("version %q is not 1 to 40 letters, digits, or . _ -", y.Version)
	}
	var err error
	if f.From, err = ParseMonth(y.From); err != nil {
		fail("from: %w", err)
	}
	bilingual := func(at string, t Text) {
		if t.ZH == "" || t.EN == "" {
			fail("%s: a title has zh and en", at)
		}
	}
	bilingual("title", y.Title)
	for i, c := range y.Columns {
		if !slices.Contains(FormColumns, c.Column) {
			fail("columns: %q is none of %v", c.Column, FormColumns)
		}
		if slices.ContainsFunc(y.Columns[:i], func(o struct {
			Column FormColumn
			Title  Text
		}) bool {
			return o.Column == c.Column
		}) {
			fail("columns: %s stands twice", c.Column)
		}
		bilingual("columns", c.Title)
		f.Columns = append(f.Columns, FormHeading{c.Column, c.Title})
	}
	if !slices.ContainsFunc(f.Columns, func(c FormHeading) bool { return c.Column == ColumnMonth }) {
		fail("columns: month is missing")
	}
	cells := map[string]bool{}
	for _, g := range y.Groups {
		bilingual("groups", g.Title)
		group := FormGroup{Title: g.Title}
		for _, r := range g.Rows {
			row, err := r.row()
			if err != nil {
				fail("group %s: %w", g.Title.ZH, err)
				continue
			}
			if cells[row.Cell()] {
				fail("group %s: %s stands twice in the form", g.Title.ZH, row.Cell())
			}
			cells[row.Cell()] = true
			group.Rows = append(group.Rows, row)
		}
		if len(g.Rows) == 0 {
			fail("group %s has no rows", g.Title.ZH)
		}
		f.Groups = append(f.Groups, group)
	}
	if len(y.Groups) == 0 {
		fail("it has no groups")
	}
	for _, code := range y.Children {
		if !cells[string(code)] { // what is frozen of a division below is a cell of its form
			fail("children: %s is no row of the form", code)
		}
	}
	return f, errors.Join(errs...)
}

func (y rowYAML) row() (FormRow, error) {
	r := FormRow{Indicators: y.Sum, Label: y.Label, Unit: y.Unit, By: y.By}
	if y.Indicator != "" {
		r.Indicators = append(slices.Clone(y.Sum), y.Indicator)
	}
	if y.Indicator != "" && len(y.Sum) > 0 || y.Indicator == "" && len(y.Sum) < 2 {
		return r, fmt.Errorf("row %s: it has either an indicator or a sum of several", r.Cell())
	}
	for i, code := range r.Indicators {
		ind, err := Indicators.Lookup(code)
		if err != nil {
			return r, err
		}
		if len(r.Indicators) > 1 {
			first, _ := Indicators.Lookup(r.Indicators[0])
			if ind.Kind != Additive || ind.Unit.ZH != first.Unit.ZH || ind.Parts != first.Parts {
				return r, fmt.Errorf("row %s: only figures that add up, in one unit, have a sum", r.Cell())
			}
			if slices.Contains(r.Indicators[:i], code) {
				return r, fmt.Errorf("row %s: %s stands twice", r.Cell(), code)
			}
		}
	}
	if first, err := Indicators.Lookup(r.Indicators[0]); err == nil && r.Unit != (Text{}) {
		if unit, parts := first.Shown(); parts != 1 {
			return r, fmt.Errorf("row %s: it is shown in %s; another unit would be wrong", r.Cell(), unit.EN)
		}
	}
	if len(r.Indicators) > 1 && r.Label == (Text{}) {
		return r, fmt.Errorf("row %s: a sum has a label", r.Cell())
	}
	for at, t := range map[string]Text{"label": r.Label, "unit": r.Unit} {
		if t != (Text{}) && (t.ZH == "" || t.EN == "") {
			return r, fmt.Errorf("row %s: its %s has zh and en", r.Cell(), at)
		}
	}
	for i, by := range r.By {
		if !slices.Contains(FormSplits, by) || slices.Contains(r.By[:i], by) {
			return r, fmt.Errorf("row %s: by %q is none of %v, or stands twice", r.Cell(), by, FormSplits)
		}
	}
	return r, nil
}
