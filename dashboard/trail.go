package dashboard

import (
	"context"
	"fmt"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"zhiban/dashboard/export"
	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/audit"
)

// auditActions are the actions that the platform records, in the order of the
// form. Those that are constants of package audit are named there; the login
// makes others of the act on an account or a token.
var auditActions = []string{audit.Login, audit.LoginFailed, audit.Logout, audit.Denied, audit.Export, audit.Unseal, audit.Erase, audit.Replay,
	audit.MonthSubmit, audit.MonthReturn, audit.MonthAccept, audit.MonthAmend, audit.ReadTrail,
	"account-create", "account-link", "account-disable", "account-enable", "account-password", "token-create", "token-revoke", "unreadable"}

var auditOutcomes = []string{"done", "allowed", "refused", "failed"}

// trail reads which records of the audit trail are asked for.
func (q *queryReader) trail() report.AuditFilter {
	f := report.AuditFilter{From: q.day("from"), To: q.day("to"), Account: q.text("account"), Action: q.oneOf("action", auditActions),
		Outcome: q.oneOf("outcome", auditOutcomes), Object: q.text("object")}
	if f.From != 0 && f.To != 0 && f.From > f.To {
		q.problem("from", f.From.String(), "problem.order", f.From.String(), f.To.String())
	}
	return f
}

// auditPage shows who did and saw what.
func (s *Server) auditPage(ctx context.Context, v *visit) (page, error) {
	f := v.trail()
	offset := v.number("offset", 0, 0, 1_000_000_000)
	if err := v.err(); err != nil {
		return page{}, err
	}
	found, err := s.read.AuditTrail(ctx, f, offset, perPage)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("audit trail: %w", err))
	}
	p := listPage{Heading: v.t("audit.title"), Intro: v.t("audit.intro"), Empty: v.t("audit.none"), Filter: v.trailFilter(f), Count: v.t("audit.count", number(float64(found.Total))),
		CSV: "/api/v1/audit.csv"}
	if query := apiQuery(v.values); query != "" {
		p.CSV += "?" + query
	}
	p.Table = table{ID: "audit", Class: "list", Caption: v.t("audit.caption")}
	for _, key := range []string{"audit.time", "audit.account", "audit.role", "audit.address", "audit.action", "audit.outcome", "audit.object", "audit.detail"} {
		p.Table.Head = append(p.Table.Head, head(v.t(key)))
	}
	for _, r := range found.Records {
		object := cell{Text: v.orNone(r.Object)}
		if r.Action == audit.Unseal && v.who.May(access.ReadDetails) {
			object.Href = v.link("/events/" + r.Object)
		}
		p.Table.Rows = append(p.Table.Rows, []cell{{Text: clockSeconds(r.Time), Name: true}, {Text: v.orNone(r.Account)}, {Text: v.role(r.Role)}, {Text: v.orNone(r.Address)},
			{Text: v.value("action", r.Action)}, {Text: v.value("outcome", r.Outcome), Muted: r.Outcome == "done" || r.Outcome == "allowed"}, object, {Text: v.orNone(r.Detail), Muted: true}})
	}
	v.pages(&p, offset, len(found.Records), found.Total)
	return page{Template: "list", Title: p.Heading, Menu: "/audit", Crumbs: []link{{Text: p.Heading}}, Fixed: true, Unkept: true, Body: p}, nil
}

// role is the title of a role.
func (v *visit) role(code string) string {
	if info, ok := access.Role(code).Info(); ok {
		return info.Title.In(string(v.phrases))
	}
	return v.orNone(code)
}

