package schemas

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// published is a type as its golden file shows it.
type published struct {
	Name    string          `json:"name"`
	Title   Text            `json:"title"`
	Clause  string          `json:"clause,omitempty"`
	Schema  json.RawMessage `json:"schema"`
	Example json.RawMessage `json:"example"`
}

// The payload struct, the published schema and the example of each type say
// the same; testdata/types shows the schema to those who review a change.
func TestStructSchemaAndExampleAgree(t *testing.T) {
	for _, typ := range Catalogue.All() {
		t.Run(typ.Name, func(t *testing.T) {
			schema := JSONSchema(typ)

			payload, err := typ.Decode(json.RawMessage(typ.Example))
			if err != nil {
				t.Fatalf("the example does not fit the struct: %v", err)
			}
			written, err := json.Marshal(payload)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tree(t, []byte(typ.Example)), tree(t, written)); d != "" {
				t.Errorf("the example is not what its struct writes (-example +struct):\n%s", d)
			}

			registry := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
			var res huma.ValidateResult
			var path huma.PathBuffer
			compiled := JSONSchema(typ)
			compiled.PrecomputeMessages()
			huma.Validate(registry, compiled, &path, huma.ModeWriteToServer, tree(t, []byte(typ.Example)), &res)
			for _, err := range res.Errors {
				t.Errorf("the example does not fit the schema: %v", err)
			}

			if errs := validate(exampleEvent(typ)); errs != nil {
				t.Errorf("the example in an envelope is rejected: %q", errs)
			}

			b, err := json.Marshal(schema)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("types", typ.Name+".json"), published{typ.Name, typ.Title, typ.Clause, b, json.RawMessage(typ.Example)})
		})
	}
}

// What was in the log once stays readable: a golden file whose type is gone
// from the catalogue is an error, and so is an old example that is rejected.
func TestEveryTypeEverPublishedIsReadable(t *testing.T) {
	files, err := filepath.Glob("testdata/types/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var p published
		if err := json.Unmarshal(b, &p); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		typ, err := Catalogue.Lookup(p.Name)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if _, err := typ.Decode(p.Example); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if len(files) < len(Catalogue.All()) {
		t.Errorf("%d golden files for %d types; run go test ./schemas -update", len(files), len(Catalogue.All()))
	}
}

// An event of an old version is read as the newest, in corrections too.
func TestOldVersionsAreReadAsTheNewest(t *testing.T) {
	v1, err := Catalogue.Lookup("zhiban.training.attended.v1")
	if err != nil {
		t.Fatal(err)
	}
	want := &TrainingAttendedV2{Lawyer: "12201201810123456", Topic: "procedure", Minutes: 90}
	data := json.RawMessage(`{"lawyer":"12201201810123456","topic":"procedure","hours":1.5}`)
	got, err := v1.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(any(want), got); d != "" {
		t.Errorf("read (-want +got):\n%s", d)
	}
	got, ok := v1.fits(data)
	if d := cmp.Diff(any(want), got); d != "" || !ok {
		t.Errorf("as a correction (-want +got):\n%s", d)
	}
	got, ok = v1.fits(json.RawMessage(`{"lawyer":"12201201810123456","topic":"procedure","minutes":90}`))
	if d := cmp.Diff(any(want), got); d != "" || !ok {
		t.Errorf("as a correction in the newer version (-want +got):\n%s", d)
	}
	if _, err := Catalogue.Lookup("zhiban.training.attended.v3"); err == nil {
		t.Error("a version that does not exist is in the catalogue")
	}
}

func TestCatalogueRows(t *testing.T) {
	seen := map[string]bool{}
	for _, typ := range Catalogue.All() {
		if want := "zhiban." + string(typ.Case) + "." + typ.Verb + ".v"; !strings.HasPrefix(typ.Name, want) {
			t.Errorf("%s: the name does not begin with %s", typ.Name, want)
		}
		if seen[typ.Name] {
			t.Errorf("%s stands twice", typ.Name)
		}
		seen[typ.Name] = true
		if typ.Title.ZH == "" || typ.Title.EN == "" {
			t.Errorf("%s has no title in both languages", typ.Name)
		}
		if typ.Clause == "" && !typ.Meta() {
			t.Errorf("%s names no clause", typ.Name)
		}
	}
	for _, kind := range Catalogue.Cases() {
		for _, verb := range []string{"corrected", "voided"} {
			if can := seen["zhiban."+string(kind)+"."+verb+".v1"]; can == (kind == CaseReturn) { // a return is amended
				t.Errorf("a %s can be %s: %t", kind, verb, can)
			}
		}
	}
	if _, err := Catalogue.Lookup("zhiban.shift.slept.v1"); err == nil || !strings.Contains(err.Error(), "/api/v1/event-types") {
		t.Errorf("an unknown type: %v", err)
	}
}

// golden compares v, as indented JSON, with a file under testdata.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run go test ./schemas -update and review what it wrote", err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); d != "" {
		t.Errorf("differs from %s; if that is meant, run go test ./schemas -update (-file +now):\n%s", file, d)
	}
}

