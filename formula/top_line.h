/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * top_line -- pieces of the lines of `formula top` (for top_draw.c).
 *
 *	struct text *line = top_line_add(screen, TERMINAL_PLAIN);
 *
 *	top_put_watts(line, target->watts, "~");
 *	top_put_cell(line, "7 est", 7);
 *	top_line_end(view, line);
 *
 * A cell is aligned to the right and has a blank behind it; what is not finite
 * is a dash.
 */
#ifndef FORMULA_TOP_LINE_H
#define FORMULA_TOP_LINE_H

#include "formula/top_view.h"
#include "lib/quantity.h"

/* An empty line below the others; borrowed until the next one. */
struct text *top_line_add(struct top_screen *screen, enum terminal_style style);
/* The line is finished: only what the terminal can show, no wider than it. */
void top_line_end(const struct top_view *view, struct text *line);

void top_put_cell(struct text *line, const char *cell, size_t width);
void top_put_quantity(struct text *line, double value, enum quantity quantity);
/* In eight columns; `mark` goes before the number. */
void top_put_watts(struct text *line, double watts, const char *mark);
void top_put_joules(struct text *line, double joules, const char *mark);

#endif
