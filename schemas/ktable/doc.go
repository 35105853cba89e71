// Package ktable holds a compacted Kafka topic as a map in memory: the last
// value of every key, which every process that opens the topic follows.
//
// It is for state that is not events: accounts, sessions, wrapped keys. The
// topic has one partition, so its order is the order of all changes, and every
// process sees the same changes in the same order.
//
// # Records
//
//	key     the key, UTF-8, never empty
//	value   the value, never empty; no value is a tombstone: the key is deleted
//	header  "by": what wrote the record, 16 random bytes, by which a process
//	        recognizes its own records when it reads them back
//
// The key ".opened" is the table's own: each process that opens the table writes
// a tombstone of it, and has read all that was there before when it reads it
// back, whatever holes compaction has left in the topic. Writing it asks of every
// process that it may write.
//
// # What holds
//
//   - A change is made when [Table.Put], [Table.Delete] or [Table.Take] returns
//     without error: all in-sync replicas have it, and this process has read it
//     back. Other processes have it a fetch later, some milliseconds.
//   - An error means that the change was not confirmed. It may yet be made, as
//     when the answer was lost: do it again.
//   - Of several processes that take the same key, exactly one gets it.
//   - While the broker is away, Get and Each answer what was last read, and nothing
//     can be changed. The table goes on by itself when the broker is back.
//   - A record that cannot be one of ours ends the following: Open fails, or the
//     open table's [Table.Err] names it and no change is taken any more. Callers
//     that decide by the table should then refuse.
package ktable
