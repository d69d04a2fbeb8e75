/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page -- a self-contained HTML report with plots.
 *
 *	struct page *page = page_new("Energy of training steps");
 *
 *	page_paragraph(page, "%zu records, estimated (class 7)", n);
 *	page_table(page, table);
 *	page_plot(page, &plot, &err);
 *	page_write(page, "report.html", force, &err);
 *	page_free(page);
 *
 * One file: style and plots are inside, nothing is loaded from anywhere, so a
 * report can be mailed and read in ten years.  Plots are SVG drawn by gnuplot,
 * run as a child without a shell; where gnuplot is missing page_plot() fails
 * with the command that installs it.  A plot that has no value at all becomes a
 * line that says so; single values that are not finite are left out.
 */
#ifndef LIB_PAGE_H
#define LIB_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "lib/table.h"

struct page;

enum plot_style {
	PLOT_LINE,
	PLOT_POINTS,
	PLOT_LINE_POINTS,
	PLOT_ERRORBARS, /* points with `lo` and `hi` */
	PLOT_BAND,      /* filled between `lo` and `hi`, behind the lines */
	PLOT_AREA,      /* the same, hiding what is behind it: to be stacked */
	PLOT_BARS,      /* one bar per x */
	PLOT_STEPS,
};

/* For what stands beside things that have colours. */
enum plot_grey {
	PLOT_BLACK = -1,
	PLOT_DIM = -2,
	PLOT_GREY = -3,
	PLOT_PALE = -4
};

struct plot_series {
	const char *name; /* NULL: not in the key */
	enum plot_style style;
	const double *x, *y;
	const double *lo, *hi; /* for ERRORBARS, BAND and AREA */
	size_t n;
	int colour; /* 0: by position; else the same number, same colour; or a
		       grey */
};

struct plot {
	const char *title, *x_label, *y_label;
	bool x_log, y_log;
	bool diagonal; /* draw y = x */
	bool x_time;   /* x is Unix time in seconds */
	const struct plot_series *series;
	size_t count;
	int width, height; /* pixels; 0: 720 × 400 */
};

struct page *page_new(const char *title);
void page_heading(struct page *page, const char *text);
void page_paragraph(struct page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void page_table(struct page *page, const struct table *table);
int page_plot(struct page *page, const struct plot *plot, struct err *err);
int page_write(const struct page *page, const char *path, bool force,
	       struct err *err);
void page_free(struct page *page);

#endif
