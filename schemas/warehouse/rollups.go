package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/pressly/goose/v3"
)

// SpanOffsets is how many offsets of a partition that follow each other are one
// span: the roll-ups of postings are kept by span, so that what is above a cut can
// be left out. Smaller spans leave less to read from the postings themselves; of
// this size a hundred million events have two or three a month and partition.
const SpanOffsets = 131_072

// The expressions by which the roll-ups are kept. A query is answered from them
// only when it is written in the same ones.
var (
	MonthOf = "toStartOfMonth(day)"
	SpanOf  = "intDiv(kafka_offset, " + strconv.Itoa(SpanOffsets) + ")"
)

// MomentSpan is the expression by which it is kept when events were recorded.
const MomentSpan = "intDiv(kafka_offset, 8192)"

// RolledColumns are the columns of postings that the roll-ups of a month have, by
// roll-up. Persons and due days are in none.
var RolledColumns = [][]string{
	{"source", "mode", "channel", "person_role", "organ"},
	{"lawyer", "source"},
}

// alteration adds a projection or an index.
type alteration struct{ table, kind, name, is string }

func (a alteration) alter(do, unless string) string {
	return "ALTER TABLE " + a.table + " " + do + " " + a.kind + " " + unless + " " + a.name
}

// rollUps are what is kept with the rows of every version's tables, in the same
// parts of them: a part and its roll-up come and go together, so a batch that is
// removed or written again cannot leave them different.
//
//   - by_month: sums of a month and place, with all that is not a person or lawyer;
//   - by_lawyer: sums of a month and lawyer;
//   - by_head: the newest place, which tells that nothing is above a cut;
//   - by_offset finds the few postings that a cut divides from their roll-up;
//   - by_moment: the newest recording of 8192 offsets, by which a moment's cut is found.
//
// Months come first, since a part is of what was recorded in a year and hardly has
// months of others. A place is behind its partition, of which it tells. ClickHouse
// takes what has fewer granules to read: those of by_month are smaller than those
// of postings since it has few rows, and not so small that they are the more.
func rollUps(t Tables) []alteration {
	rollUp := func(table, name, keys, figure string) alteration {
		return alteration{table, "PROJECTION", name, "(SELECT " + keys + ", " + figure + " GROUP BY " + keys + ")"}
	}
	byMonth := rollUp(t.Postings(), "by_month", MonthOf+", indicator, kafka_partition, "+strings.Join(RolledColumns[0], ", ")+", "+SpanOf, "sum(quantity)")
	byMonth.is += " WITH SETTINGS (index_granularity = 4096)"
	return []alteration{
		byMonth,
		rollUp(t.Postings(), "by_lawyer", MonthOf+", indicator, lawyer, kafka_partition, source, "+SpanOf, "sum(quantity)"),
		rollUp(t.Postings(), "by_head", "kafka_partition", "max(kafka_offset)"),
		{t.Postings(), "INDEX", "by_offset", "kafka_offset TYPE minmax GRANULARITY 1"},
		rollUp(t.Events(), "by_moment", "kafka_partition, "+MomentSpan, "max(recorded)"),
	}
}

// codec is how a column is compressed.
type codec struct{ table, column, is, was string }

// codecs are those that differ from the ones that the tables began with, of which
// a part is rewritten when it is next merged. They were measured on nine simulated
// years: a T64 block holds the bits that its values differ in, and what a station
// records is mostly of whole seconds. A higher level than 1 for the texts of events
// saves a byte and a half an event, and takes a sixth more of the engine's time.
func codecs(t Tables) []codec {
	return []codec{
		{t.Postings(), "kafka_partition UInt16", "T64, ZSTD(1)", "ZSTD(1)"},
		{t.Postings(), "kafka_offset UInt64", "T64('bit'), ZSTD(1)", "Delta, ZSTD(1)"},
		{t.Postings(), "recorded DateTime64(3, 'Asia/Shanghai')", "T64('bit'), ZSTD(1)", "Delta, ZSTD(1)"},
		{t.Postings(), "quantity Int64", "T64, ZSTD(1)", "ZSTD(1)"},
		{t.Events(), "time DateTime64(3, 'Asia/Shanghai')", "GCD, Delta, ZSTD(1)", "Delta, ZSTD(1)"},
		{t.Events(), "id UUID", "ZSTD(1)", "NONE"},
	}
}

// migrateRollUps adds the roll-ups to the tables of all versions, and makes them
// of the rows that there are. That goes on in the background: figures are right
// before it is done, and slow.
func migrateRollUps() *goose.Migration {
	up := func(ctx context.Context, db *sql.DB) error {
		return everyVersion(ctx, db, func(t Tables) (out []string) {
			for _, c := range codecs(t) {
				out = append(out, "ALTER TABLE "+c.table+" MODIFY COLUMN "+c.column+" CODEC("+c.is+")")
			}
			for _, table := range []string{t.Postings(), t.Events()} { // what a repair deletes leaves the projections too
				out = append(out, "ALTER TABLE "+table+" MODIFY SETTING default_compression_codec = 'ZSTD(1)', lightweight_mutation_projection_mode = 'rebuild'")
			}
			for _, a := range rollUps(t) {
				out = append(out, a.alter("ADD", "IF NOT EXISTS")+" "+a.is, a.alter("MATERIALIZE", ""))
			}
			return out
		})
	}
	down := func(ctx context.Context, db *sql.DB) error {
		return everyVersion(ctx, db, func(t Tables) (out []string) {
			for _, a := range rollUps(t) {
				out = append(out, a.alter("DROP", "IF EXISTS"))
			}
			for _, table := range []string{t.Postings(), t.Events()} {
				out = append(out, "ALTER TABLE "+table+" RESET SETTING default_compression_codec, lightweight_mutation_projection_mode")
			}
			for _, c := range codecs(t) {
				out = append(out, "ALTER TABLE "+c.table+" MODIFY COLUMN "+c.column+" CODEC("+c.was+")")
			}
			return out
		})
	}
	return goose.NewGoMigration(4, &goose.GoFunc{RunDB: up}, &goose.GoFunc{RunDB: down})
}

// rollUpAll makes the roll-ups of rows that were inserted without, and waits for it.
func rollUpAll(ctx context.Context, conn driver.Conn, t Tables) error {
	for _, a := range rollUps(t) {
		if a.kind != "PROJECTION" {
			continue
		}
		if err := conn.Exec(ctx, a.alter("MATERIALIZE", "")+" SETTINGS mutations_sync = 2"); err != nil {
			return fmt.Errorf("roll up version %d of the tables: %w", t.Version, err)
		}
	}
	return nil
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
