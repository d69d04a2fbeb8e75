/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/source.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/instant.h"
#include "lib/mem.h"
#include "lib/place.h"

extern const struct source_kind source_kind_csv;
extern const struct source_kind source_kind_jsonl;
extern const struct source_kind source_kind_tcp_listen;
extern const struct source_kind source_kind_mongo;
extern const struct source_kind source_kind_zmq;

/* clang-format off */
static const struct source_kind *const kinds[] = {
	&source_kind_jsonl,
	&source_kind_csv,
	&source_kind_tcp_listen,
#ifndef WITHOUT_MONGO
	&source_kind_mongo,
#endif
	&source_kind_zmq,
};
/* clang-format on */

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct source {
	const struct source_kind *kind;
	void *self;
	struct source_filter filter;
	char *target; /* the filter's, ours */
};

/* ---- opening ------------------------------------------------------------- */

static const struct source_kind *kind_find(const char *scheme, size_t length)
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
	err_set(err, EINVAL, "'%.200s': cannot read from '%.*s:'", uri,
		(int)length, uri);
	err_remedy(err, "there are: %s; a file of that name is jsonl:%.200s",
		   known.data, uri);
	text_done(&known);
	return -1;
}

struct source *source_open(const char *uri, const struct source_filter *filter,
			   struct err *err)
{
	size_t length = place_scheme(uri);
	const struct source_kind *kind = &source_kind_jsonl;
	const char *rest = uri;
	struct source *source;
	void *self;

	if (length > 0) {
		kind = kind_find(uri, length);
		rest = uri + length + 1;
	}
	if (!kind) {
		kind_unknown(uri, length, err);
		return NULL;
	}
	self = kind->open_filtered ? kind->open_filtered(rest, filter, err)
				   : kind->open(rest, err);
	if (!self) {
		char *shown = place_shown(rest);

		err_wrap(err, "%s %.*s", kind->scheme, (int)strcspn(shown, "?"),
			 shown);
		free(shown);
		return NULL;
	}
	source = xcalloc(1, sizeof(*source));
	source->kind = kind;
	source->self = self;
	if (filter) {
		source->filter = *filter;
		if (filter->target)
			source->target = xstrdup(filter->target);
	}
	return source;
}

/* ---- filtering ----------------------------------------------------------- */

bool source_time_ms(const struct doc *time, int64_t *ms)
{
	const char *text = doc_string(time, NULL);
	char *end;

	if (doc_kind(time) == DOC_INT || doc_kind(time) == DOC_REAL) {
		double value = doc_real(time, 0);

		if (!(fabs(value) < 0x1p62))
			return false;
		*ms = doc_int(time, (int64_t)value);
		return true;
	}
	if (!text)
		return false;
	*ms = strtoll(text, &end, 10);
	return (end != text && !*end) || instant_is_date(text, ms);
}

static bool doc_ms(const struct doc *doc, int64_t *ms)
{
	const struct doc *time = doc_get(doc, "timestamp");

	if (!time)
		time = doc_get(doc, "time_ms");
	return source_time_ms(time, ms);
}

static bool is_wanted(const struct source *source, const struct doc *doc)
{
	const struct source_filter *filter = &source->filter;
	const char *target;
	int64_t ms;

	if (filter->since_ms || filter->until_ms) {
		if (!doc_ms(doc, &ms))
			return false;
		if (filter->since_ms && ms < filter->since_ms)
			return false;
		if (filter->until_ms && ms >= filter->until_ms)
			return false;
	}
	if (!source->target)
		return true;
	target = doc_string(doc_get(doc, "target"), NULL);
	return target && fnmatch(source->target, target, 0) == 0;
}

int source_next(struct source *source, struct doc **doc, struct err *err)
{
	struct doc *next;
	int got;

	while ((got = source->kind->next(source->self, &next, err)) > 0) {
		if (is_wanted(source, next)) {
			*doc = next;
			return 1;
		}
		doc_free(next);
	}
	return got;
}

const char *source_where(const struct source *source)
{
	return source->kind->where(source->self);
}

bool source_torn(const struct source *source)
{
	return source->kind->torn && source->kind->torn(source->self);
}

bool source_drains(const struct source *source)
{
	return source->kind->drains;
}

void source_close(struct source *source)
{
	if (!source)
		return;
	source->kind->close(source->self);
	free(source->target);
	free(source);
}
