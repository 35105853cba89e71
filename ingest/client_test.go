package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"zhiban/schemas"
)

func TestClientSendsInBatches(t *testing.T) {
	cluster := newLog(t, 6)
	s := newServer(t, cluster, nil)
	var sizes []int
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var events []json.RawMessage
		if err := json.Unmarshal(b, &events); err != nil {
			t.Error(err)
		}
		sizes = append(sizes, len(events))
		r.Body = io.NopCloser(bytes.NewReader(b))
		as(clerk, s).ServeHTTP(w, r)
	}))
	defer web.Close()
	client := Client{URL: web.URL + "/", HTTP: web.Client()}

	var events []schemas.Envelope
	for range 2*MaxBatchEvents + 1 {
		events = append(events, signIn("220182-court", 0))
	}
	events[1500].Time = "noon"
	results, err := client.Send(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	if len(sizes) != 3 || sizes[0] != MaxBatchEvents || sizes[2] != 1 {
		t.Errorf("batches of %v", sizes)
	}
	for i, r := range results {
		if r.ID != events[i].ID || (r.Status == Accepted) != (i != 1500) {
			t.Fatalf("result %d: %+v", i, r)
		}
	}

	sizes, events = nil, events[:40]
	for i := range events {
		events[i].Type, events[i].Subject = "zhiban.consultation.recorded.v1", "consultation/"+newID()
		events[i].Data = mustJSON(t, schemas.ConsultationRecorded{Lawyer: "12201201810123456", Channel: "visit", Person: "p-1", PersonRole: "other",
			Question: strings.Repeat("<问>", 5000), Answer: strings.Repeat("&", 20000)})
	}
	if results, err = client.Send(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	if len(sizes) < 2 || len(results) != len(events) || strings.Contains(statuses(results), "rejected") {
		t.Errorf("batches of %v, results %s", sizes, statuses(results))
	}
	if results, err := client.Send(t.Context(), nil); err != nil || len(results) != 0 {
		t.Errorf("nothing sent: %v, %v", results, err)
	}
}

// script is a server that gives one answer after the other.
type script struct {
	t       *testing.T
	replies []reply
	sent    [][]string // ids of the events of each request
	at      []time.Time
}

// reply is an answer: a body, or a word for every event: accepted, rejected or
// retry.
type reply struct {
	status int
	pause  string
	body   string
	words  []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	var events []schemas.Envelope
	if err := json.NewDecoder(r.Body).Decode(&events); err != nil {
		s.t.Error(err)
	}
	var ids []string
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	s.sent, s.at = append(s.sent, ids), append(s.at, time.Now())
	if len(s.replies) == 0 {
		return nil, errors.New("connection refused")
	}
	next := s.replies[0]
	s.replies = s.replies[1:]
	body := []byte(next.body)
	if next.words != nil {
		body = mustJSON(s.t, map[string]any{"results": next.results(ids)})
	}
	h := http.Header{}
	if next.pause != "" {
		h.Set("Retry-After", next.pause)
	}
	return &http.Response{StatusCode: next.status, Status: http.StatusText(next.status), Header: h, Body: io.NopCloser(bytes.NewReader(body))}, nil
}

func (r reply) results(ids []string) []Result {
	var rs []Result
	for i, id := range ids {
		switch r.words[i] {
		case "retry":
			rs = append(rs, Result{ID: id, Status: Rejected, Retry: true, Errors: []schemas.FieldError{{Location: "event", Message: "not acknowledged"}}})
		case "rejected":
			rs = append(rs, Result{ID: id, Status: Rejected, Errors: []schemas.FieldError{{Location: "id", Message: "wrong"}}})
		default:
			rs = append(rs, Result{ID: id, Status: Accepted})
		}
	}
	return rs
}

func envelopes(ids ...string) []schemas.Envelope {
	var out []schemas.Envelope
	for _, id := range ids {
		out = append(out, schemas.Envelope{ID: id, Data: json.RawMessage(`{}`)})
	}
	return out
}

func TestClientSendsAgainWhatWasNotAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t, replies: []reply{
			{status: 429, pause: "7", body: `{"title":"Too Many Requests","detail":"slow down"}`},
			{status: 502, body: "bad gateway"},
			{status: 202, words: []string{"accepted", "retry", "rejected", "retry"}},
			{status: 503, words: []string{"retry", "retry"}},
			{status: 202, words: []string{"accepted", "accepted"}},
		}}
		var heard []string
		client := Client{URL: "http://zhiban.test", HTTP: &http.Client{Transport: s}, OnRetry: func(err error, pause time.Duration) {
			heard = append(heard, err.Error())
		}}
		results, err := client.Send(t.Context(), envelopes("a", "b", "c", "d"))
		if err != nil {
			t.Fatal(err)
		}
		if got := statuses(results); got != "accepted accepted rejected accepted " {
			t.Errorf("results %s", got)
		}
		if got := strings.Join(s.sent[3], "") + " " + strings.Join(s.sent[4], ""); len(s.sent) != 5 || got != "bd bd" {
			t.Errorf("sent %v", s.sent)
		}
		if pause := s.at[1].Sub(s.at[0]); pause != 7*time.Second {
			t.Errorf("came back after %s, expected the 7 s the server asked for", pause)
		}
		if len(heard) != 4 || !strings.Contains(heard[0], "slow down") || !strings.Contains(heard[2], "2 of 4 events were not accepted: not acknowledged") {
			t.Errorf("heard %q", heard)
		}
	})
}

func TestClientGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t, replies: []reply{{status: 202, words: []string{"accepted"}}}}
		client := Client{URL: "http://zhiban.test", HTTP: &http.Client{Transport: s}}
		began := time.Now()
		if _, err := client.Send(t.Context(), envelopes("a")); err != nil {
			t.Fatal(err)
		}
		results, err := client.Send(t.Context(), envelopes("b"))
		if err == nil || !strings.Contains(err.Error(), "send 1 events to http://zhiban.test") || len(results) != 0 {
			t.Errorf("server away: %v, %v", results, err)
		}
		if took := time.Since(began); took < 30*time.Second || took > time.Minute {
			t.Errorf("gave up after %s, expected about a minute", took)
		}

		for status, body := range map[int]string{413: `{"detail":"too long"}`, 401: "who are you", 404: ""} {
			s.replies, s.sent = []reply{{status: status, body: body}}, nil
			_, err := client.Send(t.Context(), envelopes("a"))
			if err == nil || len(s.sent) != 1 {
				t.Errorf("status %d: %v after %d attempts, expected an error at once", status, err, len(s.sent))
			}
		}

		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		s.replies = []reply{{status: 503, pause: "60"}}
		began = time.Now()
		client.Patience = time.Hour
		if _, err := client.Send(ctx, envelopes("a")); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 3*time.Second {
			t.Errorf("%v after %s, expected the end of the context after 3 s", err, time.Since(began))
		}
	})
}

func TestKnownAsksForManyEventsAtOnce(t *testing.T) {
	var asked []int
	answer := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var question struct{ IDs []string }
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil || r.Method != http.MethodPost || r.URL.Path != "/api/v1/effective-events" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		asked = append(asked, len(question.IDs))
		w.WriteHeader(answer)
		if answer != http.StatusOK {
			_, _ = w.Write([]byte(`{"detail":"the warehouse does not answer"}`))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"events": envelopes(question.IDs[0])}) // the platform holds the first of each
	}))
	defer s.Close()
	var ids []string
	for i := range 2500 {
		ids = append(ids, strconv.Itoa(i))
	}
	client := Client{URL: s.URL + "/"}
	known, err := client.Known(t.Context(), ids)
	if got := slices.Sorted(maps.Keys(known)); err != nil || strings.Join(got, " ") != "0 1000 2000" || !slices.Equal(asked, []int{1000, 1000, 500}) {
		t.Errorf("known %v, asked %v, %v", got, asked, err)
	}
	for _, status := range []int{http.StatusNotFound, http.StatusMethodNotAllowed} { // ingest alone is there
		answer = status
		if known, err := client.Known(t.Context(), ids); err != nil || len(known) != 0 {
			t.Errorf("status %d: %v, %v", status, known, err)
		}
	}
	answer = http.StatusServiceUnavailable
	if _, err := client.Known(t.Context(), ids); err == nil || !strings.Contains(err.Error(), "the warehouse does not answer") {
		t.Errorf("the warehouse is away: %v", err)
	}
}

func TestAClientShowsItsToken(t *testing.T) {
	var shown []string
	status := http.StatusAccepted
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.Header.Get("Authorization")+r.Header.Get("Cookie"))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, map[bool]string{true: `{"results":[{"status":"accepted"}]}`, false: `{"detail":"the token is not, or no longer, good"}`}[status == http.StatusAccepted])
	}))
	defer web.Close()
	client := Client{URL: web.URL, HTTP: web.Client(), Token: "secret", OnRetry: func(cause error, _ time.Duration) { t.Errorf("sent again: %v", cause) }}
	event := []schemas.Envelope{signIn("220182-court", 0)}
	if err := client.Append(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	for s, kind := range map[int]schemas.ErrorKind{http.StatusUnauthorized: schemas.Unauthenticated, http.StatusForbidden: schemas.Forbidden} {
		status = s
		err := client.Append(t.Context(), event)
		if schemas.KindOf(err) != kind || !strings.Contains(err.Error(), "--token or ZHIBAN_TOKEN") || !strings.Contains(err.Error(), "no longer") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d: %v", s, err)
		}
		if _, err := client.Known(t.Context(), []string{event[0].ID}); schemas.KindOf(err) != kind {
			t.Errorf("%d to a question: %v", s, err)
		}
	}
	for _, s := range shown {
		if s != "Bearer secret" {
			t.Errorf("shown %q", s)
		}
	}
	if len(shown) != 5 {
		t.Errorf("%d requests, expected 5", len(shown))
	}
}
