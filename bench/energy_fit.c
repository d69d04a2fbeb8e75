/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/energy_fit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula/lstsq.h"
#include "lib/mem.h"

#define LEVEL 0.95

const double energy_fit_levels[ENERGY_FIT_QUANTILES] = { 0.025, 0.25, 0.5, 0.75,
							 0.975 };

/* Terms in use: in the order of the table, and always two rows more than
 * terms, so that one can be left out. */
static size_t terms_for(size_t points)
{
	size_t all = energy_terms();

	return points < all + 2 ? points - 2 : all;
}

/* ---- least squares --------------------------------------------------------*/

/* Rows of everything that is not in group `without` (SIZE_MAX: everything). */
struct system {
	double *x, *y, *weight;
	size_t rows, terms;
	struct energy_domain domain;
};

static void system_done(struct system *system)
{
	free(system->x);
	free(system->y);
	free(system->weight);
}

static size_t rows_without(size_t points, const size_t *group, size_t without)
{
	size_t rows = 0;

	for (size_t i = 0; i < points; i++)
		rows += !group || group[i] != without;
	return rows;
}

static void system_init(struct system *system, const struct fit_point *point,
			size_t points, const size_t *group, size_t without,
			size_t terms)
{
	size_t left = rows_without(points, group, without);
	double x[ENERGY_TERMS_MAX];

	if (terms >= left)
		terms = left > 1 ? left - 1 : 1;

	*system = (struct system){ .terms = terms,
				   .domain = ENERGY_DOMAIN_EMPTY };
	system->x = xcalloc(points * terms, sizeof(double));
	system->y = xcalloc(points, sizeof(double));
	system->weight = xcalloc(points, sizeof(double));
	for (size_t i = 0; i < points; i++) {
		if (group && group[i] == without)
			continue;
		energy_terms_of(&point[i].config, x);
		memcpy(system->x + system->rows * terms, x,
		       terms * sizeof(double));
		system->y[system->rows] = point[i].y;
		system->weight[system->rows] = 1 / (point[i].y * point[i].y);
		system->rows++;
		energy_domain_add(&system->domain, &point[i].config);
	}
}

static int solve(const struct system *system, double *t, struct err *err)
{
	memset(t, 0, ENERGY_TERMS_MAX * sizeof(*t));
	return lstsq_nonnegative(system->x, system->y, system->weight,
				 system->rows, system->terms, t, NULL, err);
}

static double value(const double *t, const struct step_config *config)
{
	double x[ENERGY_TERMS_MAX], sum = 0;

	energy_terms_of(config, x);
	for (size_t i = 0; i < energy_terms(); i++)
		sum += t[i] * x[i];
	return sum;
}

double energy_fit_value(const struct energy_fit *fit,
			const struct step_config *config)
{
	return value(fit->t, config);
}

/* ---- spread ---------------------------------------------------------------*/

/* What leaving out made of one window. */
struct score {
	double score;  /* |log ratio| / (1 + distance) */
	double ratio;  /* log(shown / predicted) */
	double weight; /* share of its group */
	size_t group;
};

static int by_score(const void *a, const void *b)
{
	double x = ((const struct score *)a)->score;
	double y = ((const struct score *)b)->score;

	return (x > y) - (x < y);
}

/* The smallest score below which lie LEVEL of (groups + 1): the one more is
 * the group still to come. `score` is sorted; group `without` is passed over. */
static double conformal(const struct score *score, size_t n, size_t without,
			size_t groups)
{
	double need = LEVEL * (double)(groups + 1) - 1e-9, sum = 0;
	double last = (double)NAN;

	for (size_t i = 0; i < n && sum < need; i++) {
		if (score[i].group == without)
			continue;
		sum += score[i].weight;
		last = score[i].score;
	}
	return last;
}

static double student(const struct score *score, size_t n, size_t without,
		      size_t groups)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		if (score[i].group != without)
			sum += score[i].weight * score[i].score *
			       score[i].score;
	return stat_student_quantile(0.5 + LEVEL / 2, (double)groups) *
	       sqrt(sum / (double)groups);
}

static double spread_of(const struct score *score, size_t n, size_t without,
			size_t groups)
{
	if (groups >= ENERGY_FIT_CONFORMAL)
		return conformal(score, n, without, groups);
	return student(score, n, without, groups);
}

/* The share of each group's windows that the spread of the other groups
 * covers; each group counts the same. */
static double coverage_of(const struct score *score, size_t n, size_t groups)
{
	double covered = 0;

	for (size_t g = 0; g < groups; g++) {
		double spread = spread_of(score, n, g, groups - 1);

		for (size_t i = 0; i < n; i++)
			if (score[i].group == g && score[i].score <= spread)
				covered += score[i].weight;
	}
	return fmin(1, covered / (double)groups);
}

/* ---- leaving out ----------------------------------------------------------*/

struct leaving {
	const struct fit_point *point;
	size_t points, terms;
	const size_t *group;
	size_t groups;
	double *error;     /* of each point */
	double *predicted; /* of each point, or NULL */
	struct score *score;
	size_t scores;
};

