#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# bench tune: a table is measured, and what is trained with it says so.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

valid() {
	/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || return 0
	/usr/bin/python3 -W ignore "$SRC/tests/e2e/validate.py" "$SRC/docs/schema/$1.schema.json" "$2"
}
model=mlp:20-30-3
small=(--model "$model" --data synthetic:500x20x3 --epochs 2 --batch 16 --meter null --json)

bench tune --models "$model" --batches 16,4 --out table.json >out 2>err
has out '^product +m +n +k +library'
has out "^A' B +20 +30 +16 +(openblas|onednn|plain) "
has err '^wrote +table.json: [0-9]+ shapes'
valid backends table.json
bench tune --models "$model" --batches 16 --out other.json --json >json 2>err
valid backends json
fails 1 "force replaces it" bench tune --models "$model" --batches 16 --out other.json
fails 1 "not a whole number|expected a whole number" bench tune --models "$model" --batches x --out no.json
[ ! -e no.json ] || die "a table of nothing"

# The same table, the same bits; a run says which one, or that it was the rule.
results() {
	sed -E 's/"seconds":[^,}]*//g' "$1"
}
bench train "${small[@]}" >plain 2>err
has plain '"backends":"rule"'
bench train "${small[@]}" --backends table.json >one 2>err
bench train "${small[@]}" --backends table.json --threads 2 >two 2>err
has one '"backends":"[0-9a-f]{8,}"'
[ "$(results one | sed 's/"threads":1//')" = "$(results two | sed 's/"threads":2//')" ] || die "threads change a bit"
valid train one
bench sweep --models "$model" --batches 16 --losses ce --window 5ms --idle 0 --repeats 1 --meter null --backends table.json \
	--to sweep.jsonl >out 2>err
digest=$(sed -nE 's/.*"backends":"([0-9a-f]+)".*/\1/p' one | tail -n 1)
grep -q "\"backends\": *\"$digest\"" sweep.jsonl.manifest.json || die "the manifest does not name the table"

# A table of another machine is used, with a warning; a damaged one is not.
sed -E 's/"cpu": *"[^"]*"/"cpu": "Z80"/' table.json >far.json
bench train "${small[@]}" --backends far.json >out 2>err
has err "far.json was measured on Z80, and this is "
head -c 100 table.json >torn.json
fails 1 "torn.json" bench train "${small[@]}" --backends torn.json
fails 1 "No such file" bench train "${small[@]}" --backends nowhere.json
