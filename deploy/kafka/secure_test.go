package apache_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	kafka "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	apache "zhiban/deploy/kafka"
	"zhiban/deploy/tlstest"
	"zhiban/projector"
	"zhiban/projector/operate"
	"zhiban/schemas"
	"zhiban/schemas/audit"
	"zhiban/schemas/kafkaconn"
	"zhiban/schemas/ktable"
	"zhiban/schemas/warehouse"
)

// passphrase is of the user zhiban; it is searched for in what is logged.
const passphrase = "Schneegestoeber-4711"

// secureEngine is a Kafka that takes nobody without TLS and a login.
type secureEngine struct {
	name    string
	brokers []string
	ca      string
	client  tlstest.Pair // empty unless the brokers want one
}

// Both kinds of broker let nobody in without TLS and a login, and Apache's wants a
// certificate of the client's besides.
func TestBrokersThatWantALogin(t *testing.T) {
	test := func(t *testing.T, e secureEngine) {
		t.Run("wrong settings are named", e.namesWrongSettings)
		t.Run("everything logs in", e.letsEverythingIn)
		if e.name == "Apache" { // kfake ends the connection without an answer
			t.Run("the log says why nothing is projected", e.refusesAProjector)
		}
	}
	t.Run("embedded", func(t *testing.T) {
		authority := tlstest.New(t)
		c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(authority.Server(tls.NoClientCert)), kfake.EnableSASL(),
			kfake.Superuser("PLAIN", "zhiban", passphrase), kfake.Superuser("SCRAM-SHA-256", "zhiban", passphrase), kfake.Superuser("SCRAM-SHA-512", "zhiban", passphrase))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		test(t, secureEngine{"embedded", c.ListenAddrs(), authority.File, tlstest.Pair{}})
	})
	t.Run("Apache", func(t *testing.T) {
		authority := tlstest.New(t)
		broker, client := authority.Issue("broker"), authority.Issue("client")
		c, err := apache.Start(limited(t), apache.Config{Dir: t.TempDir(), Secure: &apache.Secure{
			Cert: broker.Cert, Key: broker.Key, ClientCA: authority.File, Users: map[string]string{"zhiban": passphrase},
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if t.Failed() {
				t.Log(c.Tail(50))
			}
			c.Close()
		})
		test(t, secureEngine{"Apache", c.Secure(), authority.File, client})
	})
}

// config is what the brokers want.
func (e secureEngine) config() kafkaconn.Config {
	return kafkaconn.Config{Brokers: e.brokers, TLS: true, CA: e.ca, Cert: e.client.Cert, Key: e.client.Key, SASL: "scram-sha-512", User: "zhiban", Password: passphrase}
}

func (e secureEngine) namesWrongSettings(t *testing.T) {
	stranger := tlstest.New(t)
	for _, c := range []struct {
		name   string
		change func(*kafkaconn.Config)
		want   string // part of the error; empty when it works
	}{
		{"SCRAM-SHA-512", func(c *kafkaconn.Config) {}, ""},
		{"SCRAM-SHA-256", func(c *kafkaconn.Config) { c.SASL = "scram-sha-256" }, ""},
		{"PLAIN", func(c *kafkaconn.Config) { c.SASL = "plain" }, ""},
		{"wrong password", func(c *kafkaconn.Config) { c.Password += "x" }, "refuses the password of user zhiban"},
		{"wrong password by PLAIN", func(c *kafkaconn.Config) { c.SASL, c.Password = "plain", c.Password+"x" }, "refuses the password of user zhiban"},
		{"unknown user", func(c *kafkaconn.Config) { c.User = "nobody" }, "refuses the password of user nobody"},
		{"unknown authority", func(c *kafkaconn.Config) { c.CA = "" }, "with --kafka-ca"},
		{"another authority", func(c *kafkaconn.Config) { c.CA = stranger.File }, "no authority in --kafka-ca"},
		{"plain TCP", func(c *kafkaconn.Config) { *c = kafkaconn.Config{Brokers: c.Brokers} }, "add --kafka-tls"},
		{"a login without TLS", func(c *kafkaconn.Config) { c.TLS, c.CA, c.Cert, c.Key = false, "", "", "" }, "add --kafka-tls"},
		{"no login", func(c *kafkaconn.Config) { c.SASL, c.User, c.Password = "", "", "" }, "set --kafka-sasl"},
	} {
		config := e.config()
		c.change(&config)
		err := config.Check(limited(t))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		case err != nil && strings.Contains(err.Error(), passphrase):
			t.Errorf("%s: the password is in %v", c.name, err)
		}
	}
	if e.client.Cert == "" {
		return
	}
	config, foreign := e.config(), stranger.Issue("client")
	config.Cert, config.Key = foreign.Cert, foreign.Key
	if err := config.Check(limited(t)); err == nil || !strings.Contains(err.Error(), "refuses the certificate in --kafka-cert") {
		t.Errorf("a certificate of another authority: %v", err)
	}
	config.Cert, config.Key = "", ""
	if err := config.Check(limited(t)); err == nil || !strings.Contains(err.Error(), "set --kafka-cert") {
		t.Errorf("no certificate: %v", err)
	}
}

