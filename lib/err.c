/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/err.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A sentence that was cut must not end within a character of UTF-8. */
static void cut_whole(char *text)
{
	size_t end = strlen(text);
	size_t start = end;

	if (end + 1 < ERR_TEXT_MAX)
		return;
	while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start > 0 && (unsigned char)text[start - 1] >= 0xc0)
		text[start - 1] = '\0';
}

static void append(char *text, const char *piece)
{
	size_t length = strlen(text);

	(void)snprintf(text + length, ERR_TEXT_MAX - length, "%s", piece);
	cut_whole(text);
}

/* Every sentence is made in a buffer of its own first, as an argument may be
 * the err->text that it is to replace. */
static void say(char *text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void say(char *text, const char *format, va_list args)
{
	(void)vsnprintf(text, ERR_TEXT_MAX, format, args);
	cut_whole(text);
}

int err_set(struct err *err, int code, const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, format);
	say(text, format, args);
	va_end(args);
	memcpy(err->text, text, sizeof(text));
	err->code = code;
	return -1;
}

int err_sys(struct err *err, const char *format, ...)
{
	int code = errno;
	char text[ERR_TEXT_MAX];
	char reason[128];
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, format);
	say(text, format, args);
	va_end(args);
	append(text, ": ");
	append(text, strerror_r(code, reason, sizeof(reason)));
	memcpy(err->text, text, sizeof(text));
	err->code = code;
	return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, format);
	say(text, format, args);
	va_end(args);
	append(text, ": ");
	append(text, err->text);
	memcpy(err->text, text, sizeof(text));
	return -1;
}

int err_remedy(struct err *err, const char *format, ...)
{
	char whole[ERR_TEXT_MAX];
	char text[ERR_TEXT_MAX];
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, format);
	say(text, format, args);
	va_end(args);
	memcpy(whole, err->text, sizeof(whole));
	append(whole, " (");
	append(whole, text);
	append(whole, ")");
	memcpy(err->text, whole, sizeof(whole));
	return -1;
}
