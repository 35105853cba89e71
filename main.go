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
//	zhiban account, token        who may come in
//	zhiban erase, keys           sealed texts and their keys
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
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/alecthomas/kong"
	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/schollz/progressbar/v3"
	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"zhiban/dashboard"
	"zhiban/dashboard/login"
	"zhiban/dashboard/report"
	rights "zhiban/deploy/clickhouse"
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
	"zhiban/schemas/audit"
	"zhiban/schemas/directory"
	"zhiban/schemas/kafkaconn"
	"zhiban/schemas/ktable"
	"zhiban/schemas/seal"
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
	Account    accountCommand    `cmd:"" help:"See to the accounts of people and offices."`
	Token      tokenCommand      `cmd:"" help:"See to the tokens of programs."`
	Erase      eraseCommand      `cmd:"" help:"Destroy the keys of a person, so that their texts can be read nowhere any more."`
	Keys       keysCommand       `cmd:"" help:"See to the master keys."`
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
	Kafka      kafkaconn.Config
	ClickHouse string
}

// inKafka says where the log is.
type inKafka struct {
	kafkaconn.Config
}

// open makes the transport that all parts of a process share. A broker that
// refuses the settings is an error; one that is away may come back.
func (k inKafka) open(ctx context.Context) (*eventLog, error) {
	if len(k.Brokers) == 0 {
		return nil, errors.New("say where Kafka is: --kafka HOST:PORT")
	}
	transport, err := k.Transport()
	if err == nil {
		err = k.Check(ctx)
	}
	if err != nil && schemas.KindOf(err) != schemas.Unavailable {
		return nil, err
	}
	return &eventLog{k.Brokers, transport}, nil
}

// eventLog is the log as a process reaches it.
type eventLog struct {
	brokers   []string
	transport *kafka.Transport
}

func (l *eventLog) close() { l.transport.CloseIdleConnections() }

// inWarehouse says where the warehouse is.
type inWarehouse struct {
	ClickHouse string `name:"clickhouse" env:"ZHIBAN_CLICKHOUSE" required:"" placeholder:"DSN" help:"Warehouse, clickhouse://user:password@host:9000/zhiban."`
}

// masterKeys says where the master keys are.
type masterKeys struct {
	Keys string `env:"ZHIBAN_KEYS" type:"path" placeholder:"FILE" help:"Master keys of sealed texts and pseudonyms; made at the first start. Keep it, apart from the data: without it texts cannot be read and persons not be told apart."`
}

// entrance is how people and programs come in.
type entrance struct {
	Origin  string         `env:"ZHIBAN_ORIGIN" placeholder:"URL" help:"The site's address for people, for example https://zhiban.example; needed behind a proxy and for single sign-on."`
	OIDC    string         `name:"oidc" env:"ZHIBAN_OIDC" type:"existingfile" placeholder:"FILE" help:"Settings of single sign-on by OpenID Connect (YAML)."`
	Cert    string         `name:"tls-cert" env:"ZHIBAN_TLS_CERT" type:"path" placeholder:"FILE" help:"Certificate (PEM) to serve TLS with; a changed file is read anew. Without one, put a proxy with TLS in front."`
	Key     string         `name:"tls-key" env:"ZHIBAN_TLS_KEY" type:"path" placeholder:"FILE" help:"Key (PEM) of the certificate."`
	Proxies []netip.Prefix `name:"trust-proxy" env:"ZHIBAN_TRUST_PROXY" placeholder:"NET" help:"Networks of the proxies whose X-Forwarded-For is believed, for example 10.0.0.0/8."`
}

// Validate says what does not go together.
func (c *entrance) Validate() error {
	if (c.Cert == "") != (c.Key == "") {
		return errors.New("the certificate is half given: --tls-cert and --tls-key go together")
	}
	return nil
}

// scheme is what people's addresses begin with.
func (c *entrance) scheme() string {
	if c.Cert != "" || strings.HasPrefix(c.Origin, "https://") {
		return "https"
	}
	return "http"
}

// serve answers at a listener until ctx ends.
func (r *run) serve(ctx context.Context, l net.Listener, h http.Handler, c entrance) error {
	return access.Serve(ctx, l, access.Headers(h), access.ServeConfig{CertFile: c.Cert, KeyFile: c.Key, Log: r.log})
}

