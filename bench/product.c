/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/product.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/net_spec.h"
#include "bench/product_kind.h"
#include "lib/field.h"
#include "lib/mem.h"

#define FAKE_BITS_MIN 2
#define FAKE_BITS_MAX 7

static const struct product_kind *const kinds[PRECISION_KINDS] = {
	[PRECISION_FP32] = &product_kind_fp32,
	[PRECISION_BF16] = &product_kind_bf16,
	[PRECISION_INT8] = &product_kind_int8,
	[PRECISION_FP16] = &product_kind_fp16,
	[PRECISION_FAKE] = &product_kind_fake,
};

static int fake_parse(const char *text, struct precision *precision)
{
	size_t length = strlen(product_kind_fake.name);

	if (strncmp(text, product_kind_fake.name, length) != 0 ||
	    text[length] < '0' + FAKE_BITS_MIN ||
	    text[length] > '0' + FAKE_BITS_MAX || text[length + 1])
		return -1;
	precision->bits = (unsigned int)(text[length] - '0');
	return 0;
}

int precision_parse(const char *text, struct precision *precision,
		    struct err *err)
{
	struct precision made = { .kind = PRECISION_FAKE };

	if (fake_parse(text, &made) == 0) {
		*precision = made;
		return 0;
	}
	for (int i = 0; i < PRECISION_FAKE; i++)
		if (strcmp(text, kinds[i]->name) == 0) {
			*precision = (struct precision){
				.kind = (enum precision_kind)i
			};
			return 0;
		}
	err_set(err, EINVAL, "precision '%s': unknown", text);
	return err_remedy(err, "there are %s", PRECISION_NAMES);
}

const char *precision_name(const struct precision *precision,
			   char out[static PRECISION_NAME_MAX])
{
	if (precision->kind == PRECISION_FAKE)
		snprintf(out, PRECISION_NAME_MAX, "%s%u",
			 product_kind_fake.name, precision->bits);
	else
		snprintf(out, PRECISION_NAME_MAX, "%s",
			 kinds[precision->kind]->name);
	return out;
}

bool precision_saves(const struct precision *precision)
{
	return kinds[precision->kind]->saves;
}

const char *precision_instructions(const struct precision *precision)
{
	return kinds[precision->kind]->instructions();
}

struct product *product_new(struct precision precision, const struct mat *mat,
			    size_t in, size_t out, size_t rows_max,
			    struct err *err)
{
	struct product *product = xcalloc(1, sizeof(*product));

	if (kinds[precision.kind]->not_narrow && out <= NET_NARROW)
		precision = (struct precision){ .kind = PRECISION_FP32 };
	product->kind = kinds[precision.kind];
	product->precision = precision;
	product->mat = mat;
	product->in = in;
	product->out = out;
	product->rows_max = rows_max;
	if (!product->kind->open || product->kind->open(product, err) == 0)
		return product;
	product_free(product);
	return NULL;
}

void product_free(struct product *product)
{
	if (!product)
		return;
	if (product->kind->close)
		product->kind->close(product);
	free(product);
}

void product_weights(struct product *product, const float *w, uint64_t seed)
{
	product->w = w;
	product->fresh = false;
	product->seed = seed;
	product->x = NULL;
}

void product_forward(struct product *product, size_t rows, const float *x,
		     size_t ldx, float *y, size_t ldy)
{
	product->kind->forward(product, rows, x, ldx, y, ldy);
}

void product_input(struct product *product, size_t rows, const float *g,
		   size_t ldg, float *dx, size_t lddx)
{
	product->kind->input(product, rows, g, ldg, dx, lddx);
}

void product_update(struct product *product, size_t rows, const float *x,
		    size_t ldx, const float *g, size_t ldg,
		    const struct backward *to)
{
	product->kind->update(product, rows, x, ldx, g, ldg, to);
}

void product_back(struct product *product, size_t rows, const float *x,
		  const float *g, float *dx, const struct backward *to)
{
	if (rows == 1 && product->kind->row && to->target == product->w) {
		product->kind->row(product, x, g, dx, to);
		return;
	}
	product_input(product, rows, g, product->out, dx, product->in);
	product_update(product, rows, x, product->in, g, product->out, to);
}

void product_forget(struct product *product)
{
	product->x = NULL;
}
