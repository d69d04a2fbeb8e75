#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# bench doctor, and the OpenBLAS trap: a CPU that the library does not know is
# played by a preloaded function that says "Prescott".
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

bench doctor >out || [ $? -eq 2 ]
has out '^ok +machine '
has out ' kernels +oneDNN .*OpenBLAS '
has out ' meter model '
bench doctor --json >json || [ $? -eq 2 ]
has json '"schema":"fedwatts.doctor/1"'
if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
	/usr/bin/python3 -W ignore "$SRC/tests/e2e/validate.py" "$SRC/docs/schema/doctor.schema.json" json
fi

FEDWATTS_FASHION_MNIST=/nowhere bench doctor >out || [ $? -eq 2 ]
has out '^warn +data '
has out 'apt-get install dataset-fashion-mnist'
PATH=/nowhere "$BIN/bench" doctor >out || [ $? -eq 2 ]
has out '^warn +gnuplot '

# In lists of processes it is still called bench, not exe.
bench train --model mlp:500-500-10 --data synthetic:2000x500x10 --epochs 100000 --meter null -q >train.out 2>&1 &
pid=$!
sleep 0.5
name=$(cat "/proc/$pid/comm")
kill "$pid"
wait "$pid" || true
[ "$name" = bench ] || die "the process is called $name"

grep -qw avx2 /proc/cpuinfo || skip "the rest needs an x86 CPU with AVX2"

# A user's own core is never overruled, but it is judged.
status=0
OPENBLAS_CORETYPE=Prescott bench doctor >out || status=$?
[ "$status" -eq 2 ] || die "a slow core: status $status instead of 2"
has out '^BLOCKING +openblas +Prescott, which is slower'
has out 'unset OPENBLAS_CORETYPE'

command -v cc >/dev/null || skip "the rest needs a C compiler"
cat >prescott.c <<'C'
#include <stdlib.h>
char *openblas_get_corename(void)
{
	static char prescott[] = "Prescott";
	char *told = getenv("OPENBLAS_CORETYPE");

	return told ? told : prescott;
}
C
cc -shared -fPIC -o prescott.so prescott.c
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
LD_PRELOAD=$PWD/prescott.so bench doctor --json >json
has json '"openblas_core":"(Haswell|SkylakeX)","openblas_alone":"Prescott","openblas_chosen":true'
LD_PRELOAD=$PWD/prescott.so bench doctor >out
has out 'chosen by the CPU.s flags; by itself it had picked Prescott'

# Arguments survive the second start.
LD_PRELOAD=$PWD/prescott.so bench describe 'softmax:7-3' --batch 5 >out
has out '^softmax:7-3, batch 5,'
# Nor does the first start leave anything for the second to stumble over.
LD_PRELOAD=$PWD/prescott.so bench --version 2>err
[ ! -s err ] || die "the second start says: $(cat err)"
