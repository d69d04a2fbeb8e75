/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * unpack -- the bytes of a file, be it plain, gzip'd or xz'd.
 *
 *	struct unpack *file = unpack_open("heart.csv.xz", &err);
 *
 *	while ((n = unpack_read(file, buffer, sizeof(buffer), &err)) > 0)
 *		use(buffer, n);
 *	unpack_close(file);
 *
 * The first bytes decide, not the name.  Several gzip members or xz streams
 * one behind the other read as one.  A file that ends within one, and bytes
 * behind the last that are none, are errors.  Pipes are read as they come.
 *
 * The door to zlib's inflate and to liblzma.
 */
#ifndef LIB_UNPACK_H
#define LIB_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/err.h"

/* What a decoder of xz may take: `xz -9` asks for 65 MiB. */
#define UNPACK_MEMORY_MAX ((size_t)256 << 20)

struct unpack;

/* Errors name the path. */
struct unpack *unpack_open(const char *path, struct err *err);
/* As many bytes as there are, `size` at most; 0 only at the end, -1.  The
 * error says what is wrong ("truncated: …"), not where: the caller knows. */
ssize_t unpack_read(struct unpack *file, void *buffer, size_t size,
		    struct err *err);
/* Is it compressed?  Known once something was read. */
bool unpack_is_packed(const struct unpack *file);
void unpack_close(struct unpack *file); /* accepts NULL */

#endif
