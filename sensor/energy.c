/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/energy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void energy_add(struct energy *sum, const struct energy *part)
{
	sum->joules += part->joules;
	sum->sigma_j = hypot(sum->sigma_j, part->sigma_j);
	sum->scale_lo = fmin(sum->scale_lo, part->scale_lo);
	sum->scale_hi = fmax(sum->scale_hi, part->scale_hi);
	if (part->source > sum->source)
		sum->source = part->source;
}

const char *energy_source_name(enum energy_source source)
{
	static const char *const names[] = {
		[ENERGY_WALL] = "wall meter",
		[ENERGY_ACCUMULATOR] = "hardware accumulator",
		[ENERGY_FIRMWARE] = "model in firmware",
		[ENERGY_POLLED] = "polled power",
		[ENERGY_HANDOVER] = "handed over by the host",
		[ENERGY_CALIBRATED] = "model calibrated on this machine",
		[ENERGY_CALIBRATED_TYPE] = "model calibrated on this type",
		[ENERGY_GENERIC] = "generic model",
		[ENERGY_UNKNOWN] = "unknown",
	};

	if ((unsigned int)source > ENERGY_UNKNOWN)
		source = ENERGY_UNKNOWN;
	return names[source];
}

bool energy_is_estimate(enum energy_source source)
{
	return source >= ENERGY_CALIBRATED;
}

void energy_source_scale(enum energy_source source, double *lo, double *hi)
{
	bool wide = source >= ENERGY_GENERIC;

	*lo = wide ? ENERGY_GENERIC_LO : 1.0;
	*hi = wide ? ENERGY_GENERIC_HI : 1.0;
}

const char *energy_label(enum energy_source source, double lo, double hi,
			 char out[static ENERGY_LABEL_MAX])
{
	if (!energy_is_estimate(source))
		snprintf(out, ENERGY_LABEL_MAX, "class %d (%s)", (int)source,
			 energy_source_name(source));
	else if (lo == 1.0 && hi == 1.0)
		snprintf(out, ENERGY_LABEL_MAX, "estimated (class %d)",
			 (int)source);
	else
		snprintf(out, ENERGY_LABEL_MAX,
			 "estimated (class %d, −%.0f/+%.0f %%)", (int)source,
			 100 * (1 - lo), 100 * (hi - 1));
	return out;
}
