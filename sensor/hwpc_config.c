/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/hwpc_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mem.h"

/* ---- groups ---------------------------------------------------------------- */

static struct hwpc_group *find_group(const struct hwpc_config *config,
				     enum hwpc_scope scope, const char *name)
{
	for (size_t i = 0; i < config->groups; i++)
		if (config->group[i].scope == scope &&
		    !strcmp(config->group[i].name, name))
			return &config->group[i];
	return NULL;
}

int hwpc_open_group(struct hwpc_config *config, enum hwpc_scope scope,
		    const char *name, struct err *err)
{
	struct hwpc_group *group = find_group(config, scope, name);

	/* It becomes a key of documents and the name of a file. */
	if (*name == '\0' || *name == '.' || strchr(name, '/'))
		return err_set(err, EINVAL, "group '%.80s': not a name", name);
	if (!group) {
		config->group = mem_grow(config->group, &config->capacity,
					 config->groups + 1, sizeof(*group));
		group = &config->group[config->groups++];
		*group = (struct hwpc_group){ .scope = scope,
					      .name = xstrdup(name) };
	}
	config->open = 1 + (size_t)(group - config->group);
	return 0;
}

static struct hwpc_group *open_group(const struct hwpc_config *config)
{
	return config->open > 0 ? &config->group[config->open - 1] : NULL;
}

int hwpc_one_cpu(struct hwpc_config *config, struct err *err)
{
	struct hwpc_group *group = open_group(config);

	if (!group)
		return err_set(err, EINVAL,
			       "no group to which it belongs (-s or -c first)");
	group->one_cpu = true;
	return 0;
}

int hwpc_add_event(struct hwpc_config *config, const char *event,
		   struct err *err)
{
	struct hwpc_group *group = open_group(config);

	if (!group)
		return err_set(err, EINVAL,
			       "'%.80s': no group to which it belongs "
			       "(-s or -c first)",
			       event);
	field_list_add(&group->events, event);
	return 0;
}

size_t hwpc_groups(const struct hwpc_config *config, enum hwpc_scope scope)
{
	size_t n = 0;

	for (size_t i = 0; i < config->groups; i++)
		n += config->group[i].scope == scope;
	return n;
}

void hwpc_config_done(struct hwpc_config *config)
{
	for (size_t i = 0; i < config->groups; i++) {
		free(config->group[i].name);
		field_list_done(&config->group[i].events);
	}
	free(config->group);
	free(config->base);
	free(config->uri);
	free(config->database);
	free(config->collection);
	free(config->port);
	free(config->name);
	*config = (struct hwpc_config){ 0 };
}

/* ---- values ---------------------------------------------------------------- */

int hwpc_milliseconds(const char *text, int64_t *ms, struct err *err)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || end == text || *end || text[0] == '-' || value < 1 ||
	    value > 86400000)
		return err_set(err, EINVAL,
			       "'%.80s': expected milliseconds, 1 to 86400000",
			       text);
	*ms = (int64_t)value;
	return 0;
}

int hwpc_set_storage(struct hwpc_config *config, const char *name,
		     struct err *err)
{
	static const struct {
		const char *name;
		enum hwpc_storage storage;
	} known[] = {
		{ "null", HWPC_STORAGE_NULL },
		{ "csv", HWPC_STORAGE_CSV },
		{ "socket", HWPC_STORAGE_SOCKET },
		{ "mongodb", HWPC_STORAGE_MONGODB },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcasecmp(known[i].name, name)) {
			config->storage = known[i].storage;
			return 0;
		}
	return err_set(err, EINVAL,
		       "storage '%.80s': unknown (csv, socket, mongodb or "
		       "null)",
		       name);
}

static void replace(char **at, const char *text)
{
	free(*at);
	*at = xstrdup(text);
}

/* ---- a file ---------------------------------------------------------------- */

/* json-c gives hwpc-sensor the text of whatever stands there. */
static int take_text(const struct doc *doc, char **at, struct err *err)
{
	char *text;

	if (doc_kind(doc) == DOC_TEXT) {
		replace(at, doc_string(doc, ""));
		return 0;
	}
	if (doc_kind(doc) != DOC_INT)
		return err_set(err, EINVAL, "expected text");
	text = doc_to_text(doc);
	replace(at, text);
	free(text);
	return 0;
}

static int take_ms(const struct doc *doc, int64_t *ms, struct err *err)
{
	char *text = NULL;
	int status = take_text(doc, &text, err);

	if (status == 0 && text)
		status = hwpc_milliseconds(text, ms, err);
	free(text);
	return status;
}

