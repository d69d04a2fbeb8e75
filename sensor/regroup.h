/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * regroup -- documents that were read, back into batches.
 *
 *	struct regroup *regroup = regroup_new(sink);
 *
 *	while (source_next(source, &doc, &err) > 0)
 *		if (regroup_put(regroup, doc, &err) < 0)   // takes it
 *			...
 *	regroup_flush(regroup, &err);
 *	regroup_free(regroup);
 *
 * HWPC and power reports of one sensor and timestamp that follow each other
 * become one batch, so that places with tables or dashboards can take them, as
 * from a sensor.  What is anything else, or more than such a report (a member
 * that a batch has no place for, a count that is no whole number from 0 to
 * 2^63), is passed on as the document that it is.  Either way what comes out is
 * equal to what went in, but for whole counts that were written as reals.
 */
#ifndef SENSOR_REGROUP_H
#define SENSOR_REGROUP_H

#include <stdbool.h>

#include "lib/doc.h"
#include "lib/err.h"
#include "lib/sink.h"

struct regroup;

struct regroup *regroup_new(struct sink *sink);
/* Would it join the reports that wait (or are there none)? */
bool regroup_fits(const struct regroup *regroup, const struct doc *doc);
int regroup_put(struct regroup *regroup, struct doc *doc_taken,
		struct err *err);
/* Give what waits to the sink. */
int regroup_flush(struct regroup *regroup, struct err *err);
void regroup_free(struct regroup *regroup); /* accepts NULL; drops what waits */

#endif
