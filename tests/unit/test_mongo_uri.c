/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mongo_triage.h"
#include "lib/mongo_uri.h"
#include "lib/place.h"

#define DEFAULTS                                               \
	"serverSelectionTimeoutMS=2000&connectTimeoutMS=2000&" \
	"socketTimeoutMS=5000&appName=fedwatts"

static struct err err;

static const struct {
	const char *rest, *text, *database, *collection, *shown;
} good[] = {
	{ "//h/d?collection=c", "mongodb://h/d?" DEFAULTS, "d", "c",
	  "//h/d, collection c" },
	{ "//u:p%40@h:1,i:2/d?replicaSet=r&collection=c&int64=1&w=2",
	  "mongodb://u:p%40@h:1,i:2/d?replicaSet=r&w=2&" DEFAULTS, "d", "c",
	  "//u:***@h:1,i:2/d, collection c" },
	{ "//h/d?SocketTimeoutMS=1&connectTimeoutMS=2&appname=x&"
	  "serverselectiontimeoutms=3&collection=a.b",
	  "mongodb://h/d?SocketTimeoutMS=1&connectTimeoutMS=2&appname=x&"
	  "serverselectiontimeoutms=3",
	  "d", "a.b", "//h/d, collection a.b" },
};

START_TEST(ours_are_taken_off_and_times_are_added)
{
	struct mongo_uri uri;

	ck_assert_msg(mongo_uri_read(&uri, good[_i].rest, &err) == 0, "%s",
		      err.text);
	ck_assert_str_eq(uri.text, good[_i].text);
	ck_assert_str_eq(uri.database, good[_i].database);
	ck_assert_str_eq(uri.collection, good[_i].collection);
	ck_assert_str_eq(uri.shown, good[_i].shown);
	mongo_uri_done(&uri);
}
END_TEST

START_TEST(parameters_have_units_and_defaults)
{
	struct mongo_uri uri;

	ck_assert_int_eq(mongo_uri_read(&uri, "//h/d?collection=c", &err), 0);
	ck_assert(!uri.int64 && !uri.consume && !uri.timeseries && !uri.spool);
	ck_assert_double_eq(uri.ttl_s, 0);
	ck_assert_double_eq(uri.spool_bytes, 1073741824.0);
	mongo_uri_done(&uri);
	ck_assert_int_eq(
		mongo_uri_read(
			&uri,
			"//h/d?collection=c&int64=1&ttl=2d&spool=/x&"
			"spool-size=1MiB&consume=1&follow=1&timeseries=1",
			&err),
		0);
	ck_assert(uri.int64 && uri.consume && uri.follow && uri.timeseries);
	ck_assert_double_eq(uri.ttl_s, 172800);
	ck_assert_double_eq(uri.spool_bytes, 1048576);
	ck_assert_str_eq(uri.spool, "/x");
	mongo_uri_done(&uri);
}
END_TEST

static const struct {
	const char *rest, *says;
} bad[] = {
	{ "", "host's name is missing" },
	{ "//", "host's name is missing" },
	{ "h/d?collection=c", "host's name is missing" },
	{ "//h?collection=c", "database's name is missing" },
	{ "//h/?collection=c", "database's name is missing" },
	{ "//h/d", "collection's name is missing" },
	{ "//h/d?collection=", "collection's name is missing" },
	{ "//h/d?collection=c&w=0", "w=0" },
	{ "//h/d?collection=c&int64=maybe", "int64" },
	{ "//h/d?collection=c&ttl=-1", "ttl" },
	{ "//h/d?collection=c&follow=1", "needs consume=1" },
};

START_TEST(a_bad_place_is_refused_in_a_sentence)
{
	struct mongo_uri uri;

	ck_assert_int_eq(mongo_uri_read(&uri, bad[_i].rest, &err), -1);
	ck_assert_msg(strstr(err.text, bad[_i].says) != NULL, "%s", err.text);
	mongo_uri_done(&uri);
}
END_TEST

static const struct {
	const char *uri, *shown;
} passwords[] = {
	{ "mongodb://user:secret@host/db", "mongodb://user:***@host/db" },
	{ "mongodb://user:se:c@ret@host/db", "mongodb://user:***@host/db" },
	{ "mongodb://user@host/db", "mongodb://user@host/db" },
	{ "mongodb://host:1/db?x=a:b@c", "mongodb://host:1/db?x=a:b@c" },
	{ "jsonl:a@b:c", "jsonl:a@b:c" },
	{ "-", "-" },
};

START_TEST(a_password_is_never_shown)
{
	char *shown = place_shown(passwords[_i].uri);

	ck_assert_str_eq(shown, passwords[_i].shown);
	free(shown);
}
END_TEST

static const struct {
	int code;
	const char *message;
	enum mongo_fate fate;
} codes[] = {
	{ 0, "", MONGO_STORED },
	{ 11000,
	  "E11000 duplicate key error collection: t.x index: _id_ dup key: { "
	  "_id: \"a\" }",
	  MONGO_STORED },
	{ 11000, "E11000 duplicate key error collection: t.x index: name_1",
	  MONGO_REFUSED },
	{ 11000, NULL, MONGO_REFUSED },
	{ 10107, "not primary", MONGO_AGAIN },
	{ 189, "stepped down", MONGO_AGAIN },
	{ 91, "shutting down", MONGO_AGAIN },
	{ 13, "not authorized", MONGO_AGAIN },
	{ 14031, "disk full", MONGO_AGAIN },
	{ 121, "Document failed validation", MONGO_REFUSED },
	{ 10334, "object too large", MONGO_REFUSED },
	{ 2, "bad value", MONGO_REFUSED },
	{ 52, "dollar in field name", MONGO_REFUSED },
	{ 999999, "never heard of", MONGO_REFUSED },
};

START_TEST(a_code_decides_a_documents_fate)
{
	ck_assert_int_eq(mongo_triage(codes[_i].code, codes[_i].message),
			 codes[_i].fate);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table[0])))

Suite *mongo_uri_suite(void);

Suite *mongo_uri_suite(void)
{
	Suite *suite = suite_create("mongo_uri");
	TCase *tcase = tcase_create("mongo_uri");

	tcase_add_loop_test(tcase, ours_are_taken_off_and_times_are_added, 0,
			    COUNT(good));
	tcase_add_test(tcase, parameters_have_units_and_defaults);
	tcase_add_loop_test(tcase, a_bad_place_is_refused_in_a_sentence, 0,
			    COUNT(bad));
	tcase_add_loop_test(tcase, a_password_is_never_shown, 0,
			    COUNT(passwords));
	tcase_add_loop_test(tcase, a_code_decides_a_documents_fate, 0,
			    COUNT(codes));
	suite_add_tcase(suite, tcase);
	return suite;
}
