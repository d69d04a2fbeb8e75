/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/net_json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/net_spec.h"
#include "lib/doc.h"
#include "lib/text.h"

/* A layer's key, and its word with the number put in. */
static const struct {
	const char *key, *letter;
	bool kernel, valid, stride;
} keys[] = {
	{ "conv2d", "c", true, true, true },
	{ "max_pool", "p", false, false, true },
	{ "average_pool", "a", false, false, true },
	{ "dense", "d", false, false, false },
	{ "gru", "u", false, false, false },
	{ "group_norm", "gn", false, false, false },
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static long long number(const struct doc *object, const char *key)
{
	return (long long)doc_int(doc_get(object, key), 0);
}

static int put_key(const struct doc *layer, size_t key, struct text *line,
		   struct err *err)
{
	size_t members = 1;

	text_printf(line, "%s%lld", keys[key].letter,
		    number(layer, keys[key].key));
	if (keys[key].kernel) {
		text_printf(line, "k%lld", number(layer, "kernel"));
		members++;
	}
	if (keys[key].stride && doc_get(layer, "stride")) {
		text_printf(line, "s%lld", number(layer, "stride"));
		members++;
	}
	if (keys[key].valid && doc_get(layer, "valid")) {
		members++;
		if (doc_bool(doc_get(layer, "valid"), false))
			text_put(line, "v");
	}
	if (doc_count(layer) != members)
		return err_set(err, EINVAL,
			       "%s: a key that is missing or "
			       "unknown beside it",
			       keys[key].key);
	return 0;
}

static int put_object(const struct doc *layer, struct text *line,
		      struct err *err)
{
	const struct doc *pair = doc_get(layer, "embedding");

	for (size_t i = 0; i < KEYS; i++)
		if (doc_get(layer, keys[i].key))
			return put_key(layer, i, line, err);
	if (pair && doc_count(pair) == 2 && doc_count(layer) == 1) {
		text_printf(line, "e%lldx%lld",
			    (long long)doc_int(doc_at(pair, 0), 0),
			    (long long)doc_int(doc_at(pair, 1), 0));
		return 0;
	}
	if (doc_get(layer, "dropout") && doc_count(layer) == 1) {
		double share = doc_real(doc_get(layer, "dropout"), 0.0);

		text_printf(line, "drop%.0f", 100.0 * share);
		return 0;
	}
	err_set(err, EINVAL, "a layer of an unknown kind");
	return err_remedy(err, "there are conv2d, max_pool, average_pool, "
			       "dense, gru, embedding, group_norm, dropout");
}

static int put_layer(const struct doc *layer, struct text *line,
		     struct err *err)
{
	switch (doc_kind(layer)) {
	case DOC_OBJECT:
		return put_object(layer, line, err);
	case DOC_TEXT:
		text_put(line, doc_string(layer, ""));
		return 0;
	case DOC_INT:
		text_printf(line, "%lld", (long long)doc_int(layer, 0));
		return 0;
	default:
		return err_set(err, EINVAL,
			       "expected an object, a word or a number");
	}
}

static int put_net(const struct doc *doc, struct text *line, struct err *err)
{
	const struct doc *input, *layers;
	const char *kind, *between;

	if (doc_need_text(doc, "kind", &kind, err) < 0 ||
	    doc_need_array(doc, "input", &input, err) < 0 ||
	    doc_need_array(doc, "layers", &layers, err) < 0)
		return -1;
	if (doc_count(doc) != 3)
		return err_set(err, EINVAL,
			       "expected kind, input and layers, nothing else");
	between = strcmp(kind, "cnn") == 0 || strcmp(kind, "rnn") == 0 ? ","
								       : "-";
	text_printf(line, "%s:", kind);
	for (size_t i = 0; i < doc_count(input); i++)
		text_printf(line, "%s%lld", i ? "x" : "",
			    (long long)doc_int(doc_at(input, i), 0));
	for (size_t i = 0; i < doc_count(layers); i++) {
		text_put(line, between);
		if (put_layer(doc_at(layers, i), line, err) < 0)
			return err_wrap(err, "layer %zu", i + 1);
		if (line->length > 2 * NET_SPEC_MAX)
			break; /* too long, however it goes on */
	}
	return 0;
}

int net_json_line(const char *json, char *line, size_t size, struct err *err)
{
	struct doc *doc = doc_parse(json, strlen(json), err);
	struct text text = TEXT_INIT;
	int failed;

	if (!doc)
		return -1;
	failed = put_net(doc, &text, err);
	if (!failed && text.length >= size)
		failed = err_set(err, EINVAL,
				 "more than %zu characters in "
				 "one line",
				 size - 1);
	if (!failed)
		snprintf(line, size, "%s", text.data ? text.data : "");
	text_done(&text);
	doc_free(doc);
	return failed;
}
