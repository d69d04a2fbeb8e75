# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Shared by the end-to-end scripts:  . "$SRC/tests/e2e/lib.sh"
#
# BIN is the folder of the programs, SRC the project's root; the current folder
# is the script's own scratch.  exit 77 means: cannot be tried here.

PATH=$BIN:$PATH
export NO_COLOR=1

skip() {
	echo "$1"
	exit 77
}

die() {
	echo "FAILED: $1" >&2
	exit 1
}

# fails STATUS PATTERN CMD…: CMD ends with STATUS and says PATTERN on stderr.
fails() {
	local want=$1 pattern=$2 status=0
	shift 2
	"$@" >fails.out 2>fails.err || status=$?
	[ "$status" -eq "$want" ] || {
		cat fails.err >&2
		die "status $status instead of $want: $*"
	}
	grep -qE -- "$pattern" fails.err || {
		cat fails.err >&2
		die "stderr does not match '$pattern': $*"
	}
}

# has FILE PATTERN
has() {
	grep -qE -- "$2" "$1" || {
		tail -n 30 "$1" >&2
		die "$1 does not match '$2'"
	}
}