static int take_verbose(const struct doc *doc, int64_t *verbose,
			struct err *err)
{
	int64_t value = doc_kind(doc) == DOC_BOOL ? doc_bool(doc, false)
						  : doc_int(doc, -1);

	if (value < 0)
		return err_set(err, EINVAL,
			       "expected true, false or a whole number");
	*verbose = value;
	return 0;
}

static int unknown_key(const char *key, const char *where, struct err *err)
{
	return err_set(err, EINVAL, "%s: unknown key '%.80s'", where, key);
}

static bool is_key(const char *key, const char *name, const char *alias)
{
	return !strcasecmp(key, name) || (alias && !strcasecmp(key, alias));
}

static char **storage_member(struct hwpc_config *config, const char *key)
{
	switch (config->storage) {
	case HWPC_STORAGE_CSV:
		return is_key(key, "directory", "outdir") ? &config->uri : NULL;
	case HWPC_STORAGE_SOCKET:
		if (is_key(key, "port", NULL))
			return &config->port;
		return is_key(key, "uri", "host") ? &config->uri : NULL;
	case HWPC_STORAGE_MONGODB:
		if (is_key(key, "database", NULL))
			return &config->database;
		if (is_key(key, "collection", NULL))
			return &config->collection;
		return is_key(key, "uri", NULL) ? &config->uri : NULL;
	default:
		return NULL;
	}
}

static int need_object(const struct doc *doc, struct err *err)
{
	if (doc_kind(doc) != DOC_OBJECT)
		return err_set(err, EINVAL, "expected an object");
	return 0;
}

static int take_storage(struct hwpc_config *config, const struct doc *doc,
			struct err *err)
{
	const struct doc *value;
	const char *type = NULL;

	if (need_object(doc, err) < 0)
		return -1;
	/* The type first: it says what the others mean. */
	for (size_t i = 0; i < doc_count(doc); i++)
		if (!strcasecmp(doc_key_at(doc, i, &value), "type"))
			type = doc_string(value, NULL);
	if (!type)
		return err_set(err, EINVAL, "type: missing");
	if (hwpc_set_storage(config, type, err) < 0)
		return -1;
	for (size_t i = 0; i < doc_count(doc); i++) {
		const char *key = doc_key_at(doc, i, &value);
		char **at = storage_member(config, key);

		if (!strcasecmp(key, "type"))
			continue;
		if (!at)
			return unknown_key(key, type, err);
		if (take_text(value, at, err) < 0)
			return err_wrap(err, "%s", key);
	}
	return 0;
}

static int take_events(struct hwpc_group *group, const struct doc *doc,
		       struct err *err)
{
	if (doc_kind(doc) != DOC_ARRAY)
		return err_set(err, EINVAL, "expected a list");
	for (size_t i = 0; i < doc_count(doc); i++) {
		const char *event = doc_string(doc_at(doc, i), NULL);

		if (!event)
			return err_set(err, EINVAL, "expected names");
		field_list_add(&group->events, event);
	}
	return 0;
}

static int take_mode(struct hwpc_group *group, const struct doc *doc,
		     struct err *err)
{
	const char *mode = doc_string(doc, "");

	if (!strncasecmp(mode, "MONITOR_", 8))
		mode += 8;
	group->one_cpu = !strcasecmp(mode, "ONE_CPU_PER_SOCKET");
	if (!group->one_cpu && strcasecmp(mode, "ALL_CPU_PER_SOCKET") != 0)
		return err_set(err, EINVAL,
			       "expected MONITOR_ONE_CPU_PER_SOCKET or "
			       "MONITOR_ALL_CPU_PER_SOCKET");
	return 0;
}

static int take_group(struct hwpc_group *group, const struct doc *doc,
		      struct err *err)
{
	if (need_object(doc, err) < 0)
		return -1;
	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *value;
		const char *key = doc_key_at(doc, i, &value);
		int status;

		if (is_key(key, "events", NULL))
			status = take_events(group, value, err);
		else if (is_key(key, "monitoring_type", "mode"))
			status = take_mode(group, value, err);
		else
			return unknown_key(key, group->name, err);
		if (status < 0)
			return err_wrap(err, "%s", key);
	}
	return 0;
}

/* A group that was there before stays as it was, as in hwpc-sensor. */
static int take_groups(struct hwpc_config *config, enum hwpc_scope scope,
		       const struct doc *doc, struct err *err)
{
	size_t open = config->open;

	if (need_object(doc, err) < 0)
		return -1;
	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *value;
		const char *name = doc_key_at(doc, i, &value);

		if (find_group(config, scope, name))
			continue;
		if (hwpc_open_group(config, scope, name, err) < 0)
			return -1;
		if (take_group(open_group(config), value, err) < 0)
			return err_wrap(err, "%s", name);
	}
	config->open = open;
	return 0;
}

