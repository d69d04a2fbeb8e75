/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration from a JSON document and from the environment. */
#include "lib/field.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mem.h"

/* ---- JSON ---------------------------------------------------------------- */

static const char *kind_name(const struct doc *doc)
{
	switch (doc_kind(doc)) {
	case DOC_BOOL:
		return "true or false";
	case DOC_INT:
		return "a whole number";
	case DOC_REAL:
		return "a real number";
	case DOC_TEXT:
		return "text";
	case DOC_ARRAY:
		return "an array";
	case DOC_OBJECT:
		return "an object";
	default:
		return "null";
	}
}

static const char *type_name(enum field_type type)
{
	switch (type) {
	case FIELD_BOOL:
		return "true or false";
	case FIELD_INT:
		return "a whole number";
	case FIELD_REAL:
		return "a number";
	case FIELD_SECONDS:
		return "a duration (\"200ms\", or a number of seconds)";
	case FIELD_WATTS:
		return "a power (\"250mW\", or a number of watts)";
	case FIELD_JOULES:
		return "an energy (\"5J\", or a number of joules)";
	case FIELD_BYTES:
		return "a size (\"64KiB\", or a number of bytes)";
	case FIELD_LIST:
	case FIELD_WORDS:
		return "an array of texts or numbers";
	default:
		return "text";
	}
}

/* Which kinds of JSON value a type takes; arrays are dealt with before. */
static bool type_takes(enum field_type type, const struct doc *value)
{
	bool number = doc_kind(value) == DOC_INT || doc_kind(value) == DOC_REAL;
	bool text = doc_kind(value) == DOC_TEXT;

	switch (type) {
	case FIELD_BOOL:
		return doc_kind(value) == DOC_BOOL;
	case FIELD_INT:
		return doc_kind(value) == DOC_INT;
	case FIELD_REAL:
		return number;
	case FIELD_TEXT:
		return text;
	case FIELD_CALL:
		return text || number || doc_kind(value) == DOC_BOOL;
	default:
		return text || number;
	}
}

static void put_scalar(const struct doc *value, struct text *out)
{
	switch (doc_kind(value)) {
	case DOC_BOOL:
		text_put(out, doc_bool(value, false) ? "yes" : "no");
		break;
	case DOC_INT:
		text_put_int(out, doc_int(value, 0));
		break;
	case DOC_REAL:
		text_put_real(out, doc_real(value, 0));
		break;
	default:
		text_put(out, doc_string(value, ""));
	}
}

static int set_scalar(struct config *config, const struct field *field,
		      const struct doc *value, const char *where,
		      struct err *err)
{
	struct text text = TEXT_INIT;
	int failed;

	if (!type_takes(field->type, value))
		return err_set(err, EINVAL, "%s: %s: expected %s, found %s",
			       where, field->name, type_name(field->type),
			       kind_name(value));
	text_put(&text, "");
	put_scalar(value, &text);
	failed = config_set(config, field->name, text.data, FIELD_FROM_FILE,
			    where, err);
	text_done(&text);
	return failed;
}

