/* SPDX-License-Identifier: BSD-3-Clause */
/* NumPy arrays in one archive; the door to libzip. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zip.h>

#include "bench/dataset_arrays.h"
#include "lib/mem.h"

#define ARRAY_MAX   ((size_t)4 << 30)
#define PIECE_BYTES ((size_t)1 << 20)

struct archive {
	const char *path;
	zip_t *zip;
};

/* All of a member, in memory that grows with what is there. */
static unsigned char *member_whole(zip_file_t *file, size_t *length,
				   struct err *err)
{
	unsigned char *bytes = NULL;
	size_t capacity = 0;
	zip_int64_t got;

	*length = 0;
	do {
		bytes = mem_grow(bytes, &capacity, *length + PIECE_BYTES, 1);
		got = zip_fread(file, bytes + *length, PIECE_BYTES);
		if (got < 0)
			err_set(err, EINVAL, "damaged: %s",
				zip_error_strerror(zip_file_get_error(file)));
		else
			*length += (size_t)got;
		if (*length > ARRAY_MAX)
			got = err_set(err, EFBIG,
				      "more than the limit of %zu GiB (npy:DIR "
				      "has none)",
				      ARRAY_MAX >> 30);
	} while (got > 0);
	if (got == 0)
		return bytes;
	free(bytes);
	return NULL;
}

static int member_read(const struct archive *archive, struct dataset *set,
		       zip_uint64_t index, const unsigned char **bytes,
		       size_t *length, struct err *err)
{
	zip_file_t *file = zip_fopen_index(archive->zip, index, 0);
	unsigned char *whole;

	if (!file)
		return err_set(err, EINVAL, "%s",
			       zip_error_strerror(zip_get_error(archive->zip)));
	whole = member_whole(file, length, err);
	zip_fclose(file);
	if (!whole)
		return -1;
	dataset_store_take(set, whole);
	*bytes = whole;
	return 1;
}

static int find(void *self, struct dataset *set, const char *name,
		const unsigned char **bytes, size_t *length, struct err *err)
{
	const struct archive *archive = self;
	char *member = xasprintf("%s.npy", name);
	zip_int64_t index = zip_name_locate(archive->zip, member, 0);
	int found = 0;

	if (index >= 0) {
		found = member_read(archive, set, (zip_uint64_t)index, bytes,
				    length, err);
		if (found < 0)
			err_wrap(err, "%s: %s", archive->path, member);
	}
	free(member);
	return found;
}

static zip_t *archive_open(const char *path, struct err *err)
{
	zip_error_t error;
	zip_t *zip;
	int code = 0;

	if (access(path, R_OK) < 0) {
		err_sys(err, "open %s", path);
		return NULL;
	}
	zip = zip_open(path, ZIP_RDONLY, &code);
	if (zip)
		return zip;
	zip_error_init_with_code(&error, code);
	err_set(err, EINVAL, "%s: no NumPy archive: %s", path,
		zip_error_strerror(&error));
	zip_error_fini(&error);
	return NULL;
}

static int npz_read(struct dataset *set, const char *path,
		    const struct dataset_options *options, struct err *err)
{
	struct archive archive = { path, archive_open(path, err) };
	struct dataset_arrays arrays = { path, &archive, find };
	int rc;

	(void)options;
	if (!archive.zip)
		return -1;
	rc = dataset_arrays_read(set, &arrays, err);
	zip_discard(archive.zip);
	return rc;
}

const struct dataset_kind dataset_kind_npz = {
	.scheme = "npz",
	.form = "npz:FILE",
	.fields = dataset_fields,
	.test = 0.2,
	.read = npz_read,
};
