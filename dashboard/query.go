package dashboard

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// problem is one thing that is wrong with a request's query string.
type problem struct {
	Param, Value string
	text         func(phrases) string
}

// problems is everything that is wrong with a request, found at once.
type problems []problem

func (p problems) Error() string {
	parts := make([]string, len(p))
	for i, b := range p {
		parts[i] = b.Param + ": " + b.text(english)
	}
	return strings.Join(parts, "; ")
}

// queryReader takes a query string apart into types. It keeps every problem,
// so that the asker can mend all of them at once.
type queryReader struct {
	values url.Values
	home   schemas.DivisionCode // the division when none is named; the province when empty
	known  []string
	bad    problems
}

func (q *queryReader) problem(param, value, key string, args ...any) {
	q.bad = append(q.bad, problem{param, value, func(p phrases) string {
		words := slices.Clone(args)
		for i, a := range words {
			if list, ok := a.([]string); ok {
				words[i] = p.enumerate(list)
			}
		}
		return p.t(key, words...)
	}})
}

// text is the value of a parameter, "" when it is not there.
func (q *queryReader) text(param string) string {
	q.known = append(q.known, param)
	v := q.values[param]
	switch {
	case len(v) == 0:
		return ""
	case len(v) > 1:
		q.problem(param, strings.Join(v, ","), "problem.repeated")
		return ""
	case len(v[0]) > maxText:
		q.problem(param, v[0][:64]+"…", "problem.text", maxText)
		return ""
	}
	return strings.TrimSpace(v[0])
}

// maxText bounds a parameter's length.
const maxText = 4096

// list is a comma-separated parameter; every value must pass check.
func (q *queryReader) list(param string, check func(string) bool, key string, args ...any) []string {
	text := q.text(param)
	if text == "" {
		return nil
	}
	var out []string
	for v := range strings.SplitSeq(text, ",") {
		v = strings.TrimSpace(v)
		switch {
		case v == "":
		case slices.Contains(out, v):
			q.problem(param, v, "problem.twice")
		case !check(v):
			q.problem(param, v, key, args...)
		default:
			out = append(out, v)
		}
	}
	return out
}

// choice is a parameter of a closed set; the first value is the default.
func (q *queryReader) choice(param string, allowed ...string) string {
	v := q.text(param)
	if v == "" {
		return allowed[0]
	}
	if !slices.Contains(allowed, v) {
		q.problem(param, v, "problem.choice", allowed)
		return allowed[0]
	}
	return v
}

// oneOf is a parameter of a closed set, "" when it is not there.
func (q *queryReader) oneOf(param string, allowed []string) string {
	v := q.text(param)
	if v != "" && !slices.Contains(allowed, v) {
		q.problem(param, v, "problem.choice", allowed)
		return ""
	}
	return v
}

// day is a calendar day, 0 when it is not there.
func (q *queryReader) day(param string) schemas.Day {
	text := q.text(param)
	if text == "" {
		return 0
	}
	day, err := schemas.ParseDay(text)
	switch {
	case err != nil:
		q.problem(param, text, "problem.day")
	case day < firstDay || day > lastDay:
		q.problem(param, text, "problem.span")
	default:
		return day
	}
	return 0
}

// The days that may be asked for.
var (
	firstDay = schemas.Date(2000, time.January, 1)
	lastDay  = schemas.Date(2100, time.December, 31)
)

// month is a calendar month, 0 when it is not there.
func (q *queryReader) month(param string) schemas.Month {
	text := q.text(param)
	if text == "" {
		return 0
	}
	month, err := schemas.ParseMonth(text)
	if err != nil {
		q.problem(param, text, "problem.month")
		return 0
	}
	if month.First() < firstDay || month.Last() > lastDay {
		q.problem(param, text, "problem.span")
		return 0
	}
	return month
}

// number is a whole number from low to high, otherwise when it is not there.
func (q *queryReader) number(param string, otherwise, low, high int) int {
	text := q.text(param)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		q.problem(param, text, "problem.number", low, high)
		return otherwise
	}
	return n
}

// year is a calendar year.
func (q *queryReader) year(param string, otherwise int) int {
	text := q.text(param)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 2000 || n > 2100 {
		q.problem(param, text, "problem.year")
		return otherwise
	}
	return n
}

// moment is the parameter as_of: RFC 3339, or a day that stands for its end. The zero time is now.
func (q *queryReader) moment() time.Time {
	text := q.text("as_of")
	if text == "" {
		return time.Time{}
	}
	if day, err := schemas.ParseDay(text); err == nil {
		return endOf(day)
	}
	// In a query string a plus sign that was not escaped arrives as a space.
	at, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1))
	if err != nil {
		q.problem("as_of", text, "problem.moment")
		return time.Time{}
	}
	return at
}

// endOf is the last moment of a day, at the log's resolution.
func endOf(day schemas.Day) time.Time { return (day + 1).Start().Add(-time.Millisecond) }

// division is the parameter of that name: a code of the register, the asker's own when it is not there.
func (q *queryReader) division() schemas.DivisionCode {
	code := schemas.DivisionCode(cmp.Or(q.text("division"), string(q.home), string(schemas.Province)))
	if _, ok := schemas.Divisions.Get(code); !ok {
		q.problem("division", string(code), "problem.division")
	}
	return code
}

// station is the parameter of that name, which has to be there.
func (q *queryReader) station() schemas.StationCode {
	text := q.text("station")
	code, err := schemas.ParseStationCode(text)
	if err != nil {
		q.problem("station", text, "problem.station")
	}
	return code
}

