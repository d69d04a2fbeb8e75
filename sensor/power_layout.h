/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_layout -- the layout of PowerAPI's power reports: `power`, in watts.
 * Everything else a report says is in its metadata; the socket has a column of
 * its own in PowerAPI's CSV, filled from there.
 */
#ifndef SENSOR_POWER_LAYOUT_H
#define SENSOR_POWER_LAYOUT_H

#include "lib/batch.h"

/* Ready for rows; layout_free() it. */
struct layout *power_layout_new(void);

#endif
