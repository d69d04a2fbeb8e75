/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fl/outcome.h"
#include "fl/run_config.h"
#include "fl/simulation.h"
#include "fl/trainer.h"
#include "lib/doc.h"
#include "lib/mem.h"
#include "lib/rng.h"
#include "lib/text.h"

Suite *simulation_suite(void);

/* 0.1 J ± 5 % and 1 ms a step of mlp:20-16-4 with batch 16. */
static const char table_text[] =
	"{\"schema\":\"fedwatts.energy-table/1\",\"device\":\"made-up\","
	"\"runs\":[],\"records\":5,\"flagged\":0,\"source\":7,"
	"\"meter\":\"model\",\"meter_scale\":[0.5,2.0],\"entries\":[{"
	"\"model\":\"mlp:20-16-4\",\"batch\":16,\"precision\":\"fp32\","
	"\"loss\":\"ce\",\"optimizer\":\"sgd\",\"threads\":1,\"n\":5,"
	"\"seconds_per_step\":{\"mean\":0.001,\"pi95\":[0.0009,0.0011]},"
	"\"joules_per_step\":{\"mean\":0.1,\"pi95\":[0.09,0.11]}}],"
	"\"domain\":{\"batch\":[16,16],\"parameters\":[404,404],"
	"\"layers\":[2,2],\"losses\":[\"ce\"]}}";

static char folder[] = "/tmp/fl-simulation-XXXXXX";
static char *table_path, *config_path;

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void files_make(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	table_path = xasprintf("%s/table.json", folder);
	config_path = xasprintf("%s/config.json", folder);
	write_file(table_path, table_text);
}

static void files_drop(void)
{
	unlink(table_path);
	unlink(config_path);
	rmdir(folder);
	free(table_path);
	free(config_path);
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

/* ---- a small world ------------------------------------------------------ */

struct world {
	struct run_config values;
	struct config config;
};

/* "KEY=VALUE" after the defaults of these tests; NULL ends. */
static void world_make(struct world *world, ...) __attribute__((sentinel));

static void world_make(struct world *world, ...)
{
	static const char *const usual[] = {
		"data=synthetic:2400x20x4",
		"model=mlp:20-16-4",
		"batch=16",
		"devices=8",
		"rounds=10",
		"local-steps=20",
		"rate=0.05",
		"budget=12J",
	};
	struct err err = { 0 };
	const char *pair;
	va_list list;

	world->values = (struct run_config){ 0 };
	config_init(&world->config, run_fields, &world->values);
	ck_assert_int_eq(config_set(&world->config, "table", table_path,
				    FIELD_FROM_FILE, "test", &err),
			 0);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		char *name = xstrndup(usual[i], strcspn(usual[i], "="));

		ck_assert_int_eq(config_set(&world->config, name,
					    strchr(usual[i], '=') + 1,
					    FIELD_FROM_FILE, "test", &err),
				 0);
		free(name);
	}
	va_start(list, world);
	while ((pair = va_arg(list, const char *)))
		ck_assert_msg(!config_set_pair(&world->config, pair, &err),
			      "%s", err.text);
	va_end(list);
}

static void world_done(struct world *world)
{
	config_done(&world->config);
	run_config_done(&world->values);
}

static struct simulation *begin(struct world *world, size_t threads)
{
	struct err err = { 0 };
	struct simulation *simulation =
		simulation_new(&world->config, threads, &err);

	ck_assert_msg(simulation != NULL, "%s", err.text);
	return simulation;
}

static bool step(struct simulation *simulation, struct round_result *round)
{
	struct err err = { 0 };
	int got = simulation_round(simulation, round, &err);

	ck_assert_msg(got >= 0, "%s", err.text);
	return got > 0;
}

static void put_line(struct text *out, struct doc *doc)
{
	char *line = doc_to_text(doc);

	text_put(out, line);
	text_put(out, "\n");
	free(line);
	doc_free(doc);
}

/* Every byte that a run writes. */
static char *all_bytes(struct world *world, size_t threads)
{
	struct simulation *simulation = begin(world, threads);
	struct round_result round;
	struct text out = TEXT_INIT;

	put_line(&out, doc_copy(simulation_header(simulation)));
	while (step(simulation, &round))
		put_line(&out, simulation_round_doc(simulation, &round));
	put_line(&out, simulation_summary(simulation));
	simulation_free(simulation);
	world_done(world);
	return text_take(&out);
}

