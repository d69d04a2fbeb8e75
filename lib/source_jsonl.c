/* SPDX-License-Identifier: BSD-3-Clause */
/* jsonl: one JSON document a line. */
#include "lib/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/place.h"
#include "lib/text.h"

#define CHUNK ((size_t)64 << 10)

struct jsonl {
	int fd;
	char *path;
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

	if (jsonl->fd > STDIN_FILENO)
		close(jsonl->fd);
	text_done(&jsonl->line);
	free(jsonl->chunk);
	free(jsonl->where);
	free(jsonl->path);
	free(jsonl);
}

static int file_open(struct jsonl *jsonl, struct err *err)
{
	struct stat status;

	if (!strcmp(jsonl->path, "-")) {
		jsonl->fd = STDIN_FILENO;
		return 0;
	}
	jsonl->fd = open(jsonl->path, O_RDONLY | O_CLOEXEC);
	if (jsonl->fd < 0)
		return err_sys(err, "open");
	if (fstat(jsonl->fd, &status) == 0 && S_ISDIR(status.st_mode)) {
		err_set(err, EISDIR, "is a folder");
		return err_remedy(err, "hwpc-sensor's: csv:%s", jsonl->path);
	}
	return 0;
}

static void *jsonl_open(const char *rest, struct err *err)
{
	struct jsonl *jsonl = xcalloc(1, sizeof(*jsonl));

	jsonl->fd = -1;
	jsonl->path = place_name(rest, NULL, NULL, err);
	if (!jsonl->path)
		goto fail;
	if (!*jsonl->path) {
		err_set(err, EINVAL,
			"a file's name is missing "
			"(jsonl:FILE, or jsonl:- for stdin)");
		goto fail;
	}
	if (file_open(jsonl, err) < 0)
		goto fail;
	jsonl->chunk = xmalloc(CHUNK);
	jsonl->where = xstrdup(jsonl->path);
	return jsonl;
fail:
	jsonl_close(jsonl);
	return NULL;
}

static const char *shown_path(const struct jsonl *jsonl)
{
	return strcmp(jsonl->path, "-") ? jsonl->path : "standard input";
}

/* 1 when there is something in the chunk, 0 at the end. */
static int chunk_fill(struct jsonl *jsonl, struct err *err)
{
	ssize_t n;

	if (jsonl->at < jsonl->end)
		return 1;
	do
		n = read(jsonl->fd, jsonl->chunk, CHUNK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, "%s: read", shown_path(jsonl));
	jsonl->at = 0;
	jsonl->end = (size_t)n;
	return n > 0;
}

/* The next line, without its newline, into `line`.  1, 0 at the end, -1;
 * `ended` says whether the newline was there. */
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
				       shown_path(jsonl), jsonl->number,
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
	return err_wrap(err, "%s:%zu", shown_path(jsonl), jsonl->number);
}

static int jsonl_next(void *self, struct doc **doc, struct err *err)
{
	struct jsonl *jsonl = self;
	struct err what = { 0 };
	struct doc *next;
	bool ended;
	int got;

	do
		got = line_read(jsonl, &ended, err);
	while (got > 0 && is_blank(&jsonl->line));
	if (got <= 0)
		return got;
	free(jsonl->where);
	jsonl->where = xasprintf("%s:%zu", shown_path(jsonl), jsonl->number);
	next = doc_parse(jsonl->line.data, jsonl->line.length, &what);
	if (next && doc_kind(next) != DOC_OBJECT) {
		doc_free(next);
		next = NULL;
		err_set(&what, EINVAL, "expected a JSON object");
	}
	if (!next && !ended) {
		jsonl->torn = true;
		return 0;
	}
	if (!next) {
		if (err)
			*err = what;
		return damage(jsonl, err);
	}
	*doc = next;
	return 1;
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
	.summary = "jsonl:FILE\tone JSON document a line (- is stdin)",
};
