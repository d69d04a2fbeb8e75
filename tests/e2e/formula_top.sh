#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# formula top in a terminal of 80x24: targets, sorting, filtering, pausing; and
# the terminal is as it was before, however it ends.
. "$SRC/tests/e2e/lib.sh"

# ---- without a terminal: a sentence -----------------------------------------------
fails 1 'standard output is no terminal \(for a file or a pipe: formula --to URI\)' formula top
fails 64 "model 'smartwatts': not here" formula top --model smartwatts
fails 64 'either --from, or' formula top --from x.jsonl -- --pid 1
fails 64 'sort' formula top --sort colour
command -v tmux >/dev/null || skip "tmux is not installed"

# ---- a terminal ---------------------------------------------------------------------
number=0
mux() { tmux -S "$PWD/socket$number" -f /dev/null "$@"; }
trap 'mux kill-server 2>/dev/null || true' EXIT
locale -a 2>/dev/null | grep -qix 'C.utf-\?8' && utf8=C.UTF-8 || utf8=
# terminal LOCALE: a fresh one, with a shell that says when it waits.
terminal() {
	mux kill-server 2>/dev/null || true
	number=$((number + 1)) # the old server may not be gone yet
	mux new-session -d -x 80 -y 24 "env LC_ALL=$1 PATH='$PATH' PS1='ready> ' bash --norc --noprofile -i"
	sees 'ready>'
}
keys() { mux send-keys "$@"; }
screen() { mux capture-pane -pJ; }
# sees PATTERN: on the screen, soon.
sees() {
	local i
	for i in $(seq 300); do
		screen >screen.txt
		grep -qE -- "$1" screen.txt && return 0
		sleep 0.1
	done
	cat screen.txt >&2
	die "the screen does not show '$1'"
}
# The row of a target, from 1; the heading is no row.
row() { sed -n '7,$p' screen.txt | grep -nE -- "$1" | head -n 1 | cut -d: -f1; }
before() { [ "$(row "$1")" -lt "$(row "$2")" ] || { cat screen.txt >&2 && die "$1 is not above $2"; }; }
# ended: the shell is back, what was there before is there again, and what is
# typed is seen.
ended() {
	sees '^ready> formula top'
	keys "echo status-\$? 'ty''ped'" Enter
	sees "^status-$1 typed"
	screen >screen.txt
	! grep -qE 'CPUS +ENERGY|q quit' screen.txt || die "the screen was not restored"
	keys "stty -a | tr ';' '\n' | grep -qw -- -echo && echo no-echo || echo echo-is-on" Enter
	sees '^echo-is-on'
}

# Power reports: three ticks, an estimated meter.
for t in 1 2 3; do
	for row in "alpha 5 0.1" "process:71:beta 3 0.1" "/docker/4fe 4 0.1" "idle 8 0.1"; do
		read -r target watts sigma <<<"$row"
		name=
		[ "$target" != /docker/4fe ] || name=',"container":"gamma"'
		printf '{"timestamp":%d,"sensor":"node1","target":"%s","power":%s,"metadata":{"scope":"cpu","socket":"0","idle_policy":"none","idle_w":8,"idle_w_from":"given","meter":"model","meter_w":20,"sigma_w":%s,"source":7,"estimated":"estimated (class 7, −50/+100 %%)","elapsed_ns":1000000000%s}}\n' \
			"${t}000" "$target" "$watts" "$sigma" "$name"
	done
done >power.jsonl

terminal "${utf8:-C}"
keys "formula top --from power.jsonl" Enter
sees 'the input has ended'
has screen.txt '^formula top   node1   '
has screen.txt '^machine   ~20 W .*estimated \(class 7, '
has screen.txt '^energy    ~60 J in 3 s   idle 8 W \(given\)   idle policy none'
has screen.txt '^ +~5\.000 +0\.100 .* ~15 J +7 est .* alpha$'
has screen.txt ' beta \[71\]$'
has screen.txt ' gamma$'
[ -z "$utf8" ] || has screen.txt '███ alpha'
before idle alpha && before alpha gamma && before gamma beta
keys n
sees '\*TARGET'
before alpha beta && before beta gamma && before gamma idle
keys e
sees '\*ENERGY'
before idle alpha
keys r
sleep 0.3
sees 'alpha$' && before alpha idle
keys /
sees '^filter: _'
keys q B E T
sees '^no target matches'
keys C-u BSpace BSpace BSpace BSpace b e t Enter
sees 'filter: bet$'
has screen.txt ' beta \[71\]$'
! grep -q 'gamma$' screen.txt || die "the filter let gamma in"
keys h
sees 'a model of power stands behind'
keys h
sees ' beta \[71\]$'

