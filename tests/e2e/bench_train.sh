#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# bench train and bench describe: what they say, what repeats, what they refuse.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

valid() {
	/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || return 0
	/usr/bin/python3 -W ignore "$SRC/tests/e2e/validate.py" "$SRC/docs/schema/$1.schema.json" "$2"
}
train() {
	bench train --meter model:idle=5,cpu=10 "$@"
}
small=(--model mlp:8-16-3 --data synthetic:1000x8x3 --epochs 3)

# A summary on stdout, the way there on stderr.
train "${small[@]}" >out 2>err
has out '^accuracy 0\.[0-9]+, loss [0-9.]+ after 3 epochs, trained in .* estimated \(class 7'
[ "$(wc -l <out)" -eq 1 ] || die "more than the summary on stdout"
has err '^data +synthetic:1000x8x3: 900 samples to learn from, 100 to be tested on'
has err 'epoch 3/3 .* accuracy 0\.[0-9]+ .* estimated$'
train "${small[@]}" -q >quiet 2>err
[ ! -s err ] || die "-q still talks"

# One line per epoch, the summary last, each a document with its source.
train "${small[@]}" --json >json 2>err
[ "$(wc -l <json)" -eq 4 ] || die "expected 3 epochs and a summary"
tail -n 1 json >last
for key in accuracy loss seconds energy_j energy_sigma_j meter95 source meter; do
	has last "\"$key\":"
done
has last '"schema":"fedwatts.train/1"'
has last '"source":7'
valid train json
valid train-epoch json

# The same seed learns the same, another seed something else.
results() {
	sed -E 's/"(seconds|energy_j|energy_sigma_j)":[^,}]*//g; s/"meter95":\[[^]]*\]//g' "$1"
}
train "${small[@]}" --json >again 2>err
train "${small[@]}" --json --seed 2 >other 2>err
[ "$(results json)" = "$(results again)" ] || die "the same seed gave another result"
[ "$(results json)" != "$(results other)" ] || die "the seed has no effect"

# Nor have threads.
train --model mlp:200-300-10 --data synthetic:2000x200x10 --batch 64 --epochs 2 --json >one 2>err
for threads in 2 3; do
	train --model mlp:200-300-10 --data synthetic:2000x200x10 --batch 64 --epochs 2 --json --threads $threads >shared 2>err
	has shared "\"threads\":$threads"
	[ "$(results one | sed 's/"threads":1//')" = "$(results shared | sed "s/\"threads\":$threads//")" ] ||
		die "$threads threads gave another result"
done

# Momentum and squared error learn, too.
train "${small[@]}" --momentum 0.9 --rate 0.02 --loss mse --epochs 10 --json >json 2>err
tail -n 1 json | grep -qE '"accuracy":(0\.[89]|1)' || die "mse with momentum does not learn"

# Layers, precisions and optimisers, by the names that the help gives them.
for model in cnn:1x4x4,c20k3,gn4,p2,drop10,d20,3 cnn:4x2x2,c20k3,tanh,a2,3 \
	'{"kind": "cnn", "input": [1, 4, 4], "layers": [{"conv2d": 20, "kernel": 3}, 3]}'; do
	for precision in fp32 fp16 fake-int5; do
		train --model "$model" --data synthetic:1000x16x3 --epochs 6 --optimizer adam --rate 0.01 \
			--weight-decay 0.001 --clip 5 --warmup 0.1 --decay step --precision "$precision" --json >json 2>err
		valid train json
		tail -n 1 json | grep -qE '"accuracy":(0\.[6-9]|1)' || die "$model in $precision does not learn"
	done
done
has err 'saves no energy'
# What a processor cannot do is said; what it can, is done.
for precision in bf16 int8; do
	if train --model mlp:8-32-3 --data synthetic:1000x8x3 --precision "$precision" --json >json 2>err; then
		valid train json
		has err "^compute +$precision: oneDNN"
	else
		has err 'fp32 works everywhere'
	fi
done
# A record says how many threads it took, and so does a prediction.
bench sweep --models mlp:200-300-10 --batches 64 --losses ce --window 5ms --idle 0 --repeats 1 --meter model --threads 2 \
	--to threads.jsonl >out 2>err
has threads.jsonl '"threads":2'
# More than one precision in a table: each configuration answers for itself.
bench sweep --models mlp:8-20-3,mlp:8-24-3,mlp:8-32-3,mlp:8-40-3 --batches 4,8 --losses ce --precisions fp32,fp16 \
	--window 5ms --idle 0 --repeats 2 --meter model --to sweep.jsonl >out 2>err
