/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/partition.h"

#include <errno.h>
#include <stdlib.h>

#include "fl/kind.h"
#include "lib/mem.h"
#include "lib/rng.h"

extern const struct partition_kind partition_kind_iid, partition_kind_dirichlet,
	partition_kind_shards, partition_kind_natural;

static const struct partition_kind *const kinds[] = {
	&partition_kind_iid,
	&partition_kind_dirichlet,
	&partition_kind_shards,
	&partition_kind_natural,
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *const *partition_kinds(void)
{
	static const char *names[KINDS + 1];

	for (size_t i = 0; i < KINDS; i++)
		names[i] = kinds[i]->name;
	return names;
}

/* owner[] becomes a list of samples per device: a counting sort, so the
 * samples of a device stay in ascending order. */
static struct partition *partition_from_owners(const uint32_t *owner,
					       size_t samples, size_t devices)
{
	struct partition *partition = xcalloc(1, sizeof(*partition));
	size_t *next = xcalloc(devices, sizeof(*next));

	partition->devices = devices;
	partition->start = xcalloc(devices + 1, sizeof(*partition->start));
	partition->sample = xcalloc(samples, sizeof(*partition->sample));
	for (size_t i = 0; i < samples; i++)
		partition->start[owner[i] + 1]++;
	for (size_t k = 0; k < devices; k++) {
		partition->start[k + 1] += partition->start[k];
		next[k] = partition->start[k];
	}
	for (size_t i = 0; i < samples; i++)
		partition->sample[next[owner[i]]++] = i;
	free(next);
	return partition;
}

static int check_sizes(const struct partition *partition, const char *spec,
		       struct err *err)
{
	for (size_t k = 0; k < partition->devices; k++)
		if (!partition_samples(partition, k))
			return err_set(err, EINVAL,
				       "partition '%s' leaves device %zu "
				       "without samples (fewer devices?)",
				       spec, k);
	return 0;
}

struct partition *partition_new(const char *spec,
				const struct dataset_part *part, size_t classes,
				size_t devices, uint64_t seed, struct err *err)
{
	struct partition_task task = {
		.label = part->label,
		.user = part->user,
		.samples = part->samples,
		.classes = classes,
		.devices = devices,
		.seed = seed,
	};
	struct partition *partition = NULL;
	uint32_t *owner;
	int kind;

	kind = kind_find("partition", spec, partition_kinds(), &task.argument,
			 err);
	if (kind < 0)
		return NULL;
	if (!devices || devices > PARTITION_DEVICES_MAX ||
	    devices > part->samples) {
		err_set(err, EINVAL,
			"%zu devices cannot share %zu samples (1 … %d devices, "
			"a sample each at least)",
			devices, part->samples, PARTITION_DEVICES_MAX);
		return NULL;
	}
	owner = xcalloc(part->samples, sizeof(*owner));
	if (!kinds[kind]->divide(&task, owner, err))
		partition =
			partition_from_owners(owner, part->samples, devices);
	free(owner);
	if (partition && check_sizes(partition, spec, err) < 0) {
		partition_free(partition);
		return NULL;
	}
	return partition;
}

void partition_free(struct partition *partition)
{
	if (!partition)
		return;
	free(partition->start);
	free(partition->sample);
	free(partition);
}

size_t partition_samples(const struct partition *partition, size_t device)
{
	return partition->start[device + 1] - partition->start[device];
}

const size_t *partition_of(const struct partition *partition, size_t device)
{
	return partition->sample + partition->start[device];
}

void partition_classes(const struct partition *partition, size_t device,
		       const struct dataset_part *part, size_t classes,
		       size_t *count)
{
	const size_t *sample = partition_of(partition, device);

	for (size_t c = 0; c < classes; c++)
		count[c] = 0;
	for (size_t i = 0; i < partition_samples(partition, device); i++)
		count[part->label[sample[i]]]++;
}

void partition_by_class(const struct partition_task *task, size_t *sample,
			size_t *start)
{
	size_t *next = xcalloc(task->classes, sizeof(*next));

	for (size_t c = 0; c <= task->classes; c++)
		start[c] = 0;
	for (size_t i = 0; i < task->samples; i++)
		start[task->label[i] + 1]++;
	for (size_t c = 0; c < task->classes; c++) {
		start[c + 1] += start[c];
		next[c] = start[c];
	}
	for (size_t i = 0; i < task->samples; i++)
		sample[next[task->label[i]]++] = i;
	for (size_t c = 0; c < task->classes; c++) {
		struct rng rng =
			rng_stream(task->seed, "partition classes", c, 0);

		rng_shuffle(&rng, sample + start[c], start[c + 1] - start[c]);
	}
	free(next);
}
