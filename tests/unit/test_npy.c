/* SPDX-License-Identifier: BSD-3-Clause */
/* Elements of every type, order and version become the same numbers. */
#include "tests/unit/dataset_files.h"

#define SAMPLES  4
#define FEATURES 6 /* of 2 × 3 */

static const struct {
	const char *descr;
	size_t size;
	double low; /* the first element; the others follow by 1 */
} types[] = {
	{ "|u1", 1, 3 },      { "|b1", 1, 0 },      { "|i1", 1, -20 },
	{ "<u2", 2, 65500 },  { ">u2", 2, 65500 },  { "<i2", 2, -300 },
	{ ">i2", 2, -300 },   { "<u4", 4, 70000 },  { ">u4", 4, 70000 },
	{ "<i4", 4, -70000 }, { ">i4", 4, -70000 }, { "<u8", 8, 70000 },
	{ ">u8", 8, 70000 },  { "<i8", 8, -70000 }, { ">i8", 8, -70000 },
	{ "<f2", 2, -2 },     { ">f2", 2, -2 },     { "<f4", 4, -2.5 },
	{ ">f4", 4, -2.5 },   { "<f8", 8, -2.5 },   { ">f8", 8, -2.5 },
};
#define TYPES ((int)(sizeof(types) / sizeof(types[0])))

/* What element `i` should read as. */
static double expected(int type, size_t i)
{
	return types[type].descr[1] == 'b' ? (double)(i & 1)
					   : types[type].low + (double)i;
}

/* Small whole numbers, exactly. */
static uint16_t half(double value)
{
	uint16_t sign = value < 0.0 ? 0x8000 : 0;
	unsigned int exponent = 15;

	value = value < 0.0 ? -value : value;
	if (value == 0.0)
		return sign;
	for (; value >= 2.0; value /= 2.0)
		exponent++;
	return (uint16_t)(sign | exponent << 10 |
			  (unsigned int)((value - 1.0) * 1024.0));
}

static void element_put(int type, double value, unsigned char *out)
{
	size_t size = types[type].size;
	uint64_t bits = (uint64_t)(int64_t)value;
	float real = (float)value;

	if (types[type].descr[1] == 'f') {
		bits = 0;
		if (size == 2)
			bits = half(value);
		else if (size == 4)
			memcpy(&bits, &real, 4);
		else
			memcpy(&bits, &value, 8);
	}
	for (size_t i = 0; i < size; i++) {
		size_t at = types[type].descr[0] == '>' ? size - 1 - i : i;

		out[at] = (unsigned char)(bits >> 8 * i);
	}
}

/* Samples × features, in C's or Fortran's order of `shape`. */
static void put_x(int type, bool fortran, int version, bool cube)
{
	unsigned char bytes[SAMPLES * FEATURES * 8];
	struct text out = TEXT_INIT;

	for (size_t i = 0; i < SAMPLES * FEATURES; i++) {
		size_t sample = i / FEATURES, feature = i % FEATURES, at = i;

		if (fortran && cube)
			at = sample +
			     SAMPLES * (feature / 3 + 2 * (feature % 3));
		else if (fortran)
			at = sample + SAMPLES * feature;
		element_put(type, expected(type, i),
			    bytes + at * types[type].size);
	}
	npy_text(&out, version, types[type].descr, fortran,
		 cube ? "(4, 2, 3)" : "(4, 6)", bytes,
		 SAMPLES * FEATURES * types[type].size);
	put_bytes("x.npy", out.data, out.length);
	text_done(&out);
	put_npy("y.npy", "<i8", false, "(4, 1)", some_labels, 32);
}

/* Samples are shuffled: which one a row is follows from its first feature. */
static void check_part(int type, const struct dataset *set,
		       const struct dataset_part *part)
{
	float *x = rows_of(set, part);

	for (size_t i = 0; i < part->samples; i++)
		for (size_t j = 1; j < FEATURES; j++) {
			double first = (double)x[i * FEATURES];
			double wanted = types[type].descr[1] == 'b'
						? (double)(j & 1)
						: first + (double)j;

			ck_assert_msg((double)x[i * FEATURES + j] == wanted,
				      "%s: %g instead of %g", types[type].descr,
				      (double)x[i * FEATURES + j], wanted);
		}
	free(x);
}

