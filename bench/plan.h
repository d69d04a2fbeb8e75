/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan -- which configurations are measured, how often and in which order.
 *
 *	struct plan_settings settings = { .preset = PLAN_QUICK };
 *	struct plan *plan = plan_new(&settings, 1, &err);
 *
 *	for (size_t block = 0; block < plan->blocks; block++) {
 *		plan_order(plan, block, order);
 *		for (size_t i = 0; i < plan->configs; i++)
 *			measure(&plan->config[order[i]], plan->window_s);
 *	}
 *	plan_free(plan);
 *
 * The configurations are the product of models, batches, precisions, losses
 * and optimizers.  They are measured in randomised complete blocks: each block
 * has every configuration once, in an order of its own drawn from the stream
 * (seed, "sweep", block), so that whatever drifts (temperature, neighbours)
 * does not line up with a configuration.
 *
 * The digest of a plan (plan_digest) names its records.  How many blocks there
 * are, extra ones too, is not part of it: a sweep may be continued with more.
 *
 * A preset gives what the settings leave open; every list that is given
 * replaces the preset's.
 */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "bench/step_config.h"
#include "lib/doc.h"
#include "lib/err.h"
#include "lib/field.h"

#define PLAN_CONFIGS_MAX 10000
#define PLAN_BLOCKS_MAX  10000

/* Half of the blocks: a disturbed machine costs half as much time again. */
#define PLAN_RETRIES_AUTO (-1)

enum plan_preset { PLAN_QUICK, PLAN_STANDARD, PLAN_PAPER };

/* As a user gives it: in options, in a plan file, in the environment. */
struct plan_settings {
	int preset;               /* enum plan_preset */
	struct field_list models; /* each may name several, with commas */
	struct field_list batches, precisions, losses, optimizers;
	double window_s, warmup_s, idle_s; /* negative: the preset's */
	int64_t repeats;                   /* 0: the preset's */
	int64_t retries;                   /* PLAN_RETRIES_AUTO */
	int64_t threads;                   /* 0: one */
};

extern const char *const plan_presets[]; /* names, NULL-terminated */

/* A duration that nobody gave is to be made negative before plan_new():
 * plan_settle(). */
/* clang-format off */
#define PLAN_FIELDS(type, m) \
	{ "preset", FIELD_CHOICE, offsetof(struct type, m.preset), \
	  .initial = "quick", .choices = plan_presets, .value = "NAME", \
	  .help = "what is measured where nothing else is said" }, \
	{ "models", FIELD_LIST, offsetof(struct type, m.models), .value = "M,…", \
	  .help = "models: mlp:784-128-10,softmax:784-10" }, \
	{ "batches", FIELD_WORDS, offsetof(struct type, m.batches), \
	  .value = "N,…", .help = "samples per training step" }, \
	{ "precisions", FIELD_WORDS, offsetof(struct type, m.precisions), \
	  .value = "P,…", .help = "fp32, bf16, int8, fp16, fake-intN" }, \
	{ "losses", FIELD_WORDS, offsetof(struct type, m.losses), .value = "L,…", \
	  .help = LOSS_NAMES }, \
	{ "optimizers", FIELD_WORDS, offsetof(struct type, m.optimizers), \
	  .value = "O,…", .help = SGD_NAMES }, \
	{ "window", FIELD_SECONDS, offsetof(struct type, m.window_s), \
	  .max = 3600, .value = "D", \
	  .help = "how long each configuration is measured (the preset's: " \
		  "1 s, 2 s, 10 s)" }, \
	{ "warmup", FIELD_SECONDS, offsetof(struct type, m.warmup_s), \
	  .max = 3600, .value = "D", \
	  .help = "steps before each window that are not measured " \
		  "(a tenth of the window)" }, \
	{ "idle", FIELD_SECONDS, offsetof(struct type, m.idle_s), \
	  .max = 3600, .value = "D", \
	  .help = "rest before each block, to learn the idle power " \
		  "(0: none; a window)" }, \
	{ "repeats", FIELD_INT, offsetof(struct type, m.repeats), \
	  .min = 0, .max = PLAN_BLOCKS_MAX, .value = "N", \
	  .help = "blocks: how often each configuration is measured " \
		  "(0: as the preset has it)" }, \
	{ "retries", FIELD_INT, offsetof(struct type, m.retries), \
	  .initial = "-1", .min = PLAN_RETRIES_AUTO, .max = PLAN_BLOCKS_MAX, \
	  .value = "N", \
	  .help = "extra blocks at most, of configurations whose windows " \
		  "were disturbed (0: none; -1: half of the repeats)" }
/* clang-format on */

/* Mark the durations that `config`, whose values hold `settings`, was not
 * given. */
void plan_settle(struct plan_settings *settings, const struct config *config);

struct plan {
	struct step_config *config;
	size_t configs;
	size_t blocks;
	size_t retries; /* extra blocks at most (sweep_ledger.h) */
	double window_s, warmup_s, idle_s;
	uint64_t seed;
};

struct plan *plan_new(const struct plan_settings *settings, uint64_t seed,
		      struct err *err);
void plan_free(struct plan *plan); /* accepts NULL */

/* Indices into `config`, `configs` of them. */
void plan_order(const struct plan *plan, size_t block, size_t *order);

/* How long it takes, about. */
double plan_seconds(const struct plan *plan);

/* What the records' digest covers: the plan but for its number of blocks. */
struct doc *plan_doc(const struct plan *plan);

/* Cut "mlp:784-32-10,cnn:1x28x28,c32k3,d10" into models: a comma begins
 * another one only where a word and a colon follow. */
void plan_split_models(const char *text, struct field_list *models);

#endif
