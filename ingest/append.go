package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/protocol/produce"
)

const (
	// maxBatchBytes bounds a partition's share of a produce request. A broker
	// takes batches of 1 MiB unless told otherwise.
	maxBatchBytes = 900_000
	// maxQueuedBytes bounds what waits for the log, and with it the size of a
	// produce request; brokers take 100 MiB.
	maxQueuedBytes = 64 << 20
	// attemptTimeout bounds one produce request.
	attemptTimeout = 5 * time.Second
)

var (
	errQueueFull = errors.New("too many events wait for the log")
	errClosed    = errors.New("the server is shutting down")
)

// appender writes events to the log: group commit over kafka-go's Transport.
// One goroutine, run, owns the partitions' queues; each produce request is a
// goroutine that reports back to it.
type appender struct {
	topic     string
	address   net.Addr
	transport *kafka.Transport
	maxQueued int
	patience  time.Duration // how long a record may wait
	now       func() time.Time
	logger    *slog.Logger

	mu          sync.Mutex
	incoming    []*record // handed over, not yet seen by run
	queued      int       // records handed over and not settled
	queuedBytes int
	closed      bool

	wake     chan struct{} // something is in incoming, or closed is set
	outcomes chan outcome
	stopped  chan struct{}
	count    atomic.Int32 // partitions of the topic; 0 until it is known

	// What follows belongs to run alone.
	unrouted   queue // arrived before the topic's partitions were known
	partitions []*queue
	busy       map[int32]bool // leaders with a request on its way
	layout     failing        // looking up the partitions and their leaders
	stamp      time.Time      // the latest recorded time given
}

// record is an event on its way into the log.
type record struct {
	key      string
	value    []byte    // the event without its closing brace; whole once stamped
	by       string    // recordedby
	stamp    time.Time // recordedtime; zero until a batch is cut
	deadline time.Time
	size     int // in the log, or a little more
	call     *call
	place    int // in the call
}

// call is a group of records that someone waits for.
type call struct {
	open int
	errs []error // by place; nil: all were written
	done chan struct{}
}

// queue holds the records of one partition in their order.
type queue struct {
	failing
	records  []*record
	inFlight bool
}

// failing is the state of something that is tried again after a pause.
type failing struct {
	times   int // in a row
	last    error
	retryAt time.Time
}

// outcome is what became of one produce request.
type outcome struct {
	leader int32
	shares []share
}

// share is a partition's part of a produce request.
type share struct {
	partition int
	records   []*record
	err       error
}

func startAppender(c Config) *appender {
	a := &appender{
		topic: c.Topic, address: kafka.TCP(c.Brokers...), maxQueued: c.MaxQueued, patience: c.AckTimeout, now: c.now, logger: c.Logger,
		transport: &kafka.Transport{
			TLS:         c.Transport.TLS,
			SASL:        c.Transport.SASL,
			ClientID:    "zhiban-ingest",
			DialTimeout: 3 * time.Second,
			IdleTimeout: time.Minute,
			// A change of leader is noticed within a second. Until then the old
			// leader refuses and the batch is tried again.
			MetadataTTL:    time.Second,
			MetadataTopics: []string{c.Topic},
		},
		wake: make(chan struct{}, 1), outcomes: make(chan outcome), stopped: make(chan struct{}), busy: map[int32]bool{},
	}
	go a.run()
	return a
}

// close writes what is queued, as far as the log takes it before the records'
// deadlines, and ends the appender.
func (a *appender) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.signal()
	<-a.stopped
	a.transport.CloseIdleConnections()
}

func (a *appender) signal() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// full tells whether another record would be refused.
func (a *appender) full() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.queued >= a.maxQueued || a.queuedBytes >= maxQueuedBytes
}

