/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * line_protocol -- reports as InfluxDB's line protocol.
 *
 *	power_consumption,scope=cpu,sensor=n,target=/a power=2.5 1783600000123
 *
 *	struct line_writer writer = { .names = LAYOUT_NAMES_2_10 };
 *
 *	line_put_batch(&writer, &batch, &text, &err);
 *	line_writer_done(&writer);
 *
 * A line for each row and place in a table (one, where the layout has no
 * tables); its fields are the columns that stand there.  Tags are in byte
 * order, times in milliseconds.  Whole numbers are integers ("3i"); what is not
 * finite is left out, as is a line without fields and a tag without value.
 */
#ifndef LIB_LINE_PROTOCOL_H
#define LIB_LINE_PROTOCOL_H

#include "lib/batch.h"
#include "lib/err.h"
#include "lib/tags.h"
#include "lib/text.h"

struct line_writer {
	enum layout_names names;
	const char *measurement;         /* NULL: the layout's */
	const struct field_list *wanted; /* tags (tags.h); NULL: texts */
	struct tags tags;                /* of the line being written */
};

int line_put_batch(struct line_writer *writer, const struct batch *batch,
		   struct text *out, struct err *err);
void line_writer_done(struct line_writer *writer);

#endif
