#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Real data sets of others, where they are at hand: UCI HAR (softmax reaches
# 0.97 on all subjects pooled) and UCI heart disease (four centres as users).
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

data=$FEDWATTS_SHARED/data
[ -d "$data/uci_har_30subjects" ] && [ -d "$data/heart_disease_4centres" ] ||
	skip "no UCI HAR and heart data in FEDWATTS_SHARED"

# The accuracy that the summary says.
accuracy() {
	bench train "$@" --meter null --json -q 2>err | tail -n 1 | sed 's/.*"accuracy":\([0-9.]*\).*/\1/'
}
at_least() {
	awk -v got="$1" -v want="$2" 'BEGIN { exit !(got >= want) }' || die "$3: accuracy $1 instead of $2"
}

for seed in 1 2 3; do
	got=$(accuracy --model softmax:265-6 --epochs 20 --seed $seed --data "csv:$data/uci_har_30subjects?label=2&user=1")
	echo "HAR, as its files are split, seed $seed: $got"
	at_least "$got" 0.97 "UCI HAR"
done
got=$(accuracy --model softmax:265-6 --epochs 20 --data "csv:$data/uci_har_30subjects?label=2&user=1&test=0.3")
echo "HAR, split anew within each subject: $got"
at_least "$got" 0.965 "UCI HAR, split anew"

# The rows that FLamby uses: 740 of four centres, 486 and 254.
bench train --model softmax:13-2 --meter null --epochs 50 --rate 0.02 \
	--data "heart:$data/heart_disease_4centres" >out 2>err
has err '486 samples to learn from, 254 to be tested on, 13 features, 2 classes'
got=$(sed -n 's/^accuracy \([0-9.]*\),.*/\1/p' out)
echo "heart, four centres: $got"
at_least "$got" 0.72 "heart"
