/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/tally.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <malloc.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <tally.skel.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "sensor/counter.h"
#include "sensor/tally_map.h"

/* Kernel memory for cells; slots are what fits, within reason. */
#define CELLS_SIZE ((size_t)16 << 20)
#define SLOTS_MIN  1024
#define SLOTS_MAX  16384
#define WORD_BITS  64

enum role { FREE, PROCESS, TREE, CGROUP };

struct slot {
	enum role role;
	uint64_t key; /* process or cgroup id */
};

struct area {
	void *at;
	size_t size;
};

struct tally {
	struct tally_bpf *bpf;
	const struct event_group *group;
	size_t groups;
	struct counter **counter; /* [group × cpus + cpu] */
	size_t cpus, words;
	size_t word[TALLY_WORDS][EVENT_GROUP_MAX];
	size_t running_word[TALLY_WORDS];
	size_t events;
	struct area cells, fresh, exits, running;
	struct slot *slot;
	size_t slots, used; /* slots below `used` were used once */
	uint32_t *free;     /* those given back, the oldest first */
	size_t free_first, frees;
	/* Where tally_next() is. */
	size_t next_row;
	uint64_t next_bits;
	size_t processes, cgroups;
	int hierarchy; /* -1: not known yet */
};

/* ---- events ---------------------------------------------------------------- */

/* Whether the group may have to take turns, so that its time tells. */
static bool takes_turns(const struct event_group *group)
{
	for (size_t i = 0; i < group->events; i++)
		if (!event_is_software(&group->event[i]))
			return true;
	return false;
}

/* Values first, then the running time of each group that takes turns. */
static int place_words(struct tally *tally, struct err *err)
{
	size_t runnings = 0;

	for (size_t i = 0; i < tally->groups && i < TALLY_WORDS; i++) {
		runnings += takes_turns(&tally->group[i]);
		for (size_t j = 0; j < tally->group[i].events; j++) {
			bool clock =
				event_is_task_clock(&tally->group[i].event[j]);

			tally->word[i][j] = clock ? 0 : ++tally->events;
		}
	}
	if (tally->groups > TALLY_WORDS ||
	    tally->events + runnings > TALLY_EVENTS_MAX)
		return err_set(err, ENOTSUP,
			       "tally counts up to %d events besides "
			       "PERF_COUNT_SW_TASK_CLOCK (one less for each "
			       "group with events of the hardware)",
			       TALLY_EVENTS_MAX);
	tally->words = 1 + tally->events;
	for (size_t i = 0; i < tally->groups; i++)
		if (takes_turns(&tally->group[i]))
			tally->running_word[i] = tally->words++;
	return 0;
}

static int give_counter(struct tally *tally, size_t event, size_t cpu,
			const struct counter *counter, size_t i,
			struct err *err)
{
	uint32_t key = (uint32_t)((event - 1) * tally->cpus + cpu);
	int fd = counter_fd(counter, i);

	if (bpf_map__update_elem(tally->bpf->maps.counters, &key, sizeof(key),
				 &fd, sizeof(fd), BPF_ANY) < 0)
		return err_sys(err, "BPF: counter of CPU %zu", cpu);
	return 0;
}

/* What a group counts on a CPU, but for the clock, which needs no counter. */
static int open_counter(struct tally *tally, const struct site *site,
			struct counter **counter, struct err *err)
{
	struct event event[EVENT_GROUP_MAX];
	size_t word[EVENT_GROUP_MAX];
	struct counter_request request = { .event = event,
					   .pid = -1,
					   .cpu = site->cpu };

	for (size_t i = 0; i < site->here.events; i++)
		if (!event_is_task_clock(&site->here.event[i])) {
			word[request.events] =
				tally->word[site->group][site->from[i]];
			event[request.events++] = site->here.event[i];
		}
	if (request.events == 0)
		return 0;
	*counter = counter_open(&request, err);
	for (size_t i = 0; *counter && i < request.events; i++)
		if (give_counter(tally, word[i], (size_t)site->cpu, *counter, i,
				 err) < 0)
			return -1;
	return *counter ? 0 : -1;
}

static struct counter **counter_at(struct tally *tally, const struct site *site)
{
	return &tally->counter[site->group * tally->cpus + (size_t)site->cpu];
}

static int open_counters(struct tally *tally, const struct site_plan *plan,
			 struct err *err)
{
	for (size_t i = 0; i < plan->sites; i++) {
		struct counter **counter = counter_at(tally, &plan->site[i]);

		if (!*counter &&
		    open_counter(tally, &plan->site[i], counter, err) < 0)
			return -1;
	}
	return 0;
}

