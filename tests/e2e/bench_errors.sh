#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What bench sweep, fit, predict and report say when something is wrong.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

quick=(--losses ce --window 20ms --repeats 2 --retries 0)
base=("${quick[@]}" --batches 4 --meter model:idle=3,cpu=12)
tiny=("${base[@]}" --models mlp:16-8-4)
bench sweep "${tiny[@]}" 2>/dev/null
for width in 8 16 24 32; do
	bench sweep "${base[@]}" --models "mlp:16-$width-4" --to "w$width.jsonl" \
		2>/dev/null
done
cat w*.jsonl >all.jsonl
bench fit --from all.jsonl --out table.json >/dev/null 2>&1

# Plans.
fails 1 "precision 'fp64': unknown \(there are fp32, bf16" \
	bench sweep "${tiny[@]}" --precisions fp64
fails 1 "loss.*hing" bench sweep "${tiny[@]}" --losses hing
fails 1 "mlq" bench sweep "${base[@]}" --models mlq:16-8-4
fails 1 "batch 'x'" bench sweep "${tiny[@]}" --batches x
fails 1 "twice" bench sweep "${tiny[@]}" --batches 4
fails 1 "threads cannot be pinned" bench sweep "${tiny[@]}" --to pinned.jsonl --threads 4096 --pin
fails 64 "widow" bench sweep --widow 1s
fails 64 "preset" bench sweep --preset slow
fails 1 "No such file" bench sweep --plan nowhere.json
echo '{ "model": ["mlp:16-8-4"] }' >plan.json
fails 1 "plan.json.*model.*models" bench sweep --plan plan.json
echo '{ "models": ["mlp:16-8-4"' >plan.json
fails 1 "plan.json" bench sweep --plan plan.json
fails 1 "features" bench sweep "${tiny[@]}" --data synthetic:100x8x4 \
	--to new.jsonl
fails 1 "batch 64: .* has only [0-9]+ samples" bench sweep "${tiny[@]}" \
	--batches 64 --data synthetic:50x16x4 --to new.jsonl
fails 1 "1.csv" bench sweep "${tiny[@]}" --data csv:1.csv --to new.jsonl

# Meters and places.
fails 1 "geiger" bench sweep "${tiny[@]}" --meter geiger --to new.jsonl
fails 1 "at most 4" bench sweep "${tiny[@]}" --meter null --meter null \
	--meter null --meter null --to new.jsonl
fails 1 "replay" bench sweep "${tiny[@]}" --meter replay:none.jsonl \
	--to new.jsonl
fails 1 "No such file" bench sweep "${tiny[@]}" --to nowhere/sweep.jsonl
fails 1 "carrier" bench sweep "${tiny[@]}" --to carrier:pigeon
fails 1 "No space left" bench sweep "${tiny[@]}" --to jsonl:/dev/full

[ ! -e new.jsonl ] || die "a sweep that could not begin left a file"

# What is in the way is left alone.
echo '{"schema":"fedwatts.fl-run/1"}' >other.jsonl
cp other.jsonl other.copy
fails 1 "fedwatts.bench-record/1.*--force" bench sweep "${tiny[@]}" \
	--to other.jsonl
cmp other.jsonl other.copy
{ head -n 1 sweep.jsonl && echo '{"schema":' && tail -n 1 sweep.jsonl; } \
	>damaged.jsonl
fails 1 "damaged.jsonl:2" bench sweep "${tiny[@]}" --to damaged.jsonl
fails 1 "damaged.jsonl:2" bench fit --from damaged.jsonl --out new.json

# A disk that fills up in the middle keeps whole records, and the sweep goes
# on when there is room.
full=("${tiny[@]}" --repeats 6 --to full.jsonl)
if (
	trap '' XFSZ
	ulimit -f 2
	exec bench sweep "${full[@]}" 2>full.err
); then
	die "a full disk went unnoticed"
fi
has full.err 'File too large.*what was measured is kept'
kept=$(wc -l <full.jsonl)
[ "$kept" -ge 1 ] || die "nothing was kept"
bench sweep "${full[@]}" 2>full.err
has full.err "resume +$kept of 6"
[ "$(wc -l <full.jsonl)" -eq 6 ] || die "the sweep did not go on"

# Fits.
fails 64 "say --from URI and --out" bench fit --from sweep.jsonl
fails 1 "No such file" bench fit --from nowhere.jsonl --out new.json
fails 1 "other.jsonl: no records" bench fit --from other.jsonl --out new.json
: >empty.jsonl
fails 1 "empty.jsonl: no records" bench fit --from empty.jsonl --out new.json
sed 's/"steps":[0-9]*/"steps":0/' sweep.jsonl >zero.jsonl
fails 1 "zero.jsonl:1: steps: 0 is not possible" \
	bench fit --from zero.jsonl --out new.json
sed 's/"device":"[^"]*"/"device":"elsewhere"/' sweep.jsonl >moved.jsonl
fails 1 "two devices" bench fit --from sweep.jsonl --from moved.jsonl \
	--out new.json
sed 's/"meter":"[^"]*"/"meter":"wall"/' sweep.jsonl >wall.jsonl
fails 1 "choose one with --meter" bench fit --from sweep.jsonl \
	--from wall.jsonl --out new.json
bench sweep "${quick[@]}" --models mlp:16-8-4 --batches 4 --meter null \
	--to bare.jsonl 2>/dev/null
fails 1 "no energy in it" bench fit --from bare.jsonl --out new.json
fails 1 "No such file" bench fit --from all.jsonl --out nowhere/table.json
[ ! -e new.json ] || die "a failed fit left a table"

# Predictions and pages.
fails 64 "say --table" bench predict mlp:16-8-4
fails 64 "MODEL" bench predict --table table.json
fails 1 "No such file" bench predict --table nowhere.json mlp:16-8-4
fails 1 "sweep.jsonl" bench predict --table sweep.jsonl mlp:16-8-4
echo '{"schema":"fedwatts.manifest/1"}' >wrong.json
fails 1 "wrong.json: not a fedwatts.energy-table/1" \
	bench predict --table wrong.json mlp:16-8-4
fails 1 "mlp:16" bench predict --table table.json mlp:16
fails 1 "precision" bench predict --table table.json mlp:16-8-4 \
	--precision bf16
fails 1 "optimizer momentum was not measured" \
	bench predict --table table.json mlp:16-9-4 --optimizer momentum
fails 64 "budget" bench predict --table table.json mlp:16-8-4 --budget 5W
fails 64 "say --table" bench report --table table.json
fails 1 "No such file" bench report --table nowhere.json --out new.html
