#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Meters that are files: a board's rails, a battery, a wall meter's log; what
# becomes of them while the sensor runs; and what formula makes of it.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

# ---- a board ------------------------------------------------------------------------
mkdir -p hwmon/hwmon3
cd hwmon/hwmon3
echo ina3221 >name
echo VDD_IN >in1_label
echo VDD_CPU_GPU_CV >in2_label
echo 5000 | tee in1_input >in2_input
echo 2000 >curr1_input
echo 1000 >curr2_input
cd ../..
sensor -f 100 --duration 1s --meter hwmon:hwmon --to rails.jsonl 2>err
has err '^meter    hwmon, class 3 \(polled power\): vdd_in$'
has rails.jsonl '"meter_hwmon":\{"0":\{"0":\{"VDD_CPU_GPU_CV_uj":[0-9]+,"VDD_IN_uj":[0-9]+,'
python3 - <<'PY'
import json
docs = [json.loads(line) for line in open("rails.jsonl")]
joules = seconds = 0
for d in docs:
    joules += 1e-6 * d["groups"]["meter_hwmon"]["0"]["0"]["VDD_IN_uj"]
    seconds += 1e-9 * d["metadata"]["elapsed_ns"]
    meters = d["metadata"]["meters"]
    assert meters["VDD_IN_uj"]["source"] == 3 and meters["VDD_IN_uj"]["counts"]
    assert not meters["VDD_CPU_GPU_CV_uj"]["counts"]
assert abs(joules - 10 * seconds) < 0.02 * joules, (joules, seconds)
PY
python3 "$SRC/tests/e2e/validate.py" "$SRC/docs/schema/hwpc-report.schema.json" rails.jsonl
# What formula distributes is the input's 10 W, not that and the rail's.
formula --from rails.jsonl --to power.jsonl 2>err
python3 - <<'PY'
import json
ticks = {}
for line in open("power.jsonl"):
    d = json.loads(line)
    if "power" in d: ticks.setdefault(d["timestamp"], []).append(d["power"])
assert ticks and all(abs(sum(p) - 10) < 0.5 for p in ticks.values()), ticks
PY

# ---- a battery, and a charger -----------------------------------------------------------
mkdir -p supply/BAT0 supply/AC
echo Battery >supply/BAT0/type
echo Discharging >supply/BAT0/status
echo 43120000 >supply/BAT0/energy_now
echo Mains >supply/AC/type
echo 0 >supply/AC/online
sensor -f 50 --meter battery:supply --to battery.jsonl 2>err &
sensor=$!
trap 'kill $sensor 2>/dev/null || true' EXIT
sleep 0.5
echo 43110000 >supply/BAT0/energy_now
sleep 0.5
echo 1 >supply/AC/online
sleep 0.5
kill -TERM $sensor
wait $sensor || die "status $?"
has battery.jsonl '"BAT0_uj":36000000,'
has err '^sensor: warning: meter: battery bat0: AC is plugged in'
[ "$(tail -n 1 battery.jsonl | grep -c BAT0)" -eq 0 ] || die "a battery that is charged still shows joules"
fails 1 'AC is plugged in.*unplug the charger' sensor --meter battery:supply --duration 100ms --to null:

# ---- a wall meter ----------------------------------------------------------------------------
now=$(date +%s)
printf 'time,watts\n%d,100\n%d,100\n' $((now - 1)) $((now + 60)) >wall.csv
sensor --json --meter log:wall.csv -- sleep 0.5 2>summary
python3 - <<'PY'
import json
text = open("summary").read()
doc = json.loads(text[text.index("{"):])
meter = doc["meters"][0] if "meters" in doc else doc
assert "log" in text and abs(doc["seconds"] - 0.5) < 0.5, text
PY
has summary '"source": ?0'
fails 1 'its last sample is [0-9]+ s old .*offset=SECONDS' sensor --meter 'log:wall.csv?offset=86400' --duration 100ms --to null:
