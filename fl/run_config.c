/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/run_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fl/partition.h"
#include "lib/doc.h"
#include "lib/mem.h"

#define AT(member) offsetof(struct run_config, member)

const struct field run_fields[] = {
	{ "table", FIELD_LIST, AT(table), .value = "TABLE.json",
	  .unlisted = true,
	  .help = "energy table of the devices (bench fit); several are "
		  "dealt out in turn" },
	{ "data", FIELD_TEXT, AT(data), .initial = "fashion-mnist",
	  .value = "SET",
	  .help = "fashion-mnist, leaf:DIR, synthetic:NxDxC …: bench(1)" },
	{ "model", FIELD_TEXT, AT(model), .value = "MODEL",
	  .help = "softmax:784-10, mlp:784-256-10 … (default: mlp with one "
		  "hidden layer of 256)" },
	{ "partition", FIELD_TEXT, AT(partition), .initial = "dirichlet:0.5",
	  .value = "KIND",
	  .help = "who owns which samples: iid, dirichlet:A, shards:K, "
		  "natural" },
	{ "devices", FIELD_INT, AT(devices), .initial = "20", .min = 1,
	  .max = PARTITION_DEVICES_MAX, .value = "N",
	  .help = "simulated devices (in CONFIG.json also a list of them)" },
	{ "device-spread", FIELD_REAL, AT(device_spread), .initial = "2",
	  .min = 1, .max = 1000, .value = "S",
	  .help = "each device's joules and seconds are the table's times "
		  "factors drawn from [1/S, S]; 1: all alike" },
	{ "budget", FIELD_JOULES, AT(budget_j), .min = 0, .max = 1e15,
	  .value = "ENERGY",
	  .help = "joules per device for the whole run (0: no limit)" },
	{ "budget-share", FIELD_REAL, AT(budget_share), .min = 0, .max = 1e3,
	  .value = "X",
	  .help = "the budget as a share of what a full run costs a device "
		  "with factor 1 (0.4), instead of --budget" },
	{ "policy", FIELD_TEXT, AT(policy), .initial = "uniform",
	  .value = "KIND",
	  .help = "how a device spends its budget: none, uniform" },
	{ "rule", FIELD_TEXT, AT(rule), .initial = "fedavg", .value = "KIND",
	  .help = "how updates are combined: fedavg" },
	{ "rounds", FIELD_INT, AT(rounds), .initial = "30", .min = 1,
	  .max = 1000000, .value = "N", .help = "rounds" },
	{ "cohort", FIELD_REAL, AT(cohort), .initial = "1", .min = 1e-6,
	  .max = 1, .value = "X",
	  .help = "share of the devices that is asked each round" },
	{ "batch", FIELD_INT, AT(batch), .initial = "32", .min = 1,
	  .max = 65536, .value = "N", .help = "samples per local step" },
	{ "local-steps", FIELD_INT, AT(local_steps), .initial = "50", .min = 1,
	  .max = 1000000, .value = "N",
	  .help = "local steps of a full round (20 devices of Fashion-MNIST: "
		  "about half an epoch)" },
	{ "local-steps-min", FIELD_INT, AT(local_steps_min), .initial = "0",
	  .min = 0, .max = 1000000, .value = "N",
	  .help = "fewer are not worth a round: save instead (0: a tenth of "
		  "--local-steps)" },
	{ "rate", FIELD_REAL, AT(rate), .initial = "0.1", .min = 1e-9,
	  .max = 1e3, .value = "X", .help = "local learning rate" },
	{ "rate-decay", FIELD_REAL, AT(rate_decay), .initial = "1", .min = 1e-3,
	  .max = 1, .value = "X",
	  .help = "the rate's factor from round to round" },
	{ "optimizer", FIELD_TEXT, AT(optimizer), .initial = "sgd",
	  .value = "NAME",
	  .help = "of the local steps: sgd, momentum (0.9, from zero each "
		  "round)" },
	{ "precision", FIELD_TEXT, AT(precision), .initial = "fp32",
	  .value = "P", .help = "of the local steps: fp32" },
	{ "loss", FIELD_TEXT, AT(loss), .initial = "ce", .value = "LOSS",
	  .help = "ce, mse" },
	{ "targets", FIELD_WORDS, AT(targets),
	  .initial = "0.5,0.6,0.7,0.75,0.8,0.85,0.9", .value = "X,…",
	  .help = "accuracies whose first round and joules the summary "
		  "names" },
	CLI_TO(run_config, to),
	CLI_FORCE(run_config, force),
	CLI_SHARED(run_config),
	FIELD_END
};

