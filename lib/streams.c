/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/streams.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mem.h"

#define HOLES_MAX 4096

struct stream {
	char name[STREAM_NAME_MAX];
	char sensor[128];
	uint64_t next;   /* one behind the last document that came */
	int64_t time_ms; /* of that one */
	int64_t seen_ns; /* when it came */
};

/* Numbers that did not come yet. */
struct hole {
	struct stream *stream;
	uint64_t first, end;
	int64_t from_ms, to_ms;
	int64_t seen_ns;
};

struct streams {
	void *tree; /* of struct stream, by name */
	size_t count;
	struct hole *hole; /* by seen_ns */
	size_t holes, capacity;
	uint64_t duplicates, lost;
	char told[128]; /* the sensor of the gap that was given last */
};

/* ---- heads ---------------------------------------------------------------- */

void stream_name(char name[static STREAM_NAME_MAX])
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint64_t)clock_wall_ms(clock_real()) << 20 ^
			 (uint64_t)clock_now_ns(clock_real()) ^
			 (uint64_t)getpid();
	(void)snprintf(name, STREAM_NAME_MAX, "%016jx", (uintmax_t)number);
}

void stream_head_put(const struct stream_head *head, struct text *out)
{
	text_put(out, "{\"zmq\":1,\"stream\":");
	text_put_json(out, head->stream);
	text_put(out, ",\"sensor\":");
	text_put_json(out, head->sensor);
	text_put(out, ",\"first\":");
	text_put_uint(out, head->first);
	text_put(out, ",\"documents\":");
	text_put_uint(out, head->documents);
	text_put(out, ",\"time_ms\":");
	text_put_int(out, head->time_ms);
	text_put_char(out, '}');
}

