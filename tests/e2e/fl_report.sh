#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# One page for several runs, that needs nothing else and says whose joules
# they are.
. "$SRC/tests/e2e/lib.sh"

command -v gnuplot >/dev/null || skip "gnuplot is not installed"
run=(fl run --table "$SRC/tests/data/fl-table.json" --data synthetic:1000x20x4 --model mlp:20-16-4 --batch 16
	--devices 6 --rounds 8 --local-steps 10 -q)
"${run[@]}" --budget 4J --policy none --to none.jsonl
"${run[@]}" --budget 4J --policy uniform --to uniform.jsonl
"${run[@]}" --to open.jsonl

fl report none.jsonl uniform.jsonl --out two.html 2>log
has log 'wrote +two.html: 2 runs'
[ "$(grep -o '<svg' two.html | wc -l)" -eq 6 ] || die "two.html has not 6 plots"
has two.html 'Joules of uniform: estimated \(class 7, −50/\+100 %\)'
has two.html 'joules spent by the fleet, estimated'
has two.html 'none: budget left'
has two.html 'uniform: budget left'
has two.html 'meter95'
! grep -qE '(src|href)="?https?:' two.html || die "the page fetches something"

fails 1 'two.html.*exists' fl report none.jsonl --out two.html
fl report none.jsonl --out two.html --force -q
[ "$(grep -o '<svg' two.html | wc -l)" -eq 5 ] || die "--force did not replace the page"

# Without budgets there is nothing left to draw; unfinished runs are drawn.
head -n 4 open.jsonl >unfinished.jsonl
fl report unfinished.jsonl --out part.html -q
[ "$(grep -o '<svg' part.html | wc -l)" -eq 4 ] || die "part.html has not 4 plots"
has part.html 'unfinished \(unfinished\)'
