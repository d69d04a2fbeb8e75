/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sink -- a place where documents go, named by a URI.
 *
 *	struct sink *sink = sink_open("jsonl:trace.jsonl", &err);
 *
 *	sink_put(sink, &batch, &err);        // all targets of a tick
 *	sink_put_doc(sink, record, &err);    // one document of ours
 *	if (sink_close(sink, &err) < 0)      // late errors count
 *		return -1;
 *
 * A URI without a scheme is a jsonl file.  Kinds: jsonl (append; one write per
 * put), csv (hwpc-sensor's and PowerAPI's files), tcp (PowerAPI's socket), mongodb,
 * zmq (to a fan-in), influx (line protocol over HTTP) (these four queue), prometheus
 * (serves the last values),
 * null (counts and drops).
 * Add a kind: a file sink_KIND.c that exports one `struct sink_kind`, and a
 * line in the table in sink.c; the shared suite in tests/unit/test_sink.c runs
 * over it.
 *
 * Laws: what sink_put accepted is in the kernel when it returns, unless the
 * kind says that it queues.  A failed put leaves no half document that a
 * source would read.  One thread at a time.
 */
#ifndef LIB_SINK_H
#define LIB_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/batch.h"
#include "lib/doc.h"
#include "lib/err.h"
#include "lib/field.h"

struct sink;

struct sink *sink_open(const char *uri, struct err *err);
/* Several at once behind one; `fallback` is opened when the list is empty
 * (NULL: the result is a null sink). */
struct sink *sink_open_all(const struct field_list *uris, const char *fallback,
			   struct err *err);

int sink_put(struct sink *sink, const struct batch *batch, struct err *err);
int sink_put_doc(struct sink *sink, const struct doc *doc, struct err *err);
/* Make what was put survive a crash of the machine, where the kind can. */
int sink_flush(struct sink *sink, struct err *err);
/* Flushes and frees, also on failure.  Accepts NULL. */
int sink_close(struct sink *sink, struct err *err);

/* Without a password that may have been in it. */
const char *sink_uri(const struct sink *sink);
/* The file behind it, or NULL: for what is laid beside it. */
const char *sink_file(const struct sink *sink);
/* Has it no place for rows' metadata?  Then none need be made. */
bool sink_bare(const struct sink *sink);
uint64_t sink_documents(const struct sink *sink);

/* For kinds.  `open` gets what stands behind "scheme:". */
struct sink_kind {
	const char *scheme;
	void *(*open)(const char *rest, struct err *err);
	int (*put)(void *self, const struct batch *batch, struct err *err);
	int (*put_doc)(void *self, const struct doc *doc, struct err *err);
	int (*flush)(void *self, struct err *err);
	int (*close)(void *self, struct err *err);
	const char *(*file)(const void *self); /* optional */
	/* Optional: rows may come without their metadata, it has no place. */
	bool (*bare)(const void *self);
	const char *summary; /* a line for --help and docs */
};

#endif
