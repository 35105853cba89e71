package apache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"
)

// Config says what cluster to start.
type Config struct {
	Dir     string       // for data and logs; kept, and used again by the next Start
	Brokers int          // 1 or 3; zero: 1
	Log     *slog.Logger // hears of starts and deaths; nil: nobody does
	// Secure adds a listener with TLS and a login; see [Cluster.Secure].
	Secure *Secure
}

// Secure is a listener that takes who speaks TLS and logs in by PLAIN,
// SCRAM-SHA-256 or SCRAM-SHA-512. A cluster's users are those of its first start.
type Secure struct {
	Cert, Key string // the brokers' certificate and its key (PKCS #8), PEM files
	// ClientCA, when given, is a PEM file with the authorities that the clients'
	// certificates are of, and every client must show one.
	ClientCA string
	Users    map[string]string // password by user
}

// Validate says what is wrong with the configuration and how to mend it.
func (c Config) Validate() error {
	if c.Dir == "" {
		return errors.New("configuration of Apache Kafka: dir: give a directory for its data")
	}
	if !slices.Contains([]int{0, 1, 3}, c.Brokers) {
		return fmt.Errorf("configuration of Apache Kafka: brokers: %d, give 1 or 3", c.Brokers)
	}
	if c.Secure != nil && (c.Secure.Cert == "" || c.Secure.Key == "" || len(c.Secure.Users) == 0) {
		return errors.New("configuration of Apache Kafka: secure: give a certificate, its key and a user")
	}
	return nil
}

// Cluster is a running cluster. Brokers are counted from 0. Its methods may be
// called by several goroutines at once.
type Cluster struct {
	brokers []*broker
	log     *slog.Logger
}

// Start starts a cluster and returns when every broker takes requests and knows all
// others. A directory that a cluster of the same size had before goes on with its
// data. ctx bounds the start alone: the brokers run until Close.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	java, err := findJava()
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{log: cfg.Log}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	for i := range max(cfg.Brokers, 1) {
		c.brokers = append(c.brokers, newBroker(i+1, filepath.Join(dir, strconv.Itoa(i+1)), java, cfg.Secure))
	}
	if err := c.start(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("start Apache Kafka: %w", err)
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	if err := takePorts(c.brokers); err != nil {
		return err
	}
	began := time.Now()
	var group errgroup.Group
	for _, b := range c.brokers {
		group.Go(func() error {
			if err := b.configure(c.brokers); err != nil {
				return err
			}
			return b.start()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range c.brokers {
		if err := c.ready(ctx, i, len(c.brokers)); err != nil {
			return err
		}
	}
	c.log.Info("Apache Kafka is up", "brokers", c.Bootstrap(), "took", time.Since(began))
	return nil
}

// Bootstrap returns the brokers' addresses, host:port.
func (c *Cluster) Bootstrap() []string {
	var addrs []string
	for _, b := range c.brokers {
		addrs = append(addrs, b.addr)
	}
	return addrs
}

// Secure returns the addresses of the listeners with TLS and a login, host:port.
func (c *Cluster) Secure() []string {
	var addrs []string
	for _, b := range c.brokers {
		if b.secure != nil {
			addrs = append(addrs, b.secureAddr)
		}
	}
	return addrs
}

// CreateTopic creates a topic and returns when every broker that runs knows the
// leaders of all its partitions. A write with acks=all needs minInsync replicas.
func (c *Cluster) CreateTopic(ctx context.Context, topic string, partitions, replication, minInsync int) error {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(c.Bootstrap()...), Transport: transport}
	res, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: topic, NumPartitions: partitions, ReplicationFactor: replication,
		ConfigEntries: []kafka.ConfigEntry{{ConfigName: "min.insync.replicas", ConfigValue: strconv.Itoa(minInsync)}},
	}}})
	if err == nil {
		err = res.Errors[topic]
	}
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	for i, b := range c.brokers {
		if !b.running() {
			continue
		}
		err := c.await(ctx, i, func(m *kafka.MetadataResponse) error { return led(m, topic, partitions) }, topic)
		if err != nil {
			return fmt.Errorf("create topic %s: %w", topic, err)
		}
	}
	return nil
}

// led tells what is missing until all partitions of a topic have their leaders.
func led(m *kafka.MetadataResponse, topic string, partitions int) error {
	for _, t := range m.Topics {
		if t.Name != topic {
			continue
		}
		if t.Error != nil {
			return t.Error
		}
		if len(t.Partitions) < partitions {
			return fmt.Errorf("%d of %d partitions are known", len(t.Partitions), partitions)
		}
		for _, p := range t.Partitions {
			if p.Error != nil {
				return fmt.Errorf("partition %d: %w", p.ID, p.Error)
			}
		}
		return nil
	}
	return kafka.UnknownTopicOrPartition
}

