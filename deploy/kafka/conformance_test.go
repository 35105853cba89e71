package apache_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kafka "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"zhiban/ingest/simulate"
	"zhiban/projector"
	"zhiban/projector/verify"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// What the platform does with a log, on each Kafka that it may be.

func TestWhatIsAcceptedStandsInTheLogInOrder(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		const partitions = 3
		topic := e.newLog(t, partitions)
		events, _ := week(t)
		send(t, e.newIngest(t, topic), events)

		sent, stand := map[string][]schemas.EventID{}, map[string][]schemas.EventID{}
		for _, envelope := range events {
			event, err := envelope.Parse()
			if err != nil {
				t.Fatal(err)
			}
			sent[event.Source.Key()] = append(sent[event.Source.Key()], event.ID)
		}
		home := map[string]int{} // the partition of each case
		used := map[int]bool{}
		for partition, events := range e.logged(t, topic, partitions) {
			for _, event := range events {
				stand[event.Source.Key()] = append(stand[event.Source.Key()], event.ID)
				used[partition] = true
				if other, ok := home[event.Case.String()]; ok && other != partition {
					t.Errorf("the case %s is in partitions %d and %d", event.Case, other, partition)
				}
				home[event.Case.String()] = partition
			}
		}
		if diff := cmp.Diff(sent, stand); diff != "" {
			t.Errorf("what each station sent (-) and what stands in the log (+):\n%s", diff)
		}
		if len(used) != partitions {
			t.Errorf("only the partitions %v have events", slices.Sorted(maps.Keys(used)))
		}
	})
}

