/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/meter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sensor/meter_state.h"
#include "sensor/unwrap.h"

/* ---- what it is --------------------------------------------------------- */

const char *meter_spec(const struct meter *meter)
{
	return meter->kind->name;
}

enum energy_source meter_source(const struct meter *meter)
{
	return meter->parts.source;
}

const char *meter_describe(const struct meter *meter)
{
	return meter->describe.data;
}

const char *meter_remarks(const struct meter *meter)
{
	return meter->parts.remarks.data ? meter->parts.remarks.data : "";
}

size_t meter_domains(const struct meter *meter)
{
	return meter->parts.domains;
}

const struct meter_domain *meter_domain(const struct meter *meter, size_t i)
{
	return &meter->parts.domain[i];
}

/* ---- reading ------------------------------------------------------------ */

/* How much time passed since the last reading, for what the counters may have
 * used in it. */
struct passed {
	int64_t now_ns;
	double awake_s, asleep_s;
};

/* Differences of the two clocks below that are their jitter and slewing. */
#define SLEPT_S 0.1

static uint64_t most_counts(const struct meter_counter *counter,
			    double elapsed_s)
{
	double joules =
		counter->plausible_w * (elapsed_s + METER_UPDATE_SLACK_S);

	if (counter->plausible_w <= 0 || joules / counter->count_j >= 0x1p63)
		return UINT64_MAX;
	return (uint64_t)(joules / counter->count_j);
}

/* A counter may have gone on while the machine slept, but who sleeps uses too
 * little for a wrap: one that came back lower was reset by the sleep. */
static struct unwrap_bounds bounds_of(const struct meter *meter, size_t i,
				      uint64_t now, const struct passed *passed)
{
	const struct meter_counter *counter = &meter->parts.counter[i];
	double elapsed_s = passed->awake_s;

	if (now >= meter->last[i])
		elapsed_s += passed->asleep_s;
	return (struct unwrap_bounds){
		.range = passed->asleep_s > 0 ? 0 : counter->range,
		.most = most_counts(counter, elapsed_s),
		.late = passed->awake_s > METER_GUARD_S,
		.noise = (uint64_t)(METER_NOISE_STEPS *
				    meter->parts.domain[i].resolution_j /
				    counter->count_j),
	};
}

static void verdict_remark(struct meter *meter, size_t i,
			   enum unwrap_verdict verdict,
			   const struct passed *passed)
{
	const char *kind = meter->kind->name;
	const char *name = meter->parts.domain[i].name;

	if (verdict == UNWRAP_RESET)
		meter_parts_remark(&meter->parts,
				   "%s %s: the counter was reset; the joules "
				   "between the last reading and the reset are "
				   "lost",
				   kind, name);
	else if (verdict == UNWRAP_JUMPED)
		meter_parts_remark(&meter->parts,
				   "%s %s: the counter jumped further ahead "
				   "than %.0f W explain; the jump is not "
				   "counted",
				   kind, name,
				   meter->parts.counter[i].plausible_w);
	else if (verdict == UNWRAP_UNSURE)
		meter_parts_remark(&meter->parts,
				   "%s %s: not read for %.0f s, in which the "
				   "counter may have wrapped more than once: "
				   "its joules are the least that it was",
				   kind, name, passed->awake_s);
}

static void end_domain(struct meter *meter, size_t i, enum meter_state state,
		       const char *why)
{
	struct meter_domain *domain = &meter->parts.domain[i];

	domain->state = state;
	meter_parts_remark(&meter->parts, "%s %s: %s; its joules end here",
			   meter->kind->name, domain->name, why);
}

/* Silent now: alive at the start, constant since. */
static void check_still(struct meter *meter, size_t i, uint64_t advance,
			const struct passed *passed)
{
	double still_s = meter->parts.counter[i].still_s;
	char why[80];

	if (advance)
		meter->moved_ns[i] = passed->now_ns;
	if (still_s <= 0 ||
	    1e-9 * (double)(passed->now_ns - meter->moved_ns[i]) <= still_s)
		return;
	snprintf(why, sizeof(why),
		 "has not advanced for %.0f s: dead, though it was alive",
		 1e-9 * (double)(passed->now_ns - meter->moved_ns[i]));
	end_domain(meter, i, METER_DEAD, why);
}

static void advance(struct meter *meter, size_t i, uint64_t now,
		    const struct passed *passed)
{
	struct unwrap_bounds bounds = bounds_of(meter, i, now, passed);
	enum unwrap_verdict verdict;
	uint64_t step;

	if (meter->parts.domain[i].state != METER_ALIVE)
		return;
	if (now == METER_COUNT_GONE) {
		end_domain(meter, i, METER_GONE, "gone (unplugged, offline)");
		return;
	}
	step = unwrap_step(meter->last[i], now, &bounds, &verdict);
	meter->total[i] += step;
	if (verdict != UNWRAP_BACKWARD)
		meter->last[i] = now;
	verdict_remark(meter, i, verdict, passed);
	check_still(meter, i, step, passed);
}

