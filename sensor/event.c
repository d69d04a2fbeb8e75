/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/event.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <perfmon/pfmlib.h>
#include <perfmon/pfmlib_perf_event.h>

#include "lib/field.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "sensor/pmu.h"

/* PERF_TYPE_SOFTWARE, PERF_TYPE_TRACEPOINT, PERF_COUNT_SW_TASK_CLOCK */
#define TYPE_SOFTWARE       1
#define TYPE_TRACEPOINT     2
#define SOFTWARE_TASK_CLOCK 1

static int library_ready(struct err *err)
{
	static int status = PFM_ERR_NOINIT;

	if (status != PFM_SUCCESS)
		status = pfm_initialize();
	if (status != PFM_SUCCESS)
		return err_set(err, ENOSYS, "libpfm4: %s",
			       pfm_strerror(status));
	return 0;
}

/* ---- every event ----------------------------------------------------------- */

static bool pmu_present(pfm_pmu_t pmu, pfm_pmu_info_t *info)
{
	*info = (pfm_pmu_info_t){ .size = sizeof(*info) };
	return pfm_get_pmu_info(pmu, info) == PFM_SUCCESS && info->is_present;
}

static void walk_pmu(const pfm_pmu_info_t *pmu,
		     void (*visit)(void *arg, const struct event_info *info),
		     void *arg)
{
	for (int i = pmu->first_event; i != -1; i = pfm_get_event_next(i)) {
		pfm_event_info_t event = { .size = sizeof(event) };
		struct event_info info;

		if (pfm_get_event_info(i, PFM_OS_PERF_EVENT_EXT, &event) !=
		    PFM_SUCCESS)
			continue;
		info = (struct event_info){
			.pmu = pmu->name,
			.name = event.name,
			.about = event.desc,
		};
		visit(arg, &info);
	}
}

int event_walk(void (*visit)(void *arg, const struct event_info *info),
	       void *arg, struct err *err)
{
	pfm_pmu_info_t info;

	if (library_ready(err) < 0)
		return -1;
	/* The kernel's own first. */
	if (pmu_present(PFM_PMU_PERF_EVENT, &info))
		walk_pmu(&info, visit, arg);
	for (int pmu = 0; pmu < PFM_PMU_MAX; pmu++)
		if (pmu != PFM_PMU_PERF_EVENT &&
		    pmu_present((pfm_pmu_t)pmu, &info))
			walk_pmu(&info, visit, arg);
	return 0;
}

/* ---- hints ----------------------------------------------------------------- */

struct names {
	char **name; /* NULL-terminated once complete */
	size_t count, capacity;
	bool with_pmu;
};

static void take_name(void *arg, const struct event_info *info)
{
	struct names *names = (struct names *)arg;

	names->name = mem_grow(names->name, &names->capacity, names->count + 2,
			       sizeof(*names->name));
	names->name[names->count++] =
		names->with_pmu ? xasprintf("%s::%s", info->pmu, info->name)
				: xstrdup(info->name);
	names->name[names->count] = NULL;
}