int tally_follow(struct tally *tally, const struct site_plan *plan,
		 struct err *err)
{
	size_t counters = tally->groups * tally->cpus;
	bool *stays = xcalloc(counters, sizeof(*stays));

	for (size_t i = 0; i < plan->sites; i++)
		stays[counter_at(tally, &plan->site[i]) - tally->counter] =
			true;
	for (size_t i = 0; i < counters; i++)
		if (!stays[i]) {
			counter_close(tally->counter[i]);
			tally->counter[i] = NULL;
		}
	free(stays);
	return open_counters(tally, plan, err);
}

/* ---- opening --------------------------------------------------------------- */

/* What libbpf says is for those who ask. */
__attribute__((format(printf, 2, 0))) static int listen_to_libbpf(
	enum libbpf_print_level level, const char *format, va_list arguments)
{
	char line[512];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), format, arguments);
	line[strcspn(line, "\n")] = '\0';
	log_detail("libbpf", "%s", line);
	return 0;
}

static int explain(const char *what, struct err *err)
{
	int code = errno;

	if (code == EPERM || code == EACCES) {
		err_set(err, code, "BPF: %s: not permitted", what);
		return err_remedy(err, "sudo setcap cap_bpf,cap_perfmon=ep on "
				       "this program");
	}
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return err_set(err, ENOTSUP,
			       "BPF: %s: this kernel does not describe its "
			       "types (CONFIG_DEBUG_INFO_BTF)",
			       what);
	err_sys(err, "BPF: %s", what);
	if (err)
		err->code = ENOTSUP;
	return -1;
}

/* The first event of a group brings the time of all. */
static void put_running_word(struct tally *tally, size_t group)
{
	const struct event_group *g = &tally->group[group];
	size_t first = 0;

	while (first < g->events && event_is_task_clock(&g->event[first]))
		first++;
	if (first < g->events)
		tally->bpf->rodata
			->running_word[tally->word[group][first] - 1] =
			(uint32_t)tally->running_word[group];
}

static void size_maps(struct tally *tally)
{
	struct tally_bpf *bpf = tally->bpf;
	uint32_t slots = (uint32_t)tally->slots, cpus = (uint32_t)tally->cpus;
	uint32_t events = (uint32_t)tally->events;

	bpf_map__set_max_entries(bpf->maps.cells, slots * cpus);
	bpf_map__set_max_entries(bpf->maps.fresh, slots / WORD_BITS * cpus);
	bpf_map__set_max_entries(bpf->maps.exits, slots / WORD_BITS);
	bpf_map__set_max_entries(bpf->maps.running, cpus);
	bpf_map__set_max_entries(bpf->maps.counters,
				 events > 0 ? events * cpus : 1);
	bpf_map__set_max_entries(bpf->maps.owners, slots);
	bpf_map__set_max_entries(bpf->maps.targets, slots);
	bpf_map__set_max_entries(bpf->maps.nearest, 2 * slots);
	bpf->rodata->slots = slots;
	bpf->rodata->cpus = cpus;
	bpf->rodata->events = events;
	bpf->rodata->words = (uint32_t)tally->words;
	for (size_t i = 0; i < tally->groups; i++)
		put_running_word(tally, i);
}

static int map_area(struct area *area, const struct bpf_map *map,
		    struct err *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = bpf_map__max_entries(map) * bpf_map__value_size(map);
	void *at;

	size = (size + page - 1) / page * page;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		  bpf_map__fd(map), 0);
	if (at == MAP_FAILED)
		return err_sys(err, "BPF: map %s", bpf_map__name(map));
	*area = (struct area){ at, size };
	return 0;
}

static int map_areas(struct tally *tally, struct err *err)
{
	struct tally_bpf *bpf = tally->bpf;

	if (map_area(&tally->cells, bpf->maps.cells, err) < 0 ||
	    map_area(&tally->fresh, bpf->maps.fresh, err) < 0 ||
	    map_area(&tally->exits, bpf->maps.exits, err) < 0 ||
	    map_area(&tally->running, bpf->maps.running, err) < 0)
		return -1;
	return 0;
}

