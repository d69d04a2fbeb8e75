/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_fit.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define N      LSTSQ_TERMS_MAX
#define BEND   0.02
#define ROUNDS 30
#define STILL  1e-6  /* relative change of every prediction */
#define RIDGE  1e-11 /* of a diagonal: keeps dependent terms factorable */
#define LEVEL  0.95
/* A prediction of nothing is this much of what was seen: its score is finite. */
#define LEAST 1e-6

/* The training rows, relative to what was seen, sorted by group. */
struct sample {
	size_t rows, terms, groups;
	double *a; /* rows × terms */
	double *weight;
	size_t *row;   /* where it is in the data */
	size_t *start; /* of each group, and the end */
};

/* The normal equations: gram's upper triangle, and moment. */
struct normal {
	double gram[N * N];
	double moment[N];
};

/* ---- the sample ------------------------------------------------------------------*/

static void sample_done(struct sample *sample)
{
	free(sample->a);
	free(sample->weight);
	free(sample->row);
	free(sample->start);
}

/* Rows by group; groups without rows are passed over. */
static void sort_rows(struct sample *sample, const struct power_data *data,
		      const bool *part)
{
	size_t *at = xcalloc(data->groups + 1, sizeof(*at)), next = 0;

	for (size_t i = 0; i < data->rows; i++)
		at[data->group[i]] += !part || part[i];
	for (size_t g = 0; g < data->groups; g++) {
		size_t count = at[g];

		at[g] = next;
		if (count)
			sample->start[sample->groups++] = next;
		next += count;
	}
	sample->start[sample->groups] = sample->rows = next;
	for (size_t i = 0; i < data->rows; i++)
		if (!part || part[i])
			sample->row[at[data->group[i]]++] = i;
	free(at);
}

static void sample_init(struct sample *sample, const struct power_data *data,
			const bool *part)
{
	memset(sample, 0, sizeof(*sample));
	sample->terms = data->terms;
	sample->row = xcalloc(data->rows + 1, sizeof(*sample->row));
	sample->start = xcalloc(data->groups + 1, sizeof(*sample->start));
	sort_rows(sample, data, part);
	sample->a = xcalloc(sample->rows * data->terms + 1, sizeof(double));
	sample->weight = xcalloc(sample->rows + 1, sizeof(double));
	for (size_t i = 0; i < sample->rows; i++) {
		size_t row = sample->row[i];

		sample->weight[i] = 1;
		for (size_t j = 0; j < data->terms; j++)
			sample->a[i * data->terms + j] =
				data->x[row * data->terms + j] / data->y[row];
	}
}

/* ---- normal equations ---------------------------------------------------------*/

/* Of the rows from `from` to `to`: sum of w a a', and of w a (what is sought is
 * 1 for every row). */
static void normal_sum(struct normal *normal, const struct sample *sample,
		       size_t from, size_t to)
{
	size_t n = sample->terms;

	memset(normal, 0, sizeof(*normal));
	for (size_t i = from; i < to; i++) {
		const double *a = sample->a + i * n;

		for (size_t j = 0; j < n; j++) {
			double wa = sample->weight[i] * a[j];
			double *gram = normal->gram + j * n;

			normal->moment[j] += wa;
			for (size_t k = j; k < n; k++)
				gram[k] += wa * a[k];
		}
	}
}

static void normal_subtract(struct normal *normal, const struct normal *all,
			    size_t terms)
{
	for (size_t i = 0; i < terms * terms; i++)
		normal->gram[i] = all->gram[i] - normal->gram[i];
	for (size_t j = 0; j < terms; j++)
		normal->moment[j] = all->moment[j] - normal->moment[j];
}

