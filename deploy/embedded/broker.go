package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// broker is a Kafka broker in this process: franz-go's kfake with its files in a
// directory of ours.
type broker struct {
	cluster *kfake.Cluster
	ln      *listener
	addr    string
	dir     string
	log     *slog.Logger

	failOnce sync.Once
	done     chan struct{} // closed when the broker cannot go on
	err      error

	mu         sync.Mutex
	lastWarned time.Time
}

const (
	// maxMessageBytes is the largest batch a partition takes. Kafka's default of
	// 1 MiB is less than one request to the ingest may hold.
	maxMessageBytes = 16 << 20
	// maxRequestBytes is Kafka's own limit (socket.request.max.bytes).
	maxRequestBytes = 100 << 20
)

// brokerConfigs are Kafka's names for what has to differ from its defaults.
var brokerConfigs = map[string]string{
	// The log is the truth: nothing in it may expire. kfake applies retention to
	// every topic as soon as one topic is compacted.
	"log.retention.ms":    "-1",
	"log.retention.bytes": "-1",
	// How far a projection is must not expire either: 100 years. (The largest
	// value Kafka takes overflows in kfake, and everything expires at once.)
	"offsets.retention.minutes":  "52560000",
	"message.max.bytes":          fmt.Sprint(maxMessageBytes),
	"default.replication.factor": "1",
	// Six seconds in Kafka. A test that lets a member die should not take them.
	"group.min.session.timeout.ms": "500",
}

// startBroker checks the broker's files, starts it on ln, and creates those of the
// topics that do not exist, each with its number of partitions. When it fails it
// has closed ln.
func startBroker(dir string, ln net.Listener, topics map[string]int, log *slog.Logger) (*broker, error) {
	b := &broker{
		ln:   &listener{Listener: ln},
		addr: ln.Addr().String(),
		dir:  filepath.Join(dir, "kafka"),
		log:  log,
		done: make(chan struct{}),
	}
	if err := b.open(); err != nil {
		ln.Close()
		return nil, err
	}
	if err := b.createTopics(topics); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *broker) open() error {
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return fmt.Errorf("prepare the log: %w", dirError(b.dir, err))
	}
	if err := checkLog(b.dir, b.log); err != nil {
		return err
	}
	// It lists the members that a group had at an orderly stop, and a group waits
	// for each of them to come back or to time out. They were in this process.
	if err := os.Remove(filepath.Join(b.dir, "session_state.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("prepare the log: %w", dirError(b.dir, err))
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ClusterID("zhiban"),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return b.ln, nil }),
		kfake.DataDir(b.dir),
		kfake.SyncWrites(),
		kfake.BrokerConfigs(brokerConfigs),
		kfake.WithLogger(b),
	)
	if isNoSpace(err) {
		return noSpace(b.dir, err)
	}
	if err != nil {
		return damaged("the log in %s cannot be read (%v)", b.dir, err)
	}
	b.cluster = cluster
	// kfake reads all of the log to start, and keeps none of it in memory.
	debug.FreeOSMemory()
	return nil
}

func (b *broker) createTopics(topics map[string]int) error {
	for topic, partitions := range topics {
		info := b.cluster.TopicInfo(topic)
		if info == nil {
			if err := b.cluster.CreateTopic(topic, int32(partitions), nil); err != nil {
				return fmt.Errorf("create topic %s with %d partitions: %w", topic, partitions, err)
			}
			continue
		}
		if have := len(b.cluster.PartitionInfos(topic)); have != partitions {
			b.log.Warn("topic exists with another number of partitions, which it keeps", "topic", topic, "has", have, "wanted", partitions)
		}
	}
	return nil
}

// close writes the broker's state and ends it.
func (b *broker) close() {
	b.ln.closeConns()
	b.cluster.Close()
	b.ln.closeConns()
}

// Logf is kfake's log. It tells of two things that are told nowhere else.
//
// A batch that could not be written is refused, and the producer gets an error.
//
// A group's entry that could not be written is another matter: kfake answers the
// commit as if it had been. So the connections are cut before that answer goes
// out and the broker ends, which to the committer is a crash before the commit.
func (b *broker) Logf(level kfake.LogLevel, format string, args ...any) {
	if level > kfake.LogLevelWarn {
		return
	}
	text, _, _ := strings.Cut(fmt.Sprintf(format, args...), "\n")
	var full bool
	for _, arg := range args {
		if err, ok := arg.(error); ok && isNoSpace(err) {
			full = true
		}
	}
	if groupEntryLost(format) {
		err := fmt.Errorf("the log cannot record a commit: %s", text)
		if full {
			err = noSpace(b.dir, syscall.ENOSPC)
		}
		b.fail(err)
		return
	}
	// Each refused batch says the same.
	const every = 10 * time.Second
	b.mu.Lock()
	if full && time.Since(b.lastWarned) < every {
		b.mu.Unlock()
		return
	}
	b.lastWarned = time.Now()
	b.mu.Unlock()
	if full {
		b.log.Error("disk full: the log takes no more until there is space", "dir", b.dir, "error", text)
		return
	}
	b.log.Warn("kafka: " + text)
}

// groupEntryLost recognizes kfake's messages about an entry of a group's log.
func groupEntryLost(format string) bool {
	return slices.Contains([]string{"persist group entry open: %v", "persist group entry write: %v"}, format)
}

func (b *broker) fail(err error) {
	b.failOnce.Do(func() {
		b.ln.shut()
		b.err = err
		close(b.done)
	})
}

// checkLoopback refuses an address that other machines reach: the engines trust
// whoever reaches them.
func checkLoopback(engine, addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("address %q for %s: give an address on this machine alone, as 127.0.0.1:PORT", addr, engine)
	}
	return nil
}

func listen(engine, addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, portInUse(engine, addr)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s for %s: %w", addr, engine, err)
	}
	return ln, nil
}
