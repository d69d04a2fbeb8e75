/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/mat_table.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mat_kind.h"
#include "lib/mem.h"

struct mat_table {
	char cpu[128], kernels[2 * MAT_DESCRIBE_MAX];
	struct mat_choice *choice;
	size_t count, room;
	uint32_t *slot; /* 1 + a choice's index, by its hash; 0: free */
	size_t slots;   /* a power of two, at most half of them taken */
};

struct mat_table *mat_table_new(void)
{
	struct mat_table *table = xcalloc(1, sizeof(*table));

	snprintf(table->cpu, sizeof(table->cpu), "%s", mat_cpu_name());
	snprintf(table->kernels, sizeof(table->kernels), "%s", mat_describe());
	return table;
}

void mat_table_free(struct mat_table *table)
{
	if (!table)
		return;
	free(table->choice);
	free(table->slot);
	free(table);
}

/* ---- looking up --------------------------------------------------------------- */

static size_t hash(const struct mat_shape *shape)
{
	const uint64_t word[] = { shape->m, shape->n, shape->k,
				  (uint64_t)shape->ta * 2 + shape->tb };
	uint64_t h = 0;

	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
		h = (h ^ word[i]) * 0x9e3779b97f4a7c15u; /* 2^64 / φ */
		h ^= h >> 29;
	}
	return (size_t)h;
}

static bool same(const struct mat_shape *a, const struct mat_shape *b)
{
	return a->m == b->m && a->n == b->n && a->k == b->k && a->ta == b->ta &&
	       a->tb == b->tb;
}

/* Where a shape is, or would be. */
static uint32_t *slot_of(const struct mat_table *table,
			 const struct mat_shape *shape)
{
	size_t at = hash(shape);

	for (;; at++) {
		uint32_t *slot = &table->slot[at & (table->slots - 1)];

		if (!*slot || same(&table->choice[*slot - 1].shape, shape))
			return slot;
	}
}

static void grow(struct mat_table *table)
{
	table->room = table->room ? 2 * table->room : 64;
	table->choice =
		xrealloc(table->choice, table->room, sizeof(*table->choice));
	free(table->slot);
	table->slots = 2 * table->room;
	table->slot = xcalloc(table->slots, sizeof(*table->slot));
	for (size_t i = 0; i < table->count; i++)
		*slot_of(table, &table->choice[i].shape) = (uint32_t)i + 1;
}

void mat_table_put(struct mat_table *table, const struct mat_choice *choice)
{
	uint32_t *slot;

	if (!table->choice || table->count == table->room)
		grow(table);
	slot = slot_of(table, &choice->shape);
	if (!*slot)
		*slot = (uint32_t)++table->count;
	table->choice[*slot - 1] = *choice;
}

size_t mat_table_count(const struct mat_table *table)
{
	return table->count;
}

const struct mat_choice *mat_table_at(const struct mat_table *table, size_t i)
{
	return &table->choice[i];
}

const struct mat_choice *mat_table_find(const struct mat_table *table,
					const struct mat_shape *shape)
{
	uint32_t found;

	if (!table->count)
		return NULL;
	found = *slot_of(table, shape);
	return found ? &table->choice[found - 1] : NULL;
}

/* ---- as a document ------------------------------------------------------------- */

static const char *const ops[] = { "plain", "transposed" };

static struct doc *choice_doc(const struct mat_choice *choice)
{
	struct doc *doc = doc_new_object(), *us = doc_new_object();

	doc_set_text(doc, "a", ops[choice->shape.ta]);
	doc_set_text(doc, "b", ops[choice->shape.tb]);
	doc_set_int(doc, "m", (int64_t)choice->shape.m);
	doc_set_int(doc, "n", (int64_t)choice->shape.n);
	doc_set_int(doc, "k", (int64_t)choice->shape.k);
	doc_set_text(doc, "library", mat_library(choice->library)->name);
	for (size_t i = 0; i < MAT_LIBRARIES; i++)
		if (isfinite(choice->us[i]))
			doc_set_real(us, mat_library(i)->name, choice->us[i]);
	doc_set_take(doc, "microseconds", us);
	return doc;
}

struct doc *mat_table_to_doc(const struct mat_table *table)
{
	struct doc *doc = doc_new_object(), *shapes = doc_new_array();

	doc_set_text(doc, "schema", MAT_TABLE_SCHEMA);
	doc_set_text(doc, "cpu", table->cpu);
	doc_set_text(doc, "kernels", table->kernels);
	for (size_t i = 0; i < table->count; i++)
		doc_add_take(shapes, choice_doc(&table->choice[i]));
	doc_set_take(doc, "shapes", shapes);
	return doc;
}

static int read_op(const struct doc *doc, const char *key, enum mat_op *op,
		   struct err *err)
{
	const char *text;

	if (doc_need_text(doc, key, &text, err) < 0)
		return -1;
	*op = strcmp(text, ops[MAT_YES]) == 0 ? MAT_YES : MAT_NO;
	if (strcmp(text, ops[*op]) == 0)
		return 0;
	return err_set(err, EINVAL, "%s '%s': must be plain or transposed", key,
		       text);
}

