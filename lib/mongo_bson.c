/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/mongo_bson.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

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

struct mongo_template {
	const struct layout *layout;
	bool exact;
	bool fixed;       /* it has no texts */
	bool reals;       /* it has reals */
	struct text body; /* the columns, as elements */
	size_t *hole;     /* of each column's value in `body`, its type before
			      the key */
	size_t *type;
	/* The metadata of all rows of a tick is often the same. */
	struct text metadata, metadata_bson;
};

/* ---- elements ------------------------------------------------------------- */

static void put_8(struct text *out, uint64_t value)
{
	uint64_t le = htole64(value);

	text_put_bytes(out, &le, sizeof(le));
}

static void put_4(struct text *out, uint32_t value)
{
	uint32_t le = htole32(value);

	text_put_bytes(out, &le, sizeof(le));
}

static void set_4(struct text *out, size_t at, uint32_t value)
{
	uint32_t le = htole32(value);

	memcpy(out->data + at, &le, sizeof(le));
}

static uint64_t real_bits(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* Eight bytes at a time. */
static bool is_ascii(const char *piece, size_t length)
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

static void put_utf8(struct text *out, const char *piece)
{
	size_t good = 0, length = strlen(piece);

	if (is_ascii(piece, length)) {
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

static void put_key(struct text *out, enum bson_type type, const char *key)
{
	text_put_char(out, (char)type);
	put_utf8(out, key);
	text_put_char(out, '\0');
}

static void put_text(struct text *out, const char *key, const char *value)
{
	size_t at;

	put_key(out, BSON_TEXT, key);
	at = out->length;
	put_4(out, 0);
	put_utf8(out, value);
	text_put_char(out, '\0');
	set_4(out, at, (uint32_t)(out->length - at - 4));
}

static void put_date(struct text *out, const char *key, int64_t ms)
{
	put_key(out, BSON_DATE, key);
	put_8(out, (uint64_t)ms);
}

/* A document begins with its length; returns where that stands. */
static size_t begin(struct text *out)
{
	size_t at = out->length;

	put_4(out, 0);
	return at;
}

static void end(struct text *out, size_t at)
{
	text_put_char(out, '\0');
	set_4(out, at, (uint32_t)(out->length - at));
}

/* ---- the columns ---------------------------------------------------------- */

static enum bson_type count_type(uint64_t value, bool exact)
{
	return exact && value <= INT64_MAX ? BSON_INT64 : BSON_REAL;
}

static uint64_t count_bits(uint64_t value, bool exact)
{
	return count_type(value, exact) == BSON_INT64
		       ? value
		       : real_bits((double)value);
}

static void put_value(const struct column *column, const char *key,
		      const union value *value, bool exact, struct text *out)
{
	switch (column->type) {
	case COLUMN_INT:
		put_key(out, count_type(value->integer, exact), key);
		put_8(out, count_bits(value->integer, exact));
		break;
	case COLUMN_REAL:
		put_key(out, isfinite(value->real) ? BSON_REAL : BSON_NULL,
			key);
		if (isfinite(value->real))
			put_8(out, real_bits(value->real));
		break;
	case COLUMN_TEXT:
		if (value->text)
			put_text(out, key, value->text);
		else
			put_key(out, BSON_NULL, key);
		break;
	}
}

/* How many of its objects a column shares with the one before it. */
static size_t shared_objects(const struct column *before,
			     const struct column *column)
{
	size_t shared = 0;

	while (before && before->path[shared + 1] && column->path[shared + 1] &&
	       !strcmp(before->path[shared], column->path[shared]))
		shared++;
	return shared;
}

/* All columns as elements; `template` (or NULL) learns where values stand. */
static void put_columns(const struct layout *layout, const union value *value,
			bool exact, struct mongo_template *template,
			struct text *out)
{
	size_t open[LAYOUT_PATH_MAX], depth = 0;

	for (size_t i = 0; i < layout->columns; i++) {
		const struct column *column = &layout->column[i];
		size_t shared = shared_objects(i ? column - 1 : NULL, column);
		size_t at;

		while (depth > shared)
			end(out, open[--depth]);
		for (; column->path[depth + 1]; depth++) {
			put_key(out, BSON_OBJECT, column->path[depth]);
			open[depth] = begin(out);
		}
		at = out->length;
		put_value(column, column->path[depth], &value[i], exact, out);
		if (template) {
			template->type[i] = at;
			template->hole[i] = out->length - sizeof(uint64_t);
		}
	}
	while (depth > 0)
		end(out, open[--depth]);
}

struct mongo_template *mongo_template_new(const struct layout *layout,
					  bool exact)
{
	struct mongo_template *template = xcalloc(1, sizeof(*template));
	union value *zero = xcalloc(layout->columns + 1, sizeof(*zero));

	template->layout = layout;
	template->exact = exact;
	template->fixed = true;
	for (size_t i = 0; i < layout->columns; i++) {
		if (layout->column[i].type == COLUMN_TEXT)
			template->fixed = false;
		if (layout->column[i].type == COLUMN_REAL)
			template->reals = true;
	}
	template->hole = xcalloc(layout->columns + 1, sizeof(size_t));
	template->type = xcalloc(layout->columns + 1, sizeof(size_t));
	put_columns(layout, zero, exact, template, &template->body);
	free(zero);
	return template;
}

void mongo_template_free(struct mongo_template *template)
{
	if (!template)
		return;
	text_done(&template->body);
	text_done(&template->metadata);
	text_done(&template->metadata_bson);
	free(template->hole);
	free(template->type);
	free(template);
}

static bool is_finite_row(const struct layout *layout, const union value *value)
{
	for (size_t i = 0; i < layout->columns; i++)
		if (layout->column[i].type == COLUMN_REAL &&
		    !isfinite(value[i].real))
			return false;
	return true;
}

/* Copy the template and fill its holes; false where a value does not fit in. */
static bool put_filled(const struct mongo_template *template,
		       const union value *value, struct text *out)
{
	const struct layout *layout = template->layout;
	size_t length = template->body.length;
	char *body;

	if (!template->fixed ||
	    (template->reals && !is_finite_row(layout, value)))
		return false;
	body = text_room(out, length);
	if (length > 0)
		memcpy(body, template->body.data, length);
	for (size_t i = 0; i < layout->columns; i++) {
		uint64_t bits;

		if (template->reals && layout->column[i].type == COLUMN_REAL) {
			bits = real_bits(value[i].real);
		} else {
			bits = count_bits(value[i].integer, template->exact);
			if (template->exact)
				body[template->type[i]] = (char)count_type(
					value[i].integer, true);
		}
		bits = htole64(bits);
		memcpy(body + template->hole[i], &bits, sizeof(bits));
	}
	text_advance(out, length);
	return true;
}

/* ---- any value ------------------------------------------------------------ */

static void put_doc_members(const struct doc *doc, bool counts, bool exact,
			    struct text *out);

static void put_doc_value(const struct doc *doc, const char *key, bool counts,
			  bool exact, struct text *out)
{
	enum doc_kind kind = doc ? doc_kind(doc) : DOC_NULL;
	int64_t whole;
	size_t at;

	switch (kind) {
	case DOC_BOOL:
		put_key(out, BSON_BOOL, key);
		text_put_char(out, doc_bool(doc, false) ? 1 : 0);
		break;
	case DOC_INT:
		whole = doc_int(doc, 0);
		if (counts && !exact) {
			put_key(out, BSON_REAL, key);
			put_8(out, real_bits((double)whole));
		} else if (counts || whole != (int32_t)whole) {
			put_key(out, BSON_INT64, key);
			put_8(out, (uint64_t)whole);
		} else {
			put_key(out, BSON_INT32, key);
			put_4(out, (uint32_t)whole);
		}
		break;
	case DOC_REAL:
		put_key(out, BSON_REAL, key);
		put_8(out, real_bits(doc_real(doc, 0)));
		break;
	case DOC_TEXT:
		put_text(out, key, doc_string(doc, ""));
		break;
	case DOC_ARRAY:
	case DOC_OBJECT:
		put_key(out, kind == DOC_ARRAY ? BSON_ARRAY : BSON_OBJECT, key);
		at = begin(out);
		put_doc_members(doc, counts, exact, out);
		end(out, at);
		break;
	default:
		put_key(out, BSON_NULL, key);
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
			put_doc_value(doc_at(doc, i), index, counts, exact,
				      out);
		} else {
			const char *key = doc_key_at(doc, i, &value);

			put_doc_value(value, key, counts, exact, out);
		}
	}
}

bool mongo_is_report(const struct doc *doc)
{
	return doc_kind(doc_get(doc, "timestamp")) == DOC_INT &&
	       doc_kind(doc_get(doc, "sensor")) == DOC_TEXT &&
	       doc_kind(doc_get(doc, "target")) == DOC_TEXT &&
	       !doc_get(doc, "schema");
}

void mongo_put_doc(const struct doc *doc, const char *id, bool exact,
		   struct text *out)
{
	const struct doc *own = doc_get(doc, "_id");
	bool report = mongo_is_report(doc);
	size_t at = begin(out);

	if (doc_kind(own) == DOC_TEXT || doc_kind(own) == DOC_INT)
		put_doc_value(own, "_id", false, exact, out);
	else
		put_text(out, "_id", id);
	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *value;
		const char *key = doc_key_at(doc, i, &value);

		if (!strcmp(key, "_id"))
			continue;
		if (report && !strcmp(key, "timestamp"))
			put_date(out, key, doc_int(value, 0));
		else
			put_doc_value(value, key,
				      report && !strcmp(key, "groups"), exact,
				      out);
	}
	end(out, at);
}

/* ---- a row ---------------------------------------------------------------- */

static void put_metadata(struct mongo_template *template, const char *json,
			 struct text *out)
{
	size_t length = strlen(json);

	if (!template->metadata.data || length != template->metadata.length ||
	    memcmp(json, template->metadata.data, length) != 0) {
		struct doc *doc = doc_parse(json, length, NULL);

		text_clear(&template->metadata);
		text_put_bytes(&template->metadata, json, length);
		text_clear(&template->metadata_bson);
		put_doc_value(doc, "metadata", false, template->exact,
			      &template->metadata_bson);
		doc_free(doc);
	}
	text_put_bytes(out, template->metadata_bson.data,
		       template->metadata_bson.length);
}

static char *raw_text(char *at, const char *key, size_t key_size,
		      const char *value, size_t length)
{
	uint32_t le = htole32((uint32_t)length + 1);

	*at++ = BSON_TEXT;
	at = mempcpy(at, key, key_size);
	at = mempcpy(at, &le, sizeof(le));
	at = mempcpy(at, value, length);
	*at++ = '\0';
	return at;
}

/* The first four elements.  Names are nearly always ASCII, and then need no
 * second look. */
static void put_head(const struct batch *batch, const char *target,
		     const char *id, struct text *out)
{
	const char *sensor = batch->sensor;
	size_t ids = strlen(id), sensors = strlen(sensor),
	       targets = strlen(target);
	uint64_t le = htole64((uint64_t)batch->time_ms);
	char *at;

	if (!is_ascii(id, ids) || !is_ascii(sensor, sensors) ||
	    !is_ascii(target, targets)) {
		put_text(out, "_id", id);
		put_date(out, "timestamp", batch->time_ms);
		put_text(out, "sensor", sensor);
		put_text(out, "target", target);
		return;
	}
	at = text_room(out, ids + sensors + targets + 64);
	at = raw_text(at, "_id", sizeof("_id"), id, ids);
	*at++ = BSON_DATE;
	at = mempcpy(at, "timestamp", sizeof("timestamp"));
	at = mempcpy(at, &le, sizeof(le));
	at = raw_text(at, "sensor", sizeof("sensor"), sensor, sensors);
	at = raw_text(at, "target", sizeof("target"), target, targets);
	text_advance(out, (size_t)(at - (out->data + out->length)));
}

void mongo_put_row(struct mongo_template *template, const struct batch *batch,
		   const struct row *row, const char *id, struct text *out)
{
	size_t at = begin(out);

	put_head(batch, row->target, id, out);
	if (!put_filled(template, row->value, out))
		put_columns(template->layout, row->value, template->exact, NULL,
			    out);
	if (row->metadata)
		put_metadata(template, row->metadata, out);
	end(out, at);
}

/* ---- looking into what was written ---------------------------------------- */

size_t mongo_document_length(const void *bytes, size_t length)
{
	uint32_t le;

	if (length < 5)
		return 0;
	memcpy(&le, bytes, sizeof(le));
	le = le32toh(le);
	return le >= 5 && le <= length ? le : 0;
}

/* How many bytes a value takes; 0 where it is none of ours. */
static size_t value_length(unsigned char type, const char *at, size_t left)
{
	uint32_t le = 0;

	if (left >= sizeof(le))
		memcpy(&le, at, sizeof(le));
	le = le32toh(le);
	switch (type) {
	case BSON_REAL:
	case BSON_DATE:
	case BSON_INT64:
		return left > 8 ? 8 : 0;
	case BSON_INT32:
		return left > 4 ? 4 : 0;
	case BSON_BOOL:
		return left > 1 ? 1 : 0;
	case BSON_ID:
		return left > 12 ? 12 : 0;
	case BSON_TEXT:
		return left > 5 && le >= 1 && le < left - 4 &&
				       at[4 + le - 1] == '\0'
			       ? 4 + (size_t)le
			       : 0;
	case BSON_OBJECT:
	case BSON_ARRAY:
		return le >= 5 && le < left ? le : 0;
	default:
		return 0;
	}
}

void mongo_document_stamp(const void *bytes, size_t length, int64_t *time_ms,
			  const char **sensor)
{
	size_t whole = mongo_document_length(bytes, length);
	const char *at = (const char *)bytes + 4;
	size_t left = whole ? whole - 4 : 0;

	while (left > 1) {
		unsigned char type = (unsigned char)*at;
		const char *key = at + 1;
		size_t head = 1 + strnlen(key, left - 1) + 1, value;

		if (head >= left)
			return;
		value = value_length(type, at + head, left - head);
		if (value == 0 && type != BSON_NULL)
			return;
		if ((!strcmp(key, "timestamp") || !strcmp(key, "time_ms")) &&
		    value == 8 && type != BSON_REAL) {
			uint64_t le;

			memcpy(&le, at + head, sizeof(le));
			*time_ms = (int64_t)le64toh(le);
		}
		if (!strcmp(key, "sensor") && type == BSON_TEXT)
			*sensor = at + head + 4;
		at += head + value;
		left -= head + value;
	}
}
