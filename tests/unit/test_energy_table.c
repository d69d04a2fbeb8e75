/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables of a device whose costs are known, because the test made them up. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench_record.h"
#include "bench/energy_fit.h"
#include "bench/energy_table.h"
#include "bench/energy_terms.h"
#include "bench/probe.h"
#include "lib/mem.h"
#include "lib/rng.h"

#define RUNS        5
#define RECORDS_MAX 2000

static const char *const models[] = {
	"mlp:784-32-10",  "mlp:784-64-10",      "mlp:784-128-10",
	"mlp:784-256-10", "mlp:784-256-256-10", "mlp:784-512-10",
};
static const size_t batches[] = { 8, 32, 64, 256 };

/* Noise of a configuration (what no term explains) and of a run. */
struct noise {
	double config, run;
};

static struct doc *record[RECORDS_MAX];
static size_t records;
static struct err err;

static void setup(void)
{
	records = 0;
	memset(&err, 0, sizeof(err));
}

static void teardown(void)
{
	while (records)
		doc_free(record[--records]);
}

static struct step_config config_of(const char *model, size_t batch,
				    const char *loss)
{
	struct step_config config;

	ck_assert_msg(step_config_set(&config, model, (int64_t)batch, "fp32",
				      loss, "sgd", 1, &err) == 0,
		      "%s", err.text);
	return config;
}

/* The device: seconds per step, and 20 W of them. */
static double true_seconds(const struct step_config *config)
{
	double x[ENERGY_TERMS_MAX];

	energy_terms_of(config, x);
	return 3e-6 + 1e-11 * x[energy_term_find("operations")] +
	       2e-11 * x[energy_term_find("bytes")] +
	       1e-6 * x[energy_term_find("kernels")] +
	       3e-9 * x[energy_term_find("exponentials")];
}

#define TRUE_WATTS 20

static struct bench_record window_of(const struct step_config *config,
				     size_t block, double factor)
{
	struct bench_record made = {
		.run = "0123456789abcdef",
		.device = "made-up",
		.time_ms = 1,
		.block = block,
		.config = *config,
		.steps = 1000,
		.seconds = 1000 * factor * true_seconds(config),
		.has_energy = true,
		.meter = "model",
		.has_net = true,
		.net_sigma_j = 0.1,
		.loss_value = (double)NAN,
	};

	made.energy = (struct energy){ TRUE_WATTS * made.seconds, 0.1, 0.5, 2.0,
				       ENERGY_GENERIC };
	made.net_j = made.energy.joules - 3 * made.seconds;
	return made;
}

static void add(const struct bench_record *made)
{
	ck_assert_uint_lt(records, RECORDS_MAX);
	record[records++] = bench_record_to_doc(made);
}

static void add_runs(const struct step_config *config, struct noise noise,
		     struct rng *rng)
{
	double effect = exp(noise.config * rng_normal(rng));

	for (size_t block = 0; block < RUNS; block++) {
		struct bench_record made =
			window_of(config, block,
				  effect * exp(noise.run * rng_normal(rng)));

		add(&made);
	}
}

/* Every model with every batch and both losses: 48 configurations. */
static void add_all(struct noise noise, uint64_t seed)
{
	struct rng rng = rng_stream(seed, "table test", 0, 0);

	for (size_t m = 0; m < sizeof(models) / sizeof(*models); m++)
		for (size_t b = 0; b < sizeof(batches) / sizeof(*batches); b++)
			for (int l = 0; l < 2; l++) {
				struct step_config config =
					config_of(models[m], batches[b],
						  l ? "mse" : "ce");

				add_runs(&config, noise, &rng);
			}
}

static struct energy_table *fitted(void)
{
	struct energy_table *table = energy_table_fit(
		(const struct doc *const *)record, records, &err);

	ck_assert_msg(table != NULL, "%s", err.text);
	return table;
}

static struct step_cost asked(const struct energy_table *table,
			      const char *model, size_t batch, const char *loss)
{
	struct step_config config = config_of(model, batch, loss);
	struct step_cost cost;

	ck_assert_msg(energy_table_predict(table, &config, &cost, &err) == 0,
		      "%s", err.text);
	return cost;
}

static const struct doc *validation(const struct energy_table *table,
				    const char *figure, const char *check)
{
	const struct doc *doc = doc_get(energy_table_doc(table), "validation");

	return doc_get(doc_get(doc, figure), check);
}

