/* SPDX-License-Identifier: BSD-3-Clause */
/* Meters that are devices or logs: hwmon, battery, nvml, log. */
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "sensor/meter.h"
#include "sensor/power.h"
#include "sensor/sysfs.h"
#include "tests/fake/nvml.h"
#include "tests/unit/tree.h"

#define CHIP  "sys/class/hwmon/hwmon0/"
#define BAT   "sys/class/power_supply/BAT0/"
#define HOUR  3600.0
#define START 1783600000

static struct tree tree;
static char sys[128];
static struct clock_virtual now;
static struct meter_place place;
static ssize_t (*real_pread)(int fd, void *out, size_t size, off_t at);

static void setup(void)
{
	tree_init(&tree);
	snprintf(sys, sizeof(sys), "%s/sys", tree.root);
	clock_virtual_init(&now, START * INT64_C(1000));
	place = (struct meter_place){
		.sys = sys, .state = "", .nvml = FAKE_NVML, .clock = &now.clock
	};
	real_pread = sysfs_pread_fn;
}

static void teardown(void)
{
	sysfs_pread_fn = real_pread;
	tree_done(&tree);
}

static void pass(double seconds)
{
	clock_virtual_set_ns(&now, now.ns + (int64_t)(1e9 * seconds));
}

static struct meter *opened(const char *spec)
{
	struct err err = { 0 };
	struct meter *meter = meter_open_at(spec, &place, &err);

	ck_assert_msg(meter != NULL, "%s", err.text);
	return meter;
}

static void refused(const char *spec, const char *because)
{
	struct err err = { 0 };

	ck_assert_ptr_null(meter_open_at(spec, &place, &err));
	ck_assert_msg(strstr(err.text, because) != NULL, "%s", err.text);
}

static struct meter_reading before;

/* Since the last call; the machine's. */
static struct energy used(struct meter *meter)
{
	struct meter_reading after;
	struct energy energy;

	ck_assert_int_eq(meter_read(meter, &after, NULL), 0);
	meter_between(meter, &before, &after, &energy);
	before = after;
	return energy;
}

static void says(const struct meter *meter, const char *what)
{
	ck_assert_msg(strstr(meter_remarks(meter), what) != NULL, "'%s'",
		      meter_remarks(meter));
}

/* ---- hwmon ------------------------------------------------------------------ */

START_TEST(jetson_rails_are_watts_and_lie_within_their_input)
{
	struct meter *meter;
	struct energy energy;

	tree_put(&tree, CHIP "name", "ina3221\n");
	tree_put(&tree, CHIP "in1_label", "VDD_IN\n");
	tree_put(&tree, CHIP "in1_input", "5000\n");
	tree_put(&tree, CHIP "curr1_input", "2000\n");
	tree_put(&tree, CHIP "in2_label", "VDD_CPU_GPU_CV\n");
	tree_put(&tree, CHIP "in2_input", "5000\n");
	tree_put(&tree, CHIP "curr2_input", "0\n");
	meter = opened("hwmon");
	ck_assert_uint_eq(meter_domains(meter), 2);
	ck_assert_str_eq(meter_domain(meter, 0)->name, "vdd_in");
	ck_assert_str_eq(meter_domain(meter, 1)->event, "VDD_CPU_GPU_CV_uj");
	ck_assert(meter_domain(meter, 0)->counts);
	ck_assert(!meter_domain(meter, 1)->counts);
	ck_assert_int_eq(meter_domain(meter, 1)->within, 0);
	ck_assert_int_eq(meter_source(meter), ENERGY_POLLED);
	used(meter);
	pass(10);
	energy = used(meter);
	ck_assert_double_eq_tol(energy.joules, 100, 1e-5);
	/* From 10 W to 20 W at an unknown time. */
	tree_put(&tree, CHIP "curr1_input", "4000\n");
	pass(10);
	energy = used(meter);
	ck_assert_double_eq_tol(energy.joules, 150, 1e-5);
	ck_assert_double_ge(energy.sigma_j, 100 / sqrt(12));
	ck_assert_double_lt(energy.sigma_j, 1.1 * 100 / sqrt(12));
	ck_assert_str_eq(meter_remarks(meter), "");
	meter_close(meter);
	/* "auto" takes it: it is the whole board. */
	meter = opened("auto");
	ck_assert_str_ne(meter_spec(meter), "model");
	meter_close(meter);
}
END_TEST

