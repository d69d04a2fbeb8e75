/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/powerapi.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "formula/powerapi_component.h"
#include "formula/powerapi_instance.h"
#include "lib/doc.h"
#include "lib/mem.h"

#define PREFIX "POWERAPI_"

/* ---- the command line ------------------------------------------------------- */

static int group_of(const char *argument)
{
	for (int g = 0; powerapi_group_name(g); g++)
		if (!strncmp(argument, "--", 2) &&
		    !strcmp(argument + 2, powerapi_group_name(g)))
			return g;
	return -1;
}

static bool is(const char *argument, const char *word)
{
	return argument && !strcmp(argument, word);
}

bool powerapi_wanted(int argc, char **argv)
{
	const char *model = getenv("FEDWATTS_FORMULA_MODEL");

	/* A command of its own has options of its own. */
	if (argc > 1 && argv[1][0] != '-')
		return false;
	for (int i = 1; i < argc && group_of(argv[i]) < 0; i++) {
		if (!strcmp(argv[i], "--model") && i + 1 < argc)
			model = argv[i + 1];
		else if (!strncmp(argv[i], "--model=", 8))
			model = argv[i] + 8;
	}
	/* Behind a component's options, it may still be ours. */
	for (int i = 1; i + 1 < argc && !model; i++)
		if (is(argv[i], "--model") && is(argv[i + 1], "smartwatts"))
			model = argv[i + 1];
	return model && !strcmp(model, "smartwatts");
}

struct line {
	char **in;
	int at;
	char **out;
	int count;
};

/* "--files=a,b", "--files a,b", "-f a,b", "-fa,b" of the component; false when
 * the next argument is none of its options. */
static bool take_parameter(struct line *line,
			   const struct powerapi_component *component,
			   struct doc *doc, struct err *err, int *failed)
{
	const char *argument = line->in[line->at];
	const struct powerapi_parameter *parameter;
	const char *value = NULL;
	char *name;

	if (!argument || argument[0] != '-' || !argument[1])
		return false;
	if (argument[1] == '-') {
		value = strchr(argument, '=');
		name = value ? xstrndup(argument + 2,
					(size_t)(value - argument) - 2)
			     : xstrdup(argument + 2);
		value += value != NULL;
	} else {
		name = xstrndup(argument + 1, 1);
		value = argument[2] ? argument + 2 : NULL;
	}
	/* -m and --model with our own model's name is never a report's. */
	parameter = powerapi_component_parameter(component, name);
	free(name);
	if (!parameter)
		return false;
	line->at++;
	if (!value)
		value = line->in[line->at] ? line->in[line->at++] : NULL;
	if (!value)
		*failed = err_set(err, EINVAL, "--%s %s: --%s expects a value",
				  powerapi_group_name((int)component->group),
				  component->type, parameter->name);
	else
		doc_set_text(doc, parameter->name, value);
	return true;
}

static int take_component(struct line *line, int group, struct err *err)
{
	const char *type = line->in[line->at + 1];
	const struct powerapi_component *component;
	struct doc *doc;
	char *text;
	int failed = 0;

	if (!type)
		return err_set(err, EINVAL, "--%s: expects a type",
			       powerapi_group_name(group));
	if (type[0] == '{') { /* as we write it ourselves */
		line->out[line->count++] = xstrdup(line->in[line->at++]);
		line->out[line->count++] = xstrdup(line->in[line->at++]);
		return 0;
	}
	component =
		powerapi_component_find((enum powerapi_group)group, type, err);
	if (!component)
		return -1;
	line->at += 2;
	doc = doc_new_object();
	doc_set_text(doc, "type", type);
	while (!failed && take_parameter(line, component, doc, err, &failed))
		;
	text = doc_to_text(doc);
	line->out[line->count++] =
		xasprintf("--%s=%s", powerapi_group_name(group), text);
	free(text);
	doc_free(doc);
	return failed;
}

int powerapi_arguments(int *argc, char **argv, char ***out, struct err *err)
{
	struct line line = { .in = argv };

	line.out = xcalloc((size_t)*argc + 1, sizeof(char *));
	while (line.in[line.at]) {
		int group = group_of(line.in[line.at]);

		if (group >= 0) {
			if (take_component(&line, group, err) < 0) {
				powerapi_arguments_free(line.out);
				return -1;
			}
			continue;
		}
		if (!strcmp(line.in[line.at], "-h"))
			line.out[line.count++] = xstrdup("--help");
		else
			line.out[line.count++] = xstrdup(line.in[line.at]);
		line.at++;
	}
	*argc = line.count;
	*out = line.out;
	return 0;
}

void powerapi_arguments_free(char **argv)
{
	for (char **argument = argv; argument && *argument; argument++)
		free(*argument);
	free(argv);
}

/* ---- what each source says of each component --------------------------------- */

/* What is known is kept: stronger sources come first. */
static void merge(struct doc *tree, const char *name, const struct doc *more)
{
	const struct doc *old = doc_get(tree, name);
	struct doc *all = doc_copy(more);

	for (size_t i = 0; i < doc_count(old); i++) {
		const struct doc *value;
		const char *key = doc_key_at(old, i, &value);

		doc_set_take(all, key, doc_copy(value));
	}
	doc_set_take(tree, name, all);
}

static int from_line(struct doc *tree, int group, const struct field_list *list,
		     struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		struct doc *doc =
			doc_parse(list->item[i], strlen(list->item[i]), err);
		const char *type = doc_string(doc_get(doc, "type"), "");
		char *name;

		if (!doc)
			return err_wrap(err, "--%s",
					powerapi_group_name(group));
		/* PowerAPI's own names: puller_csv, pusher_csv. */
		name = doc_get(doc, "name")
			       ? xstrdup(doc_string(doc_get(doc, "name"), ""))
			       : xasprintf("%s_%s",
					   group == POWERAPI_INPUT ? "puller"
								   : "pusher",
					   type);
		merge(tree, name, doc);
		free(name);
		doc_free(doc);
	}
	return 0;
}

