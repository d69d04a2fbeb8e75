/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The door to oneDNN's matmul, for bf16 and int8.
 */
#include "bench/narrow.h"

#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mat_kind.h"
#include "lib/mem.h"

/* What a primitive was made for. */
struct shape {
	size_t m, n, k, lda, ldb, ldc;
	enum narrow_type a, b;
	enum mat_op ta, tb;
	float beta;
	bool scaled;
};

struct entry {
	struct shape shape;
	dnnl_primitive_desc_t desc;
	dnnl_primitive_t primitive;
	dnnl_memory_t a, b, c, scale;
};

struct narrow {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	struct entry entry[NARROW_SHAPES];
	size_t next; /* to be replaced */
};

static void check(dnnl_status_t status)
{
	if (status != dnnl_success)
		abort(); /* narrow_implementation() said that it can */
}

struct narrow *narrow_new(void)
{
	struct narrow *narrow = xcalloc(1, sizeof(*narrow));

	check(dnnl_engine_create(&narrow->engine, dnnl_cpu, 0));
	check(dnnl_stream_create(&narrow->stream, narrow->engine,
				 dnnl_stream_default_flags));
	return narrow;
}

static void entry_done(struct entry *entry)
{
	dnnl_primitive_destroy(entry->primitive);
	dnnl_primitive_desc_destroy(entry->desc);
	dnnl_memory_destroy(entry->a);
	dnnl_memory_destroy(entry->b);
	dnnl_memory_destroy(entry->c);
	dnnl_memory_destroy(entry->scale);
	memset(entry, 0, sizeof(*entry));
}

void narrow_free(struct narrow *narrow)
{
	if (!narrow)
		return;
	for (size_t i = 0; i < NARROW_SHAPES; i++)
		entry_done(&narrow->entry[i]);
	dnnl_stream_destroy(narrow->stream);
	dnnl_engine_destroy(narrow->engine);
	free(narrow);
}

static dnnl_data_type_t type_of(enum narrow_type type)
{
	switch (type) {
	case NARROW_BF16:
		return dnnl_bf16;
	case NARROW_U8:
		return dnnl_u8;
	default:
		return dnnl_s8;
	}
}

static void matrix(dnnl_memory_desc_t *desc, size_t rows, size_t columns,
		   size_t ld, enum mat_op op, dnnl_data_type_t type)
{
	dnnl_dims_t dims = { (dnnl_dim_t)rows, (dnnl_dim_t)columns };
	dnnl_dims_t strides = { (dnnl_dim_t)ld, 1 };

	if (op == MAT_YES) {
		strides[0] = 1;
		strides[1] = (dnnl_dim_t)ld;
	}
	check(dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides));
}

static dnnl_primitive_attr_t attributes(const struct shape *shape)
{
	const float at_run_time = DNNL_RUNTIME_F32_VAL;
	dnnl_primitive_attr_t attr;
	dnnl_post_ops_t ops;

	check(dnnl_primitive_attr_create(&attr));
	if (shape->scaled)
		check(dnnl_primitive_attr_set_output_scales(attr, 1, 1 << 1,
							    &at_run_time));
	if (shape->beta != 0.0f) {
		check(dnnl_post_ops_create(&ops));
		check(dnnl_post_ops_append_sum(ops, shape->beta));
		check(dnnl_primitive_attr_set_post_ops(attr, ops));
		dnnl_post_ops_destroy(ops);
	}
	return attr;
}

static dnnl_status_t desc_new(dnnl_engine_t engine, const struct shape *shape,
			      dnnl_memory_desc_t *a, dnnl_memory_desc_t *b,
			      dnnl_memory_desc_t *c,
			      dnnl_primitive_desc_t *desc)
{
	dnnl_primitive_attr_t attr = attributes(shape);
	dnnl_matmul_desc_t matmul;
	dnnl_status_t status;

	matrix(a, shape->m, shape->k, shape->lda, shape->ta, type_of(shape->a));
	matrix(b, shape->k, shape->n, shape->ldb, shape->tb, type_of(shape->b));
	matrix(c, shape->m, shape->n, shape->ldc, MAT_NO, dnnl_f32);
	status = dnnl_matmul_desc_init(&matmul, a, b, NULL, c);
	if (status == dnnl_success)
		status = dnnl_primitive_desc_create(desc, &matmul, attr, engine,
						    NULL);
	dnnl_primitive_attr_destroy(attr);
	return status;
}

