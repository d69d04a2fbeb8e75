#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Bad input: one sentence, a status, nothing lost.
. "$SRC/tests/e2e/lib.sh"

table=$SRC/tests/data/fl-table.json
base=(fl run --data synthetic:1000x20x4 --model mlp:20-16-4 --batch 16 --devices 5 --rounds 3 --local-steps 5)
run=("${base[@]}" --table "$table")

fails 1 '^fl: no energy table.*--table TABLE.json; make one: bench sweep .* bench fit' "${base[@]}"
fails 1 'nowhere.json' "${base[@]}" --table nowhere.json
echo '{ "schema": "fedwatts.bench-record/1" }' >record.json
fails 1 'record.json: .*fedwatts.energy-table/1' "${base[@]}" --table record.json
fails 1 'device 0: table of made-up: mlp:20-99-4 batch 16.*not measured' "${run[@]}" --model mlp:20-99-4
fails 1 "does not fit data .* with 20 features and 4 classes \(--model mlp:20-256-4\)" "${run[@]}" --model mlp:784-256-10
fails 1 "partition 'dirichlet:A': the number is missing" "${run[@]}" --partition dirichlet
fails 1 "partition 'natural': this data set does not say" "${run[@]}" --partition natural
fails 1 "policy 'unifrom': unknown; did you mean 'uniform'" "${run[@]}" --policy unifrom
fails 1 "rule 'fedprox': unknown" "${run[@]}" --rule fedprox
fails 1 '5000 devices cannot share 900 samples' "${run[@]}" --devices 5000
fails 1 'loss is not finite any more.*--rate' "${run[@]}" --rate 1000
fails 64 'expected 1 to 1000000' "${run[@]}" --rounds 0
fails 64 "budget: .*40X" "${run[@]}" --budget 40X
fails 64 '--budget and --budget-share: one of them' "${run[@]}" --budget 4J --budget-share 0.5
fails 64 'round' "${run[@]}" --set round=3

echo '{ "roundz": 3 }' >key.json
fails 1 "key.json: unknown key 'roundz' \(did you mean 'rounds'\?\)" "${run[@]}" key.json
echo '{ "rounds": 3, ' >torn.json
fails 1 'torn.json' "${run[@]}" torn.json
fails 1 'nofile.json' "${run[@]}" nofile.json

# What exists is not overwritten.
"${run[@]}" -q --to run.jsonl
before=$(cksum run.jsonl)
fails 1 'run.jsonl exists, and holds run .* another configuration.*--force' "${run[@]}" --seed 2 --to run.jsonl
echo '{"schema":"fedwatts.bench-record/1"}' >foreign.jsonl
fails 1 'foreign.jsonl exists, and is not a run of fl' "${run[@]}" --to foreign.jsonl
[ "$(cat foreign.jsonl)" = '{"schema":"fedwatts.bench-record/1"}' ] || die "a foreign file was changed"
[ "$(cksum run.jsonl)" = "$before" ] || die "a run was changed"
"${run[@]}" -q --seed 2 --to run.jsonl --force
[ "$(cksum run.jsonl)" != "$before" ] || die "--force changed nothing"

# A run that ends in an error keeps its rounds; a full disk is an error.
if [ -w /dev/full ]; then
	fails 1 'No space left' "${run[@]}" --to jsonl:/dev/full
fi

# Damage in the middle of a file is an error, in its last line a warning.
head -n 2 run.jsonl >damaged.jsonl
echo '{"schema":' >>damaged.jsonl
tail -n 2 run.jsonl >>damaged.jsonl
fails 1 'damaged.jsonl:3' fl report damaged.jsonl --out r.html
fails 1 'damaged.jsonl' "${run[@]}" --seed 2 --to damaged.jsonl

fails 64 'which run' fl report --out r.html
fails 64 '--out FILE.html is missing' fl report run.jsonl
fails 1 'nowhere.jsonl' fl report nowhere.jsonl --out r.html
fails 1 'foreign.jsonl:1: not a run' fl report foreign.jsonl --out r.html
[ ! -e r.html ] || die "a page was written all the same"
fails 64 'which command' fl
fails 64 'unknown|no such|command' fl walk
