// Package dashboard is what people and programs read figures through: pages in
// Chinese and English, and a JSON API. It reads through [Reader] alone, which
// report.Warehouse fulfils, and holds no state of its own: every page is made
// from its address.
//
// [Server.routes] is the table of pages, [Server.operations] that of the API,
// messages that of phrases, statuses that from errors to HTTP. Pages are
// html/template; charts are options made by go-echarts, put as JSON beside a
// table with the same figures, and drawn by static/app.js under a policy that
// lets no other script run.
package dashboard

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/mux"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/klauspost/compress/gzhttp"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"zhiban/dashboard/assets"
	"zhiban/dashboard/export"
	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/audit"
)

// Reader answers with figures; report.Warehouse is one.
type Reader interface {
	report.Statistician
	Postings(ctx context.Context, scope report.Scope, q report.Query, offset, limit int) (report.PostingPage, error)
	EachPosting(ctx context.Context, scope report.Scope, q report.Query, do func(report.Posting) error) error
	Event(ctx context.Context, scope report.Scope, id schemas.EventID) (report.EventDetail, error)
	EffectiveEvents(ctx context.Context, scope report.Scope, ids []schemas.EventID) (report.EffectiveEvents, error)
	EffectiveEventsOf(ctx context.Context, scope report.Scope, source schemas.Source, kind schemas.CaseKind, from, to schemas.Day) (report.EffectiveEvents, error)
	OpenCases(ctx context.Context, scope report.Scope, station schemas.StationCode) (report.OpenCases, error)
	Quality(ctx context.Context, scope report.Scope, q report.Query, list report.FindingCode, offset, limit int) (report.Quality, error)
	Stations(ctx context.Context, scope report.Scope, division schemas.DivisionCode, asOf time.Time) ([]report.Station, error)
	Station(ctx context.Context, scope report.Scope, code schemas.StationCode, asOf time.Time) (report.Station, error)
	Lawyers(ctx context.Context, scope report.Scope, division schemas.DivisionCode, asOf time.Time) ([]report.Lawyer, error)
	Lawyer(ctx context.Context, scope report.Scope, licence string, asOf time.Time) (report.Lawyer, error)
	LawyerYear(ctx context.Context, scope report.Scope, licence string, year int, asOf time.Time) (report.LawyerYear, error)
	ReturnRules() *schemas.ReturnRules
	MonthlyReturn(ctx context.Context, scope report.Scope, division schemas.DivisionCode, month schemas.Month, cut map[int]int64) (report.MonthlyReturn, error)
	ReturnHistory(ctx context.Context, scope report.Scope, division schemas.DivisionCode, month schemas.Month) (schemas.MonthlyReturn, error)
	Returns(ctx context.Context, scope report.Scope, division schemas.DivisionCode, month schemas.Month) (report.CloseGrid, error)
	DivisionMonth(ctx context.Context, scope report.Scope, division schemas.DivisionCode, month schemas.Month, asOf time.Time) (report.DivisionMonth, error)
	Deck(ctx context.Context, scope report.Scope, division schemas.DivisionCode, month schemas.Month, asOf time.Time) (report.Deck, error)
	Cut(ctx context.Context, asOf time.Time) (report.Cut, error)
	Status(ctx context.Context) (report.Status, error)
	Verified(ctx context.Context, asOf time.Time) (report.Verified, error)
	Verifications(ctx context.Context, scope report.Scope, asOf time.Time, limit int) ([]report.VerificationResult, error)
	Verification(ctx context.Context, scope report.Scope, asOf time.Time) (report.Verification, error)
	Parked(ctx context.Context, scope report.Scope, cut report.Cut, offset, limit int) (report.ParkedPage, error)
	ParkedRecord(ctx context.Context, scope report.Scope, cut report.Cut, partition int, offset int64) (report.Parked, error)
	Ledger(ctx context.Context, scope report.Scope, q report.LedgerQuery, offset, limit int) (report.LedgerPage, error)
	LedgerTexts(ctx context.Context, scope report.Scope, id schemas.EventID) (report.LedgerTexts, error)
	AuditTrail(ctx context.Context, f report.AuditFilter, offset, limit int) (report.AuditPage, error)
}

