package embedded_test

import (
	"errors"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"

	"zhiban/deploy/embedded"
)

// What the projection relies on, and what its tests may expect, of the broker's
// consumer groups.

func newGroup(t *testing.T, e *embedded.Engines, session time.Duration) *kafka.ConsumerGroup {
	t.Helper()
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:                "g",
		Brokers:           []string{e.Kafka()},
		Topics:            []string{topic},
		SessionTimeout:    session,
		RebalanceTimeout:  5 * time.Second,
		HeartbeatInterval: session / 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { group.Close() })
	return group
}

func next(t *testing.T, group *kafka.ConsumerGroup) *kafka.Generation {
	t.Helper()
	generation, err := group.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return generation
}

func TestACommitOfAnEarlierGenerationIsRefused(t *testing.T) {
	e := start(t, t.TempDir())
	client, idle := kafkaClient(e)
	defer idle()
	commitAs := func(g *kafka.Generation, metadata string) error {
		return commit(t.Context(), client, int(g.ID), g.MemberID, 0, 5, metadata)
	}
	first := newGroup(t, e, time.Second)
	old := next(t, first)
	if err := commitAs(old, "1:5-9"); err != nil {
		t.Fatal(err)
	}
	// A second member makes both begin a new generation.
	joined := make(chan *kafka.Generation)
	second := newGroup(t, e, time.Second)
	go func() {
		g, err := second.Next(t.Context())
		if err != nil {
			t.Error(err)
		}
		joined <- g
	}()
	renewed := next(t, first)
	other := <-joined
	if renewed.ID <= old.ID || other.ID != renewed.ID {
		t.Errorf("generation %d is followed by %d and %d", old.ID, renewed.ID, other.ID)
	}
	if err := commitAs(old, "stale"); !errors.Is(err, kafka.IllegalGeneration) {
		t.Errorf("commit of an earlier generation: %v", err)
	}
	if err := commit(t.Context(), client, -1, "", 0, 5, "nobody"); !errors.Is(err, kafka.UnknownMemberId) {
		t.Errorf("commit of no member while the group has some: %v", err)
	}
	if _, metadata := committed(t, client, 0); metadata != "1:5-9" {
		t.Errorf("metadata is %q", metadata)
	}
	if err := commitAs(renewed, "2:5-9"); err != nil {
		t.Error(err)
	}
	if _, metadata := committed(t, client, 0); metadata != "2:5-9" {
		t.Errorf("metadata is %q", metadata)
	}
}

func TestAGroupWaitsForADeadMemberUntilItsSessionTimesOut(t *testing.T) {
	e := start(t, t.TempDir())
	client, idle := kafkaClient(e)
	defer idle()
	const session = time.Second
	join := func(timeout time.Duration, member string) *kafka.JoinGroupResponse {
		t.Helper()
		r, err := client.JoinGroup(t.Context(), &kafka.JoinGroupRequest{
			GroupID:          "g",
			MemberID:         member,
			SessionTimeout:   timeout,
			RebalanceTimeout: 5 * time.Second,
			ProtocolType:     "consumer",
			Protocols: []kafka.GroupProtocol{{
				Name:     kafka.RangeGroupBalancer{}.ProtocolName(),
				Metadata: kafka.GroupProtocolSubscription{Topics: []string{topic}},
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := join(499*time.Millisecond, ""); !errors.Is(r.Error, kafka.InvalidSessionTimeout) {
		t.Errorf("a session of less than 500 ms: %v", r.Error)
	}
	// A member that joins and is never heard of again, as after kill -9. It gets its
	// id with the first answer and joins with that.
	dead := join(session, join(session, "").MemberID)
	if dead.Error != nil {
		t.Fatal(dead.Error)
	}
	began := time.Now()
	heir := next(t, newGroup(t, e, session))
	took := time.Since(began)
	t.Log("took over after", took)
	if len(heir.Assignments[topic]) != partitions {
		t.Errorf("took over %v", heir.Assignments)
	}
	if took < session/2 || took > 4*session {
		t.Errorf("took over after %v, the session of the dead member was %v", took, session)
	}
	if err := commit(t.Context(), client, dead.GenerationID, dead.MemberID, 0, 1, ""); !errors.Is(err, kafka.UnknownMemberId) {
		t.Errorf("commit of the dead member: %v", err)
	}
}
