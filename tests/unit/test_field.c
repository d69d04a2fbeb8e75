/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"

struct sample {
	bool on;
	int64_t rounds;
	double share, window, power, budget, size;
	char *name;
	int loss;
	struct field_list to, models;
	double cost;
	int calls;
	bool loud;
};

static int count_call(void *values, const char *text, struct err *err)
{
	struct sample *sample = values;

	if (!strcmp(text, "bad"))
		return err_set(err, 22, "expected a good one");
	sample->calls++;
	return 0;
}

static const char *const losses[] = { "ce", "mse", "smooth", NULL };

static const struct field fields[] = {
	{ "on", FIELD_BOOL, offsetof(struct sample, on), .help = "" },
	{ "rounds", FIELD_INT, offsetof(struct sample, rounds), .initial = "30",
	  .min = 1, .max = 1000 },
	{ "share", FIELD_REAL, offsetof(struct sample, share), .initial = "0.5",
	  .min = 0, .max = 1 },
	{ "window", FIELD_SECONDS, offsetof(struct sample, window),
	  .initial = "1s", .min = 0.01, .max = 3600 },
	{ "power", FIELD_WATTS, offsetof(struct sample, power), .help = "" },
	{ "budget", FIELD_JOULES, offsetof(struct sample, budget), .min = 1,
	  .max = 0 },
	{ "size", FIELD_BYTES, offsetof(struct sample, size), .help = "" },
	{ "name", FIELD_TEXT, offsetof(struct sample, name), .help = "" },
	{ "loss", FIELD_CHOICE, offsetof(struct sample, loss),
	  .choices = losses, .initial = "mse" },
	{ "to", FIELD_LIST, offsetof(struct sample, to), .help = "" },
	{ "models", FIELD_WORDS, offsetof(struct sample, models),
	  .initial = "a,b" },
	{ "radio.joules-per_byte", FIELD_REAL, offsetof(struct sample, cost),
	  .help = "" },
	{ "call", FIELD_CALL, 0, .set = count_call },
	{ "loud", FIELD_BOOL, offsetof(struct sample, loud), .unlisted = true },
	FIELD_END
};

static struct sample sample;
static struct config config;
static struct err err;

static void setup(void)
{
	sample = (struct sample){ 0 };
	err = (struct err){ 0 };
	config_init(&config, fields, &sample);
}

static void teardown(void)
{
	config_done(&config);
}

static int set_option(const char *name, const char *text)
{
	return config_set(&config, name, text, FIELD_FROM_OPTION, "--option",
			  &err);
}

static int set_json(const char *text)
{
	struct doc *doc = doc_parse(text, strlen(text), &err);
	int failed;

	ck_assert_msg(doc != NULL, "%s", err.text);
	failed = config_set_doc(&config, doc, "fl.json", &err);
	doc_free(doc);
	return failed;
}

START_TEST(defaults_are_set)
{
	ck_assert_int_eq(sample.rounds, 30);
	ck_assert_double_eq(sample.window, 1.0);
	ck_assert_int_eq(sample.loss, 1);
	ck_assert_uint_eq(sample.models.count, 2);
	ck_assert_str_eq(sample.models.item[1], "b");
	ck_assert_ptr_null(sample.name);
	ck_assert(!config_given(&config, "rounds"));
}
END_TEST

START_TEST(every_type_is_read)
{
	ck_assert_int_eq(set_option("on", "yes"), 0);
	ck_assert_int_eq(set_option("rounds", "12"), 0);
	ck_assert_int_eq(set_option("share", "0.25"), 0);
	ck_assert_int_eq(set_option("window", "200ms"), 0);
	ck_assert_int_eq(set_option("power", "250mW"), 0);
	ck_assert_int_eq(set_option("budget", "3kJ"), 0);
	ck_assert_int_eq(set_option("size", "64KiB"), 0);
	ck_assert_int_eq(set_option("name", "x y"), 0);
	ck_assert_int_eq(set_option("loss", "smooth"), 0);
	ck_assert_int_eq(set_option("call", "x"), 0);
	ck_assert(sample.on);
	ck_assert_int_eq(sample.rounds, 12);
	ck_assert_double_eq(sample.share, 0.25);
	ck_assert_double_eq_tol(sample.window, 0.2, 1e-15);
	ck_assert_double_eq_tol(sample.power, 0.25, 1e-15);
	ck_assert_double_eq(sample.budget, 3000);
	ck_assert_double_eq(sample.size, 65536);
	ck_assert_str_eq(sample.name, "x y");
	ck_assert_int_eq(sample.loss, 2);
	ck_assert_int_eq(sample.calls, 1);
	ck_assert(config_given(&config, "rounds"));
}
END_TEST

