#!/usr/bin/env bash
# Fetches the embedded ClickHouse (libchdb.so, 540 MiB) that `zhiban standalone`
# and the tests run as a child process.
#
#   fetch.sh [DIR]     DIR defaults to $ZHIBAN_CACHE/clickhouse, or to
#                      .cache/clickhouse at the root of the module
#
# It comes as an npm package, through npm as it is configured on this machine.
# The library is checked by size and SHA-256 and renamed into place, so that DIR
# holds either the whole library or none; when it is there the script does
# nothing. Two runs on one DIR wait for each other.
set -euo pipefail

package=@chdb/lib-linux-x64-gnu
version=26.7.3-stable.1
lib_bytes=566330096
lib_sha256=36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5
tarball_bytes=177817999
# Downloaded, npm's own copy of it, and unpacked, all at once on the disk.
need_mib=1000
attempts=3

fail() {
	echo "engine: $*" >&2
	exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dir=${1:-${ZHIBAN_CACHE:-$root/.cache}/clickhouse}
lib=$dir/libchdb.so

present() { [[ -f $lib && $(stat -c %s "$lib") == "$lib_bytes" ]]; }

if present; then
	echo "engine: $lib is in place"
	exit 0
fi

[[ $(uname -s) == Linux && $(uname -m) == x86_64 ]] ||
	fail "ClickHouse $version is packaged for linux/amd64 only, this is $(uname -s)/$(uname -m); run Kafka and ClickHouse as services instead (deploy/compose.yaml)"
getconf GNU_LIBC_VERSION >/dev/null 2>&1 ||
	fail "ClickHouse $version needs glibc, which this system (musl?) does not have; run Kafka and ClickHouse as services instead (deploy/compose.yaml)"
for tool in npm tar sha256sum flock; do
	command -v "$tool" >/dev/null ||
		fail "$tool is not installed; it is needed to fetch $package: install it (npm comes with Node.js) and run this again"
done
mkdir -p "$dir" 2>/dev/null || fail "cannot create $dir: choose another folder with ZHIBAN_CACHE"
[[ -w $dir ]] || fail "cannot write to $dir: choose another folder with ZHIBAN_CACHE"

exec 9>"$dir/.lock"
if ! flock -n 9; then
	echo "engine: another fetch into $dir is under way, waiting for it"
	flock 9
fi
if present; then
	echo "engine: $lib is in place"
	exit 0
fi

free_mib=$(($(df -Pk "$dir" | awk 'NR==2 {print $4}') / 1024))
disk_full() { fail "$dir is on a disk with $free_mib MiB free and ${need_mib} MiB are needed: free space, or choose another folder with ZHIBAN_CACHE"; }
((free_mib >= need_mib)) || disk_full

# What a killed run left behind; the lock says that nobody uses it.
rm -rf "$dir"/.fetch.*
work=$(mktemp -d "$dir/.fetch.XXXXXX")
npm_pid=
cleanup() {
	[[ -z $npm_pid ]] || kill "$npm_pid" 2>/dev/null || true
	[[ -z $npm_pid ]] || wait "$npm_pid" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'echo; echo "engine: interrupted, run it again to start over" >&2; exit 130' INT TERM HUP

# progress DONE TOTAL: one line that is redrawn on a terminal, a line for every
# tenth in a log.
last_tenth=-1
progress() {
	local percent=$(($1 * 100 / $2))
	((percent <= 100)) || percent=100
	if [[ -t 1 ]]; then
		printf '\rengine: downloading %s %s: %3d%% of %d MiB' "$package" "$version" "$percent" $(($2 >> 20))
	elif ((percent / 10 > last_tenth)); then
		last_tenth=$((percent / 10))
		echo "engine: downloading $package $version: $percent% of $(($2 >> 20)) MiB"
	fi
}

# download runs npm with a cache of its own: its size shows how far the download
# is, and a package that npm has received whole is not asked for again.
download() {
	npm pack "$package@$version" --silent --pack-destination "$work" --cache "$work/npm" \
		--update-notifier=false >"$work/npm.log" 2>&1 9>&- &
	npm_pid=$!
	while kill -0 "$npm_pid" 2>/dev/null; do
		progress "$(du -sb "$work/npm" 2>/dev/null | cut -f1 || echo 0)" "$tarball_bytes"
		sleep 0.3
	done
	local status=0
	wait "$npm_pid" || status=$?
	npm_pid=
	[[ ! -t 1 ]] || echo
	return "$status"
}

# npm_said PATTERN: whether npm's output or its log of this run matches.
npm_said() { grep -rqsE "$1" "$work/npm.log" "$work/npm/_logs"; }

for ((attempt = 1; ; attempt++)); do
	if download; then
		break
	fi
	if npm_said 'ENOSPC'; then
		disk_full
	elif npm_said 'E404|ETARGET|notarget'; then
		fail "the npm registry configured here has no $package@$version: check it with 'npm config get registry'"
	elif npm_said 'E401|E403|ENEEDAUTH'; then
		fail "the npm registry configured here refuses $package@$version: log in with 'npm login', or check 'npm config get registry'"
	fi
	if ((attempt == attempts)); then
		tail -n 5 "$work/npm.log" >&2
		if npm_said 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT'; then
			fail "the npm registry does not answer: check the network, 'npm config get registry' and 'npm config get proxy', and run this again"
		fi
		fail "npm could not download $package@$version (its words are above): run this again"
	fi
	echo "engine: attempt $attempt of $attempts failed, trying again"
	last_tenth=-1
	sleep $((attempt * 2))
done

# npm's copy is a third of what is needed from here on.
rm -rf "$work/npm"
tarballs=("$work"/*.tgz)
[[ -f ${tarballs[0]} ]] || fail "npm reported success but left no package in $work: run this again"
echo "engine: unpacking"
if ! tar -xzf "${tarballs[0]}" -C "$work" package/libchdb.so 2>"$work/tar.log"; then
	! grep -q 'No space left' "$work/tar.log" || disk_full
	tail -n 3 "$work/tar.log" >&2
	fail "$package@$version could not be unpacked (tar's words are above): run this again"
fi

echo "engine: checking"
got=$(sha256sum "$work/package/libchdb.so" | cut -d' ' -f1)
[[ $got == "$lib_sha256" ]] ||
	fail "libchdb.so of $package@$version has SHA-256 $got, expected $lib_sha256: it was damaged or changed on the way; run this again, and if it repeats do not use it"

chmod 755 "$work/package/libchdb.so"
touch "$work/package/libchdb.so"
mv -f "$work/package/libchdb.so" "$lib"
echo "engine: $lib is in place"
