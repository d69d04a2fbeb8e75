/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/mongo_element.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

void element_8(struct text *out, uint64_t value)
{
	uint64_t le = htole64(value);

	text_put_bytes(out, &le, sizeof(le));
}

static void element_4(struct text *out, uint32_t value)
{
	uint32_t le = htole32(value);

	text_put_bytes(out, &le, sizeof(le));
}

static void element_set_4(struct text *out, size_t at, uint32_t value)
{
	uint32_t le = htole32(value);

	memcpy(out->data + at, &le, sizeof(le));
}

uint64_t element_bits(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* Eight bytes at a time. */
bool element_is_ascii(const char *piece, size_t length)
{
	uint64_t all = 0, eight;
	size_t i = 0;

	for (; i + sizeof(eight) <= length; i += sizeof(eight)) {
		memcpy(&eight, piece + i, sizeof(eight));
		all |= eight;
	}
	for (; i < length; i++)
		all |= (unsigned char)piece[i];
	return !(all & UINT64_C(0x8080808080808080));
}

static void element_utf8(struct text *out, const char *piece)
{
	size_t good = 0, length = strlen(piece);

	if (element_is_ascii(piece, length)) {
		text_put_bytes(out, piece, length);
		return;
	}

	while (piece[good]) {
		length = text_character(piece + good);
		if (length > 0) {
			good += length;
			continue;
		}
		text_put_bytes(out, piece, good);
		text_put(out, "\xef\xbf\xbd");
		piece += good + 1;
		good = 0;
	}
	text_put_bytes(out, piece, good);
}

void element_key(struct text *out, enum bson_type type, const char *key)
{
	text_put_char(out, (char)type);
	element_utf8(out, key);
	text_put_char(out, '\0');
}

void element_text(struct text *out, const char *key, const char *value)
{
	size_t at;

	element_key(out, BSON_TEXT, key);
	at = out->length;
	element_4(out, 0);
	element_utf8(out, value);
	text_put_char(out, '\0');
	element_set_4(out, at, (uint32_t)(out->length - at - 4));
}

void element_date(struct text *out, const char *key, int64_t ms)
{
	element_key(out, BSON_DATE, key);
	element_8(out, (uint64_t)ms);
}

/* A document begins with its length; returns where that stands. */
size_t element_begin(struct text *out)
{
	size_t at = out->length;

	element_4(out, 0);
	return at;
}

void element_end(struct text *out, size_t at)
{
	text_put_char(out, '\0');
	element_set_4(out, at, (uint32_t)(out->length - at));
}

/* ---- any value ------------------------------------------------------------ */

static void put_doc_members(const struct doc *doc, bool counts, bool exact,
			    struct text *out);

void element_doc(const struct doc *doc, const char *key, bool counts,
		 bool exact, struct text *out)
{
	enum doc_kind kind = doc ? doc_kind(doc) : DOC_NULL;
	int64_t whole;
	size_t at;

	switch (kind) {
	case DOC_BOOL:
		element_key(out, BSON_BOOL, key);
		text_put_char(out, doc_bool(doc, false) ? 1 : 0);
		break;
	case DOC_INT:
		whole = doc_int(doc, 0);
		if (counts && !exact) {
			element_key(out, BSON_REAL, key);
			element_8(out, element_bits((double)whole));
		} else if (counts || whole != (int32_t)whole) {
			element_key(out, BSON_INT64, key);
			element_8(out, (uint64_t)whole);
		} else {
			element_key(out, BSON_INT32, key);
			element_4(out, (uint32_t)whole);
		}
		break;
	case DOC_REAL:
		element_key(out, BSON_REAL, key);
		element_8(out, element_bits(doc_real(doc, 0)));
		break;
	case DOC_TEXT:
		element_text(out, key, doc_string(doc, ""));
		break;
	case DOC_ARRAY:
	case DOC_OBJECT:
		element_key(out, kind == DOC_ARRAY ? BSON_ARRAY : BSON_OBJECT,
			    key);
		at = element_begin(out);
		put_doc_members(doc, counts, exact, out);
		element_end(out, at);
		break;
	default:
		element_key(out, BSON_NULL, key);
	}
}

static void put_doc_members(const struct doc *doc, bool counts, bool exact,
			    struct text *out)
{
	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *value;
		char index[24];

		if (doc_kind(doc) == DOC_ARRAY) {
			(void)snprintf(index, sizeof(index), "%zu", i);
			element_doc(doc_at(doc, i), index, counts, exact, out);
		} else {
			const char *key = doc_key_at(doc, i, &value);

			element_doc(value, key, counts, exact, out);
		}
	}
}
