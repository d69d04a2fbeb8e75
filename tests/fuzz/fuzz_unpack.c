/* SPDX-License-Identifier: BSD-3-Clause */
/* A file is read the same by large pieces and by small ones, and as it stands
 * if it is not packed.  The first byte says how small. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LENGTH_MAX ((size_t)1 << 16)

/* How many bytes, and whether the end was good. */
static size_t read_all(int fd, size_t piece, uint8_t *out, int *good,
		       int *packed)
{
	struct err err = { 0 };
	char path[32];
	struct unpack *file;
	size_t length = 0;
	ssize_t got = 1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	file = unpack_open(path, &err);
	if (!file)
		abort();
	while (got > 0 && length < LENGTH_MAX) {
		size_t room = LENGTH_MAX - length;

		got = unpack_read(file, out + length,
				  piece < room ? piece : room, &err);
		if (got < 0 && (!*err.text || !err.code))
			abort();
		length += got > 0 ? (size_t)got : 0;
	}
	*good = got >= 0;
	*packed = unpack_is_packed(file);
	unpack_close(file);
	return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t large[LENGTH_MAX], small[LENGTH_MAX];
	int fd = memfd_create("fuzz", MFD_CLOEXEC), good[2], packed[2];
	size_t n, m;

	if (!size || fd < 0) {
		close(fd);
		return 0;
	}
	if (write(fd, data + 1, size - 1) != (ssize_t)(size - 1))
		abort();
	n = read_all(fd, LENGTH_MAX, large, &good[0], &packed[0]);
	m = read_all(fd, 1u + data[0], small, &good[1], &packed[1]);
	close(fd);
	if (good[0] && (n != m || !good[1] || memcmp(large, small, n) != 0))
		abort();
	if (!packed[0] && n < LENGTH_MAX &&
	    (n != size - 1 || memcmp(large, data + 1, n) != 0))
		abort();
	return 0;
}
