/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mongo_writer -- documents on their way into a database, none of them lost.
 *
 *	struct mongo_writer *writer = mongo_writer_new(&link, &options);
 *
 *	if (mongo_writer_begin(writer, false, time_ms, sensor, 1) == 0) {
 *		mongo_put_row(template, batch, row, mongo_writer_id(writer),
 *			      mongo_writer_text(writer));
 *		mongo_writer_add(writer, &err);
 *	}
 *	mongo_writer_end(writer);
 *	...
 *	failed = mongo_writer_close(writer, &err);
 *
 * Who puts never waits for the database:
 *
 *	put ──▶ ring ──▶ sender ──▶ link (the database)
 *	          │         ▲
 *	          └▶ keeper ─▶ spool (disk)
 *
 * Documents are collected into blocks; a block is sent when it has 500
 * documents or is 200 ms old.  One thread, the sender, owns the link.  Another,
 * the keeper, moves blocks that waited for a second, or all of them while the
 * database is away, into the spool (one fsync per round); the sender empties
 * the spool first, so order is kept.  While the database is away the sender
 * tries again at once, and then after 1, 2, 4, 8, 10 s (± a quarter).
 *
 * What is lost when the process is killed: at most what is in the ring
 * (MONGO_RING_DOCUMENTS, MONGO_RING_BYTES), which is what was put in the last
 * 200 ms and the round trip, or a second where the database is slow.  What
 * neither ring nor spool can hold is dropped whole, counted, and leaves a gap
 * record; so does what the database refuses for good.
 *
 * A batch may be sent twice (its answer was lost): documents have an `_id` of
 * ours, and the link reports a duplicate of it as stored.
 *
 * Threads: putting is for one thread at a time.
 */
#ifndef LIB_MONGO_WRITER_H
#define LIB_MONGO_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/mongo_triage.h"
#include "lib/spool.h"
#include "lib/text.h"

#define MONGO_BLOCK_DOCUMENTS 500
#define MONGO_RING_DOCUMENTS  65536
#define MONGO_RING_BYTES      ((size_t)64 << 20)

/* The way to a database; called by the sender's thread only. */
struct mongo_link {
	void *self;
	/* Make a new connection: -1 where the database is away. */
	int (*connect)(void *self, struct err *err);
	/* Insert the documents that stand behind one another in `bytes`, into
	 * the collection or into its gaps.  -1: it is not known what happened to
	 * them (send all again).  0: `fate` says it of each; `err` has the
	 * reason for the last that is not MONGO_STORED. */
	int (*insert)(void *self, bool gaps, const char *bytes, size_t length,
		      size_t documents, enum mongo_fate *fate, struct err *err);
};

struct mongo_options {
	const char *name;  /* of the place, for messages */
	const char *spool; /* "DIR/name": DIR/name.N.spool; NULL: none */
	uint64_t spool_bytes;
};

struct mongo_writer;

/* The spool is opened here, and the database tried once: -1 where it does not
 * let us in; where it is away and there is a spool, that is but a warning. */
struct mongo_writer *mongo_writer_new(const struct mongo_link *link,
				      const struct mongo_options *options,
				      struct err *err);

/* Locks the ring for `documents` of `time_ms` and `sensor`.  -1 where it has no
 * room: then they are counted as dropped, and leave a gap record.  `wait`: wait
 * for room while somebody makes some; then -1 drops nothing.
 * mongo_writer_end() must follow in either case. */
int mongo_writer_begin(struct mongo_writer *writer, bool wait, int64_t time_ms,
		       const char *sensor, size_t documents);
/* The `_id` of the next document (until the next call), and where it is to be
 * written to. */
const char *mongo_writer_id(struct mongo_writer *writer);
struct text *mongo_writer_text(struct mongo_writer *writer);
/* It stands there.  One that is too long is taken out again (EFBIG), and
 * counted as refused. */
int mongo_writer_add(struct mongo_writer *writer, struct err *err);
void mongo_writer_end(struct mongo_writer *writer);

/* Wait until the ring is empty (everything is stored or in the spool), at most
 * `seconds`. */
int mongo_writer_flush(struct mongo_writer *writer, double seconds,
		       struct err *err);
/* Ends within about 15 s (10 s and a network's time-out) and frees; what could
 * not be sent is in the spool.  -1 where documents were lost, or where none
 * ever reached the database. */
int mongo_writer_close(struct mongo_writer *writer, struct err *err);

#endif
