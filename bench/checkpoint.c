/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/text.h"

#define SCHEMA "fedwatts.checkpoint/1"
/* How every checkpoint of whatever version begins. */
#define START    "{\"schema\":\"fedwatts.checkpoint/"
#define LINE_MAX ((size_t)64 << 20)

struct checkpoint {
	struct doc *doc;
	char *bytes; /* of the blocks */
	size_t blocks;
	struct {
		const char *name; /* in doc */
		size_t at, bytes;
	} block[CHECKPOINT_BLOCKS_MAX];
};

/* FNV-1a (Fowler, Noll and Vo) over words of eight bytes, for its speed; a
 * word's difference never gets lost, since the factor is odd. */
uint64_t checkpoint_sum(uint64_t sum, const void *bytes, size_t length)
{
	const uint64_t offset = UINT64_C(0xcbf29ce484222325);
	const uint64_t prime = UINT64_C(0x100000001b3);
	const char *at = bytes;
	uint64_t word;

	sum ^= offset;
	for (; length; length -= length < 8 ? length : 8, at += 8) {
		word = 0;
		memcpy(&word, at, length < 8 ? length : 8);
		sum = (sum ^ word) * prime;
		sum ^= sum >> 32;
	}
	return sum ^ offset;
}

/* ---- writing ----------------------------------------------------------------- */

static void put_line(struct text *text, const struct doc *doc,
		     const struct checkpoint_block *block, size_t blocks)
{
	struct doc *head = doc_new_object(), *lengths = doc_new_object();
	const struct doc *value;
	const char *key;
	char *line;

	doc_set_text(head, "schema", SCHEMA);
	for (size_t i = 0; (key = doc_key_at(doc, i, &value)); i++)
		doc_set_take(head, key, doc_copy(value));
	for (size_t i = 0; i < blocks; i++)
		doc_set_int(lengths, block[i].name, (int64_t)block[i].bytes);
	doc_set_take(head, "blocks", lengths);
	line = doc_to_text(head);
	text_put(text, line);
	text_put(text, "\n");
	free(line);
	doc_free(head);
}

int checkpoint_write(const char *path, const struct doc *doc,
		     const struct checkpoint_block *block, size_t blocks,
		     bool force, struct err *err)
{
	struct text text = TEXT_INIT;
	uint64_t sum;
	int rc;

	put_line(&text, doc, block, blocks);
	for (size_t i = 0; i < blocks; i++)
		text_put_bytes(&text, block[i].at, block[i].bytes);
	sum = checkpoint_sum(0, text.data, text.length);
	text_put_bytes(&text, &sum, sizeof(sum));
	rc = text_write_file(&text, path, force, err);
	text_done(&text);
	return rc;
}

/* ---- reading ----------------------------------------------------------------- */

static int damaged(struct err *err, const char *what)
{
	err_set(err, EBADMSG, "%s", what);
	return err_remedy(err, "--force starts anew and replaces it");
}

/* Where blocks lie, by the line; together they are `left` bytes. */
static int lay_out(struct checkpoint *checkpoint, size_t left, struct err *err)
{
	const struct doc *lengths, *value;
	const char *key;
	size_t at = 0;

	if (doc_need_object(checkpoint->doc, "blocks", &lengths, err) < 0)
		return -1;
	for (size_t i = 0; (key = doc_key_at(lengths, i, &value)); i++) {
		int64_t bytes = doc_int(value, -1);

		if (i == CHECKPOINT_BLOCKS_MAX || bytes < 0 ||
		    (uint64_t)bytes > left - at)
			return damaged(err, "truncated: its blocks are longer "
					    "than the file");
		checkpoint->block[i].name = key;
		checkpoint->block[i].at = at;
		checkpoint->block[i].bytes = (size_t)bytes;
		at += (size_t)bytes;
		checkpoint->blocks = i + 1;
	}
	if (at != left)
		return damaged(err, "damaged: there is more than its blocks");
	return 0;
}

/* Where the line ends, or 0. */
static size_t line_length(const char *text, size_t length, struct err *err)
{
	size_t most = length < LINE_MAX ? length : LINE_MAX;
	const char *end;

	if (length < strlen(START) || memcmp(text, START, strlen(START)) != 0) {
		err_set(err, EPROTO, "is no checkpoint of a training");
		err_remedy(err, "another name, or --force to replace it");
		return 0;
	}
	end = memchr(text, '\n', most);
	if (end)
		return (size_t)(end - text);
	damaged(err, "truncated within its first line");
	return 0;
}

static int fill(struct checkpoint *checkpoint, const char *text, size_t length,
		struct err *err)
{
	size_t line = line_length(text, length, err), left;
	uint64_t sum;

	if (!line)
		return -1;
	checkpoint->doc = doc_parse(text, line, NULL);
	if (!checkpoint->doc)
		return damaged(err, "damaged: its first line is no JSON");
	if (!doc_is_schema(checkpoint->doc, SCHEMA)) {
		err_set(err, EPROTO, "is of version %s, which is not known",
			doc_string(doc_get(checkpoint->doc, "schema"), "?"));
		return err_remedy(err, "this is a program for " SCHEMA);
	}
	left = length - line - 1;
	if (left < sizeof(sum))
		return damaged(err, "truncated");
	left -= sizeof(sum);
	if (lay_out(checkpoint, left, err) < 0)
		return -1;
	memcpy(&sum, text + length - sizeof(sum), sizeof(sum));
	if (sum != checkpoint_sum(0, text, length - sizeof(sum)))
		return damaged(err, "damaged: its sum does not match");
	checkpoint->bytes = xmalloc(left + 1);
	memcpy(checkpoint->bytes, text + line + 1, left);
	return 0;
}

struct checkpoint *checkpoint_parse(const void *bytes, size_t length,
				    struct err *err)
{
	struct checkpoint *checkpoint = xcalloc(1, sizeof(*checkpoint));

	if (fill(checkpoint, bytes, length, err) == 0)
		return checkpoint;
	checkpoint_free(checkpoint);
	return NULL;
}

struct checkpoint *checkpoint_read(const char *path, struct err *err)
{
	struct checkpoint *checkpoint = NULL;
	struct text text = TEXT_INIT;

	if (text_read_file(&text, path, CHECKPOINT_BYTES_MAX, err) == 0) {
		checkpoint = checkpoint_parse(text.data, text.length, err);
		if (!checkpoint)
			err_wrap(err, "checkpoint %s", path);
	}
	text_done(&text);
	return checkpoint;
}

void checkpoint_free(struct checkpoint *checkpoint)
{
	if (!checkpoint)
		return;
	doc_free(checkpoint->doc);
	free(checkpoint->bytes);
	free(checkpoint);
}

const struct doc *checkpoint_doc(const struct checkpoint *checkpoint)
{
	return checkpoint->doc;
}

int checkpoint_get(const struct checkpoint *checkpoint, const char *name,
		   void *to, size_t bytes, struct err *err)
{
	for (size_t i = 0; i < checkpoint->blocks; i++) {
		if (strcmp(checkpoint->block[i].name, name) != 0)
			continue;
		if (checkpoint->block[i].bytes != bytes)
			return err_set(err, EBADMSG,
				       "block %s: %zu bytes, expected %zu",
				       name, checkpoint->block[i].bytes, bytes);
		memcpy(to, checkpoint->bytes + checkpoint->block[i].at, bytes);
		return 0;
	}
	return err_set(err, EBADMSG, "block %s: missing", name);
}
