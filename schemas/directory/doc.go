// Package directory keeps who may come in: accounts, their one-time links, the
// tokens of programs, and sessions. It holds them in the AccessTopic, a map that
// all processes share (package ktable), so that an account disabled in one
// process is out of all others some milliseconds later.
//
// # Secrets
//
// Links, tokens and sessions are 256 random bits, base64url; of them the topic
// has the SHA-256 alone. Passwords are argon2id hashes with their parameters.
// Whoever reads the topic comes in nowhere; whoever writes it is anybody, so
// writing it is for zhiban's processes alone.
//
// # Table
//
// One key is one fact, and what one process changes another does not overwrite
// with what it read before: the table has no transactions. Names are those of
// accounts, hashes 64 hex digits, moments RFC 3339 in UTC. Members are only ever
// added.
//
//	account/<name>     {"title","role","scope":{"division","station"},"created"}
//	disabled/<name>    {"at"}           there as long as the account is disabled
//	password/<name>    {"hash":"$argon2id$v=19$m=…,t=…,p=…$<salt>$<key>"}
//	attempts/<name>    {"wrong","last"} wrong passwords one after the other
//	login/<name>       {"at"}           the last one
//	generation/<name>  {"n"}            of sessions; those of a lower one have ended
//	link/<hash>        {"account","expires"}
//	token/<id>         {"hash","title","role","scope","expires","created","by","revoked"}
//	session/<hash>     {"account","generation","expires","data"}
//	ended/<hash>       {"expires"}      the session was ended, and stays so
//
// An id is 12 hex digits. attempts/.unknown is written for every wrong password
// of a name that no account has, so that it takes as long as another's.
//
// # Passwords
//
// A password has 10 to 256 characters, is not one that everybody tries, and is
// not made of the account's name. Five wrong ones lock the account for a minute,
// each further one for twice as long, an hour at most; a day without any forgets
// them. While it is locked the right password is refused like a wrong one. The
// lock ends by an administrator or a one-time link too, so that nobody keeps
// another out. Several processes count together, but as many passwords may be
// under way in each of them at the same moment as are left.
//
// # Sessions
//
// The [Directory] is the store of an scs.SessionManager with scs.GobCodec, whose
// sessions say in [SessionAccount] whose they are. A session carries the
// generation of its account that it was begun in, wherever it is renewed or
// written again; [Directory.EndSessions] begins the next. So a request that was
// under way when sessions were ended brings none back.
package directory
