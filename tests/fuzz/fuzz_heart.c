/* SPDX-License-Identifier: BSD-3-Clause */
/* UCI heart disease: the input is a centre's file, beside another centre's. */
#include "tests/fuzz/fuzz_dataset.h"

static const char other[] = "63,1,4,140,260,0,1,112,1,3,2,?,?,2\n"
			    "44,1,4,130,209,0,1,127,0,0,?,?,?,0\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_put("processed.cleveland.data", data, size);
	fuzz_put_text("processed.va.data", other);
	fuzz_open("heart", "");
	return 0;
}
