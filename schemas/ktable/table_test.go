package ktable

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"zhiban/deploy/tlstest"
	"zhiban/schemas"
	"zhiban/schemas/kafkaconn"
)

// broker is a broker without topics.
func broker(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, Config) {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster, Config{Brokers: cluster.ListenAddrs(), Topic: "zhiban.test"}
}

func open(t *testing.T, c Config) *Table {
	t.Helper()
	table, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	return table
}

// settle has a table read what others wrote before: its own record comes after.
func settle(t *testing.T, table *Table) {
	t.Helper()
	if err := table.Delete(t.Context(), "nothing"); err != nil {
		t.Fatal(err)
	}
}

func content(table *Table, prefix string) string {
	var out []string
	table.Each(prefix, func(key string, value []byte) bool {
		out = append(out, key+"="+string(value))
		return true
	})
	return strings.Join(out, " ")
}

func TestEveryProcessSeesTheSame(t *testing.T) {
	_, c := broker(t)
	one, two := open(t, c), open(t, c)
	for _, put := range []struct {
		table      *Table
		key, value string
	}{{one, "account/li", "1"}, {two, "account/wang", "2"}, {one, "token/7", "3"}, {two, "account/li", "4"}} {
		if err := put.table.Put(t.Context(), put.key, []byte(put.value)); err != nil {
			t.Fatal(err)
		}
		if got, ok := put.table.Get(put.key); !ok || string(got) != put.value {
			t.Errorf("%s is %q at once", put.key, got)
		}
	}
	if err := one.Delete(t.Context(), "account/wang"); err != nil {
		t.Fatal(err)
	}
	settle(t, two)
	later := open(t, c) // as after a restart
	for i, table := range []*Table{one, two, later} {
		if got := content(table, ""); got != "account/li=4 token/7=3" {
			t.Errorf("table %d holds %s", i, got)
		}
		if got := content(table, "account/"); got != "account/li=4" {
			t.Errorf("table %d holds the accounts %s", i, got)
		}
	}
}

func TestOnlyOneTakesAKey(t *testing.T) {
	_, c := broker(t)
	tables := []*Table{open(t, c), open(t, c), open(t, c)}
	for round := range 5 {
		key := fmt.Sprintf("link/%d", round)
		if err := tables[0].Put(t.Context(), key, []byte("once")); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		got := 0
		var all sync.WaitGroup
		for _, table := range tables {
			for range 3 {
				all.Go(func() {
					value, err := table.Take(t.Context(), key)
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
					}
					if string(value) == "once" {
						got++
					}
				})
			}
		}
		all.Wait()
		if got != 1 {
			t.Errorf("%d took %s", got, key)
		}
	}
}

func TestNothingIsPretendedWhileTheBrokerIsAway(t *testing.T) {
	cluster, c := broker(t)
	table := open(t, c)
	if err := table.Put(t.Context(), "account/li", []byte("1")); err != nil {
		t.Fatal(err)
	}
	cluster.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := table.Put(ctx, "account/li", []byte("2")); schemas.KindOf(err) != schemas.Unavailable {
		t.Errorf("a change without a broker: %v", err)
	}
	if got, _ := table.Get("account/li"); string(got) != "1" {
		t.Errorf("the account is %q", got)
	}
}

func TestAStrangersRecordEndsTheTable(t *testing.T) {
	_, c := broker(t)
	table := open(t, c)
	w := &kafka.Writer{Addr: kafka.TCP(c.Brokers...), Topic: c.Topic, BatchTimeout: time.Nanosecond, RequiredAcks: kafka.RequireAll}
	defer w.Close()
	if err := w.WriteMessages(t.Context(), kafka.Message{Value: []byte("no key")}); err != nil {
		t.Fatal(err)
	}
	err := table.Put(t.Context(), "account/li", []byte("1"))
	if err == nil || !strings.Contains(table.Err().Error(), "offset") {
		t.Errorf("changed behind a stranger's record: %v, %v", err, table.Err())
	}
	if _, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "has no key") {
		t.Errorf("opened behind a stranger's record: %v", err)
	}
}

func TestATopicThatWouldForgetIsRefused(t *testing.T) {
	_, c := broker(t)
	client := &kafka.Client{Addr: kafka.TCP(c.Brokers...)}
	for topic, config := range map[string]kafka.TopicConfig{
		"expires":    {NumPartitions: 1, ReplicationFactor: 1, ConfigEntries: []kafka.ConfigEntry{{ConfigName: "cleanup.policy", ConfigValue: "delete"}}},
		"partitions": {NumPartitions: 3, ReplicationFactor: 1, ConfigEntries: topicConfig},
	} {
		config.Topic, c.Topic = topic, topic
		res, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{config}})
		if err != nil || res.Errors[topic] != nil {
			t.Fatal(err, res)
		}
		if table, err := Open(t.Context(), c); err == nil {
			_ = table.Close()
			t.Errorf("topic %s was taken", topic)
		}
	}
}

func TestWhatCannotBeAKeyOrAValueIsRefused(t *testing.T) {
	_, c := broker(t)
	table := open(t, c)
	for _, put := range []struct{ key, value string }{{"", "1"}, {opened, "1"}, {"account/li", ""}} {
		if err := table.Put(t.Context(), put.key, []byte(put.value)); err == nil {
			t.Errorf("%q=%q was taken", put.key, put.value)
		}
	}
}

// A table of a broker that wants TLS and a login reads and writes by its transport.
func TestATableLogsIn(t *testing.T) {
	authority := tlstest.New(t)
	_, c := broker(t, kfake.TLS(authority.Server(tls.NoClientCert)), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "zhiban", "password"))
	transport, err := kafkaconn.Config{TLS: true, CA: authority.File, SASL: "scram-sha-512", User: "zhiban", Password: "password"}.Transport()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	c.Transport = transport
	one, two := open(t, c), open(t, c)
	if err := one.Put(t.Context(), "user/a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	settle(t, two)
	if got := content(two, ""); got != "user/a=1" {
		t.Errorf("the other table has %q", got)
	}
}
