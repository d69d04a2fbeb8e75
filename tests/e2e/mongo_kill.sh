# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Killing the server, and killing ourselves, mid-write: nothing is lost beyond
# what the ring may hold, and nothing is there twice.
#
#	CYCLES=100 BIN=… SRC=… bash -eu tests/e2e/mongo_kill.sh
. "$SRC/tests/e2e/lib.sh"
. "$SRC/tests/e2e/mongo_lib.bash"
[ -z "${MONGODB_URI:-}" ] || skip "a server of yours is not killed"
mongo_venv
CYCLES=${CYCLES:-3}
export XDG_STATE_HOME=$PWD/state
trap 'kill -KILL "${feed:-}" 2>/dev/null || true; mongo_kill' EXIT
progress() { tr -d ' \n' <"$1"; }

check() { # COLLECTION PUT RING
	"$PYTHON" - "$PLACE" "$@" <<'PY'
import json, sys
from pymongo import MongoClient
place, name, put, ring = sys.argv[1:5]
ends = json.loads(put)
docs = MongoClient(place).get_default_database()[name]
seen = {}
for doc in docs.find({}):
    number = int(doc["groups"]["feed"]["0"]["0"]["NUMBER"])
    seen[number] = seen.get(number, 0) + 1
twice = [n for n in seen if seen[n] > 1]
lost = worst = 0
first = 0
for end in ends:                       # each run put first … end
    gone = [n for n in range(first, end + 1) if n not in seen]
    lost += len(gone)
    worst = max(worst, len(gone))
    # What is lost was put last.
    assert not gone or gone[0] > end - int(ring), f"lost {gone[0]}, put until {end}"
    first = end + 1
print(f"{name}: {ends[-1] + 1} put in {len(ends)} runs, {lost} lost (at most {worst} by one kill), {len(twice)} twice")
assert not twice, twice[:10]
assert worst <= int(ring), worst
assert max(seen) <= ends[-1] + 1
PY
}

# Until the feeder has found the server again N times: it is writing.
found_again() {
	local i
	for ((i = 0; i < 1200; i++)); do
		[ "$(grep -c 'is there again' feed.err)" -lt "$1" ] || return 0
		sleep 0.05
	done
	die "the server was not found again"
}
# A run that only sends what the last ones left.
drain() { # COLLECTION NEXT
	local i
	for ((i = 0; i < 20; i++)); do
		[ -n "$(find state -name '*.spool')" ] || return 0
		mongo_feed "$PLACE?collection=$1" "$2" 0 1 drain.progress 2>>feed.err
	done
	die "a spool was left behind"
}

# --- the server: killed -9 while it takes bulks, CYCLES times; 0 lost.
mongo_start --sync-on-commit
mongo_feed "$PLACE?collection=server" 0 100000000 300 server.progress 2>feed.err &
feed=$!
for ((i = 0; i < CYCLES; i++)); do
	sleep "$(printf '0.%03d' $((250 + RANDOM % 500)))"
	mongo_kill
	sleep "$(printf '0.%03d' $((250 + RANDOM % 500)))"
	mongo_start --sync-on-commit
	found_again $((i + 1))
done
kill -TERM "$feed"
wait "$feed" || die "the feeder: $(tail -n 1 feed.err)"
drain server 0
check server "[$(progress server.progress)]" 0

# --- ourselves: killed -9 at any moment, CYCLES times.  At 1000 reports a
# second, 200 ms and a round trip hold some hundreds; a second, where the server
# is slow, 1000; and a busy machine may take its time with threads, too.
ends='' next=0
for ((i = 0; i < CYCLES; i++)); do
	mongo_feed "$PLACE?collection=self" "$next" 100000000 1000 self.progress 2>>feed.err &
	feed=$!
	sleep "$(printf '0.%03d' $((200 + RANDOM % 800)))"
	kill -KILL "$feed"
	wait "$feed" 2>/dev/null || true
	last=$(progress self.progress)
	ends+="$last, "
	next=$((last + 1))
done
mongo_feed "$PLACE?collection=self" "$next" 1000 1000 self.progress 2>>feed.err
drain self 0
check self "[$ends$(progress self.progress)]" 2500

# --- ourselves again, while the server is away: what was put is on the disk
# after a fraction of a second.
mongo_kill
ends='' next=0
for ((i = 0; i < CYCLES; i++)); do
	mongo_feed "$PLACE?collection=away" "$next" 100000000 1000 away.progress 2>>feed.err &
	feed=$!
	sleep "$(printf '0.%03d' $((500 + RANDOM % 500)))"
	kill -KILL "$feed"
	wait "$feed" 2>/dev/null || true
	last=$(progress away.progress)
	ends+="$last, "
	next=$((last + 1))
done
mongo_start --sync-on-commit
mongo_feed "$PLACE?collection=away" "$next" 1000 1000 away.progress 2>>feed.err
drain away 0
check away "[$ends$(progress away.progress)]" 2500
