/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/meter_prove.h"

#include "lib/clock.h"
#include "sensor/proof.h"

#define SLICE_NS 10000000

static void spin_until(int64_t due_ns)
{
	volatile double x = 1.0;

	while (clock_now_ns(clock_real()) < due_ns)
		for (int i = 0; i < 1000; i++)
			x = x * 1.000001 + 1e-9;
}

/* Is there a counter that has not moved, and for which that means nothing
 * yet? */
static bool undecided(const struct meter_parts *parts, double elapsed_s)
{
	for (size_t i = 0; i < parts->domains; i++)
		if (parts->domain[i].state == METER_UNPROVEN &&
		    elapsed_s < (parts->counter[i].slow ? METER_PROVE_SLOW_S
							: METER_PROVE_S))
			return true;
	return false;
}

static int load(const struct meter_kind *kind, void *self,
		struct meter_parts *parts, struct err *err)
{
	uint64_t first[METER_DOMAINS_MAX], now[METER_DOMAINS_MAX];
	int64_t start_ns = clock_now_ns(clock_real()), at_ns = start_ns;

	if (kind->read(self, first, err) < 0)
		return -1;
	while (undecided(parts, 1e-9 * (double)(at_ns - start_ns))) {
		spin_until(at_ns + SLICE_NS);
		at_ns = clock_now_ns(clock_real());
		if (kind->read(self, now, err) < 0)
			return -1;
		for (size_t i = 0; i < parts->domains; i++)
			if (parts->domain[i].state == METER_UNPROVEN &&
			    now[i] != first[i] && now[i] != METER_COUNT_GONE)
				parts->domain[i].state = METER_ALIVE;
	}
	for (size_t i = 0; i < parts->domains; i++)
		if (parts->domain[i].state == METER_UNPROVEN)
			parts->domain[i].state = METER_DEAD;
	return 0;
}

static void remark_dead(const struct meter_kind *kind,
			struct meter_parts *parts, const struct proof *proof,
			const bool *remembered)
{
	for (size_t i = 0; i < parts->domains; i++) {
		if (parts->domain[i].state != METER_DEAD ||
		    parts->counter[i].form)
			continue;
		meter_parts_remark(
			parts,
			"%s %s: present but does not advance under load: dead "
			"(virtual machines expose it so)%s%s%s",
			kind->name, parts->counter[i].where,
			remembered[i] ? "; found earlier in this boot, remove "
				      : "",
			remembered[i] ? proof_file(proof) : "",
			remembered[i] ? " to look again" : "");
	}
}

int meter_prove(const struct meter_kind *kind, void *self,
		struct meter_parts *parts, const struct meter_place *place,
		struct err *err)
{
	struct proof *proof = proof_open(place->state);
	bool remembered[METER_DOMAINS_MAX] = { false };
	int result;

	for (size_t i = 0; i < parts->domains; i++) {
		/* A kind knows its dead, and what may be at 0 W. */
		if (parts->counter[i].form) {
			remembered[i] = true;
			continue;
		}
		parts->domain[i].state =
			proof_get(proof, kind->name, parts->counter[i].where);
		remembered[i] = parts->domain[i].state != METER_UNPROVEN;
	}
	result = load(kind, self, parts, err);
	for (size_t i = 0; i < parts->domains && result == 0; i++)
		if (!remembered[i])
			proof_set(proof, kind->name, parts->counter[i].where,
				  parts->domain[i].state);
	if (result == 0)
		remark_dead(kind, parts, proof, remembered);
	proof_close(proof);
	return result;
}
