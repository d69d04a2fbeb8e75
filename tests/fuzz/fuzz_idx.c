/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder of IDX files.  The first byte chooses which of the four the rest
 * is, as it stands or under gzip's name; the other three are well-formed. */
#include "tests/fuzz/fuzz_dataset.h"

static const struct {
	const char *name;
	size_t size;
	uint8_t bytes[28];
} files[] = {
	{ "train-images-idx3-ubyte", 28, { 0, 0, 8, 3, 0, 0, 0, 3, 0, 0,
					   0, 2, 0, 0, 0, 2, 1, 2, 3, 4 } },
	{ "train-labels-idx1-ubyte", 11, { 0, 0, 8, 1, 0, 0, 0, 3, 0, 2, 1 } },
	{ "t10k-images-idx3-ubyte", 24, { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0,
					  0, 2, 0, 0, 0, 2, 9, 9, 9, 9 } },
	{ "t10k-labels-idx1-ubyte", 10, { 0, 0, 8, 1, 0, 0, 0, 2, 1, 3 } },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	for (size_t i = 0; i < 4; i++) {
		char packed[64];

		snprintf(packed, sizeof(packed), "%s.gz", files[i].name);
		fuzz_remove(files[i].name);
		fuzz_remove(packed);
		if (i == (data[0] & 3u))
			fuzz_put(data[0] & 4u ? packed : files[i].name,
				 data + 1, size - 1);
		else
			fuzz_put(files[i].name, files[i].bytes, files[i].size);
	}
	fuzz_open("idx", data[0] & 8u ? "?scale=standard&test=0.5" : "");
	return 0;
}
