/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of keys: what is read as one has 40 characters, and what is written of
 * it reads the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/curve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct curve_keys keys = { { 0 }, { 0 } };
	struct err err = { 0 };
	char path[32];

	if (fd < 0 || fchmod(fd, 0600) < 0 ||
	    write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (curve_read(path, false, &keys, &err) < 0) {
		if (!err.text[0])
			abort();
	} else if (strlen(keys.public_key) != CURVE_KEY_MAX - 1 ||
		   (keys.secret_key[0] &&
		    strlen(keys.secret_key) != CURVE_KEY_MAX - 1)) {
		abort();
	}
	(void)close(fd);
	return 0;
}
