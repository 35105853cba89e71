package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/cenkalti/backoff/v5"
	kafka "github.com/segmentio/kafka-go"
	"go.uber.org/goleak"

	"zhiban/deploy/embedded"
)

func TestMain(m *testing.M) {
	embedded.ChildMain()
	if len(os.Args) > 2 && os.Args[1] == "test-helper" {
		if err := helpers[os.Args[2]](os.Args[3:]); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// helpers are parts of tests that need a process of their own, to be killed or
// to have a full disk.
var helpers = map[string]func(args []string) error{
	"produce until killed": produceUntilKilled,
	"fill the disk":        fillTheDisk,
}

// helper returns the command that runs one of them.
func helper(name string, args ...string) *exec.Cmd {
	return exec.Command("/proc/self/exe", append([]string{"test-helper", name}, args...)...)
}

const topic, partitions = "events", 2

func config(t testing.TB, dir string) embedded.Config {
	return embedded.Config{
		Dir:    dir,
		Topics: map[string]int{topic: partitions},
		Log:    slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// start starts engines on dir and has them closed at the end of the test.
func start(t testing.TB, dir string) *embedded.Engines {
	t.Helper()
	return startWith(t, config(t, dir))
}

func startWith(t testing.TB, cfg embedded.Config) *embedded.Engines {
	t.Helper()
	e, err := embedded.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEngines(t, e) })
	return e
}

func closeEngines(t testing.TB, e *embedded.Engines) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Error("close the engines:", err)
	}
}

// startFails returns the error of a start that must fail, in one line.
func startFails(t *testing.T, cfg embedded.Config, want error, mention ...string) {
	t.Helper()
	e, err := embedded.Start(t.Context(), cfg)
	if err == nil {
		e.Close()
		t.Fatalf("the engines started, want %v", want)
	}
	t.Log(err)
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has more than one line: %q", err)
	}
	for _, text := range mention {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error %q does not mention %q", err, text)
		}
	}
}

