#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# One clear sentence, a status that is not 0, and what was finished is kept.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

tick() { # TIME [JOULES]
	printf '{"timestamp":%d,"sensor":"s","target":"all","groups":{"rapl":{"0":{"0":{"RAPL_ENERGY_PKG":4294967296}}},"core":{"0":{"0":{"PERF_COUNT_SW_TASK_CLOCK":500000000}}}},"metadata":{"elapsed_ns":1000000000}}\n' "$1"
	printf '{"timestamp":%d,"sensor":"s","target":"a","groups":{"core":{"0":{"0":{"PERF_COUNT_SW_TASK_CLOCK":250000000}}}}}\n' "$1"
}
for i in 1000 2000 3000; do tick $i; done >good.jsonl

# ---- usage ------------------------------------------------------------------------
fails 64 "idle policy 'unifrom': unknown \(did you mean uniform\? there are: none, uniform, proportional, marginal, shapley\)" \
	formula --from good.jsonl --idle unifrom
fails 64 "idle policy 'none': named twice" formula --from good.jsonl --idle none --idle none
fails 64 "model 'smart': unknown \(.*there are: fedwatts, proportional, smartwatts\)" formula --from good.jsonl --model smart
fails 64 'idle-watts' formula --from good.jsonl --idle-watts 3parsecs
fails 64 'idle-watts' formula --from good.jsonl --idle-watts=-3
fails 64 "'yesterday': expected a time such as" formula --from good.jsonl --since yesterday
fails 64 'unknown|unrecognized' formula --from good.jsonl --idel none
echo '{"idel": "none"}' >config.json
fails 1 'idel.*did you mean .*idle' formula --from good.jsonl --config config.json

# ---- input ------------------------------------------------------------------------
fails 1 'nowhere\.jsonl: .*No such file' formula --from nowhere.jsonl
: >empty.jsonl
fails 1 'no HWPC reports in empty\.jsonl' formula --from empty.jsonl
{ cat good.jsonl && echo '{"timestamp":4000,' && tick 5000; } >damaged.jsonl
fails 1 'damaged\.jsonl:7' formula --from damaged.jsonl --to kept.jsonl
[ "$(grep -c '"target":"a"' kept.jsonl)" -ge 2 ] || die "finished ticks were lost"
{ cat good.jsonl && echo '{"timestamp":"x","sensor":"s"}'; } >wrong.jsonl
fails 1 'wrong\.jsonl:7: HWPC report: timestamp' formula --from wrong.jsonl --to null:
fails 1 'no report counts CYCLES \(there are: PERF_COUNT_SW_TASK_CLOCK; choose with --event NAME\)' \
	formula --from good.jsonl --event CYCLES --to null:
grep -v '"all"' good.jsonl >orphans.jsonl
fails 1 "no tick could be used: tick 1000 of 's': no report of target \"all\" came" \
	formula --from orphans.jsonl --to null:
sed 's/RAPL_ENERGY_PKG/OTHER/' good.jsonl >joules.jsonl
fails 1 'no tick could be used: .*has no joules of the meter' formula --from joules.jsonl --to null:
fails 1 'has no joules of the meter' formula --from good.jsonl --meter battery --to null:

# A missing or a late "all" is a warning, and the others come through.
{ tick 1000 && tick 2000 | tail -n 1 && for i in 3 4 5 6 7 8 9; do tick ${i}000; done &&
	tick 2000 | head -n 1; } >late.jsonl
formula --from late.jsonl --to late-power.jsonl 2>err
has err "tick 2000 of 's': no report of target \"all\" came"
has err "tick 2000 of 's': a report came after its tick was closed"
[ "$(grep -c '"target":"a"' late-power.jsonl)" -eq 8 ] || die "ticks were lost with it"

# ---- output -----------------------------------------------------------------------
if [ -w /dev/full ]; then
	fails 1 'No space left' formula --from good.jsonl --to jsonl:/dev/full
fi
fails 1 'Is a directory|is a folder|Not a directory' formula --from good.jsonl --to jsonl:/
fails 1 'no place|unknown|there are' formula --from good.jsonl --to nosuch:x
# A pipe that closes early ends it quietly.
for i in $(seq 20000); do tick "$i"; done >long.jsonl
formula -q --from long.jsonl 2>err | head -n 1 >first
[ ! -s err ] || { cat err; die "a closed pipe was complained of"; }
has first '"target":"a"'
