/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64

static _Noreturn void out_of_memory(void)
{
	(void)fputs("out of memory\n", stderr);
	abort();
}

/* Never NULL for a size of 0, which malloc() may return. */
static void *check(void *block)
{
	if (block == NULL)
		out_of_memory();
	return block;
}

static size_t bytes(size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		out_of_memory();
	return total ? total : 1;
}

void *xmalloc(size_t size)
{
	return check(malloc(bytes(1, size)));
}

void *xcalloc(size_t count, size_t size)
{
	return check(calloc(1, bytes(count, size)));
}

void *xrealloc(void *block, size_t count, size_t size)
{
	return check(realloc(block, bytes(count, size)));
}

char *xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t length)
{
	size_t n = strnlen(text, length);
	char *copy = xmalloc(n + 1);

	memcpy(copy, text, n);
	copy[n] = '\0';
	return copy;
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		out_of_memory();
	va_end(args);
	return text;
}

void *xcalloc_aligned(size_t count, size_t size)
{
	size_t total = bytes(count, size);
	void *block;

	if (total > SIZE_MAX - ALIGNMENT)
		out_of_memory();
	/* aligned_alloc() wants a multiple of the alignment. */
	total = (total + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	block = check(aligned_alloc(ALIGNMENT, total));
	memset(block, 0, total);
	return block;
}

void *mem_grow(void *block, size_t *capacity, size_t count, size_t size)
{
	size_t grown = *capacity + *capacity / 2;

	if (count <= *capacity && block != NULL)
		return block;
	if (grown < 8)
		grown = 8;
	if (grown < count)
		grown = count;
	block = xrealloc(block, grown, size);
	*capacity = grown;
	return block;
}