// office is who may come in, and the trail of what they did. Accounts, keys and
// trail are topics of the log, so that all processes have the same.
type office struct {
	directory *directory.Directory
	trail     *audit.Trail
	login     *login.Login
	gate      *access.Gate
	accounts  *ktable.Table
}

// office opens what stands in front of every page and API.
func (r *run) office(ctx context.Context, at *eventLog, c entrance) (*office, error) {
	o := &office{}
	group, opening := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		o.accounts, err = ktable.Open(opening, ktable.Config{Brokers: at.brokers, Topic: schemas.AccessTopic, Transport: at.transport})
		return err
	})
	group.Go(func() (err error) {
		o.trail, err = audit.Open(opening, audit.Config{Brokers: at.brokers, Transport: at.transport})
		return err
	})
	err := group.Wait()
	if err == nil {
		o.directory, err = directory.Open(o.accounts, time.Now)
	}
	if err == nil {
		err = o.open(c, r.log)
	}
	if err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

func (o *office) open(c entrance, log *slog.Logger) (err error) {
	record := func(ctx context.Context, e access.Entry) error { return o.trail.Record(ctx, audit.Record(e)) }
	config := login.Config{Directory: o.directory, Sessions: o.directory, Secure: c.scheme() == "https", Origin: c.Origin, Audit: record, Log: log}
	if c.OIDC != "" {
		if config.OIDC, err = login.ReadOIDC(c.OIDC); err != nil {
			return err
		}
	}
	if o.login, err = login.New(config); err != nil {
		return err
	}
	o.gate = &access.Gate{Session: o.login.Session, Token: o.directory.Check, Audit: record, Proxies: c.Proxies, Log: log}
	return nil
}

func (o *office) close() (err error) {
	if o.trail != nil {
		err = o.trail.Close()
	}
	if o.accounts != nil {
		err = errors.Join(err, o.accounts.Close())
	}
	return err
}

// router is a router behind the gate, which lets in by rules.
func (o *office) router(rules ...map[string]access.Rule) *mux.Router {
	o.gate.Rules = login.Rules()
	for _, more := range rules {
		maps.Copy(o.gate.Rules, more)
	}
	router := mux.NewRouter()
	router.Use(o.login.Middleware, o.gate.Middleware)
	o.login.Register(router)
	return router
}

// keyring opens the keys of sealed texts and pseudonyms.
func (r *run) keyring(ctx context.Context, at *eventLog, file *seal.KeyFile) (*seal.Keyring, *ktable.Table, error) {
	table, err := ktable.Open(ctx, ktable.Config{Brokers: at.brokers, Topic: schemas.KeyTopic, Transport: at.transport})
	if err != nil {
		return nil, nil, err
	}
	keys, err := seal.New(ctx, table, file, file.Pseudonyms())
	if err != nil {
		return nil, nil, errors.Join(err, table.Close())
	}
	return keys, table, nil
}

type standaloneCommand struct {
	Listen  string `env:"ZHIBAN_LISTEN" default:"127.0.0.1:8080" help:"Address of the dashboard and the API."`
	Data    string `env:"ZHIBAN_DATA" default:"data" type:"path" help:"Directory of log and warehouse."`
	NoDemo  bool   `help:"Do not fill an empty platform with a demo province."`
	Library string `env:"ZHIBAN_CLICKHOUSE_LIB" type:"path" placeholder:"FILE" help:"ClickHouse library (libchdb.so); found in the cache when not given."`
	masterKeys
	entrance
	closing
}

