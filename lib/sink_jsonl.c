/* SPDX-License-Identifier: BSD-3-Clause */
/* jsonl: one JSON document a line, appended; one write per put. */
#include "lib/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/append.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/place.h"
#include "lib/source.h"

struct jsonl {
	char *path;
	struct append *file;
	struct text text; /* of one put; the memory is kept */
};

/* A crash may have left half a line (or, on some file systems, zeros).  A line
 * that only lacks its newline is whole: a source counts it, so it stays. */
static int tail_mend(struct jsonl *jsonl, const struct text *tail,
		     struct err *err)
{
	struct text newline = TEXT_INIT;
	struct doc *doc = doc_parse(tail->data, tail->length, NULL);
	int failed;

	if (doc) {
		doc_free(doc);
		text_put(&newline, "\n");
		failed = append_put(jsonl->file, &newline, err);
		text_done(&newline);
		return failed;
	}
	if (tail->data[0] != '{' && tail->data[0] != '\0')
		return err_set(err, EINVAL,
			       "its last line is not JSON: will not append "
			       "(is this the right file?)");
	log_warn("jsonl", "%s: cut off %zu bytes of a torn last line",
		 jsonl->path, tail->length);
	return append_cut(jsonl->file, tail->length, err);
}

static int jsonl_mend(struct jsonl *jsonl, struct err *err)
{
	struct text tail = TEXT_INIT;
	int failed;

	if (!strcmp(jsonl->path, "-"))
		return 0; /* the shell's >> is the user's business */
	failed = append_tail(jsonl->file, SOURCE_DOCUMENT_MAX, &tail, err);
	if (!failed && tail.length > 0)
		failed = tail_mend(jsonl, &tail, err);
	text_done(&tail);
	return failed;
}

static int jsonl_close(void *self, struct err *err)
{
	struct jsonl *jsonl = self;
	int failed = jsonl->file ? append_flush(jsonl->file, err) : 0;

	failed = append_close(jsonl->file, failed ? NULL : err) || failed ? -1
									  : 0;
	text_done(&jsonl->text);
	free(jsonl->path);
	free(jsonl);
	return failed;
}

static void *jsonl_open(const char *rest, struct err *err)
{
	struct jsonl *jsonl = xcalloc(1, sizeof(*jsonl));

	jsonl->path = place_name(rest, NULL, NULL, err);
	if (!jsonl->path)
		goto fail;
	if (!*jsonl->path) {
		err_set(err, EINVAL,
			"a file's name is missing "
			"(jsonl:FILE, or jsonl:- for stdout)");
		goto fail;
	}
	jsonl->file = append_open(jsonl->path, err);
	if (!jsonl->file || jsonl_mend(jsonl, err) < 0)
		goto fail;
	return jsonl;
fail:
	jsonl_close(jsonl, NULL);
	return NULL;
}

static int jsonl_put(void *self, const struct batch *batch, struct err *err)
{
	struct jsonl *jsonl = self;

	text_clear(&jsonl->text);
	batch_put_jsonl(batch, &jsonl->text);
	return append_put(jsonl->file, &jsonl->text, err);
}

static int jsonl_put_doc(void *self, const struct doc *doc, struct err *err)
{
	struct jsonl *jsonl = self;
	char *line = doc_to_text(doc);

	text_clear(&jsonl->text);
	text_put(&jsonl->text, line);
	text_put_char(&jsonl->text, '\n');
	free(line);
	return append_put(jsonl->file, &jsonl->text, err);
}

static int jsonl_flush(void *self, struct err *err)
{
	struct jsonl *jsonl = self;

	return append_flush(jsonl->file, err);
}

static const char *jsonl_file(const void *self)
{
	const struct jsonl *jsonl = self;

	return append_is_file(jsonl->file) && strcmp(jsonl->path, "-") != 0
		       ? jsonl->path
		       : NULL;
}

const struct sink_kind sink_kind_jsonl = {
	.scheme = "jsonl",
	.open = jsonl_open,
	.put = jsonl_put,
	.put_doc = jsonl_put_doc,
	.flush = jsonl_flush,
	.close = jsonl_close,
	.file = jsonl_file,
	.summary = "jsonl:FILE\tone JSON document a line (- is stdout)",
};
