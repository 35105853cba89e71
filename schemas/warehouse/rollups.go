package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/pressly/goose/v3"
)

// SpanOffsets is how many offsets of a partition that follow each other are one
// span: sums are kept by span, so that one that a cut divides can be left out.
// Smaller spans leave less to read from the postings themselves; of this size a
// hundred million events have two or three a month and partition.
const SpanOffsets = 131_072

// MomentOffsets is how many offsets are one span of the table of moments.
const MomentOffsets = 8192

// A rollUp is a table of what the rows of another amount to. A materialized view
// adds to it what is inserted there, under the same deduplication token.
//
//   - monthly: sums of a month and place, with all that is not a person or lawyer;
//   - monthly_lawyers: sums of a month and lawyer;
//   - moments: of [MomentOffsets] offsets the newest recording, by which a moment's cut is
//     found, and the last place, which tells what there may be above a cut: events
//     are inserted before their postings.
//
// What is removed from the other table must be from its roll-ups, too ([Unroll]).
// Maxima only grow: a place has the same event whenever it is written.
type rollUp struct {
	name, of string
	span     int      // offsets
	keys     []column // in the order of the table, before kafka_partition and span
	figures  []column
	by       string // what it is partitioned by
	settings string
	summed   bool // figures are sums, not maxima
}

// column is one of a roll-up, by name, type and what it is made of.
type column struct{ name, is, of string }

const word = "LowCardinality(String) CODEC(ZSTD(1))"

var (
	month    = column{"month", "Date CODEC(ZSTD(1))", "toStartOfMonth(day)"}
	quantity = column{"quantity", "SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1))", "sum(quantity)"}

	monthly = rollUp{
		name: "monthly", of: "postings", span: SpanOffsets, summed: true, figures: []column{quantity}, settings: "index_granularity = 4096",
		keys: []column{month, {"indicator", word, "indicator"}, {"source", word, "source"}, {"mode", word, "mode"},
			{"channel", word, "channel"}, {"person_role", word, "person_role"}, {"organ", word, "organ"}},
	}
	// A lawyer's year is a few rows of each indicator; a ranking is all rows of some.
	monthlyLawyers = rollUp{
		name: "monthly_lawyers", of: "postings", span: SpanOffsets, summed: true, figures: []column{quantity}, by: "toYear(month)",
		settings: "index_granularity = 1024, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1", // a year that is over is one part
		keys:     []column{{"indicator", word, "indicator"}, {"lawyer", "UInt64 CODEC(ZSTD(1))", "lawyer"}, month, {"source", word, "source"}},
	}
	moments = rollUp{
		name: "moments", of: "events", span: MomentOffsets, settings: "index_granularity = 8192",
		figures: []column{
			{"newest", "SimpleAggregateFunction(max, DateTime64(3, 'Asia/Shanghai')) CODEC(Delta, ZSTD(1))", "max(recorded)"},
			{"last", "SimpleAggregateFunction(max, UInt64) CODEC(Delta, ZSTD(1))", "max(kafka_offset)"},
		},
	}
	rollUps = []rollUp{monthly, monthlyLawyers, moments}
)

// Sums is a table of sums of postings by month and span of the log. Month is its
// column of a month's first day; Columns are those of postings that it has besides
// indicator, kafka_partition and quantity.
type Sums struct {
	Table   string
	Columns []string
}

// Sums are the tables of sums, the smaller first.
func (t Tables) Sums() []Sums {
	var out []Sums
	for _, r := range rollUps {
		if !r.summed {
			continue
		}
		s := Sums{Table: r.table(t)}
		for _, c := range r.keys {
			if c.name == c.of && c.name != "indicator" {
				s.Columns = append(s.Columns, c.name)
			}
		}
		out = append(out, s)
	}
	return out
}

// Moments is the table of the newest recording and the last place of each span of
// events: columns kafka_partition, span (of [MomentOffsets]), newest and last.
func (t Tables) Moments() string { return moments.table(t) }

// RollUps are all tables that are made of others.
func (t Tables) RollUps() []string {
	var out []string
	for _, r := range rollUps {
		out = append(out, r.table(t))
	}
	return out
}

func (r rollUp) table(t Tables) string { return t.named(r.name) }

func (r rollUp) view(t Tables) string { return t.named("to_" + r.name) }

