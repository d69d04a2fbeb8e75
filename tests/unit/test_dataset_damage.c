/* SPDX-License-Identifier: BSD-3-Clause */
/* What each reader says of files that are corrupt, truncated, too large or
 * called what they are not: one sentence with what, where and, where there is
 * one, the remedy. */
#include "tests/unit/dataset_files.h"

/* A well-formed set with one file replaced by `text`, or, without text, with
 * `bytes` of it kept (less than 0: so many fewer) and byte `at` set to
 * `value`. */
static const struct damage {
	const char *set;
	void (*make)(void);
	const char *file, *text;
	long bytes, at;
	unsigned char value;
	const char *says;
} damages[] = {
	/* idx */
	{ "idx:.", make_idx, "train-images-idx3-ubyte", .at = 3, .value = 1,
	  .says = "./train-images-idx3-ubyte: wrong magic 0x00000801, expected "
		  "0x00000803 (images and labels mixed up?)" },
	{ "idx:.", make_idx, "t10k-labels-idx1-ubyte", .at = 2, .value = 13,
	  .says = "wrong magic 0x00000d01, expected 0x00000801 (is it an IDX "
		  "file of labels?)" },
	{ "idx:.", make_idx, "train-images-idx3-ubyte", .bytes = -1, .at = -1,
	  .says = "truncated: 11 bytes where its header promises 12" },
	{ "idx:.", make_idx, "train-images-idx3-ubyte", .bytes = 9, .at = -1,
	  .says = "truncated: no header" },
	{ "idx:.", make_idx, "train-images-idx3-ubyte", "", .at = -1,
	  .says = "truncated: no header" },
	{ "idx:.", make_idx, "train-images-idx3-ubyte", .at = 7, .value = 0,
	  .says = "no samples" },
	{ "idx:.", make_idx, "train-images-idx3-ubyte", .at = 7, .value = 2,
	  .says = "longer than the 8 bytes that its header promises" },
	{ "idx:.", make_idx, "train-images-idx3-ubyte", .at = 4, .value = 0xff,
	  .says = "truncated: 12 bytes where its header promises 17112760332" },
	{ "idx:.", make_idx, "train-images-idx3-ubyte", .at = 8, .value = 0xff,
	  .says = "pixels, expected 1 … 65536" },
	{ "idx:.", make_idx, "train-labels-idx1-ubyte", .bytes = 10, .at = 7,
	  .value = 2, .says = ".: 3 train images but 2 labels" },
	/* csv, tsv */
	{ "csv:set.csv", make_csv, "set.csv", "", .says = "set.csv: no rows" },
	{ "csv:set.csv", make_csv, "set.csv", "a,b\n",
	  .says = "set.csv: no rows behind the header" },
	{ "csv:set.csv", make_csv, "set.csv", "1\n2\n3\n",
	  .says = "1 columns; expected features, then the class" },
	{ "csv:set.csv", make_csv, "set.csv", "1,a\n2,b\n3,a,b\n",
	  .says = "set.csv:3: 3 columns where the first row has 2" },
	{ "csv:set.csv", make_csv, "set.csv", "1,a\n2,b\nx,a\n",
	  .says = "set.csv:3: column 1: expected a number, found \"x\"" },
	{ "csv:set.csv", make_csv, "set.csv", "1,a\n?,b\n3,a\n",
	  .says = "found \"?\" (missing=drop leaves such rows out)" },
	{ "csv:set.csv", make_csv, "set.csv", "1,a\n1e39,b\n",
	  .says = "set.csv:2: column 1: 1e39 is too large" },
	{ "csv:set.csv", make_csv, "set.csv", "1,a\n2,a\n3,a\n",
	  .says = "all samples are of one class" },
	{ "csv:set.csv?test=0.1", make_csv, "set.csv", "1,a\n",
	  .says = "holds out none to be tested on (test=SHARE asks for more)" },
	{ "csv:set.csv?label=num", make_csv, "set.csv", "a,b\n1,a\n2,b\n",
	  .says = "set.csv: no column 'num' for label= (a name of the first "
		  "row, 1 … 2, or \"last\"; the first row begins \"a\")" },
	{ "csv:set.csv?label=1&user=a", make_csv, "set.csv", "a,b\n1,a\n2,b\n",
	  .says = "column 1 cannot be label and user" },
	{ "csv:set.csv?test=0.95", make_csv, "set.csv", "a,b\n1,a\n2,b\n",
	  .says = "test" },
	{ "csv:set.csv?missing=maybe", make_csv, "set.csv", "a,b\n1,a\n",
	  .says = "refuse or drop" },
	{ "tsv:tables?label=2&user=1", make_tsv, "tables/test.tsv",
	  "a\tb\n1\t2\n",
	  .says = "tables/test.tsv: 2 columns where the training part has 3" },
	/* npy */
	{ "npy:.", make_npy, "x.npy", "hello, I am text", .at = -1,
	  .says = "x: no NumPy array: wrong magic" },
	{ "npy:.", make_npy, "x.npy", .at = 6, .value = 4,
	  .says = "format version 4, expected 1 to 3" },
	{ "npy:.", make_npy, "x.npy", .bytes = -3, .at = -1,
	  .says = "x: truncated: 37 bytes where its header promises 40" },
	{ "npy:.", make_npy, "x.npy", .bytes = 50, .at = -1,
	  .says = "x: truncated: no header" },
	{ "npy:.", make_npy, "x.npy", .at = 10, .value = '[',
	  .says = "x: damaged header" },
	{ "npy:.", make_npy, "x.npy", .at = 22, .value = 'c',
	  .says = "elements of type '<c4' (there are u1 … u8, i1 … i8, f2, f4, "
		  "f8, b1)" },
	{ "npy:.", make_npy, "x.npy", .at = 22, .value = 'O',
	  .says = "objects are not read: save numbers" },
	{ "npy:.", make_npy, "x.npy", .at = 135, .value = 0x7f,
	  .says = "x: sample 0, feature 1: not a finite number" },
	{ "npy:.", make_npy, "y.npy", .at = 128, .value = 0xff,
	  .says = "" }, /* 255 is a class */
	{ "npy:.", make_npy, "y.npy", .at = 135, .value = 0xff,
	  .says = "y: sample 0: -7.20576e+16 is no whole number from 0 to "
		  "999" },
	/* cifar */
	{ "cifar:.", make_cifar, "data_batch_2.bin", .at = 0, .value = 10,
	  .says = "./data_batch_2.bin: record 0: label 10, expected 0 … 9" },
	{ "cifar:.", make_cifar, "data_batch_1.bin", .bytes = -1, .at = -1,
	  .says = "data_batch_1.bin: 6145 bytes are no whole number of records "
		  "of 3073 (truncated, or no CIFAR-10?)" },
	{ "cifar:.", make_cifar, "test_batch.bin", "", .at = -1,
	  .says = "test_batch.bin: no samples" },
	{ "cifar:.", make_cifar100, "test.bin", .at = 1, .value = 100,
	  .says = "test.bin: record 0: label 100, expected 0 … 99" },
	/* leaf */
	{ "leaf:.", make_leaf, "train/b.json", "{\"users\": [",
	  .says = "./train/b.json: line 1" },
	{ "leaf:.", make_leaf, "train/b.json", "[]",
	  .says = "expected an object of users, num_samples and user_data" },
	{ "leaf:.", make_leaf, "train/b.json", "{\"users\": []}",
	  .says = "user_data: missing" },
	{ "leaf:.", make_leaf, "train/b.json",
	  "{\"users\": [\"w\"], \"user_data\": {}}",
	  .says = "user_data: no object for user 0 (w)" },
	{ "leaf:.", make_leaf, "train/b.json",
	  "{\"users\": [\"w\"], \"num_samples\": [2], \"user_data\": {\"w\": "
	  "{\"x\": [[5, 6]], \"y\": [1]}}}",
	  .says = "user w: num_samples promises another number than the 1 "
		  "samples there are" },
	{ "leaf:.", make_leaf, "train/b.json",
	  "{\"users\": [\"w\"], \"user_data\": {\"w\": {\"x\": [[5]], \"y\": "
	  "[1]}}}",
	  .says = "user w: sample 0: x: 1 features where the first has 2" },
	{ "leaf:.", make_leaf, "train/b.json",
	  "{\"users\": [\"w\"], \"user_data\": {\"w\": {\"x\": [\"word\"], "
	  "\"y\": [1]}}}",
	  .says = "x: 4 features where the first has 2" },
	{ "leaf:.", make_leaf, "train/b.json",
	  "{\"users\": [\"w\"], \"user_data\": {\"w\": {\"x\": [[5, 6]], "
	  "\"y\": [1.5]}}}",
	  .says = "y: expected a whole number from 0 to 999" },
	{ "leaf:.", make_leaf, "train/b.json",
	  "{\"users\": [\"w\"], \"user_data\": {\"w\": {\"x\": [\"a#\"], \"y\": "
	  "[\"b\"]}}}",
	  .says = "x: character 0x23 is none of LEAF's 80" },
	{ "leaf:.", make_leaf, "train/b.json",
	  "{\"users\": [\"w\"], \"user_data\": {\"w\": {\"x\": [[]], \"y\": "
	  "[1]}}}",
	  .says = "x: expected 1 … 65536 numbers or characters" },
	/* heart */
	{ "heart:.", make_heart, "processed.va.data", "63,1,4\n",
	  .says = "./processed.va.data:1: 3 columns, expected 14 (age … num)" },
	{ "heart:.", make_heart, "processed.va.data",
	  "63,1,5,140,260,0,1,112,1,3,2,?,?,2\n",
	  .says = "column 3 (cp): impossible value 5" },
	{ "heart:.", make_heart, "processed.va.data",
	  "63,1,4,140,260,0,1,x,1,3,2,?,?,2\n",
	  .says = "processed.va.data:1: column 8: expected a number" },
	{ "heart:.", make_heart, "processed.va.data",
	  "63,1,4,140,?,0,1,112,1,3,2,?,?,2\n",
	  .says = "no rows without missing values" },
	/* har */
	{ "har:.", make_har, "train/X_train.txt", "1 2 3\n4 5\n6 7 8\n",
	  .says = "./train/X_train.txt:2: fewer than the 3 features of the "
		  "first row" },
	{ "har:.", make_har, "test/X_test.txt", "1 2 3 4\n",
	  .says = "X_test.txt:1: more than the 3 features" },
	{ "har:.", make_har, "train/X_train.txt", "1 2 0x3\n",
	  .says = "X_train.txt:1: expected a number, found \"0x3\"" },
	{ "har:.", make_har, "train/X_train.txt", "",
	  .says = "X_train.txt: 0 features" },
	{ "har:.", make_har, "train/y_train.txt", "1\n2\n",
	  .says = "train/y_train.txt: ends before the samples do" },
	{ "har:.", make_har, "train/y_train.txt", "1\n2\n3\n4\n",
	  .says = "train/y_train.txt:4: more lines than samples" },
	{ "har:.", make_har, "train/subject_train.txt", "1\n0\n3\n",
	  .says = "subject_train.txt:2: 0 is no whole number from 1 to" },
};
#define DAMAGES ((int)(sizeof(damages) / sizeof(damages[0])))

