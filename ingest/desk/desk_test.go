package desk

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"zhiban/schemas"
)

func handler() http.Handler {
	r := mux.NewRouter()
	New(Config{Docs: "/api/openapi.json"}).Register(r)
	return r
}

func get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		path   string
		status int
		want   string
	}{
		{"/desk", 200, "值班登记台"},
		{"/desk/", 200, "值班登记台"},
		{"/desk?lang=en", 200, "Station desk"},
		{"/desk/220182-court", 200, "值班登记台"},
		{"/desk/22CB00-detention-2", 200, "值班登记台"},
		{"/desk/999999-court", 404, "值班登记台"},
		{"/desk/sw.js", 200, "const version = '"},
		{"/desk/manifest.webmanifest", 200, `"scope":"/desk"`},
		{"/desk/static/0/desk.js", 200, "store.js"},
		{"/desk/static/0/sw.js", 404, ""},
		{"/desk/static/0/none.js", 404, ""},
	} {
		w := get(t, tt.path)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: %d, expected %d and %q", tt.path, w.Code, tt.status, tt.want)
		}
		if csp := w.Header().Get("Content-Security-Policy"); tt.status == 200 && (!strings.Contains(csp, "script-src 'self';") || strings.Contains(csp, "unsafe")) {
			t.Errorf("%s has policy %q", tt.path, csp)
		}
	}
	if scope := get(t, "/desk/sw.js").Header().Get("Service-Worker-Allowed"); scope != "/desk" {
		t.Errorf("the service worker may serve %q", scope)
	}
}

func TestWithoutScriptThePageSaysSo(t *testing.T) {
	body := get(t, "/desk").Body.String()
	noscript := regexp.MustCompile(`(?s)<noscript>.*</noscript>`).FindString(body)
	if !strings.Contains(noscript, "登记需要启用脚本") || !strings.Contains(noscript, `href="/api/openapi.json"`) {
		t.Errorf("without script: %s", noscript)
	}
}

func TestTheWorkerKeepsWhatThePageNeeds(t *testing.T) {
	list := regexp.MustCompile(`const files = (\[.*\]);`).FindStringSubmatch(get(t, "/desk/sw.js").Body.String())
	if list == nil {
		t.Fatal("no list of files")
	}
	var kept []string
	if err := json.Unmarshal([]byte(list[1]), &kept); err != nil {
		t.Fatal(err)
	}
	for _, path := range kept {
		if w := get(t, path); w.Code != 200 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="(/desk/[^"]+)"`).FindAllStringSubmatch(get(t, "/desk").Body.String(), -1) {
		if !slices.Contains(kept, m[1]) {
			t.Errorf("the page needs %s, which is not kept", m[1])
		}
	}
}

// The forms follow the payloads: every field is of the type's schema with
// exactly its values, and every field of the schema is entered, set by the desk
// or left out for a reason.
func TestFormsAgreeWithTheCatalogue(t *testing.T) {
	leftOut := map[string]bool{
		"zhiban.consultation.recorded.v1 question": true, // sealed texts belong to the station's own system
		"zhiban.consultation.recorded.v1 answer":   true,
		"zhiban.consultation.recorded.v1 shift":    true, // set by the desk
	}
	for _, f := range forms {
		et, err := schemas.Catalogue.Lookup(f.Type)
		if err != nil {
			t.Error(err)
			continue
		}
		schema := schemas.JSONSchema(et)
		entered := map[string]bool{"lawyer": f.Lawyer}
		for _, field := range f.Fields {
			entered[field.Name] = true
			s := schema.Properties[field.Name]
			if s == nil {
				t.Errorf("%s has no field %s", f.Type, field.Name)
				continue
			}
			required := slices.Contains(schema.Required, field.Name)
			if required != field.Required && field.Kind != Flag {
				t.Errorf("%s.%s: required %v, in the form %v", f.Type, field.Name, required, field.Required)
			}
			want := map[FieldKind]string{Choice: "string", YesNo: "boolean", Flag: "boolean", Chips: "array", Person: "string", Minutes: "integer", Count: "integer", Line: "string"}[field.Kind]
			if s.Type != want {
				t.Errorf("%s.%s is a %s, in the form a %s", f.Type, field.Name, s.Type, field.Kind)
			}
			if s.MaxLength != nil && *s.MaxLength != field.Max {
				t.Errorf("%s.%s has at most %d letters, in the form %d", f.Type, field.Name, *s.MaxLength, field.Max)
			}
			if field.Kind == Choice {
				var values []any
				for _, o := range field.Options {
					values = append(values, o.Value)
				}
				if !slices.Equal(values, s.Enum) {
					t.Errorf("%s.%s has values %v, in the form %v", f.Type, field.Name, s.Enum, values)
				}
			}
		}
		for name := range schema.Properties {
			if !entered[name] && !leftOut[f.Type+" "+name] {
				t.Errorf("%s.%s is not entered", f.Type, name)
			}
		}
	}
}

