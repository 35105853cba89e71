package simulate

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"sync"

	"golang.org/x/sync/errgroup"

	"zhiban/schemas"
)

// lanes is how many batches are on their way at once.
const lanes = 4

// Post sends the events in batches, a few at once. A source's events all go
// down the same lane, one batch after the other, so they keep their order;
// that is the order which counts, for a case never leaves its source. The
// first error ends it. progress, if not nil, is told how many events have been
// sent, from one goroutine at a time.
func Post(ctx context.Context, events iter.Seq[schemas.Envelope], send func(context.Context, []schemas.Envelope) error, batch int, progress func(done int)) error {
	group, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex
	done := 0
	sent := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		if progress != nil {
			progress(done)
		}
	}

	var queues [lanes]chan []schemas.Envelope
	for i := range queues {
		queues[i] = make(chan []schemas.Envelope, 1)
		group.Go(func() error {
			for events := range queues[i] {
				if err := send(ctx, events); err != nil {
					return err
				}
				sent(len(events))
			}
			return nil
		})
	}
	group.Go(func() error {
		defer func() {
			for _, q := range queues {
				close(q)
			}
		}()
		var open [lanes][]schemas.Envelope
		push := func(lane int) bool {
			select {
			case queues[lane] <- open[lane]:
				open[lane] = nil
				return true
			case <-ctx.Done():
				return false
			}
		}
		for e := range events {
			lane := laneOf(e.Source)
			open[lane] = append(open[lane], e)
			if len(open[lane]) >= batch && !push(lane) {
				return ctx.Err()
			}
		}
		for lane := range open {
			if len(open[lane]) > 0 && !push(lane) {
				return ctx.Err()
			}
		}
		return ctx.Err() // events that are paced end with it
	})
	return group.Wait()
}

func laneOf(source string) int {
	h := fnv.New32a()
	h.Write([]byte(source))
	return int(h.Sum32() % lanes)
}

// WriteNDJSON writes the events as lines of JSON and returns how many.
func WriteNDJSON(w io.Writer, events iter.Seq[schemas.Envelope]) (int, error) {
	b := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	n := 0
	for e := range events {
		if err := enc.Encode(e); err != nil {
			return n, fmt.Errorf("write event %s: %w", e.ID, err)
		}
		n++
	}
	if err := b.Flush(); err != nil {
		return n, fmt.Errorf("write events: %w", err)
	}
	return n, nil
}
