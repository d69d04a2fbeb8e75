/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/vector.h"

struct vector vector_float(const float *x, size_t n)
{
	return (struct vector){ x, NULL, n };
}

struct vector vector_double(const double *x, size_t n)
{
	return (struct vector){ NULL, x, n };
}

void vector_add(double *sum, double scale, const struct vector *x)
{
	if (x->wide)
		for (size_t i = 0; i < x->n; i++)
			sum[i] += scale * x->wide[i];
	else
		for (size_t i = 0; i < x->n; i++)
			sum[i] += scale * (double)x->single[i];
}