// The fence of the projection: an intent in the offset's metadata is kept, and a
// member of an earlier generation cannot write one.
func TestAStaleGenerationCommitsNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		topic := e.newLog(t, 2)
		client := &kafka.Client{Addr: kafka.TCP(e.brokers...), Transport: transport(t)}
		commit := func(generation int, member string, metadata string) error {
			res, err := client.OffsetCommit(t.Context(), &kafka.OffsetCommitRequest{
				GroupID: topic, GenerationID: generation, MemberID: member,
				Topics: map[string][]kafka.OffsetCommit{topic: {{Partition: 0, Offset: 5, Metadata: metadata}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			return res.Topics[topic][0].Error
		}
		committed := func() string {
			res, err := client.OffsetFetch(t.Context(), &kafka.OffsetFetchRequest{GroupID: topic, Topics: map[string][]int{topic: {0}}})
			if err != nil {
				t.Fatal(err)
			}
			if p := res.Topics[topic][0]; p.Error != nil || p.CommittedOffset != 5 {
				t.Errorf("offset %d, %v", p.CommittedOffset, p.Error)
			}
			return res.Topics[topic][0].Metadata
		}

		first := member(t, e, topic)
		old := next(t, first)
		if err := commit(int(old.ID), old.MemberID, "1:5-9"); err != nil {
			t.Fatal(err)
		}
		// A second member makes both begin a new generation.
		second := member(t, e, topic)
		joined := make(chan *kafka.Generation, 1)
		go func() { joined <- next(t, second) }()
		renewed := next(t, first)
		other := <-joined
		if renewed == nil || other == nil || renewed.ID <= old.ID || other.ID != renewed.ID {
			t.Fatalf("generation %v is followed by %v and %v", old, renewed, other)
		}
		if err := commit(int(old.ID), old.MemberID, "stale"); !errors.Is(err, kafka.IllegalGeneration) {
			t.Errorf("the commit of an earlier generation: %v", err)
		}
		if err := commit(-1, "", "nobody"); !errors.Is(err, kafka.UnknownMemberId) {
			t.Errorf("the commit of no member while the group has some: %v", err)
		}
		if got := committed(); got != "1:5-9" {
			t.Errorf("the intent is %q", got)
		}
		if err := commit(int(renewed.ID), renewed.MemberID, "2:5-9"); err != nil {
			t.Error(err)
		}
		if got := committed(); got != "2:5-9" {
			t.Errorf("the intent is %q", got)
		}
		if err := second.Close(); err != nil {
			t.Error(err)
		}
		if err := commit(int(other.ID), other.MemberID, "gone"); !errors.Is(err, kafka.UnknownMemberId) {
			t.Errorf("the commit of a member that has left: %v", err)
		}
	})
}

// member joins the group that is named like its topic.
func member(t *testing.T, e engine, topic string) *kafka.ConsumerGroup {
	t.Helper()
	g, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: topic, Brokers: e.brokers, Topics: []string{topic},
		SessionTimeout: 10 * time.Second, RebalanceTimeout: 10 * time.Second, HeartbeatInterval: 100 * time.Millisecond, JoinGroupBackoff: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// next is a member's next generation, nil when there is none. A coordinator that is
// only just made says so for a while.
func next(t *testing.T, g *kafka.ConsumerGroup) *kafka.Generation {
	ctx := limited(t)
	for {
		generation, err := g.Next(ctx)
		if err == nil {
			return generation
		}
		if ctx.Err() != nil {
			t.Errorf("no generation: %v", err)
			return nil
		}
	}
}

// A week is projected by one projector, which is killed between two steps, and then
// by two that share the partitions.
func TestASimulatedWeekIsProjectedOnce(t *testing.T) {
	books := map[string]map[string]int64{}
	eachEngine(t, func(t *testing.T, e engine) {
		const partitions = 3
		topic := e.newLog(t, partitions)
		conn, dsn := newWarehouse(t)
		events, truth := week(t)
		half := len(events) / 2
		sender := e.newIngest(t, topic)
		send(t, sender, events[:half])

		order := projecting{Brokers: e.brokers, Topic: topic, Warehouse: dsn, KillAt: projector.Posted}
		killed := exec.Command("/proc/self/exe")
		killed.Env = append(os.Environ(), projectorVariable+"="+order.encoded(t))
		killed.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := killed.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("the projector that was to be killed ended with %v\n%s", err, out)
		}
		e.dismiss(t, topic)

		var did [2]atomic.Int64 // batches of each projector
		stop := e.project(t, topic, dsn, &did[0], &did[1])
		e.share(t, topic, len(did))
		before := []int64{did[0].Load(), did[1].Load()}
		send(t, sender, events[half:])
		projected(t, conn, int64(truth.LogRecords))
		stop()
		for i := range did {
			if did[i].Load() == before[i] {
				t.Errorf("projector %d of two did nothing of the second half", i)
			}
		}
		proveWhole(t, e, topic, conn, truth.LogRecords, truth)
		books[e.name] = sums(t, conn)
	})
	if diff := cmp.Diff(books["embedded"], books["Apache"]); diff != "" {
		t.Errorf("books on the embedded broker (-) and on Apache Kafka (+):\n%s", diff)
	}
}

// The leader of a partition is killed while events come in, and stations send some
// again whose answer they did not get.
func TestAKilledLeaderLosesNothing(t *testing.T) {
	e, c := apacheEngine(t), cluster(t)
	const partitions = 2
	topic := e.newLog(t, partitions)
	conn, dsn := newWarehouse(t)
	events, truth := week(t)
	sender := e.newIngest(t, topic)
	leader, err := c.Leader(limited(t), topic, 0)
	if err != nil {
		t.Fatal(err)
	}

	batches := slices.Collect(slices.Chunk(events, 50))
	underway, dead := make(chan struct{}), make(chan struct{})
	var group errgroup.Group
	group.Go(func() error {
		for i, batch := range batches {
			if i == 3 {
				close(underway)
			}
			if i == len(batches)-3 {
				<-dead // the last ones come when the leader is dead
			}
			send(t, sender, batch)
		}
		return nil
	})
	<-underway
	c.Kill(leader)
	close(dead)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if heir, err := c.Leader(limited(t), topic, 0); err != nil || heir == leader {
		t.Errorf("broker %d was killed; partition 0 has the leader %d, %v", leader, heir, err)
	}
	send(t, sender, batches[0])
	send(t, sender, batches[len(batches)-1])
	if err := c.Restart(limited(t), leader); err != nil {
		t.Fatal(err)
	}
	if err := c.InSync(limited(t), topic); err != nil {
		t.Fatal(err)
	}

	logged := map[schemas.EventID]bool{}
	records := 0
	for _, events := range e.logged(t, topic, partitions) {
		for _, event := range events {
			logged[event.ID] = true
			records++
		}
	}
	if len(logged) != truth.Events {
		t.Errorf("the log has %d events, %d were accepted", len(logged), truth.Events)
	}
	if records < truth.LogRecords+len(batches[0])+len(batches[len(batches)-1]) {
		t.Errorf("the log has %d records: nothing was written twice", records)
	}

	var did atomic.Int64
	stop := e.project(t, topic, dsn, &did)
	projected(t, conn, int64(records))
	stop()
	proveWhole(t, e, topic, conn, records, truth)
}

// projectorVariable tells a process of this test to be a projector.
const projectorVariable = "ZHIBAN_TEST_PROJECTOR"

// runProjector projects until it kills itself.
func runProjector(order string) {
	var p projecting
	if err := json.Unmarshal([]byte(order), &p); err != nil {
		panic(err)
	}
	var seen atomic.Int64
	err := p.start(context.Background(), func(step projector.Step, _ int) {
		if step == p.KillAt && seen.Add(1) == 3 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	})
	panic(err)
}

// project starts one projector for each counter, which counts its batches; stop
// ends them all.
func (e engine) project(t *testing.T, topic, dsn string, did ...*atomic.Int64) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group errgroup.Group
	for _, n := range did {
		group.Go(func() error {
			return projecting{Brokers: e.brokers, Topic: topic, Warehouse: dsn}.start(ctx, func(step projector.Step, _ int) {
				if step == projector.Committed {
					n.Add(1)
				}
			})
		})
	}
	stop = func() {
		cancel()
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// members are the group's, with the partitions each has; none while they change.
func (e engine) members(t *testing.T, group string) map[string]int {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(e.brokers...), Transport: transport(t)}
	res, err := client.DescribeGroups(t.Context(), &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, g := range res.Groups {
		for _, m := range g.Members {
			out[m.MemberID] = 0
			for _, topic := range m.MemberAssignments.Topics {
				out[m.MemberID] += len(topic.Partitions)
			}
		}
	}
	return out
}

// dismiss takes the dead out of a group, so that nobody waits for the end of their
// sessions.
func (e engine) dismiss(t *testing.T, group string) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(e.brokers...), Transport: transport(t)}
	leave := &kafka.LeaveGroupRequest{GroupID: group}
	for id := range e.members(t, group) {
		leave.Members = append(leave.Members, kafka.LeaveGroupRequestMember{ID: id})
	}
	if len(leave.Members) == 0 {
		t.Fatal("the group has forgotten its dead member")
	}
	res, err := client.LeaveGroup(t.Context(), leave)
	if err == nil {
		err = res.Error
	}
	if err != nil {
		t.Fatal(err)
	}
}

