package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	kafka "github.com/segmentio/kafka-go"

	"zhiban/schemas"
	"zhiban/schemas/kafkaconn"
	"zhiban/schemas/warehouse"
)

// worker projects one partition for one generation of the group.
type worker struct {
	*Projector
	fence
	tables  warehouse.Tables
	log     *slog.Logger
	epoch   uint32
	history *history
	writer  *warehouse.Writer
	rows    rows            // of the batch at hand
	msgs    []kafka.Message // of the batch at hand
	// unrolled are the offsets whose sums are to be made again, since rows were removed.
	unrolled *batchRange
}

func (p *Projector) worker(gen *kafka.Generation, partition int, tables warehouse.Tables) *worker {
	return &worker{
		tables:    tables,
		writer:    p.conn.Writer(),
		Projector: p,
		fence:     fence{p.client, p.cfg.Topic, partition, gen},
		log:       p.log.With("partition", partition, "generation", gen.ID),
	}
}

// run projects until the generation ends. A failure that is not the fence's is
// tried again from the recovery on, with a growing pause: nothing is skipped. An
// error is that of a record which may not be passed.
func (w *worker) run(ctx context.Context) error {
	defer w.writer.Close()
	patience := backoff.NewExponentialBackOff()
	patience.InitialInterval, patience.MaxInterval = 100*time.Millisecond, 10*time.Second
	for {
		err := w.project(ctx, patience.Reset)
		if ctx.Err() != nil {
			return nil
		}
		if stop := (impassable{}); errors.As(err, &stop) {
			return err
		}
		if fenced(err) {
			w.log.Info("partition was handed to another projector", "err", err)
			return nil // ends the generation; Run joins the next
		}
		wait := patience.NextBackOff()
		w.log.Warn("projection interrupted; trying again", "err", err, "pause", wait)
		if !pause(ctx, wait) {
			return nil
		}
	}
}

func fenced(err error) bool {
	return errors.Is(err, kafka.IllegalGeneration) || errors.Is(err, kafka.UnknownMemberId) ||
		errors.Is(err, kafka.RebalanceInProgress) || errors.Is(err, kafka.FencedInstanceID)
}

// catchingUp is the size from which a batch is more than what just came in.
const catchingUp = 1000

// project recovers the partition's place and then takes batch after batch.
// progressed is called after each.
func (w *worker) project(ctx context.Context, progressed func()) error {
	next, err := w.recover(ctx)
	if err != nil {
		return err
	}
	log := w.reader(next, time.Second)
	defer log.Close()
	var held *kafka.Message // read, but of the following batch
	behind := false         // the log had much more than was projected
	for {
		sealed, drained, err := w.seal(ctx, log, next, &held)
		if err != nil {
			return err
		}
		behind = behind || len(sealed) > catchingUp
		if err := w.write(ctx, sealed); err != nil {
			return err
		}
		next += int64(len(sealed))
		progressed()
		if behind && drained {
			behind = false
			w.history.settle()
			debug.FreeOSMemory() // catching up needed much more than following does
		}
	}
}

// reader reads the partition from an offset on. wait is how long it may wait for
// what is not there yet; closing it takes as long.
func (w *worker) reader(offset int64, wait time.Duration) *kafka.Reader {
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: w.cfg.Brokers, Topic: w.topic, Partition: w.partition, Dialer: kafkaconn.Dialer(w.cfg.Transport),
		MinBytes: 1, MaxBytes: 2 << 20, MaxWait: wait, QueueCapacity: 2000,
		ReadBackoffMin: 10 * time.Millisecond, ReadBackoffMax: time.Second,
	})
	_ = r.SetOffset(offset) // fails only for a group's reader
	return r
}

// batch is a sealed range of the partition, decoded and posted.
type batch struct {
	batchRange
	*rows
	letters  []deadLetter
	recorded time.Time // of the first event
}

// source delivers a partition's messages in order, a *kafka.Reader.
type source interface {
	FetchMessage(context.Context) (kafka.Message, error)
}

// message is the log's message at an offset. It skips what a reader delivers again
// after reconnecting; a hole in the log is an error, since what stood there
// would be missing from every figure.
func (w *worker) message(ctx context.Context, log source, offset int64) (kafka.Message, error) {
	for {
		m, err := log.FetchMessage(ctx)
		switch {
		case err != nil:
			return m, fmt.Errorf("read offset %d of partition %d: %w", offset, w.partition, err)
		case m.Offset > offset:
			return m, fmt.Errorf("read offset %d of partition %d: the log goes on at %d; its retention must be unlimited", offset, w.partition, m.Offset)
		case m.Offset == offset:
			return m, nil
		}
	}
}

