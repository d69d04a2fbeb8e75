/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/mongo_bson.h"
#include "lib/mongo_state.h"

/* ---- blocks --------------------------------------------------------------- */

struct block *block_new(struct mongo_writer *writer, char kind)
{
	struct block *block = writer->spare;

	if (block)
		writer->spare = block->next;
	else
		block = xcalloc(1, sizeof(*block));
	block->next = NULL;
	block->documents = 0;
	block->born_ns = clock_now_ns(clock_real());
	text_clear(&block->text);
	text_put_char(&block->text, kind);
	return block;
}

void block_free(struct mongo_writer *writer, struct block *block)
{
	/* A block of one huge document would keep its memory. */
	if (block->text.capacity > 2 * BLOCK_BYTES)
		text_done(&block->text);
	block->next = writer->spare;
	writer->spare = block;
}

static void push_back(struct mongo_writer *writer, struct block *block)
{
	block->next = NULL;
	if (writer->last)
		writer->last->next = block;
	else
		writer->first = block;
	writer->last = block;
}

void ring_push_front(struct mongo_writer *writer, struct block *block)
{
	block->next = writer->first;
	writer->first = block;
	if (!writer->last)
		writer->last = block;
}

void ring_seal(struct mongo_writer *writer)
{
	if (!writer->open || writer->open->documents == 0)
		return;
	push_back(writer, writer->open);
	writer->open = NULL;
}

struct block *ring_pop(struct mongo_writer *writer)
{
	struct block *block = writer->first;

	if (!block)
		return NULL;
	writer->first = block->next;
	if (!writer->first)
		writer->last = NULL;
	block->next = NULL;
	return block;
}

void ring_release(struct mongo_writer *writer, struct block *block)
{
	writer->documents -= block->documents;
	writer->bytes -= block->text.length - 1;
	block_free(writer, block);
	pthread_cond_broadcast(&writer->room);
}

void ring_wait(struct mongo_writer *writer, pthread_cond_t *cond,
	       int64_t until_ns)
{
	struct timespec until = { .tv_sec = until_ns / 1000000000,
				  .tv_nsec = until_ns % 1000000000 };

	pthread_cond_timedwait(cond, &writer->lock, &until);
}

/* ---- names ---------------------------------------------------------------- */

static char *put_hex(char *at, uint64_t value)
{
	static const char digits[] = "0123456789abcdef";
	int shift = value >> 32 ? 60 : 28;

	for (; shift >= 0; shift -= 4)
		*at++ = digits[value >> shift & 15];
	*at = '\0';
	return at;
}

const char *writer_id(struct mongo_writer *writer, const char *sensor)
{
	size_t room = sizeof(writer->id) - sizeof(writer->id_base) - 20;
	size_t length = strnlen(sensor, room);
	char *at = mempcpy(writer->id, sensor, length);

	at = stpcpy(at, writer->id_base);
	put_hex(at, writer->id_next++);
	return writer->id;
}

/* ---- gaps ----------------------------------------------------------------- */

void gap_add(struct mongo_writer *writer, const char *sensor, int64_t time_ms,
	     uint64_t documents, const char *reason)
{
	struct gap *gap = writer->gap;
	size_t i;

	if (!sensor)
		sensor = writer->host;
	for (i = 0; i < writer->gaps; i++, gap++)
		if (!strcmp(gap->sensor, sensor) &&
		    !strcmp(gap->reason, reason))
			break;
	if (i == writer->gaps) {
		writer->gap = xrealloc(writer->gap, writer->gaps + 1,
				       sizeof(*writer->gap));
		gap = &writer->gap[writer->gaps++];
		*gap = (struct gap){ .sensor = xstrdup(sensor),
				     .reason = xstrdup(reason),
				     .from_ms = time_ms,
				     .to_ms = time_ms };
	}
	if (time_ms < gap->from_ms)
		gap->from_ms = time_ms;
	if (time_ms > gap->to_ms)
		gap->to_ms = time_ms;
	gap->documents += documents;
}

static void gap_put(struct mongo_writer *writer, const struct gap *gap,
		    struct text *out)
{
	struct doc *doc = doc_new_object();

	doc_set_text(doc, "schema", "fedwatts.gap/1");
	doc_set_text(doc, "sensor", gap->sensor);
	doc_set_int(doc, "from_ms", gap->from_ms);
	doc_set_int(doc, "to_ms", gap->to_ms);
	doc_set_int(doc, "documents", (int64_t)gap->documents);
	doc_set_text(doc, "reason", gap->reason);
	mongo_put_doc(doc, writer_id(writer, gap->sensor), false, out);
	doc_free(doc);
}

void gaps_seal(struct mongo_writer *writer)
{
	struct block *block;

	if (writer->gaps == 0)
		return;
	block = block_new(writer, BLOCK_GAPS);
	for (size_t i = 0; i < writer->gaps; i++) {
		gap_put(writer, &writer->gap[i], &block->text);
		free(writer->gap[i].sensor);
		free(writer->gap[i].reason);
	}
	block->documents = writer->gaps;
	writer->gaps = 0;
	writer->documents += block->documents;
	writer->bytes += block->text.length - 1;
	ring_push_front(writer, block);
}
