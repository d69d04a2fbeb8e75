/* SPDX-License-Identifier: BSD-3-Clause */
/* One suite over every kind of data set, then what is special to each. */
#include <errno.h>
#include <math.h>

#include "tests/unit/dataset_files.h"

/* ---- every kind ---------------------------------------------------------------- */

static struct dataset *any_kind(int i, const char *more, uint64_t seed)
{
	const struct dataset_sample *sample = &dataset_samples[i];
	char *set = xasprintf("%s%s%s", sample->set,
			      !*more                     ? ""
			      : strchr(sample->set, '?') ? "&"
							 : "?",
			      more);
	struct dataset *got;

	if (sample->make)
		sample->make();
	got = dataset_sample_open(set, seed);
	ck_assert_str_eq(got->name, set);
	free(set);
	return got;
}

static void check_part(const struct dataset *set,
		       const struct dataset_part *part)
{
	float *x = rows_of(set, part);

	ck_assert_uint_gt(part->samples, 0);
	ck_assert(!part->user == !set->users);
	for (size_t i = 0; i < part->samples; i++) {
		ck_assert_int_ge(part->label[i], 0);
		ck_assert_uint_lt((size_t)part->label[i], set->classes);
		if (part->user)
			ck_assert_uint_lt(part->user[i], set->users);
	}
	for (size_t i = 0; i < part->samples * set->features; i++)
		ck_assert(isfinite(x[i]));
	free(x);
}

START_TEST(labels_are_classes_and_features_finite)
{
	const struct dataset_sample *sample = &dataset_samples[_i];
	struct dataset *set = any_kind(_i, "", 1);

	check_part(set, &set->train);
	check_part(set, &set->test);
	ck_assert_uint_eq(set->features, sample->features);
	ck_assert_uint_eq(set->classes, sample->classes);
	ck_assert_uint_eq(set->users, sample->users);
	ck_assert_uint_eq(set->train.samples + set->test.samples,
			  sample->samples);
	dataset_free(set);
}
END_TEST

static void same_part(const struct dataset *a, const struct dataset_part *p,
		      const struct dataset *b, const struct dataset_part *q)
{
	float *x = rows_of(a, p), *y = rows_of(b, q);

	ck_assert_uint_eq(a->features, b->features);
	ck_assert_uint_eq(p->samples, q->samples);
	ck_assert_mem_eq(x, y, p->samples * a->features * sizeof(*x));
	ck_assert_mem_eq(p->label, q->label, p->samples * sizeof(*p->label));
	if (p->user)
		ck_assert_mem_eq(p->user, q->user,
				 p->samples * sizeof(*p->user));
	free(x);
	free(y);
}

static void same_and_free(struct dataset *a, struct dataset *b)
{
	same_part(a, &a->train, b, &b->train);
	same_part(a, &a->test, b, &b->test);
	dataset_free(a);
	dataset_free(b);
}

START_TEST(the_same_seed_gives_the_same_bits)
{
	same_and_free(any_kind(_i, "", 5), any_kind(_i, "", 5));
	same_and_free(any_kind(_i, "test=0.4", 5), any_kind(_i, "test=0.4", 5));
}
END_TEST

/* ---- what every kind can be asked for ------------------------------------------ */

START_TEST(packed_files_read_the_same)
{
	const struct dataset_sample *sample = &dataset_samples[_i];

	if (!sample->file)
		return;
	for (int xz = 0; xz < 2; xz++) {
		struct dataset *plain = any_kind(_i, "", 1);
		char *packed =
			xasprintf("%s.%s", sample->file, xz ? "xz" : "gz");

		pack(sample->file, xz);
		same_and_free(plain, dataset_sample_open(sample->set, 1));
		unlink(packed);
		free(packed);
	}
}
END_TEST

START_TEST(a_share_can_be_held_out_of_all_samples)
{
	struct dataset *set = any_kind(_i, "test=0.4", 1);
	size_t all = dataset_samples[_i].samples;

	check_part(set, &set->train);
	check_part(set, &set->test);
	ck_assert_uint_eq(set->train.samples + set->test.samples, all);
	if (!set->users) /* fractions go to the test part */
		ck_assert_uint_eq(set->train.samples, all * 6 / 10);
	/* Whoever is known has a sample to learn from. */
	for (size_t u = 0; u < set->users; u++) {
		size_t i = 0;

		while (i < set->train.samples && set->train.user[i] != u)
			i++;
		ck_assert_uint_lt(i, set->train.samples);
	}
	dataset_free(set);
}
END_TEST