static int take_member(struct hwpc_config *config, const char *key,
		       const struct doc *value, struct err *err)
{
	if (is_key(key, "verbose", NULL))
		return take_verbose(value, &config->verbose, err);
	if (is_key(key, "name", "sensor-name"))
		return take_text(value, &config->name, err);
	if (is_key(key, "cgroup_basepath", "cgroup-basepath"))
		return take_text(value, &config->base, err);
	if (is_key(key, "frequency", "perf-sampling-interval"))
		return take_ms(value, &config->interval_ms, err);
	if (is_key(key, "cgroup-discovery-interval", NULL))
		return take_ms(value, &config->discovery_ms, err);
	if (is_key(key, "output", "storage"))
		return take_storage(config, value, err);
	if (is_key(key, "system", "global"))
		return take_groups(config, HWPC_SYSTEM, value, err);
	if (is_key(key, "container", "cgroups"))
		return take_groups(config, HWPC_CONTAINER, value, err);
	return err_set(err, EINVAL, "unknown key");
}

int hwpc_config_read(struct hwpc_config *config, const struct doc *doc,
		     struct err *err)
{
	if (need_object(doc, err) < 0)
		return -1;
	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *value;
		const char *key = doc_key_at(doc, i, &value);

		if (take_member(config, key, value, err) < 0)
			return err_wrap(err, "%.80s", key);
	}
	return 0;
}

/* ---- where it goes --------------------------------------------------------- */

static int missing(const char *storage, const char *what, struct err *err)
{
	return err_set(err, EINVAL, "storage %s: %s is missing", storage, what);
}

/* The database becomes the path.  What stood there named the one in which the
 * user is known (authSource), which is "admin" where nothing did. */
static void put_mongodb(const struct hwpc_config *config, struct text *uri)
{
	const char *host = strstr(config->uri, "://");
	size_t to_path, to_query;
	const char *query;

	host = host ? host + 3 : config->uri;
	to_path = (size_t)(host - config->uri) + strcspn(host, "/?");
	to_query = to_path + strcspn(config->uri + to_path, "?");
	query = config->uri[to_query] ? config->uri + to_query + 1 : "";
	if (host == config->uri)
		text_put(uri, "mongodb://");
	text_put_bytes(uri, config->uri, to_path);
	text_printf(uri, "/%s?", config->database);
	if (*query)
		text_printf(uri, "%s&", query);
	if (!strcasestr(query, "authSource=")) {
		if (to_query > to_path + 1)
			text_printf(uri, "authSource=%.*s&",
				    (int)(to_query - to_path - 1),
				    config->uri + to_path + 1);
		else if (memchr(config->uri, '@', to_path))
			text_put(uri, "authSource=admin&");
	}
	text_printf(uri, "collection=%s", config->collection);
}

int hwpc_config_sink(const struct hwpc_config *config, struct text *uri,
		     struct err *err)
{
	bool named = config->uri && *config->uri;

	switch (config->storage) {
	case HWPC_STORAGE_UNNAMED:
		if (config->uri || config->database || config->collection ||
		    config->port)
			return err_set(err, EINVAL,
				       "-U, -D, -C and -P belong to -r");
		return 0;
	case HWPC_STORAGE_NULL:
		text_put(uri, "null:");
		return 0;
	case HWPC_STORAGE_CSV:
		if (!named)
			return missing("csv", "the directory (-U)", err);
		text_printf(uri, "csv:%s", config->uri);
		return 0;
	case HWPC_STORAGE_SOCKET:
		if (!named)
			return missing("socket", "the host (-U)", err);
		if (!config->port || !*config->port)
			return missing("socket", "the port (-P)", err);
		/* A bare IPv6 address needs its brackets. */
		if (strchr(config->uri, ':') && config->uri[0] != '[')
			text_printf(uri, "tcp:[%s]:%s", config->uri,
				    config->port);
		else
			text_printf(uri, "tcp:%s:%s", config->uri,
				    config->port);
		return 0;
	case HWPC_STORAGE_MONGODB:
		if (!named)
			return missing("mongodb", "the URI (-U)", err);
		if (!config->database || !*config->database)
			return missing("mongodb", "the database (-D)", err);
		if (!config->collection || !*config->collection)
			return missing("mongodb", "the collection (-C)", err);
		put_mongodb(config, uri);
		return 0;
	}
	return 0;
}