static bool is_true(const char *text)
{
	static const char *const yes[] = { "yes", "y", "true", "t", "1" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!strcasecmp(text, yes[i]))
			return true;
	return false;
}

static int set_option(struct config *config, const char *name,
		      const char *value, const char *variable, struct err *err)
{
	const struct field *field = field_find(config->fields, name);

	if (!field)
		return err_set(err, EINVAL, "%s: unknown", variable);
	if (field->type == FIELD_BOOL)
		value = is_true(value) ? "yes" : "no";
	else if (!strcmp(name, "verbose"))
		value = is_true(value) ? "1" : "0";
	return config_set(config, name, value, FIELD_FROM_ENVIRONMENT, variable,
			  err);
}

static int from_variable(struct config *config, struct doc *tree[],
			 const char *variable, char *name, const char *value,
			 struct err *err)
{
	for (char *c = name; *c; c++)
		*c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
	for (int g = 0; powerapi_group_name(g); g++) {
		const char *group = powerapi_group_name(g), *parameter;
		size_t length = strlen(group), before = 0;
		struct doc *doc;
		char *instance;

		if (strncmp(name, group, length) != 0 || name[length] != '-')
			continue;
		name += length + 1;
		parameter = powerapi_parameter_behind((enum powerapi_group)g,
						      name, &before);
		if (!parameter)
			return err_set(err, EINVAL,
				       "%s: names no parameter of an %s",
				       variable, group);
		instance = xstrndup(name, before);
		doc = doc_new_object();
		doc_set_text(doc, parameter, value);
		merge(tree[g], instance, doc);
		doc_free(doc);
		free(instance);
		return 0;
	}
	return set_option(config, name, value, variable, err);
}

static int from_environment(struct config *config, struct doc *tree[],
			    struct err *err)
{
	for (char **entry = environ; *entry; entry++) {
		const char *equals = strchr(*entry, '=');
		char *variable, *name;
		int failed;

		if (strncmp(*entry, PREFIX, strlen(PREFIX)) != 0 || !equals)
			continue;
		variable = xstrndup(*entry, (size_t)(equals - *entry));
		name = xstrdup(variable + strlen(PREFIX));
		failed = from_variable(config, tree, variable, name, equals + 1,
				       err);
		free(variable);
		free(name);
		if (failed)
			return -1;
	}
	return 0;
}

static int from_file(struct config *config, struct doc *tree[],
		     const char *path, struct err *err)
{
	struct doc *doc = doc_read(path, err), *options;
	int failed = 0;

	if (!doc)
		return -1;
	options = doc_copy(doc);
	for (int g = 0; powerapi_group_name(g); g++) {
		const struct doc *group = doc_get(doc, powerapi_group_name(g));

		for (size_t i = 0; i < doc_count(group); i++) {
			const struct doc *value;
			const char *name = doc_key_at(group, i, &value);

			merge(tree[g], name, value);
		}
		doc_set_take(options, powerapi_group_name(g), NULL);
	}
	/* A flag there, how loud it is here. */
	if (doc_kind(doc_get(options, "verbose")) == DOC_BOOL)
		doc_set_int(options, "verbose",
			    doc_bool(doc_get(options, "verbose"), false));
	failed = config_set_doc(config, options, path, err);
	doc_free(options);
	doc_free(doc);
	return failed;
}

/* ---- from components to places ------------------------------------------------ */

static int group_take(int group, const struct doc *tree, bool stream,
		      struct powerapi_places *places, struct err *err)
{
	for (size_t i = 0; i < doc_count(tree); i++) {
		struct powerapi_instance instance;
		const char *type;
		int failed;

		instance.name = doc_key_at(tree, i, &instance.doc);
		type = doc_string(doc_get(instance.doc, "type"), NULL);
		if (!type)
			return err_set(
				err, EINVAL, "%s '%.100s': its type is missing",
				powerapi_group_name(group), instance.name);
		instance.component = powerapi_component_find(
			(enum powerapi_group)group, type, err);
		if (!instance.component)
			return -1;
		failed =
			powerapi_instance_place(&instance, stream, places, err);
		if (failed)
			return -1;
	}
	return 0;
}

int powerapi_places(struct config *config, const struct field_list *input,
		    const struct field_list *output,
		    const struct field_list *pre, const char *config_file,
		    struct powerapi_places *places, struct err *err)
{
	const struct field_list *line[POWERAPI_GROUPS] = { input, output, pre };
	const struct field *stream = field_find(config->fields, "stream");
	struct doc *tree[POWERAPI_GROUPS] = { NULL };
	int failed = 0;

	for (int g = 0; g < POWERAPI_GROUPS; g++)
		tree[g] = doc_new_object();
	for (int g = 0; g < POWERAPI_GROUPS && !failed; g++)
		failed = from_line(tree[g], g, line[g], err);
	if (!failed)
		failed = from_environment(config, tree, err);
	if (!failed && config_file)
		failed = from_file(config, tree, config_file, err);
	for (int g = 0; g < POWERAPI_GROUPS && !failed; g++)
		failed = group_take(g, tree[g],
				    *(const bool *)((char *)config->values +
						    stream->offset),
				    places, err);
	for (int g = 0; g < POWERAPI_GROUPS; g++)
		doc_free(tree[g]);
	return failed;
}

void powerapi_places_done(struct powerapi_places *places)
{
	field_list_done(&places->csv);
	field_list_done(&places->from);
	field_list_done(&places->power);
	field_list_done(&places->formula);
}
