/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LEAF's JSON (Caldas et al., "LEAF: a benchmark for federated settings",
 * 2018): {"users": [U, …], "num_samples": [N, …], "user_data": {U: {"x": [[…],
 * …], "y": […]}}}, in as many files as there are in DIR/train and DIR/test, or
 * in DIR itself.  Text (Shakespeare: 80 characters, and the next one) becomes
 * the places of its characters in LEAF's alphabet.
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/dataset_table.h"
#include "bench/net.h"
#include "lib/doc.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/unpack.h"

#define FILE_MAX    ((size_t)1 << 30)
#define PIECE_BYTES ((size_t)1 << 20)

struct leaf {
	struct dataset_table table;
	bool test;
};

/* ---- samples --------------------------------------------------------------- */

/* Numbers, in lists of lists if need be; NULL counts only.  Returns how many
 * there are, or SIZE_MAX when something is no (finite) number. */
static size_t flatten(const struct doc *doc, float *x, size_t room)
{
	size_t n = 0;

	if (doc_kind(doc) != DOC_ARRAY) {
		double value = doc_real(doc, HUGE_VAL);

		if (!isfinite((float)value))
			return SIZE_MAX;
		if (x && room)
			*x = (float)value;
		return 1;
	}
	for (size_t i = 0; i < doc_count(doc); i++) {
		size_t more = flatten(doc_at(doc, i), x ? x + n : NULL,
				      room > n ? room - n : 0);

		if (more == SIZE_MAX || n + more > NET_WIDTH_MAX)
			return SIZE_MAX;
		n += more;
	}
	return n;
}

/* Of a text: tokens for an embedding. */
static const char letters[] =
	"\n !\"&'(),-.0123456789:;>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]"
	"abcdefghijklmnopqrstuvwxyz}";

static int letters_read(const char *text, float *x, struct err *err)
{
	for (; *text; text++, x++) {
		const char *at = strchr(letters, *text);

		if (!at)
			return err_set(err, EINVAL,
				       "character 0x%02x is none of LEAF's %zu",
				       (unsigned char)*text,
				       sizeof(letters) - 1);
		*x = (float)(at - letters);
	}
	return 0;
}

/* How many values a sample has; SIZE_MAX when it is none. */
static size_t sample_size(const struct doc *sample)
{
	const char *text = doc_string(sample, NULL);

	return text ? strlen(text) : flatten(sample, NULL, 0);
}

static int features_read(struct leaf *leaf, const struct doc *sample,
			 struct err *err)
{
	struct dataset_table *table = &leaf->table;
	const char *text = doc_string(sample, NULL);
	size_t n = sample_size(sample);
	float *x;

	if (n > NET_WIDTH_MAX || n == 0)
		return err_set(err, EINVAL,
			       "expected 1 … %d numbers or characters",
			       NET_WIDTH_MAX);
	if (!table->features)
		table->features = n;
	if (n != table->features)
		return err_set(err, EINVAL,
			       "%zu features where the first has %zu", n,
			       table->features);
	x = dataset_table_row(table, err);
	if (!x)
		return -1;
	if (text)
		return letters_read(text, x, err);
	flatten(sample, x, n);
	return 0;
}

static int sample_read(struct leaf *leaf, const struct doc *x,
		       const struct doc *y, size_t user, struct err *err)
{
	const char *next = doc_string(y, NULL);
	int64_t class = doc_int(y, -1);

	if (next && strlen(next) == 1 && strchr(letters, *next))
		class = strchr(letters, *next) - letters;
	if (class < 0 || class >= DATASET_CLASSES_MAX)
		return err_set(err, EINVAL,
			       "y: expected a whole number from 0 to %d, or "
			       "one of LEAF's characters",
			       DATASET_CLASSES_MAX - 1);
	if (features_read(leaf, x, err) < 0)
		return err_wrap(err, "x");
	dataset_table_put(&leaf->table, (size_t) class, user, leaf->test);
	return 0;
}

static int user_read(struct leaf *leaf, const char *name,
		     const struct doc *data, struct err *err)
{
	const struct doc *x, *y;
	size_t user;

	if (doc_need_array(data, "x", &x, err) < 0 ||
	    doc_need_array(data, "y", &y, err) < 0)
		return -1;
	if (doc_count(x) != doc_count(y))
		return err_set(err, EINVAL, "%zu samples but %zu labels",
			       doc_count(x), doc_count(y));
	if (dataset_words_find(&leaf->table.users, name, &user, err) < 0)
		return err_wrap(err, "users");
	for (size_t i = 0; i < doc_count(x); i++)
		if (sample_read(leaf, doc_at(x, i), doc_at(y, i), user, err) <
		    0)
			return err_wrap(err, "sample %zu", i);
	return 0;
}

