/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "bench/dataset.h"
#include "lib/mem.h"
#include "lib/text.h"

static char folder[64];

static void scratch_make(void)
{
	snprintf(folder, sizeof(folder), "/tmp/fedwatts-dataset-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static char *in_scratch(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void scratch_remove(void)
{
	static const char *const names[] = {
		"train-images-idx3-ubyte",    "train-labels-idx1-ubyte",
		"t10k-images-idx3-ubyte",     "t10k-labels-idx1-ubyte",
		"train-images-idx3-ubyte.gz", "set.csv",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = in_scratch(names[i]);

		unlink(path);
		free(path);
	}
	rmdir(folder);
}

static void put_file(const char *name, const void *bytes, size_t length)
{
	char *path = in_scratch(name);
	struct text text = TEXT_INIT;
	struct err err = { 0 };

	text_put_bytes(&text, bytes, length);
	ck_assert_msg(text_write_file(&text, path, true, &err) == 0, "%s",
		      err.text);
	text_done(&text);
	free(path);
}

static void put_csv(const char *content)
{
	put_file("set.csv", content, strlen(content));
}

/* Four well-formed files: 3 training and 2 test images of 2 × 2. */
static const unsigned char train_images[] = {
	0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0,  2,   0,   0,
	0, 2, 0, 1, 2, 3, 0, 0, 0, 0, 51, 102, 153, 255,
};
static const unsigned char train_labels[] = { 0, 0, 8, 1, 0, 0, 0, 3, 0, 2, 1 };
static const unsigned char test_images[] = {
	0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 9, 9, 9, 9, 7, 7, 7, 7,
};
static const unsigned char test_labels[] = { 0, 0, 8, 1, 0, 0, 0, 2, 1, 3 };

static void put_idx(void)
{
	put_file("train-images-idx3-ubyte", train_images, sizeof(train_images));
	put_file("train-labels-idx1-ubyte", train_labels, sizeof(train_labels));
	put_file("t10k-images-idx3-ubyte", test_images, sizeof(test_images));
	put_file("t10k-labels-idx1-ubyte", test_labels, sizeof(test_labels));
}

static struct dataset *open_in_scratch(const char *scheme, const char *name,
				       struct err *err)
{
	char *text =
		xasprintf("%s:%s%s%s", scheme, folder, *name ? "/" : "", name);
	struct dataset *set = dataset_open(text, 1, err);

	free(text);
	return set;
}

static void refused(const char *scheme, const char *name, const char *says)
{
	struct err err = { 0 };

	ck_assert_ptr_null(open_in_scratch(scheme, name, &err));
	ck_assert_msg(strstr(err.text, says) != NULL, "says: %s", err.text);
	ck_assert_int_ne(err.code, 0);
}

/* ---- every kind --------------------------------------------------------------- */

static const char table[] = "a,b,class\n"
			    "1,5,no\n2,5,yes\n3,5,no\n4,5,yes\n5,5,maybe\n"
			    "6,5,no\n7,5,yes\n8,5,no\n9,5,yes\n10,5,maybe\n";

static struct dataset *any_kind(int i, uint64_t seed)
{
	struct dataset *set;
	struct err err = { 0 };
	char *text = i == 0   ? xasprintf("idx:%s", folder)
		     : i == 1 ? xasprintf("csv:%s/set.csv", folder)
			      : xstrdup("synthetic:100x6x3");

	put_idx();
	put_csv(table);
	set = dataset_open(text, seed, &err);
	ck_assert_msg(set != NULL, "%s", err.text);
	ck_assert_str_eq(set->name, text);
	free(text);
	return set;
}

static void check_part(const struct dataset *set,
		       const struct dataset_part *part)
{
	ck_assert_uint_gt(part->samples, 0);
	for (size_t i = 0; i < part->samples; i++) {
		ck_assert_int_ge(part->label[i], 0);
		ck_assert_uint_lt((size_t)part->label[i], set->classes);
	}
	for (size_t i = 0; i < part->samples * set->features; i++)
		ck_assert(isfinite(part->x[i]));
}

START_TEST(labels_are_classes_and_features_finite)
{
	struct dataset *set = any_kind(_i, 1);

	ck_assert_uint_ge(set->classes, 2);
	check_part(set, &set->train);
	check_part(set, &set->test);
	dataset_free(set);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bits)
{
	struct dataset *a = any_kind(_i, 5), *b = any_kind(_i, 5);

	ck_assert_uint_eq(a->train.samples, b->train.samples);
	ck_assert_mem_eq(a->train.x, b->train.x,
			 a->train.samples * a->features * sizeof(float));
	ck_assert_mem_eq(a->test.x, b->test.x,
			 a->test.samples * a->features * sizeof(float));
	ck_assert_mem_eq(a->train.label, b->train.label,
			 a->train.samples * sizeof(int32_t));
	dataset_free(a);
	dataset_free(b);
}
END_TEST

/* ---- names -------------------------------------------------------------------- */

START_TEST(unknown_set_is_refused_with_the_nearest_name)
{
	struct err err = { 0 };

	ck_assert_ptr_null(dataset_open("fashion-mnits", 1, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "did you mean fashion-mnist?"));
	ck_assert_ptr_null(dataset_open("", 1, &err));
	ck_assert_ptr_null(dataset_open("mongodb:x", 1, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "synthetic:NxDxC"));
}
END_TEST

START_TEST(missing_fashion_mnist_names_the_package)
{
	struct err err = { 0 };

	setenv("FEDWATTS_FASHION_MNIST", "/nowhere/at/all", 1);
	ck_assert_ptr_null(dataset_fashion_mnist());
	ck_assert_ptr_null(dataset_open("fashion-mnist", 1, &err));
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/at/all"));
	ck_assert_ptr_nonnull(
		strstr(err.text, "apt-get install dataset-fashion-mnist"));
}
END_TEST

START_TEST(the_environment_moves_fashion_mnist)
{
	struct dataset *set;

	put_idx();
	setenv("FEDWATTS_FASHION_MNIST", folder, 1);
	ck_assert_str_eq(dataset_fashion_mnist(), folder);
	set = dataset_open("fashion-mnist", 1, NULL);
	ck_assert_ptr_nonnull(set);
	ck_assert_str_eq(set->name, "fashion-mnist");
	ck_assert_uint_eq(set->features, 4);
	dataset_free(set);
}
END_TEST

/* ---- idx ---------------------------------------------------------------------- */

START_TEST(idx_pixels_become_fractions)
{
	struct dataset *set;

	put_idx();
	set = open_in_scratch("idx", "", NULL);
	ck_assert_uint_eq(set->features, 4);
	ck_assert_uint_eq(set->classes, 4); /* the test part has a 3 */
	ck_assert_uint_eq(set->train.samples, 3);
	ck_assert_uint_eq(set->test.samples, 2);
	ck_assert_double_eq_tol((double)set->train.x[8], 0.2, 1e-7);
	ck_assert(set->train.x[11] == 1.0f);
	ck_assert_int_eq(set->train.label[1], 2);
	dataset_free(set);
}
END_TEST

START_TEST(idx_reads_gzip)
{
	char *path = in_scratch("train-images-idx3-ubyte.gz");
	char *plain = in_scratch("train-images-idx3-ubyte");
	struct dataset *set;
	gzFile file;

	put_idx();
	unlink(plain);
	file = gzopen(path, "wb");
	gzwrite(file, train_images, sizeof(train_images));
	gzclose(file);
	set = open_in_scratch("idx", "", NULL);
	ck_assert_ptr_nonnull(set);
	ck_assert_uint_eq(set->train.samples, 3);
	dataset_free(set);
	/* Cut the compressed file short. */
	ck_assert_int_eq(truncate(path, 25), 0);
	refused("idx", "", "truncated");
	free(path);
	free(plain);
}
END_TEST

START_TEST(idx_without_a_folder_or_a_file_says_which)
{
	struct err err = { 0 };
	char *path = in_scratch("t10k-labels-idx1-ubyte");

	ck_assert_ptr_null(dataset_open("idx:/nowhere", 1, &err));
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "/nowhere"));
	put_idx();
	unlink(path);
	refused("idx", "", "t10k-labels-idx1-ubyte");
	free(path);
}
END_TEST

