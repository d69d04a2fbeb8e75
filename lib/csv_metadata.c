/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/csv_metadata.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/csv.h"
#include "lib/doc.h"
#include "lib/mem.h"

static struct csv_member *member_add(struct csv_metadata *metadata)
{
	metadata->member =
		mem_grow(metadata->member, &metadata->capacity,
			 metadata->members + 1, sizeof(*metadata->member));
	return &metadata->member[metadata->members++];
}

/* ---- where it stands ------------------------------------------------------- */

/* Behind a text without escapes, or NULL. */
static const char *text_read(const char *at, const char **text, size_t *length)
{
	if (*at++ != '"')
		return NULL;
	*text = at;
	while (*at != '"') {
		if (*at == '\\' || (unsigned char)*at < ' ')
			return NULL;
		at++;
	}
	*length = (size_t)(at - *text);
	return at + 1;
}

/* Behind a number; or NULL: what else there is, is for the parser. */
static const char *number_read(const char *at, const char **text,
			       size_t *length)
{
	*text = at;
	*length = strspn(at, "+-.0123456789eE");
	return *length ? at + *length : NULL;
}

static bool read_plain(struct csv_metadata *metadata, const char *at)
{
	if (*at++ != '{')
		return false;
	if (*at == '}')
		return !at[1];
	for (;; at++) {
		struct csv_member *member = member_add(metadata);

		at = text_read(at, &member->key, &member->key_length);
		if (!at || *at++ != ':')
			return false;
		at = *at == '"' ? text_read(at, &member->value,
					    &member->value_length)
				: number_read(at, &member->value,
					      &member->value_length);
		if (!at)
			return false;
		if (*at == '}')
			return !at[1];
		if (*at != ',')
			return false;
	}
}

/* ---- parsed --------------------------------------------------------------- */

/* Offsets for now: the text grows. */
static void put_parsed(struct csv_metadata *metadata, const char *outer,
		       const char *key, const struct doc *value)
{
	char *text = doc_kind(value) == DOC_TEXT
			     ? xstrdup(doc_string(value, ""))
			     : doc_to_text(value);
	struct csv_member *member = member_add(metadata);
	size_t start = metadata->text.length;

	text_printf(&metadata->text, "%s%s%s", outer ? outer : "",
		    outer ? "_" : "", key);
	member->key_length = metadata->text.length - start;
	text_put(&metadata->text, text);
	member->value_length =
		metadata->text.length - start - member->key_length;
	free(text);
}

static int read_parsed(struct csv_metadata *metadata, const char *json,
		       struct err *err)
{
	struct doc *doc = doc_parse(json, strlen(json), err);
	const char *at;

	if (!doc)
		return -1;
	text_clear(&metadata->text);
	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *value, *inner;
		const char *key = doc_key_at(doc, i, &value);

		if (doc_kind(value) != DOC_OBJECT) {
			put_parsed(metadata, NULL, key, value);
			continue;
		}
		for (size_t k = 0; k < doc_count(value); k++) {
			const char *below = doc_key_at(value, k, &inner);

			put_parsed(metadata, key, below, inner);
		}
	}
	at = metadata->text.data;
	for (size_t i = 0; i < metadata->members; i++) {
		struct csv_member *member = &metadata->member[i];

		member->key = at;
		member->value = at + member->key_length;
		at = member->value + member->value_length;
	}
	doc_free(doc);
	return 0;
}

int csv_metadata_read(struct csv_metadata *metadata, const char *json,
		      struct err *err)
{
	metadata->members = 0;
	if (!json || read_plain(metadata, json))
		return 0;
	metadata->members = 0;
	return read_parsed(metadata, json, err);
}

void csv_metadata_put(const struct csv_member *member, struct text *out)
{
	csv_put_bytes(out, member->value, member->value_length, ',');
}

void csv_metadata_done(struct csv_metadata *metadata)
{
	free(metadata->member);
	text_done(&metadata->text);
}
