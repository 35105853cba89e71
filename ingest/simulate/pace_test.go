package simulate

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zhiban/schemas"
)

func TestDue(t *testing.T) {
	for _, c := range []struct {
		rate   int
		passed time.Duration
		want   int
	}{
		{100, 0, 0}, {100, time.Second, 100}, {100, 9 * time.Millisecond, 0}, {100, 10 * time.Millisecond, 1}, {3, time.Second, 3}, {3, 333 * time.Millisecond, 0},
		{1, 48 * time.Hour, 172_800}, {1_000_000, 100_000 * time.Hour, 360_000_000_000_000},
	} {
		if got := due(c.rate, c.passed); got != c.want {
			t.Errorf("at %d a second %d are due after %s, expected %d", c.rate, got, c.passed, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 1_000_000).Draw(t, "rate")
		passed := time.Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, "passed"))
		n := due(rate, passed)
		if exact := float64(rate) * passed.Seconds(); math.Abs(exact-float64(n)) > 1+exact*1e-9 {
			t.Fatalf("%d are due, exactly %f", n, exact)
		}
		if later := due(rate, passed+Tick); later < n {
			t.Fatalf("%d are due, later %d", n, later)
		}
	})
}

func TestBatchesFitTheRate(t *testing.T) {
	for rate, want := range map[int]int{0: 1000, 1: 1, 50: 2, 800: 40, 8000: 400, 1_000_000: 1000} {
		if got := BatchAt(rate, 1000); got != want {
			t.Errorf("batches of %d at %d a second, expected %d", got, rate, want)
		}
	}
}

// The clock of this test moves by hand: after each tick as many events have
// gone as are due, whatever was missed before, and no more.
func TestEventsGoAtTheRate(t *testing.T) {
	ticks, gone := make(chan time.Time), make(chan struct{}, 1000)
	go func() {
		defer close(gone)
		for range Paced(t.Context(), numbered(120), 100, ticks) {
			gone <- struct{}{}
		}
	}()
	start := time.Date(2026, 9, 1, 8, 0, 0, 0, schemas.Shanghai)
	taken := 0
	for _, step := range []struct {
		at   time.Duration
		want int // in all, when the next tick is taken
	}{{0, 0}, {50 * time.Millisecond, 5}, {55 * time.Millisecond, 5}, {100 * time.Millisecond, 10}, {time.Second, 100}, {1050 * time.Millisecond, 105}} {
		ticks <- start.Add(step.at)
		ticks <- start.Add(step.at) // taken only when all that were due have gone
		for ; len(gone) > 0; taken++ {
			<-gone
		}
		if taken != step.want {
			t.Fatalf("after %s %d have gone, expected %d", step.at, taken, step.want)
		}
	}
	ticks <- start.Add(time.Hour)
	for range gone {
		taken++
	}
	if taken != 120 {
		t.Errorf("%d have gone in the end, expected all 120", taken)
	}
}

// Pacing changes neither the events nor their order.
func TestAllEventsGoInTheirOrder(t *testing.T) {
	ticks := make(chan time.Time)
	go func() {
		for at := time.Unix(0, 0); ; at = at.Add(Tick) {
			select {
			case ticks <- at:
			case <-t.Context().Done():
				return
			}
		}
	}()
	paced := slices.Collect(Paced(t.Context(), numbered(1000), 700, ticks))
	if !slices.EqualFunc(paced, slices.Collect(numbered(1000)), func(a, b schemas.Envelope) bool { return a.Source == b.Source && a.ID == b.ID }) {
		t.Error("the paced events are others, or in another order")
	}
}

func TestPacingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Post(ctx, Paced(ctx, numbered(10), 1, nil), func(context.Context, []schemas.Envelope) error {
		t.Error("an event went although no tick came")
		return nil
	}, 1, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("what was broken off ends with %v", err)
	}
}
