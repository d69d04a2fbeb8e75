/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * int8: all three products are of 8-bit operands with int32 sums.
 *
 *	Y = Xq Wq · s_x s_w[o]            X: one scale; W: a scale per column
 *	dX = s_r[row] · Gq' Wq'           G' = G s_w[o], a scale per row of it
 *	W* = β W* + Xq' Gq" · α s_x s_g[o]     G": a scale per column
 *
 * The scales of W lie on the summed index of dX, so they are folded into G
 * before it is rounded.  What has no negative value (after ReLU, pixels) is
 * unsigned, with a bit more.  W and X are rounded to nearest, gradients at
 * random, up or down by what is left over: their errors have a mean of 0, and
 * small gradients do not vanish (Gupta et al., ICML 2015).  The random numbers
 * are a hash of step, layer and place, so the same step gives the same bits.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/narrow.h"
#include "bench/product_kind.h"
#include "bench/vectors.h"
#include "lib/mem.h"

struct int8 {
	struct narrow *narrow;
	int8_t *w, *g;
	void *x;
	bool x_signed;
	float x_scale;
	float *w_scale; /* a value per column of W */
	float *column;  /* the same, for whatever is at hand */
	float *inverse; /* of scales, per column */
	float *row;     /* a scale per row */
};

/* ---- rounding ---------------------------------------------------------------- */

VECTORS static void range_of(const float *restrict x, size_t n, float *lo,
			     float *hi)
{
	float low[16] = { 0 }, high[16] = { 0 };
	size_t i = 0;

	for (; i + 16 <= n; i += 16)
		for (size_t j = 0; j < 16; j++) {
			float v = x[i + j];

			low[j] = v < low[j] ? v : low[j];
			high[j] = v > high[j] ? v : high[j];
		}
	for (; i < n; i++) {
		low[0] = x[i] < low[0] ? x[i] : low[0];
		high[0] = x[i] > high[0] ? x[i] : high[0];
	}
	for (size_t j = 0; j < 16; j++) {
		*lo = low[j] < *lo ? low[j] : *lo;
		*hi = high[j] > *hi ? high[j] : *hi;
	}
}

/* max |x| of each column of a row; the first row of all clears. */
VECTORS static void column_max(float *restrict most, const float *restrict x,
			       size_t n)
{
	for (size_t c = 0; c < n; c++) {
		float v = fabsf(x[c]);

		most[c] = v > most[c] ? v : most[c];
	}
}

/* Round half away from 0: what is left of |v| + 0.5 without its fraction. */
VECTORS static void round_row(int8_t *restrict to, const float *restrict x,
			      const float *restrict inverse, size_t n)
{
	for (size_t c = 0; c < n; c++) {
		float v = x[c] * inverse[c];

		to[c] = (int8_t)(int32_t)(v + (v < 0.0f ? -0.5f : 0.5f));
	}
}

VECTORS static void round_u8(uint8_t *restrict to, const float *restrict x,
			     float inverse, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(int32_t)(x[i] * inverse + 0.5f);
}

VECTORS static void round_s8(int8_t *restrict to, const float *restrict x,
			     float inverse, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		float v = x[i] * inverse;

		to[i] = (int8_t)(int32_t)(v + (v < 0.0f ? -0.5f : 0.5f));
	}
}

/* A hash of the place (Chris Wellons' "lowbias32"), a number in [0, 1) of it,
 * and that much of the way to the next whole number.  v + 128 is positive, so
 * cutting its fraction off is rounding down. */
VECTORS static void round_at_random(int8_t *restrict to,
				    const float *restrict x,
				    const float *restrict factor, float inverse,
				    uint32_t seed, size_t n)
{
	for (size_t c = 0; c < n; c++) {
		uint32_t h = seed + (uint32_t)c;
		float chance, v;

		h ^= h >> 16;
		h *= 0x7feb352du;
		h ^= h >> 15;
		h *= 0x846ca68bu;
		h ^= h >> 16;
		chance = (float)(int32_t)(h >> 8) * 0x1p-24f;
		v = x[c] * factor[c] * inverse + chance + 128.0f;
		to[c] = (int8_t)((int32_t)v - 128);
	}
}

