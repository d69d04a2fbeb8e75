/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mongodb: what a collection holds, in the order of time.
 *
 * Reports come by timestamp and, within one, by sensor, `all` first, then by
 * target; nothing is deleted.  Documents without timestamps (records, tables,
 * rounds) come in the order in which they were written.  consume=1 is
 * PowerAPI's way: find_one_and_delete, in the collection's own order.
 */
#include "lib/source.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/cli.h"
#include "lib/mem.h"
#include "lib/mongo_client.h"

/* PowerAPI looks again after 100 ms. */
#define FOLLOW_NS 100000000L
/* Whole doubles up to here are the integers that they stand for. */
#define WHOLE_MAX 0x1p63

struct mongo_source {
	struct mongo_uri uri;
	mongoc_client_t *client;
	mongoc_collection_t *collection;
	mongoc_cursor_t *cursor; /* NULL: consuming */
	bson_t filter;
	/* The documents of one timestamp, sorted; and the first of the next. */
	struct doc **tick;
	size_t ticks, at, capacity;
	struct doc *ahead;
	bool ended, sorted;
	char *where;
	uint64_t number;
};

/* ---- what is asked for ---------------------------------------------------- */

/* A shell's pattern as a regular expression. */
static void put_pattern(struct text *out, const char *pattern)
{
	text_put_char(out, '^');
	for (; *pattern; pattern++) {
		if (*pattern == '*') {
			text_put(out, ".*");
		} else if (*pattern == '?') {
			text_put_char(out, '.');
		} else if (*pattern == '[' && strchr(pattern + 2, ']')) {
			text_put_char(out, '[');
			pattern++;
			if (*pattern == '!')
				text_put_char(out, '^');
			else
				pattern--;
			while (*++pattern != ']')
				text_put_bytes(out, pattern, 1);
			text_put_char(out, ']');
		} else {
			if (*pattern == '\\' && pattern[1])
				pattern++;
			if (strchr("\\^$.|?*+()[]{}/", *pattern))
				text_put_char(out, '\\');
			text_put_bytes(out, pattern, 1);
		}
	}
	text_put_char(out, '$');
}

static void ask_target(bson_t *filter, const char *pattern)
{
	struct text regex = TEXT_INIT;

	if (!strpbrk(pattern, "*?[\\")) {
		BSON_APPEND_UTF8(filter, "target", pattern);
		return;
	}
	put_pattern(&regex, pattern);
	BSON_APPEND_REGEX(filter, "target", regex.data, "s");
	text_done(&regex);
}

static void ask_time(bson_t *filter, const char *key, bool date,
		     const struct source_filter *wanted)
{
	bson_t range;

	if (!wanted->since_ms && !wanted->until_ms)
		return;
	BSON_APPEND_DOCUMENT_BEGIN(filter, key, &range);
	if (wanted->since_ms && date)
		BSON_APPEND_DATE_TIME(&range, "$gte", wanted->since_ms);
	else if (wanted->since_ms)
		BSON_APPEND_INT64(&range, "$gte", wanted->since_ms);
	if (wanted->until_ms && date)
		BSON_APPEND_DATE_TIME(&range, "$lt", wanted->until_ms);
	else if (wanted->until_ms)
		BSON_APPEND_INT64(&range, "$lt", wanted->until_ms);
	bson_append_document_end(filter, &range);
}

/* Are there timestamps in it?  1, 0, -1. */
static int has_dates(struct mongo_source *source, struct err *err)
{
	bson_t *query = BCON_NEW("timestamp", "{", "$type", "date", "}");
	bson_t *one = BCON_NEW("limit", BCON_INT64(1));
	mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(
		source->collection, query, one, NULL);
	const bson_t *found;
	bson_error_t what;
	int result = mongoc_cursor_next(cursor, &found);

	if (mongoc_cursor_error(cursor, &what))
		result = mongo_client_error(&what, err);
	mongoc_cursor_destroy(cursor);
	bson_destroy(query);
	bson_destroy(one);
	return result;
}

static int ask(struct mongo_source *source, const struct source_filter *wanted,
	       struct err *err)
{
	int dates = has_dates(source, err);
	bson_t *opts;

	if (dates < 0)
		return -1;
	/* An empty collection that is consumed will hold reports. */
	source->sorted = dates || source->uri.consume;
	if (wanted) {
		ask_time(&source->filter,
			 source->sorted ? "timestamp" : "time_ms",
			 source->sorted, wanted);
		if (wanted->target)
			ask_target(&source->filter, wanted->target);
	}
	if (source->uri.consume)
		return 0;
	opts = BCON_NEW("sort", "{", source->sorted ? "timestamp" : "_id",
			BCON_INT32(1), "}", "allowDiskUse", BCON_BOOL(true));
	source->cursor = mongoc_collection_find_with_opts(
		source->collection, &source->filter, opts, NULL);
	bson_destroy(opts);
	return 0;
}

