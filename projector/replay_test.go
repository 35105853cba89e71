package projector

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"zhiban/schemas"
)

// older is a projector of a program that does not know signatures yet.
func (f *fixture) older() (stop func()) {
	return f.runWith(func(p *Projector) {
		p.read = func(b []byte) (schemas.Event, error) {
			if strings.Contains(string(b), "consultation.signed") {
				return schemas.Event{}, errors.New("type is not in the catalogue")
			}
			return schemas.ParseEvent(b)
		}
	})
}

// putUnsigned appends a consultation and its signature.
func (f *fixture) putUnsigned() {
	f.t.Helper()
	subject := "consultation/" + uuid.NewString()
	f.put(
		event("consultation.recorded", subject, "2026-09-01T09:00:00+08:00", `{"lawyer":"12201201810123456","channel":"visit","person":"p-1","person_role":"relative"}`),
		event("consultation.signed", subject, "2026-09-01T09:20:00+08:00", `{"lawyer":"12201201810123456"}`),
	)
}

const unsignedSQL = "SELECT sum(quantity) FROM postings WHERE indicator = 'consultations_unsigned'"

func TestWhatWasParkedIsProjectedAfterAnUpgrade(t *testing.T) {
	f := newFixture(t)
	f.putUnsigned()
	f.put("garbage")
	stop := f.older()
	f.until(3, "SELECT toInt64(max(last_offset) + 1) FROM batches")
	stop()
	if n := f.number(unsignedSQL); n != 1 {
		t.Fatalf("%d unsigned lines before the upgrade, want 1", n)
	}

	for range 2 { // the second start finds nothing left to append
		f.sent = 4
		f.project()
		if n := f.number(unsignedSQL); n != 0 {
			t.Errorf("%d unsigned lines after the upgrade, want 0", n)
		}
		if n := f.number(unsignedSQL + " AND kafka_offset < 3"); n != 1 {
			t.Errorf("%d unsigned lines as of before the upgrade, want still 1", n)
		}
	}
	in, out := shift(2)
	f.put(in, out)
	f.sent = 6
	f.project()
	if n := f.number("SELECT toInt64(max(last_offset) + 1) FROM batches"); n != 6 {
		t.Errorf("the log goes to %d, want 6: the signature was appended more than once", n)
	}
}

func TestReplayingTellsWhatIsLeft(t *testing.T) {
	f := newFixture(t)
	f.put("garbage", "more garbage")
	f.project()
	p, err := New(Config{Brokers: []string{engines.Kafka()}, Group: f.topic, Topic: f.topic, Linger: time.Millisecond}, f.conn, slog.New(f.log))
	if err != nil {
		t.Fatal(err)
	}
	done, err := p.Replay(context.Background())
	if err != nil || done.Appended != 0 || done.Left != 2 || !strings.Contains(done.Reason.Error(), "offset 0 of partition 0") {
		t.Errorf("replayed %+v, %v", done, err)
	}
}
