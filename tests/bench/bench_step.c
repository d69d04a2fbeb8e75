/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_step -- a training step beside the sum of its bare matrix products.
 *
 *	bench_step [MODEL [ROUNDS [PRECISION]]]
 *	bench_step step MODEL BATCH       its microseconds alone, on one thread
 *
 * For each batch: the time of net_step() (plain SGD, loss ce), and of the fp32
 * products and convolutions that a step cannot do without (alpha 1, beta 0), in
 * the order and on operands of the sizes of a step, each by OpenBLAS and by
 * oneDNN (convolutions: by oneDNN, in the orders it likes best); of these the
 * faster one is taken call by call.  In each round the three take turns,
 * SAMPLE_NS each: what disturbs the machine disturbs all alike.
 *
 * On one thread times are the thread's own (CPU time) and medians over the
 * rounds: on a machine that others use, too, they say more than a clock on the
 * wall.  Two threads need that clock; there minima are shown, and the libraries
 * share a product among two threads in their own ways.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/layer_kind.h"
#include "bench/mat.h"
#include "bench/net.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/stat.h"
#include "lib/table.h"
#include "tests/bench/bare_conv.h"

#define SAMPLE_NS 2000000
#define ROUNDS    101
#define CALLS_MAX (3 * NET_LAYERS_MAX)

enum { OPENBLAS, ONEDNN, LIBRARIES };

struct call {
	struct bare_conv *conv; /* or a product: */
	enum mat_op ta, tb;
	size_t m, n, k;
	const float *a, *b;
	float *c;
	int64_t ns[LIBRARIES]; /* of this round */
	double *us[LIBRARIES]; /* a value per round */
};

struct run {
	size_t threads;
	struct pool *pool;
	struct mat *own; /* the step's */
	size_t batch, rounds, calls, repeats;
	struct call call[CALLS_MAX];
	float *weights, *input[NET_LAYERS_MAX + 1], *delta[NET_LAYERS_MAX + 1];
	size_t layers;
	const struct mat *mat[LIBRARIES];
	struct net *net;
	int32_t *label;
	double *step_us;
};

/* Of the libraries, on this thread. */
extern void openblas_set_num_threads(int threads);
extern void omp_set_num_threads(int threads) __attribute__((weak));

static void library_threads(size_t threads)
{
	openblas_set_num_threads((int)threads);
	if (omp_set_num_threads)
		omp_set_num_threads((int)threads);
}

static float *noise(size_t count, struct rng *rng)
{
	float *x = xcalloc_aligned(count, sizeof(*x));

	for (size_t i = 0; i < count; i++)
		x[i] = (float)rng_normal(rng);
	return x;
}

static struct call *new_call(struct run *run)
{
	struct call *call = &run->call[run->calls++];

	for (int i = 0; i < LIBRARIES; i++)
		call->us[i] = xcalloc(run->rounds, sizeof(double));
	return call;
}

static struct call *add_call(struct run *run, size_t m, size_t n, size_t k)
{
	struct call *call = new_call(run);

	call->m = m;
	call->n = n;
	call->k = k;
	return call;
}

static void operands(struct call *call, const float *a, const float *b,
		     float *c)
{
	call->a = a;
	call->b = b;
	call->c = c;
}

static bool is_dense(const struct layer_spec *layer)
{
	return layer->type == LAYER_DENSE;
}

static void add_forward(struct run *run, const struct net_spec *spec, size_t l,
			const float *w)
{
	if (is_dense(&spec->layer[l]))
		operands(add_call(run, run->batch, spec->width[l + 1],
				  spec->width[l]),
			 run->input[l], w, run->input[l + 1]);
	else if (spec->layer[l].type == LAYER_CONV2D)
		new_call(run)->conv = bare_conv_new(&spec->layer[l], run->batch,
						    BARE_FORWARD);
}

/* Each layer's input first. */
static void add_backward(struct run *run, const struct net_spec *spec, size_t l,
			 float *w)
{
	const struct layer_spec *layer = &spec->layer[l];
	size_t in = spec->width[l], out = spec->width[l + 1];
	struct call *call;

	if (l && is_dense(layer)) {
		call = add_call(run, run->batch, in, out);
		call->tb = MAT_YES;
		operands(call, run->delta[l + 1], w, run->delta[l]);
	}
	if (is_dense(layer)) {
		call = add_call(run, in, out, run->batch);
		call->ta = MAT_YES;
		operands(call, run->input[l], run->delta[l + 1], w);
	}
	if (layer->type != LAYER_CONV2D)
		return;
	if (l)
		new_call(run)->conv =
			bare_conv_new(layer, run->batch, BARE_INPUT);
	new_call(run)->conv = bare_conv_new(layer, run->batch, BARE_WEIGHTS);
}

