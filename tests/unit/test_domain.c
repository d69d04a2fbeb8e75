/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <string.h>

#include "sensor/domain.h"

static struct meter_domain domain[8];

static void add(size_t i, const char *event, int package,
		enum meter_state state)
{
	ck_assert(domain_parse(&domain[i], "rapl", package, event));
	domain[i].state = state;
}

START_TEST(rapl_events_come_back_as_the_domains_they_were)
{
	for (int role = DOMAIN_PACKAGE; role <= DOMAIN_PSYS; role++) {
		struct meter_domain made, parsed;

		domain_rapl(&made, (enum domain_role)role, 1);
		ck_assert(domain_parse(&parsed, made.group, made.package,
				       made.event));
		ck_assert_str_eq(made.name, parsed.name);
		ck_assert_int_eq(domain_role(&parsed), role);
		ck_assert_double_eq(parsed.unit_j, 0x1p-32);
	}
}
END_TEST

START_TEST(other_meters_count_microjoules)
{
	struct meter_domain made, parsed;

	domain_other(&made, "model", "machine");
	ck_assert_str_eq(made.group, "meter_model");
	ck_assert_str_eq(made.event, "MACHINE_uj");
	ck_assert(domain_parse(&parsed, "meter_model", 0, "MACHINE_uj"));
	ck_assert_str_eq(parsed.name, "machine");
	ck_assert_double_eq(parsed.unit_j, 1e-6);
}
END_TEST

START_TEST(what_is_no_energy_is_no_domain)
{
	struct meter_domain parsed;

	ck_assert(!domain_parse(&parsed, "rapl", 0, "time_enabled"));
	ck_assert(!domain_parse(&parsed, "rapl", 0, "RAPL_ENERGY_FOO"));
	ck_assert(!domain_parse(&parsed, "core", 0, "RAPL_ENERGY_PKG"));
	ck_assert(!domain_parse(&parsed, "meter_model", 0, "time_running"));
	ck_assert(!domain_parse(&parsed, "meter_model", 0, "_uj"));
	ck_assert(
		!domain_parse(&parsed, "meter_model", 0,
			      "A_NAME_THAT_IS_FAR_TOO_LONG_FOR_ANY_METER_uj"));
}
END_TEST

START_TEST(nothing_is_counted_twice)
{
	add(0, "RAPL_ENERGY_PSYS", 0, METER_ALIVE);
	add(1, "RAPL_ENERGY_PKG", 0, METER_ALIVE);
	add(2, "RAPL_ENERGY_CORES", 0, METER_ALIVE);
	add(3, "RAPL_ENERGY_DRAM", 0, METER_ALIVE);
	add(4, "RAPL_ENERGY_PKG", 1, METER_ALIVE);
	add(5, "RAPL_ENERGY_CORES", 1, METER_ALIVE);
	domain_link(domain, 6);
	ck_assert_int_eq(domain[0].within, -1);
	ck_assert_int_eq(domain[1].within, 0);
	ck_assert_int_eq(domain[2].within, 1);
	ck_assert_int_eq(domain[3].within, 0);
	ck_assert_int_eq(domain[5].within, 4);
	ck_assert_uint_eq(domain_cover(domain, 6), 3);
	ck_assert(domain[1].counts && domain[3].counts && domain[4].counts);
	/* Of a domain that counts, nothing above it counts. */
	for (size_t i = 0; i < 6; i++)
		for (int up = domain[i].within; domain[i].counts && up >= 0;
		     up = domain[up].within)
			ck_assert(!domain[up].counts);
}
END_TEST

START_TEST(the_platform_stands_in_where_no_package_works)
{
	add(0, "RAPL_ENERGY_PSYS", 0, METER_ALIVE);
	add(1, "RAPL_ENERGY_PKG", 0, METER_DEAD);
	add(2, "RAPL_ENERGY_DRAM", 0, METER_ALIVE);
	domain_link(domain, 3);
	ck_assert_uint_eq(domain_cover(domain, 3), 1);
	ck_assert(domain[0].counts);
	/* Cores are not the machine. */
	add(0, "RAPL_ENERGY_CORES", 0, METER_ALIVE);
	ck_assert_uint_eq(domain_cover(domain, 1), 0);
}
END_TEST

START_TEST(early_rapl_is_a_model_of_the_firmware)
{
	struct topology topology = { .vendor = "GenuineIntel", .family = 6 };

	topology.model_number = 45; /* Sandy Bridge-EP */
	ck_assert_int_eq(domain_rapl_source(&topology), ENERGY_FIRMWARE);
	topology.model_number = 79; /* Broadwell-EP */
	ck_assert_int_eq(domain_rapl_source(&topology), ENERGY_ACCUMULATOR);
	snprintf(topology.vendor, sizeof(topology.vendor), "AuthenticAMD");
	topology.family = 23; /* Zen 2 */
	ck_assert_int_eq(domain_rapl_source(&topology), ENERGY_FIRMWARE);
	topology.family = 25;
	ck_assert_int_eq(domain_rapl_source(&topology), ENERGY_ACCUMULATOR);
}
END_TEST

Suite *domain_suite(void);
Suite *domain_suite(void)
{
	Suite *suite = suite_create("domain");
	TCase *tcase = tcase_create("domain");

	tcase_add_test(tcase, rapl_events_come_back_as_the_domains_they_were);
	tcase_add_test(tcase, other_meters_count_microjoules);
	tcase_add_test(tcase, what_is_no_energy_is_no_domain);
	tcase_add_test(tcase, nothing_is_counted_twice);
	tcase_add_test(tcase, the_platform_stands_in_where_no_package_works);
	tcase_add_test(tcase, early_rapl_is_a_model_of_the_firmware);
	suite_add_tcase(suite, tcase);
	return suite;
}
