/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/net_spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/layer_kind.h"
#include "bench/net_json.h"
#include "bench/net_words.h"
#include "lib/field.h"

static int widths_read(struct net_words *words, const char *text,
		       struct err *err);
static int image_read(struct net_words *words, const char *text,
		      struct err *err);
static int tokens_read(struct net_words *words, const char *text,
		       struct err *err);

static const struct spec_kind {
	const char *name;
	int (*read)(struct net_words *words, const char *text, struct err *err);
	size_t layers_min, layers_max;
	const char *example;
} kinds[] = {
	{ "softmax", widths_read, 1, 1, "softmax:784-10" },
	{ "mlp", widths_read, 1, NET_LAYERS_MAX, "mlp:784-256-256-10" },
	{ "cnn", image_read, 1, NET_LAYERS_MAX,
	  "cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10" },
	{ "rnn", tokens_read, 2, NET_LAYERS_MAX, "rnn:80,e80x8,u128,80" },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* 2nn and fedavg-mnist-cnn: McMahan et al., AISTATS 2017; lenet5: LeCun et al.,
 * 1998, with what became usual (ReLU, maxima, a dense softmax layer);
 * femnist-cnn: LEAF (Caldas et al., 2018); char-gru: LEAF's next character of
 * 80, with GRUs in place of LSTMs. */
static const struct {
	const char *name, *text;
} presets[] = {
	{ "2nn", "mlp:784-200-200-10" },
	{ "lenet5", "cnn:1x28x28,c6k5,p2,c16k5v,p2,d120,d84,10" },
	{ "femnist-cnn", "cnn:1x28x28,c32k5,p2,c64k5,p2,d2048,62" },
	{ "fedavg-mnist-cnn", "cnn:1x28x28,c32k5,p2,c64k5,p2,d512,10" },
	{ "char-gru", "rnn:80,e80x8,u256,u256,80" },
};
#define PRESETS (sizeof(presets) / sizeof(presets[0]))

static const char *preset_line(const char *name)
{
	for (size_t i = 0; i < PRESETS; i++)
		if (strcmp(presets[i].name, name) == 0)
			return presets[i].text;
	return NULL;
}

size_t net_shape_values(const struct net_shape *shape)
{
	return (size_t)shape->height * shape->width * shape->channels;
}

/* Which kind stands before the colon; NULL and a sentence if none does. */
static const struct spec_kind *kind_of(const char *text, struct err *err)
{
	size_t length = strcspn(text, ":");
	const char *names[KINDS + PRESETS + 1] = { NULL }, *near;
	char word[NET_SPEC_MAX];

	for (size_t i = 0; i < KINDS; i++) {
		names[i] = kinds[i].name;
		if (strlen(names[i]) == length &&
		    strncmp(names[i], text, length) == 0)
			return &kinds[i];
	}
	for (size_t i = 0; i < PRESETS; i++)
		names[KINDS + i] = presets[i].name;
	snprintf(word, sizeof(word), "%.*s", (int)length, text);
	near = field_nearest(word, names);
	err_set(err, EINVAL, "unknown kind of net '%s'", word);
	if (near)
		err_remedy(err, "did you mean %s?", near);
	else
		err_remedy(err, "there are softmax:784-10, "
				"mlp:784-256-256-10, cnn:1x28x28,c32k3,p2,10 "
				"and rnn:80,e80x8,u128,80");
	return NULL;
}

/* ---- the kinds' own ------------------------------------------------------------ */

/* "784-256-256-10" */
static int widths_read(struct net_words *words, const char *text,
		       struct err *err)
{
	struct net_spec *spec = words->spec;
	uint32_t width;
	char word[16];

	if (net_number(&text, "width", &width, err) < 0)
		return -1;
	words->shape = (struct net_shape){ 1, 1, width };
	while (*text) {
		if (*text++ != '-')
			return err_set(err, EINVAL,
				       "expected '-' or the end at '%.20s'",
				       text - 1);
		if (net_number(&text, "width", &width, err) < 0)
			return -1;
		snprintf(word, sizeof(word), "%u", width);
		if (spec->layers)
			spec->layer[spec->layers - 1].activation = ACT_RELU;
		if (net_word_last(words, word, err) < 0)
			return -1;
	}
	return 0;
}

/* Words between commas; the last one is the outputs. */
static int words_read(struct net_words *words, const char *text,
		      struct err *err)
{
	char word[32];

	for (;;) {
		size_t length = strcspn(text, ",");

		if (!length || length >= sizeof(word))
			return err_set(err, EINVAL,
				       "expected a layer at '%.20s'", text);
		memcpy(word, text, length);
		word[length] = '\0';
		if (!text[length])
			return net_word_last(words, word, err);
		if (net_word_add(words, word, err) < 0)
			return err_wrap(err, "%s", word);
		text += length + 1;
	}
}

/* "CxHxW,…" */
static int image_read(struct net_words *words, const char *text,
		      struct err *err)
{
	struct net_shape *shape = &words->shape;

	if (net_number(&text, "number of channels", &shape->channels, err) < 0)
		return -1;
	if (*text++ != 'x')
		return err_set(err, EINVAL, "expected CxHxW (1x28x28)");
	if (net_number(&text, "height", &shape->height, err) < 0)
		return -1;
	if (*text++ != 'x')
		return err_set(err, EINVAL, "expected CxHxW (1x28x28)");
	if (net_number(&text, "width", &shape->width, err) < 0)
		return -1;
	if (*text++ != ',')
		return err_set(err, EINVAL, "expected ',' and a layer");
	if (net_shape_values(shape) > NET_VALUES_MAX)
		return err_set(err, EINVAL,
			       "an image of %zu values, more than "
			       "%zu",
			       net_shape_values(shape), NET_VALUES_MAX);
	return words_read(words, text, err);
}

/* "T,eVxD,…" */
static int tokens_read(struct net_words *words, const char *text,
		       struct err *err)
{
	struct net_shape *shape = &words->shape;

	*shape = (struct net_shape){ .width = 1, .channels = 1 };
	if (net_number(&text, "number of tokens", &shape->height, err) < 0)
		return -1;
	if (*text++ != ',' || *text != 'e')
		return err_set(err, EINVAL,
			       "expected ',' and an embedding "
			       "(rnn:80,e80x8,u128,80)");
	return words_read(words, text, err);
}

/* ---- all ------------------------------------------------------------------------ */

static int spec_check(const struct net_spec *spec, const struct spec_kind *kind,
		      struct err *err)
{
	if (spec->layers < kind->layers_min ||
	    spec->layers > kind->layers_max) {
		err_set(err, EINVAL, "%s: %zu widths", kind->name,
			spec->layers + 1);
		return err_remedy(err, "for example %s", kind->example);
	}
	if (net_spec_parameters(spec) > NET_PARAMETERS_MAX)
		return err_set(err, EINVAL,
			       "%zu parameters, more than the limit of %zu",
			       net_spec_parameters(spec), NET_PARAMETERS_MAX);
	return 0;
}

/* Digits without leading zeros, so that equal nets have equal names. */
static void spec_name(struct net_spec *spec, const char *text)
{
	size_t used = 0;
	bool zeros = true; /* may be left out here */

	for (; *text; text++) {
		bool digit = *text >= '0' && *text <= '9';

		if (!digit)
			zeros = true;
		else if (zeros && *text == '0')
			continue;
		else
			zeros = false;
		spec->text[used++] = *text;
	}
	spec->text[used] = '\0';
}

static int spec_read(const char *text, struct net_spec *spec, struct err *err)
{
	struct net_words words = { .spec = spec };
	const struct spec_kind *kind = kind_of(text, err);
	size_t length = strcspn(text, ":");

	if (!kind)
		return -1;
	if (kind->read(&words, text + length + (text[length] == ':'), err) < 0)
		return -1;
	spec->width[0] = net_shape_values(&spec->layer[0].in);
	if (spec_check(spec, kind, err) < 0)
		return -1;
	spec_name(spec, text);
	return 0;
}

int net_spec_parse(const char *text, struct net_spec *spec, struct err *err)
{
	const char *preset = preset_line(text);
	char line[NET_SPEC_MAX];
	struct net_spec out = { .layers = 0 };

	if (*text == '{') {
		if (net_json_line(text, line, sizeof(line), err) < 0)
			return err_wrap(err, "model");
		text = line;
	}
	if (strlen(text) >= NET_SPEC_MAX)
		return err_set(err, EINVAL, "model: longer than %d characters",
			       NET_SPEC_MAX - 1);
	if (spec_read(preset ? preset : text, &out, err) < 0)
		return err_wrap(err, "model '%s'", text);
	*spec = out;
	return 0;
}

size_t net_spec_parameters(const struct net_spec *spec)
{
	size_t sum = 0;

	for (size_t l = 0; l < spec->layers; l++)
		sum += layer_parameters(&spec->layer[l]);
	return sum;
}