START_TEST(boards_without_a_total_are_summed_and_say_so)
{
	struct meter *meter;

	tree_put(&tree, CHIP "name", "ina226\n");
	tree_put(&tree, CHIP "power1_input", "3000000\n");
	tree_put(&tree, "sys/class/hwmon/hwmon10/name", "ina226\n");
	tree_put(&tree, "sys/class/hwmon/hwmon10/power1_average", "4000000\n");
	meter = opened("hwmon");
	ck_assert_str_eq(meter_domain(meter, 0)->name, "ina226_1");
	ck_assert_str_eq(meter_domain(meter, 1)->name, "ina226_1_2");
	says(meter, "their sum is taken");
	used(meter);
	pass(2);
	ck_assert_double_eq_tol(used(meter).joules, 14, 1e-5);
	meter_close(meter);
}
END_TEST

START_TEST(energy_files_are_counters_and_sockets_contain_cores)
{
	char spec[160];
	struct meter *meter;

	tree_put(&tree, CHIP "name", "amd_energy\n");
	tree_put(&tree, CHIP "energy1_label", "Ecore000\n");
	tree_put(&tree, CHIP "energy1_input", "77\n");
	tree_put(&tree, CHIP "energy2_label", "Esocket0\n");
	tree_put(&tree, CHIP "energy2_input", "1000000\n");
	tree_put(&tree, CHIP "power1_input", "3000000\n");
	/* A counter that nobody moves is dead. */
	refused("hwmon", "does not advance under load: dead");
	unlink(tree_path(&tree, CHIP "energy1_label"));
	unlink(tree_path(&tree, CHIP "energy1_input"));
	unlink(tree_path(&tree, CHIP "energy2_label"));
	unlink(tree_path(&tree, CHIP "energy2_input"));
	snprintf(spec, sizeof(spec), "hwmon:%s/class/hwmon", sys);
	meter = opened(spec);
	ck_assert_int_eq(meter_source(meter), ENERGY_POLLED);
	meter_close(meter);
	tree_put(&tree, CHIP "power1_input", "0\n");
	refused("hwmon", "shows no power: dead");
	unlink(tree_path(&tree, CHIP "power1_input"));
	refused("hwmon", "no monitor under");
}
END_TEST

/* What the device answers, in turn; then the file. */
static int answers[8];
static size_t answer_at;

static ssize_t answering_pread(int fd, void *out, size_t size, off_t at)
{
	int answer = answer_at < 8 ? answers[answer_at++] : 0;

	if (answer < 0) {
		errno = -answer;
		return -1;
	}
	return real_pread(fd, out, answer ? (size_t)answer : size, at);
}

static void answer(int a, int b, int c)
{
	memset(answers, 0, sizeof(answers));
	answers[0] = a;
	answers[1] = b;
	answers[2] = c;
	answer_at = 0;
	sysfs_pread_fn = answering_pread;
}

START_TEST(interrupts_and_short_reads_are_no_faults_and_unplugging_is_one)
{
	struct meter *meter;

	tree_put(&tree, CHIP "name", "ina226\n");
	tree_put(&tree, CHIP "power1_input", "3000000\n");
	meter = opened("hwmon");
	used(meter);
	pass(1);
	answer(-EINTR, -EINTR, 0);
	ck_assert_double_eq_tol(used(meter).joules, 3, 1e-5);
	pass(1);
	answer(1, 2, -EINTR);
	ck_assert_double_eq_tol(used(meter).joules, 3, 1e-5);
	/* A bus that is busy: made up for with the next value. */
	pass(1);
	answer(-EIO, 0, 0);
	ck_assert_double_eq_tol(used(meter).joules, 0, 1e-9);
	pass(1);
	ck_assert_double_eq_tol(used(meter).joules, 6, 1e-5);
	ck_assert_str_eq(meter_remarks(meter), "");
	pass(1);
	answer(-ENODEV, 0, 0);
	ck_assert(isnan(used(meter).joules));
	ck_assert_int_eq(meter_domain(meter, 0)->state, METER_GONE);
	says(meter, "gone (unplugged");
	meter_close(meter);
}
END_TEST

