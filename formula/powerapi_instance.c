/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/powerapi_instance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static char *value_of(const struct powerapi_instance *instance,
		      const char *name)
{
	const struct powerapi_parameter *parameter =
		powerapi_component_parameter(instance->component, name);
	const char letter[2] = { parameter->letter, '\0' };
	const struct doc *value = doc_get(instance->doc, name);

	if (!value)
		value = doc_get(instance->doc, letter);
	if (!value)
		return parameter->initial ? xstrdup(parameter->initial) : NULL;
	return doc_kind(value) == DOC_TEXT ? xstrdup(doc_string(value, ""))
					   : doc_to_text(value);
}

static char *need(const struct powerapi_instance *instance, const char *name,
		  struct err *err)
{
	char *value = value_of(instance, name);

	if (!value)
		err_set(err, EINVAL, "%s '%.100s' (%s): --%s is missing",
			powerapi_group_name((int)instance->component->group),
			instance->name, instance->component->type, name);
	return value;
}

/* mongodb://host/DB?collection=C, with the options that were in the URI. */
static char *mongo_uri(const struct powerapi_instance *instance, bool consume,
		       struct err *err)
{
	char *uri = need(instance, "uri", err);
	char *db = uri ? need(instance, "db", err) : NULL;
	char *collection = db ? need(instance, "collection", err) : NULL;
	char *result = NULL;

	if (collection) {
		char *options = strchr(uri, '?');
		size_t length;

		if (options)
			*options++ = '\0';
		length = strlen(uri);
		while (length && uri[length - 1] == '/')
			uri[--length] = '\0';
		result = xasprintf("%s/%s?collection=%s%s%s%s", uri, db,
				   collection, consume ? "&consume=1" : "",
				   options ? "&" : "", options ? options : "");
	}
	free(uri);
	free(db);
	free(collection);
	return result;
}

static char *host_uri(const struct powerapi_instance *instance,
		      const char *scheme, const char *host, struct err *err)
{
	char *name = need(instance, host, err);
	char *port = name ? need(instance, "port", err) : NULL;
	char *result = port ? xasprintf("%s:%s:%s", scheme, name, port) : NULL;

	free(name);
	free(port);
	return result;
}

static char *one_uri(const struct powerapi_instance *instance,
		     const char *scheme, const char *parameter, struct err *err)
{
	char *value = need(instance, parameter, err);
	char *result = value ? xasprintf("%s:%s", scheme, value) : NULL;

	free(value);
	return result;
}

static int list_take(struct field_list *list, char *uri)
{
	if (!uri)
		return -1;
	field_list_add(list, uri);
	free(uri);
	return 0;
}

/* "a.csv,b.csv", or an array. */
static int files_take(const struct powerapi_instance *instance,
		      struct field_list *list, struct err *err)
{
	const struct doc *array = doc_get(instance->doc, "files");
	char *files, *part, *rest;

	if (doc_kind(array) == DOC_ARRAY) {
		for (size_t i = 0; i < doc_count(array); i++)
			field_list_add(list, doc_string(doc_at(array, i), ""));
		return 0;
	}
	files = need(instance, "files", err);
	rest = files;
	while ((part = files ? strsep(&rest, ",") : NULL))
		if (*part)
			field_list_add(list, part);
	free(files);
	return files ? 0 : -1;
}

static int input_take(const struct powerapi_instance *instance, bool stream,
		      struct powerapi_places *places, struct err *err)
{
	const char *type = instance->component->type;

	if (!strcmp(type, "csv")) {
		if (stream)
			return err_set(err, EINVAL,
				       "--input csv: files end, they cannot be "
				       "read with --stream");
		return files_take(instance, &places->csv, err);
	}
	if (!strcmp(type, "mongodb"))
		return list_take(&places->from,
				 mongo_uri(instance, stream, err));
	if (!strcmp(type, "socket"))
		return list_take(&places->from,
				 host_uri(instance, "tcp-listen", "host", err));
	return list_take(&places->from,
			 one_uri(instance, "jsonl",
				 strcmp(type, "json") ? "filename" : "filepath",
				 err));
}

static int output_take(const struct powerapi_instance *instance,
		       struct powerapi_places *places, struct err *err)
{
	const char *type = instance->component->type;
	char *model = value_of(instance, "model");
	struct field_list *list = NULL;

	if (!strcmp(model, "PowerReport"))
		list = &places->power;
	else if (!strcmp(model, "FormulaReport"))
		list = &places->formula;
	else
		err_set(err, EINVAL,
			"output '%.100s': model '%.100s' is neither PowerReport "
			"nor FormulaReport",
			instance->name, model);
	free(model);
	if (!list)
		return -1;
	if (!strcmp(type, "csv"))
		return list_take(list,
				 one_uri(instance, "csv", "directory", err));
	if (!strcmp(type, "json"))
		return list_take(list,
				 one_uri(instance, "jsonl", "filepath", err));
	if (!strcmp(type, "mongodb"))
		return list_take(list, mongo_uri(instance, false, err));
	if (!strcmp(type, "prometheus"))
		return list_take(list,
				 host_uri(instance, "prometheus", "uri", err));
	return list_take(list, one_uri(instance, "influx", "uri", err));
}

static int instance_check(const struct powerapi_instance *instance,
			  struct err *err)
{
	for (size_t i = 0; i < doc_count(instance->doc); i++) {
		const struct doc *value;
		const char *key = doc_key_at(instance->doc, i, &value);

		if (strcmp(key, "type") != 0 &&
		    !powerapi_component_parameter(instance->component, key))
			return err_set(err, EINVAL,
				       "%s '%.100s' (%s): argument '%.100s' "
				       "is unknown",
				       powerapi_group_name(
					       (int)instance->component->group),
				       instance->name,
				       instance->component->type, key);
	}
	return 0;
}

int powerapi_instance_place(const struct powerapi_instance *instance,
			    bool stream, struct powerapi_places *places,
			    struct err *err)
{
	if (instance_check(instance, err) < 0)
		return -1;
	switch (instance->component->group) {
	case POWERAPI_INPUT:
		return input_take(instance, stream, places, err);
	case POWERAPI_OUTPUT:
		return output_take(instance, places, err);
	default:
		return err_set(err, ENOTSUP,
			       "pre-processor '%.100s': not done here (names "
			       "of pods come with the sensor's reports)",
			       instance->component->type);
	}
}