START_TEST(features_can_be_standardised_by_the_training_part)
{
	struct dataset *set = any_kind(_i, "scale=standard", 1);
	float *x = rows_of(set, &set->train);
	size_t n = set->train.samples;

	for (size_t j = 0; j < set->features; j++) {
		double sum = 0.0, square = 0.0;

		for (size_t i = 0; i < n; i++) {
			double value = (double)x[i * set->features + j];

			sum += value;
			square += value * value;
		}
		ck_assert_double_eq_tol(sum, 0.0, 1e-4 * (double)n);
		ck_assert(square < 1e-6 ||
			  fabs(square / (double)n - 1.0) < 1e-4);
	}
	free(x);
	dataset_free(set);
}
END_TEST

START_TEST(features_can_be_brought_between_0_and_1)
{
	struct dataset *set = any_kind(_i, "scale=unit", 1);
	float *x = rows_of(set, &set->train);

	for (size_t i = 0; i < set->train.samples * set->features; i++)
		ck_assert(x[i] >= 0.0f && x[i] <= 1.000001f);
	free(x);
	dataset_free(set);
}
END_TEST

START_TEST(an_unknown_parameter_is_refused_with_those_there_are)
{
	char *set = xasprintf("%s%cscala=unit", dataset_samples[_i].set,
			      strchr(dataset_samples[_i].set, '?') ? '&' : '?');

	refused(set, "unknown parameter 'scala' (there are: scale, test");
	free(set);
}
END_TEST

/* Cut anywhere, a file is refused with a sentence, or what is left of it makes
 * a lawful set. */
START_TEST(a_file_cut_anywhere_is_refused_or_lawful)
{
	const struct dataset_sample *sample = &dataset_samples[_i];
	const char *path = sample->file ? sample->file : "set.npz";
	unsigned char *bytes;
	size_t length, step;

	if (!sample->make)
		return;
	sample->make();
	bytes = get_bytes(path, &length);
	step = 1 + length / 100;
	for (size_t n = 0; n < length; n += step) {
		struct err err = { 0 };
		struct dataset *set;

		put_bytes(path, bytes, n);
		set = dataset_open(sample->set, 1, &err);
		ck_assert(set || (err.code && *err.text));
		if (set)
			check_part(set, &set->train);
		dataset_free(set);
	}
	free(bytes);
}
END_TEST

START_TEST(what_is_not_there_is_named)
{
	const struct dataset_sample *sample = &dataset_samples[_i];
	char *set = xasprintf("%.*s:nowhere", (int)strcspn(sample->set, ":"),
			      sample->set);

	if (sample->make)
		refused(set, "nowhere");
	free(set);
}
END_TEST

/* ---- names -------------------------------------------------------------------- */

START_TEST(unknown_set_is_refused_with_the_nearest_name)
{
	refused("fashion-mnits", "did you mean fashion-mnist?");
	refused("cvs:x", "did you mean csv:…?");
	refused("mongodb:x", "synthetic:NxDxC");
	refused("", "there are fashion-mnist, idx:DIR");
	refused("idx", "unknown");
}
END_TEST

START_TEST(every_form_is_listed)
{
	for (int i = 0; i < DATASET_SAMPLES; i++) {
		char *scheme = xasprintf(
			"%.*s:", (int)strcspn(dataset_samples[i].set, ":"),
			dataset_samples[i].set);

		ck_assert_ptr_nonnull(strstr(dataset_forms(), scheme));
		free(scheme);
	}
}
END_TEST

START_TEST(missing_fashion_mnist_names_the_package)
{
	setenv("FEDWATTS_FASHION_MNIST", "/nowhere/at/all", 1);
	ck_assert_ptr_null(dataset_fashion_mnist());
	refused("fashion-mnist", "/nowhere/at/all");
	refused("fashion-mnist", "apt-get install dataset-fashion-mnist");
}
END_TEST

START_TEST(the_environment_moves_fashion_mnist)
{
	struct dataset *set;

	make_idx();
	setenv("FEDWATTS_FASHION_MNIST", scratch_path, 1);
	ck_assert_str_eq(dataset_fashion_mnist(), scratch_path);
	set = dataset_sample_open("fashion-mnist", 1);
	ck_assert_str_eq(set->name, "fashion-mnist");
	ck_assert_uint_eq(set->features, 4);
	dataset_free(set);
	set = dataset_sample_open("fashion-mnist?scale=none", 1);
	dataset_free(set);
}
END_TEST

/* ---- what each kind makes of its files ------------------------------------------- */

START_TEST(idx_pixels_become_fractions)
{
	struct dataset *set;
	float *x;

	make_idx();
	set = dataset_sample_open("idx:.", 1);
	x = rows_of(set, &set->train);
	ck_assert_double_eq_tol((double)x[8], 0.2, 1e-7);
	ck_assert(x[11] == 1.0f);
	ck_assert_int_eq(set->train.label[1], 2);
	free(x);
	dataset_free(set);
	set = dataset_sample_open("idx:.?scale=none", 1);
	x = rows_of(set, &set->train);
	ck_assert(x[11] == 255.0f);
	free(x);
	dataset_free(set);
}
END_TEST

