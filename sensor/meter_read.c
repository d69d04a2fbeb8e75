/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/meter.h"

#include <math.h>

#include "sensor/meter_state.h"
#include "sensor/unwrap.h"

int64_t meter_now_ns(const struct meter *meter)
{
	if (meter->place.clock == clock_real())
		return clock_boottime_ns();
	return clock_now_ns(meter->place.clock);
}

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

static uint64_t most_counts(const struct meter_counter *counter,
			    double elapsed_s)
{
	double joules =
		counter->plausible_w * (elapsed_s + METER_UPDATE_SLACK_S);

	if (counter->plausible_w <= 0 || joules / counter->count_j >= 0x1p63)
		return UINT64_MAX;
	return (uint64_t)(joules / counter->count_j);
}

static void verdict_remark(struct meter *meter, size_t i,
			   enum unwrap_verdict verdict)
{
	const char *name = meter->parts.domain[i].name;

	if (verdict == UNWRAP_RESET)
		meter_parts_remark(&meter->parts,
				   "%s %s: the counter was reset; the joules "
				   "between the last reading and the reset are "
				   "lost",
				   meter->kind->name, name);
	else if (verdict == UNWRAP_JUMPED)
		meter_parts_remark(&meter->parts,
				   "%s %s: the counter jumped further ahead "
				   "than %.0f W explain; the jump is not "
				   "counted",
				   meter->kind->name, name,
				   meter->parts.counter[i].plausible_w);
}

static void advance(struct meter *meter, size_t i, uint64_t now,
		    double elapsed_s)
{
	const struct meter_counter *counter = &meter->parts.counter[i];
	struct meter_domain *domain = &meter->parts.domain[i];
	enum unwrap_verdict verdict;

	if (domain->state != METER_ALIVE)
		return;
	if (now == METER_COUNT_GONE) {
		domain->state = METER_GONE;
		meter_parts_remark(&meter->parts,
				   "%s %s: gone; its joules end here",
				   meter->kind->name, domain->name);
		return;
	}
	meter->total[i] +=
		unwrap_step(meter->last[i], now, counter->range,
			    most_counts(counter, elapsed_s), &verdict);
	meter->last[i] = now;
	verdict_remark(meter, i, verdict);
}

int meter_read(struct meter *meter, struct meter_reading *reading,
	       struct err *err)
{
	uint64_t count[METER_DOMAINS_MAX];
	int64_t begin_ns = clock_now_ns(meter->place.clock), end_ns, at_ns;

	if (meter->kind->read(meter->self, count, err) < 0)
		return err_wrap(err, "meter %s", meter->kind->name);
	end_ns = clock_now_ns(meter->place.clock);
	at_ns = meter_now_ns(meter);
	for (size_t i = 0; i < meter->parts.domains; i++) {
		advance(meter, i, count[i],
			1e-9 * (double)(at_ns - meter->last_ns));
		reading->joules[i] =
			meter->parts.domain[i].state == METER_ALIVE
				? (double)meter->total[i] *
					  meter->parts.counter[i].count_j
				: (double)NAN;
	}
	reading->begin_ns = begin_ns;
	reading->end_ns = end_ns;
	meter->last_ns = at_ns;
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
	energy->sigma_j = edges_sigma(&meter->parts.domain[i], before, after,
				      energy->joules);
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
