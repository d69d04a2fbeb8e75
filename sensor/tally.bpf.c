/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * At each context switch, what a task used goes to the slots that it counts
 * for: its CPU time by the clock, events by one system-wide counter per CPU.
 * So a thousand targets need no more counters than one, and reading them is
 * reading memory.
 *
 * Which slots a task counts for is looked up when it is switched in.  Cgroups
 * without a slot count for the nearest ancestor that has one; the answer is
 * kept until the reader changes the generation.
 *
 * Not every switch is announced: the kernel leaves one out where the program is
 * busy already, and some kernels do for tasks of theirs.  Who leaves the CPU is
 * then not who came last; the scheduler knows how long he was there.
 */
#include "sensor/tally_kernel.h"
#include "sensor/tally_map.h"

#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Deeper than the kernel lets cgroups nest in practice. */
#define DEPTH_MAX 32

/* Set before the program is loaded. */
const volatile __u32 cpus = 1;
const volatile __u32 slots = 64;
const volatile __u32 events = 0;
const volatile __u32 words = 1;
/* The word of the time in which an event counted; 0: another one's tells. */
const volatile __u32 running_word[TALLY_EVENTS_MAX];

/* Set while it runs. */
__u32 generation;
__u32 processes; /* are there any in `owners`? */
__u32 cgroups;   /* and in `targets`? */
__u32 hierarchy; /* enum tally_hierarchy */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* slot × cpus + cpu */
	__type(key, __u32);
	__type(value, struct tally_cell);
} cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* cpu × slots / 64 + slot / 64 */
	__type(key, __u32);
	__type(value, __u64);
} fresh SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* slot / 64: its process began to exit */
	__type(key, __u32);
	__type(value, __u64);
} exits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* cpu */
	__type(key, __u32);
	__type(value, struct tally_cpu);
} running SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 1); /* event × cpus + cpu */
	__type(key, __u32);
	__type(value, __u32);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32); /* process id */
	__type(value, struct tally_owner);
} owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64); /* cgroup id */
	__type(value, __u32);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct tally_near);
} nearest SEC(".maps");

/* ---- which slots ----------------------------------------------------------- */

static __always_inline struct cgroup *cgroup_of_controller(
	struct task_struct *task)
{
	struct css_set *set = task->cgroups;
	struct cgroup_subsys_state *css = 0;
	__u64 at;

	if (hierarchy == TALLY_PERF_EVENT)
		at = bpf_core_enum_value_exists(enum cgroup_subsys_id,
						perf_event_cgrp_id)
			     ? bpf_core_enum_value(enum cgroup_subsys_id,
						   perf_event_cgrp_id)
			     : 0;
	else
		at = bpf_core_enum_value_exists(enum cgroup_subsys_id,
						cpuacct_cgrp_id)
			     ? bpf_core_enum_value(enum cgroup_subsys_id,
						   cpuacct_cgrp_id)
			     : 0;
	bpf_probe_read_kernel(&css, sizeof(css),
			      (void *)&set->subsys + at * sizeof(css));
	return BPF_CORE_READ(css, cgroup);
}

/* A bounded walk up to a cgroup that has a slot. */
static __always_inline __u32 walk_up(struct task_struct *task, __u64 id)
{
	struct tally_near near = { 0, generation };
	struct cgroup *cgroup = hierarchy == TALLY_UNIFIED
					? task->cgroups->dfl_cgrp
					: cgroup_of_controller(task);

	for (int i = 0; i < DEPTH_MAX && cgroup; i++) {
		__u64 at = BPF_CORE_READ(cgroup, kn, id);
		struct cgroup_subsys_state *parent;
		__u32 *slot = bpf_map_lookup_elem(&targets, &at);

		if (slot) {
			near.slot = *slot;
			break;
		}
		parent = BPF_CORE_READ(cgroup, self.parent);
		cgroup = parent ? BPF_CORE_READ(parent, cgroup) : 0;
	}
	bpf_map_update_elem(&nearest, &id, &near, BPF_ANY);
	return near.slot;
}

