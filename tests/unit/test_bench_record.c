/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench_record.h"
#include "bench/probe.h"

static const char good[] =
	"{\"schema\":\"fedwatts.bench-record/1\",\"run\":\"0123456789abcdef\","
	"\"device\":\"laptop\",\"time_ms\":1783600000123,\"block\":2,"
	"\"position\":3,\"model\":\"mlp:784-32-10\",\"batch\":32,"
	"\"precision\":\"fp32\",\"loss\":\"ce\",\"optimizer\":\"sgd\","
	"\"threads\":1,\"instructions\":\"oneDNN 2.6.3 (AVX2)\","
	"\"parameters\":25450,\"steps\":9120,"
	"\"samples\":291840,\"seconds\":1.5,\"reference_s\":0.000125,"
	"\"references\":49,\"again\":true,\"energy_j\":12.25,"
	"\"energy_sigma_j\":0.125,\"energy_net_j\":8.5,"
	"\"energy_net_sigma_j\":0.25,\"idle_policy\":\"none\",\"source\":7,"
	"\"meter\":\"model\",\"meter_scale\":[0.5,2.0],\"loss_value\":0.625,"
	"\"flags\":[\"cold\",\"stolen\"]}";

static struct err err;

static struct doc *parsed(void)
{
	struct doc *doc = doc_parse(good, strlen(good), &err);

	ck_assert_msg(doc != NULL, "%s", err.text);
	return doc;
}

START_TEST(a_record_reads_back_as_it_was_written)
{
	struct doc *doc = parsed(), *again;
	struct bench_record record;
	char *text;

	ck_assert_int_eq(bench_record_read(doc, &record, &err), 0);
	ck_assert_uint_eq(record.steps, 9120);
	ck_assert_double_eq(record.energy.joules, 12.25);
	ck_assert_double_eq(record.net_j, 8.5);
	ck_assert_double_eq(record.reference_s, 0.000125);
	ck_assert_uint_eq(record.references, 49);
	ck_assert(record.again);
	ck_assert_double_eq(record.energy.scale_hi, 2.0);
	ck_assert_uint_eq(record.flags, PROBE_COLD | PROBE_STOLEN);
	again = bench_record_to_doc(&record);
	text = doc_to_text(again);
	ck_assert_str_eq(text, good);
	free(text);
	doc_free(again);
	doc_free(doc);
}
END_TEST

START_TEST(without_a_meter_there_are_no_energy_fields)
{
	struct doc *doc = parsed(), *again;
	struct bench_record record;

	ck_assert_int_eq(bench_record_read(doc, &record, &err), 0);
	record.has_energy = false;
	again = bench_record_to_doc(&record);
	ck_assert_ptr_null(doc_get(again, "energy_j"));
	ck_assert_ptr_null(doc_get(again, "source"));
	ck_assert_ptr_null(doc_get(again, "meter"));
	ck_assert_int_eq(bench_record_read(again, &record, &err), 0);
	ck_assert(!record.has_energy);
	doc_free(again);
	doc_free(doc);
}
END_TEST

START_TEST(a_loss_that_is_not_finite_is_absent)
{
	struct doc *doc = parsed(), *again;
	struct bench_record record;

	ck_assert_int_eq(bench_record_read(doc, &record, &err), 0);
	record.loss_value = (double)INFINITY;
	again = bench_record_to_doc(&record);
	ck_assert_ptr_null(doc_get(again, "loss_value"));
	ck_assert_int_eq(bench_record_read(again, &record, &err), 0);
	ck_assert(isnan(record.loss_value));
	doc_free(again);
	doc_free(doc);
}
END_TEST

START_TEST(a_flag_of_another_version_is_counted)
{
	struct doc *doc = parsed(), *flags = doc_new_array();
	struct bench_record record;

	doc_add_take(flags, doc_new_text("struck-by-lightning"));
	doc_set_take(doc, "flags", flags);
	ck_assert_int_eq(bench_record_read(doc, &record, &err), 0);
	ck_assert_uint_eq(record.flags, 0);
	ck_assert_uint_eq(record.other_flags, 1);
	doc_free(doc);
}
END_TEST

/* A member that is replaced (or taken away: NULL), and what is said. */
static const struct {
	const char *key, *value, *says;
} bad[] = {
	{ "schema", "\"fedwatts.round/1\"", "fedwatts.bench-record/1" },
	{ "run", NULL, "run: missing" },
	{ "run", "\"0123456789abcdef0\"", "run: must have" },
	{ "device", "\"\"", "device: must have" },
	{ "time_ms", "-1", "time_ms" },
	{ "block", "-1", "block" },
	{ "position", "1e9", "position" },
	{ "model", "\"mlp:784\"", "mlp:784" },
	{ "model", "7", "model" },
	{ "batch", "0", "batch" },
	{ "batch", "8.5", "batch" },
	{ "precision", "\"fp64\"", "precision" },
	{ "loss", "\"hing\"", "hing" },
	{ "optimizer", "\"rmsprop\"", "optimizer" },
	{ "threads", "0", "threads" },
	{ "steps", "0", "steps" },
	{ "seconds", "0", "seconds" },
	{ "seconds", "-1.5", "seconds" },
	{ "seconds", "\"1\"", "seconds" },
	{ "energy_j", "-1", "energy_j" },
	{ "energy_sigma_j", NULL, "energy_sigma_j: missing" },
	{ "energy_sigma_j", "-0.1", "energy_sigma_j" },
	{ "energy_net_sigma_j", NULL, "energy_net_sigma_j" },
	{ "source", "9", "source" },
	{ "meter", NULL, "meter: missing" },
	{ "meter_scale", "[2, 1]", "meter_scale" },
	{ "meter_scale", "[0, 1]", "meter_scale" },
	{ "meter_scale", "3", "meter_scale" },
	{ "flags", "\"cold\"", "flags" },
};

START_TEST(what_is_not_possible_is_refused_by_name)
{
	struct bench_record record = { .steps = 77 };
	struct doc *doc = parsed(), *value = NULL;

	if (bad[_i].value) {
		char object[128];

		snprintf(object, sizeof(object), "{\"v\":%s}", bad[_i].value);
		value = doc_parse(object, strlen(object), &err);
		ck_assert_msg(value != NULL, "%s", err.text);
	}
	doc_set_take(doc, bad[_i].key, doc_copy(doc_get(value, "v")));
	ck_assert_int_eq(bench_record_read(doc, &record, &err), -1);
	ck_assert_msg(strstr(err.text, bad[_i].says) != NULL,
		      "'%s' is not in '%s'", bad[_i].says, err.text);
	ck_assert_uint_eq(record.steps, 77);
	doc_free(value);
	doc_free(doc);
}
END_TEST

Suite *bench_record_suite(void);
Suite *bench_record_suite(void)
{
	Suite *suite = suite_create("bench_record");
	TCase *tcase = tcase_create("document");

	tcase_add_test(tcase, a_record_reads_back_as_it_was_written);
	tcase_add_test(tcase, without_a_meter_there_are_no_energy_fields);
	tcase_add_test(tcase, a_loss_that_is_not_finite_is_absent);
	tcase_add_test(tcase, a_flag_of_another_version_is_counted);
	tcase_add_loop_test(tcase, what_is_not_possible_is_refused_by_name, 0,
			    sizeof(bad) / sizeof(*bad));
	suite_add_tcase(suite, tcase);
	return suite;
}
