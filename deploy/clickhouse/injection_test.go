package clickhouse_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/dashboard"
	"zhiban/dashboard/report"
	"zhiban/deploy/clickhouse"
	"zhiban/deploy/embedded"
	"zhiban/projector"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/warehouse"
)

func TestMain(m *testing.M) {
	embedded.ChildMain()
	os.Exit(m.Run())
}

// texts are SQL to a program that would put them into its queries, and script to
// one that would put them into its pages.
var texts = []string{
	`'); DROP TABLE events_v1; --`, `' OR '1'='1`, `x' UNION ALL SELECT name FROM system.users --`, `\'; TRUNCATE TABLE postings_v1; --`,
	`{p:String}`, `?`, `$1`, "`events`", `<script>alert(1)</script>`, "22\x00", `%27%3B`,
}

// code is what a spreadsheet takes for text or a number, never for a formula.
var code = regexp.MustCompile(`^(-?[0-9]+|[A-Za-z0-9][A-Za-z0-9_.:+ -]*)?$`)

// What people and station systems send is data to ClickHouse wherever it goes: in
// an event, in an address. It is shown as it is, breaks no query and changes nothing.
func TestTextIsNeverSQL(t *testing.T) {
	ctx := t.Context()
	e, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Topics: map[string]int{schemas.Topic: 1, schemas.DeadLetterTopic: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := warehouse.Migrate(ctx, e.ClickHouseAs(clickhouse.Migrate).DSN()); err != nil {
		t.Fatal(err)
	}
	open := func(user string) *warehouse.Conn {
		conn, err := warehouse.Open(ctx, e.ClickHouseAs(user).DSN())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	writing, reading := open(clickhouse.Projector), open(clickhouse.Dashboard)

	// Every text is a station's name, a lawyer's and their firm's.
	var messages []kafka.Message
	add := func(source, typ, subject string, data map[string]any) {
		body, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		value, err := json.Marshal(schemas.Envelope{
			SpecVersion: "1.0", ID: fmt.Sprintf("0199a1c2-7d1e-7c3a-9a55-%012d", len(messages)), Source: source, Type: "zhiban." + typ + ".v1", Subject: subject,
			Time: "2026-09-01T08:30:00+08:00", RecordedTime: "2026-09-01T12:00:00.000Z", Data: body,
		})
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, kafka.Message{Key: []byte("220182-court"), Value: value, Time: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)})
	}
	for i, text := range texts {
		if strings.ContainsRune(text, 0) {
			continue // no event holds it
		}
		name := "“" + text + "”" // long enough for a name
		station, licence := fmt.Sprintf("220182-court-%d", i+2), fmt.Sprintf("122012018101234%02d", i)
		add("/stations/"+station, "station.founded", "station/"+station, map[string]any{"code": station, "kind": "court", "name": name, "location": "220182", "reporting": "220182"})
		add("/divisions/220182", "lawyer.enrolled", "lawyer/"+licence, map[string]any{"licence": licence, "name": name, "kind": "private", "firm": name, "division": "220182"})
		add("/stations/"+station, "shift.signed_in", fmt.Sprintf("shift/0199a1c2-7d1e-7c3a-9a56-%012d", i), map[string]any{"lawyer": licence, "mode": "onsite"})
	}
	w := &kafka.Writer{Addr: kafka.TCP(e.Kafka()), Topic: schemas.Topic, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	defer w.Close()
	if err := w.WriteMessages(ctx, messages...); err != nil {
		t.Fatal(err)
	}
	p, err := projector.New(projector.Config{Brokers: []string{e.Kafka()}, Linger: time.Millisecond}, writing, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	projecting, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- p.Run(projecting) }()
	number := func(query string) (n uint64) {
		if err := reading.QueryRow(ctx, query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	rows := func() [2]uint64 {
		return [2]uint64{number("SELECT count() FROM events"), number("SELECT count() FROM postings")}
	}
	for number("SELECT max(last_offset) + 1 FROM batches") < uint64(len(messages)) {
		select {
		case err := <-done:
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	before := rows()
	if before[0] != uint64(len(messages)) || before[1] == 0 {
		t.Fatalf("%d events were sent; rows: %d", len(messages), before)
	}

	var log strings.Builder // what a query that breaks ends in
	figures := report.New(reading)
	pages, err := dashboard.New(dashboard.Config{Log: slog.New(slog.NewTextHandler(&log, nil)), Timeout: time.Minute}, figures)
	if err != nil {
		t.Fatal(err)
	}
	info := access.Identity{Account: "province", Role: access.Province, Scope: access.ProvinceWide}
	limit := access.Limit{Every: time.Nanosecond, Burst: 1e6}
	gate := &access.Gate{Rules: dashboard.Rules(), Limits: access.Limits{Address: limit, Account: limit, Guess: limit}, Log: slog.New(slog.DiscardHandler),
		Session: func(*http.Request) (access.Identity, bool) { return info, true }}
	router := mux.NewRouter()
	router.Use(gate.Middleware)
	pages.Register(router)
	get := func(address string) (status int, kind, body string) {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		r.Header.Set("Accept", "text/html,application/json")
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		return w.Code, w.Header().Get("Content-Type"), w.Body.String()
	}

	asked := 0
	for _, text := range texts {
		value := url.QueryEscape(text)
		var addresses []string
		for path, parameters := range map[string]string{
			"/divisions/220182":                        "month from to as_of view lang",
			"/details":                                 "indicator division station lawyer mode channel person_role organ trigger from to as_of page view",
			"/lawyers":                                 "division as_of q sort",
			"/quality":                                 "division finding from to as_of page",
			"/api/v1/statistics":                       "indicator division station lawyer mode channel person_role organ trigger by compare from to as_of view",
			"/api/v1/postings":                         "indicator division station lawyer mode channel person_role organ trigger from to as_of after limit",
			"/api/v1/postings.csv":                     "indicator division station lawyer mode channel person_role organ trigger from to as_of",
			"/api/v1/stations":                         "division as_of view",
			"/api/v1/lawyers":                          "division as_of q",
			"/api/v1/quality":                          "division finding from to as_of after limit",
			"/api/v1/open-cases":                       "station case as_of",
			"/api/v1/effective-events":                 "source case from to as_of after",
			"/api/v1/slides":                           "division period",
			"/api/v1/returns":                          "division month as_of",
			"/api/v1/returns/220182/2026-09":           "version as_of",
			"/api/v1/lawyers/12201201810123400/record": "year as_of",
		} {
			for _, parameter := range strings.Fields(parameters) {
				others := "indicator=shifts&"
				if parameter == "indicator" {
					others = ""
				}
				addresses = append(addresses, path+"?"+others+parameter+"="+value)
			}
		}
		for _, path := range []string{"/divisions/", "/stations/", "/lawyers/", "/events/", "/returns/220182/", "/api/v1/events/", "/api/v1/lawyers/", "/docs/events/"} {
			addresses = append(addresses, path+url.PathEscape(text))
		}
		for _, address := range addresses {
			asked++
			status, kind, body := get(address)
			if status >= http.StatusInternalServerError || strings.Contains(body, "DB::Exception") || strings.HasPrefix(kind, "text/html") && strings.Contains(body, "<script>alert") {
				t.Errorf("%s: %d %.300s", address, status, body)
			}
		}
	}
	t.Logf("%d addresses", asked)
	if log.Len() > 0 {
		t.Errorf("logged:\n%.2000s", log.String())
	}
	if after := rows(); after != before {
		t.Errorf("there are %d rows, there were %d", after, before)
	}

	// What an office program opens by itself has codes and numbers alone.
	_, _, file := get("/api/v1/postings.csv?indicator=shifts&division=220182&from=2026-09-01&to=2026-09-30")
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file, "\uFEFF"))).ReadAll()
	if err != nil || len(lines) < 2 {
		t.Fatalf("%d lines of CSV, %v: %.500s", len(lines), err, file)
	}
	for _, line := range lines {
		for _, field := range line {
			if !code.MatchString(field) {
				t.Errorf("the CSV has %q", field)
			}
		}
	}

	// What was recorded is shown as it is, and to a browser as text.
	_, _, stations := get("/api/v1/stations?division=220182")
	_, _, lawyers := get("/api/v1/lawyers?division=220182")
	_, _, page := get("/divisions/220182?month=2026-09")
	for _, text := range texts {
		if strings.ContainsRune(text, 0) {
			continue
		}
		name, _ := json.Marshal("“" + text + "”") // as encoding/json and as the API write it
		var plain strings.Builder
		encoder := json.NewEncoder(&plain)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode("“" + text + "”")
		for what, body := range map[string]string{"stations": stations, "lawyers": lawyers} {
			if !strings.Contains(body, string(name)) && !strings.Contains(body, strings.TrimSpace(plain.String())) {
				t.Errorf("%s do not show %s: %.500s", what, name, body)
			}
		}
	}
	if strings.Contains(page, "<script>alert") || !strings.Contains(page, "&lt;script&gt;alert") {
		t.Error("the page of the county does not show the script as text")
	}
}
