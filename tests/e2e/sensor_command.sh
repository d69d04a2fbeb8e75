#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# sensor -- CMD: the command keeps its streams and its status, and what it cost
# is told on stderr as `perf stat` does it.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

busy='i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'

# ---- streams ----------------------------------------------------------------
echo from-stdin | sensor --meter model:idle=5,cpu=10 -- \
	sh -c 'cat; echo to-stderr >&2' >out 2>err
[ "$(cat out)" = from-stdin ] || die "stdout is not the command's alone"
has err '^to-stderr$'
has err "Energy of 'sh -c cat; echo to-stderr >&2':"

# ---- the summary ------------------------------------------------------------
sensor --meter model:idle=5,cpu=10 -- sh -c "$busy" 2>err
has err ' J  ± [0-9.]+  machine +estimated \(class 7, −50/\+100 %\)'
has err ' W  on average, the whole machine \(model\)'
has err ' J  share by CPU time: [0-9.]+ % \([0-9.]+ [mµ]?s of [0-9.]+ [mµ]?s that all tasks used\)'
has err ' msec  task-clock +# [0-9.]+ CPUs utilized'
has err '  (context-switches|page-faults) '
has err ' seconds elapsed$'
has err ' seconds user$'
has err ' seconds sys$'
has err 'no hardware meter works here'

# Without a meter there are no joules, and no zeros in their place.
sensor --meter null -- true 2>err
if grep -q ' J ' err; then die "joules without a meter"; fi
has err ' seconds elapsed$'

# ---- as JSON ----------------------------------------------------------------
sensor --json --meter model:idle=5,cpu=10 -- sh -c "$busy; exit 4" 2>err && die "status 0"
[ "$(wc -l <err)" -eq 1 ] || die "more than one line of JSON"
has err '^\{"schema":"fedwatts.command-summary/1","command":\["sh",'
has err '"status":4,'
python3 "$SRC/tests/e2e/validate.py" "$SRC/docs/schema/command-summary.schema.json" err
python3 - <<'PY'
import json
doc = json.load(open("err"))
meter = doc["meters"][0]
assert meter["source"] == 7 and meter["meter"] == "model", meter
# 5 W idle and at most 10 W for each CPU, while it ran
assert meter["energy_j"] >= 5 * doc["seconds"] * 0.99, doc
assert doc["cpu_s"] > 0.02 and doc["cpu_s"] <= doc["machine_busy_s"] + 0.02, doc
assert 0 < doc["cpu_share"] <= 1, doc
assert abs(meter["share_j"] - doc["cpu_share"] * meter["energy_j"]) < 1e-9, doc
assert abs(meter["watts"] - meter["energy_j"] / doc["seconds"]) < 1e-6, doc
PY

# ---- exit status ------------------------------------------------------------
fails 7 'seconds elapsed' sensor --meter null -- sh -c 'exit 7'
fails 143 'seconds elapsed' sensor --meter null -- sh -c 'kill -TERM $$'
fails 127 "sensor: nosuchcommand: cannot run: No such file" sensor --meter null -- nosuchcommand
fails 126 'sensor: /: cannot run: Permission denied' sensor --meter null -- /
fails 125 'nowhere' sensor --meter null --to /nowhere/out.jsonl -- true
fails 125 'steam' sensor --meter steam -- touch ran
[ ! -e ran ] || die "the command ran although the sensor failed"
fails 64 'needs a command' sensor --

# ---- documents only where --to asks -------------------------------------------
sensor --meter model:idle=5,cpu=10 -f 50 --to out.jsonl -- sh -c "$busy" >out 2>err
[ ! -s out ] || die "documents on stdout"
has out.jsonl '"target":"all"'
has out.jsonl '"target":"process:[0-9]+:sh"'
for engine in perf clock; do
	if ! sensor --meter null --engine $engine -f 20 --to $engine.jsonl -- sh -c "$busy; $busy" 2>err; then
		grep -q 'not permitted' err || die "$(cat err)"
		echo "perf events are not permitted here: only the clock was tried"
		continue
	fi
	python3 - $engine.jsonl err <<'PY'
import json, re, sys
docs = [json.loads(line) for line in open(sys.argv[1])]
def total(prefix):
    return sum(value
               for d in docs if d["target"].startswith(prefix)
               for package in d["groups"]["core"].values()
               for cpu in package.values()
               for event, value in cpu.items() if event == "PERF_COUNT_SW_TASK_CLOCK")
tree = total("process:")
told = float(re.search(r"([0-9.]+) msec  task-clock", open(sys.argv[2]).read()).group(1))
# what documents say of the tree is what the summary says, but for the start,
# which takes longer where others want the CPU
assert abs(tree / 1e6 - told) < max(15, 0.08 * told), (tree, told)
assert tree <= total("all") * 1.05 + 8e6, (tree, total("all"))
PY
done

# ---- signals ----------------------------------------------------------------
sensor --meter null -- sh -c 'trap "exit 9" TERM; echo >ready; while :; do sleep 0.05; done' 2>err &
pid=$!
while [ ! -e ready ]; do sleep 0.02; done
kill -TERM $pid
status=0
wait $pid || status=$?
[ $status -eq 9 ] || die "SIGTERM did not reach the command: status $status"
has err ' seconds elapsed$'
