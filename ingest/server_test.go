package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/seal"
)

func TestAnAcceptedEventIsInTheLogInItsNormalForm(t *testing.T) {
	cluster := newLog(t, 6)
	at := time.Date(2026, 9, 1, 0, 31, 2, 417_900_000, time.UTC)
	s := newServer(t, cluster, func(c *Config) { c.now = func() time.Time { return at } })
	w := postAs(access.Identity{Account: `desk "1"`, Role: access.Station, Scope: access.Scope{Station: "220182-court"}}, s, EventMediaType, []byte(`{"specversion":"1.0", "id":"0199A1C2-7d1e-7c3a-9a55-0242ac120002", "source":"/stations/220182-court",
		"type":"zhiban.shift.signed_in.v1", "subject":"shift/0199A1C2-7d1e-7c3a-9a55-0242ac120001", "time":"2026-09-01T08:31:00.1239+08:00",
		"data": { "lawyer" : "12201201810123456", "mode": "onsite",	"badge":true } }`))
	if w.Code != http.StatusAccepted {
		t.Fatalf("answer %d %s", w.Code, w.Body)
	}
	if want := `{"results":[{"id":"0199A1C2-7d1e-7c3a-9a55-0242ac120002","status":"accepted"}]}` + "\n"; w.Body.String() != want {
		t.Errorf("answer %s, expected %s", w.Body, want)
	}
	var all []*kgo.Record
	for _, records := range stored(t, cluster) {
		all = append(all, records...)
	}
	if len(all) != 1 {
		t.Fatalf("%d records in the log, expected 1", len(all))
	}
	r := all[0]
	if want := `{"specversion":"1.0","id":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","source":"/stations/220182-court","type":"zhiban.shift.signed_in.v1",` +
		`"subject":"shift/0199a1c2-7d1e-7c3a-9a55-0242ac120001","time":"2026-09-01T00:31:00.123Z","datacontenttype":"application/json",` +
		`"data":{"lawyer":"12201201810123456","mode":"onsite","badge":true},"recordedtime":"2026-09-01T00:31:02.417Z","recordedby":"desk \"1\""}`; string(r.Value) != want {
		t.Errorf("in the log:\n%s\nexpected\n%s", r.Value, want)
	}
	if string(r.Key) != "220182-court" || !r.Timestamp.Equal(at.Truncate(time.Millisecond)) || len(r.Headers) != 0 {
		t.Errorf("record has key %q, time %s, headers %v", r.Key, r.Timestamp, r.Headers)
	}
	ev, err := schemas.ParseEvent(r.Value)
	if err != nil {
		t.Fatal(err)
	}
	var env schemas.Envelope
	if err := json.Unmarshal(r.Value, &env); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(ev.Envelope(), env); d != "" {
		t.Errorf("not the normal form (-normal +log):\n%s", d)
	}
}

func TestPartitionsAreThoseOfKafkasOwnProducers(t *testing.T) {
	for _, partitions := range []int{1, 6, 12, 300} {
		java := kgo.StickyKeyPartitioner(nil).ForTopic(schemas.Topic)
		for _, d := range schemas.Divisions.All() {
			for _, key := range []string{string(d.Code), string(d.Code) + "-court", string(d.Code) + "-detention-2"} {
				want := java.Partition(&kgo.Record{Key: []byte(key)}, partitions)
				if got := partitionOf(key, partitions); got != want {
					t.Fatalf("%s of %d: partition %d, expected %d", key, partitions, got, want)
				}
			}
		}
	}
}

