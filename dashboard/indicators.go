package dashboard

import (
	"context"
	"net/http"
	"net/url"

	"zhiban/schemas"
)

// indicatorsPath is the page of definitions.
const indicatorsPath = "/docs/indicators"

// movedIndicators leads from where the page of definitions once was.
func movedIndicators(w http.ResponseWriter, r *http.Request) {
	to := url.URL{Path: indicatorsPath, RawQuery: r.URL.RawQuery}
	http.Redirect(w, r, to.String(), http.StatusMovedPermanently)
}

// termID is the place of a figure on the page of definitions.
func termID(code schemas.IndicatorCode) string { return "term-" + string(code) }

// computed says which figures a figure is computed from; empty for those that are
// posted themselves.
func (v *visit) computed(ind schemas.Indicator) string {
	of := v.indicator(ind.Of)
	switch {
	case ind.Of == "":
		return ""
	case len(ind.With) > 0:
		var all []string
		for _, code := range ind.Sources() {
			all = append(all, v.indicator(code))
		}
		return "← " + v.enumerate(all)
	case ind.Kind == schemas.Percentile:
		return fixed(ind.Quantile*100) + "% ← " + of
	case ind.Over == "":
		return "← " + of
	case ind.Rest:
		return "1 − " + of + " ÷ " + v.indicator(ind.Over)
	}
	return of + " ÷ " + v.indicator(ind.Over)
}

// indicatorsPage lists what every figure means.
func (s *Server) indicatorsPage(_ context.Context, v *visit) (page, error) {
	if err := v.err(); err != nil {
		return page{}, err
	}
	t := table{ID: "terms", Class: "list terms", Caption: v.t("terms.caption"), Head: []cell{
		head(v.t("terms.name")), head(v.t("terms.unit")), head(v.t("terms.kind")), head(v.t("terms.def")), head(v.t("terms.clause")), head(v.t("terms.code"))}}
	for _, ind := range schemas.Indicators.All() {
		lang := string(v.phrases)
		clause := cell{Text: ind.Clause}
		if ind.Effective != 0 {
			clause.Sub = v.t("terms.since", ind.Effective.String())
		}
		t.Rows = append(t.Rows, []cell{{Text: ind.Name.In(lang), ID: termID(ind.Code), Name: true}, {Text: ind.Unit.In(lang)}, {Text: v.t("kind." + string(ind.Kind)), Sub: v.computed(ind)},
			{Text: ind.Definition.In(lang)}, clause, {Text: string(ind.Code), Muted: true}})
	}
	p := listPage{Heading: v.t("terms.title"), Table: t, Words: []fact{
		{v.t("docs.more"), v.t("docs.title"), v.link("/docs/events")}, {v.t("docs.more"), v.t("api.title"), v.link("/docs/api")}}}
	return page{Template: "list", Title: p.Heading, Menu: indicatorsPath, Crumbs: []link{{v.t("nav.home"), v.link("/")}, {Text: p.Heading}}, Fixed: true, Body: p}, nil
}
