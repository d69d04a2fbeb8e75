/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/layer_kind.h"
#include "bench/net.h"
#include "bench/product.h"
#include "lib/mem.h"

/* How far a product may be from fp32, as a share of the root mean square of
 * what fp32 gives: 2^-8 for bf16's 8 bits, some 1/127 for int8's scales, 2^-11
 * for fp16; each adds up over the sum like noise. */
static const struct {
	const char *name;
	double bound;
	/* Of a whole net: its loss, and its gradient, to which a ReLU or a
	 * maximum that switches adds a jump.  Seen: a half of these. */
	double loss, gradient;
	bool saves;
} precisions[] = {
	{ "fp32", 1e-6, 1e-9, 1e-9, true },
	{ "bf16", 0.01, 0.006, 0.1, true },
	{ "int8", 0.04, 0.02, 0.3, true },
	{ "fp16", 1e-3, 0.001, 0.08, false },
	{ "fake-int7", 0.05, 0.03, 0.45, false },
	{ "fake-int3", 0.9, 1.0, 2.0, false },
};
#define PRECISIONS (int)(sizeof(precisions) / sizeof(precisions[0]))

/* NULL where this processor cannot. */
static struct product *product_in(const char *name, size_t in, size_t out,
				  size_t rows)
{
	struct precision precision;
	struct product *product;
	struct err err = { 0 };

	ck_assert_int_eq(precision_parse(name, &precision, &err), 0);
	product = product_new(precision, mat_open("auto", NULL), in, out, rows,
			      &err);
	if (!product)
		ck_assert_int_eq(err.code, ENOTSUP);
	return product;
}

static float *noise(size_t n, struct rng *rng, bool positive)
{
	float *x = xcalloc(n, sizeof(*x));

	for (size_t i = 0; i < n; i++) {
		x[i] = (float)rng_normal(rng);
		if (positive && x[i] < 0.0f)
			x[i] = 0.0f;
	}
	return x;
}

static double distance(const float *got, const float *want, size_t n)
{
	double error = 0.0, square = 0.0;

	for (size_t i = 0; i < n; i++) {
		double d = (double)got[i] - (double)want[i];

		error += d * d;
		square += (double)want[i] * (double)want[i];
	}
	return sqrt(error / square);
}

enum { IN = 67, OUT = 45, ROWS = 23 };

struct results {
	float y[ROWS * OUT], dx[ROWS * IN], w[IN * OUT];
};

static void compute(struct product *product, const float *x, const float *w,
		    const float *g, struct results *results)
{
	struct backward to = { -0.25f, 0.5f, results->w };

	memcpy(results->w, w, sizeof(results->w));
	product_weights(product, w, 7);
	product_forward(product, ROWS, x, IN, results->y, OUT);
	product_input(product, ROWS, g, OUT, results->dx, IN);
	product_update(product, ROWS, x, IN, g, OUT, &to);
}

START_TEST(every_precision_is_near_to_fp32_both_ways)
{
	bool positive = _i >= PRECISIONS;
	int i = _i % PRECISIONS;
	struct rng rng = rng_stream(2, "product", (uint64_t)_i, 0);
	struct product *exact = product_in("fp32", IN, OUT, ROWS);
	struct product *narrow = product_in(precisions[i].name, IN, OUT, ROWS);
	float *x = noise(ROWS * IN, &rng, positive);
	float *w = noise(IN * OUT, &rng, false);
	float *g = noise(ROWS * OUT, &rng, false);
	struct results *want = xcalloc(1, sizeof(*want));
	struct results *got = xcalloc(1, sizeof(*got));

	compute(exact, x, w, g, want);
	if (narrow) {
		double bound = precisions[i].bound;

		compute(narrow, x, w, g, got);
		ck_assert_double_le(distance(got->y, want->y, ROWS * OUT),
				    bound);
		ck_assert_double_le(distance(got->dx, want->dx, ROWS * IN),
				    bound);
		ck_assert_double_le(distance(got->w, want->w, IN * OUT), bound);
	}
	product_free(exact);
	product_free(narrow);
	free(x);
	free(w);
	free(g);
	free(want);
	free(got);
}
END_TEST