// append writes records in order and waits until each is written or given up.
// It returns nil when all were written, else an error or nil for each. When ctx
// ends first, the records go on their way with nobody waiting.
func (a *appender) append(ctx context.Context, records []*record) (each []error, err error) {
	c := &call{open: len(records), done: make(chan struct{})}
	deadline := time.Now().Add(a.patience)
	bytes := 0
	for i, r := range records {
		r.call, r.place, r.deadline = c, i, deadline
		r.size = len(r.key) + len(r.value) + sealedRoom + len(r.by) + 32
		bytes += r.size
	}
	a.mu.Lock()
	switch {
	case a.closed:
		err = errClosed
	case a.queued+len(records) > a.maxQueued || a.queuedBytes+bytes > maxQueuedBytes:
		err = errQueueFull
	default:
		a.incoming = append(a.incoming, records...)
		a.queued += len(records)
		a.queuedBytes += bytes
	}
	a.mu.Unlock()
	if err != nil {
		return nil, err
	}
	a.signal()
	select {
	case <-c.done:
		return c.errs, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run takes what was handed over, cuts batches, and settles what the brokers
// answered, until the appender is closed and nothing is left.
func (a *appender) run() {
	defer close(a.stopped)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-a.wake:
		case <-timer.C:
		case o := <-a.outcomes:
			a.settle(o)
		}
		closed, now := a.take(), time.Now()
		a.expire(now)
		a.dispatch(now)
		if closed && a.idle() {
			return
		}
		timer.Reset(time.Until(a.next(now)))
	}
}

// queues are all places where a record may wait.
func (a *appender) queues() iter.Seq[*queue] {
	return func(yield func(*queue) bool) {
		if !yield(&a.unrouted) {
			return
		}
		for _, q := range a.partitions {
			if !yield(q) {
				return
			}
		}
	}
}

// idle tells whether nothing waits and nothing is on its way.
func (a *appender) idle() bool {
	for q := range a.queues() {
		if len(q.records) > 0 {
			return false
		}
	}
	return len(a.busy) == 0
}

// next is when run has to look again if nothing happens: a pause after a
// failure ends, or a record has waited too long. What was due before now was
// done, or waits for an outcome.
func (a *appender) next(now time.Time) time.Time {
	next := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	for q := range a.queues() {
		if len(q.records) > 0 && !q.inFlight {
			sooner(q.records[0].deadline.Add(time.Nanosecond))
			sooner(q.retryAt)
			sooner(a.layout.retryAt)
		}
	}
	return next
}

// take moves what was handed over into the queues.
func (a *appender) take() (closed bool) {
	a.mu.Lock()
	a.unrouted.records = append(a.unrouted.records, a.incoming...)
	clear(a.incoming)
	a.incoming = a.incoming[:0]
	closed = a.closed
	a.mu.Unlock()
	a.route()
	return closed
}

// route queues records by partition, once it is known how many there are.
func (a *appender) route() {
	if len(a.partitions) == 0 {
		return
	}
	for _, r := range a.unrouted.records {
		q := a.partitions[partitionOf(r.key, len(a.partitions))]
		q.records = append(q.records, r)
	}
	clear(a.unrouted.records)
	a.unrouted.records = a.unrouted.records[:0]
}

// partitionOf is the partition of a key as Java's default partitioner chooses
// it.
func partitionOf(key string, partitions int) int {
	numbers := partitionNumbers[:]
	if partitions > len(numbers) {
		numbers = countTo(partitions)
	}
	return kafka.Murmur2Balancer{Consistent: true}.Balance(kafka.Message{Key: []byte(key)}, numbers[:partitions]...)
}

var partitionNumbers = [256]int(countTo(256))

