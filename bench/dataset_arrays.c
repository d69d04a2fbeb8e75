/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataset_arrays.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/net.h"
#include "lib/mem.h"

static int array_find(const struct dataset_arrays *arrays, struct dataset *set,
		      const char *name, struct npy *array, struct err *err)
{
	const unsigned char *bytes;
	size_t length;
	int found = arrays->find(arrays->self, set, name, &bytes, &length, err);

	if (found <= 0)
		return found;
	if (npy_parse(array, bytes, length, err) < 0)
		return err_wrap(err, "%s: %s", arrays->place, name);
	return 1;
}

static int array_need(const struct dataset_arrays *arrays, struct dataset *set,
		      const char *name, struct npy *array, struct err *err)
{
	int found = array_find(arrays, set, name, array, err);

	if (found)
		return found < 0 ? -1 : 0;
	err_set(err, ENOENT, "%s: no array %s", arrays->place, name);
	return err_remedy(err, "x and y, or x_train, y_train, x_test and "
			       "y_test");
}

/* ---- features ---------------------------------------------------------------- */

static int features_of(const struct npy *array, size_t *features,
		       struct err *err)
{
	*features = 1;
	if (array->dimensions < 2)
		return err_set(err, EINVAL,
			       "%zu dimensions; expected samples × features",
			       array->dimensions);
	for (size_t d = 1; d < array->dimensions; d++) {
		if (array->size[d] < 1 || array->size[d] > NET_WIDTH_MAX ||
		    *features * array->size[d] > NET_WIDTH_MAX)
			return err_set(err, EINVAL,
				       "a sample has more than %d values, or "
				       "none",
				       NET_WIDTH_MAX);
		*features *= array->size[d];
	}
	if (!array->size[0])
		return err_set(err, EINVAL, "no samples");
	return 0;
}

/* An array in Fortran's order that is the only one is walked in strides.  One
 * of two parts, which must be alike to be pooled, is copied into C's order; and
 * one of more than two dimensions, so that a feature's place does not depend on
 * the order of the file. */
static const unsigned char *in_c_order(struct dataset *set,
				       const struct npy *array)
{
	size_t size = dataset_type_size(array->type);
	size_t index[NPY_DIMENSIONS_MAX] = { 0 };
	unsigned char *copy = xcalloc(array->elements, size);

	dataset_store_take(set, copy);
	for (size_t i = 0; i < array->elements; i++) {
		size_t from = 0;

		for (size_t d = array->dimensions; d-- > 0;)
			from = from * array->size[d] + index[d];
		memcpy(copy + i * size, array->data + from * size, size);
		for (size_t d = array->dimensions;
		     d-- > 0 && ++index[d] == array->size[d];)
			index[d] = 0;
	}
	return copy;
}

static void rows_point(struct dataset *set, struct dataset_part *part,
		       const struct npy *array, size_t features, bool alone)
{
	size_t size = dataset_type_size(array->type), n = array->size[0];
	bool strided = array->fortran && array->dimensions == 2 && alone;
	bool copied = array->fortran && !strided;
	const unsigned char *data =
		copied ? in_c_order(set, array) : array->data;
	struct dataset_raw *raw = dataset_part_raw(part, n, array->type,
						   strided ? n * size : size);

	raw->swapped = array->swapped;
	for (size_t i = 0; i < n; i++)
		raw->row[i] = data + i * size * (strided ? 1 : features);
}

/* ---- labels and users -------------------------------------------------------- */

/* Whole numbers from 0, one a sample. */
static int numbers_read(const struct npy *array, size_t samples, size_t limit,
			uint32_t *number, struct err *err)
{
	size_t size = dataset_type_size(array->type);
	struct dataset_raw raw = { .type = array->type,
				   .swapped = array->swapped,
				   .step = size,
				   .factor = 1.0f };

	if (array->dimensions < 1 || array->size[0] != samples ||
	    array->elements != samples)
		return err_set(err, EINVAL,
			       "%zu values in %zu dimensions; expected one for "
			       "each of %zu samples",
			       array->elements, array->dimensions, samples);
	for (size_t i = 0; i < samples; i++) {
		const unsigned char *at = array->data + i * size;
		float value;

		raw.row = &at;
		dataset_raw_floats(&raw, 1, 0, &value);
		if (!(value >= 0.0f && value < (float)limit) ||
		    value != floorf(value))
			return err_set(err, EINVAL,
				       "sample %zu: %g is no whole number "
				       "from 0 to %zu",
				       i, (double)value, limit - 1);
		number[i] = (uint32_t)value;
	}
	return 0;
}

