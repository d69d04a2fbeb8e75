/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/mongo_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mongo_bson.h"
#include "lib/mongo_state.h"

/* ---- opening -------------------------------------------------------------- */

/* ":TIME-BOOT-PROCESS:", so that no other writer has the same: of one boot's
 * milliseconds each goes to one writer of a process. */
static void id_begin(struct mongo_writer *writer)
{
	static _Atomic int64_t last_ms;
	int64_t before = atomic_load(&last_ms), now_ms;
	char boot[CLOCK_BOOT_MAX];

	clock_boot_id(boot);
	do {
		now_ms = clock_wall_ms(clock_real());
		if (now_ms <= before)
			now_ms = before + 1;
	} while (!atomic_compare_exchange_strong(&last_ms, &before, now_ms));
	(void)snprintf(writer->id_base, sizeof(writer->id_base),
		       ":%012" PRIx64 "-%.8s-%x:", (uint64_t)now_ms, boot,
		       (unsigned int)getpid());
}

static void locks_init(struct mongo_writer *writer)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_mutex_init(&writer->spool_lock, NULL);
	pthread_cond_init(&writer->work, &monotonic);
	pthread_cond_init(&writer->room, &monotonic);
	pthread_cond_init(&writer->keep, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

/* Signals are for the program's own thread. */
static int threads_start(struct mongo_writer *writer, struct err *err)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&writer->sender, NULL, sender_main, writer);
	if (!failed) {
		failed = pthread_create(&writer->keeper, NULL, keeper_main,
					writer);
		if (failed) {
			writer->closing = true;
			pthread_join(writer->sender, NULL);
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!failed)
		return 0;
	errno = failed;
	return err_sys(err, "thread");
}

static void writer_free(struct mongo_writer *writer)
{
	for (size_t i = 0; i < writer->gaps; i++) {
		free(writer->gap[i].sensor);
		free(writer->gap[i].reason);
	}
	ring_seal(writer);
	for (struct block *block; (block = ring_pop(writer));)
		block_free(writer, block);
	for (struct block *block; (block = writer->spare);) {
		writer->spare = block->next;
		text_done(&block->text);
		free(block);
	}
	if (writer->open)
		text_done(&writer->open->text);
	free(writer->open);
	pthread_mutex_destroy(&writer->lock);
	pthread_mutex_destroy(&writer->spool_lock);
	pthread_cond_destroy(&writer->work);
	pthread_cond_destroy(&writer->room);
	pthread_cond_destroy(&writer->keep);
	spool_close(writer->spool);
	free(writer->spool_base);
	free(writer->gap);
	free(writer->name);
	free(writer->host);
	free(writer);
}

/* Where the database is away, the spool is what makes that bearable; where it
 * does not let us in, waiting does not help. */
static int first_try(struct mongo_writer *writer, struct err *err)
{
	struct err what = { 0 };

	if (sender_open(writer, &what) == 0)
		return 0;
	if (what.code == EACCES || what.code == EINVAL || !writer->spool) {
		if (err)
			*err = what;
		return -1;
	}
	log_warn("mongodb", "%s: %s; documents wait in %s", writer->name,
		 what.text, spool_path(writer->spool));
	return 0;
}

struct mongo_writer *mongo_writer_new(const struct mongo_link *link,
				      const struct mongo_options *options,
				      struct err *err)
{
	struct mongo_writer *writer = xcalloc(1, sizeof(*writer));
	char host[256] = "unknown";

	(void)gethostname(host, sizeof(host) - 1);
	writer->link = *link;
	writer->name = xstrdup(options->name);
	writer->host = xstrdup(host);
	writer->backoff_ns = BACKOFF_NS;
	writer->spool_bytes = options->spool_bytes;
	id_begin(writer);
	locks_init(writer);
	if (options->spool) {
		writer->spool_base = xstrdup(options->spool);
		if (keeper_open(writer, err) < 0)
			goto fail;
	}
	if (first_try(writer, err) < 0 || threads_start(writer, err) < 0)
		goto fail;
	return writer;
fail:
	writer_free(writer);
	return NULL;
}

/* ---- putting -------------------------------------------------------------- */

static bool is_above(const struct mongo_writer *writer, size_t documents,
		     size_t limit_documents, size_t limit_bytes)
{
	return writer->documents + documents > limit_documents ||
	       writer->bytes > limit_bytes;
}

/* Nobody makes room: not the database, and not the disk. */
static bool is_stuck(const struct mongo_writer *writer)
{
	return writer->sender_gone ||
	       (writer->away &&
		(!writer->spool_base ||
		 clock_now_ns(clock_real()) < writer->full_until_ns));
}

static void drop(struct mongo_writer *writer, size_t documents)
{
	if (!writer->dropping)
		log_warn("mongodb",
			 "%s: neither memory nor spool has room; documents are "
			 "dropped and counted",
			 writer->name);
	writer->dropping = true;
	writer->dropped += documents;
	gap_add(writer, writer->sensor, writer->time_ms, documents,
		"neither memory nor spool had room");
}

