/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mongo_element -- BSON, byte by byte (bsonspec.org); for mongo_bson.c.
 *
 *	size_t at = element_begin(&out);
 *
 *	element_text(&out, "sensor", "node1");
 *	element_key(&out, BSON_REAL, "power");
 *	element_8(&out, element_bits(12.5));
 *	element_end(&out, at);
 *
 * Bytes that are no UTF-8 become U+FFFD.
 */
#ifndef LIB_MONGO_ELEMENT_H
#define LIB_MONGO_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/doc.h"
#include "lib/text.h"

enum bson_type {
	BSON_REAL = 0x01,
	BSON_TEXT = 0x02,
	BSON_OBJECT = 0x03,
	BSON_ARRAY = 0x04,
	BSON_ID = 0x07,
	BSON_BOOL = 0x08,
	BSON_DATE = 0x09,
	BSON_NULL = 0x0a,
	BSON_INT32 = 0x10,
	BSON_INT64 = 0x12,
};

/* What stands before every value. */
void element_key(struct text *out, enum bson_type type, const char *key);
void element_8(struct text *out, uint64_t value);
uint64_t element_bits(double value);
void element_text(struct text *out, const char *key, const char *value);
void element_date(struct text *out, const char *key, int64_t ms);

/* A document begins with its length: where that stands goes back to the end. */
size_t element_begin(struct text *out);
void element_end(struct text *out, size_t at);

/* Any value, with all that is in it.  `counts`: whole numbers are reals, or with
 * `exact` 64-bit integers; else they are int32 where they fit. */
void element_doc(const struct doc *doc, const char *key, bool counts,
		 bool exact, struct text *out);

bool element_is_ascii(const char *piece, size_t length);

#endif
