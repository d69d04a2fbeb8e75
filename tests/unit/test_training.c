/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/training.h"
#include "lib/mem.h"
#include "tests/unit/scratch.h"

struct school {
	struct dataset *set;
	struct net_spec spec;
	struct net *net;
	struct meter *meter;
	struct training *training;
};

static struct training_plan plan_of(size_t batch, size_t epochs, uint64_t seed)
{
	return (struct training_plan){ .batch = batch,
				       .epochs = epochs,
				       .sgd = { .rate = 0.1f },
				       .schedule = SGD_COSINE,
				       .seed = seed };
}

static struct school school_open(const struct training_plan *plan,
				 const char *meter)
{
	struct school s = { .set = dataset_open("synthetic:1003x8x3", 1,
						NULL) };
	struct rng rng = rng_stream(1, "weights", 0, 0);
	struct err err = { 0 };

	net_spec_parse("mlp:8-16-3", &s.spec, NULL);
	s.net = net_new(&s.spec, LOSS_CE, plan->batch, mat_open("auto", NULL),
			NULL);
	net_init(s.net, &rng);
	s.meter = meter_open(meter, &err);
	ck_assert_msg(s.meter != NULL, "%s", err.text);
	s.training = training_new(plan, s.net, s.set, s.meter);
	return s;
}

static void school_close(struct school *s)
{
	training_free(s->training);
	meter_close(s->meter);
	net_free(s->net);
	dataset_free(s->set);
}

START_TEST(training_gets_better_and_ends_after_its_epochs)
{
	struct training_plan plan = plan_of(16, 4, 1);
	struct school s = school_open(&plan, "null");
	struct training_epoch epoch, first;

	ck_assert_int_eq(training_next(s.training, &first, NULL), 1);
	for (size_t i = 2; i <= 4; i++) {
		ck_assert_int_eq(training_next(s.training, &epoch, NULL), 1);
		ck_assert_uint_eq(epoch.number, i);
	}
	ck_assert_int_eq(training_next(s.training, &epoch, NULL), 0);
	ck_assert_double_lt(epoch.train_loss, first.train_loss);
	ck_assert_double_gt(epoch.accuracy, 0.8);
	school_close(&s);
}
END_TEST

static void train_all(struct school *s)
{
	struct training_epoch epoch;

	while (training_next(s->training, &epoch, NULL) > 0)
		;
}

START_TEST(a_seed_decides_the_order_and_nothing_else_does)
{
	struct training_plan plan = plan_of(32, 2, 1),
			     other = plan_of(32, 2, 2);
	struct school a = school_open(&plan, "null");
	struct school b = school_open(&plan, "null");
	struct school c = school_open(&other, "null");
	size_t bytes = net_parameters(a.net) * sizeof(float);

	train_all(&a);
	train_all(&b);
	train_all(&c);
	ck_assert_mem_eq(net_weights(a.net), net_weights(b.net), bytes);
	ck_assert_mem_ne(net_weights(a.net), net_weights(c.net), bytes);
	school_close(&a);
	school_close(&b);
	school_close(&c);
}
END_TEST

START_TEST(the_rate_starts_as_asked_for_with_and_without_decay)
{
	struct training_plan plan = plan_of(1000, 1, 1);
	struct school a = school_open(&plan, "null"), b;

	plan.schedule = SGD_CONSTANT;
	b = school_open(&plan, "null");
	train_all(&a);
	train_all(&b);
	/* One batch: its rate is the starting one, with and without. */
	ck_assert_mem_eq(net_weights(a.net), net_weights(b.net),
			 net_parameters(a.net) * sizeof(float));
	school_close(&a);
	school_close(&b);
}
END_TEST

START_TEST(joules_are_those_of_the_passes)
{
	struct training_plan plan = plan_of(1, 1, 1);
	struct school s = school_open(&plan, "model:idle=10,cpu=0");
	struct training_epoch epoch;
	struct err err = { 0 };

	ck_assert_msg(training_next(s.training, &epoch, &err) == 1, "%s",
		      err.text);
	ck_assert_double_gt(epoch.seconds, 0.0);
	/* 10 W whatever the load; the readings lie just outside. */
	ck_assert_double_ge(epoch.energy.joules, 10.0 * epoch.seconds * 0.999);
	ck_assert_double_le(epoch.energy.joules, 10.0 * (epoch.seconds + 0.05));
	ck_assert_int_eq(epoch.energy.source, ENERGY_GENERIC);
	school_close(&s);
}
END_TEST