static void refused(struct world *world, const char *says)
{
	struct err err = { 0 };
	struct round_result round;
	struct simulation *simulation = simulation_new(&world->config, 1, &err);
	int got = simulation ? 1 : -1;

	while (got > 0)
		got = simulation_round(simulation, &round, &err);
	ck_assert_int_lt(got, 0);
	ck_assert_msg(strstr(err.text, says), "'%s' does not say '%s'",
		      err.text, says);
	simulation_free(simulation);
	world_done(world);
}

/* ---- same seed, same bytes ---------------------------------------------- */

START_TEST(the_number_of_threads_changes_no_byte)
{
	static const char *const policies[] = { "policy=none",
						"policy=uniform" };
	struct world world;
	char *one;

	world_make(&world, policies[_i], "cohort=0.6", NULL);
	one = all_bytes(&world, 1);
	for (size_t threads = 2; threads <= 5; threads += 3) {
		char *many;

		world_make(&world, policies[_i], "cohort=0.6", NULL);
		many = all_bytes(&world, threads);
		ck_assert_str_eq(one, many);
		free(many);
	}
	free(one);
}
END_TEST

START_TEST(another_seed_is_another_run)
{
	struct world world;
	char *one, *other;

	world_make(&world, NULL);
	one = all_bytes(&world, 1);
	world_make(&world, "seed=2", NULL);
	other = all_bytes(&world, 1);
	ck_assert_str_ne(one, other);
	free(one);
	free(other);
}
END_TEST

/* ---- joules -------------------------------------------------------------- */

static void check_replies(const struct round_result *round, double *left,
			  double *energy_j)
{
	double sum = 0.0, slowest = 0.0;
	size_t in = 0;

	ck_assert_uint_eq(round->replies, 8);
	for (size_t k = 0; k < 8; k++) {
		const struct reply *reply = &round->reply[k];

		ck_assert_uint_eq(reply->client, k);
		left[k] -= reply->work.joules;
		ck_assert_double_eq_tol(left[k], reply->left_j, 1e-9);
		ck_assert_double_ge(reply->left_j, 0.0);
		sum += reply->work.joules;
		in += reply->took_part;
		slowest = fmax(slowest, reply->work.seconds);
		if (reply->decision.skip != SKIP_NO)
			ck_assert_double_eq(reply->work.joules, 0.0);
	}
	*energy_j += sum;
	ck_assert_uint_eq(in, round->in);
	ck_assert_double_eq_tol(round->energy_j, sum, 1e-9);
	ck_assert_double_eq_tol(round->energy_total_j, *energy_j, 1e-9);
	ck_assert_double_ge(round->time_s, slowest - 1e-9);
}

START_TEST(books_balance_and_nobody_overspends)
{
	static const char *const policies[] = { "policy=none",
						"policy=uniform" };
	double left[8], energy_j = 0.0;
	struct round_result round;
	struct simulation *simulation;
	struct world world;
	size_t rounds = 0;

	world_make(&world, policies[_i], NULL);
	simulation = begin(&world, 2);
	for (size_t k = 0; k < 8; k++)
		left[k] = 12.0;
	while (step(simulation, &round)) {
		check_replies(&round, left, &energy_j);
		ck_assert_uint_eq(round.round, ++rounds);
	}
	ck_assert_uint_eq(rounds, 10);
	ck_assert_double_lt(energy_j, 8 * 12.0 + 1e-9);
	simulation_free(simulation);
	world_done(&world);
}
END_TEST

START_TEST(none_loses_devices_and_uniform_does_not)
{
	struct round_result round = { 0 };
	struct simulation *simulation;
	struct world world;

	world_make(&world, "policy=none", NULL);
	simulation = begin(&world, 1);
	while (step(simulation, &round))
		;
	ck_assert_uint_ge(round.skipped[SKIP_EMPTY], 3);
	ck_assert_uint_ge(simulation_outcome(simulation)->ran_dry, 3);
	simulation_free(simulation);
	world_done(&world);

	world_make(&world, "policy=uniform", NULL);
	simulation = begin(&world, 1);
	while (step(simulation, &round))
		ck_assert_uint_eq(round.in, 8);
	ck_assert_uint_eq(simulation_outcome(simulation)->ran_dry, 0);
	ck_assert_double_lt(round.left_share, 0.05);
	simulation_free(simulation);
	world_done(&world);
}
END_TEST

