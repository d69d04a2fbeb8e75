#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The chain against a known truth: counters that draw IDLE watts and CORE watts
# per busy CPU (fake_powercap), read by the real libpowercap, through wraps; two
# processes of different load.  Their joules must come out within 3 %.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

IDLE=12 CORE=25 DRAM=3
export IDLE CORE DRAM BIN SRC

if [ -z "${INSIDE:-}" ]; then
	INSIDE=1 exec "$SRC/tests/e2e/powercap_tree.sh" bash -eu "$0"
fi

export STATE_DIRECTORY=$PWD/state
burn 1 &
a=$!
burn 0.4 &
b=$!
fake_powercap -i "$IDLE" -c "$CORE" -d "$DRAM" -t truth.txt "$a" "$b" \
	>fake.out &
fake=$!
trap 'kill $a $b $fake 2>/dev/null || true' EXIT
sleep 0.4
sensor --pid "$a" --pid "$b" --meter powercap --interval 200ms \
	--duration 10s --to trace.jsonl
sleep 0.1
kill "$fake"
wait "$fake"
kill "$a" "$b"

formula --from trace.jsonl --idle none --idle-watts $((IDLE + DRAM)) \
	--to power.jsonl
formula --from trace.jsonl --idle none --idle-watts $((IDLE + DRAM)) \
	--json -q >sums.json

# The window of the trace, in Unix ms.
first=$(sed -n '/"target":"all"/{s/.*"timestamp":\([0-9]*\).*"elapsed_ns":\([0-9]*\).*/\1 \2/p;q}' trace.jsonl)
last=$(sed -n '/"target":"all"/s/.*"timestamp":\([0-9]*\).*/\1/p' trace.jsonl | tail -n 1)
sum() {
	sed "s/.*\"target\":\"$1[^\"]*\",\"idle_policy\":\"none\",\"energy_j\":\([0-9.e+-]*\).*/\1/" sums.json
}
# The package has all joules but DRAM's.
wraps=$(awk -v range=60 -v dram="$DRAM" -v idle="$((IDLE + DRAM))" \
	'{ b = $2 - $3 * dram / idle } END { print int(b / range) }' truth.txt)

awk -v first="$first" -v last="$last" -v machine="$(sed 's/.*"energy_j":\([0-9.e+-]*\),"energy_sigma_j".*/\1/' sums.json)" \
	-v a="$(sum "process:$a")" -v b="$(sum "process:$b")" \
	-v idle="$(sum idle)" -v wraps="$wraps" '
function at(ms, column,    i, part) {
	i = 2
	while (i < n && time[i] < ms)
		i++
	part = (ms - time[i - 1]) / (time[i] - time[i - 1])
	return value[i - 1, column] * (1 - part) + value[i, column] * part
}
function check(name, got, column,    true_j, off) {
	true_j = at(end, column) - at(begin, column)
	off = 100 * (got / true_j - 1)
	printf "%-16s %9.3f J  true %9.3f J  %+6.2f %%\n", name, got, true_j, off
	if (!(off < 3 && off > -3))
		bad = 1
}
{ n++; time[n] = $1; for (i = 2; i <= NF; i++) value[n, i] = $i }
END {
	split(first, f, " ")
	begin = f[1] - f[2] / 1e6
	end = last
	printf "%.1f s, %d wraps of the package counter\n", (end - begin) / 1000, wraps
	check("machine", machine, 2)
	check("idle", idle, 3)
	check("one full core", a, 4)
	check("40 % of a core", b, 5)
	if (wraps < 3) {
		print "too few wraps"
		bad = 1
	}
	exit bad
}' truth.txt
has power.jsonl '"target":"unattributed","power":'
