/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/smartwatts_layer.h"

#include <math.h>
#include <sha1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct smartwatts_layer *smartwatts_layer_new(
	int64_t frequency, const struct smartwatts_learning *learning)
{
	struct smartwatts_layer *layer = xcalloc(1, sizeof(*layer));

	layer->frequency = frequency;
	layer->learning = learning;
	layer->error = xcalloc(learning->error_window, sizeof(double));
	memcpy(layer->model.hash, SMARTWATTS_UNFITTED,
	       sizeof(SMARTWATTS_UNFITTED));
	return layer;
}

void smartwatts_layer_free(struct smartwatts_layer *layer)
{
	if (!layer)
		return;
	free(layer->x);
	free(layer->watts);
	free(layer->error);
	free(layer->room);
	free(layer);
}

void smartwatts_layer_sample(struct smartwatts_layer *layer, const double *x,
			     size_t events, double watts)
{
	size_t window = layer->learning->window;

	if (window == 0)
		return;
	if (!layer->x) {
		layer->events = events;
		layer->x = xcalloc(window * events + 1, sizeof(double));
		layer->watts = xcalloc(window, sizeof(double));
		layer->room = xcalloc(window * (events + 2), sizeof(double));
	}
	for (size_t j = 0; j < layer->events; j++)
		layer->x[j * window + layer->sample_next] = x[j];
	layer->watts[layer->sample_next] = watts;
	layer->sample_next = (layer->sample_next + 1) % window;
	layer->samples += layer->samples < window;
}

void smartwatts_layer_error(struct smartwatts_layer *layer, double error)
{
	size_t window = layer->learning->error_window;

	layer->error[layer->error_next] = error;
	layer->error_next = (layer->error_next + 1) % window;
	layer->errors += layer->errors < window;
}

static int compare_reals(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *value, size_t n)
{
	double *sorted = xcalloc(n, sizeof(double));
	double result;

	memcpy(sorted, value, n * sizeof(double));
	qsort(sorted, n, sizeof(double), compare_reals);
	result =
		n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
	free(sorted);
	return result;
}

double smartwatts_layer_error_of(const struct smartwatts_layer *layer)
{
	double sum = 0;

	if (!layer->errors)
		return 0;
	if (!layer->learning->mean)
		return median(layer->error, layer->errors);
	for (size_t i = 0; i < layer->errors; i++)
		sum += layer->error[i];
	return sum / (double)layer->errors;
}

/* ---- the fit ------------------------------------------------------------- */

/* Of a ring, oldest first. */
static void unroll(const double *ring, size_t n, size_t window, size_t next,
		   double *out)
{
	size_t first = n < window ? 0 : next;

	memcpy(out, ring + first, (n - first) * sizeof(double));
	memcpy(out + n - first, ring, first * sizeof(double));
}

/* SmartWatts' is the SHA-1 of a pickle, which no two versions share: what
 * matters is that models that differ have names that do. */
static void model_name_it(struct smartwatts_model *model, size_t events)
{
	struct text text = TEXT_INIT;
	SHA1_CTX context;

	for (size_t j = 0; j <= events; j++) {
		text_put_real(&text,
			      j < events ? model->coef[j] : model->intercept);
		text_put_char(&text, ' ');
	}
	SHA1Init(&context);
	SHA1Update(&context, (const uint8_t *)text.data, text.length);
	SHA1End(&context, model->hash);
	text_done(&text);
}

bool smartwatts_layer_learn(struct smartwatts_layer *layer)
{
	static const struct elastic_net net = ELASTIC_NET_SMARTWATTS;
	const struct smartwatts_learning *learning = layer->learning;
	size_t n = layer->samples, window = learning->window;
	struct smartwatts_model fresh = { .fitted = true,
					  .id = layer->model.id + 1 };
	double *x = layer->room, *y, *residual;

	layer->errors = 0;
	layer->error_next = 0;
	if (n < learning->min_samples || n == 0)
		return false;
	y = x + n * layer->events;
	residual = y + n;
	for (size_t j = 0; j < layer->events; j++)
		unroll(layer->x + j * window, n, window, layer->sample_next,
		       x + j * n);
	unroll(layer->watts, n, window, layer->sample_next, y);
	elastic_net_fit(&net, x, y, residual, n, layer->events, n == window,
			fresh.coef, &fresh.intercept);
	if (!(fresh.intercept >= 0 && fresh.intercept < learning->tdp))
		return false;
	model_name_it(&fresh, layer->events);
	layer->model = fresh;
	return true;
}

