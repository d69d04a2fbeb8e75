/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Three steps of small nets beside what PyTorch makes of them.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "bench/net.h"
#include "lib/mem.h"
#include "tests/data/golden_torch.h"

#define CASES     (int)(sizeof(golden) / sizeof(golden[0]))
#define TOLERANCE 1e-5

/* As golden_torch.py has them. */
static void fill(struct net *net, const struct net_spec *spec, float *x,
		 int32_t *label)
{
	size_t n = GOLDEN_BATCH * spec->width[0];
	size_t classes = spec->width[spec->layers];
	uint32_t vocabulary = spec->layer[0].vocabulary;

	for (size_t i = 0; i < net_parameters(net); i++)
		net_weights(net)[i] =
			(float)(0.25 * sin(0.37 * (double)i + 1.0));
	for (size_t i = 0; i < n; i++)
		x[i] = vocabulary ? (float)((7 * i * i + 3 * i) % vocabulary)
				  : (float)cos(0.61 * (double)i);
	for (size_t i = 0; i < GOLDEN_BATCH; i++)
		label[i] = (int32_t)((3 * i + 1) % classes);
}

static void check_places(const float *got, const double *want, size_t n,
			 double tolerance)
{
	for (size_t i = 0; i < GOLDEN_PLACES; i++)
		ck_assert_double_eq_tol((double)got[i * n / GOLDEN_PLACES],
					want[i], tolerance);
}

START_TEST(steps_are_those_of_pytorch)
{
	const struct golden *want = &golden[_i];
	struct sgd sgd = { .rate = 0.05f, .decay = 0.01f, .second = 0.999f };
	struct net_spec spec;
	enum loss loss;
	struct net *net;
	float *x, *g;
	int32_t label[GOLDEN_BATCH];
	size_t n;

	ck_assert_int_eq(net_spec_parse(want->model, &spec, NULL), 0);
	ck_assert_int_eq(loss_parse(want->loss, &loss, NULL), 0);
	ck_assert_int_eq(sgd_parse(want->method, &sgd.method, NULL), 0);
	sgd.momentum = sgd.method == SGD_PLAIN ? 0.0f : 0.9f;
	net = net_new(&spec, loss, GOLDEN_BATCH, mat_open("auto", NULL), NULL);
	n = net_parameters(net);
	ck_assert_uint_eq(n, want->parameters);
	x = xcalloc(GOLDEN_BATCH * spec.width[0], sizeof(*x));
	g = xcalloc(n, sizeof(*g));
	fill(net, &spec, x, label);
	net_gradient(net, x, label, GOLDEN_BATCH, g);
	check_places(g, want->gradient, n, TOLERANCE);
	for (int step = 0; step < GOLDEN_STEPS; step++)
		ck_assert_double_eq_tol(
			net_step(net, x, label, GOLDEN_BATCH, &sgd),
			want->losses[step], TOLERANCE);
	check_places(net_weights(net), want->weights, n, TOLERANCE);
	net_free(net);
	free(x);
	free(g);
}
END_TEST

Suite *golden_suite(void);
Suite *golden_suite(void)
{
	Suite *suite = suite_create("golden");
	TCase *tc = tcase_create("pytorch");

	tcase_add_loop_test(tc, steps_are_those_of_pytorch, 0, CASES);
	suite_add_tcase(suite, tc);
	return suite;
}
