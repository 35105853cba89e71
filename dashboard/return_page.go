package dashboard

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// returnRoute is the page of a monthly return, and where its steps are sent.
const returnRoute = "/returns/{division:[0-9A-Z]{6}}/{month:[0-9]{4}-[0-9]{2}}"

// returnPage is a division's monthly return as its clerk works on it: what
// stands in the way and the steps on top, the form, what has been done. On paper
// only the form is left.
type returnPage struct {
	Heading, Month string
	State, Overdue badge
	Told           *told
	Problems       []string
	Reading        string
	Facts          []fact
	Downloads      []link
	Submit         *submitForm
	Review         *reviewForm
	Amend          *amendForm
	Settled        string // why an accepted return has nothing to amend
	Paper          paper
	Columns        []formColumn
	Groups         []formGroup
	Differ         string
	Below          *table // the figures of the divisions below, as the books are now
	Made           []closeRow
	History        []historyRow
}

// told says what came of the step that led here.
type told struct {
	Class, Text string
	Link        link
}

// paper is what the printed form has around its table.
type paper struct {
	Title      string
	Lines      [2][3]string
	Stamp      string
	Signatures []string
}

type formColumn struct {
	Title string
	Month bool // the comparison with last month comes after it
}

type formGroup struct {
	Title string
	Rows  []formRow
}

// formRow is a line of the form.
type formRow struct {
	Number     int
	Name       string
	Definition string
	Part       bool
	By         string // what the parts are by, on the first
	Unit       string
	Cells      []formCell
	Before     formCell
	Move       change
	Clause     string
	Differs    bool
}

// formCell is a figure of the form. Class tells zero, X and N apart.
type formCell struct {
	Text, Class, Title, Href string
	Month                    bool
	Frozen                   *formCell // what stands, where it is another
}

type historyRow struct {
	When, What, By string
	Event          string
	Notes          []string
	Version        link
	SHA256         string
	Ignored        bool
}

// returnID reads the path of a return.
func (v *visit) returnID() (schemas.ReturnID, error) {
	id, err := schemas.ParseReturnID(v.part("division") + "-" + v.part("month"))
	if err != nil {
		return id, schemas.Errorf(schemas.NotFound, "%w", err)
	}
	v.month = id.Month
	return id, nil
}

func (s *Server) returnPage(ctx context.Context, v *visit) (page, error) {
	id, err := v.returnID()
	if err != nil {
		return page{}, err
	}
	done, event := v.choice("done", append([]string{""}, stepVerbs...)...), v.text("event")
	v.nowOnly()
	if err := v.err(); err != nil {
		return page{}, err
	}
	m, err := s.readReturn(ctx, id, v.cut.Offsets)
	if err != nil {
		return page{}, err
	}
	if done == "" || event == "" {
		return s.returnOf(v, m, entry{}), nil
	}
	p := s.returnOf(v, m, entry{})
	body := p.Body.(returnPage)
	body.Told = v.told(m, done, event)
	if body.Told.Class == "waiting" { // the steps come when the page shows where the return stands
		body.Submit, body.Review, body.Amend, body.Settled = nil, nil, nil, ""
		p.Fixed = false
	}
	p.Body = body
	return p, nil
}

// returnOf is the page of a return, with what was entered when it could not be
// done. It stays as it is until it is asked for anew: the form that a clerk
// submits is the form that they saw.
func (s *Server) returnOf(v *visit, m report.MonthlyReturn, in entry) page {
	l := m.Live
	p := returnPage{
		Heading: l.Division.Name, Month: m.ID.Month.Title().In(string(v.phrases)), State: v.returnState(m.State), Overdue: v.overdue(m.Row),
		Reading: s.readingOnly(v), Problems: in.problems, Facts: v.returnFacts(m), Paper: v.paper(m), Downloads: v.returnFiles(m),
	}
	if s.cfg.Append != nil {
		if v.who.MayStep(s.read.ReturnRules(), m.ID, "submitted") {
			p.Submit, p.Amend = v.submitForm(m, in), v.amendForm(m, in)
		}
		if v.who.MayStep(s.read.ReturnRules(), m.ID, "accepted") {
			p.Review = v.reviewForm(m, in)
		}
		if m.State.Final() && len(m.Changes) == 0 {
			p.Settled = v.t("return.settled")
		}
	}
	if n := len(m.Changes); n > 0 {
		p.Differ = v.t("return.differ", number(float64(n)))
	}
	p.Columns, p.Groups = v.form(m)
	p.Below = v.below(m)
	for _, child := range m.Made {
		p.Made = append(p.Made, v.closeRow(child, m.ID.Month))
	}
	p.History = v.returnHistory(m)
	return page{Template: "return", Title: v.t("unit.paren", v.t("return.title", l.Division.Name), p.Month), Menu: "/returns", Fixed: true,
		Crumbs: v.closeCrumbs(m.ID.Division, v.t("return.crumb", l.Division.Name, p.Month)), Body: p}
}

