/* SPDX-License-Identifier: BSD-3-Clause */
/* One seed and one table of backends give the same bits, whatever the number
 * of threads. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/net.h"
#include "lib/mem.h"
#include "lib/pool.h"

static const struct {
	const char *model, *precision;
	size_t batch, steps;
} cases[] = {
	{ "mlp:784-256-256-10", "fp32", 1, 3 },
	{ "mlp:784-256-256-10", "fp32", 8, 3 },
	{ "mlp:784-256-256-10", "fp32", 32, 3 },
	{ "mlp:784-256-256-10", "fp32", 77, 3 },
	{ "mlp:784-256-256-10", "bf16", 32, 2 },
	{ "mlp:784-256-256-10", "int8", 32, 2 },
	{ "mlp:784-256-256-10", "fp16", 32, 2 },
	{ "mlp:784-256-256-10", "fake-int4", 32, 2 },
	/* Several tiles, several blocks, and rests of both. */
	{ "cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10", "fp32", 1, 2 },
	{ "cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10", "fp32", 21, 2 },
	{ "cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10", "bf16", 13, 2 },
	{ "cnn:1x28x28,c8k3,p2,c16k3,p2,d32,10", "int8", 13, 1 },
	{ "cnn:3x20x20,c16k5,tanh,a2,gn4,c32k3s2,drop20,10", "fp32", 40, 2 },
	{ "rnn:30,e80x8,u64,80", "fp32", 16, 1 },
};
#define CASES (int)(sizeof(cases) / sizeof(cases[0]))

struct trained {
	float *weights;
	size_t parameters;
	double loss;
};

static void samples(const struct net_spec *spec, size_t batch, float *x,
		    int32_t *label)
{
	struct rng rng = rng_stream(5, "threads", batch, 0);
	bool words = spec->layer[0].type == LAYER_EMBEDDING;

	for (size_t i = 0; i < batch * spec->width[0]; i++)
		x[i] = words ? (float)rng_below(&rng, spec->layer[0].vocabulary)
			     : (float)rng_normal(&rng);
	for (size_t i = 0; i < batch; i++)
		label[i] = (int32_t)rng_below(&rng, spec->width[spec->layers]);
}

/* `weights` is NULL where this processor lacks the precision. */
static struct trained train(int i, size_t threads)
{
	struct pool *pool = threads ? pool_new(threads) : NULL;
	struct rng rng = rng_stream(1, "weights", 0, 0);
	struct sgd sgd = { .rate = 0.05f };
	struct mat *mat = mat_new(pool, NULL);
	struct trained made = { 0 };
	struct precision precision;
	struct net_spec spec;
	struct net *net;
	int32_t *label;
	float *x;

	precision_parse(cases[i].precision, &precision, NULL);
	ck_assert_int_eq(net_spec_parse(cases[i].model, &spec, NULL), 0);
	net = net_new_in(precision, &spec, LOSS_CE, cases[i].batch, mat, NULL);
	x = xcalloc_aligned(cases[i].batch * spec.width[0], sizeof(*x));
	label = xcalloc(cases[i].batch, sizeof(*label));
	samples(&spec, cases[i].batch, x, label);
	if (net) {
		net_init(net, &rng);
		for (size_t s = 0; s < cases[i].steps; s++)
			made.loss =
				net_step(net, x, label, cases[i].batch, &sgd);
		made.parameters = net_parameters(net);
		made.weights = xcalloc(made.parameters, sizeof(float));
		memcpy(made.weights, net_weights(net),
		       made.parameters * sizeof(float));
	}
	net_free(net);
	mat_free(mat);
	pool_free(pool);
	free(x);
	free(label);
	return made;
}

