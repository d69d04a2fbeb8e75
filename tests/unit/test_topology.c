/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/sysfs.h"
#include "sensor/topology.h"
#include "tests/unit/tree.h"

static struct tree tree;

static void setup(void)
{
	tree_init(&tree);
}

static void teardown(void)
{
	tree_done(&tree);
}

static struct topology *read_tree(struct err *err)
{
	char sys[256], proc[256];

	snprintf(sys, sizeof(sys), "%s/sys", tree.root);
	snprintf(proc, sizeof(proc), "%s/proc", tree.root);
	return topology_read(sys, proc, err);
}

START_TEST(a_two_socket_server_is_read)
{
	struct topology *topology;
	char line[128];

	tree_put(&tree, "proc/cpuinfo",
		 "processor\t: 0\nvendor_id\t: GenuineIntel\n"
		 "cpu family\t: 6\nmodel\t\t: 85\n"
		 "model name\t: Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz\n"
		 "stepping\t: 4\nflags\t\t: fpu vme avx2 avx512f\n\n"
		 "processor\t: 1\nmodel\t\t: 99\n");
	tree_put(&tree, "proc/meminfo",
		 "MemTotal:       196608000 kB\nMemFree: 1 kB\n");
	tree_put(&tree, "sys/devices/system/cpu/online", "0,2-4\n");
	tree_put(&tree,
		 "sys/devices/system/cpu/cpu3/topology/physical_package_id",
		 "1\n");
	tree_put(&tree,
		 "sys/devices/system/cpu/cpu4/topology/physical_package_id",
		 "-1\n");
	tree_put(&tree, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
		 "powersave\n");
	topology = read_tree(NULL);
	ck_assert_ptr_nonnull(topology);
	ck_assert_uint_eq(topology->cpus, 4);
	ck_assert_int_eq(topology->cpu[1].id, 2);
	ck_assert_int_eq(topology->cpu[2].package, 1);
	ck_assert_int_eq(topology->cpu[3].package, 0);
	ck_assert_uint_eq(topology->packages, 2);
	ck_assert_int_eq(topology->model_number, 85);
	ck_assert_int_eq(topology->stepping, 4);
	ck_assert(topology_has(topology, "avx512f"));
	ck_assert(topology_has(topology, "fpu"));
	ck_assert(!topology_has(topology, "avx512"));
	ck_assert(!topology->hypervisor);
	ck_assert_str_eq(topology->governor, "powersave");
	ck_assert_str_eq(topology_describe(topology, line, sizeof(line)),
			 "Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz, 4 CPUs in "
			 "2 packages, 188 GiB");
	topology_free(topology);
}
END_TEST

START_TEST(an_arm_board_is_read)
{
	struct topology *topology;
	char line[128];

	tree_put(&tree, "proc/cpuinfo",
		 "processor\t: 0\nBogoMIPS\t: 108.00\n"
		 "Features\t: fp asimd crc32\nCPU implementer\t: 0x41\n"
		 "CPU part\t: 0xd08\n");
	tree_put(&tree, "proc/device-tree/model", "Raspberry Pi 4 Model B");
	tree_put(&tree, "proc/meminfo", "MemTotal: 3887000 kB\n");
	tree_put(&tree, "sys/devices/system/cpu/online", "0-3\n");
	topology = read_tree(NULL);
	ck_assert_ptr_nonnull(topology);
	ck_assert_str_eq(topology->vendor, "ARM");
	ck_assert_int_eq(topology->family, 0);
	ck_assert(topology_has(topology, "asimd"));
	ck_assert_str_eq(topology_describe(topology, line, sizeof(line)),
			 "Raspberry Pi 4 Model B, 4 CPUs, 3.7 GiB");
	topology_free(topology);
}
END_TEST

START_TEST(a_guest_knows_that_it_is_one)
{
	struct topology *topology;

	tree_put(&tree, "proc/cpuinfo", "flags : fpu hypervisor\n");
	tree_put(&tree, "sys/devices/system/cpu/online", "0\n");
	topology = read_tree(NULL);
	ck_assert_ptr_nonnull(topology);
	ck_assert(topology->hypervisor);
	ck_assert_str_eq(topology->model, "unknown CPU");
	topology_free(topology);
}
END_TEST

START_TEST(what_is_missing_or_damaged_is_named)
{
	struct err err = { 0 };

	ck_assert_ptr_null(read_tree(&err));
	ck_assert_ptr_nonnull(strstr(err.text, "proc/cpuinfo"));
	tree_put(&tree, "proc/cpuinfo", "flags : fpu\n");
	ck_assert_ptr_null(read_tree(&err));
	ck_assert_ptr_nonnull(strstr(err.text, "cpu/online"));
	tree_put(&tree, "sys/devices/system/cpu/online", "0-99999\n");
	ck_assert_ptr_null(read_tree(&err));
	ck_assert_ptr_nonnull(strstr(err.text, "more than 8192"));
}
END_TEST

static int sum(void *arg, int number)
{
	*(int *)arg += number;
	return 0;
}

START_TEST(lists_of_cpus_are_read_as_the_kernel_writes_them)
{
	static const struct {
		const char *list;
		int result, sum;
	} lists[] = {
		{ "0", 0, 0 },     { "0-3", 0, 6 }, { "1,3-4,7", 0, 15 },
		{ "", -1, 0 },     { "x", -1, 0 },  { "3-1", -1, 0 },
		{ "1,,2", -1, 0 }, { "1-", -1, 0 }, { "-1", -1, 0 },
		{ "5 6", -1, 0 },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		int total = 0;

		ck_assert_int_eq(sysfs_list(lists[i].list, sum, &total),
				 lists[i].result);
		if (lists[i].result == 0)
			ck_assert_int_eq(total, lists[i].sum);
	}
}
END_TEST

START_TEST(this_machine_is_read)
{
	struct topology *topology = topology_read("/sys", "/proc", NULL);

	ck_assert_ptr_nonnull(topology);
	ck_assert_int_eq((long)topology->cpus, sysconf(_SC_NPROCESSORS_ONLN));
	ck_assert_uint_ge(topology->packages, 1);
	ck_assert_double_gt(topology->memory_bytes, 0);
	topology_free(topology);
}
END_TEST

Suite *topology_suite(void);
Suite *topology_suite(void)
{
	Suite *suite = suite_create("topology");
	TCase *tcase = tcase_create("topology");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_two_socket_server_is_read);
	tcase_add_test(tcase, an_arm_board_is_read);
	tcase_add_test(tcase, a_guest_knows_that_it_is_one);
	tcase_add_test(tcase, what_is_missing_or_damaged_is_named);
	tcase_add_test(tcase, lists_of_cpus_are_read_as_the_kernel_writes_them);
	tcase_add_test(tcase, this_machine_is_read);
	suite_add_tcase(suite, tcase);
	return suite;
}
