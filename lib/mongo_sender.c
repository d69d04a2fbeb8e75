/* SPDX-License-Identifier: BSD-3-Clause */
/* The thread that owns the way to the database. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mongo_bson.h"
#include "lib/mongo_state.h"
#include "lib/rng.h"

/* So often may sending fail behind a connection that was just made before each
 * document is sent alone, to find the one that the database chokes on. */
#define FAILURES_MAX 2
/* A document that makes the database hang up does so at once; what takes longer
 * is the database's own trouble. */
#define CHOKE_NS (1000 * NS_PER_MS)

/* ---- away and back -------------------------------------------------------- */

/* The next try: twice as far away as the last one, give or take a quarter, lest
 * all sensors come back at the same moment. */
static void back_off(struct mongo_writer *writer)
{
	int64_t now_ns = clock_now_ns(clock_real());
	struct rng rng = rng_stream((uint64_t)now_ns, "backoff", 0, 0);
	double factor = 0.75 + 0.5 * rng_uniform(&rng);

	writer->retry_ns =
		now_ns + (int64_t)(factor * (double)writer->backoff_ns);
	writer->backoff_ns *= 2;
	if (writer->backoff_ns > BACKOFF_MAX_NS)
		writer->backoff_ns = BACKOFF_MAX_NS;
}

static void go_away(struct mongo_writer *writer, const struct err *why)
{
	pthread_mutex_lock(&writer->lock);
	if (!writer->away && !writer->closing)
		log_warn("mongodb", "%s: %s; documents wait in %s",
			 writer->name, why->text,
			 writer->spool ? spool_path(writer->spool) : "memory");
	writer->away = true;
	pthread_cond_signal(&writer->keep);
	pthread_mutex_unlock(&writer->lock);
	/* A connection may just be old: the first try is at once. */
	if (writer->setbacks++ > 0)
		back_off(writer);
	else
		writer->retry_ns = clock_now_ns(clock_real());
}

/* Wait until the next try is due, and try.  -1: still away, and it is over. */
static int come_back(struct mongo_writer *writer)
{
	struct err err = { 0 };
	bool last;

	pthread_mutex_lock(&writer->lock);
	while (!writer->closing &&
	       clock_now_ns(clock_real()) < writer->retry_ns)
		ring_wait(writer, &writer->work, writer->retry_ns);
	last = writer->closing;
	pthread_mutex_unlock(&writer->lock);
	if (writer->link.connect(writer->link.self, &err) < 0) {
		log_detail("mongodb", "%s: %s", writer->name, err.text);
		back_off(writer);
		return last ? -1 : 0;
	}
	pthread_mutex_lock(&writer->lock);
	writer->away = false;
	writer->reached = true;
	log_note("mongodb  %s: is there again", writer->name);
	pthread_mutex_unlock(&writer->lock);
	return 0;
}

int sender_open(struct mongo_writer *writer, struct err *err)
{
	if (writer->link.connect(writer->link.self, err) < 0) {
		writer->away = true;
		writer->setbacks = 1;
		back_off(writer);
		return -1;
	}
	writer->reached = true;
	return 0;
}

/* ---- sending -------------------------------------------------------------- */

static void refuse(struct mongo_writer *writer, const char *document,
		   size_t length, const char *reason)
{
	int64_t time_ms = clock_wall_ms(clock_real());
	const char *sensor = NULL;

	mongo_document_stamp(document, length, &time_ms, &sensor);
	pthread_mutex_lock(&writer->lock);
	if (writer->refused++ == 0)
		log_warn("mongodb", "%s: refuses a document: %s", writer->name,
			 reason);
	gap_add(writer, sensor, time_ms, 1, reason);
	pthread_mutex_unlock(&writer->lock);
}

/* What each document's fate asks for.  Those to be sent again become a block in
 * front of the others; how many. */
static size_t settle(struct mongo_writer *writer, const char *bytes,
		     size_t length, size_t documents,
		     const enum mongo_fate *fate, char kind,
		     const struct err *why)
{
	struct text again = TEXT_INIT;
	size_t count = 0, stored = 0;

	for (size_t i = 0; i < documents; i++) {
		size_t n = mongo_document_length(bytes, length);

		if (fate[i] == MONGO_REFUSED)
			refuse(writer, bytes, n, why->text);
		else if (fate[i] == MONGO_AGAIN && ++count)
			text_put_bytes(&again, bytes, n);
		else
			stored++;
		bytes += n;
		length -= n;
	}
	pthread_mutex_lock(&writer->lock);
	if (kind == BLOCK_REPORTS)
		writer->stored += stored;
	if (count > 0) {
		struct block *block = block_new(writer, kind);

		text_put_bytes(&block->text, again.data, again.length);
		block->documents = count;
		writer->documents += count;
		writer->bytes += again.length;
		ring_push_front(writer, block);
	}
	pthread_mutex_unlock(&writer->lock);
	text_done(&again);
	return count;
}

static int insert(struct mongo_writer *writer, char kind, const char *bytes,
		  size_t length, size_t documents, struct err *err)
{
	enum mongo_fate *fate = xcalloc(documents + 1, sizeof(*fate));
	struct err why = { 0 };
	int status = writer->link.insert(writer->link.self, kind == BLOCK_GAPS,
					 bytes, length, documents, fate, &why);

	if (status < 0) {
		if (err)
			*err = why;
	} else if (settle(writer, bytes, length, documents, fate, kind, &why)) {
		go_away(writer, &why);
	}
	free(fate);
	return status;
}

