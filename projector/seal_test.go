package projector

import (
	"context"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
)

// lateSource delivers the messages in hand at once, and one more at the very
// moment at which the reader's patience ends.
type lateSource struct {
	at     time.Time
	next   int64
	inHand int64
}

func (s *lateSource) FetchMessage(ctx context.Context) (kafka.Message, error) {
	if s.next > s.inHand {
		return kafka.Message{}, ctx.Err()
	}
	if s.next == s.inHand {
		<-ctx.Done()
	}
	s.next++
	return kafka.Message{Offset: s.next - 1, Time: s.at}, nil
}

func TestAMessageThatComesAsTheLingerEndsIsNotLost(t *testing.T) {
	p, err := New(Config{Brokers: []string{"127.0.0.1:1"}, Linger: time.Millisecond}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{Projector: p}
	log := &lateSource{at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), next: 7, inHand: 9}
	var held *kafka.Message
	msgs, drained, err := w.seal(context.Background(), log, 7, &held)
	if err != nil || !drained || len(msgs) != 3 || msgs[2].Offset != 9 {
		t.Errorf("sealed %d messages, drained %v, %v; want offsets 7 to 9", len(msgs), drained, err)
	}
}

func TestAHoleInTheLogIsAnError(t *testing.T) {
	p, _ := New(Config{Brokers: []string{"127.0.0.1:1"}}, nil, nil)
	w := &worker{Projector: p}
	log := &lateSource{next: 8, inHand: 100}
	var held *kafka.Message
	if msgs, _, err := w.seal(context.Background(), log, 7, &held); err == nil {
		t.Errorf("sealed %d messages behind a hole", len(msgs))
	}
}
