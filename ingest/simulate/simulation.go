package simulate

import (
	"errors"
	"fmt"
	"time"

	"zhiban/schemas"
)

// Config says what to simulate.
type Config struct {
	From, To schemas.Day // both inclusive; nothing happens after To
	Seed     uint64
	// Scale is the amount of work, 1 being the whole province: some 450 000
	// events in 2025. Below 1 stations are staffed on fewer days and fewer
	// lawyers are enrolled; the stations stay the same. Above 1 more lawyers
	// are on duty at once.
	Scale float64
	// Division limits the simulation to a prefecture or a county. Empty: the
	// whole province.
	Division schemas.DivisionCode
	// Stamped fills in recordedtime and recordedby as ingest would have done at
	// the time, for events that are written to a log directly. Events for
	// ingest must not carry them.
	Stamped bool
}

// Validate tells what is wrong with a configuration, and how to mend it.
func (c Config) Validate() error {
	var errs []error
	if first := schemas.Date(2018, time.March, 1); c.From < first {
		errs = append(errs, fmt.Errorf("from %s: the stations began with the rules of January 2018; begin on %s or later", c.From, first))
	}
	if c.To < c.From {
		errs = append(errs, fmt.Errorf("to %s is before from %s", c.To, c.From))
	}
	if !(c.Scale > 0 && c.Scale <= 100) {
		errs = append(errs, fmt.Errorf("scale %g: above 0, at most 100; 1 is the whole province", c.Scale))
	}
	if d, ok := schemas.Divisions.Get(c.Division); c.Division != "" && (!ok || !d.Valid(c.From) || d.Kind == devZone) {
		errs = append(errs, fmt.Errorf("division %q is no division with a justice bureau on %s", c.Division, c.From))
	}
	return errors.Join(errs...)
}

// Demo is what a first start shows: last year and this year up to yesterday,
// so that every figure has the same month of last year beside it, in some
// 200 000 events.
func Demo(today schemas.Day) Config {
	c := Config{From: schemas.Date(today.Year()-1, time.January, 1), To: today - 1, Seed: 2018, Scale: 0.25}
	if days := float64(c.To - c.From + 1); days < 600 {
		c.Scale *= 600 / days
	}
	return c
}

// Simulation is a province and what happens in it.
type Simulation struct {
	config Config
	last   *run // nil before the first pass
}

// New refuses configurations that are wrong.
func New(c Config) (*Simulation, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	return &Simulation{config: c}, nil
}
