/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A struct doc * is a struct json_object * of json-c that nobody else knows
 * of; JSON's null is NULL, as it is there.
 */
#include "lib/doc.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

#include "lib/doc_scan.h"
#include "lib/mem.h"
#include "lib/text.h"

/* json-c writes to none of the values that it reads, but does not say so. */
static json_object *json_of(const struct doc *doc)
{
	union {
		const struct doc *doc;
		json_object *json;
	} same = { doc };

	return same.json;
}

static struct doc *doc_of(json_object *json)
{
	return (struct doc *)json;
}

static bool is_object(const struct doc *doc)
{
	return json_object_is_type(json_of(doc), json_type_object);
}

static bool is_array(const struct doc *doc)
{
	return json_object_is_type(json_of(doc), json_type_array);
}

/* A whole number of more than INT64_MAX, which json-c would clamp. */
static bool is_huge(json_object *json)
{
	return json_object_is_type(json, json_type_int) &&
	       json_object_get_uint64(json) > INT64_MAX;
}

enum doc_kind doc_kind(const struct doc *doc)
{
	switch (json_object_get_type(json_of(doc))) {
	case json_type_boolean:
		return DOC_BOOL;
	case json_type_int:
		return is_huge(json_of(doc)) ? DOC_REAL : DOC_INT;
	case json_type_double:
		return DOC_REAL;
	case json_type_string:
		return DOC_TEXT;
	case json_type_array:
		return DOC_ARRAY;
	case json_type_object:
		return DOC_OBJECT;
	case json_type_null:
	default:
		return DOC_NULL;
	}
}

/* ---- making ---------------------------------------------------------------*/

static struct doc *made(json_object *json)
{
	if (json == NULL)
		abort(); /* out of memory: json-c has no other reason */
	return doc_of(json);
}

struct doc *doc_new_object(void)
{
	return made(json_object_new_object());
}

struct doc *doc_new_array(void)
{
	return made(json_object_new_array());
}

struct doc *doc_new_real(double value)
{
	if (!isfinite(value))
		return NULL;
	return made(json_object_new_double(value));
}

struct doc *doc_new_int(int64_t value)
{
	return made(json_object_new_int64(value));
}

struct doc *doc_new_text(const char *value)
{
	return made(json_object_new_string(value));
}

struct doc *doc_copy(const struct doc *doc)
{
	json_object *copy = NULL;

	if (doc == NULL)
		return NULL;
	if (json_object_deep_copy(json_of(doc), &copy, NULL) < 0)
		abort();
	return doc_of(copy);
}

void doc_free(struct doc *doc)
{
	(void)json_object_put(json_of(doc));
}

void doc_set_take(struct doc *object, const char *key, struct doc *value)
{
	if (value == NULL)
		json_object_object_del(json_of(object), key);
	else if (json_object_object_add(json_of(object), key, json_of(value)))
		abort();
}

void doc_add_take(struct doc *array, struct doc *value)
{
	if (json_object_array_add(json_of(array), json_of(value)))
		abort();
}

void doc_set_bool(struct doc *object, const char *key, bool value)
{
	doc_set_take(object, key, made(json_object_new_boolean(value)));
}

/* ---- looking --------------------------------------------------------------*/

size_t doc_count(const struct doc *doc)
{
	if (is_object(doc))
		return (size_t)json_object_object_length(json_of(doc));
	if (is_array(doc))
		return json_object_array_length(json_of(doc));
	return 0;
}

const struct doc *doc_get(const struct doc *object, const char *key)
{
	json_object *value = NULL;

	if (is_object(object))
		(void)json_object_object_get_ex(json_of(object), key, &value);
	return doc_of(value);
}

const struct doc *doc_at(const struct doc *array, size_t index)
{
	if (!is_array(array))
		return NULL;
	return doc_of(json_object_array_get_idx(json_of(array), index));
}

