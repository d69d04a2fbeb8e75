/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_train_job -- one `bench train`, and how it is told.
 *
 * bench_train.c does the work, bench_train_job.c speaks: people read notes on stderr
 * and a summary on stdout, programs read documents on stdout.
 */
#ifndef BENCH_BENCH_TRAIN_JOB_H
#define BENCH_BENCH_TRAIN_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/compute.h"
#include "bench/dataset.h"
#include "bench/net.h"
#include "bench/training.h"
#include "lib/cli.h"
#include "lib/doc.h"
#include "lib/progress.h"
#include "sensor/meter.h"

struct train_config {
	struct cli_shared shared;
	char *model, *data, *loss, *optimizer, *precision, *meter, *checkpoint;
	int64_t batch, epochs;
	double rate, momentum, weight_decay, clip, warmup;
	int decay;
	bool force;
	struct compute_settings compute;
};

/* Names of enum sgd_schedule, NULL at the end. */
extern const char *const train_decays[];

/* All that a run needs, and what it added up. */
struct train_job {
	const struct train_config *config;
	struct net_spec spec;
	enum loss loss;
	struct precision precision;
	struct sgd sgd;
	struct dataset *set;
	struct net *net;
	struct compute compute;
	struct meter *meter;
	struct progress *progress;
	struct training *training;
	struct doc *run; /* what is trained, and how */
	bool resumed;    /* the checkpoint is of this run */
	struct training_epoch last;
	double seconds;
	struct energy energy;
};

/* What decides the bits of the result, machine and kernels apart. */
struct doc *train_run_doc(const struct train_job *job);

void train_say_start(const struct train_job *job);
void train_say_resumed(const struct train_job *job, bool same);
/* The last epoch: for people, and with --json for programs. */
void train_say_epoch(const struct train_job *job);
void train_say_summary(const struct train_job *job);
void train_say_stopped(const struct train_job *job);

#endif
