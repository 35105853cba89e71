// Package ingest takes events in: over HTTP it validates them, seals them with
// the time and the name of who recorded them, and appends them to the log.
//
// [Server] is the HTTP front and the log writer behind it, [Client] its
// counterpart for programs. One rule holds everywhere: accepted means written
// by all in-sync replicas. An event that is reported accepted is in the log
// for good. One that is reported rejected with "retry" was not acknowledged in
// time: it is probably not in the log, but may be. Sending it again is always
// safe, for an event is identified by its id and the log may hold it twice.
//
// # In whose name
//
// Every event is recorded by the account whose request it came with, which the
// gate has put into the request's context ([access.From]); from nobody nothing is
// taken. What an account may write is decided for each event: its role for the
// kind of case, its scope for the source, and for a step of a return the very
// office that takes it. What it may not is rejected at "type" or "source".
//
// # What is said of persons
//
// Pseudonyms are keyed and texts sealed ([Keys]) after validation and before
// anything else sees them, in corrections too. What is keyed or sealed already, as
// the platform shows it, stays as it is; a text that was sealed for another person,
// case or field is rejected. Sent again, an event has another ciphertext: the first
// in the log counts. Without the keys' table nothing with a text is taken (503).
//
// # What the log holds
//
// The record's key is the event's [schemas.Source.Key], its partition the
// murmur2 hash of the key as Kafka's own producers compute it, its value the
// event in its normal form (ids in lower case, times in UTC with milliseconds,
// data without white space) followed by
//
//	"recordedtime":"2026-09-01T00:31:02.417Z","recordedby":"…"
//
// and its timestamp the recorded time. The recorded time is read when a batch
// is cut and never goes back within one process, even if the clock does, so it
// never decreases from record to record of a partition as long as one process
// writes. Of several processes each has its own clock.
//
// # How it is written
//
// All requests share produce requests (group commit): while one is on its way,
// what arrives waits and is the next. Nothing lingers for a batch to fill. A
// produce request goes to one broker and carries every partition that broker
// leads. kafka-go's Transport routes a produce request but does not split it:
// one whose partitions have different leaders fails with "mismatching
// leaders", so the writer groups by leader itself, with one request in flight
// a leader and never two a partition. That keeps the order of a partition.
package ingest
