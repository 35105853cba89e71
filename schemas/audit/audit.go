// Package audit is the trail of who did and saw what. It is a topic of the log
// to which records are only ever appended, so nothing here can change or remove
// one; the projector copies it into the warehouse for the page that shows it.
//
// # Format
//
// A record's value is a JSON object with the members of [Record]; its place in
// the topic's one partition is its number. Members are only ever added.
package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"zhiban/schemas"
	"zhiban/schemas/kafkaconn"
)

// Record is something that was done, or tried.
type Record struct {
	Time    time.Time `json:"time"`
	Account string    `json:"account,omitempty"`
	Role    string    `json:"role,omitempty"`
	Address string    `json:"address,omitempty"` // where the request came from
	Action  string    `json:"action"`
	Object  string    `json:"object,omitempty"` // what it was done to: a path, an event, an account
	Outcome string    `json:"outcome,omitempty"`
	Detail  string    `json:"detail,omitempty"` // never a secret, never a text of the ledger
}

// The actions.
const (
	Login        = "login"
	LoginFailed  = "login-failed"
	Logout       = "logout"
	Denied       = "denied"
	Export       = "export"
	Unseal       = "unseal"
	Erase        = "erase"
	Replay       = "replay"
	MonthSubmit  = "month-submit"
	MonthReturn  = "month-return"
	MonthAccept  = "month-accept"
	MonthAmend   = "month-amend"
	ReadTrail    = "audit-read"
	outcomeNoted = "done"
)

// longest bounds a member: who asks for something absurd must not stop the trail.
const longest = 2000

// Config says where the trail is.
type Config struct {
	Brokers []string // host:port, at least one
	Topic   string   // schemas.AuditTopic when empty
	// Transport carries TLS and SASL; nil is plain TCP.
	Transport *kafka.Transport
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Trail appends to the audit trail. It is safe for concurrent use.
type Trail struct {
	writer *kafka.Writer
	now    func() time.Time
	own    *kafka.Transport
}

// Open makes sure that the topic is there: one partition, kept for ever.
func Open(ctx context.Context, c Config) (*Trail, error) {
	if c.Topic == "" {
		c.Topic = schemas.AuditTopic
	}
	t := &Trail{now: c.Now, own: &kafka.Transport{}}
	if t.now == nil {
		t.now = time.Now
	}
	transport := c.Transport
	if transport == nil {
		transport = t.own
	}
	client := &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: transport}
	replicas, safe, err := kafkaconn.Replicas(ctx, client) // by which who is not let in learns why
	if err != nil {
		t.own.CloseIdleConnections()
		return nil, fmt.Errorf("open the audit trail: %w", err)
	}
	created, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: c.Topic, NumPartitions: 1, ReplicationFactor: replicas,
		ConfigEntries: append(safe, kafka.ConfigEntry{ConfigName: "cleanup.policy", ConfigValue: "delete"}, kafka.ConfigEntry{ConfigName: "retention.ms", ConfigValue: "-1"})}}})
	if err == nil {
		err = created.Errors[c.Topic]
	}
	// Who may not create topics may yet use one that an operator has created.
	if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) && !errors.Is(err, kafka.TopicAuthorizationFailed) && !errors.Is(err, kafka.ClusterAuthorizationFailed) {
		t.own.CloseIdleConnections()
		return nil, fmt.Errorf("open the audit trail: create topic %s: %w", c.Topic, err)
	}
	t.writer = &kafka.Writer{Addr: client.Addr, Topic: c.Topic, Transport: transport, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Nanosecond,
		MaxAttempts: 5, WriteBackoffMin: 20 * time.Millisecond, WriteBackoffMax: 500 * time.Millisecond}
	return t, nil
}

// Record appends a record. When it returns nil, all in-sync replicas have it. A
// record without a time gets that of now. Errors are of kind Unavailable.
func (t *Trail) Record(ctx context.Context, r Record) error {
	if r.Time.IsZero() {
		r.Time = t.now()
	}
	r.Time = r.Time.UTC()
	if r.Outcome == "" {
		r.Outcome = outcomeNoted
	}
	for _, member := range []*string{&r.Account, &r.Role, &r.Address, &r.Action, &r.Object, &r.Outcome, &r.Detail} {
		if text := []rune(*member); len(text) > longest {
			*member = string(text[:longest]) + "…"
		}
	}
	value, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("audit record: %w", err)
	}
	if err := t.writer.WriteMessages(ctx, kafka.Message{Value: value, Time: r.Time}); err != nil {
		return schemas.Errorf(schemas.Unavailable, "the audit trail cannot be written: %w", err)
	}
	return nil
}

// Close waits for what is being written.
func (t *Trail) Close() error {
	err := t.writer.Close()
	t.own.CloseIdleConnections()
	return err
}
