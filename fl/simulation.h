/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * simulation -- a server and its devices, round by round, on a virtual clock.
 *
 *	struct simulation *simulation = simulation_new(&config, 2, &err);
 *	struct round_result round;
 *	int got;
 *
 *	while ((got = simulation_round(simulation, &round, &err)) > 0)
 *		sink_put_doc(sink, simulation_round_doc(simulation, &round));
 *	simulation_free(simulation);
 *
 * A round: the server asks a cohort, sends the model, each client decides what
 * it can afford, trains and answers (client.h), the rule combines the updates
 * (rule.h), the new model is tried on the test part.  It lasts as long as its
 * slowest participant.  A round in which nobody took part takes no time and
 * leaves the model as it is.
 *
 * Laws: results follow from the configuration (with its seed), the data and
 * the tables alone.  Every draw comes from rng_stream(seed, purpose, client,
 * round), sums run in a fixed order: the number of threads changes nothing,
 * not one bit.
 */
#ifndef FL_SIMULATION_H
#define FL_SIMULATION_H

#include <stddef.h>

#include "bench/dataset.h"
#include "fl/fleet.h"
#include "fl/outcome.h"
#include "lib/doc.h"
#include "lib/err.h"
#include "lib/field.h"

struct simulation;

/* `config` has run_fields and a struct run_config (run_config.h); borrowed
 * until the simulation is freed. */
struct simulation *simulation_new(const struct config *config, size_t threads,
				  struct err *err);
void simulation_free(struct simulation *simulation); /* accepts NULL */

/* 1 and a round (borrowed until the next), 0 when all are done, -1. */
int simulation_round(struct simulation *simulation, struct round_result *round,
		     struct err *err);

/* The documents of run_doc.h.  The header is borrowed, the others are yours. */
const struct doc *simulation_header(const struct simulation *simulation);
struct doc *simulation_round_doc(const struct simulation *simulation,
				 const struct round_result *round);
struct doc *simulation_summary(const struct simulation *simulation);

/* For what a program tells its reader; borrowed. */
const struct fleet *simulation_fleet(const struct simulation *simulation);
const struct dataset *simulation_data(const struct simulation *simulation);
const struct step_config *simulation_step(const struct simulation *simulation);
const struct outcome *simulation_outcome(const struct simulation *simulation);
/* The model after the last round. */
const double *simulation_model(const struct simulation *simulation);

#endif
