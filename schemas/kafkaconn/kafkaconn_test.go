package kafkaconn

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"zhiban/deploy/tlstest"
	"zhiban/schemas"
)

const secret = "Wasserfall-7"

// broker is a broker that lets "zhiban" with the secret in, by every mechanism.
func broker(t *testing.T, opts ...kfake.Opt) []string {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(1, "topic")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()
}

func login() []kfake.Opt {
	return []kfake.Opt{
		kfake.EnableSASL(), kfake.Superuser("PLAIN", "zhiban", secret), kfake.Superuser("SCRAM-SHA-256", "zhiban", secret), kfake.Superuser("SCRAM-SHA-512", "zhiban", secret),
	}
}

// What a broker wants is what it has to be given, and anything else is told apart.
func TestCheckSaysWhichSettingIsWrong(t *testing.T) {
	authority, other := tlstest.New(t), tlstest.New(t)
	secure := kfake.TLS(authority.Server(tls.NoClientCert))
	mutual := authority.Server(tls.RequireAndVerifyClientCert)
	own, foreign := authority.Issue("projector"), other.Issue("projector")
	full := append(login(), secure)
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		broker []kfake.Opt
		config Config
		want   string // part of the error; empty when it works
	}{
		{"plain TCP", nil, Config{}, ""},
		{"TLS", []kfake.Opt{secure}, Config{TLS: true, CA: authority.File}, ""},
		{"TLS on both sides", []kfake.Opt{kfake.TLS(mutual)}, Config{TLS: true, CA: authority.File, Cert: own.Cert, Key: own.Key}, ""},
		{"TLS and a password", full, Config{TLS: true, CA: authority.File, SASL: "plain", User: "zhiban", Password: secret}, ""},
		{"TLS and SCRAM", full, Config{TLS: true, CA: authority.File, SASL: "scram-sha-256", User: "zhiban", Password: secret}, ""},
		{"TLS and SCRAM of a file", full, Config{TLS: true, CA: authority.File, SASL: "scram-sha-512", User: "zhiban", PasswordFile: file}, ""},
		{"SCRAM without TLS", login(), Config{SASL: "scram-sha-512", User: "zhiban", Password: secret}, ""},

		{"plain TCP to TLS", full, Config{}, "add --kafka-tls"},
		{"a login without TLS to TLS", full, Config{SASL: "scram-sha-512", User: "zhiban", Password: secret}, "add --kafka-tls"},
		{"TLS to plain TCP", nil, Config{TLS: true, CA: authority.File}, "does not speak TLS"},
		{"an authority of the system alone", full, Config{TLS: true}, "with --kafka-ca"},
		{"another authority", full, Config{TLS: true, CA: other.File}, "no authority in --kafka-ca"},
		{"no own certificate", []kfake.Opt{kfake.TLS(mutual)}, Config{TLS: true, CA: authority.File}, "set --kafka-cert"},
		{"an own certificate that it does not know", []kfake.Opt{kfake.TLS(mutual)}, Config{TLS: true, CA: authority.File, Cert: foreign.Cert, Key: foreign.Key}, "refuses the certificate in --kafka-cert"},
		{"no login", full, Config{TLS: true, CA: authority.File}, "set --kafka-sasl"},
		{"no login without TLS", login(), Config{}, "set --kafka-sasl"},
		{"a wrong password", full, Config{TLS: true, CA: authority.File, SASL: "plain", User: "zhiban", Password: "Wasserfall-8"}, "refuses the password of user zhiban"},
		{"a wrong password by SCRAM", full, Config{TLS: true, CA: authority.File, SASL: "scram-sha-512", User: "zhiban", Password: "Wasserfall-8"}, "refuses the password of user zhiban"},
		{"a mechanism that it does not offer", []kfake.Opt{kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "zhiban", secret), secure}, Config{TLS: true, CA: authority.File, SASL: "plain", User: "zhiban", Password: secret}, "kafka-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.config.Brokers = broker(t, c.broker...)
			err := c.config.Check(t.Context())
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want == "":
				readBack(t, c.config)
			case err == nil || !strings.Contains(err.Error(), c.want) || schemas.KindOf(err) != schemas.Invalid:
				t.Fatalf("got %v of kind %v, want Invalid with %q", err, schemas.KindOf(err), c.want)
			case strings.Contains(err.Error(), "Wasserfall"):
				t.Fatalf("the error shows the password: %v", err)
			}
		})
	}
}

