/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/batch_bson.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/doc.h"
#include "lib/mem.h"
#include "lib/text_bson.h"

/* Templates of layouts that may be long gone are dropped beyond so many. */
#define TEMPLATES_MAX 256

/* The columns of a layout, and where in it their values stand. */
struct template
{
	uint64_t layout;
	struct text bytes;
	struct hole {
		size_t type, value;
	} * hole;
	bool fixed; /* every value has its place */
};

struct batch_bson {
	bool int64;
	struct template *template;
	size_t templates, capacity;
	const struct template *last; /* rows of a layout come together */
	/* Timestamp and sensor, as the last row had them. */
	int64_t time_ms;
	char *sensor;
	struct text head;
};

struct batch_bson *batch_bson_new(bool int64)
{
	struct batch_bson *encoder = xcalloc(1, sizeof(*encoder));

	encoder->int64 = int64;
	return encoder;
}

static void templates_drop(struct batch_bson *encoder)
{
	for (size_t i = 0; i < encoder->templates; i++) {
		text_done(&encoder->template[i].bytes);
		free(encoder->template[i].hole);
	}
	encoder->templates = 0;
	encoder->last = NULL;
}

void batch_bson_free(struct batch_bson *encoder)
{
	if (!encoder)
		return;
	templates_drop(encoder);
	free(encoder->template);
	free(encoder->sensor);
	text_done(&encoder->head);
	free(encoder);
}

/* ---- columns, step by step ----------------------------------------------- */

static void put_value(const struct batch_bson *encoder,
		      const struct column *column, const char *key,
		      const union value *value, struct text *out)
{
	if (column->type == COLUMN_INT && encoder->int64 &&
	    value->integer <= INT64_MAX)
		text_bson_int64(out, key, (int64_t)value->integer);
	else if (column->type == COLUMN_INT)
		text_bson_double(out, key, (double)value->integer);
	else if (column->type == COLUMN_REAL && isfinite(value->real))
		text_bson_double(out, key, value->real);
	else if (column->type == COLUMN_TEXT && value->text)
		text_bson_string(out, key, value->text);
	else
		text_bson_null(out, key);
}

/* Objects that `column` and the one before share. */
static size_t shared_objects(const struct column *before,
			     const struct column *column)
{
	size_t shared = 0;

	while (before && before->path[shared + 1] && column->path[shared + 1] &&
	       !strcmp(before->path[shared], column->path[shared]))
		shared++;
	return shared;
}

/* `hole` may be NULL. */
static void put_columns(const struct batch_bson *encoder,
			const struct layout *layout, const union value *value,
			struct hole *hole, struct text *out)
{
	size_t opened[LAYOUT_PATH_MAX];
	size_t depth = 0;

	for (size_t i = 0; i < layout->columns; i++) {
		const struct column *column = &layout->column[i];
		size_t shared =
			shared_objects(i > 0 ? column - 1 : NULL, column);

		while (depth > shared)
			text_bson_close(out, opened[--depth]);
		for (; column->path[depth + 1]; depth++)
			opened[depth] = text_bson_open_key(
				out, column->path[depth], TEXT_BSON_OBJECT);
		if (hole)
			hole[i].type = out->length;
		put_value(encoder, column, column->path[depth], &value[i], out);
		if (hole)
			hole[i].value = out->length - sizeof(uint64_t);
	}
	while (depth > 0)
		text_bson_close(out, opened[--depth]);
}

/* ---- templates ----------------------------------------------------------- */

