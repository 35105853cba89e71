package schemas

// The Kafka topics. All are keyed: see [Source.Key] for events; dead letters
// are keyed by topic/partition/offset of the record they stand for.
const (
	// Topic is the log: every event that was ever accepted.
	Topic = "zhiban.events"
	// DeadLetterTopic holds what the projector could not read.
	DeadLetterTopic = "zhiban.deadletters"
	// AccessTopic is compacted: accounts, sessions and tokens by their names.
	AccessTopic = "zhiban.access"
	// KeyTopic is compacted: the wrapped key of each person whose texts are sealed.
	KeyTopic = "zhiban.keys"
	// AuditTopic is who did and saw what. One partition: its order is the trail's.
	AuditTopic = "zhiban.audit"
)
