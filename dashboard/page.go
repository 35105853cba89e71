package dashboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/access"
)

// visit is one reader's request for a page: what was asked, and what goes along
// from page to page (language, tree of divisions, moment, month).
type visit struct {
	phrases
	queryReader
	request *http.Request
	now     time.Time
	who     access.Identity
	scope   report.Scope

	month    schemas.Month         // asked for, else that of the moment
	main     schemas.IndicatorCode // on the map, in the ranking and the trend
	view     schemas.DivisionView
	asOf     time.Time  // zero: now
	cut      report.Cut // of all figures on the page
	status   report.Status
	verified report.Verified // the last verification by the moment
}

// carried are the parameters that go along from page to page.
var carried = []string{"month", "figure", "view", "as_of", "lang"}

func newVisit(r *http.Request, now time.Time) *visit {
	v := &visit{queryReader: queryReader{values: r.URL.Query()}, request: r, now: now, who: access.From(r.Context())}
	v.scope, v.home = v.who.Scope, report.Home(v.who.Scope)
	v.phrases = phrases(v.choice("lang", languages...))
	v.asOf = v.moment()
	v.view = schemas.DivisionView(v.choice("view", string(schemas.ViewThen), string(schemas.ViewNow)))
	if v.month = v.queryReader.month("month"); v.month == 0 {
		v.month = v.today().Month()
	}
	v.main = schemas.IndicatorCode(v.choice("figure", codes[string](mainFigures)...))
	return v
}

// today is the day of the moment asked for.
func (v *visit) today() schemas.Day { return dayAsked(v.asOf, v.now) }

// live tells whether the page changes when new data comes in.
func (v *visit) live() bool { return v.asOf.IsZero() }

