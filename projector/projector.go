// Package projector folds the log into the warehouse, each event exactly once.
//
// A [Projector] is a member of a Kafka consumer group. For every partition it
// is assigned it works through these steps, batch by batch:
//
//  1. seal: a batch ends at a number of rows or bytes, when it has waited long
//     enough, or when the year of recording changes;
//  2. intent: the group's offset is committed as the batch's first, with
//     metadata "epoch:first-last". The broker refuses a member whose generation
//     has passed, so a projector that lost its partition stops here: the fence;
//  3. insert: parked, events and postings, each one block under the
//     deduplication token "table:topic:partition:epoch:first-last";
//  4. ledger: one row in batches with range, counts and digest. Readers see the
//     batch from this moment on;
//  5. commit: the group's offset moves behind the batch.
//
// Whoever is assigned a partition next finds a pending intent in the offset's
// metadata and does the same batch again, with the same boundaries and tokens,
// so whatever had landed is absorbed. See [recovery] for what is checked first.
package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas"
	"zhiban/schemas/kafkaconn"
	"zhiban/schemas/warehouse"
)

// Config says where the log is and how batches are cut. Zero values take the
// defaults of [Config.withDefaults].
type Config struct {
	Brokers []string
	// Transport carries TLS and SASL, for reading as for writing; nil is plain TCP.
	// It stays the caller's.
	Transport   *kafka.Transport
	Group       string        // consumer group; one group is one projection
	Topic       string        // default schemas.Topic
	DeadLetters string        // default schemas.DeadLetterTopic
	BatchRows   int           // most events a batch
	BatchBytes  int           // most bytes a batch
	Linger      time.Duration // longest wait from a batch's first event to its seal
	CachedCases int           // case histories kept in memory, per partition

	// Tables is the version to write; zero is the current one, also after a
	// rebuild has switched to another.
	Tables warehouse.Tables

	// Signal, when set, is called behind each step of the protocol, in the
	// goroutine that takes it: tests stop the projector there.
	Signal func(step Step, partition int)

	SessionTimeout   time.Duration // a silent projector is given up after this
	RebalanceTimeout time.Duration // how long the others wait for it to rejoin
}

// Step is a step of the protocol, for [Config.Signal].
type Step string

// The steps in their order.
const (
	Sealed    Step = "sealed"
	Buried    Step = "buried" // the dead letters are written
	Intended  Step = "intended"
	Parked    Step = "parked"
	Evented   Step = "evented"
	Posted    Step = "posted"
	Ledgered  Step = "ledgered"
	Committed Step = "committed"
)

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&c.Linger, 250*time.Millisecond)
	set(&c.SessionTimeout, 6*time.Second)
	set(&c.RebalanceTimeout, 2*time.Second)
	if c.Group == "" {
		c.Group = "zhiban-projector"
	}
	if c.Topic == "" {
		c.Topic = schemas.Topic
	}
	if c.DeadLetters == "" {
		c.DeadLetters = schemas.DeadLetterTopic
	}
	if c.BatchRows == 0 {
		c.BatchRows = 25_000
	}
	if c.BatchBytes == 0 {
		c.BatchBytes = 16 << 20
	}
	if c.CachedCases == 0 {
		c.CachedCases = 5_000
	}
	if c.Transport == nil {
		c.Transport = &kafka.Transport{}
	}
	if c.Signal == nil {
		c.Signal = func(Step, int) {}
	}
	return c
}

// Projector is one member of the projection's group.
type Projector struct {
	cfg       Config
	conn      *warehouse.Conn
	client    *kafka.Client
	log       *slog.Logger
	read      func([]byte) (schemas.Event, error) // how a record is understood
	judge     judge
	projected prometheus.Counter
	buried    prometheus.Counter
}

// New prepares a projector that writes through conn.
func New(cfg Config, conn *warehouse.Conn, log *slog.Logger) (*Projector, error) {
	cfg = cfg.withDefaults()
	if len(cfg.Brokers) == 0 {
		return nil, errors.New("projector: no Kafka brokers given (set --kafka host:port)")
	}
	return &Projector{
		cfg: cfg, conn: conn, log: log, read: schemas.ParseEvent, judge: parkUnreadable,
		client:    &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: cfg.Transport},
		projected: prometheus.NewCounter(prometheus.CounterOpts{Name: "zhiban_projected_events_total", Help: "Events projected into the warehouse."}),
		buried:    prometheus.NewCounter(prometheus.CounterOpts{Name: "zhiban_parked_events_total", Help: "Events sent to the dead letters."}),
	}, nil
}

