package warehouse

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"
)

// codec is how a column is compressed.
type codec struct{ table, column, is, was string }

func (c codec) codec(is bool) string {
	if is {
		return c.is
	}
	return c.was
}

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

// migrateCodecs compresses the tables of all versions with [codecs] and has the
// places of postings in an index, by which the few above a cut are found.
func migrateCodecs() *goose.Migration {
	alter := func(ctx context.Context, db *sql.DB, up bool) error {
		return everyVersion(ctx, db, func(t Tables) (out []string) {
			setting, index := "MODIFY SETTING default_compression_codec = 'ZSTD(1)'", []string{"ADD INDEX IF NOT EXISTS by_offset kafka_offset TYPE minmax GRANULARITY 1", "MATERIALIZE INDEX by_offset"}
			if !up {
				setting, index = "RESET SETTING default_compression_codec", []string{"DROP INDEX IF EXISTS by_offset"}
			}
			for _, c := range codecs(t) {
				out = append(out, "ALTER TABLE "+c.table+" MODIFY COLUMN "+c.column+" CODEC("+c.codec(up)+")")
			}
			for _, table := range []string{t.Postings(), t.Events()} {
				out = append(out, "ALTER TABLE "+table+" "+setting)
			}
			for _, change := range index {
				out = append(out, "ALTER TABLE "+t.Postings()+" "+change)
			}
			return out
		})
	}
	up := func(ctx context.Context, db *sql.DB) error { return alter(ctx, db, true) }
	down := func(ctx context.Context, db *sql.DB) error { return alter(ctx, db, false) }
	return goose.NewGoMigration(4, &goose.GoFunc{RunDB: up}, &goose.GoFunc{RunDB: down})
}

// An event's id lies in two columns of eight bytes, id_start and id_rest, of which
// the column id is made when it is read. An id of version 7 begins with the
// millisecond in which it was made, mostly about that in which the event happened:
// id_start is what the first eight bytes are above the event's time, so hardly more
// is left of it than what is random in it. Ids of other versions take all of their
// sixteen bytes.
const (
	timesStart = "65536 * toUInt64(toUnixTimestamp64Milli(time))"
	startOf    = "toUInt64(reinterpret(id, 'UInt128') % bitShiftLeft(toUInt128(1), 64)) - " + timesStart
	restOf     = "toUInt64(bitShiftRight(reinterpret(id, 'UInt128'), 64))"
	idOf       = "reinterpret(bitShiftLeft(toUInt128(id_rest), 64) + (id_start + " + timesStart + "), 'UUID')"
)

// SplitID gives the columns id_start and id_rest of an event of a time, to the
// millisecond.
func SplitID(id uuid.UUID, at time.Time) (start, rest uint64) {
	return binary.BigEndian.Uint64(id[:8]) - 65536*uint64(at.UnixMilli()), binary.BigEndian.Uint64(id[8:])
}

// packing is how the tables lie on the disk.
type packing struct {
	mistakes string // of the index by id: how many granules it takes for the right one
	texts    string // setting
	split    bool   // ids, and the codecs as they are, not as they were
}

var (
	packed   = packing{"0.025", "MODIFY SETTING string_serialization_version = 'single_stream'", true}
	unpacked = packing{"0.001", "RESET SETTING string_serialization_version", false}
)

// packedCodecs change the codecs of before ([codecs]). Steps from one time or place to
// the next are small and T64 keeps the bits that they differ in; where a ledger was
// entered afterwards, times are of whole seconds. Sources and lawyers are few, and a
// higher level finds them again: of the postings' lawyers it takes a seventh more of
// their merging, which is about what ids and times save of that of events.
func packedCodecs(t Tables) []codec {
	const moment, steps = "DateTime64(3, 'Asia/Shanghai')", "Delta, T64('bit'), ZSTD(1)"
	return []codec{
		{t.Events(), "kafka_offset UInt64", "Delta, T64, ZSTD(1)", "Delta, ZSTD(1)"},
		{t.Events(), "source LowCardinality(String)", "ZSTD(5)", "ZSTD(1)"},
		{t.Events(), "time " + moment, "GCD, " + steps, "GCD, Delta, ZSTD(1)"},
		{t.Events(), "recorded " + moment, "GCD, " + steps, "Delta, ZSTD(1)"},
		{t.Postings(), "kafka_offset UInt64", steps, "T64('bit'), ZSTD(1)"},
		{t.Postings(), "day Date", steps, "Delta, ZSTD(1)"},
		{t.Postings(), "source LowCardinality(String)", "ZSTD(5)", "ZSTD(1)"},
		{t.Postings(), "lawyer UInt64", "ZSTD(5)", "ZSTD(1)"},
	}
}

