/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

size_t place_scheme(const char *uri)
{
	size_t length = strspn(uri, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return uri[length] == ':' ? length : 0;
}

static int parameter_unknown(const char *key, const struct field *fields,
			     struct err *err)
{
	struct text known = TEXT_INIT;

	for (; fields->name; fields++)
		text_printf(&known, "%s%s", known.length ? ", " : "",
			    fields->name);
	err_set(err, EINVAL, "unknown parameter '%.60s'", key);
	if (known.length)
		err_remedy(err, "there are: %s", known.data);
	else
		err_remedy(err, "there are none here");
	text_done(&known);
	return -1;
}

static int parameter_set(struct config *config, const char *pair,
			 struct err *err)
{
	const char *equals = strchr(pair, '=');
	char *key = equals ? xstrndup(pair, (size_t)(equals - pair))
			   : xstrdup(pair);
	char *where = xasprintf("parameter %s", key);
	int failed;

	if (!field_find(config->fields, key))
		failed = parameter_unknown(key, config->fields, err);
	else if (!equals)
		failed = err_set(err, EINVAL, "parameter '%.60s' has no value",
				 key);
	else
		failed = config_set(config, key, equals + 1, FIELD_FROM_OPTION,
				    where, err);
	free(where);
	free(key);
	return failed;
}

/* key=value&key=value */
static int parameters_set(struct config *config, char *parameters,
			  struct err *err)
{
	char *rest = parameters;
	char *pair;

	while ((pair = strsep(&rest, "&")))
		if (*pair && parameter_set(config, pair, err) < 0)
			return -1;
	return 0;
}

char *place_name(const char *rest, const struct field *fields, void *values,
		 struct err *err)
{
	static const struct field none[] = { FIELD_END };
	size_t length = strcspn(rest, "?");
	struct config config;
	char *parameters;
	int failed;

	config_init(&config, fields ? fields : none, values);
	parameters = xstrdup(rest[length] ? rest + length + 1 : "");
	failed = parameters_set(&config, parameters, err);
	free(parameters);
	if (failed) {
		config_done(&config);
		return NULL;
	}
	free(config.state);
	return xstrndup(rest, length);
}

char *place_shown(const char *uri)
{
	const char *host = strstr(uri, "//");
	size_t length = host ? strcspn(host + 2, "/?") : 0;
	const char *at = host ? memrchr(host + 2, '@', length) : NULL;
	const char *colon = at ? memchr(host, ':', (size_t)(at - host)) : NULL;

	if (!colon)
		return xstrdup(uri);
	return xasprintf("%.*s:***%s", (int)(colon - uri), uri, at);
}