static struct passed time_pass(struct meter *meter)
{
	int64_t asleep_ns = clock_asleep_ns(meter->place.clock);
	struct passed passed = { .now_ns = clock_now_ns(meter->place.clock) };

	passed.awake_s = 1e-9 * (double)(passed.now_ns - meter->last_ns);
	passed.asleep_s = 1e-9 * (double)(asleep_ns - meter->asleep_ns);
	meter->last_ns = passed.now_ns;
	if (passed.asleep_s < SLEPT_S) {
		passed.asleep_s = 0;
		return passed;
	}
	meter->asleep_ns = asleep_ns;
	meter_parts_remark(&meter->parts,
			   "%s: the machine was suspended for %.1f s; what its "
			   "counters do not count asleep is missing",
			   meter->kind->name, passed.asleep_s);
	return passed;
}

int meter_read_first(struct meter *meter, struct err *err)
{
	if (meter->kind->read(meter->self, meter->last, err) < 0)
		return -1;
	meter->last_ns = clock_now_ns(meter->place.clock);
	meter->asleep_ns = clock_asleep_ns(meter->place.clock);
	for (size_t i = 0; i < meter->parts.domains; i++)
		meter->moved_ns[i] = meter->last_ns;
	return 0;
}

int meter_read(struct meter *meter, struct meter_reading *reading,
	       struct err *err)
{
	uint64_t count[METER_DOMAINS_MAX];
	int64_t begin_ns = clock_now_ns(meter->place.clock), end_ns;
	struct passed passed;

	if (meter->kind->read(meter->self, count, err) < 0)
		return err_wrap(err, "meter %s", meter->kind->name);
	end_ns = clock_now_ns(meter->place.clock);
	passed = time_pass(meter);
	memset(reading->variance, 0, sizeof(reading->variance));
	if (meter->kind->variance)
		meter->kind->variance(meter->self, reading->variance);
	for (size_t i = 0; i < meter->parts.domains; i++) {
		advance(meter, i, count[i], &passed);
		reading->joules[i] =
			meter->parts.domain[i].state == METER_ALIVE
				? (double)meter->total[i] *
					  meter->parts.counter[i].count_j
				: (double)NAN;
	}
	reading->begin_ns = begin_ns;
	reading->end_ns = end_ns;
	return 0;
}

/* ---- differences -------------------------------------------------------- */

/* One standard deviation of a difference between two readings of a counter
 * that moves in steps.  At each edge what is unknown is uniform over one
 * update (variance period²/12 in time), one resolution, and the time that the
 * reading took; two edges.  At 1 ms that is P · 0.41 ms. */
static double edges_sigma(const struct meter_domain *domain,
			  const struct meter_reading *before,
			  const struct meter_reading *after, double joules)
{
	double elapsed_s = 0.5e-9 * (double)(after->begin_ns + after->end_ns -
					     before->begin_ns - before->end_ns);
	double width_a = 1e-9 * (double)(before->end_ns - before->begin_ns);
	double width_b = 1e-9 * (double)(after->end_ns - after->begin_ns);
	double watts = elapsed_s > 0 ? joules / elapsed_s : 0;
	double edge = 2 * domain->period_s * domain->period_s +
		      width_a * width_a + width_b * width_b;

	return sqrt((watts * watts * edge +
		     2 * domain->resolution_j * domain->resolution_j) /
		    12);
}

void meter_domain_between(const struct meter *meter, size_t i,
			  const struct meter_reading *before,
			  const struct meter_reading *after,
			  struct energy *energy)
{
	double joules = after->joules[i] - before->joules[i];

	energy->joules = joules < 0 ? 0 : joules;
	energy->sigma_j =
		hypot(edges_sigma(&meter->parts.domain[i], before, after,
				  energy->joules),
		      sqrt(fmax(0, after->variance[i] - before->variance[i])));
	energy->scale_lo = meter->parts.scale_lo;
	energy->scale_hi = meter->parts.scale_hi;
	energy->source = meter->parts.source;
}

void meter_between(const struct meter *meter,
		   const struct meter_reading *before,
		   const struct meter_reading *after, struct energy *energy)
{
	const struct energy none = ENERGY_NONE;
	struct energy part;
	bool any = false;

	*energy = none;
	for (size_t i = 0; i < meter->parts.domains; i++) {
		if (!meter->parts.domain[i].counts)
			continue;
		meter_domain_between(meter, i, before, after, &part);
		if (isnan(part.joules))
			continue;
		energy_add(energy, &part);
		any = true;
	}
	energy->source = meter->parts.source;
	if (!any)
		energy->joules = energy->sigma_j = (double)NAN;
}
