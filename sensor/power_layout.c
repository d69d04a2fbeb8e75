/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/power_layout.h"

#include <stddef.h>

/* PowerAPI 2.10 leaves the name of the metric to its user: the one that
 * SmartWatts is deployed with, and PowerAPI's description. */
static const struct layout_series series_2_10 = {
	.metric = "powerapi_energy_consumption",
	.help = "energy consumption",
	.measurement = "power_consumption",
	.tagged = true,
};
static const struct layout_series series_master = {
	.metric = "power_estimation_watts",
	.help = "Power estimation of the target, in watts",
	.stamped = true,
	.measurement = "powerrep",
	.field = "power_estimation",
};

struct layout *power_layout_new(void)
{
	struct layout *layout = layout_new("power", LAYOUT_TARGETS);

	layout_key_columns(layout, "socket", NULL);
	layout_series(layout, LAYOUT_NAMES_2_10, &series_2_10);
	layout_series(layout, LAYOUT_NAMES_MASTER, &series_master);
	layout_add(layout, COLUMN_REAL, "PowerReport", NULL, NULL, "power",
		   "power", NULL);
	layout_end(layout);
	return layout;
}