static double figure(const struct doc *doc, const char *key)
{
	return doc_real(doc_get(doc, key), (double)NAN);
}

/* ---- what it learns -------------------------------------------------------*/

START_TEST(a_device_without_noise_is_predicted_exactly)
{
	struct step_config config = config_of("mlp:784-200-10", 48, "ce");
	struct energy_table *table;
	struct step_cost cost;

	add_all((struct noise){ 0, 0 }, 1);
	table = fitted();
	cost = asked(table, "mlp:784-200-10", 48, "ce");
	ck_assert(!cost.measured);
	ck_assert(cost.inside_domain);
	ck_assert_double_eq_tol(cost.seconds.mean / true_seconds(&config), 1,
				1e-6);
	ck_assert_double_eq_tol(cost.joules.mean / true_seconds(&config),
				TRUE_WATTS, 1e-5);
	ck_assert(isnan(cost.joules.ci.lo));
	energy_table_free(table);
}
END_TEST

START_TEST(coefficients_are_recovered)
{
	const struct doc *fit, *terms;
	struct energy_table *table;
	double operations = (double)NAN;

	add_all((struct noise){ 0.01, 0.01 }, 1);
	table = fitted();
	fit = doc_get(energy_table_doc(table), "fit");
	terms = doc_get(doc_get(fit, "joules_per_step"), "terms");
	ck_assert_uint_eq(doc_count(terms), energy_terms());
	for (size_t i = 0; i < doc_count(terms); i++) {
		const struct doc *term = doc_at(terms, i);

		ck_assert_double_ge(figure(term, "coefficient"), 0);
		if (!strcmp(doc_string(doc_get(term, "name"), ""),
			    "operations")) {
			operations = figure(term, "coefficient");
			ck_assert_str_eq(doc_string(doc_get(term, "unit"), ""),
					 "J/operation");
		}
	}
	ck_assert_double_eq_tol(operations / (TRUE_WATTS * 1e-11), 1, 0.1);
	energy_table_free(table);
}
END_TEST

START_TEST(leaving_out_shows_the_noise_of_a_configuration)
{
	const struct doc *check;
	struct energy_table *table;

	add_all((struct noise){ 0.05, 0.01 }, 1);
	table = fitted();
	check = validation(table, "joules_per_step",
			   "leave_one_configuration_out");
	ck_assert_double_eq(figure(check, "n"), 48);
	/* The median of |N(0, 0.05)| is 0.034. */
	ck_assert_double_ge(figure(check, "relative_error_median"), 0.02);
	ck_assert_double_le(figure(check, "relative_error_median"), 0.06);
	check = validation(table, "joules_per_step", "leave_one_model_out");
	ck_assert_double_eq(figure(check, "groups"), 6);
	energy_table_free(table);
}
END_TEST

/* One more run of configurations that were not measured, on many devices: the
 * share that lies in pi95. */
static double coverage(struct noise noise, const char *model, size_t sets)
{
	size_t inside = 0, all = 0;

	for (size_t set = 0; set < sets; set++) {
		struct rng rng = rng_stream(set, "new runs", 0, 0);
		struct energy_table *table;

		add_all(noise, 100 + set);
		table = fitted();
		for (size_t batch = 12; batch <= 192; batch *= 2) {
			struct step_cost cost =
				asked(table, model, batch, "ce");
			struct step_config config =
				config_of(model, batch, "ce");
			double shown = TRUE_WATTS * true_seconds(&config) *
				       exp(noise.config * rng_normal(&rng) +
					   noise.run * rng_normal(&rng));

			inside += shown >= cost.joules.pi.lo &&
				  shown <= cost.joules.pi.hi;
			all++;
		}
		energy_table_free(table);
		teardown();
	}
	return (double)inside / (double)all;
}

START_TEST(pi95_of_a_known_model_covers_95_percent)
{
	double share =
		coverage((struct noise){ 0.04, 0.02 }, "mlp:784-128-10", 60);

	ck_assert_double_ge(share, 0.91);
	ck_assert_double_le(share, 0.99);
}
END_TEST

START_TEST(pi95_of_a_new_model_covers_at_least_as_much)
{
	double share =
		coverage((struct noise){ 0.04, 0.02 }, "mlp:784-200-10", 60);

	ck_assert_double_ge(share, 0.93);
}
END_TEST

