package schemas

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// A word is a field name that means the same in every payload. It adds to the
// field's schema what a pattern cannot say.
type word struct {
	pattern string              // the pattern in words
	check   func(string) string // what is wrong with a value that matches the pattern, or ""
	private bool                // may hold personal data: never repeated in a message
	sealed  bool                // may come sealed, longer than its text
}

var words = map[string]word{
	"lawyer":    {"the 17 digits of a licence (执业证号)", checkLicence, false, false},
	"licence":   {"the 17 digits of a licence (执业证号)", checkLicence, false, false},
	"code":      {"a station code, for example 220182-court", checkStation, false, false},
	"division":  {"a division code, for example 220182", checkDivision, false, false},
	"location":  {"a division code, for example 220182", checkDivision, false, false},
	"reporting": {"a division code, for example 220182", checkDivision, false, false},
	"person":    {"a pseudonym: a letter or digit, then up to 63 letters, digits, or . _ : / -", checkPseudonym, true, false},
	"question":  {private: true, sealed: true},
	"answer":    {private: true, sealed: true},
}

func checkLicence(s string) string {
	_, err := ParseLicence(s)
	return message(err)
}

func checkStation(s string) string {
	_, err := ParseStationCode(s)
	return message(err)
}

func checkDivision(s string) string {
	if _, ok := Divisions.Get(DivisionCode(s)); !ok {
		return fmt.Sprintf("%q is not a division of the province", s)
	}
	return ""
}

func checkPseudonym(s string) string {
	if looksLikeIdentityNumber(s) {
		return "looks like an identity card number; send a pseudonym that only the station can resolve"
	}
	return ""
}

