/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"

#define REDRAW_NS         INT64_C(100000000)
#define FALLBACK_WIDTH    80
#define ERASE             "\r\x1b[K"
#define ESTIMATE_AFTER_NS INT64_C(1000000000)

struct progress {
	bool terminal;
	bool begun;
	int64_t start_ns;
	double start_fraction; /* a continued run does not start at 0 */
	int64_t drawn_ns;
};

/* Is there a line on the terminal?  It has one for the whole program, and any
 * thread may log. */
static atomic_bool drawn;

/* Can lines be erased there?  "dumb" ones (Emacs' shell) cannot. */
static bool is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

struct progress *progress_new(void)
{
	struct progress *progress = xcalloc(1, sizeof(*progress));

	progress->terminal = is_terminal();
	return progress;
}

static size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return FALLBACK_WIDTH;
}

/* Seconds still to go at the pace so far; NaN while that cannot be said. */
static double seconds_left(const struct progress *progress, double fraction,
			   int64_t now_ns)
{
	double elapsed = (double)(now_ns - progress->start_ns) * 1e-9;
	double done = fraction - progress->start_fraction;

	if (now_ns - progress->start_ns < ESTIMATE_AFTER_NS || done <= 0)
		return nan("");
	return elapsed * (1 - fraction) / done;
}

/* 0:55, 12:08, 1:05:00 */
static void put_left(struct text *line, double seconds)
{
	long s;

	if (!(seconds >= 0 && seconds < 360000))
		return;
	s = lround(seconds);
	if (s >= 3600)
		text_printf(line, "   %ld:%02ld:%02ld left", s / 3600,
			    s / 60 % 60, s % 60);
	else
		text_printf(line, "   %ld:%02ld left", s / 60, s % 60);
}

/* Begin a line anew, and keep it off the last column, where some terminals
 * would wrap. */
static void draw(const struct text *body, const struct text *left)
{
	struct text line = TEXT_INIT;
	size_t width = terminal_width() - 1;
	size_t tail = left->length; /* ASCII: bytes are characters */

	text_put(&line, ERASE);
	if (tail >= width)
		tail = 0;
	text_put_bytes(&line, body->data, text_cut(body->data, width - tail));
	if (tail > 0)
		text_put(&line, left->data);
	(void)fwrite(line.data, 1, line.length, stderr);
	(void)fflush(stderr);
	text_done(&line);
	drawn = true;
}

/* Whether to draw now; takes the time of the first call as the start. */
static bool is_due(struct progress *progress, double fraction, int64_t now_ns)
{
	if (!progress->begun) {
		progress->begun = true;
		progress->start_ns = now_ns;
		progress->start_fraction = fraction;
	} else if (now_ns - progress->drawn_ns < REDRAW_NS) {
		return false;
	}
	progress->drawn_ns = now_ns;
	return true;
}

void progress_show(struct progress *progress, double fraction,
		   const char *format, ...)
{
	struct text body = TEXT_INIT, left = TEXT_INIT;
	int64_t now_ns = clock_now_ns(clock_real());
	va_list args;

	if (!progress->terminal || log_level() == LOG_QUIET)
		return;
	fraction = fmin(fmax(fraction, 0), 1);
	if (!is_due(progress, fraction, now_ns))
		return;
	/* Not 100 before the end: "100 %" that goes on is a lie. */
	text_printf(&body, "%3d %%  ", (int)floor(fraction * 100));
	va_start(args, format);
	text_vprintf(&body, format, args);
	va_end(args);
	put_left(&left, seconds_left(progress, fraction, now_ns));
	draw(&body, &left);
	text_done(&body);
	text_done(&left);
}

void progress_part(struct progress *progress, const char *format, ...)
{
	struct text line = TEXT_INIT;
	va_list args;

	if (progress->terminal)
		return;
	va_start(args, format);
	text_vprintf(&line, format, args);
	va_end(args);
	log_note("%s", line.data);
	text_done(&line);
}

void progress_wipe(void)
{
	if (!atomic_exchange(&drawn, false))
		return;
	(void)fputs(ERASE, stderr);
	(void)fflush(stderr);
}

void progress_free(struct progress *progress)
{
	if (progress == NULL)
		return;
	progress_wipe();
	free(progress);
}
