/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bench/layer_kind.h"
#include "bench/loss_kind.h"
#include "bench/net.h"
#include "lib/mem.h"
#include "tests/unit/reference_net.h"

/* A net of each kind of layer, and of each way it may be put together. */
static const char *const nets[] = {
	"softmax:7-3",
	"mlp:6-8-3",
	"cnn:1x6x6,c3k3,3",
	"cnn:2x5x6,c3k3s2,c4k3v,tanh,3",
	"cnn:3x5x5,c4k2v,none,p2,d5,3",
	"cnn:2x6x6,c4k3,p3s2,3",
	"cnn:2x7x6,c4k3,tanh,p2,c3k3,p2s1,3",
	"cnn:2x6x5,c4k3,a2,tanh,3",
	"cnn:1x6x6,c4k3,gn2,p2,3",
	"cnn:2x4x4,c6k3,gn3,tanh,flatten,d6,gn2,3",
	"cnn:1x4x4,c4k3,drop30,d9,drop50,3",
	"rnn:5,e4x3,u4,3",
	"rnn:4,e4x2,u3,u4,3",
	"rnn:3,e5x3,d6,tanh,3",
};
#define NETS  (int)(sizeof(nets) / sizeof(nets[0]))
#define BATCH 5

/* Of the largest gradient; and at most one kink in so many parameters. */
#define TOLERANCE 3e-6
#define KINKS_IN  100

struct problem {
	struct net_spec spec;
	struct net *net;
	float *x;
	int32_t label[BATCH];
};

static struct problem problem_in(const char *model, enum loss loss,
				 const char *precision, const char *library)
{
	struct rng rng = rng_stream(5, "layer", loss, 0);
	struct precision in;
	struct problem p;
	struct err err = { 0 };
	bool tokens = strncmp(model, "rnn", 3) == 0;
	size_t n;

	ck_assert_msg(net_spec_parse(model, &p.spec, &err) == 0, "%s",
		      err.text);
	ck_assert_int_eq(precision_parse(precision, &in, &err), 0);
	p.net = net_new_in(in, &p.spec, loss, BATCH, mat_open(library, NULL),
			   &err);
	ck_assert_msg(p.net != NULL, "%s", err.text);
	net_init(p.net, &rng);
	n = BATCH * p.spec.width[0];
	p.x = xcalloc(n, sizeof(*p.x));
	for (size_t i = 0; i < n; i++)
		p.x[i] = tokens ? (float)rng_below(&rng, 4)
				: (float)rng_normal(&rng);
	for (size_t i = 0; i < BATCH; i++)
		p.label[i] =
			(int32_t)rng_below(&rng, p.spec.width[p.spec.layers]);
	for (size_t i = 0; i < net_parameters(p.net); i++)
		net_weights(p.net)[i] += 0.05f * (float)rng_normal(&rng);
	return p;
}

static void problem_done(struct problem *p)
{
	net_free(p->net);
	free(p->x);
}

/* Every parameter, against differences of a loss in double: what is allowed is
 * the rounding of fp32, forward and back (2^-24 each time, some thousand
 * times).  A parameter is left out only where a kink was seen between w - h and
 * w + h, and there must be hardly any. */
static void check_gradient(struct problem *p, const char *model, enum loss loss)
{
	struct reference reference =
		reference_of(p->net, &p->spec, loss, p->x, p->label, BATCH);
	size_t n = net_parameters(p->net), kinks = 0;
	float *g = xcalloc(n, sizeof(*g));
	double value = net_gradient(p->net, p->x, p->label, BATCH, g);
	double want = reference_loss(&reference), largest = 1e-2;

	ck_assert_msg(fabs(value - want) <= 2e-6 * fmax(1.0, want),
		      "%s %s: %.9g, not %.9g", model, loss_name(loss), value,
		      want);
	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, fabs((double)g[i]));
	for (size_t i = 0; i < n; i++) {
		struct reference_slope slope = reference_slope(&reference, i);
		double off = fabs(slope.value - (double)g[i]);

		kinks += slope.kink;
		ck_assert_msg(slope.kink || off <= TOLERANCE * largest,
			      "%s %s: parameter %zu of %zu: %.9g, not %.9g",
			      model, loss_name(loss), i, n, (double)g[i],
			      slope.value);
	}
	ck_assert_msg(kinks * KINKS_IN <= n, "%s %s: %zu kinks in %zu", model,
		      loss_name(loss), kinks, n);
	free(g);
	reference_done(&reference);
}