/* ---- the list of devices ------------------------------------------------ */

#define OF(member) offsetof(struct device_option, member)

static const struct field device_fields[] = {
	{ "scale_joules", FIELD_REAL, OF(scale_joules), .initial = "1",
	  .min = 1e-9, .max = 1e9 },
	{ "scale_seconds", FIELD_REAL, OF(scale_seconds), .initial = "1",
	  .min = 1e-9, .max = 1e9 },
	{ "budget", FIELD_JOULES, OF(budget_j), .min = 0, .max = 1e15 },
	{ "table", FIELD_INT, OF(table), .min = 1, .max = 1000 },
	{ "count", FIELD_INT, OF(count), .initial = "1", .min = 1,
	  .max = PARTITION_DEVICES_MAX },
	FIELD_END
};

static int device_option_read(struct device_option *option,
			      const struct doc *doc, const char *where,
			      struct err *err)
{
	struct config config;
	int result;

	*option = (struct device_option){ 0 };
	config_init(&config, device_fields, option);
	result = config_set_doc(&config, doc, where, err);
	config_done(&config);
	return result;
}

/* The number of devices, or -1. */
static int64_t device_list_read(const struct doc *list, const char *path,
				struct device_option **devices, struct err *err)
{
	struct device_option *all = NULL;
	size_t capacity = 0, n = 0;

	for (size_t i = 0; i < doc_count(list); i++) {
		struct device_option option;
		char *where = xasprintf("%s: devices[%zu]", path, i);
		int bad = device_option_read(&option, doc_at(list, i), where,
					     err);

		free(where);
		if (bad < 0)
			goto fail;
		if (n + (size_t)option.count > PARTITION_DEVICES_MAX) {
			err_set(err, EINVAL, "%s: devices: more than %d", path,
				PARTITION_DEVICES_MAX);
			goto fail;
		}
		all = mem_grow(all, &capacity, n + (size_t)option.count,
			       sizeof(*all));
		while (option.count-- > 0)
			all[n++] = option;
	}
	if (n) {
		*devices = all;
		return (int64_t)n;
	}
	err_set(err, EINVAL, "%s: devices: the list is empty", path);
fail:
	free(all);
	return -1;
}

/* The same object without the list, which a table of fields cannot hold. */
static struct doc *without_devices(const struct doc *doc)
{
	struct doc *rest = doc_new_object();

	for (size_t i = 0; i < doc_count(doc); i++) {
		const struct doc *value;
		const char *key = doc_key_at(doc, i, &value);

		if (strcmp(key, "devices") != 0)
			doc_set_take(rest, key, doc_copy(value));
	}
	return rest;
}

static int read_with_list(struct config *config, const struct doc *doc,
			  const char *path, struct err *err)
{
	struct run_config *values = config->values;
	struct device_option *devices;
	struct doc *rest;
	char count[24];
	int64_t n =
		device_list_read(doc_get(doc, "devices"), path, &devices, err);
	int result;

	if (n < 0)
		return -1;
	rest = without_devices(doc);
	result = config_set_doc(config, rest, path, err);
	doc_free(rest);
	snprintf(count, sizeof(count), "%lld", (long long)n);
	if (!result)
		result = config_set(config, "devices", count, FIELD_FROM_FILE,
				    path, err);
	/* --devices N on the command line is stronger than the file's list. */
	if (result || values->devices != n) {
		free(devices);
		return result;
	}
	free(values->device);
	values->device = devices;
	return 0;
}

int run_config_read(struct config *config, const char *path, struct err *err)
{
	struct doc *doc = doc_read(path, err);
	int result;

	if (!doc)
		return -1;
	if (doc_kind(doc_get(doc, "devices")) == DOC_ARRAY)
		result = read_with_list(config, doc, path, err);
	else
		result = config_set_doc(config, doc, path, err);
	doc_free(doc);
	return result;
}

void run_config_done(struct run_config *values)
{
	free(values->device);
	values->device = NULL;
}
