package embedded

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/cenkalti/backoff/v5"

	rights "zhiban/deploy/clickhouse"
)

// ClickHouse says how the application reaches the embedded ClickHouse.
type ClickHouse struct {
	Addr     string // host:port of the native protocol
	Database string
	User     string
	Password string
}

// DSN is the same in one string, as clickhouse.ParseDSN reads it:
// clickhouse://user:password@host:port/database.
func (c ClickHouse) DSN() string {
	u := url.URL{
		Scheme: "clickhouse",
		User:   url.UserPassword(c.User, c.Password),
		Host:   c.Addr,
		Path:   "/" + c.Database,
	}
	return u.String()
}

const (
	database = "zhiban"
	user     = "zhiban"

	// memoryBytes is what ClickHouse may allocate, unless half of the machine's
	// memory is less. An idle one has 50 MiB of its own, and 160 MiB of the
	// library's pages that the system can drop.
	memoryBytes = 2 << 30

	// startWait is how long ClickHouse may take to answer after its start: loading
	// many tables and parts takes time, but seconds.
	startWait = time.Minute
	// stopWait is how long it may take to end when told to, before it is killed.
	stopWait = 5 * time.Second
	// maxFailedStarts is after how many starts in a row without an answer
	// ClickHouse is given up: some 10 seconds.
	maxFailedStarts = 10

	cannotLoad = "cannot load the library"
)

// localQueries is what the session that starts ClickHouse executes. The last one
// reads lines from standard input until its end, and with it ClickHouse ends.
// Creating the table that it reads is a query too.
var localQueries = []string{
	"SYSTEM START LISTEN TCP",
	"SELECT * FROM table FORMAT Null",
}

// warehouse is ClickHouse as a supervised child process. One goroutine starts
// it, waits for it, and starts it again when it ends without being told to.
type warehouse struct {
	library string
	dir     string // ClickHouse's own files
	config  string
	conn    ClickHouse            // of the application's own user
	users   map[string]ClickHouse // of those with less rights, by name
	env     []string              // their passwords' hashes
	relay   *relay
	lock    *os.File
	out     *logFile
	log     *slog.Logger

	stop    chan struct{} // closed to end it
	started chan error    // gets the outcome of the first start
	done    chan struct{} // closed when the supervisor has returned
	err     error         // why, when not told to; set before done is closed

	mu      sync.Mutex
	current *process
}

// process is one run of ClickHouse.
type process struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	running context.Context // ends with the process; its cause says how
}

// startWarehouse returns when ClickHouse answers at ln and has the
// application's database. lock is the lock of the data directory, which every run
// inherits.
func startWarehouse(ctx context.Context, dir, library string, ln net.Listener, lock *os.File, log *slog.Logger) (*warehouse, error) {
	w, err := newWarehouse(dir, library, ln, lock, log)
	if err != nil {
		ln.Close()
		return nil, fmt.Errorf("prepare ClickHouse: %w", dirError(dir, err))
	}
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	return w, nil
}

