/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli -- a program of sub-commands, each described by a table of fields.
 *
 *	static const struct cli_command commands[] = {
 *		{ .name = "sweep", .summary = "what training steps cost",
 *		  .about = sweep_about, .fields = sweep_fields,
 *		  .config_size = sizeof(struct sweep_config),
 *		  .run = bench_sweep },
 *		{ .name = NULL }
 *	};
 *	static const struct cli_program program = {
 *		.name = "bench", .commands = commands,
 *		.summary = "what a training step costs in joules"
 *	};
 *
 *	int main(int argc, char **argv)
 *	{
 *		return cli_main(&program, argc, argv);
 *	}
 *
 * Every field is an option of the same name; a config struct that embeds
 * `struct cli_shared shared` and lists CLI_SHARED(sweep_config) has the
 * options that all programs share.  --help, --version, --config, --set,
 * --print-config and `help COMMAND` come by themselves.
 *
 * Environment: FEDWATTS_<PROGRAM>_<KEY> of the command's own table.  A variable
 * that only another command of the program knows is passed over (people export
 * them for several); one that none knows is wrong usage.
 *
 * A command returns its exit status (0, 2 …) or -1 with `err` set; then the
 * sentence is printed once, behind the program's name, and the status is 1.
 * Wrong usage ends with 64 before a command is called; a command may return
 * CLI_USAGE with `err` set for usage that only it can judge.
 */
#ifndef LIB_CLI_H
#define LIB_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/field.h"

#define CLI_USAGE 64

struct cli {
	const char *program;
	const char *command; /* NULL for the program itself */
	struct config config;
	char **argument; /* what stood there besides options, before "--" */
	size_t arguments;
	char **rest; /* what stood behind "--" (NULL-terminated), or NULL */
	size_t rests;
	const struct cli_line *line; /* for cli_read_again() */
};

struct cli_command {
	const char *name;      /* NULL ends the table */
	const char *arguments; /* "MODEL…": shown in the usage line */
	const char *summary;   /* a few words, for the list of commands */
	const char *about;     /* what --help says below the options */
	const struct field *fields;
	size_t config_size;
	int (*run)(struct cli *cli, void *config, struct err *err);
	bool takes_arguments; /* else an argument is wrong usage */
	bool takes_rest;      /* may have "-- CMD ARG…" */
};

struct cli_program {
	const char *name;
	const char *summary;
	const struct cli_command *commands;
	/* What runs when no command is named; NULL: one must be. */
	const struct cli_command *self;
};

struct cli_shared {
	int64_t seed;
	int64_t threads; /* 0: the command's own default */
	bool json;
	bool quiet;
	int64_t verbose;
};

#define CLI_OFFSET(type, member) offsetof(struct type, shared.member)
/* clang-format off */
#define CLI_SHARED(type) \
	{ "seed", FIELD_INT, CLI_OFFSET(type, seed), .initial = "1", \
	  .min = 0, .max = 9e15, .value = "N", \
	  .help = "seed of every random draw" }, \
	{ "threads", FIELD_INT, CLI_OFFSET(type, threads), .initial = "0", \
	  .min = 0, .max = 4096, .value = "N", .unlisted = true, \
	  .help = "threads (0: one for measured work, else all cores)" }, \
	{ "json", FIELD_BOOL, CLI_OFFSET(type, json), .unlisted = true, \
	  .help = "machine-readable result on stdout" }, \
	{ "quiet", FIELD_BOOL, CLI_OFFSET(type, quiet), .key = 'q', \
	  .unlisted = true, .help = "no progress, no notes" }, \
	{ "verbose", FIELD_INT, CLI_OFFSET(type, verbose), .key = 'v', \
	  .unlisted = true, .max = 9, \
	  .help = "say more (may be repeated)" }
#define CLI_FROM(type, member) \
	{ "from", FIELD_LIST, offsetof(struct type, member), .value = "URI", \
	  .unlisted = true, \
	  .help = "where documents come from: FILE, csv:DIR, " \
		  "tcp-listen:PORT … (repeatable; fedwatts-places(7))" }
#define CLI_TO(type, member) \
	{ "to", FIELD_LIST, offsetof(struct type, member), .value = "URI", \
	  .unlisted = true, \
	  .help = "where documents go: FILE, csv:DIR, tcp:HOST:PORT … " \
		  "(repeatable; fedwatts-places(7))" }
#define CLI_FORCE(type, member) \
	{ "force", FIELD_BOOL, offsetof(struct type, member), \
	  .unlisted = true, .help = "replace what exists" }
/* clang-format on */

int cli_main(const struct cli_program *program, int argc, char **argv);

/* The command's line, the environment and the files that they name, as they are
 * now: into `values` (zeroed) and `config`, both the caller's; config_done() them.
 * -1: nothing is left behind. */
int cli_read_again(const struct cli *cli, struct config *config, void *values,
		   struct err *err);

/* The program itself once more, for what libraries read from the environment
 * before main().  Returns only when that fails (errno); MongoDB is then out of
 * reach for the rest of this run. */
void cli_start_again(char **argv);

/* "1.0.0 (git describe)", of the build. */
const char *cli_version(void);

/* SIGINT or SIGTERM once one arrived, else 0.  The first call installs the
 * handlers; from then on finite work asks between its parts and ends, flushed,
 * with cli_stop_status().  A second signal kills, unless it comes within
 * half a second (timeout(1) signals the process and its group). */
int cli_stop_signal(void);
/* Waits until there is something to read, or nothing more to come: 0; -1 when a
 * stop came, before or meanwhile.  Where cli_stop_signal() was never called
 * nothing stops it. */
int cli_stop_wait(int fd);
/* The exit status that a stop by cli_stop_signal() owes: 130, 143, else 0. */
int cli_stop_status(void);

#endif
