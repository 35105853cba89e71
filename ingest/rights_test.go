package ingest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

func TestFromNobodyNothingIsTaken(t *testing.T) {
	cluster := newLog(t, 1)
	s := newServer(t, cluster, nil)
	w := postAs(access.Identity{}, s, EventMediaType, mustJSON(t, signIn("220182-court", 0)))
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("answer %d %v %s", w.Code, w.Header(), w.Body)
	}
	router := mux.NewRouter()
	s.Register(router)
	r := httptest.NewRequest(http.MethodPost, EventsPath, strings.NewReader("[]"))
	w = httptest.NewRecorder()
	if router.ServeHTTP(w, r); w.Code != 401 {
		t.Errorf("without the gate: %d", w.Code)
	}
	if err := s.Append(t.Context(), []schemas.Envelope{signIn("220182-court", 0)}); schemas.KindOf(err) != schemas.Unauthenticated {
		t.Errorf("from within: %v", err)
	}
	if n := len(inLog(t, cluster)); n != 0 {
		t.Errorf("%d events are in the log", n)
	}
}

func TestTheLogSaysWhoseAccountRecorded(t *testing.T) {
	cluster := newLog(t, 1)
	s := newServer(t, cluster, nil)
	e := signIn("220182-court", 0)
	if err := s.Append(access.With(t.Context(), access.Identity{Account: "wang", Role: access.Station, Scope: access.Scope{Station: "220182-court"}}), []schemas.Envelope{e}); err != nil {
		t.Fatal(err)
	}
	for _, r := range stored(t, cluster)[0] {
		if ev, err := schemas.ParseEvent(r.Value); err != nil || ev.RecordedBy != "wang" {
			t.Errorf("recorded by %q, %v", ev.RecordedBy, err)
		}
	}
	other := signIn("220183-court", 0)
	err := s.Append(access.With(t.Context(), access.Identity{Account: "wang", Role: access.Station, Scope: access.Scope{Station: "220182-court"}}), []schemas.Envelope{e, other})
	if err == nil || !strings.Contains(err.Error(), other.ID) || !strings.Contains(err.Error(), "source") {
		t.Errorf("for another station: %v", err)
	}
	if n := len(stored(t, cluster)[0]); n != 1 {
		t.Errorf("%d records, expected 1: all of an Append are taken or none", n)
	}
}

