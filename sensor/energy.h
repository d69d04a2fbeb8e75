/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * energy -- joules that say where they come from.
 *
 *	struct energy sum = ENERGY_NONE;
 *
 *	energy_add(&sum, &package);
 *	energy_add(&sum, &dram);
 *	printf("%.3f J +- %.3f, class %d\n", sum.joules, sum.sigma_j,
 *	       sum.source);
 *
 * Two uncertainties, never mixed.  `sigma_j` is one standard deviation of what
 * this meter would show if the same work were done again (its resolution and
 * the edges of the window).  `scale_lo` and `scale_hi` say how far the meter
 * itself may be from the truth: true joules lie in [scale_lo, scale_hi] ×
 * joules, with the same unknown factor for all values of one meter.
 *
 * A sum carries the worst class; sigmas add in squares; scales widen.
 */
#ifndef SENSOR_ENERGY_H
#define SENSOR_ENERGY_H

#include <stdbool.h>

enum energy_source {
	ENERGY_WALL,            /* 0 wall meter */
	ENERGY_ACCUMULATOR,     /* 1 RAPL, NVML counter, fuel gauge */
	ENERGY_FIRMWARE,        /* 2 model in firmware */
	ENERGY_POLLED,          /* 3 polled power, integrated */
	ENERGY_HANDOVER,        /* 4 handed over by the host */
	ENERGY_CALIBRATED,      /* 5 model calibrated on this machine */
	ENERGY_CALIBRATED_TYPE, /* 6 model calibrated on the same type */
	ENERGY_GENERIC,         /* 7 generic model (TDP curve) */
	ENERGY_UNKNOWN,         /* 8 */
};

struct energy {
	double joules;
	double sigma_j;
	double scale_lo, scale_hi;
	enum energy_source source;
};

#define ENERGY_NONE                             \
	{                                       \
		0.0, 0.0, 1.0, 1.0, ENERGY_WALL \
	}

void energy_add(struct energy *sum, const struct energy *part);

/* "hardware accumulator", "generic model" …: borrowed. */
const char *energy_source_name(enum energy_source source);

/* From class 5 on a value is a model's, and is to be called estimated. */
bool energy_is_estimate(enum energy_source source);

/* How far a generic model may be from the truth: −50/+100 %, the width that
 * published comparisons of TDP-like models with meters ask for. */
#define ENERGY_GENERIC_LO 0.5
#define ENERGY_GENERIC_HI 2.0

/* The scale of a class where a meter does not state its own: that of a generic
 * model from class 7 on, else 1 (a counter is taken at its word). */
void energy_source_scale(enum energy_source source, double *lo, double *hi);

/* How a reader is told: "class 1 (hardware accumulator)", and from class 5 on
 * "estimated (class 7, −50/+100 %)". `lo`, `hi` are the scales. */
#define ENERGY_LABEL_MAX 96
const char *energy_label(enum energy_source source, double lo, double hi,
			 char out[static ENERGY_LABEL_MAX]);

#endif
