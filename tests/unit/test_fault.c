/* SPDX-License-Identifier: BSD-3-Clause */
/* What can go wrong with a counter, one row each: what is read, and when; how
 * many joules that may be at most, and what must be said of it.  Every fault is
 * told from every other by its sentence, and no joule is ever negative. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rng.h"
#include "lib/text.h"
#include "sensor/domain.h"
#include "sensor/meter.h"
#include "sensor/meter_kind.h"

#define READS 12
#define GONE  METER_COUNT_GONE

/* RAPL as powercap shows it: microjoules, and 262 kJ before it wraps. */
#define RANGE UINT64_C(262143328850)
#define JOULE UINT64_C(1000000)

struct fault {
	const char *name;
	/* 0 W before the first read, then one column a read; 0 ends it. */
	uint64_t count[READS];
	double interval_s; /* between two reads */
	size_t sleep_at;   /* before that read the machine slept … */
	double sleep_s;
	size_t step_at; /* before that one the wall clock was set … */
	double step_s;
	double joules; /* in all */
	enum meter_state state;
	const char *says; /* "": nothing at all */
};

/* clang-format off */
static const struct fault faults[] = {
	{ "nothing", { 10 * JOULE, 20 * JOULE, 30 * JOULE }, 1, 0, 0, 0, 0,
	  20, METER_ALIVE, "" },
	{ "wrap", { RANGE - 5 * JOULE, RANGE - JOULE, 4 * JOULE, 9 * JOULE },
	  1, 0, 0, 0, 0, 14, METER_ALIVE, "" },
	{ "wrap within a guard's time", { RANGE - JOULE, 2000 * JOULE }, 30,
	  0, 0, 0, 0, 2001, METER_ALIVE, "" },
	{ "double wrap", { RANGE - JOULE, 2 * JOULE, 4 * JOULE }, 600,
	  0, 0, 0, 0, 5, METER_ALIVE, "may have wrapped more than once" },
	{ "reset", { 5000 * JOULE, 5010 * JOULE, 3 * JOULE, 8 * JOULE }, 1,
	  0, 0, 0, 0, 18, METER_ALIVE, "was reset" },
	{ "jump", { 5 * JOULE, 90000 * JOULE, 90005 * JOULE }, 1,
	  0, 0, 0, 0, 5, METER_ALIVE, "jumped further ahead" },
	{ "dies later", { 5 * JOULE, 9 * JOULE, 9 * JOULE, 9 * JOULE,
	  9 * JOULE }, 4, 0, 0, 0, 0, 4, METER_DEAD,
	  "has not advanced for 12 s: dead" },
	{ "pauses", { 5 * JOULE, 9 * JOULE, 9 * JOULE, 9 * JOULE, 12 * JOULE },
	  4, 0, 0, 0, 0, 7, METER_ALIVE, "" },
	{ "suspend, the counter goes on", { 5 * JOULE, 15 * JOULE, 40 * JOULE,
	  50 * JOULE }, 1, 2, 3600, 0, 0, 45, METER_ALIVE,
	  "was suspended for 3600.0 s" },
	{ "suspend, the counter starts again", { 9000 * JOULE, 9010 * JOULE,
	  2 * JOULE, 12 * JOULE }, 1, 2, 36000, 0, 0, 22, METER_ALIVE,
	  "was reset" },
	{ "unplugged", { 5 * JOULE, 15 * JOULE, GONE, GONE }, 1, 0, 0, 0, 0,
	  10, METER_GONE, "gone (unplugged, offline)" },
	{ "clock step ahead", { 5 * JOULE, 15 * JOULE, 25 * JOULE }, 1, 0, 0,
	  1, 86400, 20, METER_ALIVE, "" },
	{ "clock step back", { 5 * JOULE, 15 * JOULE, 25 * JOULE }, 1, 0, 0,
	  1, -86400, 20, METER_ALIVE, "" },
	{ "negative noise", { 5 * JOULE, 15 * JOULE, 15 * JOULE - 10,
	  15 * JOULE + 5, 25 * JOULE }, 1, 0, 0, 0, 0, 20, METER_ALIVE, "" },
	{ "negative noise at the wrap", { RANGE - 20, RANGE - 3, RANGE - 9,
	  10 * JOULE }, 1, 0, 0, 0, 0, 10, METER_ALIVE, "" },
};
/* clang-format on */
#define FAULTS (int)(sizeof(faults) / sizeof(faults[0]))

