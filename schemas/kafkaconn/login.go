package kafkaconn

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/segmentio/kafka-go/sasl"
	kafkaplain "github.com/segmentio/kafka-go/sasl/plain"
	franz "github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

const plain = "plain"

// saslName is what Kafka calls a mechanism; empty for one that is not known here.
func saslName(mechanism string) string {
	switch mechanism {
	case plain, "scram-sha-256", "scram-sha-512":
		return strings.ToUpper(mechanism)
	}
	return ""
}

func (c Config) mechanism() (sasl.Mechanism, error) {
	password := c.Password
	if c.PasswordFile != "" {
		text, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("--kafka-password-file: %w", err)
		}
		if password = strings.TrimRight(string(text), "\r\n"); password == "" {
			return nil, fmt.Errorf("--kafka-password-file %s: is empty", c.PasswordFile)
		}
	}
	auth := scram.Auth{User: c.User, Pass: password}
	switch c.SASL {
	case "scram-sha-256":
		return challenged{auth.AsSha256Mechanism()}, nil
	case "scram-sha-512":
		return challenged{auth.AsSha512Mechanism()}, nil
	default:
		return kafkaplain.Mechanism{Username: c.User, Password: password}, nil
	}
}

// challenged has kafka-go use a mechanism of franz-go, whose SCRAM needs nothing
// beyond the standard library.
type challenged struct{ franz.Mechanism }

func (m challenged) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	session, first, err := m.Authenticate(ctx, "") // the host is Kerberos' matter
	return state{session}, first, err
}

type state struct{ franz.Session }

func (s state) Next(_ context.Context, challenge []byte) (done bool, response []byte, err error) {
	return s.Challenge(challenge)
}
