package dashboard

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// eventPage opens an event: what it says, where it stands, what became of its
// case, and what it posted.
type eventPage struct {
	Heading  string
	Status   string
	State    string // effective, corrected, voided
	About    []fact
	Contents []fact
	New      []fact // what a correction puts in place
	History  table
	Postings table
	Empty    string
}

func (s *Server) eventPage(ctx context.Context, v *visit) (page, error) {
	id := v.event("id", v.part("id"))
	if err := v.err(); err != nil {
		return page{}, err
	}
	d, err := s.event(ctx, v.scope, id)
	if err != nil {
		return page{}, err
	}
	lawyers, err := s.lawyerNames(ctx, v)
	if err != nil {
		return page{}, err
	}
	stations, err := s.stationNames(ctx, v)
	if err != nil {
		return page{}, err
	}
	e := d.Event
	p := eventPage{Heading: v.t("event.title", v.eventTitle(e.Type)), Status: v.t("event." + d.Status), State: d.Status, Empty: v.t("event.noposting")}
	place := v.t("event.place", d.Partition, d.Offset)
	if d.Places > 1 {
		place += "（" + v.t("event.places", d.Places) + "）"
	}
	p.About = []fact{
		{v.t("event.id"), e.ID, ""}, {v.t("event.type"), e.Type, ""}, v.source(e.Source, stations), {v.t("event.case"), v.caseTitle(e.Subject), ""},
		{v.t("event.time"), v.wireTime(e.Time), ""}, {v.t("event.recorded"), v.wireTime(e.RecordedTime), ""}, {v.t("event.by"), cmp.Or(e.RecordedBy, v.t("figure.none")), ""},
		{v.t("posting.place"), place, ""},
	}
	if t, err := schemas.Catalogue.Lookup(e.Type); err == nil && t.Clause != "" {
		p.About = append(p.About, fact{v.t("event.clause"), t.Clause, ""})
	}
	p.Contents, p.New = v.contents(e.Data, lawyers)
	p.History = v.history(d)
	p.Postings = v.postingTable(d.Postings, v.t("event.postings"), stations, lawyers, false)
	crumbs := []link{{v.t("nav.detail"), v.link("/details")}, {Text: v.eventTitle(e.Type)}}
	return page{Template: "event", Title: p.Heading, Menu: "/details", Crumbs: crumbs, Body: p}, nil
}

// event reads an event without the texts of the ledger, which nobody reads
// here.
func (s *Server) event(ctx context.Context, scope report.Scope, id schemas.EventID) (report.EventDetail, error) {
	d, err := s.read.Event(ctx, scope, id)
	if err != nil {
		return d, unavailable(fmt.Errorf("event %s: %w", id, err))
	}
	d.Event.Data = withoutTexts(d.Event.Data)
	d.Case = slices.Clone(d.Case)
	for i := range d.Case {
		d.Case[i].Data = withoutTexts(d.Case[i].Data)
	}
	return d, nil
}

// texts are the fields of the ledger's confidential texts.
var texts = []string{"question", "answer"}

// withoutTexts blanks the confidential texts of an event's data, also within
// the data of a correction. Data that is not an object is left out altogether.
func withoutTexts(data json.RawMessage) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil || fields == nil {
		return json.RawMessage("{}")
	}
	for _, name := range texts {
		if _, ok := fields[name]; ok {
			fields[name] = json.RawMessage("null")
		}
	}
	if inner, ok := fields["data"]; ok {
		fields["data"] = withoutTexts(inner)
	}
	out, err := json.Marshal(fields)
	if err != nil {
		return json.RawMessage("{}")
	}
	return out
}

// contents are the fields of an event's data in words, in the order in which
// they came to be known; of a correction also those of the new data.
func (v *visit) contents(data json.RawMessage, lawyers map[string]string) (own, corrected []fact) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return nil, nil
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(fieldRank(a), fieldRank(b)), strings.Compare(a, b))
	})
	for _, name := range names {
		if name == "data" {
			corrected, _ = v.contents(fields[name], lawyers)
			continue
		}
		own = append(own, v.field(name, fields[name], lawyers))
	}
	return own, corrected
}

// fieldOrder is the order in which fields are read.
var fieldOrder = []string{"target", "reason", "time", "code", "licence", "name", "kind", "lawyer", "mode", "badge", "channel", "person", "person_role",
	"organ", "trigger", "in_custody", "form", "evidence", "shift", "topics", "minutes", "guided_to_apply", "has_defender", "agency", "firm", "division", "location", "reporting", "hosts"}

