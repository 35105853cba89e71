package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	kafka "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// Config says which log and which tables are compared.
type Config struct {
	Brokers []string
	// Transport carries TLS and SASL; nil is plain TCP. It stays the caller's.
	Transport *kafka.Transport
	Topic     string // default schemas.Topic
	Conn      driver.Conn
	Tables    warehouse.Tables // zero: the current version

	// Settle is how long rows may stand that no ledger row speaks for, as those of
	// a batch do that is being written, before they are damage. Default 5 s.
	Settle time.Duration

	// Progress, when set, is called now and then with how many records and rows
	// were read of how many. Calls do not overlap.
	Progress func(done, total int64)
	Log      *slog.Logger // nil: silent
}

// The lists of a result are bounded; counters tell how many more there are.
const (
	listed      = 100 // differences, and damages
	listedUnder = 20  // events of each
)

// Run recounts the log and compares. An error means that it could not be done;
// what was found is in the result. Projectors may go on meanwhile: what they add
// lies beyond the cut. Only where one writes a damaged batch again at that very
// time can it be taken for damage, and is found whole by the next run.
func Run(ctx context.Context, cfg Config) (Result, error) {
	v, err := newVerifier(ctx, cfg)
	if err != nil {
		return Result{}, err
	}
	defer v.own.CloseIdleConnections()
	if err := v.run(ctx); err != nil {
		return Result{}, fmt.Errorf("verify version %d of the tables: %w", v.Version, err)
	}
	return v.Result, nil
}

// verifier is a verification at work.
type verifier struct {
	Result
	cfg         Config
	own         *kafka.Transport
	parts       map[int]*part
	below       string // the cut as SQL
	atOnce      int    // partitions read at once
	passRecords int

	mu          sync.Mutex // over what follows, and Damaged
	done, total int64
}

// progressStep is how many records lie between two calls of Config.Progress.
const progressStep = 10_000

func newVerifier(ctx context.Context, cfg Config) (*verifier, error) {
	switch {
	case len(cfg.Brokers) == 0:
		return nil, errors.New("verify: no Kafka brokers given (set --kafka host:port)")
	case cfg.Conn == nil:
		return nil, errors.New("verify: no connection to the warehouse")
	}
	if cfg.Topic == "" {
		cfg.Topic = schemas.Topic
	}
	if cfg.Settle == 0 {
		cfg.Settle = 5 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if cfg.Tables.Version == 0 {
		var err error
		if cfg.Tables, err = warehouse.Current(ctx, cfg.Conn); err != nil {
			return nil, err
		}
	}
	own := &kafka.Transport{}
	if cfg.Transport == nil {
		cfg.Transport = own
	}
	return &verifier{
		cfg: cfg, own: own, parts: map[int]*part{}, atOnce: min(runtime.GOMAXPROCS(0), mostAtOnce), passRecords: passRecords,
		Result: Result{Started: time.Now(), Version: cfg.Tables.Version, Cut: map[int]int64{}},
	}, nil
}

func (v *verifier) run(ctx context.Context) error {
	if err := v.readLedger(ctx); err != nil {
		return err
	}
	if err := v.readParked(ctx); err != nil {
		return err
	}
	if err := v.checkLog(ctx); err != nil {
		return err
	}
	for _, p := range v.parts {
		v.Cut[p.partition] = p.head
		v.Records += p.head
		v.Batches += int64(len(p.batches))
		v.total += p.head * int64(v.passes(p)+1) // the log, and the rows
	}
	v.below = below(v.Cut)
	v.cfg.Log.Info("recounting the log", "version", v.Version, "records", v.Records, "batches", v.Batches)

	recounted, err := v.recount(ctx)
	if err != nil {
		return err
	}
	projected, err := v.projected(ctx)
	if err != nil {
		return err
	}
	var differing []cell
	v.Figures, differing = compare(recounted, projected)
	v.More = int64(max(0, len(differing)-listed))
	differing = differing[:min(len(differing), listed)]
	if err := v.checkTables(ctx); err != nil {
		return err
	}
	if err := v.checkRollUps(ctx); err != nil {
		return err
	}
	if err := v.checkBeyond(ctx); err != nil {
		return err
	}
	if v.Differences, err = v.explain(ctx, differing, recounted, projected); err != nil {
		return err
	}
	slices.SortFunc(v.Damaged, compareDamage)
	v.Ended = time.Now()
	return nil
}

// recount counts the log below the cut, some partitions at once, and remembers
// of each batch what its events hash to.
func (v *verifier) recount(ctx context.Context) (*books, error) {
	all := newBooks()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(v.atOnce)
	for _, p := range v.parts {
		group.Go(func() error {
			b, events, parked := newBooks(), int64(0), int64(0)
			hashes := batchHashes{part: p}
			err := v.cases(ctx, p, func(m kafka.Message, e *schemas.Event, unreadable error) error {
				switch {
				case e == nil:
					parked++
					v.checkParked(p, m)
				case unreadable != nil:
					v.damage(Damage{Partition: p.partition, First: m.Offset, Last: m.Offset, What: text(
						"日志中的记录无法读取，也未转入待处理区："+unreadable.Error(), "a record that cannot be read is not parked either: "+unreadable.Error())})
				default:
					events++
					hashes.add(m, e)
				}
				return nil
			}, func(c schemas.CaseID, history []record) {
				for _, e := range count(c.Kind, facts(history)) {
					b.add(e)
				}
			})
			if err != nil {
				return err
			}
			hashes.finish()
			v.mu.Lock()
			defer v.mu.Unlock()
			v.Events += events
			v.Parked += parked
			all.merge(b)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all.countPersons()
	return all, nil
}

// progress counts n more records or rows as read.
func (v *verifier) progress(n int64) {
	if v.cfg.Progress == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	before := v.done
	v.done += n
	if before/progressStep != v.done/progressStep || v.done == v.total {
		v.cfg.Progress(v.done, v.total)
	}
}

// damage reports one.
func (v *verifier) damage(d Damage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.Damaged) == listed {
		v.MoreDamaged++
		return
	}
	v.Damaged = append(v.Damaged, d)
}

// below is a cut as SQL, made of numbers alone.
func below(cut map[int]int64) string {
	var parts []string
	for p, head := range cut {
		parts = append(parts, fmt.Sprintf("(kafka_partition = %d AND kafka_offset < %d)", p, head))
	}
	if len(parts) == 0 {
		return "false"
	}
	slices.Sort(parts)
	return "(" + strings.Join(parts, " OR ") + ")"
}
