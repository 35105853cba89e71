package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"zhiban/schemas"
)

// moment is a second, as Unix time. All that happens in the province happens
// on a second.
type moment int64

const (
	minute moment = 60
	hour          = 60 * minute
	oneDay        = 24 * hour
)

// clock is a time of day in Shanghai.
func clock(day schemas.Day, h, m int) moment {
	return moment(day)*oneDay - 8*hour + moment(h)*hour + moment(m)*minute
}

func (m moment) day() schemas.Day { return schemas.Day((m + 8*hour) / oneDay) }

// hourOfDay is the hour in Shanghai.
func (m moment) hourOfDay() int { return int((m + 8*hour) % oneDay / hour) }

func (m moment) time() time.Time { return time.Unix(int64(m), 0).In(schemas.Shanghai) }

// wire writes the moment as most senders do, or as some do in UTC.
func (m moment) wire(utc bool) string {
	if utc {
		return m.time().UTC().Format(schemas.WireTime)
	}
	return m.time().Format(time.RFC3339)
}

// dice is the one source of randomness of a run.
type dice struct{ *rand.Rand }

func newDice(seed, stream uint64) dice { return dice{rand.New(rand.NewPCG(seed, stream))} }

// chance is true with probability p.
func (d dice) chance(p float64) bool { return d.Float64() < p }

// between is one of lo..hi, both included.
func between[T ~int | ~int64 | ~int32](d dice, lo, hi T) T {
	if hi <= lo {
		return lo
	}
	return lo + T(d.Int64N(int64(hi-lo)+1))
}

// some is a whole number whose mean is mean, as close to it as can be.
func (d dice) some(mean float64) int {
	n := math.Floor(mean)
	if d.chance(mean - n) {
		n++
	}
	return int(n)
}

// poisson is the number of things that happen independently, mean a time.
func (d dice) poisson(mean float64) int {
	n := 0
	for rest := mean; rest > 0; n++ {
		rest -= d.ExpFloat64()
		if rest <= 0 {
			break
		}
	}
	return n
}

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }

// choice is a value and how often it comes up against the others.
type choice[T any] struct {
	weight float64
	value  T
}

// choose picks by weight.
func choose[T any](d dice, from []choice[T]) T {
	sum := 0.0
	for _, c := range from {
		sum += c.weight
	}
	x := d.Float64() * sum
	for _, c := range from {
		if x -= c.weight; x < 0 {
			return c.value
		}
	}
	return from[len(from)-1].value
}
