/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwpc_config -- what hwpc-sensor's options and configuration files ask for.
 *
 *	struct hwpc_config config = { 0 };
 *
 *	hwpc_open_group(&config, HWPC_SYSTEM, "rapl", &err);    // -s rapl
 *	hwpc_one_cpu(&config, &err);                            // -o
 *	hwpc_add_event(&config, "RAPL_ENERGY_PKG", &err);       // -e …
 *	hwpc_config_read(&config, doc, &err);                   // -x FILE
 *	hwpc_config_sink(&config, &uri, &err);                  // -r csv -U DIR
 *	hwpc_config_done(&config);
 *
 * Every option and key of versions 1.2 to 1.7: both spellings, keys in any
 * case, groups in the order in which they are opened (a group that is opened
 * again goes on), a file's values where the file stands.  Their limits are not
 * kept: files may be of any size, and the storage's options stand in any order.
 */
#ifndef SENSOR_HWPC_CONFIG_H
#define SENSOR_HWPC_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/doc.h"
#include "lib/err.h"
#include "lib/field.h"
#include "lib/text.h"

enum hwpc_scope {
	HWPC_SYSTEM,    /* -s: the whole machine, target "all" */
	HWPC_CONTAINER, /* -c: every target */
};

enum hwpc_storage {
	HWPC_STORAGE_UNNAMED,
	HWPC_STORAGE_NULL,
	HWPC_STORAGE_CSV,
	HWPC_STORAGE_SOCKET,
	HWPC_STORAGE_MONGODB,
};

struct hwpc_group {
	enum hwpc_scope scope;
	char *name;
	struct field_list events;
	bool one_cpu; /* one CPU of each package, else all */
};

struct hwpc_config {
	struct hwpc_group *group;
	size_t groups, capacity;
	size_t open; /* 1 + the group that -e and -o belong to; 0: none */
	char *base;  /* -p */
	enum hwpc_storage storage;
	char *uri, *database, *collection, *port; /* -U -D -C -P */
	/* Of a file; 0 and NULL: not said. */
	int64_t interval_ms, discovery_ms, verbose;
	char *name;
};

int hwpc_open_group(struct hwpc_config *config, enum hwpc_scope scope,
		    const char *name, struct err *err);
int hwpc_one_cpu(struct hwpc_config *config, struct err *err);
int hwpc_add_event(struct hwpc_config *config, const char *event,
		   struct err *err);
int hwpc_set_storage(struct hwpc_config *config, const char *name,
		     struct err *err);

/* As hwpc-sensor reads numbers: decimal, 0x… or 0…; above 0. */
int hwpc_milliseconds(const char *text, int64_t *ms, struct err *err);

/* A configuration file.  Unknown keys are errors. */
int hwpc_config_read(struct hwpc_config *config, const struct doc *doc,
		     struct err *err);

/* How many groups of a scope there are. */
size_t hwpc_groups(const struct hwpc_config *config, enum hwpc_scope scope);

/* The storage as --to names places; 0: none was asked for.  -1: something that
 * it needs is missing. */
int hwpc_config_sink(const struct hwpc_config *config, struct text *uri,
		     struct err *err);

void hwpc_config_done(struct hwpc_config *config);

#endif
