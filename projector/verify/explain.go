package verify

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	kafka "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"zhiban/schemas"
)

// place is where an event stands in the log.
type place struct {
	partition int
	offset    int64
}

// step is what a place adds to a cell by the recount, and by the postings.
type step struct{ recounted, projected figure }

// explanation finds the places that make some cells differ.
type explanation struct {
	wanted map[cell]map[place]step
	ids    map[place]schemas.EventID
}

// add counts what a place adds to those of an entry's cells that are wanted.
func (x *explanation) add(at place, e entry, to func(*step) *figure) {
	put := func(c cell, f figure) {
		if steps, ok := x.wanted[c]; ok {
			s := steps[at]
			to(&s).add(f)
			steps[at] = s
		}
	}
	c, f := e.placed()
	put(c, f)
	e.others(func(c cell, person uint64) { put(c, figure{e.n, uint64(e.n) * person}) })
}

// concerns tells whether an entry falls in a wanted cell.
func (x *explanation) concerns(e entry) bool {
	c, _ := e.placed()
	_, yes := x.wanted[c]
	e.others(func(c cell, _ uint64) {
		if _, ok := x.wanted[c]; ok {
			yes = true
		}
	})
	return yes
}

// explain makes the list of differences: for each cell that differs, the events
// whose postings are not what the case's history up to them, less that before
// them, amounts to. The log is read once more for it.
func (v *verifier) explain(ctx context.Context, cells []cell, recounted, projected *books) ([]Difference, error) {
	if len(cells) == 0 {
		return nil, nil
	}
	x := &explanation{map[cell]map[place]step{}, map[place]schemas.EventID{}}
	for _, c := range cells {
		x.wanted[c] = map[place]step{}
	}
	for _, p := range v.parts {
		v.total += p.head * int64(v.passes(p))
	}
	err := v.eachPosting(ctx, v.below+" AND "+postedIn(cells), func(r postingRow) {
		at := place{r.partition, r.offset}
		x.add(at, r.entry, func(s *step) *figure { return &s.projected })
		if x.concerns(r.entry) {
			x.ids[at] = schemas.EventID{}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the postings of what differs: %w", err)
	}
	if err := v.restep(ctx, x); err != nil {
		return nil, fmt.Errorf("read the events of what differs: %w", err)
	}
	var out []Difference
	for _, c := range cells {
		d := Difference{
			Indicator: c.indicator, Month: c.month.String(), Source: c.source, Lawyer: c.lawyer.String(),
			Recounted: recounted.figures[c].sum, Projected: projected.figures[c].sum,
		}
		if c.due != 0 {
			d.Due = c.due.String()
		}
		d.Events, d.MoreEvents = x.events(c)
		out = append(out, d)
	}
	return out, nil
}

// restep reads the log and adds what each event adds to the wanted cells.
func (v *verifier) restep(ctx context.Context, x *explanation) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(v.atOnce)
	for _, p := range v.parts {
		group.Go(func() error {
			named := func(m kafka.Message, e *schemas.Event, unreadable error) error {
				if e == nil || unreadable != nil {
					return nil
				}
				v.mu.Lock()
				defer v.mu.Unlock()
				if at := (place{p.partition, m.Offset}); hasKey(x.ids, at) {
					x.ids[at] = e.ID
				}
				return nil
			}
			return v.cases(ctx, p, named, func(c schemas.CaseID, history []record) {
				for i, entries := range steps(c.Kind, history) {
					for _, e := range entries {
						if !x.concerns(e) { // wanted's keys do not change any more
							continue
						}
						at := place{p.partition, history[i].offset}
						v.mu.Lock()
						x.add(at, e, func(s *step) *figure { return &s.recounted })
						x.ids[at] = history[i].id
						v.mu.Unlock()
					}
				}
			})
		})
	}
	return group.Wait()
}

func hasKey[K comparable, V any](m map[K]V, k K) bool { _, ok := m[k]; return ok }

// steps are, event by event, what each changes of what its case amounts to.
func steps(kind schemas.CaseKind, history []record) [][]entry {
	out := make([][]entry, len(history))
	var before []entry
	for i := range history {
		after := count(kind, facts(history[:i+1]))
		out[i] = slices.Clone(after)
		for _, e := range before {
			e.n = -e.n
			out[i] = append(out[i], e)
		}
		before = after
	}
	return out
}

// postedIn is a condition that holds for all postings that can fall in cells.
func postedIn(cells []cell) string {
	wanted := map[string]bool{}
	for _, c := range cells {
		for _, code := range schemas.Indicators.Posted(c.indicator) {
			wanted[fmt.Sprintf("('%s', %d)", strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(string(code)), c.month)] = true
		}
	}
	return "(toString(indicator), " + monthSQL + ") IN (" + strings.Join(slices.Sorted(maps.Keys(wanted)), ", ") + ")"
}

// events are the places that make a cell differ, in the order of the log.
func (x *explanation) events(c cell) (refs []EventRef, more int64) {
	for at, s := range x.wanted[c] {
		if s.recounted != s.projected {
			refs = append(refs, EventRef{at.partition, at.offset, x.ids[at], s.recounted.sum, s.projected.sum})
		}
	}
	slices.SortFunc(refs, func(a, b EventRef) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	n := min(len(refs), listedUnder)
	return refs[:n], int64(len(refs) - n)
}