/* ---- a counter that plays a row ------------------------------------------- */

static struct {
	const uint64_t *count;
	size_t reads, at;
	uint64_t range;
	double plausible_w;
} play;

static void *play_open(const char *argument, const struct meter_place *place,
		       struct meter_parts *parts, struct err *err)
{
	struct meter_counter *counter = meter_parts_add(parts);

	(void)argument;
	(void)place;
	(void)err;
	domain_rapl(&parts->domain[0], DOMAIN_PACKAGE, 0);
	parts->domain[0].resolution_j = 1e-6;
	counter->count_j = 1e-6;
	counter->range = play.range;
	counter->plausible_w = play.plausible_w;
	counter->still_s = METER_STILL_S;
	play.at = 0;
	return &play;
}

static int play_read(void *self, uint64_t *count, struct err *err)
{
	(void)self;
	(void)err;
	count[0] = play.count[play.at < play.reads ? play.at : play.reads - 1];
	return 0;
}

static void play_close(void *self)
{
	(void)self;
}

static const struct meter_kind play_kind = {
	.name = "play",
	.proof = METER_PROOF_FORM,
	.source = ENERGY_ACCUMULATOR,
	.open = play_open,
	.read = play_read,
	.close = play_close,
};

static struct clock_virtual now;

static struct meter *play_start(const uint64_t *count, size_t reads)
{
	struct meter_place place = { .clock = &now.clock, .state = "" };
	struct meter *meter;

	play.count = count;
	play.reads = reads;
	clock_virtual_init(&now, 1700000000000);
	meter = meter_open_kind(&play_kind, NULL, &place, NULL);
	ck_assert_ptr_nonnull(meter);
	return meter;
}

static double step_joules(struct meter *meter, struct meter_reading *before)
{
	struct meter_reading after;
	struct energy energy;

	ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
	meter_between(meter, before, &after, &energy);
	ck_assert(!(energy.joules < 0));
	ck_assert(!(energy.sigma_j < 0));
	*before = after;
	return isnan(energy.joules) ? 0 : energy.joules;
}

START_TEST(every_fault_is_told_by_name)
{
	const struct fault *fault = &faults[_i];
	struct meter_reading before;
	struct meter *meter;
	double joules = 0;
	size_t reads = 0;

	while (reads < READS && fault->count[reads])
		reads++;
	play.range = RANGE;
	play.plausible_w = METER_PLAUSIBLE_W;
	meter = play_start(fault->count, reads);
	ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
	for (play.at = 1; play.at < reads; play.at++) {
		clock_virtual_set_ns(
			&now, now.ns + (int64_t)(1e9 * fault->interval_s));
		if (fault->sleep_at == play.at)
			now.slept_ns += (int64_t)(1e9 * fault->sleep_s);
		if (fault->step_at == play.at)
			now.wall_start_ms += (int64_t)(1e3 * fault->step_s);
		joules += step_joules(meter, &before);
	}
	ck_assert_msg(fabs(joules - fault->joules) < 1e-4, "%s: %.6f J",
		      fault->name, joules);
	ck_assert_msg(meter_domain(meter, 0)->state == fault->state, "%s",
		      fault->name);
	ck_assert_msg(fault->says[0] ? strstr(meter_remarks(meter),
					      fault->says) != NULL
				     : meter_remarks(meter)[0] == '\0',
		      "%s: '%s'", fault->name, meter_remarks(meter));
	/* Told apart: what it says is not what another fault says. */
	for (int i = 0; i < FAULTS; i++)
		if (faults[i].says[0] &&
		    strcmp(faults[i].says, fault->says) != 0 &&
		    !fault->sleep_at)
			ck_assert_msg(
				!strstr(meter_remarks(meter), faults[i].says),
				"%s: %s", fault->name, meter_remarks(meter));
	meter_close(meter);
}
END_TEST

/* ---- whatever is read ------------------------------------------------------ */

