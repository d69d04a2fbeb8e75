/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/place.h"

extern const struct sink_kind sink_kind_csv;
extern const struct sink_kind sink_kind_influx;
extern const struct sink_kind sink_kind_jsonl;
extern const struct sink_kind sink_kind_mongo;
extern const struct sink_kind sink_kind_null;
extern const struct sink_kind sink_kind_tcp;
extern const struct sink_kind sink_kind_prometheus;
extern const struct sink_kind sink_kind_zmq;

/* clang-format off */
static const struct sink_kind *const kinds[] = {
	&sink_kind_jsonl,
	&sink_kind_csv,
	&sink_kind_tcp,
#ifndef WITHOUT_MONGO
	&sink_kind_mongo,
#endif
	&sink_kind_zmq,
	&sink_kind_prometheus,
	&sink_kind_influx,
	&sink_kind_null,
};
/* clang-format on */

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct sink {
	const struct sink_kind *kind;
	void *self;
	char *uri;
	char *name; /* "jsonl trace.jsonl", for messages */
	uint64_t documents;
};

/* ---- one ----------------------------------------------------------------- */

static const struct sink_kind *kind_find(const char *scheme, size_t length)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strlen(kinds[i]->scheme) == length &&
		    !strncmp(kinds[i]->scheme, scheme, length))
			return kinds[i];
	return NULL;
}

static int kind_unknown(const char *uri, size_t length, struct err *err)
{
	struct text known = TEXT_INIT;

	for (size_t i = 0; i < KINDS; i++)
		text_printf(&known, "%s%s:", i ? ", " : "", kinds[i]->scheme);
	err_set(err, EINVAL, "'%.200s': cannot write to '%.*s:'", uri,
		(int)length, uri);
	err_remedy(err, "there are: %s; a file of that name is jsonl:%.200s",
		   known.data, uri);
	text_done(&known);
	return -1;
}

static struct sink *sink_new(const struct sink_kind *kind, void *self,
			     const char *uri, char *name_taken)
{
	struct sink *sink = xcalloc(1, sizeof(*sink));

	sink->kind = kind;
	sink->self = self;
	sink->uri = place_shown(uri);
	sink->name = name_taken;
	return sink;
}

struct sink *sink_open(const char *uri, struct err *err)
{
	size_t length = place_scheme(uri);
	const struct sink_kind *kind = &sink_kind_jsonl;
	const char *rest = uri;
	char *name, *shown;
	void *self;

	if (length > 0) {
		kind = kind_find(uri, length);
		rest = uri + length + 1;
	}
	if (!kind) {
		kind_unknown(uri, length, err);
		return NULL;
	}
	shown = place_shown(rest);
	name = xasprintf("%s %.*s", kind->scheme, (int)strcspn(shown, "?"),
			 shown);
	free(shown);
	self = kind->open(rest, err);
	if (!self) {
		err_wrap(err, "%s", name);
		free(name);
		return NULL;
	}
	return sink_new(kind, self, uri, name);
}

static int sink_result(const struct sink *sink, int failed, struct err *err)
{
	if (failed && sink->name)
		err_wrap(err, "%s", sink->name);
	return failed ? -1 : 0;
}

int sink_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	int failed = sink->kind->put(sink->self, batch, err);

	if (!failed)
		sink->documents += batch->rows;
	return sink_result(sink, failed, err);
}

int sink_put_doc(struct sink *sink, const struct doc *doc, struct err *err)
{
	int failed = sink->kind->put_doc(sink->self, doc, err);

	if (!failed)
		sink->documents++;
	return sink_result(sink, failed, err);
}

int sink_flush(struct sink *sink, struct err *err)
{
	return sink_result(sink, sink->kind->flush(sink->self, err), err);
}

int sink_close(struct sink *sink, struct err *err)
{
	int failed;

	if (!sink)
		return 0;
	failed = sink_result(sink, sink->kind->close(sink->self, err), err);
	free(sink->uri);
	free(sink->name);
	free(sink);
	return failed;
}

