/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/mongo_client.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/mongo_triage.h"

static void library_init(void)
{
	/* What it has to say comes back as errors. */
	mongoc_log_set_handler(NULL, NULL);
	mongoc_init();
}

int mongo_client_error(const bson_error_t *what, struct err *err)
{
	bool server = what->domain == MONGOC_ERROR_SERVER ||
		      what->domain == MONGOC_ERROR_QUERY ||
		      what->domain == MONGOC_ERROR_COMMAND;

	if ((server && mongo_is_denial((int)what->code)) ||
	    (what->domain == MONGOC_ERROR_CLIENT &&
	     what->code == MONGOC_ERROR_CLIENT_AUTHENTICATE)) {
		err_set(err, EACCES, "does not let us in: %s", what->message);
		return err_remedy(err, "check user and password, authSource, "
				       "and that the role is readWrite");
	}
	return err_set(err, server ? EIO : EHOSTUNREACH, "%s", what->message);
}

static int say_hello(mongoc_client_t *client, const struct mongo_uri *uri,
		     struct err *err)
{
	bson_t *ping = BCON_NEW("ping", BCON_INT32(1));
	bson_error_t what;
	int failed = 0;

	if (!mongoc_client_command_simple(client, uri->database, ping, NULL,
					  NULL, &what))
		failed = mongo_client_error(&what, err);
	bson_destroy(ping);
	return failed;
}

int mongo_client_admitted(mongoc_client_t *client, const struct mongo_uri *uri,
			  struct err *err)
{
	mongoc_collection_t *collection = mongoc_client_get_collection(
		client, uri->database, uri->collection);
	bson_t *none = BCON_NEW("_id", BCON_UTF8(""));
	bson_t *one = BCON_NEW("limit", BCON_INT64(1));
	mongoc_cursor_t *cursor =
		mongoc_collection_find_with_opts(collection, none, one, NULL);
	const bson_t *found;
	bson_error_t what;
	struct err said = { 0 };

	(void)mongoc_cursor_next(cursor, &found);
	if (mongoc_cursor_error(cursor, &what))
		(void)mongo_client_error(&what, &said);
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(collection);
	bson_destroy(none);
	bson_destroy(one);
	if (said.code != EACCES)
		return 0;
	if (err)
		*err = said;
	return -1;
}

/* libmongoc passes over what it does not know; a typing error is to be told. */
static bool is_known(const char *key)
{
	static const char *const others[] = { "w",
					      "readconcernlevel",
					      "readpreference",
					      "readpreferencetags",
					      "authmechanism",
					      "authmechanismproperties",
					      "compressors" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcasecmp(key, others[i]))
			return true;
	return mongoc_uri_option_is_int32(key) ||
	       mongoc_uri_option_is_int64(key) ||
	       mongoc_uri_option_is_bool(key) || mongoc_uri_option_is_utf8(key);
}

static int parameters_check(const char *uri, struct err *err)
{
	const char *at = strchr(uri, '?');
	int failed = 0;

	while (at && *at && !failed) {
		size_t length = strcspn(++at, "=&");
		char *key = xstrndup(at, length);

		if (length > 0 && !is_known(key)) {
			err_set(err, EINVAL, "unknown parameter '%.60s'", key);
			failed =
				err_remedy(err, "ours: collection, int64, ttl, "
						"timeseries, spool, "
						"spool-size, consume, follow; "
						"and libmongoc's");
		}
		free(key);
		at += strcspn(at, "&");
	}
	return failed;
}

mongoc_client_t *mongo_client_open(const struct mongo_uri *uri, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	mongoc_client_t *client;
	mongoc_uri_t *parsed;
	bson_error_t what;

	pthread_once(&once, library_init);
	if (parameters_check(uri->text, err) < 0)
		return NULL;
	parsed = mongoc_uri_new_with_error(uri->text, &what);
	client = parsed ? mongoc_client_new_from_uri_with_error(parsed, &what)
			: NULL;
	if (parsed)
		mongoc_uri_destroy(parsed);
	if (!client) {
		err_set(err, EINVAL, "%s", what.message);
		return NULL;
	}
	mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
	if (say_hello(client, uri, err) < 0) {
		mongoc_client_destroy(client);
		return NULL;
	}
	return client;
}
