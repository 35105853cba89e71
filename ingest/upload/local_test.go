package upload

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
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
