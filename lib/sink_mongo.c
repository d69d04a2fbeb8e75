/* SPDX-License-Identifier: BSD-3-Clause */
/* mongodb: PowerAPI's documents, and ours, through a writer that loses none. */
#include "lib/sink.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/folder.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mongo_bson.h"
#include "lib/mongo_client.h"
#include "lib/mongo_writer.h"

#define TEMPLATES_MAX 256
#define FLUSH_SECONDS 10.0

struct mongo_sink {
	struct mongo_uri uri;
	struct mongo_writer *writer;
	struct known {
		uint64_t layout;
		struct mongo_template *template;
	} known[TEMPLATES_MAX];
	size_t knowns;
	atomic_bool reports; /* some were put: they want an index */
	/* The sender's own. */
	mongoc_client_t *client;
	mongoc_collection_t *collection, *gaps;
	bool admitted, prepared;
};

/* ---- the link ------------------------------------------------------------- */

static void disconnect(struct mongo_sink *sink)
{
	if (sink->collection)
		mongoc_collection_destroy(sink->collection);
	if (sink->gaps)
		mongoc_collection_destroy(sink->gaps);
	if (sink->client)
		mongoc_client_destroy(sink->client);
	sink->collection = sink->gaps = NULL;
	sink->client = NULL;
}

static int link_connect(void *self, struct err *err)
{
	struct mongo_sink *sink = self;
	char *gaps;

	disconnect(sink);
	sink->client = mongo_client_open(&sink->uri, err);
	if (!sink->client)
		return -1;
	/* Later on it may be slow, and is not asked what it said before. */
	if (!sink->admitted &&
	    mongo_client_admitted(sink->client, &sink->uri, err) < 0)
		return -1;
	sink->admitted = true;
	gaps = xasprintf("%s.gaps", sink->uri.collection);
	sink->collection = mongoc_client_get_collection(
		sink->client, sink->uri.database, sink->uri.collection);
	sink->gaps = mongoc_client_get_collection(sink->client,
						  sink->uri.database, gaps);
	free(gaps);
	return 0;
}

/* A failure is a warning; where the server is gone it is none yet. */
static void try_command(struct mongo_sink *sink, bson_t *command,
			const char *what)
{
	bson_error_t error;

	if (!mongoc_client_write_command_with_opts(sink->client,
						   sink->uri.database, command,
						   NULL, NULL, &error)) {
		if (error.domain == MONGOC_ERROR_STREAM)
			sink->prepared = false;
		else
			log_warn("mongodb", "%s: %s: %s", sink->uri.shown, what,
				 error.message);
	}
	bson_destroy(command);
}

/* What reports are looked for by, and how long they stay; once. */
static void prepare(struct mongo_sink *sink)
{
	const char *name = sink->uri.collection;

	if (sink->prepared || !atomic_load(&sink->reports))
		return;
	sink->prepared = true;
	if (sink->uri.timeseries)
		try_command(sink,
			    BCON_NEW("create", BCON_UTF8(name), "timeseries",
				     "{", "timeField", "timestamp", "metaField",
				     "target", "}"),
			    "not a time-series collection");
	try_command(sink,
		    BCON_NEW("createIndexes", BCON_UTF8(name), "indexes", "[",
			     "{", "key", "{", "sensor", BCON_INT32(1), "target",
			     BCON_INT32(1), "timestamp", BCON_INT32(1), "}",
			     "name", "sensor_1_target_1_timestamp_1", "}", "]"),
		    "no index");
	if (sink->uri.ttl_s > 0)
		try_command(sink,
			    BCON_NEW("createIndexes", BCON_UTF8(name),
				     "indexes", "[", "{", "key", "{",
				     "timestamp", BCON_INT32(1), "}", "name",
				     "timestamp_1", "expireAfterSeconds",
				     BCON_INT64((int64_t)sink->uri.ttl_s), "}",
				     "]"),
			    "documents will not expire");
}

/* What the server says of single documents; false where it does not. */
static bool read_errors(const bson_t *reply, size_t documents,
			enum mongo_fate *fate, struct err *err)
{
	bson_iter_t iter, list, member;
	bool any = false;

