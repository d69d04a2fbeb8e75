/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration shown to people, and as a document. */
#include "lib/field.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* Shortest form, without the ".0" that a document needs. */
static void put_number(double value, const char *unit, struct text *out)
{
	text_put_real(out, value);
	if (out->length > 2 && !strcmp(out->data + out->length - 2, ".0")) {
		out->length -= 2;
		out->data[out->length] = '\0';
	}
	text_put(out, unit);
}

static bool put_list(const struct field_list *list, struct text *out)
{
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			text_put_char(out, ',');
		text_put(out, list->item[i]);
	}
	return list->count > 0;
}

static bool put_text(const char *value, struct text *out)
{
	if (value)
		text_put(out, value);
	return value != NULL;
}

bool field_put_value(const struct field *field, const void *values,
		     struct text *out)
{
	const void *at = (const char *)values + field->offset;

	switch (field->type) {
	case FIELD_BOOL:
		text_put(out, *(const bool *)at ? "yes" : "no");
		return true;
	case FIELD_INT:
		text_put_int(out, *(const int64_t *)at);
		return true;
	case FIELD_REAL:
		put_number(*(const double *)at, "", out);
		return true;
	case FIELD_SECONDS:
		put_number(*(const double *)at, "s", out);
		return true;
	case FIELD_WATTS:
		put_number(*(const double *)at, "W", out);
		return true;
	case FIELD_JOULES:
		put_number(*(const double *)at, "J", out);
		return true;
	case FIELD_BYTES:
		put_number(*(const double *)at, "B", out);
		return true;
	case FIELD_CHOICE:
		text_put(out, field->choices[*(const int *)at]);
		return true;
	case FIELD_TEXT:
		return put_text(*(char *const *)at, out);
	case FIELD_LIST:
	case FIELD_WORDS:
		return put_list(at, out);
	case FIELD_CALL:
		break;
	}
	return false;
}

static bool is_shown(const struct field *field)
{
	return !field->unlisted && field->type != FIELD_CALL;
}

void config_print(const struct config *config, FILE *out)
{
	int width = 0;

	for (const struct field *f = config->fields; f->name; f++)
		if (is_shown(f) && (int)strlen(f->name) > width)
			width = (int)strlen(f->name);
	for (size_t i = 0; config->fields[i].name; i++) {
		const struct field *field = &config->fields[i];
		struct text value = TEXT_INIT;

		if (!is_shown(field))
			continue;
		if (!field_put_value(field, config->values, &value))
			text_put(&value, "-");
		fprintf(out, "%-*s = %s  (%s)\n", width, field->name,
			value.data, config->state[i].where);
		text_done(&value);
	}
}

static struct doc *list_to_doc(const struct field_list *list)
{
	struct doc *array = doc_new_array();

	for (size_t i = 0; i < list->count; i++)
		doc_add_take(array, doc_new_text(list->item[i]));
	return array;
}

static void put_field(const struct field *field, const void *values,
		      const char *key, struct doc *out)
{
	const void *at = (const char *)values + field->offset;

	switch (field->type) {
	case FIELD_BOOL:
		doc_set_bool(out, key, *(const bool *)at);
		break;
	case FIELD_INT:
		doc_set_int(out, key, *(const int64_t *)at);
		break;
	case FIELD_REAL:
	case FIELD_SECONDS:
	case FIELD_WATTS:
	case FIELD_JOULES:
	case FIELD_BYTES:
		doc_set_real(out, key, *(const double *)at);
		break;
	case FIELD_CHOICE:
		doc_set_text(out, key, field->choices[*(const int *)at]);
		break;
	case FIELD_TEXT:
		if (*(char *const *)at)
			doc_set_text(out, key, *(char *const *)at);
		break;
	case FIELD_LIST:
	case FIELD_WORDS:
		doc_set_take(out, key, list_to_doc(at));
		break;
	case FIELD_CALL:
		break;
	}
}

/* Every field whose name begins with `prefix`, below one object; a nested name
 * opens its object where the first of its members stands. */
static struct doc *object_below(const struct config *config, const char *prefix)
{
	struct doc *object = doc_new_object();
	size_t length = strlen(prefix);

	for (const struct field *f = config->fields; f->name; f++) {
		const char *key = f->name + length;
		const char *dot;

		if (!is_shown(f) || strncmp(f->name, prefix, length) != 0)
			continue;
		dot = strchr(key, '.');
		if (!dot) {
			put_field(f, config->values, key, object);
		} else {
			char *below =
				xstrndup(f->name, (size_t)(dot - f->name) + 1);
			char *name = xstrndup(key, (size_t)(dot - key));

			if (!doc_get(object, name))
				doc_set_take(object, name,
					     object_below(config, below));
			free(name);
			free(below);
		}
	}
	return object;
}

struct doc *config_to_doc(const struct config *config)
{
	return object_below(config, "");
}
