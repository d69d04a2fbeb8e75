/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jsonl: one JSON document a line, appended; one write per put.
 *
 * A name that ends with ".zst" is compressed: what was put within a second, or
 * 256 KiB, is one frame, written at once, so that a crash loses no more than
 * that.  rotate=SIZE and rotate=DURATION move the file away (trace.1.jsonl,
 * trace.2.jsonl, …) before the put that would go beyond.
 */
#include "lib/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/append.h"
#include "lib/clock.h"
#include "lib/frames.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/place.h"
#include "lib/quantity.h"
#include "lib/source.h"

#define FRAME_BYTES ((size_t)256 << 10)
#define FRAME_NS    INT64_C(1000000000)

struct options {
	double rotate_bytes, rotate_s; /* 0: never */
};

struct jsonl {
	struct options options;
	char *path;
	bool packs;
	struct append *file;
	struct text text;   /* not written yet; the memory is kept */
	struct text packed; /* a frame */
	int64_t written_ns; /* the last frame */
	int64_t period;     /* of rotate_s, in which the file was written to */
};

/* ---- parameters ---------------------------------------------------------- */

/* A size or a duration; both may be given. */
static int rotate_set(void *values, const char *text, struct err *err)
{
	struct options *options = values;
	double value;

	if (quantity_parse(text, QUANTITY_BYTES, &value, NULL) == 0 &&
	    value >= 1) {
		options->rotate_bytes = value;
		return 0;
	}
	if (quantity_parse(text, QUANTITY_SECONDS, &value, NULL) == 0 &&
	    value >= 1) {
		options->rotate_s = value;
		return 0;
	}
	return err_set(err, EINVAL,
		       "'%.60s': expected a size (64MiB) or a duration (1h)",
		       text);
}

static const struct field fields[] = { { "rotate", FIELD_CALL, 0,
					 .value = "SIZE|D", .set = rotate_set },
				       FIELD_END };

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && !strcmp(text + length - tail, end);
}

/* ---- what a crash left --------------------------------------------------- */

/* Half a line (or, on some file systems, zeros).  A line that only lacks its
 * newline is whole: a source counts it, so it stays. */
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

static int lines_mend(struct jsonl *jsonl, struct err *err)
{
	struct text tail = TEXT_INIT;
	int failed = append_tail(jsonl->file, SOURCE_DOCUMENT_MAX, &tail, err);

	if (!failed && tail.length > 0)
		failed = tail_mend(jsonl, &tail, err);
	text_done(&tail);
	return failed;
}

static int frames_mend(struct jsonl *jsonl, struct err *err)
{
	off_t whole = frames_whole(jsonl->path, err);
	size_t torn;

	if (whole < 0)
		return -1;
	torn = append_size(jsonl->file) - (size_t)whole;
	if (torn == 0)
		return 0;
	log_warn("jsonl", "%s: cut off %zu bytes of a torn last frame",
		 jsonl->path, torn);
	return append_cut(jsonl->file, torn, err);
}

/* ---- opening and closing ------------------------------------------------- */

static int64_t period_at(const struct jsonl *jsonl, int64_t wall_ms)
{
	double period_ms = 1e3 * jsonl->options.rotate_s;

	return period_ms > 0 ? (int64_t)((double)wall_ms / period_ms) : 0;
}

static int file_open(struct jsonl *jsonl, struct err *err)
{
	struct stat status;
	int64_t wall_ms = clock_wall_ms(clock_real());

	jsonl->file = append_open(jsonl->path, err);
	if (!jsonl->file)
		return -1;
	if (!append_is_file(jsonl->file) || !strcmp(jsonl->path, "-"))
		return 0; /* the shell's >> is the user's business */
	if (append_size(jsonl->file) > 0 && stat(jsonl->path, &status) == 0)
		wall_ms = (int64_t)status.st_mtime * 1000;
	jsonl->period = period_at(jsonl, wall_ms);
	return jsonl->packs ? frames_mend(jsonl, err) : lines_mend(jsonl, err);
}

static int check_options(const struct jsonl *jsonl, struct err *err)
{
	if (!*jsonl->path)
		return err_set(err, EINVAL,
			       "a file's name is missing "
			       "(jsonl:FILE, or jsonl:- for stdout)");
	if (!strcmp(jsonl->path, "-") &&
	    (jsonl->options.rotate_bytes > 0 || jsonl->options.rotate_s > 0))
		return err_set(err, EINVAL,
			       "standard output cannot be rotated (name a "
			       "file)");
	return 0;
}