static int copy_text(const struct doc *doc, const char *key, char *out,
		     size_t size, struct err *err)
{
	const char *text;

	if (doc_need_text(doc, key, &text, err) < 0)
		return -1;
	if (strlen(text) >= size)
		return err_set(err, EINVAL, "%s: longer than %zu bytes", key,
			       size - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int read_members(const struct doc *doc, struct stream_head *head,
			struct err *err)
{
	int64_t version, first, documents;

	if (doc_need_int(doc, "zmq", &version, err) < 0)
		return -1;
	if (version != 1)
		return err_set(err, EINVAL, "version %jd is not known here",
			       (intmax_t)version);
	if (copy_text(doc, "stream", head->stream, sizeof(head->stream), err) <
		    0 ||
	    copy_text(doc, "sensor", head->sensor, sizeof(head->sensor), err) <
		    0 ||
	    doc_need_int(doc, "first", &first, err) < 0 ||
	    doc_need_int(doc, "documents", &documents, err) < 0 ||
	    doc_need_int(doc, "time_ms", &head->time_ms, err) < 0)
		return -1;
	if (first < 0 || documents < 0 || documents > INT64_MAX - first)
		return err_set(err, EINVAL, "impossible numbers");
	head->first = (uint64_t)first;
	head->documents = (uint64_t)documents;
	return 0;
}

int stream_head_read(const char *text, size_t length, struct stream_head *head,
		     struct err *err)
{
	struct stream_head read = { 0 };
	struct doc *doc = doc_parse(text, length, err);
	int failed;

	if (!doc)
		return err_wrap(err, "head of the message");
	failed = read_members(doc, &read, err);
	doc_free(doc);
	if (failed)
		return err_wrap(err, "head of the message");
	*head = read;
	return 0;
}

/* ---- who is who ------------------------------------------------------------ */

struct streams *streams_new(void)
{
	return xcalloc(1, sizeof(struct streams));
}

void streams_free(struct streams *streams)
{
	if (!streams)
		return;
	tdestroy(streams->tree, free);
	free(streams->hole);
	free(streams);
}

static int compare_names(const void *a, const void *b)
{
	const struct stream *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct silent {
	struct streams *streams;
	int64_t before_ns;
	struct stream **stream;
	size_t count, capacity;
};

static void find_silent(const void *node, VISIT visit, void *arg)
{
	struct stream *stream = *(struct stream *const *)node;
	struct silent *silent = arg;

	if ((visit != postorder && visit != leaf) ||
	    stream->seen_ns >= silent->before_ns)
		return;
	for (size_t i = 0; i < silent->streams->holes; i++)
		if (silent->streams->hole[i].stream == stream)
			return;
	silent->stream = mem_grow(silent->stream, &silent->capacity,
				  silent->count + 1, sizeof(struct stream *));
	silent->stream[silent->count++] = stream;
}

static void forget_silent(struct streams *streams, int64_t before_ns)
{
	struct silent silent = { .streams = streams, .before_ns = before_ns };

	twalk_r(streams->tree, find_silent, &silent);
	for (size_t i = 0; i < silent.count; i++) {
		tdelete(silent.stream[i], &streams->tree, compare_names);
		free(silent.stream[i]);
	}
	free(silent.stream);
	streams->count -= silent.count;
}

static struct stream *stream_find(struct streams *streams,
				  const struct stream_head *head,
				  int64_t now_ns)
{
	struct stream key, *stream;
	void *at;

	memcpy(key.name, head->stream, sizeof(key.name));
	at = tfind(&key, &streams->tree, compare_names);
	if (at)
		return *(struct stream **)at;
	if (streams->count >= STREAMS_MAX)
		forget_silent(streams, now_ns - STREAMS_SILENT_NS);
	if (streams->count >= STREAMS_MAX)
		return NULL;
	stream = xcalloc(1, sizeof(*stream));
	memcpy(stream->name, head->stream, sizeof(stream->name));
	memcpy(stream->sensor, head->sensor, sizeof(stream->sensor));
	stream->next = head->first;
	stream->time_ms = head->time_ms;
	if (!tsearch(stream, &streams->tree, compare_names)) {
		free(stream);
		return NULL;
	}
	streams->count++;
	return stream;
}

/* ---- holes ---------------------------------------------------------------- */

static void hole_add(struct streams *streams, const struct hole *hole,
		     size_t at)
{
	if (streams->holes == HOLES_MAX || hole->first == hole->end)
		return;
	streams->hole = mem_grow(streams->hole, &streams->capacity,
				 streams->holes + 1, sizeof(*streams->hole));
	memmove(streams->hole + at + 1, streams->hole + at,
		(streams->holes - at) * sizeof(*streams->hole));
	streams->hole[at] = *hole;
	streams->holes++;
}

static void hole_remove(struct streams *streams, size_t at)
{
	streams->holes--;
	memmove(streams->hole + at, streams->hole + at + 1,
		(streams->holes - at) * sizeof(*streams->hole));
}

/* A message with numbers that passed already: does it fill a hole? */
static bool hole_fill(struct streams *streams, const struct stream *stream,
		      const struct stream_head *head)
{
	uint64_t end = head->first + head->documents;

	for (size_t i = 0; i < streams->holes; i++) {
		struct hole hole = streams->hole[i], rest = hole;

		if (hole.stream != stream || head->first < hole.first ||
		    end > hole.end)
			continue;
		hole_remove(streams, i);
		rest.first = end;
		hole_add(streams, &rest, i);
		rest = hole;
		rest.end = head->first;
		hole_add(streams, &rest, i);
		return true;
	}
	return false;
}

bool streams_take(struct streams *streams, const struct stream_head *head,
		  int64_t now_ns)
{
	struct stream *stream = stream_find(streams, head, now_ns);

	if (!stream)
		return true;
	stream->seen_ns = now_ns;
	if (head->first < stream->next) {
		bool filled = hole_fill(streams, stream, head);

		if (!filled)
			streams->duplicates += head->documents;
		return filled;
	}
	if (head->first > stream->next) {
		const struct hole hole = { stream,        stream->next,
					   head->first,   stream->time_ms,
					   head->time_ms, now_ns };

		hole_add(streams, &hole, streams->holes);
	}
	stream->next = head->first + head->documents;
	stream->time_ms = head->time_ms;
	return true;
}

bool streams_next_gap(struct streams *streams, int64_t now_ns, struct gap *gap)
{
	struct hole hole;

	if (streams->holes == 0)
		return false;
	hole = streams->hole[0];
	if (now_ns != INT64_MAX && now_ns - hole.seen_ns < STREAMS_PATIENCE_NS)
		return false;
	hole_remove(streams, 0);
	streams->lost += hole.end - hole.first;
	memcpy(streams->told, hole.stream->sensor, sizeof(streams->told));
	*gap = (struct gap){
		.sensor = streams->told[0] ? streams->told : NULL,
		.from_ms = hole.from_ms,
		.to_ms = hole.to_ms,
		.documents = hole.end - hole.first,
	};
	return true;
}

size_t streams_count(const struct streams *streams)
{
	return streams->count;
}

uint64_t streams_duplicates(const struct streams *streams)
{
	return streams->duplicates;
}

uint64_t streams_lost(const struct streams *streams)
{
	return streams->lost;
}
