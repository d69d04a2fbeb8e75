/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/reference.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/mem.h"

#define PASS_BYTES (REFERENCE_BYTES / REFERENCE_PASSES)
#define STRIDE     192 /* every third line: no prefetcher reads just those */

#define PAGE 4096

struct reference {
	void *block;
	unsigned char *bytes; /* in it, where a page begins */
	size_t at;
};

struct reference *reference_new(void)
{
	struct reference *reference = xcalloc(1, sizeof(*reference));

	reference->block = xmalloc(REFERENCE_BYTES + PAGE);
	reference->bytes = (unsigned char *)reference->block + PAGE -
			   (uintptr_t)reference->block % PAGE;
	/* A kernel without large pages refuses, and has small ones. */
	(void)madvise(reference->bytes, REFERENCE_BYTES, MADV_NOHUGEPAGE);
	memset(reference->bytes, 1, REFERENCE_BYTES);
	return reference;
}

void reference_pass(struct reference *reference)
{
	const volatile unsigned char *bytes = reference->bytes;
	size_t end = reference->at + PASS_BYTES;

	for (size_t at = reference->at; at < end; at += STRIDE)
		(void)bytes[at];
	reference->at = end % REFERENCE_BYTES;
}

void reference_free(struct reference *reference)
{
	if (!reference)
		return;
	free(reference->block);
	free(reference);
}
