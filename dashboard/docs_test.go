package dashboard

import (
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zhiban/ingest"
	"zhiban/schemas"
)

// referencePages are the addresses of the two references.
var referencePages = map[string]string{"reference": "/docs/events", "api": "/docs/api"}

func TestTheReferenceHoldsEveryTypeWithItsFieldsAndAValidExample(t *testing.T) {
	s := newServer(t, newFake())
	for _, lang := range languages {
		code, _, body := get(t, s, "/docs/events?lang="+lang)
		if code != http.StatusOK {
			t.Fatalf("%d %.500s", code, body)
		}
		for _, typ := range schemas.Catalogue.All() {
			_, section, ok := strings.Cut(body, `<article class="type" id="`+typ.Name+`">`)
			section, _, _ = strings.Cut(section, "</article>")
			if !ok || !strings.Contains(section, typ.Title.In(lang)) || !strings.Contains(section, typ.Clause) {
				t.Fatalf("%s: no section, title or clause", typ.Name)
			}
			for _, ind := range typ.Figures() {
				if !strings.Contains(section, `#term-`+string(ind.Code)+`">`+html.EscapeString(ind.Name.In(lang))+`</a>`) {
					t.Errorf("%s does not lead to %s", typ.Name, ind.Code)
				}
			}
			for name, field := range schemas.JSONSchema(typ).Properties {
				if !strings.Contains(section, `<th scope="row"><code>`+name+`</code>`) {
					t.Errorf("%s lacks %s", typ.Name, name)
				}
				for _, value := range enum(field) {
					if !strings.Contains(section, `<code>`+value+`</code>`) {
						t.Errorf("%s: %s lacks %s", typ.Name, name, value)
					}
				}
			}
			found := regexp.MustCompile(`(?s)<pre class="code" data-example="[^"]*">(.*?)</pre>`).FindStringSubmatch(section)
			if found == nil {
				t.Fatalf("%s has no example", typ.Name)
			}
			if _, _, errs := schemas.Validate([]byte(html.UnescapeString(found[1]))); len(errs) > 0 {
				t.Errorf("the example of %s is wrong: %v\n%s", typ.Name, errs, found[1])
			}
		}
		if strings.Contains(body, "%!") || strings.Contains(body, "ZgotmplZ") {
			t.Error("a phrase or a value is broken")
		}
		for _, id := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(body, -1) {
			if !strings.Contains(body, `id="`+id[1]+`"`) {
				t.Errorf("a link leads to #%s, which is not there", id[1])
			}
		}
	}
}

func TestTheChineseReferenceIsInChinese(t *testing.T) {
	v := &visit{phrases: chinese}
	sentence := regexp.MustCompile(`[a-z]{3,} [a-z]{2,}`)
	for _, typ := range schemas.Catalogue.All() {
		for _, f := range v.referenceType(typ).Fields {
			if !isHan(f.Label) {
				t.Errorf("%s: %s has no Chinese name: give it field.%[2]s in messages", typ.Name, f.Name)
			}
			for _, text := range append(f.Limits, f.Note) {
				if sentence.MatchString(text) {
					t.Errorf("%s: %s is explained in English, %q: translate it in docWords", typ.Name, f.Name, text)
				}
			}
			for _, value := range f.Values {
				if !isHan(value.Text) {
					t.Errorf("%s: the value %s of %s has no Chinese term: list it in the field's doc, or in valueWords", typ.Name, value.Code, f.Name)
				}
			}
		}
	}
	for _, kind := range schemas.Catalogue.Cases() {
		if _, ok := messages["case."+string(kind)]; !ok {
			t.Errorf("case.%s is not in messages", kind)
		}
	}
}

// What goes together is asked of the validation, not written down again.
func TestTheReferenceSaysWhichOrgansHaveWhichDuties(t *testing.T) {
	typ, err := schemas.Catalogue.Lookup("zhiban.notification.triggered.v1")
	if err != nil {
		t.Fatal(err)
	}
	rules := (&visit{phrases: english}).referenceType(typ).Rules
	if !slices.Contains(rules, "where organ is court, trigger is one of accepted, retrial") || len(rules) != 4 {
		t.Errorf("rules %q", rules)
	}
}

// A type that has a later version stays in the reference and points there.
func TestAnOldTypeLeadsToItsSuccessor(t *testing.T) {
	for _, typ := range schemas.Catalogue.All() {
		rules := (&visit{phrases: english}).referenceType(typ).Rules
		later := successor(typ)
		points := later != nil && slices.ContainsFunc(rules, func(rule string) bool { return strings.Contains(rule, later.Name) })
		if later != nil && !points || later != nil && later.Verb != typ.Verb {
			t.Errorf("%s has %s after it and does not say so", typ.Name, later.Name)
		}
	}
}

