package report

import (
	"context"
	"strconv"
	"time"

	"zhiban/schemas"
)

// LawyerYear is the evidence of a lawyer's year on duty: what was done, never
// a grade.
type LawyerYear struct {
	Lawyer   Lawyer
	Division string // name of the division whose centre posts the lawyer
	Within   string // name of the division or code of the station whose figures these are
	Year     int
	AsOf     time.Time
	Cut      Cut
	Months   [12]LawyerMonth
	Total    LawyerMonth // persons are counted anew over the year
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

// RecordIndicators lists the indicators of a record, for its definitions.
func RecordIndicators() []schemas.Indicator {
	return lookup(schemas.Shifts, schemas.ShiftsOpen, schemas.DutyMinutes, schemas.Consultations, schemas.PersonsConsulted,
		schemas.ConsultationsGuided, schemas.ConsultationsUnsigned, schemas.ApplicationsReceived, schemas.ApplicationsTransferred, schemas.TransferredWithin24h)
}

// LawyerYear gathers a lawyer's record from all stations within scope. All its
// figures are of one cut; zero asOf is now.
func (w *Warehouse) LawyerYear(ctx context.Context, scope Scope, licence string, year int, asOf time.Time) (LawyerYear, error) {
	i, err := w.inquire(ctx, scope, asOf)
	if err != nil {
		return LawyerYear{}, err
	}
	return i.lawyerYear(ctx, licence, year)
}

func (i inquiry) lawyerYear(ctx context.Context, licence string, year int) (LawyerYear, error) {
	lawyer, err := i.w.Lawyer(ctx, i.scope, licence, i.asOf)
	if err != nil {
		return LawyerYear{}, err
	}
	y := LawyerYear{Lawyer: lawyer, Division: schemas.Divisions.Name(lawyer.Division), Within: schemas.Divisions.Name(i.scope.Division), Year: year, AsOf: i.asOf, Cut: i.cut}
	if i.scope.Station != "" {
		y.Within = string(i.scope.Station)
	}
	january := schemas.Date(year, time.January, 1)
	whole := period{Range: Range{january, (january.Month() + 11).Last()}}.begun(i.asOf)
	inds := codesOf(RecordIndicators())
	var a recordAnswers
	ask := func(into *Statistics, codes []schemas.IndicatorCode, by ...Dimension) func(context.Context) error {
		return func(ctx context.Context) (err error) {
			q := whole.query(i.scope.Division, codes, by...)
			q.Filter = map[Dimension][]string{ByLawyer: {licence}}
			*into, err = i.statistics(ctx, q)
			return err
		}
	}
	if err := together(ctx,
		ask(&a.all, inds),
		ask(&a.months, inds, ByMonth),
		ask(&a.modes, []schemas.IndicatorCode{schemas.DutyMinutes}, ByMonth, ByMode),
		ask(&a.channels, []schemas.IndicatorCode{schemas.Consultations}, ByMonth, ByChannel),
		ask(&a.roles, []schemas.IndicatorCode{schemas.Consultations}, ByMonth, ByPersonRole),
	); err != nil {
		return y, err
	}
	for k := range y.Months {
		m := january.Month() + schemas.Month(k)
		y.Months[k] = a.row(monthPeriod(m).begun(i.asOf), a.months, m.String())
	}
	y.Total = a.row(whole, a.all)
	for _, m := range y.Months { // these parts are additive
		addKnown(y.Total.Minutes, m.Minutes)
		addKnown(y.Total.Channels, m.Channels)
		addKnown(y.Total.Roles, m.Roles)
	}
	return y, nil
}

type recordAnswers struct {
	all, months, modes, channels, roles Statistics
}

// row makes a month's row, or the year's when there is no month.
func (a recordAnswers) row(p period, s Statistics, month ...string) LawyerMonth {
	cell := func(code schemas.IndicatorCode) Figure { return p.cell(s, lookup(code)[0], month...) }
	parts := func(s Statistics, code schemas.IndicatorCode, values []Value) []Figure {
		out := make([]Figure, len(values))
		for k, v := range values {
			if len(month) > 0 {
				out[k] = p.cell(s, lookup(code)[0], month[0], v.Code)
			} else if p.unheld {
				out[k] = Figure{Status: NotAvailable}
			}
		}
		return out
	}
	return LawyerMonth{
		Shifts: cell(schemas.Shifts), ShiftsOpen: cell(schemas.ShiftsOpen),
		Minutes: parts(a.modes, schemas.DutyMinutes, Modes), MinutesAll: cell(schemas.DutyMinutes),
		Channels: parts(a.channels, schemas.Consultations, Channels), Roles: parts(a.roles, schemas.Consultations, PersonRoles),
		Consultations: cell(schemas.Consultations), Persons: cell(schemas.PersonsConsulted),
		Guided: cell(schemas.ConsultationsGuided), Unsigned: cell(schemas.ConsultationsUnsigned),
		Received: cell(schemas.ApplicationsReceived), Transferred: cell(schemas.ApplicationsTransferred), Within24h: cell(schemas.TransferredWithin24h),
	}
}

func addKnown(total, part []Figure) {
	for k, f := range part {
		if f.Status == Known && total[k].Status == Known {
			total[k].Value += f.Value
		}
	}
}

// Title names the record.
func (y LawyerYear) Title() string {
	return strconv.Itoa(y.Year) + "年度值班律师履职记录"
}
