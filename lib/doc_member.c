/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be said in terms of doc.c: files, typed members, and members that
 * must be there. */
#include "lib/doc.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/text.h"

struct doc *doc_read(const char *path, struct err *err)
{
	struct text text = TEXT_INIT;
	struct doc *doc = NULL;

	if (text_read_file(&text, path, DOC_FILE_MAX, err) < 0)
		return NULL;
	doc = doc_parse(text.data, text.length, err);
	text_done(&text);
	if (doc == NULL)
		err_wrap(err, "%s", path);
	return doc;
}

struct doc *doc_new_reals(const double *value, size_t n)
{
	struct doc *array = doc_new_array();
	size_t i;

	for (i = 0; i < n; i++)
		doc_add_take(array, doc_new_real(value[i]));
	return array;
}

void doc_set_real(struct doc *object, const char *key, double value)
{
	doc_set_take(object, key, doc_new_real(value));
}

void doc_set_int(struct doc *object, const char *key, int64_t value)
{
	doc_set_take(object, key, doc_new_int(value));
}

void doc_set_text(struct doc *object, const char *key, const char *value)
{
	doc_set_take(object, key, value ? doc_new_text(value) : NULL);
}

void doc_set_bounds(struct doc *object, const char *key, double lo, double hi)
{
	double bounds[] = { lo, hi };

	if (isfinite(lo) && isfinite(hi))
		doc_set_take(object, key, doc_new_reals(bounds, 2));
	else
		doc_set_take(object, key, NULL);
}

bool doc_is_schema(const struct doc *doc, const char *name)
{
	return strcmp(doc_string(doc_get(doc, "schema"), ""), name) == 0;
}

static int missing(const struct doc *object, const char *key,
		   const char *expected, struct err *err)
{
	static const char *const names[] = {
		[DOC_NULL] = "null",          [DOC_BOOL] = "a truth value",
		[DOC_INT] = "a whole number", [DOC_REAL] = "a number",
		[DOC_TEXT] = "text",          [DOC_ARRAY] = "a list",
		[DOC_OBJECT] = "an object",
	};
	const struct doc *value = doc_get(object, key);

	if (doc_kind(object) != DOC_OBJECT)
		return err_set(err, EINVAL, "%s: expected an object, found %s",
			       key, names[doc_kind(object)]);
	if (value == NULL)
		return err_set(err, EINVAL, "%s: missing", key);
	return err_set(err, EINVAL, "%s: expected %s, found %s", key, expected,
		       names[doc_kind(value)]);
}

int doc_need_real(const struct doc *object, const char *key, double *value,
		  struct err *err)
{
	double real = doc_real(doc_get(object, key), nan(""));

	if (isnan(real))
		return missing(object, key, "a number", err);
	*value = real;
	return 0;
}

int doc_need_int(const struct doc *object, const char *key, int64_t *value,
		 struct err *err)
{
	const struct doc *member = doc_get(object, key);

	/* What answers with either fallback is no whole number. */
	if (doc_int(member, 0) != doc_int(member, 1))
		return missing(object, key, "a whole number", err);
	*value = doc_int(member, 0);
	return 0;
}

int doc_need_text(const struct doc *object, const char *key, const char **value,
		  struct err *err)
{
	const char *text = doc_string(doc_get(object, key), NULL);

	if (text == NULL)
		return missing(object, key, "text", err);
	*value = text;
	return 0;
}

int doc_need_array(const struct doc *object, const char *key,
		   const struct doc **value, struct err *err)
{
	if (doc_kind(doc_get(object, key)) != DOC_ARRAY)
		return missing(object, key, "a list", err);
	*value = doc_get(object, key);
	return 0;
}

int doc_need_object(const struct doc *object, const char *key,
		    const struct doc **value, struct err *err)
{
	if (doc_kind(doc_get(object, key)) != DOC_OBJECT)
		return missing(object, key, "an object", err);
	*value = doc_get(object, key);
	return 0;
}