/* Forward layer by layer, then back. */
static void add_calls(struct run *run, const struct net_spec *spec)
{
	float *w[NET_LAYERS_MAX], *next = run->weights;

	for (size_t l = 0; l < spec->layers; l++) {
		w[l] = next;
		next += layer_parameters(&spec->layer[l]);
		add_forward(run, spec, l, w[l]);
	}
	for (size_t l = spec->layers; l-- > 0;)
		add_backward(run, spec, l, w[l]);
}

static void run_init(struct run *run, const struct net_spec *spec,
		     struct precision precision, size_t threads, size_t batch,
		     size_t rounds)
{
	struct rng rng = rng_stream(1, "bench_step", batch, 0);

	*run = (struct run){ .threads = threads,
			     .batch = batch,
			     .rounds = rounds,
			     .layers = spec->layers };
	run->weights = noise(net_spec_parameters(spec), &rng);
	for (size_t l = 0; l <= spec->layers; l++) {
		run->input[l] = noise(batch * spec->width[l], &rng);
		run->delta[l] = noise(batch * spec->width[l], &rng);
	}
	run->mat[OPENBLAS] = mat_open("openblas", NULL);
	run->mat[ONEDNN] = mat_open("onednn", NULL);
	library_threads(threads);
	add_calls(run, spec);
	library_threads(1);
	run->pool = threads > 1 ? pool_new(threads) : NULL;
	run->own = mat_new(run->pool, NULL);
	run->net = net_new_in(precision, spec, LOSS_CE, batch, run->own, NULL);
	if (!run->net)
		abort(); /* this processor cannot, or it is too large */
	net_init(run->net, &rng);
	run->label = xcalloc(batch, sizeof(*run->label));
	for (size_t i = 0; i < batch; i++)
		run->label[i] =
			(int32_t)rng_below(&rng, spec->width[spec->layers]);
	run->step_us = xcalloc(rounds, sizeof(double));
}

static void run_done(struct run *run)
{
	for (size_t i = 0; i < run->calls; i++) {
		for (int j = 0; j < LIBRARIES; j++)
			free(run->call[i].us[j]);
		bare_conv_free(run->call[i].conv);
	}
	for (size_t l = 0; l <= run->layers; l++) {
		free(run->input[l]);
		free(run->delta[l]);
	}
	free(run->weights);
	free(run->label);
	free(run->step_us);
	net_free(run->net);
	mat_free(run->own);
	pool_free(run->pool);
}

static int64_t now_ns(size_t threads)
{
	struct timespec at;

	clock_gettime(threads > 1 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID,
		      &at);
	return at.tv_sec * 1000000000 + at.tv_nsec;
}

static void do_call(const struct mat *mat, const struct call *call)
{
	size_t lda = call->ta == MAT_YES ? call->m : call->k;
	size_t ldb = call->tb == MAT_YES ? call->k : call->n;

	if (call->conv) {
		bare_conv_run(call->conv);
		return;
	}
	mat_gemm(mat, call->ta, call->tb, call->m, call->n, call->k, 1.0f,
		 call->a, lda, call->b, ldb, 0.0f, call->c, call->n);
}

/* Reading the clock takes as long as a small product: its cost is taken off. */
static int64_t clock_cost_ns(size_t threads)
{
	int64_t start = now_ns(threads);

	for (int i = 0; i < 1000; i++)
		now_ns(threads);
	return (now_ns(threads) - start) / 1000;
}

/* The sum of all repeats or, of two threads, the least. */
static void took(const struct run *run, int64_t *ns, int64_t more)
{
	if (run->threads == 1)
		*ns += more;
	else if (!*ns || more < *ns)
		*ns = more > 1 ? more : 1;
}

static void time_calls(struct run *run, int library, size_t round)
{
	int64_t cost = clock_cost_ns(run->threads);

	library_threads(run->threads);
	for (size_t i = 0; i < run->calls; i++)
		run->call[i].ns[library] = 0;
	for (size_t r = 0; r < run->repeats; r++) {
		int64_t before = now_ns(run->threads), after;

		for (size_t i = 0; i < run->calls; i++, before = after) {
			do_call(run->mat[library], &run->call[i]);
			after = now_ns(run->threads);
			took(run, &run->call[i].ns[library],
			     after - before - cost);
		}
	}
	library_threads(1);
	for (size_t i = 0; i < run->calls; i++)
		run->call[i].us[library][round] =
			(double)run->call[i].ns[library] / 1e3 /
			(double)(run->threads > 1 ? 1 : run->repeats);
}

/* One step at a time: on a machine that others use, too, only few of them run
 * undisturbed on two processors. */
static double quickest_step(struct run *run)
{
	struct sgd sgd = { .rate = 1e-3f };
	int64_t least = INT64_MAX, before = now_ns(run->threads), after;

	for (size_t i = 0; i < run->repeats; i++, before = after) {
		net_step(run->net, run->input[0], run->label, run->batch, &sgd);
		after = now_ns(run->threads);
		if (after - before < least)
			least = after - before;
	}
	return (double)least / 1e3;
}

