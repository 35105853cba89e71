package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// verificationDue is how long a verification holds; one is due every week.
const verificationDue = 8 * 24 * time.Hour

// verificationsShown is how many verifications are listed.
const verificationsShown = 50

// verificationPage is the last verification by the moment of the page, with what
// it found, and those before it.
type verificationPage struct {
	Heading        string
	State, Verdict string
	Intro          string
	Agreement      string
	Notes          []command
	Words          []fact
	Differences    []differenceRow
	More           string
	Damages        []damageRow
	MoreDamages    string
	History        table
}

// command is a remark that ends with a command to run.
type command struct{ Text, Run string }

// differenceRow is a figure that differs.
type differenceRow struct {
	Figure, Month        cell
	Place                cell
	Recounted, Projected cell
	Events               []verifiedEvent
	More                 string
}

// damageRow is a range of the log that is damaged in the tables.
type damageRow struct {
	Partition, Range, Epoch, What string
	Events                        []verifiedEvent
}

// verifiedEvent is an event at fault.
type verifiedEvent struct {
	Place cell
	Text  string
}

func (s *Server) verificationPage(ctx context.Context, v *visit) (page, error) {
	if err := v.err(); err != nil {
		return page{}, err
	}
	p := verificationPage{Heading: v.t("verification.title"), Intro: v.t("verification.intro")}
	out := page{Template: "verification", Title: p.Heading, Menu: "/verification", Crumbs: v.crumbs(schemas.Province, v.t("nav.verification"))}
	if v.verified.Ended.IsZero() {
		p.Notes = []command{{v.t("verification.none"), "zhiban verify"}}
		out.Body = p
		return out, nil
	}
	last, err := s.read.Verification(ctx, v.scope, v.asOf)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("last verification: %w", err))
	}
	all, err := s.read.Verifications(ctx, v.scope, v.asOf, verificationsShown)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("verifications: %w", err))
	}
	names, err := s.placeNames(ctx, v)
	if err != nil {
		return page{}, err
	}
	p.State = verdictOf(last.Verified, v.until())
	p.Verdict = v.t(verdicts[p.State])
	if last.OK {
		p.Agreement = v.t("verification.ok", number(float64(last.Figures)), number(float64(last.Batches)))
	}
	p.Notes, p.Words = v.toDo(last), v.verificationFacts(last)
	for _, d := range last.Differences {
		p.Differences = append(p.Differences, v.difference(d, names))
	}
	for _, d := range last.Damaged {
		row := damageRow{Partition: strconv.Itoa(d.Partition), Range: v.t("verification.range", d.First, d.Last), Epoch: v.t("figure.none"), What: d.What.In(string(v.phrases))}
		if d.Epoch > 0 {
			row.Epoch = strconv.FormatUint(uint64(d.Epoch), 10)
		}
		for _, e := range d.Events {
			row.Events = append(row.Events, verifiedEvent{v.eventPlace(e), v.t("verification.rows", number(float64(e.Projected)))})
		}
		p.Damages = append(p.Damages, row)
	}
	p.More, p.MoreDamages = v.unlisted(last.More), v.unlisted(last.MoreDamaged)
	p.History = v.verificationTable(all)
	out.Body = p
	return out, nil
}

// until is the moment that the page is for.
func (v *visit) until() time.Time {
	if v.asOf.IsZero() {
		return v.now
	}
	return v.asOf
}

// verdictOf is what a verification is worth at a moment: differs, outdated or
// agrees.
func verdictOf(r report.Verified, at time.Time) string {
	switch {
	case !r.OK:
		return "differs"
	case !r.Current || at.Sub(r.Ended) > verificationDue:
		return "outdated"
	}
	return "agrees"
}

// verdicts are the words for what verdictOf says.
var verdicts = map[string]string{"agrees": "verification.agrees", "differs": "verification.differs", "outdated": "verification.outdated"}

