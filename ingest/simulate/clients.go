package simulate

import "fmt"

// client is a person who comes for help. Only a pseudonym of them is known.
type client struct {
	id    uint64
	stand stand
}

// stand is where a person stands in a case.
type stand int

const (
	party    stand = iota // suspect or defendant, depending on where the case is
	relative              // of a suspect or defendant
	other
)

func (c client) pseudonym() string { return fmt.Sprintf("p-%012x", c.id) }

// clients are those who came to a place lately.
type clients struct {
	recent []client
	next   int
}

const remembered = 200

func (c *clients) remember(who client) {
	if len(c.recent) < remembered {
		c.recent = append(c.recent, who)
		return
	}
	c.recent[c.next%remembered] = who
	c.next++
}

// client is the next person who comes to a place: new, or one who has been
// there or nearby before.
func (r *run) client(pl *place, as stand) client {
	if r.chance(0.34) {
		from := pl
		if len(pl.near) > 0 && r.chance(0.12) {
			from = pick(r.dice, pl.near)
		}
		for try := 0; try < 5 && len(from.clients.recent) > 0; try++ {
			if who := pick(r.dice, from.clients.recent); who.stand == as {
				return who
			}
		}
	}
	who := client{r.newPerson(), as}
	pl.clients.remember(who)
	return who
}

func (r *run) newPerson() uint64 { return r.Uint64N(1 << 48) }