/* gram = R'R, and R'c = moment: then |R b - c|² is what is to be made small. */
static void normal_factor(const struct normal *normal, size_t n, double *r,
			  double *c)
{
	for (size_t j = 0; j < n; j++) {
		double diagonal = normal->gram[j * n + j];
		double pivot = diagonal, moment = normal->moment[j];

		for (size_t i = 0; i < j; i++) {
			r[j * n + i] = 0;
			pivot -= r[i * n + j] * r[i * n + j];
			moment -= r[i * n + j] * c[i];
		}
		/* A term that is always 0 gets no weight. */
		pivot = diagonal > 0 ? fmax(pivot, RIDGE * diagonal) : 1;
		r[j * n + j] = sqrt(pivot);
		c[j] = diagonal > 0 ? moment / r[j * n + j] : 0;
		for (size_t k = j + 1; k < n; k++) {
			double sum = normal->gram[j * n + k];

			for (size_t i = 0; i < j; i++)
				sum -= r[i * n + j] * r[i * n + k];
			r[j * n + k] = diagonal > 0 ? sum / r[j * n + j] : 0;
		}
	}
}

static int normal_solve(const struct normal *normal, size_t terms, double *b,
			struct err *err)
{
	double *r = xcalloc(terms * terms, sizeof(*r)), c[N];
	int result;

	normal_factor(normal, terms, r, c);
	result = lstsq_nonnegative(r, c, NULL, terms, terms, b, NULL, err);
	free(r);
	return result;
}

/* ---- reweighting ------------------------------------------------------------------*/

static double dot(const double *a, const double *b, size_t n)
{
	double sum = 0;

	for (size_t j = 0; j < n; j++)
		sum += a[j] * b[j];
	return sum;
}

/* Weights for the next round; the largest change of a prediction. */
static double reweight(struct sample *sample, const double *b, double *fitted)
{
	double most = 0;

	for (size_t i = 0; i < sample->rows; i++) {
		double now =
			dot(sample->a + i * sample->terms, b, sample->terms);

		most = fmax(most, fabs(now - fitted[i]));
		fitted[i] = now;
		sample->weight[i] = BEND / fmax(fabs(1 - now), BEND);
	}
	return most;
}

static int solve(struct sample *sample, struct normal *normal, double *b,
		 struct err *err)
{
	double *fitted = xcalloc(sample->rows + 1, sizeof(*fitted));
	double change = 1;
	int result = 0;

	for (int i = 0; i < ROUNDS && change > STILL && result == 0; i++) {
		normal_sum(normal, sample, 0, sample->rows);
		result = normal_solve(normal, sample->terms, b, err);
		if (result == 0)
			change = reweight(sample, b, fitted);
	}
	/* Of the weights that leaving out goes on with. */
	normal_sum(normal, sample, 0, sample->rows);
	free(fitted);
	return result;
}

/* ---- the limits of the terms -------------------------------------------------------*/

/* The largest value of each term, whose it is, and the largest of the others. */
struct tops {
	double top[N], other[N];
	size_t owner[N];
};

static void tops_find(struct tops *tops, const struct sample *sample,
		      const struct power_data *data)
{
	memset(tops, 0, sizeof(*tops));
	for (size_t g = 0; g < sample->groups; g++)
		for (size_t j = 0; j < data->terms; j++) {
			double top = 0;

			for (size_t i = sample->start[g];
			     i < sample->start[g + 1]; i++)
				top = fmax(
					top,
					data->x[sample->row[i] * data->terms +
						j]);
			if (top > tops->top[j]) {
				tops->other[j] = tops->top[j];
				tops->top[j] = top;
				tops->owner[j] = g;
			} else {
				tops->other[j] = fmax(tops->other[j], top);
			}
		}
}

static double value(const double *b, const double *top, const double *x,
		    size_t terms)
{
	double sum = 0;

	for (size_t j = 0; j < terms; j++)
		sum += b[j] * fmin(x[j], top[j]);
	return sum;
}

double power_fit_value(const struct power_fit *fit, const double *x)
{
	return value(fit->b, fit->top, x, fit->terms);
}

bool power_fit_is_beyond(const struct power_fit *fit, const double *x)
{
	for (size_t j = 0; j < fit->terms; j++)
		if (fit->b[j] > 0 && x[j] > fit->top[j])
			return true;
	return false;
}

/* ---- leaving out -----------------------------------------------------------------*/

