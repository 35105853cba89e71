// Command zhiban is the whole platform in one binary: station events come in
// by HTTP, go to Kafka, are projected into ClickHouse and shown on dashboards.
//
//	zhiban standalone            all of it, with embedded engines
//	zhiban ingest                HTTP -> Kafka
//	zhiban projector             Kafka -> ClickHouse
//	zhiban dashboard             ClickHouse -> people
//	zhiban migrate               bring the warehouse's tables up to date
//	zhiban import FILE…          send ledgers kept as XLSX or CSV
//	zhiban simulate              make up a province
//	zhiban rebuild               fill new tables from the log, compare, switch
//	zhiban verify                recount the log independently and compare
//	zhiban deadletter            see to records that could not be read
//
// This file parses flags, builds the parts, runs them and closes them; what
// they do stands in their packages.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/alecthomas/kong"
	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"zhiban/dashboard"
	"zhiban/dashboard/report"
	"zhiban/deploy/embedded"
	"zhiban/ingest"
	"zhiban/ingest/desk"
	"zhiban/ingest/ledger"
	"zhiban/ingest/simulate"
	"zhiban/ingest/upload"
	"zhiban/projector"
	"zhiban/projector/operate"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/warehouse"
)

func main() {
	embedded.ChildMain() // returns unless this process is to be the warehouse
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := Main{Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr}.Run(ctx)
	stop()
	os.Exit(status)
}

// Main is the program as a value, so that tests run the very same one.
type Main struct {
	Args           []string
	Stdout, Stderr io.Writer
}

// command is the command line. Every flag can be given by environment.
type command struct {
	Verbose bool `short:"v" env:"ZHIBAN_VERBOSE" help:"Log more than what needs attention."`

	Standalone standaloneCommand `cmd:"" help:"Run everything in one process tree, with an embedded log and warehouse."`
	Ingest     ingestCommand     `cmd:"" help:"Take events by HTTP and append them to Kafka."`
	Projector  projectorCommand  `cmd:"" help:"Project the log into the warehouse."`
	Dashboard  dashboardCommand  `cmd:"" help:"Show figures."`
	Migrate    migrateCommand    `cmd:"" help:"Bring the warehouse's tables up to date."`
	Import     importCommand     `cmd:"" help:"Send the ledgers that counties keep as XLSX or CSV."`
	Simulate   simulateCommand   `cmd:"" help:"Make up a believable province, with its own count of what it did."`
	Rebuild    rebuildCommand    `cmd:"" help:"Fill new tables from the log, compare them with those in use, and switch."`
	Verify     verifyCommand     `cmd:"" help:"Recount the log independently and compare every figure."`
	Deadletter deadletterCommand `cmd:"" help:"See to records of the log that could not be read."`
}

// Run parses, runs and returns the exit status: 0 done, 2 done in part or wrong
// usage, 1 failed.
func (m Main) Run(ctx context.Context) int {
	var c command
	parser, err := kong.New(&c, kong.Name("zhiban"), kong.Writers(m.Stdout, m.Stderr), kong.UsageOnError(),
		kong.Description("值班律师工作站统计分析平台 — statistics of duty lawyers' stations, from the event to the figure."))
	if err != nil {
		panic(err) // the struct above is wrong; any test run shows it
	}
	parsed, err := parser.Parse(m.Args)
	if err != nil {
		fmt.Fprintf(m.Stderr, "zhiban: %v\n", err)
		return 2
	}
	level := slog.LevelWarn
	if c.Verbose {
		level = slog.LevelInfo
	}
	m2 := &run{m, slog.New(slog.NewTextHandler(m.Stderr, &slog.HandlerOptions{Level: level}))}
	parsed.BindTo(ctx, (*context.Context)(nil))
	switch err := parsed.Run(m2); {
	case err == nil:
		return 0
	case errors.Is(err, errInPart):
		return 2
	default:
		fmt.Fprintf(m.Stderr, "zhiban: %v\n", err)
		return 1
	}
}

