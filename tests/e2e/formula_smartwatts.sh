#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# formula --model smartwatts: PowerAPI's options, environment and files, CSV and
# JSON alike, and what SmartWatts dies of said in a sentence.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

# Twenty ticks of two packages, as CSV and as documents.
python3 - <<'END'
import json, os
os.mkdir("hwpc")
rapl, msr, core = (open("hwpc/%s.csv" % n, "w") for n in ("rapl", "msr", "core"))
common = "timestamp,sensor,target,socket,cpu,"
print(common + "RAPL_ENERGY_PKG,time_enabled,time_running", file=rapl)
print(common + "APERF,MPERF,TSC,time_enabled,time_running", file=msr)
print(common + "CYCLES,INSTRUCTIONS,time_enabled,time_running", file=core)
docs = open("in.jsonl", "w")
for t in range(20):
    ms = 1783600000000 + 1000 * t
    all_ = {"rapl": {}, "msr": {}}
    for s in range(2):
        joules = round((10 + 3 * (t % 4) + s) * 2 ** 32)
        print("%d,n,all,%d,%d,%d,5,5" % (ms, s, 7 + s, joules), file=rapl)
        all_["rapl"][str(s)] = {str(7 + s): {"RAPL_ENERGY_PKG": joules}}
        all_["msr"][str(s)] = {}
        for c in range(2):
            print("%d,n,all,%d,%d,%d,1000,1000,5,5" % (ms, s, 2 * s + c, 1000 + c), file=msr)
            all_["msr"][str(s)][str(2 * s + c)] = {"APERF": 1000 + c, "MPERF": 1000}
    print(json.dumps({"timestamp": ms, "sensor": "n", "target": "all", "groups": all_}), file=docs)
    for target in ("/b", "/a,comma", "/c"):
        if target == "/c" and t % 5 == 0:
            continue
        groups = {}
        for s in range(2):
            groups[str(s)] = {}
            for c in range(2):
                cycles = 100000000 * (1 + t % 4) + 1000 * len(target) + c
                print('%d,n,%s,%d,%d,%d,%d,5,5' % (ms, '"%s"' % target if "," in target else target,
                      s, 2 * s + c, cycles, 2 * cycles + t), file=core)
                groups[str(s)][str(2 * s + c)] = {"INSTRUCTIONS": 2 * cycles + t, "CYCLES": cycles, "time_enabled": 5}
        print(json.dumps({"timestamp": ms, "sensor": "n", "target": target, "groups": {"core": groups}}), file=docs)
END
files=hwpc/rapl.csv,hwpc/msr.csv,hwpc/core.csv
common=(--disable-dram-formula --cpu-base-freq 2100)

# ---- documents, csv:DIR and PowerAPI's options: the same bytes ---------------------
formula --model smartwatts "${common[@]}" --from in.jsonl --to a.jsonl --formula-to fa.jsonl 2>err
has err '^reports +7[0-9] in, [0-9]+ of power and [0-9]+ of models out'
formula -q --model smartwatts "${common[@]}" --from csv:hwpc --to b.jsonl --formula-to fb.jsonl
formula -q --model smartwatts "${common[@]}" --input csv --files $files --name in \
	--output json --model PowerReport --filepath c.jsonl --name power \
	--output json -m FormulaReport -f fc.jsonl --name models
for f in b c; do
	cmp a.jsonl $f.jsonl
	cmp fa.jsonl f$f.jsonl
done
has a.jsonl '"target":"rapl","power":10\.0,"metadata":\{"scope":"cpu","socket":"0","formula":"RAPL_ENERGY_PKG","ratio":1\.0\}'
has a.jsonl '"target":"/a,comma","power":[0-9.]+,"metadata":\{"scope":"cpu","socket":"1","formula":"[0-9a-f]{40}","ratio":0\.3'
has fa.jsonl '"target":"[0-9a-f]{40}","metadata":\{"scope":"cpu","socket":"0","layer_frequency":2100,"pkg_frequency":2101,"samples":11,"id":[12],"error":'
for kind in smartwatts:a formula:fa; do
	status=0
	python3 "$SRC/tests/e2e/validate.py" "$SRC/docs/schema/${kind%%:*}-report.schema.json" \
		"${kind##*:}.jsonl" >validate.out || status=$?
	[ "$status" -eq 0 ] || [ "$status" -eq 77 ] || { cat validate.out; exit 1; }
