/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spool -- records that wait in a file until somebody takes them.
 *
 *	struct spool *spool = spool_open("state/place.spool", limit, &err);
 *
 *	spool_put(spool, record, length, &err);       // -1, ENOSPC: it is full
 *	spool_sync(spool, &err);                      // once per batch
 *	...
 *	while (spool_next(spool, &record, &length, &err) > 0)
 *		if (send(record, length) < 0) {
 *			spool_rewind(spool);          // again, later
 *			break;
 *		}
 *	spool_done(spool, &err);                      // these are gone for good
 *
 * Laws: records come out in the order in which they went in.  What was put and
 * synced survives a crash of the machine, what was put survives one of the
 * process; a record that was read comes again after a crash unless spool_done()
 * was reached.  A torn or damaged record, and what stands behind it, is cut off
 * at opening (spool_cut() says how much): behind a crash that is the piece that
 * was being written.  The file never grows above its limit: what does not fit
 * is refused whole and counted.  Room of what is done comes back when the spool
 * runs empty, or when a quarter of a full file is done (the rest is copied).
 *
 * A spool belongs to one process at a time (EBUSY) and one thread at a time.
 */
#ifndef LIB_SPOOL_H
#define LIB_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* A record is at most this long. */
#define SPOOL_RECORD_MAX ((size_t)64 << 20)

struct spool;

/* Creates the file (0600) where there is none; its folder must exist.
 * `limit`: bytes of the whole file. */
struct spool *spool_open(const char *path, uint64_t limit, struct err *err);
/* The file stays where records wait in it, and goes where none do.  Accepts
 * NULL. */
void spool_close(struct spool *spool);

/* ENOSPC where the limit or the disk is reached; then nothing was written and
 * spool_refused() is one more. */
int spool_put(struct spool *spool, const void *record, size_t length,
	      struct err *err);
/* What was put, onto the disk. */
int spool_sync(struct spool *spool, struct err *err);

/* The next record, borrowed until the next call.  1, 0 when there is none, -1. */
int spool_next(struct spool *spool, const void **record, size_t *length,
	       struct err *err);
/* All that were read are gone for good. */
int spool_done(struct spool *spool, struct err *err);
/* Go back to the first that is not done. */
void spool_rewind(struct spool *spool);

const char *spool_path(const struct spool *spool);
/* Records that are not done, and their bytes in the file. */
uint64_t spool_records(const struct spool *spool);
uint64_t spool_bytes(const struct spool *spool);
/* Records that spool_put() refused since it was opened. */
uint64_t spool_refused(const struct spool *spool);
/* Bytes of damage that were cut off when it was opened. */
uint64_t spool_cut(const struct spool *spool);

#endif
