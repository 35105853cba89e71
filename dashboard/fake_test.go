package dashboard

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/audit"
)

// fake stands in for the warehouse: a made-up province whose figures are summed
// in memory from postings, so that every page, comparison and filter shows
// figures that fit each other. It knows nothing of how the projector counts.
type fake struct {
	now time.Time

	mu       sync.Mutex
	stations []report.Station
	lawyers  []report.Lawyer
	postings []fakePosting
	events   map[schemas.EventID]report.EventDetail
	head     int64
	verified []report.Verification // the newest first
	parked   []report.Parked
	audited  []audit.Record // the oldest first
	texts    map[schemas.EventID]report.LedgerTexts
	down     error // what every question is answered with
	rules    *schemas.ReturnRules
	listed   report.Query // the last list of postings that was asked for
}

type fakePosting struct {
	report.Posting
	person uint64
	firm   string
}

// countsIn tells whether a posting adds to a figure that is a sum.
func (p *fakePosting) countsIn(ind *schemas.Indicator, moment time.Time) bool {
	if ind.Kind != schemas.Overdue {
		return p.Indicator == ind.Code
	}
	if p.Indicator != ind.Of {
		return false
	}
	due, err := schemas.ParseDay(p.Due)
	return err == nil && due < schemas.DayOf(moment)
}

var fakeNow = time.Date(2026, time.November, 24, 16, 20, 0, 0, schemas.Shanghai)

// newFake is a province of one's own.
func newFake() *fake {
	p := province()
	return &fake{now: p.now, stations: slices.Clone(p.stations), lawyers: slices.Clone(p.lawyers), postings: slices.Clip(p.postings), head: p.head,
		events: map[schemas.EventID]report.EventDetail{}}
}

// province is made up once, from January of the year before to now.
var province = sync.OnceValue(func() *fake {
	f := &fake{now: fakeNow, events: map[schemas.EventID]report.EventDetail{}}
	rnd := rand.New(rand.NewPCG(1, 2))
	surnames, given := []rune("王李张刘陈杨赵孙周吴徐高马朱胡郭林何"), []rune("立新建国晓明丽华海波玉兰志强雪梅春雨德文金花")
	for _, d := range schemas.Divisions.All() {
		if d.ValidTo != 0 || d.Level == schemas.LevelProvince || d.Level == schemas.LevelPrefecture && d.Kind == "internal" {
			continue
		}
		kinds := schemas.StationKinds
		if d.Level == schemas.LevelPrefecture {
			kinds = kinds[:2]
		} else if d.Kind != "gbt2260" {
			kinds = kinds[:1]
		}
		for _, k := range kinds {
			host := map[schemas.StationKind]string{schemas.Court: "人民法院", schemas.Procuratorate: "人民检察院", schemas.DetentionCentre: "看守所"}[k]
			f.stations = append(f.stations, report.Station{Code: schemas.StationCode(string(d.Code) + "-" + k.CodeSuffix()), Kind: k,
				Name: d.Name + "法律援助中心驻" + host + "值班律师工作站", Location: d.Code, Reporting: d.Code, Registered: true})
		}
		if d.Level == schemas.LevelPrefecture {
			continue
		}
		for i := range 4 {
			kind, firm := "private", fmt.Sprintf("吉林%c%c律师事务所", given[rnd.IntN(len(given))], given[rnd.IntN(len(given))])
			if i == 0 {
				kind, firm = "legal_aid", d.Name+"法律援助中心"
			}
			f.lawyers = append(f.lawyers, report.Lawyer{Licence: fmt.Sprintf("1%06d2%09d", 220100+len(f.lawyers)%80, 1000+len(f.lawyers)), Kind: kind, Firm: firm, Division: d.Code, Registered: true,
				Name: string([]rune{surnames[rnd.IntN(len(surnames))], given[rnd.IntN(len(given))], given[rnd.IntN(len(given))]})})
		}
	}
	start, today := schemas.Date(2025, time.January, 1), schemas.DayOf(f.now)
	for i, st := range f.stations {
		f.post(fakePosting{Posting: report.Posting{Indicator: schemas.Stations, Quantity: 1, Division: st.Reporting, Station: st.Code, Type: "zhiban.station.founded.v1", Day: schemas.Date(2019, time.May, 4)}})
		weight := 0.5 + rnd.Float64()
		if schemas.Divisions.Within(st.Reporting, "220100") {
			weight *= 1.8
		}
		if st.Kind == schemas.DetentionCentre {
			weight *= 1.6
		}
		for day := start; day <= today; day++ {
			if !schemas.Holidays.Working(day) && rnd.Float64() > 0.12 {
				continue
			}
			growth := 1 + 0.14*float64(day.Year()-2025) + 0.1*rnd.Float64()
			if rnd.Float64() > 0.08*weight*growth {
				continue
			}
			l := f.lawyers[(i*3+rnd.IntN(4))%len(f.lawyers)]
			f.shift(rnd, st, l, day, weight*growth)
		}
	}
	for _, l := range f.lawyers {
		f.post(fakePosting{Posting: report.Posting{Indicator: schemas.Lawyers, Quantity: 1, Division: l.Division, Lawyer: l.Licence, Type: "zhiban.lawyer.enrolled.v1", Day: schemas.Date(2019, time.May, 6)}})
	}
	f.rest()
	slices.SortStableFunc(f.postings, func(a, b fakePosting) int { return cmp.Compare(a.Day, b.Day) })
	return f
})

