#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# From records to a table, predictions and a page.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

valid() {
	/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || return 0
	/usr/bin/python3 -W ignore "$SRC/tests/e2e/validate.py" \
		"$SRC/docs/schema/$1.schema.json" "$2"
}

bench sweep --models mlp:64-16-4,mlp:64-32-4,mlp:64-64-4 --batches 4,8,16 \
	--window 20ms --repeats 3 --retries 0 --meter model:idle=3,cpu=12 \
	2>/dev/null

# The table.
bench fit --from sweep.jsonl --out table.json >out.txt 2>err.txt
has out.txt 'seconds +configuration +18 +[0-9.]+ % +[0-9.]+ % +[0-9]+ %'
has out.txt 'joules +model +18 '
has err.txt 'read +54 records of 18 configurations'
has err.txt 'estimated \(class 7, −50/\+100 %\)'
has err.txt 'next +bench predict --table table.json'
has table.json '"command": "bench sweep"'
valid energy-table table.json
fails 1 'table.json.*--force' bench fit --from sweep.jsonl --out table.json
cp table.json first.json
bench fit --from sweep.jsonl --out table.json --force >/dev/null 2>&1
cmp table.json first.json
bench fit --from sweep.jsonl --out again.json --json >out.json 2>/dev/null
has out.json '"leave_one_configuration_out":\{"n":18,'

# A torn last line is warned of; the records before it count.
cp sweep.jsonl torn.jsonl
printf '{"schema":"fedwatts.bench-rec' >>torn.jsonl
bench fit --from torn.jsonl --out torn.json >/dev/null 2>err.txt
has err.txt 'torn last line'
has err.txt 'read +54 records'

# One configuration, no model: what was measured is answered, no more.
grep '"model":"mlp:64-16-4","batch":8,.*"loss":"ce"' sweep.jsonl >one.jsonl
bench fit --from one.jsonl --out one.json >/dev/null 2>err.txt
has err.txt 'too few configurations for a model'
valid energy-table one.json
bench predict --table one.json mlp:64-16-4 --batch 8 >out.txt
has out.txt 'measured$'
head -n 1 one.jsonl >window.jsonl
bench fit --from window.jsonl --out window.json >/dev/null 2>&1
valid energy-table window.json
bench predict --table window.json mlp:64-16-4 --batch 8 --budget 1J >out.txt
has out.txt 'unknown +unknown +measured$'
bench predict --table window.json mlp:64-16-4 --batch 8 --budget 1J --json \
	>out.json
valid prediction out.json
fails 1 'carry no model' bench predict --table one.json mlp:64-16-4 --batch 9

# A table that others measured, by a map of its columns.
cat >theirs.csv <<'END'
width,batch,time_ms,watts
8,4,0.2,10
16,4,0.3,10
32,8,0.5,11
64,8,0.9,12
END
cat >map.json <<'END'
{ "device": "their server", "meter": "RAPL", "source": 1,
  "model": "mlp:784-{width}-10", "batch": "{batch}",
  "seconds_per_step": "{time_ms}ms", "watts": "{watts}" }
END
bench fit --from theirs.csv --map map.json --out theirs.json >/dev/null 2>err.txt
has err.txt 'read +4 records of 4 configurations .* device their server'
has err.txt 'meter +RAPL'
valid energy-table theirs.json
bench predict --table theirs.json mlp:784-8-10 --batch 4 >out.txt
has out.txt 'mlp:784-8-10 batch 4 ce .*200 µs.* 2 mJ.*measured$'
fails 1 'No such file' bench fit --from theirs.csv --map nowhere.json --out x.json
sed 's/time_ms/time/' map.json >wrong.json
fails 1 "theirs.csv:2: seconds_per_step: there is no column 'time'" \
	bench fit --from theirs.csv --map wrong.json --out x.json
sed 's/"watts"/"wats"/' map.json >wrong.json
fails 1 'wrong.json.*wats.*watts' bench fit --from theirs.csv --map wrong.json \
	--out x.json

# Predictions.
bench predict --table table.json mlp:64-16-4 mlp:64-48-4 mlp:64-4096-4 \
	--batch 8 >out.txt
has out.txt 'mlp:64-16-4 batch 8 ce .* measured$'
has out.txt 'mlp:64-48-4 batch 8 ce .* inside the measured domain$'
has out.txt 'mlp:64-4096-4 batch 8 ce .* OUTSIDE the measured domain$'
has out.txt 'energy: estimated \(class 7, −50/\+100 %\), device'
bench predict --table table.json mlp:64-16-4 mlp:64-48-4 --batch 4,8 \
	--loss ce,mse --json >predictions.jsonl
[ "$(wc -l <predictions.jsonl)" -eq 8 ] || die "8 predictions were expected"
valid prediction predictions.jsonl

# A budget: twice as much pays for about twice as many steps, and in true
# joules the meter's worst case (a factor of 2) leaves half of them.
bench predict --table table.json mlp:64-48-4 --budget 10J --json >ten.json
bench predict --table table.json mlp:64-48-4 --budget 0.02kJ --json >twenty.json
valid prediction ten.json
steps() { sed -E 's/.*"'"$1"'":([0-9]+).*/\1/' "$2"; }
ten=$(steps steps ten.json) twenty=$(steps steps twenty.json)
true_ten=$(steps steps_true ten.json)
[ "$ten" -gt 0 ] || die "10 J do not pay for a single step"
[ $((twenty - 2 * ten)) -ge 0 ] && [ $((twenty - 2 * ten)) -le 1 ] ||
	die "$twenty steps for twice the budget of $ten"
[ $((ten - 2 * true_ten)) -ge 0 ] && [ $((ten - 2 * true_ten)) -le 1 ] ||
	die "$true_ten steps in true joules of $ten"
bench predict --table table.json mlp:64-48-4 --budget 10J >out.txt
has out.txt 'steps \(true joules\)'

# The page.
command -v gnuplot >/dev/null || skip "gnuplot is not installed (the rest passed)"
bench report --table table.json --from sweep.jsonl --out report.html 2>err.txt
has err.txt 'wrote +report.html'
has report.html 'estimated \(class 7, −50/\+100 %\)'
has report.html 'Machine: .*CPUs'
[ "$(grep -c '<figure>' report.html)" -eq 6 ] || die "6 plots were expected"
grep -qE '(src|href)="?https?:' report.html && die "the page loads something"
fails 1 'report.html.*--force' bench report --table table.json \
	--out report.html
bench report --table one.json --out one.html 2>/dev/null
has one.html 'mlp:64-16-4'
