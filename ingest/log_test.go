package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/seal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newLog starts a Kafka cluster with the topic, in this process.
func newLog(t testing.TB, partitions int32, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(partitions, schemas.Topic)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

// newServer starts a server that writes to the cluster.
func newServer(t testing.TB, cluster *kfake.Cluster, change func(*Config)) *Server {
	t.Helper()
	c := Config{Brokers: cluster.ListenAddrs(), Keys: newKeys(t, &memory{content: map[string][]byte{}})}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// newKeys makes a keyring over a table.
func newKeys(t testing.TB, table seal.Table) *seal.Keyring {
	t.Helper()
	file, err := seal.CreateKeyFile(filepath.Join(t.TempDir(), "keys.json"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.New(context.Background(), table, file, file.Pseudonyms())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// memory is a table of keys for tests that are not about it.
type memory struct {
	mu      sync.Mutex
	content map[string][]byte
	refuse  error // what writing answers
}

func (m *memory) Get(key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.content[key]
	return v, ok
}

func (m *memory) Put(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse == nil {
		m.content[key] = value
	}
	return m.refuse
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.content, key)
	return nil
}

func (m *memory) Each(prefix string, do func(string, []byte) bool) {
	m.mu.Lock()
	content := maps.Clone(m.content)
	m.mu.Unlock()
	for key, value := range content {
		if strings.HasPrefix(key, prefix) && !do(key, value) {
			return
		}
	}
}

func (m *memory) Err() error { return nil }

// clerk may write all but what a county or prefecture signs.
var clerk = access.Identity{Account: "clerk", Role: access.Province, Scope: access.ProvinceWide}

// as is a server's API in the name of somebody, as behind the gate.
func as(who access.Identity, s *Server) http.Handler {
	router := mux.NewRouter()
	s.Register(router)
	s.RegisterHealth(router)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		router.ServeHTTP(w, r.WithContext(access.With(r.Context(), who)))
	})
}

// patient is for tests that hold the log back.
func patient(c *Config) { c.AckTimeout = time.Minute }

// post sends a body and returns the answer.
func post(s *Server, mediaType string, body []byte) *httptest.ResponseRecorder {
	return postAs(clerk, s, mediaType, body)
}

func postAs(who access.Identity, s *Server, mediaType string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, EventsPath, bytes.NewReader(body))
	r.Header.Set("Content-Type", mediaType)
	w := httptest.NewRecorder()
	as(who, s).ServeHTTP(w, r)
	return w
}

func postBatch(t testing.TB, s *Server, events ...schemas.Envelope) (int, []Result) {
	t.Helper()
	b, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	w := post(s, BatchMediaType, b)
	return w.Code, results(t, w)
}

func results(t testing.TB, w *httptest.ResponseRecorder) []Result {
	t.Helper()
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("answer %d %s: %v", w.Code, w.Body, err)
	}
	return a.Results
}

// signIn is the sign-in of a new shift at a station; n tells events apart.
func signIn(station string, n int) schemas.Envelope {
	return schemas.Envelope{
		SpecVersion: "1.0", ID: newID(), Source: "/stations/" + station, Type: "zhiban.shift.signed_in.v1", Subject: "shift/" + newID(),
		Time: time.Date(2026, 9, 1, 8, 0, n, 0, schemas.Shanghai).Format(time.RFC3339),
		Data: json.RawMessage(`{"lawyer":"12201201810123456","mode":"onsite","badge":true}`),
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// stations are enough to reach several partitions.
var stations = []string{"220182-court", "220182-detention", "220183-court", "220102-procuratorate", "220284-court", "222401-detention", "22CB01-court", "220781-court"}

// stored reads the whole log: the records of each partition in order.
func stored(t testing.TB, cluster *kfake.Cluster) map[int32][]*kgo.Record {
	t.Helper()
	log := map[int32][]*kgo.Record{}
	want := 0
	offsets := map[int32]kgo.Offset{}
	for _, p := range cluster.PartitionInfos(schemas.Topic) {
		want += int(p.HighWatermark - p.LogStartOffset)
		offsets[p.Partition] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{schemas.Topic: offsets}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for n := 0; n < want; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			log[r.Partition] = append(log[r.Partition], r)
			n++
		})
	}
	return log
}

// inLog returns the ids of the events in the log.
func inLog(t testing.TB, cluster *kfake.Cluster) map[string]int {
	t.Helper()
	ids := map[string]int{}
	for _, records := range stored(t, cluster) {
		for _, r := range records {
			ev, err := schemas.ParseEvent(r.Value)
			if err != nil {
				t.Fatalf("in the log: %v: %s", err, r.Value)
			}
			ids[ev.ID.String()]++
		}
	}
	return ids
}

// produceGate holds produce requests until it is opened, and counts them.
type produceGate struct {
	mu      sync.Mutex
	count   int
	reached chan struct{} // a request is held
	open    chan struct{}
}

func holdProduce(cluster *kfake.Cluster) *produceGate {
	g := &produceGate{reached: make(chan struct{}, 1000), open: make(chan struct{})}
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		g.mu.Lock()
		g.count++
		g.mu.Unlock()
		g.reached <- struct{}{}
		cluster.SleepControl(func() { <-g.open })
		return nil, nil, false
	})
	return g
}

func (g *produceGate) requests() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.count
}

// waitQueued waits until n records are handed to the log and not settled.
func waitQueued(t testing.TB, s *Server, n int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		s.log.mu.Lock()
		queued := s.log.queued
		s.log.mu.Unlock()
		if queued == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d records are queued, expected %d", queued, n)
		}
	}
}

func get(s *Server, path string) (int, string) {
	w := httptest.NewRecorder()
	as(clerk, s).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	b, _ := io.ReadAll(w.Body)
	return w.Code, string(b)
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func statuses(rs []Result) string {
	out := ""
	for _, r := range rs {
		if r.Retry {
			out += "retry "
		} else {
			out += string(r.Status) + " "
		}
	}
	return fmt.Sprint(out)
}