// rest makes up what goes with the shifts that there are: help, requests,
// supervision, subsidies, training, opinions, inspections, meetings.
func (f *fake) rest() {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, s := range slices.Clone(f.postings) {
		if s.Indicator != schemas.Shifts {
			continue
		}
		base := s
		base.Event, base.Mode, base.person = schemas.EventID{}, "", uint64(1+rnd.IntN(4000))
		add := func(typ string, code schemas.IndicatorCode, quantity int64, change func(*report.Posting)) {
			p := base
			p.Type, p.Indicator, p.Quantity = typ, code, quantity
			if change != nil {
				change(&p.Posting)
			}
			f.post(p)
		}
		chance := func(of, in int) bool { return rnd.IntN(in) < of }
		organ := func(p *report.Posting) {
			p.Organ = map[schemas.StationKind]string{schemas.Court: "court", schemas.Procuratorate: "procuratorate", schemas.DetentionCentre: "police"}[s.Station.Kind()]
		}
		planned := func(p *report.Posting) { p.Mode, p.Due = s.Mode, p.Day.String() }
		add("zhiban.shift.planned.v1", schemas.ShiftsPlanned, 1, planned)
		if chance(1, 25) {
			add("zhiban.shift.planned.v1", schemas.ShiftsPlanned, 1, planned)
			add("zhiban.shift.planned.v1", schemas.ShiftsAwaited, 1, planned)
		}
		for _, h := range []struct {
			code schemas.IndicatorCode
			of   int
		}{
			{schemas.PleaAssistance, 40}, {schemas.Affidavits, 25}, {schemas.ClientMeetings, 20}, {schemas.FileReviews, 15}, {schemas.CoerciveMeasures, 4},
			{schemas.ProcedureChoices, 12},
		} {
			if chance(h.of, 100) {
				add("zhiban.assistance.given.v1", h.code, 1, nil)
			}
		}
		if chance(20, 100) {
			add("zhiban.assistance.given.v1", schemas.Opinions, 1, nil)
			if chance(60, 100) {
				add("zhiban.assistance.given.v1", schemas.OpinionsAdopted, 1, nil)
			}
		}
		if chance(1, 60) {
			add("zhiban.complaint.lodged.v1", schemas.Complaints, 1, nil)
		}
		if chance(1, 30) {
			add("zhiban.activity.held.v1", schemas.PublicitySessions, 1, nil)
		}
		if chance(1, 40) {
			add("zhiban.activity.held.v1", schemas.OtherTasks, 1, nil)
		}
		if chance(1, 12) {
			add("zhiban.application.decided.v1", []schemas.IndicatorCode{schemas.ApplicationsAccepted, schemas.ApplicationsAccepted, schemas.ApplicationsRefused}[rnd.IntN(3)], 1, nil)
		}
		if chance(1, 6) {
			add("zhiban.help_request.received.v1", schemas.HelpRequests, 1, organ)
			if chance(9, 10) {
				add("zhiban.help_request.dispatched.v1", schemas.HelpRequestsDispatched, 1, organ)
			}
		}
		if chance(1, 50) {
			add("zhiban.supervision.issued.v1", schemas.CorrectionsIssued, 1, organ)
			if chance(2, 3) {
				add("zhiban.supervision.answered.v1", schemas.CorrectionsAnswered, 1, organ)
				if chance(2, 3) {
					add("zhiban.supervision.closed.v1", schemas.CorrectionsClosed, 1, organ)
				}
			}
		}
		add("zhiban.subsidy.accrued.v1", schemas.SubsidiesDue, 20_000, nil)
		if chance(9, 10) {
			add("zhiban.subsidy.paid.v1", schemas.SubsidiesPaid, 20_000, nil)
		}
		if chance(1, 10) {
			add("zhiban.training.attended.v2", schemas.TrainingHours, 30*int64(1+rnd.IntN(8)), nil)
		}
		if chance(1, 4) {
			add("zhiban.feedback.given.v1", schemas.FeedbackCount, 1, nil)
			add("zhiban.feedback.given.v1", schemas.FeedbackScore, 3+int64(rnd.IntN(3)), nil)
		}
		if chance(1, 200) {
			add("zhiban.conduct.decided.v1", schemas.ConductUpheld, 1, nil)
		}
		if chance(1, 120) {
			add("zhiban.honour.awarded.v1", schemas.Honours, 1, nil)
		}
		if chance(1, 20) {
			add("zhiban.station.inspected.v1", schemas.Inspections, 1, nil)
			if chance(5, 6) {
				add("zhiban.station.inspected.v1", schemas.InspectionsMet, 1, nil)
			}
		}
		office := func(p *report.Posting) { p.Station, p.Lawyer = "", "" }
		if chance(1, 100) {
			add("zhiban.meeting.held.v1", schemas.JointMeetings, 1, office)
			add("zhiban.roster.delivered.v1", schemas.RosterDeliveries, 3, office)
		}
		if chance(1, 90) {
			add("zhiban.matter.reported.v1", schemas.MattersReported, 1, office)
			if chance(1, 3) {
				add("zhiban.matter.reported.v1", schemas.MattersOpen, 1, office)
			}
		}
	}
}

