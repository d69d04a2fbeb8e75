/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * powerapi_instance -- one component of a PowerAPI configuration, as a place.
 *
 *	struct powerapi_instance instance = { component, "power", doc };
 *
 *	powerapi_instance_place(&instance, stream, &places, &err);
 *
 * mongodb becomes mongodb://HOST/DB?collection=C, socket tcp-listen:HOST:PORT,
 * prometheus prometheus:HOST:PORT, and so on; a csv input its files.
 */
#ifndef FORMULA_POWERAPI_INSTANCE_H
#define FORMULA_POWERAPI_INSTANCE_H

#include "formula/powerapi.h"
#include "formula/powerapi_component.h"
#include "lib/doc.h"

struct powerapi_instance {
	const struct powerapi_component *component;
	const char *name;
	const struct doc *doc; /* its parameters, and "type" */
};

/* An argument that the component does not have is an error. */
int powerapi_instance_place(const struct powerapi_instance *instance,
			    bool stream, struct powerapi_places *places,
			    struct err *err);

#endif