static const struct template *template_get(struct batch_bson *encoder,
					   const struct layout *layout)
{
	struct template *template;
	union value *zeros;

	if (encoder->last && encoder->last->layout == layout->id)
		return encoder->last;
	for (size_t i = 0; i < encoder->templates; i++)
		if (encoder->template[i].layout == layout->id)
			return encoder->last = &encoder->template[i];
	if (encoder->templates == TEMPLATES_MAX)
		templates_drop(encoder);
	encoder->template =
		mem_grow(encoder->template, &encoder->capacity,
			 encoder->templates + 1, sizeof(*encoder->template));
	template = &encoder->template[encoder->templates++];
	*template = (struct template){ .layout = layout->id, .fixed = true };
	template->hole = xcalloc(layout->columns + 1, sizeof(struct hole));
	for (size_t i = 0; i < layout->columns; i++)
		template->fixed &= layout->column[i].type != COLUMN_TEXT;
	zeros = xcalloc(layout->columns + 1, sizeof(*zeros));
	if (template->fixed)
		put_columns(encoder, layout, zeros, template->hole,
			    &template->bytes);
	free(zeros);
	return encoder->last = template;
}

static void hole_fill(char *bytes, const struct hole *hole,
		      enum text_bson_type type, uint64_t bits)
{
	bits = htole64(bits);
	bytes[hole->type] = (char)type;
	memcpy(bytes + hole->value, &bits, sizeof(bits));
}

/* False where a value has no place in it. */
static bool template_fill(const struct batch_bson *encoder,
			  const struct template *template,
			  const struct row *row, char *bytes)
{
	const struct column *column = row->layout->column;

	for (size_t i = 0; i < row->layout->columns; i++) {
		double real = row->value[i].real;
		uint64_t bits;

		if (column[i].type == COLUMN_INT) {
			if (encoder->int64 &&
			    row->value[i].integer <= INT64_MAX) {
				hole_fill(bytes, &template->hole[i],
					  TEXT_BSON_INT64,
					  row->value[i].integer);
				continue;
			}
			real = (double)row->value[i].integer;
		} else if (!isfinite(real)) {
			return false;
		}
		memcpy(&bits, &real, sizeof(bits));
		hole_fill(bytes, &template->hole[i], TEXT_BSON_DOUBLE, bits);
	}
	return true;
}

/* ---- documents ----------------------------------------------------------- */

static void columns_put(struct batch_bson *encoder, const struct row *row,
			struct text *out)
{
	const struct template *template = template_get(encoder, row->layout);
	char *at = text_reserve(out, template->bytes.length);

	if (template->fixed && template->bytes.length > 0) {
		memcpy(at, template->bytes.data, template->bytes.length);
		if (template_fill(encoder, template, row, at)) {
			text_extend(out, at + template->bytes.length);
			return;
		}
	}
	put_columns(encoder, row->layout, row->value, NULL, out);
}

static int metadata_put(const struct row *row, struct text *out,
			struct err *err)
{
	struct doc *doc = doc_parse(row->metadata, strlen(row->metadata), err);
	size_t opened;

	if (!doc)
		return err_wrap(err, "metadata of '%.80s'", row->target);
	opened = text_bson_open_key(out, "metadata", TEXT_BSON_OBJECT);
	text_bson_members(out, doc);
	text_bson_close(out, opened);
	doc_free(doc);
	return 0;
}

static const struct text *head_get(struct batch_bson *encoder,
				   const struct batch *batch)
{
	struct text *head = &encoder->head;

	if (encoder->sensor && encoder->time_ms == batch->time_ms &&
	    !strcmp(encoder->sensor, batch->sensor))
		return head;
	free(encoder->sensor);
	encoder->sensor = xstrdup(batch->sensor);
	encoder->time_ms = batch->time_ms;
	text_clear(head);
	text_bson_date(head, "timestamp", batch->time_ms);
	text_bson_string(head, "sensor", batch->sensor);
	return head;
}

int batch_bson_put(struct batch_bson *encoder, const struct batch *batch,
		   const struct row *row, const struct text *id,
		   struct text *out, struct err *err)
{
	const struct text *head = head_get(encoder, batch);
	size_t opened = text_bson_open(out);

	if (id)
		text_put_bytes(out, id->data, id->length);
	text_put_bytes(out, head->data, head->length);
	text_bson_string(out, "target", row->target);
	columns_put(encoder, row, out);
	if (row->metadata && metadata_put(row, out, err) < 0) {
		text_extend(out, out->data + opened);
		return -1;
	}
	text_bson_close(out, opened);
	return 0;
}