// shift makes up a shift with what is done in it.
func (f *fake) shift(rnd *rand.Rand, st report.Station, l report.Lawyer, day schemas.Day, busy float64) {
	at := day.Start().Add(8*time.Hour + 30*time.Minute + time.Duration(rnd.IntN(20))*time.Minute)
	base := report.Posting{Division: st.Reporting, Station: st.Code, Lawyer: l.Licence, Day: day, Time: at, Recorded: at.Add(2 * time.Second), Mode: []string{"onsite", "onsite", "onsite", "onsite", "onsite", "phone", "online"}[rnd.IntN(7)]}
	add := func(typ string, at time.Time, person uint64, change func(*report.Posting)) {
		p := base
		p.Type, p.Time, p.Recorded, p.Quantity = typ, at, at.Add(2*time.Second), 1
		change(&p)
		f.post(fakePosting{Posting: p, person: person, firm: l.Firm})
	}
	add("zhiban.shift.signed_in.v1", at, 0, func(p *report.Posting) { p.Indicator = schemas.Shifts })
	out := at.Add(time.Duration(150+rnd.IntN(270)) * time.Minute)
	add("zhiban.shift.signed_out.v1", out, 0, func(p *report.Posting) { p.Indicator, p.Quantity = schemas.DutyMinutes, int64(out.Sub(at)/time.Minute) })
	for range rnd.IntN(1 + int(4*busy)) {
		t := at.Add(time.Duration(rnd.IntN(200)) * time.Minute)
		person := uint64(1 + rnd.IntN(4000))
		channel, role := []string{"visit", "visit", "in_custody", "in_custody", "phone", "online"}[rnd.IntN(6)], []string{"suspect", "suspect", "defendant", "relative", "other"}[rnd.IntN(5)]
		line := func(i schemas.IndicatorCode) func(p *report.Posting) {
			return func(p *report.Posting) { p.Indicator, p.Mode, p.Channel, p.PersonRole = i, "", channel, role }
		}
		add("zhiban.consultation.recorded.v1", t, person, line(schemas.Consultations))
		if rnd.IntN(3) == 0 {
			add("zhiban.consultation.recorded.v1", t, person, line(schemas.ConsultationsGuided))
		}
		if rnd.IntN(40) == 0 {
			add("zhiban.consultation.recorded.v1", t, person, line(schemas.ConsultationsUnsigned))
		}
		if rnd.IntN(4) == 0 {
			plain := func(i schemas.IndicatorCode) func(p *report.Posting) {
				return func(p *report.Posting) { p.Indicator, p.Mode = i, "" }
			}
			add("zhiban.application.received.v1", t, 0, plain(schemas.ApplicationsReceived))
			add("zhiban.application.received.v1", t, 0, plain(schemas.TransferDue24h))
			if rnd.IntN(20) > 0 {
				add("zhiban.application.transferred.v1", t.Add(3*time.Hour), 0, plain(schemas.ApplicationsTransferred))
				if rnd.IntN(12) > 0 {
					add("zhiban.application.transferred.v1", t.Add(3*time.Hour), 0, plain(schemas.TransferMet24h))
				}
			}
		}
	}
	if rnd.IntN(2) == 0 {
		organ := map[schemas.StationKind]string{schemas.Court: "court", schemas.Procuratorate: "procuratorate", schemas.DetentionCentre: "police"}[st.Kind]
		if rnd.IntN(30) == 0 {
			organ = "state_security"
		}
		notice := func(i schemas.IndicatorCode) func(p *report.Posting) {
			return func(p *report.Posting) {
				p.Indicator, p.Mode, p.Lawyer, p.Organ, p.Due = i, "", "", organ, (day + 3).String()
			}
		}
		add("zhiban.notification.triggered.v1", at, 0, notice(schemas.NotificationsDue))
		switch n := rnd.IntN(100); {
		case n < 90:
			add("zhiban.notification.given.v1", at, 0, notice(schemas.NotificationsOnTime))
		case n < 94:
			add("zhiban.notification.given.v1", at, 0, notice(schemas.NotificationsLate))
		case n < 97:
			add("zhiban.notification.given.v1", at, 0, notice(schemas.NotificationsUnevid))
		default:
			add("zhiban.notification.triggered.v1", at, 0, notice(schemas.NotificationsOpen))
		}
	}
}

