/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/mat_tune.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/mat_kind.h"
#include "bench/net.h"
#include "lib/mem.h"
#include "lib/rng.h"
#include "lib/stat.h"

/* Samples of each library, and how long one is at least. */
#define SAMPLES   9
#define SAMPLE_NS 300000
/* How much slower than the best one a library is that is not looked at again. */
#define HOPELESS 2.0

/* ---- which shapes --------------------------------------------------------------- */

static void hear(void *context, const struct mat_product *p)
{
	const struct mat_shape shape = { p->ta, p->tb, p->m, p->n, p->k };
	const char *name = mat_rule(mat_open("auto", NULL), p->ta, p->tb, p->m,
				    p->n, p->k);
	struct mat_choice choice = { .shape = shape };

	for (size_t i = 0; i < MAT_LIBRARIES; i++) {
		choice.us[i] = (double)NAN;
		if (strcmp(mat_library(i)->name, name) == 0)
			choice.library = i;
	}
	if (!mat_table_find(context, &shape))
		mat_table_put(context, &choice);
}

int mat_tune_shapes(struct mat_table *table, const struct net_spec *spec,
		    size_t batch, struct err *err)
{
	struct rng rng = rng_stream(1, "tune", 0, 0);
	struct mat *mat = mat_new(NULL, NULL);
	struct net *net = net_new(spec, LOSS_MSE, batch, mat, err);
	struct sgd sgd = { .rate = 1e-3f };
	int32_t *label;
	float *x;

	mat_listen(mat, hear, table);
	if (net) {
		/* Zeros are good samples, and words of any vocabulary. */
		x = xcalloc_aligned(batch * spec->width[0], sizeof(*x));
		label = xcalloc(batch, sizeof(*label));
		net_init(net, &rng);
		net_step(net, x, label, batch, &sgd);
		free(x);
		free(label);
	}
	net_free(net);
	mat_free(mat);
	return net ? 0 : -1;
}

/* ---- one shape ------------------------------------------------------------------ */

struct operands {
	float *a, *b, *c;
	struct mat_product product;
};

static float *filled(size_t n, uint64_t purpose)
{
	struct rng rng = rng_stream(1, "tune", n, purpose);
	float *x = xcalloc_aligned(n, sizeof(*x));

	for (size_t i = 0; i < n; i++)
		x[i] = (float)(2.0 * rng_uniform(&rng) - 1.0);
	return x;
}

/* Behind `shift` floats more.  Weights are added to, as a step does it. */
static void operands_init(struct operands *o, const struct mat_shape *s,
			  size_t shift)
{
	float *a = filled(s->m * s->k, 0), *b = filled(s->k * s->n, 1);

	o->a = xcalloc_aligned(s->m * s->k + shift, sizeof(float));
	o->b = xcalloc_aligned(s->k * s->n + shift, sizeof(float));
	o->c = xcalloc_aligned(s->m * s->n + shift, sizeof(float));
	memcpy(o->a + shift, a, s->m * s->k * sizeof(float));
	memcpy(o->b + shift, b, s->k * s->n * sizeof(float));
	free(a);
	free(b);
	o->product = (struct mat_product){
		.ta = s->ta,
		.tb = s->tb,
		.m = s->m,
		.n = s->n,
		.k = s->k,
		.alpha = 0x1p-20f,
		.a = o->a + shift,
		.lda = s->ta == MAT_YES ? s->m : s->k,
		.b = o->b + shift,
		.ldb = s->tb == MAT_YES ? s->k : s->n,
		.beta = s->ta == MAT_YES ? 1.0f : 0.0f,
		.c = o->c + shift,
		.ldc = s->n,
	};
}

static void operands_done(struct operands *o)
{
	free(o->a);
	free(o->b);
	free(o->c);
}

struct call {
	const struct mat_kind *kind;
	const struct mat_product *product;
};

static void *call_it(void *context)
{
	const struct call *call = context;

	call->kind->gemm(call->product);
	return NULL;
}

bool mat_tune_repeats(size_t library, const struct mat_shape *shape)
{
	const struct mat_kind *kind = mat_library(library);
	struct operands one, other;
	struct call call = { kind, &other.product };
	pthread_t thread;
	bool equal;

	operands_init(&one, shape, 0);
	operands_init(&other, shape, 16);
	kind->gemm(&one.product);
	if (pthread_create(&thread, NULL, call_it, &call))
		call_it(&call);
	else
		pthread_join(thread, NULL);
	equal = memcmp(one.product.c, other.product.c,
		       shape->m * shape->n * sizeof(float)) == 0;
	operands_done(&one);
	operands_done(&other);
	return equal;
}

static int64_t now_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
	return at.tv_sec * 1000000000 + at.tv_nsec;
}

/* Microseconds of a call. */
static double sample(const struct mat_kind *kind,
		     const struct mat_product *product)
{
	int64_t start = now_ns(), passed;
	size_t calls = 0;

	do {
		kind->gemm(product);
		calls++;
		passed = now_ns() - start;
	} while (passed < SAMPLE_NS);
	return (double)passed / 1e3 / (double)calls;
}

/* The libraries by turns; medians into `us`. */
static void measure(const struct mat_product *product, double us[MAT_LIBRARIES])
{
	double all[MAT_LIBRARIES][SAMPLES], best = HUGE_VAL;
	bool hopeless[MAT_LIBRARIES] = { false };

	for (size_t s = 0; s < SAMPLES; s++)
		for (size_t i = 0; i < MAT_LIBRARIES; i++) {
			if (isnan(us[i]) || hopeless[i])
				continue;
			all[i][s] = sample(mat_library(i), product);
			us[i] = stat_median(all[i], s + 1);
			best = fmin(best, us[i]);
			hopeless[i] = s && us[i] > HOPELESS * best;
		}
}

void mat_tune(struct mat_table *table, size_t i)
{
	struct mat_choice choice = *mat_table_at(table, i);
	size_t rule = choice.library, best = rule;
	struct operands o;

	for (size_t l = 0; l < MAT_LIBRARIES; l++)
		choice.us[l] =
			mat_tune_repeats(l, &choice.shape) ? 0.0 : (double)NAN;
	operands_init(&o, &choice.shape, 0);
	measure(&o.product, choice.us);
	operands_done(&o);
	for (size_t l = 0; l < MAT_LIBRARIES; l++)
		if (isnan(choice.us[best]) || choice.us[l] < choice.us[best])
			best = l;
	if (!(choice.us[rule] * (1.0 - MAT_TUNE_MARGIN) <= choice.us[best]))
		choice.library = best;
	mat_table_put(table, &choice);
}
