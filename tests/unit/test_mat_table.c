/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mat_kind.h"
#include "bench/mat_table.h"
#include "bench/mat_tune.h"

static struct mat_choice choice_of(size_t m, size_t n, size_t k, size_t library)
{
	return (struct mat_choice){
		.shape = { MAT_NO, MAT_YES, m, n, k },
		.library = library,
		.us = { 1.5, 2.0, (double)NAN },
	};
}

START_TEST(a_shape_is_found_among_many)
{
	struct mat_table *table = mat_table_new();

	for (size_t i = 1; i <= 1000; i++) {
		struct mat_choice choice = choice_of(i, 2 * i, 7, i % 3);

		mat_table_put(table, &choice);
		mat_table_put(table, &choice); /* the same once more */
	}
	ck_assert_uint_eq(mat_table_count(table), 1000);
	for (size_t i = 1; i <= 1000; i++) {
		struct mat_shape shape = choice_of(i, 2 * i, 7, 0).shape;

		ck_assert_uint_eq(mat_table_find(table, &shape)->library,
				  i % 3);
		shape.ta = MAT_YES;
		ck_assert_ptr_null(mat_table_find(table, &shape));
	}
	mat_table_free(table);
}
END_TEST

START_TEST(an_empty_table_lists_nothing)
{
	struct mat_table *table = mat_table_new();
	struct mat_shape shape = { MAT_NO, MAT_NO, 1, 1, 1 };
	char why[MAT_TABLE_WHY_MAX];

	ck_assert_ptr_null(mat_table_find(table, &shape));
	ck_assert(mat_table_is_here(table, why));
	mat_table_free(table);
}
END_TEST

START_TEST(a_table_comes_back_as_it_was)
{
	char one[DOC_DIGEST_MAX], other[DOC_DIGEST_MAX];
	struct mat_table *table = mat_table_new(), *again;
	struct mat_choice choice = choice_of(32, 256, 784, 1);
	struct err err = { 0 };
	struct doc *doc;

	mat_table_put(table, &choice);
	doc = mat_table_to_doc(table);
	again = mat_table_from_doc(doc, &err);
	ck_assert_msg(again != NULL, "%s", err.text);
	ck_assert_uint_eq(mat_table_at(again, 0)->library, 1);
	ck_assert_double_eq(mat_table_at(again, 0)->us[1], 2.0);
	ck_assert(isnan(mat_table_at(again, 0)->us[2]));
	ck_assert_str_eq(mat_table_digest(table, one),
			 mat_table_digest(again, other));
	choice.library = 0;
	mat_table_put(again, &choice);
	ck_assert_str_ne(one, mat_table_digest(again, other));
	doc_free(doc);
	mat_table_free(again);
	mat_table_free(table);
}
END_TEST

#define HEAD "{\"schema\": \"fedwatts.backends/1\", "
#define HERE HEAD "\"cpu\": \"x\", \"kernels\": \"y\", \"shapes\": ["
#define ONE \
	"{\"a\": \"plain\", \"b\": \"plain\", \"m\": 1, \"n\": 2, \"k\": 3, "
#define US "\"microseconds\": {}}"

static const struct {
	const char *text, *reason;
} bad[] = {
	{ "{\"schema\": \"fedwatts.energy-table/1\"}",
	  "bench tune writes one" },
	{ HEAD "\"kernels\": \"y\", \"shapes\": []}", "cpu" },
	{ HERE "7]}", "shapes[0]" },
	{ HERE ONE "\"library\": \"mkl\", " US "]}", "there are openblas" },
	{ HERE ONE "\"library\": \"plain\"}]}", "microseconds" },
	{ HERE ONE "\"library\": \"plain\", " US ", " ONE
		   "\"library\": \"onednn\", " US "]}",
	  "shapes[1]: is listed twice" },
	{ HERE "{\"a\": \"plain\", \"b\": \"odd\", \"m\": 1, \"n\": 2, "
	       "\"k\": 3, \"library\": \"plain\", " US "]}",
	  "plain or transposed" },
	{ HERE "{\"a\": \"plain\", \"b\": \"plain\", \"m\": 0, \"n\": 2, "
	       "\"k\": 3, \"library\": \"plain\", " US "]}",
	  "not in 1" },
};
#define BAD (int)(sizeof(bad) / sizeof(bad[0]))

START_TEST(a_bad_table_is_refused_with_a_reason)
{
	struct err err = { 0 };
	struct doc *doc = doc_parse(bad[_i].text, strlen(bad[_i].text), &err);

	ck_assert_msg(doc != NULL, "%s", err.text);
	ck_assert_ptr_null(mat_table_from_doc(doc, &err));
	ck_assert_msg(strstr(err.text, bad[_i].reason) != NULL, "%s", err.text);
	doc_free(doc);
}
END_TEST

