#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# formula score on power that others measured: an ODROID-XU3's big cluster (30
# programs, 3 frequencies, sensor on the rail; K. Nikov, Bristol), and a server with
# two Xeon X5650 behind a wall meter (5 applications; Canuto et al., BSC).
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

case $BIN in *asan* | *tsan*) skip "its arithmetic takes a minute under sanitizers; unit power_model runs there" ;; esac

data=${FEDWATTS_SHARED:-$SRC/../shared}/data
odroid=$data/odroid_xu3_pmu_power/xu3_cset_perfcpu_cBench_eMMC_big.tsv.gz
server=$data/server_perf_wattmeter
[ -r "$odroid" ] && [ -d "$server" ] || skip "no recorded tables (FEDWATTS_SHARED)"

# holds FILE EXPRESSION…: each is true of the document `d`.
holds() {
	/usr/bin/python3 - "$@" <<'END' || die "$1: a bar is missed"
import json, sys

with open(sys.argv[1]) as file:
    d = json.load(file)
frequency = {round(f["frequency_hz"] / 1e6): f for f in d.get("frequencies", [])}
group = {g["group"]: g["mape"] for g in d["groups"]}
bad = [e for e in sys.argv[2:] if not eval(e)]
print(d["mean_mape"], d["mean_pi95_coverage"], [f["mape"] for f in frequency.values()], group)
for expression in bad:
    print("not so:", expression)
sys.exit(bool(bad))
END
}

# One model for all frequencies, tested on programs it has not seen.
formula score -q --map "$SRC/tests/data/power/odroid_xu3.json" --from "$odroid" --json >loo.json
holds loo.json 'len(group) == 30' \
	'frequency[1000]["mape"] <= 0.031' 'frequency[1500]["mape"] <= 0.028' 'frequency[2000]["mape"] <= 0.027' \
	'0.92 <= d["mean_pi95_coverage"] <= 0.98'
formula score -q --map "$SRC/tests/data/power/odroid_xu3.json" --from "$odroid" --halves 20 --json >halves.json
holds halves.json 'd["splits"] == 20' 'd["mean_mape"] <= 0.033' \
	'all(f["mean_mape"] <= 0.035 for f in frequency.values())' \
	'0.92 <= d["mean_pi95_coverage"] <= 0.98' \
	'all(0.92 <= f["mean_pi95_coverage"] <= 0.98 for f in frequency.values())'

# The same without the voltage: smooth in frequency.  (Its many terms take time.)
grep -v '"voltage"' "$SRC/tests/data/power/odroid_xu3.json" >flat.json
formula score -q --map flat.json --from "$odroid" --halves 5 --json >smooth.json
holds smooth.json 'all(f["mean_mape"] <= 0.04 for f in frequency.values())'

# Applications that it has not seen.
from=()
for file in "$server"/x5650_*.csv.gz; do from+=(--from "$file"); done
formula score -q --map "$SRC/tests/data/power/x5650.json" "${from[@]}" --json >server.json
holds server.json 'len(group) == 5' 'max(group.values()) <= 0.046' 'd["mean_mape"] <= 0.025'