func TestAnswers(t *testing.T) {
	cluster := newLog(t, 3)
	s := newServer(t, cluster, nil)
	good := mustJSON(t, signIn("220182-court", 0))
	wrong := bytes.Replace(good, []byte("onsite"), []byte("asleep"), 1)
	array := func(events ...[]byte) []byte { return []byte("[" + string(bytes.Join(events, []byte(","))) + "]") }
	for _, tt := range []struct {
		name      string
		mediaType string
		body      []byte
		status    int
		want      string // in the answer
	}{
		{"one event", EventMediaType, good, 202, `"status":"accepted"`},
		{"one event with charset", EventMediaType + "; charset=utf-8", good, 202, `"status":"accepted"`},
		{"one event as plain JSON", "application/json", good, 202, `"status":"accepted"`},
		{"a batch", BatchMediaType, array(good, good), 202, `"status":"accepted"`},
		{"a batch of which one is wrong", BatchMediaType, array(wrong, good), 202, `"location":"data.mode"`},
		{"a wrong event", EventMediaType, wrong, 422, `"location":"data.mode"`},
		{"a batch of wrong events", BatchMediaType, array(wrong, []byte(`7`)), 422, `found a number`},
		{"an empty batch", BatchMediaType, []byte(`[]`), 422, `"results":[]`},
		{"nothing", EventMediaType, nil, 400, "ends too early"},
		{"no JSON", EventMediaType, []byte("id=7"), 400, "not JSON"},
		{"half a batch", BatchMediaType, array(good)[:100], 400, "ends too early"},
		{"a batch with rubbish after it", BatchMediaType, append(array(good), '}'), 400, "not JSON"},
		{"two events in a row", EventMediaType, append(bytes.Clone(good), good...), 400, "something follows"},
		{"one event as a batch", BatchMediaType, good, 400, "not an array"},
		{"a batch as one event", EventMediaType, array(good), 422, "found an array"},
		{"an event that is not UTF-8", BatchMediaType, array(good, bytes.Replace(good, []byte("onsite"), []byte("on\xffsite"), 1)), 202, "invalid UTF-8"},
		{"an event with a name twice", EventMediaType, bytes.Replace(good, []byte(`{`), []byte(`{"id":"x",`), 1), 422, "stands twice"},
		{"text", "text/plain", good, 415, "content type"},
		{"no type", "", good, 415, "content type"},
		{"another charset", EventMediaType + "; charset=gbk", good, 415, "content type"},
		{"1001 events", BatchMediaType, array(bytes.Split([]byte(strings.Repeat("1,", 1000)+"1"), []byte(","))...), 413, "1001 events"},
		{"more than 4 MiB", BatchMediaType, bytes.Repeat([]byte(" "), MaxBatchBytes+1), 413, "4194305 bytes"},
		{"an event over its limit", BatchMediaType, array([]byte(`{"data":"`+strings.Repeat("x", maxEventBytes)+`"}`), good), 202, "at most 524288"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := post(s, tt.mediaType, tt.body)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("answer %d %s, expected %d and %q", w.Code, w.Body, tt.status, tt.want)
			}
			wantType := "application/problem+json"
			if tt.status == 202 || tt.status == 422 {
				wantType = "application/json"
			}
			if got := w.Header().Get("Content-Type"); got != wantType {
				t.Errorf("answer of type %q, expected %q", got, wantType)
			}
		})
	}
	if w := httptest.NewRecorder(); true {
		r := httptest.NewRequest(http.MethodPost, EventsPath, bytes.NewReader(bytes.Repeat([]byte(" "), MaxBatchBytes+1)))
		r.Header.Set("Content-Type", BatchMediaType)
		r.ContentLength = -1
		as(clerk, s).ServeHTTP(w, r)
		if w.Code != 413 {
			t.Errorf("a body of unknown length and more than 4 MiB: %d %s", w.Code, w.Body)
		}
	}
	for header, value := range map[string]string{"Content-Encoding": "gzip", "Ce-Specversion": "1.0"} {
		r := httptest.NewRequest(http.MethodPost, EventsPath, bytes.NewReader(good))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(header, value)
		w := httptest.NewRecorder()
		as(clerk, s).ServeHTTP(w, r)
		if w.Code != 415 {
			t.Errorf("with %s: %s: %d %s, expected 415", header, value, w.Code, w.Body)
		}
	}
	if code, _ := get(s, EventsPath); code != http.StatusMethodNotAllowed {
		t.Errorf("GET %s: %d, expected 405", EventsPath, code)
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	s := newServer(t, newLog(t, 1), nil)
	w := post(s, BatchMediaType, []byte(`[{"id":"seven","type":"zhiban.consultation.recorded.v1","recordedby":"me","data":{"minutes":-1}},
		{"specversion":"1.0","id":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","source":"/stations/220182-court","type":"zhiban.shift.signed_out.v1",
		 "subject":"shift/0199a1c2-7d1e-7c3a-9a55-0242ac120001","time":"2026-09-01T17:00:00+08:00","data":{"lawyer":"12201201810123456"}}]`))
	if w.Code != 202 {
		t.Fatalf("answer %d %s", w.Code, w.Body)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, w.Body.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	const file = "testdata/everything_wrong.json"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); d != "" {
		t.Errorf("differs from %s (-file +now):\n%s", file, d)
	}
}

