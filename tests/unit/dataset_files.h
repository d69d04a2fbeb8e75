/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dataset_files -- a small well-formed data set of each kind, in the folder of
 * the test (scratch.h).
 */
#ifndef TESTS_UNIT_DATASET_FILES_H
#define TESTS_UNIT_DATASET_FILES_H

#include <lzma.h>
#include <stdint.h>
#include <sys/stat.h>
#include <zip.h>
#include <zlib.h>

#include "bench/dataset.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "tests/unit/scratch.h"

static inline void put_bytes(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

/* The whole file, yours to free(). */
static inline unsigned char *get_bytes(const char *path, size_t *length)
{
	FILE *file = fopen(path, "r");
	unsigned char *bytes = xcalloc(1, 1 << 20);

	ck_assert_msg(file != NULL, "%s is not there", path);
	*length = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

/* ---- idx: 3 training and 2 test images of 2 × 2 -------------------------------- */

static const unsigned char train_images[] = {
	0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0,  2,   0,   0,
	0, 2, 0, 1, 2, 3, 0, 0, 0, 0, 51, 102, 153, 255,
};
static const unsigned char train_labels[] = { 0, 0, 8, 1, 0, 0, 0, 3, 0, 2, 1 };
static const unsigned char test_images[] = {
	0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 9, 9, 9, 9, 7, 7, 7, 7,
};
static const unsigned char test_labels[] = { 0, 0, 8, 1, 0, 0, 0, 2, 1, 3 };

static inline void make_idx(void)
{
	put_bytes("train-images-idx3-ubyte", train_images,
		  sizeof(train_images));
	put_bytes("train-labels-idx1-ubyte", train_labels,
		  sizeof(train_labels));
	put_bytes("t10k-images-idx3-ubyte", test_images, sizeof(test_images));
	put_bytes("t10k-labels-idx1-ubyte", test_labels, sizeof(test_labels));
}

/* ---- text -------------------------------------------------------------------- */

static inline void make_csv(void)
{
	scratch_write("set.csv", "a,b,class\n"
				 "1,5,no\n2,5,yes\n3,5,no\n4,5,yes\n5,5,maybe\n"
				 "6,5,no\n7,5,yes\n8,5,no\n9,5,yes\n10,5,"
				 "maybe\n");
}

static inline void make_tsv(void)
{
	mkdir("tables", 0700);
	scratch_write("tables/train.tsv", "who\tkind\tv\nann\t1\t0.5\n"
					  "bob\t2\t0.25\nann\t2\t1e-3\n");
	scratch_write("tables/test.tsv", "who\tkind\tv\nbob\t1\t3\n");
}

static inline void make_heart(void)
{
	scratch_write("processed.cleveland.data",
		      "63,1,1,145,233,1,2,150,0,2.3,3,0,6,0\n"
		      "67,1,4,160,286,0,2,108,1,1.5,2,3,3,2\n"
		      "67,1,4,120,229,0,1,129,1,2.6,2,2,7,1\n"
		      "37,1,3,130,250,0,0,187,0,3.5,3,0,?,0\n"
		      "41,0,2,130,?,0,2,172,0,1.4,1,0,3,0\n");
	scratch_write("processed.va.data",
		      "63,1,4,140,260,0,1,112,1,3,2,?,?,2\n"
		      "44,1,4,130,209,0,1,127,0,0,?,?,?,0\n"
		      "60,1,4,132,218,0,1,140,1,1.5,3,?,?,2\n");
}

static inline void make_har(void)
{
	mkdir("train", 0700);
	mkdir("test", 0700);
	scratch_write("train/X_train.txt",
		      "  2.8858451e-001 -2.0294171e-002 -1\n"
		      "  2.7841883e-001 -1.6410568e-002  1\n"
		      " -2.7965306e-001  0.5           0.25\n");
	scratch_write("train/y_train.txt", "5\n2\n5\n");
	scratch_write("train/subject_train.txt", "1\n1\n30\n");
	scratch_write("test/X_test.txt", " 0 0.1 0.2\n 0.3 -0.4 1e-3\n");
	scratch_write("test/y_test.txt", "2\n5\n");
	scratch_write("test/subject_test.txt", "2\n2\n");
}

static inline void make_leaf(void)
{
	mkdir("train", 0700);
	mkdir("test", 0700);
	scratch_write("train/a.json",
		      "{\"users\": [\"u\", \"v\"], \"num_samples\": [2, 1], "
		      "\"user_data\": {\"u\": {\"x\": [[0, 0.5], [1, 2]], "
		      "\"y\": [0, 3]}, \"v\": {\"x\": [[3, [4]]], \"y\": "
		      "[1]}}}");
	scratch_write("train/b.json",
		      "{\"users\": [\"w\"], \"num_samples\": [1], "
		      "\"user_data\": {\"w\": {\"x\": [[5, 6]], \"y\": [1]}}}");
	scratch_write("test/a.json",
		      "{\"users\": [\"u\"], \"num_samples\": [1], "
		      "\"user_data\": {\"u\": {\"x\": [[7, 8]], \"y\": [0]}}}");
}

/* ---- arrays ------------------------------------------------------------------ */

/* A .npy file of that version; `shape` as Python writes it: "(3, 2)". */
static inline void npy_text(struct text *out, int version, const char *descr,
			    bool fortran, const char *shape, const void *data,
			    size_t length)
{
	char head[512];
	int n = snprintf(head, sizeof(head),
			 "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }",
			 descr, fortran ? "True" : "False", shape);
	int before = version == 1 ? 10 : 12;

	while ((before + n + 1) % 64)
		head[n++] = ' ';
	head[n++] = '\n';
	text_put_bytes(out, "\x93NUMPY", 6);
	text_put_char(out, (char)version);
	text_put_char(out, 0);
	for (int i = 0; i < before - 8; i++)
		text_put_char(out, (char)(n >> 8 * i));
	text_put_bytes(out, head, (size_t)n);
	text_put_bytes(out, data, length);
}

static inline void put_npy(const char *path, const char *descr, bool fortran,
			   const char *shape, const void *data, size_t length)
{
	struct text out = TEXT_INIT;

	npy_text(&out, 1, descr, fortran, shape, data, length);
	put_bytes(path, out.data, out.length);
	text_done(&out);
}

static const float some_reals[] = { 0.5f, 1, -2, 3, 4, 5.25f, 6, 7, 8, 9 };
static const int64_t some_labels[] = { 0, 1, 2, 1, 0 };

static inline void make_npy(void)
{
	put_npy("x.npy", "<f4", false, "(5, 2)", some_reals,
		sizeof(some_reals));
	put_npy("y.npy", "<i8", false, "(5,)", some_labels,
		sizeof(some_labels));
}

static inline void zip_put(zip_t *zip, const char *name, const char *descr,
			   const char *shape, const void *data, size_t length,
			   int method)
{
	struct text out = TEXT_INIT;
	zip_source_t *source;
	zip_int64_t index;

	npy_text(&out, 2, descr, false, shape, data, length);
	length = out.length;
	source = zip_source_buffer(zip, text_take(&out), length, 1);
	index = zip_file_add(zip, name, source, 0);
	ck_assert_int_ge(index, 0);
	ck_assert_int_eq(
		zip_set_file_compression(zip, (zip_uint64_t)index, method, 0),
		0);
}

static inline void make_npz(void)
{
	static const uint8_t x[] = { 0, 51, 102, 255, 1, 2 }, y[] = { 0, 1, 1 };
	zip_t *zip = zip_open("set.npz", ZIP_CREATE | ZIP_TRUNCATE, NULL);

	ck_assert_ptr_nonnull(zip);
	zip_put(zip, "x_train.npy", "|u1", "(3, 1, 2)", x, 6, ZIP_CM_DEFLATE);
	zip_put(zip, "y_train.npy", "|u1", "(3, 1)", y, 3, ZIP_CM_STORE);
	zip_put(zip, "x_test.npy", "|u1", "(2, 2)", x + 2, 4, ZIP_CM_STORE);
	zip_put(zip, "y_test.npy", "|u1", "(2,)", y, 2, ZIP_CM_DEFLATE);
	ck_assert_int_eq(zip_close(zip), 0);
}

/* ---- cifar ------------------------------------------------------------------- */

#define CIFAR_PIXELS 3072u

static inline void put_cifar(const char *path, size_t labels,
			     const uint8_t *label, size_t records)
{
	size_t record = labels + CIFAR_PIXELS;
	uint8_t *bytes = xcalloc(records, record);

	for (size_t i = 0; i < records; i++) {
		memcpy(bytes + i * record, label + i * labels, labels);
		for (size_t j = 0; j < CIFAR_PIXELS; j++)
			bytes[i * record + labels + j] =
				(uint8_t)(7 * i + 3 * j);
	}
	put_bytes(path, bytes, records * record);
	free(bytes);
}

static inline void make_cifar(void)
{
	static const uint8_t label[] = { 3, 9, 0 };

	put_cifar("data_batch_1.bin", 1, label, 2);
	put_cifar("data_batch_2.bin", 1, label + 2, 1);
	put_cifar("test_batch.bin", 1, label, 1);
}

static inline void make_cifar100(void)
{
	static const uint8_t label[] = { 4, 99, 19, 0 };

	put_cifar("train.bin", 2, label, 2);
	put_cifar("test.bin", 2, label, 1);
}

/* ---- packing ----------------------------------------------------------------- */

static inline void put_gzip(const char *path, const void *bytes, size_t length)
{
	gzFile file = gzopen(path, "wb");

	ck_assert_int_eq(gzwrite(file, bytes, (unsigned int)length),
			 (int)length);
	gzclose(file);
}

static inline void put_xz(const char *path, const void *bytes, size_t length)
{
	size_t room = lzma_stream_buffer_bound(length), n = 0;
	uint8_t *packed = xcalloc(1, room);

	ck_assert_int_eq(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL,
						 bytes, length, packed, &n,
						 room),
			 LZMA_OK);
	put_bytes(path, packed, n);
	free(packed);
}

/* Replace a file by a packed one. */
static inline void pack(const char *path, bool xz)
{
	size_t length;
	unsigned char *bytes = get_bytes(path, &length);
	char *packed = xasprintf("%s.%s", path, xz ? "xz" : "gz");

	if (xz)
		put_xz(packed, bytes, length);
	else
		put_gzip(packed, bytes, length);
	unlink(path);
	free(packed);
	free(bytes);
}

/* ---- all kinds --------------------------------------------------------------- */

static const struct dataset_sample {
	const char *set;
	void (*make)(void);
	const char *file; /* one of its files, NULL: none that may be packed */
	size_t features, classes, users, samples;
} dataset_samples[] = {
	{ "idx:.", make_idx, "train-images-idx3-ubyte", 4, 4, 0, 5 },
	{ "csv:set.csv", make_csv, "set.csv", 2, 3, 0, 10 },
	{ "tsv:tables?label=kind&user=1", make_tsv, "tables/train.tsv", 1, 2, 2,
	  4 },
	{ "npy:.", make_npy, "x.npy", 2, 3, 0, 5 },
	{ "npz:set.npz", make_npz, NULL, 2, 2, 0, 5 },
	{ "cifar:.", make_cifar, "data_batch_2.bin", CIFAR_PIXELS, 10, 0, 4 },
	{ "cifar:.?coarse=yes", make_cifar100, "test.bin", CIFAR_PIXELS, 20, 0,
	  3 },
	{ "leaf:.", make_leaf, "train/b.json", 2, 4, 3, 5 },
	{ "heart:.", make_heart, "processed.va.data", 13, 2, 2, 7 },
	{ "har:.", make_har, "train/y_train.txt", 3, 2, 3, 5 },
	{ "synthetic:100x6x3", NULL, NULL, 6, 3, 0, 100 },
};
#define DATASET_SAMPLES \
	((int)(sizeof(dataset_samples) / sizeof(dataset_samples[0])))

static inline struct dataset *dataset_sample_open(const char *set,
						  uint64_t seed)
{
	struct err err = { 0 };
	struct dataset *got = dataset_open(set, seed, &err);

	ck_assert_msg(got != NULL, "%s", err.text);
	return got;
}

/* All rows as floats, yours to free(). */
static inline float *rows_of(const struct dataset *set,
			     const struct dataset_part *part)
{
	float *x = xcalloc(part->samples * set->features, sizeof(*x));
	int32_t label;

	for (size_t i = 0; i < part->samples; i++) {
		dataset_batch(part, set->features, &i, 1, x + i * set->features,
			      &label);
		ck_assert_int_eq(label, part->label[i]);
	}
	return x;
}

/* It cannot be opened, and why is said. */
static inline void refused(const char *set, const char *says)
{
	struct err err = { 0 };

	ck_assert_ptr_null(dataset_open(set, 1, &err));
	ck_assert_msg(strstr(err.text, says) != NULL, "%s says: %s", set,
		      err.text);
	ck_assert_int_ne(err.code, 0);
}

#endif
