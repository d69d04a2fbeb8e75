/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli_options -- a table of fields as argp sees it (for cli.c alone).
 *
 * Field "a.b_c" becomes --a-b-c, with its letter where it has one.  A field
 * that may stand without a value (a yes or no, a call without one, a counted
 * `verbose`) is entered
 * twice: hidden with an optional value, so that --json=no works, and visible
 * without one, so that -qv is two letters and --help stays plain.  Of two long
 * options of the same name argp takes the first.
 */
#ifndef LIB_CLI_OPTIONS_H
#define LIB_CLI_OPTIONS_H

#include <argp.h>

#include "lib/field.h"

enum cli_key {
	CLI_KEY_HELP = 0x40000, /* 'h' where no field has that letter */
	CLI_KEY_USAGE,
	CLI_KEY_VERSION,
	CLI_KEY_CONFIG,
	CLI_KEY_SET,
	CLI_KEY_PRINT,
};

struct cli_options {
	struct argp_option *option; /* what argp wants */
	size_t count;
	const struct field *fields;
	char **text; /* names and help texts, ours */
	size_t texts;
};

/* `configurable`: with --config, --set and --print-config. */
void cli_options_init(struct cli_options *options, const struct field *fields,
		      bool configurable);
void cli_options_done(struct cli_options *options);

/* The field behind a key, or NULL for one of ours. */
const struct field *cli_options_field(const struct cli_options *options,
				      int key);

/* "--window", yours to free(). */
char *cli_options_name(const struct field *field);

/* Of a line that argp refused: the option that the first unknown "--word" may
 * have meant, or NULL. */
const char *cli_options_meant(const struct cli_options *options, char **argv);

/* Takes no value: a yes or no, or a number that is counted. */
bool cli_options_counts(const struct field *field);

#endif