func TestAnEventTwiceInABatchIsAcceptedTwice(t *testing.T) {
	cluster := newLog(t, 3)
	s := newServer(t, cluster, nil)
	e := signIn("220182-court", 0)
	code, rs := postBatch(t, s, e, e)
	if code != 202 || statuses(rs) != "accepted accepted " || rs[0].ID != e.ID || rs[1].ID != e.ID {
		t.Errorf("answer %d %v", code, rs)
	}
	if n := inLog(t, cluster)[e.ID]; n != 2 {
		t.Errorf("%d times in the log, expected 2", n)
	}
}

func TestOrderIsKeptInEveryPartition(t *testing.T) {
	cluster := newLog(t, 6)
	s := newServer(t, cluster, nil)
	place := map[string]int{} // of an event in what was sent
	for range 3 {
		var batch []schemas.Envelope
		for i := range MaxBatchEvents {
			e := signIn(stations[i%len(stations)], i%60)
			place[e.ID] = len(place)
			batch = append(batch, e)
		}
		if code, _ := postBatch(t, s, batch...); code != 202 {
			t.Fatalf("answer %d", code)
		}
	}
	used := 0
	for p, records := range stored(t, cluster) {
		used++
		last := -1
		for _, r := range records {
			ev, err := schemas.ParseEvent(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			if n := place[ev.ID.String()]; n <= last {
				t.Fatalf("partition %d: event %d after event %d", p, n, last)
			} else {
				last = n
			}
		}
	}
	if used < 3 {
		t.Errorf("only %d partitions were used; the test shows nothing", used)
	}
}

func TestConcurrentRequestsShareProduceRequests(t *testing.T) {
	cluster := newLog(t, 6)
	s := newServer(t, cluster, patient)
	gate := holdProduce(cluster)
	var wg sync.WaitGroup
	send := func(station string) {
		wg.Go(func() {
			if code, rs := postBatch(t, s, signIn(station, 0)); code != 202 {
				t.Errorf("answer %d %v", code, rs)
			}
		})
	}
	send(stations[0])
	<-gate.reached // the first is on its way, and stays there
	const more = 100
	for i := range more {
		send(stations[i%len(stations)])
	}
	waitQueued(t, s, 1+more)
	close(gate.open)
	wg.Wait()
	if n := gate.requests(); n != 2 {
		t.Errorf("%d produce requests for 1 + %d events, expected 2: what arrives while one is on its way is the next", n, more)
	}
	if n := len(inLog(t, cluster)); n != 1+more {
		t.Errorf("%d events in the log, expected %d", n, 1+more)
	}
}

func TestTooMuchIsRefusedWhileTheLogIsSlow(t *testing.T) {
	cluster := newLog(t, 6)
	s := newServer(t, cluster, func(c *Config) { patient(c); c.MaxQueued = MaxBatchEvents })
	gate := holdProduce(cluster)
	var batch []schemas.Envelope
	for i := range MaxBatchEvents - 10 {
		batch = append(batch, signIn(stations[i%len(stations)], 0))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if code, _ := postBatch(t, s, batch...); code != 202 {
			t.Errorf("answer %d", code)
		}
	}()
	<-gate.reached
	refused := func(events ...schemas.Envelope) {
		t.Helper()
		w := post(s, BatchMediaType, mustJSON(t, events))
		if w.Code != 429 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "nothing of this request was taken") {
			t.Errorf("answer %d %v %s, expected 429 with a pause", w.Code, w.Header(), w.Body)
		}
	}
	refused(batch[:11]...) // 10 would do: a request is taken whole or not at all
	go func() { _, _ = postBatch(t, s, batch[:10]...) }()
	waitQueued(t, s, MaxBatchEvents)
	refused(signIn(stations[0], 0))
	close(gate.open)
	<-done
	waitQueued(t, s, 0)
	if s.log.queuedBytes != 0 {
		t.Errorf("%d bytes are queued by no event", s.log.queuedBytes)
	}
	if n := len(inLog(t, cluster)); n != len(batch) {
		t.Errorf("%d events in the log, expected %d", n, len(batch))
	}
	if code, _ := postBatch(t, s, signIn(stations[0], 0)); code != 202 {
		t.Errorf("answer %d after the log went on, expected 202", code)
	}
}