static __always_inline __u32 cgroup_slot(struct tally_cpu *on,
					 struct task_struct *task)
{
	__u64 id = hierarchy == TALLY_UNIFIED
			   ? task->cgroups->dfl_cgrp->kn->id
			   : BPF_CORE_READ(cgroup_of_controller(task), kn, id);
	struct tally_recent *recent = &on->recent[id % TALLY_RECENT];
	const struct tally_near *near;

	if (recent->id == id && recent->near.generation == generation)
		return recent->near.slot;
	near = bpf_map_lookup_elem(&nearest, &id);
	recent->near.generation = generation;
	recent->near.slot = near && near->generation == generation
				    ? near->slot
				    : walk_up(task, id);
	recent->id = id;
	return recent->near.slot;
}

static __noinline void find_slots(struct tally_cpu *on,
				  struct task_struct *task,
				  __u32 slot[TALLY_ROLES])
{
	__u32 process = task->tgid;

	slot[0] = slot[1] = slot[2] = 0;
	if (task->pid == 0) /* idle */
		return;
	if (cgroups)
		slot[0] = cgroup_slot(on, task);
	if (processes) {
		const struct tally_owner *owner =
			bpf_map_lookup_elem(&owners, &process);

		if (owner) {
			slot[1] = owner->slot;
			slot[2] = owner->tree;
		}
	}
}

/* ---- adding ---------------------------------------------------------------- */

static __always_inline void set_bit(void *map, __u32 row, __u32 slot)
{
	__u32 key = row * (slots / 64) + slot / 64;
	__u64 *word = bpf_map_lookup_elem(map, &key), before;

	if (!word)
		return;
	/* With its result used, this is a full barrier on every machine: the
	 * cell is there before its bit. */
	before = __sync_fetch_and_or(word, 1ULL << (slot % 64));
	asm volatile("" : : "r"(before));
}

static __always_inline void add(__u32 slot, __u32 cpu, const __u64 *word)
{
	__u32 key = slot * cpus + cpu;
	struct tally_cell *cell;

	if (!slot)
		return;
	cell = bpf_map_lookup_elem(&cells, &key);
	if (!cell)
		return;
	cell->word[0] += word[0];
#pragma unroll
	for (__u32 i = 1; i < TALLY_WORDS; i++)
		if (i < words)
			cell->word[i] += word[i];
	set_bit(&fresh, cpu, slot);
}

/* What each event counted since the last time, into words.  The time is asked
 * for only where it is kept: it costs as much as the value. */
static __always_inline void read_event(struct tally_cpu *on, __u32 i, __u32 key,
				       __u64 *word)
{
	struct bpf_perf_event_value now = {};
	__u32 where = running_word[i];

	if (where > 0 && where < TALLY_WORDS) {
		if (bpf_perf_event_read_value(&counters, key, &now,
					      sizeof(now)))
			return;
		word[where] = now.running - (now.running < on->running_ns[i]
						     ? 0
						     : on->running_ns[i]);
		on->running_ns[i] = now.running;
	} else {
		now.counter = bpf_perf_event_read(&counters, key);
		if (now.counter > (__u64)-4096) /* an error */
			return;
	}
	/* A counter that was opened anew, after its CPU was offline, begins
	 * at 0. */
	word[1 + i] =
		now.counter - (now.counter < on->value[i] ? 0 : on->value[i]);
	on->value[i] = now.counter;
}

static __always_inline void read_events(struct tally_cpu *on, __u32 cpu,
					__u64 *word)
{
#pragma unroll
	for (__u32 i = 0; i < TALLY_EVENTS_MAX; i++)
		if (i < events)
			read_event(on, i, i * cpus + cpu, word);
}

static __always_inline void charge(const __u32 slot[TALLY_ROLES], __u32 cpu,
				   const __u64 *word)
{
	for (int i = 0; i < TALLY_ROLES; i++)
		add(slot[i], cpu, word);
}

#define SHARE_BITS 20

