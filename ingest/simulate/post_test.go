package simulate

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"zhiban/schemas"
)

// numbered are n events of a few sources, numbered by source.
func numbered(n int) iter.Seq[schemas.Envelope] {
	return func(yield func(schemas.Envelope) bool) {
		for i := range n {
			if !yield(schemas.Envelope{Source: "/stations/" + strconv.Itoa(i%17), ID: strconv.Itoa(i / 17)}) {
				return
			}
		}
	}
}

func TestPostKeepsTheOrderOfEachSource(t *testing.T) {
	var mu sync.Mutex
	got := map[string][]string{}
	var steps []int
	err := Post(t.Context(), numbered(10_000), func(_ context.Context, events []schemas.Envelope) error {
		if len(events) > 100 {
			t.Errorf("a batch of %d", len(events))
		}
		mu.Lock()
		defer mu.Unlock()
		for _, e := range events {
			got[e.Source] = append(got[e.Source], e.ID)
		}
		return nil
	}, 100, func(done int) { steps = append(steps, done) })
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for source, ids := range got {
		for i, id := range ids {
			if id != strconv.Itoa(i) {
				t.Fatalf("%s: event %s in place %d", source, id, i)
			}
		}
		total += len(ids)
	}
	if total != 10_000 || !slices.IsSorted(steps) || steps[len(steps)-1] != 10_000 {
		t.Errorf("%d sent, progress %v", total, steps)
	}
}

func TestPostEndsWithTheFirstError(t *testing.T) {
	full := errors.New("disk full")
	sent := 0
	var mu sync.Mutex
	err := Post(t.Context(), numbered(1_000_000), func(context.Context, []schemas.Envelope) error {
		mu.Lock()
		defer mu.Unlock()
		if sent++; sent == 5 {
			return full
		}
		return nil
	}, 10, nil)
	if !errors.Is(err, full) {
		t.Errorf("error is %v", err)
	}
	if sent > 1000 {
		t.Errorf("%d batches sent after the error", sent)
	}
}

func TestPostEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err := Post(ctx, numbered(1_000_000), func(ctx context.Context, _ []schemas.Envelope) error {
		<-ctx.Done()
		return ctx.Err()
	}, 10, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}