static const struct {
	const char *name, *text, *message;
} refused[] = {
	{ "on", "maybe", "--option: expected yes or no, found 'maybe'" },
	{ "rounds", "3.5", "--option: expected a whole number, found '3.5'" },
	{ "rounds", "", "--option: expected a whole number, found ''" },
	{ "rounds", " 3", "--option: expected a whole number, found ' 3'" },
	{ "rounds", "0", "--option: expected 1 to 1000, found '0'" },
	{ "rounds", "99999999999999999999",
	  "--option: expected a whole number, found '99999999999999999999'" },
	{ "share", "nan", "--option: expected a number, found 'nan'" },
	{ "share", "1.01", "--option: expected 0 to 1, found '1.01'" },
	{ "window", "2h", "--option: expected 10 ms to 1 h, found '2h'" },
	{ "budget", "0.5J", "--option: expected at least 1 J, found '0.5J'" },
	{ "loss", "l2", "--option: expected ce, mse or smooth, found 'l2'" },
	{ "call", "bad", "--option: expected a good one" },
	{ "ruonds", "3",
	  "--option: unknown key 'ruonds' (did you mean 'rounds'?)" },
	{ "zzzzzz", "3", "--option: unknown key 'zzzzzz'" },
	{ "radio.joules", "3",
	  "--option: unknown key 'radio.joules' "
	  "(did you mean 'radio.joules-per_byte'?)" },
};

START_TEST(bad_values_are_refused_in_a_sentence)
{
	ck_assert_int_eq(set_option(refused[_i].name, refused[_i].text), -1);
	ck_assert_str_eq(err.text, refused[_i].message);
	ck_assert_int_eq(sample.rounds, 30);
	ck_assert_int_eq(sample.loss, 1);
}
END_TEST

START_TEST(a_bad_quantity_names_its_units)
{
	ck_assert_int_eq(set_option("window", "5 parsecs"), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "--option: expected"));
	ck_assert_ptr_nonnull(strstr(err.text, "ms"));
}
END_TEST

START_TEST(stronger_origins_win_in_any_order)
{
	static const enum field_origin order[][4] = {
		{ FIELD_FROM_FILE, FIELD_FROM_ENVIRONMENT, FIELD_FROM_SET,
		  FIELD_FROM_OPTION },
		{ FIELD_FROM_OPTION, FIELD_FROM_SET, FIELD_FROM_ENVIRONMENT,
		  FIELD_FROM_FILE },
		{ FIELD_FROM_SET, FIELD_FROM_OPTION, FIELD_FROM_FILE,
		  FIELD_FROM_ENVIRONMENT },
	};

	for (int i = 0; i < 4; i++) {
		char text[2] = { (char)('0' + (int)order[_i][i]), '\0' };

		ck_assert_int_eq(config_set(&config, "rounds", text,
					    order[_i][i], "somewhere", &err),
				 0);
		ck_assert_int_eq(config_set(&config, "to", text, order[_i][i],
					    "somewhere", &err),
				 0);
	}
	ck_assert_int_eq(sample.rounds, FIELD_FROM_OPTION);
	ck_assert_uint_eq(sample.to.count, 1);
	ck_assert_str_eq(sample.to.item[0], "4");
}
END_TEST

START_TEST(a_weaker_value_is_still_checked)
{
	ck_assert_int_eq(set_option("rounds", "5"), 0);
	ck_assert_int_eq(config_set_pair(&config, "rounds=many", &err), -1);
	ck_assert_str_eq(err.text,
			 "--set rounds: expected a whole number, found 'many'");
	ck_assert_int_eq(sample.rounds, 5);
}
END_TEST

START_TEST(lists_append_within_an_origin_and_replace_weaker_ones)
{
	ck_assert_int_eq(set_json("{\"models\": [\"x\"], \"to\": \"t,u\"}"), 0);
	ck_assert_uint_eq(sample.models.count, 1);
	ck_assert_uint_eq(sample.to.count, 1);
	ck_assert_str_eq(sample.to.item[0], "t,u");
	ck_assert_int_eq(set_option("models", "p,q"), 0);
	ck_assert_int_eq(set_option("models", "r"), 0);
	ck_assert_uint_eq(sample.models.count, 3);
	ck_assert(field_list_has(&sample.models, "q"));
	ck_assert(!field_list_has(&sample.models, "x"));
}
END_TEST

