package schemas

// The Kafka topics. Both are keyed: see [Source.Key] for events; dead letters
// are keyed by topic/partition/offset of the record they stand for.
const (
	// Topic is the log: every event that was ever accepted.
	Topic = "zhiban.events"
	// DeadLetterTopic holds what the projector could not read.
	DeadLetterTopic = "zhiban.deadletters"
)
