// Package export turns figures into files: workbooks and slides. It is pure:
// figures in, bytes out; no warehouse, no HTTP, no clock. The same figures
// give the same bytes.
//
// Every file states the moment and the cut of the log its figures are of, and
// the definition and clause of each indicator. Numbers are written as values
// with a number format, never as formulas, so a reader that does not calculate
// sees them; text is written as text: a name that begins with = stays a name.
//
// A figure that is no number is a letter: X is not available, N is not
// applicable; or ＊, when it is not for who asked. Minutes are shown as hours, ratios as percentages.
package export

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/access"
)

// File is a finished document.
type File struct {
	Name string // a proposal, with the extension
	Type string // media type
	Body []byte
}

// The media types of the files.
const (
	XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
)

// shown is how an indicator's figures are presented.
type shown struct {
	unit   string
	scale  float64 // of the figure to the number shown
	digits int     // after the decimal point
	format string  // number format of office programs
}

func showing(ind schemas.Indicator) shown {
	unit, parts := ind.Shown()
	switch {
	case ind.Kind == schemas.Ratio:
		return shown{"%", 1, 1, "0.0%"}
	case parts != 1 || ind.Parts > 1 || ind.Kind == schemas.Mean:
		return shown{unit.ZH, 1 / parts, 1, "#,##0.0"}
	}
	return shown{unit.ZH, 1, 0, "#,##0"}
}

// definition says what an indicator counts, and how it is shown when that is
// not in the catalogue's unit.
func definition(ind schemas.Indicator) string {
	if show := showing(ind); show.unit != ind.Unit.ZH {
		return ind.Definition.ZH + "此处按" + show.unit + "列示。"
	}
	return ind.Definition.ZH
}

// letter is what a cell without a number shows.
func letter(f report.Figure) string {
	switch {
	case f.Withheld:
		return star
	case f.Status == report.NotAvailable:
		return "X"
	case f.Status == report.NotApplicable:
		return "N"
	}
	return ""
}

// star stands for a figure that is not for who asked; where it stands, its legend
// does.
const star = "＊"

var starLegend = fmt.Sprintf("＊＝申诉、控告件数只按已结束的年度显示，不足%d件的不显示。", access.SmallCell)

const legend = "0＝没有发生；X＝不可得（无分母、无记载或尚未到期）；N＝不适用（该项职责当时尚未设立）。"

// clean makes text fit for XML: valid UTF-8 without the control and
// non-characters that XML cannot hold, and without the marks that turn the
// direction of writing.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r == utf8.RuneError, unicode.Is(unicode.Cc, r), unicode.Is(unicode.Bidi_Control, r), r&0xFFFE == 0xFFFE:
			return -1
		}
		return r
	}, s)
}

// fileName joins parts to a name that every system accepts.
func fileName(extension string, parts ...string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, clean(strings.Join(parts, "-")))
	return strings.TrimLeft(name, ". ") + extension
}

func moment(t time.Time) string { return t.In(schemas.Shanghai).Format(time.DateTime) }

func longDay(d schemas.Day) string { return d.Start().Format("2006年1月2日") }

// cutText says which events of the log are in.
func cutText(c report.Cut) string {
	if len(c.Offsets) == 0 {
		return "日志为空"
	}
	return c.String()
}
