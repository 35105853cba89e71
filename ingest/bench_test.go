package ingest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"zhiban/schemas"
)

// BenchmarkPost sends over HTTP on loopback from 64 connections. Beside the
// server that writes to an in-process log it measures a handler that reads and
// throws away, and one that validates only, to tell apart what HTTP, validation
// and log cost. events/s is what counts.
func BenchmarkPost(b *testing.B) {
	s := newServer(b, newLog(b, 6), func(c *Config) { c.MaxQueued = 64 * MaxBatchEvents })
	handlers := []struct {
		name    string
		handler http.Handler
	}{
		{"discard", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusAccepted)
		})},
		{"validate", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raws, err := readEvents(w, r)
			if err != nil {
				b.Error(err)
			}
			if records, _, err := s.prepare(r.Context(), clerk, raws, make([]Result, len(raws))); err != nil || len(records) != len(raws) {
				b.Error("a wrong event", err)
			}
			w.WriteHeader(http.StatusAccepted)
		})},
		{"log", as(clerk, s)},
	}
	for _, n := range []int{1, 100, 1000} {
		var batch []schemas.Envelope
		for i := range n {
			batch = append(batch, signIn(stations[i%len(stations)], i%60))
		}
		for _, h := range handlers {
			b.Run(fmt.Sprintf("events=%d/%s", n, h.name), func(b *testing.B) { benchmarkPost(b, h.handler, batch) })
		}
	}
}

// BenchmarkPostConsultations is BenchmarkPost of events that name a person, without
// texts and with.
func BenchmarkPostConsultations(b *testing.B) {
	s := newServer(b, newLog(b, 6), func(c *Config) { c.MaxQueued = 64 * MaxBatchEvents })
	for _, texts := range []bool{false, true} {
		var batch []schemas.Envelope
		for i := range 100 {
			e, _ := consultation(b, fmt.Sprintf("p-%d", i))
			if !texts {
				e.Data = mustJSON(b, schemas.ConsultationRecorded{Lawyer: "12201201810123456", Channel: "visit", Person: fmt.Sprintf("p-%d", i), PersonRole: "suspect"})
			}
			batch = append(batch, e)
		}
		b.Run(fmt.Sprintf("texts=%v", texts), func(b *testing.B) { benchmarkPost(b, as(clerk, s), batch) })
	}
}

func benchmarkPost(b *testing.B, h http.Handler, batch []schemas.Envelope) {
	events := len(batch)
	body, mediaType := mustJSON(b, batch), BatchMediaType
	if events == 1 {
		body, mediaType = mustJSON(b, batch[0]), EventMediaType
	}
	web := httptest.NewServer(h)
	defer web.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}

	b.SetParallelism(32) // for each of two processors
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			resp, err := client.Post(web.URL+EventsPath, mediaType, bytes.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusAccepted {
				b.Errorf("answer %s", resp.Status)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
}
