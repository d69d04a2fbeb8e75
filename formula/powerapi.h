/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * powerapi -- the options, environment and JSON files of PowerAPI 2.10.
 *
 *	--input csv --files rapl.csv,msr.csv,core.csv
 *	--output mongodb --uri mongodb://db --db power --collection watts
 *
 * What stands behind --input, --output and --pre-processor belongs to that
 * component until an option that it does not know.  powerapi_arguments() makes
 * one argument of each component, so that the rest is the command line of any
 * other program:
 *
 *	--input={"type":"csv","files":"rapl.csv,msr.csv,core.csv"}
 *
 * powerapi_places() then brings together what the command line, POWERAPI_…
 * variables and --config-file say of each component (by its name, in this
 * order of precedence) and makes URIs of them.
 */
#ifndef FORMULA_POWERAPI_H
#define FORMULA_POWERAPI_H

#include "lib/err.h"
#include "lib/field.h"

/* Is it `formula --model smartwatts`, before any component?  Then PowerAPI's
 * options are to be looked for. */
bool powerapi_wanted(int argc, char **argv);
/* A new argument vector, NULL-terminated, yours (and its texts) to free. */
int powerapi_arguments(int *argc, char **argv, char ***out, struct err *err);
void powerapi_arguments_free(char **argv);

struct powerapi_places {
	/* csv input: its files; else URIs. */
	struct field_list csv, from;
	struct field_list power, formula; /* by the output's model */
};

/* `input`, `output` and `pre` are what --input and so on were given.  Options
 * of the environment and the file are set in `config`. */
int powerapi_places(struct config *config, const struct field_list *input,
		    const struct field_list *output,
		    const struct field_list *pre, const char *config_file,
		    struct powerapi_places *places, struct err *err);
void powerapi_places_done(struct powerapi_places *places);

#endif