// share waits until a group has as many members and each has partitions.
func (e engine) share(t *testing.T, group string, members int) {
	t.Helper()
	eventually(t, "the projectors share the partitions", func() bool {
		have := e.members(t, group)
		for _, partitions := range have {
			if partitions == 0 {
				return false
			}
		}
		return len(have) == members
	})
}

func number(t *testing.T, conn *warehouse.Conn, query string) (n int64) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// projected waits until the ledger has a number of records of the log.
func projected(t *testing.T, conn *warehouse.Conn, records int64) {
	t.Helper()
	eventually(t, "all is projected", func() bool {
		return number(t, conn, "SELECT toInt64(sum(n)) FROM (SELECT max(last_offset) + 1 AS n FROM batches GROUP BY kafka_partition)") >= records
	})
}

// proveWhole has the log's records recounted and compared with the tables, and those
// with what the simulation says it amounts to.
func proveWhole(t *testing.T, e engine, topic string, conn *warehouse.Conn, records int, truth *simulate.Truth) {
	t.Helper()
	result, err := verify.Run(t.Context(), verify.Config{Brokers: e.brokers, Topic: topic, Conn: conn})
	if err != nil {
		t.Fatal(err)
	}
	if !result.OK() || result.Records != int64(records) || result.Figures == 0 || result.Parked != 0 {
		var text strings.Builder
		_ = result.Text(&text, "en")
		t.Errorf("of %d records:\n%s", records, text.String())
	}
	if n := number(t, conn, "SELECT toInt64(uniqExact(id)) FROM events"); n != int64(truth.Events) {
		t.Errorf("%d events, want %d", n, truth.Events)
	}
	for _, figure := range []schemas.IndicatorCode{"shifts", "consultations", "applications_received", "plea_assistance"} {
		got := number(t, conn, "SELECT toInt64(sum(quantity)) FROM postings WHERE toString(indicator) = '"+string(figure)+"'")
		if want := truth.Total[figure]; got != want || want == 0 {
			t.Errorf("%s are %d, want %d", figure, got, want)
		}
	}
}

// sums are the books: each figure of each day.
func sums(t *testing.T, conn *warehouse.Conn) map[string]int64 {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT concat(toString(indicator), ' ', toString(day)), toInt64(sum(quantity)) FROM postings GROUP BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var figure string
		var n int64
		if err := rows.Scan(&figure, &n); err != nil {
			t.Fatal(err)
		}
		out[figure] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
