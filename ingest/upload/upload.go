// Package upload is the import page, /import: ledgers are dropped on it, it
// shows what would happen, and sends them when that is confirmed.
//
//	GET  /import                     the page, with the templates
//	POST /import                     files (multipart); a dry run, then a redirect to
//	GET  /import/{token}             what the dry run found, or the import did
//	POST /import/{token}             confirms: the files are sent
//	GET  /import/{token}/progress    how many events were sent, as JSON
//	GET  /import/{token}/copy/{n}    the marked copy of the n-th file
//	GET  /import/templates/{kind}    an empty ledger of the kind
//
// Reading, marking and sending are [ledger]'s, the same as `zhiban import`. The
// page works without script; with it, files can be dropped and the progress is
// shown.
//
// Nothing is written to disk. Files stay in memory until they are sent, their
// reports and marked copies for a quarter of an hour ([Config].Keep), all
// within bounds; a token of 128 random bits is the only way to them, and only the
// account that uploaded them may go it. What is sent is sent in that account's name:
// Send, Known and Held get the request's context.
package upload

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"zhiban/ingest/ledger"
	"zhiban/schemas"
	"zhiban/schemas/access"
)

// Path is where the page is.
const Path = "/import"

// Limits of one upload.
const (
	// MaxBytes bounds its body, MaxFiles the files in it.
	MaxBytes = 20 << 20
	MaxFiles = 20

	maxStation = 64 // bytes of the station's code

	readTime = time.Minute     // for the body to arrive
	lookTime = time.Minute     // for the dry run
	sendTime = 5 * time.Minute // for its events to be sent
	atOnce   = 2               // uploads that are read or sent at the same time
)

// Config is how the page runs.
type Config struct {
	// Send delivers events, Known asks which of them the platform holds; see
	// [ledger.Options], Held which others of the same days. Both may be nil.
	Send  func(context.Context, []schemas.Envelope) ([]ledger.Result, error)
	Known func(context.Context, []string) (map[string]schemas.Envelope, error)
	Held  func(ctx context.Context, source schemas.Source, kind schemas.CaseKind, from, to schemas.Day) ([]schemas.Envelope, error)
	// Home is where the site's name leads; "/" when empty.
	Home string
	// Keep is how long files, reports and copies stay; a quarter of an hour when
	// zero.
	Keep time.Duration
	// Log gets what goes wrong; slog.Default when nil.
	Log *slog.Logger
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

//go:embed templates static
var files embed.FS

// Page serves the import page.
type Page struct {
	cfg     Config
	version string // of the static files; part of their addresses
	pages   map[string]*template.Template
	kept    *store
	turns   chan struct{}
}

// New makes the page. Send has to be given.
func New(c Config) *Page {
	c.Home = cmp.Or(c.Home, "/")
	c.Keep = cmp.Or(c.Keep, 15*time.Minute)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &Page{cfg: c, version: version(), pages: map[string]*template.Template{}, kept: newStore(c.Keep, c.Now), turns: make(chan struct{}, atOnce)}
	for _, lang := range []string{chinese, english} {
		p.pages[lang] = template.Must(template.New("page.html").Funcs(template.FuncMap{
			"t":     phrases(lang).t,
			"in":    func(t schemas.Text) string { return t.In(lang) },
			"asset": func(name string) string { return Path + "/static/" + p.version + "/" + name },
		}).ParseFS(files, "templates/*.html"))
	}
	return p
}

// Rules says of every route who may call it, by method and template.
func Rules() map[string]access.Rule {
	rules := map[string]access.Rule{"GET " + Path + staticRoute: {May: access.Public}}
	for _, route := range []string{"GET " + Path, "POST " + Path, "GET " + Path + templateRoute, "GET " + Path + "/{token}", "POST " + Path + "/{token}",
		"GET " + Path + "/{token}/progress", "GET " + Path + copyRoute} {
		rules[route] = access.Rule{May: access.WriteEvents}
	}
	return rules
}

const (
	staticRoute   = "/static/{version}/{name:[a-z]+\\.[a-z]+}"
	templateRoute = "/templates/{kind}"
	copyRoute     = "/{token}/copy/{n:[0-9]+}"
)

// Register adds the page to a router that may hold other things too.
func (p *Page) Register(r *mux.Router) {
	own := r.NewRoute().Subrouter()
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fail(w, r, http.StatusForbidden, "error.origin")
	}))
	own.Use(access.Headers, private, crossOrigin.Handler)
	get, post := []string{http.MethodGet, http.MethodHead}, []string{http.MethodPost}
	for _, route := range []struct {
		path    string
		methods []string
		handler http.HandlerFunc
	}{
		{Path, get, p.showForm},
		{Path, post, p.take},
		{Path + staticRoute, get, p.serveFile},
		{Path + templateRoute, get, p.serveTemplate},
		{Path + "/{token}", get, p.showReport},
		{Path + "/{token}", post, p.confirm},
		{Path + "/{token}/progress", get, p.showProgress},
		{Path + copyRoute, get, p.serveCopy},
	} {
		own.HandleFunc(route.path, route.handler).Methods(route.methods...)
	}
}

