package dashboard

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"zhiban/schemas"
)

// The page of the API, made from the OpenAPI document that programs read.

// apiPage lists the operations.
type apiPage struct {
	Heading    string
	Events     string
	Operations []apiOperation
}

type apiOperation struct {
	ID, Method, Path, Summary, Note string
	Params                          []apiParam
	Bodies                          []fieldValue
	Curl                            string
	Responses                       []apiResponse
}

type apiParam struct {
	Name, In, Type, Text, Example string
	Required                      bool
}

type apiResponse struct {
	Status, Title, Text string
	Types               []string
	Fields              []apiParam
}

func (s *Server) apiPage(doc *huma.OpenAPI) func(context.Context, *visit) (page, error) {
	return func(_ context.Context, v *visit) (page, error) {
		if err := v.err(); err != nil {
			return page{}, err
		}
		p := apiPage{Heading: v.t("api.title"), Events: v.link("/docs/events", "month", "", "figure", "")}
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			item := doc.Paths[path]
			for _, op := range []struct {
				method string
				op     *huma.Operation
			}{{http.MethodGet, item.Get}, {http.MethodPost, item.Post}, {http.MethodPut, item.Put}, {http.MethodPatch, item.Patch}, {http.MethodDelete, item.Delete}} {
				if op.op != nil && !op.op.Hidden {
					p.Operations = append(p.Operations, v.apiOperation(doc, op.method, path, op.op))
				}
			}
		}
		return page{Template: "docs_api", Title: p.Heading, Menu: indicatorsPath, Fixed: true, Body: p,
			Crumbs: []link{{v.t("nav.terms"), v.link(indicatorsPath)}, {Text: p.Heading}}}, nil
	}
}

func (v *visit) apiOperation(doc *huma.OpenAPI, method, path string, op *huma.Operation) apiOperation {
	o := apiOperation{ID: cmp.Or(op.OperationID, strings.ToLower(method)+path), Method: method, Path: path, Summary: v.doc(op.Summary), Note: v.doc(op.Description)}
	for _, p := range op.Parameters {
		row := apiParam{Name: p.Name, In: v.t("api.in." + p.In), Text: v.doc(p.Description), Required: p.Required}
		if p.Schema != nil {
			row.Type = jsonType(p.Schema)
			row.Text = cmp.Or(row.Text, v.doc(p.Schema.Description))
		}
		if example := paramExample(p); example != "" {
			row.Example = v.t("api.example", example)
		}
		o.Params = append(o.Params, row)
	}
	if op.RequestBody != nil {
		for _, media := range slices.Sorted(maps.Keys(op.RequestBody.Content)) {
			o.Bodies = append(o.Bodies, fieldValue{media, v.bodyText(media, op.RequestBody.Content[media].Schema)})
		}
	}
	o.Curl = apiCurl(method, path, op)
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		row := apiResponse{Status: status, Title: v.t("api.answer", status), Text: v.responseText(path, status, r.Description), Types: slices.Sorted(maps.Keys(r.Content))}
		if strings.HasPrefix(status, "2") {
			for _, media := range row.Types {
				row.Fields = append(row.Fields, v.apiFields(doc.Components.Schemas, r.Content[media].Schema, "", 0)...)
			}
		}
		o.Responses = append(o.Responses, row)
	}
	return o
}

// bodyText is what a request holds.
func (v *visit) bodyText(media string, s *huma.Schema) string {
	switch media {
	case eventMediaType:
		return v.t("docs.send.one")
	case batchMediaType:
		return v.t("docs.send.many", number(maxBatchEvents), strconv.Itoa(maxBatchBytes>>20))
	}
	return v.doc(s.Description)
}

// responseText is what a status means, in the reader's language.
func (v *visit) responseText(path, status, description string) string {
	if path == eventsPath {
		for _, a := range answers {
			if strconv.Itoa(a.status) == status {
				return a.meaning.In(string(v.phrases)) + v.gap() + a.todo.In(string(v.phrases))
			}
		}
	}
	if m, ok := messages["error."+status]; ok {
		return m.in(v.phrases)
	}
	return v.doc(description)
}