START_TEST(threads_do_not_change_a_bit)
{
	struct trained alone = train(_i, 0);

	for (size_t threads = 1; alone.weights && threads <= 3; threads++) {
		struct trained many = train(_i, threads);

		ck_assert(memcmp(alone.weights, many.weights,
				 alone.parameters * sizeof(float)) == 0);
		ck_assert_double_eq(alone.loss, many.loss);
		free(many.weights);
	}
	free(alone.weights);
}
END_TEST

static float *gradient(const char *model, const struct mat *mat, size_t batch,
		       size_t *parameters)
{
	struct rng rng = rng_stream(1, "weights", 0, 0);
	struct net_spec spec;
	int32_t *label = xcalloc(batch, sizeof(*label));
	struct net *net;
	float *x, *made;

	ck_assert_int_eq(net_spec_parse(model, &spec, NULL), 0);
	net = net_new(&spec, LOSS_CE, batch, mat, NULL);
	x = xcalloc_aligned(batch * spec.width[0], sizeof(*x));
	samples(&spec, batch, x, label);
	net_init(net, &rng);
	*parameters = net_parameters(net);
	made = xcalloc_aligned(*parameters, sizeof(*made));
	net_gradient(net, x, label, batch, made);
	net_free(net);
	free(x);
	free(label);
	return made;
}

static const char *const large[] = {
	"mlp:784-256-256-10",
	"cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10",
	"cnn:3x20x20,c16k5,tanh,a2,gn4,c32k3s2,10",
	"cnn:3x9x9,p2,c16k3,a2s1,10",
};
#define LARGE (int)(sizeof(large) / sizeof(large[0]))

/* Plain loops over the whole batch on one side, tiles and blocks by two threads
 * on the other. */
START_TEST(tiles_and_blocks_add_up_to_the_gradient)
{
	struct pool *pool = pool_new(2);
	struct mat *mat = mat_new(pool, NULL);
	double square = 0.0, off = 0.0;
	size_t n;
	float *whole = gradient(large[_i], mat_open("openblas", NULL), 37, &n);
	float *tiled = gradient(large[_i], mat, 37, &n);

	for (size_t i = 0; i < n; i++) {
		square += (double)whole[i] * (double)whole[i];
		off = fmax(off, fabs((double)whole[i] - (double)tiled[i]));
	}
	ck_assert_double_gt(square, 0.0);
	ck_assert_double_lt(off, 1e-5 * sqrt(square));
	free(whole);
	free(tiled);
	mat_free(mat);
	pool_free(pool);
}
END_TEST

/* A smaller batch than the largest, after it and before it. */
START_TEST(any_batch_size_may_come_next)
{
	static const size_t batch[] = { 20, 3, 20, 1, 7, 11, 13, 17, 20, 2 };
	struct rng rng = rng_stream(1, "weights", 0, 0);
	struct pool *pool = pool_new(2);
	struct mat *mat = mat_new(pool, NULL);
	struct sgd sgd = { .rate = 0.01f };
	struct net_spec spec;
	int32_t label[20];
	struct net *net;
	float *x;

	net_spec_parse(large[1], &spec, NULL);
	net = net_new(&spec, LOSS_CE, 20, mat, NULL);
	net_init(net, &rng);
	x = xcalloc_aligned(20 * spec.width[0], sizeof(*x));
	samples(&spec, 20, x, label);
	for (size_t i = 0; i < sizeof(batch) / sizeof(batch[0]); i++)
		ck_assert(isfinite(net_step(net, x, label, batch[i], &sgd)));
	net_free(net);
	mat_free(mat);
	pool_free(pool);
	free(x);
}
END_TEST

Suite *threads_suite(void);
Suite *threads_suite(void)
{
	Suite *suite = suite_create("threads");
	TCase *tcase = tcase_create("threads");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, threads_do_not_change_a_bit, 0, CASES);
	tcase_add_loop_test(tcase, tiles_and_blocks_add_up_to_the_gradient, 0,
			    LARGE);
	tcase_add_test(tcase, any_batch_size_may_come_next);
	suite_add_tcase(suite, tcase);
	return suite;
}
