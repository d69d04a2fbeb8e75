/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sweep_ledger -- the windows of a sweep: which there are, how they were, and
 * which are still to be measured.
 *
 *	struct sweep_ledger *ledger = sweep_ledger_new(configs, blocks, retries);
 *
 *	for (size_t block = 0; block < blocks + retries; block++)
 *		for (size_t i = 0; i < configs; i++)
 *			if (sweep_ledger_wants(ledger, block, i))
 *				sweep_ledger_put(ledger, block, i, &window);
 *	sweep_ledger_free(ledger);
 *
 * The first `blocks` are the plan's and hold every configuration.  Up to
 * `retries` more follow: each holds the configurations that have fewer than
 * `blocks` undisturbed windows in the blocks before it, and no others.  What a
 * block holds depends on the blocks before it alone, so a sweep that is
 * interrupted and goes on measures what it would have measured.
 *
 * A window is disturbed when it has a flag other than `cold` (which is the
 * plan's own doing), or was slowed (slowed.h).
 */
#ifndef BENCH_SWEEP_LEDGER_H
#define BENCH_SWEEP_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

struct sweep_ledger;

struct sweep_ledger *sweep_ledger_new(size_t configs, size_t blocks,
				      size_t retries);
void sweep_ledger_free(struct sweep_ledger *ledger); /* accepts NULL */

/* A window that was measured: its flags (enum probe_flag) and its reference
 * (0: none).  One that is there already is not replaced.  False when the block
 * is beyond the last one. */
bool sweep_ledger_put(struct sweep_ledger *ledger, size_t block, size_t config,
		      unsigned int flags, double reference_s);

/* Is it to be measured, and not there? */
bool sweep_ledger_wants(const struct sweep_ledger *ledger, size_t block,
			size_t config);

/* Windows that are there; of them, disturbed ones (by all that is known now),
 * and ones of extra blocks. */
struct sweep_counts {
	size_t windows, disturbed, slowed, again;
};
struct sweep_counts sweep_ledger_count(const struct sweep_ledger *ledger);

/* Windows still to be measured, as far as is known: the plan's, and as many
 * more as its configurations lack undisturbed ones and extra blocks allow. */
size_t sweep_ledger_left(const struct sweep_ledger *ledger);
/* Configurations with fewer undisturbed windows than the plan has blocks. */
size_t sweep_ledger_lacking(const struct sweep_ledger *ledger);

#endif