done

# ---- twenty ticks are fifteen for SmartWatts ----------------------------------------
formula -q --model smartwatts --exact "${common[@]}" --from in.jsonl --to exact.jsonl
[ "$(grep -c '"rapl"' a.jsonl)" -eq 40 ] || die "not every tick was worked off"
[ "$(grep -c '"rapl"' exact.jsonl)" -eq 30 ] || die "--exact did not drop five ticks"
head -n "$(wc -l <exact.jsonl)" a.jsonl | cmp - exact.jsonl

# ---- environment and file, and who wins ----------------------------------------------
cat >config.json <<END
{ "verbose": true, "stream": false, "disable-dram-formula": true, "cpu-base-freq": 999,
  "input": { "puller": { "type": "csv", "files": ["hwpc/rapl.csv", "hwpc/msr.csv", "hwpc/core.csv"] } },
  "output": { "p": { "type": "json", "filepath": "file.jsonl" } } }
END
export POWERAPI_CPU_BASE_FREQ=2100 POWERAPI_OUTPUT_P_FILEPATH=env.jsonl POWERAPI_LEARN_MIN_SAMPLES_REQUIRED=3
formula -q --model smartwatts --config-file config.json --learn-min-samples-required 10
cmp a.jsonl env.jsonl
[ ! -e file.jsonl ] || die "the file won over the environment"
export POWERAPI_CPU_BASE_FREK=1
fails 64 'POWERAPI_CPU_BASE_FREK: unknown' formula --model smartwatts --config-file config.json
unset POWERAPI_CPU_BASE_FREK POWERAPI_CPU_BASE_FREQ POWERAPI_OUTPUT_P_FILEPATH POWERAPI_LEARN_MIN_SAMPLES_REQUIRED

# ---- usage ------------------------------------------------------------------------------
fails 64 "no type 'cvs' \(there are: mongodb, socket, csv" formula --model smartwatts --input cvs
fails 64 "input 'puller_csv' \(csv\): --files is missing" formula --model smartwatts --input csv --output csv -d out
fails 64 'cannot be read with --stream' formula --model smartwatts -s --input csv -f $files
fails 64 'expects a value' formula --model smartwatts --input csv --files
fails 64 'both formulas are disabled' formula --model smartwatts --disable-cpu-formula --disable-dram-formula
fails 64 'sensor-reports-frequency' formula --model smartwatts --sensor-reports-frequency=-1
fails 64 "neither PowerReport nor FormulaReport" formula --model smartwatts --output json -f x -m HWPCReport
fails 64 'not done here' formula --model smartwatts --pre-processor k8s -a manual
sed 's/"cpu-base-freq"/"cpu-base-frequency"/' config.json >wrong.json
fails 64 "wrong.json.*cpu-base-frequency.*cpu-base-freq" formula --model smartwatts --config-file wrong.json

# ---- what SmartWatts dies of ---------------------------------------------------------------
fails 1 "tick 1783600000000 of 'n', package 0: report of \"all\" does not count RAPL_ENERGY_DRAM \(--disable-dram-formula" \
	formula -q --model smartwatts --from in.jsonl --to null:
fails 1 'report of "all" has no group "msr" \(the sensor.s -s msr' \
	formula -q --model smartwatts --disable-dram-formula --input csv --files hwpc/rapl.csv,hwpc/core.csv --to null:
fails 1 'is below the base clock of 5000 MHz \(--cpu-base-clock' \
	formula -q --model smartwatts --disable-dram-formula --cpu-base-clock 5000 --cpu-base-freq 5000 --set cpu-base-clock=5000 \
	--sensor-reports-frequency 1000 --from <(sed 's/"APERF": 100/"APERF": 9/g' in.jsonl) --to null:
mkdir bad
sed '$s/,5,5$/,x,5/' hwpc/core.csv >bad/core.csv
fails 1 'bad/core.csv:[0-9]+: time_enabled: expected a whole number' \
	formula -q --model smartwatts "${common[@]}" --input csv --files hwpc/rapl.csv,hwpc/msr.csv,bad/core.csv --to null:
fails 1 'nothing.csv: No such file' formula --model smartwatts --input csv -f nothing.csv --to null:
