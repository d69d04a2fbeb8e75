/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/mat.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mat_kind.h"
#include "bench/mat_table.h"
#include "lib/field.h"
#include "lib/mem.h"

struct mat {
	const char *name;
	const struct mat_kind *kind; /* NULL: by rule, in tiles */
	struct pool *pool;
	const struct mat_table *table; /* or NULL */
	mat_listener *heard;           /* or NULL */
	void *listener;
};

static const struct mat mats[] = {
	{ .name = "auto" },
	{ .name = "openblas", .kind = &mat_kind_openblas },
	{ .name = "onednn", .kind = &mat_kind_onednn },
	{ .name = "plain", .kind = &mat_kind_plain },
};
#define MATS (sizeof(mats) / sizeof(mats[0]))

static enum mat_cpu here;

static void open_all(void)
{
	here = mat_cpu_here();
	for (size_t i = 0; i < MATS; i++)
		if (mats[i].kind && mats[i].kind->open)
			mats[i].kind->open();
}

static int unknown_kind(const char *kind, struct err *err)
{
	const char *names[MATS + 1] = { NULL };
	const char *near;

	for (size_t i = 0; i < MATS; i++)
		names[i] = mats[i].name;
	near = field_nearest(kind, names);
	err_set(err, EINVAL, "matrix library '%s': unknown", kind);
	if (near)
		return err_remedy(err, "did you mean %s?", near);
	return err_remedy(err, "there are auto, openblas, onednn, plain");
}

static void open_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, open_all);
}

const struct mat *mat_open(const char *kind, struct err *err)
{
	for (size_t i = 0; i < MATS; i++) {
		if (strcmp(mats[i].name, kind) != 0)
			continue;
		open_once();
		return &mats[i];
	}
	unknown_kind(kind, err);
	return NULL;
}

struct mat *mat_new(struct pool *pool, const struct mat_table *table)
{
	struct mat *mat = xcalloc(1, sizeof(*mat));

	open_once();
	mat->name = mats[0].name;
	mat->pool = pool;
	mat->table = table;
	return mat;
}

void mat_listen(struct mat *mat, mat_listener *heard, void *context)
{
	mat->heard = heard;
	mat->listener = context;
}

void mat_free(struct mat *mat)
{
	free(mat);
}

struct pool *mat_pool(const struct mat *mat)
{
	return mat->pool;
}

size_t mat_threads(const struct mat *mat)
{
	return mat->pool ? pool_threads(mat->pool) : 1;
}

const char *mat_name(const struct mat *mat)
{
	return mat->name;
}

/* As the table has it; NULL where it does not. */
static const struct mat_kind *listed(const struct mat *mat, enum mat_op ta,
				     enum mat_op tb, size_t m, size_t n,
				     size_t k)
{
	const struct mat_shape shape = { ta, tb, m, n, k };
	const struct mat_choice *choice =
		mat->table ? mat_table_find(mat->table, &shape) : NULL;

	return choice ? mat_library(choice->library) : NULL;
}

static const struct mat_kind *pick(const struct mat *mat, enum mat_op ta,
				   enum mat_op tb, size_t m, size_t n, size_t k)
{
	const struct mat_kind *kind =
		mat->kind ? mat->kind : listed(mat, ta, tb, m, n, k);

	return kind ? kind : mat_rule_pick(here, ta, tb, m, n, k);
}

const struct mat_kind *mat_library(size_t i)
{
	return mats[1 + i].kind;
}

const char *mat_rule(const struct mat *mat, enum mat_op ta, enum mat_op tb,
		     size_t m, size_t n, size_t k)
{
	return pick(mat, ta, tb, m, n, k)->name;
}

/* ---- tiles ----------------------------------------------------------------- */

/* Multiplications of a tile at least, the operands' way through the caches
 * counted as TOUCH of them for each value: about 10 µs, several times what it
 * takes to hand a tile to another thread. */
#define TILE_WORK ((double)(1 << 19))
#define TOUCH     4.0
#define TILES_MAX 8

/* How many tiles of at least `least` rows or columns: a power of two. */
static size_t tiles_of(double work, size_t length, size_t least)
{
	size_t tiles = 1;

	while (tiles < TILES_MAX && work >= 2.0 * (double)tiles * TILE_WORK &&
	       length >= 2 * tiles * least)
		tiles *= 2;
	return tiles;
}