// readBack writes through the transport and reads through its dialer.
func readBack(t *testing.T, c Config) {
	t.Helper()
	transport, err := c.Transport()
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	w := &kafka.Writer{Addr: kafka.TCP(c.Brokers...), Topic: "topic", Transport: transport, RequiredAcks: kafka.RequireAll, BatchTimeout: 1}
	defer w.Close()
	if err := w.WriteMessages(t.Context(), kafka.Message{Value: []byte("value")}); err != nil {
		t.Fatal(err)
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: c.Brokers, Topic: "topic", Dialer: Dialer(transport), MaxWait: 100 * time.Millisecond})
	defer r.Close()
	m, err := r.ReadMessage(t.Context())
	if err != nil || string(m.Value) != "value" {
		t.Fatalf("read %q, %v", m.Value, err)
	}
}

// A broker that is away may come back: that is another kind of error.
func TestCheckTellsAwayFromWrong(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	if err := (Config{Brokers: []string{nobody}}).Check(t.Context()); schemas.KindOf(err) != schemas.Unavailable || !strings.Contains(err.Error(), nobody) {
		t.Errorf("nobody listens: %v of kind %v", err, schemas.KindOf(err))
	}
	if err := (Config{Brokers: append([]string{nobody}, broker(t)...)}).Check(t.Context()); err != nil {
		t.Errorf("one of two is up: %v", err)
	}
	if err := (Config{}).Check(t.Context()); schemas.KindOf(err) != schemas.Invalid {
		t.Errorf("no brokers: %v", err)
	}
}

func TestValidateSaysWhatDoesNotGoTogether(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{CA: "ca.pem"}, "without TLS"},
		{Config{TLS: true, Cert: "own.pem"}, "half given"},
		{Config{User: "zhiban"}, "add --kafka-sasl"},
		{Config{SASL: "gssapi", User: "zhiban", Password: secret}, "choose plain"},
		{Config{SASL: "plain", User: "zhiban", Password: secret}, "add --kafka-tls"},
		{Config{SASL: "scram-sha-512", Password: secret}, "set --kafka-user"},
		{Config{SASL: "scram-sha-512", User: "zhiban"}, "needs one password"},
		{Config{SASL: "scram-sha-512", User: "zhiban", Password: secret, PasswordFile: "file"}, "needs one password"},
		{Config{TLS: true, CA: "/nowhere/ca.pem"}, "--kafka-ca"},
		{Config{TLS: true, Cert: "/nowhere/own.pem", Key: "/nowhere/own.key"}, "--kafka-cert"},
		{Config{SASL: "scram-sha-512", User: "zhiban", PasswordFile: "/nowhere/password"}, "--kafka-password-file"},
	} {
		if _, err := c.config.Transport(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v: %v, want %q", c.config, err, c.want)
		}
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{{TLS: true, CA: empty}, {SASL: "scram-sha-512", User: "zhiban", PasswordFile: empty}} {
		if _, err := c.Transport(); err == nil || !strings.Contains(err.Error(), empty) {
			t.Errorf("%v: %v, want the empty file", c, err)
		}
	}
}

// Whatever prints a configuration, and whatever holds it, leaves the password out;
// only as JSON another process gets it.
func TestThePasswordIsNotPrinted(t *testing.T) {
	c := Config{Brokers: []string{"kafka:9092"}, TLS: true, SASL: "plain", User: "zhiban", Password: secret}
	holder := struct{ Kafka Config }{c}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		fmt.Fprintf(&out, verb+verb+"\n", c, holder)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("up", "kafka", c, "engines", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("up", "kafka", c)
	if strings.Contains(out.String(), secret) || !strings.Contains(out.String(), "as zhiban") {
		t.Errorf("printed:\n%s", &out)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var again Config
	if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%s becomes %#v, %v", text, again, err)
	}
}

// The flags are those of the manual, and each has its variable.
func TestFlags(t *testing.T) {
	t.Setenv("ZHIBAN_KAFKA_PASSWORD", secret)
	var command struct {
		Kafka Config `embed:""`
	}
	var help bytes.Buffer
	parser, err := kong.New(&command, kong.Writers(&help, &help), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(strings.Fields("--kafka a:1,b:2 --kafka-tls --kafka-sasl scram-sha-512 --kafka-user zhiban")); err != nil {
		t.Fatal(err)
	}
	want := Config{Brokers: []string{"a:1", "b:2"}, TLS: true, SASL: "scram-sha-512", User: "zhiban", Password: secret}
	if !reflect.DeepEqual(command.Kafka, want) || want.Validate() != nil {
		t.Errorf("got %v, want %v", command.Kafka, want)
	}
	if _, err := parser.Parse([]string{"--kafka-sasl=gssapi"}); err == nil {
		t.Error("an unknown mechanism is taken")
	}
	_, _ = parser.Parse([]string{"--help"})
	if strings.Contains(help.String(), secret) || !strings.Contains(help.String(), "ZHIBAN_KAFKA_PASSWORD") {
		t.Errorf("help:\n%s", &help)
	}
}