// Config is how a dashboard runs. The zero value is complete.
type Config struct {
	// Poll is how often an open page asks for new data; 5 s when zero.
	Poll time.Duration
	// Timeout bounds the answer to one request; 20 s when zero.
	Timeout time.Duration
	// Metrics is where the dashboard registers its metrics; its own registry
	// when nil.
	Metrics *prometheus.Registry
	// Beside are pages of others on the same address: they enter the menu.
	Beside []Place
	// Replay appends the parked records that can be read by now to the log again,
	// and says how many, and how many still cannot be. When nil the page says by
	// which command.
	Replay func(context.Context) (appended, left int, err error)
	// Append writes the steps of monthly returns to the log; nil: months cannot be
	// closed here.
	Append func(context.Context, []schemas.Envelope) error
	// Ready says whether what is served beside the dashboard can answer; nil:
	// nothing is.
	Ready func(context.Context) error
	// Unseal opens a text of the consultation ledger, as seal.Keyring does; it
	// needs Audit. When nil no text is read here, and the page says by which
	// setting they are.
	Unseal func(ctx context.Context, person string, of schemas.CaseID, field, sealed string) (string, error)
	// Audit records the steps of returns and the reading of sealed texts; nil:
	// nothing is recorded. What cannot be recorded is not done.
	Audit func(context.Context, audit.Record) error
	// Log gets what goes wrong; slog.Default when nil.
	Log *slog.Logger
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Place is a page by its path and title, and who finds it in the menu: everyone
// when May is empty.
type Place struct {
	Path  string
	Title schemas.Text
	May   access.Permission
}

// Validate names a setting that cannot work.
func (c Config) Validate() error {
	var errs []error
	if c.Poll < 0 || c.Poll > 0 && c.Poll < 100*time.Millisecond {
		errs = append(errs, fmt.Errorf("poll interval %s: at least 100ms", c.Poll))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("request timeout %s is negative", c.Timeout))
	}
	if c.Unseal != nil && c.Audit == nil {
		errs = append(errs, errors.New("sealed texts are to be read, and there is no audit trail to record that: set Audit"))
	}
	return errors.Join(errs...)
}

//go:embed templates static
var files embed.FS

// Server is the dashboard.
type Server struct {
	cfg     Config
	read    Reader
	log     *slog.Logger
	now     func() time.Time
	assets  *assets.Server
	slides  func() (*export.Slides, error)
	pages   map[string]*template.Template // by language + "/" + name
	made    *lru.Cache[string, []byte]
	making  singleflight.Group
	metrics *metrics
}

// New makes a dashboard that reads through read.
func New(cfg Config, read Reader) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	if cfg.Poll == 0 {
		cfg.Poll = 5 * time.Second
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 20 * time.Second
	}
	s := &Server{cfg: cfg, read: read, log: cfg.Log, now: cfg.Now}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, err
	}
	if s.assets, err = assets.New(static); err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	if s.pages, err = parsePages(s.assets.URL); err != nil {
		return nil, fmt.Errorf("dashboard templates: %w", err)
	}
	if s.made, err = lru.New[string, []byte](pagesKept); err != nil {
		return nil, err
	}
	s.slides = sync.OnceValues(func() (*export.Slides, error) { return export.NewSlides(assets.Dist) })
	s.metrics = newMetrics(cfg.Metrics, read, s.now)
	return s, nil
}

// Handler is the dashboard alone on an address.
func (s *Server) Handler() http.Handler {
	r := mux.NewRouter()
	s.Register(r)
	r.NotFoundHandler = s.Nowhere()
	return r
}