/* One document alone.  The database hangs up on it twice, but talks to us
 * before and after: it will never take it. */
static int insert_alone(struct mongo_writer *writer, char kind,
			const char *bytes, size_t length, struct err *err)
{
	for (int tries = 0; tries < 2; tries++) {
		int64_t start_ns = clock_now_ns(clock_real());

		if (insert(writer, kind, bytes, length, 1, err) == 0)
			return 0;
		if (clock_now_ns(clock_real()) - start_ns > CHOKE_NS ||
		    writer->link.connect(writer->link.self, err) < 0)
			return -1;
	}
	refuse(writer, bytes, length, "the database hangs up on it");
	return 0;
}

/* -1: away; then all of it is to be sent again. */
static int send_all(struct mongo_writer *writer, const struct text *text,
		    size_t documents)
{
	char kind = text->data[0];
	const char *bytes = text->data + 1;
	size_t length = text->length - 1;
	struct err err = { 0 };
	int status = 0;

	if (writer->failures < FAILURES_MAX) {
		status = insert(writer, kind, bytes, length, documents, &err);
	} else {
		size_t n;

		while (!status && (n = mongo_document_length(bytes, length))) {
			status = insert_alone(writer, kind, bytes, n, &err);
			bytes += n;
			length -= n;
		}
	}
	writer->failures = status < 0 ? writer->failures + 1 : 0;
	if (status < 0)
		go_away(writer, &err);
	else if (!writer->away)
		writer->setbacks = 0;
	if (!writer->setbacks)
		writer->backoff_ns = BACKOFF_NS;
	return status;
}

static size_t count_documents(const char *bytes, size_t length)
{
	size_t count = 0, n;

	while ((n = mongo_document_length(bytes, length)) > 0) {
		bytes += n;
		length -= n;
		count++;
	}
	return count;
}

/* The oldest record of the spool: 1 sent, 0 there is none, -1 away. */
static int send_spooled(struct mongo_writer *writer)
{
	struct text text = TEXT_INIT;
	struct err err = { 0 };
	const void *record;
	size_t length = 0;
	int got = 0;

	if (!writer->spool)
		return 0;
	pthread_mutex_lock(&writer->spool_lock);
	if (spool_records(writer->spool) == 0)
		keeper_adopt(writer);
	got = spool_next(writer->spool, &record, &length, &err);
	if (got > 0 && length > 0)
		text_put_bytes(&text, record, length);
	pthread_mutex_unlock(&writer->spool_lock);
	if (got < 0)
		log_warn("mongodb", "%s: %s", writer->name, err.text);
	if (got <= 0)
		return 0;
	if (text.length > 1)
		got = send_all(writer, &text,
			       count_documents(text.data + 1,
					       text.length - 1)) < 0
			      ? -1
			      : 1;
	pthread_mutex_lock(&writer->spool_lock);
	if (got < 0)
		spool_rewind(writer->spool);
	else if (spool_done(writer->spool, &err) < 0)
		log_warn("mongodb", "%s: %s", writer->name, err.text);
	pthread_mutex_unlock(&writer->spool_lock);
	text_done(&text);
	return got;
}

/* The next block, after a while at most; NULL where there is none. */
static struct block *take(struct mongo_writer *writer)
{
	struct block *block;
	int64_t now_ns = clock_now_ns(clock_real());

	pthread_mutex_lock(&writer->lock);
	gaps_seal(writer);
	if (!writer->first && !writer->closing && !writer->flushing) {
		int64_t until_ns = now_ns + BLOCK_AGE_NS;

		if (writer->open && writer->open->documents > 0)
			until_ns = writer->open->born_ns + BLOCK_AGE_NS;
		if (until_ns > now_ns)
			ring_wait(writer, &writer->work, until_ns);
		now_ns = clock_now_ns(clock_real());
	}
	if (!writer->first &&
	    (writer->closing || writer->flushing ||
	     (writer->open && now_ns - writer->open->born_ns >= BLOCK_AGE_NS)))
		ring_seal(writer);
	block = ring_pop(writer);
	pthread_mutex_unlock(&writer->lock);
	return block;
}

static bool send_block(struct mongo_writer *writer)
{
	struct block *block = take(writer);
	int status;

	if (!block)
		return false;
	status = send_all(writer, &block->text, block->documents);
	pthread_mutex_lock(&writer->lock);
	if (status < 0)
		ring_push_front(writer, block);
	else
		ring_release(writer, block);
	pthread_mutex_unlock(&writer->lock);
	return true;
}

/* Is there nothing left to do, or no time to do it? */
static bool is_over(struct mongo_writer *writer, bool idle)
{
	bool over;

	pthread_mutex_lock(&writer->lock);
	over = writer->closing &&
	       ((idle && !writer->first && !writer->gaps &&
		 (!writer->open || writer->open->documents == 0)) ||
		clock_now_ns(clock_real()) > writer->deadline_ns);
	pthread_mutex_unlock(&writer->lock);
	return over;
}

void *sender_main(void *self)
{
	struct mongo_writer *writer = self;
	bool over = false;

	while (!over) {
		bool idle = false;

		if (writer->away) {
			over = come_back(writer) < 0;
			continue;
		}
		if (send_spooled(writer) == 0)
			idle = !send_block(writer);
		over = is_over(writer, idle);
	}
	pthread_mutex_lock(&writer->lock);
	writer->sender_gone = true;
	pthread_cond_broadcast(&writer->room);
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}
