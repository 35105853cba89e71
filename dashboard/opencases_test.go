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
		s.Handler().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	code, body := post(`{"ids":["` + id.String() + `","` + uuid.NewString() + `"]}`)
	if code != http.StatusOK || strings.Count(body, `"channel":"visit"`) != 1 || strings.Contains(body, "SECRET") {
		t.Errorf("%d %s", code, body)
	}
	for name, question := range map[string]string{
		"no id": `{"ids":["x"]}`, "no list": `{}`, "no JSON": `ids`, "too many": `{"ids":["` + strings.Repeat(id.String()+`","`, 1000) + id.String() + `"]}`,
	} {
		if code, body := post(question); code < 400 || code >= 500 || !strings.Contains(body, `"detail"`) {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
}
