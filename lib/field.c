/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/field.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mem.h"
#include "lib/quantity.h"

/* What a text means before it is stored. */
union field_value {
	bool yes;
	int64_t integer;
	double real;
	int choice;
};

/* ---- one value ----------------------------------------------------------- */

static void list_add_words(struct field_list *list, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, ",");

		if (length > 0) {
			char *word = xstrndup(text, length);

			field_list_add(list, word);
			free(word);
		}
		text += length;
		text += *text == ',';
	}
}

static bool is_quantity(enum field_type type)
{
	return type == FIELD_SECONDS || type == FIELD_WATTS ||
	       type == FIELD_JOULES || type == FIELD_BYTES;
}

static enum quantity quantity_of(enum field_type type)
{
	switch (type) {
	case FIELD_SECONDS:
		return QUANTITY_SECONDS;
	case FIELD_WATTS:
		return QUANTITY_WATTS;
	case FIELD_JOULES:
		return QUANTITY_JOULES;
	case FIELD_BYTES:
		return QUANTITY_BYTES;
	default:
		return QUANTITY_COUNT;
	}
}

static void put_bound(const struct field *field, double value, struct text *out)
{
	char shown[QUANTITY_TEXT_MAX];

	if (is_quantity(field->type) && value != 0)
		text_put(out,
			 quantity_text(value, quantity_of(field->type), shown));
	else
		text_printf(out, "%.15g", value);
}

static void put_choices(const char *const *choices, struct text *out)
{
	for (size_t i = 0; choices[i]; i++) {
		if (i > 0)
			text_put(out, choices[i + 1] ? ", " : " or ");
		text_put(out, choices[i]);
	}
}

static bool is_number(enum field_type type)
{
	return type == FIELD_INT || type == FIELD_REAL || is_quantity(type);
}

void field_put_range(const struct field *field, struct text *out)
{
	if (field->type == FIELD_CHOICE) {
		put_choices(field->choices, out);
	} else if (!is_number(field->type) ||
		   (field->min == 0 && field->max == 0)) {
		return;
	} else if (field->max < field->min) {
		text_put(out, "at least ");
		put_bound(field, field->min, out);
	} else {
		put_bound(field, field->min, out);
		text_put(out, " to ");
		put_bound(field, field->max, out);
	}
}

static int expected(const char *what, const char *text, struct err *err)
{
	return err_set(err, EINVAL, "expected %s, found '%.80s'", what, text);
}

static int range_check(const struct field *field, double value,
		       const char *text, struct err *err)
{
	struct text range = TEXT_INIT;

	if (field->min == 0 && field->max == 0)
		return 0;
	if (value >= field->min &&
	    (value <= field->max || field->max < field->min))
		return 0;
	field_put_range(field, &range);
	expected(range.data, text, err);
	text_done(&range);
	return -1;
}

static int bool_parse(const char *text, bool *value, struct err *err)
{
	static const char *const words[][2] = {
		{ "no", "yes" },
		{ "false", "true" },
		{ "0", "1" },
		{ "off", "on" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (int yes = 0; yes < 2; yes++) {
			if (!strcasecmp(text, words[i][yes])) {
				*value = yes;
				return 0;
			}
		}
	}
	return expected("yes or no", text, err);
}

static int int_parse(const char *text, int64_t *value, struct err *err)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	if (end == text || *end || errno || text[0] == ' ')
		return expected("a whole number", text, err);
	return 0;
}

static int real_parse(const char *text, double *value, struct err *err)
{
	char *end;

	*value = strtod(text, &end);
	if (end == text || *end || !isfinite(*value) || text[0] == ' ')
		return expected("a number", text, err);
	return 0;
}

static int choice_parse(const struct field *field, const char *text, int *value,
			struct err *err)
{
	struct text all = TEXT_INIT;

	for (int i = 0; field->choices[i]; i++) {
		if (!strcmp(field->choices[i], text)) {
			*value = i;
			return 0;
		}
	}
	put_choices(field->choices, &all);
	expected(all.data ? all.data : "nothing", text, err);
	text_done(&all);
	return -1;
}

static int number_parse(const struct field *field, const char *text,
			union field_value *value, struct err *err)
{
	if (field->type == FIELD_INT) {
		if (int_parse(text, &value->integer, err) < 0)
			return -1;
		return range_check(field, (double)value->integer, text, err);
	}
	if (field->type == FIELD_REAL) {
		if (real_parse(text, &value->real, err) < 0)
			return -1;
	} else if (quantity_parse(text, quantity_of(field->type), &value->real,
				  err) < 0) {
		return -1;
	}
	return range_check(field, value->real, text, err);
}

static int value_parse(const struct field *field, const char *text,
		       union field_value *value, struct err *err)
{
	if (is_number(field->type))
		return number_parse(field, text, value, err);
	if (field->type == FIELD_BOOL)
		return bool_parse(text, &value->yes, err);
	if (field->type == FIELD_CHOICE)
		return choice_parse(field, text, &value->choice, err);
	return 0; /* texts and lists may be anything */
}

static void list_store(struct field_list *list, const char *text, bool words,
		       bool append)
{
	if (!append)
		field_list_done(list);
	if (words)
		list_add_words(list, text);
	else if (*text)
		field_list_add(list, text);
}

