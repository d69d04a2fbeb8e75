/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/topology.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mem.h"
#include "sensor/sysfs.h"

/* The first CPU's block of /proc/cpuinfo, flags included, fits well. */
#define CPUINFO_HEAD 16384

/* The value of "key : value" in the first block of cpuinfo. */
static bool cpuinfo_get(const char *text, const char *key, char *out,
			size_t size)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) != 0 ||
		    line[length + strspn(line + length, " \t")] != ':')
			continue;
		line = strchr(line, ':') + 1;
		line += strspn(line, " \t");
		snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
		return true;
	}
	return false;
}

static int cpuinfo_int(const char *text, const char *key)
{
	char value[32];

	if (!cpuinfo_get(text, key, value, sizeof(value)))
		return 0;
	return (int)strtol(value, NULL, 0);
}

static void vendor_read(struct topology *topology, const char *cpuinfo)
{
	char value[32];

	if (cpuinfo_get(cpuinfo, "vendor_id", topology->vendor,
			sizeof(topology->vendor)))
		return;
	/* Arm's own number among the implementers: Arm ARM, MIDR_EL1. */
	if (cpuinfo_get(cpuinfo, "CPU implementer", value, sizeof(value)))
		snprintf(topology->vendor, sizeof(topology->vendor), "%s",
			 strtol(value, NULL, 0) == 0x41 ? "ARM" : value);
}

static void model_read(struct topology *topology, const char *cpuinfo,
		       const char *proc)
{
	char part[16];

	if (cpuinfo_get(cpuinfo, "model name", topology->model,
			sizeof(topology->model)))
		return;
	if (sysfs_read(topology->model, sizeof(topology->model),
		       "%s/device-tree/model", proc) == 0 &&
	    topology->model[0])
		return;
	if (cpuinfo_get(cpuinfo, "CPU part", part, sizeof(part)))
		snprintf(topology->model, sizeof(topology->model), "%s part %s",
			 topology->vendor, part);
	else
		snprintf(topology->model, sizeof(topology->model),
			 "unknown CPU");
}

static void flags_read(struct topology *topology, const char *cpuinfo)
{
	char flags[sizeof(topology->flags) - 2];

	if (cpuinfo_get(cpuinfo, "flags", flags, sizeof(flags)) ||
	    cpuinfo_get(cpuinfo, "Features", flags, sizeof(flags)))
		snprintf(topology->flags, sizeof(topology->flags), " %s ",
			 flags);
	else
		snprintf(topology->flags, sizeof(topology->flags), " ");
}

static bool is_virtual(const struct topology *topology, const char *sys,
		       const char *proc)
{
	char path[PATH_MAX];

	if (topology_has(topology, "hypervisor"))
		return true;
	snprintf(path, sizeof(path), "%s/hypervisor/type", sys);
	if (!access(path, F_OK))
		return true;
	snprintf(path, sizeof(path), "%s/device-tree/hypervisor", proc);
	return !access(path, F_OK);
}

struct cpu_walk {
	struct topology *topology;
	const char *sys;
};

static int cpu_add(void *arg, int id)
{
	struct cpu_walk *walk = arg;
	struct topology *topology = walk->topology;
	struct topology_cpu *cpu;
	char text[32];
	long package;

	if (topology->cpus == TOPOLOGY_CPUS_MAX)
		return -1;
	cpu = &topology->cpu[topology->cpus++];
	/* -1 on machines that do not say, e.g. some Arm ones. */
	sysfs_read(text, sizeof(text),
		   "%s/devices/system/cpu/cpu%d/topology/physical_package_id",
		   walk->sys, id);
	package = strtol(text, NULL, 10);
	cpu->id = id;
	cpu->package = package > 0 ? (int)package : 0;
	return 0;
}

static int cpus_read(struct topology *topology, const char *sys,
		     struct err *err)
{
	struct cpu_walk walk = { topology, sys };
	char list[8192];

	if (sysfs_read(list, sizeof(list), "%s/devices/system/cpu/online",
		       sys) < 0)
		return err_sys(err, "open %s/devices/system/cpu/online", sys);
	topology->cpu = xcalloc(TOPOLOGY_CPUS_MAX, sizeof(*topology->cpu));
	if (sysfs_list(list, cpu_add, &walk) == 0)
		return 0;
	if (topology->cpus == TOPOLOGY_CPUS_MAX)
		return err_set(err, EFBIG, "more than %d CPUs",
			       TOPOLOGY_CPUS_MAX);
	return err_set(err, EINVAL,
		       "%s/devices/system/cpu/online: not a list of CPUs: "
		       "'%.40s'",
		       sys, list);
}

static size_t packages_count(const struct topology *topology)
{
	size_t count = 0;

	for (size_t i = 0; i < topology->cpus; i++) {
		size_t j = 0;

		while (j < i &&
		       topology->cpu[j].package != topology->cpu[i].package)
			j++;
		count += j == i;
	}
	return count;
}

static double memory_read(const char *proc)
{
	char text[256], value[64];

	if (sysfs_read(text, sizeof(text), "%s/meminfo", proc) < 0 ||
	    !cpuinfo_get(text, "MemTotal", value, sizeof(value)))
		return 0;
	return strtod(value, NULL) * 1024;
}

struct topology *topology_read(const char *sys, const char *proc,
			       struct err *err)
{
	struct topology *topology = xcalloc(1, sizeof(*topology));
	char *cpuinfo = xmalloc(CPUINFO_HEAD);

	if (sysfs_read(cpuinfo, CPUINFO_HEAD, "%s/cpuinfo", proc) < 0) {
		err_sys(err, "open %s/cpuinfo", proc);
		goto fail;
	}
	vendor_read(topology, cpuinfo);
	model_read(topology, cpuinfo, proc);
	flags_read(topology, cpuinfo);
	topology->family = cpuinfo_int(cpuinfo, "cpu family");
	topology->model_number = cpuinfo_int(cpuinfo, "model");
	topology->stepping = cpuinfo_int(cpuinfo, "stepping");
	topology->hypervisor = is_virtual(topology, sys, proc);
	topology->memory_bytes = memory_read(proc);
	if (cpus_read(topology, sys, err) < 0)
		goto fail;
	topology->packages = packages_count(topology);
	sysfs_read(topology->governor, sizeof(topology->governor),
		   "%s/devices/system/cpu/cpu%d/cpufreq/scaling_governor", sys,
		   topology->cpu[0].id);
	free(cpuinfo);
	return topology;
fail:
	free(cpuinfo);
	topology_free(topology);
	return NULL;
}

bool topology_has(const struct topology *topology, const char *flag)
{
	char word[64];

	snprintf(word, sizeof(word), " %s ", flag);
	return strstr(topology->flags, word) != NULL;
}

void topology_free(struct topology *topology)
{
	if (!topology)
		return;
	free(topology->cpu);
	free(topology);
}

const char *topology_describe(const struct topology *topology, char *out,
			      size_t size)
{
	double gib = topology->memory_bytes / 0x1p30;
	int used = snprintf(out, size, "%s, %zu CPU%s", topology->model,
			    topology->cpus, topology->cpus == 1 ? "" : "s");

	if (topology->packages > 1 && used > 0 && (size_t)used < size)
		used += snprintf(out + used, size - (size_t)used,
				 " in %zu packages", topology->packages);
	if (gib > 0 && used > 0 && (size_t)used < size)
		snprintf(out + used, size - (size_t)used, ", %.*f GiB",
			 gib < 9.95 ? 1 : 0, gib);
	return out;
}
