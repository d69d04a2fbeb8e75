/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * proof -- which counters were seen to advance since this machine was started.
 *
 *	struct proof *proof = proof_open(NULL);
 *
 *	if (proof_get(proof, "perf", "psys") == METER_UNPROVEN)
 *		proof_set(proof, "perf", "psys", METER_DEAD);
 *	proof_close(proof);  // writes what is new
 *
 * A counter that is dead or alive stays so until the next boot, so a program
 * need not keep a CPU busy for it each time it starts.  A state folder that
 * cannot be read or written costs a second, not a measurement: no errors.
 */
#ifndef SENSOR_PROOF_H
#define SENSOR_PROOF_H

#include "sensor/meter.h"

struct proof;

/* `folder`: NULL for the state folder, "" for none at all. */
struct proof *proof_open(const char *folder);
enum meter_state proof_get(const struct proof *proof, const char *kind,
			   const char *domain);
void proof_set(struct proof *proof, const char *kind, const char *domain,
	       enum meter_state state);
/* The file, for messages; "" where there is none. */
const char *proof_file(const struct proof *proof);
void proof_close(struct proof *proof);

#endif
