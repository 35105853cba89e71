package projector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	kafka "github.com/segmentio/kafka-go"

	rights "zhiban/deploy/clickhouse"
	"zhiban/deploy/embedded"
	apache "zhiban/deploy/kafka"
	"zhiban/ingest/simulate"
	"zhiban/projector/verify"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// The fault suite. Every test breaks something while a simulated province is
// projected, lets a projector finish, and then proves the books whole: an
// independent recount of the log and the ledger's digests agree with the tables,
// and so does a projection that nothing disturbed.

// provinceEvents is how many of a simulated province's events the suite projects:
// ten batches a partition or more.
const provinceEvents = 1500

// putProvince appends a simulated province to both of the topic's partitions.
func (f *fixture) putProvince(events int) {
	f.t.Helper()
	sim, err := simulate.New(simulate.Config{From: schemas.Date(2026, 1, 1), To: schemas.Date(2026, 12, 31), Seed: 3, Scale: 0.1, Stamped: true})
	if err != nil {
		f.t.Fatal(err)
	}
	w := &kafka.Writer{Addr: f.client.Addr, Topic: f.topic, Transport: f.client.Transport, RequiredAcks: kafka.RequireAll, Balancer: kafka.Murmur2Balancer{Consistent: true}, BatchTimeout: time.Millisecond, BatchSize: 10_000}
	defer w.Close()
	var msgs []kafka.Message
	for e := range sim.Events() {
		if len(msgs) == events {
			break
		}
		event, err := e.Parse()
		if err != nil {
			f.t.Fatal(err)
		}
		value, err := json.Marshal(event.Envelope())
		if err != nil {
			f.t.Fatal(err)
		}
		msgs = append(msgs, kafka.Message{Key: []byte(event.Source.Key()), Value: value, Time: event.Recorded})
	}
	if err := w.WriteMessages(context.Background(), msgs...); err != nil {
		f.t.Fatal(err)
	}
	f.sent += int64(len(msgs))
}

// projectedSQL is how many records the ledger has.
const projectedSQL = "SELECT toInt64(sum(n)) FROM (SELECT max(last_offset) + 1 AS n FROM batches_v1 GROUP BY kafka_partition)"

// finish lets an undisturbed projector finish.
func (f *fixture) finish() {
	f.t.Helper()
	f.dismiss()
	stop := f.runWith(func(p *Projector) { p.cfg.BatchRows = 100 })
	f.until(f.sent, projectedSQL)
	stop()
}

// dismiss takes dead members out of the group, so that nobody waits for the end
// of their sessions.
func (f *fixture) dismiss() {
	f.t.Helper()
	ctx := context.Background()
	groups, err := f.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{f.topic}})
	if err != nil {
		f.t.Fatal(err)
	}
	leave := &kafka.LeaveGroupRequest{GroupID: f.topic}
	for _, g := range groups.Groups {
		for _, m := range g.Members {
			leave.Members = append(leave.Members, kafka.LeaveGroupRequestMember{ID: m.MemberID})
		}
	}
	if len(leave.Members) == 0 {
		return
	}
	if _, err := f.client.LeaveGroup(ctx, leave); err != nil {
		f.t.Fatal(err)
	}
}

// proveWhole proves that the tables hold every record of the log exactly once
// and rightly counted.
func (f *fixture) proveWhole() {
	f.t.Helper()
	ctx := context.Background()
	result, err := verify.Run(ctx, verify.Config{Brokers: f.brokers, Topic: f.topic, Conn: f.conn, Tables: v1})
	if err != nil {
		f.t.Fatal(err)
	}
	if !result.OK() || result.Records != f.sent || result.Figures == 0 {
		var text strings.Builder
		_ = result.Text(&text, "en")
		f.t.Errorf("after %d records:\n%s", f.sent, text.String())
	}
	r, err := f.rebuild(true)
	if err != nil {
		f.t.Fatal(err)
	}
	if c := f.compare(r); !c.Equal() || c.Figures == 0 || c.Parks != c.OldParks {
		f.t.Errorf("a clean run gives something else: %+v", c)
	}
	if err := r.Close(); err != nil {
		f.t.Error(err)
	}
	if err := warehouse.Drop(ctx, f.conn, r.To); err != nil {
		f.t.Error(err)
	}
}

