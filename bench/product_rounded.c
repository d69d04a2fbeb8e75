/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Precisions whose products are fp32: fp16 keeps its operands in 16 bits and
 * widens them again; fake-intN rounds them to a grid of 2^N − 1 steps and keeps
 * them as they are, a scale for each tensor.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/product_kind.h"
#include "bench/vectors.h"
#include "lib/mem.h"

struct rounded {
	uint16_t *half; /* fp16: where operands are kept */
	float *w, *x, *g;
};

/* fp32 → fp16 → fp32, to nearest, ties to even.  Below 2^-14 the steps are
 * those of the smallest exponent; what is beyond 65504 becomes that. */
VECTORS static void through_half(float *to, uint16_t *restrict half,
				 const float *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		float v = fminf(fmaxf(from[i], -65504.0f), 65504.0f);
		float a = fabsf(v), small = a + 0.5f;
		uint32_t bits, low, sign, wide;

		memcpy(&bits, &v, sizeof(bits));
		memcpy(&low, &small, sizeof(low));
		sign = bits >> 16 & 0x8000u;
		bits &= 0x7fffffffu;
		/* 0.5 has steps of 2^-24, so has the smallest exponent. */
		low -= 0x3f000000u;
		wide = bits + 0xc8000fffu + (bits >> 13 & 1);
		half[i] = (uint16_t)(sign | (a < 0x1p-14f ? low : wide >> 13));
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t h = half[i], sign = (h & 0x8000u) << 16;
		uint32_t body = (h & 0x7fffu) << 13;
		float v, scale = 0x1p112f;

		memcpy(&v, &body, sizeof(v));
		v *= scale;
		memcpy(&body, &v, sizeof(body));
		body |= sign;
		memcpy(&to[i], &body, sizeof(v));
	}
}

static void to_grid(float *to, const float *from, size_t n, unsigned int bits)
{
	float most = 0.0f, steps = (float)((1u << (bits - 1)) - 1), scale;

	for (size_t i = 0; i < n; i++)
		most = fmaxf(most, fabsf(from[i]));
	scale = most / steps;
	for (size_t i = 0; i < n; i++)
		to[i] = most > 0.0f ? scale * roundf(from[i] / scale) : 0.0f;
}

static void round_rows(const struct product *p, float *to, const float *from,
		       size_t rows, size_t width, size_t ld)
{
	struct rounded *state = p->state;

	for (size_t r = 0; ld != width && r < rows; r++)
		memcpy(to + r * width, from + r * ld, width * sizeof(*to));
	if (ld != width)
		from = to;
	if (p->precision.kind == PRECISION_FAKE)
		to_grid(to, from, rows * width, p->precision.bits);
	else
		through_half(to, state->half, from, rows * width);
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static int rounded_open(struct product *p, struct err *err)
{
	struct rounded *state = p->state = xcalloc(1, sizeof(*state));
	size_t w = p->in * p->out, x = p->rows_max * p->in;
	size_t g = p->rows_max * p->out;

	(void)err;
	state->w = xcalloc_aligned(w, sizeof(float));
	state->x = xcalloc_aligned(x, sizeof(float));
	state->g = xcalloc_aligned(g, sizeof(float));
	if (p->precision.kind == PRECISION_FP16)
		state->half = xcalloc_aligned(larger(w, larger(x, g)),
					      sizeof(uint16_t));
	return 0;
}

static void rounded_close(struct product *p)
{
	struct rounded *state = p->state;

	if (!state)
		return;
	free(state->half);
	free(state->w);
	free(state->x);
	free(state->g);
	free(state);
}

static const float *weights(struct product *p)
{
	struct rounded *state = p->state;

	if (!p->fresh)
		round_rows(p, state->w, p->w, p->in, p->out, p->out);
	p->fresh = true;
	return state->w;
}

static const float *inputs(struct product *p, size_t rows, const float *x,
			   size_t ldx)
{
	struct rounded *state = p->state;

	if (p->x != x || p->rows != rows)
		round_rows(p, state->x, x, rows, p->in, ldx);
	p->x = x;
	p->rows = rows;
	return state->x;
}

static void rounded_forward(struct product *p, size_t rows, const float *x,
			    size_t ldx, float *y, size_t ldy)
{
	const float *w = weights(p);

	p->x = NULL;
	mat_gemm(p->mat, MAT_NO, MAT_NO, rows, p->out, p->in, 1.0f,
		 inputs(p, rows, x, ldx), p->in, w, p->out, 0.0f, y, ldy);
}

static void rounded_input(struct product *p, size_t rows, const float *g,
			  size_t ldg, float *dx, size_t lddx)
{
	struct rounded *state = p->state;

	round_rows(p, state->g, g, rows, p->out, ldg);
	mat_gemm(p->mat, MAT_NO, MAT_YES, rows, p->in, p->out, 1.0f, state->g,
		 p->out, weights(p), p->out, 0.0f, dx, lddx);
}

static void rounded_update(struct product *p, size_t rows, const float *x,
			   size_t ldx, const float *g, size_t ldg,
			   const struct backward *to)
{
	struct rounded *state = p->state;

	round_rows(p, state->g, g, rows, p->out, ldg);
	mat_gemm(p->mat, MAT_YES, MAT_NO, p->in, p->out, rows, to->alpha,
		 inputs(p, rows, x, ldx), p->in, state->g, p->out, to->beta,
		 to->target, p->out);
}

static const char *half_instructions(void)
{
	return "fp32 products; operands kept in 16 bits";
}

static const char *fake_instructions(void)
{
	return "fp32 products of rounded operands: saves no energy";
}

const struct product_kind product_kind_fp16 = {
	.name = "fp16",
	.saves = false,
	.open = rounded_open,
	.close = rounded_close,
	.forward = rounded_forward,
	.input = rounded_input,
	.update = rounded_update,
	.instructions = half_instructions,
};

const struct product_kind product_kind_fake = {
	.name = "fake-int",
	.saves = false,
	.not_narrow = true,
	.open = rounded_open,
	.close = rounded_close,
	.forward = rounded_forward,
	.input = rounded_input,
	.update = rounded_update,
	.instructions = fake_instructions,
};