/* ---- from BSON ------------------------------------------------------------ */

static struct doc *doc_from(bson_iter_t *members, bool array, bool counts);

/* Counts are whole numbers, whatever PowerAPI stores them as. */
static struct doc *real_from(double value, bool counts)
{
	if (counts && value == floor(value) && fabs(value) < WHOLE_MAX)
		return doc_new_int((int64_t)value);
	return doc_new_real(value);
}

static struct doc *bool_from(bool value)
{
	return doc_parse(value ? "true" : "false", value ? 4 : 5, NULL);
}

static struct doc *value_from(const bson_iter_t *iter, bool counts)
{
	char text[BSON_DECIMAL128_STRING];
	bson_decimal128_t decimal;
	bson_iter_t members;

	switch (bson_iter_type(iter)) {
	case BSON_TYPE_DOUBLE:
		return real_from(bson_iter_double(iter), counts);
	case BSON_TYPE_INT32:
	case BSON_TYPE_INT64:
		return doc_new_int(bson_iter_as_int64(iter));
	case BSON_TYPE_BOOL:
		return bool_from(bson_iter_bool(iter));
	case BSON_TYPE_UTF8:
		return doc_new_text(bson_iter_utf8(iter, NULL));
	case BSON_TYPE_DATE_TIME:
		return doc_new_int(bson_iter_date_time(iter));
	case BSON_TYPE_OID:
		bson_oid_to_string(bson_iter_oid(iter), text);
		return doc_new_text(text);
	case BSON_TYPE_DECIMAL128:
		bson_iter_decimal128(iter, &decimal);
		bson_decimal128_to_string(&decimal, text);
		return doc_new_text(text);
	case BSON_TYPE_DOCUMENT:
	case BSON_TYPE_ARRAY:
		if (!bson_iter_recurse(iter, &members))
			return NULL;
		return doc_from(&members,
				bson_iter_type(iter) == BSON_TYPE_ARRAY,
				counts);
	default:
		return NULL; /* JSON has nothing like it */
	}
}

static struct doc *doc_from(bson_iter_t *members, bool array, bool counts)
{
	struct doc *doc = array ? doc_new_array() : doc_new_object();

	while (bson_iter_next(members)) {
		struct doc *value = value_from(members, counts);

		if (array)
			doc_add_take(doc, value);
		else
			doc_set_take(doc, bson_iter_key(members), value);
	}
	return doc;
}

/* `_id` is the collection's, not the document's. */
static struct doc *document_from(const bson_t *bson)
{
	struct doc *doc = doc_new_object();
	bson_iter_t iter;

	if (!bson_iter_init(&iter, bson))
		return doc;
	while (bson_iter_next(&iter)) {
		const char *key = bson_iter_key(&iter);

		if (strcmp(key, "_id") != 0)
			doc_set_take(doc, key,
				     value_from(&iter, !strcmp(key, "groups")));
	}
	if (doc_get(doc, "schema") && doc_get(doc, "groups")) {
		/* Not a report: a real stays one. */
		doc_free(doc);
		bson_iter_init(&iter, bson);
		doc = doc_from(&iter, false, false);
		doc_set_take(doc, "_id", NULL);
	}
	return doc;
}

/* ---- one after the other -------------------------------------------------- */

static int cursor_next(struct mongo_source *source, struct doc **doc,
		       struct err *err)
{
	const bson_t *bson;
	bson_error_t what;

	if (source->ended)
		return 0;
	if (mongoc_cursor_next(source->cursor, &bson)) {
		*doc = document_from(bson);
		return 1;
	}
	source->ended = true;
	if (mongoc_cursor_error(source->cursor, &what))
		return mongo_client_error(&what, err);
	return 0;
}

static int order(const void *a, const void *b)
{
	const struct doc *one = *(struct doc *const *)a;
	const struct doc *other = *(struct doc *const *)b;
	const char *target = doc_string(doc_get(one, "target"), "");
	const char *than = doc_string(doc_get(other, "target"), "");
	int sensors = strcmp(doc_string(doc_get(one, "sensor"), ""),
			     doc_string(doc_get(other, "sensor"), ""));
	int all = !strcmp(than, "all") - !strcmp(target, "all");

	return sensors ? sensors : all ? all : strcmp(target, than);
}

static int64_t stamp(const struct doc *doc)
{
	return doc_int(doc_get(doc, "timestamp"), INT64_MIN);
}

