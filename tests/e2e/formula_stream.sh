#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Reports in, watts out: live from a sensor, from files, under several idle
# policies, and from reports that hwpc-sensor wrote.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

# In every tick and under every policy the rows sum to the meter.
cat >conserve.py <<'END'
import collections, json, sys
sums, meter = collections.Counter(), {}
for line in open(sys.argv[1]):
    d = json.loads(line)
    m = d["metadata"]
    key = (d["timestamp"], m["idle_policy"])
    meter[key] = m["meter_w"]
    if "within" not in m:
        sums[key] += d["power"]
    assert abs(m["residual_w"]) <= 1e-9 * m["meter_w"], d
    assert d["power"] >= 0, d
assert len(meter) == int(sys.argv[2]), len(meter)
for key in meter:
    assert abs(sums[key] - meter[key]) <= 1e-9 * meter[key], key
END

# ---- live -----------------------------------------------------------------------
burn 0.5 & burner=$!
trap 'kill $burner 2>/dev/null || true' EXIT
sleep 0.2
sensor -q --pid "$burner" --meter model:idle=5W,cpu=10W --interval 100ms \
	--duration 1s --name here | tee trace.jsonl |
	formula --idle none --idle uniform --idle proportional --idle-watts 5 \
		>power.jsonl 2>err
python3 conserve.py power.jsonl 30
has power.jsonl '"sensor":"here","target":"process:[0-9]+:burn","power":[0-9.]+,"metadata":\{"scope":"cpu","socket":"0"'
has power.jsonl '"target":"unattributed".*"source":7,"estimated":"estimated \(class 7, −50/\+100 %\)"'
has err 'meter    model: watts are estimated'
has err '^ticks    10 in 1'
has err '^process:[0-9]+:burn +.* %.* none'
has err 'worst residual'
status=0
python3 "$SRC/tests/e2e/validate.py" "$SRC/docs/schema/power-report.schema.json" \
	power.jsonl >validate.out || status=$?
[ "$status" -eq 0 ] || [ "$status" -eq 77 ] || { cat validate.out; exit 1; }

# It gets half a core's watts (or what the machine had to give).
formula --from trace.jsonl --idle-watts 5W --json -q >sums.json
python3 - "$burner" <<'END'
import json, sys
sums = json.load(open("sums.json"))
of = {t["target"]: t for t in sums["targets"]}
target = of["process:%s:burn" % sys.argv[1]]
assert sums["ticks"] == 10 and sums["source"] == 7 and sums["meter"] == "model"
assert abs(sum(t["energy_j"] for t in sums["targets"]) - sums["energy_j"]) < 1e-9 * sums["energy_j"]
assert 1 < target["power_w"] < 6, target
assert abs(of["idle"]["power_w"] - 5) < 1e-6, of["idle"]
END

# ---- again, from the file: the same bytes ---------------------------------------
for i in 1 2; do
	formula -q --from trace.jsonl --idle none --idle-watts 5 --to again$i.jsonl
done
cmp again1.jsonl again2.jsonl
grep '"idle_policy":"none"' power.jsonl | cmp - again1.jsonl

