/* SPDX-License-Identifier: BSD-3-Clause */
/* An archive of NumPy arrays. */
#include "tests/fuzz/fuzz_dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_put("set.npz", data, size);
	fuzz_open("npz", "/set.npz");
	return 0;
}
