/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * field -- a configuration struct, described once.
 *
 *	struct sweep_config {
 *		double window;
 *		char *preset;
 *	};
 *	static const struct field sweep_fields[] = {
 *		{ "window", FIELD_SECONDS, offsetof(struct sweep_config, window),
 *		  .initial = "1s", .min = 0.01, .max = 3600, .value = "D",
 *		  .help = "how long each configuration is measured" },
 *		{ "preset", FIELD_TEXT, offsetof(struct sweep_config, preset),
 *		  .help = "quick, standard or paper" },
 *		FIELD_END
 *	};
 *
 * From this table come the defaults, the JSON reader (nested objects are
 * dotted names), --set KEY=VALUE, the environment (FEDWATTS_BENCH_WINDOW), the
 * command line's --window (cli.h), --help, --print-config and the digest of a
 * run.  Precedence, whatever the order in which the sources are read: option,
 * --set, environment, file, default.  An unknown key is an error that names
 * the nearest known one.
 */
#ifndef LIB_FIELD_H
#define LIB_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/doc.h"
#include "lib/err.h"
#include "lib/text.h"

/* The C type behind each. */
enum field_type {
	FIELD_BOOL,    /* bool */
	FIELD_INT,     /* int64_t */
	FIELD_REAL,    /* double */
	FIELD_TEXT,    /* char *, NULL when unset */
	FIELD_CHOICE,  /* int: index into `choices` */
	FIELD_SECONDS, /* double */
	FIELD_WATTS,   /* double */
	FIELD_JOULES,  /* double */
	FIELD_BYTES,   /* double */
	FIELD_LIST,    /* struct field_list: one item each time it is given */
	FIELD_WORDS,   /* struct field_list: each given text is cut at commas */
	FIELD_CALL, /* whatever `set` makes of it (order-dependent options) */
};

struct field_list {
	char **item;
	size_t count;
};

struct field {
	const char *name; /* "window", "radio.joules_per_byte" */
	enum field_type type;
	size_t offset;
	const char *initial; /* as a user would write it; NULL: 0 or unset */
	const char *help;
	double min, max; /* of numbers; both 0: any; max < min: no upper end */
	const char *const *choices; /* NULL-terminated */
	const char *value;          /* its name in --help: "D", "MODEL" */
	int key;                    /* a short option's letter, or 0 */
	bool unlisted; /* taken, but not part of --print-config and digests:
			  where output goes, how loud it is */
	/* FIELD_CALL: without `value` it is an option that takes none, and gets
	 * "yes". */
	int (*set)(void *values, const char *text, struct err *err);
	void (*done)(void *values); /* frees what `set` made, or NULL */
};

/* clang-format off */
#define FIELD_END { .name = NULL }
/* clang-format on */

enum field_origin {
	FIELD_FROM_DEFAULT,
	FIELD_FROM_FILE,
	FIELD_FROM_ENVIRONMENT,
	FIELD_FROM_SET,
	FIELD_FROM_OPTION
};

/* A configuration struct (`values`, the caller's, zeroed) with its table and
 * where each value came from. */
struct config {
	const struct field *fields;
	void *values;
	struct config_state {
		enum field_origin origin;
		bool given;
		char where[96];
	} * state;
	/* Tables of the program's other commands (NULL-terminated), or NULL:
	 * their environment variables are passed over, not unknown. */
	const struct field *const *others;
};

/* Sets every default.  config_done frees texts and lists, not `values`. */
void config_init(struct config *config, const struct field *fields,
		 void *values);
void config_done(struct config *config);

/* One value as text.  A weaker origin never replaces a stronger one; a list
 * given by a stronger origin replaces what a weaker one listed. */
int config_set(struct config *config, const char *name, const char *text,
	       enum field_origin origin, const char *where, struct err *err);
/* "name=text", as behind --set. */
int config_set_pair(struct config *config, const char *pair, struct err *err);
/* A JSON object; `where` is the file's name.  The key "schema" is skipped. */
int config_set_doc(struct config *config, const struct doc *doc,
		   const char *where, struct err *err);
/* Every FEDWATTS_<PROGRAM>_<KEY> there is: '.' is "__", '-' is "_".  One that
 * neither this table nor `others` knows is an error. */
int config_set_environment(struct config *config, const char *program,
			   struct err *err);

bool config_given(const struct config *config, const char *name);

/* name = value  (where it came from), a line each. */
void config_print(const struct config *config, FILE *out);
/* The listed values as an object with nested keys, for digests and records. */
struct doc *config_to_doc(const struct config *config);

/* The field called `name`, or NULL. */
const struct field *field_find(const struct field *fields, const char *name);
/* What is allowed, for people: "10 ms to 1 h", "at least 1", "quick, standard
 * or paper"; nothing where anything is. */
void field_put_range(const struct field *field, struct text *out);
/* Its present value, as it could be given; false where it has none. */
bool field_put_value(const struct field *field, const void *values,
		     struct text *out);

/* Is `text` in the list? */
bool field_list_has(const struct field_list *list, const char *text);
void field_list_add(struct field_list *list, const char *text);
void field_list_done(struct field_list *list);

/* The candidate nearest to `word` by edit distance, or NULL if none is near:
 * for "did you mean …?".  `candidates` is NULL-terminated. */
const char *field_nearest(const char *word, const char *const *candidates);

#endif
