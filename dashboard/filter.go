package dashboard

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"zhiban/schemas"
)

// filter is the form above the figures. Everything it sets stands in the
// address.
type filter struct {
	Action   string
	Selects  []choiceField
	AsOf     *textField
	Searches []textField
	Dates    []textField
	Hidden   []textField
	Previous *link
	Next     *link
}

type choiceField struct {
	Name, Label string
	Options     []choiceOption
}

type choiceOption struct {
	Value, Text string
	Selected    bool
}

type textField struct{ Name, Label, Type, Value, Hint string }

// monthsBack is how many months the form offers.
const monthsBack = 36

// monthFilter asks for month, main figure, tree of divisions and moment.
func (v *visit) monthFilter() filter {
	months := choiceField{Name: "month", Label: v.t("filter.month")}
	last := max(v.month, schemas.DayOf(v.now).Month())
	first := min(v.month, last-monthsBack)
	for m := last; m >= first; m-- {
		months.Options = append(months.Options, choiceOption{m.String(), m.Title().In(string(v.phrases)), m == v.month})
	}
	figures := choiceField{Name: "figure", Label: v.t("filter.figure")}
	for _, code := range mainFigures {
		figures.Options = append(figures.Options, choiceOption{string(code), v.indicator(code), code == v.main})
	}
	f := filter{Action: v.request.URL.Path, Selects: []choiceField{months, figures}}
	f.Previous = &link{v.t("filter.previous"), v.here("month", (v.month - 1).String())}
	if v.month < schemas.DayOf(v.now).Month() {
		f.Next = &link{v.t("filter.next"), v.here("month", (v.month + 1).String())}
	}
	v.momentFields(&f)
	return f
}

// momentFields asks for the tree of divisions and the moment.
func (v *visit) momentFields(f *filter) {
	f.Selects = append(f.Selects, choiceField{Name: "view", Label: v.t("filter.view"), Options: []choiceOption{
		{string(schemas.ViewThen), v.t("filter.view.then"), v.view == schemas.ViewThen},
		{string(schemas.ViewNow), v.t("filter.view.now"), v.view == schemas.ViewNow},
	}})
	text := v.values.Get("as_of")
	f.AsOf = &textField{"as_of", v.t("filter.as_of"), "date", text, v.t("filter.as_of.hint")}
	if len(text) != len(time.DateOnly) && text != "" {
		f.AsOf.Type = "text" // a moment within a day has no place in a field of dates
	}
	if string(v.phrases) != chinese {
		f.Hidden = append(f.Hidden, textField{Name: "lang", Value: string(v.phrases)})
	}
}

// yearOptions offers the years since the rules.
func (v *visit) yearOptions(year int) choiceField {
	f := choiceField{Name: "year", Label: v.t("filter.year")}
	for y := max(year, schemas.DayOf(v.now).Year()); y >= min(year, 2018); y-- {
		f.Options = append(f.Options, choiceOption{strconv.Itoa(y), v.t("year", y), y == year})
	}
	return f
}

// fileLink is the address of a file, as of the moment of the page.
func fileLink(path string, asOf time.Time) string {
	if asOf.IsZero() {
		return path
	}
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return path + sep + "as_of=" + url.QueryEscape(asOf.Format(time.RFC3339Nano))
}