static void put_damaged(const struct damage *damage)
{
	size_t length;
	unsigned char *bytes;

	if (damage->text) {
		scratch_write(damage->file, damage->text);
		return;
	}
	bytes = get_bytes(damage->file, &length);
	if (damage->at >= 0)
		bytes[damage->at] = damage->value;
	if (damage->bytes)
		length = damage->bytes > 0 ? (size_t)damage->bytes
					   : length - (size_t)-damage->bytes;
	put_bytes(damage->file, bytes, length);
	free(bytes);
}

START_TEST(damaged_files_are_refused_with_a_sentence)
{
	const struct damage *damage = &damages[_i];

	damage->make();
	put_damaged(damage);
	if (*damage->says)
		refused(damage->set, damage->says);
	else
		dataset_free(dataset_sample_open(damage->set, 1));
}
END_TEST

/* Packed files, of every kind that has them. */
START_TEST(packed_files_that_are_cut_or_damaged_are_refused)
{
	const struct dataset_sample *sample = &dataset_samples[_i];

	if (!sample->file)
		return;
	for (int xz = 0; xz < 2; xz++) {
		char *path = xasprintf("%s.%s", sample->file, xz ? "xz" : "gz");
		unsigned char *bytes;
		size_t length;

		sample->make();
		pack(sample->file, xz);
		bytes = get_bytes(path, &length);
		put_bytes(path, bytes, length - 9);
		refused(sample->set, "truncated: the compressed data end too "
				     "early");
		refused(sample->set, path);
		bytes[length - 6] ^= 0x55u; /* a checksum, or what counts it */
		put_bytes(path, bytes, length);
		refused(sample->set, "damaged: ");
		unlink(path);
		free(bytes);
		free(path);
	}
}
END_TEST

