package dashboard

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/audit"
)

func (f *fake) AuditTrail(_ context.Context, by report.AuditFilter, offset, limit int) (report.AuditPage, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []report.AuditRecord
	for i, r := range slices.Backward(f.audited) {
		day := schemas.DayOf(r.Time)
		if (by.From == 0 || day >= by.From) && (by.To == 0 || day <= by.To) && (by.Account == "" || r.Account == by.Account) && (by.Action == "" || r.Action == by.Action) &&
			(by.Outcome == "" || r.Outcome == by.Outcome) && strings.Contains(r.Object, by.Object) && (by.Before == 0 || int64(i) < by.Before) {
			all = append(all, report.AuditRecord{Place: int64(i), Record: r})
		}
	}
	page := report.AuditPage{Total: int64(len(all)), Records: all[min(offset, len(all)):min(offset+limit, len(all))]}
	if next := offset + len(page.Records); next < len(all) {
		page.Next = next
	}
	return page, f.down
}

// administrator and auditor read the trail; the one sees no data.
var (
	administrator = access.Identity{Account: "admin", Title: "周系统", Role: access.Administrator}
	auditor       = access.Identity{Account: "shenji", Title: "审计处", Role: access.Auditor, Scope: access.Scope{Division: schemas.Province}}
)

// audit makes up a trail with every action, and more pages than one.
func (f *fake) audit() {
	f.mu.Lock()
	defer f.mu.Unlock()
	objects := map[string]string{audit.Export: "/api/v1/postings.csv", audit.Unseal: f.postings[0].Event.String(), audit.Denied: "/accounts", audit.MonthSubmit: "220182/2026-10", audit.Replay: "/parked", audit.ReadTrail: "/audit"}
	for i := range 3 * len(auditActions) {
		action := auditActions[i%len(auditActions)]
		r := audit.Record{Time: f.now.Add(time.Duration(i-1000) * time.Hour), Account: "yushu", Role: string(access.County), Address: "203.0.113.9", Action: action, Object: objects[action], Outcome: auditOutcomes[i%len(auditOutcomes)]}
		switch action {
		case audit.LoginFailed:
			r.Account, r.Role, r.Object, r.Detail = "", "", "(unknown)", "name or password is wrong"
		case audit.Denied:
			r.Detail = "GET: not for this role"
		case audit.Export:
			r.Detail = "indicator=shifts&from=2026-10-01&to=2026-10-31"
		}
		f.audited = append(f.audited, r)
	}
	f.audited = append(f.audited, audit.Record{Time: f.now, Account: "=cmd|' /C calc'!A0", Role: "gardener", Action: "prune", Object: "<script>window.pwned=4</script>", Outcome: "withered", Detail: "@x"})
}

// asked asks a server for an address in somebody's name.
func asked(t *testing.T, s *Server, who access.Identity, path string) (int, http.Header, string) {
	t.Helper()
	return getFrom(t, as(who, s.Handler()), path)
}

func TestTheTrailIsShownToThoseWithoutAScopeToo(t *testing.T) {
	f := newFake()
	f.audit()
	s := newServer(t, f)
	for _, lang := range languages {
		code, _, body := asked(t, s, administrator, "/audit?lang="+lang)
		if code != http.StatusOK || strings.Contains(body, "%!") || strings.Contains(body, "data-cut") || strings.Contains(body, `id="fresh"`) {
			t.Fatalf("%d: %.3000s", code, body)
		}
		for _, want := range []string{phrases(lang).t("audit.count", "64"), "&lt;script&gt;window.pwned=4", "gardener", "prune", "withered", phrases(lang).t("action.denied"), phrases(lang).t("outcome.refused"), "203.0.113.9", "县（市、区）法律援助机构"} {
			if lang == english && want == "县（市、区）法律援助机构" {
				want = "County legal aid centre"
			}
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page does not say %s", lang, want)
			}
		}
		if strings.Contains(body, `href="/events/`) {
			t.Error("the administrator is led to an event")
		}
	}
	for path, want := range map[string]string{
		"/audit?action=export":                           "共 3 条",
		"/audit?account=yushu&outcome=refused":           "条",
		"/audit?object=postings&from=2020-01-01":         "共 3 条",
		"/audit?from=" + schemas.DayOf(f.now).String():   "共 1 条",
		"/audit?to=2020-01-01":                           "没有符合条件的记录",
		"/audit?offset=50&from=2020-01-01":               "第 51–64 条",
		"/audit?action=unseal&lang=zh&as_of=2026-01-01":  "共 3 条",
		"/audit?outcome=allowed&object=%2Fapi%2Fv1%2Fpo": "条",
	} {
		if code, _, body := asked(t, s, auditor, path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, does not say %s", path, code, want)
		}
	}
	if _, _, body := asked(t, s, auditor, "/audit?action=unseal"); !strings.Contains(body, `href="/events/`+f.postings[0].Event.String()+`"`) {
		t.Error("the auditor is not led to the event")
	}
	for _, path := range []string{"/audit?action=fly", "/audit?from=2026-10-02&to=2026-10-01", "/audit?colour=red", "/api/v1/audit?limit=1001", "/api/v1/audit.csv?outcome=none"} {
		if code, _, _ := asked(t, s, auditor, path); code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", path, code)
		}
	}
	// A page of the trail is never one that was kept: the trail grows without the cut.
	f.mu.Lock()
	f.audited = append(f.audited, audit.Record{Time: f.now, Action: audit.Logout, Account: "just-left"})
	f.mu.Unlock()
	if _, _, body := asked(t, s, administrator, "/audit?lang=zh"); !strings.Contains(body, "just-left") {
		t.Error("the newest record is not there")
	}
}