func TestALogThatDoesNotAcknowledge(t *testing.T) {
	for _, tt := range []struct {
		name     string
		err      *kerr.Error
		attempts bool // more than one
	}{
		{"too few replicas", kerr.NotEnoughReplicas, true},
		{"no leader", kerr.LeaderNotAvailable, true},
		{"not allowed", kerr.TopicAuthorizationFailed, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cluster := newLog(t, 6)
			s := newServer(t, cluster, func(c *Config) { c.AckTimeout = 300 * time.Millisecond })
			fault := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: tt.err, Count: -1})
			e, wrong := signIn("220182-court", 0), signIn("220182-court", 0)
			wrong.Time = "yesterday"
			w := post(s, BatchMediaType, mustJSON(t, []schemas.Envelope{e, wrong}))
			if w.Code != 503 || w.Header().Get("Retry-After") == "" {
				t.Errorf("answer %d %v %s, expected 503 with a pause", w.Code, w.Header(), w.Body)
			}
			if got := statuses(results(t, w)); got != "retry rejected " {
				t.Errorf("answer %s", w.Body)
			}
			if hits := fault.Hits(); (hits > 1) != tt.attempts {
				t.Errorf("%d attempts", hits)
			}
			if n := len(inLog(t, cluster)); n != 0 {
				t.Errorf("%d events in the log, expected none", n)
			}
			fault.Remove()
			if code, rs := postBatch(t, s, e); code != 202 {
				t.Errorf("sent again: %d %v, expected 202", code, rs)
			}
		})
	}
}

func TestAFailureThatPassesIsNotSeen(t *testing.T) {
	cluster := newLog(t, 6)
	s := newServer(t, cluster, nil)
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 2})
	e := signIn("220182-court", 0)
	if code, rs := postBatch(t, s, e); code != 202 || statuses(rs) != "accepted " {
		t.Errorf("answer %d %v", code, rs)
	}
	if n := inLog(t, cluster)[e.ID]; n != 1 {
		t.Errorf("%d times in the log, expected 1", n)
	}
}

func TestARetriedWriteMayStandTwiceAndIsTheSame(t *testing.T) {
	cluster := newLog(t, 1)
	var clock sync.Mutex
	at := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	s := newServer(t, cluster, func(c *Config) {
		c.now = func() time.Time {
			clock.Lock()
			defer clock.Unlock()
			at = at.Add(time.Second)
			return at
		}
	})
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend, Count: 1})
	if code, _ := postBatch(t, s, signIn("220182-court", 0)); code != 202 {
		t.Fatalf("answer %d", code)
	}
	records := stored(t, cluster)[0]
	if len(records) != 2 || !bytes.Equal(records[0].Value, records[1].Value) {
		t.Errorf("in the log: %d records, expected the same one twice", len(records))
	}
}

func TestPartOfABatchIsNotAcknowledged(t *testing.T) {
	cluster := newLog(t, 6)
	s := newServer(t, cluster, func(c *Config) { c.AckTimeout = 300 * time.Millisecond })
	down := int32(partitionOf(stations[0], 6))
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: schemas.Topic, Partitions: []int32{down}, Err: kerr.NotEnoughReplicas, Count: -1})
	var batch []schemas.Envelope
	for i := range 40 {
		batch = append(batch, signIn(stations[i%len(stations)], 0))
	}
	w := post(s, BatchMediaType, mustJSON(t, batch))
	if w.Code != 202 {
		t.Fatalf("answer %d %s, expected 202: some were accepted", w.Code, w.Body)
	}
	log := inLog(t, cluster)
	accepted := 0
	for i, r := range results(t, w) {
		isDown := int32(partitionOf(stations[i%len(stations)], 6)) == down
		switch {
		case r.ID != batch[i].ID:
			t.Errorf("result %d is of %s, expected %s", i, r.ID, batch[i].ID)
		case isDown && (r.Status != Rejected || !r.Retry || len(r.Errors) != 1 || log[r.ID] != 0):
			t.Errorf("event %d of the partition that is down: %+v, %d times in the log", i, r, log[r.ID])
		case !isDown && (r.Status != Accepted || r.Retry || log[r.ID] != 1):
			t.Errorf("event %d: %+v, %d times in the log", i, r, log[r.ID])
		case !isDown:
			accepted++
		}
	}
	if accepted == 0 || accepted == len(batch) {
		t.Errorf("%d of %d were accepted; the test shows nothing", accepted, len(batch))
	}
}