// Everything behind the log works where every connection has to log in: tables,
// the audit trail, projection with dead letters, replaying, rebuilding, verifying.
func (e secureEngine) letsEverythingIn(t *testing.T) {
	ctx := limited(t)
	transport, err := e.config().Transport()
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	var logged syncBuffer
	log := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))

	table, err := ktable.Open(ctx, ktable.Config{Brokers: e.brokers, Topic: schemas.AccessTopic, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Put(ctx, "user/a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if value, ok := table.Get("user/a"); !ok || string(value) != "x" {
		t.Errorf("the table has %q", value)
	}
	if err := table.Close(); err != nil {
		t.Error(err)
	}

	conn, _ := newWarehouse(t)
	trail, err := audit.Open(ctx, audit.Config{Brokers: e.brokers, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	defer trail.Close()
	if err := trail.Record(ctx, audit.Record{Account: "clerk", Action: audit.Export}); err != nil {
		t.Fatal(err)
	}

	client := &kafka.Client{Addr: kafka.TCP(e.brokers...), Transport: transport}
	created, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: schemas.Topic, NumPartitions: 1, ReplicationFactor: 1}, {Topic: schemas.DeadLetterTopic, NumPartitions: 1, ReplicationFactor: 1},
	}})
	if err := errors.Join(err, created.Errors[schemas.Topic], created.Errors[schemas.DeadLetterTopic]); err != nil {
		t.Fatal(err)
	}
	w := &kafka.Writer{Addr: client.Addr, Topic: schemas.Topic, Transport: transport, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond, MaxAttempts: 100}
	defer w.Close()
	if err := w.WriteMessages(ctx, append(aShift(t), kafka.Message{Key: []byte("220182-court"), Value: []byte("garbage")})...); err != nil {
		t.Fatal(err)
	}

	config := projector.Config{Brokers: e.brokers, Transport: transport, Linger: 20 * time.Millisecond, RebalanceTimeout: time.Second}
	p, err := projector.New(config, conn, log)
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 2)
	go func() { done <- p.Run(running) }()
	go func() { done <- projector.ProjectAudit(running, e.brokers, transport, conn, log) }()
	number := func(query string) (n int64) {
		if err := conn.QueryRow(ctx, query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return n
	}
	eventually(t, "all is projected", func() bool {
		return number("SELECT toInt64(max(last_offset) + 1) FROM batches") == 3 && number("SELECT toInt64(count()) FROM audit") == 1
	})
	if n := number("SELECT sum(quantity) FROM postings WHERE indicator = 'duty_minutes'"); n != 480 {
		t.Errorf("%d minutes on duty, want 480", n)
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: e.brokers, Topic: schemas.DeadLetterTopic, Dialer: kafkaconn.Dialer(transport), MaxWait: 100 * time.Millisecond})
	defer r.Close()
	if m, err := r.ReadMessage(ctx); err != nil || string(m.Value) != "garbage" {
		t.Errorf("dead letter %q, %v", m.Value, err)
	}

	operator := operate.Operator{Out: io.Discard, Err: io.Discard, Log: log, Transport: transport}
	if switched, err := operator.Rebuild(ctx, projector.Config{Brokers: e.brokers, RebalanceTimeout: time.Second}, conn, operate.Rebuilding{AcceptParked: true}); err != nil || !switched {
		t.Errorf("rebuild: switched %v, %v", switched, err)
	}
	if ok, err := operator.Verify(ctx, e.brokers, conn, "en"); err != nil || !ok {
		t.Errorf("verify: agrees %v, %v", ok, err)
	}
	if left, err := operator.Replay(ctx, projector.Config{Brokers: e.brokers}, conn); err != nil || left != 1 {
		t.Errorf("replay: %d left, %v", left, err)
	}
	stop()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if strings.Contains(logged.String(), passphrase) {
		t.Errorf("the password is in the log:\n%s", &logged)
	}
}

// What has the wrong password says so while it tries, and not the password.
func (e secureEngine) refusesAProjector(t *testing.T) {
	config := e.config()
	config.Password = passphrase + "-wrong"
	transport, err := config.Transport()
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	conn, _ := newWarehouse(t)
	var logged syncBuffer
	p, err := projector.New(projector.Config{Brokers: e.brokers, Transport: transport, Tables: warehouse.Tables{Version: 1}}, conn, slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(limited(t))
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	eventually(t, "the log tells", func() bool { return strings.Contains(logged.String(), "SASL Authentication Failed") })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	_, err = ktable.Open(limited(t), ktable.Config{Brokers: e.brokers, Topic: "t", Transport: transport})
	if !errors.Is(err, kafka.SASLAuthenticationFailed) {
		t.Errorf("the table says %v", err)
	}
	_, trailErr := audit.Open(limited(t), audit.Config{Brokers: e.brokers, Transport: transport})
	if !errors.Is(trailErr, kafka.SASLAuthenticationFailed) {
		t.Errorf("the audit trail says %v", trailErr)
	}
	if strings.Contains(logged.String()+fmt.Sprint(err, trailErr), passphrase) {
		t.Errorf("the password is in the log:\n%s", &logged)
	}
}

// aShift is a shift of eight hours.
func aShift(t *testing.T) []kafka.Message {
	subject := "shift/" + uuid.NewString()
	var out []kafka.Message
	for _, e := range []schemas.Envelope{
		{Type: "zhiban.shift.signed_in.v1", Time: "2026-09-01T08:30:00+08:00", Data: json.RawMessage(`{"lawyer":"12201201810123456","mode":"onsite"}`)},
		{Type: "zhiban.shift.signed_out.v1", Time: "2026-09-01T16:30:00+08:00", Data: json.RawMessage(`{"lawyer":"12201201810123456"}`)},
	} {
		e.SpecVersion, e.ID, e.Source, e.Subject, e.RecordedTime = "1.0", uuid.NewString(), "/stations/220182-court", subject, "2026-09-01T12:00:00.000Z"
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, kafka.Message{Key: []byte("220182-court"), Value: b})
	}
	return slices.Clip(out)
}