static int load(struct tally *tally, const struct site_plan *plan,
		struct err *err)
{
	libbpf_set_print(listen_to_libbpf);
	tally->bpf = tally_bpf__open();
	if (!tally->bpf)
		return explain("open", err);
	size_maps(tally);
	bpf_program__set_autoattach(tally->bpf->progs.on_read, false);
	if (tally_bpf__load(tally->bpf) < 0)
		return explain("load", err);
	if (map_areas(tally, err) < 0 || open_counters(tally, plan, err) < 0)
		return -1;
	if (tally_bpf__attach(tally->bpf) < 0)
		return explain("attach", err);
	/* Megabytes of the kernel's types were needed for a moment. */
	malloc_trim(0);
	return 0;
}

struct tally *tally_open(const struct event_group *group, size_t groups,
			 const struct site_plan *plan, struct err *err)
{
	struct tally *tally = xcalloc(1, sizeof(*tally));
	int cpus = libbpf_num_possible_cpus();

	tally->group = group;
	tally->groups = groups;
	tally->hierarchy = -1;
	tally->cpus = cpus > 0 ? (size_t)cpus : 1;
	tally->slots = CELLS_SIZE / sizeof(struct tally_cell) / tally->cpus;
	if (tally->slots < SLOTS_MIN)
		tally->slots = SLOTS_MIN;
	if (tally->slots > SLOTS_MAX)
		tally->slots = SLOTS_MAX;
	tally->slots -= tally->slots % WORD_BITS;
	tally->used = 1;
	tally->slot = xcalloc(tally->slots, sizeof(*tally->slot));
	tally->free = xcalloc(tally->slots, sizeof(*tally->free));
	tally->counter =
		xcalloc(groups * tally->cpus, sizeof(struct counter *));
	if (place_words(tally, err) < 0 || load(tally, plan, err) < 0) {
		tally_close(tally);
		return NULL;
	}
	return tally;
}

void tally_close(struct tally *tally)
{
	if (!tally)
		return;
	tally_bpf__destroy(tally->bpf);
	for (struct area *area = &tally->cells; area <= &tally->running; area++)
		if (area->at)
			munmap(area->at, area->size);
	for (size_t i = 0; i < tally->groups * tally->cpus; i++)
		counter_close(tally->counter[i]);
	free(tally->counter);
	free(tally->slot);
	free(tally->free);
	free(tally);
}

size_t tally_cpus(const struct tally *tally)
{
	return tally->cpus;
}

size_t tally_word(const struct tally *tally, size_t group, size_t event)
{
	return tally->word[group][event];
}

size_t tally_running_word(const struct tally *tally, size_t group)
{
	return tally->running_word[group];
}

/* ---- slots ----------------------------------------------------------------- */

static const struct tally_cpu *on_cpu(const struct tally *tally, size_t cpu)
{
	return (const struct tally_cpu *)tally->running.at + cpu;
}

/* A CPU may still hold a slot that was given back, until it switches. */
static bool is_held(const struct tally *tally, uint32_t slot)
{
	for (size_t cpu = 0; cpu < tally->cpus; cpu++)
		for (int i = 0; i < TALLY_ROLES; i++)
			if (on_cpu(tally, cpu)->slot[i] == slot)
				return true;
	return false;
}

static int take_slot(struct tally *tally, enum role role, uint64_t key,
		     struct err *err)
{
	uint32_t slot;

	if (tally->used < tally->slots) {
		slot = (uint32_t)tally->used++;
	} else if (tally->frees > 0 &&
		   !is_held(tally, tally->free[tally->free_first])) {
		slot = tally->free[tally->free_first];
		tally->free_first = (tally->free_first + 1) % tally->slots;
		tally->frees--;
	} else {
		return err_set(err, ENOTSUP, "tally: more than %zu targets",
			       tally->slots - 1);
	}
	tally->slot[slot] = (struct slot){ role, key };
	return (int)slot;
}

static void give_back(struct tally *tally, int slot)
{
	uint64_t *exits = (uint64_t *)tally->exits.at + slot / WORD_BITS;

	__atomic_and_fetch(exits, ~(1ULL << slot % WORD_BITS),
			   __ATOMIC_SEQ_CST);
	tally->slot[slot].role = FREE;
	tally->free[(tally->free_first + tally->frees++) % tally->slots] =
		(uint32_t)slot;
}

