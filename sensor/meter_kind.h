/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * meter_kind -- what a kind of meter gives to meter.c.
 *
 * A kind finds its counters, names their domains and reads raw counts;
 * unwrapping, proving that they advance, remembering that, sums and sigmas are
 * meter.c's.  A new kind is a file meter_KIND.c that exports one struct
 * meter_kind, and a line in the table in meter.c:
 *
 *	static void *open_it(const char *argument,
 *			     const struct meter_place *place,
 *			     struct meter_parts *parts, struct err *err)
 *	{
 *		struct meter_counter *counter;
 *
 *		counter = meter_parts_add(parts);
 *		domain_rapl(&parts->domain[0], DOMAIN_PACKAGE, 0);
 *		counter->count_j = 1e-6;
 *		...
 *	}
 *	const struct meter_kind meter_kind_KIND = { "KIND", … };
 */
#ifndef SENSOR_METER_KIND_H
#define SENSOR_METER_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"
#include "sensor/meter.h"

/* More power than one package draws: the largest sold today are rated 500 W
 * (EPYC 9965, Xeon 6980P) with short peaks below twice that.  A drop of a
 * counter that would need more is no wrap.  At METER_GUARD_S this is 60 kJ,
 * less than the smallest range of RAPL (65 kJ), so a wrap is never taken for a
 * reset, and a reset is taken for a wrap only where the counter stood close
 * to its end. */
#define METER_PLAUSIBLE_W 2000.0
/* Counters move in steps: the longest time between two updates seen in public
 * traces is 3.1 ms (Broadwell-EP, DRAM), which a short interval may show
 * whole. */
#define METER_UPDATE_SLACK_S 0.005

/* Silicon that runs draws more than 0 W and RAPL moves each millisecond, so a
 * counter that stood still for so long has died. */
#define METER_STILL_S 10.0
/* Counters that tremble do so by their last digits. */
#define METER_NOISE_STEPS 16.0

/* How a kind is found alive. */
enum meter_proof {
	METER_PROOF_LOAD, /* its counters must advance while a CPU is busy */
	METER_PROOF_FORM, /* it opened, so it is well-formed, so it works */
};

/* One raw counter, side by side with its domain. */
struct meter_counter {
	double count_j;     /* joules per raw count */
	uint64_t range;     /* largest value before 0; 0: never wraps */
	double plausible_w; /* more than that is no wrap; 0: no bound */
	bool slow;          /* may take seconds to show an advance */
	bool form;          /* proven by its form, though the kind is by load */
	double still_s; /* a machine that runs moves it at least so often, or
			   it is dead; 0: it may stand still */
	char where[64]; /* "power/energy-psys/": for messages */
};

/* What a kind fills in while it opens. */
struct meter_parts {
	struct meter_domain domain[METER_DOMAINS_MAX];
	struct meter_counter counter[METER_DOMAINS_MAX];
	size_t domains;
	enum energy_source source;
	double scale_lo, scale_hi;
	bool partial;     /* no part of it is known to be the whole machine: not
			     for "auto" */
	char says[160];   /* what stands behind ':' in meter_describe() */
	char remedy[256]; /* the command that would make it work */
	struct text remarks;
};

/* The next counter, zeroed, or NULL when there are METER_DOMAINS_MAX. */
struct meter_counter *meter_parts_add(struct meter_parts *parts);
/* A sentence for meter_remarks(). */
void meter_parts_remark(struct meter_parts *parts, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* In place of a count: the counter is not there any more. */
#define METER_COUNT_GONE UINT64_MAX

struct meter_kind {
	const char *name;
	const char *argument; /* "FILE": needs one; "[FILE]": may have one;
				 NULL: has none */
	const char *summary;
	enum meter_proof proof;
	bool automatic; /* tried by "auto", in the order of the table */
	enum energy_source source;
	void *(*open)(const char *argument, const struct meter_place *place,
		      struct meter_parts *parts, struct err *err);
	/* All counters, in order. */
	int (*read)(void *self, uint64_t *count, struct err *err);
	/* Where power is integrated: the variance so far of each, in J². */
	void (*variance)(void *self, double *j2);
	void (*close)(void *self);
};

/* A meter of a kind that stands in no table, as tests have them. */
struct meter *meter_open_kind(const struct meter_kind *kind,
			      const char *argument,
			      const struct meter_place *place, struct err *err);

extern const struct meter_kind meter_kind_powercap;
extern const struct meter_kind meter_kind_perf;
extern const struct meter_kind meter_kind_hwmon;
extern const struct meter_kind meter_kind_battery;
extern const struct meter_kind meter_kind_nvml;
extern const struct meter_kind meter_kind_log;
extern const struct meter_kind meter_kind_replay;
extern const struct meter_kind meter_kind_model;
extern const struct meter_kind meter_kind_null;

#endif