# ---- a part of it ----------------------------------------------------------------
formula -q --from trace.jsonl --target nobody --to null: --to part.jsonl
[ "$(grep -c '"target":"process' part.jsonl)" -eq 0 ] || die "--target let others in"
python3 conserve.py part.jsonl 10
fifth=$(sed -n '/"target":"all"/s/.*"timestamp":\([0-9]*\).*/\1/p' trace.jsonl | sed -n 5p)
formula -q --from trace.jsonl --since "$fifth" --to since.jsonl
python3 conserve.py since.jsonl 6
formula -q --from trace.jsonl --until "$fifth" --to until.jsonl
python3 conserve.py until.jsonl 4

# ---- csv:DIR, without documents and (with --since) with them: the same bytes ---------
mkdir archive
python3 - <<'END'
import random
rng = random.Random(7)
common = "timestamp,sensor,target,socket,cpu,"
files = {n: open("archive/%s.csv" % n, "w") for n in ("core", "msr", "rapl")}
files["core"].write(common + "CPU_CLK_THREAD_UNHALTED:THREAD_P,INSTRUCTIONS_RETIRED,LLC_MISSES,time_enabled,time_running\n")
files["msr"].write(common + "APERF,MPERF,TSC\n")
files["rapl"].write(common + "RAPL_ENERGY_PKG,RAPL_ENERGY_DRAM\n")
for t in range(40):
    head = "%d,n," % (1783600000000 + 1000 * t)
    for socket in range(2):
        files["rapl"].write(head + "all,%d,0,%d,%d\n" % (socket, rng.randrange(30 << 32, 60 << 32), 3 << 32))
        for cpu in range(12):
            files["msr"].write(head + "all,%d,%d,%d,21,21\n" % (socket, cpu, rng.randrange(10, 30)))
            for target in ["/c", "all", "/a", "/b"]:
                many = rng.randrange(10 ** 7, 10 ** 9) * (5 if target == "all" else 1)
                files["core"].write(head + "%s,%d,%d,%d,%d,%d,1000,%d\n" % (
                    target, socket, cpu, many, 2 * many + t, many // 50, rng.choice([1000, 700])))
END
for how in "" "--model proportional --event INSTRUCTIONS_RETIRED" "--target /[ab] --idle shapley"; do
	# shellcheck disable=SC2086
	formula -q $how --from csv:archive --to direct.jsonl 2>err
	# shellcheck disable=SC2086
	formula -q $how --from csv:archive --since 1 --to documents.jsonl 2>>err
	cmp direct.jsonl documents.jsonl
	[ "$(grep -c '"target":"/a"' direct.jsonl)" -eq 39 ] || die "not every tick came out"
	rm direct.jsonl documents.jsonl
done

# ---- PowerAPI's CSV --------------------------------------------------------------
formula -q --from trace.jsonl --to csv:csv
has csv/here-idle/PowerReport.csv '^timestamp,sensor,target,power,socket,elapsed_ns,.*\bestimated,.*\bsource\b'
[ "$(wc -l <csv/here-idle/PowerReport.csv)" -eq 11 ] || die "csv rows are missing"

# ---- a torn last line ------------------------------------------------------------
head -c -40 trace.jsonl >torn.jsonl
formula --from torn.jsonl --to torn-power.jsonl 2>err
has err 'torn last line was skipped'
python3 conserve.py torn-power.jsonl 10

# ---- stopped: everything flushed, status 0 ---------------------------------------
mkfifo pipe
sensor -q --meter model:idle=5W,cpu=10W --interval 50ms >pipe &
sensor=$!
formula -q --from pipe --to stopped.jsonl &
formula=$!
sleep 0.8
kill -TERM "$formula"
status=0
wait "$formula" || status=$?
kill "$sensor" 2>/dev/null || true
wait "$sensor" || true
[ "$status" -eq 0 ] || die "status $status after SIGTERM"
python3 conserve.py stopped.jsonl "$(grep -c '"target":"idle"' stopped.jsonl)"
has stopped.jsonl '"target":"idle"'

# ---- a pipe on which nothing comes does not hold it back ---------------------------
mkfifo silent
sleep 20 >silent &
silence=$!
formula --from silent --to silent.jsonl 2>err &
formula=$!
sleep 0.3
begin=$(date +%s%N)
kill -TERM "$formula"
status=0
wait "$formula" || status=$?
took=$((($(date +%s%N) - begin) / 1000000))
kill $silence
[ "$status" -eq 0 ] || die "status $status after SIGTERM on a silent pipe: $(cat err)"
[ $took -lt 1000 ] || die "a silent pipe kept it for $took ms"

# ---- what hwpc-sensor wrote --------------------------------------------------------
real=${FEDWATTS_SHARED:-$SRC/../shared}/data/hwpc_reports
if [ -e "$real/smartwatts_timeline.json" ]; then
	# Its timestamps are dates, as PowerAPI writes them.
	python3 -c 'import json, sys
for d in json.load(open(sys.argv[1])): print(json.dumps(d))' "$real/smartwatts_timeline.json" >real.jsonl
	formula --from real.jsonl --event CPU_CLK_THREAD_UNHALTED:THREAD_P \
		--to real-power.jsonl 2>err
	# Ten ticks, of which the first has no length.
	python3 conserve.py real-power.jsonl 9
	has err 'the first one, of unknown length'
	has err 'do not count cycles: what no target explains'
	has err 'rapl, 10\.9 J, class 1 \(hardware accumulator\)'
	has real-power.jsonl '"target":"mongo"'
	grep -q estimated real-power.jsonl && die "RAPL is called estimated"
	formula --from real.jsonl --model proportional --to null: \
		--event CPU_CLK_THREAD_UNHALTED:THREAD_P 2>err
	has err 'do not count CPU_CLK_THREAD_UNHALTED:THREAD_P'
	# Two packages with their DRAM, and nothing but joules; in 2018 the
	# machine was called "system".
	mkdir hwpc
	sed 's/,system,/,all,/' "$real/powerapi_rapl2.csv" >hwpc/rapl.csv
	formula --from csv:hwpc --to csv.jsonl 2>err
	has csv.jsonl '"target":"idle","power":30\.57'
else
	echo "note: $real is not here: real reports were not tried"
fi
