/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mat.h"
#include "bench/mat_kind.h"

/* The flags that matter, of real CPUs, as /proc/cpuinfo lists them. */
#define NEHALEM " fpu mmx fxsr sse sse2 ht pni ssse3 cx16 sse4_1 sse4_2 popcnt "
#define SANDY   " fpu sse sse2 pni ssse3 cx16 sse4_1 sse4_2 popcnt aes xsave avx "
#define HASWELL                                                             \
	" fpu sse sse2 ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt avx f16c " \
	"bmi1 avx2 smep bmi2 erms "
/* Alder Lake: AVX2 and AVX-VNNI, no AVX-512. */
#define ALDER HASWELL "avx_vnni gfni vaes "
/* Knights Landing has avx512f and cd alone: SkylakeX kernels would trap. */
#define KNL      HASWELL "avx512f avx512cd avx512er avx512pf "
#define SKYLAKEX HASWELL "avx512f avx512dq clwb avx512cd avx512bw avx512vl "
#define ZEN4     SKYLAKEX "avx512_bf16 avx512vbmi avx512_vnni avx512ifma "
#define EMERALD  ZEN4 "amx_tile avx512_fp16 avx_vnni "
#define ARM      " fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics "

static const struct {
	const char *core, *flags, *wanted;
} cases[] = {
	/* The trap: an Intel model that 0.3.21 does not know. */
	{ "Prescott", EMERALD, "SkylakeX" },
	{ "Prescott", SKYLAKEX, "SkylakeX" },
	{ "Prescott", ALDER, "Haswell" },
	{ "Nehalem", HASWELL, "Haswell" },
	{ "Prescott", SANDY, "Sandybridge" },
	{ "Prescott", KNL, "Haswell" },
	{ "Haswell", EMERALD, "SkylakeX" },
	{ "Zen", ZEN4, "SkylakeX" },
	{ "Barcelona", ZEN4, "SkylakeX" },
	/* Well picked: hands off. */
	{ "Cooperlake", ZEN4, NULL },
	{ "SkylakeX", EMERALD, NULL },
	{ "SapphireRapids", EMERALD, NULL },
	{ "Zen", HASWELL, NULL },
	{ "Excavator", HASWELL, NULL },
	{ "Haswell", KNL, NULL },
	{ "Sandybridge", SANDY, NULL },
	{ "Nehalem", NEHALEM, NULL },
	{ "Prescott", NEHALEM, NULL },
	{ "haswell", ALDER, NULL },
	/* A core or flags that nobody here can judge. */
	{ "neoversen1", ARM, NULL },
	{ "armv8", ARM, NULL },
	{ "DiamondRapids", EMERALD, NULL },
	{ "Unknown", EMERALD, NULL },
	{ "Prescott", "", NULL },
};

START_TEST(the_wanted_core_follows_the_flags)
{
	const char *wanted = mat_core_wanted(cases[_i].core, cases[_i].flags);

	if (!cases[_i].wanted)
		ck_assert_ptr_null(wanted);
	else
		ck_assert_str_eq(wanted, cases[_i].wanted);
}
END_TEST

START_TEST(a_flag_must_match_as_a_word)
{
	ck_assert_int_eq(mat_flags_rank(" avx2x fmax avxx "), 0);
	ck_assert_int_eq(mat_flags_rank(" avx "), 1);
	ck_assert_int_eq(mat_flags_rank(" avx avx2 "), 1);
	ck_assert_int_eq(mat_flags_rank(" avx fma avx2 "), 2);
}
END_TEST

START_TEST(cpus_fall_into_the_measured_groups)
{
	ck_assert_int_eq(mat_cpu_of("AuthenticAMD", ZEN4), MAT_CPU_AMD512);
	ck_assert_int_eq(mat_cpu_of("GenuineIntel", EMERALD), MAT_CPU_INTEL512);
	ck_assert_int_eq(mat_cpu_of("GenuineIntel", ALDER), MAT_CPU_X86);
	ck_assert_int_eq(mat_cpu_of("AuthenticAMD", HASWELL), MAT_CPU_X86);
	ck_assert_int_eq(mat_cpu_of("ARM", ARM), MAT_CPU_OTHER);
	ck_assert_int_eq(mat_cpu_of("", ""), MAT_CPU_OTHER);
}
END_TEST

START_TEST(a_core_is_reported)
{
	ck_assert_ptr_nonnull(mat_core());
	ck_assert_str_ne(mat_core(), "");
}
END_TEST

START_TEST(the_second_start_knows_what_the_first_found)
{
	char *argv[] = { NULL };

	setenv("FEDWATTS_BLAS_CORE", "Prescott>SkylakeX", 1);
	mat_prepare(argv); /* returns: there is no third start */
	ck_assert_str_eq(mat_core_alone(), "Prescott");
	ck_assert(mat_core_chosen());
	setenv("FEDWATTS_BLAS_CORE", "Cooperlake>", 1);
	ck_assert_str_eq(mat_core_alone(), "Cooperlake");
	ck_assert(!mat_core_chosen());
}
END_TEST

START_TEST(a_users_own_core_leaves_the_pick_unknown)
{
	unsetenv("FEDWATTS_BLAS_CORE");
	setenv("OPENBLAS_CORETYPE", "Haswell", 1);
	ck_assert_str_eq(mat_core_alone(), "");
	ck_assert(!mat_core_chosen());
}
END_TEST

START_TEST(a_prepared_environment_needs_no_second_start)
{
	char *argv[] = { NULL };

	unsetenv("FEDWATTS_BLAS_CORE");
	setenv("OPENBLAS_CORETYPE", "Prescott", 1); /* the user's: stays */
	setenv("OPENBLAS_NUM_THREADS", "1", 1);
	setenv("OMP_NUM_THREADS", "1", 1);
	mat_prepare(argv);
	ck_assert_str_eq(getenv("OPENBLAS_CORETYPE"), "Prescott");
	ck_assert_ptr_null(getenv("FEDWATTS_BLAS_CORE"));
}
END_TEST

Suite *mat_core_suite(void);
Suite *mat_core_suite(void)
{
	Suite *suite = suite_create("mat_core");
	TCase *tc = tcase_create("core");

	tcase_add_loop_test(tc, the_wanted_core_follows_the_flags, 0,
			    (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tc, a_flag_must_match_as_a_word);
	tcase_add_test(tc, cpus_fall_into_the_measured_groups);
	tcase_add_test(tc, a_core_is_reported);
	tcase_add_test(tc, the_second_start_knows_what_the_first_found);
	tcase_add_test(tc, a_users_own_core_leaves_the_pick_unknown);
	tcase_add_test(tc, a_prepared_environment_needs_no_second_start);
	suite_add_tcase(suite, tc);
	return suite;
}
