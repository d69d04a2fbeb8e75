/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mem -- allocation that succeeds or ends the program.
 *
 *	double *values = xcalloc(count, sizeof(*values));
 *	...
 *	values = mem_grow(values, &capacity, count + 1, sizeof(*values));
 *	values[count++] = 1.0;
 *
 * Out of memory aborts with a message, so no caller has a branch for it that
 * nobody ever tested.  A size that comes from input is checked against a named
 * limit *before* it is allocated: these functions do not do that for you.
 */
#ifndef LIB_MEM_H
#define LIB_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *block, size_t count, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* `count` zeroed items on a 64-byte boundary (a cache line, an AVX-512
 * register).  Free with free(). */
void *xcalloc_aligned(size_t count, size_t size);

/* Make room for `count` items, growing by half; updates `*capacity`. */
void *mem_grow(void *block, size_t *capacity, size_t count, size_t size);

#endif
