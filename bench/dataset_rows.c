/* SPDX-License-Identifier: BSD-3-Clause */
/* Elements of files as floats. */
#include "bench/dataset_kind.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

size_t dataset_type_size(enum dataset_type type)
{
	static const size_t size[] = {
		[DATASET_U1] = 1, [DATASET_I1] = 1, [DATASET_U2] = 2,
		[DATASET_I2] = 2, [DATASET_U4] = 4, [DATASET_I4] = 4,
		[DATASET_U8] = 8, [DATASET_I8] = 8, [DATASET_F2] = 2,
		[DATASET_F4] = 4, [DATASET_F8] = 8,
	};

	return size[type];
}

struct dataset_raw *dataset_part_raw(struct dataset_part *part, size_t samples,
				     enum dataset_type type, size_t step)
{
	struct dataset_raw *raw = xcalloc(1, sizeof(*raw));

	raw->type = type;
	raw->step = step;
	raw->factor = 1.0f;
	raw->row = xcalloc(samples, sizeof(*raw->row));
	part->raw = raw;
	part->label = xcalloc(samples, sizeof(*part->label));
	part->samples = samples;
	return raw;
}

/* ---- one element ------------------------------------------------------------- */

/* Wherever it stands, in this machine's byte order. */
static inline uint64_t load(const unsigned char *at, size_t size, bool swapped)
{
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (size) {
	case 1:
		return *at;
	case 2:
		memcpy(&two, at, sizeof(two));
		return swapped ? __builtin_bswap16(two) : two;
	case 4:
		memcpy(&four, at, sizeof(four));
		return swapped ? __builtin_bswap32(four) : four;
	default:
		memcpy(&eight, at, sizeof(eight));
		return swapped ? __builtin_bswap64(eight) : eight;
	}
}

static inline float real32(uint64_t bits)
{
	uint32_t four = (uint32_t)bits;
	float value;

	memcpy(&value, &four, sizeof(value));
	return value;
}

static inline float real64(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return (float)value;
}

/* IEEE 754 binary16: exact in a float. */
static float real16(uint64_t bits)
{
	uint32_t exponent = (uint32_t)bits >> 10 & 31u;
	uint32_t fraction = (uint32_t)bits & 1023u;
	float value;

	if (exponent == 31)
		value = fraction ? NAN : INFINITY;
	else if (exponent)
		value = ldexpf((float)(fraction | 1024u), (int)exponent - 25);
	else
		value = ldexpf((float)fraction, -24);
	return bits & 0x8000u ? -value : value;
}

/* ---- rows ------------------------------------------------------------------ */

static void bytes_as_floats(const unsigned char *restrict from, size_t n,
			    float factor, float *restrict x)
{
	for (size_t j = 0; j < n; j++)
		x[j] = (float)from[j] * factor;
}

/* The bits of each element become `value`. */
#define EACH(size, value)                                        \
	for (size_t j = 0; j < features; j++, at += raw->step) { \
		uint64_t bits = load(at, size, raw->swapped);    \
		x[j] = (value);                                  \
	}                                                        \
	break

static void elements_as_floats(const struct dataset_raw *raw,
			       const unsigned char *at, size_t features,
			       float *x)
{
	switch (raw->type) {
	case DATASET_U1:
		EACH(1, (float)bits * raw->factor);
	case DATASET_I1:
		EACH(1, (float)(int8_t)bits);
	case DATASET_U2:
		EACH(2, (float)bits);
	case DATASET_I2:
		EACH(2, (float)(int16_t)bits);
	case DATASET_U4:
		EACH(4, (float)bits);
	case DATASET_I4:
		EACH(4, (float)(int32_t)bits);
	case DATASET_U8:
		EACH(8, (float)bits);
	case DATASET_I8:
		EACH(8, (float)(int64_t)bits);
	case DATASET_F2:
		EACH(2, real16(bits));
	case DATASET_F4:
		EACH(4, real32(bits));
	case DATASET_F8:
		EACH(8, real64(bits));
	}
}

void dataset_raw_floats(const struct dataset_raw *raw, size_t features,
			size_t sample, float *x)
{
	const unsigned char *from = raw->row[sample];

	if (raw->type == DATASET_U1 && raw->step == 1)
		bytes_as_floats(from, features, raw->factor, x);
	else if (raw->type == DATASET_F4 && raw->step == 4 && !raw->swapped)
		memcpy(x, from, features * sizeof(*x));
	else
		elements_as_floats(raw, from, features, x);
}

int dataset_part_is_finite(const struct dataset_part *part, size_t features,
			   const char *what, struct err *err)
{
	float *x;
	size_t i, j = 0;

	if (part->raw->type < DATASET_F2)
		return 0;
	x = xcalloc(features, sizeof(*x));
	for (i = 0; i < part->samples; i++) {
		dataset_raw_floats(part->raw, features, i, x);
		for (j = 0; j < features && isfinite(x[j]); j++)
			;
		if (j < features)
			break;
	}
	free(x);
	if (i == part->samples)
		return 0;
	return err_set(err, EINVAL,
		       "%s: sample %zu, feature %zu: not a finite number (of "
		       "single precision)",
		       what, i, j);
}
