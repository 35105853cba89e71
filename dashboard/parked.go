package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// parkedPage lists what could not be read, or shows one such record. What is in
// a record stays in the log: pages tell attributes and names of fields.
type parkedPage struct {
	listPage
	State, Status string // of the one record
	Private       string
	Show          *command
	Action        string // where reading again is asked for
	Command       *command
	About         []fact
}

func (s *Server) parkedPage(ctx context.Context, v *visit) (page, error) {
	offset := v.number("offset", 0, 0, 1_000_000_000)
	done := v.choice("replay", "", "done", "failed")
	appended, left := v.number("appended", 0, 0, math.MaxInt32), v.number("left", 0, 0, math.MaxInt32)
	if err := v.err(); err != nil {
		return page{}, err
	}
	found, err := s.read.Parked(ctx, v.scope, v.cut, offset, perPage)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("parked records: %w", err))
	}
	p := parkedPage{listPage: listPage{Heading: v.t("parked.title"), Intro: v.t("parked.intro"), Empty: v.t("parked.none")}, Private: v.t("parked.private")}
	switch done {
	case "done":
		p.Notes = append(p.Notes, note{Text: v.t("parked.done", number(float64(appended)), number(float64(left)))})
	case "failed":
		p.Notes = append(p.Notes, note{Text: v.t("parked.failed")})
	}
	if found.Total > 0 {
		p.Count = v.t("parked.count", number(float64(found.Total)), number(float64(found.Waiting)))
	}
	switch {
	case found.Waiting == 0 || !v.live():
	case s.cfg.Replay != nil:
		p.Action = v.link("/parked")
	default:
		p.Command = &command{v.t("parked.command"), "zhiban deadletter replay"}
	}
	p.Table = table{ID: "parked", Class: "list", Caption: v.t("parked.caption"), Head: []cell{head(v.t("posting.place")), head(v.t("parked.state")), head(v.t("event.type")),
		head(v.t("event.source")), head(v.t("posting.recorded")), head(v.t("parked.reason"))}}
	stations, err := s.stationNames(ctx, v)
	if err != nil {
		return page{}, err
	}
	for _, r := range found.Records {
		source := v.source(r.Source, stations)
		state, word := v.parkedState(r)
		p.Table.Rows = append(p.Table.Rows, []cell{{Text: r.Place(), Href: v.link("/parked/" + r.Place()), Name: true}, {Text: word, Muted: state != "waiting"},
			{Text: v.orNone(v.eventTitle(r.Type))}, {Text: v.orNone(source.Value), Href: source.Href}, {Text: clock(r.Recorded)}, {Text: r.Reason}})
	}
	v.pages(&p.listPage, offset, len(found.Records), found.Total)
	return page{Template: "parked", Title: p.Heading, Menu: "/quality", Crumbs: []link{{v.t("nav.quality"), v.link("/quality")}, {Text: p.Heading}}, Body: p}, nil
}

// parkedState is what became of a record, as a class and in words.
func (v *visit) parkedState(r report.Parked) (state, word string) {
	if r.Replayed {
		return "replayed", v.t("parked.replayed")
	}
	return "waiting", v.t("parked.waiting")
}

func (v *visit) orNone(text string) string { return cmp.Or(text, v.t("figure.none")) }

func (s *Server) parkedRecordPage(ctx context.Context, v *visit) (page, error) {
	if err := v.err(); err != nil {
		return page{}, err
	}
	place := v.part("partition") + "/" + v.part("offset")
	partition, err := strconv.Atoi(v.part("partition"))
	offset, err2 := strconv.ParseInt(v.part("offset"), 10, 64)
	if err != nil || err2 != nil {
		return page{}, schemas.Errorf(schemas.NotFound, "%s is not a place in the log", place)
	}
	r, err := s.read.ParkedRecord(ctx, v.scope, v.cut, partition, offset)
	if err != nil {
		return page{}, unavailable(fmt.Errorf("parked record %s: %w", place, err))
	}
	stations, err := s.stationNames(ctx, v)
	if err != nil {
		return page{}, err
	}
	p := parkedPage{listPage: listPage{Heading: v.t("parked.record", place)}, Private: v.t("parked.private"), Show: &command{v.t("parked.show"), "zhiban deadletter show " + place}}
	p.State, p.Status = v.parkedState(r)
	source := v.source(r.Source, stations)
	id := fact{Name: v.t("event.id"), Value: v.t("figure.none")}
	if r.ID != (schemas.EventID{}) {
		id.Value = r.ID.String()
	}
	p.About = []fact{
		{v.t("parked.reason"), r.Reason, ""}, {v.t("posting.place"), v.t("event.place", r.Partition, r.Offset), ""}, {v.t("posting.recorded"), clockSeconds(r.Recorded), ""}, id,
		{v.t("event.type"), v.orNone(r.Type), ""}, {source.Name, v.orNone(source.Value), source.Href}, {v.t("event.case"), v.orNone(v.caseTitle(r.Subject)), ""},
		{v.t("parked.fields"), v.orNone(v.enumerate(r.Fields)), ""}, {v.t("parked.length"), v.t("parked.bytes", number(float64(r.Bytes))), ""},
	}
	if r.Replayed {
		p.Notes = []note{{v.t("parked.replayed"), link{v.t("parked.event"), v.link("/events/" + r.ID.String())}}}
	}
	return page{Template: "parked", Title: p.Heading, Menu: "/quality", Body: p,
		Crumbs: []link{{v.t("nav.quality"), v.link("/quality")}, {v.t("parked.title"), v.link("/parked")}, {Text: place}}}, nil
}

// replay reads what is parked again and leads back to the list, which says what
// came of it. Those who ask at the same time share one reading.
func (s *Server) replay(w http.ResponseWriter, r *http.Request) {
	done, err, _ := s.making.Do("replay", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.cfg.Timeout)
		defer cancel()
		appended, left, err := s.cfg.Replay(ctx)
		return [2]int{appended, left}, err
	})
	counts, _ := done.([2]int)
	told := []string{"as_of", "", "replay", "done", "appended", strconv.Itoa(counts[0]), "left", strconv.Itoa(counts[1])}
	if err != nil {
		s.log.ErrorContext(r.Context(), "parked records were not all read again", "appended", counts[0], "error", err)
		told = []string{"as_of", "", "replay", "failed"}
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, newVisit(r, s.now()).link("/parked", told...), http.StatusSeeOther)
}

// ownOrigin lets only the dashboard's own pages ask for what changes something.
func (s *Server) ownOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, newVisit(r, s.now()).t("error.origin"), http.StatusForbidden)
	}))
	return guard.Handler(next)
}