// migratePacking packs the tables of all versions closer; a part is rewritten when it
// is next merged, but for its ids, which are at once. Measured on nine simulated
// years, in bytes an event:
//
//   - ids in two columns take four and a half less;
//   - [packedCodecs] take two and a quarter less;
//   - lengths take one and a half less among their texts than as numbers beside them;
//   - by_id is for looking up one event at a time, which reads the whole index and the
//     granules taken for the right one by mistake: together they are least where
//     mistakes are one or two in a hundred, and the index takes half of what it does
//     with one in a thousand. by_case is left at that: the projector looks up many
//     cases at once.
func migratePacking() *goose.Migration {
	return goose.NewGoMigration(5, &goose.GoFunc{RunDB: packed.pack}, &goose.GoFunc{RunDB: unpacked.pack})
}

// pack alters the tables of every version. It does again what was interrupted.
func (p packing) pack(ctx context.Context, db *sql.DB) error {
	whole, err := wholeIDs(ctx, db)
	if err != nil {
		return err
	}
	err = everyVersion(ctx, db, func(t Tables) []string { return p.statements(t, whole[t.Events()]) })
	if err != nil {
		return err
	}
	var current int
	if err := db.QueryRowContext(ctx, `SELECT toInt64(argMax(version, switched)) FROM versions`).Scan(&current); err != nil {
		return fmt.Errorf("ask which version of the tables is current: %w", err)
	}
	if _, err := db.ExecContext(ctx, Tables{current}.view("events", p.split)); err != nil {
		return fmt.Errorf("point view events to version %d: %w", current, err)
	}
	return nil
}

// statements alter the tables of a version, in which ids are whole or not.
func (p packing) statements(t Tables, whole bool) []string {
	alter := "ALTER TABLE " + t.Events() + " "
	const noIndex = "DROP INDEX IF EXISTS by_id, "
	var out []string
	switch {
	case p.split && whole:
		out = append(out,
			alter+noIndex+"ADD COLUMN IF NOT EXISTS id_start UInt64 AFTER epoch, ADD COLUMN IF NOT EXISTS id_rest UInt64 AFTER id_start,"+
				" MODIFY COLUMN id_start UInt64 DEFAULT "+startOf+" CODEC(T64('bit'), ZSTD(1)), MODIFY COLUMN id_rest UInt64 DEFAULT "+restOf+" CODEC(NONE)",
			alter+"MATERIALIZE COLUMN id_start, MATERIALIZE COLUMN id_rest SETTINGS mutations_sync = 2",
			alter+"MODIFY COLUMN id_start REMOVE DEFAULT, MODIFY COLUMN id_rest REMOVE DEFAULT",
			alter+"DROP COLUMN id")
	case !p.split && !whole:
		out = append(out,
			alter+noIndex+"DROP COLUMN IF EXISTS id",
			alter+"ADD COLUMN id UUID DEFAULT "+idOf+" CODEC(ZSTD(1)) AFTER epoch",
			alter+"MATERIALIZE COLUMN id SETTINGS mutations_sync = 2",
			alter+"MODIFY COLUMN id REMOVE DEFAULT")
	}
	ids := "ADD COLUMN IF NOT EXISTS id UUID ALIAS " + idOf + " AFTER epoch"
	if !p.split {
		ids = "DROP COLUMN IF EXISTS id_start, DROP COLUMN IF EXISTS id_rest"
	}
	out = append(out,
		alter+noIndex+ids+", ADD INDEX by_id id TYPE bloom_filter("+p.mistakes+") GRANULARITY 1, "+p.texts,
		alter+"MATERIALIZE INDEX by_id")
	for _, table := range []string{t.Events(), t.Postings()} {
		var changes []string
		for _, c := range packedCodecs(t) {
			if c.table == table {
				changes = append(changes, "MODIFY COLUMN "+c.column+" CODEC("+c.codec(p.split)+")")
			}
		}
		out = append(out, "ALTER TABLE "+table+" "+strings.Join(changes, ", "))
	}
	return out
}

// wholeIDs tells the tables of events whose ids lie in one column.
func wholeIDs(ctx context.Context, db *sql.DB) (map[string]bool, error) {
	rows, err := db.QueryContext(ctx, `SELECT table FROM system.columns WHERE database = currentDatabase() AND match(table, '^events_v[0-9]+$') AND name = 'id' AND default_kind = ''`)
	if err != nil {
		return nil, fmt.Errorf("ask how ids lie in the tables: %w", err)
	}
	defer rows.Close()
	whole := map[string]bool{}
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return nil, fmt.Errorf("ask how ids lie in the tables: %w", err)
		}
		whole[table] = true
	}
	return whole, rows.Err()
}
