/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/gnuplot.h"

#include <math.h>
#include <stddef.h>

/* Okabe and Ito's colours, which colour-blind readers can tell apart. */
static const char *const palette[] = {
	"#0072b2", "#d55e00", "#009e73", "#cc79a7",
	"#e69f00", "#56b4e9", "#7f6f00", "#555555",
};

#define PALETTE_SIZE (sizeof(palette) / sizeof(palette[0]))

/* As in enum plot_grey, from PLOT_BLACK on. */
static const char *const greys[] = { "#111111", "#868e96", "#b8bdc2",
				     "#e1e4e7" };

struct range {
	double lo, hi;
};

static void widen(struct range *range, double value, bool log_scale)
{
	if (!isfinite(value) || (log_scale && value <= 0))
		return;
	range->lo = fmin(range->lo, value);
	range->hi = fmax(range->hi, value);
}

static bool is_filled(const struct plot_series *series)
{
	return series->style == PLOT_BAND || series->style == PLOT_AREA;
}

static bool has_bounds(const struct plot_series *series)
{
	return series->style == PLOT_ERRORBARS || is_filled(series);
}

/* What is filled has no values of its own. */
static double value_of(const struct plot_series *series, size_t i)
{
	return is_filled(series) ? series->hi[i] : series->y[i];
}

static void ranges(const struct plot *plot, struct range *x, struct range *y)
{
	size_t s, i;

	*x = *y = (struct range){ HUGE_VAL, -HUGE_VAL };
	for (s = 0; s < plot->count; s++) {
		const struct plot_series *series = &plot->series[s];

		for (i = 0; i < series->n; i++) {
			widen(x, series->x[i], plot->x_log);
			widen(y, value_of(series, i), plot->y_log);
			if (has_bounds(series)) {
				widen(y, series->lo[i], plot->y_log);
				widen(y, series->hi[i], plot->y_log);
			}
		}
	}
}

static bool can_show(const struct plot *plot, double x, double y)
{
	return isfinite(x) && isfinite(y) && (!plot->x_log || x > 0) &&
	       (!plot->y_log || y > 0);
}

bool gnuplot_can_show(const struct plot *plot)
{
	size_t s, i;

	for (s = 0; s < plot->count; s++) {
		const struct plot_series *series = &plot->series[s];

		for (i = 0; i < series->n; i++)
			if (can_show(plot, series->x[i], value_of(series, i)))
				return true;
	}
	return false;
}

/* In single quotes nothing is special to gnuplot but the quote itself. */
static void put_quoted(struct text *script, const char *text)
{
	text_put_char(script, '\'');
	for (; text != NULL && *text != '\0'; text++) {
		if (*text == '\'')
			text_put_char(script, '\'');
		text_put_char(script,
			      (unsigned char)*text < 0x20 ? ' ' : *text);
	}
	text_put_char(script, '\'');
}

static void put_number(struct text *script, double value)
{
	if (isfinite(value))
		text_put_real(script, value);
	else
		text_put(script, "NaN");
}

/* The smallest distance between bars, over all series. */
static double bar_pitch(const struct plot *plot)
{
	double pitch = HUGE_VAL, gap;
	size_t s, i;

	for (s = 0; s < plot->count; s++) {
		const struct plot_series *series = &plot->series[s];

		if (series->style != PLOT_BARS)
			continue;
		for (i = 1; i < series->n; i++) {
			gap = fabs(series->x[i] - series->x[i - 1]);
			if (gap > 0 && gap < pitch)
				pitch = gap;
		}
	}
	return isfinite(pitch) ? pitch : 1;
}

/* Several series of bars stand side by side. */
struct bars {
	size_t count, seen;
	double width;
};

static struct bars bars_of(const struct plot *plot)
{
	struct bars bars = { 0, 0, 0 };
	size_t s;

	for (s = 0; s < plot->count; s++)
		bars.count += plot->series[s].style == PLOT_BARS;
	if (bars.count > 0)
		bars.width = 0.8 * bar_pitch(plot) / (double)bars.count;
	return bars;
}

/* Rows of x, y, lo, hi.  A bound that a logarithmic axis cannot show runs off
 * its lower end, at `floor`. */
static void put_data(struct text *script, const struct plot *plot, size_t index,
		     double floor, struct bars *bars)
{
	const struct plot_series *series = &plot->series[index];
	double shift = 0, lo;
	size_t i;

	if (series->style == PLOT_BARS)
		shift = ((double)bars->seen++ - ((double)bars->count - 1) / 2) *
			bars->width;
	text_printf(script, "$d%zu << EOD\n", index);
	for (i = 0; i < series->n; i++) {
		put_number(script, series->x[i] + shift);
		text_put_char(script, ' ');
		put_number(script, value_of(series, i));
		if (has_bounds(series)) {
			lo = series->lo[i];
			text_put_char(script, ' ');
			put_number(script, plot->y_log && lo <= 0 ? floor : lo);
			text_put_char(script, ' ');
			put_number(script, series->hi[i]);
		}
		text_put_char(script, '\n');
	}
	text_put(script, "EOD\n");
}

static const char *time_format(struct range x)
{
	double span = x.hi - x.lo;

	return span < 600 ? "%H:%M:%S" : span < 172800 ? "%H:%M" : "%d %b";
}

