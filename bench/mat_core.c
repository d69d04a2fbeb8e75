/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * OpenBLAS finds its kernels by the CPU's family and model; a model that is
 * younger than the library may end on "Prescott", SSE3 kernels of 2004, at a
 * fifth of the speed (31 against 150 GFLOP/s on Emerald Rapids with 0.3.21).
 * What the CPU can do stands in its flags; so judge by them, and where the
 * pick is weaker say which core to use in OPENBLAS_CORETYPE.  The library
 * reads that when it is loaded, before main(): hence the second start.
 */
#include "bench/mat_kind.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/cli.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "sensor/topology.h"

/* Set in the environment of the second start: "ALONE>CHOSEN", what OpenBLAS
 * had picked and what we chose, either of them possibly empty.  Where it is
 * set there is no third start. */
#define MARKER   "FEDWATTS_BLAS_CORE"
#define CORE_MAX 32

static const struct {
	const char *core;
	int rank;
} cores[] = {
	/* By 0.3.21's names; kernels/x86_64/KERNEL.* say what they use. */
	{ "Katmai", 0 },      { "Coppermine", 0 },
	{ "Northwood", 0 },   { "Banias", 0 },
	{ "Prescott", 0 },    { "Core2", 0 },
	{ "Penryn", 0 },      { "Dunnington", 0 },
	{ "Nehalem", 0 },     { "Athlon", 0 },
	{ "Opteron", 0 },     { "Opteron_SSE3", 0 },
	{ "Barcelona", 0 },   { "Bobcat", 0 },
	{ "Atom", 0 },        { "Nano", 0 },
	{ "Sandybridge", 1 }, { "Bulldozer", 1 },
	{ "Piledriver", 2 },  { "Steamroller", 2 },
	{ "Excavator", 2 },   { "Haswell", 2 },
	{ "Zen", 2 },         { "SkylakeX", 3 },
	{ "Cooperlake", 3 },  { "SapphireRapids", 3 },
};

/* The best of each rank for a CPU that nothing else is known of. */
static const char *const best[] = { "Prescott", "Sandybridge", "Haswell",
				    "SkylakeX" };

int mat_core_rank(const char *core)
{
	for (size_t i = 0; i < sizeof(cores) / sizeof(cores[0]); i++)
		if (strcasecmp(cores[i].core, core) == 0)
			return cores[i].rank;
	return -1;
}

static bool has(const char *flags, const char *flag)
{
	char word[CORE_MAX];

	snprintf(word, sizeof(word), " %s ", flag);
	return strstr(flags, word) != NULL;
}

/* What OpenBLAS' own detection asks for before it uses SkylakeX or Haswell. */
int mat_flags_rank(const char *flags)
{
	static const char *const avx512[] = { "avx512f", "avx512cd", "avx512bw",
					      "avx512dq", "avx512vl" };
	bool all = true;

	for (size_t i = 0; i < sizeof(avx512) / sizeof(avx512[0]); i++)
		all = all && has(flags, avx512[i]);
	if (all && has(flags, "avx2") && has(flags, "fma"))
		return 3;
	if (has(flags, "avx2") && has(flags, "fma"))
		return 2;
	return has(flags, "avx") ? 1 : 0;
}

const char *mat_core_wanted(const char *core, const char *flags)
{
	int rank = mat_flags_rank(flags), picked = mat_core_rank(core);

	return picked >= 0 && picked < rank ? best[rank] : NULL;
}

enum mat_cpu mat_cpu_of(const char *vendor, const char *flags)
{
	if (!has(flags, "sse2"))
		return MAT_CPU_OTHER;
	if (mat_flags_rank(flags) < 3)
		return MAT_CPU_X86;
	return strcmp(vendor, "GenuineIntel") == 0 ? MAT_CPU_INTEL512
						   : MAT_CPU_AMD512;
}

/* ---- this machine ---------------------------------------------------------- */

static struct topology *machine; /* NULL: could not be read */

static void machine_read(void)
{
	machine = topology_read("/sys", "/proc", NULL);
}

static const struct topology *machine_get(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, machine_read);
	return machine;
}

static const char *machine_flags(void)
{
	const struct topology *topology = machine_get();

	return topology ? topology->flags : "";
}

enum mat_cpu mat_cpu_here(void)
{
	const struct topology *topology = machine_get();

	return mat_cpu_of(topology ? topology->vendor : "", machine_flags());
}

const char *mat_cpu_name(void)
{
	const struct topology *topology = machine_get();

	return topology && topology->model[0] ? topology->model : "unknown";
}

const char *mat_core(void)
{
	return mat_kind_openblas.core();
}

const char *mat_core_better(void)
{
	return mat_core_wanted(mat_core(), machine_flags());
}

const char *mat_core_alone(void)
{
	static char alone[CORE_MAX];
	const char *marker = getenv(MARKER);

	if (!marker)
		return getenv("OPENBLAS_CORETYPE") ? "" : mat_core();
	snprintf(alone, sizeof(alone), "%.*s", (int)strcspn(marker, ">"),
		 marker);
	return alone;
}

bool mat_core_chosen(void)
{
	const char *marker = getenv(MARKER);
	const char *chosen = marker ? strchr(marker, '>') : NULL;

	return chosen && chosen[1];
}

/* ---- the second start ------------------------------------------------------ */

static bool is_one(const char *name)
{
	const char *value = getenv(name);

	return value && strcmp(value, "1") == 0;
}

void mat_prepare(char **argv)
{
	const char *user = getenv("OPENBLAS_CORETYPE");
	const char *wanted;
	char *marker;

	if (getenv(MARKER))
		return;
	wanted = user ? NULL : mat_core_better();
	if (!wanted && is_one("OPENBLAS_NUM_THREADS") &&
	    is_one("OMP_NUM_THREADS"))
		return;
	marker = xasprintf("%s>%s", user ? "" : mat_core(),
			   wanted ? wanted : "");
	setenv(MARKER, marker, 1);
	free(marker);
	if (wanted)
		setenv("OPENBLAS_CORETYPE", wanted, 1);
	setenv("OPENBLAS_NUM_THREADS", "1", 1);
	setenv("OMP_NUM_THREADS", "1", 1);
	cli_start_again(argv);
	log_warn("mat", "cannot start again with OpenBLAS on %s: %s",
		 wanted ? wanted : mat_core(), strerror(errno));
	unsetenv(MARKER);
}