START_TEST(watts_are_polled_between_two_looks)
{
	struct meter *meter;
	struct energy energy;
	struct clock *clock = clock_real();
	int64_t start_ns;

	tree_put(&tree, CHIP "name", "ina226\n");
	tree_put(&tree, CHIP "update_interval", "20\n");
	tree_put(&tree, CHIP "power1_input", "1000000\n");
	place.clock = clock;
	meter = opened("hwmon");
	used(meter);
	start_ns = before.begin_ns;
	/* Two looks would see 1 W at both ends. */
	usleep(100000);
	tree_put(&tree, CHIP "power1_input", "101000000\n");
	usleep(200000);
	tree_put(&tree, CHIP "power1_input", "1000000\n");
	usleep(100000);
	energy = used(meter);
	ck_assert_double_gt(energy.joules,
			    10 + 1e-9 * (double)(before.begin_ns - start_ns));
	ck_assert_double_gt(energy.sigma_j, 0.1);
	meter_close(meter);
}
END_TEST

/* ---- battery ------------------------------------------------------------------ */

static void battery_make(void)
{
	tree_put(&tree, BAT "type", "Battery\n");
	tree_put(&tree, BAT "status", "Discharging\n");
	tree_put(&tree, "sys/class/power_supply/AC/type", "Mains\n");
	tree_put(&tree, "sys/class/power_supply/AC/online", "0\n");
	tree_put(&tree, "sys/class/power_supply/mouse/type", "Battery\n");
	tree_put(&tree, "sys/class/power_supply/mouse/scope", "Device\n");
	tree_put(&tree, "sys/class/power_supply/mouse/energy_now", "1000\n");
}

START_TEST(gauges_of_energy_count_joules_with_their_steps_as_sigma)
{
	struct meter *meter;
	struct energy energy;

	battery_make();
	tree_put(&tree, BAT "energy_full", "50000000\n");
	tree_put(&tree, BAT "energy_now", "43120000\n");
	meter = opened("battery");
	ck_assert_uint_eq(meter_domains(meter), 1);
	ck_assert_str_eq(meter_domain(meter, 0)->name, "bat0");
	ck_assert_int_eq(meter_source(meter), ENERGY_ACCUMULATOR);
	used(meter);
	pass(10);
	tree_put(&tree, BAT "energy_now", "43110000\n");
	energy = used(meter);
	ck_assert_double_eq_tol(energy.joules, 36, 1e-4);
	/* Steps of 10 mWh, two edges; moved once in 10 s. */
	ck_assert_double_eq_tol(meter_domain(meter, 0)->resolution_j, 36, 1e-9);
	ck_assert_double_ge(energy.sigma_j, 36 / sqrt(6));
	ck_assert_double_eq_tol(meter_domain(meter, 0)->period_s, 10, 1e-6);
	/* A gauge that thinks better of it takes nothing back. */
	pass(10);
	tree_put(&tree, BAT "energy_now", "43120000\n");
	ck_assert_double_eq(used(meter).joules, 0);
	pass(10);
	tree_put(&tree, BAT "energy_now", "43100000\n");
	ck_assert_double_eq_tol(used(meter).joules, 36, 1e-4);
	ck_assert_str_eq(meter_remarks(meter), "");
	/* An hour without a change: dead. */
	pass(3700);
	ck_assert(isnan(used(meter).joules));
	says(meter, "dead");
	meter_close(meter);
}
END_TEST

START_TEST(gauges_of_charge_are_multiplied_by_volts)
{
	struct meter *meter;

	battery_make();
	tree_put(&tree, BAT "charge_now", "3000000\n");
	tree_put(&tree, BAT "voltage_now", "11000000\n");
	meter = opened("battery");
	used(meter);
	pass(10);
	tree_put(&tree, BAT "charge_now", "2999000\n");
	ck_assert_double_eq_tol(used(meter).joules, 1e-3 * HOUR * 11, 1e-4);
	meter_close(meter);
}
END_TEST

START_TEST(chargers_end_it_by_name)
{
	struct meter *meter;

	battery_make();
	tree_put(&tree, BAT "energy_now", "43120000\n");
	meter = opened("battery");
	used(meter);
	tree_put(&tree, "sys/class/power_supply/AC/online", "1\n");
	pass(1);
	ck_assert(isnan(used(meter).joules));
	says(meter, "AC is plugged in");
	meter_close(meter);
	refused("battery", "AC is plugged in");
	refused("battery", "unplug the charger");
	tree_put(&tree, "sys/class/power_supply/AC/online", "0\n");
	tree_put(&tree, BAT "status", "Charging\n");
	refused("battery", "BAT0 is charging or full");
	tree_put(&tree, BAT "type", "UPS\n");
	refused("battery", "no battery with a gauge");
}
END_TEST