START_TEST(elements_of_every_type_and_order_are_read)
{
	for (int version = 1; version <= 3; version++)
		for (int form = 0; form < 4; form++) {
			struct dataset *set;

			put_x(_i, form & 1, version, form & 2);
			set = dataset_sample_open("npy:.?scale=none", 1);
			ck_assert_uint_eq(set->features, FEATURES);
			ck_assert_uint_eq(set->train.samples, 3);
			check_part(_i, set, &set->train);
			check_part(_i, set, &set->test);
			dataset_free(set);
		}
}
END_TEST

/* Parts of different lengths can be pooled, whatever their order. */
START_TEST(parts_in_fortran_order_are_pooled)
{
	static const float train[] = { 1, 2, 3, 11, 12, 13 }; /* 3 × 2 */
	static const float test[] = { 4, 14 };
	struct dataset *set;
	float *x;

	put_npy("x_train.npy", "<f4", true, "(3, 2)", train, sizeof(train));
	put_npy("x_test.npy", "<f4", false, "(1, 2)", test, sizeof(test));
	put_npy("y_train.npy", "<i8", false, "(3,)", some_labels, 24);
	put_npy("y_test.npy", "<i8", false, "(1,)", some_labels, 8);
	for (int pooled = 0; pooled < 2; pooled++) {
		set = dataset_sample_open(pooled ? "npy:.?test=0.5" : "npy:.",
					  1);
		x = rows_of(set, &set->train);
		for (size_t i = 0; i < set->train.samples; i++)
			ck_assert(x[2 * i + 1] == x[2 * i] + 10.0f);
		free(x);
		dataset_free(set);
	}
}
END_TEST

START_TEST(booleans_are_0_and_1)
{
	static const uint8_t bits[] = { 0, 1, 1, 0 };
	struct dataset *set;
	float *x;

	put_npy("x.npy", "|b1", false, "(2, 2)", bits, 4);
	put_npy("y.npy", "|b1", false, "(2,)", bits, 2);
	set = dataset_sample_open("npy:.?test=0.5", 1);
	x = rows_of(set, &set->train);
	ck_assert(x[0] + x[1] == 1.0f);
	free(x);
	dataset_free(set);
}
END_TEST

START_TEST(halves_are_exact)
{
	static const uint16_t bits[] = { 0x3c00, 0xc000, 0x7bff,
					 0x0400, 0x0001, 0x8000 };
	static const double value[] = { 1.0,     -2.0,    65504.0,
					0x1p-14, 0x1p-24, 0.0 };
	struct dataset *set;
	float *x;

	put_npy("x.npy", "<f2", false, "(2, 3)", bits, sizeof(bits));
	put_npy("y.npy", "<i8", false, "(2,)", some_labels, 16);
	set = dataset_sample_open("npy:.?test=0.5", 1);
	x = rows_of(set, &set->train);
	for (size_t j = 0; j < 3; j++)
		ck_assert((double)x[j] ==
			  value[3 * (size_t)set->train.label[0] + j]);
	free(x);
	dataset_free(set);
}
END_TEST

START_TEST(users_come_from_an_array_of_their_own)
{
	static const uint8_t user[] = { 0, 2, 1, 2, 0 };
	struct dataset *set;

	make_npy();
	put_npy("user.npy", "|u1", false, "(5,)", user, 5);
	set = dataset_sample_open("npy:.", 1);
	ck_assert_uint_eq(set->users, 3);
	ck_assert_ptr_nonnull(set->train.user);
	dataset_free(set);
}
END_TEST

/* Plain arrays are not held as floats: they may be larger than memory. */
START_TEST(arrays_stay_as_their_files_have_them)
{
	struct dataset *set;

	make_npy();
	set = dataset_sample_open("npy:.", 1);
	ck_assert_ptr_null(set->train.x);
	ck_assert_ptr_nonnull(set->train.raw);
	dataset_free(set);
}
END_TEST

Suite *npy_suite(void);
Suite *npy_suite(void)
{
	Suite *suite = suite_create("npy");
	TCase *tc = tcase_create("arrays");

	tcase_add_checked_fixture(tc, scratch_open, scratch_close);
	tcase_add_loop_test(tc, elements_of_every_type_and_order_are_read, 0,
			    TYPES);
	tcase_add_test(tc, parts_in_fortran_order_are_pooled);
	tcase_add_test(tc, booleans_are_0_and_1);
	tcase_add_test(tc, halves_are_exact);
	tcase_add_test(tc, users_come_from_an_array_of_their_own);
	tcase_add_test(tc, arrays_stay_as_their_files_have_them);
	suite_add_tcase(suite, tc);
	return suite;
}