START_TEST(every_layer_and_loss_agrees_with_finite_differences)
{
	for (int loss = 0; loss < LOSS_COX; loss++) {
		struct problem p =
			problem_in(nets[_i], (enum loss)loss, "fp32", "auto");

		check_gradient(&p, nets[_i], (enum loss)loss);
		problem_done(&p);
	}
}
END_TEST

START_TEST(losses_of_one_output_agree_with_finite_differences)
{
	enum loss loss = _i ? LOSS_COX : LOSS_LOGISTIC;
	struct problem p = problem_in("mlp:6-8-1", loss, "fp32", "auto");
	const int32_t times[] = { 3, ~4, 1, 3, ~0 },
		      classes[] = { 1, 0, 0, 1, 1 };

	memcpy(p.label, loss == LOSS_COX ? times : classes, sizeof(p.label));
	check_gradient(&p, "mlp:6-8-1", loss);
	problem_done(&p);
}
END_TEST

/* What leaves a parameter out of the check, and what does not. */
START_TEST(a_kink_is_seen_where_there_is_one)
{
	struct problem p = problem_in("mlp:6-8-3", LOSS_CE, "fp32", "auto");
	float *w = net_weights(p.net), *bias = w + 6 * 8;
	struct reference reference;
	double sum = 0.0;

	for (size_t i = 0; i < 6; i++)
		sum += (double)p.x[i] * (double)w[i * 8 + 2];
	bias[2] = (float)-sum; /* before its ReLU: 0, but for rounding */
	reference = reference_of(p.net, &p.spec, LOSS_CE, p.x, p.label, BATCH);
	ck_assert(reference_slope(&reference, 6 * 8 + 2).kink);
	ck_assert(reference_slope(&reference, 2).kink);
	ck_assert(!reference_slope(&reference, 6 * 8 + 3).kink);
	ck_assert(!reference_slope(&reference, 1).kink);
	reference_done(&reference);
	problem_done(&p);
}
END_TEST

/* The direct ways of a library against plain loops. */
START_TEST(libraries_agree_with_plain_loops)
{
	struct problem a = problem_in(nets[_i], LOSS_CE, "fp32", "auto");
	struct problem b = problem_in(nets[_i], LOSS_CE, "fp32", "plain");
	size_t n = net_parameters(a.net);
	float *ga = xcalloc(n, sizeof(*ga)), *gb = xcalloc(n, sizeof(*gb));
	double la = net_gradient(a.net, a.x, a.label, BATCH, ga);
	double lb = net_gradient(b.net, b.x, b.label, BATCH, gb);

	ck_assert_double_eq_tol(la, lb, 1e-5);
	for (size_t i = 0; i < n; i++)
		ck_assert_double_eq_tol((double)ga[i], (double)gb[i], 1e-5);
	free(ga);
	free(gb);
	problem_done(&a);
	problem_done(&b);
}
END_TEST

/* A smaller batch in a net for a larger one, and the same step again. */
START_TEST(bits_depend_on_nothing_but_the_step)
{
	struct problem p = problem_in(nets[_i], LOSS_CE, "fp32", "auto");
	size_t n = net_parameters(p.net);
	float *g[3];

	for (int i = 0; i < 3; i++) {
		g[i] = xcalloc(n, sizeof(float));
		net_gradient(p.net, p.x, p.label, BATCH - 2, g[i]);
		if (i == 0)
			net_loss(p.net, p.x, p.label, BATCH);
		if (i == 1)
			net_gradient(p.net, p.x, p.label, 1, g[i]);
	}
	ck_assert_mem_eq(g[0], g[2], n * sizeof(float));
	for (int i = 0; i < 3; i++)
		free(g[i]);
	problem_done(&p);
}
END_TEST