// child is a projector in a process of its own, for tests that kill or stop it.
type child struct {
	Brokers    []string
	ClickHouse string
	Topic      string
	Step       Step // to kill itself at, when it comes for the Nth time
	Nth        int64
}

// childVariable carries a child's order.
const childVariable = "ZHIBAN_TEST_PROJECTOR"

// runChild is the child's side.
func runChild(order string) {
	var c child
	if err := json.Unmarshal([]byte(order), &c); err != nil {
		panic(err)
	}
	ctx := context.Background()
	conn, err := warehouse.Open(ctx, c.ClickHouse)
	if err != nil {
		panic(err)
	}
	var seen atomic.Int64
	p, err := New(Config{
		Brokers: c.Brokers, Group: c.Topic, Topic: c.Topic, BatchRows: 100, Linger: 20 * time.Millisecond, RebalanceTimeout: time.Second,
		Signal: func(s Step, _ int) {
			if s == c.Step && seen.Add(1) == c.Nth {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		},
	}, conn, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		panic(err)
	}
	if err := p.Run(ctx); err != nil {
		panic(err)
	}
}

// start starts a child.
func (f *fixture) start(c child) *exec.Cmd {
	f.t.Helper()
	c.Brokers, c.ClickHouse, c.Topic = f.brokers, engines.ClickHouseAs(rights.Projector).DSN(), f.topic
	order, err := json.Marshal(c)
	if err != nil {
		f.t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"="+string(order))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// A projector killed between any two steps of the protocol leaves nothing that
// the next one does not make good.
func TestKilledAtEveryStep(t *testing.T) {
	eachBroker(t, func(t *testing.T, brokers []string) {
		f := newFixtureAt(t, brokers, 2)
		f.putProvince(provinceEvents)
		in, out := shift(1)
		f.put(in, "garbage", out)
		for i, step := range []Step{Sealed, Buried, Intended, Parked, Evented, Posted, Ledgered, Committed} {
			f.dismiss()
			cmd := f.start(child{Step: step, Nth: int64(1 + i%2)})
			err := cmd.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the projector that was to be killed at %q ended with %v", step, err)
			}
		}
		if n := f.number(projectedSQL); n == f.sent {
			t.Fatal("everything was projected before the last kill")
		}
		f.finish()
		f.proveWhole()
	})
}

// ClickHouse dies while a batch's blocks are inserted, and comes back.
func TestClickHouseKilledBetweenInserts(t *testing.T) {
	f := newFixtureAt(t, []string{engines.Kafka()}, 2)
	f.putProvince(provinceEvents)
	var kills atomic.Int64
	stop := f.runWith(func(p *Projector) {
		p.cfg.BatchRows = 100
		p.cfg.Signal = func(s Step, partition int) {
			if n := kills.Load(); partition == 0 && n < 3 && s == []Step{Evented, Posted, Ledgered}[n] && kills.CompareAndSwap(n, n+1) {
				engines.KillClickHouse()
				if err := engines.WaitClickHouse(context.Background()); err != nil {
					t.Error(err)
				}
			}
		}
	})
	f.until(f.sent, projectedSQL)
	stop()
	if kills.Load() != 3 {
		t.Errorf("ClickHouse was killed %d times", kills.Load())
	}
	f.proveWhole()
}

// proxy stands before ClickHouse and can lose an answer: the insert lands, and
// nobody learns of it. strike, when set, is called while the insert is on its
// way.
type proxy struct {
	net.Listener
	to     string
	strike func()
	losing atomic.Bool
	lost   atomic.Int64
	wait   sync.WaitGroup
}

func newProxy(t *testing.T, to string, strike func()) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to, strike: strike}
	p.wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.wait.Go(func() { p.relay(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.wait.Wait()
	})
	return p
}