func TestWithoutALog(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	addrs := cluster.ListenAddrs()
	short := func(c *Config) { c.AckTimeout = 200 * time.Millisecond }

	t.Run("without its topic", func(t *testing.T) {
		s := newServer(t, cluster, short)
		if code, rs := postBatch(t, s, signIn("220182-court", 0)); code != 503 || statuses(rs) != "retry " {
			t.Errorf("answer %d %v, expected 503", code, rs)
		}
		if code, text := get(s, "/readyz"); code != 503 || strings.Contains(text, addrs[0]) {
			t.Errorf("readyz: %d %s, expected 503 and no address", code, text)
		}
		if err := s.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), schemas.Topic) {
			t.Errorf("%v does not name the topic", err)
		}
		if err := cluster.CreateTopic(schemas.Topic, 3, nil); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if code, _ := get(s, "/readyz"); code == 200 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("not ready, although the topic is there")
			}
		}
		if code, rs := postBatch(t, s, signIn("220182-court", 0)); code != 202 {
			t.Errorf("answer %d %v, expected 202", code, rs)
		}
		cluster.Close()
		if code, _ := postBatch(t, s, signIn("220182-court", 0)); code != 503 {
			t.Errorf("answer %d after the broker went away, expected 503", code)
		}
		if code, _ := get(s, "/readyz"); code != 503 {
			t.Errorf("readyz: %d after the broker went away, expected 503", code)
		}
		if code, _ := get(s, "/healthz"); code != 200 {
			t.Errorf("healthz: %d, expected 200: the process is well", code)
		}
	})
	t.Run("that was never there", func(t *testing.T) {
		s, err := New(Config{Brokers: addrs, AckTimeout: 200 * time.Millisecond, Keys: newKeys(t, &memory{content: map[string][]byte{}})})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if code, _ := postBatch(t, s, signIn("220182-court", 0)); code != 503 {
			t.Errorf("answer %d, expected 503", code)
		}
	})
}