START_TEST(published_coverage_is_what_new_runs_see)
{
	struct energy_table *table;
	double sum = 0;

	for (uint64_t set = 0; set < 20; set++) {
		add_all((struct noise){ 0.04, 0.02 }, set);
		table = fitted();
		sum += figure(validation(table, "seconds_per_step",
					 "leave_one_configuration_out"),
			      "pi95_coverage");
		energy_table_free(table);
		teardown();
	}
	ck_assert_double_ge(sum / 20, 0.92);
	ck_assert_double_le(sum / 20, 0.99);
}
END_TEST

/* ---- what was measured ----------------------------------------------------*/

START_TEST(a_measured_configuration_is_answered_from_its_repeats)
{
	struct step_config config = config_of("mlp:784-32-10", 8, "ce");
	static const double factor[RUNS] = { 0.98, 0.99, 1.0, 1.01, 1.02 };
	struct energy_table *table;
	struct step_cost cost;
	double mean = TRUE_WATTS * true_seconds(&config);

	for (size_t i = 0; i < RUNS; i++) {
		struct bench_record made = window_of(&config, i, factor[i]);

		add(&made);
	}
	table = fitted();
	cost = asked(table, "mlp:784-32-10", 8, "ce");
	ck_assert(cost.measured && cost.inside_domain);
	ck_assert_int_eq(cost.source, ENERGY_GENERIC);
	ck_assert_double_eq_tol(cost.joules.mean / mean, 1, 1e-9);
	/* s = 0.0158114, t(0.975, 4) = 2.776445: ± t s √(1 + 1/5) and
	 * ± t s / √5 */
	ck_assert_double_eq_tol(cost.joules.pi.hi / mean, 1.0480901, 1e-6);
	ck_assert_double_eq_tol(cost.joules.pi.lo / mean, 0.9519099, 1e-6);
	ck_assert_double_eq_tol(cost.joules.ci.hi / mean, 1.0196326, 1e-6);
	ck_assert_double_eq_tol(cost.meter.lo / mean, 0.5, 1e-9);
	ck_assert_double_eq_tol(cost.meter.hi / mean, 2.0, 1e-9);
	energy_table_free(table);
}
END_TEST

START_TEST(a_disturbed_window_widens_its_own_interval_only)
{
	struct step_config config = config_of("mlp:784-32-10", 8, "ce");
	struct bench_record made = window_of(&config, RUNS, 10);
	struct energy_table *calm, *disturbed;
	struct step_cost before, after;

	made.flags = PROBE_STOLEN;
	add_all((struct noise){ 0.02, 0.01 }, 1);
	calm = fitted();
	add(&made);
	disturbed = fitted();
	before = asked(calm, "mlp:784-32-10", 8, "ce");
	after = asked(disturbed, "mlp:784-32-10", 8, "ce");
	ck_assert_double_ge(after.joules.mean, 1.5 * before.joules.mean);
	ck_assert_double_ge(after.joules.pi.hi, 3 * before.joules.pi.hi);
	ck_assert_double_ge(after.joules.pi.lo, 0);
	before = asked(calm, "mlp:784-100-10", 16, "ce");
	after = asked(disturbed, "mlp:784-100-10", 16, "ce");
	ck_assert_double_eq_tol(after.joules.mean / before.joules.mean, 1,
				0.01);
	ck_assert_int_eq(
		doc_int(doc_get(energy_table_doc(disturbed), "flagged"), 0), 1);
	energy_table_free(calm);
	energy_table_free(disturbed);
}
END_TEST

START_TEST(a_single_window_borrows_the_models_interval)
{
	struct step_config config = config_of("mlp:784-300-10", 16, "ce");
	struct bench_record made = window_of(&config, 0, 1);
	struct energy_table *table;
	struct step_cost cost;

	add_all((struct noise){ 0.02, 0.01 }, 1);
	add(&made);
	table = fitted();
	cost = asked(table, "mlp:784-300-10", 16, "ce");
	ck_assert(cost.measured);
	ck_assert_double_lt(cost.joules.pi.lo, cost.joules.mean);
	ck_assert_double_gt(cost.joules.pi.hi, cost.joules.mean);
	energy_table_free(table);
}
END_TEST

/* What `figure` of the only entry is, of windows that took `factor` times the
 * true time and whose reference took `reference` seconds. */