static float inverse_of(float most, float steps)
{
	return most > 0.0f ? steps / most : 0.0f;
}

/* most → scale, and its inverse beside it. */
static void column_scales(float *most, float *inverse, size_t n)
{
	for (size_t c = 0; c < n; c++) {
		inverse[c] = inverse_of(most[c], 127.0f);
		most[c] /= 127.0f;
	}
}

/* ---- operands ------------------------------------------------------------------ */

static int int8_open(struct product *p, struct err *err)
{
	struct int8 *state;

	if (!narrow_implementation(NARROW_U8, NARROW_S8) ||
	    !narrow_implementation(NARROW_S8, NARROW_S8))
		return err_set(err, ENOTSUP,
			       "precision int8: this processor has no int8 "
			       "products (fp32 works everywhere)");
	state = p->state = xcalloc(1, sizeof(*state));
	state->narrow = narrow_new();
	state->w = xcalloc_aligned(p->in * p->out, 1);
	state->x = xcalloc_aligned(p->rows_max * p->in, 1);
	state->g = xcalloc_aligned(p->rows_max * p->out, 1);
	state->w_scale = xcalloc_aligned(p->out, sizeof(float));
	state->column = xcalloc_aligned(p->out, sizeof(float));
	state->inverse = xcalloc_aligned(p->out, sizeof(float));
	state->row = xcalloc_aligned(p->rows_max, sizeof(float));
	return 0;
}

static void int8_close(struct product *p)
{
	struct int8 *state = p->state;

	if (!state)
		return;
	narrow_free(state->narrow);
	free(state->w);
	free(state->x);
	free(state->g);
	free(state->w_scale);
	free(state->column);
	free(state->inverse);
	free(state->row);
	free(state);
}

static struct narrow_operand weights(struct product *p, enum mat_op op)
{
	struct int8 *state = p->state;

	if (!p->fresh) {
		memset(state->w_scale, 0, p->out * sizeof(float));
		for (size_t i = 0; i < p->in; i++)
			column_max(state->w_scale, p->w + i * p->out, p->out);
		column_scales(state->w_scale, state->inverse, p->out);
		for (size_t i = 0; i < p->in; i++)
			round_row(state->w + i * p->out, p->w + i * p->out,
				  state->inverse, p->out);
	}
	p->fresh = true;
	return (struct narrow_operand){ NARROW_S8, state->w, p->out, op };
}

static void narrow_inputs(struct product *p, size_t rows, const float *x,
			  size_t ldx)
{
	struct int8 *state = p->state;
	float lo = 0.0f, hi = 0.0f, inverse, most;

	for (size_t r = 0; r < rows; r++)
		range_of(x + r * ldx, p->in, &lo, &hi);
	state->x_signed = lo < 0.0f;
	most = hi > -lo ? hi : -lo;
	inverse = inverse_of(most, state->x_signed ? 127.0f : 255.0f);
	state->x_scale = most / (state->x_signed ? 127.0f : 255.0f);
	for (size_t r = 0; r < rows; r++)
		if (state->x_signed)
			round_s8((int8_t *)state->x + r * p->in, x + r * ldx,
				 inverse, p->in);
		else
			round_u8((uint8_t *)state->x + r * p->in, x + r * ldx,
				 inverse, p->in);
}

static struct narrow_operand inputs(struct product *p, size_t rows,
				    const float *x, size_t ldx, enum mat_op op)
{
	struct int8 *state = p->state;

	if (p->x != x || p->rows != rows)
		narrow_inputs(p, rows, x, ldx);
	p->x = x;
	p->rows = rows;
	return (struct narrow_operand){ state->x_signed ? NARROW_S8 : NARROW_U8,
					state->x, p->in, op };
}

static uint32_t row_seed(const struct product *p, size_t row, uint32_t use)
{
	uint64_t mixed = (p->seed * 2 + use) * 0x9e3779b97f4a7c15u;

	return (uint32_t)(mixed >> 32) ^ (uint32_t)mixed ^
	       ((uint32_t)row * 0x9e3779b9u);
}