// Leader returns the broker that leads a partition, as the brokers that run have it.
// It waits while the partition has none, and while it is one that does not run.
func (c *Cluster) Leader(ctx context.Context, topic string, partition int) (int, error) {
	leader := -1
	from := slices.IndexFunc(c.brokers, (*broker).running)
	if from < 0 {
		return 0, errors.New("no broker of Apache Kafka runs")
	}
	err := c.await(ctx, from, func(m *kafka.MetadataResponse) error {
		if err := led(m, topic, partition+1); err != nil {
			return err
		}
		for _, t := range m.Topics {
			for _, p := range t.Partitions {
				if p.ID == partition {
					leader = p.Leader.ID - 1
				}
			}
		}
		if !c.brokers[leader].running() {
			return fmt.Errorf("broker %d leads and does not run", leader)
		}
		return nil
	}, topic)
	if err != nil {
		return 0, fmt.Errorf("leader of partition %d of %s: %w", partition, topic, err)
	}
	return leader, nil
}

// InSync waits until every replica of every partition of a topic is in sync.
func (c *Cluster) InSync(ctx context.Context, topic string) error {
	for i, b := range c.brokers {
		if !b.running() {
			continue
		}
		err := c.await(ctx, i, func(m *kafka.MetadataResponse) error {
			if err := led(m, topic, 1); err != nil {
				return err
			}
			for _, t := range m.Topics {
				for _, p := range t.Partitions {
					if len(p.Isr) < len(p.Replicas) {
						return fmt.Errorf("partition %d: %d of %d replicas are in sync", p.ID, len(p.Isr), len(p.Replicas))
					}
				}
			}
			return nil
		}, topic)
		if err != nil {
			return fmt.Errorf("replicas of %s: %w", topic, err)
		}
	}
	return nil
}

// Kill kills a broker (SIGKILL) and returns when it is dead. Its data stays.
func (c *Cluster) Kill(i int) {
	c.brokers[i].kill()
	c.log.Info("broker of Apache Kafka killed", "broker", c.brokers[i].addr)
}

// Restart starts a broker that was killed, at the address it had, and returns when
// it takes requests again; its replicas may still be catching up (see InSync).
func (c *Cluster) Restart(ctx context.Context, i int) error {
	began := time.Now()
	err := c.brokers[i].start()
	if err == nil {
		err = c.ready(ctx, i, 1)
	}
	if err != nil {
		return fmt.Errorf("restart broker %d of Apache Kafka: %w", i, err)
	}
	c.log.Info("broker of Apache Kafka is up again", "broker", c.brokers[i].addr, "took", time.Since(began))
	return nil
}

// Tail returns the last lines of each broker's log, for the message of a test that
// failed.
func (c *Cluster) Tail(lines int) string {
	var out strings.Builder
	for _, b := range c.brokers {
		fmt.Fprintf(&out, "%s:\n%s\n", b.logFile(), b.tail(lines))
	}
	return out.String()
}

// Close kills all brokers. Their data stays.
func (c *Cluster) Close() {
	for _, b := range c.brokers {
		b.kill()
	}
}

// ready waits until a broker takes requests and knows of as many brokers.
func (c *Cluster) ready(ctx context.Context, i, brokers int) error {
	return c.await(ctx, i, func(m *kafka.MetadataResponse) error {
		if len(m.Brokers) < brokers {
			return fmt.Errorf("it knows %d of %d brokers", len(m.Brokers), brokers)
		}
		return nil
	})
}

// await asks a broker for its metadata until there is nothing missing in it.
func (c *Cluster) await(ctx context.Context, i int, missing func(*kafka.MetadataResponse) error, topics ...string) error {
	b := c.brokers[i]
	var last error
	for {
		m, err := b.metadata(ctx, topics)
		if err == nil {
			if err = missing(m); err == nil {
				return nil
			}
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-b.ended():
			return fmt.Errorf("broker at %s ended; %s ends with\n%s", b.addr, b.logFile(), b.tail(20))
		case <-ctx.Done():
			return fmt.Errorf("broker at %s: %w, last %w; %s ends with\n%s", b.addr, context.Cause(ctx), cmp.Or(last, err), b.logFile(), b.tail(20))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// takePorts finds free ports for each broker.
func takePorts(brokers []*broker) error {
	host := loopback()
	for _, b := range brokers {
		for _, at := range []struct {
			addr *string
			host string
		}{
			{&b.addr, host}, {&b.controller, host},
			{&b.secureAddr, "127.0.0.1"}, // certificates are for it
		} {
			l, err := net.Listen("tcp", net.JoinHostPort(at.host, "0"))
			if err != nil {
				return fmt.Errorf("find a free port: %w", err)
			}
			defer l.Close() // held until all are found, so that they differ
			*at.addr = l.Addr().String()
		}
	}
	return nil
}
