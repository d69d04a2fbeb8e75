/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/top_line.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/mem.h"

void top_view_sparkline(const struct board_history *history, uint64_t last,
			size_t columns, bool utf8, struct text *out)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄",
					      "▅", "▆", "▇", "█" };
	static const char *const ascii[] = { "_", ".", "-", "=",
					     "+", "*", "%", "#" };
	double highest = 0;

	for (size_t back = 0; back < columns; back++) {
		double watts = board_history_at(history, last, back);

		highest = watts > highest ? watts : highest;
	}
	for (size_t back = columns; back-- > 0;) {
		double watts = board_history_at(history, last, back);
		double part = highest > 0 ? watts / highest : 0;
		int level = (int)fmin(fmax(8 * part, 0), 7);

		text_put(out, isnan(watts) ? " "
			      : utf8       ? blocks[level]
					   : ascii[level]);
	}
}

/* What the view writes that is not ASCII, for terminals that show nothing
 * else; of names it is '?'. */
static void put_ascii(struct text *out, const char *text)
{
	static const char *const known[][2] = {
		{ "−", "-" },  { "–", "-" },   { "µ", "u" },
		{ "±", "+-" }, { "…", "..." }, { "└", "`" },
	};

	while (*text) {
		size_t length = text_character(text), i = 0;
		size_t n = sizeof(known) / sizeof(known[0]);

		if (length < 2) {
			bool shown = *text >= 0x20 && *text < 0x7f;

			text_put_char(out, shown ? *text : '?');
			text += 1;
			continue;
		}
		while (i < n && strncmp(text, known[i][0], length) != 0)
			i++;
		text_put(out, i < n ? known[i][1] : "?");
		text += length;
	}
}

/* A finished line: in the terminal's characters, no wider than it. */
void top_line_end(const struct top_view *view, struct text *line)
{
	struct text plain = TEXT_INIT;

	text_put(&plain, "");
	(view->utf8 ? power_row_put_plain
		    : put_ascii)(&plain, line->data ? line->data : "");
	text_done(line);
	*line = plain;
	line->length =
		text_cut(line->data, view->width > 0 ? (size_t)view->width : 0);
	line->data[line->length] = '\0';
}

struct text *top_line_add(struct top_screen *screen, enum terminal_style style)
{
	struct top_line *line;
	size_t before = screen->capacity;

	screen->line = mem_grow(screen->line, &screen->capacity,
				screen->lines + 1, sizeof(*screen->line));
	if (screen->capacity > before)
		memset(screen->line + before, 0,
		       (screen->capacity - before) * sizeof(*screen->line));
	line = &screen->line[screen->lines++];
	line->style = style;
	text_clear(&line->text);
	return &line->text;
}

void top_put_quantity(struct text *out, double value, enum quantity quantity)
{
	char text[QUANTITY_TEXT_MAX];

	text_put(out,
		 isfinite(value) ? quantity_text(value, quantity, text) : "–");
}

/* Aligned to the right. */
void top_put_cell(struct text *out, const char *cell, size_t width)
{
	size_t is = text_width(cell);

	text_printf(out, "%*s%s ", is < width ? (int)(width - is) : 0, "",
		    cell);
}

/* All in one unit, so that they compare at a glance. */
void top_put_watts(struct text *out, double watts, const char *before)
{
	char cell[48] = "–";

	if (isfinite(watts) && watts > 0 && watts < 0.0005)
		snprintf(cell, sizeof(cell), "%s<.001", before);
	else if (isfinite(watts))
		snprintf(cell, sizeof(cell), "%s%.*f", before,
			 fabs(watts) < 1000 ? 3 : 0, watts);
	top_put_cell(out, cell, 8);
}

void top_put_joules(struct text *out, double joules, const char *before)
{
	char text[QUANTITY_TEXT_MAX], cell[QUANTITY_TEXT_MAX + 8];
	bool tiny = joules > 0 && joules < 1e-3;

	quantity_text(tiny ? 1e-3 : joules, QUANTITY_JOULES, text);
	snprintf(cell, sizeof(cell), "%s%s%s", before, tiny ? "<" : "", text);
	top_put_cell(out, cell, 8);
}