static struct energy_table *table_of(const double *factor,
				     const double *reference,
				     const unsigned int *flags, size_t n)
{
	struct step_config config = config_of("mlp:784-32-10", 8, "ce");

	for (size_t i = 0; i < n; i++) {
		struct bench_record made = window_of(&config, i, factor[i]);

		made.reference_s = reference ? reference[i] : 0;
		made.references = 49;
		made.flags = flags ? flags[i] : 0;
		add(&made);
	}
	return fitted();
}

static const struct doc *only_entry(const struct energy_table *table)
{
	return doc_at(doc_get(energy_table_doc(table), "entries"), 0);
}

START_TEST(repeat_cv_is_that_of_the_undisturbed_windows)
{
	static const double factor[] = { 0.98, 1.0, 5.0, 1.02 };
	static const unsigned int flags[] = { 0, 0, PROBE_BUSY, 0 };
	struct energy_table *table = table_of(factor, NULL, flags, 4);

	ck_assert_double_eq_tol(figure(only_entry(table), "repeat_cv"), 0.02,
				1e-9);
	energy_table_free(table);
}
END_TEST

START_TEST(one_undisturbed_window_has_no_repeat_cv)
{
	static const double factor[] = { 1.0, 5.0 };
	static const unsigned int flags[] = { 0, PROBE_STOLEN };
	struct energy_table *table = table_of(factor, NULL, flags, 2);

	ck_assert_ptr_null(doc_get(only_entry(table), "repeat_cv"));
	energy_table_free(table);
}
END_TEST

START_TEST(windows_with_a_slow_reference_are_slowed)
{
	static const double factor[] = { 1.2, 0.99, 1.3, 1.01 };
	static const double reference[] = { 1.2e-4, 1e-4, 1.09e-4, 1.07e-4 };
	struct energy_table *table = table_of(factor, reference, NULL, 4);
	const struct doc *entry = only_entry(table);
	double median = figure(doc_get(entry, "seconds_per_step"), "median");
	double mean = figure(doc_get(entry, "seconds_per_step"), "mean");

	ck_assert_double_eq(figure(entry, "slowed"), 2);
	ck_assert_double_eq(figure(entry, "flagged"), 2);
	ck_assert_double_eq(figure(entry, "reference_s"), 1e-4);
	ck_assert_double_eq_tol(mean / median, 1.125, 1e-9);
	ck_assert_double_eq_tol(figure(entry, "repeat_cv"), 0.0141421, 1e-6);
	energy_table_free(table);
}
END_TEST

/* However slow its steps were. */
START_TEST(a_slow_window_with_a_fast_reference_is_not_slowed)
{
	static const double factor[] = { 1, 1, 3 };
	static const double reference[] = { 1e-4, 1.05e-4, 1e-4 };
	struct energy_table *table = table_of(factor, reference, NULL, 3);

	ck_assert_double_eq(figure(only_entry(table), "flagged"), 0);
	energy_table_free(table);
}
END_TEST

START_TEST(where_no_window_is_undisturbed_all_make_the_median)
{
	static const double factor[] = { 1, 2, 3 };
	static const unsigned int flags[] = { PROBE_BUSY, PROBE_BUSY,
					      PROBE_STOLEN };
	struct step_config config = config_of("mlp:784-32-10", 8, "ce");
	struct energy_table *table = table_of(factor, NULL, flags, 3);
	const struct doc *seconds =
		doc_get(only_entry(table), "seconds_per_step");

	ck_assert_double_eq_tol(
		figure(seconds, "median") / true_seconds(&config), 2, 1e-9);
	energy_table_free(table);
}
END_TEST

/* ---- where it may be asked ------------------------------------------------*/

static double width(const struct step_cost *cost)
{
	return log(cost->joules.pi.hi / cost->joules.pi.lo);
}

START_TEST(outside_of_the_domain_the_interval_widens_with_each_doubling)
{
	struct energy_table *table;
	struct step_cost edge, near, far;

	add_all((struct noise){ 0.02, 0.01 }, 1);
	table = fitted();
	edge = asked(table, "mlp:784-128-10", 250, "ce");
	near = asked(table, "mlp:784-128-10", 512, "ce");
	far = asked(table, "mlp:784-128-10", 1024, "ce");
	ck_assert(edge.inside_domain);
	ck_assert(!near.inside_domain);
	ck_assert(!far.inside_domain);
	ck_assert_double_eq_tol(width(&near) / width(&edge), 2, 1e-9);
	ck_assert_double_eq_tol(width(&far) / width(&edge), 3, 1e-9);
	energy_table_free(table);
}
END_TEST

