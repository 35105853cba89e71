package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// Rebuild fills a new version of the tables from the log, from its first record
// on, while the current version goes on to be read and written:
//
//  1. [NewRebuild] creates the tables, or finds those of a rebuild that was
//     interrupted;
//  2. [Rebuild.Fill] projects into them, under a consumer group of their own, by
//     the same protocol, until they have what the current ones have;
//  3. [Rebuild.Compare] compares both at one cut;
//  4. [Rebuild.Switch] makes the new version the current one. The projectors
//     that run go over to it by themselves.
//
// A record that was parked in the current version is parked again, also when it
// can be read by now: what figures of past moments were stays so, and the event
// stands in the log a second time where it was replayed. A rebuild stops at a
// record that nobody could read so far, unless it is told to park it.
type Rebuild struct {
	From, To warehouse.Tables
	cfg      Config
	conn     *warehouse.Conn
	log      *slog.Logger
	accept   bool
	known    map[[2]int64]ParkedRecord // what From parked, by partition and offset
	stop     context.CancelFunc
	done     chan error
}

// NewRebuild prepares a rebuild of what cfg projects. acceptParked lets it pass
// records that cannot be read.
func NewRebuild(ctx context.Context, cfg Config, conn *warehouse.Conn, acceptParked bool, log *slog.Logger) (*Rebuild, error) {
	r := &Rebuild{cfg: cfg.withDefaults(), conn: conn, log: log, accept: acceptParked, known: map[[2]int64]ParkedRecord{}, done: make(chan error, 1)}
	var err error
	if r.From, err = warehouse.Current(ctx, conn); err != nil {
		return nil, err
	}
	newest, err := warehouse.Newest(ctx, conn)
	if err != nil {
		return nil, err
	}
	r.To = warehouse.Tables{Version: max(newest.Version, r.From.Version+1)}
	if err := warehouse.Create(ctx, conn, r.From, r.To); err != nil {
		return nil, err
	}
	parked, err := parkedRecords(ctx, conn, r.From, "true")
	if err != nil {
		return nil, err
	}
	for _, p := range parked {
		r.known[[2]int64{int64(p.Partition), p.Offset}] = p
	}
	return r, nil
}

func (r *Rebuild) judge(m kafka.Message, readErr error) (park, stop error) {
	known, was := r.known[[2]int64{int64(m.Partition), m.Offset}]
	switch {
	case was && (known.Replayed || readErr == nil):
		return errors.New(known.Reason), nil
	case readErr == nil:
		return nil, nil
	case r.accept:
		return readErr, nil
	}
	return nil, fmt.Errorf("offset %d of partition %d cannot be read: %w; upgrade to a program that can, or let the rebuild park it with --accept-parked", m.Offset, m.Partition, readErr)
}

