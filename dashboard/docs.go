package dashboard

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/mux"

	"zhiban/schemas"
)

// The page from which a vendor of station software implements the sending of
// events. It is made from the catalogue of types: a new row there is a new
// section here. What the catalogue says in English only has its Chinese in
// docWords.

// referencePage is the reference of events.
type referencePage struct {
	Heading    string
	Attributes []attributeRow
	Answers    []answerRow
	MaxEvents  string
	MaxBytes   string
	Single     string // the commands that send
	Batch      string
	Accepted   string // the answers
	Mixed      string
	Signed     string // an event, its correction, its void
	Correction string
	Void       string
	Cases      []referenceCase
	Index      string // of the types, as JSON
	API        string
}

type attributeRow struct {
	Name, Form, Meaning string
	Required            bool
}

type answerRow struct {
	Status        int
	Meaning, Todo string
}

// referenceCase is a kind of case with its types.
type referenceCase struct {
	Kind, Title, Key, Places string
	Types                    []referenceType // that record a fact
	Meta                     []referenceType // corrected, voided
}

type referenceType struct {
	Name, Title, Clause string
	Fields              []referenceField
	Rules               []string
	Figures             []link // that it can change
	Example             string
	Schema              string
}

// referenceField is a field in words.
type referenceField struct {
	Name, Label, Type string
	Required          bool
	Note              string
	Values            []fieldValue
	Limits            []string
}

type fieldValue struct{ Code, Text string }

func (s *Server) referencePage(_ context.Context, v *visit) (page, error) {
	if err := v.err(); err != nil {
		return page{}, err
	}
	lang := string(v.phrases)
	p := referencePage{Heading: v.t("docs.title"), MaxEvents: number(maxBatchEvents), MaxBytes: strconv.Itoa(maxBatchBytes >> 20),
		Index: eventTypesPath, API: v.link("/docs/api", "month", "", "figure", "")}
	for _, a := range attributes {
		p.Attributes = append(p.Attributes, attributeRow{a.name, a.form.In(lang), a.meaning.In(lang), a.required})
	}
	for _, a := range answers {
		p.Answers = append(p.Answers, answerRow{a.status, a.meaning.In(lang), a.todo.In(lang)})
	}
	signedIn, err := schemas.Catalogue.Lookup("zhiban.shift.signed_in.v1")
	if err != nil {
		return page{}, err
	}
	signedOut, err := schemas.Catalogue.Lookup("zhiban.shift.signed_out.v1")
	if err != nil {
		return page{}, err
	}
	first, second := exampleEvent(signedIn), exampleEvent(signedOut)
	second.ID, second.Time = exampleID(5), "2026-09-01T16:32:00+08:00"
	wrong := first
	wrong.ID, wrong.Data = exampleID(6), json.RawMessage(strings.Replace(signedIn.Example, `"onsite"`, `"office"`, 1))
	p.Signed = pretty(first)
	p.Single = "ZHIBAN=https://…\n" + curl(eventMediaType, p.Signed)
	p.Batch = curl(batchMediaType, "["+p.Signed+",\n"+pretty(second)+"]")
	p.Accepted, p.Mixed = answerTo(first), answerTo(second, wrong)
	for _, kind := range schemas.Catalogue.Cases() {
		c := v.referenceCase(kind)
		if kind == signedIn.Case { // what was signed in at the station was duty by phone
			p.Correction, p.Void = strings.Replace(c.Meta[0].Example, `"onsite"`, `"phone"`, 1), c.Meta[1].Example
		}
		p.Cases = append(p.Cases, c)
	}
	return page{Template: "docs_events", Title: p.Heading, Menu: indicatorsPath, Fixed: true, Body: p,
		Crumbs: []link{{v.t("nav.terms"), v.link(indicatorsPath)}, {Text: p.Heading}}}, nil
}