static void score_point(struct leaving *leaving, size_t i, double predicted,
			double distance, size_t group_runs)
{
	const struct fit_point *point = &leaving->point[i];

	leaving->error[i] = fabs(predicted / point->y - 1);
	if (leaving->predicted)
		leaving->predicted[i] = predicted;
	for (size_t r = 0; r < point->runs; r++) {
		double ratio = log(point->run[r] / predicted);

		leaving->score[leaving->scores++] = (struct score){
			.score = fabs(ratio) / (1 + distance),
			.ratio = ratio,
			.weight = 1 / (double)group_runs,
			.group = leaving->group[i],
		};
	}
}

/* 1 when it cannot be done: too few rows are left, or nothing is predicted. */
static int leave_out(struct leaving *leaving, size_t group, struct err *err)
{
	struct system system;
	double t[ENERGY_TERMS_MAX];
	size_t runs = 0;
	int result = 1;

	system_init(&system, leaving->point, leaving->points, leaving->group,
		    group, leaving->terms);
	if (system.rows > system.terms)
		result = solve(&system, t, err);
	for (size_t i = 0; i < leaving->points; i++)
		if (leaving->group[i] == group)
			runs += leaving->point[i].runs;
	for (size_t i = 0; !result && i < leaving->points; i++) {
		const struct step_config *config = &leaving->point[i].config;
		double predicted;

		if (leaving->group[i] != group)
			continue;
		predicted = value(t, config);
		if (predicted > 0)
			score_point(
				leaving, i, predicted,
				energy_domain_distance(&system.domain, config),
				runs);
		else
			result = 1;
	}
	system_done(&system);
	return result;
}

static void quantiles_of(const struct leaving *leaving, double *quantile)
{
	double *ratio = xcalloc(leaving->scores, sizeof(*ratio));

	for (size_t i = 0; i < leaving->scores; i++)
		ratio[i] = leaving->score[i].ratio;
	for (size_t i = 0; i < ENERGY_FIT_QUANTILES; i++)
		quantile[i] = stat_quantile(ratio, leaving->scores,
					    energy_fit_levels[i]);
	free(ratio);
}

static void judge(struct leaving *leaving, struct fit_check *check)
{
	size_t n = leaving->scores;

	qsort(leaving->score, n, sizeof(*leaving->score), by_score);
	check->n = leaving->points;
	check->groups = leaving->groups;
	check->median = stat_median(leaving->error, leaving->points);
	check->p95 = stat_quantile(leaving->error, leaving->points, 0.95);
	check->spread = spread_of(leaving->score, n, SIZE_MAX, leaving->groups);
	check->coverage = coverage_of(leaving->score, n, leaving->groups);
	quantiles_of(leaving, check->quantile);
}

static int check_by(const struct fit_point *point, size_t points,
		    const size_t *group, size_t groups, struct fit_check *check,
		    double *predicted, struct err *err)
{
	struct leaving leaving = { .predicted = predicted,
				   .point = point,
				   .points = points,
				   .terms = terms_for(points),
				   .group = group,
				   .groups = groups };
	size_t runs = 0;
	int result = groups < 2;

	*check = (struct fit_check){ 0 };
	for (size_t i = 0; i < points; i++)
		runs += point[i].runs;
	leaving.error = xcalloc(points, sizeof(double));
	leaving.score = xcalloc(runs, sizeof(struct score));
	for (size_t g = 0; !result && g < groups; g++)
		result = leave_out(&leaving, g, err);
	if (!result)
		judge(&leaving, check);
	free(leaving.error);
	free(leaving.score);
	return result < 0 ? -1 : 0;
}

/* ---- both -----------------------------------------------------------------*/

static size_t group_by_model(const struct fit_point *point, size_t points,
			     size_t *group)
{
	size_t groups = 0;

	for (size_t i = 0; i < points; i++) {
		size_t j = 0;

		while (j < i && strcmp(point[j].config.model.text,
				       point[i].config.model.text) != 0)
			j++;
		group[i] = j < i ? group[j] : groups++;
	}
	return groups;
}

int energy_fit_make(const struct fit_point *point, size_t points,
		    struct energy_fit *fit, double *left_out, struct err *err)
{
	struct energy_fit made = { 0 };
	struct system system;
	size_t *group, groups;
	int failed;

	if (points < ENERGY_FIT_POINTS_MIN)
		return err_set(err, EINVAL,
			       "%zu configurations carry no model (at least "
			       "%d)",
			       points, ENERGY_FIT_POINTS_MIN);
	system_init(&system, point, points, NULL, 0, terms_for(points));
	failed = solve(&system, made.t, err);
	system_done(&system);
	group = xcalloc(points, sizeof(*group));
	for (size_t i = 0; i < points; i++) {
		group[i] = i;
		if (left_out)
			left_out[i] = (double)NAN;
	}
	if (!failed)
		failed = check_by(point, points, group, points, &made.by_config,
				  left_out, err);
	groups = group_by_model(point, points, group);
	if (!failed)
		failed = check_by(point, points, group, groups, &made.by_model,
				  NULL, err);
	free(group);
	if (failed)
		return -1;
	*fit = made;
	return 0;
}

struct interval energy_fit_interval(const struct energy_fit *fit, double y,
				    double distance, bool model_is_known)
{
	double spread = fit->by_config.spread;
	struct interval bounds;
	double reach;

	if (!model_is_known && fit->by_model.n)
		spread = fmax(spread, fit->by_model.spread);
	reach = spread * (1 + distance);
	bounds.lo = y * exp(-reach);
	bounds.hi = y * exp(reach);
	return bounds;
}
