#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Bad input: one clear sentence, a status that is not 0, nothing half-written.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

one_sentence() { # the last command's
	[ "$(grep -c '^sensor: ' fails.err)" -eq 1 ] || die "not one sentence: $(cat fails.err)"
	[ ! -s fails.out ] || die "something on stdout: $(cat fails.out)"
}
refused() {
	fails "$@"
	one_sentence
}

refused 1 'sensor: --pid: process 4194303: no such process' sensor --pid 4194303
refused 1 'sensor: --pid 12x: expected a process number' sensor --pid 12x
refused 1 'sensor: --pid 0: expected a process number' sensor --pid 0
refused 1 "did you mean PERF_COUNT_SW_TASK_CLOCK" sensor --pid 1 -e PERF_COUNT_SW_TASK_CLOK
refused 1 "event 'nope': unknown \(sensor list events" sensor --pid 1 -e nope
refused 1 'name some: --pid, --name-pattern' sensor -e cpu-clock
refused 1 'clock counts PERF_COUNT_SW_TASK_CLOCK only, not page-faults' sensor --pid 1 --engine clock -e page-faults
refused 1 'no such meter' sensor --meter steam
refused 1 'nothere.jsonl' sensor --meter replay:nothere.jsonl --duration 1s
refused 1 '/nowhere/x.jsonl: .*No such file' sensor --meter null --to /nowhere/x.jsonl
refused 1 "cannot write to 'gopher:'" sensor --meter null --to gopher:hole
refused 64 'steam' sensor --engine steam
refused 64 "'0': expected 0.1 ms to one day" sensor -f 0
refused 64 '' sensor -f 1fortnight
refused 64 'interval and -f: one of them' sensor -f 10 --interval 1s
refused 64 '' sensor --interval -1s
refused 64 "unknown command 'ls'" sensor ls
refused 64 'the command ends by itself' sensor --duration 1s -- true
refused 64 'list what' sensor list
refused 64 'list what' sensor list nothing
refused 64 'which documents' sensor replay
refused 64 'since.*expected a time such as' sensor replay --from x.jsonl --since yesterday
refused 1 'nothere.jsonl' sensor replay --from nothere.jsonl

# ---- damaged recordings --------------------------------------------------------
sensor -q -f 20 --duration 100ms --meter null --to good.jsonl
head -n 2 good.jsonl >torn.jsonl
sed -n '3p' good.jsonl | head -c 40 >>torn.jsonl
sensor replay --from torn.jsonl --to kept.jsonl 2>err
has err 'warning: .*torn last line'
[ "$(wc -l <kept.jsonl)" -eq 2 ] || die "documents before a torn line are lost"
{
	sed -n 1p good.jsonl
	echo '{"timestamp":'
	sed -n 2p good.jsonl
} >bad.jsonl
fails 1 'bad.jsonl:2' sensor replay --from bad.jsonl --to part.jsonl
[ "$(wc -l <part.jsonl)" -eq 1 ] || die "what was good before the damage is lost"

# ---- a full disk ------------------------------------------------------------------
if [ -w /dev/full ]; then
	fails 1 'No space left' sensor -f 10 --duration 1s --meter null --to /dev/full
fi

# ---- an unknown key, by name -------------------------------------------------------
echo '{"intervall": "2s"}' >bad.json
fails 1 'intervall.*interval' sensor --config bad.json