START_TEST(training_learns_its_batch_by_heart)
{
	struct problem p = problem_in(nets[_i], LOSS_CE, "fp32", "auto");
	struct sgd sgd = { .rate = 0.01f,
			   .momentum = 0.9f,
			   .second = 0.999f,
			   .method = SGD_ADAM };
	double before = net_loss(p.net, p.x, p.label, BATCH), loss, accuracy;

	for (int step = 0; step < 400; step++)
		net_step(p.net, p.x, p.label, BATCH, &sgd);
	net_evaluate(p.net, p.x, p.label, BATCH, &loss, &accuracy);
	ck_assert_msg(loss < 0.7 * before, "%s: %g of %g", nets[_i], loss,
		      before);
	problem_done(&p);
}
END_TEST

/* Nets at work side by side, each on a thread of its own. */
static void *train_aside(void *gradient)
{
	static const char *const precisions[] = { "fp32", "int8" };
	float *to = gradient;

	for (int i = 0; i < 2; i++) {
		struct problem p =
			problem_in("cnn:2x12x12,c20k3,p2,c24k3,d32,3", LOSS_CE,
				   precisions[i], "auto");
		struct sgd sgd = { .rate = 0.05f };

		for (int step = 0; step < 20; step++)
			net_step(p.net, p.x, p.label, BATCH, &sgd);
		net_gradient(p.net, p.x, p.label, BATCH, to);
		to += net_parameters(p.net);
		problem_done(&p);
	}
	return NULL;
}

START_TEST(threads_side_by_side_give_the_bits_of_one_alone)
{
	enum { THREADS = 3, ROOM = 100000 };
	float *g[THREADS];
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		g[i] = xcalloc(ROOM, sizeof(float));
	train_aside(g[0]);
	for (int i = 1; i < THREADS; i++)
		pthread_create(&thread[i], NULL, train_aside, g[i]);
	for (int i = 1; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		ck_assert_mem_eq(g[i], g[0], ROOM * sizeof(float));
	}
	for (int i = 0; i < THREADS; i++)
		free(g[i]);
}
END_TEST

START_TEST(dropout_drops_in_training_only)
{
	struct problem p =
		problem_in("cnn:1x4x4,drop50,3", LOSS_CE, "fp32", "auto");
	struct sgd still = { .rate = 0.0f };
	double first, second;

	ck_assert_double_eq(net_loss(p.net, p.x, p.label, BATCH),
			    net_loss(p.net, p.x, p.label, BATCH));
	first = net_step(p.net, p.x, p.label, BATCH, &still);
	second = net_step(p.net, p.x, p.label, BATCH, &still);
	ck_assert_double_ne(first, second);
	problem_done(&p);
}
END_TEST

/* ---- optimisers ------------------------------------------------------------- */

static void follow(const struct sgd *sgd, float *w, double *m, double *v,
		   const float *gradient, size_t n, int step)
{
	double b1 = (double)sgd->momentum, b2 = (double)sgd->second;
	double rate = (double)sgd->rate, decay = (double)sgd->decay, norm = 0.0;

	for (size_t i = 0; i < n; i++)
		norm += (double)gradient[i] * (double)gradient[i];
	norm = sqrt(norm);
	for (size_t i = 0; i < n; i++) {
		double g = (double)gradient[i], x = (double)w[i];

		if (sgd->clip > 0.0f && norm > (double)sgd->clip)
			g *= (double)sgd->clip / norm;
		if (sgd->method != SGD_ADAMW)
			g += decay * x;
		if (sgd->method >= SGD_ADAM) {
			m[i] = b1 * m[i] + (1.0 - b1) * g;
			v[i] = b2 * v[i] + (1.0 - b2) * g * g;
			if (sgd->method == SGD_ADAMW)
				x -= rate * decay * x;
			x -= rate * m[i] / (1.0 - pow(b1, step)) /
			     (sqrt(v[i] / (1.0 - pow(b2, step))) + 1e-8);
		} else {
			m[i] = b1 * m[i] + g;
			x -= rate * (sgd->method == SGD_NESTEROV ? g + b1 * m[i]
								 : m[i]);
		}
		w[i] = (float)x;
	}
}

