/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/power_layout.h"

#include <stddef.h>

struct layout *power_layout_new(void)
{
	struct layout *layout = layout_new("power", LAYOUT_TARGETS);

	layout_key_columns(layout, "socket", NULL);
	layout_add(layout, COLUMN_REAL, "PowerReport", NULL, NULL, "power",
		   "power", NULL);
	layout_end(layout);
	return layout;
}
