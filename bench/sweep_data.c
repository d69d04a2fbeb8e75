/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/sweep_data.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/training.h"
#include "lib/mem.h"

/* Training samples of a synthetic set: at least so many bytes of them, which is
 * more than the caches near a core hold, and so many batches. */
#define BYTES_MIN   ((size_t)32 << 20)
#define SAMPLES_MIN 2048
#define BATCHES_MIN 4

struct sweep_data {
	const char *set;
	uint64_t seed;
	size_t batch_max;
	struct dataset **open;
	size_t count, capacity;
};

struct sweep_data *sweep_data_new(const char *set, uint64_t seed,
				  size_t batch_max)
{
	struct sweep_data *data = xcalloc(1, sizeof(*data));

	data->set = set;
	data->seed = seed;
	data->batch_max = batch_max;
	return data;
}

bool sweep_data_is_real(const struct sweep_data *data)
{
	return data->set != NULL;
}

void sweep_data_free(struct sweep_data *data)
{
	if (!data)
		return;
	for (size_t i = 0; i < data->count; i++)
		dataset_free(data->open[i]);
	free(data->open);
	free(data);
}

static size_t classes_of(const struct net_spec *spec)
{
	return spec->width[spec->layers];
}

static const struct dataset *find(const struct sweep_data *data,
				  const struct net_spec *spec)
{
	for (size_t i = 0; i < data->count; i++)
		if (data->open[i]->features == spec->width[0] &&
		    data->open[i]->classes == classes_of(spec))
			return data->open[i];
	return NULL;
}

/* A set holds out a tenth for testing. */
static size_t samples_for(const struct sweep_data *data, size_t features)
{
	size_t samples = BYTES_MIN / (features * sizeof(float));

	if (samples < SAMPLES_MIN)
		samples = SAMPLES_MIN;
	if (samples < BATCHES_MIN * data->batch_max)
		samples = BATCHES_MIN * data->batch_max;
	return samples + samples / 9 + 1;
}

static struct dataset *open_for(const struct sweep_data *data,
				const struct net_spec *spec, struct err *err)
{
	char name[96];

	if (data->set)
		return dataset_open(data->set, data->seed, err);
	snprintf(name, sizeof(name), "synthetic:%zux%zux%zu",
		 samples_for(data, spec->width[0]), spec->width[0],
		 classes_of(spec));
	return dataset_open(name, data->seed, err);
}

const struct dataset *sweep_data_for(struct sweep_data *data,
				     const struct net_spec *spec,
				     struct err *err)
{
	const struct dataset *set = find(data, spec);
	struct dataset *made;

	if (!set && data->set && data->count)
		set = data->open[0]; /* a real set is opened once */
	if (set)
		return training_fits(spec, set, err) < 0 ? NULL : set;
	made = open_for(data, spec, err);
	if (!made)
		return NULL;
	data->open = mem_grow(data->open, &data->capacity, data->count + 1,
			      sizeof(struct dataset *));
	data->open[data->count++] = made;
	return training_fits(spec, made, err) < 0 ? NULL : made;
}