/* "pmu::EVENT" of "pmu::EVENT:UMASK:mod", in the case that libpfm4 lists. */
static char *bare_name(const char *name, bool with_pmu)
{
	const char *event = strstr(name, "::");
	char *bare;

	event = event ? event + 2 : name;
	bare = xstrndup(name, (size_t)(event - name) + strcspn(event, ":"));
	for (char *c = bare + (with_pmu ? event - name : 0); *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return bare;
}

static void hint_name(const char *name, struct err *err)
{
	struct names names = { .with_pmu = strstr(name, "::") != NULL };
	char *bare = bare_name(name, names.with_pmu);
	const char *nearest = NULL;

	event_walk(take_name, &names, NULL);
	if (names.count > 0)
		nearest = field_nearest(bare, (const char *const *)names.name);
	if (nearest)
		err_remedy(err, "did you mean %s?", nearest);
	else
		err_remedy(err, "sensor list events shows what there is");
	for (size_t i = 0; i < names.count; i++)
		free(names.name[i]);
	free(names.name);
	free(bare);
}

/* The unit masks that an event has. */
static void hint_umask(const char *name, struct err *err)
{
	char *bare = bare_name(name, strstr(name, "::") != NULL);
	pfm_event_info_t event = { .size = sizeof(event) };
	int index = pfm_find_event(bare);
	struct text text = TEXT_INIT;

	free(bare);
	if (index < 0 || pfm_get_event_info(index, PFM_OS_PERF_EVENT_EXT,
					    &event) != PFM_SUCCESS)
		return;
	for (int i = 0; i < event.nattrs && text.length < 200; i++) {
		pfm_event_attr_info_t attr = { .size = sizeof(attr) };

		if (pfm_get_event_attr_info(index, i, PFM_OS_PERF_EVENT_EXT,
					    &attr) == PFM_SUCCESS &&
		    attr.type == PFM_ATTR_UMASK)
			text_printf(&text, " %s", attr.name);
	}
	if (text.length > 0)
		err_remedy(err, "%s has:%s", event.name, text.data);
	text_done(&text);
}

static int explain(const char *name, int status, struct err *err)
{
	if (status == PFM_ERR_NOTFOUND) {
		err_set(err, ENOENT, "event '%s': unknown", name);
		hint_name(name, err);
		return -1;
	}
	err_set(err, EINVAL, "event '%s': %s", name, pfm_strerror(status));
	if (status == PFM_ERR_UMASK || status == PFM_ERR_ATTR)
		hint_umask(name, err);
	return -1;
}

/* ---- one event ------------------------------------------------------------- */

/* What libpfm4 does not know, the kernel may describe.  Of a name that is
 * unmistakably one of its own, it is the kernel's answer that is told. */
static int find_elsewhere(const char *name, int status, struct event *event,
			  struct err *err)
{
	struct err why = { 0 };
	const char *colon = strchr(name, ':');
	bool tracepoint = status == PFM_ERR_NOTFOUND && colon &&
			  colon[1] != ':' && islower((unsigned char)*name);

	if (pmu_find_event(name, event, &why) == 0)
		return 0;
	if (strchr(name, '/') || tracepoint)
		return err_set(err, why.code, "%s", why.text);
	return explain(name, status, err);
}

void event_init(struct event *event, const char *name, uint32_t type,
		uint64_t config)
{
	size_t length = strnlen(name, EVENT_NAME_MAX - 1);

	*event = (struct event){ .type = type, .config = config };
	memcpy(event->name, name, length);
}

int event_find(const char *name, struct event *event, struct err *err)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	pfm_perf_encode_arg_t arg = { .attr = &attr, .size = sizeof(arg) };
	int status;

	if (strlen(name) >= EVENT_NAME_MAX)
		return err_set(err, ENAMETOOLONG,
			       "event '%.32s…': longer than %d characters",
			       name, EVENT_NAME_MAX - 1);
	if (library_ready(err) < 0)
		return -1;
	status = pfm_get_os_event_encoding(name, PFM_PLM0 | PFM_PLM3,
					   PFM_OS_PERF_EVENT_EXT, &arg);
	if (status != PFM_SUCCESS)
		return find_elsewhere(name, status, event, err);
	event_init(event, name, attr.type, attr.config);
	event->config1 = attr.config1;
	event->config2 = attr.config2;
	event->exclude_user = attr.exclude_user;
	event->exclude_kernel = attr.exclude_kernel;
	event->exclude_hv = attr.exclude_hv;
	event->exclude_guest = attr.exclude_guest;
	event->precise = attr.precise_ip != 0;
	return 0;
}

int event_group_add(struct event_group *group, const char *name,
		    struct err *err)
{
	struct event event;

	if (group->events == EVENT_GROUP_MAX)
		return err_set(err, E2BIG, "group '%s': more than %d events",
			       group->name, EVENT_GROUP_MAX);
	for (size_t i = 0; i < group->events; i++)
		if (!strcmp(group->event[i].name, name))
			return err_set(err, EEXIST,
				       "group '%s': event '%s': named twice",
				       group->name, name);
	if (event_find(name, &event, err) < 0)
		return -1;
	group->event[group->events++] = event;
	return 0;
}

bool event_is_task_clock(const struct event *event)
{
	return event->type == TYPE_SOFTWARE &&
	       event->config == SOFTWARE_TASK_CLOCK;
}

bool event_is_software(const struct event *event)
{
	return event->type == TYPE_SOFTWARE || event->type == TYPE_TRACEPOINT;
}
