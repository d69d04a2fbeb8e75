/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/unwrap.h"

static bool several_wraps(const struct unwrap_bounds *bounds)
{
	return bounds->late && bounds->range && bounds->most != UINT64_MAX &&
	       bounds->most >= bounds->range;
}

uint64_t unwrap_step(uint64_t last, uint64_t now,
		     const struct unwrap_bounds *bounds,
		     enum unwrap_verdict *verdict)
{
	uint64_t range = bounds->range, most = bounds->most;

	if (now >= last) {
		*verdict = now - last > most       ? UNWRAP_JUMPED
			   : several_wraps(bounds) ? UNWRAP_UNSURE
						   : UNWRAP_FORWARD;
		return *verdict == UNWRAP_JUMPED ? 0 : now - last;
	}
	if (last - now <= bounds->noise) {
		*verdict = UNWRAP_BACKWARD;
		return 0;
	}
	/* `range` is up to one unit of the hardware short of the modulus
	 * (max_energy_range_uj is 2^32 - 1 units in microjoules): less than
	 * the resolution. */
	if (range && last <= range && range - last <= most &&
	    now <= most - (range - last)) {
		*verdict =
			several_wraps(bounds) ? UNWRAP_UNSURE : UNWRAP_WRAPPED;
		return range - last + now;
	}
	*verdict = UNWRAP_RESET;
	return now <= most ? now : 0;
}
