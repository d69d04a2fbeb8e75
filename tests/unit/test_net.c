/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loss_kind.h"
#include "bench/net.h"
#include "lib/mem.h"
#include "tests/unit/reference_net.h"

/* ---- a small problem ------------------------------------------------------- */

struct problem {
	struct net_spec spec;
	struct net *net;
	enum loss loss;
	float *x;
	int32_t *label;
	size_t batch;
};

static struct problem problem_new(const char *model, enum loss loss,
				  size_t batch)
{
	struct problem p = { .loss = loss, .batch = batch };
	struct rng rng = rng_stream(3, "problem", batch, loss);
	struct err err = { 0 };

	ck_assert_msg(net_spec_parse(model, &p.spec, &err) == 0, "%s",
		      err.text);
	p.net = net_new(&p.spec, loss, batch, mat_open("auto", NULL), &err);
	ck_assert_msg(p.net != NULL, "%s", err.text);
	net_init(p.net, &rng);
	p.x = xcalloc(batch * p.spec.width[0], sizeof(*p.x));
	p.label = xcalloc(batch, sizeof(*p.label));
	for (size_t i = 0; i < batch * p.spec.width[0]; i++)
		p.x[i] = (float)rng_normal(&rng);
	for (size_t i = 0; i < batch; i++)
		p.label[i] =
			(int32_t)rng_below(&rng, p.spec.width[p.spec.layers]);
	/* Biases that matter: not all zero. */
	for (size_t i = 0; i < net_parameters(p.net); i++)
		net_weights(p.net)[i] += 0.05f * (float)rng_normal(&rng);
	return p;
}

static void problem_done(struct problem *p)
{
	net_free(p->net);
	free(p->x);
	free(p->label);
}

static const struct {
	const char *model;
	enum loss loss;
	size_t batch;
} problems[] = {
	{ "softmax:7-3", LOSS_CE, 1 },   { "softmax:7-3", LOSS_MSE, 5 },
	{ "mlp:6-2", LOSS_CE, 4 },       { "mlp:5-8-4", LOSS_CE, 1 },
	{ "mlp:5-8-4", LOSS_CE, 7 },     { "mlp:5-8-4", LOSS_MSE, 7 },
	{ "mlp:9-17-16-5", LOSS_CE, 8 }, { "mlp:9-17-16-5", LOSS_MSE, 3 },
	{ "mlp:4-6-6-6-3", LOSS_CE, 6 }, { "mlp:4-1-3", LOSS_MSE, 9 },
};
#define PROBLEMS (int)(sizeof(problems) / sizeof(problems[0]))

static struct problem problem_at(int i)
{
	return problem_new(problems[i].model, problems[i].loss,
			   problems[i].batch);
}

/* ---- losses and gradients --------------------------------------------------- */

/* Every parameter; test_layer.c does the same for every layer and loss. */
START_TEST(loss_and_gradient_agree_with_double_precision)
{
	struct problem p = problem_at(_i);
	struct reference reference =
		reference_of(p.net, &p.spec, p.loss, p.x, p.label, p.batch);
	size_t n = net_parameters(p.net);
	float *g = xcalloc(n, sizeof(*g));
	double want = reference_loss(&reference), largest = 0.0;

	ck_assert_double_eq_tol(net_loss(p.net, p.x, p.label, p.batch), want,
				2e-6 * fmax(1.0, want));
	net_gradient(p.net, p.x, p.label, p.batch, g);
	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, fabs((double)g[i]));
	ck_assert_double_gt(largest, 1e-3);
	for (size_t i = 0; i < n; i++) {
		struct reference_slope slope = reference_slope(&reference, i);

		ck_assert(!slope.kink);
		ck_assert_double_eq_tol((double)g[i], slope.value,
					3e-6 * largest);
	}
	free(g);
	reference_done(&reference);
	problem_done(&p);
}
END_TEST

