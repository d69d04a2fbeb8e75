/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/slowed.h"

double slowed_lowest(double lowest_s, double reference_s)
{
	if (lowest_s > 0 && !(reference_s > 0 && reference_s < lowest_s))
		return lowest_s;
	return reference_s;
}

bool slowed(double reference_s, double lowest_s)
{
	return lowest_s > 0 && reference_s > SLOWED_RATIO * lowest_s;
}