static int set_array(struct config *config, const struct field *field,
		     const struct doc *array, const char *where,
		     struct err *err)
{
	/* An empty array is a value, too: the empty list. */
	if (doc_count(array) == 0)
		return config_set(config, field->name, "", FIELD_FROM_FILE,
				  where, err);
	for (size_t i = 0; i < doc_count(array); i++) {
		const struct doc *item = doc_at(array, i);

		if (!type_takes(field->type, item))
			return err_set(err, EINVAL,
				       "%s: %s[%zu]: expected text, found %s",
				       where, field->name, i, kind_name(item));
		if (set_scalar(config, field, item, where, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_list(const struct field *field)
{
	return field->type == FIELD_LIST || field->type == FIELD_WORDS ||
	       field->type == FIELD_CALL;
}

/* Does any field's name begin with "prefix."? */
static bool has_children(const struct field *fields, const char *prefix)
{
	size_t length = strlen(prefix);

	for (; fields->name; fields++)
		if (!strncmp(fields->name, prefix, length) &&
		    fields->name[length] == '.')
			return true;
	return false;
}

static int set_object(struct config *config, const struct doc *object,
		      const char *prefix, const char *where, struct err *err);

static int set_member(struct config *config, const char *name,
		      const struct doc *value, const char *where,
		      struct err *err)
{
	const struct field *field = field_find(config->fields, name);

	if (doc_kind(value) == DOC_OBJECT && has_children(config->fields, name))
		return set_object(config, value, name, where, err);
	if (!field) /* says so, and names the nearest */
		return config_set(config, name, "", FIELD_FROM_FILE, where,
				  err);
	if (doc_kind(value) == DOC_ARRAY && is_list(field))
		return set_array(config, field, value, where, err);
	return set_scalar(config, field, value, where, err);
}

static int set_object(struct config *config, const struct doc *object,
		      const char *prefix, const char *where, struct err *err)
{
	for (size_t i = 0; i < doc_count(object); i++) {
		const struct doc *value;
		const char *key = doc_key_at(object, i, &value);
		char *name;
		int failed;

		if (!prefix && !strcmp(key, "schema"))
			continue;
		name = prefix ? xasprintf("%s.%s", prefix, key) : xstrdup(key);
		failed = set_member(config, name, value, where, err);
		free(name);
		if (failed)
			return -1;
	}
	return 0;
}

int config_set_doc(struct config *config, const struct doc *doc,
		   const char *where, struct err *err)
{
	if (doc_kind(doc) != DOC_OBJECT)
		return err_set(err, EINVAL, "%s: expected an object, found %s",
			       where, kind_name(doc));
	return set_object(config, doc, NULL, where, err);
}

/* ---- the environment ----------------------------------------------------- */

/* "radio.joules-per-byte" → RADIO__JOULES_PER_BYTE */
static char *variable_name(const char *prefix, const char *name)
{
	struct text text = TEXT_INIT;

	text_put(&text, prefix);
	for (; *name; name++) {
		if (*name == '.')
			text_put(&text, "__");
		else if (*name == '-')
			text_put_char(&text, '_');
		else
			text_put_char(&text, (char)toupper(*name));
	}
	return text_take(&text);
}

static const struct field *variable_field(const struct field *fields,
					  const char *prefix,
					  const char *variable)
{
	for (; fields->name; fields++) {
		char *name = variable_name(prefix, fields->name);
		bool same = !strcmp(name, variable);

		free(name);
		if (same)
			return fields;
	}
	return NULL;
}

static int variable_unknown(const struct config *config, const char *prefix,
			    const char *variable, struct err *err)
{
	struct field_list names = { 0 };
	const char *near;

	for (const struct field *f = config->fields; f->name; f++) {
		char *name = variable_name(prefix, f->name);

		field_list_add(&names, name);
		free(name);
	}
	names.item = xrealloc(names.item, names.count + 1, sizeof(char *));
	names.item[names.count] = NULL;
	near = field_nearest(variable, (const char *const *)names.item);
	err_set(err, EINVAL, "%.120s: unknown environment variable", variable);
	if (near)
		err_remedy(err, "did you mean %s?", near);
	field_list_done(&names);
	return -1;
}

static int set_variable(struct config *config, const char *prefix,
			const char *variable, const char *text, struct err *err)
{
	const struct field *const *other = config->others;
	const struct field *field =
		variable_field(config->fields, prefix, variable);

	if (field)
		return config_set(config, field->name, text,
				  FIELD_FROM_ENVIRONMENT, variable, err);
	for (; other && *other; other++)
		if (variable_field(*other, prefix, variable))
			return 0;
	return variable_unknown(config, prefix, variable, err);
}

int config_set_environment(struct config *config, const char *program,
			   struct err *err)
{
	char *bare = xasprintf("FEDWATTS_%s_", program);
	char *prefix = variable_name("", bare);
	size_t length = strlen(prefix);
	int failed = 0;

	for (char **at = environ; at && *at && !failed; at++) {
		const char *equals = strchr(*at, '=');
		char *variable;

		if (!equals || strncmp(*at, prefix, length) != 0)
			continue;
		variable = xstrndup(*at, (size_t)(equals - *at));
		failed =
			set_variable(config, prefix, variable, equals + 1, err);
		free(variable);
	}
	free(prefix);
	free(bare);
	return failed;
}
