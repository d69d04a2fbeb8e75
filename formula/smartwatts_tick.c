/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/smartwatts_tick.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void smartwatts_tick_begin(struct smartwatts_tick *tick, int64_t time_ms)
{
	for (size_t i = 0; i < tick->targets; i++) {
		free(tick->target[i].metadata);
		tick->target[i].metadata = NULL;
	}
	free(tick->metadata);
	tick->metadata = NULL;
	tick->time_ms = time_ms;
	tick->machine = false;
	tick->targets = 0;
	tick->hashed = false;
}

void smartwatts_tick_done(struct smartwatts_tick *tick)
{
	smartwatts_tick_begin(tick, 0);
	for (size_t i = 0; i < tick->capacity; i++) {
		free(tick->target[i].name);
		free(tick->target[i].counts);
	}
	free(tick->target);
	free(tick->slot);
}

/* ---- by hash, once the order is another ------------------------------------ */

static uint64_t hash_of(const char *name, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3;
	return hash ^ hash >> 32;
}

static bool is_called(const struct smartwatts_target *target, const char *name,
		      size_t length)
{
	return target->length == length && !memcmp(target->name, name, length);
}

/* Where the name is, or is to be put. */
static uint32_t *slot_of(const struct smartwatts_tick *tick, const char *name,
			 size_t length)
{
	size_t at = hash_of(name, length) & (tick->slots - 1);

	while (tick->slot[at] &&
	       !is_called(&tick->target[tick->slot[at] - 1], name, length))
		at = (at + 1) & (tick->slots - 1);
	return &tick->slot[at];
}

static void slots_fill(struct smartwatts_tick *tick, size_t slots)
{
	if (slots != tick->slots) {
		free(tick->slot);
		tick->slot = xcalloc(slots, sizeof(*tick->slot));
		tick->slots = slots;
	} else {
		memset(tick->slot, 0, slots * sizeof(*tick->slot));
	}
	for (size_t i = 0; i < tick->targets; i++)
		*slot_of(tick, tick->target[i].name, tick->target[i].length) =
			(uint32_t)i + 1;
	tick->hashed = true;
}

static struct smartwatts_target *target_add(struct smartwatts_tick *tick)
{
	size_t capacity = tick->capacity;

	tick->target = mem_grow(tick->target, &tick->capacity,
				tick->targets + 1, sizeof(*tick->target));
	if (tick->capacity > capacity)
		memset(tick->target + capacity, 0,
		       (tick->capacity - capacity) * sizeof(*tick->target));
	return &tick->target[tick->targets++];
}

static struct smartwatts_target *by_hash(struct smartwatts_tick *tick,
					 const char *name, size_t length)
{
	size_t slots = tick->slots ? tick->slots : 64;
	uint32_t *slot;

	while (slots < 2 * (tick->targets + 1))
		slots *= 2;
	if (!tick->hashed || slots != tick->slots)
		slots_fill(tick, slots);
	slot = slot_of(tick, name, length);
	if (*slot)
		return &tick->target[*slot - 1];
	*slot = (uint32_t)tick->targets + 1;
	return target_add(tick);
}

/* ---- putting --------------------------------------------------------------- */

static struct smartwatts_target *target_find(
	struct smartwatts_tick *tick, const struct smartwatts_tick *before,
	const char *name, size_t length)
{
	size_t at = tick->targets;

	if (!tick->hashed && before && at < before->targets &&
	    is_called(&before->target[at], name, length))
		return target_add(tick);
	return by_hash(tick, name, length);
}

static void counts_copy(struct smartwatts_target *target,
			const struct smartwatts_part *part)
{
	target->events = part->events;
	target->core = NULL;
	if (!part->core)
		return;
	if (target->room < part->events->count) {
		target->room = part->events->count;
		target->counts =
			xrealloc(target->counts, target->room, sizeof(double));
	}
	memcpy(target->counts, part->core,
	       part->events->count * sizeof(double));
	target->core = target->counts;
}

void smartwatts_tick_put(struct smartwatts_tick *tick,
			 const struct smartwatts_tick *before, const char *name,
			 const char *metadata,
			 const struct smartwatts_part *part)
{
	size_t length = strlen(name);
	struct smartwatts_target *target =
		target_find(tick, before, name, length);

	if (target->capacity < length + 1) {
		target->capacity = length + 1;
		target->name = xrealloc(target->name, length + 1, 1);
	}
	memcpy(target->name, name, length + 1);
	target->length = length;
	free(target->metadata);
	target->metadata = metadata ? xstrdup(metadata) : NULL;
	counts_copy(target, part);
}