/* What belongs to `task`, who came after the last switch that was announced:
 * time by the scheduler, which knows it of most tasks, and events by his share
 * of the time since they were read. */
static __always_inline void charge_unannounced(struct tally_cpu *on, __u32 cpu,
					       struct task_struct *task,
					       __u64 *word, __u64 read_ns)
{
	__u64 ns = task->se.sum_exec_runtime - task->se.prev_sum_exec_runtime;
	__u64 part[TALLY_WORDS] = {}, share;
	__u32 slot[TALLY_ROLES];

	if (ns > word[0])
		ns = word[0];
	share = read_ns > 0 ? (ns << SHARE_BITS) / read_ns : 0;
	part[0] = ns;
#pragma unroll
	for (__u32 i = 1; i < TALLY_WORDS; i++)
		part[i] = (word[i] >> SHARE_BITS) * share +
			  ((word[i] & ((1 << SHARE_BITS) - 1)) * share >>
			   SHARE_BITS);
#pragma unroll
	for (__u32 i = 0; i < TALLY_WORDS; i++)
		word[i] -= part[i];
	find_slots(on, task, slot);
	charge(slot, cpu, part);
}

/* From now on `next` runs; until now it was `prev`. */
static __always_inline void switch_to(struct tally_cpu *on, __u32 cpu,
				      struct task_struct *prev,
				      struct task_struct *next)
{
	bool announced = on->pid == prev->pid;
	__u64 word[TALLY_WORDS] = {}, now_ns;
	__u32 slot[TALLY_ROLES];

	find_slots(on, next, slot);
	on->pid = next->pid;
	now_ns = bpf_ktime_get_ns();
	word[0] = now_ns - on->since_ns;
	on->since_ns = now_ns;
	if (announced && !(on->slot[0] | on->slot[1] | on->slot[2] | slot[0] |
			   slot[1] | slot[2]))
		return;
	if (events > 0)
		read_events(on, cpu, word);
	if (!announced)
		charge_unannounced(on, cpu, prev, word, now_ns - on->read_ns);
	charge(on->slot, cpu, word);
	for (int i = 0; i < TALLY_ROLES; i++)
		on->slot[i] = slot[i];
	on->read_ns = now_ns;
}

/* ---- when ------------------------------------------------------------------ */

static __always_inline void on_this_cpu(struct task_struct *prev,
					struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct tally_cpu *on = bpf_map_lookup_elem(&running, &cpu);

	if (on)
		switch_to(on, cpu, prev, next);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev,
	     struct task_struct *next)
{
	on_this_cpu(prev, next);
	return 0;
}

/* The reader runs this on a CPU, in the midst of whoever runs there: his slice
 * so far counts, and slots that are new are found. */
SEC("raw_tp")
int on_read(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	on_this_cpu(task, task);
	return 0;
}

/* Who moves himself to another cgroup need not leave the CPU for that. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_move, struct cgroup *to, const char *path,
	     struct task_struct *task)
{
	struct task_struct *current = bpf_get_current_task_btf();

	if (cgroups && task->tgid == current->tgid)
		on_this_cpu(current, current);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 old = parent->tgid, new = child->tgid;
	const struct tally_owner *owner;

	if (!processes || old == new)
		return 0;
	owner = bpf_map_lookup_elem(&owners, &old);
	if (owner && owner->tree) {
		struct tally_owner heir = { 0, owner->tree };

		bpf_map_update_elem(&owners, &new, &heir, BPF_ANY);
	}
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	__u32 process = task->tgid;
	const struct tally_owner *owner;

	if (!processes || task->signal->live.counter > 0)
		return 0;
	owner = bpf_map_lookup_elem(&owners, &process);
	if (owner && owner->slot)
		set_bit(&exits, 0, owner->slot);
	if (owner && owner->tree)
		set_bit(&exits, 0, owner->tree);
	return 0;
}

/* Nobody can run under this id any more. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_free, struct task_struct *task)
{
	__u32 process = task->tgid;

	if (processes && task->pid == task->tgid)
		bpf_map_delete_elem(&owners, &process);
	return 0;
}