	if (!bson_iter_init_find(&iter, reply, "writeErrors") ||
	    !bson_iter_recurse(&iter, &list))
		return false;
	while (bson_iter_next(&list)) {
		int64_t index = -1, code = 0;
		const char *message = "";

		if (!bson_iter_recurse(&list, &member))
			continue;
		while (bson_iter_next(&member)) {
			const char *key = bson_iter_key(&member);

			if (!strcmp(key, "index"))
				index = bson_iter_as_int64(&member);
			else if (!strcmp(key, "code"))
				code = bson_iter_as_int64(&member);
			else if (!strcmp(key, "errmsg") &&
				 BSON_ITER_HOLDS_UTF8(&member))
				message = bson_iter_utf8(&member, NULL);
		}
		if (index < 0 || (size_t)index >= documents)
			continue;
		any = true;
		fate[index] = mongo_triage((int)code, message);
		if (fate[index] != MONGO_STORED)
			err_set(err, EIO, "%s", message);
	}
	return any;
}

static bool has_items(const bson_t *reply, const char *key)
{
	bson_iter_t iter, list;

	return bson_iter_init_find(&iter, reply, key) &&
	       bson_iter_recurse(&iter, &list) && bson_iter_next(&list);
}

/* Of the whole batch where the server does not speak of single documents: a
 * write concern that was not met means that they are there. */
static int judge(const bson_t *reply, const bson_error_t *error,
		 size_t documents, enum mongo_fate *fate, struct err *err)
{
	bool lost = error->domain == MONGOC_ERROR_STREAM ||
		    error->domain == MONGOC_ERROR_SERVER_SELECTION;

	if (!lost && read_errors(reply, documents, fate, err))
		return 0;
	if (!lost && has_items(reply, "writeConcernErrors"))
		return 0;
	return mongo_client_error(error, err);
}

/* libmongoc sends as many bulks as it takes; one, as a rule.  We wrote the
 * documents and the server looks at them: libmongoc need not. */
static int link_insert(void *self, bool gaps, const char *bytes, size_t length,
		       size_t documents, enum mongo_fate *fate, struct err *err)
{
	struct mongo_sink *sink = self;
	bson_t *doc = xcalloc_aligned(documents, sizeof(*doc));
	const bson_t **list = xcalloc(documents, sizeof(bson_t *));
	bson_t *opts = BCON_NEW("ordered", BCON_BOOL(false), "validate",
				BCON_BOOL(false));
	bson_error_t error = { 0 };
	bson_t reply;
	size_t count = 0, n;
	int status = 0;

	prepare(sink);
	while (count < documents &&
	       (n = mongo_document_length(bytes, length)) > 0) {
		if (bson_init_static(&doc[count], (const uint8_t *)bytes, n)) {
			list[count] = &doc[count];
			count++;
		}
		bytes += n;
		length -= n;
	}
	if (!mongoc_collection_insert_many(gaps ? sink->gaps : sink->collection,
					   list, count, opts, &reply, &error))
		status = judge(&reply, &error, documents, fate, err);
	bson_destroy(&reply);
	bson_destroy(opts);
	free(list);
	free(doc);
	return status;
}

/* ---- the sink ------------------------------------------------------------- */

static void sink_free(struct mongo_sink *sink)
{
	disconnect(sink);
	for (size_t i = 0; i < sink->knowns; i++)
		mongo_template_free(sink->known[i].template);
	mongo_uri_done(&sink->uri);
	free(sink);
}

/* FOLDER/mongodb-DIGEST: one place, one name, and no password in it.  NULL where
 * there is no such folder, which is an error only where it was named. */
static int spool_base(const struct mongo_uri *uri, char **base, struct err *err)
{
	char *state = folder_state();
	char *folder = uri->spool ? xstrdup(uri->spool)
		       : state    ? xasprintf("%s/spool", state)
				  : NULL;
	struct doc *place = doc_new_text(uri->shown);
	char digest[DOC_DIGEST_MAX];
	struct err what = { 0 };
	int failed = 0;

	*base = NULL;
	if (!folder || folder_make(folder, &what) < 0) {
		if (!uri->spool)
			log_warn("mongodb",
				 "%s: no spool (%s): documents that memory "
				 "cannot hold will be dropped and counted",
				 uri->shown,
				 folder ? what.text : "HOME is not set");
		else if (err)
			*err = what;
		failed = uri->spool ? -1 : 0;
	} else {
		*base = xasprintf("%s/mongodb-%s", folder,
				  doc_digest(place, digest));
	}
	doc_free(place);
	free(folder);
	free(state);
	return failed;
}

