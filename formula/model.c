/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/mem.h"

static const struct model_kind *const kinds[] = {
	&model_kind_fedwatts,
	&model_kind_proportional,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct model {
	const struct model_kind *kind;
	void *self;
};

const struct model_kind *model_kind_at(size_t index)
{
	return index < KINDS ? kinds[index] : NULL;
}

static int unknown(const char *name, struct err *err)
{
	const char *names[KINDS + 2] = { NULL };
	struct text list = TEXT_INIT;
	const char *near;

	for (size_t i = 0; i < KINDS; i++) {
		names[i] = kinds[i]->name;
		text_printf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	/* A program of its own (formula_smartwatts.c), and yet a name. */
	names[KINDS] = "smartwatts";
	text_put(&list, ", smartwatts");
	near = field_nearest(name, names);
	err_set(err, EINVAL, "model '%s': unknown (%s%s%sthere are: %s)", name,
		near ? "did you mean " : "", near ? near : "", near ? "? " : "",
		list.data);
	text_done(&list);
	return -1;
}

struct model *model_open(const char *name, struct err *err)
{
	const struct model_kind *kind = NULL;
	struct model *model;
	void *self;

	for (size_t i = 0; i < KINDS; i++)
		if (!strcmp(kinds[i]->name, name))
			kind = kinds[i];
	if (!kind) {
		unknown(name, err);
		return NULL;
	}
	self = kind->open(err);
	if (!self)
		return NULL;
	model = xcalloc(1, sizeof(*model));
	model->kind = kind;
	model->self = self;
	return model;
}

const char *model_name(const struct model *model)
{
	return model->kind->name;
}

int model_weigh(struct model *model, const struct tick *tick,
		struct weights *weights, struct err *err)
{
	weights->target = mem_grow(weights->target, &weights->capacity,
				   tick->targets + 1, sizeof(double));
	weights->whole = mem_grow(weights->whole, &weights->whole_capacity,
				  tick->targets + 1, sizeof(double));
	weights->variance =
		mem_grow(weights->variance, &weights->variance_capacity,
			 tick->targets + 1, sizeof(double));
	weights->whole_variance = mem_grow(weights->whole_variance,
					   &weights->whole_variance_capacity,
					   tick->targets + 1, sizeof(double));
	for (size_t i = 0; i < tick->targets; i++)
		weights->variance[i] = weights->whole_variance[i] = 0;
	weights->whole_known = weights->variance_known = false;
	weights->rest = weights->whole_rest = 0;
	weights->rest_variance = weights->whole_rest_variance = 0;
	weights->idle_variance = 0;
	weights->idle_w = weights->excess = weights->kernel = (double)NAN;
	weights->predicted_w = (double)NAN;
	weights->basis = model->kind->name;
	return model->kind->weigh(model->self, tick, weights, err);
}

void model_close(struct model *model)
{
	if (!model)
		return;
	model->kind->close(model->self);
	free(model);
}

void weights_done(struct weights *weights)
{
	free(weights->target);
	free(weights->whole);
	free(weights->variance);
	free(weights->whole_variance);
	*weights = (struct weights){ 0 };
}