int mongo_writer_begin(struct mongo_writer *writer, bool wait, int64_t time_ms,
		       const char *sensor, size_t documents)
{
	pthread_mutex_lock(&writer->lock);
	writer->time_ms = time_ms;
	writer->sensor = sensor ? sensor : writer->host;
	while (wait &&
	       is_above(writer, documents, WAIT_DOCUMENTS, WAIT_BYTES)) {
		if (is_stuck(writer))
			return -1;
		ring_wait(writer, &writer->room,
			  clock_now_ns(clock_real()) + BLOCK_AGE_NS);
	}
	if (is_above(writer, documents, MONGO_RING_DOCUMENTS,
		     MONGO_RING_BYTES)) {
		drop(writer, documents);
		return -1;
	}
	writer->dropping = false;
	mongo_writer_text(writer);
	return 0;
}

struct text *mongo_writer_text(struct mongo_writer *writer)
{
	if (!writer->open)
		writer->open = block_new(writer, BLOCK_REPORTS);
	writer->text_before = writer->open->text.length;
	return &writer->open->text;
}

const char *mongo_writer_id(struct mongo_writer *writer)
{
	return writer_id(writer, writer->sensor);
}

int mongo_writer_add(struct mongo_writer *writer, struct err *err)
{
	struct block *open = writer->open;
	size_t length = open->text.length - writer->text_before;

	if (length > MONGO_DOCUMENT_MAX) {
		open->text.length = writer->text_before;
		writer->refused++;
		gap_add(writer, writer->sensor, writer->time_ms, 1,
			"longer than 16 MiB");
		return err_set(err, EFBIG,
			       "a document of %.1f MiB (MongoDB takes 16 MiB)",
			       (double)length / (1 << 20));
	}
	if (open->documents++ == 0) {
		open->born_ns = clock_now_ns(clock_real());
		pthread_cond_signal(&writer->work);
	}
	writer->documents++;
	writer->bytes += length;
	if (open->documents >= MONGO_BLOCK_DOCUMENTS ||
	    open->text.length >= BLOCK_BYTES) {
		ring_seal(writer);
		pthread_cond_signal(&writer->work);
	}
	return 0;
}

void mongo_writer_end(struct mongo_writer *writer)
{
	pthread_mutex_unlock(&writer->lock);
}

/* ---- the end -------------------------------------------------------------- */

int mongo_writer_flush(struct mongo_writer *writer, double seconds,
		       struct err *err)
{
	int64_t until_ns =
		clock_now_ns(clock_real()) + (int64_t)(seconds * 1e9);
	size_t left;
	int failed = 0;

	pthread_mutex_lock(&writer->lock);
	writer->flushing = true;
	pthread_cond_signal(&writer->work);
	while (writer->documents > 0 && clock_now_ns(clock_real()) < until_ns)
		ring_wait(writer, &writer->room, until_ns);
	writer->flushing = false;
	left = writer->documents;
	pthread_mutex_unlock(&writer->lock);
	if (left > 0)
		return err_set(err, ETIMEDOUT,
			       "%zu documents are neither stored nor in the "
			       "spool after %.0f s",
			       left, seconds);
	pthread_mutex_lock(&writer->spool_lock);
	if (writer->spool)
		failed = spool_sync(writer->spool, err);
	pthread_mutex_unlock(&writer->spool_lock);
	return failed;
}

static void threads_stop(struct mongo_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->closing = true;
	writer->deadline_ns = clock_now_ns(clock_real()) + CLOSE_NS;
	pthread_cond_broadcast(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->sender, NULL);
	pthread_mutex_lock(&writer->lock);
	gaps_seal(writer);
	writer->keeper_stop = true;
	writer->full_until_ns = 0;
	pthread_cond_broadcast(&writer->keep);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->keeper, NULL);
}

int mongo_writer_close(struct mongo_writer *writer, struct err *err)
{
	uint64_t waiting = 0, lost;
	int failed = 0;

	if (!writer)
		return 0;
	threads_stop(writer);
	if (writer->spool)
		waiting = spool_records(writer->spool);
	lost = writer->dropped + writer->refused + writer->documents;
	if (lost > 0)
		failed = err_set(err, EIO,
				 "%" PRIu64
				 " documents were not stored (%" PRIu64
				 " refused, %" PRIu64 " without room)",
				 lost, writer->refused, lost - writer->refused);
	else if (waiting > 0 && !writer->reached)
		failed = err_set(err, EHOSTUNREACH,
				 "was never there; %" PRIu64
				 " batches wait in %s for the next run",
				 waiting, spool_path(writer->spool));
	else if (waiting > 0)
		log_warn("mongodb",
			 "%s: %" PRIu64 " batches wait in %s for the next run",
			 writer->name, waiting, spool_path(writer->spool));
	log_detail("mongodb",
		   "%s: %" PRIu64 " stored, %" PRIu64 " by way of the spool",
		   writer->name, writer->stored, writer->spooled);
	writer_free(writer);
	return failed;
}
