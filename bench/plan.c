/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/plan.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/rng.h"

const char *const plan_presets[] = { "quick", "standard", "paper", NULL };

/* What making the net and its first touch take beside the warm-up. */
#define SETUP_S 0.02

static const struct preset {
	const char *models, *batches;
	double window_s;
	int64_t repeats;
} presets[] = {
	[PLAN_QUICK] = {
		"mlp:784-32-10,mlp:784-128-10,mlp:784-256-256-10,"
		"mlp:784-512-10",
		"8,32,256",
		1, 5,
	},
	[PLAN_STANDARD] = {
		"softmax:784-10,mlp:784-32-10,mlp:784-64-10,mlp:784-128-10,"
		"mlp:784-256-10,mlp:784-512-10,mlp:784-128-128-10,"
		"mlp:784-256-256-10,mlp:784-512-512-10",
		"8,16,32,64,128,256",
		2, 5,
	},
	[PLAN_PAPER] = {
		"softmax:784-10,softmax:3072-100,mlp:784-32-10,mlp:784-64-10,"
		"mlp:784-128-10,mlp:784-256-10,mlp:784-512-10,"
		"mlp:784-1024-10,mlp:784-128-128-10,mlp:784-256-256-10,"
		"mlp:784-512-512-10,mlp:784-256-256-256-10,mlp:3072-256-100",
		"1,2,4,8,16,32,64,128,256,512",
		10, 10,
	},
};

/* The values of the five axes, as words. */
struct axes {
	struct field_list models, batches, precisions, losses, optimizers;
	int64_t threads; /* the same for all */
};

static bool begins_model(const char *text)
{
	size_t length = 0;

	while (isalpha((unsigned char)text[length]))
		length++;
	return length && text[length] == ':';
}

void plan_split_models(const char *text, struct field_list *models)
{
	const char *begin = text;
	char *model;

	for (const char *at = text;; at++) {
		if (*at && !(*at == ',' && begins_model(at + 1)))
			continue;
		model = xstrndup(begin, (size_t)(at - begin));
		field_list_add(models, model);
		free(model);
		if (!*at)
			return;
		begin = at + 1;
	}
}

static void split_words(const char *text, struct field_list *words)
{
	char *copy = xstrdup(text), *rest = copy, *word;

	while ((word = strsep(&rest, ",")))
		field_list_add(words, word);
	free(copy);
}

static void axis_fill(struct field_list *axis, const struct field_list *given,
		      const char *preset)
{
	for (size_t i = 0; i < given->count; i++)
		field_list_add(axis, given->item[i]);
	if (!given->count)
		split_words(preset, axis);
}

static void axes_fill(struct axes *axes, const struct plan_settings *settings,
		      const struct preset *preset)
{
	for (size_t i = 0; i < settings->models.count; i++)
		plan_split_models(settings->models.item[i], &axes->models);
	if (!settings->models.count)
		plan_split_models(preset->models, &axes->models);
	axis_fill(&axes->batches, &settings->batches, preset->batches);
	axis_fill(&axes->precisions, &settings->precisions, "fp32");
	axis_fill(&axes->losses, &settings->losses, "ce,mse");
	axis_fill(&axes->optimizers, &settings->optimizers, "sgd");
	axes->threads = settings->threads ? settings->threads : 1;
}

static void axes_done(struct axes *axes)
{
	field_list_done(&axes->models);
	field_list_done(&axes->batches);
	field_list_done(&axes->precisions);
	field_list_done(&axes->losses);
	field_list_done(&axes->optimizers);
}

static int batch_parse(const char *text, int64_t *batch, struct err *err)
{
	char *end;

	errno = 0;
	*batch = strtoll(text, &end, 10);
	if (end == text || *end || errno)
		return err_set(err, EINVAL,
			       "batch '%s': expected a whole number", text);
	return 0;
}

static int add_config(struct plan *plan, const struct step_config *config,
		      struct err *err)
{
	char text[STEP_CONFIG_TEXT_MAX];

	for (size_t i = 0; i < plan->configs; i++)
		if (step_config_same(&plan->config[i], config))
			return err_set(err, EINVAL, "%s: is in the plan twice",
				       step_config_text(config, text));
	plan->config[plan->configs++] = *config;
	return 0;
}

