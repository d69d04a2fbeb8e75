/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_step -- a training step beside the sum of its bare matrix products.
 *
 *	bench_step [MODEL [ROUNDS]]
 *
 * For each batch: the time of net_step() (plain SGD, loss ce), and of the
 * products that a step cannot do without (alpha 1, beta 0), in the order and
 * on operands of the sizes of a step, each by OpenBLAS and by oneDNN; of these
 * the faster one is taken call by call.  In each round the three take turns,
 * SAMPLE_NS each, and the medians over the rounds are shown: what disturbs the
 * machine disturbs all alike.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/mat.h"
#include "bench/net.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/stat.h"
#include "lib/table.h"

#define SAMPLE_NS 2000000
#define ROUNDS    101
#define CALLS_MAX (3 * NET_LAYERS_MAX)

enum { OPENBLAS, ONEDNN, LIBRARIES };

struct call {
	enum mat_op ta, tb;
	size_t m, n, k;
	const float *a, *b;
	float *c;
	int64_t ns[LIBRARIES]; /* of this round */
	double *us[LIBRARIES]; /* a value per round */
};

struct run {
	size_t batch, rounds, calls, repeats;
	struct call call[CALLS_MAX];
	float *weights, *input[NET_LAYERS_MAX + 1], *delta[NET_LAYERS_MAX + 1];
	size_t layers;
	const struct mat *mat[LIBRARIES];
	struct net *net;
	int32_t *label;
	double *step_us;
};

static float *noise(size_t count, struct rng *rng)
{
	float *x = xcalloc_aligned(count, sizeof(*x));

	for (size_t i = 0; i < count; i++)
		x[i] = (float)rng_normal(rng);
	return x;
}

static struct call *add_call(struct run *run, size_t m, size_t n, size_t k)
{
	struct call *call = &run->call[run->calls++];

	call->m = m;
	call->n = n;
	call->k = k;
	for (int i = 0; i < LIBRARIES; i++)
		call->us[i] = xcalloc(run->rounds, sizeof(double));
	return call;
}

static void operands(struct call *call, const float *a, const float *b,
		     float *c)
{
	call->a = a;
	call->b = b;
	call->c = c;
}

/* Forward layer by layer, then back: each layer's input first. */
static void add_calls(struct run *run, const struct net_spec *spec)
{
	const size_t *width = spec->width, batch = run->batch;
	float *w = run->weights, **input = run->input, **delta = run->delta;

	for (size_t l = 0; l < spec->layers; l++) {
		operands(add_call(run, batch, width[l + 1], width[l]), input[l],
			 w, input[l + 1]);
		w += (width[l] + 1) * width[l + 1];
	}
	for (size_t l = spec->layers; l-- > 0;) {
		struct call *call;

		w -= (width[l] + 1) * width[l + 1];
		if (l) {
			call = add_call(run, batch, width[l], width[l + 1]);
			call->tb = MAT_YES;
			operands(call, delta[l + 1], w, delta[l]);
		}
		call = add_call(run, width[l], width[l + 1], batch);
		call->ta = MAT_YES;
		operands(call, input[l], delta[l + 1], w);
	}
}

static void run_init(struct run *run, const struct net_spec *spec, size_t batch,
		     size_t rounds)
{
	struct rng rng = rng_stream(1, "bench_step", batch, 0);

	*run = (struct run){ .batch = batch,
			     .rounds = rounds,
			     .layers = spec->layers };
	run->weights = noise(net_spec_parameters(spec), &rng);
	for (size_t l = 0; l <= spec->layers; l++) {
		run->input[l] = noise(batch * spec->width[l], &rng);
		run->delta[l] = noise(batch * spec->width[l], &rng);
	}
	add_calls(run, spec);
	run->mat[OPENBLAS] = mat_open("openblas", NULL);
	run->mat[ONEDNN] = mat_open("onednn", NULL);
	run->net = net_new(spec, LOSS_CE, batch, mat_open("auto", NULL), NULL);
	net_init(run->net, &rng);
	run->label = xcalloc(batch, sizeof(*run->label));
	for (size_t i = 0; i < batch; i++)
		run->label[i] =
			(int32_t)rng_below(&rng, spec->width[spec->layers]);
	run->step_us = xcalloc(rounds, sizeof(double));
}

static void run_done(struct run *run)
{
	for (size_t i = 0; i < run->calls; i++)
		for (int j = 0; j < LIBRARIES; j++)
			free(run->call[i].us[j]);
	for (size_t l = 0; l <= run->layers; l++) {
		free(run->input[l]);
		free(run->delta[l]);
	}
	free(run->weights);
	free(run->label);
	free(run->step_us);
	net_free(run->net);
}

