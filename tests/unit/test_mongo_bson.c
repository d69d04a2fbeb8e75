/* SPDX-License-Identifier: BSD-3-Clause */
/* What we write is what libbson would have written. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <bson/bson.h>

#include "lib/mongo_bson.h"

#define TIME_MS INT64_C(1783600000123)

static struct layout *hwpc;
static struct text out;

static void add(struct layout *layout, enum column_type type, const char *group,
		const char *cpu, const char *event)
{
	layout_add(layout, type, group, "0", cpu, event, "groups", group, "0",
		   cpu, event, NULL);
}

static void setup(void)
{
	hwpc = layout_new("hwpc", LAYOUT_TABLES);
	add(hwpc, COLUMN_INT, "rapl", "0", "RAPL_ENERGY_PKG");
	add(hwpc, COLUMN_INT, "core", "0", "a.b$c");
	add(hwpc, COLUMN_INT, "core", "1", "INSTRUCTIONS");
	layout_end(hwpc);
	text_clear(&out);
}

static void teardown(void)
{
	layout_free(hwpc);
	text_done(&out);
}

static void put(const struct layout *layout, bool exact, const char *target,
		const union value *value, const char *metadata)
{
	struct mongo_template *template = mongo_template_new(layout, exact);
	struct row row = { target, layout, value, metadata };
	struct batch batch = { TIME_MS, "node", &row, 1 };

	mongo_put_row(template, &batch, &row, "id-1", &out);
	mongo_template_free(template);
}

static void same(const bson_t *want)
{
	char *ours, *theirs;
	bson_t got;

	ck_assert(bson_init_static(&got, (uint8_t *)out.data, out.length));
	ours = bson_as_canonical_extended_json(&got, NULL);
	theirs = bson_as_canonical_extended_json(want, NULL);
	ck_assert_ptr_nonnull(ours);
	ck_assert_str_eq(ours, theirs);
	ck_assert_uint_eq(out.length, want->len);
	ck_assert_mem_eq(out.data, bson_get_data(want), want->len);
	ck_assert_uint_eq(mongo_document_length(out.data, out.length),
			  out.length);
	bson_free(ours);
	bson_free(theirs);
}

/* libbson's own append calls, a number by a function. */
static void append_head(bson_t *bson, const char *target)
{
	BSON_APPEND_UTF8(bson, "_id", "id-1");
	BSON_APPEND_DATE_TIME(bson, "timestamp", TIME_MS);
	BSON_APPEND_UTF8(bson, "sensor", "node");
	BSON_APPEND_UTF8(bson, "target", target);
}

static void append_count(bson_t *bson, const char *key, uint64_t value,
			 bool exact)
{
	if (exact && value <= INT64_MAX)
		BSON_APPEND_INT64(bson, key, (int64_t)value);
	else
		BSON_APPEND_DOUBLE(bson, key, (double)value);
}

static void append_hwpc(bson_t *bson, const uint64_t value[3], bool exact)
{
	bson_t groups, rapl, core, package, cpu;

	BSON_APPEND_DOCUMENT_BEGIN(bson, "groups", &groups);
	BSON_APPEND_DOCUMENT_BEGIN(&groups, "rapl", &rapl);
	BSON_APPEND_DOCUMENT_BEGIN(&rapl, "0", &package);
	BSON_APPEND_DOCUMENT_BEGIN(&package, "0", &cpu);
	append_count(&cpu, "RAPL_ENERGY_PKG", value[0], exact);
	bson_append_document_end(&package, &cpu);
	bson_append_document_end(&rapl, &package);
	bson_append_document_end(&groups, &rapl);
	BSON_APPEND_DOCUMENT_BEGIN(&groups, "core", &core);
	BSON_APPEND_DOCUMENT_BEGIN(&core, "0", &package);
	BSON_APPEND_DOCUMENT_BEGIN(&package, "0", &cpu);
	append_count(&cpu, "a.b$c", value[1], exact);
	bson_append_document_end(&package, &cpu);
	BSON_APPEND_DOCUMENT_BEGIN(&package, "1", &cpu);
	append_count(&cpu, "INSTRUCTIONS", value[2], exact);
	bson_append_document_end(&package, &cpu);
	bson_append_document_end(&core, &package);
	bson_append_document_end(&groups, &core);
	bson_append_document_end(bson, &groups);
}