// No field of an event may be filled without end: every text has a bound or a
// closed form, also in lists, and so has every list.
func TestEveryTextIsBounded(t *testing.T) {
	var bounded func(s *huma.Schema) bool
	bounded = func(s *huma.Schema) bool {
		switch {
		case s.Type == huma.TypeString:
			return s.MaxLength != nil || s.Pattern != "" || s.Format != "" || len(s.Enum) > 0
		case s.Type == huma.TypeArray:
			return s.MaxItems != nil && bounded(s.Items)
		case s.Type == huma.TypeObject && len(s.Properties) == 0:
			return s.MaxProperties != nil
		}
		for _, part := range append(slices.Collect(maps.Values(s.Properties)), s.OneOf...) {
			if !bounded(part) {
				return false
			}
		}
		return s.Ref == ""
	}
	for _, typ := range Catalogue.All() {
		for name, field := range JSONSchema(typ).Properties {
			correction := typ.Verb == "corrected" && name == "data" // of the corrected type's shape
			if !correction && !bounded(field) {
				t.Errorf("%s: %s has no bound", typ.Name, name)
			}
		}
	}
}

func tree(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestIndicatorRows(t *testing.T) {
	for _, row := range Indicators.All() {
		if row.Name.ZH == "" || row.Name.EN == "" || row.Unit.ZH == "" || row.Definition.ZH == "" || row.Definition.EN == "" || row.Clause == "" {
			t.Errorf("%s is not described in full", row.Code)
		}
		needsOf := slices.Contains([]IndicatorKind{Distinct, Ratio, Mean, Overdue, Percentile}, row.Kind)
		if needsOf != (row.Of != "") || slices.Contains([]IndicatorKind{Ratio, Mean, Percentile}, row.Kind) != row.Divided() {
			t.Errorf("%s of kind %s is computed from %q over %q", row.Code, row.Kind, row.Of, row.Over)
		}
		for _, code := range row.Sources() {
			of, err := Indicators.Lookup(code)
			if addsUp := of.Kind == Additive || of.Kind == Overdue && row.Kind == Ratio; err != nil || !addsUp {
				t.Errorf("%s is computed from %s, which does not add up: %v", row.Code, code, err)
			}
		}
		if percentile := row.Kind == Percentile; percentile != (row.Quantile > 0 && row.Quantile < 1) || percentile != (row.Case != "") {
			t.Errorf("%s of kind %s is quantile %g of the cases of %q", row.Code, row.Kind, row.Quantile, row.Case)
		}
		if row.Rest && row.Kind != Ratio || (row.Lawyers || len(row.With) > 0) && row.Kind != Distinct {
			t.Errorf("%s of kind %s cannot be of a rest, of lawyers, or of several", row.Code, row.Kind)
		}
	}
}

// Only consultations and legal help name persons: nothing else counts them.
func TestPersonsAreNamedWhereTheyAreCounted(t *testing.T) {
	want := []IndicatorCode{Consultations, PleaAssistance, Affidavits, ClientMeetings, FileReviews, Opinions, CoerciveMeasures, ProcedureChoices}
	if diff := cmp.Diff(want, Indicators.Personal()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, Indicators.Posted(PersonsHelped)); diff != "" {
		t.Errorf("people helped are of (-want +got):\n%s", diff)
	}
}
