package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/mux"
	"github.com/segmentio/kafka-go"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// Config says where the log is and how much may wait for it.
type Config struct {
	// Brokers are addresses of the Kafka cluster, host:port.
	Brokers []string
	// Topic is the log; empty: schemas.Topic.
	Topic string
	// Transport carries TLS and SASL; nil is plain TCP.
	Transport *kafka.Transport
	// Returns say who reports to whom; nil: schemas.Returns.
	Returns *schemas.ReturnRules
	// Keys make the pseudonyms and sealed texts that go into the log.
	Keys Keys
	// MaxQueued is how many events may wait for the log before senders are
	// asked to slow down; zero: 20000.
	MaxQueued int
	// AckTimeout is how long an event may wait for the log; zero: 10 s.
	AckTimeout time.Duration
	// Logger takes what operators should know; nil: nothing is logged.
	Logger *slog.Logger

	now func() time.Time // the clock for recordedtime; tests set it
}

// Validate says what is wrong with the configuration and how to mend it.
func (c Config) Validate() error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("brokers: give at least one address host:port of the Kafka cluster"))
	}
	if c.MaxQueued != 0 && c.MaxQueued < MaxBatchEvents {
		errs = append(errs, fmt.Errorf("max queued is %d: at least %d, or a full batch could never be taken", c.MaxQueued, MaxBatchEvents))
	}
	if c.AckTimeout < 0 {
		errs = append(errs, fmt.Errorf("ack timeout is %s: it cannot be negative", c.AckTimeout))
	}
	if c.Keys == nil {
		errs = append(errs, errors.New("keys: give a keyring, or persons could be read in the log"))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("configuration of ingest: %w", err)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Topic == "" {
		c.Topic = schemas.Topic
	}
	if c.Transport == nil {
		c.Transport = &kafka.Transport{}
	}
	if c.Returns == nil {
		c.Returns = schemas.Returns
	}
	if c.MaxQueued == 0 {
		c.MaxQueued = 20_000
	}
	if c.AckTimeout == 0 {
		c.AckTimeout = 10 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c
}

// Server takes events in over HTTP and writes them to the log.
type Server struct {
	keys    Keys
	returns *schemas.ReturnRules
	now     func() time.Time
	logger  *slog.Logger
	log     *appender
	types   []byte // the answer to GET /api/v1/event-types
}

// New starts a server. It does not wait for the log: until the log answers,
// Ready says so and events are answered with 503.
func New(c Config) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	types, err := json.Marshal(eventTypes())
	if err != nil {
		return nil, fmt.Errorf("write down the event types: %w", err)
	}
	c = c.withDefaults()
	return &Server{keys: c.Keys, returns: c.Returns, now: c.now, logger: c.Logger, log: startAppender(c), types: types}, nil
}

// Close writes what is queued, for AckTimeout at most, and ends the server.
// Shut the HTTP server down first, so that those who wait get their answers.
func (s *Server) Close() { s.log.close() }

// Rules says of every route of Register and RegisterHealth who may call it, by
// method and template. What an account may write is decided for each event.
func Rules() map[string]access.Rule {
	return map[string]access.Rule{
		"POST " + EventsPath:    {May: access.Own},
		"GET " + EventTypesPath: {May: access.Own},
		"GET /healthz":          {May: access.Public},
		"GET /readyz":           {May: access.Public},
	}
}

// Register adds the API to a router that may hold other things too. Whose a
// request is stands in its context, where the gate has put it: see
// [access.From]. From nobody nothing is taken.
func (s *Server) Register(r *mux.Router) {
	r.HandleFunc(EventsPath, s.postEvents).Methods(http.MethodPost)
	r.HandleFunc(EventTypesPath, s.getEventTypes).Methods(http.MethodGet, http.MethodHead)
}

// RegisterHealth adds /healthz and /readyz, for a process that takes events and
// does nothing else.
func (s *Server) RegisterHealth(r *mux.Router) {
	get := []string{http.MethodGet, http.MethodHead}
	r.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") }).Methods(get...)
	r.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Ready(r.Context()); err != nil {
			s.logger.InfoContext(r.Context(), "not ready", "error", err)
			http.Error(w, "the log does not take events", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	}).Methods(get...)
}

// Ready tells whether the log can take events: the topic is there and the
// leaders of its partitions answer.
func (s *Server) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := s.log.check(ctx); err != nil {
		return fmt.Errorf("the log at %s does not take events: %w", s.log.address, err)
	}
	return nil
}

// typeRow is one event type as it is published.
type typeRow struct {
	Name    string          `json:"name"`
	Case    string          `json:"case"`
	Title   schemas.Text    `json:"title"`
	Clause  string          `json:"clause,omitempty"`
	Figures []string        `json:"figures"` // codes of the indicators that it can change
	Schema  any             `json:"schema"`  // of the data
	Example json.RawMessage `json:"example"` // of the data
}

func eventTypes() any {
	var rows []typeRow
	for _, t := range schemas.Catalogue.All() {
		figures := []string{}
		for _, ind := range t.Figures() {
			figures = append(figures, string(ind.Code))
		}
		rows = append(rows, typeRow{t.Name, string(t.Case), t.Title, t.Clause, figures, schemas.JSONSchema(t), json.RawMessage(t.Example)})
	}
	return map[string]any{"event_types": rows}
}

func (s *Server) getEventTypes(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.types)
}
