/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * terminal -- lines on a screen and keys from it: the door to ncurses.
 *
 *	struct terminal *terminal = terminal_open(&err);
 *
 *	terminal_size(terminal, &width, &height);
 *	terminal_clear(terminal);
 *	terminal_put(terminal, 0, "hello", TERMINAL_BOLD);
 *	terminal_show(terminal);
 *	key = terminal_key(terminal);        // 0: none was pressed
 *	terminal_close(terminal);            // the screen is as it was before
 *
 * Lines that were not put since the last clear are empty.  Only what changed is
 * sent, so that nothing flickers and a slow line is enough.  Keys come from
 * standard input, or from the controlling terminal where documents come from
 * standard input.  Colours only where the terminal has them and NO_COLOR is not
 * set.  One at a time.
 */
#ifndef FORMULA_TERMINAL_H
#define FORMULA_TERMINAL_H

#include <stdbool.h>

#include "lib/err.h"

enum terminal_style {
	TERMINAL_PLAIN,
	TERMINAL_BOLD,
	TERMINAL_DIM,
	TERMINAL_REVERSE,
	TERMINAL_WARNING,
};

/* Keys are bytes; these stand above them. */
enum terminal_key {
	TERMINAL_UP = 0x100,
	TERMINAL_DOWN,
	TERMINAL_PAGE_UP,
	TERMINAL_PAGE_DOWN,
	TERMINAL_HOME,
	TERMINAL_END,
	TERMINAL_ERASE,
	TERMINAL_RESIZED,
	TERMINAL_ESCAPE = 0x1b,
	TERMINAL_ENTER = '\n',
};

struct terminal;

/* Is there a terminal, and can it place text?  If not, what would help. */
int terminal_check(struct err *err);
struct terminal *terminal_open(struct err *err);
void terminal_size(const struct terminal *terminal, int *width, int *height);
/* What may be waited on for keys. */
int terminal_fd(const struct terminal *terminal);
/* Does it show UTF-8? */
bool terminal_has_utf8(const struct terminal *terminal);
/* A key, or 0. */
int terminal_key(struct terminal *terminal);
void terminal_clear(struct terminal *terminal);
void terminal_put(struct terminal *terminal, int line, const char *text,
		  enum terminal_style style);
void terminal_show(struct terminal *terminal);
/* Draw all of it anew: somebody else wrote on the screen. */
void terminal_redraw(struct terminal *terminal);
void terminal_close(struct terminal *terminal); /* accepts NULL */

#endif