static size_t tile_length(size_t length, size_t tiles, size_t unit)
{
	return ((length + tiles - 1) / tiles + unit - 1) / unit * unit;
}

/* Rows cost nothing: 0.97 to 1.02 of the time of the whole product in 2, 4 and
 * 8 tiles on one thread (EPYC, family 25 model 17, the products of the nets in
 * `make bench-step`), but with B transposed 0.9 to 2.1; there columns take 0.68
 * to 1.02 in 2 and 4 tiles.  Columns of a few rows: 0.96 in 128s. */
struct mat_cut mat_cut(enum mat_op tb, size_t m, size_t n, size_t k)
{
	double dm = (double)m, dn = (double)n, dk = (double)k;
	double work = dm * dn * dk + TOUCH * (dm * dn + dm * dk + dn * dk);
	struct mat_cut cut = { 1, m, n };

	if (tb == MAT_NO && m >= 16) {
		cut.tiles = tiles_of(work, m, 8);
		cut.rows = tile_length(m, cut.tiles, 8);
		cut.tiles = (m + cut.rows - 1) / cut.rows;
	} else {
		cut.tiles = tiles_of(work, n, tb == MAT_NO ? 128 : 64);
		cut.columns = tile_length(n, cut.tiles, 16);
		cut.tiles = (n + cut.columns - 1) / cut.columns;
	}
	return cut;
}

struct cutting {
	const struct mat *mat;
	const struct mat_product *whole;
	const struct mat_kind *kind; /* of tiles that the table does not list,
					or NULL: by rule */
	struct mat_cut cut;
};

static void one_tile(void *context, size_t worker, size_t tile)
{
	const struct cutting *cutting = context;
	const struct mat_cut *cut = &cutting->cut;
	struct mat_product p = *cutting->whole;
	size_t across = (p.n + cut->columns - 1) / cut->columns;
	size_t i = tile / across * cut->rows, j = tile % across * cut->columns;
	const struct mat_kind *kind;

	(void)worker;
	p.a += p.ta == MAT_YES ? i : i * p.lda;
	p.b += p.tb == MAT_YES ? j * p.ldb : j;
	p.c += i * p.ldc + j;
	p.m = p.m - i < cut->rows ? p.m - i : cut->rows;
	p.n = p.n - j < cut->columns ? p.n - j : cut->columns;
	kind = listed(cutting->mat, p.ta, p.tb, p.m, p.n, p.k);
	if (!kind)
		kind = cutting->kind;
	if (!kind)
		kind = mat_rule_pick(here, p.ta, p.tb, p.m, p.n, p.k);
	if (cutting->mat->heard)
		cutting->mat->heard(cutting->mat->listener, &p);
	kind->gemm(&p);
}

/* A whole product that plain loops serve best is one that no cache holds; its
 * tiles are still that. */
static void by_tiles(const struct mat *mat, const struct mat_product *p)
{
	const struct mat_kind *kind = pick(mat, p->ta, p->tb, p->m, p->n, p->k);
	struct cutting cutting = {
		.mat = mat,
		.whole = p,
		.kind = kind == &mat_kind_plain ? kind : NULL,
		.cut = mat_cut(p->tb, p->m, p->n, p->k),
	};

	if (cutting.cut.tiles > 1) {
		pool_run(mat->pool, cutting.cut.tiles, one_tile, &cutting);
		return;
	}
	if (mat->heard)
		mat->heard(mat->listener, p);
	kind->gemm(p);
}

/* As many arguments as BLAS has. */
void mat_gemm(const struct mat *mat, /* NOLINT(readability-function-size) */
	      enum mat_op ta, enum mat_op tb, size_t m, size_t n, size_t k,
	      float alpha, const float *a, size_t lda, const float *b,
	      size_t ldb, float beta, float *c, size_t ldc)
{
	const struct mat_product product = {
		ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc,
	};

	if (!m || !n)
		return;
	if (mat->kind)
		mat->kind->gemm(&product);
	else
		by_tiles(mat, &product);
}

const char *mat_describe(void)
{
	static char text[2 * MAT_DESCRIBE_MAX + 2];
	char onednn[MAT_DESCRIBE_MAX], openblas[MAT_DESCRIBE_MAX];

	if (text[0])
		return text;
	mat_kind_onednn.describe(onednn, sizeof(onednn));
	mat_kind_openblas.describe(openblas, sizeof(openblas));
	snprintf(text, sizeof(text), "%s, %s", onednn, openblas);
	return text;
}