func (p *proxy) relay(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	var asked atomic.Bool // a block went to the server since losing began
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := client.Read(buf)
			if n > 0 {
				asked.Store(p.losing.Load() && n > 500)
				if _, err := server.Write(buf[:n]); err != nil {
					return
				}
				if asked.Load() && p.strike != nil && p.losing.CompareAndSwap(true, false) {
					p.strike()
				}
			}
			if err != nil {
				_ = server.(*net.TCPConn).CloseWrite()
				return
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if n > 0 {
			if asked.Load() && p.losing.CompareAndSwap(true, false) {
				p.lost.Add(1)
				return // the answer is lost with the connection
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// An insert lands but its answer does not arrive.
func TestAnAnswerIsLost(t *testing.T) {
	lost := insertsGoWrong(t, nil)
	if lost != 3 {
		t.Errorf("%d answers were lost, want 3", lost)
	}
}

// ClickHouse is killed while it has a block in hand.
func TestClickHouseKilledInMidInsert(t *testing.T) {
	var kills atomic.Int64
	insertsGoWrong(t, func() {
		kills.Add(1)
		engines.KillClickHouse()
	})
	if kills.Load() != 3 {
		t.Errorf("ClickHouse was killed %d times, want 3", kills.Load())
	}
}

// insertsGoWrong projects through a proxy that loses the answers to an insert of
// events, one of postings and one into the ledger, or strikes in the middle of
// them. It returns how many answers were lost.
func insertsGoWrong(t *testing.T, strike func()) int64 {
	f := newFixtureAt(t, []string{engines.Kafka()}, 1)
	f.putProvince(600)
	dsn := engines.ClickHouseAs(rights.Projector).DSN()
	opts, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cut := newProxy(t, opts.Addr[0], strike)
	conn, err := warehouse.Open(t.Context(), strings.Replace(dsn, opts.Addr[0], cut.Addr().String(), 1))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	f.least = conn
	round := 0
	stop := f.runWith(func(p *Projector) {
		p.cfg.BatchRows = 100
		p.cfg.Signal = func(s Step, _ int) {
			if round < 3 && s == []Step{Parked, Evented, Posted}[round] { // before the events, the postings, the ledger
				round++
				cut.losing.Store(true)
			}
		}
	})
	f.until(f.sent, projectedSQL)
	stop()
	f.proveWhole()
	return cut.lost.Load()
}

// While a batch is between its inserts, other projectors come and the group
// moves on: whoever is left behind is refused.
func TestRebalanceInMidBatch(t *testing.T) {
	eachBroker(t, func(t *testing.T, brokers []string) {
		for _, others := range []int{1, 2} {
			t.Run(fmt.Sprintf("%d projectors", others+1), func(t *testing.T) {
				f := newFixtureAt(t, brokers, 3)
				f.putProvince(provinceEvents)
				reached, goOn := make(chan bool), make(chan bool)
				var once sync.Once
				stop := f.runWith(func(p *Projector) {
					p.cfg.BatchRows = 100
					p.cfg.Signal = func(s Step, _ int) {
						if s == Evented {
							once.Do(func() {
								close(reached)
								<-goOn
							})
						}
					}
				})
				<-reached
				for range others {
					stopOther := f.runWith(func(p *Projector) { p.cfg.BatchRows = 100 })
					defer stopOther()
				}
				f.membersBecome(others + 1)
				close(goOn)
				f.until(f.sent, projectedSQL)
				stop()
				f.proveWhole()
			})
		}
	})
}

// membersBecome waits until the group has n members with an assignment.
func (f *fixture) membersBecome(n int) {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		res, err := f.client.DescribeGroups(context.Background(), &kafka.DescribeGroupsRequest{GroupIDs: []string{f.topic}})
		if err != nil {
			f.t.Fatal(err)
		}
		if len(res.Groups) == 1 && len(res.Groups[0].Members) >= n {
			return
		}
	}
	f.t.Fatalf("the group does not come to %d members", n)
}

// A projector is stopped so long that its session ends and another one takes
// over; when it wakes it must write nothing.
func TestAProjectorThatWakesUpIsFenced(t *testing.T) {
	eachBroker(t, func(t *testing.T, brokers []string) {
		f := newFixtureAt(t, brokers, 1)
		f.putProvince(provinceEvents)
		sleeper := f.start(child{})
		f.atLeast(200, projectedSQL)
		if err := sleeper.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		f.dismiss() // as when its session ends
		f.finish()
		in, out := shift(1)
		f.put(in, out)
		if err := sleeper.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		f.finish() // while the sleeper is awake and refused
		f.proveWhole()
	})
}

// atLeast waits until a query's number has reached n.
func (f *fixture) atLeast(n int64, query string) {
	f.t.Helper()
	f.await(query, func(got int64) bool { return got >= n })
}

// A part of a table is lost, however old: found at the next start, written again
// under a new epoch, reported.
func TestALostPartIsWrittenAgain(t *testing.T) {
	f := newFixture(t)
	f.putProvince(300)
	stop := f.runWith(func(p *Projector) { p.cfg.BatchRows = 15 }) // more batches than are looked at one by one
	f.until(f.sent, projectedSQL)
	stop()
	for _, table := range []string{v1.Events(), v1.Postings(), v1.Sums()[0].Table} {
		if err := f.conn.Exec(t.Context(), "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
			t.Fatal(err)
		}
		var part string
		if err := f.conn.QueryRow(t.Context(), "SELECT name FROM system.parts WHERE active AND database = currentDatabase() AND table = ? ORDER BY rows DESC LIMIT 1", table).Scan(&part); err != nil {
			t.Fatal(err)
		}
		if err := f.conn.Exec(t.Context(), "ALTER TABLE "+table+" DROP PART '"+part+"'"); err != nil {
			t.Fatal(err)
		}
	}
	in, out := shift(1)
	f.put(in, out)
	f.finish()
	if !f.log.has("a projected batch is damaged") {
		t.Error("the damage was not reported")
	}
	f.proveWhole()
	if n := f.number("SELECT toInt64(max(epoch)) FROM events_v1"); n < 2 {
		t.Errorf("the rows were written again under epoch %d", n)
	}
}

// The group's offsets are lost, as after the retention of offsets.
func TestTheGroupsOffsetsAreLost(t *testing.T) {
	eachBroker(t, func(t *testing.T, brokers []string) {
		f := newFixtureAt(t, brokers, 2)
		f.putProvince(provinceEvents)
		f.finish()
		res, err := f.client.DeleteGroups(t.Context(), &kafka.DeleteGroupsRequest{GroupIDs: []string{f.topic}})
		if err != nil || res.Errors[f.topic] != nil {
			t.Fatal(err, res)
		}
		in, out := shift(1)
		f.put(in, out)
		f.finish()
		f.proveWhole()
	})
}

// ClickHouse comes back with an older state of its tables.
func TestTheWarehouseIsRestoredFromABackup(t *testing.T) {
	f := newFixtureAt(t, []string{engines.Kafka()}, 2)
	f.putProvince(provinceEvents)
	f.finish()
	backup := warehouse.Tables{Version: 9}
	tables := [][2]string{{v1.Events(), backup.Events()}, {v1.Postings(), backup.Postings()}, {v1.Batches(), backup.Batches()}, {v1.Parked(), backup.Parked()}}
	if err := warehouse.Create(t.Context(), f.conn, v1, backup); err != nil {
		t.Fatal(err)
	}
	for _, pair := range tables {
		if err := f.conn.Exec(t.Context(), "INSERT INTO "+pair[1]+" SELECT * FROM "+pair[0]); err != nil {
			t.Fatal(err)
		}
	}
	f.putProvince(provinceEvents) // the same events again, and they count once
	f.finish()
	for _, table := range v1.RollUps() { // which fill with what is restored
		if err := f.conn.Exec(t.Context(), "TRUNCATE TABLE "+table); err != nil {
			t.Fatal(err)
		}
	}
	for _, pair := range tables {
		for _, restore := range []string{"TRUNCATE TABLE " + pair[0], "INSERT INTO " + pair[0] + " SETTINGS insert_deduplicate = 0 SELECT * FROM " + pair[1]} {
			if err := f.conn.Exec(t.Context(), restore); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := warehouse.Drop(t.Context(), f.conn, backup); err != nil {
		t.Fatal(err)
	}
	f.finish()
	if !f.log.has("behind the group's offset") {
		t.Error("it was not reported")
	}
	f.proveWhole()
}

// The disk under ClickHouse is full: nothing is lost, and projection goes on by
// itself when there is room.
func TestTheDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "clickhouse")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=64m"); errors.Is(err, syscall.EPERM) && os.Getenv("CI") == "" {
		t.Skip("mounting a small disk needs root")
	} else if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Unmount(data, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	own, err := embedded.Start(t.Context(), embedded.Config{Dir: dir, Topics: map[string]int{schemas.DeadLetterTopic: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	if err := warehouse.Migrate(t.Context(), own.ClickHouse().DSN()); err != nil {
		t.Fatal(err)
	}
	f := newFixtureAt(t, []string{engines.Kafka()}, 1)
	if f.conn, err = warehouse.Open(t.Context(), own.ClickHouse().DSN()); err != nil {
		t.Fatal(err)
	}
	defer f.conn.Close()
	f.least = f.conn
	f.putProvince(provinceEvents)

	// The disk becomes full between two batches, with nothing being written.
	if err := f.conn.Exec(t.Context(), "SYSTEM STOP MERGES"); err != nil {
		t.Fatal(err)
	}
	filler, commits := filepath.Join(data, "filler"), 0
	stop := f.runWith(func(p *Projector) {
		p.cfg.BatchRows = 100
		p.cfg.Signal = func(s Step, _ int) {
			if s == Committed {
				if commits++; commits == 3 {
					fill(t, filler)
				}
			}
		}
	})
	f.says("NOT_ENOUGH_SPACE")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	f.until(f.sent, projectedSQL)
	stop()
	f.proveWhole()
}

// fill takes all the room a disk has left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk did not become full: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// says waits until something was logged.
func (f *fixture) says(part string) {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if f.log.has(part) {
			return
		}
	}
	f.t.Fatalf("nothing was said of %q: %v", part, *f.log.lines.Load())
}

// everyBroker makes the suite run on Apache Kafka, too: `make test-fault`. The
// shortened form, in `make test`, leaves that to the conformance tests of
// deploy/kafka, but for the leader that is killed.
var everyBroker = os.Getenv("ZHIBAN_FAULTS") == "all"

// eachBroker runs a test against every kind of broker.
func eachBroker(t *testing.T, test func(t *testing.T, brokers []string)) {
	t.Run("embedded", func(t *testing.T) { test(t, []string{engines.Kafka()}) })
	if !everyBroker {
		return
	}
	t.Run("three of Apache Kafka", func(t *testing.T) {
		cluster, err := apache.Start(t.Context(), apache.Config{Dir: t.TempDir(), Brokers: 3})
		if err != nil {
			t.Fatal(err)
		}
		defer cluster.Close()
		if err := cluster.CreateTopic(t.Context(), schemas.DeadLetterTopic, 1, 3, 2); err != nil {
			t.Fatal(err)
		}
		test(t, cluster.Bootstrap())
	})
}

// A leader is killed while projectors read from it and commit to it.
func TestTheLeaderIsKilled(t *testing.T) {
	cluster, err := apache.Start(t.Context(), apache.Config{Dir: t.TempDir(), Brokers: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	if err := cluster.CreateTopic(t.Context(), schemas.DeadLetterTopic, 1, 3, 2); err != nil {
		t.Fatal(err)
	}
	f := newFixtureAt(t, cluster.Bootstrap(), 2)
	f.putProvince(provinceEvents)
	var kills atomic.Int64
	stop := f.runWith(func(p *Projector) {
		p.cfg.BatchRows = 50
		p.cfg.Signal = func(s Step, partition int) {
			if s != Evented || partition != 0 || !kills.CompareAndSwap(0, 1) {
				return
			}
			leader, err := cluster.Leader(t.Context(), f.topic, 0)
			if err != nil {
				t.Error(err)
				return
			}
			cluster.Kill(leader)
		}
	})
	f.until(f.sent, projectedSQL)
	stop()
	if kills.Load() == 0 {
		t.Error("no leader was killed")
	}
	f.proveWhole()
}
