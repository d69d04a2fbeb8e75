/* SPDX-License-Identifier: BSD-3-Clause */
/* UCI human activity recognition.  The first byte chooses which of the
 * training part's files the rest is; the others are well-formed. */
#include "tests/fuzz/fuzz_dataset.h"

static const char *const names[] = { "train/X_train.txt", "train/y_train.txt",
				     "train/subject_train.txt" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	fuzz_put_text(names[0], " 1 -2e-1 3\n 4 5 6\n");
	fuzz_put_text(names[1], "5\n2\n");
	fuzz_put_text(names[2], "1\n30\n");
	fuzz_put_text("test/X_test.txt", "0 0.5 1\n");
	fuzz_put_text("test/y_test.txt", "2\n");
	fuzz_put_text("test/subject_test.txt", "2\n");
	fuzz_put(names[data[0] % 3u], data + 1, size - 1);
	fuzz_open("har", "?scale=unit");
	return 0;
}
