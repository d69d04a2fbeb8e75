/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/lines.h"

#include <string.h>

void lines_init(struct lines *lines, size_t limit)
{
	*lines = (struct lines){ .limit = limit };
}

void lines_done(struct lines *lines)
{
	text_done(&lines->text);
}

/* Used bytes are let go before new ones come. */
static void compact(struct lines *lines)
{
	struct text *text = &lines->text;

	if (lines->at == 0)
		return;
	memmove(text->data, text->data + lines->at, text->length - lines->at);
	text_extend(text, text->data + text->length - lines->at);
	lines->scanned -= lines->at;
	lines->at = 0;
}

void lines_put(struct lines *lines, const void *bytes, size_t length)
{
	compact(lines);
	text_put_bytes(&lines->text, bytes, length);
}

static int too_long(struct lines *lines, size_t end)
{
	bool first = !lines->skipping;

	lines->skipping = true;
	lines->at = lines->scanned = end;
	return first ? -1 : 0;
}

int lines_next(struct lines *lines, const char **line, size_t *length)
{
	const struct text *text = &lines->text;

	while (lines->scanned < text->length) {
		const char *from = text->data + lines->at;
		const char *newline = memchr(text->data + lines->scanned, '\n',
					     text->length - lines->scanned);
		size_t end =
			newline ? (size_t)(newline - text->data) : text->length;

		lines->scanned = newline ? end + 1 : end;
		if (lines->skipping || end - lines->at > lines->limit) {
			int got = too_long(lines, lines->scanned);

			if (newline) {
				lines->skipping = false;
				lines->number++;
			}
			if (got < 0)
				return got;
			continue;
		}
		if (!newline)
			break;
		lines->at = lines->scanned;
		lines->number++;
		*line = from;
		*length = (size_t)(newline - from);
		return 1;
	}
	return 0;
}

const char *lines_rest(const struct lines *lines, size_t *length)
{
	*length = lines->text.length - lines->at;
	return *length > 0 ? lines->text.data + lines->at : "";
}
