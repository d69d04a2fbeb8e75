/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run_say -- what `fl run` tells its reader while it works.
 *
 *	run_say_start(simulation, &values, threads);
 *	run_say_round(progress, fleet, &round);
 *	run_say_result(simulation);
 *
 * First what it found and what it will do, then a line that moves (or a line a
 * round in a log), last what came out.  Joules of a meter of class 5 and worse
 * are called estimated, with the range in which the truth lies.
 */
#ifndef FL_RUN_SAY_H
#define FL_RUN_SAY_H

#include <stddef.h>

#include "fl/run_config.h"
#include "fl/simulation.h"
#include "lib/progress.h"

void run_say_start(const struct simulation *simulation,
		   const struct run_config *values, size_t threads);
void run_say_round(struct progress *progress, const struct fleet *fleet,
		   const struct round_result *round);
void run_say_result(const struct simulation *simulation);

#endif