static int read_size(const struct doc *doc, const char *key, size_t *size,
		     struct err *err)
{
	int64_t value;

	if (doc_need_int(doc, key, &value, err) < 0)
		return -1;
	if (value < 1 || value > (int64_t)MAT_TABLE_SIZE_MAX)
		return err_set(err, EINVAL, "%s %lld: not in 1 … %zu", key,
			       (long long)value, MAT_TABLE_SIZE_MAX);
	*size = (size_t)value;
	return 0;
}

static int read_library(const char *name, size_t *library, struct err *err)
{
	for (*library = 0; *library < MAT_LIBRARIES; ++*library)
		if (strcmp(name, mat_library(*library)->name) == 0)
			return 0;
	err_set(err, EINVAL, "library '%s': unknown", name);
	return err_remedy(err, "there are openblas, onednn, plain");
}

static int read_choice(const struct doc *doc, struct mat_choice *choice,
		       struct err *err)
{
	const struct doc *us;
	const char *name;

	if (read_op(doc, "a", &choice->shape.ta, err) < 0 ||
	    read_op(doc, "b", &choice->shape.tb, err) < 0 ||
	    read_size(doc, "m", &choice->shape.m, err) < 0 ||
	    read_size(doc, "n", &choice->shape.n, err) < 0 ||
	    read_size(doc, "k", &choice->shape.k, err) < 0 ||
	    doc_need_text(doc, "library", &name, err) < 0 ||
	    read_library(name, &choice->library, err) < 0 ||
	    doc_need_object(doc, "microseconds", &us, err) < 0)
		return -1;
	for (size_t i = 0; i < MAT_LIBRARIES; i++)
		choice->us[i] = doc_real(doc_get(us, mat_library(i)->name),
					 (double)NAN);
	return 0;
}

static int read_name(const struct doc *doc, const char *key, char *out,
		     size_t size, struct err *err)
{
	const char *text;

	if (doc_need_text(doc, key, &text, err) < 0)
		return -1;
	if (strlen(text) >= size)
		return err_set(err, EINVAL, "%s: longer than %zu characters",
			       key, size - 1);
	snprintf(out, size, "%s", text);
	return 0;
}

static int read_shapes(struct mat_table *table, const struct doc *doc,
		       struct err *err)
{
	const struct doc *shapes;
	struct mat_choice choice;

	if (read_name(doc, "cpu", table->cpu, sizeof(table->cpu), err) < 0 ||
	    read_name(doc, "kernels", table->kernels, sizeof(table->kernels),
		      err) < 0 ||
	    doc_need_array(doc, "shapes", &shapes, err) < 0)
		return -1;
	if (doc_count(shapes) > MAT_TABLE_MAX)
		return err_set(err, EFBIG, "shapes: %zu are more than %d",
			       doc_count(shapes), MAT_TABLE_MAX);
	for (size_t i = 0; i < doc_count(shapes); i++) {
		if (read_choice(doc_at(shapes, i), &choice, err) < 0)
			return err_wrap(err, "shapes[%zu]", i);
		if (mat_table_find(table, &choice.shape))
			return err_set(err, EINVAL,
				       "shapes[%zu]: is listed twice", i);
		mat_table_put(table, &choice);
	}
	return 0;
}

struct mat_table *mat_table_from_doc(const struct doc *doc, struct err *err)
{
	struct mat_table *table;

	if (!doc_is_schema(doc, MAT_TABLE_SCHEMA)) {
		err_set(err, EINVAL,
			"not a %s document (bench tune writes one)",
			MAT_TABLE_SCHEMA);
		return NULL;
	}
	table = xcalloc(1, sizeof(*table));
	if (read_shapes(table, doc, err) == 0)
		return table;
	mat_table_free(table);
	return NULL;
}

struct mat_table *mat_table_open(const char *path, struct err *err)
{
	struct doc *doc = doc_read(path, err);
	struct mat_table *table;

	if (!doc)
		return NULL;
	table = mat_table_from_doc(doc, err);
	if (!table)
		err_wrap(err, "%s", path);
	doc_free(doc);
	return table;
}

bool mat_table_is_here(const struct mat_table *table,
		       char why[static MAT_TABLE_WHY_MAX])
{
	why[0] = '\0';
	if (strcmp(table->cpu, mat_cpu_name()) != 0)
		snprintf(why, MAT_TABLE_WHY_MAX, "on %s, and this is %s",
			 table->cpu, mat_cpu_name());
	else if (strcmp(table->kernels, mat_describe()) != 0)
		snprintf(why, MAT_TABLE_WHY_MAX, "with %s, and here is %s",
			 table->kernels, mat_describe());
	return !why[0];
}

const char *mat_table_digest(const struct mat_table *table,
			     char out[static DOC_DIGEST_MAX])
{
	struct doc *doc = mat_table_to_doc(table);

	doc_digest(doc, out);
	doc_free(doc);
	return out;
}