/* The configuration at place `index` of the product, the models slowest. */
static int product_at(const struct axes *axes, size_t index,
		      struct step_config *config, struct err *err)
{
	const struct field_list *axis[] = { &axes->optimizers, &axes->losses,
					    &axes->precisions, &axes->batches,
					    &axes->models };
	const char *word[5];
	int64_t batch;

	for (size_t i = 0; i < 5; i++) {
		word[i] = axis[i]->item[index % axis[i]->count];
		index /= axis[i]->count;
	}
	if (batch_parse(word[3], &batch, err) < 0)
		return -1;
	return step_config_set(config, word[4], batch, word[2], word[1],
			       word[0], axes->threads, err);
}

static int fill_product(struct plan *plan, const struct axes *axes,
			struct err *err)
{
	double product =
		(double)axes->models.count * (double)axes->batches.count *
		(double)axes->precisions.count * (double)axes->losses.count *
		(double)axes->optimizers.count;
	struct step_config config;

	if (product > PLAN_CONFIGS_MAX)
		return err_set(err, EINVAL,
			       "plan: %.0f configurations are more than %d",
			       product, PLAN_CONFIGS_MAX);
	plan->config = xcalloc((size_t)product, sizeof(*plan->config));
	for (size_t i = 0; i < (size_t)product; i++)
		if (product_at(axes, i, &config, err) < 0 ||
		    add_config(plan, &config, err) < 0)
			return -1;
	return 0;
}

void plan_settle(struct plan_settings *settings, const struct config *config)
{
	if (!config_given(config, "window"))
		settings->window_s = -1;
	if (!config_given(config, "warmup"))
		settings->warmup_s = -1;
	if (!config_given(config, "idle"))
		settings->idle_s = -1;
}

static double or_else(double given, double fallback)
{
	return given < 0 ? fallback : given;
}

struct plan *plan_new(const struct plan_settings *settings, uint64_t seed,
		      struct err *err)
{
	const struct preset *preset = &presets[settings->preset];
	struct plan *plan = xcalloc(1, sizeof(*plan));
	struct axes axes = { 0 };
	int result;

	plan->seed = seed;
	plan->window_s = or_else(settings->window_s, preset->window_s);
	plan->warmup_s = or_else(settings->warmup_s, plan->window_s / 10);
	plan->idle_s = or_else(settings->idle_s, plan->window_s);
	plan->blocks = (size_t)(settings->repeats ? settings->repeats
						  : preset->repeats);
	plan->retries = settings->retries < 0 ? plan->blocks / 2
					      : (size_t)settings->retries;
	axes_fill(&axes, settings, preset);
	result = fill_product(plan, &axes, err);
	axes_done(&axes);
	if (!result && plan->window_s <= 0)
		result = err_set(err, EINVAL,
				 "window: a window must last (try 1s)");
	if (!result)
		return plan;
	plan_free(plan);
	return NULL;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	free(plan->config);
	free(plan);
}

void plan_order(const struct plan *plan, size_t block, size_t *order)
{
	struct rng rng = rng_stream(plan->seed, "sweep", block, 0);

	for (size_t i = 0; i < plan->configs; i++)
		order[i] = i;
	rng_shuffle(&rng, order, plan->configs);
}

double plan_seconds(const struct plan *plan)
{
	double block = (double)plan->configs *
		       (plan->window_s + plan->warmup_s + SETUP_S);

	return (double)plan->blocks * (block + plan->idle_s);
}

struct doc *plan_doc(const struct plan *plan)
{
	struct doc *doc = doc_new_object();
	struct doc *configs = doc_new_array();

	for (size_t i = 0; i < plan->configs; i++) {
		struct doc *config = doc_new_object();

		step_config_put(&plan->config[i], config);
		doc_add_take(configs, config);
	}
	doc_set_take(doc, "configurations", configs);
	doc_set_real(doc, "window_s", plan->window_s);
	doc_set_real(doc, "warmup_s", plan->warmup_s);
	doc_set_real(doc, "idle_s", plan->idle_s);
	doc_set_int(doc, "seed", (int64_t)plan->seed);
	return doc;
}
