package report

import (
	"context"
	"time"

	"zhiban/schemas"
)

// LawyerYear is the evidence of a lawyer's year on duty: what was done, never
// a grade.
type LawyerYear struct {
	Lawyer Lawyer
	Within schemas.Division // the figures are of stations that report here
	Year   int
	AsOf   time.Time
	Cut    Cut
	Months [12]LawyerMonth
	Total  LawyerMonth // persons are counted anew over the year
}

// LawyerMonth is a row of the record. Minutes, Channels and Roles are in the
// order of [Modes], [Channels] and [PersonRoles].
type LawyerMonth struct {
	Shifts        Figure
	ShiftsOpen    Figure
	Minutes       []Figure
	MinutesAll    Figure
	Channels      []Figure
	Roles         []Figure
	Consultations Figure
	Persons       Figure
	Guided        Figure
	Unsigned      Figure
	Received      Figure
	Transferred   Figure
	Within24h     Figure // ratio
}

// LawyerYear gathers a lawyer's record. All its figures are of one cut; zero
// asOf is now.
func (w *Warehouse) LawyerYear(ctx context.Context, scope Scope, licence string, year int, asOf time.Time) (LawyerYear, error) {
	return LawyerYear{}, errUnbuilt
}
