/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * text_bson -- BSON (bsonspec.org) into a text, without any library.
 *
 *	size_t document = text_bson_open(&out);
 *
 *	text_bson_string(&out, "sensor", "node1");
 *	text_bson_date(&out, "timestamp", time_ms);
 *	size_t groups = text_bson_open_key(&out, "groups", TEXT_BSON_OBJECT);
 *	text_bson_double(&out, "CYCLES", 12.0);
 *	text_bson_close(&out, groups);
 *	text_bson_close(&out, document);
 *
 * Strings and keys hold no NUL; bytes that are no UTF-8 become U+FFFD, as in
 * JSON.  The writer sees to it that keys differ and that a document stays below
 * 2 GiB (MongoDB takes 16 MiB).
 */
#ifndef LIB_TEXT_BSON_H
#define LIB_TEXT_BSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/doc.h"
#include "lib/text.h"

enum text_bson_type {
	TEXT_BSON_DOUBLE = 0x01,
	TEXT_BSON_STRING = 0x02,
	TEXT_BSON_OBJECT = 0x03,
	TEXT_BSON_ARRAY = 0x04,
	TEXT_BSON_BOOL = 0x08,
	TEXT_BSON_DATE = 0x09,
	TEXT_BSON_NULL = 0x0a,
	TEXT_BSON_INT64 = 0x12,
};

/* A document begins; what is to be given to text_bson_close(). */
size_t text_bson_open(struct text *out);
size_t text_bson_open_key(struct text *out, const char *key,
			  enum text_bson_type type);
void text_bson_close(struct text *out, size_t opened);

void text_bson_double(struct text *out, const char *key, double value);
void text_bson_int64(struct text *out, const char *key, int64_t value);
/* Unix milliseconds. */
void text_bson_date(struct text *out, const char *key, int64_t time_ms);
void text_bson_string(struct text *out, const char *key, const char *value);
void text_bson_null(struct text *out, const char *key);

/* Every member of an object, in order: whole numbers as int64, null as null. */
void text_bson_members(struct text *out, const struct doc *object);

#endif
