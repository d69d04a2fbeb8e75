/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_series.h"

#include <errno.h>
#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/source.h"
#include "lib/stat.h"

/* ---- bins ------------------------------------------------------------------- */

static void bins_halve(struct power_series *series)
{
	for (size_t i = 0; i < SERIES_BINS_MAX / 2; i++) {
		const struct series_bin *a = &series->bin[2 * i];
		const struct series_bin *b = &series->bin[2 * i + 1];

		series->bin[i] = (struct series_bin){
			.time_s = b->time_s,
			.seconds = a->seconds + b->seconds,
			.meter_j = a->meter_j + b->meter_j,
			.idle_j = a->idle_j + b->idle_j,
			.residual_j = a->residual_j + b->residual_j,
		};
	}
	for (size_t t = 0; t < series->targets; t++) {
		float *joules = series->target[t].bin_j;

		for (size_t i = 0; i < SERIES_BINS_MAX / 2; i++)
			joules[i] = joules[2 * i] + joules[2 * i + 1];
		memset(joules + SERIES_BINS_MAX / 2, 0,
		       SERIES_BINS_MAX / 2 * sizeof(*joules));
	}
	series->bins = SERIES_BINS_MAX / 2;
	series->ticks_per_bin *= 2;
	series->in_last = series->ticks_per_bin;
}

/* Where the tick at hand goes. */
static struct series_bin *bin_next(struct power_series *series)
{
	struct series_bin *bin;

	if (series->bins && series->in_last < series->ticks_per_bin) {
		series->in_last++;
		return &series->bin[series->bins - 1];
	}
	if (series->bins == SERIES_BINS_MAX)
		bins_halve(series);
	bin = &series->bin[series->bins++];
	*bin = (struct series_bin){ 0 };
	series->in_last = 1;
	return bin;
}

double power_series_watts(const struct power_series *series,
			  const struct series_target *target, size_t bin)
{
	double seconds = series->bin[bin].seconds;

	return seconds > 0 ? (double)target->bin_j[bin] / seconds : (double)NAN;
}

/* ---- the end of a tick --------------------------------------------------------- */

static void residual_keep(struct power_series *series, double residual)
{
	series->residual_worst = fmax(series->residual_worst, fabs(residual));
	if (series->ticks % series->residual_stride)
		return;
	if (series->residuals == SERIES_RESIDUALS_MAX) {
		series->residuals /= 2;
		for (size_t i = 0; i < series->residuals; i++)
			series->residual[i] = series->residual[2 * i];
		series->residual_stride *= 2;
	}
	series->residual[series->residuals++] = residual;
}

static void coverage_add(struct power_series *series, double residual)
{
	if (isnan(series->tick_sigma_w))
		return;
	series->sigmas++;
	series->within_1 += fabs(residual) <= series->tick_sigma_w;
	series->within_2 += fabs(residual) <=
			    stat_normal_quantile(0.975) * series->tick_sigma_w;
}

static void tick_end(struct power_series *series)
{
	double sum =
		series->has_model ? series->tick_model_w : series->tick_sum_w;
	double residual = series->tick_meter_w - sum;
	double elapsed = series->elapsed_s;
	struct series_bin *bin;

	if (!series->begun)
		return;
	bin = bin_next(series);
	bin->time_s = 1e-3 * (double)series->time_ms;
	bin->seconds += elapsed;
	bin->meter_j += series->tick_meter_w * elapsed;
	bin->idle_j += series->tick_idle_w * elapsed;
	bin->residual_j += residual * elapsed;
	for (size_t t = 0; t < series->targets; t++) {
		struct series_target *target = &series->target[t];

		target->bin_j[series->bins - 1] +=
			(float)(target->tick_w * elapsed);
		target->joules += target->tick_w * elapsed;
		target->tick_w = 0;
	}
	series->seconds += elapsed;
	series->meter_j += series->tick_meter_w * elapsed;
	if (!isnan(residual)) {
		residual_keep(series, residual);
		coverage_add(series, residual);
	}
	series->ticks++;
}

/* ---- rows ------------------------------------------------------------------------ */

static void keep(char **at, const char *now)
{
	if (!now || (*at && !strcmp(*at, now)))
		return;
	free(*at);
	*at = xstrdup(now);
}

