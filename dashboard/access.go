package dashboard

import (
	"cmp"
	"context"
	"net/http"

	"zhiban/dashboard/assets"
	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/audit"
)

// Rules says of every route of the dashboard who may call it, by method and
// template. Scopes are report's: what lies outside one is not found.
func Rules() map[string]access.Rule {
	rules := map[string]access.Rule{}
	add := func(rule access.Rule, routes ...string) {
		for _, route := range routes {
			rules[route] = rule
		}
	}
	export := func(p access.Permission) access.Rule { return access.Rule{May: p, Audit: "export"} }

	add(access.Rule{May: access.Public}, "GET /healthz", "GET /readyz", "GET "+assets.Prefix+"{name:.*}")
	add(access.Rule{May: access.Monitor}, "GET /metrics")
	// The front page leads everyone to what is theirs; the documents hold no data.
	add(access.Rule{May: access.Own}, "GET /", "GET "+indicatorsPath, "GET /indicators", "GET /docs/events", "GET /docs/events/{type:[a-z0-9_.]+}.schema.json", "GET /docs/api",
		"GET /api/openapi.json", "GET /api/openapi.yaml", "GET /api/openapi-3.0.json", "GET /api/openapi-3.0.yaml", "GET /api/v1/indicators", "GET /api/v1/status")

	add(access.Rule{May: access.ReadFigures}, "GET /divisions/{code}", "GET /stations/{code}", "GET /returns", "GET "+returnRoute,
		"GET /api/v1/statistics", "GET /api/v1/stations", "GET /api/v1/returns", "GET "+returnAPI)
	add(export(access.ReadFigures), "GET "+returnAPI+".xlsx", "GET /api/v1/slides")
	add(access.Rule{May: access.ReadDetails}, "GET /details", "GET /events/{id}", "GET /ledger",
		"GET /api/v1/postings", "GET /api/v1/events/{id}", "GET /api/v1/effective-events", "POST /api/v1/effective-events", "GET /api/v1/open-cases")
	add(export(access.ReadDetails), "GET /api/v1/postings.csv", "GET /api/v1/postings.xlsx")
	add(access.Rule{May: access.ReadLawyers}, "GET /lawyers", "GET /lawyers/{licence}", "GET /api/v1/lawyers")
	add(export(access.ReadLawyers), "GET /api/v1/lawyers/{licence}/record", "GET /api/v1/lawyers/{licence}/record.xlsx")
	add(access.Rule{May: access.ReadQuality}, "GET /quality", "GET /verification", "GET /parked", "GET /parked/{partition:[0-9]{1,5}}/{offset:[0-9]{1,18}}",
		"GET /api/v1/quality", "GET /api/v1/verifications", "GET /api/v1/verifications/latest")
	add(access.Rule{May: access.Replay, Audit: "replay"}, "POST /parked")
	add(access.Rule{May: access.ReadAudit, Audit: audit.ReadTrail}, "GET /audit", "GET /api/v1/audit")
	add(export(access.ReadAudit), "GET /api/v1/audit.csv")
	// Whose text it was is recorded where it is opened.
	add(access.Rule{May: access.Unseal}, "POST "+ledgerRoute)
	// Which step it was, and of what, is recorded where it is taken.
	add(access.Rule{May: access.CloseMonth}, "POST "+returnRoute, "POST "+returnAPI+"/submit", "POST "+returnAPI+"/return", "POST "+returnAPI+"/accept", "POST "+returnAPI+"/amend")
	return rules
}

// returnAPI is the address of a return in the API.
const returnAPI = "/api/v1/returns/{division}/{month}"

// scopeOf is what the one who stands behind a request may see.
func scopeOf(ctx context.Context) report.Scope { return access.From(ctx).Scope }

// start is the page that an identity begins at.
func start(i access.Identity) string {
	switch {
	case !i.May(access.ReadFigures) && i.May(access.ManageAccounts):
		return "/accounts"
	case i.Scope.Station != "":
		return stationPath(i.Scope.Station)
	}
	return divisionPath(report.Home(i.Scope))
}

// front is the province's page, and leads those elsewhere who begin there.
func (s *Server) front() http.Handler {
	province := s.page(s.provincePage)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := newVisit(r, s.now())
		to := start(v.who)
		if to == "/" || v.home == "" && v.scope.Station == "" && to != "/accounts" {
			province.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, v.link(to), http.StatusSeeOther)
	})
}

// toDivision is the address of a division's page; none where it is out of the
// visitor's reach.
func (v *visit) toDivision(code schemas.DivisionCode) string {
	if v.scope.Station != "" || !schemas.Divisions.Within(code, v.home) {
		return ""
	}
	return v.link(divisionPath(code))
}

// toLawyer is the address of a lawyer's page; none for who may not read it.
func (v *visit) toLawyer(licence string, pairs ...string) string {
	if !v.who.May(access.ReadLawyers) {
		return ""
	}
	return v.link(lawyerPath(licence), pairs...)
}

// signer is the name under which an identity signs.
func signer(i access.Identity) string { return cmp.Or(i.Title, i.Account) }