static const struct sgd methods[] = {
	{ .rate = 0.1f },
	{ .rate = 0.1f, .decay = 0.1f },
	{ .rate = 0.1f, .clip = 0.05f },
	{ .rate = 0.1f, .momentum = 0.9f, .method = SGD_MOMENTUM },
	{ .rate = 0.1f, .momentum = 0.9f, .decay = 0.1f, .clip = 0.1f },
	{ .rate = 0.1f, .momentum = 0.9f, .method = SGD_NESTEROV },
	{ .rate = 0.01f,
	  .momentum = 0.9f,
	  .second = 0.99f,
	  .method = SGD_ADAM,
	  .decay = 0.1f },
	{ .rate = 0.01f,
	  .momentum = 0.9f,
	  .second = 0.99f,
	  .method = SGD_ADAMW,
	  .decay = 0.1f },
};

START_TEST(every_optimiser_follows_its_recurrence)
{
	const struct sgd *sgd = &methods[_i];
	struct problem p = problem_in("cnn:1x4x4,c4k3,gn2,d5,tanh,3", LOSS_CE,
				      "fp32", "auto");
	size_t n = net_parameters(p.net);
	float *g = xcalloc(n, sizeof(*g)), *w = xcalloc(n, sizeof(*w));
	double *m = xcalloc(n, sizeof(*m)), *v = xcalloc(n, sizeof(*v));

	memcpy(w, net_weights(p.net), n * sizeof(*w));
	for (int step = 1; step <= 4; step++) {
		net_gradient(p.net, p.x, p.label, BATCH, g);
		follow(sgd, w, m, v, g, n, step);
		net_step(p.net, p.x, p.label, BATCH, sgd);
		for (size_t i = 0; i < n; i++)
			ck_assert_double_eq_tol((double)net_weights(p.net)[i],
						(double)w[i], 2e-5);
		memcpy(net_weights(p.net), w, n * sizeof(*w));
	}
	free(g);
	free(w);
	free(m);
	free(v);
	problem_done(&p);
}
END_TEST

START_TEST(schedules_go_as_they_are_described)
{
	ck_assert_double_eq(sgd_schedule(SGD_CONSTANT, 0.0, 0.7), 1.0);
	ck_assert_double_eq(sgd_schedule(SGD_COSINE, 0.0, 0.0), 1.0);
	ck_assert_double_eq_tol(sgd_schedule(SGD_COSINE, 0.0, 0.5), 0.5, 1e-12);
	ck_assert_double_eq_tol(sgd_schedule(SGD_COSINE, 0.0, 1.0), 0.0, 1e-12);
	ck_assert_double_eq(sgd_schedule(SGD_COSINE, 0.2, 0.1), 0.5);
	ck_assert_double_eq(sgd_schedule(SGD_COSINE, 0.2, 0.2), 1.0);
	ck_assert_double_eq(sgd_schedule(SGD_STEP, 0.0, 0.4), 1.0);
	ck_assert_double_eq(sgd_schedule(SGD_STEP, 0.0, 0.6), 0.1);
	ck_assert_double_eq(sgd_schedule(SGD_STEP, 0.0, 0.9), 0.01);
}
END_TEST

/* ---- losses ------------------------------------------------------------------ */

START_TEST(losses_have_their_values)
{
	const float z[] = { 1.0f, 2.0f, 0.5f };
	const int32_t label[] = { 0 };
	double sum = exp(1.0) + exp(2.0) + exp(0.5);
	double p = exp(1.0) / sum, ce = -log(p);

	ck_assert_double_eq_tol(loss_kind_ce.sum(z, label, 1, 3, NULL), ce,
				1e-6);
	ck_assert_double_eq_tol(loss_kind_smooth.sum(z, label, 1, 3, NULL),
				0.9 * ce + 0.1 * (log(sum) - 3.5 / 3.0), 1e-6);
	ck_assert_double_eq_tol(loss_kind_focal.sum(z, label, 1, 3, NULL),
				(1.0 - p) * (1.0 - p) * ce, 1e-6);
	ck_assert_double_eq_tol(loss_kind_hinge.sum(z, label, 1, 3, NULL), 2.0,
				1e-6);
	ck_assert_double_eq_tol(
		loss_kind_logistic.sum(z, label, 1, 3, NULL),
		log1p(exp(-1.0)) + log1p(exp(2.0)) + log1p(exp(0.5)), 1e-6);
}
END_TEST