static double time_step(struct run *run)
{
	struct sgd sgd = { .rate = 1e-3f };
	int64_t start = now_ns(run->threads);

	for (size_t i = 0; i < run->repeats; i++)
		net_step(run->net, run->input[0], run->label, run->batch, &sgd);
	return (double)(now_ns(run->threads) - start) / 1e3 /
	       (double)run->repeats;
}

/* Their threads go on looking for work for tens of milliseconds. */
static void let_libraries_rest(const struct run *run)
{
	struct timespec rest = { .tv_nsec = 80000000 };

	if (run->threads > 1)
		nanosleep(&rest, NULL);
}

static void measure(struct run *run)
{
	/* The first calls of a shape build kernels and fault pages in. */
	run->repeats = 20;
	run->repeats = (size_t)(SAMPLE_NS / 1e3 / time_step(run)) + 1;
	if (run->threads > 1 && run->repeats < 20)
		run->repeats = 20;
	for (int j = 0; j < LIBRARIES; j++)
		time_calls(run, j, 0);
	for (size_t r = 0; r < run->rounds; r++) {
		let_libraries_rest(run);
		run->step_us[r] =
			run->threads > 1 ? quickest_step(run) : time_step(run);
		for (int j = 0; j < LIBRARIES; j++)
			time_calls(run, j, r);
	}
}

static double typical(const struct run *run, const double *us)
{
	return stat_quantile(us, run->rounds, run->threads > 1 ? 0.0 : 0.5);
}

static void report(const struct run *run, struct table *table)
{
	double step = typical(run, run->step_us);
	double best = 0.0, sum[LIBRARIES] = { 0.0 };

	for (size_t i = 0; i < run->calls; i++) {
		double us[LIBRARIES];

		for (int j = 0; j < LIBRARIES; j++) {
			us[j] = typical(run, run->call[i].us[j]);
			sum[j] += us[j];
		}
		best += us[OPENBLAS] < us[ONEDNN] ? us[OPENBLAS] : us[ONEDNN];
	}
	table_cell(table, "%zu", run->threads);
	table_cell(table, "%zu", run->batch);
	table_cell(table, "%.1f", step);
	table_cell(table, "%.0f", 1e6 * (double)run->batch / step);
	table_cell(table, "%.1f", sum[OPENBLAS]);
	table_cell(table, "%.1f", sum[ONEDNN]);
	table_cell(table, "%.1f", best);
	table_cell(table, "%.2f", step / best);
}

static int all_batches(const struct net_spec *spec, struct precision precision,
		       size_t rounds)
{
	static const size_t batches[] = { 1, 8, 32, 128 };
	struct table *table = table_new(">threads", ">batch", ">step",
					">samples/s", ">OpenBLAS", ">oneDNN",
					">best products", ">step/best", NULL);

	for (size_t threads = 1; threads <= 2; threads++)
		for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]);
		     i++) {
			struct run run;

			run_init(&run, spec, precision, threads, batches[i],
				 rounds);
			measure(&run);
			report(&run, table);
			run_done(&run);
		}
	table_print(table, stdout);
	table_free(table);
	return EXIT_SUCCESS;
}

static int step_alone(const struct net_spec *spec, size_t batch)
{
	const struct precision fp32 = { .kind = PRECISION_FP32 };
	struct run run;

	run_init(&run, spec, fp32, 1, batch, ROUNDS);
	run.repeats = 20;
	run.repeats = (size_t)(SAMPLE_NS / 1e3 / time_step(&run)) + 1;
	for (size_t r = 0; r < run.rounds; r++)
		run.step_us[r] = time_step(&run);
	printf("%.2f\n", typical(&run, run.step_us));
	run_done(&run);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	bool alone = argc == 4 && strcmp(argv[1], "step") == 0;
	const char *model = argc > 1 ? argv[1 + alone] : "mlp:784-256-256-10";
	const char *name = argc > 3 && !alone ? argv[3] : "fp32";
	size_t rounds =
		argc > 2 && !alone ? strtoul(argv[2], NULL, 10) : ROUNDS;
	struct precision precision;
	struct net_spec spec;
	struct err err = { 0 };

	mat_prepare(argv);
	if (net_spec_parse(model, &spec, &err) < 0 || rounds < 1 ||
	    precision_parse(name, &precision, &err) < 0) {
		fprintf(stderr, "bench_step: %s\n", err.text);
		return EXIT_FAILURE;
	}
	if (alone)
		return step_alone(&spec, strtoul(argv[3], NULL, 10));
	printf("%s %s, %s; µs, %zu rounds\n", spec.text, name, mat_describe(),
	       rounds);
	return all_batches(&spec, precision, rounds);
}
