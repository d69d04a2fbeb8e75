/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * powerapi_component -- which components PowerAPI 2.10 has, and what each takes.
 *
 *	const struct powerapi_component *csv =
 *		powerapi_component_find(POWERAPI_INPUT, "csv", &err);
 *	const struct powerapi_parameter *files =
 *		powerapi_component_parameter(csv, "f");
 */
#ifndef FORMULA_POWERAPI_COMPONENT_H
#define FORMULA_POWERAPI_COMPONENT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

enum powerapi_group {
	POWERAPI_INPUT,
	POWERAPI_OUTPUT,
	POWERAPI_PRE_PROCESSOR,
	POWERAPI_GROUPS
};

#define POWERAPI_PARAMETERS_MAX 12

struct powerapi_parameter {
	char letter; /* or 0 */
	const char *name;
	const char *initial; /* or NULL */
};

struct powerapi_component {
	enum powerapi_group group;
	const char *type;
	struct powerapi_parameter parameter[POWERAPI_PARAMETERS_MAX];
};

/* "input", "output", "pre-processor"; NULL behind the last. */
const char *powerapi_group_name(int group);

/* An unknown one is an error that lists those that exist. */
const struct powerapi_component *powerapi_component_find(
	enum powerapi_group group, const char *type, struct err *err);
/* By its long name or its letter; NULL where there is none. */
const struct powerapi_parameter *powerapi_component_parameter(
	const struct powerapi_component *component, const char *name);
/* Of any component of the group, the longest that `text` ends with; what is
 * before it (less a '-') is `*before` bytes long.  NULL: none. */
const char *powerapi_parameter_behind(enum powerapi_group group,
				      const char *text, size_t *before);

#endif