START_TEST(cox_counts_those_at_risk)
{
	const float z[] = { 0.0f, 1.0f, 0.5f };
	const int32_t label[] = { 2, 5, ~3 }; /* events at 2 and 5 */

	ck_assert_double_eq_tol(loss_kind_cox.sum(z, label, 3, 1, NULL),
				log(1.0 + exp(1.0) + exp(0.5)), 1e-6);
}
END_TEST

START_TEST(losses_refuse_outputs_they_cannot_use)
{
	struct err err = { 0 };

	ck_assert_int_eq(loss_fits(LOSS_CE, 1, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "two classes"));
	ck_assert_int_eq(loss_fits(LOSS_COX, 2, &err), -1);
	ck_assert_int_eq(loss_fits(LOSS_LOGISTIC, 1, &err), 0);
}
END_TEST

/* ---- descriptions ------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t parameters; /* as published */
} known[] = {
	{ "2nn", 199210 },
	{ "lenet5", 61706 },
	{ "femnist-cnn", 6603710 },
	{ "fedavg-mnist-cnn", 1663370 },
};

START_TEST(presets_have_the_published_numbers_of_parameters)
{
	struct net_spec spec;

	ck_assert_int_eq(net_spec_parse(known[_i].name, &spec, NULL), 0);
	ck_assert_uint_eq(net_spec_parameters(&spec), known[_i].parameters);
}
END_TEST

START_TEST(json_says_the_same_as_a_line)
{
	struct net_spec spec;
	struct err err = { 0 };
	const char *json =
		"{\"kind\": \"cnn\", \"input\": [3, 32, 32], \"layers\": ["
		"{\"conv2d\": 32, \"kernel\": 3, \"stride\": 2}, "
		"{\"group_norm\": 4}, {\"max_pool\": 2}, {\"conv2d\": 16, "
		"\"kernel\": 3, \"valid\": true}, \"tanh\", {\"dropout\": "
		"0.25}, {\"dense\": 64}, 10]}";

	ck_assert_msg(net_spec_parse(json, &spec, &err) == 0, "%s", err.text);
	ck_assert_str_eq(spec.text, "cnn:3x32x32,c32k3s2,gn4,p2,c16k3v,tanh,"
				    "drop25,d64,10");
	ck_assert_int_eq(
		net_spec_parse("{\"kind\": \"rnn\", \"input\": [9], "
			       "\"layers\": [{\"embedding\": [30, 4]}, "
			       "{\"gru\": 5}, 30]}",
			       &spec, &err),
		0);
	ck_assert_str_eq(spec.text, "rnn:9,e30x4,u5,30");
	ck_assert_int_eq(net_spec_parse("{\"kind\": \"mlp\", \"input\": [9], "
					"\"layers\": [8, 3]}",
					&spec, &err),
			 0);
	ck_assert_str_eq(spec.text, "mlp:9-8-3");
}
END_TEST

static const struct {
	const char *text, *says;
} refused[] = {
	{ "cnn:", "expected a number of channels" },
	{ "cnn:1x28", "CxHxW" },
	{ "cnn:1x28x28", "expected ','" },
	{ "cnn:1x28x28,", "expected a layer" },
	{ "cnn:1x28x28,c32,10", "expected k" },
	{ "cnn:1x28x28,c32k3q,10", "unexpected 'q'" },
	{ "cnn:1x4x4,c2k9v,10", "does not fit" },
	{ "cnn:1x4x4,p5,10", "does not fit" },
	{ "cnn:1x4x4,c6k3,gn4,10", "cannot be cut" },
	{ "cnn:1x4x4,drop100,10", "not within" },
	{ "cnn:1x4x4,tanh,10", "needs a layer" },
	{ "cnn:1x4x4,frob,10", "no layer" },
	{ "cnn:1x4x4,c3k3,c3k3", "expected a width" },
	{ "cnn:1x65536x65536,10", "more than" },
	{ "rnn:80,u5,3", "embedding" },
	{ "rnn:80,e80,u5,3", "expected x" },
	{ "rnn:80,e80x8,d5,u5,3x", "unexpected 'x'" },
	{ "cnn:2x4x4,u5,3", "needs a sequence" },
	{ "lenet", "did you mean lenet5?" },
	{ "{\"kind\": \"cnn\"}", "input" },
	{ "{\"kind\": \"cnn\", \"input\": [1, 8, 8], \"layers\": [{\"cnv\": "
	  "3}]}",
	  "unknown kind" },
};