static void value_store(const struct field *field, void *values,
			const union field_value *value, const char *text,
			bool append)
{
	void *at = (char *)values + field->offset;

	switch (field->type) {
	case FIELD_BOOL:
		*(bool *)at = value->yes;
		break;
	case FIELD_INT:
		*(int64_t *)at = value->integer;
		break;
	case FIELD_REAL:
	case FIELD_SECONDS:
	case FIELD_WATTS:
	case FIELD_JOULES:
	case FIELD_BYTES:
		*(double *)at = value->real;
		break;
	case FIELD_CHOICE:
		*(int *)at = value->choice;
		break;
	case FIELD_TEXT:
		free(*(char **)at);
		*(char **)at = xstrdup(text);
		break;
	case FIELD_LIST:
	case FIELD_WORDS:
		list_store(at, text, field->type == FIELD_WORDS, append);
		break;
	case FIELD_CALL:
		break;
	}
}

/* ---- the whole ----------------------------------------------------------- */

static size_t field_count(const struct field *fields)
{
	size_t count = 0;

	while (fields[count].name)
		count++;
	return count;
}

const struct field *field_find(const struct field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

/* A default that does not parse is our own mistake, not the user's. */
static void default_set(struct config *config, const struct field *field)
{
	union field_value value;
	struct field any = *field;
	struct err err;

	any.min = any.max = 0;
	if (field->type == FIELD_CALL
		    ? field->set(config->values, field->initial, &err) < 0
		    : value_parse(&any, field->initial, &value, &err) < 0) {
		fprintf(stderr, "default of '%s': %s\n", field->name, err.text);
		abort();
	}
	value_store(field, config->values, &value, field->initial, false);
}

void config_init(struct config *config, const struct field *fields,
		 void *values)
{
	*config = (struct config){ .fields = fields, .values = values };
	config->state =
		xcalloc(field_count(fields) + 1, sizeof(*config->state));
	for (size_t i = 0; fields[i].name; i++) {
		config->state[i].origin = FIELD_FROM_DEFAULT;
		snprintf(config->state[i].where, sizeof(config->state[i].where),
			 "default");
		if (fields[i].initial)
			default_set(config, &fields[i]);
	}
}

void config_done(struct config *config)
{
	const struct field *field = config->fields;

	for (; field && field->name; field++) {
		void *at = (char *)config->values + field->offset;

		if (field->type == FIELD_TEXT) {
			free(*(char **)at);
			*(char **)at = NULL;
		} else if (field->type == FIELD_LIST ||
			   field->type == FIELD_WORDS) {
			field_list_done(at);
		} else if (field->done) {
			field->done(config->values);
		}
	}
	free(config->state);
	*config = (struct config){ 0 };
}

static int key_unknown(const struct field *fields, const char *name,
		       const char *where, struct err *err)
{
	size_t count = field_count(fields);
	const char **names = xcalloc(count + 1, sizeof(*names));
	const char *near;

	for (size_t i = 0; i < count; i++)
		names[i] = fields[i].name;
	near = field_nearest(name, names);
	free(names);
	err_set(err, EINVAL, "%s: unknown key '%.80s'", where, name);
	if (near)
		err_remedy(err, "did you mean '%s'?", near);
	return -1;
}

/* "fl.json: rounds", "--set rounds", "--rounds", "FEDWATTS_FL_ROUNDS" */
static int wrap_where(const char *name, enum field_origin origin,
		      const char *where, struct err *err)
{
	if (origin == FIELD_FROM_FILE)
		return err_wrap(err, "%s: %s", where, name);
	if (origin == FIELD_FROM_SET)
		return err_wrap(err, "%s %s", where, name);
	return err_wrap(err, "%s", where);
}

int config_set(struct config *config, const char *name, const char *text,
	       enum field_origin origin, const char *where, struct err *err)
{
	const struct field *field = field_find(config->fields, name);
	struct config_state *state;
	union field_value value;

	if (!field)
		return key_unknown(config->fields, name, where, err);
	state = &config->state[field - config->fields];
	if (value_parse(field, text, &value, err) < 0)
		return wrap_where(name, origin, where, err);
	if (state->given && origin < state->origin)
		return 0;
	if (field->type == FIELD_CALL &&
	    field->set(config->values, text, err) < 0)
		return wrap_where(name, origin, where, err);
	value_store(field, config->values, &value, text,
		    state->given && origin == state->origin);
	state->given = true;
	state->origin = origin;
	snprintf(state->where, sizeof(state->where), "%.95s", where);
	return 0;
}

int config_set_pair(struct config *config, const char *pair, struct err *err)
{
	const char *equals = strchr(pair, '=');
	char *name;
	int failed;

	if (!equals || equals == pair)
		return err_set(err, EINVAL,
			       "--set: expected KEY=VALUE, found '%.80s'",
			       pair);
	name = xstrndup(pair, (size_t)(equals - pair));
	failed = config_set(config, name, equals + 1, FIELD_FROM_SET, "--set",
			    err);
	free(name);
	return failed;
}

bool config_given(const struct config *config, const char *name)
{
	const struct field *field = field_find(config->fields, name);

	return field && config->state[field - config->fields].given;
}
