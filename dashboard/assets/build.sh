#!/bin/sh
# make assets: builds dist/ with Node.js and npm; build/build.mjs does the work.
cd "$(dirname "$0")" || exit 1
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	echo "assets: Node.js 20 or later and npm are needed; install them (Debian: apt-get install nodejs npm) and run \`make assets\` again" >&2
	exit 1
fi
exec node build/build.mjs "$@"