// keyFile is beside the data, so that a copy of the data holds no key.
func (c *standaloneCommand) keyFile() string {
	return cmp.Or(c.Keys, strings.TrimRight(c.Data, string(filepath.Separator))+".keys")
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
	at := engines{Kafka: kafkaconn.Config{Brokers: []string{eng.Kafka()}}, ClickHouse: eng.ClickHouse().DSN()}
	withdraw, err := announceEngines(c.Data, at)
	if err != nil {
		return err
	}
	defer withdraw()
	log, err := inKafka{at.Kafka}.open(ctx)
	if err != nil {
		return err
	}
	defer log.close()
	if err := warehouse.Migrate(ctx, at.ClickHouse); err != nil {
		return err
	}
	conn, err := warehouse.Open(ctx, eng.ClickHouseAs(rights.Projector).DSN())
	if err != nil {
		return err
	}
	defer conn.Close()
	file, _, err := seal.OpenOrCreateKeyFile(c.keyFile(), time.Now())
	if err != nil {
		return err
	}
	keys, wrapped, err := r.keyring(ctx, log, file)
	if err != nil {
		return err
	}
	defer wrapped.Close()
	office, err := r.office(ctx, log, c.entrance)
	if err != nil {
		return err
	}
	defer office.close()
	office.gate.Nobody = office.sole

	demo := demoProvince{c.Data, eng.Kafka(), keys}
	shown := !c.NoDemo && (fresh || demo.begun())
	if shown {
		if err := demo.fill(ctx, r.Stdout); err != nil {
			return err
		}
	}

	metrics := newMetrics()
	in, err := r.ingest(log, keys, rules)
	if err != nil {
		return err
	}
	defer in.Close()
	read, err := warehouse.Open(ctx, eng.ClickHouseAs(rights.Dashboard).DSN())
	if err != nil {
		return err
	}
	defer read.Close()
	pages, err := r.dashboard(read, rules, dashboard.Config{Metrics: metrics, Ready: in.Ready, Replay: r.replay(log, conn), Append: in.Append, Audit: office.trail.Record, Unseal: keys.Unseal, Beside: []dashboard.Place{
		{Path: "/desk", Title: schemas.Text{ZH: "工作站登记", EN: "Station desk"}, May: access.WriteEvents},
		{Path: "/import", Title: schemas.Text{ZH: "台账导入", EN: "Import ledgers"}, May: access.WriteEvents},
		{Path: "/accounts", Title: schemas.Text{ZH: "账号与令牌", EN: "Accounts"}, May: access.ManageAccounts},
	}})
	if err != nil {
		return err
	}
	router := office.router(dashboard.Rules(), ingest.Rules(), desk.Rules(), upload.Rules())
	in.Register(router)
	r.entryPages(router, "/docs/events", "/")
	pages.Register(router)
	router.NotFoundHandler = office.login.Middleware(office.gate.Unmatched(pages.Nowhere()))
	office.gate.Deny = pages.Deny

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.project(ctx, log, conn, "", metrics) })
	group.Go(func() error { return projector.ProjectAudit(ctx, log.brokers, log.transport, conn, r.log) })
	group.Go(func() error { return office.directory.Tidy(ctx) })
	group.Go(func() error { return r.serve(ctx, listener, router, c.entrance) })
	group.Go(func() error {
		if err := demo.closeMonths(ctx, read, rules, r.log); err != nil {
			r.log.Warn("the demo's months are not closed; the next start tries again", "error", err)
		}
		return nil
	})
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-eng.Done():
			return eng.Err()
		}
	})
	origin := cmp.Or(c.Origin, c.scheme()+"://"+listener.Addr().String())
	fmt.Fprintf(r.Stdout, "值班律师工作站统计分析平台已启动：%s/\n", origin)
	if err := office.welcome(ctx, r.Stdout, origin, shown); err != nil {
		r.log.Warn("no login links can be made now; zhiban account link makes one", "error", err)
	}
	fmt.Fprintln(r.Stdout, "按 Ctrl-C 停止。")
	return group.Wait()
}

// embeddedPartitions is how many partitions the embedded log has: enough to
// keep two cores busy, few enough to keep batches large.
const embeddedPartitions = 4

// sole is the user of this machine, for as long as nobody has claimed it by
// becoming administrator: a platform that was just started can be looked at, and
// programs that came before accounts go on.
func (o *office) sole(r *http.Request) (access.Identity, bool) {
	if o.directory.Claimed() || !access.Local(r) {
		return access.Identity{}, false
	}
	return access.Identity{Account: "standalone", Title: "本机用户", Role: access.Province, Scope: access.ProvinceWide, Sole: true}, true
}

// welcome says how to come in: by the first administrator's link, and by one for
// each role of the demonstration.
func (o *office) welcome(ctx context.Context, out io.Writer, origin string, demo bool) error {
	secret, err := o.directory.FirstAdministrator(ctx)
	if err != nil {
		return err
	}
	if secret != "" {
		fmt.Fprintf(out, "尚未设置管理员：目前只有本机可以打开，无需登录。以下链接设置管理员，之后人人都须登录（24 小时内有效，只能用一次）：\n  %s\n", operate.LinkURL(origin, secret))
	}
	if _, was := o.directory.Account(string("demo-" + access.Province)); !demo && !was {
		return nil
	}
	links, err := o.directory.DemoAccounts(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "以各角色进入演示的链接（24 小时内有效，只能用一次）：")
	table := tabwriter.NewWriter(out, 2, 4, 2, ' ', 0)
	for _, l := range links {
		fmt.Fprintf(table, "  %s\t%s\n", operate.LinkURL(origin, l.Secret), l.Title)
	}
	return table.Flush()
}

