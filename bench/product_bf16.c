/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bf16: the upper half of an fp32 value, rounded to nearest, ties to even.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/narrow.h"
#include "bench/product_kind.h"
#include "bench/vectors.h"
#include "lib/mem.h"

struct bf16 {
	struct narrow *narrow;
	uint16_t *w, *x, *g;
};

VECTORS static void to_bf16(uint16_t *restrict to, const float *restrict from,
			    size_t n, float scale)
{
	for (size_t i = 0; i < n; i++) {
		float value = scale * from[i];
		uint32_t bits;

		memcpy(&bits, &value, sizeof(bits));
		to[i] = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
	}
}

static void rows_to_bf16(uint16_t *to, const float *from, size_t rows,
			 size_t width, size_t ld, float scale)
{
	if (ld == width) {
		to_bf16(to, from, rows * width, scale);
		return;
	}
	for (size_t r = 0; r < rows; r++)
		to_bf16(to + r * width, from + r * ld, width, scale);
}

static int bf16_open(struct product *p, struct err *err)
{
	struct bf16 *state;

	if (!narrow_implementation(NARROW_BF16, NARROW_BF16))
		return err_set(err, ENOTSUP,
			       "precision bf16: this processor has no bf16 "
			       "products (fp32 works everywhere)");
	state = p->state = xcalloc(1, sizeof(*state));
	state->narrow = narrow_new();
	state->w = xcalloc_aligned(p->in * p->out, sizeof(*state->w));
	state->x = xcalloc_aligned(p->rows_max * p->in, sizeof(*state->x));
	state->g = xcalloc_aligned(p->rows_max * p->out, sizeof(*state->g));
	return 0;
}

static void bf16_close(struct product *p)
{
	struct bf16 *state = p->state;

	if (!state)
		return;
	narrow_free(state->narrow);
	free(state->w);
	free(state->x);
	free(state->g);
	free(state);
}

static struct narrow_operand weights(struct product *p, enum mat_op op)
{
	struct bf16 *state = p->state;

	if (!p->fresh)
		to_bf16(state->w, p->w, p->in * p->out, 1.0f);
	p->fresh = true;
	return (struct narrow_operand){ NARROW_BF16, state->w, p->out, op };
}

static struct narrow_operand inputs(struct product *p, size_t rows,
				    const float *x, size_t ldx, enum mat_op op)
{
	struct bf16 *state = p->state;

	if (p->x != x || p->rows != rows)
		rows_to_bf16(state->x, x, rows, p->in, ldx, 1.0f);
	p->x = x;
	p->rows = rows;
	return (struct narrow_operand){ NARROW_BF16, state->x, p->in, op };
}

static struct narrow_operand gradients(struct product *p, size_t rows,
				       const float *g, size_t ldg, float scale)
{
	struct bf16 *state = p->state;

	rows_to_bf16(state->g, g, rows, p->out, ldg, scale);
	return (struct narrow_operand){ NARROW_BF16, state->g, p->out, MAT_NO };
}

static void bf16_forward(struct product *p, size_t rows, const float *x,
			 size_t ldx, float *y, size_t ldy)
{
	struct bf16 *state = p->state;
	struct narrow_operand a, b = weights(p, MAT_NO);

	p->x = NULL;
	a = inputs(p, rows, x, ldx, MAT_NO);
	narrow_gemm(state->narrow, rows, p->out, p->in, &a, &b, NULL, 0.0f, y,
		    ldy);
}

static void bf16_input(struct product *p, size_t rows, const float *g,
		       size_t ldg, float *dx, size_t lddx)
{
	struct bf16 *state = p->state;
	struct narrow_operand a = gradients(p, rows, g, ldg, 1.0f);
	struct narrow_operand b = weights(p, MAT_YES);

	narrow_gemm(state->narrow, rows, p->in, p->out, &a, &b, NULL, 0.0f, dx,
		    lddx);
}

/* The factor goes into the gradient: it changes no bit of its mantissa's
 * precision. */
static void bf16_update(struct product *p, size_t rows, const float *x,
			size_t ldx, const float *g, size_t ldg,
			const struct backward *to)
{
	struct bf16 *state = p->state;
	struct narrow_operand a = inputs(p, rows, x, ldx, MAT_YES);
	struct narrow_operand b = gradients(p, rows, g, ldg, to->alpha);

	narrow_gemm(state->narrow, p->in, p->out, rows, &a, &b, NULL, to->beta,
		    to->target, p->out);
}

static const char *bf16_instructions(void)
{
	static _Thread_local char text[PRECISION_INSTRUCTIONS_MAX];
	const char *name = narrow_implementation(NARROW_BF16, NARROW_BF16);

	snprintf(text, sizeof(text), "%s%s", name ? "oneDNN " : "",
		 name ? name : "none: not on this processor");
	return text;
}

const struct product_kind product_kind_bf16 = {
	.name = "bf16",
	.saves = true,
	.open = bf16_open,
	.close = bf16_close,
	.forward = bf16_forward,
	.input = bf16_input,
	.update = bf16_update,
	.instructions = bf16_instructions,
};