// Collectors are the projector's metrics.
func (p *Projector) Collectors() []prometheus.Collector {
	return []prometheus.Collector{p.projected, p.buried}
}

// Run projects until ctx ends. It rejoins the group after every rebalance and
// after every failure, and follows a rebuild to the version of the tables that it
// switched to. It returns nil when ctx ended it; only a rebuild ends by itself,
// at a record that it may not pass.
func (p *Projector) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		tables, err := p.current(ctx)
		if err == nil {
			err = p.fill(ctx, tables)
		}
		if stop := (impassable{}); errors.As(err, &stop) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			p.log.Warn("projection interrupted; trying again", "err", err)
			if !pause(ctx, time.Second) {
				return nil
			}
		}
	}
	return nil
}

// current is the version of the tables to fill.
func (p *Projector) current(ctx context.Context) (warehouse.Tables, error) {
	if p.cfg.Tables.Version > 0 {
		return p.cfg.Tables, nil
	}
	return warehouse.Current(ctx, p.conn)
}

// groupOf is the consumer group that fills a version of the tables.
func groupOf(base string, t warehouse.Tables) string {
	if t.Version == 1 {
		return base
	}
	return fmt.Sprintf("%s-v%d", base, t.Version)
}

// switchPoll is how often a projector asks whether a rebuild has switched.
const switchPoll = 2 * time.Second

// fill projects into a version of the tables until ctx ends or another version
// has become the current one.
func (p *Projector) fill(ctx context.Context, tables warehouse.Tables) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if p.cfg.Tables.Version == 0 {
		go func() {
			for pause(ctx, switchPoll) {
				if now, err := warehouse.Current(ctx, p.conn); err == nil && now != tables {
					p.log.Info("going over to another version of the tables", "from", tables.Version, "to", now.Version)
					stop(nil)
				}
			}
		}()
	}
	err := p.join(ctx, tables, func(gen *kafka.Generation) {
		for _, a := range gen.Assignments[p.cfg.Topic] {
			w := p.worker(gen, a.ID, tables)
			gen.Start(func(ctx context.Context) {
				if err := w.run(ctx); err != nil {
					stop(err)
				}
			})
		}
	})
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// judge decides on a record of the log before it is projected: readErr is why it
// cannot be read, nil when it can. park is the reason to park it; stop ends the
// projection there.
type judge func(m kafka.Message, readErr error) (park, stop error)

func parkUnreadable(_ kafka.Message, readErr error) (park, stop error) { return readErr, nil }

// impassable ends a projection at a record.
type impassable struct{ error }

// join is a member of the tables' group until ctx ends and starts the work of
// every generation.
func (p *Projector) join(ctx context.Context, tables warehouse.Tables, start func(*kafka.Generation)) error {
	id := groupOf(p.cfg.Group, tables)
	if err := p.dismissDead(ctx, id); err != nil {
		return err
	}
	dialer := kafkaconn.Dialer(p.cfg.Transport)
	dialer.ClientID = thisProcess().clientID()
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: id, Brokers: p.cfg.Brokers, Topics: []string{p.cfg.Topic},
		Dialer:         dialer,
		SessionTimeout: p.cfg.SessionTimeout, RebalanceTimeout: p.cfg.RebalanceTimeout,
		HeartbeatInterval: p.cfg.SessionTimeout / 6, JoinGroupBackoff: 200 * time.Millisecond,
		WatchPartitionChanges: true,
		StartOffset:           kafka.FirstOffset,
		ErrorLogger: kafka.LoggerFunc(func(format string, args ...any) {
			p.log.Debug("consumer group", "message", fmt.Sprintf(format, args...))
		}),
	})
	if err != nil {
		return fmt.Errorf("join consumer group %s: %w", id, err)
	}
	defer group.Close()
	for {
		gen, err := group.Next(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, kafka.ErrGroupClosed):
			return nil
		case err != nil:
			p.log.Warn("join consumer group", "group", id, "err", err)
			continue
		}
		start(gen)
	}
}

// pause waits, and tells whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
