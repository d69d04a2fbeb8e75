/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/digits.h"
#include "lib/mem.h"

/* And room for a NUL. */
void text_grow(struct text *text, size_t more)
{
	text->data = mem_grow(text->data, &text->capacity,
			      text->length + more + 1, 1);
}

void text_put_bytes(struct text *text, const void *bytes, size_t length)
{
	char *end = text_room(text, length);

	if (length > 0)
		memcpy(end, bytes, length);
	end[length] = '\0';
	text->length += length;
}

void text_put(struct text *text, const char *piece)
{
	text_put_bytes(text, piece, strlen(piece));
}

void text_put_char(struct text *text, char c)
{
	text_put_bytes(text, &c, 1);
}

void text_vprintf(struct text *text, const char *format, va_list args)
{
	va_list again;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		return;
	(void)vsnprintf(text_room(text, (size_t)length), (size_t)length + 1,
			format, args);
	text->length += (size_t)length;
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_vprintf(text, format, args);
	va_end(args);
}

void text_put_uint(struct text *text, uint64_t value)
{
	text_extend(text, digits_put(text_room(text, DIGITS_ROOM), value));
}

void text_put_int(struct text *text, int64_t value)
{
	if (value < 0)
		text_put_char(text, '-');
	/* In unsigned arithmetic, where -INT64_MIN exists. */
	text_put_uint(text, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void text_put_html(struct text *text, const char *piece)
{
	for (; *piece != '\0'; piece++) {
		if (*piece == '&')
			text_put(text, "&amp;");
		else if (*piece == '<')
			text_put(text, "&lt;");
		else if (*piece == '>')
			text_put(text, "&gt;");
		else if (*piece == '"')
			text_put(text, "&quot;");
		else
			text_put_char(text, *piece);
	}
}

static bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t text_width(const char *piece)
{
	size_t width = 0;

	for (; *piece != '\0'; piece++)
		width += starts_character(*piece);
	return width;
}

size_t text_cut(const char *piece, size_t width)
{
	size_t i;

	for (i = 0; piece[i] != '\0'; i++)
		if (starts_character(piece[i]) && width-- == 0)
			break;
	return i;
}

void text_clear(struct text *text)
{
	text->length = 0;
	if (text->data != NULL)
		text->data[0] = '\0';
}

void text_done(struct text *text)
{
	free(text->data);
	*text = (struct text)TEXT_INIT;
}

char *text_take(struct text *text)
{
	char *data = text->data ? text->data : xstrdup("");

	*text = (struct text)TEXT_INIT;
	return data;
}