START_TEST(without_a_budget_everybody_trains_fully)
{
	struct simulation *simulation;
	struct round_result round;
	struct world world;

	world_make(&world, "budget=0", NULL);
	simulation = begin(&world, 1);
	while (step(simulation, &round)) {
		ck_assert_uint_eq(round.in, 8);
		ck_assert(isnan(round.left_share));
		for (size_t k = 0; k < 8; k++)
			ck_assert_uint_eq(round.reply[k].work.steps, 20);
	}
	simulation_free(simulation);
	world_done(&world);
}
END_TEST

START_TEST(a_share_of_a_full_run_is_a_budget)
{
	struct simulation *simulation;
	struct world world;

	/* 10 rounds × 20 steps × 0.1 J × 0.25 */
	world_make(&world, "budget=0", "budget-share=0.25", NULL);
	simulation = begin(&world, 1);
	for (size_t k = 0; k < 8; k++)
		ck_assert_double_eq_tol(
			simulation_fleet(simulation)->client[k].device.budget_j,
			5.0, 1e-9);
	simulation_free(simulation);
	world_done(&world);
}
END_TEST

/* ---- learning ------------------------------------------------------------ */

START_TEST(it_learns)
{
	struct round_result round = { 0 };
	struct simulation *simulation;
	double first = (double)NAN;
	struct world world;

	world_make(&world, "partition=iid", "rounds=20", "budget=0", NULL);
	simulation = begin(&world, 2);
	while (step(simulation, &round))
		if (round.round == 1)
			first = round.loss;
	ck_assert_double_gt(round.accuracy, 0.8);
	ck_assert_double_lt(round.loss, 0.7 * first);
	simulation_free(simulation);
	world_done(&world);
}
END_TEST

/* What two rounds of 20 steps at the same device would learn alone. */
static void train_alone(float *model, size_t parameters)
{
	struct dataset *set = dataset_open("synthetic:2400x20x4", 1, NULL);
	size_t *sample = xcalloc(set->train.samples, sizeof(*sample));
	struct rng rng = rng_stream(1, "model", 0, 0);
	struct sgd sgd = { .rate = 0.05f };
	struct step_config config;
	struct trainer *trainer;

	ck_assert_int_eq(step_config_set(&config, "mlp:20-16-4", 16, "fp32",
					 "ce", "sgd", 1, NULL),
			 0);
	trainer =
		trainer_new(&config, &set->train, mat_open("auto", NULL), NULL);
	for (size_t i = 0; i < set->train.samples; i++)
		sample[i] = i;
	net_init(trainer_net(trainer), &rng);
	for (size_t round = 0; round < 2; round++) {
		rng = rng_stream(1, "batches", 0, round);
		trainer_train(trainer, sample, set->train.samples, 20, 16, &sgd,
			      &rng);
	}
	memcpy(model, net_weights(trainer_net(trainer)),
	       parameters * sizeof(*model));
	trainer_free(trainer);
	free(sample);
	dataset_free(set);
}

START_TEST(one_device_is_plain_training)
{
	struct simulation *simulation;
	struct round_result round;
	float alone[404];
	struct world world;

	world_make(&world, "devices=1", "partition=iid", "budget=0", "rounds=2",
		   NULL);
	simulation = begin(&world, 1);
	while (step(simulation, &round))
		ck_assert_double_eq(round.reply[0].samples, 2160.0);
	train_alone(alone, 404);
	for (size_t i = 0; i < 404; i++)
		ck_assert_double_eq_tol(simulation_model(simulation)[i],
					(double)alone[i], 1e-6);
	simulation_free(simulation);
	world_done(&world);
}
END_TEST