/* Rounded at random, a gradient is right on average. */
START_TEST(random_rounding_has_no_bias)
{
	struct rng rng = rng_stream(2, "bias", 0, 0);
	struct product *exact = product_in("fp32", IN, OUT, ROWS);
	struct product *narrow = product_in("int8", IN, OUT, ROWS);
	float *x = noise(ROWS * IN, &rng, true),
	      *w = noise(IN * OUT, &rng, false);
	float *g = noise(ROWS * OUT, &rng, false);
	float *sum = xcalloc(ROWS * IN, sizeof(*sum));
	struct results *want = xcalloc(1, sizeof(*want));
	double once;

	compute(exact, x, w, g, want);
	if (narrow) {
		float *dx = xcalloc(ROWS * IN, sizeof(*dx));

		for (uint64_t seed = 0; seed < 400; seed++) {
			product_weights(narrow, w, seed);
			product_input(narrow, ROWS, g, OUT, dx, IN);
			layer_put(sum, dx, ROWS * IN, 1.0f / 400.0f, 1.0f);
		}
		once = distance(dx, want->dx, ROWS * IN);
		/* The weights' rounding stays; the gradient's goes. */
		ck_assert_double_lt(distance(sum, want->dx, ROWS * IN),
				    0.8 * once);
		free(dx);
	}
	product_free(exact);
	product_free(narrow);
	free(x);
	free(w);
	free(g);
	free(sum);
	free(want);
}
END_TEST

START_TEST(the_same_step_gives_the_same_bits)
{
	struct rng rng = rng_stream(2, "bits", 0, 0);
	struct product *product =
		product_in(precisions[_i].name, IN, OUT, ROWS);
	float *x = noise(ROWS * IN, &rng, true),
	      *w = noise(IN * OUT, &rng, false);
	float *g = noise(ROWS * OUT, &rng, false);
	struct results *a = xcalloc(1, sizeof(*a)), *b = xcalloc(1, sizeof(*b));

	if (product) {
		compute(product, x, w, g, a);
		product_weights(product, g, 9); /* something else between */
		compute(product, x, w, g, b);
		ck_assert_mem_eq(a, b, sizeof(*a));
	}
	product_free(product);
	free(x);
	free(w);
	free(g);
	free(a);
	free(b);
}
END_TEST

/* fp16's own values pass unchanged, others go to the nearest. */
START_TEST(halves_are_rounded_to_nearest)
{
	static const struct {
		float from, to;
	} pairs[] = {
		{ 0.0f, 0.0f },
		{ 1.0f, 1.0f },
		{ -2.5f, -2.5f },
		{ 65504.0f, 65504.0f },
		{ 1e6f, 65504.0f },
		{ 0x1p-24f, 0x1p-24f },
		{ 0x1.8p-15f, 0x1.8p-15f },
		{ 0x1p-14f, 0x1p-14f },
		{ 1.0f + 0x1p-11f, 1.0f },
		{ 1.0f + 0x1.8p-10f, 1.0f + 0x1p-9f },
		{ -0x1p-26f, 0.0f },
	};
	struct product *product = product_in("fp16", 1, 1, 1);
	float one = 1.0f, y;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		product_weights(product, &one, 0);
		product_forward(product, 1, &pairs[i].from, 1, &y, 1);
		ck_assert_msg(y == pairs[i].to, "%a gives %a",
			      (double)pairs[i].from, (double)y);
	}
	product_free(product);
}
END_TEST

static const char *const nets[] = {
	"mlp:20-32-24-5",
	"cnn:2x6x6,c20k3,p2,c24k3,d20,5",
	"rnn:5,e8x6,u20,5",
	"cnn:2x6x6,c20k3,gn4,a2,c24k3v,tanh,drop20,d20,none,5",
};

