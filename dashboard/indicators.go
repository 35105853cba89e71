package dashboard

import (
	"context"

	"zhiban/schemas"
)

// termID is the place of a figure on the page of definitions.
func termID(code schemas.IndicatorCode) string { return "term-" + string(code) }

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
		t.Rows = append(t.Rows, []cell{{Text: ind.Name.In(lang), ID: termID(ind.Code), Name: true}, {Text: ind.Unit.In(lang)}, {Text: v.t("kind." + string(ind.Kind))},
			{Text: ind.Definition.In(lang)}, clause, {Text: string(ind.Code), Muted: true}})
	}
	p := listPage{Heading: v.t("terms.title"), Table: t, Words: []fact{
		{v.t("docs.more"), v.t("docs.title"), v.link("/docs/events")}, {v.t("docs.more"), v.t("api.title"), v.link("/docs/api")}}}
	return page{Template: "list", Title: p.Heading, Menu: "/indicators", Crumbs: []link{{v.t("nav.home"), v.link("/")}, {Text: p.Heading}}, Fixed: true, Body: p}, nil
}