func (v *visit) returnFacts(m report.MonthlyReturn) []fact {
	l := m.Live
	to := v.t("return.to.none")
	if m.ReportsTo != "" {
		to = schemas.Divisions.Name(m.ReportsTo)
	}
	out := []fact{
		{v.t("return.unit"), l.Unit, ""}, {v.t("return.to"), to, ""}, {v.t("close.due"), v.longDay(l.Due), ""},
		{v.t("return.period"), v.t("return.days", v.longDay(l.Period.From), v.longDay(l.Period.To), l.Rule.In(string(v.phrases))), ""},
		{v.t("return.form"), l.Form.Version, ""}, {v.t("return.as_of"), clockSeconds(l.AsOf), ""}, {v.t("close.next"), v.nextStep(m.Row), ""},
	}
	if m.State == schemas.ReturnSentBack {
		out = append(out, fact{v.t("return.sent_back"), m.Row.Reason, ""})
	}
	return out
}

// returnFiles are the form as it is now and the frozen form that stands.
func (v *visit) returnFiles(m report.MonthlyReturn) []link {
	live := link{v.t("return.file.live"), returnPath(m.ID) + ".xlsx?version=live"}
	if f, ok := m.Standing(); ok {
		return []link{{v.t("return.file.frozen", f.Version), returnFilePath(m.ID, f.Version)}, live}
	}
	return []link{live}
}

// paper is the head and the foot of the printed form.
func (v *visit) paper(m report.MonthlyReturn) paper {
	l := m.Live
	lang := string(v.phrases)
	p := paper{Title: l.Form.Title.In(lang), Lines: [2][3]string{
		{v.t("paper.unit", l.Unit), v.t("paper.month", l.Month.Title().In(lang)), v.t("paper.form", l.Form.Version)},
		{v.t("paper.division", l.Division.Name, string(l.Division.Code)), v.t("paper.period", v.longDay(l.Period.From), v.longDay(l.Period.To), l.Rule.In(lang)), v.t("paper.due", v.longDay(l.Due))},
	}}
	filler, day := "", ""
	f, stands := m.Standing()
	switch {
	case !stands:
		p.Stamp = v.t("paper.draft", clockSeconds(l.AsOf))
	case f.Amendment > 0:
		p.Stamp = v.t("paper.amended", f.Version, f.Amendment, f.By, f.Reason, clockSeconds(f.Time), f.SHA256)
	default:
		filler = f.By
		p.Stamp = v.t("paper.submitted", f.Version, f.By, clockSeconds(f.Time), f.SHA256)
	}
	if stands {
		day = v.longDay(schemas.DayOf(f.Time))
	}
	p.Signatures = []string{v.t("paper.head"), v.t("paper.reviewer"), v.t("paper.filler", filler), v.t("paper.day", day)}
	return p
}

// form is the table of the form: its columns as the layout has them, and last
// month's figure beside this month's.
func (v *visit) form(m report.MonthlyReturn) ([]formColumn, []formGroup) {
	var columns []formColumn
	for _, c := range m.Live.Form.Columns {
		columns = append(columns, formColumn{c.Title.In(string(v.phrases)), c.Column == schemas.ColumnMonth})
	}
	standing, _ := m.Standing()
	var groups []formGroup
	count := 0
	for _, g := range m.Live.Groups {
		group := formGroup{Title: g.Title.In(string(v.phrases))}
		for i, line := range g.Lines {
			count++
			row := formRow{Number: count, Name: line.Indicator.Name.In(string(v.phrases)), Definition: line.Indicator.Definition.In(string(v.phrases)),
				Unit: v.unit(line.Indicator), Clause: line.Indicator.Clause, Before: v.formCell(line, line.Before), Move: v.moveOf(line)}
			if line.By != "" {
				row.Part, row.Name = true, line.Part.In(string(v.phrases))
				if g.Lines[i-1].By != line.By {
					row.By = v.t("dimension." + string(line.By))
				}
			}
			row.Before.Href = v.cellDetails(m, line, lastMonth, time.Time{})
			for _, h := range m.Live.Form.Columns {
				c := v.formCell(line, line.Column(h.Column))
				c.Month = h.Column == schemas.ColumnMonth
				c.Href = v.cellDetails(m, line, h.Column, time.Time{})
				k := slices.IndexFunc(m.Changes, func(x schemas.FormChange) bool { return x.Cell == line.Cell && x.Column == h.Column })
				if k >= 0 {
					old := v.formCell(line, report.Thawed(m.Changes[k].Old))
					old.Href = v.cellDetails(m, line, h.Column, standing.Time)
					c.Frozen, row.Differs = &old, true
				}
				row.Cells = append(row.Cells, c)
			}
			group.Rows = append(group.Rows, row)
		}
		groups = append(groups, group)
	}
	return columns, groups
}