func message(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

// payloadSchema is the compiled schema of one payload struct.
type payloadSchema struct {
	payload  any // an empty one, to tell types apart
	registry huma.Registry
	schema   *huma.Schema
	fields   []payloadField // in the struct's order
}

type payloadField struct {
	name     string
	schema   *huma.Schema
	required bool
	word     word
}

// payloadSchemas compiles the schemas of the catalogue, once.
var payloadSchemas = sync.OnceValue(func() map[*EventType]*payloadSchema {
	m := map[*EventType]*payloadSchema{}
	for _, t := range Catalogue.All() {
		m[t] = newPayloadSchema(t)
	}
	return m
})

func newPayloadSchema(t *EventType) *payloadSchema {
	payload := reflect.TypeOf(t.Payload()).Elem()
	registry := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	p := &payloadSchema{payload: t.Payload(), registry: registry, schema: huma.SchemaFromType(registry, payload)}
	for i := range payload.NumField() {
		name, options, _ := strings.Cut(payload.Field(i).Tag.Get("json"), ",")
		f := payloadField{name: name, schema: p.schema.Properties[name], required: !strings.Contains(options, "omitempty")}
		if len(f.schema.Enum) == 0 { // a list of values says itself what is expected
			f.word = words[name]
		}
		if s := f.schema; s.Items != nil && s.Items.Ref != "" { // a list of objects is described in its place
			s.Items = registry.SchemaFromRef(s.Items.Ref)
		}
		if longest, err := strconv.Atoi(payload.Field(i).Tag.Get("itemMaxLength")); err == nil {
			f.schema.Items.MinLength, f.schema.Items.MaxLength = new(1), &longest
		}
		f.schema.Nullable = false // an optional field is left out, not null
		if f.schema.Pattern != "" {
			f.schema.PatternDescription = f.word.pattern
		}
		f.schema.PrecomputeMessages()
		p.fields = append(p.fields, f)
	}
	return p
}

// JSONSchema is the published schema of the type's data. The data of a
// correction is that of any type of the case that records a fact.
func JSONSchema(t *EventType) *huma.Schema {
	s := newPayloadSchema(t).schema
	s.Title = t.Title.ZH + " " + t.Title.EN
	for _, field := range s.Properties {
		field.UniqueItems = isChecklist(field)
	}
	if data, ok := s.Properties["data"]; ok && t.Verb == "corrected" {
		for _, fact := range factTypes(t.Case) {
			data.AnyOf = append(data.AnyOf, JSONSchema(fact))
		}
	}
	return s
}

// isChecklist tells whether a field is a list of words, each at most once. huma's
// own check of that ends in a panic when an item is a list or an object, so the
// schemas that events are checked by do not ask for it; see repeated.
func isChecklist(s *huma.Schema) bool { return s.Items != nil && len(s.Items.Enum) > 0 }

// repeated finds a word that stands twice in a list.
func repeated(list []any) (string, bool) {
	for i, v := range list {
		if word, ok := v.(string); ok && slices.Contains(list[:i], v) {
			return word, true
		}
	}
	return "", false
}

// factTypes lists the types of a case that are not about another event.
func factTypes(kind CaseKind) []*EventType {
	var out []*EventType
	for _, t := range Catalogue.Of(kind) {
		if !t.Meta() {
			out = append(out, t)
		}
	}
	return out
}

// check compares fields with the schema. It returns what is wrong and takes
// the values that are out of fields, so that rules over several fields can be
// checked too. at is the place of the object, "data" or "data.data".
func (p *payloadSchema) check(at string, fields members) []FieldError {
	v := validations.Get().(*validation)
	defer validations.Put(v)
	var errs []FieldError
	known := 0
	for i := range p.fields {
		f := &p.fields[i]
		m := fields.find(f.name)
		if m == nil {
			if f.required {
				errs = append(errs, FieldError{at + "." + f.name, "is required: " + f.expected()})
			}
			continue
		}
		known++
		if wrong := p.checkField(v, at, f, m.value); len(wrong) > 0 {
			errs = append(errs, wrong...)
			m.value = unsound{}
		}
	}
	if known < len(fields) {
		errs = append(errs, p.unknown(at, fields)...)
	}
	return errs
}

// unsound stands for a value that is wrong.
type unsound struct{}

func (p *payloadSchema) checkField(v *validation, at string, f *payloadField, value any) []FieldError {
	if value == nil {
		return []FieldError{{at + "." + f.name, "null is not a value; leave the field out or give " + f.expected()}}
	}
	if s, ok := value.(string); ok && f.word.sealed && IsSealed(s) {
		return nil
	}
	v.path.Reset()
	v.result.Reset()
	v.path.Push(at)
	v.path.Push(f.name)
	huma.Validate(p.registry, f.schema, &v.path, huma.ModeWriteToServer, value, &v.result)
	if len(v.result.Errors) == 0 {
		if s, ok := value.(string); ok && f.word.check != nil {
			if wrong := f.word.check(s); wrong != "" {
				return []FieldError{{at + "." + f.name, wrong}}
			}
		}
		if list, ok := value.([]any); ok && isChecklist(f.schema) {
			if word, twice := repeated(list); twice {
				return []FieldError{{at + "." + f.name, fmt.Sprintf("%q stands twice", word)}}
			}
		}
		return nil
	}
	var errs []FieldError
	for _, err := range v.result.Errors {
		var d *huma.ErrorDetail
		if errors.As(err, &d) {
			errs = append(errs, FieldError{d.Location, d.Message + f.found(d.Value)})
		}
	}
	return errs
}

// validation holds what one use of huma's validator needs.
type validation struct {
	path   huma.PathBuffer
	result huma.ValidateResult
}

var validations = sync.Pool{New: func() any { return new(validation) }}

// unknown names the fields that the schema does not have. Names are compared
// exactly: encoding/json would take "Lawyer" for "lawyer".
func (p *payloadSchema) unknown(at string, fields members) []FieldError {
	var errs []FieldError
	for _, m := range fields {
		name := m.name
		if _, ok := p.schema.Properties[name]; ok {
			continue
		}
		msg := "is not a field of this type"
		for _, f := range p.fields {
			if strings.EqualFold(f.name, name) {
				msg += "; it is written " + f.name
			}
		}
		errs = append(errs, FieldError{at + "." + shorten(name), msg})
	}
	return errs
}

// expected says what the field holds.
func (f *payloadField) expected() string {
	switch s := f.schema; {
	case len(s.Enum) > 0:
		return "one of " + strings.Trim(fmt.Sprint(s.Enum), "[]")
	case f.word.pattern != "":
		return f.word.pattern
	case s.Format == "uuid" || s.Format == "date-time":
		return "a " + s.Format
	case s.Type != "":
		return "a value of type " + s.Type
	}
	return "the whole new data"
}

// found repeats a value that is wrong, if it is short and not private.
func (f *payloadField) found(value any) string {
	if f.word.private {
		return ""
	}
	switch v := value.(type) {
	case string:
		return fmt.Sprintf(", found %q", shorten(v))
	case float64, bool:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return ", found " + string(b)
	case nil:
		return ", found null"
	case map[string]any:
		return ", found an object"
	case []any:
		return fmt.Sprintf(", found an array of %d", len(v))
	}
	return ""
}
