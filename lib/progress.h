/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * progress -- one line that moves while long work goes on.
 *
 *	struct progress *progress = progress_new();
 *
 *	progress_show(progress, done / total, "block %zu/%zu  %s", …);
 *	progress_part(progress, "block 3/5 done: …");
 *	progress_free(progress);
 *
 * On a terminal progress_show draws " 61 %  text   0:55 left" over itself, at
 * most ten times a second, cut to the terminal's width; progress_part is
 * silent there.  In a log (stderr is no terminal, or a "dumb" one) it is the
 * other way round: a line per finished part and nothing that moves.  With -q
 * neither.
 */
#ifndef LIB_PROGRESS_H
#define LIB_PROGRESS_H

struct progress;

struct progress *progress_new(void);
void progress_show(struct progress *progress, double fraction,
		   const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void progress_part(struct progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Take the line off the terminal, if one is drawn (log.c calls it too). */
void progress_wipe(void);
void progress_free(struct progress *progress);

#endif
