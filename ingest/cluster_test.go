package ingest

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"zhiban/schemas"
)

// TestApacheKafka writes to a cluster of one's own, for example three brokers
// of Apache Kafka, named in ZHIBAN_TEST_BROKERS (host:port,host:port,…). Brokers
// may be stopped and started while it runs: what was accepted must be there.
// ZHIBAN_TEST_SECONDS makes it run longer than the usual second.
func TestApacheKafka(t *testing.T) {
	brokers := strings.FieldsFunc(os.Getenv("ZHIBAN_TEST_BROKERS"), func(r rune) bool { return r == ',' })
	if len(brokers) == 0 {
		t.Skip("ZHIBAN_TEST_BROKERS names no cluster")
	}
	length := time.Second
	if s := os.Getenv("ZHIBAN_TEST_SECONDS"); s != "" {
		var err error
		if length, err = time.ParseDuration(s + "s"); err != nil {
			t.Fatal(err)
		}
	}
	topic := "zhiban.test." + newID()
	admin, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	create := kmsg.NewCreateTopicsRequest()
	row := kmsg.NewCreateTopicsRequestTopic()
	row.Topic, row.NumPartitions, row.ReplicationFactor = topic, 6, int16(min(3, len(brokers)))
	if len(brokers) >= 3 {
		two := "2"
		row.Configs = append(row.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: "min.insync.replicas", Value: &two})
	}
	create.Topics = append(create.Topics, row)
	if created, err := create.RequestWith(t.Context(), admin); err != nil || created.Topics[0].ErrorCode != 0 {
		t.Fatalf("create topic %s: %v, %+v", topic, err, created)
	}
	s, err := New(Config{Brokers: brokers, Topic: topic})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for deadline := time.Now().Add(30 * time.Second); s.Ready(t.Context()) != nil; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %v", s.Ready(t.Context()))
		}
	}

	var mu sync.Mutex
	accepted, sent := map[string]bool{}, 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for end := time.Now().Add(length); time.Now().Before(end); {
				var batch []schemas.Envelope
				for i := range 100 {
					batch = append(batch, signIn(stations[i%len(stations)], i%60))
				}
				_, results := postBatch(t, s, batch...)
				mu.Lock()
				sent += len(results)
				for _, r := range results {
					if r.Status == Accepted {
						accepted[r.ID] = true
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()

	reader, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	missing, records := len(accepted), 0
	found, recorded := map[string]bool{}, map[int32]time.Time{}
	for missing > 0 {
		fetches := reader.PollFetches(ctx)
		if ctx.Err() != nil {
			break
		}
		fetches.EachRecord(func(r *kgo.Record) {
			records++
			ev, err := schemas.ParseEvent(r.Value)
			if err != nil {
				t.Fatalf("in the log: %v: %s", err, r.Value)
			}
			if ev.Recorded.Before(recorded[r.Partition]) {
				t.Errorf("partition %d: recorded %s after %s", r.Partition, ev.Recorded, recorded[r.Partition])
			}
			recorded[r.Partition] = ev.Recorded
			id := ev.ID.String()
			if accepted[id] && !found[id] {
				missing--
			}
			found[id] = true
		})
	}
	t.Logf("%d events sent, %d accepted, %d records, %d different", sent, len(accepted), records, len(found))
	if missing > 0 {
		t.Errorf("%d accepted events are not in the log", missing)
	}
	if len(accepted) == 0 {
		t.Error("nothing was accepted; the test shows nothing")
	}
}