static const uint64_t counts[][3] = {
	{ 0, 1, 2 },
	{ UINT64_C(87599611904), UINT64_C(9007199254740993), 1 },
	{ INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX },
};

START_TEST(a_template_is_libbsons_document)
{
	for (int exact = 0; exact < 2; exact++) {
		union value value[3];
		bson_t want = BSON_INITIALIZER;

		for (int i = 0; i < 3; i++)
			value[i].integer = counts[_i][i];
		append_head(&want, "all");
		append_hwpc(&want, counts[_i], exact);
		text_clear(&out);
		put(hwpc, exact, "all", value, NULL);
		same(&want);
		bson_destroy(&want);
	}
}
END_TEST

START_TEST(metadata_is_a_document_and_kept_while_it_is_the_same)
{
	static const char *const metadata[] = {
		"{\"elapsed_ns\":1000123456,\"within\":\"x\"}",
		"{\"elapsed_ns\":1000123456,\"within\":\"x\"}",
		"{\"elapsed_ns\":7,\"ok\":true,\"list\":[1,2.5,null]}"
	};
	struct mongo_template *template = mongo_template_new(hwpc, true);
	union value value[3] = { { .integer = 1 } };
	const uint64_t zero[3] = { 1, 0, 0 };

	for (int i = 0; i < 3; i++) {
		struct row row = { "all", hwpc, value, metadata[i] };
		struct batch batch = { TIME_MS, "node", &row, 1 };
		bson_t want = BSON_INITIALIZER, members;
		bson_error_t error;

		append_head(&want, "all");
		append_hwpc(&want, zero, true);
		ck_assert(
			bson_init_from_json(&members, metadata[i], -1, &error));
		BSON_APPEND_DOCUMENT(&want, "metadata", &members);
		text_clear(&out);
		mongo_put_row(template, &batch, &row, "id-1", &out);
		same(&want);
		bson_destroy(&members);
		bson_destroy(&want);
	}
	mongo_template_free(template);
}
END_TEST

START_TEST(reals_and_texts_and_what_is_not_finite)
{
	struct layout *layout = layout_new("power", LAYOUT_TARGETS);
	union value value[] = { { .real = 12.5 },
				{ .real = (double)NAN },
				{ .text = "g\xc3\xbc" },
				{ .text = NULL } };
	bson_t want = BSON_INITIALIZER, deep;

	layout_add(layout, COLUMN_REAL, "P", NULL, NULL, "power", "power",
		   NULL);
	layout_add(layout, COLUMN_REAL, "P", NULL, NULL, "x", "x", NULL);
	layout_add(layout, COLUMN_TEXT, "P", NULL, NULL, "t", "o", "t", NULL);
	layout_add(layout, COLUMN_TEXT, "P", NULL, NULL, "n", "n", NULL);
	layout_end(layout);
	append_head(&want, "\xef\xbf\xbd/x");
	BSON_APPEND_DOUBLE(&want, "power", 12.5);
	BSON_APPEND_NULL(&want, "x");
	BSON_APPEND_DOCUMENT_BEGIN(&want, "o", &deep);
	BSON_APPEND_UTF8(&deep, "t", "g\xc3\xbc");
	bson_append_document_end(&want, &deep);
	BSON_APPEND_NULL(&want, "n");
	put(layout, false, "\xff/x", value, NULL);
	same(&want);
	bson_destroy(&want);
	layout_free(layout);
}
END_TEST

START_TEST(a_fixed_layout_may_have_a_nan_once)
{
	struct layout *layout = layout_new("power", LAYOUT_TARGETS);
	const double watts[] = { 1.5, (double)INFINITY, -2.5 };
	struct mongo_template *template;

	layout_add(layout, COLUMN_REAL, "P", NULL, NULL, "power", "power",
		   NULL);
	layout_end(layout);
	template = mongo_template_new(layout, false);
	for (int i = 0; i < 3; i++) {
		union value value = { .real = watts[i] };
		struct row row = { "all", layout, &value, NULL };
		struct batch batch = { TIME_MS, "node", &row, 1 };
		bson_t want = BSON_INITIALIZER;

		append_head(&want, "all");
		if (isfinite(watts[i]))
			BSON_APPEND_DOUBLE(&want, "power", watts[i]);
		else
			BSON_APPEND_NULL(&want, "power");
		text_clear(&out);
		mongo_put_row(template, &batch, &row, "id-1", &out);
		same(&want);
		bson_destroy(&want);
	}
	mongo_template_free(template);
	layout_free(layout);
}
END_TEST

