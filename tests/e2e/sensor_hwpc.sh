#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Called as hwpc-sensor is: its options, its files, its reports; what is missing
# is said.  Cgroups of our own, where perf and the cgroup mount permit that, are
# counted, found and followed.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

# ---- teaching -----------------------------------------------------------------
sensor -h >out
has out '^  -s, --system=GROUP '
has out '^  -h, --help '

# ---- what is wrong -----------------------------------------------------------
fails 64 'no group to which it belongs' sensor -o
fails 64 "storage 'steam': unknown" sensor -r steam
fails 64 'no-such.json' sensor -x no-such.json
echo '{"system": {"a": {"evnts": []}}}' >bad.json
fails 64 "bad.json: system: a: a: unknown key 'evnts'" sensor -x bad.json
fails 1 "group 'x' has no events" sensor -s x
fails 1 'cgroups: /tmp is no cgroup file system' sensor -p /tmp -c core -e PERF_COUNT_SW_TASK_CLOCK
fails 1 "event 'steam/pressure/': there is no PMU 'steam' here" sensor -s x -e steam/pressure/
fails 1 "event 'NO_SUCH_EVENT': unknown" sensor -s x -e NO_SUCH_EVENT
fails 1 'no event is left to count' sensor --skip-missing -s x -e NO_SUCH_EVENT -e steam/pressure/
has fails.err "group 'x' goes without NO_SUCH_EVENT: event 'NO_SUCH_EVENT': unknown"
has fails.err "group 'x' goes without steam/pressure/"
fails 1 '(-event and -c|cgroups)' sensor -c x -e PERF_COUNT_SW_TASK_CLOCK --event PERF_COUNT_SW_TASK_CLOCK

# ---- the whole machine ---------------------------------------------------------
if ! sensor -q -n here -f 100 --duration 50ms -s probe -e PERF_COUNT_SW_CPU_CLOCK -r null 2>err; then
	grep -q 'not permitted' err || die "$(cat err)"
	skip "system-wide perf events are not permitted here"
fi
cat >config.json <<'END'
{
  "name": "here", "verbose": false, "frequency": 100,
  "output": { "type": "csv", "directory": "csv" },
  "system": {
    "one": { "events": ["PERF_COUNT_SW_CPU_CLOCK"], "monitoring_type": "MONITOR_ONE_CPU_PER_SOCKET" },
    "all": { "events": ["cpu-clock", "PERF_COUNT_SW_CONTEXT_SWITCHES"] }
  }
}
END
sensor -q -x config.json --duration 500ms --to doc.jsonl
has csv/one.csv '^timestamp,sensor,target,socket,cpu,PERF_COUNT_SW_CPU_CLOCK,time_enabled,time_running$'
has csv/all.csv '^timestamp,sensor,target,socket,cpu,PERF_COUNT_SW_CONTEXT_SWITCHES,cpu-clock,time_enabled,time_running$'
has csv/one.csv '^[0-9]{13},here,all,[0-9]+,[0-9]+,[0-9]+,[0-9]+,[0-9]+$'
[ "$(wc -l <doc.jsonl)" -eq 5 ] || die "$(wc -l <doc.jsonl) reports instead of 5"
python3 - <<'PY'
import json
for line in open("doc.jsonl"):
    d = json.loads(line)
    assert list(d) == ["timestamp", "sensor", "target", "groups"], d
    assert set(d["groups"]) == {"one", "all"}, d
    assert all(len(cpus) == 1 for cpus in d["groups"]["one"].values())
    for group in d["groups"].values():
        for cpus in group.values():
            for events in cpus.values():
                assert events["time_running"] == events["time_enabled"] < 5e8, events
PY
sensor -q -s a -e PERF_COUNT_SW_CPU_CLOCK -f 0x64 --duration 300ms --cumulative-times --to sum.jsonl
python3 - <<'PY'
import json
times = [json.loads(line)["groups"]["a"]["0"]["0"]["time_enabled"] for line in open("sum.jsonl")]
assert len(times) == 3 and times[2] > times[1] + 5e7 > times[0] + 1e8, times
PY
if [ -e /sys/devices/msr/events/tsc ] && sensor -q -s msr -e TSC -f 100 --duration 100ms --to tsc.jsonl 2>err; then
	has tsc.jsonl '"msr":\{"0":\{"0":\{"TSC":[1-9]'
fi

