#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# --model smartwatts beside SmartWatts 2.4.1 itself, report by report.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

status=0
python=$("$SRC/scripts/smartwatts-venv" "$SRC/build/smartwatts-venv") || status=$?
[ "$status" -ne 77 ] || skip "$python"
[ "$status" -eq 0 ] || die "smartwatts-venv: status $status"
"$python" -c 'import smartwatts, powerapi, sklearn' 2>import.err || skip "$python has no smartwatts: $(tail -n 1 import.err)"

real=${FEDWATTS_SHARED:-$SRC/../shared}/data/hwpc_reports/smartwatts_timeline.json
[ -e "$real" ] || real=
"$python" "$SRC/tests/conformance/beside_smartwatts.py" "$BIN/formula" ${real:+"$real"} 2>handler.err ||
	{ tail -n 20 handler.err >&2; die "not what SmartWatts says"; }
[ -n "$real" ] || echo "note: recorded reports are not here"
