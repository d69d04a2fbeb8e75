/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/net_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/layer_kind.h"

int net_number(const char **text, const char *what, uint32_t *value,
	       struct err *err)
{
	size_t digits = strspn(*text, "0123456789");
	unsigned long number =
		digits && digits < 10 ? strtoul(*text, NULL, 10) : 0;

	if (!digits)
		return err_set(err, EINVAL, "expected a %s at '%.20s'", what,
			       *text);
	if (number < 1 || number > NET_WIDTH_MAX)
		return err_set(err, EINVAL, "%s %.*s is not within 1 … %d",
			       what, digits > 20 ? 20 : (int)digits, *text,
			       NET_WIDTH_MAX);
	*text += digits;
	*value = (uint32_t)number;
	return 0;
}

/* ---- appending ------------------------------------------------------------------ */

static struct layer_spec *last_layer(struct net_words *words)
{
	return words->spec->layers
		       ? &words->spec->layer[words->spec->layers - 1]
		       : NULL;
}

static int append(struct net_words *words, struct layer_spec *layer,
		  struct err *err)
{
	struct net_spec *spec = words->spec;

	if (spec->layers == NET_LAYERS_MAX)
		return err_set(err, EINVAL, "more than %d layers",
			       NET_LAYERS_MAX);
	layer->in = words->shape;
	if (!layer->out.height)
		layer->out = (struct net_shape){ 1, 1, layer->out.channels };
	if (layer_kind_of(layer->type)->shape(layer, err) < 0)
		return -1;
	if (net_shape_values(&layer->out) > NET_VALUES_MAX)
		return err_set(err, EINVAL, "%zu values, more than %zu",
			       net_shape_values(&layer->out), NET_VALUES_MAX);
	words->shape = layer->out;
	spec->layer[spec->layers++] = *layer;
	spec->width[spec->layers] = net_shape_values(&layer->out);
	return 0;
}

/* What may be computed after the layer as well as before it. */
static enum activation take_activation(struct net_words *words)
{
	struct layer_spec *last = last_layer(words);
	enum activation activation = last ? last->activation : ACT_NONE;

	if (last)
		last->activation = ACT_NONE;
	return activation;
}

/* ---- words ---------------------------------------------------------------------- */

/* "[sS]" and, where it may stand, "[v]"; then the end. */
static int window_rest(const char *text, struct layer_spec *layer, bool valid,
		       struct err *err)
{
	if (*text == 's') {
		text++;
		if (net_number(&text, "stride", &layer->stride, err) < 0)
			return -1;
	}
	if (valid && *text == 'v') {
		layer->pad = 0;
		text++;
	}
	if (*text)
		return err_set(err, EINVAL, "unexpected '%.20s'", text);
	return 0;
}

static int word_conv(struct net_words *words, const char *text, struct err *err)
{
	struct layer_spec layer = { .type = LAYER_CONV2D,
				    .activation = ACT_RELU,
				    .stride = 1 };

	if (net_number(&text, "number of filters", &layer.out.channels, err) <
	    0)
		return -1;
	if (*text++ != 'k')
		return err_set(err, EINVAL,
			       "expected k and a kernel size "
			       "(c32k3)");
	if (net_number(&text, "kernel size", &layer.kernel, err) < 0)
		return -1;
	layer.pad = layer.kernel / 2;
	if (window_rest(text, &layer, true, err) < 0)
		return -1;
	return append(words, &layer, err);
}

static int word_pool(struct net_words *words, const char *text,
		     enum layer_type type, struct err *err)
{
	struct layer_spec layer = { .type = type };

	if (net_number(&text, "pool size", &layer.kernel, err) < 0)
		return -1;
	layer.stride = layer.kernel;
	if (window_rest(text, &layer, false, err) < 0)
		return -1;
	if (type == LAYER_MAX_POOL)
		layer.activation = take_activation(words);
	return append(words, &layer, err);
}

/* A word that is one number: dN, uN, gnG. */
static int number_alone(const char *text, const char *what, uint32_t *value,
			struct err *err)
{
	if (net_number(&text, what, value, err) < 0)
		return -1;
	if (*text)
		return err_set(err, EINVAL, "unexpected '%.20s'", text);
	return 0;
}

static int word_dense(struct net_words *words, const char *text,
		      enum activation activation, struct err *err)
{
	struct layer_spec layer = { .type = LAYER_DENSE,
				    .activation = activation };