static void put_axis(struct text *script, const char *axis, const char *label,
		     bool log_scale)
{
	text_printf(script, "set %slabel ", axis);
	put_quoted(script, label);
	text_put(script, " tc rgb '#333333'\n");
	text_printf(script, "set format %s '%%g'\n", axis);
	if (log_scale)
		text_printf(script, "set logscale %s\n", axis);
}

/* `y` is the range of the values, bars: whether they start at 0. */
static void put_frame(struct text *script, const struct plot *plot,
		      struct range x, struct range y)
{
	struct bars bars = bars_of(plot);

	text_put(script, "set encoding utf8\n");
	text_printf(script,
		    "set terminal svg size %d,%d dynamic noenhanced "
		    "font 'sans-serif,13'\n",
		    plot->width > 0 ? plot->width : GNUPLOT_WIDTH,
		    plot->height > 0 ? plot->height : GNUPLOT_HEIGHT);
	text_put(script, "set border 3 lc rgb '#888888'\n"
			 "set tics nomirror out scale 0.5 tc rgb '#333333'\n"
			 "set grid lt 1 lw 0.5 lc rgb '#dddddd'\n"
			 "set key outside top left horizontal Left reverse "
			 "samplen 2 tc rgb '#333333'\n"
			 "set style fill solid 0.85 noborder\n");
	put_axis(script, "x", plot->x_label, plot->x_log);
	put_axis(script, "y", plot->y_label, plot->y_log);
	if (plot->x_time)
		/* The last time is wider than the margin there is. */
		text_printf(script,
			    "set xtics time format '%s'\nset rmargin 5\n",
			    time_format(x));
	if (bars.count > 0) {
		text_put(script, "set boxwidth ");
		put_number(script, bars.width);
		text_put(script, " absolute\n");
		if (y.lo >= 0 && !plot->y_log)
			text_put(script, "set yrange [0:*]\n");
	}
}

static void put_style(struct text *script, const struct plot_series *series,
		      const char *colour)
{
	switch (series->style) {
	case PLOT_LINE:
		text_put(script, "u 1:2 w lines lw 2");
		break;
	case PLOT_POINTS:
		text_put(script, "u 1:2 w points pt 7 ps 0.5");
		break;
	case PLOT_LINE_POINTS:
		text_put(script, "u 1:2 w linespoints lw 2 pt 7 ps 0.5");
		break;
	case PLOT_ERRORBARS:
		text_put(script, "u 1:2:3:4 w yerrorbars lw 1.5 pt 7 ps 0.5");
		break;
	case PLOT_BAND:
		text_put(script, "u 1:3:4 w filledcurves fs transparent "
				 "solid 0.2 noborder");
		break;
	case PLOT_AREA:
		text_put(script, "u 1:3:4 w filledcurves fs solid 1 noborder");
		break;
	case PLOT_BARS:
		text_put(script, "u 1:2 w boxes");
		break;
	case PLOT_STEPS:
		text_put(script, "u 1:2 w steps lw 2");
		break;
	}
	text_printf(script, " lc rgb '%s'", colour);
}

static void put_series(struct text *script, const struct plot *plot,
		       size_t index)
{
	const struct plot_series *series = &plot->series[index];
	size_t colour = index;

	if (series->n == 0)
		return;
	if (series->colour > 0)
		colour = (size_t)series->colour - 1;
	text_printf(script, ", $d%zu ", index);
	put_style(script, series,
		  series->colour < 0 ? greys[-series->colour - 1]
				     : palette[colour % PALETTE_SIZE]);
	if (series->name == NULL) {
		text_put(script, " notitle");
	} else {
		text_put(script, " title ");
		put_quoted(script, series->name);
	}
}

/* y = x, over all that both axes show. */
static void put_diagonal(struct text *script, struct range x, struct range y)
{
	text_put(script, "$diagonal << EOD\n");
	put_number(script, fmin(x.lo, y.lo));
	text_put_char(script, ' ');
	put_number(script, fmin(x.lo, y.lo));
	text_put_char(script, '\n');
	put_number(script, fmax(x.hi, y.hi));
	text_put_char(script, ' ');
	put_number(script, fmax(x.hi, y.hi));
	text_put(script, "\nEOD\n");
}

/* What is filled first, so that lines are in front of them. */
static void put_plot(struct text *script, const struct plot *plot)
{
	size_t s;

	/* Begins with something that shows nothing, so that every series can
	 * begin with a comma. */
	text_put(script, "plot NaN notitle");
	for (s = 0; s < plot->count; s++)
		if (is_filled(&plot->series[s]))
			put_series(script, plot, s);
	if (plot->diagonal)
		text_put(script, ", $diagonal u 1:2 w lines dt 2 "
				 "lc rgb '#999999' notitle");
	for (s = 0; s < plot->count; s++)
		if (!is_filled(&plot->series[s]))
			put_series(script, plot, s);
	text_put_char(script, '\n');
}

void gnuplot_script(struct text *script, const struct plot *plot)
{
	struct bars bars = bars_of(plot);
	struct range x, y;
	size_t s;

	ranges(plot, &x, &y);
	put_frame(script, plot, x, y);
	for (s = 0; s < plot->count; s++)
		if (plot->series[s].n > 0)
			put_data(script, plot, s, y.lo / 2, &bars);
	if (plot->diagonal)
		put_diagonal(script, x, y);
	put_plot(script, plot);
}
