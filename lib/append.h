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
#include <stdint.h>

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

/* Is it a regular file?  How long is it? */
bool append_is_file(const struct append *file);
uint64_t append_size(const struct append *file);

/* The bytes behind the last newline of a regular file, into `out` (at most
 * `limit`, then EFBIG); and cut them off. */
int append_tail(const struct append *file, size_t limit, struct text *out,
		struct err *err);
int append_cut(struct append *file, size_t bytes, struct err *err);

/* Rename core.csv to core.1.csv (a.jsonl.zst to a.1.jsonl.zst), the first
 * number that is free, never over a file that is there.  `to` (may be NULL) is
 * its name now, yours to free(). */
int append_move_away(const char *path, char **to, struct err *err);
/* "core.7.csv" of "core.csv" and 7: yours to free(). */
char *append_numbered(const char *path, unsigned int number);

#endif
