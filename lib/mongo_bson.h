/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mongo_bson -- our documents as BSON (bsonspec.org), ready to be sent.
 *
 *	struct mongo_template *template = mongo_template_new(layout, false);
 *
 *	mongo_put_row(template, batch, row, id, &out);   // 8-byte holes filled
 *	mongo_put_doc(doc, id, false, &out);             // any document
 *	mongo_template_free(template);
 *
 * Reports are PowerAPI's documents: `timestamp` a date, counts doubles (`exact`
 * keeps them 64-bit integers, which PowerAPI reads as well; one above INT64_MAX
 * is a double even then).  A real that is not finite becomes null, as in JSON.
 * Whole numbers elsewhere are int32 where they fit, else int64.  Bytes that are
 * no UTF-8 become U+FFFD.
 *
 * A document of a layout without texts always has the same shape, so that all
 * but its values is copied from the template; one with texts, or with a value
 * that is not finite, is written key by key.
 */
#ifndef LIB_MONGO_BSON_H
#define LIB_MONGO_BSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/batch.h"
#include "lib/doc.h"
#include "lib/text.h"

/* MongoDB takes documents up to this size. */
#define MONGO_DOCUMENT_MAX ((size_t)16 << 20)

struct mongo_template;

/* The layout must outlive it. */
struct mongo_template *mongo_template_new(const struct layout *layout,
					  bool exact);
void mongo_template_free(struct mongo_template *template);

/* Append one document. */
void mongo_put_row(struct mongo_template *template, const struct batch *batch,
		   const struct row *row, const char *id, struct text *out);
/* A report (timestamp in ms, sensor, target, no schema) as above; everything
 * else as it is.  An `_id` of its own (text or number) stays, else `id`. */
void mongo_put_doc(const struct doc *doc, const char *id, bool exact,
		   struct text *out);
bool mongo_is_report(const struct doc *doc);

/* How long the document at `bytes` is; 0 where there is none that ends within
 * `length`. */
size_t mongo_document_length(const void *bytes, size_t length);
/* Its `timestamp` or `time_ms` and `sensor` (borrowed, NULL where it has none);
 * what cannot be read is left out. */
void mongo_document_stamp(const void *bytes, size_t length, int64_t *time_ms,
			  const char **sensor);

#endif