START_TEST(a_cohort_is_a_share_of_the_devices)
{
	size_t asked[8] = { 0 }, together = 0;
	struct simulation *simulation;
	struct round_result round;
	struct world world;

	world_make(&world, "cohort=0.3", "budget=0", "rounds=40", NULL);
	simulation = begin(&world, 1);
	while (step(simulation, &round)) {
		/* ⌈0.3 · 8⌉ */
		ck_assert_uint_eq(round.in, 3);
		ck_assert_uint_eq(round.skipped[SKIP_NOT_ASKED], 5);
		for (size_t k = 0; k < 8; k++)
			asked[k] += round.reply[k].took_part;
		together +=
			round.reply[0].took_part && round.reply[1].took_part;
	}
	for (size_t k = 0; k < 8; k++)
		ck_assert_uint_ge(asked[k], 5);
	ck_assert_uint_lt(together, 20);
	simulation_free(simulation);
	world_done(&world);
}
END_TEST

/* ---- a list of devices ---------------------------------------------------- */

START_TEST(devices_may_be_listed)
{
	struct simulation *simulation;
	struct err err = { 0 };
	struct world world;
	const struct client *client;

	write_file(config_path,
		   "{ \"rounds\": 3, \"devices\": ["
		   "{ \"count\": 2, \"scale_joules\": 0.5 },"
		   "{ \"scale_seconds\": 3, \"budget\": \"7J\", \"table\": 1 }"
		   "] }");
	world_make(&world, NULL);
	ck_assert_msg(!run_config_read(&world.config, config_path, &err), "%s",
		      err.text);
	simulation = begin(&world, 1);
	client = simulation_fleet(simulation)->client;
	ck_assert_uint_eq(simulation_fleet(simulation)->clients, 3);
	ck_assert_double_eq(client[1].device.scale_joules, 0.5);
	ck_assert_double_eq(client[1].device.budget_j, 12.0);
	ck_assert_double_eq(client[2].device.scale_joules, 1.0);
	ck_assert_double_eq(client[2].device.scale_seconds, 3.0);
	ck_assert_double_eq(client[2].device.budget_j, 7.0);
	ck_assert_uint_eq(simulation_fleet(simulation)->training.rounds, 3);
	simulation_free(simulation);
	world_done(&world);
}
END_TEST

static void list_refused(const char *text, const char *says)
{
	struct err err = { 0 };
	struct world world;

	write_file(config_path, text);
	world_make(&world, NULL);
	ck_assert_int_lt(run_config_read(&world.config, config_path, &err), 0);
	ck_assert_msg(strstr(err.text, says), "'%s' does not say '%s'",
		      err.text, says);
	world_done(&world);
}

START_TEST(a_wrong_list_is_refused)
{
	struct world world;
	struct err err = { 0 };

	list_refused("{ \"devices\": [] }", "the list is empty");
	list_refused("{ \"devices\": [ { \"scale_joule\": 2 } ] }",
		     "did you mean 'scale_joules'");
	list_refused("{ \"devices\": [ { \"scale_joules\": -2 } ] }",
		     "devices[0]");
	list_refused("{ \"devices\": [ 3 ] }", "devices[0]");
	list_refused("{ \"devices\": [ { \"count\": 15000 }, "
		     "{ \"count\": 15000 } ] }",
		     "more than 20000");
	list_refused("{ \"round\": 3 }", "did you mean 'rounds'");

	write_file(config_path, "{ \"devices\": [ { \"table\": 2 } ] }");
	world_make(&world, NULL);
	ck_assert_int_eq(run_config_read(&world.config, config_path, &err), 0);
	refused(&world, "table 2 of 1");
}
END_TEST

/* ---- bad input ------------------------------------------------------------ */

START_TEST(what_cannot_run_is_refused)
{
	struct world world;

	world_make(&world, "model=mlp:20-99-4", NULL);
	refused(&world, "mlp:20-99-4");
	world_make(&world, "model=mlp:21-16-4", NULL);
	refused(&world, "does not fit data");
	world_make(&world, "precision=int8", NULL);
	refused(&world, "int8");
	world_make(&world, "policy=magic", NULL);
	refused(&world, "policy 'magic'");
	world_make(&world, "rule=magic", NULL);
	refused(&world, "rule 'magic'");
	world_make(&world, "partition=natural", NULL);
	refused(&world, "natural");
	world_make(&world, "devices=20000", NULL);
	refused(&world, "cannot share");
	world_make(&world, "targets=0.5,high", NULL);
	refused(&world, "'high' is not a number");
	world_make(&world, "local-steps-min=21", NULL);
	refused(&world, "local-steps-min 21");
	world_make(&world, "table=/nowhere/table.json", NULL);
	refused(&world, "/nowhere/table.json");
}
END_TEST