// Fill projects until the new tables have every record that the current ones
// have. progress is told the records done and those there are. The projection
// goes on behind it until Close.
func (r *Rebuild) Fill(ctx context.Context, progress func(done, total int64)) error {
	cfg := r.cfg
	cfg.Tables = r.To
	p, err := New(cfg, r.conn, r.log)
	if err != nil {
		return err
	}
	p.judge = r.judge
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	go func() { r.done <- p.Run(running) }()
	for {
		have, err := head(ctx, r.conn, r.To)
		if err != nil {
			return err
		}
		want, err := head(ctx, r.conn, r.From)
		if err != nil {
			return err
		}
		progress(sum(have), max(sum(have), sum(want)))
		if reaches(have, want) {
			return nil
		}
		select {
		case err := <-r.done:
			r.stop = nil
			if err == nil {
				err = errors.New("the projection ended early")
			}
			return fmt.Errorf("rebuild version %d: %w", r.To.Version, err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// head is the first offset of each partition that a version's ledger does not
// have.
func head(ctx context.Context, conn driver.Conn, t warehouse.Tables) (map[int]int64, error) {
	rows, err := conn.Query(ctx, `SELECT kafka_partition, toInt64(max(last_offset) + 1) FROM `+t.Batches()+` GROUP BY kafka_partition`)
	if err != nil {
		return nil, fmt.Errorf("read the ledger of version %d: %w", t.Version, err)
	}
	defer rows.Close()
	cut := map[int]int64{}
	for rows.Next() {
		var p uint16
		var o int64
		if err := rows.Scan(&p, &o); err != nil {
			return nil, err
		}
		cut[int(p)] = o
	}
	return cut, rows.Err()
}

func sum(cut map[int]int64) (n int64) {
	for _, o := range cut {
		n += o
	}
	return n
}

func reaches(have, want map[int]int64) bool {
	for p, o := range want {
		if have[p] < o {
			return false
		}
	}
	return true
}

// Comparison is what two versions of the tables say at one cut.
type Comparison struct {
	Cut                 map[int]int64
	Events, Postings    int64 // in the new version
	Figures             int64 // compared: indicator × month × place × lawyer
	Differences         []FigureDifference
	More                int64 // differences beyond those listed
	EventsDiffer        []int // partitions whose events are not the same
	OldEvents, OldParks int64
	Parks               int64
}

// Equal tells whether both versions say the same.
func (c Comparison) Equal() bool { return len(c.Differences) == 0 && len(c.EventsDiffer) == 0 }

// FigureDifference is a figure of which the versions disagree. Old and New can be
// equal sums of different postings.
type FigureDifference struct {
	Indicator schemas.IndicatorCode
	Month     string // 2026-09
	Source    string // station or division code
	Lawyer    string
	Old, New  int64
}

// listedDifferences bounds a comparison's list.
const listedDifferences = 100

// Compare compares both versions at the cut that both have: the events one by
// one, in sum for each partition, and every figure with all its dimensions.
func (r *Rebuild) Compare(ctx context.Context) (Comparison, error) {
	c := Comparison{Cut: map[int]int64{}}
	have, err := head(ctx, r.conn, r.To)
	if err != nil {
		return c, err
	}
	want, err := head(ctx, r.conn, r.From)
	if err != nil {
		return c, err
	}
	for p := range have {
		c.Cut[p] = min(have[p], want[p])
	}
	for p := range want {
		c.Cut[p] = min(have[p], want[p])
	}
	in := condition(c.Cut)
	if err := r.compareEvents(ctx, in, &c); err != nil {
		return c, fmt.Errorf("compare the events of versions %d and %d: %w", r.From.Version, r.To.Version, err)
	}
	if err := r.compareFigures(ctx, in, &c); err != nil {
		return c, fmt.Errorf("compare the figures of versions %d and %d: %w", r.From.Version, r.To.Version, err)
	}
	return c, nil
}

func (r *Rebuild) compareEvents(ctx context.Context, in string, c *Comparison) error {
	side := func(t warehouse.Tables) string {
		return `SELECT kafka_partition AS p, count() AS n, sum(cityHash64(kafka_offset, id, type, case_kind, case_key, source, time, recorded, recorded_by, data)) AS h
			FROM ` + t.Events() + ` WHERE ` + in + ` GROUP BY p`
	}
	rows, err := r.conn.Query(ctx, `SELECT p, toInt64(sumIf(n, side = 0)), toInt64(sumIf(n, side = 1)), sumIf(h, side = 0) = sumIf(h, side = 1)
		FROM (SELECT 0 AS side, * FROM (`+side(r.From)+`) UNION ALL SELECT 1 AS side, * FROM (`+side(r.To)+`)) GROUP BY p ORDER BY p`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var partition uint16
		var before, after int64
		var same bool
		if err := rows.Scan(&partition, &before, &after, &same); err != nil {
			return err
		}
		c.OldEvents += before
		c.Events += after
		if !same || before != after {
			c.EventsDiffer = append(c.EventsDiffer, int(partition))
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return r.conn.QueryRow(ctx, `SELECT (SELECT toInt64(count()) FROM `+r.From.Parked()+` WHERE `+in+`), (SELECT toInt64(count()) FROM `+r.To.Parked()+` WHERE `+in+`), (SELECT toInt64(count()) FROM `+r.To.Postings()+` WHERE `+in+`)`).
		Scan(&c.OldParks, &c.Parks, &c.Postings)
}

// compareFigures compares net postings. The weighted sum h tells equal sums of
// different postings apart.
func (r *Rebuild) compareFigures(ctx context.Context, in string, c *Comparison) error {
	side := func(n int, t warehouse.Tables) string {
		return fmt.Sprintf(`SELECT %d AS side, indicator, toYYYYMM(day) AS m, source, lawyer, sum(quantity) AS q,
			sum(quantity * reinterpretAsInt64(cityHash64(day, mode, channel, person_role, organ, trigger, person, due))) AS h
			FROM %s WHERE %s GROUP BY indicator, m, source, lawyer`, n, t.Postings(), in)
	}
	both := `SELECT indicator, m, source, lawyer, sumIf(q, side = 0) AS old, sumIf(q, side = 1) AS new, sumIf(h, side = 0) = sumIf(h, side = 1) AS same
		FROM (` + side(0, r.From) + ` UNION ALL ` + side(1, r.To) + `) GROUP BY indicator, m, source, lawyer`
	var differ int64
	if err := r.conn.QueryRow(ctx, `SELECT toInt64(count()), toInt64(countIf(old != new OR NOT same)) FROM (`+both+`)`).Scan(&c.Figures, &differ); err != nil || differ == 0 {
		return err
	}
	rows, err := r.conn.Query(ctx, `SELECT toString(indicator), toString(m), toString(source), lawyer, old, new FROM (`+both+`) WHERE old != new OR NOT same
		ORDER BY m, indicator, source, lawyer LIMIT ?`, listedDifferences)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var d FigureDifference
		var code, month string
		var lawyer uint64
		if err := rows.Scan(&code, &month, &d.Source, &lawyer, &d.Old, &d.New); err != nil {
			return err
		}
		d.Indicator, d.Month, d.Lawyer = schemas.IndicatorCode(code), month[:4]+"-"+month[4:], schemas.Licence(lawyer).String()
		c.Differences = append(c.Differences, d)
	}
	c.More = differ - int64(len(c.Differences))
	return rows.Err()
}

// condition is a cut as SQL, made of numbers alone.
func condition(cut map[int]int64) string {
	parts := []string{"false"}
	for _, p := range slices.Sorted(maps.Keys(cut)) {
		parts = append(parts, fmt.Sprintf("kafka_partition = %d AND kafka_offset < %d", p, cut[p]))
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// Switch ends the rebuild's own projection, makes the new version the current one, and
// waits until a projector has gone over to it or patience has run out; taken tells which.
func (r *Rebuild) Switch(ctx context.Context, patience time.Duration) (taken bool, err error) {
	if err := r.Close(); err != nil {
		return false, err
	}
	if err := warehouse.Switch(ctx, r.conn, r.To); err != nil {
		return false, err
	}
	client := &kafka.Client{Addr: kafka.TCP(r.cfg.Brokers...), Transport: r.cfg.Transport}
	group := groupOf(r.cfg.Group, r.To)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		res, err := client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
		if err == nil && len(res.Groups) == 1 && len(res.Groups[0].Members) > 0 {
			return true, nil
		}
		if !pause(ctx, 200*time.Millisecond) {
			return false, ctx.Err()
		}
	}
	return false, nil
}

// Close ends the rebuild's own projection.
func (r *Rebuild) Close() error {
	if r.stop == nil {
		return nil
	}
	r.stop()
	r.stop = nil
	return <-r.done
}