// verdict is the last verification in a few words.
func (v *visit) verdict() string {
	if v.verified.Ended.IsZero() {
		return v.t("fresh.unverified")
	}
	switch verdictOf(v.verified, v.until()) {
	case "differs":
		return v.t("fresh.differs", clock(v.verified.Ended)[5:10])
	case "outdated":
		return v.t("fresh.outdated")
	}
	return v.t("fresh.agrees", clock(v.verified.Ended)[5:10])
}

// disagrees tells that the last verification found something.
func (v *visit) disagrees() bool { return !v.verified.Ended.IsZero() && !v.verified.OK }

// toDo says what is wrong with what a verification found or with itself, and
// what to do about it.
func (v *visit) toDo(r report.Verification) []command {
	var out []command
	if differences, damaged := r.Found(); !r.OK {
		out = append(out, command{v.t("verification.bad", number(float64(differences)), number(float64(damaged))), "zhiban rebuild"})
	}
	if !r.Current {
		out = append(out, command{v.t("verification.version", r.Version), "zhiban verify"})
	}
	if age := v.until().Sub(r.Ended); age > verificationDue {
		out = append(out, command{v.t("verification.old", int(age/(24*time.Hour)), int(verificationDue/(24*time.Hour))), "zhiban verify"})
	}
	return out
}

// verificationFacts are what a verification covered.
func (v *visit) verificationFacts(r report.Verification) []fact {
	out := []fact{
		{v.t("verification.ended"), clockSeconds(r.Ended), ""},
		{v.t("verification.took"), v.duration(r.Ended.Sub(r.Started)), ""},
		{v.t("verification.records"), v.t("verification.of", number(float64(r.Records)), number(float64(r.Events)), number(float64(r.Parked))), v.parkedLink(r.Parked)},
		{v.t("verification.figures"), number(float64(r.Figures)), ""},
		{v.t("verification.batches"), number(float64(r.Batches)), ""},
		{v.t("verification.tables"), strconv.Itoa(r.Version), ""},
		{v.t("verification.cut"), r.Cut.String(), ""},
	}
	if since := recordsOf(v.cut) - recordsOf(r.Cut); r.Current && since > 0 {
		out = append(out, fact{v.t("verification.since"), v.t("verification.more", number(float64(since))), ""})
	}
	return out
}

// parkedLink leads to what is parked, when something is.
func (v *visit) parkedLink(n int64) string {
	if n == 0 {
		return ""
	}
	return v.link("/parked")
}

// recordsOf is how many places of the log lie before a cut.
func recordsOf(c report.Cut) int64 {
	var n int64
	for _, offset := range c.Offsets {
		n += offset
	}
	return n
}

// placeNames are the names of stations and lawyers by code and licence.
type placeNames struct{ stations, lawyers map[string]string }

func (s *Server) placeNames(ctx context.Context, v *visit) (placeNames, error) {
	stations, err := s.stationNames(ctx, v)
	if err != nil {
		return placeNames{}, err
	}
	lawyers, err := s.lawyerNames(ctx, v)
	return placeNames{stations, lawyers}, err
}