START_TEST(a_plain_step_goes_down_the_gradient)
{
	struct problem p = problem_at(_i);
	struct sgd sgd = { .rate = 0.1f };
	size_t n = net_parameters(p.net);
	float *g = xcalloc(n, sizeof(*g)), *w = xcalloc(n, sizeof(*w));
	double before, told;

	net_gradient(p.net, p.x, p.label, p.batch, g);
	memcpy(w, net_weights(p.net), n * sizeof(*w));
	before = net_loss(p.net, p.x, p.label, p.batch);
	told = net_step(p.net, p.x, p.label, p.batch, &sgd);
	ck_assert_double_eq_tol(told, before, 1e-6 * fmax(1.0, before));
	for (size_t i = 0; i < n; i++)
		ck_assert_double_eq_tol((double)net_weights(p.net)[i],
					(double)(w[i] - 0.1f * g[i]), 2e-6);
	free(g);
	free(w);
	problem_done(&p);
}
END_TEST

START_TEST(momentum_follows_its_recurrence)
{
	struct problem p = problem_at(_i);
	struct sgd sgd = { .rate = 0.05f, .momentum = 0.9f };
	size_t n = net_parameters(p.net);
	float *g = xcalloc(n, sizeof(*g)), *v = xcalloc(n, sizeof(*v));
	float *w = xcalloc(n, sizeof(*w));

	memcpy(w, net_weights(p.net), n * sizeof(*w));
	for (int step = 0; step < 3; step++) {
		net_gradient(p.net, p.x, p.label, p.batch, g);
		for (size_t i = 0; i < n; i++) {
			v[i] = 0.9f * v[i] + g[i];
			w[i] -= 0.05f * v[i];
		}
		net_step(p.net, p.x, p.label, p.batch, &sgd);
		for (size_t i = 0; i < n; i++)
			ck_assert_double_eq_tol((double)net_weights(p.net)[i],
						(double)w[i], 5e-6);
	}
	free(g);
	free(v);
	free(w);
	problem_done(&p);
}
END_TEST

START_TEST(a_reset_forgets_the_momentum)
{
	struct problem p = problem_new("mlp:5-8-4", LOSS_CE, 4);
	struct sgd sgd = { .rate = 0.05f, .momentum = 0.9f };
	size_t bytes = net_parameters(p.net) * sizeof(float);
	float *start = xmalloc(bytes), *once = xmalloc(bytes);

	memcpy(start, net_weights(p.net), bytes);
	net_step(p.net, p.x, p.label, p.batch, &sgd);
	memcpy(once, net_weights(p.net), bytes);
	memcpy(net_weights(p.net), start, bytes);
	net_step(p.net, p.x, p.label, p.batch, &sgd);
	ck_assert_mem_ne(net_weights(p.net), once, bytes);
	memcpy(net_weights(p.net), start, bytes);
	net_reset_momentum(p.net);
	net_step(p.net, p.x, p.label, p.batch, &sgd);
	ck_assert_mem_eq(net_weights(p.net), once, bytes);
	free(start);
	free(once);
	problem_done(&p);
}
END_TEST

START_TEST(huge_logits_do_not_overflow)
{
	float z[] = { 1e4f, -1e4f, 0.0f }, g[3];
	int32_t label[] = { 1 };
	double loss = loss_kind_ce.sum(z, label, 1, 3, g);

	ck_assert_double_eq_tol(loss, 2e4, 1e-6);
	ck_assert(g[0] == 1.0f && g[1] == -1.0f && g[2] == 0.0f);
	ck_assert_double_eq(loss_kind_ce.sum(z, label, 1, 3, NULL), loss);
}
END_TEST

START_TEST(mse_is_a_mean_over_batch_and_classes)
{
	float z[] = { 1.0f, 2.0f, 0.0f, 0.0f }, g[4];
	int32_t label[] = { 0, 1 };

	/* (0² + 2² + 0² + 1²) / 2, a sum over the batch. */
	ck_assert_double_eq_tol(loss_kind_mse.sum(z, label, 2, 2, g), 2.5,
				1e-12);
	ck_assert(g[0] == 0.0f && g[1] == 2.0f && g[2] == 0.0f &&
		  g[3] == -1.0f);
}
END_TEST

/* ---- learning ---------------------------------------------------------------- */

