/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/unwrap.h"

uint64_t unwrap_step(uint64_t last, uint64_t now, uint64_t range, uint64_t most,
		     enum unwrap_verdict *verdict)
{
	if (now >= last) {
		*verdict = now - last <= most ? UNWRAP_FORWARD : UNWRAP_JUMPED;
		return *verdict == UNWRAP_FORWARD ? now - last : 0;
	}
	/* `range` is up to one unit of the hardware short of the modulus
	 * (max_energy_range_uj is 2^32 - 1 units in microjoules): less than
	 * the resolution. */
	if (range && last <= range && range - last <= most &&
	    now <= most - (range - last)) {
		*verdict = UNWRAP_WRAPPED;
		return range - last + now;
	}
	*verdict = UNWRAP_RESET;
	return now <= most ? now : 0;
}