/* ---- NVML ---------------------------------------------------------------------- */

static void *nvml_handle;
static struct fake_nvml *nvml;

static void nvml_setup(void)
{
	setup();
	nvml_handle = dlopen(FAKE_NVML, RTLD_NOW);
	ck_assert_msg(nvml_handle != NULL, "%s", dlerror());
	nvml = dlsym(nvml_handle, "fake_nvml");
	ck_assert_ptr_nonnull(nvml);
}

static void nvml_teardown(void)
{
	dlclose(nvml_handle);
	teardown();
}

START_TEST(gpus_count_millijoules)
{
	struct meter *meter;

	nvml->gpus = 2;
	meter = opened("nvml");
	ck_assert_uint_eq(meter_domains(meter), 2);
	ck_assert_int_eq(meter_source(meter), ENERGY_ACCUMULATOR);
	meter_close(meter);
	meter = opened("nvml:1");
	ck_assert_str_eq(meter_domain(meter, 0)->name, "gpu-1");
	nvml->step = 0;
	used(meter);
	pass(1);
	nvml->millijoules += 70000;
	ck_assert_double_eq_tol(used(meter).joules, 70, 1e-9);
	/* A reload of the driver. */
	pass(1);
	nvml->millijoules = 5;
	ck_assert_double_eq_tol(used(meter).joules, 0.005, 1e-9);
	says(meter, "reset");
	pass(1);
	nvml->energy_result = 15;
	ck_assert(isnan(used(meter).joules));
	says(meter, "gone");
	meter_close(meter);
	refused("nvml:2", "expected a GPU's number, 0 to 1");
	refused("nvml:x", "expected a GPU's number");
}
END_TEST

START_TEST(gpus_without_a_counter_are_polled)
{
	struct meter *meter;

	nvml->energy_result = 3;
	meter = opened("nvml");
	ck_assert_int_eq(meter_source(meter), ENERGY_POLLED);
	used(meter);
	pass(2);
	ck_assert_double_eq_tol(used(meter).joules, 140, 1e-2);
	/* Without the instant field, the average. */
	nvml->field_result = 3;
	pass(1);
	used(meter);
	pass(1);
	ck_assert_double_eq_tol(used(meter).joules, 60, 1e-2);
	meter_close(meter);
	nvml->power_result = 3;
	refused("nvml", "shows neither energy nor power");
}
END_TEST

START_TEST(no_driver_no_gpu_and_a_dead_counter_are_told_apart)
{
	nvml->init_result = 9;
	refused("nvml", "NVML does not start: Driver Not Loaded");
	nvml->init_result = 0;
	nvml->gpus = 0;
	refused("nvml", "no GPU");
	nvml->gpus = 1;
	nvml->step = 0;
	refused("nvml", "dead");
	place.nvml = "/nowhere/libnvidia-ml.so.1";
	refused("nvml", "no NVIDIA driver");
	place.nvml = "libm.so.6";
	refused("nvml", "has no nvmlInit_v2");
}
END_TEST

/* ---- log ------------------------------------------------------------------------ */

static char log_spec[200];

static void log_put(const char *text, const char *options)
{
	tree_put(&tree, "wall.csv", text);
	snprintf(log_spec, sizeof(log_spec), "log:%s/wall.csv%s", tree.root,
		 options);
}

START_TEST(logs_are_integrated_by_trapezoid_on_the_wall_clock)
{
	struct meter *meter;
	struct energy energy;

	log_put("time;note;power_mW\n1783599999;a;100000\n"
		"1783600001;b;100000\n1783600002;c;200000\n"
		"1783600004;d;200000\n",
		"");
	meter = opened(log_spec);
	ck_assert_int_eq(meter_source(meter), ENERGY_WALL);
	used(meter);
	pass(1);
	ck_assert_double_eq_tol(used(meter).joules, 100, 1e-3);
	pass(1);
	energy = used(meter);
	ck_assert_double_eq_tol(energy.joules, 150, 1e-3);
	ck_assert_double_gt(energy.sigma_j, 100 / sqrt(12));
	/* Behind the last sample its watts last, until the next corrects. */
	pass(3);
	ck_assert_double_eq_tol(used(meter).joules, 600, 1e-3);
	meter_close(meter);
}
END_TEST