static void name_of(const char *what, const char *suffix, char name[static 16])
{
	snprintf(name, 16, "%s%s", what, suffix);
}

static int labels_read(const struct dataset_arrays *arrays, struct dataset *set,
		       struct dataset_part *part, const char *suffix,
		       struct err *err)
{
	uint32_t *number = xcalloc(part->samples, sizeof(*number));
	struct npy array = { .data = NULL };
	char name[16];
	int rc;

	name_of("y", suffix, name);
	rc = array_need(arrays, set, name, &array, err);
	if (rc == 0) {
		rc = numbers_read(&array, part->samples, DATASET_CLASSES_MAX,
				  number, err);
		if (rc < 0)
			err_wrap(err, "%s: %s", arrays->place, name);
	}
	for (size_t i = 0; rc == 0 && i < part->samples; i++) {
		part->label[i] = (int32_t)number[i];
		if (number[i] >= set->classes)
			set->classes = number[i] + 1;
	}
	free(number);
	return rc;
}

static int users_read(const struct dataset_arrays *arrays, struct dataset *set,
		      struct dataset_part *part, const char *suffix,
		      struct err *err)
{
	struct npy array = { .data = NULL };
	char name[16];
	int found;

	name_of("user", suffix, name);
	found = array_find(arrays, set, name, &array, err);
	if (found <= 0)
		return found;
	part->user = xcalloc(part->samples, sizeof(*part->user));
	if (numbers_read(&array, part->samples, DATASET_USERS_MAX, part->user,
			 err) < 0)
		return err_wrap(err, "%s: %s", arrays->place, name);
	for (size_t i = 0; i < part->samples; i++)
		if (part->user[i] >= set->users)
			set->users = part->user[i] + 1;
	return 0;
}

/* ---- parts ----------------------------------------------------------------- */

static int part_read(const struct dataset_arrays *arrays, struct dataset *set,
		     struct dataset_part *part, const struct npy *array,
		     const char *suffix, struct err *err)
{
	size_t features;
	char name[16];

	name_of("x", suffix, name);
	if (features_of(array, &features, err) < 0)
		return err_wrap(err, "%s: %s", arrays->place, name);
	if (set->features && set->features != features)
		return err_set(err, EINVAL,
			       "%s: %zu features for training, %zu for testing",
			       arrays->place, set->features, features);
	set->features = features;
	rows_point(set, part, array, features, !*suffix);
	if (dataset_part_is_finite(part, features, name, err) < 0)
		return err_wrap(err, "%s", arrays->place);
	if (labels_read(arrays, set, part, suffix, err) < 0)
		return -1;
	return users_read(arrays, set, part, suffix, err);
}

/* Both parts must say who produced their samples, and be of one form. */
static int parts_agree(const struct dataset_arrays *arrays,
		       const struct dataset *set, struct err *err)
{
	const struct dataset_part *train = &set->train, *test = &set->test;

	if (!train->user != !test->user)
		return err_set(err, EINVAL, "%s: no array %s", arrays->place,
			       train->user ? "user_test" : "user_train");
	if (train->raw->type != test->raw->type ||
	    train->raw->swapped != test->raw->swapped)
		return err_set(err, EINVAL,
			       "%s: x_train and x_test are of different types",
			       arrays->place);
	return 0;
}

int dataset_arrays_read(struct dataset *set,
			const struct dataset_arrays *arrays, struct err *err)
{
	struct npy array = { .data = NULL };
	int found = array_find(arrays, set, "x_train", &array, err);

	if (found < 0)
		return -1;
	if (!found) {
		if (array_need(arrays, set, "x", &array, err) < 0)
			return -1;
		return part_read(arrays, set, &set->train, &array, "", err);
	}
	if (part_read(arrays, set, &set->train, &array, "_train", err) < 0 ||
	    array_need(arrays, set, "x_test", &array, err) < 0 ||
	    part_read(arrays, set, &set->test, &array, "_test", err) < 0)
		return -1;
	return parts_agree(arrays, set, err);
}
