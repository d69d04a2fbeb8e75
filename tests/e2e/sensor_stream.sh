#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The endless sensor: HWPC reports of the machine and of processes, tick by
# tick, into files and pipes, until it is told to stop.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

# ---- all alone, for a while -------------------------------------------------------
sensor -f 100 --duration 500ms --meter model:idle=5,cpu=10 --name here >out 2>err
[ "$(grep -c '"target":"all"' out)" -eq 5 ] || die "$(wc -l <out) reports instead of 5"
has err '^meter    model, class 7, estimated'
has err '^done +5 ticks, [0-9]+ late \(worst .*\), [0-9]+ missed'
has out '^\{"timestamp":[0-9]{13},"sensor":"here","target":"all","groups":\{"core":\{"0":\{"0":\{"PERF_COUNT_SW_TASK_CLOCK":[0-9]+,"time_enabled":[0-9]+,"time_running":[0-9]+\}'
has out '"meter_model":\{"0":\{"0":\{"MACHINE_uj":[1-9][0-9]*,'
has out '"metadata":\{"elapsed_ns":[0-9]+,"cpu_time":"(cpuacct|schedstat|stat)","bracket_ns":[0-9]+,"meters":\{"MACHINE_uj":\{"source":7,"sigma_j":'
sensor -q --interval 100ms --duration 250ms --meter null 2>err >out
[ ! -s err ] || die "-q said: $(cat err)"
[ "$(wc -l <out)" -eq 3 ] || die "the rest of the duration is missing"

# ---- the sensor itself ----------------------------------------------------------
sensor --self -f 50 --duration 300ms --meter model:idle=5,cpu=10 --to self.jsonl 2>err
has err '^self     .*s of CPU, [0-9.]+ % of what was used; by that share .*J, estimated \(class 7'
has self.jsonl '"target":"process:[0-9]+:sensor"'

# ---- processes ----------------------------------------------------------------
cat >spin.sh <<'END'
printf %s "$1" >/proc/self/comm
while :; do :; done
END
bash spin.sh fwspin-b & b=$!
sleep 60 & a=$!
trap 'kill $a $b 2>/dev/null || true' EXIT
sleep 0.2
for engine in clock auto; do
	sensor --engine $engine -f 100 --duration 1s --meter null --pid $a \
		--name-pattern 'fwspin-?' --to $engine.jsonl 2>err
	has err "^engine   (perf|clock)"
	python3 - $engine.jsonl $a $b <<'PY'
import json, sys
docs = [json.loads(line) for line in open(sys.argv[1])]
ticks = {}
for d in docs:
    ticks.setdefault(d["timestamp"], []).append(d)
assert len(ticks) == 10, len(ticks)
spin = idle = everything = 0
for tick in ticks.values():
    names = [d["target"] for d in tick]
    assert names[0] == "all" and names[1:] == sorted(names[1:]), names
    assert len(names) == 3, names
    for d in tick:
        used = sum(v["PERF_COUNT_SW_TASK_CLOCK"] for p in d["groups"]["core"].values() for v in p.values())
        if d["target"] == "process:%s:fwspin-b" % sys.argv[3]:
            spin += used
        elif d["target"] == "all":
            everything += used
        else:
            assert d["target"].startswith("process:%s:" % sys.argv[2]), d
            idle += used
        if d["target"] != "all":
            assert d["metadata"]["engine"] in ("perf", "clock")
            assert d["metadata"]["elapsed_ns"] == tick[0]["metadata"]["elapsed_ns"]
assert spin > 0.2e9, spin
assert idle < 0.1e9, idle
assert spin + idle <= everything * 1.02 + 8e6, (spin, idle, everything)
PY
done

# ---- the end of its targets is its own -------------------------------------------
sensor -f 50 --meter null --pid $b --to gone.jsonl 2>err &
pid=$!
sleep 0.4
kill $b
wait $b 2>/dev/null || true
wait $pid
has err '^done '
has gone.jsonl '"target":"process:'"$b"':'

# ---- stopped by a signal, everything is written ---------------------------------
for signal in INT TERM; do
	sensor -f 20 --meter null --to $signal.jsonl 2>err &
	pid=$!
	sleep 0.5
	kill -$signal $pid
	status=0
	wait $pid || status=$?
	[ $status -eq 0 ] || die "SIG$signal: status $status"
	has err '^done '
	tail -c 1 $signal.jsonl | od -An -c | grep -q '\\n' || die "torn by SIG$signal"
done

# ---- a pipe that closes early ends it quietly -----------------------------------
sensor -f 20 --meter null 2>err | head -n 2 >out
[ "$(wc -l <out)" -eq 2 ] || die "no reports through a pipe"
if grep -qi 'pipe\|error' err; then die "$(cat err)"; fi

# ---- other places, and back -----------------------------------------------------
sensor -q -f 50 --duration 200ms --meter model:idle=5,cpu=10 --to csv:csv --to null: --to all.jsonl
has csv/core.csv '^timestamp,sensor,target,socket,cpu,PERF_COUNT_SW_TASK_CLOCK,time_enabled,time_running$'
[ "$(wc -l <csv/meter_model.csv)" -eq 5 ] || die "csv has $(wc -l <csv/meter_model.csv) lines"
sensor replay --from all.jsonl --to again.jsonl 2>err
cmp all.jsonl again.jsonl || die "a replay changes documents"
has err '^copied +4 documents'
sensor replay --from all.jsonl --target 'process:*' >out 2>err
[ ! -s out ] || die "--target lets others through"
second=$(sed -n '2s/.*"timestamp":\([0-9]*\).*/\1/p' all.jsonl)
sensor replay -q --from all.jsonl --since "$second" --until "$((second + 1))" >out
[ "$(wc -l <out)" -eq 1 ] || die "--since and --until: $(wc -l <out)"
begin=$(date +%s%N)
sensor replay -q --from all.jsonl --pace 0.5 --to null:
took=$((($(date +%s%N) - begin) / 1000000))
[ $took -ge 280 ] || die "--pace 0.5: 150 ms of recording came in $took ms"

# ---- the schema ------------------------------------------------------------------
python3 "$SRC/tests/e2e/validate.py" "$SRC/docs/schema/hwpc-report.schema.json" \
	all.jsonl clock.jsonl auto.jsonl gone.jsonl
