/* SPDX-License-Identifier: BSD-3-Clause */
/* LEAF's JSON: the input is the training part. */
#include "tests/fuzz/fuzz_dataset.h"

static const char test[] =
	"{\"users\": [\"u\"], \"num_samples\": [1], \"user_data\": {\"u\": "
	"{\"x\": [[7, 8]], \"y\": [1]}}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_put("train/a.json", data, size);
	fuzz_put_text("test/a.json", test);
	fuzz_open("leaf", "");
	return 0;
}
