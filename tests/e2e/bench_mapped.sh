#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Plain arrays are mapped, and made floats batch by batch: 300 MB of bytes (a
# sparse file), which would be 1.2 GB of floats, with 250 MB to allocate.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

case $BIN in *asan* | *tsan*) skip "sanitizers allocate more than the limit of this test" ;; esac

npy() {
	local head="{'descr': '|u1', 'fortran_order': False, 'shape': $1, }"
	printf "\223NUMPY\1\0\\$(printf %03o ${#head})\0%s" "$head"
}
npy '(75000, 4096)' >x.npy
truncate -s $(($(stat -c %s x.npy) + 75000 * 4096)) x.npy
{ npy '(75000,)' && head -c 25000 /dev/zero && head -c 50000 /dev/zero | tr '\0' '\1'; } >y.npy

(ulimit -d 250000 && bench train --model softmax:4096-2 --data npy:. --epochs 1 --batch 256 --meter null >out 2>err)
has err '60000 samples to learn from, 15000 to be tested on, 4096 features, 2 classes'
has out 'accuracy 0\.[67]'

# A file that is cut is refused before anything is learnt.
truncate -s -1 x.npy
fails 1 'x: truncated: 307199999 bytes where its header promises 307200000' \
	bench train --model softmax:4096-2 --data npy:. --meter null