/* num_samples must be what is there. */
static int count_check(const struct doc *doc, size_t index,
		       const struct doc *data, struct err *err)
{
	const struct doc *counts = doc_get(doc, "num_samples");
	size_t there = doc_count(doc_get(data, "y"));

	if (!counts || doc_int(doc_at(counts, index), -1) == (int64_t)there)
		return 0;
	return err_set(err, EINVAL,
		       "num_samples promises another number than "
		       "the %zu samples there are",
		       there);
}

static int users_read(struct leaf *leaf, const struct doc *doc, struct err *err)
{
	const struct doc *users, *all;

	if (doc_kind(doc) != DOC_OBJECT)
		return err_set(err, EINVAL,
			       "expected an object of users, "
			       "num_samples and user_data");
	if (doc_need_array(doc, "users", &users, err) < 0 ||
	    doc_need_object(doc, "user_data", &all, err) < 0)
		return -1;
	for (size_t i = 0; i < doc_count(users); i++) {
		const char *name = doc_string(doc_at(users, i), NULL);
		const struct doc *data = name ? doc_get(all, name) : NULL;

		if (doc_kind(data) != DOC_OBJECT)
			return err_set(err, EINVAL,
				       "user_data: no object for user %zu "
				       "(%.40s)",
				       i, name ? name : "no text");
		if (count_check(doc, i, data, err) < 0 ||
		    user_read(leaf, name, data, err) < 0)
			return err_wrap(err, "user %.40s", name);
	}
	return 0;
}

/* ---- files ----------------------------------------------------------------- */

static int text_read(struct unpack *file, struct text *text, struct err *err)
{
	ssize_t got;

	do {
		got = unpack_read(file, text_room(text, PIECE_BYTES),
				  PIECE_BYTES, err);
		if (got > 0)
			text_advance(text, (size_t)got);
		if (text->length > FILE_MAX)
			return err_set(err, EFBIG,
				       "more than the limit of %zu GiB",
				       FILE_MAX >> 30);
	} while (got > 0);
	return (int)got;
}

static int file_read(struct leaf *leaf, const char *path, struct err *err)
{
	struct unpack *file = unpack_open(path, err);
	struct text text = TEXT_INIT;
	struct doc *doc = NULL;
	int rc;

	if (!file)
		return -1;
	rc = text_read(file, &text, err);
	unpack_close(file);
	if (rc == 0)
		doc = doc_parse(text.data ? text.data : "", text.length, err);
	text_done(&text);
	rc = doc ? users_read(leaf, doc, err) : -1;
	doc_free(doc);
	return rc < 0 ? err_wrap(err, "%s", path) : 0;
}

static int is_json(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	if (length > 3 && (strcmp(entry->d_name + length - 3, ".gz") == 0 ||
			   strcmp(entry->d_name + length - 3, ".xz") == 0))
		length -= 3;
	return length > 5 &&
	       memcmp(entry->d_name + length - 5, ".json", 5) == 0;
}

/* Files in the order of their names, so that samples have one, too. */
static int folder_read(struct leaf *leaf, const char *folder, struct err *err)
{
	struct dirent **entry;
	int n = scandir(folder, &entry, is_json, alphasort), rc = 0;

	if (n < 0)
		return err_sys(err, "folder %s", folder);
	if (n == 0)
		rc = err_set(err, ENOENT, "%s: no .json file", folder);
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", folder, entry[i]->d_name);

		if (rc == 0)
			rc = file_read(leaf, path, err);
		free(path);
		free(entry[i]);
	}
	free(entry);
	return rc;
}

static int parts_read(struct leaf *leaf, const char *folder, struct err *err)
{
	char *train = xasprintf("%s/train", folder);
	char *test = xasprintf("%s/test", folder);
	struct stat status;
	int rc;

	if (stat(train, &status) < 0) {
		rc = folder_read(leaf, folder, err);
	} else {
		rc = folder_read(leaf, train, err);
		leaf->test = true;
		if (rc == 0)
			rc = folder_read(leaf, test, err);
	}
	free(train);
	free(test);
	return rc;
}

static int leaf_read(struct dataset *set, const char *folder,
		     const struct dataset_options *options, struct err *err)
{
	struct leaf leaf = {
		.table = { .users = { .max = DATASET_USERS_MAX } },
	};
	int rc = parts_read(&leaf, folder, err);

	(void)options;
	if (rc == 0)
		rc = dataset_table_finish(&leaf.table, set, err);
	dataset_table_done(&leaf.table);
	return rc;
}

const struct dataset_kind dataset_kind_leaf = {
	.scheme = "leaf",
	.form = "leaf:DIR",
	.fields = dataset_fields,
	.scale = DATASET_SCALE_NONE,
	.test = 0.2,
	.read = leaf_read,
};