START_TEST(a_bad_description_is_refused_with_a_reason)
{
	struct net_spec spec;
	struct err err = { 0 };

	ck_assert_int_eq(net_spec_parse(refused[_i].text, &spec, &err), -1);
	ck_assert_msg(strstr(err.text, refused[_i].says) != NULL,
		      "'%s' says: %s", refused[_i].text, err.text);
}
END_TEST

START_TEST(costs_add_up_and_are_positive)
{
	struct net_spec spec;
	struct net_cost cost;
	double operations = 0.0, parameters = 0.0, bytes = 0.0, kept = 0.0;
	struct precision in = { .kind = (enum precision_kind)(_i / NETS),
				.bits = 4 };

	net_spec_parse(nets[_i % NETS], &spec, NULL);
	net_spec_cost_in(in, &spec, 8, LOSS_CE, false, &cost);
	for (size_t l = 0; l < spec.layers; l++) {
		struct net_layer_cost layer;

		net_spec_layer_cost_in(in, &spec, l, 8, &layer);
		bytes += layer.bytes_step;
		kept += layer.activation_bytes;
		ck_assert(layer.name[0] != '\0');
		ck_assert_double_ge(layer.bytes_step, layer.bytes_forward);
		ck_assert_double_gt(layer.bytes_forward, 0.0);
		operations += layer.operations_step;
		parameters += (double)layer.parameters;
	}
	ck_assert_double_eq(operations, cost.operations);
	ck_assert_double_eq(bytes, cost.bytes);
	ck_assert_double_eq(kept, cost.activation_bytes);
	ck_assert_double_eq(parameters, (double)net_spec_parameters(&spec));
}
END_TEST

Suite *layer_suite(void);
Suite *layer_suite(void)
{
	Suite *suite = suite_create("layer");
	TCase *tc = tcase_create("gradients");

	tcase_add_loop_test(tc,
			    every_layer_and_loss_agrees_with_finite_differences,
			    0, NETS);
	tcase_add_loop_test(
		tc, losses_of_one_output_agree_with_finite_differences, 0, 2);
	tcase_add_test(tc, a_kink_is_seen_where_there_is_one);
	tcase_add_loop_test(tc, libraries_agree_with_plain_loops, 0, NETS);
	tcase_add_loop_test(tc, bits_depend_on_nothing_but_the_step, 0, NETS);
	tcase_add_loop_test(tc, training_learns_its_batch_by_heart, 0, NETS);
	tcase_add_test(tc, threads_side_by_side_give_the_bits_of_one_alone);
	tcase_add_test(tc, dropout_drops_in_training_only);
	suite_add_tcase(suite, tc);
	tc = tcase_create("optimisers");
	tcase_add_loop_test(tc, every_optimiser_follows_its_recurrence, 0,
			    (int)(sizeof(methods) / sizeof(methods[0])));
	tcase_add_test(tc, schedules_go_as_they_are_described);
	suite_add_tcase(suite, tc);
	tc = tcase_create("losses");
	tcase_add_test(tc, losses_have_their_values);
	tcase_add_test(tc, cox_counts_those_at_risk);
	tcase_add_test(tc, losses_refuse_outputs_they_cannot_use);
	suite_add_tcase(suite, tc);
	tc = tcase_create("descriptions");
	tcase_add_loop_test(tc,
			    presets_have_the_published_numbers_of_parameters, 0,
			    (int)(sizeof(known) / sizeof(known[0])));
	tcase_add_test(tc, json_says_the_same_as_a_line);
	tcase_add_loop_test(tc, a_bad_description_is_refused_with_a_reason, 0,
			    (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_loop_test(tc, costs_add_up_and_are_positive, 0,
			    NETS * PRECISION_KINDS);
	suite_add_tcase(suite, tc);
	return suite;
}
