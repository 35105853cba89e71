package upload

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"zhiban/ingest"
	"zhiban/schemas"
	"zhiban/schemas/access"
)

func TestALocalRequestIsServedWithoutAConnection(t *testing.T) {
	client := &http.Client{Transport: Local(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Path", r.RequestURI)
		w.WriteHeader(http.StatusAccepted)
		w.Header().Set("X-Late", "no")
		_, _ = w.Write(append([]byte(r.Method+" "+r.Host+" "), b...))
	}))}
	res, err := client.Post("http://localhost/api?x=1", "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil || res.Body.Close() != nil || res.StatusCode != http.StatusAccepted || string(b) != "POST localhost body" || res.Header.Get("X-Path") != "/api?x=1" || res.Header.Get("X-Late") != "" {
		t.Errorf("%v %s %s %v", err, res.Status, b, res.Header)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/", nil)
	if _, err := client.Do(req); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// What the page sends goes in the name of who uploaded, through the gate and
// without one.
func TestALocalRequestIsInTheNameOfWhoseTheContextIs(t *testing.T) {
	api := mux.NewRouter()
	client := &ingest.Client{URL: "http://localhost", HTTP: &http.Client{Transport: Local(api)}}
	var asked []string
	api.HandleFunc(ingest.EventsPath, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, access.From(r.Context()).Account+" "+access.Address(r.Context()))
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"results":[{"status":"accepted"}]}`)
	}).Methods(http.MethodPost)
	outer := func(w http.ResponseWriter, r *http.Request) {
		if err := client.Append(r.Context(), make([]schemas.Envelope, 1)); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}
	api.HandleFunc("/import", outer).Methods(http.MethodPost)
	wang := access.Identity{Account: "wang", Role: access.Station, Scope: access.Scope{Station: "220182-court"}}

	r := httptest.NewRequest(http.MethodPost, "/import", nil)
	api.ServeHTTP(httptest.NewRecorder(), r.WithContext(access.With(r.Context(), wang)))

	gate := &access.Gate{
		Rules: map[string]access.Rule{"POST /import": {May: access.WriteEvents}, "POST " + ingest.EventsPath: {May: access.Own}},
		Session: func(r *http.Request) (access.Identity, bool) {
			c, err := r.Cookie("session")
			return wang, err == nil && c.Value == "secret"
		},
		Token: func(secret string) (access.Identity, error) {
			if secret != "token" {
				return access.Identity{}, schemas.Errorf(schemas.Unauthenticated, "no")
			}
			return access.Identity{Account: "program", Role: access.County, Scope: access.Scope{Division: "220182"}}, nil
		},
	}
	api.Use(gate.Middleware)
	for header, value := range map[string]string{"Cookie": "session=secret", "Authorization": "Bearer token"} {
		r := httptest.NewRequest(http.MethodPost, "/import", nil)
		r.Header.Set(header, value)
		w := httptest.NewRecorder()
		if api.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("with %s: %d %s", header, w.Code, w.Body)
		}
	}
	slices.Sort(asked)
	if got := strings.Join(asked, ", "); got != "program 192.0.2.1, wang , wang 192.0.2.1" {
		t.Errorf("asked by %s", got)
	}
}
