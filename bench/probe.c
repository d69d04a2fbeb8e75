/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/probe.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/reference.h"
#include "bench/throttle.h"
#include "lib/mem.h"
#include "sensor/cputime.h"

/* Half of what a meter may be left unread. */
#define GUARD_NS ((int64_t)(METER_GUARD_S * 1e9) / 2)

#define REFERENCE_NS ((int64_t)(PROBE_REFERENCE_S * 1e9))

/* A half with fewer steps says nothing about steadiness. */
#define HALF_STEPS_MIN 4

struct probe {
	struct meter *const *meter;
	size_t meters;
	struct clock *clock;
	struct cputime *cputime;
	struct throttle *throttle;
	struct reference *reference;
	void (*pass)(void); /* instead of it, in tests */
	/* the window at hand */
	struct meter_reading before[PROBE_METERS_MAX];
	struct cputime_reading cputime_before;
	uint64_t throttled_before;
	int64_t time_ms, begin_ns, end_ns, duration_ns;
	int64_t thread_cpu_ns; /* at the beginning, then: used */
	int64_t guard_ns;      /* when meters were last read */
	int64_t passes_ns;     /* what the passes took together */
	int64_t next_pass_ns;
	uint64_t passes;
	uint64_t steps, next_check;
	uint64_t half_steps;
	int64_t half_ns;
	bool failed;
	struct err err; /* why */
};

const char *probe_flag_name(size_t index)
{
	static const char *const names[] = { "cold",   "throttled", "unsteady",
					     "stolen", "contended", "busy",
					     "slowed" };

	return index < sizeof(names) / sizeof(*names) ? names[index] : NULL;
}

struct probe *probe_open(struct meter *const *meter, size_t meters,
			 const struct probe_place *place, struct err *err)
{
	struct probe *probe = xcalloc(1, sizeof(*probe));
	const char *sys = place ? place->sys : NULL;

	assert(meters <= PROBE_METERS_MAX);
	probe->meter = meter;
	probe->meters = meters;
	probe->clock = place && place->clock ? place->clock : clock_real();
	probe->pass = place ? place->pass : NULL;
	probe->reference = reference_new();
	probe->throttle = throttle_open(sys ? sys : "/sys");
	probe->cputime = cputime_open(place ? place->proc : NULL, err);
	if (probe->cputime)
		return probe;
	probe_close(probe);
	return NULL;
}

void probe_close(struct probe *probe)
{
	if (!probe)
		return;
	cputime_close(probe->cputime);
	throttle_close(probe->throttle);
	reference_free(probe->reference);
	free(probe);
}

static int read_meters(struct probe *probe, struct meter_reading *reading,
		       struct err *err)
{
	for (size_t i = 0; i < probe->meters; i++)
		if (meter_read(probe->meter[i], &reading[i], err) < 0)
			return -1;
	return 0;
}

int probe_begin(struct probe *probe, double seconds, struct err *err)
{
	probe->steps = 0;
	probe->next_check = 1;
	probe->half_steps = 0;
	probe->half_ns = 0;
	probe->passes = 0;
	probe->passes_ns = 0;
	probe->failed = false;
	probe->end_ns = 0;
	probe->duration_ns = llround(seconds * 1e9);
	probe->throttled_before = throttle_count(probe->throttle);
	if (cputime_read(probe->cputime, &probe->cputime_before, err) < 0 ||
	    read_meters(probe, probe->before, err) < 0)
		return -1;
	probe->time_ms = clock_wall_ms(probe->clock);
	probe->thread_cpu_ns = clock_thread_cpu_ns();
	probe->begin_ns = clock_now_ns(probe->clock);
	probe->guard_ns = probe->begin_ns;
	probe->next_pass_ns = probe->begin_ns + REFERENCE_NS / 2;
	return 0;
}

/* Counters of the hardware wrap: somebody has to look at them meanwhile. */
static void guard(struct probe *probe, int64_t now_ns)
{
	struct meter_reading reading[PROBE_METERS_MAX];

	if (now_ns - probe->guard_ns < GUARD_NS)
		return;
	probe->guard_ns = now_ns;
	if (read_meters(probe, reading, &probe->err) < 0)
		probe->failed = true;
}

/* As many steps as fit into PROBE_CHECK_S, but never more than twice as many
 * as were seen: the first steps of all may be slow. */
static uint64_t stride(uint64_t steps, double elapsed_s)
{
	double fit = PROBE_CHECK_S * (double)steps / fmax(elapsed_s, 1e-9);

	return (uint64_t)fmax(1, fmin(fit, (double)steps));
}

static void refer(struct probe *probe, int64_t now_ns)
{
	int64_t after_ns;

	if (now_ns < probe->next_pass_ns)
		return;
	now_ns = clock_now_ns(probe->clock); /* meters may have been read */
	if (probe->pass)
		probe->pass();
	else
		reference_pass(probe->reference);
	after_ns = clock_now_ns(probe->clock);
	probe->passes++;
	probe->passes_ns += after_ns - now_ns;
	probe->next_pass_ns = after_ns + REFERENCE_NS;
}

static void look(struct probe *probe)
{
	int64_t now_ns = clock_now_ns(probe->clock);
	int64_t elapsed_ns = now_ns - probe->begin_ns - probe->passes_ns;

	if (!probe->half_steps && 2 * elapsed_ns >= probe->duration_ns) {
		probe->half_steps = probe->steps;
		probe->half_ns = elapsed_ns;
	}
	if (elapsed_ns >= probe->duration_ns) {
		probe->end_ns = now_ns;
		probe->thread_cpu_ns =
			clock_thread_cpu_ns() - probe->thread_cpu_ns;
		return;
	}
	guard(probe, now_ns);
	refer(probe, now_ns);
	probe->next_check =
		probe->steps + stride(probe->steps, 1e-9 * (double)elapsed_ns);
}

