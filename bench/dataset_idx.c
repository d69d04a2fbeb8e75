/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of MNIST and its kin (LeCun's IDX format): a big-endian magic
 * number 00 00 TYPE DIMENSIONS, a 32-bit size per dimension, then bytes.
 * Images have type 8 (unsigned byte) and three dimensions, labels one.
 */
#include "bench/dataset_kind.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/net.h"
#include "lib/mem.h"

#define TYPE_UBYTE 0x08u

struct idx {
	size_t dimensions; /* as asked for: 3 or 1 */
	size_t size[3];
	const unsigned char *data;
};

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

/* How many bytes the header promises behind itself; -1 beyond the limits. */
static int64_t promised(const struct idx *idx, struct err *err)
{
	size_t each = 1;

	for (size_t i = 1; i < idx->dimensions; i++) {
		if (idx->size[i] < 1 || idx->size[i] > NET_WIDTH_MAX ||
		    each * idx->size[i] > NET_WIDTH_MAX)
			return err_set(err, EINVAL,
				       "images of %zu × %zu pixels, expected "
				       "1 … %d",
				       idx->size[1], idx->size[2],
				       NET_WIDTH_MAX);
		each *= idx->size[i];
	}
	if (idx->size[0] < 1)
		return err_set(err, EINVAL, "no samples");
	return (int64_t)(idx->size[0] * each);
}

static int idx_parse(struct idx *idx, const unsigned char *bytes, size_t length,
		     struct err *err)
{
	size_t head = 4 + 4 * idx->dimensions;
	int64_t wanted;

	if (length >= 4 &&
	    magic_check(big_endian(bytes), idx->dimensions, err) < 0)
		return -1;
	if (length < head)
		return err_set(err, EINVAL, "truncated: no header");
	for (size_t i = 0; i < idx->dimensions; i++)
		idx->size[i] = big_endian(bytes + 4 + 4 * i);
	wanted = promised(idx, err);
	if (wanted < 0)
		return -1;
	idx->data = bytes + head;
	length -= head;
	if (length > (size_t)wanted)
		return err_set(err, EINVAL,
			       "longer than the %zu bytes that its header "
			       "promises",
			       (size_t)wanted);
	if (length < (size_t)wanted)
		return err_set(err, EINVAL,
			       "truncated: %zu bytes where its header "
			       "promises %zu",
			       length, (size_t)wanted);
	return 0;
}

static int idx_read(struct dataset *set, const char *folder, const char *prefix,
		    size_t dimensions, struct idx *idx, struct err *err)
{
	char *path = xasprintf("%s/%s-%s-ubyte", folder, prefix,
			       dimensions == 3 ? "images-idx3" : "labels-idx1");
	const unsigned char *bytes;
	size_t length;
	int rc = -1;

	*idx = (struct idx){ .dimensions = dimensions };
	bytes = dataset_file(set, path, &length, err);
	if (bytes) {
		rc = idx_parse(idx, bytes, length, err);
		if (rc < 0)
			err_wrap(err, "%s", path);
	}
	free(path);
	return rc;
}

static void part_fill(struct dataset *set, struct dataset_part *part,
		      const struct idx *images, const struct idx *labels)
{
	size_t features = images->size[1] * images->size[2];
	struct dataset_raw *raw =
		dataset_part_raw(part, images->size[0], DATASET_U1, 1);

	assert(labels->data);
	for (size_t i = 0; i < part->samples; i++) {
		raw->row[i] = images->data + i * features;
		part->label[i] = labels->data[i];
		if (set->classes <= labels->data[i])
			set->classes = labels->data[i] + 1u;
	}
}

static int part_read(struct dataset *set, struct dataset_part *part,
		     const char *folder, const char *prefix, struct err *err)
{
	struct idx images, labels;
	size_t features;

	if (idx_read(set, folder, prefix, 3, &images, err) < 0 ||
	    idx_read(set, folder, prefix, 1, &labels, err) < 0)
		return -1;
	if (images.size[0] != labels.size[0])
		return err_set(err, EINVAL, "%s: %zu %s images but %zu labels",
			       folder, images.size[0], prefix, labels.size[0]);
	features = images.size[1] * images.size[2];
	if (set->features && set->features != features)
		return err_set(err, EINVAL,
			       "%s: %zu pixels for training, %zu for testing",
			       folder, set->features, features);
	set->features = features;
	part_fill(set, part, &images, &labels);
	return 0;
}

static int idx_set_read(struct dataset *set, const char *folder,
			const struct dataset_options *options, struct err *err)
{
	(void)options;
	if (access(folder, F_OK) < 0)
		return err_sys(err, "folder %s", folder);
	if (part_read(set, &set->train, folder, "train", err) < 0)
		return -1;
	return part_read(set, &set->test, folder, "t10k", err);
}

const struct dataset_kind dataset_kind_idx = {
	.scheme = "idx",
	.form = "idx:DIR",
	.fields = dataset_fields,
	.scale = DATASET_SCALE_UNIT,
	.read = idx_set_read,
};
