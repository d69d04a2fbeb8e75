/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/cli_options.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* Keys of fields without a letter, and of the hidden twins. */
#define KEY_FIELD  0x10000
#define KEY_HIDDEN 0x20000

char *cli_options_name(const struct field *field)
{
	char *name = xasprintf("--%s", field->name);

	for (char *c = name; *c; c++)
		if (*c == '.' || *c == '_')
			*c = '-';
	return name;
}

bool cli_options_counts(const struct field *field)
{
	return field->type == FIELD_BOOL ||
	       (field->type == FIELD_CALL && !field->value) ||
	       (field->type == FIELD_INT && !strcmp(field->name, "verbose"));
}

static const char *own(struct cli_options *options, char *text)
{
	options->text =
		xrealloc(options->text, options->texts + 1, sizeof(char *));
	options->text[options->texts++] = text;
	return text;
}

static void add(struct cli_options *options, const struct argp_option *option)
{
	struct argp_option *last;

	options->option =
		xrealloc(options->option, options->count + 2, sizeof(*option));
	last = &options->option[options->count++];
	last[0] = *option;
	/* A group each: argp sorts within groups, and the table's order is
	 * the better one. */
	last[0].group = (int)options->count;
	last[1] = (struct argp_option){ 0 };
}

static const char *value_name(const struct field *field)
{
	if (field->value)
		return field->value;
	switch (field->type) {
	case FIELD_INT:
	case FIELD_REAL:
		return "N";
	case FIELD_SECONDS:
		return "DURATION";
	case FIELD_WATTS:
		return "POWER";
	case FIELD_JOULES:
		return "ENERGY";
	case FIELD_BYTES:
		return "SIZE";
	case FIELD_WORDS:
		return "NAME,...";
	default:
		return "TEXT";
	}
}

/* "how long …; 10 ms to 1 h (1s)" */
static char *help_text(const struct field *field)
{
	struct text text = TEXT_INIT;
	struct text range = TEXT_INIT;

	text_put(&text, field->help ? field->help : "");
	/* "perf|clock" as the value's name has said it already. */
	if (!cli_options_counts(field) && !strchr(value_name(field), '|'))
		field_put_range(field, &range);
	if (range.length)
		text_printf(&text, "%s%s", text.length ? "; " : "", range.data);
	if (field->initial && *field->initial && !cli_options_counts(field))
		text_printf(&text, " (%s)", field->initial);
	else if (field->type == FIELD_BOOL && field->initial &&
		 !strcmp(field->initial, "yes"))
		text_printf(&text, " (on; --%s=no)", field->name);
	text_done(&range);
	return text_take(&text);
}

static void add_field(struct cli_options *options, size_t index)
{
	const struct field *field = &options->fields[index];
	const char *name = own(options, cli_options_name(field)) + 2;
	struct argp_option option = {
		.name = name,
		.key = field->key ? field->key : KEY_FIELD + (int)index,
		.arg = value_name(field),
		.doc = own(options, help_text(field)),
	};

	if (cli_options_counts(field)) {
		struct argp_option hidden = {
			.name = name,
			.key = KEY_HIDDEN + (int)index,
			.arg = "VALUE",
			.flags = OPTION_ARG_OPTIONAL | OPTION_HIDDEN,
		};

		add(options, &hidden);
		option.arg = NULL;
	}
	add(options, &option);
}

static void add_ours(struct cli_options *options, bool configurable)
{
	static const struct argp_option common[] = {
		{ .name = "config",
		  .key = CLI_KEY_CONFIG,
		  .arg = "FILE",
		  .doc = "read options from a JSON file" },
		{ .name = "set",
		  .key = CLI_KEY_SET,
		  .arg = "KEY=VALUE",
		  .doc = "set one key as the file would" },
		{ .name = "print-config",
		  .key = CLI_KEY_PRINT,
		  .doc = "show every key, its value, and where it came from" },
		{ .name = "help", .key = CLI_KEY_HELP, .doc = "this text" },
		{ .name = "usage",
		  .key = CLI_KEY_USAGE,
		  .doc = "a short usage line" },
		{ .name = "version",
		  .key = CLI_KEY_VERSION,
		  .doc = "which version this is" },
	};

	for (size_t i = configurable ? 0 : 3;
	     i < sizeof(common) / sizeof(common[0]); i++) {
		struct argp_option option = common[i];

		if (option.key == CLI_KEY_HELP &&
		    !cli_options_field(options, 'h'))
			option.key = 'h';
		add(options, &option);
	}
}

void cli_options_init(struct cli_options *options, const struct field *fields,
		      bool configurable)
{
	*options = (struct cli_options){ .fields = fields };
	for (size_t i = 0; fields[i].name; i++)
		add_field(options, i);
	add_ours(options, configurable);
}

void cli_options_done(struct cli_options *options)
{
	for (size_t i = 0; i < options->texts; i++)
		free(options->text[i]);
	free(options->text);
	free(options->option);
}

const struct field *cli_options_field(const struct cli_options *options,
				      int key)
{
	if (key >= CLI_KEY_HELP)
		return NULL;
	if (key >= KEY_HIDDEN)
		return &options->fields[key - KEY_HIDDEN];
	if (key >= KEY_FIELD)
		return &options->fields[key - KEY_FIELD];
	for (const struct field *field = options->fields; field->name; field++)
		if (field->key && field->key == key)
			return field;
	return NULL;
}

/* Is it one of ours, or (as getopt allows) the beginning of one? */
static bool is_known(const struct cli_options *options, const char *word)
{
	for (size_t i = 0; i < options->count; i++)
		if (!strncmp(options->option[i].name, word, strlen(word)))
			return true;
	return false;
}

static const char *nearest(const struct cli_options *options, const char *word)
{
	const char **names = xcalloc(options->count + 1, sizeof(char *));
	const char *near;

	for (size_t i = 0; i < options->count; i++)
		names[i] = options->option[i].name;
	near = field_nearest(word, names);
	free(names);
	return near;
}

const char *cli_options_meant(const struct cli_options *options, char **argv)
{
	for (; *argv && strcmp(*argv, "--") != 0; argv++) {
		const char *near = NULL;
		char *word;
		bool known;

		if (strncmp(*argv, "--", 2) != 0)
			continue;
		word = xstrndup(*argv + 2, strcspn(*argv + 2, "="));
		known = is_known(options, word);
		if (!known)
			near = nearest(options, word);
		free(word);
		if (!known)
			return near;
	}
	return NULL;
}
