package warehouse

import (
	"context"
	"fmt"
	"testing"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/pressly/goose/v3"

	"zhiban/deploy/embedded"
)

// at is an engine of a test's own whose tables are as a migration left them.
type at struct {
	*testing.T
	*Conn
	options    *clickhouse.Options
	migrations *goose.Provider
}

func migrated(t *testing.T, version int64) at {
	t.Helper()
	ctx := t.Context()
	engines, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engines.Close() })
	dsn := engines.ClickHouse().DSN()
	opts, err := parseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if _, err := p.UpTo(ctx, version); err != nil {
		t.Fatal(err)
	}
	conn, err := Open(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return at{t, conn, opts, p}
}

func (t at) run(statements ...string) {
	t.Helper()
	for _, s := range statements {
		if err := t.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func (t at) number(query string) (n int64) {
	t.Helper()
	if err := t.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// fill adds rows of some offsets on, of two partitions, three spans and two years.
func (t at) fill(tables Tables, from int) {
	t.Helper()
	t.run(fmt.Sprintf("INSERT INTO %s (kafka_partition, kafka_offset, recorded, indicator, day, source, lawyer, mode, quantity) SELECT number %% 2, 300 * (%d + number), '2026-09-01 09:00:00', ['shifts', 'duty_minutes'][number %% 3 + 1], toDate('2025-10-05') + number %% 400, '220182-court', number %% 7, ['phone', ''][number %% 5 + 1], number %% 4 - 1 FROM numbers(1000)", tables.Postings(), from),
		fmt.Sprintf("INSERT INTO %s (kafka_partition, kafka_offset, time, recorded) SELECT number %% 2, 300 * (%d + number), '2026-09-01 09:00:00', toDateTime('2026-09-01 09:00:00') + number FROM numbers(1000)", tables.Events(), from))
}

// rolled fails unless all roll-ups have what their tables have, row by row, and the
// projector sees it so, too.
func (t at) rolled(when string, tables Tables) {
	t.Helper()
	for _, r := range rollUps {
		same := "SELECT toInt64(count()) FROM (SELECT * FROM (SELECT * FROM " + r.table(tables) + " FINAL) EXCEPT (" + r.rows(tables, "true") + "))"
		more := "SELECT toInt64(count()) FROM ((" + r.rows(tables, "true") + ") EXCEPT (SELECT * FROM " + r.table(tables) + " FINAL))"
		if r.summed { // a merge drops what comes to nothing, and need not
			same += " WHERE quantity != 0"
			more = "SELECT toInt64(count()) FROM (SELECT * FROM (" + r.rows(tables, "true") + ") EXCEPT (SELECT * FROM " + r.table(tables) + " FINAL)) WHERE quantity != 0"
		}
		if n, m := t.number(same), t.number(more); n+m != 0 {
			t.Errorf("%s, %s has %d rows too much and lacks %d", when, r.table(tables), n, m)
		}
	}
	for partition := range 2 {
		if wrong, err := Misrolled(t.Context(), t.Conn, tables, partition); err != nil || len(wrong) > 0 {
			t.Errorf("%s, these are held to be damaged: %v, %v", when, wrong, err)
		}
	}
}

// Tables that have rows get their roll-ups, also those of a version that is not
// current, and lose them; a version is filled with them.
func TestRollUpsComeToRowsThatAreThere(t *testing.T) {
	db := migrated(t, 5)
	ctx := t.Context()
	one, two := Tables{1}, Tables{2}
	for _, n := range names {
		db.run("CREATE TABLE " + two.named(n) + " AS " + one.named(n))
	}
	db.fill(one, 0)
	db.fill(two, 5)
	for i := range 2 {
		if _, err := db.migrations.Up(ctx); err != nil {
			t.Fatal(err)
		}
		db.rolled("made of rows", one)
		db.rolled("made of rows", two)
		db.fill(one, 1000*(i+1))
		db.rolled("with more rows", one)
		if _, err := db.migrations.DownTo(ctx, 5); err != nil {
			t.Fatal(err)
		}
		if n := db.number("SELECT toInt64(count()) FROM system.tables WHERE database = currentDatabase() AND match(name, 'month|moment')"); n != 0 {
			t.Errorf("taken back, %d tables are left", n)
		}
	}
	if _, err := db.migrations.Up(ctx); err != nil {
		t.Fatal(err)
	}
	three := Tables{3}
	for range 2 { // as after an interruption
		if err := Create(ctx, db, one, three); err != nil {
			t.Fatal(err)
		}
	}
	db.fill(three, 0)
	for range 2 {
		if err := Switch(ctx, db, three); err != nil {
			t.Fatal(err)
		}
	}
	db.fill(three, 1000)
	db.rolled("filled", three)
	if err := Drop(ctx, db, two); err != nil {
		t.Fatal(err)
	}
	if n := db.number("SELECT toInt64(count()) FROM system.tables WHERE database = currentDatabase() AND endsWith(name, '_v2')"); n != 0 {
		t.Errorf("dropped, %d tables are left", n)
	}
}

// What happens to a roll-up alone is found and mended, and nothing else is touched.
func TestDamagedRollUpsAreFoundAndMadeAgain(t *testing.T) {
	db := migrated(t, 6)
	ctx := t.Context()
	one := Tables{1}
	for i := range 3 {
		db.fill(one, 1000*i)
	}
	db.rolled("filled", one)
	for _, r := range rollUps {
		damages := map[string]string{
			"a part is lost":  "ALTER TABLE " + r.table(one) + " DELETE WHERE kafka_partition = 1 AND span >= 1 SETTINGS mutations_sync = 2",
			"all of it":       "TRUNCATE TABLE " + r.table(one),
			"rows come twice": "INSERT INTO " + r.table(one) + " SETTINGS insert_deduplicate = 0 SELECT * FROM " + r.table(one) + " WHERE kafka_partition = 0",
		}
		if r.summed {
			damages["another month"] = "INSERT INTO " + r.table(one) + " SELECT * REPLACE (-quantity AS quantity) FROM " + r.table(one) + " WHERE indicator = 'shifts' UNION ALL SELECT * REPLACE (month + INTERVAL 1 MONTH AS month) FROM " + r.table(one) + " WHERE indicator = 'shifts'"
			damages["another indicator"] = "INSERT INTO " + r.table(one) + " SELECT * REPLACE (-quantity AS quantity) FROM " + r.table(one) + " UNION ALL SELECT * REPLACE ('stations' AS indicator) FROM " + r.table(one)
		} else {
			delete(damages, "rows come twice") // which says the same
		}
		for what, damage := range damages {
			db.run(damage)
			found := false
			for partition := range 2 {
				wrong, err := Misrolled(ctx, db, one, partition)
				if err != nil {
					t.Fatal(err)
				}
				for table, spans := range wrong {
					if found = true; table != r.table(one) {
						t.Errorf("%s of %s was taken for damage of %s", what, r.table(one), table)
					}
					for range 2 { // whose rows are the same, and must not be absorbed
						if err := RollUpAgain(ctx, db, one, table, partition, spans); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			if !found {
				t.Errorf("%s of %s: not found", what, r.table(one))
			}
			db.rolled(what+", mended", one)
		}
	}
}

// A block that is inserted again under its token, since nobody knows what became of
// it, completes the roll-ups that lack it and is absorbed by those that do not.
func TestABlockIsRolledUpOnce(t *testing.T) {
	db := migrated(t, 6)
	one := Tables{1}
	w := db.Writer()
	defer w.Close()
	block := proto.Input{
		{Name: "kafka_partition", Data: proto.ColUInt16{0, 0, 1}}, {Name: "kafka_offset", Data: proto.ColUInt64{4, 5, 6}},
		{Name: "day", Data: proto.ColDate{20000, 20001, 20500}}, {Name: "lawyer", Data: proto.ColUInt64{1, 1, 2}}, {Name: "quantity", Data: proto.ColInt64{3, 4, 5}},
	}
	insert := func(token string) error { return w.Insert(context.Background(), one.Postings(), token, block) }
	for i, table := range []string{monthly.table(one), monthlyLawyers.table(one)} {
		token := fmt.Sprintf("token %d", i)
		db.run("DETACH TABLE " + table)
		if err := insert(token); err == nil {
			t.Fatalf("inserted without %s", table)
		}
		db.run("ATTACH TABLE " + table)
		for range 2 {
			if err := insert(token); err != nil {
				t.Fatal(err)
			}
		}
		if n := db.number("SELECT sum(quantity) FROM " + one.Postings()); n != int64(12*(i+1)) {
			t.Errorf("postings come to %d", n)
		}
		db.rolled("inserted again", one)
	}
}

// The postings of a span are found by an index, in tables that were there before it
// and in those that are made from them, whichever offsets other partitions are at.
func TestThePostingsOfASpanAreFound(t *testing.T) {
	db := migrated(t, 6)
	one, two := Tables{1}, Tables{2}
	fill := func(t Tables) { // partition 1 grows half as fast, and what comes earlier is of earlier days
		db.run(fmt.Sprintf("INSERT INTO %s (kafka_partition, kafka_offset, recorded, indicator, day, quantity) SELECT number %% 2, intDiv(8 * number, number %% 2 + 1), '2026-09-01 09:00:00', 'shifts', toDate('2026-01-01') + intDiv(number, 1000), 1 FROM numbers(200000)", t.Postings()))
	}
	fill(one)
	if _, err := db.migrations.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := Create(t.Context(), db, one, two); err != nil {
		t.Fatal(err)
	}
	fill(two)
	for _, tables := range []Tables{one, two} {
		from := " FROM " + tables.Postings() + " WHERE " + SpanOf(SpanOffsets) + " = [8, 4][kafka_partition + 1]"
		if n := db.number("SELECT toInt64(count())" + from); n != SpanOffsets/16+SpanOffsets/8 {
			t.Errorf("%s has %d postings in these spans", tables.Postings(), n)
		}
		read := db.number("SELECT toInt64(extract(arrayFilter(line -> position(line, 'Granules:') > 0, groupArray(explain))[-1], 'Granules: ([0-9]+)/')) FROM (EXPLAIN indexes = 1 SELECT sum(quantity)" + from + ")")
		if all := db.number("SELECT toInt64(sum(marks)) FROM system.parts WHERE active AND database = currentDatabase() AND table = '" + tables.Postings() + "'"); read > all/4 {
			t.Errorf("%d of %d granules of %s are read", read, all, tables.Postings())
		}
	}
}
