/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/progress.h"
#include "lib/text.h"

static const char *program_name;
static enum log_level log_threshold = LOG_NOTE;

void log_start(const char *program, enum log_level level)
{
	program_name = program;
	log_threshold = level;
}

enum log_level log_level(void)
{
	return log_threshold;
}

/* Names of files and processes must not steer the reader's terminal. */
static void disarm(struct text *line)
{
	size_t i;

	for (i = 0; i < line->length; i++) {
		unsigned char c = (unsigned char)line->data[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			line->data[i] = '?';
	}
}

/* In one piece, so that the lines of several threads do not mix. */
static void emit(struct text *line)
{
	disarm(line);
	text_put_char(line, '\n');
	progress_wipe();
	(void)fwrite(line->data, 1, line->length, stderr);
	(void)fflush(stderr);
	text_done(line);
}

static void prefix(struct text *line, const char *kind, const char *where)
{
	if (program_name != NULL)
		text_printf(line, "%s: ", program_name);
	text_put(line, kind);
	if (where != NULL)
		text_printf(line, "%s: ", where);
}

void log_warn(const char *where, const char *format, ...)
{
	struct text line = TEXT_INIT;
	va_list args;

	if (log_threshold < LOG_WARN)
		return;
	prefix(&line, "warning: ", where);
	va_start(args, format);
	text_vprintf(&line, format, args);
	va_end(args);
	emit(&line);
}

void log_note(const char *format, ...)
{
	struct text line = TEXT_INIT;
	va_list args;

	if (log_threshold < LOG_NOTE)
		return;
	va_start(args, format);
	text_vprintf(&line, format, args);
	va_end(args);
	emit(&line);
}

void log_detail(const char *where, const char *format, ...)
{
	struct text line = TEXT_INIT;
	va_list args;

	if (log_threshold < LOG_DETAIL)
		return;
	prefix(&line, "", where);
	va_start(args, format);
	text_vprintf(&line, format, args);
	va_end(args);
	emit(&line);
}
