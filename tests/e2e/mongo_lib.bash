# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# A MongoDB server of a test's own:  . "$SRC/tests/e2e/mongo_lib.bash"
#
# mongo_start [OPTION…] starts one in ./db (again, after mongo_kill); PLACE is
# mongodb://HOST:PORT/fedwatts.  With MONGODB_URI (mongodb://HOST:PORT/DATABASE)
# that server is used, and tests that must kill one skip.

PYTHON=python3
SERVER=
PORT=$((20000 + RANDOM % 12000))
PLACE=${MONGODB_URI:-mongodb://127.0.0.1:$PORT/fedwatts}

mongo_venv() {
	local bin
	bin=$("$SRC/scripts/mongo-venv" "$SRC/build/venv") || skip "$bin"
	PYTHON=$bin/python
	SECANTUSD=$bin/secantusd-py
}

mongo_wait() {
	local i
	for ((i = 0; i < 200; i++)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && return 0
		sleep 0.1
	done
	tail -n 20 server.log >&2
	die "the server does not listen"
}

mongo_start() {
	[ -z "${MONGODB_URI:-}" ] || return 0
	"$SECANTUSD" --host 127.0.0.1 --port "$PORT" --storage-path "$PWD/db" --standalone \
		--log-level WARNING "$@" >>server.log 2>&1 &
	SERVER=$!
	mongo_wait
}

# The server, as a crash ends it; or politely, with TERM.
mongo_kill() {
	[ -n "$SERVER" ] || return 0
	kill "-${1:-KILL}" "$SERVER" 2>/dev/null || true
	wait "$SERVER" 2>/dev/null || true
	SERVER=
}
trap mongo_kill EXIT
