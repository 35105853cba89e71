package simulate

import (
	"context"
	"iter"
	"time"

	"zhiban/schemas"
)

// Tick is how often events are let go when they are sent at a rate.
const Tick = 50 * time.Millisecond

// due is how many events should have gone when some time has passed. What could
// not go in time is made up for: the rate holds over the whole, as it does for
// the people of a province, who do not wait for a server either.
func due(rate int, passed time.Duration) int {
	whole := int(passed/time.Second) * rate
	return whole + int(passed%time.Second)*rate/int(time.Second)
}

// BatchAt is how many events go together at a rate, at most limit: those of one
// tick. A rate of 0 is as fast as it goes.
func BatchAt(rate, limit int) int {
	if rate == 0 {
		return limit
	}
	return min(max(due(rate, Tick), 1), limit)
}

// Paced lets the events go at so many a second, counted from the first of ticks
// on; the ticker's period should be [Tick]. It ends with the context.
func Paced(ctx context.Context, events iter.Seq[schemas.Envelope], rate int, ticks <-chan time.Time) iter.Seq[schemas.Envelope] {
	return func(yield func(schemas.Envelope) bool) {
		var began time.Time
		sent, allowed := 0, 0
		for e := range events {
			for sent == allowed {
				select {
				case now := <-ticks:
					if began.IsZero() {
						began = now
					}
					allowed = due(rate, now.Sub(began))
				case <-ctx.Done():
					return
				}
			}
			if !yield(e) {
				return
			}
			sent++
		}
	}
}