/* A copy of the training images with one byte changed. */
static void put_images(size_t at, unsigned char byte, size_t length)
{
	unsigned char bytes[sizeof(train_images) + 8] = { 0 };

	put_idx();
	memcpy(bytes, train_images, sizeof(train_images));
	bytes[at] = byte;
	put_file("train-images-idx3-ubyte", bytes, length);
}

START_TEST(damaged_idx_files_are_refused)
{
	size_t whole = sizeof(train_images);

	put_images(3, 1, whole); /* labels' magic */
	refused("idx", "", "wrong magic 0x00000801, expected 0x00000803");
	refused("idx", "", "mixed up");
	put_images(2, 13, whole); /* floats */
	refused("idx", "", "wrong magic 0x00000d03");
	put_images(0, 0, whole - 1);
	refused("idx", "", "truncated: 11 bytes where its header promises 12");
	put_images(0, 0, whole + 1);
	refused("idx", "", "longer than the 12 bytes");
	put_images(0, 0, 9);
	refused("idx", "", "no header");
	put_images(0, 0, 0);
	refused("idx", "", "no header");
	put_images(7, 0, whole);
	refused("idx", "", "no samples");
	put_images(11, 0, whole);
	refused("idx", "", "pixels");
	put_images(8, 0xff, whole);
	refused("idx", "", "pixels");
	put_images(4, 0xff, whole);
	refused("idx", "", "limit");
	put_images(7, 2, whole - 4);
	refused("idx", "", "2 train images but 3 labels");
}
END_TEST

