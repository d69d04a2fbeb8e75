/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/dataset_kind.h"
#include "bench/net.h"
#include "lib/field.h"
#include "lib/mem.h"
#include "lib/place.h"

#define FASHION_MNIST        "fashion-mnist"
#define FASHION_MNIST_DEBIAN "/usr/share/datasets/fashion-mnist"

static const struct dataset_kind *const kinds[] = {
	&dataset_kind_idx,       &dataset_kind_csv,   &dataset_kind_tsv,
	&dataset_kind_npy,       &dataset_kind_npz,   &dataset_kind_cifar,
	&dataset_kind_leaf,      &dataset_kind_heart, &dataset_kind_har,
	&dataset_kind_synthetic,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *const dataset_scales[] = { "usual", "none", "unit", "standard",
				       NULL };
const struct field dataset_fields[] = { DATASET_FIELDS, FIELD_END };

/* ---- names ----------------------------------------------------------------- */

static const char *fashion_mnist_folder(void)
{
	const char *folder = getenv("FEDWATTS_FASHION_MNIST");

	return folder && *folder ? folder : FASHION_MNIST_DEBIAN;
}

const char *dataset_fashion_mnist(void)
{
	const char *folder = fashion_mnist_folder();
	char *path = xasprintf("%s/train-images-idx3-ubyte", folder);
	bool found = dataset_file_exists(path);

	free(path);
	return found ? folder : NULL;
}

const char *dataset_forms(void)
{
	static char forms[256];
	size_t length = 0;

	length = (size_t)snprintf(forms, sizeof(forms), FASHION_MNIST);
	for (size_t i = 0; i < KINDS && length < sizeof(forms); i++)
		length +=
			(size_t)snprintf(forms + length, sizeof(forms) - length,
					 ", %s", kinds[i]->form);
	return forms;
}

/* Of "idx:DIR" or "fashion-mnist?test=0.1", or NULL. */
static const struct dataset_kind *kind_of(const char *text)
{
	size_t length = strcspn(text, ":?");

	if (length == strlen(FASHION_MNIST) && text[length] != ':' &&
	    strncmp(text, FASHION_MNIST, length) == 0)
		return &dataset_kind_idx;
	for (size_t i = 0; text[length] == ':' && i < KINDS; i++)
		if (strlen(kinds[i]->scheme) == length &&
		    strncmp(kinds[i]->scheme, text, length) == 0)
			return kinds[i];
	return NULL;
}

static void unknown(const char *text, struct err *err)
{
	const char *names[KINDS + 2] = { FASHION_MNIST }, *near;
	char word[32];

	for (size_t i = 0; i < KINDS; i++)
		names[i + 1] = kinds[i]->scheme;
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, ":?"), text);
	near = field_nearest(word, names);
	err_set(err, EINVAL, "data set '%s': unknown", text);
	if (near)
		err_remedy(err, "did you mean %s%s?", near,
			   near == names[0] ? "" : ":…");
	else
		err_remedy(err, "there are %s", dataset_forms());
}

/* ---- parts ----------------------------------------------------------------- */

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

void dataset_part_done(struct dataset_part *part)
{
	free(part->x);
	if (part->raw)
		free(part->raw->row);
	free(part->raw);
	free(part->label);
	free(part->user);
	*part = (struct dataset_part){ .samples = 0 };
}

void dataset_free(struct dataset *set)
{
	if (!set)
		return;
	dataset_part_done(&set->train);
	dataset_part_done(&set->test);
	dataset_store_done(set);
	free(set);
}

void dataset_batch(const struct dataset_part *part, size_t features,
		   const size_t *sample, size_t n, float *x, int32_t *label)
{
	for (size_t i = 0; i < n; i++, x += features) {
		label[i] = part->label[sample[i]];
		if (part->x) {
			memcpy(x, part->x + sample[i] * features,
			       features * sizeof(*x));
			continue;
		}
		dataset_raw_floats(part->raw, features, sample[i], x);
		if (part->raw->centre)
			for (size_t j = 0; j < features; j++)
				x[j] = dataset_changed(x[j],
						       part->raw->centre[j],
						       part->raw->scale[j]);
	}
}

/* ---- opening ----------------------------------------------------------------- */

static bool part_is_of(const struct dataset_part *part, int32_t label)
{
	for (size_t i = 0; i < part->samples; i++)
		if (part->label[i] != label)
			return false;
	return true;
}

static int classes_check(const struct dataset *set, struct err *err)
{
	int32_t label = set->train.label[0];

	if (set->classes > DATASET_CLASSES_MAX)
		return err_set(err, EFBIG,
			       "labels up to %zu: more than the limit of %d "
			       "classes",
			       set->classes - 1, DATASET_CLASSES_MAX);
	if (part_is_of(&set->train, label) && part_is_of(&set->test, label))
		return err_set(err, EINVAL, "all samples are of one class");
	return 0;
}

static int set_finish(struct dataset *set, const struct dataset_kind *kind,
		      const struct dataset_options *options, struct err *err)
{
	double share = options->test > 0.0 ? options->test : kind->test;

	if ((options->test > 0.0 || !set->test.samples) &&
	    dataset_split(set, share, options->seed, err) < 0)
		return -1;
	if (set->features < 1 || set->features > NET_WIDTH_MAX)
		return err_set(err, EINVAL, "%zu features, expected 1 … %d",
			       set->features, NET_WIDTH_MAX);
	if (classes_check(set, err) < 0)
		return -1;
	dataset_rescale(set, options->scale == DATASET_SCALE_USUAL
				     ? kind->scale
				     : (enum dataset_scale)options->scale);
	return 0;
}

/* `rest` is what stands behind the kind's name, `moved` another place for it. */
static int set_read(struct dataset *set, const struct dataset_kind *kind,
		    const char *rest, const char *moved, uint64_t seed,
		    struct err *err)
{
	struct dataset_options options = { .seed = seed };
	char *place = place_name(rest, kind->fields, &options, err);
	int rc;

	if (!place)
		return -1;
	rc = kind->read(set, moved ? moved : place, &options, err);
	if (rc == 0)
		rc = set_finish(set, kind, &options, err);
	free(options.label);
	free(options.user);
	free(place);
	return rc;
}

struct dataset *dataset_open(const char *text, uint64_t seed, struct err *err)
{
	const struct dataset_kind *kind = kind_of(text);
	size_t length = strcspn(text, ":?");
	bool placed = text[length] == ':';
	struct err why = { .code = 0 };
	struct dataset *set;

	if (!kind) {
		unknown(text, err);
		return NULL;
	}
	set = xcalloc(1, sizeof(*set));
	snprintf(set->name, sizeof(set->name), "%s", text);
	if (set_read(set, kind, text + length + placed,
		     placed ? NULL : fashion_mnist_folder(), seed, &why) == 0)
		return set;
	dataset_free(set);
	err_set(err, why.code, "data set %.*s: %s", (int)length, text,
		why.text);
	if (why.code == ENOENT && !placed)
		err_remedy(err, "apt-get install dataset-fashion-mnist, or say "
				"where it is: FEDWATTS_FASHION_MNIST=DIR");
	return NULL;
}
