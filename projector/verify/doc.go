// Package verify recounts the log a second time, by simple means of its own,
// and compares every figure with what the projection posted.
//
// It shares no code with the projector: schemas tells it how to read an event,
// which figures there are, and which days are worked; what counts, how
// corrections and voids change it, and what each figure carries is written here
// anew. The projector posts differences, event by event, looking histories up as
// it goes; this package gathers each case's whole history and counts what is
// left in the end. A mistake would have to be made twice to go unseen.
//
// [Run] works at one cut, the head of the ledger when it begins:
//
//  1. the ledger must be without hole and overlap from offset 0 on;
//  2. the log is read below the cut, each offset in turn, and counted;
//  3. the sums of the postings must be the same in each figure by month and
//     place, by month and lawyer, in persons by month and place, and in what is
//     still open by its due day. Below each sum by month and place lies a
//     fingerprint of all that its postings say, so a quantity on another day, in
//     another mode or of another person is found where the sums agree;
//  4. the rows of every batch must be as many as the ledger says, be of its
//     epoch, hash to its digest, and hold the events as the log does;
//  5. the roll-ups, from which most figures are answered, must have the same sums
//     and fingerprints as the postings in each span of the log;
//  6. there must be no rows that no ledger row speaks for;
//  7. of figures that differ, the log is read once more, and each event whose
//     postings are not what they should be is named.
//
// # Memory
//
// Histories are kept for some [passRecords] records at a time. A longer partition
// is read in several passes, each of which keeps the cases whose hash falls to
// it. What is summed grows with months and places, not with events; persons
// take eight bytes a consultation until they are counted.
//
// # The digest of a batch
//
// SHA-256 over the rows of the range, as they stand in the tables, without their
// epoch: first the events by offset, then the postings by offset, indicator,
// day, source, lawyer, mode, channel, person role, organ, trigger, person, due
// and quantity. Numbers are big-endian 64-bit integers, a text is its length as
// a varint and its bytes:
//
//	event:   offset, time and recorded (ms since 1970), 16 bytes id,
//	         texts type, case key, source, recorded by,
//	         number length of data, data
//	posting: offset, day and due (seconds since 1970 of their first instant in
//	         Shanghai), lawyer, person, quantity,
//	         texts indicator, source, mode, channel, person role, organ, trigger
//
// A person is the first 64 bits of the SHA-256 of the pseudonym.
//
// # The fingerprint of a figure
//
// The sum over its postings, modulo 2^64, of quantity × xxHash64 of the text
//
//	day|due|lawyer|person|mode|channel|person role|organ|trigger
//
// with days since 1970 and numbers in decimal.
package verify