// below is the sheet of divisions (分地区): a row each, and the whole, counted
// anew. Of a return that stands it is the frozen one, with what the books say now
// where that is another.
func (v *visit) below(m report.MonthlyReturn) *table {
	sheet, live := m.Live, map[schemas.DivisionCode][]report.Figure{}
	var since time.Time // of the figures; zero: they are now's
	t := table{ID: "below", Caption: v.t("return.below"), Head: []cell{head(v.t("close.division"))}}
	switch standing, stands := m.Standing(); {
	case stands && len(standing.Divisions) > 0:
		for _, c := range sheet.Children {
			live[c.Division.Code] = c.Figures
		}
		sheet, since = report.Thaw(m.Live, m.Live.Form, standing), standing.Time
		t.Caption = v.t("return.below.frozen", standing.Version)
	case stands:
		t.Class = "screen"
	}
	if len(sheet.Children) == 0 {
		return nil
	}
	row := func(first cell, of schemas.DivisionCode, figures, now []report.Figure) []cell {
		cells := []cell{first}
		for i, ind := range sheet.ChildIndicators {
			line := report.FormLine{Indicator: ind}
			c := v.formCell(line, figures[i])
			shown := cell{Text: c.Text, Title: c.Title, Num: true, Muted: c.Class != ""}
			if of != "" && figures[i].Status == report.Known {
				shown.Href = v.details(ind.Code, of, sheet.Period, asReturned(m, since)...)
			}
			if now != nil && now[i] != figures[i] {
				shown.Sub = v.t("return.now", v.formCell(line, now[i]).Text)
			}
			cells = append(cells, shown)
		}
		return cells
	}
	for _, ind := range sheet.ChildIndicators {
		t.Head = append(t.Head, v.headOf(ind.Code))
	}
	for _, c := range sheet.Children {
		first, of := cell{Text: c.Division.Name, Name: true}, c.Division.Code
		if c.Own {
			first.Text, of = v.t("return.own", c.Division.Name), "" // no filter asks for a division's own stations alone
		} else if slices.ContainsFunc(m.Made, func(r report.ReturnRow) bool { return r.Division == of }) {
			first.Href = v.returnLink(schemas.ReturnID{Division: of, Month: m.ID.Month}).Href
		}
		t.Rows = append(t.Rows, row(first, of, c.Figures, live[c.Division.Code]))
	}
	t.Foot = row(cell{Text: v.t("return.total"), Name: true}, m.ID.Division, sheet.Total, m.Live.Total)
	return &t
}

// asOf asks for postings as of a moment; the zero moment is now.
func asOf(t time.Time) []string {
	if t.IsZero() {
		return nil
	}
	return []string{"as_of", t.UTC().Format(time.RFC3339Nano)}
}

// asReturned asks for the postings that a return counts, as of a moment: those of
// the divisions that report to it in its month.
func asReturned(m report.MonthlyReturn, of time.Time) []string {
	out := asOf(of)
	if m.Live.Moved {
		out = append(out, "returns", m.ID.Month.String())
	}
	return out
}

// formCell shows a figure: a number, X or N.
func (v *visit) formCell(line report.FormLine, f report.Figure) formCell {
	if f.Withheld {
		return formCell{Text: v.lettered(f), Class: "absent", Title: v.t("return.mark.withheld")}
	}
	switch f.Status {
	case report.NotAvailable:
		return formCell{Text: string(schemas.MarkNotAvailable), Class: "absent", Title: v.t("return.mark.x")}
	case report.NotApplicable:
		return formCell{Text: string(schemas.MarkNotApplicable), Class: "foreign", Title: v.t("return.mark.n")}
	}
	ind := line.Indicator
	c := formCell{Text: number(scaled(ind, f.Value))}
	if _, parts := ind.Shown(); parts != 1 || ind.Parts > 1 || ind.Divided() {
		c.Text = fixed(scaled(ind, f.Value))
	}
	if f.Value == 0 {
		c.Class = "zero"
	}
	return c
}

// lastMonth stands beside the month on the page; it is no column of the form.
const lastMonth schemas.FormColumn = "before"

