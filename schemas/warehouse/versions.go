package warehouse

import (
	"context"
	"fmt"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Tables names the physical tables of one version of the projection.
type Tables struct{ Version int }

// Events is the table of the log as projected.
func (t Tables) Events() string { return t.named("events") }

// Postings is the table of what the events amount to.
func (t Tables) Postings() string { return t.named("postings") }

// Batches is the ledger of the projection.
func (t Tables) Batches() string { return t.named("batches") }

// Parked is the table of what could not be read.
func (t Tables) Parked() string { return t.named("parked") }

func (t Tables) named(table string) string { return table + "_v" + strconv.Itoa(max(t.Version, 1)) }

// names are the tables that every version has, besides its roll-ups.
var names = []string{"events", "postings", "batches", "parked"}

// Current is the version that is read and written.
func Current(ctx context.Context, conn driver.Conn) (Tables, error) {
	var v uint32
	if err := conn.QueryRow(ctx, `SELECT argMax(version, switched) FROM versions`).Scan(&v); err != nil {
		return Tables{}, fmt.Errorf("ask which version of the tables is current: %w (is the warehouse migrated? zhiban migrate)", err)
	}
	return Tables{int(v)}, nil
}

// Newest is the highest version whose tables there are.
func Newest(ctx context.Context, conn driver.Conn) (Tables, error) {
	var v uint32
	err := conn.QueryRow(ctx, `SELECT max(toUInt32OrZero(extract(name, '^batches_v([0-9]+)$'))) FROM system.tables WHERE database = currentDatabase()`).Scan(&v)
	if err != nil {
		return Tables{}, fmt.Errorf("list the versions of the tables: %w", err)
	}
	return Tables{int(v)}, nil
}

// Create makes the empty tables of version to in the shape of version from, to be
// filled with the whole log and read by nobody before [Switch]: until then they
// are merged in large steps only, which takes half of ClickHouse's work, and have
// no roll-ups, which are made of all rows in a fraction of the time.
func Create(ctx context.Context, conn driver.Conn, from, to Tables) error {
	for _, n := range names {
		if err := conn.Exec(ctx, `CREATE TABLE IF NOT EXISTS `+to.named(n)+` AS `+from.named(n)); err != nil {
			return fmt.Errorf("create table %s: %w", to.named(n), err)
		}
	}
	return merge(ctx, conn, to, "MODIFY SETTING min_parts_to_merge_at_once = 30, merge_selector_base = 20")
}

// merge alters how the large tables of a version are merged.
func merge(ctx context.Context, conn driver.Conn, t Tables, how string) error {
	for _, n := range []string{t.Events(), t.Postings()} {
		if err := conn.Exec(ctx, `ALTER TABLE `+n+` `+how); err != nil {
			return fmt.Errorf("alter how table %s is merged: %w", n, err)
		}
	}
	return nil
}

// Switch makes a version the current one, into which nobody may be projecting. A
// reader asks for the version once and stays with it, so no answer mixes two; the
// views are for people at a prompt.
func Switch(ctx context.Context, conn driver.Conn, to Tables) error {
	if err := merge(ctx, conn, to, "MODIFY SETTING min_parts_to_merge_at_once = 0, merge_selector_base = 10"); err != nil {
		return err
	}
	if err := MakeRollUps(ctx, conn, to); err != nil {
		return err
	}
	if err := conn.Exec(ctx, `INSERT INTO versions (version) VALUES (?)`, uint32(to.Version)); err != nil {
		return fmt.Errorf("switch to version %d of the tables: %w", to.Version, err)
	}
	for _, n := range names {
		if err := conn.Exec(ctx, to.view(n, n == "events")); err != nil {
			return fmt.Errorf("point view %s to version %d: %w", n, to.Version, err)
		}
	}
	return nil
}

// view is the statement that points a view to the version; made adds the column id
// that is made of others, and which * leaves out.
func (t Tables) view(n string, made bool) string {
	columns := "*"
	if made {
		columns += ", id"
	}
	return "CREATE OR REPLACE VIEW " + n + " AS SELECT " + columns + " FROM " + t.named(n)
}

// Drop removes the tables of a version that is not the current one.
func Drop(ctx context.Context, conn driver.Conn, t Tables) error {
	current, err := Current(ctx, conn)
	if err != nil {
		return err
	}
	if t == current {
		return fmt.Errorf("version %d of the tables is the current one; it is not dropped", t.Version)
	}
	var tables []string
	for _, r := range rollUps {
		tables = append(tables, r.view(t), r.table(t))
	}
	for _, n := range names {
		tables = append(tables, t.named(n))
	}
	for _, table := range tables {
		if err := conn.Exec(ctx, `DROP TABLE IF EXISTS `+table+` SYNC`); err != nil {
			return fmt.Errorf("drop table %s: %w", table, err)
		}
	}
	return nil
}