START_TEST(idx_parts_must_have_the_same_pixels)
{
	static const unsigned char flat[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0,
					      0, 1, 0, 0, 0, 2, 9, 9, 9, 9 };

	put_idx();
	put_file("t10k-images-idx3-ubyte", flat, sizeof(flat));
	refused("idx", "", "4 pixels for training, 2 for testing");
}
END_TEST

START_TEST(idx_of_one_class_is_refused)
{
	static const unsigned char zeros[] = {
		0, 0, 8, 1, 0, 0, 0, 3, 0, 0, 0
	};
	static const unsigned char two[] = { 0, 0, 8, 1, 0, 0, 0, 2, 0, 0 };

	put_idx();
	put_file("train-labels-idx1-ubyte", zeros, sizeof(zeros));
	put_file("t10k-labels-idx1-ubyte", two, sizeof(two));
	refused("idx", "", "all labels are 0");
}
END_TEST

/* ---- csv ---------------------------------------------------------------------- */

START_TEST(csv_recognises_a_header_and_orders_words)
{
	struct dataset *set = any_kind(1, 1);
	double sum = 0.0, square = 0.0;
	size_t counts[3] = { 0 };

	ck_assert_uint_eq(set->features, 2);
	ck_assert_uint_eq(set->classes, 3); /* maybe, no, yes */
	ck_assert_uint_eq(set->train.samples, 8);
	ck_assert_uint_eq(set->test.samples, 2);
	for (size_t i = 0; i < 8; i++) {
		sum += (double)set->train.x[2 * i];
		square += pow((double)set->train.x[2 * i], 2.0);
		ck_assert(set->train.x[2 * i + 1] == 0.0f); /* constant */
		counts[set->train.label[i]]++;
	}
	for (size_t i = 0; i < 2; i++)
		counts[set->test.label[i]]++;
	ck_assert_double_eq_tol(sum, 0.0, 1e-5);
	ck_assert_double_eq_tol(square / 8.0, 1.0, 1e-5);
	ck_assert_uint_eq(counts[0], 2);
	ck_assert_uint_eq(counts[1], 4);
	ck_assert_uint_eq(counts[2], 4);
	dataset_free(set);
}
END_TEST

START_TEST(csv_orders_numbers_by_value)
{
	struct dataset *set;

	put_csv("1,10\n1,9\n2,10\n2,9\n3,9\n3,-1\n");
	set = open_in_scratch("csv", "set.csv", NULL);
	ck_assert_ptr_nonnull(set);
	ck_assert_uint_eq(set->classes, 3);
	/* Only one sample has class -1, the first in order. */
	for (size_t i = 0; i < set->train.samples; i++)
		ck_assert_int_ge(set->train.label[i], 0);
	dataset_free(set);
}
END_TEST

START_TEST(another_seed_splits_a_csv_otherwise)
{
	struct dataset *a = any_kind(1, 1), *b = any_kind(1, 2);

	ck_assert_mem_ne(a->train.x, b->train.x, 16 * sizeof(float));
	dataset_free(a);
	dataset_free(b);
}
END_TEST