type ingestCommand struct {
	Listen string `env:"ZHIBAN_LISTEN" default:":8081" help:"Address of the API."`
	inKafka
	masterKeys
	entrance
	closing
}

// Run serves POST /api/v1/events, the desk and the import page.
func (c *ingestCommand) Run(ctx context.Context, r *run) error {
	rules, err := c.rules()
	if err != nil {
		return err
	}
	if c.Keys == "" {
		return errors.New("say where the master keys are: --keys FILE; it is made if it is not there")
	}
	listener, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	log, err := c.inKafka.open(ctx)
	if err != nil {
		return err
	}
	defer log.close()
	file, _, err := seal.OpenOrCreateKeyFile(c.Keys, time.Now())
	if err != nil {
		return err
	}
	keys, wrapped, err := r.keyring(ctx, log, file)
	if err != nil {
		return err
	}
	defer wrapped.Close()
	office, err := r.office(ctx, log, c.entrance)
	if err != nil {
		return err
	}
	defer office.close()
	in, err := r.ingest(log, keys, rules)
	if err != nil {
		return err
	}
	defer in.Close()
	r.log.Info("ingest", "listen", listener.Addr())
	router := office.router(ingest.Rules(), desk.Rules(), upload.Rules())
	in.Register(router)
	in.RegisterHealth(router)
	r.entryPages(router, "/api/v1/event-types", "/desk")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return office.directory.Tidy(ctx) })
	group.Go(func() error { return r.serve(ctx, listener, router, c.entrance) })
	return group.Wait()
}

type projectorCommand struct {
	inKafka
	inWarehouse
	Group string `env:"ZHIBAN_GROUP" default:"zhiban-projector" help:"Consumer group; members of one group share the work."`
}

// Run projects until it is told to stop.
func (c *projectorCommand) Run(ctx context.Context, r *run) error {
	conn, err := warehouse.Open(ctx, c.ClickHouse)
	if err != nil {
		return err
	}
	defer conn.Close()
	log, err := c.inKafka.open(ctx)
	if err != nil {
		return err
	}
	defer log.close()
	collectSeldom()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(projectorMemory)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.project(ctx, log, conn, c.Group, newMetrics()) })
	group.Go(func() error { return projector.ProjectAudit(ctx, log.brokers, log.transport, conn, r.log) })
	return group.Wait()
}

// collectSeldom is for a process in which nothing else than projecting happens,
// which makes much short-lived garbage.
func collectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
}

// projectorMemory is what a projector's heap keeps to: batches of four partitions
// take some 300 MB, and more memory saves little of the collector's time.
const projectorMemory = 512 << 20

type dashboardCommand struct {
	Listen string `env:"ZHIBAN_LISTEN" default:":8080" help:"Address of the pages and the API."`
	inKafka
	inWarehouse
	masterKeys
	Ingest string `env:"ZHIBAN_INGEST" placeholder:"URL" help:"Address of the ingest API, to close months here; without it the dashboard only reads."`
	entrance
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
	log, err := c.inKafka.open(ctx)
	if err != nil {
		return err
	}
	defer log.close()
	office, err := r.office(ctx, log, c.entrance)
	if err != nil {
		return err
	}
	defer office.close()
	conn, err := warehouse.Open(ctx, c.ClickHouse)
	if err != nil {
		return err
	}
	defer conn.Close()
	config := dashboard.Config{Metrics: newMetrics(), Audit: office.trail.Record, Beside: []dashboard.Place{
		{Path: "/accounts", Title: schemas.Text{ZH: "账号与令牌", EN: "Accounts"}, May: access.ManageAccounts},
	}}
	if c.Keys != "" {
		file, err := seal.OpenKeyFile(c.Keys)
		if err != nil {
			return err
		}
		keys, wrapped, err := r.keyring(ctx, log, file)
		if err != nil {
			return err
		}
		defer wrapped.Close()
		config.Unseal = keys.Unseal
	}
	if c.Ingest != "" {
		config.Append = (&ingest.Client{URL: c.Ingest, Patience: 10 * time.Second}).Append
	}
	pages, err := r.dashboard(conn, rules, config)
	if err != nil {
		return err
	}
	r.log.Info("dashboard", "listen", listener.Addr())
	router := office.router(dashboard.Rules())
	pages.Register(router)
	router.NotFoundHandler = office.login.Middleware(office.gate.Unmatched(pages.Nowhere()))
	office.gate.Deny = pages.Deny
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return office.directory.Tidy(ctx) })
	group.Go(func() error { return r.serve(ctx, listener, router, c.entrance) })
	return group.Wait()
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

