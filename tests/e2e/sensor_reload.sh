#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# SIGHUP: the configuration file is read again; a broken one changes nothing.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

sleep 300 &
first=$!
sleep 301 &
second=$!
sensor=
trap 'kill $first $second $sensor 2>/dev/null || true' EXIT

# wait_for WHAT COMMAND…
wait_for() {
	local what=$1
	shift
	for _ in $(seq 300); do
		"$@" && return
		sleep 0.1
	done
	cat err >&2
	die "$what"
}
reports() { tail -n +"$1" out.jsonl 2>/dev/null | grep -q "\"target\":\"process:$2:"; }

printf '{ "interval": "50ms", "pid": ["%s"] }\n' $first >sensor.json
sensor --config sensor.json --engine clock --meter null --to out.jsonl 2>err &
sensor=$!
wait_for "nothing is counted" reports 1 $first

# Both from now on, and the first without a break.
printf '{ "interval": "70ms", "pid": ["%s", "%s"] }\n' $first $second >sensor.json
kill -HUP $sensor
wait_for "no reload" grep -q '^reload   2 targets' err
has err 'interval: only a restart changes it'
wait_for "the second is not counted" reports 1 $second

# A broken file, and one that names a process that is not there.
echo '{ "pid": [' >sensor.json
kill -HUP $sensor
wait_for "nothing is said of a broken file" grep -q 'sensor.json.*everything stays as it was' err
printf '{ "interval": "50ms", "pid": ["%s"] }\n' 4194303 >sensor.json
kill -HUP $sensor
wait_for "nothing is said of a process that is not there" grep -q '4194303.*everything stays as it was' err
lines=$(wc -l <out.jsonl)
wait_for "the first is lost" reports $((lines + 1)) $first
wait_for "the second is lost" reports $((lines + 1)) $second

# The second alone; then nothing but the machine.
printf '{ "interval": "50ms", "pid": ["%s"] }\n' $second >sensor.json
kill -HUP $sensor
wait_for "no reload" grep -q '^reload   1 targets' err
second_alone() { tail -n 3 out.jsonl >last && grep -q ":$second:" last && ! grep -q ":$first:" last; }
wait_for "the first is still counted" second_alone
echo '{ "interval": "50ms" }' >sensor.json
kill -HUP $sensor
wait_for "no reload" grep -q '^reload   0 targets' err
sleep 0.3
kill -TERM $sensor
wait $sensor || die "status $?: $(cat err)"
sensor=

python3 - $first $second <<'PY'
import json, sys
first, second = (f"process:{pid}:sleep" for pid in sys.argv[1:])
ticks = {}
for line in open("out.jsonl"):
    report = json.loads(line)
    ticks.setdefault(report["timestamp"], []).append(report["target"])
seen = ["".join("12"[t == second] for t in targets if t != "all") for targets in ticks.values()]
phases = [seen[0]]
for s in seen:
    if s != phases[-1]:
        phases.append(s)
order = {"12": "12", "21": "12"}
phases = [order.get(p, p) for p in phases]
# The first is in every report until it is not asked for; so is the second.
assert phases == ["1", "12", "2", ""], phases
PY