const char *sink_uri(const struct sink *sink)
{
	return sink->uri;
}

const char *sink_file(const struct sink *sink)
{
	return sink->kind->file ? sink->kind->file(sink->self) : NULL;
}

bool sink_bare(const struct sink *sink)
{
	return sink->kind->bare && sink->kind->bare(sink->self);
}

uint64_t sink_documents(const struct sink *sink)
{
	return sink->documents;
}

/* ---- several ------------------------------------------------------------- */

struct tee {
	struct sink **sink;
	size_t sinks;
};

/* Every sink gets its turn, whatever happened to those before; the first
 * failure is told. */
static int tee_result(int before, int now, const struct err *what,
		      struct err *err)
{
	if (now < 0 && before == 0 && err)
		*err = *what;
	return before < 0 ? before : now;
}

static int tee_put(void *self, const struct batch *batch, struct err *err)
{
	struct tee *tee = self;
	int failed = 0;

	for (size_t i = 0; i < tee->sinks; i++) {
		struct err what = { 0 };
		int now = sink_put(tee->sink[i], batch, &what);

		failed = tee_result(failed, now, &what, err);
	}
	return failed;
}

static int tee_put_doc(void *self, const struct doc *doc, struct err *err)
{
	struct tee *tee = self;
	int failed = 0;

	for (size_t i = 0; i < tee->sinks; i++) {
		struct err what = { 0 };
		int now = sink_put_doc(tee->sink[i], doc, &what);

		failed = tee_result(failed, now, &what, err);
	}
	return failed;
}

static int tee_flush(void *self, struct err *err)
{
	struct tee *tee = self;
	int failed = 0;

	for (size_t i = 0; i < tee->sinks; i++) {
		struct err what = { 0 };
		int now = sink_flush(tee->sink[i], &what);

		failed = tee_result(failed, now, &what, err);
	}
	return failed;
}

static int tee_close(void *self, struct err *err)
{
	struct tee *tee = self;
	int failed = 0;

	for (size_t i = 0; i < tee->sinks; i++) {
		struct err what = { 0 };
		int now = sink_close(tee->sink[i], &what);

		failed = tee_result(failed, now, &what, err);
	}
	free(tee->sink);
	free(tee);
	return failed;
}

static const char *tee_file(const void *self)
{
	const struct tee *tee = self;

	for (size_t i = 0; i < tee->sinks; i++)
		if (sink_file(tee->sink[i]))
			return sink_file(tee->sink[i]);
	return NULL;
}

static bool tee_bare(const void *self)
{
	const struct tee *tee = self;
	bool bare = true;

	for (size_t i = 0; i < tee->sinks; i++)
		bare &= sink_bare(tee->sink[i]);
	return bare;
}

static const struct sink_kind tee_kind = {
	.scheme = "tee",
	.put = tee_put,
	.put_doc = tee_put_doc,
	.flush = tee_flush,
	.close = tee_close,
	.file = tee_file,
	.bare = tee_bare,
};

static struct sink *tee_open(const struct field_list *uris, struct err *err)
{
	struct tee *tee = xcalloc(1, sizeof(*tee));
	struct text names = TEXT_INIT;
	struct sink *sink;

	tee->sink = xcalloc(uris->count, sizeof(struct sink *));
	for (; tee->sinks < uris->count; tee->sinks++) {
		const char *uri = uris->item[tee->sinks];

		tee->sink[tee->sinks] = sink_open(uri, err);
		if (!tee->sink[tee->sinks]) {
			tee_close(tee, NULL);
			text_done(&names);
			return NULL;
		}
		text_printf(&names, "%s%s", names.length ? ", " : "", uri);
	}
	sink = sink_new(&tee_kind, tee, names.data, NULL);
	text_done(&names);
	return sink;
}

struct sink *sink_open_all(const struct field_list *uris, const char *fallback,
			   struct err *err)
{
	if (uris->count == 0)
		return sink_open(fallback ? fallback : "null:", err);
	if (uris->count == 1)
		return sink_open(uris->item[0], err);
	return tee_open(uris, err);
}
