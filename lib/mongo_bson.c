/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/mongo_bson.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/mongo_element.h"

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

/* ---- the columns ---------------------------------------------------------- */

static enum bson_type count_type(uint64_t value, bool exact)
{
	return exact && value <= INT64_MAX ? BSON_INT64 : BSON_REAL;
}

static uint64_t count_bits(uint64_t value, bool exact)
{
	return count_type(value, exact) == BSON_INT64
		       ? value
		       : element_bits((double)value);
}

static void put_value(const struct column *column, const char *key,
		      const union value *value, bool exact, struct text *out)
{
	switch (column->type) {
	case COLUMN_INT:
		element_key(out, count_type(value->integer, exact), key);
		element_8(out, count_bits(value->integer, exact));
		break;
	case COLUMN_REAL:
		element_key(out, isfinite(value->real) ? BSON_REAL : BSON_NULL,
			    key);
		if (isfinite(value->real))
			element_8(out, element_bits(value->real));
		break;
	case COLUMN_TEXT:
		if (value->text)
			element_text(out, key, value->text);
		else
			element_key(out, BSON_NULL, key);
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
			element_end(out, open[--depth]);
		for (; column->path[depth + 1]; depth++) {
			element_key(out, BSON_OBJECT, column->path[depth]);
			open[depth] = element_begin(out);
		}
		at = out->length;
		put_value(column, column->path[depth], &value[i], exact, out);
		if (template) {
			template->type[i] = at;
			template->hole[i] = out->length - sizeof(uint64_t);
		}
	}
	while (depth > 0)
		element_end(out, open[--depth]);
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
			bits = element_bits(value[i].real);
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

/* ---- a document ---------------------------------------------------------- */

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
	size_t at = element_begin(out);

	if (doc_kind(own) == DOC_TEXT || doc_kind(own) == DOC_INT)
		element_doc(own, "_id", false, exact, out);
	else
		element_text(out, "_id", id);
	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *value;
		const char *key = doc_key_at(doc, i, &value);

		if (!strcmp(key, "_id"))
			continue;
		if (report && !strcmp(key, "timestamp"))
			element_date(out, key, doc_int(value, 0));
		else
			element_doc(value, key,
				    report && !strcmp(key, "groups"), exact,
				    out);
	}
	element_end(out, at);
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
		element_doc(doc, "metadata", false, template->exact,
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

	if (!element_is_ascii(id, ids) || !element_is_ascii(sensor, sensors) ||
	    !element_is_ascii(target, targets)) {
		element_text(out, "_id", id);
		element_date(out, "timestamp", batch->time_ms);
		element_text(out, "sensor", sensor);
		element_text(out, "target", target);
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
	size_t at = element_begin(out);

	put_head(batch, row->target, id, out);
	if (!put_filled(template, row->value, out))
		put_columns(template->layout, row->value, template->exact, NULL,
			    out);
	if (row->metadata)
		put_metadata(template, row->metadata, out);
	element_end(out, at);
}