double smartwatts_layer_predict(const struct smartwatts_layer *layer,
				const double *x)
{
	double sum = 0;

	for (size_t j = 0; j < layer->events; j++)
		sum += x[j] * layer->model.coef[j];
	return sum + layer->model.intercept;
}

double smartwatts_cap(double target_w, double global_w, double intercept,
		      double *ratio)
{
	double target = target_w - intercept, global = global_w - intercept;

	*ratio = 0;
	if (!(global > 0) || !(target > 0))
		return 0;
	*ratio = target / global;
	return target + *ratio * intercept;
}

/* ---- as NumPy prints it ---------------------------------------------------- */

/* Digits behind the point that `value` needs: the fewest that read back, and
 * no more than eight, which is NumPy's precision. */
static int digits_needed(double value, bool scientific)
{
	char digits[400];

	for (int n = 0; n < 8; n++) {
		snprintf(digits, sizeof(digits), scientific ? "%.*e" : "%.*f",
			 n, value);
		if (strtod(digits, NULL) == value)
			return n;
	}
	/* Eight, less the zeros that rounding leaves behind. */
	snprintf(digits, sizeof(digits), scientific ? "%.8e" : "%.8f", value);
	for (int n = 8;; n--) {
		const char *end = strchr(digits, '.') + n;

		if (n == 0 || *end != '0')
			return n;
	}
}

struct look {
	bool scientific;
	int digits;
	size_t width;
};

static size_t put_one(const struct look *look, double value, size_t room,
		      char *out)
{
	int n = look->scientific ? look->digits : digits_needed(value, false);
	char number[400], *e;

	snprintf(number, sizeof(number), look->scientific ? "%#.*e" : "%#.*f",
		 n, value);
	e = look->scientific ? strchr(number, 'e') : NULL;
	if (!e)
		return (size_t)snprintf(out, room, "%s%*s", number,
					look->digits - n, "");
	return (size_t)snprintf(out, room, "%s", number);
}

/* numpy.array2string with its defaults: one notation for all, scientific if
 * the largest is 1e8 or more, the smallest below 1e-4, or a thousand times
 * less than the largest; 75 columns. */
static struct look look_of(const double *coef, size_t n)
{
	struct look look = { 0 };
	double most = 0, least = HUGE_VAL;
	char number[400];

	for (size_t j = 0; j < n; j++) {
		if (coef[j] == 0)
			continue;
		most = fmax(most, fabs(coef[j]));
		least = fmin(least, fabs(coef[j]));
	}
	look.scientific = most > 0 &&
			  (most >= 1e8 || least < 1e-4 || most / least > 1000);
	for (size_t j = 0; j < n; j++) {
		int digits = digits_needed(coef[j], look.scientific);

		if (digits > look.digits)
			look.digits = digits;
	}
	for (size_t j = 0; j < n; j++) {
		size_t width = put_one(&look, coef[j], sizeof(number), number);

		if (width > look.width)
			look.width = width;
	}
	return look;
}

void smartwatts_put_coef(const double *coef, size_t n, struct text *out)
{
	struct look look = look_of(coef, n);
	size_t line = 0;
	char number[400];

	text_put_char(out, '[');
	for (size_t j = 0; j < n; j++) {
		put_one(&look, coef[j], sizeof(number), number);
		if (j > 0 && line + 1 + look.width > 73) {
			text_put(out, "\n ");
			line = 0;
		} else if (j > 0) {
			text_put_char(out, ' ');
			line++;
		}
		text_printf(out, "%*s", (int)look.width, number);
		line += look.width;
	}
	text_put_char(out, ']');
}
