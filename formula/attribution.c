/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/attribution.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/field.h"
#include "lib/text.h"

/* `watts` by shares of use, on top of what is there; what nobody used is
 * nobody's. */
static void by_use(const struct attribution_input *input, double watts,
		   struct attribution *result)
{
	double total = input->rest;

	for (size_t i = 0; i < input->targets; i++)
		total += input->use[i];
	if (!(total > 0)) {
		result->unattributed_w += watts;
		return;
	}
	for (size_t i = 0; i < input->targets; i++)
		result->target_w[i] += watts * (input->use[i] / total);
	result->unattributed_w += watts * (input->rest / total);
}

static void share_none(const struct attribution_input *input, double idle_w,
		       struct attribution *result)
{
	result->idle_w = idle_w;
	by_use(input, input->watts - idle_w, result);
}

static void share_uniform(const struct attribution_input *input, double idle_w,
			  struct attribution *result)
{
	size_t ran = 0;

	for (size_t i = 0; i < input->targets; i++)
		ran += input->use[i] > 0;
	if (!ran)
		result->idle_w = idle_w;
	for (size_t i = 0; i < input->targets; i++)
		if (input->use[i] > 0)
			result->target_w[i] += idle_w / (double)ran;
	by_use(input, input->watts - idle_w, result);
}

static void share_proportional(const struct attribution_input *input,
			       double idle_w, struct attribution *result)
{
	double total = input->rest;

	for (size_t i = 0; i < input->targets; i++)
		total += input->use[i];
	if (total > 0)
		by_use(input, input->watts, result);
	else
		share_none(input, idle_w, result);
}

static const struct idle_policy policies[] = {
	{ "none", "idle watts are a target of their own", share_none, false },
	{ "uniform", "idle watts in equal parts to the targets that ran",
	  share_uniform, false },
	{ "proportional", "idle watts by use, like the rest",
	  share_proportional, true },
	/* Models here add up, so a target's marginal watts are its own ... */
	{ "marginal", "the watts that would not be there without the target",
	  share_none, false },
	/* ... and the Shapley value of a game in which nobody running means no
	 * watts is those, and an equal part of the idle ones. */
	{ "shapley", "the mean of what a target adds, whoever was there first",
	  share_uniform, false },
};
#define POLICIES (sizeof(policies) / sizeof(policies[0]))

const struct idle_policy *idle_policy_at(size_t index)
{
	return index < POLICIES ? &policies[index] : NULL;
}

static void unknown(const char *name, struct err *err)
{
	const char *names[POLICIES + 1] = { NULL };
	struct text list = TEXT_INIT;
	const char *near;

	for (size_t i = 0; i < POLICIES; i++) {
		names[i] = policies[i].name;
		text_printf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	near = field_nearest(name, names);
	err_set(err, EINVAL, "idle policy '%s': unknown (%s%s%sthere are: %s)",
		name, near ? "did you mean " : "", near ? near : "",
		near ? "? " : "", list.data);
	text_done(&list);
}

const struct idle_policy *idle_policy_find(const char *name, struct err *err)
{
	for (size_t i = 0; i < POLICIES; i++)
		if (!strcmp(policies[i].name, name))
			return &policies[i];
	unknown(name, err);
	return NULL;
}

void attribute(const struct idle_policy *policy,
	       const struct attribution_input *input,
	       struct attribution *result)
{
	double sum;

	memset(result->target_w, 0, input->targets * sizeof(double));
	result->idle_w = 0;
	result->unattributed_w = 0;
	policy->share(input, fmin(input->idle_w, input->watts), result);
	sum = result->idle_w + result->unattributed_w;
	for (size_t i = 0; i < input->targets; i++)
		sum += result->target_w[i];
	result->residual_w = input->watts - sum;
}

double attribution_within(double watts, double use, double whole)
{
	return whole > 0 ? watts * fmin(use / whole, 1) : 0;
}
