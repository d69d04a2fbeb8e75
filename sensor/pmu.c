/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/pmu.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sensor/sysfs.h"

#define DEVICES "bus/event_source/devices"
/* perf_event_open(2): PERF_TYPE_… */
#define TYPE_HARDWARE   0
#define TYPE_TRACEPOINT 2
#define TYPE_HW_CACHE   3

/* ---- terms ----------------------------------------------------------------- */

static uint64_t *word_of(struct event *event, const char *name, size_t length)
{
	if (length == 6 && !strncmp(name, "config", 6))
		return &event->config;
	if (length == 7 && !strncmp(name, "config1", 7))
		return &event->config1;
	if (length == 7 && !strncmp(name, "config2", 7))
		return &event->config2;
	return NULL;
}

int pmu_put_bits(const char *format, uint64_t value, struct event *event)
{
	size_t length = strcspn(format, ":");
	uint64_t *word = word_of(event, format, length);
	const char *at = format + length;

	if (!word || *at != ':')
		return -1;
	while (*at == ':' || *at == ',') {
		char *end;
		long first = strtol(at + 1, &end, 10), last = first;

		if (end == at + 1 || first < 0)
			return -1;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (last < first || last > 63)
			return -1;
		for (long bit = first; bit <= last; bit++, value >>= 1)
			*word = (*word & ~(UINT64_C(1) << bit)) |
				((value & 1) << bit);
		at = end;
	}
	return *at == '\0' ? 0 : -1;
}

/* "umask=0x1", "any" */
static int put_term(const char *pmu, char *term, struct event *event,
		    struct err *err)
{
	char *equals = strchr(term, '=');
	char format[256], *end = NULL;
	uint64_t value = 1, *word;

	if (equals) {
		*equals = '\0';
		errno = 0;
		value = strtoull(equals + 1, &end, 0);
		if (errno || *end || end == equals + 1)
			return err_set(err, EINVAL,
				       "event '%s': %s: '%s' is no number",
				       event->name, term, equals + 1);
	}
	word = word_of(event, term, strlen(term));
	if (word) {
		*word = value;
		return 0;
	}
	if (strchr(term, '/') || *term == '\0' ||
	    sysfs_read(format, sizeof(format), "%s/" DEVICES "/%s/format/%s",
		       sysfs_root, pmu, term) < 0)
		return err_set(err, ENOENT,
			       "event '%s': PMU '%s' has no event and no key "
			       "'%s'",
			       event->name, pmu, term);
	if (pmu_put_bits(format, value, event) < 0)
		return err_set(err, EINVAL,
			       "event '%s': the kernel's format of '%s' makes "
			       "no sense: '%s'",
			       event->name, term, format);
	return 0;
}

static int put_terms(const char *pmu, char *terms, bool aliases,
		     struct event *event, struct err *err)
{
	char *rest = terms, *term;

