/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder of CIFAR-10, or -100 if the first byte is odd.  The input's bytes
 * are spread over records, so that short inputs make whole ones: each gives
 * the labels of a record and its first pixels.  A last, uneven rest of the
 * input is put behind as it is. */
#include "tests/fuzz/fuzz_dataset.h"

#define PIXELS  3072u
#define PIECE   8u
#define RECORDS 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[RECORDS * (PIXELS + 2) + PIECE];
	size_t record, length = 0, taken = 1;
	int hundred;

	if (!size)
		return 0;
	hundred = data[0] & 1;
	record = PIXELS + 1 + (size_t)hundred;
	for (; size - taken >= PIECE && length / record < RECORDS;
	     length += record, taken += PIECE)
		memcpy(bytes + length, data + taken, PIECE);
	if (size - taken < PIECE) {
		memcpy(bytes + length, data + taken, size - taken);
		length += size - taken;
	}
	fuzz_remove("train.bin");
	fuzz_put(hundred ? "train.bin" : "data_batch_1.bin", bytes, length);
	fuzz_put(hundred ? "test.bin" : "test_batch.bin", bytes, record);
	fuzz_open("cifar", data[0] & 2 ? "?coarse=yes&test=0.3" : "");
	return 0;
}