static int read_cpu(const struct tally *tally, size_t cpu, struct err *err)
{
	struct bpf_test_run_opts how = {
		.sz = sizeof(how),
		.flags = BPF_F_TEST_RUN_ON_CPU,
		.cpu = (uint32_t)cpu,
	};

	if (bpf_prog_test_run_opts(bpf_program__fd(tally->bpf->progs.on_read),
				   &how) < 0 &&
	    errno != ENXIO) /* offline */
		return err_sys(err, "BPF: read CPU %zu", cpu);
	return 0;
}

/* Tasks look their slots up again, those that run now at once. */
static int renew(struct tally *tally, struct err *err)
{
	tally->bpf->bss->processes = tally->processes > 0;
	tally->bpf->bss->cgroups = tally->cgroups > 0;
	__atomic_add_fetch(&tally->bpf->bss->generation, 1, __ATOMIC_SEQ_CST);
	for (size_t cpu = 0; cpu < tally->cpus; cpu++)
		if (read_cpu(tally, cpu, err) < 0)
			return -1;
	return 0;
}

static int own(struct tally *tally, pid_t pid, int slot, bool tree,
	       struct err *err)
{
	const struct bpf_map *map = tally->bpf->maps.owners;
	struct tally_owner owner = { 0 };
	uint32_t key = (uint32_t)pid;

	bpf_map__lookup_elem(map, &key, sizeof(key), &owner, sizeof(owner), 0);
	if ((tree ? owner.tree : owner.slot) != 0)
		return err_set(err, ENOTSUP, "tally: process %d has a slot",
			       (int)pid);
	if (tree)
		owner.tree = (uint32_t)slot;
	else
		owner.slot = (uint32_t)slot;
	if (bpf_map__update_elem(map, &key, sizeof(key), &owner, sizeof(owner),
				 BPF_ANY) < 0)
		return err_sys(err, "BPF: process %d", (int)pid);
	return 0;
}

int tally_add_process(struct tally *tally, pid_t pid, bool tree,
		      struct err *err)
{
	int slot = take_slot(tally, tree ? TREE : PROCESS, (uint64_t)pid, err);

	if (slot < 0)
		return -1;
	if (own(tally, pid, slot, tree, err) < 0) {
		give_back(tally, slot);
		return -1;
	}
	tally->processes++;
	if (renew(tally, err) < 0) {
		tally_remove(tally, slot);
		return -1;
	}
	return slot;
}

int tally_adopt(struct tally *tally, int slot, pid_t pid, struct err *err)
{
	if (own(tally, pid, slot, true, err) < 0)
		return -1;
	return renew(tally, err);
}