func (r rollUp) columns() []column {
	at := []column{
		{"kafka_partition", "UInt16 CODEC(ZSTD(1))", "kafka_partition"},
		{"span", "UInt32 CODEC(T64, ZSTD(1))", r.spanOf()},
	}
	return append(append(append([]column(nil), r.keys...), at...), r.figures...)
}

// rows are what the roll-up has of the rows of its table that meet a condition.
func (r rollUp) rows(t Tables, where string) string {
	var selected []string
	for _, c := range r.columns() {
		selected = append(selected, c.of+" AS "+c.name)
	}
	return "SELECT " + strings.Join(selected, ", ") + " FROM " + t.named(r.of) + " WHERE " + where + " GROUP BY " + strings.Join(r.names(), ", ")
}

// names are those of the key.
func (r rollUp) names() []string {
	var out []string
	for _, c := range r.columns()[:len(r.keys)+2] {
		out = append(out, c.name)
	}
	return out
}

// create are the statements that make the roll-up of the rows that there are, and what
// adds to it from then on.
func (r rollUp) create(t Tables) []string {
	var columns, names []string
	for _, c := range r.columns() {
		columns, names = append(columns, c.name+" "+c.is), append(names, c.name)
	}
	return []string{
		"DROP VIEW IF EXISTS " + r.view(t), "DROP TABLE IF EXISTS " + r.table(t) + " SYNC", // of an interrupted run
		"CREATE TABLE " + r.table(t) + " (" + strings.Join(columns, ", ") + ") ENGINE = AggregatingMergeTree PARTITION BY (" + r.by + ") ORDER BY (" + strings.Join(r.names(), ", ") + ") SETTINGS " + r.settings +
			", non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 1048576",
		"INSERT INTO " + r.table(t) + " (" + strings.Join(names, ", ") + ") " + r.rows(t, "true"), "OPTIMIZE TABLE " + r.table(t) + " FINAL",
		"CREATE MATERIALIZED VIEW " + r.view(t) + " TO " + r.table(t) + " AS " + r.rows(t, "true"),
	}
}

// MakeRollUps makes the roll-ups that a version lacks, into which nobody may be
// projecting. What adds to one comes last, so one that has it is whole.
func MakeRollUps(ctx context.Context, conn driver.Conn, t Tables) error {
	for _, r := range rollUps {
		var made uint64
		if err := conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = ?", r.view(t)).Scan(&made); err != nil {
			return fmt.Errorf("look for roll-up %s: %w", r.table(t), err)
		}
		if made > 0 {
			continue
		}
		for _, s := range r.create(t) {
			if err := conn.Exec(ctx, s); err != nil {
				return fmt.Errorf("make roll-up %s: %w", r.table(t), err)
			}
		}
	}
	return nil
}

// Spans are those of a roll-up from the first to the last.
type Spans struct{ First, Last int64 }

// Misrolled finds the spans of a partition in which a roll-up does not say what its
// table does, by roll-up. What it compares are maxima, or sums weighted by month and
// indicator and whether there are any: that finds what was lost or came twice, but
// for a part of a span that comes to nothing in each month and indicator.
func Misrolled(ctx context.Context, conn driver.Conn, t Tables, partition int) (map[string]Spans, error) {
	rows, err := conn.Query(ctx, misrolled(t, partition))
	if err != nil {
		return nil, fmt.Errorf("compare roll-ups with their tables: %w", err)
	}
	defer rows.Close()
	out := map[string]Spans{}
	for rows.Next() {
		var table string
		var s Spans
		if err := rows.Scan(&table, &s.First, &s.Last); err != nil {
			return nil, fmt.Errorf("compare roll-ups with their tables: %w", err)
		}
		out[table] = s
	}
	return out, rows.Err()
}

