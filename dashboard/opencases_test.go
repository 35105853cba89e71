package dashboard

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

func TestOpenCasesAreAskedByStation(t *testing.T) {
	s := newServer(t, newFake())
	code, _, body := get(t, s, "/api/v1/open-cases?station=220182-court")
	for _, want := range []string{`"station":"220182-court"`, `"cut":{`, `"total":1`, `"missing":"zhiban.shift.signed_out.v1"`} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d %s lacks %s", code, body, want)
		}
	}
	for _, query := range []string{"", "?station=", "?station=220182", "?station=220182-court&station=220182-court", "?station=220182-court&sation=x"} {
		code, _, body := get(t, s, "/api/v1/open-cases"+query)
		if code != http.StatusUnprocessableEntity || !strings.Contains(body, "station") {
			t.Errorf("%q: %d %s", query, code, body)
		}
	}
}

func TestEffectiveEventsAreAskedByID(t *testing.T) {
	f := newFake()
	id := uuid.MustParse("0199a1c2-7d1e-7c3a-9a55-0242ac120001")
	f.events[id] = report.EventDetail{Event: schemas.Envelope{ID: id.String(), Data: json.RawMessage(`{"channel":"visit","question":"SECRET"}`)}}
	s := newServer(t, f)
	post := func(body string) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/effective-events", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler(s).ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	code, body := post(`{"ids":["` + id.String() + `","` + uuid.NewString() + `"]}`)
	if code != http.StatusOK || strings.Count(body, `"channel":"visit"`) != 1 || strings.Contains(body, "SECRET") {
		t.Errorf("%d %s", code, body)
	}
	f.events[id] = report.EventDetail{Event: schemas.Envelope{ID: id.String(), Source: "/stations/220182-court", Subject: "shift/" + id.String(), Type: "zhiban.shift.signed_in.v1", Time: "2026-09-30T23:59:00+08:00", Data: json.RawMessage(`{"lawyer":"12201201810123456","mode":"onsite"}`)}}
	for query, want := range map[string]int{
		"source=220182-court&case=shift&from=2026-09-01&to=2026-09-30":        1,
		"source=220182-court&case=shift&from=2026-10-01&to=2026-10-31":        0,
		"source=220182-court&case=consultation&from=2026-09-01&to=2026-09-30": 0,
		"source=220182&case=shift&from=2026-09-01&to=2026-09-30":              0,
		"source=999999-court&case=shift&from=2026-09-01&to=2026-09-30":        -1,
		"source=220182-court&case=duty&from=2026-09-01&to=2026-09-30":         -1,
		"source=220182-court&case=shift&from=2026-09-30&to=2026-09-01":        -1,
		"source=220182-court&from=2026-09-01&to=2026-09-01":                   -1,
		"source=220182-court&case=shift":                                      -1,
		"source=220182-court&case=shift&from=x&to=2026-09-01":                 -1,
	} {
		code, _, body := get(t, s, "/api/v1/effective-events?"+query)
		if want < 0 && code != http.StatusUnprocessableEntity || want >= 0 && (code != http.StatusOK || strings.Count(body, `"specversion"`) != want) {
			t.Errorf("%s: %d %s", query, code, body)
		}
	}
	for name, question := range map[string]string{
		"no id": `{"ids":["x"]}`, "no list": `{}`, "no JSON": `ids`, "too many": `{"ids":["` + strings.Repeat(id.String()+`","`, 1000) + id.String() + `"]}`,
	} {
		if code, body := post(question); code < 400 || code >= 500 || !strings.Contains(body, `"detail"`) {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
}