// Which triggers an organ has stands in schemas; the form must offer these and
// no others.
func TestTriggersOfOrgans(t *testing.T) {
	var organ, trigger Field
	for _, f := range forms {
		for _, field := range f.Fields {
			switch field.Name {
			case "organ":
				organ = field
			case "trigger":
				trigger = field
			}
		}
	}
	for _, o := range organ.Options {
		for _, tr := range trigger.Options {
			data, err := json.Marshal(map[string]any{"organ": o.Value, "trigger": tr.Value, "person": "p-1", "in_custody": true})
			if err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(schemas.Envelope{SpecVersion: "1.0", ID: uuid.NewString(), Source: "/stations/220182-court", Type: "zhiban.notification.triggered.v1",
				Subject: "notification/" + uuid.NewString(), Time: "2026-09-01T08:31:00+08:00", Data: data})
			if err != nil {
				t.Fatal(err)
			}
			_, _, errs := schemas.Validate(raw)
			offered := slices.Contains(strings.Split(strings.TrimPrefix(tr.When, "organ="), "|"), o.Value)
			if allowed := len(errs) == 0; allowed != offered {
				t.Errorf("%s %s: allowed %v, offered %v", o.Value, tr.Value, allowed, offered)
			}
		}
	}
}

func TestEveryMessageIsThereAndUsed(t *testing.T) {
	var source strings.Builder
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		source.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := source.String()
	for _, m := range regexp.MustCompile(`\bt\('([a-z_.0-9]+[a-z0-9])'|\{\{t "([^"]+)"|'(wrong\.[a-z._]+|server\.[a-z]+)'`).FindAllStringSubmatch(all, -1) {
		key := m[1] + m[2] + m[3]
		if _, ok := messages[key]; !ok {
			t.Errorf("message %q is missing", key)
		}
	}
	composed := regexp.MustCompile(`^(site|site\.short|kind|weekday|state|tab|unsent|place)\b`)
	for key, m := range messages {
		if m.ZH == "" || m.EN == "" {
			t.Errorf("message %q is not in both languages", key)
		}
		if strings.Count(m.ZH, "%s") != strings.Count(m.EN, "%s") && key != "today.count" {
			t.Errorf("message %q takes different values in its languages", key)
		}
		if !strings.Contains(all, "'"+key+"'") && !strings.Contains(all, `"`+key+`"`) && !composed.MatchString(key) {
			t.Errorf("message %q is not used", key)
		}
	}
}

func TestEveryRouteHasItsRule(t *testing.T) {
	router := mux.NewRouter()
	New(Config{}).Register(router)
	rules := Rules()
	if err := router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		methods, err := route.GetMethods()
		if err != nil {
			return nil // the subrouter
		}
		path, err := route.GetPathTemplate()
		for _, m := range methods {
			if _, ok := rules[m+" "+path]; !ok && m != http.MethodHead {
				t.Errorf("%s %s has no rule", m, path)
			}
			delete(rules, m+" "+path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for route := range rules {
		t.Errorf("there is no route %s", route)
	}
}
