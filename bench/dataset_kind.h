/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dataset_kind -- how one form of data set is read.
 *
 * A kind is a file dataset_KIND.c that exports one `struct dataset_kind`, and
 * a line in the table in dataset.c; tests/unit/test_dataset.c runs over it.
 *
 * A kind makes the training part, and the test part where the files have one;
 * dataset.c then holds out a share where there is none, scales, and checks.
 *
 * Laws: every label is below `classes`; both parts have samples; every feature
 * is finite; the same text and seed give the same bits.  A size that comes from
 * a file is checked before memory is taken, and data are read before room is
 * made for what a header merely promises.
 */
#ifndef BENCH_DATASET_KIND_H
#define BENCH_DATASET_KIND_H

#include <stdbool.h>

#include "bench/dataset.h"
#include "lib/err.h"
#include "lib/field.h"

enum dataset_scale {
	DATASET_SCALE_USUAL, /* what the kind says */
	DATASET_SCALE_NONE,
	DATASET_SCALE_UNIT,
	DATASET_SCALE_STANDARD,
};

/* What stands behind '?'. */
struct dataset_options {
	int scale;          /* enum dataset_scale */
	double test;        /* share to hold out; 0: as the files have it */
	char *label, *user; /* columns: a name, a number from 1 or "last" */
	int missing, header;
	bool coarse; /* cifar: the 20 classes above the 100 */
	uint64_t seed;
};

enum { DATASET_MISSING_REFUSE, DATASET_MISSING_DROP };
enum { DATASET_HEADER_AUTO, DATASET_HEADER_YES, DATASET_HEADER_NO };

struct dataset_kind {
	const char *scheme; /* "idx" */
	const char *form;   /* "idx:DIR" */
	const struct field *fields;
	enum dataset_scale scale; /* where none is asked for */
	double test;              /* share held out where there is no part */
	/* Fill `set`, which is zeroed.  On an error dataset_open() frees what
	 * is there. */
	int (*read)(struct dataset *set, const char *place,
		    const struct dataset_options *options, struct err *err);
};

extern const struct dataset_kind dataset_kind_idx, dataset_kind_csv,
	dataset_kind_tsv, dataset_kind_npy, dataset_kind_npz,
	dataset_kind_cifar, dataset_kind_leaf, dataset_kind_heart,
	dataset_kind_har, dataset_kind_synthetic;

/* The parameters that every kind takes, for its table of fields. */
#define DATASET_FIELDS                                                      \
	{ "scale", FIELD_CHOICE, offsetof(struct dataset_options, scale),   \
	  .choices = dataset_scales },                                      \
	{                                                                   \
		"test", FIELD_REAL, offsetof(struct dataset_options, test), \
			.max = 0.9                                          \
	}
extern const char *const dataset_scales[];
extern const struct field dataset_fields[]; /* these alone */

/* ---- rows as floats -------------------------------------------------------- */

/* Room for samples × features; EFBIG beyond DATASET_FLOATS_MAX. */
int dataset_part_new(struct dataset_part *part, size_t samples, size_t features,
		     struct err *err);
void dataset_part_done(struct dataset_part *part);

/* ---- rows as files have them ------------------------------------------------- */

/* Elements as NumPy names them, without the byte order. */
enum dataset_type {
	DATASET_U1,
	DATASET_I1,
	DATASET_U2,
	DATASET_I2,
	DATASET_U4,
	DATASET_I4,
	DATASET_U8,
	DATASET_I8,
	DATASET_F2,
	DATASET_F4,
	DATASET_F8,
};
size_t dataset_type_size(enum dataset_type type);

/* One row's features stand `step` bytes apart behind row[i]. */
struct dataset_raw {
	enum dataset_type type;
	bool swapped; /* the other byte order */
	size_t step;
	const unsigned char **row;
	float factor;        /* of every element, 1 or 1/255 */
	const float *centre; /* of each feature, then × scale; or NULL */
	const float *scale;
};

/* Bounded, so that what is finite stays so. */
static inline float dataset_changed(float x, float centre, float scale)
{
	const float bound = 1e30f;
	float y = (x - centre) * scale;

	return y > bound ? bound : y < -bound ? -bound : y;
}

/* Rows to be filled in: row[] and labels. */
struct dataset_raw *dataset_part_raw(struct dataset_part *part, size_t samples,
				     enum dataset_type type, size_t step);
/* Rows as floats, × factor, neither centred nor scaled. */
void dataset_raw_floats(const struct dataset_raw *raw, size_t features,
			size_t sample, float *x);
/* EINVAL with the first that is not finite as a float. */
int dataset_part_is_finite(const struct dataset_part *part, size_t features,
			   const char *what, struct err *err);

/* ---- what rows point into: freed, or unmapped, with the set ------------------ */

/* The bytes of a file: mapped where it is plain, else unpacked.  Errors name
 * it.  `path` as it is, or with .gz or .xz behind it. */
const unsigned char *dataset_file(struct dataset *set, const char *path,
				  size_t *length, struct err *err);
/* Is there such a file, as it is or packed? */
bool dataset_file_exists(const char *path);
/* `path`, or where that is missing path.gz or path.xz; yours to free(). */
char *dataset_file_path(const char *path);
/* Memory that is freed with the set. */
void dataset_store_take(struct dataset *set, void *memory);
void dataset_store_done(struct dataset *set);

/* ---- for dataset.c ------------------------------------------------------------ */

/* Pool both parts, then hold out a share. */
int dataset_split(struct dataset *set, double share, uint64_t seed,
		  struct err *err);
void dataset_rescale(struct dataset *set, enum dataset_scale scale);

#endif