func (v *visit) trailFilter(f report.AuditFilter) filter {
	day := func(d schemas.Day) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	options := func(set, chosen string, codes []string) choiceField {
		out := choiceField{Name: set, Label: v.t("audit." + set), Options: []choiceOption{{"", v.t("audit.any"), chosen == ""}}}
		for _, code := range codes {
			out.Options = append(out.Options, choiceOption{code, v.value(set, code), code == chosen})
		}
		return out
	}
	out := filter{Action: "/audit", Selects: []choiceField{options("action", f.Action, auditActions), options("outcome", f.Outcome, auditOutcomes)},
		Dates:    []textField{{"from", v.t("filter.from"), "date", day(f.From), ""}, {"to", v.t("filter.to"), "date", day(f.To), ""}},
		Searches: []textField{{"account", v.t("audit.account"), "search", f.Account, ""}, {"object", v.t("audit.object"), "search", f.Object, ""}}}
	if string(v.phrases) != chinese {
		out.Hidden = []textField{{Name: "lang", Value: string(v.phrases)}}
	}
	return out
}

// AskedTrail are the parameters of the audit trail.
type AskedTrail struct {
	From    string `query:"from" doc:"first day; from the first record when left out" example:"2026-10-01"`
	To      string `query:"to" doc:"last day, inclusive; up to now when left out" example:"2026-10-31"`
	Account string `query:"account" doc:"name of the account" example:"yushu"`
	Action  string `query:"action" doc:"what was done, such as login, export, unseal, denied" example:"export"`
	Outcome string `query:"outcome" doc:"done, allowed, refused or failed" example:"refused"`
	Object  string `query:"object" doc:"a part of what it was done to: a path, an event, an account" example:"postings.csv"`
	rawQuery
}

// auditOperations adds the audit trail to the API.
func (s *Server) auditOperations(api huma.API, get func(path, id, summary string) huma.Operation) {
	huma.Register(api, get("/api/v1/audit", "audit", "Who did and saw what, the newest first"), s.auditTrail)
	huma.Register(api, file(get("/api/v1/audit.csv", "audit-csv", "Who did and saw what, all of it as CSV"), csvType), s.auditCSV)
}

func (s *Server) auditTrail(ctx context.Context, in *struct {
	Offset string `query:"offset" doc:"how many records to leave out; 0 when left out"`
	Limit  string `query:"limit" doc:"at most 1000; 100 when left out"`
	AskedTrail
}) (*body[report.AuditPage], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	f := r.trail()
	offset, limit := r.number("offset", 0, 0, 1_000_000_000), r.number("limit", 100, 1, maxAudit)
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	found, err := s.read.AuditTrail(ctx, f, offset, limit)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("audit trail: %w", unavailable(err)))
	}
	found.Records = notNil(found.Records)
	return &body[report.AuditPage]{found}, nil
}

// maxAudit bounds a page of the audit trail.
const maxAudit = 1000

// auditCSV is the trail as far as it has come when it is asked for.
func (s *Server) auditCSV(ctx context.Context, in *struct{ AskedTrail }) (*huma.StreamResponse, error) {
	r := in.reader()
	f := r.trail()
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	next := func(ctx context.Context) (report.AuditPage, error) {
		ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
		defer cancel()
		found, err := s.read.AuditTrail(ctx, f, 0, maxAudit)
		if err != nil {
			return found, fmt.Errorf("audit trail: %w", unavailable(err))
		}
		return found, nil
	}
	found, err := next(ctx) // what can go wrong is found before the file has begun
	if err != nil {
		return nil, s.apiError(ctx, err)
	}
	name := fmt.Sprintf("审计记录%s.csv", schemas.DayOf(s.now()))
	return s.streamed(name, csvType, func(ctx context.Context, to io.Writer) error {
		w, err := export.NewCSV(to, "place", "time", "account", "role", "address", "action", "outcome", "object", "detail")
		if err != nil {
			return err
		}
		for len(found.Records) > 0 {
			for _, r := range found.Records {
				if err := w.Row(r.Place, clockSeconds(r.Time), r.Account, r.Role, r.Address, r.Action, r.Outcome, r.Object, r.Detail); err != nil {
					return err
				}
				f.Before = r.Place
			}
			if f.Before == 0 { // the first record of all, and no bound either
				break
			}
			if found, err = next(ctx); err != nil {
				return err
			}
		}
		return w.End()
	}), nil
}
