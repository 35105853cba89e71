package projector

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

func (f *fixture) config() Config {
	return Config{Brokers: f.brokers, Group: f.topic, Topic: f.topic, BatchRows: 7, Linger: 20 * time.Millisecond, RebalanceTimeout: time.Second}
}

// rebuild fills version 2 until it has what version 1 has.
func (f *fixture) rebuild(acceptParked bool) (*Rebuild, error) {
	f.t.Helper()
	r, err := NewRebuild(context.Background(), f.config(), f.conn, acceptParked, slog.New(f.log))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := r.Close(); err != nil {
			f.t.Error(err)
		}
	})
	return r, r.Fill(context.Background(), func(done, total int64) {
		if done > total {
			f.t.Errorf("%d of %d records done", done, total)
		}
	})
}

func (f *fixture) compare(r *Rebuild) Comparison {
	f.t.Helper()
	c, err := r.Compare(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// Version 2 is filled while version 1 serves and events arrive; after the switch
// the running projector goes on in version 2.
func TestARebuildTakesOverWhileEventsArrive(t *testing.T) {
	f := newFixture(t)
	stop := f.run()
	defer stop()
	f.putSeptember(10)
	f.until(20, "SELECT toInt64(max(last_offset) + 1) FROM batches_v1")
	r, err := f.rebuild(false)
	if err != nil {
		t.Fatal(err)
	}
	in, out := shift(11)
	f.put(in, out)
	f.until(22, "SELECT toInt64(max(last_offset) + 1) FROM batches_v1")
	f.until(22, "SELECT toInt64(max(last_offset) + 1) FROM batches_v2")
	c := f.compare(r)
	if !c.Equal() || c.Events != 22 || c.OldEvents != 22 || c.Figures == 0 || c.Cut[0] != 22 {
		t.Fatalf("compared %+v", c)
	}
	if taken, err := r.Switch(context.Background(), time.Minute); err != nil || !taken {
		t.Fatalf("nobody went over to version 2: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	in, out = shift(12)
	f.put(in, out)
	f.until(24, "SELECT toInt64(max(last_offset) + 1) FROM batches_v2")
	f.expect(septemberBooks(12)) // through the views
	if err := warehouse.Drop(context.Background(), f.conn, warehouse.Tables{Version: 2}); err == nil {
		t.Error("the current version was dropped")
	}
	if err := warehouse.Drop(context.Background(), f.conn, r.From); err != nil {
		t.Error(err)
	}
	// The next rebuild takes its shape from the version that is left.
	next, err := f.rebuild(false)
	if err != nil || next.To.Version != 3 || !f.compare(next).Equal() {
		t.Errorf("the next rebuild fills version %d: %v", next.To.Version, err)
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
	if err := warehouse.Drop(context.Background(), f.conn, next.To); err != nil {
		t.Error(err)
	}
}

func TestARebuildFindsWhatTheTablesHaveWrong(t *testing.T) {
	wait := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"mutations_sync": 2, "lightweight_deletes_sync": 2}))
	for _, c := range []struct {
		name, tamper string
		figure       FigureDifference
		events       bool
	}{
		{"a quantity", "ALTER TABLE postings_v1 UPDATE quantity = 500 WHERE indicator = 'duty_minutes' AND day = '2026-09-03'",
			FigureDifference{Indicator: schemas.DutyMinutes, Month: "2026-09", Source: "220182-court", Lawyer: "12201201810123456", Old: 5*480 + 20, New: 5 * 480}, false},
		{"a dimension", "ALTER TABLE postings_v1 UPDATE mode = 'phone' WHERE indicator = 'shifts' AND kafka_offset = 2",
			FigureDifference{Indicator: schemas.Shifts, Month: "2026-09", Source: "220182-court", Lawyer: "12201201810123456", Old: 5, New: 5}, false},
		{"an event's data", "ALTER TABLE events_v1 UPDATE data = '{}' WHERE kafka_offset = 4", FigureDifference{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.putSeptember(5)
			f.project()
			if err := f.conn.Exec(wait, c.tamper); err != nil {
				t.Fatal(err)
			}
			r, err := f.rebuild(false)
			if err != nil {
				t.Fatal(err)
			}
			got := f.compare(r)
			if got.Equal() || c.events != (len(got.EventsDiffer) == 1) {
				t.Fatalf("compared %+v", got)
			}
			if c.figure.Indicator != "" && (len(got.Differences) != 1 || got.Differences[0] != c.figure) {
				t.Errorf("differences %+v, want %+v", got.Differences, c.figure)
			}
		})
	}
}

func TestARebuildStopsAtWhatCannotBeRead(t *testing.T) {
	f := newFixture(t)
	in, out := shift(1)
	f.put(in, "garbage", out)
	f.project()
	if _, err := f.rebuild(false); err == nil || !strings.Contains(err.Error(), "offset 1 of partition 0") || !strings.Contains(err.Error(), "--accept-parked") {
		t.Errorf("a rebuild passed garbage: %v", err)
	}
	r, err := f.rebuild(true)
	if err != nil {
		t.Fatal(err)
	}
	if c := f.compare(r); !c.Equal() || c.Parks != 1 || c.OldParks != 1 {
		t.Errorf("compared %+v", c)
	}
}

// What an older program parked and a newer one replayed is parked in the rebuilt
// tables, too: a figure of a moment in between stays what it was.
func TestARebuildKeepsFiguresOfPastMoments(t *testing.T) {
	f := newFixture(t)
	f.putUnsigned()
	stop := f.older()
	f.until(2, "SELECT toInt64(max(last_offset) + 1) FROM batches")
	stop()
	f.sent = 3
	f.project()
	r, err := f.rebuild(false)
	if err != nil {
		t.Fatal(err)
	}
	if c := f.compare(r); !c.Equal() || c.Parks != 1 {
		t.Errorf("compared %+v", c)
	}
	if n := f.number(strings.Replace(unsignedSQL, "postings", "postings_v2", 1) + " AND kafka_offset < 2"); n != 1 {
		t.Errorf("%d unsigned lines as of before the upgrade in the rebuilt tables, want still 1", n)
	}
}
