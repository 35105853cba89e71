package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"
)

// Config says where the engines run.
type Config struct {
	// Dir holds all that the engines keep. It is created when missing, and one
	// process at a time can have it.
	Dir string
	// Library is the path of libchdb.so; when empty, FindLibrary looks for it.
	Library string
	// KafkaAddr and ClickHouseAddr are where the engines listen: an address on
	// loopback with a port, or with port 0 for any free one, which is what an empty
	// string means. The data is not tied to the ports.
	KafkaAddr      string
	ClickHouseAddr string
	// Topics maps the topics that are to exist to their number of partitions.
	// Those that exist stay as they are.
	Topics map[string]int
	// Log is where the engines' warnings go; nil drops them.
	Log *slog.Logger
}

const freeLoopback = "127.0.0.1:0"

// Validate fills in defaults and reports what cannot work.
func (c *Config) Validate() error {
	if c.Dir == "" {
		return errors.New("no data directory: choose one with --data")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return fmt.Errorf("data directory %s: %w", c.Dir, err)
	}
	c.Dir = dir
	if c.KafkaAddr == "" {
		c.KafkaAddr = freeLoopback
	}
	if c.ClickHouseAddr == "" {
		c.ClickHouseAddr = freeLoopback
	}
	if err := errors.Join(checkLoopback("Kafka", c.KafkaAddr), checkLoopback("ClickHouse", c.ClickHouseAddr)); err != nil {
		return err
	}
	for topic, partitions := range c.Topics {
		if topic == "" || partitions < 1 {
			return fmt.Errorf("topic %q with %d partitions: give it a name and at least one", topic, partitions)
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return nil
}

// Engines are a running broker and a running ClickHouse.
type Engines struct {
	lock      *os.File
	broker    *broker
	warehouse *warehouse

	closeOnce sync.Once
	done      chan struct{}
	mu        sync.Mutex
	err       error
}

// Start starts both engines and returns when both answer, all topics exist, and
// ClickHouse has the database. ctx bounds the start alone: the engines run until
// Close.
func Start(ctx context.Context, cfg Config) (*Engines, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the data directory: %w", dirError(cfg.Dir, err))
	}
	lock, err := lockDir(ctx, cfg.Dir)
	if err != nil {
		return nil, err
	}
	e := &Engines{lock: lock, done: make(chan struct{})}
	if err := e.start(ctx, cfg); err != nil {
		return nil, errors.Join(err, e.end())
	}
	go e.watch()
	return e, nil
}

// start first finds out what costs nothing to find out, then starts the engines at
// the same time.
func (e *Engines) start(ctx context.Context, cfg Config) error {
	library, err := FindLibrary(cfg.Library)
	if err != nil {
		return err
	}
	forClickHouse, err := listen("ClickHouse", cfg.ClickHouseAddr)
	if err != nil {
		return err
	}
	ln, err := listen("Kafka", cfg.KafkaAddr)
	if err != nil {
		forClickHouse.Close()
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		e.broker, err = startBroker(cfg.Dir, ln, cfg.Topics, cfg.Log)
		return err
	})
	group.Go(func() (err error) {
		e.warehouse, err = startWarehouse(ctx, cfg.Dir, library, forClickHouse, e.lock, cfg.Log)
		return err
	})
	return group.Wait()
}

// watch waits for an engine to end, be it by Close.
func (e *Engines) watch() {
	var err error
	select {
	case <-e.broker.done:
		err = e.broker.err
	case <-e.warehouse.done:
		err = e.warehouse.err
	}
	e.mu.Lock()
	e.err = err
	e.mu.Unlock()
	close(e.done)
}

// Done is closed when an engine has ended: after Close, or for good, for the
// reason that Err gives. The other engine then still runs until Close.
func (e *Engines) Done() <-chan struct{} { return e.done }

// Err says why an engine ended for good. It is nil while both run and after an
// orderly Close.
func (e *Engines) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Kafka returns the address of the broker, host:port, to bootstrap from.
func (e *Engines) Kafka() string { return e.broker.addr }

// ClickHouse returns how to reach ClickHouse, with all rights on the databases
// zhiban*. It is the same for as long as the engines run, also after ClickHouse
// was restarted.
func (e *Engines) ClickHouse() ClickHouse { return e.warehouse.conn }

// ClickHouseAs returns how to reach it as one of the users that a server has, too
// (see zhiban/deploy/clickhouse), with the least rights on the database zhiban. The
// password is another one at every start. A user that there is not is a mistake in
// the program, and panics.
func (e *Engines) ClickHouseAs(user string) ClickHouse {
	c, ok := e.warehouse.users[user]
	if !ok {
		panic("embedded: there is no user " + user)
	}
	return c
}

// Close ends both engines, which takes some 60 ms. Whoever uses them should have
// ended before: what is under way is cut off. The reason that Err gives, if any, is
// not repeated here.
func (e *Engines) Close() error {
	var err error
	e.closeOnce.Do(func() {
		err = e.end()
		<-e.done
	})
	return err
}

// end ends what was started.
func (e *Engines) end() error {
	var group errgroup.Group
	if e.broker != nil {
		group.Go(func() error { e.broker.close(); return nil })
	}
	if e.warehouse != nil {
		group.Go(func() error { e.warehouse.close(); return nil })
	}
	return errors.Join(group.Wait(), e.lock.Close())
}

var errClosed = errors.New("the engines are closed")

// KillClickHouse ends ClickHouse as a crash would and returns when it is gone. It
// is started again at once, at the same address: see WaitClickHouse. For tests.
func (e *Engines) KillClickHouse() { e.warehouse.kill() }

// WaitClickHouse returns when ClickHouse answers, or will not any more.
func (e *Engines) WaitClickHouse(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-e.warehouse.done:
			cancel(cmp.Or(e.warehouse.err, errClosed))
		case <-ctx.Done():
		}
	}()
	conn, err := clickhouse.Open(e.warehouse.options())
	if err != nil {
		return fmt.Errorf("connect to ClickHouse: %w", err)
	}
	defer conn.Close()
	return ping(ctx, conn)
}