static void *mongo_sink_open(const char *rest, struct err *err)
{
	struct mongo_sink *sink = xcalloc(1, sizeof(*sink));
	struct mongo_link link = { sink, link_connect, link_insert };
	struct mongo_options options = { 0 };
	char *base = NULL;

	if (mongo_uri_read(&sink->uri, rest, err) < 0 ||
	    spool_base(&sink->uri, &base, err) < 0)
		goto fail;
	options.name = sink->uri.shown;
	options.spool = base;
	options.spool_bytes = (uint64_t)sink->uri.spool_bytes;
	sink->writer = mongo_writer_new(&link, &options, err);
	if (!sink->writer)
		goto fail;
	free(base);
	return sink;
fail:
	free(base);
	sink_free(sink);
	return NULL;
}

static void forget_templates(struct mongo_sink *sink)
{
	while (sink->knowns > 0)
		mongo_template_free(sink->known[--sink->knowns].template);
}

static struct mongo_template *template_for(struct mongo_sink *sink,
					   const struct layout *layout)
{
	struct known *known;

	for (size_t i = sink->knowns; i > 0; i--)
		if (sink->known[i - 1].layout == layout->id)
			return sink->known[i - 1].template;
	if (sink->knowns == TEMPLATES_MAX)
		forget_templates(sink);
	known = &sink->known[sink->knowns++];
	known->layout = layout->id;
	known->template = mongo_template_new(layout, sink->uri.int64);
	return known->template;
}

/* Never waits, and never fails: what could not be taken is counted, leaves a gap
 * record, and is told at the end. */
static int mongo_sink_put(void *self, const struct batch *batch,
			  struct err *err)
{
	struct mongo_sink *sink = self;
	struct mongo_writer *writer = sink->writer;
	struct mongo_template *template = NULL;
	uint64_t layout = 0;

	(void)err;
	atomic_store(&sink->reports, true);
	if (mongo_writer_begin(writer, false, batch->time_ms, batch->sensor,
			       batch->rows) < 0)
		goto out;
	for (size_t i = 0; i < batch->rows; i++) {
		const struct row *row = &batch->row[i];

		if (!template || row->layout->id != layout) {
			template = template_for(sink, row->layout);
			layout = row->layout->id;
		}
		mongo_put_row(template, batch, row, mongo_writer_id(writer),
			      mongo_writer_text(writer));
		mongo_writer_add(writer, NULL);
	}
out:
	mongo_writer_end(writer);
	return 0;
}

static int mongo_sink_put_doc(void *self, const struct doc *doc,
			      struct err *err)
{
	struct mongo_sink *sink = self;
	struct mongo_writer *writer = sink->writer;
	const char *sensor = doc_string(doc_get(doc, "sensor"), NULL);
	const struct doc *time = doc_get(doc, "timestamp");
	int failed;

	if (mongo_is_report(doc))
		atomic_store(&sink->reports, true);
	if (!time)
		time = doc_get(doc, "time_ms");
	failed = mongo_writer_begin(writer, true, doc_int(time, 0), sensor, 1);
	if (!failed) {
		mongo_put_doc(doc, mongo_writer_id(writer), sink->uri.int64,
			      mongo_writer_text(writer));
		failed = mongo_writer_add(writer, err);
	} else {
		err_set(err, ENOSPC,
			"is away, and neither memory nor spool has room");
	}
	mongo_writer_end(writer);
	return failed;
}

static int mongo_sink_flush(void *self, struct err *err)
{
	struct mongo_sink *sink = self;

	return mongo_writer_flush(sink->writer, FLUSH_SECONDS, err);
}

static int mongo_sink_close(void *self, struct err *err)
{
	struct mongo_sink *sink = self;
	int failed = mongo_writer_close(sink->writer, err);

	sink_free(sink);
	return failed;
}

extern const struct sink_kind sink_kind_mongo;
const struct sink_kind sink_kind_mongo = {
	.scheme = "mongodb",
	.open = mongo_sink_open,
	.put = mongo_sink_put,
	.put_doc = mongo_sink_put_doc,
	.flush = mongo_sink_flush,
	.close = mongo_sink_close,
	.summary = "mongodb://HOST/DB?collection=C\tPowerAPI's documents, "
		   "spooled while the server is away",
};
