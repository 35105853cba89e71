package dashboard

import (
	"context"
	"fmt"
	"slices"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// closePage is the close of a month at a glance: how many stand where, who is
// late, who acts next, and a line for every return.
type closePage struct {
	Heading, Month string
	Period         string // which days, and by which rule
	Filter         filter
	Counters       []counter
	Overdue        []overdueList
	Groups         [][]closeRow // a prefecture with its counties
	Reminders      []reminder
	Reading        string // says that months cannot be closed here
}

// counter is how many returns are in a state.
type counter struct {
	Class, Text, Count string
}

// overdueList names those that a day has passed for.
type overdueList struct {
	Class, Title string
	Returns      []link
}

// closeRow is a return in a list.
type closeRow struct {
	Name      link
	Level     schemas.DivisionLevel
	State     badge
	Overdue   badge
	Due, When string
	Filler    string
	Accepted  string
	Next      string
	Notes     []string
	File      link
}

// badge is a word in a colour. An empty one is none.
type badge struct{ Class, Text string }

// reminder is a text to be copied into a message.
type reminder struct {
	ID, Title, Text string
	Rows            int
}

func (s *Server) closePage(ctx context.Context, v *visit) (page, error) {
	if v.values.Get("month") == "" {
		v.month = schemas.DayOf(v.now).Month() - 1 // the last that is over is what is closed
	}
	division := v.division()
	v.nowOnly()
	if err := v.err(); err != nil {
		return page{}, err
	}
	grid, err := s.read.Returns(ctx, v.scope, division, v.month)
	if err != nil {
		return page{}, fmt.Errorf("returns of %s: %w", v.month, unavailable(err))
	}
	p := closePage{
		Heading: v.t("close.title"), Month: v.month.Title().In(string(v.phrases)), Filter: v.closeFilter(division, s.read.ReturnRules()),
		Period:   v.t("close.period", v.longDay(grid.From), v.longDay(grid.To), grid.Rule.In(string(v.phrases))),
		Counters: v.closeCounters(grid.Rows), Reading: s.readingOnly(v),
	}
	for _, o := range []struct {
		class, title string
		of           []schemas.DivisionCode
	}{{"missing", v.t("close.missing"), grid.Missing}, {"late", v.t("close.late"), grid.Late}} {
		if len(o.of) == 0 {
			continue
		}
		list := overdueList{Class: o.class, Title: v.t("close.list", o.title, number(float64(len(o.of))))}
		for _, d := range o.of {
			list.Returns = append(list.Returns, v.returnLink(schemas.ReturnID{Division: d, Month: v.month}))
		}
		p.Overdue = append(p.Overdue, list)
	}
	var first schemas.DivisionCode // of the group
	for _, r := range grid.Rows {
		if r.Level != schemas.LevelCounty || r.ReportsTo != first {
			first, p.Groups = r.Division, append(p.Groups, nil)
		}
		last := &p.Groups[len(p.Groups)-1]
		*last = append(*last, v.closeRow(r, v.month))
	}
	p.Reminders = v.reminders(grid)
	return page{Template: "returns", Title: v.t("unit.paren", p.Heading, p.Month), Menu: "/returns", Crumbs: v.closeCrumbs(division, ""), Body: p}, nil
}

// nowOnly refuses a past moment: a close is shown as it is. What stood at the
// time is in the frozen versions.
func (v *visit) nowOnly() {
	if text := v.values.Get("as_of"); text != "" {
		v.problem("as_of", text, "problem.now_only")
	}
}

// readingOnly says how to let months be closed, where they cannot be.
func (s *Server) readingOnly(v *visit) string {
	if s.cfg.Append != nil {
		return ""
	}
	return v.t("close.reading")
}

// longDay writes a day as forms do.
func (p phrases) longDay(d schemas.Day) string {
	if p == english {
		return d.String()
	}
	return d.Start().Format("2006年1月2日")
}

// returnsPath is the page of a return.
func returnsPath(id schemas.ReturnID) string {
	return "/returns/" + string(id.Division) + "/" + id.Month.String()
}

func (v *visit) returnLink(id schemas.ReturnID) link {
	return link{schemas.Divisions.Name(id.Division), v.link(returnsPath(id), "month", "", "figure", "", "view", "")}
}

// closeLink is the close of a month below a division.
func (v *visit) closeLink(division schemas.DivisionCode, month schemas.Month) string {
	of := string(division)
	if division == v.home {
		of = ""
	}
	return v.link("/returns", "month", month.String(), "division", of, "figure", "", "view", "")
}

// closeCrumbs lead from the province's close to that of a division. Counties
// have none: there is nothing below them.
func (v *visit) closeCrumbs(division schemas.DivisionCode, last string) []link {
	out := []link{{v.t("close.title"), v.closeLink(v.home, v.month)}}
	for _, d := range schemas.Divisions.Path(division) {
		switch {
		case d.Code == v.home || v.toDivision(d.Code) == "":
		case d.Level == schemas.LevelPrefecture:
			out = append(out, link{d.Name, v.closeLink(d.Code, v.month)})
		case d.Level == schemas.LevelCounty && last == "":
			out = append(out, link{Text: d.Name})
		}
	}
	if last != "" {
		return append(out, link{Text: last})
	}
	out[len(out)-1].Href = ""
	return out
}

// closeFilter asks for the month and for whose close.
func (v *visit) closeFilter(division schemas.DivisionCode, rules *schemas.ReturnRules) filter {
	months := choiceField{Name: "month", Label: v.t("filter.month")}
	last := max(v.month, schemas.DayOf(v.now).Month())
	for m := last; m >= min(v.month, last-monthsBack); m-- {
		months.Options = append(months.Options, choiceOption{m.String(), m.Title().In(string(v.phrases)), m == v.month})
	}
	divisions := choiceField{Name: "division", Label: v.t("filter.division"), Options: []choiceOption{{"", schemas.Divisions.Name(v.home), division == v.home}}}
	for _, id := range rules.MadeOf(schemas.ReturnID{Division: v.home, Month: v.month}) {
		divisions.Options = append(divisions.Options, choiceOption{string(id.Division), schemas.Divisions.Name(id.Division), id.Division == division})
	}
	f := filter{Action: "/returns", Selects: []choiceField{months, divisions}}
	f.Previous = &link{v.t("filter.previous"), v.here("month", (v.month - 1).String())}
	if v.month < schemas.DayOf(v.now).Month() {
		f.Next = &link{v.t("filter.next"), v.here("month", (v.month + 1).String())}
	}
	if string(v.phrases) != chinese {
		f.Hidden = append(f.Hidden, textField{Name: "lang", Value: string(v.phrases)})
	}
	return f
}

// returnStates are the states in the order of the close.
var returnStates = []schemas.ReturnState{schemas.ReturnOpen, schemas.ReturnIsIn, schemas.ReturnSentBack, schemas.ReturnClosed, schemas.ReturnIsAmended}

func (v *visit) closeCounters(rows []report.ReturnRow) []counter {
	count := func(class, text string, is func(report.ReturnRow) bool) counter {
		n := 0
		for _, r := range rows {
			if is(r) {
				n++
			}
		}
		return counter{class, text, number(float64(n))}
	}
	out := []counter{count("all", v.t("close.all"), func(report.ReturnRow) bool { return true })}
	for _, s := range returnStates {
		b := v.returnState(s)
		out = append(out, count(b.Class, b.Text, func(r report.ReturnRow) bool { return r.State == s }))
	}
	return append(out,
		count("missing", v.t("close.missing"), func(r report.ReturnRow) bool { return r.Missing }),
		count("late", v.t("close.late"), func(r report.ReturnRow) bool { return r.Late }))
}

func (v *visit) returnState(s schemas.ReturnState) badge {
	return badge{string(s), s.Title().In(string(v.phrases))}
}

// overdue says that a return's day has passed.
func (v *visit) overdue(r report.ReturnRow) badge {
	switch {
	case r.Missing:
		return badge{"missing", v.t("close.missing")}
	case r.Late:
		return badge{"late", v.t("close.late")}
	}
	return badge{}
}

func (v *visit) closeRow(r report.ReturnRow, month schemas.Month) closeRow {
	id := schemas.ReturnID{Division: r.Division, Month: month}
	row := closeRow{Name: v.returnLink(id), Level: r.Level, State: v.returnState(r.State), Overdue: v.overdue(r), Due: r.Due.String(),
		Filler: v.orNone(r.Filler), When: v.t("figure.none"), Accepted: v.t("figure.none"), Next: v.nextStep(r)}
	if r.Submitted != nil {
		row.When = clock(*r.Submitted)
	}
	if r.State.Final() && r.Accepted != nil {
		row.Accepted = v.t("close.signed", clock(*r.Accepted), r.Signer)
	}
	if r.State == schemas.ReturnSentBack {
		row.Notes = append(row.Notes, v.t("close.because", r.Reason))
	}
	if r.Amendments > 0 {
		row.Notes = append(row.Notes, v.t("close.amendments", number(float64(r.Amendments))))
	}
	if r.Overrides > 0 {
		row.Notes = append(row.Notes, v.t("close.overrides", number(float64(r.Overrides))))
	}
	if len(r.Stale) > 0 {
		row.Notes = append(row.Notes, v.t("close.stale", v.names(r.Stale)))
	}
	if r.Version > 0 {
		row.File = link{v.t("close.version", r.Version), returnFilePath(id, r.Version)}
	}
	return row
}

func returnFilePath(id schemas.ReturnID, version int) string {
	return fmt.Sprintf("%s.xlsx?version=%d", returnPath(id), version)
}

// nextStep says who acts next, and how.
func (v *visit) nextStep(r report.ReturnRow) string {
	name := schemas.Divisions.Name(r.Division)
	switch r.State {
	case schemas.ReturnOpen:
		return v.t("close.next.fill", name)
	case schemas.ReturnSentBack:
		return v.t("close.next.mend", name)
	case schemas.ReturnIsIn:
		if r.ReportsTo != "" {
			name = schemas.Divisions.Name(r.ReportsTo)
		}
		return v.t("close.next.review", name)
	}
	return v.t("figure.none")
}

// names lists divisions by their names.
func (v *visit) names(divisions []schemas.DivisionCode) string {
	var out []string
	for _, d := range divisions {
		out = append(out, schemas.Divisions.Name(d))
	}
	return v.enumerate(out)
}

// reminders are the messages to send: to those whose day has passed, then to
// those whose day comes, by day.
func (v *visit) reminders(g report.CloseGrid) []reminder {
	var out []reminder
	add := func(title, text string) {
		out = append(out, reminder{fmt.Sprintf("reminder-%d", len(out)+1), title, text, 2 + len([]rune(text))/70})
	}
	due := map[schemas.Day][]schemas.DivisionCode{}
	var days []schemas.Day
	for _, r := range g.Rows {
		if r.Missing {
			if due[r.Due] == nil {
				days = append(days, r.Due)
			}
			due[r.Due] = append(due[r.Due], r.Division)
		}
	}
	slices.Sort(days)
	month := v.month.Title().In(string(v.phrases))
	for _, day := range days {
		add(v.t("close.reminder.passed", v.longDay(day)), v.t("close.reminder.passed.text", month, v.longDay(day), v.names(due[day])))
	}
	for _, r := range g.Reminders {
		left := v.t("close.reminder.days", number(float64(r.DaysLeft)))
		if r.DaysLeft == 0 {
			left = v.t("close.reminder.today")
		}
		add(v.t("close.reminder.due", v.longDay(r.Due), left, number(float64(len(r.Divisions)))), v.t("close.reminder.text", month, v.longDay(r.Due), v.names(r.Divisions)))
	}
	return out
}