START_TEST(an_empty_list_can_be_given)
{
	ck_assert_int_eq(set_json("{\"models\": []}"), 0);
	ck_assert_uint_eq(sample.models.count, 0);
}
END_TEST

START_TEST(set_takes_a_pair)
{
	ck_assert_int_eq(config_set_pair(&config, "name=a=b", &err), 0);
	ck_assert_str_eq(sample.name, "a=b");
	ck_assert_int_eq(config_set_pair(&config, "name", &err), -1);
	ck_assert_str_eq(err.text, "--set: expected KEY=VALUE, found 'name'");
	ck_assert_int_eq(config_set_pair(&config, "=3", &err), -1);
}
END_TEST

START_TEST(a_document_is_read)
{
	ck_assert_int_eq(
		set_json("{\"schema\": \"x/1\", \"rounds\": 7, \"on\": true,"
			 "\"window\": \"2 s\", \"power\": 3, \"share\": 1,"
			 "\"loss\": \"ce\", \"name\": \"n\", \"call\": 3,"
			 "\"models\": [8, \"m\"],"
			 "\"radio\": {\"joules-per_byte\": 1e-7}}"),
		0);
	ck_assert_int_eq(sample.rounds, 7);
	ck_assert(sample.on);
	ck_assert_double_eq(sample.window, 2);
	ck_assert_double_eq(sample.power, 3);
	ck_assert_double_eq(sample.cost, 1e-7);
	ck_assert_str_eq(sample.models.item[0], "8");
	ck_assert_int_eq(sample.calls, 1);
}
END_TEST

static const struct {
	const char *json, *message;
} damaged[] = {
	{ "{\"rounds\": \"7\"}",
	  "fl.json: rounds: expected a whole number, found text" },
	{ "{\"rounds\": 7.5}",
	  "fl.json: rounds: expected a whole number, found a real number" },
	{ "{\"rounds\": 0}", "fl.json: rounds: expected 1 to 1000, found '0'" },
	{ "{\"on\": 1}",
	  "fl.json: on: expected true or false, found a whole number" },
	{ "{\"name\": null}", "fl.json: name: expected text, found null" },
	{ "{\"name\": {\"x\": 1}}",
	  "fl.json: name: expected text, found an object" },
	{ "{\"models\": [[1]]}",
	  "fl.json: models[0]: expected text, found an array" },
	{ "{\"name\": [\"x\"]}",
	  "fl.json: name: expected text, found an array" },
	{ "{\"radio\": {\"joules_per_byte\": 1}}",
	  "fl.json: unknown key 'radio.joules_per_byte' "
	  "(did you mean 'radio.joules-per_byte'?)" },
	{ "{\"radio\": 3}", "fl.json: unknown key 'radio' "
			    "(did you mean 'radio.joules-per_byte'?)" },
	{ "[]", "fl.json: expected an object, found an array" },
};

START_TEST(a_wrong_document_is_refused_in_a_sentence)
{
	ck_assert_int_eq(set_json(damaged[_i].json), -1);
	ck_assert_str_eq(err.text, damaged[_i].message);
}
END_TEST

START_TEST(the_environment_is_read)
{
	setenv("FEDWATTS_FL_ROUNDS", "9", 1);
	setenv("FEDWATTS_FL_RADIO__JOULES_PER_BYTE", "2", 1);
	setenv("FEDWATTS_BENCH_ROUNDS", "x", 1);
	setenv("FEDWATTS_DEVICE", "x", 1);
	ck_assert_msg(config_set_environment(&config, "fl", &err) == 0, "%s",
		      err.text);
	ck_assert_int_eq(sample.rounds, 9);
	ck_assert_double_eq(sample.cost, 2);
}
END_TEST

START_TEST(an_unknown_variable_is_refused)
{
	setenv("FEDWATTS_FL_ROUND", "9", 1);
	ck_assert_int_eq(config_set_environment(&config, "fl", &err), -1);
	ck_assert_str_eq(err.text,
			 "FEDWATTS_FL_ROUND: unknown environment variable "
			 "(did you mean FEDWATTS_FL_ROUNDS?)");
}
END_TEST

