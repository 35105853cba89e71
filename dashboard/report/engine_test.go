package report

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"zhiban/deploy/embedded"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// TestMain lets the tests that ask the real engine have one.
func TestMain(m *testing.M) {
	embedded.ChildMain()
	code := m.Run()
	stopEngine()
	os.Exit(code)
}

// engine is started by the first test that needs it, and is every test's.
var (
	stopEngine = func() {}
	engine     = sync.OnceValues(func() (driver.Conn, error) {
		dir, err := os.MkdirTemp("", "zhiban-report")
		if err != nil {
			return nil, err
		}
		engines, err := embedded.Start(context.Background(), embedded.Config{Dir: dir})
		if err != nil {
			return nil, err
		}
		stopEngine = func() {
			_ = engines.Close()
			_ = os.RemoveAll(dir)
		}
		if err := warehouse.Migrate(context.Background(), engines.ClickHouse().DSN()); err != nil {
			return nil, err
		}
		return warehouse.Open(context.Background(), engines.ClickHouse().DSN())
	})
)

// book is a warehouse that holds a log of a test's own.
type book struct {
	*Warehouse
	t       testing.TB
	offsets [2]int64
	next    int
	at      time.Time
}

// newBook empties the engine's tables. The log is of two partitions: 0 of the
// first station, 1 of all others.
func newBook(t testing.TB) *book {
	t.Helper()
	conn, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	tables, err := warehouse.Current(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range append(tables.RollUps(), tables.Events(), tables.Postings(), tables.Batches(), tables.Parked()) {
		if err := conn.Exec(t.Context(), "TRUNCATE TABLE "+table); err != nil {
			t.Fatal(err)
		}
	}
	return &book{Warehouse: New(conn), t: t, at: time.Date(2026, time.September, 1, 8, 0, 0, 0, schemas.Shanghai)}
}

const (
	court  = "220182-court"
	centre = "220182-detention"
)

// write projects events: each is source, type without its frame
// (shift.signed_in), case key and data. It returns their ids, which are in the
// order of writing; a minute passes from each to the next.
func (b *book) write(events ...[4]string) []schemas.EventID {
	b.t.Helper()
	ctx := b.t.Context()
	tables, err := warehouse.Current(ctx, b.conn)
	if err != nil {
		b.t.Fatal(err)
	}
	rows, err := b.conn.PrepareBatch(ctx, "INSERT INTO "+tables.Events()+" (kafka_partition, kafka_offset, epoch, id_start, id_rest, type, case_kind, case_key, source, time, recorded, data, recorded_by)")
	if err != nil {
		b.t.Fatal(err)
	}
	var ids []schemas.EventID
	for _, e := range events {
		kind, _, _ := strings.Cut(e[1], ".")
		b.next++
		b.at = b.at.Add(time.Minute)
		id := uuid.MustParse(fmt.Sprintf("0199a1c2-7d1e-7c3a-9a55-%012d", b.next))
		p := 1
		if e[0] == court {
			p = 0
		}
		if !json.Valid([]byte(e[3])) {
			b.t.Fatalf("%s is not JSON", e[3])
		}
		start, rest := warehouse.SplitID(id, b.at)
		if err := rows.Append(uint16(p), uint64(b.offsets[p]), uint32(1), start, rest, "zhiban."+e[1]+".v1", kind, e[2], e[0], b.at, b.at, e[3], "test"); err != nil {
			b.t.Fatal(err)
		}
		b.offsets[p]++
		ids = append(ids, id)
	}
	if err := rows.Send(); err != nil {
		b.t.Fatal(err)
	}
	for p, next := range b.offsets {
		if next == 0 {
			continue
		}
		err := b.conn.Exec(ctx, "INSERT INTO "+tables.Batches()+" (kafka_partition, first_offset, last_offset, epoch, events, digest, recorded) VALUES (?, 0, ?, 1, ?, '', now64(3))", uint16(p), uint64(next-1), uint32(next))
		if err != nil {
			b.t.Fatal(err)
		}
	}
	return ids
}
