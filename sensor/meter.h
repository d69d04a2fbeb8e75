/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * meter -- how much energy has been used, so far, in joules.
 *
 * A meter is a set of domains ("package-0", "dram-0" …) that each count joules
 * upward from an arbitrary start.  Only differences mean anything:
 *
 *	struct meter *meter = meter_open("auto", &err);
 *	struct meter_reading before, after;
 *	struct energy energy;
 *
 *	meter_read(meter, &before, &err);
 *	work();
 *	meter_read(meter, &after, &err);
 *	meter_between(meter, &before, &after, &energy);
 *	printf("%.3f J\n", energy.joules);
 *	meter_close(meter);
 *
 * Counters of the hardware wrap around; those of a meter do not: meter_read()
 * unwraps them, provided that it is called at least every METER_GUARD_S
 * seconds.
 *
 * A meter is trusted only after it was seen to advance.  Each kind says how
 * that is found out (struct meter_kind): counters of the hardware under a short
 * load, files and models by their form.  A domain that is present but does not
 * advance, now or later, is METER_DEAD: reported by name, left out of every sum,
 * never 0 W.  What wrapped, was reset, died, was unplugged or slept is told
 * apart while the meter runs, by name, in meter_remarks(); no advance is ever
 * negative.
 *
 * Domains form a tree: cores and uncore lie inside a package, everything lies
 * inside psys.  meter_between() sums a disjoint cover of the machine (packages
 * and DRAM, or whatever `counts` says), so nothing is added twice.
 *
 * Kinds: "powercap" (libpowercap), "perf" (the kernel's power PMU),
 * "hwmon[:ROOT]" (INA2xx, Jetson's rails), "nvml[:N]" (NVIDIA GPUs),
 * "battery[:ROOT]" (a fuel gauge), "log:FILE[?offset=S]" (an external wall meter's
 * CSV), "replay:FILE[?loop=1]" (a recorded file, for machines without counters
 * and for tests), "model[:idle=W,cpu=W]" (class 7: watts from busy CPU time),
 * "null" (no domains at all), and "auto": the first of powercap, perf, hwmon,
 * model that is alive and stands for the whole machine.  To add one: a file
 * meter_KIND.c with one `struct meter_kind`, and a line in the table in meter.c.
 *
 * Threads: a meter belongs to one thread at a time.
 */
#ifndef SENSOR_METER_H
#define SENSOR_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "sensor/energy.h"

#define METER_DOMAINS_MAX 64
#define METER_GUARD_S     30

struct meter;

enum meter_state {
	METER_UNPROVEN, /* not seen to advance yet */
	METER_ALIVE,
	METER_DEAD, /* present, readable, constant */
	METER_GONE, /* was there, is not any more */
};

struct meter_domain {
	char name[32];  /* "package-0", "dram-0", "machine" */
	char group[24]; /* "rapl", "meter_model": the HWPC report's group */
	char event[40]; /* "RAPL_ENERGY_PKG", "MACHINE_uj" */
	int package;    /* 0 where there is none */
	int within;     /* index of the domain that contains it, or -1 */
	bool counts;    /* part of the disjoint cover */
	double unit_j;  /* joules per count in reports: 2^-32 for rapl */
	enum meter_state state;
	double resolution_j; /* smallest step */
	double period_s;     /* how often it is updated; 0 unknown */
	bool period_seen;    /* found out here, not taken from a document */
	int64_t phase_ns;    /* then: when, CLOCK_MONOTONIC modulo period */
};

/* Joules since the meter was opened; a domain that is not METER_ALIVE reads
 * NaN.  `begin_ns` and `end_ns` (CLOCK_MONOTONIC) bracket the reads. */
struct meter_reading {
	int64_t begin_ns, end_ns;
	double joules[METER_DOMAINS_MAX];
	/* Of what was integrated from polled power so far, J²; else 0. */
	double variance[METER_DOMAINS_MAX];
};

/* `spec` as in --meter.  Proves the meter alive before it returns; an "auto"
 * skips what is dead and says so in meter_remarks().  NULL on an error, which
 * is also the answer to a named meter that is dead. */
struct meter *meter_open(const char *spec, struct err *err);

/* Where a meter looks, and what time it is: for tests, simulations, and other
 * machines' /sys.  A NULL member means the usual one; `state` "" remembers
 * nothing. */
struct meter_place {
	const char *sys;     /* "/sys"; libpowercap's own path is fixed */
	const char *proc;    /* "/proc" */
	const char *state;   /* $STATE_DIRECTORY, ~/.local/state/fedwatts */
	const char *nvml;    /* "libnvidia-ml.so.1" */
	struct clock *clock; /* clock_real() */
};
struct meter *meter_open_at(const char *spec, const struct meter_place *place,
			    struct err *err);

const char *meter_spec(const struct meter *meter); /* "powercap", "model" */
enum energy_source meter_source(const struct meter *meter);
/* A line for people: "model, class 7, estimated −50/+100 %: 3 W + 12 W/CPU". */
const char *meter_describe(const struct meter *meter);
/* What was found dead or unusable on the way, and since then reset or gone, a
 * sentence a line; "" if nothing. */
const char *meter_remarks(const struct meter *meter);

size_t meter_domains(const struct meter *meter);
const struct meter_domain *meter_domain(const struct meter *meter, size_t i);

int meter_read(struct meter *meter, struct meter_reading *reading,
	       struct err *err);

/* What the machine used between two readings, over the disjoint cover; and
 * one domain alone. Never negative; NaN when there is nothing that counts (the
 * null meter, a domain that is gone). */
void meter_between(const struct meter *meter,
		   const struct meter_reading *before,
		   const struct meter_reading *after, struct energy *energy);
void meter_domain_between(const struct meter *meter, size_t domain,
			  const struct meter_reading *before,
			  const struct meter_reading *after,
			  struct energy *energy);

void meter_close(struct meter *meter); /* accepts NULL */

/* For `list meters` and `doctor`: every kind, tried, with what it says. */
struct meter_finding {
	const char *kind;
	bool usable;
	char says[ERR_TEXT_MAX]; /* domains and class, or why not */
	char remedy[256];        /* the command that would change that, or "" */
};
size_t meter_survey(struct meter_finding *finding, size_t max);

#endif