// seal reads one batch from offset next on: at least one message, until it is
// full, has lingered long enough, or the year of recording changes. drained
// tells that it ended because the log had no more.
func (w *worker) seal(ctx context.Context, log source, next int64, held **kafka.Message) (msgs []kafka.Message, drained bool, err error) {
	var m kafka.Message
	if *held != nil {
		m, *held = **held, nil
	} else if m, err = w.message(ctx, log, next); err != nil {
		return nil, false, err
	}
	msgs = append(w.msgs[:0], m) //nolint:gocritic // the room of the last batch
	defer func() { w.msgs = msgs }()
	year := schemas.DayOf(m.Time).Year()
	bytes := len(m.Value)
	lingering, cancel := context.WithTimeout(ctx, w.cfg.Linger)
	defer cancel()
	for len(msgs) < w.cfg.BatchRows && bytes < w.cfg.BatchBytes {
		m, err := w.message(lingering, log, next+int64(len(msgs)))
		switch {
		// Only an error ends the wait: a message that came as the time ran out will
		// not be delivered again.
		case err != nil && lingering.Err() != nil && ctx.Err() == nil:
			return msgs, true, nil
		case err != nil:
			return nil, false, err
		case schemas.DayOf(m.Time).Year() != year:
			*held = &m
			return msgs, false, nil
		}
		msgs = append(msgs, m)
		bytes += len(m.Value)
	}
	return msgs, false, nil
}

// write carries a sealed batch through steps 2 to 5.
func (w *worker) write(ctx context.Context, msgs []kafka.Message) error {
	b, err := w.build(ctx, msgs, w.epoch)
	if err != nil {
		return err
	}
	w.signal(Sealed)
	if err := w.bury(ctx, b.letters); err != nil {
		return err
	}
	w.signal(Buried)
	if err := w.commit(ctx, b.first, b.String()); err != nil {
		return err
	}
	w.signal(Intended)
	return w.finish(ctx, b)
}

// finish inserts a batch whose intent is committed, enters it in the ledger and
// commits the offset behind it.
func (w *worker) finish(ctx context.Context, b *batch) error {
	if err := w.insert(ctx, b); err != nil {
		return err
	}
	if err := w.commit(ctx, b.last+1, ""); err != nil {
		return err
	}
	w.signal(Committed)
	w.projected.Add(float64(b.events.len()))
	w.buried.Add(float64(b.parked.len()))
	return nil
}

func (w *worker) signal(s Step) { w.cfg.Signal(s, w.partition) }

// build decodes and posts the messages of a range. It is a function of the
// messages and of the log before them, so doing it again gives the same rows.
// The batch holds the worker's rows: the one before must be done with.
func (w *worker) build(ctx context.Context, msgs []kafka.Message, epoch uint32) (*batch, error) {
	w.rows.reset()
	year := schemas.Date(schemas.DayOf(msgs[0].Time).Year(), time.January, 1).Start() // of all of them
	b := &batch{batchRange: batchRange{epoch, msgs[0].Offset, msgs[len(msgs)-1].Offset}, rows: &w.rows, recorded: msgs[0].Time}
	events := make([]schemas.Event, 0, len(msgs))
	places := make([]int64, 0, len(msgs))
	for _, m := range msgs {
		e, err := w.read(m.Value)
		reason, stop := w.judge(m, err)
		if stop != nil {
			return nil, impassable{stop}
		}
		if reason != nil {
			b.parked.add(w.partition, epoch, m, reason)
			b.letters = append(b.letters, deadLetter{m, reason})
			continue
		}
		e.Recorded = m.Time // one clock for partitioning: the record's own
		events = append(events, e)
		places = append(places, m.Offset)
	}
	files, err := w.history.load(ctx, events, b.first)
	if err != nil {
		return nil, err
	}
	for i := range events {
		e := &events[i]
		b.events.add(w.partition, places[i], epoch, e)
		change := w.history.enter(files[i], *e)
		slices.SortFunc(change, canonical)
		for j := range change {
			b.postings.add(w.partition, places[i], epoch, year, &change[j])
		}
	}
	w.history.behind = b.last + 1
	return b, nil
}