bool probe_goes_on(struct probe *probe)
{
	if (probe->steps == probe->next_check) {
		look(probe);
		if (probe->end_ns || probe->failed)
			return false;
	}
	probe->steps++;
	return true;
}

/* The time that the steps had. */
static int64_t steps_ns(const struct probe *probe)
{
	return probe->end_ns - probe->begin_ns - probe->passes_ns;
}

/* Time per step of the two halves. */
static bool is_unsteady(const struct probe *probe)
{
	uint64_t rest = probe->steps - probe->half_steps;
	double first, second;

	if (probe->half_steps < HALF_STEPS_MIN || rest < HALF_STEPS_MIN)
		return false;
	first = (double)probe->half_ns / (double)probe->half_steps;
	second = (double)(steps_ns(probe) - probe->half_ns) / (double)rest;
	return fabs(second - first) >
	       PROBE_UNSTEADY_SHARE * 0.5 * (first + second);
}

/* Did this thread have a CPU all the time?  Only real time can tell. */
static bool is_contended(const struct probe *probe,
			 const struct probe_window *window)
{
	double used_s =
		1e-9 * (double)(probe->thread_cpu_ns - probe->passes_ns);

	return probe->clock == clock_real() &&
	       window->seconds - used_s - window->stolen_s >
		       PROBE_CONTENDED_SHARE * window->seconds;
}

static int disturbances(const struct probe *probe, double used_s,
			struct probe_window *window, struct err *err)
{
	struct cputime_reading after;
	double blur_s = cputime_resolution_s(probe->cputime);

	if (cputime_read(probe->cputime, &after, err) < 0)
		return -1;
	window->stolen_s = after.steal_s - probe->cputime_before.steal_s;
	window->others_s =
		fmax(0, after.busy_s - probe->cputime_before.busy_s - used_s);
	if (window->stolen_s > PROBE_STOLEN_SHARE * window->seconds)
		window->flags |= PROBE_STOLEN;
	if (window->others_s >
	    PROBE_BUSY_SHARE * window->seconds + blur_s * (double)after.cpus)
		window->flags |= PROBE_BUSY;
	if (throttle_count(probe->throttle) > probe->throttled_before)
		window->flags |= PROBE_THROTTLED;
	return 0;
}

/* See probe.h: as if a pass had the power of a step. */
static void leave_out_passes(const struct probe *probe, struct energy *energy)
{
	double all_ns = (double)(probe->end_ns - probe->begin_ns);

	if (!probe->passes)
		return;
	energy->joules *= (double)steps_ns(probe) / all_ns;
	energy->sigma_j *= (double)steps_ns(probe) / all_ns;
}

static int finish(struct probe *probe, struct probe_window *window,
		  double used_s, struct err *err)
{
	struct meter_reading after[PROBE_METERS_MAX];
	struct probe_window made = { .time_ms = probe->time_ms,
				     .steps = probe->steps };

	if (read_meters(probe, after, err) < 0)
		return -1;
	made.seconds = 1e-9 * (double)steps_ns(probe);
	made.references = probe->passes;
	if (probe->passes)
		made.reference_s =
			1e-9 * (double)probe->passes_ns / (double)probe->passes;
	for (size_t i = 0; i < probe->meters; i++) {
		meter_between(probe->meter[i], &probe->before[i], &after[i],
			      &made.energy[i]);
		leave_out_passes(probe, &made.energy[i]);
	}
	if (disturbances(probe, used_s, &made, err) < 0)
		return -1;
	*window = made;
	return 0;
}

int probe_end(struct probe *probe, struct probe_window *window, struct err *err)
{
	if (probe->failed)
		return err_set(err, probe->err.code, "%s", probe->err.text);
	if (!probe->end_ns) /* the caller left the loop early */
		look(probe);
	if (!probe->end_ns) {
		probe->end_ns = clock_now_ns(probe->clock);
		probe->thread_cpu_ns =
			clock_thread_cpu_ns() - probe->thread_cpu_ns;
	}
	if (finish(probe, window, 1e-9 * (double)probe->thread_cpu_ns, err) < 0)
		return -1;
	if (is_unsteady(probe))
		window->flags |= PROBE_UNSTEADY;
	if (is_contended(probe, window))
		window->flags |= PROBE_CONTENDED;
	return 0;
}

int probe_idle(struct probe *probe, double seconds, struct probe_window *window,
	       struct err *err)
{
	int64_t due_ns, next_ns;

	if (probe_begin(probe, seconds, err) < 0)
		return -1;
	due_ns = probe->begin_ns + probe->duration_ns;
	do {
		next_ns = clock_now_ns(probe->clock) + GUARD_NS;
		if (next_ns > due_ns)
			next_ns = due_ns;
		if (clock_sleep_until_ns(probe->clock, next_ns) < 0)
			break;
		guard(probe, next_ns);
	} while (next_ns < due_ns && !probe->failed);
	if (probe->failed)
		return err_set(err, probe->err.code, "%s", probe->err.text);
	probe->end_ns = clock_now_ns(probe->clock);
	return finish(probe, window, 0, err);
}