START_TEST(a_variable_of_another_command_is_passed_over)
{
	static const struct field theirs[] = {
		{ "round", FIELD_INT, 0, .help = "" }, FIELD_END
	};
	const struct field *const others[] = { theirs, NULL };

	setenv("FEDWATTS_FL_ROUND", "x", 1);
	config.others = others;
	ck_assert_int_eq(config_set_environment(&config, "fl", &err), 0);
}
END_TEST

START_TEST(a_bad_variable_is_named)
{
	setenv("FEDWATTS_FL_ROUNDS", "x", 1);
	ck_assert_int_eq(config_set_environment(&config, "fl", &err), -1);
	ck_assert_str_eq(err.text, "FEDWATTS_FL_ROUNDS: expected a whole "
				   "number, found 'x'");
}
END_TEST

START_TEST(a_config_is_printed_with_its_origins)
{
	char *shown = NULL;
	size_t length;
	FILE *out = open_memstream(&shown, &length);

	set_option("window", "200ms");
	set_json("{\"rounds\": 3}");
	config_print(&config, out);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(shown, "= 0.2s  (--option)\n"));
	ck_assert_ptr_nonnull(strstr(shown, "= 3  (fl.json)\n"));
	ck_assert_ptr_nonnull(strstr(shown, "= a,b  (default)\n"));
	ck_assert_ptr_nonnull(strstr(shown, "= -  (default)\n"));
	ck_assert_ptr_null(strstr(shown, "loud"));
	free(shown);
}
END_TEST

START_TEST(a_config_as_a_document_reads_back)
{
	struct doc *doc;
	char *text;

	set_option("window", "0.1");
	set_option("radio.joules-per_byte", "1e-7");
	set_option("loud", "yes");
	doc = config_to_doc(&config);
	text = doc_to_text(doc);
	ck_assert_str_eq(text, "{\"on\":false,\"rounds\":30,\"share\":0.5,"
			       "\"window\":0.1,\"power\":0.0,\"budget\":0.0,"
			       "\"size\":0.0,\"loss\":\"mse\",\"to\":[],"
			       "\"models\":[\"a\",\"b\"],"
			       "\"radio\":{\"joules-per_byte\":1e-07}}");
	free(text);
	doc_free(doc);
}
END_TEST

START_TEST(the_nearest_word_is_found)
{
	static const char *const words[] = { "window", "warmup", "models",
					     NULL };

	ck_assert_str_eq(field_nearest("windwo", words), "window");
	ck_assert_str_eq(field_nearest("model", words), "models");
	ck_assert_str_eq(field_nearest("wramup", words), "warmup");
	ck_assert_ptr_null(field_nearest("xyz", words));
	ck_assert_ptr_null(field_nearest("", words));
}
END_TEST

Suite *field_suite(void);

Suite *field_suite(void)
{
	Suite *suite = suite_create("field");
	TCase *tcase = tcase_create("field");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, defaults_are_set);
	tcase_add_test(tcase, every_type_is_read);
	tcase_add_loop_test(tcase, bad_values_are_refused_in_a_sentence, 0,
			    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tcase, a_bad_quantity_names_its_units);
	tcase_add_loop_test(tcase, stronger_origins_win_in_any_order, 0, 3);
	tcase_add_test(tcase, a_weaker_value_is_still_checked);
	tcase_add_test(tcase,
		       lists_append_within_an_origin_and_replace_weaker_ones);
	tcase_add_test(tcase, an_empty_list_can_be_given);
	tcase_add_test(tcase, set_takes_a_pair);
	tcase_add_test(tcase, a_document_is_read);
	tcase_add_loop_test(tcase, a_wrong_document_is_refused_in_a_sentence, 0,
			    sizeof(damaged) / sizeof(damaged[0]));
	tcase_add_test(tcase, the_environment_is_read);
	tcase_add_test(tcase, an_unknown_variable_is_refused);
	tcase_add_test(tcase, a_variable_of_another_command_is_passed_over);
	tcase_add_test(tcase, a_bad_variable_is_named);
	tcase_add_test(tcase, a_config_is_printed_with_its_origins);
	tcase_add_test(tcase, a_config_as_a_document_reads_back);
	tcase_add_test(tcase, the_nearest_word_is_found);
	suite_add_tcase(suite, tcase);
	return suite;
}
