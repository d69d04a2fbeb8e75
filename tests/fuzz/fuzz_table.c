/* SPDX-License-Identifier: BSD-3-Clause */
/* A table as a data set.  The first byte chooses how it is asked for. */
#include "tests/fuzz/fuzz_dataset.h"

static const char *const sets[] = {
	"/set",
	"/set?label=1",
	"/set?label=2&user=1&missing=drop",
	"/set?label=class&scale=unit&header=yes&test=0.5",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	fuzz_put("set", data + 1, size - 1);
	fuzz_open(data[0] & 4u ? "tsv" : "csv", sets[data[0] & 3u]);
	return 0;
}
