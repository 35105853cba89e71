package warehouse

import (
	"slices"
	"testing"

	"zhiban/deploy/embedded"
)

// Tables that have rows get their roll-ups, also those of a version that is not
// current, and lose them; a version is filled without and read with them.
func TestRollUpsComeToRowsThatAreThere(t *testing.T) {
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
	defer p.Close()
	if _, err := p.UpTo(ctx, 3); err != nil {
		t.Fatal(err)
	}
	conn, err := Open(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	run := func(statements ...string) {
		t.Helper()
		for _, s := range statements {
			if err := conn.Exec(ctx, s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}
	fill := func(tables Tables) {
		t.Helper()
		run("INSERT INTO "+tables.Postings()+" (kafka_partition, kafka_offset, recorded, indicator, day, source, quantity) SELECT number % 2, number, '2026-09-01 09:00:00', 'shifts', '2026-09-01', '220182-court', 1 FROM numbers(1000)",
			"INSERT INTO "+tables.Events()+" (kafka_partition, kafka_offset, recorded) SELECT number % 2, number, '2026-09-01 09:00:00' FROM numbers(1000)")
	}
	// rolledUp are the roll-ups that all parts of a version have.
	rolledUp := func(tables Tables) (names []string) {
		t.Helper()
		run("ALTER TABLE "+tables.Postings()+" DELETE WHERE false SETTINGS mutations_sync = 2", "ALTER TABLE "+tables.Events()+" DELETE WHERE false SETTINGS mutations_sync = 2") // which waits for those before
		err := conn.QueryRow(ctx, `SELECT arraySort(groupUniqArray(p.name)) FROM (SELECT arrayJoin(projections) AS name, table FROM system.parts WHERE active AND database = currentDatabase() AND table IN (?)) AS p
			WHERE (p.table, p.name) NOT IN (SELECT table, arrayJoin(['by_month', 'by_lawyer', 'by_head', 'by_moment']) AS missing FROM system.parts
				WHERE active AND database = currentDatabase() AND NOT has(projections, missing) AND (missing = 'by_moment') = startsWith(table, 'events'))`, []string{tables.Postings(), tables.Events()}).Scan(&names)
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	one, two, three := Tables{1}, Tables{2}, Tables{3}
	all := []string{"by_head", "by_lawyer", "by_moment", "by_month"}

	fill(one)
	if err := Create(ctx, conn, one, two); err != nil {
		t.Fatal(err)
	}
	fill(two)
	for range 2 {
		if _, err := p.Up(ctx); err != nil {
			t.Fatal(err)
		}
		for _, tables := range []Tables{one, two} {
			if got := rolledUp(tables); !slices.Equal(got, all) {
				t.Errorf("version %d has %v, want %v", tables.Version, got, all)
			}
		}
		if _, err := p.DownTo(ctx, 3); err != nil {
			t.Fatal(err)
		}
		if got := rolledUp(one); len(got) != 0 {
			t.Errorf("taken back, there still are %v", got)
		}
	}

	if _, err := p.Up(ctx); err != nil {
		t.Fatal(err)
	}
	if err := Create(ctx, conn, one, three); err != nil {
		t.Fatal(err)
	}
	fill(three)
	if got := rolledUp(three); len(got) != 0 {
		t.Errorf("while it is filled, version 3 has %v", got)
	}
	if err := Switch(ctx, conn, three); err != nil {
		t.Fatal(err)
	}
	fill(three)
	if got := rolledUp(three); !slices.Equal(got, all) {
		t.Errorf("version 3 has %v, want %v", got, all)
	}
}
