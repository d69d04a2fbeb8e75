/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole files for data sets, and what belongs to a set. */
#include "bench/dataset_kind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/unpack.h"

/* A packed file may become so long, and is unpacked in such pieces. */
#define UNPACKED_MAX ((size_t)4 << 30)
#define PIECE_BYTES  ((size_t)1 << 20)

struct dataset_store {
	struct dataset_store *next;
	void *memory;
	size_t mapped; /* its length, or 0: on the heap */
};

static void store_put(struct dataset *set, void *memory, size_t mapped)
{
	struct dataset_store *store = xcalloc(1, sizeof(*store));

	*store = (struct dataset_store){ set->store, memory, mapped };
	set->store = store;
}

void dataset_store_take(struct dataset *set, void *memory)
{
	store_put(set, memory, 0);
}

void dataset_store_done(struct dataset *set)
{
	while (set->store) {
		struct dataset_store *store = set->store;

		set->store = store->next;
		if (store->mapped)
			munmap(store->memory, store->mapped);
		else
			free(store->memory);
		free(store);
	}
}

/* ---- paths ------------------------------------------------------------------- */

char *dataset_file_path(const char *path)
{
	static const char *const ends[] = { "", ".gz", ".xz" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char *found = xasprintf("%s%s", path, ends[i]);

		if (access(found, F_OK) == 0)
			return found;
		free(found);
	}
	return xstrdup(path);
}

bool dataset_file_exists(const char *path)
{
	char *found = dataset_file_path(path);
	bool exists = access(found, R_OK) == 0;

	free(found);
	return exists;
}

/* ---- contents ---------------------------------------------------------------- */

/* Everything, in memory that grows with what the file has. */
static unsigned char *unpack_whole(struct unpack *file, size_t *length,
				   struct err *err)
{
	unsigned char *bytes = NULL;
	size_t capacity = 0;
	ssize_t got;

	*length = 0;
	do {
		bytes = mem_grow(bytes, &capacity, *length + PIECE_BYTES, 1);
		got = unpack_read(file, bytes + *length, PIECE_BYTES, err);
		if (got > 0)
			*length += (size_t)got;
		if (*length > UNPACKED_MAX)
			got = err_set(err, EFBIG,
				      "unpacks to more than the limit of %zu "
				      "GiB (unpack it to a file)",
				      UNPACKED_MAX >> 30);
	} while (got > 0);
	if (got == 0)
		return bytes;
	free(bytes);
	return NULL;
}

/* 1: mapped, 0: not a file that can be. */
static int file_map(struct dataset *set, const char *path,
		    const unsigned char **bytes, size_t *length,
		    struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *memory = MAP_FAILED;

	if (fd < 0)
		return err_sys(err, "open");
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_size > 0)
		memory = mmap(NULL, (size_t)status.st_size, PROT_READ,
			      MAP_PRIVATE, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return 0;
	*bytes = memory;
	*length = (size_t)status.st_size;
	store_put(set, memory, *length);
	return 1;
}

/* The first byte shows whether the file is packed. */
static int is_packed(const char *path, struct err *err)
{
	struct unpack *file = unpack_open(path, err);
	struct err why = { .code = 0 };
	unsigned char byte;
	ssize_t got;
	int packed;

	if (!file)
		return -1;
	got = unpack_read(file, &byte, 1, &why);
	packed = unpack_is_packed(file);
	unpack_close(file);
	if (got < 0)
		return err_set(err, why.code, "%s: %s", path, why.text);
	return packed;
}

static const unsigned char *file_unpack(struct dataset *set, const char *path,
					size_t *length, struct err *err)
{
	struct unpack *file = unpack_open(path, err);
	unsigned char *bytes;

	if (!file)
		return NULL;
	bytes = unpack_whole(file, length, err);
	unpack_close(file);
	if (bytes)
		dataset_store_take(set, bytes);
	else
		err_wrap(err, "%s", path);
	return bytes;
}

const unsigned char *dataset_file(struct dataset *set, const char *path,
				  size_t *length, struct err *err)
{
	char *found = dataset_file_path(path);
	const unsigned char *bytes = NULL;
	int packed = is_packed(found, err), mapped = 0;

	if (packed == 0)
		mapped = file_map(set, found, &bytes, length, err);
	if (packed >= 0 && mapped == 0)
		bytes = file_unpack(set, found, length, err);
	free(found);
	return bytes;
}