// eventually calls f until it succeeds, for as long as the test may take.
func eventually(t testing.TB, f func() error) {
	t.Helper()
	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval, pace.MaxInterval = 2*time.Millisecond, 50*time.Millisecond
	_, err := backoff.Retry(t.Context(), func() (struct{}, error) { return struct{}{}, f() },
		backoff.WithBackOff(pace), backoff.WithMaxElapsedTime(20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
}

func openClickHouse(e *embedded.Engines) (clickhouse.Conn, error) {
	options, err := clickhouse.ParseDSN(e.ClickHouse().DSN())
	if err != nil {
		return nil, err
	}
	return clickhouse.Open(options)
}

func connect(t testing.TB, e *embedded.Engines) clickhouse.Conn {
	t.Helper()
	conn, err := openClickHouse(e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func execute(t testing.TB, conn clickhouse.Conn, query string) {
	t.Helper()
	if err := conn.Exec(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func queryValue[T any](t testing.TB, conn clickhouse.Conn, query string) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func kafkaClient(e *embedded.Engines) (*kafka.Client, func()) {
	transport := &kafka.Transport{}
	return &kafka.Client{Addr: kafka.TCP(e.Kafka()), Transport: transport}, transport.CloseIdleConnections
}

// produce appends values to a partition and returns when they are acknowledged.
func produce(ctx context.Context, client *kafka.Client, partition int, values ...string) error {
	records := make([]kafka.Record, len(values))
	for i, value := range values {
		records[i] = kafka.Record{Value: kafka.NewBytes([]byte(value))}
	}
	response, err := client.Produce(ctx, &kafka.ProduceRequest{
		Topic:        topic,
		Partition:    partition,
		RequiredAcks: kafka.RequireAll,
		Records:      kafka.NewRecordReader(records...),
	})
	if err != nil {
		return err
	}
	return response.Error
}

// commit commits an offset of the group "g".
func commit(ctx context.Context, client *kafka.Client, generation int, member string, partition int, offset int64, metadata string) error {
	response, err := client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{
		GroupID:      "g",
		GenerationID: generation,
		MemberID:     member,
		Topics:       map[string][]kafka.OffsetCommit{topic: {{Partition: partition, Offset: offset, Metadata: metadata}}},
	})
	if err != nil {
		return err
	}
	return response.Topics[topic][0].Error
}

func committed(t testing.TB, client *kafka.Client, partition int) (offset int64, metadata string) {
	t.Helper()
	response, err := client.OffsetFetch(t.Context(), &kafka.OffsetFetchRequest{GroupID: "g", Topics: map[string][]int{topic: {partition}}})
	if err != nil {
		t.Fatal(err)
	}
	p := response.Topics[topic][0]
	if p.Error != nil {
		t.Fatal(p.Error)
	}
	return p.CommittedOffset, p.Metadata
}

// consume reads a whole partition.
func consume(t testing.TB, e *embedded.Engines, partition int) []string {
	t.Helper()
	conn, err := kafka.DialLeader(t.Context(), "tcp", e.Kafka(), topic, partition)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	first, last, err := conn.ReadOffsets()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Seek(first, kafka.SeekAbsolute); err != nil {
		t.Fatal(err)
	}
	var values []string
	for next := first; next < last; {
		batch := conn.ReadBatch(1, 1<<20)
		for {
			m, err := batch.ReadMessage()
			if err != nil {
				break
			}
			values = append(values, string(m.Value))
			next = m.Offset + 1
		}
		if err := batch.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return values
}

func TestStartCreatesWhatIsMissingAndKeepsTheRest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "new")
	began := time.Now()
	e := start(t, dir)
	t.Log("first start took", time.Since(began))

	client, idle := kafkaClient(e)
	for _, value := range []string{"a", "b"} {
		if err := produce(t.Context(), client, 1, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := commit(t.Context(), client, -1, "", 1, 2, "epoch 3"); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, e)
	execute(t, conn, "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
	execute(t, conn, "INSERT INTO t SELECT number FROM numbers(1000)")
	kafkaAddr := e.Kafka()
	idle()
	conn.Close()
	began = time.Now()
	closeEngines(t, e)
	t.Log("stop took", time.Since(began))
	select {
	case <-e.Done():
	default:
		t.Error("Done is not closed after Close")
	}

	cfg := config(t, dir)
	cfg.Topics["later"] = 3
	began = time.Now()
	e = startWith(t, cfg)
	took := time.Since(began)
	t.Log("second start took", took)
	if limit := 1500 * time.Millisecond; took > limit {
		t.Errorf("second start took %v, want at most %v", took, limit)
	}
	if e.Kafka() == kafkaAddr {
		t.Logf("by chance on the same port, %s", kafkaAddr)
	}
	if got := fmt.Sprint(consume(t, e, 1)); got != "[a b]" {
		t.Errorf("partition holds %s after the restart", got)
	}
	client, idle = kafkaClient(e)
	defer idle()
	if offset, metadata := committed(t, client, 1); offset != 2 || metadata != "epoch 3" {
		t.Errorf("committed %d %q after the restart", offset, metadata)
	}
	meta, err := client.Metadata(t.Context(), &kafka.MetadataRequest{Topics: []string{topic, "later", "nobody-made-this"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{partitions, 3, 0} {
		if got := len(meta.Topics[i].Partitions); got != want {
			t.Errorf("topic %s has %d partitions, want %d", meta.Topics[i].Name, got, want)
		}
	}
	if got := net.JoinHostPort(meta.Brokers[0].Host, strconv.Itoa(meta.Brokers[0].Port)); got != e.Kafka() {
		t.Errorf("the broker advertises %s but listens on %s", got, e.Kafka())
	}
	if n := queryValue[uint64](t, connect(t, e), "SELECT count() FROM t"); n != 1000 {
		t.Errorf("table has %d rows after the restart", n)
	}
}

func TestClickHouseIsSetUpForTheApplication(t *testing.T) {
	e := start(t, t.TempDir())
	conn := connect(t, e)
	if zone := queryValue[string](t, conn, "SELECT timezone()"); zone != "Asia/Shanghai" {
		t.Errorf("time zone is %s", zone)
	}
	if db := queryValue[string](t, conn, "SELECT currentDatabase()"); db != "zhiban" {
		t.Errorf("database is %s", db)
	}
	if limit := queryValue[string](t, conn, "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'"); limit == "0" {
		t.Error("the configuration is not read: memory is not limited")
	}
	if threads := queryValue[string](t, conn, "SELECT extract(arrayStringConcat(groupArray(explain)), 'NumbersRange × ([0-9]+)') FROM (EXPLAIN PIPELINE SELECT sum(number) FROM numbers_mt(100000000))"); runtime.NumCPU() > 1 && (threads == "" || threads == "1") {
		t.Error("a question is worked on by one thread")
	}
	execute(t, conn, "CREATE DATABASE zhiban_other")
	execute(t, conn, "DROP DATABASE zhiban_other")
	if err := conn.Exec(t.Context(), "SELECT * FROM file('/etc/passwd', LineAsString)"); err == nil {
		t.Error("the application's user can read any file")
	}

	// Whoever finds the port behind the relay can log in as the user of the local session.
	behind := queryValue[uint16](t, conn, "SELECT getServerPort('tcp_port')")
	options, err := clickhouse.ParseDSN(fmt.Sprintf("clickhouse://default@127.0.0.1:%d/default", behind))
	if err != nil {
		t.Fatal(err)
	}
	options.MaxOpenConns = 1
	intruder, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	defer intruder.Close()
	for _, query := range []string{
		"SELECT * FROM file('/etc/passwd', LineAsString)",
		"CREATE TEMPORARY TABLE leak (line String) ENGINE = File(LineAsString, '/etc/passwd')",
		"CREATE TABLE zhiban.t (n Int8) ENGINE = Memory",
		"SYSTEM STOP LISTEN TCP",
		"SYSTEM SHUTDOWN",
		"SELECT count() FROM system.processes",
		"SELECT count() FROM numbers(1000000000000)",
	} {
		if err := intruder.Exec(t.Context(), query); err == nil {
			t.Errorf("a program without a password may %s", query)
		}
	}
	for _, name := range []string{"clickhouse-password", "clickhouse-users.xml"} {
		info, err := os.Stat(filepath.Join(dirOf(t, e), name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

// dirOf finds the data directory of engines by what ClickHouse knows of its own.
func dirOf(t *testing.T, e *embedded.Engines) string {
	t.Helper()
	return filepath.Dir(filepath.Clean(queryValue[string](t, connect(t, e), "SELECT path FROM system.disks WHERE name = 'default'")))
}

func TestClickHouseComesBackAfterItDied(t *testing.T) {
	e := start(t, t.TempDir())
	conn := connect(t, e)
	execute(t, conn, "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
	execute(t, conn, "INSERT INTO t SELECT number FROM numbers(1000)")
	addr := e.ClickHouse().Addr

	// A signal to all processes of the service does not end it: its parent does.
	child, err := childPID(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := syscall.Kill(child, signal); err != nil {
			t.Fatal(err)
		}
	}
	if n := queryValue[uint64](t, conn, "SELECT count() FROM t"); n != 1000 {
		t.Errorf("table has %d rows", n)
	}
	if now, err := childPID(os.Getpid()); err != nil || now != child {
		t.Errorf("signals ended process %d, now there is %d (%v)", child, now, err)
	}

	for range 2 {
		began := time.Now()
		e.KillClickHouse()
		if err := e.WaitClickHouse(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Log("answered again after", time.Since(began))
		// The pool of the application may hold connections that are dead.
		var n uint64
		eventually(t, func() error { return conn.QueryRow(t.Context(), "SELECT count() FROM t").Scan(&n) })
		if n != 1000 {
			t.Errorf("table has %d rows after a crash", n)
		}
	}
	if got := e.ClickHouse().Addr; got != addr {
		t.Errorf("moved from %s to %s", addr, got)
	}
	if err := e.Err(); err != nil {
		t.Error(err)
	}
}

// A client that is killed leaves connections that the kernel resets.
func TestClickHouseOutlivesClientsThatAreKilled(t *testing.T) {
	e := start(t, t.TempDir())
	conn := connect(t, e)
	execute(t, conn, "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
	before, err := childPID(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for name, begin := range map[string]func(clickhouse.Conn) error{
		"idle": func(c clickhouse.Conn) error { return nil },
		"while it reads": func(c clickhouse.Conn) error {
			rows, err := c.Query(ctx, "SELECT toString(number) FROM numbers(1000000000)")
			if err == nil {
				rows.Next()
			}
			return err
		},
		"while it inserts": func(c clickhouse.Conn) error {
			batch, err := c.PrepareBatch(ctx, "INSERT INTO t")
			if err == nil {
				err = errors.Join(batch.Append(uint64(1)), batch.Flush())
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			options, err := clickhouse.ParseDSN(e.ClickHouse().DSN())
			if err != nil {
				t.Fatal(err)
			}
			var sockets []*net.TCPConn
			options.DialContext = func(ctx context.Context, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
				if err == nil {
					sockets = append(sockets, c.(*net.TCPConn))
				}
				return c, err
			}
			for range 5 {
				client, err := clickhouse.Open(options)
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(client.Ping(ctx), begin(client)); err != nil {
					t.Error(err)
				}
				for _, socket := range sockets {
					_ = socket.SetLinger(0) // Close resets the connection
					socket.Close()
				}
				sockets = nil
				client.Close()
			}
		})
	}
	eventually(t, func() error {
		var n uint64
		if err := conn.QueryRow(ctx, "SELECT count() FROM system.processes WHERE user = currentUser()").Scan(&n); err != nil {
			return err
		}
		if n > 1 {
			return fmt.Errorf("%d queries run", n)
		}
		return nil
	})
	if after, err := childPID(os.Getpid()); err != nil || after != before {
		t.Errorf("process %d ended and was followed by %d (%v)", before, after, err)
	}
}

func TestAQueryThatRunsDoesNotDelayTheStop(t *testing.T) {
	e := start(t, t.TempDir())
	conn := connect(t, e)
	ended := make(chan error, 1)
	go func() { ended <- conn.Exec(context.Background(), "SELECT count() FROM numbers(100000000000000)") }()
	watcher := connect(t, e)
	eventually(t, func() error {
		var n uint64
		if err := watcher.QueryRow(t.Context(), "SELECT count() FROM system.processes WHERE query LIKE '%100000000000000)'").Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return errors.New("the query does not run yet")
		}
		return nil
	})
	began := time.Now()
	closeEngines(t, e)
	took := time.Since(began)
	t.Log("stop took", took)
	if took > 2*time.Second {
		t.Errorf("stop took %v", took)
	}
	if err := <-ended; err == nil {
		t.Error("the query ended by itself")
	}
}

// produceUntilKilled starts engines and reports on standard output, line by line,
// what was acknowledged.
func produceUntilKilled(args []string) error {
	ctx := context.Background()
	e, err := embedded.Start(ctx, embedded.Config{Dir: args[0], Topics: map[string]int{topic: partitions}})
	if err != nil {
		return err
	}
	conn, err := openClickHouse(e)
	if err != nil {
		return err
	}
	if err := conn.Exec(ctx, "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n"); err != nil {
		return err
	}
	pid, err := childPID(os.Getpid())
	if err != nil {
		return err
	}
	fmt.Println("child", pid)
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{ID: "g", Brokers: []string{e.Kafka()}, Topics: []string{topic}})
	if err != nil {
		return err
	}
	generation, err := group.Next(ctx)
	if err != nil {
		return err
	}
	client, _ := kafkaClient(e)
	for n := 0; ; n++ {
		if err := produce(ctx, client, 0, fmt.Sprint(n)); err != nil {
			return err
		}
		fmt.Println("produced", n)
		if err := commit(ctx, client, int(generation.ID), generation.MemberID, 0, int64(n), fmt.Sprintf("meta %d", n)); err != nil {
			return err
		}
		fmt.Println("committed", n)
		if n%10 == 0 {
			if err := conn.Exec(ctx, fmt.Sprintf("INSERT INTO t VALUES (%d)", n)); err != nil {
				return err
			}
			fmt.Println("inserted", n)
		}
	}
}

// runs says whether a process exists that has not ended. (One that has ended stays
// until its parent asks for it.)
func runs(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.Contains(string(status), "State:\tZ")
}

// childPID returns the id of the only child of process pid.
func childPID(pid int) (int, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0, err
	}
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if err == nil && len(strings.Fields(string(text))) == 1 {
			return strconv.Atoi(strings.TrimSpace(string(text)))
		}
	}
	return 0, fmt.Errorf("process %d has no child", pid)
}

func TestWhatWasAcknowledgedSurvivesKill9(t *testing.T) {
	dir := t.TempDir()
	cmd := helper("produce until killed", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := map[string]int{}
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		what, number, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Error(lines.Text())
			break
		}
		last[what] = n
		if what == "inserted" && n >= 100 && !killed {
			killed = true
			_ = cmd.Process.Kill()
		}
	}
	if !killed {
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait()
	t.Log("acknowledged before the kill:", last)
	began := time.Now()
	eventually(t, func() error {
		if runs(last["child"]) {
			return fmt.Errorf("ClickHouse, process %d, lives on without its parent", last["child"])
		}
		return nil
	})
	t.Log("ClickHouse was gone after", time.Since(began))

	began = time.Now()
	e := start(t, dir)
	t.Log("start after kill -9 took", time.Since(began))
	values := consume(t, e, 0)
	if len(values) <= last["produced"] {
		t.Errorf("%d events are there, %d were acknowledged", len(values), last["produced"]+1)
	}
	for i, value := range values {
		if value != fmt.Sprint(i) {
			t.Fatalf("event %d is %q", i, value)
		}
	}
	client, idle := kafkaClient(e)
	defer idle()
	offset, metadata := committed(t, client, 0)
	if offset < int64(last["committed"]) || metadata != fmt.Sprintf("meta %d", offset) {
		t.Errorf("committed %d %q, want at least %d", offset, metadata, last["committed"])
	}
	conn := connect(t, e)
	if n := queryValue[uint64](t, conn, "SELECT max(n) FROM t"); n < uint64(last["inserted"]) {
		t.Errorf("last row is %d, want at least %d", n, last["inserted"])
	}

	// The group does not wait for the member that died with the process.
	began = time.Now()
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{ID: "g", Brokers: []string{e.Kafka()}, Topics: []string{topic}})
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	generation, err := group.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log("joined the group again in", time.Since(began), "as generation", generation.ID)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("joining the group took %v", took)
	}
}
