// Package desk is the station desk, /desk: where station lawyers and clerks
// enter what happens, on a computer or a phone, with or without a network.
//
// The server's part is small: one page in two languages, made from the tables
// of this package ([forms], messages) and from schemas, and the files beside
// it. The page's script makes CloudEvents of what is entered and posts them to
// /api/v1/events of the same origin. Nothing about entries passes through this
// package.
//
// # On the device
//
//	static/rules.js  ids, times, deadlines, what may stand in a field; pure
//	static/store.js  the ledger of the device, in IndexedDB
//	static/queue.js  sends what waits, in the order of each case, until the
//	                 server has answered for every event
//	static/desk.js   the page
//	static/sw.js     the service worker: opens the page without a network
//
// An event gets its id and its time when it is entered and keeps both however
// often it is sent. The page names no person: it makes pseudonyms and refuses
// what looks like a name or an identity number.
package desk

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"io/fs"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/klauspost/compress/gzhttp"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// Path is where the desk is. A station's own desk is at Path/<station code>.
const Path = "/desk"

// Config is how a desk runs. The zero value is complete.
type Config struct {
	// Docs is the address of the API documentation that those without script
	// are sent to; the catalogue of event types when empty.
	Docs string
	// Home is where the site's name leads, the dashboard's address when there is
	// one on the same origin; nowhere when empty.
	Home string
	// Log gets what goes wrong; slog.Default when nil.
	Log *slog.Logger
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

//go:embed templates static
var files embed.FS

// Desk serves the page and its files.
type Desk struct {
	cfg     Config
	version string // of page and files; part of the files' addresses
	pages   map[string]*template.Template
	worker  []byte
}

// New makes a desk.
func New(c Config) *Desk {
	c.Docs = cmp.Or(c.Docs, "/api/v1/event-types")
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	d := &Desk{cfg: c, version: version(), pages: map[string]*template.Template{}}
	for _, lang := range languages {
		d.pages[lang] = template.Must(template.New("desk.html").Funcs(template.FuncMap{
			"t":     phrases(lang).t,
			"in":    func(t schemas.Text) string { return t.In(lang) },
			"asset": d.asset, "panels": panels, "quick": func() []int { return []int{10, 20, 30, 45, 60} },
		}).ParseFS(files, "templates/*.html"))
	}
	d.worker = d.makeWorker()
	return d
}

// Rules says of every route who may call it, by method and template. The files
// hold no data, and browsers ask for the manifest without saying who they are.
// The worker is for who may have the page: one that came anew for somebody who is
// logged out would keep the login in the page's place.
func Rules() map[string]access.Rule {
	public, writers := access.Rule{May: access.Public}, access.Rule{May: access.WriteEvents}
	return map[string]access.Rule{
		"GET " + manifestPath: public,
		"GET " + staticRoute:  public,
		"GET " + workerPath:   writers,
		"GET " + Path:         writers,
		"GET " + Path + "/":   writers,
		"GET " + stationRoute: writers,
	}
}

const (
	workerPath   = Path + "/sw.js"
	manifestPath = Path + "/manifest.webmanifest"
	staticRoute  = Path + "/static/{version}/{name:[a-z]+\\.[a-z]+}"
	stationRoute = Path + "/{station:[0-9A-Z]{6}-[a-z]+(?:-[0-9]+)?}"
)

// Register adds the desk to a router that may hold other things too.
func (d *Desk) Register(r *mux.Router) {
	own := r.NewRoute().Subrouter()
	own.Use(access.Headers, func(next http.Handler) http.Handler { return gzhttp.GzipHandler(next) })
	for path, handler := range map[string]http.HandlerFunc{
		workerPath:   d.serveWorker,
		manifestPath: d.serveManifest,
		staticRoute:  d.serveFile,
		Path:         d.servePage,
		Path + "/":   d.servePage,
		stationRoute: d.servePage,
	} {
		own.HandleFunc(path, handler).Methods(http.MethodGet, http.MethodHead)
	}
}

// version is a hash of everything the page is made of.
func version() string {
	h := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		h.Write([]byte(name))
		h.Write(b)
		return err
	})
	if err == nil {
		err = json.NewEncoder(h).Encode([]any{messages, availableForms(), schemas.Divisions.All()})
	}
	if err != nil {
		panic(err) // the files are part of the program
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

func (d *Desk) asset(name string) string { return Path + "/static/" + d.version + "/" + name }

// pageData is what the template gets.
type pageData struct {
	Lang, Other string // this language's code, and the address in the other
	Home, Docs  string
	Forms       []Form
	Data        any // for the script
}

// scriptData is what the script gets.
type scriptData struct {
	Lang      string            `json:"lang"`
	Worker    string            `json:"worker"`
	Text      map[string]string `json:"text"`
	Forms     map[string]Form   `json:"forms"`
	Divisions []division        `json:"divisions"`
	Holidays  []schemas.Day     `json:"holidays"`
}

type division struct {
	Code   schemas.DivisionCode `json:"code"`
	Name   string               `json:"name"`
	Parent schemas.DivisionCode `json:"parent"`
}

func (d *Desk) servePage(w http.ResponseWriter, r *http.Request) {
	lang := chinese
	if r.URL.Query().Get("lang") == english {
		lang = english
	}
	status := http.StatusOK
	if code := mux.Vars(r)["station"]; code != "" {
		if _, err := schemas.ParseStationCode(code); err != nil {
			status = http.StatusNotFound // the page says so and lets one choose
		}
	}
	data := pageData{Lang: htmlLang[lang], Other: r.URL.Path + "?lang=" + english, Home: d.cfg.Home, Docs: d.cfg.Docs, Forms: availableForms()}
	if lang == english {
		data.Other = r.URL.Path
	}
	script := scriptData{Lang: lang, Worker: workerPath, Text: phrases(lang).all(), Forms: map[string]Form{}}
	for _, f := range data.Forms {
		script.Forms[f.Type] = f
	}
	today := schemas.DayOf(d.cfg.Now())
	for _, v := range schemas.Divisions.All() {
		if v.Valid(today) {
			script.Divisions = append(script.Divisions, division{v.Code, v.Name, v.Parent})
		}
	}
	script.Holidays = exceptions(today-400, today+800)
	data.Data = script
	var b bytes.Buffer
	if err := d.pages[lang].Execute(&b, data); err != nil {
		d.cfg.Log.ErrorContext(r.Context(), "make the desk's page", "error", err)
		http.Error(w, "something went wrong here; the operator's log says what", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// exceptions lists the days of from..to that are not what their weekday says.
func exceptions(from, to schemas.Day) []schemas.Day {
	days := []schemas.Day{}
	for day := from; day <= to; day++ {
		weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
		if schemas.Holidays.Working(day) == weekend {
			days = append(days, day)
		}
	}
	return days
}

// serveFile serves a file for ever under the address of its version, and under
// another version's address without promise.
func (d *Desk) serveFile(w http.ResponseWriter, r *http.Request) {
	vars := mux.Vars(r)
	b, err := files.ReadFile("static/" + vars["name"])
	if err != nil || vars["name"] == "sw.js" {
		http.NotFound(w, r)
		return
	}
	cache := "no-cache"
	if vars["version"] == d.version {
		cache = "public, max-age=31536000, immutable"
	}
	w.Header().Set("Cache-Control", cache)
	serve(w, contentType(vars["name"]), b)
}

func contentType(name string) string {
	if path.Ext(name) == ".js" {
		return "text/javascript; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func serve(w http.ResponseWriter, contentType string, b []byte) {
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(b)
}

// makeWorker completes the service worker: its version and the addresses that
// it keeps.
func (d *Desk) makeWorker() []byte {
	source, err := files.ReadFile("static/sw.js")
	if err != nil {
		panic(err)
	}
	kept := []string{Path, Path + "?lang=" + english, manifestPath}
	names, err := fs.ReadDir(files, "static")
	if err != nil {
		panic(err)
	}
	for _, f := range names {
		if f.Name() != "sw.js" {
			kept = append(kept, d.asset(f.Name()))
		}
	}
	list, err := json.Marshal(kept)
	if err != nil {
		panic(err)
	}
	return []byte(strings.NewReplacer("{{version}}", d.version, "[/*{{files}}*/]", string(list)).Replace(string(source)))
}

// serveWorker serves the service worker, whose scope is the desk with and
// without a station.
func (d *Desk) serveWorker(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Service-Worker-Allowed", Path)
	w.Header().Set("Cache-Control", "no-cache")
	serve(w, contentType("sw.js"), d.worker)
}

// serveManifest lets a phone put the desk on its home screen.
func (d *Desk) serveManifest(w http.ResponseWriter, _ *http.Request) {
	b, err := json.Marshal(map[string]any{
		"name": messages["site"].ZH, "short_name": messages["site.short"].ZH, "lang": htmlLang[chinese], "start_url": Path, "scope": Path, "display": "standalone",
		"theme_color": "#123766", "background_color": "#f3f6fa",
		"icons": []any{map[string]string{"src": d.asset("icon.svg"), "sizes": "any", "type": "image/svg+xml"}},
	})
	if err != nil {
		panic(err)
	}
	w.Header().Set("Cache-Control", "no-cache")
	serve(w, "application/manifest+json", b)
}
