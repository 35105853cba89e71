package dashboard

import (
	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/access"
)

// table is the form that every table of the pages has.
type table struct {
	ID      string
	Caption string
	Class   string
	Groups  []cell // above the heads, when some belong together
	Head    []cell
	Rows    [][]cell
	Foot    []cell
}

// cell is a cell: words or a figure, perhaps with a link.
type cell struct {
	Text  string
	ID    string // where a link to the row leads
	Href  string
	Title string   // what a link's figure alone does not say
	Mark  string   // name of the chart's mark that leads to Href too
	Name  bool     // heads its row
	Num   bool     // a figure, aligned to the right
	Move  change   // a change instead of words
	Bar   int      // length of a bar under the figure, 0 to 100
	Sub   string   // a second, smaller word
	Lines []string // of a day in the calendar
	Sort  string   // how the column is sorted: ascending, descending
	Span  int      // columns of a group
	Muted bool
}

func head(text string) cell { return cell{Text: text} }

func headNum(text string) cell { return cell{Text: text, Num: true} }

// headOf heads an indicator's column: its name, and its unit below.
func (v *visit) headOf(code schemas.IndicatorCode) cell {
	ind, err := schemas.Indicators.Lookup(code)
	if err != nil {
		return headNum(string(code))
	}
	return cell{Text: ind.Name.In(string(v.phrases)), Sub: v.unit(ind), Num: true}
}

// figure is a cell with a figure that leads to its postings. A figure of
// nothing leads nowhere.
func (v *visit) figure(code schemas.IndicatorCode, value *float64, division schemas.DivisionCode, r report.Range, filter ...string) cell {
	c := cell{Text: v.amount(code, value).Text, Num: true}
	if report.Suppressed(v.scope, code) { // its records are not for this visitor either
		if value == nil {
			c.Text, c.Title = "＊", v.t("figure.small", access.SmallCell)
		}
		return c
	}
	if value != nil && *value != 0 {
		c.Href = v.details(code, division, r, filter...)
	}
	return c
}

// moved is a cell with a change.
func (v *visit) moved(code schemas.IndicatorCode, now, base *float64) cell {
	return cell{Move: v.change(code, now, base), Num: true}
}

// zero is what an indicator amounts to where nothing was posted: 0, or not
// available for a ratio.
func zero(code schemas.IndicatorCode, value *float64) *float64 {
	if value == nil && code != schemas.Complaints { // of which none is a figure that may not be seen
		if ind, err := schemas.Indicators.Lookup(code); err == nil && !ind.Divided() {
			return new(float64)
		}
	}
	return value
}
