package dashboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/audit"
	"zhiban/schemas/seal"
)

// ledgerRoute is where the texts of a consultation are asked for.
const ledgerRoute = "/ledger/{event}/text"

// ledgerDays is how many days the ledger shows when none are named.
const ledgerDays = 7

// keySetting is the setting that lets sealed texts be read here.
const keySetting = "ZHIBAN_KEYS"

// ledgerPage is the consultation ledger.
type ledgerPage struct {
	listPage
	Rows    []ledgerRow
	Heads   []cell
	Setting *command // how texts can be made readable here
}

// ledgerRow is a consultation; Text says whether there are texts, Action is where
// they are asked for.
type ledgerRow struct {
	Time, Station, Lawyer            cell
	Channel, Role, Person, Topics    string
	Minutes, Signed, Text, TextClass string
	SignedMuted                      bool
	Action                           string
}

func (s *Server) ledgerPage(ctx context.Context, v *visit) (page, error) {
	q := report.LedgerQuery{Division: v.division(), To: v.day("to"), From: v.day("from")}
	if v.text("station") != "" {
		q.Station = v.station()
	}
	if v.scope.Station != "" && q.Station == "" {
		q.Station = v.scope.Station
	}
	if q.To == 0 {
		q.To = max(schemas.DayOf(v.now), q.From)
	}
	if q.From == 0 {
		q.From = q.To - ledgerDays + 1
	}
	if q.From > q.To {
		v.problem("from", q.From.String(), "problem.order", q.From.String(), q.To.String())
	}
	offset := v.number("offset", 0, 0, 1_000_000)
	if err := v.err(); err != nil {
		return page{}, err
	}
	found, err := s.read.Ledger(ctx, v.scope, q, offset, perPage)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("ledger: %w", err))
	}
	stations, err := s.read.Stations(ctx, v.scope, q.Division, v.asOf)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("stations of %s: %w", q.Division, err))
	}
	lawyers, err := s.lawyerNames(ctx, v)
	if err != nil {
		return page{}, err
	}
	p := ledgerPage{listPage: listPage{Heading: v.t("ledger.title"), Intro: v.t("ledger.intro"), Empty: v.t("ledger.none"), Filter: v.ledgerFilter(q, stations),
		Count: v.t("ledger.count", q.From.String(), q.To.String(), number(float64(found.Total)))}}
	p.Table.Caption = v.t("ledger.caption")
	for _, key := range []string{"posting.time", "posting.where", "posting.lawyer", "field.channel", "field.person_role", "field.person", "field.topics", "field.minutes", "ledger.signed", "ledger.texts"} {
		p.Heads = append(p.Heads, cell{Text: v.t(key), Num: key == "field.minutes"})
	}
	readable := false
	switch {
	case !v.who.May(access.Unseal):
		p.Notes = []note{{Text: v.t("ledger.office")}}
	case s.cfg.Unseal == nil:
		p.Setting = &command{v.t("ledger.setting"), keySetting}
	default:
		p.Notes, readable = []note{{Text: v.t("ledger.recorded")}}, true
	}
	names := map[schemas.StationCode]string{}
	for _, st := range stations {
		names[st.Code] = v.stationName(st)
	}
	for _, l := range found.Lines {
		p.Rows = append(p.Rows, v.ledgerRow(l, cmp.Or(names[l.Station], string(l.Station)), lawyers[l.Lawyer], readable))
	}
	v.pages(&p.listPage, offset, len(found.Lines), int64(found.Total))
	return page{Template: "ledger", Title: p.Heading, Menu: "/ledger", Crumbs: v.crumbs(q.Division, v.t("nav.ledger")), Body: p}, nil
}

func (v *visit) ledgerRow(l report.LedgerLine, station, lawyer string, readable bool) ledgerRow {
	r := ledgerRow{
		Time: cell{Text: clock(l.Time), Href: v.link("/events/" + l.Event.String())}, Station: cell{Text: station, Href: v.link(stationPath(l.Station))},
		Lawyer: cell{Text: cmp.Or(lawyer, l.Lawyer), Href: v.toLawyer(l.Lawyer)}, Channel: v.value("channel", l.Channel), Role: v.value("person_role", l.PersonRole),
		Person: shortened(l.Person), Topics: v.orNone(v.enumerate(l.Topics)), Minutes: v.t("figure.none"), Signed: v.t("ledger.unsigned"), Text: v.t("value.none"), TextClass: "muted",
	}
	if l.Minutes != nil {
		r.Minutes = number(float64(*l.Minutes))
	}
	if l.Signed {
		r.Signed, r.SignedMuted = v.t("ledger.signed.yes"), true
	}
	if l.Texts > 0 {
		if r.Text, r.TextClass = v.t("ledger.sealed"), "sealed"; l.Sealed < l.Texts {
			r.Text = v.t("ledger.plain")
		}
		if readable {
			r.Action = v.link("/ledger/"+l.Event.String()+"/text", "month", "", "figure", "", "view", "", "as_of", "")
		}
	}
	return r
}

