/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * topology -- which CPUs there are, in which package, and what they are.
 *
 *	struct topology *topology = topology_read("/sys", "/proc", &err);
 *
 *	for (size_t i = 0; i < topology->cpus; i++)
 *		use(topology->cpu[i].id, topology->cpu[i].package);
 *	topology_free(topology);
 *
 * The roots are arguments so that tests can show it any machine.
 */
#ifndef SENSOR_TOPOLOGY_H
#define SENSOR_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

#define TOPOLOGY_CPUS_MAX 8192

struct topology {
	struct topology_cpu {
		int id;
		int package; /* 0 where the kernel does not say */
	} * cpu;             /* online ones, by id */
	size_t cpus;
	size_t packages;
	char model[128]; /* "AMD EPYC 9354 32-Core Processor" */
	char vendor[32]; /* "AuthenticAMD", "GenuineIntel", "ARM" */
	int family, model_number, stepping; /* x86; else 0 */
	char flags[4096]; /* " fpu vme … avx512f … ", blank on both ends */
	bool hypervisor;  /* a virtual machine */
	double memory_bytes;
	char governor[32]; /* "performance"; "" unknown */
};

struct topology *topology_read(const char *sys, const char *proc,
			       struct err *err);
/* Does the CPU have the flag ("avx512f")? */
bool topology_has(const struct topology *topology, const char *flag);
void topology_free(struct topology *topology); /* accepts NULL */

/* "AMD EPYC, 2 CPUs, 23 GiB": one line for people. */
const char *topology_describe(const struct topology *topology, char *out,
			      size_t size);

#endif
