/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/mongo_uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/mem.h"
#include "lib/place.h"

#define AT(member) offsetof(struct mongo_uri, member)

/* clang-format off */
static const struct field ours[] = {
	{ "collection", FIELD_TEXT, AT(collection), .help = NULL },
	{ "int64", FIELD_BOOL, AT(int64), .help = NULL },
	{ "ttl", FIELD_SECONDS, AT(ttl_s), .min = 0, .max = 2147483647.0 },
	{ "timeseries", FIELD_BOOL, AT(timeseries), .help = NULL },
	{ "spool", FIELD_TEXT, AT(spool), .help = NULL },
	{ "spool-size", FIELD_BYTES, AT(spool_bytes), .initial = "1GiB",
	  .min = 65536, .max = 1e15 },
	{ "consume", FIELD_BOOL, AT(consume), .help = NULL },
	{ "follow", FIELD_BOOL, AT(follow), .help = NULL },
	FIELD_END
};
/* clang-format on */

/* storage.md's: what libmongoc is told where the user says nothing. */
static const struct {
	const char *key, *value;
} defaults[] = {
	{ "serverSelectionTimeoutMS", "2000" },
	{ "connectTimeoutMS", "2000" },
	{ "socketTimeoutMS", "5000" },
	{ "appName", "fedwatts" },
};

#define DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))

static bool is_ours(const char *key, size_t length)
{
	for (const struct field *field = ours; field->name; field++)
		if (strlen(field->name) == length &&
		    !strncmp(field->name, key, length))
			return true;
	return false;
}

/* Ours into `mine`, libmongoc's into `theirs`, both as k=v&k=v. */
static int parameters_split(const char *query, struct text *mine,
			    struct text *theirs, bool given[DEFAULTS],
			    struct err *err)
{
	while (*query) {
		size_t length = strcspn(query, "&");
		size_t key = strcspn(query, "=&");
		struct text *out = is_ours(query, key) ? mine : theirs;

		if (key == 1 && length == 3 && !strncmp(query, "w=0", 3)) {
			err_set(err, EINVAL,
				"w=0 does not say what was stored");
			return err_remedy(err, "leave it out, or w=1");
		}
		for (size_t i = 0; i < DEFAULTS; i++)
			if (strlen(defaults[i].key) == key &&
			    !strncasecmp(defaults[i].key, query, key))
				given[i] = true;
		if (length > 0)
			text_printf(out, "%s%.*s", out->length ? "&" : "",
				    (int)length, query);
		query += length;
		query += *query == '&';
	}
	return 0;
}

/* "//user:password@host:1/power" → "power" */
static int database_take(struct mongo_uri *uri, const char *rest, size_t length,
			 struct err *err)
{
	const char *slash = NULL;

	if (strncmp(rest, "//", 2) != 0 || length < 3) {
		err_set(err, EINVAL, "a host's name is missing");
		goto how;
	}
	slash = memchr(rest + 2, '/', length - 2);
	if (!slash || slash + 1 == rest + length) {
		err_set(err, EINVAL, "the database's name is missing");
		goto how;
	}
	if (!uri->collection || !*uri->collection) {
		err_set(err, EINVAL, "the collection's name is missing");
		goto how;
	}
	if (uri->follow && !uri->consume)
		return err_set(err, EINVAL, "follow=1 needs consume=1");
	uri->database =
		xstrndup(slash + 1, (size_t)(rest + length - (slash + 1)));
	return 0;
how:
	return err_remedy(err,
			  "mongodb://HOST[:PORT]/DATABASE?collection=NAME");
}

int mongo_uri_read(struct mongo_uri *uri, const char *rest, struct err *err)
{
	size_t length = strcspn(rest, "?");
	struct text mine = TEXT_INIT, theirs = TEXT_INIT, text = TEXT_INIT;
	bool given[DEFAULTS] = { false };
	char *name = NULL, *shown;
	int failed;

	*uri = (struct mongo_uri){ 0 };
	failed = parameters_split(rest[length] ? rest + length + 1
					       : rest + length,
				  &mine, &theirs, given, err);
	if (!failed) {
		text_printf(&text, "?%s", mine.length ? mine.data : "");
		name = place_name(text.data, ours, uri, err);
		failed = name ? database_take(uri, rest, length, err) : -1;
	}
	if (failed)
		goto out;
	for (size_t i = 0; i < DEFAULTS; i++)
		if (!given[i])
			text_printf(&theirs, "%s%s=%s",
				    theirs.length ? "&" : "", defaults[i].key,
				    defaults[i].value);
	uri->text = xasprintf("mongodb:%.*s%s%s", (int)length, rest,
			      theirs.length ? "?" : "",
			      theirs.length ? theirs.data : "");
	shown = place_shown(rest);
	uri->shown = xasprintf("%.*s, collection %s", (int)strcspn(shown, "?"),
			       shown, uri->collection);
	free(shown);
out:
	if (failed)
		mongo_uri_done(uri);
	free(name);
	text_done(&mine);
	text_done(&theirs);
	text_done(&text);
	return failed;
}

void mongo_uri_done(struct mongo_uri *uri)
{
	free(uri->text);
	free(uri->shown);
	free(uri->database);
	free(uri->collection);
	free(uri->spool);
	*uri = (struct mongo_uri){ 0 };
}
