/* SPDX-License-Identifier: BSD-3-Clause */
/* The thread that moves what waits too long from memory onto the disk. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mongo_state.h"

#define SPOOLS_MAX 16

/* ---- spools of the place -------------------------------------------------- */

static char *spool_name(const struct mongo_writer *writer, int number)
{
	return xasprintf("%s.%d.spool", writer->spool_base, number);
}

/* Each process has one; a number is free again when its process is gone. */
int keeper_open(struct mongo_writer *writer, struct err *err)
{
	struct err what = { 0 };

	for (int i = 0; i < SPOOLS_MAX && !writer->spool; i++) {
		char *path = spool_name(writer, i);

		writer->spool = spool_open(path, writer->spool_bytes, &what);
		free(path);
		if (!writer->spool && what.code != EBUSY)
			break;
	}
	if (!writer->spool) {
		if (err)
			*err = what;
		return -1;
	}
	if (spool_cut(writer->spool) > 0)
		log_warn("mongodb", "spool %s: cut off %ju torn bytes",
			 spool_path(writer->spool),
			 (uintmax_t)spool_cut(writer->spool));
	if (spool_records(writer->spool) > 0)
		log_warn("mongodb",
			 "%s: %ju batches of an earlier run wait in %s",
			 writer->name, (uintmax_t)spool_records(writer->spool),
			 spool_path(writer->spool));
	return 0;
}

void keeper_adopt(struct mongo_writer *writer)
{
	for (int i = 0; i < SPOOLS_MAX; i++) {
		char *path = spool_name(writer, i);
		struct spool *other = NULL;

		if (access(path, F_OK) == 0)
			other = spool_open(path, writer->spool_bytes, NULL);
		free(path);
		if (!other)
			continue;
		if (spool_records(other) > 0) {
			log_note("mongodb  taking over %s", spool_path(other));
			spool_close(writer->spool);
			writer->spool = other;
			return;
		}
		spool_close(other);
	}
}

/* ---- keeping -------------------------------------------------------------- */

static bool is_old(const struct block *block, int64_t now_ns, int64_t age_ns)
{
	return block && now_ns - block->born_ns > age_ns;
}

/* The block that is to be kept next, or NULL; with the lock held. */
static struct block *keepable(struct mongo_writer *writer)
{
	int64_t now_ns = clock_now_ns(clock_real());

	if (!writer->spool_base || now_ns < writer->full_until_ns)
		return NULL;
	if (writer->keeper_stop ||
	    (writer->away && is_old(writer->open, now_ns, BLOCK_AGE_NS)))
		ring_seal(writer);
	if (writer->keeper_stop || writer->away ||
	    writer->bytes > MONGO_RING_BYTES / 4 * 3 ||
	    writer->documents > MONGO_RING_DOCUMENTS / 4 * 3 ||
	    is_old(writer->first, now_ns, KEEP_AGE_NS))
		return ring_pop(writer);
	return NULL;
}

static int keep(struct mongo_writer *writer, const struct block *block,
		struct err *err)
{
	bool gaps = block->text.data[0] == BLOCK_GAPS;
	uint64_t reserve = gaps ? 0 : SPOOL_RESERVE;
	int failed;

	pthread_mutex_lock(&writer->spool_lock);
	if (spool_bytes(writer->spool) + block->text.length + reserve >
	    writer->spool_bytes)
		failed = err_set(err, ENOSPC, "spool %s: full",
				 spool_path(writer->spool));
	else
		failed = spool_put(writer->spool, block->text.data,
				   block->text.length, err);
	pthread_mutex_unlock(&writer->spool_lock);
	return failed;
}

/* Everything that is to be kept now.  The lock is held before and after, not
 * while the disk works. */
static void keep_all(struct mongo_writer *writer)
{
	struct block *block;
	struct err err = { 0 };
	bool any = false;

	while ((block = keepable(writer))) {
		int failed;

		pthread_mutex_unlock(&writer->lock);
		failed = keep(writer, block, &err);
		if (failed && !writer->full)
			log_warn("mongodb", "%s: %s", writer->name, err.text);
		pthread_mutex_lock(&writer->lock);
		writer->full = failed != 0;
		if (failed) {
			ring_push_front(writer, block);
			writer->full_until_ns =
				clock_now_ns(clock_real()) + KEEP_AGE_NS;
			pthread_cond_broadcast(&writer->room);
			break;
		}
		any = true;
		writer->spooled += block->documents;
		ring_release(writer, block);
	}
	if (!any)
		return;
	pthread_mutex_unlock(&writer->lock);
	pthread_mutex_lock(&writer->spool_lock);
	if (spool_sync(writer->spool, &err) < 0)
		log_warn("mongodb", "%s: %s", writer->name, err.text);
	pthread_mutex_unlock(&writer->spool_lock);
	pthread_mutex_lock(&writer->lock);
}

void *keeper_main(void *self)
{
	struct mongo_writer *writer = self;

	pthread_mutex_lock(&writer->lock);
	for (;;) {
		bool stop = writer->keeper_stop;

		keep_all(writer);
		if (stop)
			break;
		ring_wait(writer, &writer->keep,
			  clock_now_ns(clock_real()) + BLOCK_AGE_NS / 2);
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}