// errInPart ends a command that did what it could and has said what it could
// not.
var errInPart = errors.New("done in part")

// run is what every command has at hand.
type run struct {
	Main
	log *slog.Logger
}

// engines are the addresses of the log and the warehouse.
type engines struct {
	Kafka      []string `env:"ZHIBAN_KAFKA" required:"" placeholder:"HOST:PORT" help:"Kafka bootstrap addresses."`
	ClickHouse string   `name:"clickhouse" env:"ZHIBAN_CLICKHOUSE" required:"" placeholder:"DSN" help:"Warehouse, clickhouse://user:password@host:9000/zhiban."`
}

type standaloneCommand struct {
	Listen  string `env:"ZHIBAN_LISTEN" default:"127.0.0.1:8080" help:"Address of the dashboard and the API."`
	Data    string `env:"ZHIBAN_DATA" default:"data" type:"path" help:"Directory of log and warehouse."`
	NoDemo  bool   `help:"Do not fill an empty platform with a demo province."`
	Library string `env:"ZHIBAN_CLICKHOUSE_LIB" type:"path" placeholder:"FILE" help:"ClickHouse library (libchdb.so); found in the cache when not given."`
	closing
}

// Run starts the engines and then, against them, the same parts that run apart
// in production.
func (c *standaloneCommand) Run(ctx context.Context, r *run) (err error) {
	rules, err := c.rules()
	if err != nil {
		return err
	}
	listener, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	fresh := isFresh(c.Data)
	eng, err := embedded.Start(ctx, embedded.Config{
		Dir: c.Data, Library: c.Library, Log: r.log,
		Topics: map[string]int{schemas.Topic: embeddedPartitions, schemas.DeadLetterTopic: 1},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	at := engines{Kafka: []string{eng.Kafka()}, ClickHouse: eng.ClickHouse().DSN()}
	withdraw, err := announceEngines(c.Data, at)
	if err != nil {
		return err
	}
	defer withdraw()
	if err := warehouse.Migrate(ctx, at.ClickHouse); err != nil {
		return err
	}
	conn, err := warehouse.Open(ctx, at.ClickHouse)
	if err != nil {
		return err
	}
	defer conn.Close()

	if demo := (demoProvince{c.Data, eng.Kafka()}); !c.NoDemo && (fresh || demo.begun()) {
		if err := demo.fill(ctx, r.Stdout); err != nil {
			return err
		}
	}

	metrics := newMetrics()
	in, err := r.ingest(at.Kafka)
	if err != nil {
		return err
	}
	defer in.Close()
	pages, err := r.dashboard(conn, rules, dashboard.Config{Metrics: metrics, Ready: in.Ready, Replay: r.replay(at.Kafka, conn), Append: in.Append, Beside: []dashboard.Place{
		{Path: "/desk", Title: schemas.Text{ZH: "工作站登记", EN: "Station desk"}},
		{Path: "/import", Title: schemas.Text{ZH: "台账导入", EN: "Import ledgers"}},
	}})
	if err != nil {
		return err
	}
	router := mux.NewRouter()
	in.Register(router)
	r.entryPages(router, "/docs/events", "/")
	pages.Register(router)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.project(ctx, at.Kafka, conn, "", metrics) })
	group.Go(func() error { return serve(ctx, listener, router) })
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-eng.Done():
			return eng.Err()
		}
	})
	fmt.Fprintf(r.Stdout, "值班律师工作站统计分析平台已启动：http://%s/\n按 Ctrl-C 停止。\n", listener.Addr())
	return group.Wait()
}

// embeddedPartitions is how many partitions the embedded log has: enough to
// keep two cores busy, few enough to keep batches large.
const embeddedPartitions = 4

