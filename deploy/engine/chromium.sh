#!/usr/bin/env bash
# Makes sure that a Chromium for the page tests is on the PATH, with a font that
# has Chinese. On Debian as root it is installed; elsewhere the message says what
# is missing. The program itself needs neither.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
	if command -v "$name" >/dev/null; then
		exit 0
	fi
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
	echo "chromium: installing Debian's chromium and fonts-noto-cjk for the page tests" >&2
	export DEBIAN_FRONTEND=noninteractive
	for attempt in 1 2 3; do
		if apt-get update -q >&2 && apt-get install -q -y --no-install-recommends chromium fonts-noto-cjk >&2; then
			exit 0
		fi
		echo "chromium: attempt $attempt failed" >&2
	done
	echo "chromium: it could not be installed; install a Chromium and run \`make test\` again" >&2
	exit 1
fi
echo "chromium: the page tests need a Chromium on the PATH (Debian: sudo apt-get install chromium fonts-noto-cjk)" >&2
exit 1