type migrateCommand struct{ inWarehouse }

// Run migrates the warehouse.
func (c *migrateCommand) Run(ctx context.Context) error {
	return warehouse.Migrate(ctx, c.ClickHouse)
}

func (r *run) ingest(at *eventLog, keys *seal.Keyring, rules *schemas.ReturnRules) (*ingest.Server, error) {
	return ingest.New(ingest.Config{Brokers: at.brokers, Transport: at.transport, Keys: keys, Returns: rules, Logger: r.log})
}

func (r *run) project(ctx context.Context, at *eventLog, conn *warehouse.Conn, group string, metrics *prometheus.Registry) error {
	p, err := projector.New(projector.Config{Brokers: at.brokers, Transport: at.transport, Group: group}, conn, r.log)
	if err != nil {
		return err
	}
	metrics.MustRegister(p.Collectors()...)
	return p.Run(ctx)
}

// replay is how the dashboard has parked records read again.
func (r *run) replay(at *eventLog, conn *warehouse.Conn) func(context.Context) (appended, left int, err error) {
	return func(ctx context.Context) (int, int, error) {
		p, err := projector.New(projector.Config{Brokers: at.brokers, Transport: at.transport}, conn, r.log)
		if err != nil {
			return 0, 0, err
		}
		done, err := p.Replay(ctx)
		return done.Appended, done.Left, err
	}
}

func (r *run) dashboard(conn driver.Conn, rules *schemas.ReturnRules, config dashboard.Config) (*dashboard.Server, error) {
	config.Log = r.log
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
	keys  *seal.Keyring
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
	if err := ingest.AppendRecorded(ctx, []string{d.kafka}, d.keys, sim.Events(), func(e schemas.Envelope) {
		if t, err := time.Parse(time.RFC3339, e.RecordedTime); err == nil {
			_ = bar.Set(min(int(schemas.DayOf(t)-config.From), int(config.To-config.From)))
		}
	}); err != nil {
		return fmt.Errorf("fill the demo province: %w", err)
	}
	_ = bar.Finish()
	debug.FreeOSMemory() // the filling needed much more than what follows
	fmt.Fprintf(out, "演示数据已写入（%s 至 %s，虚构）。用 --no-demo 可以从空白开始。\n", config.From, config.To)
	return os.Rename(d.mark(), d.closing())
}

// closing is there until the months of the province are closed, too.
func (d demoProvince) closing() string { return filepath.Join(d.dir, "demo-months") }

// closeMonths closes the province's last months, once the projection has it.
func (d demoProvince) closeMonths(ctx context.Context, conn driver.Conn, rules *schemas.ReturnRules, log *slog.Logger) error {
	b, err := os.ReadFile(d.closing())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("close the months of the demo: %w", err)
	}
	day, err := schemas.ParseDay(strings.TrimSpace(string(b)))
	if err != nil {
		return fmt.Errorf("close the months of the demo: %s: %w", d.closing(), err)
	}
	figures := report.New(conn)
	figures.Rules = rules
	if err := d.projected(ctx, figures); err != nil {
		return err
	}
	demo := dashboard.DemoClose{Figures: figures, First: day.Month() - demoMonths, Until: day.Start(), Log: log,
		Append: func(ctx context.Context, events []schemas.Envelope) error {
			return ingest.AppendRecorded(ctx, []string{d.kafka}, d.keys, slices.Values(events), func(schemas.Envelope) {})
		}}
	if err := demo.Run(ctx); ctx.Err() != nil {
		return nil //nolint:nilerr // told to end: the next start goes on
	} else if err != nil {
		return err
	}
	return os.Remove(d.closing())
}

