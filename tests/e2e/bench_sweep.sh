#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bench sweep: records, resuming, stopping, plan files, several meters.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

export FEDWATTS_DEVICE=e2e
meter=model:idle=3,cpu=12
small=(--models mlp:16-8-4,softmax:16-4 --batches 4,8 --losses ce
	--window 20ms --warmup 2ms --idle 20ms --meter "$meter" --retries 0)
lines() { wc -l <"$1"; }

# A whole sweep: a record for each configuration and block.
bench sweep "${small[@]}" --repeats 3 >out.txt 2>err.txt
[ ! -s out.txt ] || die "a sweep to a file wrote to stdout"
[ "$(lines sweep.jsonl)" -eq 12 ] || die "12 records were expected"
has err.txt 'meter +model, class 7, estimated −50/\+100 %'
has err.txt 'plan +4 configurations × 3 blocks × 20 ms'
has err.txt 'block 3/3 done'
has err.txt 'wrote +12 records to sweep.jsonl \([0-9]+ flagged'
has err.txt 'windows +12: [0-9]+ disturbed \([0-9]+ of them slowed\), 0 measured again'
has err.txt 'next +bench fit --from sweep.jsonl --out table.json'
has sweep.jsonl.manifest.json '"schema": "fedwatts.manifest/1"'
has sweep.jsonl.manifest.json '"kernels"'
has sweep.jsonl '"device":"e2e"'
has sweep.jsonl '"meter_scale":\[0.5,2(\.0)?\]'
for block in 0 1 2; do
	[ "$(grep -c "\"block\":$block," sweep.jsonl)" -eq 4 ] ||
		die "block $block does not have every configuration"
done
if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
	/usr/bin/python3 -W ignore "$SRC/tests/e2e/validate.py" \
		"$SRC/docs/schema/bench-record.schema.json" sweep.jsonl
fi

# The same command again: nothing to do.  With more repeats: only those.
cp sweep.jsonl before.jsonl
bench sweep "${small[@]}" --repeats 3 2>err.txt
has err.txt 'complete all 12 windows are in sweep.jsonl'
cmp sweep.jsonl before.jsonl
bench sweep "${small[@]}" --repeats 4 2>err.txt
has err.txt 'resume +12 of 16 windows'
[ "$(lines sweep.jsonl)" -eq 16 ] || die "4 more records were expected"

# A part is missing, and the last line is torn: only what is missing is
# measured again.
head -n 9 before.jsonl >part.jsonl
sed -n 10p before.jsonl | head -c 100 >>part.jsonl
bench sweep "${small[@]}" --repeats 3 --to part.jsonl 2>err.txt
has err.txt 'torn last line'
[ "$(lines part.jsonl)" -eq 12 ] || die "the sweep was not completed"
head -n 9 part.jsonl | cmp - <(head -n 9 before.jsonl)
sort <(sed 's/"time_ms.*"block"/"block"/; s/,"parameters.*//' part.jsonl) \
	>keys.a
sort <(sed 's/"time_ms.*"block"/"block"/; s/,"parameters.*//' before.jsonl) \
	>keys.b
cmp keys.a keys.b

# Another plan, device or meter does not go into the same file.
fails 1 'another plan.*--force' bench sweep "${small[@]}" --repeats 3 --seed 2
FEDWATTS_DEVICE=other fails 1 'another device' \
	bench sweep "${small[@]}" --repeats 3
cmp <(head -n 12 sweep.jsonl) before.jsonl
bench sweep "${small[@]}" --repeats 1 --seed 2 --force 2>err.txt
[ "$(lines sweep.jsonl)" -eq 4 ] || die "--force did not replace"

# Signals: the window at hand is finished, and the same command goes on.
slow=(--models mlp:16-8-4 --batches 4,8 --window 100ms --repeats 50
	--retries 0 --meter "$meter" --to slow.jsonl)
status=0
timeout --preserve-status -s INT 2 bench sweep "${slow[@]}" 2>err.txt ||
	status=$?