static void entry_fill(struct narrow *narrow, struct entry *entry,
		       const struct shape *shape)
{
	dnnl_memory_desc_t a, b, c, scale;
	dnnl_dims_t columns = { (dnnl_dim_t)shape->n };

	entry->shape = *shape;
	check(desc_new(narrow->engine, shape, &a, &b, &c, &entry->desc));
	check(dnnl_primitive_create(&entry->primitive, entry->desc));
	check(dnnl_memory_create(&entry->a, &a, narrow->engine,
				 DNNL_MEMORY_NONE));
	check(dnnl_memory_create(&entry->b, &b, narrow->engine,
				 DNNL_MEMORY_NONE));
	check(dnnl_memory_create(&entry->c, &c, narrow->engine,
				 DNNL_MEMORY_NONE));
	check(dnnl_memory_desc_init_by_tag(&scale, 1, columns, dnnl_f32,
					   dnnl_x));
	check(dnnl_memory_create(&entry->scale, &scale, narrow->engine,
				 DNNL_MEMORY_NONE));
}

static bool same(const struct shape *a, const struct shape *b)
{
	return a->m == b->m && a->n == b->n && a->k == b->k &&
	       a->lda == b->lda && a->ldb == b->ldb && a->ldc == b->ldc &&
	       a->a == b->a && a->b == b->b && a->ta == b->ta &&
	       a->tb == b->tb && a->beta == b->beta && a->scaled == b->scaled;
}

static struct entry *entry_of(struct narrow *narrow, const struct shape *shape)
{
	struct entry *entry;

	for (size_t i = 0; i < NARROW_SHAPES; i++)
		if (narrow->entry[i].primitive &&
		    same(&narrow->entry[i].shape, shape))
			return &narrow->entry[i];
	entry = &narrow->entry[narrow->next++ % NARROW_SHAPES];
	entry_done(entry);
	entry_fill(narrow, entry, shape);
	return entry;
}

/* oneDNN's handles are not const, whatever they are read for. */
static void point(dnnl_memory_t memory, const void *at)
{
	union {
		const void *from;
		void *to;
	} cast = { at };

	check(dnnl_memory_set_data_handle(memory, cast.to));
}

/* As many arguments as a product has. */
void narrow_gemm(struct narrow *narrow, /* NOLINT(readability-function-size) */
		 size_t m, size_t n, size_t k, const struct narrow_operand *a,
		 const struct narrow_operand *b, const float *scale, float beta,
		 float *c, size_t ldc)
{
	const struct shape shape = {
		m,       n,       k,     a->ld, b->ld, ldc,
		a->type, b->type, a->op, b->op, beta,  scale != NULL,
	};
	struct entry *entry;

	mat_onednn_single_thread();
	entry = entry_of(narrow, &shape);
	const dnnl_exec_arg_t argument[] = {
		{ DNNL_ARG_SRC, entry->a },
		{ DNNL_ARG_WEIGHTS, entry->b },
		{ DNNL_ARG_DST, entry->c },
		{ DNNL_ARG_ATTR_OUTPUT_SCALES, entry->scale },
	};

	point(entry->a, a->at);
	point(entry->b, b->at);
	point(entry->c, c);
	point(entry->scale, scale);
	check(dnnl_primitive_execute(entry->primitive, narrow->stream,
				     scale ? 4 : 3, argument));
}

/* Without, oneDNN has bf16 by widening (its manual: "emulated"). */
static bool has_bf16(void)
{
	const int bf16 = (int)dnnl_cpu_isa_avx512_core_bf16;

	return ((int)dnnl_get_effective_cpu_isa() & bf16) == bf16;
}

const char *narrow_implementation(enum narrow_type a, enum narrow_type b)
{
	const struct shape shape = { 32,     256,    256,  256,
				     256,    256,    a,    b,
				     MAT_NO, MAT_NO, 0.0f, a != NARROW_BF16 };
	dnnl_memory_desc_t desc_a, desc_b, desc_c;
	static _Thread_local char name[96];
	dnnl_primitive_desc_t desc;
	const char *text = "";
	dnnl_engine_t engine;

	check(dnnl_engine_create(&engine, dnnl_cpu, 0));
	if (desc_new(engine, &shape, &desc_a, &desc_b, &desc_c, &desc) ==
	    dnnl_success) {
		dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0,
					  &text);
		/* Some names have no instructions in them ("gemm:jit"). */
		snprintf(name, sizeof(name), "%s (%s%s)", text,
			 mat_onednn_isa(),
			 a == NARROW_BF16 && !has_bf16() ? "; emulated" : "");
		dnnl_primitive_desc_destroy(desc);
	}
	dnnl_engine_destroy(engine);
	return name[0] ? name : NULL;
}