/* All documents of the next timestamp. */
static int tick_read(struct mongo_source *source, struct err *err)
{
	struct doc *next = source->ahead;
	int got = next ? 1 : cursor_next(source, &next, err);

	source->ticks = source->at = 0;
	source->ahead = NULL;
	while (got > 0) {
		if (source->ticks && stamp(next) != stamp(source->tick[0])) {
			source->ahead = next;
			break;
		}
		source->tick =
			mem_grow(source->tick, &source->capacity,
				 source->ticks + 1, sizeof(struct doc *));
		source->tick[source->ticks++] = next;
		got = cursor_next(source, &next, err);
	}
	if (got < 0)
		return -1;
	if (source->ticks > 1)
		qsort(source->tick, source->ticks, sizeof(struct doc *), order);
	return source->ticks > 0;
}

/* 1, 0 where there is none now, -1. */
static int take_one(struct mongo_source *source, struct doc **doc,
		    struct err *err)
{
	mongoc_find_and_modify_opts_t *opts = mongoc_find_and_modify_opts_new();
	bson_error_t what;
	bson_iter_t iter;
	bson_t reply, value;
	const uint8_t *bytes;
	uint32_t length;
	int got = 0;

	mongoc_find_and_modify_opts_set_flags(opts,
					      MONGOC_FIND_AND_MODIFY_REMOVE);
	if (!mongoc_collection_find_and_modify_with_opts(
		    source->collection, &source->filter, opts, &reply, &what))
		got = mongo_client_error(&what, err);
	else if (bson_iter_init_find(&iter, &reply, "value") &&
		 BSON_ITER_HOLDS_DOCUMENT(&iter)) {
		bson_iter_document(&iter, &length, &bytes);
		if (bson_init_static(&value, bytes, length)) {
			*doc = document_from(&value);
			got = 1;
		}
	}
	bson_destroy(&reply);
	mongoc_find_and_modify_opts_destroy(opts);
	return got;
}

static int consume(struct mongo_source *source, struct doc **doc,
		   struct err *err)
{
	static const struct timespec pause = { .tv_nsec = FOLLOW_NS };
	int got;

	while (!(got = take_one(source, doc, err)) && source->uri.follow &&
	       !cli_stop_signal())
		nanosleep(&pause, NULL);
	return got;
}

static int mongo_source_next(void *self, struct doc **doc, struct err *err)
{
	struct mongo_source *source = self;
	int got;

	if (source->uri.consume)
		got = consume(source, doc, err);
	else if (!source->sorted)
		got = cursor_next(source, doc, err);
	else
		got = source->at < source->ticks ? 1 : tick_read(source, err);
	if (got < 0)
		return err_wrap(err, "mongodb %s", source->uri.shown);
	if (got > 0 && !source->uri.consume && source->sorted)
		*doc = source->tick[source->at++];
	source->number += got > 0;
	return got;
}

static const char *mongo_source_where(const void *self)
{
	const struct mongo_source *source = self;

	(void)snprintf(source->where, strlen(source->uri.shown) + 64,
		       "%s, document %ju", source->uri.shown,
		       (uintmax_t)source->number);
	return source->where;
}

static void mongo_source_close(void *self)
{
	struct mongo_source *source = self;

	while (source->at < source->ticks)
		doc_free(source->tick[source->at++]);
	doc_free(source->ahead);
	free(source->tick);
	if (source->cursor)
		mongoc_cursor_destroy(source->cursor);
	if (source->collection)
		mongoc_collection_destroy(source->collection);
	if (source->client)
		mongoc_client_destroy(source->client);
	bson_destroy(&source->filter);
	mongo_uri_done(&source->uri);
	free(source->where);
	free(source);
}

static void *mongo_source_open(const char *rest,
			       const struct source_filter *filter,
			       struct err *err)
{
	struct mongo_source *source = xcalloc(1, sizeof(*source));

	bson_init(&source->filter);
	if (mongo_uri_read(&source->uri, rest, err) < 0)
		goto fail;
	source->where = xcalloc(1, strlen(source->uri.shown) + 64);
	source->client = mongo_client_open(&source->uri, err);
	if (!source->client)
		goto fail;
	source->collection = mongoc_client_get_collection(
		source->client, source->uri.database, source->uri.collection);
	if (ask(source, filter, err) < 0)
		goto fail;
	return source;
fail:
	mongo_source_close(source);
	return NULL;
}

extern const struct source_kind source_kind_mongo;
const struct source_kind source_kind_mongo = {
	.scheme = "mongodb",
	.open_filtered = mongo_source_open,
	.next = mongo_source_next,
	.where = mongo_source_where,
	.close = mongo_source_close,
	.summary = "mongodb://HOST/DB?collection=C\tby time and target; "
		   "consume=1 takes them out",
};
