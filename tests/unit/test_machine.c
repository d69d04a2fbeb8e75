/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/text.h"
#include "sensor/hwpc_report.h"
#include "sensor/machine.h"

static struct field_list meters;
static struct machine *machine;

static void open_with(const char *meter)
{
	struct err err = { 0 };

	field_list_add(&meters, meter);
	machine = machine_open(&meters, &err);
	ck_assert_msg(machine != NULL, "%s", err.text);
}

static void teardown(void)
{
	machine_close(machine);
	machine = NULL;
	field_list_done(&meters);
}

static void read_machine(void)
{
	struct err err = { 0 };

	ck_assert_msg(machine_read(machine, NULL, &err) == 0, "%s", err.text);
}

/* The row as whoever reads the document sees it. */
static struct doc *document(struct hwpc_report *report)
{
	struct row row;
	struct batch batch = { 1, "here", &row, 1 };
	struct text text = TEXT_INIT;
	struct doc *doc;

	machine_row(machine, "clock", &row);
	batch_put_json(&batch, &row, &text);
	doc = doc_parse(text.data, text.length, NULL);
	ck_assert_ptr_nonnull(doc);
	ck_assert_int_eq(hwpc_report_read(doc, report, NULL), 0);
	text_done(&text);
	return doc;
}

static double sum_of(const struct hwpc_report *report, const char *event)
{
	double sum = 0.0;

	for (size_t i = 0; i < report->values; i++)
		if (!strcmp(report->value[i].event, event))
			sum += report->value[i].value;
	return sum;
}

static void burn(double seconds)
{
	clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);

	while (clock() < end)
		;
}

START_TEST(sums_of_ticks_lose_no_joule)
{
	struct energy energy = ENERGY_NONE;
	double counts = 0.0;

	open_with("model:idle=0.0333333,cpu=0");
	read_machine();
	for (int i = 0; i < 200; i++) { /* 0.03 W × 1 ms: 33 µJ each */
		struct hwpc_report report;
		struct doc *doc;

		usleep(300);
		read_machine();
		doc = document(&report);
		counts += sum_of(&report, "MACHINE_uj");
		hwpc_report_done(&report);
		doc_free(doc);
	}
	machine_energy(machine, 0, &energy);
	ck_assert_double_gt(energy.joules, 0.0);
	ck_assert_double_eq_tol(1e-6 * counts, energy.joules, 1.01e-6);
}
END_TEST

START_TEST(a_row_has_the_time_of_every_cpu_and_its_own_length)
{
	struct hwpc_report report;
	struct machine_sum sum;
	struct doc *doc;
	double busy_ns;
	size_t cpus = 0;

	open_with("null");
	read_machine();
	burn(0.1);
	read_machine();
	doc = document(&report);
	ck_assert_str_eq(report.target, "all");
	for (size_t i = 0; i < report.values; i++)
		cpus += !strcmp(report.value[i].event, HWPC_TASK_CLOCK);
	ck_assert_uint_ge(cpus, (size_t)sysconf(_SC_NPROCESSORS_ONLN));
	busy_ns = sum_of(&report, HWPC_TASK_CLOCK);
	ck_assert_double_ge(busy_ns, 0.1e9 - 0.02e9 * (double)cpus);
	ck_assert_double_eq_tol(sum_of(&report, "time_enabled"),
				(double)cpus * 1e9 * report.elapsed_s, 1.0);
	machine_sum(machine, &sum);
	ck_assert_double_eq_tol(sum.elapsed_s, report.elapsed_s, 1e-9);
	ck_assert_double_eq_tol(sum.busy_s, 1e-9 * busy_ns, 1e-6);
	ck_assert_str_eq(doc_string(doc_get(report.metadata, "engine"), ""),
			 "clock");
	ck_assert_str_eq(doc_string(doc_get(report.metadata, "cpu_time"), ""),
			 machine_cpu_time(machine));
	hwpc_report_done(&report);
	doc_free(doc);
}
END_TEST

START_TEST(metadata_names_the_source_of_each_joule)
{
	struct hwpc_report report;
	const struct doc *meter;
	struct doc *doc;

	open_with("model:idle=5,cpu=1");
	read_machine();
	usleep(2000);
	read_machine();
	doc = document(&report);
	meter = doc_get(doc_get(report.metadata, "meters"), "MACHINE_uj");
	ck_assert_int_eq(doc_int(doc_get(meter, "source"), -1), ENERGY_GENERIC);
	ck_assert_str_eq(doc_string(doc_get(meter, "meter"), ""), "model");
	ck_assert(doc_bool(doc_get(meter, "counts"), false));
	ck_assert_double_gt(doc_real(doc_get(meter, "sigma_j"), -1), 0.0);
	ck_assert_double_eq(doc_real(doc_get(meter, "scale_lo"), -1), 0.5);
	ck_assert_double_eq_tol(1e-6 * sum_of(&report, "MACHINE_uj"),
				5 * report.elapsed_s,
				1 * report.elapsed_s * 64);
	hwpc_report_done(&report);
	doc_free(doc);
}
END_TEST

START_TEST(two_meters_of_one_kind_are_refused)
{
	struct err err = { 0 };

	field_list_add(&meters, "model:idle=1,cpu=1");
	field_list_add(&meters, "model:idle=2,cpu=2");
	ck_assert_ptr_null(machine_open(&meters, &err));
	ck_assert_int_eq(err.code, EEXIST);
	ck_assert_ptr_nonnull(strstr(err.text, "MACHINE_uj"));
}
END_TEST

START_TEST(too_many_meters_are_refused)
{
	struct err err = { 0 };

	for (int i = 0; i <= MACHINE_METERS_MAX; i++)
		field_list_add(&meters, "null");
	ck_assert_ptr_null(machine_open(&meters, &err));
	ck_assert_int_eq(err.code, E2BIG);
}
END_TEST

START_TEST(an_unknown_meter_is_refused)
{
	struct err err = { 0 };

	field_list_add(&meters, "steam");
	ck_assert_ptr_null(machine_open(&meters, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "steam"));
}
END_TEST

START_TEST(guarding_leaves_the_tick_alone)
{
	struct energy energy = ENERGY_NONE;
	int64_t elapsed_ns;

	open_with("model:idle=5,cpu=1");
	read_machine();
	usleep(1000);
	read_machine();
	elapsed_ns = machine_elapsed_ns(machine);
	machine_energy(machine, 0, &energy);
	ck_assert_int_eq(machine_guard(machine, NULL), 0);
	ck_assert_int_eq(machine_elapsed_ns(machine), elapsed_ns);
}
END_TEST

Suite *machine_suite(void);
Suite *machine_suite(void)
{
	Suite *suite = suite_create("machine");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests, sums_of_ticks_lose_no_joule);
	tcase_add_test(tests,
		       a_row_has_the_time_of_every_cpu_and_its_own_length);
	tcase_add_test(tests, metadata_names_the_source_of_each_joule);
	tcase_add_test(tests, two_meters_of_one_kind_are_refused);
	tcase_add_test(tests, too_many_meters_are_refused);
	tcase_add_test(tests, an_unknown_meter_is_refused);
	tcase_add_test(tests, guarding_leaves_the_tick_alone);
	suite_add_tcase(suite, tests);
	return suite;
}