/* What waits is one frame. */
static int frame_write(struct jsonl *jsonl, struct err *err)
{
	if (jsonl->text.length == 0)
		return 0;
	text_clear(&jsonl->packed);
	if (frames_pack(&jsonl->text, &jsonl->packed, err) < 0 ||
	    append_put(jsonl->file, &jsonl->packed, err) < 0)
		return -1;
	text_clear(&jsonl->text);
	jsonl->written_ns = clock_now_ns(clock_real());
	return 0;
}

static int jsonl_flush(void *self, struct err *err)
{
	struct jsonl *jsonl = self;

	if (jsonl->packs && frame_write(jsonl, err) < 0)
		return -1;
	return append_flush(jsonl->file, err);
}

static int jsonl_close(void *self, struct err *err)
{
	struct jsonl *jsonl = self;
	int failed = jsonl->file ? jsonl_flush(jsonl, err) : 0;

	failed = append_close(jsonl->file, failed ? NULL : err) || failed ? -1
									  : 0;
	text_done(&jsonl->text);
	text_done(&jsonl->packed);
	free(jsonl->path);
	free(jsonl);
	return failed;
}

static void *jsonl_open(const char *rest, struct err *err)
{
	struct jsonl *jsonl = xcalloc(1, sizeof(*jsonl));

	jsonl->path = place_name(rest, fields, &jsonl->options, err);
	if (!jsonl->path || check_options(jsonl, err) < 0)
		goto fail;
	jsonl->packs = ends_with(jsonl->path, ".zst");
	if (file_open(jsonl, err) < 0)
		goto fail;
	return jsonl;
fail:
	append_close(jsonl->file, NULL);
	free(jsonl->path);
	free(jsonl);
	return NULL;
}

/* ---- putting ------------------------------------------------------------- */

static bool is_full(const struct jsonl *jsonl, int64_t period)
{
	const struct options *options = &jsonl->options;
	uint64_t size;

	if (options->rotate_bytes <= 0 && period == jsonl->period)
		return false;
	size = append_size(jsonl->file);
	if (size == 0 || !append_is_file(jsonl->file))
		return false;
	return period != jsonl->period ||
	       (options->rotate_bytes > 0 &&
		(double)size >= options->rotate_bytes);
}

static int rotate(struct jsonl *jsonl, struct err *err)
{
	int failed;

	if (jsonl_flush(jsonl, err) < 0)
		return -1;
	if (append_move_away(jsonl->path, NULL, err) < 0)
		return -1;
	failed = append_close(jsonl->file, err);
	jsonl->file = append_open(jsonl->path, failed ? NULL : err);
	return jsonl->file ? failed : -1;
}

/* Is a new file due? */
static int prepare(struct jsonl *jsonl, struct err *err)
{
	int64_t period = period_at(jsonl, clock_wall_ms(clock_real()));

	/* A rotation that failed half way. */
	if (!jsonl->file && !(jsonl->file = append_open(jsonl->path, err)))
		return -1;
	if (is_full(jsonl, period) && rotate(jsonl, err) < 0)
		return -1;
	jsonl->period = period;
	return 0;
}

/* What was put from `start` on, or with what waits; all of it or nothing. */
static int finish(struct jsonl *jsonl, size_t start, struct err *err)
{
	int64_t now_ns = clock_now_ns(clock_real());
	int failed;

	if (!jsonl->packs) {
		failed = append_put(jsonl->file, &jsonl->text, err);
		text_clear(&jsonl->text);
		return failed;
	}
	if (jsonl->text.length < FRAME_BYTES &&
	    now_ns - jsonl->written_ns < FRAME_NS)
		return 0;
	failed = frame_write(jsonl, err);
	if (failed)
		text_extend(&jsonl->text, jsonl->text.data + start);
	return failed;
}

static int jsonl_put(void *self, const struct batch *batch, struct err *err)
{
	struct jsonl *jsonl = self;
	size_t start = jsonl->text.length;

	if (prepare(jsonl, err) < 0)
		return -1;
	batch_put_jsonl(batch, &jsonl->text);
	return finish(jsonl, start, err);
}

static int jsonl_put_doc(void *self, const struct doc *doc, struct err *err)
{
	struct jsonl *jsonl = self;
	size_t start = jsonl->text.length;
	char *line;

	if (prepare(jsonl, err) < 0)
		return -1;
	line = doc_to_text(doc);
	text_put(&jsonl->text, line);
	text_put_char(&jsonl->text, '\n');
	free(line);
	return finish(jsonl, start, err);
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
	.summary = "jsonl:FILE\tone JSON document a line (- is stdout; .zst "
		   "compresses; rotate=SIZE)",
};
