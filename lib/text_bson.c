/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/text_bson.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

/* ---- numbers, little end first ------------------------------------------- */

static void put_32(struct text *out, uint32_t value)
{
	value = htole32(value);
	text_put_bytes(out, &value, sizeof(value));
}

static void put_64(struct text *out, uint64_t value)
{
	value = htole64(value);
	text_put_bytes(out, &value, sizeof(value));
}

/* UTF-8, whatever it was before. */
static void put_clean(struct text *out, const char *piece)
{
	size_t plain = text_plain(piece, strlen(piece));

	text_put_bytes(out, piece, plain);
	piece += plain;
	while (*piece) {
		size_t length = text_character(piece);

		if (length > 0)
			text_put_bytes(out, piece, length);
		else
			text_put(out, "\xef\xbf\xbd");
		piece += length > 0 ? length : 1;
	}
}

static void put_key(struct text *out, enum text_bson_type type, const char *key)
{
	text_put_char(out, (char)type);
	put_clean(out, key);
	text_put_char(out, '\0');
}

/* ---- documents ----------------------------------------------------------- */

size_t text_bson_open(struct text *out)
{
	size_t at = out->length;

	put_32(out, 0);
	return at;
}

size_t text_bson_open_key(struct text *out, const char *key,
			  enum text_bson_type type)
{
	put_key(out, type, key);
	return text_bson_open(out);
}

static void length_set(struct text *out, size_t at, size_t length)
{
	uint32_t value = htole32((uint32_t)length);

	memcpy(out->data + at, &value, sizeof(value));
}

void text_bson_close(struct text *out, size_t opened)
{
	text_put_char(out, '\0');
	length_set(out, opened, out->length - opened);
}

/* ---- values -------------------------------------------------------------- */

void text_bson_double(struct text *out, const char *key, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_key(out, TEXT_BSON_DOUBLE, key);
	put_64(out, bits);
}

void text_bson_int64(struct text *out, const char *key, int64_t value)
{
	put_key(out, TEXT_BSON_INT64, key);
	put_64(out, (uint64_t)value);
}

void text_bson_date(struct text *out, const char *key, int64_t time_ms)
{
	put_key(out, TEXT_BSON_DATE, key);
	put_64(out, (uint64_t)time_ms);
}

/* Nothing to be mended in it, which is the rule: all at once. */
static void put_string_plain(struct text *out, const char *key, size_t keys,
			     const char *value, size_t length)
{
	char *at = text_reserve(out, 1 + keys + 1 + 4 + length + 1);
	uint32_t prefix = htole32((uint32_t)length + 1);

	*at++ = TEXT_BSON_STRING;
	at = mempcpy(at, key, keys + 1);
	at = mempcpy(at, &prefix, sizeof(prefix));
	text_extend(out, mempcpy(at, value, length + 1));
}

void text_bson_string(struct text *out, const char *key, const char *value)
{
	size_t keys = strlen(key), length = strlen(value);
	size_t at;

	if (text_plain(key, keys) == keys &&
	    text_plain(value, length) == length) {
		put_string_plain(out, key, keys, value, length);
		return;
	}
	put_key(out, TEXT_BSON_STRING, key);
	at = out->length;
	put_32(out, 0);
	put_clean(out, value);
	text_put_char(out, '\0');
	length_set(out, at, out->length - at - 4);
}

void text_bson_null(struct text *out, const char *key)
{
	put_key(out, TEXT_BSON_NULL, key);
}

/* ---- trees --------------------------------------------------------------- */

static void put_value(struct text *out, const char *key,
		      const struct doc *value);

static void put_items(struct text *out, const struct doc *array)
{
	char key[24];

	for (size_t i = 0; i < doc_count(array); i++) {
		snprintf(key, sizeof(key), "%zu", i);
		put_value(out, key, doc_at(array, i));
	}
}

static void put_value(struct text *out, const char *key,
		      const struct doc *value)
{
	enum doc_kind kind = doc_kind(value);
	size_t opened;

	switch (kind) {
	case DOC_NULL:
		text_bson_null(out, key);
		break;
	case DOC_BOOL:
		put_key(out, TEXT_BSON_BOOL, key);
		text_put_char(out, doc_bool(value, false) ? '\1' : '\0');
		break;
	case DOC_INT:
		text_bson_int64(out, key, doc_int(value, 0));
		break;
	case DOC_REAL:
		text_bson_double(out, key, doc_real(value, 0));
		break;
	case DOC_TEXT:
		text_bson_string(out, key, doc_string(value, ""));
		break;
	case DOC_ARRAY:
	case DOC_OBJECT:
		opened = text_bson_open_key(
			out, key,
			kind == DOC_ARRAY ? TEXT_BSON_ARRAY : TEXT_BSON_OBJECT);
		if (kind == DOC_ARRAY)
			put_items(out, value);
		else
			text_bson_members(out, value);
		text_bson_close(out, opened);
		break;
	}
}

/* Depth is limited by doc_parse(). */
void text_bson_members(struct text *out, const struct doc *object)
{
	for (size_t i = 0; i < doc_count(object); i++) {
		const struct doc *value;
		const char *key = doc_key_at(object, i, &value);

		put_value(out, key, value);
	}
}