/* ---- products -------------------------------------------------------------------- */

static void int8_forward(struct product *p, size_t rows, const float *x,
			 size_t ldx, float *y, size_t ldy)
{
	struct int8 *state = p->state;
	struct narrow_operand a, b = weights(p, MAT_NO);

	p->x = NULL;
	a = inputs(p, rows, x, ldx, MAT_NO);
	for (size_t c = 0; c < p->out; c++)
		state->column[c] = state->x_scale * state->w_scale[c];
	narrow_gemm(state->narrow, rows, p->out, p->in, &a, &b, state->column,
		    0.0f, y, ldy);
}

VECTORS static void scale_row(float *x, size_t n, float scale)
{
	for (size_t i = 0; i < n; i++)
		x[i] *= scale;
}

/* max |g · factor| */
VECTORS static float weighted_max(const float *restrict g,
				  const float *restrict factor, size_t n)
{
	float most[16] = { 0 };
	size_t i = 0;

	for (; i + 16 <= n; i += 16)
		for (size_t j = 0; j < 16; j++) {
			float v = fabsf(g[i + j] * factor[i + j]);

			most[j] = v > most[j] ? v : most[j];
		}
	for (; i < n; i++)
		most[0] = fmaxf(most[0], fabsf(g[i] * factor[i]));
	for (size_t j = 1; j < 16; j++)
		most[0] = fmaxf(most[0], most[j]);
	return most[0];
}

static void int8_input(struct product *p, size_t rows, const float *g,
		       size_t ldg, float *dx, size_t lddx)
{
	struct int8 *state = p->state;
	struct narrow_operand a = { NARROW_S8, state->g, p->out, MAT_NO };
	struct narrow_operand b = weights(p, MAT_YES);
	float *scale = state->row;

	for (size_t r = 0; r < rows; r++) {
		float most = weighted_max(g + r * ldg, state->w_scale, p->out);

		scale[r] = most / 126.0f;
		round_at_random(state->g + r * p->out, g + r * ldg,
				state->w_scale, inverse_of(most, 126.0f),
				row_seed(p, r, 0), p->out);
	}
	narrow_gemm(state->narrow, rows, p->in, p->out, &a, &b, NULL, 0.0f, dx,
		    lddx);
	for (size_t r = 0; r < rows; r++)
		scale_row(dx + r * lddx, p->in, scale[r]);
}

static void int8_update(struct product *p, size_t rows, const float *x,
			size_t ldx, const float *g, size_t ldg,
			const struct backward *to)
{
	struct int8 *state = p->state;
	struct narrow_operand a = inputs(p, rows, x, ldx, MAT_YES);
	struct narrow_operand b = { NARROW_S8, state->g, p->out, MAT_NO };

	memset(state->column, 0, p->out * sizeof(float));
	for (size_t r = 0; r < rows; r++)
		column_max(state->column, g + r * ldg, p->out);
	for (size_t c = 0; c < p->out; c++) {
		state->inverse[c] = inverse_of(state->column[c], 126.0f);
		state->column[c] *= to->alpha * state->x_scale / 126.0f;
	}
	for (size_t r = 0; r < rows; r++)
		round_at_random(state->g + r * p->out, g + r * ldg,
				state->inverse, 1.0f, row_seed(p, r, 1),
				p->out);
	narrow_gemm(state->narrow, p->in, p->out, rows, &a, &b, state->column,
		    to->beta, to->target, p->out);
}

static const char *int8_instructions(void)
{
	static _Thread_local char text[PRECISION_INSTRUCTIONS_MAX];
	const char *name = narrow_implementation(NARROW_U8, NARROW_S8);

	snprintf(text, sizeof(text), "%s%s", name ? "oneDNN " : "",
		 name ? name : "none: not on this processor");
	return text;
}

const struct product_kind product_kind_int8 = {
	.name = "int8",
	.saves = true,
	.not_narrow = true,
	.open = int8_open,
	.close = int8_close,
	.forward = int8_forward,
	.input = int8_input,
	.update = int8_update,
	.instructions = int8_instructions,
};