func misrolled(t Tables, partition int) string {
	in := fmt.Sprintf(" WHERE kafka_partition = %d GROUP BY span", partition)
	sums := func(span, month, from string) string {
		return `SELECT toInt64(` + span + `) AS span, sum(quantity) AS n, sum(quantity * toInt64(toRelativeMonthNum(` + month + `)) * reinterpretAsInt64(cityHash64(indicator))) AS h FROM ` + from + in
	}
	parts := []string{`SELECT '' AS table, * FROM (` + sums(monthly.spanOf(), "day", t.Postings()) + `)`}
	var tables []string
	for _, r := range rollUps {
		if r.summed {
			tables = append(tables, "'"+r.table(t)+"'")
			parts = append(parts, `SELECT '`+r.table(t)+`' AS table, * FROM (`+sums("span", "month", r.table(t))+`)`)
		}
	}
	return `SELECT table, min(span), max(span) FROM (
			SELECT of AS table, span, countIf(parts.table = '') AS made, countIf(parts.table != '') AS rolled, sumIf(n, parts.table = '') AS n0, sumIf(n, parts.table != '') AS n1, sumIf(h, parts.table = '') AS h0, sumIf(h, parts.table != '') AS h1
			FROM (` + strings.Join(parts, "\nUNION ALL\n") + `) AS parts
			ARRAY JOIN if(parts.table = '', [` + strings.Join(tables, ", ") + `], [parts.table]) AS of GROUP BY of, span HAVING made != rolled OR n0 != n1 OR h0 != h1
		) GROUP BY table
		UNION ALL SELECT '` + moments.table(t) + `' AS table, min(span), max(span) FROM (
			SELECT toInt64(` + moments.spanOf() + `) AS span, max(recorded) AS newest, max(kafka_offset) AS last FROM ` + t.Events() + in + `
		) AS made LEFT JOIN (
			SELECT toInt64(span) AS span, max(newest) AS newest, max(last) AS last FROM ` + moments.table(t) + in + `
		) AS rolled USING span WHERE rolled.newest < made.newest OR rolled.last < made.last HAVING count() > 0`
}

// RollUpAgain makes spans of a partition in a roll-up again. Nothing may be inserted
// into the partition meanwhile. What is interrupted is found by [Misrolled].
func RollUpAgain(ctx context.Context, conn driver.Conn, t Tables, table string, partition int, spans Spans) error {
	for _, r := range rollUps {
		if r.table(t) == table {
			if err := r.empty(ctx, conn, t, partition, spans); err != nil {
				return err
			}
			return r.fill(ctx, conn, t, partition, spans)
		}
	}
	return fmt.Errorf("there is no roll-up %s", table)
}

// Unroll empties the sums of the spans that offsets from first to last are in, which
// comes before any of these rows is removed: so [Misrolled] finds what is interrupted.
// [RollUp] makes them again. It gives the first and the last offset of these spans.
func Unroll(ctx context.Context, conn driver.Conn, t Tables, partition int, first, last int64) (from, to int64, err error) {
	for _, r := range rollUps {
		if err := r.empty(ctx, conn, t, partition, r.spans(first, last)); err != nil {
			return 0, 0, err
		}
	}
	return first / SpanOffsets * SpanOffsets, last/SpanOffsets*SpanOffsets + (SpanOffsets - 1), nil
}

// RollUp makes all roll-ups of a partition again from one offset to another.
func RollUp(ctx context.Context, conn driver.Conn, t Tables, partition int, first, last int64) error {
	for _, r := range rollUps {
		if err := RollUpAgain(ctx, conn, t, r.table(t), partition, r.spans(first, last)); err != nil {
			return err
		}
	}
	return nil
}

func (r rollUp) spans(first, last int64) Spans {
	return Spans{first / int64(r.span), last / int64(r.span)}
}

func (r rollUp) spanOf() string { return SpanOf(r.span) }

// SpanOf is SQL for the span of so many offsets that a row is in. Postings of some
// spans of [SpanOffsets] are found by an index.
func SpanOf(offsets int) string { return fmt.Sprintf("intDiv(kafka_offset, %d)", offsets) }

// empty removes sums. Maxima need not be removed, and removing nothing takes as long
// as removing.
func (r rollUp) empty(ctx context.Context, conn driver.Conn, t Tables, partition int, spans Spans) error {
	if !r.summed {
		return nil
	}
	from := fmt.Sprintf("FROM %s WHERE kafka_partition = %d AND span BETWEEN %d AND %d", r.table(t), partition, spans.First, spans.Last)
	var n uint64
	err := conn.QueryRow(ctx, "SELECT count() "+from).Scan(&n)
	if err == nil && n > 0 {
		err = conn.Exec(ctx, "DELETE "+from+" SETTINGS lightweight_deletes_sync = 2")
	}
	if err != nil {
		return fmt.Errorf("remove spans %d to %d of partition %d from roll-up %s: %w", spans.First, spans.Last, partition, r.table(t), err)
	}
	return nil
}

