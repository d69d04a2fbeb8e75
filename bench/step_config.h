/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * step_config -- what is trained, and how: one configuration of a training
 * step, the key of an energy table.
 *
 *	struct step_config config;
 *	char text[STEP_CONFIG_TEXT_MAX];
 *
 *	step_config_set(&config, "mlp:784-256-10", 32, "fp32", "ce", "sgd", 1,
 *			&err);
 *	puts(step_config_text(&config, text));  // mlp:784-256-10 batch 32 ce
 *
 * A configuration that was set or read is one that this program can train;
 * everything else is refused with the names of what exists.
 *
 * Optimisers: those of net.h with the usual constants: "sgd" (plain),
 * "momentum" and "nesterov" (0.9: one more block of floats is read and written
 * each step), "adam" and "adamw" (0.9, 0.999: two more).  Precisions: those of
 * product.h.
 */
#ifndef BENCH_STEP_CONFIG_H
#define BENCH_STEP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/net.h"
#include "lib/doc.h"
#include "lib/err.h"

#define STEP_BATCH_MAX       65536
#define STEP_THREADS_MAX     4096
#define STEP_CONFIG_TEXT_MAX (NET_SPEC_MAX + 96)

struct step_config {
	struct net_spec model;
	size_t batch;
	char precision[PRECISION_NAME_MAX]; /* "fp32" */
	enum loss loss;
	char optimizer[16]; /* "sgd" */
	size_t threads;
};

int step_config_set(struct step_config *config, const char *model,
		    int64_t batch, const char *precision, const char *loss,
		    const char *optimizer, int64_t threads, struct err *err);

bool step_config_same(const struct step_config *a, const struct step_config *b);
/* By parameters, then model, batch, loss …: the order of tables. */
int step_config_compare(const struct step_config *a,
			const struct step_config *b);

/* The precision as the engine has it. */
struct precision step_config_precision(const struct step_config *config);
/* The learning rule's constants; the cost does not depend on the rate. */
struct sgd step_config_sgd(const struct step_config *config);

/* For people; what is usual (fp32, sgd, one thread) is not said. */
const char *step_config_text(const struct step_config *config,
			     char out[static STEP_CONFIG_TEXT_MAX]);

/* The members `model`, `batch`, `precision`, `loss`, `optimizer` and `threads`
 * of a record, an entry or a prediction. */
int step_config_read(const struct doc *doc, struct step_config *config,
		     struct err *err);
void step_config_put(const struct step_config *config, struct doc *doc);

#endif
