/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * text -- a string that grows.
 *
 *	struct text text = TEXT_INIT;
 *
 *	text_put(&text, "hello ");
 *	text_printf(&text, "%d", 42);
 *	puts(text.data);
 *	text_done(&text);
 *
 * `data` is NUL-terminated once something was put, `length` does not count the
 * NUL.  text_clear() keeps the memory, so that a buffer filled each tick is
 * allocated once.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct text {
	char *data;
	size_t length;
	size_t capacity;
};

#define TEXT_INIT          \
	{                  \
		NULL, 0, 0 \
	}

void text_put(struct text *text, const char *piece);
void text_put_bytes(struct text *text, const void *bytes, size_t length);
void text_put_char(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* Where `more` bytes may be written; then text_advance() says how many were, or
 * text_extend() where they end. */
static inline char *text_room(struct text *text, size_t more);
static inline void text_advance(struct text *text, size_t length);
static inline void text_extend(struct text *text, const char *end);

/* Decimal digits of an integer, without printf (the hot path of a sink). */
void text_put_int(struct text *text, int64_t value);
void text_put_uint(struct text *text, uint64_t value);

/* The shortest decimal that reads back as the same double ("0.1", "1.0",
 * "1e-07"); NaN and infinities, which JSON has not, become "null". */
void text_put_real(struct text *text, double value);

/* A JSON string with its quotes and escapes; bytes that are no UTF-8 become
 * U+FFFD. */
void text_put_json(struct text *text, const char *piece);
/* How many of the first `length` bytes are ASCII that JSON does not escape. */
size_t text_plain(const char *piece, size_t length);

/* &, <, > and " as HTML writes them. */
void text_put_html(struct text *text, const char *piece);

/* How many characters of UTF-8 there are, and how many bytes the first `width`
 * of them take.  (East Asian wide characters count as one.) */
size_t text_width(const char *piece);
size_t text_cut(const char *piece, size_t width);
/* How many bytes the character at `at` takes; 0 where no character of UTF-8
 * stands, which is so at the end, too. */
size_t text_character(const char *at);

void text_clear(struct text *text);
void text_done(struct text *text);

/* Give the string away; `text` is empty afterwards.  Never NULL. */
char *text_take(struct text *text);

/* A whole file behind what is in `text`, at most `limit` bytes (then EFBIG). */
int text_read_file(struct text *text, const char *path, size_t limit,
		   struct err *err);

/* Write all of it into `path` by way of a temporary file beside it and a
 * rename, so that nobody ever sees half a file.  An existing file is refused
 * with EEXIST unless `force`.  What is no plain file (/dev/stdout, a pipe) is
 * written to as it is. */
int text_write_file(const struct text *text, const char *path, bool force,
		    struct err *err);

/* ---- inline, as they stand between all numbers of a tick ------------------ */

void text_grow(struct text *text, size_t more);

static inline char *text_room(struct text *text, size_t more)
{
	if (text->capacity <= text->length + more)
		text_grow(text, more);
	return text->data + text->length;
}

static inline void text_advance(struct text *text, size_t length)
{
	text->length += length;
	text->data[text->length] = '\0';
}

static inline void text_extend(struct text *text, const char *end)
{
	text->length = (size_t)(end - text->data);
	text->data[text->length] = '\0';
}

#endif
