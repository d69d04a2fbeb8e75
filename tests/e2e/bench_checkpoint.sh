#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# bench train --checkpoint: stopped and gone on with, killed, finished, damaged.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

args=(--model mlp:30-40-5 --data synthetic:20000x30x5 --meter null --json)
run() {
	bench train "${args[@]}" "$@"
}
# All that is said of the result, but how long it took.
results() {
	sed -E 's/"seconds":[^,}]*//g' "$1"
}

# Stopped again and again, in whatever epoch; then the same as in one go.
# (Waits for the file, since a loaded machine takes its time to begin.)
stop_soon() {
	local signal=$1 status=0
	shift
	"$BIN/bench" train "${args[@]}" "$@" >part.json 2>err &
	for _ in $(seq 500); do
		[ -e run.ckpt ] && break
		sleep 0.02
	done
	sleep 0.1
	kill "-$signal" $! 2>/dev/null || true
	wait $! || status=$?
	echo "$status"
}
long=(--epochs 60 --checkpoint run.ckpt --optimizer adam)
run "${long[@]}" --checkpoint whole.ckpt >whole.json 2>err
has err '^kept +whole.ckpt'
status=$(stop_soon INT "${long[@]}")
[ "$status" -eq 130 ] || [ "$status" -eq 0 ] || die "status $status after SIGINT"
[ "$status" -eq 0 ] || has err '^stopped +in epoch [0-9]+; the same command goes on from run.ckpt'
status=$(stop_soon TERM "${long[@]}")
[ "$status" -eq 143 ] || [ "$status" -eq 0 ] || die "status $status after SIGTERM"
# Killed: it goes on from the last one that was written, and no half is there.
stop_soon KILL "${long[@]}" >status
run "${long[@]}" >rest.json 2>err
has err '^(resumed|complete) +run.ckpt'
[ "$(results rest.json)" = "$(results whole.json)" ] || die "a stopped run ends otherwise than a whole one"
[ "$(ls run.ckpt*)" = run.ckpt ] || die "something is left beside the file"

# Done is done, and is told again.
run "${long[@]}" >again.json 2>err
has err '^complete +run.ckpt: nothing left to do'
cmp -s again.json rest.json || die "a complete run says something else"
head -n 1 run.ckpt | grep -q '^{"schema":"fedwatts.checkpoint/1",' || die "the first line does not say what it is"

# Of another run, damaged, no checkpoint at all: nothing is replaced unasked.
cp run.ckpt keep.ckpt
fails 1 "run.ckpt: is of a run with batch 32, not 16 \(another name" bench train "${args[@]}" "${long[@]}" --batch 16
fails 1 "is of a run with epochs 60, not 5" bench train "${args[@]}" "${long[@]}" --epochs 5
fails 1 "is of a run with optimizer adam, not sgd" bench train "${args[@]}" "${long[@]}" --optimizer sgd
cmp -s run.ckpt keep.ckpt || die "a refusal changed the file"
short=("${args[@]}" --epochs 2 --checkpoint bad.ckpt)
head -c -100 keep.ckpt >bad.ckpt
fails 1 "bad.ckpt: truncated" bench train "${short[@]}"
{
	head -c -101 keep.ckpt
	printf x
	tail -c 100 keep.ckpt
} >bad.ckpt
fails 1 "bad.ckpt: damaged: its sum does not match" bench train "${short[@]}"
echo '1,2,3' >bad.ckpt
fails 1 "bad.ckpt: is no checkpoint of a training" bench train "${short[@]}"
[ "$(cat bad.ckpt)" = 1,2,3 ] || die "a file was replaced unasked"
fails 1 "create nowhere/a.ckpt: No such file" bench train "${args[@]}" --checkpoint nowhere/a.ckpt
run --epochs 2 --checkpoint bad.ckpt --force >out 2>err
run --epochs 2 --checkpoint bad.ckpt >out 2>err
has err '^complete'

# The data behind a name may have changed since.
for i in $(seq 40); do
	echo "$i,$((i % 7)),$([ "$i" -gt 20 ] && echo high || echo low)"
done >set.csv
csv=(--model softmax:2-2 --data csv:set.csv --epochs 2 --batch 4 --meter null --checkpoint csv.ckpt)
bench train "${csv[@]}" >out 2>err
sed -i 's/^1,1,low/1,2,low/' set.csv
fails 1 "csv.ckpt: is of other data than csv:set.csv" bench train "${csv[@]}"