// fill adds what the table has. The same rows may have been inserted before.
func (r rollUp) fill(ctx context.Context, conn driver.Conn, t Tables, partition int, spans Spans) error {
	where := fmt.Sprintf("kafka_partition = %d AND %s BETWEEN %d AND %d", partition, r.spanOf(), spans.First, spans.Last)
	if err := conn.Exec(ctx, "INSERT INTO "+r.table(t)+" ("+strings.Join(r.all(), ", ")+") SETTINGS insert_deduplicate = 0 "+r.rows(t, where)); err != nil {
		return fmt.Errorf("make spans %d to %d of partition %d in roll-up %s: %w", spans.First, spans.Last, partition, r.table(t), err)
	}
	return nil
}

// all are the names of all columns.
func (r rollUp) all() []string {
	var out []string
	for _, c := range r.columns() {
		out = append(out, c.name)
	}
	return out
}

// migrateRollUps puts tables of their own in the place of the projections that
// versions of before had for the same: a question of these was planned for 10 to
// 20 ms, which is several times what it takes to read them, and a row of sums was
// a state to be merged instead of a number. Projectors must be stopped.
func migrateRollUps() *goose.Migration {
	up := func(ctx context.Context, db *sql.DB) error {
		return everyVersion(ctx, db, func(t Tables) (out []string) {
			for _, r := range rollUps {
				out = append(out, r.create(t)...)
			}
			for _, of := range [][]string{{t.Postings(), "by_month", "by_lawyer", "by_head"}, {t.Events(), "by_moment"}} {
				for _, projection := range of[1:] {
					out = append(out, "ALTER TABLE "+of[0]+" DROP PROJECTION IF EXISTS "+projection)
				}
				out = append(out, "ALTER TABLE "+of[0]+" RESET SETTING lightweight_mutation_projection_mode")
			}
			return out
		})
	}
	down := func(ctx context.Context, db *sql.DB) error {
		return everyVersion(ctx, db, func(t Tables) (out []string) {
			for _, r := range rollUps {
				out = append(out, "DROP VIEW IF EXISTS "+r.view(t), "DROP TABLE IF EXISTS "+r.table(t)+" SYNC")
			}
			return out
		})
	}
	return goose.NewGoMigration(6, &goose.GoFunc{RunDB: up}, &goose.GoFunc{RunDB: down})
}

// migrateSpans has the spans of postings in an index, by which those of a span that a
// cut divides are found. What a station does is recorded within weeks, so a granule,
// of some days of an indicator, has few spans. Their least and greatest offset tell
// less: partitions grow at paces of their own.
func migrateSpans() *goose.Migration {
	index := func(changes ...string) *goose.GoFunc {
		return &goose.GoFunc{RunDB: func(ctx context.Context, db *sql.DB) error {
			return everyVersion(ctx, db, func(t Tables) (out []string) {
				for _, change := range changes {
					out = append(out, "ALTER TABLE "+t.Postings()+" "+change)
				}
				return out
			})
		}}
	}
	return goose.NewGoMigration(7,
		index("ADD INDEX IF NOT EXISTS by_span (kafka_partition, "+SpanOf(SpanOffsets)+") TYPE set(128) GRANULARITY 1", "MATERIALIZE INDEX by_span"),
		index("DROP INDEX IF EXISTS by_span"))
}

// everyVersion runs statements for the tables of every version that there is.
func everyVersion(ctx context.Context, db *sql.DB, statements func(Tables) []string) error {
	rows, err := db.QueryContext(ctx, `SELECT toInt64(extract(name, '^batches_v([0-9]+)$')) FROM system.tables WHERE database = currentDatabase() AND match(name, '^batches_v[0-9]+$')`)
	if err != nil {
		return fmt.Errorf("list the versions of the tables: %w", err)
	}
	defer rows.Close()
	var versions []Tables
	for rows.Next() {
		var v int
		if err := rows.Scan(&v); err != nil {
			return fmt.Errorf("list the versions of the tables: %w", err)
		}
		versions = append(versions, Tables{v})
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list the versions of the tables: %w", err)
	}
	for _, t := range versions {
		for _, s := range statements(t) {
			if _, err := db.ExecContext(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
	}
	return nil
}