// post appends a posting with an event of its own.
func (f *fake) post(p fakePosting) {
	if p.Time.IsZero() {
		p.Time = p.Day.Start().Add(9 * time.Hour)
		p.Recorded = p.Time
	}
	p.Partition, p.Offset = int(f.head%3), f.head/3
	p.Event = uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%d", f.head))
	f.head++
	f.postings = append(f.postings, p)
}

// consult adds a consultation that is recorded now.
func (f *fake) consult(station schemas.StationCode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.post(fakePosting{person: 4001, Posting: report.Posting{Indicator: schemas.Consultations, Quantity: 1, Division: station.Division(), Station: station, Lawyer: f.lawyers[0].Licence,
		Day: schemas.DayOf(f.now), Time: f.now, Recorded: f.now, Channel: "visit", PersonRole: "relative", Type: "zhiban.consultation.recorded.v1"}})
}

func (f *fake) cut() report.Cut {
	c := report.Cut{Offsets: map[int]int64{}}
	for p := range int64(3) {
		c.Offsets[int(p)] = (f.head + 2 - p) / 3
	}
	return c
}

// at is a posting's place on a dimension, under q's division and view.
func (f *fake) at(p *fakePosting, d report.Dimension, q report.Query) string {
	switch d {
	case report.ByDivision:
		for code, ok := schemas.Divisions.Get(f.leaf(p, q)); ok; code, ok = schemas.Divisions.Get(code.Parent) {
			if code.Parent == q.Division || code.Code == q.Division {
				return string(code.Code)
			}
		}
		return ""
	case report.ByStation:
		return string(p.Station)
	case report.ByStationKind:
		if p.Station == "" {
			return ""
		}
		return string(p.Station.Kind())
	case report.ByLawyer:
		return p.Lawyer
	case report.ByFirm:
		return p.firm
	case report.ByMode:
		return p.Mode
	case report.ByChannel:
		return p.Channel
	case report.ByPersonRole:
		return p.PersonRole
	case report.ByOrgan:
		return p.Organ
	case report.ByDay:
		return p.Day.String()
	case report.ByMonth:
		return p.Day.Month().String()
	case report.ByYear:
		return fmt.Sprint(p.Day.Year())
	}
	return ""
}

