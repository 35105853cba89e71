// Package apache runs Apache Kafka for tests: one broker, or a cluster of three,
// as processes on loopback. It shows that what is proved with the embedded broker
// also holds with the one that production has, and it has what the embedded one
// lacks: replicas, and a leader that can be killed.
//
//	cluster, err := apache.Start(ctx, apache.Config{Dir: t.TempDir(), Brokers: 3})
//	…
//	defer cluster.Close()
//	err = cluster.CreateTopic(ctx, "zhiban.events", 4, 3, 2)
//	leader, err := cluster.Leader(ctx, "zhiban.events", 0)
//	cluster.Kill(leader)
//	…
//	err = cluster.Restart(ctx, leader)
//
// `make kafka` fetches the jars; a Java of version 17 or later must be in JAVA_HOME
// or on the PATH. Without either Start fails and says what to do.
//
// A cluster's directory holds, for each broker from 1 on,
//
//	1/server.properties   its configuration, written anew by every Start
//	1/own.pem             its certificate and key, with Config.Secure
//	1/kafka.log           what it says, of all its runs
//	1/data/               its log and that of the controllers (Kafka's format)
//
// Every broker is a controller too (KRaft, combined mode). Settings are Kafka's own
// but for these: nothing expires, as in production; topics are not created by being
// asked for; a group's first member does not wait for others; a dead broker is
// noticed after 3 s instead of 9; buffers and threads are fewer. What is
// acknowledged is in the page cache, which outlives a killed process, and is not
// synced to the disk.
//
// [Config.Secure] adds a listener that takes nobody without TLS and a login. That by
// which brokers and controllers talk to each other stays as it is.
//
// A broker takes 3 s of processor time to start, of which a cluster of three on two
// processors makes 6 to 10 s, and has some 190 MB resident. One that was killed comes
// back in 2 to 3 s, as long as the controllers take it for alive. Brokers are killed by
// the kernel when the process that started them dies.
package apache
