/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines of a view. */
#include "formula/top_line.h"
#include "formula/top_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/mem.h"
#include "lib/quantity.h"
#include "sensor/energy.h"

#define SPARK_MIN 10
/* Columns left of the name, without the sparkline. */
#define FIXED_WIDTH 43

/* ---- the head ---------------------------------------------------------------- */

static void put_clock(struct text *out, int64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm now;
	char text[16];

	if (localtime_r(&seconds, &now) &&
	    strftime(text, sizeof(text), "%H:%M:%S", &now))
		text_put(out, text);
}

/* What all sensors of the stream say together. */
static struct board_sensor machine_of(const struct power_board *board)
{
	struct board_sensor all = board->sensor[0];

	for (size_t i = 1; i < board->sensors; i++) {
		const struct board_sensor *next = &board->sensor[i];

		all.meter_w += next->meter_w;
		all.sigma_w = hypot(all.sigma_w, next->sigma_w);
		all.idle_w += next->idle_w;
		all.residual_w += next->residual_w;
		all.joules += next->joules;
		all.time_ms = all.time_ms > next->time_ms ? all.time_ms
							  : next->time_ms;
		all.seconds = fmax(all.seconds, next->seconds);
		if (next->source > all.source) {
			all.source = next->source;
			all.estimated = next->estimated;
		}
	}
	return all;
}

static bool is_estimate(int source)
{
	return source != POWER_ROW_NO_CLASS &&
	       energy_is_estimate((enum energy_source)source);
}

static void put_title(const struct top_view *view,
		      const struct power_board *board, struct text *line)
{
	text_put(line, "formula top");
	if (board->sensors) {
		struct board_sensor all = machine_of(board);

		if (board->sensors > 1)
			text_printf(line, "   %zu sensors   ", board->sensors);
		else
			text_printf(line, "   %.60s   ", all.name);
		put_clock(line, all.time_ms);
	}
	if (view->paused)
		text_put(line, "   PAUSED");
	if (view->ended)
		text_put(line, "   the input has ended");
}

static void put_machine(const struct top_view *view,
			const struct power_board *board,
			const struct board_sensor *all, struct text *line)
{
	char label[ENERGY_LABEL_MAX];
	double lo, hi;

	text_put(line, "machine   ");
	text_put(line, is_estimate(all->source) ? "~" : "");
	top_put_quantity(line, all->meter_w, QUANTITY_WATTS);
	if (isfinite(all->sigma_w)) {
		text_put(line, " ± ");
		top_put_quantity(line, all->sigma_w, QUANTITY_WATTS);
	}
	if (board->sensors == 1) {
		text_put(line, "  ");
		top_view_sparkline(&all->history, all->ticks, SPARK_MIN,
				   view->utf8, line);
	}
	text_printf(line, "  %s%s", all->meter, *all->meter ? ", " : "");
	if (all->source == POWER_ROW_NO_CLASS) {
		text_put(line, "class not said");
	} else if (*all->estimated) {
		text_put(line, all->estimated);
	} else {
		energy_source_scale((enum energy_source)all->source, &lo, &hi);
		text_put(line, energy_label((enum energy_source)all->source, lo,
					    hi, label));
	}
}

static void put_packages(const struct power_board *board,
			 const struct board_sensor *all, struct text *line)
{
	text_put(line, "packages  ");
	if (board->sensors > 1) {
		text_put(line, "– (of several machines)");
		return;
	}
	if (!all->packages)
		text_put(line, "– (the reports do not say)");
	for (size_t i = 0; i < all->packages; i++) {
		text_printf(line, "%s%s: ", i ? "   " : "",
			    all->package[i].name);
		top_put_quantity(line, all->package[i].watts, QUANTITY_WATTS);
	}
}

