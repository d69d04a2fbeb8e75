/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * source -- a place where documents come from, named by a URI.
 *
 *	struct source *source = source_open("sweep.jsonl", NULL, &err);
 *	struct doc *doc;
 *	int got;
 *
 *	while ((got = source_next(source, &doc, &err)) > 0) {
 *		use(doc);
 *		doc_free(doc);
 *	}
 *	source_close(source);
 *	if (got < 0)
 *		return -1;
 *
 * Kinds: jsonl (a torn last line, as a crash leaves it, is skipped and
 * reported by source_torn(); damage anywhere else is an error that names file
 * and line), csv (hwpc-sensor's folder, one document per target and tick), mongodb,
 * tcp-listen (what clients of PowerAPI's socket send), zmq (a fan-in of many
 * sensors); the last two end when the program is asked to stop.
 * Add a kind: a file source_KIND.c and a line in the table in source.c.
 */
#ifndef LIB_SOURCE_H
#define LIB_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/doc.h"
#include "lib/err.h"

/* A document is at most this long (a line of jsonl). */
#define SOURCE_DOCUMENT_MAX ((size_t)16 << 20)

struct source;

/* Which documents of a stream: timestamps in [since, until), target matching
 * a shell pattern.  Zero and NULL mean any. */
struct source_filter {
	int64_t since_ms, until_ms;
	const char *target;
};

struct source *source_open(const char *uri, const struct source_filter *filter,
			   struct err *err);
/* 1 and a document that is yours, 0 at the end, -1 on an error. */
int source_next(struct source *source, struct doc **doc, struct err *err);
/* A document's time: Unix milliseconds as a number or as digits, or a date
 * (instant.h).  False where it is none. */
bool source_time_ms(const struct doc *time, int64_t *ms);
/* "sweep.jsonl:17": where the last document stood, for messages. */
const char *source_where(const struct source *source);
/* Was a torn last line skipped? */
bool source_torn(const struct source *source);
/* Does it, when the program is asked to stop, give what came until then and end
 * by itself?  Then whoever reads it goes on until it ends. */
bool source_drains(const struct source *source);
void source_close(struct source *source); /* accepts NULL */

struct source_kind {
	const char *scheme;
	void *(*open)(const char *rest, struct err *err);
	/* Instead of `open`, for a kind that can ask its far end for what is
	 * wanted (NULL: all); what it gives is filtered here all the same. */
	void *(*open_filtered)(const char *rest,
			       const struct source_filter *filter,
			       struct err *err);
	int (*next)(void *self, struct doc **doc, struct err *err);
	const char *(*where)(const void *self);
	bool (*torn)(const void *self); /* optional */
	void (*close)(void *self);
	bool drains;
	const char *summary;
};

#endif