START_TEST(a_damaged_archive_is_refused)
{
	unsigned char *bytes;
	size_t length, at;

	make_npz();
	bytes = get_bytes("set.npz", &length);
	put_bytes("set.npz", bytes, length / 2);
	refused("npz:set.npz", "set.npz: no NumPy archive: ");
	/* A stored array with another byte than its checksum says. */
	for (at = 0; memcmp(bytes + at, "\0\63\1\1", 4) != 0; at++)
		if (bytes[at] == 0 && bytes[at + 1] == 1 && bytes[at + 2] == 1)
			break;
	bytes[at] = 7;
	put_bytes("set.npz", bytes, length);
	refused("npz:set.npz", "set.npz: y_train.npy: damaged: CRC");
	scratch_write("set.npz", "hello");
	refused("npz:set.npz", "no NumPy archive");
	free(bytes);
}
END_TEST

START_TEST(arrays_that_do_not_fit_each_other_are_refused)
{
	make_npy();
	put_npy("y.npy", "<i8", false, "(4,)", some_labels, 32);
	refused("npy:.", "y: 4 values in 1 dimensions; expected one for each "
			 "of 5 samples");
	put_npy("y.npy", "<f4", false, "(5,)", some_reals, 20);
	refused("npy:.", "y: sample 0: 0.5 is no whole number");
	put_npy("x.npy", "<f4", false, "(10,)", some_reals, 40);
	refused("npy:.", "x: 1 dimensions; expected samples × features");
	put_npy("x.npy", "<f4", false, "(0, 2)", some_reals, 0);
	refused("npy:.", "x: no samples");
	put_npy("x.npy", "<f4", false, "(5, 0)", some_reals, 0);
	refused("npy:.", "x: a sample has more than 65536 values, or none");
	unlink("x.npy");
	refused("npy:.", "no array x (x and y, or x_train");
}
END_TEST

START_TEST(a_csv_without_classes_is_recognised)
{
	struct text text = TEXT_INIT;

	for (int i = 0; i <= DATASET_CLASSES_MAX; i++)
		text_printf(&text, "1,%d.5\n", i);
	scratch_write("set.csv", text.data);
	refused("csv:set.csv", "column 2: more than 1000 different values (is "
			       "it the class?)");
	text_done(&text);
}
END_TEST

Suite *dataset_damage_suite(void);
Suite *dataset_damage_suite(void)
{
	Suite *suite = suite_create("dataset_damage");
	TCase *tc = tcase_create("damage");

	tcase_add_checked_fixture(tc, scratch_open, scratch_close);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, damaged_files_are_refused_with_a_sentence, 0,
			    DAMAGES);
	tcase_add_loop_test(tc,
			    packed_files_that_are_cut_or_damaged_are_refused, 0,
			    DATASET_SAMPLES);
	tcase_add_test(tc, a_damaged_archive_is_refused);
	tcase_add_test(tc, arrays_that_do_not_fit_each_other_are_refused);
	tcase_add_test(tc, a_csv_without_classes_is_recognised);
	suite_add_tcase(suite, tc);
	return suite;
}