func (f *fake) leaf(p *fakePosting, q report.Query) schemas.DivisionCode {
	if q.View == schemas.ViewNow {
		return schemas.Divisions.On(p.Division, schemas.DayOf(f.now))
	}
	return schemas.Divisions.On(p.Division, p.Day)
}

func (f *fake) wants(p *fakePosting, q report.Query) bool {
	if !q.AsOf.IsZero() && p.Recorded.After(q.AsOf) || p.Day > q.To || !schemas.Divisions.Within(f.leaf(p, q), q.Division) {
		return false
	}
	for d, values := range q.Filter {
		if !slices.Contains(values, f.at(p, d, q)) {
			return false
		}
	}
	return true
}

func (f *fake) Statistics(_ context.Context, _ report.Scope, q report.Query) (report.Statistics, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return report.Statistics{}, f.down
	}
	type group struct {
		key     []string
		sums    map[schemas.IndicatorCode]float64
		persons map[schemas.IndicatorCode]map[uint64]bool
		took    map[schemas.IndicatorCode][]float64
	}
	groups := map[string]*group{}
	get := func(key []string) *group {
		k := strings.Join(key, "\x00")
		if groups[k] == nil {
			groups[k] = &group{key, map[schemas.IndicatorCode]float64{}, map[schemas.IndicatorCode]map[uint64]bool{}, map[schemas.IndicatorCode][]float64{}}
		}
		return groups[k]
	}
	inds, halves := make([]schemas.Indicator, len(q.Indicators)), make([][]schemas.Indicator, len(q.Indicators))
	for i, code := range q.Indicators {
		inds[i], _ = schemas.Indicators.Lookup(code)
		for _, of := range []schemas.IndicatorCode{inds[i].Of, inds[i].Over} {
			half, _ := schemas.Indicators.Lookup(of)
			halves[i] = append(halves[i], half)
		}
		if inds[i].Kind == schemas.Stock && slices.ContainsFunc(q.By, func(d report.Dimension) bool { return d == report.ByMonth || d == report.ByDay }) {
			return report.Statistics{}, schemas.Errorf(schemas.Invalid, "%s is a stock; it cannot be split by time", code)
		}
	}
	if len(q.By) == 0 {
		get(nil)
	}
	moment := f.now
	if !q.AsOf.IsZero() {
		moment = q.AsOf
	}
	first, _ := slices.BinarySearchFunc(f.postings, q.From, func(p fakePosting, day schemas.Day) int { return cmp.Compare(p.Day, day) })
	for i := range f.postings {
		p := &f.postings[i]
		if i < first && p.Indicator != schemas.Stations && p.Indicator != schemas.Lawyers || !f.wants(p, q) {
			continue
		}
		var key []string
		for _, d := range q.By {
			key = append(key, f.at(p, d, q))
		}
		for i := range inds {
			ind := &inds[i]
			if p.Day < q.From && ind.Kind != schemas.Stock {
				continue
			}
			switch ind.Kind {
			case schemas.Distinct:
				if slices.Contains(ind.Sources(), p.Indicator) {
					g := get(key)
					if g.persons[ind.Code] == nil {
						g.persons[ind.Code] = map[uint64]bool{}
					}
					who := p.person
					if licence, err := schemas.ParseLicence(p.Lawyer); ind.Lawyers && err == nil {
						who = uint64(licence)
					}
					g.persons[ind.Code][who] = true
				}
			case schemas.Ratio, schemas.Mean:
				for h := range halves[i] {
					if half := &halves[i][h]; p.countsIn(half, moment) {
						get(key).sums[ind.Code+"/"+half.Code] += float64(p.Quantity)
					}
				}
			case schemas.Percentile: // every answer is a case of its own here
				if p.Indicator == ind.Of {
					g := get(key)
					g.took[ind.Code] = append(g.took[ind.Code], float64(p.Quantity))
				}
			default:
				if p.countsIn(ind, moment) {
					get(key).sums[ind.Code] += float64(p.Quantity)
				}
			}
		}
	}
	out := report.Statistics{Query: q, Cut: f.cut(), AsOf: moment}
	for _, g := range groups {
		row := report.Row{Key: g.key}
		for _, ind := range inds {
			v := g.sums[ind.Code]
			switch ind.Kind {
			case schemas.Distinct:
				v = float64(len(g.persons[ind.Code]))
			case schemas.Ratio, schemas.Mean:
				over := g.sums[ind.Code+"/"+ind.Over]
				if over == 0 {
					row.Values = append(row.Values, nil)
					continue
				}
				if v = g.sums[ind.Code+"/"+ind.Of] / over; ind.Rest {
					v = 1 - v
				}
			case schemas.Percentile:
				took := slices.Sorted(slices.Values(g.took[ind.Code]))
				if len(took) == 0 {
					row.Values = append(row.Values, nil)
					continue
				}
				v = took[int(ind.Quantile*float64(len(took)-1))]
			}
			v /= float64(max(ind.Parts, 1))
			row.Values = append(row.Values, &v)
		}
		out.Rows = append(out.Rows, row)
	}
	slices.SortFunc(out.Rows, func(a, b report.Row) int { return slices.Compare(a.Key, b.Key) })
	return out, nil
}