# It follows the size of the window.
mux resize-window -x 120 -y 12
sees 'HISTORY {24}'
mux resize-window -x 80 -y 24
keys q
ended 0

# ---- ended by signals ------------------------------------------------------------------
for signal in TERM INT HUP; do
	terminal "${utf8:-C}"
	keys "formula top --from power.jsonl; echo pid-gone" Enter
	sees 'the input has ended'
	pid=$(pgrep -f "formula top --from power.jsonl" -P "$(mux display-message -p '#{pane_pid}')" | head -n 1)
	kill -"$signal" "$pid"
	sees '^pid-gone'
	! pgrep -P "$pid" >/dev/null || die "a child is left after $signal"
	ended 0
done

# ---- a failure is told, and not into the screen -------------------------------------------
terminal C
keys "formula top --from nowhere.jsonl" Enter
sees '^formula: .*nowhere.jsonl: .*No such file'
ended 1
keys "clear; TERM=dumb formula top" Enter
sees "^formula: terminal 'dumb': cannot place text \(for a file or a pipe: formula --to URI\)"
keys "clear; TERM=nosuch formula top" Enter
sees "^formula: terminal 'nosuch': unknown here"

# ---- damage after the first ticks: what was seen stays, until q ------------------------------
terminal C
{ cat power.jsonl && echo '{"timestamp":4000,"sensor":"node1","target":"x","power":"y"}'; } >damaged.jsonl
keys "formula top --from damaged.jsonl" Enter
sees '^power report: power: expected a number, found text'
has screen.txt '### alpha'
keys q
ended 1

# ---- a stream of a sensor, worked off here; packages, CPUs, pause ------------------------------
tick() {
	printf '{"timestamp":%d,"sensor":"s","target":"all","groups":{"rapl":{"0":{"0":{"RAPL_ENERGY_PKG":42949672960}},"1":{"0":{"RAPL_ENERGY_PKG":21474836480}}},"core":{"0":{"0":{"PERF_COUNT_SW_TASK_CLOCK":1500000000}}}},"metadata":{"elapsed_ns":1000000000}}\n' "$1"
	printf '{"timestamp":%d,"sensor":"s","target":"process:9:busy","groups":{"core":{"0":{"0":{"PERF_COUNT_SW_TASK_CLOCK":750000000}}}}}\n' "$1"
}
terminal C
for i in $(seq 5); do tick "${i}000"; done >stream
mkfifo slow
exec 3<>slow
keys "(cat stream; cat slow; sleep 60) | formula top --idle-watts 5W" Enter
sees ' busy \[9\]$'
has screen.txt '^machine   15 W .*rapl, class 1'
has screen.txt '^packages  0: 10 W   1: 5 W'
has screen.txt '^ +5\.000 .* 0\.75 .* busy \[9\]$'
has screen.txt 'idle 5 W \(given\)'
seconds() { sed -nE 's/^energy .* in ([0-9]+) s .*/\1/p' screen.txt; }
keys p
sees 'PAUSED'
at=$(seconds)
for i in 6 7 8; do tick "${i}000"; done >&3
sleep 0.7
sees PAUSED
[ "$(seconds)" = "$at" ] || die "it moved while it paused"
keys p
for i in $(seq 50); do
	screen >screen.txt
	[ "$(seconds)" -le "$at" ] || break
	sleep 0.1
done
[ "$(seconds)" -gt "$at" ] || die "what came while it paused is lost"
keys q
sees '^ready> \(cat stream'
keys C-c
exec 3>&-

# ---- its own sensor -----------------------------------------------------------------------------
terminal C
keys "formula top -- --meter model:idle=5W,cpu=10W --interval 200ms --pid \$\$" Enter
sees ' bash \[[0-9]+\]$'
has screen.txt 'estimated \(class 7'
sensor=$(pgrep -f 'meter model:idle=5W,cpu=10W --interval 200ms' | wc -l)
[ "$sensor" -ge 2 ] || die "no sensor was started"
keys q
ended 0
for i in $(seq 50); do
	pgrep -f "^[^ ]*/sensor -q --meter model:idle=5W,cpu=10W --interval 200ms" >pids || break
	sleep 0.1
done
[ ! -s pids ] || die "the sensor is left behind"
keys "formula top -- --no-such-option" Enter
sees '^formula: .*no-such-option|^formula: .*unrecognized|^formula: .*'
ended 1
