package apache_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/mux"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/ingest"
	"zhiban/ingest/simulate"
	"zhiban/projector"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/ktable"
	"zhiban/schemas/seal"
	"zhiban/schemas/warehouse"
)

// engine is a Kafka that the platform is tried on.
type engine struct {
	name    string
	brokers []string
	create  func(ctx context.Context, topic string, partitions int) error
}

// eachEngine runs a test against the embedded broker and against Apache Kafka.
func eachEngine(t *testing.T, test func(t *testing.T, e engine)) {
	t.Run("embedded", func(t *testing.T) {
		addr := engines(t).Kafka()
		test(t, engine{"embedded", []string{addr}, func(ctx context.Context, topic string, partitions int) error {
			client := &kafka.Client{Addr: kafka.TCP(addr), Transport: transport(t)}
			res, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}}})
			if err == nil {
				err = res.Errors[topic]
			}
			return err
		}})
	})
	t.Run("Apache", func(t *testing.T) { test(t, apacheEngine(t)) })
}

// apacheEngine is the cluster, with topics on all three brokers of which one may be
// missing.
func apacheEngine(t *testing.T) engine {
	c := cluster(t)
	return engine{"Apache", c.Bootstrap(), func(ctx context.Context, topic string, partitions int) error {
		return c.CreateTopic(ctx, topic, partitions, 3, 2)
	}}
}

// transport is a client's connections for one test. It soon learns of new leaders.
func transport(t testing.TB) *kafka.Transport {
	tr := &kafka.Transport{MetadataTTL: 200 * time.Millisecond}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

var named atomic.Int32

// newLog creates a log for one test.
func (e engine) newLog(t testing.TB, partitions int) (topic string) {
	t.Helper()
	ctx := limited(t)
	topic = fmt.Sprintf("%s.%d", schemas.Topic, named.Add(1))
	if err := e.create(ctx, topic, partitions); err != nil {
		t.Fatal(err)
	}
	return topic
}

// newIngest is an ingest server before a log, and a client of it.
func (e engine) newIngest(t testing.TB, topic string) *ingest.Client {
	t.Helper()
	table, err := ktable.Open(t.Context(), ktable.Config{Brokers: e.brokers, Topic: topic + ".keys"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	file, err := seal.CreateKeyFile(filepath.Join(t.TempDir(), "keys"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.New(t.Context(), table, file, file.Pseudonyms())
	if err != nil {
		t.Fatal(err)
	}
	s, err := ingest.New(ingest.Config{Brokers: e.brokers, Topic: topic, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	router := mux.NewRouter()
	s.Register(router)
	who := access.Identity{Account: "test", Role: access.Province, Scope: access.ProvinceWide}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		router.ServeHTTP(w, r.WithContext(access.With(r.Context(), who)))
	}))
	t.Cleanup(h.Close)
	return &ingest.Client{URL: h.URL, HTTP: h.Client(), Patience: patience}
}

// send has the ingest server take events, all of them.
func send(t testing.TB, c *ingest.Client, events []schemas.Envelope) {
	t.Helper()
	results, err := c.Send(t.Context(), events)
	if err != nil {
		t.Error(err)
	}
	for _, r := range results {
		if r.Status != ingest.Accepted {
			t.Errorf("event %s: %+v", r.ID, r)
		}
	}
}

// week is a simulated week of a prefecture, with events that come twice, and what
// it amounts to.
func week(t testing.TB) ([]schemas.Envelope, *simulate.Truth) {
	t.Helper()
	sim, err := simulate.New(simulate.Config{From: schemas.Date(2026, 3, 2), To: schemas.Date(2026, 3, 8), Seed: 5, Scale: 1, Division: "220200"})
	if err != nil {
		t.Fatal(err)
	}
	var events []schemas.Envelope
	for e := range sim.Events() {
		events = append(events, e)
	}
	return events, sim.Truth(schemas.Date(2026, 3, 31))
}

// logged returns the events of all partitions, each partition's in order.
func (e engine) logged(t testing.TB, topic string, partitions int) [][]schemas.Event {
	t.Helper()
	out := make([][]schemas.Event, partitions)
	for p := range partitions {
		for _, m := range read(t, e.brokers, topic, p) {
			event, err := schemas.ParseEvent(m.Value)
			if err != nil {
				t.Fatalf("offset %d of partition %d: %v", m.Offset, p, err)
			}
			out[p] = append(out[p], event)
		}
	}
	return out
}

// newWarehouse is an empty database, and its address.
func newWarehouse(t testing.TB) (*warehouse.Conn, string) {
	t.Helper()
	main := engines(t).ClickHouse().DSN()
	server, err := warehouse.Open(t.Context(), main)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	name := fmt.Sprintf("zhiban%d", named.Add(1))
	if err := server.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	dsn := main[:strings.LastIndex(main, "/")+1] + name
	if err := warehouse.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	conn, err := warehouse.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, dsn
}

// projecting says how a projector is started, here or in a process of its own.
type projecting struct {
	Brokers   []string
	Topic     string // also the group
	Warehouse string
	KillAt    projector.Step // where it kills itself, when it comes there for the third time
}

func (p projecting) start(ctx context.Context, signal func(projector.Step, int)) error {
	conn, err := warehouse.Open(ctx, p.Warehouse)
	if err != nil {
		return err
	}
	defer conn.Close()
	pr, err := projector.New(projector.Config{
		Brokers: p.Brokers, Group: p.Topic, Topic: p.Topic, DeadLetters: p.Topic + ".dead",
		BatchRows: 50, Linger: 20 * time.Millisecond, SessionTimeout: 12 * time.Second, RebalanceTimeout: 5 * time.Second, Signal: signal,
	}, conn, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return pr.Run(ctx)
}

// encoded is the order for a process of its own.
func (p projecting) encoded(t testing.TB) string {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
