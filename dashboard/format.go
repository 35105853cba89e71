package dashboard

import (
	"math"
	"strconv"
	"strings"
	"time"

	"zhiban/schemas"
)

// number writes a figure as readers do: thousands separators, at most one
// decimal.
func number(v float64) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', 1, 64)
	whole, frac, _ := strings.Cut(s, ".")
	var b strings.Builder
	if v < 0 && s != "0.0" {
		b.WriteString("−") // U+2212, as wide as a digit
	}
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if frac != "0" {
		b.WriteString("." + frac)
	}
	return b.String()
}

// amount is a figure with its unit, ready to be shown.
type amount struct{ Text, Unit string }

// amount shows an indicator's value: minutes as hours, ratios as percent, "—"
// when not available.
func (p phrases) amount(code schemas.IndicatorCode, v *float64) amount {
	ind, err := schemas.Indicators.Lookup(code)
	if err != nil {
		return amount{Text: p.t("figure.none")}
	}
	a := amount{p.t("figure.none"), p.unit(ind)}
	if v != nil {
		a.Text = number(scaled(ind, *v))
		if _, parts := ind.Shown(); parts != 1 || ind.Parts > 1 || ind.Divided() {
			a.Text = fixed(scaled(ind, *v))
		}
	}
	return a
}

// fixed is number with its one decimal always there, so that columns align.
func fixed(v float64) string {
	s := number(v)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// scaled is a value in the unit that pages show.
func scaled(ind schemas.Indicator, v float64) float64 {
	if ind.Kind == schemas.Ratio {
		return v * 100
	}
	_, parts := ind.Shown()
	return v / parts
}

// unit is the unit that pages show an indicator in.
func (p phrases) unit(ind schemas.Indicator) string {
	unit, _ := ind.Shown()
	return unit.In(string(p))
}

// indicator is the name of a figure.
func (p phrases) indicator(code schemas.IndicatorCode) string {
	ind, err := schemas.Indicators.Lookup(code)
	if err != nil {
		return string(code)
	}
	return ind.Name.In(string(p))
}

// titled is an indicator's name with its unit in brackets.
func (p phrases) titled(code schemas.IndicatorCode) string {
	ind, err := schemas.Indicators.Lookup(code)
	if err != nil {
		return string(code)
	}
	return p.t("unit.paren", ind.Name.In(string(p)), p.unit(ind))
}

// change is how a figure moved: Way is up, down, flat, or none when there is
// nothing to compare with.
type change struct{ Way, Text string }

// change compares two values: by percent, and percentages by points.
func (p phrases) change(code schemas.IndicatorCode, now, base *float64) change {
	ind, err := schemas.Indicators.Lookup(code)
	if err != nil || now == nil || base == nil || ind.Kind == schemas.Overdue || ind.Kind != schemas.Ratio && *base == 0 {
		return change{"none", p.t("figure.none")}
	}
	d := (*now - *base) * 100
	if ind.Kind != schemas.Ratio {
		d /= *base
	}
	text := fixed(math.Abs(d)) + "%"
	if ind.Kind == schemas.Ratio {
		text = p.t("change.points", fixed(math.Abs(d)))
	}
	switch {
	case math.Abs(d) < 0.05:
		return change{"flat", text}
	case d > 0:
		return change{"up", text}
	}
	return change{"down", text}
}

// share is a part of a whole in percent.
func (p phrases) share(part, whole float64) string {
	if whole == 0 {
		return p.t("figure.none")
	}
	return fixed(part/whole*100) + "%"
}

// clock writes a moment in Beijing time to the minute.
func clock(t time.Time) string { return t.In(schemas.Shanghai).Format("2006-01-02 15:04") }

// clockSeconds writes a moment in Beijing time to the second.
func clockSeconds(t time.Time) string { return t.In(schemas.Shanghai).Format(time.DateTime) }
