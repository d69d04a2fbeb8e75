/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fleet -- the devices of a run: who owns what, costs what, may spend what.
 *
 *	struct fleet *fleet = fleet_open(&values, set, &step, &err);
 *
 *	for (size_t k = 0; k < fleet->clients; k++)
 *		use(&fleet->client[k]);
 *	fleet_close(fleet);
 *
 * Built from the configuration, the data set and the energy tables: client k
 * has part k of the partition, table k modulo their number (unless the list
 * of devices says otherwise) and a policy of its own.
 *
 * Joules of all devices are added up in reports: the fleet's source is the
 * worst class among its tables, and its meter scale holds all of theirs.
 */
#ifndef FL_FLEET_H
#define FL_FLEET_H

#include "bench/dataset.h"
#include "bench/energy_table.h"
#include "fl/client.h"
#include "fl/partition.h"
#include "fl/run_config.h"
#include "lib/err.h"

struct fleet {
	struct training training;
	struct client *client;
	size_t clients;
	struct partition *partition;
	struct energy_table **table;
	size_t tables;
	size_t *client_table; /* which table each client has */
	enum energy_source source;
	char meter[64]; /* the kind that measured the tables, "several" */
	struct interval meter_scale; /* true joules: [lo, hi] × joules */
};

struct fleet *fleet_open(const struct run_config *values,
			 const struct dataset *set,
			 const struct step_config *step, struct err *err);
void fleet_close(struct fleet *fleet); /* accepts NULL */

/* What training fully in every round is expected to cost a device of scale 1
 * with the table of the first client. */
double fleet_full_run_j(const struct fleet *fleet);

#endif