[ "$status" -eq 130 ] || die "status $status instead of 130"
has err.txt 'stopped +[0-9]+ of 200 windows are left: the same command'
[ "$(tail -c 1 slow.jsonl)" = "" ] || die "the last line is torn"
kept=$(lines slow.jsonl)
[ "$kept" -ge 1 ] || die "no record was kept"
status=0
timeout --preserve-status -s TERM 2 bench sweep "${slow[@]}" 2>err.txt ||
	status=$?
[ "$status" -eq 143 ] || die "status $status instead of 143"
has err.txt "resume +$kept of 200"
[ "$(lines slow.jsonl)" -gt "$kept" ] || die "the sweep did not go on"

# A plan file is the same as its options; options are stronger.
cat >plan.json <<'END'
{ "models": ["mlp:16-8-4", "softmax:16-4"], "batches": [4, 8],
  "losses": ["ce"], "window": "20ms", "warmup": 0.002, "idle": "20ms",
  "repeats": 3, "retries": 0, "meter": ["model:idle=3,cpu=12"] }
END
cp before.jsonl plan.jsonl
bench sweep --plan plan.json --to plan.jsonl 2>err.txt
has err.txt 'complete all 12 windows'
bench sweep --plan plan.json --repeats 4 --to plan.jsonl 2>err.txt
has err.txt 'resume +12 of 16'

# Two meters: a record for each, in the same window.
bench sweep "${small[@]}" --repeats 1 --meter model:idle=30,cpu=0 \
	--to two.jsonl --json >two.json 2>/dev/null
[ "$(lines two.jsonl)" -eq 8 ] || die "8 records were expected"
has two.json '"records":8'

# Into a pipe and into nothing; without a meter there is no energy.
bench sweep "${small[@]}" --repeats 1 --to jsonl:- -q >pipe.jsonl 2>err.txt
[ ! -s err.txt ] || die "-q is not quiet"
grep -q '"schema":"fedwatts.bench-record/1"' pipe.jsonl
bench sweep "${small[@]}" --repeats 1 --to null: 2>/dev/null
bench sweep --models mlp:16-8-4 --batches 4 --window 20ms --repeats 1 \
	--meter null --to bare.jsonl 2>/dev/null
grep -q energy bare.jsonl && die "energy without a meter"

# Real data, and windows without a warm-up are cold.
printf '%s\n' 1,2,a 2,1,b 1,3,a 3,1,b 1,4,a 4,1,b 1,5,a 5,1,b 2,2,a 2,3,b \
	>set.csv
bench sweep --models mlp:2-4-2 --batches 2 --window 20ms --warmup 0 \
	--repeats 1 --meter "$meter" --data csv:set.csv --to data.jsonl \
	2>/dev/null
has data.jsonl '"flags":\["cold"'

# Windows that were disturbed are measured again, in extra blocks that hold
# nothing else: here the first two blocks of one configuration were.
again=(--models mlp:16-8-4 --batches 4,8 --losses ce --window 100ms --warmup 2ms
	--idle 0 --meter "$meter" --repeats 2 --to again.jsonl)
bench sweep "${again[@]}" --retries 0 2>err.txt
sed -E '/"batch":4/s/"flags":\[.*\]/"flags":["busy"]/; /"batch":8/s/"flags":\[.*\]/"flags":[]/
	s/"reference_s":[^,]*/"reference_s":1e-9/' again.jsonl >marked.jsonl
cp marked.jsonl again.jsonl
bench sweep "${again[@]}" --retries 0 2>err.txt
has err.txt 'complete all 4 windows'
bench sweep "${again[@]}" --retries 1 2>err.txt
has err.txt 'resume +4 of 5 windows'
has err.txt 'extra block 1/1 done'
has err.txt 'windows +5: 3 disturbed \([0-9] of them slowed\), 1 measured again'
has err.txt '1 of 2 configurations have fewer than 2 undisturbed windows'
[ "$(lines again.jsonl)" -eq 5 ] || die "1 more record was expected"
tail -n 1 again.jsonl | grep -q '"batch":4,.*"again":true' ||
	die "another configuration was measured again"
bench sweep "${again[@]}" --retries 1 2>err.txt
has err.txt 'complete all 5 windows'
bench fit --from again.jsonl --out again.json >/dev/null 2>err.txt
has err.txt '\(3 flagged, [0-9] of them slowed; 1 measured again\)'