// private keeps reports about people's records out of caches.
func private(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// version is a hash of the static files.
func version() string {
	h := sha256.New()
	if err := fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		h.Write(b)
		return err
	}); err != nil {
		panic(err) // the files are part of the program
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

func language(r *http.Request) string {
	if r.URL.Query().Get("lang") == english {
		return english
	}
	return chinese
}

// address is a path of this page in the language of the request.
func address(r *http.Request, path string) string {
	if language(r) == english {
		return path + "?lang=" + english
	}
	return path
}

// view is what the template gets.
type view struct {
	Lang, Other   string // the document's language, and its address in the other one
	Home, Action  string // of the form
	Error, Detail string
	CopyBase      string // address of the report
	MaxMiB        int
	Kinds         []kind
	Report        *report // nil: the form
}

type kind struct {
	schemas.Text
	Href string
}

func (p *Page) render(w http.ResponseWriter, r *http.Request, status int, v view) {
	lang := language(r)
	v.Home, v.MaxMiB = p.cfg.Home, MaxBytes>>20
	v.Lang, v.Other = "zh-CN", r.URL.Path+"?lang="+english
	if lang == english {
		v.Lang, v.Other = "en", r.URL.Path
	}
	if r.Method == http.MethodPost && v.Report == nil {
		v.Other = strings.Replace(v.Other, r.URL.Path, Path, 1)
	}
	if v.Action == "" {
		v.Action = address(r, Path)
	}
	for _, k := range ledger.Kinds() {
		v.Kinds = append(v.Kinds, kind{k.Text(), Path + "/templates/" + string(k)})
	}
	var b bytes.Buffer
	if err := p.pages[lang].Execute(&b, v); err != nil {
		p.cfg.Log.ErrorContext(r.Context(), "make the import page", "error", err)
		http.Error(w, "something went wrong here; the operator's log says what", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// fail shows the form with what went wrong.
func (p *Page) fail(w http.ResponseWriter, r *http.Request, status int, message string, detail ...string) {
	p.render(w, r, status, view{Error: phrases(language(r)).t(message), Detail: strings.Join(detail, " ")})
}

func (p *Page) showForm(w http.ResponseWriter, r *http.Request) {
	p.render(w, r, http.StatusOK, view{})
}

// turn waits until fewer than atOnce uploads are being worked on.
func (p *Page) turn(ctx context.Context) (done func(), err error) {
	select {
	case p.turns <- struct{}{}:
		return func() { <-p.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take reads an upload, runs it dry and keeps it for the confirmation.
func (p *Page) take(w http.ResponseWriter, r *http.Request) {
	account := access.From(r.Context()).Account
	if account == "" {
		p.fail(w, r, http.StatusUnauthorized, "error.login")
		return
	}
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(readTime))       // where it cannot be set the server's own holds
	r.Body = http.MaxBytesReader(w, r.Body, MaxBytes+64<<10) // the form around the files is small
	sources, station, err := readForm(r)
	_ = conn.SetReadDeadline(time.Time{})
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case errors.As(err, &tooLarge):
		p.fail(w, r, http.StatusRequestEntityTooLarge, "error.large")
		return
	case err != nil:
		p.fail(w, r, http.StatusBadRequest, "error.form", err.Error())
		return
	case len(sources) == 0:
		p.fail(w, r, http.StatusBadRequest, "error.none")
		return
	case len(sources) > MaxFiles:
		p.fail(w, r, http.StatusBadRequest, "error.many")
		return
	}
	var code schemas.StationCode
	if station != "" {
		if code, err = schemas.ParseStationCode(station); err != nil {
			p.fail(w, r, http.StatusBadRequest, "error.station", station)
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookTime)
	defer cancel()
	done, err := p.turn(ctx)
	if err != nil {
		p.fail(w, r, http.StatusServiceUnavailable, "error.full")
		return
	}
	defer done()
	e := &entry{account: account, sources: sources, station: code}
	e.report = newReport(sources, ledger.ImportSources(ctx, ledger.Options{Station: code, DryRun: true, Known: p.cfg.Known, Held: p.cfg.Held}, sources), false)
	token := rand.Text()
	if !p.kept.put(token, e) {
		p.fail(w, r, http.StatusServiceUnavailable, "error.full")
		return
	}
	http.Redirect(w, r, address(r, Path+"/"+token), http.StatusSeeOther)
}

// readForm reads the files and the station of an upload.
func readForm(r *http.Request) (sources []ledger.Source, station string, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, "", err
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return sources, station, nil
		}
		if err != nil {
			return nil, "", err
		}
		whole := io.Reader(part)
		if part.FormName() == "station" {
			whole = io.LimitReader(part, maxStation)
		}
		b, err := io.ReadAll(whole)
		if err != nil {
			return nil, "", err
		}
		switch name := path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")); {
		case part.FormName() == "station":
			station = strings.TrimSpace(string(b))
		case part.FormName() == "files" && part.FileName() != "": // a form with no file chosen sends an empty one without a name
			sources = append(sources, ledger.Source{Name: name, Data: b})
			if len(sources) > MaxFiles {
				return sources, station, nil
			}
		}
	}
}

// entryOf finds what the token stands for, or says that it is gone: also to every
// account but its own.
func (p *Page) entryOf(w http.ResponseWriter, r *http.Request) (*entry, bool) {
	e, ok := p.kept.get(mux.Vars(r)["token"])
	if ok = ok && e.account == access.From(r.Context()).Account; !ok {
		p.fail(w, r, http.StatusNotFound, "error.gone")
	}
	return e, ok
}

func (p *Page) showReport(w http.ResponseWriter, r *http.Request) {
	if e, ok := p.entryOf(w, r); ok {
		report := e.current()
		p.render(w, r, http.StatusOK, view{Report: report, Action: address(r, r.URL.Path), CopyBase: r.URL.Path})
	}
}

// confirm sends what was kept. Confirming twice sends once; confirming after a
// failure goes on with what is left, for ids are the events' identity.
func (p *Page) confirm(w http.ResponseWriter, r *http.Request) {
	e, ok := p.entryOf(w, r)
	if !ok {
		return
	}
	// Who confirms and leaves has confirmed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), sendTime)
	defer cancel()
	if e.begin() {
		done, err := p.turn(ctx)
		if err != nil {
			e.end(nil)
			p.fail(w, r, http.StatusServiceUnavailable, "error.full")
			return
		}
		report := p.send(ctx, e)
		done()
		e.end(report)
	}
	http.Redirect(w, r, address(r, Path+"/"+mux.Vars(r)["token"]), http.StatusSeeOther)
}

func (p *Page) send(ctx context.Context, e *entry) *report {
	outcomes := ledger.ImportSources(ctx, ledger.Options{
		Station: e.station, Send: p.cfg.Send, Known: p.cfg.Known, Held: p.cfg.Held, Now: p.cfg.Now,
		Progress: func(g ledger.Progress) {
			if g.Stage == ledger.Sending {
				e.progress(g.File, g.Done, g.Total)
			}
		},
	}, e.sources)
	for _, o := range outcomes {
		if o.Sent.Err != nil {
			p.cfg.Log.ErrorContext(ctx, "import ledgers", "error", o.Sent.Err)
		}
	}
	return newReport(e.sources, outcomes, true)
}

func (p *Page) showProgress(w http.ResponseWriter, r *http.Request) {
	e, ok := p.entryOf(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(e.sending())
}

func (p *Page) serveCopy(w http.ResponseWriter, r *http.Request) {
	e, ok := p.entryOf(w, r)
	if !ok {
		return
	}
	n, err := strconv.Atoi(mux.Vars(r)["n"])
	files := e.current().Files
	if err != nil || n >= len(files) || files[n].copy == nil {
		p.fail(w, r, http.StatusNotFound, "error.gone")
		return
	}
	download(w, files[n].Copy, files[n].copy)
}

func (p *Page) serveTemplate(w http.ResponseWriter, r *http.Request) {
	k, err := ledger.ParseKind(strings.TrimSuffix(mux.Vars(r)["kind"], ".xlsx"))
	if err != nil {
		p.fail(w, r, http.StatusNotFound, "error.kind")
		return
	}
	b, err := ledger.Template(k)
	if err != nil {
		p.cfg.Log.ErrorContext(r.Context(), "make a template", "error", err)
		http.Error(w, "something went wrong here; the operator's log says what", http.StatusInternalServerError)
		return
	}
	download(w, ledger.TemplateName(k), b)
}

// download answers with a file to keep.
func download(w http.ResponseWriter, name string, b []byte) {
	media := "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	if path.Ext(name) == ".csv" {
		media = "text/csv; charset=utf-8"
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="ledger%s"; filename*=UTF-8''%s`, path.Ext(name), url.PathEscape(name)))
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
}

func (p *Page) serveFile(w http.ResponseWriter, r *http.Request) {
	vars := mux.Vars(r)
	b, err := files.ReadFile("static/" + vars["name"])
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if vars["version"] == p.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	media := mime.TypeByExtension(path.Ext(vars["name"]))
	if path.Ext(vars["name"]) == ".js" {
		media = "text/javascript; charset=utf-8"
	}
	w.Header().Set("Content-Type", media)
	_, _ = w.Write(b)
}
