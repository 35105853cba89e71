package report

import (
	"context"
	"slices"
	"strconv"
	"time"

	"zhiban/schemas"
)

// LawyerYear is a lawyer's record of a year on duty: what was done, never a
// grade.
type LawyerYear struct {
	Lawyer   Lawyer
	Division string // name of the division whose centre posts the lawyer
	Within   string // name of the division or code of the station whose figures these are
	Year     int
	AsOf     time.Time
	Cut      Cut
	Evidence []Evidence
	Months   [12]LawyerMonth
	Total    LawyerMonth // persons are counted anew over the year
}

// LawyerMonth is a row of the record. Minutes, Channels and Roles are in the
// order of [Modes], [Channels] and [PersonRoles].
type LawyerMonth struct {
	Figures  map[schemas.IndicatorCode]Figure // of [RecordIndicators]
	Minutes  []Figure
	Channels []Figure
	Roles    []Figure
}

// Of is an indicator's figure, not available when the row has none.
func (m LawyerMonth) Of(code schemas.IndicatorCode) Figure {
	if f, ok := m.Figures[code]; ok {
		return f
	}
	return Figure{Status: NotAvailable}
}

// DutyIndicators and HelpIndicators are the columns of the record's two tables
// of months: what was done on duty, and everything else.
func DutyIndicators() []schemas.Indicator {
	return lookup(schemas.Shifts, schemas.ShiftsOpen, schemas.NoShows, schemas.DutyMinutes, schemas.Consultations, schemas.PersonsConsulted,
		schemas.ConsultationsGuided, schemas.ConsultationsUnsigned, schemas.ConsultationsLateEntry, schemas.ApplicationsReceived, schemas.ApplicationsTransferred, schemas.TransferredWithin24h)
}

// HelpIndicators: see [DutyIndicators].
func HelpIndicators() []schemas.Indicator {
	return lookup(schemas.PersonsHelped, schemas.PleaAssistance, schemas.Affidavits, schemas.ClientMeetings, schemas.FileReviews, schemas.Opinions,
		schemas.OpinionsAdopted, schemas.CoerciveMeasures, schemas.ProcedureChoices, schemas.Complaints, schemas.PublicitySessions, schemas.OtherTasks, schemas.HelpRequestsDispatched,
		schemas.FeedbackCount, schemas.Satisfaction, schemas.TrainingHours, schemas.ConductUpheld, schemas.Honours)
}