START_TEST(a_model_beyond_the_measured_sizes_is_outside)
{
	struct energy_table *table;

	add_all((struct noise){ 0.02, 0.01 }, 1);
	table = fitted();
	ck_assert(!asked(table, "mlp:784-2048-10", 32, "ce").inside_domain);
	ck_assert(!asked(table, "mlp:16-8-2", 32, "ce").inside_domain);
	ck_assert(!asked(table, "softmax:784-10", 32, "ce").inside_domain);
	energy_table_free(table);
}
END_TEST

START_TEST(a_loss_that_was_not_measured_is_outside)
{
	struct rng rng = rng_stream(1, "ce alone", 0, 0);
	struct energy_table *table;

	for (size_t i = 0; i < 16; i++) {
		struct step_config config =
			config_of(models[i / 4], batches[i % 4], "ce");

		add_runs(&config, (struct noise){ 0.02, 0.01 }, &rng);
	}
	table = fitted();
	ck_assert(asked(table, "mlp:784-32-10", 16, "ce").inside_domain);
	ck_assert(!asked(table, "mlp:784-32-10", 16, "mse").inside_domain);
	energy_table_free(table);
}
END_TEST

START_TEST(what_no_term_stands_for_is_refused_with_a_reason)
{
	struct step_config config = config_of("mlp:784-32-10", 8, "ce");
	struct step_cost cost = { .measured = true };
	struct energy_table *table;

	add_all((struct noise){ 0.02, 0.01 }, 1);
	table = fitted();
	config.threads = 2;
	ck_assert_int_eq(energy_table_predict(table, &config, &cost, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "2 threads were not measured"));
	config.threads = 1;
	snprintf(config.precision, sizeof(config.precision), "bf16");
	ck_assert_int_eq(energy_table_predict(table, &config, &cost, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "bf16 was not measured"));
	snprintf(config.precision, sizeof(config.precision), "fp32");
	snprintf(config.optimizer, sizeof(config.optimizer), "momentum");
	ck_assert_int_eq(energy_table_predict(table, &config, &cost, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "momentum was not measured"));
	ck_assert(cost.measured);
	energy_table_free(table);
}
END_TEST

START_TEST(few_configurations_are_answered_but_not_generalised)
{
	struct step_config config = config_of("mlp:784-32-10", 8, "ce");
	struct rng rng = rng_stream(1, "few", 0, 0);
	struct energy_table *table;
	struct step_cost cost;

	add_runs(&config, (struct noise){ 0, 0.01 }, &rng);
	table = fitted();
	ck_assert(asked(table, "mlp:784-32-10", 8, "ce").measured);
	config = config_of("mlp:784-32-10", 16, "ce");
	ck_assert_int_eq(energy_table_predict(table, &config, &cost, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "carry no model"));
	ck_assert_ptr_null(doc_get(energy_table_doc(table), "fit"));
	energy_table_free(table);
}
END_TEST

START_TEST(every_number_of_configurations_gives_a_table)
{
	for (size_t n = 1; n <= 24; n++) {
		struct rng rng = rng_stream(n, "some", 0, 0);
		struct energy_table *table;

		for (size_t i = 0; i < n; i++) {
			struct step_config config =
				config_of(models[i % 6], batches[i / 6], "ce");

			add_runs(&config, (struct noise){ 0.03, 0.01 }, &rng);
		}
		table = fitted();
		ck_assert_uint_eq(energy_table_entries(table), n);
		if (n >= ENERGY_FIT_POINTS_MIN)
			ck_assert_double_gt(
				asked(table, "mlp:784-100-10", 20, "ce")
					.joules.pi.lo,
				0);
		energy_table_free(table);
		teardown();
	}
}
END_TEST

/* ---- documents ------------------------------------------------------------*/

START_TEST(the_order_of_records_does_not_matter)
{
	struct rng rng = rng_stream(1, "order", 0, 0);
	struct energy_table *table;
	char *first, *second;

	add_all((struct noise){ 0.03, 0.01 }, 1);
	table = fitted();
	first = doc_to_text(energy_table_doc(table));
	energy_table_free(table);
	for (size_t i = records; i-- > 1;) {
		size_t j = (size_t)rng_below(&rng, i + 1);
		struct doc *swap = record[i];

		record[i] = record[j];
		record[j] = swap;
	}
	table = fitted();
	second = doc_to_text(energy_table_doc(table));
	energy_table_free(table);
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
}
END_TEST

