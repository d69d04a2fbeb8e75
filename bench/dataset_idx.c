/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of MNIST and its kin (LeCun's IDX format): a big-endian magic
 * number 00 00 TYPE DIMENSIONS, a 32-bit size per dimension, then bytes.
 * Images have type 8 (unsigned byte) and three dimensions, labels one.
 */
#include "bench/dataset_kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/mem.h"

#define TYPE_UBYTE 0x08u
#define SIDE_MAX   65536u
#define READ_BYTES ((size_t)1 << 20)

struct idx {
	size_t dimensions; /* as asked for: 3 or 1 */
	size_t size[3];
	unsigned char *data;
};

/* Bytes, or -1.  A file that ends within a gzip stream is an error too. */
static ssize_t bytes_read(gzFile file, void *out, size_t size, struct err *err)
{
	int got = gzread(file, out, (unsigned int)size), code;
	const char *why;

	if (got >= 0)
		return got;
	why = gzerror(file, &code);
	if (code == Z_ERRNO)
		return err_sys(err, "read");
	if (code == Z_BUF_ERROR)
		return err_set(err, EINVAL,
			       "truncated: the compressed data "
			       "end too early");
	return err_set(err, EINVAL, "damaged: %s", why);
}

static uint32_t big_endian(const unsigned char *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static int magic_check(uint32_t magic, size_t dimensions, struct err *err)
{
	uint32_t wanted = TYPE_UBYTE << 8 | (uint32_t)dimensions;

	if (magic == wanted)
		return 0;
	err_set(err, EINVAL, "wrong magic 0x%08x, expected 0x%08x", magic,
		wanted);
	if (magic >> 8 == TYPE_UBYTE)
		return err_remedy(err, "images and labels mixed up?");
	return err_remedy(err, "is it an IDX file of %s?",
			  dimensions == 3 ? "images" : "labels");
}

static int header_read(gzFile file, struct idx *idx, struct err *err)
{
	unsigned char head[16];
	size_t length = 4 + 4 * idx->dimensions;
	ssize_t got = bytes_read(file, head, length, err);

	if (got < 0)
		return -1;
	if (got < 4)
		return err_set(err, EINVAL, "truncated: no header");
	if (magic_check(big_endian(head), idx->dimensions, err) < 0)
		return -1;
	if ((size_t)got < length)
		return err_set(err, EINVAL, "truncated: no header");
	for (size_t i = 0; i < idx->dimensions; i++)
		idx->size[i] = big_endian(head + 4 + 4 * i);
	return 0;
}

/* How many bytes the header promises; -1 beyond the limits. */
static int64_t promised(const struct idx *idx, struct err *err)
{
	size_t each = 1;

	for (size_t i = 1; i < idx->dimensions; i++) {
		if (idx->size[i] < 1 || idx->size[i] > SIDE_MAX)
			return err_set(err, EINVAL,
				       "images of %zu × %zu pixels",
				       idx->size[1], idx->size[2]);
		each *= idx->size[i];
	}
	if (idx->size[0] < 1)
		return err_set(err, EINVAL, "no samples");
	if (idx->size[0] > DATASET_FLOATS_MAX / each)
		return err_set(err, EFBIG,
			       "%zu samples of %zu values: more than the limit "
			       "of %zu",
			       idx->size[0], each, DATASET_FLOATS_MAX);
	return (int64_t)(idx->size[0] * each);
}

/* Memory grows with what the file has, not with what its header says. */
static int data_read(gzFile file, struct idx *idx, struct err *err)
{
	int64_t length = promised(idx, err);
	size_t have = 0, capacity = 0;
	ssize_t got;

	if (length < 0)
		return -1;
	do {
		/* One byte more than promised shows a file that is too long. */
		idx->data =
			mem_grow(idx->data, &capacity, have + READ_BYTES, 1);
		got = bytes_read(file, idx->data + have, READ_BYTES, err);
		if (got < 0)
			return -1;
		have += (size_t)got;
	} while (got > 0 && have <= (size_t)length);
	if (have == (size_t)length)
		return 0;
	if (have > (size_t)length)
		return err_set(err, EINVAL,
			       "longer than the %zu bytes that its header "
			       "promises",
			       (size_t)length);
	return err_set(err, EINVAL,
		       "truncated: %zu bytes where its header promises %zu",
		       have, (size_t)length);
}

static int file_read(gzFile file, struct idx *idx, struct err *err)
{
	if (header_read(file, idx, err) < 0)
		return -1;
	return data_read(file, idx, err);
}

/* DIR/NAME, or DIR/NAME.gz where that is missing. */
static gzFile file_open(const char *folder, const char *name, struct err *err)
{
	char *plain = xasprintf("%s/%s", folder, name);
	char *packed = xasprintf("%s.gz", plain);
	gzFile file = NULL;

	if (access(plain, F_OK) == 0) {
		file = gzopen(plain, "rbe");
		if (!file)
			err_sys(err, "open %s", plain);
	} else {
		file = gzopen(packed, "rbe");
		if (!file)
			err_sys(err, "open %s[.gz]", plain);
	}
	free(plain);
	free(packed);
	return file;
}

static int idx_read(const char *folder, const char *name, size_t dimensions,
		    struct idx *idx, struct err *err)
{
	gzFile file = file_open(folder, name, err);
	int rc;

	*idx = (struct idx){ .dimensions = dimensions };
	if (!file)
		return -1;
	gzbuffer(file, READ_BYTES / 4);
	rc = file_read(file, idx, err);
	gzclose_r(file);
	if (rc == 0)
		return 0;
	free(idx->data);
	idx->data = NULL;
	return err_wrap(err, "%s/%s", folder, name);
}

/* Pixels 0 … 255 become 0 … 1. */
static int part_fill(struct dataset_part *part, const struct idx *images,
		     const struct idx *labels, struct err *err)
{
	size_t features = images->size[1] * images->size[2];
	float scaled[256];

	if (dataset_part_new(part, images->size[0], features, err) < 0)
		return -1;
	for (int i = 0; i < 256; i++)
		scaled[i] = (float)i / 255.0f;
	for (size_t i = 0; i < part->samples * features; i++)
		part->x[i] = scaled[images->data[i]];
	for (size_t i = 0; i < part->samples; i++)
		part->label[i] = labels->data[i];
	return 0;
}

static int part_read(struct dataset *set, struct dataset_part *part,
		     const char *folder, const char *prefix, struct err *err)
{
	char *image_name = xasprintf("%s-images-idx3-ubyte", prefix);
	char *label_name = xasprintf("%s-labels-idx1-ubyte", prefix);
	struct idx images = { .data = NULL }, labels = { .data = NULL };
	int rc = -1;

	if (idx_read(folder, image_name, 3, &images, err) < 0 ||
	    idx_read(folder, label_name, 1, &labels, err) < 0)
		goto out;
	if (images.size[0] != labels.size[0]) {
		err_set(err, EINVAL, "%s: %zu %s images but %zu labels", folder,
			images.size[0], prefix, labels.size[0]);
		goto out;
	}
	rc = part_fill(part, &images, &labels, err);
	if (rc == 0 && !set->features)
		set->features = images.size[1] * images.size[2];
	if (rc == 0 && set->features != images.size[1] * images.size[2])
		rc = err_set(err, EINVAL,
			     "%s: %zu pixels for training, %zu for testing",
			     folder, set->features,
			     images.size[1] * images.size[2]);
out:
	free(images.data);
	free(labels.data);
	free(image_name);
	free(label_name);
	return rc;
}

static size_t classes_of(const struct dataset_part *part)
{
	size_t classes = 0;

	for (size_t i = 0; i < part->samples; i++)
		if ((size_t)part->label[i] >= classes)
			classes = (size_t)part->label[i] + 1;
	return classes;
}

static int idx_set_read(struct dataset *set, const char *folder, uint64_t seed,
			struct err *err)
{
	size_t tested;

	(void)seed;
	if (access(folder, F_OK) < 0)
		return err_sys(err, "folder %s", folder);
	if (part_read(set, &set->train, folder, "train", err) < 0 ||
	    part_read(set, &set->test, folder, "t10k", err) < 0)
		return -1;
	set->classes = classes_of(&set->train);
	tested = classes_of(&set->test);
	if (set->classes < tested)
		set->classes = tested;
	if (set->classes < 2)
		return err_set(err, EINVAL, "%s: all labels are 0", folder);
	return 0;
}

const struct dataset_kind dataset_kind_idx = {
	.scheme = "idx",
	.form = "idx:DIR",
	.read = idx_set_read,
};
