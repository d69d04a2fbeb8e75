#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Machines whose watts are known: how near --model fedwatts comes, beside
# SmartWatts and a plain share of cycles; and that every policy sums to the meter.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

python3 "$SRC/tests/e2e/formula_truth.py" "$BIN/formula" || die "too far from the truth"