static struct doc *parse(const char *json)
{
	struct err err = { 0 };
	struct doc *doc = doc_parse(json, strlen(json), &err);

	ck_assert_msg(doc != NULL, "%s", err.text);
	return doc;
}

/* The same report by way of a document. */
START_TEST(a_report_is_the_same_from_a_row_or_a_document)
{
	const uint64_t value[3] = { 87599611904, 5, 6 };
	struct doc *doc = parse(
		"{\"timestamp\":1783600000123,\"sensor\":\"node\",\"target\":"
		"\"all\",\"groups\":{\"rapl\":{\"0\":{\"0\":{"
		"\"RAPL_ENERGY_PKG\":87599611904}}},\"core\":{\"0\":{\"0\":{"
		"\"a.b$c\":5},\"1\":{\"INSTRUCTIONS\":6}}}}}");

	for (int exact = 0; exact < 2; exact++) {
		bson_t want = BSON_INITIALIZER;

		append_head(&want, "all");
		append_hwpc(&want, value, exact);
		text_clear(&out);
		ck_assert(mongo_is_report(doc));
		mongo_put_doc(doc, "id-1", exact, &out);
		same(&want);
		bson_destroy(&want);
	}
	doc_free(doc);
}
END_TEST

START_TEST(documents_of_ours_stay_as_they_are)
{
	static const char json[] =
		"{\"schema\":\"fedwatts.x/1\",\"timestamp\":5,\"sensor\":\"s\","
		"\"target\":\"t\",\"groups\":{\"n\":3},\"big\":4294967296,"
		"\"list\":[1,2.5,\"x\",[true,false]],\"o\":{}}";
	struct doc *doc = parse(json);
	bson_t want = BSON_INITIALIZER, members;
	bson_error_t error;

	ck_assert(bson_init_from_json(&members, json, -1, &error));
	BSON_APPEND_UTF8(&want, "_id", "id-1");
	ck_assert(bson_concat(&want, &members));
	ck_assert(!mongo_is_report(doc));
	mongo_put_doc(doc, "id-1", false, &out);
	same(&want);
	bson_destroy(&members);
	bson_destroy(&want);
	doc_free(doc);
}
END_TEST

START_TEST(an_id_of_its_own_stays)
{
	struct doc *doc = parse("{\"a\":1,\"_id\":\"mine\"}");
	bson_t want = BSON_INITIALIZER;

	BSON_APPEND_UTF8(&want, "_id", "mine");
	BSON_APPEND_INT32(&want, "a", 1);
	mongo_put_doc(doc, "id-1", false, &out);
	same(&want);
	bson_destroy(&want);
	doc_free(doc);
}
END_TEST

START_TEST(a_stamp_is_read_back)
{
	union value value[3] = { { .integer = 1 } };
	const char *sensor = NULL;
	int64_t time_ms = 0;

	put(hwpc, false, "all", value, NULL);
	mongo_document_stamp(out.data, out.length, &time_ms, &sensor);
	ck_assert_int_eq(time_ms, TIME_MS);
	ck_assert_str_eq(sensor, "node");
	/* Nothing is read beyond what there is. */
	for (size_t n = 0; n < out.length; n++) {
		ck_assert_uint_eq(mongo_document_length(out.data, n), 0);
		mongo_document_stamp(out.data, n, &time_ms, &sensor);
	}
}
END_TEST

Suite *mongo_bson_suite(void);

Suite *mongo_bson_suite(void)
{
	Suite *suite = suite_create("mongo_bson");
	TCase *tcase = tcase_create("mongo_bson");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_template_is_libbsons_document, 0,
			    (int)(sizeof(counts) / sizeof(counts[0])));
	tcase_add_test(tcase,
		       metadata_is_a_document_and_kept_while_it_is_the_same);
	tcase_add_test(tcase, reals_and_texts_and_what_is_not_finite);
	tcase_add_test(tcase, a_fixed_layout_may_have_a_nan_once);
	tcase_add_test(tcase, a_report_is_the_same_from_a_row_or_a_document);
	tcase_add_test(tcase, documents_of_ours_stay_as_they_are);
	tcase_add_test(tcase, an_id_of_its_own_stays);
	tcase_add_test(tcase, a_stamp_is_read_back);
	suite_add_tcase(suite, tcase);
	return suite;
}
