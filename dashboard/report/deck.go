package report

import (
	"context"
	"time"

	"zhiban/schemas"
)

// Deck holds the figures of a joint meeting's slides: a division's month.
type Deck struct {
	Division schemas.Division
	Unit     string
	Month    schemas.Month
	AsOf     time.Time
	Cut      Cut
}

// Deck gathers the figures of the slides. All are of one cut; zero asOf is
// now.
func (w *Warehouse) Deck(ctx context.Context, scope Scope, division schemas.DivisionCode, month schemas.Month, asOf time.Time) (Deck, error) {
	return Deck{}, errUnbuilt
}