START_TEST(equal_seeds_give_equal_bits)
{
	struct sgd sgd = { .rate = 0.1f, .momentum = _i ? 0.9f : 0.0f };
	struct problem a = problem_new("mlp:20-64-10", LOSS_CE, 16);
	struct problem b = problem_new("mlp:20-64-10", LOSS_CE, 16);
	size_t bytes = net_parameters(a.net) * sizeof(float);

	for (int step = 0; step < 50; step++) {
		net_step(a.net, a.x, a.label, 16, &sgd);
		net_step(b.net, b.x, b.label, 16, &sgd);
	}
	ck_assert_mem_eq(net_weights(a.net), net_weights(b.net), bytes);
	problem_done(&a);
	problem_done(&b);
}
END_TEST

START_TEST(training_learns_its_batch_by_heart)
{
	struct problem p = problem_new("mlp:20-64-10", (enum loss)_i, 32);
	struct sgd sgd = { .rate = 0.1f, .momentum = 0.9f };
	double loss, accuracy, before = net_loss(p.net, p.x, p.label, 32);

	for (int step = 0; step < 500; step++)
		net_step(p.net, p.x, p.label, 32, &sgd);
	net_evaluate(p.net, p.x, p.label, 32, &loss, &accuracy);
	ck_assert_double_lt(loss, 0.05 * before);
	ck_assert_double_eq(accuracy, 1.0);
	problem_done(&p);
}
END_TEST

START_TEST(evaluation_in_chunks_is_evaluation_at_once)
{
	struct problem p = problem_new("mlp:6-9-4", LOSS_CE, 23);
	struct net *small =
		net_new(&p.spec, LOSS_CE, 5, mat_open("auto", NULL), NULL);
	double loss[2], accuracy[2];

	memcpy(net_weights(small), net_weights(p.net),
	       net_parameters(p.net) * sizeof(float));
	net_evaluate(p.net, p.x, p.label, 23, &loss[0], &accuracy[0]);
	net_evaluate(small, p.x, p.label, 23, &loss[1], &accuracy[1]);
	ck_assert_double_eq_tol(loss[0], loss[1], 1e-6);
	ck_assert_double_eq(accuracy[0], accuracy[1]);
	ck_assert_double_eq_tol(loss[0], net_loss(p.net, p.x, p.label, 23),
				1e-9);
	net_free(small);
	problem_done(&p);
}
END_TEST

START_TEST(weights_start_within_the_he_bound_and_biases_at_zero)
{
	struct net_spec spec;
	struct net *net;
	struct rng rng = rng_stream(1, "init", 0, 0);
	double bound = sqrt(6.0 / 50.0), square = 0.0;
	const float *w;

	net_spec_parse("softmax:50-40", &spec, NULL);
	net = net_new(&spec, LOSS_CE, 1, mat_open("auto", NULL), NULL);
	net_init(net, &rng);
	w = net_weights(net);
	for (size_t i = 0; i < 2000; i++) {
		ck_assert_double_le(fabs((double)w[i]), bound);
		square += (double)w[i] * (double)w[i] / 2000.0;
	}
	ck_assert_double_eq_tol(square, 2.0 / 50.0, 4e-3);
	for (size_t i = 2000; i < 2040; i++)
		ck_assert(w[i] == 0.0f);
	net_free(net);
}
END_TEST

/* ---- descriptions -------------------------------------------------------------- */

START_TEST(a_description_is_normalised)
{
	struct net_spec spec;

	ck_assert_int_eq(net_spec_parse("mlp:0784-256-010", &spec, NULL), 0);
	ck_assert_str_eq(spec.text, "mlp:784-256-10");
	ck_assert_uint_eq(spec.layers, 2);
	ck_assert_uint_eq(spec.width[0], 784);
	ck_assert_uint_eq(spec.width[2], 10);
	ck_assert_uint_eq(net_spec_parameters(&spec),
			  784 * 256 + 256 + 256 * 10 + 10);
}
END_TEST

