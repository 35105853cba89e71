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
//  3. insert: events and postings, each one block under the deduplication token
//     "table:topic:partition:epoch:first-last";
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

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas"
)

// Config says where the log is and how batches are cut. Zero values take the
// defaults of [Config.withDefaults].
type Config struct {
	Brokers     []string
	Group       string        // consumer group; one group is one projection
	Topic       string        // default schemas.Topic
	DeadLetters string        // default schemas.DeadLetterTopic
	BatchRows   int           // most events a batch
	BatchBytes  int           // most bytes a batch
	Linger      time.Duration // longest wait from a batch's first event to its seal
	CachedCases int           // case histories kept in memory, per partition

	SessionTimeout   time.Duration // a silent projector is given up after this
	RebalanceTimeout time.Duration // how long the others wait for it to rejoin
}

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
	return c
}

// Projector is one member of the projection's group.
type Projector struct {
	cfg    Config
	conn   driver.Conn
	client *kafka.Client
	log    *slog.Logger
	events prometheus.Counter
	parked prometheus.Counter
}

// New prepares a projector that writes through conn.
func New(cfg Config, conn driver.Conn, log *slog.Logger) (*Projector, error) {
	cfg = cfg.withDefaults()
	if len(cfg.Brokers) == 0 {
		return nil, errors.New("projector: no Kafka brokers given (set --kafka host:port)")
	}
	return &Projector{
		cfg: cfg, conn: conn, log: log,
		client: &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: &kafka.Transport{}},
		events: prometheus.NewCounter(prometheus.CounterOpts{Name: "zhiban_projected_events_total", Help: "Events projected into the warehouse."}),
		parked: prometheus.NewCounter(prometheus.CounterOpts{Name: "zhiban_parked_events_total", Help: "Events sent to the dead letters."}),
	}, nil
}

// Collectors are the projector's metrics.
func (p *Projector) Collectors() []prometheus.Collector {
	return []prometheus.Collector{p.events, p.parked}
}

// Run projects until ctx ends. It rejoins the group after every rebalance and
// after every failure, and returns nil when ctx ended it.
func (p *Projector) Run(ctx context.Context) error {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: p.cfg.Group, Brokers: p.cfg.Brokers, Topics: []string{p.cfg.Topic},
		SessionTimeout: p.cfg.SessionTimeout, RebalanceTimeout: p.cfg.RebalanceTimeout,
		HeartbeatInterval: p.cfg.SessionTimeout / 6, JoinGroupBackoff: 200 * time.Millisecond,
		WatchPartitionChanges: true,
		StartOffset:           kafka.FirstOffset,
		ErrorLogger: kafka.LoggerFunc(func(format string, args ...any) {
			p.log.Debug("consumer group", "message", fmt.Sprintf(format, args...))
		}),
	})
	if err != nil {
		return fmt.Errorf("join consumer group %s: %w", p.cfg.Group, err)
	}
	defer group.Close()
	for {
		gen, err := group.Next(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, kafka.ErrGroupClosed):
			return nil
		case err != nil:
			p.log.Warn("join consumer group", "group", p.cfg.Group, "err", err)
			continue
		}
		for _, a := range gen.Assignments[p.cfg.Topic] {
			w := p.worker(gen, a.ID)
			gen.Start(func(ctx context.Context) { w.run(ctx) })
		}
	}
}