START_TEST(without_a_meter_there_are_no_joules)
{
	struct training_plan plan = plan_of(64, 1, 1);
	struct school s = school_open(&plan, "null");
	struct training_epoch epoch;

	ck_assert_int_eq(training_next(s.training, &epoch, NULL), 1);
	ck_assert(isnan(epoch.energy.joules));
	ck_assert_int_eq(epoch.energy.source, ENERGY_UNKNOWN);
	school_close(&s);
}
END_TEST

START_TEST(a_rate_that_is_too_high_is_reported)
{
	struct training_plan plan = plan_of(1, 3, 1);
	struct training_epoch epoch;
	struct err err = { 0 };
	struct school s;
	int got;

	plan.sgd.rate = 1e6f;
	s = school_open(&plan, "null");
	while ((got = training_next(s.training, &epoch, &err)) > 0)
		;
	ck_assert_int_eq(got, -1);
	ck_assert_ptr_nonnull(strstr(err.text, "smaller --rate"));
	school_close(&s);
}
END_TEST

/* ---- kept and gone on with ------------------------------------------------- */

static const struct {
	const char *model, *precision;
	struct sgd sgd;
} kept[] = {
	{ "mlp:8-20-24-3", "fp32", { .rate = 0.1f } },
	{ "mlp:8-20-24-3", "fp32", { .rate = 0.1f, .clip = 0.1f } },
	{ "mlp:8-20-24-3", "fp32", { .rate = 0.05f, .momentum = 0.9f } },
	{ "mlp:8-20-24-3",
	  "fp32",
	  { .rate = 0.05f,
	    .momentum = 0.9f,
	    .decay = 0.01f,
	    .method = SGD_NESTEROV } },
	{ "mlp:8-20-24-3",
	  "fp32",
	  { .rate = 0.01f,
	    .momentum = 0.9f,
	    .second = 0.99f,
	    .method = SGD_ADAM } },
	{ "mlp:8-20-24-3",
	  "fp32",
	  { .rate = 0.01f,
	    .momentum = 0.9f,
	    .second = 0.99f,
	    .decay = 0.1f,
	    .method = SGD_ADAMW } },
	{ "cnn:1x2x4,c20k3,drop20,d24,3", "fp32", { .rate = 0.05f } },
};
#define KEPT (int)(sizeof(kept) / sizeof(kept[0]))

struct keeper {
	struct school school;
	struct doc *run;
	size_t at_epoch;
	bool done;
};

/* In the middle of an epoch, once. */
static void keep(void *self, size_t epoch, double done, double loss)
{
	struct keeper *keeper = self;
	struct err err = { 0 };

	(void)done;
	(void)loss;
	if (epoch != keeper->at_epoch || keeper->done)
		return;
	if (training_position(keeper->school.training) < 300)
		return;
	keeper->done = true;
	ck_assert_msg(training_save(keeper->school.training, keeper->run,
				    "run.ckpt", true, &err) == 0,
		      "%s", err.text);
}

/* false: this processor has no such precision. */
static bool school_in(struct school *s, int i, const char *precision,
		      const struct training_plan *plan)
{
	struct rng rng = rng_stream(1, "weights", 0, 0);
	struct precision in;

	s->set = dataset_open("synthetic:1003x8x3", 1, NULL);
	ck_assert_int_eq(net_spec_parse(kept[i].model, &s->spec, NULL), 0);
	ck_assert_int_eq(precision_parse(precision, &in, NULL), 0);
	s->net = net_new_in(in, &s->spec, LOSS_CE, plan->batch,
			    mat_open("auto", NULL), NULL);
	s->meter = meter_open("null", NULL);
	if (s->net) {
		net_init(s->net, &rng);
		s->training = training_new(plan, s->net, s->set, s->meter);
	}
	return s->net != NULL;
}

static void check_resumed(struct school *whole, int i, const char *precision,
			  struct training_plan plan, const struct doc *run)
{
	struct school s = { .training = NULL };
	struct checkpoint *from = checkpoint_read("run.ckpt", NULL);
	const struct training_epoch *a, *b;
	struct err err = { 0 };
	size_t n, m;