static void tick_begin(struct power_series *series, const struct power_row *row)
{
	double between =
		series->begun ? 1e-3 * (double)(row->time_ms - series->time_ms)
			      : 0;

	tick_end(series);
	series->begun = true;
	series->time_ms = row->time_ms;
	series->elapsed_s = isnan(row->elapsed_s) ? between : row->elapsed_s;
	series->tick_meter_w = row->meter_w;
	series->tick_idle_w = row->idle_w;
	series->tick_sum_w = series->tick_model_w = 0;
	series->tick_sigma_w = (double)NAN;
	series->has_model = false;
	keep(&series->meter, row->meter);
	keep(&series->idle_from, row->idle_from);
	if (row->source > series->source) {
		series->source = row->source;
		keep(&series->estimated, row->estimated);
	}
}

static int compare_targets(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What the tree knows of a target; its name first, for the comparison. */
struct known {
	char *target;
	size_t index;
};

static void known_free(void *known)
{
	free(((struct known *)known)->target);
	free(known);
}

static struct series_target *target_of(struct power_series *series,
				       const struct power_row *row)
{
	const struct known want = { (char *)(uintptr_t)row->target, 0 };
	struct known *const *at = tfind(&want, &series->tree, compare_targets);
	struct series_target *target;
	struct text name = TEXT_INIT;
	struct known *fresh;

	if (at)
		return &series->target[(*at)->index];
	if (series->targets == SERIES_TARGETS_MAX) {
		series->left_out++;
		return NULL;
	}
	fresh = xcalloc(1, sizeof(*fresh));
	*fresh = (struct known){ xstrdup(row->target), series->targets };
	if (!tsearch(fresh, &series->tree, compare_targets))
		abort(); /* out of memory, as in lib/mem.h */
	series->target = mem_grow(series->target, &series->target_capacity,
				  series->targets + 1, sizeof(*target));
	target = &series->target[series->targets++];
	power_row_name(row, &name);
	*target = (struct series_target){
		.name = text_take(&name),
		.target = xstrdup(row->target),
		.part = row->part,
		.within = row->within != NULL,
		.bin_j = xcalloc(SERIES_BINS_MAX, sizeof(float)),
	};
	return target;
}

static double known_w(double watts)
{
	return isnan(watts) ? 0 : watts;
}

static void row_add(struct power_series *series, const struct power_row *row)
{
	struct series_target *target;

	if (!series->begun || row->time_ms > series->time_ms)
		tick_begin(series, row);
	if (row->time_ms < series->time_ms) {
		series->late++;
		return;
	}
	if (row->part == POWER_PART_METER) {
		series->smartwatts = true;
		series->tick_meter_w =
			known_w(series->tick_meter_w) + row->watts;
	}
	if (row->part == POWER_PART_MODEL) {
		series->has_model = true;
		series->tick_model_w += row->watts;
	}
	if (row->part == POWER_PART_METER || row->part == POWER_PART_MODEL)
		return;
	target = target_of(series, row);
	if (!target)
		return;
	target->tick_w += row->watts;
	if (!isnan(row->sigma_w))
		target->variance += pow(row->sigma_w * series->elapsed_s, 2);
	if (!power_row_is_part(row))
		return;
	series->tick_sum_w += row->watts;
	series->tick_sigma_w =
		fmin(series->tick_sigma_w, power_row_meter_sigma_w(row));
}

/* ---- places ------------------------------------------------------------------------ */

struct reading {
	struct power_history *history;
	const char *uri;
	size_t first; /* series of this place begin here */
};

static struct power_series *series_of(struct reading *reading,
				      const struct power_row *row,
				      struct err *err)
{
	struct power_history *history = reading->history;
	struct power_series *series;

	for (size_t i = reading->first; i < history->count; i++) {
		series = history->series[i];
		if (!strcmp(series->sensor, row->sensor) &&
		    !strcmp(series->policy, row->policy))
			return series;
	}
	if (history->count == SERIES_MAX) {
		err_set(err, E2BIG,
			"more than %d combinations of place, sensor and idle "
			"policy on one page",
			SERIES_MAX);
		return NULL;
	}
	series = xcalloc(1, sizeof(*series));
	series->sensor = xstrdup(row->sensor);
	series->policy = xstrdup(row->policy);
	series->source = POWER_ROW_NO_CLASS;
	series->ticks_per_bin = 1;
	series->residual = xcalloc(SERIES_RESIDUALS_MAX, sizeof(double));
	series->residual_stride = 1;
	history->series[history->count++] = series;
	return series;
}

static struct model_error *error_of(struct power_history *history,
				    const char *label)
{
	struct model_error *error;

	for (size_t i = 0; i < history->errors; i++)
		if (!strcmp(history->error[i].label, label))
			return &history->error[i];
	if (history->errors == SERIES_ERRORS_MAX)
		return NULL;
	error = &history->error[history->errors++];
	error->label = xstrdup(label);
	error->stride = 1;
	return error;
}

/* A formula report: the error of a model, in W. */
static void error_add(struct power_history *history, const struct doc *doc)
{
	const struct doc *metadata = doc_get(doc, "metadata");
	double watts = doc_real(doc_get(metadata, "error"), (double)NAN);
	char *label = xasprintf("%s %s",
				doc_string(doc_get(metadata, "scope"), "cpu"),
				doc_string(doc_get(metadata, "socket"), "0"));
	struct model_error *error;
	int64_t time_ms;

	error = isnan(watts) ? NULL : error_of(history, label);
	free(label);
	if (!error || !source_time_ms(doc_get(doc, "timestamp"), &time_ms) ||
	    error->seen++ % error->stride)
		return;
	if (error->count == SERIES_RESIDUALS_MAX) {
		error->count /= 2;
		error->stride *= 2;
		for (size_t i = 0; i < error->count; i++) {
			error->time_s[i] = error->time_s[2 * i];
			error->error_w[i] = error->error_w[2 * i];
		}
	}
	if (!error->time_s) {
		error->time_s = xcalloc(SERIES_RESIDUALS_MAX, sizeof(double));
		error->error_w = xcalloc(SERIES_RESIDUALS_MAX, sizeof(double));
	}
	error->time_s[error->count] = 1e-3 * (double)time_ms;
	error->error_w[error->count++] = watts;
}

static int doc_add(struct reading *reading, const struct doc *doc,
		   struct err *err)
{
	struct power_series *series;
	struct power_row row;
	int got = power_row_read(doc, &row, err);

	if (got < 0)
		return -1;
	if (got == 0) {
		if (!doc_get(doc, "schema"))
			error_add(reading->history, doc);
		return 0;
	}
	series = series_of(reading, &row, err);
	if (!series)
		return -1;
	keep(&series->formula, row.formula);
	row_add(series, &row);
	return 0;
}

static const char *base_of(const char *uri)
{
	const char *slash = strrchr(uri, '/');

	return slash && slash[1] ? slash + 1 : uri;
}

/* Called by its place, and by its sensor and policy where there are several. */
static void label_set(struct power_series *series, const struct reading *of)
{
	const struct power_history *history = of->history;
	bool sensors = false, policies = false;

	for (size_t i = of->first; i < history->count; i++) {
		sensors |=
			strcmp(history->series[i]->sensor, series->sensor) != 0;
		policies |=
			strcmp(history->series[i]->policy, series->policy) != 0;
	}
	series->label =
		xasprintf("%s%s%s%s%s", base_of(of->uri), sensors ? ", " : "",
			  sensors ? series->sensor : "", policies ? ", " : "",
			  policies ? series->policy : "");
}

int power_history_read(struct power_history *history, const char *uri,
		       struct err *err)
{
	struct reading reading = { history, uri, history->count };
	size_t errors = history->errors;
	struct source *source = source_open(uri, NULL, err);
	struct doc *doc;
	int got = source ? 1 : -1;

	while (got > 0 && (got = source_next(source, &doc, err)) > 0) {
		if (doc_add(&reading, doc, err) < 0) {
			err_wrap(err, "%s", source_where(source));
			got = -1;
		}
		doc_free(doc);
	}
	source_close(source);
	for (size_t i = reading.first; i < history->count; i++) {
		tick_end(history->series[i]);
		label_set(history->series[i], &reading);
	}
	if (got == 0 && history->count == reading.first &&
	    history->errors == errors) {
		err_set(err, ENODATA, "no power reports in %s", uri);
		got = err_remedy(err, "formula --from REPORTS --to POWER makes "
				      "them of a sensor's");
	}
	return got;
}

static void series_free(struct power_series *series)
{
	for (size_t t = 0; t < series->targets; t++) {
		free(series->target[t].name);
		free(series->target[t].target);
		free(series->target[t].bin_j);
	}
	tdestroy(series->tree, known_free);
	free(series->target);
	free(series->residual);
	free(series->label);
	free(series->sensor);
	free(series->policy);
	free(series->meter);
	free(series->formula);
	free(series->idle_from);
	free(series->estimated);
	free(series);
}

void power_history_done(struct power_history *history)
{
	for (size_t i = 0; i < history->count; i++)
		series_free(history->series[i]);
	for (size_t i = 0; i < history->errors; i++) {
		free(history->error[i].label);
		free(history->error[i].time_s);
		free(history->error[i].error_w);
	}
	*history = (struct power_history){ 0 };
}