// link is an address within the site: path with what goes along and with the
// pairs of parameters and values; an empty value leaves its parameter out.
func (v *visit) link(path string, pairs ...string) string {
	q := url.Values{}
	for _, param := range carried {
		if text := v.values.Get(param); text != "" {
			q.Set(param, text)
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if q.Del(pairs[i]); pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if q.Get("view") == string(schemas.ViewThen) {
		q.Del("view")
	}
	if q.Get("lang") == chinese {
		q.Del("lang")
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// here is this page's address with pairs changed.
func (v *visit) here(pairs ...string) string {
	all := []string{}
	for param := range v.values {
		all = append(all, param, v.values.Get(param))
	}
	return v.link(v.request.URL.Path, append(all, pairs...)...)
}

// details is the address of the postings behind a figure.
func (v *visit) details(code schemas.IndicatorCode, division schemas.DivisionCode, r report.Range, filter ...string) string {
	pairs := []string{"indicator", string(code), "from", r.From.String(), "to", r.To.String(), "month", "", "figure", ""}
	if division != v.home {
		pairs = append(pairs, "division", string(division))
	}
	return v.link("/details", append(pairs, filter...)...)
}

// page is what a handler gives back: which template, and what is in it.
type page struct {
	Template string
	Title    string
	Menu     string // path of the entry of the menu that the page belongs to
	Crumbs   []link
	Fixed    bool // the page does not change with new data
	Unkept   bool // the page changes while the data does not
	Posted   bool // the page answers a form: its address alone leads nowhere
	Body     any
}

// link is a word that leads somewhere; without Href it is only a word.
type link struct{ Text, Href string }

// menu is an entry of the menu.
type menu struct{ Path, Text, Href string }

// frame is a page with everything around it.
type frame struct {
	page
	*visit
	Lang     string
	Site     string
	Home     string
	Menus    []menu // none for nobody
	Person   link   // who has come in, and where that is seen to
	Language string // this page in the other language
	Fresh    string // how far the data has come; empty for who sees none
	Live     bool   // the page follows new data
	Cut      string
	Poll     int64 // milliseconds
	Events   string
	Parked   link
	Verified link
	Alarm    bool // the last verification found that something does not agree
	Terms    string
	Past     string // the moment, when it is not now
	Present  string
	Docs     []link
}

// page makes a handler of a function that reads a visit.
func (s *Server) page(read func(context.Context, *visit) (page, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := newVisit(r, s.now())
		html, err := s.render(r.Context(), v, read)
		status := http.StatusOK
		if err != nil {
			status = statusOf(err)
			s.logError(r.Context(), status, err)
			if html, err = s.html(v, v.failure(err)); err != nil {
				s.log.ErrorContext(r.Context(), "error page", "error", err)
				http.Error(w, v.t("error.500"), http.StatusInternalServerError)
				return
			}
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Language", v.htmlLang())
		h.Set("Cache-Control", "private, no-cache")
		if status == http.StatusServiceUnavailable {
			h.Set("Retry-After", "5")
		}
		w.WriteHeader(status)
		_, _ = w.Write(html)
	})
}

// render makes a page, or finds it among those made before: who asks, the
// address, the cut, the day and the last verification settle everything on it. Readers who ask for the same page at
// the same time wait for one answer.
func (s *Server) render(ctx context.Context, v *visit, read func(context.Context, *visit) (page, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := s.stand(ctx, v); err != nil {
		return nil, err
	}
	key := strings.Join([]string{fmt.Sprintf("%+v", v.who), v.request.URL.RequestURI(), v.cut.String(), v.status.Cut.String(), strconv.FormatInt(v.status.Parked, 10), schemas.DayOf(v.now).String(),
		v.verified.Ended.String(), strconv.FormatBool(v.verified.Current)}, "\n")
	if html, ok := s.made.Get(key); ok {
		return html, nil
	}
	made := s.making.DoChan(key, func() (any, error) {
		// The first to ask may go away; the others still want the page.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Timeout)
		defer cancel()
		p, err := read(ctx, v)
		if err != nil {
			return nil, err
		}
		html, err := s.html(v, p)
		if err == nil && !p.Unkept {
			s.made.Add(key, html)
		}
		return html, err
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-made:
		html, _ := r.Val.([]byte)
		return html, r.Err
	}
}

// stand finds what every page is made at: the cut of its figures, and how far
// projection and verification are.
func (s *Server) stand(ctx context.Context, v *visit) (err error) {
	if v.status, err = s.read.Status(ctx); err != nil {
		return fmt.Errorf("state of the projection: %w", unavailable(err))
	}
	if recorded := v.status.Recorded; v.live() && v.values.Get("month") == "" && !recorded.IsZero() {
		v.month = min(v.month, schemas.DayOf(recorded).Month()) // of a month of which nothing is known there is nothing to see
	}
	if v.cut = v.status.Cut; !v.asOf.IsZero() {
		if v.cut, err = s.read.Cut(ctx, v.asOf); err != nil {
			return fmt.Errorf("cut of %s: %w", v.asOf, unavailable(err))
		}
	}
	if v.verified, err = s.read.Verified(ctx, v.asOf); err != nil {
		return fmt.Errorf("last verification: %w", unavailable(err))
	}
	return nil
}

// pagesKept is how many pages are kept for those who ask for the same.
const pagesKept = 256

func (v *visit) htmlLang() string {
	if v.phrases == english {
		return "en"
	}
	return "zh-CN"
}

// unavailable is err as a fault of the warehouse, unless it says what it is.
func unavailable(err error) error {
	if schemas.KindOf(err) != schemas.Internal || errors.Is(err, context.Canceled) {
		return err
	}
	return &schemas.Error{Kind: schemas.Unavailable, Message: "the warehouse does not answer: " + err.Error(), Err: err}
}

// html puts a page into its frame.
func (s *Server) html(v *visit, p page) ([]byte, error) {
	other := english
	if v.phrases == english {
		other = chinese
	}
	f := frame{
		page: p, visit: v, Lang: v.htmlLang(), Site: v.t("site"), Home: v.link("/"), Poll: s.cfg.Poll.Milliseconds(),
	}
	if !p.Posted {
		f.Language = v.here("lang", other)
	}
	if v.who.Account != "" {
		f.Menus, f.Person, f.Terms = v.menus(s.cfg.Beside), v.person(), v.link(indicatorsPath)
		f.Docs = []link{{v.t("docs.title"), v.link("/docs/events")}, {v.t("api.title"), v.link("/docs/api")}, {"OpenAPI", "/api/openapi.json"}}
	}
	sees := v.scope.Division != "" || v.scope.Station != ""
	if sees {
		f.Fresh = v.t("fresh.none")
	}
	if sees && !v.status.Recorded.IsZero() {
		f.Fresh = v.t("fresh", clock(v.status.Recorded))
		if report.Whole(v.scope) {
			f.Events = v.t("fresh.events", number(float64(v.status.Events)))
		}
	}
	if v.status.Parked > 0 && report.Whole(v.scope) && v.who.May(access.ReadQuality) {
		f.Parked = link{v.t("fresh.parked", number(float64(v.status.Parked))), v.link("/parked")}
	}
	if v.status.Events > 0 && report.Whole(v.scope) && v.who.May(access.ReadQuality) {
		f.Verified, f.Alarm = link{v.verdict(), v.link("/verification")}, v.disagrees()
	}
	if sees && v.live() && !p.Fixed {
		f.Live, f.Cut = true, v.status.Cut.String()
	}
	if !v.asOf.IsZero() {
		moment := clockSeconds(v.asOf)
		if v.asOf.Equal(endOf(schemas.DayOf(v.asOf))) {
			moment = schemas.DayOf(v.asOf).String() + " 24:00"
		}
		f.Past, f.Present = v.t("note.as_of", moment), v.here("as_of", "")
	}
	var b bytes.Buffer
	err := s.pages[string(v.phrases)+"/"+p.Template].ExecuteTemplate(&b, "frame", f)
	return b.Bytes(), err
}

// person is who has come in; whose machine nobody has claimed is led to where
// that is done.
func (v *visit) person() link {
	bare := []string{"month", "", "figure", "", "view", "", "as_of", ""}
	if v.who.Sole {
		return link{v.t("person.sole"), v.link("/login", bare...)}
	}
	return link{signer(v.who), v.link("/account", bare...)}
}

// menus are the entries for which the visitor has the right.
func (v *visit) menus(beside []Place) []menu {
	first := menu{"/", v.t("nav.home"), v.link("/")}
	out := []menu{first}
	for _, entry := range []struct {
		path, text string
		may        access.Permission
		show       bool
		drop       []string
	}{
		{"/lawyers", "nav.people", access.ReadLawyers, true, nil},
		{"/details", "nav.detail", access.ReadDetails, true, nil},
		{"/ledger", "nav.ledger", access.ReadDetails, true, []string{"month", "", "figure", "", "view", "", "as_of", ""}},
		{"/returns", "nav.returns", access.ReadFigures, v.scope.Station == "", []string{"figure", "", "view", "", "as_of", ""}},
		{"/quality", "nav.quality", access.ReadQuality, true, nil},
		{"/verification", "nav.verification", access.ReadQuality, report.Whole(v.scope), nil},
		{"/audit", "nav.audit", access.ReadAudit, true, []string{"month", "", "figure", "", "view", "", "as_of", ""}},
		{indicatorsPath, "nav.terms", access.Public, true, nil},
	} {
		if entry.show && v.who.May(entry.may) {
			out = append(out, menu{entry.path, v.t(entry.text), v.link(entry.path, entry.drop...)})
		}
	}
	for _, place := range beside {
		if place.May == "" || v.who.May(place.May) {
			out = append(out, menu{place.Path, place.Title.In(string(v.phrases)), v.link(place.Path)})
		}
	}
	return out
}

// failure is the page that says what went wrong.
type failure struct {
	Message, Hint, Detail string
	Problems              []wrong
	Home, Retry           link
}

type wrong struct{ Param, Value, Text string }

func (v *visit) failure(err error) page {
	status := statusOf(err)
	message := v.t(fmt.Sprintf("error.%d", status))
	f := failure{Message: message, Home: link{v.t("error.home"), v.link("/", "month", "", "figure", "", "as_of", "", "view", "")}}
	if bad, ok := errors.AsType[problems](err); ok {
		for _, b := range bad {
			f.Problems = append(f.Problems, wrong{b.Param, b.Value, b.text(v.phrases)})
		}
	} else if status == http.StatusUnprocessableEntity || status == http.StatusRequestEntityTooLarge {
		f.Detail = shown(err)
	}
	if status == http.StatusServiceUnavailable {
		f.Hint, f.Retry = v.t("error.503.hint"), link{v.t("error.retry"), v.request.URL.RequestURI()}
	}
	return page{Template: "error", Title: message, Fixed: true, Body: f}
}

// parsePages reads the templates once for each language.
func parsePages(asset func(string) (string, error)) (map[string]*template.Template, error) {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	shared := []string{"templates/frame.html", "templates/parts.html"}
	pages := map[string]*template.Template{}
	for _, lang := range languages {
		base, err := template.New("").Funcs(template.FuncMap{"t": phrases(lang).t, "asset": asset}).ParseFS(files, shared...)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if slices.Contains(shared, name) {
				continue
			}
			t, err := base.Clone()
			if err == nil {
				t, err = t.ParseFS(files, name)
			}
			if err != nil {
				return nil, err
			}
			pages[lang+"/"+strings.TrimSuffix(path.Base(name), ".html")] = t
		}
	}
	return pages, nil
}

// part is a variable of the address's path.
func (v *visit) part(name string) string { return mux.Vars(v.request)[name] }

// crumbs lead from the province down to a division, which is itself a link
// unless it is the page.
func (v *visit) crumbs(code schemas.DivisionCode, last string) []link {
	var out []link
	for _, d := range schemas.Divisions.Path(code) {
		if href := v.toDivision(d.Code); href != "" {
			out = append(out, link{d.Name, href})
		}
	}
	if last != "" {
		return append(out, link{Text: last})
	}
	if len(out) > 0 {
		out[len(out)-1].Href = ""
	}
	return out
}

func divisionPath(code schemas.DivisionCode) string {
	if code == schemas.Province {
		return "/"
	}
	return "/divisions/" + url.PathEscape(string(code))
}

func stationPath(code schemas.StationCode) string { return "/stations/" + url.PathEscape(string(code)) }

func lawyerPath(licence string) string { return "/lawyers/" + url.PathEscape(licence) }
