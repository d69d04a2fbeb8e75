/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tail -- the bytes of a file that somebody may still be writing to.
 *
 *	struct tail *tail = tail_open("trace.jsonl", &options, &err);
 *
 *	do
 *		while ((n = tail_read(tail, buffer, size, &err)) > 0)
 *			use(buffer, n);
 *	while (n == 0 && tail_next(tail, &err) > 0);
 *	tail_close(tail);
 *
 * Files of zstd frames are known by their first bytes and unpacked.  With
 * `follow`, the end of a file is waited at (until the program is told to stop)
 * and what a writer moved away in the meantime is read to its end, then its
 * successors: trace.3.jsonl, trace.4.jsonl, trace.jsonl.  With `parts` reading
 * begins with the first of them that is there.
 */
#ifndef LIB_TAIL_H
#define LIB_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/err.h"

struct tail_options {
	bool follow, parts;
};

struct tail;

/* "-" is standard input. */
struct tail *tail_open(const char *path, const struct tail_options *options,
		       struct err *err);
/* How many bytes there are, 0 at the end of a file, -1. */
ssize_t tail_read(struct tail *tail, void *buffer, size_t size,
		  struct err *err);
/* Go on to the next file: 1, or 0 when there is none. */
int tail_next(struct tail *tail, struct err *err);
/* The file at hand, for messages. */
const char *tail_path(const struct tail *tail);
/* Does it end within a frame? */
bool tail_is_cut(const struct tail *tail);
void tail_close(struct tail *tail); /* accepts NULL */

#endif