type ingestCommand struct {
	Listen string   `env:"ZHIBAN_LISTEN" default:":8081" help:"Address of the API."`
	Kafka  []string `env:"ZHIBAN_KAFKA" required:"" placeholder:"HOST:PORT" help:"Kafka bootstrap addresses."`
}

// Run serves POST /api/v1/events.
func (c *ingestCommand) Run(ctx context.Context, r *run) error {
	listener, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	in, err := r.ingest(c.Kafka)
	if err != nil {
		return err
	}
	defer in.Close()
	r.log.Info("ingest", "listen", listener.Addr())
	router := mux.NewRouter()
	r.entryPages(router, "/api/v1/event-types", "/desk")
	router.PathPrefix("/").Handler(in.Handler())
	return serve(ctx, listener, router)
}

type projectorCommand struct {
	engines
	Group string `env:"ZHIBAN_GROUP" default:"zhiban-projector" help:"Consumer group; members of one group share the work."`
}

// Run projects until it is told to stop.
func (c *projectorCommand) Run(ctx context.Context, r *run) error {
	conn, err := warehouse.Open(ctx, c.ClickHouse)
	if err != nil {
		return err
	}
	defer conn.Close()
	tuneForProjecting()
	return r.project(ctx, c.Kafka, conn, c.Group, newMetrics())
}

// tuneForProjecting is for a process in which nothing else happens: projecting
// makes much short-lived garbage.
func tuneForProjecting() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(projectorMemory)
	}
}

// projectorMemory is what a projector's heap keeps to: batches of four partitions
// take some 300 MB, and more memory saves little of the collector's time.
const projectorMemory = 512 << 20

type dashboardCommand struct {
	Listen     string `env:"ZHIBAN_LISTEN" default:":8080" help:"Address of the pages and the API."`
	ClickHouse string `name:"clickhouse" env:"ZHIBAN_CLICKHOUSE" required:"" placeholder:"DSN" help:"Warehouse, clickhouse://user:password@host:9000/zhiban."`
	Ingest     string `env:"ZHIBAN_INGEST" placeholder:"URL" help:"Address of the ingest API, to close months here; without it the dashboard only reads."`
	closing
}

// Run serves pages and figures.
func (c *dashboardCommand) Run(ctx context.Context, r *run) error {
	rules, err := c.rules()
	if err != nil {
		return err
	}
	listener, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	conn, err := warehouse.Open(ctx, c.ClickHouse)
	if err != nil {
		return err
	}
	defer conn.Close()
	config := dashboard.Config{Metrics: newMetrics()}
	if c.Ingest != "" {
		config.Append = (&ingest.Client{URL: c.Ingest, Patience: 10 * time.Second}).Append
	}
	pages, err := r.dashboard(conn, rules, config)
	if err != nil {
		return err
	}
	r.log.Info("dashboard", "listen", listener.Addr())
	return serve(ctx, listener, pages.Handler())
}

// closing is how months are closed.
type closing struct {
	Forms string `env:"ZHIBAN_FORMS" type:"existingdir" placeholder:"DIR" help:"Directory with close.yaml and the forms of the monthly return, instead of those that come with the program."`
}

// rules reads and checks the forms.
func (c closing) rules() (*schemas.ReturnRules, error) {
	if c.Forms == "" {
		return schemas.Returns, nil
	}
	rules, err := schemas.ReadReturnRules(os.DirFS(c.Forms))
	if err != nil {
		return nil, fmt.Errorf("--forms %s: %w", c.Forms, err)
	}
	return rules, nil
}

type migrateCommand struct {
	ClickHouse string `name:"clickhouse" env:"ZHIBAN_CLICKHOUSE" required:"" placeholder:"DSN" help:"Warehouse, clickhouse://user:password@host:9000/zhiban."`
}

// Run migrates the warehouse.
func (c *migrateCommand) Run(ctx context.Context) error {
	return warehouse.Migrate(ctx, c.ClickHouse)
}

