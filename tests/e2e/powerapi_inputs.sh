#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# PowerAPI 2.10.0 itself reads what we write: its socket input and its CSV input
# (reports of both sensors, and power reports of its own layout).
. "$SRC/tests/e2e/lib.sh"

said=$("$SRC/scripts/powerapi-venv" "$SRC/build/venv/powerapi") || skip "$(tail -n 1 <<<"$said")"
python=$said/python
export PYTHONDONTWRITEBYTECODE=1
there=$SRC/tests/conformance

# 1,000 ticks of 20 targets over the socket.
python3 "$there/reports.py" own 1000 20 >own.jsonl
"$python" "$there/socket_input.py" own.jsonl port >socket.out 2>&1 &
input=$!
for _ in $(seq 100); do [ -s port ] || sleep 0.1; done
[ -s port ] || die "PowerAPI's socket does not listen"
sensor replay -q --from own.jsonl --to "tcp:127.0.0.1:$(cat port)"
wait "$input" || die "$(cat socket.out)"
has socket.out '^20000 reports, all equal$'

# CSV, as hwpc-sensor groups it and as we do.
for kind in hwpc own; do
	python3 "$there/reports.py" $kind 100 20 >$kind.jsonl
	sensor replay -q --from $kind.jsonl --to csv:$kind
	"$python" "$there/csv_input.py" hwpc $kind.jsonl $kind >$kind.out 2>&1 || die "$kind: $(cat $kind.out)"
	has $kind.out 'reports, all equal$'
done

# Power reports in 2.10's folders.
python3 "$there/reports.py" power 50 20 >power.jsonl
sensor replay -q --from power.jsonl --to csv:power
"$python" "$there/csv_input.py" power power.jsonl power >power.out 2>&1 || die "power: $(cat power.out)"
has power.out '^1000 reports, all equal$'
