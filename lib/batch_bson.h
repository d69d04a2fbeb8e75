/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * batch_bson -- the rows of a batch as BSON documents, as PowerAPI stores them.
 *
 *	struct batch_bson *encoder = batch_bson_new(false);
 *
 *	if (batch_bson_put(encoder, batch, &batch->row[i], NULL, &out, &err) < 0)
 *		...
 *	batch_bson_free(encoder);
 *
 * {timestamp: UTC date, sensor, target, the columns' nested documents,
 * metadata}.  Counts are doubles, as hwpc-sensor stores them (exact up to 2^53),
 * or with `int64` 64-bit integers (a count above INT64_MAX stays a double);
 * reals are doubles, and null where they are not finite.
 *
 * Everything of a layout but its numbers is the same in each row: it is kept
 * once, numbers are filled in at fixed places.  Layouts with text columns, and
 * rows with values that are not finite, are written step by step.
 */
#ifndef LIB_BATCH_BSON_H
#define LIB_BATCH_BSON_H

#include <stdbool.h>

#include "lib/batch.h"
#include "lib/err.h"
#include "lib/text.h"

struct batch_bson;

struct batch_bson *batch_bson_new(bool int64);
/* One document behind what is in `out`.  `id`: BSON elements (text_bson.h) to
 * stand before all others, like _id, or NULL.  Fails where the row's metadata
 * is no JSON; then `out` is as it was. */
int batch_bson_put(struct batch_bson *encoder, const struct batch *batch,
		   const struct row *row, const struct text *id,
		   struct text *out, struct err *err);
void batch_bson_free(struct batch_bson *encoder); /* accepts NULL */

#endif