func (r *run) ingest(kafka []string) (*ingest.Server, error) {
	return ingest.New(ingest.Config{Brokers: kafka, Logger: r.log})
}

func (r *run) project(ctx context.Context, kafka []string, conn *warehouse.Conn, group string, metrics *prometheus.Registry) error {
	p, err := projector.New(projector.Config{Brokers: kafka, Group: group}, conn, r.log)
	if err != nil {
		return err
	}
	metrics.MustRegister(p.Collectors()...)
	return p.Run(ctx)
}

// replay is how the dashboard has parked records read again.
func (r *run) replay(kafka []string, conn *warehouse.Conn) func(context.Context) (appended, left int, err error) {
	return func(ctx context.Context) (int, int, error) {
		p, err := projector.New(projector.Config{Brokers: kafka}, conn, r.log)
		if err != nil {
			return 0, 0, err
		}
		done, err := p.Replay(ctx)
		return done.Appended, done.Left, err
	}
}

func (r *run) dashboard(conn driver.Conn, rules *schemas.ReturnRules, config dashboard.Config) (*dashboard.Server, error) {
	config.Log = r.log
	// Until the gate stands in front of it, whoever reaches the address may all.
	config.Anonymous = access.Identity{Account: "standalone", Title: "本机用户", Role: access.Province, Scope: access.ProvinceWide}
	figures := report.New(conn)
	figures.Rules = rules
	return dashboard.New(config, figures)
}

func newMetrics() *prometheus.Registry {
	m := prometheus.NewRegistry()
	m.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("address %s is in use by another program; choose another with --listen", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// serve answers until ctx ends, then lets requests in progress finish for a
// moment.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if s.Shutdown(patience) != nil {
		_ = s.Close()
	}
	_ = <-ended // what Shutdown or Close has brought about
	return nil
}

// isFresh tells whether a data directory holds nothing yet.
func isFresh(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err != nil || len(entries) == 0
}

// demoProvince fills an empty log with a made-up province, recorded as if the
// platform had been running all along. A file in the data directory remembers
// the province until it is complete, so an interrupted filling goes on with the
// same one; what was written twice counts once.
type demoProvince struct {
	dir   string
	kafka string
}

func (d demoProvince) mark() string { return filepath.Join(d.dir, "demo-unfinished") }

func (d demoProvince) begun() bool {
	_, err := os.Stat(d.mark())
	return err == nil
}

// day is the day the demo is made for: today, or the day it was begun.
func (d demoProvince) day() schemas.Day {
	if b, err := os.ReadFile(d.mark()); err == nil {
		if day, err := schemas.ParseDay(strings.TrimSpace(string(b))); err == nil {
			return day
		}
	}
	return schemas.DayOf(time.Now())
}

