/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/rule.h"

#include <assert.h>
#include <stdlib.h>

#include "fl/kind.h"
#include "lib/mem.h"

extern const struct rule_kind rule_kind_fedavg;

static const struct rule_kind *const kinds[] = {
	&rule_kind_fedavg,
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct rule {
	const struct rule_kind *kind;
	void *self;
	size_t parameters;
};

const char *const *rule_kinds(void)
{
	static const char *names[KINDS + 1];

	for (size_t i = 0; i < KINDS; i++)
		names[i] = kinds[i]->name;
	return names;
}

struct rule *rule_open(const char *spec, size_t clients, size_t parameters,
		       struct err *err)
{
	struct rule_setup setup = { clients, parameters, NULL };
	int kind = kind_find("rule", spec, rule_kinds(), &setup.argument, err);
	struct rule *rule;
	void *self = NULL;

	if (kind < 0)
		return NULL;
	if (kinds[kind]->open) {
		self = kinds[kind]->open(&setup, err);
		if (!self)
			return NULL;
	} else if (kind_no_argument("rule", kinds[kind]->name, setup.argument,
				    err) < 0) {
		return NULL;
	}
	rule = xcalloc(1, sizeof(*rule));
	rule->kind = kinds[kind];
	rule->self = self;
	rule->parameters = parameters;
	return rule;
}

static int by_client(const void *a, const void *b)
{
	const struct update *const *x = a, *const *y = b;

	return ((*x)->client > (*y)->client) - ((*x)->client < (*y)->client);
}

void rule_combine(struct rule *rule, double *model, const struct update *update,
		  size_t updates)
{
	const struct update **order;

	if (!updates)
		return;
	order = xcalloc(updates, sizeof(struct update *));
	for (size_t i = 0; i < updates; i++) {
		assert(update[i].delta.n == rule->parameters);
		order[i] = &update[i];
	}
	qsort(order, updates, sizeof(struct update *), by_client);
	rule->kind->combine(rule->self, model, order, updates);
	free(order);
}

void rule_close(struct rule *rule)
{
	if (!rule)
		return;
	if (rule->kind->close)
		rule->kind->close(rule->self);
	free(rule);
}