# ---- cgroups ----------------------------------------------------------------------
base=$(awk '$3 == "cgroup" && $4 ~ /(^|,)perf_event(,|$)/ { v1 = $2 } $3 == "cgroup2" { v2 = $2 }
	END { print v1 ? v1 : v2 }' /proc/self/mounts)
[ -n "$base" ] || skip "no cgroups are mounted: those were not tried"
top=$base/fwtest$$
mkdir "$top" 2>/dev/null || skip "cgroups may not be made here: those were not tried"
cleanup() {
	jobs -p | xargs -r kill 2>/dev/null || true
	wait 2>/dev/null || true
	rmdir "$top"/*/* "$top"/* "$top" 2>/dev/null || true
}
trap cleanup EXIT
mkdir "$top/busy" "$top/outer" "$top/outer/inner"
cat >spin.sh <<'END'
echo $$ >"$1/cgroup.procs"
while :; do :; done
END
bash spin.sh "$top/busy" &
sleep 0.2
sensor -q -p "$top" -n here -f 200 --duration 1s -s sys -o -e PERF_COUNT_SW_CPU_CLOCK \
	-c core -e PERF_COUNT_SW_TASK_CLOCK -e PERF_COUNT_SW_PAGE_FAULTS --to cgroups.jsonl
python3 - <<'PY'
import json
ticks = {}
for line in open("cgroups.jsonl"):
    d = json.loads(line)
    assert "metadata" not in d, d
    ticks.setdefault(d["timestamp"], []).append(d)
assert len(ticks) == 5, len(ticks)
busy = idle = 0
for tick in ticks.values():
    assert [d["target"] for d in tick] == ["all", "/busy", "/outer/inner"], tick
    for d in tick[1:]:
        used = sum(e["PERF_COUNT_SW_TASK_CLOCK"] for p in d["groups"]["core"].values() for e in p.values())
        if d["target"] == "/busy": busy += used
        else: idle += used
assert busy > 0.15e9 and idle == 0, (busy, idle)
PY
# without -p, by pattern, non-leaf ones too, by each engine
name=/fwtest$$
for engine in perf clock; do
	[ $engine = perf ] || [ -e "$top/busy/cpu.stat" ] || continue
	sensor -q --engine $engine --meter null -f 200 --duration 600ms --cgroup-all --cgroup "$name*" --to all.$engine.jsonl
	python3 - all.$engine.jsonl "$name" <<'PY'
import json, sys
docs = [json.loads(line) for line in open(sys.argv[1])]
name = sys.argv[2]
seen = {d["target"]: d for d in docs}
assert set(seen) == {"all", name, name + "/busy", name + "/outer", name + "/outer/inner"}, set(seen)
assert seen[name + "/outer/inner"]["metadata"]["within"] == name + "/outer"
def used(target):
    return sum(e["PERF_COUNT_SW_TASK_CLOCK"] for d in docs if d["target"] == target
               for p in d["groups"]["core"].values() for e in p.values())
assert used(name) >= used(name + "/busy") * 0.95 > 5e7, (used(name), used(name + "/busy"))
assert seen[name]["metadata"]["engine"] in ("perf", "clock")
PY
done
python3 "$SRC/tests/e2e/validate.py" "$SRC/docs/schema/hwpc-report.schema.json" cgroups.jsonl all.perf.jsonl doc.jsonl

# ---- one that lives for 300 ms, made two levels deep ---------------------------------
sensor -q --meter null -f 2000 --duration 3s --cgroup "$name/short/*" --to short.jsonl &
sensor=$!
sleep 0.7
mkdir "$top/short" "$top/short/lived"
bash spin.sh "$top/short/lived" &
spin=$!
sleep 0.3
kill $spin
wait $spin 2>/dev/null || true
rmdir "$top/short/lived" "$top/short"
wait $sensor
python3 - "$name" <<'PY'
import json, sys
docs = [json.loads(line) for line in open("short.jsonl")]
seen = [d for d in docs if d["target"] == sys.argv[1] + "/short/lived"]
assert len(seen) == 1, [d["target"] for d in docs]
used = sum(e["PERF_COUNT_SW_TASK_CLOCK"] for p in seen[0]["groups"]["core"].values() for e in p.values())
assert 1e7 < used < 6e8, used
PY

# ---- threads, and a process in its cgroup ------------------------------------------
busy=$(cat "$top/busy/cgroup.procs")
sensor -q --meter null -f 100 --duration 300ms --cgroup "$name/busy" --pid "$busy" --threads-of "$busy" --to within.jsonl
has within.jsonl "\"target\":\"process:$busy:bash\".*\"within\":\"$name/busy\""
has within.jsonl "\"target\":\"thread:$busy:$busy:bash\".*\"within\":\"(process:$busy:bash|$name/busy)\""
