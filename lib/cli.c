/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cli_options.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/progress.h"

#define VERSION "0.1.0"
#ifndef FEDWATTS_GIT
#define FEDWATTS_GIT "unknown"
#endif

const char *cli_version(void)
{
	return VERSION " (" FEDWATTS_GIT ")";
}

/* From here on a key is one of argp's own, as ARGP_KEY_END is. */
#define KEYS_OF_ARGP 0x1000000

/* ---- one command's line -------------------------------------------------- */

enum mode { MODE_RUN, MODE_HELP, MODE_USAGE, MODE_VERSION, MODE_PRINT };

struct parse {
	const struct cli_program *program;
	const struct cli_command *command;
	struct cli *cli;
	struct cli_options options;
	char **rest; /* room for what stands behind "--" */
	enum mode mode;
	int status; /* owed when `err` has something to say */
	struct err *err;
};

static int complain(const char *name, int status, struct err *err)
{
	/* What a file or a process is called must not steer the terminal. */
	for (char *c = err->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	progress_wipe();
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", name, err->text);
	return status;
}

static int set_field(struct parse *parse, const struct field *field,
		     const char *text)
{
	struct config *config = &parse->cli->config;
	const struct config_state *state =
		&config->state[field - config->fields];
	char *where = cli_options_name(field);
	char count[24] = "yes";
	int failed;

	if (!text && field->type == FIELD_INT) {
		const void *at = (char *)config->values + field->offset;
		int64_t now = state->origin == FIELD_FROM_OPTION
				      ? *(const int64_t *)at
				      : 0;

		snprintf(count, sizeof(count), "%lld", (long long)now + 1);
	}
	failed = config_set(config, field->name, text ? text : count,
			    FIELD_FROM_OPTION, where, parse->err);
	free(where);
	return failed;
}

static int set_file(struct parse *parse, const char *path)
{
	struct doc *doc = doc_read(path, parse->err);
	int failed = -1;

	if (doc)
		failed = config_set_doc(&parse->cli->config, doc, path,
					parse->err);
	doc_free(doc);
	if (failed)
		parse->status = EXIT_FAILURE; /* bad input, not bad usage */
	return failed;
}

static error_t parse_argument(struct parse *parse, char *text,
			      const struct argp_state *state)
{
	struct cli *cli = parse->cli;

	if (state->quoted && parse->command->takes_rest) {
		parse->rest[cli->rests++] = text;
		return 0;
	}
	cli->argument[cli->arguments++] = text;
	if (parse->command->takes_arguments)
		return 0;
	err_set(parse->err, EINVAL, "unexpected argument '%.200s'", text);
	err_remedy(parse->err, "'%s%s%s --help' shows the usage", cli->program,
		   cli->command ? " " : "", cli->command ? cli->command : "");
	return EINVAL;
}

static error_t parse_mode(struct parse *parse, enum mode mode)
{
	parse->mode = mode;
	return ECANCELED; /* nothing behind it counts */
}

static error_t parse_key(int key, char *text, struct argp_state *state)
{
	struct parse *parse = state->input;
	const struct field *field;

	switch (key) {
	case ARGP_KEY_ARG:
		return parse_argument(parse, text, state);
	case ARGP_KEY_END:
		if (state->quoted && parse->command->takes_rest)
			parse->cli->rest = parse->rest;
		return 0;
	case CLI_KEY_HELP:
		return parse_mode(parse, MODE_HELP);
	case CLI_KEY_USAGE:
		return parse_mode(parse, MODE_USAGE);
	case CLI_KEY_VERSION:
		return parse_mode(parse, MODE_VERSION);
	case CLI_KEY_PRINT:
		parse->mode = MODE_PRINT;
		return 0;
	case CLI_KEY_CONFIG:
		return set_file(parse, text) < 0 ? EINVAL : 0;
	case CLI_KEY_SET:
		return config_set_pair(&parse->cli->config, text, parse->err) <
				       0
			       ? EINVAL
			       : 0;
	default:
		if (key == 'h' && !cli_options_field(&parse->options, 'h'))
			return parse_mode(parse, MODE_HELP);
		field = key > 0 && key < KEYS_OF_ARGP
				? cli_options_field(&parse->options, key)
				: NULL;
		if (!field)
			return ARGP_ERR_UNKNOWN;
		return set_field(parse, field, text) < 0 ? EINVAL : 0;
	}
}

/* "sweep measures …\n  fit …", for a program's own help. */
static void put_commands(const struct cli_program *program, struct text *out)
{
	int width = 0;

	for (const struct cli_command *c = program->commands; c->name; c++)
		if ((int)strlen(c->name) > width)
			width = (int)strlen(c->name);
	if (width > 0)
		text_put(out, "Commands:\n");
	for (const struct cli_command *c = program->commands; c->name; c++)
		text_printf(out, "  %-*s  %s\n", width, c->name, c->summary);
	if (width > 0)
		text_put(out, "\n");
}

/* argp's doc: the summary, the options' place ('\v'), the rest. */
static char *help_doc(const struct parse *parse)
{
	const struct cli_command *command = parse->command;
	bool whole = !parse->cli->command;
	struct text doc = TEXT_INIT;

	text_printf(&doc, "%s%s%s.", whole ? parse->cli->program : "",
		    whole ? " -- " : "",
		    whole ? parse->program->summary : command->summary);
	if (command->about || (whole && parse->program->commands[0].name))
		text_put_char(&doc, '\v');
	if (whole)
		put_commands(parse->program, &doc);
	if (command->about)
		text_put(&doc, command->about);
	while (doc.length > 0 && doc.data[doc.length - 1] == '\n')
		doc.data[--doc.length] = '\0';
	if (whole && parse->program->commands[0].name)
		text_printf(&doc, "\n\n'%s help COMMAND' tells more.",
			    parse->cli->program);
	return text_take(&doc);
}

static char *full_name(const struct cli *cli)
{
	return cli->command ? xasprintf("%s %s", cli->program, cli->command)
			    : xstrdup(cli->program);
}

static int show_help(const struct parse *parse, struct argp *argp)
{
	char *name = full_name(parse->cli);
	char *doc = help_doc(parse);

	argp->doc = doc;
	/* Spare the reader a paragraph on values of short options. */
	setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
	argp_help(argp, stdout,
		  parse->mode == MODE_HELP ? ARGP_HELP_STD_HELP
					   : ARGP_HELP_USAGE,
		  name);
	free(doc);
	free(name);
	return 0;
}

static int run_command(struct parse *parse, void *values)
{
	const struct config *config = &parse->cli->config;
	enum log_level level = LOG_NOTE;
	int status;

	for (const struct field *f = config->fields; f->name; f++) {
		const char *at = (const char *)values + f->offset;

		if (!strcmp(f->name, "quiet") && f->type == FIELD_BOOL &&
		    *(const bool *)at)
			level = LOG_QUIET;
		if (!strcmp(f->name, "verbose") && f->type == FIELD_INT &&
		    *(const int64_t *)at > 0 && level != LOG_QUIET)
			level = LOG_DETAIL;
	}
	log_start(parse->cli->program, level);
	status = parse->command->run(parse->cli, values, parse->err);
	if (status < 0 && !parse->err->text[0])
		err_set(parse->err, EIO, "failed, and does not say why");
	if (status < 0)
		return complain(parse->cli->program, EXIT_FAILURE, parse->err);
	if (status == CLI_USAGE && parse->err->text[0])
		return complain(parse->cli->program, status, parse->err);
	return status;
}

static int act(struct parse *parse, struct argp *argp, void *values)
{
	switch (parse->mode) {
	case MODE_HELP:
	case MODE_USAGE:
		return show_help(parse, argp);
	case MODE_VERSION:
		printf("%s (FedWatts) %s\n", parse->cli->program,
		       cli_version());
		return 0;
	case MODE_PRINT:
		config_print(&parse->cli->config, stdout);
		return 0;
	case MODE_RUN:
		break;
	}
	if (!parse->command->run) {
		err_set(parse->err, EINVAL, "which command?");
		err_remedy(parse->err, "'%s --help' lists them",
			   parse->cli->program);
		return complain(parse->cli->program, CLI_USAGE, parse->err);
	}
	return run_command(parse, values);
}

static int hint(const struct parse *parse, char **argv)
{
	const char *near = cli_options_meant(&parse->options, argv);

	if (near)
		fprintf(stderr, "%s: did you mean --%s?\n", parse->cli->program,
			near);
	return CLI_USAGE;
}

static void argp_of(const struct parse *parse, struct argp *argp)
{
	const char *usage = parse->command->arguments;

	*argp = (struct argp){
		.options = parse->options.option,
		.parser = parse_key,
		.args_doc = usage && *usage ? usage : NULL,
	};
}

/* argv[0] is what getopt puts before its messages. */
static error_t parse_line(struct parse *parse, const struct argp *argp,
			  int argc, char **argv)
{
	return argp_parse(argp, argc, argv,
			  ARGP_NO_EXIT | ARGP_NO_HELP | ARGP_IN_ORDER, NULL,
			  parse);
}

static int parse_and_act(struct parse *parse, int argc, char **argv,
			 void *values)
{
	struct argp argp;
	error_t failed;

	argp_of(parse, &argp);
	failed = parse_line(parse, &argp, argc, argv);
	if (failed && failed != ECANCELED && parse->err->text[0])
		return complain(parse->cli->program, parse->status, parse->err);
	if (failed && failed != ECANCELED) /* argp said what */
		return hint(parse, argv);
	if ((parse->mode == MODE_RUN || parse->mode == MODE_PRINT) &&
	    config_set_environment(&parse->cli->config, parse->program->name,
				   parse->err) < 0)
		return complain(parse->cli->program, CLI_USAGE, parse->err);
	return act(parse, &argp, values);
}

static const struct field **tables_of(const struct cli_program *program)
{
	const struct cli_command *c = program->commands;
	const struct field **tables = NULL;
	size_t n = 0;

	while (c->name)
		c++;
	tables = xcalloc((size_t)(c - program->commands) + 2,
			 sizeof(struct field *));
	for (c = program->commands; c->name; c++)
		if (c->fields)
			tables[n++] = c->fields;
	if (program->self && program->self->fields)
		tables[n++] = program->self->fields;
	return tables;
}

/* What cli_read_again() needs: the line as command_main() had it. */
struct cli_line {
	const struct cli_program *program;
	const struct cli_command *command;
	int argc;
	char **argv;
};

int cli_read_again(const struct cli *cli, struct config *config, void *values,
		   struct err *err)
{
	const struct cli_line *line = cli->line;
	struct cli again = { .program = cli->program, .command = cli->command };
	struct parse parse = { .program = line->program,
			       .command = line->command,
			       .cli = &again,
			       .err = err };
	struct argp argp;
	int failed;

	again.argument = xcalloc((size_t)line->argc + 1, sizeof(char *));
	parse.rest = xcalloc((size_t)line->argc + 1, sizeof(char *));
	config_init(&again.config, cli->config.fields, values);
	again.config.others = cli->config.others;
	cli_options_init(&parse.options, cli->config.fields, true);
	argp_of(&parse, &argp);
	failed = parse_line(&parse, &argp, line->argc, line->argv) != 0 ||
		 config_set_environment(&again.config, line->program->name,
					err) < 0;
	cli_options_done(&parse.options);
	free(again.argument);
	free(parse.rest);
	if (failed)
		config_done(&again.config);
	else
		*config = again.config;
	return failed ? -1 : 0;
}

/* `argv` begins behind the command's name. */
static int command_main(const struct cli_program *program,
			const struct cli_command *command, struct cli *cli,
			int argc, char **argv)
{
	static const struct field no_fields[] = { FIELD_END };
	const struct field *fields =
		command->fields ? command->fields : no_fields;
	struct err err = { 0 };
	struct parse parse = { .program = program,
			       .command = command,
			       .cli = cli,
			       .status = CLI_USAGE,
			       .err = &err };
	void *values = xcalloc(1, command->config_size + 1);
	const struct field **tables = tables_of(program);
	char **line = xcalloc((size_t)argc + 2, sizeof(char *));
	const struct cli_line whole = { program, command, argc + 1, line };
	int status;

	cli->line = &whole;
	cli->argument = xcalloc((size_t)argc + 1, sizeof(char *));
	parse.rest = xcalloc((size_t)argc + 1, sizeof(char *));
	line[0] = full_name(cli);
	memcpy(line + 1, argv, (size_t)argc * sizeof(char *));
	config_init(&cli->config, fields, values);
	cli->config.others = tables;
	cli_options_init(&parse.options, fields, command->run != NULL);
	status = parse_and_act(&parse, argc + 1, line, values);
	cli_options_done(&parse.options);
	config_done(&cli->config);
	free(line[0]);
	free(line);
	free(cli->argument);
	free(parse.rest);
	free(tables);
	free(values);
	return status;
}

/* ---- the program --------------------------------------------------------- */

/* libpowercap takes descriptor 0 for "closed", and a file opened as descriptor
 * 1 would be printed into: never run with one of the three closed.  Read-only:
 * printing into it is still an error that is told. */
static void open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY); /* children want them too */
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static const struct cli_command *find_command(const struct cli_program *program,
					      const char *name)
{
	for (const struct cli_command *c = program->commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int unknown_command(const struct cli_program *program,
			   const char *invoked, const char *word)
{
	const char *names[64] = { "help" };
	struct err err = { 0 };
	const char *near;
	size_t n = 1;

	for (const struct cli_command *c = program->commands; c->name; c++)
		if (n + 1 < sizeof(names) / sizeof(names[0]))
			names[n++] = c->name;
	near = field_nearest(word, names);
	err_set(&err, EINVAL, "unknown command '%.200s'", word);
	if (near)
		err_remedy(&err, "did you mean '%s'?", near);
	else
		err_remedy(&err, "'%s --help' lists them", invoked);
	return complain(invoked, CLI_USAGE, &err);
}

static int program_main(const struct cli_program *program, const char *invoked,
			int argc, char **argv)
{
	static const struct cli_command none = {
		.arguments = "COMMAND [OPTION...]"
	};
	const struct cli_command *self = program->self ? program->self : &none;
	struct cli cli = { .program = invoked };

	return command_main(program, self, &cli, argc, argv);
}

/* `word` stands where a command's name does. */
static int dispatch(const struct cli_program *program, const char *invoked,
		    int argc, char **argv)
{
	char help[] = "--help";
	char *help_only[] = { help, NULL };
	bool asks = argc > 0 && !strcmp(argv[0], "help");
	const struct cli_command *command = NULL;
	const char *word;

	if (asks) {
		argc--;
		argv++;
	}
	word = argc > 0 && argv[0][0] != '-' ? argv[0] : NULL;
	if (word)
		command = find_command(program, word);
	if (word && !command &&
	    (asks || !program->self || !program->self->takes_arguments))
		return unknown_command(program, invoked, word);
	if (command) {
		struct cli cli = { .program = invoked,
				   .command = command->name };

		return command_main(program, command, &cli, asks ? 1 : argc - 1,
				    asks ? help_only : argv + 1);
	}
	return program_main(program, invoked, asks ? 1 : argc,
			    asks ? help_only : argv);
}

int cli_main(const struct cli_program *program, int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *invoked = argc > 0 ? argv[0] : program->name;
	struct err err = { 0 };
	int status;

	if (slash)
		invoked = slash + 1;
	open_standard();
	signal(SIGPIPE, SIG_DFL); /* a pipe that closes early: quietly */
	log_start(invoked, LOG_NOTE);
	status = dispatch(program, invoked, argc > 0 ? argc - 1 : 0, argv + 1);
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (errno == 0)
			errno = EIO;
		err_sys(&err, "standard output");
		clearerr(stdout);
		return complain(invoked, EXIT_FAILURE, &err);
	}
	return status;
}
