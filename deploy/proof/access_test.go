package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/dashboard"
	"zhiban/dashboard/login"
	"zhiban/dashboard/report"
	"zhiban/deploy/embedded"
	"zhiban/ingest"
	"zhiban/ingest/desk"
	"zhiban/ingest/ledger"
	"zhiban/ingest/simulate"
	"zhiban/ingest/upload"
	"zhiban/projector"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/audit"
	"zhiban/schemas/directory"
	"zhiban/schemas/ktable"
	"zhiban/schemas/warehouse"
)

// visitors are an office of every kind, each bound to its own.
var visitors = func() map[string]access.Identity {
	out := map[string]access.Identity{}
	for name, scope := range map[string]access.Scope{
		"province": {Division: schemas.Province}, "prefecture": {Division: "220100"}, "county": {Division: "220122"},
		"station": {Station: "220122-court"}, "host": {Station: "220122-court"},
		"bar": {Division: schemas.Province}, "procurator": {Division: schemas.Province}, "auditor": {Division: schemas.Province}, "administrator": {},
	} {
		role := access.Role(name)
		info, ok := role.Info()
		if !ok {
			panic("no role " + name)
		}
		scope.SmallCells, scope.Undecided = info.SmallCells, info.Undecided
		out[name] = access.Identity{Account: name + "-1", Title: "某" + name, Role: role, Scope: scope}
	}
	return out
}()

// Who may call what, said here once more and apart from the rules of the code.
const (
	everyone = "nobody province prefecture county station host bar procurator auditor administrator"
	known    = "province prefecture county station host bar procurator auditor administrator"
	figures  = "province prefecture county station host bar procurator auditor"
	people   = "province prefecture county bar auditor"
	quality  = "province prefecture county procurator auditor"
	closers  = "province prefecture county"
	monitors = "auditor administrator"
	writers  = "province prefecture county station bar procurator"
	managers = "administrator"
	readers  = "auditor administrator" // of the audit trail
	openers  = "county station"        // of the ledger's texts
)

// walk is a row of the table: a route, an address of it within the visitor's
// reach, the visitors who are let in, those of them who find nothing there, and
// addresses of it that lie outside the reach of a prefecture and all below.
type walk struct {
	in      string
	may     string
	nothing string
	outside []string
	body    string
	reached bool // the answer may say that something is missing
}