const char *doc_key_at(const struct doc *object, size_t index,
		       const struct doc **value)
{
	if (!is_object(object))
		return NULL;
	json_object_object_foreach(json_of(object), key, member)
	{
		if (index-- > 0)
			continue;
		if (value != NULL)
			*value = doc_of(member);
		return key;
	}
	return NULL;
}

double doc_real(const struct doc *doc, double fallback)
{
	json_object *json = json_of(doc);

	if (is_huge(json))
		return (double)json_object_get_uint64(json);
	if (json_object_is_type(json, json_type_double) ||
	    json_object_is_type(json, json_type_int))
		return json_object_get_double(json);
	return fallback;
}

int64_t doc_int(const struct doc *doc, int64_t fallback)
{
	double real;

	if (doc_kind(doc) == DOC_INT)
		return json_object_get_int64(json_of(doc));
	if (doc_kind(doc) != DOC_REAL)
		return fallback;
	/* 3.0 is whole, too; beyond 2^53 a double cannot know. */
	real = doc_real(doc, 0);
	if (real != floor(real) || fabs(real) > 9007199254740992.0)
		return fallback;
	return (int64_t)real;
}

bool doc_bool(const struct doc *doc, bool fallback)
{
	if (doc_kind(doc) != DOC_BOOL)
		return fallback;
	return json_object_get_boolean(json_of(doc));
}

const char *doc_string(const struct doc *doc, const char *fallback)
{
	if (doc_kind(doc) != DOC_TEXT)
		return fallback;
	return json_object_get_string(json_of(doc));
}

/* ---- reading --------------------------------------------------------------*/

/* 1e999 is good JSON and yet no number that a double can hold. */
static bool all_finite(const struct doc *doc)
{
	size_t i;

	if (doc_kind(doc) == DOC_REAL)
		return isfinite(doc_real(doc, 0));
	if (is_array(doc)) {
		for (i = 0; i < doc_count(doc); i++)
			if (!all_finite(doc_at(doc, i)))
				return false;
	} else if (is_object(doc)) {
		json_object_object_foreach(json_of(doc), key, member)
		{
			(void)key;
			if (!all_finite(doc_of(member)))
				return false;
		}
	}
	return true;
}

static struct doc *parse_strictly(const char *text, size_t length,
				  struct err *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(DOC_DEPTH_MAX + 2);
	enum json_tokener_error why;
	json_object *json;

	if (tokener == NULL)
		abort();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	/* With the NUL, so that a number at the very end is complete. */
	json = json_tokener_parse_ex(tokener, text, (int)length + 1);
	why = json_tokener_get_error(tokener);
	if (why == json_tokener_continue)
		doc_scan_fail(text, length, length, "ends too early", err);
	else if (why != json_tokener_success)
		doc_scan_fail(text, length, json_tokener_get_parse_end(tokener),
			      json_tokener_error_desc(why), err);
	else if (json == NULL)
		err_set(err, EINVAL, "null alone is no document");
	json_tokener_free(tokener);
	return doc_of(json);
}

struct doc *doc_parse(const char *text, size_t length, struct err *err)
{
	struct doc *doc = NULL;
	char *copy;

	if (length > DOC_FILE_MAX) {
		err_set(err, EFBIG, "larger than %zu bytes", DOC_FILE_MAX);
		return NULL;
	}
	copy = xmalloc(length + 1);
	if (length > 0)
		memcpy(copy, text, length);
	copy[length] = '\0';
	if (doc_scan(copy, length, err) == 0)
		doc = parse_strictly(copy, length, err);
	free(copy);
	if (doc != NULL && !all_finite(doc)) {
		doc_free(doc);
		doc = NULL;
		err_set(err, ERANGE, "a number is too large for a double");
	}
	return doc;
}

/* ---- writing --------------------------------------------------------------*/

struct style {
	bool sorted, pretty;
};

static void put(struct text *out, const struct doc *doc, struct style style,
		int depth);

