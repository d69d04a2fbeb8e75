#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# formula fit and score on small tables made here: 0.5 W + 2 nJ a cycle + 30 nJ a
# miss, times V², by a meter that reads 1 % high or low from row to row.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

valid() {
	/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || return 0
	/usr/bin/python3 -W ignore "$SRC/tests/e2e/validate.py" \
		"$SRC/docs/schema/$1.schema.json" "$2"
}

recording() { # GROUPS
	awk -v groups="$1" 'BEGIN {
		print "#time\tprogram\tMHz\tV\tcycles\tmisses\twatts"
		for (i = 0; i < groups * 30; i++) {
			g = int(i / 30); f = i % 2 ? 2000 : 1000; v = i % 2 ? 1.2 : 0.9
			cycles = f * 1e6 * (0.2 + (i * 37 % 80) / 100) / 2
			misses = (g % 4 + 1) * 1e6 * (1 + i % 7)
			watts = 0.5 + v * v * (2 * cycles * 2e-9 + 2 * misses * 3e-8)
			printf "%.1f\tp%d\t%d\t%g\t%.0f\t%.0f\t%.6f\n", i / 2, g, f, v,
				cycles, misses, watts * (i % 3 ? 1.01 : 0.99)
		}
	}'
}
cat >map.json <<'END'
{ "power": "watts", "group": "program", "time": "time", "frequency": "MHz",
  "voltage": "V", "counters": ["cycles", "misses"] }
END
recording 8 >runs.tsv
valid power-map map.json

# ---- fit --------------------------------------------------------------------------
formula fit --map map.json --from runs.tsv --out model.json >out 2>err
has err 'read +240 rows of 8 groups \(0 stale ones left out\), 5 terms'
has err 'next +formula score --model model.json'
has out '^V²·cycles +2\.?[0-9]*e-09 '
has out '^V²·misses +[23]\.?[0-9]*e-08 '
has out '^a group left out: [01]\.[0-9]+ % off on average; 95 % interval'
valid power-model model.json
fails 1 'model.json.*--force' formula fit --map map.json --from runs.tsv --out model.json
cp model.json first.json
formula fit --map map.json --from runs.tsv --out model.json --force --json >out 2>/dev/null
cmp model.json first.json
valid power-model out

# The same as CSV, compressed, and in two files.
tr '\t' , <runs.tsv | gzip >runs.csv.gz
formula fit --map map.json --from runs.csv.gz --out csv.json >/dev/null 2>&1
cmp csv.json first.json

# ---- score ------------------------------------------------------------------------
recording 5 >other.tsv
formula score --model model.json --from other.tsv >out 2>err
has out '^group +p4 +30 +[01]\.[0-9]+ % +0\.[0-9]+ W '
has out '^frequency +2000 MHz +75 '
has out '^all +rows +150 '
formula score --map map.json --from runs.tsv --to loo.jsonl >out 2>/dev/null
has out '^mean over 8 groups left out: MAPE [01]\.[0-9]+ %, in pi95 [0-9.]+ %'
has out '^  at 1000 MHz: MAPE '
[ "$(wc -l <loo.jsonl)" -eq 9 ] || die "9 documents were expected"
valid power-score loo.jsonl
fails 1 'loo.jsonl: exists.*--force' formula score --map map.json --from runs.tsv --to loo.jsonl
formula score --map map.json --from runs.tsv --to loo.jsonl --force >/dev/null 2>&1
[ "$(wc -l <loo.jsonl)" -eq 9 ] || die "9 documents were expected, replaced"
formula score --map map.json --from runs.tsv --halves 5 --json >five 2>/dev/null
formula score --map map.json --from runs.tsv --halves 5 --json >again 2>/dev/null
cmp five again
has five '"method":"halves","seed":1,.*"rows":600,.*"splits":5,'
valid power-score five
formula score --map map.json --from runs.tsv --halves 5 --seed 2 --json >seeded 2>/dev/null
! cmp -s five seeded || die "the seed changes nothing"

# More than was ever learnt.
sed -E '10s/(.*)\t[0-9]+\t([0-9.]+)$/\1\t900000000\t\2/' other.tsv >far.tsv
formula score --model model.json --from far.tsv >out 2>/dev/null
has out '^1 rows? (is|are) beyond what was learnt'

# Files are groups where the map names none; threads of a machine, percent.
grep -v '"group"' <<<'{ "power": "P", "rates": ["n"], "threads": ["a", "b"], "siblings": 1 }' >files.json
for i in 1 2 3; do
	awk -v f="$i" 'BEGIN { print "P,n,a,b"
		for (i = 0; i < 20; i++) { a = i * 5; b = i * 7 % 100; m = a > b ? a : b
			printf "%.3f,%d,%d,%d\n", 100 + m / 10 + f * i / 50, f * i, a, b } }' >"run$i.csv"
done
formula score --map files.json --from run1.csv --from run2.csv --from run3.csv >out 2>/dev/null
has out '^group +run2.csv +20 +0\.[0-9]+ %'

# ---- errors -----------------------------------------------------------------------
fails 64 'say --map MAP.json, --from TABLE and --out' formula fit --map map.json --from runs.tsv
fails 64 '--model MODEL.json or --map MAP.json' formula score --from runs.tsv
fails 64 '--model MODEL.json or --map MAP.json' formula score --map map.json --model model.json --from runs.tsv
fails 64 'it goes with --map' formula score --model model.json --from runs.tsv --halves 3
fails 1 'nowhere.tsv: No such file' formula fit --map map.json --from nowhere.tsv --out x.json
fails 1 'nowhere.json' formula fit --map nowhere.json --from runs.tsv --out x.json
sed 's/"misses"/"mises"/' map.json >wrong.json
fails 1 "runs.tsv: no column is called 'mises' \(did you mean 'misses'\?\)" \
	formula fit --map wrong.json --from runs.tsv --out x.json
sed 's/"power"/"powr"/' map.json >wrong.json
fails 1 'wrong.json: .*powr.*did you mean.*power' formula fit --map wrong.json --from runs.tsv --out x.json
sed '5s/p0/p0\t?/' runs.tsv >wrong.tsv
fails 1 'wrong.tsv:5: column 3: expected a number, found "\?"' \
	formula fit --map map.json --from wrong.tsv --out x.json
recording 1 >one.tsv
fails 1 '1 group of rows to learn from: at least 2' formula fit --map map.json --from one.tsv --out x.json
recording 2 >two.tsv
fails 1 '2 groups are too few to leave some out: at least 3' formula score --map map.json --from two.tsv
fails 1 'map.json: no fedwatts.power-model/1 \(formula fit makes one\)' \
	formula score --model map.json --from runs.tsv
sed 's/"lag": *[0-9.]*/"lag": 7/' model.json >bent.json
fails 1 'bent.json: lag, rows or groups: out of range' formula score --model bent.json --from runs.tsv
[ ! -e x.json ] || die "a model was written all the same"
