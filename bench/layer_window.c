/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/layer_window.h"

#include <errno.h>

int layer_window_shape(struct layer_spec *spec, struct err *err)
{
	uint32_t height = spec->in.height + 2 * spec->pad;
	uint32_t width = spec->in.width + 2 * spec->pad;

	if (spec->kernel > height || spec->kernel > width)
		return err_set(err, EINVAL,
			       "a kernel of %u does not fit into %ux%u",
			       spec->kernel, spec->in.height, spec->in.width);
	spec->out.height = (height - spec->kernel) / spec->stride + 1;
	spec->out.width = (width - spec->kernel) / spec->stride + 1;
	spec->out.channels = spec->in.channels;
	return 0;
}

/* The part of [start, start + kernel) that lies in [0, size), where start is
 * at * stride − pad. */
static size_t clip(size_t at, const struct layer_spec *spec, size_t size,
		   size_t *skipped, size_t *count)
{
	size_t start = at * spec->stride, end = start + spec->kernel;

	*skipped = start < spec->pad ? spec->pad - start : 0;
	start = start < spec->pad ? 0 : start - spec->pad;
	end = end < spec->pad ? 0 : end - spec->pad;
	if (end > size)
		end = size;
	*count = end > start ? end - start : 0;
	return start;
}

static void place(struct layer_window *at)
{
	const struct layer_spec *spec = at->spec;
	size_t in_row = spec->in.width * (size_t)spec->in.channels;
	size_t y = clip(at->y, spec, spec->in.height, &at->row, &at->rows);
	size_t x = clip(at->x, spec, spec->in.width, &at->column, &at->columns);

	at->base = (at->sample * spec->in.height + y) * in_row +
		   x * spec->in.channels;
}

void layer_window_first(struct layer_window *at, const struct layer_spec *spec,
			size_t samples)
{
	*at = (struct layer_window){ .spec = spec,
				     .samples = samples,
				     .more = samples > 0 };
	if (at->more)
		place(at);
}

void layer_window_next(struct layer_window *at)
{
	const struct layer_spec *spec = at->spec;

	at->out += spec->out.channels;
	if (++at->x == spec->out.width) {
		at->x = 0;
		if (++at->y == spec->out.height) {
			at->y = 0;
			at->sample++;
		}
	}
	at->more = at->sample < at->samples;
	if (at->more)
		place(at);
}
