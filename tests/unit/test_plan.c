/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plan.h"
#include "lib/mem.h"

static struct plan_settings settings;
static struct err err;

static void setup(void)
{
	settings = (struct plan_settings){ .window_s = -1,
					   .warmup_s = -1,
					   .idle_s = -1 };
	memset(&err, 0, sizeof(err));
}

static void teardown(void)
{
	field_list_done(&settings.models);
	field_list_done(&settings.batches);
	field_list_done(&settings.precisions);
	field_list_done(&settings.losses);
	field_list_done(&settings.optimizers);
}

static struct plan *made(uint64_t seed)
{
	struct plan *plan = plan_new(&settings, seed, &err);

	ck_assert_msg(plan != NULL, "%s", err.text);
	return plan;
}

static void refused(const char *why)
{
	ck_assert_ptr_null(plan_new(&settings, 1, &err));
	ck_assert_msg(strstr(err.text, why) != NULL, "'%s' is not in '%s'", why,
		      err.text);
}

START_TEST(a_comma_begins_a_model_only_before_a_kind)
{
	struct field_list models = { 0 };

	plan_split_models("mlp:784-32-10,cnn:1x28x28,c32k3,p2,d128,10,"
			  "softmax:4-2",
			  &models);
	ck_assert_uint_eq(models.count, 3);
	ck_assert_str_eq(models.item[0], "mlp:784-32-10");
	ck_assert_str_eq(models.item[1], "cnn:1x28x28,c32k3,p2,d128,10");
	ck_assert_str_eq(models.item[2], "softmax:4-2");
	field_list_done(&models);
}
END_TEST

START_TEST(the_quick_preset_has_24_configurations_for_two_minutes)
{
	struct plan *plan = made(1);

	ck_assert_uint_eq(plan->configs, 24);
	ck_assert_uint_eq(plan->blocks, 5);
	ck_assert_double_eq(plan->window_s, 1.0);
	ck_assert_double_ge(plan_seconds(plan), 120);
	ck_assert_double_le(plan_seconds(plan), 180);
	plan_free(plan);
}
END_TEST

START_TEST(every_preset_can_be_planned)
{
	for (settings.preset = 0; plan_presets[settings.preset];
	     settings.preset++)
		plan_free(made(1));
	ck_assert_int_eq(settings.preset, 3);
}
END_TEST

START_TEST(what_is_given_replaces_the_presets_list)
{
	struct plan *plan;

	field_list_add(&settings.models, "softmax:4-2,mlp:4-8-2");
	field_list_add(&settings.models, "mlp:4-16-2");
	field_list_add(&settings.batches, "3");
	field_list_add(&settings.losses, "mse");
	settings.repeats = 7;
	settings.window_s = 0.5;
	plan = made(1);
	ck_assert_uint_eq(plan->configs, 3);
	ck_assert_uint_eq(plan->blocks, 7);
	ck_assert_str_eq(plan->config[2].model.text, "mlp:4-16-2");
	ck_assert_uint_eq(plan->config[2].batch, 3);
	ck_assert_int_eq(plan->config[2].loss, LOSS_MSE);
	ck_assert_double_eq(plan->warmup_s, 0.05);
	ck_assert_double_eq(plan->idle_s, 0.5);
	plan_free(plan);
}
END_TEST

START_TEST(a_block_has_every_configuration_once)
{
	struct plan *plan = made(1);
	size_t *order = xcalloc(plan->configs, sizeof(*order));
	bool *seen = xcalloc(plan->configs, sizeof(*seen));

	plan_order(plan, 3, order);
	for (size_t i = 0; i < plan->configs; i++) {
		ck_assert_uint_lt(order[i], plan->configs);
		ck_assert(!seen[order[i]]);
		seen[order[i]] = true;
	}
	free(seen);
	free(order);
	plan_free(plan);
}
END_TEST

START_TEST(orders_follow_from_seed_and_block)
{
	struct plan *one = made(1), *two = made(2);
	size_t order[3][24];

	plan_order(one, 0, order[0]);
	plan_order(one, 0, order[1]);
	ck_assert_mem_eq(order[0], order[1], sizeof(order[0]));
	plan_order(one, 1, order[1]);
	ck_assert_mem_ne(order[0], order[1], sizeof(order[0]));
	plan_order(two, 0, order[2]);
	ck_assert_mem_ne(order[0], order[2], sizeof(order[0]));
	plan_free(one);
	plan_free(two);
}
END_TEST