func TestSeveralBrokers(t *testing.T) {
	cluster := newLog(t, 6, kfake.NumBrokers(3))
	s := newServer(t, cluster, nil)
	sent := 0
	for round := range 4 {
		var batch []schemas.Envelope
		for i := range 80 {
			batch = append(batch, signIn(stations[i%len(stations)], 0))
		}
		sent += len(batch)
		if code, rs := postBatch(t, s, batch...); code != 202 || strings.Contains(statuses(rs), "re") {
			t.Errorf("round %d: answer %d %s", round, code, statuses(rs))
		}
		for p := range int32(6) { // leaders move: the old ones refuse
			if err := cluster.MoveTopicPartition(schemas.Topic, p, (cluster.LeaderFor(schemas.Topic, p)+1)%3); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(inLog(t, cluster)); n != sent {
		t.Errorf("%d events in the log, expected %d", n, sent)
	}
	if code, text := get(s, "/readyz"); code != 200 {
		t.Errorf("readyz: %d %s", code, text)
	}
}

func TestRecordedTimeNeverGoesBack(t *testing.T) {
	cluster := newLog(t, 4)
	var clock atomic.Pointer[time.Time]
	s := newServer(t, cluster, func(c *Config) { c.now = func() time.Time { return *clock.Load() } })
	start := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(rt *rapid.T) {
		for _, ms := range rapid.SliceOfN(rapid.IntRange(-100_000, 100_000), 1, 4).Draw(rt, "clock") {
			station := rapid.SampledFrom(stations).Draw(rt, "station")
			clock.Store(new(start.Add(time.Duration(ms) * time.Millisecond)))
			if code, _ := postBatch(t, s, signIn(station, 0)); code != 202 {
				rt.Fatalf("answer %d", code)
			}
		}
	})
	for p, records := range stored(t, cluster) {
		last := time.Time{}
		for _, r := range records {
			ev, err := schemas.ParseEvent(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			if ev.Recorded.Before(last) || !ev.Recorded.Equal(r.Timestamp) {
				t.Fatalf("partition %d offset %d: recorded %s at %s, after %s", p, r.Offset, ev.Recorded, r.Timestamp, last)
			}
			last = ev.Recorded
		}
	}
}

func TestLargeBatchesAreCutToWhatABrokerTakes(t *testing.T) {
	cluster := newLog(t, 1)
	s := newServer(t, cluster, patient)
	gate := holdProduce(cluster)
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = postBatch(t, s, signIn("220182-court", 0)) })
	<-gate.reached
	question := strings.Repeat("q", 20000)
	for range 2 {
		wg.Go(func() {
			var batch []schemas.Envelope
			for range 50 {
				e := signIn("220182-court", 0)
				e.Type, e.Subject = "zhiban.consultation.recorded.v1", "consultation/"+newID()
				e.Data = mustJSON(t, schemas.ConsultationRecorded{Lawyer: "12201201810123456", Channel: "visit", Person: "p-1", PersonRole: "other", Question: question})
				batch = append(batch, e)
			}
			if code, _ := postBatch(t, s, batch...); code != 202 {
				t.Errorf("answer %d", code)
			}
		})
	}
	waitQueued(t, s, 101)
	close(gate.open)
	wg.Wait()
	if n := gate.requests(); n < 1+3 {
		t.Errorf("%d produce requests, expected one and three for 2 MB: batches were not cut", n)
	}
	if n := len(inLog(t, cluster)); n != 101 {
		t.Errorf("%d events in the log, expected 101", n)
	}
}

