package kafkaconn

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// Replicas is how a topic is created that must outlive a broker: on three of them,
// two of which have every record that was acknowledged, or on as many as there
// are. A broker's own default is one.
func Replicas(ctx context.Context, client *kafka.Client) (int, []kafka.ConfigEntry, error) {
	metadata, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return 0, nil, fmt.Errorf("ask for the brokers: %w", err)
	}
	replicas := min(3, len(metadata.Brokers))
	switch {
	case replicas == 0:
		return 0, nil, errors.New("ask for the brokers: the cluster names none")
	case replicas < 3:
		return replicas, nil, nil
	}
	return replicas, []kafka.ConfigEntry{{ConfigName: "min.insync.replicas", ConfigValue: "2"}}, nil
}
