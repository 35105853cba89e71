package ktable

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"zhiban/schemas"
	"zhiban/schemas/kafkaconn"
)

// opened is the key of the tombstone that a process writes when it opens a table.
const opened = ".opened"

// byHeader carries what tells a process its own records.
const byHeader = "by"

// Table is a topic's content. It is safe for concurrent use.
type Table struct {
	topic  string
	writer *kafka.Writer
	reader *kafka.Reader
	cancel context.CancelFunc
	ended  chan struct{} // closed when following has ended
	own    *kafka.Transport

	mu      sync.RWMutex
	content map[string][]byte
	waiting map[string]chan []byte // by what wrote the record; receives what the key held before
	away    error                  // why the reader last could not read; nil once it has
	err     error                  // why following ended
}

// Open reads a topic to its end and follows it from then on, until Close. A topic
// that is not there is created: one partition, compacted. ctx bounds the opening
// alone.
func Open(ctx context.Context, c Config) (*Table, error) {
	own := &kafka.Transport{}
	transport := c.Transport
	if transport == nil {
		transport = own
	}
	if err := prepare(ctx, c, transport); err != nil {
		own.CloseIdleConnections()
		return nil, fmt.Errorf("open table %s: %w", c.Topic, err)
	}
	following, cancel := context.WithCancel(context.Background())
	t := &Table{
		topic: c.Topic,
		own:   own,
		writer: &kafka.Writer{
			Addr: kafka.TCP(c.Brokers...), Topic: c.Topic, Transport: transport, RequiredAcks: kafka.RequireAll,
			BatchTimeout: time.Nanosecond, MaxAttempts: 3, WriteBackoffMin: 20 * time.Millisecond, WriteBackoffMax: 200 * time.Millisecond,
		},
		reader: kafka.NewReader(kafka.ReaderConfig{
			Brokers: c.Brokers, Topic: c.Topic, Partition: 0, Dialer: kafkaconn.Dialer(transport),
			MinBytes: 1, MaxBytes: 16 << 20, MaxWait: 250 * time.Millisecond, MaxAttempts: 1,
			ReadBackoffMin: 10 * time.Millisecond, ReadBackoffMax: 500 * time.Millisecond,
		}),
		cancel:  cancel,
		ended:   make(chan struct{}),
		content: map[string][]byte{},
		waiting: map[string]chan []byte{},
	}
	go t.follow(following)
	if _, err := t.change(ctx, opened, nil); err != nil {
		_ = t.Close() // what went wrong is told already
		return nil, fmt.Errorf("open table %s: %w", c.Topic, err)
	}
	return t, nil
}

// Get is the value of a key. It is shared: do not change it.
func (t *Table) Get(key string) (value []byte, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	value, ok = t.content[key]
	return value, ok
}

// Each calls do with every key that begins with prefix and its value, in order of
// keys, until do returns false. It shows the table as it is when Each begins.
func (t *Table) Each(prefix string, do func(key string, value []byte) bool) {
	found := map[string][]byte{}
	t.mu.RLock()
	for key, value := range t.content {
		if strings.HasPrefix(key, prefix) {
			found[key] = value
		}
	}
	t.mu.RUnlock()
	for _, key := range slices.Sorted(maps.Keys(found)) {
		if !do(key, found[key]) {
			return
		}
	}
}

// Put sets a key's value, which must not be empty. When it returns nil, Get
// answers it, or what another process has put since.
func (t *Table) Put(ctx context.Context, key string, value []byte) error {
	if len(value) == 0 {
		return fmt.Errorf("put %q into table %s: it has no value, which would delete it", key, t.topic)
	}
	if err := t.checkKey(key); err != nil {
		return err
	}
	_, err := t.change(ctx, key, value)
	return err
}

// Delete removes a key; one that is not there is removed already.
func (t *Table) Delete(ctx context.Context, key string) error {
	_, err := t.Take(ctx, key)
	return err
}

// Take removes a key and returns the value that it held; nil when it held none,
// as when another took it first: exactly one of all processes gets a value.
func (t *Table) Take(ctx context.Context, key string) ([]byte, error) {
	if err := t.checkKey(key); err != nil {
		return nil, err
	}
	return t.change(ctx, key, nil)
}

func (t *Table) checkKey(key string) error {
	if key == "" || key == opened {
		return fmt.Errorf("table %s: %q cannot be a key", t.topic, key)
	}
	return nil
}

// Err is why the table is not followed any more: a record that cannot be read, or
// Close. It is nil while all is well and while the broker is merely away.
func (t *Table) Err() error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.err
}

// Close ends following, which takes up to 250 ms.
func (t *Table) Close() error {
	t.cancel()
	<-t.ended
	err := errors.Join(t.writer.Close(), t.reader.Close())
	t.own.CloseIdleConnections()
	return err
}

// change writes a record and returns what the key held just before it, in the
// topic's order.
func (t *Table) change(ctx context.Context, key string, value []byte) ([]byte, error) {
	by := make([]byte, 16)
	_, _ = rand.Read(by) // never fails
	before := make(chan []byte, 1)
	t.mu.Lock()
	t.waiting[string(by)] = before
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		delete(t.waiting, string(by))
		t.mu.Unlock()
	}()
	if err := t.Err(); err != nil {
		return nil, t.unavailable(err)
	}
	message := kafka.Message{Key: []byte(key), Value: value, Headers: []kafka.Header{{Key: byHeader, Value: by}}}
	if err := t.writer.WriteMessages(ctx, message); err != nil {
		return nil, t.unavailable(err)
	}
	select {
	case old := <-before:
		return old, nil
	case <-t.ended:
		return nil, t.unavailable(t.Err())
	case <-ctx.Done():
		t.mu.RLock()
		defer t.mu.RUnlock()
		return nil, t.unavailable(errors.Join(ctx.Err(), t.away))
	}
}

func (t *Table) unavailable(err error) error {
	var failed kafka.WriteErrors // says only how many failed
	if errors.As(err, &failed) {
		err = errors.Join(failed...)
	}
	return schemas.Errorf(schemas.Unavailable, "topic %s does not take the change: %w", t.topic, err)
}

var errClosed = errors.New("the table is closed")

// follow applies the topic's records in their order.
func (t *Table) follow(ctx context.Context) {
	defer close(t.ended)
	for next := int64(0); ; {
		m, err := t.reader.FetchMessage(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, io.EOF):
			t.end(errClosed)
			return
		case err != nil: // the reader tries again by itself
			t.mu.Lock()
			t.away = err
			t.mu.Unlock()
			continue
		case m.Offset < next: // delivered again after reconnecting
			continue
		case len(m.Key) == 0:
			t.end(fmt.Errorf("the record at offset %d of topic %s has no key: it is not zhiban's; find out who writes to the topic", m.Offset, t.topic))
			return
		}
		next = m.Offset + 1
		t.apply(m)
	}
}

func (t *Table) end(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = err
}

func (t *Table) apply(m kafka.Message) {
	key := string(m.Key)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.away = nil
	before := t.content[key]
	if len(m.Value) == 0 {
		delete(t.content, key)
	} else {
		t.content[key] = m.Value
	}
	for _, h := range m.Headers {
		if h.Key != byHeader {
			continue
		}
		if waiting, ok := t.waiting[string(h.Value)]; ok {
			waiting <- before
			delete(t.waiting, string(h.Value)) // written twice, it counts once
		}
	}
}
