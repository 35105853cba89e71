package simulate_test

import (
	"fmt"
	"time"

	"zhiban/ingest/simulate"
	"zhiban/schemas"
)

// A month of 延边, and what its figures must be in the end.
func Example() {
	from, to := schemas.Date(2026, time.September, 1), schemas.Date(2026, time.September, 30)
	sim, err := simulate.New(simulate.Config{From: from, To: to, Seed: 1, Scale: 1, Division: "222400"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for e := range sim.Events() {
		_ = e // send it, or use simulate.Post
	}
	truth := sim.Truth(to + 1)
	for _, code := range []schemas.IndicatorCode{schemas.Stations, schemas.Shifts, schemas.Consultations, schemas.PersonsConsulted} {
		fmt.Println(code, "延边", truth.Lookup(from.Month(), "222400", code), "汪清", truth.Lookup(from.Month(), "222424", code))
	}
	// Output:
	// stations 延边 22 汪清 2
	// shifts 延边 373 汪清 30
	// consultations 延边 647 汪清 49
	// persons_consulted 延边 522 汪清 43
}
