/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * notify -- tell systemd how the service is.
 *
 *	notify("READY=1\nSTATUS=12 targets");
 *	if (notify_watchdog_due(clock_now_ns(clock)))
 *		notify("WATCHDOG=1");
 *
 * The protocol of sd_notify(3), a datagram to $NOTIFY_SOCKET: no library is
 * needed.  Without such a variable nothing happens.
 */
#ifndef SENSOR_NOTIFY_H
#define SENSOR_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* A service manager that does not listen is no fault of ours. */
void notify(const char *state);
/* Is it time to show a sign of life?  Twice in each $WATCHDOG_USEC, where
 * $WATCHDOG_PID, if there is one, is us. */
bool notify_watchdog_due(int64_t now_ns);

#endif
