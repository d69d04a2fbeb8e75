#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# formula compare: 0 where nothing differs, 2 and by how much where something does.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

report() { # TIME TARGET WATTS [POLICY]
	printf '{"timestamp":%d,"sensor":"s","target":"%s","power":%s,"metadata":{"scope":"cpu","socket":"0","idle_policy":"%s"}}\n' \
		"$1" "$2" "$3" "${4:-none}"
}
{ report 1 a 10.0; report 1 b 5; report 2 a 10; report 2 a 20 uniform; } >a.jsonl
{ report 2 a 20 uniform; report 2 a 10; report 1 b 5; report 1 a 10.0; } >same.jsonl
{ report 1 a 10.1; report 1 b 5; report 2 a 10; report 3 a 7; } >b.jsonl

formula compare a.jsonl same.jsonl >out
has out '^reports +4 in both, 0 only in A, 0 only in B'
status=0
formula compare a.jsonl b.jsonl >differ || status=$?
[ "$status" -eq 2 ] || die "status $status instead of 2"
has differ '^reports +3 in both, 1 only in A, 1 only in B'
has differ '^first +2 s a cpu 0 uniform'
has differ '^watts +1 differ; mean 0\.0333 W, worst 0\.1 W, 0\.0099 relative'
has differ '^worst +1 s a cpu 0 none'
head -n 3 a.jsonl >a3.jsonl
head -n 3 b.jsonl >b3.jsonl
formula compare --tolerance 0.02 --json a3.jsonl b3.jsonl >out
has out '"both":3,"only_a":0,"only_b":0,"differ":0'

fails 64 'two places' formula compare a.jsonl
fails 1 'nowhere.jsonl: .*No such file' formula compare a.jsonl nowhere.jsonl
: >empty.jsonl
fails 1 'no power reports in empty.jsonl' formula compare a.jsonl empty.jsonl
report 1 a '"x"' >bad.jsonl
fails 1 'bad.jsonl:1: power report: power' formula compare a.jsonl bad.jsonl