/* Each class's samples, in both parts. */
static void count_classes(const struct dataset *set, size_t *count)
{
	for (size_t i = 0; i < set->train.samples; i++)
		count[set->train.label[i]]++;
	for (size_t i = 0; i < set->test.samples; i++)
		count[set->test.label[i]]++;
}

START_TEST(csv_recognises_a_header_and_orders_words)
{
	size_t count[3] = { 0 };
	struct dataset *set;

	make_csv();
	set = dataset_sample_open("csv:set.csv", 1);
	ck_assert_uint_eq(set->train.samples, 8);
	count_classes(set, count); /* maybe, no, yes */
	ck_assert_uint_eq(count[0], 2);
	ck_assert_uint_eq(count[1], 4);
	ck_assert_uint_eq(count[2], 4);
	dataset_free(set);
}
END_TEST

START_TEST(csv_orders_numbers_by_value)
{
	size_t count[3] = { 0 };
	struct dataset *set;

	scratch_write("set.csv", "1,10\n1,9\n2,10\n2,9\n3,9\n3,-1\n");
	set = dataset_sample_open("csv:set.csv", 1);
	ck_assert_uint_eq(set->classes, 3);
	count_classes(set, count);
	ck_assert_uint_eq(count[0], 1);
	ck_assert_uint_eq(count[1], 3);
	dataset_free(set);
}
END_TEST

START_TEST(another_seed_splits_a_csv_otherwise)
{
	struct dataset *a, *b;
	float *x, *y;

	make_csv();
	a = dataset_sample_open("csv:set.csv?scale=none", 1);
	b = dataset_sample_open("csv:set.csv?scale=none", 2);
	x = rows_of(a, &a->train);
	y = rows_of(b, &b->train);
	ck_assert_mem_ne(x, y, 16 * sizeof(float));
	free(x);
	free(y);
	dataset_free(a);
	dataset_free(b);
}
END_TEST

START_TEST(csv_leaves_rows_with_missing_values_out_when_asked)
{
	struct dataset *set;

	scratch_write("set.csv", "1,a\n?,b\n2,b\n,a\nNaN,a\n3,?\n4,a\n5,b\n");
	refused("csv:set.csv", "missing=drop leaves such rows out");
	set = dataset_sample_open("csv:set.csv?missing=drop", 1);
	ck_assert_uint_eq(set->train.samples + set->test.samples, 4);
	ck_assert_uint_eq(set->classes, 2);
	dataset_free(set);
}
END_TEST

START_TEST(csv_takes_its_columns_by_name_or_number)
{
	static const char *const sets[] = {
		"csv:set.csv?label=c&scale=none&test=0.5",
		"csv:set.csv?label=1&scale=none&test=0.5&header=yes",
	};

	scratch_write("set.csv", "c,v,who\n1,0.5,3\n2,0.5,3\n1,0.5,3\n"
				 "2,0.5,3\n");
	for (int i = 0; i < 2; i++) {
		struct dataset *set = dataset_sample_open(sets[i], 3);
		float *x = rows_of(set, &set->train);

		ck_assert_uint_eq(set->features, 2);
		ck_assert_uint_eq(set->classes, 2);
		ck_assert(x[0] == 0.5f && x[1] == 3.0f);
		free(x);
		dataset_free(set);
	}
}
END_TEST

START_TEST(heart_centres_are_users_and_categories_features)
{
	struct dataset *set;
	float *x;
	size_t i;

	make_heart();
	set = dataset_sample_open("heart:.?scale=none", 1);
	ck_assert_uint_eq(set->train.samples + set->test.samples, 7);
	x = rows_of(set, &set->train);
	for (i = 0; i < set->train.samples; i++)
		if (x[13 * i] == 67.0f)
			break;
	ck_assert_uint_lt(i, set->train.samples);
	x += 13 * i; /* age, sex, cp is 2, 3, 4, … */
	ck_assert(x[1] == 1.0f && x[2] == 0.0f && x[3] == 0.0f && x[4] == 1.0f);
	ck_assert_int_eq(set->train.label[i], 1);
	ck_assert_uint_eq(set->train.user[i], 0);
	free(x - 13 * i);
	dataset_free(set);
}
END_TEST

START_TEST(cifar_100_has_fine_labels_unless_coarse_ones_are_asked_for)
{
	struct dataset *set;

	make_cifar100();
	set = dataset_sample_open("cifar:.", 1);
	ck_assert_uint_eq(set->classes, 100);
	ck_assert_int_eq(set->train.label[0], 99);
	dataset_free(set);
	set = dataset_sample_open("cifar:.?coarse=yes", 1);
	ck_assert_int_eq(set->train.label[0], 4);
	dataset_free(set);
}
END_TEST

