// Package simulate makes up a believable province: its stations and lawyers,
// and what they record day by day, with the mistakes that people make. It
// stands in for real stations in the demo, in tests and in measurements.
//
// A [Simulation] streams events in the order in which they reach the log, and
// counts while it goes. That count, the [Truth], is made from what the
// simulation knows to be so (when the lawyer really came, who was really
// helped), never from the events it sent, so it proves the whole way from
// ingest to a figure on a page: both must agree.
//
// Every type of the catalogue comes up, and every figure has its sum in the
// truth in the figure's own unit, but for ratios and means, of which both halves
// are there. Old software in a few places writes old versions of events.
//
// The same [Config] gives the same bytes and the same truth.
//
//	sim, err := simulate.New(simulate.Config{From: from, To: to, Seed: 1, Scale: 1})
//	err = simulate.Post(ctx, sim.Events(), send, 1000, nil)
//	err = sim.Truth(today).Write(file)
package simulate