func TestCloseWritesWhatIsQueued(t *testing.T) {
	cluster := newLog(t, 6)
	s, err := New(Config{Keys: newKeys(t, &memory{content: map[string][]byte{}}), Brokers: cluster.ListenAddrs(), AckTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	gate := holdProduce(cluster)
	var wg sync.WaitGroup
	for _, station := range stations {
		wg.Go(func() {
			if code, _ := postBatch(t, s, signIn(station, 0)); code != 202 {
				t.Errorf("answer %d, expected 202: it was queued before the end", code)
			}
		})
	}
	<-gate.reached
	waitQueued(t, s, len(stations))
	closed := make(chan struct{})
	go func() { defer close(closed); s.Close() }()
	for !s.log.isClosed() {
		time.Sleep(time.Millisecond)
	}
	if code, rs := postBatch(t, s, signIn("220182-court", 0)); code != 503 || !rs[0].Retry {
		t.Errorf("answer %d while closing, expected 503", code)
	}
	close(gate.open)
	wg.Wait()
	<-closed
	if n := len(inLog(t, cluster)); n != len(stations) {
		t.Errorf("%d events in the log, expected %d", n, len(stations))
	}
}

func (a *appender) isClosed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

func TestEventTypesArePublished(t *testing.T) {
	s := newServer(t, newLog(t, 1), nil)
	code, text := get(s, EventTypesPath)
	if code != 200 {
		t.Fatalf("answer %d %s", code, text)
	}
	var published struct {
		EventTypes []struct {
			Name, Case string
			Title      schemas.Text
			Figures    []schemas.IndicatorCode
			Schema     struct{ Type, Title string }
			Example    json.RawMessage
		} `json:"event_types"`
	}
	if err := json.Unmarshal([]byte(text), &published); err != nil {
		t.Fatal(err)
	}
	all := schemas.Catalogue.All()
	if len(published.EventTypes) != len(all) {
		t.Fatalf("%d types, expected %d", len(published.EventTypes), len(all))
	}
	for i, p := range published.EventTypes {
		if p.Name != all[i].Name || p.Title != all[i].Title || p.Schema.Type != "object" || string(p.Example) != all[i].Example {
			t.Errorf("type %d: %+v", i, p)
		}
		for _, code := range all[i].Feeds {
			if !slices.Contains(p.Figures, code) {
				t.Errorf("%s does not say that it changes %s", p.Name, code)
			}
		}
	}
}

func TestConfig(t *testing.T) {
	_, err := New(Config{MaxQueued: 5, AckTimeout: -1})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"brokers:", "max queued is 5", "ack timeout", "keyring"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestPartitionsThatWereAddedAreNoticed(t *testing.T) {
	cluster := newLog(t, 2)
	s := newServer(t, cluster, nil)
	if code, _ := postBatch(t, s, signIn("220182-court", 0)); code != 202 {
		t.Fatalf("answer %d", code)
	}
	admin, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	grow := kmsg.NewCreatePartitionsRequest()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = schemas.Topic, 5
	grow.Topics = append(grow.Topics, topic)
	if _, err := grow.RequestWith(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err := s.Ready(t.Context()); err != nil && strings.Contains(err.Error(), "had 2 when this process began") {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("ready: %v", err)
		}
	}
	if code, _ := postBatch(t, s, signIn("220182-court", 0)); code != 202 {
		t.Errorf("answer %d, expected 202: the old partitions are still there", code)
	}
}

func TestWireFormEqualsTheEnvelope(t *testing.T) {
	for _, ty := range schemas.Catalogue.All() {
		ev := schemas.Event{
			ID: uuid.MustParse(newID()), Source: schemas.Source{Station: "220182-court", Division: "220182"}, Type: ty,
			Case: schemas.CaseID{Kind: ty.Case, Key: "k"}, Time: time.Date(2026, 9, 1, 8, 0, 0, 999_999_999, schemas.Shanghai),
			Data: json.RawMessage(ty.Example), Recorded: time.Date(2026, 9, 2, 0, 0, 0, 0, time.UTC), RecordedBy: "王\u2028\x00\"\\",
		}
		var got schemas.Envelope
		if err := json.Unmarshal(appendRecorded(appendEvent(nil, ev), ev.Recorded, ev.RecordedBy), &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(ev.Envelope(), got); d != "" {
			t.Errorf("%s (-envelope +wire):\n%s", ty.Name, d)
		}
	}
	for in, want := range map[string]string{
		"{ \"a\" : \"x \\\" y\" ,\n\t\"b\":[ 1 , 2 ]}": `{"a":"x \" y","b":[1,2]}`,
		`{"a":1}`: `{"a":1}`,
	} {
		if got := string(appendCompact([]byte("x"), []byte(in))); got != "x"+want {
			t.Errorf("compact %s: %s, expected %s", in, got, want)
		}
	}
}

func ExampleServer() {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(6, schemas.Topic))
	if err != nil {
		panic(err)
	}
	defer cluster.Close()
	dir, err := os.MkdirTemp("", "zhiban")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	file, err := seal.CreateKeyFile(filepath.Join(dir, "keys.json"), time.Now())
	if err != nil {
		panic(err)
	}
	keys, err := seal.New(context.Background(), &memory{content: map[string][]byte{}}, file, file.Pseudonyms())
	if err != nil {
		panic(err)
	}
	server, err := New(Config{Brokers: cluster.ListenAddrs(), Keys: keys})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	web := httptest.NewServer(as(clerk, server))
	defer web.Close()

	client := Client{URL: web.URL, HTTP: web.Client()}
	results, err := client.Send(context.Background(), []schemas.Envelope{{
		SpecVersion: "1.0", ID: "0199a1c2-7d1e-7c3a-9a55-0242ac120002", Source: "/stations/220182-court",
		Type: "zhiban.shift.signed_in.v1", Subject: "shift/0199a1c2-7d1e-7c3a-9a55-0242ac120001", Time: "2026-09-01T08:31:00+08:00",
		Data: json.RawMessage(`{"lawyer":"12201201810123456","mode":"asleep"}`),
	}})
	if err != nil {
		panic(err)
	}
	fmt.Println(results[0].Status, results[0].Errors[0])
	// Output: rejected data.mode: expected value to be one of "onsite, phone, online", found "asleep"
}
