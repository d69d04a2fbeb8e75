/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy -- how a device spends its joules over the rounds.
 *
 *	struct policy *policy = policy_open("uniform", &err);
 *	struct decision decision;
 *
 *	policy_decide(policy, &view, &decision);
 *	if (decision.skip == SKIP_NO)
 *		train(&decision.action);
 *	policy_close(policy);
 *
 * Each device has a policy of its own, so what a policy remembers belongs to
 * one device and a real device can carry it along.  It sees a struct
 * policy_view: what is left, what an action would cost, how often it will be
 * asked again; and picks an action within the bounds, or sits out with a
 * reason.
 *
 * Kinds: "none" (train fully until empty, then drop out), "uniform" (the
 * largest action whose upper cost fits an even share of what is left).  To add
 * one: a file policy_KIND.c that exports one `struct policy_kind`, and a line
 * in the table in policy.c; the shared suite in tests/unit/test_policy.c runs
 * over it.
 *
 * Laws: a decision's action lies within the view's bounds.  A kind with
 * `watches` set never decides on an action whose upper cost (pi95) exceeds
 * what is left, and its device stops in time when a round turns out dearer
 * (device.h), so it never overspends.  Nothing is drawn but from
 * rng_stream(view->seed, "policy …", device, round).
 */
#ifndef FL_POLICY_H
#define FL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fl/device.h"
#include "lib/err.h"

struct policy;

enum skip {
	SKIP_NO,
	SKIP_EMPTY,     /* what is left never pays for the smallest action */
	SKIP_SAVING,    /* … not now, but later it may */
	SKIP_NOT_ASKED, /* the server left it out of this round's cohort */
};
#define SKIP_KINDS 4

/* "empty", "saving" …; NULL for SKIP_NO. */
const char *skip_name(enum skip skip);

struct policy_view {
	const struct device *device; /* what it has, what things cost */
	size_t round, rounds;        /* round counts from 0 */
	double turns; /* how often it is asked from now on, this time counted,
			  as expected; at least 1 */
	struct action full; /* the largest action allowed */
	size_t steps_min;   /* fewer are not worth a round */
	uint64_t seed;
};

struct decision {
	enum skip skip;
	struct action action; /* where skip is SKIP_NO */
};

struct policy *policy_open(const char *spec, struct err *err);
void policy_close(struct policy *policy); /* accepts NULL */

const char *policy_name(const struct policy *policy);
/* Does its device stop before the budget ends? */
bool policy_watches(const struct policy *policy);

void policy_decide(struct policy *policy, const struct policy_view *view,
		   struct decision *decision);
/* What came of it. */
void policy_learn(struct policy *policy, const struct policy_view *view,
		  const struct decision *decision, const struct work *work);

/* NULL-terminated, for --help and tests. */
const char *const *policy_kinds(void);

struct policy_kind {
	const char *name;
	bool watches;
	/* `argument` stands behind "KIND:", or NULL.  Optional, as are learn
	 * and close: a kind without open has no state and no argument. */
	void *(*open)(const char *argument, struct err *err);
	void (*decide)(void *self, const struct policy_view *view,
		       struct decision *decision);
	void (*learn)(void *self, const struct policy_view *view,
		      const struct decision *decision, const struct work *work);
	void (*close)(void *self);
	const char *summary;
};

#endif