static const char *digest(uint64_t seed, char out[static DOC_DIGEST_MAX])
{
	struct plan *plan = made(seed);
	struct doc *doc = plan_doc(plan);

	doc_digest(doc, out);
	doc_free(doc);
	plan_free(plan);
	return out;
}

START_TEST(the_digest_covers_all_but_the_number_of_blocks)
{
	char first[DOC_DIGEST_MAX], other[DOC_DIGEST_MAX];

	digest(1, first);
	settings.repeats = 99;
	ck_assert_str_eq(digest(1, other), first);
	ck_assert_str_ne(digest(2, other), first);
	settings.window_s = 2;
	ck_assert_str_ne(digest(1, other), first);
	settings.window_s = -1;
	field_list_add(&settings.losses, "ce");
	ck_assert_str_ne(digest(1, other), first);
}
END_TEST

START_TEST(an_unknown_precision_is_refused_with_those_there_are)
{
	field_list_add(&settings.precisions, "fp64");
	refused("there are fp32, bf16, int8");
}
END_TEST

START_TEST(an_unknown_optimizer_is_refused_with_those_there_are)
{
	field_list_add(&settings.optimizers, "rmsprop");
	refused("sgd, momentum, nesterov, adam");
}
END_TEST

START_TEST(batches_that_are_no_counts_are_refused)
{
	static const char *const bad[] = { "0",    "-8", "8.5",
					   "x",    "",   "99999999999999999999",
					   "65537" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		field_list_done(&settings.batches);
		field_list_add(&settings.batches, bad[i]);
		refused("batch");
	}
}
END_TEST

START_TEST(the_same_configuration_twice_is_refused)
{
	field_list_add(&settings.batches, "8");
	field_list_add(&settings.batches, "08");
	refused("twice");
}
END_TEST

START_TEST(a_plan_beyond_all_reason_is_refused)
{
	for (int i = 0; i < 2000; i++)
		field_list_add(&settings.batches, "8");
	refused("more than 10000");
}
END_TEST

START_TEST(a_window_of_no_time_is_refused)
{
	settings.window_s = 0;
	refused("window");
}
END_TEST

START_TEST(retries_are_half_of_the_repeats_unless_said)
{
	struct plan *plan;

	settings.repeats = 5;
	settings.retries = PLAN_RETRIES_AUTO;
	plan = made(1);
	ck_assert_uint_eq(plan->retries, 2);
	plan_free(plan);
	settings.retries = 7;
	plan = made(1);
	ck_assert_uint_eq(plan->retries, 7);
	plan_free(plan);
	settings.retries = 0;
	plan = made(1);
	ck_assert_uint_eq(plan->retries, 0);
	plan_free(plan);
}
END_TEST

Suite *plan_suite(void);
Suite *plan_suite(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = tcase_create("plan");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_comma_begins_a_model_only_before_a_kind);
	tcase_add_test(tcase,
		       the_quick_preset_has_24_configurations_for_two_minutes);
	tcase_add_test(tcase, every_preset_can_be_planned);
	tcase_add_test(tcase, what_is_given_replaces_the_presets_list);
	tcase_add_test(tcase, a_block_has_every_configuration_once);
	tcase_add_test(tcase, orders_follow_from_seed_and_block);
	tcase_add_test(tcase, the_digest_covers_all_but_the_number_of_blocks);
	tcase_add_test(tcase,
		       an_unknown_precision_is_refused_with_those_there_are);
	tcase_add_test(tcase,
		       an_unknown_optimizer_is_refused_with_those_there_are);
	tcase_add_test(tcase, batches_that_are_no_counts_are_refused);
	tcase_add_test(tcase, the_same_configuration_twice_is_refused);
	tcase_add_test(tcase, a_plan_beyond_all_reason_is_refused);
	tcase_add_test(tcase, a_window_of_no_time_is_refused);
	tcase_add_test(tcase, retries_are_half_of_the_repeats_unless_said);
	suite_add_tcase(suite, tcase);
	return suite;
}
