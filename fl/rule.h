/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rule -- how the server combines the updates of a round.
 *
 *	struct rule *rule = rule_open("fedavg", clients, parameters, &err);
 *
 *	rule_combine(rule, model, updates, count);	// model is changed
 *	rule_close(rule);
 *
 * The server's model is one block of doubles; an update is what a client
 * learned: its model after local training minus the one it was sent.
 *
 * Kinds: "fedavg" (mean weighted by samples).  To add one: a file rule_KIND.c
 * that exports one `struct rule_kind`, and a line in the table in rule.c; the
 * shared suite in tests/unit/test_rule.c runs over it.
 *
 * Laws: the reduction runs in order of the clients' numbers, whatever the order
 * in which updates came in, so the same updates give the same bits.  A round
 * without updates changes nothing.  Equal updates from everybody move the
 * model by just that update, for kinds that average.
 */
#ifndef FL_RULE_H
#define FL_RULE_H

#include <stddef.h>

#include "fl/vector.h"
#include "lib/err.h"

struct rule;

struct update {
	size_t client;
	double samples; /* n_k: what the client owns */
	size_t steps;   /* τ_k: local steps behind it */
	struct vector delta;
};

struct rule *rule_open(const char *spec, size_t clients, size_t parameters,
		       struct err *err);
void rule_combine(struct rule *rule, double *model, const struct update *update,
		  size_t updates);
void rule_close(struct rule *rule); /* accepts NULL */

/* NULL-terminated, for --help and tests. */
const char *const *rule_kinds(void);

struct rule_setup {
	size_t clients, parameters;
	const char *argument; /* behind "KIND:", or NULL */
};

struct rule_kind {
	const char *name;
	/* Optional, as is close: a kind without open has no state and no
	 * argument. */
	void *(*open)(const struct rule_setup *setup, struct err *err);
	/* At least one update, in ascending order of clients. */
	void (*combine)(void *self, double *model,
			const struct update *const *update, size_t updates);
	void (*close)(void *self);
	const char *summary;
};

#endif