// source is the parameter of that name, a station or a division.
func (q *queryReader) source() schemas.Source {
	text := q.text("source")
	if code, err := schemas.ParseStationCode(text); err == nil {
		return schemas.Source{Station: code, Division: code.Division()}
	}
	division := schemas.DivisionCode(text)
	if _, ok := schemas.Divisions.Get(division); !ok {
		q.problem("source", text, "problem.division")
	}
	return schemas.Source{Division: division}
}

// indicators are codes of the catalogue.
func (q *queryReader) indicators(param string, otherwise []schemas.IndicatorCode) []schemas.IndicatorCode {
	var all []string
	for _, ind := range schemas.Indicators.All() {
		all = append(all, string(ind.Code))
	}
	names := q.list(param, func(v string) bool { return slices.Contains(all, v) }, "problem.indicator", all)
	if names == nil {
		return otherwise
	}
	return codes[schemas.IndicatorCode](names)
}

// filters are the dimensions that narrow a figure.
func (q *queryReader) filters() map[report.Dimension][]string {
	out := map[report.Dimension][]string{}
	for _, d := range filterDimensions {
		param := string(d)
		var values []string
		switch allowed := valueCodes(closed[param]); {
		case d == report.ByStation:
			values = q.list(param, func(v string) bool { _, err := schemas.ParseStationCode(v); return err == nil }, "problem.station")
		case d == report.ByLawyer:
			values = q.list(param, func(v string) bool { _, err := schemas.ParseLicence(v); return err == nil }, "problem.licence")
		case allowed != nil:
			values = q.list(param, func(v string) bool { return slices.Contains(allowed, v) }, "problem.choice", allowed)
		default:
			values = q.list(param, func(string) bool { return true }, "")
		}
		if values != nil {
			out[d] = values
		}
	}
	return out
}

func valueCodes(values []report.Value) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.Code)
	}
	return out
}

// filterDimensions can narrow a figure; with the division and the spans of time
// they can also split it.
var (
	filterDimensions = []report.Dimension{report.ByStation, report.ByStationKind, report.ByLawyer, report.ByFirm,
		report.ByMode, report.ByChannel, report.ByPersonRole, report.ByOrgan}
	splitDimensions = append([]report.Dimension{report.ByDivision, report.ByCounty, report.ByDay, report.ByMonth, report.ByQuarter, report.ByYear}, filterDimensions...)
)

// defaultIndicators are the figures of an answer that named none.
var defaultIndicators = []schemas.IndicatorCode{
	schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.PersonsConsulted,
	schemas.ApplicationsReceived, schemas.ApplicationsTransferred, schemas.TransferredWithin24h,
	schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsLate, schemas.NotificationsUnevid, schemas.NotificationsOverdue,
}

// query reads the parameters that statistics and postings share. Without from
// and to it is the month of the moment asked for, up to its day.
func (q *queryReader) query(now time.Time) report.Query {
	r := report.Query{
		Division:   q.division(),
		Indicators: q.indicators("indicator", defaultIndicators), AsOf: q.moment(),
		View: schemas.DivisionView(q.choice("view", string(schemas.ViewThen), string(schemas.ViewNow))), Filter: q.filters(),
	}
	q.span(&r, now)
	return r
}

// span reads the days of a question, and says what they are when they were left
// out.
func (q *queryReader) span(r *report.Query, now time.Time) {
	if r.From, r.To = q.day("from"), q.day("to"); r.To == 0 {
		r.To = max(dayAsked(r.AsOf, now), r.From)
	}
	if r.From == 0 {
		r.From = r.To.Month().First()
	}
	if r.From > r.To {
		q.problem("from", r.From.String(), "problem.order", r.From.String(), r.To.String())
	}
}

// dayAsked is the day of the moment asked for; the zero moment is now.
func dayAsked(asOf, now time.Time) schemas.Day {
	if asOf.IsZero() || asOf.After(now) {
		return schemas.DayOf(now)
	}
	return schemas.DayOf(asOf)
}

// by are the dimensions that split the answer, in the order asked for.
func (q *queryReader) by() []report.Dimension {
	allowed := codes[string](splitDimensions)
	return codes[report.Dimension](q.list("by", func(v string) bool { return slices.Contains(allowed, v) }, "problem.choice", allowed))
}

// comparisons are what the figures are compared with.
func (q *queryReader) comparisons() []report.Comparison {
	allowed := codes[string](report.Comparisons)
	return codes[report.Comparison](q.list("compare", func(v string) bool { return slices.Contains(allowed, v) }, "problem.choice", allowed))
}

// event is an event's id.
func (q *queryReader) event(param, text string) schemas.EventID {
	id, err := uuid.Parse(text)
	if err != nil || len(text) != 36 {
		q.problem(param, text, "problem.event")
	}
	return id
}

// err ends the reading: it adds the parameters that nothing asked for, and is
// nil when nothing is wrong.
func (q *queryReader) err() error {
	for param := range q.values {
		if !slices.Contains(q.known, param) {
			q.problem(param, strings.Join(q.values[param], ","), "problem.unknown", q.known)
		}
	}
	if len(q.bad) == 0 {
		return nil
	}
	slices.SortStableFunc(q.bad, func(a, b problem) int { return cmp.Compare(a.Param, b.Param) })
	return q.bad
}

// codes turns strings of one type into another's.
func codes[To, From ~string](in []From) []To {
	if in == nil {
		return nil
	}
	out := make([]To, len(in))
	for i, v := range in {
		out[i] = To(v)
	}
	return out
}