START_TEST(leaf_keeps_numbers_of_classes_and_names_of_users)
{
	struct dataset *set;
	float *x;

	make_leaf();
	set = dataset_sample_open("leaf:.", 1);
	x = rows_of(set, &set->train);
	ck_assert_int_eq(set->train.label[1], 3);
	ck_assert_uint_eq(set->train.user[2], 1);
	ck_assert_uint_eq(set->test.user[0], 0);
	ck_assert(x[4] == 3.0f && x[5] == 4.0f); /* lists of lists */
	free(x);
	dataset_free(set);
}
END_TEST

START_TEST(leaf_text_becomes_places_in_its_alphabet)
{
	struct dataset *set;
	float *x;

	scratch_write("a.json", "{\"users\": [\"u\"], \"user_data\": {\"u\": "
				"{\"x\": [\"\\n }\", \"ab!\"], \"y\": [\"}\", "
				"\"a\"]}}}");
	set = dataset_sample_open("leaf:.?test=0.5", 1);
	x = rows_of(set, &set->train);
	ck_assert_uint_eq(set->classes, 80);
	ck_assert_uint_eq(set->features, 3);
	if (set->train.label[0] == 79)
		ck_assert(x[0] == 0.0f && x[1] == 1.0f && x[2] == 79.0f);
	else
		ck_assert(x[0] == 53.0f && x[1] == 54.0f && x[2] == 2.0f);
	free(x);
	dataset_free(set);
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
	struct dataset *a = dataset_sample_open("synthetic:100x6x3", 1);
	struct dataset *b = dataset_sample_open("synthetic:100x6x3", 2);

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
	refused(bad_sizes[_i], "data set synthetic: ");
}
END_TEST

Suite *dataset_suite(void);
Suite *dataset_suite(void)
{
	Suite *suite = suite_create("dataset");
	TCase *kinds = tcase_create("every kind"), *tc = tcase_create("sets");
	const int n = DATASET_SAMPLES;

	tcase_add_checked_fixture(kinds, scratch_open, scratch_close);
	tcase_set_timeout(kinds, 60);
	tcase_add_loop_test(kinds, labels_are_classes_and_features_finite, 0,
			    n);
	tcase_add_loop_test(kinds, the_same_seed_gives_the_same_bits, 0, n);
	tcase_add_loop_test(kinds, packed_files_read_the_same, 0, n);
	tcase_add_loop_test(kinds, a_share_can_be_held_out_of_all_samples, 0,
			    n);
	tcase_add_loop_test(
		kinds, features_can_be_standardised_by_the_training_part, 0, n);
	tcase_add_loop_test(kinds, features_can_be_brought_between_0_and_1, 0,
			    n);
	tcase_add_loop_test(
		kinds, an_unknown_parameter_is_refused_with_those_there_are, 0,
		n);
	tcase_add_loop_test(kinds, a_file_cut_anywhere_is_refused_or_lawful, 0,
			    n);
	tcase_add_loop_test(kinds, what_is_not_there_is_named, 0, n);
	suite_add_tcase(suite, kinds);

	tcase_add_checked_fixture(tc, scratch_open, scratch_close);
	tcase_add_test(tc, unknown_set_is_refused_with_the_nearest_name);
	tcase_add_test(tc, every_form_is_listed);
	tcase_add_test(tc, missing_fashion_mnist_names_the_package);
	tcase_add_test(tc, the_environment_moves_fashion_mnist);
	tcase_add_test(tc, idx_pixels_become_fractions);
	tcase_add_test(tc, csv_recognises_a_header_and_orders_words);
	tcase_add_test(tc, csv_orders_numbers_by_value);
	tcase_add_test(tc, another_seed_splits_a_csv_otherwise);
	tcase_add_test(tc, csv_leaves_rows_with_missing_values_out_when_asked);
	tcase_add_test(tc, csv_takes_its_columns_by_name_or_number);
	tcase_add_test(tc, heart_centres_are_users_and_categories_features);
	tcase_add_test(
		tc, cifar_100_has_fine_labels_unless_coarse_ones_are_asked_for);
	tcase_add_test(tc, leaf_keeps_numbers_of_classes_and_names_of_users);
	tcase_add_test(tc, leaf_text_becomes_places_in_its_alphabet);
	tcase_add_test(tc, synthetic_has_the_size_it_was_asked_for);
	tcase_add_test(tc, another_seed_is_another_synthetic_set);
	tcase_add_loop_test(tc, bad_synthetic_sizes_are_refused, 0,
			    (int)(sizeof(bad_sizes) / sizeof(bad_sizes[0])));
	suite_add_tcase(suite, tc);
	return suite;
}