	plan.progress = NULL;
	ck_assert_ptr_nonnull(from);
	ck_assert(school_in(&s, i, precision, &plan));
	ck_assert_msg(training_load(s.training, run, from, &err) == 0, "%s",
		      err.text);
	ck_assert(training_same_kernels(from));
	train_all(&s);
	ck_assert_mem_eq(net_weights(s.net), net_weights(whole->net),
			 net_parameters(s.net) * sizeof(float));
	a = training_curve(s.training, &n);
	b = training_curve(whole->training, &m);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(m, 3);
	for (size_t e = 0; e < 3; e++)
		ck_assert(a[e].train_loss == b[e].train_loss &&
			  a[e].loss == b[e].loss &&
			  a[e].accuracy == b[e].accuracy);
	checkpoint_free(from);
	school_close(&s);
}

START_TEST(a_kept_training_goes_on_with_the_same_bits)
{
	static const char *const precisions[] = { "fp32", "bf16", "int8",
						  "fp16" };
	struct doc *run = doc_new_object();

	for (int p = 0; p < 4; p++) {
		struct keeper keeper = { .run = run, .at_epoch = 2 };
		struct training_plan plan = plan_of(32, 3, 1);

		plan.sgd = kept[_i].sgd;
		plan.progress = keep;
		plan.self = &keeper;
		if (!school_in(&keeper.school, _i, precisions[p], &plan)) {
			school_close(&keeper.school);
			continue;
		}
		train_all(&keeper.school);
		ck_assert(keeper.done);
		check_resumed(&keeper.school, _i, precisions[p], plan, run);
		school_close(&keeper.school);
	}
	doc_free(run);
}
END_TEST

/* A file of another run, of other data, of no run: what is wrong with it. */
START_TEST(a_checkpoint_must_be_of_this_run)
{
	struct training_plan plan = plan_of(32, 3, 1);
	struct school s = school_open(&plan, "null");
	struct doc *run = doc_new_object();
	struct checkpoint *from;
	struct err err = { 0 };

	doc_set_int(run, "batch", 32);
	ck_assert_int_eq(training_save(s.training, run, "a", false, NULL), 0);
	from = checkpoint_read("a", NULL);
	doc_set_int(run, "batch", 64);
	ck_assert_int_eq(training_load(s.training, run, from, &err), -1);
	ck_assert_ptr_nonnull(
		strstr(err.text, "is of a run with batch 32, not 64"));
	doc_set_int(run, "batch", 32);
	s.set->train.x[5] += 1.0f;
	ck_assert_int_eq(training_load(s.training, run, from, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "is of other data"));
	s.set->train.x[5] -= 1.0f;
	doc_set_text(run, "model", "mlp:8-3");
	ck_assert_int_eq(training_load(s.training, run, from, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "with model none, not mlp:8-3"));
	checkpoint_free(from);
	doc_free(run);
	school_close(&s);
}
END_TEST

START_TEST(a_model_must_fit_its_data)
{
	struct dataset *set = dataset_open("synthetic:100x8x3", 1, NULL);
	struct net_spec spec;
	struct err err = { 0 };

	net_spec_parse("mlp:8-4-3", &spec, NULL);
	ck_assert_int_eq(training_fits(&spec, set, &err), 0);
	net_spec_parse("mlp:8-4-5", &spec, NULL);
	ck_assert_int_eq(training_fits(&spec, set, &err), 0);
	net_spec_parse("mlp:9-4-3", &spec, NULL);
	ck_assert_int_eq(training_fits(&spec, set, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "softmax:8-3"));
	net_spec_parse("mlp:8-4-2", &spec, NULL);
	ck_assert_int_eq(training_fits(&spec, set, &err), -1);
	dataset_free(set);
}
END_TEST

Suite *training_suite(void);
Suite *training_suite(void)
{
	Suite *suite = suite_create("training");
	TCase *tc = tcase_create("training");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, training_gets_better_and_ends_after_its_epochs);
	tcase_add_test(tc, a_seed_decides_the_order_and_nothing_else_does);
	tcase_add_test(tc, the_rate_starts_as_asked_for_with_and_without_decay);
	tcase_add_test(tc, joules_are_those_of_the_passes);
	tcase_add_test(tc, without_a_meter_there_are_no_joules);
	tcase_add_test(tc, a_rate_that_is_too_high_is_reported);
	tcase_add_test(tc, a_model_must_fit_its_data);
	suite_add_tcase(suite, tc);
	tc = tcase_create("kept");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, scratch_open, scratch_close);
	tcase_add_loop_test(tc, a_kept_training_goes_on_with_the_same_bits, 0,
			    KEPT);
	tcase_add_test(tc, a_checkpoint_must_be_of_this_run);
	suite_add_tcase(suite, tc);
	return suite;
}
