/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jsonl: one JSON document a line; zstd frames are unpacked, follow=1 goes on
 * at the end of a growing file, parts=1 begins with what was rotated away.
 */
#include "lib/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/place.h"
#include "lib/tail.h"
#include "lib/text.h"

#define CHUNK ((size_t)64 << 10)

struct jsonl {
	struct tail_options options;
	struct tail *tail;
	char *chunk;    /* what was read */
	size_t at, end; /* of it, what is not used yet */
	struct text line;
	size_t number; /* of the line, from 1 */
	char *where;
	bool torn;
};

static void jsonl_close(void *self)
{
	struct jsonl *jsonl = self;

	tail_close(jsonl->tail);
	text_done(&jsonl->line);
	free(jsonl->chunk);
	free(jsonl->where);
	free(jsonl);
}

static const struct field fields[] = {
	{ "follow", FIELD_BOOL, offsetof(struct tail_options, follow),
	  .help = "go on at the end" },
	{ "parts", FIELD_BOOL, offsetof(struct tail_options, parts),
	  .help = "begin with what was rotated away" },
	FIELD_END
};

static void *jsonl_open(const char *rest, struct err *err)
{
	struct jsonl *jsonl = xcalloc(1, sizeof(*jsonl));
	char *path = place_name(rest, fields, &jsonl->options, err);

	if (path && !*path)
		err_set(err, EINVAL,
			"a file's name is missing "
			"(jsonl:FILE, or jsonl:- for stdin)");
	else if (path)
		jsonl->tail = tail_open(path, &jsonl->options, err);
	jsonl->where = path;
	if (!jsonl->tail) {
		jsonl_close(jsonl);
		return NULL;
	}
	jsonl->chunk = xmalloc(CHUNK);
	return jsonl;
}

/* 1 when there is something in the chunk, 0 at the end of a file. */
static int chunk_fill(struct jsonl *jsonl, struct err *err)
{
	ssize_t n;

	if (jsonl->at < jsonl->end)
		return 1;
	n = tail_read(jsonl->tail, jsonl->chunk, CHUNK, err);
	if (n < 0)
		return -1;
	jsonl->at = 0;
	jsonl->end = (size_t)n;
	return n > 0;
}

/* The next line of the file, without its newline, into `line`.  1, 0 at the
 * end, -1; `ended` says whether the newline was there. */
static int line_read(struct jsonl *jsonl, bool *ended, struct err *err)
{
	text_clear(&jsonl->line);
	*ended = false;
	jsonl->number++;
	while (!*ended) {
		int got = chunk_fill(jsonl, err);
		const char *from = jsonl->chunk + jsonl->at;
		size_t length = jsonl->end - jsonl->at;
		const char *newline;

		if (got < 0)
			return -1;
		if (got == 0)
			return jsonl->line.length > 0;
		newline = memchr(from, '\n', length);
		if (newline)
			length = (size_t)(newline - from);
		if (jsonl->line.length + length > SOURCE_DOCUMENT_MAX)
			return err_set(err, EFBIG,
				       "%s:%zu: longer than %zu bytes",
				       tail_path(jsonl->tail), jsonl->number,
				       SOURCE_DOCUMENT_MAX);
		text_put_bytes(&jsonl->line, from, length);
		*ended = newline != NULL;
		jsonl->at += length + *ended;
	}
	return 1;
}

static bool is_blank(const struct text *line)
{
	for (size_t i = 0; i < line->length; i++)
		if (!strchr(" \t\r", line->data[i]) || !line->data[i])
			return false;
	return true;
}

/* doc_parse() counts lines from the document's beginning: here it has one. */
static int damage(const struct jsonl *jsonl, struct err *err)
{
	static const char first[] = "line 1, ";

	if (err && !strncmp(err->text, first, strlen(first)))
		memmove(err->text, err->text + strlen(first),
			strlen(err->text) - strlen(first) + 1);
	return err_wrap(err, "%s:%zu", tail_path(jsonl->tail), jsonl->number);
}

/* The document in `line`; NULL when it is none. */
static struct doc *line_parse(const struct jsonl *jsonl, struct err *err)
{
	struct doc *doc = doc_parse(jsonl->line.data, jsonl->line.length, err);

	if (doc && doc_kind(doc) != DOC_OBJECT) {
		doc_free(doc);
		doc = NULL;
		err_set(err, EINVAL, "expected a JSON object");
	}
	return doc;
}

/* From the file at hand: 1, 0 at its end, -1. */
static int file_next(struct jsonl *jsonl, struct doc **doc, struct err *err)
{
	struct err what = { 0 };
	bool ended;
	int got;

	do
		got = line_read(jsonl, &ended, err);
	while (got > 0 && is_blank(&jsonl->line));
	if (got <= 0) {
		jsonl->torn |= got == 0 && tail_is_cut(jsonl->tail);
		return got;
	}
	free(jsonl->where);
	jsonl->where =
		xasprintf("%s:%zu", tail_path(jsonl->tail), jsonl->number);
	*doc = line_parse(jsonl, &what);
	if (*doc)
		return 1;
	if (!ended) {
		jsonl->torn = true;
		return 0;
	}
	if (err)
		*err = what;
	return damage(jsonl, err);
}

static int jsonl_next(void *self, struct doc **doc, struct err *err)
{
	struct jsonl *jsonl = self;
	int got;

	while ((got = file_next(jsonl, doc, err)) == 0) {
		got = tail_next(jsonl->tail, err);
		if (got <= 0)
			break;
		jsonl->number = 0;
	}
	return got;
}

static const char *jsonl_where(const void *self)
{
	const struct jsonl *jsonl = self;

	return jsonl->where;
}

static bool jsonl_torn(const void *self)
{
	const struct jsonl *jsonl = self;

	return jsonl->torn;
}

const struct source_kind source_kind_jsonl = {
	.scheme = "jsonl",
	.open = jsonl_open,
	.next = jsonl_next,
	.where = jsonl_where,
	.torn = jsonl_torn,
	.close = jsonl_close,
	.summary =
		"jsonl:FILE\tone JSON document a line (- is stdin; follow=1)",
};