// shortened is enough of a pseudonym to tell persons of one ledger apart.
func shortened(person string) string {
	const most = 10
	if len(person) <= most {
		return person
	}
	return person[:most] + "…"
}

// ledgerFilter asks for division, station and days.
func (v *visit) ledgerFilter(q report.LedgerQuery, stations []report.Station) filter {
	f := filter{Action: "/ledger", Dates: []textField{{"from", v.t("filter.from"), "date", q.From.String(), ""}, {"to", v.t("filter.to"), "date", q.To.String(), ""}}}
	if v.scope.Station == "" {
		places := choiceField{Name: "station", Label: v.t("rank.station"), Options: []choiceOption{{"", v.t("audit.any"), q.Station == ""}}}
		known := q.Station == ""
		for _, st := range stations {
			places.Options = append(places.Options, choiceOption{string(st.Code), v.stationName(st), st.Code == q.Station})
			known = known || st.Code == q.Station
		}
		if !known {
			places.Options = append(places.Options, choiceOption{string(q.Station), string(q.Station), true})
		}
		f.Selects = []choiceField{v.divisionOptions(q.Division), places}
	}
	if string(v.phrases) != chinese {
		f.Hidden = []textField{{Name: "lang", Value: string(v.phrases)}}
	}
	return f
}

// ledgerText is what was asked and answered in one consultation.
type ledgerText struct {
	Heading string
	About   []fact
	Wrong   string // why nothing is shown
	Texts   []unsealed
	Back    link
}

// unsealed is a text, or why there is none to show.
type unsealed struct{ Title, Text, Wrong string }

// unseal shows the texts of a consultation. That it does is in the audit trail
// before: what cannot be recorded is not shown.
func (s *Server) unseal(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Timeout)
	defer cancel()
	v := newVisit(r, s.now())
	w.Header().Set("Cache-Control", "no-store")
	status, p, err := http.StatusOK, page{}, s.stand(ctx, v)
	if err == nil {
		status, p, err = s.unsealPage(ctx, v)
	}
	if err != nil {
		status, p = statusOf(err), v.failure(err)
		s.logError(ctx, status, err)
	}
	p.Posted = true
	s.answer(ctx, w, v, status, p)
}

func (s *Server) unsealPage(ctx context.Context, v *visit) (int, page, error) {
	id := v.event("event", v.part("event"))
	if err := v.err(); err != nil {
		return 0, page{}, err
	}
	found, err := s.read.LedgerTexts(ctx, v.scope, id)
	if err != nil {
		return 0, page{}, unavailable(fmt.Errorf("texts of %s: %w", id, err))
	}
	station, err := s.read.Station(ctx, v.scope, found.Station, v.asOf)
	if err != nil {
		return 0, page{}, unavailable(fmt.Errorf("station %s: %w", found.Station, err))
	}
	day := schemas.DayOf(found.Time).String()
	t := ledgerText{Heading: v.t("ledger.text"), About: []fact{{v.t("posting.time"), clock(found.Time), ""}, {v.t("rank.station"), v.stationName(station), ""},
		{v.t("field.person"), shortened(found.Person), ""}, {v.t("field.topics"), v.orNone(v.enumerate(found.Topics)), ""}, {v.t("event.id"), id.String(), v.link("/events/" + id.String())}},
		Back: link{v.t("ledger.back"), v.link("/ledger", "station", string(found.Station), "from", day, "to", day)}}
	p := page{Template: "ledger_text", Title: t.Heading, Menu: "/ledger", Crumbs: []link{{v.t("nav.ledger"), t.Back.Href}, {Text: t.Heading}}, Fixed: true}
	if err := s.cfg.Audit(ctx, audit.Record{Account: v.who.Account, Role: string(v.who.Role), Address: access.Address(ctx), Action: audit.Unseal, Object: id.String(), Outcome: "allowed"}); err != nil {
		s.log.ErrorContext(ctx, "a text is not shown, because the audit trail cannot be written", "event", id, "error", err)
		t.Wrong = v.t("ledger.unrecorded")
		p.Body = t
		return http.StatusServiceUnavailable, p, nil
	}
	for _, field := range []struct{ name, sealed string }{{"question", found.Question}, {"answer", found.Answer}} {
		if field.sealed == "" {
			continue
		}
		u := unsealed{Title: v.t("field." + field.name)}
		switch u.Text, err = s.cfg.Unseal(ctx, found.Person, found.Case, field.name, field.sealed); {
		case err == nil:
		case errors.Is(err, seal.ErrErased):
			u.Wrong = v.t("ledger.erased")
		case errors.Is(err, seal.ErrNoKey):
			u.Wrong = v.t("ledger.nokey")
		case errors.Is(err, seal.ErrForged):
			u.Wrong = v.t("ledger.forged")
		default:
			s.log.ErrorContext(ctx, "a text does not open", "event", id, "field", field.name, "error", err)
			u.Wrong = v.t("ledger.unavailable")
		}
		if u.Wrong != "" {
			u.Text = ""
		}
		t.Texts = append(t.Texts, u)
	}
	p.Body = t
	return http.StatusOK, p, nil
}
