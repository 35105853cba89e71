package assets_test

import (
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"zhiban/dashboard/assets"
)

func newServer(t *testing.T, extra ...fs.FS) *assets.Server {
	t.Helper()
	s, err := assets.New(extra...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(t *testing.T, h http.Handler, url string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func url(t *testing.T, s *assets.Server, name string) string {
	t.Helper()
	u, err := s.URL(name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAddressesChangeWithTheContent(t *testing.T) {
	one := newServer(t, fstest.MapFS{"app.js": {Data: []byte("1")}})
	two := newServer(t, fstest.MapFS{"app.js": {Data: []byte("2")}})
	a, b := url(t, one, "app.js"), url(t, two, "app.js")
	if a == b {
		t.Errorf("both are %s", a)
	}
	if !regexp.MustCompile(`^/assets/app\.[0-9a-f]{8}\.js$`).MatchString(a) {
		t.Errorf("address %s", a)
	}
	if got := url(t, one, "map/220100.json"); !regexp.MustCompile(`^/assets/map/220100\.[0-9a-f]{8}\.json$`).MatchString(got) {
		t.Errorf("address %s", got)
	}
	if _, err := one.URL("map/22CB00.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a division without a map: %v", err)
	}
}

func TestOnlyTheAddressOfTheContentIsKeptForEver(t *testing.T) {
	s := newServer(t, fstest.MapFS{"app.css": {Data: []byte("body{}")}, "lib.1234abcd.css": {Data: []byte("p{}")}})
	current := url(t, s, "app.css")
	for _, tt := range []struct {
		url, cache string
		status     int
	}{
		{current, "public, max-age=31536000, immutable", http.StatusOK},
		{"/assets/app.css", "no-cache", http.StatusOK},
		{"/assets/app.00000000.css", "no-cache", http.StatusOK},
		{"/assets/lib.1234abcd.css", "no-cache", http.StatusOK},
		{"/assets/none.css", "", http.StatusNotFound},
		{"/assets/", "", http.StatusNotFound},
		{"/assets/map", "", http.StatusNotFound},
		{"/assets/../pptxgen.js", "", http.StatusNotFound},
	} {
		resp := get(t, s, tt.url)
		if resp.StatusCode != tt.status || resp.Header.Get("Cache-Control") != tt.cache {
			t.Errorf("%s: %s, Cache-Control %q; want %d, %q", tt.url, resp.Status, resp.Header.Get("Cache-Control"), tt.status, tt.cache)
		}
	}
	etag := get(t, s, "/assets/app.css").Header.Get("ETag")
	if resp := get(t, s, "/assets/app.css", "If-None-Match", etag); resp.StatusCode != http.StatusNotModified {
		t.Errorf("asked again with the ETag: %s", resp.Status)
	}
}

func TestTextIsCompressedForThoseWhoAcceptIt(t *testing.T) {
	s := newServer(t)
	u := url(t, s, "echarts.min.js")
	plain := get(t, s, u)
	want := body(t, plain.Body)
	if enc := plain.Header.Get("Content-Encoding"); enc != "" {
		t.Errorf("unasked Content-Encoding %q", enc)
	}
	if enc := get(t, s, u, "Accept-Encoding", "br, gzip;q=0").Header.Get("Content-Encoding"); enc != "" {
		t.Errorf("refused Content-Encoding %q", enc)
	}
	packed := get(t, s, u, "Accept-Encoding", "br, gzip;q=0.5")
	zr, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, zr); got != want {
		t.Errorf("%d bytes come out, want the %d of the file", len(got), len(want))
	}
	if plain.Header.Get("ETag") == packed.Header.Get("ETag") || packed.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("caches cannot tell the two apart: %v", packed.Header)
	}
}

func TestBrowsersGetWhatIsForThemAlone(t *testing.T) {
	s := newServer(t)
	for name, want := range map[string]string{
		"echarts.min.js":  "text/javascript; charset=utf-8",
		"map/220000.json": "application/json",
		"THIRD-PARTY.txt": "text/plain; charset=utf-8",
		"pptxgen.js":      "",
		"axe.min.js":      "",
		"stamp":           "",
	} {
		resp := get(t, s, "/assets/"+name)
		if (resp.StatusCode == http.StatusOK) != (want != "") {
			t.Errorf("%s: %s", name, resp.Status)
		} else if got := resp.Header.Get("Content-Type"); want != "" && got != want {
			t.Errorf("%s: Content-Type %q, want %q", name, got, want)
		}
	}
}

func TestAnOperatorsMapTakesThePlaceOfOurs(t *testing.T) {
	s := newServer(t, fstest.MapFS{}, fstest.MapFS{"map/220100.json": {Data: []byte("{}")}})
	if got := body(t, get(t, s, url(t, s, "map/220100.json")).Body); got != "{}" {
		t.Errorf("the map is %.40s…", got)
	}
}

func TestNoticesNameWhatIsBuiltIn(t *testing.T) {
	text := body(t, get(t, newServer(t), "/assets/THIRD-PARTY.txt").Body)
	for _, want := range []string{"echarts 6.1.0 (Apache-2.0)", "Mike Bostock", "zrender 6.1.0 (BSD-3-Clause)", "pptxgenjs 4.0.1 (MIT)", "AMap"} {
		if !strings.Contains(text, want) {
			t.Errorf("THIRD-PARTY.txt does not contain %q", want)
		}
	}
}
