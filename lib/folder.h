/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * folder -- where programs keep what they must remember.
 *
 *	char *state = folder_state();
 *
 *	if (state && folder_make(state, &err) < 0)
 *		...
 *	free(state);
 *
 * The state folder is $STATE_DIRECTORY (systemd), else
 * ${XDG_STATE_HOME:-~/.local/state}/fedwatts.
 */
#ifndef LIB_FOLDER_H
#define LIB_FOLDER_H

#include "lib/err.h"

/* Its path, yours to free(); NULL where the environment names none. */
char *folder_state(void);

/* A folder and all above it (0755); one that exists is fine. */
int folder_make(const char *path, struct err *err);

#endif