func (f *fake) Postings(_ context.Context, _ report.Scope, q report.Query, offset, limit int) (report.PostingPage, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return report.PostingPage{}, f.down
	}
	f.listed = q
	page := report.PostingPage{Cut: f.cut(), Postings: []report.Posting{}}
	var codes []schemas.IndicatorCode
	for _, code := range q.Indicators {
		ind, _ := schemas.Indicators.Lookup(code)
		if codes = append(codes, ind.Sources()...); ind.Of == "" {
			codes = append(codes, code)
		}
	}
	for i := range f.postings {
		p := &f.postings[i]
		if !f.wants(p, q) || p.Day < q.From || !slices.Contains(codes, p.Indicator) {
			continue
		}
		if page.Total >= int64(offset) && len(page.Postings) < limit {
			page.Postings = append(page.Postings, p.Posting)
		}
		page.Total, page.Sum = page.Total+1, page.Sum+p.Quantity
	}
	if next := offset + len(page.Postings); int64(next) < page.Total {
		page.Next = next
	}
	return page, nil
}

func (f *fake) Event(_ context.Context, _ report.Scope, id schemas.EventID) (report.EventDetail, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d, ok := f.events[id]; ok || f.down != nil {
		return d, f.down
	}
	for i := range f.postings {
		p := &f.postings[i]
		if p.Event != id {
			continue
		}
		data := `{"lawyer":"` + p.Lawyer + `"}`
		if t, err := schemas.Catalogue.Lookup(p.Type); err == nil {
			data = t.Example
		}
		e := schemas.Envelope{SpecVersion: "1.0", ID: id.String(), Source: "/stations/" + string(p.Station), Type: p.Type, Subject: "consultation/" + id.String(),
			Time: p.Time.UTC().Format(schemas.WireTime), RecordedTime: p.Recorded.UTC().Format(schemas.WireTime), RecordedBy: "desk", Data: json.RawMessage(data)}
		return report.EventDetail{Event: e, Partition: p.Partition, Offset: p.Offset, Places: 1, Status: "effective", Case: []schemas.Envelope{e}, Postings: []report.Posting{p.Posting}}, nil
	}
	return report.EventDetail{}, schemas.Errorf(schemas.NotFound, "there is no event %s", id)
}

func (f *fake) EffectiveEvents(ctx context.Context, scope report.Scope, ids []schemas.EventID) (report.EffectiveEvents, error) {
	out := report.EffectiveEvents{Cut: f.cut(), Events: []schemas.Envelope{}}
	for _, id := range ids {
		if d, err := f.Event(ctx, scope, id); err == nil {
			out.Events = append(out.Events, d.Event)
		}
	}
	return out, f.down
}

func (f *fake) EffectiveEventsOf(_ context.Context, _ report.Scope, source schemas.Source, kind schemas.CaseKind, from, to schemas.Day) (report.EffectiveEvents, error) {
	out := report.EffectiveEvents{Cut: f.cut(), Events: []schemas.Envelope{}}
	for _, d := range f.events {
		if e, err := d.Event.Parse(); err == nil && e.Source == source && e.Case.Kind == kind && from <= schemas.DayOf(e.Time) && schemas.DayOf(e.Time) <= to {
			out.Events = append(out.Events, d.Event)
		}
	}
	return out, f.down
}