// Register adds the dashboard's routes to a router that may have others, and
// before which the gate stands: who asks is in a request's context, and for
// nobody there is nothing.
func (s *Server) Register(r *mux.Router) {
	own := r.NewRoute().Subrouter()
	own.Use(s.metrics.count, access.Headers, compressed)
	doc := s.operations(own)
	for _, route := range s.routes(doc) {
		own.Handle(route.path, route.handler).Methods(http.MethodGet, http.MethodHead)
	}
	if s.cfg.Append != nil {
		own.Handle(returnRoute, s.ownOrigin(http.HandlerFunc(s.returnStep))).Methods(http.MethodPost)
	}
	if s.cfg.Unseal != nil {
		own.Handle(ledgerRoute, s.ownOrigin(http.HandlerFunc(s.unseal))).Methods(http.MethodPost)
	}
	if s.cfg.Replay != nil {
		own.Handle("/parked", s.ownOrigin(http.HandlerFunc(s.replay))).Methods(http.MethodPost)
	}
}

// Nowhere answers for paths that nobody knows, to people in a page and to
// programs in JSON.
func (s *Server) Nowhere() http.Handler {
	toPeople := s.page(func(context.Context, *visit) (page, error) {
		return page{}, schemas.Errorf(schemas.NotFound, "no such page")
	})
	return access.Headers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			toPeople.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_ = json.NewEncoder(w).Encode(huma.ErrorModel{Status: http.StatusNotFound, Title: http.StatusText(http.StatusNotFound), Detail: "no such address; GET /api/openapi.json lists all"})
	}))
}

// Deny answers people whom the gate does not let in, in a page.
func (s *Server) Deny(w http.ResponseWriter, r *http.Request, refused error) {
	access.Headers(s.page(func(context.Context, *visit) (page, error) { return page{}, refused })).ServeHTTP(w, r)
}

// route is a row of the table of pages.
type route struct {
	path    string
	handler http.Handler
}

func (s *Server) routes(doc *huma.OpenAPI) []route {
	return []route{
		{"/", s.front()},
		{"/divisions/{code}", s.page(s.divisionPage)},
		{"/stations/{code}", s.page(s.stationPage)},
		{"/lawyers", s.page(s.lawyersPage)},
		{"/lawyers/{licence}", s.page(s.lawyerPage)},
		{"/details", s.page(s.detailsPage)},
		{"/events/{id}", s.page(s.eventPage)},
		{"/returns", s.page(s.closePage)},
		{returnRoute, s.page(s.returnPage)},
		{"/quality", s.page(s.qualityPage)},
		{"/verification", s.page(s.verificationPage)},
		{"/parked", s.page(s.parkedPage)},
		{"/parked/{partition:[0-9]{1,5}}/{offset:[0-9]{1,18}}", s.page(s.parkedRecordPage)},
		{"/ledger", s.page(s.ledgerPage)},
		{"/audit", s.page(s.auditPage)},
		{indicatorsPath, s.page(s.indicatorsPage)},
		{"/indicators", http.HandlerFunc(movedIndicators)},
		{"/docs/events", s.page(s.referencePage)},
		{"/docs/events/{type:[a-z0-9_.]+}.schema.json", http.HandlerFunc(typeSchema)},
		{"/docs/api", s.page(s.apiPage(doc))},
		{"/healthz", http.HandlerFunc(healthy)},
		{"/readyz", http.HandlerFunc(s.ready)},
		{"/metrics", s.metrics.handler},
		{assets.Prefix + "{name:.*}", s.assets},
	}
}

// compressed sends what is worth it with gzip to those who accept it: offices
// in the counties have thin lines.
func compressed(next http.Handler) http.Handler { return gzhttp.GzipHandler(next) }

// healthy says that the process answers.
func healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// ready says whether the warehouse answers too.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if _, err := s.read.Status(ctx); err != nil {
		s.log.WarnContext(ctx, "not ready", "error", err)
		http.Error(w, "the warehouse does not answer", http.StatusServiceUnavailable)
		return
	}
	if s.cfg.Ready != nil {
		if err := s.cfg.Ready(ctx); err != nil {
			s.log.WarnContext(ctx, "not ready", "error", err)
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	}
	healthy(w, r)
}
