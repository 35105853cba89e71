package ktable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"zhiban/schemas/kafkaconn"
)

// Config says which topic a table is.
type Config struct {
	Brokers []string // host:port, at least one
	Topic   string
	// Transport carries TLS and SASL, for reading as for writing; nil is plain TCP.
	// It stays the caller's: Close leaves it open.
	Transport *kafka.Transport
}

// topicConfig is what the topic is created with.
var topicConfig = []kafka.ConfigEntry{
	{ConfigName: "cleanup.policy", ConfigValue: "compact"},
	// A process that reads within it sees each record of a key that several
	// processes take, before compaction leaves only the last.
	{ConfigName: "min.compaction.lag.ms", ConfigValue: "600000"},
}

// prepare creates the topic when it is not there, and refuses one that would
// forget what is put into it.
func prepare(ctx context.Context, c Config, transport *kafka.Transport) error {
	if len(c.Brokers) == 0 || c.Topic == "" {
		return errors.New("name the brokers and the topic")
	}
	client := &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: transport}
	replicas, safe, err := kafkaconn.Replicas(ctx, client) // by which who is not let in learns why
	if err != nil {
		return err
	}
	created, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: c.Topic, NumPartitions: 1, ReplicationFactor: replicas, ConfigEntries: slices.Concat(topicConfig, safe),
	}}})
	if err == nil {
		err = created.Errors[c.Topic]
	}
	// Who may not create topics may yet use one that an operator has created.
	if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) && !errors.Is(err, kafka.TopicAuthorizationFailed) && !errors.Is(err, kafka.ClusterAuthorizationFailed) {
		return fmt.Errorf("create the topic: %w", err)
	}
	if err := awaitLeader(ctx, client, c.Topic); err != nil {
		return err
	}
	return checkPolicy(ctx, client, c.Topic)
}

// awaitLeader waits until the topic's one partition has a leader, which takes a
// moment after the topic was created.
func awaitLeader(ctx context.Context, client *kafka.Client, topic string) error {
	for {
		metadata, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
		if err != nil {
			return fmt.Errorf("ask for the topic's leader: %w", err)
		}
		i := slices.IndexFunc(metadata.Topics, func(t kafka.Topic) bool { return t.Name == topic })
		switch {
		case i < 0 || metadata.Topics[i].Error != nil || len(metadata.Topics[i].Partitions) == 0 || metadata.Topics[i].Partitions[0].Error != nil:
			if i >= 0 {
				err = metadata.Topics[i].Error
			}
		case len(metadata.Topics[i].Partitions) != 1:
			return fmt.Errorf("the topic has %d partitions, and must have one: its order is the order of all changes", len(metadata.Topics[i].Partitions))
		default:
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the topic has no leader: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// checkPolicy refuses a topic whose records expire, as one has that was created
// by hand or by a broker that creates whatever it is asked for.
func checkPolicy(ctx context.Context, client *kafka.Client, topic string) error {
	resources, err := describe(ctx, client, topic)
	if err != nil {
		return fmt.Errorf("ask for the topic's settings: %w", err)
	}
	for _, resource := range resources {
		for _, entry := range resource.ConfigEntries {
			if entry.ConfigName == "cleanup.policy" && strings.TrimSpace(entry.ConfigValue) != "compact" {
				return fmt.Errorf("the topic has cleanup.policy=%s, so that what is in it would expire; set it to compact: kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config cleanup.policy=compact", entry.ConfigValue, topic)
			}
		}
	}
	return nil
}

// describe asks for the topic's policy until the broker that is asked knows the
// topic: the brokers of a cluster learn of it one after the other.
func describe(ctx context.Context, client *kafka.Client, topic string) ([]kafka.DescribeConfigResponseResource, error) {
	for {
		described, err := client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{"cleanup.policy"},
		}}})
		if err != nil {
			return nil, err
		}
		for _, resource := range described.Resources {
			err = errors.Join(err, resource.Error)
		}
		if !errors.Is(err, kafka.UnknownTopicOrPartition) {
			return described.Resources, err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}