func (f *fake) OpenCases(_ context.Context, _ report.Scope, station schemas.StationCode) (report.OpenCases, error) {
	return report.OpenCases{Station: station, Cut: f.cut(), Total: 1, Cases: []report.OpenCase{{Subject: "shift/0199a1c2-7d1e-7c3a-9a55-0242ac120001", Type: "zhiban.shift.signed_in.v1",
		Time: f.now, Lawyer: "12201201810123456", Mode: "onsite", Missing: "zhiban.shift.signed_out.v1"}}}, f.down
}

// Quality makes up findings about some of the shifts that there are.
func (f *fake) Quality(ctx context.Context, scope report.Scope, q report.Query, list report.FindingCode, offset, limit int) (report.Quality, error) {
	q.By = []report.Dimension{report.ByDivision}
	for _, k := range report.FindingKinds() {
		if k.Indicator != "" {
			q.Indicators = append(q.Indicators, k.Indicator)
		}
	}
	st, err := f.Statistics(ctx, scope, q)
	if err != nil {
		return report.Quality{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	made := map[report.FindingCode][]report.FindingItem{}
	kinds := []report.FindingCode{report.LateEntry, report.LateEntry, report.LateEntry, report.AheadOfRecording, report.OutOfOrder, report.WithoutFirst, report.UnknownReference, report.UnknownTarget, report.Repeated, report.UnregisteredLawyers}
	for i := range f.postings {
		p := &f.postings[i]
		n := p.Offset % 60
		if p.Indicator != schemas.Shifts || p.Day < q.From || n >= int64(len(kinds)) || !f.wants(p, q) {
			continue
		}
		x := report.FindingItem{Event: p.Event, Type: p.Type, Time: p.Time, Recorded: p.Recorded, Division: f.leaf(p, q), Station: p.Station, Lawyer: p.Lawyer}
		switch kinds[n] {
		case report.LateEntry:
			x.Recorded = x.Time.Add(time.Duration(25+7*(p.Offset%17)) * time.Hour)
		case report.AheadOfRecording:
			x.Recorded = x.Time.Add(-135 * time.Minute)
		case report.OutOfOrder:
			x.Type, x.Against = "zhiban.shift.signed_out.v1", &report.Contradicted{Event: p.Event, Type: p.Type, Time: p.Time.Add(9 * time.Hour)}
		case report.WithoutFirst:
			x.Type, x.Missing = "zhiban.consultation.signed.v1", "zhiban.consultation.recorded.v1"
		case report.UnknownReference:
			x.Type, x.Reference = "zhiban.consultation.recorded.v1", "shift/0199a1c2-7d1e-7c3a-9a55-0242ac120001"
		case report.UnknownTarget:
			x.Type, x.Target = "zhiban.shift.voided.v1", "0199a1c2-7d1e-7c3a-9a55-0242ac120001"
		case report.Repeated:
			x.Places = 2
		}
		made[kinds[n]] = append([]report.FindingItem{x}, made[kinds[n]]...)
	}
	out := report.Quality{Cut: f.cut(), AsOf: f.now, Division: q.Division, From: q.From, To: q.To, View: q.View, Recorded: f.now.Add(-90 * time.Second), Projected: f.now.Add(-89 * time.Second)}
	for _, k := range report.FindingKinds() {
		in := map[schemas.DivisionCode]int64{}
		for _, x := range made[k.Code] {
			in[schemas.DivisionCode(f.at(&fakePosting{Posting: report.Posting{Division: x.Division, Day: schemas.DayOf(x.Time)}}, report.ByDivision, q))]++
		}
		for _, row := range st.Rows {
			if n := st.Value(row, k.Indicator); n != 0 {
				in[schemas.DivisionCode(row.Key[0])] += int64(n)
			}
		}
		found := report.Finding{FindingKind: k}
		if k.Code == report.ParkedEvents {
			found.Count = f.waiting()
		}
		for d, n := range in {
			found.Count += n
			found.Divisions = append(found.Divisions, report.DivisionCount{Division: d, Count: n})
		}
		slices.SortFunc(found.Divisions, func(a, b report.DivisionCount) int { return cmp.Compare(a.Division, b.Division) })
		out.Findings = append(out.Findings, found)
	}
	if list != "" {
		all := made[list]
		out.List = &report.FindingPage{Finding: list, Items: all[min(offset, len(all)):min(offset+limit, len(all))]}
	}
	return out, nil
}

func (f *fake) Stations(_ context.Context, _ report.Scope, division schemas.DivisionCode, _ time.Time) ([]report.Station, error) {
	if f.down != nil {
		return nil, f.down
	}
	return slices.DeleteFunc(slices.Clone(f.stations), func(s report.Station) bool { return !schemas.Divisions.Within(s.Reporting, division) }), nil
}

func (f *fake) Station(_ context.Context, _ report.Scope, code schemas.StationCode, _ time.Time) (report.Station, error) {
	for _, s := range f.stations {
		if s.Code == code {
			return s, f.down
		}
	}
	return report.Station{Code: code, Kind: code.Kind(), Name: string(code), Location: code.Division(), Reporting: code.Division()}, f.down
}

func (f *fake) Lawyers(_ context.Context, _ report.Scope, division schemas.DivisionCode, _ time.Time) ([]report.Lawyer, error) {
	if f.down != nil {
		return nil, f.down
	}
	return slices.DeleteFunc(slices.Clone(f.lawyers), func(l report.Lawyer) bool { return !schemas.Divisions.Within(l.Division, division) }), nil
}

func (f *fake) Lawyer(_ context.Context, _ report.Scope, licence string, _ time.Time) (report.Lawyer, error) {
	for _, l := range f.lawyers {
		if l.Licence == licence {
			return l, f.down
		}
	}
	return report.Lawyer{Licence: licence}, f.down
}

func (f *fake) LawyerYear(ctx context.Context, scope report.Scope, licence string, year int, asOf time.Time) (report.LawyerYear, error) {
	if asOf.IsZero() {
		asOf = f.now
	}
	f.mu.Lock()
	cut := f.cut()
	f.mu.Unlock()
	return report.ReadLawyerYear(ctx, f, scope, licence, year, asOf, cut)
}

func (f *fake) MonthlyReturn(_ context.Context, _ report.Scope, division schemas.DivisionCode, month schemas.Month, _ map[int]int64) (report.MonthlyReturn, error) {
	live, err := f.DivisionMonth(context.Background(), report.ProvinceWide, division, month, time.Time{})
	return report.MonthlyReturn{MonthlyReturn: schemas.MonthlyReturn{ID: schemas.ReturnID{Division: division, Month: month}, State: schemas.ReturnOpen}, Live: live}, err
}

func (f *fake) ReturnHistory(_ context.Context, _ report.Scope, division schemas.DivisionCode, month schemas.Month) (schemas.MonthlyReturn, error) {
	return schemas.FoldReturn(schemas.ReturnID{Division: division, Month: month}, nil), f.down
}

func (f *fake) Returns(_ context.Context, _ report.Scope, division schemas.DivisionCode, month schemas.Month) (report.CloseGrid, error) {
	return report.CloseGrid{Division: division, Month: month.String(), Cut: f.cut(), AsOf: f.now}, f.down
}

func (f *fake) DivisionMonth(_ context.Context, _ report.Scope, division schemas.DivisionCode, month schemas.Month, asOf time.Time) (report.DivisionMonth, error) {
	d, ok := schemas.Divisions.Get(division)
	if !ok {
		return report.DivisionMonth{}, schemas.Errorf(schemas.NotFound, "there is no division %s", division)
	}
	return report.DivisionMonth{Division: d, Unit: d.Name, Month: month, AsOf: f.now, Cut: f.cut()}, f.down
}

func (f *fake) Deck(_ context.Context, _ report.Scope, division schemas.DivisionCode, month schemas.Month, _ time.Time) (report.Deck, error) {
	d, ok := schemas.Divisions.Get(division)
	if !ok {
		return report.Deck{}, schemas.Errorf(schemas.NotFound, "there is no division %s", division)
	}
	return report.Deck{Division: d, Unit: d.Name, Periods: report.PeriodsOf(month, schemas.DayOf(f.now)), AsOf: f.now, Cut: f.cut()}, f.down
}

func (f *fake) Cut(context.Context, time.Time) (report.Cut, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cut(), f.down
}

func (f *fake) Status(context.Context) (report.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return report.Status{Cut: f.cut(), Events: f.head, Parked: f.waiting(), Recorded: f.now.Add(-90 * time.Second), Projected: f.now.Add(-89 * time.Second)}, f.down
}