// difference is a figure that differs, with the way to its postings.
func (v *visit) difference(d report.Difference, names placeNames) differenceRow {
	row := differenceRow{Figure: cell{Text: v.indicator(d.Indicator)}, Month: cell{Text: d.Month}, More: v.unlisted(d.MoreEvents),
		Recounted: cell{Text: number(float64(d.Recounted))}, Projected: cell{Text: number(float64(d.Projected))}}
	ind, err := schemas.Indicators.Lookup(d.Indicator)
	if err == nil {
		row.Figure.Sub = ind.Unit.In(string(v.phrases))
	}
	if d.Recounted == d.Projected {
		row.Projected.Sub = v.t("verification.same")
	}
	if d.Due != "" {
		row.Month.Sub = v.t("posting.due", d.Due)
	}
	division, filter := schemas.Province, []string(nil)
	station, notStation := schemas.ParseStationCode(d.Source)
	switch {
	case d.Source != "" && notStation == nil:
		row.Place = cell{Text: cmp.Or(names.stations[d.Source], d.Source), Href: v.link(stationPath(station))}
		filter = []string{"station", d.Source}
	case d.Source != "":
		division = schemas.DivisionCode(d.Source)
		row.Place = cell{Text: schemas.Divisions.Name(division), Href: v.toDivision(division)}
	case d.Lawyer != "":
		row.Place = cell{Text: cmp.Or(names.lawyers[d.Lawyer], d.Lawyer), Href: v.toLawyer(d.Lawyer)}
		filter = []string{"lawyer", d.Lawyer}
	}
	if month, bad := schemas.ParseMonth(d.Month); bad == nil && err == nil {
		row.Figure.Href = v.details(d.Indicator, division, report.Range{From: month.First(), To: month.Last()}, filter...)
	}
	for _, e := range d.Events {
		row.Events = append(row.Events, verifiedEvent{v.eventPlace(e), v.t("verification.adds", number(float64(e.Recounted)), number(float64(e.Projected)))})
	}
	return row
}

// eventPlace is an event by its place in the log.
func (v *visit) eventPlace(e report.VerifiedEvent) cell {
	return cell{Text: fmt.Sprintf("%d/%d", e.Partition, e.Offset), Href: v.link("/events/" + e.ID.String())}
}

// unlisted says how many more there are, "" when none.
func (v *visit) unlisted(n int64) string {
	if n == 0 {
		return ""
	}
	return v.t("verification.unlisted", number(float64(n)))
}

// verificationTable lists verifications; each leads to the page as of its end.
func (v *visit) verificationTable(all []report.VerificationResult) table {
	t := table{ID: "history", Class: "list", Caption: v.t("verification.history"), Head: []cell{head(v.t("verification.ended")), head(v.t("verification.result")),
		headNum(v.t("verification.records")), headNum(v.t("verification.figures")), headNum(v.t("verification.batches")), headNum(v.t("verification.different")),
		headNum(v.t("verification.damaged")), headNum(v.t("verification.tables")), headNum(v.t("verification.took"))}}
	count := func(n int64) cell { return cell{Text: number(float64(n)), Num: true, Muted: n == 0} }
	for i, r := range all {
		when := cell{Text: clockSeconds(r.Ended), Name: true, Href: v.link("/verification", "as_of", r.Ended.In(schemas.Shanghai).Format(time.RFC3339Nano))}
		if i == 0 {
			when.Href, when.Sub = "", v.t("verification.shown")
		}
		result := cell{Text: v.t("verification.agrees")}
		if !r.OK {
			result = cell{Text: v.t("verification.differs")}
		}
		t.Rows = append(t.Rows, []cell{when, result, count(r.Records), count(r.Figures), count(r.Batches), count(r.Differences), count(r.Damaged),
			{Text: strconv.Itoa(r.Version), Num: true}, {Text: v.duration(r.Ended.Sub(r.Started)), Num: true}})
	}
	return t
}

type verificationList struct {
	Verifications []report.VerificationResult `json:"verifications" doc:"the newest first"`
}

func (s *Server) verifications(ctx context.Context, in *struct{ rawQuery }) (*body[verificationList], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := in.reader().err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	all, err := s.read.Verifications(ctx, scopeOf(ctx), time.Time{}, verificationsShown)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("verifications: %w", unavailable(err)))
	}
	return &body[verificationList]{verificationList{notNil(all)}}, nil
}

func (s *Server) verification(ctx context.Context, in *struct{ rawQuery }) (*body[report.Verification], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := in.reader().err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	last, err := s.read.Verification(ctx, scopeOf(ctx), time.Time{})
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("last verification: %w", unavailable(err)))
	}
	return &body[report.Verification]{last}, nil
}
