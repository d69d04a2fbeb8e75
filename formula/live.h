/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live -- what formula says right now, from a child process.
 *
 *	struct live *live = live_open(cli, &config, sensor, &err);
 *
 *	poll(live_fd(live), …);
 *	while ((got = live_next(live, &doc, &err)) > 0)
 *		use(doc);
 *	live_close(live);
 *
 * The child reads and weighs (formula_run) and writes reports into a pipe, so
 * that who shows them never waits for a source.  With `sensor`, a command line,
 * a second child runs that and the first one reads what it says.  What either
 * says on standard error is kept: the last line is live_said().
 */
#ifndef FORMULA_LIVE_H
#define FORMULA_LIVE_H

#include "formula/formula.h"
#include "lib/cli.h"
#include "lib/doc.h"

struct live;

/* `sensor` is NULL-terminated, or NULL: documents come from config->from. */
struct live *live_open(struct cli *cli, const struct formula_config *config,
		       char **sensor, struct err *err);
/* Readable when there are documents, or when it ended; -1 once it has. */
int live_fd(const struct live *live);
/* Readable when something was said; -1 once nobody will. */
int live_said_fd(const struct live *live);
/* What is there now: 1 and a document, which is yours; 0: nothing yet, or it
 * ended (live_fd() tells); -1: it failed, and why. */
int live_next(struct live *live, struct doc **doc, struct err *err);
/* The last line that was said, "" where there is none. */
const char *live_said(struct live *live);
void live_close(struct live *live); /* accepts NULL; ends the children */

#endif