// cellDetails is the page of the postings behind a column of a line, as of a
// moment; the zero moment is now.
func (v *visit) cellDetails(m report.MonthlyReturn, line report.FormLine, column schemas.FormColumn, of time.Time) string {
	r := m.Live.Period
	rules := schemas.ReturnRules{PeriodBegins: int(r.From-r.From.Month().First()) + 1}
	switch column {
	case schemas.ColumnYTD:
		r.From, r.To = rules.YearToDate(m.ID.Month)
	case schemas.ColumnLastYear:
		r.From, r.To = rules.Period(m.ID.Month - 12)
	case lastMonth:
		r.From, r.To = rules.Period(m.ID.Month - 1)
	}
	var filter []string
	if line.By != "" {
		filter = []string{string(line.By), line.Value}
	}
	return v.details(schemas.IndicatorCode(strings.Join(codes[string](line.Codes), ",")), m.ID.Division, r, append(filter, asReturned(m, of)...)...)
}

// moveOf is how a line moved since last month: by percent, and percentages by
// points.
func (v *visit) moveOf(line report.FormLine) change {
	none := change{"none", v.t("figure.none")}
	if line.Month.Status != report.Known || line.Before.Status != report.Known || line.Indicator.Kind == schemas.Overdue {
		return none
	}
	d := (line.Month.Value - line.Before.Value) * 100
	text := v.t("change.points", fixed(math.Abs(d)))
	if line.Indicator.Kind != schemas.Ratio {
		part, ok := line.Deviation()
		if !ok {
			return none
		}
		d = part * 100
		text = fixed(math.Abs(d)) + "%"
	}
	switch {
	case math.Abs(d) < 0.05:
		return change{"flat", text}
	case d > 0:
		return change{"up", text}
	}
	return change{"down", text}
}

// columnTitle is the heading of a column in the form.
func (v *visit) columnTitle(form schemas.Form, column schemas.FormColumn) string {
	for _, c := range form.Columns {
		if c.Column == column {
			return c.Title.In(string(v.phrases))
		}
	}
	return string(column)
}

// stepVerbs are the steps of a return; stepTitles their names as done.
var stepVerbs = []string{"submitted", "returned", "accepted", "amended"}

func (p phrases) stepTitle(verb string) string {
	switch verb {
	case "submitted":
		return p.t("return.did.submitted")
	case "returned":
		return p.t("return.did.returned")
	case "accepted":
		return p.t("return.did.accepted")
	}
	return p.t("return.did.amended")
}

// returnHistory is every step with what it froze, the newest first.
func (v *visit) returnHistory(m report.MonthlyReturn) []historyRow {
	var out []historyRow
	for _, step := range slices.Backward(m.Steps) {
		row := historyRow{When: clockSeconds(step.Recorded), What: v.stepTitle(step.Verb), By: step.By, Event: v.link("/events/"+step.Event.String(), "month", ""), Ignored: step.Ignored != (schemas.Text{})}
		if row.Ignored {
			row.Notes = append(row.Notes, v.t("return.ignored", step.Ignored.In(string(v.phrases))))
		}
		if step.Reason != "" {
			row.Notes = append(row.Notes, v.t("return.because", step.Reason))
		}
		if i := slices.IndexFunc(m.Versions, func(f schemas.FrozenReturn) bool { return f.Version == step.Version }); i >= 0 {
			f := m.Versions[i]
			row.Version, row.SHA256 = link{v.t("return.file.frozen", f.Version), returnFilePath(m.ID, f.Version)}, f.SHA256
			if f.Amendment > 0 {
				row.What = v.t("return.did.amended.number", f.Amendment)
				row.Notes = append(row.Notes, v.t("return.changed", number(float64(len(f.Changes)))))
			} else {
				for _, o := range f.Overrides {
					row.Notes = append(row.Notes, v.t("return.override", v.blockerTitle(report.BlockerCode(o.Blocker)), o.Reason))
				}
			}
			row.Notes = append(row.Notes, v.t("return.cut", f.Form, report.Cut{Offsets: f.Cut}.String()))
		}
		out = append(out, row)
	}
	return out
}

// told says what became of a step.
func (v *visit) told(m report.MonthlyReturn, verb, event string) *told {
	again := link{v.t("return.again"), v.here("done", "", "event", "")}
	i := slices.IndexFunc(m.Steps, func(s schemas.ReturnStep) bool { return s.Event.String() == event })
	if i < 0 {
		return &told{"waiting", v.t("return.waiting", v.stepTitle(verb)), again}
	}
	step := m.Steps[i]
	if step.Ignored != (schemas.Text{}) {
		return &told{"failed", v.t("return.no_effect", v.stepTitle(step.Verb), step.Ignored.In(string(v.phrases))), again}
	}
	text := v.t("return.done", v.stepTitle(step.Verb), cmp.Or(step.By, v.t("figure.none")))
	if k := slices.IndexFunc(m.Versions, func(f schemas.FrozenReturn) bool { return f.Version == step.Version }); k >= 0 {
		text += v.t("return.done.frozen", step.Version, m.Versions[k].SHA256)
	}
	return &told{"done", text, again}
}