func (v *visit) referenceCase(kind schemas.CaseKind) referenceCase {
	types := schemas.Catalogue.Of(kind)
	c := referenceCase{Kind: string(kind), Title: v.t("case." + string(kind)), Key: exampleEvent(types[0]).Subject, Places: v.t("docs.places.both")}
	if !fitsSource(types[0], exampleDivision) {
		c.Places = v.t("docs.places.station")
	}
	for _, t := range types {
		if t.Meta() {
			c.Meta = append(c.Meta, v.referenceType(t))
		} else {
			c.Types = append(c.Types, v.referenceType(t))
		}
	}
	return c
}

func (v *visit) referenceType(t *schemas.EventType) referenceType {
	r := referenceType{Name: t.Name, Title: t.Title.In(string(v.phrases)), Clause: t.Clause, Example: pretty(exampleEvent(t)), Schema: "/docs/events/" + t.Name + ".schema.json"}
	if t.Meta() {
		r.Title = v.eventTitle(t.Name)
	}
	if later := successor(t); later != nil {
		r.Title = v.t("docs.old", r.Title)
		r.Rules = append(r.Rules, v.t("docs.old.rule", later.Name))
	}
	schema := schemas.JSONSchema(t)
	for _, name := range fieldNames(t) {
		r.Fields = append(r.Fields, v.referenceField(t, name, schema))
	}
	if rule, ok := typeRules[t.Name]; ok {
		r.Rules = append(r.Rules, rule.In(string(v.phrases)))
	}
	r.Rules = append(r.Rules, v.pairs(t, schema)...)
	for _, ind := range t.Figures() {
		r.Figures = append(r.Figures, link{ind.Name.In(string(v.phrases)), v.link(indicatorsPath) + "#" + termID(ind.Code)})
	}
	return r
}

// successor is the latest version of a type that has a later one; nil otherwise.
func successor(t *schemas.EventType) *schemas.EventType {
	var latest *schemas.EventType
	for _, other := range schemas.Catalogue.Of(t.Case) {
		if other.Verb == t.Verb && version(other) > version(t) && (latest == nil || version(other) > version(latest)) {
			latest = other
		}
	}
	return latest
}

// version is the number at the end of a type's name.
func version(t *schemas.EventType) int {
	n, err := strconv.Atoi(t.Name[strings.LastIndex(t.Name, ".v")+2:])
	if err != nil {
		return 0
	}
	return n
}

