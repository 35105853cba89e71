// Package embedded runs the two engines of zhiban without any service beside it,
// for `zhiban standalone` and for tests: a Kafka broker in this process and
// ClickHouse in a child process. Both speak their real protocols on loopback, so
// everything else in the program is the same as with servers.
//
//	func main() {
//		embedded.ChildMain() // does not return in the child process
//		…
//		engines, err := embedded.Start(ctx, embedded.Config{Dir: "data", Topics: map[string]int{"events": 8}})
//		…
//		defer engines.Close()
//		// engines.Kafka() is host:port, engines.ClickHouse().DSN() is clickhouse://…
//	}
//
// A data directory is one process's at a time and holds
//
//	lock                  flock of the process that has it; its id
//	kafka/                the log and the groups' offsets (kfake's format)
//	clickhouse/           ClickHouse's own files
//	clickhouse.xml, clickhouse-users.xml, clickhouse-password (mode 0600)
//	clickhouse-users.d/   the users that a server has, too
//	clickhouse.log        warnings and errors of ClickHouse, at most 2 × 4 MiB
//
// # The broker
//
// It is kfake of franz-go, which is written for tests. What that means here, each
// point found by trying it and kept by a test of this package unless it says so:
//
//   - What it acknowledges is on the disk: a batch and its index entry, a commit
//     with its metadata, a topic. All of it survives kill -9. A sync costs its
//     time twice for each partition of a request, so requests should be large.
//   - A batch that cannot be written is refused with Unknown Server Error (-1) and
//     leaves no trace. The broker goes on, and takes batches again when it can.
//   - A commit that cannot be written would be acknowledged by kfake. So this
//     package cuts the connections before the answer is out and gives the broker
//     up: Done is closed and Err wraps ErrNoSpace.
//   - kfake cuts what it cannot read off its files when it starts. This package
//     reads them first, and refuses to start when that would be more than the end
//     of an unfinished write.
//   - kfake panics at a request it does not know and allocates any size that a
//     client states. This package ends such a connection.
//   - A result of fsync is not looked at by kfake. A disk that fails there, which
//     is rare, loses acknowledged batches. (Not tested.)
//   - It reads the whole log when it starts: some 2 s for 500 MB.
//   - Nothing expires: retention is off, also for the offsets of idle groups.
//   - Topics are created by Config.Topics and by CreateTopics requests (replication
//     factor 1 or -1), and not by being asked for.
//   - A batch may have 16 MiB. A consumer has to fetch as much as its largest batch.
//
// # Consumer groups
//
// They behave as Kafka's classic ones do, with kafka-go's ConsumerGroup:
//
//   - OffsetCommit checks member and generation: an earlier generation gets Illegal
//     Generation, a member that is no longer in the group Unknown Member Id, and so
//     does a commit of no member while the group has some. With no member in the
//     group a commit without generation (-1) is taken, any other is refused.
//   - A rebalance that is at the state of handing out assignments answers commits
//     with Rebalance In Progress; those before it, of the generation that is about
//     to end, are taken.
//   - Generations go on counting after a restart, also after kill -9.
//   - A session may be as short as 500 ms here, against 6 s in Kafka, so that tests
//     need not wait.
//   - A member that dies without leaving, by kill -9, stays until its session times
//     out, also when its connection is gone. A member that joins meanwhile waits for
//     that, or for the rebalance timeout if it is shorter; it is then the only one.
//   - When the process that holds the broker is killed, the members are forgotten
//     and the next one joins within milliseconds. After an orderly stop kfake would
//     remember them and wait for each; this package has it forget them too.
//
// # ClickHouse
//
// It is ClickHouse 26.7 from the library libchdb.so (`make engine` fetches it), run
// as clickhouse-local with a listener for the native protocol:
//
//   - It aborts when a client's connection is reset, as the kernel does for a client
//     that is killed, and when a client's password is wrong or what it says is not
//     ClickHouse's protocol. So clients talk to a relay in this process (see relay),
//     which lets in whom it knows and also keeps the address while ClickHouse is
//     started again. What is on the same machine and finds the port behind it can
//     still end ClickHouse, though not read from it.
//   - It has no listener for TLS (clickhouse-local has those for plain TCP and HTTP
//     alone): it is reached on loopback.
//   - It is started again when it ends, after 0.1 to 5 s. When ten starts in a row
//     fail, or one finds damaged data, it is given up: Done is closed and Err says
//     why.
//   - It ends when its standard input does. When the parent is killed the kernel
//     kills it; its files are made for that.
//   - The local session logs in as the user "default" without a password, and so
//     can anyone who finds the port behind the relay. That user can do nothing (a
//     quota that the session itself uses up, and grants for what it does). The
//     application has a user with rights on the databases zhiban* and to read system
//     tables, and those of zhiban/deploy/clickhouse with the least rights for each of
//     its parts.
//   - The library reads its configuration as XML only, ignores its time zone there
//     (TZ is set instead), and has no system log tables unless they are configured.
//   - At rest it has some 215 MiB resident, of which 50 MiB are its own and the rest
//     are pages of the library, and takes 0.3 % of a core.
//   - A part of a table that it finds broken it sets aside and goes on without. This
//     package warns of that at the start; `zhiban verify` shows what is missing.
package embedded