START_TEST(a_table_that_was_read_answers_as_the_one_written)
{
	struct energy_table *table, *read;
	struct step_cost cost, again;
	struct doc *doc;
	char *text;

	add_all((struct noise){ 0.03, 0.01 }, 1);
	table = fitted();
	text = doc_to_text(energy_table_doc(table));
	doc = doc_parse(text, strlen(text), &err);
	free(text);
	read = energy_table_from_doc(doc, &err);
	doc_free(doc);
	ck_assert_msg(read != NULL, "%s", err.text);
	cost = asked(table, "mlp:784-100-10", 20, "mse");
	again = asked(read, "mlp:784-100-10", 20, "mse");
	ck_assert_double_eq(cost.joules.mean, again.joules.mean);
	ck_assert_double_eq(cost.joules.pi.hi, again.joules.pi.hi);
	cost = asked(table, "mlp:784-32-10", 8, "ce");
	again = asked(read, "mlp:784-32-10", 8, "ce");
	ck_assert_double_eq(cost.seconds.pi.lo, again.seconds.pi.lo);
	ck_assert_double_eq(cost.joules.ci.lo, again.joules.ci.lo);
	ck_assert(again.measured);
	ck_assert_str_eq(energy_table_device(read), "made-up");
	ck_assert_double_eq(energy_table_meter(read).hi, 2.0);
	energy_table_free(table);
	energy_table_free(read);
}
END_TEST

START_TEST(net_figures_are_below_gross_ones)
{
	const struct doc *entry;
	struct energy_table *table;

	add_all((struct noise){ 0, 0 }, 1);
	table = fitted();
	entry = doc_at(doc_get(energy_table_doc(table), "entries"), 0);
	ck_assert_double_eq_tol(
		figure(doc_get(entry, "joules_per_step_net"), "mean") /
			figure(doc_get(entry, "joules_per_step"), "mean"),
		17.0 / 20, 1e-9);
	energy_table_free(table);
}
END_TEST

static void refused(const char *why)
{
	ck_assert_ptr_null(energy_table_fit((const struct doc *const *)record,
					    records, &err));
	ck_assert_msg(strstr(err.text, why) != NULL, "'%s' is not in '%s'", why,
		      err.text);
}

START_TEST(records_that_do_not_belong_together_are_refused)
{
	struct step_config config = config_of("mlp:784-32-10", 8, "ce");
	struct bench_record one = window_of(&config, 0, 1), other = one;

	refused("no records");
	add(&one);
	snprintf(other.device, sizeof(other.device), "another");
	add(&other);
	refused("two devices");
	doc_free(record[--records]);
	other = one;
	snprintf(other.meter, sizeof(other.meter), "powercap");
	add(&other);
	refused("--meter");
	doc_free(record[--records]);
	other = one;
	other.energy.source = ENERGY_ACCUMULATOR;
	add(&other);
	refused("source classes");
	doc_free(record[--records]);
	other = one;
	other.energy.joules = 0;
	add(&other);
	refused("record 2: energy_j is 0");
	doc_free(record[--records]);
	other = one;
	other.has_energy = false;
	add(&other);
	refused("without a meter");
}
END_TEST

/* A member of the table (its path), replaced or (NULL) taken away. */
static const struct {
	const char *path[4], *value, *says;
} damage[] = {
	{ { "schema" }, "\"fedwatts.energy-table/2\"", "bench fit" },
	{ { "device" }, NULL, "device: missing" },
	{ { "source" }, "9", "source" },
	{ { "meter_scale" }, "[2, 1]", "meter_scale" },
	{ { "entries" }, "[]", "entries" },
	{ { "entries" }, "[{}]", "entries[0]: model: missing" },
	{ { "entries" }, "[7]", "entries[0]" },
	{ { "domain" }, NULL, "domain: missing" },
	{ { "domain", "batch" }, "[0, 8]", "domain: batch" },
	{ { "domain", "losses" }, "[\"x\"]", "domain" },
	{ { "fit" }, "{}", "fit: seconds_per_step: missing" },
	{ { "fit", "joules_per_step", "terms" },
	  "[{\"name\": \"magic\", \"coefficient\": 1}]",
	  "fit: joules_per_step: terms[0]: 'magic'" },
	{ { "fit", "joules_per_step", "terms" },
	  "[{\"name\": \"step\", \"coefficient\": -1}]",
	  "below 0" },
	{ { "fit", "joules_per_step", "log_residuals" },
	  "{}",
	  "new_configuration: missing" },
	{ { "fit", "joules_per_step", "log_residuals" },
	  "{\"new_configuration\": {\"spread\": -1}}",
	  "spread" },
};

