/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/tags.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/doc.h"
#include "lib/mem.h"

/* ---- one list --------------------------------------------------------------- */

static void tags_clear(struct tags *tags)
{
	for (size_t i = 0; i < tags->count; i++) {
		free(tags->tag[i].name);
		free(tags->tag[i].value);
	}
	tags->count = 0;
}

void tags_done(struct tags *tags)
{
	tags_clear(tags);
	free(tags->tag);
	*tags = (struct tags)TAGS_INIT;
}

static void tags_push(struct tags *tags, char *name_taken, char *value_taken)
{
	tags->tag = mem_grow(tags->tag, &tags->capacity, tags->count + 1,
			     sizeof(*tags->tag));
	tags->tag[tags->count++] = (struct tag){ name_taken, value_taken };
}

static struct tag *tags_find(const struct tags *tags, const char *name)
{
	for (size_t i = 0; i < tags->count; i++)
		if (!strcmp(tags->tag[i].name, name))
			return &tags->tag[i];
	return NULL;
}

const char *tags_get(const struct tags *tags, const char *name)
{
	const struct tag *tag = tags_find(tags, name);

	return tag ? tag->value : NULL;
}

void tags_set(struct tags *tags, const char *name, const char *value)
{
	struct tag *tag = tags_find(tags, name);

	if (!tag) {
		tags_push(tags, xstrdup(name), xstrdup(value));
		return;
	}
	free(tag->value);
	tag->value = xstrdup(value);
}

void tags_begin(struct tags *tags, const char *sensor, const char *target)
{
	tags_clear(tags);
	tags_set(tags, "sensor", sensor);
	tags_set(tags, "target", target);
}

void tags_set_column(struct tags *tags, const struct layout *layout,
		     const struct layout_series *series,
		     const struct column *column)
{
	if (series->table_label && column->table)
		tags_set(tags, series->table_label, column->table);
	for (size_t i = 0; i < 2; i++)
		if (layout->key_column[i] && column->key[i])
			tags_set(tags, layout->key_column[i], column->key[i]);
}

/* ---- metadata ---------------------------------------------------------------- */

/* The members, flattened, under the names they have. */
struct flat {
	struct tags member;
	bool *is_text;
	size_t capacity;
};

static void flat_add(struct flat *flat, char *name_taken,
		     const struct doc *value)
{
	bool is_text = doc_kind(value) == DOC_TEXT;

	flat->is_text =
		mem_grow(flat->is_text, &flat->capacity, flat->member.count + 1,
			 sizeof(*flat->is_text));
	flat->is_text[flat->member.count] = is_text;
	tags_push(&flat->member, name_taken,
		  is_text ? xstrdup(doc_string(value, ""))
			  : doc_to_text(value));
}

static void flat_fill(struct flat *flat, const struct doc *metadata)
{
	for (size_t i = 0; i < doc_count(metadata); i++) {
		const struct doc *value, *inner;
		const char *key = doc_key_at(metadata, i, &value);

		if (doc_kind(value) == DOC_NULL)
			continue;
		if (doc_kind(value) != DOC_OBJECT) {
			flat_add(flat, xstrdup(key), value);
			continue;
		}
		for (size_t k = 0; k < doc_count(value); k++) {
			const char *below = doc_key_at(value, k, &inner);

			flat_add(flat, xasprintf("%s_%s", key, below), inner);
		}
	}
}

static char *sanitize(const char *name)
{
	char *clean = xstrdup(name);

	for (char *c = clean; *c; c++)
		if (strchr(".-/", *c))
			*c = '_';
	return clean;
}

static char *tag_name(const struct flat *flat, size_t index)
{
	const char *name = flat->member.tag[index].name;
	char *clean = sanitize(name);
	size_t same = 0;

	for (size_t i = 0; i < flat->member.count; i++) {
		char *other = sanitize(flat->member.tag[i].name);

		same += !strcmp(clean, other);
		free(other);
	}
	if (same > 1) {
		char *with = xasprintf(
			"%s_%lx", clean,
			crc32_z(0, (const Bytef *)name, strlen(name)));

		free(clean);
		clean = with;
	}
	return clean;
}

static bool is_wanted(const struct field_list *wanted, const char *name,
		      bool is_text, bool texts)
{
	if (!wanted || wanted->count == 0)
		return texts && is_text;
	return field_list_has(wanted, name) || field_list_has(wanted, "all");
}

int tags_add_metadata(struct tags *tags, const char *metadata,
		      const struct field_list *wanted, bool texts,
		      struct err *err)
{
	struct flat flat = { .member = TAGS_INIT };
	struct doc *doc;

	if (!metadata || (!texts && (!wanted || wanted->count == 0)))
		return 0;
	doc = doc_parse(metadata, strlen(metadata), err);
	if (!doc)
		return err_wrap(err, "metadata");
	flat_fill(&flat, doc);
	doc_free(doc);
	for (size_t i = 0; i < flat.member.count; i++) {
		char *name = tag_name(&flat, i);

		if (is_wanted(wanted, name, flat.is_text[i], texts))
			tags_set(tags, name, flat.member.tag[i].value);
		free(name);
	}
	tags_done(&flat.member);
	free(flat.is_text);
	return 0;
}