static void break_line(struct text *out, struct style style, int depth)
{
	if (!style.pretty)
		return;
	text_put_char(out, '\n');
	while (depth-- > 0)
		text_put(out, "  ");
}

struct member {
	const char *key;
	const struct doc *value;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key,
		      ((const struct member *)b)->key);
}

static void put_object(struct text *out, const struct doc *doc,
		       struct style style, int depth)
{
	struct member *members = xcalloc(doc_count(doc), sizeof(*members));
	size_t count = 0, i;

	json_object_object_foreach(json_of(doc), key, value)
	{
		members[count++] = (struct member){ key, doc_of(value) };
	}
	if (style.sorted)
		qsort(members, count, sizeof(*members), by_key);
	text_put_char(out, '{');
	for (i = 0; i < count; i++) {
		if (i > 0)
			text_put_char(out, ',');
		break_line(out, style, depth + 1);
		text_put_json(out, members[i].key);
		text_put(out, style.pretty ? ": " : ":");
		put(out, members[i].value, style, depth + 1);
	}
	if (count > 0)
		break_line(out, style, depth);
	text_put_char(out, '}');
	free(members);
}

/* Lists of plain values stay on one line. */
static bool is_nested(const struct doc *array)
{
	size_t i;

	for (i = 0; i < doc_count(array); i++)
		if (doc_kind(doc_at(array, i)) >= DOC_ARRAY)
			return true;
	return false;
}

static void put_array(struct text *out, const struct doc *doc,
		      struct style style, int depth)
{
	struct style inner = style;
	size_t i;

	inner.pretty = style.pretty && is_nested(doc);
	text_put_char(out, '[');
	for (i = 0; i < doc_count(doc); i++) {
		if (i > 0)
			text_put(out,
				 style.pretty && !inner.pretty ? ", " : ",");
		break_line(out, inner, depth + 1);
		put(out, doc_at(doc, i), inner, depth + 1);
	}
	if (doc_count(doc) > 0)
		break_line(out, inner, depth);
	text_put_char(out, ']');
}

static void put(struct text *out, const struct doc *doc, struct style style,
		int depth)
{
	switch (json_object_get_type(json_of(doc))) {
	case json_type_boolean:
		text_put(out, doc_bool(doc, false) ? "true" : "false");
		break;
	case json_type_int:
		if (is_huge(json_of(doc)))
			text_put_uint(out,
				      json_object_get_uint64(json_of(doc)));
		else
			text_put_int(out, json_object_get_int64(json_of(doc)));
		break;
	case json_type_double:
		text_put_real(out, json_object_get_double(json_of(doc)));
		break;
	case json_type_string:
		text_put_json(out, doc_string(doc, ""));
		break;
	case json_type_array:
		put_array(out, doc, style, depth);
		break;
	case json_type_object:
		put_object(out, doc, style, depth);
		break;
	case json_type_null:
	default:
		text_put(out, "null");
	}
}

char *doc_to_text(const struct doc *doc)
{
	struct text out = TEXT_INIT;

	put(&out, doc, (struct style){ .pretty = false }, 0);
	return text_take(&out);
}

int doc_write(const struct doc *doc, const char *path, bool force,
	      struct err *err)
{
	struct text out = TEXT_INIT;
	int rc;

	put(&out, doc, (struct style){ .pretty = true }, 0);
	text_put_char(&out, '\n');
	rc = text_write_file(&out, path, force, err);
	text_done(&out);
	return rc;
}

const char *doc_digest(const struct doc *doc, char out[static DOC_DIGEST_MAX])
{
	struct text text = TEXT_INIT;
	char hex[SHA256_DIGEST_STRING_LENGTH];

	put(&text, doc, (struct style){ .sorted = true }, 0);
	SHA256Data((const uint8_t *)text.data, text.length, hex);
	memcpy(out, hex, DOC_DIGEST_MAX - 1);
	out[DOC_DIGEST_MAX - 1] = '\0';
	text_done(&text);
	return out;
}