static struct doc *value_of(const char *text)
{
	char object[256];
	struct doc *doc, *value;

	if (!text)
		return NULL;
	snprintf(object, sizeof(object), "{\"v\":%s}", text);
	doc = doc_parse(object, strlen(object), &err);
	ck_assert_msg(doc != NULL, "%s", err.text);
	value = doc_copy(doc_get(doc, "v"));
	doc_free(doc);
	return value;
}

START_TEST(damaged_tables_are_refused_with_the_place)
{
	const char *const *path = damage[_i].path;
	struct energy_table *table;
	struct doc *doc, *at;

	add_all((struct noise){ 0.03, 0.01 }, 1);
	table = fitted();
	doc = doc_copy(energy_table_doc(table));
	at = doc;
	for (; path[1]; path++)
		at = (struct doc *)(uintptr_t)doc_get(at, path[0]);
	doc_set_take(at, path[0], value_of(damage[_i].value));
	ck_assert_ptr_null(energy_table_from_doc(doc, &err));
	ck_assert_msg(strstr(err.text, damage[_i].says) != NULL,
		      "'%s' is not in '%s'", damage[_i].says, err.text);
	doc_free(doc);
	energy_table_free(table);
}
END_TEST

Suite *energy_table_suite(void);
Suite *energy_table_suite(void)
{
	Suite *suite = suite_create("energy_table");
	TCase *learns = tcase_create("learns"),
	      *asked_of = tcase_create("asked"),
	      *documents = tcase_create("documents");

	tcase_add_checked_fixture(learns, setup, teardown);
	tcase_add_checked_fixture(asked_of, setup, teardown);
	tcase_add_checked_fixture(documents, setup, teardown);
	tcase_set_timeout(learns, 60);
	tcase_add_test(learns, a_device_without_noise_is_predicted_exactly);
	tcase_add_test(learns, coefficients_are_recovered);
	tcase_add_test(learns, leaving_out_shows_the_noise_of_a_configuration);
	tcase_add_test(learns, pi95_of_a_known_model_covers_95_percent);
	tcase_add_test(learns, pi95_of_a_new_model_covers_at_least_as_much);
	tcase_add_test(learns, published_coverage_is_what_new_runs_see);
	tcase_add_test(asked_of,
		       a_measured_configuration_is_answered_from_its_repeats);
	tcase_add_test(asked_of,
		       a_disturbed_window_widens_its_own_interval_only);
	tcase_add_test(asked_of, repeat_cv_is_that_of_the_undisturbed_windows);
	tcase_add_test(asked_of, one_undisturbed_window_has_no_repeat_cv);
	tcase_add_test(asked_of, windows_with_a_slow_reference_are_slowed);
	tcase_add_test(asked_of,
		       a_slow_window_with_a_fast_reference_is_not_slowed);
	tcase_add_test(asked_of,
		       where_no_window_is_undisturbed_all_make_the_median);
	tcase_add_test(asked_of, a_single_window_borrows_the_models_interval);
	tcase_add_test(
		asked_of,
		outside_of_the_domain_the_interval_widens_with_each_doubling);
	tcase_add_test(asked_of, a_model_beyond_the_measured_sizes_is_outside);
	tcase_add_test(asked_of, a_loss_that_was_not_measured_is_outside);
	tcase_add_test(asked_of,
		       what_no_term_stands_for_is_refused_with_a_reason);
	tcase_add_test(asked_of,
		       few_configurations_are_answered_but_not_generalised);
	tcase_add_test(asked_of, every_number_of_configurations_gives_a_table);
	tcase_add_test(documents, the_order_of_records_does_not_matter);
	tcase_add_test(documents,
		       a_table_that_was_read_answers_as_the_one_written);
	tcase_add_test(documents, net_figures_are_below_gross_ones);
	tcase_add_test(documents,
		       records_that_do_not_belong_together_are_refused);
	tcase_add_loop_test(documents,
			    damaged_tables_are_refused_with_the_place, 0,
			    sizeof(damage) / sizeof(*damage));
	suite_add_tcase(suite, learns);
	suite_add_tcase(suite, asked_of);
	suite_add_tcase(suite, documents);
	return suite;
}
