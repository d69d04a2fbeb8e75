/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * top_view -- what `formula top` shows of a power board, as lines of text.
 *
 *	struct top_view view = { .width = 80, .height = 24, .utf8 = true };
 *	struct top_screen screen = { 0 };
 *
 *	if (top_view_key(&view, board, 'e') == TOP_QUIT)
 *		return;
 *	top_view_draw(&view, board, &screen);
 *	for (size_t i = 0; i < screen.lines; i++)
 *		put(screen.line[i].text.data, screen.line[i].style);
 *	top_screen_done(&screen);
 *
 * Knows nothing of terminals: the same board and view give the same lines, none
 * wider than `width` characters, exactly `height` of them.  Without `utf8` they
 * are ASCII.  Watts of a model of power (class 5 and above) have a '~' before
 * them and "est" behind their class.
 */
#ifndef FORMULA_TOP_VIEW_H
#define FORMULA_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "formula/power_board.h"
#include "formula/terminal.h"
#include "lib/text.h"

#define TOP_FILTER_MAX 64
#define TOP_HEAD_LINES 6 /* above the rows */
#define TOP_FOOT_LINES 1

enum top_sort { TOP_BY_WATTS, TOP_BY_NAME, TOP_BY_CPU, TOP_BY_ENERGY };

struct top_view {
	int width, height;
	bool utf8;
	enum top_sort sort;
	bool reversed;
	char filter[TOP_FILTER_MAX];
	bool typing; /* the filter */
	bool paused, help, ended;
	size_t policy; /* of the board's, which is shown */
	size_t first;  /* row at the top */
	const char *
		note; /* in the last line: what the formula warns of; or NULL */
};

struct top_screen {
	struct top_line {
		struct text text;
		enum terminal_style style;
	} * line;
	size_t lines, capacity;
};

enum top_wish { TOP_GO_ON, TOP_REDRAW, TOP_QUIT };

enum top_wish top_view_key(struct top_view *view,
			   const struct power_board *board, int key);
void top_view_draw(const struct top_view *view, const struct power_board *board,
		   struct top_screen *screen);
void top_screen_done(struct top_screen *screen);

/* Indices of the targets that are shown, in order; how many.  `order` has room
 * for all. */
size_t top_view_order(const struct top_view *view,
		      const struct power_board *board, size_t *order);
/* How many fit. */
size_t top_view_rows(const struct top_view *view);
/* The last `columns` ticks of a history, each between 0 and the highest. */
void top_view_sparkline(const struct board_history *history, uint64_t last,
			size_t columns, bool utf8, struct text *out);

/* The names of orders, for --sort: "watts", "name", "cpu", "energy", NULL. */
extern const char *const top_sorts[];

#endif
