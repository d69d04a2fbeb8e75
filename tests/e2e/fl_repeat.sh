#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# One seed, one result: byte for byte, for any number of threads, in one go or
# in pieces.
. "$SRC/tests/e2e/lib.sh"

small=(--table "$SRC/tests/data/fl-table.json" --data synthetic:3000x20x4 --model mlp:20-16-4 --batch 16
	--devices 10 --local-steps 20 -q)

for policy in none uniform; do
	for threads in 1 2 3; do
		fl run "${small[@]}" --rounds 10 --budget 12J --cohort 0.7 --policy $policy \
			--threads $threads --to $policy.$threads.jsonl
	done
	cmp $policy.1.jsonl $policy.2.jsonl
	cmp $policy.1.jsonl $policy.3.jsonl
	fl run "${small[@]}" --rounds 10 --budget 12J --cohort 0.7 --policy $policy --threads 2 >stdout.jsonl
	cmp $policy.1.jsonl stdout.jsonl
done
fl run "${small[@]}" --rounds 10 --budget 12J --cohort 0.7 --seed 2 --to other.jsonl
cmp -s uniform.1.jsonl other.jsonl && die "another seed gave the same bytes"

# Stopped in the middle: it finishes its round, says how to go on, and the
# same command ends with the bytes of a run in one go.
long=("${small[@]:0:10}" --local-steps 60 --rounds 600 --budget 1800J)
fl run "${long[@]}" --to whole.jsonl -q
fl run "${long[@]}" --to pieces.jsonl 2>stop.log &
pid=$!
for _ in $(seq 200); do
	[ -s pieces.jsonl ] && [ "$(wc -l <pieces.jsonl)" -ge 3 ] && break
	sleep 0.02
done
kill -INT $pid
status=0
wait $pid || status=$?
[ $status -eq 130 ] || die "status $status after SIGINT"
has stop.log 'stopped +after round [0-9]+ of 600: the same command goes on'
lines=$(wc -l <pieces.jsonl)
[ "$lines" -lt 602 ] || die "it was not stopped at all"
[ "$(tail -c 1 pieces.jsonl | wc -l)" -eq 1 ] || die "half a line was left"
printf '{"schema":"fedwatts.fl-rou' >>pieces.jsonl
fl run "${long[@]}" --to pieces.jsonl 2>resume.log
has resume.log "resume +$((lines - 1)) rounds are there already"
cmp whole.jsonl pieces.jsonl
