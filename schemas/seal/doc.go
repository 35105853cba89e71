// Package seal keeps what events say about people from those who read the log:
// the texts of the consultation ledger are sealed with a key of each person, and
// pseudonyms are replaced by keyed ones, which cannot be guessed from an identity
// number or a name. Destroying a person's keys makes their texts unreadable
// wherever they are, in the log, the warehouse, exports and backups, and changes
// no figure.
//
// A [Keyring] does both. Its keys are wrapped by master keys, which a [Wrapper]
// holds: a [KeyFile], or a key management service.
//
// # Keyed pseudonym
//
//	k1-<26 letters><6 letters>        of base32 in lower case
//
// The first part is the first 16 bytes of HMAC-SHA256(pseudonym key,
// "zhiban.pseudonym.v1" 0x00 pseudonym), the second the first 30 bits of
// HMAC-SHA256(pseudonym key, "zhiban.pseudonym.check.v1" 0x00 first part). The
// check tells our own from what merely looks like one: what an exported event
// says passes unchanged when it comes back in a correction. The pseudonym key is
// never rotated: a person would become another.
//
// # Sealed text
//
//	sealed.v1.<base64url without padding>
//
// of the 8 bytes of the data key's id, the 12 of the nonce, and the AES-256-GCM
// ciphertext with its tag of 16 bytes. The associated data are "zhiban.text.v1",
// keyed pseudonym, case (consultation/<uuid>) and field, each behind its length
// as four bytes, big-endian: a sealed text that is put into another person's,
// another case's or another field does not open. The case, not the event's id,
// is what all corrections of an event share.
//
// # Table
//
// The keys of the KeyTopic and their values, JSON:
//
//	key/<keyed pseudonym>/<data key's id, 16 hex digits>
//	    {"master":"<id>","key":"<base64>"}     the data key, 32 bytes, wrapped
//	erased/<keyed pseudonym>
//	    {"at":"<RFC 3339>","keys":["<id>",…]}  the data keys that were destroyed
//	fingerprint
//	    {"pseudonyms":"<16 hex digits>"}       of the pseudonym key
//
// A wrapped key is AES-256-GCM under the master key, the table's key its
// associated data. A person may have several keys, one of each process that
// sealed for them: no process waits for another. With the fingerprint a key file
// that is not this platform's is refused before it splits people in two.
//
// # Erasing
//
// [Keyring.Erase] writes down which keys are destroyed, then a tombstone for
// each. From then on no process opens a text of theirs. A text that comes after
// that is sealed with a new key and can be read; the old ones stay unreadable.
// Compaction removes the wrapped keys from the topic's segments in its time; a
// copy of them made before is worth nothing without the master key.
//
// # Key file
//
//	{"version":1,"pseudonyms":"<base64>","primary":"<id>","keys":[{"id":"<id>","created":"<RFC 3339>","key":"<base64>"}]}
//
// All keys have 32 bytes. It is created readable by its owner alone, and refused
// when others can read it. It is all that is needed to read every text: keep it
// apart from backups of the log, and keep a copy of it, for without it no text is
// ever read again.
//
// To rotate: [KeyFile.Add] a master key, then [Keyring.Rotate], which wraps every
// data key by it. Servers read the file again when they meet a key they do not
// know. When Rotate has ended without error, the old master keys wrap nothing
// any more and may be taken out of the file.
package seal