	if (number_alone(text, "width", &layer.out.channels, err) < 0)
		return -1;
	return append(words, &layer, err);
}

/* A GRU before a GRU hands on every state. */
static int word_gru(struct net_words *words, const char *text, struct err *err)
{
	struct layer_spec layer = { .type = LAYER_GRU };
	struct layer_spec *last = last_layer(words);

	if (number_alone(text, "number of units", &layer.out.channels, err) < 0)
		return -1;
	if (last && last->type == LAYER_GRU && !last->sequence) {
		last->sequence = true;
		layer_kind_gru.shape(last, err);
		words->shape = last->out;
		words->spec->width[words->spec->layers] =
			net_shape_values(&last->out);
	}
	if (words->shape.width != 1)
		return err_set(err, EINVAL, "a GRU needs a sequence before it");
	return append(words, &layer, err);
}

static int word_embedding(struct net_words *words, const char *text,
			  struct err *err)
{
	struct layer_spec layer = { .type = LAYER_EMBEDDING };

	if (words->spec->layers)
		return err_set(err, EINVAL, "an embedding comes first");
	if (net_number(&text, "vocabulary", &layer.vocabulary, err) < 0)
		return -1;
	if (*text++ != 'x')
		return err_set(err, EINVAL, "expected x and a width (e80x8)");
	if (number_alone(text, "width", &layer.out.channels, err) < 0)
		return -1;
	return append(words, &layer, err);
}

static int word_norm(struct net_words *words, const char *text, struct err *err)
{
	struct layer_spec layer = { .type = LAYER_GROUP_NORM };

	if (number_alone(text, "number of groups", &layer.groups, err) < 0)
		return -1;
	layer.activation = take_activation(words);
	return append(words, &layer, err);
}

static int word_dropout(struct net_words *words, const char *text,
			struct err *err)
{
	struct layer_spec layer = { .type = LAYER_DROPOUT };
	uint32_t percent = 0;

	if (number_alone(text, "percentage", &percent, err) < 0)
		return -1;
	if (percent > 99)
		return err_set(err, EINVAL,
			       "dropout of %u %% is not within "
			       "1 … 99",
			       percent);
	layer.drop = (float)percent / 100.0f;
	return append(words, &layer, err);
}

static int word_activation(struct net_words *words, enum activation activation,
			   struct err *err)
{
	struct layer_spec *last = last_layer(words);

	if (!last)
		return err_set(err, EINVAL,
			       "an activation needs a layer "
			       "before it");
	last->activation = activation;
	return 0;
}

static int plain_word(struct net_words *words, const char *word,
		      struct err *err)
{
	if (!strcmp(word, "relu"))
		return word_activation(words, ACT_RELU, err);
	if (!strcmp(word, "tanh"))
		return word_activation(words, ACT_TANH, err);
	if (!strcmp(word, "none"))
		return word_activation(words, ACT_NONE, err);
	if (!strcmp(word, "flatten")) {
		words->shape = (struct net_shape){
			1, 1, (uint32_t)net_shape_values(&words->shape)
		};
		return 0;
	}
	err_set(err, EINVAL, "'%.20s' is no layer", word);
	return err_remedy(err, "there are cNkK, pK, aK, dN, uN, gnG, dropP, "
			       "flatten, relu, tanh and none");
}

int net_word_add(struct net_words *words, const char *word, struct err *err)
{
	bool number = isdigit((unsigned char)(*word ? word[1] : '\0'));

	if (!strncmp(word, "gn", 2))
		return word_norm(words, word + 2, err);
	if (!strncmp(word, "drop", 4))
		return word_dropout(words, word + 4, err);
	if (!number)
		return plain_word(words, word, err);
	switch (*word) {
	case 'c':
		return word_conv(words, word + 1, err);
	case 'p':
		return word_pool(words, word + 1, LAYER_MAX_POOL, err);
	case 'a':
		return word_pool(words, word + 1, LAYER_AVERAGE_POOL, err);
	case 'd':
		return word_dense(words, word + 1, ACT_RELU, err);
	case 'u':
		return word_gru(words, word + 1, err);
	case 'e':
		return word_embedding(words, word + 1, err);
	default:
		return plain_word(words, word, err);
	}
}

int net_word_last(struct net_words *words, const char *word, struct err *err)
{
	return word_dense(words, word, ACT_NONE, err);
}