static int leave_out(const struct sample *sample, const struct normal *all,
		     const struct tops *tops, const struct power_data *data,
		     double *left_out, struct err *err)
{
	struct normal *normal = xmalloc(sizeof(*normal));
	double b[N], top[N];
	int result = 0;

	for (size_t g = 0; g < sample->groups && result == 0; g++) {
		normal_sum(normal, sample, sample->start[g],
			   sample->start[g + 1]);
		normal_subtract(normal, all, sample->terms);
		result = normal_solve(normal, sample->terms, b, err);
		for (size_t j = 0; j < data->terms; j++)
			top[j] = tops->owner[j] == g ? tops->other[j]
						     : tops->top[j];
		for (size_t i = sample->start[g];
		     i < sample->start[g + 1] && result == 0; i++) {
			size_t row = sample->row[i];

			left_out[row] =
				value(b, top, data->x + row * data->terms,
				      data->terms);
		}
	}
	free(normal);
	return result;
}

struct score {
	double value, weight;
};

static int score_order(const void *a, const void *b)
{
	const struct score *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* Below which 95 % of the weight is. */
static double score_quantile(struct score *score, size_t n, double total)
{
	double sum = 0;

	qsort(score, n, sizeof(*score), score_order);
	for (size_t i = 0; i < n; i++) {
		sum += score[i].weight;
		if (sum >= LEVEL * total)
			return score[i].value;
	}
	return score[n - 1].value;
}

/* A quantile that few groups have shown is too small on average: by as much as
 * Student's is above the normal one. */
static double widening(size_t groups)
{
	return stat_student_quantile(0.5 + LEVEL / 2, (double)groups - 1) /
	       stat_normal_quantile(0.5 + LEVEL / 2);
}

static void judge(struct power_fit *fit, const struct sample *sample,
		  const struct power_data *data, const double *left_out)
{
	struct score *score = xcalloc(sample->rows, sizeof(*score));

	fit->error = 0;
	for (size_t g = 0; g < sample->groups; g++) {
		size_t from = sample->start[g], to = sample->start[g + 1];

		for (size_t i = from; i < to; i++) {
			double y = data->y[sample->row[i]];
			double guess = left_out[sample->row[i]];
			double weight = 1 / (double)(to - from);

			score[i].value = fabs(log(fmax(guess, LEAST * y) / y));
			score[i].weight = weight;
			fit->error += weight * fabs(guess / y - 1) /
				      (double)sample->groups;
		}
	}
	fit->spread =
		widening(sample->groups) *
		score_quantile(score, sample->rows, (double)sample->groups);
	free(score);
}

struct interval power_fit_interval(const struct power_fit *fit, double watts)
{
	double ratio = exp(fit->spread);
	struct interval pi = { watts / ratio, watts * ratio };

	return pi;
}

/* ---- all of it -------------------------------------------------------------------*/

static int fit_sample(struct power_fit *fit, struct sample *sample,
		      const struct power_data *data, double *left_out,
		      struct err *err)
{
	struct normal *normal = xmalloc(sizeof(*normal));
	struct tops *tops = xmalloc(sizeof(*tops));
	int result = solve(sample, normal, fit->b, err);

	if (result == 0) {
		tops_find(tops, sample, data);
		memcpy(fit->top, tops->top, sizeof(fit->top));
		result = leave_out(sample, normal, tops, data, left_out, err);
	}
	if (result == 0)
		judge(fit, sample, data, left_out);
	free(normal);
	free(tops);
	return result;
}

int power_fit_make(struct power_fit *fit, const struct power_data *data,
		   const bool *part, double *left_out, struct err *err)
{
	double *mine = left_out ? NULL : xcalloc(data->rows + 1, sizeof(*mine));
	struct sample sample;
	int result;

	memset(fit, 0, sizeof(*fit));
	sample_init(&sample, data, part);
	fit->terms = data->terms;
	fit->rows = sample.rows;
	fit->groups = sample.groups;
	if (sample.groups < 2)
		result = err_set(err, EINVAL,
				 "%zu group of rows to learn from: at least 2 "
				 "are needed, to see how far off a new one is",
				 sample.groups);
	else
		result = fit_sample(fit, &sample, data,
				    left_out ? left_out : mine, err);
	sample_done(&sample);
	free(mine);
	return result;
}
