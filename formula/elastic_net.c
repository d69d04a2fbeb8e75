/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/elastic_net.h"

#include <math.h>
#include <string.h>

typedef double lanes __attribute__((vector_size(64)));
#define LANES 8

struct problem {
	const struct elastic_net *net;
	double *x;
	size_t rows, columns;
	double *residual;
	double *w;
	double l1, l2; /* times n, as the solver takes them */
	double yy_sum; /* |y|^2 */
	const double *y;
	double norm2[ELASTIC_NET_COLUMNS_MAX];
	double correlation[ELASTIC_NET_COLUMNS_MAX]; /* X'R - l2 w */
	bool excluded[ELASTIC_NET_COLUMNS_MAX];
};

static double dot(const double *a, const double *b, size_t n)
{
	lanes sum = { 0 }; /* the order of sums is nobody's business here */
	double total = 0.0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		lanes va, vb;

		memcpy(&va, a + i, sizeof(va));
		memcpy(&vb, b + i, sizeof(vb));
		sum += va * vb;
	}
	for (size_t k = 0; k < LANES; k++)
		total += sum[k];
	for (; i < n; i++)
		total += a[i] * b[i];
	return total;
}

static void axpy(double f, const double *x, double *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += f * x[i];
}

static double *column(const struct problem *p, size_t j)
{
	return p->x + j * p->rows;
}

static double gap_of(struct problem *p)
{
	double ry = dot(p->residual, p->y, p->rows);
	double rr = dot(p->residual, p->residual, p->rows);
	double ww = 0.0, w1 = 0.0, most = -HUGE_VAL, c;

	for (size_t j = 0; j < p->columns; j++) {
		p->correlation[j] = dot(column(p, j), p->residual, p->rows) -
				    p->l2 * p->w[j];
		most = fmax(most, p->correlation[j]);
		ww += p->w[j] * p->w[j];
		w1 += fabs(p->w[j]);
	}
	c = most > p->l1 ? p->l1 / most : 1.0;
	return 0.5 * (rr + p->l2 * ww) + p->l1 * w1 +
	       0.5 * c * c * (rr + p->l2 * ww) - c * ry;
}

static void screen(struct problem *p, double gap)
{
	double most = -HUGE_VAL, scale;

	for (size_t j = 0; j < p->columns; j++)
		most = fmax(most, p->correlation[j]);
	scale = fmax(p->l1, most);
	for (size_t j = 0; j < p->columns; j++) {
		double distance;

		if (p->excluded[j])
			continue;
		if (p->norm2[j] == 0.0) {
			p->excluded[j] = true;
			p->w[j] = 0.0;
			continue;
		}
		distance = (1.0 - fabs(p->correlation[j] / scale)) /
			   sqrt(p->norm2[j] + p->l2);
		if (distance <= sqrt(2.0 * gap) / p->l1)
			continue;
		axpy(p->w[j], column(p, j), p->residual, p->rows);
		p->w[j] = 0.0;
		p->excluded[j] = true;
	}
}

/* One pass over the coordinates; returns max |Δw| / max |w| (0: all zero). */
static double sweep(struct problem *p, double *largest)
{
	double w_max = 0.0, step_max = 0.0;

	for (size_t j = 0; j < p->columns; j++) {
		double before = p->w[j], t;

		if (p->excluded[j])
			continue;
		t = dot(column(p, j), p->residual, p->rows) +
		    before * p->norm2[j];
		p->w[j] =
			t < 0.0 ? 0.0
				: fmax(t - p->l1, 0.0) / (p->norm2[j] + p->l2);
		if (p->w[j] != before)
			axpy(before - p->w[j], column(p, j), p->residual,
			     p->rows);
		step_max = fmax(step_max, fabs(p->w[j] - before));
		w_max = fmax(w_max, fabs(p->w[j]));
	}
	*largest = w_max;
	return w_max == 0.0 ? 0.0 : step_max / w_max;
}

static size_t descend(struct problem *p)
{
	double stop = p->net->tolerance * p->yy_sum;
	double gap = gap_of(p), largest, moved;
	size_t done = 0;

	if (gap <= stop)
		return 0;
	screen(p, gap);
	while (done < p->net->sweeps_max) {
		moved = sweep(p, &largest);
		done++;
		if (largest != 0.0 && moved > p->net->tolerance &&
		    done < p->net->sweeps_max)
			continue;
		gap = gap_of(p);
		if (gap <= stop)
			break;
		screen(p, gap);
	}
	return done;
}

static double centre(double *v, size_t n)
{
	double mean = 0.0;

	for (size_t i = 0; i < n; i++)
		mean += v[i];
	mean /= (double)n;
	for (size_t i = 0; i < n; i++)
		v[i] -= mean;
	return mean;
}

size_t elastic_net_fit(const struct elastic_net *net, double *x, double *y,
		       double *residual, size_t rows, size_t columns,
		       bool intercept_wanted, double *coef, double *intercept)
{
	double mean[ELASTIC_NET_COLUMNS_MAX] = { 0 }, y_mean = 0.0;
	struct problem p = { .net = net,
			     .x = x,
			     .rows = rows,
			     .columns = columns,
			     .residual = residual,
			     .w = coef,
			     .y = y };
	size_t sweeps;

	p.l1 = net->alpha * net->l1_ratio * (double)rows;
	p.l2 = net->alpha * (1.0 - net->l1_ratio) * (double)rows;
	for (size_t j = 0; j < columns; j++) {
		if (intercept_wanted)
			mean[j] = centre(column(&p, j), rows);
		p.norm2[j] = dot(column(&p, j), column(&p, j), rows);
		coef[j] = 0.0;
	}
	if (intercept_wanted)
		y_mean = centre(y, rows);
	memcpy(residual, y, rows * sizeof(*y));
	p.yy_sum = dot(y, y, rows);
	sweeps = descend(&p);
	*intercept = intercept_wanted ? y_mean - dot(mean, coef, columns) : 0.0;
	return sweeps;
}