// fieldNames are the fields of the data in the order of the payload struct.
func fieldNames(t *schemas.EventType) []string {
	var names []string
	payload := reflect.TypeOf(t.Payload()).Elem()
	for i := range payload.NumField() {
		name, _, _ := strings.Cut(payload.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func (v *visit) referenceField(t *schemas.EventType, name string, object *huma.Schema) referenceField {
	s := object.Properties[name]
	f := referenceField{Name: name, Label: v.fieldLabel(t, name), Type: jsonType(s), Required: slices.Contains(object.Required, name), Limits: v.limits(s)}
	list := listed(s)
	if list == nil {
		f.Note = v.doc(s.Description)
	}
	for i, code := range enum(s) {
		f.Values = append(f.Values, fieldValue{code, v.meaning(name, code, list, i)})
	}
	return f
}

// fieldLabel is the field's name in words: that of the case, or of all cases.
func (p phrases) fieldLabel(t *schemas.EventType, name string) string {
	for _, key := range []string{"field." + string(t.Case) + "." + name, "field." + name} {
		if m, ok := messages[key]; ok {
			return m.in(p)
		}
	}
	return name
}

// doc is a sentence of the catalogue or the API, which are in English, in the
// reader's language.
func (p phrases) doc(sentence string) string {
	if zh, ok := docWords[sentence]; ok && p != english {
		return zh
	}
	return sentence
}

// enum are the values of a field with a closed set, or of its items.
func enum(s *huma.Schema) []string {
	values := s.Enum
	if s.Items != nil && len(values) == 0 {
		values = s.Items.Enum
	}
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// listed are the Chinese terms of a field's values, which its description lists
// in their order; nil when it says something else.
func listed(s *huma.Schema) []string {
	words := regexp.MustCompile(`, | or `).Split(s.Description, -1)
	if len(words) == len(enum(s)) && !slices.ContainsFunc(words, func(w string) bool { return !isHan(w) }) {
		return words
	}
	return nil
}

func isHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// meaning is a value of a closed set in words.
func (p phrases) meaning(field, code string, list []string, i int) string {
	if list != nil && p != english {
		return list[i]
	}
	for _, set := range []string{fieldSets[field], "station_kind", "lawyer_kind"} {
		if set != fieldSets[field] && field != "kind" {
			break
		}
		if text := p.value(set, code); set != "" && text != code {
			return text
		}
	}
	if p == english {
		return strings.ReplaceAll(code, "_", " ")
	}
	return cmp.Or(valueWords[code], listedWords()[code], code)
}

// listedWords are the Chinese terms of values wherever some field's description
// lists them.
var listedWords = sync.OnceValue(func() map[string]string {
	words := map[string]string{}
	for _, t := range schemas.Catalogue.All() {
		for _, s := range schemas.JSONSchema(t).Properties {
			for i, word := range listed(s) {
				words[enum(s)[i]] = word
			}
		}
	}
	return words
})

// jsonType is the type of a field as JSON has it, with its format.
func jsonType(s *huma.Schema) string {
	switch {
	case s.Type == huma.TypeArray && s.Items != nil:
		return "array<" + jsonType(s.Items) + ">"
	case s.Type == huma.TypeString && s.Format != "":
		return s.Type + " (" + s.Format + ")"
	case s.Type == "" && s.Ref == "":
		return huma.TypeObject
	}
	return cmp.Or(s.Type, huma.TypeObject)
}

// limits are the bounds of a field in words.
func (p phrases) limits(s *huma.Schema) []string {
	var out []string
	if s.Pattern != "" {
		out = append(out, p.doc(s.PatternDescription))
	}
	whole := func(n *int) string {
		if n == nil {
			return ""
		}
		return number(float64(*n))
	}
	real := func(n *float64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatFloat(*n, 'f', -1, 64)
	}
	out = append(out, p.between("docs.limit.letters", whole(s.MinLength), whole(s.MaxLength)), p.between("docs.limit.value", real(s.Minimum), real(s.Maximum)),
		p.between("docs.limit.items", whole(s.MinItems), whole(s.MaxItems)))
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

func (p phrases) between(unit, low, high string) string {
	switch {
	case low != "" && high != "":
		return p.t(unit, p.t("docs.limit.both", low, high))
	case high != "":
		return p.t(unit, p.t("docs.limit.most", high))
	case low != "":
		return p.t(unit, p.t("docs.limit.least", low))
	}
	return ""
}

// pairs says which values of two fields go together, where not all do. It asks
// the validation itself.
func (v *visit) pairs(t *schemas.EventType, schema *huma.Schema) []string {
	var names []string
	for _, name := range fieldNames(t) {
		if s := schema.Properties[name]; s.Type == huma.TypeString && len(s.Enum) > 0 {
			names = append(names, name)
		}
	}
	var rules []string
	for i, first := range names {
		for _, second := range names[i+1:] {
			refused := false
			var lines []string
			for _, a := range enum(schema.Properties[first]) {
				var taken []string
				for _, b := range enum(schema.Properties[second]) {
					if isValid(withFields(exampleEvent(t), map[string]string{first: a, second: b})) {
						taken = append(taken, b)
					} else {
						refused = true
					}
				}
				lines = append(lines, v.t("docs.pair", first, a, second, v.enumerate(taken)))
			}
			if refused {
				rules = append(rules, lines...)
			}
		}
	}
	return rules
}

func withFields(env schemas.Envelope, values map[string]string) schemas.Envelope {
	var data map[string]any
	if json.Unmarshal(env.Data, &data) != nil {
		return env
	}
	for name, value := range values {
		data[name] = value
	}
	if b, err := json.Marshal(data); err == nil {
		env.Data = b
	}
	return env
}

func isValid(env schemas.Envelope) bool {
	b, err := json.Marshal(env)
	if err != nil {
		return false
	}
	_, _, errs := schemas.Validate(b)
	return len(errs) == 0
}

const (
	exampleStation  = "/stations/220182-court"
	exampleDivision = "/divisions/220182"
)

func exampleID(n int) string { return fmt.Sprintf("0199a1c2-7d1e-7c3a-9a55-0242ac12%04d", n) }

// exampleEvent is the type's example as a complete event.
func exampleEvent(t *schemas.EventType) schemas.Envelope {
	env := schemas.Envelope{SpecVersion: "1.0", ID: exampleID(2), Source: exampleDivision, Type: t.Name, Subject: string(t.Case) + "/" + exampleID(1),
		Time: "2026-09-01T08:31:00+08:00", DataContentType: "application/json", Data: json.RawMessage(t.Example)}
	switch t.Verb { // the target is the first event
	case "corrected":
		env.ID, env.Time = exampleID(3), "2026-09-02T09:05:00+08:00"
	case "voided":
		env.ID, env.Time = exampleID(4), "2026-09-02T09:10:00+08:00"
	}
	switch t.Case {
	case schemas.CaseStation:
		env.Subject = "station/" + strings.TrimPrefix(exampleStation, "/stations/")
	case schemas.CaseLawyer:
		env.Subject = "lawyer/12201201810123456"
	case schemas.CaseReturn:
		env.Subject, env.Time = "return/220182-2026-09", "2026-10-08T15:20:00+08:00"
	}
	if !ofDivisions[t.Case] {
		env.Source = exampleStation
	}
	return env
}

// fitsSource tells whether events of the type may come from a source.
func fitsSource(t *schemas.EventType, source string) bool {
	env := exampleEvent(t)
	env.Source = source
	return isValid(env)
}

// pretty writes an event as people read it: a line for each member, lists on
// one line.
func pretty(env schemas.Envelope) string {
	b := &bytes.Buffer{}
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if enc.Encode(env) != nil {
		return ""
	}
	return oneLineLists(strings.TrimSpace(b.String()))
}

func oneLineLists(s string) string {
	return regexp.MustCompile(`\[\s+[^\[\]{}]*\]`).ReplaceAllStringFunc(s, func(list string) string {
		return strings.ReplaceAll(strings.ReplaceAll(strings.Join(strings.Fields(list), " "), "[ ", "["), " ]", "]")
	})
}

func curl(mediaType, body string) string {
	return "curl -i \"$ZHIBAN" + eventsPath + "\" -H 'Content-Type: " + mediaType + "' --data-binary '" + body + "'"
}

// answerTo is the answer to events: what the validation says of them.
func answerTo(events ...schemas.Envelope) string {
	type result struct {
		ID     string               `json:"id"`
		Status string               `json:"status"`
		Errors []schemas.FieldError `json:"errors,omitempty"`
	}
	var results []result
	for _, env := range events {
		raw, err := json.Marshal(env)
		if err != nil {
			continue
		}
		r := result{ID: env.ID, Status: "accepted"}
		if _, _, errs := schemas.Validate(raw); len(errs) > 0 {
			r.Status, r.Errors = "rejected", errs
		}
		results = append(results, r)
	}
	b := &bytes.Buffer{}
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if enc.Encode(map[string]any{"results": results}) != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}

// typeSchema serves the JSON Schema of a type's data.
func typeSchema(w http.ResponseWriter, r *http.Request) {
	t, err := schemas.Catalogue.Lookup(mux.Vars(r)["type"])
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	schema := schemas.JSONSchema(t)
	schema.Extensions = map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema"}
	b, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		http.Error(w, "the schema cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/schema+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(append(b, '\n'))
}
