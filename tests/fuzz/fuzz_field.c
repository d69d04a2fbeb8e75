/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration out of anything: a JSON document, or KEY=VALUE lines. */
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/mem.h"

struct sample {
	bool on;
	int64_t rounds;
	double window;
	char *name;
	int loss;
	struct field_list to, models;
	double cost;
};

static const char *const losses[] = { "ce", "mse", NULL };

static const struct field fields[] = {
	{ "on", FIELD_BOOL, offsetof(struct sample, on), .help = "" },
	{ "rounds", FIELD_INT, offsetof(struct sample, rounds), .min = 1,
	  .max = 1000 },
	{ "window", FIELD_SECONDS, offsetof(struct sample, window),
	  .initial = "1s", .min = 0.01, .max = 3600 },
	{ "name", FIELD_TEXT, offsetof(struct sample, name), .help = "" },
	{ "loss", FIELD_CHOICE, offsetof(struct sample, loss),
	  .choices = losses },
	{ "to", FIELD_LIST, offsetof(struct sample, to), .help = "" },
	{ "models", FIELD_WORDS, offsetof(struct sample, models),
	  .initial = "a,b" },
	{ "radio.cost", FIELD_REAL, offsetof(struct sample, cost), .help = "" },
	FIELD_END
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size), *rest = text, *line;
	struct doc *doc = doc_parse((const char *)data, size, NULL);
	struct sample sample = { 0 };
	struct config config;
	struct err err;

	config_init(&config, fields, &sample);
	if (doc)
		config_set_doc(&config, doc, "fuzz.json", &err);
	doc_free(doc);
	while ((line = strsep(&rest, "\n")))
		config_set_pair(&config, line, &err);
	doc_free(config_to_doc(&config));
	config_done(&config);
	free(text);
	return 0;
}