// freePort finds a port on loopback for ClickHouse, for one run of it. It is one
// below those that the system gives to outgoing connections (32768 and up on
// Linux), since it is not taken before ClickHouse listens on it.
func freePort() (int, error) {
	const first, last, attempts = 20000, 32767, 50
	for attempt := 1; ; attempt++ {
		port := first + mathrand.IntN(last-first+1)
		ln, err := net.Listen("tcp", loopback(port))
		if err == nil {
			return port, ln.Close()
		}
		if attempt == attempts {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
	}
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func newWarehouse(dir, library string, ln net.Listener, lock *os.File, log *slog.Logger) (_ *warehouse, err error) {
	w := &warehouse{
		library: library,
		dir:     filepath.Join(dir, "clickhouse"),
		config:  filepath.Join(dir, "clickhouse.xml"),
		conn:    ClickHouse{Addr: ln.Addr().String(), Database: database, User: user},
		lock:    lock,
		log:     log,
		stop:    make(chan struct{}),
		started: make(chan error, 1),
		done:    make(chan struct{}),
	}
	if w.conn.Password, err = loadPassword(filepath.Join(dir, "clickhouse-password")); err != nil {
		return nil, err
	}
	w.lesserUsers()
	more := filepath.Join(dir, "clickhouse-users.d") // ClickHouse reads it with users
	if err := errors.Join(os.MkdirAll(w.dir, 0o700), os.MkdirAll(more, 0o700)); err != nil {
		return nil, err
	}
	users := filepath.Join(dir, "clickhouse-users.xml")
	if err := errors.Join(
		os.WriteFile(filepath.Join(more, "zhiban.xml"), rights.Users, 0o600),
		writeConfig("users.xml", users, map[string]any{
			"User":           user,
			"PasswordSHA256": hash(w.conn.Password),
			"Database":       database,
			"LocalQueries":   len(localQueries) + 1,
		}),
		writeConfig("clickhouse.xml", w.config, map[string]any{
			"Users":       users,
			"MemoryBytes": memoryBytes,
		}),
	); err != nil {
		return nil, err
	}
	w.out = openLogFile(filepath.Join(dir, "clickhouse.log"))
	passwords := map[string]string{w.conn.User: w.conn.Password}
	for name, u := range w.users {
		passwords[name] = u.Password
	}
	w.relay = startRelay(ln, passwords)
	return w, nil
}

// lesserUsers gives each of the users that a server has, too, a password for as long as
// the engines run.
func (w *warehouse) lesserUsers() {
	w.users = map[string]ClickHouse{}
	for name, variable := range map[string]string{
		rights.Migrate: rights.MigrateHash, rights.Projector: rights.ProjectorHash, rights.Dashboard: rights.DashboardHash,
	} {
		password := rand.Text()
		w.users[name] = ClickHouse{Addr: w.conn.Addr, Database: database, User: name, Password: password}
		w.env = append(w.env, variable+"="+hash(password))
	}
}

func hash(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

//go:embed config
var configs embed.FS

var configTemplates = template.Must(template.New("").Funcs(template.FuncMap{"xml": escapeXML}).ParseFS(configs, "config/*.xml"))

func escapeXML(text string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(text))
	return b.String(), err
}

func writeConfig(name, path string, values map[string]any) error {
	var b bytes.Buffer
	if err := configTemplates.ExecuteTemplate(&b, name, values); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// loadPassword reads the application's password, or makes one at the first start.
func loadPassword(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil && len(bytes.TrimSpace(text)) > 0 {
		return string(bytes.TrimSpace(text)), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	password := rand.Text()
	return password, os.WriteFile(path, []byte(password+"\n"), 0o600)
}

// start starts the supervisor and waits for its first run to answer.
func (w *warehouse) start(ctx context.Context) error {
	go w.supervise()
	select {
	case err := <-w.started:
		if err != nil {
			<-w.done
		}
		return err
	case <-ctx.Done():
		w.close()
		return fmt.Errorf("start ClickHouse: %w", context.Cause(ctx))
	}
}

// close ends ClickHouse and waits for that.
func (w *warehouse) close() {
	close(w.stop)
	<-w.done
}

func (w *warehouse) supervise() {
	defer close(w.done)
	defer w.relay.close()
	defer w.out.close()
	// The signal that ends a child with its parent is sent when the parent's
	// *thread* ends, so all children are started from one thread that stays.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 100 * time.Millisecond
	pause.MaxInterval = 5 * time.Second

	failed := 0
	for first := true; ; first = false {
		began := time.Now()
		p, err := w.run()
		if first {
			w.started <- err
			if err != nil {
				return
			}
		}
		if err == nil {
			failed = 0
			select {
			case <-p.running.Done():
				err = fmt.Errorf("%w, more in %s", context.Cause(p.running), w.out.path)
			case <-w.stop:
				w.relay.shut()
				p.end()
				return
			}
			const settled = 10 * time.Second
			if time.Since(began) > settled {
				pause.Reset()
			}
		} else if failed++; failed == maxFailedStarts || errors.Is(err, ErrDamaged) || errors.Is(err, ErrNoLibrary) {
			w.err = fmt.Errorf("ClickHouse ended and cannot be started again: %w", err)
			return
		}
		wait := pause.NextBackOff()
		select {
		case <-w.stop:
			return
		default:
			w.log.Error("starting ClickHouse again", "after", err, "in", wait)
		}
		select {
		case <-time.After(wait):
		case <-w.stop:
			return
		}
	}
}

// run starts ClickHouse and waits until it answers and has the database.
func (w *warehouse) run() (*process, error) {
	p, err := w.spawn()
	if err != nil {
		return nil, fmt.Errorf("start ClickHouse: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(p.running, startWait, fmt.Errorf("ClickHouse did not answer within %s, see %s", startWait, w.out.path))
	defer cancel()
	go func() {
		select {
		case <-w.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := w.prepare(ctx); err != nil {
		// A connection that breaks may be the first sign of its end.
		select {
		case <-p.running.Done():
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		if p.running.Err() != nil {
			return nil, w.explain(context.Cause(p.running))
		}
		p.kill()
		return nil, err
	}
	return p, nil
}

func (w *warehouse) spawn() (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	w.relay.connect(loopback(port))
	args := []string{
		childArg, w.library,
		"--config-file=" + w.config,
		"--path=" + w.dir,
		"--listen_host=127.0.0.1",
		"--tcp_port=" + strconv.Itoa(port),
		// The configured level is overruled by clickhouse-local's own default.
		"--log-level=warning",
		"--structure=line String",
		"--input-format=LineAsString",
	}
	for _, query := range localQueries {
		args = append(args, "--query", query)
	}
	w.out.begin()
	cmd := exec.Command(self, args...)
	cmd.Dir = w.dir
	// The library ignores the time zone in its configuration, but not this.
	cmd.Env = append(append(os.Environ(), "TZ=Asia/Shanghai"), w.env...)
	cmd.Stdout, cmd.Stderr = w.out, w.out
	cmd.ExtraFiles = []*os.File{w.lock}
	cmd.SysProcAttr = childAttr()
	cmd.WaitDelay = time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	running, end := context.WithCancelCause(context.Background())
	p := &process{cmd: cmd, stdin: stdin, running: running}
	go func() {
		err := cmd.Wait()
		if err == nil {
			err = errors.New("exit status 0")
		}
		end(fmt.Errorf("ClickHouse ended: %w", err))
	}()
	w.mu.Lock()
	w.current = p
	w.mu.Unlock()
	return p, nil
}

// end tells the process to end by closing its standard input, and kills it when
// it does not.
func (p *process) end() {
	p.stdin.Close()
	select {
	case <-p.running.Done():
	case <-time.After(stopWait):
		p.kill()
	}
}

// kill ends the process as a crash would, and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.running.Done()
}

// explain makes one line of what a start that failed left in its log, and says what
// to do about it where that is known.
func (w *warehouse) explain(exit error) error {
	all, last := w.out.text(), w.out.lastWords()
	says := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(all, part) })
	}
	switch {
	case says("No space left on device", "Disk quota exceeded", "File too large"):
		return fmt.Errorf("%w: ClickHouse has no space left in %s: free space on its disk and start again", ErrNoSpace, w.dir)
	case says(cannotLoad):
		return fmt.Errorf("%w: %s: delete that file and run `make engine`", ErrNoLibrary, last)
	case says("Cannot parse definition from metadata file", "CORRUPTED_DATA", "CHECKSUM_DOESNT_MATCH", "CANNOT_READ_ALL_DATA",
		"ATTEMPT_TO_READ_AFTER_EOF", "UNKNOWN_FORMAT_VERSION", "TOO_MANY_UNEXPECTED_DATA_PARTS"):
		return damaged("ClickHouse cannot read its files in %s (%s)", w.dir, last)
	case last == "":
		return exit
	default:
		return fmt.Errorf("%w: %s (more in %s)", exit, last, w.out.path)
	}
}

// prepare waits for ClickHouse to answer, creates the database when it is
// missing, and reports parts of tables that were set aside as broken.
func (w *warehouse) prepare(ctx context.Context) error {
	conn, err := clickhouse.Open(w.options())
	if err != nil {
		return fmt.Errorf("connect to ClickHouse: %w", err)
	}
	defer conn.Close()
	if err := ping(ctx, conn); err != nil {
		return err
	}
	if err := conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+w.conn.Database); err != nil {
		return fmt.Errorf("create the database %s: %w", w.conn.Database, noSpace(w.dir, err))
	}
	var broken []struct {
		Table string `ch:"table"`
		Name  string `ch:"name"`
	}
	const query = "SELECT database || '.' || table AS table, name FROM system.detached_parts WHERE reason LIKE 'broken%' ORDER BY ALL LIMIT 100"
	if err := conn.Select(ctx, &broken, query); err != nil {
		return fmt.Errorf("look for broken parts: %w", err)
	}
	for _, part := range broken {
		w.log.Warn("ClickHouse has set a broken part of a table aside: run `zhiban verify`", "table", part.Table, "part", part.Name)
	}
	return nil
}

// options are for a connection that does not need the database to exist.
func (w *warehouse) options() *clickhouse.Options {
	return &clickhouse.Options{
		Addr:         []string{w.conn.Addr},
		Auth:         clickhouse.Auth{Username: w.conn.User, Password: w.conn.Password},
		MaxOpenConns: 1,
	}
}

// ping returns when ClickHouse answers, or with the cause of ctx's end.
func ping(ctx context.Context, conn clickhouse.Conn) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		return struct{}{}, conn.Ping(ctx)
	}, backoff.WithBackOff(polling()), backoff.WithMaxElapsedTime(0))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// kill ends the current run as a crash would.
func (w *warehouse) kill() {
	w.mu.Lock()
	p := w.current
	w.mu.Unlock()
	p.kill()
}
