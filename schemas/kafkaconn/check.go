package kafkaconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"

	"zhiban/schemas"
)

// Check connects to the brokers, one after the other, until one takes the
// settings. An error is of kind Unavailable when no broker answers, which may
// pass, and Invalid when one refuses the settings, and then says which to change.
func (c Config) Check(ctx context.Context) error {
	t, err := c.Transport()
	if err != nil {
		return schemas.Errorf(schemas.Invalid, "%w", err)
	}
	if len(c.Brokers) == 0 {
		return schemas.Errorf(schemas.Invalid, "no Kafka brokers given: set --kafka HOST:PORT")
	}
	var away error
	for _, broker := range c.Brokers {
		err := c.try(ctx, Dialer(t), broker)
		if err == nil || schemas.KindOf(err) == schemas.Invalid {
			return err
		}
		if away == nil {
			away = err
		}
	}
	return away
}

func (c Config) try(ctx context.Context, d *kafka.Dialer, broker string) error {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	if err := shake(ctx, broker, d.TLS); err != nil {
		return c.explain(broker, err)
	}
	conn, err := d.DialContext(ctx, "tcp", broker)
	if err == nil {
		defer conn.Close()
		deadline, _ := ctx.Deadline()
		_ = conn.SetDeadline(deadline)
		_, err = conn.Brokers() // answered to who is logged in alone
	}
	if err == nil {
		return nil
	}
	// Only to find out what the broker speaks: nothing is sent over it.
	if d.TLS == nil && shake(ctx, broker, &tls.Config{InsecureSkipVerify: true}) == nil {
		return schemas.Errorf(schemas.Invalid, "Kafka at %s speaks TLS: add --kafka-tls", broker)
	}
	return c.explain(broker, err)
}

// noTLS is the broker's answer to a TLS handshake when it does not know what that is.
type noTLS struct{ error }

// handshakeWait is how long a broker has for its answer: one that takes the
// handshake for the beginning of a long request gives none.
const handshakeWait = 3 * time.Second

// shake connects and, unless config is nil, shakes hands.
func shake(ctx context.Context, broker string, config *tls.Config) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", broker)
	if err != nil || config == nil {
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	defer conn.Close()
	config = config.Clone()
	config.ServerName, _, _ = net.SplitHostPort(broker)
	handshake, cancel := context.WithTimeout(ctx, handshakeWait)
	defer cancel()
	err = tls.Client(conn, config).HandshakeContext(handshake)
	var header tls.RecordHeaderError
	if ended(err) || errors.As(err, &header) || handshake.Err() != nil && ctx.Err() == nil {
		return noTLS{err}
	}
	return err
}

// ended tells that the other side has ended the connection.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

// explain says what to do about an error. The password is in none.
func (c Config) explain(broker string, err error) error {
	invalid := func(what string, args ...any) error {
		return schemas.Errorf(schemas.Invalid, "Kafka at %s "+what, append([]any{broker}, args...)...)
	}
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalidCA x509.CertificateInvalidError
		speaks    noTLS
		network   net.Error
		op        *net.OpError
	)
	during := func(step string) bool { return errors.As(err, &op) && op.Op == step }
	switch {
	case errors.As(err, &speaks):
		return invalid("does not speak TLS: leave out --kafka-tls, or give the address of its TLS listener (%w)", speaks.error)
	case errors.As(err, &authority) && c.CA == "":
		return invalid("shows a certificate of an authority that this machine does not know: give the authority's with --kafka-ca (%w)", err)
	case errors.As(err, &authority):
		return invalid("shows a certificate that no authority in --kafka-ca %s has signed (%w)", c.CA, err)
	case errors.As(err, &host):
		return invalid("shows a certificate for another name: use a name that it has, or have it issued for this one (%w)", err)
	case errors.As(err, &invalidCA):
		return invalid("shows a certificate that is not valid, as when it has expired (%w)", err)
	case during("remote error") && c.Cert == "":
		return invalid("refuses TLS without an own certificate, as it seems: set --kafka-cert and --kafka-key (%w)", err)
	case during("remote error"):
		return invalid("refuses the certificate in --kafka-cert %s (%w)", c.Cert, err)
	case errors.Is(err, kafka.UnsupportedSASLMechanism):
		return invalid("does not offer --kafka-sasl %s: choose what it does (%w)", c.SASL, err)
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return invalid("refuses the password of user %s: check --kafka-user and the password (%w)", c.User, err)
	case during("dial"), errors.As(err, &network) && network.Timeout(), errors.Is(err, context.Canceled):
		return schemas.Errorf(schemas.Unavailable, "Kafka at %s does not answer: %w", broker, err)
	case c.SASL == "" && ended(err):
		return invalid("closes the connection, as brokers do that want a login: set --kafka-sasl, --kafka-user and the password (%w)", err)
	default:
		return fmt.Errorf("talk to Kafka at %s: %w", broker, err)
	}
}
