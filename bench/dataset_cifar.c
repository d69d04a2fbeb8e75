/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CIFAR-10 and CIFAR-100 in their binary form (Krizhevsky, "Learning multiple
 * layers of features from tiny images", 2009): records of 1 or 2 label bytes
 * and 3 × 32 × 32 pixels.  CIFAR-10 has data_batch_1.bin … and test_batch.bin,
 * CIFAR-100 train.bin and test.bin with a coarse and a fine label.
 */
#include "bench/dataset_kind.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/mem.h"

#define PIXELS      (3u * 32u * 32u)
#define BATCHES_MAX 100

struct form {
	size_t labels;  /* bytes before the pixels */
	size_t label;   /* which of them counts */
	size_t classes; /* it is below */
};

struct records {
	const unsigned char *bytes;
	size_t count;
};

static int file_read(struct dataset *set, const char *path,
		     const struct form *form, struct records *records,
		     struct err *err)
{
	size_t record = form->labels + PIXELS, length;

	records->bytes = dataset_file(set, path, &length, err);
	if (!records->bytes)
		return -1;
	records->count = length / record;
	if (!length)
		return err_set(err, EINVAL, "%s: no samples", path);
	if (length % record)
		return err_set(err, EINVAL,
			       "%s: %zu bytes are no whole number of records "
			       "of %zu (truncated, or no CIFAR-%s?)",
			       path, length, record,
			       form->labels == 1 ? "10" : "100");
	for (size_t i = 0; i < records->count; i++) {
		unsigned int label = records->bytes[i * record + form->label];

		if (label >= form->classes)
			return err_set(err, EINVAL,
				       "%s: record %zu: label %u, expected 0 "
				       "… %zu",
				       path, i, label, form->classes - 1);
	}
	return 0;
}

static void part_fill(struct dataset_part *part, const struct form *form,
		      const struct records *records, size_t files)
{
	size_t record = form->labels + PIXELS, samples = 0, n = 0;
	struct dataset_raw *raw;

	for (size_t f = 0; f < files; f++)
		samples += records[f].count;
	raw = dataset_part_raw(part, samples, DATASET_U1, 1);
	for (size_t f = 0; f < files; f++)
		for (size_t i = 0; i < records[f].count; i++, n++) {
			const unsigned char *at = records[f].bytes + i * record;

			raw->row[n] = at + form->labels;
			part->label[n] = at[form->label];
		}
}

static int single_read(struct dataset *set, struct dataset_part *part,
		       const char *folder, const char *name,
		       const struct form *form, struct err *err)
{
	char *path = xasprintf("%s/%s", folder, name);
	struct records records;
	int rc = file_read(set, path, form, &records, err);

	free(path);
	if (rc == 0)
		part_fill(part, form, &records, 1);
	return rc;
}

/* data_batch_1.bin and those behind it, as far as they are there. */
static int batches_read(struct dataset *set, const char *folder,
			const struct form *form, struct err *err)
{
	struct records records[BATCHES_MAX];
	size_t files = 0;
	int more = 1, rc = 0;

	while (more && rc == 0 && files < BATCHES_MAX) {
		char *path =
			xasprintf("%s/data_batch_%zu.bin", folder, files + 1);

		more = files == 0 || dataset_file_exists(path);
		if (more)
			rc = file_read(set, path, form, &records[files++], err);
		free(path);
	}
	if (rc == 0)
		part_fill(&set->train, form, records, files);
	return rc;
}

static int cifar_read(struct dataset *set, const char *folder,
		      const struct dataset_options *options, struct err *err)
{
	static const struct form ten = { 1, 0, 10 }, hundred = { 2, 1, 100 },
				 coarse = { 2, 0, 20 };
	const struct form *form = options->coarse ? &coarse : &hundred;
	char *train = xasprintf("%s/train.bin", folder);
	bool is_hundred = dataset_file_exists(train);

	free(train);
	if (access(folder, F_OK) < 0)
		return err_sys(err, "folder %s", folder);
	set->features = PIXELS;
	if (is_hundred) {
		set->classes = form->classes;
		if (single_read(set, &set->train, folder, "train.bin", form,
				err) < 0)
			return -1;
		return single_read(set, &set->test, folder, "test.bin", form,
				   err);
	}
	set->classes = ten.classes;
	if (batches_read(set, folder, &ten, err) < 0)
		return -1;
	return single_read(set, &set->test, folder, "test_batch.bin", &ten,
			   err);
}

/* clang-format off */
static const struct field fields[] = {
	DATASET_FIELDS,
	{ "coarse", FIELD_BOOL, offsetof(struct dataset_options, coarse),
	  .initial = NULL },
	FIELD_END
};
/* clang-format on */

const struct dataset_kind dataset_kind_cifar = {
	.scheme = "cifar",
	.form = "cifar:DIR",
	.fields = fields,
	.scale = DATASET_SCALE_UNIT,
	.read = cifar_read,
};
