package apache

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	kafka "github.com/segmentio/kafka-go"
)

// clusterID is any; all brokers of a cluster must have the same.
const clusterID = "zhiban0zhiban0zhiban0g"

// broker is one process of a cluster, broker and controller at once.
type broker struct {
	id         int // Kafka's, from 1 on
	dir        string
	java       java
	addr       string  // for clients and brokers
	controller string  // for controllers
	secureAddr string  // for clients that log in
	secure     *Secure // nil: none do

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
}

func newBroker(id int, dir string, j java, secure *Secure) *broker {
	done := make(chan struct{})
	close(done) // it has not been started
	return &broker{id: id, dir: dir, java: j, secure: secure, done: done}
}

func (b *broker) logFile() string { return filepath.Join(b.dir, "kafka.log") }

func (b *broker) properties() string { return filepath.Join(b.dir, "server.properties") }

// configure writes the broker's configuration and formats its data directory unless
// that was done before.
func (b *broker) configure(brokers []*broker) error {
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	var voters []string
	for _, v := range brokers {
		voters = append(voters, fmt.Sprintf("%d@%s", v.id, v.controller))
	}
	data := filepath.Join(b.dir, "data")
	text := os.Expand(settings, func(name string) string {
		return map[string]string{
			"ID": strconv.Itoa(b.id), "VOTERS": strings.Join(voters, ","), "ADDR": b.addr, "CONTROLLER": b.controller,
			"DATA": data, "REPLICAS": strconv.Itoa(len(brokers)), "INSYNC": strconv.Itoa(max(1, len(brokers)-1)),
		}[name]
	})
	format := []string{"format", "--cluster-id", clusterID, "--config", b.properties(), "--ignore-formatted"}
	if b.secure != nil {
		more, err := b.secureSettings()
		if err != nil {
			return err
		}
		text += more
		for user, password := range b.secure.Users {
			for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
				format = append(format, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, user, password))
			}
		}
	}
	if err := os.WriteFile(b.properties(), []byte(text), 0o600); err != nil {
		return err
	}
	return b.format(data, format)
}

// format formats the data directory.
func (b *broker) format(data string, args []string) error {
	format := b.java.command("kafka.tools.StorageTool", args...)
	format.SysProcAttr = brokerAttr()
	if out, err := format.CombinedOutput(); err != nil {
		return fmt.Errorf("format %s: %w\n%s", data, err, out)
	}
	return nil
}

// secureSettings puts certificate and key into one file, as Kafka wants them, and
// returns the settings of the listener that uses it.
func (b *broker) secureSettings() (string, error) {
	cert, err := os.ReadFile(b.secure.Cert)
	if err != nil {
		return "", err
	}
	key, err := os.ReadFile(b.secure.Key)
	if err != nil {
		return "", err
	}
	store := filepath.Join(b.dir, "own.pem")
	if err := os.WriteFile(store, append(key, cert...), 0o600); err != nil {
		return "", err
	}
	var users strings.Builder
	for user, password := range b.secure.Users {
		fmt.Fprintf(&users, " user_%s=\"%s\"", user, password)
	}
	text := os.Expand(secureSettings, func(name string) string {
		return map[string]string{"ADDR": b.addr, "CONTROLLER": b.controller, "SECURE": b.secureAddr, "STORE": store, "USERS": users.String()}[name]
	})
	if b.secure.ClientCA != "" {
		text += "ssl.truststore.type=PEM\nssl.truststore.location=" + b.secure.ClientCA + "\nlistener.name.secure.ssl.client.auth=required\n"
	}
	return text, nil
}

// start starts the process unless it runs.
func (b *broker) start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.runs() {
		return nil
	}
	out, err := os.OpenFile(b.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := b.java.command("kafka.Kafka", b.properties())
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, out, out
	cmd.SysProcAttr = brokerAttr()
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(done)
	}()
	b.cmd, b.done = cmd, done
	return nil
}

// runs tells whether the process runs; the caller holds mu.
func (b *broker) runs() bool {
	select {
	case <-b.done:
		return false
	default:
		return true
	}
}

func (b *broker) running() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.runs()
}

// ended is closed when the process has ended.
func (b *broker) ended() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done
}

func (b *broker) kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.runs() {
		_ = b.cmd.Process.Kill() // fails when it has just ended
		<-b.done
	}
}

// metadata is what the broker itself knows, not what a client has kept.
func (b *broker) metadata(ctx context.Context, topics []string) (*kafka.MetadataResponse, error) {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(b.addr), Transport: transport}
	return client.Metadata(ctx, &kafka.MetadataRequest{Topics: topics})
}

// tail is the end of the broker's log.
func (b *broker) tail(lines int) string {
	text, err := os.ReadFile(b.logFile())
	if err != nil {
		return err.Error()
	}
	all := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}

// settings are a broker's, with ${NAMES} for what differs from one to the next.
const settings = `process.roles=broker,controller
node.id=${ID}
controller.quorum.voters=${VOTERS}
listeners=PLAINTEXT://${ADDR},CONTROLLER://${CONTROLLER}
advertised.listeners=PLAINTEXT://${ADDR}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${DATA}
min.insync.replicas=${INSYNC}
offsets.topic.replication.factor=${REPLICAS}
offsets.topic.num.partitions=${REPLICAS}

# As in production: the log is the truth, and more than one request may hold.
auto.create.topics.enable=false
log.retention.ms=-1
log.retention.bytes=-1
offsets.retention.minutes=5256000
message.max.bytes=16777216
group.initial.rebalance.delay.ms=0

# For tests on a small machine.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
background.threads=2
num.io.threads=2
num.network.threads=1
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=2097152
`

// secureSettings come behind the others, and the last one of a name counts.
const secureSettings = `
listeners=PLAINTEXT://${ADDR},CONTROLLER://${CONTROLLER},SECURE://${SECURE}
advertised.listeners=PLAINTEXT://${ADDR},SECURE://${SECURE}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location=${STORE}
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required${USERS};
listener.name.secure.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
`