START_TEST(no_joule_is_negative_whatever_is_read)
{
	struct rng rng = rng_stream(1, "fault anything", 0, 0);
	uint64_t count[400];

	for (int round = 0; round < 50; round++) {
		struct meter_reading before;
		struct meter *meter;

		for (size_t i = 0; i < 400; i++)
			count[i] = rng_u64(&rng) >> rng_below(&rng, 64);
		play.range = round % 2 ? RANGE : 0;
		play.plausible_w = round % 3 ? METER_PLAUSIBLE_W : 0;
		meter = play_start(count, 400);
		ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
		for (play.at = 1; play.at < 400; play.at++) {
			clock_virtual_set_ns(
				&now,
				now.ns + (int64_t)rng_below(&rng, 40000000000));
			now.slept_ns += rng_below(&rng, 20) ? 0 : 5000000000;
			step_joules(meter, &before);
		}
		meter_close(meter);
	}
}
END_TEST

/* ---- a machine whose tools did not unwrap ---------------------------------- */

#define SAMPLES_MAX 4096

/* 2^32 units of 2^-16 J. */
#define RANGE_SMALL (UINT64_C(65536) * JOULE)

/* "103.27 78.26" a second: watts of two sockets, negative where a tool took a
 * wrap for a difference.  What its counter must have read is their sum modulo
 * its range; read by us it never goes back. */
static size_t read_watts(FILE *file, double *watts)
{
	char line[256];
	size_t n = 0;

	while (n < SAMPLES_MAX && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*f %lf", &watts[n]) == 1)
			n++;
	return n;
}

static size_t read_recording(double *watts)
{
	const char *shared = getenv("FEDWATTS_SHARED");
	char command[1024];
	size_t samples;
	FILE *file;

	snprintf(command, sizeof(command),
		 "tar -xJOf '%s/data/stressng_ncpu_rapl/"
		 "raw_int64_iter0_subset.tar.xz' 2>/dev/null",
		 shared ? shared : ".");
	file = popen(command, "re");
	ck_assert_ptr_nonnull(file);
	samples = read_watts(file, watts);
	return pclose(file) == 0 ? samples : 0;
}

START_TEST(what_a_peer_published_as_negative_watts_is_a_wrap)
{
	static double watts[SAMPLES_MAX];
	static uint64_t count[SAMPLES_MAX + 1];
	size_t samples = read_recording(watts), negative = 0;
	double truth_j = 0, joules = 0;
	struct meter_reading before;
	struct meter *meter;

	if (!samples) {
		printf("skip: stressng_ncpu_rapl is not here "
		       "(FEDWATTS_SHARED)\n");
		return;
	}
	for (size_t i = 0; i < samples; i++) {
		int64_t step_uj = (int64_t)(1e6 * watts[i]);

		negative += step_uj < 0;
		step_uj += step_uj < 0 ? (int64_t)RANGE_SMALL : 0;
		count[i + 1] = (count[i] + (uint64_t)step_uj) % RANGE_SMALL;
		truth_j += 1e-6 * (double)step_uj;
	}
	play.range = RANGE_SMALL;
	play.plausible_w = METER_PLAUSIBLE_W;
	meter = play_start(count, samples + 1);
	ck_assert_int_eq(meter_read(meter, &before, NULL), 0);
	for (play.at = 1; play.at <= samples; play.at++) {
		clock_virtual_set_ns(&now, now.ns + 1000000000);
		joules += step_joules(meter, &before);
	}
	ck_assert_uint_gt(negative, 0);
	ck_assert_double_eq_tol(joules, truth_j, 1e-3);
	ck_assert_double_lt(joules, 400.0 * (double)samples);
	ck_assert_str_eq(meter_remarks(meter), "");
	meter_close(meter);
}
END_TEST

Suite *fault_suite(void);
Suite *fault_suite(void)
{
	Suite *suite = suite_create("fault");
	TCase *tcase = tcase_create("fault");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, every_fault_is_told_by_name, 0, FAULTS);
	tcase_add_test(tcase, no_joule_is_negative_whatever_is_read);
	tcase_add_test(tcase,
		       what_a_peer_published_as_negative_watts_is_a_wrap);
	suite_add_tcase(suite, tcase);
	return suite;
}