func (d demoProvince) fill(ctx context.Context, out io.Writer) error {
	config := simulate.Demo(d.day())
	config.Stamped = true
	if err := os.WriteFile(d.mark(), []byte(d.day().String()+"\n"), 0o644); err != nil {
		return fmt.Errorf("begin the demo province: %w", err)
	}
	sim, err := simulate.New(config)
	if err != nil {
		return err
	}
	bar := progressbar.NewOptions(int(config.To-config.From)+1,
		progressbar.OptionSetWriter(out), progressbar.OptionSetDescription("首次启动，正在写入演示数据"), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
	if err := ingest.AppendRecorded(ctx, []string{d.kafka}, sim.Events(), func(e schemas.Envelope) {
		if t, err := time.Parse(time.RFC3339, e.RecordedTime); err == nil {
			_ = bar.Set(min(int(schemas.DayOf(t)-config.From), int(config.To-config.From)))
		}
	}); err != nil {
		return fmt.Errorf("fill the demo province: %w", err)
	}
	_ = bar.Finish()
	debug.FreeOSMemory() // the filling needed much more than what follows
	fmt.Fprintf(out, "演示数据已写入（%s 至 %s，虚构）。用 --no-demo 可以从空白开始。\n", config.From, config.To)
	return os.Remove(d.mark())
}

type importCommand struct {
	To       string   `placeholder:"URL" help:"Address of the ingest API, for example http://127.0.0.1:8080."`
	DryRun   bool     `help:"Show what would be sent, and send nothing."`
	Station  string   `placeholder:"CODE" help:"Station of the ledgers, when their titles do not tell."`
	Template string   `placeholder:"KIND" help:"Write an empty ledger of a kind instead; list names the kinds."`
	Out      string   `type:"path" placeholder:"FILE" help:"Where the template goes."`
	Files    []string `arg:"" optional:"" name:"FILE" help:"Ledgers and registers (XLSX or CSV)."`
}

// Validate says what is missing for what is asked.
func (c *importCommand) Validate() error {
	switch {
	case c.Template != "" && len(c.Files) > 0:
		return errors.New("--template writes an empty ledger and takes no files; say where it goes with --out FILE")
	case c.Template != "":
		return nil
	case len(c.Files) == 0:
		return errors.New("say which ledgers to import: zhiban import --to URL FILE…")
	case c.To == "" && !c.DryRun:
		return errors.New("say where the events go: --to http://127.0.0.1:8080, or look first with --dry-run")
	}
	return nil
}

// Run imports ledgers and reports in Chinese, for the clerk.
func (c *importCommand) Run(ctx context.Context, r *run) error {
	if c.Template != "" {
		return c.template(r.Stdout)
	}
	var station schemas.StationCode
	if c.Station != "" {
		var err error
		if station, err = schemas.ParseStationCode(c.Station); err != nil {
			return err
		}
	}
	client := r.client(c.To)
	known, held := client.Known, client.Held
	if c.To == "" {
		known, held = nil, nil
	}
	err := ledger.Import(ctx, ledger.Options{
		Files: c.Files, Station: station, DryRun: c.DryRun, Server: c.To, Out: r.Stdout,
		Send: sendLedger(client), Known: known, Held: held, Progress: r.importProgress(),
	})
	if errors.Is(err, ledger.ErrRejected) {
		return errInPart
	}
	return err
}

// template writes an empty ledger, or lists the kinds there are.
func (c *importCommand) template(out io.Writer) error {
	if c.Template == "list" {
		for _, k := range ledger.Kinds() {
			fmt.Fprintf(out, "%-14s%s\n", k, k.Title())
		}
		return nil
	}
	kind, err := ledger.ParseKind(c.Template)
	if err != nil {
		return err
	}
	b, err := ledger.Template(kind)
	if err != nil {
		return err
	}
	path := cmp.Or(c.Out, ledger.TemplateName(kind))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // a ledger that is there may be filled in
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already; choose another name with --out", path)
	}
	if err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	fmt.Fprintf(out, "%s：%s\n", kind.Title(), path)
	return nil
}

// sendLedger delivers a ledger's events by a client.
func sendLedger(client *ingest.Client) func(context.Context, []schemas.Envelope) ([]ledger.Result, error) {
	return func(ctx context.Context, events []schemas.Envelope) ([]ledger.Result, error) {
		answers, err := client.Send(ctx, events)
		results := make([]ledger.Result, len(answers))
		for i, a := range answers {
			results[i] = ledger.Result{ID: a.ID, Accepted: a.Status == ingest.Accepted, Errors: a.Errors}
		}
		return results, err
	}
}