START_TEST(logs_grow_and_guesses_are_corrected)
{
	struct meter *meter;
	char path[128];
	FILE *file;

	log_put("timestamp,watts\n2026-07-09T12:26:39Z,50\n"
		"2026-07-09 12:26:40.000,50\n",
		"");
	meter = opened(log_spec);
	used(meter);
	pass(2);
	ck_assert_double_eq_tol(used(meter).joules, 100, 1e-3);
	snprintf(path, sizeof(path), "%s/wall.csv", tree.root);
	file = fopen(path, "ae");
	fputs("2026-07-09T12:26:42Z,50\n2026-07-09T12:26:43", file);
	fflush(file);
	pass(1);
	ck_assert_double_eq_tol(used(meter).joules, 50, 1e-3);
	fputs("Z,150\n2026-07-09T12:26:44Z,150\n", file);
	fclose(file);
	pass(1);
	ck_assert_double_eq_tol(used(meter).joules, 200, 1e-3);
	/* A clock that is set makes no joules. */
	now.wall_start_ms -= 3000;
	pass(1);
	ck_assert_double_lt(used(meter).joules, 160);
	says(meter, "the clock was set by -3.0 s");
	pass(60);
	ck_assert(isnan(used(meter).joules));
	says(meter, "the logger has ended");
	meter_close(meter);
}
END_TEST

START_TEST(clocks_that_differ_are_aligned_by_an_offset)
{
	struct meter *meter;

	log_put("time,watts\n1783603599,10\n1783603600,10\n1783603601,30\n"
		"1783603602,30\n",
		"?offset=3600");
	meter = opened(log_spec);
	used(meter);
	pass(1);
	ck_assert_double_eq_tol(used(meter).joules, 20, 1e-3);
	meter_close(meter);
	log_put("time,watts\n1783590000,10\n1783590001,10\n", "");
	refused(log_spec, "its last sample is 10000 s old");
	refused(log_spec, "offset=SECONDS");
}
END_TEST

START_TEST(logs_that_are_none_are_refused)
{
	log_put("", "");
	refused(log_spec, "no header");
	log_put("a,b\n1,2\n", "");
	refused(log_spec, "no header names a column");
	log_put("a,b\n1783600000,2\n", "?time=a&watts=b");
	meter_close(opened(log_spec));
	log_put("time,watts\nyesterday,much\n", "");
	refused(log_spec, "(1 could not be read)");
	refused("log:/nowhere.csv", "/nowhere.csv");
	refused("log", "log:FILE");
}
END_TEST

static void add_nvml(Suite *suite)
{
	TCase *tcase = tcase_create("nvml");

	tcase_add_checked_fixture(tcase, nvml_setup, nvml_teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, gpus_count_millijoules);
	tcase_add_test(tcase, gpus_without_a_counter_are_polled);
	tcase_add_test(tcase,
		       no_driver_no_gpu_and_a_dead_counter_are_told_apart);
	suite_add_tcase(suite, tcase);
}

Suite *meter_device_suite(void);
Suite *meter_device_suite(void)
{
	Suite *suite = suite_create("meter_device");
	TCase *tcase = tcase_create("meter_device");

	add_nvml(suite);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase,
		       jetson_rails_are_watts_and_lie_within_their_input);
	tcase_add_test(tcase, boards_without_a_total_are_summed_and_say_so);
	tcase_add_test(tcase,
		       energy_files_are_counters_and_sockets_contain_cores);
	tcase_add_test(
		tcase,
		interrupts_and_short_reads_are_no_faults_and_unplugging_is_one);
	tcase_add_test(tcase, watts_are_polled_between_two_looks);
	tcase_add_test(tcase,
		       gauges_of_energy_count_joules_with_their_steps_as_sigma);
	tcase_add_test(tcase, gauges_of_charge_are_multiplied_by_volts);
	tcase_add_test(tcase, chargers_end_it_by_name);
	tcase_add_test(tcase,
		       logs_are_integrated_by_trapezoid_on_the_wall_clock);
	tcase_add_test(tcase, logs_grow_and_guesses_are_corrected);
	tcase_add_test(tcase, clocks_that_differ_are_aligned_by_an_offset);
	tcase_add_test(tcase, logs_that_are_none_are_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
