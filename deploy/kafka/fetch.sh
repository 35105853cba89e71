#!/usr/bin/env bash
# Fetches Apache Kafka (45 jars, 43 MiB) for the tests that run against it.
#
#   fetch.sh [DIR]     DIR defaults to $ZHIBAN_CACHE/kafka, or to .cache/kafka at
#                      the root of the module
#
# The jars come through Maven as it is configured on this machine, are checked by
# one SHA-256 over all of them and renamed into place, so that DIR/4.4.0 holds all
# of them or is not there. DIR/4.4.0.jsa makes a broker start in half the time. On
# Debian as root a missing Java or Maven is installed; elsewhere the message says
# what is missing. The program itself needs none of it.
set -euo pipefail

version=4.4.0
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
jars_sha256=98b52a7fc606912291aaa0d2a2b8563c1bb4f6a732ad5a4ba94bffc300884b95
java_needed=17
attempts=3

fail() {
	echo "kafka: $*" >&2
	exit 1
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(realpath -m "${1:-${ZHIBAN_CACHE:-$here/../../.cache}/kafka}") # Maven takes a relative path from its pom.xml

# java_version prints the major version of the Java that the tests will find.
java_version() {
	local java=${JAVA_HOME:+$JAVA_HOME/bin/}java
	"$java" -version 2>&1 | sed -nE '1s/.*version "(1\.)?([0-9]+).*/\2/p'
}

have_java() { (($(java_version || true) + 0 >= java_needed)); }

if ! have_java || ! { [[ -d $dir/$version ]] || command -v mvn >/dev/null; }; then
	if command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
		echo "kafka: installing Debian's default-jre-headless and maven for the tests on Apache Kafka" >&2
		export DEBIAN_FRONTEND=noninteractive
		for ((attempt = 1; attempt <= attempts; attempt++)); do
			if apt-get update -q >&2 && apt-get install -q -y --no-install-recommends default-jre-headless maven >&2; then
				break
			fi
			echo "kafka: attempt $attempt of $attempts failed" >&2
		done
	fi
	have_java || fail "Java $java_needed or later is needed, in JAVA_HOME or on the PATH (Debian: sudo apt-get install default-jre-headless maven)"
fi

jars=$dir/$version
archive=$dir/$version.jsa

complete() { [[ -d $jars && -f $archive ]]; }

if complete; then
	echo "kafka: $jars is in place"
	exit 0
fi
for tool in mvn sha256sum flock; do
	command -v "$tool" >/dev/null || fail "$tool is not installed; it is needed to fetch Apache Kafka (Debian: sudo apt-get install maven coreutils util-linux)"
done
mkdir -p "$dir" 2>/dev/null || fail "cannot create $dir: choose another folder with ZHIBAN_CACHE"
exec 9>"$dir/.lock"
flock 9
if complete; then
	echo "kafka: $jars is in place"
	exit 0
fi

# What a killed run left behind; the lock says that nobody uses it.
rm -rf "$dir"/.fetch.*
work=$(mktemp -d "$dir/.fetch.XXXXXX")
broker=
cleanup() {
	[[ -z $broker ]] || kill -KILL "$broker" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'echo "kafka: interrupted, run it again to start over" >&2; exit 130' INT TERM HUP

# download puts the jars in place.
download() {
	echo "kafka: downloading Apache Kafka $version"
	local attempt got
	for ((attempt = 1; ; attempt++)); do
		if mvn --batch-mode --quiet --strict-checksums --file "$here/pom.xml" "$plugin:copy-dependencies" \
			-DincludeScope=runtime -DoutputDirectory="$work/jars" 9>&- >"$work/mvn.log" 2>&1; then
			break
		fi
		if ((attempt == attempts)); then
			grep -m 5 ERROR "$work/mvn.log" >&2 || tail -n 5 "$work/mvn.log" >&2
			fail "Maven could not download Apache Kafka $version (its words are above): check the network and Maven's settings, and run this again"
		fi
		echo "kafka: attempt $attempt of $attempts failed, trying again"
		sleep $((attempt * 2))
	done
	got=$(cd "$work/jars" && LC_ALL=C sha256sum -- *.jar | sha256sum | cut -d' ' -f1)
	[[ $got == "$jars_sha256" ]] ||
		fail "the jars of Apache Kafka $version have SHA-256 $got together, expected $jars_sha256: one was damaged or changed on the way; run this again, and if it repeats do not use them"
	mv "$work/jars" "$jars"
}

# Kafka's classes are run as the package's java.command does; an archive is of use to
# the same collector and class path alone.
java=("${JAVA_HOME:+$JAVA_HOME/bin/}java" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1)

# share writes down the classes that a broker has loaded when it is up, ready to be
# mapped: a start takes 2.8 s of processor time with them and 4.7 s without. A Java
# that cannot use the archive ignores it.
share() {
	echo "kafka: starting it once to write its class archive"
	local addr=127.$((64 + RANDOM % 64)).$((RANDOM % 256)).$((1 + RANDOM % 254)) tries
	cat >"$work/server.properties" <<-END
		process.roles=broker,controller
		node.id=1
		controller.quorum.voters=1@$addr:9093
		listeners=PLAINTEXT://$addr:9092,CONTROLLER://$addr:9093
		controller.listener.names=CONTROLLER
		log.dirs=$work/data
	END
	"${java[@]}" -cp "$jars/*" kafka.tools.StorageTool format --cluster-id zhiban0zhiban0zhiban0g \
		--config "$work/server.properties" >"$work/kafka.log" 2>&1 ||
		{ tail -n 5 "$work/kafka.log" >&2; fail "Apache Kafka does not run on this Java (its words are above)"; }
	"${java[@]}" -XX:ArchiveClassesAtExit="$work/kafka.jsa" -cp "$jars/*" kafka.Kafka "$work/server.properties" 9>&- >"$work/kafka.log" 2>&1 &
	broker=$!
	for ((tries = 600; tries > 0; tries--)); do
		if grep -q 'Kafka Server started' "$work/kafka.log" || ! kill -0 "$broker" 2>/dev/null; then
			break
		fi
		sleep 0.2
	done
	kill -TERM "$broker" 2>/dev/null || true
	wait "$broker" || true
	broker=
	[[ -f $work/kafka.jsa ]] ||
		{ tail -n 20 "$work/kafka.log" >&2; fail "Apache Kafka does not start here (its words are above)"; }
	mv "$work/kafka.jsa" "$archive"
}

[[ -d $jars ]] || download
[[ -f $archive ]] || share
echo "kafka: $jars is in place"
