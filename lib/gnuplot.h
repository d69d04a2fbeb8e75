/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gnuplot -- from a struct plot to SVG (for page.c alone).
 *
 * gnuplot_script() writes what gnuplot is to do, data included, and
 * gnuplot_run() has a child do it: no shell, no files, no settings of the
 * user's.
 */
#ifndef LIB_GNUPLOT_H
#define LIB_GNUPLOT_H

#include <stdbool.h>

#include "lib/err.h"
#include "lib/page.h"
#include "lib/text.h"

#define GNUPLOT_WIDTH  720
#define GNUPLOT_HEIGHT 400

/* False when no point can be shown: gnuplot would fail on that. */
bool gnuplot_can_show(const struct plot *plot);
void gnuplot_script(struct text *script, const struct plot *plot);
int gnuplot_run(const struct text *script, struct text *svg, struct err *err);

#endif