// paramExample is a value to show: the parameter's own, or one for its name.
func paramExample(p *huma.Param) string {
	switch {
	case p.Example != nil:
		return fmt.Sprint(p.Example)
	case p.Schema != nil && len(p.Schema.Examples) > 0:
		return fmt.Sprint(p.Schema.Examples[0])
	}
	return pathExamples[p.Name]
}

// pathExamples are values of what stands in addresses.
var pathExamples = map[string]string{"division": "220182", "month": "2026-10", "licence": "12201201810123456", "id": exampleID(2), "code": "220182-court"}

// narrowing are the parameters that a first question does without.
var narrowing = map[string]bool{"as_of": true, "view": true, "station": true}

// apiCurl is a command that asks an operation: with the path filled in, and the
// parameters that have an example.
func apiCurl(method, path string, op *huma.Operation) string {
	var query []string
	for _, p := range op.Parameters {
		example := paramExample(p)
		switch {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", cmp.Or(example, p.Name))
		case p.In == "query" && !narrowing[p.Name] && (p.Example != nil || p.Schema != nil && len(p.Schema.Examples) > 0):
			query = append(query, p.Name+"="+strings.ReplaceAll(url.QueryEscape(example), "%2C", ","))
		}
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	command := `curl "$ZHIBAN` + path + `"`
	if method != http.MethodGet {
		command = `curl -X ` + method + ` "$ZHIBAN` + path + `"`
	}
	if op.RequestBody != nil {
		for _, media := range slices.Sorted(maps.Keys(op.RequestBody.Content)) {
			if example, ok := op.RequestBody.Content[media].Example.(json.RawMessage); ok {
				return command + " -H 'Content-Type: " + media + "' --data-binary '" + string(example) + "'"
			}
		}
	}
	return command
}

// apiDepth bounds how deep the fields of an answer are listed.
const apiDepth = 4

// apiFields lists the fields of a schema, those of inner objects by their path.
func (v *visit) apiFields(registry huma.Registry, s *huma.Schema, prefix string, depth int) []apiParam {
	s = resolved(registry, s)
	if s == nil || depth > apiDepth {
		return nil
	}
	if s.Type == huma.TypeArray {
		return v.apiFields(registry, s.Items, prefix+"[]", depth)
	}
	names := slices.Clone(s.Required)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var out []apiParam
	for _, name := range names {
		field := s.Properties[name]
		if field == nil {
			continue
		}
		full := strings.TrimPrefix(prefix+"."+name, ".")
		target := resolved(registry, field)
		if target == nil {
			continue
		}
		out = append(out, apiParam{Name: full, Type: jsonType(target), Text: v.doc(cmp.Or(field.Description, target.Description))})
		out = append(out, v.apiFields(registry, target, full, depth+1)...)
	}
	return out
}

// resolved follows a reference.
func resolved(registry huma.Registry, s *huma.Schema) *huma.Schema {
	if s != nil && s.Ref != "" {
		return registry.SchemaFromRef(s.Ref)
	}
	return s
}

// describeIngest adds what ingest serves beside the dashboard to the description
// of the API, so that a vendor has one document: the events of the catalogue and
// the answers to them.
func describeIngest(doc *huma.OpenAPI) {
	all := doc.Components.Schemas.Map()
	text := func(description string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Description: description}
	}
	event := &huma.Schema{Type: huma.TypeObject, Title: "Event", Description: "an event: CloudEvents 1.0 in JSON", Properties: map[string]*huma.Schema{}, AdditionalProperties: false}
	for _, a := range attributes {
		if a.required {
			event.Required = append(event.Required, a.name)
		}
		event.Properties[a.name] = text(a.form.EN + ": " + a.meaning.EN)
	}
	event.Properties["specversion"].Enum = []any{"1.0"}
	event.Properties["id"].Format = "uuid"
	event.Properties["time"].Format = "date-time"
	event.Properties["data"].Type = huma.TypeObject
	for _, t := range schemas.Catalogue.All() {
		all[t.Name] = schemas.JSONSchema(t)
		event.Properties["type"].Enum = append(event.Properties["type"].Enum, t.Name)
		event.OneOf = append(event.OneOf, &huma.Schema{Properties: map[string]*huma.Schema{
			"type": {Type: huma.TypeString, Enum: []any{t.Name}}, "data": {Ref: "#/components/schemas/" + t.Name}}})
	}
	all["Event"] = event
	fieldError := &huma.Schema{Type: huma.TypeObject, Required: []string{"location", "message"}, Properties: map[string]*huma.Schema{
		"location": text("where: id, source, data.minutes; event for the whole"), "message": text("what is wrong, and what is expected")}}
	result := &huma.Schema{Type: huma.TypeObject, Required: []string{"id", "status"}, Properties: map[string]*huma.Schema{
		"id":     text("as it was sent"),
		"status": {Type: huma.TypeString, Enum: []any{"accepted", "rejected"}},
		"retry":  {Type: huma.TypeBoolean, Description: "rejected for the moment only: send it again"},
		"errors": {Type: huma.TypeArray, Items: fieldError}}}
	all["EventResults"] = &huma.Schema{Type: huma.TypeObject, Required: []string{"results"}, Properties: map[string]*huma.Schema{
		"results": {Type: huma.TypeArray, Description: "one for each event, in the order sent", Items: result}}}
	all["Refusal"] = &huma.Schema{Type: huma.TypeObject, Required: []string{"title", "status", "detail"}, Properties: map[string]*huma.Schema{
		"title": text(""), "status": {Type: huma.TypeInteger}, "detail": text("")}}

	ref := func(name string) *huma.Schema { return &huma.Schema{Ref: "#/components/schemas/" + name} }
	responses := map[string]*huma.Response{}
	for _, a := range answers {
		r := &huma.Response{Description: a.meaning.EN + " " + a.todo.EN, Content: map[string]*huma.MediaType{"application/json": {Schema: ref("EventResults")}}}
		switch a.status {
		case http.StatusAccepted, http.StatusUnprocessableEntity, http.StatusServiceUnavailable:
		default:
			r.Content = map[string]*huma.MediaType{"application/problem+json": {Schema: ref("Refusal")}}
		}
		if a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable {
			r.Headers = map[string]*huma.Param{"Retry-After": {Description: "seconds", Schema: &huma.Schema{Type: huma.TypeInteger}}}
		}
		responses[strconv.Itoa(a.status)] = r
	}
	example := schemas.Catalogue.Of(schemas.CaseConsultation)[0]
	one := json.RawMessage(pretty(exampleEvent(example)))
	maxItems, minItems := maxBatchEvents, 1
	post := &huma.Operation{OperationID: "events-post", Summary: "Takes one event or a batch", Tags: []string{"ingest"}, Responses: responses,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			eventMediaType: {Schema: ref("Event"), Example: one},
			batchMediaType: {Schema: &huma.Schema{Type: huma.TypeArray, Items: ref("Event"), MinItems: &minItems, MaxItems: &maxItems,
				Description: fmt.Sprintf("at most %d events and %d bytes", maxBatchEvents, maxBatchBytes)}}}}}
	if doc.Paths[eventsPath] == nil {
		doc.Paths[eventsPath] = &huma.PathItem{}
	}
	doc.Paths[eventsPath].Post = post
	eventType := &huma.Schema{Type: huma.TypeObject, Required: []string{"name", "case", "title", "figures", "schema", "example"}, Properties: map[string]*huma.Schema{
		"name": text("the type's full name"), "case": text(""), "clause": text("of the 2018 rules"),
		"title":   {Type: huma.TypeObject, Required: []string{"zh", "en"}, Properties: map[string]*huma.Schema{"zh": text(""), "en": text("")}},
		"figures": {Type: huma.TypeArray, Items: text(""), Description: "codes of the indicators that an event of the type can change"},
		"schema":  {Type: huma.TypeObject, AdditionalProperties: true, Description: "JSON Schema of the data"},
		"example": {Type: huma.TypeObject, AdditionalProperties: true, Description: "an example of the data"}}}
	doc.Paths[eventTypesPath] = &huma.PathItem{Get: &huma.Operation{OperationID: "event-types", Summary: "What every type of event holds, with JSON Schema and example", Tags: []string{"ingest"},
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject,
			Required: []string{"event_types"}, Properties: map[string]*huma.Schema{"event_types": {Type: huma.TypeArray, Items: eventType}}}}}}}}}
}

// gap stands between two sentences.
func (p phrases) gap() string {
	if p == english {
		return " "
	}
	return ""
}