func TestTheReferenceAgreesWithIngest(t *testing.T) {
	if eventsPath != ingest.EventsPath || eventTypesPath != ingest.EventTypesPath || eventMediaType != ingest.EventMediaType || batchMediaType != ingest.BatchMediaType ||
		maxBatchEvents != ingest.MaxBatchEvents || maxBatchBytes != ingest.MaxBatchBytes {
		t.Error("paths, media types or limits differ from those of ingest")
	}
	// Every attribute that is said to be required is, and no other.
	typ := schemas.Catalogue.All()[0]
	for _, a := range attributes {
		b, err := json.Marshal(exampleEvent(typ))
		if err != nil {
			t.Fatal(err)
		}
		var env map[string]any
		if err := json.Unmarshal(b, &env); err != nil {
			t.Fatal(err)
		}
		delete(env, a.name)
		b, err = json.Marshal(env)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, errs := schemas.Validate(b); len(errs) > 0 != a.required {
			t.Errorf("without %s: %v", a.name, errs)
		}
	}
}

func TestEveryTypeHasItsSchemaAtAnAddress(t *testing.T) {
	s := newServer(t, newFake())
	for _, typ := range schemas.Catalogue.All() {
		code, header, body := get(t, s, "/docs/events/"+typ.Name+".schema.json")
		var schema struct {
			Schema     string `json:"$schema"`
			Properties map[string]any
		}
		if err := json.Unmarshal([]byte(body), &schema); err != nil || code != http.StatusOK || header.Get("Content-Type") != "application/schema+json" {
			t.Fatalf("%s: %d %s %v", typ.Name, code, header.Get("Content-Type"), err)
		}
		if schema.Schema == "" || len(schema.Properties) != len(fieldNames(typ)) {
			t.Errorf("%s: %s", typ.Name, body)
		}
	}
	if code, _, _ := get(t, s, "/docs/events/zhiban.nothing.done.v1.schema.json"); code != http.StatusNotFound {
		t.Errorf("unknown type: %d", code)
	}
}

func TestTheAPIPageHoldsEveryOperation(t *testing.T) {
	s := newServer(t, newFake())
	_, _, spec := get(t, s, "/api/openapi.json")
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name string }
			Responses   map[string]any
		}
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal([]byte(spec), &d); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{ingest.EventsPath, ingest.EventTypesPath} {
		if d.Paths[path] == nil {
			t.Errorf("%s is not described", path)
		}
	}
	for _, ref := range regexp.MustCompile(`"\$ref": ?"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(spec, -1) {
		if d.Components.Schemas[ref[1]] == nil {
			t.Errorf("%s is referred to and not there", ref[1])
		}
	}
	for _, lang := range languages {
		code, _, body := get(t, s, "/docs/api?lang="+lang)
		if code != http.StatusOK || strings.Contains(body, "%!") {
			t.Fatalf("%d %.500s", code, body)
		}
		for path, item := range d.Paths {
			for method, op := range item {
				_, section, ok := strings.Cut(body, `id="`+op.OperationID+`"`)
				section, _, _ = strings.Cut(section, "</section>")
				if !ok || !strings.Contains(section, strings.ToUpper(method)) || !strings.Contains(section, path) || !strings.Contains(section, "curl ") {
					t.Errorf("%s %s is not on the page", method, path)
				}
				for _, p := range op.Parameters {
					if !strings.Contains(section, "<code>"+p.Name+"</code>") {
						t.Errorf("%s %s lacks %s", method, path, p.Name)
					}
				}
				for status := range op.Responses {
					if !strings.Contains(section, "<code>"+status+"</code>") {
						t.Errorf("%s %s lacks the answer %s", method, path, status)
					}
				}
			}
		}
	}
}

func TestTheChineseAPIPageIsInChinese(t *testing.T) {
	_, _, body := get(t, newServer(t, newFake()), "/docs/api")
	_, body, _ = strings.Cut(body, "<main")
	for _, m := range regexp.MustCompile(`>([^<>]*[a-z]{2,} [a-z]{2,}[^<>]*)</(td|p|h2|a|li|small)>`).FindAllStringSubmatch(body, -1) {
		t.Errorf("in English: %q; translate it in docWords", html.UnescapeString(m[1]))
	}
}

func TestEveryPageLeadsToTheReferences(t *testing.T) {
	s := newServer(t, newFake())
	_, _, body := get(t, s, "/docs/indicators?lang=en")
	main, footer, _ := strings.Cut(body, "<footer")
	for _, part := range []string{main, footer} {
		for _, path := range referencePages {
			if !strings.Contains(part, `href="`+path+`?lang=en"`) {
				t.Errorf("no link to %s", path)
			}
		}
	}
}

func TestReferencesInABrowser(t *testing.T) {
	b := newBrowser(t, serve(t, newFake()))
	for name, path := range referencePages {
		b.open(path)
		b.fits(name)
		b.accessible(name)
		b.clean(name)
	}
	b.scheme("dark")
	for name, path := range referencePages {
		b.open(path)
		b.accessible(name + " in the dark")
	}
	b.scheme("light")
	b.size(390, 844, true)
	for name, path := range referencePages {
		b.open(path)
		b.fits(name + " on a phone")
		b.clean(name + " on a phone")
	}
}
