#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# sensor replay carries documents from place to place and back: equal ones, all
# of them or those that were asked for, at once or in their own time; and what
# cannot be written is told.
. "$SRC/tests/e2e/lib.sh"
export PYTHONDONTWRITEBYTECODE=1
make_reports() { python3 "$SRC/tests/conformance/reports.py" "$@"; }

# same A B [without metadata]: equal documents in equal order.
same() {
	python3 - "$@" <<-'PYTHON' || die "$1 and $2 differ"
		import json, sys
		def read(path):
		    docs = [json.loads(line) for line in open(path, encoding="utf-8")]
		    if len(sys.argv) > 3:
		        docs = sorted(({k: d[k] for k in d if k != "metadata"} for d in docs),
		                      key=lambda d: (d["timestamp"], d["target"]))
		    return docs
		sys.exit(read(sys.argv[1]) != read(sys.argv[2]))
	PYTHON
}

make_reports own 50 10 >a.jsonl
make_reports power 5 3 >>a.jsonl
cat >>a.jsonl <<'END'
{"schema":"fedwatts.gap/1","sensor":"node1","from_ms":1,"to_ms":2,"documents":3,"reason":"why \u00e4"}
{"timestamp":1783600009999,"sensor":"node1","target":"x","groups":{},"odd":[1,2.5,null,true]}
END

# ---- there and back -------------------------------------------------------------
sensor replay -q --from a.jsonl --to b.jsonl --to b.jsonl.zst --to 'r.jsonl?rotate=20kB'
same a.jsonl b.jsonl
[ "$(stat -c %s b.jsonl.zst)" -lt "$(($(stat -c %s b.jsonl) / 3))" ] || die "b.jsonl.zst is not small"
sensor replay -q --from b.jsonl.zst --to c.jsonl
same a.jsonl c.jsonl
[ -e r.3.jsonl ] || die "nothing was rotated"
sensor replay -q --from 'r.jsonl?parts=1' --to d.jsonl
same a.jsonl d.jsonl

sensor replay --from tcp-listen:0 --to tcp.jsonl 2>listen.log &
listener=$!
for _ in $(seq 100); do [ -s listen.log ] || sleep 0.1; done
port=$(sed -n 's/^listens .*://p' listen.log)
sensor replay -q --from a.jsonl --to "tcp:127.0.0.1:$port"
for _ in $(seq 100); do [ "$(wc -l <tcp.jsonl)" -ge "$(($(wc -l <a.jsonl) - 10))" ] && break || sleep 0.1; done
kill -TERM $listener
wait $listener || [ $? -eq 143 ] || die "tcp-listen ended with $?"
same a.jsonl tcp.jsonl

make_reports hwpc 20 10 >h.jsonl
sensor replay -q --from h.jsonl --to csv:h
sensor replay -q --from csv:h --to h2.jsonl
same h.jsonl h2.jsonl plain
make_reports power 20 10 >p.jsonl
for layout in 2.10 master; do
	sensor replay -q --from p.jsonl --to "csv:p$layout?layout=$layout"
	sensor replay -q --from "csv:p$layout" --to "p$layout.jsonl"
	same p.jsonl "p$layout.jsonl" plain
done
has pmaster/power.csv '^2026-07-09T12:26:40.123\+00:00,node1,all,'

# ---- some of them, and in their own time ------------------------------------------
count() { sensor replay -q --from h.jsonl "$@" | wc -l; }
[ "$(count --target all)" -eq 20 ] || die "--target all"
[ "$(count --target 'process:*')" -eq 40 ] || die "--target process:*"
[ "$(count --since 1783600001123 --until 2026-07-09T12:26:42.123)" -eq 20 ] || die "--since, --until"
[ "$(count --since 1783600001.123 --until 1783600002123)" -eq 20 ] || die "seconds and milliseconds"
start=$(date +%s%N)
sensor replay -q --from h.jsonl --until 1783600001123 --pace 2 --to paced.jsonl
took=$((($(date +%s%N) - start) / 1000000))
[ $took -ge 240 ] && [ $took -lt 3000 ] || die "two ticks, half a second apart, at twice the pace took $took ms"

# A stream that grows and rotates while it is followed.
sensor replay -q --from 'live.jsonl?follow=1' --to followed.jsonl 2>/dev/null && die "a missing file was followed"
: >live.jsonl
sensor replay -q --from 'live.jsonl?follow=1' --to followed.jsonl &
follower=$!
sensor replay -q --from h.jsonl --pace 20 --to 'live.jsonl?rotate=8kB'
sensor replay -q --from a.jsonl --to live.jsonl
for _ in $(seq 50); do [ "$(wc -l <followed.jsonl)" -ge 700 ] && break || sleep 0.1; done
kill -TERM $follower
wait $follower || true
cat h.jsonl a.jsonl >live.expected
same live.expected followed.jsonl

# ---- what cannot be done is told -----------------------------------------------------
fails 1 'jsonl /dev/full: write: No space left on device' sensor replay --from h.jsonl --to /dev/full
fails 1 'csv h2.jsonl: .*(Not a directory|is not a folder)' sensor replay --from h.jsonl --to csv:h2.jsonl
fails 1 'tcp 127.0.0.1:1: connect: Connection refused \(.*\?spool=DIR\)' \
	sensor replay --from h.jsonl --to tcp:127.0.0.1:1
fails 1 "'127.0.0.1': expected HOST:PORT" sensor replay --from h.jsonl --to tcp:127.0.0.1
fails 1 "a size \(64MiB\) or a duration" sensor replay --from h.jsonl --to 'x.jsonl?rotate=soon'
fails 1 "layout: .*2.10 or master" sensor replay --from h.jsonl --to 'csv:x?layout=3'
fails 64 "expected a time" sensor replay --from h.jsonl --since yesterday
fails 1 "cannot write to 'ftp:' \(there are: jsonl:" sensor replay --from h.jsonl --to ftp:x
if [ "$(id -u)" -ne 0 ]; then
	mkdir ro && chmod 555 ro
	fails 1 'jsonl ro/x.jsonl: open: Permission denied' sensor replay --from h.jsonl --to ro/x.jsonl
	fails 1 'csv ro/x: make folder ro/x: Permission denied' sensor replay --from h.jsonl --to csv:ro/x
fi
