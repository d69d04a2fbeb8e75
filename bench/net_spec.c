/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptions of nets: "mlp:784-256-256-10".
 */
#include "bench/net.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"

static const struct {
	const char *name;
	size_t layers_min, layers_max;
	const char *example;
} kinds[] = {
	{ "softmax", 1, 1, "softmax:784-10" },
	{ "mlp", 1, NET_LAYERS_MAX, "mlp:784-256-256-10" },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Which kind stands before the colon; -1 and a sentence if none does. */
static int kind_of(const char *text, struct err *err)
{
	size_t length = strcspn(text, ":");
	const char *names[KINDS + 1] = { NULL }, *near;
	char word[NET_SPEC_MAX];

	for (size_t i = 0; i < KINDS; i++) {
		names[i] = kinds[i].name;
		if (strlen(names[i]) == length &&
		    strncmp(names[i], text, length) == 0)
			return (int)i;
	}
	snprintf(word, sizeof(word), "%.*s", (int)length, text);
	near = field_nearest(word, names);
	err_set(err, EINVAL, "unknown kind of net '%s'", word);
	if (near)
		return err_remedy(err, "did you mean %s?", near);
	return err_remedy(err, "there are softmax:784-10 and "
			       "mlp:784-256-256-10");
}

/* One width; moves `text` behind it. */
static int width_read(const char **text, size_t *width, struct err *err)
{
	size_t digits = strspn(*text, "0123456789");
	unsigned long value =
		digits && digits < 10 ? strtoul(*text, NULL, 10) : 0;

	if (!digits)
		return err_set(err, EINVAL, "expected a width at '%.20s'",
			       *text);
	if (value < 1 || value > NET_WIDTH_MAX)
		return err_set(err, EINVAL, "width %.*s is not within 1 … %d",
			       digits > 20 ? 20 : (int)digits, *text,
			       NET_WIDTH_MAX);
	*text += digits;
	*width = value;
	return 0;
}

static int widths_read(const char *text, struct net_spec *spec, struct err *err)
{
	size_t n = 0;

	for (;; text++) {
		if (n > NET_LAYERS_MAX)
			return err_set(err, EINVAL, "more than %d layers",
				       NET_LAYERS_MAX);
		if (width_read(&text, &spec->width[n], err) < 0)
			return -1;
		n++;
		if (!*text)
			break;
		if (*text != '-')
			return err_set(err, EINVAL,
				       "expected '-' or the end at '%.20s'",
				       text);
	}
	spec->layers = n - 1;
	return 0;
}

static int spec_check(const struct net_spec *spec, int kind, struct err *err)
{
	size_t min = kinds[kind].layers_min, max = kinds[kind].layers_max;

	if (spec->layers < min || spec->layers > max) {
		err_set(err, EINVAL, "%s: %zu widths", kinds[kind].name,
			spec->layers + 1);
		return err_remedy(err, "for example %s", kinds[kind].example);
	}
	if (spec->width[spec->layers] < 2)
		return err_set(err, EINVAL, "a net needs two classes at least");
	if (net_spec_parameters(spec) > NET_PARAMETERS_MAX)
		return err_set(err, EINVAL,
			       "%zu parameters, more than the limit of %zu",
			       net_spec_parameters(spec), NET_PARAMETERS_MAX);
	return 0;
}

static void spec_name(struct net_spec *spec, int kind)
{
	size_t used = (size_t)snprintf(spec->text, sizeof(spec->text),
				       "%s:", kinds[kind].name);

	for (size_t i = 0; i <= spec->layers && used < sizeof(spec->text); i++)
		used += (size_t)snprintf(spec->text + used,
					 sizeof(spec->text) - used, "%s%zu",
					 i ? "-" : "", spec->width[i]);
}

int net_spec_parse(const char *text, struct net_spec *spec, struct err *err)
{
	struct net_spec out = { .layers = 0 };
	int kind;

	if (strlen(text) >= NET_SPEC_MAX)
		return err_set(err, EINVAL, "model: longer than %d characters",
			       NET_SPEC_MAX - 1);
	kind = kind_of(text, err);
	if (kind < 0)
		return err_wrap(err, "model '%s'", text);
	text += strcspn(text, ":");
	if (widths_read(text + (*text == ':'), &out, err) < 0 ||
	    spec_check(&out, kind, err) < 0)
		return err_wrap(err, "model '%s%s'", kinds[kind].name, text);
	spec_name(&out, kind);
	*spec = out;
	return 0;
}

size_t net_spec_parameters(const struct net_spec *spec)
{
	size_t sum = 0;

	for (size_t l = 0; l < spec->layers; l++)
		sum += (spec->width[l] + 1) * spec->width[l + 1];
	return sum;
}
