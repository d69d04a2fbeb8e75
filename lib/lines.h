/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lines -- bytes in, as they come; lines out.
 *
 *	lines_put(&lines, buffer, n);
 *	while ((got = lines_next(&lines, &line, &length)) > 0)
 *		use(line, length);      // without its newline
 *	if (got < 0)
 *		...                     // longer than the limit
 *
 * A line is borrowed until the next call.  After a line that is too long,
 * everything up to its newline is skipped.
 */
#ifndef LIB_LINES_H
#define LIB_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/text.h"

struct lines {
	size_t limit; /* bytes of a line */
	struct text text;
	size_t at;      /* what was used of it */
	size_t scanned; /* there is no newline before here */
	size_t number;  /* of the last line, from 1 */
	bool skipping;
};

void lines_init(struct lines *lines, size_t limit);
void lines_done(struct lines *lines);
void lines_put(struct lines *lines, const void *bytes, size_t length);
/* 1 and a line; 0 when more bytes are needed; -1 once for a line above the
 * limit. */
int lines_next(struct lines *lines, const char **line, size_t *length);
/* What stands behind the last newline. */
const char *lines_rest(const struct lines *lines, size_t *length);

#endif
