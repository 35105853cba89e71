package apache_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zhiban/deploy/embedded"
	apache "zhiban/deploy/kafka"
)

// patience bounds every wait of these tests. It is long because it never decides
// anything: what is waited for either happens or the test fails.
const patience = 2 * time.Minute

// shared is what is started at its first use and ended behind the last test.
type shared[T interface{ Close() }] struct {
	once  sync.Once
	value T
	err   error
	begun bool
}

func (s *shared[T]) get(t testing.TB, start func(ctx context.Context) (T, error)) T {
	t.Helper()
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		s.value, s.err = start(ctx)
		s.begun = s.err == nil
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.value
}

var (
	dir        string
	theEngines shared[closing]
	theCluster shared[*apache.Cluster]
)

// closing are engines whose Close says nothing.
type closing struct{ *embedded.Engines }

func (c closing) Close() { _ = c.Engines.Close() }

// engines are the embedded Kafka and ClickHouse.
func engines(t testing.TB) *embedded.Engines {
	t.Helper()
	return theEngines.get(t, func(ctx context.Context) (closing, error) {
		e, err := embedded.Start(ctx, embedded.Config{Dir: filepath.Join(dir, "embedded")})
		return closing{e}, err
	}).Engines
}

// cluster are three brokers of Apache Kafka. Each test leaves them running.
func cluster(t testing.TB) *apache.Cluster {
	t.Helper()
	c := theCluster.get(t, func(ctx context.Context) (*apache.Cluster, error) {
		return apache.Start(ctx, apache.Config{Dir: filepath.Join(dir, "apache"), Brokers: 3, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.Tail(50))
		}
	})
	return c
}

func TestMain(m *testing.M) {
	embedded.ChildMain()
	if dir := os.Getenv(ownerVariable); dir != "" {
		own(dir)
	}
	if order := os.Getenv(projectorVariable); order != "" {
		runProjector(order)
	}
	os.Exit(func() int {
		var err error
		if dir, err = os.MkdirTemp("", "zhiban-kafka"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		status := m.Run()
		if theCluster.begun {
			theCluster.value.Close()
		}
		if theEngines.begun {
			theEngines.value.Close()
		}
		return status
	}())
}

// eventually asks until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// limited ends when the test does or is out of patience.
func limited(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// syncBuffer is a buffer for several goroutines.
type syncBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
