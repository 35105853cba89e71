// Package kafkaconn is how the platform reaches Kafka: addresses, TLS and login
// as flags, and the one [kafka.Transport] that every part of a process shares.
// Readers and consumer groups of kafka-go do not take a transport; [Dialer]
// makes what they take of one.
package kafkaconn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// Config says how to reach Kafka. As JSON it holds the password: keep it in a file
// for its owner alone.
type Config struct {
	Brokers      []string `name:"kafka" env:"ZHIBAN_KAFKA" placeholder:"HOST:PORT" help:"Kafka bootstrap addresses."`
	TLS          bool     `name:"kafka-tls" env:"ZHIBAN_KAFKA_TLS" help:"Speak TLS with Kafka."`
	CA           string   `name:"kafka-ca" env:"ZHIBAN_KAFKA_CA" type:"path" placeholder:"FILE" help:"Certificates (PEM) of the authorities that may sign the brokers', instead of the system's."`
	Cert         string   `name:"kafka-cert" env:"ZHIBAN_KAFKA_CERT" type:"path" placeholder:"FILE" help:"Own certificate (PEM), for brokers that ask for one."`
	Key          string   `name:"kafka-key" env:"ZHIBAN_KAFKA_KEY" type:"path" placeholder:"FILE" help:"Key (PEM) of the own certificate."`
	SASL         string   `name:"kafka-sasl" env:"ZHIBAN_KAFKA_SASL" default:"" enum:",plain,scram-sha-256,scram-sha-512" placeholder:"MECHANISM" help:"How to log in to Kafka: plain (with TLS alone), scram-sha-256 or scram-sha-512."`
	User         string   `name:"kafka-user" env:"ZHIBAN_KAFKA_USER" help:"User to log in to Kafka as."`
	Password     string   `name:"kafka-password" env:"ZHIBAN_KAFKA_PASSWORD" help:"Its password. Everybody on a machine sees its command lines: rather set the variable, or --kafka-password-file."`
	PasswordFile string   `name:"kafka-password-file" env:"ZHIBAN_KAFKA_PASSWORD_FILE" type:"path" placeholder:"FILE" help:"File that holds the password."`
}

// Validate says what does not go together. Whether brokers are needed is the
// caller's matter.
func (c Config) Validate() error {
	login := c.User != "" || c.Password != "" || c.PasswordFile != ""
	switch {
	case !c.TLS && (c.CA != "" || c.Cert != "" || c.Key != ""):
		return errors.New("certificates for Kafka are given without TLS: add --kafka-tls, or leave out --kafka-ca, --kafka-cert and --kafka-key")
	case (c.Cert == "") != (c.Key == ""):
		return errors.New("the own certificate for Kafka is half given: --kafka-cert and --kafka-key go together")
	case c.SASL == "" && login:
		return errors.New("a login for Kafka is given without the way to use it: add --kafka-sasl scram-sha-512, or what the brokers offer")
	case c.SASL == "":
		return nil
	case saslName(c.SASL) == "":
		return fmt.Errorf("--kafka-sasl %s: choose plain, scram-sha-256 or scram-sha-512", c.SASL)
	case c.SASL == plain && !c.TLS:
		return errors.New("--kafka-sasl plain would send the password readable: add --kafka-tls, or choose scram-sha-512")
	case c.User == "":
		return fmt.Errorf("--kafka-sasl %s needs a user: set --kafka-user", c.SASL)
	case (c.Password == "") == (c.PasswordFile == ""):
		return fmt.Errorf("--kafka-sasl %s needs one password: set either ZHIBAN_KAFKA_PASSWORD or --kafka-password-file", c.SASL)
	}
	return nil
}

// Transport reads the files and makes the transport; nothing is connected yet. It
// is the caller's to end with CloseIdleConnections.
func (c Config) Transport() (*kafka.Transport, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	t := &kafka.Transport{ClientID: "zhiban"}
	var err error
	if c.TLS {
		if t.TLS, err = c.tls(); err != nil {
			return nil, err
		}
	}
	if c.SASL != "" {
		if t.SASL, err = c.mechanism(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (c Config) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("--kafka-ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--kafka-ca %s: holds no certificate in PEM", c.CA)
		}
	}
	if c.Cert != "" {
		own, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("--kafka-cert %s, --kafka-key %s: %w", c.Cert, c.Key, err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	return config, nil
}

// Dialer reaches the brokers as a transport does; nil is plain TCP.
func Dialer(t *kafka.Transport) *kafka.Dialer {
	d := &kafka.Dialer{Timeout: 10 * time.Second, DualStack: true}
	if t == nil {
		return d
	}
	d.ClientID, d.DialFunc, d.TLS, d.SASLMechanism = t.ClientID, t.Dial, t.TLS, t.SASL
	if t.DialTimeout != 0 {
		d.Timeout = t.DialTimeout
	}
	return d
}

// String is the configuration without its password.
func (c Config) String() string {
	text := "kafka " + strings.Join(c.Brokers, ",")
	if c.TLS {
		text += " over TLS"
	}
	if c.SASL != "" {
		text += fmt.Sprintf(" as %s by %s", c.User, c.SASL)
	}
	return text
}

// GoString is for %#v, which must not show the password either.
func (c Config) GoString() string { return c.String() }

// LogValue is for logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