START_TEST(damaged_csv_files_are_refused_with_their_line)
{
	put_csv("");
	refused("csv", "set.csv", "no rows");
	put_csv("a,b\n");
	refused("csv", "set.csv", "0 samples");
	put_csv("1\n2\n3\n4\n5\n");
	refused("csv", "set.csv", "1 columns");
	put_csv("1,a\n2,b\n3,a,b\n4,a\n5,b\n");
	refused("csv", "set.csv", "set.csv:3: 3 columns");
	put_csv("1,a\n2,b\nx,a\n4,a\n5,b\n");
	refused("csv", "set.csv", "set.csv:3");
	put_csv("1,a\n2,b\n1e39,a\n4,a\n5,b\n");
	refused("csv", "set.csv", "too large");
	put_csv("1,a\n2,a\n3,a\n4,a\n5,a\n");
	refused("csv", "set.csv", "one class");
	refused("csv", "missing.csv", "missing.csv");
}
END_TEST

START_TEST(a_csv_without_classes_is_recognised)
{
	struct text text = TEXT_INIT;

	for (int i = 0; i <= DATASET_CLASSES_MAX; i++)
		text_printf(&text, "1,%d.5\n", i);
	put_csv(text.data);
	refused("csv", "set.csv", "is it the class?");
	text_done(&text);
}
END_TEST

/* ---- synthetic ------------------------------------------------------------------ */

START_TEST(synthetic_has_the_size_it_was_asked_for)
{
	struct dataset *set = dataset_open("synthetic:1000x20x4", 1, NULL);

	ck_assert_uint_eq(set->features, 20);
	ck_assert_uint_eq(set->classes, 4);
	ck_assert_uint_eq(set->train.samples, 900);
	ck_assert_uint_eq(set->test.samples, 100);
	dataset_free(set);
}
END_TEST

START_TEST(another_seed_is_another_synthetic_set)
{
	struct dataset *a = any_kind(2, 1), *b = any_kind(2, 2);

	ck_assert_mem_ne(a->train.x, b->train.x, 16 * sizeof(float));
	dataset_free(a);
	dataset_free(b);
}
END_TEST

static const char *const bad_sizes[] = {
	"synthetic:",
	"synthetic:100",
	"synthetic:100x5",
	"synthetic:9x5x2",
	"synthetic:100x0x2",
	"synthetic:100x5x1",
	"synthetic:100x5x2x1",
	"synthetic:-100x5x2",
	"synthetic:100x5x2000",
	"synthetic:100x70000x2",
	"synthetic:99999999999x1x2",
	"synthetic:999999999x60000x2",
};

START_TEST(bad_synthetic_sizes_are_refused)
{
	struct err err = { 0 };

	ck_assert_ptr_null(dataset_open(bad_sizes[_i], 1, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "data set synthetic: "));
}
END_TEST

Suite *dataset_suite(void);
Suite *dataset_suite(void)
{
	Suite *suite = suite_create("dataset");
	TCase *tc = tcase_create("sets");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_loop_test(tc, labels_are_classes_and_features_finite, 0, 3);
	tcase_add_loop_test(tc, the_same_seed_gives_the_same_bits, 0, 3);
	tcase_add_test(tc, unknown_set_is_refused_with_the_nearest_name);
	tcase_add_test(tc, missing_fashion_mnist_names_the_package);
	tcase_add_test(tc, the_environment_moves_fashion_mnist);
	tcase_add_test(tc, idx_pixels_become_fractions);
	tcase_add_test(tc, idx_reads_gzip);
	tcase_add_test(tc, idx_without_a_folder_or_a_file_says_which);
	tcase_add_test(tc, damaged_idx_files_are_refused);
	tcase_add_test(tc, idx_parts_must_have_the_same_pixels);
	tcase_add_test(tc, idx_of_one_class_is_refused);
	tcase_add_test(tc, csv_recognises_a_header_and_orders_words);
	tcase_add_test(tc, csv_orders_numbers_by_value);
	tcase_add_test(tc, another_seed_splits_a_csv_otherwise);
	tcase_add_test(tc, damaged_csv_files_are_refused_with_their_line);
	tcase_add_test(tc, a_csv_without_classes_is_recognised);
	tcase_add_test(tc, synthetic_has_the_size_it_was_asked_for);
	tcase_add_test(tc, another_seed_is_another_synthetic_set);
	tcase_add_loop_test(tc, bad_synthetic_sizes_are_refused, 0,
			    (int)(sizeof(bad_sizes) / sizeof(bad_sizes[0])));
	suite_add_tcase(suite, tc);
	return suite;
}