static void put_energy(const struct top_view *view,
		       const struct power_board *board,
		       const struct board_sensor *all, struct text *line)
{
	char seconds[QUANTITY_TEXT_MAX];

	text_put(line, "energy    ");
	text_put(line, is_estimate(all->source) ? "~" : "");
	top_put_quantity(line, all->joules, QUANTITY_JOULES);
	text_printf(line, " in %s", quantity_duration(all->seconds, seconds));
	if (isfinite(all->idle_w)) {
		text_put(line, "   idle ");
		top_put_quantity(line, all->idle_w, QUANTITY_WATTS);
		if (*all->idle_from)
			text_printf(line, " (%s)", all->idle_from);
	}
	if (view->policy < board->policies &&
	    strcmp(board->policy[view->policy], "-") != 0)
		text_printf(line, "   idle policy %s",
			    board->policy[view->policy]);
	/* SmartWatts' model need not sum to the meter; ours is checked to. */
	if (fabs(all->residual_w) > 1e-6 * fabs(all->meter_w)) {
		text_put(line, "   residual ");
		top_put_quantity(line, all->residual_w, QUANTITY_WATTS);
	}
}

static void put_head(const struct top_view *view,
		     const struct power_board *board, struct top_screen *screen)
{
	struct board_sensor all;

	put_title(view, board, top_line_add(screen, TERMINAL_BOLD));
	if (!board->sensors) {
		top_line_add(screen, TERMINAL_PLAIN);
		text_put(top_line_add(screen, TERMINAL_PLAIN),
			 view->ended ? "no power reports came"
				     : "waiting for the first reports …");
		top_line_add(screen, TERMINAL_PLAIN);
		return;
	}
	all = machine_of(board);
	put_machine(view, board, &all,
		    top_line_add(screen, is_estimate(all.source)
						 ? TERMINAL_WARNING
						 : TERMINAL_PLAIN));
	put_packages(board, &all, top_line_add(screen, TERMINAL_PLAIN));
	put_energy(view, board, &all, top_line_add(screen, TERMINAL_PLAIN));
}

/* ---- the rows ---------------------------------------------------------------- */

static size_t spark_width(const struct top_view *view)
{
	int more = (view->width - 80) / 2;
	int most = POWER_BOARD_HISTORY - SPARK_MIN;

	return (size_t)(SPARK_MIN + (more < 0 ? 0 : more > most ? most : more));
}

/* The column that rows are sorted by is marked by a '*'. */
static void put_column(const struct top_view *view, const char *name,
		       enum top_sort sort, size_t width, struct text *line)
{
	char cell[32];

	snprintf(cell, sizeof(cell), "%s%s", view->sort == sort ? "*" : "",
		 name);
	top_put_cell(line, cell, width);
}

static void put_columns(const struct top_view *view, struct text *line)
{
	put_column(view, "WATTS", TOP_BY_WATTS, 8, line);
	top_put_cell(line, "SIGMA", 8);
	put_column(view, "CPUS", TOP_BY_CPU, 6, line);
	put_column(view, "ENERGY", TOP_BY_ENERGY, 8, line);
	top_put_cell(line, "CLASS", 7);
	text_printf(line, "%-*s ", (int)spark_width(view), "HISTORY");
	text_put(line, view->sort == TOP_BY_NAME ? "*TARGET" : "TARGET");
}

static void put_class(int source, struct text *line)
{
	char cell[16] = "–";

	if (source != POWER_ROW_NO_CLASS)
		snprintf(cell, sizeof(cell), "%d%s", source,
			 is_estimate(source) ? " est" : "");
	top_put_cell(line, cell, 7);
}

/* The end of a path says more than its beginning. */
static void put_name(const struct board_target *target, size_t room,
		     struct text *line)
{
	const char *name = target->name;
	size_t width = text_width(name);

	if (target->within) {
		text_put(line, "└ ");
		room -= room < 2 ? room : 2;
	}
	if (width > room && room > 1 && *name == '/') {
		name += text_cut(name, width - room + 1);
		text_put(line, "…");
	}
	text_put(line, name);
}

static void put_row(const struct top_view *view,
		    const struct power_board *board,
		    const struct board_target *target,
		    struct top_screen *screen)
{
	const struct board_sensor *sensor = &board->sensor[target->sensor];
	bool here = power_board_is_here(board, target);
	bool estimate = is_estimate(sensor->source);
	struct text *line = top_line_add(screen, !here      ? TERMINAL_DIM
						 : estimate ? TERMINAL_WARNING
							    : TERMINAL_PLAIN);
	const char *mark = estimate ? "~" : "";
	size_t spark = spark_width(view);
	size_t before = FIXED_WIDTH + spark;
	size_t width = view->width > 0 ? (size_t)view->width : 0;
	char cpus[32] = "–";

