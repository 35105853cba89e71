package apache_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"

	apache "zhiban/deploy/kafka"
)

// write appends values to partition 0 of a topic, acknowledged by all replicas that
// are in sync.
func write(t testing.TB, brokers []string, topic string, values ...string) {
	t.Helper()
	w := &kafka.Writer{
		Addr: kafka.TCP(brokers...), Topic: topic, Transport: transport(t), RequiredAcks: kafka.RequireAll,
		BatchTimeout: time.Millisecond, MaxAttempts: 100, WriteBackoffMax: 200 * time.Millisecond,
	}
	defer w.Close()
	var messages []kafka.Message
	for _, v := range values {
		messages = append(messages, kafka.Message{Value: []byte(v)})
	}
	if err := w.WriteMessages(limited(t), messages...); err != nil {
		t.Fatal(err)
	}
}

// read returns all that is in a partition.
func read(t testing.TB, brokers []string, topic string, partition int) []kafka.Message {
	t.Helper()
	ctx := limited(t)
	client := &kafka.Client{Addr: kafka.TCP(brokers...), Transport: transport(t)}
	var end int64
	eventually(t, "the leader of "+topic+" says where its log ends", func() bool {
		res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(partition)}}})
		if err != nil || len(res.Topics[topic]) != 1 || res.Topics[topic][0].Error != nil {
			return false
		}
		end = res.Topics[topic][0].LastOffset
		return true
	})
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: brokers, Topic: topic, Partition: partition, MaxBytes: 16 << 20, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	var out []kafka.Message
	for int64(len(out)) < end {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			t.Fatalf("read record %d of %d of partition %d: %v", len(out), end, partition, err)
		}
		out = append(out, m)
	}
	return out
}

func values(messages []kafka.Message) []string {
	var out []string
	for _, m := range messages {
		out = append(out, string(m.Value))
	}
	return out
}

// ownerVariable tells a process of this test that it is to own a broker in the
// directory it names.
const ownerVariable = "ZHIBAN_TEST_KAFKA_OWNER"

// own starts a broker, writes to it, prints its address, and never ends.
func own(dir string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := apache.Start(ctx, apache.Config{Dir: dir})
	if err == nil {
		err = c.CreateTopic(ctx, "kept", 1, 1, 1)
	}
	if err == nil {
		w := &kafka.Writer{Addr: kafka.TCP(c.Bootstrap()...), Topic: "kept", RequiredAcks: kafka.RequireAll}
		err = w.WriteMessages(ctx, kafka.Message{Value: []byte("acknowledged")})
	}
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println(c.Bootstrap()[0])
	select {}
}

func TestABrokerDiesWithItsOwnerAndItsDataStays(t *testing.T) {
	dir := t.TempDir()
	owner := exec.Command("/proc/self/exe")
	owner.Env = append(os.Environ(), ownerVariable+"="+dir)
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	_ = owner.Process.Kill()
	_ = owner.Wait()
	if err != nil || strings.HasPrefix(line, "failed") {
		t.Fatal(line, err)
	}
	addr := strings.TrimSpace(line)
	eventually(t, "nobody listens at "+addr, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})

	c := start(t, dir, 1)
	write(t, c.Bootstrap(), "kept", "written later")
	if got := values(read(t, c.Bootstrap(), "kept", 0)); !slices.Equal(got, []string{"acknowledged", "written later"}) {
		t.Errorf("the log holds %q", got)
	}
}

// start starts a cluster for one test.
func start(t *testing.T, dir string, brokers int) *apache.Cluster {
	t.Helper()
	ctx := limited(t)
	c, err := apache.Start(ctx, apache.Config{Dir: dir, Brokers: brokers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.Tail(50))
		}
		c.Close()
	})
	return c
}

func TestALeaderIsKilledAndComesBack(t *testing.T) {
	c := cluster(t)
	topic := fmt.Sprintf("led.%d", named.Add(1))
	if err := c.CreateTopic(limited(t), topic, 1, 3, 2); err != nil {
		t.Fatal(err)
	}
	write(t, c.Bootstrap(), topic, "by all three")
	first, err := c.Leader(limited(t), topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.Kill(first)
	write(t, c.Bootstrap(), topic, "by the other two")
	second, err := c.Leader(limited(t), topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	if second == first {
		t.Errorf("broker %d was killed and leads", first)
	}
	if err := c.Restart(limited(t), first); err != nil {
		t.Fatal(err)
	}
	if err := c.InSync(limited(t), topic); err != nil {
		t.Fatal(err)
	}
	// Now the one that was dead must have it all.
	c.Kill(second)
	if got := values(read(t, c.Bootstrap(), topic, 0)); !slices.Equal(got, []string{"by all three", "by the other two"}) {
		t.Errorf("the log holds %q", got)
	}
	if err := c.Restart(limited(t), second); err != nil {
		t.Fatal(err)
	}
}

func TestWrongConfigurations(t *testing.T) {
	for _, c := range []struct {
		config apache.Config
		want   string
	}{
		{apache.Config{}, "give a directory"},
		{apache.Config{Dir: t.TempDir(), Brokers: 2}, "give 1 or 3"},
	} {
		if _, err := apache.Start(t.Context(), c.config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.config, err, c.want)
		}
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	for _, c := range []struct{ variable, want string }{
		{"JAVA_HOME", "apt install default-jre-headless"},
		{"ZHIBAN_CACHE", "run `make kafka`"},
	} {
		t.Run(c.variable, func(t *testing.T) {
			t.Setenv(c.variable, t.TempDir())
			if _, err := apache.Start(t.Context(), apache.Config{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