// projected returns when all of the log is.
func (d demoProvince) projected(ctx context.Context, figures *report.Warehouse) error {
	client := &kafka.Client{Addr: kafka.TCP(d.kafka), Transport: &kafka.Transport{}}
	ends := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}}
	for p := range embeddedPartitions {
		ends.Topics[schemas.Topic] = append(ends.Topics[schemas.Topic], kafka.LastOffsetOf(p))
	}
	there, err := client.ListOffsets(ctx, ends)
	if err != nil {
		return fmt.Errorf("find the end of the log: %w", err)
	}
	for {
		cut, err := figures.Cut(ctx, time.Time{})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(there.Topics[schemas.Topic], func(p kafka.PartitionOffsets) bool { return cut.Offsets[p.Partition] < p.LastOffset }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// demoMonths are how many of the demo's months are closed: enough for a grid and
// its history, in little time.
const demoMonths = 2

type importCommand struct {
	To       string   `placeholder:"URL" help:"Address of the ingest API, for example http://127.0.0.1:8080."`
	DryRun   bool     `help:"Show what would be sent, and send nothing."`
	Station  string   `placeholder:"CODE" help:"Station of the ledgers, when their titles do not tell."`
	Template string   `placeholder:"KIND" help:"Write an empty ledger of a kind instead; list names the kinds."`
	Out      string   `type:"path" placeholder:"FILE" help:"Where the template goes."`
	Files    []string `arg:"" optional:"" name:"FILE" help:"Ledgers and registers (XLSX or CSV)."`
	shown
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
	client := r.client(c.To, c.Token)
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
func (r *run) client(url, token string) *ingest.Client {
	return &ingest.Client{URL: url, Token: token, OnRetry: func(cause error, pause time.Duration) {
		fmt.Fprintf(r.Stderr, "%s 暂时收不下：%v；%s 后重试\n", url, cause, pause.Round(100*time.Millisecond))
	}}
}

// shown is the token that a program shows.
type shown struct {
	Token string `env:"ZHIBAN_TOKEN" placeholder:"TOKEN" help:"Token to show to the server. Everybody on a machine sees its command lines: rather set the variable."`
}

type simulateCommand struct {
	From  string   `required:"" placeholder:"DAY" help:"First day, for example 2026-01-01."`
	To    []string `required:"" sep:"none" placeholder:"DAY|URL" help:"Last day; and, given again, the ingest API to send to: --to 2026-01-31 --to http://127.0.0.1:8080."`
	Out   string   `placeholder:"FILE" help:"Write the events as NDJSON instead of sending them; - is standard output."`
	Seed  uint64   `default:"1" help:"The same seed gives the same province."`
	Scale float64  `default:"1" help:"Amount of work; 1 is the whole province."`
	Rate  int      `default:"0" placeholder:"N" help:"Send so many events a second; 0 is as fast as it goes."`
	Truth string   `placeholder:"FILE" help:"Write the simulator's own count of what it did, as JSON."`
	shown
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
		err = r.post(ctx, sim, r.client(url, c.Token), c.Rate)
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
func (r *run) post(ctx context.Context, sim *simulate.Simulation, client *ingest.Client, rate int) error {
	events := sim.Events()
	if rate > 0 {
		ticker := time.NewTicker(simulate.Tick)
		defer ticker.Stop()
		events = simulate.Paced(ctx, events, rate, ticker.C)
	}
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
	inKafka
	ClickHouse string `name:"clickhouse" env:"ZHIBAN_CLICKHOUSE" placeholder:"DSN" help:"Warehouse, clickhouse://user:password@host:9000/zhiban."`
	Data       string `env:"ZHIBAN_DATA" default:"data" type:"path" help:"Data directory of a running standalone, when no addresses are given."`
	Group      string `env:"ZHIBAN_GROUP" default:"zhiban-projector" help:"Consumer group of the projectors."`
}

// connect finds the engines and opens both.
func (o *operated) connect(ctx context.Context) (*eventLog, *warehouse.Conn, error) {
	at := engines{o.Config, o.ClickHouse}
	if len(o.Brokers) == 0 && at.ClickHouse == "" {
		var err error
		if at, err = runningEngines(o.Data); err != nil {
			return nil, nil, err
		}
	}
	if len(at.Kafka.Brokers) == 0 || at.ClickHouse == "" {
		return nil, nil, errors.New("give both addresses, --kafka and --clickhouse, or neither and the --data directory of a running standalone")
	}
	log, err := inKafka{at.Kafka}.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	conn, err := warehouse.Open(ctx, at.ClickHouse)
	if err != nil {
		log.close()
		return nil, nil, err
	}
	return log, conn, nil
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
func (r *run) operator(at *eventLog) operate.Operator {
	return operate.Operator{Out: r.Stdout, Err: r.Stderr, Watching: r.terminal(), Log: r.log, Transport: at.transport}
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
	defer at.close()
	defer conn.Close()
	if c.Drop > 0 {
		return r.operator(at).Drop(ctx, conn, c.Drop)
	}
	collectSeldom() // for as long as it takes, a rebuild may have its memory
	switched, err := r.operator(at).Rebuild(ctx, projector.Config{Brokers: at.brokers, Group: c.Group}, conn, operate.Rebuilding{AcceptParked: c.AcceptParked, AcceptDifferences: c.AcceptDifferences})
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
	defer at.close()
	defer conn.Close()
	ok, err := r.operator(at).Verify(ctx, at.brokers, conn, c.Lang)
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
	at, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer at.close()
	defer conn.Close()
	return r.operator(at).ListParked(ctx, conn, c.All)
}

type deadletterShowCommand struct {
	operated
	Place string `arg:"" name:"PARTITION/OFFSET" help:"Place in the log, as list shows it."`
}

// Run shows a parked record.
func (c *deadletterShowCommand) Run(ctx context.Context, r *run) error {
	at, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer at.close()
	defer conn.Close()
	return r.operator(at).ShowParked(ctx, conn, c.Place)
}

type deadletterReplayCommand struct{ operated }

// Run replays what can be read by now; records that cannot are left.
func (c *deadletterReplayCommand) Run(ctx context.Context, r *run) error {
	at, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer at.close()
	defer conn.Close()
	left, err := r.operator(at).Replay(ctx, projector.Config{Brokers: at.brokers, Group: c.Group}, conn)
	return cmp.Or(err, inPart(left > 0))
}

// administered says where accounts and keys are: in Kafka, or in the log of a
// standalone that runs.
type administered struct {
	inKafka
	Data   string `env:"ZHIBAN_DATA" default:"data" type:"path" help:"Data directory of a running standalone, when no Kafka is given."`
	Origin string `env:"ZHIBAN_ORIGIN" default:"http://127.0.0.1:8080" placeholder:"URL" help:"The site's address, for links."`
}

func (a *administered) log(ctx context.Context) (*eventLog, error) {
	at := a.Config
	if len(at.Brokers) == 0 {
		running, err := runningEngines(a.Data)
		if err != nil {
			return nil, err
		}
		at = running.Kafka
	}
	return inKafka{at}.open(ctx)
}

// with does something with accounts.
func (a *administered) with(ctx context.Context, r *run, do func(operate.Access) error) error {
	at, err := a.log(ctx)
	if err != nil {
		return err
	}
	defer at.close()
	office, err := r.office(ctx, at, entrance{})
	if err != nil {
		return err
	}
	err = do(operate.Access{Operator: r.operator(at), Directory: office.directory, Trail: office.trail, Origin: strings.TrimRight(a.Origin, "/")})
	return errors.Join(err, office.close())
}

type accountCommand struct {
	List    accountListCommand    `cmd:"" help:"List the accounts."`
	Create  accountCreateCommand  `cmd:"" help:"Make an account, and a one-time link to enter it."`
	Link    accountLinkCommand    `cmd:"" help:"Make a one-time link for an account, as when its password was forgotten."`
	Disable accountDisableCommand `cmd:"" help:"Lock an account out, and end its sessions."`
	Enable  accountEnableCommand  `cmd:"" help:"Let a disabled account in again."`
}

type accountListCommand struct{ administered }

// Run lists accounts.
func (c *accountListCommand) Run(ctx context.Context, r *run) error {
	return c.with(ctx, r, operate.Access.ListAccounts)
}

// scoped is a role and what it reaches.
type scoped struct {
	Role     access.Role          `required:"" help:"administrator, province, prefecture, county, station, host, bar, procurator or auditor."`
	Division schemas.DivisionCode `placeholder:"CODE" help:"Division that the role is bound to, for example 220182."`
	Station  schemas.StationCode  `placeholder:"CODE" help:"Station that the role is bound to, for example 220182-court."`
}

func (s scoped) scope() access.Scope { return access.Scope{Division: s.Division, Station: s.Station} }

type accountCreateCommand struct {
	Name  string `arg:"" help:"Name to log in with."`
	Title string `help:"Name of the person or office, as it signs."`
	scoped
	administered
}

// Run makes an account.
func (c *accountCreateCommand) Run(ctx context.Context, r *run) error {
	return c.with(ctx, r, func(a operate.Access) error {
		return a.CreateAccount(ctx, directory.Account{Name: c.Name, Title: c.Title, Role: c.Role, Scope: c.scope()})
	})
}

type accountLinkCommand struct {
	Name string `arg:"" help:"The account."`
	administered
}

// Run makes a link.
func (c *accountLinkCommand) Run(ctx context.Context, r *run) error {
	return c.with(ctx, r, func(a operate.Access) error { return a.LinkTo(ctx, c.Name) })
}

type accountDisableCommand struct {
	Name string `arg:"" help:"The account."`
	administered
}

// Run locks an account out.
func (c *accountDisableCommand) Run(ctx context.Context, r *run) error {
	return c.with(ctx, r, func(a operate.Access) error { return a.DisableAccount(ctx, c.Name) })
}

type accountEnableCommand struct {
	Name string `arg:"" help:"The account."`
	administered
}

// Run lets an account in again.
func (c *accountEnableCommand) Run(ctx context.Context, r *run) error {
	return c.with(ctx, r, func(a operate.Access) error { return a.EnableAccount(ctx, c.Name) })
}

type tokenCommand struct {
	List   tokenListCommand   `cmd:"" help:"List the tokens of programs."`
	Create tokenCreateCommand `cmd:"" help:"Make a token and print it, this once."`
	Revoke tokenRevokeCommand `cmd:"" help:"End a token."`
}

type tokenListCommand struct{ administered }

// Run lists tokens.
func (c *tokenListCommand) Run(ctx context.Context, r *run) error {
	return c.with(ctx, r, operate.Access.ListTokens)
}

type tokenCreateCommand struct {
	Title string `arg:"" help:"What the token is for."`
	Days  int    `default:"365" help:"How long it is good."`
	scoped
	administered
}

// Run makes a token.
func (c *tokenCreateCommand) Run(ctx context.Context, r *run) error {
	return c.with(ctx, r, func(a operate.Access) error {
		return a.NewToken(ctx, directory.Token{Title: c.Title, Role: c.Role, Scope: c.scope(), Expires: time.Now().AddDate(0, 0, c.Days)})
	})
}

type tokenRevokeCommand struct {
	ID string `arg:"" help:"The token's id, as list shows it."`
	administered
}

// Run ends a token.
func (c *tokenRevokeCommand) Run(ctx context.Context, r *run) error {
	return c.with(ctx, r, func(a operate.Access) error { return a.RevokeToken(ctx, c.ID) })
}

// keyed says where keys are, too.
type keyed struct {
	administered
	masterKeys
}

// with does something with accounts and keys; the key file must be there.
func (k *keyed) with(ctx context.Context, r *run, do func(operate.Access, *seal.Keyring, *seal.KeyFile) error) error {
	path := k.Keys
	if path == "" && len(k.Brokers) == 0 {
		path = (&standaloneCommand{Data: k.Data}).keyFile()
	}
	if path == "" {
		return errors.New("say where the master keys are: --keys FILE")
	}
	file, err := seal.OpenKeyFile(path)
	if err != nil {
		return err
	}
	return k.administered.with(ctx, r, func(a operate.Access) error {
		at, err := k.log(ctx)
		if err != nil {
			return err
		}
		defer at.close()
		keys, wrapped, err := r.keyring(ctx, at, file)
		if err != nil {
			return err
		}
		return errors.Join(do(a, keys, file), wrapped.Close())
	})
}

type eraseCommand struct {
	Person string `required:"" help:"The person's pseudonym: as stations send it, or keyed as the log has it."`
	keyed
}

// Run destroys a person's keys.
func (c *eraseCommand) Run(ctx context.Context, r *run) error {
	return c.with(ctx, r, func(a operate.Access, keys *seal.Keyring, _ *seal.KeyFile) error { return a.Erase(ctx, keys, c.Person) })
}

type keysCommand struct {
	Rotate keysRotateCommand `cmd:"" help:"Make a new master key, and wrap every person's key with it."`
}

type keysRotateCommand struct{ keyed }

// Run rotates the master key.
func (c *keysRotateCommand) Run(ctx context.Context, r *run) error {
	return c.with(ctx, r, func(a operate.Access, keys *seal.Keyring, file *seal.KeyFile) error { return a.Rotate(ctx, keys, file) })
}