func TestEveryRouteByEveryRoleInEveryScope(t *testing.T) {
	books, broker := simulated(t, simulate.Config{From: schemas.Date(2026, 1, 1), To: schemas.Date(2026, 2, 10), Seed: 3, Scale: 0.1, Stamped: true})
	ctx := t.Context()
	now := schemas.Date(2026, 3, 1).Start().Add(9 * time.Hour) // after the last late entry
	books.Clock = func() time.Time { return now }
	one := func(scope report.Scope, station string) report.Posting {
		t.Helper()
		page, err := books.Postings(ctx, scope, report.Query{Division: schemas.Province, From: schemas.Date(2026, 1, 1), To: schemas.Date(2026, 1, 31), Indicators: []schemas.IndicatorCode{schemas.Shifts},
			Filter: map[report.Dimension][]string{report.ByStation: {station}}}, 0, 1)
		if err != nil || len(page.Postings) == 0 {
			t.Fatalf("station %s has no shift: %v", station, err)
		}
		return page.Postings[0]
	}
	own, foreign := one(report.ProvinceWide, "220122-court"), one(report.ProvinceWide, "220202-court")
	lawyerOf := func(division schemas.DivisionCode) string {
		all, err := books.Lawyers(ctx, report.ProvinceWide, division, time.Time{})
		if err != nil || len(all) == 0 {
			t.Fatalf("%s has no lawyer: %v", division, err)
		}
		return all[0].Licence
	}
	mine, other := lawyerOf("220122"), lawyerOf("220202")
	// textOf is a consultation of a station with what was asked in it.
	textOf := func(station schemas.StationCode) (schemas.EventID, string) {
		all, err := books.Ledger(ctx, report.ProvinceWide, report.LedgerQuery{Station: station, From: schemas.Date(2026, 1, 1), To: schemas.Date(2026, 2, 10)}, 0, 100_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range all.Lines {
			if l.Texts > 0 {
				texts, err := books.LedgerTexts(ctx, report.ProvinceWide, l.Event)
				if err != nil {
					t.Fatal(err)
				}
				return l.Event, texts.Question
			}
		}
		t.Fatalf("in none of %d consultations of %s something was asked", all.Total, station)
		return schemas.EventID{}, ""
	}
	spoken, question := textOf("220122-court")
	spokenElsewhere, _ := textOf("220202-court")
	outside := func(path string) []string { // by the parameters of statistics and lists
		return []string{path + "?division=220200", path + "?division=220202", path + "?division=220000", path + "?division=220000&view=now", path + "?station=220202-court"}
	}
	divisions := func(path string) []string { return outside(path)[:4] }
	const detail = "?indicator=shifts"
	table := map[string]walk{
		"GET /":                     {in: "/", may: known},
		"GET /divisions/{code}":     {in: "/divisions/220122", may: figures, outside: []string{"/divisions/220200", "/divisions/220202", "/divisions/220000", "/divisions/220202?view=now"}},
		"GET /stations/{code}":      {in: "/stations/220122-court", may: figures, outside: []string{"/stations/220202-court", "/stations/220202-court?as_of=2026-01-20", "/stations/220299-court"}},
		"GET /lawyers":              {in: "/lawyers", may: people, outside: divisions("/lawyers")[:3]},
		"GET /lawyers/{licence}":    {in: "/lawyers/" + mine, may: people, outside: []string{"/lawyers/" + other, "/lawyers/12201201899999999"}},
		"GET /details":              {in: "/details" + detail, may: figures, outside: outside("/details")},
		"GET /events/{id}":          {in: "/events/" + own.Event.String(), may: figures, outside: []string{"/events/" + foreign.Event.String(), "/events/00000000-0000-0000-0000-000000000001"}},
		"GET /ledger":               {in: "/ledger?from=2026-01-01&to=2026-01-31", may: figures, outside: append(divisions("/ledger")[:3], "/ledger?station=220202-court", "/ledger?station=220202-court&from=2026-01-01&to=2026-01-31")},
		"POST /ledger/{event}/text": {in: "/ledger/" + spoken.String() + "/text", may: openers, outside: []string{"/ledger/" + spokenElsewhere.String() + "/text"}},
		"GET /audit":                {in: "/audit", may: readers},
		"GET /api/v1/audit":         {in: "/api/v1/audit", may: readers},
		"GET /api/v1/audit.csv":     {in: "/api/v1/audit.csv", may: readers},
		"GET /returns":              {in: "/returns", may: figures, nothing: "station host", outside: []string{"/returns?division=220200", "/returns?division=220202", "/returns?division=220000"}},
		"GET /returns/{division:[0-9A-Z]{6}}/{month:[0-9]{4}-[0-9]{2}}":  {in: "/returns/220122/2026-01", may: figures, nothing: "station host", outside: []string{"/returns/220202/2026-01", "/returns/220200/2026-01", "/returns/220000/2026-01"}},
		"POST /returns/{division:[0-9A-Z]{6}}/{month:[0-9]{4}-[0-9]{2}}": {in: "/returns/220122/2026-01", may: closers, outside: []string{"/returns/220202/2026-01", "/returns/220000/2026-01"}, body: "step=submit&confirm=yes&cut=0:1"},
		"GET /quality":      {in: "/quality", may: quality, outside: divisions("/quality")},
		"GET /verification": {in: "/verification", may: quality},
		"GET /parked":       {in: "/parked", may: quality, nothing: "prefecture county"},
		"POST /parked":      {in: "/parked", may: "province"},
		"GET /parked/{partition:[0-9]{1,5}}/{offset:[0-9]{1,18}}": {in: "/parked/0/1", may: quality, nothing: quality},
		"GET /docs/indicators": {in: "/docs/indicators", may: known},
		"GET /indicators":      {in: "/indicators", may: known},
		"GET /docs/events":     {in: "/docs/events", may: known},
		"GET /docs/api":        {in: "/docs/api", may: known},
		"GET /docs/events/{type:[a-z0-9_.]+}.schema.json": {in: "/docs/events/zhiban.shift.signed_in.v1.schema.json", may: known},
		"GET /healthz":              {in: "/healthz", may: everyone},
		"GET /readyz":               {in: "/readyz", may: everyone},
		"GET /metrics":              {in: "/metrics", may: monitors},
		"GET /assets/{name:.*}":     {in: "/assets/nothing.js", may: everyone, nothing: everyone},
		"GET /api/openapi.json":     {in: "/api/openapi.json", may: known},
		"GET /api/openapi.yaml":     {in: "/api/openapi.yaml", may: known},
		"GET /api/openapi-3.0.json": {in: "/api/openapi-3.0.json", may: known},
		"GET /api/openapi-3.0.yaml": {in: "/api/openapi-3.0.yaml", may: known},
		"GET /api/v1/indicators":    {in: "/api/v1/indicators", may: known},
		"GET /api/v1/status":        {in: "/api/v1/status", may: known},
		"GET /api/v1/statistics": {in: "/api/v1/statistics", may: figures, outside: append(outside("/api/v1/statistics"),
			"/api/v1/statistics?division=220200&by=division", "/api/v1/statistics?division=220000&by=division,month&compare=yoy", "/api/v1/statistics?station=220122-court,220202-court")},
		"GET /api/v1/stations":                           {in: "/api/v1/stations", may: figures, outside: divisions("/api/v1/stations")[:3]},
		"GET /api/v1/postings":                           {in: "/api/v1/postings" + detail, may: figures, outside: outside("/api/v1/postings")},
		"GET /api/v1/postings.csv":                       {in: "/api/v1/postings.csv" + detail, may: figures, outside: outside("/api/v1/postings.csv")},
		"GET /api/v1/postings.xlsx":                      {in: "/api/v1/postings.xlsx" + detail, may: figures, outside: outside("/api/v1/postings.xlsx")},
		"GET /api/v1/quality":                            {in: "/api/v1/quality", may: quality, outside: divisions("/api/v1/quality")},
		"GET /api/v1/events/{id}":                        {in: "/api/v1/events/" + own.Event.String(), may: figures, outside: []string{"/api/v1/events/" + foreign.Event.String()}},
		"POST /api/v1/effective-events":                  {in: "/api/v1/effective-events", may: figures, body: `{"ids":["` + own.Event.String() + `"]}`},
		"GET /api/v1/effective-events":                   {in: "/api/v1/effective-events?source=220122-court&case=shift&from=2026-01-01&to=2026-01-31", may: figures, outside: []string{"/api/v1/effective-events?source=220202-court&case=shift&from=2026-01-01&to=2026-01-31", "/api/v1/effective-events?source=220200&case=matter&from=2026-01-01&to=2026-01-31"}},
		"GET /api/v1/open-cases":                         {in: "/api/v1/open-cases?station=220122-court", may: figures, outside: []string{"/api/v1/open-cases?station=220202-court"}},
		"GET /api/v1/verifications":                      {in: "/api/v1/verifications", may: quality, nothing: "prefecture county"},
		"GET /api/v1/verifications/latest":               {in: "/api/v1/verifications/latest", may: quality, nothing: quality},
		"GET /api/v1/lawyers":                            {in: "/api/v1/lawyers", may: people, outside: divisions("/api/v1/lawyers")[:3]},
		"GET /api/v1/lawyers/{licence}/record":           {in: "/api/v1/lawyers/" + mine + "/record", may: people, outside: []string{"/api/v1/lawyers/" + other + "/record"}},
		"GET /api/v1/lawyers/{licence}/record.xlsx":      {in: "/api/v1/lawyers/" + mine + "/record.xlsx", may: people, outside: []string{"/api/v1/lawyers/" + other + "/record.xlsx"}},
		"GET /api/v1/returns":                            {in: "/api/v1/returns", may: figures, nothing: "station host", outside: []string{"/api/v1/returns?division=220200", "/api/v1/returns?division=220000"}},
		"GET /api/v1/returns/{division}/{month}":         {in: "/api/v1/returns/220122/2026-01", may: figures, nothing: "station host", outside: []string{"/api/v1/returns/220202/2026-01", "/api/v1/returns/220000/2026-01"}},
		"GET /api/v1/returns/{division}/{month}.xlsx":    {in: "/api/v1/returns/220122/2026-01.xlsx", may: figures, nothing: "station host", outside: []string{"/api/v1/returns/220202/2026-01.xlsx", "/api/v1/returns/220000/2026-01.xlsx?version=live"}},
		"POST /api/v1/returns/{division}/{month}/submit": {in: "/api/v1/returns/220122/2026-01/submit", may: closers, outside: []string{"/api/v1/returns/220202/2026-01/submit"}, body: `{}`},
		"POST /api/v1/returns/{division}/{month}/return": {in: "/api/v1/returns/220122/2026-01/return", may: closers, outside: []string{"/api/v1/returns/220202/2026-01/return"}, body: `{"reason":"x"}`},
		"POST /api/v1/returns/{division}/{month}/accept": {in: "/api/v1/returns/220122/2026-01/accept", may: closers, outside: []string{"/api/v1/returns/220202/2026-01/accept"}},
		"POST /api/v1/returns/{division}/{month}/amend":  {in: "/api/v1/returns/220122/2026-01/amend", may: closers, outside: []string{"/api/v1/returns/220202/2026-01/amend"}, body: `{"reason":"x"}`},
		"GET /login":                {in: "/login", may: everyone},
		"POST /login":               {in: "/login", may: everyone, reached: true},
		"GET /login/login.css":      {in: "/login/login.css", may: everyone},
		"GET /login/link/{secret}":  {in: "/login/link/nothing", may: everyone},
		"POST /login/link/{secret}": {in: "/login/link/nothing", may: everyone, reached: true},
		"GET /login/oidc":           {in: "/login/oidc", may: everyone, nothing: everyone},
		"GET /login/oidc/callback":  {in: "/login/oidc/callback", may: everyone, nothing: everyone},
		"POST /logout":              {in: "/logout", may: known},
		"GET /account":              {in: "/account", may: known},
		"POST /account/password":    {in: "/account/password", may: known, reached: true},
		"GET /accounts":             {in: "/accounts", may: managers},
		"POST /accounts":            {in: "/accounts", may: managers, reached: true},
		"POST /accounts/{name}/{act:link|disable|enable}": {in: "/accounts/nobody/enable", may: managers, reached: true},
		"POST /tokens":             {in: "/tokens", may: managers, reached: true},
		"POST /tokens/{id}/revoke": {in: "/tokens/nothing/revoke", may: managers, reached: true},
		"POST /api/v1/events":      {in: "/api/v1/events", may: known, body: `{}`, reached: true},
		"GET /api/v1/event-types":  {in: "/api/v1/event-types", may: known},
		"GET /desk":                {in: "/desk", may: writers},
		"GET /desk/":               {in: "/desk/", may: writers},
		"GET /desk/{station:[0-9A-Z]{6}-[a-z]+(?:-[0-9]+)?}": {in: "/desk/220122-court", may: writers},
		"GET /desk/sw.js":                                     {in: "/desk/sw.js", may: writers},
		"GET /desk/manifest.webmanifest":                      {in: "/desk/manifest.webmanifest", may: everyone},
		"GET /desk/static/{version}/{name:[a-z]+\\.[a-z]+}":   {in: "/desk/static/0/nothing.js", may: everyone, nothing: everyone},
		"GET /import":                                         {in: "/import", may: writers},
		"POST /import":                                        {in: "/import", may: writers, reached: true},
		"GET /import/static/{version}/{name:[a-z]+\\.[a-z]+}": {in: "/import/static/0/nothing.js", may: everyone, nothing: everyone},
		"GET /import/templates/{kind}":                        {in: "/import/templates/nothing", may: writers, nothing: writers},
		"GET /import/{token}":                                 {in: "/import/nothing", may: writers, reached: true},
		"POST /import/{token}":                                {in: "/import/nothing", may: writers, reached: true},
		"GET /import/{token}/progress":                        {in: "/import/nothing/progress", may: writers, reached: true},
		"GET /import/{token}/copy/{n:[0-9]+}":                 {in: "/import/nothing/copy/0", may: writers, reached: true},
		"GET /api/v1/slides":                                  {in: "/api/v1/slides?division=220122&period=2026-01", may: figures, nothing: "station host", outside: []string{"/api/v1/slides?division=220202&period=2026-01", "/api/v1/slides?division=220000&period=2026-01"}},
	}

	pages, err := dashboard.New(dashboard.Config{Log: slog.New(slog.DiscardHandler), Timeout: time.Minute, Now: func() time.Time { return now },
		Append: func(context.Context, []schemas.Envelope) error { return nil }, Replay: func(context.Context) (int, int, error) { return 0, 0, nil },
		Audit: func(context.Context, audit.Record) error { return nil }, Unseal: func(_ context.Context, _ string, _ schemas.CaseID, _, text string) (string, error) { return text, nil }}, books)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := ktable.Open(ctx, ktable.Config{Brokers: []string{broker}, Topic: schemas.AccessTopic})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kept.Close() })
	accounts, err := directory.Open(kept, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := login.New(login.Config{Directory: accounts, Sessions: accounts, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	in, err := ingest.New(ingest.Config{Brokers: []string{broker}, Keys: newKeys(t, broker)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	rules := dashboard.Rules()
	for _, more := range []map[string]access.Rule{login.Rules(), ingest.Rules(), desk.Rules(), upload.Rules()} {
		maps.Copy(rules, more)
	}
	router := mux.NewRouter()
	gate := &access.Gate{Rules: rules, Limits: access.Limits{Address: access.Limit{Every: time.Nanosecond, Burst: 1e6}, Account: access.Limit{Every: time.Nanosecond, Burst: 1e6}, Guess: access.Limit{Every: time.Nanosecond, Burst: 1e6}},
		Audit: func(context.Context, access.Entry) error { return nil }, Log: slog.New(slog.DiscardHandler),
		Session: func(r *http.Request) (access.Identity, bool) {
			i, ok := visitors[r.Header.Get("Visitor")]
			return i, ok
		}}
	router.Use(entry.Middleware, gate.Middleware)
	entry.Register(router)
	in.Register(router)
	desk.New(desk.Config{}).Register(router)
	upload.New(upload.Config{Send: func(context.Context, []schemas.Envelope) ([]ledger.Result, error) { return nil, nil }}).Register(router)
	pages.Register(router)
	call := func(route, address, body, visitor string) (int, string) {
		method, _, _ := strings.Cut(route, " ")
		r := httptest.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
		r.Header.Set("Visitor", visitor)
		if r.Header.Set("Content-Type", "application/x-www-form-urlencoded"); strings.HasPrefix(address, "/api/") {
			r.Header.Set("Content-Type", "application/json")
		}
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		text, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		return w.Code, string(text)
	}
	var routes []string
	if err := router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		methods, err := route.GetMethods()
		if err != nil {
			return nil // a router within
		}
		path, err := route.GetPathTemplate()
		for _, m := range methods {
			if m != http.MethodHead {
				routes = append(routes, m+" "+path)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, route := range routes {
		row, ok := table[route]
		if !ok {
			t.Errorf("%s is not in the table", route)
			continue
		}
		delete(table, route)
		for _, visitor := range strings.Fields(everyone) {
			asked++
			in := row.in
			code, text := call(route, in, row.body, visitor)
			if shown := strings.Contains(text, question); shown != (route == "POST /ledger/{event}/text" && slices.Contains(strings.Fields(openers), visitor)) {
				t.Errorf("%s shows %s a text of the ledger: %v", in, visitor, shown)
			}
			// Who closes months finds the county's, which its own office alone moves.
			switch let := slices.Contains(strings.Fields(row.may), visitor); {
			case visitor == "nobody" && !let:
				if code != http.StatusUnauthorized && code != http.StatusSeeOther {
					t.Errorf("%s is answered with %d to nobody", in, code)
				}
			case !let:
				if code != http.StatusForbidden {
					t.Errorf("%s is answered with %d to %s, who may not", in, code, visitor)
				}
			case row.reached:
				if row.may != everyone && (code == http.StatusForbidden || code == http.StatusUnauthorized) || code >= 500 {
					t.Errorf("%s is answered with %d to %s: %.300s", in, code, visitor, text)
				}
			case slices.Contains(strings.Fields(row.nothing), visitor):
				if code != http.StatusNotFound {
					t.Errorf("%s is answered with %d to %s, who has none", in, code, visitor)
				}
			case strings.HasPrefix(route, "POST") && row.may == closers:
				if code == http.StatusNotFound || code == http.StatusUnauthorized || code >= 500 {
					t.Errorf("%s is answered with %d to %s: %.300s", in, code, visitor, text)
				}
			case code >= 400:
				t.Errorf("%s is answered with %d to %s: %.300s", in, code, visitor, text)
			}
			if i, ok := visitors[visitor]; !ok || !slices.Contains(strings.Fields(row.may), visitor) || report.Whole(i.Scope) {
				continue
			}
			for _, address := range row.outside {
				asked++
				if code, text := call(route, address, row.body, visitor); code != http.StatusNotFound {
					t.Errorf("%s is answered with %d to %s, from outside: %.200s", address, code, visitor, text)
				}
			}
		}
	}
	for _, visitor := range strings.Fields(figures) {
		for _, address := range []string{"/events/" + spoken.String(), "/api/v1/events/" + spoken.String(), "/api/v1/effective-events?source=220122-court&case=consultation&from=2026-01-01&to=2026-02-10",
			"/ledger?station=220122-court&from=2026-01-01&to=2026-02-10", "/api/v1/postings.csv?indicator=consultations&from=2026-01-01&to=2026-02-10"} {
			if code, text := call("GET "+address, address, "", visitor); code != http.StatusOK || strings.Contains(text, question) {
				t.Errorf("%s is answered with %d to %s, with a text of the ledger: %v", address, code, visitor, strings.Contains(text, question))
			}
		}
	}
	for route := range table {
		t.Errorf("%s is in the table and no route", route)
	}
	t.Logf("%d routes, %d requests", len(routes), asked)
}

// simulated is a warehouse with the events of a simulation in it, and the broker of
// their log.
func simulated(t *testing.T, of simulate.Config) (books *report.Warehouse, broker string) {
	t.Helper()
	ctx := t.Context()
	engines, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Topics: map[string]int{schemas.Topic: 3, schemas.DeadLetterTopic: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engines.Close() })
	if err := warehouse.Migrate(ctx, engines.ClickHouse().DSN()); err != nil {
		t.Fatal(err)
	}
	conn, err := warehouse.Open(ctx, engines.ClickHouse().DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	sim, err := simulate.New(of)
	if err != nil {
		t.Fatal(err)
	}
	log := &kafka.Writer{Addr: kafka.TCP(engines.Kafka()), Topic: schemas.Topic, Balancer: kafka.Murmur2Balancer{Consistent: true}, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	defer log.Close()
	var messages []kafka.Message
	for e := range sim.Events() {
		event, err := e.Parse()
		if err != nil {
			t.Fatal(err)
		}
		value, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, kafka.Message{Key: []byte(event.Source.Key()), Value: value, Time: event.Recorded})
	}
	if err := log.WriteMessages(ctx, messages...); err != nil {
		t.Fatal(err)
	}
	p, err := projector.New(projector.Config{Brokers: []string{engines.Kafka()}, Linger: time.Millisecond}, conn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	projecting, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- p.Run(projecting) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	books = report.New(conn)
	for {
		status, err := books.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if status.Events >= int64(len(messages)) {
			return books, engines.Kafka()
		}
		select {
		case err := <-done:
			t.Fatal(fmt.Errorf("the projector ended: %w", err))
		case <-time.After(20 * time.Millisecond):
		}
	}
}
