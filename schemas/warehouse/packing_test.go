package warehouse

import (
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
)

// Ids are the same however they lie, in tables of any version, are found by the
// index, and stay so when what alters the tables is interrupted.
func TestIDsStayTheSame(t *testing.T) {
	db := migrated(t, 4)
	ctx, conn, p := t.Context(), db.Conn, db.migrations
	at := time.Date(2026, 9, 1, 8, 31, 0, 417e6, time.UTC)
	times := []time.Time{at, at, at, at, at, time.Date(1969, 12, 31, 23, 59, 59, 1e6, time.UTC)}
	ids := []uuid.UUID{
		uuid.MustParse("0199a1c2-7d1e-7c3a-9a55-0242ac120002"),
		uuid.MustParse("c0ffee00-0000-4000-8000-0242ac120002"),
		uuid.Nil, uuid.Max,
		uuid.MustParse("00000000-0000-0000-ffff-ffffffffffff"),
		uuid.MustParse("ffffffff-ffff-ffff-0000-000000000000"),
	}
	write := func(tables Tables, columns string, of func(uuid.UUID, time.Time) []any) {
		t.Helper()
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+tables.Events()+" (kafka_offset, time, recorded, "+columns+")")
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range ids {
			if err := batch.Append(append([]any{uint64(i), times[i], at}, of(id, times[i])...)...); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
	same := func(when string, tables ...Tables) {
		t.Helper()
		for _, from := range append([]string{"events"}, named(tables)...) {
			var got []uuid.UUID
			if err := conn.QueryRow(ctx, "SELECT groupArray(id) FROM (SELECT id FROM "+from+" ORDER BY kafka_offset)").Scan(&got); err != nil || !slices.Equal(got, ids) {
				t.Errorf("%s, %s has %v, %v", when, from, got, err)
			}
		}
		for _, from := range named(tables) {
			for i, id := range ids {
				var place uint64
				if err := conn.QueryRow(ctx, "SELECT kafka_offset FROM "+from+" WHERE id = ? SETTINGS force_data_skipping_indices = 'by_id'", id.String()).Scan(&place); err != nil || place != uint64(i) {
					t.Errorf("%s, %s is found in %s at %d, %v", when, id, from, place, err)
				}
			}
		}
	}
	one, two := Tables{1}, Tables{2}
	if err := Create(ctx, conn, one, two); err != nil {
		t.Fatal(err)
	}
	for _, tables := range []Tables{one, two} {
		write(tables, "id", func(id uuid.UUID, _ time.Time) []any { return []any{id} })
	}
	same("whole", one, two)
	for range 2 {
		if _, err := p.Up(ctx); err != nil {
			t.Fatal(err)
		}
		same("split", one, two)
		if _, err := p.DownTo(ctx, 4); err != nil {
			t.Fatal(err)
		}
		same("whole again", one, two)
	}

	// Packed and unpacked, each also after the first statements of an earlier run.
	if err := Drop(ctx, conn, two); err != nil {
		t.Fatal(err)
	}
	raw := clickhouse.OpenDB(db.options)
	defer raw.Close()
	for done := 0; ; done++ {
		left := 0
		for _, to := range []packing{packed, unpacked} {
			statements := to.statements(one, to.split)
			left = max(left, len(statements)-done)
			for _, s := range statements[:min(done, len(statements))] {
				if err := conn.Exec(ctx, s); err != nil {
					t.Fatalf("%s: %v", s, err)
				}
			}
			if err := to.pack(ctx, raw); err != nil {
				t.Fatalf("again after %d statements: %v", done, err)
			}
			same("again", one)
		}
		if left <= 0 {
			break
		}
	}

	// A new version has them split, and ids are written so.
	if _, err := p.Up(ctx); err != nil {
		t.Fatal(err)
	}
	if err := Create(ctx, conn, one, two); err != nil {
		t.Fatal(err)
	}
	write(two, "id_start, id_rest", func(id uuid.UUID, at time.Time) []any {
		start, rest := SplitID(id, at)
		return []any{start, rest}
	})
	if err := Switch(ctx, conn, two); err != nil {
		t.Fatal(err)
	}
	same("written split", one, two)
	var shapes uint64
	if err := conn.QueryRow(ctx, `SELECT uniqExact(shape) FROM (
			SELECT groupArray((name, type, compression_codec, default_kind, default_expression)) AS shape FROM (SELECT * FROM system.columns ORDER BY position) WHERE database = currentDatabase() AND table IN (?) GROUP BY table)`,
		named([]Tables{one, two})).Scan(&shapes); err != nil || shapes != 1 {
		t.Errorf("two versions have columns of %d kinds, %v", shapes, err)
	}
}

func named(tables []Tables) (names []string) {
	for _, t := range tables {
		names = append(names, t.Events())
	}
	return names
}
