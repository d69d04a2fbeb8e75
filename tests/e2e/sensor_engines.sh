#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# perf and tally count the same work at the same time: on compute-bound work
# they agree within 1 % (median of 5), per cgroup, per process and per tree of
# cgroups; on work that switches all the time the difference is shown.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

sensor --engine tally --pid $$ --duration 100ms --meter null >/dev/null 2>err ||
	skip "$(tail -n 1 err)"
sensor --engine perf --pid $$ --duration 100ms --meter null >/dev/null 2>err ||
	skip "$(tail -n 1 err)"

# auto says what it took, and why.
has err '^engine   perf$'
sensor --pid $$ --duration 100ms --meter null >/dev/null 2>err
has err '^engine   perf \(1 target: tally from 16 on\)'

base=$(awk '$3 == "cgroup" && $4 ~ /(^|,)perf_event(,|$)/ { print $2; exit }' /proc/self/mounts)
[ -n "$base" ] || base=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
[ -n "$base" ] || skip "no cgroups are mounted here"
top=$base/fwengines$$
mkdir "$top" 2>/dev/null || skip "cannot make cgroups in $base"
sensors=
cleanup() {
	# shellcheck disable=SC2086
	[ -z "$sensors" ] || kill $sensors 2>/dev/null || true
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		find "$top" -depth -type d -exec rmdir {} + 2>/dev/null && break
		sleep 0.1
	done
}
trap cleanup EXIT
mkdir "$top/inner" "$top/idle"

for i in $(seq 20); do mkdir "$top/idle/$i"; done
sensor --cgroup "/fwengines$$/idle/*" --duration 100ms --meter null >/dev/null 2>err
has err '^engine   tally \(20 targets: tally from 16 on\)'

cat >work.py <<'PY'
import os, sys, time
try: # work that others interrupt is work that switches
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
except OSError:
    pass
print("ready", flush=True)
sys.stdin.readline()
until = time.process_time() + 0.3
while time.process_time() < until:
    sum(range(1000))
PY

# round N CMD…: both sensors over CMD in the inner cgroup, which begins when its
# stdin says so, after it said that it is ready.
round() {
	local n=$1 engine worker
	shift
	mkfifo "go$n"
	(echo "$BASHPID" >"$top/inner/cgroup.procs" && exec "$@" <"go$n" >"said$n") &
	worker=$!
	exec 9>"go$n"
	for _ in $(seq 100); do
		[ -s "said$n" ] && break
		sleep 0.05
	done
	sensors=
	for engine in perf tally; do
		sensor --engine $engine -e PERF_COUNT_SW_PAGE_FAULTS --interval 50ms --meter null --pid $worker \
			--cgroup "/fwengines$$" --cgroup "/fwengines$$/inner" --to $engine.$n.jsonl 2>$engine.err &
		sensors="$sensors $!"
	done
	for engine in perf tally; do
		for _ in $(seq 100); do
			grep -q '^reports' $engine.err && break
			sleep 0.05
		done
	done
	echo go >&9
	exec 9>&-
	wait $worker
	sleep 0.2
	# shellcheck disable=SC2086
	kill $sensors
	# shellcheck disable=SC2086
	wait $sensors
	sensors=
}

for n in 1 2 3 4 5; do
	round $n python3 work.py
done
python3 - <<'PY'
import json, statistics

def sums(engine, n):
    total = {}
    for line in open(f"{engine}.{n}.jsonl"):
        doc = json.loads(line)
        target = doc["target"]
        if target == "all":
            continue
        if target.startswith("process:"):
            target = "process"
        for package in doc["groups"]["core"].values():
            for cpu in package.values():
                for event, value in cpu.items():
                    key = target.split("/")[-1][:9], event
                    total[key] = total.get(key, 0) + value
    return total

apart = {}
for n in range(1, 6):
    perf, tally = sums("perf", n), sums("tally", n)
    assert perf.keys() == tally.keys(), (perf.keys(), tally.keys())
    for key in perf:
        if "CLOCK" in key[1]:
            assert perf[key] > 0.3e9, (key, perf[key])
        apart.setdefault(key, []).append(tally[key] / perf[key] - 1)
for (target, event), figures in sorted(apart.items()):
    median = statistics.median(figures)
    print(f"{target:10} {event:28} tally/perf − 1: median {100 * median:+.2f} %")
    assert abs(median) < (0.01 if "CLOCK" in event or "time" in event else 0.05), (target, event, figures)
PY

# ---- work that switches all the time: by nature they differ --------------------------
[ -x "$BIN/switch_cost" ] || exit 0
mkdir "$top/a" "$top/b"
cat >switch.sh <<END
echo ready
read -r _
exec "$BIN/switch_cost" 0 20000 "$top/a" "$top/b"
END
round 6 bash switch.sh
python3 - <<'PY'
import json
total = {}
for engine in "perf", "tally":
    for line in open(f"{engine}.6.jsonl"):
        doc = json.loads(line)
        if doc["target"].startswith("/fwengines") and doc["target"].count("/") == 1:
            for package in doc["groups"]["core"].values():
                for cpu in package.values():
                    total[engine] = total.get(engine, 0) + cpu["PERF_COUNT_SW_TASK_CLOCK"]
print(f"switching: perf {total['perf'] / 1e6:.1f} ms, tally {total['tally'] / 1e6:.1f} ms, "
      f"{100 * (total['tally'] / total['perf'] - 1):+.1f} %")
assert abs(total["tally"] / total["perf"] - 1) < 0.5
PY