// RecordIndicators lists the indicators of a record, for its definitions.
func RecordIndicators() []schemas.Indicator {
	return union(DutyIndicators(), HelpIndicators(), lookup(schemas.ShiftsDue, schemas.TransferDue24h))
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

// ReadLawyerYear gathers a record from any [Source], as of a moment and its
// cut.
func ReadLawyerYear(ctx context.Context, from Source, scope Scope, licence string, year int, asOf time.Time, cut Cut) (LawyerYear, error) {
	return inquiry{w: from, scope: scope, asOf: asOf, cut: cut}.lawyerYear(ctx, licence, year)
}

func (i inquiry) lawyerYear(ctx context.Context, licence string, year int) (LawyerYear, error) {
	lawyer, err := i.w.Lawyer(ctx, i.scope, licence, i.asOf)
	if err != nil {
		return LawyerYear{}, err
	}
	y := LawyerYear{Lawyer: lawyer, Division: schemas.Divisions.Name(lawyer.Division), Within: schemas.Divisions.Name(Home(i.scope)), Year: year, AsOf: i.asOf, Cut: i.cut}
	if i.scope.Station != "" {
		y.Within = string(i.scope.Station)
	}
	january := schemas.Date(year, time.January, 1)
	whole := period{Range: Range{january, (january.Month() + 11).Last()}}.begun(i.asOf)
	inds := codesOf(RecordIndicators())
	var a recordAnswers
	var p peers
	ask := func(into *Statistics, codes []schemas.IndicatorCode, by ...Dimension) func(context.Context) error {
		return func(ctx context.Context) (err error) {
			q := whole.query(Home(i.scope), codes, by...)
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
		func(ctx context.Context) (err error) {
			p, err = i.peersOf(ctx, lawyer, whole)
			return err
		},
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
	y.Evidence = evidence(y.Total, licence, p)
	return y, nil
}

type recordAnswers struct {
	all, months, modes, channels, roles Statistics
}

// row makes a month's row, or the year's when there is no month.
func (a recordAnswers) row(p period, s Statistics, month ...string) LawyerMonth {
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
	m := LawyerMonth{
		Figures: map[schemas.IndicatorCode]Figure{}, Minutes: parts(a.modes, schemas.DutyMinutes, Modes),
		Channels: parts(a.channels, schemas.Consultations, Channels), Roles: parts(a.roles, schemas.Consultations, PersonRoles),
	}
	for _, ind := range RecordIndicators() {
		m.Figures[ind.Code] = p.cell(s, ind, month...)
	}
	return m
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

// Evidence is a figure of the year with what it is measured against and its
// place among the lawyers of the county and of the prefecture.
type Evidence struct {
	Indicator schemas.Indicator
	Year      Figure
	Base      *schemas.Indicator // what it is measured against; nil for what is counted alone
	Of        Figure             // how much there was of that: n
	RateName  schemas.Text       // empty when the figure itself is the rate, or there is none
	Rate      Figure             // 0 to 1
	County    Place
	Whole     Place // in the prefecture
}

// Place is where a lawyer stands among those of a division, the best first;
// equals share a place. Rank is 0 where there is no ranking: fewer than
// [LeastPeers] to compare with, too small an n, or a figure that is not for
// ranking.
type Place struct {
	Rank, Of int
}

// LeastPeers is how many lawyers a ranking needs, and LeastBase how many cases
// a rate or a mean: with fewer, a place would say more of chance than of work.
const (
	LeastPeers = 5
	LeastBase  = 5
)

// evidenceRow is a row of the table of evidence. Of is what the figure is a
// share of; with rest the rate is of what is left without it, with least the
// lowest rate is the best.
type evidenceRow struct {
	code, of schemas.IndicatorCode
	rate     schemas.Text
	rest     bool
	least    bool
	unranked bool
}

var evidenceRows = []evidenceRow{
	{code: schemas.Shifts},
	{code: schemas.DutyMinutes},
	{code: schemas.NoShows, of: schemas.ShiftsDue, rate: schemas.Text{ZH: "到岗率", EN: "Attendance"}, rest: true},
	{code: schemas.ShiftsOpen, of: schemas.Shifts, rate: schemas.Text{ZH: "签退率", EN: "Signed out"}, rest: true},
	{code: schemas.Consultations},
	{code: schemas.PersonsConsulted},
	{code: schemas.ConsultationsUnsigned, of: schemas.Consultations, rate: schemas.Text{ZH: "台账签字率", EN: "Ledger signed"}, rest: true},
	{code: schemas.ConsultationsLateEntry, of: schemas.Consultations, rate: schemas.Text{ZH: "台账补录率", EN: "Entered late"}, least: true},
	{code: schemas.ConsultationsGuided, of: schemas.Consultations, rate: schemas.Text{ZH: "占咨询", EN: "Of consultations"}, unranked: true},
	{code: schemas.ApplicationsReceived},
	{code: schemas.ApplicationsTransferred},
	{code: schemas.TransferredWithin24h},
	{code: schemas.PersonsHelped},
	{code: schemas.PleaAssistance},
	{code: schemas.Affidavits},
	{code: schemas.ClientMeetings},
	{code: schemas.FileReviews},
	{code: schemas.Opinions},
	{code: schemas.OpinionsAdopted, of: schemas.Opinions, rate: schemas.Text{ZH: "采纳率", EN: "Adoption"}},
	{code: schemas.CoerciveMeasures},
	{code: schemas.ProcedureChoices},
	{code: schemas.Complaints, unranked: true},
	{code: schemas.PublicitySessions},
	{code: schemas.OtherTasks},
	{code: schemas.HelpRequestsDispatched},
	{code: schemas.Satisfaction},
	{code: schemas.TrainingHours},
	{code: schemas.ConductUpheld, unranked: true},
	{code: schemas.Honours, unranked: true},
}

// against is what a row's figure is measured against, "" for nothing.
func (r evidenceRow) against(ind schemas.Indicator) schemas.IndicatorCode {
	if ind.Divided() {
		return ind.Over
	}
	return r.of
}

// measure is what lawyers are ranked by, the highest first: the rate where there
// is one, the mean, or the count. It is not there when n is too small.
func (r evidenceRow) measure(ind schemas.Indicator, v Values) (float64, bool) {
	value, known := v[r.code]
	against := r.against(ind)
	switch {
	case r.unranked:
		return 0, false
	case against == "":
		return v.Of(r.code), true
	case v.Of(against) < LeastBase:
		return 0, false
	case ind.Divided():
		if !known || value == nil {
			return 0, false
		}
		return *value, true
	}
	share := r.share(v.Of(r.code), v.Of(against))
	if r.least {
		share = -share
	}
	return share, true
}

func (r evidenceRow) share(n, of float64) float64 {
	if r.rest {
		return 1 - n/of
	}
	return n / of
}

// peers are the figures of the lawyers of the prefecture by licence, and who of
// them belongs to the county. Both are nil where they lie outside the scope.
type peers struct {
	values        map[string]Values
	county, whole []string
}

// peersOf asks for the year of everyone who is enrolled where the lawyer is.
func (i inquiry) peersOf(ctx context.Context, lawyer Lawyer, p period) (peers, error) {
	var out peers
	if !lawyer.Registered || i.scope.Station != "" || p.unheld {
		return out, nil
	}
	licences := func(code schemas.DivisionCode) ([]string, error) {
		if admits(i.scope, code) != nil {
			return nil, nil //nolint:nilerr // whom the scope does not reach are no peers
		}
		all, err := i.w.Lawyers(ctx, i.scope, code, i.asOf)
		var out []string
		for _, l := range all {
			out = append(out, l.Licence)
		}
		return out, err
	}
	var err error
	if out.county, err = licences(lawyer.Division); err != nil {
		return out, err
	}
	for _, d := range schemas.Divisions.Path(lawyer.Division) {
		if d.Level == schemas.LevelPrefecture {
			if out.whole, err = licences(d.Code); err != nil {
				return out, err
			}
		}
	}
	all := slices.Concat(out.county, out.whole)
	if len(all) == 0 {
		return out, nil
	}
	slices.Sort(all)
	q := p.query(Home(i.scope), codesOf(RecordIndicators()), ByLawyer)
	q.Filter = map[Dimension][]string{ByLawyer: slices.Compact(all)}
	s, err := i.statistics(ctx, q)
	out.values = map[string]Values{}
	for _, row := range s.Rows {
		out.values[row.Key[0]] = s.ValuesOf(row)
	}
	return out, err
}

// place ranks a lawyer among some of the peers.
func (p peers) place(r evidenceRow, ind schemas.Indicator, licence string, among []string) Place {
	own, ok := r.measure(ind, p.values[licence])
	if !ok || !slices.Contains(among, licence) {
		return Place{}
	}
	out := Place{Rank: 1}
	for _, other := range among {
		v, ok := r.measure(ind, p.values[other])
		if !ok {
			continue
		}
		if out.Of++; v > own {
			out.Rank++
		}
	}
	if out.Of < LeastPeers {
		return Place{}
	}
	return out
}

func evidence(year LawyerMonth, licence string, p peers) []Evidence {
	var out []Evidence
	for _, r := range evidenceRows {
		ind := lookup(r.code)[0]
		e := Evidence{Indicator: ind, Year: year.Of(r.code), RateName: r.rate, County: p.place(r, ind, licence, p.county), Whole: p.place(r, ind, licence, p.whole)}
		if against := r.against(ind); against != "" {
			base := lookup(against)[0]
			e.Base, e.Of, e.Rate = &base, year.Of(against), Figure{Status: NotAvailable}
			if !ind.Divided() && e.Of.Status == Known && e.Of.Value > 0 && e.Year.Status == Known {
				e.Rate = Figure{Value: r.share(e.Year.Value, e.Of.Value)}
			}
		}
		out = append(out, e)
	}
	return out
}
