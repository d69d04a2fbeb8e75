#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Two hosts (network namespaces with a cable between them): fifty sensors at
# 10 Hz into one fan-in, a cable that is pulled out for a while, a stranger.
#
# FAN_IN_SECONDS=60 OUTAGE_SECONDS=20 for the long form.
. "$SRC/tests/e2e/lib.sh"

seconds=${FAN_IN_SECONDS:-5} outage=${OUTAGE_SECONDS:-4}
hub=fw-hub-$$ node=fw-node-$$
[ "$(id -u)" -eq 0 ] || skip "network namespaces need root"
command -v ip >/dev/null || skip "no ip (iproute2)"
ip netns add "$hub" 2>ns.err || skip "no network namespaces here: $(cat ns.err)"
clean() {
	ip netns del "$hub" 2>/dev/null || true
	ip netns del "$node" 2>/dev/null || true
}
trap clean EXIT
ip netns add "$node"
ip link add "h$$" netns "$hub" type veth peer name "n$$" netns "$node" 2>ns.err || skip "no veth here: $(cat ns.err)"
ip -n "$hub" addr add 10.99.0.1/24 dev "h$$"
ip -n "$node" addr add 10.99.0.2/24 dev "n$$"
ip -n "$hub" link set "h$$" up
ip -n "$node" link set "n$$" up

fan_in() { # fan_in OUT PARAMETERS: in the background
	ip netns exec "$hub" sensor replay --from "zmq:tcp://10.99.0.1:9100$2" --to "$1" 2>"$1.log" &
	fan=$!
	sleep 0.5
}
fan_in_end() {
	kill -INT "$fan"
	wait "$fan" || [ $? -eq 130 ] || die "the fan-in ended with $?"
}
sample() { # sample NAME DURATION PARAMETERS
	ip netns exec "$node" sensor --meter null --interval 100ms --duration "$2" -n "$1" \
		--to "zmq:tcp://10.99.0.1:9100$3" 2>"$1.log"
}
# Every tick that the sensor NAME counted is in FILE, once.
whole() {
	local ticks lines once
	ticks=$(sed -n 's/^done  *\([0-9]*\) ticks.*/\1/p' "$1.log")
	lines=$(grep -c "\"sensor\":\"$1\"" "$2") || true
	once=$(grep "\"sensor\":\"$1\"" "$2" | sort -u | wc -l)
	[ -n "$ticks" ] || die "$1 did not finish: $(cat "$1.log")"
	[ "$lines" -eq "$ticks" ] && [ "$once" -eq "$ticks" ] ||
		die "$1: $ticks ticks, $lines documents, $once different ones"
}

# 1. fifty sensors
fan_in fifty.jsonl ""
jobs=()
for i in $(seq 50); do
	sample "node-$i" "${seconds}s" "" &
	jobs+=($!)
done
wait "${jobs[@]}"
fan_in_end
for i in $(seq 50); do whole "node-$i" fifty.jsonl; done
has fifty.jsonl.log "documents of 50 senders, 0 lost on the way"
echo "fifty    $(wc -l <fifty.jsonl) documents in $seconds s: $(grep fan-in fifty.jsonl.log)"

# 2. the cable is pulled out; only four messages fit into memory
fan_in cable.jsonl ""
jobs=()
for i in 1 2 3; do
	sample "cable-$i" "$((outage + 4))s" "?hwm=4&spool=box-$i" &
	jobs+=($!)
done
sleep 2
ip -n "$node" link set "n$$" down
sleep "$outage"
ip -n "$node" link set "n$$" up
wait "${jobs[@]}"
# What is left waits in the spool for the next run.
for i in 1 2 3; do
	cp "cable-$i.log" "cable-$i.all"
	for _ in $(seq 40); do
		[ -n "$(ls "box-$i")" ] || break
		sample "cable-$i" 200ms "?hwm=4&spool=box-$i"
		cat "cable-$i.log" >>"cable-$i.all"
	done
	awk '/^done/ { n += $2 } END { print "done     " n " ticks" }' "cable-$i.all" >"cable-$i.log"
done
fan_in_end
for i in 1 2 3; do whole "cable-$i" cable.jsonl; done
has cable.jsonl.log "0 lost on the way"
echo "cable    $(wc -l <cable.jsonl) documents, $outage s without: $(grep fan-in cable.jsonl.log)"

# 3. strangers
for name in hub friend stranger; do sensor keygen -q "$name"; done
mkdir friends
cp friend.pub friends/
fan_in keys.jsonl "?key=hub.key&allow=friends"
sample stranger 300ms "?key=stranger.key&server=hub.pub" && die "a stranger was let in"
sample plain 300ms "" && die "one without a key was let in"
sample friend 300ms "?key=friend.key&server=hub.pub"
fan_in_end
whole friend keys.jsonl
grep -qE '"sensor":"(stranger|plain)"' keys.jsonl && die "a stranger's documents came in"
has keys.jsonl.log "unknown key from"
has stranger.log "our key is not known there"
echo "keys     $(wc -l <keys.jsonl) documents of the friend alone"

# 4. nobody there for a while, and no spool: what is missing is on record
sample late 4s "?hwm=5" &
late=$!
sleep 2
fan_in late.jsonl ""
wait "$late"
fan_in_end
has late.log "dropping what comes"
gone=$(sed -n 's/.*"documents":\([0-9]*\),"reason".*/\1/p' late.jsonl)
ticks=$(sed -n 's/^done  *\([0-9]*\) ticks.*/\1/p' late.log)
[ "$(grep -c '"target":"all"' late.jsonl)" -eq $((ticks - gone)) ] || die "the gap record does not say what is missing"
python3 "$SRC/tests/e2e/validate.py" "$SRC/docs/schema/gap.schema.json" late.jsonl || [ $? -eq 77 ]
echo "late     $gone of $ticks documents dropped, and on record"