func TestOneForeignEventIsRejectedAlone(t *testing.T) {
	cluster := newLog(t, 3)
	s := newServer(t, cluster, nil)
	who := access.Identity{Account: "wang", Role: access.Station, Scope: access.Scope{Station: "220182-court"}}
	w := postAs(who, s, BatchMediaType, mustJSON(t, []schemas.Envelope{signIn("220182-court", 0), signIn("220182-detention", 0), signIn("220182-court", 1)}))
	rs := results(t, w)
	if w.Code != 202 || statuses(rs) != "accepted rejected accepted " || rs[1].Errors[0].Location != "source" || rs[1].Retry {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	if n := len(inLog(t, cluster)); n != 2 {
		t.Errorf("%d events in the log, expected 2", n)
	}
}

// example is an event of a type as somebody there would send it.
func example(ty *schemas.EventType, source string) schemas.Envelope {
	subject := newID()
	data := ty.Example
	switch ty.Case {
	case schemas.CaseStation:
		subject = "220182-court"
	case schemas.CaseLawyer:
		subject = "12201201810123456"
	case schemas.CaseReturn:
		subject = "220182-2026-09"
	}
	return schemas.Envelope{SpecVersion: "1.0", ID: newID(), Source: source, Type: ty.Name, Subject: string(ty.Case) + "/" + subject, Time: "2026-09-01T08:31:00+08:00", Data: json.RawMessage(data)}
}

func TestWhoMayWriteWhat(t *testing.T) {
	now := time.Date(2026, 10, 1, 8, 0, 0, 0, schemas.Shanghai)
	in := func(division schemas.DivisionCode) access.Scope { return access.Scope{Division: division} }
	who := map[string]access.Identity{
		"the station":          {Role: access.Station, Scope: access.Scope{Station: "220182-court", Division: "220182"}},
		"its neighbour":        {Role: access.Station, Scope: access.Scope{Station: "220182-court-2"}},
		"the county":           {Role: access.County, Scope: in("220182")},
		"another county":       {Role: access.County, Scope: in("220183")},
		"the prefecture":       {Role: access.Prefecture, Scope: in("220100")},
		"another prefecture":   {Role: access.Prefecture, Scope: in("220200")},
		"the province":         {Role: access.Province, Scope: in("220000")},
		"the bar":              {Role: access.Bar, Scope: in("220000")},
		"the procurator":       {Role: access.Procurator, Scope: in("220182")},
		"the host":             {Role: access.Host, Scope: access.Scope{Station: "220182-court"}},
		"the auditor":          {Role: access.Auditor, Scope: in("220000")},
		"the administrator":    {Role: access.Administrator},
		"a county of no place": {Role: access.County},
		"no role":              {Scope: in("220000")},
	}
	const station, division = "/stations/220182-court", "/divisions/220182"
	for _, tt := range []struct {
		source, typ string
		may         string
		where       string // what the others are told is wrong; empty: type or source
	}{
		{station, "zhiban.shift.signed_in.v1", "the county, the prefecture, the province, the station", ""},
		{station, "zhiban.shift.corrected.v1", "the county, the prefecture, the province, the station", ""},
		{division, "zhiban.activity.held.v1", "the county, the prefecture, the province", ""},
		{"/divisions/220100", "zhiban.activity.held.v1", "the prefecture, the province", ""},
		{division, "zhiban.training.attended.v2", "the bar, the county, the prefecture, the province", ""},
		{station, "zhiban.conduct.reported.v1", "the bar, the county, the prefecture, the province, the station", ""},
		{division, "zhiban.supervision.issued.v1", "the county, the prefecture, the procurator, the province", ""},
		{division, "zhiban.return.submitted.v1", "the county", "type"},
		{division, "zhiban.return.amended.v1", "the county", "type"},
		{division, "zhiban.return.accepted.v1", "the prefecture", "type"},
		{division, "zhiban.return.returned.v1", "the prefecture", "type"},
	} {
		ty, err := schemas.Catalogue.Lookup(tt.typ)
		if err != nil {
			t.Fatal(err)
		}
		var may []string
		for name, i := range who {
			i.Account = name
			var result Result
			if _, ok := (&Server{returns: schemas.Returns}).judge(i, now, mustJSON(t, example(ty, tt.source)), &result); ok {
				may = append(may, name)
			} else if at := result.Errors[0].Location; len(result.Errors) != 1 || at != "source" && at != "type" || tt.where != "" && at != tt.where {
				t.Errorf("%s from %s by %s: %v", tt.typ, tt.source, name, result.Errors)
			} else if m := result.Errors[0].Message; !strings.HasPrefix(m, "your account") { // by which the desk and the import know it
				t.Errorf("%s is told %s", name, m)
			}
		}
		slices.Sort(may)
		if got := strings.Join(may, ", "); got != tt.may {
			t.Errorf("%s from %s may be written by %s; expected %s", tt.typ, tt.source, got, tt.may)
		}
	}
}

func TestADivisionThatMovedIsWrittenForByThoseWhoHadOrHaveIt(t *testing.T) {
	now := time.Date(2026, 10, 1, 8, 0, 0, 0, schemas.Shanghai)
	for _, tt := range []struct {
		source, day string
		may         []schemas.DivisionCode
	}{ // 公主岭 went from 四平 (220300) to 长春 (220100) on 2020-06-01
		{"220381-court", "2019-05-06", []schemas.DivisionCode{"220100", "220184", "220300", "220381"}},
		{"220184-court", "2026-09-01", []schemas.DivisionCode{"220100", "220184"}},
	} {
		e := signIn(tt.source, 0)
		e.Time = tt.day + "T08:00:00+08:00"
		var may []schemas.DivisionCode
		for _, d := range []schemas.DivisionCode{"220100", "220184", "220200", "220300", "220381"} {
			if _, ok := (&Server{returns: schemas.Returns}).judge(access.Identity{Account: "a", Role: access.Prefecture, Scope: access.Scope{Division: d}}, now, mustJSON(t, e), new(Result)); ok {
				may = append(may, d)
			}
		}
		if fmt.Sprint(may) != fmt.Sprint(tt.may) {
			t.Errorf("%s on %s: %v, expected %v", tt.source, tt.day, may, tt.may)
		}
	}
}

func TestEveryRouteHasItsRule(t *testing.T) {
	s := newServer(t, newLog(t, 1), nil)
	router := mux.NewRouter()
	s.Register(router)
	s.RegisterHealth(router)
	rules := Rules()
	if err := router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := route.GetPathTemplate()
		if err != nil {
			return err
		}
		methods, err := route.GetMethods()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, m := range methods {
			if _, ok := rules[m+" "+path]; !ok && m != http.MethodHead {
				t.Errorf("%s %s has no rule", m, path)
			}
			delete(rules, m+" "+path)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for route := range rules {
		t.Errorf("there is no route %s", route)
	}
}