static const struct {
	const char *text, *says;
} refused[] = {
	{ "", "unknown kind of net ''" },
	{ "784-10", "unknown kind" },
	{ "mpl:784-10", "did you mean mlp?" },
	{ "mlp", "expected a width" },
	{ "mlp:", "expected a width" },
	{ "mlp:784", "1 widths" },
	{ "mlp:784-", "expected a width" },
	{ "mlp:784--10", "expected a width" },
	{ "mlp:784-x-10", "expected a width" },
	{ "mlp:784-10x", "expected '-'" },
	{ "mlp:0-10", "not within" },
	{ "mlp:784-65537-10", "not within" },
	{ "mlp:99999999999999999999-10", "not within" },
	{ "mlp:65536-65536-10", "parameters" },
	{ "softmax:784-256-10", "softmax:784-10" },
	{ "mlp:1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1"
	  "-1-1-2",
	  "more than 32 layers" },
};

START_TEST(a_bad_description_is_refused_with_a_reason)
{
	struct net_spec spec = { .layers = 77 };
	struct err err = { 0 };

	ck_assert_int_eq(net_spec_parse(refused[_i].text, &spec, &err), -1);
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_msg(strstr(err.text, refused[_i].says) != NULL,
		      "'%s' says: %s", refused[_i].text, err.text);
	ck_assert_uint_eq(spec.layers, 77);
}
END_TEST

START_TEST(losses_go_by_their_names)
{
	enum loss loss;
	struct err err = { 0 };

	ck_assert_int_eq(loss_parse("mse", &loss, NULL), 0);
	ck_assert_int_eq(loss, LOSS_MSE);
	ck_assert_str_eq(loss_name(loss), "mse");
	ck_assert_str_eq(loss_name(LOSS_CE), "ce");
	ck_assert_int_eq(loss_parse("hings", &loss, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "there are ce, mse"));
}
END_TEST

START_TEST(activations_beyond_the_limit_are_refused)
{
	struct net_spec spec;
	struct err err = { 0 };

	net_spec_parse("mlp:8-65536-8", &spec, NULL);
	ck_assert_ptr_null(
		net_new(&spec, LOSS_CE, 1 << 20, mat_open("auto", NULL), &err));
	ck_assert_int_eq(err.code, EFBIG);
	ck_assert_ptr_nonnull(strstr(err.text, "smaller batch"));
}
END_TEST

/* ---- costs --------------------------------------------------------------------- */

START_TEST(cost_counts_every_product_once)
{
	struct net_spec spec;
	struct net_cost cost;
	double forward = 2.0 * 32 * (784.0 * 256 + 256.0 * 10);

	net_spec_parse("mlp:784-256-10", &spec, NULL);
	net_spec_cost(&spec, 32, LOSS_CE, false, &cost);
	ck_assert_double_eq(cost.operations_forward, forward);
	ck_assert_double_eq(cost.operations,
			    3.0 * forward - 2.0 * 32 * 784 * 256);
	ck_assert_double_eq(cost.layers, 5.0);
	ck_assert_double_eq(cost.elements, 3.0 * 32 * (256 + 10));
	ck_assert_double_eq(cost.exponentials, 320.0);
	ck_assert_double_eq(
		cost.bytes_forward,
		4.0 * (32.0 * (784 + 256 + 256 + 10) + 785 * 256 + 257 * 10));
}
END_TEST

