/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder of NumPy arrays.  The first byte chooses which of the two the rest
 * is; the other one is well-formed. */
#include "tests/fuzz/fuzz_dataset.h"

#define HEAD "\x93NUMPY\x01\x00"

static const char x[] = HEAD "\x3b\x00{'descr': '|u1', 'fortran_order': False, "
			     "'shape': (4, 3), }\n"
			     "\0\1\2\3\4\5\6\7\xff\xfe\0\1";
static const char y[] = HEAD "\x39\x00{'descr': '|i1', 'fortran_order': False, "
			     "'shape': (4,), }\n"
			     "\0\1\2\1";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	fuzz_put("x.npy", x, sizeof(x) - 1);
	fuzz_put("y.npy", y, sizeof(y) - 1);
	fuzz_put(data[0] & 1u ? "y.npy" : "x.npy", data + 1, size - 1);
	fuzz_open("npy", data[0] & 2u ? "?scale=standard" : "");
	return 0;
}