/* Every layer with products × loss × precision: gradients near to fp32's. */
START_TEST(gradients_of_nets_are_near_to_those_of_fp32)
{
	const char *name = precisions[_i % PRECISIONS].name;
	double loss_bound = precisions[_i % PRECISIONS].loss;
	double bound = precisions[_i % PRECISIONS].gradient;
	bool tokens = _i / PRECISIONS == 2;
	struct precision precision;
	struct net_spec spec;
	float x[8 * 80];
	int32_t label[8];

	net_spec_parse(nets[_i / PRECISIONS], &spec, NULL);
	precision_parse(name, &precision, NULL);
	for (int loss = 0; loss < LOSS_COX; loss++) {
		struct rng rng = rng_stream(4, "nets", (uint64_t)loss, 0);
		const struct mat *mat = mat_open("auto", NULL);
		struct net *exact =
			net_new(&spec, (enum loss)loss, 8, mat, NULL);
		struct net *narrow = net_new_in(precision, &spec,
						(enum loss)loss, 8, mat, NULL);
		size_t n = net_parameters(exact);
		float *a = xcalloc(n, sizeof(*a)), *b = xcalloc(n, sizeof(*b));

		net_init(exact, &rng);
		for (size_t i = 0; i < 8 * spec.width[0]; i++)
			x[i] = tokens ? (float)rng_below(&rng, 8)
				      : (float)rng_uniform(&rng);
		for (size_t i = 0; i < 8; i++)
			label[i] = (int32_t)rng_below(&rng, 5);
		if (narrow) {
			double got, want;
			struct net_state state = net_state_get(exact);

			memcpy(net_weights(narrow), net_weights(exact),
			       n * sizeof(*a));
			net_state_set(narrow, &state); /* dropout's draws */
			want = net_gradient(exact, x, label, 8, a);
			got = net_gradient(narrow, x, label, 8, b);
			ck_assert_double_eq_tol(got, want,
						loss_bound * fmax(want, 1.0));
			ck_assert_msg(distance(b, a, n) <= bound,
				      "%s %s %s: %g", nets[_i / PRECISIONS],
				      name, loss_name((enum loss)loss),
				      distance(b, a, n));
		}
		free(a);
		free(b);
		net_free(exact);
		net_free(narrow);
	}
}
END_TEST

START_TEST(precisions_go_by_their_names)
{
	struct precision precision;
	char name[PRECISION_NAME_MAX];
	struct err err = { 0 };

	for (int i = 0; i < PRECISIONS; i++) {
		ck_assert_int_eq(
			precision_parse(precisions[i].name, &precision, NULL),
			0);
		ck_assert_str_eq(precision_name(&precision, name),
				 precisions[i].name);
		ck_assert(precision_saves(&precision) == precisions[i].saves);
		ck_assert_ptr_nonnull(precision_instructions(&precision));
	}
	ck_assert_int_eq(precision_parse("fake-int8", &precision, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "there are fp32"));
	ck_assert_int_eq(precision_parse("fake-int1", &precision, NULL), -1);
	ck_assert_int_eq(precision_parse("", &precision, NULL), -1);
}
END_TEST

Suite *product_suite(void);
Suite *product_suite(void)
{
	Suite *suite = suite_create("product");
	TCase *tc = tcase_create("precisions");

	tcase_add_loop_test(tc, every_precision_is_near_to_fp32_both_ways, 0,
			    2 * PRECISIONS);
	tcase_add_test(tc, random_rounding_has_no_bias);
	tcase_add_loop_test(tc, the_same_step_gives_the_same_bits, 0,
			    PRECISIONS);
	tcase_add_test(tc, halves_are_rounded_to_nearest);
	tcase_add_loop_test(tc, gradients_of_nets_are_near_to_those_of_fp32, 0,
			    (int)(sizeof(nets) / sizeof(nets[0])) * PRECISIONS);
	tcase_add_test(tc, precisions_go_by_their_names);
	suite_add_tcase(suite, tc);
	return suite;
}
