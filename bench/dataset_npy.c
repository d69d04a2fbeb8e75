/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder of NumPy arrays, a file each. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/dataset_arrays.h"
#include "lib/mem.h"

static int find(void *self, struct dataset *set, const char *name,
		const unsigned char **bytes, size_t *length, struct err *err)
{
	const struct dataset_arrays *arrays = self;
	char *path = xasprintf("%s/%s.npy", arrays->place, name);
	int found = 0;

	if (dataset_file_exists(path)) {
		*bytes = dataset_file(set, path, length, err);
		found = *bytes ? 1 : -1;
	}
	free(path);
	return found;
}

static int npy_read(struct dataset *set, const char *folder,
		    const struct dataset_options *options, struct err *err)
{
	struct dataset_arrays arrays = { .place = folder, .find = find };

	(void)options;
	if (access(folder, F_OK) < 0)
		return err_sys(err, "folder %s", folder);
	arrays.self = &arrays;
	return dataset_arrays_read(set, &arrays, err);
}

const struct dataset_kind dataset_kind_npy = {
	.scheme = "npy",
	.form = "npy:DIR",
	.fields = dataset_fields,
	.test = 0.2,
	.read = npy_read,
};