static int64_t now_ns(void)
{
	return clock_now_ns(clock_real());
}

static void do_call(const struct mat *mat, const struct call *call)
{
	size_t lda = call->ta == MAT_YES ? call->m : call->k;
	size_t ldb = call->tb == MAT_YES ? call->k : call->n;

	mat_gemm(mat, call->ta, call->tb, call->m, call->n, call->k, 1.0f,
		 call->a, lda, call->b, ldb, 0.0f, call->c, call->n);
}

/* Reading the clock takes as long as a small product: its cost is taken off. */
static int64_t clock_cost_ns(void)
{
	int64_t start = now_ns();

	for (int i = 0; i < 1000; i++)
		now_ns();
	return (now_ns() - start) / 1000;
}

static void time_calls(struct run *run, int library, size_t round)
{
	int64_t cost = clock_cost_ns();

	for (size_t i = 0; i < run->calls; i++)
		run->call[i].ns[library] = 0;
	for (size_t r = 0; r < run->repeats; r++) {
		int64_t before = now_ns(), after;

		for (size_t i = 0; i < run->calls; i++, before = after) {
			do_call(run->mat[library], &run->call[i]);
			after = now_ns();
			run->call[i].ns[library] += after - before - cost;
		}
	}
	for (size_t i = 0; i < run->calls; i++)
		run->call[i].us[library][round] =
			(double)run->call[i].ns[library] / 1e3 /
			(double)run->repeats;
}

static double time_step(struct run *run)
{
	struct sgd sgd = { .rate = 1e-3f };
	int64_t start = now_ns();

	for (size_t i = 0; i < run->repeats; i++)
		net_step(run->net, run->input[0], run->label, run->batch, &sgd);
	return (double)(now_ns() - start) / 1e3 / (double)run->repeats;
}

static void measure(struct run *run)
{
	/* The first calls of a shape build kernels and fault pages in. */
	run->repeats = 20;
	run->repeats = (size_t)(SAMPLE_NS / 1e3 / time_step(run)) + 1;
	for (int j = 0; j < LIBRARIES; j++)
		time_calls(run, j, 0);
	for (size_t r = 0; r < run->rounds; r++) {
		run->step_us[r] = time_step(run);
		for (int j = 0; j < LIBRARIES; j++)
			time_calls(run, j, r);
	}
}

static void report(const struct run *run, struct table *table)
{
	double step = stat_median(run->step_us, run->rounds);
	double best = 0.0, sum[LIBRARIES] = { 0.0 };

	for (size_t i = 0; i < run->calls; i++) {
		double us[LIBRARIES];

		for (int j = 0; j < LIBRARIES; j++) {
			us[j] = stat_median(run->call[i].us[j], run->rounds);
			sum[j] += us[j];
		}
		best += us[OPENBLAS] < us[ONEDNN] ? us[OPENBLAS] : us[ONEDNN];
	}
	table_cell(table, "%zu", run->batch);
	table_cell(table, "%.1f", step);
	table_cell(table, "%.0f", 1e6 * (double)run->batch / step);
	table_cell(table, "%.1f", sum[OPENBLAS]);
	table_cell(table, "%.1f", sum[ONEDNN]);
	table_cell(table, "%.1f", best);
	table_cell(table, "%.2f", step / best);
}

int main(int argc, char **argv)
{
	static const size_t batches[] = { 1, 8, 32, 128 };
	const char *model = argc > 1 ? argv[1] : "mlp:784-256-256-10";
	size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS;
	struct net_spec spec;
	struct err err = { 0 };
	struct table *table;

	mat_prepare(argv);
	if (net_spec_parse(model, &spec, &err) < 0 || rounds < 1) {
		fprintf(stderr, "bench_step: %s\n", err.text);
		return EXIT_FAILURE;
	}
	printf("%s, one thread, %s; medians of %zu rounds, µs\n", spec.text,
	       mat_describe(), rounds);
	table = table_new(">batch", ">step", ">samples/s", ">OpenBLAS",
			  ">oneDNN", ">best products", ">step/best", NULL);
	for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
		struct run run;

		run_init(&run, &spec, batches[i], rounds);
		measure(&run);
		report(&run, table);
		run_done(&run);
	}
	table_print(table, stdout);
	table_free(table);
	return EXIT_SUCCESS;
}