	while ((term = strsep(&rest, ","))) {
		char alias[512];

		if (aliases && !strchr(term, '=') && !strchr(term, '/') &&
		    *term && *term != '.' &&
		    sysfs_read(alias, sizeof(alias),
			       "%s/" DEVICES "/%s/events/%s", sysfs_root, pmu,
			       term) == 0) {
			if (put_terms(pmu, alias, false, event, err) < 0)
				return -1;
		} else if (put_term(pmu, term, event, err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* ---- kinds of names -------------------------------------------------------- */

static int read_type(const char *pmu, uint32_t *type)
{
	char text[32], *end;

	if (sysfs_read(text, sizeof(text), "%s/" DEVICES "/%s/type", sysfs_root,
		       pmu) < 0)
		return -1;
	*type = (uint32_t)strtoul(text, &end, 10);
	return *end || end == text ? -1 : 0;
}

static int put_modifiers(const char *text, struct event *event, struct err *err)
{
	if (*text == ':')
		text++;
	if (*text == '\0')
		return 0;
	event->exclude_user = event->exclude_kernel = event->exclude_hv = true;
	for (; *text; text++) {
		if (*text == 'u')
			event->exclude_user = false;
		else if (*text == 'k')
			event->exclude_kernel = false;
		else if (*text == 'h')
			event->exclude_hv = false;
		else
			return err_set(err, EINVAL,
				       "event '%s': modifier '%c': expected u, "
				       "k or h",
				       event->name, *text);
	}
	return 0;
}

/* PMU/TERMS/MODIFIERS */
static int find_described(const char *name, struct event *event,
			  struct err *err)
{
	size_t length = strcspn(name, "/");
	const char *close = strrchr(name, '/');
	char pmu[NAME_MAX + 1], terms[EVENT_NAME_MAX];
	uint32_t type;

	if (length == 0 || name[0] == '.' || close == name + length)
		return err_set(err, EINVAL,
			       "event '%s': expected PMU/EVENT/ or "
			       "PMU/KEY=VALUE,…/",
			       name);
	snprintf(pmu, sizeof(pmu), "%.*s", (int)length, name);
	snprintf(terms, sizeof(terms), "%.*s", (int)(close - name - length - 1),
		 name + length + 1);
	if (read_type(pmu, &type) < 0) {
		err_set(err, ENOENT, "event '%s': there is no PMU '%s' here",
			name, pmu);
		return err_remedy(err,
				  "ls %s/" DEVICES " shows those there are",
				  sysfs_root);
	}
	event_init(event, name, type, 0);
	if (put_terms(pmu, terms, true, event, err) < 0)
		return -1;
	return put_modifiers(close + 1, event, err);
}

/* SUBSYSTEM:EVENT */
static int find_tracepoint(const char *name, struct event *event,
			   struct err *err)
{
	static const char *const mounts[] = { "kernel/tracing",
					      "kernel/debug/tracing" };
	size_t length = strcspn(name, ":");
	char id[32];

	for (size_t i = 0; i < 2 && name[0] != '.' && !strchr(name, '/'); i++)
		if (sysfs_read(id, sizeof(id), "%s/%s/events/%.*s/%s/id",
			       sysfs_root, mounts[i], (int)length, name,
			       name + length + 1) == 0) {
			event_init(event, name, TYPE_TRACEPOINT,
				   strtoull(id, NULL, 10));
			return 0;
		}
	if (errno == EACCES)
		return err_set(err, EACCES,
			       "event '%s': tracepoints may not be read "
			       "(sudo mount -o remount,mode=755 "
			       "/sys/kernel/tracing)",
			       name);
	return err_set(err, ENOENT,
		       "event '%s': no such tracepoint, or tracefs is not "
		       "mounted (sudo mount -t tracefs none "
		       "/sys/kernel/tracing)",
		       name);
}

/* What hwpc-sensor takes from the msr PMU where libpfm4 does not know it. */
static int find_msr(const char *name, struct event *event, struct err *err)
{
	static const char *const known[] = { "tsc",    "aperf",
					     "mperf",  "pperf",
					     "smi",    "ptsc",
					     "irperf", "cpu_thermal_margin" };
	char path[PATH_MAX];
	uint32_t type;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcasecmp(name, known[i]) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/" DEVICES "/msr/events/%s",
			 sysfs_root, known[i]);
		if (access(path, F_OK) < 0 || read_type("msr", &type) < 0)
			return err_set(err, ENOENT,
				       "event '%s': the msr PMU does not have "
				       "it here",
				       name);
		event_init(event, name, type, i);
		return 0;
	}
	return err_set(err, ENOENT, "event '%s': unknown", name);
}

int pmu_find_event(const char *name, struct event *event, struct err *err)
{
	const char *colon = strchr(name, ':');

	if (strlen(name) >= EVENT_NAME_MAX)
		return err_set(err, ENAMETOOLONG, "event '%.32s…': too long",
			       name);
	if (strchr(name, '/'))
		return find_described(name, event, err);
	if (colon && colon[1] && colon[1] != ':' && colon != name)
		return find_tracepoint(name, event, err);
	return find_msr(name, event, err);
}

/* ---- cores of several types ------------------------------------------------ */

void pmu_cores_read(struct pmu_cores *cores)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *folder;

	*cores = (struct pmu_cores){ .cores = 0 };
	snprintf(path, sizeof(path), "%s/" DEVICES, sysfs_root);
	folder = opendir(path);
	while (folder && cores->cores < PMU_CORES_MAX &&
	       (entry = readdir(folder))) {
		struct pmu_core *core = &cores->core[cores->cores];

		if (entry->d_name[0] != '.' &&
		    sysfs_read(core->cpus, sizeof(core->cpus),
			       "%s/" DEVICES "/%s/cpus", sysfs_root,
			       entry->d_name) == 0 &&
		    read_type(entry->d_name, &core->type) == 0)
			cores->cores++;
	}
	if (folder)
		closedir(folder);
}

struct search {
	int cpu;
	bool found;
};

static int is_cpu(void *arg, int cpu)
{
	struct search *search = (struct search *)arg;

	search->found |= cpu == search->cpu;
	return 0;
}

static bool has_cpu(const struct pmu_core *core, int cpu)
{
	struct search search = { cpu, false };

	(void)sysfs_list(core->cpus, is_cpu, &search);
	return search.found;
}

static bool is_generic(const struct event *event)
{
	return event->type == TYPE_HARDWARE || event->type == TYPE_HW_CACHE;
}

bool pmu_is_core_event(const struct pmu_cores *cores, const struct event *event)
{
	bool core = is_generic(event);

	for (size_t i = 0; i < cores->cores; i++)
		core |= event->type == cores->core[i].type;
	return core && cores->cores > 1;
}

bool pmu_event_of(const struct pmu_core *core, const struct event *event,
		  struct event *there)
{
	*there = *event;
	if (!is_generic(event))
		return event->type == core->type;
	/* The upper half of a generic config names the PMU (Linux 5.13). */
	if (event->config >> 32 == 0)
		there->config |= (uint64_t)core->type << 32;
	return there->config >> 32 == core->type;
}

bool pmu_event_on(const struct pmu_cores *cores, const struct event *event,
		  int cpu, struct event *there)
{
	*there = *event;
	if (!pmu_is_core_event(cores, event))
		return true;
	for (size_t i = 0; i < cores->cores; i++)
		if (has_cpu(&cores->core[i], cpu) &&
		    pmu_event_of(&cores->core[i], event, there))
			return true;
	return false;
}
