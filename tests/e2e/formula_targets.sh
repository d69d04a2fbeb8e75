#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Who is in a power report: the kernel, what nobody explains, processes that
# died, several idle policies; and what less to go by is called.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

python3 "$SRC/tests/e2e/formula_targets.py" "$BIN/formula" || die "not what they should be"