/* Which controller's hierarchy a folder of cgroup v1 is in. */
static int hierarchy_v1(const char *folder)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *mount;
	size_t longest = 0;
	int found = -1;

	while (mounts && (mount = getmntent(mounts)) != NULL) {
		size_t length = strlen(mount->mnt_dir);

		if (strcmp(mount->mnt_type, "cgroup") != 0 ||
		    length < longest ||
		    strncmp(mount->mnt_dir, folder, length) != 0 ||
		    (folder[length] != '/' && folder[length] != '\0'))
			continue;
		longest = length;
		found = hasmntopt(mount, "perf_event") ? TALLY_PERF_EVENT
			: hasmntopt(mount, "cpuacct")  ? TALLY_CPUACCT
						       : -1;
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

static int find_hierarchy(struct tally *tally, const char *folder,
			  struct err *err)
{
	struct statfs statfs_;
	int found;

	if (statfs(folder, &statfs_) < 0)
		return err_sys(err, "cgroup %s", folder);
	found = statfs_.f_type == CGROUP2_SUPER_MAGIC ? TALLY_UNIFIED
						      : hierarchy_v1(folder);
	if (found < 0 || (tally->hierarchy >= 0 && tally->hierarchy != found))
		return err_set(err, ENOTSUP,
			       "cgroup %s: tally counts one hierarchy: cgroup "
			       "v2, or v1's perf_event or cpuacct",
			       folder);
	tally->hierarchy = found;
	tally->bpf->bss->hierarchy = (uint32_t)found;
	return 0;
}

int tally_add_cgroup(struct tally *tally, const char *folder, struct err *err)
{
	uint32_t value;
	uint64_t key;
	struct stat status;
	int slot;

	if (find_hierarchy(tally, folder, err) < 0)
		return -1;
	if (stat(folder, &status) < 0)
		return err_sys(err, "cgroup %s", folder);
	key = status.st_ino; /* the kernel's id of it */
	slot = take_slot(tally, CGROUP, key, err);
	if (slot < 0)
		return -1;
	value = (uint32_t)slot;
	if (bpf_map__update_elem(tally->bpf->maps.targets, &key, sizeof(key),
				 &value, sizeof(value), BPF_NOEXIST) < 0) {
		err_sys(err, "BPF: cgroup %s", folder);
		give_back(tally, slot);
		return -1;
	}
	tally->cgroups++;
	if (renew(tally, err) < 0) {
		tally_remove(tally, slot);
		return -1;
	}
	return slot;
}

/* A process id may be somebody else's by now. */
static void disown(struct tally *tally, uint32_t process, int slot)
{
	const struct bpf_map *map = tally->bpf->maps.owners;
	struct tally_owner owner;

	if (bpf_map__lookup_elem(map, &process, sizeof(process), &owner,
				 sizeof(owner), 0) < 0)
		return;
	if (owner.slot == (uint32_t)slot)
		owner.slot = 0;
	if (owner.tree == (uint32_t)slot)
		owner.tree = 0;
	if (owner.slot || owner.tree)
		bpf_map__update_elem(map, &process, sizeof(process), &owner,
				     sizeof(owner), BPF_EXIST);
	else
		bpf_map__delete_elem(map, &process, sizeof(process), 0);
}

static void disown_tree(struct tally *tally, int slot)
{
	const struct bpf_map *map = tally->bpf->maps.owners;
	uint32_t key, next;
	int status = bpf_map__get_next_key(map, NULL, &next, sizeof(next));

	while (status == 0) {
		key = next;
		status = bpf_map__get_next_key(map, &key, &next, sizeof(next));
		disown(tally, key, slot);
	}
}

void tally_remove(struct tally *tally, int slot)
{
	uint64_t key = tally->slot[slot].key;

	if (tally->slot[slot].role == CGROUP) {
		bpf_map__delete_elem(tally->bpf->maps.targets, &key,
				     sizeof(key), 0);
		tally->cgroups--;
	} else {
		if (tally->slot[slot].role == TREE)
			disown_tree(tally, slot);
		else
			disown(tally, (uint32_t)key, slot);
		tally->processes--;
	}
	tally->bpf->bss->processes = tally->processes > 0;
	tally->bpf->bss->cgroups = tally->cgroups > 0;
	__atomic_add_fetch(&tally->bpf->bss->generation, 1, __ATOMIC_SEQ_CST);
	give_back(tally, slot);
}

/* ---- reading --------------------------------------------------------------- */

int tally_begin(struct tally *tally, struct err *err)
{
	for (size_t cpu = 0; cpu < tally->cpus; cpu++) {
		const uint32_t *slot = on_cpu(tally, cpu)->slot;

		if ((slot[0] | slot[1] | slot[2]) != 0 &&
		    read_cpu(tally, cpu, err) < 0)
			return -1;
	}
	tally->next_row = 0;
	tally->next_bits = 0;
	return 0;
}

int tally_next(struct tally *tally, size_t *cpu)
{
	size_t words = (tally->used + WORD_BITS - 1) / WORD_BITS;
	uint64_t *fresh = tally->fresh.at;
	size_t row, bit;

	while (tally->next_bits == 0) {
		uint64_t *word;

		if (tally->next_row >= words * tally->cpus)
			return 0;
		row = tally->next_row++;
		word = &fresh[row / words * (tally->slots / WORD_BITS) +
			      row % words];
		/* What is written from here on is told of again. */
		if (__atomic_load_n(word, __ATOMIC_RELAXED) != 0)
			tally->next_bits =
				__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST);
	}
	row = tally->next_row - 1;
	bit = (size_t)__builtin_ctzll(tally->next_bits);
	tally->next_bits &= tally->next_bits - 1;
	*cpu = row / words;
	return (int)(row % words * WORD_BITS + bit);
}

int tally_next_exit(const struct tally *tally, int slot)
{
	const uint64_t *exits = tally->exits.at;

	for (size_t i = (size_t)slot; i < tally->used; i++) {
		uint64_t word = __atomic_load_n(&exits[i / WORD_BITS],
						__ATOMIC_RELAXED);

		if (word == 0)
			i |= WORD_BITS - 1;
		else if (word >> i % WORD_BITS & 1)
			return (int)i;
	}
	return 0;
}

const uint64_t *tally_words(const struct tally *tally, int slot, size_t cpu)
{
	const struct tally_cell *cell = tally->cells.at;

	return (const uint64_t *)cell[(size_t)slot * tally->cpus + cpu].word;
}
