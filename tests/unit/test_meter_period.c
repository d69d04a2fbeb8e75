/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/csv.h"
#include "lib/rng.h"
#include "sensor/domain.h"
#include "sensor/meter_period.h"

#define MS INT64_C(1000000)

START_TEST(a_grid_is_found_with_its_phase_though_updates_were_missed)
{
	struct rng rng = rng_stream(1, "meter period", 0, 0);
	int64_t edge_ns[METER_EDGES_MAX], at = 77 * 1000 * MS + 300000;
	int64_t phase_ns = 0;
	double period_s = 0;

	for (size_t i = 0; i < METER_EDGES_MAX; i++) {
		edge_ns[i] = at + (int64_t)rng_below(&rng, 40000);
		at += rng_below(&rng, 8) ? MS : 2 * MS;
	}
	ck_assert(meter_period_fit(edge_ns, METER_EDGES_MAX, &period_s,
				   &phase_ns));
	ck_assert_double_eq_tol(period_s, 1e-3, 3e-6);
	/* The grid goes through the middle of what was seen. */
	ck_assert_double_eq_tol(
		remainder((double)edge_ns[10] - (double)phase_ns,
			  1e9 * period_s),
		0, 60000);
}
END_TEST

START_TEST(what_is_no_grid_is_none)
{
	int64_t edge_ns[METER_EDGES_MAX] = { 0 }, phase_ns;
	double period_s;

	ck_assert(!meter_period_fit(edge_ns, 0, &period_s, &phase_ns));
	ck_assert(!meter_period_fit(edge_ns, 3, &period_s, &phase_ns));
	ck_assert(!meter_period_fit(edge_ns, 10, &period_s, &phase_ns));
}
END_TEST

/* Times between updates of real RAPL counters, from the public traces. */
static void check_trace(const char *cpu, double least, double most)
{
	const char *shared = getenv("FEDWATTS_SHARED");
	int64_t edge_ns[METER_EDGES_MAX], phase_ns;
	char path[512];
	double at_ms = 0, gap_ms, period_s = 0, worst = 0;
	int found = 0, tried = 0;
	struct csv *csv;
	size_t n = 0;

	snprintf(path, sizeof(path),
		 "%s/data/rapl_dram_vs_shunt/RAPL_Update_Interval_%s.csv.gz",
		 shared ? shared : ".", cpu);
	csv = csv_open(path, ',', NULL);
	if (!csv) {
		printf("skip: rapl_dram_vs_shunt is not here "
		       "(FEDWATTS_SHARED)\n");
		return;
	}
	csv_next(csv, NULL);
	while (csv_next(csv, NULL) > 0) {
		ck_assert_int_eq(csv_real(csv, 3, &gap_ms, NULL), 0);
		at_ms += gap_ms;
		edge_ns[n++] = (int64_t)(1e6 * at_ms);
		if (n < METER_EDGES_MAX)
			continue;
		n = 0;
		tried++;
		if (!meter_period_fit(edge_ns, METER_EDGES_MAX, &period_s,
				      &phase_ns))
			continue;
		found++;
		worst = fmax(worst, fabs(period_s - 1e-3));
	}
	csv_close(csv);
	ck_assert_int_gt(tried, 100);
	ck_assert_msg(found >= least * tried && found <= most * tried,
		      "%s: %d of %d", cpu, found, tried);
	ck_assert_msg(most < 1 || worst < 5e-6, "%s: off by %g s", cpu, worst);
}

START_TEST(the_millisecond_of_real_counters_is_found)
{
	/* Ice Lake's updates scatter by 0.27 ms: there is no telling where its
	 * grid lies, and none is claimed. */
	static const struct {
		const char *cpu;
		double least, most;
	} traces[] = { { "Broadwell", 1, 1 },
		       { "KNL", 1, 1 },
		       { "IceLake", 0, 0.02 } };

	check_trace(traces[_i].cpu, traces[_i].least, traces[_i].most);
}
END_TEST

/* ---- a counter that moves every 2 ms of real time ---------------------------- */

static void *timed_open(const char *argument, const struct meter_place *place,
			struct meter_parts *parts, struct err *err)
{
	struct meter_counter *counter = meter_parts_add(parts);

	(void)argument;
	(void)place;
	(void)err;
	domain_rapl(&parts->domain[0], DOMAIN_PACKAGE, 0);
	parts->domain[0].period_s = 1e-3;
	counter->count_j = 1e-6;
	return parts;
}

static int timed_read(void *self, uint64_t *count, struct err *err)
{
	(void)self;
	(void)err;
	count[0] = (uint64_t)(clock_now_ns(clock_real()) / (2 * MS));
	return 0;
}

static void timed_close(void *self)
{
	(void)self;
}

START_TEST(it_is_found_at_the_start)
{
	static const struct meter_kind kind = {
		.name = "timed",
		.proof = METER_PROOF_LOAD,
		.source = ENERGY_ACCUMULATOR,
		.open = timed_open,
		.read = timed_read,
		.close = timed_close,
	};
	struct meter_place place = { .state = "" };
	bool found = false;

	/* Whoever is interrupted while it watches sees another grid. */
	for (int i = 0; i < 20 && !found; i++) {
		struct meter *meter =
			meter_open_kind(&kind, NULL, &place, NULL);
		const struct meter_domain *domain = meter_domain(meter, 0);

		found = domain->period_seen &&
			fabs(domain->period_s - 2e-3) < 1e-4;
		meter_close(meter);
	}
	ck_assert(found);
}
END_TEST

Suite *meter_period_suite(void);
Suite *meter_period_suite(void)
{
	Suite *suite = suite_create("meter_period");
	TCase *tcase = tcase_create("meter_period");

	tcase_add_test(
		tcase,
		a_grid_is_found_with_its_phase_though_updates_were_missed);
	tcase_add_test(tcase, what_is_no_grid_is_none);
	tcase_add_loop_test(tcase, the_millisecond_of_real_counters_is_found, 0,
			    3);
	tcase_add_test(tcase, it_is_found_at_the_start);
	suite_add_tcase(suite, tcase);
	return suite;
}