// terminal tells whether somebody watches.
func (r *run) terminal() bool {
	f, ok := r.Stderr.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// importProgress shows on a terminal how far a large file is; elsewhere
// nothing.
func (r *run) importProgress() func(ledger.Progress) {
	if !r.terminal() {
		return nil
	}
	var bar *progressbar.ProgressBar
	stage := ledger.Ended
	return func(p ledger.Progress) {
		if p.Stage != stage {
			stage = p.Stage
			if bar != nil {
				_ = bar.Finish()
				bar = nil
			}
		}
		switch {
		case p.Stage == ledger.Ended || p.Stage == ledger.Reading && p.Done == 0 || p.Stage == ledger.Sending && p.Total <= ingest.MaxBatchEvents:
			return // small files are done at once
		case bar == nil:
			text, total := "正在读取 "+filepath.Base(p.File), -1
			if p.Stage == ledger.Sending {
				text, total = "正在发送 "+filepath.Base(p.File), p.Total
			}
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(r.Stderr), progressbar.OptionSetDescription(text), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set(p.Done)
	}
}

// entryPages adds the pages on which people enter things: the station desk and
// the import. docs is where the desk sends those who want to write a program,
// home where its title leads.
func (r *run) entryPages(router *mux.Router, docs, home string) {
	desk.New(desk.Config{Docs: docs, Home: home, Log: r.log}).Register(router)
	r.importPage(router, home).Register(router)
}

// importPage is the page that takes ledgers and sends them to the platform that
// api serves, in the same way as the command does.
func (r *run) importPage(api http.Handler, home string) *upload.Page {
	client := &ingest.Client{URL: "http://localhost", HTTP: &http.Client{Transport: upload.Local(api)}}
	return upload.New(upload.Config{Send: sendLedger(client), Known: client.Known, Held: client.Held, Home: home, Log: r.log})
}

// client sends to an ingest server and says when it has to try again.
func (r *run) client(url string) *ingest.Client {
	return &ingest.Client{URL: url, OnRetry: func(cause error, pause time.Duration) {
		fmt.Fprintf(r.Stderr, "%s 暂时收不下：%v；%s 后重试\n", url, cause, pause.Round(100*time.Millisecond))
	}}
}

type simulateCommand struct {
	From  string   `required:"" placeholder:"DAY" help:"First day, for example 2026-01-01."`
	To    []string `required:"" sep:"none" placeholder:"DAY|URL" help:"Last day; and, given again, the ingest API to send to: --to 2026-01-31 --to http://127.0.0.1:8080."`
	Out   string   `placeholder:"FILE" help:"Write the events as NDJSON instead of sending them; - is standard output."`
	Seed  uint64   `default:"1" help:"The same seed gives the same province."`
	Scale float64  `default:"1" help:"Amount of work; 1 is the whole province."`
	Rate  int      `default:"0" placeholder:"N" help:"Send so many events a second; 0 is as fast as it goes."`
	Truth string   `placeholder:"FILE" help:"Write the simulator's own count of what it did, as JSON."`
}

// Run simulates to a server or a file and writes the truth.
func (c *simulateCommand) Run(ctx context.Context, r *run) error {
	config, url, err := c.config()
	if err != nil {
		return err
	}
	sim, err := simulate.New(config)
	if err != nil {
		return err
	}
	if url != "" {
		err = r.post(ctx, sim, url, c.Rate)
	} else {
		err = c.write(sim, r.Stdout)
	}
	if err != nil || c.Truth == "" {
		return err
	}
	f, err := os.Create(c.Truth)
	if err != nil {
		return fmt.Errorf("write the truth: %w", err)
	}
	defer f.Close()
	if err := sim.Truth(schemas.DayOf(time.Now())).Write(f); err != nil {
		return err
	}
	return f.Close()
}

// config tells the two meanings of --to apart.
func (c *simulateCommand) config() (config simulate.Config, url string, err error) {
	config = simulate.Config{Seed: c.Seed, Scale: c.Scale}
	if config.From, err = schemas.ParseDay(c.From); err != nil {
		return config, "", fmt.Errorf("--from: %w", err)
	}
	for _, to := range c.To {
		if strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") {
			url = strings.TrimRight(to, "/")
		} else if config.To, err = schemas.ParseDay(to); err != nil {
			return config, "", fmt.Errorf("--to: %w, nor an address such as http://127.0.0.1:8080", err)
		}
	}
	switch {
	case config.To == 0:
		return config, "", errors.New("--to: the last day is missing, for example --to 2026-01-31")
	case (url == "") == (c.Out == ""):
		return config, "", errors.New("say where the events go: either --to URL or --out FILE")
	case c.Rate < 0 || c.Rate > 1_000_000:
		return config, "", fmt.Errorf("--rate %d: from 1 to 1000000 events a second, or 0 for as fast as it goes", c.Rate)
	case c.Rate > 0 && url == "":
		return config, "", errors.New("--rate: only what is sent with --to URL has a rate; a file is written as fast as it goes")
	}
	return config, url, nil
}

func (c *simulateCommand) write(sim *simulate.Simulation, stdout io.Writer) error {
	if c.Out == "-" {
		_, err := simulate.WriteNDJSON(stdout, sim.Events())
		return err
	}
	f, err := os.Create(c.Out)
	if err != nil {
		return fmt.Errorf("write the events: %w", err)
	}
	defer f.Close()
	if _, err := simulate.WriteNDJSON(f, sim.Events()); err != nil {
		return err
	}
	return f.Close()
}

// post sends a simulation to an ingest server, so many events a second or, with
// 0, as fast as it goes; every event must be accepted.
func (r *run) post(ctx context.Context, sim *simulate.Simulation, url string, rate int) error {
	events := sim.Events()
	if rate > 0 {
		ticker := time.NewTicker(simulate.Tick)
		defer ticker.Stop()
		events = simulate.Paced(ctx, events, rate, ticker.C)
	}
	client := r.client(url)
	bar := progressbar.NewOptions(-1, progressbar.OptionSetWriter(r.Stderr), progressbar.OptionSetDescription("已发送事件"), progressbar.OptionShowCount(), progressbar.OptionThrottle(200*time.Millisecond))
	defer fmt.Fprintln(r.Stderr)
	return simulate.Post(ctx, events, func(ctx context.Context, events []schemas.Envelope) error {
		results, err := client.Send(ctx, events)
		for i, result := range results {
			if result.Status != ingest.Accepted {
				return fmt.Errorf("event %s (%s) was rejected: %v", events[i].ID, events[i].Type, result.Errors)
			}
		}
		return err
	}, simulate.BatchAt(rate, ingest.MaxBatchEvents), func(done int) { _ = bar.Set(done) })
}

// operated says where the engines are: by their addresses, or by the data
// directory of a standalone that runs.
type operated struct {
	Kafka      []string `env:"ZHIBAN_KAFKA" placeholder:"HOST:PORT" help:"Kafka bootstrap addresses."`
	ClickHouse string   `name:"clickhouse" env:"ZHIBAN_CLICKHOUSE" placeholder:"DSN" help:"Warehouse, clickhouse://user:password@host:9000/zhiban."`
	Data       string   `env:"ZHIBAN_DATA" default:"data" type:"path" help:"Data directory of a running standalone, when no addresses are given."`
	Group      string   `env:"ZHIBAN_GROUP" default:"zhiban-projector" help:"Consumer group of the projectors."`
}

// connect finds the engines and opens the warehouse.
func (o *operated) connect(ctx context.Context) (engines, *warehouse.Conn, error) {
	at := engines{Kafka: o.Kafka, ClickHouse: o.ClickHouse}
	if len(at.Kafka) == 0 && at.ClickHouse == "" {
		var err error
		if at, err = runningEngines(o.Data); err != nil {
			return at, nil, err
		}
	}
	if len(at.Kafka) == 0 || at.ClickHouse == "" {
		return at, nil, errors.New("give both addresses, --kafka and --clickhouse, or neither and the --data directory of a running standalone")
	}
	conn, err := warehouse.Open(ctx, at.ClickHouse)
	return at, conn, err
}

// enginesFile is where a standalone leaves the addresses of its engines while it
// runs. They hold a password, so it is for its owner alone.
func enginesFile(data string) string { return filepath.Join(data, "engines.json") }

func announceEngines(data string, at engines) (withdraw func(), err error) {
	b, err := json.Marshal(at)
	if err == nil {
		err = os.WriteFile(enginesFile(data), b, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("tell other commands where the engines are: %w", err)
	}
	return func() { _ = os.Remove(enginesFile(data)) }, nil
}

func runningEngines(data string) (engines, error) {
	var at engines
	b, err := os.ReadFile(enginesFile(data))
	if errors.Is(err, os.ErrNotExist) {
		return at, fmt.Errorf("no standalone runs in %s; give --data of one that does, or --kafka and --clickhouse", data)
	}
	if err == nil {
		err = json.Unmarshal(b, &at)
	}
	if err != nil {
		return at, fmt.Errorf("find the engines of the standalone in %s: %w", data, err)
	}
	return at, nil
}

// operator is who the commands for operating report to.
func (r *run) operator() operate.Operator {
	return operate.Operator{Out: r.Stdout, Err: r.Stderr, Watching: r.terminal(), Log: r.log}
}

type rebuildCommand struct {
	operated
	AcceptParked      bool `help:"Go past records that cannot be read, and park them."`
	AcceptDifferences bool `help:"Switch although the new tables say something else than the old ones."`
	Drop              int  `placeholder:"VERSION" help:"Instead: drop the tables of a version that is not in use any more."`
}

// Run rebuilds; not having switched is done in part.
func (c *rebuildCommand) Run(ctx context.Context, r *run) error {
	at, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if c.Drop > 0 {
		return r.operator().Drop(ctx, conn, c.Drop)
	}
	tuneForProjecting()
	switched, err := r.operator().Rebuild(ctx, projector.Config{Brokers: at.Kafka, Group: c.Group}, conn, operate.Rebuilding{AcceptParked: c.AcceptParked, AcceptDifferences: c.AcceptDifferences})
	return cmp.Or(err, inPart(!switched))
}

// inPart is errInPart when something was left.
func inPart(left bool) error {
	if left {
		return errInPart
	}
	return nil
}

type verifyCommand struct {
	operated
	Lang string `default:"zh" enum:"zh,en" help:"Language of the report."`
}

// Run verifies. The exit status is 0 when everything agrees, 2 when something
// does not, 1 when it could not be done.
func (c *verifyCommand) Run(ctx context.Context, r *run) error {
	at, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	ok, err := r.operator().Verify(ctx, at.Kafka, conn, c.Lang)
	return cmp.Or(err, inPart(!ok))
}

type deadletterCommand struct {
	List   deadletterListCommand   `cmd:"" help:"List the records that could not be read."`
	Show   deadletterShowCommand   `cmd:"" help:"Show one of them whole."`
	Replay deadletterReplayCommand `cmd:"" help:"Append those that can be read by now to the log again."`
}

type deadletterListCommand struct {
	operated
	All bool `help:"List those that were replayed, too."`
}

// Run lists what is parked.
func (c *deadletterListCommand) Run(ctx context.Context, r *run) error {
	_, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return r.operator().ListParked(ctx, conn, c.All)
}

type deadletterShowCommand struct {
	operated
	Place string `arg:"" name:"PARTITION/OFFSET" help:"Place in the log, as list shows it."`
}

// Run shows a parked record.
func (c *deadletterShowCommand) Run(ctx context.Context, r *run) error {
	_, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return r.operator().ShowParked(ctx, conn, c.Place)
}

type deadletterReplayCommand struct{ operated }

// Run replays what can be read by now; records that cannot are left.
func (c *deadletterReplayCommand) Run(ctx context.Context, r *run) error {
	at, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	left, err := r.operator().Replay(ctx, projector.Config{Brokers: at.Kafka, Group: c.Group}, conn)
	return cmp.Or(err, inPart(left > 0))
}
