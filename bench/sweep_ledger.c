/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/sweep_ledger.h"

#include <assert.h>
#include <stdlib.h>

#include "bench/probe.h"
#include "bench/slowed.h"
#include "lib/mem.h"

struct window {
	bool is_there, was_flagged;
	double reference_s;
};

struct sweep_ledger {
	size_t configs, blocks, retries;
	struct window *window; /* blocks and retries × configurations */
};

struct sweep_ledger *sweep_ledger_new(size_t configs, size_t blocks,
				      size_t retries)
{
	struct sweep_ledger *ledger = xcalloc(1, sizeof(*ledger));

	ledger->configs = configs;
	ledger->blocks = blocks;
	ledger->retries = retries;
	ledger->window =
		xcalloc((blocks + retries) * configs, sizeof(*ledger->window));
	return ledger;
}

void sweep_ledger_free(struct sweep_ledger *ledger)
{
	if (!ledger)
		return;
	free(ledger->window);
	free(ledger);
}

static struct window *at(const struct sweep_ledger *ledger, size_t block,
			 size_t config)
{
	assert(config < ledger->configs);
	return &ledger->window[block * ledger->configs + config];
}

static size_t ledger_blocks(const struct sweep_ledger *ledger)
{
	return ledger->blocks + ledger->retries;
}

bool sweep_ledger_put(struct sweep_ledger *ledger, size_t block, size_t config,
		      unsigned int flags, double reference_s)
{
	struct window *window;

	if (block >= ledger_blocks(ledger))
		return false;
	window = at(ledger, block, config);
	if (!window->is_there)
		*window = (struct window){
			.is_there = true,
			.was_flagged = flags & ~(unsigned int)PROBE_COLD,
			.reference_s = reference_s,
		};
	return true;
}

/* ---- what they were -------------------------------------------------------*/

/* The windows of a configuration in the blocks before one. */
static struct sweep_counts count(const struct sweep_ledger *ledger,
				 size_t config, size_t before)
{
	struct sweep_counts counts = { 0 };
	double lowest_s = 0;

	for (size_t block = 0; block < before; block++)
		lowest_s = slowed_lowest(
			lowest_s, at(ledger, block, config)->reference_s);
	for (size_t block = 0; block < before; block++) {
		const struct window *window = at(ledger, block, config);
		bool is_slowed = slowed(window->reference_s, lowest_s);

		counts.windows += window->is_there;
		counts.slowed += is_slowed;
		counts.disturbed += window->was_flagged || is_slowed;
		counts.again += window->is_there && block >= ledger->blocks;
	}
	return counts;
}

/* Undisturbed windows that are missing, as seen before a block. */
static size_t lack(const struct sweep_ledger *ledger, size_t config,
		   size_t before)
{
	struct sweep_counts counts = count(ledger, config, before);
	size_t calm = counts.windows - counts.disturbed;

	return calm < ledger->blocks ? ledger->blocks - calm : 0;
}

struct sweep_counts sweep_ledger_count(const struct sweep_ledger *ledger)
{
	struct sweep_counts all = { 0 };

	for (size_t i = 0; i < ledger->configs; i++) {
		struct sweep_counts counts =
			count(ledger, i, ledger_blocks(ledger));

		all.windows += counts.windows;
		all.disturbed += counts.disturbed;
		all.slowed += counts.slowed;
		all.again += counts.again;
	}
	return all;
}

size_t sweep_ledger_lacking(const struct sweep_ledger *ledger)
{
	size_t lacking = 0;

	for (size_t i = 0; i < ledger->configs; i++)
		lacking += lack(ledger, i, ledger_blocks(ledger)) > 0;
	return lacking;
}

/* ---- what is to be measured -----------------------------------------------*/

bool sweep_ledger_wants(const struct sweep_ledger *ledger, size_t block,
			size_t config)
{
	if (at(ledger, block, config)->is_there)
		return false;
	return block < ledger->blocks || lack(ledger, config, block) > 0;
}

/* Extra blocks that would hold a configuration if nothing changed.  What the
 * blocks before one say changes only where a window is there. */
static size_t extra_of(const struct sweep_ledger *ledger, size_t config)
{
	bool is_asked = false, lacks = false;
	size_t extra = 0;

	for (size_t block = ledger->blocks; block < ledger_blocks(ledger);
	     block++) {
		if (at(ledger, block, config)->is_there) {
			is_asked = false;
			continue;
		}
		if (!is_asked)
			lacks = lack(ledger, config, block) > 0;
		is_asked = true;
		extra += lacks;
	}
	return extra;
}

/* How many more a configuration is going to have, if those are undisturbed. */
static size_t left_of(const struct sweep_ledger *ledger, size_t config)
{
	size_t lacking = lack(ledger, config, ledger_blocks(ledger));
	size_t extra = extra_of(ledger, config), planned = 0;

	for (size_t block = 0; block < ledger->blocks; block++)
		planned += !at(ledger, block, config)->is_there;
	if (lacking < planned)
		return planned;
	lacking -= planned;
	return planned + (lacking < extra ? lacking : extra);
}

size_t sweep_ledger_left(const struct sweep_ledger *ledger)
{
	size_t left = 0;

	for (size_t i = 0; i < ledger->configs; i++)
		left += left_of(ledger, i);
	return left;
}