bench fit --from sweep.jsonl --out precisions.json >out 2>err
# Which instructions a precision ended up on stands in records and tables.
valid bench-record sweep.jsonl
valid energy-table precisions.json
has sweep.jsonl '"precision":"fp16",.*"instructions":"fp32 products; operands kept in 16 bits"'
has precisions.json '"instructions": ?"oneDNN [0-9.]+ \('
bench predict --table precisions.json mlp:8-24-3 --batch 8 --precision fp16 >out
has out 'fp16 .* measured$'
bench predict --table precisions.json mlp:8-30-3 --batch 8 >out
has out 'inside the measured domain'

# A CSV file, and no meter: no joules rather than zero.
for i in $(seq 50); do
	echo "$i,$((i % 7)),$([ "$i" -gt 25 ] && echo high || echo low)"
done >set.csv
bench train --model softmax:2-2 --data csv:set.csv --meter null --epochs 50 --batch 4 --json >json 2>err
valid train json
tail -n 1 json >last
! grep -q energy_j last || die "joules without a meter"
grep -qE '"accuracy":(0\.9|1)' last || die "a line between two halves is not learnt"

# Refusals: one sentence, the right status.
fails 64 "did you mean mlp" train --model mpl:8-3 --data synthetic:100x8x3
fails 64 "there are ce, mse" train "${small[@]}" --loss hing
fails 64 "there are fp32, bf16" train "${small[@]}" --precision int9
fails 64 "are needed" train --model mlp:8-3
fails 1 "for example softmax:8-3" train --model mlp:9-3 --data synthetic:100x8x3
fails 1 "smaller --rate" train "${small[@]}" --rate 1000 --batch 1
fails 1 "there are fashion-mnist, idx:DIR" train --model mlp:8-3 --data imagenet
fails 1 "nowhere: No such file" train --model mlp:8-3 --data idx:/nowhere
printf '1,2,a\n2,3,b\nx,4,a\n' >bad.csv
fails 1 "bad.csv:3: " train --model softmax:2-2 --data csv:bad.csv
FEDWATTS_FASHION_MNIST=/nowhere \
	fails 1 "apt-get install dataset-fashion-mnist" train --model mlp:784-10 --data fashion-mnist

# IDX files, good and damaged.
mkdir idx
printf '\0\0\10\3\0\0\0\4\0\0\0\1\0\0\0\2abcdefgh' >idx/train-images-idx3-ubyte
printf '\0\0\10\1\0\0\0\4\0\1\0\1' >idx/train-labels-idx1-ubyte
cp idx/train-images-idx3-ubyte idx/t10k-images-idx3-ubyte
cp idx/train-labels-idx1-ubyte idx/t10k-labels-idx1-ubyte
train --model softmax:2-2 --data idx:idx --epochs 1 >out 2>err
has err 'idx:idx: 4 samples to learn from, 4 to be tested on, 2 features, 2 classes'
cp idx/train-labels-idx1-ubyte idx/train-images-idx3-ubyte
fails 1 "wrong magic 0x00000801, expected 0x00000803" train --model softmax:2-2 --data idx:idx
printf '\0\0\10\3\0\0\0\4\0\0\0\1\0\0\0\2abcde' >idx/train-images-idx3-ubyte
fails 1 "truncated: 5 bytes where its header promises 8" train --model softmax:2-2 --data idx:idx

# A signal ends it with what is done, and 128 + its number.
status=0
timeout --preserve-status -s INT 1 "$BIN/bench" train --model mlp:200-200-10 --data synthetic:20000x200x10 \
	--epochs 100000 --meter null -q >out 2>err || status=$?
[ "$status" -eq 130 ] || die "status $status after SIGINT"

# What a model consists of.
bench describe mlp:784-256-10 --batch 8 >out
has out '^dense 784x256 +200960 '
has out '^sum +203530 '
bench describe mlp:784-256-10 --json >json
valid description json
has json '"parameters":203530,"operations_forward":13008896'
for precision in bf16 int8 fp16 fake-int4; do
	bench describe mlp:784-256-10 --json --precision "$precision" >json
	valid description json
	has json "\"precision\":\"$precision\",\"instructions\":\"[^\"]+\""
done
bench describe mlp:784-256-10 --precision int8 >out
has out '^int8 ends up on (oneDNN|none)'
fails 64 "there are fp32, bf16" bench describe mlp:784-10 --precision int9
fails 64 "one MODEL" bench describe
fails 64 "two classes" bench describe mlp:784-1
