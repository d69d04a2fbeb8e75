/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/policy.h"

#include <assert.h>
#include <stdlib.h>

#include "fl/kind.h"
#include "lib/mem.h"

extern const struct policy_kind policy_kind_none, policy_kind_uniform;

static const struct policy_kind *const kinds[] = {
	&policy_kind_none,
	&policy_kind_uniform,
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct policy {
	const struct policy_kind *kind;
	void *self;
};

const char *const *policy_kinds(void)
{
	static const char *names[KINDS + 1];

	for (size_t i = 0; i < KINDS; i++)
		names[i] = kinds[i]->name;
	return names;
}

const char *skip_name(enum skip skip)
{
	static const char *const names[SKIP_KINDS] = { NULL, "empty", "saving",
						       "not asked" };

	return names[skip];
}

struct policy *policy_open(const char *spec, struct err *err)
{
	const char *argument;
	int kind = kind_find("policy", spec, policy_kinds(), &argument, err);
	struct policy *policy;
	void *self = NULL;

	if (kind < 0)
		return NULL;
	if (kinds[kind]->open) {
		self = kinds[kind]->open(argument, err);
		if (!self)
			return NULL;
	} else if (kind_no_argument("policy", kinds[kind]->name, argument,
				    err) < 0) {
		return NULL;
	}
	policy = xcalloc(1, sizeof(*policy));
	policy->kind = kinds[kind];
	policy->self = self;
	return policy;
}

void policy_close(struct policy *policy)
{
	if (!policy)
		return;
	if (policy->kind->close)
		policy->kind->close(policy->self);
	free(policy);
}

const char *policy_name(const struct policy *policy)
{
	return policy->kind->name;
}

bool policy_watches(const struct policy *policy)
{
	return policy->kind->watches;
}

void policy_decide(struct policy *policy, const struct policy_view *view,
		   struct decision *decision)
{
	*decision = (struct decision){ .action = view->full };
	policy->kind->decide(policy->self, view, decision);
	assert(decision->skip != SKIP_NO ||
	       (decision->action.steps >= 1 &&
		decision->action.steps <= view->full.steps));
}

void policy_learn(struct policy *policy, const struct policy_view *view,
		  const struct decision *decision, const struct work *work)
{
	if (policy->kind->learn)
		policy->kind->learn(policy->self, view, decision, work);
}