START_TEST(without_a_table_it_says_how_to_make_one)
{
	struct world world;

	world_make(&world, NULL);
	field_list_done(&world.values.table);
	refused(&world, "bench sweep");
}
END_TEST

START_TEST(a_model_that_diverges_ends_the_run)
{
	struct world world;

	world_make(&world, "rate=1000", NULL);
	refused(&world, "not finite any more");
}
END_TEST

/* ---- outcome --------------------------------------------------------------- */

START_TEST(jain_is_one_for_equals_and_one_nth_for_one)
{
	const double equal[] = { 3, 3, 3, 3 }, one[] = { 0, 7, 0, 0 };
	const double none[] = { 0, 0 }, two[] = { 1, 3 };

	ck_assert_double_eq_tol(outcome_jain(equal, 4), 1.0, 1e-12);
	ck_assert_double_eq_tol(outcome_jain(one, 4), 0.25, 1e-12);
	ck_assert_double_eq_tol(outcome_jain(none, 2), 1.0, 1e-12);
	ck_assert_double_eq_tol(outcome_jain(two, 2), 0.8, 1e-12);
}
END_TEST

START_TEST(targets_name_the_first_round_that_reached_them)
{
	static const double accuracy[] = { 0.4, 0.6, 0.5, 0.7, 0.65, 0.6 };
	struct field_list list = { NULL, 0 };
	struct outcome *outcome;

	field_list_add(&list, "0.5");
	field_list_add(&list, "0.65");
	field_list_add(&list, "0.9");
	outcome = outcome_new(1, &list, NULL);
	for (size_t t = 0; t < 6; t++) {
		struct round_result round = {
			.round = t + 1,
			.accuracy = accuracy[t],
			.energy_total_j = 10.0 * (double)(t + 1),
		};

		outcome_add(outcome, &round);
	}
	ck_assert_uint_eq(outcome->target[0].round, 2);
	ck_assert_double_eq(outcome->target[0].energy_total_j, 20.0);
	ck_assert_uint_eq(outcome->target[1].round, 4);
	ck_assert_uint_eq(outcome->target[2].round, 0);
	ck_assert_uint_eq(outcome->best.round, 4);
	ck_assert_double_eq(outcome->best.accuracy, 0.7);
	ck_assert_double_eq_tol(outcome_accuracy_last(outcome), 0.61, 1e-12);
	outcome_free(outcome);
	field_list_done(&list);
}
END_TEST

static void add_world_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, the_number_of_threads_changes_no_byte, 0, 2);
	tcase_add_test(tcase, another_seed_is_another_run);
	tcase_add_loop_test(tcase, books_balance_and_nobody_overspends, 0, 2);
	tcase_add_test(tcase, none_loses_devices_and_uniform_does_not);
	tcase_add_test(tcase, without_a_budget_everybody_trains_fully);
	tcase_add_test(tcase, a_share_of_a_full_run_is_a_budget);
	tcase_add_test(tcase, it_learns);
	tcase_add_test(tcase, one_device_is_plain_training);
	tcase_add_test(tcase, a_cohort_is_a_share_of_the_devices);
	tcase_add_test(tcase, devices_may_be_listed);
	tcase_add_test(tcase, a_wrong_list_is_refused);
	tcase_add_test(tcase, what_cannot_run_is_refused);
	tcase_add_test(tcase, without_a_table_it_says_how_to_make_one);
	tcase_add_test(tcase, a_model_that_diverges_ends_the_run);
}

Suite *simulation_suite(void)
{
	Suite *suite = suite_create("simulation");
	TCase *tcase = tcase_create("simulation");
	TCase *outcome = tcase_create("outcome");

	tcase_add_checked_fixture(tcase, files_make, files_drop);
	tcase_set_timeout(tcase, 120);
	add_world_tests(tcase);
	suite_add_tcase(suite, tcase);
	tcase_add_test(outcome, jain_is_one_for_equals_and_one_nth_for_one);
	tcase_add_test(outcome, targets_name_the_first_round_that_reached_them);
	suite_add_tcase(suite, outcome);
	return suite;
}
