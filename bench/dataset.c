/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/dataset_kind.h"
#include "lib/field.h"
#include "lib/mem.h"

#define FASHION_MNIST        "fashion-mnist"
#define FASHION_MNIST_DEBIAN "/usr/share/datasets/fashion-mnist"

static const struct dataset_kind *const kinds[] = {
	&dataset_kind_idx,
	&dataset_kind_csv,
	&dataset_kind_synthetic,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const char *fashion_mnist_folder(void)
{
	const char *folder = getenv("FEDWATTS_FASHION_MNIST");

	return folder && *folder ? folder : FASHION_MNIST_DEBIAN;
}

const char *dataset_fashion_mnist(void)
{
	const char *folder = fashion_mnist_folder();
	char *plain = xasprintf("%s/train-images-idx3-ubyte", folder);
	char *packed = xasprintf("%s.gz", plain);
	int found = access(plain, R_OK) == 0 || access(packed, R_OK) == 0;

	free(plain);
	free(packed);
	return found ? folder : NULL;
}

int dataset_part_new(struct dataset_part *part, size_t samples, size_t features,
		     struct err *err)
{
	if (features == 0 || samples == 0)
		return err_set(err, EINVAL, "no samples");
	if (samples > DATASET_FLOATS_MAX / features)
		return err_set(err, EFBIG,
			       "%zu samples of %zu features: more than the "
			       "limit of %zu values",
			       samples, features, DATASET_FLOATS_MAX);
	part->x = xcalloc_aligned(samples * features, sizeof(*part->x));
	part->label = xcalloc(samples, sizeof(*part->label));
	part->samples = samples;
	return 0;
}

void dataset_free(struct dataset *set)
{
	if (!set)
		return;
	free(set->train.x);
	free(set->train.label);
	free(set->test.x);
	free(set->test.label);
	free(set);
}

/* "idx" of "idx:DIR", or -1. */
static int kind_of(const char *text)
{
	const char *colon = strchr(text, ':');

	for (size_t i = 0; colon && i < KINDS; i++)
		if (strlen(kinds[i]->scheme) == (size_t)(colon - text) &&
		    strncmp(kinds[i]->scheme, text, (size_t)(colon - text)) ==
			    0)
			return (int)i;
	return -1;
}

static int unknown(const char *text, struct err *err)
{
	const char *names[KINDS + 2] = { FASHION_MNIST }, *near;
	char word[32];

	for (size_t i = 0; i < KINDS; i++)
		names[i + 1] = kinds[i]->scheme;
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, ":"), text);
	near = field_nearest(word, names);
	err_set(err, EINVAL, "data set '%s': unknown", text);
	if (near)
		return err_remedy(err, "did you mean %s%s?", near,
				  near == names[0] ? "" : ":…");
	return err_remedy(err, "there are fashion-mnist, idx:DIR, csv:FILE, "
			       "synthetic:NxDxC");
}

static int fashion_mnist_read(struct dataset *set, uint64_t seed,
			      struct err *err)
{
	struct err why = { .code = 0 };

	if (dataset_kind_idx.read(set, fashion_mnist_folder(), seed, &why) == 0)
		return 0;
	err_set(err, why.code, "data set " FASHION_MNIST ": %s", why.text);
	if (why.code == ENOENT)
		err_remedy(err, "apt-get install dataset-fashion-mnist, or "
				"say where it is: FEDWATTS_FASHION_MNIST=DIR");
	return -1;
}

struct dataset *dataset_open(const char *text, uint64_t seed, struct err *err)
{
	struct dataset *set;
	int kind = kind_of(text), rc;

	if (kind < 0 && strcmp(text, FASHION_MNIST) != 0) {
		unknown(text, err);
		return NULL;
	}
	set = xcalloc(1, sizeof(*set));
	snprintf(set->name, sizeof(set->name), "%s", text);
	if (kind < 0) {
		rc = fashion_mnist_read(set, seed, err);
	} else {
		rc = kinds[kind]->read(set, strchr(text, ':') + 1, seed, err);
		if (rc < 0)
			err_wrap(err, "data set %s", kinds[kind]->scheme);
	}
	if (rc == 0)
		return set;
	dataset_free(set);
	return NULL;
}