START_TEST(a_table_of_another_machine_says_so)
{
	const char *text = HERE "]}";
	struct doc *doc = doc_parse(text, strlen(text), NULL);
	struct mat_table *table = mat_table_from_doc(doc, NULL);
	char why[MAT_TABLE_WHY_MAX];

	ck_assert(!mat_table_is_here(table, why));
	ck_assert(strstr(why, "on x, and this is "));
	mat_table_free(table);
	doc_free(doc);
}
END_TEST

START_TEST(what_is_listed_is_served_as_listed)
{
	const struct mat *by_rule = mat_open("auto", NULL);
	struct mat_table *table = mat_table_new();
	struct mat_choice choice = choice_of(8, 16, 4, 2);
	struct mat *mat = mat_new(NULL, table);

	mat_table_put(table, &choice);
	ck_assert_str_eq(mat_rule(mat, MAT_NO, MAT_YES, 8, 16, 4), "plain");
	ck_assert_str_eq(mat_rule(mat, MAT_NO, MAT_YES, 9, 16, 4),
			 mat_rule(by_rule, MAT_NO, MAT_YES, 9, 16, 4));
	mat_free(mat);
	mat_table_free(table);
}
END_TEST

START_TEST(a_step_asks_for_its_tiles)
{
	struct mat_table *table = mat_table_new();
	struct mat_cut cut = mat_cut(MAT_NO, 128, 256, 784);
	struct mat_shape shape = { MAT_NO, MAT_NO, cut.rows, 256, 784 };
	struct net_spec spec;
	struct err err = { 0 };

	net_spec_parse("mlp:784-256-10", &spec, NULL);
	ck_assert_int_eq(mat_tune_shapes(table, &spec, 128, &err), 0);
	ck_assert_uint_ge(mat_table_count(table), 5);
	ck_assert_ptr_nonnull(mat_table_find(table, &shape));
	mat_table_free(table);
}
END_TEST

START_TEST(a_library_that_serves_was_measured_and_repeats)
{
	struct mat_table *table = mat_table_new();
	struct net_spec spec;

	net_spec_parse("cnn:1x8x8,c4k3,p2,d20,3", &spec, NULL);
	ck_assert_int_eq(mat_tune_shapes(table, &spec, 4, NULL), 0);
	for (size_t i = 0; i < mat_table_count(table); i++) {
		const struct mat_choice *choice;

		mat_tune(table, i);
		choice = mat_table_at(table, i);
		ck_assert_double_gt(choice->us[choice->library], 0.0);
	}
	mat_table_free(table);
}
END_TEST

/* What the fixed rule takes, for the nets that are measured and trained. */
static const struct {
	const char *model;
	size_t batch;
} served[] = {
	{ "mlp:784-256-256-10", 1 },
	{ "mlp:784-256-256-10", 8 },
	{ "mlp:784-256-256-10", 32 },
	{ "mlp:784-256-256-10", 128 },
	{ "mlp:784-1024-1024-10", 64 },
	{ "cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10", 8 },
	{ "cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10", 128 },
	{ "rnn:30,e80x8,u64,80", 16 },
};
#define SERVED (int)(sizeof(served) / sizeof(served[0]))

START_TEST(who_serves_by_rule_repeats_its_bits)
{
	struct mat_table *table = mat_table_new();
	struct net_spec spec;

	ck_assert_int_eq(net_spec_parse(served[_i].model, &spec, NULL), 0);
	mat_tune_shapes(table, &spec, served[_i].batch, NULL);
	ck_assert_uint_gt(mat_table_count(table), 0);
	for (size_t i = 0; i < mat_table_count(table); i++) {
		const struct mat_choice *choice = mat_table_at(table, i);

		ck_assert_msg(mat_tune_repeats(choice->library, &choice->shape),
			      "%s: %zu x %zu x %zu",
			      mat_library(choice->library)->name,
			      choice->shape.m, choice->shape.n,
			      choice->shape.k);
	}
	mat_table_free(table);
}
END_TEST

Suite *mat_table_suite(void);
Suite *mat_table_suite(void)
{
	Suite *suite = suite_create("mat_table");
	TCase *tcase = tcase_create("mat_table");

	tcase_add_test(tcase, a_shape_is_found_among_many);
	tcase_add_test(tcase, an_empty_table_lists_nothing);
	tcase_add_test(tcase, a_table_comes_back_as_it_was);
	tcase_add_loop_test(tcase, a_bad_table_is_refused_with_a_reason, 0,
			    BAD);
	tcase_add_test(tcase, a_table_of_another_machine_says_so);
	tcase_add_test(tcase, what_is_listed_is_served_as_listed);
	tcase_add_test(tcase, a_step_asks_for_its_tiles);
	tcase_add_test(tcase, a_library_that_serves_was_measured_and_repeats);
	tcase_add_loop_test(tcase, who_serves_by_rule_repeats_its_bits, 0,
			    SERVED);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return suite;
}