func fieldRank(name string) int {
	if i := slices.Index(fieldOrder, name); i >= 0 {
		return i
	}
	return len(fieldOrder)
}

// fieldSets are the fields whose values belong to a closed set.
var fieldSets = map[string]string{"mode": "mode", "channel": "channel", "person_role": "person_role", "organ": "organ", "trigger": "trigger", "form": "form"}

// field is a field in words.
func (v *visit) field(name string, raw json.RawMessage, lawyers map[string]string) fact {
	f := fact{Name: name}
	if _, ok := messages["field."+name]; ok {
		f.Name = v.t("field." + name)
	}
	if slices.Contains(texts, name) {
		f.Value = v.t("event.sealed")
		return f
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return f
	}
	switch value := value.(type) {
	case nil:
		f.Value = v.t("value.none")
	case bool:
		f.Value = v.t("value." + strconv.FormatBool(value))
	case []any:
		words := make([]string, len(value))
		for i, w := range value {
			words[i] = fmt.Sprint(w)
		}
		f.Value = v.enumerate(words)
	default:
		f.Value = fmt.Sprint(value)
	}
	switch text := f.Value; {
	case fieldSets[name] != "":
		f.Value = v.value(fieldSets[name], text)
	case name == "lawyer" || name == "licence":
		f.Href = v.toLawyer(text)
		if known := lawyers[text]; known != "" {
			f.Value = known + "（" + text + "）"
		}
	case name == "kind":
		if f.Value = v.value("lawyer_kind", text); f.Value == text {
			f.Value = v.value("station_kind", text)
		}
	case name == "division" || name == "location" || name == "reporting":
		f.Value, f.Href = schemas.Divisions.Name(schemas.DivisionCode(text)), v.toDivision(schemas.DivisionCode(text))
	case name == "code":
		f.Href = v.link(stationPath(schemas.StationCode(text)))
	case name == "target":
		f.Href = v.link("/events/" + text)
	case name == "time":
		f.Value = v.wireTime(text)
	}
	return f
}

// source is where the event happened.
func (v *visit) source(text string, stations map[string]string) fact {
	f := fact{Name: v.t("event.source"), Value: text}
	src, err := schemas.ParseSource(text)
	switch {
	case err != nil:
	case src.Station != "":
		f.Value, f.Href = cmp.Or(stations[string(src.Station)], string(src.Station)), v.link(stationPath(src.Station))
	default:
		f.Value, f.Href = schemas.Divisions.Name(src.Division), v.toDivision(src.Division)
	}
	return f
}

func (v *visit) caseTitle(subject string) string {
	kind, key, ok := strings.Cut(subject, "/")
	if _, known := messages["case."+kind]; !ok || !known {
		return subject
	}
	return v.t("case."+kind) + " " + key
}

// wireTime shows a time of the wire in Beijing time.
func (v *visit) wireTime(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return clockSeconds(t)
}

// history is the case in the order of the log.
func (v *visit) history(d report.EventDetail) table {
	t := table{ID: "history", Class: "list", Caption: v.t("event.history.of"), Head: []cell{head(v.t("rank.place")), head(v.t("posting.event")),
		head(v.t("event.time")), head(v.t("event.recorded")), head(v.t("event.by")), head(v.t("field.target")), head(v.t("field.reason"))}}
	number := map[string]string{}
	for i, e := range d.Case {
		if number[e.ID] == "" {
			number[e.ID] = strconv.Itoa(i + 1)
		}
	}
	for i, e := range d.Case {
		name := cell{Text: v.eventTitle(e.Type), Href: v.link("/events/" + e.ID), Name: true}
		if e.ID == d.Event.ID {
			name.Href, name.Sub = "", v.t("event.this")
		}
		var meta struct{ Target, Reason string }
		_ = json.Unmarshal(e.Data, &meta) // of other types there is neither
		target := cell{}
		if meta.Target != "" {
			target = cell{Text: cmp.Or(number[meta.Target], meta.Target), Href: v.link("/events/" + meta.Target)}
		}
		t.Rows = append(t.Rows, []cell{{Text: strconv.Itoa(i + 1), Muted: true}, name, {Text: v.wireTime(e.Time)}, {Text: v.wireTime(e.RecordedTime)}, {Text: e.RecordedBy}, target, {Text: meta.Reason}})
	}
	return t
}
