/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * append -- a file that grows by whole pieces, or not at all.
 *
 *	struct append *file = append_open("trace.jsonl", &err);
 *
 *	if (append_put(file, &text, &err) < 0)   // "write: No space left …"
 *		...
 *	append_close(file, &err);
 *
 * A piece is handed to the kernel by one write(2) (more only after a short
 * one); if that fails, what the regular file got of it is cut off again, unless
 * somebody else has gone on writing behind it.  "-" is standard output; what is
 * no regular file (a pipe, a terminal, /dev/null) is written to as it is.
 */
#ifndef LIB_APPEND_H
#define LIB_APPEND_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "lib/text.h"

struct append;

/* Creates the file (0644) where there is none. */
struct append *append_open(const char *path, struct err *err);
int append_put(struct append *file, const struct text *piece, struct err *err);
/* Onto the disk, where it is a regular file. */
int append_flush(struct append *file, struct err *err);
/* Closes (without a flush) and frees, also on failure.  Accepts NULL. */
int append_close(struct append *file, struct err *err);

/* Is it a regular file? */
bool append_is_file(const struct append *file);

/* The bytes behind the last newline of a regular file, into `out` (at most
 * `limit`, then EFBIG); and cut them off. */
int append_tail(const struct append *file, size_t limit, struct text *out,
		struct err *err);
int append_cut(struct append *file, size_t bytes, struct err *err);

#endif