func TestTheTrailAsAFileIsWholeAndInert(t *testing.T) {
	f := newFake()
	f.audit()
	for i := range 2 * maxAudit {
		f.audited = append(f.audited, audit.Record{Time: f.now, Account: fmt.Sprint("a", i), Action: audit.Login})
	}
	code, header, body := asked(t, newServer(t, f), administrator, "/api/v1/audit.csv")
	if code != http.StatusOK || !strings.HasPrefix(body, "\uFEFFplace,time,") || !strings.Contains(header.Get("Content-Disposition"), ".csv") {
		t.Fatalf("%d %v %.200s", code, header, body)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 1+len(f.audited) {
		t.Fatalf("%d rows of %d, %v", len(rows), len(f.audited), err)
	}
	for i, row := range rows[1:] {
		if row[0] != fmt.Sprint(len(f.audited)-1-i) {
			t.Fatalf("row %d is of place %s", i, row[0])
		}
	}
	if row := rows[len(rows)-64]; row[2] != "'=cmd|' /C calc'!A0" || row[8] != "'@x" {
		t.Errorf("%q", row)
	}
	if _, _, one := asked(t, newServer(t, f), auditor, "/api/v1/audit?from="+schemas.DayOf(f.now).String()+"&account=%3Dcmd%7C%27%20%2FC%20calc%27%21A0"); !strings.Contains(one, `"account":"=cmd|' /C calc'!A0"`) || !strings.Contains(one, `"total":1,`) {
		t.Errorf("%s", one)
	}
}

func TestNoRouteChangesTheTrail(t *testing.T) {
	r := mux.NewRouter()
	newServer(t, newFake()).Register(r)
	if err := r.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, _ := route.GetPathTemplate()
		methods, _ := route.GetMethods()
		for _, m := range methods {
			if strings.Contains(path, "audit") && m != http.MethodGet && m != http.MethodHead {
				t.Errorf("%s %s", m, path)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for route, rule := range Rules() {
		if strings.Contains(route, "audit") && (rule.May != access.ReadAudit || rule.Audit == "" || !strings.HasPrefix(route, "GET ")) {
			t.Errorf("%s: %+v", route, rule)
		}
	}
}

// What any package records has a word; the source is read, for there is no other
// list.
func TestEveryActionOfTheTrailHasAWord(t *testing.T) {
	recorded := map[string]bool{}
	actions := regexp.MustCompile(`(?:\.did\(r, |\.record\(r, [\w.{}()]+, |Action: +|Audit: +|export\(access\.\w+\), )"([a-z-]+)"(\s*\+)?`)
	for _, dir := range []string{".", "login", "../ingest", "../schemas/access", "../schemas/directory", "../projector", ".."} {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			for _, m := range actions.FindAllStringSubmatch(string(source), -1) {
				if m[2] == "" { // else the beginning of one
					recorded[m[1]] = true
				}
			}
		}
	}
	source, err := os.ReadFile("../schemas/audit/audit.go")
	if err != nil {
		t.Fatal(err)
	}
	constants, _, _ := strings.Cut(string(source), "outcomeNoted")
	for _, m := range regexp.MustCompile(`(?m)^\t[A-Z]\w+ += "([a-z-]+)"`).FindAllStringSubmatch(constants, -1) {
		recorded[m[1]] = true
	}
	for action := range recorded {
		if !slices.Contains(auditActions, action) {
			t.Errorf("%s is recorded and not in the form", action)
		}
	}
	if len(recorded) < 18 {
		t.Errorf("only %d actions were found: %v", len(recorded), recorded)
	}
	for _, action := range auditActions {
		if _, ok := messages["action."+action]; !ok {
			t.Errorf("%s has no word", action)
		}
	}
}