	if (here && isfinite(target->cpus))
		snprintf(cpus, sizeof(cpus), "%.2f", target->cpus);
	top_put_watts(line, here ? target->watts : (double)NAN, mark);
	top_put_watts(line, here ? target->sigma_w : (double)NAN, "");
	top_put_cell(line, cpus, 6);
	top_put_joules(line, target->joules, mark);
	put_class(sensor->source, line);
	top_view_sparkline(&target->history, sensor->ticks, spark, view->utf8,
			   line);
	text_put_char(line, ' ');
	if (board->sensors > 1)
		text_printf(line, "%s: ", sensor->name);
	put_name(target, width > before ? width - before : 0, line);
}

static void put_rows(const struct top_view *view,
		     const struct power_board *board, struct top_screen *screen)
{
	size_t *order = xcalloc(board->targets + 1, sizeof(*order));
	size_t count = top_view_order(view, board, order);
	size_t first = view->first < count ? view->first : 0;

	for (size_t i = first; i < count && i - first < top_view_rows(view);
	     i++)
		put_row(view, board, &board->target[order[i]], screen);
	if (!count && board->sensors)
		text_put(top_line_add(screen, TERMINAL_DIM),
			 "no target matches the filter");
	free(order);
}

/* ---- help and foot ------------------------------------------------------------- */

static void put_help(struct top_screen *screen)
{
	static const char *const help[] = {
		"  w n c e   sort by watts, name, busy CPUs, energy; s: the next",
		"  r         the other way round",
		"  /         filter: targets whose name contains what you type;",
		"            Enter keeps it, Esc removes it",
		"  i         the next idle policy, where the stream has several",
		"  p, Space  pause: the screen stands still, nothing is lost",
		"  Up Down PgUp PgDn Home End   further rows",
		"  q         quit                    h, ?   this, and back",
		"",
		"  ~, est    estimated: a model of power stands behind the watts",
		"            (class 5 and above), no meter",
		"  CLASS     0 wall meter, 1 hardware accumulator (RAPL),",
		"            2 firmware, 3 polled, 4 handed over, 5-7 models",
		"  SIGMA     1 sigma, in watts: what the meter would show again",
		"  HISTORY   the last ticks, each row from 0 to its highest",
		"  └         within another target, and not to be added again",
	};

	for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++)
		text_put(top_line_add(screen, TERMINAL_PLAIN), help[i]);
}

static void put_foot(const struct top_view *view,
		     const struct power_board *board, struct text *line)
{
	if (view->typing) {
		text_printf(line, "filter: %s_", view->filter);
		return;
	}
	if (view->note) {
		text_put(line, view->note);
		return;
	}
	text_put(line, "q quit  w n c e sort  / filter  p pause  h help");
	if (view->filter[0])
		text_printf(line, "   filter: %s", view->filter);
	if (board->left_out)
		text_put(line, "   more targets than there is room for");
}

void top_view_draw(const struct top_view *view, const struct power_board *board,
		   struct top_screen *screen)
{
	size_t height = view->height > 0 ? (size_t)view->height : 1;

	screen->lines = 0;
	put_head(view, board, screen);
	top_line_add(screen, TERMINAL_PLAIN);
	if (view->help) {
		put_help(screen);
	} else {
		put_columns(view, top_line_add(screen, TERMINAL_REVERSE));
		put_rows(view, board, screen);
	}
	while (screen->lines + TOP_FOOT_LINES < height)
		top_line_add(screen, TERMINAL_PLAIN);
	/* The foot has the last line, however small the terminal is. */
	if (screen->lines >= height)
		screen->lines = height - TOP_FOOT_LINES;
	put_foot(view, board, top_line_add(screen, TERMINAL_BOLD));
	for (size_t i = 0; i < screen->lines; i++)
		top_line_end(view, &screen->line[i].text);
}

void top_screen_done(struct top_screen *screen)
{
	for (size_t i = 0; i < screen->capacity; i++)
		text_done(&screen->line[i].text);
	free(screen->line);
	*screen = (struct top_screen){ 0 };
}