func countTo(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

// expire gives up records that have waited too long.
func (a *appender) expire(now time.Time) {
	for q := range a.queues() {
		n := 0
		for n < len(q.records) && !q.inFlight && now.After(q.records[n].deadline) {
			n++
		}
		if n == 0 {
			continue
		}
		cause := cmp.Or(q.last, a.layout.last, errors.New("no broker answered yet"))
		a.giveUp(q.records[:n], cause)
		q.records = slices.Delete(q.records, 0, n)
	}
}

func (a *appender) giveUp(records []*record, cause error) {
	a.logger.Error("gave up writing events to the log; their senders were told to send them again",
		"topic", a.topic, "brokers", a.address.String(), "events", len(records), "cause", cause)
	a.finish(records, cause)
}

// finish tells those who wait what became of their records.
func (a *appender) finish(records []*record, err error) {
	bytes := 0
	for _, r := range records {
		bytes += r.size
	}
	a.mu.Lock()
	a.queued -= len(records)
	a.queuedBytes -= bytes
	a.mu.Unlock()
	for _, r := range records {
		c := r.call
		if err != nil {
			for len(c.errs) <= r.place {
				c.errs = append(c.errs, nil)
			}
			c.errs[r.place] = err
		}
		if c.open--; c.open == 0 {
			close(c.done)
		}
	}
}

// dispatch cuts a batch for every leader that is free and has something to
// write.
func (a *appender) dispatch(now time.Time) {
	if !a.work(now) {
		return
	}
	leaders, err := a.leaders()
	if err != nil {
		a.failed(&a.layout, now, err)
		return
	}
	a.succeeded(&a.layout)
	if len(a.partitions) == 0 {
		for range leaders {
			a.partitions = append(a.partitions, new(queue))
		}
		a.count.Store(int32(len(leaders)))
		a.route()
	}
	requests := map[int32][]share{}
	for i, q := range a.partitions {
		if !q.ready(now) {
			continue
		}
		leader := int32(-1)
		if i < len(leaders) {
			leader = leaders[i]
		}
		switch {
		case leader < 0:
			a.failed(&q.failing, now, fmt.Errorf("partition %d has no leader", i))
		case !a.busy[leader]:
			requests[leader] = append(requests[leader], share{partition: i, records: a.cut(q)})
		}
	}
	for leader, shares := range requests {
		a.busy[leader] = true
		go a.produce(leader, shares)
	}
}

// work tells whether there is something that could be written now.
func (a *appender) work(now time.Time) bool {
	if now.Before(a.layout.retryAt) {
		return false
	}
	for q := range a.queues() {
		if q.ready(now) {
			return true
		}
	}
	return false
}

func (q *queue) ready(now time.Time) bool {
	return len(q.records) > 0 && !q.inFlight && !now.Before(q.retryAt)
}

// leaders looks up who leads each partition. It answers from the Transport's
// cache, and waits only before the first contact with the cluster.
func (a *appender) leaders() ([]int32, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	m, err := a.transport.RoundTrip(ctx, a.address, &metadata.Request{TopicNames: []string{a.topic}})
	if err != nil {
		return nil, fmt.Errorf("look up topic %s: %w", a.topic, err)
	}
	topic := m.(*metadata.Response).Topics[0]
	if topic.ErrorCode != 0 {
		return nil, fmt.Errorf("look up topic %s: %w", a.topic, kafka.Error(topic.ErrorCode))
	}
	leaders := make([]int32, len(topic.Partitions))
	for i, p := range topic.Partitions {
		leaders[i] = p.LeaderID
	}
	if len(leaders) == 0 {
		return nil, fmt.Errorf("look up topic %s: it has no partitions", a.topic)
	}
	return leaders, nil
}

// cut takes the next batch of a queue and stamps it. A record that is tried
// again keeps its stamp, so all its copies are the same.
func (a *appender) cut(q *queue) []*record {
	if now := a.now().Truncate(time.Millisecond); now.After(a.stamp) {
		a.stamp = now
	}
	n, bytes := 0, 0
	for n < len(q.records) && (n == 0 || bytes+q.records[n].size <= maxBatchBytes) {
		r := q.records[n]
		if r.stamp.IsZero() {
			r.stamp = a.stamp
			r.value = appendRecorded(r.value, r.stamp, r.by)
		}
		bytes += r.size
		n++
	}
	batch := slices.Clone(q.records[:n])
	q.records = slices.Delete(q.records, 0, n)
	q.inFlight = true
	return batch
}

// produce sends one request to one broker and reports the outcome to run.
func (a *appender) produce(leader int32, shares []share) {
	timeout := attemptTimeout
	request := produce.RequestTopic{Topic: a.topic}
	for _, s := range shares {
		// Not beyond the first record's deadline; but a second at least, for the
		// sake of the others.
		timeout = min(timeout, max(time.Until(s.records[0].deadline), time.Second))
		records := make([]kafka.Record, len(s.records))
		for i, r := range s.records {
			records[i] = kafka.Record{Time: r.stamp, Key: kafka.NewBytes([]byte(r.key)), Value: kafka.NewBytes(r.value)}
		}
		request.Partitions = append(request.Partitions, produce.RequestPartition{
			Partition: int32(s.partition),
			RecordSet: protocol.RecordSet{Attributes: protocol.Attributes(kafka.Lz4), Records: kafka.NewRecordReader(records...)},
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	response, err := a.transport.RoundTrip(ctx, a.address, &produce.Request{
		Acks: int16(kafka.RequireAll), Timeout: int32(timeout.Milliseconds()), Topics: []produce.RequestTopic{request},
	})
	for i := range shares {
		shares[i].err = err
		if err == nil {
			shares[i].err = answerFor(response.(*produce.Response), shares[i].partition)
		}
	}
	a.outcomes <- outcome{leader, shares}
}

// answerFor is what a broker said about one partition.
func answerFor(r *produce.Response, partition int) error {
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			switch {
			case int(p.Partition) != partition:
			case p.ErrorCode != 0:
				return kafka.Error(p.ErrorCode)
			default:
				return nil
			}
		}
	}
	return errors.New("the broker's answer leaves the partition out")
}

// settle finishes what was written. What was not goes back to the head of its
// queue if another attempt may help.
func (a *appender) settle(o outcome) {
	delete(a.busy, o.leader)
	for _, s := range o.shares {
		q := a.partitions[s.partition]
		q.inFlight = false
		if s.err == nil {
			a.succeeded(&q.failing)
			a.finish(s.records, nil)
			continue
		}
		err := fmt.Errorf("write to partition %d at broker %d: %w", s.partition, o.leader, s.err)
		a.failed(&q.failing, time.Now(), err)
		var code kafka.Error
		if errors.As(s.err, &code) && !code.Temporary() {
			a.giveUp(s.records, err)
			continue
		}
		q.records = slices.Insert(q.records, 0, s.records...)
	}
}

// failed notes a failure and sets a pause that grows from 50 ms to a second.
func (a *appender) failed(f *failing, now time.Time, err error) {
	f.last = err
	f.retryAt = now.Add(min(50*time.Millisecond<<min(f.times, 10), time.Second))
	if f.times++; f.times == 1 {
		a.logger.Warn("the log does not take events; trying again", "topic", a.topic, "brokers", a.address.String(), "cause", err)
	}
}

func (a *appender) succeeded(f *failing) {
	if f.times > 0 {
		a.logger.Info("the log takes events again", "topic", a.topic, "failures", f.times, "last", f.last)
		*f = failing{}
	}
}

// check tells whether the log could take an event now: it asks every leader of
// the topic, again and again until ctx ends, for leaders may just be changing.
func (a *appender) check(ctx context.Context) error {
	for {
		err := a.checkOnce(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

func (a *appender) checkOnce(ctx context.Context) error {
	leaders, err := a.leaders()
	if err != nil {
		return err
	}
	if n := int(a.count.Load()); n != 0 && n != len(leaders) {
		return fmt.Errorf("topic %s has %d partitions, and had %d when this process began: cases would be torn apart; rebuild the projection and restart", a.topic, len(leaders), n)
	}
	offsets := make([]kafka.OffsetRequest, len(leaders))
	for i := range leaders {
		offsets[i] = kafka.LastOffsetOf(i)
	}
	client := kafka.Client{Addr: a.address, Transport: a.transport}
	response, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{a.topic: offsets}})
	if err != nil {
		return fmt.Errorf("ask for the end of topic %s: %w", a.topic, err)
	}
	for _, p := range response.Topics[a.topic] {
		if p.Error != nil {
			return fmt.Errorf("ask for the end of partition %d of topic %s: %w", p.Partition, a.topic, p.Error)
		}
	}
	return nil
}