/* By hand: 4 samples, 40 -> 20 -> 10; rows of x 160, of h 80, of z 40. */
START_TEST(narrow_operands_move_narrow_bytes)
{
	static const struct {
		enum precision_kind kind;
		double forward, step, kept;
	} row[] = {
		{ PRECISION_FP32, 4 * (160 + 820 + 80) + 4 * (80 + 210 + 40),
		  4 * (160 + 820 + 80) + 4 * (160 + 80 + 2 * 820) +
			  4 * (80 + 210 + 40) +
			  4 * (80 + 40 + 2 * 210 + 40 + 200 + 80) +
			  /* biases are no operand of dX */ 0,
		  4 * (80 + 40) },
		{ PRECISION_BF16,
		  8 * (160 + 800) + 4 * (20 + 80) + 8 * (80 + 200) +
			  4 * (10 + 40),
		  8 * (160 + 800) + 4 * (20 + 80) + 8 * 80 + 2 * 160 + 8 * 820 +
			  8 * (80 + 200) + 4 * (10 + 40) + 2 * 8 * 40 + 2 * 80 +
			  8 * 210 + 2 * 200 + 4 * 80,
		  4 * (80 + 40) + 2 * (160 + 80) },
		/* The last layer stays fp32. */
		{ PRECISION_INT8,
		  6 * (160 + 800) + 4 * (20 + 80) + 4 * (80 + 210 + 40),
		  6 * (160 + 800) + 4 * (20 + 80) + 6 * 80 + 160 + 8 * 820 +
			  4 * (80 + 210 + 40) +
			  4 * (80 + 40 + 2 * 210 + 40 + 200 + 80),
		  4 * (80 + 40) + 160 },
	};
	struct net_spec spec;
	struct net_cost cost;

	net_spec_parse("mlp:40-20-10", &spec, NULL);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct precision in = { .kind = row[i].kind };

		net_spec_cost_in(in, &spec, 4, LOSS_CE, false, &cost);
		ck_assert_double_eq(cost.bytes_forward, row[i].forward);
		ck_assert_double_eq(cost.bytes, row[i].step);
		ck_assert_double_eq(cost.activation_bytes, row[i].kept);
	}
}
END_TEST

START_TEST(layers_add_up_to_the_step)
{
	struct net_spec spec;
	struct net_cost step, momentum;
	double operations = 0.0, bytes = 0.0, parameters = 0.0;

	net_spec_parse("mlp:100-50-20-10", &spec, NULL);
	net_spec_cost(&spec, 8, LOSS_MSE, false, &step);
	net_spec_cost(&spec, 8, LOSS_MSE, true, &momentum);
	for (size_t l = 0; l < spec.layers; l++) {
		struct net_layer_cost layer;

		net_spec_layer_cost(&spec, l, 8, &layer);
		operations += layer.operations_step;
		bytes += layer.bytes_step;
		parameters += (double)layer.parameters;
	}
	ck_assert_double_eq(operations, step.operations);
	ck_assert_double_eq(bytes, step.bytes);
	ck_assert_double_eq(parameters, (double)net_spec_parameters(&spec));
	ck_assert_double_eq(momentum.bytes, bytes + 12.0 * parameters);
	ck_assert_double_eq(step.exponentials, 0.0);
}
END_TEST

Suite *net_suite(void);
Suite *net_suite(void)
{
	Suite *suite = suite_create("net");
	TCase *tc = tcase_create("gradients");

	tcase_add_loop_test(tc, loss_and_gradient_agree_with_double_precision,
			    0, PROBLEMS);
	tcase_add_loop_test(tc, a_plain_step_goes_down_the_gradient, 0,
			    PROBLEMS);
	tcase_add_loop_test(tc, momentum_follows_its_recurrence, 0, PROBLEMS);
	tcase_add_test(tc, a_reset_forgets_the_momentum);
	tcase_add_test(tc, huge_logits_do_not_overflow);
	tcase_add_test(tc, mse_is_a_mean_over_batch_and_classes);
	suite_add_tcase(suite, tc);
	tc = tcase_create("learning");
	tcase_add_loop_test(tc, equal_seeds_give_equal_bits, 0, 2);
	tcase_add_loop_test(tc, training_learns_its_batch_by_heart, 0, 2);
	tcase_add_test(tc, evaluation_in_chunks_is_evaluation_at_once);
	tcase_add_test(tc,
		       weights_start_within_the_he_bound_and_biases_at_zero);
	suite_add_tcase(suite, tc);
	tc = tcase_create("descriptions");
	tcase_add_test(tc, a_description_is_normalised);
	tcase_add_loop_test(tc, a_bad_description_is_refused_with_a_reason, 0,
			    (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_test(tc, losses_go_by_their_names);
	tcase_add_test(tc, activations_beyond_the_limit_are_refused);
	tcase_add_test(tc, cost_counts_every_product_once);
	tcase_add_test(tc, narrow_operands_move_narrow_bytes);
	tcase_add_test(tc, layers_add_up_to_the_step);
	suite_add_tcase(suite, tc);
	return suite;
}
